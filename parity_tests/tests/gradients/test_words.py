"""check_gradient: how gradients are named, what a person is told to pass, and the patterns of a wrong gradient."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from parity_tests import check_gradient
from parity_tests.gradients.input import match_keys
from parity_tests.gradients.patterns import NOTHING, Known, pattern_of
from parity_tests.judging.judge import FAILS
from parity_tests.tests.gradients.gradient_examples import J, gradients, only, point

W = np.random.default_rng(0).normal(size=(4, 3))
MATRIX = np.ones((1, 1)).view(np.matrix)
DOUT = np.random.default_rng(1).normal(size=(4, 3))


def cubes(W: Any) -> Any:
    """A function of W that reads DOUT."""
    return np.sum(DOUT * (W + W**3))


RIGHT = DOUT * (1 + 3 * W**2)

# --- names


@pytest.mark.parametrize(
    "mark",
    [
        *("d{}", "d_{}", "{}_grad", "grad_{}", "grads_{}", "dL_d{}", "dJ_d{}", "dJd{}", "dloss_d{}", "{}.grad"),
        *("{}_gradient", "gradient_of_{}", "g{}", "g_{}", "nabla_{}", "∂J_∂{}", "∇{}", "Grad{}", "delta_{}", "{}"),
    ],
)
def test_names_of_gradients(mark: str) -> None:
    found = {mark.format(name[1:]): array for name, array in reversed(gradients(**point()).items())}
    assert check_gradient(J, found, point())
    wrong = {**found, mark.format("b"): 2 * gradients(**point())["db"]}
    assert [array.verdict == FAILS for array in check_gradient(J, wrong, point()).arrays] == [False, True]


def test_a_dict_that_holds_parameters_and_gradients() -> None:
    check = check_gradient(J, {**point(), **gradients(**point()), "cost": 1.0}, point())
    assert check
    assert check.notes == ("The gradient's 'W', 'b', 'cost' belong to no array of x: ignored.",)
    assert str(check).splitlines()[-1] == f"  {check.notes[0]}"
    alone = check_gradient(J, {**gradients(**point()), "dX": 1.0}, point())
    assert alone.notes == ("The gradient's 'dX' belongs to no array of x: ignored.",)
    assert check_gradient(J, gradients, point()).notes == ()


def test_names_that_contain_each_other() -> None:
    assert match_keys(["dW1", "dW11", "dd", "db"], ("W11", "W1", "b", "d")) == ["dW11", "dW1", "db", "dd"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (("W_grad", "grad_W", "b"), "gradient has 'W_grad', 'grad_W', expected one of them: each may be that of W"),
        (("W_grad",), "gradient lacks 'db', expected 'W_grad', 'db': every array of x has its gradient"),
        (("dV", "db"), "gradient lacks 'dW', expected 'dW', 'db'"),
        (("w1", "b"), "gradient lacks 'W', expected 'W', 'b'"),
    ],
)
def test_names_that_do_not_fit(keys: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_gradient(J, dict.fromkeys(keys, 1.0), point())


# --- what to pass


@pytest.mark.parametrize(
    ("f", "x", "message"),
    [
        (lambda x: (np.sum(x), x), np.ones(2), r"f\(x\) is a tuple of 2, expected a number: pass .*\[0\]"),
        (lambda x: [np.sum(x)], np.ones(2), r"f\(x\) is a list of 1, expected a number: pass"),
        (lambda x: {"J": np.sum(x)}, np.ones(2), r"f\(x\) is a dict of 'J', expected a number: pass"),
        (lambda x: np.float32(np.sum(x)), np.ones(2), r"f\(x\) is float32, expected float64, .*: take the float32 out"),
        (lambda x: np.float16(np.sum(x)), np.ones(2), r"f\(x\) is float16, expected float64"),
        (lambda x: float(np.sum(np.exp(x).astype(np.float32))), np.ones(3) / 3, "digits of a float32, expected"),
        (lambda x: np.sum(np.eye(3)[x]), np.array([0, 2]), r"f raises IndexError .* x in float64, .* f\(W, labels\)"),
        (lambda x: np.sum(x), MATRIX, r"x is a np.matrix, expected an array: pass np.asarray\(x\), and @"),
        (lambda x: np.sum(x), np.ma.array([1.0]), r"x is a masked array, expected an array without gaps"),
    ],
)  # fmt: skip
def test_one_sentence_says_what_to_pass(f: Any, x: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        check_gradient(f, np.ones(2), x)
    assert "\n" not in str(refused.value)


def test_a_gradient_as_a_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match=r"gradient is a np.matrix, expected an array"):
        check_gradient(np.sum, MATRIX, np.ones((1, 1)))


def test_an_index_error_of_ones_own_is_shown_as_it_is() -> None:
    with pytest.raises(IndexError):
        check_gradient(lambda x: x[7], np.ones(2), np.ones(2))


def test_a_function_that_remembers_is_refused() -> None:
    calls: list[Any] = []

    def f(x: Any) -> Any:
        calls.append(x)
        return np.sum(x) + (len(calls) > 3)

    with pytest.raises(ValueError, match=r"f\(x\) is 2.0, then 3.0, expected one value"):
        check_gradient(f, np.ones(2), np.ones(2))


def test_integers_are_said_to_be_taken_as_float64() -> None:
    check = check_gradient(lambda x: np.sum(x**2), np.array([2, 4]), np.array([1, 2]))
    assert check
    assert check.notes == ("x holds integers: f got it as float64.",)


@pytest.mark.parametrize("f", [lambda x: np.sum(np.round(x)), lambda x: 2.0, lambda x: 0.5 * np.sum(x)])
def test_short_numbers_are_no_float32(f: Any) -> None:
    check_gradient(f, np.full(2, 0.5), np.array([1.25, 3.5]))
    check_gradient(f, np.full(2, 0.5), np.array([1.25, 3.5], np.float32))


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
