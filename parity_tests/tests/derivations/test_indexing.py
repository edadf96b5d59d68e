"""Volumes in the language: the dots, steps, labels as indices, transposes by axes, and what of it is refused."""

from __future__ import annotations

import numpy as np
import pytest

from parity_tests.derivations.language.errors import DerivationError
from parity_tests.derivations.language.evaluate import run
from parity_tests.derivations.language.printer import to_text
from parity_tests.derivations.language.syntax import parse
from parity_tests.tests.work import at_most

A = np.random.default_rng(0).standard_normal((2, 3, 5, 7))
P = np.random.default_rng(1).standard_normal((2, 3))
Y = np.array([2.0, 0.0])
HERE = {"A": A, "P": P, "y": Y, "m": 2, "s": 2, "f": 3, "h": 1}

SUBTRACTED = P.copy()
SUBTRACTED[range(2), [2, 0]] -= 1
ADDED = np.zeros_like(A)
ADDED[..., 1] += A[..., 0]

VALUES = [
    ("B = A[..., 1]", A[..., 1]),
    ("B = A[0, ...]", A[0]),
    ("B = A[0, ..., 1]", A[0, ..., 1]),
    ("B = A[0, 1, 2, 3, ...]", A[0, 1, 2, 3]),
    ("B = A[::-1, ::-1]", A[::-1, ::-1]),
    ("B = A[:, :, h*s:h*s+f:s]", A[:, :, 2:5:2]),
    ("B = A[:, 1:-1, :-s]", A[:, 1:-1, :-2]),
    ("B = P[range(m), y]", P[[0, 1], [2, 0]]),
    ("B = P[np.arange(m), y]", P[[0, 1], [2, 0]]),
    ("B = P[:, y]", P[:, [2, 0]]),
    ("B = P\nB[range(m), y] -= 1", SUBTRACTED),
    ("B = np.zeros_like(A)\nB[..., 1] += A[..., 0]", ADDED),
    ("B = np.transpose(A, (0, 3, 1, 2))", A.transpose(0, 3, 1, 2)),
    ("B = A.transpose(0, 3, 1, 2)", A.transpose(0, 3, 1, 2)),
    ("B = np.flip(A, axis=(0, 1))", A[::-1, ::-1]),
    ("B = np.flip(A, (0, 1))", A[::-1, ::-1]),
    ("B = np.diag(y) - np.eye(m)", np.diag(Y) - np.eye(2)),
    ("B = int(-m/3) + np.ceil(m/3) + int(7/m)", np.float64(4.0)),
]


@pytest.mark.parametrize(("text", "expected"), VALUES, ids=[text for text, _ in VALUES])
def test_a_volume_is_read_and_written_as_in_numpy(text: str, expected: np.ndarray) -> None:
    program = parse(text)
    np.testing.assert_array_equal(run(program, HERE)["B"], expected)
    assert parse(to_text(program)) == program
    assert parse(to_text(program, as_written=True)) == program


def test_an_entry_that_is_assigned_leaves_the_callers_array_alone() -> None:
    before = P.copy()
    run(parse("B = P\nB[range(m), y] -= 1"), HERE)
    np.testing.assert_array_equal(P, before)


REFUSED = [
    ("B = A[..., ...]", "stands once, and only in an index"),
    ("B = ...", "stands once, and only in an index"),
    ("B = A[::0]", "a step of 0 goes nowhere"),
    ("B = A[P > 0]", "a condition picks no entries here: multiply by it"),
    ("B = P[y, y]", "there is no entry 2 along axis 0, only 0 to 1"),
    ("B = P[y / 4, y]", "y/4 is not a whole number here"),
    ("B = P[range(3), y]", "there is no entry 2 along axis 0"),
    ("B = A[0, 0, 0, 0, 0, ...]", r"6 indices, but A has shape \(2, 3, 5, 7\)"),
    ("B = np.transpose(A, (0, 1))", "2 axes, but the array has 4"),
    ("B = np.transpose(A, (0, 0, 1, 2))", "transpose takes 1 argument"),
    ("B = np.diag(P)", r"the array has shape \(2, 3\), expected a vector"),
    ("B = np.flip(A, axis=7)", "there is no axis 7, the array has 4 axes"),
    ("B = np.flip(A, keepdims=True)", "flip takes no keepdims"),
    ("B = range(0, m)", "arange takes 1 argument, but got 2"),
    ("B = range(m / 3)", "is not a whole number here"),
    ("B = np.eye(100000)", "at most 1,000,000 are worked out"),
    ("B = np.arange(10**15)", "at most 1,000,000 are worked out"),
    ("B = np.diag(np.arange(5000))", "at most 1,000,000 are worked out"),
    ("B = np.zeros((1000, 1000))\nC = B[0 * np.arange(900000)]", "at most 1,000,000 are worked out"),
    ("B = A\nB[range(3), y] = 1", "there is no entry 2 along axis 0"),
    ("B = P[range(2), range(3)]", "lists of 2 and 3 positions, expected as many in each"),
    ("B = P\nB[range(m), y] = np.ones((3, 1))", r"has shape \(2,\), but the value \(3, 1\)"),
]


@pytest.mark.parametrize(("text", "sentence"), REFUSED, ids=[text for text, _ in REFUSED])
def test_what_points_nowhere_or_grows_is_refused_quickly(text: str, sentence: str) -> None:
    with at_most(500_000), pytest.raises(DerivationError, match=sentence):
        run(parse(text), HERE)
