"""The README's section on speed, made from measured.json."""

from __future__ import annotations

from typing import Any

from parity_tests.readme import markdown_table


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
        f"NumPy {about['numpy']} ({about[BLAS]}), PyTorch {about['torch']}. Medians of {values['rounds']} rounds; "
        f"load average before them {about['load']}: what else runs on the machine weighs most on two threads.\n\n"
        + markdown_table(head, rows, words=2)
        + "\n"
        + markdown_table(["formula", "m", "loop", "vectorised", "loop / vectorised"], loops, words=2)
    )


BLAS = "numpy's BLAS"


def _step(line: dict[str, Any], lines: list[dict[str, Any]], more_threads: list[int]) -> list[str]:
    """A row: one size in one dtype, with the ratios at other numbers of threads."""
    others = {
        other["threads"]: other["manual/torch"]
        for other in lines
        if (other["size"], other["dtype"]) == (line["size"], line["dtype"])
    }
    return [
        line["size"],
        line["dtype"],
        _time(line["manual_us"]),
        _time(line["torch_us"]),
        f"{line['manual/torch']:.2f}",
        str(line["bar"]),
        products(line),
        *(f"{others[n]:.2f}" for n in more_threads),
    ]


def products(line: dict[str, Any]) -> str:
    """The step in units of its matrix products, with the bar where there is one."""
    ratio = f"{line['manual/products']:.2f}"
    return ratio if line["products_bar"] is None else f"{ratio} (at most {line['products_bar']})"


def _times(line: dict[str, Any]) -> str:
    return f"{line['loop/vectorised']:.0f}"


def _time(microseconds: float) -> str:
    return f"{microseconds / 1000:.1f} ms" if microseconds >= 1000 else f"{microseconds:.0f} µs"
