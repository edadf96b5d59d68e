"""Checksums of parameters and checkpoints: one flipped bit anywhere is refused, or harmless."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manual import files
from parity_tests.tests.slices import sliced
from parity_tests.tests.training.saved_networks import WIDE, changed, check_equal, check_same, checkpoint, drawn, stored

ABOUT = {"dataset": "iris", "task": "multiclass"}


def parameters_in(directory: Path) -> Path:
    """A file of parameters."""
    files.save(directory / "net", drawn(dtype=np.float32), WIDE, ABOUT)
    return directory / "net"


def check_parameters(path: Path) -> None:
    """It holds what was saved."""
    found = files.load(path)
    assert found.architecture == WIDE
    check_equal(drawn(dtype=np.float32), found.params)
    assert files.load_about(path) == ABOUT


def checkpoint_in(directory: Path) -> Path:
    """The file of a checkpoint."""
    files.save_checkpoint(directory, checkpoint())
    return directory / files.CHECKPOINT


def check_checkpoint(path: Path) -> None:
    """It holds what was saved."""
    check_same(checkpoint(), files.load_checkpoint(path.parent))


KINDS = {"parameters": (parameters_in, check_parameters), "checkpoint": (checkpoint_in, check_checkpoint)}


def flip(path: Path, check: Callable[[Path], None], count: int | None, rng: np.random.Generator) -> Counter[str]:
    """What becomes of a file with one flipped bit: ``count`` of its bits by chance, or every one."""
    whole = path.read_bytes()
    bits = np.arange(8 * len(whole)) if count is None else rng.choice(8 * len(whole), count, replace=False)
    found: Counter[str] = Counter()
    for bit in bits:
        spoilt = bytearray(whole)
        spoilt[bit // 8] ^= 1 << bit % 8
        path.write_bytes(spoilt)
        try:
            check(path)
            found["harmless"] += 1
        except ValueError:
            found["refused"] += 1
    return found


@pytest.mark.parametrize("kind", sliced(KINDS, 2))
def test_a_flipped_bit_is_refused_or_harmless(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put, check = KINDS[kind]
    found = flip(put(tmp_path), check, 400, np.random.default_rng(1))
    assert found["refused"] > 390
    assert not caplog.records  # none passes for a file of an earlier version


@pytest.mark.bars
@pytest.mark.parametrize("kind", KINDS)
def test_every_flipped_bit_is_refused_or_harmless(kind: str, tmp_path: Path) -> None:
    put, check = KINDS[kind]
    found = flip(put(tmp_path), check, None, np.random.default_rng(0))
    print(kind, dict(found))


@pytest.mark.parametrize(
    ("tensors", "metadata", "sentence"),
    [
        (changed("W1", np.zeros((4, 5))), {}, "its contents do not match its checksum, .*"),
        (drawn(), {"task": "binary"}, "its contents do not match its checksum, .*"),
        (drawn(), {"task": None}, "its contents do not match its checksum, .*"),
        (drawn(), {"sha256": None}, "its contents do not match its checksum, .*"),
        (drawn(), {"format": None}, "its contents do not match its checksum, .*"),
        (drawn(), {"format": "derivation-parity 3"}, "its format is 'derivation-parity 3', expected .* 2'"),
    ],
)
def test_what_was_changed_is_refused(
    tensors: dict[str, Any], metadata: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    files.save(tmp_path / "net", drawn(), WIDE, ABOUT)
    whole = files._read(tmp_path / "net")[1]
    changed_ = {name: text for name, text in {**whole, **metadata}.items() if text is not None}
    if "3" in str(metadata.get("format")):
        changed_["sha256"] = files.checksum(tensors, changed_)  # as a later version would write it
    (tmp_path / "net").write_bytes(stored(tensors, changed_))
    for read in (files.load, files.load_about):
        with pytest.raises(ValueError, match=rf"^net cannot be used: {sentence}$"):
            read(tmp_path / "net")


def test_other_tools_may_write_it_anew(tmp_path: Path) -> None:
    files.save(tmp_path / "net", drawn(dtype=np.float32), WIDE, ABOUT)
    tensors, metadata = files._read(tmp_path / "net")
    (tmp_path / "net").write_bytes(stored(dict(reversed(tensors.items())), metadata))
    check_parameters(tmp_path / "net")


def test_a_file_of_an_earlier_version_is_loaded_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "net").write_bytes(stored(drawn()))
    with caplog.at_level(logging.WARNING):
        check_equal(drawn(), files.load(tmp_path / "net").params)
    assert caplog.messages == ["net has no checksum: damage to it would go unnoticed"]
