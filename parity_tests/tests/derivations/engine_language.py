"""Right lines of NumPy as people write them, each in place of one line of a network: they are judged, and hold."""

from __future__ import annotations

from collections.abc import Iterator

NETWORK = """
m = X.shape[0]
Z1 = X @ W1 + b1
A1 = np.maximum(0, Z1)
Z2 = A1 @ W2 + b2
P = np.exp(Z2) / np.sum(np.exp(Z2), axis=1, keepdims=True)
J = -np.sum(Y * np.log(P)) / m
dZ2 = (P - Y) / m
dW2 = A1.T @ dZ2
db2 = np.sum(dZ2, axis=0)
dA1 = dZ2 @ W2.T
dZ1 = dA1 * (Z1 > 0)
dW1 = X.T @ dZ1
db1 = np.sum(dZ1, axis=0)
"""

SAME: dict[str, tuple[str, ...]] = {
    "dZ1": (
        "dZ1 = np.zeros(Z1.shape)\nfor i in range(m):\n    row = dZ1[i]\n    row[...] = dA1[i] * (Z1[i] > 0)",
        "dZ1 = dA1.copy()\nfor i in range(m):\n    row = dZ1[i, :]\n    row *= Z1[i] > 0",
        "dZ1 = np.zeros(Z1.shape)\nfirst, rest = dZ1[:2], dZ1[2:]\nfirst += dA1[:2]\nrest += dA1[2:]\ndZ1 *= Z1 > 0",
        "dZ1 = dA1.copy(); dZ1[Z1 <= 0] = 0",
        "dZ1 = np.array(dA1, copy=True)\ndZ1[Z1 <= 0] = 0",
        "dZ1 = np.multiply(dA1, np.int64(A1 > 0))",
        "dZ1 = dA1 * (A1 > 0).astype(float)",
        "dZ1 = dA1 * np.where(Z1 > 0, 1, 0)",
        "dZ1 = dA1 * np.heaviside(Z1, 0)",
        "dZ1 = dA1 * np.sign(A1)",
        "dZ1 = np.einsum('ij,ij->ij', dA1, (Z1 > 0) * 1.0)",
        "dZ1 = dA1 * (Z1 > 0).astype('float32')",
        "dZ1 = dA1 * (Z1 > 0).astype(dtype=np.float64)",
        "mask = Z1 > 0\ndZ1 = np.zeros_like(dA1)\ndZ1[mask] = dA1[mask]",
        "dZ1 = np.zeros(Z1.shape)\ndZ1[Z1 > 0] = dA1[Z1 > 0]",
        "dZ1 = np.copy(dA1)\ndZ1[np.where(Z1 <= 0)] = 0.",
        "dZ1 = dA1\ndZ1 *= Z1 > 0",
        "dZ1 = dA1 * np.greater(Z1, 0)",
        "dZ1 = dA1 * (1 if True else 0) * (Z1 > 0)",
        "dZ1 = dA1 * [[1.0 if z > 0 else 0.0 for z in row] for row in Z1]",
        "dZ1 = dA1 * np.vectorize(lambda z: 1.0 if z > 0 else 0.0)(Z1)",
        "def relu_grad(z):\n    return (z > 0).astype(z.dtype)\ndZ1 = dA1 * relu_grad(Z1)",
        "relu_prime = lambda z: np.where(z > 0, 1.0, 0.0)\ndZ1 = relu_prime(Z1) * dA1",
        "dZ1 = dA1 * np.clip(np.sign(Z1), 0, 1)",
        "dZ1 = np.where(Z1 > 0, dA1, 0)",
        "dZ1 = np.select([Z1 > 0], [dA1], 0.0)",
        "dZ1 = dA1 * np.logical_not(Z1 <= 0)",
        "dZ1 = dA1 * ~(Z1 <= 0)",
        "dZ1 = dA1 * (np.abs(Z1) + Z1 > 0)",
        "dZ1 = np.empty_like(dA1)\nfor i in range(m):\n    dZ1[i] = dA1[i] * (Z1[i] > 0)",
        "dZ1 = np.array([g * (z > 0) for g, z in zip(dA1, Z1)])",
        "dZ1 = np.stack([g * (z > 0) for g, z in zip(dA1, Z1)])",
        "dZ1 = np.vstack([dA1[i] * (Z1[i] > 0) for i in range(m)])",
        "dZ1 = dA1[:]\ndZ1[Z1 <= 0] = 0",
        "assert dA1.shape == Z1.shape\ndZ1 = dA1 * (Z1 > 0)",
        "assert dA1.shape == Z1.shape, f'{dA1.shape}'\ndZ1 = dA1 * (Z1 > 0)",
        "print('dA1', dA1.shape)\ndZ1 = dA1 * (Z1 > 0)",
        "dZ1: np.ndarray = dA1 * (Z1 > 0)",
        "dZ1 = dA1 * (Z1 > 0) if m > 0 else 0",
        "with np.errstate(all='ignore'):\n    dZ1 = dA1 * (Z1 > 0)",
        "if True:\n    dZ1 = dA1 * (Z1 > 0)\nelse:\n    dZ1 = dA1",
        "try:\n    dZ1 = dA1 * (Z1 > 0)\nexcept ValueError:\n    pass",
        "n, h = dA1.shape\ndZ1 = dA1.reshape(n, h) * (Z1 > 0)",
        "dZ1 = np.rot90(np.rot90(dA1 * (Z1 > 0), 2), 2)",
        "dZ1 = np.squeeze(dA1[:, :, None], axis=2) * (Z1 > 0)",
        "dZ1 = np.squeeze(dA1[..., np.newaxis]) * (Z1 > 0)",
        "dZ1 = np.expand_dims(dA1, 0)[0] * (Z1 > 0)",
        "dZ1 = dA1.ravel().reshape(dA1.shape) * (Z1 > 0)",
        "dZ1 = np.pad(dA1, ((1, 1), (0, 0)))[1:-1] * (Z1 > 0)",
        "dZ1 = (dA1.T * (Z1 > 0).T).T",
        "dZ1 = np.split(dA1 * (Z1 > 0), 1)[0]",
        "dZ1 = np.concatenate([dA1[:2], dA1[2:]], axis=0) * (Z1 > 0)",
        "dZ1 = np.asarray(dA1, dtype=float) * (Z1 > 0)",
        "dZ1 = np.multiply(dA1, Z1 > 0)",
        "dZ1 = np.multiply(dA1, Z1 > 0, dtype=float)",
        "dZ1 = np.prod([dA1, Z1 > 0], axis=0)",
        "dA1 *= (Z1 > 0)\ndZ1 = dA1",
        "dZ1 = dA1 * (Z1 > 0) * np.cosh(0.0) + np.sinh(0.0)",
    ),
    "dW1": (
        "dW1 = np.dot(X.T, dZ1)",
        "dW1 = X.T.dot(dZ1)",
        "dW1 = np.matmul(np.transpose(X), dZ1)",
        "dW1 = np.tensordot(X, dZ1, axes=([0], [0]))",
        "dW1 = np.tensordot(X, dZ1, axes=(0, 0))",
        "dW1 = np.einsum('ni,nj->ij', X, dZ1)",
        "dW1 = np.einsum('ni,nj', X, dZ1)",
        "dW1 = sum(np.outer(X[i], dZ1[i]) for i in range(m))",
        "dW1 = np.zeros(W1.shape)\nfor i in range(m):\n    dW1 += np.outer(X[i], dZ1[i])",
        "dW1 = np.zeros((X.shape[1], dZ1.shape[1]))\nfor x, d in zip(X, dZ1):\n    dW1 += x[:, None] * d[None, :]",
        "dW1 = np.zeros_like(W1)\n"
        "for i in range(X.shape[0]):\n"
        "    dW1 = dW1 + X[i].reshape(-1, 1) @ dZ1[i].reshape(1, -1)",
        "dW1 = (X[:, :, np.newaxis] * dZ1[:, np.newaxis, :]).sum(0)",
        "dW1 = np.sum([np.outer(x, d) for x, d in zip(X, dZ1)], axis=0)",
        "dW1 = X.swapaxes(0, 1) @ dZ1",
        "dW1 = np.inner(X.T, dZ1.T)",
        "dW1 = (dZ1.T @ X).transpose()",
        "dW1 = (dZ1.T @ X).transpose(1, 0)",
        "dW1 = np.linalg.multi_dot([X.T, dZ1])",
        "dW1 = X.T\ndW1 = dW1 @ dZ1",
        "grads = {}\ngrads['dW1'] = X.T @ dZ1",
        "grads = {'W1': X.T @ dZ1}",
        "grads = dict(W1=X.T @ dZ1)",
        "self.dW1 = X.T @ dZ1",
        "dL/dW1 = X.T @ dZ1",
        "∂J/∂W1 = Xᵀ @ dZ1",
        "dW1 = X.T @ dZ1 + 0 * np.trace(np.eye(3))",
        "dW1 = m * np.average([np.outer(x, d) for x, d in zip(X, dZ1)], axis=0)",
        "W1 -= lr * (X.T @ dZ1)",
        "W1 = W1 - lr * X.T @ dZ1",
        "W1, old = W1 - lr * X.T @ dZ1, W1",
        "dW1 = X.T @ dZ1 / 1.\ndW1_norm = np.linalg.norm(dW1)\ndW1 = np.clip(dW1, -1e9, 1e9)",
        "dW1 = np.add.reduce(X[:, :, None] * dZ1[:, None, :], axis=0)",
        "dW1 = np.ones(W1.shape)\ndW1[...] = X.T @ dZ1",
        "dW1 = np.empty(W1.shape)\nnp.dot(X.T, dZ1, out=dW1)",
        "dW1 = np.empty(W1.shape)\n"
        "for i in range(W1.shape[0]):\n"
        "    for j in range(W1.shape[1]):\n"
        "        dW1[i, j] = np.sum(X[:, i] * dZ1[:, j])",
        "dW1 = np.empty(W1.shape)\nfor i, j in np.ndindex(W1.shape):\n    dW1[i][j] = X[:, i] @ dZ1[:, j]",
    ),
    "db1": (
        "db1 = dZ1.sum(0)",
        "db1 = dZ1.sum(axis=0, keepdims=False)",
        "db1 = np.sum(dZ1, 0)",
        "db1 = np.mean(dZ1, axis=0) * m",
        "db1 = np.ones(m) @ dZ1",
        "db1 = np.ones((1, m)).dot(dZ1).ravel()",
        "db1 = np.ones((1, m)).dot(dZ1).flatten()",
        "db1 = np.add.reduce(dZ1)",
        "db1 = sum(dZ1)",
        "db1 = np.einsum('nj->j', dZ1)",
        "db1 = np.squeeze(np.sum(dZ1, axis=0, keepdims=True))",
        "db1 = np.array([dZ1[:, j].sum() for j in range(dZ1.shape[1])])",
        "db1 = np.array([float(np.sum(dZ1[:, j])) for j in range(dZ1.shape[1])])",
        "db1 = np.array([dZ1[:, j].sum().item() for j in range(dZ1.shape[1])])",
        "db1 = np.zeros(b1.shape)\nfor d in dZ1:\n    db1 += d",
        "db1 = np.cumsum(dZ1, axis=0)[-1]",
        "db1 = np.sum(dZ1, axis=(0,))",
        "db1 = dZ1.mean(axis=0) * len(X)",
        "db1 = np.sum(dZ1.T, axis=1)",
        "db1 = np.sum(dZ1, axis=-2)",
        "db1 = np.zeros(b1.size)\ni = 0\nwhile i < m:\n    db1 += dZ1[i]\n    i += 1",
        "db1 = np.zeros_like(b1)\nnp.add(db1, dZ1.sum(axis=0), out=db1)",
        "db1 = np.linalg.norm(dZ1) * 0 + dZ1.sum(axis=0)",
        "i = 0\nfor i in range(3):\n    pass\ndb1 = dZ1.sum(axis=0) * (i - 1)",
        "db1 = dZ1.sum(axis=0) * (7 // 4)",
        "a = b = dZ1.sum(axis=0)\ndb1 = a",
        "db1 = np.nansum(dZ1, axis=0)",
        "db1 = np.sum(dZ1, axis=0).reshape(b1.shape)",
        "db1 = np.atleast_1d(np.sum(dZ1, axis=0))",
        "db1, db2 = (np.sum(d, axis=0) for d in (dZ1, dZ2))",
        "db1, db2 = [d.sum(axis=0) for d in (dZ1, dZ2)]",
        "db1 = np.matmul(np.ones(m), dZ1)",
    ),
    "J": (
        "J = float(-np.sum(Y * np.log(P)) / m)",
        "J = -np.mean(np.sum(Y * np.log(P), axis=1))",
        "J = -(Y * np.log(P)).sum() / len(X)",
        "J = -np.einsum('ij,ij', Y, np.log(P)) / m",
        "J = -np.trace(Y.T @ np.log(P)) / m",
        "J = -np.vdot(Y, np.log(P)) / m",
        "J = np.average(-np.sum(Y * np.log(P), axis=1))",
        "J = (-np.sum(Y * np.log(P)) / m).item()",
        "J = np.squeeze(-np.sum(Y * np.log(P)) / m)",
        "J = 0\nfor i in range(m):\n    J -= Y[i] @ np.log(P[i]) / m",
        "L = -np.sum(Y * np.log(P), axis=1, keepdims=True)\nJ = np.sum(L) / m",
        "J = -np.sum(Y * (Z2 - np.log(np.sum(np.exp(Z2), axis=1, keepdims=True)))) / m",
        "J = -np.sum(np.multiply(Y, np.log(np.clip(P, 1e-12, 1.)))) / m",
        "J = -np.sum(Y * np.log(P + 1e-15)) / m",
    ),
    "P": (
        "Z2 = Z2 - Z2.max(axis=1).reshape(-1, 1)\nP = np.exp(Z2)\nP /= P.sum(1)[:, np.newaxis]",
        "def softmax(z):\n"
        "    e = np.exp(z - np.max(z, axis=1, keepdims=True))\n"
        "    return e / e.sum(axis=1, keepdims=True)\n"
        "P = softmax(Z2)",
        "P = np.array([np.exp(z) / np.sum(np.exp(z)) for z in Z2])",
        "P = np.exp(Z2).T\nP = (P / P.sum(axis=0)).T",
        "P = np.exp(Z2 - np.amax(Z2, 1, keepdims=True))\nP = P / np.sum(P, 1, keepdims=True)",
        "P = softmax(Z2)",
        "P = np.apply_along_axis(lambda z: np.exp(z) / np.exp(z).sum(), 1, Z2)",
    ),
    "A1": (
        "A1 = np.maximum(Z1, np.zeros_like(Z1))",
        "A1 = Z1 * (Z1 > 0)",
        "A1 = Z1.clip(min=0)",
        "A1 = np.clip(Z1, 0, None)",
        "A1 = (np.abs(Z1) + Z1) / 2",
        "A1 = np.where(Z1 < 0, 0, Z1)",
        "A1 = Z1.copy()\nA1[A1 < 0] = 0",
        "A1 = np.fmax(Z1, 0)",
        "relu = lambda x: np.maximum(x, 0)\nA1 = relu(Z1)",
        "A1 = np.max([Z1, np.zeros(Z1.shape)], axis=0)",
    ),
    "dZ2": (
        "dZ2 = P.copy()\ndZ2 -= Y\ndZ2 /= m",
        "dZ2 = np.subtract(P, Y) / float(m)",
        "dZ2 = np.divide(P - Y, m)",
        "dZ2 = -(Y - P) / m",
        "dZ2 = (P - Y) * m**-1",
        "dZ2 = 1./m * (P - Y)",
        "dP = -Y / P / m\ndZ2 = P * (dP - np.sum(dP * P, axis=1, keepdims=True))",
        "dP = -Y / P / m\n"
        "dZ2 = np.zeros_like(P)\n"
        "for i in range(m):\n"
        "    p = P[i].reshape(-1, 1)\n"
        "    dZ2[i] = (np.diagflat(p) - p @ p.T) @ dP[i]",
    ),
    "dA1": (
        "dA1 = np.dot(dZ2, W2.T)",
        "dA1 = (W2 @ dZ2.T).T",
        "dA1 = dZ2\ndA1 = dA1 @ W2.T",
        "dA1 = dZ2.copy()\ndA1 = np.array([W2.dot(d) for d in dA1])",
    ),
}
"""What a line may be instead, by the name that it gives a value."""


def _texts() -> Iterator[tuple[str, str]]:
    rows = NETWORK.strip().splitlines()
    for name, lines in SAME.items():
        place = next(number for number, row in enumerate(rows) if row.startswith(f"{name} ="))
        for line in lines:
            yield line, "\n".join([*rows[:place], line, *rows[place + 1 :]])


UNUSUAL = dict(_texts())
"""The network with one line written otherwise, by the line that it has instead."""
