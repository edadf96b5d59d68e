"""check_gradient: right gradients hold, bad input is refused, and what a person sees."""

from __future__ import annotations

import doctest
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import parity_tests
from manual import network
from manual.architecture import model
from manual.draws import initial_parameters
from parity_tests import assert_gradient, check_gradient
from parity_tests.gradients import check as gradient_check
from parity_tests.gradients import derivatives
from parity_tests.judging.judge import FAILS, HOLDS
from parity_tests.tests.gradients.gradient_examples import J, M, X, gradients, point

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
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
