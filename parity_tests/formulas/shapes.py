"""Sizes of convolutions, and counts of parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

import manual.shapes as by_hand
import torch_ref.shapes as torch_side
from manual.notation import Array
from parity_tests.formulas.case import Case, Inputs
from parity_tests.formulas.formula import COUNTED, Formula, Words, code, refusal
from parity_tests.formulas.planting import fault, result
from parity_tests.judging import bounds


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
            by_hand.conv_output_size(int(n), int(f), pad=int(p), stride=int(s))
            for n, f, p, s in zip(*side, stride, strict=True)
        ]
        for side in (vertical, horizontal)
    ]
    return np.array(sides, vertical.dtype)


def _count(name: str, formulas: str, sizes: tuple[int, ...], *, bias: bool) -> Case:
    """The parameters of a layer of the notes' sizes, and of one of drawn sizes; torch's has no memory."""

    def inputs(rng: np.random.Generator) -> Inputs:
        return {"drawn": rng.integers(1, 100, len(sizes)).astype(np.float64)}

    def both(count: Any) -> Any:
        def counts(drawn: Any) -> Any:
            found = [count(*of, bias=bias) for of in (sizes, [int(size) for size in drawn])]
            return np.array(found, drawn.dtype) if isinstance(drawn, np.ndarray) else drawn.new_tensor(found)

        return counts

    return Case(
        f"shapes.{name}, {'with' if bias else 'without'} bias",
        formulas,
        inputs=inputs,
        manual=both(getattr(by_hand, name)),
        loop=None,
        reference=both(getattr(torch_side, name)),
        bounds={"count": lambda u, at: bounds.exact(u, at.count)},
    )


def _rounded_sizes(sizes: Array, vertical: Array, horizontal: Array, stride: Array) -> Array:
    """round((n + 2p - f) / s) + 1."""
    return np.array([np.round((n + 2 * p - f) / stride) + 1 for n, f, p in (vertical, horizontal)], sizes.dtype)


FORMULAS = (
    Formula(
        (
            code(by_hand, torch_side, "conv_output_size", "F219 F220 F223 F224 F230 F231 F239"),
            code(by_hand, None, "same_padding", "F221 F222"),
            code(by_hand, None, "pad_pair", "F220 F221"),
        ),
        Words(
            "The size of the output",
            r"n^{[l]} = \left\lfloor \frac{n^{[l-1]} + 2p - f}{s} \right\rfloor + 1, \qquad \text{SAME: } p = \frac{f "
            r"- 1}{2}, \quad f \text{ odd}, \; s = 1",
            "The first window starts at 0, the last at $n + 2p - f$ at most. Steps of $s$ fit between them "
            r"$\left\lfloor (n + 2p - f)/s \right\rfloor$ times; the first one adds 1. Setting the result to $n$ with "
            "$s = 1$ gives the padding that keeps the size.",
            "floor",
            "A fraction of a position where the stride does not divide: the last, incomplete window does not count.",
            shapes="Whole numbers, one for the height and one for the width.",
            lacks=COUNTED,
        ),
        cases=(
            Case(
                "shapes.conv_output_size",
                "F219 F220 F223 F224 F230 F231 F239",
                inputs=_grid,
                manual=_output_sizes,
                loop=None,
                reference=torch_side.rectangular_output_sizes,
                bounds={"sizes": lambda u, at: bounds.exact(u, at.sizes)},
            ),
        ),
        faults=(fault("round for floor", result(_rounded_sizes), "sizes", at="manual"),),
        refusals=(
            refusal("n is 0, expected a whole number of at least 1: the input has at least one cell", 0, 3),
            refusal("f is 0, expected a whole number of at least 1: the filter has at least one cell", 5, 0),
            refusal(
                "pad is -1, expected a whole number of at least 0: padding adds cells, it removes none",
                of=lambda: by_hand.conv_output_size(5, 3, pad=-1),
            ),
            refusal(
                "stride is 0, expected a whole number of at least 1: "
                "the next window starts at least one cell further on",
                of=lambda: by_hand.conv_output_size(5, 3, stride=0),
            ),
            refusal(
                "f is 6, expected at most n + 2 pad = 5: the filter must fit into the padded input",
                of=lambda: by_hand.conv_output_size(3, 6, pad=1),
            ),
            refusal("f is 4, expected an odd number: SAME padding is p = (f - 1) / 2", 4, of=by_hand.same_padding),
            refusal(
                "f is 0, expected a whole number of at least 1: the filter has at least one cell",
                0,
                of=by_hand.same_padding,
            ),
        ),
        uncompared={"F222": "a symbol, a count or a shape of convolutions that have cases, in manual/test_conv"},
    ),
    Formula(
        (code(by_hand, torch_side, "dense_parameter_count", "F240 F241 F242"),),
        Words(
            "Parameters of a dense layer",
            r"(n_{prev} + 1)\, n",
            "A weight for every input and unit, and a bias for every unit. An image of 1000 by 1000 by 3 and 1000 "
            "units make three billion: the reason for convolutions.",
            "bias-missing",
            "n too few: 27 000 000 in place of 27 000 100.",
            shapes="Whole numbers; what is counted is W (n, n_prev) and b (n, 1).",
            lacks=COUNTED,
        ),
        cases=(
            _count("dense_parameter_count", "F240 F241 F242", (300 * 300 * 3, 100), bias=True),
            _count("dense_parameter_count", "F240 F241 F242", (1000 * 1000 * 3, 1000), bias=False),
        ),
        refusals=(
            refusal("inputs is 0, expected a whole number of at least 1: a layer has at least one input", 0, 3),
            refusal("units is 0, expected a whole number of at least 1: a layer has at least one unit", 3, 0),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "conv_parameter_count", "F233 F237 F238 F243"),),
        Words(
            "Parameters of a convolution",
            r"(f^{2}\, n_C^{prev} + 1)\, n_C",
            "A filter sees all channels of its window; one bias for each filter. The size of the image does not come "
            "in.",
            "wrong-count",
            "The input's channels forgotten: f f n_C in place of f f n_C_prev n_C.",
            shapes="Whole numbers; what is counted is W (f, f, n_C_prev, n_C) and b (1, 1, 1, n_C).",
            lacks=COUNTED,
        ),
        cases=(
            _count("conv_parameter_count", "F233 F237 F238 F243", (5, 3, 100), bias=True),
            _count("conv_parameter_count", "F233 F237 F238 F243", (3, 3, 4), bias=False),
        ),
        refusals=(
            refusal("f is 0, expected a whole number of at least 1: the filter has at least one cell", (3, 0), 3, 1),
            refusal(
                "channels is 0, expected a whole number of at least 1: a filter has the depth of its input", 3, 0, 1
            ),
            refusal("filters is 0, expected a whole number of at least 1: a layer has at least one filter", 3, 3, 0),
        ),
    ),
    Formula(
        (code(by_hand, None, "table", "F232 F233 F235 F236 F237 F238 F239 F240 F241 F242 F243"),),
        Words(
            "The table of a network's shapes",
            r"A^{[l]}: (m, n_H, n_W, n_C), \qquad W^{[l]}: (f, f, n_C^{prev}, n_C), \qquad b^{[l]}: (1, 1, 1, n_C)",
            "Layer by layer: what comes out, what the parameters look like, and how many there are.",
            "name-clash",
            "n_C means the channels that come in, in one line, and the filters in the next.",
            shapes="A line for every layer, the input as layer 0.",
            lacks="It lists what the formulas above give for every layer of a network.",
        ),
        uncompared={"F232 F236": "a symbol, a count or a shape of convolutions that have cases, in manual/test_conv"},
    ),
)
