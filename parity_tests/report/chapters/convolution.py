"""Convolutions: shapes, volumes, counts: F219 to F243."""

from __future__ import annotations

from parity_tests.report.chapters.formula import COUNTED, Formula

FORMULAS = (
    Formula(
        "shapes.conv_output_size shapes.same_padding shapes.pad_pair",
        "The size of the output",
        r"n^{[l]} = \left\lfloor \frac{n^{[l-1]} + 2p - f}{s} \right\rfloor + 1, \qquad "
        r"\text{SAME: } p = \frac{f - 1}{2}, \quad f \text{ odd}, \; s = 1",
        "The first window starts at 0, the last at $n + 2p - f$ at most. Steps of $s$ fit between them "
        "$\\left\\lfloor (n + 2p - f)/s \\right\\rfloor$ times; the first one adds 1. Setting the result to $n$ with "
        "$s = 1$ gives the "
        "padding that keeps the size.",
        "floor", "A fraction of a position where the stride does not divide: the last, incomplete window does not "
        "count.",
        shapes="Whole numbers, one for the height and one for the width.",
        lacks=COUNTED,
    ),
    Formula(
        "conv.zero_pad",
        "Padding",
        r"(n_H, n_W) \;\mapsto\; (n_H + 2p,\; n_W + 2p)",
        "Zeros on every side of height and width; examples and channels are left alone.",
        "The border is left out on the way back.", "dA_prev has the padded size, or its edges are shifted "
        "by p.",
        lacks="It copies entries to their place, and computes nothing.",
    ),
    Formula(
        "conv.conv_forward conv",
        "A convolution forward",
        r"z_{i, h, w, c} = \sum_{u=1}^{f} \sum_{v=1}^{f} \sum_{k=1}^{n_C^{prev}} "
        r"a_{i,\, s h + u,\, s w + v,\, k}\; w_{u, v, k, c} + b_c",
        "Each output position is one unit that sees a window of the input; all positions share the filter $c$. The "
        "windows, "
        "written as rows of a matrix, turn the sum into one product. The filter is not flipped: in the words of "
        "mathematics it is a cross-correlation.",
        "The filter is turned around, as in true convolution.", "It trains just as well; only comparing "
        "with trained weights shows it.",
        see="F228 F229",
    ),
    Formula(
        "conv.conv_backward",
        "A convolution backward",
        r"dw_{u, v, k, c} = \frac{1}{m} \sum_{i, h, w} dz_{i, h, w, c}\; a_{i,\, s h + u,\, s w + v,\, k} + "
        r"\frac{\lambda}{m} w_{u, v, k, c}" "\n"
        r"da_{i,\, s h + u,\, s w + v,\, k} \;\text{+=}\; \sum_{c} dz_{i, h, w, c}\; w_{u, v, k, c}",
        "A dense layer once more, for every window: the weight is used at every position, so its gradient sums over "
        "positions and examples; an input pixel lies in several windows, so its derivatives add up.",
        "overwritten", "dA_prev is right only where windows do not overlap (stride at least f).",
    ),
    Formula(
        "conv.flatten conv.flatten_backward",
        "From volumes to columns",
        r"(m, n_H, n_W, n_C) \;\leftrightarrow\; (n_H n_W n_C,\; m)",
        "Every example's volume becomes one column, channels last. The way back is the same reordering.",
        "Channels first is flattened as if it were channels last.", "The dense layer's weights are right up "
        "to a permutation of columns: a trained network copied over answers nonsense.",
        lacks="It reorders entries, and computes nothing.",
    ),
    Formula(
        "pooling.pool_forward",
        "Pooling forward",
        r"a_{h, w} = \max_{u, v}\, a^{prev}_{s h + u,\, s w + v} \qquad \text{or} \qquad "
        r"a_{h, w} = \frac{1}{f^{2}} \sum_{u, v} a^{prev}_{s h + u,\, s w + v}",
        "One number for each window and channel, without parameters.",
        "Max-pooling over padding with zeros.", "Windows of negative numbers at the border give 0 in place of their "
        "largest.",
    ),
    Formula(
        "pooling.pool_backward",
        "Pooling backward",
        r"\text{max: } da^{prev}_{\mathrm{arg\,max}} \;\text{+=}\; da_{h, w}, \qquad "
        r"\text{average: } da^{prev}_{u, v} \;\text{+=}\; \frac{da_{h, w}}{f^{2}}",
        "Only the largest entry of a window moved the output, so it has all of the derivative; of an average, each "
        "entry "
        "has its share. Where windows overlap, shares add up. Ties go to the first in row order, as in torch.",
        "overwritten", "Right while stride = size; wrong wherever windows overlap.",
    ),
    Formula(
        "shapes.dense_parameter_count",
        "Parameters of a dense layer",
        r"(n_{prev} + 1)\, n",
        "A weight for every input and unit, and a bias for every unit. An image of 1000 by 1000 by 3 and 1000 units "
        "make "
        "three billion: the reason for convolutions.",
        "bias-missing", "n too few: 27 000 000 in place of 27 000 100.",
        cases="shapes.dense_parameter_count",
        shapes="Whole numbers; what is counted is W (n, n_prev) and b (n, 1).",
        lacks=COUNTED,
    ),
    Formula(
        "shapes.conv_parameter_count",
        "Parameters of a convolution",
        r"(f^{2}\, n_C^{prev} + 1)\, n_C",
        "A filter sees all channels of its window; one bias for each filter. The size of the image does not come in.",
        "wrong-count", "The input's channels forgotten: f f n_C in place of f f n_C_prev n_C.",
        shapes="Whole numbers; what is counted is W (f, f, n_C_prev, n_C) and b (1, 1, 1, n_C).",
        lacks=COUNTED,
    ),
    Formula(
        "shapes.table dimensions.table",
        "The table of a network's shapes",
        r"A^{[l]}: (m, n_H, n_W, n_C), \qquad W^{[l]}: (f, f, n_C^{prev}, n_C), \qquad b^{[l]}: (1, 1, 1, n_C)",
        "Layer by layer: what comes out, what the parameters look like, and how many there are.",
        "name-clash", "n_C means the channels that come in, in one line, and the filters in the next.",
        cases="shapes.",
        shapes="A line for every layer, the input as layer 0.",
        lacks="It lists what the formulas above give for every layer of a network.",
    ),
)  # fmt: skip
