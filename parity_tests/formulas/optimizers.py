"""The optimisers over their first steps, and the mistakes that show there alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from manual.notation import Array, Gradients, Parameters
from manual.optimizers import OPTIMIZERS, Adam, AdamState, GradientDescent, Momentum, MomentumState, Optimizer
from parity_tests.formulas.case import N_1, N_2, Case, normal
from torch_ref.optimizers import OPTIMIZERS as TORCH_OPTIMIZERS

LEARNING_RATE, BETA, BETA2 = 0.3, 0.9, 0.999
EPSILON = 0.03
"""Large enough to be seen beside sqrt(s): at 1e-8 its place would not matter."""

STEPS = 3
"""Steps that an optimiser takes in a row: some slips are right in the first."""


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


def first_steps(name: str, formulas: str, update: Callable[..., Any], **settings: float) -> Case:
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


@dataclass(frozen=True)
class OverwritingAdam(Adam):
    """The velocity overwritten by its corrected value: right in the first step, wrong from the second."""

    def step(self, params: Parameters, grads: Gradients, state: AdamState) -> tuple[Parameters, AdamState]:
        """One step."""
        params, state = super().step(params, grads, state)
        return params, state._replace(v={name: v / (1 - self.beta1**state.t) for name, v in state.v.items()})


@dataclass(frozen=True)
class ForgetfulAdam(Adam):
    """The number t of the step starts again and again."""

    def step(self, params: Parameters, grads: Gradients, state: AdamState) -> tuple[Parameters, AdamState]:
        """One step."""
        params, state = super().step(params, grads, state)
        return params, state._replace(t=0)


@dataclass(frozen=True)
class NesterovMomentum(Momentum):
    """The step looks ahead: W := W - alpha (beta v + (1 - beta) dW), with v already moved."""

    def step(self, params: Parameters, grads: Gradients, state: MomentumState) -> tuple[Parameters, MomentumState]:
        """One step."""
        _, state = super().step(params, grads, state)
        ahead = {name: self.beta * v + (1 - self.beta) * grads[name] for name, v in state.v.items()}
        rule = GradientDescent(self.learning_rate)
        return rule.step(params, ahead, rule.init(params))[0], state


def torch_momentum(module: nn.Module, **settings: Any) -> torch.optim.SGD:
    """SGD with momentum 0.9 and these settings."""
    return torch.optim.SGD(module.parameters(), momentum=0.9, **settings)
