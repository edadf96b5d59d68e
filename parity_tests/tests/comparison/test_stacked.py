"""Networks trained at once end where each ends alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from manual import network, training
from manual.architecture import Architecture, Conv, Dense, Dropout, Flatten, Layer, Pool
from manual.draws import initial_parameters
from manual.notation import Array, Parameters
from manual.shared.settings import Examples, Settings
from parity_tests.comparison.stacked import Stacked, _Learner, fit_all

VOLUMES: tuple[Layer, ...] = (
    Conv(3, 2, pad=1, activation="tanh"), Pool(2, 1, "max"), Conv(2, 3, stride=2, activation="relu"), Dropout(0.7),
    Flatten(), Dense(4, "sigmoid"), Dense(3, "softmax"),
)  # fmt: skip
NETWORKS = {
    "dense": Architecture(5, (Dense(4, "tanh"), Dropout(0.6), Dense(3, "leaky_relu"), Dense(3, "softmax"))),
    "volumes": Architecture((6, 5, 2), VOLUMES),
    "logistic": Architecture(5, (Dense(1, "sigmoid"),)),
}
RULES = {"dense": "momentum", "volumes": "adam", "logistic": "gradient_descent"}


def data(net: Architecture, m: int = 7) -> tuple[Array, Array]:
    rng = np.random.default_rng(3)
    n_L = net.outputs
    Y = np.eye(n_L)[:, rng.integers(0, n_L, m)] if n_L > 1 else rng.integers(0, 2, (1, m)).astype(float)
    return rng.standard_normal(net.batch_shape(0, m)), Y


def starts(net: Architecture) -> list[Parameters]:
    return [initial_parameters(net, "xavier", np.random.default_rng(seed)) for seed in range(3)]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_ends_where_it_ends_alone(name: str) -> None:
    net = NETWORKS[name]
    X, Y = data(net)
    settings = Settings(RULES[name], 0.05, 3, 3, 0.7, decay="exponential", clip=None, seed=5)
    ends = fit_all(net, X, Y, settings, starts(net))
    for params, end in zip(starts(net), ends, strict=True):
        alone = training.fit(net, X, Y, settings, params=params).params
        assert end.keys() == alone.keys()
        for key, value in alone.items():
            np.testing.assert_allclose(end[key], value, rtol=1e-11, atol=1e-13, err_msg=key)
            assert not np.allclose(value, params[key], rtol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_loop_sees_the_mean_cost_and_the_answers_of_the_first(name: str) -> None:
    net = NETWORKS[name]
    X, Y = data(net)
    batch, settings = np.array([4, 0, 2]), Settings(lambda_=0.7)
    masks = [np.random.default_rng(1).random(net.batch_shape(l, 3)) < 0.6 for l in net.masked_layers()] or None
    stacked = _Learner(net, Examples(X, Y), settings, 3)
    stacked.restore({key: np.stack([each[key] for each in starts(net)]) for key in starts(net)[0]}, None, 0)
    alone: list[Any] = []
    for params in starts(net):
        alone.append(training.Learner(net, Examples(X, Y), settings))
        alone[-1].restore(params, None, 0)
    costs, answers = zip(*(each.evaluate(X, Y, 3) for each in alone), strict=True)
    J, A_L = stacked.evaluate(X, Y, 3)
    np.testing.assert_allclose(J, np.mean(costs), rtol=1e-12)
    np.testing.assert_allclose(A_L, answers[0], rtol=1e-12)
    np.testing.assert_allclose(stacked.evaluate(X, Y)[0], np.mean([each.evaluate(X, Y)[0] for each in alone]))
    outcomes = [each.step(batch, masks) for each in alone]
    together = stacked.step(batch, masks)
    np.testing.assert_allclose(together.J, np.mean([each.J for each in outcomes]), rtol=1e-12)
    np.testing.assert_allclose(together.A_L, outcomes[0].A_L, rtol=1e-12)


def test_the_derivative_in_the_inputs_is_each_networks_own() -> None:
    net = NETWORKS["volumes"]
    X, Y = data(net)
    layers = [Stacked(layer, 1) if layer.has_parameters else layer for layer in net.layers]  # type: ignore[arg-type]
    assert [layer.describe() for layer in layers[:2]] == ["1 of conv3x2p1 tanh", "pool2s1"]
    single, params = Architecture(net.inputs, tuple(layers)), starts(net)[0]
    wrapped = {key: value[None] for key, value in params.items()}
    passed, expected = network.forward(single, wrapped, X), network.forward(net, params, X)
    found = network.backward(single, wrapped, passed, Y)
    np.testing.assert_array_equal(found.dA[0], network.backward(net, params, expected, Y).dA[0])
