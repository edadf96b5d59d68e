"""Kinks: the jump of the slopes at x, and when it stands out of curvature and rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from parity_tests.gradients import kinks
from parity_tests.gradients.derivatives import STEPS, Vector
from parity_tests.gradients.part import Part
from parity_tests.tests.gradients.gradient_examples import recorded

STEPS_BY_16: Vector = np.power(16.0, -np.arange(4))


def part(f: Any, *point: float) -> Part:
    """f at a point, with lengths of 1 and a rounding of a few units."""
    return Part(f, np.array(point), np.ones(len(point)), 2.0**-50, 2.0**-50, STEPS)


def test_a_jump_is_free_of_curvature() -> None:
    h: Any = STEPS_BY_16
    found = kinks.jumps(5 + 3 * h + 7 * h**2, 5 + 11 * h**4, 5.0, 0.0, h)
    np.testing.assert_allclose(found.value, 3, rtol=1e-13)
    np.testing.assert_allclose(found.linear, 3 - 11 * 17 / 256 * h[1:3] ** 3, rtol=1e-13)


def test_blur_is_what_rounding_does_to_a_jump_at_most() -> None:
    zero, each, sizes = np.zeros(4), np.eye(4), np.array([3.0, 1.0, 4.0, 2.0])
    effect = np.abs([kinks.jumps(one, zero, 0.0, 0.0, STEPS_BY_16).value for one in each])  # of each value beside x
    from_rounding = kinks.jumps(zero, zero, 0.0, 1.0, STEPS_BY_16).blur
    np.testing.assert_allclose(from_rounding, 4 * effect.sum(axis=0), rtol=1e-13)
    for plus, minus in ((sizes, -sizes / 2), (sizes / 2, -sizes)):
        from_units = kinks.jumps(plus, minus, 0.0, 0.0, STEPS_BY_16).blur
        np.testing.assert_allclose(from_units, 4 * 2**-52 * sizes @ effect, rtol=1e-13)


@pytest.mark.parametrize(
    ("linear", "jump", "blur", "stands_out"),
    [
        ([0, 0], [0, 0], [1, 1], False),
        ([8, 8], [8, 8], [1, 1], True),
        ([8, 8], [8, 8], [1, 8], True),  # hidden at the finest step
        ([8, 8], [8, 8], [8, 8], False),
        ([11, 0], [8, 0], [1, 6], True),  # b h^3 may make 1/4 of it, and what rounding does
        ([5, 0], [8, 0], [1, 6], True),
        ([11.01, 0], [8, 0], [1, 6], False),
        ([4.99, 0], [8, 0], [1, 6], False),
        ([8, 0], [8, 0], [1, 5.99], False),  # a finer step, where 3/4 of it would be seen, does not show it
        ([8, 0, 0], [8, 0, 0], [1, 5.99, 6], False),
        ([8, 0, 0], [8, 0, 0], [1, 6, 6], True),
        ([8, 0, 0], [8, 0, 0], [1, 6, 5.99], False),
        ([13, 8, 0], [13, 8, 0], [1, 1, 6], True),  # to the next step it changes by half of it, and by rounding
        ([3, 8, 0], [3, 8, 0], [1, 1, 6], True),
        ([13.01, 8, 0], [13.01, 8, 0], [1, 1, 6], False),
        ([13, 11.01, 0], [13, 8, 0], [1, 1, 6], False),
        ([8, 100], [8, 1], [1, 0.5], True),  # the finest step need not be steady
    ],
)
def test_what_stands_out(linear: list[float], jump: list[float], blur: list[float], stands_out: bool) -> None:
    arrays = (np.array(each, float) for each in (linear, jump, blur))
    assert kinks.stands_out(kinks.Jumps(*arrays)) is stands_out


@pytest.mark.parametrize("side", [0, 1])
def test_an_edge_is_a_kink_where_the_nearest_value_is_missing(side: int) -> None:
    for step in range(4):
        plus, minus = np.zeros((2, 4))
        (plus, minus)[side][step] = np.nan
        assert kinks.has_kink(plus, minus, 0.0, 1.0, STEPS_BY_16) is (step == 3)


def test_two_directions_are_looked_at_then_each_entry() -> None:
    points: list[Any] = []

    def count(f: Any, *point: float) -> tuple[list[bool], int]:
        points.clear()
        found = kinks.kinks_of(part(recorded(f, points), *point), np.random.default_rng(0))
        assert found.dtype == bool
        return found.tolist(), len(points)

    assert count(lambda x: np.sum(x**2), 1.0, 2.0) == ([False, False], 1 + 2 * 10)
    assert count(lambda x: np.abs(x[1]), 1.0, 0.0) == ([False, True], 1 + 3 * 10)
    assert np.max(np.abs(np.subtract(points[-20:], [[1.0, 0.0]]))) == STEPS[4]
    assert count(lambda x: np.sqrt(np.abs(x[0] * x[1])), 0.0, 0.0) == ([True, True], 1 + 3 * 10)


def test_a_kink_further_out() -> None:
    axis = np.array([0.0, 1.0])
    points: list[Any] = []

    def looked(f: Any) -> bool:
        points.clear()
        return kinks.kink_further_out(part(recorded(f, points), 1.0, 0.0), axis)

    assert looked(lambda x: 1 + 1e-6 * np.abs(x[1]))
    assert len({point[1] for (point,) in points}) == 1 + 2 * 7
    assert not looked(lambda x: 1 + 1e-6 * x[1] ** 2)
    assert not looked(lambda x: 1 + np.abs(x[0] - 1))
