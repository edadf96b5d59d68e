"""The convention map as people read it: in the terminal, and in the README."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.markup import escape
from rich.table import Table

from manual.shared.cli import plain_table
from parity_tests.conventions.check import ConventionResult
from parity_tests.conventions.convention import DTYPES, Convention


def percent(off: float) -> str:
    """A share as a percentage, small ones with one digit."""
    return f"{100 * off:.0f}%" if off >= 0.1 else f"{100 * off:.1g}%"


def terminal_table(outcomes: Sequence[ConventionResult]) -> Table:
    """A line for every convention and each further naive translation."""
    table = plain_table(
        "The notes' conventions and PyTorch's: the translation must be exact, and leaving it out must show.\n"
        "Under each dtype: error / bound of the translation.",
        ["convention", "the notes", "PyTorch", "exact translation", "without it"],
        ["off by", *DTYPES],
    )
    for column in table.columns:
        column.overflow = "fold"  # code has long words
    table.columns[0].no_wrap = True
    for about, lines in by_convention(outcomes):
        ratios = {line.dtype: f"{line.worst.ratio:.3f}" for line in lines}
        verdict = _verdict(lines)
        texts: tuple[str, ...] = (about.id, about.notes, about.torch, about.translation)
        for gap in lines[0].gaps:
            shown = (*map(escape, (*texts, gap.naive)), percent(gap.off))
            table.add_row(*shown, *(ratios.get(dtype, "") for dtype in DTYPES), verdict)
            texts, ratios, verdict = ("",) * len(texts), {}, ""
    return table


def by_convention(outcomes: Sequence[ConventionResult]) -> Iterator[tuple[Convention, list[ConventionResult]]]:
    """The outcomes of each convention, one for every dtype; figures are shown of the first."""
    for _, group in groupby(outcomes, key=lambda outcome: outcome.convention.id):
        lines = list(group)
        yield lines[0].convention, lines


def _verdict(lines: Sequence[ConventionResult]) -> str:
    if not all(line.exact for line in lines):
        return "[bold red]not exact[/]"
    return "[green]exact[/]" if all(line.telling for line in lines) else "[bold red]naive agrees[/]"
