"""Which referee a gradient is held against: the complex step where differences confirm it, or differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from manual.notation import Array
from parity_tests.differences.patterns import Known
from parity_tests.gradients import derivatives
from parity_tests.gradients.derivatives import Estimate, Vector
from parity_tests.gradients.input import Arguments
from parity_tests.gradients.kinks import kink_further_out, kinks_of
from parity_tests.gradients.part import Part, by_complex_step, by_differences, part_at, part_of, slope_of_entry
from parity_tests.gradients.verdict import COMPLEX_STEP, DIFFERENCES, ArrayCheck, Mask, judge_array
from parity_tests.judging.judge import FAILS


def check_by_referee(
    f: Callable[..., Any], x: Arguments, number: int, got: Array, known: Known, rng: np.random.Generator
) -> ArrayCheck:
    """The verdict on one array: by the complex step if f allows it, by differences if not."""
    name, shape, place = x.names[number], x.shapes[number], x.places[number]
    part = part_at(part_of(f, x, place), x.point[place], rng)
    kinks = kinks_of(part, rng)
    trust = _trust(part, bool(kinks.any()), rng)
    why, shaped = trust.why_not, kinks.reshape(shape)
    if not why:
        estimate = by_complex_step(part, got.dtype, rng)
        checked = _entries(part, estimate, kinks, trust)
        if checked.differs < 0:
            check = judge_array(name, COMPLEX_STEP, got, estimate._replace(hidden=checked.hidden), shaped, known, "")
            if check.verdict != FAILS or not _difference_agrees(part, check):
                return check
            where = str(check.worst_index)
        else:
            where = str(tuple(int(i) for i in np.unravel_index(checked.differs, shape)))
        why = f"is differentiated in another way by the complex step than by a difference at {where}"
    return judge_array(name, DIFFERENCES, got, by_differences(part, got.dtype), shaped, known, why)


class _Trust(NamedTuple):
    """Why the complex step cannot be the referee, in words after "f", or empty; and then how far differences leave it
    unconfirmed, entry by entry.
    """

    why_not: str
    unconfirmed: Vector


def _trust(part: Part, kinked: bool, rng: np.random.Generator) -> _Trust:
    """Hold the complex step against differences, along random directions.

    A direction sees an error in any entry unless it is less than the bound of the difference: 64 times that, over the
    length of an entry, is what stays unconfirmed there.
    """
    f, point = part.f, part.point
    unconfirmed = np.full(point.shape, np.inf)
    problem = derivatives.complex_problem(f, point, part.lengths)
    if problem:
        return _Trust(problem, unconfirmed)
    own = derivatives.scales(point, least=0.0)
    for lengths in [part.lengths] * 2 + [own] * bool((own < part.lengths).any()):
        beside = point + 2.0**-10 * derivatives.random_direction(lengths, rng) if kinked else point
        if np.isnan(derivatives.real_value(f, beside)):
            beside = point
        direction = derivatives.random_direction(lengths, rng)
        value, bound, _ = derivatives.difference(f, beside, direction, part.along, part.steps)
        step = derivatives.slope(f, beside, direction)
        if np.isfinite(bound) and not abs(step - value) <= bound:
            return _Trust(
                "is not analytic: the complex step and a difference along a random direction disagree", unconfirmed
            )
        unconfirmed = np.minimum(unconfirmed, 64 * bound / lengths)
    return _Trust("", unconfirmed)


class _Checked(NamedTuple):
    """What differences say of the entries that directions leave unconfirmed: the first at which the complex step
    differs (-1 if none), and those of which nothing can be known.
    """

    differs: int
    hidden: Mask


def _entries(part: Part, estimate: Estimate, kinks: Mask, trust: _Trust) -> _Checked:
    """Confirm by themselves the entries that are too small beside others to be seen along a direction."""
    hidden = np.zeros(part.point.shape, bool)
    for entry in np.flatnonzero(~kinks & ~(np.abs(estimate.value) >= trust.unconfirmed)):
        step, axis = estimate.value[entry], np.zeros_like(part.point)
        axis[entry] = part.lengths[entry]
        kinks[entry] = kink_further_out(part, axis)
        value, bound, sees = slope_of_entry(part, int(entry))
        if np.isfinite(bound) and abs(step - value) > bound:
            return _Checked(int(entry), hidden)
        if not sees and not kinks[entry]:
            agrees = _agrees_elsewhere(part, axis)
            if agrees is False:
                return _Checked(int(entry), hidden)
            hidden[entry] = agrees is None
    return _Checked(-1, hidden)


def _agrees_elsewhere(part: Part, axis: Vector) -> bool | None:
    """Whether the complex step and differences agree along an axis, so far from x that f has clearly moved there.

    None where that is nowhere.
    """
    f, middle, seen = part.f, derivatives.real_value(part.f, part.point), 0
    for h in derivatives.steps_between(derivatives.LARGEST_STEP, 1.0)[::-1]:
        there = part.point + h * axis
        if h >= 1 and abs(derivatives.real_value(f, there) - middle) > 1e6 * part.rounding and seen < 3:
            seen += 1
            rounding = max(part.rounding, derivatives.value_rounding(f, there, h * axis))
            value, bound, _ = derivatives.difference(f, there, h * axis, rounding)
            step = derivatives.slope(f, there, h * axis)
            if np.isfinite(bound) and bound <= 1e-3 * max(abs(value), abs(step)):
                return bool(abs(step - value) <= bound)
    return None


def _difference_agrees(part: Part, check: ArrayCheck) -> bool:
    """Whether the central difference at the worst entry is with the gradient under test, and against the referee."""
    if not np.isfinite([check.got, check.expected]).all():
        return False
    entry = int(np.ravel_multi_index(check.worst_index, check.shape))
    value, bound, _ = slope_of_entry(part, entry)
    return bool(abs(check.got - value) <= bound < abs(check.expected - value))
