"""Tables of the README in Markdown; those of the bench stand in ``bench_tables``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from parity_tests.comparison.run import summary
from parity_tests.comparison.tables import worst_of
from parity_tests.conventions.check import Outcome as Translated
from parity_tests.conventions.table import by_convention, percent
from parity_tests.derivations.testbed.matrix import Outcome as Named
from parity_tests.derivations.testbed.matrix import by_mistake, figures
from parity_tests.judging.judge import FAILS, HOLDS, Result
from parity_tests.notes.row import KINDS, VERDICTS
from parity_tests.notes.rows import ROWS
from parity_tests.tests.chores.mutants import Score


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> str:
    """A table in Markdown: so many columns of words, then columns of numbers, and perhaps a verdict."""
    rule = ["---" if place < words or name == "verdict" else "---:" for place, name in enumerate(head)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *rows))


def parity_table(results: Sequence[Result]) -> str:
    """A line for each model, and a sentence about all lines of the comparison."""
    models = dict.fromkeys(result.model for result in results if result.model)
    head = ("model", "data", "arrays", "dW differs by less than", "its error / bound", "of everything", "verdict")
    counts = summary(results)
    formulas = len({result.case for result in results if not result.model})
    return (
        markdown_table(head, [_model_row(model, results) for model in models], words=2)
        + f"\nWith {formulas} cases of single formulas, and the free runs, {counts['arrays']:,} arrays in float64: "
        f"{counts[FAILS]} fail, and about {counts['arrays that cannot be told']} cannot be told.\n"
    )


def _model_row(model: str, results: Sequence[Result]) -> list[str]:
    """The worst of a model over all its data, penalties and optimisers; dW's error as the power of ten above it."""
    of_model = [result for result in results if result.model == model and result.basis == "derived"]
    dW = [result for result in of_model if result.quantity == "dW"]
    worst, error = worst_of(of_model), max(result.error for result in dW)
    return [
        model,
        ", ".join(dict.fromkeys(result.dataset for result in of_model)),
        f"{sum(result.arrays for result in of_model):,}",
        f"1e{math.floor(math.log10(error)) + 1}" if error else "0",
        f"{max(result.ratio for result in dW):.2f}",
        f"{worst.ratio:.2f}",
        FAILS if worst.verdict == FAILS else HOLDS,
    ]


def conventions_table(outcomes: Sequence[Translated]) -> str:
    """A line for every convention."""
    head = ("topic", "the notes", "PyTorch", "exact translation", "without it: off by")
    rows = []
    for about, lines in by_convention(outcomes):
        gaps = "; ".join(f"{gap.naive}: {percent(gap.off)}" for gap in lines[0].gaps)
        model = f" ({about.model})" if about.model else ""
        rows.append((about.topic, about.notes, about.torch, about.translation, gaps + model))
    return markdown_table(head, rows, words=len(head))


def mistakes_table(found: list[Named]) -> str:
    """The confusion matrix: a line per mistake, and what else it was taken for."""
    rows = [
        [cause, str(count), str(named), ", ".join(f"{name} ({times})" for name, times in others.items())]
        for cause, count, named, others in by_mistake(found)
    ]
    shares = figures(found)
    names = ("formulas", "top cause right", "right or listed", "ambiguous", "unknown", "called right")
    head = ("the mistake made", "formulas", "named", "named something else")
    return markdown_table(head, rows, words=1) + "\n" + ", ".join(f"{name}: {shares[name]}" for name in names) + ".\n"


def errata_table() -> str:
    """Rows of the notes by verdict and by kind of check; a row may have checks of several kinds."""
    lines = []
    for verdict in (*VERDICTS, "all"):
        rows = [row for row in ROWS if verdict in (row.verdict, "all")]
        kinds = (sum(kind in row.kinds for row in rows) for kind in KINDS)
        lines.append([verdict, *map(str, (len(rows), *kinds, sum(bool(row.unchecked) for row in rows)))])
    right, false = (sum(map(len, checks)) for checks in zip(*((row.right, row.false) for row in ROWS), strict=True))
    head = ("the note", "rows", *KINDS, "no machine can check")
    return (
        markdown_table(head, lines, words=1) + f"\n{right} statements must hold, {false} false ones must be rejected.\n"
    )


def mutants_table(modules: dict[str, dict[str, int]]) -> str:
    """What mutation testing found, as measured.json has it: all modules in a sentence, then a line for each."""
    scores = {name: Score(**counts) for name, counts in modules.items()}
    mutants, killed, equivalent = (sum(column) for column in zip(*scores.values(), strict=True))
    rows = [[name, *map(str, score)] for name, score in scores.items()]
    return (
        f"{killed} of {mutants} mutants are killed, {equivalent} are equivalent, "
        f"{mutants - killed - equivalent} are left.\n\n" + markdown_table(["module", *Score._fields], rows, words=1)
    )
