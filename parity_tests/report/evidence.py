"""What shows that the project can be trusted: conventions, mistakes that are named, mutants, and figures of speed.

The scores of mutation testing and the figures of speed are those of measured.json; all else is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from parity_tests.bench.tables import Table as Figures
from parity_tests.bench.tables import conv_means, device_table, measured_on, tables
from parity_tests.conventions.check import ConventionResult
from parity_tests.conventions.table import by_convention, percent
from parity_tests.derivations.testbed.dense import TESTBED
from parity_tests.derivations.testbed.matrix import Outcome, by_mistake, figures, outcomes
from parity_tests.measured import measured
from parity_tests.notes.row import KINDS, VERDICTS
from parity_tests.notes.run import ROWS

SCORE = ("mutants", "killed", "equivalent")


class Table(NamedTuple):
    """A table: so many columns of words, then columns of numbers, and perhaps a verdict."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int

    def is_number(self, column: int) -> bool:
        """Whether a column holds numbers, which stand on the right."""
        return column >= self.words and self.head[column] != "verdict"

    def markdown(self) -> str:
        """The table in Markdown, without its caption."""
        rule = ["---:" if self.is_number(column) else "---" for column in range(len(self.head))]
        return "".join(f"| {' | '.join(cells)} |\n" for cells in (self.head, rule, *self.rows))


Blocks = list[Table | str]
"""Paragraphs and tables, in their order."""


def markdown(blocks: Blocks) -> str:
    """Paragraphs and tables in Markdown."""
    return "\n".join(block.markdown() if isinstance(block, Table) else f"{block}\n" for block in blocks)


def sections() -> dict[str, Blocks]:
    """By heading: the rows of the notes, and what was kept of mutation testing and of speed."""
    return {
        "The notes": errata_table(),
        "Mutants that are killed": mutants_table(measured("mutation")["modules"]),
        "Speed on a CPU": bench_tables(measured("bench")),
        "Speed on a GPU": gpu_table(measured("gpu")),
    }


def evidence() -> str:
    """All of it in Markdown, every section under its heading; the test-bed is run."""
    shown = {"Mistakes that are named": mistakes_table(list(outcomes(TESTBED))), **sections()}
    return "\n".join(f"## {title}\n\n{markdown(blocks)}" for title, blocks in shown.items())


def conventions_table(outcomes: Sequence[ConventionResult]) -> Table:
    """A line for every convention."""
    head = ("topic", "the notes", "PyTorch", "exact translation", "without it: off by")
    rows = []
    for about, lines in by_convention(outcomes):
        gaps = "; ".join(f"{gap.naive}: {percent(gap.off)}" for gap in lines[0].gaps)
        model = f" ({about.model})" if about.model else ""
        rows.append((about.topic, about.notes, about.torch, about.translation, gaps + model))
    return Table("The notes and PyTorch, with the translation between them", head, rows, words=len(head))


def errata_table() -> Blocks:
    """Rows of the notes by verdict and by kind of check; a row may have checks of several kinds."""
    lines = []
    for verdict in (*VERDICTS, "all"):
        rows = [row for row in ROWS if verdict in (row.verdict, "all")]
        kinds = (sum(kind in row.kinds for row in rows) for kind in KINDS)
        lines.append([verdict, *map(str, (len(rows), *kinds, sum(bool(row.unchecked) for row in rows)))])
    right, false = (sum(map(len, checks)) for checks in zip(*((row.right, row.false) for row in ROWS), strict=True))
    head = ("the note", "rows", *KINDS, "no machine can check")
    statements = f"{right} statements must hold, {false} false ones must be rejected."
    return [Table("Rows of the notes by verdict and by kind of check", head, lines, words=1), statements]


def mistakes_table(found: list[Outcome]) -> Blocks:
    """The confusion matrix: a line per mistake, and what else it was taken for."""
    rows = [
        [cause, str(count), str(named), ", ".join(f"{name} ({times})" for name, times in others.items())]
        for cause, count, named, others in by_mistake(found)
    ]
    shares = figures(found)
    names = ("formulas", "top cause right", "right or listed", "ambiguous", "unknown", "called right")
    head = ("the mistake made", "formulas", "named", "named something else")
    return [
        Table("The mistake made, and what it was named", head, rows, words=1),
        ", ".join(f"{name}: {shares[name]}" for name in names) + ".",
    ]


def mutants_table(modules: dict[str, dict[str, int]]) -> Blocks:
    """What mutation testing found, as measured.json has it: all modules in a sentence, then a line for each."""
    mutants, killed, equivalent = (sum(counts[name] for counts in modules.values()) for name in SCORE)
    rows = [[name, *(str(counts[column]) for column in SCORE)] for name, counts in modules.items()]
    return [
        f"{killed} of {mutants} mutants are killed, {equivalent} are equivalent, "
        f"{mutants - killed - equivalent} are left.",
        Table("Mutants of the formulas and of what judges them", ["module", *SCORE], rows, words=1),
    ]


def bench_tables(values: dict[str, Any]) -> Blocks:
    """Where the figures come from, and a table for each part."""
    return [measured_on(values), *map(_shown, tables(values))]


def gpu_table(values: dict[str, Any] | None) -> Blocks:
    """What a GPU gains; or that nobody has measured it."""
    if values is None:
        return ["Not measured: no GPU was at hand."]
    return [measured_on(values), _shown(device_table(values))]


def _shown(table: Figures) -> Table:
    return Table(table.title, [*table.words, *table.numbers], table.rows, words=len(table.words))


def ratios_table(values: dict[str, Any]) -> Table:
    """All that was timed in one thread, in a few lines: from the smallest ratio to the largest, by dtype."""
    steps = [line for line in values["steps"] if line["threads"] == 1]
    means = [mean._asdict() for mean in conv_means(values["convolutions"]) if mean.threads == 1]
    rows = [
        ("a training step", "torch", steps, "manual/torch"),
        ("a convolution, the geometric mean of all", "torch", means, "ratio"),
        ("a whole training on digits", "torch", values["fits"], "manual/torch"),
        ("a whole training on digits", "scikit-learn", values["fits"], "manual/sklearn"),
    ]
    dtypes = list(dict.fromkeys(line["dtype"] for line in steps))
    cells = [
        [what, other, *(_range([line[key] for line in lines if line["dtype"] == dtype]) for dtype in dtypes)]
        for what, other, lines, key in rows
    ]
    return Table("Ratios of times, one thread", ["by hand / the other", "the other", *dtypes], cells, words=2)


def _range(ratios: list[float]) -> str:
    least, most = f"{min(ratios):.2f}", f"{max(ratios):.2f}"
    return least if least == most else f"{least} to {most}"
