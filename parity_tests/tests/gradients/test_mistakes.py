"""check_gradient: planted mistakes are caught and named."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from parity_tests import check_gradient
from parity_tests.judging.judge import FAILS, HOLDS
from parity_tests.tests.gradients.gradient_examples import J, M, gradients, only, point


@pytest.mark.parametrize(
    ("mistake", "pattern"),
    [
        (lambda g: 2 * g, "2 times everywhere"),
        (lambda g: -g, "-1 times everywhere: right for whoever descends by adding it"),
        (lambda g: M * g, "m = 7 times everywhere"),
        (lambda g: g / M, "1/m = 1/7 times everywhere"),
        (lambda g: -M * g, "-m = -7 times everywhere"),
        (lambda g: 1.5 * g, "3/2 times everywhere"),
        (lambda g: np.pi * g, "3.14159 times everywhere"),
        (lambda g: 0 * g, "all zeros"),
        (lambda g: g * np.nan, "NaN everywhere"),
        (lambda g: g + 0.5, ""),
        (lambda g: g[::-1], "flipped: back to front along axis 0"),
    ],
)
@pytest.mark.parametrize("array", ["dW", "db"])
@pytest.mark.parametrize("f", [J, lambda W, b: float(J(W, b))], ids=["complex step", "central differences"])
def test_a_mistake_in_one_array_is_caught_there_and_named(
    f: Callable[..., Any], array: str, mistake: Callable[[Any], Any], pattern: str
) -> None:
    claimed = gradients(**point())
    claimed[array] = mistake(claimed[array])
    check = check_gradient(f, claimed, point(), m=M)
    assert not check
    assert {a.name for a in check.arrays if a.verdict == FAILS} == {array[1:]}
    assert [a.pattern for a in check.arrays if a.verdict == FAILS] == [pattern]


def test_a_doubled_db_beside_a_huge_dW() -> None:
    def f(W: Any, b: Any) -> Any:
        return 1e8 * np.sum(W**2) + 1e-4 * np.sum(b**2)

    x = point()
    check = check_gradient(f, {"W": 2e8 * x["W"], "b": 4e-4 * x["b"]}, x)
    assert [array.verdict for array in check.arrays] == [HOLDS, FAILS]
    assert check.arrays[1].pattern == "2 times everywhere"


@pytest.mark.parametrize("size", [1.0, 1e-7, 1e-20])
def test_twice_too_large_is_seen_however_tiny(size: float) -> None:
    x = np.array([0.3, -1.2, 2.5])
    assert check_gradient(lambda x: size * np.sum(np.tanh(x)), lambda x: size * (1 - np.tanh(x) ** 2), x)
    twice = only(check_gradient(lambda x: size * np.sum(np.tanh(x)), lambda x: 2 * size * (1 - np.tanh(x) ** 2), x))
    assert (twice.verdict, twice.pattern, twice.wrong) == (FAILS, "2 times everywhere", 3)


@pytest.mark.parametrize("change", [1e-9, -1e-9, 1e-12])
@pytest.mark.parametrize("index", [(0, 0), (2, 1), (4, 2)])
def test_one_entry_wrong_by_little_is_named(index: tuple[int, ...], change: float) -> None:
    claimed = gradients(**point())
    right = claimed["dW"][index]
    claimed["dW"][index] *= 1 + change
    dW = check_gradient(J, claimed, point()).arrays[0]
    assert (dW.verdict, dW.worst_index, dW.wrong) == (FAILS, index, 1)
    assert dW.got == claimed["dW"][index]
    assert dW.expected == pytest.approx(right, rel=1e-14)
    assert dW.ratio == dW.error / dW.bound > 1
    got, expected = re.findall(r"got (\S+), expected (\S+);", str(dW))[0]
    assert got != expected


@pytest.mark.parametrize(
    ("array", "mistake", "pattern"),
    [
        ("dW", lambda g: g.T, "transposed"),
        ("dW", lambda g: 2 * g.T, "transposed, and 2 times everywhere"),
        ("dW", lambda g: g[:1], ""),
        ("dW", np.sum, ""),
        ("db", lambda g: g[:, 0], "right but for the shape"),
        ("db", lambda g: g.T, "transposed"),
        ("db", lambda g: g + np.zeros((5, M)), ""),
        ("db", np.zeros_like, "all zeros"),
    ],
)
def test_shapes_come_first(array: str, mistake: Callable[[Any], Any], pattern: str) -> None:
    claimed = gradients(**point())
    expected = claimed[array].shape
    claimed[array] = mistake(claimed[array])
    check = next(a for a in check_gradient(J, claimed, point()).arrays if a.verdict == FAILS)
    assert (check.name, check.pattern) == (array[1:], pattern)
    if np.shape(claimed[array]) != expected:
        assert check.reason == f"shape {np.shape(claimed[array])}, expected {expected}"
        assert check.wrong_shape
        assert check.reason in str(check)


def test_a_square_transpose_is_named() -> None:
    S = np.random.default_rng(0).normal(size=(4, 4))
    T = np.random.default_rng(1).normal(size=(4, 4))
    assert check_gradient(lambda S: np.sum(T * np.sin(S)), T * np.cos(S), S)
    assert only(check_gradient(lambda S: np.sum(T * np.sin(S)), (T * np.cos(S)).T, S)).pattern == "transposed"


def test_nan_in_one_entry() -> None:
    claimed = gradients(**point())
    claimed["dW"][1, 2] = np.nan
    dW = check_gradient(J, claimed, point()).arrays[0]
    assert (dW.verdict, dW.worst_index, dW.wrong, dW.reason) == (FAILS, (1, 2), 1, "NaN at (1, 2)")


def test_nan_and_infinity_fail_even_at_a_kink() -> None:
    x = np.array([0.0, 1.0])
    assert only(check_gradient(lambda x: np.sum(np.maximum(x, 0)), [np.nan, 1], x)).verdict == FAILS
    assert only(check_gradient(lambda x: np.sum(np.maximum(x, 0)), [0, np.inf], x)).verdict == FAILS
