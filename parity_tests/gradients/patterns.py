"""What two arrays that should be equal have in common: a constant factor, a transpose, zeros, all but a known term."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from manual.notation import Array

LARGEST_DENOMINATOR = 1000


class Pattern(NamedTuple):
    """In words, how an array follows from the right one; empty where it does not.

    ``exact``: rounding did not do it. That is so for a transpose, and for a factor that is a fraction of small numbers
    to within far less than the distance of such fractions.
    """

    text: str
    exact: bool = False


class Known(NamedTuple):
    """What a pattern may be made of: the number of examples, the parameter itself, and other arrays by name."""

    m: int | None = None
    parameter: Array | None = None
    arrays: Mapping[str, Array] = MappingProxyType({})


NOTHING = Pattern("")
DESCENT = "-1 times everywhere: right for whoever descends by adding it"
_WORDS = {
    "as it is": ("right", "{} times everywhere"),
    "transposed": ("transposed", "transposed, and {} times everywhere"),
    "reshaped": ("right but for the shape", "reshaped, and {} times everywhere"),
}


def pattern_of(got: Array, expected: Array, bound: Array, known: Known = Known()) -> Pattern:  # noqa: B008
    """How ``got`` follows from ``expected``.

    ``bound`` is what rounding may do to the difference of the two, entry by entry; entries where it is infinite are
    left out.
    """
    if np.isnan(got).all():
        return Pattern("NaN everywhere")
    if not got.any():
        return Pattern("all zeros") if expected.any() else NOTHING
    if not (np.isfinite(got).all() and np.isfinite(expected).all()):
        return NOTHING
    arranged = {}
    if got.shape == expected.shape:
        arranged["as it is"] = got
    if got.T.shape == expected.shape:
        arranged["transposed"] = got.T
    if got.shape != expected.shape and got.size == expected.size:
        arranged["reshaped"] = got.reshape(expected.shape)
    for way, array in arranged.items():
        factor = _factor(array, expected, bound, known.m)
        if way == "as it is" and factor.text == "1":
            return NOTHING
        if way == "as it is" and factor.text == "-1":
            return Pattern(DESCENT, factor.exact)
        if factor.text:
            return Pattern(_WORDS[way][factor.text != "1"].format(factor.text), factor.exact)
    if got.shape != expected.shape or got.size == 1:
        return NOTHING
    return next((each for each in _in_parts(got, expected, bound, known) if each.text), NOTHING)


def _in_parts(got: Array, expected: Array, bound: Array, known: Known) -> Iterator[Pattern]:
    """The right array and something else: a multiple of the parameter or of a known array, or one row or column."""
    rounded = bound + 2**-52 * np.abs(expected)
    if known.parameter is not None:
        c = _factor(got - expected, known.parameter, rounded, known.m).text
        yield Pattern(f"off by {c} times the parameter, as if by a penalty" if c else "")
    for name, array in known.arrays.items():
        if array.shape == got.shape:
            c = _factor(got - expected, array, rounded, known.m).text
            yield Pattern(f"the right one plus {c} times {name}: a path too many, or one that is left out" if c else "")
            c = _factor(got + expected, array, rounded, known.m).text
            yield Pattern(f"minus the right one plus {c} times {name}: a path whose sign is turned" if c else "")
    off = np.isfinite(bound) & (np.abs(got - expected) > bound)
    for axis, line in enumerate(("row", "column")[: got.ndim] if got.ndim == 2 else ()):
        places = np.flatnonzero(off.any(axis=1 - axis))
        if places.size == 1 and got.shape[axis] > 1 and off.sum() > 1:
            place = int(places[0])
            c = _factor(got.take(place, axis), expected.take(place, axis), bound.take(place, axis), known.m).text
            yield Pattern(f"{line} {place} alone is wrong{f', {c} times what it should be' if c else ''}")


def _factor(got: Array, expected: Array, bound: Array, m: int | None) -> Pattern:
    """The constant c with got = c expected in every entry; nothing where there is none, or all values are too small.

    c comes from the largest entry, which fixes it best, and is the simplest fraction that rounding admits.
    """
    seen = np.isfinite(bound)
    top = int(np.where(seen, np.abs(expected), -1).argmax())
    if (
        not seen.any()
        or not abs(expected.flat[top]) > 2 * bound.flat[top]
        or not np.abs(got.flat[top]) > bound.flat[top]
    ):
        return NOTHING
    ratio = float(got.flat[top] / expected.flat[top])
    spread = (1 + abs(ratio)) * float(bound.flat[top] / abs(expected.flat[top])) + 2**-52 * abs(ratio)
    if not np.isfinite(ratio):
        return NOTHING
    allowed = (1 + abs(ratio)) * bound[seen] + 2 * spread * np.abs(expected[seen])
    if (np.abs(got[seen] - ratio * expected[seen]) > allowed).any():
        return NOTHING
    simple = _simplest(ratio, spread)
    if simple is None:
        return Pattern(f"{ratio:.6g}")
    sign = "-" if simple < 0 else ""
    named = {Fraction(m): f"{sign}m = {sign}{m}", Fraction(1, m): f"{sign}1/m = {sign}1/{m}"} if m and m > 1 else {}
    return Pattern(named.get(abs(simple), str(simple)), exact=spread * LARGEST_DENOMINATOR**2 < 1e-3)


def _simplest(ratio: float, spread: float) -> Fraction | None:
    """The fraction of the smallest denominator within the spread, or none."""
    for denominator in range(1, LARGEST_DENOMINATOR + 1):
        fraction = Fraction(round(ratio * denominator), denominator)
        if fraction and abs(ratio - fraction) <= spread:
            return fraction
    return None
