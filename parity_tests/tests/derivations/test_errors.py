"""Formulas that read well and have no value: the sentence, the place, and the time it takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from parity_tests.derivations.language.budget import Budget
from parity_tests.derivations.language.errors import BudgetSpent, EvaluationError, UnknownName
from parity_tests.derivations.language.evaluate import evaluate, run
from parity_tests.derivations.language.nodes import Call, Expression, Name, Number, Slice, Unary
from parity_tests.derivations.language.syntax import parse
from parity_tests.tests.derivations.formula import parse_expression
from parity_tests.tests.slices import sliced
from parity_tests.tests.work import at_most

V: dict[str, Any] = {
    "X": np.ones((3, 7)),
    "W1": np.ones((5, 3)),
    "dZ1": np.ones((5, 7)),
    "n": np.arange(1, 4),
    "m": 7,
    "g1_prime": lambda z: 1 - np.tanh(z) ** 2,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
}

WITHOUT = [
    ("dZ1 @ X", r"^dZ1 @ X: \(5, 7\) @ \(3, 7\): inner sizes 7 and 3 differ$"),
    ("np.dot(dZ1, X)", r"inner sizes 7 and 3 differ"),
    ("dZ1 + X", r"^dZ1 \+ X: \(5, 7\) \+ \(3, 7\): sizes 5 and 3 differ and neither is 1$"),
    ("X * X.T", r"sizes 7 and 3 differ"),
    ("np.maximum(X, dZ1)", r"^np.maximum\(X, dZ1\): \(3, 7\), \(5, 7\): sizes 3 and 5 differ"),
    ("1/m @ X", r"m is one number, no matrix: write \*"),
    ("X > W1", r"sizes 7 and 3 differ"),
    ("-(X > 0)", r"^-\(X > 0\): NumPy knows no minus of comparisons: multiply by 1 first$"),
    ("(X > 0) - (X < 0)", r"NumPy knows no minus of comparisons"),
    ("np.sum(X, axis=2)", r"there is no axis 2, the array has 2 axes"),
    ("np.sum(m, axis=0)", r"there is no axis 0, the array has 0 axes"),
    ("X.reshape(2, 2)", r"cannot reshape array of size 21"),
    ("X[3, 0]", r"there is no entry 3 along axis 0, only 0 to 2"),
    ("X[0, 0, 0]", r"3 indices, but X has shape \(3, 7\)"),
    ("X[0.5]", r"0.5 is not a whole number here"),
    ("X[n]", "there is no entry 3 along axis 0, only 0 to 2"),
    ("X(m)", r"^X is not a function: to multiply, write \* or @; for one entry, x\[i\]$"),
    ("sigmoid + 1", r"sigmoid is a function: write sigmoid\(...\)"),
    ("text + 1", r"text is not an array of numbers"),
    ("z + 1", r"z is not an array of numbers"),
    ("tanh2(X, X, X)", r"tanh2 takes 1 argument, but got 3"),
    ("sigmoid(X, X)", r"sigmoid\(X, X\): .*positional argument"),
    ("fails(X)", r"fails\(X\): as it was told"),
    ("np.zeros((9999, 9999))", r"an array of 99,980,001 entries; at most 1,000,000"),
    ("np.ones((2**40, 1))", r"an array of 1,099,511,627,776 entries"),
    ("np.ones((-1, 2))", r"negative dimensions"),
    ("np.ones((1/0, 2))", r"1/0 is not a whole number"),
    ("np.outer(np.ones(2000), np.ones(1000))", r"an array of 2,000,000 entries"),
    ("np.ones((2000, 1)) + np.ones((1, 2000))", r"an array of 4,000,000 entries"),
    ("np.ones((2000, 1)) @ np.ones((1, 2000))", r"an array of 4,000,000 entries"),
]


@pytest.mark.parametrize(("text", "sentence"), WITHOUT, ids=[text for text, _ in WITHOUT])
def test_what_has_no_value_has_a_sentence(text: str, sentence: str) -> None:
    def fails(_: Any) -> Any:
        raise ValueError("as it was told")

    with at_most(500_000), pytest.raises(EvaluationError, match=sentence):
        evaluate(parse_expression(text), V | {"text": "abc", "z": 1j, "tanh2": np.tanh, "fails": fails})


UNKNOWN = [
    ("dz1 @ X", ("dZ1",)),
    ("W2", ("W1",)),
    ("g_prim(X)", ("g1_prime",)),
    ("qqq", ()),
    ("tahn(X)", ("tanh",)),
    ("sigmod(X)", ("sigmoid",)),
    ("X' @ w", ("X",)),
    ("eval(X)", ()),
    ("open(X)", ()),
    ("getattr(X, m)", ()),
]


@pytest.mark.parametrize(("text", "suggestions"), UNKNOWN)
def test_an_unknown_name_is_asked_back(text: str, suggestions: tuple[str, ...]) -> None:
    with pytest.raises(UnknownName, match="is not known here") as caught:
        evaluate(parse_expression(text), V)
    assert all(f"did you mean {each}" in str(caught.value) or f"the transpose of {each}" in str(caught.value)
               for each in suggestions)  # fmt: skip
    assert ("did you mean" in str(caught.value) or "the transpose" in str(caught.value)) == bool(suggestions)


def test_an_accumulator_needs_a_start() -> None:
    with pytest.raises(UnknownName, match="J is not known here"):
        run(parse("J += 1"), {})


def test_a_loop_variable_ends_with_its_loop() -> None:
    with pytest.raises(UnknownName, match="i is not known here"):
        run(parse("for i in range(2):\n  a = i\nb = i"), {})


ENDLESS = [
    "x = 0\nfor i in range(10**9):\n  for j in range(10**9):\n    x += i * j",
    "x = np.ones((1000, 1000))\nfor i in range(10**9):\n  x = x**2.5",
    "x = np.ones((100, 100))\nfor i in range(10**9):\n  x = x @ x / 100",
    "x = np.ones((1000, 100))\nfor i in range(10**9):\n  x[0, 0] += 1",
]


@pytest.mark.parametrize("text", sliced(ENDLESS, 4))
def test_a_derivation_without_end_is_stopped(text: str) -> None:
    message = r"the derivation (takes|computes) too many (steps|entries)"
    with at_most(2_000_000), pytest.raises(BudgetSpent, match=message):
        run(parse(text), {})


def test_a_budget_is_spent_and_can_be_shared() -> None:
    budget = Budget(visits=7)
    evaluate(parse_expression("1 + 2"), {}, budget=budget)
    evaluate(parse_expression("1 + 2"), {}, budget=budget)
    with pytest.raises(EvaluationError, match="too many steps"):
        evaluate(parse_expression("1 + 2"), {}, budget=budget)


def test_trees_that_nobody_wrote_are_checked_too() -> None:
    deep: Expression = Name("X")
    for _ in range(150):
        deep = Unary(deep)
    for node, sentence in [
        (deep, "nested too deep"),
        (Slice(), "Slice has no value of its own"),
        (Call("sum", (Number(1.0), Number(2.0))), "sum takes 1 argument"),
        (Call("zeros", (Number(1.0),)), "a tuple is only for a shape"),
        (Call("exp", (Name("X"),), axis=1), "exp takes no axis"),
        (Call("sigmoid", (Name("X"),), keepdims=True), "sigmoid takes no axis"),
    ]:
        with pytest.raises(EvaluationError, match=sentence):
            evaluate(node, V)
