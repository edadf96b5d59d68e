"""Results as tables for notebooks: in the colours of the page, light or dark, with people's text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

MARKS = {"holds": "✓", "wrong": "✗", "fails": "✗", "cannot tell": "?", "not judged": "–"}

LEFT = "text-align: left; vertical-align: top; padding: 0.2em 0.8em;"
RIGHT = "text-align: right; vertical-align: top; padding: 0.2em 0.8em;"
WHOLE = "white-space: nowrap;"
BAD = "border-left: 4px solid #d64545; font-weight: bold;"
UNSURE = "border-left: 4px solid #b58900;"
GOOD = "border-left: 4px solid transparent;"
EDGES = {"wrong": BAD, "fails": BAD, "cannot tell": UNSURE, "not judged": UNSURE}
CODE = "background: none; color: inherit; white-space: pre-wrap;"


def table(heads: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]], words: int, notes: Iterable[str]) -> str:
    """A table of rows, each with its verdict; the first ``words`` columns hold words or HTML, the others numbers.

    The cells are HTML already; heads and notes are text. No colour is set but that of a mark, so that the table is
    readable on any ground.
    """
    head = "".join(_cell("th", escape(each), place < words) for place, each in enumerate(heads))
    lines = []
    for verdict, cells in rows:
        first = _cell("td", cells[0], words > 0, WHOLE + EDGES.get(verdict, GOOD))
        lines.append(f"<tr>{first}{''.join(_cell('td', each, n < words) for n, each in enumerate(cells[1:], 1))}</tr>")
    said = "".join(f'<p style="margin: 0.3em 0;">{escape(each)}</p>' for each in notes)
    return (
        '<div style="color: inherit;">'
        f"{said}"
        '<table style="border-collapse: collapse; color: inherit;">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _cell(tag: str, content: str, word: bool, more: str = "") -> str:
    scope = ' scope="col"' if tag == "th" else ""
    return f'<{tag}{scope} style="{LEFT if word else RIGHT}{more}">{content}</{tag}>'


def code(text: str) -> str:
    """A piece of code."""
    return f'<code style="{CODE}">{escape(text)}</code>'


def mark(verdict: str, cause: str = "") -> str:
    """A verdict with its sign, and the cause of what is wrong."""
    sign = MARKS.get(verdict, "")
    return f"{sign} {escape(verdict)}{f'<br>{escape(cause)}' if cause else ''}"


def sentences(text: str) -> str:
    """A message, the indented lines of it as code."""
    parts = []
    for row in text.splitlines():
        parts.append(f"<br>{code(row.strip())}<br>" if row.startswith("    ") else escape(row))
    return " ".join(parts)
