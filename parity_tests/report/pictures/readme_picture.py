"""The README's picture: every quantity of a deep network below its bound, and one wrong derivation far above it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.lines import Line2D

from manual.notation import Array
from manual.shared.cli import toy_datasets
from parity_tests.comparison.faults import in_place
from parity_tests.comparison.models import start
from parity_tests.comparison.run import one_thread
from parity_tests.comparison.snap import judged_steps
from parity_tests.formulas.planting import fault, result
from parity_tests.judging.judge import Ledger
from parity_tests.report.measure import STEPS, model_case
from parity_tests.report.pictures.errors import ABOVE, LAYER_WIDTH, LEAST, QUANTITIES
from parity_tests.report.pictures.style import INK, RED, Drawn, panels, standing, styled

FILE = Path(__file__).parents[1] / "agreement.svg"
"""Where the README looks for it; ``parity_tests/tests/chores/readme.py`` writes it."""

CASE, SEED = "deep6/circles/lambda=0", 0

WRITTEN = "dW[1] = dZ[1] X^T"
"""What the notes write for m examples, where 1/m is missing.

Notes: F100.
"""

Shares = dict[tuple[str, int], float]
"""Error over bound by quantity and layer."""


class Compared(NamedTuple):
    """The worst of every quantity and layer: as derived here, and with the notes' dW[1] in its place."""

    derived: Shares
    written: Shares


def compared() -> Compared:
    """Ten steps as derived here, one step as the notes write it: at a node, what went before it is no longer wrong."""
    case = model_case(CASE)
    data = toy_datasets().load(case.dataset, seed=SEED)
    begin = start(case, data, np.float64, SEED)
    n_x = len(begin.X)

    def without_its_m(dW: Array, dZ: Array, A_prev: Array, *others: object) -> Array:
        return dZ @ A_prev.T if len(A_prev) == n_x else dW

    with one_thread():
        derived = judged_steps(case, begin, STEPS, SEED)
        with in_place(fault(WRITTEN, result(without_its_m), "dW", at="dense.weight_gradient")):
            written = judged_steps(case, begin, 1, SEED)
    return Compared(_worst(derived), _worst(written))


def _worst(ledger: Ledger) -> Shares:
    return {
        (where.quantity, where.layer): max(each.ratio for each in judged)
        for where, judged in ledger.judgements().items()
        if where.quantity in QUANTITIES and where.layer is not None
    }


@styled
def agreement(found: Compared) -> Drawn:
    """Layer by layer, in units of the bound, which is a line."""
    drawn, parts = panels([""], width=6, height=3.5)
    panel = parts[0].subplots()
    names = list(QUANTITIES)

    def place(quantity: str, layer: int) -> float:
        return layer + LAYER_WIDTH * ((names.index(quantity) + 0.5) / len(names) - 0.5)

    for (quantity, layer), share in found.derived.items():
        color, marker = QUANTITIES[quantity]
        panel.plot(
            [place(quantity, layer)], [max(share, LEAST)], linestyle="", marker=marker, markersize=5, color=color,
            markeredgewidth=0, clip_on=False, label=f"{quantity}[{layer}]",
        )  # fmt: skip
    wrong = {where: share for where, share in found.written.items() if not share <= 1}
    for (quantity, layer), share in wrong.items():
        x = place(quantity, layer)
        panel.plot([x], [share], linestyle="", marker="X", markersize=9, color=RED, markeredgewidth=0,
                   label=f"wrong {quantity}[{layer}]")  # fmt: skip
        panel.annotate(f"the notes' {WRITTEN}, which lacks 1/m:\n{_scientific(share)} times the bound", (x, share),
                       (12, 0), textcoords="offset points", va="center")  # fmt: skip
    layers = sorted({layer for _, layer in found.derived})
    panel.axhline(1, color=INK, linewidth=1.4, label="the bound")
    panel.annotate("the bound that rounding analysis gives", (1, 1), (0, 3), xycoords=("axes fraction", "data"),
                   textcoords="offset points", ha="right")  # fmt: skip
    top = ABOVE**2 * max([1.0, *wrong.values()])
    panel.set(yscale="log", ylim=(LEAST, top), xlabel="layer", ylabel="error / bound")
    panel.set_title("NumPy by hand against PyTorch: six layers, float64, worst of ten steps")
    panel.set_yticks([10.0**power for power in range(-6, int(np.log10(top)) + 1, 3)])
    panel.minorticks_off()
    panel.set_xticks(layers, [str(layer) for layer in layers])
    marks = [Line2D([], [], color=each.color, marker=each.marker, linestyle="", markersize=5)
             for each in QUANTITIES.values()]  # fmt: skip
    drawn.legend(marks, names, loc="outside lower center", ncols=len(names), columnspacing=1.2, handletextpad=0.1)
    return Drawn(
        drawn, "Error over bound of every quantity of a six-layer network, and of one wrong derivative",
        f"Every quantity of {CASE.partition('/lambda')[0].replace('/', ' on ')} lies below its bound; {WRITTEN}, as "
        "the notes write it, lies far above, and nothing else does.",
    )  # fmt: skip


def _scientific(value: float) -> str:
    """Such as 3·10^12, as mathematics."""
    power = int(np.floor(np.log10(value)))
    return f"${value / 10**power:.0f}\\cdot 10^{{{power}}}$"


def write() -> None:
    """Measure, draw and write it."""
    standing(agreement(compared()), FILE)
