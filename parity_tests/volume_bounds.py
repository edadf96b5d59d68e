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

from parity_tests.bounds import Bound, Magnitudes, gamma
from torch_ref.conv import conv_backward as torch_conv_backward
from torch_ref.conv import conv_forward as torch_conv_forward
from torch_ref.devices import array
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

    The penalty is added apart: through the reference it would pass a square root that zeros have no derivative at.
    """
    m, n_H, n_W, n_C = dZ.shape
    dA_prev, dW, db = (array(value) for value in torch_conv_backward(*_of(dZ, A_prev, W), stride=stride, pad=pad))
    terms = W.shape[0] * W.shape[1] * n_C
    sums = gamma(m * n_H * n_W + 4, u)
    return gamma(terms + 3, u) * dA_prev, sums * (dW + lambda_ / m * np.abs(W)), sums * db


def pool_forward(u: float, A_prev: Magnitudes, size: int, stride: int, mode: str) -> Bound:
    """The largest value exactly; the average of f^2 values, with the division."""
    (values,) = _of(A_prev)
    largest_or_average = array(torch_pool_forward(values, size, stride, mode=mode))
    return gamma(0 if mode == "max" else size**2 + 1, u) * largest_or_average


def pool_backward(u: float, dA: Magnitudes, A_prev: Magnitudes, size: int, stride: int, mode: str) -> Bound:
    """A cell adds one share from every window that holds it: ceil(f/s)^2 at most, a division, 1/m in and out."""
    shares = math.ceil(size / stride) ** 2
    upstream, values = torch.from_numpy(np.abs(dA)), torch.from_numpy(np.ascontiguousarray(A_prev))
    return gamma(shares + 4, u) * array(torch_pool_backward(upstream, values, size, stride, mode=mode))


def dropout(u: float, value: Magnitudes) -> Bound:
    """A * mask / keep_prob: a product, a quotient; on the way back 1/m in and out; 1 - p for keep_prob."""
    return gamma(6, u) * np.abs(value)
