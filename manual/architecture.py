"""What a network is: data that names formulas. Both packages build from it; it holds no formula itself.

Layers are counted from 1, as in the notes; layer 0 is the input. Parameters are numbered by the layers that have any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeAlias

import numpy as np

from manual.notation import Array, Parameters, check_examples, check_shape

HIDDEN_UNITS = ("sigmoid", "tanh", "relu", "leaky_relu", "identity")
OUTPUT_UNITS = ("sigmoid", "softmax", "identity")


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: A = g(W A_prev + b)."""

    units: int
    activation: str

    def __post_init__(self) -> None:
        """ValueError unless there is a unit and the activation is known."""
        if self.units < 1:
            raise ValueError(f"Dense has units = {self.units}, expected at least 1")
        known = (*HIDDEN_UNITS, "softmax")
        if self.activation not in known:
            raise ValueError(f"Dense has activation {self.activation!r}, expected one of {', '.join(known)}")


Layer: TypeAlias = Dense


@dataclass(frozen=True)
class Architecture:
    """Inputs and layers of a network; the last layer's unit decides the cost.

    ``inputs`` is n_x. ``layers`` are counted from 1.

    Raises ValueError for an empty network, softmax before the last layer, or an output unit that has no cost.
    """

    inputs: int
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        """Refuse what cannot be a network."""
        object.__setattr__(self, "layers", tuple(self.layers))
        if self.inputs < 1:
            raise ValueError(f"Architecture has inputs = {self.inputs}, expected at least 1 feature")
        if not self.layers:
            raise ValueError("Architecture has no layers, expected at least the output layer")
        for l, layer in enumerate(self.layers[:-1], start=1):
            if layer.activation == "softmax":
                raise ValueError(
                    f"layer {l} has activation 'softmax', expected one of {', '.join(HIDDEN_UNITS)}: "
                    "softmax is for the last layer"
                )
        if self.output_unit not in OUTPUT_UNITS:
            raise ValueError(
                f"the last layer has activation {self.output_unit!r}, expected one of "
                f"{', '.join(OUTPUT_UNITS)}: the output unit decides the cost"
            )

    @property
    def output_unit(self) -> str:
        """Activation of the last layer."""
        return self.layers[-1].activation

    @property
    def outputs(self) -> int:
        """Number of outputs n_L."""
        return self.layers[-1].units

    def numbered(self) -> Iterator[tuple[int, Layer, int]]:
        """(l, layer, k): the layer's place in the list, and the number in its parameters' names."""
        for l, layer in enumerate(self.layers, start=1):
            yield l, layer, l

    @cached_property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter by name: ``{"W1": (n_1, n_x), "b1": (n_1, 1), ...}``."""
        shapes: dict[str, tuple[int, ...]] = {}
        n_prev = self.inputs
        for _, layer, k in self.numbered():
            shapes[f"W{k}"] = (layer.units, n_prev)
            shapes[f"b{k}"] = (layer.units, 1)
            n_prev = layer.units
        return shapes

    def describe(self) -> str:
        """The sizes in one line, such as ``30-5-5-3-1 (relu, relu, relu, sigmoid)``."""
        sizes = "-".join(str(n) for n in (self.inputs, *(layer.units for layer in self.layers)))
        return f"{sizes} ({', '.join(layer.activation for layer in self.layers)})"


def check_parameters(architecture: Architecture, params: Parameters) -> None:
    """ValueError unless ``params`` holds exactly the architecture's parameters, each in its shape."""
    shapes = architecture.parameter_shapes
    if params.keys() != shapes.keys():
        raise ValueError(f"params has {sorted(params)}, expected {sorted(shapes)}: one W and b per layer")
    for name, shape in shapes.items():
        check_shape(name, params[name], shape, "W is (n_l, n_prev) and b is (n_l, 1)")


def check_data(architecture: Architecture, X: Array, Y: Array) -> None:
    """The door for data: ValueError unless X and Y fit the architecture, are finite, and Y suits the output unit.

    X is (n_x, m); Y is (n_L, m): 0 or 1 for sigmoid, one-hot columns for softmax, finite numbers for identity.
    """
    _, m = check_examples("X", X)
    check_shape("X", X, (architecture.inputs, m), f"the network takes {architecture.inputs} features")
    check_shape("Y", Y, (architecture.outputs, m), f"{architecture.outputs} outputs for each of {m} examples")
    for name, array in (("X", X), ("Y", Y)):
        finite = np.isfinite(array)
        if not finite.all():
            row, column = (int(index) for index in np.argwhere(~finite)[0])
            raise ValueError(f"{name} is {array[row, column]} at row {row}, example {column}, expected a finite number")
    if architecture.output_unit != "identity":
        wrong = (Y != 0) & (Y != 1)
        if wrong.any():
            row, column = (int(index) for index in np.argwhere(wrong)[0])
            raise ValueError(
                f"Y is {Y[row, column]} at row {row}, example {column}, expected 0 or 1: "
                f"the output unit is {architecture.output_unit}"
            )
    if architecture.output_unit == "softmax":
        ones = Y.sum(axis=0)
        if (ones != 1).any():
            column = int(np.argmax(ones != 1))
            raise ValueError(f"example {column} of Y has {int(ones[column])} classes, expected 1: columns are one-hot")


def _dense(
    hidden_units: tuple[str, ...],
    output_unit: str,
    sizes: tuple[int, ...],
    inputs: int,
    outputs: int,
    hidden: tuple[int, ...] | None = None,
) -> Architecture:
    """Hidden layers of the given units, in turn, and sizes under an output layer."""
    chosen = sizes if hidden is None else tuple(hidden)
    if chosen and not sizes:
        raise ValueError(f"hidden is {chosen}, expected none: this model has no hidden layer")
    layers = [Dense(n, hidden_units[l % len(hidden_units)]) for l, n in enumerate(chosen)]
    return Architecture(inputs, (*layers, Dense(outputs, output_unit)))


MODELS: dict[str, Callable[..., Architecture]] = {
    "logistic": partial(_dense, (), "sigmoid", ()),
    "shallow": partial(_dense, ("tanh",), "sigmoid", (4,)),
    "deep": partial(_dense, ("relu",), "sigmoid", (5, 5, 3)),
    "deep6": partial(_dense, ("tanh", "relu", "leaky_relu", "sigmoid", "identity"), "sigmoid", (7, 6, 5, 4, 3)),
    "softmax": partial(_dense, (), "softmax", ()),
    "wide": partial(_dense, ("relu",), "softmax", (64, 64)),
    "regression": partial(_dense, ("leaky_relu",), "identity", (8,)),
}
"""Models by name: functions of (inputs, outputs, hidden=None)."""


def model(name: str, inputs: Any, outputs: int, hidden: tuple[int, ...] | None = None) -> Architecture:
    """The architecture of that name for these numbers of inputs and outputs.

    ``hidden`` replaces the sizes of the hidden layers, where the model has any.

    Raises ValueError for an unknown name or sizes that do not fit.

    Notes: F063, F142, F148, F194.
    """
    if name not in MODELS:
        raise ValueError(f"model is {name!r}, expected one of {', '.join(MODELS)}")
    return MODELS[name](inputs, outputs, hidden)
