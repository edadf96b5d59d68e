"""How pictures look, and how they enter the page: its ink is theirs, and their marks are seen on light and dark."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from cycler import cycler
from markupsafe import Markup, escape
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure, SubFigure
from matplotlib.transforms import Bbox

from manual.files import replace_file

INK = "#010203"
"""Text and axes; in the page it becomes the colour of the text."""

NEUTRAL = "#757d86"
"""The ink of a file of its own, which cannot know what it lies on: about four to one against white and a dark page."""

BLUE, ORANGE, GREEN, PURPLE, RED, GREY = "#3b82c4", "#d9730d", "#2e9e5b", "#9b6bd3", "#d9485f", "#808890"
COLORS = (BLUE, ORANGE, GREEN, PURPLE, RED, GREY)
"""Each at least three to one against white and against the dark page; what differs in colour differs in shape too."""

BOTH_SIDES = LinearSegmentedColormap.from_list("both sides", [ORANGE, "#f2f2f2", BLUE])
"""From one class, or sign, to the other."""

WIDTH = 4.5
"""Of a panel, in inches: what fits a phone with its letters at their size."""

POINT, LARGEST_POINT, LARGEST_ALONE = 1.25, 1.35, 1.7
"""Pixels on the page for a point of a panel: to begin with, at most, and at most where it stands alone."""

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
    "legend.fontsize": 9,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
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


class Drawn(NamedTuple):
    """A figure whose subfigures are its panels, a title for those who cannot see it, and what it shows in this run."""

    figure: Figure
    title: str
    caption: str


class Picture(NamedTuple):
    """A picture in the page: what it shows, as a caption, and its panels as SVG."""

    name: str
    caption: str
    svg: Markup


styled = mpl.rc_context(STYLE)
"""Decorates the functions that draw."""


def panels(
    names: Sequence[str], *, width: float = WIDTH, height: float = 3.2, columns: int = 2
) -> tuple[Figure, list[SubFigure]]:
    """A figure of panels that the page lays out anew: side by side where there is room, one below the other on a phone.

    Sizes are a panel's, in inches; the names are for those who cannot see them.
    """
    columns = min(columns, len(names))
    rows = -(-len(names) // columns)
    drawn = Figure(figsize=(columns * width, rows * height), layout="constrained")
    parts = list(drawn.subfigures(rows, columns, squeeze=False).flat)
    for part, name in zip(parts, names, strict=True):
        part.set_label(name)
    return drawn, parts


@styled
def embedded(drawn: Drawn, name: str) -> Markup:
    """The panels as SVGs for the page: each with its title, ids of its own, and the page's ink."""
    figure = drawn.figure
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine(None)  # it is done: every panel is drawn once
    parts = list(figure.subfigs)
    shown = []
    for number, part in enumerate(parts):
        for other in parts:
            other.set_visible(other is part)
        box = part.bbox.transformed(figure.dpi_scale_trans.inverted())
        told = ": ".join(words for words in (drawn.title, str(part.get_label())) if words)
        largest = LARGEST_ALONE if len(parts) == 1 else LARGEST_POINT
        shown.append(_svg(figure, box, f"{name}-{number}" if number else name, told, largest))
    for part in parts:
        part.set_visible(True)
    style = "display:flex;flex-wrap:wrap;justify-content:center;gap:.5rem"
    return Markup('<div class="panels" style="{}">{}</div>').format(style, Markup("").join(shown))


def _text(figure: Figure, box: Bbox | None = None) -> str:
    """What the box holds of a figure, as SVG without what changes from day to day; places have two decimals."""
    text = io.StringIO()
    figure.savefig(text, format="svg", bbox_inches=box, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    return re.sub(r"\n\s*", "\n", _FIXED.sub(r"\1", svg))


def _svg(figure: Figure, box: Bbox, name: str, told: str, largest: float) -> Markup:
    """What the box holds of a figure, for the page."""
    svg = _text(figure, box)
    used = {name for _, name in _REFERENCE.findall(svg)}
    svg = _ID.sub(lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", svg)
    svg = _REFERENCE.sub(rf"\g<1>{name}-\g<2>", svg)
    svg = svg.replace(INK, "currentColor")
    svg = re.sub(r'(<svg\b[^>]*?) width="[^"]*pt"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg\b[^>]*?) height="[^"]*pt"', r"\1", svg, count=1)
    points = 72 * box.width
    style = f"flex:1 1 {POINT * points:.0f}px;min-width:0;max-width:{largest * points:.0f}px;margin:0"
    head = f'<svg role="img" aria-label="{escape(told)}" style="{style}"'
    return Markup(svg.replace("<svg", head, 1))


@styled
def standing(drawn: Drawn, path: Path) -> None:
    """The figure as an SVG file of its own, in an ink that is seen on light and on dark."""
    svg = _text(drawn.figure).replace(INK, NEUTRAL)
    path.write_text(svg.replace("<svg", f'<svg role="img" aria-label="{escape(drawn.title)}"', 1), encoding="utf-8")


@styled
def save(drawn: Drawn, path: Path) -> None:
    """The figure as PNG, on white."""
    data = io.BytesIO()
    drawn.figure.savefig(data, format="png", dpi=150, facecolor="white")
    replace_file(path, data.getvalue())


def number(value: float) -> str:
    """Two digits, as captions say it: 510 rather than 5.1e+02."""
    return f"{float(f'{value:.2g}'):g}"
