"""Dropout: temporary."""

from __future__ import annotations

from manual.notation import Array


def dropout_forward(A: Array, mask: Array, keep_prob: float) -> Array:
    """A * mask / keep_prob."""
    return A * mask / keep_prob


def dropout_backward(dA: Array, mask: Array, keep_prob: float) -> Array:
    """DA * mask / keep_prob."""
    return dA * mask / keep_prob
