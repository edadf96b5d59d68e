"""The figures of a device as people read them: in the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from manual.shared.cli import plain_table


def measured_on(values: dict[str, Any]) -> str:
    """Where the figures of a device come from."""
    about = values["environment"]
    cuda = f", CUDA {about['CUDA']}" if "CUDA" in about else ""
    return (
        f"Measured on {about['date']}: {about['device']}{cuda}, PyTorch {about['torch']}, Python {about['python']}; "
        f"{about['processor']}, {about['cores']} cores. Medians of {values['rounds']} rounds."
    )


def figure(value: float, unit: str) -> str:
    """A number with its unit, three digits of it."""
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"


def show_device(values: dict[str, Any], out: Console, *, quiet: bool = False) -> None:
    """The table, what was left out, and where it was measured."""
    table = plain_table(
        "torch_ref on a device: how much faster it is at what it does at once",
        ["measured", "size"],
        ["one", "other", "ratio", "quartiles", "at least"],
    )
    for line in values["lines"]:
        if "left_out" not in line:
            bar = line["at_least"]
            table.add_row(
                line["measured"],
                line["size"],
                *(figure(line[name], line["unit"]) for name in ("one", "other")),
                f"{line['ratio']:.2f}",
                "{:.2f} to {:.2f}".format(*line["quartiles"]),
                "" if bar is None else str(bar),
                "" if bar is None else "[green]within[/]" if line["ratio"] >= bar else "[yellow]below[/]",
            )
    if not quiet:
        out.print(table)
    for line in values["lines"]:
        if "left_out" in line:
            out.print(f"{line['measured']} left out: {line['left_out']}")
    out.print(measured_on(values))
