"""How far two correct computations of a convolution, a pooling or a dropout may differ, entry by entry.

As in ``bounds``: a sum of n products errs by at most gamma(n) times the sum of their magnitudes. That sum is the same
operation on absolute values, which torch's own functions compute here in float64, never the code under test. The
reference must add the products as they are: a Winograd or FFT convolution would need larger constants.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch.nn.grad import conv2d_input, conv2d_weight

from manual.shapes import conv_output_size, pad_pair
from parity_tests.judging.bounds import Bound, Magnitudes, gamma
from torch_ref.conv import conv_forward as torch_conv_forward
from torch_ref.devices import array
from torch_ref.layout import filters_from_torch, filters_to_torch, from_rows, to_rows
from torch_ref.pooling import pool_backward as torch_pool_backward
from torch_ref.pooling import pool_forward as torch_pool_forward


def _of(*values: Magnitudes) -> list[torch.Tensor]:
    """Absolute values as tensors."""
    return [torch.from_numpy(np.abs(np.ascontiguousarray(value))) for value in values]


def conv_forward(u: float, A_prev: Magnitudes, W: Magnitudes, b: Magnitudes, stride: int = 1, pad: Any = 0) -> Bound:
    """Z: f_H f_W n_C_prev products and the bias."""
    terms = W.shape[0] * W.shape[1] * W.shape[2]
    return gamma(terms + 2, u) * array(torch_conv_forward(*_of(A_prev, W, b), stride=stride, pad=pad))


def conv_backward(
    u: float,
    dZ: Magnitudes,
    A_prev: Magnitudes,
    W: Magnitudes,
    stride: int = 1,
    pad: Any = 0,
    lambda_: float = 0.0,
) -> tuple[Bound, Bound, Bound]:
    """dA_prev: at most f_H f_W n_C products, 1/m in and out; dW and db: m n_H n_W products, the division, the penalty.

    The sums alone are asked for, without a pass forward.
    """
    m, n_H, n_W, n_C = dZ.shape
    upstream, values, filters = _of(dZ, A_prev, W)
    padding = pad_pair(pad, W.shape[0], W.shape[1], stride)
    upstream, values, filters = to_rows(upstream), to_rows(values), filters_to_torch(filters)
    dA_prev = from_rows(conv2d_input(values.shape, filters, upstream, stride, padding))  # type: ignore[no-untyped-call]
    dW = filters_from_torch(conv2d_weight(values, filters.shape, upstream, stride, padding))  # type: ignore[no-untyped-call]
    db = upstream.sum((0, 2, 3)).reshape(1, 1, 1, n_C)
    terms = W.shape[0] * W.shape[1] * n_C
    sums = gamma(m * n_H * n_W + 4, u) / m
    return gamma(terms + 3, u) * array(dA_prev), sums * (array(dW) + lambda_ * np.abs(W)), sums * array(db)


def pool_forward(u: float, A_prev: Magnitudes, size: int, stride: int, mode: str) -> Bound:
    """The largest value exactly; the average of f^2 values, with the division."""
    if mode == "max":
        m, n_H, n_W, n_C = A_prev.shape
        return np.zeros((m, *(conv_output_size(n, size, stride=stride) for n in (n_H, n_W)), n_C))
    (values,) = _of(A_prev)
    return gamma(size**2 + 1, u) * array(torch_pool_forward(values, size, stride, mode=mode))


def pool_backward(u: float, dA: Magnitudes, A_prev: Magnitudes, size: int, stride: int, mode: str) -> Bound:
    """A cell adds one share from every window that holds it: ceil(f/s)^2 at most, a division, 1/m in and out."""
    shares = math.ceil(size / stride) ** 2
    upstream, values = torch.from_numpy(np.abs(dA)), torch.from_numpy(np.ascontiguousarray(A_prev))
    return gamma(shares + 4, u) * array(torch_pool_backward(upstream, values, size, stride, mode=mode))


def dropout(u: float, value: Magnitudes) -> Bound:
    """A * mask / keep_prob: a product, a quotient; on the way back 1/m in and out; 1 - p for keep_prob."""
    return gamma(6, u) * np.abs(value)
