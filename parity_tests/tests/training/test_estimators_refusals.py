"""What the estimators refuse: parameters out of range, data that do not fit, numbers out of hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from manual import estimators as by_hand
from manual.architecture import Architecture, Dense
from parity_tests.tests.training.estimator_data import SIDES, TOO_SMALL, VOLUMES, number, several
from torch_ref import estimators as by_torch

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("side", SIDES, ids=["manual", "torch"])
def test_an_explosion_is_said(side: Any) -> None:
    X, y = number()
    model = side.NetworkRegressor(solver="sgd", random_state=0, activation="tanh", batch_size=5)
    with pytest.warns(ConvergenceWarning, match=r"the cost rose to .*: a smaller learning rate usually helps"):
        model.set_params(learning_rate_init=1.0).fit(X, y)
    model.set_params(learning_rate_init=TOO_SMALL, warm_start=True, max_iter=3).fit(X, y)
    assert model.n_iter_ == 3  # the weights are as they were, and so is their cost: no explosion
    model.set_params(warm_start=False)
    with pytest.raises(ValueError, match=r"the cost or the weights are no longer finite, expected finite ones"):
        model.set_params(learning_rate_init=1e200).fit(X, y)


@pytest.mark.parametrize("side", SIDES, ids=["manual", "torch"])
def test_weights_that_the_last_step_throws_out_are_said(side: Any) -> None:
    X, y = number()
    model = side.NetworkRegressor((), solver="sgd", random_state=0, learning_rate_init=1e308, max_iter=1)
    with pytest.raises(ValueError, match=r"the cost or the weights are no longer finite, expected finite ones: scaled"):
        model.fit(X, 1000 * y)  # the cost is looked at before the step
    assert not hasattr(model, "coefs_")


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
    ({"class_weight": "even"}, r"class_weight is 'even', expected 'balanced', a dict of weights by class, or None"),
    (
        {"class_weight": {"d": 2.0}},
        r"class_weight is {'d': 2.0}, expected finite numbers above 0 by classes among \['a'",
    ),
    ({"class_weight": {"a": 0}}, r"class_weight is {'a': 0}, expected finite numbers above 0 by classes"),
    ({"class_weight": {"a": "b"}}, r"class_weight is {'a': 'b'}, expected finite numbers above 0 by classes"),
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
    balanced = clone(model).set_params(class_weight="balanced")
    with pytest.raises(ValueError, match=r"class_weight is 'balanced', expected a dict: partial_fit does not see all"):
        balanced.partial_fit(X, y, classes=["a", "b", "c"])
    with pytest.raises(ValueError, match=r"class_weight is given and y has several labels, expected None"):
        balanced.fit(X, (X[:, :3] > 0).astype(int))
    for wrong, message in (
        (np.ones((len(y), 1)), r"sample_weight has shape \(60, 1\), expected \(60,\): a weight for each example"),
        (-np.ones(len(y)), r"sample_weight holds -1.0, expected finite numbers of at least 0"),
        (np.full(len(y), np.nan), r"sample_weight holds nan, expected finite numbers of at least 0"),
        (np.zeros(len(y)), r"every sample_weight is zero, expected one above"),
    ):
        with pytest.raises(ValueError, match=message):
            clone(model).fit(X, y, wrong)
    images = by_hand.NetworkClassifier(architecture=VOLUMES)
    with pytest.raises(ValueError, match=r"X has shape \(5, 6, 6, 1\), expected \(m, 8, 8, 1\) or rows of 64 features"):
        images.fit(np.ones((5, 6, 6, 1)), [0, 1, 2, 3, 4])
    with pytest.raises(ValueError, match=r"device is 'abacus', expected one of"):
        by_torch.NetworkClassifier(device="abacus").fit(X, y)
