"""Convolution over volumes: padding, forward, backward, and flattening for the dense layers.

The notes call it convolution and compute it without flipping the filter, as torch does.

Notes: F219-F239.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from manual.notation import Array, check_shape, check_volume
from manual.shapes import Pad, conv_output_size, pad_pair

BLOCK_BYTES = 512 * 1024
"""Windows are unrolled this many bytes at a time: a block stays in cache, the whole matrix would not."""


class ConvBackward(NamedTuple):
    """The gradients of one convolution; ``dA_prev`` is None where it was not asked for."""

    dA_prev: Array | None
    dW: Array
    db: Array


def zero_pad(A: Array, pad: Pad) -> Array:
    """A volume with a border of zeros around every channel of every example.

    (m, n_H, n_W, n_C) -> (m, n_H + 2 p_H, n_W + 2 p_W, n_C)

    p_H, p_W = ``pad``, one number or (vertical, horizontal). The result is a new array of A's dtype.

    Raises ValueError for a negative padding, for "same" (it depends on a filter), or an A without four axes.

    Notes: F220.
    """
    check_volume("A", A)
    if isinstance(pad, str):
        raise ValueError(f"pad is {pad!r}, expected a number or a pair: without a filter there is no SAME padding")
    p_H, p_W = pad_pair(pad, 1, 1)
    return np.pad(A, ((0, 0), (p_H, p_H), (p_W, p_W), (0, 0)))


def _output_shape(A_prev: Array, W: Array, stride: int, pad: Pad) -> tuple[int, int, int, int]:
    """The shape (m, n_H, n_W, n_C) of Z; ValueError unless the filters fit the input."""
    m, n_H_prev, n_W_prev, n_C_prev = check_volume("A_prev", A_prev)
    if np.ndim(W) != 4 or 0 in W.shape or W.shape[2] != n_C_prev:
        raise ValueError(
            f"W has shape {np.shape(W)}, expected (f_H, f_W, {n_C_prev}, n_C): a filter is as deep as its input"
        )
    f_H, f_W, _, n_C = W.shape
    p_H, p_W = pad_pair(pad, f_H, f_W, stride)
    n_H = conv_output_size(n_H_prev, f_H, pad=p_H, stride=stride)
    n_W = conv_output_size(n_W_prev, f_W, pad=p_W, stride=stride)
    return m, n_H, n_W, n_C


def conv_forward_loop(A_prev: Array, W: Array, b: Array, *, stride: int = 1, pad: Pad = 0) -> Array:
    """Window by window and filter by filter: z = sum of window * filter, plus b. See conv_forward."""
    shape = _output_shape(A_prev, W, stride, pad)
    f_H, f_W = W.shape[:2]
    A_padded = zero_pad(A_prev, pad_pair(pad, f_H, f_W))
    Z = np.zeros(shape, np.result_type(A_prev, W, b))
    for i, h, w, c in np.ndindex(shape):
        window = A_padded[i, h * stride : h * stride + f_H, w * stride : w * stride + f_W]  # (f_H, f_W, n_C_prev)
        Z[i, h, w, c] = np.sum(window * W[:, :, :, c]) + b[0, 0, 0, c]
    return Z


def conv_forward(A_prev: Array, W: Array, b: Array, *, stride: int = 1, pad: Pad = 0) -> Array:
    """Lay every filter on every window of the padded input and add its bias.

    z[i, h, w, c] = sum_{j,k,d} a_prev[i, s h + j - p_H, s w + k - p_W, d] W[j, k, d, c] + b[c]

    A_prev is (m, n_H_prev, n_W_prev, n_C_prev), zero outside; W (f_H, f_W, n_C_prev, n_C); b (1, 1, 1, n_C); the
    result (m, n_H, n_W, n_C). s is ``stride``; ``pad`` is p, (p_H, p_W) or "same" (odd filter, stride 1).

    Raises ValueError for a filter larger than the padded input, other channels than the input's, a stride below 1, a
    negative padding, or a wrong rank.

    Notes: F219, F220, F225, F226, F227, F233, F234, F235, F237, F238, F239.
    Differs from torch in layout: its input is A_prev.permute(0, 3, 1, 2), its filters are W.permute(3, 2, 0, 1).
    """
    shape = _output_shape(A_prev, W, stride, pad)
    n_C = shape[3]
    check_shape("b", b, (1, 1, 1, n_C), "b is (1, 1, 1, n_C), one bias for each filter")
    Z = np.empty(shape, np.result_type(A_prev, W, b))
    filters = np.concatenate([W.reshape(-1, n_C), b.reshape(1, n_C)])  # (f_H f_W n_C_prev + 1, n_C)
    for block, windows in _unrolled(A_prev, W, Z, stride, pad):
        np.matmul(windows, filters, out=Z[block].reshape(-1, n_C))
    return Z


def conv_backward_loop(
    dZ: Array,
    A_prev: Array,
    W: Array,
    *,
    stride: int = 1,
    pad: Pad = 0,
    lambda_: float = 0.0,
    input_gradient: bool = True,
) -> ConvBackward:
    """Window by window and filter by filter: each product of the forward sum, taken back. See conv_backward."""
    shape = _output_shape(A_prev, W, stride, pad)
    m, n_H_prev, n_W_prev, _ = A_prev.shape
    f_H, f_W, _, n_C = W.shape
    p_H, p_W = pad_pair(pad, f_H, f_W)
    dtype = np.result_type(dZ, A_prev, W)
    A_padded = zero_pad(A_prev, (p_H, p_W))
    dA_padded = np.zeros(A_padded.shape, dtype)
    dW = np.zeros(W.shape, dtype)
    db = np.zeros((1, 1, 1, n_C), dtype)
    for i, h, w, c in np.ndindex(shape):
        window = i, slice(h * stride, h * stride + f_H), slice(w * stride, w * stride + f_W)
        dA_padded[window] += dZ[i, h, w, c] * W[:, :, :, c]  # (f_H, f_W, n_C_prev)
        dW[:, :, :, c] += dZ[i, h, w, c] * A_padded[window]
        db[0, 0, 0, c] += dZ[i, h, w, c]
    dA_prev = dA_padded[:, p_H : p_H + n_H_prev, p_W : p_W + n_W_prev]
    return ConvBackward(dA_prev if input_gradient else None, (dW + lambda_ * W) / m, db / m)


def conv_backward(
    dZ: Array,
    A_prev: Array,
    W: Array,
    *,
    stride: int = 1,
    pad: Pad = 0,
    lambda_: float = 0.0,
    input_gradient: bool = True,
) -> ConvBackward:
    """Gradients of a convolution in its input, its filters and its biases.

    da_prev[i, y, x, d] = sum_{h,w,j,k,c} dz[i, h, w, c] W[j, k, d, c]
    dW[j, k, d, c] = (1/m) sum_{i,h,w} dz[i, h, w, c] a_prev[i, y, x, d] + (lambda/m) W[j, k, d, c]
    db[c] = (1/m) sum_{i,h,w} dz[i, h, w, c]        with y = s h + j - p_H and x = s w + k - p_W throughout

    dZ is (m, n_H, n_W, n_C), per example and without 1/m; A_prev, W, s and p are those of the forward pass. The results
    have the shapes of A_prev, W and b. ``input_gradient=False`` leaves dA_prev out (None): the first layer needs none.

    Raises ValueError as the forward pass does, and for a dZ that has not the shape of Z.

    Notes: F225, F234, F235, F237, F238.
    Differs from torch in the 1/m: there the loss is a mean, so that Z.grad carries it and dZ = m * Z.grad.
    """
    shape = _output_shape(A_prev, W, stride, pad)
    check_shape("dZ", dZ, shape, "dZ has the shape of Z")
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    f_H, f_W, _, n_C = W.shape
    p_H, p_W = pad_pair(pad, f_H, f_W)
    dtype = np.result_type(dZ, A_prev, W)
    dA_prev = np.empty(A_prev.shape, dtype) if input_gradient else None
    dW_db = np.zeros((f_H * f_W * n_C_prev + 1, n_C), dtype)
    W_T = np.ascontiguousarray(W.transpose(0, 1, 3, 2))  # (f_H, f_W, n_C, n_C_prev)
    for block, windows in _unrolled(A_prev, W, dZ, stride, pad):
        dW_db += windows.T @ dZ[block].reshape(-1, n_C)
        if dA_prev is not None:
            dA_padded = _padded_input_gradient(dZ[block], W_T, stride, n_H_prev + 2 * p_H, n_W_prev + 2 * p_W)
            dA_prev[block] = dA_padded[:, p_H : p_H + n_H_prev, p_W : p_W + n_W_prev]
    dW_db = dW_db / m
    dW = dW_db[:-1].reshape(W.shape)
    if lambda_:
        dW += lambda_ / m * W
    return ConvBackward(dA_prev, dW, dW_db[-1].reshape(1, 1, 1, n_C))


def _unrolled(A_prev: Array, W: Array, Z: Array, stride: int, pad: Pad) -> Iterator[tuple[slice, Array]]:
    """The windows of A_prev as rows of a matrix, one block of examples after the other.

    A row is one window in the order of W's first three axes, and behind it a 1, the input whose weight is b: so one
    product gives Z with its bias, and one gives dW with db below it. Of Z (or dZ) only the shape is read. Every matrix
    lies in the same memory and holds until the next is asked for.
    """
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    f_H, f_W = W.shape[:2]
    n_H, n_W = Z.shape[1:3]
    p_H, p_W = pad_pair(pad, f_H, f_W)
    columns = f_H * f_W * n_C_prev + 1
    examples = min(m, max(1, BLOCK_BYTES // (n_H * n_W * columns * A_prev.itemsize)))
    A_padded = np.zeros((examples, n_H_prev + 2 * p_H, n_W_prev + 2 * p_W, n_C_prev), A_prev.dtype)
    inside = A_padded[:, p_H : p_H + n_H_prev, p_W : p_W + n_W_prev]  # its border stays zero
    step_m, step_H, step_W, step_C = A_padded.strides
    shape = (examples, n_H, n_W, f_H, f_W, n_C_prev)
    steps = (step_m, stride * step_H, stride * step_W, step_H, step_W, step_C)  # one of the output is ``stride`` ones
    windows = np.lib.stride_tricks.as_strided(A_padded, shape, steps, writeable=False)
    matrix = np.empty((examples * n_H * n_W, columns), A_prev.dtype)
    matrix[:, -1] = 1
    cells = matrix[:, :-1].reshape(windows.shape)  # a view: only the last axis is split
    for start in range(0, m, examples):
        k = min(examples, m - start)
        block = slice(start, start + k)
        inside[:k] = A_prev[block]
        cells[:k] = windows[:k]
        yield block, matrix[: k * n_H * n_W]


def _padded_input_gradient(dZ: Array, W_T: Array, stride: int, padded_H: int, padded_W: int) -> Array:
    """dA_prev of a block of examples, border included: the cells that one filter tap saw get its share of dZ.

    dZ is (k, n_H, n_W, n_C), W_T (f_H, f_W, n_C, n_C_prev), the result (k, padded_H, padded_W, n_C_prev). Inside, the
    examples of one position lie side by side, so that a shifted addition runs over long stretches of memory.
    """
    k, n_H, n_W, n_C = dZ.shape
    f_H, f_W, _, n_C_prev = W_T.shape
    dtype = np.result_type(dZ, W_T)
    dZ_rows = np.ascontiguousarray(dZ.transpose(1, 2, 0, 3)).reshape(-1, n_C)  # (n_H n_W k, n_C)
    share = np.empty((len(dZ_rows), n_C_prev), dtype)
    share_by_position = share.reshape(n_H, n_W, k, n_C_prev)
    dA_padded = np.zeros((padded_H, padded_W, k, n_C_prev), dtype)
    with np.errstate():  # on leaving, the buffer size is restored
        np.setbufsize(1024)  # NumPy copies stretches shorter than its buffer (8192) before it adds, at twice the time
        for i in range(f_H):
            for j in range(f_W):
                np.matmul(dZ_rows, W_T[i, j], out=share)
                seen = dA_padded[i : i + stride * n_H : stride, j : j + stride * n_W : stride]
                seen += share_by_position
    return dA_padded.transpose(2, 0, 1, 3)


def flatten(A: Array) -> Array:
    """Volumes as columns, for a dense layer: every example one column, its channels last.

    (m, n_H, n_W, n_C) -> (n_H n_W n_C, m)

    The result is a view of A where NumPy can give one.

    Raises ValueError for an A without four axes.

    Notes: F235. Differs from torch in the order: torch flattens (n_C, n_H, n_W), so permute before its dense layer.
    """
    m = check_volume("A", A)[0]
    return A.reshape(m, -1).T


def flatten_backward(dA: Array, shape: tuple[int, int, int, int]) -> Array:
    """Columns as the volumes that ``flatten`` made them from: a gradient only changes its shape.

    (n_H n_W n_C, m) -> (m, n_H, n_W, n_C) = ``shape``

    Raises ValueError unless dA has the shape that ``flatten`` gives a volume of that shape.

    Notes: F235.
    """
    m, n_H, n_W, n_C = shape
    check_shape("dA", dA, (n_H * n_W * n_C, m), "one column for each example, one row for each cell of its volume")
    return dA.T.reshape(shape)
