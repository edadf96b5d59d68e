"""Initial weights: the scales, and the drawing."""

from __future__ import annotations

import numpy as np

import manual.initialization as by_hand
import torch_ref.initialization as torch_side
from manual import draws
from manual.architecture import model
from parity_tests.formulas.case import Case
from parity_tests.formulas.formula import ONE_NUMBER, Formula, Words, code, refusal
from parity_tests.judging import bounds


def _scale(name: str, *sizes: str) -> Case:
    """The standard deviation of initial weights, from the layer's sizes."""
    return Case(
        f"initialization.{name}",
        "F147",
        inputs=lambda rng: {size: int(rng.integers(16, 200)) for size in sizes},
        manual=getattr(by_hand, name),
        loop=None,
        reference=getattr(torch_side, name),
        bounds={"scale": lambda u, at: bounds.rounded(u, at.scale, 6)},
    )


FORMULAS = (
    Formula(
        (code(by_hand, None, "small", "F144 F145 F147"),),
        Words(
            "Small random weights",
            r"w \sim 0.01 \cdot \mathcal{N}(0, 1)",
            "Random, so that units differ; small, so that tanh and sigmoid start where they are steep. Enough for "
            "shallow networks.",
            "wrong-function",
            "np.random.rand in place of randn: all weights positive, mean 0.005, and the units pull the same way.",
            shapes="A number, which multiplies a W of (n, n_prev).",
            lacks="A number, the same for every layer; torch.nn.init has no name for it.",
        ),
        uncompared={"F145": "a value of a formula that has a case"},
    ),
    Formula(
        (
            code(by_hand, torch_side, "lecun", "F147"),
            code(by_hand, torch_side, "xavier", "F147"),
            code(by_hand, torch_side, "he", "F147"),
        ),
        Words(
            "The scale that keeps the signal",
            r"\text{LeCun: } \sqrt{\frac{1}{n_{prev}}}, \qquad \text{Xavier: } \sqrt{\frac{2}{n_{prev} + n}}, \qquad "
            r"\text{He: } \sqrt{\frac{2}{n_{prev}}}",
            "A sum of $n_{prev}$ independent terms has $n_{prev}$ times the variance of one. To keep the variance "
            "from layer to layer each weight must have variance $1/n_{prev}$; twice that where ReLU throws half of it "
            "away; Xavier balances it with the way back, where sums run over $n$ units.",
            "init-scale",
            "Activations shrink or grow by a constant factor per layer: in deep networks by orders of magnitude.",
            shapes="A number from n_prev and n, which multiplies a W of (n, n_prev).",
            lacks=ONE_NUMBER,
        ),
        cases=(
            _scale("lecun", "n_prev"),
            _scale("xavier", "n_prev", "n"),
            _scale("he", "n_prev"),
        ),
    ),
    Formula(
        (code(draws, None, "initial_parameters", "F143 F144 F147"), code(draws, None, "fans", "F147")),
        Words(
            "Drawing the parameters",
            r"W^{[l]} = \mathrm{scale}(n^{[l-1]}, n^{[l]}) \cdot \mathcal{N}(0, 1), \qquad b^{[l]} = 0",
            "Normal draws times the scale of the scheme; biases may start at 0, since the weights already tell the "
            "units apart. A filter has $f^{2} n_C^{prev}$ inputs.",
            "code",
            "np.zeros(2, 1) raises: shapes are a tuple, np.zeros((2, 1)).",
            shapes="W (n, n_prev) and b (n, 1); of a convolution (f, f, n_C_prev, n_C) and (1, 1, 1, n_C).",
            lacks=(
                "NumPy's generator fills whole arrays. torch starts from the same arrays: only so can the two be "
                "compared."
            ),
        ),
        refusals=(
            refusal(
                "scheme is 'heh', expected one of zeros, constant, small, lecun, xavier, he",
                model("shallow", 2, 1),
                "heh",
                np.random.default_rng(0),
            ),
        ),
    ),
)
