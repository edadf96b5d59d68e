"""One array of x: f as a function of its entries, and its gradient by the complex step and by differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from manual.notation import Array
from parity_tests.gradients import derivatives
from parity_tests.gradients.derivatives import QUANTILE, Estimate, Function, Vector
from parity_tests.gradients.input import Arguments
from parity_tests.gradients.verdict import COMPLEX_STEP, hides, smallest
from parity_tests.judging.bounds import unit_roundoff
from parity_tests.judging.complex_step import complex_step

COARSE = 1e-3
"""By differences, a derivative is judged where it is known to this share of itself."""


DROWNED, ONE = 2.0**-10, np.ones(1)
"""Noise that is a larger share of f next to x, a whole length away, may be waves that are too short for float64."""


class Part(NamedTuple):
    """One array of x: f as a function of its entries, with what rounding does to f there, and what it does to f along a
    random direction, where x + h is rounded too.
    """

    f: Function
    point: Vector
    lengths: Vector
    rounding: float
    along: float
    steps: Vector


def part_of(f: Callable[..., Any], x: Arguments, place: slice) -> Function:
    """The function f of the entries of one array; the other arrays stay where they are."""

    def part(entries: Array) -> Any:
        vector = x.point.astype(entries.dtype)
        vector[place] = entries
        return x.call(f, vector)

    return part


def part_at(f: Function, point: Vector, rng: np.random.Generator) -> Part:
    """Lengths, rounding and steps at a point.

    Rounding is measured over distances of a millionth relative to x and, where that shows none and x is tiny, relative
    to 1: as long as 1 + x^2 is 1, f stands still next to x, and nothing shows how it is rounded. Of a large x it is a
    millionth of 1, as far as x + h is exact. So far from a tiny x, kinks of f may lie among the samples: of several
    distances the one that shows the least counts. Where f next to a large x is mostly noise, there may be waves between
    two numbers, and nothing is known.
    """
    lengths = derivatives.scales(point)
    largest = float(np.max(lengths))
    near, further = lengths / np.clip(largest, 1.0, 2.0**24), lengths / largest

    def rounding(direction_of: Callable[[Vector, np.random.Generator], Vector]) -> float:
        direction = direction_of(near, rng)
        found = derivatives.value_rounding(f, point, direction)
        if largest > 2.0**24 and found > DROWNED * np.nanmax(np.abs(derivatives.sides(f, point, direction, ONE))):
            return np.inf
        if largest < 1 and found <= 2**-51 * abs(derivatives.real_value(f, point)):
            direction = derivatives.random_direction(further, rng)  # along a dyadic one even 1 + x^2 may be exact
            beyond = derivatives.value_rounding(f, point, direction, derivatives.SPACINGS)
            return max(found, beyond) if np.isfinite(beyond) else found
        return found

    exact = rounding(derivatives.dyadic_direction)
    along = max(exact, rounding(derivatives.random_direction))
    steps = derivatives.steps_between(derivatives.STEPS[0] / largest, derivatives.STEPS[-1] / largest)
    return Part(f, point, lengths, exact, along, steps)


def by_complex_step(part: Part, dtype: Any, rng: np.random.Generator) -> Estimate:
    """The gradient by the complex step, with its bounds."""
    value = complex_step(lambda z: derivatives.complex_value(part.f, z), part.point)
    u = unit_roundoff(dtype)
    plain = 4 * u * np.abs(value) + smallest(dtype)

    def bound(spacing: float) -> Vector:
        measured: Vector = derivatives.gradient_rounding(part.f, part.point, spacing, rng)
        limit: Vector = plain + QUANTILE * np.sqrt(2) * u / unit_roundoff(np.float64) * measured
        return limit

    sure = wide = bound(derivatives.SPACING)
    if hides(wide, value, COMPLEX_STEP, dtype).any():
        sure = np.minimum(wide, bound(derivatives.NARROW_SPACING))
    return Estimate(value, sure, wide + 4 * u, np.zeros(value.shape, bool))


def by_differences(part: Part, dtype: Any) -> Estimate:
    """The gradient by central differences, with its bounds."""
    u = unit_roundoff(dtype)
    slopes = [slope_of_entry(part, entry) for entry in range(part.point.size)]
    value, bound = np.array([each[:2] for each in slopes]).T
    own = 4 * u * np.abs(value) + u / unit_roundoff(np.float64) * part.rounding / part.lengths
    bound = bound + own + smallest(dtype)  # of the gradient under test
    return Estimate(value, bound, bound + 4 * u, ~np.array([sees for *_, sees in slopes]))


def slope_of_entry(part: Part, entry: int) -> tuple[float, float, bool]:
    """The derivative by one entry from differences, its bound, and whether a mistake in this entry would be seen.

    Where the usual steps do not give a thousandth of the derivative, they go on: up to a distance of 1, and down to
    1.5e-8 of the entry itself, or of 1.
    """
    length, size = part.lengths[entry], abs(part.point[entry]) or part.lengths[entry]
    axis = np.zeros_like(part.point)
    axis[entry] = length
    found = derivatives.difference(part.f, part.point, axis, part.rounding)
    if not found.bound <= COARSE * abs(found.value):
        steps = derivatives.steps_between(
            derivatives.STEPS[0] / length, derivatives.STEPS[-1] * min(size, 1.0) / length
        )
        again = derivatives.difference(part.f, part.point, axis, part.rounding, steps)
        found = again if again.bound < found.bound else found
    sees = found.bound <= COARSE * abs(found.value)
    if found.still and not sees:
        bound = derivatives.silence(part.f, part.point, axis)
        return 0.0, bound / length, bool(np.isfinite(bound))
    return found.value / length, found.bound / length, sees
