"""The estimators as a person meets them: what a fit leaves and says, and at work among scikit-learn's tools."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from manual import estimators as by_hand
from manual.architecture import Architecture, Dense
from manual.notation import Array
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

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def estimators() -> list[Any]:
    """All four, small."""
    return [
        kind(hidden_layer_sizes=(4,), max_iter=3, random_state=0)
        for side in SIDES
        for kind in (side.NetworkClassifier, side.NetworkRegressor)
    ]


def data_for(model: Any) -> tuple[Array, Array]:
    return number() if is_regressor(model) else several()


each = pytest.mark.parametrize(
    "model", estimators(), ids=lambda model: f"{type(model).__module__.split('.')[0]}.{type(model).__name__}"
)


@each
def test_what_a_fit_leaves(model: Any) -> None:
    X, y = data_for(model)
    model.set_params(hidden_layer_sizes=[5, 4], activation="logistic").fit(X, y)
    n_x, n_L = X.shape[1], 3 if y.dtype.kind == "U" else 1
    assert [W.shape for W in model.coefs_] == [(n_x, 5), (5, 4), (4, n_L)]
    assert [b.shape for b in model.intercepts_] == [(5,), (4,), (n_L,)]
    assert (model.n_layers_, model.n_outputs_, model.n_iter_, model.n_features_in_) == (4, n_L, 3, n_x)
    assert len(model.loss_curve_) == 3
    assert model.loss_ == model.loss_curve_[-1]
    assert model.best_loss_ == min(model.loss_curve_)
    assert (model.validation_scores_, model.best_validation_score_) == (None, None)
    unit = "softmax" if n_L == 3 else "identity"
    assert model.out_activation_ == unit
    assert model.architecture_ == Architecture(n_x, (Dense(5, "sigmoid"), Dense(4, "sigmoid"), Dense(n_L, unit)))
    if n_L == 3:
        assert model.classes_.tolist() == ["a", "b", "c"]
        probabilities = model.predict_proba(X)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
        assert (model.predict(X) == model.classes_[probabilities.argmax(axis=1)]).all()
    A = X
    for W, b in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        A = 1 / (1 + np.exp(-(A @ W + b)))
    Z = A @ model.coefs_[-1] + model.intercepts_[-1]
    if n_L == 3:
        np.testing.assert_allclose(probabilities, np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True), rtol=1e-12)
    else:
        np.testing.assert_allclose(model.predict(X), Z.ravel(), rtol=1e-10)


@pytest.mark.parametrize("side", SIDES, ids=["manual", "torch"])
def test_two_classes_and_labels(side: Any) -> None:
    X, y = two()
    names = np.array(["no", "yes"])[y]
    model = side.NetworkClassifier(random_state=0, max_iter=30, learning_rate_init=0.01).fit(X, names)
    assert (model.out_activation_, model.n_outputs_) == ("logistic", 1)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (60, 2)
    assert (model.predict(X) == np.where(probabilities[:, 1] > 0.5, "yes", "no")).all()
    assert model.score(X, names) > 0.9
    X, y = labels()
    model = side.NetworkClassifier(random_state=0, max_iter=30, learning_rate_init=0.01).fit(X, y)
    assert (model.out_activation_, model.n_outputs_, model.classes_.tolist()) == ("logistic", 3, [0, 1, 2])
    assert (model.predict(X) == (model.predict_proba(X) > 0.5)).all()
    assert model.score(X, y) > 0.7


@pytest.mark.parametrize("side", SIDES, ids=["manual", "torch"])
def test_volumes_come_as_volumes_or_as_rows(side: Any) -> None:
    X, y = digits()
    model = side.NetworkClassifier(architecture=VOLUMES, max_iter=2, random_state=0).fit(X.reshape(-1, 8, 8, 1), y)
    assert [W.shape for W in model.coefs_] == [(3, 3, 1, 3), (27, 6), (6, 10)]
    assert [b.shape for b in model.intercepts_] == [(3,), (6,), (10,)]
    assert (model.n_features_in_, model.n_layers_) == (64, 7)
    rows = clone(model).fit(X, y)
    np.testing.assert_equal(learned(model), learned(rows))
    np.testing.assert_equal(model.predict_proba(X), rows.predict_proba(X.reshape(-1, 8, 8, 1)))
    assert model.predict(X[:3]).shape == (3,)


def test_two_classes_may_be_two_outputs_of_softmax() -> None:
    X, y = two()
    net = Architecture(7, (Dense(2, "softmax"),))
    settings: dict[str, Any] = {"random_state": 0, "early_stopping": True, "learning_rate_init": 0.1}
    model = by_hand.NetworkClassifier(architecture=net, **settings).fit(X, y)
    assert (model.out_activation_, model.predict_proba(X).shape, model.classes_.tolist()) == (
        "softmax",
        (60, 2),
        [0, 1],
    )
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize("solver", sliced(["sgd", "momentum", "rmsprop", "adam"], 4))
@each
def test_epoch_by_epoch_is_the_same_as_at_once(model: Any, solver: str) -> None:
    X, y = data_for(model)
    whole = clone(model).set_params(solver=solver, batch_size=17, tol=0.0).fit(X, y)
    more = {"classes": ["c", "a", "b"]} if y.dtype.kind == "U" else {}
    parts = clone(model).set_params(solver=solver, batch_size=17)
    for _ in range(3):
        assert parts.partial_fit(X, y, **more) is parts
        assert parts.n_iter_ == 1
        parts = pickle.loads(pickle.dumps(parts))
    np.testing.assert_equal(learned(parts), learned(whole))


@each
def test_a_warm_start_goes_on_from_the_weights_and_counts_anew(model: Any) -> None:
    X, y = data_for(model)
    model = clone(model).set_params(warm_start=True).fit(X, y)
    first, curve = weights(model), model.loss_curve_
    model.set_params(learning_rate_init=TOO_SMALL, max_iter=2).fit(X, y)
    np.testing.assert_equal(weights(model), first)
    assert model.n_iter_ == 2
    assert model.loss_curve_[:3] == curve
    assert len(model.loss_curve_) == 5
    cold = clone(model).set_params(warm_start=False).fit(X, y)
    assert not np.array_equal(cold.coefs_[0], first["W0"])
    with pytest.raises(ValueError, match=r"the network is .*6.*, expected .*4.*: warm_start and partial_fit go on"):
        model.set_params(hidden_layer_sizes=(6,)).fit(X, y)


@each
def test_a_warm_start_knows_nothing_of_the_fit_before_but_its_weights(model: Any) -> None:
    X, y = data_for(model)
    before: dict[str, dict[str, Any]] = {
        "short": {"max_iter": 1},
        "long": {"max_iter": 60, "n_iter_no_change": 1, "learning_rate_init": 0.1},
    }
    left = {}
    for name, settings in before.items():
        fitted = clone(model).set_params(**settings, batch_size=17).fit(X, y)
        fitted.coefs_ = [np.full_like(W, 0.1) for W in fitted.coefs_]
        fitted.intercepts_ = [np.arange(b.size, dtype=b.dtype) for b in fitted.intercepts_]
        again: dict[str, Any] = {
            "warm_start": True,
            "tol": 1e-2,
            "n_iter_no_change": 2,
            "learning_rate_init": 0.05,
            "max_iter": 60,
        }
        fitted.set_params(**again).fit(X, y)
        assert fitted.n_iter_ < 60
        left[name] = (weights(fitted), fitted.n_iter_, fitted.loss_)
    np.testing.assert_equal(left["short"], left["long"])


@pytest.mark.parametrize("side", SIDES, ids=["manual", "torch"])
def test_several_targets_and_labels_epoch_by_epoch(side: Any) -> None:
    X, Y = numbers()
    model = side.NetworkRegressor((4,), random_state=0)
    assert model.partial_fit(X, Y).partial_fit(X, Y).predict(X).shape == Y.shape
    assert (model.n_outputs_, model.out_activation_) == (3, "identity")
    X, Y = labels()
    classifier = side.NetworkClassifier((4,), random_state=0)
    found = classifier.partial_fit(X, Y, classes=[0, 1, 2]).partial_fit(X, Y).predict(X)
    assert (found.shape, found.dtype) == (Y.shape, np.int64)


@each
def test_early_stopping_goes_back_to_the_best_epoch(model: Any) -> None:
    X, y = data_for(model)
    settings = {"early_stopping": True, "learning_rate_init": 0.3, "max_iter": 60, "n_iter_no_change": 5}
    model = clone(model).set_params(**settings, validation_fraction=0.4).fit(X, y)
    random = np.random.RandomState(0)
    random.randint(np.iinfo(np.int32).max)  # the seed of weights and batches
    _, X_checked, _, y_checked = train_test_split(X, y, test_size=0.4, random_state=random)
    scores = model.validation_scores_
    assert len(scores) == model.n_iter_ < 60
    assert model.best_validation_score_ == max(scores) > scores[-1]
    assert model.score(X_checked, y_checked) == pytest.approx(max(scores), rel=1e-12)
    assert model.best_loss_ is None
    with pytest.raises(ValueError, match=r"early_stopping is True, expected False"):
        model.partial_fit(X, y)
    pair = clone(model).set_params(warm_start=True, max_iter=2, validation_fraction=2 / len(X))
    assert len(pair.fit(X, y).fit(X, y).validation_scores_) == 4


@each
def test_at_work_among_scikit_learns_tools(model: Any) -> None:
    X, y = data_for(model)
    pipeline = make_pipeline(StandardScaler(), clone(model).set_params(max_iter=20, learning_rate_init=0.01))
    assert cross_val_score(pipeline, X, y, cv=2).shape == (2,)
    step = pipeline.steps[-1][0]
    nets = (
        [None, Architecture(X.shape[1], (Dense(3, "leaky_relu"), Dense(3, "softmax")))]
        if y.dtype.kind == "U"
        else [None]
    )
    grid = {f"{step}__alpha": [0.0, 1.0], f"{step}__architecture": nets}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 2 * len(nets)
    found = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_equal(found.predict(X), search.predict(X))
    assert repr(clone(model)) == repr(model)


@each
def test_a_fit_says_how_it_goes_and_ends(model: Any, capsys: pytest.CaptureFixture[str]) -> None:
    X, y = data_for(model)
    with pytest.warns(
        ConvergenceWarning, match=r"max_iter is 2 epochs, and the fit has not come to rest within tol = 0.0001"
    ) as seen:
        clone(model).set_params(max_iter=2, verbose=True).fit(X, y)
    assert [warning.filename for warning in seen] == [__file__]
    lines = capsys.readouterr().out.splitlines()
    checked = clone(model).set_params(early_stopping=True, verbose=1).fit(X, y)
    expected = [f"validation score = {score:.6f}" for score in checked.validation_scores_]
    assert [line.split(", ")[2] for line in capsys.readouterr().out.splitlines()] == expected
    assert [line.split(", loss = ")[0] for line in lines] == ["Iteration 1", "Iteration 2"]
    with pytest.warns(UserWarning, match=rf"batch_size is 500, larger than .* clipped to {len(X)}") as seen:
        clipped = clone(model).set_params(batch_size=500).fit(X, y)
    assert {warning.filename for warning in seen} == {__file__}
    np.testing.assert_equal(learned(clipped), learned(clone(model).set_params(batch_size=len(X)).fit(X, y)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ended = clone(model).set_params(tol=10.0, n_iter_no_change=2, max_iter=9).fit(X, y)
        assert ended.n_iter_ == 4  # the first epoch is the best so far, and more than two are not
        ended.partial_fit(X, y)


def test_many_examples_are_answered_in_their_order() -> None:
    X, y = several()
    many = X[np.arange(2300) % len(X)]
    for side in SIDES:
        model = side.NetworkClassifier(max_iter=2, random_state=0).fit(X, y)
        np.testing.assert_allclose(model.predict_proba(many)[2000:], model.predict_proba(many[2000:]), rtol=1e-12)


def test_a_batch_of_auto_holds_200_examples_at_most() -> None:
    X, y = several()
    X, y = X[np.arange(250) % len(X)], y[np.arange(250) % len(y)]
    model = by_hand.NetworkClassifier((3,), max_iter=2, random_state=0)
    fits = [learned(clone(model).set_params(batch_size=size).fit(X, y))["W0"] for size in ("auto", 200, 199)]
    np.testing.assert_equal(fits[0], fits[1])
    assert not np.array_equal(fits[0], fits[2])


def test_early_stopping_splits_two_classes_in_equal_shares() -> None:
    X, y = two()
    settings: dict[str, Any] = {"early_stopping": True, "validation_fraction": 0.3, "max_iter": 2, "random_state": 5}
    random = np.random.RandomState(5)
    random.randint(np.iinfo(np.int32).max)  # the seed of weights and batches
    _, X_checked, _, y_checked = train_test_split(X, y, test_size=0.3, random_state=random, stratify=y)
    softmax = Architecture(7, (Dense(4, "relu"), Dense(2, "softmax")))
    for architecture in (None, softmax):
        model = by_hand.NetworkClassifier(architecture=architecture, **settings).fit(X, y)
        assert model.best_validation_score_ == model.score(X_checked, y_checked)


def test_the_settings_of_a_solver_reach_it() -> None:
    X, y = number()
    common: dict[str, Any] = {"hidden_layer_sizes": (), "max_iter": 1, "batch_size": len(X), "random_state": 0}

    def W(solver: str, learning_rate_init: float, **settings: Any) -> Array:
        model = by_hand.NetworkRegressor(
            solver=solver, learning_rate_init=learning_rate_init, alpha=0.0, **common, **settings
        )
        found: Array = model.fit(X, y).coefs_[0]
        return found

    start = W("sgd", TOO_SMALL)
    dW = start - W("sgd", 1.0)
    expected = {
        "momentum": 0.5 * 0.3 * dW,
        "rmsprop": 0.5 * dW / (np.sqrt(0.4 * dW**2) + 0.2),
        "adam": 0.5 * dW / (np.abs(dW) + 0.2),
    }
    for solver, moved_by in expected.items():
        got = start - W(solver, 0.5, momentum=0.7, beta_1=0.8, beta_2=0.6, epsilon=0.2)
        np.testing.assert_allclose(got, moved_by, rtol=1e-11, atol=1e-15)
    for settings, other in (({"beta_1": 0.1}, {"beta_1": 0.8}), ({"beta_2": 0.1}, {"beta_2": 0.8})):
        common["max_iter"] = 2
        assert not np.allclose(W("adam", 0.5, **settings), W("adam", 0.5, **other), rtol=1e-3)


@pytest.mark.parametrize(("activation", "scale"), [("relu", 2 / 50), ("tanh", 2 / 250), ("logistic", 2 / 250)])
def test_weights_begin_at_hes_or_xaviers_scale(activation: str, scale: float) -> None:
    X = np.random.default_rng(0).standard_normal((4, 50))
    model = by_hand.NetworkRegressor(200, activation, learning_rate_init=TOO_SMALL, max_iter=1, random_state=0)
    model.fit(X, [0, 1, 2, 3])
    W = model.coefs_[0]
    assert np.square(W).mean() == pytest.approx(scale, rel=4 * np.sqrt(2 / W.size))  # four standard deviations
    assert abs(W.mean()) < 4 * np.sqrt(scale / W.size)
    assert np.abs(model.intercepts_[0]).max() == pytest.approx(0, abs=1e-290)
    if activation == "relu":
        leaky = Architecture(50, (Dense(200, "leaky_relu"), Dense(1, "identity")))
        np.testing.assert_allclose(model.set_params(architecture=leaky).fit(X, [0, 1, 2, 3]).coefs_[0], W, rtol=1e-15)


@each
def test_a_computation_has_the_dtype_of_its_examples(model: Any) -> None:
    X, y = data_for(model)
    X = np.rint(10 * X)
    for first, then in ((np.float32, np.float64), (np.float64, np.float32), (np.int64, np.float32)):
        fitted = clone(model).fit(X.astype(first), y)
        dtype = np.float64 if first == np.int64 else first
        assert {value.dtype for value in weights(fitted).values()} == {np.dtype(dtype)}
        fitted.partial_fit(X.astype(then), y)
        assert {value.dtype for value in weights(fitted).values()} == {np.dtype(then)}
        answer = fitted.predict_proba if hasattr(fitted, "predict_proba") else fitted.predict
        assert answer(X.astype(first)).dtype == dtype


def test_random_states_of_every_kind() -> None:
    X, y = several()
    model = by_hand.NetworkClassifier((3,), max_iter=1)
    first = weights(clone(model).set_params(random_state=0).fit(X, y))
    model.set_params(random_state=np.random.RandomState(0))
    np.testing.assert_equal(weights(model.fit(X, y)), first)
    for state in (model.random_state, None):  # which has moved on, or never begins the same
        assert not np.array_equal(model.set_params(random_state=state).fit(X, y).coefs_[0], first["W0"])
