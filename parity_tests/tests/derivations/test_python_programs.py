"""People's programs are judged by their own forward pass: right ones raise no alarm, mistakes are named."""

from __future__ import annotations

from functools import cache

import pytest

from parity_tests.derivations.engine.python import leaves, matrices, recorder
from parity_tests.derivations.engine.python.judged import judge_program
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, Verdict
from parity_tests.tests.derivations.python_programs import PROGRAMS
from parity_tests.tests.derivations.verdicts import of_program, wrong_in
from parity_tests.tests.slices import sliced

MISTAKES = [(name, number) for name, written in PROGRAMS.items() for number in range(len(written.mistakes))]
FIRST = [(name, number) for name, number in MISTAKES if number == 0]
"""One mistake of each program; the others take minutes and are run with -m bars."""

LATER = [pytest.param(name, number, marks=pytest.mark.bars) for name, number in MISTAKES if number]


@cache
def wrong_lines(text: str) -> list[Verdict]:
    judged = of_program(text)
    return wrong_in(judged)


@pytest.mark.parametrize("name", sliced(PROGRAMS, 8))
def test_a_right_program_raises_no_alarm(name: str) -> None:
    judged = of_program(PROGRAMS[name].text)
    assert {line.verdict for line in judged.lines} <= {HOLDS, NOT_JUDGED}, [line.message for line in judged.lines]
    assert judged.summary.holds >= 2


@pytest.mark.parametrize(("name", "number"), [*sliced(FIRST, 24), *LATER])
def test_a_mistake_in_a_program_is_flagged(name: str, number: int) -> None:
    text, _ = PROGRAMS[name].wrong(PROGRAMS[name].mistakes[number])
    assert wrong_lines(text)


@pytest.mark.parametrize(
    "mistakes",
    [pytest.param(FIRST, marks=pytest.mark.slow), pytest.param(MISTAKES, marks=pytest.mark.bars)],
    ids=["first", "all"],
)
def test_most_mistakes_are_found_in_their_line_with_a_repair(mistakes: list[tuple[str, int]]) -> None:
    lines = repairs = 0
    for name, number in mistakes:
        text, line = PROGRAMS[name].wrong(PROGRAMS[name].mistakes[number])
        found = [verdict for verdict in wrong_lines(text) if verdict.line == line]
        lines += bool(found)
        repairs += any(verdict.repaired for verdict in found)
    assert lines >= 0.85 * len(mistakes)
    assert repairs >= 0.5 * len(mistakes)


CALL = "X = np.random.randn(6, 3); y = np.random.randn(6, 2); net = MLP([3, 4, 2]); net.train(X, y)"


def test_a_file_says_how_it_is_called() -> None:
    text = PROGRAMS["class with a train method"].text
    judged = of_program(f"# verify: {CALL}\n{text}")
    assert judged.layout.endswith("called as net.train(X, y)")
    assert judged.summary.holds >= 6


def test_a_program_that_ends_early_is_not_judged_behind_that_line() -> None:
    text = PROGRAMS["script, columns, cross-entropy"].text.replace("    W1 = W1 - 0.1", "    W1 = W3 - 0.1")
    judged = of_program(text)
    left = [line for line in judged.lines if line.verdict == NOT_JUDGED]
    assert [line.text.split(" = ")[0] for line in left] == ["W1"]
    assert "NameError" in left[0].message


ENDLESS = """\
import numpy as np

x = np.ones(3)
{once}
while True:
    x = {value}
"""


@pytest.mark.parametrize(("once", "value"), [("", "x + 1.0"), ("", "np.matrix(x) + 1.0"), ("W = np.ones(3)", "x * W")])
def test_a_program_without_end_is_stopped_by_what_it_does(
    once: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (recorder, matrices):
        monkeypatch.setattr(module, "MOST_WORK", 100_000)
    judged = judge_program("net.py", ENDLESS.format(once=once, value=value))
    assert judged is None or judged.summary.judged == 0


def test_a_step_is_looked_for_in_the_same_place_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(leaves.Finder, "_is_step", lambda _finder, event, *_: asked.append(event.name))
    loop = "for k in range(100):\n    s = np.zeros(3)\n    s += np.tanh(x)\n"
    judge_program("net.py", f"import numpy as np\n\nx = np.ones(3)\n{loop}J = np.sum(s)\n")
    assert asked.count("s") == leaves.MOST_REFUSED


STEPS = {
    "tuple": ("", "W, b = W - 0.1 * dW, b - 0.1 * db"),
    "function": (
        "def update(p, dp, rate=0.1):\n    return p - rate * dp\n",
        "W = update(W, dW)\n    b = update(b, db)",
    ),
    "function-of-all": (
        "def update(params, grads):\n    return {key: params[key] - 0.1 * grads['d' + key] for key in params}\n",
        "new = update({'W': W, 'b': b}, {'dW': dW, 'db': db})\n    W, b = new['W'], new['b']",
    ),
    "new-names": ("", "W_new = W - 0.1 * dW\n    b_new = b - 0.1 * db\n    W, b = W_new, b_new"),
    "numpy": ("", "W = np.subtract(W, 0.1 * dW)\n    b = -0.1 * db + b"),
    "generator": ("", "W, b = (p - 0.1 * g for p, g in zip([W, b], [dW, db]))"),
    "decay": ("", "W = (1 - 0.001) * W - 0.1 * dW\n    b -= 0.1 * db"),
}
"""How people write a step: definitions before the loop, and lines in it."""

TRAINING = """\
import numpy as np
{definitions}
rng = np.random.default_rng(0)
X = rng.standard_normal((3, 7))
Y = (X[:1] > 0).astype(float)
W = 0.1 * rng.standard_normal((1, 3))
b = np.zeros((1, 1))
for epoch in range(5):
    Z = W @ X + b
    A = 1 / (1 + np.exp(-Z))
    J = -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    dZ = A - Y
    dW = dZ @ X.T / 7
    db = np.sum(dZ, axis=1, keepdims=True) / 7
    {step}
"""


@pytest.mark.parametrize("form", sliced(STEPS, 6))
def test_a_step_begins_a_new_round_in_every_form(form: str) -> None:
    definitions, step = STEPS[form]
    text = TRAINING.format(definitions=definitions, step=step)
    judged = of_program(text)
    assert {line.verdict for line in judged.lines} <= {HOLDS, NOT_JUDGED}, [line.message for line in judged.lines]
    assert judged.summary.holds >= 3
    assert wrong_lines(text.replace("dW = dZ @ X.T / 7", "dW = dZ @ X.T"))


SMALL = {
    "attributes-by-name": (
        """\
class Net:
    pass
net = Net()
net.W = np.random.randn(3, 1)
n_iter = 12
for it in range(n_iter):
    error = X @ net.W - y
    loss = np.mean(error ** 2)
    for key, grad in {"W": 2 * X.T @ error / n}.items():
        setattr(net, key, getattr(net, key) - 0.1 * grad)
""",
        ("- 0.1 * grad", "+ 0.1 * grad", 13),
    ),
    "places-and-a-smoothed-cost": (
        """\
W, p, step, smooth_loss = np.random.randn(3, 1), 0, 2, 1.0
while p < 8:
    Xb, yb = X[p:p + step], y[p:p + step]
    error = Xb @ W - yb
    loss = np.sum(error ** 2)
    smooth_loss = smooth_loss * 0.99 + loss * 0.01
    dW = 2 * Xb.T @ error
    W -= 0.1 * dW
    p += step
""",
        ("2 * Xb.T @ error", "2 * Xb.T @ yb", 10),
    ),
    "uphill-on-a-likelihood": (
        """\
W, rate = np.random.randn(3, 1), 0.1
def objective(p, c, weights):
    return np.sum(weights * (c * np.log(p) + (1 - c) * np.log(1 - p)))
c, weights = (y > 0) * 1.0, np.random.randn(n, 1)
for it in range(9):
    p = 1 / (1 + np.exp(-X @ W))
    J = objective(p, c, weights)
    dW = X.T @ (weights * (c - p))
    W += rate * dW
""",
        ("(c - p)", "(p - c)", 11),
    ),
    "an-input's-derivative-that-nothing-reads": (
        """\
class Layer:
    def forward(self, X):
        self.X = X
        return X @ self.W
    def backward(self, dout):
        self.dW = self.X.T @ dout
        dX = dout @ self.W.T
        return dX
net = Layer()
net.W = np.random.randn(3, 2)
out = net.forward(X)
loss = 0.5 * np.sum((out - y) ** 2)
dX = net.backward(out - y)
""",
        ("dout @ self.W.T", "dout @ self.W.T / 3", 10),
    ),
}
"""Programs of a few lines, and a mistake with its line; X, y and n are there."""

DATA = "import numpy as np\nn = 9\nX, y = np.random.randn(n, 3), np.random.randn(n, 1)\n"


@pytest.mark.parametrize("name", sliced(SMALL, 4))
def test_small_programs_hold_and_a_mistake_in_them_is_found(name: str) -> None:
    text, (right, wrong, line) = SMALL[name]
    judged = of_program(DATA + text)
    assert {each.verdict for each in judged.lines} == {HOLDS}, [each.message for each in judged.lines]
    assert judged.summary.holds
    assert [each.line for each in wrong_lines(DATA + text.replace(right, wrong))] == [line]


UNFIT = """\
import numpy as np
X, Y = np.random.randn(7, 3), np.random.randn(7, 2)
W1, W2 = np.random.randn(3, 5), np.random.randn(5, 2)
for epoch in range(3):
    Z1 = X @ W1
    A1 = np.tanh(Z1)
    A2 = A1 @ W2
    loss = 0.5 * np.sum((A2 - Y) ** 2)
    dA2 = A2 - Y
    dW2 = A1.T @ dA2
    dZ1 = dA2 @ W2.T * (1 - A2**2)
    dW1 = X.T @ dZ1
    W1 -= 0.1 * dW1
    W2 -= 0.1 * dW2
"""


def test_shapes_that_do_not_fit_behind_j_are_wrong_in_the_words_of_numpy() -> None:
    """The line at which the program ends on its own data is named; on data that are made up nothing is said of it."""
    judged = of_program(UNFIT)
    (wrong,) = wrong_in(judged)
    assert wrong.line == 11
    assert "operands could not be broadcast together with shapes (7,5) (7,2)" in wrong.message
    made_up = judge_program("net.py", UNFIT.replace("np.random.randn(7, 3)", 'np.loadtxt("x.csv")[:7, :3]'))
    assert made_up is None or not made_up.summary.wrong


RETURNED_AS_IT_IS = """\
import numpy as np
X, y = np.random.randn(7, 3), np.array([0, 1, 2, 3, 0, 1, 2])

def gradients(X, p, y):
    d = p.copy()
    d[np.arange(len(y)), y] -= 1
    d /= len(y)
    return X.T @ d, np.sum(d)

W, b = 0.1 * np.random.randn(3, 4), np.zeros(4)
for epoch in range(3):
    e = np.exp(X @ W + b)
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[np.arange(len(y)), y]))
    dW, db = gradients(X, p, y)
    W -= 0.1 * dW
    b -= 0.1 * db
"""


def test_what_is_returned_in_another_shape_is_wrong_where_it_is_computed() -> None:
    """A sum without its axis stands in the return statement, and gets a name only where the function is called."""
    judged = of_program(RETURNED_AS_IT_IS)
    (wrong,) = wrong_in(judged)
    assert (wrong.line, wrong.cause) == (8, "db-summed-over-all")
    assert wrong.repaired.strip() == "return X.T @ d, np.sum(d, axis=0)"


ONE_BY_ONE = """\
import numpy as np

class Net:
    def __init__(self):
        self.V, self.W = np.random.randn(5, 4), np.random.randn(3, 5)

    def train(self, inputs, wanted):
        x, targets = np.array(inputs, ndmin=2).T, np.array(wanted, ndmin=2).T
        h = np.tanh(self.V @ x)
        final = self.W @ h
        e = targets - final
        back = (self.W.T @ e) * (1 - h**2)
        self.W += 0.07 * e @ h.T
        self.V += 0.07 * back @ x.T

net = Net()
for place in range(9):
    inputs = np.random.randn(4)
    targets = np.zeros(3) + 0.01
    targets[place % 3] = 0.99
    net.train(inputs, targets)
"""


def test_labels_that_are_built_in_place_are_labels_in_another_shape_too() -> None:
    """What they were before the entry was set is no parameter: the column of them is computed from labels alone."""
    judged = of_program(ONE_BY_ONE)
    assert "the squared error of final and targets" in judged.cost.text
    assert judged.summary.judged == judged.summary.holds == 4
