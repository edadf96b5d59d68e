"""Gradient clipping by torch.nn.utils, with the exact translation. Counterpart of manual.clipping."""

from __future__ import annotations

import torch
from torch import Tensor, nn

EPSILON = 1e-6
"""What torch adds to the norm before it divides by it."""


def gradient_norm(module: nn.Module) -> float:
    """Length of all gradients of the module as one vector."""
    return float(_norm(module))


def clip_by_norm(module: nn.Module, limit: float) -> float:
    """Shorten the module's gradients where together they are longer than the limit; returns the norm that they had."""
    return float(shortened(module, limit))


def shortened(module: nn.Module, limit: float) -> Tensor:
    """The same without a wait for the device: the norm stays on it.

    torch multiplies by min(1, max_norm / (norm + EPSILON)): told that the norm is EPSILON less, by min(1, limit/norm).
    """
    norm = _norm(module)
    torch.nn.utils.clip_grads_with_norm_(module.parameters(), limit, norm - EPSILON)
    return norm


def _norm(module: nn.Module) -> Tensor:
    return torch.nn.utils.get_total_norm([value.grad for value in module.parameters() if value.grad is not None])
