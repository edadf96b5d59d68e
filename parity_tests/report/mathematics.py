"""Formulas as drawings: LaTeX to SVG paths, which need no font and no script."""

from __future__ import annotations

import re
from functools import cache

import ziamath
from markupsafe import Markup, escape

SIZE, INLINE_SIZE = 21.0, 16.0
"""Of the letters, in pixels; the text of the page has 16."""

INLINE = re.compile(r"\$([^$]+)\$")

_FIXED = re.compile(r"(-?\d+\.\d\d)\d+")
_SIZE = re.compile(r'width="([\d.]+)" height="([\d.]+)"')

ziamath.config.svg2 = False  # paths in place of symbols, whose ids would stand more than once on a page
ziamath.config.precision = 2


def display(latex: str) -> Markup:
    """Lines of LaTeX as drawings, one below the other."""
    return Markup("").join(Markup('<div class="formula">{}</div>').format(drawn(line)) for line in latex.splitlines())


def text(words: str) -> Markup:
    """Text, escaped, with the mathematics between dollar signs drawn."""
    parts = INLINE.split(words)
    return Markup("").join(drawn(part, inline=True) if place % 2 else escape(part) for place, part in enumerate(parts))


@cache
def drawn(latex: str, *, inline: bool = False) -> Markup:
    """One formula as SVG in the colour of the text, with its LaTeX for those who cannot see it.

    Raises ValueError for LaTeX that cannot be read.
    """
    try:
        formula = ziamath.Latex(latex, size=INLINE_SIZE if inline else SIZE, color="currentColor", inline=inline)
        svg, depth = _FIXED.sub(r"\1", formula.svg()), formula.getyofst()
    except Exception as error:  # whatever its parser trips over
        raise ValueError(f"the formula is {latex!r}, expected LaTeX that ziamath reads: {error}") from error
    label = Markup('role="img" aria-label="{}" style="vertical-align:{:.2f}px"').format(latex, depth)
    return Markup(svg.replace("<svg ", f"<svg {label} ", 1).replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', ""))
