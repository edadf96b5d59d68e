"""The rules of Adam and RMSprop inside of programs: moving averages are judged as those of a text."""

from __future__ import annotations

import pytest

from parity_tests.derivations.engine.python.judged import judge_program
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG
from parity_tests.tests.derivations.verdicts import line_of, of_program, wrong_in
from parity_tests.tests.slices import sliced

ADAM = """\
import numpy as np

class Line:
    def __init__(self, d, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
        self.params = {"W": np.random.randn(d, 1), "b": np.zeros((1, 1))}
        self.m = {k: np.zeros_like(v) for k, v in self.params.items()}
        self.v = {k: np.zeros_like(v) for k, v in self.params.items()}
        self.t, self.lr, self.beta1, self.beta2, self.eps = 0, lr, beta1, beta2, eps

    def adam(self, grads):
        self.t += 1
        for k in grads:
            self.m[k] = self.beta1 * self.m[k] + (1 - self.beta1) * grads[k]
            self.v[k] = self.beta2 * self.v[k] + (1 - self.beta2) * grads[k] ** 2
            m_hat = self.m[k] / (1 - self.beta1 ** self.t)
            v_hat = self.v[k] / (1 - self.beta2 ** self.t)
            self.params[k] -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)

    def fit(self, X, y):
        for _ in range(9):
            error = X @ self.params["W"] + self.params["b"] - y
            loss = np.mean(error ** 2)
            d = 2 * error / len(y)
            self.adam({"W": X.T @ d, "b": d.sum(axis=0, keepdims=True)})

X = np.random.randn(11, 3)
Line(3).fit(X, X @ np.ones((3, 1)))
"""

RMSPROP = """\
import numpy as np
np.random.seed(0)
X = np.random.randn(12, 3)
y = (X[:, :1] > 0).astype(float)
W, cache = np.random.randn(3, 1), np.zeros((3, 1))
lr, decay, eps = 0.01, 0.9, 1e-8
for i in range(50):
    p = 1 / (1 + np.exp(-X @ W))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    dW = X.T @ (p - y) / len(X)
    cache = decay * cache + (1 - decay) * dW ** 2
    W -= lr * dW / (np.sqrt(cache) + eps)
"""


@pytest.mark.parametrize(
    "text",
    [ADAM, RMSPROP, ADAM.replace("eps", "e"), RMSPROP.replace("eps", "tiny")],
    ids=["adam", "rmsprop", "adam with e", "rmsprop with tiny"],
)
def test_rules_hold(text: str) -> None:
    found = of_program(text)
    assert {line.verdict for line in found.lines} == {HOLDS}
    assert any("by the rule of" in line.message for line in found.lines)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "old", "new", "cause"),
    [
        (ADAM, "* grads[k] ** 2", "* grads[k]", "square-missing"),
        (ADAM, "self.beta1 ** self.t", "self.beta1 * self.t", "adam-no-power"),
        (ADAM, "self.params[k] -= ", "self.params[k] += ", "sign"),
        (RMSPROP, "(1 - decay) * dW ** 2", "decay * dW ** 2", ""),
    ],
    ids=["square", "power", "sign", "weights"],
)
def test_slips_in_rules(text: str, old: str, new: str, cause: str) -> None:
    wrong = wrong_in(of_program(text.replace(old, new)))
    assert [line.line for line in wrong] == [line_of(old, text)]
    assert wrong[0].cause == (cause or wrong[0].cause)
    assert wrong[0].repaired
    assert wrong[0].diff


def test_a_rule_that_is_not_known_stays_not_judged() -> None:
    found = of_program(ADAM.replace("np.sqrt(v_hat)", "v_hat ** (1 / 3)"))
    assert {line.verdict for line in found.lines} == {HOLDS, NOT_JUDGED}


PLAIN = """\
import numpy as np
rng = np.random.RandomState(0)
X, y = rng.randn(40, 3), rng.randn(40, 1)
W, b = rng.randn(3, 1), np.zeros(1)
m, v = np.zeros_like(W), np.zeros_like(W)
lr, b1, b2, eps = 0.01, 0.9, 0.999, 1e-8
for t in range(1, 9):
    p = X @ W + b
    loss = np.mean((p - y) ** 2)
    g = 2 * X.T @ (p - y) / len(X)
    gb = 2 * (p - y).mean(axis=0)
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g ** 2
    mh = m / (1 - b1 ** t)
    vh = v / (1 - b2 ** t)
    W -= lr * mh / (np.sqrt(vh) + eps)
    b -= lr * gb
"""


@pytest.mark.parametrize(
    ("old", "new"),
    sliced(
        [
            ("", ""),
            ("(np.sqrt(vh) + eps)", "np.sqrt(vh + eps)"),
            ("W -= lr * mh / (np.sqrt(vh) + eps)", "W -= lr * (mh / (np.sqrt(vh) + eps) + 0.01 * W)"),
            ("W -= lr * mh / (np.sqrt(vh) + eps)", "W = W - lr * 0.01 * W - lr * mh / (np.sqrt(vh) + eps)"),
            ("mh / (np.sqrt(vh) + eps)", "m / (np.sqrt(v) + eps)"),
            ("lr * mh / (np.sqrt(vh) + eps)", "lr * np.sqrt(1 - b2 ** t) / (1 - b1 ** t) * m / (np.sqrt(v) + eps)"),
            ("mh = m / (1 - b1 ** t)", "mh = b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / (1 - b1 ** t)"),
            ("vh = v / (1 - b2 ** t)", "vh = np.maximum(v, v / (1 - b2 ** t))"),
        ],
        6,
    ),
)
def test_rules_near_to_adam_are_not_wrong(old: str, new: str) -> None:
    found = of_program(PLAIN.replace(old, new))
    assert found.summary.wrong == 0
    assert found.summary.holds >= 4


def test_what_goes_into_a_state_is_the_gradient_whatever_its_name() -> None:
    right, wrong = (
        judge_program("net.py", text) for text in (PLAIN, PLAIN.replace("mh = m / (1 - b1 ** t)", "mh = m / (1 - b1)"))
    )
    assert right is not None
    assert wrong is not None
    assert right.summary.not_judged == 0
    (line,) = wrong_in(wrong)
    assert (line.line, line.cause) == (14, "adam-no-power")


SCALED_ANEW = """\
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(9, 4)), rng.normal(size=(9, 3))
params = [rng.normal(size=(4, 3)), np.zeros(3)]
moving = [np.zeros((4, 3)), np.zeros(3)]

def backward(e):
    return [X.T @ e, e.sum(axis=0)]

for epoch in range(9):
    out = X @ params[0] + params[1]
    loss = ((out - Y) ** 2).sum() / (2 * len(X))
    found = backward((out - Y) / len(X))
    for i, (p, g) in enumerate(zip(params, found)):
        moving[i] = 0.9 * moving[i] + 0.1 * g ** 2
        p -= 0.01 * g / (np.sqrt(moving[i]) + 1e-8)
"""


@pytest.mark.parametrize(
    ("reduced", "said"), sliced([("sum", ""), ("mean", "the gradient in params[1] is 1/X.shape[0] * dJ")], 2)
)
def test_factors_that_a_step_hides_are_said(reduced: str, said: str) -> None:
    """A mean for a sum in one of the gradients: the step goes as far, and no gradient of all of them goes that way."""
    judged = judge_program("net.py", SCALED_ANEW.replace("e.sum(axis", f"e.{reduced}(axis"))
    assert judged is not None
    assert not judged.summary.wrong
    assert judged.convention.startswith(said)
    assert bool(judged.convention) == bool(said)


LITERAL = """\
import numpy as np

rng = np.random.default_rng(2)
X, Y = rng.normal(size=(20, 4)), rng.normal(size=(20, 3))
params = [rng.normal(size=(4, 5)), np.zeros(5), rng.normal(size=(5, 3)), np.zeros(3)]
first = [np.zeros_like(p) for p in params]
second = [np.zeros_like(p) for p in params]

for t in range(1, 20):
    h = np.tanh(X @ params[0] + params[1])
    error = (h @ params[2] + params[3] - Y) / len(X)
    loss = len(X) * np.sum(error ** 2) / 2
    below = error @ params[2].T * (1 - h ** 2)
    grads = [X.T @ below, below.sum(0), h.T @ error, error.sum(0)]
    for k, (p, g) in enumerate(zip(params, grads)):
        first[k] = 0.9 * first[k] + 0.1 * g
        second[k] = 0.999 * second[k] + 0.001 * g * g
        rate = 0.01 * np.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t)
        p -= rate * first[k] / (np.sqrt(second[k]) + 1e-8)
"""
HEAVY = LITERAL.replace("0.9 * first[k] + 0.1 * g", "0.9 * first[k] - 0.01 * g")
HEAVY = "\n".join([*HEAVY.splitlines()[:16], "        p += first[k]", ""])


@pytest.mark.parametrize("text", [LITERAL, HEAVY], ids=["adam", "momentum"])
def test_rules_with_literal_numbers_hold(text: str) -> None:
    found = of_program(text)
    assert found.summary.judged == found.summary.holds == 7


@pytest.mark.parametrize(
    ("text", "old", "new", "cause"),
    sliced(
        [
            (LITERAL, "0.1 * g", "0.9 * g", "wrong-number"),
            (LITERAL, "0.001 * g * g", "0.001 * g", "square-missing"),
            (LITERAL, "np.sqrt(second[k])", "second[k]", "root-missing"),
            (LITERAL, "/ (1 - 0.9 ** t)", "/ (1 - 0.9 * t)", "adam-no-power"),
            (LITERAL, "first[k] / (", "g / (", "wrong-symbol"),
            (HEAVY, "- 0.01 * g", "- 0.01 * 0.01 * g", ""),
        ],
        3,
    ),
)
def test_slips_in_rules_with_literal_numbers(text: str, old: str, new: str, cause: str) -> None:
    """Two steps on given gradients are those of a rule once one line is changed."""
    wrong = wrong_in(of_program(text.replace(old, new)))
    assert [(line.line, line.cause) for line in wrong] == ([(line_of(old, text), cause)] if cause else [])


ADDED_UP = """\
import numpy as np

class Dense:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)
        self.dW, self.db = np.zeros((n_in, n_out)), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, d):
        self.dW += self.x.T @ d
        self.db += d.sum(axis=0)

np.random.seed(0)
X, Y = np.random.randn(30, 4), np.random.randn(30, 2)
layer = Dense(4, 2)
for epoch in range(20):
    layer.dW[:] = 0
    layer.db[:] = 0
    out = layer.forward(X)
    loss = np.mean((out - Y) ** 2)
    layer.backward(2 * (out - Y) / Y.size)
    layer.W -= 0.1 * layer.dW
    layer.b -= 0.1 * layer.db
"""


def test_gradients_of_the_step_before_are_set_to_zero() -> None:
    """Without it the second round's gradients have the first ones in them, and J's derivatives are right in neither."""
    assert of_program(ADDED_UP).summary.wrong == 0
    (wrong,) = wrong_in(of_program(ADDED_UP.replace("    layer.db[:] = 0\n", "")))
    assert (wrong.line, wrong.cause) == (14, "gradients-accumulated")


AHEAD = """\
import numpy as np

rng = np.random.default_rng(1)
X, Y = rng.normal(size=(12, 4)), rng.normal(size=(12, 3))
W = rng.normal(size=(4, 3))
v = np.zeros_like(W)
for step in range(10):
    ahead = W + 0.9 * v
    error = np.tanh(X @ ahead) - Y
    loss = np.sum(error ** 2) / 2
    dW = X.T @ (error * (1 - np.tanh(X @ ahead) ** 2))
    v = 0.9 * v - 0.1 * dW
    W = W + v
"""


def test_a_look_ahead_goes_along_the_velocity() -> None:
    """In the first round the velocity is zero, and either way is right."""
    assert of_program(AHEAD).summary.wrong == 0
    (wrong,) = wrong_in(of_program(AHEAD.replace("W + 0.9 * v", "W - 0.9 * v")))
    assert (wrong.line, wrong.cause, wrong.repaired) == (8, "sign", "ahead = W + 0.9 * v")


ALONE = """\
import numpy as np

class Adam:
    def __init__(self, rate=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.rate, self.beta1, self.beta2, self.eps = rate, beta1, beta2, eps
        self.m, self.v, self.t = {}, {}, 0

    def step(self, params, grads):
        self.t += 1
        for k in params:
            self.m[k] = self.beta1 * self.m[k] + (1 - self.beta1) * grads[k]
            self.v[k] = self.beta2 * self.v[k] + (1 - self.beta2) * grads[k] ** 2
            m_hat = self.m[k] / (1 - self.beta1 ** self.t)
            v_hat = self.v[k] / (1 - self.beta2 ** self.t)
            params[k] -= self.rate * m_hat / (np.sqrt(v_hat) + self.eps)
"""


def test_an_optimiser_without_a_network_is_judged_by_its_rule() -> None:
    found = of_program(ALONE)
    assert [each.line for each in found.lines if each.verdict == HOLDS] == [11, 12, 13, 14, 15]
    assert found.summary.not_judged == 0
    wrong = of_program(ALONE.replace("(1 - self.beta2) * grads[k] ** 2", "(1 - self.beta2) * grads[k]"))
    assert [(each.line, each.cause) for each in wrong.lines if each.verdict == WRONG] == [(12, "square-missing")]


def test_what_stands_beside_an_optimiser_is_counted_as_not_judged() -> None:
    beside = ALONE + "\n\ndef weigh(signal, dout):\n    return np.convolve(dout, signal, mode='valid') * 2\n"
    found = of_program(beside)
    assert found.summary.holds == 5
    assert [each.target for each in found.lines if each.verdict == NOT_JUDGED] == ["weigh"]


SCHEDULED = """\
import numpy as np

rng = np.random.default_rng(0)
X = rng.standard_normal((30, 4))
y = X @ np.array([1.0, -2.0, 0.5, 3.0])
w, velocity = np.zeros(4), np.zeros(4)
t = 0
for epoch in range(50):
    err = X @ w - y
    loss = np.mean(err ** 2)
    grad = 2 * X.T @ err / len(y)
    t = t + 1
    velocity = 0.9 * velocity + grad
    w -= 0.05 / (1 + 0.01 * epoch) * velocity
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("0.05 / (1 + 0.01 * epoch)", "0.05 * 0.98 ** t"),
        ("    w -= 0.05 / (1 + 0.01 * epoch)", "    rate = 0.05 / np.sqrt(t)\n    w -= rate"),
        ("velocity = 0.9 *", "velocity = min(0.9, 0.5 + 0.01 * t) *"),
    ],
    ids=["in the step", "a power", "named", "of the share"],
)
def test_a_rate_or_share_that_changes_is_no_mistake(old: str, new: str) -> None:
    assert of_program(SCHEDULED.replace(old, new)).summary.wrong == 0


SQUARES = "velocity = 0.9 * velocity + 0.1 * grad\n    s = 0.999 * s + 0.001 * grad ** 2"
COUNTED = (
    SCHEDULED.replace("t = 0", "t, s = 0, np.zeros(4)")
    .replace("velocity = 0.9 * velocity + grad", SQUARES)
    .replace(
        "w -= 0.05 / (1 + 0.01 * epoch) * velocity",
        "w -= 0.01 * (velocity / (1 - 0.9 ** t)) / (np.sqrt(s / (1 - 0.9 ** t)) + 1e-8)",
    )
)


def test_what_counts_the_steps_of_adam_is_no_schedule() -> None:
    wrong = [each for each in of_program(COUNTED).lines if each.verdict == WRONG]
    assert [(each.line, each.cause) for each in wrong] == [(15, "wrong-number")]


def test_the_rule_is_judged_by_the_cost_that_is_said() -> None:
    """Nothing in the text is J, and no name is that of labels."""
    text = COUNTED.replace("    loss = np.mean(err ** 2)\n", "").replace("y = X", "q = X")
    text = text.replace("- y", "- q").replace("len(y)", "len(q)")
    wrong = [each for each in of_program(text, cost="np.mean((X @ w - q) ** 2)").lines if each.verdict == WRONG]
    assert [(each.line, each.cause) for each in wrong] == [(14, "wrong-number")]


OTHERS = {
    "adamax": "s = np.maximum(0.999 * s, np.abs(grad))\n    w -= 0.01 / (1 - 0.9 ** t) * velocity / (s + 1e-8)",
    "a mean of both": "w -= 0.05 * (0.3 * grad + 0.7 * velocity)",
    "centred": "s = 0.9 * s + 0.1 * grad ** 2\n    w -= 0.01 * grad / np.sqrt(s - velocity ** 2 + 1e-4)",
}


@pytest.mark.parametrize("step", OTHERS.values(), ids=OTHERS)
def test_an_optimiser_that_has_no_rule_here_is_no_mistake_in_another_one(step: str) -> None:
    text = SCHEDULED.replace("t = 0", "t, s = 0, np.zeros(4)").replace("+ grad", "+ 0.1 * grad")
    assert of_program(text.replace("w -= 0.05 / (1 + 0.01 * epoch) * velocity", step)).summary.wrong == 0
