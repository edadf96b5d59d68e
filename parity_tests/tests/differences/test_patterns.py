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


def test_a_softmax_over_another_axis() -> None:
    E = np.exp(RIGHT)
    rows, columns = E / E.sum(axis=1, keepdims=True), E / E.sum(axis=0)
    text = "adds up to 1 along axis 0, not along axis 1: a softmax over another axis"
    assert found(columns, rows) == Pattern(text)
    assert found(columns + 0.01, rows) == NOTHING


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


# --- other orders

CUBE = np.random.default_rng(0).standard_normal((2, 3, 4))
LINES = np.random.default_rng(1).standard_normal((8, 9))
FIVE = np.random.default_rng(2).standard_normal((2, 2, 1, 2, 2))


@pytest.mark.parametrize(
    ("got", "right", "text"),
    [
        (CUBE[::-1], CUBE, "flipped: back to front along axis 0"),
        (CUBE[:, :, ::-1], CUBE, "flipped: back to front along axis 2"),
        (CUBE[:, ::-1, ::-1], CUBE, "flipped: back to front along axis 1 and 2"),
        (CUBE[::-1, ::-1, ::-1], CUBE, ""),
        (FIVE[::-1, :, :, ::-1], FIVE, "flipped: back to front along axis 0 and 3"),
        (CUBE.transpose(0, 2, 1), CUBE, "its axes are in another order: transpose(0, 2, 1) puts them right"),
        (CUBE.transpose(1, 2, 0), CUBE, "its axes are in another order: transpose(2, 0, 1) puts them right"),
        (FIVE[:, :, 0].transpose(0, 2, 1, 3), FIVE[:, :, 0], "its axes are in another order: transpose(0, 2, 1, 3)"),
        (FIVE.transpose(0, 1, 2, 4, 3), FIVE, ""),
        (CUBE.reshape(2, 4, 3), CUBE.transpose(0, 2, 1), "a reshape stands where permute(0, 2, 1) belongs"),
        (CUBE.reshape(3, 4, 2), CUBE.transpose(1, 2, 0), "a reshape stands where permute(1, 2, 0) belongs"),
        (CUBE.transpose(1, 2, 0), CUBE.reshape(3, 4, 2), "permute(1, 2, 0) where the other has a reshape"),
        (CUBE.reshape(6, 4), CUBE.transpose(1, 0, 2).reshape(6, 4), "flattened in another order along axis 0: with 2"),
        (CUBE.reshape(6, 2, 2), CUBE[::-1].reshape(6, 4), ""),
    ],
)
def test_entries_in_another_order(got: Any, right: Any, text: str) -> None:
    pattern = found(got, right)
    assert pattern.text.startswith(text) if text else pattern == NOTHING
    assert pattern.exact == bool(text)


@pytest.mark.parametrize(("axis", "n_C"), [(0, 2), (0, 4), (1, 3)])
def test_lines_flattened_with_the_channels_first(axis: int, n_C: int) -> None:
    """Position p of channel c is line c P + p where p n_C + c belongs."""
    lines = np.moveaxis(LINES, axis, 0)
    positions = len(lines) // n_C
    order = [c * positions + p for p in range(positions) for c in range(n_C)]
    right = np.moveaxis(lines[order], 0, axis)
    text = f"flattened in another order along axis {axis}: with {n_C} channels first, not last"
    assert found(LINES, right) == Pattern(text, exact=True)
    assert found(np.stack([LINES, LINES]), np.stack([right, right])) == NOTHING
    assert found(LINES.reshape(9, 8), right) == NOTHING


# --- zeros


def zeroed(*places: Any, right: Any = RIGHT) -> Any:
    """The right array with zeros in these places."""
    got = np.array(right)
    for place in places:
        got[place] = 0
    return got


MASK, FEWER = np.array([[0, 1, 1], [1, 0, 1]]), np.array([[0, 1, 0], [1, 0, 1]])


@pytest.mark.parametrize(
    ("got", "right", "arrays", "text"),
    [
        (RIGHT * MASK, RIGHT, {"b": MASK[0], "A": 1 - MASK, "D": 3.0 * MASK}, "0 where D is 0, and right elsewhere"),
        (RIGHT * FEWER, RIGHT * [[1, 1, 0], [1, 1, 1]], {"D": FEWER}, "0 where D is 0, and"),
        (RIGHT * MASK, RIGHT, {"D": FEWER}, ""),
        (RIGHT * MASK * [[1, 1, 1], [1, 1, 2]], RIGHT, {"D": MASK}, ""),
        (zeroed((0, 0)), RIGHT, {"D": np.array([[0, 1, 1], [1, 1, 1]])}, ""),
        (zeroed((0, 0), (1, 0)), RIGHT, {"D": np.array([[0, 1, 1]] * 2)}, "0 where D is 0, and right elsewhere"),
        (RIGHT * MASK, RIGHT, {"D": np.array([[0, 1, 1], [1, 0, 0]])}, ""),
    ],
)
def test_zeros_where_a_known_array_has_them(got: Any, right: Any, arrays: dict[str, Any], text: str) -> None:
    pattern = found(got, right, known=Known(arrays=arrays))
    assert pattern.text.startswith(text) if text else pattern == NOTHING
    assert not pattern.exact


def test_a_zero_within_rounding_is_none_lost() -> None:
    """-2.5 and 0.75 are lost; 1, 1.5 and -1 are no more than rounding, with a zero of D or without."""
    right = np.array([[1.0, -2.5, 1.5], [0.75, 5.0, -1.0]])
    bound = np.array([[1.0, 0.5, 2.0], [0.5, 0.5, 1.5]])
    for mask in ([[0, 0, 1], [0, 1, 1]], [[1, 0, 0], [0, 1, 0]]):
        arrays = {"D": np.array(mask)}
        assert found(right * [[0, 0, 0], [0, 1, 0]], right, bound, Known(arrays=arrays)).text.startswith("0 where D")
    assert (
        found(right * [[1, 0, 0], [1, 1, 0]], right, bound, Known(arrays={"D": np.array([[1, 0, 1]] * 2)})) == NOTHING
    )


BLOCK = np.arange(1.0, 13).reshape(3, 4)
OUTSIDE = "0 outside the block [0:2]: as where a return stands inside a loop"


@pytest.mark.parametrize(
    ("got", "text"),
    [
        (zeroed((slice(0, 3), slice(0, 2)), right=BLOCK), "0 outside the block [0:3, 2:4]"),
        (zeroed((slice(1, 3),), right=BLOCK), "0 outside the block [0:1, 0:4]"),
        (zeroed((slice(0, 2),), (2, slice(2, 4)), right=BLOCK), "0 outside the block [2:3, 0:2]"),
        (zeroed((0,), (slice(0, 3), 0), right=BLOCK), "0 outside the block [1:3, 1:4]"),
        (zeroed((0,), right=BLOCK), "row 0 alone is wrong"),
        (zeroed((0,), (1, 0), (2, 3), right=BLOCK), ""),
        (zeroed((slice(0, 3), slice(0, 2)), right=BLOCK) * [1, 1, 1, 2], "0 outside the block [0:3, 2:4]"),
    ],
)
def test_zeros_outside_a_block(got: Any, text: str) -> None:
    """A block of half the entries at most, and more than a quarter lost."""
    pattern = found(got, BLOCK)
    assert pattern.text.startswith(text) if text else pattern == NOTHING


def test_a_quarter_of_zeros_is_no_block() -> None:
    """The entries that are not zero are 0 and 1 of 8; of the right ones there are 2, 3 or 4."""
    for there, text in ((2, ""), (3, ""), (4, ""), (5, OUTSIDE)):
        right = np.array([1.0, 3.0, 7.0, 5.0, 9.0, 2.0, 4.0, 8.0]) * (np.arange(8) < there)
        got = right * (np.arange(8) < 2) * [1, 5, 1, 1, 1, 1, 1, 1]
        assert found(got, right).text[: len(OUTSIDE)] == text


# --- other arrays, and a factor for each line


@pytest.mark.parametrize(
    ("got", "m", "text"),
    [
        (PARAMETER, None, "A itself: a step is left out, or another array"),
        (7 * PARAMETER, 7, "A itself, m = 7 times: a step is left out, or another array"),
        (-PARAMETER / 2, 7, "A itself, -1/2 times: a step is left out, or another array"),
    ],
)
def test_another_array_stands_in_its_place(got: Any, m: int | None, text: str) -> None:
    assert found(got, known=Known(m, arrays={"W": RIGHT**2, "A": PARAMETER})) == Pattern(text)


FACTORS = np.array([2.0, -0.5, 3.5])
LONG = np.random.default_rng(3).uniform(1, 2, (3, 5))
OWN = "a factor of its own for each entry of axis {}, such as gamma or a mask"


@pytest.mark.parametrize(
    ("axis", "arrays", "text"),
    [
        (0, {}, OWN),
        (0, {"b": FACTORS[:2], "gamma": FACTORS[:, None]}, "times gamma, a factor for each entry of axis {}"),
        (1, {"gamma": FACTORS * (1 + 0.9e-4)}, "times gamma, a factor for each entry of axis {}"),
        (1, {"gamma": FACTORS * (1 + 1.1e-4)}, OWN),
        (1, {"a": FACTORS * [1, 1, 0], "keep": 1 / FACTORS}, "divided by keep, a factor for each entry of axis {}"),
        (0, {"keep": (1 + 1.1e-4) / FACTORS}, OWN),
        (0, {"gamma": FACTORS * 2}, OWN),
        (0, {"gamma": 2 / FACTORS}, OWN),
    ],
)
@pytest.mark.parametrize("scale", [1.0, 2.0**-20])
def test_a_factor_for_each_line(axis: int, arrays: dict[str, Any], text: str, scale: float) -> None:
    right = LONG if axis == 0 else LONG.T
    factors = FACTORS[:, None] if axis == 0 else FACTORS
    if "keep" not in arrays:
        factors, arrays = factors * scale, {name: array * scale for name, array in arrays.items()}
    assert found(factors * right, right, known=Known(arrays=arrays)) == Pattern(text.format(axis))


def test_lines_of_three_entries_at_least_show_their_factor() -> None:
    assert found(FACTORS[:, None] * LONG[:, :2], LONG[:, :2]) == NOTHING
    assert found(FACTORS[:, None] * LONG[:, :3], LONG[:, :3]).text == OWN.format(0)
    assert found(FACTORS[:2, None] * LONG[:2], LONG[:2]).text == OWN.format(0)
    assert found(LONG[0] * LONG[1], LONG[1]) == NOTHING
    assert found(FACTORS[:, None, None] * CUBE.swapaxes(0, 1), CUBE.swapaxes(0, 1)).text == OWN.format(1 - 1)
    assert found(FACTORS[:, None] * CUBE, CUBE).text == OWN.format(1)
    one = LONG[:1]
    assert found(one + 0.1, one, known=Known(arrays={"gamma": np.full(1, 1.1)})) == NOTHING


@pytest.mark.parametrize(("large", "text"), [(2.0**10 + 1, OWN.format(0)), (2.0**10, "")])
def test_entries_that_show_a_factor_are_a_thousand_times_their_bound(large: float, text: str) -> None:
    right = np.array([[2048.0, 2049, 2050], [2051, 2053, 2057]])
    right[1, 1] = large
    assert found([[2.0], [3.0]] * right, right, bound=1.0).text == text


@pytest.mark.parametrize(("off", "text"), [(8.0, OWN.format(0)), (-8.0, OWN.format(0)), (8.001, ""), (-8.001, "")])
def test_an_entry_of_a_line_may_be_off_by_rounding(off: float, text: str) -> None:
    """2 + 2 |factor| bounds; of an entry without a bound by any number."""
    right = np.array([[2.0**14, 2.0**13, 2.0**13 + 1], [2.0**14, 2.0**13, 2.0**12]])
    got = right * [[-3.0], [5.0]]
    got[0, 1] += off
    assert found(got, right, bound=1.0).text == text


def test_an_entry_without_a_bound_shows_no_factor() -> None:
    right, bound = LONG[:, :4].copy(), np.full((3, 4), TINY)
    bound[0, 1] = np.inf
    got = FACTORS[:, None] * right
    got[0, 1] = 1e9
    assert found(got, right, bound).text == OWN.format(0)
    bound[0, 2] = np.inf
    assert found(got, right, bound) == NOTHING


@pytest.mark.parametrize(("factors", "text"), [([1000.0, 999.0], ""), ([1000.0, 998.0], OWN.format(0))])
def test_factors_of_lines_differ_by_more_than_a_thousandth(factors: list[float], text: str) -> None:
    right = np.array([[1.0, 2.0, 4.0, 3.0], [2.0, 4.0, 8.0, 5.0]])
    assert found(np.array(factors)[:, None] * right, right).text == text


# --- numbers by name


@pytest.mark.parametrize(
    ("factor", "numbers", "text"),
    [
        (0.9, {"beta": 0.9}, "beta = 0.9 times everywhere"),
        (-0.9, {"beta": 0.9}, "-beta = 0.9 times everywhere"),
        (0.1, {"beta": 0.9}, "1 - beta = 0.1 times everywhere"),
        (2.5, {"keep_prob": 0.4}, "1/keep_prob = 2.5 times everywhere"),
        (-1.6, {"lambda": 1.6}, "-lambda = 1.6 times everywhere"),
        (0.6, {"lambda": 1.6, "mu": -0.4}, "3/5 times everywhere"),
        *[(0.75, {name: 0.25}, "3/4 times everywhere") for name in ("lr", "learning_rate", "alpha", "gamma")],
        (4.0, {"alpha": 0.25}, "1/alpha = 4 times everywhere"),
        (1.0, {"beta": 0.0}, ""),
        (1.0, {"lambda": 1.0}, ""),
        (3.0, {"lambda": 0.0}, "3 times everywhere"),
    ],
)
def test_a_factor_that_is_a_known_number_is_named(factor: float, numbers: dict[str, float], text: str) -> None:
    assert found(factor * RIGHT, known=Known(numbers=numbers)) == Pattern(text, exact=bool(text))


def test_a_number_within_rounding() -> None:
    """The factor is known to (1 + 2) / 128 at the largest entry, and exact below a millionth."""
    for number, text in ((2 + 3 / 128, "c = 2.02344 times everywhere"), (2 + 3.01 / 128, "2 times everywhere")):
        assert found([2.0, 2.0], [1.0, 1.0], 1 / 128, Known(numbers={"c": number})).text == text
    for bound, exact in ((2.0**-22, True), (2.0**-21, False)):
        assert found([2.0, 2.0], [1.0, 1.0], bound, Known(numbers={"c": 2.0})) == Pattern(
            "c = 2 times everywhere", exact
        )
    assert found([0.5], [1.0], 0.4, Known(numbers={"beta": 1.0, "lambda": 0.0})).text == "1/2 times everywhere"
