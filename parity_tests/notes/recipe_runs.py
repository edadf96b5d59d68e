"""Experiments for the recipe of N3: the checks before a search, and the search itself."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from manual import network
from manual.architecture import Architecture, Dense
from manual.costs import l2_penalty
from manual.notation import Array, Parameters
from parity_tests.notes.descent import cost_of, descend, noisy_line

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
