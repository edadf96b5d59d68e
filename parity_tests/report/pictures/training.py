"""Training seen from outside: cost curves of both packages, and decision boundaries."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import DecisionBoundaryDisplay

from manual import estimators, training
from manual.architecture import model_for
from manual.shared.cli import toy_datasets
from manual.shared.settings import Settings
from parity_tests.report.pictures.style import BLUE, BOTH_SIDES, ORANGE, Drawn, number, panels, styled
from torch_ref import estimators as torch_estimators
from torch_ref import training as torch_training

CURVES: tuple[tuple[str, str, Settings], ...] = (
    ("shallow", "moons", Settings(optimizer="adam", learning_rate=0.02, epochs=60, batch_size=64, lambda_=0.01)),
    ("wide", "digits", Settings(optimizer="momentum", learning_rate=0.2, epochs=20, batch_size=128, lambda_=0.1)),
)
"""Model, dataset and settings of the cost curves."""

PLANES = ("moons", "circles")
"""Datasets of two features, whose decision boundaries can be drawn."""

ON_PLANES: dict[str, Any] = {
    "hidden_layer_sizes": (8,), "activation": "tanh", "solver": "adam", "learning_rate_init": 0.03, "alpha": 0.0,
    "batch_size": 64, "max_iter": 120, "n_iter_no_change": 120,
}  # fmt: skip
"""Of the estimators: nothing stops them before their epochs are over."""

SIDES = {"by hand": estimators.NetworkClassifier, "torch": torch_estimators.NetworkClassifier}

CLASSES, LINE = (("#7a3d00", "o"), ("#0f3f73", "^")), "#101010"
"""Colour and mark of the examples of each class, and the colour of the boundary: they lie on the colours below."""

GRID, MARGIN, LEVELS, SHOWN = 60, 0.4, 9, 100
"""Points of the plane along each axis, the room around the examples, lines of equal probability, and examples of each
class."""


@styled
def costs(seed: int) -> Drawn:
    """The cost of each epoch by hand, and torch's over it."""
    drawn, parts = panels([f"{name} on {dataset}" for name, dataset, _ in CURVES])
    told = []
    for part, (name, dataset, settings) in zip(parts, CURVES, strict=True):
        data = toy_datasets().load(dataset, seed=seed)
        net = model_for(name, data)
        both = [fit(net, data.X_train, data.Y_train, settings) for fit in (training.fit, torch_training.fit)]
        by_hand, in_torch = (np.array([epoch.cost for epoch in run.history]) for run in both)
        panel = part.subplots()
        for values, color, width, alpha, side in (
            (by_hand, BLUE, 5, 0.5, "by hand"),
            (in_torch, ORANGE, 1.4, 1, "torch"),
        ):
            panel.plot(np.arange(1, len(values) + 1), values, color=color, linewidth=width, alpha=alpha, label=side)
        panel.set(title=f"{name} on {dataset}, {settings.optimizer}", xlabel="epoch", ylabel="cost J")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.legend()
        apart = np.max(np.abs(by_hand - in_torch) / by_hand) if len(by_hand) == len(in_torch) else np.inf
        told.append(
            f"{name} on {dataset} falls from {number(by_hand[0])} to {number(by_hand[-1])}, and the two are at most "
            f"{number(apart)} of the cost apart"
        )
    return Drawn(
        drawn, "The cost of every epoch, by hand and in torch",
        "The cost of every epoch by hand (broad) and in torch (narrow): one curve lies on the other. "
        f"{'; '.join(told)}.",
    )  # fmt: skip


@styled
def boundaries(seed: int) -> Drawn:
    """The probability of class 1 over the plane, by hand beside torch."""
    drawn, parts = panels([f"{dataset}, {side}" for dataset in PLANES for side in SIDES], height=3.5)
    remaining, told = iter(parts), []
    for dataset in PLANES:
        data = toy_datasets().load(dataset, seed=seed)
        shown, right = [], []
        for side, kind in SIDES.items():
            panel = next(remaining).subplots()
            estimator = kind(**ON_PLANES, random_state=seed)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # so many epochs are meant
                estimator.fit(data.X_train.T, data.Y_train[0])
            shown.append(_boundary(panel, estimator, data).response)
            right.append(estimator.score(data.X_test.T, data.Y_test[0]))
            panel.set(title=f"{dataset}, {side}", xlabel="feature 1", ylabel="feature 2")
        apart = np.max(np.abs(shown[0] - shown[1]))
        told.append(
            f"on {dataset} {right[0]:.1%} by hand and {right[1]:.1%} in torch of the test part are right, and the "
            f"probabilities are at most {number(apart)} apart"
        )
    return Drawn(
        drawn, "Decision boundaries of networks trained by hand and in torch",
        "The probability of class 1 over the plane of two features (deep blue: 1, deep orange: 0), from networks of "
        f"{ON_PLANES['hidden_layer_sizes'][0]} tanh units trained by hand and in torch from the same start; the line "
        f"is a half, circles are examples of class 0, triangles of class 1: {'; '.join(told)}.",
    )  # fmt: skip


def _boundary(panel: Axes, estimator: Any, data: Any) -> DecisionBoundaryDisplay:
    """The plane under the training examples."""
    shown = DecisionBoundaryDisplay.from_estimator(
        estimator, data.X_train.T, grid_resolution=GRID, eps=MARGIN, response_method="predict_proba",
        class_of_interest=1, plot_method="contourf", levels=np.linspace(0, 1, LEVELS), cmap=BOTH_SIDES,
        alpha=0.8, ax=panel,
    )  # fmt: skip
    shown.plot(ax=panel, plot_method="contour", levels=[0.5], colors=[LINE], xlabel="", ylabel="")
    for kind, (color, marker) in enumerate(CLASSES):
        chosen = data.X_train[:, data.Y_train[0] == kind][:, :SHOWN]
        panel.scatter(chosen[0], chosen[1], s=13, color=color, marker=marker, edgecolors="white", linewidths=0.3)
    return shown
