"""Slips that people make, each repaired as it was meant: a line in a setting, a text, and a program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from parity_tests.derivations.engine.texts import verify_text
from parity_tests.derivations.verdicts import HOLDS, Judged
from parity_tests.derivations.verify import verify
from parity_tests.tests.derivations.verdicts import of_text, wrong_in
from parity_tests.tests.slices import sliced

CROSS_ENTROPY = "-(1/m) * np.sum(Y*np.log(A2) + (1-Y)*np.log(1-A2))"
PENALTY = "lambda_/(2*m)*(np.sum(W1**2) + np.sum(W2**2))"
CONVOLUTION = """Z = np.zeros((m, n_H, n_W, n_C))
for i in range(m):
    for h in range(n_H):
        for w in range(n_W):
            for c in range(n_C):
                window = A_prev_pad[i, h*stride:h*stride+f, w*stride:w*stride+f, :]
                Z[i, h, w, c] = np.sum(window*W) + b[0, 0, 0, c]"""

LINES = [
    ("logistic", "", "A = 1/(1+np.exp(w.T @ X + b))", "sign", "A = 1/(1+np.exp(-(w.T @ X + b)))"),
    ("shallow", "", "A2 = 1/(1+np.exp(Z2))", "sign", "A2 = 1/(1+np.exp(-Z2))"),
    ("shallow", "l2", "dW1 = (1/m) * dZ1 @ X.T + lambda_/m", "missing-factor",
     "dW1 = (1/m) * dZ1 @ X.T + lambda_/m * W1"),
    ("deep", "l2", "dW3 = (1/m) * dZ3 @ A2.T + lambda_/m * W3**2", "square-extra",
     "dW3 = (1/m) * dZ3 @ A2.T + lambda_/m * W3"),
    ("shallow", "l2", f"J = {CROSS_ENTROPY} + lambda_/2*(np.sum(W1**2)+np.sum(W2**2))", "l2-not-over-m",
     f"J = {CROSS_ENTROPY} + lambda_/(2 * m)*(np.sum(W1**2)+np.sum(W2**2))"),
    ("shallow", "l2", f"J = {CROSS_ENTROPY} + lambda_/(2*m)*np.sum(W1**2)", "missing-term",
     f"J = {CROSS_ENTROPY} + {PENALTY}"),
    ("shallow", "", "J = -(1/m) * np.sum(Y*np.log(A2))", "missing-term",
     "J = -(1/m) * np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))"),
    ("shallow", "", "dZ1 = W2.T @ dZ2 * 1 - A1**2", "brackets", "dZ1 = W2.T @ dZ2 * (1 - A1**2)"),
    ("shallow", "", "dZ1 = W2.T @ dZ2 * (1-A1)**2", "brackets", "dZ1 = W2.T @ dZ2 * (1 - A1**2)"),
    ("shallow", "", "dW1 = W2.T @ dZ2 @ X.T / m", "gprime-missing", "dW1 = W2.T @ dZ2 * g1'(Z1) @ X.T / m"),
    ("shallow", "", "db1 = np.zeros((n_1, 1))\nfor i in range(m):\n    db1 = dZ1[:, i:i+1] / m", "overwritten",
     "    db1 += dZ1[:, i:i+1] / m"),
    ("adam", "", "s_corrected = s/(1-beta2*t)", "adam-no-power", "s_corrected = s/(1-beta2**t)"),
    ("adam", "", "v = beta2*v + (1-beta2)*dW", "wrong-symbol", "v = beta1 * v + (1 - beta1) * dW"),
    ("dropout", "", "A = A * D", "dropout-not-rescaled", "A = A * D / keep_prob"),
    ("dropout-network", "", "A1_drop = A1 * D1", "dropout-not-rescaled", "A1_drop = A1 * D1 / keep_prob"),
    ("convolution", "", CONVOLUTION, "index",
     "                Z[i, h, w, c] = np.sum(window*W[:, :, :, c]) + b[0, 0, 0, c]"),
]  # fmt: skip
"""The setting, whether J has a penalty, what was written, the cause, and the row that was meant."""

NETWORK = f"""m = X.shape[1]
Z1 = W1 @ X + b1
A1 = np.tanh(Z1)
Z2 = W2 @ A1 + b2
A2 = 1/(1+np.exp(-Z2))
J = {CROSS_ENTROPY} + {PENALTY}
dZ2 = A2 - Y
dW2 = (1/m) * dZ2 @ A1.T + lambda_/m * W2
db2 = (1/m) * np.sum(dZ2, axis=1, keepdims=True)
dZ1 = W2.T @ dZ2 * (1 - A1**2)
dW1 = (1/m) * dZ1 @ X.T + lambda_/m * W1
db1 = np.zeros((b1.shape[0], 1))
for i in range(m):
    db1 += dZ1[:, i:i+1] / m
"""

TEXTS = [
    ("np.exp(-Z2)", "np.exp(Z2)", "sign", "A2 = 1/(1+np.exp(-Z2))"),
    ("lambda_/m * W1", "lambda_/m", "missing-factor", "dW1 = (1/m) * dZ1 @ X.T + lambda_/m * W1"),
    ("lambda_/m * W2", "lambda_/m * W2**2", "square-extra", "dW2 = (1/m) * dZ2 @ A1.T + lambda_/m * W2"),
    ("/(2*m)*(", "/2*(", "l2-not-over-m", f"J = {CROSS_ENTROPY} + {PENALTY.replace('2*m', '2 * m')}"),
    ("(np.sum(W1**2) + np.sum(W2**2))", "np.sum(W1**2)", "missing-term", f"J = {CROSS_ENTROPY} + {PENALTY}"),
    ("Y*np.log(A2) + (1-Y)*np.log(1-A2)", "Y*np.log(A2)", "missing-term",
     f"J = {CROSS_ENTROPY} + {PENALTY}".replace("(1-Y)*np.log(1-A2)", "(1 - Y) * np.log(1 - A2)")),
    (f" + {PENALTY}", "", "l2-missing", f"J = {CROSS_ENTROPY} + lambda_ / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))"),
    ("* (1 - A1**2)", "* 1 - A1**2", "brackets", "dZ1 = W2.T @ dZ2 * (1 - A1**2)"),
    ("* (1 - A1**2)", "* (1-A1)**2", "brackets", "dZ1 = W2.T @ dZ2 * (1 - A1**2)"),
    ("dZ1 @ X.T", "W2.T @ dZ2 @ X.T", "gprime-missing",
     "dW1 = (1/m) * W2.T @ dZ2 * (1 - A1**2) @ X.T + lambda_/m * W1"),
    ("lambda_/(2*m)*(", "lambda_/m*(", "l2-factor-2",
     f"J = {CROSS_ENTROPY} + {PENALTY.replace('lambda_/(2*m)', '0.5 * lambda_/m')}"),
    ("db1 +=", "db1 =", "overwritten", "db1 += dZ1[:, i:i+1] / m"),
]  # fmt: skip

DROPOUT = """m = X.shape[1]
Z1 = W1 @ X + b1
A1 = np.tanh(Z1) * D1
A2 = W2 @ A1 + b2
J = np.sum((A2 - Y)**2) / (2*m)
dA2 = (A2 - Y) / m
dW2 = dA2 @ A1.T
dZ1 = W2.T @ dA2 * D1 / keep_prob * (1 - np.tanh(Z1)**2)
dW1 = dZ1 @ X.T
"""

PROGRAM = """import numpy as np

rng = np.random.default_rng(1)
X, Y = rng.normal(size=(4, 7)), (rng.random((3, 7)) > 0.5) * 1.0
W1, W2, b1, b2 = rng.normal(size=(5, 4)), rng.normal(size=(3, 5)), np.zeros((5, 1)), np.zeros((3, 1))
lambda_ = 0.3

def step(X, Y, W1, b1, W2, b2):
    {}
    return J, dW1, db1, dW2, db2

step(X, Y, W1, b1, W2, b2)
"""


def the_wrong(judged: Judged | None) -> tuple[str, list[str]]:
    """The cause of the only wrong line, and the rows that take its place."""
    assert judged is not None
    (line,) = wrong_in(judged)
    assert line.causes == (line.cause,)
    assert all(each.verdict == HOLDS for each in judged.lines if each is not line)
    return line.cause, [row for each in line.diff for row in each.new]


@pytest.mark.parametrize(("setting", "l2", "text", "cause", "meant"), sliced(LINES, 8), ids=[row[2] for row in LINES])
def test_a_line_in_a_setting(setting: str, l2: str, text: str, cause: str, meant: str) -> None:
    assert the_wrong(verify(text, setting, l2=bool(l2))) == (cause, [meant])


@pytest.mark.parametrize(("right", "written", "cause", "meant"), sliced(TEXTS, 24), ids=[row[1] for row in TEXTS])
def test_a_text_with_its_own_forward_pass(right: str, written: str, cause: str, meant: str) -> None:
    assert NETWORK.count(right) == 1
    found, rows = the_wrong(verify_text(NETWORK.replace(right, written)))
    assert (found, [row.strip() for row in rows]) == (cause, [meant])


def test_a_mask_that_the_way_back_rescales() -> None:
    cause, rows = the_wrong(verify_text(DROPOUT))
    assert (cause, rows) == ("dropout-not-rescaled", ["A1 = np.tanh(Z1) * D1 / keep_prob"])
    right = of_text(DROPOUT.replace("(Z1) * D1", "(Z1) * D1 / keep_prob"))
    assert right.summary.wrong == 0


@pytest.mark.slow
def test_a_program(tmp_path: Path) -> None:
    right, written, cause, meant = TEXTS[3]
    path = tmp_path / "step.py"
    text = PROGRAM.format(NETWORK.strip().replace("\n", "\n    ").replace(right, written))
    path.write_text(f"class own: reg = 0.3\n{text.replace('lambda_ =', 'other =').replace('lambda_', 'own.reg')}")
    assert the_wrong(verify(path)) == (cause, [f"    {meant}".replace("lambda_", "own.reg")])


def test_a_right_forward_pass_stays() -> None:
    for text in (NETWORK, NETWORK.replace("np.exp(-Z2)", "np.exp(Z2)").replace("A2 - Y", "Y - A2")):
        judged = of_text(text)
        assert judged.summary.wrong == 0


SUMS = """N = X.shape[0]
h1 = np.tanh(X @ Wx + h0 @ Wh)
h2 = np.tanh(X2 @ Wx + h1 @ Wh)
J = np.sum((h2 - y)**2)/N + 0.5*reg*np.sum(Wx*Wx)
dh2 = 2*(h2 - y)/N
dz2 = dh2*(1 - h2**2)
dz1 = dz2 @ Wh.T*(1 - h1**2)
dWh = h1.T @ dz2 + h0.T @ dz1
dWx = X2.T @ dz2 + X.T @ dz1 + reg*Wx
"""


@pytest.mark.parametrize(
    ("right", "written", "cause"),
    sliced(
        [
            ("2*(h2 - y)/N", "2*(h2 - y/N)", "brackets"),
            ("h1.T @ dz2 + h0.T @ dz1", "h0.T @ dz2 + h1.T @ dz1", "wrong-symbol"),
            ("reg*Wx\n", "2*reg*Wx\n", "l2-factor-2"),
        ],
        3,
    ),
)
def test_a_slip_has_its_own_name(right: str, written: str, cause: str) -> None:
    assert SUMS.count(right) == 1
    found, (row,) = the_wrong(verify_text(SUMS.replace(right, written)))
    assert found == cause
    judged = of_text(re.sub(f"(?m)^{row.split()[0]} = .*", row, SUMS))
    assert judged.summary.wrong == 0
