"""Steps 7 and 8 of the recipe, drawn: the scan of learning rates, the coarse and the fine search."""

from __future__ import annotations

from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.patches import Rectangle

from manual.architecture import Architecture, model_for
from manual.recipe.run import VALIDATION, Plan, backend
from manual.recipe.search import Searched, scan, search
from manual.shared.cli import toy_datasets
from manual.shared.search_ranges import COARSE, FINE, Range
from manual.shared.settings import Examples, Settings, held_back
from parity_tests.report.pictures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    RED,
    Drawn,
    number,
    panels,
    styled,
)

MODEL, DATASET = "wide", "digits"

DRAWS = 50
"""Of each search: half of what the recipe takes are enough to see it."""

DTYPE = np.float32
"""What the recipe's command computes in."""

SCORES = LinearSegmentedColormap.from_list("scores", mpl.colormaps["viridis"](np.linspace(0.25, 1, 64)))
"""Without the end that is lost on a dark page."""

VERDICTS = {"too small": (GREY, "v"), "learns": (GREEN, "o"), "too high": (ORANGE, "^"), "explodes": (RED, "X")}
"""Colour and marker of the scan's verdicts."""


class _Subject(NamedTuple):
    """What the recipe is taken on."""

    architecture: Architecture
    data: Examples
    settings: Settings
    plan: Plan


def _subject(seed: int) -> _Subject:
    """Data and settings as the recipe's command has them."""
    loaded = toy_datasets().load(DATASET, seed=seed)
    net = model_for(MODEL, loaded)
    data = Examples(loaded.X_train.astype(DTYPE), loaded.Y_train.astype(DTYPE))
    plan = Plan(seed=seed, fine=FINE, draws=DRAWS)
    size = plan.batch(held_back(data, VALIDATION)[0].Y.shape[1])
    settings = Settings(
        optimizer=plan.optimizer, initialization=plan.initialization, seed=seed, epochs=plan.epochs, batch_size=size,
        decay="exponential", decay_options={"decay": 0.9},
    )  # fmt: skip
    return _Subject(net, data, settings, plan)


@styled
def rates(seed: int) -> Drawn:
    """The cost after a few epochs, for learning rates in powers of ten: the recipe's own scan."""
    net, data, settings, _ = _subject(seed)
    with np.errstate(over="ignore", invalid="ignore"):
        step = scan(backend(), net, data, settings, lambda: None)
    rows = step.numbers["rates"]
    drawn, parts = panels([f"{MODEL} on {DATASET}"], height=3.4)
    panel = parts[0].subplots()
    panel.plot([row["learning_rate"] for row in rows], [row["cost"] for row in rows], color=BLUE, linewidth=1)
    for verdict, (color, marker) in VERDICTS.items():
        found = [(row["learning_rate"], row["cost"]) for row in rows if row["verdict"] == verdict]
        if found:
            panel.plot(*zip(*found, strict=True), linestyle="", marker=marker, markersize=7, color=color, label=verdict)
    first = rows[0]["first"]
    panel.axhline(first, color=INK, linestyle="--", linewidth=1, label=f"before: {first:.3g}")
    panel.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="cost J", title=f"{MODEL} on {DATASET}, adam")
    panel.legend()
    costs = {row["learning_rate"]: row["cost"] for row in rows}
    burst = [row["learning_rate"] for row in rows if row["verdict"] == "explodes"]
    best = step.numbers["best"]
    return Drawn(
        drawn, "The cost after a few epochs, by learning rate",
        f"The scan of the recipe, on a logarithmic scale: with the learning rate {rows[0]['learning_rate']:g} the cost "
        f"goes from {first:.3g} no farther than {rows[0]['cost']:.3g}; {best:g} does best, with {number(costs[best])}; "
        + (f"{burst[0]:g} makes it explode, to {number(costs[burst[0]])}, and ends the scan." if burst
           else "none makes it explode."),
    )  # fmt: skip


@styled
def searches(seed: int) -> Drawn:
    """The coarse draws with the notes' fine range on them, and the fine draws, coloured by validation accuracy."""
    coarse, fine = searched(seed)
    drawn, parts = panels([f"coarse search: {len(coarse.trials)} draws", f"fine search: {len(fine.trials)} draws"],
                          height=3.5)  # fmt: skip
    scores = [each.score for found in (coarse, fine) for each in found.trials if not each.exploded]
    scale = Normalize(min(scores), max(scores))
    for part, found in zip(parts, (coarse, fine), strict=True):
        panel = part.subplots()
        kept = [each for each in found.trials if not each.exploded][::-1]  # the best on top
        shown = panel.scatter(
            [each.learning_rate for each in kept], [each.reg for each in kept], c=[each.score for each in kept],
            norm=scale, cmap=SCORES, s=26, edgecolors=GREY, linewidths=0.6,
        )  # fmt: skip
        burst = [each for each in found.trials if each.exploded]
        if burst:
            panel.scatter([each.learning_rate for each in burst], [each.reg for each in burst], marker="x", color=RED,
                          label="exploded")  # fmt: skip
        best = found.trials[0]
        panel.scatter([best.learning_rate], [best.reg], s=120, facecolors="none", edgecolors=INK, linewidths=1.3,
                      label=f"best: {best.score:.1%}")  # fmt: skip
        panel.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="reg", title=part.get_label())
        _frame(panel, fine.learning_rate, fine.reg)
        part.legend(*panel.get_legend_handles_labels(), loc="outside lower center", ncols=3)
        part.colorbar(shown, ax=panel, label="validation accuracy")
    inside = [each for each in coarse.trials if _holds(fine.learning_rate, each.learning_rate) and
              _holds(fine.reg, each.reg)]  # fmt: skip
    medians = [float(np.median([each.score for each in found])) for found in (coarse.trials, fine.trials)]
    return Drawn(
        drawn, "Coarse and fine search for the learning rate and the penalty",
        f"Each point a network, trained for {Plan().epochs} epochs; both axes are logarithmic, as the draws are. "
        f"Coarse: reg = {coarse.reg}, learning rate = {coarse.learning_rate}; the best of {len(coarse.trials)} has an "
        f"accuracy of {coarse.trials[0].score:.1%} on the validation part, the median {medians[0]:.1%}. The frame is "
        f"the notes' fine range, reg = {fine.reg}, learning rate = {fine.learning_rate}, which {len(inside)} of them "
        f"hit; {len(fine.trials)} draws in it: at best {fine.trials[0].score:.1%}, the median {medians[1]:.1%}. The "
        f"best lies at a learning rate of {fine.trials[0].learning_rate:.2g}; the best tenth has a reg of at most "
        f"{number(max(each.reg for each in fine.trials[: -(-len(fine.trials) // 10)]))}.",
    )  # fmt: skip


def searched(seed: int) -> tuple[Searched, Searched]:
    """The two searches of the recipe, in the notes' own ranges (F255 to F262)."""
    net, data, settings, plan = _subject(seed)
    parts, rng = held_back(data, VALIDATION), np.random.default_rng(seed)
    with np.errstate(over="ignore", invalid="ignore"):  # draws that explode are marked
        coarse, fine = (
            search(backend(), net, parts, settings, ranges, plan.draws, plan.jobs, rng, lambda: None)
            for ranges in (COARSE, FINE)
        )
    return coarse, fine


def _holds(limits: Range, value: float) -> bool:
    """Whether a value lies in a range."""
    return bool(limits.low <= np.log10(value) <= limits.high)


def _frame(panel: Axes, rate: Range, reg: Range) -> None:
    """The fine range."""
    low, high = (10.0**rate.low, 10.0**reg.low), (10.0**rate.high, 10.0**reg.high)
    panel.add_patch(
        Rectangle(low, high[0] - low[0], high[1] - low[1], fill=False, edgecolor=ORANGE, linewidth=1.8, linestyle="--",
                  label="fine range")
    )  # fmt: skip
