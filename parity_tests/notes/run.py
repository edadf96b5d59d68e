"""Running rows: every right check must hold, and every false alternative must be rejected for the mistake it has."""

from __future__ import annotations

from typing import NamedTuple

from parity_tests.derivations.matrix import same
from parity_tests.notes.row import Check, Finding, Row
from parity_tests.notes.rows import ROWS

CONFIRMED, REFUTED, UNCHECKED = "confirmed", "refuted", "not checked"


class Judged(NamedTuple):
    """A check and what it saw; ``good`` says whether that was to be seen."""

    kind: str
    text: str
    is_right: bool
    good: bool
    shown: str
    causes: tuple[str, ...]


class Outcome(NamedTuple):
    """A row, and what came of its checks."""

    id: str
    verdict: str
    judged: tuple[Judged, ...]

    @property
    def bad(self) -> tuple[Judged, ...]:
        """The checks that did not come out as the row says."""
        return tuple(each for each in self.judged if not each.good)


BY_ID = {row.id: row for row in ROWS}


def run_row(row: Row, seed: int = 0) -> Outcome:
    """Every check of a row on the numbers of a seed."""
    judged = tuple(
        [judge(check, True, seed) for check in row.right] + [judge(check, False, seed) for check in row.false]
    )
    if not judged:
        return Outcome(row.id, UNCHECKED, ())
    return Outcome(row.id, CONFIRMED if all(each.good for each in judged) else REFUTED, judged)


def judge(check: Check, is_right: bool, seed: int) -> Judged:
    """One check: a right statement must hold, a false one must not, and its mistake must be named."""
    found = check.judge(seed)
    good = found.holds is is_right and (is_right or not check.cause or _named(check, found))
    return Judged(check.kind, check.text, is_right, good, found.shown, found.causes)


def _named(check: Check, found: Finding) -> bool:
    """Whether the mistake is the one that was made."""
    return len(found.causes) == 1 and same(found.causes[0], check.cause)
