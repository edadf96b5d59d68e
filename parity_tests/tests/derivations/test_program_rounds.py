"""What a round of a program is: parameters that begin as zeros or ones, rows of a table, examples one by one."""

from __future__ import annotations

import numpy as np
import pytest

from parity_tests.derivations.engine.python.reading import PythonReading
from parity_tests.derivations.verdicts import HOLDS, WRONG, Verdict
from parity_tests.tests.derivations.verdicts import of_program, wrong_in
from parity_tests.tests.slices import sliced

SCALED = """\
import numpy as np
class Net:
    def __init__(self, n_in, n_out):
        self.W = 0.1 * np.random.randn(n_in, n_out)
        self.gamma = np.ones(n_out)
    def loss(self, X, y):
        z = X @ self.W
        out = self.gamma * np.tanh(z)
        e = out - y
        dgamma = np.sum(e * np.tanh(z), axis=0)
        dz = e * self.gamma * (1 - np.tanh(z) ** 2)
        dW = X.T @ dz
        return 0.5 * np.sum(e ** 2), dW, dgamma
"""
DEAD = """\
import numpy as np
class Net:
    def __init__(self, n_in, n_hidden, n_out):
        self.params = {"W1": np.random.randn(n_in, n_hidden), "W2": np.random.randn(n_hidden, n_out)}
        self.params["b1"] = np.zeros(n_hidden)
    def loss(self, X, y):
        W1, b1, W2 = self.params["W1"], self.params["b1"], self.params["W2"]
        X = X * (np.arange(len(X)) > 0)[:, None]
        z1 = X @ W1 + b1
        h1 = np.maximum(z1, 0)
        e = h1 @ W2 - y
        loss = 0.5 * np.sum(e ** 2)
        grads = {"W2": h1.T @ e}
        dz1 = e @ W2.T
        dz1[z1 <= 0] = 0
        grads["W1"] = X.T @ dz1
        grads["b1"] = dz1.sum(axis=0)
        return loss, grads
"""
ROWS = """\
import numpy as np
rng = np.random.RandomState(0)
V, U = rng.rand(7, 3) - 0.5, rng.rand(7, 3) - 0.5
for center, target, negs in [(0, 1, [2, 3]), (4, 5, [6, 0])]:
    v, u, n = V[center], U[target], U[negs]
    s, t = 1 / (1 + np.exp(-u @ v)), 1 / (1 + np.exp(-n @ v))
    loss = -np.log(s) - np.sum(np.log(1 - t))
    gv = (s - 1) * u + t @ n
    gu = (s - 1) * v
    gn = np.outer(t, v)
    V[center] -= 0.1 * gv
    U[target] -= 0.1 * gu
    U[negs] -= 0.1 * gn
"""
ONE_BY_ONE = """\
import numpy as np
class Cost:
    @staticmethod
    def fn(a, y):
        return 0.5 * np.sum((a - y) ** 2)
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
class Net:
    def __init__(self):
        self.W, self.V = np.random.randn(4, 3), np.random.randn(2, 4)
    def backprop(self, x, y):
        h = sigmoid(self.W @ x)
        a = self.V @ h
        delta = a - y
        dV = delta @ h.T
        delta = (self.V.T @ delta) * h * (1 - h)
        return delta @ x.T, dV
    def update(self, batch):
        nabla_W, nabla_V = np.zeros(self.W.shape), np.zeros(self.V.shape)
        for x, y in batch:
            dW, dV = self.backprop(x, y)
            nabla_W = nabla_W + dW
            nabla_V = nabla_V + dV
        self.W = self.W - 0.1 / len(batch) * nabla_W
        self.V = self.V - 0.1 / len(batch) * nabla_V
net = Net()
data = [(np.random.rand(3, 1), np.random.rand(2, 1)) for _ in range(3)]
for epoch in range(2):
    net.update(data)
"""


def wrong(text: str) -> list[Verdict]:
    return [line for line in of_program(text).lines if line.verdict == WRONG]


@pytest.mark.parametrize("text", [SCALED, DEAD, ROWS, pytest.param(ONE_BY_ONE, marks=pytest.mark.slow)])
def test_right(text: str) -> None:
    found = of_program(text)
    assert found.summary.wrong == found.summary.cannot_tell == 0, [line.message for line in found.lines]
    assert found.summary.holds > 2


@pytest.mark.parametrize(
    ("text", "old", "new", "cause"),
    [
        (SCALED, "dz = e * self.gamma * (1", "dz = e * (1", "missing-factor"),
        (ROWS, "gn = np.outer(t, v)", "gn = np.outer(t - 1, v)", "extra-term"),
        pytest.param(ONE_BY_ONE, " * h * (1 - h)", " * h * (1 + h)", "sign", marks=pytest.mark.slow),
    ],
)
def test_wrong(text: str, old: str, new: str, cause: str) -> None:
    (line,) = wrong(text.replace(old, new))
    assert (line.line, cause in (line.cause, *line.causes)) == (text[: text.index(old)].count("\n") + 1, True), line
    assert line.repaired


SOFTMAX = """\
import numpy as np
rng = np.random.RandomState(1)
X, Y = rng.randn(7, 4), np.eye(3)[rng.randint(0, 3, 7)]
Theta = rng.randn(4, 3)
alpha = 0.1
for epoch in range(9):
    Z = np.exp(X.dot(Theta))
    P = Z / Z.sum(axis=1, keepdims=True)
    loss = -np.mean(np.sum(Y * np.log(P), axis=1)) + alpha / 2 * np.sum(Theta[1:] ** 2)
    error = P - Y
    gradients = X.T.dot(error) / len(X) + np.r_[np.zeros([1, 3]), alpha * Theta[1:]]
    Theta = Theta - 0.1 * gradients
"""
NORMALISED = """\
import numpy as np
def norm_forward(x, gamma):
    mean, std = np.mean(x, axis=0), np.sqrt(np.var(x, axis=0) + 1e-5)
    x_hat = (x - mean) / std
    return gamma * x_hat, (x_hat, gamma, std)
def norm_backward(dout, cache):
    x_hat, gamma, std = cache
    dx_hat = dout * gamma
    dx = (dx_hat - np.mean(dx_hat, axis=0) - x_hat * np.mean(dx_hat * x_hat, axis=0)) / std
    return dx, np.sum(dout * x_hat, axis=0)
rng = np.random.RandomState(1)
X, y = rng.randn(7, 5), rng.randn(7, 3)
p = {"W1": rng.randn(5, 4), "g1": np.ones(4), "W2": rng.randn(4, 3), "g2": np.ones(3)}
h, caches = X, {}
for i in (1, 2):
    z = h @ p["W%d" % i]
    out, cache = norm_forward(z, p["g%d" % i])
    caches[i] = h, cache
    h = np.tanh(out)
    caches[i] += (h,)
loss = 0.5 * np.sum((h - y) ** 2)
grads = {}
dh = h - y
for i in (2, 1):
    h_prev, cache, h = caches[i]
    dout = dh * (1 - h ** 2)
    dz, grads["g%d" % i] = norm_backward(dout, cache)
    grads["W%d" % i] = h_prev.T @ dz
    dh = dz @ p["W%d" % i].T
"""


@pytest.mark.parametrize("text", sliced([SOFTMAX, NORMALISED], 2))
def test_right_too(text: str) -> None:
    assert of_program(text).summary.wrong == 0


@pytest.mark.parametrize(
    ("text", "old", "new", "cause"),
    sliced(
        [
            (SOFTMAX, "X.T.dot(error) / len(X)", "X.T.dot(error)", "missing-1/m"),
            (SOFTMAX, "error = P - Y", "error = Y - P", "sign"),
            (SOFTMAX, "np.r_[np.zeros([1, 3]), alpha * Theta[1:]]", "alpha * Theta", "l2-on-bias"),
            (NORMALISED, "x_hat * np.mean(dx_hat * x_hat", "np.mean(dx_hat * x_hat", "missing-factor"),
        ],
        4,
    ),
)
def test_the_line_that_a_person_would_change(text: str, old: str, new: str, cause: str) -> None:
    (line,) = wrong(text.replace(old, new))
    assert (line.line, cause in (line.cause, *line.causes)) == (text[: text.index(old)].count("\n") + 1, True), line
    assert line.repaired


RETURNED = """\
import numpy as np
class Net:
    def __init__(self):
        self.W, self.V = np.random.randn(4, 3), np.random.randn(2, 4)
    def backprop(self, x, y):
        h = np.tanh(self.W @ x)
        delta = self.V @ h - y
        loss = 0.5 * np.sum(delta ** 2)
        dV = delta @ h.T
        delta = (self.V.T @ delta) * (1 - h ** 2)
        return delta @ x.T, dV
net = Net()
net.backprop(np.random.rand(3, 5), np.random.rand(2, 5))
def predict(x):
    return net.V @ np.tanh(net.W @ x) + 1
"""
OF_OUTPUT = """\
import numpy as np
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
def slope(a):
    return a * (1 - a)
X, y = np.random.randn(5, 3), np.random.rand(5, 2)
W, V = np.random.randn(3, 4), np.random.randn(4, 2)
for epoch in range(9):
    h = sigmoid(X @ W)
    out = sigmoid(h @ V)
    loss = 0.5 * np.sum((out - y) ** 2)
    delta2 = (out - y) * slope(out)
    delta1 = delta2 @ V.T * slope(h)
    V -= 0.1 * h.T @ delta2
    W -= 0.1 * X.T @ delta1
"""
KNOWN = """\
import numpy as np
rng = np.random.RandomState(0)
R, known = rng.rand(5, 4), (rng.rand(5, 4) < 0.6) * 1.0
P, Q = rng.rand(5, 3), rng.rand(4, 3)
for epoch in range(9):
    e = known * (R - P @ Q.T)
    loss = np.sum(e ** 2)
    err = known * (R - P @ Q.T)
    grad_P = -2 * err @ Q
    grad_Q = -2 * err.T @ P
    P, Q = P - 0.01 * grad_P, Q - 0.01 * grad_Q
"""


@pytest.mark.parametrize("text", [RETURNED, OF_OUTPUT, KNOWN])
def test_right_and_whole(text: str) -> None:
    found = of_program(text)
    assert (found.summary.wrong, found.summary.not_judged) == (0, 0), [line.message for line in found.lines]


@pytest.mark.parametrize(
    ("text", "old", "new", "cause"),
    sliced(
        [
            (RETURNED, "(1 - h ** 2)", "(1 + h ** 2)", "sign"),
            (OF_OUTPUT, "return a * (1 - a)", "return sigmoid(a) * (1 - sigmoid(a))", "gprime-at-a"),
            (KNOWN, "err = known * (R", "err = (R", "missing-factor"),
        ],
        3,
    ),
)
def test_the_root_of_several(text: str, old: str, new: str, cause: str) -> None:
    (line,) = wrong(text.replace(old, new))
    assert (line.line, cause in (line.cause, *line.causes)) == (text[: text.index(old)].count("\n") + 1, True), line
    assert line.repaired


CLASSES = """\
import numpy as np
data = np.random.rand(11, 4)
data[:, 0] = np.random.randint(0, 3, 11)
Y, X = data.T[0].astype(int), data.T[1:]
W = np.random.rand(3, 3) - 0.5
for epoch in range(9):
    Z = W.dot(X)
    A = np.exp(Z) / sum(np.exp(Z))
    one_hot = np.zeros((Y.size, 3))
    one_hot[np.arange(Y.size), Y] = 1
    dZ = A - one_hot.T
    dW = 1 / Y.size * dZ.dot(X.T)
    W = W - 0.1 * dW
"""


def test_classes_that_are_a_row_of_the_data_are_whole_numbers() -> None:
    found = of_program(CLASSES)
    assert (found.summary.wrong, found.summary.cannot_tell) == (0, 0), [line.message for line in found.lines]
    assert found.summary.holds > 1


FROZEN = """\
import numpy as np
rng = np.random.default_rng(0)
class Net:
    def __init__(self):
        self.W1, self.W2 = rng.standard_normal((3, 5)), rng.standard_normal((5, 2))
        self.velocity = np.ones((3, 5))
    def step(self, X, y):
        h = np.tanh(X @ self.W1)
        d = h @ self.W2 - y
        loss = 0.5 * np.sum(d ** 2)
        dW2 = h.T @ d
        return dW2, self.velocity * 0.9, loss
net = Net()
X, y = rng.standard_normal((7, 3)), rng.standard_normal((7, 2))
for k in range(3):
    dW2, v, loss = net.step(X, y)
    net.W2 -= 0.1 * dW2
"""


def test_a_state_that_is_returned_beside_a_gradient_is_none() -> None:
    assert not wrong(FROZEN)
    assert of_program(FROZEN).summary.holds == 2


PENALISED = """\
import numpy as np

np.random.seed(0)
X, y = np.random.randn(30, 2), np.arange(30) % 2

def calculate_loss(W1, b1, W2, b2):
    scores = np.exp(np.tanh(X.dot(W1) + b1).dot(W2) + b2)
    probs = scores / np.sum(scores, axis=1, keepdims=True)
    return (np.sum(-np.log(probs[range(30), y])) + 0.005 * (np.sum(W1**2) + np.sum(W2**2))) / 30

W1, b1 = np.random.randn(2, 3) / 2, np.zeros((1, 3))
W2, b2 = np.random.randn(3, 2) / 2, np.zeros((1, 2))
for i in range(100):
    z1 = X.dot(W1) + b1
    a1 = np.tanh(z1)
    scores = np.exp(a1.dot(W2) + b2)
    delta3 = scores / np.sum(scores, axis=1, keepdims=True)
    delta3[range(30), y] -= 1
    delta2 = delta3.dot(W2.T) * (1 - np.power(a1, 2))
    dW2 = a1.T.dot(delta3) + 0.01 * W2
    dW1 = X.T.dot(delta2) + 0.01 * W1
    W1 += -0.01 * dW1
    b1 += -0.01 * np.sum(delta2, axis=0)
    W2 += -0.01 * dW2
    b2 += -0.01 * np.sum(delta3, axis=0, keepdims=True)
    if i % 10 == 0:
        print(calculate_loss(W1, b1, W2, b2))
"""


@pytest.mark.slow
def test_a_repair_leaves_the_rounds_before_the_one_that_j_follows() -> None:
    (line,) = wrong_in(of_program(PENALISED.replace("np.power(a1, 2)", "np.power(z1, 2)")))
    assert line.target == "delta2"
    assert "np.power(a1, 2)" in line.repaired


ENDED = """\
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(9, 4)), rng.normal(size=(9, 3))
weights = [rng.normal(size=(4, 6)), rng.normal(size=(6, 5)), rng.normal(size=(5, 3))]
for epoch in range(20):
    A = [X]
    for W in weights:
        A.append(np.tanh(A[-1] @ W))
    loss = np.sum((A[-1] - Y) ** 2) / 2
    delta = (A[-1] - Y) * (1 - A[-1] ** 2)
    grads_w = []
    for l in (2, 1, 0):
        grads_w.insert(0, A[l].T @ delta)
        delta = delta @ weights[l - 1] * (1 - A[l] ** 2)
    for l in range(3):
        weights[l] -= 0.1 * grads_w[l]
"""


def test_a_list_that_a_program_did_not_finish_claims_nothing() -> None:
    judged = of_program(ENDED)
    (wrong,) = [line for line in judged.lines if line.verdict == WRONG]
    assert (wrong.line, "the program ended here" in wrong.message) == (15, True)


LATE = """\
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(40, 4)), rng.normal(size=(40, 3))
W, b = rng.normal(size=(4, 3)), np.zeros(3)

def cost(x, y):
    return np.sum((np.tanh(x @ W + b) - y) ** 2) / (2 * len(x))

for step in range(10):
    chosen = rng.choice(40, 8)
    x, y = X[chosen], Y[chosen]
    out = np.tanh(x @ W + b)
    dz = (out - y) * (1 - out ** 2) / len(x)
    W -= 0.1 * (x.T @ dz)
    b -= 0.1 * dz.sum(axis=0)
    print(cost(x, y))
"""


def test_a_cost_behind_the_steps_of_a_mini_batch_is_that_before_them() -> None:
    """The next round has other examples, so that its gradients are not those of the cost that was printed last."""
    right, wrong = of_program(LATE), of_program(LATE.replace("(1 - out ** 2)", "(1 - out)"))
    assert right.summary.judged == right.summary.holds >= 3
    assert [line.line for line in wrong_in(wrong)] == [14]


AHEAD = """\
import numpy as np

rng = np.random.default_rng(1)
X, Y = rng.normal(size=(12, 4)), rng.normal(size=(12, 3))
W = [rng.normal(size=(4, 5)), rng.normal(size=(5, 3))]
v = [np.zeros_like(w) for w in W]
for step in range(10):
    ahead = [w + 0.9 * each for w, each in zip(W, v)]
    h = np.tanh(X @ ahead[0])
    error = (h @ ahead[1] - Y) / len(X)
    loss = np.sum((h @ ahead[1] - Y) ** 2) / (2 * len(X))
    dW = [X.T @ (error @ ahead[1].T * (1 - h ** 2)), h.T @ error]
    for i in range(2):
        v[i] = 0.9 * v[i] - 0.1 * dW[i]
        W[i] = W[i] + v[i]
"""


def test_the_velocity_of_a_look_ahead_is_no_parameter() -> None:
    """Its change depends on itself as that of a parameter does; but it is added to one."""
    right, wrong = of_program(AHEAD), of_program(AHEAD.replace("W[i] + v[i]", "W[i] - v[i]"))
    assert sum(line.line == 15 for line in right.lines) == 2
    assert right.summary.judged == right.summary.holds
    assert {line.line for line in wrong_in(wrong)} & {14, 15}


def test_a_look_ahead_is_not_taken_for_the_parameter() -> None:
    """With a velocity of zero they are the same, and one in place of the other would hold."""
    assert wrong_in(of_program(AHEAD.replace("error @ ahead[1].T", "error @ W[1].T")))


WATCHED = """\
import numpy as np

rng = np.random.default_rng(4)
X_train, X_val = rng.normal(size=(20, 3)), rng.normal(size=(8, 3))
y_train, y_val = 1.0 * (X_train[:, 0] > 0), 1.0 * (X_val[:, 0] > 0)
w, b = np.zeros(3), 0.0
for step in range(30):
    p = 1 / (1 + np.exp(-(X_train @ w + b)))
    w -= 0.1 * (X_train.T @ (p - y_train)) / len(p)
    b -= 0.1 * (p - y_train).mean()
    q = 1 / (1 + np.exp(-(X_val @ w + b)))
    val_loss = -np.mean(y_val * np.log(q) + (1 - y_val) * np.log(1 - q))
    print(val_loss)
"""


def test_a_cost_of_examples_that_are_held_out_is_not_j() -> None:
    """The steps are along the gradient of a cost that is not written, and the one that is written is but looked at."""
    judged = of_program(WATCHED)
    assert not wrong_in(judged)
    assert "val_loss" not in judged.cost.text


NEVER_CUT_OFF = """\
import numpy as np

X, y = np.random.randn(8, 3), np.random.rand(8)
w = np.random.randn(3)
for step in range(5):
    p = 0.5 + np.maximum(1.0 + (X @ w) ** 2, 0)
    loss = np.mean((p - y) ** 2)
    dw = X.T @ (4 * (p - y) / 8 * (X @ w))
    w -= 0.1 * dw
"""


def test_parameters_that_are_no_better_when_they_are_larger_stay_as_they_were() -> None:
    """A unit that is never cut off is so at larger parameters as well: the run is that of the program all the same."""
    trial = PythonReading("net.py", NEVER_CUT_OFF).trial(0)
    again = {each.key: each.value for each in trial.program.run({}).events}
    assert trial.run.events
    assert all(np.array_equal(each.value, again[each.key]) for each in trial.run.events if not each.missing)
    assert {each.verdict for each in of_program(NEVER_CUT_OFF).lines} == {HOLDS}
