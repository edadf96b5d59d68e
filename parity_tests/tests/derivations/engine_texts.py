"""Right derivations in the styles in which people publish them: programs of one network, and families of them."""

from __future__ import annotations

from collections.abc import Iterator

from parity_tests.tests.derivations.engine_families import FAMILIES

TEXTS: dict[str, str] = {
    "rows-labels-l2": """
hidden = np.maximum(0, X @ W1 + b1)
scores = hidden @ W2 + b2
e = np.exp(scores - np.max(scores, axis=1, keepdims=True))
probs = e / np.sum(e, axis=1, keepdims=True)
loss = -np.sum(np.log(probs[range(N), y])) / N + 0.5 * reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
dscores = probs
dscores[range(N), y] -= 1
dscores /= N
dW2 = hidden.T @ dscores + reg * W2
db2 = np.sum(dscores, axis=0)
dhidden = dscores @ W2.T
dhidden[hidden <= 0] = 0
dW1 = X.T @ dhidden + reg * W1
db1 = np.sum(dhidden, axis=0)
""",
    "rows-labels-dict-of-gradients": """
# the two-layer exercise with a dict of gradients
N, D = X.shape
z1 = X.dot(params['W1']) + params['b1']
h = np.maximum(z1, 0)
scores = h.dot(params['W2']) + params['b2']
shifted = scores - np.max(scores, axis=1, keepdims=True)
probs = np.exp(shifted) / np.sum(np.exp(shifted), axis=1, keepdims=True)
data_loss = -np.mean(np.log(probs[np.arange(N), y]))
loss = data_loss + reg * np.sum(params['W1']**2) + reg * np.sum(params['W2']**2)
grads = {}
dscores = probs.copy()
dscores[np.arange(N), y] -= 1
dscores /= N
grads['W2'] = h.T.dot(dscores) + 2 * reg * params['W2']
grads['b2'] = np.sum(dscores, axis=0)
dh = dscores.dot(params['W2'].T)
dh[z1 <= 0] = 0
grads['W1'] = X.T.dot(dh) + 2 * reg * params['W1']
grads['b1'] = np.sum(dh, axis=0)
""",
    "columns-course": """
m = X.shape[1]
Z1 = np.dot(W1, X) + b1
A1 = np.tanh(Z1)
Z2 = np.dot(W2, A1) + b2
A2 = sigmoid(Z2)
logprobs = np.multiply(np.log(A2), Y) + np.multiply(np.log(1 - A2), 1 - Y)
cost = -(1 / m) * np.sum(logprobs)
dZ2 = A2 - Y
dW2 = (1 / m) * np.dot(dZ2, A1.T)
db2 = (1 / m) * np.sum(dZ2, axis=1, keepdims=True)
dZ1 = np.multiply(np.dot(W2.T, dZ2), 1 - np.power(A1, 2))
dW1 = (1 / m) * np.dot(dZ1, X.T)
db1 = (1 / m) * np.sum(dZ1, axis=1, keepdims=True)
W1 = W1 - learning_rate * dW1
b1 = b1 - learning_rate * db1
W2 = W2 - learning_rate * dW2
b2 = b2 - learning_rate * db2
""",
    "columns-chain-of-dA": """
Z1 = W1 @ X + b1
A1 = relu(Z1)
Z2 = W2 @ A1 + b2
A2 = relu(Z2)
Z3 = W3 @ A2 + b3
A3 = sigmoid(Z3)
J = -(np.sum(Y * np.log(A3)) + np.sum((1 - Y) * np.log(1 - A3))) / m
dA3 = -(np.divide(Y, A3) - np.divide(1 - Y, 1 - A3))
dZ3 = dA3 * A3 * (1 - A3)
dW3 = 1 / m * np.dot(dZ3, A2.T)
db3 = 1 / m * np.sum(dZ3, axis=1, keepdims=True)
dA2 = np.dot(W3.T, dZ3)
dZ2 = np.multiply(dA2, np.int64(A2 > 0))
dW2 = 1 / m * np.dot(dZ2, A1.T)
db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
dA1 = np.dot(W2.T, dZ2)
dZ1 = np.multiply(dA1, np.int64(A1 > 0))
dW1 = 1 / m * np.dot(dZ1, X.T)
db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
""",
    "no-cost-ascent": """
l1 = sigmoid(np.dot(X, syn0))
l2 = sigmoid(np.dot(l1, syn1))
l2_error = y - l2
l2_delta = l2_error * l2 * (1 - l2)
l1_error = l2_delta.dot(syn1.T)
l1_delta = l1_error * l1 * (1 - l1)
syn1 += l1.T.dot(l2_delta)
syn0 += X.T.dot(l1_delta)
""",
    "no-cost-labels": """
z1 = X @ W1 + b1
a1 = np.tanh(z1)
z2 = a1 @ W2 + b2
exp_scores = np.exp(z2)
probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
delta3 = probs
delta3[range(num_examples), y] -= 1
dW2 = (a1.T).dot(delta3)
db2 = np.sum(delta3, axis=0, keepdims=True)
delta2 = delta3.dot(W2.T) * (1 - np.power(a1, 2))
dW1 = np.dot(X.T, delta2)
db1 = np.sum(delta2, axis=0)
W1 += -epsilon * dW1
b1 += -epsilon * db1
W2 += -epsilon * dW2
b2 += -epsilon * db2
""",
    "logistic-columns": """
A = sigmoid(np.dot(w.T, X) + b)
cost = -1 / m * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))
dw = 1 / m * np.dot(X, (A - Y).T)
db = 1 / m * np.sum(A - Y)
""",
    "logistic-rows-flat": """
z = X @ w + b
p = 1 / (1 + np.exp(-z))
loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
grad_w = X.T @ (p - y) / len(y)
grad_b = np.mean(p - y)
w -= lr * grad_w
b -= lr * grad_b
""",
    "linear-regression": """
y_pred = X.dot(theta)
J = 1 / (2 * m) * np.sum((y_pred - y)**2)
theta = theta - alpha * (1 / m) * X.T.dot(y_pred - y)
""",
    "linear-mse-mean": """
y_hat = X @ W + b
loss = np.mean((y_hat - y)**2)
dy = 2 * (y_hat - y) / y.size
dW = X.T @ dy
db = dy.sum(axis=0)
dX = dy @ W.T
""",
    "softmax-regression-onehot": """
logits = X @ W + b
exp_l = np.exp(logits - logits.max(axis=1, keepdims=True))
P = exp_l / exp_l.sum(axis=1, keepdims=True)
L = -np.sum(Y * np.log(P)) / X.shape[0] + lam / 2 * np.sum(W * W)
dlogits = (P - Y) / X.shape[0]
dW = X.T @ dlogits + lam * W
db = dlogits.sum(axis=0)
""",
    "softmax-regression-eye": """
scores = X @ W
scores -= np.max(scores, axis=1)[:, None]
P = np.exp(scores) / np.exp(scores).sum(axis=1)[:, None]
loss = -np.log(P[np.arange(N), y]).sum() / N
Y = np.eye(W.shape[1])[y]
dW = X.T @ (P - Y) / N
""",
    "rnn-two-steps-flat": """
z1 = Wx @ x1 + Wh @ h0 + b
h1 = np.tanh(z1)
z2 = Wx @ x2 + Wh @ h1 + b
h2 = np.tanh(z2)
o = Wo @ h2 + c
loss = 0.5 * np.sum((o - y)**2)
do = o - y
dWo = np.outer(do, h2)
dc = do
dz2 = Wo.T @ do * (1 - h2**2)
dz1 = Wh.T @ dz2 * (1 - h1**2)
dWh = np.outer(dz2, h1) + np.outer(dz1, h0)
dWx = np.outer(dz2, x2) + np.outer(dz1, x1)
db = dz2 + dz1
""",
    "rnn-three-steps-columns": """
h1 = np.tanh(Wxh @ x1 + Whh @ h0 + bh)
h2 = np.tanh(Wxh @ x2 + Whh @ h1 + bh)
h3 = np.tanh(Wxh @ x3 + Whh @ h2 + bh)
y_hat = Why @ h3 + by
J = 0.5 * np.sum((y_hat - y)**2) / m
dy = (y_hat - y) / m
dWhy = dy @ h3.T
dby = np.sum(dy, axis=1, keepdims=True)
dh3 = Why.T @ dy
draw3 = (1 - h3 * h3) * dh3
dWhh = draw3 @ h2.T
dWxh = draw3 @ x3.T
dbh = np.sum(draw3, axis=1, keepdims=True)
dh2 = Whh.T @ draw3
draw2 = (1 - h2 * h2) * dh2
dWhh += draw2 @ h1.T
dWxh += draw2 @ x2.T
dbh += np.sum(draw2, axis=1, keepdims=True)
dh1 = Whh.T @ draw2
draw1 = (1 - h1 * h1) * dh1
dWhh += draw1 @ h0.T
dWxh += draw1 @ x1.T
dbh += np.sum(draw1, axis=1, keepdims=True)
""",
    "batch-norm": """
# x: (N, D)
# gamma: (D,)
# beta: (D,)
# dout: (N, D)
mu = 1. / N * np.sum(x, axis=0)
xmu = x - mu
sq = xmu ** 2
var = 1. / N * np.sum(sq, axis=0)
sqrtvar = np.sqrt(var + eps)
ivar = 1. / sqrtvar
xhat = xmu * ivar
out = gamma * xhat + beta
loss = np.sum(dout * out)
dbeta = np.sum(dout, axis=0)
dgamma = np.sum(dout * xhat, axis=0)
dxhat = dout * gamma
divar = np.sum(dxhat * xmu, axis=0)
dxmu1 = dxhat * ivar
dsqrtvar = -1. / (sqrtvar**2) * divar
dvar = 0.5 * 1. / np.sqrt(var + eps) * dsqrtvar
dsq = 1. / N * np.ones((N, D)) * dvar
dxmu2 = 2 * xmu * dsq
dx1 = dxmu1 + dxmu2
dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
dx2 = 1. / N * np.ones((N, D)) * dmu
dx = dx1 + dx2
""",
    "batch-norm-short": """
# x: (N, D)
mean = np.mean(x, axis=0)
var = np.var(x, axis=0)
x_norm = (x - mean) / np.sqrt(var + eps)
out = gamma * x_norm + beta
loss = np.sum(out * dout)
dbeta = dout.sum(axis=0)
dgamma = np.sum(x_norm * dout, axis=0)
dx_norm = dout * gamma
dx = (1 / N) / np.sqrt(var + eps) * (N * dx_norm - np.sum(dx_norm, axis=0) - x_norm * np.sum(dx_norm * x_norm, axis=0))
""",
    "layer-norm": """
# x: (N, D)
# gamma: (D,)
mu = x.mean(axis=1, keepdims=True)
var = ((x - mu)**2).mean(axis=1, keepdims=True)
rstd = 1 / np.sqrt(var + eps)
norm = (x - mu) * rstd
out = norm * gamma + beta
J = np.sum(out * dout)
dgamma = (dout * norm).sum(axis=0)
dbeta = dout.sum(axis=0)
dnorm = dout * gamma
dx = rstd * (dnorm - dnorm.mean(axis=1, keepdims=True) - norm * (dnorm * norm).mean(axis=1, keepdims=True))
""",
    "attention": """
# X: (T, D)
Q = X @ Wq
K = X @ Wk
V = X @ Wv
S = Q @ K.T / np.sqrt(d_k)
e = np.exp(S - S.max(axis=-1, keepdims=True))
A = e / e.sum(axis=-1, keepdims=True)
O = A @ V
loss = 0.5 * np.sum((O - Y)**2)
dO = O - Y
dV = A.T @ dO
dA = dO @ V.T
dS = A * (dA - np.sum(dA * A, axis=-1, keepdims=True))
dQ = dS @ K / np.sqrt(d_k)
dK = dS.T @ Q / np.sqrt(d_k)
dWq = X.T @ dQ
dWk = X.T @ dK
dWv = X.T @ dV
dX = dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T
""",
    "lstm-cell": """
# x: (D,)
# h_prev: (H,)
# c_prev: (H,)
f = sigmoid(Wf @ x + Uf @ h_prev + bf)
i = sigmoid(Wi @ x + Ui @ h_prev + bi)
o = sigmoid(Wo @ x + Uo @ h_prev + bo)
g = np.tanh(Wg @ x + Ug @ h_prev + bg)
c = f * c_prev + i * g
h = o * np.tanh(c)
loss = 0.5 * np.sum((h - y)**2)
dh = h - y
do = dh * np.tanh(c)
dc = dh * o * (1 - np.tanh(c)**2)
df = dc * c_prev
di = dc * g
dg = dc * i
daf = df * f * (1 - f)
dai = di * i * (1 - i)
dao = do * o * (1 - o)
dag = dg * (1 - g**2)
dWf = np.outer(daf, x)
dWi = np.outer(dai, x)
dWo = np.outer(dao, x)
dWg = np.outer(dag, x)
dUf = np.outer(daf, h_prev)
dUi = np.outer(dai, h_prev)
dUo = np.outer(dao, h_prev)
dUg = np.outer(dag, h_prev)
dbf = daf
dbi = dai
dbo = dao
dbg = dag
dx = Wf.T @ daf + Wi.T @ dai + Wo.T @ dao + Wg.T @ dag
dc_prev = dc * f
""",
    "convolution-loops": """
# X: (2, 5, 7)
# W: (3, 2, 3, 3)
# b: (3,)
# dout: (3, 3, 5)
out = np.zeros((3, 3, 5))
for k in range(3):
    for i in range(3):
        for j in range(5):
            out[k, i, j] = np.sum(X[:, i:i+3, j:j+3] * W[k]) + b[k]
J = np.sum(out * dout)
dX = np.zeros(X.shape)
dW = np.zeros_like(W)
db = np.zeros(3)
for k in range(3):
    for i in range(3):
        for j in range(5):
            db[k] += dout[k, i, j]
            dW[k] += X[:, i:i+3, j:j+3] * dout[k, i, j]
            dX[:, i:i+3, j:j+3] += W[k] * dout[k, i, j]
""",
    "residual": """
z = X @ W1 + b1
h = np.maximum(z, 0)
out = X + h @ W2 + b2
loss = np.sum((out - Y)**2) / (2 * N)
dout = (out - Y) / N
dW2 = h.T @ dout
db2 = dout.sum(0)
dh = dout @ W2.T
dz = dh * (z > 0)
dW1 = X.T @ dz
db1 = dz.sum(0)
dX = dout + dz @ W1.T
""",
    "dropout": """
a1 = np.maximum(0, X @ W1 + b1)
d1 = a1 * mask / keep_prob
out = d1 @ W2 + b2
loss = 0.5 * np.mean(np.sum((out - y)**2, axis=1))
dout = (out - y) / X.shape[0]
dW2 = d1.T @ dout
db2 = dout.sum(axis=0)
dd1 = dout @ W2.T
da1 = dd1 * mask / keep_prob
dz1 = da1 * (a1 > 0)
dW1 = X.T @ dz1
db1 = dz1.sum(axis=0)
""",
    "functions-defined": """
def sig(z):
    return 1 / (1 + np.exp(-z))

def sig_grad(a):
    return a * (1 - a)

a1 = sig(X @ W1 + b1)
a2 = sig(a1 @ W2 + b2)
E = 0.5 * np.sum((a2 - y)**2)
delta2 = (a2 - y) * sig_grad(a2)
delta1 = delta2 @ W2.T * sig_grad(a1)
dW2 = a1.T @ delta2
db2 = delta2.sum(axis=0)
dW1 = X.T @ delta1
db1 = delta1.sum(axis=0)
""",
    "class-attributes": """
self.z2 = np.dot(X, self.W1)
self.a2 = sigmoid(self.z2)
self.z3 = np.dot(self.a2, self.W2)
yHat = sigmoid(self.z3)
J = 0.5 * np.sum((y - yHat)**2)
delta3 = np.multiply(-(y - yHat), np.exp(-self.z3) / (1 + np.exp(-self.z3))**2)
dJdW2 = np.dot(self.a2.T, delta3)
delta2 = np.dot(delta3, self.W2.T) * np.exp(-self.z2) / (1 + np.exp(-self.z2))**2
dJdW1 = np.dot(X.T, delta2)
""",
    "greek-and-quotients": """
z₁ = 0
Z1 = W1 @ X + b1
A1 = σ(Z1)
Z2 = W2 @ A1 + b2
A2 = σ(Z2)
J = -(1/m) * np.sum(Y*np.log(A2) + (1-Y)*np.log(1-A2)) + λ/(2*m) * (np.sum(W1**2) + np.sum(W2**2))
∂J/∂Z2 = (A2 − Y) / m
∂J/∂W2 = ∂J/∂Z2 @ A1.T + λ/m · W2
∂J/∂b2 = np.sum(∂J/∂Z2, axis=1, keepdims=True)
∂J/∂Z1 = (W2.T @ ∂J/∂Z2) ⊙ A1 ⊙ (1 − A1)
∂J/∂W1 = ∂J/∂Z1 @ X.T + λ/m · W1
∂J/∂b1 = np.sum(∂J/∂Z1, axis=1, keepdims=True)
""".replace("z₁ = 0\n", ""),
    "primes-of-the-notes": """
Z1 = W1 @ X + b1
A1 = g1(Z1)
Z2 = W2 @ A1 + b2
A2 = sigmoid(Z2)
J = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
dZ2 = A2 - Y
dW2 = dZ2 @ A1.T / m
db2 = np.sum(dZ2, axis=1, keepdims=True) / m
dZ1 = W2.T @ dZ2 * g1'(Z1)
dW1 = dZ1 @ X.T / m
db1 = np.sum(dZ1, axis=1, keepdims=True) / m
""",
    "einsum": """
Z = np.einsum('nd,dk->nk', X, W) + b
A = np.tanh(Z)
loss = np.sum((A - Y)**2) / N
dA = 2 * (A - Y) / N
dZ = dA * (1 - A * A)
dW = np.einsum('nd,nk->dk', X, dZ)
db = np.einsum('nk->k', dZ)
dX = np.einsum('nk,dk->nd', dZ, W)
""",
    "one-example-vectors": """
z1 = np.dot(W1, x) + b1
a1 = sigmoid(z1)
z2 = np.dot(W2, a1) + b2
a2 = sigmoid(z2)
C = 0.5 * np.sum((a2 - y)**2)
delta2 = (a2 - y) * a2 * (1 - a2)
dW2 = np.outer(delta2, a1)
db2 = delta2
delta1 = np.dot(W2.T, delta2) * a1 * (1 - a1)
dW1 = np.outer(delta1, x)
db1 = delta1
""",
    "weights-as-rows": """
h = sigmoid(x @ w1.T + b1)
out = h @ w2.T + b2
mse = np.mean((out - target)**2)
grad_out = 2 * (out - target) / out.size
grad_w2 = grad_out.T @ h
grad_b2 = grad_out.sum(0)
grad_h = grad_out @ w2
grad_z = grad_h * h * (1 - h)
grad_w1 = grad_z.T @ x
grad_b1 = grad_z.sum(0)
""",
    "semicolons-and-joins": """
Z1 = X @ W1 + b1; A1 = np.tanh(Z1)
Z2 = A1 @ W2 + b2; P = 1 / (1 + np.exp(-Z2))
m = X.shape[0]; J = -np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P)) / m
dZ2 = (P - Y) / m; dZ1 = (dZ2 @ W2.T) * (1 - A1**2)
dW1, db1 = X.T @ dZ1, dZ1.sum(axis=0)
dW2, db2 = A1.T @ dZ2, dZ2.sum(axis=0)
""",
    "hinge": """
scores = X @ W
correct = scores[np.arange(N), y].reshape(-1, 1)
margins = np.maximum(0, scores - correct + 1)
margins[np.arange(N), y] = 0
loss = np.sum(margins) / N + 0.5 * reg * np.sum(W * W)
binary = (margins > 0) * 1.0
binary[np.arange(N), y] = -np.sum(binary, axis=1)
dW = X.T @ binary / N + reg * W
""",
    "log-softmax": """
z = X @ W + b
log_p = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
nll = -np.sum(Y * log_p) / N
dz = (np.exp(log_p) - Y) / N
dW = X.T @ dz
db = np.sum(dz, axis=0)
""",
    "leaky-where": """
Z1 = W1 @ X + b1
A1 = np.where(Z1 > 0, Z1, 0.01 * Z1)
Z2 = W2 @ A1 + b2
J = np.sum((Z2 - Y)**2) / (2 * m)
dZ2 = (Z2 - Y) / m
dW2 = dZ2 @ A1.T
db2 = np.sum(dZ2, axis=1, keepdims=True)
dA1 = W2.T @ dZ2
dZ1 = dA1 * np.where(Z1 > 0, 1, 0.01)
dW1 = dZ1 @ X.T
db1 = np.sum(dZ1, axis=1, keepdims=True)
""",
    "autoencoder-tied": """
z = X @ W + b
h = sigmoid(z)
out = h @ W.T + c
loss = 0.5 * np.sum((out - X)**2) / N
dout = (out - X) / N
dh = dout @ W
dz = dh * h * (1 - h)
dW = X.T @ dz + dout.T @ h
db = dz.sum(axis=0)
dc = dout.sum(axis=0)
""",
    "lists-dict-of-parameters": """
A = {}
A[0] = X
Z = {}
grads = {}
for l in range(1, L + 1):
    Z[l] = params["W" + str(l)] @ A[l-1] + params["b" + str(l)]
    A[l] = np.tanh(Z[l])
J = np.sum((A[L] - Y)**2) / (2 * m)
dA = (A[L] - Y) / m
for l in reversed(range(1, L + 1)):
    dZ = dA * (1 - A[l]**2)
    grads["dW" + str(l)] = dZ @ A[l-1].T
    grads["db" + str(l)] = np.sum(dZ, axis=1, keepdims=True)
    dA = params["W" + str(l)].T @ dZ
for l in range(1, L + 1):
    params["W" + str(l)] -= alpha * grads["dW" + str(l)]
    params["b" + str(l)] -= alpha * grads["db" + str(l)]
""",
    "lists-appended-and-zipped": """
activations = [X]
zs = []
for w, b in zip(weights, biases):
    z = activations[-1] @ w + b
    zs.append(z)
    activations.append(sigmoid(z))
loss = 0.5 * np.sum((activations[-1] - y)**2)
delta = (activations[-1] - y) * activations[-1] * (1 - activations[-1])
dW = [None] * len(weights)
db = [None] * len(weights)
for l in range(len(weights) - 1, -1, -1):
    dW[l] = activations[l].T @ delta
    db[l] = delta.sum(axis=0)
    if l > 0:
        delta = (delta @ weights[l].T) * activations[l] * (1 - activations[l])
""",
    "lists-of-one-example": """
nabla_b = [np.zeros(b.shape) for b in biases]
nabla_w = [np.zeros(w.shape) for w in weights]
activation = x
activations = [x]
zs = []
for b, w in zip(biases, weights):
    z = np.dot(w, activation) + b
    zs.append(z)
    activation = sigmoid(z)
    activations.append(activation)
C = 0.5 * np.sum((activations[-1] - y)**2)
delta = (activations[-1] - y) * sigmoid_prime(zs[-1])
nabla_b[-1] = delta
nabla_w[-1] = np.dot(delta, activations[-2].transpose())
for l in range(2, num_layers):
    z = zs[-l]
    sp = sigmoid_prime(z)
    delta = np.dot(weights[-l+1].transpose(), delta) * sp
    nabla_b[-l] = delta
    nabla_w[-l] = np.dot(delta, activations[-l-1].transpose())
""",
    "lists-of-caches": """
A = X
caches = []
L = len(parameters) // 2
for l in range(1, L):
    A_prev = A
    Z = np.dot(parameters[f"W{l}"], A_prev) + parameters[f"b{l}"]
    A = np.maximum(0, Z)
    caches.append((A_prev, parameters[f"W{l}"], Z))
ZL = np.dot(parameters[f"W{L}"], A) + parameters[f"b{L}"]
AL = sigmoid(ZL)
caches.append((A, parameters[f"W{L}"], ZL))
cost = -np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / m
grads = {}
dZ = AL - Y
A_prev, W, Z = caches[L-1]
grads["dW" + str(L)] = np.dot(dZ, A_prev.T) / m
grads["db" + str(L)] = np.sum(dZ, axis=1, keepdims=True) / m
dA = np.dot(W.T, dZ)
for l in reversed(range(L - 1)):
    A_prev, W, Z = caches[l]
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    grads["dW" + str(l + 1)] = np.dot(dZ, A_prev.T) / m
    grads["db" + str(l + 1)] = np.sum(dZ, axis=1, keepdims=True) / m
    dA = np.dot(W.T, dZ)
""",
    "lists-by-layer-with-penalty": """
A = [X]
Z = [None]
for l in range(1, L + 1):
    Z.append(A[l-1] @ W[l] + b[l])
    A.append(np.maximum(0, Z[l]) if l < L else Z[l])
data_loss = np.sum((A[L] - Y)**2) / (2 * m)
loss = data_loss + 0.5 * reg * sum(np.sum(w**2) for w in W)
dZ = [None] * (L + 1)
dW = [None] * (L + 1)
db = [None] * (L + 1)
dZ[L] = (A[L] - Y) / m
for l in range(L, 0, -1):
    dW[l] = A[l-1].T @ dZ[l] + reg * W[l]
    db[l] = dZ[l].sum(axis=0)
    if l > 1:
        dZ[l-1] = (dZ[l] @ W[l].T) * (Z[l-1] > 0)
""",
    "lists-in-front": """
a = [X]
for W in Ws:
    a.append(np.tanh(a[-1] @ W))
J = np.mean((a[-1] - T)**2)
d = 2 * (a[-1] - T) / T.size
dWs = []
for i in reversed(range(len(Ws))):
    d = d * (1 - a[i + 1]**2)
    dWs.insert(0, a[i].T @ d)
    d = d @ Ws[i].T
for W, dW in zip(Ws, dWs):
    W -= lr * dW
""",
    "lists-of-steps": """
h = {-1: h0}
y_hat = {}
loss = 0
for t in range(steps):
    h[t] = np.tanh(Wx @ x[t] + Wh @ h[t-1] + bh)
    y_hat[t] = Wy @ h[t] + by
    loss += 0.5 * np.sum((y_hat[t] - target[t])**2)
dWx = np.zeros_like(Wx)
dWh = np.zeros_like(Wh)
dWy = np.zeros_like(Wy)
dbh = np.zeros_like(bh)
dby = np.zeros_like(by)
dh_next = np.zeros_like(h0)
for t in reversed(range(steps)):
    dy = y_hat[t] - target[t]
    dWy += np.outer(dy, h[t])
    dby += dy
    draw = (Wy.T @ dy + dh_next) * (1 - h[t] * h[t])
    dbh += draw
    dWx += np.outer(draw, x[t])
    dWh += np.outer(draw, h[t-1])
    dh_next = Wh.T @ draw
""",
    "lists-counted-down": """
# layers: 4-5-3
sizes = len(W)
A = [X]
for k in range(sizes):
    A = A + [1 / (1 + np.exp(-(W[k] @ A[k] + b[k])))]
AL = A[sizes]
J = -np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / m
delta = (AL - Y) / m
k = sizes - 1
grad_W = {}
grad_b = {}
while k >= 0:
    grad_W[k] = delta @ A[k].T
    grad_b[k] = delta.sum(axis=1, keepdims=True)
    delta = (W[k].T @ delta) * A[k] * (1 - A[k])
    k -= 1
for k in range(sizes):
    W[k] = W[k] - lr * grad_W[k]
    b[k] = b[k] - lr * grad_b[k]
""",
    "rows-by-a-counter": """
H = np.zeros((3, 4))
for i in range(3):
    H[i] = np.tanh(V[i])
J = 0.5 * np.sum(H * H)
dH = H
dV = dH * (1 - H**2)
""",
    "cost-in-steps": """
h = np.maximum(0, X @ W1 + b1)
scores = h @ W2 + b2
scores -= np.max(scores, axis=1, keepdims=True)
p = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
loss = np.sum(-np.log(p[np.arange(N), y]))
loss /= N
for w in (W1, W2):
    loss += reg * np.sum(w * w)
ds = p.copy()
ds[np.arange(N), y] -= 1
ds /= N
dW2 = h.T.dot(ds)
db2 = np.sum(ds, axis=0)
dh = ds.dot(W2.T)
dh[h <= 0] = 0
dW1 = X.T.dot(dh)
db1 = np.sum(dh, axis=0)
dW2 += 2 * reg * W2
dW1 += 2 * reg * W1
""",
    "momentum-of-no-state": """
y_hat = X @ W + b
loss = np.mean((y_hat - Y)**2)
g = 2 * (y_hat - Y) / (Y.shape[0] * Y.shape[1])
dW = X.T @ g
db = np.sum(g, axis=0)
W = W - lr * dW
b = b - lr * db
""",
}

UNITS = {
    "tanh": ("np.tanh({z})", "(1 - {a}**2)"),
    "sigmoid": ("1 / (1 + np.exp(-{z}))", "{a} * (1 - {a})"),
    "relu": ("np.maximum(0, {z})", "({z} > 0)"),
    "leaky": ("np.where({z} > 0, {z}, 0.01 * {z})", "np.where({z} > 0, 1, 0.01)"),
}


def network(rows: bool, depth: int, unit: str, cost: str, *, averaged_late: bool = False, penalty: str = "") -> str:
    """A network of ``depth`` layers, its cost and its whole backward pass."""
    f, slope = UNITS[unit]
    axis, count = (0, "X.shape[0]") if rows else (1, "X.shape[1]")
    keep = "" if rows else ", keepdims=True"
    lines = [f"m = {count}", "A0 = X"]
    for layer in range(1, depth + 1):
        before = f"A{layer - 1}"
        product = f"{before} @ W{layer}" if rows else f"W{layer} @ {before}"
        lines.append(f"Z{layer} = {product} + b{layer}")
        if layer < depth:
            lines.append(f"A{layer} = {f.format(z=f'Z{layer}')}")
    top = f"Z{depth}"
    norm = 1 if rows else 0
    output = {
        "squared": [f"A{depth} = {top}", f"J = 0.5 * np.sum((A{depth} - Y)**2) / m"],
        "sigmoid": [
            f"A{depth} = 1 / (1 + np.exp(-{top}))",
            f"J = -np.sum(Y * np.log(A{depth}) + (1 - Y) * np.log(1 - A{depth})) / m",
        ],
        "softmax": [
            f"E = np.exp({top} - np.max({top}, axis={norm}, keepdims=True))",
            f"A{depth} = E / np.sum(E, axis={norm}, keepdims=True)",
            f"J = -np.sum(Y * np.log(A{depth})) / m",
        ],
    }[cost]
    lines += output
    weight = {"half": "lambda/(2*m)", "plain": "lambda/2", "whole": "lambda"}.get(penalty, "")
    back = {"half": "lambda/m", "plain": "lambda", "whole": "2 * lambda"}.get(penalty, "")
    if penalty:
        squares = " + ".join(f"np.sum(W{layer}**2)" for layer in range(1, depth + 1))
        lines[-1] += f" + {weight} * ({squares})"
    first, late = ("", " / m") if averaged_late else (" / m", "")
    lines.append(f"dZ{depth} = (A{depth} - Y){first}")
    for layer in range(depth, 0, -1):
        before = f"A{layer - 1}"
        product = f"{before}.T @ dZ{layer}" if rows else f"dZ{layer} @ {before}.T"
        extra = f" + {back} * W{layer}" if penalty else ""
        lines.append(f"dW{layer} = {product}{late}{extra}")
        lines.append(f"db{layer} = np.sum(dZ{layer}, axis={axis}{keep}){late}")
        if layer > 1:
            upstream = f"dZ{layer} @ W{layer}.T" if rows else f"W{layer}.T @ dZ{layer}"
            g = slope.format(z=f"Z{layer - 1}", a=before)
            lines.append(f"dZ{layer - 1} = {upstream} * {g}")
    return "\n".join(lines)


def networks() -> Iterator[tuple[str, str]]:
    """Networks of every layout, depth, unit, cost and penalty, by name."""
    choices = [
        (rows, depth, unit, cost)
        for place, (rows, depth, unit, cost) in enumerate(
            (r, d, u, c)
            for d in (1, 2, 3, 4, 5)
            for r in (True, False)
            for u in UNITS
            for c in ("squared", "sigmoid", "softmax")
        )
        if place % 4 == depth % 4
    ]
    for place, (rows, depth, unit, cost) in enumerate(choices):
        penalty = ("", "half", "", "plain", "", "whole")[place % 6]
        late = place % 2 == 1
        tags = ("rows" if rows else "columns", str(depth), unit, cost, penalty, "late" if late else "")
        name = "-".join(tag for tag in tags if tag)
        yield name, network(rows, depth, unit, cost, averaged_late=late, penalty=penalty)


def all_texts() -> dict[str, str]:
    """Every right text."""
    return {name: text.strip("\n") for name, text in {**TEXTS, **FAMILIES}.items()} | dict(networks())
