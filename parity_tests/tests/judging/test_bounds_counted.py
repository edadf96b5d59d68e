"""The bounds on small whole numbers, where the roundings that each derivation counts can be counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from manual.layers import Add, BatchNorm, Conv, Dense, Dropout, Flatten, LayerNorm, Pool, Unit
from manual.normalization import Statistics
from manual.optimizers import Adam, GradientDescent, Momentum, RMSprop
from parity_tests.formulas.conv import conv_backward_bounds, conv_forward_bound
from parity_tests.formulas.dense import Z_bound, dA_prev_bound, db_bound, dW_bound
from parity_tests.formulas.dropout import dropout_bound
from parity_tests.formulas.layer_bounds import PLAIN, WEIGHTED, of_running_statistics
from parity_tests.formulas.norm_bounds import (
    norm_backward_bounds,
    norm_bound,
    predict_backward_bounds,
    predict_bound,
    running_bounds,
)
from parity_tests.formulas.pooling import pool_backward_bound, pool_forward_bound
from parity_tests.formulas.schedules import schedule_bound
from parity_tests.formulas.theory import distance_bound, spread_bound, two_linear_layers_bound
from parity_tests.formulas.update_bounds import (
    RULES,
    adam_bound,
    adamw_bound,
    classical_momentum_bounds,
    mean_square_bound,
    momentum_bound,
    rmsprop_bound,
    update_bound,
    velocity_bound,
)
from parity_tests.judging import bounds
from parity_tests.judging.bounds import Format, gamma

U = 2.0**-100
"""So small that k roundings are k u, to the last digit."""


def full(value: float, *shape: int) -> Any:
    """An array of one number."""
    return np.full(shape, float(value))


A2, Z2 = np.array([[0.75, 0.5], [0.25, 0.5]]), np.array([[3.0, 7.0], [1.0, 7.0]])
WINDOWS = full(1, 2, 3, 2, 4), full(-1, 2, 4, 4, 2), full(-2, 2, 3, 2, 4)
"""dZ, A_prev and W of a convolution with 2 x 3 filters: 3 x 2 positions of 2 examples, 2 channels in, 4 out."""

ADAM: dict[str, Any] = {"learning_rate": 0.5, "beta1": 0.5, "beta2": 0.75, "epsilon": 1.0}

COUNTED: dict[str, tuple[Callable[[], Any], Any]] = {
    "exact": (lambda: bounds.exact(U, full(3, 2)), np.zeros(2)),
    "rounded once": (lambda: bounds.rounded(U, full(-2, 3)), 2),
    "rounded": (lambda: bounds.rounded(U, full(-2, 3), 3), 6),
    "linear_forward": (
        lambda: Z_bound(U, full(-1, 3, 2), full(1, 4, 3), full(-2, 4, 1)),
        (3 + 2) * (3 + 2),
    ),
    "relu": (lambda: bounds.activation(U, full(2, 1), "relu"), 0),
    "identity": (lambda: bounds.activation(U, full(2, 1), "identity"), 0),
    "leaky_relu": (lambda: bounds.activation(U, full(-2, 1), "leaky_relu"), 2 * 2),
    "sigmoid": (lambda: bounds.activation(U, full(-2, 1), "sigmoid"), 10 * 2),
    "tanh": (lambda: bounds.activation(U, full(-2, 1), "tanh"), 10 * 2),
    "softmax": (lambda: bounds.softmax(U, A2, Z2), A2 * [[0 + 1 + 2 + 40, 2 + 40], [4 + 1 + 2 + 40, 2 + 40]]),
    "output softmax": (lambda: bounds.output(U, A2, Z2, "softmax"), A2 * [[43, 42], [47, 42]]),
    "output sigmoid": (lambda: bounds.output(U, A2, Z2, "sigmoid"), 10 * A2),
    "derivative of relu": (lambda: bounds.derivative(U, full(1, 2), full(7, 2), "relu"), np.zeros(2)),
    "derivative of identity": (lambda: bounds.derivative(U, full(1, 2), full(7, 2), "identity"), np.zeros(2)),
    "derivative of leaky_relu": (lambda: bounds.derivative(U, full(-2, 2), full(7, 2), "leaky_relu"), 6),
    "derivative of sigmoid": (lambda: bounds.derivative(U, full(2, 2), full(-0.5, 2), "sigmoid"), 6 + 10),
    "derivative of tanh": (lambda: bounds.derivative(U, full(2, 2), full(-0.5, 2), "tanh"), 6 + 10),
    "hidden_dZ relu": (lambda: bounds.hidden_dZ(U, full(-2, 1), full(7, 1), full(7, 1), "relu"), 6),
    "hidden_dZ relu, nothing to overflow": (
        lambda: bounds.hidden_dZ(U, full(-2, 1), full(7, 1), full(7, 1), "relu", U),
        6,
    ),
    "hidden_dZ leaky_relu": (lambda: bounds.hidden_dZ(U, full(-2, 1), full(7, 1), full(7, 1), "leaky_relu"), 6),
    "hidden_dZ sigmoid": (
        lambda: bounds.hidden_dZ(U, full(-2, 1), full(-3, 1), full(-0.5, 1), "sigmoid"),
        6 + 20 * 1.5,
    ),
    "hidden_dZ tanh": (lambda: bounds.hidden_dZ(U, full(-2, 1), full(-3, 1), full(-0.5, 1), "tanh"), 6 + 20 * 1.5),
    "hidden_dZ below the smallest normal number": (
        lambda: bounds.hidden_dZ(U, full(-2, 1), full(-3, 1), full(-0.5, 1), "sigmoid", 7 * U),
        6 + 3 * (20 * 0.5 + 7),
    ),
    "softmax_backward": (
        lambda: bounds.softmax_backward(U, np.array([[1.0, 1.0, 1.0], [-3.0, -1.0, -3.0]]), A2[:, [1, 0, 1]]),
        A2[:, [1, 0, 1]]
        * np.array([[1 + 2, 1 + 1, 1 + 2], [3 + 2, 1 + 1, 3 + 2]])
        # of the second column the smaller entry, a third of the other: twice d = log 3, and log 4 = 2 log 2
        * (6 + 2 * np.array([42, 42 + 2.5 * np.log(3), 42]) + 20 * np.log(2) * np.array([1, 2, 1])),
    ),
    "cost, sigmoid": (
        lambda: bounds.cost_from_logits(U, full(2), np.array([[3.0, -1.0]]), "sigmoid"),
        (2 + 24) * 2 + 4 / 2,
    ),
    "cost, weights": (lambda: bounds.cost_from_logits(U, full(2), full(1, 1, 3), "sigmoid", 100), (100 + 24) * 2 + 1),
    "cost, softmax": (
        lambda: bounds.cost_from_logits(U, full(-2), np.array([[3.0, 5.0], [1.0, 5.0]]), "softmax"),
        (4 + 24) * 2 + (2 + 10) + 2 * np.exp(-2) / (1 + np.exp(-2)) / 2,
    ),
    "cost, softmax of equals": (
        lambda: bounds.cost_from_logits(U, full(2), full(5, 2, 3), "softmax"),
        (6 + 24) * 2 + (2 + 10),
    ),
    "cost, identity": (lambda: bounds.cost_from_logits(U, full(2), full(5, 2, 3), "identity"), (6 + 24) * 2),
    "cost from A, sigmoid": (lambda: bounds.cost_from_A(U, full(-2), full(0.5, 2, 3), "sigmoid"), (6 + 24) * 2 + 2),
    "cost from A, softmax": (lambda: bounds.cost_from_A(U, full(2), full(0.5, 2, 3), "softmax"), (6 + 24) * 2),
    "penalty": (lambda: bounds.penalty(U, full(-2), 5), (5 + 12) * 2),
    "output_dA": (lambda: bounds.output_dA(U, full(-2, 1), full(0.5, 1), "sigmoid"), 4 * 2),
    "output_dA, clamped": (
        lambda: bounds.output_dA(U, full(-2, 1), np.array([1.9e-12, 1 - 1.9e-12]), "sigmoid"),
        np.inf,
    ),
    "output_dA, hardly": (lambda: bounds.output_dA(U, full(-2, 1), np.array([2.1e-12, 1 - 2.1e-12]), "sigmoid"), 8),
    "output_dA, softmax": (lambda: bounds.output_dA(U, full(-2, 1), full(1e-13, 1), "softmax"), 4 * 2),
    "output_dZ": (lambda: bounds.output_dZ(U, full(-2, 2, 2), A2, Z2, "sigmoid"), 10 * A2 + 3 * 2),
    "input_gradient": (lambda: dA_prev_bound(U, full(-1, 5, 2), full(-1, 5, 3)), (5 + 3) * 5),
    "weight_gradient": (
        lambda: dW_bound(U, full(-1, 2, 5), full(-1, 3, 5), full(-1, 2, 3), 0.5),
        (5 + 4) * (5 + 0.5) / 5,
    ),
    "weight_gradient, no penalty": (
        lambda: dW_bound(U, full(1, 2, 5), full(1, 3, 5), full(1, 2, 3)),
        (5 + 4) * 5 / 5,
    ),
    "bias_gradient": (lambda: db_bound(U, full(-1, 2, 5)), np.full((2, 1), (5 + 4) * 5 / 5)),
    "update": (lambda: update_bound(U, full(-2, 1), full(-1, 1), 0.5), 3 * 0.5 + 2),
    "product": (lambda: bounds.product(U, full(-1, 2, 3), full(-1, 3, 4)), (3 + 1) * 3),
    "two_linear_layers": (
        lambda: two_linear_layers_bound(
            U, full(-1, 2, 7), full(-1, 3, 2), full(-2, 3, 1), full(-1, 4, 3), full(-5, 4, 1)
        ),
        (2 + 3 + 4) * (3 * (2 + 2) + 5),
    ),
    "distance": (lambda: distance_bound(U, full(2), 3), (3 + 4) * 2),
    "spread": (lambda: spread_bound(U, np.array([[1.0, -7.0]])), (2 + 6) * 5),
    "conv_forward": (
        lambda: conv_forward_bound(U, full(-1, 2, 3, 4, 2), full(-1, 2, 3, 2, 4), full(-5, 1, 1, 1, 4)),
        np.full((2, 2, 2, 4), (12 + 2) * (12 + 5)),
    ),
    "conv_forward, padded and strided": (
        lambda: conv_forward_bound(U, full(1, 1, 3, 3, 1), full(1, 2, 2, 1, 1), full(0, 1, 1, 1, 1), 2, 1),
        (4 + 2) * np.array([[1, 2], [2, 4]]).reshape(1, 2, 2, 1),
    ),
    "conv_backward, dA_prev": (
        lambda: conv_backward_bounds(U, *WINDOWS)[0],
        (24 + 3) * 8 * np.tile(np.outer([1, 2, 2, 1], [1, 2, 2, 1])[None, :, :, None], (2, 1, 1, 2)),
    ),
    "conv_backward, dW": (
        lambda: conv_backward_bounds(U, *WINDOWS, lambda_=0.5)[1],
        (12 + 4) * (12 / 2 + 0.5 / 2 * 2),
    ),
    "conv_backward, no penalty": (lambda: conv_backward_bounds(U, *WINDOWS)[1], (12 + 4) * 12 / 2),
    "conv_backward, db": (
        lambda: conv_backward_bounds(U, *WINDOWS)[2],
        np.full((1, 1, 1, 4), (12 + 4) * 12 / 2),
    ),
    "conv_backward, padded and strided": (
        lambda: conv_backward_bounds(U, full(1, 1, 2, 2, 1), full(1, 1, 3, 3, 1), full(1, 2, 2, 1, 1), 2, 1)[1],
        (4 + 4) * np.array([[1, 2], [2, 4]]).reshape(2, 2, 1, 1),
    ),
    "conv_backward, same": (
        lambda: conv_backward_bounds(U, full(1, 1, 3, 2, 1), full(1, 1, 3, 2, 1), full(1, 3, 1, 1, 1), 1, "same")[0],
        (3 + 3) * np.tile(np.reshape([2, 3, 2], (1, 3, 1, 1)), (1, 1, 2, 1)),
    ),
    "pool_forward, max": (
        lambda: pool_forward_bound(U, full(-3, 1, 4, 4, 1), 2, 2, "max"),
        np.zeros((1, 2, 2, 1)),
    ),
    "pool_forward, average": (
        lambda: pool_forward_bound(U, -np.eye(3).reshape(1, 3, 3, 1), 3, 3, "average"),
        (9 + 1) / 3,
    ),
    "pool_backward": (
        lambda: pool_backward_bound(U, full(-9, 1, 1, 1, 1), full(-3, 1, 3, 3, 1), 3, 2, "average"),
        (2**2 + 4) * 1,
    ),
    "pool_backward, max": (
        lambda: pool_backward_bound(U, full(-9, 1, 1, 1, 1), np.eye(2).reshape(1, 2, 2, 1), 2, 2, "max"),
        (1 + 4) * np.array([[9, 0], [0, 0]]).reshape(1, 2, 2, 1),
    ),
    "dropout": (lambda: dropout_bound(U, full(-2, 3)), 6 * 2),
    "velocity": (lambda: velocity_bound(U, full(-2, 1), full(-1, 1), 0.75), 8 * (2 + 0.25)),
    "velocity, 3 steps": (lambda: velocity_bound(U, full(-2, 1), full(-1, 1), 0.75, 3), 24 * (2 + 0.25)),
    "mean_square": (lambda: mean_square_bound(U, full(2, 1), full(-2, 1), 0.75), 5 * (1.5 + 1)),
    "mean_square, 3 steps": (lambda: mean_square_bound(U, full(2, 1), full(-2, 1), 0.75, 3), 15 * (1.5 + 1)),
    "momentum_update": (
        lambda: momentum_bound(U, full(-2, 1), full(-1, 1), full(-2, 1), 0.5, 0.75),
        12 * 0.5 * 2.25 + 2,
    ),
    "momentum_update, 2 steps": (
        lambda: momentum_bound(U, full(-2, 1), full(-1, 1), full(-2, 1), 0.5, 0.75, 2),
        20 * 0.5 * 2.25 + 2,
    ),
    "rmsprop_update": (
        lambda: rmsprop_bound(U, full(-2, 1), full(-2, 1), full(4, 1), 0.5, 0.75, 0.5),
        10 * 0.5 * 2 / (2 + 0.5) + 2,
    ),
    "rmsprop_update, 2 steps": (
        lambda: rmsprop_bound(U, full(-2, 1), full(-2, 1), full(4, 1), 0.5, 0.75, 0.5, 2),
        13 * 0.5 * 2 / (2 + 0.5) + 2,
    ),
    "adam_update": (
        # v becomes 3, corrected 6; s becomes 4, corrected 16
        lambda: adam_bound(U, full(-2, 1), full(-2, 1), full(-2, 1), full(4, 1), 1, **ADAM),
        21 * 0.5 * 6 / (4 + 1) + 2,
    ),
    "adam_update, 2 steps": (
        lambda: adam_bound(U, full(-2, 1), full(-2, 1), full(-2, 1), full(4, 1), 1, **ADAM, steps=2),
        32 * 0.5 * 6 / (4 + 1) + 2,
    ),
    "adam_update, the corrections": (
        # v_hat is 3 / (1 - 1/4), s_hat is 4 / (1 - 9/16); each correction is off by 2^-53 of beta^t / (1 - beta^t)
        lambda: adam_bound(U, full(0, 1), full(-2, 1), full(-2, 1), full(4, 1), 2, **ADAM),
        (21 + 2.0**47 * (2 * (1 / 3) + 9 / 7)) * 0.5 * 4 / (np.sqrt(64 / 7) + 1),
    ),
    "classical momentum": (
        # v becomes 3/4 * 2 + 1 = 2.5
        lambda: classical_momentum_bounds(U, full(-2, 1), full(-1, 1), full(-2, 1), 0.5, 0.75)[0],
        9 * 0.5 * 2.5 + 2,
    ),
    "classical momentum, 2 steps": (
        lambda: classical_momentum_bounds(U, full(-2, 1), full(-1, 1), full(-2, 1), 0.5, 0.75, steps=2)[0],
        14 * 0.5 * 2.5 + 2,
    ),
    "Nesterov": (
        lambda: classical_momentum_bounds(U, full(-2, 1), full(-1, 1), full(-2, 1), 0.5, 0.75, ahead=True)[0],
        12 * 0.5 * (1 + 0.75 * 2.5) + 2,
    ),
    "classical velocity, 3 steps": (
        lambda: classical_momentum_bounds(U, full(-2, 1), full(-1, 1), full(-2, 1), 0.5, 0.75, steps=3)[1],
        15 * 2.5,
    ),
    "AdamW, 2 steps": (
        lambda: adamw_bound(U, full(-2, 1), full(-2, 1), full(-2, 1), full(4, 1), 1, *ADAM.values(), 0.25, steps=2),
        32 * 0.5 * 6 / (4 + 1) + 2 + 3 * 2,
    ),
    "schedule": (lambda: schedule_bound(U, -2.0, 3), 2 * 3 * 2),
}


@pytest.mark.parametrize("name", COUNTED)
def test_bound_counts_its_roundings(name: str) -> None:
    compute, expected = COUNTED[name]
    bound = compute()
    if np.ndim(expected):
        assert np.shape(bound) == np.shape(expected)
    assert np.asarray(bound).dtype == np.float64
    np.testing.assert_allclose(np.asarray(bound) / U, np.broadcast_to(expected, np.shape(bound)), rtol=1e-12)


def test_roundoff_underflow_and_gamma() -> None:
    assert (bounds.unit_roundoff(np.float64), bounds.unit_roundoff(np.dtype(np.float32))) == (2.0**-53, 2.0**-24)
    assert bounds.smallest_normal(np.dtype(np.float32)) == 2.0**-126
    assert bounds.underflow(np.dtype(np.float32), 3) == 12 * 2.0**-126
    assert bounds.divided(np.array([-2.0, 0.0, 1.0]), 3, 0.5).tolist() == [3.5, 0, 2.5]
    assert gamma(3, 0.125) == 0.375 / 0.625


def test_gamma_of_a_format_has_the_roundings_of_the_format_too() -> None:
    short = Format(0.125, 0.25, 2)
    assert (float(short), short.short, short.roundings) == (0.125, 0.25, 2)
    assert gamma(3, short) == pytest.approx((1 + 0.6) * 1.25**2 - 1)
    assert gamma(0, Format(0.125, 0.25, 4)) == pytest.approx(1.25**4 - 1)


DRAWN = np.random.default_rng(0).standard_normal


def test_a_layer_has_the_bounds_of_its_operation() -> None:
    dense, conv = Dense(4, "tanh"), Conv(4, (2, 3), stride=2, pad=1, activation="relu")
    A_prev, W, b, dZ = DRAWN((3, 7)), DRAWN((4, 3)), DRAWN((4, 1)), DRAWN((4, 7))
    volume, filters, biases, of_volume = (
        DRAWN((2, 5, 5, 2)),
        DRAWN((2, 3, 2, 4)),
        DRAWN((1, 1, 1, 4)),
        DRAWN((2, 3, 3, 4)),
    )
    same(WEIGHTED[Dense].forward(U, dense, A_prev, W, b, None), Z_bound(U, A_prev, W, b))
    same(
        WEIGHTED[Dense].backward(U, dense, dZ, A_prev, W, 0.7, None),
        (
            dA_prev_bound(U, dZ, W),
            dW_bound(U, dZ, A_prev, W, 0.7),
            db_bound(U, dZ),
        ),
    )
    same(
        WEIGHTED[Conv].forward(U, conv, volume, filters, biases, None),
        conv_forward_bound(U, volume, filters, biases, 2, 1),
    )
    same(
        WEIGHTED[Conv].backward(U, conv, of_volume, volume, filters, 0.7, None),
        conv_backward_bounds(U, of_volume, volume, filters, 2, 1, 0.7),
    )
    gamma, beta = DRAWN((1, 1, 1, 2)), DRAWN((1, 1, 1, 2))
    statistics = Statistics(DRAWN((1, 1, 1, 2)), DRAWN((1, 1, 1, 2)) ** 2)
    of_A, norm = DRAWN(volume.shape), BatchNorm(momentum=0.3, epsilon=0.2)
    for given, forward, backward in (
        (None, norm_bound(U, volume, gamma, beta, (0, 1, 2), 0.2),
         norm_backward_bounds(U, of_A, volume, gamma, (0, 1, 2), 2, 0.2)),
        (statistics, predict_bound(U, volume, gamma, beta, *statistics, 0.2),
         predict_backward_bounds(U, of_A, volume, gamma, *statistics, 2, 0.2)),
    ):  # fmt: skip
        same(WEIGHTED[BatchNorm].forward(U, norm, volume, gamma, beta, given), forward)
        same(WEIGHTED[BatchNorm].backward(U, norm, of_A, volume, gamma, 0.7, given), backward)
    same(of_running_statistics(U, norm, volume, statistics), running_bounds(U, volume, *statistics, (0, 1, 2), 0.3))
    same(of_running_statistics(U, norm, A_prev, statistics), running_bounds(U, A_prev, *statistics, (1,), 0.3))
    of_layer, of_weight = LayerNorm(epsilon=0.2), DRAWN((3, 1))
    same(
        WEIGHTED[LayerNorm].forward(U, of_layer, A_prev, of_weight, b[:3], None),
        norm_bound(U, A_prev, of_weight, b[:3], (0,), 0.2),
    )
    same(
        WEIGHTED[LayerNorm].backward(U, of_layer, dZ[:3], A_prev, of_weight, 0.7, None),
        norm_backward_bounds(U, dZ[:3], A_prev, of_weight, (0,), 7, 0.2),
    )
    assert set(WEIGHTED) == {Dense, Conv, BatchNorm, LayerNorm}


def test_a_layer_without_parameters_has_the_bounds_of_its_operation() -> None:
    pool, A_prev, A, dA = Pool(3, 2, "average"), DRAWN((2, 5, 5, 2)), DRAWN((2, 2, 2, 2)), DRAWN((2, 2, 2, 2))
    same(PLAIN[Pool].forward(U, pool, A, A_prev), pool_forward_bound(U, A_prev, 3, 2, "average"))
    same(PLAIN[Pool].backward(U, pool, A_prev, dA, A_prev), pool_backward_bound(U, dA, A_prev, 3, 2, "average"))
    same(PLAIN[Flatten].forward(U, Flatten(), A, A_prev), np.zeros(A.shape))
    same(PLAIN[Flatten].backward(U, Flatten(), A_prev, dA, A_prev), 3 * U * np.abs(A_prev))
    same(PLAIN[Dropout].forward(U, Dropout(0.5), A, A_prev), 6 * U * np.abs(A))
    same(PLAIN[Dropout].backward(U, Dropout(0.5), A_prev, dA, A), 6 * U * np.abs(A_prev))
    same(PLAIN[Add].forward(U, Add(0), A, A_prev), U / (1 - U) * np.abs(A))
    same(PLAIN[Add].backward(U, Add(0), dA, dA, A_prev), 3 * U / (1 - 3 * U) * np.abs(dA))
    same(PLAIN[Unit].forward(U, Unit("tanh"), A, A_prev), 10 * U * np.abs(A))
    of_unit = bounds.hidden_dZ(U, dA, dA, np.tanh(A), "tanh")
    same(PLAIN[Unit].backward(U, Unit("tanh"), dA, dA, A), of_unit)
    assert set(PLAIN) == {Pool, Flatten, Dropout, Add, Unit}


def test_a_rule_has_the_bounds_of_its_update() -> None:
    W, dW, v, s = DRAWN((3, 2)), DRAWN((3, 2)), DRAWN((3, 2)), DRAWN((3, 2)) ** 2
    found: dict[str, Any] = {
        "gradient descent": RULES[GradientDescent](U, GradientDescent(0.3), 3, W, dW),
        "momentum": RULES[Momentum](U, Momentum(0.3, 0.8), 3, W, dW, v),
        "RMSprop": RULES[RMSprop](U, RMSprop(0.3, 0.7, 0.01), 3, W, dW, s),
        "Adam": RULES[Adam](U, Adam(0.3, 0.8, 0.7, 0.01), 3, W, dW, v, s),
    }
    of_v, of_s = velocity_bound(U, v, dW, 0.8), mean_square_bound(U, s, dW, 0.7)
    expected: dict[str, Any] = {
        "gradient descent": {"W": update_bound(U, W, dW, 0.3)},
        "momentum": {"W": momentum_bound(U, W, dW, v, 0.3, 0.8), "v": of_v},
        "RMSprop": {"W": rmsprop_bound(U, W, dW, s, 0.3, 0.7, 0.01), "s": of_s},
        "Adam": {"W": adam_bound(U, W, dW, v, s, 3, 0.3, 0.8, 0.7, 0.01), "v": of_v, "s": of_s},
    }
    assert {name: set(parts) for name, parts in found.items()} == {name: set(parts) for name, parts in expected.items()}
    for name, parts in expected.items():
        for part, bound in parts.items():
            same(found[name][part], bound)


def same(found: Any, expected: Any) -> None:
    """Equal to the last digits, one array or several."""
    for one, other in zip(
        *(value if isinstance(value, tuple) else (value,) for value in (found, expected)), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-13)
