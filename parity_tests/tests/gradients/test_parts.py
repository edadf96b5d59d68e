"""One array of x and its referee: what is measured, what bounds are made of it, and who is trusted."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parity_tests.differences.patterns import Known
from parity_tests.gradients import derivatives, referee
from parity_tests.gradients import part as parts
from parity_tests.gradients.derivatives import STEPS, Difference, Estimate
from parity_tests.gradients.input import read_point
from parity_tests.gradients.part import Part
from parity_tests.gradients.verdict import COMPLEX_STEP, DIFFERENCES, ArrayCheck, smallest
from parity_tests.judging.judge import CANNOT_TELL, FAILS, HOLDS

Replace = Callable[..., list[Any]]
F32, F64 = np.dtype(np.float32), np.dtype(np.float64)
U = {F32: 2.0**-24, F64: 2.0**-53}


@pytest.fixture
def replace(monkeypatch: pytest.MonkeyPatch) -> Replace:
    """Put values, returned in turn, or a function in the place of a function; the list of its calls' arguments."""

    def replaced(module: Any, name: str, values: Any) -> list[Any]:
        calls: list[Any] = []
        remaining = None if callable(values) else list(values)

        def function(*args: Any) -> Any:
            calls.append(args)
            return values(*args) if remaining is None else remaining.pop(0)

        monkeypatch.setattr(module, name, function)
        return calls

    return replaced


def rng() -> np.random.Generator:
    """The same numbers each time."""
    return np.random.default_rng(0)


def part(point: Any, f: Any = np.sum, rounding: float = 1e-15, along: float = 2e-15) -> Part:
    """A function at a point."""
    at = np.array(point, float)
    return Part(f, at, derivatives.scales(at), rounding, along, STEPS)


# --- parts


def test_a_part_is_f_of_one_array() -> None:
    x = read_point((np.array([1.0, 2.0]), np.array([3.0, 4.0])))
    second = parts.part_of(lambda a, b: [*a, *b], x, x.places[1])
    assert second(np.array([5, 6j])) == [1, 2, 5, 6j]
    assert second(np.array([7.0, 8.0])) == [1, 2, 7, 8]
    assert x.point.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("point", "lengths", "near"),
    [
        ([3, 0.1], [4, 0.125], [1, 2.0**-5]),
        ([2.0**30, 1], [2.0**30, 2.0**20], [2.0**6, 2.0**-4]),
        ([1, 0.5], [1, 0.5], [1, 0.5]),
    ],
)
def test_rounding_is_measured_along_two_directions(point: Any, lengths: Any, near: Any, replace: Replace) -> None:
    for found in ((0.0, 7.0), (7.0, 0.0)):
        calls = replace(derivatives, "value_rounding", found)
        made = parts.part_at(np.sum, np.array(point, float), rng())
        assert (made.f, made.point.tolist(), made.lengths.tolist()) == (np.sum, point, lengths)
        assert (made.rounding, made.along) == (found[0], 7)
        assert made.steps.tolist() == derivatives.steps_between(0.25 / lengths[0], 4.0**-13 / lengths[0]).tolist()
        (f, at, dyadic), (f_again, at_again, random) = calls
        assert f is f_again is np.sum
        assert at.tolist() == at_again.tolist() == point
        assert set(np.abs(dyadic / near)) <= {0.5, 0.625, 0.75, 0.875}
        assert ((np.abs(random / near) >= 0.5) & (np.abs(random / near) < 1)).all()
        assert not set(np.abs(random / near)) <= {0.5, 0.625, 0.75, 0.875}


@pytest.mark.parametrize(
    ("found", "beyond", "rounding"),
    [
        (3 * 2.0**-51, 1.0, 1.0),
        (3 * 2.0**-51, 1e-20, 3 * 2.0**-51),
        (3 * 2.0**-51, np.inf, 3 * 2.0**-51),
        (3.01 * 2.0**-51, None, 3.01 * 2.0**-51),
    ],
)
def test_rounding_that_is_not_seen_beside_a_tiny_x_is_looked_for_further_out(
    found: float, beyond: float | None, rounding: float, replace: Replace
) -> None:
    point = np.array([2.0**-9, -(2.0**-10)])
    each = [found] if beyond is None else [found, beyond]
    calls = replace(derivatives, "value_rounding", each * 2)
    made = parts.part_at(lambda x: -3 + 0 * x[0], point, rng())
    assert made.steps.tolist() == derivatives.steps_between(0.25 * 2**9, 4.0**-13 * 2**9).tolist()
    assert (made.rounding, made.along) == (rounding, rounding)
    assert np.abs(calls[0][2] / point).max() < 1
    if beyond is not None:
        f, at, direction, spacings = calls[1]
        assert (f(at), at.tolist(), spacings) == (-3, point.tolist(), derivatives.SPACINGS)
        assert ((np.abs(direction / [1, 0.5]) >= 0.5) & (np.abs(direction / [1, 0.5]) < 1)).all()


# --- bounds


@pytest.mark.parametrize("dtype", [F32, F64])
def test_the_bounds_of_the_complex_step(dtype: Any, replace: Replace) -> None:
    u, t = U[dtype], 31.97 * np.sqrt(2) * U[dtype] / 2**-53
    plain = 4 * u * np.array([2.0, 3.0]) + smallest(dtype)
    made = part([1.0, 1.0], lambda x: x @ [-2, 3])
    measured = np.array([1e-17, 3e-17])
    calls = replace(derivatives, "gradient_rounding", [measured])
    estimate = parts.by_complex_step(made, dtype, "rng")  # type: ignore[arg-type]
    np.testing.assert_allclose(estimate.value, [-2, 3], rtol=1e-15)
    np.testing.assert_allclose(estimate.agrees, plain + t * measured, rtol=1e-14)
    np.testing.assert_allclose(estimate.wrong, estimate.agrees + 4 * u, rtol=1e-14)
    assert estimate.hidden.dtype == bool
    assert not estimate.hidden.any()
    assert calls == [(made.f, made.point, 2.0**-20, "rng")]
    wide, narrow = np.array([1e-3, 1e-17]), np.array([1e-17, 1.0])
    calls = replace(derivatives, "gradient_rounding", [wide, narrow])
    estimate = parts.by_complex_step(made, dtype, "rng")  # type: ignore[arg-type]
    np.testing.assert_allclose(estimate.agrees, plain + t * np.array([1e-17, 1e-17]), rtol=1e-14)
    np.testing.assert_allclose(estimate.wrong, plain + t * wide + 4 * u, rtol=1e-14)
    assert calls[1] == (made.f, made.point, 2.0**-36, "rng")


@pytest.mark.parametrize("dtype", [F32, F64])
def test_bounds_are_at_least_what_underflow_does(dtype: Any, replace: Replace) -> None:
    replace(derivatives, "gradient_rounding", lambda *args: np.zeros(1))
    replace(parts, "slope_of_entry", lambda *args: (0.0, 0.0, True))
    made = part([1.0], lambda x: 0 * x[0], rounding=0.0)
    assert parts.by_complex_step(made, dtype, rng()).agrees.tolist() == [smallest(dtype)]
    assert parts.by_differences(made, dtype).agrees.tolist() == [smallest(dtype)]


@pytest.mark.parametrize("dtype", [F32, F64])
def test_the_bounds_of_differences(dtype: Any, replace: Replace) -> None:
    made, u = part([1.0, 4.0], rounding=1e-10), U[dtype]
    calls = replace(parts, "slope_of_entry", [(-2.0, 1e-5, True), (3.0, 2e-5, False)])
    estimate = parts.by_differences(made, dtype)
    own = 4 * u * np.array([2, 3]) + u / 2**-53 * 1e-10 / made.lengths + smallest(dtype)
    assert estimate.value.tolist() == [-2, 3]
    np.testing.assert_allclose(estimate.agrees, np.array([1e-5, 2e-5]) + own, rtol=1e-14)
    np.testing.assert_allclose(estimate.wrong, estimate.agrees + 4 * u, rtol=1e-14)
    assert estimate.hidden.tolist() == [False, True]
    assert calls == [(made, 0), (made, 1)]


COARSE = Difference(2.0, 0.003, False)


@pytest.mark.parametrize(
    ("found", "silent", "slope"),
    [
        ([Difference(-2.0, 0.002, False)], None, (-0.5, 0.0005, True)),
        ([COARSE, Difference(3.0, 0.0024, False)], None, (0.75, 0.0006, True)),
        ([COARSE, Difference(2.0, 0.0024, False)], None, (0.5, 0.0006, False)),
        ([COARSE, Difference(-3.0, 0.003, False)], None, (0.5, 0.00075, False)),
        ([Difference(-2.0, 0.002, True)], None, (-0.5, 0.0005, True)),
        ([COARSE, Difference(2.0, 0.0024, True)], 1.0, (0.0, 0.25, True)),
        ([COARSE, Difference(2.0, 0.0024, True)], np.inf, (0.0, np.inf, False)),
        ([Difference(0.0, np.inf, True)] * 2, 0.0, (0.0, 0.0, True)),
    ],
)
@pytest.mark.parametrize(("entry", "size"), [(3.0, 1.0), (0.0, 0.015625), (2.0**-10, 2.0**-10)])
def test_the_slope_of_an_entry(
    found: list[Difference], silent: float | None, slope: Any, entry: float, size: float, replace: Replace
) -> None:
    made = part([16.0, entry])
    length = made.lengths[1]
    made.lengths[1] = 8 if entry > 1 else length
    calls = replace(derivatives, "difference", found)
    still = replace(derivatives, "silence", [silent])
    value, bound, sees = parts.slope_of_entry(made, 1)
    scale = 4 / made.lengths[1]
    assert (value, bound, sees) == (slope[0] * scale, slope[1] * scale, slope[2])
    for call in calls:
        assert call[0] is made.f
        assert (call[1].tolist(), call[2].tolist(), call[3]) == (made.point.tolist(), [0, made.lengths[1]], 1e-15)
    assert [len(call) for call in calls] == [4, 5][: len(calls)]
    if len(calls) == 2:
        steps = derivatives.steps_between(0.25 / made.lengths[1], 4.0**-13 * size / made.lengths[1])
        assert calls[1][4].tolist() == steps.tolist()
    assert [(call[0], call[1].tolist(), call[2].tolist()) for call in still] == (
        [] if silent is None else [(made.f, made.point.tolist(), [0, made.lengths[1]])]
    )


# --- trust


def test_what_cannot_be_called_with_complex_numbers_is_not_trusted() -> None:
    trust = referee._trust(part([1.0, 2.0], np.linalg.norm), False, rng())
    assert trust.why_not == "returns a real number for a complex argument"
    assert trust.unconfirmed.tolist() == [np.inf, np.inf]


def test_directions_leave_unconfirmed_what_is_within_their_bounds(replace: Replace) -> None:
    made = part([3.0, 2.0])
    calls = replace(derivatives, "difference", [Difference(5.0, 1.0, False), Difference(5.0, 0.5, False)])
    slopes = replace(derivatives, "slope", [6.0, 4.5])
    trust = referee._trust(made, False, rng())
    assert trust.why_not == ""
    assert trust.unconfirmed.tolist() == [8, 16]  # 64 times the lesser bound, over lengths of 4 and 2
    for f, at, direction, rounding, steps in calls:
        assert (f, at.tolist(), rounding, steps.tolist()) == (made.f, [3, 2], made.along, STEPS.tolist())
        assert ((np.abs(direction) >= [2, 1]) & (np.abs(direction) < [4, 2])).all()
    assert [(call[0], call[1].tolist(), call[2].tolist()) for call in slopes] == [
        (call[0], [3, 2], call[2].tolist()) for call in calls
    ]
    assert calls[0][2].tolist() != calls[1][2].tolist()


def test_tiny_entries_get_a_direction_of_their_own(replace: Replace) -> None:
    calls = replace(derivatives, "difference", [Difference(5.0, bound, False) for bound in (1.0, 1.0, 2.0**-20)])
    replace(derivatives, "slope", lambda *args: 5.0)
    trust = referee._trust(part([1.0, 2.0**-20]), False, rng())
    assert np.abs(calls[2][2][1]) < 2.0**-20
    assert trust.unconfirmed.tolist() == [2.0**-14, 64]


@pytest.mark.parametrize(("bound", "trusted"), [(0.99, False), (1.0, True), (np.inf, True)])
def test_a_difference_beyond_its_bound_ends_trust(bound: float, trusted: bool, replace: Replace) -> None:
    replace(derivatives, "difference", [Difference(5.0, 9.0, False), Difference(5.0, bound, False)])
    for step in (4.0, 6.0):
        replace(derivatives, "difference", [Difference(5.0, 9.0, False), Difference(5.0, bound, False)])
        replace(derivatives, "slope", [5.0, step])
        trust = referee._trust(part([1.0]), False, rng())
        assert trust.why_not == (
            "" if trusted else "is not analytic: the complex step and a difference along a random direction disagree"
        )
        assert trust.unconfirmed.tolist() == [64 * (min(bound, 9) if trusted else 9)]
    replace(derivatives, "difference", [Difference(np.nan, 9.0, False)])
    replace(derivatives, "slope", [5.0])
    assert referee._trust(part([1.0]), False, rng()).why_not


@pytest.mark.parametrize("missing", [False, True])
def test_with_kinks_directions_begin_beside_x(missing: bool, replace: Replace) -> None:
    calls = replace(derivatives, "difference", lambda *args: Difference(5.0, 1.0, False))
    slopes = replace(derivatives, "slope", lambda *args: 5.0)
    made = part([4.0], lambda x: np.nan * x[0] if missing and np.real(x) != 4 else 1j * x[0] if x.imag else x[0])
    referee._trust(made, True, rng())
    for call, slope in zip(calls, slopes, strict=True):
        away = abs(call[1][0] - 4)
        assert away == 0 if missing else 2.0**-9 <= away < 2.0**-8
        assert slope[1].tolist() == call[1].tolist()


# --- entries by themselves


class Entry:
    """An entry: what the complex step says of it, and what differences do."""

    def __init__(self, step: float, difference: Any = (1.0, 0.25, True), kink: bool = False, elsewhere: Any = None):
        self.step, self.difference, self.kink, self.elsewhere = step, difference, kink, elsewhere


BLIND = (1.0, 0.25, False)


@pytest.mark.parametrize(
    ("entries", "differs", "hidden", "kinks"),
    [
        ([Entry(1.0), Entry(1.25), Entry(0.75)], -1, [], []),
        ([Entry(1.0), Entry(1.26)], 1, [], []),
        ([Entry(1.0), Entry(0.74), Entry(0.0)], 1, [], []),
        ([Entry(5.0, (1.0, np.inf, True)), Entry(1.0)], -1, [], []),
        ([Entry(9.0), Entry(-9.0)], -1, [], []),  # seen along the directions
        ([Entry(np.nan, (1.0, np.inf, True), kink=True)], -1, [], [0]),
        ([Entry(1.0, BLIND), Entry(1.0, BLIND, elsewhere=True)], -1, [0], []),
        ([Entry(1.0, BLIND), Entry(1.0, BLIND, elsewhere=False), Entry(1.0, BLIND)], 1, [0], []),
        ([Entry(1.0, BLIND, kink=True), Entry(1.0, kink=True)], -1, [], [0, 1]),
    ],
)
def test_entries_are_confirmed_by_themselves(
    entries: list[Entry], differs: int, hidden: list[int], kinks: list[int], replace: Replace
) -> None:
    made, given = part(np.ones(len(entries))), {"kinks": np.zeros(len(entries), bool)}
    made.lengths[:] = 2
    at = [int(np.argmax(np.eye(len(entries))[place])) for place in range(len(entries))]

    def by_axis(of: Part, axis: Any) -> Entry:
        assert of is made
        assert sorted(axis) == [*np.zeros(len(entries) - 1), 2]
        return entries[at[int(np.argmax(axis))]]

    replace(referee, "kink_further_out", lambda *args: by_axis(*args).kink)
    slopes = replace(referee, "slope_of_entry", lambda made, entry: entries[entry].difference)
    replace(referee, "_agrees_elsewhere", lambda *args: by_axis(*args).elsewhere)
    value = np.array([entry.step for entry in entries])
    estimate = Estimate(value, value, value, np.zeros(value.shape, bool))
    trust = referee._Trust("", np.full(value.shape, 9.0))
    checked = referee._entries(made, estimate, given["kinks"], trust)
    assert all(of is made for of, _ in slopes)
    assert checked.differs == differs
    assert checked.hidden.dtype == bool
    assert np.flatnonzero(checked.hidden).tolist() == hidden
    assert np.flatnonzero(given["kinks"]).tolist() == kinks


def test_an_entry_at_a_kink_is_not_looked_at(replace: Replace) -> None:
    looked = replace(referee, "kink_further_out", lambda *args: False)
    replace(referee, "slope_of_entry", lambda *args: (1.0, 0.5, True))
    value = np.ones(2)
    estimate = Estimate(value, value, value, value > 2)
    referee._entries(part([1.0, 2.0]), estimate, np.array([True, False]), referee._Trust("", value * np.inf))
    assert [axis.tolist() for _, axis in looked] == [[0, 2]]


def moved_by(power: int) -> Any:
    """A function of one entry that moves by 1 from a distance of 4^power on."""
    return lambda x: 5.0 + (abs(x[0]) >= 4.0**power)


@pytest.mark.parametrize(
    ("found", "steps", "agrees"),
    [
        ([(3.0, 2.0**-9)], [3 + 2.0**-9], True),
        ([(3.0, 0.003)], [3.0031], False),
        ([(3.0, 0.003)], [2.9969], False),
        ([(3.0, 0.0031), (3.0, 0.003)], [3.05, 3.0], True),
        ([(3.0, 0.0031)], [3.2], False),  # a thousandth of the larger of the two
        ([(-3.0, 0.003)], [0.0], False),
        ([(0.0, 0.003)], [-3.0], False),
        ([(3.0, np.inf), (3.0, 0.5), (3.0, 0.5)], [3.0, 3.0, 3.0], None),
    ],
)
def test_agreement_elsewhere(found: Any, steps: Any, agrees: bool | None, replace: Replace) -> None:
    made = Part(moved_by(2), np.array([0.0]), np.ones(1), 0.99e-6, 1e-6, STEPS)
    differences = replace(derivatives, "difference", [Difference(value, bound, False) for value, bound in found])
    slopes = replace(derivatives, "slope", steps)
    roundings = replace(derivatives, "value_rounding", [1e-6, 1.0, 1e-7])
    assert referee._agrees_elsewhere(made, np.array([2.0])) is agrees
    distances = [32.0, 128.0, 512.0][: len(steps)]
    for calls in (differences, slopes, roundings):
        assert [(call[0], call[1].tolist(), call[2].tolist()) for call in calls] == [
            (made.f, [h], [h]) for h in distances
        ]
    assert [call[3] for call in differences] == [1e-6, 1.0, 0.99e-6][: len(steps)]


def test_agreement_is_looked_for_where_f_has_clearly_moved(replace: Replace) -> None:
    replace(derivatives, "value_rounding", lambda *args: 0.0)
    calls = replace(derivatives, "difference", lambda *args: Difference(1.0, 1.0, False))
    replace(derivatives, "slope", lambda *args: 1.0)
    for f, rounding, first in (
        (moved_by(-9), 0.9999995e-6, 1.0),
        (moved_by(3), 0.9999995e-6, 64.0),
        (moved_by(3), 1e-6, None),
        (moved_by(30), 0.9999995e-6, None),
    ):
        calls.clear()
        assert referee._agrees_elsewhere(Part(f, np.zeros(1), np.ones(1), rounding, 0.0, STEPS), np.ones(1)) is None
        expected = [] if first is None else [first, 4 * first, 16 * first]
        assert [float(call[1][0]) for call in calls] == expected


@pytest.mark.parametrize(
    ("got", "expected", "slope", "agrees"),
    [
        (2.0, 4.0, (2.5, 0.5), True),
        (2.0, 4.0, (1.5, 0.5), True),
        (2.0, 4.0, (2.51, 0.5), False),
        (2.0, 3.0, (2.5, 0.5), False),
        (2.0, 1.9, (2.5, 0.5), True),
        (np.inf, 4.0, (2.5, 0.5), False),
        (2.0, np.nan, (2.5, 0.5), False),
    ],
)
@pytest.mark.parametrize(("shape", "index", "entry"), [((2, 3), (1, 0), 3), ((), (), 0)])
def test_a_difference_takes_a_side(
    got: float, expected: float, slope: Any, agrees: bool, shape: Any, index: Any, entry: int, replace: Replace
) -> None:
    calls = replace(referee, "slope_of_entry", [(*slope, True)])
    made, nan = part([1.0]), np.nan
    check = ArrayCheck("x", "", "", shape, nan, nan, nan, index, got, expected, "", 0, (), "", "")
    assert referee._difference_agrees(made, check) is agrees
    assert calls == ([(made, entry)] if np.isfinite([got, expected]).all() else [])


# --- the referee of an array


AT = "is differentiated in another way by the complex step than by a difference at "


@pytest.mark.parametrize(
    ("why", "differs", "verdict", "agrees", "words"),
    [
        ("is wild", -1, HOLDS, False, "is wild"),
        ("", -1, HOLDS, True, None),
        ("", -1, CANNOT_TELL, True, None),
        ("", -1, FAILS, False, None),
        ("", -1, FAILS, True, AT + "(0, 1)"),
        ("", 0, HOLDS, False, AT + "(0, 0)"),
        ("", 4, HOLDS, False, AT + "(1, 1)"),
    ],
)
@pytest.mark.parametrize("kinked", [True, False])
def test_who_is_the_referee(
    why: str, differs: int, verdict: str, agrees: bool, words: str | None, kinked: bool, replace: Replace
) -> None:
    x, draws, got = read_point((np.ones(2), np.full((2, 3), 3.0))), rng(), np.ones((2, 3), np.float32)
    made, known, zeros = part(np.ones(6)), Known(), np.zeros(6)
    hidden, kinks = zeros == 0, np.arange(6) == 3 if kinked else zeros > 0
    estimate, trust = Estimate(zeros, zeros, zeros, kinks), referee._Trust(why, zeros)
    judged = [SimpleNamespace(verdict=verdict, worst_index=(0, 1)), SimpleNamespace(verdict="by differences")]
    judged = judged[1:] if why or differs >= 0 else judged
    calls = {
        name: replace(referee, name, values)
        for name, values in {
            "part_at": [made],
            "kinks_of": [kinks],
            "_trust": [trust],
            "by_complex_step": [estimate],
            "_entries": [referee._Checked(differs, hidden)],
            "judge_array": judged,
            "_difference_agrees": [agrees],
            "by_differences": ["differences"],
        }.items()
    }
    result = referee.check_by_referee(lambda a, b: (a, b), x, 1, got, known, draws)
    ((f, at, by),) = calls["part_at"]
    assert (f(np.zeros(6))[1].tolist(), at.tolist(), by) == (np.zeros((2, 3)).tolist(), [3] * 6, draws)
    assert calls["kinks_of"] == [(made, draws)]
    assert calls["_trust"] == [(made, kinked, draws)]
    last = calls["judge_array"][-1]
    assert last[4].tolist() == kinks.reshape(2, 3).tolist()
    if words is None:
        assert result.verdict == verdict
        assert (last[:2], last[3], last[5:]) == (("x[1]", COMPLEX_STEP), estimate._replace(hidden=hidden), (known, ""))
    else:
        assert result.verdict == "by differences"
        assert (last[:2], last[3], last[5:]) == (("x[1]", DIFFERENCES), "differences", (known, words))
        assert calls["by_differences"] == [(made, F32)]
    assert last[2] is got
    if not why:
        assert calls["by_complex_step"] == [(made, F32, draws)]
        assert calls["_entries"] == [(made, estimate, kinks, trust)]
    if verdict == FAILS:
        assert calls["_difference_agrees"] == [(made, judged[0])]
