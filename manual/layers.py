"""The layers of a network as data: each is one record of its sizes, its formulas, and the word that people type for it.

Whatever walks a network asks the layers; torch's modules for them are in torch_ref.layers. What all have is in
layer_base, the norms are in norm_layers.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from decimal import Decimal

from manual import conv, dense, dropout, pooling
from manual.activations import ACTIVATIONS
from manual.costs import OUTPUT_COSTS
from manual.layer_base import NUMBER, Layer, Plain, Shape, Weighted, Window, check_unit
from manual.norm_layers import BatchNorm, LayerNorm, Norm
from manual.normalization import Statistics
from manual.notation import Array, check_count, check_shape
from manual.shapes import Pad, conv_output_size, pad_pair

__all__ = [
    "HIDDEN_UNITS",
    "LAYERS",
    "OUTPUT_UNITS",
    "Add",
    "BatchNorm",
    "Conv",
    "Dense",
    "Dropout",
    "Flatten",
    "Layer",
    "LayerNorm",
    "Norm",
    "Plain",
    "Pool",
    "Shape",
    "Unit",
    "Weighted",
]

HIDDEN_UNITS = tuple(ACTIVATIONS)
OUTPUT_UNITS = tuple(OUTPUT_COSTS)


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
        check_unit(self.activation, (*HIDDEN_UNITS, "softmax"))

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

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        """W is (n_l, n_prev), b is (n_l, 1)."""
        return {"W": (self.units, shape[0]), "b": (self.units, 1)}

    def forward(self, A_prev: Array, W: Array, b: Array, given: Statistics | None = None) -> Array:
        """Z = W A_prev + b."""
        return dense.linear_forward(A_prev, W, b)

    def backward(
        self,
        dZ: Array,
        A_prev: Array,
        W: Array,
        lambda_: float,
        given: Statistics | None = None,
        *,
        input_gradient: bool,
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
        check_unit(self.activation, HIDDEN_UNITS)

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

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        """W is (f_H, f_W, n_C_prev, n_C), b is (1, 1, 1, n_C)."""
        return {"W": (*self.sides, shape[-1], self.filters), "b": (1, 1, 1, self.filters)}

    def forward(self, A_prev: Array, W: Array, b: Array, given: Statistics | None = None) -> Array:
        """The filters on every window."""
        return conv.conv_forward(A_prev, W, b, stride=self.stride, pad=self.padding)

    def backward(
        self,
        dZ: Array,
        A_prev: Array,
        W: Array,
        lambda_: float,
        given: Statistics | None = None,
        *,
        input_gradient: bool,
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

    def forward(self, A_prev: Array, given: Array | None) -> Array:
        """The largest or the average value of every window."""
        return pooling.pool_forward(A_prev, self.size, self.stride, mode=self.mode)

    def backward(self, dA: Array, A_prev: Array, given: Array | None) -> Array:
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

    def forward(self, A_prev: Array, given: Array | None) -> Array:
        """Every example as a column."""
        return conv.flatten(A_prev)

    def backward(self, dA: Array, A_prev: Array, given: Array | None) -> Array:
        """The columns as volumes again."""
        return conv.flatten_backward(dA, A_prev.shape)


@dataclass(frozen=True)
class Dropout(Plain):
    """Inverted dropout of the layer below: A = A_prev * mask / keep_prob, and A = A_prev where no mask is given."""

    masked = entry_by_entry = True
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

    def forward(self, A_prev: Array, given: Array | None) -> Array:
        """The units that the mask keeps, made up for the others; all of them where no mask is given."""
        return A_prev if given is None else dropout.dropout_forward(A_prev, given, self.keep_prob)

    def backward(self, dA: Array, A_prev: Array, given: Array | None) -> Array:
        """Through the units that the mask keeps."""
        return dA if given is None else dropout.dropout_backward(dA, given, self.keep_prob)


@dataclass(frozen=True)
class Unit(Plain):
    """A unit by itself, as behind pooling or a sum: A = g(A_prev)."""

    entry_by_entry = True
    words = ", ".join(HIDDEN_UNITS)
    pattern = rf"({'|'.join(HIDDEN_UNITS)})"

    activation: str

    def __post_init__(self) -> None:
        """ValueError for an unknown activation."""
        check_unit(self.activation, HIDDEN_UNITS)

    @classmethod
    def from_word(cls, activation: str) -> Unit:
        """From its name."""
        return cls(activation)

    def describe(self) -> str:
        """Such as ``relu``."""
        return self.activation

    def output_shape(self, shape: Shape) -> Shape:
        """That of the input."""
        return shape

    def forward(self, A_prev: Array, given: Array | None) -> Array:
        """g(A_prev)."""
        return ACTIVATIONS[self.activation].g(A_prev)

    def backward(self, dA: Array, A_prev: Array, given: Array | None) -> Array:
        """dA * g'(A_prev)."""
        return dA * ACTIVATIONS[self.activation].g_prime(A_prev)


@dataclass(frozen=True)
class Add(Plain):
    """A skip: A[l] = A[l-1] + A[source], the residual path of He, Zhang, Ren and Sun (2015).

    ``source`` counts layers as l does, 0 for X. Backward dA[l] goes down both paths: dA[source] is a sum of two.
    """

    entry_by_entry = True
    words = "add2"
    pattern = rf"add{NUMBER}"

    source: int

    def __post_init__(self) -> None:
        """ValueError for a negative number."""
        check_count("source", self.source, 0, "the number of an earlier layer, 0 for the input")

    @classmethod
    def from_word(cls, source: str) -> Add:
        """From the number of the earlier layer."""
        return cls(int(source))

    def describe(self) -> str:
        """Such as ``add2``."""
        return f"add{self.source}"

    def output_shape(self, shape: Shape) -> Shape:
        """That of the input; the architecture sees to it that it is that of the source too."""
        return shape

    def forward(self, A_prev: Array, given: Array | None) -> Array:
        """The sum of the two."""
        assert given is not None
        check_shape("A of the source", given, A_prev.shape, "the two that are added have one shape")
        return A_prev + given

    def backward(self, dA: Array, A_prev: Array, given: Array | None) -> Array:
        """The same for A_prev and for the source."""
        return dA.copy()


LAYERS: tuple[type[Layer], ...] = (Dense, Conv, Pool, Flatten, Dropout, BatchNorm, LayerNorm, Add, Unit)
"""Every kind of layer."""


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
