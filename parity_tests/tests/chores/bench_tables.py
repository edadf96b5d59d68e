"""The README's tables on speed, made from measured.json."""

from __future__ import annotations

from typing import Any

from parity_tests.bench.device_tables import figure, measured_on
from parity_tests.bench.lines import CONV_HEAD, FIT_HEAD, SHARED_HEAD, conv_means, products
from parity_tests.tests.chores.readme_tables import markdown_table

BLAS = "numpy's BLAS"


def bench_tables(values: dict[str, Any]) -> str:
    """The section's tables in Markdown."""
    about = values["environment"]
    threads = sorted({line["threads"] for line in values["steps"]})
    head = [
        "size; m",
        "dtype",
        "by hand",
        "torch",
        "by hand / torch",
        "at most",
        "by hand / products",
        *(f"by hand / torch, {n} threads" for n in threads[1:]),
    ]
    rows = [_step(line, values["steps"], threads[1:]) for line in values["steps"] if line["threads"] == threads[0]]
    loops = [
        [line["formula"], str(line["m"]), _time(line["loop_us"]), _time(line["vectorised_us"]), _times(line)]
        for line in values["loops"]
    ]
    return (
        f"Measured on {about['date']}: {about['processor']}, {about['cores']} cores; Python {about['python']}, "
        f"NumPy {about['numpy']} ({about[BLAS]}), PyTorch {about['torch']}. Medians of {values['rounds']} rounds "
        f"({values['conv_rounds']} of convolutions, {values['fit_rounds']} of trainings, "
        f"{values['shared_rounds']} of processes); "
        f"load average before them {about['load']}: "
        "what else runs on the machine weighs most on two threads.\n\n"
        + markdown_table(head, rows, words=2)
        + "\n"
        + markdown_table(["formula", "m", "loop", "vectorised", "loop / vectorised"], loops, words=2)
        + "\n"
        + _conv_table(values["convolutions"])
        + "\n"
        + _workspace_table(values["workspace"])
        + "\n"
        + _fit_table(values["fits"])
        + "\n"
        + _process_table(values["processes"])
    )


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


def _conv_table(lines: list[dict[str, Any]]) -> str:
    """A row for each size and dtype in one thread, with the ratios at other numbers of threads; then the means."""
    one, *others = sorted({line["threads"] for line in lines})
    ratios = {(line["size"], line["dtype"], line["threads"]): line["manual/torch"] for line in lines}
    means = {(mean.dtype, mean.threads): mean for mean in conv_means(lines)}
    rows = [
        [*_beside(line, "manual", "torch"), *(f"{ratios[line['size'], line['dtype'], n]:.2f}" for n in others)]
        for line in lines
        if line["threads"] == one
    ]
    rows += [
        ["geometric mean", dtype, "", "", f"{mean.ratio:.2f}", str(mean.bar)]
        + [f"{means[dtype, n].ratio:.2f}" for n in others]
        for (dtype, threads), mean in means.items()
        if threads == one
    ]
    head = [CONV_HEAD, "dtype", "by hand", "torch", "by hand / torch", "at most"]
    return markdown_table([*head, *(f"by hand / torch, {n} threads" for n in others)], rows, words=2)


def _workspace_table(lines: list[dict[str, Any]]) -> str:
    rows = [
        [
            line["size"],
            line["dtype"],
            _mebibytes(line["workspace_bytes"]),
            _mebibytes(line["unrolled_bytes"]),
            f"{line['workspace/unrolled']:.3f}",
            str(line["bar"]),
        ]
        for line in lines
    ]
    head = [CONV_HEAD, "dtype", "beyond the outputs", "all windows unrolled", "beyond / unrolled", "at most"]
    return markdown_table(head, rows, words=2)


def _fit_table(lines: list[dict[str, Any]]) -> str:
    """A row for each size and dtype: times, and ratios with their bars."""
    rows = [
        [
            line["size"],
            line["dtype"],
            *(_time(line[f"{side}_us"]) for side in ("manual", "torch", "sklearn")),
            f"{line['manual/torch']:.2f}",
            str(line["bar"]),
            f"{line['manual/sklearn']:.2f}",
            str(line["sklearn_bar"]),
        ]
        for line in lines
    ]
    ratios = ["by hand / torch", "at most", "by hand / scikit-learn", "at most"]
    return markdown_table([FIT_HEAD, "dtype", "by hand", "torch", "scikit-learn", *ratios], rows, words=2)


def _process_table(lines: list[dict[str, Any]]) -> str:
    """A row for each size and dtype: two processes beside two threads, and how busy the machine was."""
    if not lines:
        return "A step that two processes share, beside one with two threads: not measured.\n"
    rows = [[*_beside(line, "processes", "threads"), line["load"]] for line in lines]
    ratio = ["two processes / two threads", "at most", "load average"]
    return markdown_table([SHARED_HEAD, "dtype", "two processes", "one, two threads", *ratio], rows, words=2)


def _step(line: dict[str, Any], lines: list[dict[str, Any]], more_threads: list[int]) -> list[str]:
    """A row: one size in one dtype, with the ratios at other numbers of threads."""
    others = {
        other["threads"]: other["manual/torch"]
        for other in lines
        if (other["size"], other["dtype"]) == (line["size"], line["dtype"])
    }
    return [*_beside(line, "manual", "torch"), products(line), *(f"{others[n]:.2f}" for n in more_threads)]


def _beside(line: dict[str, Any], one: str, other: str) -> list[str]:
    """Size and dtype, the times of both, their ratio and its bar."""
    times = [_time(line[f"{name}_us"]) for name in (one, other)]
    return [line["size"], line["dtype"], *times, f"{line[f'{one}/{other}']:.2f}", str(line["bar"])]


def _times(line: dict[str, Any]) -> str:
    return f"{line['loop/vectorised']:.0f}"


def _time(microseconds: float) -> str:
    return f"{microseconds / 1000:.1f} ms" if microseconds >= 1000 else f"{microseconds:.0f} µs"


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:.1f} MiB"


def gpu_table(values: dict[str, Any] | None) -> str:
    """The section's table in Markdown: what a GPU gains; or that nobody has measured it."""
    if values is None:
        return "Not measured: no GPU was at hand.\n"
    head = ["measured", "size", "one", "other", "ratio", "at least"]
    rows = [
        [
            line["measured"],
            line["size"],
            *(figure(line[name], line["unit"]) for name in ("one", "other")),
            f"{line['ratio']:.2f}",
            str(line["at_least"]),
        ]
        for line in values["lines"]
    ]
    return measured_on(values) + "\n\n" + markdown_table(head, rows, words=2)
