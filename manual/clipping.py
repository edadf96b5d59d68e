"""Gradient clipping: a step against exploding gradients, all of them shortened together.

Notes: F253 asks to detect explosion; clipping keeps one from happening.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from manual.notation import Gradients


class Clipped(NamedTuple):
    """The gradients, no longer together than the limit, and the norm that they had."""

    grads: Gradients
    norm: float


def gradient_norm_loop(grads: Gradients) -> float:
    """Entry by entry: the root of the sum of all squares. See gradient_norm."""
    total = 0.0
    for dW in grads.values():
        for i in np.ndindex(dW.shape):
            total += float(dW[i]) ** 2
    return math.sqrt(total)


def gradient_norm(grads: Gradients) -> float:
    """Length of all gradients as one vector: sqrt(sum_l ||dW[l]||_F^2 + ||db[l]||^2), summed in float64.

    Notes: F206.
    """
    return math.sqrt(sum(float(np.sum(np.square(dW, dtype=np.float64))) for dW in grads.values()))


def clip_by_norm_loop(grads: Gradients, limit: float) -> Clipped:
    """Entry by entry: dw := dw min(1, limit / norm). See clip_by_norm."""
    norm = gradient_norm_loop(grads)
    grads = {name: dW.copy() for name, dW in grads.items()}
    if norm > limit:
        for dW in grads.values():
            for i in np.ndindex(dW.shape):
                dW[i] *= limit / norm
    return Clipped(grads, norm)


def clip_by_norm(grads: Gradients, limit: float) -> Clipped:
    """All gradients shortened by one factor where together they are longer than the limit: their direction stays.

    dW := dW limit / norm where norm > limit; norm = gradient_norm(grads)

    Gradients within the limit are handed back as they are; none is written to. With a norm that is not finite there is
    no direction to keep, and the gradients stay as they are.

    Raises ValueError for a limit that is not above 0.

    Differs from torch, which divides by norm + 1e-6: its max_norm is limit (1 + 1e-6 / norm).
    """
    if not limit > 0:
        raise ValueError(f"limit is {limit}, expected a number above 0: the longest that the gradients may be")
    norm = gradient_norm(grads)
    if not limit < norm < math.inf:
        return Clipped(grads, norm)
    factor = float(limit / norm)
    return Clipped({name: dW * factor for name, dW in grads.items()}, norm)
