"""How far an update may be off, by each rule: bounds of W, and of v and s where a rule has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from manual.optimizers import (
    Adam,
    AdamW,
    ClassicalMomentum,
    GradientDescent,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
)
from parity_tests.judging.bounds import Bound, Magnitudes, gamma, unit_roundoff


def update_bound(u: float, value: Magnitudes, gradient: Magnitudes, learning_rate: float) -> Bound:
    """W - alpha dW: alpha rounded, the product, the difference; W takes part in the last alone."""
    return gamma(3, u) * learning_rate * np.abs(gradient) + u * np.abs(value)


def velocity_bound(u: float, v: Magnitudes, dW: Magnitudes, beta: float, steps: int = 1) -> Bound:
    """v := beta v + (1 - beta) dW, the last of ``steps`` such steps.

    By hand: beta and 1 - beta rounded to the dtype, two products, a sum. torch's SGD keeps v / (1 - beta): a division
    going in, a product coming out, both by a rounded 1 - beta, and the step between; 8 roundings in all. torch's Adam
    computes v + (1 - beta) (dW - v), where the past passes a difference and a product as well, so |v| counts in full.
    Over several steps v is the sum of the magnitudes up to the last: what a step inherits is at most what it adds.
    """
    return gamma(8 * steps, u) * (np.abs(v) + (1 - beta) * np.abs(dW))


def mean_square_bound(u: float, s: Magnitudes, dW: Magnitudes, beta2: float, steps: int = 1) -> Bound:
    """s := beta2 s + (1 - beta2) dW^2: nothing cancels; a factor rounded, a square, a product, a sum, one to spare."""
    return gamma(5 * steps, u) * (beta2 * s + (1 - beta2) * np.square(dW))


def momentum_bound(
    u: float, W: Magnitudes, dW: Magnitudes, v: Magnitudes, learning_rate: float, beta: float, steps: int = 1
) -> Bound:
    """W - alpha v: v's error, alpha (1 - beta in it for torch) rounded, the product, the difference."""
    v_new = np.abs(v) + (1 - beta) * np.abs(dW)
    return _update(u, W, learning_rate * v_new, 8 * steps + 4)


def rmsprop_bound(
    u: float,
    W: Magnitudes,
    dW: Magnitudes,
    s: Magnitudes,
    learning_rate: float,
    beta2: float,
    epsilon: float,
    steps: int = 1,
) -> Bound:
    """W - alpha dW / (sqrt(s) + epsilon): the root takes half of the 5 roundings a step of s and adds one, then
    epsilon, the sum, the quotient, alpha, the product and the difference.
    """
    root = np.sqrt(beta2 * s + (1 - beta2) * np.square(dW)) + epsilon
    return _update(u, W, learning_rate * np.abs(dW) / root, 3 * steps + 7)


def adam_bound(
    u: float,
    W: Magnitudes,
    dW: Magnitudes,
    v: Magnitudes,
    s: Magnitudes,
    t: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    steps: int = 1,
) -> Bound:
    """W - alpha v_hat / (sqrt(s_hat) + epsilon): the roundings of v and, by the root, half of those of s; the
    corrections, epsilon, the sum, the quotient, alpha, the product and the difference, on either way of writing it.

    The corrections 1 - beta^t are Python floats, whatever the dtype. There beta^t is off by an ulp, 2 u of float64, and
    the difference cancels: it keeps a relative error of 2 u beta^t / (1 - beta^t), a thousand u at t = 2 with
    beta2 = 0.999. Of s_hat's the root takes half. At t = 1 there is no power to round.
    """
    v_new = np.abs(v) + (1 - beta1) * np.abs(dW)
    s_hat = (beta2 * s + (1 - beta2) * np.square(dW)) / (1 - beta2**t)
    step = learning_rate * v_new / (1 - beta1**t) / (np.sqrt(s_hat) + epsilon)
    corrections = unit_roundoff(np.float64) * sum(
        part * beta**t / (1 - beta**t) for part, beta in ((2, beta1), (1, beta2)) if t > 1
    )
    return _update(u, W, step, 11 * steps + 10) + corrections * step


def classical_momentum_bounds(
    u: float,
    W: Magnitudes,
    dW: Magnitudes,
    v: Magnitudes,
    learning_rate: float,
    beta: float,
    ahead: bool = False,
    steps: int = 1,
) -> tuple[Bound, Bound]:
    """W - alpha v and v := beta v + dW: two rounded factors, two products and a sum a step, and those of the step.

    Nesterov's step is alpha (dW + beta v), looking ``ahead``. Over several steps v is the sum of all magnitudes.
    """
    v_new = beta * np.abs(v) + np.abs(dW)
    step = learning_rate * (np.abs(dW) + beta * v_new if ahead else v_new)
    return _update(u, W, step, 5 * steps + 4 + 3 * int(ahead)), gamma(5 * steps, u) * v_new


def adamw_bound(u: float, W: Magnitudes, *rest: Any, steps: int = 1) -> Bound:
    """Adam's, and for 1 - alpha weight_decay, rounded, and its product with W three more roundings of W."""
    return adam_bound(u, W, *rest[:-1], steps=steps) + 3 * u * np.abs(W)  # type: ignore[misc]  # rest ends before


def _update(u: float, W: Magnitudes, step: Magnitudes, roundings: int) -> Bound:
    """W minus a step that has seen so many roundings, the difference's included; |W| takes part in that one alone."""
    return gamma(roundings, u) * step + u * np.abs(W)


RULES: dict[type[Optimizer], Callable[..., dict[str, Bound]]] = {
    GradientDescent: lambda u, rule, t, W, dW: {"W": update_bound(u, W, dW, rule.learning_rate)},
    Momentum: lambda u, rule, t, W, dW, v: {
        "W": momentum_bound(u, W, dW, v, rule.learning_rate, rule.beta),
        "v": velocity_bound(u, v, dW, rule.beta),
    },
    RMSprop: lambda u, rule, t, W, dW, s: {
        "W": rmsprop_bound(u, W, dW, s, rule.learning_rate, rule.beta2, rule.epsilon),
        "s": mean_square_bound(u, s, dW, rule.beta2),
    },
    Adam: lambda u, rule, t, W, dW, v, s: {
        "W": adam_bound(u, W, dW, v, s, t, rule.learning_rate, rule.beta1, rule.beta2, rule.epsilon),
        "v": velocity_bound(u, v, dW, rule.beta1),
        "s": mean_square_bound(u, s, dW, rule.beta2),
    },
    ClassicalMomentum: lambda u, rule, t, W, dW, v: dict(
        zip("Wv", classical_momentum_bounds(u, W, dW, v, rule.learning_rate, rule.beta), strict=True)
    ),
    Nesterov: lambda u, rule, t, W, dW, v: dict(
        zip("Wv", classical_momentum_bounds(u, W, dW, v, rule.learning_rate, rule.beta, ahead=True), strict=True)
    ),
    AdamW: lambda u, rule, t, W, dW, v, s: {
        "W": adamw_bound(u, W, dW, v, s, t, *vars(rule).values()),
        "v": velocity_bound(u, v, dW, rule.beta1),
        "s": mean_square_bound(u, s, dW, rule.beta2),
    },
}
"""Bounds of W, and of v and s where a rule has them, after its step number t from W, dW, v and s."""
