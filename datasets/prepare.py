"""From raw arrays to a Dataset: check, encode, split, scale, transpose. Every data set passes here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .dataset import Array, Dataset, ImageShape
from .lazy import scale_lazily
from .preparation import Preparation
from .targets import ENCODERS, Targets
from .validation import (
    LoneClassError,
    as_array,
    check_choice,
    check_dtype,
    check_examples,
    check_image_shape,
    check_names,
    check_part,
    check_rows,
    check_seed,
    check_test_size,
    check_two,
)

Names: TypeAlias = tuple[tuple[str, ...], tuple[str, ...], ImageShape | None]
"""Of the features, of the targets; and the shape of an image."""


class Scaled(NamedTuple):
    """Both parts, one example in a column, and the scale that was taken off: (x - mean) / deviation."""

    train: Array
    test: Array
    mean: Array
    deviation: Array


def from_arrays(
    name: str,
    task: str,
    X: ArrayLike,
    Y: ArrayLike,
    *,
    feature_names: Sequence[str] | None = None,
    target_names: Sequence[str] | None = None,
    image_shape: Sequence[int] | None = None,
    seed: int = 0,
    test_size: float = 0.2,
    dtype: DTypeLike = np.float64,
) -> Dataset:
    """Your own arrays as a Dataset.

    Each feature becomes (x - mean) / deviation, both of the training part alone, by scikit-learn's
    StandardScaler; a regression target likewise. A constant feature becomes 0. Images get one mean and one
    deviation, over all pixels of the training part: a pixel that is nearly always blank has a tiny deviation
    of its own, and dividing by it would blow up the few examples that use it.

    Parameters
    ----------
    name : str
        What to call the data.
    task : str
        ``binary``, ``multiclass``, ``multilabel`` or ``regression``.
    X : array_like, shape (m, n_x)
        scikit-learn's layout: one example is one row. An image is a row too, in the order of
        ``image.ravel()`` with the channels last.
    Y : array_like
        ``binary`` and ``multiclass``: labels, shape (m,), whole numbers or strings, in sorted order.
        ``multilabel``: 0 and 1, shape (m, n_L). ``regression``: values, shape (m,) or (m, n_L).
    feature_names : sequence of n_x str, optional
        ``x1``, ``x2``, ... if left out.
    target_names : sequence of str, optional
        One for each class, label or output. The labels themselves, or ``y1``, ``y2``, ..., if left out.
    image_shape : (n_H, n_W, n_C), optional
        Says that the examples are images.
    seed : int
        Seed of the split, which is scikit-learn's train_test_split.
    test_size : float
        The fraction of test examples. Classes are stratified, unless a part is too small to hold every class.
    dtype : dtype_like
        float32 or float64. The scaling itself is done in float64.

    Returns
    -------
    Dataset
        New arrays with one example in a column; the arrays that came are left as they are.

    Raises
    ------
    ValueError
        One sentence, if any argument is not as described above.

    Notes: F044, F045, F244, F245.
    """
    precision = check_dtype(dtype)
    seed = check_seed(seed)
    check_choice("task", task, tuple(ENCODERS))
    X = check_examples(X)
    m = len(X)
    test_count = check_test_size(test_size, m)
    targets = ENCODERS[task](task, Y, m)
    names = _names(feature_names, target_names, image_shape, X.shape[1], targets)
    train, test = _split(targets, m, test_count, seed)
    parts = (X[train], X[test]), (targets.Y[train], targets.Y[test])
    return _scaled(name, task, *parts, names, targets, precision)


def from_parts(
    name: str,
    task: str,
    train: tuple[ArrayLike, ArrayLike],
    test: tuple[ArrayLike, ArrayLike],
    *,
    target_names: Sequence[str] | None = None,
    image_shape: Sequence[int] | None = None,
    dtype: DTypeLike = np.float64,
) -> Dataset:
    """Data that comes divided, (X, Y) to train and (X, Y) to test, as a Dataset that keeps the division.

    Otherwise as ``from_arrays``; the classes are those of both parts.

    Raises
    ------
    ValueError
        One sentence, if any argument is not as described there, or the parts do not fit each other.
    """
    precision = check_dtype(dtype)
    check_choice("task", task, tuple(ENCODERS))
    X = [check_part(part, X) for part, (X, _) in (("train", train), ("test", test))]
    if X[0].shape[1] != X[1].shape[1]:
        raise ValueError(f"X has {X[1].shape[1]} features in the test part, expected {X[0].shape[1]} as in training")
    Y = [as_array("Y", Y) for _, Y in (train, test)]
    for part, one, values in zip(("train", "test"), X, Y, strict=True):
        if values.shape[:1] != one.shape[:1] or values.shape[1:] != Y[0].shape[1:]:
            raise ValueError(f"Y of the {part} part has shape {values.shape}, expected a target for each of {len(one)}")
    targets = ENCODERS[task](task, np.concatenate(Y), len(X[0]) + len(X[1]))
    names = _names(None, target_names, image_shape, X[0].shape[1], targets)
    parts = targets.Y[: len(X[0])], targets.Y[len(X[0]) :]
    return _scaled(name, task, (X[0], X[1]), parts, names, targets, precision)


def from_map(
    name: str,
    task: str,
    X: Array,
    Y: ArrayLike,
    *,
    image_shape: Sequence[int] | None = None,
    seed: int = 0,
    test_size: float = 0.2,
    dtype: DTypeLike = np.float64,
) -> Dataset:
    """Data whose X, shape (m, ...), is a memory map and stays one: examples are read and scaled as they are taken.

    Otherwise as ``from_arrays``: the same split, and the same mean and deviation up to rounding. Y is held in memory.

    Raises
    ------
    ValueError
        One sentence, if any argument is not as described there.
    """
    precision = check_dtype(dtype)
    seed = check_seed(seed)
    check_choice("task", task, tuple(ENCODERS))
    check_rows(X, (2, 3, 4))
    check_two(len(X))
    m, n_x = len(X), X[0].size
    test_count = check_test_size(test_size, m)
    targets = ENCODERS[task](task, Y, m)
    names = _names(None, None, image_shape, n_x, targets)
    train, test = _split(targets, m, test_count, seed)
    lazy = scale_lazily(X, train, test, 1 if image_shape else n_x, precision)
    Y_scaled = _scaled_targets(task, (targets.Y[train], targets.Y[test]), precision)
    # What stands in for the arrays is taken from as they are: see datasets.lazy.
    X_train, X_test = (cast(Array, part) for part in lazy)
    X_scaled = Scaled(X_train, X_test, lazy[0].rows.mean, lazy[0].rows.deviation)
    return _dataset(name, task, X_scaled, Y_scaled, names, targets)


def _names(
    feature_names: Sequence[str] | None,
    target_names: Sequence[str] | None,
    image_shape: Sequence[int] | None,
    n_x: int,
    targets: Targets,
) -> Names:
    """The names of the features and of the targets, and the shape of an image: checked, or as they are by default."""
    shape = check_image_shape(image_shape, n_x)
    features = check_names("feature_names", feature_names, [f"x{j}" for j in range(1, n_x + 1)])
    return features, check_names("target_names", target_names, targets.names), shape


def _scaled(
    name: str,
    task: str,
    X: tuple[Array, Array],
    Y: tuple[Array, Array],
    names: Names,
    targets: Targets,
    dtype: np.dtype[Any],
) -> Dataset:
    """The Dataset of two parts, one example in a row of each."""
    # One column of all pixels, or a column for each feature.
    X_scaled = _scale("X", *X, 1 if names[-1] else X[0].shape[1], dtype)
    return _dataset(name, task, X_scaled, _scaled_targets(task, Y, dtype), names, targets)


def _dataset(name: str, task: str, X: Scaled, Y: Scaled, names: Names, targets: Targets) -> Dataset:
    """The Dataset of two scaled parts, with what was done to them."""
    labels = () if targets.classes is None else targets.names
    feature_names, target_names, image_shape = names
    preparation = Preparation(
        task, feature_names, target_names, labels, image_shape, X.mean, X.deviation, Y.mean, Y.deviation
    )
    return Dataset(name, task, X.train, Y.train, X.test, Y.test, *names, preparation)


def _scaled_targets(task: str, Y: tuple[Array, Array], dtype: np.dtype[Any]) -> Scaled:
    """Targets as columns, those of a regression scaled."""
    n_L = Y[0].shape[1]
    if task == "regression":
        return _scale("Y", *Y, n_L, dtype)
    return Scaled(_columns(Y[0], dtype), _columns(Y[1], dtype), np.zeros(n_L), np.ones(n_L))


def _split(targets: Targets, m: int, test_count: int, seed: int) -> tuple[Array, Array]:
    """The row numbers of the training part and of the test part, stratified where both can hold every class.

    Raises
    ------
    LoneClassError
        If a class to stratify by has one example only.
    """
    from sklearn.model_selection import train_test_split

    classes = targets.classes
    if classes is not None:
        counts = np.bincount(classes)
        if min(test_count, m - test_count) < len(counts):
            classes = None
        elif counts.min() < 2:
            alone = targets.names[counts.argmin()]
            example = int(np.argmax(classes == counts.argmin()))
            raise LoneClassError(f"Y has one example of class {alone:.40}, expected two, one for each part", example)
    train, test = train_test_split(np.arange(m), test_size=test_count, random_state=seed, stratify=classes)
    return train, test


def _scale(name: str, train: Array, test: Array, columns: int, dtype: np.dtype[Any]) -> Scaled:
    """Both parts as columns, with the mean and deviation that each of ``columns`` columns has in the training part.

    Raises
    ------
    ValueError
        If a number leaves the range of ``dtype`` on the way.

    Notes: F244, F245.
    """
    from sklearn.preprocessing import StandardScaler

    with np.errstate(over="ignore", invalid="ignore"):
        scaler = StandardScaler().fit(train.reshape(-1, columns))
        parts = [scaler.transform(part.reshape(-1, columns)).reshape(part.shape) for part in (train, test)]
        scaled = [part.astype(dtype, copy=False) for part in parts]
    if not all(np.isfinite(values).all() for values in (scaler.var_, *scaled)):
        largest = max(np.abs(train).max(), np.abs(test).max())
        raise ValueError(f"{name} reaches {largest:.3g}, expected numbers that {dtype} holds when scaled")
    return Scaled(_columns(scaled[0], dtype), _columns(scaled[1], dtype), scaler.mean_, scaler.scale_)


def _columns(part: Array, dtype: np.dtype[Any]) -> Array:
    """Rows to columns: a C-contiguous copy of the transpose."""
    return np.array(part.T, dtype=dtype, order="C")
