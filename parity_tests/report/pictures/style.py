"""How pictures look, and how they enter the page: its ink is theirs, and their marks are seen on light and dark."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from cycler import cycler
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from manual.files import replace_file

INK = "#010203"
"""Text and axes; in the page it becomes the colour of the text."""

BLUE, ORANGE, GREEN, PURPLE, RED, GREY = "#3b82c4", "#d9730d", "#2e9e5b", "#9b6bd3", "#d9485f", "#808890"
COLORS = (BLUE, ORANGE, GREEN, PURPLE, RED, GREY)
"""Each at least three to one against white and against the dark page."""

STYLE: dict[Any, Any] = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GREY,
    "grid.alpha": 0.25,
    "lines.linewidth": 1.6,
    "axes.prop_cycle": cycler(color=COLORS),
    "svg.fonttype": "path",
    "svg.hashsalt": "page",
    "font.size": 9,
}

_REFERENCE = re.compile(r'(url\(#|xlink:href="#|href="#)([^)"]+)')
_FIXED = re.compile(r"(?<!scale\()(?<![\d.])(\d+\.\d\d)\d+")  # places, not the scale of the letters
_ID = re.compile(r'\s+id="([^"]+)"')


class Picture(NamedTuple):
    """A picture in the page: what it shows, as a caption, and its SVG."""

    name: str
    caption: str
    svg: Markup


styled = mpl.rc_context(STYLE)
"""Decorates the functions that draw."""


def figure(width: float, height: float) -> Figure:
    """An empty figure; sizes in inches."""
    return Figure(figsize=(width, height), layout="constrained")


@styled
def embedded(drawn: Figure, name: str, title: str) -> Markup:
    """The figure as SVG for the page: with a title, ids of its own, and the page's ink."""
    text = io.StringIO()
    drawn.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    used = {name for _, name in _REFERENCE.findall(svg)}
    svg = _ID.sub(lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", svg)
    svg = _REFERENCE.sub(rf"\g<1>{name}-\g<2>", svg)
    svg = _FIXED.sub(r"\1", svg.replace(INK, "currentColor"))
    svg = re.sub(r'(<svg\b[^>]*?) width="[^"]*pt"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg\b[^>]*?) height="[^"]*pt"', r"\1", svg, count=1)
    head = f'<svg role="img" aria-label="{escape(title)}"'
    return Markup(re.sub(r"\n\s*", "\n", svg.replace("<svg", head, 1)))


@styled
def save(drawn: Figure, path: Path) -> None:
    """The figure as PNG, on white."""
    data = io.BytesIO()
    drawn.savefig(data, format="png", dpi=150, facecolor="white")
    replace_file(path, data.getvalue())
