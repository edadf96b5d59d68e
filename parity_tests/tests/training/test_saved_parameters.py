"""Parameters on disk: the round trip, what is refused, and what is not saved."""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from manual import files
from manual.architecture import IMAGE_MODELS, MODELS, Architecture, Dense, model
from parity_tests.tests.training.saved_networks import WIDE, changed, check_equal, drawn, stored, without
from torch_ref import network as torch_network


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", MODELS)
def test_every_model_comes_back_as_it_was(name: str, dtype: type, tmp_path: Path) -> None:
    architecture = model(name, (28, 28, 1) if name in IMAGE_MODELS else 7, 2)
    params = drawn(architecture, dtype=dtype)
    files.save(tmp_path / "net.safetensors", params, architecture)
    saved = files.load(tmp_path / "net.safetensors")
    assert saved.architecture == architecture
    check_equal(params, saved.params)
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.safetensors"]


@pytest.mark.parametrize("name", ["wide", "convnet"])
def test_what_one_package_saves_the_other_loads(name: str, tmp_path: Path) -> None:
    architecture = model(name, (8, 8, 1) if name in IMAGE_MODELS else 7, 2)
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
