"""The layers of a network as data: each is one record of its sizes, its formulas, and the word that people type for it.

A shape leaves the examples out: (n,) for columns of n features, (n_H, n_W, n_C) for volumes. Whatever walks a network
asks the layers; torch's modules for them are in torch_ref.layers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import KW_ONLY, dataclass, replace
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple, TypeAlias

from manual import conv, dense, dropout, pooling
from manual.activations import ACTIVATIONS
from manual.costs import OUTPUT_COSTS
from manual.notation import Array, check_count
from manual.shapes import Pad, conv_output_size, pad_pair

HIDDEN_UNITS = tuple(ACTIVATIONS)
OUTPUT_UNITS = tuple(OUTPUT_COSTS)

Shape: TypeAlias = tuple[int, ...]
"""(n,) or (n_H, n_W, n_C)."""

NUMBER = r"(\d{1,9})"
"""A count in a word."""


class Window(NamedTuple):
    """What a convolution or a pooling lays on its input: its sides f, the padding p and the stride s."""

    f: tuple[int, int]
    p: tuple[int, int]
    s: int


class LayerBase(ABC):
    """What every layer says of itself.

    ``words`` are examples of what people type for it, ``pattern`` is a regular expression for all of them, and
    ``from_word`` makes the layer from its groups. A ``masked`` layer takes a mask in training.
    """

    has_parameters: ClassVar[bool] = False
    masked: ClassVar[bool] = False
    words: ClassVar[str]
    pattern: ClassVar[str]

    @classmethod
    @abstractmethod
    def from_word(cls, *groups: Any) -> Layer:
        """The layer that a word stands for; hidden units are ReLU where none is named."""

    @abstractmethod
    def describe(self) -> str:
        """The word for this layer, and its unit."""

    @abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """The shape of its output; ValueError for an input that does not fit."""

    @property
    def window(self) -> Window | None:
        """The window that it lays on its input, if any."""
        return None


class Weighted(LayerBase):
    """A layer with parameters and a unit: Z from A_prev, W and b, then A = g(Z)."""

    has_parameters = True
    activation: str

    @abstractmethod
    def parameter_shapes(self, shape: Shape) -> tuple[Shape, Shape]:
        """The shapes of W and b for an input of this shape."""

    @abstractmethod
    def forward(self, A_prev: Array, W: Array, b: Array) -> Array:
        """Z."""

    @abstractmethod
    def backward(
        self, dZ: Array, A_prev: Array, W: Array, lambda_: float, *, input_gradient: bool
    ) -> tuple[Array | None, Array, Array]:
        """(dA_prev, dW, db); dA_prev is None where no ``input_gradient`` is asked for."""

    def with_unit(self, unit: str) -> Weighted:
        """The same layer with another unit."""
        return replace(self, activation=unit)  # type: ignore[type-var]  # every layer is a dataclass


class Plain(LayerBase):
    """A layer without parameters: A from A_prev at once."""

    @abstractmethod
    def forward(self, A_prev: Array, mask: Array | None) -> Array:
        """A."""

    @abstractmethod
    def backward(self, dA: Array, A_prev: Array, mask: Array | None) -> Array:
        """The derivative in A_prev, per example."""


Layer: TypeAlias = Weighted | Plain


@dataclass(frozen=True)
class Dense(Weighted):
    """A fully connected layer: A = g(W A_prev + b)."""

    words = "dense64"
    pattern = rf"dense{NUMBER}"

    units: int
    activation: str

    def __post_init__(self) -> None:
        """ValueError unless there is a unit and the activation is known."""
        check_count("units", self.units, 1, "a layer has at least one unit")
        _check_activation(self.activation, (*HIDDEN_UNITS, "softmax"))

    @classmethod
    def from_word(cls, units: str) -> Dense:
        """From the number of its units."""
        return cls(int(units), "relu")

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

    def forward(self, A_prev: Array, W: Array, b: Array) -> Array:
        """Z = W A_prev + b."""
        return dense.linear_forward(A_prev, W, b)

    def backward(
        self, dZ: Array, A_prev: Array, W: Array, lambda_: float, *, input_gradient: bool
    ) -> tuple[Array | None, Array, Array]:
        """The three derivatives of Z."""
        dW, db = dense.weight_gradient(dZ, A_prev, W, lambda_), dense.bias_gradient(dZ)
        return dense.input_gradient(dZ, W) if input_gradient else None, dW, db


@dataclass(frozen=True)
class Conv(Weighted):
    """A convolutional layer: A = g(Z), Z the filters laid on every window of A_prev.

    ``filters`` is n_C; ``size`` is f or (f_H, f_W); ``stride`` s; ``pad`` p, (p_H, p_W) or "same".
    """

    words = "conv8x3, conv8x3s2p1, conv8x3same, conv8x2x3"
    pattern = rf"conv{NUMBER}x{NUMBER}(?:x{NUMBER})?(?:s{NUMBER})?(?:(same)|p{NUMBER}(?:x{NUMBER})?)?"

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

    @classmethod
    def from_word(
        cls, filters: str, f_H: str, f_W: str | None, stride: str | None, same: str | None, *pads: str | None
    ) -> Conv:
        """From its filters, their sides, the stride and the padding; one number stands for two that are equal."""
        p_H, p_W = pads
        pad: Pad = "same" if same else 0 if p_H is None else int(p_H) if p_W is None else (int(p_H), int(p_W))
        size = int(f_H) if f_W is None else (int(f_H), int(f_W))
        return cls(int(filters), size, stride=int(stride or 1), pad=pad, activation="relu")

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

    @property
    def window(self) -> Window:
        """The filter's sides, its padding and its stride."""
        return Window(self.sides, self.padding, self.stride)

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

    def forward(self, A_prev: Array, W: Array, b: Array) -> Array:
        """The filters on every window."""
        return conv.conv_forward(A_prev, W, b, stride=self.stride, pad=self.padding)

    def backward(
        self, dZ: Array, A_prev: Array, W: Array, lambda_: float, *, input_gradient: bool
    ) -> tuple[Array | None, Array, Array]:
        """The three derivatives of Z."""
        stride, pad = self.stride, self.padding
        return conv.conv_backward(dZ, A_prev, W, stride=stride, pad=pad, lambda_=lambda_, input_gradient=input_gradient)


@dataclass(frozen=True)
class Pool(Plain):
    """A pooling layer: the largest or the average value of every window of ``size`` by ``size`` cells."""

    words = "pool2, pool3s2, avgpool2"
    pattern = rf"(avg)?pool{NUMBER}(?:s{NUMBER})?"

    size: int
    stride: int
    mode: str = "max"

    def __post_init__(self) -> None:
        """ValueError for a count below 1 or an unknown mode."""
        check_count("size", self.size, 1, "a window has at least one cell")
        check_count("stride", self.stride, 1, "the next window starts at least one cell further on")
        if self.mode not in ("max", "average"):
            raise ValueError(f"mode is {self.mode!r}, expected 'max' or 'average': no other pooling is defined")

    @classmethod
    def from_word(cls, average: str | None, size: str, stride: str | None) -> Pool:
        """From the size of its window, and the stride, which is the size where none is given."""
        return cls(int(size), int(stride or size), "average" if average else "max")

    def describe(self) -> str:
        """Such as ``pool2``, ``pool3s2`` or ``avgpool2``."""
        stride = "" if self.stride == self.size else f"s{self.stride}"
        return f"{'pool' if self.mode == 'max' else 'avgpool'}{self.size}{stride}"

    @property
    def window(self) -> Window:
        """Its window, without padding."""
        return Window((self.size, self.size), (0, 0), self.stride)

    def output_shape(self, shape: Shape) -> Shape:
        """(n_H, n_W, n_C); ValueError where the window does not fit."""
        n_H, n_W, n_C = _volume(shape)
        return (
            conv_output_size(n_H, self.size, stride=self.stride),
            conv_output_size(n_W, self.size, stride=self.stride),
            n_C,
        )

    def forward(self, A_prev: Array, mask: Array | None) -> Array:
        """The largest or the average value of every window."""
        return pooling.pool_forward(A_prev, self.size, self.stride, mode=self.mode)

    def backward(self, dA: Array, A_prev: Array, mask: Array | None) -> Array:
        """To the first maximum, or to all cells alike."""
        return pooling.pool_backward(dA, A_prev, self.size, self.stride, mode=self.mode)


@dataclass(frozen=True)
class Flatten(Plain):
    """Volumes as columns, channels last, for the dense layers above."""

    words = pattern = "flatten"

    @classmethod
    def from_word(cls) -> Flatten:
        """From the word alone."""
        return cls()

    def describe(self) -> str:
        """``flatten``."""
        return "flatten"

    def output_shape(self, shape: Shape) -> Shape:
        """(n_H n_W n_C,)."""
        n_H, n_W, n_C = _volume(shape)
        return (n_H * n_W * n_C,)

    def forward(self, A_prev: Array, mask: Array | None) -> Array:
        """Every example as a column."""
        return conv.flatten(A_prev)

    def backward(self, dA: Array, A_prev: Array, mask: Array | None) -> Array:
        """The columns as volumes again."""
        return conv.flatten_backward(dA, A_prev.shape)


@dataclass(frozen=True)
class Dropout(Plain):
    """Inverted dropout of the layer below: A = A_prev * mask / keep_prob, and A = A_prev where no mask is given."""

    masked = True
    words = "dropout0.8"
    pattern = r"dropout(\d?\.?\d{1,400})"

    keep_prob: float

    def __post_init__(self) -> None:
        """ValueError unless 0 < keep_prob <= 1."""
        dropout.check_keep_prob(self.keep_prob)

    @classmethod
    def from_word(cls, keep_prob: str) -> Dropout:
        """From the probability to keep a unit."""
        return cls(float(keep_prob))

    def describe(self) -> str:
        """Such as ``dropout0.8``; the number is the probability to keep a unit, in as many digits as it has."""
        return f"dropout{Decimal(str(float(self.keep_prob))).normalize():f}"

    def output_shape(self, shape: Shape) -> Shape:
        """That of the input."""
        return shape

    def forward(self, A_prev: Array, mask: Array | None) -> Array:
        """The units that the mask keeps, made up for the others; all of them where no mask is given."""
        return A_prev if mask is None else dropout.dropout_forward(A_prev, mask, self.keep_prob)

    def backward(self, dA: Array, A_prev: Array, mask: Array | None) -> Array:
        """Through the units that the mask keeps."""
        return dA if mask is None else dropout.dropout_backward(dA, mask, self.keep_prob)


LAYERS: tuple[type[Layer], ...] = (Dense, Conv, Pool, Flatten, Dropout)
"""Every kind of layer."""


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
