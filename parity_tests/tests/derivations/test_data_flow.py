"""What lines read from outside."""

from __future__ import annotations

import pytest

from parity_tests.derivations.data_flow import reads
from parity_tests.derivations.language.syntax import parse


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Z = W @ X + b", {"W": 1, "X": 1, "b": 1}),
        ("Z = W @ X\nA = np.tanh(Z) + Z", {"W": 1, "X": 1}),
        ("A = np.tanh(Z)\nZ = W + Z", {"Z": 1, "W": 2}),
        ("Z = W\nZ = Z + W", {"W": 1}),
        ("W += dW", {"dW": 1, "W": 1}),
        ("W = W0\nW -= dW", {"W0": 1, "dW": 2}),
        ("v = np.zeros_like(W)\ns = np.ones_like(W) * X", {"X": 2}),
        ("A[i, 0] = X", {"X": 1, "A": 1, "i": 1}),
        ("A[0] = X\nB = A", {"X": 1, "A": 1}),
        ("A = X\nA[0] += X", {"X": 1}),
        ("for i in range(k, m):\n    A[i] = X[i]\nB = i", {"k": 1, "m": 1, "X": 2, "A": 2, "i": 3}),
        ("i = k\nfor i in range(i, m):\n    A = i\nB = i + A", {"k": 1, "m": 2}),
        ("for i in range(m):\n    for j in range(i):\n        A = i * j", {"m": 1}),
        ("for i in range(m):\n    A = B\n    B = X", {"m": 1, "B": 2, "X": 3}),
    ],
)
def test_what_is_read_from_outside(text: str, found: dict[str, int]) -> None:
    assert list(reads(parse(text).statements).items()) == list(found.items())


def test_a_line_of_no_text_is_line_0() -> None:
    (statement,) = parse("Z = W").statements
    object.__setattr__(statement, "span", None)
    assert reads([statement]) == {"W": 0}
