"""The layers of a network as data: each names its formulas, and knows the sizes that follow from its input's.

A shape leaves the examples out: (n,) for columns of n features, (n_H, n_W, n_C) for volumes.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from decimal import Decimal
from typing import ClassVar, TypeAlias

from manual.dropout import check_keep_prob
from manual.notation import check_count
from manual.shapes import Pad, conv_output_size, pad_pair

HIDDEN_UNITS = ("sigmoid", "tanh", "relu", "leaky_relu", "identity")
OUTPUT_UNITS = ("sigmoid", "softmax", "identity")

Shape: TypeAlias = tuple[int, ...]
"""(n,) or (n_H, n_W, n_C)."""


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: A = g(W A_prev + b)."""

    has_parameters: ClassVar[bool] = True

    units: int
    activation: str

    def __post_init__(self) -> None:
        """ValueError unless there is a unit and the activation is known."""
        check_count("units", self.units, 1, "a layer has at least one unit")
        _check_activation(self.activation, (*HIDDEN_UNITS, "softmax"))

    def describe(self) -> str:
        """Such as ``dense64 relu``."""
        return f"dense{self.units} {self.activation}"

    def output_shape(self, shape: Shape) -> Shape:
        """(n_l,), whatever the number of inputs; ValueError for volumes."""
        if len(shape) != 1:
            raise ValueError(f"the input has shape {shape}, expected (n,): put Flatten() before a dense layer")
        return (self.units,)

    def parameter_shapes(self, shape: Shape) -> tuple[Shape, Shape]:
        """W is (n_l, n_prev), b is (n_l, 1)."""
        return (self.units, shape[0]), (self.units, 1)


@dataclass(frozen=True)
class Conv:
    """A convolutional layer: A = g(Z), Z the filters laid on every window of A_prev.

    ``filters`` is n_C; ``size`` is f or (f_H, f_W); ``stride`` s; ``pad`` p, (p_H, p_W) or "same".
    """

    has_parameters: ClassVar[bool] = True

    filters: int
    size: int | tuple[int, int]
    _: KW_ONLY
    stride: int = 1
    pad: Pad = 0
    activation: str

    def __post_init__(self) -> None:
        """ValueError for a count below 1, a padding without meaning or an unknown activation."""
        check_count("filters", self.filters, 1, "a layer has at least one filter")
        sides: tuple[int, ...] = self.sides
        if len(sides) != 2:
            raise ValueError(f"size is {self.size}, expected f or (f_H, f_W): a filter has two sides")
        for side in self.sides:
            check_count("size", side, 1, "the filter has at least one cell")
        check_count("stride", self.stride, 1, "the next window starts at least one cell further on")
        pad_pair(self.pad, *self.sides, self.stride)
        _check_activation(self.activation, HIDDEN_UNITS)

    def describe(self) -> str:
        """Such as ``conv16x3 relu``, ``conv12x3s2p1 relu`` or ``conv16x3same relu``."""
        f_H, f_W = self.sides
        sides = f"{f_H}" if f_H == f_W else f"{f_H}x{f_W}"
        stride = "" if self.stride == 1 else f"s{self.stride}"
        return f"conv{self.filters}x{sides}{stride}{_pad_word(self.pad)} {self.activation}"

    @property
    def sides(self) -> tuple[int, int]:
        """(f_H, f_W)."""
        return self.size if isinstance(self.size, tuple) else (self.size, self.size)

    @property
    def padding(self) -> tuple[int, int]:
        """(p_H, p_W)."""
        return pad_pair(self.pad, *self.sides, self.stride)

    def output_shape(self, shape: Shape) -> Shape:
        """(n_H, n_W, n_C); ValueError where the filter does not fit."""
        n_H, n_W, _ = _volume(shape)
        (f_H, f_W), (p_H, p_W) = self.sides, self.padding
        return (
            conv_output_size(n_H, f_H, pad=p_H, stride=self.stride),
            conv_output_size(n_W, f_W, pad=p_W, stride=self.stride),
            self.filters,
        )

    def parameter_shapes(self, shape: Shape) -> tuple[Shape, Shape]:
        """W is (f_H, f_W, n_C_prev, n_C), b is (1, 1, 1, n_C)."""
        return (*self.sides, shape[-1], self.filters), (1, 1, 1, self.filters)


@dataclass(frozen=True)
class Pool:
    """A pooling layer: the largest or the average value of every window of ``size`` by ``size`` cells."""

    has_parameters: ClassVar[bool] = False

    size: int
    stride: int
    mode: str = "max"

    def __post_init__(self) -> None:
        """ValueError for a count below 1 or an unknown mode."""
        check_count("size", self.size, 1, "a window has at least one cell")
        check_count("stride", self.stride, 1, "the next window starts at least one cell further on")
        if self.mode not in ("max", "average"):
            raise ValueError(f"mode is {self.mode!r}, expected 'max' or 'average': no other pooling is defined")

    def describe(self) -> str:
        """Such as ``pool2``, ``pool3s2`` or ``avgpool2``."""
        stride = "" if self.stride == self.size else f"s{self.stride}"
        return f"{'pool' if self.mode == 'max' else 'avgpool'}{self.size}{stride}"

    def output_shape(self, shape: Shape) -> Shape:
        """(n_H, n_W, n_C); ValueError where the window does not fit."""
        n_H, n_W, n_C = _volume(shape)
        return (
            conv_output_size(n_H, self.size, stride=self.stride),
            conv_output_size(n_W, self.size, stride=self.stride),
            n_C,
        )


@dataclass(frozen=True)
class Flatten:
    """Volumes as columns, channels last, for the dense layers above."""

    has_parameters: ClassVar[bool] = False

    def describe(self) -> str:
        """``flatten``."""
        return "flatten"

    def output_shape(self, shape: Shape) -> Shape:
        """(n_H n_W n_C,)."""
        n_H, n_W, n_C = _volume(shape)
        return (n_H * n_W * n_C,)


@dataclass(frozen=True)
class Dropout:
    """Inverted dropout of the layer below: A = A_prev * mask / keep_prob, and A = A_prev where no mask is given."""

    has_parameters: ClassVar[bool] = False

    keep_prob: float

    def __post_init__(self) -> None:
        """ValueError unless 0 < keep_prob <= 1."""
        check_keep_prob(self.keep_prob)

    def describe(self) -> str:
        """Such as ``dropout0.8``; the number is the probability to keep a unit, in as many digits as it has."""
        return f"dropout{Decimal(str(float(self.keep_prob))).normalize():f}"

    def output_shape(self, shape: Shape) -> Shape:
        """That of the input."""
        return shape


Layer: TypeAlias = Dense | Conv | Pool | Flatten | Dropout


def _check_activation(activation: str, known: tuple[str, ...]) -> None:
    if activation not in known:
        raise ValueError(f"activation is {activation!r}, expected one of {', '.join(known)}")


def _pad_word(pad: Pad) -> str:
    """Nothing for no padding, p1, p1x2, or same."""
    if isinstance(pad, str):
        return pad
    p_H, p_W = pad if isinstance(pad, tuple) else (pad, pad)
    return "" if p_H == p_W == 0 else f"p{p_H}" if p_H == p_W else f"p{p_H}x{p_W}"


def _volume(shape: Shape) -> tuple[int, int, int]:
    """(n_H, n_W, n_C); ValueError for columns."""
    if len(shape) != 3:
        raise ValueError(f"the input has shape {shape}, expected (n_H, n_W, n_C): this layer takes volumes")
    n_H, n_W, n_C = shape
    return n_H, n_W, n_C
