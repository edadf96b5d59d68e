"""A layer of sigmoids, its cost and its right gradients: for the tests of check_gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from manual import activations, costs
from parity_tests.gradients import check as gradient_check

Arrays = dict[str, Any]
M = 7
X = np.random.default_rng(1).normal(size=(3, M))
Y = np.random.default_rng(2).random((5, M)).round()


def point(seed: int = 3) -> Arrays:
    """Parameters of a layer of five sigmoids on three features."""
    rng = np.random.default_rng(seed)
    return {"W": rng.normal(size=(5, 3)), "b": rng.normal(size=(5, 1))}


def J(W: Any, b: Any) -> Any:
    """The cost of the layer, from A, as the notes print it."""
    return costs.binary_cross_entropy(activations.sigmoid(W @ X + b), Y)


def gradients(W: Any, b: Any) -> Arrays:
    """The right gradients of J."""
    dZ = activations.sigmoid(W @ X + b) - Y
    return {"dW": dZ @ X.T / M, "db": dZ.sum(axis=1, keepdims=True) / M}


def recorded(f: Callable[..., Any], calls: list[Any]) -> Callable[..., Any]:
    """The function, which puts the arguments of each call into a list first."""

    def call(*args: Any) -> Any:
        calls.append(args)
        return f(*args)

    return call


def only(check: gradient_check.GradientCheck) -> gradient_check.ArrayCheck:
    """The check of the one array."""
    (array,) = check.arrays
    return array
