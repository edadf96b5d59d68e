"""How far a step goes is the writer's choice; where it goes, and what goes into it, is judged."""

from __future__ import annotations

import pytest

from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG, Judged
from parity_tests.tests.derivations.verdicts import of_program, wrong_in
from parity_tests.tests.slices import sliced

TRAINING = """\
import numpy as np

rng = np.random.default_rng(0)
X = rng.standard_normal((7, 3))
Y = (X[:, :2] > 0).astype(float)
W = 0.3 * rng.standard_normal((3, 2))
b = {bias}
vW, vb, sW, sb = 0 * W, 0 * b, 0 * W, 0 * b
lr, decay = 0.1, 0.01
for epoch in range(1, 6):
    A = 1 / (1 + np.exp(-(X @ W + b)))
    {cost}
    dZ = (A - Y) / 7
    dW = X.T @ dZ
    db = {sum}
    {step}
"""
PLAIN = "J = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / 7"
PENALTY = PLAIN + " + 0.5 * decay * np.sum(W ** 2)"
UPHILL = "log_likelihood = np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / 7; dZ = 0"
VECTOR, NUMBER = ("np.zeros(2)", "dZ.sum(axis=0)"), ("0.0", "dZ.sum()")


def judged_with(step: str, cost: str = PLAIN, bias: tuple[str, str] = VECTOR) -> Judged:
    text = TRAINING.format(bias=bias[0], sum=bias[1], cost=cost, step=step.replace("; ", "\n    "))
    judged = of_program(text)
    return judged


RIGHT = {
    "momentum-beside-a-plain-step": "vW = 0.9 * vW - 0.02 * dW; W += vW; b -= 0.5 * db",
    "a-rate-for-each": "W -= 0.1 * dW; b -= 0.03 * db",
    "a-rate-that-decays": "W -= 0.1 / (1 + epoch) * dW; b -= 0.1 * 0.9 ** epoch * db",
    "a-rate-for-each-entry": "sW += dW ** 2; sb += db ** 2; W -= lr * dW / (np.sqrt(sW) + 1e-8); b -= lr * db",
    "adam": "vW = 0.9 * vW + 0.1 * dW; sW = 0.99 * sW + 0.01 * dW ** 2; W -= lr * (vW / (1 - 0.9 ** epoch)) / "
    "(np.sqrt(sW / (1 - 0.99 ** epoch)) + 1e-8); b -= lr * db",
    "adam-of-a-formula": "g = X.T @ (A - Y) / 7; vW = 0.9 * vW + 0.1 * (X.T @ (A - Y) / 7); sW = 0.99 * sW + 0.01 * "
    "(X.T @ (A - Y) / 7) ** 2; W -= lr * vW / (np.sqrt(sW) + 1e-8); b -= lr * db",
    "the-sign-alone": "W -= 0.01 * np.sign(dW) * np.abs(dW) ** 0.5; b -= lr * db",
    "clipped-by-norm": "norm = np.sqrt(np.sum(dW ** 2) + np.sum(db ** 2)); dW = dW * 0.01 / norm; "
    "db = db * 0.01 / norm; W -= lr * dW; b -= lr * db",
    "clipped-by-norm-in-the-step": "W -= lr * dW / np.linalg.norm(dW); b -= lr * db / np.linalg.norm(db)",
    "clipped-by-value": "dW = np.clip(dW, -0.01, 0.01); db = np.clip(db, -0.01, 0.01); W -= lr * dW; b -= lr * db",
    "clipped-in-place": "np.clip(dW, -0.01, 0.01, out=dW); W -= lr * dW; b -= lr * db",
    "decay-that-is-no-part-of-J": "W -= lr * (dW + decay * W); b -= lr * db",
    "decay-as-a-step-of-its-own": "W -= lr * dW; W -= lr * decay * W; b -= lr * db",
    "one-example-in-the-sum": "W -= lr * dW * 7; b -= lr / 7 * db",
}


@pytest.mark.parametrize("step", sliced(RIGHT.values(), 6), ids=RIGHT)
@pytest.mark.parametrize("bias", [VECTOR, pytest.param(NUMBER, marks=pytest.mark.slow)], ids=["vector", "number"])
def test_a_step_of_any_length_is_right(step: str, bias: tuple[str, str]) -> None:
    judged = judged_with(step, bias=bias)
    assert {line.verdict for line in judged.lines} <= {HOLDS, NOT_JUDGED}, [line.message for line in judged.lines]
    assert judged.summary.holds >= 3


@pytest.mark.slow
def test_a_penalty_may_be_added_in_the_step() -> None:
    judged = judged_with("W -= lr * (dW + decay * W); b -= lr * db", PENALTY)
    assert judged.summary.wrong == 0
    assert judged_with("W -= lr * dW; b -= lr * db", PENALTY).summary.wrong == 1


@pytest.mark.parametrize("bias", [NUMBER, pytest.param(VECTOR, marks=pytest.mark.slow)], ids=["number", "vector"])
def test_a_likelihood_is_climbed(bias: tuple[str, str]) -> None:
    up = UPHILL.removesuffix("; dZ = 0")
    assert judged_with("W -= lr * dW; b -= lr * db", up, bias).summary.wrong == 0
    judged = judged_with("W -= lr * dW; b += lr * db", up, bias)
    assert [line.target for line in judged.lines if line.verdict == WRONG] == ["b"]


def test_an_objective_is_climbed_where_all_steps_climb() -> None:
    up = PLAIN.replace("J =", "penalty =") + "; objective = 1 - penalty"
    up = up.replace("; ", "\n    ")
    assert judged_with("W -= lr * dW; b -= lr * db", up).summary.wrong == 0
    assert judged_with("W -= lr * dW; b += lr * db", up).summary.wrong == 1


MISTAKES = {
    "uphill": ("W += lr * dW; b -= lr * db", "W", "sign"),
    "uphill-beside-momentum": ("vW = 0.9 * vW - 0.02 * dW; W += vW; b += 0.5 * db", "b", "sign"),
    "adam-uphill": ("sW = 0.01 * dW ** 2; W += lr * dW / (np.sqrt(sW) + 1e-8); b -= lr * db", "W", ""),
    "another-value": ("W -= lr * dW; b -= lr * (A - Y)[0]", "b", ""),
    "the-sum-for-the-mean": ("W -= lr * dW; b -= lr * (A - Y).sum(axis=0)", "b", ""),
    "a-sum-that-is-missing-in-a-step": ("W -= lr * dW; b = b - lr * dZ", "b", "db-not-summed"),
    "a-sum-that-is-missing": ("db = dZ; W -= lr * dW; b = b - lr * db", "db", "db-not-summed"),
    "adam-of-something-else": (
        "sW = 0.01 * (X.T @ A) ** 2; W -= lr * (X.T @ A) / np.sqrt(sW + 1e-8); b -= lr * db",
        "W",
        "",
    ),
}


@pytest.mark.parametrize(("step", "target", "cause"), sliced(MISTAKES.values(), 6), ids=MISTAKES)
def test_a_step_elsewhere_is_wrong(step: str, target: str, cause: str) -> None:
    judged = judged_with(step)
    wrong = wrong_in(judged)
    assert [line.target for line in wrong] == [target]
    assert not cause or cause in wrong[0].causes


LISTS = """\
import numpy as np

rng = np.random.default_rng(7)
Ws = [0.5 * rng.standard_normal((n, m)) for m, n in ((4, 5), (5, 2))]
bs = [np.zeros((5, 1)), np.zeros((2, 1))]
X = rng.standard_normal((4, 9))
Y = (X[:2] > 0) * 1.0
for epoch in range(9):
    A = [X]
    for W, b in zip(Ws, bs):
        A.append(1 / (1 + np.exp(-(W @ A[-1] + b))))
    J = -np.sum(Y * np.log(A[-1]) + (1 - Y) * np.log(1 - A[-1])) / 9
    delta = A[-1] - Y
    for l in (1, 0):
        g = delta @ A[l].T / 9
        h = delta.sum(axis=1, keepdims=True) / 9
        delta = Ws[l].T @ delta * A[l] * (1 - A[l])
        Ws[l] = Ws[l] - 0.2 * g
        bs[l] = bs[l] - 0.2 * h
"""


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    sliced([("", "", None), ("A[l].T / 9", "A[l].T", 15), ("keepdims=True) / 9", "keepdims=True)", 16)], 3),
    ids=["right", "average-of-the-weights", "average-of-the-biases"],
)
def test_of_two_steps_at_one_rate_one_lacks_the_average(right: str, wrong: str, line: int | None) -> None:
    judged = of_program(LISTS.replace(right, wrong) if right else LISTS)
    assert [each.line for each in judged.lines if each.verdict == WRONG] == ([] if line is None else [line])
    summed = LISTS.replace("A[l].T / 9", "A[l].T").replace("keepdims=True) / 9", "keepdims=True)")
    both = of_program(summed)
    assert both.summary.wrong == 0


LINE = """\
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.normal(size=(30, 4)), rng.normal(size=30)
w, b = rng.normal(size=4), rng.normal(size=1)
lr = 0.1
for it in range(50):
    err = X @ w + b - y
    loss = np.mean(err**2) / 2
    dw = X.T @ err / 30
    db = np.sum(err, keepdims=True) / 30
    w -= lr * dw
    b -= lr * db
"""


@pytest.mark.parametrize(
    ("step", "wrong"),
    sliced(
        [
            ("2 * lr * db", 0),
            ("lr * 3 * db", 0),
            ("lr * 2 * np.sum(err) / 30", 1),
            ("lr * np.sum(err)", 1),
        ],
        4,
    ),
)
def test_biases_may_have_twice_the_rate_and_squares_a_two_too_many(step: str, wrong: int) -> None:
    judged = of_program(LINE.replace("lr * db", step))
    assert judged.summary.wrong == wrong
