"""Examples that stay in their file: read and scaled when they are asked for.

A Dataset of a file larger than memory has a ``LazyColumns`` where others have a matrix. It is no array, but answers to
what a loop over mini-batches asks of one, in the same words:

- ``X.take(indices, axis=1)``, ``np.take(X, indices, axis=1)``, ``X[:, indices]`` or ``X[:, a:b]``: columns, as an array
  of shape (n_x, k);
- ``images.take(indices, axis=0)``, ``images[indices]`` or ``images[a:b]``: images, shape (k, n_H, n_W, n_C);
- ``X.shape``, ``X.ndim``, ``X.dtype``.

So a loop that takes its examples this way, and never the whole of X at once, works on both. All values were checked to
be finite when the file was opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .dataset import Array, ImageShape
from .validation import as_numbers, check_entries

CHUNK = 2**24
"""Bytes of float64 that are read at a time while mean and deviation are taken."""


@dataclass(frozen=True, eq=False, repr=False)
class ScaledRows:
    """Rows of a source, one example each, as (x - mean) / deviation.

    ``source`` is a memory map of shape (m, ...), ``examples`` are the numbers of the rows that belong here; mean and
    deviation have one entry, or one for every feature.
    """

    source: Array
    examples: NDArray[np.intp]
    mean: Array
    deviation: Array
    dtype: np.dtype[Any]

    @property
    def features(self) -> int:
        """n_x: the numbers that make an example."""
        return int(np.prod(self.source.shape[1:]))

    def take(self, which: Any) -> Array:
        """The scaled rows, shape (k, n_x), of a slice or of k numbers of examples."""
        examples = self.examples[which]
        if examples.ndim != 1:
            raise IndexError(f"examples are asked for by {which!r:.40}, expected a slice or a list of numbers")
        rows = self.source[examples].reshape(len(examples), self.features).astype(np.float64)
        rows -= self.mean
        rows /= self.deviation
        scaled: Array = rows.astype(self.dtype, copy=False)
        return scaled


class _Lazy:
    """What stands in for an array: its shape and dtype, and no way to have it all by mistake."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __repr__(self) -> str:
        """In a word: what it holds stays in the file."""
        return f"{type(self).__name__}(shape={self.shape}, dtype={self.dtype})"

    def __len__(self) -> int:
        """The length of the first axis, as of an array."""
        return self.shape[0]

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        """TypeError: the whole of it may not fit into memory."""
        raise TypeError("X is read from its file as it is needed: take examples, X.take(indices), not the whole")


@dataclass(frozen=True, eq=False, repr=False)
class LazyColumns(_Lazy):
    """Examples as columns, shape (n_x, m), read and scaled as they are taken."""

    ndim: ClassVar[int] = 2
    rows: ScaledRows

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]  # read only
        """(n_x, m)."""
        return self.rows.features, len(self.rows.examples)

    @property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]  # read only
        """float32 or float64."""
        return self.rows.dtype

    def take(self, indices: ArrayLike, axis: int = 1, out: None = None, mode: str = "raise") -> Array:
        """The examples of these numbers as columns, shape (n_x, k), C-contiguous; axis 1 is that of the examples."""
        _check_take(axis, (1, -1), out, mode)
        return np.ascontiguousarray(self.rows.take(np.asarray(indices)).T)

    def __getitem__(self, key: Any) -> Array:
        """X[:, indices] and X[:, a:b]: columns, shape (n_x, k)."""
        if not isinstance(key, tuple) or len(key) != 2 or key[0] != slice(None):
            raise IndexError(f"X is asked for [{key!r:.40}], expected [:, examples]: whole columns")
        return np.ascontiguousarray(self.rows.take(key[1]).T)

    def images(self, image_shape: ImageShape) -> LazyImages:
        """The same examples as images."""
        return LazyImages(self.rows, image_shape)


@dataclass(frozen=True, eq=False, repr=False)
class LazyImages(_Lazy):
    """Examples as images, shape (m, n_H, n_W, n_C), read and scaled as they are taken."""

    ndim: ClassVar[int] = 4
    rows: ScaledRows
    image_shape: ImageShape

    @property
    def shape(self) -> tuple[int, int, int, int]:  # type: ignore[override]  # read only
        """(m, n_H, n_W, n_C)."""
        return len(self.rows.examples), *self.image_shape

    @property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]  # read only
        """float32 or float64."""
        return self.rows.dtype

    def take(self, indices: ArrayLike, axis: int = 0, out: None = None, mode: str = "raise") -> Array:
        """The images of these numbers, shape (k, n_H, n_W, n_C); axis 0 is that of the examples."""
        _check_take(axis, (0, -4), out, mode)
        return self[np.asarray(indices)]

    def __getitem__(self, which: Any) -> Array:
        """images[indices] and images[a:b], shape (k, n_H, n_W, n_C)."""
        return self.rows.take(which).reshape(-1, *self.image_shape)


def scale_lazily(
    source: Array, train: NDArray[np.intp], test: NDArray[np.intp], columns: int, dtype: np.dtype[Any]
) -> tuple[LazyColumns, LazyColumns]:
    """Both parts of a file, to be scaled with the mean and deviation of the training part.

    The file is read once, from its beginning to its end, a chunk at a time, by StandardScaler.partial_fit.

    Raises
    ------
    ValueError
        At the first value that is not finite, or if a number leaves the range of ``dtype`` when scaled.

    Notes: F244, F245.
    """
    from sklearn.preprocessing import StandardScaler

    m = len(source)
    in_train = np.zeros(m, bool)
    in_train[train] = True
    scaler = StandardScaler()
    lowest, highest = np.inf, -np.inf
    step = max(1, CHUNK // (8 * max(1, source[0].size)))
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, m, step):
            rows = as_numbers("X", source[start : start + step]).reshape(-1, source[0].size)
            check_entries("X", rows, np.isfinite(rows), "finite numbers", first_row=start)
            lowest, highest = np.minimum(lowest, rows.min(axis=0)), np.maximum(highest, rows.max(axis=0))
            chosen = rows[in_train[start : start + step]]
            if len(chosen):
                scaler.partial_fit(chosen.reshape(-1, columns))
        extremes = (np.array([lowest, highest]) - scaler.mean_) / scaler.scale_
        checked = [scaler.var_, extremes.astype(dtype)]
    if not all(np.isfinite(values).all() for values in checked):
        largest = max(np.abs(lowest).max(), np.abs(highest).max())
        raise ValueError(f"X reaches {largest:.3g}, expected numbers that {dtype} holds when scaled")
    first, second = (
        LazyColumns(ScaledRows(source, part, scaler.mean_, scaler.scale_, dtype)) for part in (train, test)
    )
    return first, second


def _check_take(axis: int, expected: tuple[int, ...], out: object, mode: str) -> None:
    """IndexError unless examples are taken; ValueError for what np.take could do besides."""
    if axis not in expected:
        raise IndexError(f"axis is {axis!r:.20}, expected {expected[0]}: examples are taken, not features")
    if out is not None or mode != "raise":
        raise ValueError(f"mode is {mode!r:.20}, expected 'raise' and no out: examples are read into a new array")
