"""Examples on the device, in the memory of the host, or in their file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from parity_tests.tests.training.small_network import NET, SETTINGS, examples
from torch_ref.rows import Rows
from torch_ref.training import fit

CUDA, CPU = torch.device("cuda"), torch.device("cpu")
F64 = torch.float64


class Kept:
    """Examples that are read when they are asked for."""

    shape, dtype, ndim = (5, 40), np.dtype(np.float64), 2

    def __init__(self) -> None:
        self.asked: list[int] = []

    def take(self, which: Any, axis: int = 1) -> Any:
        """These columns."""
        self.asked.append(len(which))
        return examples().X.take(which, axis=axis)


def test_examples_that_stay_in_their_file_give_the_same_run(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", examples().X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    kept = Kept()
    one = fit(NET, *examples(), SETTINGS)
    for X in (kept, mapped):
        other = fit(NET, X, examples().Y, SETTINGS)
        for name, value in one.params.items():
            np.testing.assert_array_equal(other.params[name], value)
    assert kept.asked == [40, *[9, 9, 9, 9, 4] * 3]


def test_a_memory_map_and_its_views_stay_in_their_file(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", np.arange(30.0).reshape(6, 5))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    for X in (mapped, mapped.T, mapped[:4]):
        assert Rows(X, CPU, F64).whole is None
    assert Rows(np.array(mapped), CPU, F64).whole is not None
    np.testing.assert_array_equal(Rows(mapped.T, CPU, F64).take(np.array([3, 1])).numpy(), mapped[[3, 1]])


def test_examples_that_do_not_fit_on_a_device_are_handed_over_batch_by_batch() -> None:
    X, batch = examples().X, np.array([7, 0, 39])
    meta = torch.device("meta")  # a device without memory
    assert Rows(X, meta, F64, room=X.nbytes).whole.device == meta  # type: ignore[union-attr]
    streamed = Rows(X, meta, F64, room=X.nbytes - 1)
    assert streamed.whole is not None
    assert streamed.whole.device == CPU
    sent: list[Any] = []
    streamed._sent = lambda rows: sent.append(rows) or rows  # type: ignore[method-assign, func-returns-value]
    streamed.take(batch)
    np.testing.assert_array_equal(sent[0].numpy(), X[:, batch].T)
    assert Rows(X, CPU, F64).whole is not None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
@pytest.mark.parametrize("room", [0.0, 1e9])
def test_examples_come_to_a_gpu_from_wherever_they_are(room: float) -> None:
    X, batch = examples().X, np.array([7, 0, 39])
    taken = Rows(X, CUDA, F64, room).take(batch)
    assert taken.device.type == "cuda"
    np.testing.assert_array_equal(taken.cpu().numpy(), X[:, batch].T)
