"""Derivatives by differences and by the complex step: steps, lengths, rounding, bounds, each by itself."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scipy import stats

from parity_tests.gradients import derivatives
from parity_tests.gradients.derivatives import COLUMNS, EXTRAPOLATION, STEPS, Difference, Threshold
from parity_tests.judging.complex_step import STEP
from parity_tests.tests.gradients.gradient_examples import recorded

ONE = np.ones(1)
NODES = 1 + np.arange(12) / 16


def rng() -> np.random.Generator:
    """The same numbers each time."""
    return np.random.default_rng(0)


# --- values


def refuse(x: Any) -> Any:
    """A function that is defined nowhere."""
    raise KeyError("not here")


@pytest.mark.parametrize(("f", "real"), [(np.sum, 3.0), (refuse, np.nan), (lambda x: np.inf, np.nan), (list, np.nan)])
def test_what_is_no_finite_number_is_none(f: Any, real: float) -> None:
    np.testing.assert_equal(derivatives.real_value(f, np.array([1.0, 2.0])), real)


def test_complex_values() -> None:
    assert derivatives.complex_value(np.sum, np.array([1, 2j])) == 1 + 2j
    np.testing.assert_equal(derivatives.complex_value(refuse, ONE), complex(np.nan, np.nan))


@pytest.mark.parametrize(
    ("f", "problem"),
    [
        (lambda x: np.sum(x**2), ""),
        (lambda x: x[0].astype(float), "discards the imaginary part of a complex argument"),
        (refuse, "raises KeyError for a complex argument"),
        (lambda x: np.real(x[0]), "returns a real number for a complex argument"),
        (lambda x: x[0] * complex(1, np.inf), "returns no finite number for a complex argument"),
        (lambda x: complex(np.inf, 1), ""),
        (lambda x: warnings.warn("another", stacklevel=1) or x[0], ""),
    ],
)
def test_problems_of_complex_arguments(f: Any, problem: str) -> None:
    calls: list[Any] = []
    with derivatives.quiet():
        found = derivatives.complex_problem(recorded(f, calls), np.array([3.0]), np.array([5.0]))
    assert found == problem
    assert calls[0][0].tolist() == [3 + 5j * STEP]


def test_no_warning_leaves() -> None:
    with warnings.catch_warnings(), derivatives.quiet():
        warnings.simplefilter("error")
        with derivatives.quiet():
            warnings.warn("one", stacklevel=1)
            assert np.log(np.zeros(1)) / 0 == -np.inf


# --- lengths, steps and directions


@pytest.mark.parametrize(
    ("point", "least", "lengths"),
    [
        ([3, -0.1, 2.0**-9, 1e-9, 0], 2.0**-10, [4, 0.125, 2.0**-8, 2.0**-8, 2.0**-8]),
        ([-8, 4], 2.0**-10, [8, 4]),
        ([3, -0.1, 1e-9, 0], 0.0, [4, 0.125, 2.0**-29, 4]),
        ([0, 0], 2.0**-10, [1, 1]),
        ([1e-320], 2.0**-10, [2.0**-1000]),
    ],
)
def test_lengths_are_powers_of_two(point: list[float], least: float, lengths: list[float]) -> None:
    assert derivatives.scales(np.array(point, float), least).tolist() == lengths
    assert derivatives.scales(np.array([1, 0.0])).tolist() == [1, 2.0**-10]


@pytest.mark.parametrize(
    ("longest", "shortest", "first", "last"),
    [
        (0.25, 4.0**-13, -1, -13),
        (1e-3, 1.0, -1, -13),
        (1.0, 4.0**-13, 0, -13),
        (1.01, 4.0**-14, 1, -14),
        (2.0**60, 0.99 * 4.0**-14, 19, -15),
        (1.0, 0.0, 0, -22),
    ],
)
def test_steps_are_powers_of_four(longest: float, shortest: float, first: int, last: int) -> None:
    steps = derivatives.steps_between(longest, shortest)
    assert steps.tolist() == [4.0**power for power in range(first, last - 1, -1)]
    assert derivatives.steps_between(2.0**60, shortest, 2.0**50)[0] == 4.0**24


def test_directions_have_these_components() -> None:
    lengths = np.full(2000, 4.0)
    dyadic, random = derivatives.dyadic_direction(lengths, rng()), derivatives.random_direction(lengths, rng())
    assert set(dyadic / 4 * 8) == {-7, -6, -5, -4, 4, 5, 6, 7}
    bits = random / 4 * 2**20
    assert np.array_equal(bits, bits.astype(int))
    for low, high in ((-(2**20), -(2**19)), (2**19, 2**20)):
        half = np.sort(bits[np.sign(bits) == np.sign(low)])
        assert low <= half[0] < low + 2000 < high - 2000 < half[-1] <= high


# --- rounding


def test_the_quantile_is_students() -> None:
    degrees = derivatives.SAMPLES - derivatives.COEFFICIENTS
    assert math.isclose(stats.t.isf(0.5e-9, degrees), derivatives.QUANTILE, rel_tol=1e-3)


def test_noise_is_measured_and_a_cubic_is_none() -> None:
    t = np.linspace(1, 2, derivatives.SAMPLES)
    assert derivatives.noise((5 + t - 3 * t**2 + t**3)[:, None]) < 1e-14
    noisy = np.random.default_rng(0).normal(size=(derivatives.SAMPLES, 4000))
    assert np.sqrt(np.mean(derivatives.noise(noisy) ** 2)) == pytest.approx(1, rel=0.02)


def test_noise_does_not_depend_on_an_offset() -> None:
    values = 2.0**40 + np.arange(12.0)[:, None] ** 3
    assert derivatives.noise(values) < 1e-11


def test_the_rounding_of_values() -> None:
    seen: list[float] = []
    values = rng().normal(size=(6, 12))

    def f(x: Any) -> Any:
        seen.append(x[0] - 3)
        return values.flat[len(seen) - 1]

    def rounding(row: int) -> float:
        return float(31.97 * derivatives.noise(values[row]) + 2.0**-52 * abs(values[row, 0]))

    point, direction = np.array([3.0]), np.array([2.0])
    assert derivatives.value_rounding(f, point, direction) == min(rounding(0), rounding(1))
    assert seen == [*(2.0**-19 * NODES), *(-(2.0**-19) * NODES)]
    values[[0, 3, 4]] *= 1e-3  # of six sides, the one that shows the least
    seen.clear()
    found = derivatives.value_rounding(f, point, direction, derivatives.SPACINGS)
    assert found == min(map(rounding, range(6)))
    assert seen[::12] == [2.0**-19, -(2.0**-19), 2.0**-17, -(2.0**-17), 2.0**-15, -(2.0**-15)]
    line = 31.97 * derivatives.noise(1e3 * NODES) + 2.0**-52 * 1e3
    assert derivatives.value_rounding(lambda x: 1e3 * x[0], np.zeros(1), ONE, (1.0,)) == line
    assert derivatives.value_rounding(lambda x: 1.0, ONE, ONE) == 2.0**-52
    assert derivatives.value_rounding(lambda x: -1.0 if x < 1 else np.nan, ONE, ONE) == 2.0**-52
    assert derivatives.value_rounding(refuse, ONE, ONE) == np.inf


def test_the_rounding_of_gradients() -> None:
    seen: list[Any] = []
    undefined = complex(np.nan, np.nan)

    def f(x: Any, broken: float = 0) -> Any:
        seen.append(x)
        return undefined if (np.real(x[0]) - 3) * broken > 0 else np.sum(x * [1, 2, 3])

    point = np.array([3.0, 2.0**-20, 0.0])
    direction = derivatives.dyadic_direction(np.array([4.0, 2.0**-20, 0.0]), rng())
    assert (derivatives.gradient_rounding(f, point, 0.5, rng()) < 1e-15).all()
    places, c = np.real(seen), np.imag(seen).sum(axis=1) / STEP
    np.testing.assert_array_equal(places, point + 0.5 * np.repeat(NODES, 3)[:, None] * direction)
    assert 1 <= c.min() < 1.3 < 1.7 < c.max() < 2
    assert len(set(c.round(9))) == 12
    away = np.sign(direction[0])  # f is defined on the other side alone
    seen.clear()
    assert (derivatives.gradient_rounding(lambda x: f(x, away), point, 0.5, rng()) < 1e-15).all()
    np.testing.assert_array_equal(np.real(seen[36:]), point - 0.5 * np.repeat(NODES, 3)[:, None] * direction)
    assert derivatives.gradient_rounding(refuse, point, 0.5, rng()).tolist() == [np.inf] * 3
    part = derivatives.gradient_rounding(lambda x: x[0] if x[1].imag == 0 else undefined, point, 0.5, rng())
    assert part[0] < 1e-15
    assert part[1] == np.inf


# --- differences


def tableau(plus: Any, minus: Any, rounding: float, steps: Any) -> Iterator[tuple[float, float]]:
    """Ridders' tableau by its recursion: for each step the best entry that ends its row, and its error."""
    plain = (plus - minus) / (2 * steps)
    limits = EXTRAPOLATION * (rounding + 2**-51 * np.maximum(np.abs(plus), np.abs(minus))) / steps

    def entry(row: int, column: int) -> float:
        if column == 0:
            return float(plain[row])
        shorter, longer = entry(row, column - 1), entry(row - 1, column - 1)
        return float(shorter + (shorter - longer) / (16**column - 1))

    for row in range(1, len(steps)):
        found = [
            (max(abs(new - entry(row, j - 1)), abs(new - entry(row - 1, j - 1))) + limits[row], new)
            for j in range(1, min(row, COLUMNS) + 1)
            for new in [entry(row, j)]
        ]
        error, value = min(found)
        doubt = abs(plain[row] - plain[row - 1]) / 4
        shorter = np.abs(value - plain[row + 1 :]) > error + doubt + limits[row + 1 :]
        yield (value, np.inf) if shorter.any() else (value, error)


def is_the_best_of_the_tableau(plus: Any, minus: Any, rounding: float) -> None:
    rows = list(tableau(plus, minus, rounding, STEPS))
    (value, error), second = sorted(rows, key=lambda row: row[1])[:2]
    expected = (value, error + abs(value - second[0])) if np.isfinite(second[1]) else (np.nan, np.inf)
    np.testing.assert_allclose(derivatives.ridders(plus, minus, rounding), expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("rounding", [0.0, 1e-9, 1e-3])
@pytest.mark.parametrize("waves", [0, 1, 30])
@pytest.mark.parametrize("kink", [0.0, 1e-2])
def test_ridders_is_the_best_of_the_tableau(rounding: float, waves: float, kink: float) -> None:
    noise = np.random.default_rng(1)
    for _ in range(10):

        def f(h: Any) -> Any:
            smooth = 2 + 3 * h + h**3 + np.sin(waves * h) + kink * np.maximum(h - noise.random() / 50, 0)
            return smooth + rounding * noise.uniform(-1, 1, h.shape)

        is_the_best_of_the_tableau(f(STEPS), f(-STEPS), rounding)


def test_ridders_is_the_best_of_the_tableau_of_noise() -> None:
    noise = np.random.default_rng(1)
    for _ in range(30):
        slopes = 1 + noise.normal(size=(2, 13)) * 2.0 ** -np.arange(13)
        is_the_best_of_the_tableau(slopes[0] * STEPS, -slopes[1] * STEPS, 0.0)


@pytest.mark.parametrize(("share", "kept"), [(0.98, True), (1.02, False)])
def test_ridders_leaves_out_what_a_shorter_step_contradicts(share: float, kept: bool) -> None:
    def kept_row(plain: Any, row: int, rounding: float, doubt: float) -> bool:
        limits = EXTRAPOLATION * rounding / STEPS
        plain[3] = 1 + share * (doubt + limits[row] + limits[3])
        _, bound = derivatives.ridders(plain * STEPS, -plain * STEPS, rounding)
        return bool(bound < 1.001 * limits[row])

    assert kept_row(np.ones(13), 1, 1e-6, 0) is kept
    assert kept_row(1 + STEPS**2, 2, 1e-9, (STEPS[1] ** 2 - STEPS[2] ** 2) / 4) is kept


def test_ridders_needs_two_rows() -> None:
    values = np.full(13, np.nan)
    values[:2] = 1.0
    np.testing.assert_equal(derivatives.ridders(values, -values, 0.0), (np.nan, np.inf))
    values[:3] = STEPS[:3]
    assert derivatives.ridders(values, -values, 0.0)[0] == 1


def test_both_sides_step_by_step() -> None:
    found = derivatives.sides(lambda x: x @ [1, 10], np.array([1.0, 2.0]), np.array([1.0, 3.0]), np.array([1.0, 0.5]))
    assert [side.tolist() for side in found] == [[52, 36.5], [-10, 5.5]]


def test_differences_where_f_stands_still() -> None:
    point = np.array([0.5])
    assert derivatives.difference(lambda x: 7.0, point, ONE, 1.0) == Difference(0.0, np.inf, True)
    value, bound, still = derivatives.difference(lambda x: x[0] ** 2, point, ONE, 1e-16)
    assert (round(value, 9), still) == (1, False)
    assert bound < 1e-13

    for bits in (16, 25):

        def stairs(x: Any, size: float = 2.0**-bits) -> Any:
            return np.round(x[0] / size) * size

        plus, minus = derivatives.sides(stairs, point, ONE, STEPS)
        for rounding in (0.0, 1.0):
            expected = derivatives.ridders(plus, minus, max(rounding, 2.0**-bits))
            assert derivatives.difference(stairs, point, ONE, rounding) == Difference(*expected, True)
    one_sided = derivatives.difference(lambda x: np.maximum(x[0], 0.5), point, ONE, 0.0)
    assert not one_sided.still


@pytest.mark.parametrize(
    ("start", "bound"),
    [
        (None, 0.0),
        (Threshold(4.0, 3.0, 1.51e6), 1.5),
        (Threshold(4.0, 3.0, 1.5e6), np.inf),
        (Threshold(1e138, 5e-324, 0.0), np.inf),  # it moves, by less than its slope can show
        (Threshold(0.0, 3.0, np.inf), np.inf),
    ],
)
def test_what_silence_may_hide(start: Threshold | None, bound: float, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = (np.sum, ONE, 2 * ONE)
    calls: list[Any] = []
    monkeypatch.setattr(derivatives, "threshold", recorded(lambda *args: start, calls))
    assert derivatives.silence(*arguments) == bound
    assert all(got is given for got, given in zip(*calls, arguments, strict=True))


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("distance", "outside", "share"),
    [(1 / 3, 1.0, 1 / 9), (1 / 12, 0.25, 1 / 9), (2 * 4.0**-22, 4.0**-21, 1 / 3)],
)
def test_where_f_begins_to_move(side: int, distance: float, outside: float, share: float) -> None:
    def f(x: Any) -> Any:
        h = side * x[0] / 2
        return np.nan if h < 0 else 9 + 5 * (h >= distance) + (h >= 3 * outside)

    found = outside / 4 + int(share * 2**30) * 0.75 * outside / 2**30  # after thirty halvings
    expected = Threshold(found, 5.0, 6 / (4 * outside))
    assert derivatives.threshold(f, np.zeros(1), np.array([2.0])) == expected


def test_where_f_moves_nowhere_or_at_once() -> None:
    assert derivatives.threshold(lambda x: 7.0, ONE, ONE) is None
    assert derivatives.threshold(lambda x: np.nan if x != 1 else 7.0, ONE, ONE) is None
    assert derivatives.threshold(np.sum, np.zeros(1), ONE) == Threshold(0.0, 2.0**-74, 1.0)
    far = derivatives.threshold(lambda x: x[0] >= 0.3, np.zeros(1), np.array([2.0**-200]))
    assert far is not None
    assert far.distance == pytest.approx(0.3 * 2.0**200)


def test_slopes_along_a_direction() -> None:
    assert derivatives.slope(lambda x: x[0] ** 2 + x[1], np.array([3.0, 1.0]), np.array([2.0, 5.0])) == 17
