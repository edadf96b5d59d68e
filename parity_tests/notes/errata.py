"""The errata as a person reads them: a table in the terminal, JSON, and the counts for the README."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from manual.shared.cli import plain_table
from parity_tests.notes.row import (
    AMBIGUOUS,
    CONVENTION,
    COUNT,
    ERRATA,
    HOLDS,
    MISPRINT,
    VERDICTS,
    WRONG,
    Row,
    explained,
)
from parity_tests.notes.run import BY_ID, REFUTED, ROWS, UNCHECKED, RowResult

MARKS = {HOLDS: "green", CONVENTION: "green", WRONG: "bold red", MISPRINT: "red", AMBIGUOUS: "yellow"}


def selected(text: str = "", note: str = "", wrong: bool = False) -> list[Row]:
    """The rows of a note, with a text in them, or that do not hold as they are written."""
    return [
        row
        for row in ROWS
        if text.lower() in f"{row.id} {row.source} {row.says} {row.truth} {row.mistake}".lower()
        and (not note or any(part.strip().startswith(note) for part in row.source.split(";")))
        and (not wrong or row.verdict in ERRATA)
    ]


def off(row: Row, outcome: RowResult) -> str:
    """By how much what a note says is off: what its check saw, "" where it is not wrong."""
    if row.verdict in (HOLDS, CONVENTION):
        return ""
    first = next((each for each in outcome.judged if not each.is_right), None)
    if first is None:
        return ""
    return f"{first.text}: {first.shown}" if first.kind == COUNT else first.shown


def errata_table(outcomes: Sequence[RowResult]) -> Table:
    """A line for each row: what the note says, what is true, by how much it is off, and which mistake it is."""
    table = plain_table(
        "The errata of the notes", ["row", "where", "the note says", "what is true", "off by", "mistake"]
    )
    for outcome in outcomes:
        row = BY_ID[outcome.id]
        cells = (row.id, row.source, row.says, row.truth or "the same", off(row, outcome), mistake_of(row))
        table.add_row(*map(escape, cells), _mark(row, outcome))
    return _folded(table)


def checks_table(outcomes: Sequence[RowResult]) -> Table:
    """A line for each check: what had to hold, which false alternative had to be rejected, and what was seen."""
    table = plain_table("Every check", ["row", "kind", "had to", "statement", "seen"])
    for outcome in outcomes:
        for each in outcome.judged:
            mark = "[green]as it says[/]" if each.good else "[bold red]NOT SO[/]"
            cells = (outcome.id, each.kind, "hold" if each.is_right else "be rejected", each.text, each.shown)
            table.add_row(*map(escape, cells), mark)
    return _folded(table)


def _folded(table: Table) -> Table:
    """The table with long words broken, not cut off."""
    for column in table.columns:
        column.overflow = "fold"
    return table


def mistake_of(row: Row) -> str:
    """The mistake in a sentence, with its id."""
    return f"{explained(row.mistake)} ({row.mistake})" if row.mistake else ""


def _mark(row: Row, outcome: RowResult) -> str:
    if outcome.verdict == REFUTED:
        return "[bold red]REFUTED[/]"
    marked = f"[{MARKS[row.verdict]}]{row.verdict}[/]"
    return f"{marked}, not checked" if outcome.verdict == UNCHECKED else marked


def refutations(outcomes: Sequence[RowResult]) -> list[str]:
    """A sentence for every check that did not come out as its row says."""
    return [sentence(outcome.id, each) for outcome in outcomes for each in outcome.bad]


def sentence(id_: str, each: Any) -> str:
    """What a check should have seen, and what it saw."""
    wanted = "should hold" if each.is_right else "should be rejected, for its mistake"
    named = f" ({', '.join(each.causes)})" if each.causes else ""
    return f"{id_}: {each.text} {wanted}: {each.shown}{named}"


def summary(outcomes: Sequence[RowResult]) -> dict[str, int]:
    """Counts: rows by verdict, checks, and what came of them."""
    rows = [BY_ID[outcome.id] for outcome in outcomes]
    judged = [each for outcome in outcomes for each in outcome.judged]
    return {
        "rows": len(rows),
        **{verdict: sum(row.verdict == verdict for row in rows) for verdict in VERDICTS},
        "not checked": sum(outcome.verdict == UNCHECKED for outcome in outcomes),
        "refuted": sum(outcome.verdict == REFUTED for outcome in outcomes),
        "right statements": sum(each.is_right for each in judged),
        "false alternatives": sum(not each.is_right for each in judged),
    }


def as_json(outcome: RowResult) -> dict[str, Any]:
    """A row with its checks as plain data."""
    row = BY_ID[outcome.id]
    return {
        "id": row.id,
        "source": row.source,
        "says": row.says,
        "truth": row.truth or row.says,
        "verdict": row.verdict,
        "off": off(row, outcome),
        "mistake": row.mistake,
        "outcome": outcome.verdict,
        "unchecked": row.unchecked,
        "checks": [each._asdict() for each in outcome.judged],
    }
