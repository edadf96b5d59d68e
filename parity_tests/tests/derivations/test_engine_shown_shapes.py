"""Texts whose names have shapes that only a derivative, an index or an axis shows."""

from __future__ import annotations

import pytest

from parity_tests.derivations.verdicts import WRONG
from parity_tests.tests.derivations.verdicts import line_of, of_text, wrong_in

TWO_HEADS = """\
# shared trunk, a regression head and a classification head
H = np.maximum(0, X @ W + b)
r = H @ a + a0
z = H @ k + k0
p = 1 / (1 + np.exp(-z))
n = X.shape[0]
Lr = np.sum((r - yr)**2) / (2 * n)
Lc = -np.sum(yc * np.log(p) + (1 - yc) * np.log(1 - p)) / n
L = Lr + lam * Lc
dr = (r - yr) / n
dz = lam * (p - yc) / n
da = H.T @ dr
da0 = dr.sum()
dk = H.T @ dz
dk0 = dz.sum()
dH = np.outer(dr, a) + np.outer(dz, k)
dH[H <= 0] = 0
dW = X.T @ dH
db = dH.sum(axis=0)
"""
VALUES = """\
# TD(0) with a fixed target: the semi-gradient
h = np.tanh(W1 @ s + b1)
v = w2 @ h + b2
L = 0.5 * (target - v)**2
dv = v - target
dw2 = dv * h
db2 = dv
dh = dv * w2
dz = dh * (1 - h**2)
dW1 = np.outer(dz, s)
db1 = dz
"""
CENTRES = """\
# RBF network, centres C (K, D), widths s (K,)
D = X[:, None, :] - C[None, :, :]
r2 = np.sum(D**2, axis=2)
Phi = np.exp(-r2 / (2 * s**2))
f = Phi @ w
E = np.sum((f - y)**2) / 2
df = f - y
dw = Phi.T @ df
dPhi = df[:, None] * w[None, :]
dr2 = -dPhi * Phi / (2 * s**2)
dC = -2 * np.sum(dr2[:, :, None] * D, axis=0)
ds = np.sum(dPhi * Phi * r2, axis=0) / s**3
"""
LABELS_PER_STEP = """\
# Elman network, three steps, a label at each
h1 = np.tanh(Wx @ x1 + Wh @ h0 + bh)
h2 = np.tanh(Wx @ x2 + Wh @ h1 + bh)
h3 = np.tanh(Wx @ x3 + Wh @ h2 + bh)
p1 = softmax(Wy @ h1 + by)
p2 = softmax(Wy @ h2 + by)
p3 = softmax(Wy @ h3 + by)
L = -np.sum(y1 * np.log(p1)) - np.sum(y2 * np.log(p2)) - np.sum(y3 * np.log(p3))
do1 = p1 - y1
do2 = p2 - y2
do3 = p3 - y3
dWy = do1 @ h1.T + do2 @ h2.T + do3 @ h3.T
dby = do1 + do2 + do3
dh3 = Wy.T @ do3
da3 = dh3 * (1 - h3**2)
dh2 = Wy.T @ do2 + Wh.T @ da3
da2 = dh2 * (1 - h2**2)
dh1 = Wy.T @ do1 + Wh.T @ da2
da1 = dh1 * (1 - h1**2)
dWh = da1 @ h0.T + da2 @ h1.T + da3 @ h2.T
dWx = da1 @ x1.T + da2 @ x2.T + da3 @ x3.T
dbh = da1 + da2 + da3
"""
GROUPS = """\
# group normalisation with G groups: x has shape (N, G, S)
mu = x.mean(axis=2, keepdims=True)
xc = x - mu
var = np.mean(xc**2, axis=2, keepdims=True)
ivar = 1 / np.sqrt(var + eps)
xh = xc * ivar
out = gamma * xh + beta
L = 0.5 * np.sum((out - t)**2)
dout = out - t
dgamma = np.sum(dout * xh, axis=0)
dbeta = np.sum(dout, axis=0)
dxh = dout * gamma
dx = ivar * (dxh - dxh.mean(axis=2, keepdims=True) - xh * np.mean(dxh * xh, axis=2, keepdims=True))
"""
MIXTURE = """\
# one gradient step on the means of a mixture with unit variances, log-likelihood
D = X[:, None, :] - mu[None, :, :]
q = -0.5 * np.sum(D**2, axis=2) + np.log(pi)
ll = np.sum(np.log(np.sum(np.exp(q), axis=1)))
r = np.exp(q) / np.sum(np.exp(q), axis=1, keepdims=True)
dq = r
dmu = np.sum(r[:, :, None] * D, axis=0)
"""

MISTAKES = [
    (TWO_HEADS, "dz = lam * (p - yc) / n", "dz = (p - yc) / n", "missing-factor"),
    (CENTRES, "/ s**3", "/ s**2", "wrong-number"),
    (LABELS_PER_STEP, "dh2 = Wy.T @ do2 + Wh.T @ da3", "dh2 = Wh.T @ da3", "missing-term"),
    (
        GROUPS,
        "- xh * np.mean(dxh * xh, axis=2, keepdims=True)",
        "- np.mean(dxh * xh, axis=2, keepdims=True)",
        "missing-factor",
    ),
    (VALUES, "dh = dv * w2", "dh = -dv * w2", "sign"),
    (MIXTURE, "dq = r", "dq = 2 * r", "extra-factor"),
]


@pytest.mark.parametrize("text", [TWO_HEADS, VALUES, CENTRES, LABELS_PER_STEP, GROUPS, MIXTURE])
def test_shapes_are_those_that_derivatives_indices_and_axes_show(text: str) -> None:
    judged = of_text(text)
    assert judged.summary.holds == judged.summary.judged > 0


@pytest.mark.parametrize(("text", "right", "mistaken", "cause"), MISTAKES)
def test_one_mistake_is_one_line(text: str, right: str, mistaken: str, cause: str) -> None:
    changed = text.replace(right, mistaken)
    found = wrong_in(of_text(changed))
    assert [(each.line, each.cause, each.verdict) for each in found] == [(line_of(right, text), cause, WRONG)]


def test_a_softmax_of_one_column_is_over_its_classes() -> None:
    judged = of_text("p = softmax(W @ x + b)\nL = -np.sum(y * np.log(p))\ndz = p - y\ndW = dz @ x.T\ndb = dz\n")
    assert judged.summary.holds == 3
