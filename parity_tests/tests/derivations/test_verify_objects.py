"""Functions, objects and blocks of code are judged where they live, among their own variables."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import parity_tests
from parity_tests.derivations.own.watch import watch
from parity_tests.derivations.verdicts import HOLDS, WRONG
from parity_tests.derivations.verify import verify
from parity_tests.tests.slices import sliced

RATE = 0.1


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def forward(X: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    A1 = np.tanh(X @ W1 + b1)
    A2 = sigmoid(A1 @ W2 + b2)
    return A2, (X, A1, A2, W2)


def backward(cache: Any, y: Any) -> Any:
    X, A1, A2, W2 = cache
    dZ2 = (A2 - y) / len(X)
    dZ1 = dZ2 @ W2.T * (1 - A1**2)
    return X.T @ dZ1, dZ1.sum(0), A1.T @ dZ2, dZ2.sum(0)


def backward_wrong(cache: Any, y: Any) -> Any:
    X, A1, A2, W2 = cache
    dZ2 = (A2 - y) / len(X)
    dZ1 = dZ2 @ W2.T * (1 - A1)
    return X.T @ dZ1, dZ1.sum(0), A1.T @ dZ2, dZ2.sum(0)


def loss(W: Any, b: Any, X: Any, y: Any) -> Any:
    scores = X @ W + b
    p = np.exp(scores - scores.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    N = len(X)
    J = -np.log(p[np.arange(N), y]).mean()
    d = p.copy()
    d[np.arange(N), y] -= 1
    d /= N
    return J, X.T @ d, d.sum(0)


def loss_wrong(W: Any, b: Any, X: Any, y: Any) -> Any:
    scores = X @ W + b
    p = np.exp(scores - scores.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    N = len(X)
    J = -np.log(p[np.arange(N), y]).mean()
    d = p.copy()
    d[np.arange(N), y] -= 1
    dW = X.T @ d
    db = d.sum(0) / N
    return J, dW, db


class Net:
    def __init__(self, inputs: int, outputs: int) -> None:
        self.W, self.b = np.zeros((inputs, outputs)), np.zeros(outputs)

    def train(self, X: Any, y: Any) -> Any:
        d = X @ self.W + self.b - y
        cost = 0.5 * np.sum(d**2) / len(X)
        self.dW = X.T @ d / len(X)
        self.db = d.sum(0) / len(X)
        self.W -= RATE * self.dW
        self.b -= RATE * self.db
        return cost


class WrongNet(Net):
    def train(self, X: Any, y: Any) -> Any:
        N = len(X)
        d = X @ self.W + self.b - y
        cost = 0.5 * np.sum(d**2) / N
        self.dW = X.T @ d / N
        self.db = d.sum(0)
        self.W -= RATE * self.dW
        self.b -= RATE * self.db
        return cost


class Dense:
    """A layer that is called."""

    def __init__(self, inputs: int, outputs: int) -> None:
        self.W = np.random.default_rng(inputs).standard_normal((inputs, outputs))

    def __call__(self, X: Any) -> Any:
        self.X = X
        return X @ self.W

    def backward(self, d: Any) -> Any:
        self.dW = self.X.T @ d
        return d @ self.W.T


X = np.random.default_rng(0).standard_normal((6, 3))
Y = np.random.default_rng(1).standard_normal((6, 4))
LABELS = np.array([0, 3, 1, 2, 2, 0])
POINT = {"X": X, "y": LABELS, "W": np.zeros((3, 4)), "b": np.zeros(4)}

RIGHT: dict[str, Callable[[], Any]] = {
    "forward and backward": lambda: verify(forward, backward),
    "one function of both": lambda: verify(loss),
    "on arguments by name": lambda: verify(loss, x=POINT),
    "on arguments in order": lambda: verify(loss, x=(POINT["W"], POINT["b"], X, LABELS)),
    "as it is called": lambda: verify(loss, x=POINT, call="J, dW, db = loss(W, b, X, y)"),
    "an object": lambda: verify(Net(3, 4)),
    "an object on arguments": lambda: verify(Net(3, 4), x={"X": X, "y": Y}),
    "a class": lambda: verify(Net),
}

MISTAKES: dict[str, tuple[Callable[[], Any], str, str]] = {
    "forward and backward": (lambda: verify(forward, backward_wrong), "(1 - A1)", "1 - A1**2"),
    "one function of both": (lambda: verify(loss_wrong), "dW = X.T @ d", "/ N"),
    "on arguments": (lambda: verify(loss_wrong, x=POINT), "dW = X.T @ d", "/ N"),
    "an object": (lambda: verify(WrongNet(3, 4)), "self.db = d.sum(0)", "/ N"),
}


@pytest.mark.parametrize("name", sliced(RIGHT, 6))
def test_right_functions_hold(name: str) -> None:
    judged = RIGHT[name]()
    assert {line.verdict for line in judged.lines} == {HOLDS}, judged.lines
    assert judged.summary.holds >= 2


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_function_has_its_line_in_the_file_and_its_repair(name: str) -> None:
    call, text, repair = MISTAKES[name]
    (wrong,) = [line for line in call().lines if line.verdict == WRONG]
    rows = Path(__file__).read_text(encoding="utf-8").splitlines()
    assert text in wrong.text == rows[wrong.line - 1].strip()
    assert repair in wrong.repaired


def test_what_is_judged_stays_as_it_was() -> None:
    net = Net(3, 4)
    np.random.seed(5)  # noqa: NPY002
    random.seed(3)
    verify(net, x={"X": X, "y": Y})
    assert not net.W.any()
    assert not hasattr(net, "dW")
    next_one = np.random.rand()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    assert np.random.rand() == next_one  # noqa: NPY002
    after = random.random()
    random.seed(3)
    assert random.random() == after


def test_without_a_source_the_numbers_alone_are_judged() -> None:
    square, double = eval("lambda w: np.sum(w**2)", {"np": np}), eval("lambda w: 2 * w")
    judged = verify(square, double, x=np.arange(3.0))
    assert [line.verdict for line in judged.lines] == [HOLDS]
    assert "no source" in judged.layout
    both = eval("lambda w: (np.sum(w**2), 3 * w)", {"np": np})
    assert [line.verdict for line in verify(both, x={"w": np.arange(3.0)}).lines] == [WRONG]
    assert [line.verdict for line in verify(np.sum, np.ones_like, x=np.arange(3.0)).lines] == [HOLDS]
    with pytest.raises(ValueError, match="expected x"):
        verify(square, double)


def test_what_cannot_be_judged_says_so() -> None:
    with pytest.raises(ValueError, match="nothing of sigmoid could be judged: expected"):
        verify(sigmoid)
    with pytest.raises(ValueError, match="functions in both places"):
        verify("dW = X.T @ d", sigmoid)


def test_a_block_is_judged_with_the_variables_around_it() -> None:
    W, b, m = np.zeros((3, 4)), np.zeros(4), 6
    with watch() as seen:
        d = X @ W + b - Y
        cost = 0.5 * np.sum(d**2) / m
        dW = X.T @ d / m
        db = d.sum(0)
        W -= RATE * dW
        b -= RATE * db
    assert cost > 0
    assert W.any()
    assert [line.verdict for line in seen.judged.lines if line.target == "dW"] == [HOLDS]
    (wrong,) = [line for line in seen.judged.lines if line.verdict == WRONG]
    assert (wrong.text, wrong.repaired) == ("db = d.sum(0)", "db = d.sum(0) / m")


def test_objects_and_functions_around_a_block_are_read_with_it() -> None:
    layers = [Dense(3, 5), Dense(5, 4)]
    with watch() as seen:
        A = X
        for layer in layers:
            A = layer(A)
        cost = 0.5 * np.sum((sigmoid(A) - Y) ** 2)
        p = sigmoid(A)
        grad = (p - Y) * p * (1 - p)
        for layer in reversed(layers):
            grad = layer.backward(grad)
    assert cost > 0
    assert seen.judged.summary.wrong == 0
    assert {line.text for line in seen.judged.lines} >= {"self.dW = self.X.T @ d", "grad = (p - Y) * p * (1 - p)"}


def test_a_block_that_cannot_be_judged_says_so_and_its_own_errors_come_first() -> None:
    with pytest.raises(ZeroDivisionError), watch():
        1 / 0  # noqa: B018
    with pytest.raises(ValueError, match="nothing of the block"), watch():
        d = X * 2
    assert d is not None
    for _ in range(1):
        with pytest.raises(ValueError, match="cannot be run by itself: 'continue'"), watch():
            continue


def test_the_public_names_are_listed() -> None:
    assert dir(parity_tests) == sorted(parity_tests.__all__)
