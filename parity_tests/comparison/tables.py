"""The comparison as people read it: a line per formula, a line per model and quantity, a closing line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table

from manual.shared.cli import plain_table
from parity_tests.judging.judge import CANNOT_TELL, FAILS, HOLDS, Result

STYLES = {HOLDS: "green", CANNOT_TELL: "yellow", FAILS: "bold red"}
VERSIONS = ("manual/torch", "manual/loop", "manual/complex step")


def show(results: Sequence[Result], console: Console, *, quiet: bool = False) -> None:
    """Print the tables, unless ``quiet``, what fails, and the closing line."""
    formulas = [result for result in results if not result.model]
    models = [result for result in results if result.model]
    if formulas and not quiet:
        console.print(_formulas(formulas))
    if models and not quiet:
        console.print(_models(models))
    for result in results:
        if result.verdict == FAILS:
            console.print(describe(result), style=STYLES[FAILS])
    for reason in dict.fromkeys(result.reason for result in results if result.verdict != FAILS and result.reason):
        of_reason = [result for result in results if result.reason == reason]
        console.print(f"{len(of_reason)} of {len(results)} lines: {reason}.")
    console.print(closing(results))


def _formulas(results: Sequence[Result]) -> Table:
    table = plain_table(
        "Formulas on probes: error / bound of the vectorised form against each other version",
        ["formula and output"],
        ["dtype", "torch", "loop", "complex step"],
    )

    def key(result: Result) -> tuple[str, str, str]:
        return result.case, result.quantity, result.dtype

    for (case, quantity, dtype), group in groupby(sorted(results, key=key), key=key):
        lines = list(group)
        by_pair = {line.pair: _ratio(line.ratio) for line in lines}
        table.add_row(f"{case} {quantity}", dtype, *(by_pair.get(pair, "") for pair in VERSIONS), _verdict(lines))
    return table


def _models(results: Sequence[Result]) -> Table:
    table = plain_table(
        "Models on their data: manual against torch over every layer and step; each line shows its worst entry.\n"
        "Free runs are judged by a measured spread, all else by a derived bound.",
        ["model and quantity"],
        ["arrays", "layer", "error", "bound", "error/bound"],
    )

    def key(result: Result) -> tuple[str, str]:
        return result.case, result.dtype

    for (case, dtype), of_case in groupby(results, key=key):
        table.add_row(f"{case} {dtype}", style="bold")
        quantities: dict[str, list[Result]] = {}
        for result in of_case:
            quantities.setdefault(result.quantity, []).append(result)
        for place, (quantity, lines) in enumerate(quantities.items(), start=1):
            worst = worst_of(lines)
            table.add_row(
                f"  {quantity}",
                str(sum(line.arrays for line in lines)),
                "" if worst.layer is None else str(worst.layer),
                f"{worst.error:.1e}",
                f"{worst.bound:.1e}",
                _ratio(worst.ratio),
                _verdict(lines),
                end_section=place == len(quantities),
            )
    return table


def worst_of(results: Iterable[Result]) -> Result:
    """The worst line: a failure before any other, then the largest ratio."""
    return max(results, key=lambda result: (result.verdict == FAILS, result.ratio))


def _verdict(lines: Sequence[Result]) -> str:
    """The verdict over several lines, coloured, with the number of arrays that cannot be told."""
    untold = sum(line.cannot_tell for line in lines)
    verdict = FAILS if worst_of(lines).verdict == FAILS else CANNOT_TELL if untold else HOLDS
    return f"[{STYLES[verdict]}]{verdict}[/]" + (f" ({untold})" if untold else "")


def _ratio(value: float) -> str:
    return f"{value:.3f}"


def describe(result: Result) -> str:
    """A failure in one line, with its worst entry."""
    place = f"{result.quantity}" + ("" if result.layer is None else f" of layer {result.layer}")
    line = f"fails: {result.case}, {place}, {result.dtype}, {result.pair}: "
    if result.reason:
        return line + result.reason
    return line + (f"entry {list(result.worst_index)} differs by {result.error:.3g}, the bound is {result.bound:.3g}")


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """Counts by verdict, of lines and of arrays, and the worst derived and measured ratios."""
    worst = {
        basis: max((result.ratio for result in results if result.basis == basis), default=None)
        for basis in ("derived", "measured")
    }
    return {
        "lines": len(results),
        "arrays": sum(result.arrays for result in results),
        **{verdict: sum(result.verdict == verdict for result in results) for verdict in (HOLDS, CANNOT_TELL, FAILS)},
        "arrays that cannot be told": sum(result.cannot_tell for result in results),
        "worst ratio": worst["derived"],
        "worst measured ratio": worst["measured"],
    }


def closing(results: Sequence[Result]) -> str:
    """Counts and worst ratios in a sentence."""
    counts = summary(results)
    parts = [f"{counts[HOLDS]} hold", f"{counts[CANNOT_TELL]} cannot be told in part", f"{counts[FAILS]} fail"]
    text = f"{counts['lines']} lines over {counts['arrays']} arrays: {', '.join(parts)}"
    if counts["arrays that cannot be told"]:
        text += f" ({counts['arrays that cannot be told']} arrays cannot be told)"
    if counts["worst ratio"] is not None:
        text += f"; worst error/bound {counts['worst ratio']:.3f}"
    if counts["worst measured ratio"] is not None:
        text += f", measured {counts['worst measured ratio']:.3f}"
    return text + "."
