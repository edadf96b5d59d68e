"""What a network is: data that names formulas. Both packages build from it; it holds no formula itself.

Layers are counted from 1, as in the notes; layer 0 is the input. Parameters are numbered by the layers that have any:
in Conv - Pool - Flatten - Dense the convolution has W1 and the dense layer W2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate
from typing import Any

from manual.layers import (
    HIDDEN_UNITS,
    OUTPUT_UNITS,
    Add,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LayerNorm,
    Pool,
    Shape,
    Unit,
    Weighted,
)
from manual.notation import check_count

__all__ = [
    "IMAGE_MODELS",
    "MODELS",
    "Add",
    "Architecture",
    "BatchNorm",
    "Conv",
    "Dense",
    "Dropout",
    "Flatten",
    "Layer",
    "LayerNorm",
    "Pool",
    "Unit",
    "model",
    "model_for",
]


@dataclass(frozen=True)
class Architecture:
    """Inputs and layers of a network; the last layer is dense, and its unit decides the cost.

    ``inputs`` is n_x, or (n_H, n_W, n_C) for volumes. ``layers`` are counted from 1.

    Raises ValueError for an empty network, a layer that does not fit the one below it, softmax before the last layer,
    or an output unit that has no cost.
    """

    inputs: int | tuple[int, int, int]
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        """Refuse what cannot be a network."""
        object.__setattr__(self, "layers", tuple(self.layers))
        if isinstance(self.inputs, tuple | list):
            object.__setattr__(self, "inputs", tuple(self.inputs))
            if len(self.inputs) != 3:
                raise ValueError(f"inputs is {self.inputs}, expected n_x or (n_H, n_W, n_C): columns or volumes")
        for size in self.shape_of_input:
            check_count("inputs", size, 1, "an example has at least one feature or pixel")
        if not self.layers:
            raise ValueError("Architecture has no layers, expected at least the output layer")
        for l, layer in enumerate(self.layers[:-1], start=1):
            if isinstance(layer, Weighted) and layer.activation == "softmax":
                raise ValueError(
                    f"layer {l} has activation 'softmax', expected one of {', '.join(HIDDEN_UNITS)}: "
                    "softmax is for the last layer"
                )
        last = self.layers[-1]
        if not isinstance(last, Dense) or len(self.shapes[-1]) != 1:
            raise ValueError(f"the last layer is {type(last).__name__}, expected Dense: its unit decides the cost")
        if last.activation not in OUTPUT_UNITS:
            raise ValueError(
                f"the last layer has activation {last.activation!r}, expected one of "
                f"{', '.join(OUTPUT_UNITS)}: the output unit decides the cost"
            )

    @property
    def shape_of_input(self) -> Shape:
        """(n_x,) or (n_H, n_W, n_C)."""
        return self.inputs if isinstance(self.inputs, tuple) else (self.inputs,)

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """Shape of one example after every layer, the input first: (n,) or (n_H, n_W, n_C).

        Raises ValueError, with the layer's number and what it was given, where a layer does not fit.
        """
        shapes = [self.shape_of_input]
        for l, layer in enumerate(self.layers, start=1):
            try:
                _check_source(l, layer, shapes)
                shapes.append(layer.output_shape(shapes[-1]))
            except ValueError as error:
                raise ValueError(
                    f"layer {l}, {layer.describe()}, does not fit its input of shape {shapes[-1]}: {error}"
                ) from None
        return tuple(shapes)

    @property
    def output_unit(self) -> str:
        """Activation of the last layer."""
        return self.layers[-1].activation  # type: ignore[union-attr]  # dense: the constructor saw to it

    @cached_property
    def activations(self) -> tuple[str | None, ...]:
        """The unit of A[l] for l = 0..L; None for the input and for layers without one."""
        return (None, *(layer.activation if isinstance(layer, Weighted | Unit) else None for layer in self.layers))

    @property
    def outputs(self) -> int:
        """Number of outputs n_L."""
        return self.shapes[-1][0]

    def numbered(self) -> Sequence[tuple[int, Layer, int]]:
        """(l, layer, k): the layer's place in the list, and the number in its parameters' names, 0 for one without."""
        return self._numbered

    @cached_property
    def _numbered(self) -> tuple[tuple[int, Layer, int], ...]:
        counted = accumulate(int(layer.has_parameters) for layer in self.layers)
        return tuple(
            (l, layer, k if layer.has_parameters else 0)
            for l, (layer, k) in enumerate(zip(self.layers, counted, strict=True), start=1)
        )

    @cached_property
    def parameter_shapes(self) -> dict[str, Shape]:
        """Shape of every parameter by name: ``{"W1": (n_1, n_x), "b1": (n_1, 1), ...}``; in a layer that remembers, of
        its running statistics mean and variance too, which have no gradient.
        """
        return {
            f"{name}{k}": shape
            for l, layer, k in self.numbered()
            if isinstance(layer, Weighted)
            for name, shape in layer.parameter_shapes(self.shapes[l - 1]).items()
        }

    @cached_property
    def learned(self) -> tuple[str, ...]:
        """The parameters that have a gradient: W1, b1, W2, ..."""
        return tuple(name for name in self.parameter_shapes if name[0] in "Wb")

    @cached_property
    def weights(self) -> tuple[str, ...]:
        """The W that are drawn at the start and that the penalty counts: all but the gamma of norms."""
        return tuple(f"W{k}" for _, layer, k in self.numbered() if isinstance(layer, Weighted) and layer.penalised)

    @cached_property
    def remembering(self) -> tuple[tuple[int, int], ...]:
        """(l, k) of the layers with running statistics."""
        return tuple((l, k) for l, layer, k in self.numbered() if isinstance(layer, Weighted) and layer.remembers)

    def batch_shape(self, l: int, m: int) -> Shape:
        """Shape of A[l] for m examples: (n_l, m), or (m, n_H, n_W, n_C)."""
        shape = self.shapes[l]
        return (*shape, m) if len(shape) == 1 else (m, *shape)

    def masked_layers(self) -> tuple[int, ...]:
        """The places l of the dropout layers."""
        return self._masked

    @cached_property
    def _masked(self) -> tuple[int, ...]:
        return tuple(l for l, layer in enumerate(self.layers, start=1) if layer.masked)

    def describe(self) -> str:
        """The sizes in one line, such as ``30-5-5-3-1 (relu, relu, relu, sigmoid)``."""
        if all(isinstance(layer, Dense) for layer in self.layers):
            sizes = "-".join(str(shape[0]) for shape in self.shapes)
            return f"{sizes} ({', '.join(layer.activation for layer in self.layers if isinstance(layer, Dense))})"
        sizes = "x".join(str(n) for n in self.shape_of_input)
        return " - ".join([sizes, *(layer.describe() for layer in self.layers)])


def _check_source(l: int, layer: Layer, shapes: Sequence[Shape]) -> None:
    """ValueError unless what a skip adds lies below and has the shape of the layer's input."""
    if layer.source is None:
        return
    if layer.source >= l:
        raise ValueError(f"the source is {layer.source}, expected a layer below {l}: a skip adds an earlier A")
    if shapes[layer.source] != shapes[-1]:
        raise ValueError(
            f"A[{layer.source}] has shape {shapes[layer.source]}, expected {shapes[-1]}: the two that are added have "
            "one shape"
        )


def _dense(
    hidden_units: tuple[str, ...],
    output_unit: str,
    sizes: tuple[int, ...],
    inputs: Any,
    outputs: int,
    hidden: tuple[int, ...] | None = None,
) -> Architecture:
    """Hidden layers of the given units, in turn, and sizes under an output layer."""
    chosen = sizes if hidden is None else tuple(hidden)
    if chosen and not sizes:
        raise ValueError(f"hidden is {chosen}, expected none: this model has no hidden layer")
    layers = [Dense(n, hidden_units[l % len(hidden_units)]) for l, n in enumerate(chosen)]
    return Architecture(inputs, (*layers, Dense(outputs, output_unit)))


def _conv(
    name: str,
    below: tuple[Layer, ...],
    unit: str,
    sizes: tuple[int, ...],
    inputs: Any,
    outputs: int,
    hidden: tuple[int, ...] | None = None,
) -> Architecture:
    """Convolutions and pooling, flattened, under dense layers of ``sizes``."""
    if not isinstance(inputs, tuple | list):
        raise ValueError(f"inputs is {inputs!r}, expected (n_H, n_W, n_C): {name} takes images")
    dense = [Dense(n, unit) for n in (sizes if hidden is None else hidden)]
    return Architecture(tuple(inputs), (*below, Flatten(), *dense, Dense(outputs, "softmax")))


def _norm(sizes: tuple[int, ...], inputs: Any, outputs: int, hidden: tuple[int, ...] | None = None) -> Architecture:
    """Hidden layers with batch norm below their ReLU."""
    chosen = sizes if hidden is None else hidden
    layers = [each for n in chosen for each in (Dense(n, "identity"), BatchNorm("relu"))]
    return Architecture(inputs, (*layers, Dense(outputs, "softmax")))


def _residual(sizes: tuple[int, ...], inputs: Any, outputs: int, hidden: tuple[int, ...] | None = None) -> Architecture:
    """A hidden layer, then others with layer norm that are added to what is below them; all of one size."""
    chosen = sizes if hidden is None else hidden
    layers: list[Layer] = [Dense(n, "relu") for n in chosen[:1]]
    for n in chosen[1:]:
        layers += [Dense(n, "identity"), LayerNorm(), Add(len(layers)), Unit("relu")]
    return Architecture(inputs, (*layers, Dense(outputs, "softmax")))


CONVNET = (
    Conv(16, 3, pad="same", activation="relu"),
    Conv(32, 3, pad="same", activation="relu"),
    Pool(2, 2, "max"),
)
"""Two SAME convolutions, then the largest value of every 2 by 2 window."""

CONVNET_NORM = (
    Conv(16, 3, pad="same", activation="identity"),
    BatchNorm("relu"),
    Conv(32, 3, pad="same", activation="identity"),
    BatchNorm("relu"),
    Pool(2, 2, "max"),
)
"""The same with batch norm between the convolutions and their ReLU."""

CONVNET_RESIDUAL = (
    Conv(32, 3, pad="same", activation="identity"),
    BatchNorm("relu"),
    Conv(32, 3, pad="same", activation="identity"),
    BatchNorm(),
    Add(2),
    Unit("relu"),
    Pool(2, 2, "max"),
)
"""The second convolution is added to what it was given, as in a residual network."""

STRIDED = (
    Conv(8, 3, pad="same", activation="tanh"),
    Conv(12, 3, stride=2, pad=1, activation="relu"),
    Conv(16, 2, stride=2, activation="leaky_relu"),
)
"""Strides of 2 in place of pooling."""

LENET5 = (
    Conv(6, 5, pad=2, activation="tanh"),
    Pool(2, 2, "average"),
    Conv(16, 5, activation="tanh"),
    Pool(2, 2, "average"),
)
"""The feature maps of LeNet-5, every one of the second layer joined to all of the first; 28 by 28 images."""

MODELS: dict[str, Callable[..., Architecture]] = {
    "logistic": partial(_dense, (), "sigmoid", ()),
    "shallow": partial(_dense, ("tanh",), "sigmoid", (4,)),
    "deep": partial(_dense, ("relu",), "sigmoid", (5, 5, 3)),
    "deep6": partial(_dense, ("tanh", "relu", "leaky_relu", "sigmoid", "identity"), "sigmoid", (7, 6, 5, 4, 3)),
    "softmax": partial(_dense, (), "softmax", ()),
    "wide": partial(_dense, ("relu",), "softmax", (64, 64)),
    "wide_norm": partial(_norm, (64, 64)),
    "wide_residual": partial(_residual, (64, 64)),
    "regression": partial(_dense, ("leaky_relu",), "identity", (8,)),
    "convnet": partial(_conv, "convnet", CONVNET, "relu", (64,)),
    "convnet_norm": partial(_conv, "convnet_norm", CONVNET_NORM, "relu", (64,)),
    "convnet_residual": partial(_conv, "convnet_residual", CONVNET_RESIDUAL, "relu", (64,)),
    "strided": partial(_conv, "strided", STRIDED, "relu", ()),
    "lenet5": partial(_conv, "lenet5", LENET5, "tanh", (120, 84)),
}
"""Models by name: functions of (inputs, outputs, hidden=None)."""


IMAGE_MODELS = ("convnet", "convnet_norm", "convnet_residual", "strided", "lenet5")
"""The models that take volumes; the others take columns."""


def model(name: str, inputs: Any, outputs: int, hidden: tuple[int, ...] | None = None) -> Architecture:
    """The architecture of that name for these numbers of inputs and outputs.

    ``hidden`` replaces the sizes of the hidden dense layers, where the model has any. The models of IMAGE_MODELS take
    images, ``inputs`` = (n_H, n_W, n_C).

    Raises ValueError for an unknown name or sizes that do not fit.

    Notes: F063, F142, F148, F194, F236. LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document
    recognition, 1998 (lenet5, with the output layer that is usual today).
    """
    if name not in MODELS:
        raise ValueError(f"model is {name!r}, expected one of {', '.join(MODELS)}")
    return MODELS[name](inputs, outputs, hidden)


def model_for(name: str, data: Any, hidden: tuple[int, ...] | None = None) -> Architecture:
    """The model of that name for a Dataset: its features or, for the models that take volumes, its images.

    Raises ValueError for an unknown name, sizes that do not fit, and where images are needed and the data has none.
    """
    if name in IMAGE_MODELS and data.image_shape is None:
        raise ValueError(f"{data.name} has no images, expected (n_H, n_W, n_C) for each example: {name} takes images")
    inputs = data.image_shape if name in IMAGE_MODELS else data.X_train.shape[0]
    return model(name, inputs, data.Y_train.shape[0], hidden)
