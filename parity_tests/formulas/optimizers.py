"""Updates of one parameter, and the optimisers over their first steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import manual.updates as by_hand
import torch_ref.updates as torch_side
from manual.notation import Array
from manual.optimizers import OPTIMIZERS, Optimizer
from parity_tests.formulas.case import N_1, N_2, Case, Inputs, normal
from parity_tests.judging import bounds, update_bounds
from torch_ref.optimizers import OPTIMIZERS as TORCH_OPTIMIZERS

LEARNING_RATE, BETA, BETA2 = 0.3, 0.9, 0.999
EPSILON = 0.03
"""Large enough to be seen beside sqrt(s): at 1e-8 its place would not matter."""

STEPS = 3
"""Steps that an optimiser takes in a row: some slips are right in the first."""


def _parameter(rng: np.random.Generator) -> Inputs:
    return {"W": normal(rng, N_2, N_1), "dW": normal(rng, N_2, N_1)}


def _mean_square(rng: np.random.Generator) -> Any:
    return rng.uniform(0.1, 2.0, (N_2, N_1))


def _adam_step(t: int) -> Case:
    """Step number t of Adam, from a drawn state."""
    return Case(
        f"optimizers.adam_step_{t}",
        "F266",
        inputs=lambda rng: {
            **_parameter(rng),
            "v": normal(rng, N_2, N_1),
            "s": _mean_square(rng),
            "t": t,
            "learning_rate": LEARNING_RATE,
            "beta1": BETA,
            "beta2": BETA2,
            "epsilon": EPSILON,
        },
        manual=by_hand.adam_update,
        loop=by_hand.adam_update_loop,
        reference=torch_side.adam_update,
        bounds={
            "W": lambda u, at: update_bounds.adam_update(
                u, at.W, at.dW, at.v, at.s, at.t, at.learning_rate, at.beta1, at.beta2, at.epsilon
            ),
            "v": lambda u, at: update_bounds.velocity(u, at.v, at.dW, at.beta1),
            "s": lambda u, at: update_bounds.mean_square(u, at.s, at.dW, at.beta2),
        },
    )


def run_by_hand(rule: Optimizer) -> Callable[[Array, Array], Array]:
    """W after each step of the optimiser from its first state: a step for each gradient along dW's first axis."""

    def run(W: Array, dW: Array) -> Array:
        params, path = {"W1": W}, []
        state: Any = rule.init(params)
        for gradient in dW:
            params, state = rule.step(params, {"dW1": gradient}, state)
            path.append(params["W1"])
        return np.stack(path)

    return run


def run_by_torch(make: Callable[[nn.Module], torch.optim.Optimizer]) -> Callable[[Tensor, Tensor], Tensor]:
    """The same by the optimiser that ``make`` gives to a module."""

    def run(W: Tensor, dW: Tensor) -> Tensor:
        module = nn.ParameterList([W.clone()])
        rule, path = make(module), []
        for gradient in dW:
            module[0].grad = gradient.clone()
            rule.step()
            path.append(module[0].detach().clone())
        return torch.stack(path)

    return run


def _run(name: str, formulas: str, update: Callable[..., Any], **settings: float) -> Case:
    """An optimiser's first steps in a row: state and corrections as they come to pass, W judged after each.

    The gradients are given, so that no error of W comes back in the next: the bounds of the steps add up. ``update``
    is the bound of step t from W, dW, the sum v of the velocity's magnitudes, and s.
    """

    def bound(u: float, at: Any) -> Any:
        total = v = s = np.zeros_like(at.W)
        sums = []
        for t, W, dW in zip(range(1, STEPS + 1), (at.W, *at.path[:-1]), at.dW, strict=True):
            total = total + update(u, W, dW, v, s, t)
            v = v + (1 - BETA) * np.abs(dW)
            s = BETA2 * s + (1 - BETA2) * np.square(dW)
            sums.append(total)
        return np.stack(sums)

    return Case(
        f"optimizers.{name}_run",
        formulas,
        inputs=lambda rng: {"W": normal(rng, N_2, N_1), "dW": normal(rng, STEPS, N_2, N_1)},
        manual=run_by_hand(OPTIMIZERS[name](LEARNING_RATE, **settings)),
        loop=None,
        reference=run_by_torch(lambda module: TORCH_OPTIMIZERS[name](module, LEARNING_RATE, **settings)),
        bounds={"path": bound},
    )


CASES = (
    Case(
        "optimizers.gradient_descent",
        "F029 F056 F091 F181 F214",
        inputs=lambda rng: {**_parameter(rng), "learning_rate": LEARNING_RATE},
        manual=by_hand.gradient_descent_update,
        loop=by_hand.gradient_descent_update_loop,
        reference=torch_side.gradient_descent_update,
        bounds={"W": lambda u, at: bounds.update(u, at.W, at.dW, at.learning_rate)},
    ),
    Case(
        "optimizers.momentum",
        "F263",
        inputs=lambda rng: {
            **_parameter(rng),
            "v": normal(rng, N_2, N_1),
            "learning_rate": LEARNING_RATE,
            "beta": BETA,
        },
        manual=by_hand.momentum_update,
        loop=by_hand.momentum_update_loop,
        reference=torch_side.momentum_update,
        bounds={
            "W": lambda u, at: update_bounds.momentum_update(u, at.W, at.dW, at.v, at.learning_rate, at.beta),
            "v": lambda u, at: update_bounds.velocity(u, at.v, at.dW, at.beta),
        },
    ),
    Case(
        "optimizers.rmsprop",
        "F264",
        inputs=lambda rng: {
            **_parameter(rng),
            "s": _mean_square(rng),
            "learning_rate": LEARNING_RATE,
            "beta2": BETA2,
            "epsilon": EPSILON,
        },
        manual=by_hand.rmsprop_update,
        loop=by_hand.rmsprop_update_loop,
        reference=torch_side.rmsprop_update,
        bounds={
            "W": lambda u, at: update_bounds.rmsprop_update(
                u, at.W, at.dW, at.s, at.learning_rate, at.beta2, at.epsilon
            ),
            "s": lambda u, at: update_bounds.mean_square(u, at.s, at.dW, at.beta2),
        },
    ),
    _adam_step(1),
    _adam_step(2),
    _adam_step(3),
    _run(
        "gradient_descent",
        "F029 F181",
        lambda u, W, dW, v, s, t: bounds.update(u, W, dW, LEARNING_RATE),
    ),
    _run(
        "momentum",
        "F263",
        lambda u, W, dW, v, s, t: update_bounds.momentum_update(u, W, dW, v, LEARNING_RATE, BETA, steps=t),
        beta=BETA,
    ),
    _run(
        "rmsprop",
        "F264",
        lambda u, W, dW, v, s, t: update_bounds.rmsprop_update(u, W, dW, s, LEARNING_RATE, BETA2, EPSILON, steps=t),
        beta2=BETA2,
        epsilon=EPSILON,
    ),
    _run(
        "adam",
        "F266",
        lambda u, W, dW, v, s, t: update_bounds.adam_update(
            u, W, dW, v, s, t, LEARNING_RATE, BETA, BETA2, EPSILON, steps=t
        ),
        beta1=BETA,
        beta2=BETA2,
        epsilon=EPSILON,
    ),
)
