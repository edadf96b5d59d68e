"""Programs as people write them, right as they stand, each with mistakes to plant: (what is written, instead, cause).

An empty replacement takes the line out. ``APART`` are the programs that the engine was not tuned on.
"""

from __future__ import annotations

from typing import NamedTuple


class Planted(NamedTuple):
    """A mistake: what is written, what stands there instead, and what it may be called."""

    old: str
    new: str
    causes: tuple[str, ...]


class Written(NamedTuple):
    """A program and the mistakes that are planted in it, one at a time."""

    text: str
    mistakes: tuple[Planted, ...]

    def wrong(self, mistake: Planted) -> tuple[str, int]:
        """The program with a mistake in it, and the line where it stands; of a line that is gone, the one before."""
        assert self.text.count(mistake.old) == 1, mistake.old
        line = self.text[: self.text.index(mistake.old)].count("\n") + 1
        return self.text.replace(mistake.old, mistake.new), line - (not mistake.new.strip())


def written(text: str, *mistakes: tuple[str, str, str]) -> Written:
    return Written(text.lstrip("\n"), tuple(Planted(old, new, tuple(causes.split())) for old, new, causes in mistakes))


HELPERS = """
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


"""

PROGRAMS = {
    "script, rows, labels, penalty": written(
        """
import numpy as np

np.random.seed(3)
N, D, H, C = 9, 4, 6, 3
X = np.random.randn(N, D)
y = np.random.randint(0, C, N)
W1 = 0.1 * np.random.randn(D, H)
b1 = np.zeros(H)
W2 = 0.1 * np.random.randn(H, C)
b2 = np.zeros(C)
reg = 1e-2
lr = 0.5
for it in range(500):
    hidden = np.tanh(X @ W1 + b1)
    scores = hidden @ W2 + b2
    scores -= scores.max(axis=1, keepdims=True)
    probs = np.exp(scores)
    probs /= probs.sum(axis=1, keepdims=True)
    loss = -np.log(probs[np.arange(N), y]).mean() + 0.5 * reg * (np.sum(W1 ** 2) + np.sum(W2 ** 2))
    if it % 100 == 0:
        print(f"{it}: {loss:.4f}")
    dscores = probs.copy()
    dscores[np.arange(N), y] -= 1
    dscores /= N
    dW2 = hidden.T @ dscores + reg * W2
    db2 = dscores.sum(axis=0)
    dhidden = dscores @ W2.T
    dpre = dhidden * (1 - hidden ** 2)
    dW1 = X.T @ dpre + reg * W1
    db1 = dpre.sum(axis=0)
    W1 -= lr * dW1
    b1 -= lr * db1
    W2 -= lr * dW2
    b2 -= lr * db2
""",
        ("    dscores /= N\n", "", "missing-1/m"),
        ("dW1 = X.T @ dpre + reg * W1", "dW1 = X.T @ dpre", "l2-missing"),
        ("dhidden * (1 - hidden ** 2)", "dhidden * (1 - hidden)", "square-missing"),
    ),
    "script, columns, cross-entropy": written(
        HELPERS
        + """
np.random.seed(1)
X = np.random.randn(3, 8)
Y = (X.sum(axis=0, keepdims=True) > 0).astype(float)
m = X.shape[1]
W1, b1 = np.random.randn(5, 3) * 0.01, np.zeros((5, 1))
W2, b2 = np.random.randn(1, 5) * 0.01, np.zeros((1, 1))
for i in range(1000):
    Z1 = np.dot(W1, X) + b1
    A1 = np.maximum(0, Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = sigmoid(Z2)
    cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    dZ2 = A2 - Y
    dW2 = np.dot(dZ2, A1.T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = np.dot(W2.T, dZ2) * (Z1 > 0)
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    W1 = W1 - 0.1 * dW1
    b1 = b1 - 0.1 * db1
    W2 = W2 - 0.1 * dW2
    b2 = b2 - 0.1 * db2
print("done", cost)
""",
        ("dZ1 = np.dot(W2.T, dZ2) * (Z1 > 0)", "dZ1 = np.dot(W2.T, dZ2)", "gprime-missing"),
        ("db1 = np.sum(dZ1, axis=1, keepdims=True) / m", "db1 = np.sum(dZ1, axis=1, keepdims=True)", "missing-1/m"),
    ),
    "script, whole numbers, steps uphill, no cost": written(
        """
import numpy as np


def nonlin(x, deriv=False):
    if deriv == True:
        return x * (1 - x)
    return 1 / (1 + np.exp(-x))


inputs = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1], [0, 1, 0]])
outputs = np.array([[0, 1, 1, 0, 1]]).T
np.random.seed(1)
synapse_0 = 2 * np.random.random((3, 4)) - 1
synapse_1 = 2 * np.random.random((4, 1)) - 1
for j in range(60000):
    layer_1 = nonlin(np.dot(inputs, synapse_0))
    layer_2 = nonlin(np.dot(layer_1, synapse_1))
    layer_2_error = outputs - layer_2
    if (j % 10000) == 0:
        print("Error:" + str(np.mean(np.abs(layer_2_error))))
    layer_2_delta = layer_2_error * nonlin(layer_2, deriv=True)
    layer_1_error = layer_2_delta.dot(synapse_1.T)
    layer_1_delta = layer_1_error * nonlin(layer_1, deriv=True)
    synapse_1 += 0.5 * layer_1.T.dot(layer_2_delta)
    synapse_0 += 0.5 * inputs.T.dot(layer_1_delta)
""",
        (
            "layer_1_error * nonlin(layer_1, deriv=True)",
            "layer_1_error * nonlin(layer_1)",
            "g-for-gprime wrong-function",
        ),
        (
            "layer_1_error = layer_2_delta.dot(synapse_1.T)",
            "layer_1_error = layer_2_error.dot(synapse_1.T)",
            "wrong-symbol",
        ),
    ),
    "script, one weight and a bias": written(
        """
import numpy as np

x = np.linspace(-1, 1, 11)
y = 3 * x + 0.5
w = 0.0
b = 0.0
rate = 0.1
n = len(x)
for epoch in range(100):
    y_hat = w * x + b
    error = y_hat - y
    mse = np.mean(error ** 2)
    dw = 2 / n * np.sum(error * x)
    db = 2 / n * np.sum(error)
    w = w - rate * dw
    b = b - rate * db
print(w, b, mse)
""",
        ("dw = 2 / n * np.sum(error * x)", "dw = 2 / n * np.sum(error)", "missing-factor"),
        ("db = 2 / n * np.sum(error)", "db = 1 / n * np.sum(error)", "wrong-number missing-factor"),
    ),
    "functions, dicts, a model that trains": written(
        HELPERS
        + """
def init_params(n_in, n_hidden, n_out):
    rng = np.random.default_rng(0)
    return {
        "W1": rng.normal(size=(n_hidden, n_in)) * 0.1, "b1": np.zeros((n_hidden, 1)),
        "W2": rng.normal(size=(n_out, n_hidden)) * 0.1, "b2": np.zeros((n_out, 1)),
    }


def forward(X, params):
    Z1 = params["W1"] @ X + params["b1"]
    A1 = np.tanh(Z1)
    Z2 = params["W2"] @ A1 + params["b2"]
    A2 = sigmoid(Z2)
    return A2, {"Z1": Z1, "A1": A1, "A2": A2}


def compute_cost(A2, Y):
    m = Y.shape[1]
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m


def backward(params, cache, X, Y):
    m = X.shape[1]
    dZ2 = (cache["A2"] - Y) / m
    dA1 = params["W2"].T @ dZ2
    dZ1 = dA1 * (1 - cache["A1"] ** 2)
    grads = {}
    grads["W2"] = dZ2 @ cache["A1"].T
    grads["b2"] = np.sum(dZ2, axis=1, keepdims=True)
    grads["W1"] = dZ1 @ X.T
    grads["b1"] = np.sum(dZ1, axis=1, keepdims=True)
    return grads


def train(X, Y, hidden=5, steps=200, lr=0.5):
    params = init_params(X.shape[0], hidden, Y.shape[0])
    costs = []
    for step in range(steps):
        A2, cache = forward(X, params)
        costs.append(compute_cost(A2, Y))
        grads = backward(params, cache, X, Y)
        for key in params:
            params[key] = params[key] - lr * grads[key]
    return params, costs


if __name__ == "__main__":
    rng = np.random.default_rng(1)
    X = rng.normal(size=(4, 9))
    Y = (rng.random((2, 9)) > 0.5).astype(float)
    train(X, Y)
""",
        (
            'dA1 * (1 - cache["A1"] ** 2)',
            'dA1 * cache["A1"] * (1 - cache["A1"])',
            "wrong-function gprime-wrong wrong-activation",
        ),
        ('grads["b1"] = np.sum(dZ1, axis=1, keepdims=True)', 'grads["b1"] = np.sum(dZ1)', "db-summed-over-all"),
        ('dA1 = params["W2"].T @ dZ2', 'dA1 = params["W2"].T @ (cache["A2"] - Y)', "missing-1/m missing-factor"),
    ),
    "class, self., squared error": written(
        """
import numpy as np


class NeuralNetwork:
    def __init__(self, n_inputs, n_hidden, n_outputs, lr=0.1):
        np.random.seed(42)
        self.weights_ih = np.random.uniform(-1, 1, (n_inputs, n_hidden))
        self.weights_ho = np.random.uniform(-1, 1, (n_hidden, n_outputs))
        self.bias_h = np.zeros((1, n_hidden))
        self.bias_o = np.zeros((1, n_outputs))
        self.lr = lr

    def sigmoid(self, x):
        return 1 / (1 + np.exp(-x))

    def sigmoid_derivative(self, s):
        return s * (1 - s)

    def forward(self, X):
        self.hidden = self.sigmoid(np.dot(X, self.weights_ih) + self.bias_h)
        self.output = self.sigmoid(np.dot(self.hidden, self.weights_ho) + self.bias_o)
        return self.output

    def backward(self, X, y):
        output_delta = (self.output - y) * self.sigmoid_derivative(self.output)
        hidden_error = output_delta.dot(self.weights_ho.T)
        hidden_delta = hidden_error * self.sigmoid_derivative(self.hidden)
        d_weights_ho = self.hidden.T.dot(output_delta)
        d_bias_o = np.sum(output_delta, axis=0, keepdims=True)
        d_weights_ih = X.T.dot(hidden_delta)
        d_bias_h = np.sum(hidden_delta, axis=0, keepdims=True)
        self.weights_ho -= self.lr * d_weights_ho
        self.bias_o -= self.lr * d_bias_o
        self.weights_ih -= self.lr * d_weights_ih
        self.bias_h -= self.lr * d_bias_h

    def train(self, X, y, epochs):
        for epoch in range(epochs):
            out = self.forward(X)
            self.loss = 0.5 * np.sum((out - y) ** 2)
            self.backward(X, y)


X = np.array([[0.1, 0.9, 0.3], [0.7, 0.2, 0.5], [0.4, 0.4, 0.8], [0.9, 0.6, 0.1], [0.2, 0.3, 0.6]])
y = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
nn = NeuralNetwork(3, 4, 2)
nn.train(X, y, 1000)
""",
        (
            "hidden_error = output_delta.dot(self.weights_ho.T)",
            "hidden_error = (self.output - y).dot(self.weights_ho.T)",
            "gprime-missing wrong-symbol",
        ),
        (
            "hidden_error * self.sigmoid_derivative(self.hidden)",
            "hidden_error * self.sigmoid(self.hidden)",
            "g-for-gprime wrong-function",
        ),
        (
            "d_bias_h = np.sum(hidden_delta, axis=0, keepdims=True)",
            "d_bias_h = np.sum(hidden_delta, axis=1, keepdims=True)",
            "db-wrong-axis wrong-axis",
        ),
    ),
    "list of weights, loops over layers": written(
        HELPERS
        + """
def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


class Network:
    def __init__(self, sizes):
        rng = np.random.default_rng(5)
        self.num_layers = len(sizes)
        self.weights = [rng.standard_normal((n, k)) for k, n in zip(sizes[:-1], sizes[1:])]
        self.biases = [rng.standard_normal((n, 1)) for n in sizes[1:]]

    def backprop(self, x, y):
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        a = x
        activations, zs = [x], []
        for w, b in zip(self.weights, self.biases):
            z = w @ a + b
            zs.append(z)
            a = sigmoid(z)
            activations.append(a)
        cost = 0.5 * np.sum((activations[-1] - y) ** 2)
        delta = (activations[-1] - y) * sigmoid_prime(zs[-1])
        nabla_w[-1] = delta @ activations[-2].T
        nabla_b[-1] = delta.sum(axis=1, keepdims=True)
        for l in range(2, self.num_layers):
            delta = (self.weights[-l + 1].T @ delta) * sigmoid_prime(zs[-l])
            nabla_w[-l] = delta @ activations[-l - 1].T
            nabla_b[-l] = delta.sum(axis=1, keepdims=True)
        return nabla_w, nabla_b, cost

    def fit(self, x, y, epochs, eta):
        for _ in range(epochs):
            nabla_w, nabla_b, cost = self.backprop(x, y)
            self.weights = [w - eta * nw for w, nw in zip(self.weights, nabla_w)]
            self.biases = [b - eta * nb for b, nb in zip(self.biases, nabla_b)]


rng = np.random.default_rng(6)
net = Network([3, 5, 4, 2])
net.fit(rng.standard_normal((3, 7)), rng.random((2, 7)), 100, 0.3)
""",
        ("(activations[-1] - y) * sigmoid_prime(zs[-1])", "(activations[-1] - y)", "gprime-missing"),
        ("    return sigmoid(z) * (1 - sigmoid(z))", "    return z * (1 - z)", "gprime-at-a wrong-symbol"),
    ),
    "layer objects in a list": written(
        """
import numpy as np


class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out) * 0.1
        self.b = np.zeros((1, n_out))

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad, lr):
        dW = self.x.T @ grad
        db = grad.sum(axis=0, keepdims=True)
        dx = grad @ self.W.T
        self.W -= lr * dW
        self.b -= lr * db
        return dx


class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, grad, lr):
        return grad * (self.x > 0)


def mse(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)


def mse_prime(y_true, y_pred):
    return 2 * (y_pred - y_true) / np.size(y_true)


np.random.seed(0)
X = np.random.randn(7, 3)
Y = np.random.randn(7, 2)
layers = [Dense(3, 5), ReLU(), Dense(5, 4), ReLU(), Dense(4, 2)]
for epoch in range(50):
    out = X
    for layer in layers:
        out = layer.forward(out)
    error = mse(Y, out)
    grad = mse_prime(Y, out)
    for layer in reversed(layers):
        grad = layer.backward(grad, 0.1)
""",
        ("dx = grad @ self.W.T", "dx = grad @ self.W.T * self.x", "extra-factor gprime-extra"),
        ("return grad * (self.x > 0)", "return grad * np.maximum(self.x, 0)", "g-for-gprime wrong-function"),
        ("db = grad.sum(axis=0, keepdims=True)", "db = grad.mean(axis=0, keepdims=True)", "db-mean-for-sum"),
    ),
    "deep, parameters by number, caches": written(
        """
import numpy as np


def initialize(dims):
    np.random.seed(2)
    params = {}
    for l in range(1, len(dims)):
        params["W" + str(l)] = np.random.randn(dims[l], dims[l - 1]) / np.sqrt(dims[l - 1])
        params["b" + str(l)] = np.zeros((dims[l], 1))
    return params


def linear_activation_forward(A_prev, W, b, activation):
    Z = np.dot(W, A_prev) + b
    A = np.maximum(0, Z) if activation == "relu" else 1 / (1 + np.exp(-Z))
    return A, (A_prev, W, b, Z)


def model_forward(X, params):
    caches = []
    A = X
    L = len(params) // 2
    for l in range(1, L):
        A, cache = linear_activation_forward(A, params["W" + str(l)], params["b" + str(l)], "relu")
        caches.append(cache)
    AL, cache = linear_activation_forward(A, params["W" + str(L)], params["b" + str(L)], "sigmoid")
    caches.append(cache)
    return AL, caches


def linear_backward(dZ, cache):
    A_prev, W, b, Z = cache
    m = A_prev.shape[1]
    dW = np.dot(dZ, A_prev.T) / m
    db = np.sum(dZ, axis=1, keepdims=True) / m
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db


def model_backward(AL, Y, caches):
    grads = {}
    L = len(caches)
    dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    s = 1 / (1 + np.exp(-caches[-1][3]))
    dZ = dAL * s * (1 - s)
    dA, grads["dW" + str(L)], grads["db" + str(L)] = linear_backward(dZ, caches[-1])
    for l in reversed(range(L - 1)):
        dZ = np.array(dA, copy=True)
        dZ[caches[l][3] <= 0] = 0
        dA, grads["dW" + str(l + 1)], grads["db" + str(l + 1)] = linear_backward(dZ, caches[l])
    return grads


X = np.random.default_rng(3).normal(size=(4, 9))
Y = (X[:1] > 0) * 1.0
params = initialize([4, 6, 5, 1])
for i in range(30):
    AL, caches = model_forward(X, params)
    cost = -np.mean(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))
    grads = model_backward(AL, Y, caches)
    for l in range(1, 4):
        params["W" + str(l)] -= 0.1 * grads["dW" + str(l)]
        params["b" + str(l)] -= 0.1 * grads["db" + str(l)]
""",
        ("        dZ[caches[l][3] <= 0] = 0\n", "", "gprime-missing"),
        ("    db = np.sum(dZ, axis=1, keepdims=True) / m", "    db = np.sum(dZ, axis=1, keepdims=True)", "missing-1/m"),
        ("    dZ = dAL * s * (1 - s)", "    dZ = dAL * (1 - s)", "missing-factor gprime-missing"),
    ),
    "batches, momentum": written(
        """
import numpy as np

rng = np.random.default_rng(0)
X_train = rng.normal(size=(20, 3))
t_train = X_train @ rng.normal(size=(3, 2)) + 0.1
W1 = rng.normal(size=(3, 4)) * 0.3
W2 = rng.normal(size=(4, 2)) * 0.3
vW1 = np.zeros_like(W1)
vW2 = np.zeros_like(W2)
batch_size = 5
for epoch in range(3):
    order = rng.permutation(len(X_train))
    for start in range(0, len(X_train), batch_size):
        rows = order[start:start + batch_size]
        x, t = X_train[rows], t_train[rows]
        h = np.tanh(x @ W1)
        out = h @ W2
        loss = np.sum((out - t) ** 2) / (2 * batch_size)
        dout = (out - t) / batch_size
        dW2 = h.T @ dout
        dh = dout @ W2.T
        dz = dh * (1 - h ** 2)
        dW1 = x.T @ dz
        vW1 = 0.9 * vW1 - 0.1 * dW1
        vW2 = 0.9 * vW2 - 0.1 * dW2
        W1 = W1 + vW1
        W2 = W2 + vW2
""",
        (
            "dW2 = h.T @ dout",
            "dW2 = 2 * h.T @ dout",
            "extra-factor wrong-number",
        ),
        ("dW1 = x.T @ dz", "dW1 = x.T @ dh", "gprime-missing wrong-symbol"),
    ),
    "script, softmax one-hot, Adam": written(
        """
import numpy as np

np.random.seed(7)
X = np.random.rand(10, 4)
labels = np.random.randint(0, 3, size=10)
T = np.eye(3)[labels]
W = np.random.randn(4, 3) * 0.1
b = np.zeros((1, 3))
mW, sW = np.zeros_like(W), np.zeros_like(W)
mb, sb = np.zeros_like(b), np.zeros_like(b)
for t in range(1, 100):
    logits = X.dot(W) + b
    e = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    P = e / np.sum(e, axis=1, keepdims=True)
    J = -np.sum(T * np.log(P)) / len(X)
    G = (P - T) / len(X)
    dW = np.dot(X.T, G)
    db = np.sum(G, axis=0, keepdims=True)
    mW = 0.9 * mW + 0.1 * dW
    sW = 0.999 * sW + 0.001 * dW ** 2
    mb = 0.9 * mb + 0.1 * db
    sb = 0.999 * sb + 0.001 * db ** 2
    W = W - 0.01 * (mW / (1 - 0.9 ** t)) / (np.sqrt(sW / (1 - 0.999 ** t)) + 1e-8)
    b = b - 0.01 * (mb / (1 - 0.9 ** t)) / (np.sqrt(sb / (1 - 0.999 ** t)) + 1e-8)
""",
        ("G = (P - T) / len(X)", "G = (P - T) * P * (1 - P) / len(X)", "gprime-extra gprime-extra-at-output"),
        ("db = np.sum(G, axis=0, keepdims=True)", "db = np.sum(G, axis=0, keepdims=True) / len(X)", "double-1/m"),
    ),
    "recurrent, through time": written(
        """
import numpy as np

np.random.seed(0)
T, n_x, n_h, n_y = 6, 3, 4, 2
xs = np.random.randn(T, n_x, 1)
ts = np.random.randn(T, n_y, 1)
Wxh = np.random.randn(n_h, n_x) * 0.3
Whh = np.random.randn(n_h, n_h) * 0.3
Why = np.random.randn(n_y, n_h) * 0.3
bh = np.zeros((n_h, 1))
for epoch in range(20):
    hs, ys = {-1: np.zeros((n_h, 1))}, {}
    loss = 0.0
    for t in range(T):
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
        ys[t] = np.dot(Why, hs[t])
        loss += 0.5 * np.sum((ys[t] - ts[t]) ** 2)
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh = np.zeros_like(bh)
    dhnext = np.zeros((n_h, 1))
    for t in reversed(range(T)):
        dy = ys[t] - ts[t]
        dWhy += np.dot(dy, hs[t].T)
        dh = np.dot(Why.T, dy) + dhnext
        draw = (1 - hs[t] * hs[t]) * dh
        dbh += draw
        dWxh += np.dot(draw, xs[t].T)
        dWhh += np.dot(draw, hs[t - 1].T)
        dhnext = np.dot(Whh.T, draw)
    Wxh -= 0.01 * dWxh
    Whh -= 0.01 * dWhh
    Why -= 0.01 * dWhy
    bh -= 0.01 * dbh
""",
        ("dh = np.dot(Why.T, dy) + dhnext", "dh = np.dot(Why.T, dy)", "missing-term"),
        ("dWhh += np.dot(draw, hs[t - 1].T)", "dWhh += np.dot(draw, hs[t].T)", "wrong-symbol"),
        ("dbh += draw", "dbh = draw", "overwritten"),
    ),
    "pair, convolution": written(
        """
import numpy as np


def conv_forward(x, w, b, stride=1, pad=1):
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    H_out = 1 + (H + 2 * pad - HH) // stride
    W_out = 1 + (W + 2 * pad - WW) // stride
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((N, F, H_out, W_out))
    for i in range(H_out):
        for j in range(W_out):
            patch = x_pad[:, :, i * stride:i * stride + HH, j * stride:j * stride + WW]
            for f in range(F):
                out[:, f, i, j] = np.sum(patch * w[f], axis=(1, 2, 3)) + b[f]
    return out, (x, w, b, stride, pad)


def conv_backward(dout, cache):
    x, w, b, stride, pad = cache
    F, _, HH, WW = w.shape
    _, _, H, W = x.shape
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dx_pad = np.zeros_like(x_pad)
    dw = np.zeros_like(w)
    db = np.sum(dout, axis=(0, 2, 3))
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            patch = x_pad[:, :, i * stride:i * stride + HH, j * stride:j * stride + WW]
            for f in range(F):
                g = dout[:, f, i, j][:, None, None, None]
                dw[f] += np.sum(patch * g, axis=0)
                dx_pad[:, :, i * stride:i * stride + HH, j * stride:j * stride + WW] += g * w[f]
    dx = dx_pad[:, :, pad:pad + H, pad:pad + W]
    return dx, dw, db
""",
        ("dw[f] += np.sum(patch * g, axis=0)", "dw[f] = np.sum(patch * g, axis=0)", "overwritten"),
        ("dx = dx_pad[:, :, pad:pad + H, pad:pad + W]", "dx = dx_pad[:, :, :H, :W]", "padding-ignored"),
        (
            "dx_pad[:, :, i * stride:i * stride + HH, j * stride:j * stride + WW] += g * w[f]",
            "dx_pad[:, :, i:i + HH, j:j + WW] += g * w[f]",
            "stride-ignored",
        ),
    ),
    "pair, batch normalisation": written(
        """
import numpy as np


def batchnorm_forward(x, gamma, beta, eps=1e-5):
    mu = x.mean(axis=0)
    var = x.var(axis=0)
    std = np.sqrt(var + eps)
    x_hat = (x - mu) / std
    return gamma * x_hat + beta, (x_hat, gamma, std)


def batchnorm_backward(dout, cache):
    x_hat, gamma, std = cache
    m = dout.shape[0]
    dgamma = np.sum(dout * x_hat, axis=0)
    dbeta = np.sum(dout, axis=0)
    dx_hat = dout * gamma
    dx = (m * dx_hat - np.sum(dx_hat, axis=0) - x_hat * np.sum(dx_hat * x_hat, axis=0)) / (m * std)
    return dx, dgamma, dbeta
""",
        ("dgamma = np.sum(dout * x_hat, axis=0)", "dgamma = np.sum(dout * x_hat)", "db-summed-over-all"),
        ("dx_hat = dout * gamma", "dx_hat = dout", "missing-factor"),
    ),
    "pair, a recurrent step": written(
        """
import numpy as np


def gru_step_forward(x, h_prev, Wz, Uz, Wh, Uh):
    z = 1 / (1 + np.exp(-(x @ Wz + h_prev @ Uz)))
    n = np.tanh(x @ Wh + h_prev @ Uh)
    h = (1 - z) * h_prev + z * n
    return h, (x, h_prev, Wz, Uz, Wh, Uh, z, n)


def gru_step_backward(dh, cache):
    x, h_prev, Wz, Uz, Wh, Uh, z, n = cache
    dz = dh * (n - h_prev)
    dn = dh * z
    daz = dz * z * (1 - z)
    dan = dn * (1 - n ** 2)
    dx = daz @ Wz.T + dan @ Wh.T
    dh_prev = dh * (1 - z) + daz @ Uz.T + dan @ Uh.T
    dWz = x.T @ daz
    dUz = h_prev.T @ daz
    dWh = x.T @ dan
    dUh = h_prev.T @ dan
    return dx, dh_prev, dWz, dUz, dWh, dUh
""",
        ("dh_prev = dh * (1 - z) + daz @ Uz.T + dan @ Uh.T", "dh_prev = daz @ Uz.T + dan @ Uh.T", "missing-term"),
        ("dz = dh * (n - h_prev)", "dz = dh * (h_prev - n)", "sign"),
    ),
    "pair, attention": written(
        """
import numpy as np


def softmax(s):
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attention_forward(q, k, v):
    scale = 1 / np.sqrt(q.shape[-1])
    a = softmax(q @ k.T * scale)
    return a @ v, (q, k, v, a, scale)


def attention_backward(dout, cache):
    q, k, v, a, scale = cache
    dv = a.T @ dout
    da = dout @ v.T
    ds = a * (da - np.sum(da * a, axis=-1, keepdims=True))
    dq = ds @ k * scale
    dk = ds.T @ q * scale
    return dq, dk, dv
""",
        ("dk = ds.T @ q * scale", "dk = ds.T @ q", "missing-factor"),
        ("np.sum(da * a, axis=-1, keepdims=True)", "np.sum(da, axis=-1, keepdims=True)", "missing-factor"),
    ),
    "one function, loss and gradients": written(
        """
import numpy as np


def loss_and_gradients(X, y, W1, b1, W2, b2, reg):
    n = X.shape[0]
    z1 = X.dot(W1) + b1
    a1 = np.maximum(z1, 0)
    scores = a1.dot(W2) + b2
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.sum(np.log(p[range(n), y])) / n + 0.5 * reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
    d = p
    d[range(n), y] -= 1
    d = d / n
    grads = {"W2": a1.T.dot(d) + reg * W2, "b2": d.sum(axis=0)}
    d = d.dot(W2.T)
    d[z1 <= 0] = 0
    grads["W1"] = X.T.dot(d) + reg * W1
    grads["b1"] = d.sum(axis=0)
    return loss, grads
""",
        (
            'grads["W1"] = X.T.dot(d) + reg * W1',
            'grads["W1"] = X.T.dot(d) + 2 * reg * W1',
            "l2-factor-2 extra-factor missing-factor wrong-number",
        ),
        ("    d[z1 <= 0] = 0\n", "", "gprime-missing"),
    ),
    "class with a loss method": written(
        """
import numpy as np


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
        self.params["W1"] = std * np.random.randn(input_size, hidden_size)
        self.params["b1"] = np.zeros(hidden_size)
        self.params["W2"] = std * np.random.randn(hidden_size, output_size)
        self.params["b2"] = np.zeros(output_size)

    def loss(self, X, y=None, reg=0.0):
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        N, D = X.shape
        hidden = np.maximum(0, X.dot(W1) + b1)
        scores = hidden.dot(W2) + b2
        if y is None:
            return scores
        exp_scores = np.exp(scores)
        probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
        data_loss = np.sum(-np.log(probs[range(N), y])) / N
        loss = data_loss + 0.5 * reg * np.sum(W1 * W1) + 0.5 * reg * np.sum(W2 * W2)
        grads = {}
        dscores = probs
        dscores[range(N), y] -= 1
        dscores /= N
        grads["W2"] = np.dot(hidden.T, dscores) + reg * W2
        grads["b2"] = np.sum(dscores, axis=0)
        dhidden = np.dot(dscores, W2.T)
        dhidden[hidden <= 0] = 0
        grads["W1"] = np.dot(X.T, dhidden) + reg * W1
        grads["b1"] = np.sum(dhidden, axis=0)
        return loss, grads

    def predict(self, X):
        return np.argmax(self.loss(X), axis=1)
""",
        ("        dscores /= N\n", "", "missing-1/m"),
        ('grads["b1"] = np.sum(dhidden, axis=0)', 'grads["b1"] = np.sum(dscores, axis=0)', "wrong-symbol wrong-layer"),
    ),
    "class with a train method": written(
        """
import numpy as np


class MLP:
    def __init__(self, sizes, lr=0.05):
        self.lr = lr
        self.W1 = np.random.randn(sizes[0], sizes[1]) * 0.1
        self.W2 = np.random.randn(sizes[1], sizes[2]) * 0.1

    def forward(self, X):
        self.z1 = X @ self.W1
        self.a1 = np.tanh(self.z1)
        return self.a1 @ self.W2

    def train(self, X, y, epochs=10):
        history = []
        for _ in range(epochs):
            y_hat = self.forward(X)
            loss = ((y_hat - y) ** 2).mean()
            history.append(loss)
            grad_out = 2 * (y_hat - y) / y.size
            grad_W2 = self.a1.T @ grad_out
            grad_a1 = grad_out @ self.W2.T
            grad_z1 = grad_a1 * (1 - np.tanh(self.z1) ** 2)
            grad_W1 = X.T @ grad_z1
            self.W1 -= self.lr * grad_W1
            self.W2 -= self.lr * grad_W2
        return history
""",
        ("grad_W2 = self.a1.T @ grad_out", "grad_W2 = self.a1.T @ grad_out / len(y)", "double-1/m extra-factor"),
        ("grad_a1 * (1 - np.tanh(self.z1) ** 2)", "grad_a1 * (1 - self.z1 ** 2)", "gprime-at-a wrong-symbol"),
    ),
    "functions, no main": written(
        """
import numpy as np


def initialize_parameters(n_x, n_h, n_y):
    W1 = np.random.randn(n_h, n_x) * 0.01
    b1 = np.zeros((n_h, 1))
    W2 = np.random.randn(n_y, n_h) * 0.01
    b2 = np.zeros((n_y, 1))
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}


def forward_propagation(X, parameters):
    Z1 = np.dot(parameters["W1"], X) + parameters["b1"]
    A1 = np.tanh(Z1)
    Z2 = np.dot(parameters["W2"], A1) + parameters["b2"]
    A2 = 1 / (1 + np.exp(-Z2))
    cache = {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
    return A2, cache


def compute_cost(A2, Y):
    m = Y.shape[1]
    logprobs = np.multiply(np.log(A2), Y) + np.multiply(np.log(1 - A2), 1 - Y)
    cost = -np.sum(logprobs) / m
    return cost


def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    W2 = parameters["W2"]
    A1 = cache["A1"]
    A2 = cache["A2"]
    dZ2 = A2 - Y
    dW2 = np.dot(dZ2, A1.T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    grads = {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
    return grads
""",
        ("dZ2 = A2 - Y", "dZ2 = (A2 - Y) * A2 * (1 - A2)", "gprime-extra gprime-extra-at-output"),
        ("dW1 = np.dot(dZ1, X.T) / m", "dW1 = np.dot(dZ1, X.T)", "missing-1/m"),
    ),
    "layer classes, no main": written(
        """
import numpy as np


class Affine:
    def __init__(self, W, b):
        self.W = W
        self.b = b

    def forward(self, x):
        self.x = x
        return np.dot(x, self.W) + self.b

    def backward(self, dout):
        dx = np.dot(dout, self.W.T)
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return dx


class Sigmoid:
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout):
        dx = dout * (1.0 - self.out) * self.out
        return dx
""",
        ("dx = dout * (1.0 - self.out) * self.out", "dx = dout * (1.0 - self.out)", "missing-factor gprime-missing"),
        ("self.db = np.sum(dout, axis=0)", "self.db = np.sum(dout)", "db-summed-over-all"),
    ),
    "logistic regression, fit": written(
        """
import numpy as np


class LogisticRegression:
    def __init__(self, lr=0.1, n_iters=100):
        self.lr = lr
        self.n_iters = n_iters

    def fit(self, X, y):
        n_samples, n_features = X.shape
        self.weights = np.zeros(n_features)
        self.bias = 0
        for _ in range(self.n_iters):
            linear = np.dot(X, self.weights) + self.bias
            predictions = 1 / (1 + np.exp(-linear))
            dw = (1 / n_samples) * np.dot(X.T, (predictions - y))
            db = (1 / n_samples) * np.sum(predictions - y)
            self.weights = self.weights - self.lr * dw
            self.bias = self.bias - self.lr * db
""",
        ("db = (1 / n_samples) * np.sum(predictions - y)", "db = np.sum(predictions - y)", "missing-1/m"),
        ("np.dot(X.T, (predictions - y))", "np.dot(X.T, (y - predictions))", "sign"),
    ),
    "mini-batches as one function": written(
        HELPERS
        + """
def train_step(x_batch, y_batch, W1, b1, W2, b2, learning_rate=0.1):
    m = x_batch.shape[0]
    h = sigmoid(x_batch @ W1 + b1)
    y_hat = h @ W2 + b2
    loss = np.sum((y_hat - y_batch) ** 2) / (2 * m)
    d_out = (y_hat - y_batch) / m
    d_h = d_out @ W2.T * h * (1 - h)
    W2 = W2 - learning_rate * (h.T @ d_out)
    b2 = b2 - learning_rate * d_out.sum(axis=0)
    W1 = W1 - learning_rate * (x_batch.T @ d_h)
    b1 = b1 - learning_rate * d_h.sum(axis=0)
    return loss, W1, b1, W2, b2
""",
        ("d_h = d_out @ W2.T * h * (1 - h)", "d_h = d_out @ W2.T * (1 - h)", "missing-factor gprime-missing"),
        ("b2 = b2 - learning_rate * d_out.sum(axis=0)", "b2 = b2 + learning_rate * d_out.sum(axis=0)", "sign"),
    ),
    "pair, gradients that have no names": written(
        """
import numpy as np


def gate_forward(x, c, Wf, Wi):
    f = 1 / (1 + np.exp(-(x @ Wf)))
    i = np.tanh(x @ Wi)
    return f * c + i, (x, c, f, i)


def gate_backward(dout, cache):
    x, c, f, i = cache
    df = dout * c * f * (1 - f)
    di = dout * (1 - i ** 2)
    return x.T @ df, x.T @ di
""",
        ("df = dout * c * f * (1 - f)", "df = dout * c * (1 - f)", "missing-factor gprime-missing"),
    ),
}

APART = tuple(name for place, name in enumerate(PROGRAMS) if place % 3 == 2)
