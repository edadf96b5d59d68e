"""What the formulas do with single examples and units, far out on the axis, and on the edge of their domains."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from manual import activations, costs, dense, draws, logistic_regression, network, vectorization
from manual.architecture import IMAGE_MODELS, MODELS, model


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("name", sorted(set(MODELS) - set(IMAGE_MODELS)))
def test_one_example_and_one_unit_work_in_every_dtype(name: str, dtype: Any) -> None:
    hidden = None if name in ("logistic", "softmax") else (1,)
    net = model(name, 1, 1, hidden)
    params = {
        key: value.astype(dtype) for key, value in draws.initial_parameters(net, "he", np.random.default_rng(0)).items()
    }
    passed = network.forward(net, params, np.ones((1, 1), dtype))
    Y = np.ones((1, 1))
    for weights in (None, np.ones((1, 1))):
        back = network.backward(net, params, passed, Y, 0.7, weights)
        assert network.cost(net, params, passed, Y, 0.7, weights).dtype == dtype
        arrays = [*passed.A, *passed.Z[1:], *back.dA, *back.dZ[1:], *back.grads.values()]
        assert all(value is not None and value.dtype == dtype and value.shape == (1, 1) for value in arrays)


@pytest.mark.parametrize(("name", "outputs"), [("logistic", 1), ("softmax", 2), ("regression", 1)])
def test_far_out_everything_stays_finite_and_silent(name: str, outputs: int) -> None:
    net = model(name, 1, outputs, () if name == "regression" else None)
    for y, z, dtype in product((0.0, 1.0), (-1000.0, -88.0, 0.0, 88.0, 1000.0), (np.float32, np.float64)):
        far_out(net, name, outputs, y, z, dtype)


def far_out(net: Any, name: str, outputs: int, y: float, z: float, dtype: Any) -> None:
    """One example whose linear part is z: the cost and the gradients."""
    params = {"W1": np.zeros((outputs, 1), dtype), "b1": np.zeros((outputs, 1), dtype)}
    params["b1"][0, 0] = z
    Y = np.array([[y], [1 - y]][:outputs], dtype)
    passed = network.forward(net, params, np.ones((1, 1), dtype))
    back = network.backward(net, params, passed, Y, 0.7)
    J = network.cost(net, params, passed, Y, 0.7)
    assert np.isfinite(J)
    assert all(np.isfinite(value).all() for value in back.grads.values())
    expected = {
        "logistic": np.logaddexp(0, z) - y * z,
        "softmax": np.logaddexp(z, 0) - y * z,
        "regression": (z - y) ** 2 / 2,
    }[name]
    assert pytest.approx(expected, rel=1e-6, abs=1e-30 if dtype is np.float64 else 1e-6) == J


def test_the_costs_on_certain_answers() -> None:
    certain, wrong = np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])
    for cost in (costs.binary_cross_entropy, costs.cross_entropy):
        assert cost(certain, certain) == 0
        assert cost(certain, wrong) == np.inf
    assert costs.binary_cross_entropy_prime(certain, certain).tolist() == [[1.0, -1.0]]
    assert costs.binary_cross_entropy_prime(certain, wrong).tolist() == [[-np.inf, np.inf]]
    assert costs.cross_entropy_prime(certain, certain).tolist() == [[0.0, -1.0]]


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_only_a_side_of_length_one_repeats(shape: tuple[int, int]) -> None:
    A, b = np.ones((2, 2)), np.arange(shape[0] * shape[1]).reshape(shape)
    assert vectorization.broadcast_add_loop(A, b).tolist() == (A + b).tolist()


@pytest.mark.parametrize(("z", "y", "da"), [(-1000, 0, 1), (-1000, 1, -np.inf), (1000, 0, np.inf), (1000, 1, -1)])
def test_one_example_of_a_certain_answer(z: float, y: float, da: float) -> None:
    node = logistic_regression.one_example(np.ones((1, 1)), z, np.zeros((1, 1)), y)
    assert node.da == da
    assert np.isfinite(node.L)
    assert node.dz == node.a - y


def test_the_convention_at_the_kink_is_an_argument() -> None:
    Z = np.array([[-2.0, 0.0, 3.0]])
    assert activations.relu_prime(Z).tolist() == [[0, 0, 1]]
    assert activations.relu_prime(Z, at_zero=1).tolist() == [[0, 1, 1]]
    assert activations.relu_prime(Z.astype(np.float32), at_zero=0.5).dtype == np.float32
    assert activations.leaky_relu_prime(Z).tolist() == [[0.01, 0.01, 1]]
    assert activations.leaky_relu_prime(Z, at_zero=1).tolist() == [[0.01, 1, 1]]
    assert activations.leaky_relu_prime(Z, at_zero=0).tolist() == [[0.01, 0, 1]]


def test_softmax_shifts_every_column_by_its_own_maximum() -> None:
    Z = np.array([[1000.0, -1000.0], [1000.0, -1000.0]])
    assert activations.softmax(Z).tolist() == [[0.5, 0.5], [0.5, 0.5]]


@pytest.mark.parametrize(
    "f", [dense.weight_gradient, dense.weight_gradient_loop, dense.linear_backward, dense.linear_backward_loop]
)
def test_there_is_no_penalty_unless_it_is_asked_for(f: Callable[..., Any]) -> None:
    dZ, A_prev, W = np.ones((4, 3)), np.ones((2, 3)), np.ones((4, 2))
    for default, without in zip(f(dZ, A_prev, W), f(dZ, A_prev, W, 0.0), strict=True):
        np.testing.assert_array_equal(default, without)


def test_a_penalty_of_zero_is_allowed() -> None:
    assert costs.l2_penalty([np.ones((4, 2))], 0.0, 3) == 0


def test_nan_is_never_turned_into_a_number() -> None:
    Z = np.array([[np.nan, 1.0]])
    for name, activation in activations.ACTIVATIONS.items():
        assert np.isnan(activation.g(Z)[0, 0]), name
