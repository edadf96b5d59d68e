"""Validation of data and arguments: each error says in one sentence what was given and what was expected."""

from __future__ import annotations

import math
import operator
import reprlib
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .dataset import Array, ImageShape

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))

_SHORT = reprlib.Repr()
_SHORT.maxstring = 20
_SHORT.maxlist = _SHORT.maxtuple = 3


class LoneClassError(ValueError):
    """A class has one example, and so cannot be in both parts; ``example`` is its number, from 0."""

    def __init__(self, sentence: str, example: int) -> None:
        """The sentence, and which example."""
        super().__init__(sentence)
        self.example = example


def show(value: object) -> str:
    """A value as it stands in a sentence: shortened to a line, whatever came."""
    return " ".join(_SHORT.repr(value).split())


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Raise ValueError unless ``value`` is one of the strings in ``choices``."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} is {show(value)}, expected one of {', '.join(choices)}")


def check_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """float32 or float64 as a NumPy dtype; ValueError for anything else."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = np.dtype(object)
    # None is NumPy's word for float64, but here it would be a forgotten argument.
    if dtype is None or found not in DTYPES:
        raise ValueError(f"dtype is {show(dtype)}, expected float32 or float64")
    return found


def check_seed(seed: object) -> int:
    """A seed that scikit-learn takes; ValueError for anything else."""
    if not isinstance(seed, Integral) or not 0 <= int(seed) < 2**32:
        raise ValueError(f"seed is {show(seed)}, expected a whole number from 0 to 2**32 - 1")
    return int(seed)


def check_test_size(test_size: object, m: int) -> int:
    """The number of test examples among m: ceil(test_size m). ValueError where a part would be empty."""
    if not isinstance(test_size, Real) or not 0 < float(test_size) < 1:
        raise ValueError(f"test_size is {show(test_size)}, expected a fraction above 0 and below 1")
    count = math.ceil(float(test_size) * m)
    if count >= m:
        raise ValueError(f"test_size is {show(test_size)}, expected one that leaves some of {m} to train")
    return count


def check_entries(name: str, matrix: Array, good: Array, expected: str, *, first_row: int = 0) -> None:
    """Raise ValueError at the first entry, in row order, of a matrix where ``good`` is False.

    ``first_row`` is the number of the matrix's first row, where it is a piece of a larger one.
    """
    if not good.all():
        row, column = np.argwhere(~good)[0]
        entry = f"{matrix[row, column]} at row {first_row + row}, column {column} (from 0)"
        raise ValueError(f"{name} has {entry}, expected {expected}")


def check_finite(name: str, matrix: Array) -> None:
    """Raise ValueError at the first NaN or infinity of a matrix."""
    check_entries(name, matrix, np.isfinite(matrix), "finite numbers")


def as_array(name: str, values: ArrayLike) -> Array:
    """``values`` as an array; ValueError for rows of different lengths."""
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        kind = type(values).__name__
        raise ValueError(f"{name} is a {kind:.40} that is no array, expected rows of one length") from error


def as_numbers(name: str, values: ArrayLike, expected: str = "real numbers") -> Array:
    """``values`` as float64, shape kept; ValueError where they are no real numbers."""
    array = as_array(name, values)
    try:
        if array.dtype.kind in "biufO":
            with np.errstate(over="ignore"):  # what float64 cannot hold is named as an infinity later
                return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        pass  # objects that are no numbers
    raise ValueError(f"{name} holds values of dtype {array.dtype!s:.20}, expected {expected}")


def check_examples(X: ArrayLike) -> Array:
    """X as float64, shape (m, n_x), one example in a row.

    Raises
    ------
    ValueError
        If X is no matrix of finite real numbers with at least two rows and one column.
    """
    X = _matrix(X)
    check_two(len(X))
    check_finite("X", X)
    return X


def check_two(m: int) -> None:
    """ValueError unless there are examples for two parts."""
    if m < 2:
        raise ValueError(f"X has m = {m}, expected at least 2 examples: one to train, one to test")


def check_part(part: str, X: ArrayLike) -> Array:
    """The X of one part, ``train`` or ``test``, as float64; ValueError as ``check_examples``, but one row is enough."""
    X = _matrix(X)
    if len(X) < 1:
        raise ValueError(f"X has m = 0 in the {part} part, expected at least 1 example")
    check_finite(f"X of the {part} part", X)
    return X


def _matrix(X: ArrayLike) -> Array:
    """X as a float64 matrix with a column; ValueError for anything else."""
    X = as_numbers("X", X)
    check_rows(X, (2,))
    return X


def check_rows(X: Array, dimensions: Sequence[int]) -> None:
    """ValueError unless X has one of these numbers of dimensions, and at least one feature."""
    if X.ndim not in dimensions or 0 in X.shape[1:]:
        raise ValueError(f"X has shape {X.shape}, expected (m, n_x): one example a row, at least one feature")


def check_targets(task: str, Y: Array, m: int, *, columns: bool, rule: str) -> Array:
    """Y as a matrix with m rows; only with ``columns`` may there be more than one column.

    Raises
    ------
    ValueError
        If Y has another shape, or a number of rows other than m.
    """
    if Y.ndim == 1:
        Y = Y[:, np.newaxis]
    if Y.ndim != 2 or Y.shape[1] == 0 or (Y.shape[1] > 1 and not columns):
        expected = "(m, n_L)" if columns else "(m,)"
        raise ValueError(f"Y has shape {Y.shape}, expected {expected} for task {task}: {rule}")
    if len(Y) != m:
        raise ValueError(f"Y has {len(Y)} examples, expected {m} as in X: one target an example")
    return Y


def check_names(name: str, names: Sequence[str] | None, default: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple, ``default`` if None came; ValueError if their number is another."""
    if names is None:
        return tuple(default)
    if np.ndim(names) != 1 or len(names) != len(default):
        raise ValueError(f"{name} is {show(names)}, expected a sequence of {len(default)} names")
    return tuple(str(one) for one in names)


def check_image_shape(image_shape: Sequence[int] | None, n_x: int) -> ImageShape | None:
    """(n_H, n_W, n_C) with n_H n_W n_C = n_x, or None; ValueError for anything else."""
    if image_shape is None:
        return None
    rule = f"image_shape is {show(image_shape)}, expected (n_H, n_W, n_C)"
    try:
        n_H, n_W, n_C = (operator.index(n) for n in image_shape)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{rule}: three whole numbers") from error
    if min(n_H, n_W, n_C) < 1 or n_H * n_W * n_C != n_x:
        raise ValueError(f"{rule}, all positive, with product n_x = {n_x}")
    return n_H, n_W, n_C
