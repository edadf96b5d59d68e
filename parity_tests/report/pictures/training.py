"""Training seen from outside: cost curves of both packages, decision boundaries, learning rates, what filters learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.inspection import DecisionBoundaryDisplay

from manual import network, training
from manual.architecture import Architecture, model_for
from manual.cli import toy_datasets
from manual.learning import Run, Settings
from manual.notation import Array
from parity_tests.report.pictures.style import BLUE, GREY, ORANGE, RED, figure, styled
from torch_ref import network as torch_network
from torch_ref import training as torch_training
from torch_ref.devices import array, tensor

CURVES: tuple[tuple[str, str, Settings], ...] = (
    ("shallow", "moons", Settings(optimizer="adam", learning_rate=0.02, epochs=60, batch_size=64, lambda_=0.01)),
    ("wide", "digits", Settings(optimizer="momentum", learning_rate=0.2, epochs=20, batch_size=128, lambda_=0.1)),
)
"""Model, dataset and settings of the cost curves."""

PLANES = ("moons", "circles")
"""Datasets of two features, whose decision boundaries can be drawn."""

ON_PLANES = Settings(optimizer="adam", learning_rate=0.03, epochs=120, batch_size=64)
HIDDEN = (8,)

RATES = np.logspace(-4, 1.5, 12)
SCAN_EPOCHS = 5

IMAGES = Settings(optimizer="adam", learning_rate=0.002, epochs=4, batch_size=64)

BOTH_SIDES = LinearSegmentedColormap.from_list("both sides", [ORANGE, "#f2f2f2", BLUE])
"""From one class, or sign, to the other."""

CLASSES, LINE = (("#7a3d00", "o"), ("#0f3f73", "^")), "#101010"
"""Colour and mark of the examples of each class, and the colour of the boundary: they lie on the colours above."""

GRID, LEVELS, SHOWN = 60, 9, 100
"""Points of the plane along each axis, lines of equal probability, and examples of each class."""


@styled
def costs(seed: int) -> Figure:
    """The cost of each epoch by hand, and torch's over it."""
    drawn = figure(9, 3.2)
    for panel, (name, dataset, settings) in zip(drawn.subplots(1, len(CURVES)), CURVES, strict=True):
        data = toy_datasets().load(dataset, seed=seed)
        net = model_for(name, data)
        both = [fit(net, data.X_train, data.Y_train, settings) for fit in (training.fit, torch_training.fit)]
        by_hand, in_torch = (np.array([epoch.cost for epoch in run.history]) for run in both)
        epochs = np.arange(1, len(by_hand) + 1)
        panel.plot(epochs, by_hand, color=BLUE, linewidth=4, alpha=0.6, label="by hand")
        panel.plot(epochs[: len(in_torch)], in_torch, color=ORANGE, linewidth=1.4, label="torch")
        apart = np.max(np.abs(by_hand - in_torch) / by_hand)
        panel.set(title=f"{name} on {dataset}: at most {apart:.0e} apart", xlabel="epoch", ylabel="cost")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.legend()
    return drawn


@styled
def boundaries(seed: int) -> Figure:
    """The probability of class 1 over the plane, by hand beside torch."""
    drawn = figure(9, 7)
    panels = drawn.subplots(len(PLANES), 2, sharex="row", sharey="row")
    for row, dataset in zip(panels, PLANES, strict=True):
        data = toy_datasets().load(dataset, seed=seed)
        net = model_for("shallow", data, HIDDEN)
        sides = (("by hand", training.fit, _by_hand), ("torch", torch_training.fit, _in_torch))
        for panel, (side, fit, answer) in zip(row, sides, strict=True):
            run = fit(net, data.X_train, data.Y_train, ON_PLANES)
            _boundary(panel, net, run, data, answer)
            panel.set(title=f"{dataset}, {side}", xlabel="feature 1", ylabel="feature 2")
    return drawn


def _boundary(panel: Axes, net: Architecture, run: Run, data: Any, answer: Any) -> None:
    low, high = data.X_train.min(axis=1) - 0.4, data.X_train.max(axis=1) + 0.4
    xx0, xx1 = np.meshgrid(np.linspace(low[0], high[0], GRID), np.linspace(low[1], high[1], GRID))
    response = answer(net, run, np.stack([xx0.ravel(), xx1.ravel()])).reshape(xx0.shape)
    shown = DecisionBoundaryDisplay(xx0=xx0, xx1=xx1, n_classes=2, response=response)
    shown.plot(ax=panel, plot_method="contourf", levels=np.linspace(0, 1, LEVELS), cmap=BOTH_SIDES, alpha=0.8)
    shown.plot(ax=panel, plot_method="contour", levels=[0.5], colors=[LINE])
    for kind, (color, marker) in enumerate(CLASSES):
        chosen = data.X_train[:, data.Y_train[0] == kind][:, :SHOWN]
        panel.scatter(chosen[0], chosen[1], s=11, color=color, marker=marker, edgecolors="white", linewidths=0.3)


def _by_hand(net: Architecture, run: Run, X: Array) -> Array:
    return network.forward(net, run.params, X).A[-1]


def _in_torch(net: Architecture, run: Run, X: Array) -> Array:
    with torch.no_grad():
        return array(torch_network.forward(torch_network.module_with(net, run.params), tensor(X)).A[-1])


@styled
def rates(seed: int) -> Figure:
    """The cost after a few epochs of gradient descent, for learning rates over five decades."""
    data = toy_datasets().load("digits", seed=seed)
    net = model_for("wide", data)
    drawn = figure(7, 3.2)
    panel = drawn.subplots()
    runs = [
        training.fit(
            net,
            data.X_train,
            data.Y_train,
            Settings(optimizer="gradient_descent", learning_rate=float(rate), epochs=SCAN_EPOCHS, batch_size=64),
        )
        for rate in RATES
    ]
    first = np.log(net.outputs)
    kept = np.array([not run.stopped for run in runs])
    ends = np.array([run.history[-1].cost if run.history else np.nan for run in runs])
    panel.plot(RATES[kept], ends[kept], marker="o", markersize=4, color=BLUE, label=f"after {SCAN_EPOCHS} epochs")
    panel.axhline(first, color=GREY, linestyle="--", linewidth=1, label="knows nothing: log 10")
    panel.scatter(RATES[~kept], np.full((~kept).sum(), 3 * first), marker="x", color=RED, label="stopped: exploded")
    panel.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="cost", title="wide on digits")
    panel.legend()
    return drawn


def _trained_on_images(seed: int) -> tuple[Any, Architecture, Run]:
    data = toy_datasets().load("digits", seed=seed)
    net = model_for("convnet", data)
    return data, net, training.fit(net, data.images_train, data.Y_train, IMAGES)


@styled
def filters(seed: int) -> Figure:
    """The first layer's filters after training."""
    _, _, run = _trained_on_images(seed)
    W = run.params["W1"]
    drawn = figure(9, 2.6)
    largest = np.abs(W).max()
    for c, panel in enumerate(drawn.subplots(2, W.shape[3] // 2).flat):
        panel.imshow(W[:, :, 0, c], cmap=BOTH_SIDES, vmin=-largest, vmax=largest)
        _bare(panel, str(c + 1))
    return drawn


@styled
def feature_maps(seed: int) -> Figure:
    """What the filters make of one digit."""
    data, net, run = _trained_on_images(seed)
    image = data.images_test[:1]
    A = network.forward(net, run.params, image).A[1][0]
    drawn = figure(9, 2.6)
    panels = drawn.subplots(2, A.shape[2] // 2 + 1)
    for panel in panels[:, 0]:
        panel.set_axis_off()
    panels[0, 0].imshow(image[0, :, :, 0], cmap="gray")
    panels[0, 0].set_title(f"a {int(data.Y_test[:, 0].argmax())}")
    for c, panel in enumerate(panels[:, 1:].flat):
        panel.imshow(A[:, :, c], cmap="gray", vmin=0, vmax=A.max())
        _bare(panel, str(c + 1))
    return drawn


def _bare(panel: Axes, title: str) -> None:
    """An image without ticks."""
    panel.set_xticks([])
    panel.set_yticks([])
    panel.grid(visible=False)
    panel.set_title(title, fontsize=8)
