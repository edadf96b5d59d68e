"""Dropout with a given mask, and its derivative: on the columns of dense layers and on volumes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import manual.dropout as by_hand
import torch_ref.dropout as torch_side
from manual.draws import dropout_mask
from parity_tests.formulas.case import N_1, N_2, N_X, Case, Derivative, Inputs, M, normal
from parity_tests.judging import volume_bounds

KEEP_PROB = 0.7


def _probe(name: str, *shape: int) -> Callable[[np.random.Generator], Inputs]:
    return lambda rng: {
        name: normal(rng, *shape),
        "mask": dropout_mask(shape, KEEP_PROB, rng),
        "keep_prob": KEEP_PROB,
    }


def _cases(suffix: str, *shape: int) -> tuple[Case, Case]:
    """Forward and backward on activations of one shape."""

    def weighted(dA: Any, mask: Any, keep_prob: float, A: Any) -> Any:
        return np.sum(dA * by_hand.dropout_forward(A, mask, keep_prob))

    return (
        Case(
            f"dropout.forward{suffix}",
            "F254",
            inputs=_probe("A", *shape),
            manual=by_hand.dropout_forward,
            loop=by_hand.dropout_forward_loop,
            reference=torch_side.dropout_forward,
            bounds={"dropped": lambda u, at: volume_bounds.dropout(u, at.dropped)},
        ),
        Case(
            f"dropout.backward{suffix}",
            "F254",
            inputs=lambda rng: {**_probe("dA", *shape)(rng), "A": normal(rng, *shape)},
            manual=lambda dA, mask, keep_prob, A: by_hand.dropout_backward(dA, mask, keep_prob),
            loop=lambda dA, mask, keep_prob, A: by_hand.dropout_backward_loop(dA, mask, keep_prob),
            reference=lambda dA, mask, keep_prob, A: torch_side.dropout_backward(dA, mask, keep_prob),
            bounds={"dA_prev": lambda u, at: volume_bounds.dropout(u, at.dA_prev)},
            derivatives={"dA_prev": Derivative(of=weighted, wrt="A")},
        ),
    )


CASES = (*_cases("", N_1, M), *_cases("_of_volumes", N_2, N_X, N_1, M))
