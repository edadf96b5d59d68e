"""What a file lacks for being judged is found or proposed: words that choose, a cost, a forward pass, an axis."""

import re
import shlex

import pytest

from parity_tests.derivations.engine.python.judged import how_to_call, judge_program
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG
from parity_tests.tests.derivations.test_function_caches import SUMMED
from parity_tests.tests.derivations.verdicts import of_program, wrong_in
from parity_tests.tests.slices import sliced

UNITS = """\
import numpy as np

class Layer:
    def __init__(self, inputs, outputs, unit="tanh"):
        self.W = np.random.randn(inputs, outputs)
        self.unit = unit

    def fit(self, X, Y, rate=0.1):
        Z = X @ self.W
        if self.unit == "tanh":
            A = np.tanh(Z)
            slope = 1 - A ** 2
        elif self.unit == "sigmoid":
            A = 1 / (1 + np.exp(-Z))
            slope = A * (1 - A)
        dZ = (A - Y) * slope
        self.W -= rate * X.T @ dZ
"""

COST_NOT_CALLED = """\
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def cross_entropy(y, a):
    return -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a))

def step(X, Y, W, b, rate):
    A = sigmoid(X @ W + b)
    dZ = A - Y
    W -= rate * X.T @ dZ
    b -= rate * dZ.sum(axis=0)
    return W, b
"""

OVER_THE_EXAMPLES = """\
import numpy as np

def softmax(z):
    return np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True)

def forward(X, W, b):
    probs = softmax(X @ W + b)
    return probs

def backward(X, Y, probs):
    d = (probs - Y) / X.shape[0]
    dW = X.T @ d
    db = d.sum(axis=0)
    return dW, db
"""

WRITTEN_COST = """\
import numpy as np

np.random.seed(0)
X, Y = np.random.randn(3, 8), (np.random.rand(2, 8) > 0.5) * 1.0
W, b = np.random.randn(2, 3), np.zeros((2, 1))
for step in range(5):
    A = 1 / (1 + np.exp(-(W @ X + b)))
    cost = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / 8
    dZ = A - Y
    dW = dZ @ X.T / 8
    db = dZ.sum(axis=1, keepdims=True) / 8
    W -= 0.1 * dW
    b -= 0.1 * db
"""

BACKWARD_ALONE = """\
import numpy as np

def backward(X, Y, cache):
    Z1, A1, W1, b1, Z2, A2, W2, b2 = cache
    m = X.shape[1]
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = (W2.T @ dZ2) * (A1 > 0)
    dW1 = dZ1 @ X.T / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
"""

HIDDEN_GIVEN_THE_OUTPUT = """\
import numpy as np

def back_through_sigmoid(dA, Z):
    a = 1 / (1 + np.exp(-Z))
    return dA * a * (1 - a)

def back_through_layer(dZ, kept):
    A_prev, W, b = kept
    m = A_prev.shape[1]
    return W.T @ dZ, dZ @ A_prev.T / m, dZ.sum(axis=1, keepdims=True) / m

def model_backward(AL, Y, caches):
    grads = {}
    L = len(caches)
    dAL = (1 - Y) / (1 - AL) - Y / AL
    kept, Z = caches[-1]
    grads["dA" + str(L)], grads["dW" + str(L)], grads["db" + str(L)] = back_through_layer(
        back_through_sigmoid(dAL, Z), kept
    )
    for l in reversed(range(L - 1)):
        kept, Z = caches[l]
        dA_prev, dW, db = back_through_layer(back_through_sigmoid(dAL, Z), kept)
        grads["dA" + str(l + 1)] = dA_prev
        grads["dW" + str(l + 1)] = dW
        grads["db" + str(l + 1)] = db
    return grads
"""

DRAWN_TOO_LARGE = """\
import numpy as np

W, b = np.random.randn(300, 4), np.random.randn(4)

def forward(x):
    e = np.exp(x @ W + b - np.max(x @ W + b, axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

def backward(x, onehot, out):
    dz = out - onehot
    return x.T @ dz / len(x), dz.mean(axis=0)
"""

UNPACKED = """\
import numpy as np

def step(values):
    x, y, a, b = values
    z = 1 / (1 + np.exp(-a * x - b))
    a = a - 0.5 * x * (z - y)
    b = b - 0.5 * (z - y)
    return a, b
"""


PARAMETERS_IN_A_DICT = """\
import numpy as np

def make(d, k):
    return {"W": np.random.randn(d, k) * 0.3, "b": np.zeros(k)}

def loss(p, X, y, reg):
    e = np.exp(X.dot(p["W"]) + p["b"])
    q = e / e.sum(axis=1, keepdims=True)
    return -np.log(q[np.arange(len(y)), y]).mean() + 0.5 * reg * np.sum(p["W"] ** 2)

def grads(p, X, y, reg):
    e = np.exp(X.dot(p["W"]) + p["b"])
    d = e / e.sum(axis=1, keepdims=True)
    d[np.arange(len(y)), y] -= 1
    g = {}
    g["W"] = X.T.dot(d) / len(y) + reg * p["W"]
    g["b"] = d.mean(axis=0)
    return g
"""


@pytest.mark.parametrize(
    ("text", "old", "new", "line"),
    sliced(
        [
            (UNITS, "A * (1 - A)", "1 - A", 16),
            (COST_NOT_CALLED, "A - Y", "(A - Y) * A * (1 - A)", 11),
            (OVER_THE_EXAMPLES, "axis=1", "axis=0", 4),
            (WRITTEN_COST, "-np.sum(Y * np.log(A)", "np.sum(-Y * np.log(A)", 8),
            (DRAWN_TOO_LARGE, "x.T @ dz", "x.T @ -dz", 11),
            (UNPACKED, "a - 0.5", "a + 0.5", 6),
            (PARAMETERS_IN_A_DICT, '+ reg * p["W"]', '+ 2 * reg * p["W"]', 16),
        ],
        12,
    ),
)
def test_it_holds_and_the_line_that_is_changed_is_wrong(text: str, old: str, new: str, line: int) -> None:
    found = of_program(text)
    assert {each.verdict for each in found.lines} <= {HOLDS, NOT_JUDGED}, [each.message for each in found.lines]
    assert found.summary.holds
    assert old in text
    wrong = [each.line for each in of_program(text.replace(old, new)).lines if each.verdict == WRONG]
    assert wrong == [line]


@pytest.mark.slow
def test_a_backward_pass_alone_is_judged_behind_a_forward_pass_that_fits_it() -> None:
    found = of_program(BACKWARD_ALONE)
    assert {each.verdict for each in found.lines} == {HOLDS}
    assert "the forward pass in it is not the file's" in found.notes[0]
    lines = of_program(BACKWARD_ALONE.replace("db1 = np.sum(dZ1", "db1 = 4 * np.sum(dZ1")).lines
    rows = [(each.line, each.repaired) for each in lines if each.verdict == WRONG]
    assert rows == [(11, "db1 = np.sum(dZ1, axis=1, keepdims=True) / m")]  # 4 is no size


@pytest.mark.slow
def test_a_slope_behind_a_forward_pass_that_is_not_the_files_is_not_judged() -> None:
    leaky = BACKWARD_ALONE.replace("(A1 > 0)", "np.where(A1 > 0, 1, 0.01)")
    assert judge_program("net.py", leaky) is None
    call = re.search(r'--call (".*")', how_to_call(leaky))
    assert call is not None
    lines = of_program(leaky, shlex.split(call[1])[0].replace("; ", "\n")).lines
    assert [each.line for each in lines if each.verdict == WRONG] == [9]


def test_where_nothing_has_another_scale_the_gradients_have_the_one_that_they_share() -> None:
    """A deep network whose hidden layers are all given the output's dA: the last layer's average is no mistake."""
    call = re.search(r'--call (".*")', how_to_call(HIDDEN_GIVEN_THE_OUTPUT))
    assert call is not None
    found = of_program(HIDDEN_GIVEN_THE_OUTPUT, shlex.split(call[1])[0].replace("; ", "\n"))
    assert found.summary.wrong
    assert "the cross-entropy of AL and Y" in found.cost.text  # most gradients follow it
    assert "1/m" in found.convention


@pytest.mark.slow
def test_another_cost_is_proposed_where_none_is_written() -> None:
    text = COST_NOT_CALLED.replace("def cross_entropy", "def something")
    found = of_program(text)
    (note,) = (each for each in found.notes if each.startswith("Another J"))
    cost = re.search(r'--cost ("[^"]*") \(the squared error', note)
    assert cost is not None
    other = of_program(text, cost=shlex.split(cost[1])[0])
    assert other.summary.wrong


HINGE = """\
import numpy as np

def fit(X, y, lam=0.01, rate=0.1, epochs=20):
    w, b = np.zeros(X.shape[1]), 0.0
    for _ in range(epochs):
        active = (y * (X @ w + b) < 1).astype(float)
        dw = lam * w - X.T @ (active * y) / len(y)
        db = -np.mean(active * y)
        w -= rate * dw
        b -= rate * db
    return w, b
"""


def test_a_cost_that_none_of_the_usual_ones_is_makes_nothing_wrong() -> None:
    assert judge_program("net.py", HINGE) is None


GAIN = """\
def layernorm_forward(x, g, b):
    mu = x.mean(axis=1, keepdims=True)
    sd = np.sqrt(((x - mu) ** 2).mean(axis=1, keepdims=True) + 1e-5)
    xh = (x - mu) / sd
    return g * xh + b, (xh, sd, g)

def layernorm_backward(dy, cache):
    xh, sd, g = cache
    dg = (dy * xh).sum(0)
    db = dy.sum(0)
    dxh = dy * g
    dx = (dxh - dxh.mean(axis=1, keepdims=True) - xh * (dxh * xh).mean(axis=1, keepdims=True)) / sd
    return dx, dg, db
"""

GATE = """\
def gate_forward(x, other):
    s = x * other
    return np.tanh(s), (x, other, s)

def gate_backward(dout, cache):
    x, other, s = cache
    ds = dout * (1 - np.tanh(s) ** 2)
    return ds * other, ds * x
"""


@pytest.mark.parametrize("text", [SUMMED, GAIN, GATE])
def test_pairs_of_functions_hold_whatever_their_arguments_are_called(text: str) -> None:
    judged = of_program(f"import numpy as np\n{text}")
    assert {line.verdict for line in judged.lines} == {HOLDS}


@pytest.mark.parametrize(
    ("right", "wrong", "line", "cause"),
    sliced(
        [
            ("dA_prev = W.T @ dZ", "dA_prev = -W.T @ dZ", "dA_prev = -W.T @ dZ", "sign"),
            ("dA_prev = W.T @ dZ", "dA_prev = 3 * W.T @ dZ", "dA_prev = 3 * W.T @ dZ", "extra-factor"),
            ("dW = dZ", "dW = 2 * dZ", "dW = 2 * dZ @ A.T", "extra-factor"),
            ("    dW =", "    dZ = -dZ\n    dW =", "dZ = -dZ", "sign"),
        ],
        4,
    ),
)
def test_a_factor_is_no_convention_where_the_slope_of_j_is_given(right: str, wrong: str, line: str, cause: str) -> None:
    judged = of_program(f"import numpy as np\n{SUMMED.replace(right, wrong)}")
    assert [(each.text, each.cause) for each in judged.lines if each.verdict == WRONG] == [(line, cause)]


def test_gradients_that_all_have_the_other_sign_are_wrong_beside_a_right_one() -> None:
    text = SUMMED.replace("dW = dZ", "dW = -dZ").replace("db = np.sum", "db = -np.sum")
    judged = of_program(f"import numpy as np\n{text}")
    assert [each.cause for each in judged.lines if each.verdict == WRONG] == ["sign", "sign"]


LABELS = """\
def forward(x, params):
    pre = x @ params["W1"] + params["b1"]
    act = np.maximum(0, pre)
    return act @ params["W2"] + params["b2"], (x, pre, act)

def loss_and_grads(x, y, params, reg):
    scores, (x, pre, act) = forward(x, params)
    n = x.shape[0]
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    probs = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(probs[np.arange(n), y]).mean()
    loss += 0.5 * reg * (np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2))
    dscores = probs.copy()
    dscores[np.arange(n), y] -= 1
    dscores /= n
    delta = dscores @ params["W2"].T * (pre > 0)
    return loss, {
        "W2": act.T @ dscores + reg * params["W2"], "b2": dscores.sum(axis=0),
        "W1": x.T @ delta + reg * params["W1"], "b1": delta.sum(axis=0),
    }

x, y = np.random.randn(8, 4), np.random.randint(0, 3, 8)
params = {"W1": 0.3 * np.random.randn(4, 5), "b1": np.zeros(5), "W2": 0.3 * np.random.randn(5, 3), "b2": np.zeros(3)}
loss, grads = loss_and_grads(x, y, params, 0.05)
for k in params:
    params[k] -= 0.1 * grads[k]
"""


@pytest.mark.slow
def test_a_mistake_is_not_taken_for_another_cost() -> None:
    judged = of_program(f"import numpy as np\n{LABELS.replace('act.T @', 'pre.T @')}")
    found = {line.line for line in judged.lines if line.verdict != HOLDS}
    (row,) = [LABELS.splitlines()[line - 2].strip() for line in found]
    assert row.startswith('"W2": act.T @ dscores')


AVERAGED = """\
import numpy as np

def linear_forward(A, W, b):
    return W.dot(A) + b, (A, W, b)

def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = 1. / m * np.dot(dZ, A_prev.T)
    db = 1. / m * np.sum(dZ, axis=1, keepdims=True)
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db
"""


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    sliced([("", "", 0), ("dW = 1. / m * ", "dW = ", 10), ("np.dot(W.T, dZ)", "np.dot(W.T, dZ**2)", 11)], 3),
)
def test_gradients_that_average_beside_a_delta_that_does_not_are_a_convention(
    right: str, wrong: str, line: int
) -> None:
    judged = of_program(AVERAGED.replace(right, wrong))
    assert [each.line for each in judged.lines if each.verdict == WRONG] == ([line] if line else [])
    assert line or "1/m * dJ/d(parameter), all of them" in judged.convention


LOGISTIC = """\
import numpy as np

def compute_cost(X, y, w, b):
    f = 1 / (1 + np.exp(-(np.dot(X, w) + b)))
    return np.sum(-y * np.log(f) - (1 - y) * np.log(1 - f)) / X.shape[0]

def compute_gradient(X, y, w, b):
    m = X.shape[0]
    dj_dw = np.zeros(w.shape)
    dj_db = 0.0
    for i in range(m):
        err = 1 / (1 + np.exp(-(np.dot(X[i], w) + b))) - y[i]
        dj_dw = dj_dw + err * X[i]
        dj_db = dj_db + err
    return dj_db / m, dj_dw / m
"""
MARGIN = """\
import numpy as np

def loss(w, X, y):
    return np.mean(np.logaddexp(0, -y * (X @ w))) + 0.05 * np.sum(w ** 2)

def grad_loss(w, X, y):
    s = -y / (1 + np.exp(y * (X @ w)))
    return X.T @ s / len(y) + 0.1 * w
"""
VALLEY = """\
import numpy as np

def rosen(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

def rosen_der(x):
    der = np.zeros_like(x)
    der[1:] += 200 * (x[1:] - x[:-1] ** 2)
    der[:-1] += -400 * (x[1:] - x[:-1] ** 2) * x[:-1] - 2 * (1 - x[:-1])
    return der
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (LOGISTIC, "return dj_db / m", "return dj_db"),  # a number, not an array
        (LOGISTIC, "- y[i]", "+ y[i]"),
        (MARGIN, "0.1 * w", "0.05 * w"),
        (MARGIN, "s = -y", "s = y"),
        (MARGIN, "return X.T @ s / len(y) + 0.1 * w", "return -(X.T @ s / len(y) + 0.1 * w)"),  # no convention here
        (VALLEY, "- 2 * (1", "+ 2 * (1"),
        (VALLEY, "der[:-1] += -400", "der[:-1] += -200"),
    ],
)
def test_a_cost_and_the_function_of_its_gradient_are_called_together(text: str, old: str, new: str) -> None:
    right, wrong = judge_program("net.py", text), judge_program("net.py", text.replace(old, new))
    assert right is not None
    assert {line.verdict for line in right.lines} == {HOLDS}, [line.message for line in right.lines]
    assert wrong is not None
    assert WRONG in {line.verdict for line in wrong.lines}


def test_a_cost_that_is_named_is_called_on_what_the_call_has() -> None:
    call = "w = np.random.randn(6); X = np.random.randn(9, 6); y = np.random.randn(9); dw = grad_loss(w, X, y)"
    judged = of_program(MARGIN, call, cost="loss")
    assert judged.cost.text == "J is loss(w, X, y)"
    assert {line.verdict for line in judged.lines} == {HOLDS}


def test_a_call_that_is_no_python_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"call is 'w = = 1', expected Python: invalid syntax"):
        judge_program("net.py", MARGIN, "w = = 1")


GATE = """\
import numpy as np

def gate_forward(h, Uz, Ur, Un):
    z = 1 / (1 + np.exp(-h @ Uz))
    r = 1 / (1 + np.exp(-h @ Ur))
    rh = r * h
    n = np.tanh(rh @ Un)
    out = (1 - z) * n + z * h
    return out, (h, Uz, Ur, Un, z, r, rh, n)

def gate_backward(dout, cache):
    h, Uz, Ur, Un, z, r, rh, n = cache
    dh = dout * z
    dan = dout * (1 - z) * (1 - n ** 2)
    dUn = rh.T @ dan
    drh = dan @ Un.T
    dh = dh + drh * r
    dar = drh * h * r * (1 - r)
    dUr = h.T @ dar
    dh = dh + dar @ Ur.T
    daz = dout * (h - n) * z * (1 - z)
    dUz = h.T @ daz
    dh = dh + daz @ Uz.T
    return dh, dUz, dUr, dUn
"""


@pytest.mark.slow
def test_each_of_several_statements_that_build_one_array_may_be_the_mistake() -> None:
    (line,) = wrong_in(of_program(GATE.replace("dh = dh + drh * r", "dh = dh + drh")))
    assert line.repaired == "dh = dh + drh * r"


@pytest.mark.slow
def test_an_argument_that_a_step_makes_larger_is_not_judged_where_its_shape_was_guessed() -> None:
    """Beside another function that is called, too; where the shape was said it is wrong."""
    second = UNPACKED[UNPACKED.index("def step") :].replace("step", "again")
    lines = [line for line in of_program(UNPACKED + second).lines if line.target == "b"]
    assert [(line.line, line.verdict) for line in lines] == [(7, NOT_JUDGED), (13, NOT_JUDGED)]
    told = of_program(UNPACKED, "step((np.ones((3, 2)), np.ones((3, 2)), np.ones((3, 2)), np.ones(2)))")
    assert [line.verdict for line in told.lines if line.target == "b"] == [WRONG]


UNNAMED = """\
import numpy as np

def relu_forward(x):
    return np.maximum(0, x), x

def relu_backward(dout, cache):
    return dout * (cache > 0)
"""


@pytest.mark.parametrize(("sign", "wrong"), [(">", []), ("<", [7])])
def test_what_a_forward_pass_returns_last_is_the_cache_that_the_backward_pass_takes(
    sign: str, wrong: list[int]
) -> None:
    judged = of_program(UNNAMED.replace("cache >", f"cache {sign}"))
    assert judged.cost.text == "J = np.sum(dout * out)"
    assert [line.line for line in judged.lines if line.verdict == WRONG] == wrong
