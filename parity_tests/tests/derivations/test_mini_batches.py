"""Programs that take examples one by one and average in the step, and values that are completed behind their name."""

from __future__ import annotations

import pytest

from parity_tests.derivations.engine.python.judged import judge_program
from parity_tests.derivations.engine.python.program import PythonProgram
from parity_tests.derivations.verdicts import HOLDS, WRONG, Judged

ONE_BY_ONE = """\
import numpy as np

def sigma(z):
    return 1.0 / (1.0 + np.exp(-z))

def slope(z):
    return sigma(z) * (1 - sigma(z))

class Net:
    def __init__(self, sizes):
        self.biases = [np.random.randn(n, 1) for n in sizes[1:]]
        self.weights = [np.random.randn(n, k) for k, n in zip(sizes[:-1], sizes[1:])]

    def train(self, data, size, eta):
        for k in range(0, len(data), size):
            self.update(data[k:k + size], eta)

    def update(self, batch, eta):
        sum_b = [np.zeros(b.shape) for b in self.biases]
        sum_w = [np.zeros(w.shape) for w in self.weights]
        for x, y in batch:
            d_b, d_w = self.backprop(x, y)
            sum_b = [s + d for s, d in zip(sum_b, d_b)]
            sum_w = [s + d for s, d in zip(sum_w, d_w)]
        self.weights = [w - (eta / len(batch)) * s for w, s in zip(self.weights, sum_w)]
        self.biases = [b - (eta / len(batch)) * s for b, s in zip(self.biases, sum_b)]

    def backprop(self, x, y):
        z1 = self.weights[0] @ x + self.biases[0]
        a1 = sigma(z1)
        z2 = self.weights[1] @ a1 + self.biases[1]
        a2 = sigma(z2)
        delta = (a2 - y) * slope(z2)
        sp = slope(z1)
        back = self.weights[1].T @ delta * sp
        return [back, delta], [back @ x.T, delta @ a1.T]

np.random.seed(3)
data = [(np.random.randn(4, 1), np.eye(3)[:, [k % 3]]) for k in range(9)]
Net([4, 5, 3]).train(data, 3, 2.0)
"""

NORM = """\
import numpy as np

class Norm:
    def __init__(self, n):
        self.gain = np.linspace(0.5, 1.5, n)

    def forward(self, x):
        self.std = np.sqrt(np.var(x, axis=1, keepdims=True) + 1e-5)
        self.norm = (x - x.mean(axis=1, keepdims=True)) / self.std
        return self.norm * self.gain

    def backward(self, dy):
        self.dgain = np.sum(dy * self.norm, axis=0)
        dn = dy * self.gain
        dx = dn - dn.mean(axis=1, keepdims=True) - self.norm * np.mean(dn * self.norm, axis=1, keepdims=True)
        return dx / self.std

rng = np.random.default_rng(4)
layer, inp, goal = Norm(5), rng.normal(size=(7, 5)), rng.normal(size=(7, 5))
for _ in range(3):
    out = layer.forward(inp)
    loss = 0.5 * np.sum((out - goal) ** 2)
    layer.backward(out - goal)
    layer.gain -= 0.1 * layer.dgain
"""

LAST_IS_ZERO = """\
import numpy as np
rng = np.random.default_rng(5)
U, c, V = rng.normal(size=(3, 3)), rng.normal(size=(3, 1)), rng.normal(size=(2, 3))
goal = rng.normal(size=(2, 1))
for step in range(4):
    h, r = {-1: np.zeros((3, 1))}, {}
    for t in range(3):
        r[t] = np.tanh(U @ h[t - 1] + c)
        h[t] = r[t] * h[t - 1] + 0.5 * (t + 1)
    e = V @ h[2] - goal
    loss = 0.5 * np.sum(e ** 2)
    dV = e @ h[2].T
    dU, dc = np.zeros_like(U), np.zeros_like(c)
    dh = V.T @ e
    for t in (2, 1, 0):
        draw = dh * h[t - 1] * (1 - r[t] ** 2)
        dU += draw @ h[t - 1].T
        dc += draw
        dh = dh * r[t] + U.T @ draw
    grads = dict(U=dU, c=dc, V=dV)
    U, c, V = U - 0.1 * grads["U"], c - 0.1 * grads["c"], V - 0.1 * grads["V"]
"""

TWICE = """\
import numpy as np

def affine_back(dout, x, w):
    dw = x.T @ dout
    db = np.sum(dout, axis=0)
    return dout @ w.T, dw, db

rng = np.random.default_rng(6)
W1, b1, W2, b2 = rng.normal(size=(4, 6)), np.zeros(6), rng.normal(size=(6, 3)), np.zeros(3)
X, y, N = rng.normal(size=(7, 4)), rng.integers(0, 3, 7), 7
for _ in range(3):
    z = X @ W1 + b1
    h = np.maximum(z, 0)
    s = h @ W2 + b2
    p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[np.arange(N), y])) + 0.1 * (np.sum(W1 ** 2) + np.sum(W2 ** 2))
    ds = p.copy()
    ds[np.arange(N), y] -= 1
    ds /= N
    dh, dW2, db2 = affine_back(ds, h, W2)
    dX, dW1, db1 = affine_back(dh * (z > 0), X, W1)
    dW2 += 0.2 * W2
    dW1 += 0.2 * W1
    W1, b1, W2, b2 = W1 - 0.1 * dW1, b1 - 0.1 * db1, W2 - 0.1 * dW2, b2 - 0.1 * db2
"""

STORED = """\
from dataclasses import dataclass, field
import numpy as np

@dataclass
class Params:
    w_in: np.ndarray
    w_out: np.ndarray

@dataclass
class State:
    params: Params
    velocity: dict = field(default_factory=dict)

def backward(p, x, t):
    h = np.tanh(p.w_in @ x)
    e = (p.w_out @ h - t) / x.shape[1]
    return Params(w_in=((p.w_out.T @ e) * (1 - h ** 2)) @ x.T, w_out=e @ h.T)

def step(state, grads):
    for name in ("w_in", "w_out"):
        v = 0.9 * state.velocity.get(name, 0.0) - 0.1 * getattr(grads, name)
        state.velocity[name] = v
        setattr(state.params, name, getattr(state.params, name) + v)

rng = np.random.default_rng(7)
x, t = rng.normal(size=(4, 9)), rng.normal(size=(2, 9))
state = State(Params(rng.normal(size=(6, 4)), rng.normal(size=(2, 6))))
for _ in range(3):
    out = state.params.w_out @ np.tanh(state.params.w_in @ x)
    loss = np.sum((out - t) ** 2) / (2 * x.shape[1])
    step(state, backward(state.params, x, t))
"""

STILL = """\
class Node:
    def __init__(self, data):
        self.data = data
        self.grad = 0.0

nodes = [Node(0.1 * k) for k in range(30)]
for _ in range(5):
    out = nodes[-1].data * nodes[1].data
    loss = (out - 1.0) ** 2
    nodes[-1].grad = 2 * (out - 1.0) * nodes[1].data
    for node in nodes:
        node.data += -0.1 * node.grad
"""


def _judged(text: str, old: str = "", new: str = "") -> Judged:
    assert old in text
    found = judge_program("net.py", text.replace(old, new) if old else text)
    assert found is not None
    return found


def _wrong(judged: Judged) -> list[int]:
    return [line.line for line in judged.lines if line.verdict == WRONG]


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [ONE_BY_ONE, NORM, LAST_IS_ZERO, TWICE, STORED],
    ids=("one by one", "norm", "zero", "twice", "stored"),
)
def test_a_right_program_holds(text: str) -> None:
    judged = _judged(text)
    assert judged.summary.judged
    assert judged.summary.holds == judged.summary.judged


@pytest.mark.slow
def test_examples_of_a_loop_are_summed_and_their_function_is_judged() -> None:
    judged = _judged(ONE_BY_ONE)
    assert "summed over the examples" in judged.cost.text
    assert {25, 26} <= {line.line for line in judged.lines if line.verdict == HOLDS}


SLIPS = [
    (ONE_BY_ONE, "b - (eta / len(batch)) * s", "b - eta * s", 26),
    (ONE_BY_ONE, "sp = slope(z1)", "sp = slope(a1)", 34),
    (LAST_IS_ZERO, "    dc += draw", "    dc = draw", 18),
    (TWICE, "    ds /= N\n", "", 18),
]


@pytest.mark.slow
@pytest.mark.parametrize(("text", "old", "new", "line"), SLIPS, ids=("step", "factor", "zero", "no average"))
def test_the_line_of_a_mistake_is_named_and_no_other(text: str, old: str, new: str, line: int) -> None:
    assert _wrong(_judged(text, old, new)) == [line]


@pytest.mark.slow
def test_what_a_dataclass_stores_is_judged() -> None:
    assert _judged(STORED, " * (1 - h ** 2)", "").summary.wrong


def test_a_round_ends_behind_many_nodes_that_take_no_step() -> None:
    program = PythonProgram(STILL)
    program.begin()
    assert program.begun.rounds
