"""Why a line is wrong, and what belongs there, in the writer's own names: out of what the forward pass says."""

from __future__ import annotations

import pytest

from parity_tests.derivations.verdicts import HOLDS
from parity_tests.tests.derivations.verdicts import of_text, wrong_in
from parity_tests.tests.slices import sliced

TEXTS = {
    "dense2-tanh-columns": """
Z1 = W1 @ X + b1
H = np.tanh(Z1)
out = W2 @ H + b2
J = 0.5 * np.sum((out - Y)**2) / m
d_out = (out - Y) / m
gW2 = d_out @ H.T
dW2 = gW2
db2 = d_out.sum(axis=1, keepdims=True)
dH = W2.T @ d_out
dZ1 = dH * (1 - H**2)
dW1 = dZ1 @ X.T
db1 = dZ1.sum(axis=1, keepdims=True)
""",
    "dense3-relu-rows-labels": """
h1 = np.maximum(0, X @ W1 + b1)
h2 = np.maximum(0, h1 @ W2 + b2)
s = h2 @ W3 + b3
p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
loss = -np.log(p[np.arange(n), y]).mean() + 0.5 * lam * ((W1**2).sum() + (W2**2).sum() + (W3**2).sum())
ds = p.copy()
ds[np.arange(n), y] -= 1
ds /= n
dW3 = h2.T @ ds + lam * W3
db3 = ds.sum(axis=0)
dh2 = ds @ W3.T
dh2[h2 <= 0] = 0
dW2 = h1.T @ dh2 + lam * W2
db2 = dh2.sum(axis=0)
dh1 = dh2 @ W2.T
dh1[h1 <= 0] = 0
dW1 = X.T @ dh1 + lam * W1
db1 = dh1.sum(axis=0)
""",
    "dense2-sigmoid-helper": """
def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))

z1 = W1 @ x + b1
a1 = sigmoid(z1)
z2 = W2 @ a1 + b2
a2 = sigmoid(z2)
C = 0.5 * np.sum((a2 - y)**2)
delta2 = (a2 - y) * sigmoid_prime(z2)
dW2 = delta2 @ a1.T
db2 = delta2.sum(axis=1, keepdims=True)
delta1 = (W2.T @ delta2) * sigmoid_prime(z1)
dW1 = delta1 @ x.T
db1 = delta1.sum(axis=1, keepdims=True)
""",
    "logistic-rows": """
z = X @ w + b
p = 1 / (1 + np.exp(-z))
loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)) + lam / (2 * m) * np.sum(w**2)
err = (p - y) / m
dw = X.T @ err + lam / m * w
db = err.sum()
""",
    "softmax-jacobian": """
z = W @ x
e = np.exp(z)
a = e / np.sum(e, axis=0, keepdims=True)
J = 0.5 * np.sum((a - y)**2)
da = a - y
dz = a * (da - np.sum(a * da, axis=0, keepdims=True))
dW = dz @ x.T
dx = W.T @ dz
""",
    "batchnorm-rows": """
mu = np.mean(X, axis=0)
xc = X - mu
var = np.mean(xc**2, axis=0)
std = np.sqrt(var + eps)
xhat = xc / std
out = gamma * xhat + beta
loss = 0.5 * np.sum((out - T)**2)
dout = out - T
dgamma = np.sum(dout * xhat, axis=0)
dbeta = np.sum(dout, axis=0)
dxhat = dout * gamma
dstd = -np.sum(dxhat * xc, axis=0) / std**2
dvar = 0.5 * dstd / std
dxc = dxhat / std + 2 * xc * dvar / N
dmu = -np.sum(dxc, axis=0)
dX = dxc + dmu / N
""",
    "batchnorm-short": """
# X: (N, D)
# R: (N, D)
mu = X.mean(axis=0)
var = X.var(axis=0)
inv = 1 / np.sqrt(var + eps)
xn = (X - mu) * inv
y_out = g * xn + b
J = np.sum(y_out * R)
dg = np.sum(R * xn, axis=0)
db = np.sum(R, axis=0)
dxn = R * g
dX = inv * (dxn - dxn.mean(axis=0) - xn * np.mean(dxn * xn, axis=0))
""",
    "attention-one-head": """
Q = X @ Wq
K = X @ Wk
V = X @ Wv
S = Q @ K.T / np.sqrt(d)
P = np.exp(S) / np.sum(np.exp(S), axis=1, keepdims=True)
O = P @ V
loss = 0.5 * np.sum((O - T)**2)
dO = O - T
dV = P.T @ dO
dP = dO @ V.T
dS = P * (dP - np.sum(dP * P, axis=1, keepdims=True))
dQ = dS @ K / np.sqrt(d)
dK = dS.T @ Q / np.sqrt(d)
dWq = X.T @ dQ
dWk = X.T @ dK
dWv = X.T @ dV
dX = dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T
""",
    "residual-block": """
Z1 = X @ W1 + b1
A1 = np.maximum(Z1, 0)
Z2 = A1 @ W2 + b2
R = Z2 + X
out = np.maximum(R, 0)
loss = np.mean((out - y)**2)
dout = 2 * (out - y) / out.size
dR = dout * (R > 0)
dW2 = A1.T @ dR
db2 = dR.sum(axis=0)
dA1 = dR @ W2.T
dZ1 = dA1 * (Z1 > 0)
dW1 = X.T @ dZ1
db1 = dZ1.sum(axis=0)
dX = dZ1 @ W1.T + dR
""",
    "autoencoder-tied": """
h = sigmoid(X @ W + b)
r = h @ W.T + c
J = 0.5 * np.sum((r - X)**2) / N
dr = (r - X) / N
dc = dr.sum(axis=0)
dh = dr @ W
dz = dh * h * (1 - h)
db = dz.sum(axis=0)
dW = X.T @ dz + dr.T @ h
""",
    "dropout-net": """
H = np.maximum(0, X @ W1 + b1)
Hd = H * D / keep_prob
S = Hd @ W2 + b2
J = 0.5 * np.sum((S - Y)**2) / m
dS = (S - Y) / m
dW2 = Hd.T @ dS
db2 = dS.sum(axis=0)
dHd = dS @ W2.T
dH = dHd * D / keep_prob
dZ = dH * (H > 0)
dW1 = X.T @ dZ
db1 = dZ.sum(axis=0)
""",
    "bce-via-dA": """
Z1 = np.dot(W1, X) + b1
A1 = np.maximum(0, Z1)
Z2 = np.dot(W2, A1) + b2
A2 = 1 / (1 + np.exp(-Z2))
cost = -1/m * np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))
dA2 = -(np.divide(Y, A2) - np.divide(1 - Y, 1 - A2)) / m
dZ2 = dA2 * A2 * (1 - A2)
dW2 = np.dot(dZ2, A1.T)
db2 = np.sum(dZ2, axis=1, keepdims=True)
dA1 = np.dot(W2.T, dZ2)
dZ1 = np.array(dA1, copy=True)
dZ1[Z1 <= 0] = 0
dW1 = np.dot(dZ1, X.T)
db1 = np.sum(dZ1, axis=1, keepdims=True)
""",
    "gru-ish-gate": """
z = sigmoid(Xz @ Wz + H @ Uz)
n = np.tanh(Xz @ Wn + H @ Un)
Hn = (1 - z) * n + z * H
loss = 0.5 * np.sum((Hn - Y)**2)
dHn = Hn - Y
dz = dHn * (H - n)
dn = dHn * (1 - z)
daz = dz * z * (1 - z)
dan = dn * (1 - n**2)
dWz = Xz.T @ daz
dUz = H.T @ daz
dWn = Xz.T @ dan
dUn = H.T @ dan
dH = dHn * z + daz @ Uz.T + dan @ Un.T
""",
    "rnn-loop": """
hs[0] = h0
for t in range(1, 5):
    hs[t] = np.tanh(Wxh @ xs[t] + Whh @ hs[t - 1] + bh)
    ys[t] = Why @ hs[t] + by
loss = 0.5 * sum([np.sum((ys[t] - ts[t])**2) for t in range(1, 5)])
dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
dbh, dby = np.zeros_like(bh), np.zeros_like(by)
dhnext = np.zeros_like(h0)
for t in reversed(range(1, 5)):
    dy = ys[t] - ts[t]
    dWhy += dy @ hs[t].T
    dby += dy.sum(axis=1, keepdims=True)
    dh = Why.T @ dy + dhnext
    dz = (1 - hs[t] * hs[t]) * dh
    dbh += dz.sum(axis=1, keepdims=True)
    dWxh += dz @ xs[t].T
    dWhh += dz @ hs[t - 1].T
    dhnext = Whh.T @ dz
""",
    "several-margins": """
n = X.shape[0]
scores = X.dot(W)
margins = np.maximum(0, scores - scores[np.arange(n), y].reshape(-1, 1) + 1)
margins[np.arange(n), y] = 0
loss = np.sum(margins) / n + reg * np.sum(W * W)
mask = np.zeros(scores.shape)
mask[margins > 0] = 1
mask[np.arange(n), y] = -np.sum(mask, axis=1)
dW = X.T.dot(mask) / n + 2 * reg * W
""",
    "root-mean-square": """
rstd = 1 / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + eps)
xhat = x * rstd
y = xhat * gain
loss = np.sum(y * dy)
dgain = np.sum(dy * xhat, axis=0)
dxhat = dy * gain
dx = rstd * (dxhat - xhat * np.mean(dxhat * xhat, axis=1, keepdims=True))
""",
    "table-of-words": """
emb = E[tokens]
z = emb @ W.T
loss = np.sum((z - T)**2) / len(tokens) + lam / 2 * np.sum(W**2)
dz = 2 * (z - T) / len(tokens)
dW = dz.T @ emb + lam * W
dE = np.zeros_like(E)
np.add.at(dE, tokens, dz @ W)
""",
    "elu": """
h1 = X @ W1 + b1
e1 = np.where(h1 > 0, h1, a * (np.exp(h1) - 1))
h2 = e1 @ W2 + b2
e2 = np.where(h2 > 0, h2, a * (np.exp(h2) - 1))
loss = 0.5 * np.sum((e2 - Y)**2)
dh2 = (e2 - Y) * np.where(h2 > 0, 1, a * np.exp(h2))
dh1 = dh2 @ W2.T * np.where(h1 > 0, 1, a * np.exp(h1))
dW1 = X.T @ dh1
""",
    "one gate": """
g = np.tanh(Wg @ x + bg)
i = 1 / (1 + np.exp(-(Wi @ x + bi)))
c = i * g + 0.3 * c_prev
loss = np.sum((c - target)**2)
dc = 2 * (c - target)
dg = dc * i * (1 - g**2)
di = dc * g * i * (1 - i)
dWg = dg @ x.T
dWi = di @ x.T
dbg = dg
dc_prev = 0.3 * dc
""",
}

MISTAKES = [
    ("one gate", "dg = dc * i * (1 - g**2)", "dg = dc * i * g * (1 - g)", "wrong-function", "dg = dc * i * (1 - g**2)"),
    ("one gate", "dc_prev = 0.3 * dc", "dc_prev = 0.03 * dc", "wrong-number", "dc_prev = 0.3 * dc"),
    (
        "several-margins",
        "mask[np.arange(n), y] = -np.sum(mask, axis=1)",
        "mask[np.arange(n), y] = np.sum(mask, axis=1)",
        "sign",
        "mask[np.arange(n), y] = -np.sum(mask, axis=1)",
    ),
    (
        "root-mean-square",
        "dx = rstd * (dxhat - xhat * np.mean(dxhat * xhat, axis=1, keepdims=True))",
        "dx = rstd * dxhat",
        "missing-term",
        "dx = rstd * (dxhat - xhat * np.mean(dxhat * xhat, axis=1, keepdims=True))",
    ),
    (
        "table-of-words",
        "np.add.at(dE, tokens, dz @ W)",
        "dE[tokens] = dz @ W",
        "overwritten",
        "np.add.at(dE, tokens, dz @ W)",
    ),
    (
        "elu",
        "dh1 = dh2 @ W2.T * np.where(h1 > 0, 1, a * np.exp(h1))",
        "dh1 = dh2 @ W2.T * np.where(h2 > 0, 1, a * np.exp(h2))",
        "wrong-layer",
        "dh1 = dh2 @ W2.T * np.where(h1 > 0, 1, a * np.exp(h1))",
    ),
    ("dense2-tanh-columns", "dZ1 = dH * (1 - H**2)", "dZ1 = dH * 1 - H**2", "brackets", "dZ1 = dH * (1 - H**2)"),
    (
        "dense2-tanh-columns",
        "dZ1 = dH * (1 - H**2)",
        "dZ1 = dH * (1 - Z1**2)",
        "wrong-symbol",
        "dZ1 = dH * (1 - H**2)",
    ),
    ("dense3-relu-rows-labels", "dh1[h1 <= 0] = 0", "dh1[h2 <= 0] = 0", "wrong-layer", "dh1[h1 <= 0] = 0"),
    ("dense3-relu-rows-labels", "dh2[h2 <= 0] = 0", "", "gprime-missing", "dh2 = ds @ W3.T * (h2 > 0)"),
    (
        "dense3-relu-rows-labels",
        "dW3 = h2.T @ ds + lam * W3",
        "dW3 = h2.T @ ds + lam",
        "missing-factor",
        "dW3 = h2.T @ ds + lam * W3",
    ),
    (
        "dense2-sigmoid-helper",
        "delta1 = (W2.T @ delta2) * sigmoid_prime(z1)",
        "delta1 = (W2.T @ delta2) * sigmoid_prime(a1)",
        "gprime-at-a",
        "delta1 = (W2.T @ delta2) * sigmoid_prime(z1)",
    ),
    (
        "dense2-sigmoid-helper",
        "delta1 = (W2.T @ delta2) * sigmoid_prime(z1)",
        "delta1 = W2.T @ delta2",
        "gprime-missing",
        "delta1 = W2.T @ delta2 * sigmoid_prime(z1)",
    ),
    (
        "dense2-sigmoid-helper",
        "delta1 = (W2.T @ delta2) * sigmoid_prime(z1)",
        "delta1 = (W2.T @ delta2) * sigmoid_prime(z2)",
        "wrong-layer",
        "delta1 = (W2.T @ delta2) * sigmoid_prime(z1)",
    ),
    (
        "logistic-rows",
        "dw = X.T @ err + lam / m * w",
        "dw = X.T @ err + lam / m",
        "missing-factor",
        "dw = X.T @ err + lam / m * w",
    ),
    (
        "softmax-jacobian",
        "dz = a * (da - np.sum(a * da, axis=0, keepdims=True))",
        "dz = da * a * (1 - a)",
        "softmax-elementwise",
        "dz = a * (da - np.sum(da * a, axis=0, keepdims=True))",
    ),
    (
        "softmax-jacobian",
        "dz = a * (da - np.sum(a * da, axis=0, keepdims=True))",
        "dz = a * (da - np.sum(da, axis=0, keepdims=True))",
        "missing-factor",
        "dz = a * (da - np.sum(da * a, axis=0, keepdims=True))",
    ),
    ("batchnorm-rows", "dX = dxc + dmu / N", "dX = dxc", "missing-term", "dX = dxc + dmu / N"),
    (
        "batchnorm-rows",
        "dxc = dxhat / std + 2 * xc * dvar / N",
        "dxc = dxhat / std",
        "missing-term",
        "dxc = dxhat / std + 2 * xc * (dvar / N)",
    ),
    (
        "batchnorm-rows",
        "dgamma = np.sum(dout * xhat, axis=0)",
        "dgamma = np.sum(dout * X, axis=0)",
        "wrong-symbol",
        "dgamma = np.sum(dout * xhat, axis=0)",
    ),
    ("batchnorm-rows", "dX = dxc + dmu / N", "dX = dxc + dmu", "missing-1/m", "dX = dxc + dmu / N"),
    (
        "batchnorm-short",
        "dX = inv * (dxn - dxn.mean(axis=0) - xn * np.mean(dxn * xn, axis=0))",
        "dX = inv * (dxn - dxn.mean(axis=0))",
        "missing-term",
        "dX = inv * (dxn - dxn.mean(axis=0) - xn * np.mean(dxn * xn, axis=0))",
    ),
    (
        "attention-one-head",
        "dK = dS.T @ Q / np.sqrt(d)",
        "dK = dS @ Q / np.sqrt(d)",
        "transpose-missing",
        "dK = dS.T @ Q / np.sqrt(d)",
    ),
    (
        "attention-one-head",
        "dX = dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T",
        "dX = dQ @ Wq.T + dK @ Wk.T",
        "missing-term",
        "dX = dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T",
    ),
    ("attention-one-head", "dV = P.T @ dO", "dV = S.T @ dO", "wrong-symbol", "dV = P.T @ dO"),
    ("residual-block", "dX = dZ1 @ W1.T + dR", "dX = dZ1 @ W1.T + dout", "gprime-missing", "dX = dZ1 @ W1.T + dR"),
    ("residual-block", "dR = dout * (R > 0)", "dR = dout * (Z2 > 0)", "wrong-symbol", "dR = dout * (R > 0)"),
    (
        "autoencoder-tied",
        "dW = X.T @ dz + dr.T @ h",
        "dW = X.T @ dz + h.T @ dr",
        "operand-order",
        "dW = X.T @ dz + dr.T @ h",
    ),
    ("autoencoder-tied", "dz = dh * h * (1 - h)", "dz = dh * h * (h - 1)", "sign", "dz = dh * h * (1 - h)"),
    (
        "dropout-net",
        "dH = dHd * D / keep_prob",
        "dH = dHd / keep_prob",
        "dropout-mask-forgotten-backward",
        "dH = dHd / keep_prob * D",
    ),
    (
        "bce-via-dA",
        "dA2 = -(np.divide(Y, A2) - np.divide(1 - Y, 1 - A2)) / m",
        "dA2 = -(np.divide(Y, A2) - np.divide(1 - Y, A2)) / m",
        "missing-term",
        "dA2 = -(np.divide(Y, A2) - np.divide(1 - Y, 1 - A2)) / m",
    ),
    ("bce-via-dA", "dZ1[Z1 <= 0] = 0", "dZ1[Z1 >= 0] = 0", "wrong-operator", "dZ1[Z1 <= 0] = 0"),
    ("gru-ish-gate", "dz = dHn * (H - n)", "dz = dHn * H", "missing-term", "dz = dHn * H - dHn * n"),
    ("gru-ish-gate", "dn = dHn * (1 - z)", "dn = dHn * z", "missing-term", "dn = dHn * (1 - z)"),
    (
        "gru-ish-gate",
        "dH = dHn * z + daz @ Uz.T + dan @ Un.T",
        "dH = dHn + daz @ Uz.T + dan @ Un.T",
        "missing-factor",
        "dH = dHn * z + daz @ Uz.T + dan @ Un.T",
    ),
    ("rnn-loop", "dWhh += dz @ hs[t - 1].T", "dWhh += dz @ hs[t].T", "wrong-layer", "dWhh += dz @ hs[t - 1].T"),
]
"""A text, what is written in it, what stands there instead, the mistake, and the line that is proposed."""


@pytest.mark.parametrize(
    ("name", "right", "wrong", "cause", "repaired"), sliced(MISTAKES, 6), ids=[row[2] or row[1] for row in MISTAKES]
)
def test_a_mistake_is_named_and_mended(name: str, right: str, wrong: str, cause: str, repaired: str) -> None:
    text = TEXTS[name].lstrip()
    assert text.count(right) == 1
    (line,) = wrong_in(of_text(text.replace(right, wrong)))
    assert (line.causes, line.repaired) == ((cause,), repaired)


@pytest.mark.parametrize("name", sliced(TEXTS, 6))
def test_the_texts_themselves_hold(name: str) -> None:
    judged = of_text(TEXTS[name].lstrip())
    assert {line.verdict for line in judged.lines} == {HOLDS}
