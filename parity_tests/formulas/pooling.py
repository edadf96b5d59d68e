"""Pooling: largest values and averages, forward and backward. The ordinary probes have no ties."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

import manual.pooling as by_hand
import torch_ref.pooling as torch_side
from manual import shapes
from manual.notation import Array
from manual.shapes import conv_output_size
from parity_tests.formulas.case import Case, Derivative, Inputs, normal
from parity_tests.formulas.conv import absolute
from parity_tests.formulas.formula import Formula, Sharp, Words, code, refusal
from parity_tests.formulas.planting import fault
from parity_tests.judging.bounds import Bound, Magnitudes, gamma
from torch_ref.devices import array
from torch_ref.pooling import pool_backward as torch_pool_backward
from torch_ref.pooling import pool_forward as torch_pool_forward


def pool_forward_bound(u: float, A_prev: Magnitudes, size: int, stride: int, mode: str) -> Bound:
    """The largest value exactly; the average of f^2 values, with the division."""
    if mode == "max":
        m, n_H, n_W, n_C = A_prev.shape
        return np.zeros((m, *(conv_output_size(n, size, stride=stride) for n in (n_H, n_W)), n_C))
    (values,) = absolute(A_prev)
    return gamma(size**2 + 1, u) * array(torch_pool_forward(values, size, stride, mode=mode))


def pool_backward_bound(u: float, dA: Magnitudes, A_prev: Magnitudes, size: int, stride: int, mode: str) -> Bound:
    """A cell adds one share from every window that holds it: ceil(f/s)^2 at most, a division, 1/m in and out."""
    shares = math.ceil(size / stride) ** 2
    upstream, values = torch.from_numpy(np.abs(dA)), torch.from_numpy(np.ascontiguousarray(A_prev))
    return gamma(shares + 4, u) * array(torch_pool_backward(upstream, values, size, stride, mode=mode))


# pragma: no mutate start, for what follows is drawn and planted: the bounds above judge


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
        bounds={"A": lambda u, at: pool_forward_bound(u, at.A_prev, size, stride, mode)},
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
        bounds={"dA_prev": lambda u, at: pool_backward_bound(u, at.dA, at.A_prev, size, stride, mode)},
        derivatives={} if ties else {"dA_prev": Derivative(of=summed, wrt="A_prev")},
    )


def _average_times_size(right: Callable[..., Any]) -> Callable[..., Any]:
    """The sum over a window where the average belongs."""

    def planted(*arrays: Any, mode: str) -> Any:
        size = arrays[-2]
        return right(*arrays, mode=mode) * (size**2 if mode == "average" else 1)

    return planted


def _spread_over_window(right: Callable[..., Any]) -> Callable[..., Any]:
    """The gradient of a maximum shared by all cells of its window."""
    return lambda dA, A_prev, size, stride, *, mode: right(dA, A_prev, size, stride, mode="average")


def _last_window_only(right: Callable[..., Any]) -> Callable[..., Any]:
    """A cell keeps what the last window that holds it hands back."""

    def planted(dA: Array, A_prev: Array, size: int, stride: int, *, mode: str) -> Any:
        dA_prev = np.zeros_like(A_prev)
        for h, w in np.ndindex(*dA.shape[1:3]):
            window = np.s_[:, h * stride : h * stride + size, w * stride : w * stride + size]
            share = right(dA[:, h : h + 1, w : w + 1], A_prev[window], size, stride, mode=mode)
            dA_prev[window] = np.where(share != 0, share, dA_prev[window])
        return dA_prev

    return planted


VOLUME, UPSTREAM = np.ones((2, 6, 5, 3)), np.ones((2, 3, 2, 3))
VOLUMES = "expected (m, n_H, n_W, n_C) with no side of length 0: examples come first and channels last"
SUM = "mode is 'sum', expected one of ('max', 'average'): no other pooling is defined"
CELL = "expected a whole number of at least 1: a window has at least one cell"

REFUSED: tuple[tuple[str, tuple[Any, Any]], ...] = (
    ("size is 6, expected at most 5: the window must fit into the input", (6, 1)),
    (f"size is 0, {CELL}", (0, 1)),
    (f"size is 2.0, {CELL}", (2.0, 1)),
    ("stride is 0, expected a whole number of at least 1: the next window starts at least one cell further on", (2, 0)),
)
"""What pooling refuses, forward and backward: the sentence, the size and the stride."""


FORMULAS = (
    Formula(
        (code(by_hand, torch_side, "pool_forward", "F223 F239"),),
        Words(
            "Pooling forward",
            r"a_{h, w} = \max_{u, v}\, a^{prev}_{s h + u,\, s w + v} \qquad \text{or} \qquad a_{h, w} = "
            r"\frac{1}{f^{2}} \sum_{u, v} a^{prev}_{s h + u,\, s w + v}",
            "One number for each window and channel, without parameters.",
            "Max-pooling over padding with zeros.",
            "Windows of negative numbers at the border give 0 in place of their largest.",
        ),
        cases=tuple(_forward(config, mode) for mode in ("max", "average") for config in CONFIGS),
        sharp=(Sharp(0.1, of="pooling.pool_forward, average, stride of size"),),
        faults=(fault("average not divided", _average_times_size, "A"),),
        refusals=(
            *(refusal(sentence, VOLUME, *how) for sentence, how in REFUSED),
            refusal(f"A_prev has shape (6, 5, 3), {VOLUMES}", VOLUME[0], 2, 2),
            refusal(SUM, of=lambda: by_hand.pool_forward(VOLUME, 2, 2, mode="sum")),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "pool_backward", "F223 F239"),),
        Words(
            "Pooling backward",
            r"\text{max: } da^{prev}_{\mathrm{arg\,max}} \;\text{+=}\; da_{h, w}, \qquad \text{average: } "
            r"da^{prev}_{u, v} \;\text{+=}\; \frac{da_{h, w}}{f^{2}}",
            "Only the largest entry of a window moved the output, so it has all of the derivative; of an average, "
            "each entry has its share. Where windows overlap, shares add up. Ties go to the first in row order, as in "
            "torch.",
            "overwritten",
            "Right while stride = size; wrong wherever windows overlap.",
        ),
        cases=(
            *(_backward(config, mode) for mode in ("max", "average") for config in CONFIGS),
            _backward(CONFIGS[0], "max", _ties),
        ),
        sharp=(
            Sharp(0.1, of="pooling.pool_backward, average, remainder"),
            Sharp(0.06, of="pooling.pool_backward, max, remainder"),
        ),
        faults=(
            fault("average's gradient not divided", _average_times_size, "dA"),
            fault("every cell gets the maximum's gradient", _spread_over_window, "dA"),
            fault("= for += in overlapping pooling windows", _last_window_only, "dA"),
        ),
        refusals=(
            *(refusal(sentence, UPSTREAM, VOLUME, *how) for sentence, how in REFUSED),
            refusal(f"A_prev has shape (6, 5, 3), {VOLUMES}", UPSTREAM, VOLUME[0], 2, 2),
            refusal(SUM, of=lambda: by_hand.pool_backward(UPSTREAM, VOLUME, 2, 2, mode="sum")),
            refusal(
                "dA has shape (2, 2, 2, 3), expected (2, 3, 2, 3): dA has the shape of A", UPSTREAM[:, 1:], VOLUME, 2, 2
            ),
        ),
    ),
)
# pragma: no mutate end
