"""Convolution, forward and backward, and flattening."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn.grad import conv2d_input, conv2d_weight

import manual.conv as by_hand
import torch_ref.conv as torch_side
from manual import shapes
from manual.costs import l2_penalty
from manual.notation import Array
from manual.shapes import pad_pair
from parity_tests.formulas.case import LAMBDA, Case, Derivative, Inputs, M, normal
from parity_tests.formulas.formula import Code, Formula, Sharp, Words, code, probe, refusal
from parity_tests.formulas.planting import Change, fault, instead, largest_moved, result
from parity_tests.judging.bounds import Bound, Magnitudes, gamma
from torch_ref.conv import conv_forward as torch_conv_forward
from torch_ref.devices import array
from torch_ref.layout import filters_from_torch, filters_to_torch, from_rows, to_rows


def absolute(*values: Magnitudes) -> list[torch.Tensor]:
    """Absolute values as tensors."""
    return [torch.from_numpy(np.abs(np.ascontiguousarray(value))) for value in values]


def conv_forward_bound(
    u: float, A_prev: Magnitudes, W: Magnitudes, b: Magnitudes, stride: int = 1, pad: Any = 0
) -> Bound:
    """Z: f_H f_W n_C_prev products and the bias."""
    terms = W.shape[0] * W.shape[1] * W.shape[2]
    return gamma(terms + 2, u) * array(torch_conv_forward(*absolute(A_prev, W, b), stride=stride, pad=pad))


def conv_backward_bounds(
    u: float,
    dZ: Magnitudes,
    A_prev: Magnitudes,
    W: Magnitudes,
    stride: int = 1,
    pad: Any = 0,
    lambda_: float = 0.0,
) -> tuple[Bound, Bound, Bound]:
    """dA_prev: at most f_H f_W n_C products, 1/m in and out; dW and db: m n_H n_W products, the division, the penalty.

    The sums alone are asked for, without a pass forward.
    """
    m, n_H, n_W, n_C = dZ.shape
    upstream, values, filters = absolute(dZ, A_prev, W)
    padding = pad_pair(pad, W.shape[0], W.shape[1])
    upstream, values, filters = to_rows(upstream), to_rows(values), filters_to_torch(filters)
    dA_prev = from_rows(conv2d_input(values.shape, filters, upstream, stride, padding))  # type: ignore[no-untyped-call]
    dW = filters_from_torch(conv2d_weight(values, filters.shape, upstream, stride, padding))  # type: ignore[no-untyped-call]
    db = upstream.sum((0, 2, 3)).reshape(1, 1, 1, n_C)
    terms = W.shape[0] * W.shape[1] * n_C
    sums = gamma(m * n_H * n_W + 4, u) / m
    return gamma(terms + 3, u) * array(dA_prev), sums * (array(dW) + lambda_ * np.abs(W)), sums * array(db)


# pragma: no mutate start, for what follows is drawn and planted: the bounds above judge


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
        bounds={"Z": lambda u, at: conv_forward_bound(u, at.A_prev, at.W, at.b, config.stride, config.pad)},
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
        return lambda u, at: conv_backward_bounds(u, at.dZ, at.A_prev, at.W, config.stride, config.pad, LAMBDA)[which]

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


def _one_weight(name: str, dZ: Callable[[np.random.Generator], Inputs], lambda_: float) -> Case:
    """The gradients of a convolution."""

    def bound(which: int) -> Any:
        return lambda u, at: conv_backward_bounds(u, at.dZ, at.A_prev, at.W, 1, 0, lambda_)[which]

    return Case(
        f"conv.conv_backward, {name}",
        "",
        inputs=dZ,
        manual=lambda dZ, A_prev, W: by_hand.conv_backward(dZ, A_prev, W, lambda_=lambda_),
        loop=None,
        reference=lambda dZ, A_prev, W: torch_side.conv_backward(dZ, A_prev, W, lambda_=lambda_),
        bounds={"dA_prev": bound(0), "dW": bound(1), "db": bound(2)},
    )


def swapped(W: Array) -> Array:
    """Channels in and channels out exchanged, where the shape does not tell."""
    return W.transpose(0, 1, 3, 2).copy() if W.shape[2] == W.shape[3] else W


def _conv_backward_of(alter: Callable[[Array], Array]) -> Change:
    """dA_prev from altered filters."""

    def change(right: Callable[..., Any]) -> Callable[..., Any]:
        def planted(dZ: Array, A_prev: Array, W: Array, **how: Any) -> Any:
            return right(dZ, A_prev, W, **how)._replace(dA_prev=right(dZ, A_prev, alter(W), **how).dA_prev)

        return planted

    return change


def _stride_ignored(right: Callable[..., Any]) -> Callable[..., Any]:
    """The windows of a stride of 1, the first of them, in place of the layer's."""

    def planted(dZ: Array, A_prev: Array, W: Array, *, stride: int, pad: Any, **how: Any) -> Any:
        if stride == 1:
            return right(dZ, A_prev, W, stride=stride, pad=pad, **how)
        found = right(dZ, A_prev, W, stride=stride, pad=pad, **how)
        whole = by_hand.conv_forward(A_prev, W, np.zeros((1, 1, 1, W.shape[3]), W.dtype), pad=pad)
        padded = np.zeros_like(whole)
        padded[:, : dZ.shape[1], : dZ.shape[2]] = dZ
        wrong = right(padded, A_prev, W, stride=1, pad=pad, **how)
        return found._replace(dA_prev=wrong.dA_prev, dW=wrong.dW)

    return planted


def _padding_left(right: Callable[..., Any]) -> Callable[..., Any]:
    """The corner of the padded dA, of the right shape, in place of its inside."""

    def planted(dZ: Array, A_prev: Array, W: Array, *, pad: Any, **how: Any) -> Any:
        found = right(dZ, A_prev, W, pad=pad, **how)
        padded = right(dZ, by_hand.zero_pad(A_prev, pad), W, pad=0, **how).dA_prev
        _, n_H, n_W, _ = A_prev.shape
        return found._replace(dA_prev=padded[:, :n_H, :n_W])

    return planted


def _overwriting(right: Callable[..., Any]) -> Callable[..., Any]:
    """Every window writes over what the windows before it left."""

    def planted(dZ: Array, A_prev: Array, W: Array, *, stride: int, pad: Any, **how: Any) -> Any:
        found = right(dZ, A_prev, W, stride=stride, pad=pad, **how)
        p_H, p_W = pad
        dA = np.zeros_like(by_hand.zero_pad(A_prev, pad))
        for h, w in np.ndindex(*dZ.shape[1:3]):
            window = np.s_[:, h * stride : h * stride + W.shape[0], w * stride : w * stride + W.shape[1]]
            dA[window] = np.einsum("mc,ijkc->mijk", dZ[:, h, w], W)
        return found._replace(dA_prev=dA[:, p_H : p_H + A_prev.shape[1], p_W : p_W + A_prev.shape[2]])

    return planted


VOLUME, FILTERS, BIASES, UPSTREAM = (
    np.ones(shape) for shape in ((2, 6, 5, 3), (3, 3, 3, 4), (1, 1, 1, 4), (2, 4, 3, 4))
)
VOLUMES = "expected (m, n_H, n_W, n_C) with no side of length 0: examples come first and channels last"
FILTER = "expected (f_H, f_W, 3, n_C): a filter is as deep as its input"
WHOLE, NO_LESS = (
    "expected a whole number of at least 1",
    "expected a whole number of at least 0: padding adds cells, it removes none",
)
FURTHER = "the next window starts at least one cell further on"

REFUSED: tuple[tuple[str, Array, Array, dict[str, Any]], ...] = (
    (
        "f is 3, expected at most n + 2 pad = 2: the filter must fit into the padded input",
        VOLUME[:, :, :2],
        FILTERS,
        {},
    ),
    (
        "W has shape (3, 3, 3, 4), expected (f_H, f_W, 2, n_C): a filter is as deep as its input",
        VOLUME[..., :2],
        FILTERS,
        {},
    ),
    (f"A_prev has shape (6, 5, 3), {VOLUMES}", VOLUME[0], FILTERS, {}),
    (f"A_prev has shape (0, 6, 5, 3), {VOLUMES}", VOLUME[:0], FILTERS, {}),
    (f"W has shape (3, 3, 4), {FILTER}", VOLUME, FILTERS[0], {}),
    (f"W has shape (3, 3, 3, 0), {FILTER}", VOLUME, FILTERS[..., :0], {}),
    (f"stride is 0, {WHOLE}: {FURTHER}", VOLUME, FILTERS, {"stride": 0}),
    (f"stride is 1.5, {WHOLE}: {FURTHER}", VOLUME, FILTERS, {"stride": 1.5}),
    (f"pad is -1, {NO_LESS}", VOLUME, FILTERS, {"pad": -1}),
    (f"pad is -2, {NO_LESS}", VOLUME, FILTERS, {"pad": (0, -2)}),
    ("pad is (0, 1, 2), expected two numbers: a pair is (vertical, horizontal)", VOLUME, FILTERS, {"pad": (0, 1, 2)}),
    (
        "pad is 'valid', expected a number, a pair or \"same\": no other name has a meaning",
        VOLUME,
        FILTERS,
        {"pad": "valid"},
    ),
    ("f is 2, expected an odd number: SAME padding is p = (f - 1) / 2", VOLUME, FILTERS[:2], {"pad": "same"}),
    (
        "stride is 2, expected 1: SAME padding keeps the size only at stride 1",
        VOLUME,
        FILTERS,
        {"pad": "same", "stride": 2},
    ),
)
"""What a convolution refuses, forward and backward: the sentence, A_prev, W, and how."""


FORMULAS = (
    Formula(
        (code(by_hand, torch_side, "zero_pad", "F220"),),
        Words(
            "Padding",
            r"(n_H, n_W) \;\mapsto\; (n_H + 2p,\; n_W + 2p)",
            "Zeros on every side of height and width; examples and channels are left alone.",
            "The border is left out on the way back.",
            "dA_prev has the padded size, or its edges are shifted by p.",
            lacks="It copies entries to their place, and computes nothing.",
        ),
        cases=(
            Case(
                "conv.zero_pad",
                "F220",
                inputs=lambda rng: {"A": normal(rng, 2, 3, 4, 5)},
                manual=lambda A: by_hand.zero_pad(A, (2, 1)),
                loop=None,
                reference=lambda A: torch_side.zero_pad(A, (2, 1)),
                bounds={"A": lambda u, at: np.zeros((2, 7, 6, 5))},
            ),
        ),
        refusals=(
            refusal(f"pad is -1, {NO_LESS}", VOLUME, -1),
            refusal(f"A has shape (6, 5, 3), {VOLUMES}", VOLUME[0], 1),
            refusal(
                "pad is 'same', expected a number or a pair: without a filter there is no SAME padding", VOLUME, "same"
            ),
        ),
    ),
    Formula(
        (
            code(by_hand, torch_side, "conv_forward", "F219 F220 F225 F226 F227 F233 F234 F235 F237 F238 F239"),
            Code("conv", "F228 F229"),
        ),
        Words(
            "A convolution forward",
            r"z_{i, h, w, c} = \sum_{u=1}^{f} \sum_{v=1}^{f} \sum_{k=1}^{n_C^{prev}} a_{i,\, s h + u,\, s w + v,\, "
            r"k}\; w_{u, v, k, c} + b_c",
            "Each output position is one unit that sees a window of the input; all positions share the filter $c$. "
            "The windows, written as rows of a matrix, turn the sum into one product. The filter is not flipped: in "
            "the words of mathematics it is a cross-correlation.",
            "The filter is turned around, as in true convolution.",
            "It trains just as well; only comparing with trained weights shows it.",
            see="F228 F229",
        ),
        cases=tuple(_forward(config) for config in CONFIGS),
        sharp=(
            Sharp(0.1, of="conv.conv_forward, 1x1"),
            Sharp(
                0.1,
                "b alone",
                lambda rng: {
                    "A_prev": 1e-4 * normal(rng, 2, 3, 4, 1),
                    "W": normal(rng, 1, 1, 1, 2),
                    "b": normal(rng, 1, 1, 1, 2),
                },
                of="conv.conv_forward, 1x1",
            ),
        ),
        faults=(
            fault("filters flipped", lambda f: lambda A_prev, W, b, **how: f(A_prev, W[::-1, ::-1], b, **how), "Z"),
            fault(
                "n_C and n_C_prev swapped",
                lambda f: lambda A_prev, W, b, **how: f(A_prev, swapped(W), b, **how),
                "Z",
            ),
            fault("one entry of a volume moved", result(largest_moved), "Z"),
        ),
        refusals=(
            *(
                refusal(sentence, A_prev, W, BIASES, of=partial(by_hand.conv_forward, **how))
                for sentence, A_prev, W, how in REFUSED
            ),
            refusal(
                "b has shape (4,), expected (1, 1, 1, 4): b is (1, 1, 1, n_C), one bias for each filter",
                VOLUME,
                FILTERS,
                BIASES.reshape(-1),
            ),
        ),
        uncompared={"F228 F229": "a symbol, a count or a shape of convolutions that have cases, in manual/test_conv"},
    ),
    Formula(
        (code(by_hand, torch_side, "conv_backward", "F225 F234 F235 F237 F238"),),
        Words(
            "A convolution backward",
            r"dw_{u, v, k, c} = \frac{1}{m} \sum_{i, h, w} dz_{i, h, w, c}\; a_{i,\, s h + u,\, s w + v,\, k} + "
            r"\frac{\lambda}{m} w_{u, v, k, c}"
            "\n"
            r"da_{i,\, s h + u,\, s w + v,\, k} \;\text{+=}\; \sum_{c} dz_{i, h, w, c}\; w_{u, v, k, c}",
            "A dense layer once more, for every window: the weight is used at every position, so its gradient sums "
            "over positions and examples; an input pixel lies in several windows, so its derivatives add up.",
            "overwritten",
            "dA_prev is right only where windows do not overlap (stride at least f).",
        ),
        cases=tuple(_backward(config) for config in CONFIGS),
        sharp=(
            Sharp(
                0.06,
                of=_one_weight(
                    "three positions",
                    lambda rng: {
                        "dZ": normal(rng, 3, 1, 1, 1),
                        "A_prev": normal(rng, 3, 1, 1, 1),
                        "W": normal(rng, 1, 1, 1, 1),
                    },
                    0.0,
                ),
            ),
            Sharp(
                0.06,
                of=_one_weight(
                    "the penalty alone",
                    lambda rng: {
                        "dZ": 1e-4 * normal(rng, 3, 1, 1, 1),
                        "A_prev": 1e-4 * normal(rng, 3, 1, 1, 1),
                        "W": normal(rng, 1, 1, 1, 2)[..., :1],
                    },
                    0.7,
                ),
            ),
        ),
        faults=(
            fault("filters flipped in conv backward", _conv_backward_of(lambda W: W[::-1, ::-1].copy()), "dA"),
            fault("n_C and n_C_prev swapped in conv backward", _conv_backward_of(swapped), "dA"),
            fault("stride ignored in conv backward", _stride_ignored, "dA", "dW"),
            fault("padding left on dA", _padding_left, "dA"),
            fault("= for += in overlapping windows", _overwriting, "dA"),
            fault("1/m lost in dW of filters", result(lambda g, dZ, *a: g._replace(dW=g.dW * M)), "dW"),
            fault("1/m lost in db of filters", result(lambda g, dZ, *a: g._replace(db=g.db * M)), "db"),
            fault(
                "db of filters averaged over positions",
                result(lambda g, dZ, *a: g._replace(db=g.db / (dZ.shape[1] * dZ.shape[2]))),
                "db",
            ),
        ),
        refusals=(
            *(
                refusal(sentence, UPSTREAM, A_prev, W, of=partial(by_hand.conv_backward, **how))
                for sentence, A_prev, W, how in REFUSED
            ),
            refusal(
                "dZ has shape (2, 3, 3, 4), expected (2, 4, 3, 4): dZ has the shape of Z",
                UPSTREAM[:, 1:],
                VOLUME,
                FILTERS,
            ),
            refusal(
                "dZ has shape (2, 4, 3, 1), expected (2, 4, 3, 4): dZ has the shape of Z",
                UPSTREAM[..., :1],
                VOLUME,
                FILTERS,
            ),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "flatten", "F235"), code(by_hand, torch_side, "flatten_backward", "F235")),
        Words(
            "From volumes to columns",
            r"(m, n_H, n_W, n_C) \;\leftrightarrow\; (n_H n_W n_C,\; m)",
            "Every example's volume becomes one column, channels last. The way back is the same reordering.",
            "Channels first is flattened as if it were channels last.",
            "The dense layer's weights are right up to a permutation of columns: a trained network copied over "
            "answers nonsense.",
            lacks="It reorders entries, and computes nothing.",
        ),
        cases=(
            probe(
                lambda rng: {"A": normal(rng, 7, 2, 3, 5)},
                {"columns": lambda u, at: np.zeros((30, 7))},
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
        ),
        faults=(
            fault("flattened channels first", instead(lambda A: A.transpose(0, 3, 1, 2).reshape(len(A), -1).T), "A"),
            fault(
                "gradient unflattened channels first",
                instead(lambda dA, shape: dA.T.reshape(shape[0], shape[3], *shape[1:3]).transpose(0, 2, 3, 1)),
                "dA",
                at="conv.flatten_backward",
            ),
        ),
        refusals=(
            refusal(f"A has shape (6, 5, 3), {VOLUMES}", VOLUME[0]),
            refusal(
                "dA has shape (2, 90), expected (90, 2): "
                "one column for each example, one row for each cell of its volume",
                np.zeros((2, 90)),
                (2, 6, 5, 3),
                of=by_hand.flatten_backward,
            ),
        ),
    ),
)
# pragma: no mutate end
