"""What two arrays that should be equal have in common: a factor, an order of axes, zeros, all but a known term."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import chain, combinations, permutations
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
    """What a pattern may be made of: the number of examples, the parameter itself, other arrays and numbers by name."""

    m: int | None = None
    parameter: Array | None = None
    arrays: Mapping[str, Array] = MappingProxyType({})
    numbers: Mapping[str, float] = MappingProxyType({})


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
    arranged: dict[str, Array] = {}
    if got.shape == expected.shape:
        arranged["as it is"] = got
    if got.T.shape == expected.shape:
        arranged["transposed"] = got.T
    if got.shape != expected.shape and got.size == expected.size:
        arranged["reshaped"] = got.reshape(expected.shape)
    for way, array in arranged.items():
        factor = _factor(array, expected, bound, known)
        if way == "as it is" and factor.text == "1":
            return NOTHING
        if way == "as it is" and factor.text == "-1":
            return Pattern(DESCENT, factor.exact)
        if factor.text:
            return Pattern(_WORDS[way][factor.text != "1"].format(factor.text), factor.exact)
    if got.size == 1:
        return NOTHING
    if got.size == expected.size:
        for text, array in _orders(got, expected.shape):
            if _factor(array, expected, bound, known).text == "1":
                return Pattern(text, exact=True)
    if got.shape != expected.shape:
        return NOTHING
    parts = chain(
        _sums(got, expected, bound), _zeros(got, expected, bound, known), _in_parts(got, expected, bound, known)
    )
    return next((each for each in parts if each.text), NOTHING)


def _orders(got: Array, shape: tuple[int, ...]) -> Iterator[tuple[str, Array]]:
    """The entries in other orders of that shape: axes flipped or permuted, reshaped for permuted, rows shuffled."""
    axes = range(got.ndim)
    if got.shape == shape:
        for flipped in chain(combinations(axes, 1), combinations(axes, 2)):
            yield f"flipped: back to front along axis {' and '.join(map(str, flipped))}", np.flip(got, flipped)
    if got.ndim <= 4:
        for order in permutations(axes):
            turned = got.transpose(order)
            if turned.shape == shape:
                yield f"its axes are in another order: transpose{order} puts them right", turned
        for order in permutations(axes) if len(shape) == got.ndim else ():
            back = np.argsort(order)
            yield (
                f"a reshape stands where permute{order} belongs",
                got.reshape([shape[axis] for axis in back]).transpose(order),
            )
            yield f"permute{order} where the other has a reshape", got.transpose(back).reshape(shape)
    if got.ndim == 2 and got.shape == shape:
        for axis in (0, 1):
            n = shape[axis]
            for n_C in [size for size in range(2, n) if n % size == 0]:
                shuffle = np.arange(n).reshape(n_C, -1).T.ravel()
                yield (
                    f"flattened in another order along axis {axis}: with {n_C} channels first, not last",
                    got.take(shuffle, axis),
                )


def _sums(got: Array, expected: Array, bound: Array) -> Iterator[Pattern]:
    """Shares of 1, along another axis."""
    if got.ndim > 1 and (got > 0).all() and (expected > 0).all():
        along = [
            next((k for k in range(each.ndim) if (np.abs(each.sum(axis=k) - 1) <= bound.sum(axis=k)).all()), None)
            for each in (got, expected)
        ]
        if None not in along and along[0] != along[1]:
            yield Pattern(f"adds up to 1 along axis {along[0]}, not along axis {along[1]}: a softmax over another axis")


def _zeros(got: Array, expected: Array, bound: Array, known: Known) -> Iterator[Pattern]:
    """0 where the right one is not: where a known array is 0, or outside a block."""
    off = np.abs(got - expected) > bound
    lost = off & (got == 0)
    if lost.sum() < 2:
        return
    if (lost == off).all():
        for name, array in known.arrays.items():
            if array.shape == got.shape and ((array == 0) & (np.abs(expected) > bound) == lost).all():
                yield Pattern(f"0 where {name} is 0, and right elsewhere")
    spans = [(places.min(), places.max() + 1) for places in np.nonzero(got)]
    if 2 * math.prod(high - low for low, high in spans) <= got.size < 4 * lost.sum():
        block = ", ".join(f"{low}:{high}" for low, high in spans)
        yield Pattern(f"0 outside the block [{block}]: as where a return stands inside a loop")


def _in_parts(got: Array, expected: Array, bound: Array, known: Known) -> Iterator[Pattern]:
    """The right array and something else: a multiple of the parameter or of a known array, or one row or column."""
    rounded = bound + 2**-52 * np.abs(expected)
    if known.parameter is not None:
        c = _factor(got - expected, known.parameter, rounded, known).text
        yield Pattern(f"off by {c} times the parameter, as if by a penalty" if c else "")
    for name, array in known.arrays.items():
        if array.shape == got.shape:
            c = _factor(got - expected, array, rounded, known).text
            yield Pattern(f"the right one plus {c} times {name}: a path too many, or one that is left out" if c else "")
            c = _factor(got + expected, array, rounded, known).text
            yield Pattern(f"minus the right one plus {c} times {name}: a path whose sign is turned" if c else "")
            if c := _factor(got, array, rounded, known).text:
                yield Pattern(
                    f"{name} itself{'' if c == '1' else f', {c} times'}: a step is left out, or another array"
                )
    off = np.abs(got - expected) > bound
    for axis, line in enumerate(("row", "column")[: got.ndim] if got.ndim == 2 else ()):
        places = np.flatnonzero(off.any(axis=1 - axis))
        if places.size == 1 and got.shape[axis] > 1 and off.sum() > 1:
            place = int(places[0])
            c = _factor(got.take(place, axis), expected.take(place, axis), bound.take(place, axis), known).text
            yield Pattern(f"{line} {place} alone is wrong{f', {c} times what it should be' if c else ''}")
    yield _by_line(got, expected, bound, known)


def _by_line(got: Array, expected: Array, bound: Array, known: Known) -> Pattern:
    """A factor of its own for every row or column, or unit: a known array's, where it is one."""
    seen = np.abs(expected) > 2**10 * bound
    for axis in range(got.ndim):
        others = tuple(each for each in range(got.ndim) if each != axis)
        count = seen.sum(axis=others)
        if got.shape[axis] < 2 or (count < 3).any():
            continue
        flat_got, flat = (np.moveaxis(each, axis, 0).reshape(got.shape[axis], -1) for each in (got, expected))
        top = np.arange(len(flat)), np.abs(flat).argmax(axis=1)
        factor = flat_got[top] / flat[top]
        limit = np.moveaxis(bound, axis, 0).reshape(flat.shape)
        if (np.abs(flat_got - factor[:, None] * flat) > (2 + 2 * np.abs(factor[:, None])) * limit).any():
            continue
        for name, array in known.arrays.items():
            if array.size == factor.size:
                for words, one, other in (("times", factor, array.ravel()), ("divided by", factor * array.ravel(), 1)):
                    if np.allclose(one, other, rtol=1e-4, atol=0):
                        return Pattern(f"{words} {name}, a factor for each entry of axis {axis}")
        if np.ptp(factor) > 1e-3 * np.abs(factor).max():
            return Pattern(f"a factor of its own for each entry of axis {axis}, such as gamma or a mask")
    return NOTHING


def _factor(got: Array, expected: Array, bound: Array, known: Known) -> Pattern:
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
    simple, m = _simplest(ratio, spread), known.m
    for text, value in _numbers(known.numbers):
        if abs(abs(ratio) - value) <= spread:
            return Pattern(f"{'-' if ratio < 0 else ''}{text} = {value:.6g}", exact=spread < 1e-6)
    if simple is None:
        return Pattern(f"{ratio:.6g}")
    sign = "-" if simple < 0 else ""
    named = {Fraction(m): f"{sign}m = {sign}{m}", Fraction(1, m): f"{sign}1/m = {sign}1/{m}"} if m and m > 1 else {}
    return Pattern(named.get(abs(simple), str(simple)), exact=spread * LARGEST_DENOMINATOR**2 < 1e-3)


def _numbers(numbers: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """What a factor may be made of."""
    for name, value in numbers.items():
        if value not in (0.0, 1.0):
            yield name, value
            yield f"1/{name}", 1 / value
        if 0 < value < 1 and name not in ("lr", "learning_rate", "alpha", "gamma"):
            yield f"1 - {name}", 1 - value


def _simplest(ratio: float, spread: float) -> Fraction | None:
    """The fraction of the smallest denominator within the spread, or none."""
    for denominator in range(1, LARGEST_DENOMINATOR + 1):
        fraction = Fraction(round(ratio * denominator), denominator)
        if fraction and abs(ratio - fraction) <= spread:
            return fraction
    return None
