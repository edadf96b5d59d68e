"""Single formulas drawn: activations, the spread of a signal through layers, loops beside array code, one graph."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from manual import dense, logistic_regression
from manual.activations import ACTIVATIONS
from manual.architecture import Architecture, Dense
from manual.cli import toy_datasets
from manual.draws import initial_parameters
from manual.theory import layer_spreads
from parity_tests.report.pictures.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, figure, styled

DEPTH, WIDTH, EXAMPLES = 9, 100, 200
"""Of the networks whose signals are followed."""

SCHEMES = {"small": (RED, "-"), "lecun": (BLUE, "-"), "xavier": (GREEN, "--"), "he": (PURPLE, "-")}
"""Colour and line; where all layers have one size, LeCun's and Xavier's are the same."""

COUNTS = (1, 3, 10, 30, 100, 300)
"""Examples that loops and array code are timed on."""

UNITS, UNITS_BELOW = 10, 20
REPEATS = 5


@styled
def activations(_seed: int) -> Figure:
    """Every activation with its derivative."""
    z = np.linspace(-4, 4, 161)
    drawn = figure(9, 4.2)
    panels = drawn.subplots(2, 3)
    for panel, (name, unit) in zip(panels.flat, ACTIVATIONS.items(), strict=False):
        panel.plot(z, unit.g(z), color=BLUE, label="g(z)")
        panel.plot(z, unit.g_prime(z), color=ORANGE, linestyle="--", label="g'(z)")
        panel.set(title=name.replace("_", " "), ylim=(-1.4, 2.4))
        panel.legend(loc="upper left")
    for panel in panels.flat[len(ACTIVATIONS) :]:
        panel.set_axis_off()
    return drawn


@styled
def spreads(seed: int) -> Figure:
    """The standard deviation of every layer's activations, for each scheme of initial weights."""
    drawn = figure(9, 3.2)
    X = np.random.default_rng(seed).standard_normal((WIDTH, EXAMPLES))
    for panel, unit in zip(drawn.subplots(1, 2, sharey=True), ("tanh", "relu"), strict=True):
        net = Architecture(WIDTH, (*[Dense(WIDTH, unit)] * DEPTH, Dense(1, "sigmoid")))
        for scheme, (color, line) in SCHEMES.items():
            params = initial_parameters(net, scheme, np.random.default_rng(seed))
            kept = layer_spreads(net, params, X)[:-1]
            panel.plot(kept, color=color, linestyle=line, marker="o", markersize=3, label=scheme)
        panel.set(yscale="log", xlabel="layer", title=f"{DEPTH} layers of {WIDTH} {unit} units")
        panel.legend()
    drawn.axes[0].set_ylabel("spread of A")
    return drawn


@styled
def loops(seed: int) -> Figure:
    """Microseconds of two formulas, as loops and as array code, over the number of examples."""
    rng = np.random.default_rng(seed)
    drawn = figure(9, 3.2)
    for panel, name in zip(drawn.subplots(1, 2, sharey=True), ("linear_forward", "weight_gradient"), strict=True):
        for form, color, marker in ((f"{name}_loop", RED, "s"), (name, BLUE, "o")):
            times = []
            for m in COUNTS:
                A, W = rng.standard_normal((UNITS_BELOW, m)), rng.standard_normal((UNITS, UNITS_BELOW))
                last = rng.standard_normal((UNITS, 1))
                inputs = (A, W, last) if name == "linear_forward" else (rng.standard_normal((UNITS, m)), A, W)
                times.append(_microseconds(partial(getattr(dense, form), *inputs)))
            panel.plot(COUNTS, times, color=color, marker=marker, markersize=4, label=form)
        panel.set(xscale="log", yscale="log", xlabel="examples m", title=f"{name}, {UNITS_BELOW} inputs, {UNITS} units")
        panel.legend()
    drawn.axes[0].set_ylabel("microseconds")
    return drawn


def _microseconds(call: Callable[[], object]) -> float:
    """The shortest of a few runs."""
    return 1e6 * min(timeit.repeat(call, number=1, repeat=REPEATS))


@styled
def graph(seed: int) -> Figure:
    """One example through one unit: values above, derivatives of the loss below."""
    data = toy_datasets().load("moons", seed=seed)
    x, y = data.X_train[:, :1], float(data.Y_train[0, 0])
    w, b = np.random.default_rng(seed).standard_normal((2, 1)), 0.3
    at = logistic_regression.one_example(w, b, x, y)
    drawn = figure(9, 3.6)
    panel = drawn.subplots()
    panel.set_axis_off()
    panel.set(xlim=(0, 10), ylim=(0, 5))
    leaves = [
        *((f"x{j + 1} = {x[j, 0]:.3f}", "", 4.7 - 2 * j) for j in range(2)),
        *((f"w{j + 1} = {w[j, 0]:.3f}", f"dw{j + 1} = {at.dw[j, 0]:.3f}", 3.7 - 2 * j) for j in range(2)),
        (f"b = {b:.3f}", f"db = {at.db:.3f}", 0.7),
    ]
    for value, slope, height in leaves:
        _node(panel, 1.1, height, value, slope)
        _arrow(panel, (2.1, height), (3.3, 2.7))
    nodes = [
        (4.3, "z = w x + b", at.z, "dz = a - y", at.dz),
        (6.6, "a = sigmoid(z)", at.a, "da", at.da),
        (8.9, f"L(a, y = {y:g})", at.L, "", None),
    ]
    for place, (x_at, name, value, slope_name, slope) in enumerate(nodes):
        _node(panel, x_at, 2.7, f"{name}\n= {value:.3f}", "" if slope is None else f"{slope_name} = {slope:.3f}")
        if place:
            _arrow(panel, (nodes[place - 1][0] + 1.0, 2.7), (x_at - 1.0, 2.7))
    return drawn


def _node(panel: Axes, x: float, y: float, value: str, slope: str) -> None:
    tall = 0.4 + 0.35 * value.count("\n")
    box = FancyBboxPatch((x - 0.95, y - tall / 2), 1.9, tall, "round,pad=0.05", facecolor="none", edgecolor=GREY)
    panel.add_patch(box)
    panel.text(x, y, value, ha="center", va="center", color=INK, fontsize=9)
    if slope:
        panel.text(x, y - tall / 2 - 0.24, slope, ha="center", va="center", color=ORANGE, fontsize=9, weight="bold")


def _arrow(panel: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    panel.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": GREY, "linewidth": 1.2})
