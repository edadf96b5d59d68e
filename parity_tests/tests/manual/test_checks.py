"""Data are checked once, where they come in: their shapes, that they are finite, and that labels are labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from manual.architecture import model
from manual.checks import check_data
from parity_tests.formulas.formula import EXAMPLES

NET = model("shallow", 2, 1)
X = np.ones((2, 3))
Y = np.ones((1, 3))

NAN = np.where(np.arange(6).reshape(2, 3) == 4, np.nan, 1.0)
ONE_HOT = np.eye(3)[:, [0, 1, 2, 1]]
SOFTMAX = model("softmax", 2, 3)


@pytest.mark.parametrize(
    ("architecture", "X", "Y", "sentence"),
    [
        (NET, X[:1], Y, "X has shape (1, 3), expected (2, 3): the network takes 2 features"),
        (NET, X, Y[:, :2], "Y has shape (1, 2), expected (1, 3): 1 outputs for each of 3 examples"),
        (
            NET,
            X[:, :0],
            Y[:, :0],
            f"X has shape (2, 0), {EXAMPLES}",
        ),
        (NET, NAN, Y, "X is nan at row 1, example 1, expected a finite number"),
        (NET, X * np.inf, Y, "X is inf at row 0, example 0, expected a finite number"),
        (NET, X, Y * np.nan, "Y is nan at row 0, example 0, expected a finite number"),
        (NET, X, Y + 1, "Y is 2.0 at row 0, example 0, expected 0 or 1: the output unit is sigmoid"),
        (
            SOFTMAX,
            np.ones((2, 4)),
            ONE_HOT * 0.5,
            "Y is 0.5 at row 0, example 0, expected 0 or 1: the output unit is softmax",
        ),
        (
            SOFTMAX,
            np.ones((2, 4)),
            ONE_HOT * [1, 1, 0, 1],
            "example 2 of Y has 0 classes, expected 1: columns are one-hot",
        ),
        (
            SOFTMAX,
            np.ones((2, 4)),
            np.maximum(ONE_HOT, np.eye(3, 4)[::-1]),
            "example 0 of Y has 2 classes, expected 1: columns are one-hot",
        ),
    ],
)
def test_data_that_do_not_fit_are_refused_at_the_door(architecture: Any, X: Any, Y: Any, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        check_data(architecture, X, Y)
    assert str(caught.value) == sentence


def test_data_that_fit_pass_the_door() -> None:
    check_data(NET, X, Y)
    check_data(SOFTMAX, np.ones((2, 4)), ONE_HOT)
    check_data(model("regression", 2, 3), np.ones((2, 4)), 7 * ONE_HOT)
