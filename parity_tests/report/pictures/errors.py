"""Error and bound of every quantity, layer by layer and step by step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from parity_tests.report.measure import DTYPES, Trace
from parity_tests.report.pictures.style import BLUE, COLORS, GREEN, GREY, ORANGE, PURPLE, RED, figure, styled

QUANTITIES = {"Z": BLUE, "A": GREEN, "dA": ORANGE, "dZ": RED, "dW": PURPLE, "db": GREY}

WIDTH = 0.8
"""Of a layer's place on the axis; the steps lie side by side in it."""

assert len(set(QUANTITIES.values())) == len(COLORS)


@styled
def errors(traces: Sequence[Trace]) -> Figure:
    """One model: a panel for each dtype, in it the errors as points and the bounds as lines."""
    drawn = figure(9, 3.4)
    panels: list[Axes] = list(drawn.subplots(1, len(DTYPES)))
    for panel, dtype in zip(panels, DTYPES, strict=True):
        layers = set[int]()
        for trace in traces:
            if trace.dtype == dtype and trace.quantity in QUANTITIES and trace.layer is not None:
                layers.add(trace.layer)
                _draw(panel, trace)
        panel.set(yscale="log", title=dtype, xlabel="layer, its steps side by side")
        panel.set_xticks([l + WIDTH / 2 for l in sorted(layers)], [str(l) for l in sorted(layers)])
    panels[0].set_ylabel("largest error of a step")
    marks = [Line2D([], [], color=color, marker="o", linestyle="", markersize=4) for color in QUANTITIES.values()]
    drawn.legend(
        [*marks, Line2D([], [], color=GREY, linewidth=1)], [*QUANTITIES, "bound"],
        loc="outside lower center", ncols=len(QUANTITIES) + 1,
    )  # fmt: skip
    return drawn


def _draw(panel: Axes, trace: Trace) -> None:
    """The steps of one quantity of one layer; where both sides agree exactly there is no point."""
    assert trace.layer is not None
    color, steps = QUANTITIES[trace.quantity], len(trace.errors)
    x = trace.layer + WIDTH * (np.arange(steps) + 0.5) / steps
    y = np.array([error if error > 0 else np.nan for error in trace.errors])
    panel.plot(x, y, linestyle="", marker="o", markersize=2.2, color=color)
    panel.plot(x, np.array(trace.bounds), linewidth=1, color=color)
