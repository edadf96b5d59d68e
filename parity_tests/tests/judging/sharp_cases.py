"""Cases that come close to their bounds: few roundings, and for every term of a bound a probe in which it dominates.

On the ordinary probes a bound may be wide, or one of its terms be lost among the others. On these an error comes near
its bound, so that a bound ten times wider, or one that lacks a term, is seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from manual import activations, conv, costs, theory
from parity_tests.formulas import CASES, FORMULAS
from parity_tests.formulas.case import Case, Inputs, normal
from parity_tests.formulas.formula import Formula, Sharp
from parity_tests.judging import bounds, volume_bounds
from torch_ref import activations as torch_activations
from torch_ref import conv as torch_conv
from torch_ref import costs as torch_costs
from torch_ref import theory as torch_theory

ORDINARY = {case.id: case for case in CASES}

BELOW_HALF = 16.8
"""A shift d whose e^-d lies just below half a unit in the last place of 1 in float32: added to 1, it is lost."""

Draw = Callable[[np.random.Generator], Inputs]


def drawn(name: str, of: str, inputs: Draw) -> Case:
    """An ordinary case on other probes."""
    return replace(ORDINARY[of], id=f"{of}, {name}", inputs=inputs, loop=None, derivatives={})


def small(rng: np.random.Generator, *shape: int) -> Any:
    """Numbers beside which those around 1 are all that counts."""
    return 1e-4 * normal(rng, *shape)


def _hidden(unit: str, scale: float = 1.0) -> Case:
    """The derivative dZ = dA * g'(Z), by torch through g with the derivative of the mean over seven examples."""

    def by_torch(dA: torch.Tensor, Z: torch.Tensor) -> torch.Tensor:
        Z = Z.detach().requires_grad_()
        (dZ,) = torch.autograd.grad(torch_activations.ACTIVATIONS[unit].g(Z), Z, dA / 7)
        return dZ * 7

    g, g_prime = activations.ACTIVATIONS[unit]
    return Case(
        f"hidden_dZ, {unit}, {scale:g}",
        "",
        inputs=lambda rng: {"dA": normal(rng, 5, 7), "Z": scale * normal(rng, 5, 7)},
        manual=lambda dA, Z: dA * g_prime(Z),
        loop=None,
        reference=by_torch,
        bounds={"dZ": lambda u, at: bounds.hidden_dZ(u, at.dZ, at.dA, g(at.Z), unit)},
    )


def _output(unit: str) -> Case:
    """A of an output unit, by the bound that looks up its kind."""
    case = ORDINARY[f"activations.{unit}"]
    return replace(case, id=f"output, {unit}", bounds={"A": lambda u, at: bounds.output(u, at.A, at.Z, unit)})


def _cost(name: str, unit: str, Z: Callable[[np.random.Generator], Any], Y: Any) -> Case:
    """A cost on logits."""
    return Case(
        f"cost_from_logits, {name}",
        "",
        inputs=lambda rng: {"Z": Z(rng), "Y": np.asarray(Y, np.float64)},
        manual=costs.OUTPUT_COSTS[unit].from_Z,
        loop=None,
        reference=torch_costs.OUTPUT_COSTS[unit].from_Z,
        bounds={"J": lambda u, at: bounds.cost_from_logits(u, at.J, at.Z, unit)},
    )


def _one_among(n: int, shift: float) -> Callable[[np.random.Generator], Any]:
    """Three columns of n logits: the first leads the others by about ``shift``."""

    def column(rng: np.random.Generator) -> Any:
        Z = -shift - 0.03 * rng.uniform(0, 1, (n, 3))
        Z[0] = 0
        return Z

    return column


def _first(n: int, m: int) -> Any:
    """The first of n classes, for so many examples."""
    return np.eye(n)[:, [0] * m]


def _parameter(W: float, dW: float, **state: float) -> Draw:
    """A parameter, its gradient and its state, each of its own size."""
    return lambda rng: {
        "W": W * normal(rng, 3, 5),
        "dW": dW * normal(rng, 3, 5),
        **{
            name: size * (np.square(normal(rng, 3, 5)) if name == "s" else normal(rng, 3, 5))
            for name, size in state.items()
        },
    }


def _settings(draw: Draw, **settings: float) -> Draw:
    """What is drawn, and the numbers of the rule behind it."""
    return lambda rng: {**draw(rng), **settings}


def _conv_backward(name: str, dZ: Draw, lambda_: float) -> Case:
    """The gradients of a convolution."""

    def bound(which: int) -> Any:
        return lambda u, at: volume_bounds.conv_backward(u, at.dZ, at.A_prev, at.W, 1, 0, lambda_)[which]

    return Case(
        f"conv.conv_backward, {name}",
        "",
        inputs=dZ,
        manual=lambda dZ, A_prev, W: conv.conv_backward(dZ, A_prev, W, lambda_=lambda_),
        loop=None,
        reference=lambda dZ, A_prev, W: torch_conv.conv_backward(dZ, A_prev, W, lambda_=lambda_),
        bounds={"dA_prev": bound(0), "dW": bound(1), "db": bound(2)},
    )


MOMENTUM = {"learning_rate": 0.3, "beta": 0.9}
RMSPROP = {"learning_rate": 0.3, "beta2": 0.999, "epsilon": 0.03}
ADAM = {"learning_rate": 0.3, "beta1": 0.9, "beta2": 0.999, "epsilon": 0.03}


def of_record(formula: Formula, sharp: Sharp) -> Case:
    """The case of a sharp probe."""
    case = sharp.of if isinstance(sharp.of, Case) else ORDINARY[sharp.of or formula.cases[0].id]
    if sharp.inputs is None:
        return case
    return replace(
        case,
        id=f"{case.id}, {sharp.name}",
        inputs=sharp.inputs,
        bounds=sharp.bounds or case.bounds,
        loop=None,
        derivatives={},
    )


SHARP: tuple[tuple[Case, float], ...] = (
    *((of_record(formula, sharp), sharp.least) for formula in FORMULAS for sharp in formula.sharp),
    (ORDINARY["vectorization.column_percentages"], 0.1),
    (
        drawn(
            "of one entry", "vectorization.matrix_vector", lambda rng: {"A": normal(rng, 5, 1), "v": normal(rng, 1, 1)}
        ),
        0.2,
    ),
    (ORDINARY["activations.sigmoid"], 0.1),
    (ORDINARY["activations.tanh"], 0.06),
    (ORDINARY["activations.leaky_relu"], 0.2),
    (_output("sigmoid"), 0.1),
    (_output("leaky_relu"), 0.2),
    (_output("softmax"), 0.05),
    (
        drawn(
            "one class far below",
            "activations.softmax",
            lambda rng: {"Z": np.array([[1.0], [-60.0]]) * rng.uniform(0.9, 1, (2, 9))},
        ),
        0.05,
    ),
    (
        drawn("a thousand that are lost", "activations.softmax", lambda rng: {"Z": _one_among(1000, BELOW_HALF)(rng)}),
        0.2,
    ),
    (ORDINARY["activations.sigmoid_prime"], 0.05),
    (ORDINARY["activations.tanh_prime"], 0.05),
    (ORDINARY["activations.leaky_relu_prime"], 0.05),
    (ORDINARY["activations.softmax_backward"], 0.02),
    (drawn("near 0", "activations.tanh_prime", lambda rng: {"Z": small(rng, 5, 7)}), 0.05),
    (_hidden("relu"), 0.1),
    (_hidden("leaky_relu"), 0.2),
    (_hidden("sigmoid"), 0.05),
    (_hidden("tanh"), 0.1),
    (_hidden("tanh", 1e-4), 0.1),
    (_cost("sigmoid, sure and right", "sigmoid", lambda rng: rng.uniform(-30, -10, (1, 1)), [[0]]), 0.1),
    (_cost("sigmoid, wrong", "sigmoid", lambda rng: rng.uniform(0.5, 2, (1, 1)), [[0]]), 0.03),
    (_cost("softmax, a thousand that are lost", "softmax", _one_among(1000, BELOW_HALF), _first(1000, 3)), 0.2),
    (_cost("softmax, wrong", "softmax", lambda rng: rng.uniform(5, 50, (2, 1)) * [[-1], [1]], _first(2, 1)), 0.01),
    (_cost("identity", "identity", lambda rng: normal(rng, 1, 1), [[0.3]]), 0.03),
    (
        Case(
            "cost_from_A, sigmoid, sure and right",
            "",
            lambda rng: {"A": rng.uniform(0, 1e-3, (1, 1)), "Y": np.zeros((1, 1))},
            costs.binary_cross_entropy,
            None,
            torch_costs.binary_cross_entropy,
            {"J": lambda u, at: bounds.cost_from_A(u, at.J, at.A, "sigmoid")},
        ),
        0.1,
    ),
    (
        Case(
            "cost_from_A, identity",
            "",
            lambda rng: {"A": normal(rng, 1, 1), "Y": normal(rng, 1, 1)},
            costs.squared_error,
            None,
            torch_costs.squared_error,
            {"J": lambda u, at: bounds.cost_from_A(u, at.J, at.A, "identity")},
        ),
        0.03,
    ),
    (
        Case(
            "penalty of one weight",
            "",
            lambda rng: {"W": normal(rng, 1, 1)},
            lambda W: costs.l2_penalty([W], 0.7, 3),
            None,
            lambda W: torch_costs.l2_penalty([W], 0.7, 3),
            {"J": lambda u, at: bounds.penalty(u, at.J, 1)},
        ),
        0.04,
    ),
    (ORDINARY["costs.binary_cross_entropy_prime"], 0.1),
    (ORDINARY["costs.cross_entropy_prime"], 0.1),
    (ORDINARY["costs.output_dZ_sigmoid"], 0.1),
    (ORDINARY["costs.output_dZ_softmax"], 0.1),
    (ORDINARY["costs.output_dZ_identity"], 0.1),
    (ORDINARY["optimizers.gradient_descent"], 0.2),
    (drawn("W alone", "optimizers.gradient_descent", _settings(_parameter(1, 1e-4), learning_rate=0.3)), 0.2),
    (drawn("the step alone", "optimizers.gradient_descent", _settings(_parameter(1e-4, 1), learning_rate=0.3)), 0.2),
    (
        drawn(
            "b1 alone",
            "theory.collapsed_forward",
            lambda rng: {
                "W1": normal(rng, 1, 1),
                "b1": normal(rng, 1, 1),
                "W2": normal(rng, 3, 1),
                "b2": small(rng, 3, 1),
                "X": small(rng, 1, 7),
            },
        ),
        0.1,
    ),
    (
        drawn(
            "b2 alone",
            "theory.collapsed_forward",
            lambda rng: {
                "W1": small(rng, 1, 1),
                "b1": small(rng, 1, 1),
                "W2": normal(rng, 3, 1),
                "b2": normal(rng, 3, 1),
                "X": small(rng, 1, 7),
            },
        ),
        0.05,
    ),
    (
        drawn(
            "X alone",
            "theory.collapsed_forward",
            lambda rng: {
                "W1": normal(rng, 1, 1),
                "b1": small(rng, 1, 1),
                "W2": normal(rng, 3, 1),
                "b2": small(rng, 3, 1),
                "X": normal(rng, 1, 7),
            },
        ),
        0.1,
    ),
    (
        Case(
            "distance, of one weight",
            "",
            lambda rng: {"W": normal(rng, 5, 1)},
            theory.unit_distance,
            None,
            torch_theory.unit_distance,
            {"d": lambda u, at: bounds.distance(u, at.d, 1)},
        ),
        0.05,
    ),
    (drawn("of four", "theory.spread", lambda rng: {"A": normal(rng, 2, 2)}), 0.03),
    (ORDINARY["conv.conv_forward, 1x1"], 0.1),
    (
        drawn(
            "b alone",
            "conv.conv_forward, 1x1",
            lambda rng: {"A_prev": small(rng, 2, 3, 4, 1), "W": normal(rng, 1, 1, 1, 2), "b": normal(rng, 1, 1, 1, 2)},
        ),
        0.1,
    ),
    (
        _conv_backward(
            "three positions",
            lambda rng: {
                "dZ": normal(rng, 3, 1, 1, 1),
                "A_prev": normal(rng, 3, 1, 1, 1),
                "W": normal(rng, 1, 1, 1, 1),
            },
            0.0,
        ),
        0.06,
    ),
    (
        _conv_backward(
            "the penalty alone",
            lambda rng: {
                "dZ": small(rng, 3, 1, 1, 1),
                "A_prev": small(rng, 3, 1, 1, 1),
                "W": normal(rng, 1, 1, 1, 2)[..., :1],
            },
            0.7,
        ),
        0.06,
    ),
    (ORDINARY["pooling.pool_forward, average, stride of size"], 0.1),
    (ORDINARY["pooling.pool_backward, average, remainder"], 0.1),
    (ORDINARY["pooling.pool_backward, max, remainder"], 0.06),
    (ORDINARY["dropout.forward"], 0.1),
    (ORDINARY["dropout.backward"], 0.1),
    (ORDINARY["optimizers.momentum"], 0.1),
    (drawn("v alone", "optimizers.momentum", _settings(_parameter(1, 1e-4, v=1), **MOMENTUM)), 0.1),
    (drawn("dW alone", "optimizers.momentum", _settings(_parameter(1e-4, 1, v=1e-4), **MOMENTUM)), 0.1),
    (drawn("W alone", "optimizers.momentum", _settings(_parameter(1, 1e-4, v=1e-4), **MOMENTUM)), 0.1),
    (ORDINARY["optimizers.rmsprop"], 0.1),
    (drawn("s alone", "optimizers.rmsprop", _settings(_parameter(1e-4, 1e-2, s=1), **RMSPROP)), 0.1),
    (drawn("dW alone", "optimizers.rmsprop", _settings(_parameter(1e-4, 1, s=1e-6), **RMSPROP)), 0.1),
    (ORDINARY["optimizers.adam_step_1"], 0.1),
    (ORDINARY["optimizers.adam_step_3"], 0.1),
    (drawn("v alone", "optimizers.adam_step_2", _settings(_parameter(1e-4, 1e-4, v=1, s=1), t=2, **ADAM)), 0.05),
    (drawn("dW alone", "optimizers.adam_step_2", _settings(_parameter(1e-4, 1, v=1e-4, s=1e-6), t=2, **ADAM)), 0.1),
)
"""Each with the least that its worst error / bound must be; it must also stay below ten times that, and below 1."""
