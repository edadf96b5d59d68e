"""What is said beside a program: how it is called, its cost, the names of what a call returns; and what it proposes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from parity_tests.derivations.engine.python.calls import flag
from parity_tests.derivations.engine.python.judged import how_to_call, judge_program, named
from parity_tests.derivations.engine.python.said_cost import RefusedError
from parity_tests.derivations.own.program_file import verify_file
from parity_tests.derivations.verdicts import HOLDS, WRONG, Judged
from parity_tests.tests.derivations.verdicts import of_program
from parity_tests.tests.slices import sliced

FUNCTIONS = """\
import numpy as np

def start():
    w1, b1 = 0.1 * np.random.rand(7, 5), np.zeros((1, 5))
    w2, b2 = 0.1 * np.random.rand(5, 3), np.zeros((1, 3))
    return w1, b1, w2, b2

def softmax(z):
    return np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True)

def ahead(x, w1, b1, w2, b2):
    z1 = x @ w1 + b1
    a1 = np.maximum(z1, 0)
    z2 = a1 @ w2 + b2
    return z1, a1, z2, softmax(z2)

def behind(x, onehot, z1, w1, a1, z2, w2, a2):
    m = x.shape[0]
    d2 = a2 - onehot
    dw2 = a1.T @ d2 / m
    db2 = np.sum(d2, axis=0, keepdims=True) / m
    d1 = d2 @ w2.T * (z1 > 0)
    dw1 = x.T @ d1 / m
    db1 = np.sum(d1, axis=0, keepdims=True) / m
    return dw2, db2, dw1, db1
"""

LAYERS = """\
import numpy as np

class Net:
    def __init__(self, layout):
        self.weights = [np.random.uniform(-1, 1, (m, n)) for m, n in zip(layout, layout[1:])]

    def learn(self, x, y, rate=0.1):
        a = [x]
        for W in self.weights:
            a.append(np.tanh(a[-1].dot(W)))
        delta = (a[-1] - y) * (1 - a[-1] ** 2)
        for k in reversed(range(len(self.weights))):
            step = np.outer(a[k], delta)
            delta = delta.dot(self.weights[k].T) * (1 - a[k] ** 2)
            self.weights[k] -= rate * step
"""

LISTS = """\
import numpy as np

def train_batch(batch_x, wanted, weights, biases, eta):
    values = [batch_x]
    for W, b in zip(weights, biases):
        values.append(np.tanh(values[-1] @ W + b))
    output = values[-1]
    delta = (output - wanted) * (1 - output ** 2)
    for t in range(1, len(weights) + 1):
        grad_W = values[-t - 1].T @ delta
        grad_b = delta.sum(axis=0)
        if t < len(weights):
            delta = delta @ weights[-t].T * (1 - values[-t - 1] ** 2)
        weights[-t] = weights[-t] - eta * grad_W
        biases[-t] = biases[-t] - eta * grad_b
"""

ENDS_EARLY = FUNCTIONS + 'if __name__ == "__main__":\n    table = np.loadtxt("nowhere.csv")\n'


def all_hold(found: Judged) -> bool:
    return {line.verdict for line in found.lines} == {HOLDS}


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        pytest.param(FUNCTIONS, "* (z1 > 0)", "", marks=pytest.mark.slow),
        pytest.param(ENDS_EARLY, "dw2 = a1.T @ d2 / m", "dw2 = a1.T @ d2", marks=pytest.mark.slow),
        (LAYERS, " * (1 - a[-1] ** 2)", ""),
    ],
)
def test_a_file_without_a_run_is_called_and_the_call_can_be_pasted(text: str, old: str, new: str) -> None:
    found = of_program(text)
    assert all_hold(found), [line.message for line in found.lines]
    pasted = re.fullmatch(r"Called with (--call .*)\.", found.notes[0])
    assert pasted is not None
    name, call = shlex.split(pasted[1])
    assert name == "--call"
    again = of_program(text, call=call)
    assert again.summary == found.summary
    assert WRONG in {line.verdict for line in of_program(text.replace(old, new)).lines}


LOADER = """\
from our_loader import load_digits
from testCases import *
import our_plots.figures as figures

"""


@pytest.mark.slow
def test_data_that_cannot_be_loaded_are_no_hindrance() -> None:
    rest = "\nx_train, y_train = load_digits(normalized=True)\nshape = x_train.shape\nfigures.show(x_train)\n"
    text = LOADER + FUNCTIONS + rest
    found = of_program(text)
    assert all_hold(found)
    first = len(text.splitlines()) - 2
    whys = ("ModuleNotFoundError: No module named 'our_loader'", "NameError: name 'x_train' is not defined")
    assert found.notes[1:] == (
        *(f"Line {first + place} is passed over, which ends with {why}." for place, why in enumerate(whys)),
        f"Line {first + 2} is passed over, which ends with NameError: name 'x_train' is not defined.",
    )
    assert WRONG in {line.verdict for line in of_program(text.replace("dw2 = a1.T @ d2 / m", "dw2 = a1.T @ d2")).lines}


@pytest.mark.slow
def test_a_module_that_lacks_another_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "our_tools.py").write_text("import nothing_like_it\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = of_program(f"import our_tools\n{FUNCTIONS}")
    assert all_hold(found)
    why = "ModuleNotFoundError: No module named 'nothing_like_it'"
    assert found.notes[1:] == (f"Line 1 is passed over, which ends with {why}.",)


@pytest.mark.slow
def test_what_cannot_be_judged_says_what_to_add(tmp_path: Path) -> None:
    sentence = how_to_call(LISTS)
    match = re.match(r"called with (--call .*), no gradient of a cost was found: say J with --cost", sentence)
    assert match is not None, sentence
    call = shlex.split(match[1])[1]
    cost = "0.5 * np.sum((output - wanted) ** 2)"
    assert judge_program("net.py", LISTS, call) is None
    assert all_hold(of_program(LISTS, call=call, cost=cost))
    assert not all_hold(of_program(LISTS.replace("* (1 - values[-t - 1] ** 2)", ""), call=call, cost=cost))


def test_a_file_that_needs_more_than_can_be_guessed_has_a_call_to_complete() -> None:
    text = "def back(X, Y, cache):\n    A, W, b = cache['all']\n    dA = A - Y\n    return {'dW': dA @ X.T, 'db': dA}\n"
    sentence = how_to_call(text)
    assert sentence.startswith('say how it is called, such as --call "X = ')
    assert "back(X, Y, cache)" in sentence
    assert "IndexError in line 2" in sentence


def test_where_nothing_says_which_function_is_meant_the_longest_is_proposed() -> None:
    text = "def g(x):\n    return x\n\ndef step(values):\n    a, b = values\n    return a * b\n"
    assert "step((a, b))" in how_to_call(text)
    assert how_to_call("x = 1\n") == "no gradient of a cost was found: say J with --cost"
    assert how_to_call("import os\n") == ""


def test_the_sentence_is_in_the_answer_on_a_file(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(LISTS, encoding="utf-8")
    found = verify_file(file)
    assert found.summary.judged == 0
    assert "--call" in found.notes[0]
    assert all_hold(verify_file(file, cost="0.5 * np.sum((output - wanted) ** 2)"))


NO_COST = """\
import numpy as np

np.random.seed(0)
X, Y = np.random.randn(3, 8), np.random.rand(1, 8)
W, b = np.random.randn(1, 3), np.zeros((1, 1))

def forward(X):
    return W @ X + b

def error_of(A, Y):
    return np.mean((A - Y) ** 2)

for i in range(10):
    A = forward(X)
    watched = error_of(A, Y)
    other = np.mean(np.abs(A - Y))
    dZ = (A - Y) / 8
    dW = dZ @ X.T
    db = dZ.sum(axis=1, keepdims=True)
    W -= 0.1 * dW
    b -= 0.1 * db
"""


@pytest.mark.parametrize(
    ("cost", "holds"),
    sliced(
        [
            ("0.5 * np.mean((A - Y) ** 2)", True),
            ("np.sum((A - Y) ** 2)", True),
            ("watched", True),
            ("error_of", True),
            ("other", False),
            ("np.mean((A - Y) ** 4)", False),
            ("np.mean((A - Y) ** 2) + 0.3 * np.sum(W ** 2)", False),
        ],
        6,
    ),
)
def test_the_cost_that_was_said_is_the_one_that_counts(cost: str, holds: bool) -> None:
    assert all_hold(of_program(NO_COST, cost=cost)) is holds


@pytest.mark.parametrize(
    ("cost", "sentence"),
    [
        ("np.sum(Q)", "cost is 'np.sum(Q)', and the program has no Q"),
        ("A -", "cost is 'A -', expected the name of a value or a formula: "),
        ("dW", "cost is 'dW', and no gradient of a number of that name was found"),
    ],
)
def test_a_cost_that_the_program_has_not_is_refused(cost: str, sentence: str) -> None:
    with pytest.raises(RefusedError) as refused:
        judge_program("net.py", NO_COST, cost=cost)
    assert str(refused.value).startswith(sentence)


UNNAMED = """\
import numpy as np

def grads_of(X, y, W, b):
    out = X @ W + b
    loss = np.sum((out - y) ** 2)
    return 2 * X.T @ (out - y), 2 * (out - y).sum(axis=0)
"""


@pytest.mark.slow
def test_what_a_call_returns_gets_names_and_is_judged_by_them() -> None:
    wrong = UNNAMED.replace("2 * X.T @ (out - y),", "X.T @ (out - y) ** 3,")
    assert all_hold(of_program(UNNAMED, grads="dW,db"))
    assert not all_hold(of_program(wrong, grads="dW,db"))
    assert not all_hold(of_program(UNNAMED, grads="db,dW"))


@pytest.mark.parametrize(
    ("grads", "call"),
    [
        ("", "x = 1\nf(x)"),
        ("dW", "x = 1\ndW = f(x)"),
        ("dW,db", "x = 1\nreturned = f(x)\ndW, db = returned.values() if isinstance(returned, dict) else returned"),
    ],
)
def test_the_last_line_of_a_call_gets_the_names(grads: str, call: str) -> None:
    assert named("x = 1\nf(x)", grads) == call


def test_a_flag_is_quoted_for_a_shell() -> None:
    assert flag("x = 1\nf(x)") == '--call "x = 1; f(x)"'
    assert shlex.split(flag('f("$HOME")')) == ["--call", 'f("$HOME")']
