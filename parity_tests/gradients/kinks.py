"""Where f has no derivative: its slopes on the two sides of x differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from parity_tests.gradients import derivatives
from parity_tests.gradients.derivatives import Vector
from parity_tests.gradients.part import Part
from parity_tests.gradients.verdict import Mask


def kinks_of(part: Part, rng: np.random.Generator) -> Mask:
    """The entries in which f has no derivative at the point; all where it has none along a direction alone."""
    middle, steps = derivatives.real_value(part.f, part.point), part.steps[:3:-2][::-1]

    def kinked(direction: Vector, rounding: float) -> bool:
        return has_kink(*derivatives.sides(part.f, part.point, direction, steps), middle, rounding, steps)

    if not any(kinked(derivatives.random_direction(part.lengths, rng), part.along) for _ in range(2)):
        return np.zeros(part.point.shape, bool)
    found = np.array([kinked(direction, part.rounding) for direction in _axes(part.lengths)])
    return found if found.any() else ~found


def kink_further_out(part: Part, axis: Vector) -> bool:
    """Whether one entry has a kink that shorter steps lose in the rounding of f."""
    steps = part.steps[::-2][::-1]
    values = derivatives.sides(part.f, part.point, axis, steps)
    return has_kink(*values, derivatives.real_value(part.f, part.point), part.rounding, steps)


def _axes(lengths: Vector) -> Iterator[Vector]:
    """The direction of one entry after the other."""
    for entry, length in enumerate(lengths):
        direction = np.zeros_like(lengths)
        direction[entry] = length
        yield direction


class Jumps(NamedTuple):
    """By step, from the longest: the difference of the one-sided slopes without a h, without b h^3 as well, and what
    rounding may have done to that.
    """

    linear: Vector
    value: Vector
    blur: Vector


def has_kink(plus: Vector, minus: Vector, middle: float, rounding: float, steps: Vector) -> bool:
    """Whether the one-sided slopes at x, from values at steps a factor of 16 apart, differ by more than curvature and
    rounding explain. Values that do not exist next to x make x an edge, which counts as a kink.
    """
    if not np.isfinite([plus[-1], minus[-1]]).all():
        return True
    return stands_out(jumps(plus, minus, middle, rounding, steps))


def jumps(plus: Vector, minus: Vector, middle: float, rounding: float, steps: Vector) -> Jumps:
    """The difference of the one-sided slopes at x, J + a h + b h^3 + ..., with J = 0 unless x is a kink: two
    neighbouring steps, a factor of 16 apart, cancel a h, three b h^3 as well.
    """
    gap = (plus - 2 * middle + minus) / steps
    unsure = 4 * (rounding + 2**-52 * np.maximum(np.abs(plus), np.abs(minus))) / steps
    linear, blur = (16 * gap[1:] - gap[:-1]) / 15, (16 * unsure[1:] + unsure[:-1]) / 15
    return Jumps(linear[1:], (4096 * linear[1:] - linear[:-1]) / 4095, (4096 * blur[1:] + blur[:-1]) / 4095)


def stands_out(found: Jumps) -> bool:
    """Whether there is a jump: it changes little as b h^3 is cancelled and from one step to the next.

    The finest that rounding leaves visible counts if rounding hides it at every finer step: a kink beside x is not one
    at x.
    """
    linear, jump, blur = found
    steady = np.abs(jump - linear) <= blur + np.abs(jump) / 4
    steady[1:] &= np.abs(np.diff(jump)) <= blur[1:] + np.abs(jump[1:]) / 2  # over many waves it is 16 times as much
    steady[-1] = True  # a kink as close as the finest steps cannot be told from one at x
    seen = np.flatnonzero((np.abs(jump) > blur) & steady)
    if not seen.size:
        return False
    finest = int(seen[-1])
    return bool((blur[finest + 1 :] >= 0.75 * abs(jump[finest])).all())
