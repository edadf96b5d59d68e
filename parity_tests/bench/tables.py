"""The figures of the bench as tables: their cells as text, for the terminal and for Markdown alike."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import geometric_mean
from typing import Any, NamedTuple

from rich.console import Console

from manual.shared.cli import plain_table
from parity_tests.bench.sizes import JAX_BAR, MEAN_BARS

CONV_HEAD = "m, n, n_C_prev, n_C, f, p, s"
"""The numbers that a convolution's size consists of."""


class Table(NamedTuple):
    """A title, heads of the columns of words and of numbers, rows; of every row, whether it keeps to its bars.

    None where it has no bar.
    """

    title: str
    words: Sequence[str]
    numbers: Sequence[str]
    rows: list[list[str]]
    within: list[bool | None]


class Mean(NamedTuple):
    """The geometric mean of by hand / torch over all convolutions, and the most it may be, where it has a bar."""

    dtype: str
    threads: int
    ratio: float
    bar: float | None


def conv_means(lines: list[dict[str, Any]]) -> list[Mean]:
    """A mean for each number of threads and each dtype."""
    ratios: dict[tuple[int, str], list[float]] = {}
    for line in lines:
        ratios.setdefault((line["threads"], line["dtype"]), []).append(line["manual/torch"])
    return [
        Mean(dtype, threads, geometric_mean(found), MEAN_BARS[dtype] if threads == 1 else None)
        for (threads, dtype), found in ratios.items()
    ]


def tables(values: dict[str, Any]) -> list[Table]:
    """A table for each part that was measured."""
    made = {
        "steps": _steps,
        "peers": _peers,
        "loops": _loops,
        "convolutions": _convolutions,
        "workspace": _workspace,
        "fits": _fits,
        "processes": _processes,
        "growth": _growth,
    }
    given = {**values, "peers": [line for line in values["steps"] if "formulas_us" in line]}
    return [table(given[name]) for name, table in made.items() if given.get(name)]


def _steps(lines: list[dict[str, Any]]) -> Table:
    """A row for each size and dtype in one thread, with the ratios at other numbers of threads."""
    first, more = _by_threads(lines)
    rows, within = [], []
    for line in first:
        products = f"{line['manual/products']:.2f}"
        if line["products_bar"] is not None:
            products += f" (at most {line['products_bar']})"
        rows.append([*_beside(line, "manual", "torch"), products, *_at(more, line)])
        within.append(_keeps((line["manual/torch"], line["bar"]), (line["manual/products"], line["products_bar"])))
    numbers = ["by hand", "torch", "by hand / torch", "at most", "by hand / products"]
    return Table("A training step", ["size; m", "dtype"], [*numbers, *_heads(more)], rows, within)


PEERS = {"formulas": "the formulas one by one", "compiled": "torch.compile", "jax": "JAX, jitted"}
"""What a step is put beside, besides torch and its products."""


def _peers(lines: list[dict[str, Any]]) -> Table:
    """A row for each size and dtype: by hand over each of PEERS that was there."""
    there = {peer: name for peer, name in PEERS.items() if f"{peer}_us" in lines[0]}
    rows = [
        [
            line["size"],
            line["dtype"],
            _time(line["manual_us"]),
            *(f"{_time(line[f'{peer}_us'])} ({line[f'manual/{peer}']:.2f})" for peer in there),
        ]
        for line in lines
    ]
    within = [_keeps((line["manual/jax"], JAX_BAR)) if "jax" in there else None for line in lines]
    title = f"A training step beside others (by hand / the other; JAX at most {JAX_BAR})"
    return Table(title, ["size; m", "dtype"], ["by hand", *there.values()], rows, within)


def _loops(lines: list[dict[str, Any]]) -> Table:
    rows = [
        [
            line["formula"],
            str(line["m"]),
            _time(line["loop_us"]),
            _time(line["vectorised_us"]),
            f"{line['loop/vectorised']:.0f}",
        ]
        for line in lines
    ]
    numbers = ["loop", "vectorised", "loop / vectorised"]
    return Table("Loops against vectorised forms", ["formula", "m"], numbers, rows, [None] * len(rows))


def _convolutions(lines: list[dict[str, Any]]) -> Table:
    """A row for each size and dtype in one thread, with the ratios at other numbers of threads; then the means."""
    first, more = _by_threads(lines)
    means = {(mean.dtype, mean.threads): mean for mean in conv_means(lines)}
    rows = [[*_beside(line, "manual", "torch"), *_at(more, line)] for line in first]
    within = [_keeps((line["manual/torch"], line["bar"])) for line in first]
    for dtype in dict.fromkeys(line["dtype"] for line in first):
        mean = means[dtype, first[0]["threads"]]
        at = [f"{means[dtype, n].ratio:.2f}" for n in more]
        rows.append(["geometric mean", dtype, "", "", f"{mean.ratio:.2f}", _bar(mean.bar), *at])
        within.append(_keeps((mean.ratio, mean.bar)))
    numbers = ["by hand", "torch", "by hand / torch", "at most", *_heads(more)]
    return Table("A convolution, forward and backward", [CONV_HEAD, "dtype"], numbers, rows, within)


def _workspace(lines: list[dict[str, Any]]) -> Table:
    rows = [
        [
            line["size"],
            line["dtype"],
            *(f"{line[name] / 2**20:.1f} MiB" for name in ("workspace_bytes", "unrolled_bytes")),
            f"{line['workspace/unrolled']:.3f}",
            _bar(line["bar"]),
        ]
        for line in lines
    ]
    within = [_keeps((line["workspace/unrolled"], line["bar"])) for line in lines]
    numbers = ["beyond the outputs", "all windows unrolled", "beyond / unrolled", "at most"]
    return Table("Memory of a convolution by hand", [CONV_HEAD, "dtype"], numbers, rows, within)


def _fits(lines: list[dict[str, Any]]) -> Table:
    rows = [
        [
            line["size"],
            line["dtype"],
            *(_time(line[f"{side}_us"]) for side in ("manual", "torch", "sklearn")),
            f"{line['manual/torch']:.2f}",
            _bar(line["bar"]),
            f"{line['manual/sklearn']:.2f}",
            _bar(line["sklearn_bar"]),
        ]
        for line in lines
    ]
    within = [
        _keeps((line["manual/torch"], line["bar"]), (line["manual/sklearn"], line["sklearn_bar"])) for line in lines
    ]
    ratios = ["by hand / torch", "at most", "by hand / scikit-learn", "at most"]
    words = ["digits, 20 epochs of Adam: hidden; batch", "dtype"]
    return Table("A training", words, ["by hand", "torch", "scikit-learn", *ratios], rows, within)


def _processes(lines: list[dict[str, Any]]) -> Table:
    """Two processes beside two threads, and how busy the machine was."""
    rows = [[*_beside(line, "processes", "threads"), line["load"]] for line in lines]
    within = [_keeps((line["processes/threads"], line["bar"])) for line in lines]
    numbers = ["two processes", "one, two threads", "two processes / two threads", "at most", "load average"]
    words = ["a step of torch_ref: size; m", "dtype"]
    return Table("A training step that two processes share", words, numbers, rows, within)


def _growth(lines: list[dict[str, Any]]) -> Table:
    """A row for each task: what four times the size costs."""
    rows = [
        [
            line["task"],
            " and ".join(map(str, line["sizes"])),
            *map(_time, line["us"]),
            f"{line['exponent']:.2f}",
            *(f"{size / 2**20:.2f} MiB" for size in line["bytes"]),
            f"{line['memory_exponent']:.2f}",
            _bar(line["bar"]),
        ]
        for line in lines
    ]
    within = [_keeps((line["exponent"], line["bar"]), (line["memory_exponent"], line["bar"])) for line in lines]
    numbers = ["time", "of four times", "exponent", "memory", "of four times", "exponent", "at most"]
    title = f"How time and memory grow, 1 in proportion ({lines[0]['date']})"
    return Table(title, ["the number of", "n"], numbers, rows, within)


def device_table(values: dict[str, Any]) -> Table:
    """What torch_ref gains on a device by doing at once what it could do one by one."""
    lines = [line for line in values["lines"] if "left_out" not in line]
    rows = [
        [
            line["measured"],
            line["size"],
            *(_figure(line[name], line["unit"]) for name in ("one", "other")),
            f"{line['ratio']:.2f}",
            _bar(line["at_least"]),
        ]
        for line in lines
    ]
    within = [None if line["at_least"] is None else line["ratio"] >= line["at_least"] for line in lines]
    numbers = ["one", "other", "ratio", "at least"]
    return Table("torch_ref on a device", ["measured", "size"], numbers, rows, within)


def measured_on(values: dict[str, Any]) -> str:
    """Where figures come from: of a device, or of the CPU."""
    about = values["environment"]
    here = f"{about['processor']}, {about['cores']} cores"
    if "lines" in values:
        cuda = f", CUDA {about['CUDA']}" if "CUDA" in about else ""
        device = f"{about['device']}{cuda}, PyTorch {about['torch']}, Python {about['python']}; {here}"
        return f"Measured on {about['date']}: {device}. Medians of {values['rounds']} rounds."
    blas = about["numpy's BLAS"]
    return (
        f"Measured on {about['date']}: {here}; Python {about['python']}, NumPy {about['numpy']} ({blas}), "
        f"PyTorch {about['torch']}. Medians of {values['rounds']} rounds ({values['conv_rounds']} of convolutions, "
        f"{values['fit_rounds']} of trainings, {values['shared_rounds']} of processes); load average before them "
        f"{about['load']}. Of one thread the processor's time is taken, of several the clock's: there what else runs "
        "on the machine weighs most."
    )


def show(values: dict[str, Any], out: Console, *, quiet: bool = False) -> None:
    """The tables in the terminal, unless ``quiet``, what was left out, and where it was measured."""
    for table in () if quiet else [device_table(values)] if "lines" in values else tables(values):
        printed = plain_table(table.title, table.words, table.numbers)
        for row, within in zip(table.rows, table.within, strict=True):
            printed.add_row(*row, "" if within is None else "[green]within[/]" if within else "[yellow]outside[/]")
        out.print(printed)
    for line in values.get("lines", ()):
        if "left_out" in line:
            out.print(f"{line['measured']} left out: {line['left_out']}")
    out.print(measured_on(values))


def _by_threads(lines: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[int, dict[tuple[str, str], float]]]:
    """The lines of the fewest threads, and by hand / torch by size and dtype at each other number of threads."""
    fewest, *others = sorted({line["threads"] for line in lines})
    more = {
        n: {(line["size"], line["dtype"]): line["manual/torch"] for line in lines if line["threads"] == n}
        for n in others
    }
    return [line for line in lines if line["threads"] == fewest], more


def _at(more: dict[int, dict[tuple[str, str], float]], line: dict[str, Any]) -> list[str]:
    return [f"{ratios[line['size'], line['dtype']]:.2f}" for ratios in more.values()]


def _heads(more: dict[int, Any]) -> list[str]:
    return [f"by hand / torch, {n} threads" for n in more]


def _beside(line: dict[str, Any], one: str, other: str) -> list[str]:
    """Size and dtype, the times of both, their ratio and its bar."""
    times = [_time(line[f"{name}_us"]) for name in (one, other)]
    return [line["size"], line["dtype"], *times, f"{line[f'{one}/{other}']:.2f}", _bar(line["bar"])]


def _keeps(*measured: tuple[float, float | None]) -> bool | None:
    """Whether figures are at most their bars; None where there is none."""
    bars = [figure <= bar for figure, bar in measured if bar is not None]
    return all(bars) if bars else None


def _bar(bar: float | None) -> str:
    return "" if bar is None else str(bar)


def _time(microseconds: float) -> str:
    return f"{microseconds / 1000:.1f} ms" if microseconds >= 1000 else f"{microseconds:.0f} µs"


def _figure(value: float, unit: str) -> str:
    """A number with its unit, three digits of it."""
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"
