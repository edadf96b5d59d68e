"""check_gradient: what the complex step cannot referee, and what cannot be told is said so."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from manual import activations, costs
from parity_tests import check_gradient
from parity_tests.gradients import derivatives
from parity_tests.judging.judge import CANNOT_TELL, FAILS
from parity_tests.tests.gradients.gradient_examples import J, gradients, only, point


def with_abs(W: Any, b: Any) -> Any:
    """J with a penalty that is not analytic in W."""
    return J(W, b) + np.sum(np.abs(W))


# --- where the complex step is not the referee


@pytest.mark.parametrize(
    ("f", "gradient", "why"),
    [
        (lambda x: np.sum(np.abs(x)), np.sign, "returns a real number"),
        (lambda x: np.sum(np.real(x) ** 2), lambda x: 2 * x, "returns a real number"),
        (lambda x: np.sum(np.logaddexp(x, 0)), lambda x: 1 / (1 + np.exp(-x)), "raises TypeError"),
        (lambda x: sum(math.exp(v) for v in x), np.exp, "discards the imaginary part"),
        (lambda x: np.sum(x.astype(np.float64) ** 2), lambda x: 2 * x, "discards the imaginary part"),
        (lambda x: np.sum(x * np.abs(x)), lambda x: 2 * np.abs(x), "is not analytic"),
        (lambda x: np.sum(x * np.conj(x)), lambda x: 2 * x, "is not analytic"),
        (lambda x: np.sum(x**2) + np.real(x[1]) ** 3, lambda x: 2 * x + [0, 3 * x[1] ** 2, 0], "is not analytic"),
        (lambda x: np.linalg.norm(x), lambda x: x / np.linalg.norm(x), "returns a real number"),
    ],
)
def test_functions_that_are_not_complex_safe(f: Any, gradient: Any, why: str) -> None:
    x = np.array([1.3, -0.7, 2.1])
    check = check_gradient(f, gradient, x)
    assert check, str(check)
    assert only(check).method == "central differences"
    assert only(check).bound < 1e-9
    assert why in only(check).why_differences
    assert why in str(check)
    for mistake in (-1.0, 1 + 1e-6):
        assert not check_gradient(f, lambda x, factor=mistake: factor * gradient(x), x)


def test_the_method_is_chosen_for_each_array() -> None:
    x = point()
    claimed = gradients(**x)
    claimed["dW"] += np.sign(x["W"])
    check = check_gradient(with_abs, claimed, x)
    assert check
    assert [array.method for array in check.arrays] == ["central differences", "complex step"]
    assert str(check).count("Central differences for W: f is not analytic") == 1


def test_a_right_gradient_does_not_fail_where_other_entries_hide_that_f_is_not_analytic() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.cos(300 * x[:-1])) + 1e-9 * x[-1] * np.abs(x[-1])

    x = np.array([1.0, 1.5, 2.0, 1.0])
    right = np.array([*(-300 * np.sin(300 * x[:-1])), 2e-9])
    check = only(check_gradient(f, right, x))
    assert check.verdict != FAILS
    assert check.why_differences


def test_a_difference_never_trusts_steps_across_a_kink() -> None:
    for distance in np.geomspace(1e-7, 0.1, 100):

        def f(t: Any, distance: float = distance) -> Any:
            return 1.5026 * t + 0.0015 * t**3 - 0.017 * np.maximum(t - distance, 0)

        value, error = derivatives.ridders(f(derivatives.STEPS), f(-derivatives.STEPS), 1e-15)
        assert abs(value - 1.5026) <= error
        assert distance < 1e-6 or error < 1e-4


# --- cannot tell


@pytest.mark.parametrize(
    ("f", "gradient", "x", "kinks"),
    [
        (lambda x: np.sum(np.maximum(x, 0) * [1, 2, 3]), [0, 0, 3], [-1, 0, 2], [(1,)]),
        (lambda x: np.sum(np.abs(x)), [-1, 0, 1], [-1, 0, 2], [(1,)]),
        (lambda x: np.max(x), [0, 1, 0], [1, 2, 2], [(1,), (2,)]),
        (lambda x: np.sum(np.sqrt(x)), [np.inf, 0.5], [0, 1], [(0,)]),
        (lambda x: np.sum(np.maximum(x.T @ x - 5, 0)), [0, 0], [1, 2], [(0,), (1,)]),
        (lambda x: np.log(x[0]) + (np.nan if x[1] > 1 else x[1]), [1, 1], [1, 1], [(1,)]),
    ],
)
def test_kinks_are_listed(f: Any, gradient: Any, x: Any, kinks: list[tuple[int, ...]]) -> None:
    check = only(check_gradient(f, np.array(gradient, float), np.array(x, float)))
    assert (check.verdict, list(check.kinks)) == (CANNOT_TELL, kinks)
    assert "kink" in check.reason


def test_a_kink_hides_no_mistake_elsewhere() -> None:
    x = np.array([-1.0, 0.0, 2.0])
    check = only(check_gradient(lambda x: np.sum(np.maximum(x, 0)), np.array([0.0, 0.0, 2.0]), x))
    assert (check.verdict, check.worst_index, check.wrong, check.kinks) == (FAILS, (2,), 1, ((1,),))


@pytest.mark.parametrize("distance", [1e-1, 1e-3, 1e-5, 1e-6])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("wrap", [lambda v: v, float], ids=["complex step", "central differences"])
def test_a_kink_beside_x_is_none(distance: float, side: int, wrap: Any) -> None:
    def f(x: Any) -> Any:
        return wrap(np.sum(np.maximum(x - 1, 0) + np.exp(x)))

    x = np.array([1 + side * distance, 3.0])
    assert check_gradient(f, lambda x: (x > 1) + np.exp(x), x)
    assert not check_gradient(f, lambda x: 1 + np.exp(x) if side < 0 else np.exp(x), x)


def test_smooth_functions_have_no_kinks() -> None:
    for f in (np.exp, np.tanh, lambda x: x**2, lambda x: np.cos(30 * x), lambda x: 1e6 + x**3):
        x = np.random.default_rng(0).normal(size=5)
        assert only(check_gradient(lambda x, f=f: float(np.sum(f(x))), np.zeros(5), x)).kinks == ()


def test_values_too_small_to_judge() -> None:
    z = np.random.default_rng(0).normal(size=(4, 1))

    def one(z: Any) -> Any:
        return np.sum(np.exp(z) / np.sum(np.exp(z)))

    check = only(check_gradient(one, np.full((4, 1), 1e-17), z))
    assert check.verdict == CANNOT_TELL
    assert "too small to judge" in check.reason
    assert only(check_gradient(one, np.full((4, 1), 1e-9), z)).verdict == FAILS


def test_values_that_underflow_are_not_judged() -> None:
    for factor in (2, 4):
        check = only(check_gradient(lambda x: 1e-285 * np.sum(x**2), lambda x, k=factor: 1e-285 * k * x, np.ones(2)))
        assert check.verdict == CANNOT_TELL


@pytest.mark.parametrize("wrap", [lambda v: v, float], ids=["complex step", "central differences"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_cancellation_in_a_linear_function_is_rounding(dtype: Any, wrap: Any) -> None:
    for seed in range(5):
        inputs = 1e3 * np.random.default_rng(seed).normal(size=(2, 40))
        inputs[:, -1] -= inputs.sum(axis=1) - 1e-9 * seed
        other_order = np.cumsum(inputs[:, ::-1].astype(dtype), axis=1, dtype=dtype)[:, -1]
        check = only(
            check_gradient(lambda w, inputs=inputs: wrap(np.sum(w @ inputs)), other_order, np.array([0.3, 0.7]))
        )
        assert check.verdict == CANNOT_TELL


def test_zero_where_f_does_not_move_holds() -> None:
    x = np.array([-1.0, -2.0])
    assert check_gradient(lambda x: float(np.sum(np.maximum(x, 0)) + 1), np.zeros(2), x)
    assert only(check_gradient(lambda x: float(np.sum(np.maximum(x, 0)) + 1), np.ones(2), x)).verdict == FAILS


def test_bounds_are_at_least_the_last_roundings() -> None:
    check = only(check_gradient(lambda x: np.sum(x), np.ones(3), np.ones(3)))
    assert 2**-51 <= check.bound < 1e-14


def test_constant_functions_and_unused_arrays() -> None:
    assert check_gradient(
        lambda W, b: np.sum(W), {"W": np.ones(2), "b": np.zeros(2)}, {"W": np.ones(2), "b": np.ones(2)}
    )
    check = check_gradient(lambda x: 3.0, np.array([0.0, 1e-6]), np.ones(2))
    assert only(check).verdict == FAILS


@pytest.mark.parametrize("z", [-30.0, 5.0, 20.0, 28.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_saturated_outputs_are_never_called_wrong(z: float, y: float) -> None:
    target, Z = np.array([[y, 1.0]]), np.array([[z, 1.0]])
    right = (activations.sigmoid(Z) - target) / 2
    from_A = check_gradient(lambda Z: costs.binary_cross_entropy(activations.sigmoid(Z), target), right, Z)
    from_Z = check_gradient(lambda Z: costs.binary_cross_entropy_from_logits(Z, target), right, Z)
    assert FAILS not in (from_A.verdict, from_Z.verdict)
    twice = check_gradient(lambda Z: costs.binary_cross_entropy_from_logits(Z, target), 2 * right, Z)
    assert twice.verdict == FAILS
