"""What the formulas do with bad input, with single examples and units, and far out on the axis."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from manual import activations, costs, dense, draws, jacobians, logistic_regression, network, optimizers, vectorization
from manual.architecture import MODELS, Architecture, Dense, check_data, model

A = np.full((2, 3), 0.5)
W = np.ones((4, 2))
B = np.zeros((4, 1))
NET = model("shallow", 2, 1)
PARAMS = draws.initial_parameters(NET, "xavier", np.random.default_rng(0))
X = np.ones((2, 3))
Y = np.ones((1, 3))

BAD: list[tuple[Callable[[], Any], str]] = [
    (lambda: dense.linear_forward(A, W.T, B), r"W has shape \(2, 4\), expected \(2, 2\): W is \(n_l, n_prev\)"),
    (lambda: dense.linear_forward(A, W, B[:3]), r"b has shape \(3, 1\), expected \(4, 1\): b is \(n_l, 1\)"),
    (lambda: dense.linear_forward(A, W, B[:, 0]), r"b has shape \(4,\), expected \(4, 1\)"),
    (lambda: dense.linear_forward(A[:, :0], W, B), r"A_prev has shape \(2, 0\), expected a matrix with no side"),
    (lambda: dense.linear_forward(A[0], W, B), r"A_prev has shape \(3,\), expected a matrix"),
    (lambda: dense.linear_forward(A, W[0], B), r"W has shape \(2,\), expected a matrix"),
    (lambda: dense.weight_gradient(np.ones((4, 2)), A, W), r"dZ has shape \(4, 2\), expected \(4, 3\)"),
    (lambda: dense.weight_gradient(np.ones((4, 3)), A[:1], W), r"W has shape \(4, 2\), expected \(4, 1\)"),
    (lambda: dense.weight_gradient(np.ones((4, 3)), A[0], W), r"A_prev has shape \(3,\), expected a matrix"),
    (lambda: dense.weight_gradient(np.ones((4, 3)), A, W[0]), r"W has shape \(2,\), expected a matrix"),
    (lambda: dense.bias_gradient(np.ones(3)), r"dZ has shape \(3,\), expected a matrix .*: examples are columns"),
    (lambda: dense.input_gradient(np.ones((3, 3)), W), r"W has shape \(4, 2\), expected \(3, 2\)"),
    (lambda: dense.input_gradient(np.ones(3), W), r"dZ has shape \(3,\), expected a matrix"),
    (lambda: dense.input_gradient(np.ones((4, 3)), W[0]), r"W has shape \(2,\), expected a matrix"),
    (lambda: dense.linear_backward(np.ones((3, 3)), A, W), r"W has shape \(4, 2\), expected \(3, 2\)"),
    (lambda: activations.softmax(np.ones(3)), r"Z has shape \(3,\), expected a matrix"),
    (
        lambda: activations.softmax_backward(A, A[:1]),
        r"dA has shape \(2, 3\), expected \(1, 3\): dA has the shape of A",
    ),
    (lambda: activations.softmax_backward(A[0], A[0]), r"A has shape \(3,\), expected a matrix"),
    (lambda: costs.l2_penalty([W], 1.0, 0), r"m is 0, expected at least 1"),
    (lambda: costs.l2_penalty([W], -1.0, 3), r"lambda_ is -1.0, expected at least 0"),
    (lambda: logistic_regression.propagate(W, 0.0, X, Y), r"w has shape \(4, 2\), expected \(2, 1\)"),
    (lambda: logistic_regression.propagate(X[:, :1], 0.0, X, Y.T), r"Y has shape \(3, 1\), expected \(1, 3\)"),
    (lambda: logistic_regression.propagate(X[:, :1], 0.0, X[0], Y), r"X has shape \(3,\), expected a matrix"),
    (lambda: logistic_regression.one_example(W, 0.0, X[:, :1], 1), r"w has shape \(4, 2\), expected \(2, 1\)"),
    (lambda: logistic_regression.one_example(X[:, :1], 0.0, X, 1), r"x has shape \(2, 3\), expected \(2, 1\)"),
    (lambda: vectorization.linear_unit(X[:, :1], W[:, :1], 0.0), r"x has shape \(4, 1\), expected \(2, 1\)"),
    (lambda: vectorization.linear_unit(X, X, 0.0), r"w has shape \(2, 3\), expected \(2, 1\)"),
    (lambda: vectorization.linear_unit(X[0], X[0], 0.0), r"w has shape \(3,\), expected a matrix"),
    (lambda: vectorization.matrix_vector(W, B), r"v has shape \(4, 1\), expected \(2, 1\)"),
    (lambda: vectorization.matrix_vector(W[0], B), r"A has shape \(2,\), expected a matrix"),
    (lambda: vectorization.broadcast_add(W, B.T), r"b has shape \(1, 4\), expected \(4, 2\) with any side 1"),
    (lambda: vectorization.broadcast_add(W, np.ones((3, 2))), r"b has shape \(3, 2\), expected \(4, 2\)"),
    (lambda: vectorization.broadcast_add(W, B[0]), r"b has shape \(1,\), expected a matrix .*: b is a matrix, a row"),
    (lambda: vectorization.broadcast_add(W[0], B), r"A has shape \(2,\), expected a matrix"),
    (lambda: vectorization.column_percentages(W[0]), r"A has shape \(2,\), expected a matrix"),
    (lambda: jacobians.dZ_dW(X[0], 2), r"A_prev has shape \(3,\), expected a matrix"),
    (lambda: jacobians.dA_dZ(X[0], activations.tanh_prime), r"Z has shape \(3,\), expected a matrix"),
    (lambda: jacobians.dZ_dA_prev(X[0], 2), r"W has shape \(3,\), expected a matrix"),
    (lambda: jacobians.dA_dW(X, X[:, :2], activations.tanh_prime), r"A_prev has shape \(2, 2\), expected \(2, 3\)"),
    (
        lambda: jacobians.weight_gradient_by_index(X[:1], X, X, activations.tanh_prime),
        r"dA has shape \(1, 3\), expected \(2, 3\)",
    ),
    (
        lambda: jacobians.input_gradient_by_index(X[:1], X, W, activations.tanh_prime),
        r"dA has shape \(1, 3\), expected \(2, 3\)",
    ),
    (
        lambda: jacobians.input_gradient_by_index(X, X, W, activations.tanh_prime),
        r"W has shape \(4, 2\), expected \(2, 2\)",
    ),
    (
        lambda: jacobians.input_gradient_by_index(X, X, W[0], activations.tanh_prime),
        r"W has shape \(2,\), expected a matrix",
    ),
    (lambda: network.forward(NET, PARAMS, X[:1]), r"X has shape \(1, 3\), expected \(2, 3\): the network takes 2"),
    (lambda: network.forward(NET, PARAMS, X[:, :0]), r"X has shape \(2, 0\), expected a matrix with no side"),
    (lambda: network.forward(NET, {}, X), r"params has \[\], expected \['W1', 'W2', 'b1', 'b2'\]"),
    (lambda: network.forward(NET, {**PARAMS, "W1": W.T}, X), r"W1 has shape \(2, 4\), expected \(4, 2\)"),
    (lambda: network.forward(NET, {**PARAMS, "b2": B}, X), r"b2 has shape \(4, 1\), expected \(1, 1\)"),
    (
        lambda: network.cost(NET, PARAMS, network.forward(NET, PARAMS, X), Y.T),
        r"Y has shape \(3, 1\), expected \(1, 3\): Y has the shape of Z",
    ),
    (
        lambda: network.backward(NET, PARAMS, network.forward(NET, PARAMS, X), Y.T),
        r"Y has shape \(3, 1\), expected \(1, 3\): Y has the shape of A",
    ),
    (
        lambda: optimizers.GradientDescent(0.1).step({"W1": W}, {}, optimizers.GradientDescentState(0)),
        r"the gradient dW1 has none, expected shape \(4, 2\)",
    ),
    (
        lambda: optimizers.GradientDescent(0.1).step({"W1": W}, {"dW1": W.T}, optimizers.GradientDescentState(0)),
        r"the gradient dW1 has shape \(2, 4\), expected shape \(4, 2\)",
    ),
    (lambda: draws.initial_parameters(NET, "heh", np.random.default_rng(0)), r"scheme is 'heh', expected one of zeros"),
    (lambda: model("lenet9", 2, 1), r"model is 'lenet9', expected one of logistic, shallow, deep"),
    (lambda: model("softmax", 2, 3, (5,)), r"hidden is \(5,\), expected none: this model has no hidden layer"),
    (lambda: Architecture(0, (Dense(1, "sigmoid"),)), r"inputs = 0, expected at least 1 feature"),
    (lambda: Architecture(2, ()), r"no layers, expected at least the output layer"),
    (lambda: Architecture(2, (Dense(3, "tanh"),)), r"the last layer has activation 'tanh', expected one of sigmoid"),
    (
        lambda: Architecture(2, (Dense(3, "softmax"), Dense(1, "sigmoid"))),
        r"layer 1 has activation 'softmax', expected one of sigmoid, tanh",
    ),
    (lambda: Dense(0, "tanh"), r"Dense has units = 0, expected at least 1"),
    (lambda: Dense(3, "swish"), r"Dense has activation 'swish', expected one of sigmoid"),
]


def _bad_targets(cost: Callable[[Any, Any], Any], name: str) -> list[tuple[Callable[[], Any], str]]:
    """What a cost says of targets and outputs that do not fit; ``name`` is what it calls its first argument."""
    return [
        (lambda: cost(A, A.T), rf"Y has shape \(3, 2\), expected \(2, 3\): Y has the shape of {name}"),
        (lambda: cost(A[:, :0], A[:, :0]), rf"{name} has shape \(2, 0\), expected a matrix with no side"),
        (lambda: cost(A[0], A[0]), rf"{name} has shape \(3,\), expected a matrix .*: examples are columns"),
    ]


for _cost in costs.OUTPUT_COSTS.values():
    BAD += _bad_targets(_cost.from_A, "A") + _bad_targets(_cost.prime, "A")
    # the squared error from logits is the squared error itself, whose argument is called A
    BAD += _bad_targets(_cost.from_Z, "A" if _cost.from_A is costs.squared_error else "Z")


@pytest.mark.parametrize(("call", "sentence"), BAD, ids=[re.sub(r"\W+", "-", sentence) for _, sentence in BAD])
def test_bad_input_gets_one_plain_sentence(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)


NAN = np.where(np.arange(6).reshape(2, 3) == 4, np.nan, 1.0)
ONE_HOT = np.eye(3)[:, [0, 1, 2, 1]]
SOFTMAX = model("softmax", 2, 3)


@pytest.mark.parametrize(
    ("architecture", "X", "Y", "sentence"),
    [
        (NET, X[:1], Y, r"X has shape \(1, 3\), expected \(2, 3\): the network takes 2 features"),
        (NET, X, Y[:, :2], r"Y has shape \(1, 2\), expected \(1, 3\): 1 outputs for each of 3 examples"),
        (NET, X[:, :0], Y[:, :0], r"X has shape \(2, 0\), expected a matrix with no side of length 0"),
        (NET, NAN, Y, r"X is nan at row 1, example 1, expected a finite number"),
        (NET, X * np.inf, Y, r"X is inf at row 0, example 0, expected a finite number"),
        (NET, X, Y * np.nan, r"Y is nan at row 0, example 0, expected a finite number"),
        (NET, X, Y + 1, r"Y is 2.0 at row 0, example 0, expected 0 or 1: the output unit is sigmoid"),
        (SOFTMAX, np.ones((2, 4)), ONE_HOT * 0.5, r"Y is 0.5 at row 0, example 0, expected 0 or 1: .* softmax"),
        (SOFTMAX, np.ones((2, 4)), ONE_HOT * 0, r"example 0 of Y has 0 classes, expected 1: columns are one-hot"),
        (
            SOFTMAX,
            np.ones((2, 4)),
            np.maximum(ONE_HOT, np.eye(3, 4)[::-1]),
            r"example 0 of Y has 2 classes, expected 1",
        ),
    ],
)
def test_data_that_do_not_fit_are_refused_at_the_door(architecture: Any, X: Any, Y: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_data(architecture, X, Y)


def test_data_that_fit_pass_the_door() -> None:
    check_data(NET, X, Y)
    check_data(SOFTMAX, np.ones((2, 4)), ONE_HOT)
    check_data(model("regression", 2, 3), np.ones((2, 4)), 7 * ONE_HOT)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("name", list(MODELS))
def test_one_example_and_one_unit_work_in_every_dtype(name: str, dtype: Any) -> None:
    hidden = None if name in ("logistic", "softmax") else (1,)
    net = model(name, 1, 1, hidden)
    params = {
        key: value.astype(dtype) for key, value in draws.initial_parameters(net, "he", np.random.default_rng(0)).items()
    }
    passed = network.forward(net, params, np.ones((1, 1), dtype))
    Y = np.ones((1, 1))
    back = network.backward(net, params, passed, Y, 0.7)
    assert network.cost(net, params, passed, Y, 0.7).dtype == dtype
    arrays = [*passed.A, *passed.Z[1:], *back.dA, *back.dZ[1:], *back.grads.values()]
    assert all(value is not None and value.dtype == dtype and value.shape == (1, 1) for value in arrays)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("z", [-1000.0, -88.0, 0.0, 88.0, 1000.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
@pytest.mark.parametrize(("name", "outputs"), [("logistic", 1), ("softmax", 2), ("regression", 1)])
def test_far_out_everything_stays_finite_and_silent(name: str, outputs: int, y: float, z: float, dtype: Any) -> None:
    net = model(name, 1, outputs, () if name == "regression" else None)
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


def test_the_convention_at_the_kink_is_an_argument() -> None:
    Z = np.array([[-2.0, 0.0, 3.0]])
    assert activations.relu_prime(Z).tolist() == [[0, 0, 1]]
    assert activations.relu_prime(Z, at_zero=1).tolist() == [[0, 1, 1]]
    assert activations.relu_prime(Z.astype(np.float32), at_zero=0.5).dtype == np.float32
    assert activations.leaky_relu_prime(Z).tolist() == [[0.01, 0.01, 1]]
    assert activations.leaky_relu_prime(Z, at_zero=1).tolist() == [[0.01, 1, 1]]


def test_nan_is_never_turned_into_a_number() -> None:
    Z = np.array([[np.nan, 1.0]])
    for name, activation in activations.ACTIVATIONS.items():
        assert np.isnan(activation.g(Z)[0, 0]), name
