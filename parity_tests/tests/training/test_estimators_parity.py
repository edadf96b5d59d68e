"""The estimators beside scikit-learn's own networks, and by hand beside torch."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.class_weight import compute_sample_weight

from manual import estimators as by_hand
from manual.notation import Array, Parameters
from parity_tests.comparison.free_runs import REPEATS, judge_by_spread, moved
from parity_tests.tests.slices import sliced
from parity_tests.tests.training.estimator_data import (
    SIDES,
    TOO_SMALL,
    VOLUMES,
    digits,
    labels,
    learned,
    number,
    numbers,
    several,
    two,
    weights,
)
from torch_ref import estimators as by_torch

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

TASKS: dict[str, tuple[Callable[[], tuple[Array, Array]], str, type]] = {
    "two": (two, "NetworkClassifier", MLPClassifier),
    "several": (several, "NetworkClassifier", MLPClassifier),
    "labels": (labels, "NetworkClassifier", MLPClassifier),
    "number": (number, "NetworkRegressor", MLPRegressor),
    "numbers": (numbers, "NetworkRegressor", MLPRegressor),
}
"""Data, our estimator and scikit-learn's."""


def continued(model: Any, start: Parameters, X: Array, y: Array, w: Any = None, **settings: Any) -> Parameters:
    """What a fit from these weights leaves."""
    model = pickle.loads(pickle.dumps(model))
    since = len(model.loss_curve_)
    model.coefs_ = [value.copy() for name, value in start.items() if name.startswith("W")]
    model.intercepts_ = [value.copy() for name, value in start.items() if name.startswith("b")]
    model.set_params(warm_start=True, **settings).fit(X, y, sample_weight=w)
    return learned(model, since)


SIDES_AND_SIZES = ((by_hand, 100), (by_hand, 16), (by_torch, 16))
ACTIVATIONS = ("relu", "tanh", "logistic", "identity")
DESCENTS = [
    pytest.param(task, activation, *SIDES_AND_SIZES[(i + j) % 3], id=f"{task}-{activation}")
    for i, task in enumerate(TASKS)
    for j, activation in enumerate(ACTIVATIONS)
]
"""Every task with every activation; each side and size of batches takes part with all of either."""
SCIKIT_LEARNS = {"momentum": 0.0, "nesterovs_momentum": False}
"""Plain gradient descent."""


def side_by_side(
    task: str,
    common: dict[str, Any],
    ours: dict[str, Any],
    theirs: dict[str, Any],
    side: Any = by_hand,
    weighed: bool = False,
) -> tuple[Parameters, Parameters, list[Parameters]]:
    """A fit of ours, of scikit-learn's, and of ours from moved weights; all from scikit-learn's weights."""
    load, name, theirs_type = TASKS[task]
    X, y = load()
    common = {"hidden_layer_sizes": (5, 4), "shuffle": False, "random_state": 0, "tol": 0.0, **common}
    still = {"learning_rate_init": TOO_SMALL, "max_iter": 1, "solver": "sgd"}
    reference = theirs_type(**{**common, **SCIKIT_LEARNS, **still}).fit(X, y)
    model = getattr(side, name)(**{**common, **still}).fit(X, y)
    start = weights(reference)
    rng = np.random.default_rng(1)
    w = np.random.default_rng(0).uniform(0.2, 3.0, len(y)) if weighed else None
    got = continued(model, start, X, y, w, **ours)
    repeated = getattr(by_hand, name)(**{**common, **still}).fit(X, y)
    repeats = [continued(repeated, moved(start, rng), X, y, w, **ours) for _ in range(REPEATS)]
    return got, continued(reference, start, X, y, w, **theirs), repeats


def fails(got: Parameters, reference: Parameters, repeats: list[Parameters]) -> list[str]:
    """The arrays that differ by more than ten times what a rounding of the start does."""
    assert got.keys() == reference.keys()
    return [name for name, judged in judge_by_spread(got, reference, repeats, np.float64).items() if judged.fails]


@pytest.mark.parametrize(("task", "activation", "side", "batch_size"), sliced(DESCENTS, 6))
@pytest.mark.filterwarnings("ignore:batch_size is 100", "ignore:Got `batch_size`")
def test_gradient_descent_is_scikit_learns_step_by_step(task: str, activation: str, side: Any, batch_size: int) -> None:
    alpha = 0.0 if task == "numbers" else 0.7  # see the next test
    common = {"activation": activation, "batch_size": batch_size, "alpha": alpha}
    for epochs in (1, 6):
        run = {"solver": "sgd", "learning_rate_init": 0.05, "max_iter": epochs}
        got, reference, repeats = side_by_side(task, common, run, {**run, **SCIKIT_LEARNS}, side)
        assert len(got["loss"]) == epochs
        if task == "numbers":  # scikit-learn's loss is a mean over outputs, its gradient is that of the sum
            reference["loss"] *= 3
        assert fails(got, reference, repeats) == []


@pytest.mark.parametrize("side", sliced(SIDES, 6), ids=["manual", "torch"])
@pytest.mark.parametrize("task", ["two", "several", "labels", "number"])
def test_sample_weights_are_scikit_learns_step_by_step(task: str, side: Any) -> None:
    run = {"solver": "sgd", "learning_rate_init": 0.05, "max_iter": 3}
    common = {"activation": "tanh", "batch_size": 16, "alpha": 0.7}
    got, reference, repeats = side_by_side(task, common, run, {**run, **SCIKIT_LEARNS}, side, weighed=True)
    assert fails(got, reference, repeats) == []
    _, unweighed, _ = side_by_side(task, common, run, {**run, **SCIKIT_LEARNS}, side)
    assert fails(got, unweighed, repeats) == list(got)


def test_the_penalty_is_not_averaged_over_outputs() -> None:
    run = {"solver": "sgd", "learning_rate_init": 0.05, "max_iter": 1}
    common = {"batch_size": 20, "alpha": 0.7}
    got, reference, repeats = side_by_side("numbers", common, run, {**run, **SCIKIT_LEARNS})
    _, still, _ = side_by_side("numbers", common, run, {**run, **SCIKIT_LEARNS, "learning_rate_init": TOO_SMALL})
    penalty = 0.7 / (2 * 20) * sum(float(np.sum(value**2)) for name, value in still.items() if name.startswith("W"))
    reference["loss"] = 3 * (reference["loss"] - penalty) + penalty
    assert fails(got, reference, repeats) == []


@pytest.mark.parametrize("side", SIDES, ids=["manual", "torch"])
@pytest.mark.parametrize("task", ["several", "number"])
def test_momentum_and_adam_are_scikit_learns_translated(task: str, side: Any) -> None:
    common = {"activation": "tanh", "batch_size": 16, "alpha": 0.7, "max_iter": 5}
    theirs = {"solver": "sgd", "learning_rate_init": 0.01, "momentum": 0.8, "nesterovs_momentum": False}
    ours = {"solver": "momentum", "learning_rate_init": 0.01 / (1 - 0.8), "momentum": 0.8}
    assert fails(*side_by_side(task, common, ours, theirs, side)) == []
    adam = {"solver": "adam", "learning_rate_init": 0.01, "epsilon": 1e-300}  # where epsilon stands is all that differs
    assert fails(*side_by_side(task, common, adam, adam, side)) == []


def test_what_is_not_translated_is_seen() -> None:
    common = {"activation": "tanh", "batch_size": 16, "alpha": 0.7, "max_iter": 5}
    theirs = {"solver": "sgd", "learning_rate_init": 0.01, "momentum": 0.8, "nesterovs_momentum": False}
    every = ["W0", "W1", "W2", "b0", "b1", "b2", "loss"]
    for ours in (
        {"solver": "momentum", "learning_rate_init": 0.01, "momentum": 0.8},
        {"solver": "momentum", "learning_rate_init": 0.05, "momentum": 0.8, "alpha": 0.700001},
        {"solver": "momentum", "learning_rate_init": 0.05, "momentum": 0.8, "shuffle": True},
    ):
        assert fails(*side_by_side("several", common, ours, theirs)) == every


@pytest.mark.parametrize("patience", sliced([1, 3], 2))
@pytest.mark.parametrize("tol", [1e-2, 3e-3])
def test_a_fit_ends_in_the_epoch_in_which_scikit_learns_does(tol: float, patience: int) -> None:
    run = {"solver": "sgd", "learning_rate_init": 0.3, "max_iter": 100, "tol": tol, "n_iter_no_change": patience}
    got, reference, _ = side_by_side("several", {"batch_size": 16, "alpha": 0.1}, run, {**run, **SCIKIT_LEARNS})
    assert 5 < len(got["loss"]) == len(reference["loss"]) < 100


FITS: dict[str, tuple[Callable[[], tuple[Array, Array]], str, dict[str, Any]]] = {
    "two": (two, "NetworkClassifier", {"early_stopping": True, "validation_fraction": 0.3}),
    "weighed": (
        two,
        "NetworkClassifier",
        {"early_stopping": True, "validation_fraction": 0.3, "class_weight": "balanced", "weighed": True},
    ),
    "several": (several, "NetworkClassifier", {"solver": "rmsprop", "activation": "tanh"}),
    "labels": (labels, "NetworkClassifier", {"solver": "momentum", "learning_rate_init": 0.1}),
    "number": (number, "NetworkRegressor", {"solver": "sgd", "learning_rate_init": 0.1, "activation": "logistic"}),
    "numbers": (numbers, "NetworkRegressor", {"early_stopping": True, "validation_fraction": 0.3}),
    "volumes": (digits, "NetworkClassifier", {"architecture": VOLUMES, "max_iter": 4, "weighed": True}),
}


def test_weights_of_examples_and_classes() -> None:
    X, y = several()
    rng = np.random.default_rng(0)
    times = rng.integers(0, 4, len(y))
    balanced = compute_sample_weight("balanced", y)
    for side in SIDES:
        model = side.NetworkClassifier((6,), solver="sgd", learning_rate_init=0.1, max_iter=5, alpha=0.5)

        def left(*weight: Any, model: Any = model, X: Array = X, y: Array = y, **settings: Any) -> Parameters:
            return learned(clone(model).set_params(random_state=0, **settings).fit(X, y, *weight))

        repeated = left(X=np.repeat(X, times, axis=0), y=np.repeat(y, times))
        by_dict: dict[str, Any] = {"class_weight": {"a": 0.5, "c": 2.0}}
        for case, ours, expected in (
            ("integers are repetitions", left(times), repeated),
            ("zeros are left out", left(times > 1), left(X=X[times > 1], y=y[times > 1])),
            ("balanced", left(class_weight="balanced"), left(balanced)),
            ("balanced repetitions", left(times, class_weight="balanced"),
             left(X=np.repeat(X, times, axis=0), y=np.repeat(y, times), class_weight="balanced")),
            ("by a dict", left(**by_dict), left(np.array([0.5, 1.0, 2.0])[np.searchsorted(["a", "b", "c"], y)])),
            ("both", left(balanced, **by_dict),
             left(balanced * np.array([0.5, 1.0, 2.0])[np.searchsorted(["a", "b", "c"], y)])),
        ):  # fmt: skip
            for name, value in expected.items():
                np.testing.assert_allclose(ours[name], value, rtol=1e-12, atol=1e-14, err_msg=f"{case}, {name}")
        for name, value in left().items():
            assert (left(np.ones(len(y)))[name] == value).all()
            assert not np.allclose(left(times + 1)[name], value)
            assert not np.allclose(left(2 * np.ones(len(y)))[name], value)  # the penalty is half as large


@pytest.mark.parametrize("dtype", sliced([np.float64, np.float32], 2), ids=["float64", "float32"])
@pytest.mark.parametrize("name", FITS)
def test_both_sides_fit_the_same_network(name: str, dtype: Any) -> None:
    load, estimator, settings = FITS[name]
    X, y = load()
    settings = {**settings}
    X = X.astype(dtype)
    w = np.random.default_rng(1).uniform(0.2, 3.0, len(y)) if settings.pop("weighed", False) else None
    settings = {
        "hidden_layer_sizes": (6, 4), "batch_size": 13, "max_iter": 12, "alpha": 0.3, "learning_rate_init": 0.01,
        "random_state": 3, **settings,
    }  # fmt: skip
    ours = getattr(by_hand, estimator)(**settings).fit(X, y, w)
    theirs = getattr(by_torch, estimator)(**settings).fit(X, y, w)
    rng = np.random.default_rng(0)
    repeats = [learned(clone(ours).fit(moved({"X": X}, rng)["X"], y, w)) for _ in range(REPEATS)]
    assert {value.dtype for value in weights(ours).values()} == {np.dtype(dtype)}
    got, reference = learned(ours), learned(theirs)
    for part in (got, reference, *repeats):
        part["loss"] = part["loss"].astype(dtype)
    judged = judge_by_spread(got, reference, repeats, dtype)
    assert {name for name, judgement in judged.items() if judgement.fails} == set()
    assert ours.n_iter_ == theirs.n_iter_
    assert (ours.predict(X) == theirs.predict(X)).all() or estimator == "NetworkRegressor"
    if ours.validation_scores_ is not None:
        tolerance = 1e-4 if dtype == np.float32 else 1e-10
        np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_, rtol=tolerance)
    other = learned(clone(theirs).set_params(random_state=4).fit(X, y, w))
    assert judge_by_spread({"W0": got["W0"]}, other, repeats, dtype)["W0"].fails
