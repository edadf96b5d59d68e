"""Derivatives the framework's way: write the function, let autograd differentiate it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def gradient(function: Callable[..., Tensor], at: Tensor, upstream: Tensor | None = None) -> Tensor:
    """Autograd's derivative of ``function`` at a point: the vector-Jacobian product with ``upstream``.

    Without ``upstream`` the function must return one number. The result has the shape of ``at``.
    """
    with torch.enable_grad():  # a hook of a backward pass runs without
        point = at.detach().clone().requires_grad_()
        value = function(point)
        (result,) = torch.autograd.grad(value, point, upstream)
    return result


def derivative(g: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """g' of a function that acts entry by entry, through autograd."""

    def g_prime(Z: Tensor) -> Tensor:
        return gradient(g, Z, torch.ones_like(Z))

    return g_prime
