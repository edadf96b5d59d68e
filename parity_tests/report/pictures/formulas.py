"""Single formulas drawn: activations, the spread of a signal through layers, loops beside array code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from manual.activations import ACTIVATIONS, softmax
from manual.architecture import Architecture, Dense
from manual.draws import SCALES, initial_parameters
from manual.notation import Array
from manual.theory import layer_spreads
from parity_tests.measured import measured
from parity_tests.report.pictures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    Drawn,
    number,
    panels,
    styled,
)

DEPTH, UNITS, EXAMPLES = 9, 100, 200
"""Of the networks whose signals are followed."""

SCHEMES = {
    "small": (RED, "-", "o", 1.6),
    "lecun": (BLUE, "-", "s", 5),
    "xavier": (GREEN, "--", "^", 1.6),
    "he": (PURPLE, "-", "D", 1.6),
}
"""Colour, line, marker and width; where all layers have one size, LeCun's and Xavier's are the same."""

LARGE = 1.0
"""The scale of weights that saturate tanh and let ReLU explode."""

OTHERS = 2
"""Scores beside the one that is varied, in softmax's panel; they are 0."""


@styled
def activations(_seed: int) -> Drawn:
    """Every activation with its derivative."""
    z = np.linspace(-4, 4, 161)
    names = [*(name.replace("_", " ") for name in ACTIVATIONS), "softmax of (z, 0, 0)"]
    drawn, parts = panels(names, width=3, height=2.4, columns=3)
    for part, unit in zip(parts, ACTIVATIONS.values(), strict=False):
        panel = part.subplots()
        panel.plot(z, unit.g(z), color=BLUE, label="g(z)")
        panel.plot(z, unit.g_prime(z), color=ORANGE, linestyle="--", label="g'(z)")
    A = softmax(np.stack([z, *[np.zeros_like(z)] * OTHERS]))
    panel = parts[-1].subplots()
    panel.plot(z, A[0], color=BLUE, label="a1")
    panel.plot(z, A[0] * (1 - A[0]), color=ORANGE, linestyle="--", label="da1/dz = a1(1-a1)")
    panel.plot(z, -A[0] * A[1], color=GREEN, linestyle=":", label="da2/dz = -a1 a2")
    for part, name in zip(parts, names, strict=True):
        panel = part.axes[0]
        panel.set(title=name, xlabel="z", ylim=(-1.4, 2.4))
        panel.legend(loc="upper left", borderaxespad=0, handlelength=1.5)
    steepest = {name: float(np.max(ACTIVATIONS[name].g_prime(z))) for name in ("sigmoid", "tanh")}
    return Drawn(
        drawn, "Activation functions and their derivatives",
        "Activations (full lines) and their derivatives (broken): the sigmoid's is at most "
        f"{number(steepest['sigmoid'])}, tanh's {number(steepest['tanh'])}, and both vanish away from 0; ReLU's is 0 "
        "or 1. Softmax has a derivative for every pair of outputs: its own score lifts an output and lowers the rest.",
    )  # fmt: skip


@styled
def spreads(seed: int) -> Drawn:
    """The standard deviation of every layer's activations, for each scheme of initial weights."""
    units = ("tanh", "relu")
    drawn, parts = panels([f"{DEPTH} layers of {UNITS} {unit} units" for unit in units])
    X = np.random.default_rng(seed).standard_normal((UNITS, EXAMPLES))
    last: dict[tuple[str, str], float] = {}
    for part, unit in zip(parts, units, strict=True):
        net = Architecture(UNITS, (*[Dense(UNITS, unit)] * DEPTH, Dense(1, "sigmoid")))
        panel = part.subplots()
        large = LARGE / SCALES["small"](UNITS, UNITS)
        kept = _spreads(net, "small", large, X, seed)
        panel.plot(kept, color=GREY, linestyle=":", marker="v", markersize=4, label=f"large: {LARGE:.3g}")
        last[unit, "large"] = kept[-1]
        for scheme, (color, line, marker, width) in SCHEMES.items():
            kept = _spreads(net, scheme, 1, X, seed)
            last[unit, scheme] = kept[-1]
            label = f"{scheme}: {SCALES[scheme](UNITS, UNITS):.3g}"
            alpha = 0.5 if width > 2 else 1
            panel.plot(kept, color=color, linestyle=line, linewidth=width, alpha=alpha, marker=marker, markersize=4,
                       label=label)  # fmt: skip
        panel.set(yscale="log", xlabel="layer l", ylabel="standard deviation of A[l]", title=part.get_label())
        panel.set_xticks(range(DEPTH + 1))
        part.legend(*panel.get_legend_handles_labels(), loc="outside lower center", ncols=3, title="scale of W")
    return Drawn(
        drawn, "The spread of activations by layer, for each scale of the initial weights",
        f"The spread of the activations, layer by layer, from weights as they were drawn. After {DEPTH} layers of "
        f"tanh, 0.01 leaves {number(last['tanh', 'small'])} of 1, LeCun's and Xavier's 1/sqrt(n) "
        f"{number(last['tanh', 'xavier'])}, and {LARGE:.3g} saturates every unit ({number(last['tanh', 'large'])}). "
        f"ReLU halves the square of the signal, which He's sqrt(2/n) makes good: {number(last['relu', 'he'])}, "
        f"against {number(last['relu', 'xavier'])} of Xavier's and {number(last['relu', 'large'])} from {LARGE:.3g}.",
    )  # fmt: skip


def _spreads(net: Architecture, scheme: str, factor: float, X: Array, seed: int) -> Array:
    """The spread of A[0] to that of the last hidden layer, with drawn weights times a factor."""
    params = initial_parameters(net, scheme, np.random.default_rng(seed))
    return layer_spreads(net, {name: factor * value for name, value in params.items()}, X)[:-1]


@styled
def loops(_seed: int) -> Drawn:
    """Microseconds of formulas as loops and as array code, over the number of examples: as the bench measured them."""
    values = measured("bench")
    by_formula: dict[str, list[Mapping[str, Any]]] = {}
    for line in values["loops"]:
        by_formula.setdefault(line["formula"], []).append(line)
    drawn, parts = panels(list(by_formula))
    lowest = min(line["vectorised_us"] for line in values["loops"]) / 2
    highest = max(line["loop_us"] for line in values["loops"]) * 6
    told = []
    for part, (formula, lines) in zip(parts, by_formula.items(), strict=True):
        panel = part.subplots()
        m = [line["m"] for line in lines]
        for form, key, color, marker in (("loop", "loop_us", RED, "s"), ("array code", "vectorised_us", BLUE, "o")):
            panel.plot(m, [line[key] for line in lines], color=color, marker=marker, markersize=5, label=form)
        for line in lines:
            panel.annotate(f"{line['loop/vectorised']:.0f} times", (line["m"], line["loop_us"]), (-6, 4),
                           textcoords="offset points", ha="right")  # fmt: skip
        panel.set(xscale="log", yscale="log", xlabel="examples m", ylabel="microseconds", title=formula)
        panel.set(xlim=(m[0] / 5, m[-1] * 2), ylim=(lowest, highest))
        panel.legend(loc="center right")
        told.append(f"{formula} {lines[-1]['loop/vectorised']:.0f} times as fast as its loop on {m[-1]} examples")
    about = values["environment"]
    return Drawn(
        drawn, "Time of loops and of array code over the number of examples",
        f"The same formula as a loop and as array code: {', '.join(told)}; the loop's time grows with every example, "
        "that of the array code hardly before a thousand. Not of this run: medians of "
        f"{values['rounds']} rounds of “python -m parity_tests bench”, {about['date']}, "
        f"{about['processor']}, NumPy {about['numpy']}.",
    )  # fmt: skip
