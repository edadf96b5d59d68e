"""From loops to arrays: products of vectors and matrices, and the broadcasting examples of N0."""

from __future__ import annotations

import numpy as np

from manual.notation import Array, Scalar, check_matrix, check_shape


def linear_unit_loop(w: Array, x: Array, b: float) -> Scalar:
    """Z = 0; for k: z += w[k] x[k]; z += b. See linear_unit."""
    z: Scalar = 0.0
    for k in range(w.shape[0]):
        z += w[k, 0] * x[k, 0]
    return z + b


def linear_unit(w: Array, x: Array, b: float) -> Scalar:
    """One unit on one example: z = w^T x + b.

    w and x are (n_x, 1), b is a number, the result a number.

    Raises ValueError unless w and x are columns of one length.

    Notes: F034, F035, F036.
    """
    n_x, _ = check_matrix("w", w, "w is a column")
    check_shape("w", w, (n_x, 1), "w is a column")
    check_shape("x", x, (n_x, 1), "x is a column as long as w")
    return (w.T @ x)[0, 0] + b


def matrix_vector_loop(A: Array, v: Array) -> Array:
    """u_i = sum_j A_ij v_j, in two loops. See matrix_vector."""
    u = np.zeros((A.shape[0], 1), np.result_type(A, v))
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            u[i, 0] += A[i, j] * v[j, 0]
    return u


def matrix_vector(A: Array, v: Array) -> Array:
    """Matrix times vector: u = A v.

    A is (r, c), v (c, 1), the result (r, 1).

    Raises ValueError where the shapes do not fit.

    Notes: F037, F038, F083.
    """
    _, columns = check_matrix("A", A, "A is a matrix")
    check_shape("v", v, (columns, 1), "v is a column with an entry per column of A")
    return A @ v


def broadcast_add_loop(A: Array, b: Array) -> Array:
    """(A + b)_ij = A_ij + b_ij, where a side of length 1 in b repeats. See broadcast_add."""
    total = np.zeros(A.shape, np.result_type(A, b))
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            total[i, j] = A[i, j] + b[i if b.shape[0] > 1 else 0, j if b.shape[1] > 1 else 0]
    return total


def broadcast_add(A: Array, b: Array) -> Array:
    """A + b, with b a number (1, 1), a row (1, c), a column (r, 1) or a matrix (r, c).

    Raises ValueError where the shapes do not fit.

    Notes: F060, F061, F062.
    """
    rows, columns = check_matrix("A", A, "A is a matrix")
    b_rows, b_columns = check_matrix("b", b, "b is a matrix, a row, a column or a number")
    if b_rows not in (1, rows) or b_columns not in (1, columns):
        raise ValueError(f"b has shape {b.shape}, expected {A.shape} with any side 1: only such sides repeat")
    return A + b


def column_percentages_loop(A: Array) -> Array:
    """100 A_ij / sum_k A_kj, entry by entry. See column_percentages."""
    percentages = np.zeros(A.shape, A.dtype)
    for j in range(A.shape[1]):
        column_sum: Scalar = 0.0
        for k in range(A.shape[0]):
            column_sum += A[k, j]
        for i in range(A.shape[0]):
            percentages[i, j] = 100 * A[i, j] / column_sum
    return percentages


def column_percentages(A: Array) -> Array:
    """Every entry in per cent of its column: 100 A / A.sum(axis=0), the calories example.

    A and the result are (r, c), and the columns of the result sum to 100.

    Raises ValueError unless A is a matrix.

    Notes: F057, F058, F059.
    """
    _, columns = check_matrix("A", A, "A is a matrix")
    percentages: Array = 100 * A / A.sum(axis=0).reshape(1, columns)
    return percentages
