"""Words of the language as people write them: sums and maxima without np, tensordot, np.c_, functions of their own."""

from __future__ import annotations

import pytest

from parity_tests.derivations.verdicts import HOLDS
from parity_tests.tests.derivations.verdicts import of_text, wrong_in
from parity_tests.tests.slices import sliced

LOGISTIC = """Z = X @ W + b
A = σ(Z)
J = -(1/m)*sum(Y*log(A) + (1 - Y)*log(1 - A))
dZ = (A - Y)/m
dW = X^T @ dZ
db = sum(dZ, axis=0)"""

RELU = """Z = X @ W + b
A = max(0, Z)
J = np.sum((A - Y)**2)
dA = 2*(A - Y)
dZ = dA * (Z > 0)
dW = X.T @ dZ
db = dZ.sum(axis=0)"""

TENSORDOT = """# X: (N, T, D)
# W: (D, H)
Z = np.tensordot(X, W, axes=(2, 0))
J = 0.5*np.sum((Z - Y)**2)
dZ = Z - Y
dW = np.tensordot(X, dZ, axes=((0, 1), (0, 1)))"""

ONES = """X1 = np.c_[np.ones(N), X]
h = X1 @ w
J = np.sum((h - y)**2)/(2*N)
dw = X1.T @ (h - y)/N"""

ROWS_OF_ONES = """X1 = np.r_[np.ones((1, m)), X]
h = W @ X1
J = np.sum((h - Y)**2)/(2*m)
dW = (h - Y) @ X1.T/m"""

SCORE = """def score(x, W, b):
    return x @ W + b
s = score(X, W, b)
J = 0.5*np.sum((s - Y)**2)
ds = s - Y
dW = X.T @ ds
db = ds.sum(axis=0)"""

ATTENTION = """Q = X @ Wq
K = X @ Wk
S = np.einsum('id,jd->ij', Q, K) / np.sqrt(d_k)
J = 0.5*np.sum((S - T)**2)
dS = S - T
dQ = np.einsum('ij,jd->id', dS, K)/np.sqrt(d_k)
dK = np.einsum('ij,id->jd', dS, Q)/np.sqrt(d_k)
dWq = X.T @ dQ
dWk = X.T @ dK"""

TEXTS = (
    (LOGISTIC, "X^T @ dZ", "X^T @ A"),
    (RELU, "(Z > 0)", "(Z < 0)"),
    (TENSORDOT, "tensordot(X, dZ", "tensordot(X, Z"),
    (ONES, "/N\n", "\n"),
    (ROWS_OF_ONES, "X1.T/m", "X1.T"),
    (SCORE, "ds = s - Y", "ds = Y - s"),
    (ATTENTION, "dS, Q)/np.sqrt(d_k)", "dS, Q)"),
)


@pytest.mark.parametrize(("text", "right", "written"), sliced(TEXTS, 6))
def test_a_right_text_holds_and_a_wrong_one_does_not(text: str, right: str, written: str) -> None:
    text += "\n"
    judged = of_text(text)
    assert judged.summary.holds == judged.summary.judged == len(judged.lines)
    assert not judged.cost.implied
    assert text.count(right) in (1, 2)
    place = text.rindex(right)
    wrong = of_text(f"{text[:place]}{written}{text[place + len(right) :]}")
    assert wrong.summary.wrong == 1 or wrong.convention


def test_pythons_own_sum_goes_through_the_rows_of_numpy_code() -> None:
    judged = of_text(RELU.replace("dZ.sum(axis=0)", "sum(dZ)"))
    assert judged.lines[-1].verdict == HOLDS


def test_a_bias_summed_along_the_wrong_axis_is_no_number() -> None:
    text = """Z1 = X @ W1 + b1
H = np.maximum(0, Z1)
s = H @ W2 + b2
p = np.exp(s) / np.sum(np.exp(s), axis=1, keepdims=True)
loss = -np.mean(np.log(p[range(N), y]))
ds = p.copy()
ds[range(N), y] -= 1
db2 = np.sum(ds, axis=0) / N
dZ1 = ds @ W2.T * (H > 0)
db1 = np.sum(dZ1, axis=1) / N"""
    (line,) = wrong_in(of_text(text))
    assert (line.line, line.cause, line.repaired) == (10, "db-wrong-axis", "db1 = np.sum(dZ1, axis=0) / N")
