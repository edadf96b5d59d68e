"""torch's own layout: F.unfold, F.fold, F.conv2d and padded pooling. Counterpart of manual.channels_first."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from torch_ref.gradients import gradient
from torch_ref.pooling import POOLS


class ConvBackward(NamedTuple):
    """dA_prev per example, dW and db with the 1/m."""

    dA_prev: Tensor
    dW: Tensor
    db: Tensor


def im2col(A: Tensor, f_H: int, f_W: int, stride: int = 1, pad: int = 0) -> Tensor:
    """F.unfold."""
    return functional.unfold(A, (f_H, f_W), padding=pad, stride=stride)


def col2im(
    dcols: Tensor, shape: tuple[int, int, int, int], f_H: int, f_W: int, stride: int = 1, pad: int = 0
) -> Tensor:
    """F.fold."""
    return functional.fold(dcols, shape[2:], (f_H, f_W), padding=pad, stride=stride)


def conv_first_forward(A_prev: Tensor, W: Tensor, b: Tensor, stride: int = 1, pad: int = 0) -> Tensor:
    """F.conv2d."""
    return functional.conv2d(A_prev, W, b, stride, pad)


def conv_first_backward(dZ: Tensor, A_prev: Tensor, W: Tensor, stride: int = 1, pad: int = 0) -> ConvBackward:
    """Autograd under dZ."""
    b = torch.zeros(len(W), dtype=W.dtype, device=W.device)
    at_A, at_W, at_b = (each.detach().clone().requires_grad_() for each in (A_prev, W, b))
    found = torch.autograd.grad(conv_first_forward(at_A, at_W, at_b, stride, pad), (at_A, at_W, at_b), dZ)
    return ConvBackward(found[0], found[1] / len(A_prev), found[2] / len(A_prev))


def padded_pool_forward(A_prev: Tensor, size: int, stride: int, pad: int, mode: str = "max") -> Tensor:
    """F.max_pool2d or F.avg_pool2d."""
    return POOLS[mode].function(A_prev, size, stride, pad)


def padded_pool_backward(dA: Tensor, A_prev: Tensor, size: int, stride: int, pad: int, mode: str = "max") -> Tensor:
    """Autograd through the pooling."""
    return gradient(lambda at: padded_pool_forward(at, size, stride, pad, mode), A_prev, dA)
