"""Running error analysis: every operation in float32 stays within its bound, and one without its terms does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from parity_tests.judging.bounds import unit_roundoff
from parity_tests.judging.running import Running, running_bounds, stacked

U = unit_roundoff(np.float32)
LEAST = 0.02
"""Of the bound, what the worst of the errors must reach."""

OPERATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "sum of two": (lambda A, B: A + B, lambda A, B: A + B),
    "difference": (lambda A, B: 1 - A - B, lambda A, B: 1 - A - B),
    "product": (lambda A, B: 3 * A * B, lambda A, B: 3 * A * B),
    "quotient": (lambda A, B: A / (2 + B * B), lambda A, B: A / (2 + B * B)),
    "product of matrices": (lambda A, B: A @ B.T, lambda A, B: A @ B.T),
    "sum": (lambda A, B: (A * B).sum(axis=0), lambda A, B: (A * B).sum(axis=0, keepdims=True)),
    "exp": (lambda A, B: (A * B).exp(), lambda A, B: np.exp(A * B)),
    "log": (lambda A, B: (2 + A * A).log(), lambda A, B: np.log(2 + A * A)),
    "tanh": (lambda A, B: (A + B).tanh(), lambda A, B: np.tanh(A + B)),
    "sigmoid": (lambda A, B: (A + B).sigmoid(), lambda A, B: 1 / (1 + np.exp(-(A + B)))),
    "parts": (lambda A, B: stacked(A[:2] * B[:2], A[2:]), lambda A, B: np.concatenate([A[:2] * B[:2], A[2:]])),
}


def ratio(running: Callable[..., Any], plain: Callable[..., Any], seed: int) -> float:
    """The worst error of float32 over its bound."""
    A, B = (np.random.default_rng([seed, place]).standard_normal((5, 7)).astype(np.float32) for place in range(2))
    wide = A.astype(np.float64), B.astype(np.float64)
    found = running(*(Running(U, value) for value in wide))
    truth = plain(*wide)
    np.testing.assert_allclose(found.value, truth, rtol=1e-12)
    error = np.abs(plain(A, B) - truth)
    return float(np.max(np.where(error == 0, 0.0, error / np.maximum(found.error, 1e-300))))


@pytest.mark.parametrize("name", list(OPERATIONS))
def test_errors_of_float32_come_near_the_bound_and_stay_below_it(name: str) -> None:
    worst = max(ratio(*OPERATIONS[name], seed) for seed in range(50))
    assert LEAST <= worst <= 1


def test_what_an_operand_is_off_by_is_carried_on() -> None:
    A, B = Running(0.0, [2.0], [0.1]), Running(0.0, [4.0], [0.2])
    assert [float((A + B).error[0]), float((A - B).error[0])] == pytest.approx([0.3, 0.3])
    assert float((A * B).error[0]) == pytest.approx(2 * 0.2 + 4 * 0.1 + 0.1 * 0.2)
    assert float((A / B).error[0]) == pytest.approx((0.1 + 0.5 * 0.2) / 4)
    assert float((A[None] @ B[None].T).error[0, 0]) == pytest.approx(2 * 0.2 + 4 * 0.1 + 0.1 * 0.2)
    assert float(A.exp().error[0]) == pytest.approx(np.exp(2) * 0.1 * 1.1)
    assert float(B.log().error[0]) == pytest.approx(0.25 * 0.2 * 1.2)
    assert float(stacked(A, B).sum().error[0]) == pytest.approx(0.3)


def test_a_formula_gives_the_bound_of_each_of_its_results() -> None:
    bounds = running_bounds(lambda A, k: (A * A, A * k), "square multiple", "A k")

    class At:
        A = np.array([3.0])
        k = 2

    assert {name: float(bound(U, At)[0]) for name, bound in bounds.items()} == {
        "square": pytest.approx(9 * U), "multiple": pytest.approx(6 * U),
    }  # fmt: skip
