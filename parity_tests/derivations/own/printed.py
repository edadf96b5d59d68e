"""What ``verify`` prints: each line with its verdict, a row for each file, and what the answers say to a script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console

from manual.shared.cli import GOOD, MISMATCH, plain_table
from parity_tests.derivations.own.answers import Answer
from parity_tests.derivations.own.reports import first_cause
from parity_tests.derivations.own.sources import Found, is_file_name
from parity_tests.derivations.verdicts import (
    AMBIGUOUS,
    HOLDS,
    NO_CLAIM,
    WRONG,
    Judged,
    Summary,
    Verdict,
    against,
    closing,
)

NOT_ALL = 3
"""The exit code where nothing is wrong, and something was not judged."""

MARKS = {HOLDS: "[green]holds[/]", WRONG: "[bold red]wrong[/]"}

WIDEST = 120
"""Columns of the table of files."""


def show(judged: Judged, out: Console, *, quiet: bool = False) -> None:
    """What it was judged against, and each line with its verdict; ``quiet`` those alone that do not hold.

    A wrong line has what to do about it, one that was not judged has the reason; the closing line counts them all. A
    line that holds in the same words for several layers is shown once, with how often.
    """
    if not quiet:
        for row in against(judged):
            out.print(plain(row), soft_wrap=True)
    times = Counter(_place_and_words(each) for each in judged.lines)
    for verdict in judged.lines:
        if verdict.verdict == NO_CLAIM or (quiet and verdict.verdict == HOLDS):
            continue
        count = times[_place_and_words(verdict)]
        if verdict.verdict != HOLDS:
            _show_line(verdict, out, file=judged.source)
        elif count:
            _show_line(verdict, out, count)
            times[_place_and_words(verdict)] = 0
    out.print(plain(closing(judged)), soft_wrap=True)


def show_table(rows: Sequence[Answer], files: Found, out: Console, *, quiet: bool = False) -> None:
    """A row for each file, and the totals; ``quiet`` those files alone that do not hold."""
    numbers = ["judged", "wrong", "cannot tell", "not judged"]
    table = plain_table("", ["file"], numbers, verdict=False)
    table.add_column("first")
    table.columns[0].overflow = table.columns[-1].overflow = "fold"
    for row in rows:
        counts = row.summary
        if quiet and exit_code(row) == GOOD:
            continue
        first = ": ".join(part for part in first_cause(row) if part)
        cells = [counts.judged, counts.wrong, counts.cannot_tell, counts.not_judged]
        shown = [str(cell) if cell else "" for cell in cells]
        shown[1] = f"[bold red]{shown[1]}[/]" if counts.wrong else ""
        table.add_row(plain(row.file), *shown, plain(first))
    if table.row_count:
        out.print(table, width=min(WIDEST, out.width))
    for sentence in totals(rows, files):
        out.print(plain(sentence), soft_wrap=True)


def totals(rows: Sequence[Answer], files: Found) -> list[str]:
    """The counts of all files and lines, and what was left out of the folders."""
    codes = [exit_code(row) for row in rows]
    kinds = ((GOOD, "hold"), (MISMATCH, "do not hold"), (NOT_ALL, "not judged, or not in full"))
    parts = [f"{codes.count(code)} {word}" for code, word in kinds if code in codes]
    lines = total([row for row in rows if row.judged is not None])
    left = lines.not_judged
    said = [f"{len(rows)} file{'s' * (len(rows) != 1)}: {', '.join(parts)}. {lines.sentence}; not judged: {left}."]
    return [*said, f"{files.sentence[0].upper()}{files.sentence[1:]}."] if files.sentence else said


def _place_and_words(verdict: Verdict) -> tuple[str, str, str]:
    return verdict.place, verdict.text, verdict.message


def _show_line(verdict: Verdict, out: Console, times: int = 1, file: str = "") -> None:
    mark = MARKS.get(verdict.verdict, f"[yellow]{verdict.verdict}[/]")
    place = f"{verdict.place}: " if verdict.place else ""
    text = verdict.text or verdict.target
    if verdict.verdict == HOLDS:
        ids = f" ({', '.join(verdict.formula_ids)})" if verdict.formula_ids else ""
        what = verdict.message.partition(" holds, ")[2].removesuffix(".")
        often = f" {times} times" if times > 1 else ""
        out.print(f"{place}{plain(text)}  {mark}{often}{plain(f', {what}{ids}' if what else ids)}", soft_wrap=True)
        note = verdict.message.partition(" holds.")[2].strip()
        if note:
            out.print(f"    {plain(note)}", soft_wrap=True)
        return
    cause = f" \\[{plain(verdict.cause)}]" if verdict.cause and verdict.cause != AMBIGUOUS else ""
    if verdict.cause == AMBIGUOUS:
        cause = f" \\[ambiguous: {plain(', '.join(verdict.causes))}]"
    out.print(f"{place}{plain(text)}  {mark}{cause}", soft_wrap=True)
    message = verdict.with_diff(file) if is_file_name(file) else verdict.message
    for row in message.splitlines():
        out.print(f"    {plain(row)}", soft_wrap=True)


def plain(text: str) -> str:
    """The text with rich's markup switched off."""
    return text.replace("[", "\\[")


def total(rows: Sequence[Answer]) -> Summary:
    """The counts of all files."""
    return Summary(*map(sum, zip(*(row.summary for row in rows), strict=True))) if rows else Summary(0, 0, 0, 0, 0)


def exit_code(*rows: Answer) -> int:
    """What the answers say to a script: what is wrong before what was not judged, or depends on what is not written."""
    summary = total(rows)
    if summary.wrong or summary.cannot_tell:
        return MISMATCH
    left = summary.not_judged or summary.doubtful or any(row.depends for row in rows)
    return NOT_ALL if left else GOOD


def rows_of_latex(judged: Judged) -> list[str]:
    """Each line as LaTeX, repaired where it is wrong; one that has no formula as it is written."""
    from parity_tests.derivations.latex.printer import latex

    rows = []
    for line in judged.lines:
        text = line.repaired or line.text
        try:
            rows.append(text if "\\" in text else latex(text))
        except SyntaxError:
            rows.append(text)
    return rows
