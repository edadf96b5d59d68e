"""Jacobians by torch.func.jacrev on the layer itself. Counterpart of manual.jacobians."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import jacrev

from torch_ref.gradients import gradient


def dZ_dW(A_prev: Tensor, n: int) -> Tensor:
    """Jacobian of W A_prev in W."""
    W = torch.zeros(n, A_prev.shape[0], dtype=A_prev.dtype, device=A_prev.device)
    return _jacobian(lambda at: at @ A_prev, W)


def dA_dZ(Z: Tensor, g: Callable[[Tensor], Tensor]) -> Tensor:
    """Jacobian of g(Z) in Z."""
    return _jacobian(g, Z)


def dZ_dA_prev(W: Tensor, m: int) -> Tensor:
    """Jacobian of W A_prev in A_prev."""
    A_prev = torch.zeros(W.shape[1], m, dtype=W.dtype, device=W.device)
    return _jacobian(lambda at: W @ at, A_prev)


def dA_dW(W: Tensor, b: Tensor, A_prev: Tensor, g: Callable[[Tensor], Tensor]) -> Tensor:
    """Jacobian of g(W A_prev + b) in W."""
    return _jacobian(lambda at: g(at @ A_prev + b), W)


def weight_gradient_by_index(dA: Tensor, W: Tensor, b: Tensor, A_prev: Tensor, g: Callable[[Tensor], Tensor]) -> Tensor:
    """Autograd of sum dA * g(W A_prev + b) in W."""
    return gradient(lambda at: g(at @ A_prev + b), W, dA)


def input_gradient_by_index(dA: Tensor, W: Tensor, b: Tensor, A_prev: Tensor, g: Callable[[Tensor], Tensor]) -> Tensor:
    """Autograd of sum dA * g(W A_prev + b) in A_prev."""
    return gradient(lambda at: g(W @ at + b), A_prev, dA)


def _jacobian(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    result: Tensor = jacrev(function)(at)
    return result
