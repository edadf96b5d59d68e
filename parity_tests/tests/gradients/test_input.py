"""What a person gives to check_gradient: how it is read, and what a refusal says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from parity_tests import check_gradient
from parity_tests.gradients.input import known_arrays, match_keys, read_gradient, read_point
from parity_tests.gradients.value import read_value
from parity_tests.tests.gradients.gradient_examples import J, gradients, point

MATRIX = np.ones((1, 1)).view(np.matrix)
NUMBERS = np.array([1, 2])

# --- x


def test_points_are_passed_on_in_their_structure() -> None:
    def passed(*args: Any, **named: Any) -> Any:
        return args, named

    one = read_point(np.array([[1, 2], [3, 4]], np.float32))
    assert one[:3] == ("one", ("x",), ((2, 2),))
    assert one.notes == ()
    ((array,), named), vector = one.call(passed, one.point), one.point
    assert (array.tolist(), array.dtype, named, vector.tolist()) == ([[1, 2], [3, 4]], np.float64, {}, [1, 2, 3, 4])
    several = read_point([np.ones(2), np.array(3), np.ones((1, 1), np.uint8)])
    assert several[:3] == ("several", ("x[0]", "x[1]", "x[2]"), ((2,), (), (1, 1)))
    assert several.notes == tuple(f"x[{place}] holds integers: f got it as float64." for place in (1, 2))
    args, _ = several.call(passed, several.point * 1j)
    assert [each.tolist() for each in args] == [[1j, 1j], 3j, [[1j]]]
    assert isinstance(args[1], np.complex128)
    named_point = read_point({"b": 2.0, "a": [5.0, 7.0]})
    assert named_point[:3] == ("named", ("b", "a"), ((), (2,)))
    args, named = named_point.call(passed, named_point.point)
    assert (args, list(named), named["b"], named["a"].tolist()) == ((), ["b", "a"], 2, [5, 7])
    assert read_point((2.0, 3.0)).form == "several"


ENTRIES = "expected at least one entry: there is nothing to check"
REAL = "expected real numbers: float64, float32 or integers"
FINITE = "expected finite numbers: no derivative exists there"


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones(0), f"x has shape (0,), {ENTRIES}"),
        ((np.ones(1), np.ones((0, 2))), f"x[1] has shape (0, 2), {ENTRIES}"),
        ((), "x is an empty tuple, expected at least one array: there is nothing to check"),
        ({}, "x is an empty dict, expected at least one array: there is nothing to check"),
        (np.array([1, np.nan, np.inf]), f"x has nan at (1,), {FINITE}"),
        ({"W": np.array([[1, np.inf]])}, f"W has inf at (0, 1), {FINITE}"),
        (np.array([1, 1j]), "x is complex128, expected real numbers: f is a function of real arrays"),
        (np.array([1, None]), f"x is an array of dtype object, {REAL}"),
        (np.array([True, False]), f"x is an array of dtype bool, {REAL}"),
        ("ab", f"x is str, {REAL}"),
        (np.ones(2, np.float16), "x is float16, expected float64, float32 or integers: three digits prove nothing"),
        (
            [1.0, np.ones(2)],
            "x is a list of something else than arrays, expected an array, a list or tuple of arrays, or a dict: "
            "np.array(x) is one array, tuple(x) several arguments",
        ),
        ({1: 2.0}, "x has the key 1, expected the name of an argument: f is called as f(**x)"),
        ({"a b": 2.0}, "x has the key 'a b', expected the name of an argument: f is called as f(**x)"),
        (MATRIX, "x is a np.matrix, expected an array: pass np.asarray(x), and @ for the matrix product in f"),
        (np.ma.array([1.0]), "x is a masked array, expected an array without gaps: pass x.filled(...)"),
    ],
)
def test_points_that_are_refused(x: Any, message: str) -> None:
    with pytest.raises(ValueError) as refused:
        check_gradient(np.sum, np.ones(2), x)
    assert str(refused.value) == message


def test_ragged_lists_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^x\[1\] is no array \(.*\), expected real numbers in one rectangular shape$"
    ):
        read_point(([1, 2], [[1], [2, 3]]))


# --- f(x)


def float32_inside(x: Any) -> float:
    """A function that computes in float32 and returns float64."""
    return float(np.sum(np.exp(x).astype(np.float32)))


def picked(x: Any) -> Any:
    """A function that takes integers as labels."""
    return np.sum(np.eye(3)[x])


@pytest.mark.parametrize(
    ("f", "x", "message"),
    [
        (np.square, np.ones(2), "f(x) has shape (2,), expected a number, shape (): a gradient belongs to a scalar"),
        (lambda x: np.sum(x) * 1j, 2.0, "f(x) is complex, expected a real number: a gradient belongs to a real scalar"),
        (lambda x: "ab", 2.0, "f(x) is str, expected a real number: a gradient belongs to a real scalar"),
        (lambda x: None, 2.0, "f(x) is NoneType, expected a real number: a gradient belongs to a real scalar"),
        (lambda x: np.inf, 2.0, "f(x) is inf, expected a finite number: no derivative exists at x"),
        (lambda x: np.nan, 2.0, "f(x) is nan, expected a finite number: no derivative exists at x"),
        (
            lambda x: (np.sum(x), x),
            2.0,
            "f(x) is a tuple of 2, expected a number: pass lambda *x: f(*x)[0], if the number comes first",
        ),
        (
            lambda x: [np.sum(x)],
            2.0,
            "f(x) is a list of 1, expected a number: pass lambda *x: f(*x)[0], if the number comes first",
        ),
        (
            lambda x: {"J": x, "A": x},
            2.0,
            "f(x) is a dict of 'J', 'A', expected a number: pass lambda *x: f(*x)[...], with the key of the number",
        ),
        *(
            (
                dtype,
                2.0,
                f"f(x) is {dtype.__name__}, expected float64, in which x is passed: take the {dtype.__name__} out of f "
                "and of the arrays that it uses",
            )
            for dtype in (np.float32, np.float16)
        ),
        (
            float32_inside,
            np.ones(3) / 3,
            "f(x) is a float64 with the digits of a float32, expected float64 throughout: f computes in float32, so "
            "take the float32 out of f and of the arrays that it uses",
        ),
        (
            lambda a, b: picked(b) + picked(a),
            (np.array([0, 2]), NUMBERS),
            "f raises IndexError (arrays used as indices must be of integer (or boolean) type) for x[0], x[1] in "
            "float64, expected a function of real numbers: keep integers out of x, as in lambda W: f(W, labels)",
        ),
    ],
)  # fmt: skip
def test_values_that_are_refused(f: Any, x: Any, message: str) -> None:
    with pytest.raises(ValueError) as refused:
        check_gradient(f, np.ones(2), x)
    assert str(refused.value) == message


def test_an_index_error_of_ones_own_is_shown_as_it_is() -> None:
    with pytest.raises(IndexError):
        check_gradient(lambda x: x[7], np.ones(2), np.ones(2))


@pytest.mark.parametrize("value", [True, 3, np.int64(3), np.uint8(3), 3.0, np.float64(3), np.array(3.0)])
def test_numbers_that_are_taken(value: Any) -> None:
    read_value(lambda x: value, read_point(2.0))


def values_in_turn(values: list[float]) -> None:
    """Read a function that has these values: at x, at four points beside it, and at x again."""
    remaining = list(values)
    read_value(lambda x: remaining.pop(0), read_point(2.0))
    assert remaining == []


BITS = {bits: 1 + 2.0 ** (1 - bits) for bits in (20, 21, 24, 25)}


@pytest.mark.parametrize(
    ("values", "float32"),
    [
        ([BITS[24], 1, 2, 3, 4], True),
        ([1, BITS[24], -BITS[24], 1, 1], True),
        ([1, BITS[21], BITS[20], np.nan, np.nan], True),
        ([BITS[24], 0, np.nan, BITS[24], BITS[24]], False),  # two values
        ([BITS[20], 1, 2, 3, 4], False),
        ([BITS[24], BITS[25], 2, 3, 4], False),
        ([BITS[24], 0.1, 2, 3, 4], False),
    ],
)
def test_the_digits_of_float32_are_known_in_three_values(values: list[float], float32: bool) -> None:
    if float32:
        with pytest.raises(ValueError, match="with the digits of a float32"):
            values_in_turn([*values, values[0]])
    else:
        values_in_turn([*values, values[0]])


def test_a_function_that_changes_its_mind_is_refused() -> None:
    with pytest.raises(ValueError) as refused:
        values_in_turn([2.0, 0.1, 0.1, 0.1, 0.1, 3.0])
    assert str(refused.value) == "f(x) is 2.0, then 3.0, expected one value: fix the seed inside f"


def test_values_are_looked_at_beside_x() -> None:
    seen: list[Any] = []

    def f(x: Any) -> float:
        seen.append(x)
        return float(np.log(-np.sum(x)) if len(seen) in (2, 3) else 1.0)  # of a negative number: no warning leaves

    at = np.linspace(1, 2, 400)
    for _ in range(2):
        read_value(f, read_point(at))
    assert all(np.array_equal(seen[place], at) for place in (0, 5))
    assert np.array_equal(seen[:6], seen[6:])
    for place, spread in ((1, 1.01), (2, 4), (3, 1.01), (4, 4)):
        exponents = np.log(seen[place] / at) / np.log(spread)
        assert -1 <= exponents.min() < -0.97 < 0.97 < exponents.max() <= 1
    assert not np.array_equal(seen[2], seen[4])


# --- the gradient


@pytest.mark.parametrize(
    "mark",
    [
        *("d{}", "d_{}", "{}_grad", "grad_{}", "grads_{}", "dL_d{}", "dJ_d{}", "dJd{}", "dloss_d{}", "{}.grad"),
        *("{}_gradient", "gradient_of_{}", "g{}", "g_{}", "nabla_{}", "∂J_∂{}", "∇{}", "Grad{}", "delta_{}", "{}"),
    ],
)
def test_names_of_gradients(mark: str) -> None:
    keys = [mark.format("W"), mark.format("b")]
    assert match_keys(dict.fromkeys(reversed(keys)), ("W", "b")) == keys
    assert match_keys(dict.fromkeys([3, *keys, "cost"]), ("W", "b")) == keys


def test_names_that_contain_each_other() -> None:
    names = ("W11", "W1", "b", "d")
    assert match_keys(dict.fromkeys(["dW1", "dW11", "dd", "db"]), names) == ["dW11", "dW1", "db", "dd"]
    assert match_keys(dict.fromkeys(["dW", "W_grad", "grad_W"]), ("W",)) == ["dW"]


EVERY = "every array of x has its gradient"
TWO = (np.ones(2), np.ones(3))


@pytest.mark.parametrize(
    ("gradient", "x", "message"),
    [
        *(
            (dict.fromkeys(keys, 1.0), point(), message)
            for keys, message in (
                (
                    ("W_grad", "grad_W", "b"),
                    "gradient has 'W_grad', 'grad_W', expected one of them: each may be that of W",
                ),
                (("W_grad",), f"gradient lacks 'db', expected 'W_grad', 'db': {EVERY}"),
                (("dV", "db"), f"gradient lacks 'dW', expected 'dW', 'db': {EVERY}"),
                (("dW",), f"gradient lacks 'db', expected 'dW', 'db': {EVERY}"),
                (("w1", "b"), f"gradient lacks 'W', expected 'W', 'b': {EVERY}"),
                (("W",), f"gradient lacks 'b', expected 'W', 'b': {EVERY}"),
                (("V",), f"gradient lacks 'W', 'b', expected 'W', 'b': {EVERY}"),
            )
        ),
        (np.ones(2), point(), "gradient is a ndarray, expected a dict: x is a dict of 'W', 'b'"),
        ({"x": 1}, np.ones(2), "gradient is a dict, expected an array: x is one array"),
        (None, np.ones(2), f"gradient is NoneType, {REAL}"),
        (np.array([1, 1j]), 1.0, "gradient is complex128, expected real numbers: f is a function of real arrays"),
        (MATRIX, np.ones((1, 1)), "gradient is a np.matrix, expected an array: pass np.asarray(gradient), and @ for "
         "the matrix product in f"),
        (np.ones(2), TWO, "gradient has one ndarray, expected a tuple of 2: one array for each array of x"),
        ((1, 2, 3), TWO, "gradient has 3 arrays, expected a tuple of 2: one array for each array of x"),
        ((1, "2"), TWO, f"gradient[1] is str, {REAL}"),
        ({"dW": 1, "db": "2"}, point(), f"gradient['db'] is str, {REAL}"),
    ],
)  # fmt: skip
def test_gradients_that_are_refused(gradient: Any, x: Any, message: str) -> None:
    with pytest.raises(ValueError) as refused:
        read_gradient(gradient, read_point(x))
    assert str(refused.value) == message


def test_gradients_are_read_in_the_order_of_x() -> None:
    x = read_point({"a": 1.0, "b": np.ones(2)})
    found = read_gradient({"cost": 3.0, "db": [1, 2], "da": np.float32(4)}, x)
    assert [array.tolist() for array in found.arrays] == [4, [1, 2]]
    assert [array.dtype for array in found.arrays] == [np.float32, np.float64]
    assert found.notes == ("The gradient's 'cost' belongs to no array of x: ignored.",)
    more = read_gradient({"a": 0, "da": 1, "b": 2, "db": 3}, x)
    assert more.notes == ("The gradient's 'a', 'b' belong to no array of x: ignored.",)
    called = read_gradient(lambda a, b: {"a": 2 * a, "b": b}, x)
    assert ([array.tolist() for array in called.arrays], called.notes) == ([2, [1, 1]], ())
    several = read_gradient([1, np.ones(2)], read_point((1.0, np.ones(2))))
    assert [array.tolist() for array in several.arrays] == [1, [1, 1]]
    assert read_gradient(5, read_point(3.0)).arrays == [5]


def test_the_arrays_of_the_caller_are_copied() -> None:
    claimed = np.ones(2)
    assert not np.shares_memory(read_gradient(claimed, read_point(np.ones(2))).arrays[0], claimed)
    x = read_point(np.ones(2))
    read_gradient(lambda x: x.fill(7) or x, x)
    read_value(lambda x: x.fill(7) or 1.0, x)
    assert x.point.tolist() == [1, 1]


def test_arrays_that_a_function_reads_are_known() -> None:
    near, flags = np.array([1, 2], np.float32), np.array([True])
    found = known_arrays(lambda x: (x, near, flags, NUMBERS, J))
    assert sorted(found) == ["NUMBERS", "near"]
    assert found["near"].dtype == found["NUMBERS"].dtype == np.float64
    assert found["near"].tolist() == [1, 2]
    assert known_arrays(np.sin) == {}


def test_a_dict_that_holds_parameters_and_gradients() -> None:
    check = check_gradient(J, {**point(), **gradients(**point()), "cost": 1.0}, point())
    assert check
    assert check.notes == ("The gradient's 'W', 'b', 'cost' belong to no array of x: ignored.",)
    assert str(check).splitlines()[-1] == f"  {check.notes[0]}"
    whole = check_gradient(lambda x: np.sum(x**2), {"dx": [2, 4], "y": 1}, {"x": NUMBERS})
    assert whole.notes == (
        "x holds integers: f got it as float64.", "The gradient's 'y' belongs to no array of x: ignored."
    )  # fmt: skip
