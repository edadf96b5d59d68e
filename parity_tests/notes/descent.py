"""Gradient descent for the experiments: small data, seeds, and figures with room to spare."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from manual import network
from manual.architecture import Architecture
from manual.costs import binary_cross_entropy_from_logits
from manual.logistic_regression import propagate
from manual.notation import Array, Parameters
from manual.optimizers import GradientDescent
from manual.shared.settings import batches


def descend(
    architecture: Architecture,
    params: Parameters,
    X: Array,
    Y: Array,
    *,
    learning_rate: float,
    steps: int,
    lambda_: float = 0.0,
) -> tuple[Parameters, float]:
    """The parameters after so many steps on all examples, and J there, without the penalty."""
    rule = GradientDescent(learning_rate)
    state = rule.init(params)
    for _ in range(steps):
        passed = network.forward(architecture, params, X)
        grads = network.backward(architecture, params, passed, Y, lambda_, only_grads=True).grads
        params, state = rule.step(params, grads, state)
    return params, cost_of(architecture, params, X, Y)


def cost_of(architecture: Architecture, params: Parameters, X: Array, Y: Array) -> float:
    """J without a penalty."""
    return float(network.cost(architecture, params, network.forward(architecture, params, X), Y))


def noisy_line(rng: np.random.Generator, m: int = 100, n_x: int = 2) -> tuple[Array, Array]:
    """Examples on both sides of a line, one in ten on the wrong side: J has a least value that is not 0."""
    X = rng.standard_normal((n_x, m))
    Y = (X.sum(axis=0, keepdims=True) > 0) != (rng.random((1, m)) < 0.1)
    return X, Y.astype(np.float64)


class LogisticDescent(NamedTuple):
    """J before a step and after one of each size; after one step and 3000; and the least J."""

    first: float
    small: float
    huge: float
    one: float
    last: float
    least: float


@lru_cache(maxsize=32)
def logistic_descent(seed: int) -> LogisticDescent:
    """Logistic regression from zero, with several learning rates; the least J by Newton's method."""
    X, Y = noisy_line(np.random.default_rng(seed))
    start = np.zeros((2, 1))

    def cost(w: Array, b: float) -> float:
        return float(binary_cross_entropy_from_logits(w.T @ X + b, Y))

    def after(alpha: float, steps: int) -> float:
        w, b = start, 0.0
        for _ in range(steps):
            dw, db, _ = propagate(w, b, X, Y)
            w, b = w - alpha * dw, float(b - alpha * db)
        return cost(w, b)

    small, huge, one, last = after(0.01, 1), after(1000.0, 1), after(0.1, 1), after(0.5, 3000)
    return LogisticDescent(cost(start, 0.0), small, huge, one, last, _newton(X, Y))


def _newton(X: Array, Y: Array) -> float:
    """The least J of logistic regression: Newton's method on w and b together."""
    X1 = np.vstack([X, np.ones((1, X.shape[1]))])
    w = np.zeros((X1.shape[0], 1))
    for _ in range(30):
        A = 1 / (1 + np.exp(-(w.T @ X1)))
        w = w - np.linalg.solve((X1 * (A * (1 - A))) @ X1.T, X1 @ (A - Y).T)
    return float(binary_cross_entropy_from_logits(w.T @ X1, Y))


def torch_trajectory(rng: np.random.Generator, learning_rate: float) -> tuple[Array, Array]:
    """W after 100 steps by hand with that learning rate, and after 100 of torch.optim.SGD with 0.1."""
    X, Y = noisy_line(rng, m=7, n_x=5)
    w, b = np.zeros((5, 1)), 0.0
    for _ in range(100):
        dw, db, _ = propagate(w, b, X, Y)
        w, b = w - learning_rate * dw, float(b - learning_rate * db)
    unit = torch.nn.Linear(5, 1, dtype=torch.float64)
    torch.nn.init.zeros_(unit.weight)
    torch.nn.init.zeros_(unit.bias)
    rule = torch.optim.SGD(unit.parameters(), lr=0.1)
    loss, rows, labels = torch.nn.BCEWithLogitsLoss(), torch.from_numpy(X.T.copy()), torch.from_numpy(Y.T.copy())
    for _ in range(100):
        rule.zero_grad()
        loss(unit(rows), labels).backward()
        rule.step()
    return w.T, unit.weight.detach().numpy()


class LoopTimes(NamedTuple):
    """Seconds for the same dot product, the best of three."""

    loop: float
    vectorised: float


@lru_cache(maxsize=32)
def loop_times(seed: int) -> LoopTimes:
    """A sum of products, number by number and in one call."""
    w, x = np.random.default_rng(seed).standard_normal((2, 20_000))

    def loop() -> float:
        z = 0.0
        for i in range(len(w)):
            z += w[i] * x[i]
        return float(z)

    def vectorised() -> float:
        return float(np.dot(w, x))

    best = []
    for work in (loop, vectorised):
        seconds = []
        for _ in range(3):
            begin = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - begin)
        best.append(min(seconds))
    return LoopTimes(*best)


def chunks(m: int, size: int) -> list[int]:
    """Sizes of the chunks of m examples; the last may be shorter."""
    return [len(batch) for batch in batches(m, size, None)]
