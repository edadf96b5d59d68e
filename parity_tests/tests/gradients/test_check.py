"""check_gradient: right gradients hold, bad input is refused, and what a person sees."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import parity_tests
from manual import network
from manual.architecture import model
from manual.draws import initial_parameters
from parity_tests import assert_gradient, check_gradient
from parity_tests.gradients import check as gradient_check
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


@pytest.mark.parametrize("m", [0, -3, 2.5, True, "7"])
def test_bad_m(m: Any) -> None:
    with pytest.raises(ValueError, match=f"^m is {m!r}, expected a whole number of at least 1: it is the "):
        check_gradient(np.sum, np.ones(2), np.ones(2), m=m)


def test_an_exception_of_f_itself_is_shown_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        check_gradient(lambda x: 1 // 0, np.ones(2), np.ones(2))


def test_the_seed_draws_the_directions() -> None:
    x = np.linspace(0.1, 2, 20)
    checks = [str(check_gradient(lambda x: np.sum(np.exp(x)), np.exp, x, **seed).arrays) for seed in SEEDS]
    assert checks[0] == checks[1] == checks[2] != checks[3]


SEEDS: tuple[dict[str, int], ...] = ({}, {"seed": 0}, {"m": 1}, {"seed": 1})

# --- what a person sees


def test_assert_gradient() -> None:
    assert_gradient(J, gradients, point())
    with pytest.raises(AssertionError, match=r"(?s)The gradient fails.*b fails .*m = 7 times everywhere"):
        assert_gradient(J, {**gradients(**point()), "db": M * gradients(**point())["db"]}, point(), m=M)
    with pytest.raises(AssertionError, match=r"The gradient cannot be told\.\n  x cannot tell .*kink"):
        assert_gradient(lambda x: np.maximum(x, 0), 0.0, 0.0)


def test_an_assertion_is_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def check(*args: Any, **more: Any) -> bool:
        calls.append((args, more))
        return True

    monkeypatch.setattr(gradient_check, "check_gradient", check)
    assert_gradient(J, gradients, 3)
    assert_gradient(J, gradients, 3, m=4, seed=5)
    assert calls == [((J, gradients, 3), {"m": None, "seed": 0}), ((J, gradients, 3), {"m": 4, "seed": 5})]


def test_the_report() -> None:
    claimed = gradients(**point())
    claimed["db"] = 2 * claimed["db"]
    check = check_gradient(J, claimed, point())
    lines = str(check).splitlines()
    assert repr(check) == str(check)
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
