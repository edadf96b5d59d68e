"""Convolution and pooling as people write them beside torch: channels first, windows as columns, padded pooling.

Volumes are (m, n_C, n_H, n_W) and filters (n_C, n_C_prev, f_H, f_W). Windows as columns are those of Chellapilla,
Puri and Simard, High performance convolutional neural networks for document processing (2006). ``manual.conv`` has the
notes' layout, channels last.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from manual.notation import Array, check_shape
from manual.pooling import pool_backward, pool_backward_loop, pool_forward, pool_forward_loop
from manual.shapes import conv_output_size


class ConvBackward(NamedTuple):
    """dA_prev per example, dW and db with the 1/m."""

    dA_prev: Array
    dW: Array
    db: Array


def im2col_loop(A: Array, f_H: int, f_W: int, stride: int = 1, pad: int = 0) -> Array:
    """Entry by entry. See im2col."""
    m, n_C, n_H, n_W, rows, columns = _sizes(A, f_H, f_W, stride, pad)
    found = np.zeros((m, n_C * f_H * f_W, rows * columns), A.dtype)
    for i, c, j, k, h, w in np.ndindex(m, n_C, f_H, f_W, rows, columns):
        y, x = h * stride + j - pad, w * stride + k - pad
        if 0 <= y < n_H and 0 <= x < n_W:
            found[i, (c * f_H + j) * f_W + k, h * columns + w] = A[i, c, y, x]
    return found


def im2col(A: Array, f_H: int, f_W: int, stride: int = 1, pad: int = 0) -> Array:
    """Every window as a column: a convolution becomes a product of matrices.

    (m, n_C, n_H, n_W) -> (m, n_C f_H f_W, rows columns), a column (n_C, f_H, f_W) flattened, windows row by row

    ``pad`` zeros lie around every channel. It is torch's F.unfold.

    Raises ValueError for an A without four axes, or a window that does not fit.
    """
    m, n_C, _, _, rows, columns = _sizes(A, f_H, f_W, stride, pad)
    padded = np.pad(A, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    found = np.empty((m, n_C, f_H, f_W, rows, columns), A.dtype)
    for j, k, cells in _taps(f_H, f_W, stride, rows, columns):
        found[:, :, j, k] = padded[cells]
    return found.reshape(m, n_C * f_H * f_W, rows * columns)


def col2im_loop(
    dcols: Array, shape: tuple[int, int, int, int], f_H: int, f_W: int, stride: int = 1, pad: int = 0
) -> Array:
    """Entry by entry. See col2im."""
    m, n_C, n_H, n_W = shape
    dA = np.zeros(shape, dcols.dtype)
    *_, rows, columns = _sizes(dA, f_H, f_W, stride, pad)
    for i, c, j, k, h, w in np.ndindex(m, n_C, f_H, f_W, rows, columns):
        y, x = h * stride + j - pad, w * stride + k - pad
        if 0 <= y < n_H and 0 <= x < n_W:
            dA[i, c, y, x] += dcols[i, (c * f_H + j) * f_W + k, h * columns + w]
    return dA


def col2im(dcols: Array, shape: tuple[int, int, int, int], f_H: int, f_W: int, stride: int = 1, pad: int = 0) -> Array:
    """The derivative of im2col: what the windows say of a cell adds up, and what lies in the border is dropped.

    (m, n_C f_H f_W, rows columns) -> (m, n_C, n_H, n_W) = ``shape``

    It is torch's F.fold, and no inverse of im2col where windows overlap.

    Raises ValueError for columns of another shape than im2col gives, or a window that does not fit.
    """
    m, n_C, n_H, n_W, rows, columns = _sizes(np.broadcast_to(0.0, shape), f_H, f_W, stride, pad)
    check_shape("dcols", dcols, (m, n_C * f_H * f_W, rows * columns), "a column for each window")
    by_tap = dcols.reshape(m, n_C, f_H, f_W, rows, columns)
    padded = np.zeros((m, n_C, n_H + 2 * pad, n_W + 2 * pad), dcols.dtype)
    for j, k, cells in _taps(f_H, f_W, stride, rows, columns):
        padded[cells] += by_tap[:, :, j, k]
    return padded[:, :, pad : pad + n_H, pad : pad + n_W]


def conv_first_forward_loop(A_prev: Array, W: Array, b: Array, stride: int = 1, pad: int = 0) -> Array:
    """Window by window and filter by filter. See conv_first_forward."""
    n_C, _, f_H, f_W = W.shape
    m, _, _, _, rows, columns = _sizes(A_prev, f_H, f_W, stride, pad)
    padded = np.pad(A_prev, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    Z = np.empty((m, n_C, rows, columns), np.result_type(A_prev, W, b))
    for i, c, h, w in np.ndindex(Z.shape):
        window = padded[i, :, h * stride : h * stride + f_H, w * stride : w * stride + f_W]
        Z[i, c, h, w] = np.sum(window * W[c]) + b[c]
    return Z


def conv_first_forward(A_prev: Array, W: Array, b: Array, stride: int = 1, pad: int = 0) -> Array:
    """A convolution, channels first: Z = W_rows im2col(A_prev) + b, W_rows having a filter in each row.

    A_prev is (m, n_C_prev, n_H_prev, n_W_prev), W (n_C, n_C_prev, f_H, f_W), b (n_C,); the result (m, n_C, n_H, n_W).

    Raises ValueError for shapes that do not fit.
    """
    _check_filters(A_prev, W)
    check_shape("b", b, W.shape[:1], "one bias for each filter")
    n_C, _, f_H, f_W = W.shape
    m, _, _, _, rows, columns = _sizes(A_prev, f_H, f_W, stride, pad)
    Z: Array = W.reshape(n_C, -1) @ im2col(A_prev, f_H, f_W, stride, pad) + b[:, None]
    return Z.reshape(m, n_C, rows, columns)


def conv_first_backward_loop(dZ: Array, A_prev: Array, W: Array, stride: int = 1, pad: int = 0) -> ConvBackward:
    """Window by window and filter by filter. See conv_first_backward."""
    m, _, f_H, f_W = (len(A_prev), *W.shape[1:])
    n_H, n_W = A_prev.shape[2:]
    padded = np.pad(A_prev, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dA, dW = np.zeros(padded.shape, np.result_type(dZ, W)), np.zeros(W.shape, np.result_type(dZ, A_prev))
    db = np.zeros(len(W), dZ.dtype)
    for i, c, h, w in np.ndindex(dZ.shape):
        cells = i, slice(None), slice(h * stride, h * stride + f_H), slice(w * stride, w * stride + f_W)
        dA[cells] += W[c] * dZ[i, c, h, w]
        dW[c] += padded[cells] * dZ[i, c, h, w] / m
        db[c] += dZ[i, c, h, w] / m
    return ConvBackward(dA[:, :, pad : pad + n_H, pad : pad + n_W], dW, db)


def conv_first_backward(dZ: Array, A_prev: Array, W: Array, stride: int = 1, pad: int = 0) -> ConvBackward:
    """A convolution backward, channels first, by the columns of its windows.

    dA_prev = col2im(W_rows^T dZ), dW_rows = (1/m) sum_i dZ_i im2col(A_prev)_i^T, db = (1/m) sum dZ

    dZ is (m, n_C, n_H, n_W), per example; the others are those of the forward pass.

    Raises ValueError for shapes that do not fit.
    """
    _check_filters(A_prev, W)
    n_C, _, f_H, f_W = W.shape
    m, *_, rows, columns = _sizes(A_prev, f_H, f_W, stride, pad)
    check_shape("dZ", dZ, (m, n_C, rows, columns), "dZ has the shape of Z")
    flat = dZ.reshape(m, n_C, rows * columns)
    dcols = W.reshape(n_C, -1).T @ flat
    dW = np.einsum("ick,ijk->cj", flat, im2col(A_prev, f_H, f_W, stride, pad)) / m
    dA_prev = col2im(dcols, A_prev.shape, f_H, f_W, stride, pad)
    return ConvBackward(dA_prev, dW.reshape(W.shape), flat.sum(axis=(0, 2)) / m)


def padded_pool_forward_loop(A_prev: Array, size: int, stride: int, pad: int, mode: str = "max") -> Array:
    """Window by window on the padded volume. See padded_pool_forward."""
    return _first(pool_forward_loop(_last_padded(A_prev, size, pad, mode), size, stride, mode=mode))


def padded_pool_forward(A_prev: Array, size: int, stride: int, pad: int, mode: str = "max") -> Array:
    """Pooling of a padded volume, channels first: the border never wins a maximum, and counts as zeros in an average.

    A_prev is (m, n_C, n_H_prev, n_W_prev), the result (m, n_C, n_H, n_W). ``mode`` is max or average, which divides by
    size^2 in every window, as torch does by default (count_include_pad=True).

    Raises ValueError for a padding of more than half the window, or a window that does not fit.
    """
    return _first(pool_forward(_last_padded(A_prev, size, pad, mode), size, stride, mode=mode))


def padded_pool_backward_loop(dA: Array, A_prev: Array, size: int, stride: int, pad: int, mode: str = "max") -> Array:
    """Window by window on the padded volume. See padded_pool_backward."""
    padded = _last_padded(A_prev, size, pad, mode)
    return _first(_cropped(pool_backward_loop(_last(dA), padded, size, stride, mode=mode), A_prev, pad))


def padded_pool_backward(dA: Array, A_prev: Array, size: int, stride: int, pad: int, mode: str = "max") -> Array:
    """Pooling of a padded volume backward; what an average hands to the border is lost.

    dA is (m, n_C, n_H, n_W), per example; the result has the shape of A_prev, (m, n_C, n_H_prev, n_W_prev).

    Raises ValueError as the forward pass does, and for a dA that has not the shape of A.
    """
    padded = _last_padded(A_prev, size, pad, mode)
    return _first(_cropped(pool_backward(_last(dA), padded, size, stride, mode=mode), A_prev, pad))


def _sizes(A: Array, f_H: int, f_W: int, stride: int, pad: int) -> tuple[int, int, int, int, int, int]:
    """The sides of A, and the rows and columns of windows."""
    if A.ndim != 4 or 0 in A.shape:
        raise ValueError(f"A has shape {A.shape}, expected (m, n_C, n_H, n_W) with no side of length 0: channels first")
    m, n_C, n_H, n_W = A.shape
    rows, columns = (conv_output_size(n, f, pad=pad, stride=stride) for n, f in ((n_H, f_H), (n_W, f_W)))
    return m, n_C, n_H, n_W, rows, columns


def _taps(f_H: int, f_W: int, stride: int, rows: int, columns: int) -> Iterator[tuple[int, int, tuple[slice, ...]]]:
    """Each cell (j, k) of a window, and where it lies in the padded volume for all windows at once."""
    for j, k in np.ndindex(f_H, f_W):
        cells = slice(None), slice(None), slice(j, j + stride * rows, stride), slice(k, k + stride * columns, stride)
        yield j, k, cells


def _check_filters(A_prev: Array, W: Array) -> None:
    if W.ndim != 4 or 0 in W.shape or A_prev.ndim != 4 or W.shape[1] != A_prev.shape[1]:
        raise ValueError(
            f"W has shape {W.shape}, A_prev {A_prev.shape}, expected (n_C, n_C_prev, f_H, f_W) and (m, n_C_prev, ...): "
            "a filter is as deep as its input"
        )


def _first(A: Array) -> Array:
    return A.transpose(0, 3, 1, 2)


def _last(A: Array) -> Array:
    return A.transpose(0, 2, 3, 1)


def _last_padded(A: Array, size: int, pad: int, mode: str) -> Array:
    """Channels last with a border, of -inf for a maximum."""
    if not 0 <= pad <= size // 2:
        raise ValueError(f"pad is {pad}, expected 0 to {size // 2}: no window lies in the border alone")
    border = -np.inf if mode == "max" else 0.0
    return np.pad(_last(A), ((0, 0), (pad, pad), (pad, pad), (0, 0)), constant_values=border)


def _cropped(dA: Array, A_prev: Array, pad: int) -> Array:
    n_H, n_W = A_prev.shape[2:]
    return dA[:, pad : pad + n_H, pad : pad + n_W]
