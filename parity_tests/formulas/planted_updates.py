"""Mistakes to plant in the updates of the optimisers: each differs from the right one in what its name says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from manual.notation import Array, Gradients, Parameters
from manual.optimizers import Adam, AdamState, GradientDescent, Momentum, MomentumState
from manual.updates import AdamUpdate, MomentumUpdate, RMSpropUpdate, adam_update


def momentum_without_one_minus_beta(W: Array, dW: Array, v: Array, alpha: float, beta: float) -> MomentumUpdate:
    """The velocity v := beta v + dW."""
    v = beta * v + dW
    return MomentumUpdate(W - alpha * v, v)


def rmsprop_without_square(W: Array, dW: Array, s: Array, alpha: float, beta2: float, epsilon: float) -> RMSpropUpdate:
    """The mean s := beta2 s + (1 - beta2) dW."""
    s = beta2 * s + (1 - beta2) * dW
    return RMSpropUpdate(W - alpha * dW / (np.sqrt(s) + epsilon), s)


def rmsprop_epsilon_inside(W: Array, dW: Array, s: Array, alpha: float, beta2: float, epsilon: float) -> RMSpropUpdate:
    """W := W - alpha dW / sqrt(s + epsilon), as TensorFlow has it."""
    s = beta2 * s + (1 - beta2) * dW**2
    return RMSpropUpdate(W - alpha * dW / np.sqrt(s + epsilon), s)


def _corrected(
    W: Array, dW: Array, v: Array, s: Array, t: int, beta1: float, beta2: float
) -> tuple[AdamUpdate, Array, Array]:
    """The right v and s, W as it was, and the corrected v and s."""
    right = adam_update(W, dW, v, s, t, 1.0, beta1, beta2, 1.0)._replace(W=W)
    return right, right.v / (1 - beta1**t), right.s / (1 - beta2**t)


def adam_without_power(
    W: Array, dW: Array, v: Array, s: Array, t: int, alpha: float, beta1: float, beta2: float, epsilon: float
) -> AdamUpdate:
    """Corrected by 1 - beta where 1 - beta^t belongs: right in the first step."""
    return adam_update(W, dW, v, s, 1, alpha, beta1, beta2, epsilon)


def adam_without_correction(
    W: Array, dW: Array, v: Array, s: Array, t: int, alpha: float, beta1: float, beta2: float, epsilon: float
) -> AdamUpdate:
    """W := W - alpha v / (sqrt(s) + epsilon)."""
    right, _, _ = _corrected(W, dW, v, s, t, beta1, beta2)
    return right._replace(W=W - alpha * right.v / (np.sqrt(right.s) + epsilon))


def adam_epsilon_inside(
    W: Array, dW: Array, v: Array, s: Array, t: int, alpha: float, beta1: float, beta2: float, epsilon: float
) -> AdamUpdate:
    """W := W - alpha v_hat / sqrt(s_hat + epsilon)."""
    right, v_hat, s_hat = _corrected(W, dW, v, s, t, beta1, beta2)
    return right._replace(W=W - alpha * v_hat / np.sqrt(s_hat + epsilon))


def adam_epsilon_uncorrected(
    W: Array, dW: Array, v: Array, s: Array, t: int, alpha: float, beta1: float, beta2: float, epsilon: float
) -> AdamUpdate:
    """Epsilon added before the correction of s, as scikit-learn and ONNX have it."""
    right, v_hat, s_hat = _corrected(W, dW, v, s, t, beta1, beta2)
    return right._replace(W=W - alpha * v_hat / (np.sqrt(s_hat) + epsilon / np.sqrt(1 - beta2**t)))


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
