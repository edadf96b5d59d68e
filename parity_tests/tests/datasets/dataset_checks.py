"""Data sets to make, to read and to compare: for the tests of what `datasets` loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from datasets import Dataset
from datasets.dataset import Array

LISTS = np.array([[1], [2, 3]], object)
"""What no .npy or .npz should make anybody unpickle."""


def rng() -> np.random.Generator:
    """The same draws in every test."""
    return np.random.default_rng(0)


def check_same(one: Dataset, other: Dataset) -> None:
    """The same arrays, of the same dtypes, and the same words about them."""
    for a, b in zip(one, other, strict=True):
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)
            assert isinstance(b, np.ndarray)
            assert a.dtype == b.dtype
            assert a.flags.c_contiguous
        else:
            assert a == b


def npz(path: Path, **arrays: Any) -> bytes:
    """An archive at the path, and what stands in it."""
    np.savez(path, **arrays)
    return path.read_bytes()


def parts(data: Dataset) -> tuple[Array, ...]:
    """The four arrays as they are stored, images flat."""
    return data.X_train, data.Y_train, data.X_test, data.Y_test


def numbered(m: int) -> Array:
    """Examples whose first feature is their own number, so that the split can be read off the result."""
    X = np.random.default_rng(0).normal(5, 3, (m, 3))
    X[:, 0] = np.arange(m)
    return X


def rows_of(data: Dataset, m: int) -> tuple[Array, Array]:
    """The row numbers of both parts: scaling keeps the order of the first feature."""
    first = np.concatenate([data.X_train[0], data.X_test[0]])
    rows = np.empty(m, dtype=int)
    rows[np.argsort(first)] = np.arange(m)
    m_train = data.X_train.shape[1]
    return rows[:m_train], rows[m_train:]
