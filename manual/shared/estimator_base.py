"""scikit-learn's face of a network, without the network: parameters, checks, targets, what a fit leaves. No formula.

``manual.estimators`` and ``torch_ref.estimators`` add who computes. Everything random is drawn here and in the loop,
so that one ``random_state`` means the same split, weights and batches to both.
"""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.base import is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.validation import check_is_fitted, validate_data

from manual.architecture import Architecture
from manual.layers import Dense
from manual.notation import Array, Parameters
from manual.shared.estimator_settings import ACTIVATIONS, UNITS, NetworkParameters
from manual.shared.settings import Data, Examples, Run, Settings, WeightedExamples, batches, take

CHUNK = 1000
"""Examples that are answered at a time."""

DTYPES = (np.float64, np.float32)
"""Dtypes of X that are kept, and computed in; any other becomes float64."""

LARGEST_BATCH = 200
"""Examples in a batch at most, where the size is "auto"."""


class NetworkEstimator(NetworkParameters, ABC):
    """What classifier and regressor share: see NetworkParameters for what they take and leave."""

    loss_curve_: list[float]
    validation_scores_: list[float] | None

    @abstractmethod
    def _train(self, architecture: Architecture, data: Data, settings: Settings, **how: Any) -> Run:
        """The training of one package: its ``fit``."""

    @abstractmethod
    def _answers(self, architecture: Architecture, params: Parameters, X: Array) -> Array:
        """A[L] of one package, (n_L, m)."""

    @abstractmethod
    def _encoded(self, y: Any, fresh: bool, classes: Any) -> tuple[Array, str]:
        """The targets in rows, (m, n_L), and the output unit that they ask for; ``classes`` are all there will be."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for max_iter epochs at most, from new weights or, with warm_start, from those that are there.

        X is (m, n_x), or (m, n_H, n_W, n_C) where the architecture takes volumes; y (m,) or (m, n_L). Where there is a
        ``sample_weight`` w, (m,), the cost of a batch is (sum w L + alpha/2 sum W^2) / sum w, as in scikit-learn: a
        weight of 2 is an example twice, one of 0 is none.

        Raises ValueError for parameters out of range, and data that do not fit each other or the architecture.
        """
        return self._learn(X, y, sample_weight)

    def _one_epoch(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> Self:
        """partial_fit; ValueError with early_stopping."""
        if self.early_stopping:
            raise ValueError("early_stopping is True, expected False: partial_fit does not support early_stopping=True")
        return self._learn(X, y, sample_weight, one_epoch=True, classes=classes)

    def _learn(self, X: Any, y: Any, sample_weight: Any, *, one_epoch: bool = False, classes: Any = None) -> Self:
        """Fit, or go on for one epoch with the optimiser and the generator as they were."""
        self._check()
        fresh = not hasattr(self, "coefs_") or not (one_epoch or self.warm_start)
        rows, y = self._checked(X, y, fresh)
        weights = None
        if sample_weight is not None:
            weights = checked_weights(sample_weight, len(rows))
            rows, y, weights = rows[weights > 0], y[weights > 0], weights[weights > 0]
        Y, unit = self._encoded(y, fresh, classes)
        weights = self._by_class(y, weights, one_epoch)
        weights = None if weights is None or np.all(weights == 1) else weights.astype(rows.dtype)
        architecture = self._network(rows.shape[1], Y.shape[1], unit)
        if not fresh and architecture != self.architecture_:
            raise ValueError(
                f"the network is {architecture.describe()}, expected {self.architecture_.describe()}: "
                "warm_start and partial_fit go on with its weights"
            )
        random = check_random_state(self.random_state)
        seed = int(random.randint(np.iinfo(np.int32).max))
        data, validation = self._parts(architecture, rows, Y.astype(rows.dtype), weights, random)
        resume = None if fresh else self._resume(rows.dtype, None if one_epoch else seed)
        epochs = 1 + (resume.progress["epoch"] if resume else 0) if one_epoch else self.max_iter
        settings = self._settings(architecture, data.Y.shape[1], epochs, seed, one_epoch)
        with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is said in one sentence
            run = self._train(
                architecture, data, settings, validation=validation, resume=resume, on_epoch=self._reporter()
            )
        self._keep(run, fresh)
        if run.explosion:
            warnings.warn(run.explosion.sentence(), ConvergenceWarning, stacklevel=3)
        elif not (run.stopped or one_epoch):
            warnings.warn(
                f"max_iter is {self.max_iter} epochs, and the fit has not come to rest within tol = {self.tol:g}: "
                "more epochs or another learning_rate_init may help",
                ConvergenceWarning,
                stacklevel=3,
            )
        return self

    def _checked(self, X: Any, y: Any, fresh: bool) -> tuple[Array, Any]:
        """X in rows of features, float32 or float64, and y with as many examples."""
        rows, y = validate_data(
            self,
            in_rows(X, self.architecture),
            y,
            reset=fresh,
            dtype=DTYPES,
            multi_output=True,
            y_numeric=is_regressor(self),
        )
        return rows, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _network(self, n_x: int, n_L: int, unit: str) -> Architecture:
        """The architecture: the one that was given, or hidden layers of one unit.

        Raises ValueError where its inputs or outputs do not fit the data.
        """
        given = self.architecture
        if given is None:
            sizes = np.atleast_1d(np.asarray(self.hidden_layer_sizes, dtype=np.intp)).tolist()
            hidden = [Dense(n, ACTIVATIONS[self.activation]) for n in sizes]
            return Architecture(n_x, (*hidden, Dense(n_L, unit)))
        takes = math.prod(given.shape_of_input)
        if takes != n_x:
            raise ValueError(f"the architecture takes {takes} features, expected {n_x}: X has so many")
        if (given.outputs, given.output_unit) != (n_L, unit):
            raise ValueError(
                f"the architecture has {given.outputs} outputs of {given.output_unit}, expected {n_L} of {unit}: "
                "that is what y asks for"
            )
        return given

    def _by_class(self, y: Any, weights: Array | None, one_epoch: bool) -> Array | None:
        """The weights of the examples, times those of their classes where these have any."""
        return weights

    def _parts(
        self, architecture: Architecture, rows: Array, Y: Array, weights: Array | None, random: np.random.RandomState
    ) -> tuple[Data, Data | None]:
        """The examples as the network takes them, and those that early stopping looks at."""
        arrays = (rows, Y) if weights is None else (rows, Y, weights[:, None])
        if not self.early_stopping:
            return examples(architecture, *arrays), None
        parts = train_test_split(
            *arrays, test_size=self.validation_fraction, random_state=random, stratify=self._strata(Y)
        )
        checked = examples(architecture, *parts[1::2])
        if checked.Y.shape[1] < 2:
            raise ValueError(
                f"the validation set has {checked.Y.shape[1]} example, expected at least 2: "
                "a larger validation_fraction, or more data"
            )
        return examples(architecture, *parts[::2]), checked

    def _strata(self, Y: Array) -> Array | None:
        """What both parts of the data have in equal shares, as far as scikit-learn's do: two classes."""
        return None

    def _settings(self, architecture: Architecture, m: int, epochs: int, seed: int, one_epoch: bool) -> Settings:
        """The parameters in the loop's words."""
        size = min(LARGEST_BATCH, m) if isinstance(self.batch_size, str) else int(self.batch_size)
        if size > m:
            warnings.warn(
                f"batch_size is {size}, larger than the number of examples: it is clipped to {m}", stacklevel=4
            )
        return Settings(
            **self._optimizer(),
            learning_rate=float(self.learning_rate_init),
            epochs=int(epochs),
            batch_size=min(size, m),
            lambda_=float(self.alpha),
            patience=None if one_epoch else int(min(self.n_iter_no_change, self.max_iter)) + 1,
            tol=float(self.tol),
            initialization="he" if {"relu", "leaky_relu"} & set(architecture.activations) else "xavier",
            shuffle=bool(self.shuffle),
            seed=seed,
        )

    def _resume(self, dtype: Any, seed: int | None) -> Run:
        """What to go on from: with a seed, the weights alone and epochs counted anew; else everything as it was.

        Only a first fit's costs are judged by their first value: new examples may have other costs.
        """
        progress, state = self._progress, self._state
        if seed is not None:
            generator = np.random.default_rng(seed).bit_generator.state
            progress = {**progress, "epoch": 0, "step": 0, "seen": [], "generator": generator}
            state = {}
        progress = {**progress, "first": math.inf, "best": -math.inf, "waited": 0, "explosion": None}
        params = self._params(dtype)
        state = {name: value.astype(dtype) if value.ndim else value for name, value in state.items()}
        return Run(self.architecture_, params, [], state, "", None, progress)

    def _reporter(self) -> Callable[[Run], None] | None:
        """Prints an epoch's loss, where that is wanted."""
        if not self.verbose:
            return None

        def say(run: Run) -> None:
            epoch = run.history[-1]
            score = "" if epoch.validation_score is None else f", validation score = {epoch.validation_score:.6f}"
            print(f"Iteration {epoch.epoch}, loss = {epoch.cost:.8f}{score}")

        return say

    def _keep(self, run: Run, fresh: bool) -> None:
        """Set the attributes that a fit leaves.

        Raises ValueError where the cost or the weights are no longer finite.
        """
        finite = run.explosion is None or math.isfinite(run.explosion.cost)
        if not (finite and all(np.isfinite(value).all() for value in run.params.values())):
            raise ValueError(
                "the cost or the weights are no longer finite, expected finite ones: "
                "scaled inputs or a smaller learning_rate_init usually help"
            )
        architecture = self.architecture_ = run.architecture
        weights = [value for name, value in run.params.items() if name.startswith("W")]
        self.coefs_ = [W.T if W.ndim == 2 else W for W in weights]
        self.intercepts_ = [value.ravel() for name, value in run.params.items() if name.startswith("b")]
        self.running_statistics_ = {
            name: value for name, value in run.params.items() if name not in architecture.learned
        }
        self.n_layers_, self.n_outputs_ = len(architecture.shapes), architecture.outputs
        self.out_activation_ = UNITS[architecture.output_unit]
        self.n_iter_ = len(run.history)
        self._state, self._progress = run.state, {**run.progress, "history": []}
        before = [] if fresh else self.loss_curve_
        self.loss_curve_ = [*before, *(epoch.cost for epoch in run.history)]
        self.loss_ = self.loss_curve_[-1]
        self.best_loss_ = None if self.early_stopping else min(self.loss_curve_)
        scores = [epoch.validation_score for epoch in run.history if epoch.validation_score is not None]
        before = [] if fresh else self.validation_scores_ or []
        self.validation_scores_ = [*before, *scores] if self.early_stopping else None
        self.best_validation_score_ = max(self.validation_scores_) if self.validation_scores_ else None

    def _params(self, dtype: Any) -> Parameters:
        """coefs_, intercepts_ and running statistics in the notes' layout."""
        pairs = [value for pair in zip(self.coefs_, self.intercepts_, strict=True) for value in pair]
        shapes = self.architecture_.parameter_shapes
        turned = (value.T if value.ndim == 2 else value for value in pairs)
        values = {**dict(zip(self.architecture_.learned, turned, strict=True)), **self.running_statistics_}
        return {name: np.ascontiguousarray(values[name], dtype).reshape(shape) for name, shape in shapes.items()}

    def _outputs(self, X: Any) -> Array:
        """A[L] in rows: (m, n_L)."""
        check_is_fitted(self, "coefs_")
        rows = validate_data(self, in_rows(X, self.architecture_), reset=False, dtype=DTYPES)
        params, X = self._params(rows.dtype), turned(self.architecture_, rows)
        chunks = batches(len(rows), CHUNK, None)
        answers = [self._answers(self.architecture_, params, take(X, chunk)).T for chunk in chunks]
        return np.concatenate(answers)


def in_rows(X: Any, architecture: Architecture | None) -> Any:
    """Volumes as rows, where the architecture takes volumes; else X as it is.

    Raises ValueError for volumes of other sizes.
    """
    if architecture is None or isinstance(architecture.inputs, int) or np.ndim(X) == 2:
        return X
    volumes = np.asarray(X)
    if volumes.shape[1:] != architecture.inputs:
        raise ValueError(
            f"X has shape {volumes.shape}, expected (m, {', '.join(map(str, architecture.inputs))}) or rows of "
            f"{math.prod(architecture.inputs)} features: the architecture takes volumes"
        )
    return volumes.reshape(len(volumes), -1)


def checked_weights(given: Any, m: int) -> Array:
    """The weights of m examples; ValueError unless they are finite, none is below 0, and some are above."""
    weights = np.asarray(given, np.float64)
    if weights.shape != (m,):
        raise ValueError(f"sample_weight has shape {weights.shape}, expected ({m},): a weight for each example")
    if len(wrong := weights[~(np.isfinite(weights) & (weights >= 0))]):
        raise ValueError(f"sample_weight holds {wrong[0]}, expected finite numbers of at least 0")
    if not weights.any():
        raise ValueError("every sample_weight is zero, expected one above: there would be nothing to learn from")
    return weights


def examples(architecture: Architecture, rows: Array, Y: Array, *weights: Array) -> Data:
    """Inputs, targets and, where there are any, weights of examples in rows, as the network takes them."""
    found = Examples(turned(architecture, rows), Y.T)
    return WeightedExamples(*found, weights[0].T) if weights else found


def turned(architecture: Architecture, rows: Array) -> Array:
    """Examples in rows as the network takes them: columns, or volumes."""
    shape = architecture.shape_of_input
    return rows.T if len(shape) == 1 else rows.reshape(-1, *shape)
