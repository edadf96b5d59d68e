"""Submissions of one course exercise: a network with one hidden layer, written in ten styles, right and with mistakes.

``submissions(count)`` makes files by mutation: a style, other names, sizes, seeds and rates, and in some a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

TEACHER = """
import numpy as np


def initialize(n_x, n_h, n_y):
    np.random.seed(2)
    W1 = np.random.randn(n_h, n_x) * 0.5
    b1 = np.zeros((n_h, 1))
    W2 = np.random.randn(n_y, n_h) * 0.5
    b2 = np.zeros((n_y, 1))
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(X, parameters):
    Z1 = np.dot(parameters["W1"], X) + parameters["b1"]
    A1 = np.tanh(Z1)
    Z2 = np.dot(parameters["W2"], A1) + parameters["b2"]
    A2 = sigmoid(Z2)
    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}


def compute_cost(A2, Y):
    m = Y.shape[1]
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m


def backward(parameters, cache, X, Y):
    m = X.shape[1]
    dZ2 = cache["A2"] - Y
    dW2 = np.dot(dZ2, cache["A1"].T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = np.dot(parameters["W2"].T, dZ2) * (1 - cache["A1"] ** 2)
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def update(parameters, grads, rate):
    return {key: parameters[key] - rate * grads["d" + key] for key in parameters}


if __name__ == "__main__":
    np.random.seed(1)
    X = np.random.randn(4, 9)
    Y = (X[:2] > 0) * 1.0
    parameters = initialize(4, 5, 2)
    for i in range(50):
        A2, cache = forward(X, parameters)
        cost = compute_cost(A2, Y)
        grads = backward(parameters, cache, X, Y)
        parameters = update(parameters, grads, 0.5)
""".lstrip()

IN_COLUMNS = (
    (" * (1 - A1 ** 2)", ""),
    ("(1 - A1 ** 2)", "(1 - A1)"),
    ("dW2 = dZ2 @ A1.T / m", "dW2 = dZ2 @ A1.T"),
    ("db1 = np.sum(dZ1, axis=1, keepdims=True) / m", "db1 = np.sum(dZ1, keepdims=True) / m"),
    ("dZ1 = W2.T @ dZ2", "dZ1 = 2 * W2.T @ dZ2"),
    ("dZ2 = A2 - Y", "dZ2 = (A2 - Y) * A2 * (1 - A2)"),
)
IN_ROWS = (
    (" * (1 - h ** 2)", ""),
    ("(1 - h ** 2)", "(1 + h ** 2)"),
    ("dW2 = h.T @ d2", "dW2 = 3 * h.T @ d2"),
    ("db2 = d2.sum(axis=0)", "db2 = d2.sum()"),
    ("d1 = d2 @ W2.T", "d1 = -d2 @ W2.T"),
    ("dW1 = X.T @ d1", "dW1 = X.T @ d1 / 2"),
)
STYLES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "the teacher's functions": (
        TEACHER,
        (
            (' * (1 - cache["A1"] ** 2)', ""),
            ('(1 - cache["A1"] ** 2)', '(1 - cache["A1"])'),
            ('dW2 = np.dot(dZ2, cache["A1"].T) / m', 'dW2 = np.dot(dZ2, cache["A1"].T)'),
            ("db1 = np.sum(dZ1, axis=1, keepdims=True) / m", "db1 = np.sum(dZ1, axis=1, keepdims=True)"),
            ('dZ2 = cache["A2"] - Y', 'dZ2 = Y - cache["A2"]'),
            ('np.dot(parameters["W2"].T, dZ2)', 'np.dot(parameters["W2"].T, dZ2 ** 2)'),
        ),
    ),
    "functions alone": (
        """
import numpy as np

def forward(X, parameters):
    W1, b1, W2, b2 = (parameters[key] for key in ("W1", "b1", "W2", "b2"))
    A1 = np.tanh(W1 @ X + b1)
    A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
    return A2, {"A1": A1, "A2": A2}

def backward(parameters, cache, X, Y):
    W2, A1, A2 = parameters["W2"], cache["A1"], cache["A2"]
    m = X.shape[1]
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = W2.T @ dZ2 * (1 - A1 ** 2)
    dW1 = dZ1 @ X.T / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
""",
        IN_COLUMNS,
    ),
    "script in columns": (
        """
import numpy as np

np.random.seed(3)
m, rate = 9, 0.4
X = np.random.randn(4, m)
Y = (X[:2] > 0).astype(float)
W1, b1 = np.random.randn(5, 4) * 0.3, np.zeros((5, 1))
W2, b2 = np.random.randn(2, 5) * 0.3, np.zeros((2, 1))
for step in range(100):
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
    J = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = W2.T @ dZ2 * (1 - A1 ** 2)
    dW1 = dZ1 @ X.T / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    W1 -= rate * dW1
    b1 -= rate * db1
    W2 -= rate * dW2
    b2 -= rate * db2
""",
        IN_COLUMNS,
    ),
    "script in rows": (
        """
import numpy as np

rng = np.random.default_rng(5)
X = rng.normal(size=(8, 3))
y = (X[:, :2] > 0) * 1.0
W1, b1 = rng.normal(size=(3, 6)), np.zeros(6)
W2, b2 = rng.normal(size=(6, 2)), np.zeros(2)
for epoch in range(200):
    h = np.tanh(X @ W1 + b1)
    p = 1.0 / (1.0 + np.exp(-(h @ W2 + b2)))
    loss = -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum() / len(X)
    d2 = (p - y) / len(X)
    dW2 = h.T @ d2
    db2 = d2.sum(axis=0)
    d1 = d2 @ W2.T * (1 - h ** 2)
    dW1 = X.T @ d1
    db1 = d1.sum(axis=0)
    W1, b1 = W1 - 0.1 * dW1, b1 - 0.1 * db1
    W2, b2 = W2 - 0.1 * dW2, b2 - 0.1 * db2
    if epoch % 50 == 0:
        print(epoch, loss)
""",
        IN_ROWS,
    ),
    "class": (
        """
import numpy as np

class Network:
    def __init__(self, n_x, n_h, n_y):
        self.W1 = np.random.randn(n_h, n_x) * 0.4
        self.b1 = np.zeros((n_h, 1))
        self.W2 = np.random.randn(n_y, n_h) * 0.4
        self.b2 = np.zeros((n_y, 1))

    def forward(self, X):
        self.A1 = np.tanh(self.W1 @ X + self.b1)
        self.A2 = 1 / (1 + np.exp(-(self.W2 @ self.A1 + self.b2)))
        return self.A2

    def cost(self, Y):
        return -np.sum(Y * np.log(self.A2) + (1 - Y) * np.log(1 - self.A2)) / Y.shape[1]

    def backward(self, X, Y):
        A1, A2, W2, m = self.A1, self.A2, self.W2, X.shape[1]
        dZ2 = A2 - Y
        dW2 = dZ2 @ A1.T / m
        db2 = np.sum(dZ2, axis=1, keepdims=True) / m
        dZ1 = W2.T @ dZ2 * (1 - A1 ** 2)
        dW1 = dZ1 @ X.T / m
        db1 = np.sum(dZ1, axis=1, keepdims=True) / m
        return dW1, db1, dW2, db2

    def train(self, X, Y, steps=20, rate=0.3):
        for _ in range(steps):
            self.forward(X)
            J = self.cost(Y)
            dW1, db1, dW2, db2 = self.backward(X, Y)
            self.W1 -= rate * dW1
            self.b1 -= rate * db1
            self.W2 -= rate * dW2
            self.b2 -= rate * db2

np.random.seed(0)
X = np.random.randn(4, 9)
Y = (X[:2] > 0) * 1.0
Network(4, 5, 2).train(X, Y)
""",
        IN_COLUMNS,
    ),
    "class alone": (
        """
import numpy as np

class Net:
    def __init__(self, n_in, n_hidden, n_out, lr=0.1):
        self.W1 = np.random.randn(n_in, n_hidden) * 0.4
        self.b1 = np.zeros(n_hidden)
        self.W2 = np.random.randn(n_hidden, n_out) * 0.4
        self.b2 = np.zeros(n_out)
        self.lr = lr

    def train(self, X, y, epochs=30):
        for _ in range(epochs):
            W2 = self.W2
            h = np.tanh(X @ self.W1 + self.b1)
            p = 1 / (1 + np.exp(-(h @ W2 + self.b2)))
            loss = -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)) / len(X)
            d2 = (p - y) / len(X)
            dW2 = h.T @ d2
            db2 = d2.sum(axis=0)
            d1 = d2 @ W2.T * (1 - h ** 2)
            dW1 = X.T @ d1
            db1 = d1.sum(axis=0)
            self.W1 -= self.lr * dW1
            self.b1 -= self.lr * db1
            self.W2 -= self.lr * dW2
            self.b2 -= self.lr * db2
        return loss
""",
        IN_ROWS,
    ),
    "lists of layers": (
        """
import numpy as np

np.random.seed(7)
sizes = [4, 5, 2]
Ws = [np.random.randn(n, m) * 0.5 for m, n in zip(sizes, sizes[1:])]
bs = [np.zeros((n, 1)) for n in sizes[1:]]
X = np.random.randn(4, 9)
Y = (X[:2] > 0) * 1.0

def act(z, last):
    return 1 / (1 + np.exp(-z)) if last else np.tanh(z)

for epoch in range(30):
    A = [X]
    for l in range(2):
        A.append(act(Ws[l] @ A[-1] + bs[l], l == 1))
    cost = -np.sum(Y * np.log(A[-1]) + (1 - Y) * np.log(1 - A[-1])) / 9
    delta = A[-1] - Y
    for l in (1, 0):
        dW = delta @ A[l].T / 9
        db = delta.sum(axis=1, keepdims=True) / 9
        if l:
            delta = Ws[l].T @ delta * (1 - A[l] ** 2)
        Ws[l] = Ws[l] - 0.2 * dW
        bs[l] = bs[l] - 0.2 * db
""",
        (
            (" * (1 - A[l] ** 2)", ""),
            ("(1 - A[l] ** 2)", "A[l] * (1 - A[l])"),
            ("dW = delta @ A[l].T / 9", "dW = delta @ A[l].T"),
            ("db = delta.sum(axis=1, keepdims=True) / 9", "db = delta.sum(keepdims=True) / 9"),
            ("delta = A[-1] - Y", "delta = (A[-1] - Y) * (1 - A[-1] ** 2)"),
            ("delta = Ws[l].T @ delta", "delta = Ws[l].T @ (delta + 1)"),
        ),
    ),
    "one function that trains": (
        """
import numpy as np

def train(X, Y, n_h=5, steps=40, rate=0.5):
    m = X.shape[1]
    W1 = np.random.randn(n_h, X.shape[0]) * 0.3
    b1 = np.zeros((n_h, 1))
    W2 = np.random.randn(Y.shape[0], n_h) * 0.3
    b2 = np.zeros((Y.shape[0], 1))
    costs = []
    for i in range(steps):
        A1 = np.tanh(np.dot(W1, X) + b1)
        A2 = 1 / (1 + np.exp(-np.dot(W2, A1) - b2))
        costs.append(-np.mean(np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2), axis=0)))
        dZ2 = A2 - Y
        dW2 = dZ2 @ A1.T / m
        db2 = np.sum(dZ2, axis=1, keepdims=True) / m
        dZ1 = W2.T @ dZ2 * (1 - A1 ** 2)
        dW1 = dZ1 @ X.T / m
        db1 = np.sum(dZ1, axis=1, keepdims=True) / m
        W1 = W1 - rate * dW1
        b1 = b1 - rate * db1
        W2 = W2 - rate * dW2
        b2 = b2 - rate * db2
    return W1, b1, W2, b2, costs

if __name__ == "__main__":
    np.random.seed(4)
    X = np.random.randn(4, 9)
    Y = (X[:2] > 0) * 1.0
    train(X, Y)
""",
        IN_COLUMNS,
    ),
    "uphill, no cost": (
        """
import numpy as np

np.random.seed(9)
X = np.random.randn(8, 3)
y = (X[:, :2] > 0) * 1.0
W1, b1 = np.random.randn(3, 6) * 0.5, np.zeros((1, 6))
W2, b2 = np.random.randn(6, 2) * 0.5, np.zeros((1, 2))
for i in range(60):
    h = np.tanh(X.dot(W1) + b1)
    p = 1 / (1 + np.exp(-(h.dot(W2) + b2)))
    d2 = y - p
    dW2 = h.T @ d2
    db2 = d2.sum(axis=0)
    d1 = d2 @ W2.T * (1 - h ** 2)
    dW1 = X.T @ d1
    db1 = d1.sum(axis=0)
    W2 += 0.05 * dW2
    b2 += 0.05 * db2
    W1 += 0.05 * dW1
    b1 += 0.05 * db1
""",
        IN_ROWS,
    ),
    "layer objects": (
        """
import numpy as np

class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out) * 0.5
        self.b = np.zeros((1, n_out))

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0, keepdims=True)
        return grad @ self.W.T

class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, grad):
        return grad * (1 - self.out ** 2)

np.random.seed(6)
X = np.random.randn(8, 3)
Y = (X[:, :2] > 0) * 1.0
layers = [Dense(3, 6), Tanh(), Dense(6, 2)]
for epoch in range(20):
    out = X
    for layer in layers:
        out = layer.forward(out)
    P = 1 / (1 + np.exp(-out))
    loss = -np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P)) / 8
    grad = (P - Y) / 8
    for layer in reversed(layers):
        grad = layer.backward(grad)
    for layer in (layers[0], layers[2]):
        layer.W -= 0.3 * layer.dW
        layer.b -= 0.3 * layer.db
""",
        (
            (" * (1 - self.out ** 2)", ""),
            ("(1 - self.out ** 2)", "(1 - self.out)"),
            ("self.dW = self.x.T @ grad", "self.dW = self.x.T @ grad / 8"),
            ("self.db = grad.sum(axis=0, keepdims=True)", "self.db = grad.mean(axis=0, keepdims=True)"),
            ("grad = (P - Y) / 8", "grad = (P - Y) * P * (1 - P) / 8"),
            ("return grad @ self.W.T", "return 2 * grad @ self.W.T"),
        ),
    ),
}


class Submission(NamedTuple):
    """One file: its style, its text, and the line where its mistake stands, 0 where it is right."""

    style: str
    text: str
    line: int

    @property
    def name(self) -> str:
        """Its file's name says nothing of whether it is right."""
        return re.sub(r"\W+", "_", self.style)


RENAMED: tuple[dict[str, str], ...] = (
    {},
    {"dZ1": "delta1", "dZ2": "delta2", "d1": "dh", "d2": "dout"},
    {"A1": "H", "A2": "yhat", "h": "a1"},
)
"""Other names for what is inside of a file."""


def submissions(count: int, seed: int = 0) -> Iterator[Submission]:
    """So many files, every style in turn; four of ten are right."""
    draws = np.random.default_rng(seed)
    styles = list(STYLES.items())
    for number in range(count):
        style, (text, mistakes) = styles[number % len(styles)]
        turn = number // len(styles)
        text = text.lstrip()
        line = 0
        if turn % 10 >= 4:
            old, new = mistakes[(turn - 4) % 10 % len(mistakes)]
            assert text.count(old) == 1, (style, old)
            line = text[: text.index(old)].count("\n") + 1
            text = text.replace(old, new)
        text = re.sub(r"(seed|default_rng)\(\d+\)", rf"\g<1>({number})", text)
        text = re.sub(r"range\(\d\d+\)", f"range({draws.integers(10, 90)})", text)
        if "cache" not in text:
            for old, new in RENAMED[turn % len(RENAMED)].items():
                text = re.sub(rf"\b{old}\b", new, text)
        yield Submission(style, text, line)
