"""What is timed: networks by size, the data they train on, and the ratios they are held to.

Both worker processes import this module, so it imports neither torch nor anything built on it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from manual import network
from manual.architecture import Architecture, Dense
from manual.draws import initial_parameters
from manual.notation import Array, Parameters

LAMBDA, LEARNING_RATE = 0.7, 0.1

MARGIN = 1e-4
"""No unit's Z starts closer to its kink: rounding cannot put the two sides on different sides of it."""


class Size(NamedTuple):
    """Units of every layer, the input first, and the number of examples."""

    units: tuple[int, ...]
    m: int

    def __str__(self) -> str:
        """Such as ``64-128-10; 1438``."""
        return f"{'-'.join(str(n) for n in self.units)}; {self.m}"


class Bar(NamedTuple):
    """The most that a step by hand may take, in one thread, in units of torch's step and of its matrix products."""

    torch: float
    products: float | None = None


SIZES: dict[Size, Bar] = {
    Size((2, 4, 1), 400): Bar(0.35),
    Size((64, 64, 10), 64): Bar(0.4),
    Size((64, 128, 10), 1438): Bar(0.9),
    Size((784, 512, 256, 10), 256): Bar(1.15, products=1.3),
}

SHARED_SIZES: dict[Size, float] = {Size((784, 512, 256, 10), 2048): 1.3}
"""Networks whose steps two processes share, and the most that such a step may take in units of two threads' step."""

LOOPS: dict[str, tuple[int, ...]] = {"propagate": (10, 1), "weight_gradient": (10, 5)}
"""Formulas whose loop is timed against the vectorised form, with the units of the layer that they act on."""

LOOP_EXAMPLES = (10, 100, 1000)

LOOP_CASES = ("logistic_regression.propagate", "dense.weight_gradient")
"""The cases that hold each of LOOPS against its loop."""


class Data(NamedTuple):
    """Everything that both sides start from."""

    architecture: Architecture
    params: Parameters
    X: Array
    Y: Array


def draw(size: Size, dtype: Any) -> Data:
    """Network, parameters and random data of a size: ReLU, then a sigmoid for one output and a softmax for several.

    The draws are the same in every process. Examples that bring a hidden unit close to its kink are left out.
    """
    n_x, *hidden, n_L = size.units
    output = Dense(n_L, "sigmoid" if n_L == 1 else "softmax")
    architecture = Architecture(n_x, (*(Dense(n, "relu") for n in hidden), output))
    rng = np.random.default_rng(0)
    params = initial_parameters(architecture, "he", rng)
    for name in params:
        if name.startswith("b"):
            params[name] = 0.1 * rng.standard_normal(params[name].shape)
    X = rng.standard_normal((n_x, size.m + size.m // 4 + 8))
    near = np.zeros(X.shape[1], bool)
    for Z in network.forward(architecture, params, X).Z[1:-1]:
        near |= (np.abs(Z) < MARGIN).any(axis=0)  # type: ignore[arg-type]
    X = X[:, ~near][:, : size.m]
    Y = rng.integers(0, 2, (1, size.m)) if n_L == 1 else np.eye(n_L)[:, rng.integers(0, n_L, size.m)]
    cast = {name: value.astype(dtype) for name, value in params.items()}
    return Data(architecture, cast, np.array(X, dtype, order="C"), np.array(Y, dtype, order="C"))
