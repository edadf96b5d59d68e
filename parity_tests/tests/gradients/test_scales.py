"""check_gradient: no false verdict at any scale, at ties and kinks, and in entries that are small beside others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from parity_tests import check_gradient
from parity_tests.gradients import derivatives
from parity_tests.judging.judge import CANNOT_TELL, FAILS, HOLDS
from parity_tests.tests.gradients.gradient_examples import only
from parity_tests.tests.gradients.gradient_functions import SUBJECTS, Subject, tally


def log_of_squares(x: Any) -> Any:
    """As flat as rounding makes it where x is tiny."""
    return np.log(1 + np.sum(x**2))


def test_the_functions_are_twenty_five() -> None:
    assert len({subject.name for subject in SUBJECTS}) == 25


@pytest.mark.slow
def test_right_and_wrong_gradients() -> None:
    counts = tally(range(125), check_gradient)
    assert counts.false == []
    assert counts.right[HOLDS] > 100
    assert counts.wrong[FAILS] > 106


@pytest.mark.bars
@pytest.mark.parametrize("part", range(16))
def test_two_thousand_right_and_two_thousand_wrong_gradients(part: int) -> None:
    counts = tally(range(300 * part, 300 * part + 300), check_gradient)
    assert counts.false == []
    assert counts.right[HOLDS] > 230
    assert counts.wrong[FAILS] > 240


# --- tiny, huge, mixed


@pytest.mark.parametrize("size", [1e-12, 1e-9, 1e-8, 1e-5])
def test_where_rounding_makes_f_flat_zeros_do_not_hold(size: float) -> None:
    x = size * np.array([1, 0.3, 0.1])
    right = 2 * x / (1 + np.sum(x**2))
    assert check_gradient(log_of_squares, right, x)
    assert only(check_gradient(log_of_squares, 0 * x, x)).verdict == FAILS
    assert check_gradient(lambda x: float(log_of_squares(x)), right, x).verdict != FAILS
    assert check_gradient(lambda x: float(log_of_squares(x)), 0 * x, x).verdict != HOLDS


@pytest.mark.parametrize("size", [1e-320, 1e-300, 1e-170, 1e-150])
@pytest.mark.parametrize("f", [lambda x: np.sum(x**2), log_of_squares], ids=["squares", "log"])
def test_where_squares_underflow_zeros_do_not_hold(f: Any, size: float) -> None:
    x = size * np.array([1, 0.3])
    for wrapped in (f, lambda x: float(f(x))):
        assert check_gradient(wrapped, 0 * x, x).verdict == CANNOT_TELL
        assert check_gradient(wrapped, 2 * x, x).verdict != FAILS


@pytest.mark.parametrize("x", [1e12, 1e15, 1e20, 1e300])
@pytest.mark.parametrize("f", [np.sin, lambda x: float(np.sin(x))], ids=["complex step", "differences"])
def test_waves_between_two_numbers_tell_nothing(f: Any, x: float) -> None:
    assert check_gradient(f, np.cos(x), x).verdict == CANNOT_TELL
    assert check_gradient(f, -np.cos(x), x).verdict != HOLDS
    assert check_gradient(lambda at: 3 * (at - x), 3.0, x).verdict == (HOLDS if x < 1e300 else CANNOT_TELL)


def test_an_unbounded_entry_never_holds() -> None:
    def steps(x: Any) -> float:
        return float(np.sum(1e16 + x**2) - x.size * 1e16)

    check = only(check_gradient(steps, np.zeros(2), np.array([0.3, 0.4])))
    assert (check.verdict, check.bound) == (CANNOT_TELL, np.inf)


@pytest.mark.parametrize("wrap", [lambda value: value, float], ids=["complex step", "central differences"])
def test_a_wave_far_out(wrap: Any) -> None:
    x = np.array([1e8, 1e8 + 1.5])
    assert check_gradient(lambda x: wrap(np.sum(np.sin(x))), np.cos(x), x)
    assert not check_gradient(lambda x: wrap(np.sum(np.sin(x))), 1.01 * np.cos(x), x)


@pytest.mark.parametrize("size", [1e13, 1e17, 1e25])
def test_the_part_of_an_entry_that_is_not_analytic_is_found_beside_large_ones(size: float) -> None:
    def f(x: Any) -> Any:
        return size * np.sum(x[1:] ** 2) + np.real(x[0]) ** 2

    x = np.array([1.0, 1.5, 0.7])
    right = np.array([2.0, *(2 * size * x[1:])])
    assert check_gradient(f, right, x).verdict != FAILS
    assert check_gradient(f, right * [0, 1, 1], x).verdict != HOLDS
    assert only(check_gradient(f, right * [0, 1, 1], x)).method == "central differences"


@pytest.mark.parametrize("size", [1e13, 1e17])
def test_analytic_parts_beside_large_ones_hold(size: float) -> None:
    def f(x: Any) -> Any:
        return size * np.sum(x[1:] ** 2) + x[0] ** 2

    x = np.array([1.0, 1.5, 0.7])
    right = np.array([2.0, *(2 * size * x[1:])])
    assert only(check_gradient(f, right, x)).verdict == HOLDS
    assert only(check_gradient(f, right * [1.001, 1, 1], x)).verdict == FAILS


def test_a_kink_beside_large_entries_does_not_hold() -> None:
    def f(x: Any) -> Any:
        return 1e13 * np.sum(x[1:] ** 2) + np.abs(x[0])

    check = only(check_gradient(f, np.array([0.0, 2e13, 4e13]), np.array([0.0, 1.0, 2.0])))
    assert check.verdict == CANNOT_TELL


def test_units_that_are_dead_or_saturated_hold() -> None:
    W = np.array([[-3.0, 1.0], [40.0, 0.5]])
    v, inputs = np.array([1.5, -0.5]), np.array([1.0, 0.3])

    def dead(W: Any) -> Any:
        return 1 + v @ np.maximum(W @ inputs, 0)

    def saturated(W: Any) -> Any:
        return 1 + v @ np.tanh(W @ inputs)

    assert check_gradient(dead, np.outer(v * (W @ inputs > 0), inputs), W)
    assert check_gradient(lambda W: float(dead(W)), np.outer(v * (W @ inputs > 0), inputs), W)
    assert check_gradient(saturated, np.outer(v * (1 - np.tanh(W @ inputs) ** 2), inputs), W)
    assert check_gradient(lambda x: float(x[0] ** 2), np.array([2.0, 0.0]), np.array([1.0, 1.0]))
    swallowed = only(check_gradient(lambda x: float(1e20 + x[0] ** 2), np.array([0.0]), np.array([1.0])))
    assert swallowed.verdict == CANNOT_TELL


def test_a_difference_that_sees_too_little_of_an_entry_does_not_hold() -> None:
    def f(x: Any) -> float:
        return float(1e8 * x[0] ** 2 + 1e-9 * x[1] ** 2)

    x = np.array([1.0, 1.0])
    for factor in (0, 1, 2):
        assert only(check_gradient(f, np.array([2e8, factor * 2e-9]), x)).verdict == CANNOT_TELL


# --- ties and kinks

TIES = (
    Subject("greatest", np.max, lambda x: x == x.max()),
    Subject("sorted", lambda x: np.sum(np.sort(x) * np.arange(x.size)), np.argsort),
    Subject("difference", lambda x: np.maximum(x[0] - x[1], 0), np.zeros_like),
    Subject("distance", lambda x: np.abs(x[0] - x[1]), np.zeros_like),
    Subject("pair", lambda x: np.sum(np.maximum(x[:3], x[[1, 0, 4]])), np.ones_like),
    Subject("median", lambda x: np.sort(x)[3], np.zeros_like),
    Subject("hinge", lambda x: np.sum(np.maximum(x - x[0], 0)), np.zeros_like),
)


def missed_ties(seeds: Iterable[int]) -> list[str]:
    """The functions of which a tie, at any scale, was not seen."""
    missed = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        x = rng.normal(size=6) * 10.0 ** rng.integers(-9, 9)
        x[[0, 1]] = x.max() + abs(x[2])
        for subject in TIES[:-2] if seed % 2 else (*TIES[:4], TIES[6]):
            check = check_gradient(subject.f, np.asarray(subject.gradient(x), float), x, seed=seed)
            if not only(check).kinks or check.verdict == HOLDS:
                missed.append(f"{subject.name}, seed {seed}: {check}")
    return missed


@pytest.mark.slow
def test_no_tie_is_missed() -> None:
    assert missed_ties([*range(20), 121, 175]) == []


@pytest.mark.bars
def test_no_tie_is_missed_in_three_hundred_seeds() -> None:
    assert missed_ties(range(300)) == []


def test_directions_have_distinct_components() -> None:
    direction = derivatives.random_direction(np.ones(200), np.random.default_rng(0))
    assert len(set(np.abs(direction))) == 200
    assert 0.5 <= np.abs(direction).min() < np.abs(direction).max() < 1


def test_a_kink_that_no_axis_shows_is_one() -> None:
    def f(x: Any) -> Any:
        return np.sqrt(np.maximum(x[0] * x[1], -x[0] * x[1]))

    check = only(check_gradient(f, np.zeros(2), np.zeros(2)))
    assert (check.verdict, check.kinks) == (CANNOT_TELL, ((0,), (1,)))


# --- the work


def test_thirteen_complex_evaluations_an_entry() -> None:
    calls = {"complex": 0, "real": 0}

    def f(x: Any) -> Any:
        calls["complex" if np.iscomplexobj(x) else "real"] += 1
        return np.sum(np.tanh(x))

    x = np.random.default_rng(0).normal(size=50)
    assert check_gradient(f, 1 - np.tanh(x) ** 2, x)
    assert 13 * 50 <= calls["complex"] <= 13 * 50 + 5
    assert calls["real"] < 150


def test_twenty_six_real_evaluations_an_entry_by_differences() -> None:
    calls = 0

    def f(x: Any) -> float:
        nonlocal calls
        calls += 1
        return float(np.sum(np.tanh(x)))

    x = np.random.default_rng(0).normal(size=50)
    assert check_gradient(f, 1 - np.tanh(x) ** 2, x)
    assert calls < 28 * 50 + 150
