"""What a repair changes in the writer's text: rows in place of others, as a diff shows them and a copy has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Change(NamedTuple):
    """From a line on, counted from 1, ``new`` rows stand in place of the ``old``; before it, where there are none."""

    line: int
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def shown(self) -> list[str]:
        """The rows with - and +, as far to the left as they may be; what starts and ends both stays away."""
        old, new = list(self.old), list(self.new)
        while old and new and old[0] == new[0]:
            del old[0], new[0]
        while old and new and old[-1] == new[-1]:
            del old[-1], new[-1]
        margin = min((len(row) - len(row.lstrip()) for row in (*old, *new) if row.strip()), default=0)
        return [f"{sign} {row[margin:]}".rstrip() for sign, rows in (("-", old), ("+", new)) for row in rows]


def change_of(rows: Sequence[str], line: int, text: str, count: int = 1) -> Change:
    """A text in place of so many rows from a line on, as far to the right as the first of them."""
    old = tuple(rows[line - 1 : line - 1 + count])
    indent = old[0][: len(old[0]) - len(old[0].lstrip())] if old else ""
    return Change(line, old, tuple(f"{indent}{row}" if row else row for row in text.splitlines()))


def put_in(rows: Sequence[str], changes: Iterable[Change]) -> list[str]:
    """The rows with changes in their places.

    Raises ValueError where the rows are not those that are to be changed, or two changes are of the same row.
    """
    found, first = list(rows), len(rows) + 1
    for each in sorted(set(changes), key=lambda each: (each.line, len(each.old)), reverse=True):
        start, stop = each.line - 1, each.line - 1 + len(each.old)
        if tuple(rows[start:stop]) != each.old or stop >= first:
            raise ValueError(f"line {each.line} is not as it was, or is changed twice")
        found[start:stop] = each.new
        first = start + bool(each.old)
    return found
