"""Dropout with a given mask, and its derivative: on the columns of dense layers and on volumes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import manual.dropout as by_hand
import torch_ref.dropout as torch_side
from manual.draws import dropout_mask
from parity_tests.formulas.case import N_1, N_2, N_X, Case, Derivative, Inputs, M, normal
from parity_tests.formulas.formula import Code, Formula, Sharp, Words, code, refusal
from parity_tests.formulas.planting import fault, instead, result
from parity_tests.judging.bounds import Bound, Magnitudes, gamma


def dropout_bound(u: float, value: Magnitudes) -> Bound:
    """A * mask / keep_prob: a product, a quotient; on the way back 1/m in and out; 1 - p for keep_prob."""
    return gamma(6, u) * np.abs(value)


# pragma: no mutate start, for what follows is drawn and planted: the bounds above judge


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
            bounds={"dropped": lambda u, at: dropout_bound(u, at.dropped)},
            stays_real={"mask": "masks are cast to the dtype of A"},
        ),
        Case(
            f"dropout.backward{suffix}",
            "F254",
            inputs=lambda rng: {**_probe("dA", *shape)(rng), "A": normal(rng, *shape)},
            manual=lambda dA, mask, keep_prob, A: by_hand.dropout_backward(dA, mask, keep_prob),
            loop=lambda dA, mask, keep_prob, A: by_hand.dropout_backward_loop(dA, mask, keep_prob),
            reference=lambda dA, mask, keep_prob, A: torch_side.dropout_backward(dA, mask, keep_prob),
            bounds={"dA_prev": lambda u, at: dropout_bound(u, at.dA_prev)},
            derivatives={"dA_prev": Derivative(of=weighted, wrt="A")},
            stays_real={
                "mask": "masks are cast to the dtype of dA",
                "A": "the derivative does not depend on A",
            },
        ),
    )


_FORWARD, _BACKWARD = zip(_cases("", N_1, M), _cases("_of_volumes", N_2, N_X, N_1, M), strict=True)

OF_SIX, KEEP = np.ones((2, 3)), "expected a number in (0, 1]: the probability to keep a unit"
"""What is refused, and why."""


FORMULAS = (
    Formula(
        (
            code(by_hand, torch_side, "dropout_forward", "F254"),
            Code("draws.dropout_mask", "F254"),
            Code("draws.dropout_masks", "F254"),
        ),
        Words(
            "Dropout forward",
            r"A \coloneqq \frac{A * D}{keep}, \qquad d_{ji} \sim \mathrm{Bernoulli}(keep)",
            "Each entry is kept with probability $keep$ and divided by it, so that its mean stays. Nothing has to "
            "change when the network is used.",
            "The division by keep is missing.",
            "Activations in use are larger than in training by 1/keep per layer.",
        ),
        cases=_FORWARD,
        sharp=(Sharp(0.1),),
        faults=(
            fault("dropout-not-rescaled", instead(lambda A, mask, k: A * mask), "dropped", at="manual"),
            fault("keep_prob for p", lambda f: lambda A, mask, k: f(A, mask, 1 - k), "dropped", at="reference"),
            fault(
                "rescaled twice",
                result(lambda D, A, mask, k: D / k),
                "dropped",
                at="case:dropout.forward_of_volumes manual",
            ),
        ),
        refusals=(
            refusal("mask has shape (3, 2), expected (2, 3): one 0 or 1 for each entry of A", OF_SIX, OF_SIX.T, 0.5),
            *(
                refusal(f"keep_prob is {keep_prob!r}, {KEEP}", OF_SIX, OF_SIX, keep_prob)
                for keep_prob in (0.0, -0.1, 1.1, float("nan"), "half")
            ),
            *(
                refusal(f"keep_prob is {keep_prob!r}, {KEEP}", (2, 3), keep_prob, None, of=dropout_mask)
                for keep_prob in (0.0, -0.1, 1.1, float("nan"), "half")
            ),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "dropout_backward", "F254"),),
        Words(
            "Dropout backward",
            r"dA \coloneqq \frac{dA * D}{keep}",
            "The mask is a constant factor on the way forward, so it is the same factor on the way back.",
            "The mask is forgotten on the way back.",
            "dA is not 0 where the mask is 0.",
            shapes="dA, the mask and the result have the shape of A.",
        ),
        cases=_BACKWARD,
        sharp=(Sharp(0.1),),
        faults=(
            fault(
                "dropout-mask-forgotten-backward",
                instead(lambda dA, mask, k, A: dA / np.asarray(k, dA.dtype)),
                "dA_prev",
                at="manual",
            ),
            fault(
                "mask and its complement",
                lambda f: lambda dA, mask, k, A: f(dA, 1 - mask, k, A),
                "dA_prev",
                at="case:dropout.backward_of_volumes manual",
            ),
        ),
        refusals=(
            refusal(
                "mask has shape (2, 1), expected (2, 3): one 0 or 1 for each entry of dA", OF_SIX, OF_SIX[:, :1], 0.5
            ),
            *(
                refusal(f"keep_prob is {keep_prob!r}, {KEEP}", OF_SIX, OF_SIX, keep_prob)
                for keep_prob in (0.0, -0.1, 1.1, float("nan"), "half")
            ),
        ),
    ),
)
# pragma: no mutate end
