"""Costs on A and on Z, their derivatives, and the L2 penalty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

import manual.costs as by_hand
import torch_ref.costs as torch_side
from manual.activations import identity, sigmoid, softmax
from parity_tests.formulas.case import (
    LAMBDA,
    N_1,
    N_2,
    N_X,
    Case,
    Derivative,
    M,
    binary,
    distributions,
    normal,
    one_hot,
    probabilities,
)
from parity_tests.judging import bounds

Draw = Callable[[np.random.Generator], Any]

OUTPUTS: dict[str, tuple[str, str, Draw, Draw, Any]] = {
    "sigmoid": (
        "binary_cross_entropy",
        "F005 F008 F196 F198",
        lambda rng: probabilities(rng, N_2, M),
        lambda rng: binary(rng, N_2, M),
        special.expit,
    ),
    "softmax": (
        "cross_entropy",
        "F247",
        lambda rng: distributions(rng, N_1, M),
        lambda rng: one_hot(rng, N_1, M),
        lambda Z: special.softmax(Z, axis=0),
    ),
    "identity": (
        "squared_error",
        "F137",
        lambda rng: normal(rng, N_2, M),
        lambda rng: normal(rng, N_2, M),
        lambda Z: Z,
    ),
}
"""By output unit: the cost's name, its formulas, draws of A and Y, and the unit itself by SciPy."""


def _cases(unit: str) -> tuple[Case, ...]:
    """The cost on A, on Z, on saturated Z, its derivative in A, and A - Y."""
    name, formulas, draw_A, draw_Y, output = OUTPUTS[unit]
    from_A, prime, from_Z = by_hand.OUTPUT_COSTS[unit]
    _, torch_from_A, torch_prime, torch_from_Z = torch_side.OUTPUT_COSTS[unit]
    prime_formulas = {"sigmoid": "F010 F011 F172", "softmax": "F247", "identity": "F137"}[unit]
    g = {"sigmoid": sigmoid, "softmax": softmax, "identity": identity}[unit]

    def logits(rng: np.random.Generator) -> dict[str, Any]:
        Y = draw_Y(rng)
        return {"Z": 3 * normal(rng, *Y.shape), "Y": Y}

    def saturated(rng: np.random.Generator) -> dict[str, Any]:
        Y = draw_Y(rng)
        return {"Z": rng.choice([-1000.0, -40.0, 40.0, 1000.0], Y.shape), "Y": Y}

    def of_logits(u: float, at: Any) -> Any:
        return bounds.cost_from_logits(u, at.J, at.Z, unit)

    return (
        Case(
            f"costs.{name}",
            formulas,
            inputs=lambda rng: {"A": draw_A(rng), "Y": draw_Y(rng)},
            manual=from_A,
            loop=None,
            reference=torch_from_A,
            bounds={"J": lambda u, at: bounds.cost_from_A(u, at.J, at.A, unit)},
        ),
        Case(
            f"costs.{name}_from_logits",
            formulas,
            inputs=logits,
            manual=from_Z,
            loop=None,
            reference=torch_from_Z,
            bounds={"J": of_logits},
        ),
        Case(
            f"costs.{name}_from_logits_saturated",
            formulas,
            inputs=saturated,
            manual=from_Z,
            loop=None,
            reference=torch_from_Z,
            bounds={"J": of_logits},
        ),
        Case(
            f"costs.{name}_prime",
            prime_formulas,
            inputs=lambda rng: {"A": draw_A(rng), "Y": draw_Y(rng)},
            manual=prime,
            loop=None,
            reference=torch_prime,
            bounds={"dA": lambda u, at: bounds.output_dA(u, at.dA, at.A, unit)},
            derivatives={"dA": Derivative(of=lambda A, Y: from_A(A, Y) * M, wrt="A")},
        ),
        Case(
            f"costs.output_dZ_{unit}",
            "F014 F050 F098",
            inputs=logits,
            manual=lambda Z, Y: by_hand.output_dZ(g(Z), Y),
            loop=None,
            reference=lambda Z, Y: torch_side.output_dZ(unit, Z, Y),
            bounds={"dZ": lambda u, at: bounds.output_dZ(u, at.dZ, output(at.Z), at.Z, unit)},
            derivatives={"dZ": Derivative(of=lambda Z, Y: from_Z(Z, Y) * M, wrt="Z")},
        ),
    )


def _weights(rng: np.random.Generator) -> dict[str, Any]:
    return {"W1": normal(rng, N_1, N_X), "W2": normal(rng, N_2, N_1), "lambda_": LAMBDA, "m": M}


CASES = (
    *_cases("sigmoid"),
    *_cases("softmax"),
    *_cases("identity"),
    Case(
        "costs.l2_penalty",
        "F199 F206",
        inputs=_weights,
        manual=lambda W1, W2, lambda_, m: by_hand.l2_penalty([W1, W2], lambda_, m),
        loop=lambda W1, W2, lambda_, m: by_hand.l2_penalty_loop([W1, W2], lambda_, m),
        reference=lambda W1, W2, lambda_, m: torch_side.l2_penalty([W1, W2], lambda_, m),
        bounds={"penalty": lambda u, at: bounds.penalty(u, at.penalty, at.W1.size + at.W2.size)},
    ),
    Case(
        "costs.frobenius_norm",
        "F207",
        inputs=lambda rng: {"A": np.array([[1.0, 2.0, 1.0], [-1.0, 2.0, -3.0], [0.0, 1.0, -2.0]])},
        manual=lambda A: by_hand.l2_penalty([A], 2.0, 1),
        loop=lambda A: by_hand.l2_penalty_loop([A], 2.0, 1),
        reference=lambda A: torch_side.l2_penalty([A], 2.0, 1),
        bounds={"norm_squared": lambda u, at: bounds.penalty(u, at.norm_squared, at.A.size)},
    ),
)
