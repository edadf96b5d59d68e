"""What the formulas say to input that does not fit: the whole sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from manual import activations, costs, draws, jacobians, logistic_regression, network, optimizers, vectorization
from manual.architecture import Architecture, Dense, model
from manual.checks import check_data

A = np.full((2, 3), 0.5)
W = np.ones((4, 2))
B = np.zeros((4, 1))
NET = model("shallow", 2, 1)
PARAMS = draws.initial_parameters(NET, "xavier", np.random.default_rng(0))
X = np.ones((2, 3))
Y = np.ones((1, 3))

MATRIX = "expected a matrix with no side of length 0"
EXAMPLES = f"{MATRIX}: examples are columns, at least one"

BAD: list[tuple[Callable[[], Any], str]] = [
    (lambda: activations.softmax(np.ones(3)), f"Z has shape (3,), {EXAMPLES}"),
    (lambda: activations.softmax_backward(A, A[:1]), "dA has shape (2, 3), expected (1, 3): dA has the shape of A"),
    (lambda: activations.softmax_backward(A[0], A[0]), f"A has shape (3,), {EXAMPLES}"),
    (
        lambda: costs.l2_penalty([W], 1.0, 0),
        "m is 0, expected at least 1: the penalty is divided by the number of examples",
    ),
    (lambda: costs.l2_penalty([W], -1.0, 3), "lambda_ is -1.0, expected at least 0: the penalty shrinks the weights"),
    (
        lambda: logistic_regression.propagate(W, 0.0, X, Y),
        "w has shape (4, 2), expected (2, 1): w is a column with an entry per feature of X",
    ),
    (
        lambda: logistic_regression.propagate(X[:, :1], 0.0, X, Y.T),
        "Y has shape (3, 1), expected (1, 3): Y is a row with an entry per example of X",
    ),
    (lambda: logistic_regression.propagate(X[:, :1], 0.0, X[0], Y), f"X has shape (3,), {EXAMPLES}"),
    (
        lambda: logistic_regression.one_example(W, 0.0, X[:, :1], 1),
        "w has shape (4, 2), expected (2, 1): w is a column with an entry per feature",
    ),
    (lambda: logistic_regression.one_example(X[:, :1], 0.0, X[0], 1), f"x has shape (3,), {EXAMPLES}"),
    (
        lambda: logistic_regression.one_example(X[:, :1], 0.0, X, 1),
        "x has shape (2, 3), expected (2, 1): x is one example, a column",
    ),
    (
        lambda: vectorization.linear_unit(X[:, :1], W[:, :1], 0.0),
        "x has shape (4, 1), expected (2, 1): x is a column as long as w",
    ),
    (lambda: vectorization.linear_unit(X, X, 0.0), "w has shape (2, 3), expected (2, 1): w is a column"),
    (lambda: vectorization.linear_unit(X[0], X[0], 0.0), f"w has shape (3,), {MATRIX}: w is a column"),
    (
        lambda: vectorization.matrix_vector(W, B),
        "v has shape (4, 1), expected (2, 1): v is a column with an entry per column of A",
    ),
    (lambda: vectorization.matrix_vector(W[0], B), f"A has shape (2,), {MATRIX}: A is a matrix"),
    (
        lambda: vectorization.broadcast_add(W, B.T),
        "b has shape (1, 4), expected (4, 2) with any side 1: only such sides repeat",
    ),
    (
        lambda: vectorization.broadcast_add(W, np.ones((3, 2))),
        "b has shape (3, 2), expected (4, 2) with any side 1: only such sides repeat",
    ),
    (
        lambda: vectorization.broadcast_add(W, B[0]),
        f"b has shape (1,), {MATRIX}: b is a matrix, a row, a column or a number",
    ),
    (lambda: vectorization.broadcast_add(W[0], B), f"A has shape (2,), {MATRIX}: A is a matrix"),
    (lambda: vectorization.column_percentages(W[0]), f"A has shape (2,), {MATRIX}: A is a matrix"),
    (lambda: jacobians.dZ_dW(X[0], 2), f"A_prev has shape (3,), {EXAMPLES}"),
    (lambda: jacobians.dA_dZ(X[0], activations.tanh_prime), f"Z has shape (3,), {EXAMPLES}"),
    (lambda: jacobians.dZ_dA_prev(X[0], 2), f"W has shape (3,), {MATRIX}: W is (n_l, n_prev)"),
    (
        lambda: jacobians.dA_dW(X, X[:, :2], activations.tanh_prime),
        "A_prev has shape (2, 2), expected (2, 3): A_prev is (n_prev, m), one column per example of Z",
    ),
    (lambda: jacobians.dA_dW(X[0], X, activations.tanh_prime), f"Z has shape (3,), {EXAMPLES}"),
    (lambda: jacobians.dA_dW(X, X[0], activations.tanh_prime), f"A_prev has shape (3,), {EXAMPLES}"),
    (
        lambda: jacobians.weight_gradient_by_index(X[:1], X, X, activations.tanh_prime),
        "dA has shape (1, 3), expected (2, 3): dA has the shape of Z",
    ),
    (lambda: jacobians.input_gradient_by_index(X, X[0], W, activations.tanh_prime), f"Z has shape (3,), {EXAMPLES}"),
    (
        lambda: jacobians.input_gradient_by_index(X[:1], X, W, activations.tanh_prime),
        "dA has shape (1, 3), expected (2, 3): dA has the shape of Z",
    ),
    (
        lambda: jacobians.input_gradient_by_index(X, X, W, activations.tanh_prime),
        "W has shape (4, 2), expected (2, 2): W is (n_l, n_prev), one row per row of Z",
    ),
    (
        lambda: jacobians.input_gradient_by_index(X, X, W[0], activations.tanh_prime),
        f"W has shape (2,), {MATRIX}: W is (n_l, n_prev)",
    ),
    (lambda: network.forward(NET, PARAMS, X[:1]), "X has shape (1, 3), expected (2, 3): the network takes 2 features"),
    (lambda: network.forward(NET, PARAMS, X[:, :0]), f"X has shape (2, 0), {EXAMPLES}"),
    (lambda: network.forward(NET, {}, X), "params has [], expected ['W1', 'W2', 'b1', 'b2']: one W and b per layer"),
    (
        lambda: network.forward(NET, {**PARAMS, "W1": W.T}, X),
        "W1 has shape (2, 4), expected (4, 2): W is (n_l, n_prev) and b is (n_l, 1)",
    ),
    (
        lambda: network.forward(NET, {**PARAMS, "b2": B}, X),
        "b2 has shape (4, 1), expected (1, 1): W is (n_l, n_prev) and b is (n_l, 1)",
    ),
    (
        lambda: network.cost(NET, PARAMS, network.forward(NET, PARAMS, X), Y.T),
        "Y has shape (3, 1), expected (1, 3): Y has the shape of Z",
    ),
    (
        lambda: network.backward(NET, PARAMS, network.forward(NET, PARAMS, X), Y.T),
        "Y has shape (3, 1), expected (1, 3): Y has the shape of A",
    ),
    (
        lambda: optimizers.GradientDescent(0.1).step({"W1": W}, {}, optimizers.GradientDescentState(0)),
        "the gradient dW1 has none, expected shape (4, 2): a gradient per parameter",
    ),
    (
        lambda: optimizers.GradientDescent(0.1).step({"W1": W}, {"dW1": W.T}, optimizers.GradientDescentState(0)),
        "the gradient dW1 has shape (2, 4), expected shape (4, 2): a gradient per parameter",
    ),
    (
        lambda: draws.initial_parameters(NET, "heh", np.random.default_rng(0)),
        "scheme is 'heh', expected one of zeros, constant, small, lecun, xavier, he",
    ),
    (
        lambda: model("lenet9", 2, 1),
        "model is 'lenet9', expected one of logistic, shallow, deep, deep6, softmax, wide, regression, "
        "convnet, strided, lenet5",
    ),
    (lambda: model("softmax", 2, 3, (5,)), "hidden is (5,), expected none: this model has no hidden layer"),
    (
        lambda: Architecture(0, (Dense(1, "sigmoid"),)),
        "inputs is 0, expected a whole number of at least 1: an example has at least one feature or pixel",
    ),
    (lambda: Architecture(2, ()), "Architecture has no layers, expected at least the output layer"),
    (
        lambda: Architecture(2, (Dense(3, "tanh"),)),
        "the last layer has activation 'tanh', expected one of sigmoid, softmax, identity: "
        "the output unit decides the cost",
    ),
    (
        lambda: Architecture(2, (Dense(3, "softmax"), Dense(1, "sigmoid"))),
        "layer 1 has activation 'softmax', expected one of sigmoid, tanh, relu, leaky_relu, identity: "
        "softmax is for the last layer",
    ),
    (lambda: Dense(0, "tanh"), "units is 0, expected a whole number of at least 1: a layer has at least one unit"),
    (
        lambda: Dense(3, "swish"),
        "activation is 'swish', expected one of sigmoid, tanh, relu, leaky_relu, identity, softmax",
    ),
]


def _bad_targets(cost: Callable[[Any, Any], Any], name: str) -> list[tuple[Callable[[], Any], str]]:
    """What a cost says of targets and outputs that do not fit; ``name`` is what it calls its first argument."""
    return [
        (lambda: cost(A, A.T), f"Y has shape (3, 2), expected (2, 3): Y has the shape of {name}"),
        (lambda: cost(A[:, :0], A[:, :0]), f"{name} has shape (2, 0), {EXAMPLES}"),
        (lambda: cost(A[0], A[0]), f"{name} has shape (3,), {EXAMPLES}"),
    ]


BAD += _bad_targets(costs.output_dZ, "A")
for _cost in costs.OUTPUT_COSTS.values():
    BAD += _bad_targets(_cost.from_A, "A") + _bad_targets(_cost.prime, "A")
    # the squared error from logits is the squared error itself, whose argument is called A
    BAD += _bad_targets(_cost.from_Z, "A" if _cost.from_A is costs.squared_error else "Z")


@pytest.mark.parametrize(("call", "sentence"), BAD, ids=[re.sub(r"\W+", "-", sentence) for _, sentence in BAD])
def test_bad_input_gets_one_plain_sentence(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value) == sentence


NAN = np.where(np.arange(6).reshape(2, 3) == 4, np.nan, 1.0)
ONE_HOT = np.eye(3)[:, [0, 1, 2, 1]]
SOFTMAX = model("softmax", 2, 3)


@pytest.mark.parametrize(
    ("architecture", "X", "Y", "sentence"),
    [
        (NET, X[:1], Y, "X has shape (1, 3), expected (2, 3): the network takes 2 features"),
        (NET, X, Y[:, :2], "Y has shape (1, 2), expected (1, 3): 1 outputs for each of 3 examples"),
        (
            NET,
            X[:, :0],
            Y[:, :0],
            f"X has shape (2, 0), {EXAMPLES}",
        ),
        (NET, NAN, Y, "X is nan at row 1, example 1, expected a finite number"),
        (NET, X * np.inf, Y, "X is inf at row 0, example 0, expected a finite number"),
        (NET, X, Y * np.nan, "Y is nan at row 0, example 0, expected a finite number"),
        (NET, X, Y + 1, "Y is 2.0 at row 0, example 0, expected 0 or 1: the output unit is sigmoid"),
        (
            SOFTMAX,
            np.ones((2, 4)),
            ONE_HOT * 0.5,
            "Y is 0.5 at row 0, example 0, expected 0 or 1: the output unit is softmax",
        ),
        (
            SOFTMAX,
            np.ones((2, 4)),
            ONE_HOT * [1, 1, 0, 1],
            "example 2 of Y has 0 classes, expected 1: columns are one-hot",
        ),
        (
            SOFTMAX,
            np.ones((2, 4)),
            np.maximum(ONE_HOT, np.eye(3, 4)[::-1]),
            "example 0 of Y has 2 classes, expected 1: columns are one-hot",
        ),
    ],
)
def test_data_that_do_not_fit_are_refused_at_the_door(architecture: Any, X: Any, Y: Any, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        check_data(architecture, X, Y)
    assert str(caught.value) == sentence


def test_data_that_fit_pass_the_door() -> None:
    check_data(NET, X, Y)
    check_data(SOFTMAX, np.ones((2, 4)), ONE_HOT)
    check_data(model("regression", 2, 3), np.ones((2, 4)), 7 * ONE_HOT)
