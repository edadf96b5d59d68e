"""What the tables of the bench share: heads of columns, and figures made from several lines."""

from __future__ import annotations

from statistics import geometric_mean
from typing import Any, NamedTuple

from parity_tests.bench.conv_sizes import MEAN_BARS

CONV_HEAD = "m, n, n_C_prev, n_C, f, p, s"
"""The numbers that a convolution's size consists of."""

FIT_HEAD = "digits, 20 epochs of Adam: hidden; batch"

SHARED_HEAD = "a step of torch_ref: size; m"


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


def products(line: dict[str, Any]) -> str:
    """The step in units of its matrix products, with the bar where there is one."""
    ratio = f"{line['manual/products']:.2f}"
    return ratio if line["products_bar"] is None else f"{ratio} (at most {line['products_bar']})"
