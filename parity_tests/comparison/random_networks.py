"""Random networks: of every kind of layer, on data that are kind and unkind to rounding. One seed, one network.

A list of models hides what none of them has. Here filters, channels and examples may be one, strides leave cells out,
values tie, units saturate or answer with confidence, and numbers are so small or so large that they underflow or
overflow, in float32 above all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from manual import network
from manual.architecture import (
    Add,
    Architecture,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LayerNorm,
    Pool,
    Unit,
)
from manual.checks import check_batches
from manual.draws import dropout_masks, initial_parameters
from manual.layer_words import renumbered
from manual.layers import HIDDEN_UNITS, OUTPUT_UNITS, Shape
from manual.notation import Array, Parameters
from manual.optimizers import NOTES
from parity_tests.comparison.models import ModelCase, Start
from parity_tests.comparison.snap import run_steps
from parity_tests.formulas.run import generator
from parity_tests.judging.judge import Result
from torch_ref.network import build

NAME = "random"
"""The model of these cases; the seed stands where others name their data."""

STEPS = 2
"""Steps of each network: the first starts an optimiser, the second finds it under way."""

EXAMPLES, MANY = (1, 1, 2, 3, 3, 7, 20, 61), 400
OUTPUTS, UNITS = (1, 1, 2, 3, 5, 40), (1, 2, 3, 5, 7, 7, 33)

Draw = np.random.Generator


def draw(seed: int) -> tuple[ModelCase, Start]:
    """The network of a seed in float64: its layers, parameters, data and masks, and how it is trained."""
    rng = generator(NAME, seed)
    architecture = _volumes(rng) if rng.random() < 0.45 else _columns(rng)
    more = generator(NAME + "/more", seed)
    if more.random() < 0.4:
        architecture = _with_norms_and_skips(more, architecture)
    m = MANY if rng.random() < 0.02 else int(rng.choice(EXAMPLES))
    X = _data(rng, architecture.batch_shape(0, m), axis=0 if len(architecture.shape_of_input) == 3 else 1)
    params = {**_parameters(rng, architecture), **_running_statistics(more, architecture)}
    masks = None
    if rng.random() < 0.8 and _has_a_spread(architecture, m):
        masks = dropout_masks(architecture, m, rng)
    Y = _targets(rng, architecture, params, X)
    case = ModelCase(
        NAME, f"{seed}",
        lambda_=float(rng.choice([0.0, 0.0, 0.7, 0.7, 1e-9, 1e9])),
        learning_rate=float(10.0 ** rng.uniform(-4, 0.5)),
        steps=STEPS,
        optimizer=str(rng.choice(list(NOTES))),
    )  # fmt: skip
    return case, Start(architecture, params, X, Y, masks)


def drawn(seed: int, dtype: Any) -> tuple[ModelCase, Start]:
    """The same in a dtype."""
    case, begin = draw(seed)
    cast = {name: value.astype(dtype) for name, value in begin.params.items()}
    masks = None if begin.masks is None else [None if D is None else D.astype(dtype) for D in begin.masks]
    return case, Start(begin.architecture, cast, begin.X.astype(dtype), begin.Y.astype(dtype), masks)


def run_random(seed: int, dtype: Any) -> list[Result]:
    """A few steps of the network of a seed."""
    case, begin = drawn(seed, dtype)
    with np.errstate(all="ignore"):  # overflow is among what is drawn
        return run_steps(case, begin, case.steps, seed)


def _columns(rng: Draw) -> Architecture:
    """Dense layers, some with dropout behind them."""
    hidden = 9 if rng.random() < 0.05 else int(rng.integers(0, 5))
    return Architecture(int(rng.choice(UNITS)), tuple(_top(rng, hidden)))


def _top(rng: Draw, hidden: int) -> list[Layer]:
    """Dense layers that end a network."""
    layers: list[Layer] = []
    for _ in range(hidden):
        layers.append(Dense(int(rng.choice(UNITS)), str(rng.choice(HIDDEN_UNITS))))
        layers += _dropout(rng)
    return [*layers, Dense(int(rng.choice(OUTPUTS)), str(rng.choice(OUTPUT_UNITS)))]


def _dropout(rng: Draw) -> list[Layer]:
    return [Dropout(float(rng.choice([1.0, 0.9, 0.5, 0.2])))] if rng.random() < 0.25 else []


def _volumes(rng: Draw) -> Architecture:
    """Convolutions and pooling, flattened under dense layers."""
    inputs = int(rng.integers(1, 9)), int(rng.integers(1, 9)), int(rng.integers(1, 5))
    layers: list[Layer] = []
    shape: Shape = inputs
    for _ in range(int(rng.integers(1, 4))):
        layer = _convolution(rng) if rng.random() < 0.65 else _pooling(rng)
        try:
            shape = layer.output_shape(shape)
        except ValueError:  # larger than what is left
            continue
        layers += [layer, *_dropout(rng)]
    return Architecture(inputs, (*layers, Flatten(), *_dropout(rng), *_top(rng, hidden=int(rng.integers(0, 3)))))


def _with_norms_and_skips(rng: Draw, net: Architecture) -> Architecture:
    """Norms, skips and units alone between the layers; what does not fit there is left out."""
    for _ in range(int(rng.integers(1, 5))):
        l = int(rng.integers(0, len(net.layers)))
        epsilon, unit = float(10.0 ** rng.uniform(-8, -1)), str(rng.choice(HIDDEN_UNITS))
        choices: list[Layer] = [
            BatchNorm(unit, momentum=float(rng.uniform(0.01, 1)), epsilon=epsilon),
            LayerNorm(unit, epsilon=epsilon),
            Add(int(rng.integers(0, l + 1))),
            Unit(str(rng.choice([each for each in HIDDEN_UNITS if each != "identity"]))),
        ]
        drawn = choices[int(rng.choice(4, p=(0.35, 0.2, 0.3, 0.15)))]
        places = list(enumerate(net.layers, start=1))
        above = renumbered([*places[:l], (0, Unit(unit)), *places[l:]])[l + 1 :]
        try:
            found = Architecture(net.inputs, (*net.layers[:l], drawn, *above))
            build(found)
        except ValueError:  # shapes that differ, or entries in another order
            continue
        net = found
    return net


def _has_a_spread(net: Architecture, m: int) -> bool:
    """Whether batch norm gets two values of every feature."""
    try:
        check_batches(net, m, m)
    except ValueError:
        return False
    return True


def _running_statistics(rng: Draw, net: Architecture) -> Parameters:
    """Means and variances of any size."""
    shapes = {name: shape for name, shape in net.parameter_shapes.items() if name not in net.learned}
    return {
        name: 10.0 ** rng.uniform(-3, 3) * (rng.chisquare(2, shape) if name[0] == "v" else rng.standard_normal(shape))
        for name, shape in shapes.items()
    }


def _convolution(rng: Draw) -> Conv:
    filters, unit = int(rng.integers(1, 5)), str(rng.choice(HIDDEN_UNITS))
    if rng.random() < 0.25:
        return Conv(filters, int(rng.choice([1, 3])), pad="same", activation=unit)
    sides = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    pad = int(rng.integers(0, 3)) if rng.random() < 0.5 else (int(rng.integers(0, 3)), int(rng.integers(0, 3)))
    size = sides if rng.random() < 0.4 else sides[0]
    return Conv(filters, size, stride=int(rng.integers(1, 4)), pad=pad, activation=unit)


def _pooling(rng: Draw) -> Pool:
    return Pool(int(rng.integers(1, 4)), int(rng.integers(1, 4)), str(rng.choice(["max", "average"])))


def _repeated(rng: Draw, value: Array, axis: int) -> Array:
    """Examples, rows or filters that occur more than once."""
    taken: Array = np.take(value, rng.integers(0, value.shape[axis], value.shape[axis]), axis=axis)
    return taken


def _with_zeros(rng: Draw, value: Array, axis: int) -> Array:
    """Many entries are zero, and a whole example, row or filter may be."""
    kept = rng.random(value.shape) < 0.5
    whole = [1] * value.ndim
    whole[axis] = value.shape[axis]
    return value * kept * (rng.random(whole) < 0.7)


def _scaled(rng: Draw, value: Array, axis: int) -> Array:
    """All of it tiny or huge."""
    scaled: Array = value * 10.0 ** rng.uniform(-8, 8)
    return scaled


def _of_many_sizes(rng: Draw, value: Array, axis: int) -> Array:
    """Every example, row or filter of another size."""
    sizes = [1] * value.ndim
    sizes[axis] = value.shape[axis]
    return value * 10.0 ** rng.uniform(-8, 8, sizes)


KINDS: dict[str, Callable[[Draw, Array, int], Array]] = {
    "ordinary": lambda rng, value, axis: value,
    "ties": lambda rng, value, axis: np.round(value),
    "positive": lambda rng, value, axis: np.abs(value),
    "constant": lambda rng, value, axis: np.ones_like(value) * value.flat[0],
    "zeros": _with_zeros,
    "repeated": _repeated,
    "scaled": _scaled,
    "of many sizes": _of_many_sizes,
    "nothing": lambda rng, value, axis: 0 * value,
}
"""What data and weights may be, made of normal ones; the axis is that of examples, units or filters."""

OFTEN = (0.44, 0.1, 0.06, 0.04, 0.1, 0.08, 0.08, 0.08, 0.02)
"""How often each of them is drawn."""


def _of_a_kind(rng: Draw, value: Array, axis: int) -> Array:
    return KINDS[str(rng.choice(list(KINDS), p=OFTEN))](rng, value, axis)


def _data(rng: Draw, shape: Shape, axis: int) -> Array:
    """Examples along the axis."""
    return _of_a_kind(rng, rng.standard_normal(shape), axis)


class _Weights(NamedTuple):
    """By how much all weights of a network are larger than Xavier's, and the biases than 0.1."""

    of_W: float
    of_b: float


SIZES = (
    _Weights(1.0, 1.0),
    _Weights(1.0, 0.0),
    _Weights(30.0, 1.0),  # saturated units
    _Weights(1e-8, 1.0),
    _Weights(1e-8, 0.0),
    _Weights(1e8, 0.0),
    _Weights(1.0, 1e8),
)


def _parameters(rng: Draw, architecture: Architecture) -> Parameters:
    """Weights by Xavier times a size, or layer by layer of any kind."""
    params = initial_parameters(architecture, "xavier", rng)
    size = SIZES[int(rng.choice(len(SIZES), p=(0.4, 0.1, 0.14, 0.09, 0.09, 0.09, 0.09)))]
    layer_by_layer = rng.random() < 0.4
    for name, value in params.items():
        if name[0] == "b":
            params[name] = 0.1 * size.of_b * rng.standard_normal(value.shape)
        elif layer_by_layer:
            params[name] = _of_a_kind(rng, value, axis=0 if value.ndim == 2 else 3)
        else:
            params[name] = size.of_W * value
    return params


def _targets(rng: Draw, architecture: Architecture, params: Parameters, X: Array) -> Array:
    """Classes, labels or numbers; a third of the time those that the network answers itself, confident and right."""
    n_L = architecture.outputs
    if rng.random() < 0.33:
        with np.errstate(all="ignore"):
            return network.predict(architecture, params, X)
    m = X.shape[1] if X.ndim == 2 else X.shape[0]
    if architecture.output_unit == "softmax":
        return np.eye(n_L)[:, rng.integers(0, n_L, m)]
    if architecture.output_unit == "sigmoid":
        return rng.integers(0, 2, (n_L, m)).astype(np.float64)
    return _data(rng, (n_L, m), axis=1)
