"""Formulas as drawings: LaTeX to SVG, which need no font and no script."""

from __future__ import annotations

import re
from collections.abc import Iterable

from markupsafe import Markup, escape
from ziamath.config import config
from ziamath.zmath import Latex

SIZE, INLINE_SIZE = 21.0, 16.0
"""Of the letters, in pixels; the text of the page has 16."""

INLINE = re.compile(r"\$([^$]+)\$")
BREAK = re.compile(r"\s*\\qquad\s*")

_FIXED = re.compile(r"(-?\d+\.\d\d)\d+")
_SYMBOL = re.compile(r'<symbol id="([^"]+)"[^>]*?(?:/>|>.*?</symbol>)', re.DOTALL)

config.svg2 = True  # letters as symbols, which ``shared`` gathers: each stands once on the page
config.precision = 2


def display(latex: str) -> Markup:
    """Lines of LaTeX as drawings, one below the other; on a narrow page a line may break at the wide spaces."""
    lines = [Markup(" ").join(map(_piece, BREAK.split(line))) for line in latex.splitlines()]
    return Markup("").join(Markup('<div class="formula">{}</div>').format(line) for line in lines)


def _piece(latex: str) -> Markup:
    return Markup("<span>{}</span>").format(drawn(latex))


def text(words: str) -> Markup:
    """Text, escaped, with the mathematics between dollar signs drawn."""
    parts = INLINE.split(words)
    return Markup("").join(drawn(part, inline=True) if place % 2 else escape(part) for place, part in enumerate(parts))


Drawings = dict[tuple[str, bool], Markup]
"""By LaTeX, and whether it stands in a line of text: what was drawn of it."""

_DRAWN: Drawings = {}


def drawings(display_of: Iterable[str], text_of: Iterable[str]) -> Drawings:
    """Draw all of these, and give what is drawn by now: for another process, which ``know`` tells."""
    for latex in display_of:
        display(latex)
    for words in text_of:
        text(words)
    return dict(_DRAWN)


def know(found: Drawings) -> None:
    """Take what another process has drawn."""
    _DRAWN.update(found)


def drawn(latex: str, *, inline: bool = False) -> Markup:
    """One formula as SVG in the colour of the text, with its LaTeX for those who cannot see it; each is drawn once.

    Raises ValueError for LaTeX that cannot be read.
    """
    if (latex, inline) not in _DRAWN:
        _DRAWN[latex, inline] = _drawing(latex, inline)
    return _DRAWN[latex, inline]


def _drawing(latex: str, inline: bool) -> Markup:
    try:
        formula = Latex(latex, size=INLINE_SIZE if inline else SIZE, color="currentColor", inline=inline)
        svg, depth = _FIXED.sub(r"\1", formula.svg()), formula.getyofst()
    except Exception as error:  # whatever its parser trips over
        raise ValueError(f"the formula is {latex!r}, expected LaTeX that ziamath reads: {error}") from error
    label = Markup('role="img" aria-label="{}" style="vertical-align:{:.2f}px"').format(latex, depth)
    return Markup(svg.replace("<svg ", f"<svg {label} ", 1).replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', ""))


def shared(html: str) -> str:
    """The page with every letter of its formulas drawn once, at the end of its body, for all that use it."""
    letters = {found[1]: found[0] for found in _SYMBOL.finditer(html)}
    kept = f'<svg width="0" height="0" aria-hidden="true" style="position:absolute">{"".join(letters.values())}</svg>'
    return _SYMBOL.sub("", html).replace("</body>", f"{kept}\n</body>")
