"""The symbols of the notes, and the one place that checks their shapes.

==========  ==================  ==================================================
symbol      shape               meaning
==========  ==================  ==================================================
``m``                           number of examples; one example is one column
``n_x``                         number of features of an example, also n^[0]
``n_l``                         number of units of layer l; ``n_prev`` is n^[l-1]
``X``       (n_x, m)            the inputs, also A^[0]
``Y``       (n_L, m)            the targets; classes are one-hot columns
``W``       (n_l, n_prev)       weights of layer l: row j holds w_j^T
``b``       (n_l, 1)            biases of layer l, broadcast over the examples
``Z``       (n_l, m)            W A_prev + b
``A``       (n_l, m)            g(Z)
``dZ, dA``  as Z and A          derivatives of L(i), example by example: no 1/m
``dW, db``  as W and b          derivatives of J = (1/m) sum_i L(i): with the 1/m
==========  ==================  ==================================================

Notes: F044, F045, F153, F156.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""An array of float32, float64 or (for the complex step) complex128."""

Scalar: TypeAlias = Any
"""A NumPy scalar of the dtype of the computation; complex under the complex step."""

Parameters: TypeAlias = dict[str, Array]
"""``{"W1": ..., "b1": ..., "W2": ...}``: the number counts the layers that have parameters."""

Gradients: TypeAlias = dict[str, Array]
"""``{"dW1": ..., "db1": ..., "dW2": ...}``."""


def check_shape(name: str, array: Array, expected: tuple[int, ...], rule: str) -> None:
    """Raise ValueError, in one sentence, unless ``array`` has the expected shape."""
    if array.shape != expected:
        raise ValueError(f"{name} has shape {array.shape}, expected {expected}: {rule}")


def check_matrix(name: str, array: Array, rule: str) -> tuple[int, int]:
    """The shape of a matrix none of whose sides is empty; ValueError for anything else."""
    shape = array.shape
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"{name} has shape {shape}, expected a matrix with no side of length 0: {rule}")
    return shape[0], shape[1]


def check_examples(name: str, array: Array) -> tuple[int, int]:
    """The shape (n, m) of a matrix of examples in columns; ValueError for anything else."""
    return check_matrix(name, array, "examples are columns, at least one")


def check_count(name: str, count: int, least: int, rule: str) -> int:
    """The count as an int; ValueError, in one sentence, unless it is a whole number of at least ``least``."""
    if not isinstance(count, int | np.integer) or count < least:
        raise ValueError(f"{name} is {count!r}, expected a whole number of at least {least}: {rule}")
    return int(count)


def check_volume(name: str, A: Array) -> tuple[int, int, int, int]:
    """The shape (m, n_H, n_W, n_C) of a batch of volumes; ValueError for anything else."""
    shape = np.shape(A)
    if len(shape) != 4 or 0 in shape:
        raise ValueError(
            f"{name} has shape {shape}, expected (m, n_H, n_W, n_C) with no side of length 0: "
            "examples come first and channels last"
        )
    m, n_H, n_W, n_C = shape
    return m, n_H, n_W, n_C


def plus(fresh: Array, other: Array) -> Array:
    """``fresh + other``, written over ``fresh`` where the sum keeps its dtype: ``fresh`` belongs to nobody else."""
    return np.add(fresh, other, out=fresh if fresh.dtype == other.dtype else None)
