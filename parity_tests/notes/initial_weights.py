"""Experiments with initial weights: zero, equal, small, large."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from manual import network, theory
from manual.activations import tanh_prime
from manual.architecture import Architecture, Dense, model
from manual.notation import Parameters
from parity_tests.notes.descent import cost_of, descend
from parity_tests.notes.training import moons, start


class EqualStart(NamedTuple):
    """From equal and from random weights: how far apart the units end, and how far the output is from one unit's."""

    distance: float
    random_distance: float
    output: float
    random_output: float


@lru_cache(maxsize=32)
def equal_start(seed: int) -> EqualStart:
    """Four tanh units on the moons, 500 steps; one unit with the sum of their output weights in their place."""
    (X, Y), architecture, one_unit = moons(seed), model("shallow", 2, 1), model("shallow", 2, 1, (1,))
    distances, outputs = [], []
    for scheme in ("constant", "lecun"):
        params, _ = descend(architecture, start(architecture, seed, scheme), X, Y, learning_rate=1.0, steps=500)
        first = {"W1": params["W1"][:1], "b1": params["b1"][:1], "b2": params["b2"]}
        first["W2"] = params["W2"].sum(axis=1, keepdims=True)
        A, A_one = (network.forward(*net, X).A[-1] for net in ((architecture, params), (one_unit, first)))
        distances.append(float(theory.unit_distance(params["W1"])))
        outputs.append(float(np.abs(A - A_one).max()))
    return EqualStart(*distances, *outputs)


class ZeroStart(NamedTuple):
    """The largest weight after training from all zeros, by hidden unit."""

    tanh: float
    relu: float
    sigmoid: float


@lru_cache(maxsize=32)
def zero_start(seed: int) -> ZeroStart:
    """Four units of each kind on moons of different sizes, 200 steps: with as many ones as zeros nothing ever moves."""
    X, Y = moons(seed, (120, 60))
    largest = []
    for unit in ("tanh", "relu", "sigmoid"):
        architecture = Architecture(2, (Dense(4, unit), Dense(1, "sigmoid")))
        params, _ = descend(architecture, start(architecture, seed, "zeros"), X, Y, learning_rate=1.0, steps=200)
        largest.append(max(float(np.abs(value).max()) for name, value in params.items() if name.startswith("W")))
    return ZeroStart(*largest)


class SmallStart(NamedTuple):
    """J before training, and after it from small and from zero weights."""

    first: float
    small: float
    zero: float


@lru_cache(maxsize=32)
def small_start(seed: int) -> SmallStart:
    """The shallow network on the moons, 600 steps from weights of scale 0.01."""
    (X, Y), architecture = moons(seed), model("shallow", 2, 1)
    params = start(architecture, seed, "small")
    _, small = descend(architecture, params, X, Y, learning_rate=1.0, steps=600)
    _, zero = descend(architecture, start(architecture, seed, "zeros"), X, Y, learning_rate=1.0, steps=600)
    return SmallStart(cost_of(architecture, params, X, Y), small, zero)


class Scales(NamedTuple):
    """Mean slope of the hidden units, the size of dW1, and J after training, by the scale of the weights."""

    slope_small: float
    slope_large: float
    dW1_small: float
    dW1_one: float
    J_one: float
    J_large: float


@lru_cache(maxsize=32)
def scales(seed: int) -> Scales:
    """Ten tanh units on the moons, 300 steps from weights of scale 0.01, 1 and 100."""
    (X, Y), architecture = moons(seed), model("shallow", 2, 1, (10,))
    rng = np.random.default_rng(seed)
    draws = {name: rng.standard_normal(shape) for name, shape in architecture.parameter_shapes.items()}
    slope, size, J = {}, {}, {}
    for scale in (0.01, 1.0, 100.0):
        params: Parameters = {name: scale * draw * name.startswith("W") for name, draw in draws.items()}
        passed = network.forward(architecture, params, X)
        assert passed.Z[1] is not None
        slope[scale] = float(tanh_prime(passed.Z[1]).mean())
        size[scale] = float(np.linalg.norm(network.backward(architecture, params, passed, Y).grads["dW1"]))
        _, J[scale] = descend(architecture, params, X, Y, learning_rate=0.5, steps=300)
    return Scales(slope[0.01], slope[100.0], size[0.01], size[1.0], J[1.0], J[100.0])


class DeepStart(NamedTuple):
    """J before training, after it by scheme, and what scale 0.01 leaves of the spread."""

    first: float
    small: float
    lecun: float
    spread: float


@lru_cache(maxsize=32)
def deep_start(seed: int) -> DeepStart:
    """Nine layers of tanh on the moons, 500 steps."""
    (X, Y), architecture = moons(seed), model("shallow", 2, 1, (10,) * 8)
    params = start(architecture, seed, "small")
    _, small = descend(architecture, params, X, Y, learning_rate=0.3, steps=500)
    _, lecun = descend(architecture, start(architecture, seed), X, Y, learning_rate=0.3, steps=500)
    spreads = theory.layer_spreads(architecture, params, X)
    return DeepStart(cost_of(architecture, params, X, Y), small, lecun, float(spreads[-2]))
