"""Sizes of windows, masks of 0 and 1, steps of single numbers, saturated units, other names of gradients, in texts."""

from __future__ import annotations

import numpy as np
import pytest

from parity_tests.bench.growth import derivation
from parity_tests.derivations.engine.layouts import find_layout
from parity_tests.derivations.engine.shapes.sizes import Sizes
from parity_tests.derivations.engine.texts import read_text, verify_text
from parity_tests.derivations.language.front import read
from parity_tests.derivations.verdicts import WRONG
from parity_tests.tests.derivations.verdicts import line_of, of_text
from parity_tests.tests.slices import sliced

TEXTS = {
    "strided, padded, over volumes": """
(m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
(f, f, n_C_prev, n_C) = W.shape
n_H = int((n_H_prev - f + 2 * pad) / stride) + 1
n_W = int((n_W_prev - f + 2 * pad) / stride) + 1
Z = np.zeros((m, n_H, n_W, n_C))
A_prev_pad = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode='constant', constant_values=(0, 0))
for i in range(m):
    for h in range(n_H):
        for w in range(n_W):
            vert_start = h * stride
            vert_end = vert_start + f
            horiz_start = w * stride
            horiz_end = horiz_start + f
            for c in range(n_C):
                a_slice = A_prev_pad[i, vert_start:vert_end, horiz_start:horiz_end, :]
                Z[i, h, w, c] = np.sum(a_slice * W[:, :, :, c]) + b[0, 0, 0, c]
J = np.sum(Z * dZ)
dA_prev_pad = np.zeros_like(A_prev_pad)
dW = np.zeros_like(W)
db = np.zeros_like(b)
for i in range(m):
    for h in range(n_H):
        for w in range(n_W):
            for c in range(n_C):
                a_slice = A_prev_pad[i, h*stride:h*stride+f, w*stride:w*stride+f, :]
                dA_prev_pad[i, h*stride:h*stride+f, w*stride:w*stride+f, :] += W[:, :, :, c] * dZ[i, h, w, c]
                dW[:, :, :, c] += a_slice * dZ[i, h, w, c]
                db[:, :, :, c] += dZ[i, h, w, c]
dA_prev = dA_prev_pad[:, pad:-pad, pad:-pad, :]
""",
    "one axis": """
N, T = x.shape
K = w.shape[0]
out_len = T - K + 1
y_hat = np.zeros((N, out_len))
for t in range(out_len):
    y_hat[:, t] = x[:, t:t+K] @ w + b
loss = np.sum((y_hat - y)**2) / N
dy = 2 * (y_hat - y) / N
dw = np.zeros_like(w)
dx = np.zeros_like(x)
for t in range(out_len):
    dw += x[:, t:t+K].T @ dy[:, t]
    dx[:, t:t+K] += np.outer(dy[:, t], w)
db = dy.sum()
""",
    "pooling, windows side by side": """
H, W = x.shape
oh, ow = H // 2, W // 2
out = np.zeros((oh, ow))
for i in range(oh):
    for j in range(ow):
        out[i, j] = np.max(x[2*i:2*i+2, 2*j:2*j+2])
loss = np.sum(out * dout)
dx = np.zeros((H, W))
for i in range(oh):
    for j in range(ow):
        window = x[2*i:2*i+2, 2*j:2*j+2]
        mask = (window == out[i, j])
        dx[2*i:2*i+2, 2*j:2*j+2] += mask * dout[i, j]
""",
    "a list of windows, and a label that is a number": """
n = signal.size
k = len(kernel)
resp = np.array([np.dot(signal[i:i+k], kernel) for i in range(n - k + 1)])
act = np.maximum(resp, 0)
score = act.mean()
loss = (score - label)**2
dscore = 2 * (score - label)
dact = np.full(n - k + 1, dscore / (n - k + 1))
dresp = dact * (resp > 0)
dkernel = np.array([np.dot(dresp, signal[j:j+n-k+1]) for j in range(k)])
""",
    "a mask that is not named so": """
E = (Q - U @ V.T) * M
loss = 0.5 * np.sum(E**2) + 0.5 * lam * np.sum(U**2)
dU = -E @ V + lam * U
dV = -E.T @ U
U = U - lr * dU
V = V - lr * dV
""",
    "momentum beside a single number": """
eta = X @ beta + b0
rate = np.exp(eta)
loss = np.mean(rate - y * eta)
dbeta = X.T @ (rate - y) / len(y)
db0 = np.mean(rate - y)
v = mom * v + dbeta
beta = beta - lr * v
b0 = b0 - lr * db0
""",
    "how many there are is asked first": """
f1 = np.tanh(X1 @ W)
f2 = np.tanh(X2 @ W)
d2 = np.sum((f1 - f2)**2, axis=1)
hinge = np.maximum(margin - d2, 0)
n = len(same)
loss = np.sum(same * d2 + (1 - same) * hinge) / n
dd2 = (same - (1 - same) * (hinge > 0)) / n
ddiff = 2 * dd2[:, None] * (f1 - f2)
dW = X1.T @ (ddiff * (1 - f1**2)) - X2.T @ (ddiff * (1 - f2**2))
""",
    "units that large weights saturate": """
H = np.maximum(0, W1 @ X) * mask / keep_prob
R = W2 @ H + b2 + X
S = 1 / (1 + np.exp(-(W3 @ R + b3)))
J = -np.sum(Y * np.log(S) + (1 - Y) * np.log(1 - S)) / m
dS = (S - Y) / m
dW3 = dS @ R.T
dR = W3.T @ dS
dW2 = dR @ H.T
dX = W1.T @ (W2.T @ dR * mask / keep_prob * (W1 @ X > 0)) + dR
""",
    "a hinge within which all lie": """
scores = X @ w + b
xi = np.maximum(0, 1 - y * scores)
loss = 0.5 * lam * np.dot(w, w) + np.mean(xi)
active = (xi > 0).astype(float)
ds = -active * y / X.shape[0]
dw = lam * w + X.T @ ds
db = np.sum(ds)
""",
    "gradients named within": """
act_1 = np.tanh(X @ coefs_0 + intercepts_0)
act_2 = act_1 @ coefs_1 + intercepts_1
loss = ((y - act_2)**2).mean() / 2 + alpha * 0.5 * np.sum(coefs_0**2) / n_samples
deltas_1 = (act_2 - y) / y.size
coef_grads_1 = act_1.T @ deltas_1
deltas_0 = deltas_1 @ coefs_1.T * (1 - act_1**2)
coef_grads_0 = X.T @ deltas_0 + alpha * coefs_0 / n_samples
intercept_grads_0 = np.sum(deltas_0, axis=0)
""",
}
MISTAKES = [
    ("one axis", "dx[:, t:t+K] += np.outer(dy[:, t], w)", "dx[:, t:t+K] = np.outer(dy[:, t], w)"),
    ("pooling, windows side by side", "+= mask * dout[i, j]", "+= dout[i, j]"),
    ("a list of windows, and a label that is a number", "dact * (resp > 0)", "dact"),
    ("a mask that is not named so", "dU = -E @ V", "dU = E @ V"),
    ("how many there are is asked first", "(same - (1 - same) * (hinge > 0))", "(same - (1 - same))"),
    ("units that large weights saturate", "(W1 @ X > 0)) + dR", "(W1 @ X > 0))"),
    ("a hinge within which all lie", "ds = -active * y", "ds = -y"),
    ("a hinge within which all lie", "ds = -active", "ds = active"),
    ("gradients named within", "np.sum(deltas_0, axis=0)", "np.mean(deltas_0, axis=0)"),
    ("gradients named within", "* (1 - act_1**2)", "* (1 + act_1**2)"),
    ("momentum beside a single number", "beta - lr * v", "beta + lr * v"),
    ("momentum beside a single number", "b0 = b0 - lr", "b0 = b0 + lr"),
]


@pytest.mark.parametrize("name", sliced(TEXTS, 24))
def test_right_texts_hold(name: str) -> None:
    judged = of_text(TEXTS[name])
    assert judged.summary.judged == judged.summary.holds > 0
    assert not judged.convention or "momentum" in judged.convention


@pytest.mark.parametrize(("name", "old", "new"), sliced(MISTAKES, 6))
def test_a_mistake_is_found_in_its_line(name: str, old: str, new: str) -> None:
    text = TEXTS[name]
    judged = verify_text(text.replace(old, new))
    line = line_of(old, text)
    assert judged is not None
    assert [each.line for each in judged.lines if each.verdict == WRONG] == [line]


def test_what_is_taken_away_is_smaller() -> None:
    found = Sizes()
    assert found.less(("n", 1), ("k",)) == found.total(("?1", 1))
    assert found.parts("n") == ("k", "?1")
    assert found.less((5,), (2,)) == 3
    assert found.less(("n",), ("n",)) == 0
    assert found.less((2,), ("k",)) is None
    assert found.windows == {"k"}


def test_how_often_a_size_fits() -> None:
    found = Sizes()
    assert found.divided((7,), 2) == 3
    assert found.divided(("n",), 2) == "?1"
    assert found.divided(("n",), 2) == "?1"
    both = found.divided(("n", "p"), "s")
    assert found.divided(("n", "p"), "s") == both
    assert found.quotients[str(both)] == (("n", "p"), "s")


def test_a_border_makes_an_axis_longer() -> None:
    rows = ("P = np.pad(X, ((0, 0), (1, 1)))", "Z = P @ W", "J = np.sum(Z * G)")
    layout = find_layout(read("\n".join(rows)).tree, rows)
    (size,) = layout.shapes["W"][:1]
    assert layout.sums[size] == (layout.shapes["X"][1], 1, 1)


@pytest.mark.parametrize("layers", sliced([3, 11, 16], 3))
def test_deep_networks_hold_whose_slopes_are_near_one(layers: int) -> None:
    judged = of_text(derivation(layers, wrong=False))
    assert judged.summary.holds == judged.summary.judged == 3 * layers


@pytest.mark.parametrize(
    ("text", "smaller"), [(derivation(11, wrong=False), False), (TEXTS["units that large weights saturate"], True)]
)
def test_parameters_are_made_smaller_only_where_that_saturates_less(text: str, smaller: bool) -> None:
    reading = read_text(text)
    drawn, tried = reading.probe(0).given, reading.trial(0).probe.given
    shrunk = [name for name, value in drawn.items() if np.abs(tried[name]).max() < np.abs(value).max()]
    assert bool(shrunk) == smaller
    assert all(np.array_equal(tried[name], value) for name, value in drawn.items() if name not in shrunk)
