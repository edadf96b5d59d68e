"""The estimators as a person meets them: what a fit leaves and says, and at work among scikit-learn's tools."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from pathlib import Path
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
from parity_tests.tests.estimator_data import (
    SIDES,
    TOO_SMALL,
    VOLUMES,
    digits,
    labels,
    learned,
    number,
    several,
    two,
    weights,
)
from torch_ref import estimators as by_torch

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


@pytest.mark.parametrize("solver", ["sgd", "momentum", "rmsprop", "adam"])
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
        more = {}
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


@pytest.mark.parametrize("side", SIDES, ids=["manual", "torch"])
def test_an_explosion_is_said(side: Any) -> None:
    X, y = number()
    model = side.NetworkRegressor(solver="sgd", random_state=0, activation="tanh", batch_size=5)
    with pytest.warns(ConvergenceWarning, match=r"the cost rose to .*: a smaller learning rate usually helps"):
        model.set_params(learning_rate_init=1.0).fit(X, y)
    with pytest.raises(ValueError, match=r"the cost or the weights are no longer finite, expected finite ones"):
        model.set_params(learning_rate_init=1e200).fit(X, y)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"alpha": -1}, r"alpha is -1, expected a finite number of at least 0"),
    ({"alpha": np.nan}, r"alpha is nan, expected a finite number of at least 0"),
    ({"alpha": "much"}, r"alpha is 'much', expected a finite number"),
    ({"learning_rate_init": 0}, r"learning_rate_init is 0, expected a finite number above 0"),
    ({"learning_rate_init": np.inf}, r"learning_rate_init is inf, expected a finite number above 0"),
    ({"activation": "sigmoid"}, r"activation is 'sigmoid', expected one of identity, logistic, tanh, relu"),
    ({"solver": "lbfgs"}, r"solver is 'lbfgs', expected one of sgd, momentum, rmsprop, adam"),
    ({"solver": None}, r"solver is None, expected one of"),
    ({"hidden_layer_sizes": (3, 0)}, r"hidden_layer_sizes is \(3, 0\), expected whole numbers of at least 1"),
    ({"hidden_layer_sizes": 2.5}, r"hidden_layer_sizes is 2.5, expected whole numbers"),
    ({"batch_size": 0}, r"batch_size is 0, expected 'auto' or a whole number of at least 1"),
    ({"batch_size": "all"}, r"batch_size is 'all', expected 'auto'"),
    ({"max_iter": 0}, r"max_iter is 0, expected a whole number of at least 1"),
    ({"tol": -1e-9}, r"tol is -1e-09, expected a finite number of at least 0"),
    ({"n_iter_no_change": 0}, r"n_iter_no_change is 0, expected a whole number of at least 1, or infinity"),
    ({"n_iter_no_change": 2.5}, r"n_iter_no_change is 2.5, expected a whole number"),
    ({"momentum": 1}, r"momentum is 1, expected a number of at least 0 and below 1"),
    ({"beta_1": -0.1}, r"beta_1 is -0.1, expected a number of at least 0 and below 1"),
    ({"beta_2": 1.0}, r"beta_2 is 1.0, expected a number"),
    ({"epsilon": 0.0}, r"epsilon is 0.0, expected a finite number above 0"),
    ({"validation_fraction": 0}, r"validation_fraction is 0, expected a number above 0 and below 1"),
    ({"validation_fraction": 1.0}, r"validation_fraction is 1.0, expected a number above 0 and below 1"),
    ({"shuffle": "yes"}, r"shuffle is 'yes', expected True or False"),
    ({"warm_start": 1}, r"warm_start is 1, expected True or False"),
    ({"early_stopping": None}, r"early_stopping is None, expected True or False"),
    ({"verbose": "loud"}, r"verbose is 'loud', expected True or False"),
    ({"architecture": "wide"}, r"architecture is 'wide', expected an Architecture or None"),
    (
        {"architecture": Architecture(4, (Dense(3, "softmax"),))},
        r"the architecture takes 4 features, expected 7: X has so many",
    ),
    (
        {"architecture": Architecture(7, (Dense(2, "softmax"),))},
        r"the architecture has 2 outputs of softmax, expected 3 of softmax: that is what y asks for",
    ),
    (
        {"architecture": Architecture(7, (Dense(3, "identity"),))},
        r"the architecture has 3 outputs of identity, expected 3 of softmax",
    ),
    ({"architecture": VOLUMES}, r"the architecture takes 64 features, expected 7"),
    ({"early_stopping": True, "validation_fraction": 0.01}, r"the validation set has 1 example, expected at least 2"),
]


@pytest.mark.parametrize(("settings", "message"), BAD, ids=lambda value: str(value)[:40])
def test_bad_parameters_are_refused(settings: dict[str, Any], message: str) -> None:
    X, y = several()
    with pytest.raises(ValueError, match=message):
        by_hand.NetworkClassifier(**settings).fit(X, y)


def test_what_is_at_the_edge_is_taken() -> None:
    X, y = several()
    edge: dict[str, Any] = {
        "alpha": 0,
        "tol": 0,
        "momentum": 0,
        "beta_1": 0,
        "beta_2": 0,
        "n_iter_no_change": np.inf,
        "max_iter": 1,
    }
    kinds: list[Any] = [(), 3, np.array([3, 2]), [3]]
    for sizes in kinds:
        model = by_hand.NetworkClassifier(hidden_layer_sizes=sizes, **edge).fit(X, y)
        assert len(model.coefs_) == np.size(sizes) + 1


def test_bad_data_is_refused() -> None:
    X, y = several()
    model = by_hand.NetworkClassifier(random_state=0, max_iter=1)
    with pytest.raises(ValueError, match=r"y has 1 class, .*'a'.*, expected at least 2 to tell apart"):
        model.fit(X, np.full(len(y), "a"))
    with pytest.raises(ValueError, match=r"classes is None, expected all there will be"):
        clone(model).partial_fit(X, y)
    with pytest.raises(ValueError, match=r"y has the classes \['c'\], expected none but \['a' 'b'\]"):
        clone(model).partial_fit(X, y, classes=["a", "b"])
    fitted = clone(model).fit(X, y)
    with pytest.raises(ValueError, match=r"classes is \['a', 'b'\], expected \['a' 'b' 'c'\]"):
        fitted.partial_fit(X, y, classes=["a", "b"])
    images = by_hand.NetworkClassifier(architecture=VOLUMES)
    with pytest.raises(ValueError, match=r"X has shape \(5, 6, 6, 1\), expected \(m, 8, 8, 1\) or rows of 64 features"):
        images.fit(np.ones((5, 6, 6, 1)), [0, 1, 2, 3, 4])
    with pytest.raises(ValueError, match=r"device is 'abacus', expected one of"):
        by_torch.NetworkClassifier(device="abacus").fit(X, y)


def test_the_example_of_the_readme_runs() -> None:
    root = Path(__file__).parents[2]
    section = (root / "README.md").read_text(encoding="utf-8").partition("## Among scikit-learn's tools\n")[2]
    code = (
        "import warnings\nwarnings.simplefilter('ignore')\n" + section.partition("```python\n")[2].partition("```")[0]
    )
    code += "print(search.best_score_, convnet.predict(images).shape, convnet.coefs_[0].shape)"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    score, *shapes = done.stdout.split(maxsplit=1)
    assert float(score) > 0.9
    assert shapes == ["(200,) (3, 3, 1, 16)\n"]
