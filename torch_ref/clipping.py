"""Gradient clipping by torch.nn.utils, with the exact translation. Counterpart of manual.clipping."""

from __future__ import annotations

import torch
from torch import nn

EPSILON = 1e-6
"""What torch adds to the norm before it divides by it."""


def gradient_norm(module: nn.Module) -> float:
    """Length of all gradients of the module as one vector."""
    grads = [value.grad for value in module.parameters() if value.grad is not None]
    return float(torch.nn.utils.get_total_norm(grads))


def clip_by_norm(module: nn.Module, limit: float) -> float:
    """Shorten the module's gradients where together they are longer than the limit; returns the norm that they had.

    torch multiplies by min(1, max_norm / (norm + EPSILON)), so max_norm = limit (1 + EPSILON / norm) gives
    min(1, limit / norm).
    """
    norm = gradient_norm(module)
    if norm > 0:
        torch.nn.utils.clip_grad_norm_(module.parameters(), limit * (1 + EPSILON / norm))
    return norm
