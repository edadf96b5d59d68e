"""Code of the notes, as functions: what is written, and what runs. Nothing here is handed to an interpreter as text."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

v = np.array([-1.0, 0.5, 2.0])
n = 4
A = np.array([[1, 2, 3], [4, 5, 6]])
calories = np.array([[56.0, 0.0, 4.4, 68.0], [1.2, 104.0, 52.0, 8.0], [1.8, 135.0, 99.0, 0.9]])
dZ = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
m = 3
parameters = {"W1": A, "W2": 2 * A}
l = 1
a = np.array([[1.0], [2.0], [3.0], [4.0]])
dz = np.array([[2.0], [3.0]])


def zeros() -> Any:
    """A column of zeros."""
    return np.zeros((n, 1))


def zeros_as_written() -> Any:
    """The second argument is a type, not a side."""
    return np.zeros(n, 1)


def maximum() -> Any:
    """Entry by entry."""
    return np.maximum(v, 0)


def maximum_as_written() -> Any:
    """Python's max compares the whole array with 0."""
    return max(v, 0)


def maximum_of_axis() -> Any:
    """The 0 is an axis."""
    return np.max(v, 0)


def sum_of_columns() -> Any:
    """Down the columns."""
    return A.sum(axis=0)


def sum_of_rows() -> Any:
    """Along the rows."""
    return A.sum(axis=1)


def percentages() -> Any:
    """The columns add up to 100."""
    percentage = 100 * calories / calories.sum(axis=0).reshape(1, 4)
    return percentage.sum(axis=0).round(12)


def percentages_of_rows() -> Any:
    """The sums of three rows do not fit four columns."""
    percentage = 100 * calories / calories.sum(axis=1)
    return percentage.sum(axis=0).round(12)


def reshape_is_a_view() -> Any:
    """No entry is copied."""
    return v.reshape(1, 3).base is v


def copy_is_a_view() -> Any:
    """Every entry is copied."""
    return v.copy().base is v


def column_and_number() -> Any:
    """A number is added everywhere."""
    return np.array([[1], [2], [3], [4]]) + 100


def matrix_and_row() -> Any:
    """A row is added to every row."""
    return A + np.array([[100, 200, 300]])


def matrix_and_column() -> Any:
    """A column is added to every column."""
    return A + np.array([[100], [200]])


def matrix_and_flat_column() -> Any:
    """A flat array of two entries is no column."""
    return A + np.array([100, 200])


def bias_sum() -> Any:
    """Over the examples, as a column."""
    return 1 / m * np.sum(dZ, axis=1, keepdims=True)


def bias_sum_as_written() -> Any:
    """The keyword out takes an array to write to."""
    return 1 / m * np.sum(dZ, out=1, keepdims=True)  # type: ignore[call-overload]


def square_sum() -> Any:
    """The matrix of that name."""
    return np.sum(np.square(parameters["W" + str(l)]))


def square_sum_as_written() -> Any:
    """The square of the name itself."""
    return np.sum(np.square("W" + str(l)))


def outer_product() -> Any:
    """A column times a row."""
    return np.dot(dz, a.T)


def outer_product_swapped() -> Any:
    """A row times a column of another length."""
    return np.dot(a.T, dz)


def frobenius_square() -> Any:
    """The example of the notes."""
    return np.sum(np.square([[1, 2, 1], [-1, 2, -3], [0, 1, -2]]))


def random_scale() -> Any:
    """Randn is spread on both sides of zero."""
    return bool((0.01 * np.random.default_rng(0).standard_normal((1, 200)) < 0).any())


def uniform_scale() -> Any:
    """Rand is never negative."""
    return bool((0.01 * np.random.default_rng(0).random((1, 200)) < 0).any())


def ordered_bounds() -> Any:
    """The lower bound first."""
    return bool(10 ** np.random.default_rng(0).uniform(-6, -3) <= 1e-3)


def swapped_bounds() -> Any:
    """NumPy's generator refuses a range of negative length."""
    return bool(10 ** np.random.default_rng(0).uniform(-3, -6) <= 1e-3)


def swapped_bounds_in_torch() -> Any:
    """PyTorch refuses it too."""
    return bool((10 ** torch.empty(1).uniform_(-3, -6) <= 1e-3).item())
