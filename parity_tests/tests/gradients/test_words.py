"""check_gradient: the patterns of a wrong gradient."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from parity_tests import check_gradient
from parity_tests.differences.patterns import NOTHING, Known, pattern_of
from parity_tests.judging.judge import FAILS
from parity_tests.tests.gradients.gradient_examples import only

W = np.random.default_rng(0).normal(size=(4, 3))
DOUT = np.random.default_rng(1).normal(size=(4, 3))


def cubes(W: Any) -> Any:
    """A function of W that reads DOUT."""
    return np.sum(DOUT * (W + W**3))


RIGHT = DOUT * (1 + 3 * W**2)

# --- patterns


@pytest.mark.parametrize(
    ("got", "pattern"),
    [
        (-RIGHT, "-1 times everywhere: right for whoever descends by adding it"),
        (RIGHT + 0.1 * W, "off by 1/10 times the parameter, as if by a penalty"),
        (RIGHT - 2 * W, "off by -2 times the parameter, as if by a penalty"),
        (RIGHT + W / 7, "off by 1/m = 1/7 times the parameter, as if by a penalty"),
        (RIGHT - DOUT, "the right one plus -1 times DOUT: a path too many, or one that is left out"),
        (RIGHT + 2 * DOUT, "the right one plus 2 times DOUT: a path too many, or one that is left out"),
        (DOUT - RIGHT, "minus the right one plus 1 times DOUT: a path whose sign is turned"),
        (RIGHT * np.array([[1], [1], [3], [1]]), "row 2 alone is wrong, 3 times what it should be"),
        (RIGHT * [1, 0.5, 1], "column 1 alone is wrong, 1/2 times what it should be"),
        (RIGHT + np.outer([0, 1, 0, 0], [1, 2, 3]), "row 1 alone is wrong"),
        (RIGHT + np.outer([0, 1, 0, 0], [1, 0, 0]), ""),
        (RIGHT + np.outer([0, 1, 1, 0], [1, 2, 3]), ""),
    ],
)
@pytest.mark.parametrize("wrap", [lambda value: value, float], ids=["complex step", "central differences"])
def test_patterns(got: Any, pattern: str, wrap: Any) -> None:
    check = only(check_gradient(lambda W: wrap(cubes(W) + 0 * np.sum(DOUT)), got, W, m=7))
    assert check.verdict == FAILS
    assert check.pattern == pattern


def test_the_gradient_of_another_array_is_a_known_one() -> None:
    x = {"A": W, "B": DOUT}
    right = {"dA": 2 * W * DOUT, "dB": W**2}
    check = check_gradient(lambda A, B: np.sum(A**2 * B), {**right, "dA": right["dA"] - right["dB"]}, x)
    pattern = "the right one plus -1 times the gradient of B: a path too many, or one that is left out"
    assert [array.pattern for array in check.arrays] == [pattern, ""]


@pytest.mark.parametrize(
    ("got", "expected", "known", "text"),
    [
        ([[1.0, 2]], [[1.0, 3]], Known(parameter=np.array([[0.0, 1]])), "off by -1 times the parameter"),
        ([[1.0, 2]], [[1.0, 3]], Known(arrays={"c": np.ones((1, 2))}), ""),
        ([[1.0, 2]], [[1.0, 3]], Known(arrays={"c": np.ones(2)}), ""),
        ([2.0], [3.0], Known(parameter=np.ones(1)), "2/3 times everywhere"),
        ([[1.0], [9]], [[1.0], [3]], Known(), ""),
        ([[0.0, 0]], [[1.0, 3]], Known(), "all zeros"),
        ([[1.0, np.inf]], [[1.0, 3]], Known(), ""),
    ],
)
def test_patterns_by_hand(got: Any, expected: Any, known: Known, text: str) -> None:
    got, expected = np.array(got), np.array(expected)
    found = pattern_of(got, expected, np.full(expected.shape, 1e-15), known)
    if text in ("", "all zeros"):
        assert found.text == text or found == NOTHING
    else:
        assert re.match(text, found.text)
