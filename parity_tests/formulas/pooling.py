"""Pooling: largest values and averages, forward and backward. The ordinary probes have no ties."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import manual.pooling as by_hand
import torch_ref.pooling as torch_side
from manual import shapes
from manual.notation import Array
from parity_tests.formulas.case import Case, Derivative, Inputs, normal
from parity_tests.judging import volume_bounds


class Config(NamedTuple):
    """A pooling: what it is tried for, examples, sides, channels, window, stride."""

    name: str
    m: int
    n: tuple[int, int]
    n_C: int
    size: int
    stride: int


CONFIGS = (
    Config("stride below size", 2, (5, 4), 3, 3, 1),
    Config("stride of size", 3, (4, 6), 2, 2, 2),
    Config("stride above size", 2, (7, 5), 3, 2, 3),
    Config("remainder", 2, (6, 7), 2, 3, 2),
    Config("whole input", 3, (3, 3), 5, 3, 1),
    Config("one cell", 2, (3, 2), 3, 1, 1),
    Config("one example, one channel", 1, (5, 4), 1, 2, 2),
)


def _values(config: Config, rng: np.random.Generator) -> Array:
    return normal(rng, config.m, *config.n, config.n_C)  # type: ignore[no-any-return]


def _ties(config: Config, rng: np.random.Generator) -> Array:
    return rng.integers(0, 3, (config.m, *config.n, config.n_C)).astype(np.float64)


def _upstream(config: Config, rng: np.random.Generator) -> Array:
    n_H, n_W = (shapes.conv_output_size(n, config.size, stride=config.stride) for n in config.n)
    return normal(rng, config.m, n_H, n_W, config.n_C)  # type: ignore[no-any-return]


def _forward(config: Config, mode: str) -> Case:
    size, stride = config.size, config.stride
    return Case(
        f"pooling.pool_forward, {mode}, {config.name}",
        "F223 F239",
        inputs=lambda rng: {"A_prev": _values(config, rng)},
        manual=lambda A_prev: by_hand.pool_forward(A_prev, size, stride, mode=mode),
        loop=lambda A_prev: by_hand.pool_forward_loop(A_prev, size, stride, mode=mode),
        reference=lambda A_prev: torch_side.pool_forward(A_prev, size, stride, mode=mode),
        bounds={"A": lambda u, at: volume_bounds.pool_forward(u, at.A_prev, size, stride, mode)},
    )


def _backward(config: Config, mode: str, values: Any = _values) -> Case:
    size, stride = config.size, config.stride

    def summed(dA: Array, A_prev: Array) -> Any:
        """The summed loss whose derivative by A is dA."""
        return np.sum(dA * by_hand.pool_forward(A_prev, size, stride, mode=mode))

    def inputs(rng: np.random.Generator) -> Inputs:
        return {"dA": _upstream(config, rng), "A_prev": values(config, rng)}

    ties = values is _ties
    return Case(
        f"pooling.pool_backward, {mode}, {'ties' if ties else config.name}",
        "F223 F239",
        inputs=inputs,
        manual=lambda dA, A_prev: by_hand.pool_backward(dA, A_prev, size, stride, mode=mode),
        loop=lambda dA, A_prev: by_hand.pool_backward_loop(dA, A_prev, size, stride, mode=mode),
        reference=lambda dA, A_prev: torch_side.pool_backward(dA, A_prev, size, stride, mode=mode),
        bounds={"dA_prev": lambda u, at: volume_bounds.pool_backward(u, at.dA, at.A_prev, size, stride, mode)},
        derivatives={} if ties else {"dA_prev": Derivative(of=summed, wrt="A_prev")},
    )


CASES = (
    *(_forward(config, mode) for mode in ("max", "average") for config in CONFIGS),
    *(_backward(config, mode) for mode in ("max", "average") for config in CONFIGS),
    _backward(CONFIGS[0], "max", _ties),  # the first maximum in row order gets everything, on every side
)
