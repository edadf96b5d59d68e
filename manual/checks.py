"""Validation: whether parameters, data and masks fit an architecture. One plain sentence where they do not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from manual.architecture import Architecture
from manual.notation import Array, Parameters, check_examples, check_shape, check_volume

Masks: TypeAlias = Sequence[Array | None] | None
"""Masks of the dropout layers; None where nothing is dropped."""


def check_parameters(architecture: Architecture, params: Parameters) -> None:
    """ValueError unless ``params`` holds exactly the architecture's parameters, each in its shape."""
    shapes = architecture.parameter_shapes
    if params.keys() != shapes.keys():
        raise ValueError(f"params has {sorted(params)}, expected {sorted(shapes)}: one W and b per layer")
    drawn = {name.replace(letter, other) for name in architecture.weights for letter, other in ("WW", "Wb")}
    for name, shape in shapes.items():
        rule = (
            "a norm has one entry for every feature or channel"
            if name not in drawn
            else "W is (n_l, n_prev) and b is (n_l, 1)"
            if len(shape) == 2
            else "W is (f, f, n_C_prev, n_C), b (1, 1, 1, n_C)"
        )
        check_shape(name, params[name], shape, rule)


def check_inputs(architecture: Architecture, X: Array) -> int:
    """The number m of examples in X; ValueError unless X is (n_x, m), or (m, n_H, n_W, n_C), of the network's sizes."""
    if isinstance(architecture.inputs, int):
        m = check_examples("X", X)[1]
        rule = f"the network takes {architecture.inputs} features"
    else:
        m = check_volume("X", X)[0]
        rule = f"the network takes volumes of {architecture.inputs}"
    check_shape("X", X, architecture.batch_shape(0, m), rule)
    return m


def masks_by_layer(architecture: Architecture, masks: Masks, m: int) -> tuple[Array | None, ...]:
    """One entry for every A[l]: the mask of a dropout layer, None for any other layer, or without masks.

    ``masks`` comes as one array for every dropout layer, in their order, or as one entry for every A[l] already.

    Raises ValueError unless every dropout layer gets a mask of the shape of its A.
    """
    layers = architecture.masked_layers()
    if masks is None:
        return (None,) * len(architecture.shapes)
    if len(masks) == len(architecture.shapes):
        masks = [masks[l] for l in layers]
    if len(masks) != len(layers):
        raise ValueError(f"masks has {len(masks)} entries, expected {len(layers)}: one for every dropout layer")
    found: list[Array | None] = [None] * len(architecture.shapes)
    for l, mask in zip(layers, masks, strict=True):
        shape = architecture.batch_shape(l, m)
        if mask is None or mask.shape != shape:
            got = "none" if mask is None else f"shape {mask.shape}"
            raise ValueError(f"the mask of layer {l} has {got}, expected {shape}: that of A[{l}]")
        found[l] = mask
    return tuple(found)


def check_data(architecture: Architecture, X: Array, Y: Array) -> None:
    """ValueError unless X and Y fit the architecture, are finite, and Y suits the output unit.

    X is (n_x, m) or (m, n_H, n_W, n_C); Y is (n_L, m): 0 or 1 for sigmoid, one-hot columns for softmax, finite numbers
    for identity.
    """
    m = check_inputs(architecture, X)
    check_shape("Y", Y, (architecture.outputs, m), f"{architecture.outputs} outputs for each of {m} examples")
    arrays: tuple[tuple[str, Any], ...] = (("X", X), ("Y", Y))
    for name, array in arrays:
        if not isinstance(array, np.ndarray):
            continue  # examples that stay in their file were checked when it was opened
        finite = np.isfinite(array)
        if not finite.all():
            place = tuple(int(index) for index in np.argwhere(~finite)[0])
            where = (
                f"row {place[0]}, example {place[1]}" if array.ndim == 2 else f"example {place[0]}, cell {place[1:]}"
            )
            raise ValueError(f"{name} is {array[place]} at {where}, expected a finite number")
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


def check_weights(weights: Array | None, m: int) -> None:
    """ValueError unless the weights, where there are any, are (1, m), finite and above 0."""
    if weights is None:
        return
    check_shape("weights", weights, (1, m), "one for each example")
    wrong = ~(np.isfinite(weights) & (weights > 0))
    if wrong.any():
        i = int(np.argmax(wrong))
        raise ValueError(f"the weight of example {i} is {weights[0, i]}, expected a finite number above 0")


def check_batches(architecture: Architecture, m: int, size: int, processes: int = 1) -> None:
    """ValueError where batch norm would get one value of a feature, in the last batch or a process's share of it."""
    last = m % size or min(size, m)
    for l, _ in architecture.remembering:
        values = last // processes * math.prod(architecture.shapes[l][:-1])
        if values < 2:
            of = f"the last batch of {m} examples, {size} at a time" + (f", in {processes} shares," * (processes > 1))
            raise ValueError(f"{of} has {values} of each feature for layer {l}, expected 2: batch norm needs a spread")


class Parts(NamedTuple):
    """A Dataset's two parts in the layout that an architecture takes: columns, or volumes."""

    X_train: Array
    Y_train: Array
    X_test: Array
    Y_test: Array


def parts(architecture: Architecture, data: Any) -> Parts:
    """The data as the architecture takes it, checked.

    Raises ValueError where the data does not fit.
    """
    volumes = isinstance(architecture.inputs, tuple)
    X_train, X_test = (data.images_train, data.images_test) if volumes else (data.X_train, data.X_test)
    for X, Y in ((X_train, data.Y_train), (X_test, data.Y_test)):
        check_data(architecture, X, Y)
    return Parts(X_train, data.Y_train, X_test, data.Y_test)
