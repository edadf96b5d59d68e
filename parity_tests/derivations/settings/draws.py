"""The numbers of a seed: sizes that are distinct primes, generic values, nothing saturated, no kink nearby."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from manual.architecture import Architecture, Dense
from manual.network import backward, forward
from manual.notation import Array, Parameters
from parity_tests.derivations.settings.problems import NetworkProblem
from parity_tests.derivations.settings.setting import generator

FAR_FROM_KINK = 0.01
"""The smallest |z| that a ReLU sees."""

FAR_FROM_ZERO = 0.005
"""What a gradient is not smaller than."""


def sizes_of(choices: tuple[tuple[int, ...], ...], seed: int) -> tuple[int, ...]:
    """The sizes of a seed."""
    return choices[seed % len(choices)]


def regularisation(rng: np.random.Generator) -> float:
    """A lambda near 0.7 that is no multiple of 1/m."""
    return float(rng.uniform(0.63, 0.79))


def learning_rate(rng: np.random.Generator) -> float:
    """An alpha near 0.3."""
    return float(rng.uniform(0.27, 0.36))


def parameters(architecture: Architecture, rng: np.random.Generator) -> Parameters:
    """Weights from N(0, 1) / sqrt(n_prev), and biases that are not 0."""
    params: Parameters = {}
    for name, shape in architecture.parameter_shapes.items():
        scale = 1 / np.sqrt(shape[1]) if name.startswith("W") else 0.4
        params[name] = scale * rng.standard_normal(shape)
    return params


def labels(unit: str, rng: np.random.Generator, n: int, m: int) -> Array:
    """Targets (n, m) for an output unit: 0 or 1 with both in every row, one-hot with every class, or numbers."""
    if unit == "identity":
        return rng.standard_normal((n, m))
    if unit == "softmax":
        return np.eye(n)[:, rng.permutation(np.arange(m) % n)]
    return np.stack([rng.permutation(np.arange(m) % 2) for _ in range(n)]).astype(np.float64)


def network_problem(
    name: str, units: tuple[str, ...], choices: tuple[tuple[int, ...], ...], seed: int
) -> NetworkProblem:
    """A network of these units and data for it; ``choices`` are (n_x, n_1, ..., n_L, m)."""
    n_x, *ns, m = sizes_of(choices, seed)
    architecture = Architecture(n_x, tuple(Dense(n, unit) for n, unit in zip(ns, units, strict=True)))
    rng = generator(name, seed)
    problems = _problems(architecture, m, rng)
    return next(problem for problem in problems if _is_generic(problem))


def _problems(architecture: Architecture, m: int, rng: np.random.Generator) -> Iterator[NetworkProblem]:
    while True:
        X = rng.standard_normal(architecture.batch_shape(0, m))
        Y = labels(architecture.output_unit, rng, architecture.outputs, m)
        params = parameters(architecture, rng)
        yield NetworkProblem(architecture, params, X, Y, regularisation(rng), learning_rate(rng))


def _is_generic(problem: NetworkProblem) -> bool:
    """Whether no ReLU is near its kink or always on or off, and no gradient vanishes, with L2 or without."""
    architecture, params, Y = problem.architecture, problem.params, problem.Y
    passed = forward(architecture, params, problem.X)
    for unit, Z in zip(architecture.activations, passed.Z, strict=True):
        if unit == "relu" and Z is not None:
            on = Z > 0
            if np.min(np.abs(Z)) < FAR_FROM_KINK or on.all(axis=1).any() or not on.any(axis=1).all():
                return False
    # a network of one layer has its entries as symbols: dw1, db
    weigh = np.min if len(architecture.layers) == 1 else np.max
    grads = [backward(architecture, params, passed, Y, lambda_).grads for lambda_ in (0.0, problem.lambda_)]
    return all(weigh(np.abs(gradient)) > FAR_FROM_ZERO for each in grads for gradient in each.values())


def drawer(name: str, units: tuple[str, ...], choices: tuple[tuple[int, ...], ...]) -> Callable[[int], NetworkProblem]:
    """The draw of a network setting."""
    return lambda seed: network_problem(name, units, choices, seed)
