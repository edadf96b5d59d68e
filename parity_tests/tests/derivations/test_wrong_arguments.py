"""A wrong argument in a call is reported at the call, not in the function, which is right."""

from __future__ import annotations

import pytest

from parity_tests.tests.derivations.verdicts import line_of, of_program, wrong_in

PROGRAM = """\
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def slope(z):
    g = sigmoid(z)
    return g * (1 - g)

def through(d, W):
    return d @ W.T

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(12, 4)), rng.normal(size=(12, 3))
W1, W2 = rng.normal(size=(4, 5)), rng.normal(size=(6, 3))
old = np.tanh(W2)
for step in range(10):
    z1 = X @ W1
    a1 = np.hstack([np.ones((12, 1)), sigmoid(z1)])
    error = (a1 @ W2 - Y) / len(X)
    loss = np.sum((a1 @ W2 - Y) ** 2) / (2 * len(X))
    dW2 = a1.T @ error
    d1 = through(error, W2[1:]) * slope(z1)
    dW1 = X.T @ d1
    W1 -= 0.1 * dW1
    W2 -= 0.1 * dW2
"""


@pytest.mark.parametrize(
    ("right", "wrong"), [("slope(z1)", "slope(a1[:, 1:])"), ("through(error, W2[1:])", "through(error, old[1:])")]
)
def test_the_call_is_wrong(right: str, wrong: str) -> None:
    (line,) = wrong_in(of_program(PROGRAM.replace(right, wrong)))
    assert line.line == line_of(right, PROGRAM)
    assert line.cause in ("wrong-symbol", "gprime-at-a")
    assert right in line.repaired


def test_a_wrong_function_is_wrong() -> None:
    (line,) = wrong_in(of_program(PROGRAM.replace("g * (1 - g)", "g * (1 + g)")))
    assert line.line == 8
