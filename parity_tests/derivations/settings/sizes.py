"""What has no J: sizes of outputs, numbers of parameters, and the scales of initial weights."""

from __future__ import annotations

from dataclasses import dataclass, replace

from manual import initialization
from manual.shapes import conv_output_size, conv_parameter_count, dense_parameter_count, same_padding
from parity_tests.derivations.settings.reference import reference
from parity_tests.derivations.settings.setting import Values

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
        from parity_tests.derivations.settings import torch_counts

        return torch_counts.sizes(**vars(self))


COUNTS = reference("""\
sizes: output sizes of a convolution, and the numbers of parameters of a convolution and of a dense layer
cost: there is no J: sizes and parameters are counted; L2 plays no part
also: s = stride, p = pad
n_H_prev  # height of the input
n_W_prev  # width of the input
f  # height and width of a filter
stride  # step from window to window, also s
pad  # zeros around the input, also p
n_C_prev  # channels of the input
n_C  # number of filters
n_prev  # inputs of a dense layer
n  # units of a dense layer
n_H = np.floor((n_H_prev + 2*pad - f) / stride) + 1  # F223 F231 F239 [count]; height of the output
n_W = np.floor((n_W_prev + 2*pad - f) / stride) + 1  # F223 F231 F239 [count]; width of the output
same_pad = (f - 1) / 2  # F221 [count]; padding that keeps the size, for an odd filter and stride 1
conv_parameters = (f*f*n_C_prev + 1) * n_C  # F243 [count]; parameters of the convolution, biases included
conv_weights = f * f * n_C_prev * n_C  # F237 [count]; parameters of the convolution without biases
dense_parameters = (n_prev + 1) * n  # F241 F242 [count]; parameters of the dense layer, biases included
dense_weights = n * n_prev  # F240 [count]; parameters of the dense layer without biases
""")
COUNTS = replace(COUNTS, draw=lambda seed: SizeProblem(*SIZES[seed % len(SIZES)]), layers={"n": NAMES})


@dataclass(frozen=True, eq=False)
class ScaleProblem:
    """Fan-in and fan-out of a layer."""

    n_prev: int
    n: int

    def given(self) -> Values:
        """The two sizes."""
        return dict(vars(self))

    def by_numpy(self, l2: bool) -> Values:
        """The formulas by hand."""
        he, lecun = initialization.he(self.n_prev), initialization.lecun(self.n_prev)
        xavier = initialization.xavier(self.n_prev, self.n)
        return {"he": he, "xavier": xavier, "lecun": lecun, "small": initialization.small()}

    def by_torch(self, l2: bool) -> Values:
        """Read off torch's draws."""
        from parity_tests.derivations.settings import torch_counts

        return torch_counts.scales(self.n_prev, self.n)


SCALE_SIZES = ((17, 29), (31, 19), (23, 41), (43, 37), (29, 53))
"""Choices of (n_prev, n)."""

INITIALIZATION = reference("""\
initialization: standard deviation of the initial weights of a layer
cost: there is no J: a scale is the standard deviation that the draws are multiplied with; L2 plays no part
also: n_in = n_prev, n_out = n, fan_in = n_prev, fan_out = n
n_prev  # number of units of the layer below, fan-in
n  # number of units of the layer, fan-out
he = np.sqrt(2/n_prev)  # F147 [scale]; scale for ReLU layers
xavier = np.sqrt(2/(n_prev + n))  # F147 [scale]; scale between fan-in and fan-out, for tanh and sigmoid layers
lecun = 1/np.sqrt(n_prev)  # F147 [scale]; scale from the fan-in alone
small = 0.01  # F144 [scale]; scale for shallow networks
""")
INITIALIZATION = replace(
    INITIALIZATION, draw=lambda seed: ScaleProblem(*SCALE_SIZES[seed % len(SCALE_SIZES)]), layers={"n": ("n_prev", "n")}
)
