"""Norms as layers: what they say, refuse and hand to the formulas of normalization, in both layouts."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from manual import normalization
from manual.activations import ACTIVATIONS
from manual.layer_base import check_unit
from manual.layers import BatchNorm, Dense, Flatten, LayerNorm
from manual.normalization import Statistics

RNG = np.random.default_rng(0)
INPUTS = {"columns": RNG.standard_normal((3, 5)), "volumes": RNG.standard_normal((5, 2, 3, 4))}
SHAPES = {"columns": (3, 1), "volumes": (1, 1, 1, 4)}
EXAMPLE = {"columns": (3, 1), "volumes": (1, 2, 3, 4)}


@pytest.mark.parametrize("epsilon", [0.0, -1e-5, math.inf, math.nan])
@pytest.mark.parametrize("layer", [BatchNorm, LayerNorm])
def test_an_epsilon_that_keeps_no_root_from_0_is_refused(layer: Any, epsilon: float) -> None:
    text = f"epsilon is {epsilon!r}, expected a finite number above 0: it keeps the root from 0"
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        layer(epsilon=epsilon)


@pytest.mark.parametrize("momentum", [0.0, -0.5, 1.0001, math.nan])
def test_a_momentum_outside_of_its_range_is_refused(momentum: float) -> None:
    text = f"momentum is {momentum!r}, expected a number in (0, 1]: the weight of a new batch"
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        BatchNorm(momentum=momentum)
    assert BatchNorm(momentum=1.0).momentum == 1


@pytest.mark.parametrize("layer", [BatchNorm, LayerNorm])
def test_an_unknown_unit_is_refused(layer: Any) -> None:
    text = f"activation is 'swish', expected one of {', '.join(ACTIVATIONS)}"
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        layer("swish")
    with pytest.raises(ValueError, match=r"^activation is 'c', expected one of a, b$"):
        check_unit("c", ("a", "b"))


@pytest.mark.parametrize(
    ("layer", "word"),
    [
        (BatchNorm(), "batchnorm identity"),
        (BatchNorm("relu", momentum=0.01), "batchnorm0.01 relu"),
        (BatchNorm(momentum=1, epsilon=1e-7), "batchnorm1eps0.0000001 identity"),
        (LayerNorm("tanh"), "layernorm tanh"),
        (LayerNorm(epsilon=0.5), "layernormeps0.5 identity"),
    ],
)
def test_a_norm_names_what_is_not_the_usual(layer: Any, word: str) -> None:
    assert layer.describe() == word


def test_a_norm_keeps_the_shape_and_its_place_among_layers() -> None:
    for layer in (BatchNorm(), LayerNorm()):
        assert layer.output_shape((3,)) == (3,)
        assert layer.output_shape((2, 3, 4)) == (2, 3, 4)
        assert layer.with_unit("relu") == type(layer)("relu")
        assert layer.window is None
    assert Dense(3, "tanh").with_unit("relu") == Dense(3, "relu")
    assert Flatten().window is None


@pytest.mark.parametrize("layout", INPUTS)
def test_shapes_of_parameters(layout: str) -> None:
    shape = INPUTS[layout].shape[:1] if layout == "columns" else INPUTS[layout].shape[1:]
    assert BatchNorm().parameter_shapes(shape) == dict.fromkeys(("W", "b", "mean", "variance"), SHAPES[layout])
    assert LayerNorm().parameter_shapes(shape) == dict.fromkeys(("W", "b"), EXAMPLE[layout])


@pytest.mark.parametrize("layout", INPUTS)
def test_the_formulas_are_those_of_the_layout(layout: str) -> None:
    A_prev = INPUTS[layout]
    gamma, beta, mean = RNG.standard_normal((3, *SHAPES[layout]))
    given = Statistics(mean, mean**2 + 0.5)
    dZ, layer = RNG.standard_normal(A_prev.shape), BatchNorm(momentum=0.25, epsilon=0.125)
    both: list[tuple[Any, Any]] = [
        (layer.forward(A_prev, gamma, beta), normalization.batch_norm_forward(A_prev, gamma, beta, layout, 0.125)),
        (
            layer.forward(A_prev, gamma, beta, given),
            normalization.batch_norm_predict(A_prev, gamma, beta, *given, 0.125),
        ),
        (
            layer.backward(dZ, A_prev, gamma, 0.5, input_gradient=True),
            normalization.batch_norm_backward(dZ, A_prev, gamma, layout, 0.125),
        ),
        (
            layer.backward(dZ, A_prev, gamma, 0.5, given, input_gradient=True),
            normalization.batch_norm_predict_backward(dZ, A_prev, gamma, *given, layout, 0.125),
        ),
        (layer.remembered(A_prev, given), normalization.running_statistics(A_prev, *given, layout, 0.25)),
    ]
    gamma, beta = RNG.standard_normal((2, *EXAMPLE[layout]))
    of_example = LayerNorm(epsilon=0.125)
    both += [
        (
            of_example.forward(A_prev, gamma, beta),
            normalization.layer_norm_forward(A_prev, gamma, beta, layout, 0.125),
        ),
        (
            of_example.backward(dZ, A_prev, gamma, 0.5, input_gradient=True),
            normalization.layer_norm_backward(dZ, A_prev, gamma, layout, 0.125),
        ),
    ]
    for found, expected in both:
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)
