"""Whole networks by hand: the complex step through all layers, the loop over examples, predictions, initial weights."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from manual import network
from manual.architecture import (
    IMAGE_MODELS,
    MODELS,
    Add,
    Architecture,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    LayerNorm,
    Pool,
    Unit,
    model,
)
from manual.costs import binary_cross_entropy_from_logits
from manual.draws import SCALES, initial_parameters
from manual.notation import plus
from manual.optimizers import GradientDescent
from parity_tests.judging.complex_step import complex_step

LAMBDA = 0.7

VOLUMES = Architecture(
    (5, 7, 2),
    (
        Conv(3, (2, 3), pad=1, activation="tanh"),
        Pool(3, 2, "average"),
        Conv(2, 2, stride=2, pad=(0, 1), activation="leaky_relu"),
        Pool(1, 1),
        Flatten(),
        Dense(5, "sigmoid"),
        Dense(2, "softmax"),
    ),
)
"""A network over volumes whose sizes are not given away by one another."""

SKIPS = Architecture(
    (3, 5, 2),
    (
        BatchNorm("tanh"),
        Conv(2, 3, pad=1, activation="identity"),
        LayerNorm(),
        Add(1),
        Unit("sigmoid"),
        Add(0),
        Pool(2, 1, "average"),
        Flatten(),
        Dense(5, "identity"),
        BatchNorm(epsilon=0.1),
        Add(9),
        Unit("tanh"),
        LayerNorm("leaky_relu"),
        Dense(2, "softmax"),
    ),
)
"""Norms of volumes and of columns; skips from the input, from a layer directly below and over several; units alone."""

OTHERS = {"volumes": VOLUMES, "skips": SKIPS}

OUTPUT = Dense(2, "softmax")

NAMES = [*sorted(set(MODELS) - set(IMAGE_MODELS)), *OTHERS]


def probe(name: str, outputs: int = 2, m: int = 7) -> tuple[Architecture, dict[str, Any], Any, Any]:
    """A small network of the model's kind, its parameters, and data: sizes are distinct primes."""
    hidden = {"wide": (5, 7), "shallow": (5,), "regression": (5,)}.get(name)
    net = OTHERS.get(name) or model(name, 3, outputs, hidden)
    rng = np.random.default_rng(0)
    params = {
        key: value + 0.1 * rng.standard_normal(value.shape) for key, value in initial_parameters(net, "he", rng).items()
    }
    Y = np.eye(outputs)[:, rng.integers(0, outputs, m)]
    return net, params, rng.standard_normal(net.batch_shape(0, m)), Y


@pytest.mark.parametrize("masks", [None, []], ids=["in use", "in training, weighed"])
@pytest.mark.parametrize("name", NAMES)
def test_backward_is_the_derivative_of_the_cost_through_all_layers(name: str, masks: Any) -> None:
    net, params, X, Y = probe(name)
    s = None if masks is None else np.random.default_rng(0).uniform(0.5, 2.0, (1, Y.shape[1]))
    passed = network.forward(net, params, X, masks)
    back = network.backward(net, params, passed, Y, LAMBDA, s)
    assert list(back.grads) == sorted(("d" + key for key in net.learned), key=lambda d: (-int(d[2:]), d[1] == "b"))

    def J(changed: dict[str, Any], at: Any = X) -> Any:
        return network.cost(net, changed, network.forward(net, changed, at, masks), Y, LAMBDA, s)

    alike = network.backward(net, params, passed, Y).dA[-1]
    assert alike is not None
    np.testing.assert_array_equal(back.dA[-1], alike if s is None else s * alike)
    for key in net.learned:
        value = params[key]
        expected = complex_step(lambda moved, key=key: J({**params, key: moved}), value)  # type: ignore[misc]
        largest = max(np.abs(expected).max(), 0.01)  # a bias below batch norm has none
        np.testing.assert_allclose(back.grads["d" + key], expected, rtol=0, atol=2e-14 * largest)
    expected = complex_step(lambda moved: J(params, moved), X) * Y.shape[1]
    assert back.dA[0] is not None
    np.testing.assert_allclose(back.dA[0], expected, rtol=0, atol=2e-14 * np.abs(expected).max())


@pytest.mark.parametrize("name", NAMES)
def test_only_grads_gives_the_same_gradients_and_leaves_out_what_nobody_reads(name: str) -> None:
    net, params, X, Y = probe(name)
    passed = network.forward(net, params, X)
    everything = network.backward(net, params, passed, Y, LAMBDA)
    fewer = network.backward(net, params, passed, Y, LAMBDA, only_grads=True)
    for key, value in everything.grads.items():
        np.testing.assert_array_equal(fewer.grads[key], value)
    assert fewer.dA[0] is None
    assert fewer.dA[-1] is None
    assert everything.dA[0] is not None
    assert everything.dA[-1] is not None


@pytest.mark.parametrize("name", NAMES)
def test_the_loop_over_examples_gives_the_columns_of_the_vectorised_pass(name: str) -> None:
    net, params, X, _ = probe(name)
    passed, looped = network.forward(net, params, X), network.forward_loop(net, params, X)
    assert looped.Z[0] is None
    assert len(passed.A) == len(looped.A) == len(looped.Z) == len(net.layers) + 1
    np.testing.assert_array_equal(looped.A[0], X)
    for one, other in zip((*passed.A, *passed.Z[1:]), (*looped.A, *looped.Z[1:]), strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            np.testing.assert_allclose(other, one, rtol=0, atol=1e-14)


def test_predictions_have_the_layout_of_the_targets() -> None:
    net = Architecture(2, (Dense(2, "sigmoid"),))
    params = {"W1": np.eye(2), "b1": np.zeros((2, 1))}
    X = np.array([[1.0, -1.0, 0.0], [-2.0, 3.0, 0.0]])
    assert network.predict(net, params, X).tolist() == [[1, 0, 0], [0, 1, 0]]
    net = Architecture(2, (Dense(2, "softmax"),))
    assert network.predict(net, params, X).tolist() == [[1, 0, 1], [0, 1, 0]]  # the first class where two are equal
    net = Architecture(2, (Dense(2, "identity"),))
    assert network.predict(net, params, X).tolist() == X.tolist()


@pytest.mark.parametrize("name", NAMES)
def test_predictions_come_from_the_last_layer_in_the_dtype_of_the_inputs(name: str) -> None:
    net, params, X, _ = probe(name)
    narrow = network.predict(
        net, {key: value.astype(np.float32) for key, value in params.items()}, X.astype(np.float32)
    )
    A_L = network.forward(net, params, X).A[-1]
    expected = {"sigmoid": A_L > 0.5, "softmax": A_L.max(axis=0) == A_L, "identity": A_L}[net.output_unit]
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, expected, rtol=1e-5)


def test_masks_belong_to_dropout_layers() -> None:
    net = Architecture(3, (Dense(5, "tanh"), Dropout(0.5), Dense(2, "softmax")))
    rng = np.random.default_rng(0)
    params, X = initial_parameters(net, "xavier", rng), rng.standard_normal((3, 7))
    mask = (rng.random((5, 7)) < 0.5).astype(np.float64)
    passed = network.forward(net, params, X, [mask])
    again = network.forward(net, params, X, passed.masks)
    by_example = network.forward_loop(net, params, X, [mask])
    assert passed.masks == by_example.masks == (None, None, mask, None)
    np.testing.assert_allclose(passed.A[2], passed.A[1] * mask / 0.5, rtol=1e-15)
    for A, A_again, A_by_example in zip(passed.A, again.A, by_example.A, strict=True):
        np.testing.assert_array_equal(A, A_again)
        np.testing.assert_allclose(A, A_by_example, rtol=1e-14)
    without = network.forward(net, params, X)
    assert without.A[2] is without.A[1]
    assert without.masks == (None,) * 4


def test_masks_drop_the_same_units_on_the_way_back() -> None:
    net = Architecture((4, 5, 2), (Conv(3, 2, activation="tanh"), Dropout(0.8), Flatten(), Dropout(0.5), OUTPUT))
    rng = np.random.default_rng(0)
    params, X, Y = (
        initial_parameters(net, "xavier", rng),
        rng.standard_normal((7, 4, 5, 2)),
        np.eye(2)[:, [0, 1] * 3 + [0]],
    )
    masks = [(rng.random(net.batch_shape(l, 7)) < 0.6).astype(np.float64) for l in (2, 4)]
    back = network.backward(net, params, network.forward(net, params, X, masks), Y, LAMBDA)

    def J(W: Any) -> Any:
        changed = {**params, "W1": W}
        return network.cost(net, changed, network.forward(net, changed, X, masks), Y, LAMBDA)

    expected = complex_step(J, params["W1"])
    np.testing.assert_allclose(back.grads["dW1"], expected, rtol=0, atol=2e-14 * np.abs(expected).max())
    assert back.dA[1] is not None
    assert not back.dA[1][masks[0] == 0].any()


def test_the_loop_over_examples_takes_a_single_one() -> None:
    net, params, X, _ = probe("volumes", m=1)
    np.testing.assert_allclose(
        network.forward_loop(net, params, X).A[-1], network.forward(net, params, X).A[-1], rtol=0, atol=1e-14
    )


@pytest.mark.parametrize(
    ("scheme", "scale"),
    [("zeros", 0.0), ("small", 0.01), ("lecun", 0.1), ("xavier", (2 / 500) ** 0.5), ("he", 0.02**0.5)],
)
def test_initial_weights_have_the_scale_of_their_scheme(scheme: str, scale: float) -> None:
    net = Architecture(100, (Dense(400, "sigmoid"),))
    params = initial_parameters(net, scheme, np.random.default_rng(0))
    assert params["W1"].std() == pytest.approx(scale, rel=0.02)
    assert abs(params["W1"].mean()) <= 0.01 * scale
    assert not params["b1"].any()
    assert params["b1"].shape == (400, 1)


def test_constant_weights_are_one_number() -> None:
    net = model("shallow", 3, 1)
    assert np.unique(initial_parameters(net, "constant", np.random.default_rng(0))["W1"]).tolist() == [0.5]
    assert set(SCALES) == {"zeros", "constant", "small", "lecun", "xavier", "he"}


def test_both_dtypes_start_from_the_same_draw() -> None:
    net = model("deep", 3, 1)
    wide = initial_parameters(net, "he", np.random.default_rng(3))
    narrow = initial_parameters(net, "he", np.random.default_rng(3), np.float32)
    for key, value in wide.items():
        assert narrow[key].dtype == np.float32
        np.testing.assert_array_equal(narrow[key], value.astype(np.float32))


def test_the_notes_example_has_its_sizes() -> None:
    net = model("deep", 3, 1)
    weights = {name: shape for name, shape in net.parameter_shapes.items() if name.startswith("W")}
    assert weights == {"W1": (5, 3), "W2": (5, 5), "W3": (3, 5), "W4": (1, 3)}
    assert sum(value.size for value in initial_parameters(net, "he", np.random.default_rng(0)).values()) == 72
    assert net.describe() == "3-5-5-3-1 (relu, relu, relu, sigmoid)"
    assert list(model("deep6", 2, 1).activations[1:]) == [
        "tanh",
        "relu",
        "leaky_relu",
        "sigmoid",
        "identity",
        "sigmoid",
    ]
    assert [n for (n,) in model("wide", 64, 10).shapes[1:]] == [64, 64, 10]
    assert [n for (n,) in model("wide", 64, 10, (7,)).shapes[1:]] == [7, 10]


def test_layers_may_come_as_a_list() -> None:
    layers = [Dense(3, "tanh"), Dense(1, "sigmoid")]
    assert Architecture(2, layers) == Architecture(2, tuple(layers))  # type: ignore[arg-type]


def test_gradient_descent_trains_and_keeps_its_arguments() -> None:
    net, params, X, Y = probe("shallow", outputs=1)
    Y = (X[:1] > 0).astype(float)
    rule = GradientDescent(0.5)
    start = {key: value.copy() for key, value in params.items()}
    moved, state = params, rule.init(params)
    J = []
    for _ in range(50):
        passed = network.forward(net, moved, X)
        J.append(network.cost(net, moved, passed, Y))
        moved, state = rule.step(moved, network.backward(net, moved, passed, Y).grads, state)
    assert state.t == 50
    assert all(later < earlier for earlier, later in pairwise(J))
    for key, value in start.items():
        np.testing.assert_array_equal(params[key], value)


@pytest.mark.parametrize("only_grads", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("name", NAMES)
def test_no_argument_is_changed(name: str, dtype: Any, only_grads: bool) -> None:
    net, params, X, Y = probe(name)
    params = {key: value.astype(dtype) for key, value in params.items()}
    X = X.astype(dtype)
    passed = network.forward(net, params, X)
    for array in (X, Y, *params.values(), *passed.A, *passed.Z[1:]):
        if array is not None:
            array.flags.writeable = False
    network.forward(net, params, X)
    network.cost(net, params, passed, Y, LAMBDA)
    back = network.backward(net, params, passed, Y, LAMBDA, only_grads=only_grads)
    for array in back.grads.values():
        array.flags.writeable = False
    rule = GradientDescent(0.1)
    learned = {key: params[key] for key in net.learned}
    moved, _ = rule.step(learned, back.grads, rule.init(learned))
    made = [*passed.A[1:], *passed.Z[1:], *back.dA, *back.dZ, *back.grads.values(), *moved.values()]
    arrays = [array for array in made if array is not None]
    for place, array in enumerate(arrays if name not in OTHERS else []):  # flattening gives a view
        assert not any(np.shares_memory(array, other) for other in arrays[place + 1 :])


@pytest.mark.parametrize("fresh", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("other", [np.float32, np.float64, np.complex128])
def test_a_sum_in_place_has_the_dtype_that_the_sum_has(fresh: Any, other: Any) -> None:
    A, b = np.ones((2, 3), fresh), np.full((2, 1), 2, other)
    total = plus(A, b)
    assert (total == 3).all()
    assert total.dtype == np.result_type(fresh, other)
    assert np.shares_memory(total, A) == (fresh is other)


def test_a_cost_differentiates_at_zero_whatever_the_sign_of_the_step() -> None:
    for step in (1e-30, -1e-30):
        J = binary_cross_entropy_from_logits(np.array([[1j * step]]), np.ones((1, 1)))
        assert J.imag / step == -0.5


def test_without_a_mask_or_a_penalty_nothing_is_dropped_and_nothing_added() -> None:
    assert Dropout(0.5).backward(np.ones((2, 3)), np.ones((2, 3)), None).tolist() == np.ones((2, 3)).tolist()
    net, params, X, Y = probe("shallow")
    passed = network.forward(net, params, X)
    back = network.backward(net, params, passed, Y)
    assert all(
        np.array_equal(back.grads[name], network.backward(net, params, passed, Y, 0.0).grads[name])
        for name in back.grads
    )
    assert len(back.dZ) == len(back.dA) == len(net.layers) + 1
