"""Inverted dropout: some units are silent in a step of training, the others louder, so that the mean stays.

The mask holds a 1 for every entry that is kept and a 0 for every other; ``manual.draws.dropout_mask`` draws it.
Prediction uses no mask.

Notes: F254 names dropout without a formula.
"""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from manual.notation import Array, check_shape


def dropout_forward_loop(A: Array, mask: Array, keep_prob: float) -> Array:
    """Entry by entry: a / keep_prob where the mask is 1, else 0. See dropout_forward."""
    dropped = np.zeros_like(A)
    for i in np.ndindex(A.shape):
        if mask[i]:
            dropped[i] = A[i] / keep_prob
    return dropped


def dropout_forward(A: Array, mask: Array, keep_prob: float) -> Array:
    """Silence the units that the mask leaves out, and make up for them: A := A * mask / keep_prob.

    A is (n, m) or (m, n_H, n_W, n_C); the mask has its shape and holds 0 and 1, as bool or in any dtype. The result has
    A's dtype.

    Raises ValueError unless the mask has the shape of A and keep_prob lies in (0, 1].

    Notes: F254. Differs from torch, whose p is the probability to drop: p = 1 - keep_prob.
    """
    return _kept("A", A, mask, keep_prob)


def dropout_backward_loop(dA: Array, mask: Array, keep_prob: float) -> Array:
    """Entry by entry: da / keep_prob where the mask is 1, else 0. See dropout_backward."""
    return dropout_forward_loop(dA, mask, keep_prob)


def dropout_backward(dA: Array, mask: Array, keep_prob: float) -> Array:
    """Derivative in what went into dropout_forward: dA := dA * mask / keep_prob, with the mask of the forward pass.

    dA, per example, has the shape of A, and so has the result.

    Raises ValueError unless the mask has the shape of dA and keep_prob lies in (0, 1].

    Notes: F254.
    """
    return _kept("dA", dA, mask, keep_prob)


def check_keep_prob(keep_prob: Any) -> None:
    """ValueError unless keep_prob is a number in (0, 1]."""
    if not isinstance(keep_prob, Real) or not 0 < float(keep_prob) <= 1:
        raise ValueError(f"keep_prob is {keep_prob!r}, expected a number in (0, 1]: the probability to keep a unit")


def _kept(name: str, array: Array, mask: Array, keep_prob: float) -> Array:
    """The array times the mask over keep_prob."""
    check_shape("mask", mask, array.shape, f"one 0 or 1 for each entry of {name}")
    check_keep_prob(keep_prob)
    kept = np.multiply(array, mask, dtype=array.dtype)
    kept /= keep_prob
    return kept
