"""Convolution: forward, backward, flattening, and the sizes that follow."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import manual.conv as by_hand
import torch_ref.conv as torch_side
from manual import shapes
from manual.costs import l2_penalty
from manual.notation import Array
from parity_tests.formulas.case import LAMBDA, Case, Derivative, Inputs, normal
from parity_tests.judging import bounds, volume_bounds
from torch_ref import shapes as torch_shapes


class Config(NamedTuple):
    """A convolution: what it is tried for, examples, sides of input and filters, channels, stride, padding."""

    name: str
    m: int
    n: tuple[int, int]
    f: tuple[int, int]
    n_C_prev: int
    n_C: int
    stride: int = 1
    pad: Any = 0


CONFIGS = (
    Config("plain", 2, (5, 4), (3, 2), 2, 3),
    Config("same", 3, (4, 5), (3, 3), 2, 2, pad="same"),
    Config("padded", 2, (3, 4), (2, 3), 3, 2, pad=(2, 1)),
    Config("strided", 2, (6, 5), (3, 2), 2, 3, stride=2),
    Config("strided and padded", 3, (5, 4), (3, 3), 1, 2, stride=2, pad=1),
    Config("stride above f", 2, (7, 5), (2, 2), 2, 3, stride=3),
    Config("f = n", 3, (3, 4), (3, 4), 2, 5),
    Config("1x1", 2, (3, 4), (1, 1), 3, 2),
    Config("one channel", 3, (5, 4), (2, 3), 1, 1),
    Config("one example", 1, (4, 5), (2, 2), 2, 3, pad=1),
)


def _inputs(config: Config, rng: np.random.Generator) -> Inputs:
    """A_prev, W, b and the upstream dZ of a configuration."""
    A_prev = normal(rng, config.m, *config.n, config.n_C_prev)
    W = normal(rng, *config.f, config.n_C_prev, config.n_C)
    b = normal(rng, 1, 1, 1, config.n_C)
    p_H, p_W = shapes.pad_pair(config.pad, *config.f, config.stride)
    n_H = shapes.conv_output_size(config.n[0], config.f[0], pad=p_H, stride=config.stride)
    n_W = shapes.conv_output_size(config.n[1], config.f[1], pad=p_W, stride=config.stride)
    return {"dZ": normal(rng, config.m, n_H, n_W, config.n_C), "A_prev": A_prev, "W": W, "b": b}


def _forward(config: Config) -> Case:
    how = {"stride": config.stride, "pad": config.pad}

    def inputs(rng: np.random.Generator) -> Inputs:
        drawn = _inputs(config, rng)
        return {name: drawn[name] for name in ("A_prev", "W", "b")}

    return Case(
        f"conv.conv_forward, {config.name}",
        "F219 F220 F221 F225 F226 F227 F234 F235 F237 F238 F239",
        inputs=inputs,
        manual=lambda A_prev, W, b: by_hand.conv_forward(A_prev, W, b, **how),
        loop=lambda A_prev, W, b: by_hand.conv_forward_loop(A_prev, W, b, **how),
        reference=lambda A_prev, W, b: torch_side.conv_forward(A_prev, W, b, **how),
        bounds={"Z": lambda u, at: volume_bounds.conv_forward(u, at.A_prev, at.W, at.b, config.stride, config.pad)},
    )


def _backward(config: Config) -> Case:
    how = {"stride": config.stride, "pad": config.pad}
    penalised = {**how, "lambda_": LAMBDA}

    def summed(dZ: Array, A_prev: Array, W: Array, b: Array) -> Any:
        """The summed loss whose derivative by Z is dZ."""
        return np.sum(dZ * by_hand.conv_forward(A_prev, W, b, **how))

    def regularised(dZ: Array, A_prev: Array, W: Array, b: Array) -> Any:
        """The regularised cost whose derivative by Z is dZ/m."""
        return summed(dZ, A_prev, W, b) / config.m + l2_penalty([W], LAMBDA, config.m)

    def bound(which: int) -> Any:
        return lambda u, at: volume_bounds.conv_backward(u, at.dZ, at.A_prev, at.W, config.stride, config.pad, LAMBDA)[
            which
        ]

    return Case(
        f"conv.conv_backward, {config.name}",
        "F225 F234 F235 F237 F238",
        inputs=lambda rng: _inputs(config, rng),
        manual=lambda dZ, A_prev, W, b: by_hand.conv_backward(dZ, A_prev, W, **penalised),
        loop=lambda dZ, A_prev, W, b: by_hand.conv_backward_loop(dZ, A_prev, W, **penalised),
        reference=lambda dZ, A_prev, W, b: torch_side.conv_backward(dZ, A_prev, W, **penalised),
        bounds={"dA_prev": bound(0), "dW": bound(1), "db": bound(2)},
        derivatives={
            "dA_prev": Derivative(of=summed, wrt="A_prev"),
            "dW": Derivative(of=regularised, wrt="W"),
            "db": Derivative(of=regularised, wrt="b"),
        },
    )


def _grid(rng: np.random.Generator) -> Inputs:
    """Every n in 1..32, f in 1..7, p in 0..3, s in 1..4 whose filter fits; across, another of the same stride."""
    n, f, p, s = (axis.ravel() for axis in np.meshgrid(range(1, 33), range(1, 8), range(4), range(1, 5)))
    fits = f <= n + 2 * p
    vertical, stride = np.stack([n, f, p])[:, fits].astype(np.float64), s[fits]
    across = np.concatenate([rng.permutation(np.flatnonzero(stride == each)) for each in range(1, 5)])
    down = np.concatenate([np.flatnonzero(stride == each) for each in range(1, 5)])
    return {
        "vertical": vertical[:, down],
        "horizontal": vertical[:, across],
        "stride": stride[down].astype(np.float64),
    }


def _output_sizes(vertical: Array, horizontal: Array, stride: Array) -> Array:
    """(n_H, n_W) for every column."""
    sides = [
        [
            shapes.conv_output_size(int(n), int(f), pad=int(p), stride=int(s))
            for n, f, p, s in zip(*side, stride, strict=True)
        ]
        for side in (vertical, horizontal)
    ]
    return np.array(sides, vertical.dtype)


def _count(name: str, formulas: str, sizes: tuple[int, ...], *, bias: bool) -> Case:
    """The parameters of a layer of the notes' sizes, and of one of drawn sizes; torch's has no memory."""
    short = name.removeprefix("shapes.")

    def inputs(rng: np.random.Generator) -> Inputs:
        return {"drawn": rng.integers(1, 100, len(sizes)).astype(np.float64)}

    def both(count: Any) -> Any:
        def counts(drawn: Any) -> Any:
            found = [count(*of, bias=bias) for of in (sizes, [int(size) for size in drawn])]
            return np.array(found, drawn.dtype) if isinstance(drawn, np.ndarray) else drawn.new_tensor(found)

        return counts

    return Case(
        f"{name}, {'with' if bias else 'without'} bias",
        formulas,
        inputs=inputs,
        manual=both(getattr(shapes, short)),
        loop=None,
        reference=both(getattr(torch_shapes, short)),
        bounds={"count": lambda u, at: bounds.exact(u, at.count)},
    )


CASES = (
    Case(
        "conv.zero_pad",
        "F220",
        inputs=lambda rng: {"A": normal(rng, 2, 3, 4, 5)},
        manual=lambda A: by_hand.zero_pad(A, (2, 1)),
        loop=None,
        reference=lambda A: torch_side.zero_pad(A, (2, 1)),
        bounds={"A": lambda u, at: np.zeros((2, 7, 6, 5))},
    ),
    *(_forward(config) for config in CONFIGS),
    *(_backward(config) for config in CONFIGS),
    Case(
        "conv.flatten",
        "F235",
        inputs=lambda rng: {"A": normal(rng, 7, 2, 3, 5)},
        manual=by_hand.flatten,
        loop=None,
        reference=torch_side.flatten,
        bounds={"columns": lambda u, at: np.zeros((30, 7))},
    ),
    Case(
        "conv.flatten_backward",
        "F235",
        inputs=lambda rng: {"dA": normal(rng, 30, 7)},
        manual=lambda dA: by_hand.flatten_backward(dA, (7, 2, 3, 5)),
        loop=None,
        reference=lambda dA: torch_side.flatten_backward(dA, (7, 2, 3, 5)),
        bounds={"dA_prev": lambda u, at: np.zeros((7, 2, 3, 5))},
    ),
    Case(
        "shapes.conv_output_size",
        "F219 F220 F223 F224 F230 F231 F239",
        inputs=_grid,
        manual=_output_sizes,
        loop=None,
        reference=torch_shapes.rectangular_output_sizes,
        bounds={"sizes": lambda u, at: bounds.exact(u, at.sizes)},
    ),
    _count("shapes.dense_parameter_count", "F240 F241 F242", (300 * 300 * 3, 100), bias=True),
    _count("shapes.dense_parameter_count", "F240 F241 F242", (1000 * 1000 * 3, 1000), bias=False),
    _count("shapes.conv_parameter_count", "F233 F237 F238 F243", (5, 3, 100), bias=True),
    _count("shapes.conv_parameter_count", "F233 F237 F238 F243", (3, 3, 4), bias=False),
)
