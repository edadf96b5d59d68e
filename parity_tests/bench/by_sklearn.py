"""What is timed of scikit-learn: its own network, which trains by Adam as ours do."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from parity_tests.bench.sizes import FitData


def fit(data: FitData) -> Callable[[], object]:
    """MLPClassifier with the same layers, batches, epochs and rate, and without its penalty."""
    X, y = np.ascontiguousarray(data.X.T), data.Y.argmax(axis=0)
    settings = data.settings

    def run() -> object:
        net = MLPClassifier(
            data.size.hidden,
            alpha=0,
            batch_size=settings.batch_size,
            learning_rate_init=settings.learning_rate,
            max_iter=settings.epochs,
            random_state=settings.seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return net.fit(X, y)

    return run


TASKS: dict[str, Callable[[Any], Callable[[], object]]] = {"fit": fit}
"""What can be timed: functions of the data that return what is called again and again."""
