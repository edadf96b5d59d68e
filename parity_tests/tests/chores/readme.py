"""Sections of the README that are made from data: held between two markers each, kept current by tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from manual.files import replace_file

README = Path(__file__).parents[3] / "README.md"


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->\n", f"<!-- /{name} -->\n"


def section(name: str) -> str:
    """What stands between the markers of that name.

    Raises ValueError unless they stand there once.
    """
    begin, end = _markers(name)
    text = README.read_text(encoding="utf-8")
    if not text.count(begin) == text.count(end) == 1:
        raise ValueError(f"the README has {text.count(begin)} sections named {name}, expected one")
    return text.partition(begin)[2].partition(end)[0]


def update(name: str, text: str) -> bool:
    """Put the text between the markers of that name; False where there is no README with such markers."""
    begin, end = _markers(name)
    if not README.exists() or begin not in README.read_text(encoding="utf-8"):
        return False
    before, _, rest = README.read_text(encoding="utf-8").partition(begin)
    replace_file(README, (before + begin + text + end + rest.partition(end)[2]).encode())
    return True


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> str:
    """A table in Markdown: so many columns of words, then columns of numbers, and perhaps a verdict."""
    rule = ["---" if place < words or name == "verdict" else "---:" for place, name in enumerate(head)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *rows))
