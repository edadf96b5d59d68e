"""The L2 penalty and torch's weight_decay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from manual import costs, dense
from manual.notation import Array
from manual.optimizers import GradientDescent
from parity_tests.conventions.convention import Convention
from parity_tests.formulas.case import LAMBDA, N_1, N_X, Inputs, M, normal
from parity_tests.formulas.dense import db_bound, dW_bound
from parity_tests.formulas.update_bounds import update_bound
from parity_tests.judging import bounds

RATE = 0.3
CHUNKS, CHUNK = 6, M
"""Mini-batches of an epoch, and their size."""


class Step(NamedTuple):
    """A layer's parameters after a step."""

    W: Any
    b: Any


def _layer(rng: np.random.Generator) -> Inputs:
    shapes = {"W0": (N_1, N_X), "b0": (N_1, 1), "dZ": (N_1, M), "A_prev": (N_X, M)}
    return {name: normal(rng, *shape) for name, shape in shapes.items()}


def _by_hand(W0: Array, b0: Array, dZ: Array, A_prev: Array) -> Step:
    """A step of gradient descent on the regularised cost."""
    rule = GradientDescent(RATE)
    params = {"W1": W0, "b1": b0}
    grads = {"dW1": dense.weight_gradient(dZ, A_prev, W0, LAMBDA), "db1": dense.bias_gradient(dZ)}
    params, _ = rule.step(params, grads, rule.init(params))
    return Step(params["W1"], params["b1"])


def _sgd(decay_W: float, decay_b: float) -> Callable[..., Step]:
    """A step of torch.optim.SGD, with weight_decay by parameter."""

    def step(W0: Tensor, b0: Tensor, dZ: Tensor, A_prev: Tensor) -> Step:
        layer = torch.nn.Linear(N_X, N_1, dtype=W0.dtype)
        layer.load_state_dict({"weight": W0, "bias": b0.flatten()})
        layer(A_prev.T).backward(dZ.T / M)
        groups = [
            {"params": [layer.weight], "weight_decay": decay_W},
            {"params": [layer.bias], "weight_decay": decay_b},
        ]
        torch.optim.SGD(groups, lr=RATE).step()
        return Step(layer.weight.detach(), layer.bias.detach()[:, None])

    return step


def _W_bound(u: float, at: Any) -> Any:
    dW = (np.abs(at.dZ) @ np.abs(at.A_prev).T + LAMBDA * np.abs(at.W0)) / M
    return update_bound(u, at.W0, dW, RATE) + RATE * dW_bound(u, at.dZ, at.A_prev, at.W0, LAMBDA)


def _b_bound(u: float, at: Any) -> Any:
    db = np.sum(np.abs(at.dZ), axis=1, keepdims=True) / M
    return update_bound(u, at.b0, db, RATE) + RATE * db_bound(u, at.dZ)


def _epoch(rng: np.random.Generator) -> Inputs:
    shapes = {"W0": (N_1, N_X), "dZ": (CHUNKS, N_1, CHUNK), "A_prev": (CHUNKS, N_X, CHUNK)}
    return {name: normal(rng, *shape) for name, shape in shapes.items()}


def _epoch_by_hand(W0: Array, dZ: Array, A_prev: Array) -> Array:
    """A step of gradient descent for every chunk."""
    rule = GradientDescent(RATE)
    params = {"W1": W0}
    state = rule.init(params)
    for t in range(CHUNKS):
        dW = dense.weight_gradient(dZ[t], A_prev[t], params["W1"], LAMBDA)
        params, state = rule.step(params, {"dW1": dW}, state)
    return params["W1"]


def _epoch_of_sgd(weight_decay: float) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """A step of torch.optim.SGD for every chunk."""

    def epoch(W0: Tensor, dZ: Tensor, A_prev: Tensor) -> Tensor:
        layer = torch.nn.Linear(N_X, N_1, bias=False, dtype=W0.dtype)
        layer.load_state_dict({"weight": W0})
        rule = torch.optim.SGD(layer.parameters(), lr=RATE, weight_decay=weight_decay)
        for t in range(CHUNKS):
            rule.zero_grad()
            layer(A_prev[t].T).backward(dZ[t].T / CHUNK)
            rule.step()
        return layer.weight.detach()

    return epoch


def _epoch_bound(u: float, at: Any) -> Any:
    """All that is added, times the roundings that a term can see: those of its sum, and seven a step after it."""
    total = np.abs(at.W0)
    for t in range(CHUNKS):
        total = total + RATE / CHUNK * (LAMBDA * total + np.abs(at.dZ[t]) @ np.abs(at.A_prev[t]).T)
    return bounds.gamma(CHUNK + 4 + 7 * CHUNKS, u) * total


def _weights(rng: np.random.Generator) -> Inputs:
    return {"W": normal(rng, N_1, N_X)}


PENALTY = {"J": lambda u, at: bounds.penalty(u, at.J, at.W.size)}

CONVENTIONS = (
    Convention(
        "l2.weight_decay",
        "L2",
        notes="lambda/(2m) sum W^2 in the cost, weights alone",
        torch="weight_decay adds weight_decay * W to the gradient, and reaches biases too",
        translation="SGD with weight_decay = lambda/m in the weights' parameter group, 0 in the biases'",
        formulas="F199 F201 F202 F204",
        inputs=_layer,
        manual=_by_hand,
        exact=_sgd(LAMBDA / M, 0),
        naive={
            "one group for all parameters": _sgd(LAMBDA / M, LAMBDA / M),
            "weight_decay = lambda": _sgd(LAMBDA, 0),
            "weight_decay = lambda/(2m)": _sgd(LAMBDA / (2 * M), 0),
        },
        bounds={"W": _W_bound, "b": _b_bound},
    ),
    Convention(
        "l2.minibatches",
        "L2 in mini-batches",
        notes="lambda/(2 * chunk size) in the cost of each chunk",
        torch="weight_decay knows no m",
        translation="weight_decay = lambda/(chunk size)",
        formulas="F211 F212 F213 F214",
        inputs=_epoch,
        manual=_epoch_by_hand,
        exact=_epoch_of_sgd(LAMBDA / CHUNK),
        naive={"weight_decay = lambda/(examples of the epoch)": _epoch_of_sgd(LAMBDA / (CHUNKS * CHUNK))},
        bounds={"W": _epoch_bound},
    ),
    Convention(
        "l2.epoch",
        "L2 over an epoch",
        notes="the mean of the chunks' penalties",
        torch="no penalty in the cost; sums are the writer's",
        translation="the mean penalty of an epoch is the full batch's, times the number of chunks",
        formulas="F211 F212",
        inputs=_weights,
        manual=lambda W: costs.l2_penalty([W] * CHUNKS, LAMBDA, CHUNK) / CHUNKS,
        exact=lambda W: CHUNKS * LAMBDA / (2 * CHUNKS * CHUNK) * W.square().sum(),
        naive={"the full batch's penalty": lambda W: LAMBDA / (2 * CHUNKS * CHUNK) * W.square().sum()},
        bounds={"J": lambda u, at: bounds.penalty(u, at.J, CHUNKS * at.W.size)},
    ),
    Convention(
        "l2.reg",
        "reg in the training recipe",
        notes="1/2 reg sum W^2, no m",
        torch="weight_decay = reg",
        translation="reg = lambda/m",
        formulas="F205 F249",
        inputs=_weights,
        manual=lambda W: costs.l2_penalty([W], LAMBDA, M),
        exact=lambda W: (LAMBDA / M) / 2 * W.square().sum(),
        naive={"reg = lambda": lambda W: LAMBDA / 2 * W.square().sum()},
        bounds=PENALTY,
    ),
)
