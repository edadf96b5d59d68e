"""Targets as a person has them, written as the notes have them: one encoder for each task.

Every encoder takes (task, Y, m) and returns ``Targets``, still with one example in a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .dataset import Array
from .validation import as_array, as_numbers, check_entries, check_finite, check_targets, show


class Targets(NamedTuple):
    """Encoded targets."""

    Y: Array  # (m, n_L)
    names: tuple[str, ...]  # of the rows-to-be; for binary of 0 and of 1
    classes: Array | None  # (m,) class numbers to stratify by, None where there are no classes


def encode_multiclass(task: str, Y: ArrayLike, m: int) -> Targets:
    """One-hot rows, shape (m, number of classes), the classes in sorted order.

    The classes are those of the whole set, so that both parts get the same rows.

    Raises
    ------
    ValueError
        If Y is not one label an example, or holds fewer than two classes.

    Notes: F045.
    """
    from sklearn.preprocessing import OneHotEncoder

    labels = _labels(task, Y, m)
    encoder = OneHotEncoder(sparse_output=False)
    one_hot = encoder.fit_transform(labels)
    classes = encoder.categories_[0].tolist()
    if len(classes) < 2:
        raise ValueError(f"Y has the one class {show(classes[0])}, expected at least two for task {task}")
    names = tuple(f"{label:.0f}" if isinstance(label, float) else str(label) for label in classes)
    return Targets(one_hot, names, one_hot.argmax(axis=1))


def encode_binary(task: str, Y: ArrayLike, m: int) -> Targets:
    """0 for the smaller of two labels and 1 for the greater, shape (m, 1).

    Raises
    ------
    ValueError
        If Y is not one label an example, or holds another number of classes than two.

    Notes: F045.
    """
    one_hot, names, classes = encode_multiclass(task, Y, m)
    if len(names) != 2:
        listed = ", ".join(names)
        raise ValueError(f"Y has {len(names)} classes ({listed:.40}), expected two for task {task}")
    return Targets(one_hot[:, 1:], names, classes)


def encode_multilabel(task: str, Y: ArrayLike, m: int) -> Targets:
    """Any number of labels an example: the matrix of 0 and 1 that came, shape (m, n_L).

    Raises
    ------
    ValueError
        If Y is no matrix of 0 and 1 with m rows.
    """
    Y = check_targets(task, as_numbers("Y", Y), m, columns=True, rule="a row of 0 and 1 an example")
    check_entries("Y", Y, (Y == 0) | (Y == 1), f"0 or 1 for task {task}")
    return Targets(Y, _numbered(Y), None)


def encode_regression(task: str, Y: ArrayLike, m: int) -> Targets:
    """The values that came, shape (m, n_L).

    Raises
    ------
    ValueError
        If Y is no vector or matrix of finite numbers, one row an example.
    """
    Y = check_targets(task, as_numbers("Y", Y), m, columns=True, rule="a row of values an example")
    check_finite("Y", Y)
    return Targets(Y, _numbered(Y), None)


ENCODERS: dict[str, Callable[[str, ArrayLike, int], Targets]] = {
    "binary": encode_binary,
    "multiclass": encode_multiclass,
    "multilabel": encode_multilabel,
    "regression": encode_regression,
}


def _labels(task: str, Y: ArrayLike, m: int) -> Array:
    """Y as a column of labels: strings, booleans, or whole numbers."""
    labels = as_array("Y", Y)
    if labels.dtype.kind in "OT" and all(isinstance(label, str) for label in labels.flat):
        labels = np.array(labels.tolist(), dtype=str)
    elif labels.dtype.kind == "O" and all(type(label) is int for label in labels.flat):
        labels = labels.astype(str)  # beyond 64 bits: as floats some would be the same
    if labels.dtype.kind not in "biuU":
        labels = as_numbers("Y", labels, "whole numbers or strings")
    labels = check_targets(task, labels, m, columns=False, rule="one label an example, not one-hot rows")
    if labels.dtype.kind == "f":
        check_finite("Y", labels)
        check_entries("Y", labels, labels == np.round(labels), f"whole numbers or strings for task {task}")
    return labels


def _numbered(Y: Array) -> tuple[str, ...]:
    """y1, y2, ...: a name for each column."""
    return tuple(f"y{j}" for j in range(1, Y.shape[1] + 1))


def infer_task(Y: ArrayLike) -> str:
    """The task that targets look like.

    One column of whole numbers, booleans or strings: ``binary`` where there are two of them, else ``multiclass``.
    Several columns of whole 0 and 1: ``multilabel``. Other numbers: ``regression``.
    """
    targets = as_array("Y", Y)
    kind = targets.dtype.kind
    if targets.ndim == 2 and targets.shape[1] > 1 and kind in "biu":
        return "multilabel" if ((targets == 0) | (targets == 1)).all() else "regression"
    if kind == "f" or targets.ndim > 1 + (targets.shape[1:] == (1,)):
        return "regression"
    strings = kind in "UT" or (kind == "O" and all(isinstance(one, str) for one in targets.flat))
    two = (strings or kind in "biu") and len(np.unique(targets)) == 2
    return "binary" if two else "multiclass"  # whose encoder says what is wrong with labels of other kinds
