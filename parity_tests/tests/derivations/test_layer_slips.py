"""Layer objects that step inside of backward, and gradients that are added up: the line, the cause and the repair."""

from __future__ import annotations

import pytest

from parity_tests.tests.derivations.verdicts import line_of, of_program, wrong_in
from parity_tests.tests.slices import sliced

LAYERS = """\
import numpy as np

class Dense:
    def __init__(self, n_in, n_out):
        self.weights = np.random.randn(n_out, n_in)
        self.bias = np.random.randn(n_out, 1)

    def forward(self, input):
        self.input = input
        return self.weights @ input + self.bias

    def backward(self, output_gradient, rate):
        input_gradient = self.weights.T @ output_gradient
        self.weights -= rate * output_gradient @ self.input.T
        self.bias -= rate * output_gradient
        return input_gradient

class Activation:
    def __init__(self, function, prime):
        self.function = function
        self.prime = prime

    def forward(self, input):
        self.input = input
        return self.function(input)

    def backward(self, output_gradient, rate):
        return np.multiply(output_gradient, self.prime(self.input))

def tanh(x):
    return np.tanh(x)

def tanh_prime(x):
    return 1 - np.tanh(x) ** 2

def mse(y, out):
    return np.mean((y - out) ** 2)

def mse_prime(y, out):
    return 2 * (out - y) / np.size(y)

network = [Dense(2, 3), Activation(tanh, tanh_prime), Dense(3, 2), Activation(tanh, tanh_prime)]
for x, y in zip(np.random.randn(4, 2, 1), np.random.rand(4, 2, 1)):
    out = x
    for layer in network:
        out = layer.forward(out)
    loss = mse(y, out)
    grad = mse_prime(y, out)
    for layer in reversed(network):
        grad = layer.backward(grad, 0.1)
"""

SAMPLED = """\
import numpy as np
rng = np.random.default_rng(0)
vectors, outside = rng.normal(size=(6, 4)), rng.normal(size=(6, 4))

def sigmoid(x):
    return 1 / (1 + np.exp(-x))

def step(v, o, U, negatives):
    p, q = sigmoid(U[o] @ v), sigmoid(-(U[negatives] @ v))
    loss = -np.log(p) - np.sum(np.log(q))
    dU = np.zeros_like(U)
    dU[o] += (p - 1) * v
    for j, k in enumerate(negatives):
        dU[k] += (1 - q[j]) * v
    return loss, (p - 1) * U[o] + (1 - q) @ U[negatives], dU

for c, o in ((0, 1), (2, 3), (4, 5)):
    loss, dv, dU = step(vectors[c], o, outside, [k for k in rng.integers(0, 6, 4) if k != o])
    vectors[c] -= 0.1 * dv
    outside -= 0.1 * dU
"""

MOVED = """\
        self.weights -= rate * output_gradient @ self.input.T
        input_gradient = self.weights.T @ output_gradient
"""


@pytest.mark.parametrize("text", [LAYERS, SAMPLED], ids=["layers", "sampled"])
def test_they_hold(text: str) -> None:
    found = of_program(text)
    assert found.summary.judged == found.summary.holds > 2


@pytest.mark.parametrize(
    ("text", "old", "new", "cause", "repaired"),
    sliced(
        [
            (LAYERS, "2 * (out - y)", "2 * (y - out)", "sign", "return 2 * (out - y) / np.size(y)"),
            (LAYERS, "1 - np.tanh(x) ** 2", "1 - np.tanh(x)", "square-missing", "return 1 - np.tanh(x) ** 2"),
            (SAMPLED, "dU[o] += (p - 1)", "dU[o] += p", "missing-term", "dU[o] += (p - 1) * v"),
        ],
        3,
    ),
    ids=["sign", "prime", "share"],
)
def test_slips(text: str, old: str, new: str, cause: str, repaired: str) -> None:
    wrong = wrong_in(of_program(text.replace(old, new)))
    assert [(line.line, line.cause, line.repaired) for line in wrong] == [(line_of(old, text), cause, repaired)]


@pytest.mark.slow
def test_a_parameter_that_is_updated_too_early() -> None:
    first, second = MOVED.splitlines(keepends=True)
    (wrong,) = wrong_in(of_program(LAYERS.replace(second + first, MOVED)))
    assert (wrong.line, wrong.cause, wrong.repaired) == (14, "updated-before-use", second.strip())
    assert [(change.line, change.old, change.new) for change in wrong.diff] == [
        (14, (second.rstrip("\n"),), ()),
        (13, (), (second.rstrip("\n"),)),
    ]
