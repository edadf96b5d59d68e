"""Parameters and checkpoints on disk: the round trip, what is refused, and writes that are cut short."""

from __future__ import annotations

import errno
import json
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import numpy as safetensors_numpy
from safetensors import safe_open

from manual import files
from manual.architecture import MODELS, Architecture, Conv, Dense, Dropout, Flatten, Layer, Pool, model
from manual.architecture_json import from_json, to_json
from manual.draws import initial_parameters
from manual.files import Checkpoint
from manual.layers import HIDDEN_UNITS, OUTPUT_UNITS
from manual.notation import Array, Parameters
from torch_ref import network as torch_network

ROOT = Path(__file__).parents[2]
WIDE = model("wide", 5, 3, (4, 3))
IMAGES = ("convnet", "strided", "lenet5")


def drawn(architecture: Architecture = WIDE, seed: int = 0, dtype: Any = np.float64) -> Parameters:
    """Parameters none of which is zero."""
    params = initial_parameters(architecture, "he", np.random.default_rng(seed), dtype)
    return {name: value + dtype(0.1) for name, value in params.items()}


def check_equal(one: dict[str, Array], other: dict[str, Array]) -> None:
    """The same names in the same order, dtypes, shapes and bits."""
    assert list(one) == list(other)
    for name, value in one.items():
        assert (other[name].dtype, other[name].shape) == (value.dtype, value.shape)
        assert other[name].tobytes() == value.tobytes()


# parameters


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", MODELS)
def test_every_model_comes_back_as_it_was(name: str, dtype: type, tmp_path: Path) -> None:
    architecture = model(name, (28, 28, 1) if name in IMAGES else 7, 2)
    params = drawn(architecture, dtype=dtype)
    files.save(tmp_path / "net.safetensors", params, architecture)
    saved = files.load(tmp_path / "net.safetensors")
    assert saved.architecture == architecture
    check_equal(params, saved.params)
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.safetensors"]


@pytest.mark.parametrize("name", ["wide", "convnet"])
def test_what_one_package_saves_the_other_loads(name: str, tmp_path: Path) -> None:
    architecture = model(name, (8, 8, 1) if name in IMAGES else 7, 2)
    params = drawn(architecture)
    files.save(tmp_path / "by_hand", params, architecture)
    loaded, same = files.load(tmp_path / "by_hand")
    module = torch_network.load_params(torch_network.build(same), loaded)
    files.save(tmp_path / "by_torch", torch_network.export_params(module), module.architecture)
    assert (tmp_path / "by_torch").read_bytes() == (tmp_path / "by_hand").read_bytes()


def test_ten_layers_come_back_in_their_order(tmp_path: Path) -> None:
    deep = Architecture(2, (*[Dense(2, "tanh")] * 10, Dense(1, "sigmoid")))  # W10 sorts before W2
    files.save(tmp_path / "net", drawn(deep), deep)
    check_equal(drawn(deep), files.load(tmp_path / "net").params)


def test_arrays_are_written_as_they_read_not_as_they_lie_in_memory(tmp_path: Path) -> None:
    params = drawn()
    turned = {name: np.asfortranarray(value) for name, value in params.items()}
    apart = {name: np.repeat(value, 2, axis=1)[:, ::2] for name, value in params.items()}
    for laid_out in (turned, apart):
        files.save(tmp_path / "net", laid_out, WIDE)
        check_equal(params, files.load(tmp_path / "net").params)


def test_loaded_arrays_may_be_written_to(tmp_path: Path) -> None:
    files.save(tmp_path / "net", drawn(), WIDE)
    files.load(tmp_path / "net").params["W1"][...] = 0.0
    check_equal(drawn(), files.load(tmp_path / "net").params)


def test_other_tools_read_it(tmp_path: Path) -> None:
    params = drawn()
    files.save(tmp_path / "net", params, WIDE, {"dataset": "iris"})
    with safe_open(tmp_path / "net", framework="numpy") as file:
        assert sorted(file.keys()) == sorted(params)
        assert json.loads(file.metadata()["architecture"]) == {
            "inputs": 5,
            "layers": [
                {"kind": "dense", "units": 4, "activation": "relu"},
                {"kind": "dense", "units": 3, "activation": "relu"},
                {"kind": "dense", "units": 3, "activation": "softmax"},
            ],
        }
        assert file.metadata()["dataset"] == "iris"


def test_what_is_said_about_it_travels_along(tmp_path: Path) -> None:
    about = {"dataset": "Größe", "target_names": '["a", "b"]', "empty": ""}
    files.save(tmp_path / "net", drawn(), WIDE, about)
    assert files.load_about(tmp_path / "net") == about
    files.save(tmp_path / "net", drawn(), WIDE)
    assert files.load_about(tmp_path / "net") == {}


def test_the_same_network_is_the_same_file(tmp_path: Path) -> None:
    about = {name: name for name in "fedcba"}
    written = set()
    for order in (about, dict(reversed(about.items()))):
        for _ in range(5):
            files.save(tmp_path / "net", drawn(), WIDE, order)
            written.add((tmp_path / "net").read_bytes())
    assert len(written) == 1
    assert int.from_bytes(written.pop()[:8], "little") % 8 == 0


def stored(tensors: dict[str, Array], metadata: dict[str, str] | None = None) -> bytes:
    """A .safetensors file by hand."""
    return safetensors_numpy.save(tensors, {"architecture": to_json(WIDE)} if metadata is None else metadata)


def without(name: str) -> Parameters:
    return {key: value for key, value in drawn().items() if key != name}


def changed(name: str, value: Any) -> Parameters:
    return {**drawn(), name: value}


FOREIGN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", r"net is no whole \.safetensors file, expected one saved here: .*"),
    "a pickle": (pickle.dumps(drawn()), r"net is no whole \.safetensors file, .*"),
    "a zip": (b"PK\x03\x04" + bytes(100), r"net is no whole \.safetensors file, .*"),
    "text": (b"W1,b1\n" * 20, r"net is no whole \.safetensors file, .*"),
    "cut short": (stored(drawn())[:-1], r"net is no whole \.safetensors file, .*"),
    "cut in the header": (stored(drawn())[:50], r"net is no whole \.safetensors file, .*"),
    "too long": (stored(drawn()) + b"\0", r"net is no whole \.safetensors file, .*"),
    "of other tools": (stored(drawn(), {}), r"net cannot be used: its metadata has no architecture, expected .*"),
    "no JSON": (stored(drawn(), {"architecture": "{"}), r"net cannot be used: the architecture is no JSON: .*"),
    "array missing": (stored(without("b2")), r"net cannot be used: params has \['W1', .*\], expected \[.*'b2'.*\]: .*"),
    "array too many": (stored(changed("W9", np.zeros(2))), r"net cannot be used: params has .*'W9'.*"),
    "another shape": (
        stored(changed("W1", np.zeros((5, 4)))),
        r"net cannot be used: W1 has shape \(5, 4\), expected \(4, 5\): .*",
    ),
    "whole numbers": (
        stored(changed("b1", np.zeros((4, 1), np.int64))),
        r"net cannot be used: b1 has dtype int64, expected float32 or float64, the same for all",
    ),
    "two dtypes": (
        stored(changed("b1", np.zeros((4, 1), np.float32))),
        r"net cannot be used: b1 has dtype float32, expected float32 or float64, the same for all",
    ),
    "half": (
        stored({name: value.astype(np.float16) for name, value in drawn().items()}),
        r"net cannot be used: W1 has dtype float16, expected .*",
    ),
    "complex": (
        stored({name: value.astype(np.complex64) for name, value in drawn().items()}),
        r"net cannot be used: W1 has dtype C64, expected one of F16, F32, F64, .*",
    ),
    "NaN": (
        stored(changed("b1", np.array([[0.0], [np.inf], [np.nan], [0.0]]))),
        r"net cannot be used: b1 is inf at \(1, 0\), expected finite numbers: the run exploded",
    ),
}


@pytest.mark.parametrize(("content", "sentence"), FOREIGN.values(), ids=FOREIGN.keys())
def test_a_foreign_file_gets_one_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "net").write_bytes(content)
    with pytest.raises(ValueError, match=rf"^{sentence}$") as caught:
        files.load(tmp_path / "net")
    assert "\n" not in str(caught.value)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
            return Path.touch, (tmp_path / "sprung",)

    for name in ("net", files.CHECKPOINT):
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match="no whole"):
        files.load(tmp_path / "net")
    with pytest.raises(ValueError, match="no whole"):
        files.load_checkpoint(tmp_path)
    assert not (tmp_path / "sprung").exists()


def test_bits_at_random_are_read_or_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    whole = stored(drawn())
    end = 8 + struct.unpack("<Q", whole[:8])[0]
    sentences = []
    for _ in range(300):
        spoilt = bytearray(whole)
        for place in rng.integers(0, end, 3):
            spoilt[place] = rng.integers(0, 256)
        (tmp_path / "net").write_bytes(spoilt)
        try:
            files.load(tmp_path / "net")
        except ValueError as error:
            sentences.append(str(error))
    assert len(sentences) > 290
    assert all(sentence.startswith("net ") for sentence in sentences)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path / "none" / "none"):
        with pytest.raises(ValueError, match=r"none is not there, expected a \.safetensors file$"):
            files.load(path)
    with pytest.raises(ValueError, match=r"cannot be used: it is a directory or a device, expected a file$"):
        files.load(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((without("W1"), WIDE), r"params has .*, expected \['W1', .*"),
        ((changed("W1", np.zeros((4, 4))), WIDE), r"W1 has shape \(4, 4\), expected \(4, 5\): .*"),
        ((changed("b3", np.zeros((3, 1), int)), WIDE), r"b3 has dtype int64, expected float32 or float64, .*"),
        ((changed("b3", np.full((3, 1), np.nan)), WIDE), r"b3 is nan at \(0, 0\), expected finite numbers: .*"),
        ((drawn(), WIDE, {"architecture": "mine"}), r"about has 'architecture': 'mine', expected text by name; .*"),
        ((drawn(), WIDE, {"epochs": 3}), r"about has 'epochs': 3, expected text by name; .*"),
        ((drawn(), WIDE, {3: "epochs"}), r"about has 3: 'epochs', expected text by name; .*"),
    ],
)
def test_what_is_not_saved(arguments: tuple[Any, ...], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"^{sentence}$"):
        files.save(tmp_path / "net", *arguments)
    assert list(tmp_path.iterdir()) == []


# checkpoints


def checkpoint(epoch: int = 3) -> Checkpoint:
    """Everything that a run may hold."""
    params = drawn(seed=epoch, dtype=np.float32)
    rng = np.random.default_rng(epoch)
    rng.standard_normal(7)
    state = {"t": np.array(epoch), "v.dW2": params["W2"].T, "v.dW10": np.zeros((0, 2)), "alive": np.array([True])}
    progress = {
        "epoch": epoch,
        "rng": rng.bit_generator.state,
        "history": {"cost": [0.1, 1 / 3, 5e-324, float("inf"), float("nan")], "nothing": None},
        "settings": {"hidden": [4, 3], "name": "Größe", "resume": True},
    }
    return Checkpoint(WIDE, params, state, progress)


def check_same(one: Checkpoint, other: Checkpoint | None) -> None:
    assert other is not None
    assert one.architecture == other.architecture
    check_equal(one.params, other.params)
    check_equal(one.state, other.state)
    assert repr(one.progress) == repr(other.progress)  # so that nan is nan


def test_a_checkpoint_comes_back_bit_for_bit(tmp_path: Path) -> None:
    directory = tmp_path / "runs" / "one"
    assert files.load_checkpoint(directory) is None
    files.save_checkpoint(directory, checkpoint())
    found = files.load_checkpoint(directory)
    check_same(checkpoint(), found)
    assert found is not None
    rng = np.random.default_rng()
    rng.bit_generator.state = found.progress["rng"]
    expected = np.random.default_rng(3)
    expected.standard_normal(7)
    assert rng.random() == expected.random()
    assert [entry.name for entry in directory.iterdir()] == [files.CHECKPOINT]


def test_an_empty_directory_has_no_checkpoint(tmp_path: Path) -> None:
    assert files.load_checkpoint(tmp_path) is None


def test_a_later_checkpoint_takes_the_place_of_the_last(tmp_path: Path) -> None:
    for epoch in (1, 2):
        files.save_checkpoint(tmp_path, checkpoint(epoch))
    check_same(checkpoint(2), files.load_checkpoint(tmp_path))


def test_an_exploded_run_can_be_kept(tmp_path: Path) -> None:
    exploded = checkpoint()._replace(params=changed("W1", np.full((4, 5), np.nan)))
    files.save_checkpoint(tmp_path, exploded)
    check_same(exploded, files.load_checkpoint(tmp_path))


@given(history=st.lists(st.floats()), seed=st.integers(0, 2**200))
@settings(max_examples=50, deadline=None)
def test_history_and_large_numbers_survive(history: list[float], seed: int, tmp_path_factory: Any) -> None:
    directory = tmp_path_factory.mktemp("run")
    files.save_checkpoint(directory, checkpoint()._replace(progress={"history": history, "seed": seed}))
    found = files.load_checkpoint(directory)
    assert found is not None
    assert np.array(found.progress["history"]).tobytes() == np.array(history).tobytes() or any(map(np.isnan, history))
    assert repr(found.progress) == repr({"history": history, "seed": seed})


@pytest.mark.parametrize(
    ("replaced", "sentence"),
    [
        ({"params": without("W1")}, r"params has .*"),
        ({"state": {"v": np.array(["text"])}}, r"state v has dtype <U4, expected real numbers or booleans"),
        ({"state": {"v": np.array([None])}}, r"state v has dtype object, expected real numbers or booleans"),
        ({"progress": {"epoch": np.int64(3)}}, r"progress\['epoch'\] is a int64, expected what JSON knows: .*"),
        ({"progress": {"a": [{"b": {1, 2}}]}}, r"progress\['a'\]\[0\]\['b'\] is a set, expected what JSON knows: .*"),
        ({"progress": {"a": {3: "b"}}}, r"progress\['a'\] has the key 3, expected strings: .*"),
        ({"progress": [1]}, r"progress is a list, expected a dict"),
    ],
)
def test_what_is_no_checkpoint(replaced: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    files.save_checkpoint(tmp_path, checkpoint(1))
    with pytest.raises(ValueError, match=rf"^{sentence}$"):
        files.save_checkpoint(tmp_path, checkpoint(2)._replace(**replaced))
    check_same(checkpoint(1), files.load_checkpoint(tmp_path))


def as_stored(rest: Any = None, **more: Array) -> bytes:
    """A checkpoint by hand."""
    text = json.dumps({"state": ["t"], "progress": {}}) if rest is None else rest
    tensors = {"params." + name: value for name, value in drawn().items()}
    tensors |= {"state.t": np.array(1), "rest": np.frombuffer(text.encode(), np.uint8)} | more
    return stored({name: value for name, value in tensors.items() if value is not None})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (as_stored()[:-1], r".* is no whole \.safetensors file, .*"),
        (stored(drawn()), r".* cannot be used: it holds parameters alone, expected a checkpoint"),
        (as_stored("{"), r".* cannot be used: it says nothing of the progress, expected a checkpoint"),
        (as_stored("[]"), r".* it says nothing of the progress, .*"),
        (as_stored('{"state": 3, "progress": {}}'), r".* it says nothing of the progress, .*"),
        (as_stored('{"state": ["t"], "progress": 3}'), r".* it says nothing of the progress, .*"),
        (as_stored('{"state": ["t"]}'), r".* it says nothing of the progress, .*"),
        (as_stored("[" * 100_000), r".* it says nothing of the progress, .*"),
        (as_stored('{"state": ["t", "v"], "progress": {}}'), r".* it holds \[.*\], expected \[.*'state\.v'\]"),
        (as_stored(**{"state.v": np.zeros(2)}), r".* it holds \[.*'state\.v'\], expected \[.*\]"),
        (as_stored(**{"params.W1": np.zeros((2, 2))}), r".* W1 has shape \(2, 2\), expected \(4, 5\): .*"),
        (
            as_stored(**{"params.W1": np.zeros((4, 5), np.float32)}),
            r".* b1 has dtype float64, expected .* the same for all",
        ),
    ],
)
def test_a_spoilt_checkpoint_gets_one_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / files.CHECKPOINT).write_bytes(content)
    with pytest.raises(ValueError, match=rf"^{sentence}$"):
        files.load_checkpoint(tmp_path)


def test_a_checkpoint_is_no_parameter_file(tmp_path: Path) -> None:
    files.save_checkpoint(tmp_path, checkpoint())
    with pytest.raises(ValueError, match=r"cannot be used: it is a checkpoint, expected parameters alone: .*$"):
        files.load(tmp_path / files.CHECKPOINT)


# writes that are cut short


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_last_checkpoint_alone(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.save_checkpoint(tmp_path, checkpoint(1))
    with monkeypatch.context() as patched:
        patched.setattr(f"manual.files.os.{step}", full_disk)
        sentence = r"checkpoint\.safetensors cannot be written: No space left on device; what was there before stays$"
        with pytest.raises(OSError, match=sentence) as caught:
            files.save_checkpoint(tmp_path, checkpoint(2))
    assert "[Errno" not in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == [files.CHECKPOINT]
    check_same(checkpoint(1), files.load_checkpoint(tmp_path))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_write_that_runs_out_of_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def on_full_disk(path: Path, mode: str = "r") -> Any:
        if mode != "xb":
            return opened(path, mode)
        path.symlink_to("/dev/full")
        return opened(path, "wb")

    monkeypatch.setattr(Path, "open", on_full_disk)
    with pytest.raises(OSError, match=r"net cannot be written: No space left on device; what was there before stays$"):
        files.save(tmp_path / "net", drawn(), WIDE)
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("manual.files.os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.save(tmp_path / "net", drawn(), WIDE)
    assert list(tmp_path.iterdir()) == []


def test_the_new_file_is_on_the_disk_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    flushed, renamed = os.fsync, os.replace

    def fsync(number: int) -> None:
        flushed(number)
        done.append(("fsync", os.fstat(number).st_size))

    def replace(aside: Path, path: Path) -> None:
        done.append(("replace", aside.stat().st_size))
        assert aside.parent == path.parent
        renamed(aside, path)

    monkeypatch.setattr("manual.files.os.fsync", fsync)
    monkeypatch.setattr("manual.files.os.replace", replace)
    files.save(tmp_path / "net", drawn(), WIDE)
    size = (tmp_path / "net").stat().st_size
    assert done == [("fsync", size), ("replace", size)]


def test_leftovers_of_a_killed_run_go_at_the_next_save(tmp_path: Path) -> None:
    ours, theirs = tmp_path / f".{files.CHECKPOINT}.0123.partial", tmp_path / ".net.0123.partial"
    for leftover in (ours, theirs):
        leftover.write_bytes(b"half")
    files.save_checkpoint(tmp_path, checkpoint())
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [theirs.name, files.CHECKPOINT]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    (tmp_path / "directory").mkdir()
    with pytest.raises(OSError, match=r"none.net cannot be written: No such file or directory; .*$"):
        files.save(tmp_path / "none" / "net", drawn(), WIDE)
    with pytest.raises(OSError, match=r"directory is no file, expected a name to write to$"):
        files.save(tmp_path / "directory", drawn(), WIDE)
    with pytest.raises(OSError, match=r"file cannot be made a directory: File exists$"):
        files.save_checkpoint(tmp_path / "file", checkpoint())
    assert (tmp_path / "file").read_text() == "here"
    assert list((tmp_path / "directory").iterdir()) == []


KILLED = """
import os, signal, sys, time
import numpy as np
from parity_tests.tests.test_files import check_same, checkpoint, files

def save_for_ever(epoch):
    while True:
        epoch += 1
        files.save_checkpoint(sys.argv[1], checkpoint(epoch))

def written():
    found = os.stat(os.path.join(sys.argv[1], files.CHECKPOINT))
    return found.st_ino, found.st_mtime_ns

rng = np.random.default_rng(0)
epoch = 1
files.save_checkpoint(sys.argv[1], checkpoint(epoch))
for _ in range(40):
    before = written()
    run = os.fork()
    if run == 0:
        save_for_ever(epoch)
    while written() == before:
        assert os.waitpid(run, os.WNOHANG) == (0, 0)
        time.sleep(0.001)
    time.sleep(rng.uniform(0, 0.02))
    os.kill(run, signal.SIGKILL)
    os.waitpid(run, 0)
    found = files.load_checkpoint(sys.argv[1])
    assert found.progress["epoch"] > epoch, (found.progress["epoch"], epoch)
    epoch = found.progress["epoch"]
    check_same(checkpoint(epoch), found)
    assert len(os.listdir(sys.argv[1])) <= 2, os.listdir(sys.argv[1])
files.save_checkpoint(sys.argv[1], checkpoint(epoch))
print(epoch, *os.listdir(sys.argv[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the saving process is forked")
def test_killed_while_saving_there_is_always_a_whole_checkpoint(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    epoch, *names = done.stdout.split()
    assert int(epoch) > 40
    assert names == [files.CHECKPOINT]


# architectures


def layers() -> st.SearchStrategy[Architecture]:
    """Networks of every kind of layer, on volumes and on columns."""
    size, unit = st.integers(1, 3), st.sampled_from(HIDDEN_UNITS)
    sides = st.one_of(size, st.tuples(size, size))
    pads = st.one_of(st.integers(0, 2), st.tuples(st.integers(0, 2), st.integers(0, 2)))
    conv = st.one_of(
        st.builds(Conv, size, sides, stride=size, pad=pads, activation=unit),
        st.builds(Conv, size, st.sampled_from([1, 3, (3, 1)]), pad=st.just("same"), activation=unit),
    )
    pool = st.builds(Pool, size, size, st.sampled_from(["max", "average"]))
    dropout = st.builds(Dropout, st.floats(0, 1, exclude_min=True))
    volumes: st.SearchStrategy[list[Layer]] = st.lists(st.one_of(conv, pool, dropout), max_size=2)
    dense: st.SearchStrategy[list[Layer]] = st.lists(st.one_of(st.builds(Dense, size, unit), dropout), max_size=3)
    last = st.builds(Dense, size, st.sampled_from(OUTPUT_UNITS))
    on_images = st.builds(
        lambda below, above, top: Architecture((30, 29, 2), (*below, Flatten(), *above, top)), volumes, dense, last
    )
    return st.one_of(on_images, st.builds(lambda n, above, top: Architecture(n, (*above, top)), size, dense, last))


@given(architecture=layers())
@settings(max_examples=200, deadline=None)
def test_every_architecture_is_the_same_after_json(architecture: Architecture) -> None:
    text = to_json(architecture)
    assert "\n" not in text
    again = from_json(text)
    assert again == architecture
    assert again.describe() == architecture.describe()
    assert again.parameter_shapes == architecture.parameter_shapes


def test_numbers_of_numpy_are_written_too() -> None:
    sizes = np.array([5, 3])
    net = Architecture(int(sizes[0]), (Dropout(np.float32(0.75)), Dense(sizes[1], "softmax")))  # type: ignore[arg-type]
    assert from_json(to_json(net)) == net


def described(*layers: Any, inputs: Any = 4) -> str:
    return json.dumps({"inputs": inputs, "layers": [*layers, {"kind": "dense", "units": 1, "activation": "sigmoid"}]})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"the architecture is no JSON: .*"),
        ("[" * 100_000, r"the architecture is no JSON: .*"),
        ("[1]", r"the architecture is \[1\], expected an object with inputs and layers"),
        ('{"inputs": 3}', r"the architecture is .*, expected an object with inputs and layers"),
        ('{"inputs": 3, "layers": {}}', r"layers is \{\}, expected a list: .*"),
        ('{"inputs": 3, "layers": []}', r"Architecture has no layers, .*"),
        (described(3), r"layer 1 is 3, expected a kind: one of dense, conv, pool, flatten, dropout"),
        (described({"kind": "lstm", "units": 3}), r"layer 1 is \{'kind': 'lstm', 'units': 3\}, expected a kind: .*"),
        (described({"kind": ["dense"]}), r"layer 1 is .*, expected a kind: .*"),
        (described({"kind": "dense", "units": 3}), r"layer 1 is .*, expected units, activation for this kind"),
        (described({"kind": "flatten", "units": 3}), r"layer 1 is .*, expected nothing else for this kind"),
        (described({"kind": "dense", "units": 0, "activation": "relu"}), r"layer 1: units is 0, expected .*"),
        (described({"kind": "dense", "units": "3", "activation": "relu"}), r"layer 1: units is '3', expected .*"),
        (described({"kind": "dense", "units": 3, "activation": "gelu"}), r"layer 1: activation is 'gelu', .*"),
        (described({"kind": "dropout", "keep_prob": 1.5}), r"layer 1: keep_prob is 1\.5, expected .*"),
        (described({"kind": "dropout", "keep_prob": "half"}), r"layer 1: keep_prob is 'half', expected .*"),
        (
            described({"kind": "conv", "filters": 1, "size": [3, 3, 3], "activation": "relu"}, inputs=[8, 8, 1]),
            r"layer 1: size is \(3, 3, 3\), expected f or \(f_H, f_W\): a filter has two sides",
        ),
        (described(inputs=[8, 8]), r"inputs is \(8, 8\), expected n_x or \(n_H, n_W, n_C\): .*"),
        (described(inputs="four"), r"inputs is 'four', expected a whole number of at least 1: .*"),
        (described(inputs=None), r"inputs is None, expected a whole number of at least 1: .*"),
        (described({"kind": "flatten"}), r"layer 1.* does not fit its input of shape \(4,\): .*"),
    ],
)
def test_what_is_no_architecture_gets_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=rf"^{sentence}$"):
        from_json(text)
