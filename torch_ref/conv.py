"""Convolution through F.conv2d in the notes' layout, its derivatives through autograd. Counterpart of manual.conv."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from torch_ref.costs import l2_penalty
from torch_ref.gradients import gradient
from torch_ref.layout import filters_to_torch, from_rows, to_rows


def zero_pad(A: Tensor, pad: int | tuple[int, int]) -> Tensor:
    """F.pad on the two middle axes."""
    p_H, p_W = pad if isinstance(pad, tuple) else (pad, pad)
    return functional.pad(A, (0, 0, p_W, p_W, p_H, p_H))


def conv_forward(A_prev: Tensor, W: Tensor, b: Tensor, *, stride: int = 1, pad: Any = 0) -> Tensor:
    """F.conv2d, which takes channels first; "same" is torch's own."""
    return from_rows(functional.conv2d(to_rows(A_prev), filters_to_torch(W), b.flatten(), stride, pad))


class ConvBackward(NamedTuple):
    """dA_prev per example, dW and db with the 1/m."""

    dA_prev: Tensor
    dW: Tensor
    db: Tensor


def conv_backward(
    dZ: Tensor, A_prev: Tensor, W: Tensor, *, stride: int = 1, pad: Any = 0, lambda_: float = 0.0
) -> ConvBackward:
    """The three derivatives from one backward pass over the convolution and the penalty."""
    m, n_C = dZ.shape[0], dZ.shape[3]
    no_bias = torch.zeros(1, 1, 1, n_C, dtype=dZ.dtype, device=dZ.device)
    leaves = [value.detach().clone().requires_grad_() for value in (A_prev, W, no_bias)]
    Z = conv_forward(*leaves, stride=stride, pad=pad)
    objective = (Z * (dZ / m)).sum() + l2_penalty([leaves[1]], lambda_, m)
    dA_prev, dW, db = torch.autograd.grad(objective, leaves)
    return ConvBackward(dA_prev * m, dW, db)


def flatten(A: Tensor) -> Tensor:
    """torch.flatten of every example; the volumes are channels last already."""
    return torch.flatten(A, 1).T


def flatten_backward(dA: Tensor, shape: tuple[int, int, int, int]) -> Tensor:
    """Autograd through flatten."""
    return gradient(flatten, torch.zeros(shape, dtype=dA.dtype, device=dA.device), dA)
