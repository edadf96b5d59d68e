"""A dense layer through F.linear, and its derivatives through autograd. Counterpart of manual.dense."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from torch_ref.costs import l2_penalty
from torch_ref.gradients import gradient


def linear_forward(A_prev: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """F.linear, which takes examples in rows and the bias flat."""
    return functional.linear(A_prev.T, W, b.flatten()).T


def _no_bias(W: Tensor) -> Tensor:
    return torch.zeros(W.shape[0], 1, dtype=W.dtype, device=W.device)


def weight_gradient(dZ: Tensor, A_prev: Tensor, W: Tensor, lambda_: float = 0.0) -> Tensor:
    """Autograd of the layer under dZ/m, and of the penalty."""
    m = dZ.shape[1]
    dW = gradient(lambda at: linear_forward(A_prev, at, _no_bias(W)), W, dZ / m)
    if lambda_:
        dW = dW + gradient(lambda at: l2_penalty([at], lambda_, m), W)
    return dW


def bias_gradient(dZ: Tensor) -> Tensor:
    """Autograd of the layer in b under dZ/m; A_prev and W play no part in it."""
    n, m = dZ.shape
    nothing = torch.zeros(1, m, dtype=dZ.dtype, device=dZ.device)
    b = torch.zeros(n, 1, dtype=dZ.dtype, device=dZ.device)
    return gradient(lambda at: linear_forward(nothing, torch.zeros_like(b), at), b, dZ / m)


def input_gradient(dZ: Tensor, W: Tensor) -> Tensor:
    """Autograd of the layer in A_prev under dZ."""
    A_prev = torch.zeros(W.shape[1], dZ.shape[1], dtype=dZ.dtype, device=dZ.device)
    return gradient(lambda at: linear_forward(at, W, _no_bias(W)), A_prev, dZ)


class LinearBackward(NamedTuple):
    """dA_prev per example, dW and db with the 1/m."""

    dA_prev: Tensor
    dW: Tensor
    db: Tensor


def linear_backward(dZ: Tensor, A_prev: Tensor, W: Tensor, lambda_: float = 0.0) -> LinearBackward:
    """The three derivatives from one backward pass over the layer and the penalty."""
    m = dZ.shape[1]
    leaves = [value.detach().clone().requires_grad_() for value in (A_prev, W, _no_bias(W))]
    Z = linear_forward(*leaves)
    objective = (Z * (dZ / m)).sum() + l2_penalty([leaves[1]], lambda_, m)
    dA_prev, dW, db = torch.autograd.grad(objective, leaves)
    return LinearBackward(dA_prev * m, dW, db)
