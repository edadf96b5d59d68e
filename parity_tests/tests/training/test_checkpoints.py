"""Checkpoints on disk: the round trip, and a sentence for everything that is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manual import files
from manual.notation import Array
from parity_tests.tests.training.saved_networks import changed, check_same, checkpoint, drawn, stored, without


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
