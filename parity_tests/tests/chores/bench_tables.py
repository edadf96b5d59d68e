"""The README's tables on speed, made from measured.json."""

from __future__ import annotations

from typing import Any

from parity_tests.bench.tables import Table, conv_means, device_table, measured_on, tables
from parity_tests.tests.chores.readme_tables import markdown_table


def bench_tables(values: dict[str, Any]) -> str:
    """Where the figures come from, and a table for each part."""
    return "\n".join([f"{measured_on(values)}\n", *map(_in_markdown, tables(values))])


def gpu_table(values: dict[str, Any] | None) -> str:
    """What a GPU gains; or that nobody has measured it."""
    if values is None:
        return "Not measured: no GPU was at hand.\n"
    return f"{measured_on(values)}\n\n{_in_markdown(device_table(values))}"


def _in_markdown(table: Table) -> str:
    return markdown_table([*table.words, *table.numbers], table.rows, words=len(table.words))


def ratios_table(values: dict[str, Any]) -> str:
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
    return markdown_table(["by hand / the other", "the other", *dtypes], cells, words=2)


def _range(ratios: list[float]) -> str:
    least, most = f"{min(ratios):.2f}", f"{max(ratios):.2f}"
    return least if least == most else f"{least} to {most}"
