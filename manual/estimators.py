"""The networks by hand behind scikit-learn's face: in a Pipeline, a cross-validation, a grid search.

Examples come in rows, as scikit-learn has them, and are transposed into the notes' columns once, here.
"""

from __future__ import annotations

from typing import Any

from manual import network, training
from manual.architecture import Architecture
from manual.notation import Array, Parameters
from manual.shared.estimator_base import NetworkEstimator
from manual.shared.estimator_targets import ClassifierBase, RegressorBase
from manual.shared.settings import Data, Run, Settings

__all__ = ["NetworkClassifier", "NetworkRegressor"]


class ByHand(NetworkEstimator):
    """NumPy and the formulas of the notes."""

    def _train(self, architecture: Architecture, data: Data, settings: Settings, **how: Any) -> Run:
        return training.fit(architecture, data.X, data.Y, settings, weights=data.weights, **how)

    def _answers(self, architecture: Architecture, params: Parameters, X: Array) -> Array:
        return network.forward(architecture, params, X).A[-1]


class NetworkClassifier(ClassifierBase, ByHand):
    """A network by hand for two classes, several classes or several labels.

    Parameters and attributes are those of sklearn.neural_network.MLPClassifier; manual.shared.estimator_settings says
    what differs, and what ``architecture`` takes.
    """


class NetworkRegressor(RegressorBase, ByHand):
    """A network by hand for one target or several.

    Parameters and attributes are those of sklearn.neural_network.MLPRegressor; manual.shared.estimator_settings says
    what differs, and what ``architecture`` takes.
    """
