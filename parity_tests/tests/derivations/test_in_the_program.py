"""Mistakes in lines whose values are no derivatives: one change of such a line makes all of a program right."""

from __future__ import annotations

import pytest

from parity_tests.derivations.verdicts import Verdict
from parity_tests.tests.derivations.verdicts import line_of, of_program, wrong_in
from parity_tests.tests.slices import sliced

SOFTMAX = """\
import numpy as np

class Loss:
    def forward(self, scores, targets):
        self.targets = targets
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        self.probs = e / e.sum(axis=1, keepdims=True)
        return -np.mean(np.log(self.probs[np.arange(len(targets)), targets]))

    def backward(self):
        n = len(self.targets)
        d = self.probs.copy()
        d[np.arange(n), self.targets] -= 1
        return d / n

class Relu:
    def forward(self, x):
        self.off = x <= 0
        out = x.copy()
        out[self.off] = 0
        return out

    def backward(self, dout):
        dout[self.off] = 0
        return dout

rng = np.random.default_rng(3)
X, labels = rng.normal(size=(9, 4)), rng.integers(0, 3, 9)
W1, W2 = rng.normal(size=(4, 6)), rng.normal(size=(6, 3))
reg, relu, criterion = 0.1, Relu(), Loss()
for step in range(5):
    h = relu.forward(X @ W1)
    loss = criterion.forward(h @ W2, labels) + 0.5 * reg * (np.sum(W1 ** 2) + np.sum(W2 ** 2))
    dscores = criterion.backward()
    grads = {}
    grads['W2'] = h.T @ dscores + reg * W2
    dh = relu.backward(dscores @ W2.T)
    grads['W1'] = X.T @ dh + reg * W1
    W1 -= 0.1 * grads['W1']
    W2 -= 0.1 * grads['W2']
"""

PARTS = """\
from dataclasses import dataclass
import numpy as np

@dataclass
class Params:
    w: np.ndarray
    b: np.ndarray
    v: np.ndarray

def backward(p, x, t):
    h = np.tanh(p.w @ x + p.b)
    e = (p.v @ h - t) / t.shape[1]
    back = (p.v.T @ e) * (1 - h ** 2)
    return Params(w=back @ x.T, b=back.sum(axis=1, keepdims=True), v=e @ h.T)

rng = np.random.default_rng(23)
x, t = rng.normal(size=(4, 7)), rng.normal(size=(2, 7))
p = Params(rng.normal(size=(6, 4)), np.zeros((6, 1)), rng.normal(size=(2, 6)))
for epoch in range(5):
    loss = np.sum((p.v @ np.tanh(p.w @ x + p.b) - t) ** 2) / (2 * t.shape[1])
    grads = backward(p, x, t)
    for name in ('w', 'b', 'v'):
        setattr(p, name, getattr(p, name) - 0.1 * getattr(grads, name))
"""

PAIRS = """\
import numpy as np

rng = np.random.default_rng(8)
U, C = rng.normal(size=(7, 5)), rng.normal(size=(7, 5))
pairs = [(1, 4), (3, 2), (6, 0), (1, 0)]
rate = 0.1
for epoch in range(4):
    total, gradU, gradC = 0.0, np.zeros_like(U), np.zeros_like(C)
    for centre, outside in pairs:
        p = 1 / (1 + np.exp(-C[outside] @ U[centre]))
        total += -np.log(p) / len(pairs)
        gradU[centre] += (p - 1) * C[outside] / len(pairs)
        go = np.zeros_like(C)
        go[outside] = (p - 1) * U[centre]
        gradC += go / len(pairs)
    U -= rate * gradU
    C -= rate * gradC
"""


UNNAMED = """\
import numpy as np

def gradient(A, B, x, counts):
    pre = x @ A
    act = np.maximum(pre, 0)
    d_eta = (np.exp(act @ B) - counts) / counts.size
    d_act = d_eta @ B.T
    d_pre = d_act * (act > 0)
    return [x.T @ d_pre, act.T @ d_eta]

rng = np.random.default_rng(11)
x, counts = rng.normal(size=(9, 3)), rng.poisson(2.0, size=(9, 2)).astype(float)
w = [rng.normal(size=(3, 7)), rng.normal(size=(7, 2))]
for step in range(5):
    pre = x @ w[0]
    eta = np.maximum(pre, 0) @ w[1]
    loss = np.mean(np.exp(eta) - counts * eta)
    w = [p - 0.05 * d for p, d in zip(w, gradient(*w, x, counts))]
"""


def _wrong(program: str, right: str, wrong: str) -> tuple[int, list[Verdict]]:
    """The line with the mistake, and what is called wrong."""
    text = program.replace(right, wrong)
    judged = of_program(text)
    line = line_of(right, program)
    return line, wrong_in(judged)


@pytest.mark.parametrize(
    "program", sliced([SOFTMAX, PARTS, PAIRS, UNNAMED], 4), ids=["softmax", "parts", "pairs", "unnamed"]
)
def test_right_programs_hold(program: str) -> None:
    judged = of_program(program)
    assert (judged.summary.wrong, judged.summary.cannot_tell) == (0, 0)
    assert judged.summary.judged


@pytest.mark.parametrize(
    ("program", "right", "wrong", "away", "cause", "repaired"),
    sliced(
        [
            (UNNAMED, "d_act * (act > 0)", "d_act * (act < 0)", 0, "wrong-operator", "act > 0"),
            (
                SOFTMAX,
                "        d[np.arange(n), self.targets] -= 1\n",
                "",
                -1,
                "label-not-subtracted",
                "self.targets] -= 1",
            ),
            (SOFTMAX, "self.targets] -= 1", "self.targets] += 1", 0, "sign", "d[np.arange(n), self.targets] -= 1"),
            (SOFTMAX, "        dout[self.off] = 0\n", "", 0, "gprime-missing", "return dout * ~self.off"),
            (SOFTMAX, "X.T @ dh + reg * W1", "X.T @ dh", 0, "l2-missing", "reg * W1"),
            (PARTS, "back.sum(axis=1, keepdims=True)", "back.sum(keepdims=True)", 0, "db-summed-over-all", "axis=1"),
            (PARTS, "w=back @ x.T", "w=-back @ x.T", 0, "sign", "w=back @ x.T"),
            (PAIRS, "gradC += go / len(pairs)", "gradC += go", 0, "missing-1/m", "gradC += go / len(pairs)"),
        ],
        6,
    ),
    ids=["zeros", "label", "sign-at-labels", "mask", "penalty", "axis", "argument", "average"],
)
def test_one_change_of_a_line_that_is_no_derivative(
    program: str, right: str, wrong: str, away: int, cause: str, repaired: str
) -> None:
    line, found = _wrong(program, right, wrong)
    assert [(each.line, each.cause) for each in found] == [(line + away, cause)]
    assert repaired in found[0].repaired


def test_a_count_that_stands_in_a_step_is_meant() -> None:
    _, found = _wrong(PAIRS, "C -= rate * gradC", "C -= 4 * rate * gradC")
    assert found == []
