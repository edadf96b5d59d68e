"""J of answers that are confident, right or wrong: no false alarm, and a wrong J is still seen.

There torch's losses on logits are differences of large numbers, or logarithms of sums that are 1 but for their last
digits: the reference has an error of |z| u, or n_L u, of which the cost itself shows nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from manual import network
from manual.architecture import Architecture, Dense
from parity_tests.comparison.models import ModelCase, Start
from parity_tests.comparison.snap import run_once
from parity_tests.formulas import CASES
from parity_tests.formulas.run import run_case
from parity_tests.judging.judge import FAILS, HOLDS, Result

COSTS = {
    "sigmoid": "costs.binary_cross_entropy_from_logits",
    "softmax": "costs.cross_entropy_from_logits",
    "identity": "costs.squared_error_from_logits",
}

SIZES = {
    "sigmoid": [(1, 1), (1, 50), (3, 7)],
    "softmax": [(1, 1), (2, 1), (10, 7), (1000, 2)],
    "identity": [(1, 1), (3, 7)],
}
"""Outputs and examples."""


def answers(unit: str, n_L: int, m: int, size: float, right: bool, rng: np.random.Generator) -> tuple[Any, Any]:
    """Z of about that size and Y, to which its signs, or its largest class, answer right or wrong."""
    margins = size * rng.uniform(0.5, 2, (n_L, m))
    if unit == "identity":
        return margins, margins + (1e-9 * size if right else size) * rng.standard_normal((n_L, m))
    Y = np.eye(n_L)[:, rng.integers(0, n_L, m)] if unit == "softmax" else rng.integers(0, 2, (n_L, m)) * 1.0
    return ((2 * Y - 1) if right else (1 - 2 * Y)) * margins, Y


def compared(unit: str, Z: Any, Y: Any, dtype: Any, lambda_: float) -> list[Result]:
    """A network whose weights are Z, on unit vectors."""
    n_L, m = Z.shape
    params = {"W1": Z.astype(dtype), "b1": np.zeros((n_L, 1), dtype)}
    begin = Start(Architecture(m, (Dense(n_L, unit),)), params, np.eye(m, dtype=dtype), Y.astype(dtype))
    return run_once(ModelCase("confident", "probe", lambda_, 0.1, 1), begin)


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("unit", COSTS)
def test_confident_answers_raise_no_alarm(unit: str, dtype: Any, right: bool) -> None:
    rng = np.random.default_rng(0)
    case = next(case for case in CASES if case.id == COSTS[unit])
    for n_L, m in SIZES[unit]:
        for size in (5, 20.3, 37, 100, 1e4):
            Z, Y = answers(unit, n_L, m, size, right, rng)
            lines = compared(unit, Z, Y, dtype, 0.0) + compared(unit, Z, Y, dtype, 0.7)
            drawn = {"Z": Z, "Y": Y}
            lines += run_case(replace(case, inputs=lambda rng, drawn=drawn: drawn), dtype, 0)  # type: ignore[misc]
            assert [line for line in lines if line.verdict == FAILS] == []


@pytest.mark.parametrize("unit", COSTS)
def test_a_wrong_cost_of_confident_answers_fails(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Z, Y = answers(unit, 3, 7, 3, True, np.random.default_rng(0))
    (right,) = (line for line in compared(unit, Z, Y, np.float64, 0.0) if line.quantity == "J")
    assert right.verdict == HOLDS
    cost = network.cost
    for factor, verdict in ((0.5, HOLDS), (1.5, FAILS)):

        def off(*given: Any, by: float = factor * right.bound) -> Any:
            return cost(*given) + by

        monkeypatch.setattr(network, "cost", off)
        (moved,) = (line for line in compared(unit, Z, Y, np.float64, 0.0) if line.quantity == "J")
        assert moved.verdict == verdict
