"""Right derivations of cells, normalisations, attention and what else goes beyond dense layers."""

from __future__ import annotations

FAMILIES: dict[str, str] = {
    "lstm-rows-concatenated": """
# LSTM cell one step, rows
z = np.concatenate([h_prev, x], axis=1)
f = sigmoid(z @ Wf + bf)
i = sigmoid(z @ Wi + bi)
g = np.tanh(z @ Wg + bg)
o = sigmoid(z @ Wo + bo)
c = f * c_prev + i * g
h = o * np.tanh(c)
y = h @ Wy + by
J = 0.5 * np.sum((y - t)**2)
dy = y - t
dWy = h.T @ dy
dby = dy.sum(0)
dh = dy @ Wy.T
do = dh * np.tanh(c)
dc = dh * o * (1 - np.tanh(c)**2)
df = dc * c_prev
di = dc * g
dg = dc * i
dc_prev = dc * f
dWf = z.T @ (df * f * (1 - f))
dWi = z.T @ (di * i * (1 - i))
dWg = z.T @ (dg * (1 - g**2))
dWo = z.T @ (do * o * (1 - o))
dz = df*f*(1-f) @ Wf.T + di*i*(1-i) @ Wi.T + dg*(1-g**2) @ Wg.T + do*o*(1-o) @ Wo.T
dh_prev = dz[:, :h_prev.shape[1]]
""",
    "batch-norm-shift-named-beta": """
# batchnorm
mu = x.mean(axis=0)
var = x.var(axis=0)
xhat = (x - mu) / np.sqrt(var + 1e-5)
out = gamma * xhat + beta
loss = np.sum(out * dout)
dgamma = np.sum(dout * xhat, axis=0)
dbeta = np.sum(dout, axis=0)
dxhat = dout * gamma
dx = 1/N * 1/np.sqrt(var + 1e-5) * (N*dxhat - dxhat.sum(axis=0) - xhat*np.sum(dxhat*xhat, axis=0))
""",
    "attention-root-of-d": """
# attention
Q = X @ Wq
K = X @ Wk
V = X @ Wv
S = Q @ K.T / np.sqrt(d)
P = softmax(S)
O = P @ V
L = np.sum((O - T)**2) / 2
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
    "layers-as-entries": """
z[1] = w[1] @ x + b[1]
a[1] = relu(z[1])
z[2] = w[2] @ a[1] + b[2]
a[2] = softmax(z[2])
C = -np.mean(np.sum(y * np.log(a[2]), axis=0))
delta[2] = (a[2] - y)/m
delta[1] = (w[2].T @ delta[2]) * (z[1] > 0)
dw[2] = delta[2] @ a[1].T
dw[1] = delta[1] @ x.T
db[2] = np.sum(delta[2], axis=1, keepdims=True)
db[1] = np.sum(delta[1], axis=1, keepdims=True)
""",
    "lstm-gates-as-slices": """
# LSTM as in a course
N, H = prev_h.shape
a = x @ Wx + prev_h @ Wh + b
i = sigmoid(a[:, :H])
f = sigmoid(a[:, H:2*H])
o = sigmoid(a[:, 2*H:3*H])
g = np.tanh(a[:, 3*H:])
next_c = f * prev_c + i * g
next_h = o * np.tanh(next_c)
loss = np.sum(next_h * dnext_h) + np.sum(next_c * dnext_c)
do = dnext_h * np.tanh(next_c)
dc = dnext_c + dnext_h * o * (1 - np.tanh(next_c)**2)
di = dc * g
df = dc * prev_c
dg = dc * i
da = np.hstack((di*i*(1-i), df*f*(1-f), do*o*(1-o), dg*(1-g**2)))
dWx = x.T @ da
dWh = prev_h.T @ da
db = da.sum(axis=0)
dx = da @ Wx.T
dprev_h = da @ Wh.T
dprev_c = dc * f
""",
    "bias-as-a-column-of-ones": """
# bias trick
Xb = np.hstack([X, np.ones((m, 1))])
h = sigmoid(Xb @ theta)
J = -1/m * np.sum(y*np.log(h) + (1-y)*np.log(1-h))
dtheta = Xb.T @ (h - y) / m
""",
    "gru-step": """
# GRU
r = sigmoid(x @ Wr + h @ Ur + br)
z = sigmoid(x @ Wz + h @ Uz + bz)
n = np.tanh(x @ Wn + (r * h) @ Un + bn)
hn = (1 - z) * n + z * h
L = np.sum((hn - y)**2) / 2
dhn = hn - y
dz = dhn * (h - n)
dn = dhn * (1 - z)
dan = dn * (1 - n**2)
daz = dz * z * (1 - z)
dr = (dan @ Un.T) * h
dar = dr * r * (1 - r)
dWn = x.T @ dan
dUn = (r * h).T @ dan
dWz = x.T @ daz
dUz = h.T @ daz
dWr = x.T @ dar
dUr = h.T @ dar
dbr = dar.sum(axis=0)
dbz = daz.sum(axis=0)
dbn = dan.sum(axis=0)
dh = dhn * z + (dan @ Un.T) * r + daz @ Uz.T + dar @ Ur.T
dx = dan @ Wn.T + daz @ Wz.T + dar @ Wr.T
""",
    "embedding-mean": """
# embedding + mean pooling + linear
E = emb[tokens]
h = E.mean(axis=1)
logits = h @ W + b
p = np.exp(logits - logits.max(1, keepdims=True))
p /= p.sum(1, keepdims=True)
loss = -np.log(p[np.arange(N), y]).mean()
dlogits = p.copy()
dlogits[np.arange(N), y] -= 1
dlogits /= N
dW = h.T @ dlogits
db = dlogits.sum(0)
dh = dlogits @ W.T
""",
    "layer-norm-gain-named-g": """
# layer norm
mu = x.mean(axis=1, keepdims=True)
var = ((x - mu)**2).mean(axis=1, keepdims=True)
rstd = 1/np.sqrt(var + eps)
xn = (x - mu) * rstd
y = g * xn + b
loss = (y * dy).sum()
dg = (dy * xn).sum(0)
db = dy.sum(0)
dxn = dy * g
dx = rstd * (dxn - dxn.mean(1, keepdims=True) - xn * (dxn * xn).mean(1, keepdims=True))
""",
    "autoencoder-tied": """
# autoencoder
h = sigmoid(x.dot(W) + b)
r = sigmoid(h.dot(W.T) + c)
cost = -np.sum(x*np.log(r) + (1-x)*np.log(1-r), axis=1).mean()
dr = (r - x)/m
dh = dr.dot(W) * h*(1-h)
dW = x.T.dot(dh) + dr.T.dot(h)
db = dh.sum(axis=0)
dc = dr.sum(axis=0)
""",
    "hinge-loss": """
# SVM hinge
scores = X.dot(W)
correct = scores[np.arange(N), y].reshape(-1, 1)
margins = np.maximum(0, scores - correct + 1)
margins[np.arange(N), y] = 0
loss = margins.sum() / N + reg * np.sum(W * W)
binary = margins > 0
binary = binary.astype(float)
binary[np.arange(N), y] = -binary.sum(axis=1)
dW = X.T.dot(binary) / N + 2 * reg * W
""",
    "lists-handed-to-a-function": """
def forward(X, Ws, bs):
    acts = [X]
    for W, b in zip(Ws, bs):
        acts.append(np.tanh(acts[-1] @ W + b))
    return acts

acts = forward(X, Ws, bs)
loss = 0.5 * np.sum((acts[-1] - Y) ** 2)
delta = (acts[-1] - Y) * (1 - acts[-1] ** 2)
dWs = [None] * len(Ws)
dbs = [None] * len(bs)
for l in reversed(range(len(Ws))):
    dWs[l] = acts[l].T @ delta
    dbs[l] = delta.sum(axis=0)
    if l > 0:
        delta = (delta @ Ws[l].T) * (1 - acts[l] ** 2)
""",
    "values-written-through-views": """
H = np.tanh(X @ W + c)
P = H @ V
loss = 0.5 * np.sum((P - Y) ** 2)
dP = P - Y
dV = np.empty_like(V)
dV.T[...] = dP.T @ H
dH = dP @ V.T
dpre = dH * (1 - H ** 2)
dW = np.empty_like(W)
flat = dW.reshape(-1)
flat[:] = (X.T @ dpre).ravel()
dc = dpre.sum(axis=0)
""",
    "a-window-in-loops": """
H, W = x.shape
z = np.zeros((H - 2, W - 2))
for i in range(H - 2):
    for j in range(W - 2):
        z[i, j] = np.sum(x[i:i+3, j:j+3] * k) + bias
a = np.maximum(z, 0)
loss = 0.5 * np.sum((a - t) ** 2)
da = a - t
dz = da * (z > 0)
dk = np.zeros_like(k)
dx = np.zeros_like(x)
for i in range(H - 2):
    for j in range(W - 2):
        dk += dz[i, j] * x[i:i+3, j:j+3]
        dx[i:i+3, j:j+3] += dz[i, j] * k
dbias = np.sum(dz)
""",
    "states-in-a-dict": """
T = inputs.shape[0]
hs = {-1: np.zeros((B, H))}
ps = {}
loss = 0
for t in range(T):
    hs[t] = np.tanh(inputs[t] @ Wxh + hs[t-1] @ Whh + bh)
    s = hs[t] @ Why + by
    e = np.exp(s - s.max(axis=1, keepdims=True))
    ps[t] = e / e.sum(axis=1, keepdims=True)
    loss += -np.sum(targets[t] * np.log(ps[t]))
dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
dbh, dby = np.zeros_like(bh), np.zeros_like(by)
dhnext = np.zeros((B, H))
for t in reversed(range(T)):
    dy = ps[t] - targets[t]
    dWhy += hs[t].T @ dy
    dby += dy.sum(axis=0)
    dh = dy @ Why.T + dhnext
    dhraw = (1 - hs[t] ** 2) * dh
    dbh += dhraw.sum(axis=0)
    dWxh += inputs[t].T @ dhraw
    dWhh += hs[t-1].T @ dhraw
    dhnext = dhraw @ Whh.T
""",
    "a-margin-between-pairs": """
fa = np.tanh(xa @ W)
fb = np.tanh(xb @ W)
diff = fa - fb
dist2 = np.sum(diff ** 2, axis=1)
dist = np.sqrt(dist2)
hinge = np.maximum(0, margin - dist)
loss = np.mean(y * dist2 + (1 - y) * hinge ** 2) / 2
n = len(y)
ddist2 = y / (2 * n)
ddist = -(1 - y) * hinge / n
ddiff = 2 * ddist2[:, None] * diff + (ddist / dist)[:, None] * diff
dfa = ddiff
dfb = -ddiff
dW = xa.T @ (dfa * (1 - fa ** 2)) + xb.T @ (dfb * (1 - fb ** 2))
""",
    "a-dict-handed-to-a-function": """
def fwd(x, p):
    z1 = p['W1'] @ x + p['b1']
    a1 = np.maximum(z1, 0)
    z2 = p['W2'] @ a1 + p['b2']
    return z1, a1, z2

z1, a1, z2 = fwd(x, p)
m = x.shape[1]
J = np.sum((z2 - y) ** 2) / (2 * m)
g = {}
dz2 = (z2 - y) / m
g['W2'] = dz2 @ a1.T
g['b2'] = dz2.sum(axis=1, keepdims=True)
dz1 = (p['W2'].T @ dz2) * (z1 > 0)
g['W1'] = dz1 @ x.T
g['b1'] = dz1.sum(axis=1, keepdims=True)
""",
    "a-decaying-rate": """
lr = lr0 / (1 + decay * epoch)
Z = np.dot(W, X) + b
A = np.exp(Z) / np.sum(np.exp(Z), axis=0)
m = X.shape[1]
cost = -np.sum(Y * np.log(A)) / m
dZ = (A - Y) / m
dW = np.dot(dZ, X.T)
db = np.sum(dZ, axis=1, keepdims=True)
W = W - lr * dW
b = b - lr * db
""",
}
