"""How a wrong gradient follows from the right one: factors, arrangements, parts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from parity_tests.differences.patterns import DESCENT, NOTHING, Known, Pattern, pattern_of

RIGHT = np.array([[1.0, -2.5, 3.25], [0.75, 5.0, -7.125]])
TINY = 2.0**-50


def found(got: Any, right: Any = RIGHT, bound: Any = TINY, known: Known = Known()) -> Pattern:  # noqa: B008
    """The pattern, with one bound for all entries or an array."""
    right = np.asarray(right, float)
    return pattern_of(np.asarray(got, float), right, np.broadcast_to(bound, right.shape), known)


def changed(index: tuple[int, ...], value: float) -> Any:
    """The right array but for one entry."""
    got = RIGHT.copy()
    got[index] = value
    return got


# --- the whole


@pytest.mark.parametrize(
    ("got", "pattern"),
    [
        (RIGHT * np.nan, Pattern("NaN everywhere")),
        (changed((0, 0), np.nan), NOTHING),
        (changed((0, 0), np.inf), NOTHING),
        (0 * RIGHT, Pattern("all zeros")),
        (RIGHT, NOTHING),
        (-RIGHT, Pattern(DESCENT, True)),
        (2 * RIGHT, Pattern("2 times everywhere", True)),
        (-RIGHT / 3, Pattern("-1/3 times everywhere", True)),
        (RIGHT * 999 / 1000, Pattern("999/1000 times everywhere", True)),
        (RIGHT * 1000 / 1001, Pattern("0.999001 times everywhere")),
        (RIGHT * np.pi, Pattern("3.14159 times everywhere")),
        (RIGHT.T, Pattern("transposed", True)),
        (-2 * RIGHT.T, Pattern("transposed, and -2 times everywhere", True)),
        (-RIGHT.T, Pattern("transposed, and -1 times everywhere", True)),
        (RIGHT.ravel(), Pattern("right but for the shape", True)),
        (RIGHT.ravel() / 2, Pattern("reshaped, and 1/2 times everywhere", True)),
        (RIGHT.reshape(3, 2), Pattern("right but for the shape", True)),
        (RIGHT[:1], NOTHING),
        (changed((1, 1), 0.0), NOTHING),
    ],
)
def test_the_whole_array(got: Any, pattern: Pattern) -> None:
    assert found(got) == pattern


def test_a_square_array_may_be_transposed() -> None:
    square = np.array([[1.0, 2.0], [3.0, 5.0]])
    assert found(square.T, square) == Pattern("transposed", True)
    assert found(square + square.T, square + square.T) == NOTHING
    assert found(-square - square.T, square + square.T) == Pattern(DESCENT, True)


def test_zeros_and_numbers_that_are_not_finite() -> None:
    assert found([0.0, 0.0], [0.0, 0.0]) == NOTHING
    assert found([1.0, 2.0], [np.inf, 2.0]) == NOTHING
    assert found([np.inf, np.inf], [1.0, 2.0]) == NOTHING
    assert found([0.0, 1.0], [0.0, 0.0]) == NOTHING
    assert found([1e300, 1.0], [1e-300, 1.0], bound=1e-310) == NOTHING


def test_one_number() -> None:
    assert found(3.0, 1.0) == Pattern("3 times everywhere", True)
    assert found([[3.0]], [[1.0]], known=Known(parameter=np.ones((1, 1)))) == Pattern("3 times everywhere", True)
    assert found([[1.0]], [[0.0]], known=Known(parameter=np.ones((1, 1)))) == NOTHING


@pytest.mark.parametrize(
    ("factor", "m", "text"),
    [
        (5.0, 5, "m = 5 times everywhere"),
        (-5.0, 5, "-m = -5 times everywhere"),
        (0.2, 5, "1/m = 1/5 times everywhere"),
        (-0.2, 5, "-1/m = -1/5 times everywhere"),
        (2.0, 2, "m = 2 times everywhere"),
        (4.0, 5, "4 times everywhere"),
        (5.0, None, "5 times everywhere"),
        (1.0, 1, ""),
        (-1.0, 1, DESCENT),
    ],
)
def test_the_number_of_examples_is_named(factor: float, m: int | None, text: str) -> None:
    assert found(factor * RIGHT, known=Known(m)).text == text


# --- the factor


def test_entries_without_a_bound_are_left_out() -> None:
    bound = np.full(RIGHT.shape, TINY)
    bound[1, 2] = np.inf
    got = 2 * RIGHT
    got[1, 2] = 100.0
    assert found(got, bound=bound) == Pattern("2 times everywhere", True)
    assert found(2 * RIGHT, bound=np.inf) == NOTHING
    assert found([1.0, 0.5, 9.0], [0.5, 0.25, 0.3], np.array([TINY, TINY, np.inf])).text == "2 times everywhere"


@pytest.mark.parametrize(
    ("got", "right", "bound", "text"),
    [
        (2.0, 1.0, 0.5, ""),
        (2.0, 1.0, 0.499, "2 times everywhere"),
        (0.25, 1.0, 0.25, ""),
        (0.25, 1.0, 0.249, "1/3 times everywhere"),
        (0.25, -1.0, 0.001, "-1/4 times everywhere"),
        (-0.25, 1.0, 0.001, "-1/4 times everywhere"),
        (1.0, 3.0, 0.01, "1/3 times everywhere"),
    ],
)
def test_what_is_as_small_as_its_bound_has_no_factor(got: float, right: float, bound: float, text: str) -> None:
    assert found([got], [right], bound).text == text


@pytest.mark.parametrize(("off", "text"), [(2.0**-18 * 2.9, "2 times everywhere"), (2.0**-18 * 3.1, "")])
def test_each_entry_may_be_off_by_rounding(off: float, text: str) -> None:
    bound = np.array([0.0, 2.0**-18, 2.0**-18])
    assert found([20.0, 2.0, off], [10.0, 1.0, 0.0], bound).text == text
    assert found([20.0, 2.0, -off], [10.0, 1.0, 0.0], bound).text == text


@pytest.mark.parametrize(("off", "text"), [(0.058, "2 times everywhere"), (0.062, "")])
def test_the_factor_itself_is_known_as_well_as_the_largest_entry(off: float, text: str) -> None:
    """A spread of (1 + 2) / 100, twice over, of an entry of 1."""
    assert found([200.0, 2 + off], [100.0, 1.0], np.array([1.0, 0.0])).text == text


@pytest.mark.parametrize(("bound", "exact"), [(2.9e-10, True), (3.7e-10, False)])
def test_a_factor_is_exact_where_rounding_is_far_less_than_the_distance_of_fractions(bound: float, exact: bool) -> None:
    """(1 + 2) bound / 1 times 1000^2 is less than a thousandth."""
    assert found([2.0, 2.0], [1.0, 1.0], bound) == Pattern("2 times everywhere", exact)


def test_the_simplest_fraction_within_rounding_is_taken() -> None:
    assert found([0.334], [1.0], 1e-3).text == "1/3 times everywhere"
    assert found([0.334], [1.0], 1e-9).text == "167/500 times everywhere"
    assert found([1e-3], [1.0], 1e-6).text == "1/1000 times everywhere"
    assert found([1e-4], [1.0], 1e-9).text == "0.0001 times everywhere"

    assert found([2.3], [1.0], 0.1).text == "2 times everywhere"


def test_without_a_bound_the_factor_itself_may_be_rounded() -> None:
    assert found([1000 / 3], [1.0], 0.0) == Pattern("1000/3 times everywhere", True)
    assert found([2 + 2.0**-51], [1.0], 0.0) == Pattern("2 times everywhere", True)
    assert found([2 + 2.0**-50], [1.0], 0.0) == Pattern("2 times everywhere")
    assert found([2.0, 0.0], [1.0, 0.0], 0.0) == Pattern("2 times everywhere", True)


# --- parts

PARAMETER = np.array([[0.5, 1.5, -2.0], [1.25, 3.0, 0.125]])


@pytest.mark.parametrize(
    ("got", "known", "text"),
    [
        (RIGHT + PARAMETER / 4, Known(parameter=PARAMETER), "off by 1/4 times the parameter, as if by a penalty"),
        (RIGHT - PARAMETER, Known(parameter=PARAMETER), "off by -1 times the parameter, as if by a penalty"),
        (RIGHT + PARAMETER / 7, Known(7, PARAMETER), "off by 1/m = 1/7 times the parameter, as if by a penalty"),
        (
            RIGHT + 7 * PARAMETER,
            Known(7, None, {"a": PARAMETER[0], "b": PARAMETER}),
            "the right one plus m = 7 times b: a path too many, or one that is left out",
        ),
        (
            7 * PARAMETER - RIGHT,
            Known(7, RIGHT[::-1], {"a": PARAMETER[0], "b": PARAMETER}),
            "minus the right one plus m = 7 times b: a path whose sign is turned",
        ),
        (RIGHT + PARAMETER**2, Known(7, PARAMETER, {"b": PARAMETER}), ""),
        (RIGHT * [[1], [7]], Known(7), "row 1 alone is wrong, m = 7 times what it should be"),
        (RIGHT * [1, 1, -1], Known(), "column 2 alone is wrong, -1 times what it should be"),
        (RIGHT + np.array([[1, 2, 0], [0, 0, 0]]), Known(), "row 0 alone is wrong"),
        (RIGHT + np.array([[1, 0, 0], [2, 0, 0]]), Known(), "column 0 alone is wrong"),
        (RIGHT + np.array([[0, 0, 0], [0, 1, 0]]), Known(), ""),
        (RIGHT + np.array([[0, 0, 1], [0, 1, 0]]), Known(), ""),
    ],
)
def test_parts_of_the_array(got: Any, known: Known, text: str) -> None:
    assert found(got, known=known) == Pattern(text)


def test_lines_belong_to_matrices_of_several() -> None:
    one = RIGHT[:1]
    assert found(one + np.array([[1, 2, 0]]), one) == NOTHING
    assert found(one.T + np.array([[1], [2], [0]]), one.T) == NOTHING
    assert found(RIGHT[0] + np.array([1, 2, 0]), RIGHT[0]) == NOTHING
    assert found(RIGHT[None] + np.array([[[1, 2, 0], [0, 0, 0]]]), RIGHT[None]) == NOTHING
    column = RIGHT[:, :2]
    assert found(column + np.array([[0, 0], [1, 3]]), column).text == "row 1 alone is wrong"


def test_an_entry_without_a_bound_is_in_no_wrong_line() -> None:
    bound = np.full(RIGHT.shape, TINY)
    bound[1, 2] = np.inf
    got = RIGHT + np.array([[1, 2, 0], [0, 0, 9]])
    assert found(got, bound=bound) == Pattern("row 0 alone is wrong")
    assert found(got) == NOTHING
    assert found(RIGHT + np.array([[1, 2, 0], [0, 0, 0]]), bound=0.0) == Pattern("row 0 alone is wrong")


def test_the_rest_may_be_off_by_the_rounding_of_the_right_array() -> None:
    right = np.array([[1.0, 2.0**30], [3.0, -(2.0**31)]])
    parameter = np.array([[1.0, 0.5], [0.25, 0.0]])
    got = right + parameter + np.array([[0, 0], [0, 2.0**-20]])
    assert found(got, right, bound=0.0, known=Known(parameter=parameter)).text.startswith("off by 1 times")
    assert found(got + np.array([[0, 0], [0, 2.0**-18]]), right, bound=0.0, known=Known(parameter=parameter)) == NOTHING
