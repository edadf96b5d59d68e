"""Updates of one parameter by torch.optim, from a given state. Counterpart of manual.updates."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from torch_ref.optimizers import adam, adamw, classical_momentum, gradient_descent, momentum, nesterov, rmsprop


class MomentumUpdate(NamedTuple):
    """The parameter W after a step, and its velocity v."""

    W: Tensor
    v: Tensor


class RMSpropUpdate(NamedTuple):
    """The parameter W after a step, and the mean square s of its gradients."""

    W: Tensor
    s: Tensor


class AdamUpdate(NamedTuple):
    """The parameter W after a step, its velocity v, and the mean square s of its gradients."""

    W: Tensor
    v: Tensor
    s: Tensor


def with_gradient(W: Tensor, dW: Tensor) -> nn.ParameterList:
    """A module of one parameter that has this gradient."""
    module = nn.ParameterList([W.clone()])
    module[0].grad = dW.clone()
    return module


def gradient_descent_update(W: Tensor, dW: Tensor, learning_rate: float) -> Tensor:
    """One step of torch.optim.SGD."""
    module = with_gradient(W, dW)
    gradient_descent(module, learning_rate).step()
    moved: Tensor = module[0].detach()
    return moved


def momentum_update(W: Tensor, dW: Tensor, v: Tensor, learning_rate: float, beta: float) -> MomentumUpdate:
    """One step of torch.optim.SGD, whose buffer is v / (1 - beta)."""
    module = with_gradient(W, dW)
    rule = momentum(module, learning_rate, beta)
    rule.state[module[0]] = {"momentum_buffer": v / (1 - beta)}
    rule.step()
    return MomentumUpdate(module[0].detach(), (1 - beta) * rule.state[module[0]]["momentum_buffer"])


def classical_momentum_update(
    W: Tensor, dW: Tensor, v: Tensor, t: int, learning_rate: float, beta: float, dampening: float = 0.0
) -> MomentumUpdate:
    """Step number t of torch.optim.SGD."""
    module = with_gradient(W, dW)
    rule = classical_momentum(module, learning_rate, beta, dampening)
    return _from_velocity(module, rule, v if t > 1 else None)


def nesterov_update(W: Tensor, dW: Tensor, v: Tensor, learning_rate: float, beta: float) -> MomentumUpdate:
    """One step of torch.optim.SGD with nesterov=True."""
    module = with_gradient(W, dW)
    return _from_velocity(module, nesterov(module, learning_rate, beta), v)


def _from_velocity(module: nn.ParameterList, rule: torch.optim.SGD, v: Tensor | None) -> MomentumUpdate:
    """One step from this buffer, or from none."""
    if v is not None:
        rule.state[module[0]] = {"momentum_buffer": v.clone()}
    rule.step()
    return MomentumUpdate(module[0].detach(), rule.state[module[0]]["momentum_buffer"])


def rmsprop_update(
    W: Tensor, dW: Tensor, s: Tensor, learning_rate: float, beta2: float, epsilon: float
) -> RMSpropUpdate:
    """One step of torch.optim.RMSprop."""
    module = with_gradient(W, dW)
    rule = rmsprop(module, learning_rate, beta2, epsilon)
    rule.state[module[0]] = {"step": torch.tensor(0.0), "square_avg": s.clone()}
    rule.step()
    return RMSpropUpdate(module[0].detach(), rule.state[module[0]]["square_avg"])


def adam_update(
    W: Tensor,
    dW: Tensor,
    v: Tensor,
    s: Tensor,
    t: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> AdamUpdate:
    """Step number t of torch.optim.Adam."""
    module = with_gradient(W, dW)
    return _from_moments(module, adam(module, learning_rate, beta1, beta2, epsilon), v, s, t)


def adamw_update(
    W: Tensor,
    dW: Tensor,
    v: Tensor,
    s: Tensor,
    t: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
) -> AdamUpdate:
    """Step number t of torch.optim.AdamW."""
    module = with_gradient(W, dW)
    return _from_moments(module, adamw(module, learning_rate, beta1, beta2, epsilon, weight_decay), v, s, t)


def _from_moments(module: nn.ParameterList, rule: torch.optim.Optimizer, v: Tensor, s: Tensor, t: int) -> AdamUpdate:
    """Step number t from these averages."""
    rule.state[module[0]] = {"step": torch.tensor(t - 1.0), "exp_avg": v.clone(), "exp_avg_sq": s.clone()}
    rule.step()
    state = rule.state[module[0]]
    return AdamUpdate(module[0].detach(), state["exp_avg"], state["exp_avg_sq"])
