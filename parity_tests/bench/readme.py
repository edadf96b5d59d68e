"""The README's section on speed: made from measured.json, held between two markers, checked by a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).parents[1] / "measured.json"
README = Path(__file__).parents[2] / "README.md"

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def measured(section: str) -> Any:
    """A section of measured.json."""
    return json.loads(MEASURED.read_text())[section]


def save(section: str, values: Any) -> None:
    """Replace a section of measured.json; the others stay."""
    sections = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    MEASURED.write_text(json.dumps({**sections, section: values}, indent=1) + "\n")


def update_readme(text: str) -> bool:
    """Put the text between the markers of the README; False where there is no README with markers."""
    if not README.exists() or BEGIN not in README.read_text():
        return False
    before, _, rest = README.read_text().partition(BEGIN)
    README.write_text(before + BEGIN + "\n" + text + END + rest.partition(END)[2])
    return True


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
        + _table(head, rows)
        + "\n"
        + _table(["formula", "m", "loop", "vectorised", "loop / vectorised"], loops)
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


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * 2 + ["---:"] * (len(head) - 2), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
