"""Sizes of outputs and numbers of parameters: whole numbers, counted."""

from __future__ import annotations

from dataclasses import dataclass

from manual.shapes import conv_output_size, conv_parameter_count, dense_parameter_count, same_padding
from parity_tests.derivations.settings.setting import COMMON_FUNCTIONS, Setting, Symbol, Target, Values

SIZES = (
    (29, 23, 5, 3, 2, 7, 11, 13, 17),
    (37, 31, 11, 1, 3, 13, 17, 19, 23),
    (41, 37, 7, 4, 0, 19, 13, 11, 29),
    (47, 43, 3, 5, 1, 11, 7, 17, 13),
    (53, 59, 13, 7, 4, 17, 5, 23, 11),
)
"""Choices of (n_H_prev, n_W_prev, f, stride, pad, n_C_prev, n_C, n_prev, n); a stride above 1 leaves a remainder."""

NAMES = ("n_H_prev", "n_W_prev", "f", "stride", "pad", "n_C_prev", "n_C", "n_prev", "n")


@dataclass(frozen=True)
class SizeProblem:
    """The sizes of a convolution and of a dense layer."""

    n_H_prev: int
    n_W_prev: int
    f: int
    stride: int
    pad: int
    n_C_prev: int
    n_C: int
    n_prev: int
    n: int

    def given(self) -> Values:
        """The sizes."""
        return dict(vars(self))

    def by_numpy(self, l2: bool) -> Values:
        """Counted by the formulas by hand."""
        count = conv_parameter_count(self.f, self.n_C_prev, self.n_C)
        counts = {
            "n_H": conv_output_size(self.n_H_prev, self.f, pad=self.pad, stride=self.stride),
            "n_W": conv_output_size(self.n_W_prev, self.f, pad=self.pad, stride=self.stride),
            "same_pad": same_padding(self.f),
            "conv_parameters": count,
            "conv_weights": conv_parameter_count(self.f, self.n_C_prev, self.n_C, bias=False),
            "dense_parameters": dense_parameter_count(self.n_prev, self.n),
            "dense_weights": dense_parameter_count(self.n_prev, self.n, bias=False),
        }
        return {name: float(value) for name, value in counts.items()}

    def by_torch(self, l2: bool) -> Values:
        """Read off torch's layers and what they give."""
        from parity_tests.derivations.settings import torch_side

        return torch_side.sizes(**vars(self))


def _target(ids: str, *right: str) -> Target:
    return Target(tuple(ids.split()), right, right, "count")


def _output(n: str) -> tuple[str, ...]:
    span = f"({n} + 2*pad - f)"
    return (
        f"np.floor({span} / stride) + 1",
        f"int({span} / stride) + 1",
        f"np.floor({span} / stride + 1)",
        f"int({span} / stride + 1)",
        f"1 + np.floor((2*pad + {n} - f) / stride)",
    )


COUNTS = Setting(
    "sizes",
    "output sizes of a convolution, and the numbers of parameters of a convolution and of a dense layer",
    "there is no J: sizes and parameters are counted; L2 plays no part",
    (
        Symbol("n_H_prev", "()", "height of the input"),
        Symbol("n_W_prev", "()", "width of the input"),
        Symbol("f", "()", "height and width of a filter"),
        Symbol("stride", "()", "step from window to window, also s"),
        Symbol("pad", "()", "zeros around the input, also p"),
        Symbol("n_C_prev", "()", "channels of the input"),
        Symbol("n_C", "()", "number of filters"),
        Symbol("n_prev", "()", "inputs of a dense layer"),
        Symbol("n", "()", "units of a dense layer"),
        Symbol("n_H", "()", "height of the output"),
        Symbol("n_W", "()", "width of the output"),
        Symbol("same_pad", "()", "padding that keeps the size, for an odd filter and stride 1"),
        Symbol("conv_parameters", "()", "parameters of the convolution, biases included"),
        Symbol("conv_weights", "()", "parameters of the convolution without biases"),
        Symbol("dense_parameters", "()", "parameters of the dense layer, biases included"),
        Symbol("dense_weights", "()", "parameters of the dense layer without biases"),
    ),
    {
        "n_H": _target("F223 F231 F239", *_output("n_H_prev")),
        "n_W": _target("F223 F231 F239", *_output("n_W_prev")),
        "same_pad": _target("F221", "(f - 1) / 2", "0.5 * (f - 1)"),
        "conv_parameters": _target(
            "F243", "(f*f*n_C_prev + 1) * n_C", "f * f * n_C_prev * n_C + n_C", "(f**2 * n_C_prev + 1) * n_C"
        ),
        "conv_weights": _target("F237", "f * f * n_C_prev * n_C", "f**2 * n_C_prev * n_C"),
        "dense_parameters": _target("F241 F242", "(n_prev + 1) * n", "n * n_prev + n"),
        "dense_weights": _target("F240", "n * n_prev", "n_prev * n"),
    },
    {"n": NAMES},
    {"s": "stride", "p": "pad"},
    lambda seed: SizeProblem(*SIZES[seed % len(SIZES)]),
    COMMON_FUNCTIONS,
)
