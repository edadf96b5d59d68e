"""A repair in the note itself: the right side of an equation where the writer has it, with what aligns it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from parity_tests.derivations.changes import Change
from parity_tests.derivations.verdicts import Judged, Verdict

MOST_ROWS = 20
"""Over how many rows an equation may run."""

_TOKENS = re.compile(r"\\[A-Za-z]+|\S")


def with_diffs(judged: Judged, cells: Mapping[int, Sequence[str]]) -> Judged:
    """The verdicts with their repairs as changes of the rows of a note, by cell."""
    lines = (each._replace(diff=_diff(each, cells.get(each.cell, ()))) for each in judged.lines)
    return judged._replace(lines=tuple(lines))


def _diff(line: Verdict, rows: Sequence[str]) -> tuple[Change, ...]:
    """The equation with the repaired right side; nothing where it is no plain equation of the note's own text."""
    left, equals, right = line.text.partition("=")
    _, repaired, new = line.repaired.partition(" = ")
    if not (equals and repaired and right.strip()) or "=" in right or not line.line:
        return ()
    begin = line.line - 1
    here = "\n".join(rows[begin : begin + MOST_ROWS])
    sign = r"[\s&]*=[\s&]*"
    match = re.search(f"({_pattern(left)}{sign}){_pattern(right)}", here)
    if match is None or "\n" in here[: match.start()]:
        return ()
    count = here.count("\n", 0, match.end()) + 1
    old = tuple(rows[begin : begin + count])
    whole = "\n".join(old)
    changed = f"{whole[: match.start()]}{match[1]}{new}{whole[match.end() :]}"
    return (Change(line.line, old, tuple(changed.split("\n"))),)


def _pattern(text: str) -> str:
    """A piece of LaTeX, with any blanks and marks of alignment in it."""
    return r"[\s&]*".join(map(re.escape, _TOKENS.findall(text)))
