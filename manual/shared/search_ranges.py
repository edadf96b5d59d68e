"""Ranges of a search in powers of ten, as the notes write them: 10^uniform(-3, -6)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

LARGEST_EXPONENT = 300
"""Powers of ten beyond this are no floats."""


class Range(NamedTuple):
    """All numbers from 10^low to 10^high, every decade as likely as any other."""

    low: float
    high: float

    def distribution(self) -> Any:
        """10^uniform(low, high): scipy's loguniform.

        Notes: F256, F257, F258.
        """
        from scipy.stats import loguniform

        return loguniform(10.0**self.low, 10.0**self.high)

    def __str__(self) -> str:
        """As the notes write it."""
        return f"10^uniform({self.low:.3g}, {self.high:.3g})"


COARSE = (Range(-5, 5), Range(-6, -3))
"""N3's coarse ranges of reg, which is lambda/m, and of the learning rate (F256, F257)."""

FINE = (Range(-4, 0), Range(-4, -3))
"""N3's own fine ranges (F262)."""


def range_of(name: str, exponents: Sequence[float]) -> tuple[Range, str]:
    """The range between two exponents in either order, and a sentence where they came upside down, else "".

    The notes write uniform(-3, -6); NumPy's generator and torch's distributions want the lower bound first.

    Raises ValueError for exponents that are equal, not finite, or beyond what a float holds.

    Notes: F257.
    """
    first, second = (float(value) for value in exponents)
    for value in (first, second):
        if not (math.isfinite(value) and abs(value) <= LARGEST_EXPONENT):
            raise ValueError(
                f"{name} has the exponent {value:g}, expected a number from {-LARGEST_EXPONENT} to {LARGEST_EXPONENT}: "
                "the range is 10^uniform of the two"
            )
    if first == second:
        raise ValueError(f"{name} is {first:g} to {second:g}, expected two different exponents: a range has a width")
    found = Range(min(first, second), max(first, second))
    said = f"{name} {first:g} to {second:g} is upside down: read as {found}" if first > second else ""
    return found, said
