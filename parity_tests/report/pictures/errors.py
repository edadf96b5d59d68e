"""The error of every quantity beside its bound, layer by layer and step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from parity_tests.report.measure import DTYPES, Trace
from parity_tests.report.pictures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    RED,
    Drawn,
    number,
    panels,
    styled,
)


class Mark(NamedTuple):
    """How a quantity's points look."""

    color: str
    marker: str


QUANTITIES = {
    "Z": Mark(BLUE, "o"),
    "A": Mark(GREEN, "s"),
    "dA": Mark(ORANGE, "^"),
    "dZ": Mark(RED, "v"),
    "dW": Mark(PURPLE, "D"),
    "db": Mark(GREY, "P"),
}

LAYER_WIDTH = 0.8
"""Of a layer's place on the axis; the steps lie side by side in it."""

LEAST = 1e-6
"""The smallest share of a bound that is drawn as it is."""

ABOVE = 5.0
"""How much room there is above the bound, and above the largest share, as a factor."""


@styled
def errors(traces: Sequence[Trace], model: str, dataset: str) -> Drawn:
    """One model: a panel for each dtype, in it every step's worst entry as a share of its bound."""
    drawn, parts = panels(DTYPES)
    shown = [trace for trace in traces if trace.quantity in QUANTITIES and trace.layer is not None]
    top = ABOVE * max([1.0, *(share for trace in shown for share in trace.ratios if np.isfinite(share))])
    for part, dtype in zip(parts, DTYPES, strict=True):
        panel = part.subplots()
        layers, steps = set[int](), 0
        for trace in shown:
            if trace.dtype == dtype and trace.layer is not None:
                layers.add(trace.layer)
                steps = max(steps, len(trace.ratios))
                _draw(panel, trace, trace.layer, top)
        panel.axhline(1, color=INK, linewidth=1.2, label="the bound")
        panel.annotate("the bound", (1, 1), (0, 2), xycoords=("axes fraction", "data"), textcoords="offset points",
                       ha="right")  # fmt: skip
        panel.set(yscale="log", title=dtype, ylabel="error / bound", ylim=(LEAST, top))
        panel.minorticks_off()
        panel.set_xlabel(f"layer, its {steps} steps side by side")
        panel.set_xticks(sorted(layers), [str(l) for l in sorted(layers)])
        marks = [Line2D([], [], color=each.color, marker=each.marker, linestyle="", markersize=5)
                 for each in QUANTITIES.values()]  # fmt: skip
        part.legend(marks, list(QUANTITIES), loc="outside lower center", ncols=6, columnspacing=1, handletextpad=0.1)
    return Drawn(
        drawn, f"Errors of {model} on {dataset} in units of their bound",
        f"{model} on {dataset}: the worst entry of every quantity, layer and step, in units of its bound, which is the "
        f"line. {_summary(shown)} Points on the lower axis: both sides agree to the last bit, or nearly.",
    )  # fmt: skip


def _summary(traces: Sequence[Trace]) -> str:
    """How far the points lie below the line, or how many do not."""
    points = [(share, trace) for trace in traces for share in trace.ratios]
    above = [(share, trace) for share, trace in points if not share <= 1]
    if above:
        where = sorted({f"{trace.quantity} of layer {trace.layer} in {trace.dtype}" for _, trace in above})
        return f"{len(above)} of {len(points)} points lie above it: {', '.join(where)}."
    if not points:
        return "Nothing was measured."
    largest, trace = max(points, key=lambda point: point[0])
    where_ = f"{trace.quantity} of layer {trace.layer} in {trace.dtype}"
    return f"All {len(points)} points lie below it, the highest at {number(largest)}: {where_}."


def _draw(panel: Axes, trace: Trace, layer: int, top: float) -> None:
    """The steps of one quantity of one layer; what is not finite lies on the upper axis, what is 0 on the lower."""
    shares = np.nan_to_num(np.array(trace.ratios), nan=top, posinf=top)
    x = layer + LAYER_WIDTH * ((np.arange(len(shares)) + 0.5) / len(shares) - 0.5)
    color, marker = QUANTITIES[trace.quantity]
    size = {"^": 3.2, "v": 3.2, "P": 3.4}.get(marker, 2.6)
    panel.plot(
        x, np.maximum(shares, LEAST), linestyle="", marker=marker, markersize=size, color=color, clip_on=False,
        label=f"{trace.quantity}[{layer}]", markeredgewidth=0,
    )  # fmt: skip
