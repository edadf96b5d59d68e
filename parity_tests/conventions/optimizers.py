"""The same names, other factors: momentum, RMSprop, Adam, decay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from manual.notation import Array
from manual.optimizers import Adam
from manual.schedules import exponential
from parity_tests.conventions.convention import Convention
from parity_tests.formulas import CASES
from parity_tests.formulas.case import LAMBDA, N_1, N_2, Case, Inputs, M, normal
from parity_tests.formulas.optimizers import BETA, BETA2, EPSILON, LEARNING_RATE, run_by_torch
from parity_tests.formulas.schedules import schedule_bound
from parity_tests.formulas.updates import adam_bound
from parity_tests.judging import bounds
from torch_ref.schedules import exponential as torch_exponential

DECAY, CHUNKS = 0.9, 6
"""Decay of the learning rate, and mini-batches of an epoch."""

MOMENTUM, RMSPROP, ADAM = (
    next(case for case in CASES if case.id == f"optimizers.{name}_run") for name in ("momentum", "rmsprop", "adam")
)
"""First steps in a row, with a derived bound for each."""


def _of_case(case: Case) -> dict[str, Any]:
    """The parts that a convention shares with a case."""
    return {
        "formulas": case.formulas,
        "inputs": case.inputs,
        "manual": case.manual,
        "exact": case.reference,
        "bounds": case.bounds,
    }


def _run(make: Callable[..., torch.optim.Optimizer], **settings: Any) -> Callable[[Tensor, Tensor], Tensor]:
    """W after each step of an optimiser of torch.optim with these settings."""
    return run_by_torch(lambda module: make(module.parameters(), **settings))


def _epsilon_inside(W: Tensor, dW: Tensor) -> Tensor:
    """RMSprop as TensorFlow writes it: epsilon under the root."""
    s, path = torch.zeros_like(W), []
    for gradient in dW:
        s = BETA2 * s + (1 - BETA2) * gradient.square()
        W = W - LEARNING_RATE * gradient / (s + EPSILON).sqrt()
        path.append(W)
    return torch.stack(path)


def _correction_in_the_rate(W: Tensor, dW: Tensor) -> Tensor:
    """Adam as scikit-learn and ONNX write it: the correction in the rate, epsilon beside the uncorrected root."""
    v, s, path = torch.zeros_like(W), torch.zeros_like(W), []
    for t, gradient in enumerate(dW, start=1):
        v = BETA * v + (1 - BETA) * gradient
        s = BETA2 * s + (1 - BETA2) * gradient.square()
        rate = LEARNING_RATE * (1 - BETA2**t) ** 0.5 / (1 - BETA**t)
        W = W - rate * v / (s.sqrt() + EPSILON)
        path.append(W)
    return torch.stack(path)


def _regularised_adam(W: Array, dW: Array) -> Array:
    """The first step of Adam on dW + (lambda/m) W, the gradient of the regularised cost."""
    rule = Adam(LEARNING_RATE, BETA, BETA2, EPSILON)
    params, _ = rule.step({"W1": W}, {"dW1": dW + LAMBDA / M * W}, rule.init({"W1": W}))
    return params["W1"]


def _adam_step(make: Callable[..., torch.optim.Optimizer], weight_decay: float) -> Callable[[Tensor, Tensor], Tensor]:
    settings = {"lr": LEARNING_RATE, "betas": (BETA, BETA2), "eps": EPSILON, "weight_decay": weight_decay}

    def step(W: Tensor, dW: Tensor) -> Tensor:
        return _run(make, **settings)(W, dW[None])[0]

    return step


def _regularised_bound(u: float, at: Any) -> Any:
    """Adam's bound on the regularised gradient g, whose error passes through g / (|g| + epsilon)."""
    g, none = at.dW + LAMBDA / M * at.W, np.zeros_like(at.dW)
    error = bounds.gamma(4, u) * (np.abs(at.dW) + LAMBDA / M * np.abs(at.W))
    slope = EPSILON / (np.abs(g) + EPSILON) ** 2
    step = adam_bound(u, at.W, g, none, none, 1, LEARNING_RATE, BETA, BETA2, EPSILON)
    return step + LEARNING_RATE * slope * error


def _parameter(rng: np.random.Generator) -> Inputs:
    return {"W": normal(rng, N_2, N_1), "dW": normal(rng, N_2, N_1)}


def _stepped(every_epoch: int) -> Callable[[float, int], float]:
    """The rate of an epoch, the scheduler having stepped so many times in each before it."""

    def rate(learning_rate: float, epoch: int) -> float:
        rule = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=learning_rate)
        scheduler = torch_exponential(rule, DECAY)
        for _ in range(epoch * every_epoch):
            rule.step()
            scheduler.step()
        return float(rule.param_groups[0]["lr"])

    return rate


CONVENTIONS = (
    Convention(
        "optimizers.momentum",
        "momentum",
        notes="v = beta v + (1 - beta) dW, W -= alpha v",
        torch="buffer = beta buffer + dW, the first one dW, whatever the dampening",
        translation="SGD(lr = alpha (1 - beta), momentum = beta, dampening = 0)",
        naive={
            "lr = alpha": _run(torch.optim.SGD, lr=LEARNING_RATE, momentum=BETA),
            "lr = alpha, dampening = beta": _run(torch.optim.SGD, lr=LEARNING_RATE, momentum=BETA, dampening=BETA),
        },
        **_of_case(MOMENTUM),
    ),
    Convention(
        "optimizers.rmsprop",
        "RMSprop",
        notes="beta2 = 0.999, epsilon beside the root",
        torch="alpha = 0.99, epsilon beside the root too",
        translation="RMSprop(alpha = beta2)",
        naive={
            "alpha left at 0.99": _run(torch.optim.RMSprop, lr=LEARNING_RATE, eps=EPSILON),
            "epsilon inside the root, as in TensorFlow": _epsilon_inside,
        },
        **_of_case(RMSPROP),
    ),
    Convention(
        "optimizers.adam",
        "Adam",
        notes="epsilon beside the root, after the bias correction",
        torch="the same",
        translation="Adam(betas = (beta1, beta2), eps = epsilon)",
        naive={"the correction in the rate, as in scikit-learn and ONNX": _correction_in_the_rate},
        **_of_case(ADAM),
    ),
    Convention(
        "optimizers.adam_l2",
        "L2 with Adam",
        notes="(lambda/m) W in the gradient, so in v and s too",
        torch="Adam's weight_decay does that; AdamW shrinks W beside the step",
        translation="Adam(weight_decay = lambda/m) for the weights",
        formulas="F202 F266",
        inputs=_parameter,
        manual=_regularised_adam,
        exact=_adam_step(torch.optim.Adam, LAMBDA / M),
        naive={"AdamW(weight_decay = lambda/m)": _adam_step(torch.optim.AdamW, LAMBDA / M)},
        bounds={"W_new": _regularised_bound},
    ),
    Convention(
        "optimizers.decay",
        "decay of the learning rate",
        notes="0.9 for each epoch",
        torch="ExponentialLR(gamma) for each call of step()",
        translation="ExponentialLR(0.9), stepped once an epoch",
        formulas="F259 F265",
        inputs=lambda rng: {"learning_rate": float(rng.uniform(0.01, 1)), "epoch": int(rng.integers(2, 9))},
        manual=lambda learning_rate, epoch: exponential(learning_rate, epoch, DECAY),
        exact=_stepped(1),
        naive={"stepped after each of 6 mini-batches": _stepped(CHUNKS)},
        bounds={"rate": lambda u, at: schedule_bound(u, at.rate, at.epoch + 2)},
        dtypes=("float64",),
    ),
)
