"""The error of every quantity beside its bound, layer by layer and step by step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from parity_tests.report.measure import DTYPES, Trace
from parity_tests.report.pictures.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, figure, styled

QUANTITIES = {"Z": BLUE, "A": GREEN, "dA": ORANGE, "dZ": RED, "dW": PURPLE, "db": GREY}

WIDTH = 0.8
"""Of a layer's place on the axis; the steps lie side by side in it."""

LEAST = 1e-6
"""The smallest share of a bound that is drawn as it is."""


@styled
def errors(traces: Sequence[Trace]) -> Figure:
    """One model: a panel for each dtype, in it every step's worst entry as a share of its bound."""
    drawn = figure(9, 3.2)
    panels: list[Axes] = list(drawn.subplots(1, len(DTYPES), sharey=True))
    for panel, dtype in zip(panels, DTYPES, strict=True):
        layers = set[int]()
        for trace in traces:
            if trace.dtype == dtype and trace.quantity in QUANTITIES and trace.layer is not None:
                layers.add(trace.layer)
                _draw(panel, trace)
        panel.axhline(1, color=INK, linewidth=1)
        panel.set(yscale="log", title=dtype, xlabel="layer, its steps side by side", ylim=(LEAST, 3))
        panel.set_xticks([l + WIDTH / 2 for l in sorted(layers)], [str(l) for l in sorted(layers)])
    panels[0].set_ylabel("error / bound")
    marks = [Line2D([], [], color=color, marker="o", linestyle="", markersize=4) for color in QUANTITIES.values()]
    drawn.legend(
        [*marks, Line2D([], [], color=INK, linewidth=1)], [*QUANTITIES, "the bound"],
        loc="outside lower center", ncols=len(QUANTITIES) + 1,
    )  # fmt: skip
    return drawn


def _draw(panel: Axes, trace: Trace) -> None:
    """The steps of one quantity of one layer; where both sides agree to the last bit the point lies on the axis."""
    assert trace.layer is not None
    shares = np.array(trace.errors) / np.array(trace.bounds)
    x = trace.layer + WIDTH * (np.arange(len(shares)) + 0.5) / len(shares)
    panel.plot(
        x, np.maximum(shares, LEAST), linestyle="", marker="o", markersize=2.6, color=QUANTITIES[trace.quantity],
        clip_on=False,
    )  # fmt: skip
