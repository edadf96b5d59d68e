"""Pooling: the largest or the average value of every window, channel by channel.

The notes give no formula of their own for it; its output sizes are those of a convolution without padding. Each
formula stands twice: the loop goes window by window, the vectorised form goes cell by cell through all windows at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import numpy as np

from manual.notation import Array, check_count, check_shape, check_volume
from manual.shapes import conv_output_size

Shape: TypeAlias = tuple[int, int, int, int]
"""(m, n_H, n_W, n_C) of the result."""


class Pooling(NamedTuple):
    """One way of pooling: the value of every window, and what a window hands back to its cells."""

    forward: Callable[[Array, int, int, Shape], Array]
    backward: Callable[[Array, Array, int, int, Shape], Array]


def _output_shape(A_prev: Array, size: int, stride: int, mode: str) -> Shape:
    """The shape (m, n_H, n_W, n_C) of A; ValueError unless the window fits the input."""
    m, n_H_prev, n_W_prev, n_C = check_volume("A_prev", A_prev)
    if mode not in POOLING:
        raise ValueError(f"mode is {mode!r}, expected one of {tuple(POOLING)}: no other pooling is defined")
    check_count("size", size, 1, "a window has at least one cell")
    if size > min(n_H_prev, n_W_prev):
        raise ValueError(
            f"size is {size}, expected at most {min(n_H_prev, n_W_prev)}: the window must fit into the input"
        )
    n_H = conv_output_size(n_H_prev, size, stride=stride)
    n_W = conv_output_size(n_W_prev, size, stride=stride)
    return m, n_H, n_W, n_C


def pool_forward_loop(A_prev: Array, size: int, stride: int, *, mode: str = "max") -> Array:
    """Window by window and channel by channel: the first maximum, or the sum over size^2. See pool_forward."""
    shape = _output_shape(A_prev, size, stride, mode)
    A = np.zeros(shape, A_prev.dtype if mode == "max" else np.result_type(A_prev, 1.0))
    for i, h, w, c in np.ndindex(shape):
        window = A_prev[i, h * stride : h * stride + size, w * stride : w * stride + size, c]  # (size, size)
        if mode == "max":
            A[i, h, w, c] = window.flat[np.argmax(window.real)]
        else:
            A[i, h, w, c] = np.sum(window) / size**2
    return A


def pool_forward(A_prev: Array, size: int, stride: int, *, mode: str = "max") -> Array:
    """Replace every window of every channel by its largest value, or by its average.

    max: a[i, h, w, c] = max_{j,k} a_prev[i, s h + j, s w + k, c]
    average: a[i, h, w, c] = (1/f^2) sum_{j,k} a_prev[i, s h + j, s w + k, c]

    A_prev is (m, n_H_prev, n_W_prev, n_C); f is ``size``, s is ``stride``, smaller than, equal to or larger than f; the
    result is (m, n_H, n_W, n_C) in the dtype of A_prev. Complex values are ordered by their real part.

    Raises ValueError for a window larger than the input, a stride below 1, an unknown mode or a wrong rank.

    Notes: F223, F239.
    """
    shape = _output_shape(A_prev, size, stride, mode)
    return POOLING[mode].forward(A_prev, size, stride, shape)


def pool_backward_loop(dA: Array, A_prev: Array, size: int, stride: int, *, mode: str = "max") -> Array:
    """Window by window: all of dA to the first maximum, or an equal share to every cell. See pool_backward."""
    shape = _output_shape(A_prev, size, stride, mode)
    dA_prev = np.zeros(A_prev.shape, np.result_type(dA, A_prev, 1.0))
    for i, h, w, c in np.ndindex(shape):
        cells = i, slice(h * stride, h * stride + size), slice(w * stride, w * stride + size), c
        if mode == "max":
            first = np.argmax(A_prev[cells].real)  # counts along the rows
            dA_prev[cells].flat[first] += dA[i, h, w, c]
        else:
            dA_prev[cells] += dA[i, h, w, c] / size**2
    return dA_prev


def pool_backward(dA: Array, A_prev: Array, size: int, stride: int, *, mode: str = "max") -> Array:
    """Hand the gradient of every window back to the cells that its value came from.

    max: da_prev[i, y, x, c] = sum of dA over the windows whose first maximum, in row order, is at (y, x)
    average: da_prev[i, y, x, c] = (1/f^2) sum of dA over the windows that hold (y, x)

    dA is (m, n_H, n_W, n_C), per example; A_prev, f = ``size`` and s = ``stride`` are those of the forward pass; the
    result has the shape of A_prev. Cells in no window get zero, cells in several get the sum.

    Raises ValueError as the forward pass does, and for a dA that has not the shape of A.

    Notes: F223, F239. Among equal values the first gets everything, as in torch.
    """
    shape = _output_shape(A_prev, size, stride, mode)
    check_shape("dA", dA, shape, "dA has the shape of A")
    return POOLING[mode].backward(dA, A_prev, size, stride, shape)


def _places(size: int, stride: int, shape: Shape) -> Iterator[tuple[slice, ...]]:
    """Row by row through a window: where its cell (i, j) lies in A_prev, for all windows at once."""
    _, n_H, n_W, _ = shape
    for i in range(size):
        for j in range(size):
            yield slice(None), slice(i, i + stride * n_H, stride), slice(j, j + stride * n_W, stride)


def _max_forward(A_prev: Array, size: int, stride: int, shape: Shape) -> Array:
    places = _places(size, stride, shape)
    A = A_prev[next(places)].copy()
    for place in places:
        cell = A_prev[place]
        if np.iscomplexobj(A):  # np.maximum would decide equal real parts by the imaginary parts
            A = np.where(cell.real > A.real, cell, A)
        else:
            np.maximum(A, cell, out=A)
    return A


def _max_backward(dA: Array, A_prev: Array, size: int, stride: int, shape: Shape) -> Array:
    places = _places(size, stride, shape)
    largest = A_prev.real[next(places)].copy()
    first = np.zeros(shape, np.min_scalar_type(size**2))  # the number of the first maximum, in row order
    for number, place in enumerate(places, start=1):
        cell = np.ascontiguousarray(A_prev.real[place])
        larger = ~(cell <= largest)  # true for NaN as well: its window's gradient is not lost
        np.maximum(first, larger * first.dtype.type(number), out=first)  # numbers only grow
        np.maximum(largest, cell, out=largest)
    dA_prev = np.zeros(A_prev.shape, np.result_type(dA, A_prev, 1.0))
    for number, place in enumerate(_places(size, stride, shape)):
        cell = dA_prev[place]
        cell += dA * (first == number)
    return dA_prev


def _average_forward(A_prev: Array, size: int, stride: int, shape: Shape) -> Array:
    A = np.zeros(shape, A_prev.dtype)
    for place in _places(size, stride, shape):
        A += A_prev[place]
    return A / size**2


def _average_backward(dA: Array, A_prev: Array, size: int, stride: int, shape: Shape) -> Array:
    share = dA / size**2
    dA_prev = np.zeros(A_prev.shape, np.result_type(dA, A_prev, 1.0))
    for place in _places(size, stride, shape):
        cell = dA_prev[place]
        cell += share
    return dA_prev


POOLING: dict[str, Pooling] = {
    "max": Pooling(_max_forward, _max_backward),
    "average": Pooling(_average_forward, _average_backward),
}
