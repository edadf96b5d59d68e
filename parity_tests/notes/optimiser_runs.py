"""Optimisers of N3 beside torch's, on gradients that were drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from manual.notation import Array, Gradients
from manual.optimizers import Adam, Optimizer
from manual.updates import momentum_update, rmsprop_update

STEPS, SHAPE = 20, (3, 5)


def beside_torch(rng: np.random.Generator, rule: Optimizer, name: str, **options: Any) -> tuple[Array, Array]:
    """W after 20 steps of a rule by hand, and of torch's rule of that name."""
    W, gradients = _draws(rng)
    params, state = {"W1": W}, rule.init({"W1": W})
    for dW in gradients:
        grads: Gradients = {"dW1": dW}
        params, state = rule.step(params, grads, state)  # type: ignore[arg-type]
    return params["W1"], _by_torch(W, gradients, name, options)


def adam_beside_torch(rng: np.random.Generator, learning_rate: float) -> tuple[Array, Array]:
    """Momentum over the root of RMSprop's mean square, without any correction, and torch's Adam."""
    W, gradients = _draws(rng)
    rule, moved = Adam(learning_rate), W
    v = s = np.zeros(SHAPE)
    for dW in gradients:
        v = momentum_update(moved, dW, v, learning_rate, rule.beta1).v
        s = rmsprop_update(moved, dW, s, learning_rate, rule.beta2, rule.epsilon).s
        moved = moved - learning_rate * v / (np.sqrt(s) + rule.epsilon)
    return moved, _by_torch(W, gradients, "Adam", {"lr": learning_rate})


def decayed(learning_rate: float, epochs: int) -> float:
    """The learning rate after so many epochs of torch's ExponentialLR(0.9)."""
    rule = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=learning_rate)
    schedule = torch.optim.lr_scheduler.ExponentialLR(rule, 0.9)
    for _ in range(epochs):
        rule.step()
        schedule.step()
    return float(rule.param_groups[0]["lr"])


def _draws(rng: np.random.Generator) -> tuple[Array, list[Array]]:
    """A parameter, and a gradient for every step."""
    return rng.standard_normal(SHAPE), [rng.standard_normal(SHAPE) for _ in range(STEPS)]


def _by_torch(W: Array, gradients: list[Array], name: str, options: dict[str, Any]) -> Array:
    """W after the steps of torch's rule."""
    value = torch.from_numpy(W.copy()).requires_grad_()
    make: Callable[..., torch.optim.Optimizer] = getattr(torch.optim, name)
    rule = make([value], **options)
    for dW in gradients:
        value.grad = torch.from_numpy(dW.copy())
        rule.step()
    found: Array = value.detach().numpy()
    return found
