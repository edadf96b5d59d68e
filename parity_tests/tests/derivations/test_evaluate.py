"""The values of formulas: against NumPy written out, and against Python's own reading."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from parity_tests.derivations.language.errors import EvaluationError
from parity_tests.derivations.language.evaluate import evaluate, run
from parity_tests.derivations.language.functions import FUNCTION_NAMES, FUNCTIONS
from parity_tests.derivations.language.nodes import Expression, functions
from parity_tests.derivations.language.printer import to_text
from parity_tests.derivations.language.syntax import parse
from parity_tests.tests.derivations import derivation_trees as trees
from parity_tests.tests.derivations.formula import parse_expression
from parity_tests.tests.work import at_most


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def _values(seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "X": rng.normal(size=(3, 7)),
        "W1": rng.normal(size=(5, 3)),
        "dZ1": rng.normal(size=(5, 7)),
        "P": rng.uniform(0.1, 0.9, size=(3, 7)),
        "Y": rng.random((3, 7)) > 0.5,
        "w": rng.normal(size=(3, 1)),
        "n": np.arange(1, 4),
        "m": 7,
        "lambda_": 0.7,
        "g1_prime": lambda z: 1 - np.tanh(z) ** 2,
        "sigmoid": _sigmoid,
    }


V = _values()
X, W1, dZ1, P, Y, w, n, m = (V[name] for name in ("X", "W1", "dZ1", "P", "Y", "w", "n", "m"))

# A formula, and its value by plain NumPy; together they call every function of the white list.

VALUES: list[tuple[str, Any]] = [
    ("(1/m) * dZ1 @ X.T + (λ/m) * W1", 1 / 7 * dZ1 @ X.T + 0.7 / 7 * W1),
    ("1/m * np.sum(dZ1, axis=1, keepdims=True)", 1 / 7 * dZ1.sum(axis=1, keepdims=True)),
    ("W1.T @ dZ1 * g1'(X)", W1.T @ dZ1 * (1 - np.tanh(X) ** 2)),
    ("-1/m * np.sum(Y*log(P) + (1 - Y)*np.log(1 - P))", -1 / 7 * np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P))),
    ("sigmoid(X) * (1 - sigmoid(X))", _sigmoid(X) * (1 - _sigmoid(X))),
    ("(X > 0) * X + 0.01 * (X <= 0) * X", np.where(X > 0, X, 0.01 * X)),
    ("(X >= 0) + (X < 0) + (Y == 1) + (Y != 1)", np.full((3, 7), True)),
    ("1.0 * (X >= 0) - (X < 0)", np.sign(X)),
    ("abs(X > 0)", X > 0),
    ("np.where(X > 0, X, 0)", np.where(X > 0, X, 0)),
    ("np.maximum(0, X) - np.minimum(0, X) - abs(X)", np.zeros((3, 7))),
    ("log1p(exp(X))", np.logaddexp(0, X)),
    ("np.square(X) - X^2 + np.power(X, 2)", X * X),
    ("np.sqrt(P) / P**0.5", np.ones((3, 7))),
    ("np.tanh(X) + np.exp(-X) + floor(X)", np.tanh(X) + np.exp(-X) + np.floor(X)),
    ("np.dot(w.T, X) + np.dot(2, m)", w.T @ X + 14),
    ("np.outer(w, X[0])", np.outer(w, X[0])),
    ("X @ X[0] + np.dot(X, X[0])", 2 * X @ X[0]),
    ("X[0] @ X[1] - np.dot(X[0], X[1])", 0.0),
    ("n @ X", n @ X),
    ("np.ones((2, 3, 7)) @ np.ones((7, 5))", np.full((2, 3, 5), 7.0)),
    ("np.dot(np.ones((2, 3)), np.ones((4, 3, 5)))", np.full((2, 4, 5), 3.0)),
    ("np.max(X, axis=0) - X.min(axis=0)", X.max(axis=0) - X.min(axis=0)),
    ("np.mean(X, axis=(0, 1)) + X.mean() + max(X) + min(n)", 2 * X.mean() + X.max() + 1),
    ("np.sum(X, axis=-2)", X.sum(axis=0)),
    ("np.mean(X, axis=-1, keepdims=True)", X.mean(axis=-1, keepdims=True)),
    ("np.zeros((3, 7)) + np.ones((m - 4, 1)) + zeros_like(X) + np.ones_like(X)", np.full((3, 7), 2.0)),
    ("np.reshape(X, (7, 3)) + X.reshape(m, -1)", 2 * X.reshape(7, 3)),
    ("X[1, 2] + X[-1][0] + w[2, 0]", X[1, 2] + X[-1, 0] + w[2, 0]),
    ("X[:, 1:3] - X[:, 1:m-4] + X[1:, :1][0]", np.full((3, 2), X[1, 0])),
    ("n / 2 + n**-1", n / 2 + 1 / n),
    ("np.flip(np.eye(3), axis=0) + np.diag(n - 1)", np.eye(3)[::-1] + np.diag([0.0, 1.0, 2.0])),
    ("np.ceil(X) - int(X) + np.arange(m)", np.ceil(X) - np.trunc(X) + np.arange(7)),
    ("np.add(n, 1) - np.subtract(n, 1) + np.multiply(n, n) / np.divide(n, n)", 2.0 + n * n),
    ("np.matmul(X, np.transpose(X))", X @ X.T),
    ("1/0 + 0", math.inf),
    ("(-1)**0.5", math.nan),
    ("np.log(-1)", math.nan),
    ("np.mean(X[0:0])", math.nan),
    ("np.exp(10000)", math.inf),
]


@pytest.mark.parametrize(("text", "expected"), VALUES, ids=[text for text, _ in VALUES])
def test_a_formula_has_the_value_that_numpy_gives(text: str, expected: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value = evaluate(parse_expression(text), V)
    assert np.shape(value) == np.shape(expected)
    assert np.asarray(value).dtype == (np.bool_ if np.asarray(expected).dtype == np.bool_ else np.float64)
    np.testing.assert_allclose(value, expected, rtol=1e-14, atol=1e-14)


def test_the_table_above_calls_the_whole_white_list() -> None:
    called = {name for name in FUNCTION_NAMES for text, _ in VALUES if f"{name}(" in text}
    assert called == FUNCTION_NAMES
    trees_called = frozenset[str]().union(*(functions(parse_expression(text)) for text, _ in VALUES))
    assert trees_called >= set(FUNCTIONS)


@pytest.mark.slow
@settings(deadline=None, max_examples=200)
@given(trees.arithmetic)
def test_signs_and_operators_bind_as_python_binds_them(node: Expression) -> None:
    values: dict[str, Any] = {"A": np.array([[0.5, -1.2], [2.0, 0.3]]), "B": np.array([[1.5, 0.7], [-0.4, 0.9]])}
    values |= {name: np.float64(1.3) for name in trees.SYMBOLS if name not in values}
    try:
        with np.errstate(all="ignore"):
            expected = eval(to_text(node), {"__builtins__": {}}, values)  # our own text, as Python reads it
    except (ValueError, TypeError):  # a number in a matrix product
        with pytest.raises(EvaluationError):
            evaluate(node, values)
        return
    except (ArithmeticError, AttributeError):  # Python's own numbers know no 1/0 and no (1.5).T
        return
    np.testing.assert_allclose(evaluate(node, values), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(trees.expressions)
def test_any_tree_has_a_value_or_a_sentence(node: Expression) -> None:
    environment: dict[str, Any] = {
        "A": np.ones((2, 3)),
        "B": np.ones((3, 2)),
        "dZ1": np.zeros(2),
        "m": 3,
        "lambda_": -0.5,
    }
    environment |= {"lambda_": -0.5, "g1": np.tanh, "sigmoid_prime": lambda z: z * (1 - z)}
    before = {name: np.copy(value) for name, value in environment.items() if not callable(value)}
    sentence, kind = "", "f"
    with at_most(2_000_000):
        try:
            kind = np.asarray(evaluate(node, environment)).dtype.kind
        except EvaluationError as error:
            sentence = str(error)
    assert kind in "fib"  # as in NumPy, comparisons are booleans, and sums of them whole numbers
    assert "\n" not in sentence
    for name, value in before.items():
        np.testing.assert_array_equal(environment[name], value)


# Whole derivations.

LOGISTIC = """
J = 0
db = 0
dw = np.zeros((n_x, 1))
for i = 1 to m:
    z = b
    for j in range(n_x):
        z += w[j] * X[j, i]
    a = sigmoid(z)
    J += -(Y[0, i] * log(a) + (1 - Y[0][i]) * log(1 - a))
    dz = a - Y[0, i]
    for j in range(0, n_x):
        dw[j] += X[j, i] * dz
    db += dz
J /= m
dw /= m
db *= 1/m
w1 := w - 0.1 * dw
"""


def test_the_loops_of_the_notes_give_the_vectorised_gradients() -> None:
    labels = Y[:1]
    environment = {"X": X, "Y": labels, "w": w, "b": 0.3, "m": 7, "n_x": 3, "sigmoid": _sigmoid}
    found = run(parse(LOGISTIC), environment)
    a = _sigmoid(w.T @ X + 0.3)
    J = -np.mean(labels * np.log(a) + (1 - labels) * np.log(1 - a))
    for name, expected in {"dw": X @ (a - labels).T / 7, "db": np.mean(a - labels), "J": J}.items():
        assert np.shape(found[name]) in (np.shape(expected), (1,))
        np.testing.assert_allclose(found[name], expected, rtol=1e-13)
    np.testing.assert_allclose(found["w1"], w - 0.1 * found["dw"])
    assert "i" not in found


def test_assigning_an_entry_changes_no_other_array() -> None:
    given_array = np.ones(3)
    found = run(parse("b = a\na[0] = 5\na[1:] -= 1\na[2] *= 4"), {"a": given_array})
    assert found["a"].tolist() == [5, 0, 0]
    assert found["b"].tolist() == given_array.tolist() == [1, 1, 1]
