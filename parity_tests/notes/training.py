"""Experiments with networks: what the notes claim about training, on two moons and other small data."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from sklearn.datasets import make_moons

from manual import network
from manual.architecture import Architecture, Dense, model
from manual.draws import initial_parameters
from manual.notation import Array, Gradients, Parameters
from manual.optimizers import GradientDescent
from manual.training import Settings, fit
from parity_tests.notes.descent import cost_of, descend


def moons(seed: int, sizes: tuple[int, int] = (100, 100)) -> tuple[Array, Array]:
    """Two half moons of these sizes: X (2, m), Y (1, m)."""
    rows, labels = make_moons(sizes, noise=0.1, random_state=seed)
    return np.ascontiguousarray(rows.T), labels.reshape(1, -1).astype(np.float64)


def start(architecture: Architecture, seed: int, scheme: str = "lecun") -> Parameters:
    """Initial parameters."""
    return initial_parameters(architecture, scheme, np.random.default_rng(seed))


class WithoutAverage(NamedTuple):
    """J after training with dW1 and db1 as N0 writes them, and with the average."""

    written: float
    right: float


@lru_cache(maxsize=32)
def without_average(seed: int) -> WithoutAverage:
    """The shallow network on the moons, 300 steps, with and without 1/m in the first layer."""
    (X, Y), architecture = moons(seed), model("shallow", 2, 1)
    params, rule = start(architecture, seed), GradientDescent(0.3)
    _, right = descend(architecture, params, X, Y, learning_rate=0.3, steps=300)
    for _ in range(300):
        passed = network.forward(architecture, params, X)
        grads: Gradients = network.backward(architecture, params, passed, Y, only_grads=True).grads
        grads = {name: value * X.shape[1] if name.endswith("1") else value for name, value in grads.items()}
        params, _ = rule.step(params, grads, rule.init(params))
    return WithoutAverage(cost_of(architecture, params, X, Y), right)


class LinearHidden(NamedTuple):
    """J after training: a linear hidden layer, none, and one of tanh."""

    linear: float
    logistic: float
    tanh: float


@lru_cache(maxsize=32)
def linear_hidden(seed: int) -> LinearHidden:
    """On the moons, 1000 steps."""
    X, Y = moons(seed)
    found = []
    for hidden in ("identity", None, "tanh"):
        layers = (Dense(8, hidden),) if hidden else ()
        architecture = Architecture(2, (*layers, Dense(1, "sigmoid")))
        params = start(architecture, seed)
        found.append(descend(architecture, params, X, Y, learning_rate=0.8, steps=1000)[1])
    return LinearHidden(*found)


class LinearTarget(NamedTuple):
    """Half the squared error that is left, by output unit."""

    linear: float
    sigmoid: float


@lru_cache(maxsize=32)
def linear_target(seed: int) -> LinearTarget:
    """Numbers from -3 to 3 as targets: one linear unit trained on them, and the nearest outputs a sigmoid has."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((2, 50))
    Y = np.array([[1.5, -2.0]]) @ X + 0.5
    architecture = Architecture(2, (Dense(1, "identity"),))
    _, linear = descend(architecture, start(architecture, seed), X, Y, learning_rate=0.3, steps=300)
    nearest = np.clip(Y, 0, 1)
    return LinearTarget(linear, float(np.mean((nearest - Y) ** 2) / 2))


class HiddenUnits(NamedTuple):
    """Mean J after training by hidden unit, over five runs, and in how many of them another ended below sigmoid."""

    tanh: float
    sigmoid: float
    relu: float
    tanh_below_sigmoid: int
    relu_below_sigmoid: int


@lru_cache(maxsize=32)
def hidden_units(seed: int) -> HiddenUnits:
    """Ten hidden units on the moons, 400 steps with one learning rate; He's scale for ReLU."""
    J: dict[str, list[float]] = {"tanh": [], "sigmoid": [], "relu": []}
    for run in range(5):
        X, Y = moons(5 * seed + run)
        for unit, values in J.items():
            architecture = Architecture(2, (Dense(10, unit), Dense(1, "sigmoid")))
            params = start(architecture, 5 * seed + run, "he" if unit == "relu" else "lecun")
            values.append(descend(architecture, params, X, Y, learning_rate=0.5, steps=400)[1])
    tanh, sigmoid, relu = (np.array(J[unit]) for unit in ("tanh", "sigmoid", "relu"))
    below = int(np.sum(tanh < sigmoid)), int(np.sum(relu < sigmoid))
    return HiddenUnits(float(tanh.mean()), float(sigmoid.mean()), float(relu.mean()), *below)


class Shrinking(NamedTuple):
    """The sum of the squared weights and the steepest slope of the logit, for lambda = 0, 1 and 10."""

    squares_0: float
    squares_1: float
    squares_10: float
    slope_0: float
    slope_1: float
    slope_10: float


@lru_cache(maxsize=32)
def shrinking(seed: int) -> Shrinking:
    """Eight tanh units on the moons, 800 steps under three penalties."""
    (X, Y), architecture = moons(seed), model("shallow", 2, 1, (8,))
    squares, slopes = [], []
    for lambda_ in (0.0, 1.0, 10.0):
        params, _ = descend(
            architecture, start(architecture, seed), X, Y, learning_rate=0.8, steps=800, lambda_=lambda_
        )
        squares.append(sum(float(np.sum(np.square(params[name]))) for name in ("W1", "W2")))
        slopes.append(_steepest(architecture, params, X))
    return Shrinking(*squares, *slopes)


def _steepest(architecture: Architecture, params: Parameters, X: Array) -> float:
    """The largest ||dz[L]/dx|| over the examples."""
    Z1 = network.forward(architecture, params, X).Z[1]
    assert Z1 is not None
    dZ2_dX = params["W1"].T @ (params["W2"].T * (1 - np.tanh(Z1) ** 2))  # (n_x, m)
    return float(np.max(np.linalg.norm(dZ2_dX, axis=0)))


class ChunkedProgress(NamedTuple):
    """J after one epoch in chunks, after five, and after five without chunks."""

    first_epoch: float
    chunked: float
    whole: float


@lru_cache(maxsize=32)
def chunked_progress(seed: int) -> ChunkedProgress:
    """The shallow network on 2000 points of the moons, with one learning rate."""
    (X, Y), architecture = moons(seed, (1000, 1000)), model("shallow", 2, 1, (8,))
    first = start(architecture, seed)
    _, whole = descend(architecture, first, X, Y, learning_rate=0.1, steps=5)
    costs = []
    for epochs in (1, 5):
        settings = Settings("gradient_descent", 0.1, epochs=epochs, batch_size=50, seed=seed)
        costs.append(cost_of(architecture, fit(architecture, X, Y, settings, params=first).params, X, Y))
    return ChunkedProgress(costs[0], costs[1], whole)
