"""Whether a value is the right one: shapes, bounds to the last rounding, the worst entry and the ratio."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from parity_tests.derivations.agreement import agrees, as_number, compare, constant_ratio

NAN, INF = np.nan, np.inf
BOUND = 2.0**-39
"""2^13 roundings of 2, the largest entry."""


@pytest.mark.parametrize(
    ("value", "truth", "shape"),
    [(np.ones((1, 1)), 2.0, ()), (np.ones(2), 2.0, (2,)), (np.ones((1, 1)), np.ones(1), (1, 1)), (3.0, 2.0, ())],
)
def test_one_entry_is_a_number_where_a_number_is_expected(value: Any, truth: Any, shape: tuple[int, ...]) -> None:
    assert np.shape(as_number(value, truth)) == shape


@pytest.mark.parametrize(
    ("value", "truth", "unit", "right"),
    [
        ([1 + BOUND, -2.0], [1.0, -2.0], 2.0**-53, True),
        ([1 - BOUND, -2.0], [1.0, -2.0], 2.0**-53, True),
        ([1 + 1.001 * BOUND, -2.0], [1.0, -2.0], 2.0**-53, False),
        ([1 + 2 * BOUND, -2.0], [1.0, -2.0], 2.0**-52, True),
        ([0.0, 1.001 * BOUND], [0.0, 0.0], 2.0**-53, False),
        ([NAN, -2.0], [1.0, -2.0], 2.0**-53, False),
        ([INF, -2.0], [INF, -2.0], 2.0**-53, False),
        ([1.0, -2.0], [INF, -2.0], 2.0**-53, False),  # an infinite bound proves nothing
        ([0.25 + 1.5 * 2.0**-42], [0.25], 2.0**-53, False),
        ([1.0, -2.0], [[1.0, -2.0]], 2.0**-53, False),
        ([[2.0]], [[2.0]], 2.0**-53, True),
        ([[2.0]], 2.0, 2.0**-53, True),
        ([], [], 2.0**-53, True),
    ],
)
def test_a_value_agrees_within_the_roundings_of_the_largest_entry(
    value: Any, truth: Any, unit: float, right: bool
) -> None:
    value, truth = np.array(value), np.array(truth)
    assert agrees(value, truth, unit) is right
    if truth.size:
        assert compare(value, truth, unit).holds is right


@pytest.mark.parametrize(("off", "wrong"), [(1.0, False), (1.001, True)])
def test_what_is_plainly_wrong_is_beyond_more_roundings(off: float, wrong: bool) -> None:
    assert compare([1 + off * 2.0**-22, 2.0], [1.0, 2.0]).wrong is wrong


def test_the_full_answer() -> None:
    found = compare(np.array([[2, 4], [6, 7]]), np.array([[1, 2], [3, 4]]))
    assert found == (3.0, 2.0**-38, (1, 0), 6.0, 3.0, (2, 2), (2, 2), None)
    assert compare(np.array([[2, 4]]), np.array([[1, 2]])).ratio == 2
    beyond = compare([INF, NAN, 1.0], [INF, 2.0, 2.0])
    assert (beyond.error, beyond.worst_index) == (INF, (0,))
    other = compare(np.ones(3), np.full((1, 3), -2.0))
    np.testing.assert_equal(tuple(other), (INF, BOUND, (), NAN, NAN, (3,), (1, 3), None))
    assert (other.wrong, other.holds) == (True, False)
    assert compare(np.ones((2, 2)), np.ones((0, 2))).bound == 0
    assert compare(np.array([[5.0]]), 4.0)[:6] == (1.0, 2.0**-38, (), 5.0, 4.0, ())
    huge = np.full(2, 3e38, np.float32)
    assert compare(-huge, huge).error == pytest.approx(6e38)
    assert compare(np.ones(1), np.ones(1), 2.0**-24).bound == 2.0**-11


@pytest.mark.parametrize(
    ("value", "truth", "ratio"),
    [
        ([2.0, -4.0, 0.0], [1.0, -2.0, 0.0], 2.0),
        ([2.0, -4.0, 1e-15], [1.0, -2.0, 0.0], 2.0),
        ([2.0, -4.0, 1e-9], [1.0, -2.0, 0.0], None),
        ([[3.0, 6.0]], [[-1.0, -2.0]], -3.0),
        ([0.0, 0.0], [1.0, 2.0], None),
        ([1.0, 2.0], [0.0, 0.0], None),
        ([INF, 2.0], [1.0, 0.5], None),
        ([1.0, 1.0], [1.0, 1.0], 1.0),
        ([2.0], [[1.0]], None),
        ([], [], None),
        (6.0, 4.0, 1.5),
    ],
)
def test_the_ratio_is_one_number_everywhere(value: Any, truth: Any, ratio: float | None) -> None:
    assert constant_ratio(np.array(value), np.array(truth)) == ratio


def test_the_ratio_has_the_roundings_of_the_format() -> None:
    value, truth = np.array([2.0, 4 + 2.0**-20]), np.array([1.0, 2.0])
    assert constant_ratio(value, truth) is None
    assert compare(value, truth, 2.0**-24).ratio == constant_ratio(value, truth, 2.0**-24) == 2 + 2.0**-21
