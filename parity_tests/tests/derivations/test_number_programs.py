"""Programs of single numbers: units that are dicts in lists, nodes of a graph, one entry of a table."""

from __future__ import annotations

import pytest

from parity_tests.derivations.engine.python.execution import InOrder
from parity_tests.derivations.engine.python.program import PythonProgram
from parity_tests.derivations.engine.python.statements import is_stepped
from parity_tests.derivations.engine.symbols import meant_by
from parity_tests.derivations.verdicts import WRONG
from parity_tests.tests.derivations.verdicts import line_of, of_program, wrong_in
from parity_tests.tests.slices import sliced

UNITS = """\
from math import exp
from random import random, seed

seed(2)
network = [[{"w": [random() for _ in range(3)]} for _ in range(2)] for _ in range(2)]
rows = [[2.7, 2.5, 0], [1.4, 2.3, 1], [3.3, 4.4, 0]]

def squash(z):
    return 1 / (1 + exp(-z))

def slope(a):
    return a * (1 - a)

for row in rows:
    values = row[:-1]
    for layer in network:
        outputs = []
        for unit in layer:
            z = unit["w"][-1]
            for j in range(len(values)):
                z += unit["w"][j] * values[j]
            unit["out"] = squash(z)
            outputs.append(unit["out"])
        values = outputs
    target = [float(row[-1] == k) for k in range(2)]
    loss = sum([(t - o) ** 2 for t, o in zip(target, values)])
    for k in (1, 0):
        for j, unit in enumerate(network[k]):
            if k == 1:
                error = unit["out"] - target[j]
            else:
                error = 0.0
                for above in network[1]:
                    error += above["w"][j] * above["delta"]
            unit["delta"] = error * slope(unit["out"])
    for k in range(2):
        inputs = row[:-1] if k == 0 else [unit["out"] for unit in network[0]]
        for unit in network[k]:
            for j in range(len(inputs)):
                unit["w"][j] -= 0.5 * unit["delta"] * inputs[j]
            unit["w"][-1] -= 0.5 * unit["delta"]
"""

GRAPH = """\
import random

class Node:
    def __init__(self, data, parents=()):
        self.data = data
        self.grad = 0.0
        self.parents = set(parents)
        self.back = lambda: None

    def __add__(self, other):
        out = Node(self.data + other.data, (self, other))
        def back():
            self.grad += out.grad
            other.grad += out.grad
        out.back = back
        return out

    def __mul__(self, other):
        out = Node(self.data * other.data, (self, other))
        def back():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out.back = back
        return out

    def backward(self):
        order, seen = [], set()
        def visit(node):
            if node not in seen:
                seen.add(node)
                for each in node.parents:
                    visit(each)
                order.append(node)
        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node.back()

params = [Node(random.random()) for _ in range(3)]
for step in range(5):
    u, v, w = params
    p = u * Node(0.7) + v * Node(-0.4)
    loss = p * p * w + u * w
    for each in params:
        each.grad = 0.0
    loss.backward()
    for each in params:
        each.data -= 0.1 * each.grad
"""

TABLE = """\
import numpy as np
np.random.seed(0)
R = np.array([[5.0, 3.0], [4.0, 1.0], [1.0, 5.0]])
P, Q = np.random.randn(3, 2), np.random.randn(2, 2)
bu, bi = np.zeros(3), np.zeros(2)
for i in range(3):
    for j in range(2):
        e = R[i, j] - P[i] @ Q[j] - bu[i] - bi[j]
        loss = 0.5 * e ** 2 + 0.05 * (bu[i] ** 2 + bi[j] ** 2)
        bu[i] += 0.1 * (e - 0.1 * bu[i])
        bi[j] += 0.1 * (e - 0.1 * bi[j])
        P[i], Q[j] = P[i] + 0.1 * e * Q[j], Q[j] + 0.1 * e * P[i]
"""


@pytest.mark.parametrize(
    ("text", "judged"), sliced([(UNITS, 12), (GRAPH, 10), (TABLE, 4)], 3), ids=["units", "graph", "table"]
)
def test_single_numbers_hold(text: str, judged: int) -> None:
    found = of_program(text)
    assert found.summary.judged == found.summary.holds >= judged
    assert not found.summary.not_judged


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "old", "new", "repaired"),
    [
        (UNITS, "* inputs[j]", "", "unit['delta'] * inputs[j]"),
        (UNITS, "* slope(", "* squash(", 'slope(unit["out"])'),
        (GRAPH.replace("p * p", "p * v"), "other.grad += self.data *", "other.grad += other.data *", ""),
        (TABLE, "0.1 * bi[j])", "0.1 * bu[i])", ""),
    ],
    ids=["factor", "slope", "node", "entry"],
)
def test_wrong_among_single_numbers(text: str, old: str, new: str, repaired: str) -> None:
    wrong = wrong_in(of_program(text.replace(old, new)))
    assert [line.line for line in wrong] == [line_of(old, text)]
    assert repaired.replace("'", '"') in wrong[0].repaired.replace("'", '"')


def test_sets_keep_their_order() -> None:
    found = InOrder(["b", "a"])
    found.update(["c"], ["a"])
    found.discard("b")
    assert list(found) == ["a", "c"]
    assert found == {"a", "c"}


def test_keys_count_whoever_holds_them() -> None:
    names = frozenset(("p.data", ".data", "['w']"))
    assert is_stepped("self.data", names)
    assert is_stepped("unit['w']", names)
    assert not is_stepped("data", names)
    assert meant_by("o2#self.grad", ("o2#self.data", "self.data")) == ("o2#self.data",)


def test_units_that_a_function_hands_on_take_steps() -> None:
    """Numbers in lists of lists are copied where they are returned and bound; they are still the parameters."""
    first, rest = UNITS.split("network = ")[0], UNITS.partition("(2)]\n")[2]
    made = """\
def made():
    lower = [{"w": [random() for _ in range(3)]} for _ in range(2)]
    upper = [{"w": [random() for _ in range(3)]} for _ in range(2)]
    return [lower, upper]

network = made()
"""
    program = PythonProgram(first + made + rest)
    program.begin()
    assert program.begun.rounds


LISTED = """\
rows = [([1.0, 2.0], 3.1), ([2.0, 0.3], 2.2), ([0.7, 1.1], 4.9)]
w = [0.1, -0.2]
for epoch in range(50):
    loss = sum((sum(wk * xk for wk, xk in zip(w, x)) - y) ** 2 for x, y in rows)
    g = [0.0] * len(w)
    for x, y in rows:
        e = sum(wk * xk for wk, xk in zip(w, x)) - y
        for k in range(len(w)):
            g[k] += 2 * e * x[k]
    w = [wk - 0.01 * gk for wk, gk in zip(w, g)]
"""


def test_a_list_that_is_made_anew_of_its_numbers_takes_steps() -> None:
    """All of its numbers are parameters: without their steps nothing of it was looked at."""
    judged = of_program(LISTED)
    assert judged.summary.judged == judged.summary.holds >= 2


def test_a_name_says_that_it_is_the_derivative_in_an_entry_of_what_it_names() -> None:
    """``d_encoder_b`` beside ``encoder["b"]``; a symbol of that name comes first."""
    entry = "encoder['b']"
    assert meant_by("d_encoder_b", [entry, "decoder['b']"]) == (entry,)
    assert meant_by("d_encoder_b", [entry, "encoder_b"]) == ("encoder_b",)


NESTED = """\
import math
import random

random.seed(3)
inner = [[random.random() for _ in range(2)] for _ in range(3)]
outer = [random.random() for _ in range(3)]
table = [([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 0)]
for epoch in range(20):
    for x, target in table:
        h = [math.tanh(sum(w * each for w, each in zip(row, x))) for row in inner]
        out = sum(w * each for w, each in zip(outer, h))
        loss = (out - target) ** 2 / 2
        error = out - target
        for j in range(3):
            below = error * outer[j] * (1 - h[j] ** 2)
            outer[j] -= 0.1 * error * h[j]
            for i in range(2):
                inner[j][i] -= 0.1 * below * x[i]
"""


def test_a_matrix_that_is_a_list_of_lists_takes_steps() -> None:
    """Also behind a first example of zeros, by which every mistake in it would be multiplied."""
    right, wrong = of_program(NESTED), of_program(NESTED.replace("(1 - h[j] ** 2)", "(1 - h[j])"))
    assert right.summary.judged == right.summary.holds == 9
    assert wrong_in(wrong)


EXAMPLES_OF_ZEROS = """\
import math
import random

random.seed(1)
cases = [[[0, 0], [0]], [[0, 1], [1]], [[1, 0], [1]], [[1, 1], [0]]]
w = [[random.uniform(-1, 1) for _ in range(2)] for _ in range(3)]
u = [random.uniform(-1, 1) for _ in range(3)]
rate = 0.5

for epoch in range(500):
    for inputs, targets in cases:
        h = [math.tanh(sum(w[j][i] * inputs[i] for i in range(2))) for j in range(3)]
        out = sum(u[j] * h[j] for j in range(3))
        loss = 0.5 * (out - targets[0]) ** 2
        delta = out - targets[0]
        for j in range(3):
            slope = delta * u[j] * (1 - h[j])
            for i in range(2):
                w[j][i] -= rate * slope * inputs[i]
        for j in range(3):
            u[j] -= rate * delta * h[j]
"""


def test_a_first_example_of_zeros_hides_nothing() -> None:
    """What is wrong with the first weights is multiplied by 0 there: other numbers are put into it."""
    found = of_program(EXAMPLES_OF_ZEROS)
    wrong = [(each.line, each.repaired) for each in found.lines if each.verdict == WRONG]
    assert wrong == [(17, "slope = delta * u[j] * (1 - h[j] * h[j])")]
