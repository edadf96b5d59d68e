"""check_gradient: right gradients hold, planted mistakes are caught and named, and what cannot be told is said so."""

from __future__ import annotations

import doctest
import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import parity_tests
from manual import activations, costs, network
from manual.architecture import model
from manual.draws import initial_parameters
from parity_tests import assert_gradient, check_gradient, derivatives, gradient_check
from parity_tests.judge import CANNOT_TELL, FAILS, HOLDS

Arrays = dict[str, Any]
M = 7
X = np.random.default_rng(1).normal(size=(3, M))
Y = np.random.default_rng(2).random((5, M)).round()


def point(seed: int = 3) -> Arrays:
    """Parameters of a layer of five sigmoids on three features."""
    rng = np.random.default_rng(seed)
    return {"W": rng.normal(size=(5, 3)), "b": rng.normal(size=(5, 1))}


def J(W: Any, b: Any) -> Any:
    """The cost of the layer, from A, as the notes print it."""
    return costs.binary_cross_entropy(activations.sigmoid(W @ X + b), Y)


def gradients(W: Any, b: Any) -> Arrays:
    """The right gradients of J."""
    dZ = activations.sigmoid(W @ X + b) - Y
    return {"dW": dZ @ X.T / M, "db": dZ.sum(axis=1, keepdims=True) / M}


def with_abs(W: Any, b: Any) -> Any:
    """J with a penalty that is not analytic in W."""
    return J(W, b) + np.sum(np.abs(W))


def only(check: gradient_check.GradientCheck) -> gradient_check.ArrayCheck:
    """The check of the one array."""
    (array,) = check.arrays
    return array


# --- right gradients


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", ["shallow", "softmax", "regression"])
def test_networks_hold(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    outputs = 1 if name == "shallow" else 2
    net = model(name, 3, outputs, **({"hidden": (5,)} if name == "regression" else {}))
    params = initial_parameters(net, "xavier", rng)
    targets = np.eye(outputs)[rng.integers(0, outputs, M)].T if name == "softmax" else rng.random((outputs, M)).round()

    def cost(**p: Any) -> Any:
        return network.cost(net, p, network.forward(net, p, X), targets, 0.3)

    def backward(**p: Any) -> Any:
        return network.backward(net, p, network.forward(net, p, X), targets, 0.3).grads

    check = check_gradient(cost, backward, params, seed=seed)
    assert check
    assert {array.method for array in check.arrays} == {"complex step"}
    assert max(array.bound for array in check.arrays) < 1e-13


def test_structures() -> None:
    x, right = point(), gradients(**point())
    assert check_gradient(J, gradients, x)
    assert check_gradient(J, right, x)
    assert check_gradient(J, {"b": right["db"], "W": right["dW"]}, x)
    assert check_gradient(J, (right["dW"], right["db"]), (x["W"], x["b"]))
    assert check_gradient(J, lambda W, b: list(gradients(W, b).values()), [x["W"], x["b"]])
    assert check_gradient(lambda z: z**3, 12.0, 2)
    assert check_gradient(lambda z: np.sum(z**3), [12, 27], np.array([2, 3]))
    assert [array.name for array in check_gradient(J, gradients, x).arrays] == ["W", "b"]


def test_arrays_of_the_caller_stay() -> None:
    def spoil(x: Any) -> Any:
        value = np.sum(x**2)
        x *= 0
        return value

    def spoil_too(x: Any) -> Any:
        right = 2 * x
        x += 1
        return right

    x = np.array([1.0, 2.0])
    assert check_gradient(spoil, spoil_too, x)
    assert x.tolist() == [1, 2]


def test_float32_is_computed_in_float64_and_a_float32_gradient_is_judged_as_one() -> None:
    x = {name: array.astype(np.float32) for name, array in point().items()}
    assert check_gradient(J, gradients, x).arrays[0].bound < 1e-14
    rounded = {name: array.astype(np.float32) for name, array in gradients(**x).items()}
    assert check_gradient(J, rounded, x)
    rounded["dW"] *= np.float32(1.0001)
    assert check_gradient(J, rounded, x).arrays[0].verdict == FAILS


def test_the_quantile_is_students() -> None:
    degrees = derivatives.SAMPLES - derivatives.COEFFICIENTS
    assert math.isclose(stats.t.isf(0.5e-9, degrees), derivatives.QUANTILE, rel_tol=1e-3)


def test_noise_is_measured_and_a_cubic_is_none() -> None:
    t = np.linspace(1, 2, derivatives.SAMPLES)
    assert derivatives.noise((5 + t - 3 * t**2 + t**3)[:, None]) < 1e-14
    noisy = np.random.default_rng(0).normal(size=(derivatives.SAMPLES, 4000))
    assert np.sqrt(np.mean(derivatives.noise(noisy) ** 2)) == pytest.approx(1, rel=0.02)


# --- planted mistakes


@pytest.mark.parametrize(
    ("mistake", "pattern"),
    [
        (lambda g: 2 * g, "2 times everywhere"),
        (lambda g: -g, "-1 times everywhere"),
        (lambda g: M * g, "m = 7 times everywhere"),
        (lambda g: g / M, "1/m = 1/7 times everywhere"),
        (lambda g: -M * g, "-m = -7 times everywhere"),
        (lambda g: 1.5 * g, "3/2 times everywhere"),
        (lambda g: np.pi * g, "3.14159 times everywhere"),
        (lambda g: 0 * g, "all zeros"),
        (lambda g: g * np.nan, "NaN everywhere"),
        (lambda g: g + 0.5, ""),
        (lambda g: g[::-1], ""),
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
    assert check.why_differences.startswith("is differentiated in another way")


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


# --- random functions: no false alarm, no mistake missed


@pytest.mark.parametrize("kind", ["tanh", "abs", "relu", "float"])
def test_many_seeds(kind: str) -> None:
    functions: dict[str, tuple[Any, Any]] = {
        "tanh": (np.tanh, lambda Z: 1 - np.tanh(Z) ** 2),
        "abs": (np.abs, np.sign),
        "relu": (lambda Z: np.maximum(Z, 0) ** 2, lambda Z: 2 * np.maximum(Z, 0)),
        "float": (lambda Z: np.sin(Z.astype(float)), np.cos),
    }
    g, g_prime = functions[kind]
    for seed in range(4):
        rng = np.random.default_rng(seed)
        inputs, scale = rng.normal(size=(3, M)) * 10.0 ** rng.integers(-3, 3), 10.0 ** rng.integers(-4, 6)
        W, b = rng.normal(size=(2, 3)) / np.abs(inputs).max(), rng.normal(size=(2, 1))

        def f(W: Any, b: Any, inputs: Any = inputs, scale: Any = scale) -> Any:
            return scale * np.sum(g(W @ inputs + b)) / M

        def gradient(W: Any, b: Any, inputs: Any = inputs, scale: Any = scale) -> Any:
            dZ = scale * g_prime(W @ inputs + b)
            return dZ @ inputs.T / M, dZ.sum(axis=1, keepdims=True) / M

        assert check_gradient(f, gradient, (W, b), seed=seed).verdict != FAILS
        dW, db = gradient(W, b)
        assert check_gradient(f, (dW, 2 * db), (W, b), seed=seed).arrays[1].verdict == (FAILS if db.any() else HOLDS)


# --- bad input


@pytest.mark.parametrize(
    ("f", "gradient", "x", "message"),
    [
        (np.square, np.ones(2), np.ones(2), r"f\(x\) has shape \(2,\), expected a number, shape \(\)"),
        (lambda x: np.sum(x, keepdims=True), np.ones(2), np.ones(2), r"f\(x\) has shape \(1,\), expected a number"),
        (lambda x: np.sum(x) * 1j, np.ones(2), np.ones(2), r"f\(x\) is complex, expected a real number"),
        (lambda x: None, np.ones(2), np.ones(2), r"f\(x\) is NoneType, expected a real number"),
        (lambda x: np.inf, np.ones(2), np.ones(2), r"f\(x\) is inf, expected a finite number"),
        (lambda x: np.nan, np.ones(2), np.ones(2), r"f\(x\) is nan, expected a finite number"),
        (np.sum, np.ones(0), np.ones(0), r"x has shape \(0,\), expected at least one entry"),
        (np.sum, (), (), "x is an empty tuple, expected at least one array"),
        (np.sum, {}, {}, "x is an empty dict, expected at least one array"),
        (np.sum, np.ones(2), np.array([1, np.nan]), r"x has nan at \(1,\), expected finite numbers"),
        (np.sum, np.ones(2), np.array([1, np.inf]), r"x has inf at \(1,\), expected finite numbers"),
        (np.sum, np.ones(2), np.array([1, 1j]), "x is complex128, expected real numbers"),
        (np.sum, np.ones(2), np.array([1, None]), "x is an array of dtype object, expected real numbers"),
        (np.sum, np.ones(2), np.array([True, False]), "x is an array of dtype bool, expected real numbers"),
        (np.sum, np.ones(2), np.ones(2, np.float16), "x is float16, expected float64, float32 or integers"),
        (np.sum, np.ones(2), "ab", "x is str, expected real numbers"),
        (np.sum, np.ones(2), [1.0, 2.0], "x is a list of something else than arrays, expected an array"),
        (np.sum, np.ones(2), ([1, 2], [[1], [2, 3]]), r"x\[1\] is no array .*, expected real numbers"),
        (np.sum, np.ones(2), {1: np.ones(2)}, "x has the key 1, expected the name of an argument"),
        (np.sum, {"x": 1}, np.ones(2), "gradient is a dict, expected an array: x is one array"),
        (np.sum, None, np.ones(2), "gradient is NoneType, expected real numbers"),
        (np.sum, np.array([1, 1j]), np.ones(2), "gradient is complex128, expected real numbers"),
        (J, {"dW": 1}, point(), "gradient lacks 'db', expected 'dW', 'db': every array of x has its gradient"),
        (J, {"W": 1}, point(), "gradient lacks 'b', expected 'W', 'b'"),
        (J, {"W": 1, "b": 1, "c": 1}, point(), "gradient also has 'c', expected 'W', 'b'"),
        (J, np.ones(2), point(), "gradient is a ndarray, expected a dict"),
        (J, np.ones(2), tuple(point().values()), "gradient has one ndarray, expected a tuple of 2"),
        (J, (1, 2, 3), tuple(point().values()), "gradient has 3 arrays, expected a tuple of 2"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(f: Any, gradient: Any, x: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        check_gradient(f, gradient, x)
    assert "\n" not in str(refused.value)
    assert "expected" in str(refused.value)


@pytest.mark.parametrize("m", [0, -3, 2.5, True, "7"])
def test_bad_m(m: Any) -> None:
    with pytest.raises(ValueError, match=f"m is {m!r}, expected a whole number of at least 1"):
        check_gradient(np.sum, np.ones(2), np.ones(2), m=m)


def test_a_function_that_changes_its_mind_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="expected one value: fix the seed inside f"):
        check_gradient(lambda x: np.sum(x) + rng.normal(), np.ones(2), np.ones(2))


def test_an_exception_of_f_itself_is_shown_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        check_gradient(lambda x: 1 // 0, np.ones(2), np.ones(2))


# --- what a person sees


def test_assert_gradient() -> None:
    assert_gradient(J, gradients, point())
    with pytest.raises(AssertionError, match=r"(?s)The gradient fails.*b fails .*m = 7 times everywhere"):
        assert_gradient(J, {**gradients(**point()), "db": M * gradients(**point())["db"]}, point(), m=M)
    with pytest.raises(AssertionError, match=r"The gradient cannot be told\.\n  x cannot tell .*kink"):
        assert_gradient(lambda x: np.maximum(x, 0), 0.0, 0.0)


def test_the_report() -> None:
    claimed = gradients(**point())
    claimed["db"] = 2 * claimed["db"]
    lines = str(check_gradient(J, claimed, point())).splitlines()
    assert lines[0] == "The gradient fails."
    assert re.fullmatch(r"  W holds \(complex step\): worst at \(\d, \d\): error \S+, bound \S+", lines[1])
    assert re.fullmatch(
        r"  b fails \(complex step\): 2 times everywhere; 5 of 5 wrong, worst at \(\d, 0\): got \S+, expected \S+; "
        r"error / bound \S+",
        lines[2],
    )


def test_the_example_in_the_docstring() -> None:
    assert doctest.testmod(gradient_check).failed == 0
    assert doctest.testmod(gradient_check).attempted > 3


def test_the_package_attribute_is_the_function_and_torch_stays_out() -> None:
    assert parity_tests.check_gradient is gradient_check.check_gradient
    code = (
        "import sys; from parity_tests import check_gradient; print(callable(check_gradient), 'torch' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
