"""What a judge says of two arrays, branch by branch, and what a ledger makes of several judgements."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from parity_tests.formulas import CASES
from parity_tests.formulas.run import run_case
from parity_tests.judging.bounds import unit_roundoff
from parity_tests.judging.judge import CANNOT_TELL, FAILS, HOLDS, SEEN, Judgement, Ledger, Where, judge

ONES = np.ones((2, 3))
WHERE = Where("case", "dW", model="deep", dataset="circles", layer=2)


def off(by: float, at: tuple[int, ...] = (1, 2), dtype: Any = np.float64) -> Any:
    """Ones, of which one is off by so much."""
    changed = np.ones((2, 3), dtype)
    changed[at] += by
    return changed


@pytest.mark.parametrize(
    ("got", "dtype", "reason"),
    [
        (np.ones((3, 2)), np.float64, "shape (3, 2), expected (2, 3)"),
        (np.ones((2, 3), np.float32), np.float64, "dtype float32, expected float64"),
        (ONES, np.float32, "dtype float64, expected float32"),
    ],
)
def test_shape_and_dtype_come_before_values(got: Any, dtype: Any, reason: str) -> None:
    found = judge(got, ONES, 1.0, dtype)
    assert (found.shape, found.ratio, found.error, found.worst) == (got.shape, np.inf, np.inf, 0)
    assert np.isnan(found.bound)
    assert (found.fails, found.untold, found.reason) == (True, False, reason)


def test_an_empty_array_is_no_agreement() -> None:
    found = judge(np.ones((0, 3)), np.ones((0, 3)), 1.0, np.float64)
    assert (found.shape, found.fails) == ((0, 3), True)
    assert found.reason == "nothing to compare: the array is empty"


def test_the_entry_with_the_largest_ratio_is_named() -> None:
    tolerance = np.array([[1.0, 1.0, 1.0], [1.0, 4.0, 1.0]]) * 1e-12
    got = ONES + np.array([[0, 3e-13, 0], [0, 8e-13, 0]])
    found = judge(got, ONES, tolerance, np.float64)
    assert (found.worst, found.shape) == (1, (2, 3))
    assert [found.error, found.bound, found.ratio] == pytest.approx([3e-13, 1e-12, 0.3], rel=1e-3)
    assert (found.fails, found.untold, found.reason) == (False, False, "")


@pytest.mark.parametrize(("error", "fails"), [(2.0**-40, False), (2.0**-40 * (1 + 2**-10), True)])
def test_an_error_as_large_as_its_tolerance_passes_and_a_larger_one_fails(error: float, fails: bool) -> None:
    for tolerance in (2.0**-40, np.full((2, 3), 2.0**-40)):
        found = judge(off(error), ONES, tolerance, np.float64)
        assert (found.fails, found.worst, found.bound) == (fails, 5, 2.0**-40)


def test_differences_of_float32_are_taken_in_float64() -> None:
    huge = np.full((2, 3), 3e38, np.float32)
    found = judge(-huge, huge, 1e38, np.float32)
    assert found.fails
    assert found.error == pytest.approx(6e38)


@pytest.mark.parametrize(
    ("tolerance", "seen", "untold"),
    [
        (4.9e-10, None, False),
        (5.1e-10, None, True),
        (4.9e-4, 1e-3, False),
        (5.1e-4, 1e-3, True),
        (0.5, 1.0, False),  # twice the tolerance is what must be seen: a larger change would not pass
    ],
)
def test_a_tolerance_that_could_hide_what_must_be_seen_cannot_be_told(
    tolerance: float, seen: float | None, untold: bool
) -> None:
    assert judge(ONES, ONES, tolerance, np.float64, seen=seen).untold == untold
    assert judge(ONES / 8, ONES / 8, tolerance / 8, np.float64, seen=seen).untold == untold
    assert judge(off(1e3 * tolerance), ONES, tolerance, np.float64, seen=seen).untold is False


def test_what_must_be_seen_is_a_share_of_the_largest_entry() -> None:
    assert (SEEN[np.dtype(np.float64)], SEEN[np.dtype(np.float32)]) == (1e-9, 1e-3)
    assert not judge(off(3), off(3), 1.9e-9, np.float64).untold
    assert judge(off(3), off(3), 2.1e-9, np.float64).untold
    assert not judge(-off(3), -off(3), 1.9e-9, np.float64).untold
    assert not judge(off(3, dtype=np.float32), off(3, dtype=np.float32), 1.9e-3, np.float32).untold
    assert judge(off(3, dtype=np.float32), off(3, dtype=np.float32), 2.1e-3, np.float32).untold


@pytest.mark.parametrize(
    ("error", "floor", "by_error", "untold"),
    [
        (0.0, 0.0, False, True),
        (0.0, 0.0, True, False),
        (0.5, 0.0, True, False),  # half of what must be seen, twice over: no such change has passed
        (0.501, 0.0, True, True),
        (0.0, 0.5, True, False),
        (0.0, 0.501, True, True),  # underflow alone could hide it
    ],
)
def test_where_the_tolerance_is_wide_the_difference_may_decide(
    error: float, floor: float, by_error: bool, untold: bool
) -> None:
    found = judge(off(error, (0, 0)), off(0), 2.0, np.float64, floor, seen=1.0, exact=False, by_error=by_error)
    assert (found.fails, found.untold) == (False, untold)


@pytest.mark.parametrize(
    ("error", "tolerance", "floor", "exact", "untold"),
    [
        (0.0, 1.0, 1.0, None, False),  # the tolerance is the floor: nothing is rounded
        (0.1, 1.0, 1.0, None, True),
        (0.0, 1.0, 0.9, None, True),
        (0.0, 1.0, 0.9, True, False),
        (0.1, 1.0, 0.9, True, True),
        (0.0, 1.0, 1.0, False, True),
    ],
)
def test_only_exact_operations_leave_nothing_to_underflow(
    error: float, tolerance: float, floor: float, exact: bool | None, untold: bool
) -> None:
    found = judge(off(error), ONES, tolerance, np.float64, floor, exact=exact)
    assert (found.fails, found.untold) == (False, untold)


INF, NAN = np.inf, np.nan


@pytest.mark.parametrize(
    ("got", "reference", "tolerance", "verdict", "ratio"),
    [
        (INF, INF, 1e-12, HOLDS, 0.0),
        (-INF, INF, 1e-12, FAILS, INF),
        (INF, 1.0, 1e-12, FAILS, INF),
        (1.0, INF, 1e-12, FAILS, INF),
        (NAN, NAN, 1e-12, CANNOT_TELL, 0.0),
        (NAN, 1.0, 1e-12, FAILS, INF),
        (1.0, NAN, 1e-12, FAILS, INF),
        (NAN, INF, 1e-12, FAILS, INF),
        (5.0, 1.0, INF, CANNOT_TELL, 0.0),
        (INF, 1.0, INF, CANNOT_TELL, 0.0),
        (NAN, 1.0, INF, FAILS, INF),
        (5.0, 1.0, NAN, CANNOT_TELL, 0.0),
        (NAN, 1.0, NAN, CANNOT_TELL, 0.0),
        (INF, -INF, NAN, CANNOT_TELL, 0.0),
    ],
)
def test_what_is_not_finite(got: float, reference: float, tolerance: float, verdict: str, ratio: float) -> None:
    place = (0, 1)
    one, other, allowed = off(0), off(0), 1e-12 * off(0)
    one[place], other[place], allowed[place] = got, reference, tolerance
    found = judge(one, other, allowed, np.float64)
    assert (FAILS if found.fails else CANNOT_TELL if found.untold else HOLDS) == verdict
    assert found.ratio == ratio
    assert found.error == ratio  # 0 where the entry is excused
    if verdict == FAILS:
        assert found.worst == 1


def test_beside_what_is_not_finite_the_other_entries_are_still_judged() -> None:
    got, reference = off(INF, (0, 0)), off(INF, (0, 0))
    got[1, 1] += 3e-12
    found = judge(got, reference, 1e-12, np.float64)
    assert (found.fails, found.worst) == (True, 4)
    assert found.ratio == pytest.approx(3, rel=1e-3)
    got[1, 1] = 1 + 5e-13
    found = judge(got, reference, 1e-12, np.float64)
    assert (found.fails, found.untold, found.worst) == (False, False, 4)
    assert [found.error, found.ratio] == pytest.approx([5e-13, 0.5], rel=1e-3)
    # what must be seen is a share of the largest finite entry, and of the finite tolerances the largest counts
    assert judge(got, reference, 5.1e-10, np.float64).untold
    assert not judge(got, reference, 4.9e-10, np.float64).untold
    wide = np.full((2, 3), 1e-12)
    wide[0, 2] = INF
    assert judge(ONES, ONES, wide, np.float64).untold
    small, tiny = off(INF, (0, 0)), np.full((2, 3), 1e-25)
    small[1:] = small[0, 1:] = 1e-15
    assert judge(small, small, tiny, np.float64).untold is False
    assert judge(small, small, 10 * tiny, np.float64).untold is True


def test_what_was_untold_before_stays_untold() -> None:
    """Beside a NaN on both sides, the other entries agree; a wide tolerance does not make up for it."""
    got, reference = off(NAN, (0, 0)), off(NAN, (0, 0))
    assert judge(got, reference, 0.1, np.float64, by_error=True).untold
    assert judge(got, reference, 1.0, np.float64, exact=True).untold


def test_a_change_that_is_just_seen_is_seen_wherever_the_largest_entry_is() -> None:
    for alike in (np.array([1.0, 8.0]), np.array([8.0, 1.0])):
        assert not judge(alike, alike, 1.0, np.float64, seen=0.25).untold
        assert judge(alike, alike, np.nextafter(1.0, 2.0), np.float64, seen=0.25).untold


def test_the_error_beside_an_excused_entry_is_the_error() -> None:
    got, reference = off(NAN, (0, 0)), off(NAN, (0, 0))
    got[0, 1] = 1 + 3e-12
    found = judge(got, reference, 1e-12, np.float64)
    assert found.worst == 1
    assert found.error == pytest.approx(3e-12, rel=1e-3)
    # an excused entry has no error that could be looked at
    got[0, 1] = 1
    got[0, 0] = 5
    open_ended = np.full((2, 3), 0.1)
    open_ended[0, 0] = INF
    reference[0, 0] = 1
    assert judge(got, reference, open_ended, np.float64, by_error=True).error == 0


def test_an_overflowing_ratio_of_finite_numbers_fails() -> None:
    assert judge(off(1e300), ONES, 1e-300, np.float64).fails


def test_a_ledger_doubles_the_bound_and_adds_what_underflow_may_do() -> None:
    ledger = Ledger(np.float64, 3)
    assert (ledger.floor, ledger.name, ledger.dtype) == (12 * np.finfo(np.float64).tiny, "float64", np.float64)
    ledger.add(WHERE, off(1.5e-12), ONES, np.full((2, 3), 1e-12))
    ledger.add(WHERE, off(2.5e-12), ONES, np.full((2, 3), 1e-12))
    first, second = ledger.judgements()[WHERE]
    assert (first.fails, second.fails) == (False, True)
    assert first.bound == 2e-12 + ledger.floor
    ledger.judgements()[WHERE].clear()
    assert len(ledger.judgements()[WHERE]) == 2


def test_a_line_names_the_worst_of_its_steps() -> None:
    ledger = Ledger(np.float32, 3, name="bf16")
    holds = Judgement((2, 3), 0.5, 1.0, 2.0, 4, fails=False, untold=False)
    worse = holds._replace(ratio=0.7, worst=5)
    ledger.add_judged(WHERE, holds)
    (line,) = ledger.results()
    assert line[:6] == ("case", "deep", "circles", "dW", 2, "bf16")
    assert (line.pair, line.basis, line.shape) == ("manual/torch", "derived", (2, 3))
    assert (line.error, line.bound, line.ratio, line.worst_index) == (1.0, 2.0, 0.5, (1, 1))
    assert (line.verdict, line.cannot_tell, line.arrays, line.reason) == (HOLDS, 0, 1, "")
    ledger.add_judged(WHERE, worse)
    (line,) = ledger.results()
    assert (line.ratio, line.worst_index, line.arrays) == (0.7, (1, 1, 2), 2)
    ledger.add_judged(WHERE, holds)
    (line,) = ledger.results()
    assert (line.ratio, line.worst_index, line.arrays) == (0.7, (1, 1, 2), 3)
    ledger.add_judged(WHERE, worse._replace(ratio=0.1, untold=True, reason="a word"))
    (line,) = ledger.results()
    assert (line.verdict, line.cannot_tell, line.ratio) == (CANNOT_TELL, 1, 0.7)
    ledger.add_judged(WHERE, holds._replace(ratio=0.2, fails=True, reason="why"))
    (line,) = ledger.results()
    assert (line.verdict, line.ratio, line.worst_index, line.reason) == (FAILS, 0.2, (4,), "why")
    assert (line.cannot_tell, line.arrays) == (1, 5)


def test_what_could_not_be_compared_fails_without_a_shape() -> None:
    ledger = Ledger(np.float64, 3)
    ledger.fail(WHERE, "never reached")
    other = WHERE._replace(layer=1)
    ledger.fail(other, "neither")
    first, second = ledger.results()
    assert (first.layer, second.layer, first.reason) == (2, 1, "never reached")
    assert (first.verdict, first.shape, first.worst_index, first.error) == (FAILS, (), (), np.inf)


def test_a_line_as_json_has_none_for_what_json_lacks() -> None:
    ledger = Ledger(np.float64, 3)
    ledger.add_judged(WHERE, Judgement((1,), np.inf, 2.0, np.nan, 0, fails=True, untold=False))
    ledger.add_judged(WHERE._replace(layer=3), Judgement((1,), 0.5, np.inf, 4.0, 0, fails=False, untold=False))
    first, second = (line.as_json() for line in ledger.results())
    assert (first["error"], first["bound"], first["ratio"]) == (2.0, None, None)
    assert (second["error"], second["bound"], second["ratio"]) == (None, 4.0, 0.5)
    assert first["layer"] == 2


def test_a_ledger_of_a_short_format_sees_a_tenth() -> None:
    for computed, seen in ((None, 1e-9), (np.float32, 0.1)):
        ledger = Ledger(np.float64, 3, computed, "tf32")
        assert ledger.seen == seen
        assert ledger.floor == 12 * np.finfo(computed or np.float64).tiny
        assert ledger.name == "tf32"
    ledger.add(WHERE, off(0.04), ONES, np.full((2, 3), 0.03))
    ledger.add(WHERE, off(0.06), ONES, np.full((2, 3), 0.04))
    assert [judged.untold for judged in ledger.judgements()[WHERE]] == [False, True]


def test_in_float64_the_bound_alone_decides_and_in_float32_the_difference() -> None:
    for dtype, untold in ((np.float64, True), (np.float32, False)):
        ledger = Ledger(dtype, 3)
        ledger.add(WHERE, ONES.astype(dtype), ONES.astype(dtype), np.full((2, 3), 0.1))
        assert ledger.judgements()[WHERE][0].untold == untold


def test_in_float32_agreement_says_nothing_where_underflow_could_hide_it() -> None:
    ledger = Ledger(np.float32, 3)
    small = np.full((2, 3), 100 * ledger.floor, np.float32)
    ledger.add(WHERE, small, small, np.full((2, 3), ledger.floor))
    ledger.add(WHERE, 1e3 * small, 1e3 * small, np.full((2, 3), 1e3 * ledger.floor))
    assert [judged.untold for judged in ledger.judgements()[WHERE]] == [True, False]


def test_a_bound_near_the_largest_number_knows_nothing() -> None:
    ledger = Ledger(np.float32, 3)
    least = float(np.finfo(np.float32).max) * unit_roundoff(np.float32) / 1024
    assert ledger.near_overflow == least
    zeros = np.zeros(2, np.float32)
    for bound, known in ((0.99 * least, True), (least, False), (np.inf, False)):
        where = WHERE._replace(quantity=f"{bound}")
        ledger.add(where, np.array([0, 3e38], np.float32), zeros, np.array([0.0, bound]))
        judged = ledger.judgements()[where][0]
        assert (judged.fails, judged.untold) == (known, not known)
    ledger.add(WHERE, np.array([1.0, 3e38], np.float32), zeros, np.array([1e-9, least]))
    assert ledger.judgements()[WHERE][0].fails  # the first entry is still judged


@pytest.mark.parametrize(("value", "verdict"), [(1e300, FAILS), (np.inf, CANNOT_TELL), (np.nan, CANNOT_TELL)])
def test_what_fails_cannot_be_told_where_it_was_computed_from_infinity(value: float, verdict: str) -> None:
    ledger = Ledger(np.float64, 3)
    looked_at: list[str] = []

    def of() -> list[Any]:
        looked_at.append("of")
        return [ONES, np.array([1.0, value])]

    ledger.add(WHERE, off(1e-3), ONES, np.full((2, 3), 1e-12), of)
    assert [line.verdict for line in ledger.results()] == [verdict]
    assert len(looked_at) == 1
    ledger.add(WHERE._replace(layer=1), ONES, ONES, np.full((2, 3), 1e-12), of)  # what holds is not looked at again
    ledger.add(WHERE._replace(layer=3), ONES[:1], ONES, np.full((2, 3), 1e-12), of)  # nor what has another shape
    assert [line.verdict for line in ledger.results()] == [verdict, HOLDS, FAILS]
    assert len(looked_at) == 1


def test_an_empty_array_with_an_empty_bound_is_a_failure_of_the_ledger_too() -> None:
    ledger = Ledger(np.float64, 3)
    ledger.add(WHERE, np.ones((0, 3)), np.ones((0, 3)), np.ones((0, 3)))
    assert ledger.results()[0].reason == "nothing to compare: the array is empty"


def test_copies_are_exact_in_a_ledger() -> None:
    ledger = Ledger(np.float64, 3)
    tiny = np.full((2, 3), ledger.floor)
    ledger.add(WHERE, tiny, tiny, np.zeros((2, 3)))
    ledger.add(WHERE, tiny, tiny, np.full((2, 3), 5e-324))
    assert [judged.untold for judged in ledger.judgements()[WHERE]] == [False, True]


def test_a_case_without_outputs_fails_by_name() -> None:
    (line,) = run_case(replace(CASES[0], bounds={}, derivatives={}), np.float64, 0)
    assert (line.case, line.quantity, line.pair) == (CASES[0].id, "", "")
    assert (line.verdict, line.reason) == (FAILS, "the case compares nothing")
