"""Programs whose output has no name: labels are taken from it in the midst of a formula, and J is not written down."""

from __future__ import annotations

import ast

import pytest

from parity_tests.derivations.engine.python.calls import calls
from parity_tests.derivations.engine.python.judged import judge_program
from parity_tests.derivations.engine.python.unnamed_outputs import is_linear_in_an_error, unnamed_costs
from parity_tests.derivations.verdicts import HOLDS, WRONG
from parity_tests.tests.derivations.verdicts import of_program

IN_ONE_LINE = """\
import numpy as np

def train(X, y, rate=0.1, rounds=100):
    m, n = X.shape
    w, b = np.zeros(n), 0.0
    for _ in range(rounds):
        dw = X.T @ (1 / (1 + np.exp(-(X @ w + b))) - y) / m
        db = np.mean(1 / (1 + np.exp(-(X @ w + b))) - y)
        w -= rate * dw
        b -= rate * db
    return w, b
"""

A_LINE = """\
import numpy as np

x = np.linspace(0, 1, 50)
y = 3 * x + 2 + 0.1 * np.random.randn(50)
slope, height = 0.0, 0.0
for i in range(1000):
    dslope = -2 * np.mean(x * (y - (slope * x + height)))
    dheight = -2 * np.mean(y - (slope * x + height))
    slope -= 0.1 * dslope
    height -= 0.1 * dheight
"""

ENTRY_BY_ENTRY = """\
import numpy as np

def gradient(w, X, y):
    m, n = X.shape
    g = np.zeros(n)
    for j in range(n):
        total = 0
        for i in range(m):
            total += (X[i].dot(w) - y[i]) * X[i, j]
        g[j] = total / m
    return g

def descent(X, y, rate=0.1, rounds=100):
    w = np.zeros(X.shape[1])
    for _ in range(rounds):
        w = w - rate * gradient(w, X, y)
    return w
"""

ONE_BY_ONE = """\
import math
import random

data = [([0.5, 1.2], 1), ([1.5, -0.3], 0), ([-0.7, 0.8], 1), ([0.1, -1.1], 0)]
weights = [random.uniform(-1, 1) for _ in range(2)]
bias = 0.0

def predict(x):
    return 1 / (1 + math.exp(-sum(w * v for w, v in zip(weights, x)) - bias))

for epoch in range(1000):
    for x, target in data:
        error = target - predict(x)
        for j in range(2):
            weights[j] += 0.1 * error * x[j]
        bias += 0.1 * error
"""

NUMBERS = """\
def update(x, y, w, b, rate):
    dw = db = 0.0
    n = len(x)
    for i in range(n):
        dw += -2 * x[i] * (y[i] - (w * x[i] + b))
        db += -2 * (y[i] - (w * x[i] + b))
    w -= rate * dw / n
    b -= rate * db / n
    return w, b
"""

A_METHOD = """\
import numpy as np

class Perceptron:
    def __init__(self, n, rate=0.05):
        self.w, self.b, self.rate = np.zeros(n), 0.0, rate

    def predict(self, x):
        return 1.0 / (1.0 + np.exp(-(self.w @ x + self.b)))

    def train(self, X, Y, rounds=20):
        for _ in range(rounds):
            for x, y in zip(X, Y):
                error = self.predict(x) - y
                self.w -= self.rate * error * x
                self.b -= self.rate * error
"""


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        (IN_ONE_LINE, "the cross-entropy of 1 / (1 + np.exp(-(X @ w + b))) and y"),
        (A_LINE, "the squared error of slope * x + height and y"),
        (ENTRY_BY_ENTRY, "the squared error of X[i].dot(w) and y[i], summed over the examples"),
        (ONE_BY_ONE, "the cross-entropy of predict(x) and target"),
        (A_METHOD, "the cross-entropy of self.predict(x) and y"),  # J is not what predict returns
        (NUMBERS, "the squared error of w * x[i] + b and y[i], summed over the examples"),
    ],
    ids=["in-one-line", "a-line", "entry-by-entry", "one-by-one", "a-method", "numbers"],
)
def test_a_right_program_holds_under_the_usual_cost_that_it_follows(text: str, cost: str) -> None:
    found = of_program(text)
    assert {each.verdict for each in found.lines} == {HOLDS}, found.lines
    assert found.cost.text == f"J is not written down; taken to be {cost}"


@pytest.mark.parametrize(
    ("text", "old", "new", "line"),
    [
        (IN_ONE_LINE, "db = np.mean(", "db = np.sum(", 7),  # J has no scale of its own: the other line may be meant
        (A_LINE, "dheight = -2", "dheight = 2", 8),
        (A_LINE, "np.mean(x * (y", "np.mean((y", 7),
        (NUMBERS, "dw += -2 * x[i] *", "dw += -2 *", 5),
    ],
)
def test_a_mistake_is_found_at_its_line(text: str, old: str, new: str, line: int) -> None:
    assert old in text
    wrong = [each.line for each in of_program(text.replace(old, new)).lines if each.verdict == WRONG]
    assert wrong == [line]


def test_a_sum_of_errors_times_data_is_no_cost_though_it_is_called_total() -> None:
    assert judge_program("net.py", ENTRY_BY_ENTRY.replace("total / m", "total / m * (j + 1)")) is None
    for formula, linear in (("(p - y) * x", True), ("np.sum(p - y)", True), ("(p - y) ** 2", False), ("p * 2", False)):
        assert is_linear_in_an_error(ast.parse(formula, mode="eval").body) == linear, formula
    assert not is_linear_in_an_error(ast.parse("abs(p - y)", mode="eval").body)
    assert not is_linear_in_an_error(ast.parse("-(y * log(p) + (1 - y) * log(1 - p))", mode="eval").body)


def test_a_loop_that_changes_what_the_output_reads_is_not_summed_over() -> None:
    summed = [each.formula for each in unnamed_costs(ast.parse(ENTRY_BY_ENTRY))]
    alone = [each.formula for each in unnamed_costs(ast.parse(ONE_BY_ONE))]
    assert not any(" for " in each for each in alone)
    assert all("for i in range(m)" in each and "for j" not in each for each in summed)


def test_labels_are_as_many_as_a_loop_reads_of_them() -> None:
    (call,) = (each for each in of_program(ENTRY_BY_ENTRY).notes if each.startswith("Called with"))
    assert "X = np.random.randn(6, 7); y = np.random.uniform(0.1, 0.9, (6,))" in call
    (zipped,) = (each for each in of_program(A_METHOD).notes if each.startswith("Called with"))
    assert "X = np.random.randn(7, 6); Y = np.random.uniform(0.1, 0.9, (7,))" in zipped


def test_numbers_stand_beside_a_table_of_points() -> None:
    text = """\
def step(b_now, m_now, points, rate):
    db = dm = 0
    for i in range(len(points)):
        x, y = points[i, 0], points[i, 1]
        db += -2 / len(points) * (y - (m_now * x + b_now))
        dm += -2 / len(points) * x * (y - (m_now * x + b_now))
    return [b_now - rate * db, m_now - rate * dm]
"""
    (way,) = (each for each in calls(text) if not each.problem)
    assert "b_now = np.random.randn()\nm_now = np.random.randn()\npoints = 0.5 * np.random.randn(6, 7)" in way.call


def test_no_cost_is_proposed_without_the_name_of_its_output() -> None:
    text = """\
import numpy as np

def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

def moved(W, X, T, rate):
    return W - rate * X.T @ (softmax(X @ W) - T)

X, T, W = np.random.randn(20, 4), np.eye(3)[np.random.randint(0, 3, 20)], np.zeros((4, 3))
for k in range(50):
    W = moved(W, X, T, 0.1)
"""
    found = of_program(text)
    assert found.summary.holds == found.summary.judged > 0
    assert not any("--cost" in each for each in found.notes)
