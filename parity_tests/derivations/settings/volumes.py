"""Functions of volumes that formulas may call: padding, windows as rows and back, convolution and pooling."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import numpy as np

from manual.notation import Array
from manual.shapes import conv_output_size

MOST_ENTRIES = 1_000_000
"""The largest array that such a function gives."""


def _count(name: str, value: Any, least: int) -> int:
    """A whole number that the formula gave as a float."""
    number = np.real(value)
    if np.size(number) != 1 or not float(number).is_integer() or not least <= float(number) <= 64:
        raise ValueError(f"{name} is {number}, expected a whole number from {least} to 64")
    return int(number)


def zero_pad(A: Any, pad: Any) -> Any:
    """A volume, or a batch of them, with a border of zeros."""
    p = _count("pad", pad, 0)
    if np.ndim(A) not in (3, 4):
        raise ValueError(f"A has shape {np.shape(A)}, expected (m, n_H, n_W, n_C)")
    if math.prod(A.shape) * (1 + 2 * p) ** 2 > MOST_ENTRIES:
        raise ValueError(f"pad is {p}: the result is too large")
    border = ((0, 0),) * (A.ndim - 3) + ((p, p), (p, p), (0, 0))
    return np.pad(A, border)


def conv_forward(A_prev: Any, W: Any, b: Any, stride: Any, pad: Any) -> Any:
    """Z of a convolution, on any kind of numbers: what every cell of the filters sees, times the cell."""
    (f, f_W), s = np.shape(W)[:2], _count("stride", stride, 1)
    A = zero_pad(A_prev, pad)
    if np.ndim(W) != 4 or np.ndim(A) != 4 or np.shape(A)[3] != np.shape(W)[2] or max(f, f_W) > min(np.shape(A)[1:3]):
        raise ValueError(f"W has shape {np.shape(W)}, expected (f, f, n_C_prev, n_C) for an input of {np.shape(A)}")
    return sum((seen @ W[j, k] for j, k, seen in _seen(A, f, f_W, s)), 0 * b) + b


def _seen(A: Any, f_H: int, f_W: int, s: int) -> Iterator[tuple[int, int, Any]]:
    """For each cell of a window, what it sees of every window: (m, n_H, n_W, n_C)."""
    n_H, n_W = ((n - f) // s + 1 for n, f in zip(np.shape(A)[1:3], (f_H, f_W), strict=True))
    for j, k in np.ndindex(f_H, f_W):
        yield j, k, A[:, j : j + s * (n_H - 1) + 1 : s, k : k + s * (n_W - 1) + 1 : s, :]


def im2col(A_prev: Array, f: Any, stride: Any, pad: Any) -> Array:
    """Every window of the padded input as a row: (m n_H n_W, f f n_C_prev)."""
    f, s = _count("f", f, 1), _count("stride", stride, 1)
    A = zero_pad(A_prev, pad)
    if A.ndim != 4 or f > min(A.shape[1:3]):
        raise ValueError(f"the padded input has shape {A.shape}, expected four axes and room for a window of {f}")
    windows = np.lib.stride_tricks.sliding_window_view(A, (f, f), axis=(1, 2))[:, ::s, ::s]
    if windows.size > MOST_ENTRIES:
        raise ValueError("the result is too large")
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, f * f * A.shape[3])


def col2im(columns: Array, n_H_prev: Any, n_W_prev: Any, f: Any, stride: Any, pad: Any) -> Array:
    """The rows of windows added up where they came from, without the border: the transpose of ``im2col``."""
    f, s, p = _count("f", f, 1), _count("stride", stride, 1), _count("pad", pad, 0)
    H, W = _count("n_H_prev", n_H_prev, 1), _count("n_W_prev", n_W_prev, 1)
    n_H, n_W = (conv_output_size(n, f, pad=p, stride=s) for n in (H, W))
    if np.ndim(columns) != 2 or columns.shape[0] % (n_H * n_W) or columns.shape[1] % (f * f):
        shape = np.shape(columns)
        raise ValueError(f"the windows have shape {shape}, expected (m n_H n_W, f f n_C) with {n_H}, {n_W}, {f}")
    windows = columns.reshape(-1, n_H, n_W, f, f, columns.shape[1] // (f * f))
    found = np.zeros((len(windows), H + 2 * p, W + 2 * p, windows.shape[-1]), columns.dtype)
    for j in range(f):
        for k in range(f):
            found[:, j : j + s * n_H : s, k : k + s * n_W : s] += windows[:, :, :, j, k]
    return found[:, p : p + H, p : p + W]


def _windows(A_prev: Any, f: Any, stride: Any) -> list[Any]:
    """What each cell of a window sees, for pooling."""
    f, s = _count("f", f, 1), _count("stride", stride, 1)
    if np.ndim(A_prev) != 4 or f > min(np.shape(A_prev)[1:3]):
        raise ValueError(f"A_prev has shape {np.shape(A_prev)}, expected four axes and room for a window of {f}")
    return [seen for _, _, seen in _seen(A_prev, f, f, s)]


def max_pool(A_prev: Any, f: Any, stride: Any) -> Any:
    """A of a pooling layer that keeps the largest value; of equals the first."""
    return reduce(np.maximum, _windows(A_prev, f, stride))


def average_pool(A_prev: Any, f: Any, stride: Any) -> Any:
    """A of a pooling layer that keeps the average."""
    cells = _windows(A_prev, f, stride)
    return sum(cells) / len(cells)


VOLUME_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "zero_pad": zero_pad,
    "conv_forward": conv_forward,
    "im2col": im2col,
    "col2im": col2im,
    "max_pool": max_pool,
    "average_pool": average_pool,
}
"""What formulas of the settings with volumes may call."""

WINDOW = """\
for i in range(m):
    for h in range(n_H):
        for w in range(n_W):
            for c in range(n_C):
"""
"""The loops over all windows, outermost first."""


def over_windows(*lines: str, before: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> str:
    """A derivation with the lines inside the loops over all windows."""
    body = "".join(f"{' ' * 16}{line}\n" for line in lines)
    return "\n".join((*before, WINDOW + body.rstrip("\n"), *after))


CORNERS = (
    "vert_start = h * stride",
    "vert_end = vert_start + f",
    "horiz_start = w * stride",
    "horiz_end = horiz_start + f",
)
"""The corners of a window under their usual names."""
