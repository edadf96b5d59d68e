"""The computational graph of logistic regression, with values and derivatives: what ``manual graph`` prints, drawn."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from manual.architecture import model_for
from manual.draws import initial_parameters
from manual.graph import SCHEME, Graph, Subject
from manual.shared.cli import toy_datasets
from parity_tests.report.pictures.style import GREY, INK, ORANGE, Drawn, panels, styled

DATASET = "moons"
"""Two features, as in the notes."""

ROWS = {"inputs": 5.2, "z": 3.5, "a": 2.1, "L": 0.7}
"""Where the nodes stand, from above."""

BACK = 0.35
"""How far to the right of the forward arrow the derivative's runs."""


@styled
def graph(seed: int) -> Drawn:
    """One example through one unit: values on the way down, derivatives of the loss on the way up."""
    found = shown(seed)
    at = found.nodes
    drawn, parts = panels([f"y = {found.y:g}"], height=4.6)
    panel = parts[0].subplots()
    panel.set_axis_off()
    panel.set(xlim=(0, 10), ylim=(0.1, 6.4))
    leaves = [
        *((f"x{j + 1}", found.x[j, 0], "") for j in range(2)),
        *((f"w{j + 1}", found.w[j, 0], f"dw{j + 1} = x{j + 1} dz\n= {found.dw[j, 0]:.3f}") for j in range(2)),
        ("b", found.b, f"db = dz\n= {at.db:.3f}"),
    ]
    for place, (name, value, slope) in enumerate(leaves):
        x = 1 + 2 * place
        _node(panel, x, ROWS["inputs"], f"{name}\n= {value:.3f}")
        end = 3.4 + 0.8 * place
        _arrow(panel, (x, ROWS["inputs"] - 0.45), (end, ROWS["z"] + 0.47))
        if slope:
            _slope(panel, x, 6.05, slope)
            _arrow(panel, (end + BACK, ROWS["z"] + 0.47), (x + BACK, ROWS["inputs"] - 0.45), back=True)
    middle = 5.0
    for name, formula, value in (
        ("z", "z = w1 x1 + w2 x2 + b", at.z),
        ("a", "a = sigmoid(z)", at.a),
        ("L", f"L(a, y = {found.y:g})", at.L),
    ):
        _node(panel, middle, ROWS[name], f"{formula}\n= {value:.3f}", wide=2.3)
    for above, below in (("z", "a"), ("a", "L")):
        ends = (ROWS[above] - 0.45, ROWS[below] + 0.47)
        _arrow(panel, (middle - BACK, ends[0]), (middle - BACK, ends[1]))
        _arrow(panel, (middle + BACK, ends[1]), (middle + BACK, ends[0]), back=True)
    _slope(panel, 8.2, ROWS["z"], f"dz = a - y\n= {at.dz:.3f}")
    _slope(panel, 8.2, ROWS["a"], f"da = dL/da\n= {at.da:.3f}")
    _slope(panel, 8.2, ROWS["L"], "dL/dL\n= 1")
    return Drawn(
        drawn, "The computational graph of logistic regression on one example",
        f"Logistic regression on the first example of {DATASET}, as “python -m manual graph --dataset {DATASET}” "
        f"prints it. Down along the grey arrows go the values: z = {at.z:.3f}, a = {at.a:.3f}, the loss {at.L:.3f}. "
        "Back up along the broken ones go the derivatives of the loss, in frames: "
        f"da = {at.da:.3f}, times a(1 - a) = {at.a * (1 - at.a):.3f}, is dz = a - y = {at.dz:.3f}.",
    )  # fmt: skip


def shown(seed: int) -> Graph:
    """The graph of the first example, with the weights that the command draws."""
    data = toy_datasets().load(DATASET, seed=seed)
    net = model_for("logistic", data)
    params = initial_parameters(net, SCHEME, np.random.default_rng(seed))
    m = data.Y_train.shape[1]
    return Graph.of(Subject(net, params, data.X_train[:, :1], data.Y_train[:, :1], 0.0, 0, m))


def _node(panel: Axes, x: float, y: float, value: str, wide: float = 0.0) -> None:
    """A value in a box."""
    box = {"boxstyle": "round,pad=0.35", "facecolor": "none", "edgecolor": GREY}
    panel.text(x, y, value, ha="center", va="center", color=INK, fontsize=9 + (wide > 0), bbox=box)


def _slope(panel: Axes, x: float, y: float, value: str) -> None:
    """A derivative in a broken frame."""
    box = {"boxstyle": "square,pad=0.25", "facecolor": "none", "edgecolor": ORANGE, "linestyle": "--"}
    panel.text(x, y, value, ha="center", va="center", color=INK, fontsize=8, bbox=box)


def _arrow(panel: Axes, start: tuple[float, float], end: tuple[float, float], *, back: bool = False) -> None:
    """Forward in grey, back in orange and broken."""
    look = {"color": ORANGE, "linestyle": "--"} if back else {"color": GREY}
    panel.annotate(
        "", end, start, arrowprops={"arrowstyle": "->", "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0, **look}
    )
