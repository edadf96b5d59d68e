"""The verdict on one array of a gradient, by itself: to the bound, to the word."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from parity_tests import html
from parity_tests.differences.patterns import Known
from parity_tests.gradients.derivatives import Estimate, quiet
from parity_tests.gradients.verdict import (
    COMPLEX_STEP,
    DIFFERENCES,
    ArrayCheck,
    GradientCheck,
    hides,
    judge_array,
    must_be_seen,
    smallest,
)
from parity_tests.judging.judge import CANNOT_TELL, FAILS, HOLDS

RIGHT = np.array([[1.0, 2.0], [3.0, 4.0]])
NARROW, WIDE = 2.0**-40, 2.0**-35
"""With 4 as the largest entry, 2^-31 may be hidden at most: both see enough."""

CHECK = ArrayCheck("W", HOLDS, COMPLEX_STEP, (2, 2), 0.0, NARROW, 0.0, (0, 0), 1.0, 1.0, "", 0, (), "", "")


def judged(
    got: Any,
    right: Any = RIGHT,
    narrow: Any = NARROW,
    wide: Any = WIDE,
    *,
    hidden: Any = False,
    kinks: Any = False,
    method: str = COMPLEX_STEP,
    known: Known = Known(),  # noqa: B008
    why: str = "",
) -> ArrayCheck:
    """The verdict with these bounds, each one number for all entries or an array."""
    right = np.asarray(right, float)
    parts = [np.broadcast_to(each, right.shape) for each in (narrow, wide, hidden, kinks)]
    estimate = Estimate(right.ravel(), parts[0].ravel(), parts[1].ravel(), parts[2].ravel())
    with quiet():  # as check_gradient does
        return judge_array("W", method, np.asarray(got), estimate, parts[3], known, why)


def moved(index: tuple[int, ...], change: float, right: Any = RIGHT) -> Any:
    """The right gradient, one entry changed."""
    got = np.array(right, float)
    got[index] += change
    return got


@pytest.mark.parametrize(
    ("change", "bound", "verdict"),
    [
        (2.0**-40, NARROW, HOLDS),
        (2.0**-39, WIDE, HOLDS),
        (2.0**-35, WIDE, HOLDS),
        (2.0**-34, WIDE, FAILS),
        (np.inf, WIDE, FAILS),
    ],
)
def test_an_entry_agrees_within_the_narrow_bound_and_is_wrong_beyond_the_wide_one(
    change: float, bound: float, verdict: str
) -> None:
    expected = CHECK._replace(worst_index=(0, 1), expected=2.0, got=2 + change, error=change)
    expected = expected._replace(bound=bound, ratio=change / bound, verdict=verdict, wrong=int(verdict == FAILS))
    assert judged(moved((0, 1), change)) == expected
    assert judged(RIGHT) == CHECK


def test_what_lies_between_the_bounds_is_wrong_by_an_exact_factor_alone() -> None:
    right = RIGHT * 2.0**-33
    coarse = judged(2 * right, right, wide=1.0)
    assert (coarse.verdict, coarse.pattern, coarse.wrong) == (CANNOT_TELL, "", 0)
    exact = judged(2 * right, right, narrow=2.0**-65, wide=1.0)
    assert (exact.verdict, exact.pattern, exact.wrong, exact.bound) == (FAILS, "2 times everywhere", 4, 2.0**-65)
    assert (exact.error, exact.worst_index) == (2.0**-31, (1, 1))
    assert judged([2.0, 2.0], [1.0, 1.0], wide=1.0).bound == NARROW
    halfway = judged([[2.0**-32, 2 * 2.0**-33], [3 * 2.0**-33, 0.0]], right, narrow=2.0**-65, wide=1.0)
    assert (halfway.verdict, halfway.wrong, halfway.bound) == (CANNOT_TELL, 0, 1.0)


def test_an_exact_factor_spares_what_agrees_and_what_is_unknown() -> None:
    right = np.array([1.0, 2.0, 0.0, 4.0])
    check = judged(2 * right, right, narrow=2.0**-50, wide=100.0, kinks=[False, True, False, False])
    assert (check.verdict, check.wrong, check.kinks) == (FAILS, 2, ((1,),))
    assert check.reason == "f has a kink or an edge at (1,), where no derivative exists"


def test_nan_fails_wherever_it_stands() -> None:
    got = moved((1, 0), np.nan)
    expected = CHECK._replace(
        verdict=FAILS,
        error=np.inf,
        bound=WIDE,
        ratio=np.inf,
        worst_index=(1, 0),
        expected=3.0,
        wrong=1,
        reason="NaN at (1, 0)",
    )
    assert np.isnan(judged(got).got)
    assert judged(got)._replace(got=0.0) == expected._replace(got=0.0)
    at_a_kink = judged(got, narrow=np.where(np.isnan(got), np.inf, NARROW), wide=np.inf, kinks=np.isnan(got))
    assert (at_a_kink.verdict, at_a_kink.ratio) == (FAILS, np.inf)
    everywhere = judged(np.full((2, 2), np.nan))
    assert (everywhere.pattern, everywhere.wrong) == ("NaN everywhere", 4)
    assert everywhere.reason == "NaN at (0, 0), (0, 1), (1, 0) and 1 more"


def test_an_entry_without_derivative_is_not_judged_and_nothing_holds() -> None:
    check = judged(moved((1, 0), 7.0), kinks=[[False, True], [True, False]])
    assert check == CHECK._replace(
        verdict=CANNOT_TELL,
        kinks=((0, 1), (1, 0)),
        reason="f has a kink or an edge at (0, 1), (1, 0), where no derivative exists",
    )
    for unknown in ({"right": moved((1, 0), np.nan)}, {"wide": [[1e-9, 1e-9], [np.inf, 1e-9]]}):
        check = judged(RIGHT, **{"narrow": 1e-12, **unknown})
        assert (check.verdict, check.wrong, check.kinks) == (CANNOT_TELL, 0, ())
        assert check.reason == "no derivative could be taken at (1, 0): f has steps or a kink close to x"
    assert judged(2 * RIGHT, moved((1, 0), np.nan)).pattern == "2 times everywhere"
    small = judged(RIGHT * 1e-20, RIGHT * 1e-20, narrow=1e-25, kinks=[[True, False], [False, False]])
    assert "rounding could hide a change of 1e-09 of the largest entry at (0, 1), (1, 0), (1, 1)" in small.reason
    failing = judged(moved((1, 1), 1.0), moved((1, 0), np.nan))
    assert (failing.verdict, failing.reason, failing.wrong) == (FAILS, "", 1)


def test_what_is_hidden_does_not_hold() -> None:
    hidden = [[True, True], [False, True]]
    check = judged(RIGHT, hidden=hidden, why="raises TypeError", method=DIFFERENCES)
    assert check == CHECK._replace(
        verdict=CANNOT_TELL,
        method=DIFFERENCES,
        reason="the rounding of f hides most of its derivative at (0, 0), (0, 1), (1, 1)",
        why_differences="raises TypeError",
    )
    assert judged(moved((1, 1), 1.0), hidden=hidden).reason == ""
    both = judged(RIGHT, hidden=hidden, kinks=[[True, False], [False, False]])
    assert both.reason == (
        "f has a kink or an edge at (0, 0), where no derivative exists; "
        "the rounding of f hides most of its derivative at (0, 1), (1, 1)"
    )


@pytest.mark.parametrize(
    ("method", "dtype", "change", "text"),
    [
        (COMPLEX_STEP, np.float64, 1e-9, "1e-09"),
        (DIFFERENCES, np.float64, 1e-6, "1e-06"),
        (COMPLEX_STEP, np.float32, 1e-3, "1e-03"),
        (DIFFERENCES, np.float32, 1e-3, "1e-03"),
    ],
)
def test_what_must_be_seen(method: str, dtype: Any, change: float, text: str) -> None:
    assert must_be_seen(method, dtype) == pytest.approx(change, rel=1e-12)
    value, most = np.array([2.0, 0.0, np.inf]), must_be_seen(method, dtype)
    assert hides(np.full(3, most), value, method, dtype).tolist() == [False, False, True]
    assert hides(np.full(3, 1.001 * most), value, method, dtype).tolist() == [True, True, True]
    assert not hides(np.zeros(0), np.zeros(0), method, dtype).any()
    half = 4 * change * np.array([[0.4, 0.4], [0.4, 0.6]])
    small = judged(RIGHT.astype(dtype), narrow=half, wide=1.0, method=method)
    assert small.reason == (
        f"rounding could hide a change of {text} of the largest entry at (1, 1): the values are too small to judge"
    )
    assert small.verdict == CANNOT_TELL
    assert judged(RIGHT.astype(dtype), narrow=0.7 * half, wide=1.0, method=method).verdict == HOLDS
    assert judged(RIGHT.astype(dtype) + dtype(1), narrow=half, wide=0.1, method=method).reason == ""


def test_the_wide_bound_sees_where_it_is_narrow_enough() -> None:
    assert judged(RIGHT, wide=1.0).verdict == HOLDS
    assert judged(moved((0, 0), 2.0**-38), wide=1.0).verdict == CANNOT_TELL
    assert judged(moved((0, 0), 2.0**-38), wide=WIDE).verdict == HOLDS
    assert judged(moved((0, 0), 2.0**-21), wide=2.0**-20, method=DIFFERENCES).verdict == HOLDS
    assert judged(moved((0, 0), 2.0**-20).astype(np.float32), wide=2.0**-17).verdict == HOLDS


def test_zeros_that_are_zero_hold() -> None:
    assert judged(np.zeros((2, 2)), np.zeros((2, 2))).verdict == HOLDS
    assert judged([[0.0, 1e-300], [0.0, 0.0]], np.zeros((2, 2))).verdict == CANNOT_TELL
    assert judged(np.zeros((2, 2)), [[0.0, 1e-300], [0.0, 0.0]]).verdict == CANNOT_TELL


def test_another_shape_fails_and_compares_no_entry() -> None:
    nan = np.nan
    expected = ArrayCheck(
        *("W", FAILS, COMPLEX_STEP, (2, 3), nan, nan, nan, (), nan, nan),
        *("transposed", 6, (), "shape (3, 2), expected (2, 3)", "why"),
    )
    right = np.arange(1.0, 7).reshape(2, 3)
    assert judged(right.T, right, why="why") == expected
    assert expected.wrong_shape
    assert judged(2 * right.ravel(), right).pattern == "reshaped, and 2 times everywhere"
    assert judged(right.T, right, kinks=right == 2).kinks == ((0, 1),)
    assert judged(7 * right.T, right, known=Known(7)).pattern == "transposed, and m = 7 times everywhere"
    other = right.T.copy()
    other[1, 0] = 9
    assert judged(other, right).pattern == ""
    assert judged(other, right, kinks=right == 2).pattern == "transposed"


def test_a_number() -> None:
    check = judged(-0.0, 1.0)
    assert (check.shape, check.worst_index, check.wrong) == ((), (), 1)
    assert str(check) == ("W fails (complex step): all zeros; 1 of 1 wrong, got 0, expected 1; error / bound 3.4e+10")
    assert judged(2.0, 1.0, known=Known(2)).pattern == "m = 2 times everywhere"
    assert judged(1.0, 1.0, kinks=True).reason == "f has a kink or an edge at x, where no derivative exists"


# --- words


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (CHECK, "W holds (complex step): worst at (0, 0): error 0, bound 9.1e-13"),
        (
            CHECK._replace(error=1 / 3, verdict=CANNOT_TELL, reason="why"),
            f"W {CANNOT_TELL} (complex step): why; worst at (0, 0): error 0.33, bound 9.1e-13",
        ),
        (
            CHECK._replace(verdict=FAILS, wrong=3, got=2.0, ratio=123.4, pattern="2 times everywhere", reason="why"),
            "W fails (complex step): 2 times everywhere; why; 3 of 4 wrong, worst at (0, 0): got 2, expected 1; "
            "error / bound 1.2e+02",
        ),
        (
            CHECK._replace(verdict=FAILS, wrong=1, got=1 + 1e-9, ratio=2.0),
            "W fails (complex step): 1 of 4 wrong, worst at (0, 0): got 1.000000001, expected 1; error / bound 2",
        ),
        (
            CHECK._replace(verdict=FAILS, wrong=1, got=1 / 3, expected=0.2, ratio=2.0),
            "W fails (complex step): 1 of 4 wrong, worst at (0, 0): got 0.333333, expected 0.2; error / bound 2",
        ),
        (
            CHECK._replace(verdict=FAILS, wrong=1, got=0.1, expected=0.1, ratio=2.0),
            "W fails (complex step): 1 of 4 wrong, worst at (0, 0): got 0.10000000000000001, "
            "expected 0.10000000000000001; error / bound 2",
        ),
        (
            CHECK._replace(verdict=FAILS, wrong=4, error=np.nan, reason="shape (2,), expected (2, 2)"),
            "W fails (complex step): shape (2,), expected (2, 2)",
        ),
    ],
)
def test_one_line_for_an_array(check: ArrayCheck, text: str) -> None:
    assert str(check) == text


def test_the_worst_verdict_is_that_of_the_whole() -> None:
    bad, unknown = CHECK._replace(verdict=FAILS), CHECK._replace(verdict=CANNOT_TELL)
    assert [GradientCheck(each).verdict for each in ((CHECK, unknown, bad), (unknown, CHECK), (CHECK,))] == [
        FAILS,
        CANNOT_TELL,
        HOLDS,
    ]
    assert [bool(GradientCheck((each,))) for each in (CHECK, bad, unknown)] == [True, False, False]


def test_the_report() -> None:
    by_differences = CHECK._replace(method=DIFFERENCES, why_differences="is rough")
    arrays = (by_differences, CHECK._replace(name="b"), by_differences._replace(name="c"))
    line = "error 0, bound 9.1e-13"
    assert str(GradientCheck(arrays, ("A note.", "Another."))).splitlines() == [
        "The gradient holds.",
        f"  W holds (central differences): worst at (0, 0): {line}",
        f"  b holds (complex step): worst at (0, 0): {line}",
        f"  c holds (central differences): worst at (0, 0): {line}",
        "  Central differences for W, c: f is rough.",
        "  A note.",
        "  Another.",
    ]
    assert str(GradientCheck((CHECK._replace(verdict=FAILS),))).startswith("The gradient fails.\n  W fails")
    assert str(GradientCheck((CHECK._replace(verdict=CANNOT_TELL),))).startswith("The gradient cannot be told.\n  W")


def test_the_table_of_a_notebook() -> None:
    bad = CHECK._replace(
        verdict=FAILS, ratio=123.4, got=1 / 3, expected=2e7, pattern="2 < 3 times", reason="NaN at (0, 1)"
    )
    check = GradientCheck((bad, CHECK._replace(name="b<1>", worst_index=())), ("A note.",))
    heads = ("array", "verdict", "referee", "why", "worst entry", "got", "expected", "error / bound")
    wrong = (html.code("W"), html.mark(FAILS), COMPLEX_STEP, "2 &lt; 3 times; NaN at (0, 1)", "(0, 0)")
    right = (html.code("b<1>"), html.mark(HOLDS), COMPLEX_STEP, "", "")
    rows = [(FAILS, (*wrong, "0.333333", "2e+07", "1.2e+02")), (HOLDS, (*right, "1", "1", "0"))]
    assert check._repr_html_() == html.table(heads, rows, 5, ["The gradient fails.", "A note."])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_underflow_may_do(dtype: Any) -> None:
    assert smallest(dtype) == 4 * float(np.finfo(dtype).tiny) + 4 * np.finfo(np.float64).tiny / 1e-30
