"""The parameters of the estimators: scikit-learn's names, the loop's words for them, and what each may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from manual.architecture import Architecture

ACTIVATIONS = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
"""The notes' unit for scikit-learn's name."""

UNITS = {"identity": "identity", "sigmoid": "logistic", "softmax": "softmax"}
"""scikit-learn's name for an output unit."""


class Solver(NamedTuple):
    """A rule of the loop, and which parameters are its options: the rule's name first."""

    rule: str
    options: Mapping[str, str]


SOLVERS = {
    "sgd": Solver("gradient_descent", {}),
    "momentum": Solver("momentum", {"beta": "momentum"}),
    "rmsprop": Solver("rmsprop", {"beta2": "beta_2", "epsilon": "epsilon"}),
    "adam": Solver("adam", {"beta1": "beta_1", "beta2": "beta_2", "epsilon": "epsilon"}),
}
"""Solvers by name."""


@dataclass(eq=False, repr=False)
class NetworkParameters(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The parameters are scikit-learn's, with its names, meanings and defaults; what it does not have is said here.

    Parameters
    ----------
    hidden_layer_sizes, activation
        Sizes of the hidden layers, and their unit: "identity", "logistic" (the notes' sigmoid), "tanh" or "relu".
    architecture : Architecture or None
        Takes the place of both: any network whose inputs and outputs fit the data. One that takes volumes is given X
        as (m, n_H, n_W, n_C), or as rows of n_H n_W n_C features. Binary targets take one sigmoid output or two of
        softmax, several classes softmax, several labels sigmoid, regression identity.
    solver
        "sgd" is gradient descent and nothing else, "momentum", "rmsprop" and "adam" are the notes'. ``momentum`` is
        the beta of the second: scikit-learn's sgd without Nesterov's form does the same steps with
        learning_rate_init (1 - momentum). rmsprop takes ``beta_2`` and ``epsilon``. Adam's ``epsilon`` stands beside
        the root of the corrected s, scikit-learn's beside that of s.
    alpha
        The notes' lambda: scikit-learn adds alpha / (2 m) sum W^2 to the loss of a batch of m examples, never biases,
        and so does the notes' cost with lambda = alpha.
    batch_size
        "auto" is min(200, m); a larger number than the training part has is clipped, with a warning.
    max_iter, tol, n_iter_no_change, early_stopping, validation_fraction
        A fit ends after max_iter epochs, with a ConvergenceWarning, or after more than n_iter_no_change epochs in a row
        that were not better than the best by tol, in the loss or, with early_stopping, in the score of a part of the
        data that was set aside; then the weights go back to the best ones. A cost that explodes ends it too: with a
        ConvergenceWarning, or a ValueError where it is no longer finite.
    class_weight, sample_weight
        Of the classifier, and of ``fit``: the cost of a batch is (sum w L + alpha/2 sum W^2) / sum w, as that of
        scikit-learn with sample_weight. Scores of the validation part are weighted too; in the statistics of batch norm
        all examples count alike.
    random_state
        Weights come from a normal distribution, He's scale under ReLU, else Xavier's, with biases at zero;
        scikit-learn's from a uniform one.

    Attributes
    ----------
    coefs_, intercepts_ : list of array
        coefs_[i] is (n_in, n_out) and intercepts_[i] (n_out,), W and b of a convolution (f, f, n_C_prev, n_C) and
        (n_C,). They are what the network computes with.
    loss_, loss_curve_, best_loss_ : float, list of float, float or None
        The notes' J: of every epoch the mean over its batches, as they were trained on. For a regression with n_L
        outputs the first term is n_L times scikit-learn's, whose gradient is nevertheless this one.
    validation_scores_, best_validation_score_ : list of float or None, float or None
        Of early_stopping: accuracy, of several labels each counting, or R2.
    n_iter_, n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_
        As in scikit-learn; n_layers_ counts the input.
    architecture_ : Architecture
        The network.
    """

    hidden_layer_sizes: int | Sequence[int] = (100,)
    activation: str = "relu"
    _: KW_ONLY
    solver: str = "adam"
    alpha: float = 0.0001
    batch_size: int | str = "auto"
    learning_rate_init: float = 0.001
    max_iter: int = 200
    shuffle: bool = True
    random_state: Any = None
    tol: float = 1e-4
    verbose: bool = False
    warm_start: bool = False
    momentum: float = 0.9
    early_stopping: bool = False
    validation_fraction: float = 0.1
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_iter_no_change: float = 10
    architecture: Architecture | None = None

    def _check(self) -> None:
        """ValueError, in one sentence, for the first parameter that is out of range."""
        for name, rule in RULES.items():
            value = getattr(self, name)
            if not rule.holds(value):
                raise ValueError(f"{name} is {value!r}, expected {rule.expected}")

    def _optimizer(self) -> dict[str, Any]:
        """The rule and its options, as the loop's settings take them."""
        solver = SOLVERS[self.solver]
        options = {option: float(getattr(self, name)) for option, name in solver.options.items()}
        return {"optimizer": solver.rule, "optimizer_options": options}


class Rule(NamedTuple):
    """What a parameter may be: as a function, and in words."""

    holds: Callable[[Any], bool]
    expected: str


def _number(least: float, below: float, expected: str, *, above: float = -math.inf) -> Rule:
    """A number of at least ``least``, above ``above`` and below ``below``."""
    return Rule(
        lambda value: isinstance(value, Real) and above < float(value) < below and float(value) >= least, expected
    )


def _one_of(table: Mapping[str, Any]) -> Rule:
    """A name."""
    return Rule(lambda value: isinstance(value, str) and value in table, f"one of {', '.join(table)}")


def _is_count(value: Any) -> bool:
    return isinstance(value, Integral) and int(value) >= 1


def _are_counts(sizes: Any) -> bool:
    return _is_count(sizes) or (np.ndim(sizes) == 1 and all(_is_count(size) for size in sizes))


FLAG = Rule(lambda value: isinstance(value, bool | np.bool_), "True or False")
FRACTION = _number(0, 1, "a number of at least 0 and below 1")
POSITIVE = _number(-math.inf, math.inf, "a finite number above 0", above=0)
AT_LEAST_ZERO = _number(0, math.inf, "a finite number of at least 0")

RULES: dict[str, Rule] = {
    "hidden_layer_sizes": Rule(_are_counts, "whole numbers of at least 1: units of each hidden layer"),
    "activation": _one_of(ACTIVATIONS),
    "solver": _one_of(SOLVERS),
    "alpha": AT_LEAST_ZERO,
    "batch_size": Rule(
        lambda value: value == "auto" if isinstance(value, str) else _is_count(value),
        "'auto' or a whole number of at least 1",
    ),
    "learning_rate_init": POSITIVE,
    "max_iter": Rule(_is_count, "a whole number of at least 1: epochs"),
    "shuffle": FLAG,
    "tol": AT_LEAST_ZERO,
    "verbose": Rule(lambda value: isinstance(value, bool | np.bool_ | Integral), "True or False"),
    "warm_start": FLAG,
    "momentum": FRACTION,
    "early_stopping": FLAG,
    "validation_fraction": _number(-math.inf, 1, "a number above 0 and below 1", above=0),
    "beta_1": FRACTION,
    "beta_2": FRACTION,
    "epsilon": POSITIVE,
    "n_iter_no_change": Rule(
        lambda value: _is_count(value) or (isinstance(value, float) and value == math.inf),
        "a whole number of at least 1, or infinity",
    ),
    "architecture": Rule(lambda value: value is None or isinstance(value, Architecture), "an Architecture or None"),
}
"""What each parameter may be. random_state is checked by scikit-learn."""
