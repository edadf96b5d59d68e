"""What the networks behind scikit-learn's face predict: classes, labels, numbers. No formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from manual.notation import Array
from manual.shared.class_weights import BALANCED, by_class
from manual.shared.estimator_base import NetworkEstimator


@dataclass(eq=False, repr=False, kw_only=True)
class ClassifierBase(ClassifierMixin, NetworkEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Two classes, several classes, or several labels of which each is there or not: y is (m, n_L), of 0 and 1.

    ``classes_`` are the classes, or the numbers of the labels. ``class_weight`` is a weight for each class, by which
    the weights of its examples are multiplied: a dict, in which 1 is left out, or "balanced", sum w / (n sum_k w) of n
    classes, with the sums over all examples and over those of class k, so that all classes count alike.
    """

    class_weight: Mapping[Any, Any] | str | None = None

    def _by_class(self, y: Any, weights: Array | None, one_epoch: bool) -> Array | None:
        given = self.class_weight
        if given is None:
            return weights
        if one_epoch and given == BALANCED:
            raise ValueError("class_weight is 'balanced', expected a dict: partial_fit does not see all examples")
        if type_of_target(y).startswith("multilabel"):
            raise ValueError("class_weight is given and y has several labels, expected None: no example has one class")
        weights = np.ones(len(y)) if weights is None else weights
        return by_class(given, self.classes_.tolist(), np.searchsorted(self.classes_, y), weights)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch more: weights, optimiser and generator go on from where they were.

        ``classes`` are all the classes there will be; the first call needs them.

        Raises ValueError where they are missing or differ from the first call's. See fit.
        """
        first = not hasattr(self, "coefs_")
        if first and classes is None:
            raise ValueError("classes is None, expected all there will be: the first call to partial_fit needs them")
        if not first and classes is not None and not np.array_equal(unique_labels(classes), self.classes_):
            raise ValueError(f"classes is {classes}, expected {self.classes_}: those of the first call to partial_fit")
        return self._one_epoch(X, y, sample_weight, classes)

    def _encoded(self, y: Any, fresh: bool, classes: Any) -> tuple[Array, str]:
        check_classification_targets(y)
        multilabel = type_of_target(y).startswith("multilabel")
        if fresh:
            binarizer = LabelBinarizer().fit(y if classes is None or multilabel else classes)
            if len(binarizer.classes_) < 2:
                raise ValueError(f"y has 1 class, {binarizer.classes_[0]!r}, expected at least 2 to tell apart")
            self._binarizer, self.classes_ = binarizer, binarizer.classes_
        if len(unknown := np.setdiff1d(unique_labels(y), self.classes_)):
            raise ValueError(f"y has the classes {unknown}, expected none but {self.classes_}: those announced before")
        Y = self._binarizer.transform(y)
        if self._binarizer.y_type_ == "multiclass":
            return Y, "softmax"
        if not multilabel and self.architecture is not None and self.architecture.output_unit == "softmax":
            return np.hstack([1 - Y, Y]), "softmax"
        return Y, "sigmoid"

    def _strata(self, Y: Array) -> Array | None:
        return Y[:, -1] if self._binarizer.y_type_ == "binary" else None

    def predict_proba(self, X: Any) -> Array:
        """The probability of every class, (m, n_classes), or of every label by itself. X is as in fit."""
        A_L = self._outputs(X)
        return np.hstack([1 - A_L, A_L]) if A_L.shape[1] == 1 else A_L

    def predict(self, X: Any) -> Array:
        """The most probable class, (m,), or every label whose probability exceeds 1/2, (m, n_L). X is as in fit."""
        probabilities = self.predict_proba(X)
        if self._binarizer.y_type_.startswith("multilabel"):
            return (probabilities > 0.5).astype(int)
        return self.classes_.take(probabilities.argmax(axis=1))  # type: ignore[no-any-return]

    def __sklearn_tags__(self) -> Any:
        """Several labels are taken too."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class RegressorBase(RegressorMixin, NetworkEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """One target, y (m,), or several, y (m, n_L)."""

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch more: weights, optimiser and generator go on from where they were. See fit."""
        return self._one_epoch(X, y, sample_weight)

    def _encoded(self, y: Any, fresh: bool, classes: Any) -> tuple[Array, str]:
        return y.reshape(len(y), -1), "identity"

    def predict(self, X: Any) -> Array:
        """The predicted targets, (m,) or (m, n_L). X is as in fit."""
        A_L = self._outputs(X)
        return A_L.ravel() if A_L.shape[1] == 1 else A_L

    def __sklearn_tags__(self) -> Any:
        """Several targets are taken too."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
