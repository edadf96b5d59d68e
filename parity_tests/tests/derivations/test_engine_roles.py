"""What free names are by their use: examples, labels, parameters, numbers, states; and what hangs on it."""

from __future__ import annotations

import ast
import re

import pytest

from parity_tests.derivations.engine.probes import draw
from parity_tests.derivations.engine.roles import NO_ROLES, Roles, roles_of
from parity_tests.derivations.engine.texts import read_text
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG
from parity_tests.derivations.verify import verify
from parity_tests.tests.slices import sliced

ROLES = [
    (
        "z = w @ X + b; a = 1/(1+np.exp(-z)); J = -np.sum(Y*np.log(a) + (1-Y)*np.log(1-a))/m; dz = a - Y; "
        "dw = dz @ X.T / m; db = np.sum(dz)/m; w = w - lr*dw; b -= lr*db",
        "data X; labels Y; weights w; entrywise b; numbers lr m; offsets b",
    ),
    (
        "h = np.dot(K, A); s = h + c; E = np.sum((s - T)**2)/(2*N); d = (s - T)/N; dK = np.dot(d, A.T); dc = d.sum()",
        "data A; labels T; weights K; entrywise c; numbers N",
    ),
    (
        "h = A.dot(K) + c; loss = np.mean((h - t)**2); dK = A.T.dot(2*(h-t))/n; K -= eta*dK",
        "data A; labels t; weights K; numbers eta n; offsets c",
    ),
    (
        "P = np.exp(U @ V); P /= P.sum(axis=1, keepdims=True); loss = -np.mean(np.log(P[range(n), q])); dU = 0; dV = 1",
        "data U; labels q; weights V",
    ),
    (
        "H = np.hstack((X, ones)) @ W; J = np.sum((H-Y)**2); dW = np.hstack((X, ones)).T @ (H-Y)",
        "labels Y; weights W",
    ),
    (
        "G = np.concatenate([R, o]); H = W @ G; J = np.sum((H-Y)**2); dW = (H - Y) @ G.T",
        "data R o; labels Y; weights W",
    ),
    ("A0 = R; Z = W @ A0; J = 0.5*np.sum((Z - S)**2); dW = (Z - S) @ A0.T", "data R; labels S; weights W"),
    (
        "v = mu*v - lr*dW; W = W + v; Z = W @ X; J = np.sum((Z - Y)**2); dW = 2*(Z-Y) @ X.T",
        "data X; labels Y; weights W; numbers lr mu; states dW v",
    ),
    (
        "Z = W @ X; J = np.sum((Z - Y)**2); dW = 2*(Z-Y) @ X.T; s = rho*s + (1-rho)*dW**2; W -= lr*dW/np.sqrt(s)",
        "data X; labels Y; weights W; numbers lr; states s",
    ),
    (
        "Z = W @ X; J = np.sum((Z - Y)**2); dW = 2*(Z-Y) @ X.T; c = c + dW**2; W -= lr*dW/np.sqrt(c)",
        "data X; labels Y; weights W; numbers lr; states c",
    ),
    (
        "Z = g * X + k; J = np.sum((Z - Y)**2); dg = np.sum(2*(Z-Y)*X); dk = np.sum(2*(Z-Y))",
        "labels Y; entrywise g k",
    ),
    (
        "Z = W @ X; J = np.sum((Z - Y)**2)/2 + reg/2*np.sum(W**2); dW = (Z-Y) @ X.T + reg*W",
        "data X; labels Y; weights W; numbers reg",
    ),
    (
        "Z = W @ X; A = Z * s; J = np.sum((A - Y)**2); dW = (s*2*(A-Y)) @ X.T",
        "data X; labels Y; weights W; numbers s",
    ),
    ("Z = W @ X + r; J = np.sum((Z - Y)**2); dW = (2*(Z-Y)) @ X.T", "data X; labels Y; weights W; offsets r"),
    (
        "for i in range(n):\n    Z = W @ X[i]\n    J = np.sum((Z - Y[i])**2)\n    dW = np.outer(2*(Z-Y[i]), X[i])",
        "data X; weights W",
    ),
    (
        "if k > 0:\n    Z = W @ X\nelse:\n    Z = W @ M\nwhile c < 3:\n    c = c + 1\nJ = np.sum(Z*Z)\ndW = Z @ X.T",
        "data M X; weights W; states c",
    ),
    (
        "Z = np.einsum('ij,jk->ik', W, X); J = np.sum((Y - Z)**2); dW = np.einsum('ik,jk->ij', -2*(Y-Z), X)",
        "data X; labels Y; weights W",
    ),
    (
        "Z = np.transpose(W) @ X.reshape(3, 4); J = np.sum((Z-Y)**2); dW = X.copy() @ (2*(Z-Y)).T",
        "data X; labels Y; weights W",
    ),
    ("Z = theta @ F; J = np.sum((Z - F)**2); dF = 1; dtheta = 2", "data F; weights theta"),
    ("Z = F @ theta; J = np.sum(Z); dF = 1; dtheta = 2", "data F; weights theta"),
    ("Z = O @ Q; J = np.sum(Z); dO = 1; dQ = 2", "data O; weights Q"),
    ("p = W @ X; J = -np.sum(np.log(p) @ L); dW = -(L/p) @ X.T", "data X; weights W"),
    # what is held against a computed value or cut off at it is a number; what comes from above, or weighs, is loose
    (
        "r = X @ w - y; J = np.where(np.abs(r) < c, r**2, c).sum(); dw = X.T @ np.clip(r, -c, c)",
        "data X; labels y; weights w; numbers c",
    ),
    ("a = X @ W; J = np.sum(a * R); da = R; dW = X.T @ da", "data X; weights W; loose R"),
    (
        "a = X @ W; A = a @ V; J = np.sum(A * R); dA = R; dV = a.T @ dA; dW = X.T @ (dA @ V.T)",
        "data X; weights V W; loose R",
    ),
    (
        "A = s(X @ W); J = -np.sum(u * np.sum(Y * np.log(A), axis=1)) / np.sum(u); dW = X.T @ (u[:, None] * (A - Y))",
        "data X; labels Y; weights W",
    ),
    (
        "A = s(X @ W); J = -np.sum(v * np.sum(Y * np.log(A), axis=1)) / np.sum(v); dW = X.T @ (A - Y)",
        "data X; labels Y; weights W; loose v",
    ),
    ("D = (X - C)**2; J = np.exp(-c * D).sum(); dC = 2 * c * (X - C); dc = -D", "entrywise c; loose C"),
    ("q = s(X @ W); J = -np.sum(p * np.log(q)); dW = X.T @ (q - p)", "data X; labels p; weights W"),
    ("Z = W @ X; J = np.mean(Z); dW = np.ones(1) @ X.T / n; n2 = n + 1", "data X; weights W"),
    (
        "Z = W @ X; D = (np.random.rand(4) < kp)/kp; Z = Z * D; J = np.sum((Z - Y)**2)*0.5; dW = (D*(Z-Y)) @ X.T",
        "data X; labels Y; weights W; numbers kp",
    ),
    ("Z = W @ X; J = c1*np.sum(Z) + -lam*np.sum(W); dW = c1*X - lam", "data X; weights W; numbers c1"),
    ("Z = W @ X; J = np.sum(W.shape[0]*Z)/X.shape[1]; dW = Z", "data X; weights W"),
    ("def f(q):\n    return q * r\nZ = W @ X\nJ = np.sum(Z)\ndW = Z", "data X; weights W"),
    (
        "Z = W @ X; J = np.sum(np.abs(Z - T)); dW = np.sign(Z-T) @ X.T; acc = np.mean(Z == T)",
        "data X; labels T; weights W",
    ),
    ("e = y - X @ w; J = e @ e / (2*n); dw = -X.T @ e / n", "data X; labels y; weights w; numbers n"),
    (
        "Z = W @ X; J = np.sum((Z - Y)**2); dW = (2*(Z-Y)) @ X.T; U = mu*U + dW; W = W - lr*U",
        "data X; labels Y; weights W; numbers lr mu; states U",
    ),
    (
        "Z = W @ X; J = np.sum((Z - Y)**2); dW = (2*(Z-Y)) @ X.T; U = dW + U*mu; W = W - lr*U",
        "data X; labels Y; weights W; numbers lr mu; states U",
    ),
    (
        "Z = W @ X; J = np.sum((Z - Y)**2); dW = (2*(Z-Y)) @ X.T; U = U*U + dW; P = U + 1",
        "data X; labels Y; weights W; entrywise U",
    ),
    (
        "Z = W @ X; J = 0.5*lam*np.linalg.norm(W) + np.sum((Z-Y)**2); dW = lam*W",
        "data X; labels Y; weights W; numbers lam",
    ),
    ("Z = W @ X; J = np.sum(Z) / -n; dW = Z/n", "data X; weights W; numbers n"),
    ("Z = W @ X; J = (np.sum(Z) + np.sum(W))*k; dW = k*Z", "data X; weights W; numbers k"),
    ("Z = W @ X; J = np.sum(Z, axis=0)*k; dW = k*Z", "data X; weights W; loose k"),
    ("Z = W @ X; J = np.sum(Z)**k; dW = k*Z", "data X; weights W; numbers k"),
    ("Z = np.dot(W, X) + r; V = Z + r; J = np.sum(V); dW = V", "data X; weights W; loose r"),
    ("Z = np.matmul(W, X) + r; J = np.sum(Z); dW = Z", "data X; weights W; offsets r"),
    ("Z = r + W @ X; J = np.sum(Z); dW = Z", "data X; weights W; loose r"),
    ("Z = W @ X + 2*r; J = np.sum(Z); dW = Z", "data X; weights W; numbers r"),
    (
        "Z = W @ X; Q = Z * gain + shift; J = np.sum((Q-T)**2); dgain = np.sum(Q*Z); dshift = np.sum(Q); dW = Q @ X.T",
        "data X; labels T; weights W; entrywise gain shift",
    ),
    (
        "Z = W @ X; Q = Z * G + 1; J = np.sum((Q-T)**2); dG = np.sum(Q*Z); dW = Q @ X.T",
        "data X; labels T; weights W; loose G; factors G",
    ),
    (
        "Z = 1 + W @ X + 1 * c; J = np.sum((Z-T)**2); dc = np.sum(Z); dW = Z @ X.T",
        "data X; labels T; weights W; entrywise c",
    ),
    ("Z = W @ X[i]; J = np.sum((Z - T)**2); dW = np.outer(2*(Z-T), X[i])", "data X; labels T; weights W"),
    (
        "with np.errstate():\n    Z = W @ X\n    J = np.sum((Z - T)**2)\n    dW = Z @ X.T",
        "data X; labels T; weights W",
    ),
    ("for x in data:\n    Z = W @ x\n    J = np.sum(Z**2)\n    dW = 2*np.outer(Z, x)", "weights W"),
    ("p = W @ X; J = -np.sum(T * np.log1p(p)); dW = -(T/p) @ X.T", "data X; labels T; weights W"),
    ("p = W @ X; J = -np.sum(np.log2(p) * T); dW = -(T/p) @ X.T", "data X; labels T; weights W"),
    ("p = W @ X; q = p * np.log(s); J = -np.sum(q); dW = q @ X.T", "data X; weights W"),
    ("Z = W @ X; d = T - T*2; J = np.sum(Z); dW = d @ X.T", "data X; weights W"),
    ("Z = W @ X; d = (W @ X) - T; J = np.sum(d**2); dW = d @ X.T", "data X; labels T; weights W"),
    ("Z = W @ X; R = Z - T; T = R + 1; J = np.sum(R**2); dW = R @ X.T", "data X; weights W"),
    ("Z = W @ X; J = np.sum((Z - n)**2); dW = (Z-n) @ X.T", "data X; weights W"),
    (
        "Z = V @ X; H = Z @ U; J = np.sum((H-T)**2); dU = Z.T @ H; dV = (H @ U.T) @ X.T",
        "data X; labels T; weights U V",
    ),
    (
        "Z = X @ V; H = U @ Z; J = np.sum((H-T)**2); dU = H @ Z.T; dV = X.T @ (U.T @ H); dX = U.T @ H @ V.T",
        "data X; labels T; weights U V",
    ),
    ("Z = np.tensordot(W, X); J = np.sum(Z); dW = Z", "data X; weights W"),
    ("Z = numpy.inner(W, X); J = np.sum(Z); dW = Z", "data X; weights W"),
    ("Z = W.size * (W @ X); J = np.sum(Z); dW = Z", "data X; weights W"),
    ("loss = np.sum((R @ theta - t)**2); dtheta = R.T @ (R @ theta - t)", "data R; labels t; weights theta"),
    ("E = np.sum((S - R @ K)**2); dK = -R.T @ (S - R @ K); dR = -(S - R @ K) @ K.T", "data R; labels S; weights K"),
    (
        "Z = g * X + k; J = np.sum((Z - Y)**2); dg = np.sum(2*(Z-Y)*X); dk = np.sum(2*(Z-Y)); g = g - lr*dg; "
        "k = k - lr*dk",
        "labels Y; entrywise g k; numbers lr",
    ),
    (
        "Z = W @ X; A = Z * s / c; J = np.sum((A - Y)**2); B = s + c; dW = (s*2*(A-Y)) @ X.T",
        "data X; labels Y; weights W; loose s",
    ),
    ("Z = W @ X; A = np.exp(s) * Z; J = np.sum((A - Y)**2); dW = A", "data X; labels Y; weights W"),
    # labels in which a derivative is taken, and a parameter that is subtracted
    (
        "Z = W @ X; J = np.sum((Z - T)**2); dZ = Z - T; dW = dZ @ X.T; dT = T - Z",
        "data X; labels T; weights W",
    ),
    ("Z = W @ X - k; J = np.sum(Z**2); dW = Z @ X.T; dk = -np.sum(Z)", "data X; weights W; loose k"),
    ("Z, q = W @ X - k, 2; J = np.sum(Z**2); dW = Z @ X.T; dk = -np.sum(Z)", "data X; weights W; loose k"),
    # states, read beside the update too
    (
        "Z = W @ X; J = np.sum((Z - Y)**2); dW = Z @ X.T; U = mu*U + dW; P = U + 1; W = W - lr*U",
        "data X; labels Y; weights W; numbers lr mu; states U",
    ),
    (
        "Z = W @ X; J = np.sum(Z); dW = Z @ X.T; c += dW**2; W -= lr*dW/np.sqrt(c); print(J)",
        "data X; weights W; numbers lr; states c",
    ),
    (
        "Z = W @ X; J = np.sum(Z); dW = Z @ X.T; c = c + dW**2; W -= lr*dW/np.sqrt(c); print(c)",
        "data X; weights W; entrywise c; numbers lr",
    ),
    # data
    ("Z = W @ K; H = Z @ X; J = np.sum(H); dW = 1; dK = 2; dX = 3", "data X; weights K W"),
    ("Z = np.exp(q); J = np.sum(Z); dq = Z", "data q"),
    ("A0 = R; A1 = A0; Z = W @ A1; J = np.sum((Z - S)**2); dW = (Z - S) @ A1.T", "data R; labels S; weights W"),
    ("C = P @ Q; Z = W @ X; J = np.sum(Z); dW = Z @ X.T", "data X; weights W"),
    ("Z = W @ X; J = np.sum(Z); dW = Z; q = r - s", "data X; weights W; loose r s"),
    ("Z = W @ X + S; d = Z - S; J = np.sum(d); dW = d @ X.T", "data X; weights W; loose S"),
    # numbers: what scales a sum or a parameter, and what does not
    ("Z = W @ X; J = np.sum(Z) + q * W.shape[0]; dW = Z", "data X; weights W; loose q"),
    ("Z = W @ X; J = np.sum(Z) + q * W.size; dW = Z", "data X; weights W; loose q"),
    ("Z = W @ X; J = np.sum(Z) + q * W.ndim; dW = Z", "data X; weights W; loose q"),
    ("Z = W @ X; J = np.sum(Z); dW = Z + q * W", "data X; weights W; numbers q"),
    ("Z = W @ X; J = np.sum(Z) / -q; dW = Z", "data X; weights W; numbers q"),
    ("Z = W @ X; J = np.sum(Z) * -(2 * q); dW = Z", "data X; weights W; numbers q"),
    ("Z = W @ X; J = np.sum((np.sum(Z) + W) * q); dW = Z", "data X; weights W; loose q; factors q"),
    ("Z = W @ X; J = q * np.sum(a=Z); dW = Z", "data X; weights W; numbers q"),
    ("Z = W @ X; J = np.sum(Z); dW = Z; print(q * J)", "data X; weights W; loose q; factors q"),
    (
        "Z = W @ X; J = np.sum((Z - Y)**2); dW = Z @ X.T; U = lr*dW + U; P = U + 1",
        "data X; labels Y; weights W; entrywise U; numbers lr",
    ),
    ("J = np.sum(np.log(p) @ L); Z = W @ X; dW = Z", "data X; weights W"),
    ("H = np.outer_join((R, o)); Z = W @ H; J = np.sum(Z); dW = Z", "weights W"),
    # words behind more than one point
    ("H = np.ma.hstack([R, o]); Z = W @ H; J = np.sum(Z); dW = Z", "data R o; weights W"),
    ("Z = X.T.dot(W) + r; J = np.sum(Z); dW = Z", "data X; weights W; offsets r"),
    ("Z = W @ X; J = np.sum(Z) + q * np.linalg.norm(W); dW = Z", "data X; weights W; numbers q"),
    ("p = W @ X; J = -np.sum(T * np.log(p)); dW = -(T/p) @ X.T", "data X; labels T; weights W"),
    ("p = W @ X; J = -np.sum(T * np.ma.log(p)); dW = -(T/p) @ X.T", "data X; labels T; weights W"),
]


@pytest.mark.parametrize(("text", "roles"), ROLES)
def test_the_use_of_a_name_says_what_it_is(text: str, roles: str) -> None:
    found = roles_of(ast.parse(text))._asdict()
    assert "; ".join(f"{role} {' '.join(sorted(names))}" for role, names in found.items() if names) == roles


@pytest.mark.parametrize(
    ("roles", "name", "kinds"),
    [
        (NO_ROLES, "X", "data"),
        (NO_ROLES, "Y", "label"),
        (NO_ROLES, "b", "bias"),
        (NO_ROLES, "gamma", "bias"),
        (NO_ROLES, "b[2]", "bias"),
        (NO_ROLES, "lr", "number"),
        (NO_ROLES, "beta", "number"),
        (NO_ROLES, "self.lr", "number"),
        (NO_ROLES, "Q", "weight"),
        (Roles(data=frozenset("Y")), "Y", "data"),
        (Roles(data=frozenset("b")), "b", "data"),
        (Roles(data=frozenset(["lr"])), "lr", "data"),
        (Roles(labels=frozenset("X")), "X", "label"),
        (Roles(weights=frozenset("X")), "X", "weight"),
        (Roles(weights=frozenset("b")), "b", "weight"),
        (Roles(entrywise=frozenset("Q")), "Q", "bias"),
        (Roles(offsets=frozenset("Q")), "Q", "bias"),
        (Roles(offsets=frozenset("X")), "X", "bias"),
        (Roles(numbers=frozenset("Q")), "Q", "number"),
        (Roles(states=frozenset("X")), "X", "weight"),
        (Roles(loose=frozenset("X")), "X", "data"),
    ],
)
def test_the_name_decides_where_the_use_says_nothing(roles: Roles, name: str, kinds: str) -> None:
    found = [kind for kind in ("data", "label", "bias", "number", "weight") if getattr(roles, f"is_{kind}")(name)]
    assert found == [kinds]


LINE = "z = w * x + b\nJ = {}\ndw = {}\ndb = {}\n"


@pytest.mark.parametrize(
    ("J", "dw", "db", "wrong"),
    sliced(
        [
            ("np.mean((z - y)**2)", "np.mean(2 * (z - y) * x)", "2 * np.mean(z - y)", []),
            ("np.sum((z - y)**2) / m", "2 * np.sum((z - y) * x) / m", "np.mean(2 * (z - y))", []),
            ("np.mean((z - y)**2)", "2 * np.mean(z - y) * x", "2 * np.mean(z - y)", ["dw"]),
            ("np.mean((z - y)**2)", "2 * np.mean(z - y) * np.mean(x)", "2 * np.mean(z - y)", ["dw"]),
            ("np.sum((z - y)**2)", "2 * np.sum((z - y) * x)", "2 * np.sum(z)", ["db"]),
        ],
        5,
    ),
)
def test_where_numbers_alone_are_learned_there_are_several_examples(J: str, dw: str, db: str, wrong: list[str]) -> None:
    text = LINE.format(J, dw, db)
    for names in ("wxybz", "gXYkZ"):
        other = str.maketrans("wxybz", names)
        renamed = "".join(
            piece.translate(other) if re.fullmatch("d?[wxybz]", piece) else piece for piece in re.split(r"\b", text)
        )
        verdicts = {line.target.translate(other): line.verdict for line in verify(renamed).lines}
        right = {f"d{name}": WRONG if f"d{name}" in wrong else HOLDS for name in "wb"}
        assert verdicts == {name.translate(other): verdict for name, verdict in right.items()}, renamed


LAYOUTS = {
    # a rate by its name, but a number stands in no matrix product
    "Poisson": (
        """
eta = X @ beta + off
lam = np.exp(eta)
J = np.sum(lam - y * eta) + 0.5 * alpha * np.sum(beta**2)
grad = X.T @ (lam - y) + alpha * beta
""",
        "examples are rows",
    ),
    # what is learned comes with no example, though it only scales what others are
    "weight normalisation": (
        """
norm = np.sqrt(np.sum(V**2, axis=1, keepdims=True))
W = g * V / norm
Z = W @ X + b
A = 1 / (1 + np.exp(-Z))
m = X.shape[1]
J = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m
dW = (A - Y) @ X.T / m
dg = np.sum(dW * V / norm, axis=1, keepdims=True)
dV = g / norm * dW - g * dg / norm**2 * V
""",
        "examples are columns",
    ),
    # places that are taken from both are places on axes of one length; what is as long as they are is of each example
    "policy gradient": (
        """
logits = s @ W + b
logits -= logits.max(1, keepdims=True)
pi = np.exp(logits)
pi /= pi.sum(1, keepdims=True)
J = -np.mean(R * np.log(pi[np.arange(T), a]))
dlogits = R[:, None] * (pi - np.eye(K)[a]) / T
dW = s.T @ dlogits
db = dlogits.sum(0)
""",
        "examples are rows, labels in a",
    ),
}

LAYOUTS |= {
    # one derivative is a sum over all, so that its parameter is a number beside others that are none
    "ratings": (
        """
err = r - (mu + bu[u] + bi[i] + np.sum(P[u] * Q[i], axis=1))
J = np.sum(err**2)
dpu = -2 * err[:, None] * Q[i]
dP = np.zeros_like(P)
np.add.at(dP, u, dpu)
dmu = -2 * err.sum()
""",
        "labels in u and i",
    ),
    # of several names that are places, one holds a single place
    "words around one": (
        """
h = E[ctx].mean(axis=0)
sp = 1 / (1 + np.exp(-(O[w] @ h)))
sn = 1 / (1 + np.exp(-(O[neg] @ h)))
loss = -np.log(sp) - np.sum(np.log(1 - sn))
dO = np.zeros_like(O)
dO[w] += (sp - 1) * h
np.add.at(dO, neg, np.outer(sn, h))
dh = (sp - 1) * O[w] + O[neg].T @ sn
dE = np.zeros_like(E)
np.add.at(dE, ctx, dh / len(ctx))
""",
        "labels in ctx, w and neg",
    ),
    # done has the shape of what 1 - done meets
    "what was reached": (
        """
Q = np.maximum(0, s @ W1 + b1) @ W2 + b2
td = Q[np.arange(B), act] - (r + gamma * np.max(Qn, axis=1) * (1 - done))
loss = 0.5 * np.mean(td**2)
dQ = np.zeros_like(Q)
dQ[np.arange(B), act] = td / B
db2 = dQ.sum(axis=0)
""",
        "one example, labels in act",
    ),
    # C counts the classes: the targets of an example add up to 1
    "smoothed labels": (
        """
q = np.exp(X @ W / tau) / np.sum(np.exp(X @ W / tau), axis=1, keepdims=True)
t = (1 - eps) * Y + eps / C
J = -np.mean(np.sum(t * np.log(q), axis=1))
dW = X.T @ ((q - t) / (tau * X.shape[0]))
""",
        "examples are rows",
    ),
    # T is a size, though labels are called so, x is as long as the window goes, and one average of units is not cut off
    "a window": (
        """
S = np.zeros(T - k + 1)
for i in range(T - k + 1):
    S[i] = np.sum(x[i:i+k] * w) + b
g = np.maximum(S, 0).mean()
loss = 0.5 * (v * g - t)**2
dg = (v * g - t) * v
dS = dg / len(S) * (S > 0)
db = dS.sum()
dw = np.zeros(k)
for j in range(k):
    dw[j] = np.sum(dS * x[j:j+T-k+1])
""",
        "",
    ),
    # T is longer than k, though both only say how far
    "a window along arrays that are not begun": (
        """
for i in range(T - k + 1):
    S[i] = np.sum(x[i:i+k] * w) + b
g = np.maximum(S, 0).mean()
p = 1 / (1 + np.exp(-(v * g + c)))
loss = -(t * np.log(p) + (1 - t) * np.log(1 - p))
dv = (p - t) * g
dc = p - t
dS = (p - t) * v / len(S) * (S > 0)
db = dS.sum()
for j in range(k):
    dw[j] = np.sum(dS * x[j:j+T-k+1])
""",
        "",
    ),
}


@pytest.mark.parametrize("name", sliced(LAYOUTS, 6))
def test_the_use_of_names_tells_the_layout(name: str) -> None:
    text, layout = LAYOUTS[name]
    assert read_text(text.strip()).layout.said == layout
    judged = verify(text.strip())
    assert (judged.summary.holds, judged.summary.not_judged) == (judged.summary.judged, 0)


@pytest.mark.parametrize(
    ("name", "right", "wrong", "target"),
    [
        ("a window", " / len(S)", "", "dS"),
        (
            "a window along arrays that are not begun",
            " / len(S)",
            "",
            "dS",
        ),  # each has several places, and is not cut off
        ("words around one", " / len(ctx)", "", "dE"),
        ("Poisson", "+ alpha * beta", "+ 2 * alpha * beta", "grad"),  # of the parameters only beta has its shape
        ("smoothed labels", "(tau * X.shape[0])", "X.shape[0]", "dW"),
    ],
)
def test_a_mistake_in_such_a_text_is_wrong(name: str, right: str, wrong: str, target: str) -> None:
    judged = verify(LAYOUTS[name][0].strip().replace(right, wrong))
    assert [line.target for line in judged.lines if line.verdict == WRONG] == [target]


def test_where_an_earlier_line_cannot_be_computed_either_the_shapes_may_be_others() -> None:
    text = "Z = W @ X\nJ = 0.5 * np.sum((Z - Y)**2)\n{}dW = (Z - Y) @ W @ Y"
    shapes = "# X: (7, 11)\n"
    (wrong,) = verify(shapes + text.format("")).lines
    first, second = verify(shapes + text.format("P = Z @ X\n")).lines
    assert (wrong.verdict, first.verdict, second.verdict) == (WRONG, NOT_JUDGED, NOT_JUDGED)
    assert "so it is with line 4: say the shapes that you mean, as in # X: (N, D)" in second.message


def test_an_average_over_several_axes_that_is_missing_is_put_in_as_the_line_can_say_it() -> None:
    text = """g = 1 / (1 + np.exp(-F.mean(axis=(2, 3)) @ W))
out = F * g[:, :, None, None]
J = 0.5 * np.sum((out - T)**2)
dout = out - T
dz = (dout * F).sum(axis=(2, 3)) * g * (1 - g)
dW = F.mean(axis=(2, 3)).T @ dz
dF = dout * g[:, :, None, None] + (dz @ W.T)[:, :, None, None]"""
    right = " / (F.shape[2] * F.shape[3])"
    assert verify(text + right).summary.wrong == 0
    (wrong,) = [line for line in verify(text).lines if line.verdict == WRONG]
    assert wrong.repaired == text.splitlines()[-1] + right


@pytest.mark.parametrize("sign", ["", "-"])
def test_one_unit_is_tried_where_it_is_not_cut_off(sign: str) -> None:
    forward = f"z = {sign}(w @ x)\nh = np.maximum(0, z)\nJ = 0.5 * (h - y)**2\ndz = (h - y) * (z > 0)\n"
    judged = verify(f"{forward}dw = {sign}dz * x**2")
    assert [line.target for line in judged.lines if line.verdict == WRONG] == ["dw"]


def test_a_shift_of_every_unit_is_no_number_because_its_derivative_is_summed_over_all() -> None:
    text = """n = (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True)
out = gamma * n + beta
J = 0.5 * np.sum((out - Y)**2)
dout = out - Y
dgamma = np.sum(dout * n, axis=0)
dbeta = np.sum(dout)"""
    assert [line.target for line in verify(text).lines if line.verdict == WRONG] == ["dbeta"]


def test_a_label_is_drawn_as_one_and_not_as_a_count_of_its_name() -> None:
    text, _ = LAYOUTS["a window along arrays that are not begun"]
    assert 0 < draw(read_text(text.strip()).layout, 0).given["t"] < 1
