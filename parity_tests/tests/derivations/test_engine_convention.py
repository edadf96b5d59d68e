"""Constant factors in the text's own sizes: which factor a gradient carries, and how that is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from parity_tests.derivations.engine.convention import (
    candidates,
    in_words,
    is_a_count,
    on_other_sizes,
    ratio_of,
    same_factor,
    same_shape,
    sizes_of,
    times,
)
from parity_tests.derivations.engine.events import ENTRY, GIVEN, NAMED, Event, Missing, Run
from parity_tests.derivations.engine.probes import Probe

SIZES = {"m": 7, "n": 5}


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (1 + 0.9e-7, 1, True),
        (1 + 1.1e-7, 1, False),
        (-3, -3 * (1 - 0.9e-7), True),
        (3, -3, False),
        (0, 0, True),
        (1e-8, 0, False),
    ],
)
def test_equal_factors(a: float, b: float, same: bool) -> None:
    assert same_factor(a, b) is same


def run(**named: Any) -> Run:
    """A run in which names got these values, one also at an entry and one as a free name."""
    events = [Event((n, 0), n, name, NAMED, value, None, None) for n, (name, value) in enumerate(named.items())]
    others = [Event((-1, 0), 0, "free", GIVEN, 23, None, None), Event((90, 0), 0, "entry", ENTRY, 29, None, None)]
    return Run(tuple(others + events), ())


@pytest.mark.parametrize(
    ("probe", "values", "sizes"),
    [
        (Probe({}, {"n": 5, "one": 1, "m": 7}, 7), {}, {"m": 7, "n": 5}),
        (Probe({}, {"n": 2}, None), {}, {"n": 2}),
        (Probe({}, {"m": 7}, 7), {"N": 7.0, "k": np.array(11.0), "m": 13}, {"m": 7, "N": 7, "k": 11}),
        (
            Probe({}, {}, 999),
            {"two": 2, "half": 3.5, "three": 3, "most": 999, "many": 10_000},
            {"most": 999, "three": 3},
        ),
        (Probe({}, {}, None), {"v": np.ones(1) * 3, "none": Missing("why"), "k": 5}, {"k": 5}),
        (Probe({"X": np.ones((5, 7)), "b": np.ones((5, 1))}, {}, 7), {}, {"X.shape[1]": 7, "X.shape[0]": 5}),
        (Probe({"x": np.ones(2), "y": 3.0}, {"n": 5}, None), {}, {"n": 5}),
        (Probe({"x": np.ones(2), "y": 3.0}, {"n": 5}, 2), {}, {"x.shape[0]": 2, "n": 5}),
        (Probe({"X": np.ones((5, 7))}, {"n": 5}, 7), {"k": 7}, {"k": 7, "n": 5}),
        (Probe({"X": np.ones((1, 3))}, {}, 1), {}, {"X.shape[1]": 3}),
    ],
)
def test_sizes_have_the_names_of_the_text(probe: Probe, values: dict[str, Any], sizes: dict[str, int]) -> None:
    found = sizes_of(probe, run(**values))
    assert list(found.items()) == list(sizes.items())
    assert all(type(size) is int for size in found.values())


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1.0, "1"),
        (-1.0, "-1"),
        (2.0, "2"),
        (0.5, "1/2"),
        (-0.5, "-1/2"),
        (7.0, "m"),
        (-14.0, "-2 * m"),
        (3.5, "1/2 * m"),
        (1 / 7, "1/m"),
        (-2 / 5, "-2/n"),
        (1 / 14, "1/(2 * m)"),
        (-1 / 14, "-1/(2 * m)"),
        (35.0, "m * n"),
        (70.0, "2 * m * n"),
        (1 / 35, "1/(m * n)"),
        (2 / 35, "2/(m * n)"),
        (1 / 70, "1/(2 * m * n)"),
        (3.0, None),
        (1.4, None),
        (49.0, None),
        ((1 + 1e-5) / 70, None),
    ],
)
def test_a_factor_in_words(factor: float, words: str | None) -> None:
    assert in_words(factor, SIZES) == words
    assert times(factor, SIZES) == ("" if words == "1" else f"{words or f'{factor:.4g}'} * ")


@pytest.mark.parametrize("factor", [1.0, 7.0, 5.0, 1 / 7, 1 / 5])
def test_a_mean_is_about_a_count(factor: float) -> None:
    assert is_a_count(factor, SIZES)
    assert not any(is_a_count(each * factor, SIZES) for each in (-1, 2, 0.5, 1.1))


def test_a_factor_of_no_size_has_four_digits() -> None:
    assert times(1.23456, {}) == "1.235 * "


OTHERS = {"m": 11, "n": 3}


@pytest.mark.parametrize(
    ("factor", "other"),
    [
        (1.0, 1.0),
        (-2.0, -2.0),
        (0.5, 0.5),
        (-7.0, -11.0),
        (14.0, 22.0),
        (1 / 7, 1 / 11),
        (-2 / 5, -2 / 3),
        (1 / 14, 1 / 22),
        (35.0, 33.0),
        (-70.0, -66.0),
        (-1 / 35, -1 / 33),
        (1 / 70, 1 / 66),
        (9.0, 9.0),
    ],
)
def test_the_same_factor_on_other_sizes(factor: float, other: float) -> None:
    assert on_other_sizes(factor, SIZES, OTHERS) == pytest.approx(other, rel=1e-12)


def test_a_size_that_is_not_there_is_1() -> None:
    assert on_other_sizes(-14.0, SIZES, {"n": 3}) == -2
    assert on_other_sizes(-35.0, SIZES, {"n": 3}) == -3


@pytest.mark.parametrize(
    ("factors", "found"),
    [
        ([], [1]),
        ([("W1", 7.0)], [1, 7]),
        ([("W1", 1.0), ("b1", -1.0)], [1, -1]),
        ([("W1", 7.0), ("W2", 2.0), ("b2", 2 + 1e-9)], [1, 2, 7]),
        ([("W1", 7.0), ("W2", 2.0), ("W2", 2.0)], [1, 7, 2]),  # a parameter has one vote
        ([("W1", 3.0), ("W2", 3.0), ("b1", 7.0)], [1, 7]),  # 3 is no usual one
    ],
)
def test_the_factors_that_most_parameters_share(factors: list[tuple[str, float]], found: list[float]) -> None:
    assert candidates(factors, SIZES) == found


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ((2, 3), (2, 3), True),
        ((1, 3), (3,), True),
        ((1, 1, 3), (1, 3), True),
        ((3, 1), (3,), False),
        ((), (), True),
        ((), (1,), False),
        ((1,), (), False),
        ((2,), (3,), False),
    ],
)
def test_shapes_that_are_the_same_to_every_use(a: tuple[int, ...], b: tuple[int, ...], same: bool) -> None:
    assert same_shape(a, b) is same


@pytest.mark.parametrize(
    ("value", "truth", "ratio"),
    [
        ([2.0, -4.0], [-1.0, 2.0], -2.0),
        ([[2.0, -4.0]], [-1.0, 2.0], -2.0),
        ([[2.0], [-4.0]], [-1.0, 2.0], None),
        (3.0, 2.0, 1.5),
        ([2.0, 4.0, 1.9e-9], [1.0, -2.0, 0.0], None),
        ([2.0, -4.0, 3.9e-9], [1.0, -2.0, 0.0], 2.0),  # 1e-9 of the largest entry
        ([2.0, -4.0, 4.1e-9], [1.0, -2.0, 0.0], None),
        ([2.0, -4.0, np.nan], [1.0, -2.0, 0.0], None),
        ([2.0, -4.0, np.inf], [1.0, -2.0, 0.0], None),
        ([], [], None),
        ([2e-13, -4e-13], [-1e-13, 2e-13], -2.0),
        ([1.0, 1.0], [0.9e-13, 0.9e-13], None),
        ([0.9e-13, 0.9e-13], [1.0, 1.0], None),
        ([1e-13, 1e-13], [1e-13, 1e-13], 1.0),
        ([0.0, 0.0], [1.0, 2.0], None),
    ],
)
def test_a_quotient_is_one_number_over_all_entries(value: Any, truth: Any, ratio: float | None) -> None:
    assert ratio_of(np.array(value), np.array(truth)) == pytest.approx(ratio)


def test_a_quotient_may_be_looked_at_more_coarsely() -> None:
    for far, ratio in ((3.9e-7, 2.0), (4.1e-7, None)):
        assert ratio_of(np.array([2.0, -4.0, far]), np.array([1.0, -2.0, 0.0]), 1e-7) == ratio
