"""The claims about networks, each with a wide margin; parity on every input."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest

from manual import network, theory
from manual.activations import tanh_prime
from manual.architecture import Architecture, Dense, model
from manual.draws import initial_parameters
from manual.notation import Array, Parameters
from manual.optimizers import GradientDescent

RINGS_RNG = np.random.default_rng(0)
ANGLES = RINGS_RNG.uniform(0, 2 * np.pi, 60)
RADII = np.repeat([0.5, 2.0], 30)
RINGS = RADII * np.array([np.cos(ANGLES), np.sin(ANGLES)])  # (2, 60)
OUTER = (RADII > 1).astype(float).reshape(1, 60)


def trained(net: Architecture, params: Parameters, X: Array, Y: Array, steps: int, rate: float = 0.5) -> Any:
    """Parameters and cost after so many steps of gradient descent."""
    rule = GradientDescent(rate)
    state = rule.init(params)
    for _ in range(steps):
        passed = network.forward(net, params, X)
        params, state = rule.step(params, network.backward(net, params, passed, Y).grads, state)
    return params, network.cost(net, params, network.forward(net, params, X), Y)


def test_linear_hidden_layers_under_a_sigmoid_are_logistic_regression() -> None:
    linear = Architecture(2, (Dense(5, "identity"), Dense(1, "sigmoid")))
    start = initial_parameters(linear, "lecun", np.random.default_rng(1))
    params, J = trained(linear, start, RINGS, OUTER, 500)
    W, b = theory.collapse(params["W1"], params["b1"], params["W2"], params["b2"])
    logistic = model("logistic", 2, 1)
    collapsed = network.forward(logistic, {"W1": W, "b1": b}, RINGS).A[-1]
    np.testing.assert_allclose(network.forward(linear, params, RINGS).A[-1], collapsed, rtol=0, atol=1e-14)
    _, J_logistic = trained(logistic, initial_parameters(logistic, "zeros", RINGS_RNG), RINGS, OUTER, 500)
    assert J > 0.9 * J_logistic > 0.5  # no line separates two rings
    bent = Architecture(2, (Dense(5, "tanh"), Dense(1, "sigmoid")))
    _, J_bent = trained(bent, start, RINGS, OUTER, 500)
    assert J_bent < 0.1


def test_collapse_of_a_worked_example() -> None:
    W1, b1 = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 1.0]]), np.array([[1.0], [2.0], [3.0]])
    W2, b2 = np.array([[1.0, 1.0, 2.0]]), np.array([[-4.0]])
    W, b = theory.collapse(W1, b1, W2, b2)
    assert W.tolist() == [[7.0, 3.0]]
    assert b.tolist() == [[5.0]]


@pytest.mark.parametrize("unit", ["tanh", "relu", "sigmoid"])
def test_equal_units_stay_equal_and_random_ones_do_not(unit: str) -> None:
    net = Architecture(2, (Dense(4, unit), Dense(1, "sigmoid")))
    rng = np.random.default_rng(2)
    X = rng.standard_normal((2, 40))
    Y = (X[:1] * X[1:] + X[:1] > 0).astype(float)

    def after(scheme: str) -> Any:
        return trained(net, initial_parameters(net, scheme, rng), X, Y, 50)[0]

    zeros, constant, random = after("zeros"), after("constant"), after("lecun")
    assert theory.unit_distance(zeros["W1"]) <= 1e-12
    assert theory.unit_distance(constant["W1"]) <= 1e-12
    assert theory.unit_distance(constant["W2"].T) <= 1e-12
    assert np.abs(constant["W1"] - 0.5).max() > 1e-3  # they move, together
    assert theory.unit_distance(random["W1"]) > 0.1
    moved = np.abs(zeros["W1"]).max()
    assert moved > 1e-4 if unit == "sigmoid" else moved == 0  # g(0) = 0 blocks every gradient of a weight


def test_equal_units_have_equal_gradients() -> None:
    net = Architecture(3, (Dense(4, "tanh"), Dense(1, "sigmoid")))
    params = initial_parameters(net, "constant", np.random.default_rng(0))
    X = np.random.default_rng(3).standard_normal((3, 7))
    grads = network.backward(net, params, network.forward(net, params, X), np.ones((1, 7))).grads
    assert np.abs(grads["dW1"]).max() > 0.01
    assert theory.unit_distance(grads["dW1"]) <= 1e-14


def test_unit_distance_of_worked_examples() -> None:
    W = np.array([[1.0, 1.0], [4.0, 5.0], [1.0, 2.0]])
    assert theory.unit_distance(W) == theory.unit_distance_loop(W) == 5
    assert theory.unit_distance(W[:1]) == theory.unit_distance_loop(W[:1]) == 0
    assert theory.unit_distance(W.astype(np.float32)).dtype == np.float32


DEEP = Architecture(20, (*(Dense(20, "tanh") for _ in range(8)), Dense(1, "sigmoid")))


def deep_start(scheme: str) -> Any:
    """A nine-layer tanh network on random data: parameters, X and Y."""
    rng = np.random.default_rng(4)
    X = rng.standard_normal((20, 100))
    return initial_parameters(DEEP, scheme, rng), X, (X[:1] > 0).astype(float)


def test_small_weights_starve_a_deep_network_and_lecun_does_not() -> None:
    params, X, Y = deep_start("small")
    spreads = theory.layer_spreads(DEEP, params, X)
    assert spreads.shape == (10,)
    assert (spreads[1:9] < 0.1 * spreads[:8]).all()
    assert spreads[8] < 1e-9
    starved = network.backward(DEEP, params, network.forward(DEEP, params, X), Y).grads["dW1"]
    assert np.linalg.norm(starved) < 1e-9
    p = float(Y.mean())
    base_rate = -(p * math.log(p) + (1 - p) * math.log(1 - p))  # the cost of knowing nothing of X
    assert trained(DEEP, params, X, Y, 100)[1] == pytest.approx(base_rate, abs=0.001)

    params, X, Y = deep_start("lecun")
    spreads = theory.layer_spreads(DEEP, params, X)
    assert (spreads[:9] > 0.1).all()
    fed = network.backward(DEEP, params, network.forward(DEEP, params, X), Y).grads["dW1"]
    assert np.linalg.norm(fed) > 0.01
    assert trained(DEEP, params, X, Y, 100)[1] < 0.3


def test_large_weights_saturate_and_small_ones_work_in_a_shallow_network() -> None:
    shallow = Architecture(20, (Dense(20, "tanh"), Dense(1, "sigmoid")))
    rng = np.random.default_rng(5)
    X = rng.standard_normal((20, 100))
    small = initial_parameters(shallow, "small", rng)
    slopes = []
    for factor in (1, 100, 10_000):  # scales 0.01, 1 and 100
        Z = network.forward(shallow, {**small, "W1": factor * small["W1"]}, X).Z[1]
        assert Z is not None
        slopes.append(float(np.mean(tanh_prime(Z))))
    assert slopes[0] > 0.99
    assert 0.1 < slopes[1] < 0.5
    assert slopes[2] < 0.02
    assert trained(shallow, small, X, (X[:1] > 0).astype(float), 200)[1] < 0.3


def test_spread_is_the_standard_deviation() -> None:
    A = np.random.default_rng(6).standard_normal((5, 7)) + 3
    assert theory.spread(A) == pytest.approx(np.std(A), rel=1e-14)
    assert theory.spread(np.full((3, 2), 0.7, np.float32)) <= 1e-7
    assert theory.spread(np.array([[1.0, 3.0]])) == 1
    params, X, _ = deep_start("lecun")
    spreads = theory.layer_spreads(DEEP, params, X)
    assert spreads.tolist() == [theory.spread(A) for A in network.forward(DEEP, params, X).A]


def test_all_inputs_count_up() -> None:
    assert theory.all_inputs(2).tolist() == [[0, 0, 1, 1], [0, 1, 0, 1]]
    X = theory.all_inputs(7)
    assert X.shape == (7, 128)
    assert X.dtype == np.float64
    assert (2.0 ** np.arange(6, -1, -1) @ X).tolist() == list(range(128))


def test_the_largest_number_of_bits_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theory, "MOST_BITS", 3)  # 2^20 inputs would take half a second and 160 MB
    assert theory.all_inputs(3).shape == (3, 8)
    with pytest.raises(ValueError, match="n is 4, expected from 1 to 3"):
        theory.all_inputs(4)


def test_parity_is_xor() -> None:
    expected = [[i.bit_count() % 2 for i in range(64)]]
    assert theory.parity(theory.all_inputs(6)).tolist() == expected
    assert theory.parity_loop(theory.all_inputs(6)).tolist() == expected


NETWORKS = {"tree": theory.parity_tree, "minterms": theory.parity_minterms, "sawtooth": theory.parity_sawtooth}


@pytest.mark.parametrize("name", list(NETWORKS))
def test_networks_compute_parity_exactly_on_every_input(name: str) -> None:
    for n, dtype in product(range(1, 11), (np.float64, np.float32)):
        net, params = NETWORKS[name](n)
        assert {value.dtype for value in params.values()} == {np.dtype(np.float64)}
        X = theory.all_inputs(n).astype(dtype)
        out = network.forward(net, {key: value.astype(dtype) for key, value in params.items()}, X).A[-1]
        assert out.dtype == dtype
        assert out.tolist() == [[i.bit_count() % 2 for i in range(2**n)]]


def test_counts_are_those_of_the_networks() -> None:
    for n in range(1, 18):
        tree = theory.parity_tree(n).architecture
        hidden = [units for (units,) in tree.shapes[1:-1]]
        assert len(hidden) == theory.tree_depth(n) == math.ceil(math.log2(n))
        assert sum(hidden) == theory.tree_units(n)
        assert sum(units // 2 for units in hidden) == theory.xor_count(n) == n - 1
        assert set(tree.activations[1:-1]) <= {"relu"}
        assert theory.parity_sawtooth(n).architecture.shapes[1] == (n,)
        assert theory.minterm_count(n) == 2 ** (n - 1)
        if n <= 10:
            shapes = theory.parity_minterms(n).architecture.shapes
            assert [units for (units,) in shapes[1:]] == [2 ** (n - 1), 1]


def test_the_counts_of_the_notes() -> None:
    assert [theory.minterm_count(n) for n in (2, 4, 8, 16)] == [2, 8, 128, 32768]
    assert (theory.tree_depth(8), theory.tree_units(8)) == (3, 14)
    assert [theory.tree_depth(n) for n in (1, 2, 3, 4, 5, 1024, 1025)] == [0, 1, 2, 2, 3, 10, 11]
