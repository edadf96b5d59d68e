"""What of a long table runs every time, and what only with -m slow, as in .ci/run."""

from collections.abc import Iterable
from typing import Any

import pytest


def sliced(rows: Iterable[Any], every: int) -> list[Any]:
    """The rows as parameters: the first and each ``every``-th behind it as they are, the others marked slow."""
    return [row if number % every == 0 else _slow(row) for number, row in enumerate(rows)]


def _slow(row: Any) -> Any:
    """The row, or the parameter that it is already, marked slow."""
    if hasattr(row, "marks"):
        return row._replace(marks=(*row.marks, pytest.mark.slow))
    values = row if type(row) is tuple else (row,)  # a named one is one value
    return pytest.param(*values, marks=pytest.mark.slow)
