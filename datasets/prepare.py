"""From raw arrays to a Dataset: check, encode, split, scale, transpose. Every data set passes here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from datasets.checks import (
    check_choice,
    check_dtype,
    check_examples,
    check_image_shape,
    check_names,
    check_seed,
    check_test_size,
)
from datasets.dataset import Array, Dataset
from datasets.targets import ENCODERS, Targets


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
    m, n_x = X.shape
    test_count = check_test_size(test_size, m)
    targets = ENCODERS[task](task, Y, m)
    image_shape = check_image_shape(image_shape, n_x)
    feature_names = check_names("feature_names", feature_names, [f"x{j}" for j in range(1, n_x + 1)])
    target_names = check_names("target_names", target_names, targets.names)

    train, test = _split(targets, m, test_count, seed)
    # One column of all pixels, or a column for each feature.
    X_train, X_test = _scale("X", X[train], X[test], 1 if image_shape else n_x, precision)
    Y_train, Y_test = targets.Y[train], targets.Y[test]
    if task == "regression":
        Y_train, Y_test = _scale("Y", Y_train, Y_test, Y_train.shape[1], precision)
    return Dataset(
        name,
        task,
        _columns(X_train, precision),
        _columns(Y_train, precision),
        _columns(X_test, precision),
        _columns(Y_test, precision),
        feature_names,
        target_names,
        image_shape,
    )


def _split(targets: Targets, m: int, test_count: int, seed: int) -> tuple[Array, Array]:
    """The row numbers of the training part and of the test part, stratified where both can hold every class.

    Raises
    ------
    ValueError
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
            raise ValueError(f"Y has one example of class {alone:.40}, expected two, one for each part")
    train, test = train_test_split(np.arange(m), test_size=test_count, random_state=seed, stratify=classes)
    return train, test


def _scale(name: str, train: Array, test: Array, columns: int, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Both parts with the mean and deviation that each of ``columns`` columns has in the training part.

    Raises
    ------
    ValueError
        If a number leaves the range of ``dtype`` on the way.

    Notes: F244, F245.
    """
    from sklearn.preprocessing import StandardScaler

    with np.errstate(over="ignore", invalid="ignore"):
        scaler = StandardScaler().fit(train.reshape(-1, columns))
        scaled = [scaler.transform(part.reshape(-1, columns)).reshape(part.shape) for part in (train, test)]
        checked = [scaler.var_, *(part.astype(dtype) for part in scaled)]
    if not all(np.isfinite(values).all() for values in checked):
        largest = max(np.abs(train).max(), np.abs(test).max())
        raise ValueError(f"{name} reaches {largest:.3g}, expected numbers that {dtype} holds when scaled")
    return scaled[0], scaled[1]


def _columns(part: Array, dtype: np.dtype[Any]) -> Array:
    """Rows to columns: a C-contiguous copy of the transpose."""
    return np.array(part.T, dtype=dtype, order="C")
