"""A worked example of a formula: what it is given and what it gives, each array a box of its shape with its numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from parity_tests.formulas.formula import Formula
from parity_tests.formulas.run import cast, generator, outputs_of

MOST = 8
"""Rows and columns of a box that is shown with its numbers; a larger one, or a volume, has its shape alone."""


class Box(NamedTuple):
    """An array: its name, its shape, and its numbers in rows, none where it is too large to show."""

    name: str
    shape: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def size(self) -> str:
        """The shape in words, such as ``5 x 3``."""
        return " \N{MULTIPLICATION SIGN} ".join(map(str, self.shape))


class Worked(NamedTuple):
    """What a formula is given, arrays and single values, and what it gives."""

    given: tuple[Box, ...]
    values: tuple[tuple[str, str], ...]
    found: tuple[Box, ...]
    numbers: tuple[tuple[str, str], ...]


def worked(formula: Formula) -> Worked | None:
    """The example of the record's first case, on the probe that the comparison begins with; None without a case."""
    if not formula.cases:
        return None
    case = formula.cases[0]
    inputs = cast(case.inputs(generator(case.id, 0)), np.float64)
    given, values = _sorted(inputs)
    found, numbers = _sorted(outputs_of(case, inputs, np.float64)["manual"])
    return Worked(given, values, found, numbers)


def _sorted(values: dict[str, Any]) -> tuple[tuple[Box, ...], tuple[tuple[str, str], ...]]:
    """The arrays as boxes, and the single values as text."""
    boxes = tuple(_box(name, np.asarray(value)) for name, value in values.items() if np.ndim(value))
    single = tuple((name.rstrip("_"), _short(value)) for name, value in values.items() if not np.ndim(value))
    return boxes, single


def _box(name: str, value: Any) -> Box:
    rows: tuple[tuple[str, ...], ...] = ()
    if value.ndim <= 2 and max(value.shape) <= MOST:
        rows = tuple(tuple(_short(each) for each in row) for row in np.atleast_2d(value))
    return Box(name, value.shape, rows)


def _short(value: Any) -> str:
    """Three digits of a number; anything else as it is written."""
    if isinstance(value, str | bool | np.bool_) or value is None:
        return str(value)
    return f"{float(value):.3g}".replace("-", "\N{MINUS SIGN}")
