"""More programs as people write them, in other styles: right as they stand, each with mistakes to plant."""

from __future__ import annotations

from parity_tests.tests.derivations.python_programs import HELPERS, written

STYLES = {
    "functions, tuples of caches, main block": written(
        """
import numpy as np


def affine(x, w, b):
    return x @ w + b, (x, w)


def affine_back(dout, cache):
    x, w = cache
    dx = dout @ w.T
    dw = x.T @ dout
    db = dout.sum(0)
    return dx, dw, db


def relu(x):
    return np.maximum(x, 0), x


def relu_back(dout, x):
    return dout * (x > 0)


def softmax_loss(scores, y):
    n = scores.shape[0]
    p = np.exp(scores - scores.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    loss = -np.log(p[np.arange(n), y]).sum() / n
    dscores = p.copy()
    dscores[np.arange(n), y] -= 1
    return loss, dscores / n


def main():
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((11, 4)), rng.integers(0, 3, 11)
    w1, b1 = 0.3 * rng.standard_normal((4, 6)), np.zeros(6)
    w2, b2 = 0.3 * rng.standard_normal((6, 3)), np.zeros(3)
    for step in range(20):
        h, cache1 = affine(x, w1, b1)
        a, cache_relu = relu(h)
        scores, cache2 = affine(a, w2, b2)
        loss, dscores = softmax_loss(scores, y)
        da, dw2, db2 = affine_back(dscores, cache2)
        dh = relu_back(da, cache_relu)
        _, dw1, db1 = affine_back(dh, cache1)
        w1 -= 0.5 * dw1
        b1 -= 0.5 * db1
        w2 -= 0.5 * dw2
        b2 -= 0.5 * db2
        print(step, loss)


if __name__ == "__main__":
    main()
""",
        ("    dw = x.T @ dout", "    dw = x.T @ dout / x.shape[0]", "double-1/m extra-factor"),
        ("    return dout * (x > 0)", "    return dout * np.maximum(x, 0)", "g-for-gprime wrong-function"),
        ("    db = dout.sum(0)", "    db = dout.sum()", "db-summed-over-all"),
    ),
    "class, a velocity and a rate for each layer": written(
        HELPERS
        + """
class Perceptron:
    def __init__(self, n_in, n_hid, n_out):
        rng = np.random.RandomState(11)
        self.W = rng.normal(0, 0.5, (n_hid, n_in))
        self.c = np.zeros((n_hid, 1))
        self.V = rng.normal(0, 0.5, (n_out, n_hid))
        self.d = np.zeros((n_out, 1))
        self.mW, self.mV = np.zeros_like(self.W), np.zeros_like(self.V)

    def propagate(self, x):
        self.h = sigmoid(self.W @ x + self.c)
        self.o = self.V @ self.h + self.d
        return self.o

    def learn(self, x, t):
        n = x.shape[1]
        o = self.propagate(x)
        cost = ((o - t) ** 2).sum() / (2 * n)
        e = (o - t) / n
        gV = e @ self.h.T
        gd = e.sum(axis=1, keepdims=True)
        back = self.V.T @ e * self.h * (1 - self.h)
        gW = back @ x.T
        gc = back.sum(axis=1, keepdims=True)
        self.mW = 0.9 * self.mW - 0.05 * gW
        self.mV = 0.9 * self.mV - 0.02 * gV
        self.W += self.mW
        self.V += self.mV
        self.c -= 0.1 * gc
        self.d -= 0.3 * gd
        return cost


rng = np.random.RandomState(0)
x = rng.normal(size=(3, 10))
t = np.vstack([x.sum(0), x[0] * x[1]])
net = Perceptron(3, 7, 2)
for _ in range(50):
    net.learn(x, t)
""",
        (
            "back = self.V.T @ e * self.h * (1 - self.h)",
            "back = self.V.T @ e * (1 - self.h)",
            "gprime-missing missing-factor",
        ),
        ("self.c -= 0.1 * gc", "self.c += 0.1 * gc", "sign"),
        ("gV = e @ self.h.T", "gV = e @ sigmoid(self.h).T", "extra-factor wrong-function"),
    ),
    "lists of weights, rows, relu, softmax": written(
        """
import numpy as np

rng = np.random.default_rng(8)
dims = [5, 8, 6, 3]
weights = [rng.standard_normal((a, b)) * np.sqrt(2 / a) for a, b in zip(dims, dims[1:])]
biases = [np.zeros((1, b)) for b in dims[1:]]
X = rng.standard_normal((12, 5))
Y = np.eye(3)[rng.integers(0, 3, 12)]
eta = 0.1


def forward(X):
    A = [X]
    for i, (W, b) in enumerate(zip(weights, biases)):
        Z = A[-1] @ W + b
        if i < len(weights) - 1:
            A.append(np.maximum(0, Z))
        else:
            E = np.exp(Z - Z.max(axis=1, keepdims=True))
            A.append(E / E.sum(axis=1, keepdims=True))
    return A


for epoch in range(100):
    A = forward(X)
    loss = -np.mean(np.sum(Y * np.log(A[-1]), axis=1))
    delta = (A[-1] - Y) / len(X)
    dWs, dbs = [], []
    for i in reversed(range(len(weights))):
        dWs.insert(0, A[i].T @ delta)
        dbs.insert(0, delta.sum(axis=0, keepdims=True))
        if i > 0:
            delta = (delta @ weights[i].T) * (A[i] > 0)
    for i in range(len(weights)):
        weights[i] -= eta * dWs[i]
        biases[i] -= eta * dbs[i]
""",
        (
            "dWs.insert(0, A[i].T @ delta)",
            "dWs.insert(0, A[i].T @ delta / len(X))",
            "double-1/m extra-factor missing-factor",
        ),
        ("delta = (delta @ weights[i].T) * (A[i] > 0)", "delta = delta @ weights[i].T", "gprime-missing"),
    ),
    "layer objects, an optimiser object": written(
        """
import numpy as np


class Layer:
    def params(self):
        return []


class Linear(Layer):
    def __init__(self, n_in, n_out, rng):
        self.w = rng.normal(size=(n_in, n_out)) / np.sqrt(n_in)
        self.b = np.zeros(n_out)
        self.dw, self.db = np.zeros_like(self.w), np.zeros_like(self.b)

    def __call__(self, x):
        self.inp = x
        return x @ self.w + self.b

    def backward(self, grad):
        self.dw[...] = self.inp.T @ grad
        self.db[...] = grad.sum(axis=0)
        return grad @ self.w.T

    def params(self):
        return [(self.w, self.dw), (self.b, self.db)]


class Tanh(Layer):
    def __call__(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, grad):
        return grad * (1 - self.y ** 2)


class MSE:
    def __call__(self, pred, target):
        self.diff = pred - target
        return (self.diff ** 2).mean()

    def backward(self):
        return 2 * self.diff / self.diff.size


class SGD:
    def __init__(self, layers, lr):
        self.layers, self.lr = layers, lr

    def step(self):
        for layer in self.layers:
            for p, g in layer.params():
                p -= self.lr * g


rng = np.random.default_rng(2)
inputs, targets = rng.normal(size=(9, 4)), rng.normal(size=(9, 2))
model = [Linear(4, 5, rng), Tanh(), Linear(5, 2, rng)]
criterion, opt = MSE(), SGD(model, 0.05)
for epoch in range(10):
    out = inputs
    for layer in model:
        out = layer(out)
    loss = criterion(out, targets)
    grad = criterion.backward()
    for layer in reversed(model):
        grad = layer.backward(grad)
    opt.step()
""",
        ("        return grad * (1 - self.y ** 2)", "        return grad * (1 - self.y)", "square-missing"),
        ("self.db[...] = grad.sum(axis=0)", "self.db[...] = grad.mean(axis=0)", "db-mean-for-sum"),
        ("        return grad @ self.w.T", "        return grad @ self.w.T * self.inp", "extra-factor gprime-extra"),
    ),
    "script, one example at a time": written(
        """
import numpy as np

np.random.seed(5)
data = np.random.uniform(-1, 1, (6, 2))
desired = (data[:, 0] * data[:, 1] > 0).astype(float)
w_h = np.random.uniform(-1, 1, (3, 2))
b_h = np.random.uniform(-1, 1, 3)
w_o = np.random.uniform(-1, 1, 3)
b_o = 0.1
eta = 0.4
for epoch in range(300):
    total = 0
    for x, t in zip(data, desired):
        net_h = w_h.dot(x) + b_h
        out_h = 1.0 / (1.0 + np.exp(-net_h))
        net_o = w_o.dot(out_h) + b_o
        out_o = 1.0 / (1.0 + np.exp(-net_o))
        error = 0.5 * (t - out_o) ** 2
        total += error
        delta_o = (out_o - t) * out_o * (1 - out_o)
        delta_h = delta_o * w_o * out_h * (1 - out_h)
        w_o = w_o - eta * delta_o * out_h
        b_o = b_o - eta * delta_o
        w_h = w_h - eta * np.outer(delta_h, x)
        b_h = b_h - eta * delta_h
""",
        (
            "delta_o = (out_o - t) * out_o * (1 - out_o)",
            "delta_o = (out_o - t) * net_o * (1 - net_o)",
            "gprime-at-a wrong-symbol",
        ),
        (
            "delta_h = delta_o * w_o * out_h * (1 - out_h)",
            "delta_h = delta_o * w_o * out_h",
            "gprime-missing missing-factor",
        ),
        ("b_o = b_o - eta * delta_o", "b_o = b_o - eta * (out_o - t)", "gprime-missing wrong-symbol"),
    ),
    "mini-batches from a generator, decay in the step": written(
        HELPERS
        + """
def batches(X, y, size, rng):
    order = rng.permutation(len(X))
    for k in range(0, len(X), size):
        yield X[order[k:k + size]], y[order[k:k + size]]


def train(X, y, epochs=3, lr=0.2, decay=1e-3):
    rng = np.random.default_rng(0)
    W1, b1 = rng.normal(size=(X.shape[1], 5)), np.zeros(5)
    W2, b2 = rng.normal(size=(5, 1)), np.zeros(1)
    for epoch in range(epochs):
        for xb, yb in batches(X, y, 8, rng):
            z1 = xb @ W1 + b1
            a1 = sigmoid(z1)
            p = sigmoid(a1 @ W2 + b2)
            loss = -np.mean(yb * np.log(p) + (1 - yb) * np.log(1 - p))
            g = (p - yb) / len(xb)
            gW2 = a1.T @ g
            gb2 = g.sum(axis=0)
            g1 = g @ W2.T * sigmoid(z1) * (1 - sigmoid(z1))
            gW1 = xb.T @ g1
            gb1 = g1.sum(axis=0)
            W1 -= lr * (gW1 + decay * W1)
            W2 -= lr * (gW2 + decay * W2)
            b1 -= lr * gb1
            b2 -= lr * gb2
        lr *= 0.9
    return W1, b1, W2, b2


rng = np.random.default_rng(3)
X = rng.normal(size=(24, 3))
y = (X[:, :1] + X[:, 1:2] > 0).astype(float)
train(X, y)
""",
        ("gb1 = g1.sum(axis=0)", "gb1 = g1.mean(axis=0)", "db-mean-for-sum"),
        ("sigmoid(z1) * (1 - sigmoid(z1))", "sigmoid(a1) * (1 - sigmoid(a1))", "gprime-at-a wrong-symbol"),
        ("W1 -= lr * (gW1 + decay * W1)", "W1 += lr * (gW1 + decay * W1)", "sign"),
    ),
    "ascent on a likelihood": written(
        """
import numpy as np

np.random.seed(12)
features = np.random.randn(14, 3)
labels = (features @ np.array([1.0, -2.0, 0.5]) > 0) * 1.0
beta = np.zeros(3)
intercept = 0.0
rate = 0.05
for it in range(200):
    eta = features @ beta + intercept
    prob = 1 / (1 + np.exp(-eta))
    log_likelihood = np.sum(labels * eta - np.log(1 + np.exp(eta)))
    residual = labels - prob
    beta += rate * features.T @ residual
    intercept += rate * residual.sum()
print(beta, intercept, log_likelihood)
""",
        ("intercept += rate * residual.sum()", "intercept -= rate * residual.sum()", "sign"),
        ("residual = labels - prob", "residual = labels - eta", "wrong-symbol"),
    ),
    "np.matrix": written(
        """
import numpy as np

np.random.seed(21)
X = np.matrix(np.random.randn(3, 9))
Y = np.matrix(np.random.rand(2, 9))
W1 = np.matrix(np.random.randn(4, 3) * 0.5)
b1 = np.matrix(np.zeros((4, 1)))
W2 = np.matrix(np.random.randn(2, 4) * 0.5)
b2 = np.matrix(np.zeros((2, 1)))
m = X.shape[1]
for i in range(100):
    Z1 = W1 * X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 * A1 + b2
    cost = np.sum(np.square(Z2 - Y)) / (2 * m)
    dZ2 = (Z2 - Y) / m
    dW2 = dZ2 * A1.T
    db2 = np.sum(dZ2, axis=1)
    dZ1 = np.multiply(W2.T * dZ2, 1 - np.square(A1))
    dW1 = dZ1 * X.T
    db1 = np.sum(dZ1, axis=1)
    W1 = W1 - 0.1 * dW1
    b1 = b1 - 0.1 * db1
    W2 = W2 - 0.1 * dW2
    b2 = b2 - 0.1 * db2
""",
        ("np.multiply(W2.T * dZ2, 1 - np.square(A1))", "np.multiply(W2.T * dZ2, 1 - A1)", "square-missing"),
        ("dZ2 = (Z2 - Y) / m", "dZ2 = (Y - Z2) / m", "sign"),
    ),
    "Adam class, dicts of parameters": written(
        """
import numpy as np


class Adam:
    def __init__(self, params, lr=0.01, b1=0.9, b2=0.999, eps=1e-8):
        self.lr, self.b1, self.b2, self.eps, self.t = lr, b1, b2, eps, 0
        self.m = {k: np.zeros_like(v) for k, v in params.items()}
        self.v = {k: np.zeros_like(v) for k, v in params.items()}

    def update(self, params, grads):
        self.t += 1
        for k in params:
            self.m[k] = self.b1 * self.m[k] + (1 - self.b1) * grads[k]
            self.v[k] = self.b2 * self.v[k] + (1 - self.b2) * grads[k] ** 2
            m_hat = self.m[k] / (1 - self.b1 ** self.t)
            v_hat = self.v[k] / (1 - self.b2 ** self.t)
            params[k] -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


def loss_fn(params, x, y, reg):
    h = np.maximum(0.01 * (x @ params["W1"] + params["b1"]), x @ params["W1"] + params["b1"])
    out = h @ params["W2"] + params["b2"]
    diff = out - y
    loss = 0.5 * np.mean(np.sum(diff ** 2, axis=1)) + 0.5 * reg * sum(np.sum(params[k] ** 2) for k in ("W1", "W2"))
    dout = diff / x.shape[0]
    grads = {"W2": h.T @ dout + reg * params["W2"], "b2": dout.sum(axis=0)}
    dh = dout @ params["W2"].T
    dz = dh * np.where(h > 0, 1.0, 0.01)
    grads["W1"] = x.T @ dz + reg * params["W1"]
    grads["b1"] = dz.sum(axis=0)
    return loss, grads


rng = np.random.default_rng(9)
x, y = rng.normal(size=(10, 3)), rng.normal(size=(10, 2))
params = {"W1": rng.normal(size=(3, 6)), "b1": np.zeros(6), "W2": rng.normal(size=(6, 2)), "b2": np.zeros(2)}
opt = Adam(params)
for step in range(50):
    loss, grads = loss_fn(params, x, y, 0.01)
    opt.update(params, grads)
""",
        ("dz = dh * np.where(h > 0, 1.0, 0.01)", "dz = dh * np.where(h > 0, 1.0, 0.0)", "wrong-number"),
        ('grads["W1"] = x.T @ dz + reg * params["W1"]', 'grads["W1"] = x.T @ dz', "l2-missing"),
        ("dout = diff / x.shape[0]", "dout = diff", "missing-1/m"),
    ),
    "einsum": written(
        """
import numpy as np


def forward(x, U, V):
    pre = np.einsum("bi,ij->bj", x, U)
    hid = np.tanh(pre)
    return hid, np.einsum("bj,jk->bk", hid, V)


rng = np.random.default_rng(14)
x = rng.normal(size=(7, 4))
target = rng.normal(size=(7, 2))
U, V = rng.normal(size=(4, 5)) * 0.4, rng.normal(size=(5, 2)) * 0.4
for _ in range(10):
    hid, out = forward(x, U, V)
    loss = np.einsum("bk,bk->", out - target, out - target) / len(x)
    g_out = 2 * (out - target) / len(x)
    g_V = np.einsum("bj,bk->jk", hid, g_out)
    g_hid = np.einsum("bk,jk->bj", g_out, V)
    g_pre = g_hid * (1 - hid ** 2)
    g_U = np.einsum("bi,bj->ij", x, g_pre)
    U -= 0.1 * g_U
    V -= 0.1 * g_V
""",
        ("    V -= 0.1 * g_V", "    V += 0.1 * g_V", "sign"),
        (
            'g_U = np.einsum("bi,bj->ij", x, g_pre)',
            'g_U = np.einsum("bi,bj->ij", x, g_hid)',
            "gprime-missing wrong-symbol",
        ),
        ("g_pre = g_hid * (1 - hid ** 2)", "g_pre = g_hid * (1 + hid ** 2)", "sign"),
    ),
    "a small convolutional net, loops": written(
        """
import numpy as np

np.random.seed(17)
images = np.random.randn(4, 6, 7)
t = np.random.randn(4, 2)
K = np.random.randn(3, 3) * 0.5
c = 0.1
D = np.random.randn(20, 2) * 0.3
lr = 0.01
for epoch in range(5):
    fmap = np.zeros((4, 4, 5))
    for i in range(4):
        for j in range(5):
            fmap[:, i, j] = np.sum(images[:, i:i + 3, j:j + 3] * K, axis=(1, 2)) + c
    act = np.maximum(fmap, 0)
    flat = act.reshape(4, -1)
    pred = flat @ D
    loss = np.sum((pred - t) ** 2) / 4
    dpred = 2 * (pred - t) / 4
    dD = flat.T @ dpred
    dact = (dpred @ D.T).reshape(act.shape)
    dfmap = dact * (fmap > 0)
    dK = np.zeros_like(K)
    for i in range(4):
        for j in range(5):
            dK += np.sum(images[:, i:i + 3, j:j + 3] * dfmap[:, i, j][:, None, None], axis=0)
    dc = dfmap.sum()
    K -= lr * dK
    c -= lr * dc
    D -= lr * dD
""",
        (
            "dK += np.sum(images[:, i:i + 3, j:j + 3] * dfmap[:, i, j][:, None, None], axis=0)",
            "dK = np.sum(images[:, i:i + 3, j:j + 3] * dfmap[:, i, j][:, None, None], axis=0)",
            "overwritten",
        ),
        ("dfmap = dact * (fmap > 0)", "dfmap = dact * (act >= 0)", "gprime-missing wrong-symbol wrong-operator"),
        ("dc = dfmap.sum()", "dc = dact.sum()", "wrong-symbol gprime-missing"),
    ),
    "class, recurrent steps through time": written(
        """
import numpy as np


class RNN:
    def __init__(self, vocab, hidden):
        np.random.seed(1)
        self.U = np.random.randn(hidden, vocab) * 0.3
        self.W = np.random.randn(hidden, hidden) * 0.3
        self.V = np.random.randn(vocab, hidden) * 0.3

    def forward(self, x):
        T = len(x)
        s = np.zeros((T + 1, self.W.shape[0]))
        o = np.zeros((T, self.V.shape[0]))
        for t in range(T):
            s[t] = np.tanh(self.U[:, x[t]] + self.W.dot(s[t - 1]))
            e = np.exp(self.V.dot(s[t]))
            o[t] = e / e.sum()
        return o, s

    def loss(self, x, y):
        o, _ = self.forward(x)
        return -np.sum(np.log(o[np.arange(len(y)), y]))

    def bptt(self, x, y):
        T = len(y)
        o, s = self.forward(x)
        dU, dV, dW = np.zeros(self.U.shape), np.zeros(self.V.shape), np.zeros(self.W.shape)
        delta_o = o
        delta_o[np.arange(T), y] -= 1.0
        carry = np.zeros(self.W.shape[0])
        for t in np.arange(T)[::-1]:
            dV += np.outer(delta_o[t], s[t])
            ds = self.V.T.dot(delta_o[t]) + carry
            da = ds * (1 - s[t] ** 2)
            dW += np.outer(da, s[t - 1])
            dU[:, x[t]] += da
            carry = self.W.T.dot(da)
        return dU, dV, dW


model = RNN(5, 4)
x = np.array([0, 3, 1, 4, 2])
y = np.array([3, 1, 4, 2, 0])
for epoch in range(10):
    loss = model.loss(x, y)
    dU, dV, dW = model.bptt(x, y)
    model.U -= 0.1 * dU
    model.V -= 0.1 * dV
    model.W -= 0.1 * dW
""",
        ("carry = self.W.T.dot(da)", "carry = self.W.dot(da)", "transpose-missing"),
        ("dW += np.outer(da, s[t - 1])", "dW += np.outer(ds, s[t - 1])", "gprime-missing wrong-symbol"),
        ("            dU[:, x[t]] += da", "            dU[:, x[t]] = da", "overwritten"),
    ),
    "a list of dicts for the layers": written(
        """
import numpy as np

ACT = {"tanh": np.tanh, "linear": lambda z: z}
SLOPE = {"tanh": lambda z: 1 - np.tanh(z) ** 2, "linear": lambda z: np.ones_like(z)}


def build(spec, n_in, rng):
    net = []
    for n_out, act in spec:
        net.append({"W": rng.normal(size=(n_out, n_in)) * 0.5, "b": np.zeros((n_out, 1)), "act": act})
        n_in = n_out
    return net


def run(net, a):
    for layer in net:
        layer["in"] = a
        layer["z"] = layer["W"] @ a + layer["b"]
        a = ACT[layer["act"]](layer["z"])
    return a


def back(net, g):
    for layer in reversed(net):
        g = g * SLOPE[layer["act"]](layer["z"])
        layer["dW"] = g @ layer["in"].T
        layer["db"] = g.sum(axis=1, keepdims=True)
        g = layer["W"].T @ g


rng = np.random.default_rng(19)
net = build([(5, "tanh"), (4, "tanh"), (2, "linear")], 3, rng)
X, Y = rng.normal(size=(3, 8)), rng.normal(size=(2, 8))
for _ in range(20):
    out = run(net, X)
    J = np.sum((out - Y) ** 2) / X.shape[1]
    back(net, 2 * (out - Y) / X.shape[1])
    for layer in net:
        layer["W"] -= 0.05 * layer["dW"]
        layer["b"] -= 0.05 * layer["db"]
""",
        (
            '"tanh": lambda z: 1 - np.tanh(z) ** 2',
            '"tanh": lambda z: 1 - z ** 2',
            "gprime-at-a wrong-symbol wrong-function",
        ),
        ('layer["dW"] = g @ layer["in"].T', 'layer["dW"] = g @ layer["in"].T / 8', "double-1/m wrong-number"),
        (
            'layer["db"] = g.sum(axis=1, keepdims=True)',
            'layer["db"] = g.sum(axis=0, keepdims=True)',
            "db-wrong-axis wrong-axis",
        ),
    ),
    "dropout, a mask kept in a cache": written(
        HELPERS
        + """
def init(seed=0):
    rng = np.random.RandomState(seed)
    return {"W1": rng.randn(6, 4) * 0.4, "b1": np.zeros((6, 1)), "W2": rng.randn(1, 6) * 0.4, "b2": np.zeros((1, 1))}


def forward_with_dropout(X, p, keep_prob=0.7):
    Z1 = p["W1"] @ X + p["b1"]
    A1 = np.maximum(0, Z1)
    D1 = (np.random.rand(*A1.shape) < keep_prob).astype(int)
    A1 = A1 * D1 / keep_prob
    A2 = sigmoid(p["W2"] @ A1 + p["b2"])
    return A2, (Z1, D1, A1)


def backward_with_dropout(X, Y, A2, p, cache, keep_prob=0.7):
    Z1, D1, A1 = cache
    m = X.shape[1]
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dA1 = p["W2"].T @ dZ2
    dA1 = dA1 * D1 / keep_prob
    dZ1 = dA1 * (Z1 > 0)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


np.random.seed(2)
X = np.random.randn(4, 11)
Y = (X.mean(axis=0, keepdims=True) > 0) * 1
p = init()
for i in range(30):
    A2, cache = forward_with_dropout(X, p)
    cost = -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))
    grads = backward_with_dropout(X, Y, A2, p, cache)
    for k in p:
        p[k] = p[k] - 0.1 * grads[k]
""",
        ("    dA1 = dA1 * D1 / keep_prob\n", "", "dropout-mask-forgotten-backward missing-factor"),
        ("dA1 = dA1 * D1 / keep_prob", "dA1 = dA1 * D1", "dropout-not-rescaled missing-factor"),
        ("db2 = dZ2.sum(axis=1, keepdims=True) / m", "db2 = dZ2.sum(axis=1, keepdims=True)", "missing-1/m"),
    ),
    "linear regression, theta with a column of ones": written(
        """
import numpy as np


def hypothesis(X, theta):
    return X.dot(theta)


def computeCost(X, y, theta, lam):
    m = len(y)
    return np.sum((hypothesis(X, theta) - y) ** 2) / (2 * m) + lam / (2 * m) * np.sum(theta[1:] ** 2)


def gradient(X, y, theta, lam):
    m = len(y)
    grad = X.T.dot(hypothesis(X, theta) - y) / m
    grad[1:] += lam / m * theta[1:]
    return grad


np.random.seed(30)
raw = np.random.randn(13, 2)
X = np.c_[np.ones(13), raw]
y = raw.dot(np.array([2.0, -1.0])) + 0.3
theta = np.zeros(3)
costs = []
for i in range(50):
    costs.append(computeCost(X, y, theta, 0.5))
    theta = theta - 0.1 * gradient(X, y, theta, 0.5)
""",
        ("    grad[1:] += lam / m * theta[1:]", "    grad += lam / m * theta", "l2-on-bias"),
        (
            "    grad = X.T.dot(hypothesis(X, theta) - y) / m",
            "    grad = X.T.dot(hypothesis(X, theta) - y)",
            "missing-1/m",
        ),
        ("    grad[1:] += lam / m * theta[1:]\n", "", "l2-missing"),
    ),
    "autoencoder, tied weights": written(
        """
import numpy as np

rs = np.random.RandomState(33)
batch = rs.rand(8, 6)
W = rs.randn(6, 3) * 0.4
bh = np.zeros(3)
bo = np.zeros(6)
for step in range(40):
    code = np.tanh(batch @ W + bh)
    recon = code @ W.T + bo
    loss = 0.5 * np.sum((recon - batch) ** 2) / 8
    d_recon = (recon - batch) / 8
    d_code = d_recon @ W
    d_pre = d_code * (1 - code ** 2)
    d_W = batch.T @ d_pre + d_recon.T @ code
    d_bh = d_pre.sum(axis=0)
    d_bo = d_recon.sum(axis=0)
    W -= 0.1 * d_W
    bh -= 0.1 * d_bh
    bo -= 0.1 * d_bo
""",
        ("d_W = batch.T @ d_pre + d_recon.T @ code", "d_W = batch.T @ d_pre", "missing-term"),
        ("d_bh = d_pre.sum(axis=0)", "d_bh = d_code.sum(axis=0)", "gprime-missing wrong-symbol"),
    ),
    "word vectors, np.add.at": written(
        """
import numpy as np

rng = np.random.default_rng(41)
V, d = 7, 4
E = rng.normal(size=(V, d)) * 0.5
O = rng.normal(size=(d, V)) * 0.5
context = np.array([[0, 2], [1, 3], [2, 4], [3, 5], [2, 6]])
center = np.array([1, 2, 3, 4, 5])
for epoch in range(30):
    h = E[context].mean(axis=1)
    s = h @ O
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(5), center]).mean()
    ds = p.copy()
    ds[np.arange(5), center] -= 1
    ds /= 5
    dO = h.T @ ds
    dh = ds @ O.T
    dE = np.zeros_like(E)
    np.add.at(dE, context, dh[:, None, :] / 2)
    E -= 0.5 * dE
    O -= 0.5 * dO
""",
        ("np.add.at(dE, context, dh[:, None, :] / 2)", "np.add.at(dE, context, dh[:, None, :])", "missing-factor"),
        ("dO = h.T @ ds", "dO = h.T @ ds / 5", "double-1/m extra-factor"),
        ("    np.add.at(dE, context, dh[:, None, :] / 2)", "    dE[context] += dh[:, None, :] / 2", "overwritten"),
    ),
    "functions in a dict, a closure": written(
        """
import numpy as np


def make_sigmoid():
    def f(z):
        return 1 / (1 + np.exp(-z))

    def df(z):
        s = f(z)
        return s * (1 - s)

    return f, df


f, df = make_sigmoid()


class Net:
    def __init__(self, sizes, seed=0):
        rng = np.random.default_rng(seed)
        self.theta = {}
        for k in range(1, len(sizes)):
            self.theta[f"W{k}"] = rng.normal(size=(sizes[k - 1], sizes[k]))
            self.theta[f"b{k}"] = np.zeros((1, sizes[k]))
        self.L = len(sizes) - 1

    def feedforward(self, X):
        self.store = {"A0": X}
        for k in range(1, self.L + 1):
            self.store[f"Z{k}"] = self.store[f"A{k-1}"] @ self.theta[f"W{k}"] + self.theta[f"b{k}"]
            self.store[f"A{k}"] = f(self.store[f"Z{k}"])
        return self.store[f"A{self.L}"]

    def backprop(self, Y):
        m = Y.shape[0]
        grads = {}
        dZ = (self.store[f"A{self.L}"] - Y) * df(self.store[f"Z{self.L}"]) / m
        for k in range(self.L, 0, -1):
            grads[f"dW{k}"] = self.store[f"A{k-1}"].T @ dZ
            grads[f"db{k}"] = np.sum(dZ, axis=0, keepdims=True)
            if k > 1:
                dZ = (dZ @ self.theta[f"W{k}"].T) * df(self.store[f"Z{k-1}"])
        return grads

    def fit(self, X, Y, epochs=5, lr=0.5):
        for _ in range(epochs):
            out = self.feedforward(X)
            self.cost = np.sum((out - Y) ** 2) / (2 * len(X))
            grads = self.backprop(Y)
            for k in range(1, self.L + 1):
                self.theta[f"W{k}"] -= lr * grads[f"dW{k}"]
                self.theta[f"b{k}"] -= lr * grads[f"db{k}"]


rng = np.random.default_rng(1)
Net([3, 5, 4, 2]).fit(rng.normal(size=(9, 3)), rng.random((9, 2)))
""",
        ('* df(self.store[f"Z{k-1}"])', '* df(self.store[f"A{k-1}"])', "gprime-at-a wrong-symbol"),
        ('* df(self.store[f"Z{self.L}"]) / m', "/ m", "gprime-missing"),
        (
            'grads[f"dW{k}"] = self.store[f"A{k-1}"].T @ dZ',
            'grads[f"dW{k}"] = self.store[f"A{k-1}"].T @ dZ / m',
            "double-1/m missing-factor",
        ),
    ),
    "hinge loss, loops over examples and classes": written(
        """
import numpy as np


def svm_loss_naive(W, X, y, reg):
    dW = np.zeros(W.shape)
    num_classes = W.shape[1]
    num_train = X.shape[0]
    loss = 0.0
    for i in range(num_train):
        scores = X[i].dot(W)
        correct = scores[y[i]]
        for j in range(num_classes):
            if j == y[i]:
                continue
            margin = scores[j] - correct + 1
            if margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    loss /= num_train
    dW /= num_train
    loss += reg * np.sum(W * W)
    dW += 2 * reg * W
    return loss, dW
""",
        ("    dW += 2 * reg * W", "    dW += reg * W", "l2-factor-2 missing-factor"),
        ("    dW /= num_train\n", "", "missing-1/m"),
        ("                dW[:, y[i]] -= X[i]\n", "", "missing-term sign label-not-subtracted"),
    ),
    "clipped by norm, Adagrad, a rate that decays": written(
        """
import numpy as np

gen = np.random.RandomState(55)
X = gen.randn(16, 3)
y = np.sin(X.sum(axis=1, keepdims=True))
W1, b1 = gen.randn(3, 8) * 0.5, np.zeros((1, 8))
W2, b2 = gen.randn(8, 1) * 0.5, np.zeros((1, 1))
G1, G2 = np.zeros_like(W1), np.zeros_like(W2)
for epoch in range(60):
    lr = 0.1 / (1 + 0.01 * epoch)
    z = X @ W1 + b1
    h = np.maximum(z, 0)
    yhat = h @ W2 + b2
    loss = np.mean((yhat - y) ** 2)
    dyhat = 2 * (yhat - y) / len(X)
    dW2 = h.T @ dyhat
    db2 = np.sum(dyhat, axis=0, keepdims=True)
    dz = dyhat @ W2.T
    dz[z <= 0] = 0
    dW1 = X.T @ dz
    db1 = np.sum(dz, axis=0, keepdims=True)
    norm = np.sqrt(sum(np.sum(g ** 2) for g in (dW1, db1, dW2, db2)))
    if norm > 0.5:
        dW1, db1, dW2, db2 = dW1 * 0.5 / norm, db1 * 0.5 / norm, dW2 * 0.5 / norm, db2 * 0.5 / norm
    G1 += dW1 ** 2
    G2 += dW2 ** 2
    W1 -= lr * dW1 / (np.sqrt(G1) + 1e-8)
    W2 -= lr * dW2 / (np.sqrt(G2) + 1e-8)
    b1 -= lr * db1
    b2 -= lr * db2
""",
        ("    dz[z <= 0] = 0\n", "", "gprime-missing"),
        ("    dz[z <= 0] = 0", "    dz[z > 0] = 0", "wrong-operator"),
        ("db2 = np.sum(dyhat, axis=0, keepdims=True)", "db2 = np.sum(dyhat)", "db-summed-over-all"),
    ),
    "layers that are called, batch norm, two of a kind": written(
        """
import numpy as np

class Linear:
    def __init__(self, n_in, n_out):
        self.weight = np.random.randn(n_out, n_in) * np.sqrt(2 / n_in)
        self.bias = np.zeros(n_out)
    def __call__(self, x):
        self.x = x
        return x @ self.weight.T + self.bias
    def backward(self, grad):
        self.weight_grad = grad.T @ self.x
        self.bias_grad = grad.sum(0)
        return grad @ self.weight

class ReLU:
    def __call__(self, x):
        self.mask = x > 0
        return x * self.mask
    def backward(self, grad):
        return grad * self.mask

class BatchNorm:
    def __init__(self, d, eps=1e-5):
        self.gamma = np.ones(d); self.beta = np.zeros(d); self.eps = eps
    def __call__(self, x):
        self.mu = x.mean(0); self.var = x.var(0)
        self.xhat = (x - self.mu) / np.sqrt(self.var + self.eps)
        return self.gamma * self.xhat + self.beta
    def backward(self, grad):
        n = grad.shape[0]
        self.gamma_grad = (grad * self.xhat).sum(0)
        self.beta_grad = grad.sum(0)
        dxhat = grad * self.gamma
        return (n * dxhat - dxhat.sum(0) - self.xhat * (dxhat * self.xhat).sum(0)) / (n * np.sqrt(self.var + self.eps))

class CrossEntropy:
    def __call__(self, logits, y):
        z = logits - logits.max(1, keepdims=True)
        logp = z - np.log(np.exp(z).sum(1, keepdims=True))
        self.p = np.exp(logp); self.y = y
        return -logp[np.arange(len(y)), y].mean()
    def backward(self):
        d = self.p.copy()
        d[np.arange(len(self.y)), self.y] -= 1
        return d / len(self.y)

class Net:
    def __init__(self, sizes):
        self.layers = []
        for i in range(len(sizes) - 1):
            self.layers.append(Linear(sizes[i], sizes[i+1]))
            if i < len(sizes) - 2:
                self.layers.append(BatchNorm(sizes[i+1]))
                self.layers.append(ReLU())
    def __call__(self, x):
        for l in self.layers:
            x = l(x)
        return x
    def backward(self, g):
        for l in reversed(self.layers):
            g = l.backward(g)

if __name__ == "__main__":
    np.random.seed(0)
    X = np.random.randn(60, 4)
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    net = Net([4, 6, 5, 2]); crit = CrossEntropy()
    for epoch in range(100):
        perm = np.random.permutation(len(X))
        for i in range(0, len(X), 20):
            idx = perm[i:i+20]
            loss = crit(net(X[idx]), y[idx])
            net.backward(crit.backward())
            for l in net.layers:
                if isinstance(l, Linear):
                    l.weight -= 0.1 * l.weight_grad
                    l.bias -= 0.1 * l.bias_grad
                elif isinstance(l, BatchNorm):
                    l.gamma -= 0.1 * l.gamma_grad
                    l.beta -= 0.1 * l.beta_grad
        if epoch % 10 == 0:
            print(epoch, loss)
""",
        ("        return grad * self.mask", "        return grad", "gprime-missing"),
        ("dxhat.sum(0) - self.xhat * (dxhat * self.xhat).sum(0)", "dxhat.sum(0)", "missing-term"),
        (
            "        return grad @ self.weight\n",
            "        return grad @ self.weight / len(grad)\n",
            "double-1/m extra-factor",
        ),
    ),
}
