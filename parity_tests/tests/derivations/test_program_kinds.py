"""Kinds of programs that were called wrong, or not judged: sequences, many pairs, missing tables, torch's functions."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from parity_tests.derivations.engine import search
from parity_tests.derivations.engine.all_turns import AllTurns
from parity_tests.derivations.engine.edits.graph import _Graph
from parity_tests.derivations.engine.numbers.tape import Tape
from parity_tests.derivations.engine.places import numbered
from parity_tests.derivations.engine.python.calls import calls
from parity_tests.derivations.engine.python.exchanged import with_formula, with_statements
from parity_tests.derivations.engine.python.instrument import NUMBERED
from parity_tests.derivations.engine.python.judged import judge_program
from parity_tests.derivations.engine.python.statements import is_program
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG
from parity_tests.tests.derivations.verdicts import of_program
from parity_tests.tests.slices import sliced

SEQUENCES = """\
import numpy as np

def step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)

def step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    dpre = dnext_h * (1 - next_h ** 2)
    dWx = x.T.dot(dpre)
    dWh = prev_h.T.dot(dpre)
    db = np.sum(dpre, axis=0)
    return dpre.dot(Wx.T), dpre.dot(Wh.T), dWx, dWh, db

def rnn_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    h = np.zeros((N, T, h0.shape[1]))
    prev, caches = h0, []
    for t in range(T):
        prev, c = step_forward(x[:, t, :], prev, Wx, Wh, b)
        h[:, t, :] = prev
        caches.append(c)
    return h, caches

def rnn_backward(dh, caches):
    N, T, H = dh.shape
    D = caches[0][0].shape[1]
    dx, dWx, dWh, db = np.zeros((N, T, D)), np.zeros((D, H)), np.zeros((H, H)), np.zeros(H)
    dprev = np.zeros((N, H))
    for t in reversed(range(T)):
        dx[:, t, :], dprev, dwx, dwh, dbt = step_backward(dh[:, t, :] + dprev, caches[t])
        dWx += dwx
        dWh += dwh
        db += dbt
    return dx, dprev, dWx, dWh, db
"""

DEEP = """\
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.standard_normal((4, 12)), rng.standard_normal((1, 12))
dims = [4, 6, 5, 1]
W = {l: rng.standard_normal((dims[l], dims[l - 1])) for l in (1, 2, 3)}

def leaky(Z):
    return np.where(Z > 0, Z, 0.1 * Z)

def slope(Z, leak=0.1):
    return np.where(Z > 0, 1.0, leak)

for i in range(50):
    A, Z = {0: X}, {}
    for l in (1, 2, 3):
        Z[l] = W[l] @ A[l - 1]
        A[l] = leaky(Z[l]) if l < 3 else Z[l]
    loss = np.sum((A[3] - Y) ** 2) / 2
    dZ = A[3] - Y
    grads = {}
    for l in (3, 2, 1):
        grads[l] = dZ @ A[l - 1].T
        if l > 1:
            dZ = (W[l].T @ dZ) * slope(Z[l - 1])
    for l in (1, 2, 3):
        W[l] -= 0.01 * grads[l]
"""

ADAM = """\
import numpy as np
rng = np.random.default_rng(12)
X = rng.standard_normal((20, 3))
y = (X[:, :1] > 0).astype(float)
P = {"W": rng.standard_normal((3, 1)), "b": np.zeros((1, 1))}
M = {k: np.zeros_like(v) for k, v in P.items()}
V = {k: np.zeros_like(v) for k, v in P.items()}
for t in range(1, 100):
    p = 1 / (1 + np.exp(-(X @ P["W"] + P["b"])))
    loss = np.mean(-y * np.log(p) - (1 - y) * np.log(1 - p))
    d = (p - y) / len(X)
    G = {"W": X.T @ d, "b": d.sum(0, keepdims=True)}
    for k in P:
        M[k] = 0.9 * M[k] + 0.1 * G[k]
        V[k] = 0.999 * V[k] + 0.001 * G[k] ** 2
        P[k] = P[k] - 0.01 * M[k] / (1 - 0.9 ** t) / (np.sqrt(V[k] / (1 - 0.999 ** t)) + 1e-8)
"""

TABLE = """\
import numpy as np
data = np.loadtxt("housing.csv", delimiter=",", skiprows=1)
X, y = data[:, :-1], data[:, -1:]
n, d = X.shape
W = np.random.randn(d, 1)
for epoch in range(9):
    r = X @ W - y
    loss = np.mean(r ** 2)
    dW = 2 * X.T @ r / n
    W -= 0.1 * dW
"""

LOSS_AND_GRADIENT = """\
import numpy as np

def loss(w, X, y):
    return np.mean((X @ w - y) ** 2)

def grad_loss(w, X, y):
    g = 2 * X.T @ (X @ w - y) / len(y)
    return g
"""

NUMBERS = """\
import math
import random
random.seed(4)
points = [[random.uniform(-1, 1) for _ in range(2)] for _ in range(9)]
classes = [1 if p[0] > p[1] else 0 for p in points]

def predict(slope, bias, row):
    return 1.0 / (1.0 + math.exp(-(slope * row[0] - row[1] + bias)))

def log_likelihood(slope, bias):
    total = 0.0
    for row, y in zip(points, classes):
        p = predict(slope, bias, row)
        total += y * math.log(p) + (1 - y) * math.log(1 - p)
    return total

def gradient(slope, bias):
    grad_slope = grad_bias = 0.0
    for row, y in zip(points, classes):
        error = y - predict(slope, bias, row)
        grad_slope += error * row[0]
        grad_bias += error
    return grad_slope, grad_bias

slope, bias = 0.1, 0.2
for epoch in range(50):
    ll = log_likelihood(slope, bias)
    grad_slope, grad_bias = gradient(slope, bias)
    slope += 0.1 * grad_slope
    bias += 0.1 * grad_bias
"""

WEIGHTS = """\
import math
import random
random.seed(4)
points = [[random.uniform(-1, 1) for _ in range(3)] for _ in range(9)]
classes = [1 if p[0] > p[1] else 0 for p in points]

def predict(weights, bias, row):
    z = bias
    for j in range(len(row)):
        z += weights[j] * row[j]
    return 1.0 / (1.0 + math.exp(-z))

def log_likelihood(weights, bias):
    total = 0.0
    for row, y in zip(points, classes):
        p = predict(weights, bias, row)
        total += y * math.log(p) + (1 - y) * math.log(1 - p)
    return total

def gradient(weights, bias):
    grad_w, grad_b = [0.0] * len(weights), 0.0
    for row, y in zip(points, classes):
        error = y - predict(weights, bias, row)
        for j in range(len(row)):
            grad_w[j] += error * row[j]
        grad_b += error
    return grad_w, grad_b

weights, bias = [0.1, -0.2, 0.05], 0.0
for epoch in range(50):
    ll = log_likelihood(weights, bias)
    grad_w, grad_b = gradient(weights, bias)
    for j in range(len(weights)):
        weights[j] += 0.1 * grad_w[j]
    bias += 0.1 * grad_b
"""

UNNAMED = """\
import numpy as np

def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))

class CrossEntropyCost:
    @staticmethod
    def fn(a, y):
        return np.sum(-y * np.log(a) - (1 - y) * np.log(1 - a))

    @staticmethod
    def delta(a, y):
        return a - y

class Network:
    def __init__(self, sizes, cost=CrossEntropyCost):
        self.cost = cost
        self.weights = [np.random.randn(k, j) for j, k in zip(sizes[:-1], sizes[1:])]

    def backprop(self, x, y):
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        activation, activations, zs = x, [x], []
        for w in self.weights:
            z = np.dot(w, activation)
            zs.append(z)
            activation = sigmoid(z)
            activations.append(activation)
        delta = self.cost.delta(activations[-1], y)
        nabla_w[-1] = np.dot(delta, activations[-2].transpose())
        for l in range(2, len(activations)):
            a = activations[-l]
            delta = np.dot(self.weights[-l + 1].transpose(), delta) * a * (1 - a)
            nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())
        return nabla_w
"""

TORCH = """\
import torch

def forward(X, W1, b1, W2, b2):
    z1 = X @ W1 + b1
    a1 = torch.relu(z1)
    z2 = a1 @ W2 + b2
    return z1, a1, z2

def cross_entropy(z2, y):
    logp = z2 - torch.logsumexp(z2, dim=1, keepdim=True)
    return -logp[torch.arange(len(y)), y].mean()

def backward(X, y, z1, a1, z2, W2):
    n = X.shape[0]
    dz2 = torch.softmax(z2, dim=1)
    dz2[torch.arange(n), y] -= 1
    dz2 = dz2 / n
    dW2 = a1.t() @ dz2
    db2 = dz2.sum(dim=0)
    dz1 = (dz2 @ W2.t()) * (z1 > 0).float()
    dW1 = X.t() @ dz1
    db1 = dz1.sum(dim=0)
    return dW1, db1, dW2, db2
"""

PAIRS = "import numpy as np\n" + "\n".join(
    f"def {name}_forward(x):\n    out = {value}\n    return out, (x, out)\n"
    f"def {name}_backward(dout, cache):\n    x, out = cache\n    return dout * ({slope})\n"
    for name, value, slope in (
        ("relu", "np.maximum(0, x)", "x > 0"), ("tanh", "np.tanh(x)", "1 - out ** 2"), ("exp", "np.exp(x)", "out"),
        ("sigmoid", "1 / (1 + np.exp(-x))", "out * (1 - out)"), ("square", "x ** 2", "2 * x"),
        ("softplus", "np.log(1 + np.exp(x))", "1 / (1 + np.exp(-x))"), ("sine", "np.sin(x)", "np.cos(x)"),
        ("cubic", "x ** 3", "3 * x ** 2"),
    )
)  # fmt: skip


DELTA = "delta = self.cost.delta(activations[-1], y)"


@pytest.mark.parametrize("text", sliced([SEQUENCES, DEEP, ADAM, TABLE, TORCH, LOSS_AND_GRADIENT, NUMBERS], 24))
def test_a_right_program_is_judged_and_never_wrong(text: str) -> None:
    found = of_program(text)
    assert found.summary.wrong == found.summary.cannot_tell == 0, [line.message for line in found.lines]
    assert found.summary.holds >= 1
    assert all("def" not in line.text for line in found.lines if line.verdict == NOT_JUDGED)


@pytest.mark.parametrize(
    ("text", "old", "new", "cause"),
    [
        pytest.param(SEQUENCES, "dWh += dwh", "dWh = dwh", "overwritten", marks=pytest.mark.slow),
        pytest.param(
            SEQUENCES,
            "dpre = dnext_h * (1 - next_h ** 2)",
            "dpre = dnext_h * (1 - next_h)",
            "square-missing",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            DEEP,
            "dZ = (W[l].T @ dZ) * slope(Z[l - 1])",
            "dZ = (W[l].T @ dZ) * leaky(Z[l - 1])",
            "g-for-gprime",
            marks=pytest.mark.slow,
        ),
        (LOSS_AND_GRADIENT, "g = 2 * X.T @ (X @ w - y) / len(y)", "g = -2 * X.T @ (X @ w - y) / len(y)", "sign"),
        pytest.param(
            UNNAMED,
            DELTA,
            f"{DELTA} * sigmoid(zs[-1]) * (1 - sigmoid(zs[-1]))",
            "gprime-extra-at-output",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            DEEP,
            "return np.where(Z > 0, 1.0, leak)",
            "return np.where(Z > 0, 1.0, 0)",
            "wrong-number",
            marks=pytest.mark.slow,
        ),
        pytest.param(TORCH, "db1 = dz1.sum(dim=0)", "db1 = dz1.sum()", "db-summed-over-all", marks=pytest.mark.slow),
    ],
)
def test_a_mistake_is_one_line_with_its_repair(text: str, old: str, new: str, cause: str) -> None:
    line = text[: text.index(old)].count("\n") + 1
    (wrong,) = [each for each in of_program(text.replace(old, new)).lines if each.verdict == WRONG]
    assert (wrong.line, cause in (wrong.cause, *wrong.causes)) == (line, True), wrong
    assert wrong.repaired


def test_a_change_shares_what_it_leaves_and_gives_new_places_numbers_of_their_own() -> None:
    tree = numbered(ast.parse("a = b + c\nd = a * e\n"))
    before = ast.dump(tree)
    once = with_statements(tree, tree.body[0], ast.parse("a = b - c * 2").body)
    assert once is not None
    assert (ast.unparse(once), ast.dump(tree)) == ("a = b - c * 2\nd = a * e", before)
    assert once.body[1] is tree.body[1]
    last = once.body[1]
    assert isinstance(last, ast.Assign)
    twice = with_formula(once, last.value, ast.parse("a / (e + 1)", mode="eval").body)
    assert twice is not None
    assert ast.unparse(twice) == "a = b - c * 2\nd = a / (e + 1)"
    numbers = [getattr(node, "number", None) for node in ast.walk(twice) if isinstance(node, NUMBERED)]
    assert len(numbers) == len({*numbers} - {None})


@pytest.mark.slow
def test_all_turns_at_once_leave_half_of_the_trials_to_values_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_TRIALS", 6)
    spent: list[tuple[float, float]] = []
    whole = AllTurns.of_a_loop

    def counted(turns: AllTurns, *arguments: Any) -> Any:
        before = turns.search.spent
        found = whole(turns, *arguments)
        spent.append((before, turns.search.spent))
        return found

    monkeypatch.setattr(AllTurns, "of_a_loop", counted)
    of_program(SEQUENCES.replace("dpre = dnext_h * (1 - next_h ** 2)", "dpre = dnext_h * (1 - next_h)"))
    begun = [(before, after) for before, after in spent if before < 1]
    assert begun
    assert all(after <= (1 + before) / 2 + 1 / search.MOST_TRIALS for before, after in begun)
    assert any(after > (1 + before) / 2 for before, after in begun)  # it would have gone on


@pytest.mark.slow
def test_a_list_of_numbers_is_a_parameter() -> None:
    right, wrong = (of_program(text) for text in (WEIGHTS, WEIGHTS.replace("error * row[j]", "error")))
    steps = [each.message for each in right.lines if each.text == "weights[j] += 0.1 * grad_w[j]"]
    assert steps == [f"weights[{j}] holds, as a step along dJ/dweights[{j}]." for j in range(3)]
    assert right.summary.holds == right.summary.judged
    assert wrong.summary.wrong == 1


LOSS_IN_SCORES = """\
import numpy as np

def svm_loss(x, y):
    N = x.shape[0]
    correct = x[np.arange(N), y]
    margins = np.maximum(0, x - correct[:, np.newaxis] + 1.0)
    margins[np.arange(N), y] = 0
    loss = np.sum(margins) / N
    num_pos = np.sum(margins > 0, axis=1)
    dx = np.zeros_like(x)
    dx[margins > 0] = 1
    dx[np.arange(N), y] -= num_pos
    dx /= N
    return loss, dx

def tanh_forward(x):
    out = np.tanh(x)
    return out, out

def tanh_backward(dout, cache):
    dx = dout * (1 - cache ** 2)
    return dx
"""


def test_a_loss_whose_derivative_has_another_factor_says_so() -> None:
    right, summed = (of_program(text) for text in (LOSS_IN_SCORES, LOSS_IN_SCORES.replace("    dx /= N\n", "")))
    assert right.summary.wrong == summed.summary.wrong == 0
    assert right.convention == ""
    assert summed.convention == "what the call returns is N * dJ/dx, with J as it is written"


def test_gradients_of_the_other_sign_are_no_other_cost() -> None:
    assert not of_program(LOSS_AND_GRADIENT.replace("g = 2 *", "g = -2 *")).convention


SKIPPED = """\
import numpy as np

def norm_fwd(x, g):
    mean = x.mean(axis=-1, keepdims=True)
    rstd = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    xhat = (x - mean) * rstd
    return xhat * g, (xhat, rstd, g)

def norm_bwd(dy, cache):
    xhat, rstd, g = cache
    dg = (dy * xhat).sum(axis=0)
    dxhat = dy * g
    dx = rstd * (dxhat - dxhat.mean(axis=-1, keepdims=True) - xhat * (dxhat * xhat).mean(axis=-1, keepdims=True))
    return dx, dg

def block_fwd(x, p):
    n, cache = norm_fwd(x, p["g"])
    return x + n @ p["W"], (n, cache)

def block_bwd(dy, cache, p):
    n, cache = cache
    grads = {"W": n.T @ dy}
    dn = dy @ p["W"].T
    dx_norm, grads["g"] = norm_bwd(dn, cache)
    dx = dy + dx_norm
    return dx, grads

rng = np.random.default_rng(1)
p = {"g": rng.normal(size=5), "W": rng.normal(size=(5, 5))}
x, t = rng.normal(size=(6, 5)), rng.normal(size=(6, 5))
y, cache = block_fwd(x, p)
loss = 0.5 * np.sum((y - t) ** 2)
dx, grads = block_bwd(y - t, cache, p)
"""

UNPACKED = """\
import numpy as np

def step_forward(x, h_prev, p):
    Wz, Uz, Wh, Uh = p
    z = 1 / (1 + np.exp(-x.dot(Wz) - h_prev.dot(Uz)))
    c = np.tanh(x.dot(Wh) + h_prev.dot(Uh))
    return (1 - z) * h_prev + z * c, (x, h_prev, z, c)

def step_backward(dh, cache, p):
    Wz, Uz, Wh, Uh = p
    x, h_prev, z, c = cache
    dz = dh * (c - h_prev)
    da = dh * z * (1 - c ** 2)
    daz = dz * z * (1 - z)
    dWh = x.T.dot(da)
    dUh = h_prev.T.dot(da)
    dWz = x.T.dot(daz)
    dUz = h_prev.T.dot(daz)
    dh_prev = dh * (1 - z) + da.dot(Uh.T) + daz.dot(Uz.T)
    return dh_prev, (dWz, dUz, dWh, dUh)

def run(X, target, p):
    h, caches = np.zeros((4, 5)), []
    for t in range(3):
        h, cache = step_forward(X[t], h, p)
        caches.append(cache)
    loss = 0.5 * np.sum((h - target) ** 2)
    dh = h - target
    grads = [np.zeros_like(w) for w in p]
    for t in reversed(range(3)):
        dh, step = step_backward(dh, caches[t], p)
        for g, s in zip(grads, step):
            g += s
    return loss, grads

rng = np.random.RandomState(2)
p = [rng.randn(n, 5) * 0.4 for n in (3, 5, 3, 5)]
X, target = rng.randn(3, 4, 3), rng.randn(4, 5)
for it in range(9):
    loss, grads = run(X, target, p)
    for w, g in zip(p, grads):
        w -= 0.05 * g
"""


@pytest.mark.parametrize("text", sliced([SKIPPED, UNPACKED], 2), ids=["a skip", "steps in time"])
def test_what_a_function_returns_is_a_derivative_in_its_own_arguments(text: str) -> None:
    found = of_program(text)
    assert found.summary.holds == found.summary.judged > 5, [each.message for each in found.lines]


@pytest.mark.slow
def test_an_argument_used_twice_needs_both_ways_outside_of_its_function() -> None:
    (wrong,) = [each for each in of_program(SKIPPED.replace("dx = dy + ", "dx = ")).lines if each.verdict == WRONG]
    assert wrong.text == "dx = dx_norm"
    assert wrong.repaired == "dx = dx_norm + dy"


BATCH_NORM = """\
import numpy as np

def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta

def batchnorm_backward(dout, x, gamma, beta, eps=1e-5):
    std = np.sqrt(x.var(axis=0) + eps)
    xhat = (x - x.mean(axis=0)) / std
    dxhat = dout * gamma
    dx = (dxhat - dxhat.mean(axis=0) - xhat * np.mean(dxhat * xhat, axis=0)) / std
    return dx, np.sum(dout * xhat, axis=0), np.sum(dout, axis=0)
"""


def test_an_argument_with_a_default_is_not_what_the_forward_pass_returns() -> None:
    found = of_program(BATCH_NORM)
    assert found.summary.wrong == 0
    assert found.summary.holds >= 3


PENALTY_BEHIND_THE_STEP = """\
import numpy as np

class LogisticRegression:
    def __init__(self, lr=0.1, l2=0.3):
        self.lr, self.l2 = lr, l2

    def loss(self, h, y):
        m = y.size
        return (-y * np.log(h) - (1 - y) * np.log(1 - h)).mean() + self.l2 / (2 * m) * np.sum(self.theta ** 2)

    def fit(self, X, y):
        self.theta = np.zeros(X.shape[1])
        for i in range(3):
            h = 1 / (1 + np.exp(-np.dot(X, self.theta)))
            gradient = np.dot(X.T, h - y) / y.size
            gradient += self.l2 / y.size * self.theta
            self.theta -= self.lr * gradient
            print(self.loss(h, y))

np.random.seed(9)
X = np.random.randn(30, 3)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).astype(int)
LogisticRegression().fit(X, y)
"""


@pytest.mark.parametrize(
    "penalty", sliced(["self.l2 / y.size * self.theta", "self.l2 * self.theta", "self.l2 / y.size"], 3)
)
def test_a_penalty_in_a_loss_behind_the_step_is_that_of_the_old_values(penalty: str) -> None:
    right = "self.l2 / y.size * self.theta"
    found = of_program(PENALTY_BEHIND_THE_STEP.replace(right, penalty))
    assert [line.target for line in found.lines if line.verdict != NOT_JUDGED] != ["y"]
    assert found.summary.wrong == (penalty != right), found.lines
    assert found.summary.cannot_tell == 0


CACHED = """\
import numpy as np

def relu_backward(dA, Z):
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ

def linear_backward(dZ, cache):
    A_prev, W = cache
    return np.dot(W.T, dZ), np.dot(dZ, A_prev.T) / A_prev.shape[1]

def backward(A, Y, caches):
    grads = {}
    dA_prev, grads["dW3"] = linear_backward(A - Y, caches[2][0])
    for l in reversed(range(2)):
        dZ = relu_backward(dA_prev, caches[l][1])
        dA_prev, grads["dW" + str(l + 1)] = linear_backward(dZ, caches[l][0])
    return grads

np.random.seed(1)
X, Y = np.random.randn(6, 11), np.random.rand(1, 11)
W = [np.random.randn(5, 6), np.random.randn(4, 5), np.random.randn(1, 4)]
A, caches = X, []
for l in range(3):
    Z = np.dot(W[l], A)
    caches.append(((A, W[l]), Z))
    A = np.maximum(0, Z) if l < 2 else Z
cost = 0.5 * np.sum((A - Y) ** 2) / 11
grads = backward(A, Y, caches)
W1, W2, W3 = W
W1 -= 0.1 * grads["dW1"]
W2 -= 0.1 * grads["dW2"]
W3 -= 0.1 * grads["dW3"]
"""

GATES = """\
import numpy as np

def sigmoid(x):
    return 1 / (1 + np.exp(-x))

np.random.seed(5)
Wf, Wi = np.random.randn(4, 7) * 0.3, np.random.randn(4, 7) * 0.3
xs, target = [np.random.randn(3, 1) for _ in range(4)], np.random.randn(4, 1)
h, c, caches = np.zeros((4, 1)), np.zeros((4, 1)), []
for x in xs:
    c_old = c
    X = np.vstack((h, x))
    hf, hi = sigmoid(Wf @ X), np.tanh(Wi @ X)
    c = hf * c_old + hi
    tc = np.tanh(c)
    h = tc
    caches.append((X, hf, hi, c_old, tc))
loss = 0.5 * np.sum((h - target) ** 2)
dWf, dWi = np.zeros_like(Wf), np.zeros_like(Wi)
dh, dc = h - target, np.zeros_like(c)
for X, hf, hi, c_old, tc in reversed(caches):
    dc = dc + dh * (1 - tc ** 2)
    dhf = c_old * dc
    daf = dhf * hf * (1 - hf)
    dai = dc * (1 - hi ** 2)
    dWf += daf @ X.T
    dWi += dai @ X.T
    dh = (Wf.T @ daf + Wi.T @ dai)[:4]
    dc = hf * dc
Wf -= 0.1 * dWf
Wi -= 0.1 * dWi
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "old", "new", "line", "repaired"),
    [
        (CACHED, "    dZ[Z <= 0] = 0\n", "", "dZ = np.array(dA, copy=True)", "dZ = np.array(dA, copy=True) * (Z > 0)"),
        pytest.param(
            GATES,
            "dhf = c_old * dc",
            "dhf = c_old * dh",
            "dhf = c_old * dh",
            "dhf = c_old * dc",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            UNPACKED,
            "dz = dh * (c -",
            "dz = dh * (-c -",
            "dz = dh * (-c - h_prev)",
            "dz = dh * (c - h_prev)",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["a function called for two layers", "a gate behind a state of zeros", "a step in time"],
)
def test_a_mistake_of_all_turns_is_one_line(text: str, old: str, new: str, line: str, repaired: str) -> None:
    (wrong,) = [each for each in of_program(text.replace(old, new)).lines if each.verdict == WRONG]
    assert (wrong.text, wrong.repaired) == (line, repaired)


MASKS = """\
import numpy as np

def create_mask(x):
    return x == np.max(x)

def scale_forward(X, W, params):
    Z = X * W * params["by"]
    return Z, (X, W, params)

def scale_backward(dZ, cache):
    X, W, params = cache
    dX = dZ * W * params["by"]
    dW = np.sum(dZ * X * params["by"], axis=0)
    return dX, dW
"""


def test_a_function_that_creates_a_mask_makes_no_parameters() -> None:
    assert not any("create_mask" in way.call for way in calls(MASKS))


def test_every_pair_of_a_file_is_judged() -> None:
    found = of_program(PAIRS)
    slopes = {number for number, row in enumerate(PAIRS.splitlines(), 1) if "return dout" in row}
    assert slopes <= {line.line for line in found.lines}
    assert found.summary.not_judged == found.summary.wrong == 0


@pytest.mark.slow
def test_a_step_along_the_root_of_a_negative_number_is_mended_where_it_is_made() -> None:
    wrong = [each for each in of_program(ADAM.replace("G[k] ** 2", "G[k]")).lines if each.verdict == WRONG]
    assert {each.repaired for each in wrong} == {"V[k] = 0.999 * V[k] + 0.001 * G[k] ** 2"}


UNEVEN = """\
import numpy as np
rng = np.random.default_rng(2)
X, Y = rng.standard_normal((8, 3)), rng.standard_normal((8, 5))
A, B = rng.standard_normal((3, 4)), rng.standard_normal((4, 5))
for i in range(5):
    h = X @ A
    error = h @ B - Y
    loss = 0.5 * np.sum(error ** 2)
    for_b = 2 * (h.T @ error)
    for_a = X.T @ (error @ B.T)
    B = B - 0.01 * for_b
    A = A - 0.01 * for_a
"""


def test_a_step_along_a_gradient_that_is_too_large_is_not_the_mistake() -> None:
    (wrong,) = [each for each in of_program(UNEVEN).lines if each.verdict == WRONG]
    assert (wrong.text, wrong.repaired) == ("for_b = 2 * (h.T @ error)", "for_b = h.T @ error")


def test_a_list_of_caches_of_several_shapes_says_no_value() -> None:
    names = {"caches": [((np.ones((3, 4)), np.ones((2, 3))), np.ones((2, 4)))]}
    graph: Any = SimpleNamespace(scope=SimpleNamespace(exact=lambda _: "", names=names))
    assert _Graph.said(graph, ast.Name("caches"), np.ones((2, 4))) is None


def test_a_table_that_is_not_there_is_said() -> None:
    assert "made-up data stand in for housing.csv, which is not there" in of_program(TABLE).layout


BIGRAM = """\
import numpy as np
text = open("input.txt").read()
letters = sorted(set(text))
X = np.eye(len(letters))[[letters.index(each) for each in text[:9]]]
y = np.array([letters.index(each) for each in text[1:10]])
W = np.random.randn(len(letters), len(letters))
for _ in range(100):
    Z = X @ W
    P = np.exp(Z) / np.exp(Z).sum(1, keepdims=True)
    loss = -np.log(P[np.arange(9), y]).mean()
    dZ = P.copy()
    dZ[np.arange(9), y] -= 1
    W -= 0.5 * X.T @ dZ / 9
"""


def test_a_text_that_is_not_there_is_made_up_and_said() -> None:
    found = of_program(BIGRAM)
    assert "made-up data stand in for input.txt, which is not there" in found.layout
    assert found.summary.wrong == 0
    assert found.summary.holds > 0
    assert of_program(BIGRAM.replace("X.T @ dZ", "X.T @ (dZ + 0.1)")).summary.wrong == 1


@pytest.mark.parametrize("how", ['"input.dat"', '"input.txt", "rb"'])
def test_nothing_else_is_made_up(how: str) -> None:
    assert judge_program("net.py", BIGRAM.replace('"input.txt"', how)) is None


def test_what_autograd_cannot_follow_to_the_end_is_not_called_wrong() -> None:
    text = TABLE.replace('np.loadtxt("housing.csv", delimiter=",", skiprows=1)', "np.random.randn(12, 6)")
    kept = "    kept = np.partition(dW, 1, axis=0)\n"
    found = judge_program("net.py", text.replace("    W -= 0.1 * dW", f"{kept}    W -= 0.1 * dW"))
    assert found is None or found.summary.wrong == 0


@pytest.mark.parametrize("index", [(slice(None), np.array([0, 1, 1])), (np.array([0, 0]), np.array([1, 2]))])
def test_what_is_added_at_places_is_on_the_tape(index: Any) -> None:
    start, plain = np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3)
    values = np.array([1.0, 2.0, 4.0])[: plain[index].shape[-1]]
    tape = Tape(torch.as_tensor(start))
    np.add.at(tape, index, Tape(torch.as_tensor(values)))
    np.add.at(plain, index, values)
    np.testing.assert_array_equal(np.asarray(tape), plain)


def test_one_axis_of_each_side_is_summed_over_on_the_tape() -> None:
    a, b = np.arange(6.0).reshape(2, 3), np.arange(8.0).reshape(4, 2)
    product = np.tensordot(Tape(torch.as_tensor(a)), Tape(torch.as_tensor(b)), axes=(0, 1))
    np.testing.assert_allclose(np.asarray(product), np.tensordot(a, b, axes=(0, 1)))


HINGE = """\
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.standard_normal((9, 2)), np.array([1, -1, 1, 1, -1, -1, 1, -1, 1])

class SVM:
    def cost(self, X, y):
        return 0.5 * self.w.dot(self.w) + 2 * np.mean(np.maximum(0, 1 - y * (X.dot(self.w) + self.b)))

    def gradient(self, X, y):
        active = y * (X.dot(self.w) + self.b) < 1
        dw = self.w - 2 / len(y) * X[active].T.dot(y[active])
        db = -2 / len(y) * np.sum(y[active])
        return dw, db

    def fit(self, X, y):
        self.w, self.b = np.zeros(2), 0.0
        for _ in range(9):
            dw, db = self.gradient(X, y)
            self.w -= 0.1 * dw
            self.b -= 0.1 * db
            print(self.cost(X, y))

SVM().fit(X, y)
"""

ROWS = """\
import numpy as np
C, O = np.random.randn(5, 3), np.random.randn(5, 3)

def sigmoid(x):
    return 1 / (1 + np.exp(-x))

def pair(center, outside, k):
    s, t = sigmoid(outside[k] @ center), sigmoid(-outside[0] @ center)
    loss = -np.log(s) - np.log(t)
    grad_center = (s - 1) * outside[k]
    grad_center += (1 - t) * outside[0]
    grad_outside = np.zeros_like(outside)
    grad_outside[k] = (s - 1) * center
    grad_outside[0] = (1 - t) * center
    return loss, grad_center, grad_outside

def window(C, O):
    loss, gC, gO = 0.0, np.zeros_like(C), np.zeros_like(O)
    for k in (1, 3):
        value, gc, go = pair(C[2], O, k)
        loss += value
        gC[2] += gc
        gO += go
    return loss, gC, gO

for step in range(5):
    loss, gC, gO = window(C, O)
    C -= 0.1 * gC
    O -= 0.1 * gO
"""

FITTED = """\
import numpy as np

class Softmax:
    def __init__(self):
        self.W, self.reg = np.random.randn(3, 4), 0.1

    def shares(self, X):
        e = np.exp(X @ self.W)
        return e / e.sum(axis=1, keepdims=True)

    def loss(self, X, T):
        return -np.sum(T * np.log(self.shares(X))) / len(X) + 0.5 * self.reg * np.sum(self.W ** 2)

    def grad(self, X, T):
        E = (self.shares(X) - T) / len(X)
        dW = X.T @ E
        dW = dW + self.reg * self.W
        return dW

    def fit(self, X, T):
        for epoch in range(3):
            for start in range(0, 12, 4):
                self.W -= 0.1 * self.grad(X[start:start + 4], T[start:start + 4])
            print(self.loss(X, T))

Softmax().fit(np.random.randn(12, 3), np.eye(4)[np.arange(12) % 4])
"""

REWARDS = """\
import numpy as np
model = {"W1": np.random.randn(4, 3), "W2": np.random.randn(4)}
x, adv = np.random.randn(7, 3), np.random.randn(7)
actions = np.array([1, 0, 0, 1, 1, 0, 1])

def forward(x):
    h = np.tanh(x @ model["W1"].T)
    return 1 / (1 + np.exp(-(h @ model["W2"]))), h

def objective(x):
    p, _ = forward(x)
    return np.sum(adv * np.log(np.where(actions == 1, p, 1 - p)))

for episode in range(3):
    p, h = forward(x)
    print(episode, objective(x))
    dlogp = (actions - p) * adv
    dh = np.outer(dlogp, model["W2"]) * (1 - h ** 2)
    grad = {"W1": dh.T @ x, "W2": h.T @ dlogp}
    for k in model:
        model[k] += 0.01 * grad[k]
"""

STATES = """\
import numpy as np
X, y = np.random.randn(5, 3, 2), np.random.randn(5, 4)
Wx, Wh, beta, v = np.random.randn(2, 4), np.random.randn(4, 4), np.zeros(1), np.zeros(1)

def forward(x, h, Wx, Wh):
    new = np.tanh(x @ Wx + h @ Wh)
    return new, (x, h, Wx, Wh, new)

def backward(dnew, cache):
    x, h, Wx, Wh, new = cache
    da = dnew * (1 - new ** 2)
    return da @ Wh.T, x.T @ da, h.T @ da

for step in range(3):
    h, caches = np.zeros((5, 4)), []
    for t in range(3):
        h, cache = forward(X[:, t], h, Wx, Wh)
        caches.append(cache)
    loss = np.mean((h + beta - y) ** 2)
    dh = 2 * (h + beta - y) / y.size
    grads = {"beta": dh.sum().reshape(1), "Wx": 0, "Wh": 0}
    for cache in reversed(caches):
        dh, gx, gh = backward(dh, cache)
        grads["Wx"] = grads["Wx"] + gx
        grads["Wh"] = grads["Wh"] + gh
    v = 0.9 * v + 0.1 * grads["beta"] ** 2
    Wx, Wh = Wx - 0.1 * grads["Wx"], Wh - 0.1 * grads["Wh"]
    beta = beta - 0.1 * grads["beta"] / (np.sqrt(v) + 1e-8)
"""


@pytest.mark.parametrize(
    "text", sliced([HINGE, ROWS, FITTED, REWARDS, STATES], 5), ids=["hinge", "rows", "loss", "rewards", "states"]
)
def test_a_right_program_of_this_kind_holds(text: str) -> None:
    found = of_program(text)
    assert found.summary.wrong == found.summary.cannot_tell == 0
    assert found.summary.holds >= 3


GATED = """\
import numpy as np
Wz, Uz, Wn, Un = (np.random.randn(3, 3) for _ in range(4))
X, target = np.random.randn(4, 5, 3), np.random.randn(5, 3)
for step in range(3):
    h, steps = np.zeros((5, 3)), []
    for x in X:
        z, n = 1 / (1 + np.exp(-(x @ Wz + h @ Uz))), np.tanh(x @ Wn + h @ Un)
        steps.append((x, h, z, n))
        h = (1 - z) * h + z * n
    loss = 0.5 * np.sum((h - target) ** 2)
    dh = h - target
    dWz, dUz, dWn, dUn = 0, 0, 0, 0
    for x, h, z, n in reversed(steps):
        dz = dh * (n - h) * z * (1 - z)
        dn = dh * z * (1 - n ** 2)
        dWz = dWz + x.T @ dz
        dUz = dUz + h.T @ dz
        dWn = dWn + x.T @ dn
        dUn = dUn + h.T @ dn
        dh = dh * (1 - z) + dz @ Uz.T + dn @ Un.T
    Wz, Uz, Wn, Un = Wz - 0.1 * dWz, Uz - 0.1 * dUz, Wn - 0.1 * dWn, Un - 0.1 * dUn
"""

PENALISED = """\
import numpy as np
X, y, theta, lam = np.random.randn(8, 3), np.random.randn(8), np.random.randn(3), 0.7
for step in range(3):
    cost = np.sum((X @ theta - y) ** 2) / 8 + lam * np.sum(theta[1:] ** 2)
    grad = 2 * X.T @ (X @ theta - y) / 8
    grad[1:] += 2 * lam * theta[1:]
    theta = theta - 0.1 * grad
"""

HEADS = """\
import numpy as np
X, Y, mask = np.random.randn(2, 4, 3), np.random.randn(2, 4, 3), np.tril(np.ones((4, 4)))
Wq, Wk = np.random.randn(3, 3), np.random.randn(3, 3)
for step in range(3):
    Q, K = X @ Wq, X @ Wk
    e = np.exp(np.where(mask == 0, -1e9, Q @ K.transpose(0, 2, 1)))
    A = e / e.sum(-1, keepdims=True)
    loss = 0.5 * np.sum((A @ X - Y) ** 2)
    dA = (A @ X - Y) @ X.transpose(0, 2, 1)
    dS = A * (dA - (dA * A).sum(-1, keepdims=True))
    dQ = dS @ K
    dK = dS.transpose(0, 2, 1) @ Q
    Wq -= 0.1 * np.einsum("btd,bte->de", X, dQ)
    Wk -= 0.1 * np.einsum("btd,bte->de", X, dK)
"""


@pytest.mark.parametrize(
    ("text", "old", "new", "line", "repaired"),
    sliced([
        (HINGE, "np.sum(y[active])", "np.sum(y)", 12, "db = -2 / len(y) * np.sum(y * active)"),
        (ROWS, "(1 - t) * outside[0]", "(1 + t) * outside[0]", 11, "grad_center += (1 - t) * outside[0]"),
        (GATED, " + dn @ Un.T", "", 20, "dh = dh * (1 - z) + dz @ Uz.T + dn @ Un.T"),
        (PENALISED, "grad[1:] += 2 * lam * theta[1:]", "grad += 2 * lam * theta", 6, "grad[1:] += 2 * lam * theta[1:]"),
        (HEADS, "A * (dA - (dA * A).sum(-1, keepdims=True))", "A * (1 - A) * dA", 10,
         "dS = A * (dA - np.sum(dA * A, axis=-1, keepdims=True))"),
        (HEADS, "dS.transpose(0, 2, 1)", "dS", 12, "dK = dS.transpose(0, 2, 1) @ Q"),
    ], 6),
    ids=["labels of all", "rows", "a term of all turns", "penalised bias", "softmax", "three axes"],
)  # fmt: skip
def test_a_mistake_of_this_kind_is_mended(text: str, old: str, new: str, line: int, repaired: str) -> None:
    assert old in text
    (wrong,) = [each for each in of_program(text.replace(old, new)).lines if each.verdict == WRONG]
    assert (wrong.line, wrong.repaired) == (line, repaired)


def test_two_steps_of_one_line_are_not_of_two_lengths() -> None:
    text = UNEVEN.replace("    B = B - 0.01 * for_b\n    A = A - 0.01 * for_a\n", "")
    text += "    for p, g in ((B, for_b), (A, for_a)):\n        p -= 0.01 * g\n"
    assert [each.text for each in of_program(text).lines if each.verdict == WRONG] == ["for_b = 2 * (h.T @ error)"]


UNITS_BY_NAME = """\
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(3, 7)), (rng.uniform(size=(1, 7)) > 0.5) * 1.0
layers = [{"W": rng.normal(size=s), "unit": u} for s, u in (((5, 3), "relu"), ((4, 5), "tanh"), ((1, 4), "sigmoid"))]


def act(Z, unit):
    return np.maximum(0, Z) if unit == "relu" else np.tanh(Z) if unit == "tanh" else 1 / (1 + np.exp(-Z))


def act_backward(dA, Z, unit):
    if unit == "relu":
        return dA * (Z > 0)
    if unit == "tanh":
        return dA * (1 - np.tanh(Z) ** 2)
    A = act(Z, unit)
    return dA * A * (1 - A)


for i in range(100):
    A = X
    for layer in layers:
        layer["A_prev"] = A
        layer["Z"] = layer["W"] @ A
        A = act(layer["Z"], layer["unit"])
    J = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / 7
    dA = -(Y / A - (1 - Y) / (1 - A)) / 7
    for layer in reversed(layers):
        dZ = act_backward(dA, layer["Z"], layer["unit"])
        layer["dW"] = dZ @ layer["A_prev"].T
        dA = layer["W"].T @ dZ
    for layer in layers:
        layer["W"] -= 0.1 * layer["dW"]
"""
"""Each turn of the way back has the slope of another unit."""


@pytest.mark.slow
def test_a_repair_that_holds_in_the_first_turn_alone_is_none() -> None:
    wrong = of_program(UNITS_BY_NAME.replace(".T @ dZ", ".T @ dA")).lines
    assert [each.repaired for each in wrong if each.verdict == WRONG] == ['dA = layer["W"].T @ dZ']


THREE_CALLS = """\
import numpy as np

rng = np.random.default_rng(0)
W, b = rng.standard_normal((4, 3)), np.zeros(3)
A, P, N = (rng.standard_normal((6, 4)) for _ in range(3))

def encode(x):
    return x @ W + b, x

def encode_backward(dout, x):
    grads = {}
    grads["W"] = x.T @ dout
    grads["b"] = dout.sum(axis=0)
    return grads

for step in range(10):
    (a, ca), (p, cp), (n, cn) = encode(A), encode(P), encode(N)
    slack = 1.0 + np.sum((a - p) ** 2, axis=1, keepdims=True) - np.sum((a - n) ** 2, axis=1, keepdims=True)
    loss = np.sum(np.maximum(slack, 0))
    on = slack > 0
    ga = encode_backward(2 * (n - p) * on, ca)
    gp = encode_backward(-2 * (a - p) * on, cp)
    gn = encode_backward(2 * (a - n) * on, cn)
    W -= 0.01 * (ga["W"] + gp["W"] + gn["W"])
    b -= 0.01 * (ga["b"] + gp["b"] + gn["b"])
"""
"""J has differences of outputs alone, so it does not change with their bias."""


def test_the_parts_of_a_derivative_that_is_0_may_cancel() -> None:
    found = of_program(THREE_CALLS)
    assert {each.verdict for each in found.lines} == {HOLDS}, found.lines
    assert any("all calls cancel, as dJ/db is 0 here" in each.message for each in found.lines)
    wrong = of_program(THREE_CALLS.replace("(a - n) * on, cn", "(a + n) * on, cn"))
    assert any(each.verdict == WRONG and each.line == 25 and "b takes a step" in each.message for each in wrong.lines)


WITH_A_BORDER = """\
import numpy as np

def convolve(x, w):
    xp = np.pad(x, ((0, 0), (1, 1)))
    out = np.zeros(x.shape)
    for i in range(3):
        out += xp[:, i:i + x.shape[1]] * w[i]
    return out, xp

x, t, w = np.random.randn(4, 5), np.random.randn(4, 5), np.ones(3)
for step in range(4):
    out, xp = convolve(x, w)
    loss = np.sum((out - t) ** 2)
    d = 2 * (out - t)
    dw = np.array([np.sum(d * xp[:, i:i + x.shape[1]]) for i in range(3)])
    w -= 0.1 * dw
"""


@pytest.mark.parametrize("widths", ["((0, 0), (1, 1))", "[(0, 0), (1, 1)]"])
def test_the_widths_of_a_border_are_no_examples(widths: str) -> None:
    found = of_program(WITH_A_BORDER.replace("((0, 0), (1, 1))", widths))
    assert {each.verdict for each in found.lines} == {HOLDS}, found.lines


NAMED_AS_IN_TUTORIALS = """\
import numpy as np

class NeuralNetwork:
    def __init__(self):
        self.weights = 2 * np.random.random((3, 1)) - 1

    def think(self, inputs):
        return 1 / (1 + np.exp(-np.dot(inputs, self.weights)))

    def train(self, training_inputs, training_outputs, rounds):
        for _ in range(rounds):
            output = self.think(training_inputs)
            error = training_outputs - output
            self.weights += np.dot(training_inputs.T, error * output * (1 - output))

network = NeuralNetwork()
training_inputs = np.array([[0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1]])
training_outputs = np.array([[0, 1, 1, 0]]).T
network.train(training_inputs, training_outputs, 10000)
print(network.think(np.array([float(input()), 0, 0])))
"""


@pytest.mark.parametrize("word", ["training_outputs", "training_labels", "target_values", "desired_output", "y_data"])
def test_labels_are_known_by_what_people_call_them(word: str) -> None:
    text = NAMED_AS_IN_TUTORIALS.replace("training_outputs", word)
    found = of_program(text)
    assert found.summary.holds == found.summary.judged > 0
    assert word in found.cost.text
    other = of_program(text.replace("output * (1 - output)", "output * (1 + output)"))
    assert [each.verdict for each in other.lines if each.line == 14] == [NOT_JUDGED]  # J may be the cross-entropy


MINIMISED = """\
import numpy as np
from scipy import optimize

X, y = np.random.randn(6, 2), np.random.rand(6, 1)

class Net:
    def __init__(self):
        self.W1, self.W2 = np.random.randn(2, 3), np.random.randn(3, 1)

    def set(self, params):
        self.W1 = np.reshape(params[:6], (2, 3))
        self.W2 = np.reshape(params[6:], (3, 1))

    def cost(self, X, y):
        self.a = np.tanh(X @ self.W1)
        self.out = self.a @ self.W2
        return 0.5 * np.sum((y - self.out) ** 2)

    def gradient(self, X, y):
        delta = self.out - y
        dW2 = self.a.T @ delta
        dW1 = X.T @ (delta @ self.W2.T * (1 - self.a ** 2))
        return np.concatenate((dW1.ravel(), dW2.ravel()))

net = Net()

def both(params, X, y):
    net.set(params)
    cost = net.cost(X, y)
    return cost, net.gradient(X, y)

found = optimize.minimize(both, np.concatenate((net.W1.ravel(), net.W2.ravel())), jac=True, method="BFGS", args=(X, y))
net.set(found.x)
"""


def test_what_scipy_minimises_is_called_once_where_it_begins() -> None:
    """The weights are views of one vector of parameters, and go on as attributes."""
    found = of_program(MINIMISED)
    assert {each.verdict for each in found.lines} == {HOLDS}, found.lines
    assert "minimize replaced: what is minimised is called once" in found.layout
    wrong = of_program(MINIMISED.replace("(1 - self.a ** 2)", "(1 - self.a)"))
    assert [(each.line, each.cause) for each in wrong.lines if each.verdict == WRONG] == [(22, "square-missing")]


@pytest.mark.parametrize(
    "call",
    [
        "optimize.fmin_cg(value, begin, fprime=slope)",
        "optimize.fmin_tnc(both, begin, args=(X, y))[0]",
        "optimize.fmin_l_bfgs_b(both, begin, args=(X, y))[0]",
    ],
)
def test_other_minimisers_are_called_once(call: str) -> None:
    beside = "begin = np.concatenate((net.W1.ravel(), net.W2.ravel()))\n"
    beside += "def value(params):\n    return both(params, X, y)[0]\n"
    beside += "def slope(params):\n    return both(params, X, y)[1]\n"
    text = f"{MINIMISED[: MINIMISED.index('found = ')]}{beside}x = {call}\nnet.set(x)\n"
    found = of_program(text)
    assert found.summary.wrong == 0 < found.summary.holds


def test_a_file_that_hands_its_function_on_to_be_called_is_a_program() -> None:
    text = "import numpy as np\n\ndef f(x):\n    return np.sum(x ** 2), 2 * x\n\nstart = np.ones(3)\n"
    assert not is_program(text)
    assert is_program(f"{text}found = minimize(f, start, jac=True)\n")
    assert is_program(f"{text}found = minimize(fun=f, x0=start, jac=True)\n")
