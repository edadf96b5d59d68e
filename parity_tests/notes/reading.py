"""The notes' own text beside the rows: what the reader of LaTeX makes of the lines that a row is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from parity_tests.derivations.latex.answers import verify_note
from parity_tests.derivations.verdicts import DOUBTFUL, HOLDS, WRONG, Judged, Verdict
from parity_tests.notes.row import AMBIGUOUS, ERRATA, FORMULA, IDENTITY, Row

NOT_READ, AGREES, DIFFERS, UNSURE = "not read", "agrees", "differs", "doubtful"


class Reading(NamedTuple):
    """What was read of a row: the verdicts on its lines, and whether they say what the row says."""

    id: str
    verdict: str
    outcome: str
    lines: tuple[Verdict, ...]

    @property
    def causes(self) -> tuple[str, ...]:
        """The mistakes that were named."""
        return tuple(dict.fromkeys(each.cause for each in self.lines if each.verdict == WRONG))

    def as_json(self) -> dict[str, object]:
        """Plain data."""
        return {**self._asdict(), "causes": self.causes, "lines": [each.as_json() for each in self.lines]}


def places(source: str) -> list[tuple[str, int, int]]:
    """The lines of a row's source: ``N0 L6-8; N3 L110, 112`` is (N0, 6, 8), (N3, 110, 110), (N3, 112, 112)."""
    found = []
    for part in source.split(";"):
        note = re.match(r"\s*(N\d)\b", part)
        for first, last in re.findall(r"L?(\d+)(?:-(\d+))?", part[note.end() :] if note else ""):
            assert note is not None
            found.append((note[1], int(first), int(last or first)))
    return found


def judged_notes(folder: Path) -> dict[str, Judged]:
    """The verdicts on the five notes, by N0 to N4; ValueError where they are not in the folder."""
    files = sorted(folder.glob("00[0-4]_*.txt"))
    if len(files) != 5:
        raise ValueError(f"{folder} holds {len(files)} of the five notes, 000_*.txt to 004_*.txt")
    return {f"N{number}": verify_note(file) for number, file in enumerate(files)}


def readings(rows: Sequence[Row], notes: dict[str, Judged]) -> list[Reading]:
    """Each row beside what was read; what is wrong in a line that has an erratum of its own belongs to that one."""
    errata = {place for row in rows if row.verdict in (*ERRATA, AMBIGUOUS) for place in _lines(row)}
    return [_reading(row, notes, errata) for row in rows]


def figures(rows: Sequence[Row], found: Sequence[Reading]) -> str:
    """How many rows about formulas are read, and how many of their errata are found, with a cause that the row has."""
    of_formulas = [
        (row, each) for row, each in zip(rows, found, strict=True)
        if {FORMULA, IDENTITY} & {check.kind for check in (*row.right, *row.false)}
    ]  # fmt: skip
    read = [(row, each) for row, each in of_formulas if each.outcome != NOT_READ]
    errata = [(row, each) for row, each in read if row.verdict in ERRATA]
    seen = [(row, each) for row, each in errata if each.outcome == AGREES]
    named = sum(bool(_parts(each.causes) & _parts((row.mistake, *(check.cause for check in row.false))))
                for row, each in seen)  # fmt: skip
    wrong = sum(each.outcome == DIFFERS for row, each in read if row.verdict not in ERRATA)
    return (
        f"Formulas and identities: {len(read)} of {len(of_formulas)} rows read, {wrong} right ones called wrong; "
        f"of {len(errata)} errata that were read {len(seen)} are found, {named} with a cause of the row"
    )


def _parts(causes: Iterable[str]) -> set[str]:
    """The single mistakes of causes; that indices stand in the wrong order is one of an index."""
    parts = {part for cause in causes for part in cause.split(" + ") if part}
    return parts | ({"index"} if "index-order" in parts else set())


def _lines(row: Row) -> set[tuple[str, int]]:
    return {(note, line) for note, first, last in places(row.source) for line in range(first, last + 1)}


def _reading(row: Row, notes: dict[str, Judged], errata: set[tuple[str, int]]) -> Reading:
    others = errata if row.verdict not in (*ERRATA, AMBIGUOUS) else set()
    found = [
        each
        for note, line in sorted(_lines(row))
        for each in notes[note].lines
        if each.line == line and not (each.verdict == WRONG and (note, line) in others)
    ]
    judged = tuple(each for each in found if each.verdict in (HOLDS, WRONG, DOUBTFUL))
    return Reading(row.id, row.verdict, _outcome(row, [each.verdict for each in judged]), judged)


def _outcome(row: Row, verdicts: Iterable[str]) -> str:
    found = set(verdicts)
    if not found:
        return NOT_READ
    if row.verdict in ERRATA:
        return AGREES if WRONG in found else UNSURE if DOUBTFUL in found else DIFFERS
    return DIFFERS if WRONG in found and row.verdict != AMBIGUOUS else AGREES if HOLDS in found else UNSURE
