"""Experiments for the recipe of N3: the checks before a search, and the search itself."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_breast_cancer

from manual import network
from manual.architecture import Architecture, Dense
from manual.costs import l2_penalty
from manual.notation import Array, Parameters
from manual.training import Settings, fit
from parity_tests.notes.descent import cost_of, descend

IMAGES = Architecture(3072, (Dense(50, "relu"), Dense(10, "softmax")))
"""The network of the course's demonstration: colour images of 32 by 32, ten classes."""


def tiny_weights(rng: np.random.Generator) -> Parameters:
    """Weights of scale 1e-4, as in the demonstration."""
    shapes = IMAGES.parameter_shapes.items()
    return {name: 1e-4 * name.startswith("W") * rng.standard_normal(shape) for name, shape in shapes}


def images(rng: np.random.Generator, m: int) -> tuple[Array, Array]:
    """Noise for images, centred and scaled, and classes one-hot."""
    return rng.standard_normal((3072, m)), np.eye(10)[:, rng.integers(0, 10, m)]


class CrankedUp(NamedTuple):
    """The loss before training, and what a strength of 1e3 adds to it by each reading of the penalty."""

    loss: float
    half: float
    over_m: float
    whole: float


@lru_cache(maxsize=32)
def cranked_up(seed: int) -> CrankedUp:
    """1/2 reg sum W^2, lambda/(2m) sum W^2 with m = 50000, and reg sum W^2."""
    rng = np.random.default_rng(seed)
    params = tiny_weights(rng)
    X, Y = images(rng, 20)
    weights = [params["W1"], params["W2"]]
    half = float(l2_penalty(weights, 1e3, 1))
    return CrankedUp(cost_of(IMAGES, params, X, Y), half, float(l2_penalty(weights, 1e3, 50_000)), 2 * half)


class Normalised(NamedTuple):
    """J after 300 steps with the best learning rate of a grid, on raw and on normalised data."""

    raw: float
    normal: float


@lru_cache(maxsize=32)
def normalised(seed: int) -> Normalised:
    """Logistic regression on 200 tumours of scikit-learn's breast-cancer data."""
    rows, labels = load_breast_cancer(return_X_y=True)
    chosen = np.random.default_rng(seed).choice(len(rows), 200, replace=False)
    X, Y = rows[chosen].T.copy(), labels[chosen].reshape(1, -1).astype(np.float64)
    scaled = (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True)
    return Normalised(_best_of_grid(X, Y), _best_of_grid(scaled, Y))


def _best_of_grid(X: Array, Y: Array) -> float:
    """The least J over learning rates from 1e-7 to 1, among those that do not explode."""
    architecture = Architecture(len(X), (Dense(1, "sigmoid"),))
    zeros = {name: np.zeros(shape) for name, shape in architecture.parameter_shapes.items()}
    grid = 10.0 ** np.arange(-7, 1)
    found = [descend(architecture, zeros, X, Y, learning_rate=float(rate), steps=300)[1] for rate in grid]
    return min(J for J in found if np.isfinite(J))


class Overfitted(NamedTuple):
    """Loss before and after, accuracy on the examples and on others."""

    first: float
    loss: float
    accuracy: float
    other: float


@lru_cache(maxsize=32)
def overfitted(seed: int) -> Overfitted:
    """20 images of noise with classes at random, 200 steps; and 200 others."""
    rng = np.random.default_rng(seed)
    (X, Y), (X_other, Y_other) = images(rng, 20), images(rng, 200)
    params = tiny_weights(rng)
    first = cost_of(IMAGES, params, X, Y)
    params, loss = descend(IMAGES, params, X, Y, learning_rate=0.1, steps=200)
    return Overfitted(first, loss, _accuracy(params, X, Y), _accuracy(params, X_other, Y_other))


def _accuracy(params: Parameters, X: Array, Y: Array) -> float:
    """The share of examples whose class is found."""
    return float(np.mean(np.sum(network.predict(IMAGES, params, X) * Y, axis=0)))


class LearningRates(NamedTuple):
    """The loss before 60 steps, and after them with 1e-6, 1e-3 and 1e3."""

    first: float
    tiny: float
    small: float
    huge: float


@lru_cache(maxsize=32)
def learning_rates(seed: int) -> LearningRates:
    """On 20 images of noise."""
    rng = np.random.default_rng(seed)
    X, Y = images(rng, 20)
    params = tiny_weights(rng)
    with np.errstate(all="ignore"):
        after = [descend(IMAGES, params, X, Y, learning_rate=rate, steps=60)[1] for rate in (1e-6, 1e-3, 1e3)]
    return LearningRates(cost_of(IMAGES, params, X, Y), *after)


class StopsAt(NamedTuple):
    """After how many of 60 steps a run that watches its cost stops, with learning rates 1e3 and 1e-3."""

    exploding: int
    calm: int


@lru_cache(maxsize=32)
def stops_at(seed: int) -> StopsAt:
    """The loop stops where the cost is not finite, or above three times the first."""
    rng = np.random.default_rng(seed)
    (X, Y), params, steps = images(rng, 20), tiny_weights(rng), []
    for rate in (1e3, 1e-3):
        settings = Settings("gradient_descent", rate, epochs=60, batch_size=20)
        with np.errstate(all="ignore"):
            run = fit(IMAGES, X, Y, settings, params=params)
        steps.append(run.explosion.step if run.explosion else 60)
    return StopsAt(*steps)


class LogSpace(NamedTuple):
    """Shares of draws in one decade: of reg over ten decades, and of lr over three, from both kinds of search."""

    log: float
    linear: float
    third: float
    linear_third: float


@lru_cache(maxsize=32)
def log_space(seed: int) -> LogSpace:
    """2000 draws each."""
    rng = np.random.default_rng(seed)

    def share(draws: Array, low: float) -> float:
        return float(np.mean((low <= draws) & (draws < 10 * low)))

    return LogSpace(
        share(10 ** rng.uniform(-5, 5, 2000), 1e-5),
        share(rng.uniform(1e-5, 1e5, 2000), 1e-5),
        share(10 ** rng.uniform(-6, -3, 2000), 1e-5),
        share(rng.uniform(1e-6, 1e-3, 2000), 1e-5),
    )


class FineBox(NamedTuple):
    """How many of 100 coarse draws fall into the box of the fine search, and its share of the coarse box."""

    hits: int
    share: float


@lru_cache(maxsize=32)
def fine_box(seed: int) -> FineBox:
    """Exponents of reg from -5 to 5 and of lr from -6 to -3; fine: -4 to 0 and -4 to -3."""
    rng = np.random.default_rng(seed)
    reg, lr = rng.uniform(-5, 5, 100), rng.uniform(-6, -3, 100)
    hits = (reg >= -4) & (reg <= 0) & (lr >= -4) & (lr <= -3)
    return FineBox(int(hits.sum()), 4 / 10 * 1 / 3)
