"""Programs in torch whose backward pass is by hand, right as they stand, with mistakes to plant in them."""

from __future__ import annotations

from parity_tests.tests.derivations.python_programs import Written, written

TRAINED = written(
    """
import torch

torch.manual_seed(0)
N, D_in, H, D_out = 16, 7, 6, 3
x = torch.randn(N, D_in)
y = torch.randn(N, D_out)
w1 = torch.randn(D_in, H)
b1 = torch.zeros(H)
w2 = torch.randn(H, D_out)

learning_rate = 1e-3
for t in range(50):
    h = x.mm(w1) + b1
    h_relu = h.clamp(min=0)
    y_pred = h_relu.mm(w2)
    loss = (y_pred - y).pow(2).sum().item()
    if t % 10 == 9:
        print(t, loss)
    grad_y_pred = 2.0 * (y_pred - y)
    grad_w2 = h_relu.t().mm(grad_y_pred)
    grad_h_relu = grad_y_pred.mm(w2.t())
    grad_h = grad_h_relu.clone()
    grad_h[h < 0] = 0
    grad_w1 = x.t().mm(grad_h)
    grad_b1 = grad_h.sum(dim=0)
    with torch.no_grad():
        w1 -= learning_rate * grad_w1
        b1 -= learning_rate * grad_b1
        w2 -= learning_rate * grad_w2
""",
    ("    grad_h[h < 0] = 0\n", "", "gprime-missing"),
    ("x.t().mm(grad_h)", "x.t().mm(grad_h_relu)", "other-symbol"),
    ("grad_h.sum(dim=0)", "grad_h.mean(dim=0)", "db-mean-for-sum"),
    ("h_relu.t().mm(grad_y_pred)", "h_relu.t().mm(grad_y_pred) / N", "double-1/m"),
    ("w2 -= learning", "w2 += learning", "sign"),
)

STEP_BY_STEP = written(
    """
import torch
import torch.nn.functional as F

g = torch.Generator().manual_seed(2147483647)
Xtr = torch.randint(0, 9, (60, 3), generator=g)
Ytr = torch.randint(0, 9, (60,), generator=g)


def cmp(s, dt, t):
    ex = torch.all(dt == t.grad).item()
    app = torch.allclose(dt, t.grad)
    maxdiff = (dt - t.grad).abs().max().item()
    print(f'{s:15s} | exact: {str(ex):5s} | approximate: {str(app):5s} | maxdiff: {maxdiff}')


n_embd, n_hidden = 2, 5
C = torch.randn((9, n_embd), generator=g)
W1 = torch.randn((n_embd * 3, n_hidden), generator=g) * (5/3) / ((n_embd * 3)**0.5)
b1 = torch.randn(n_hidden, generator=g) * 0.1
W2 = torch.randn((n_hidden, 9), generator=g) * 0.1
b2 = torch.randn(9, generator=g) * 0.1
bngain = torch.randn((1, n_hidden)) * 0.1 + 1.0
bnbias = torch.randn((1, n_hidden)) * 0.1
parameters = [C, W1, b1, W2, b2, bngain, bnbias]
print(sum(p.nelement() for p in parameters))
for p in parameters:
    p.requires_grad = True

n = 8
ix = torch.randint(0, Xtr.shape[0], (n,), generator=g)
Xb, Yb = Xtr[ix], Ytr[ix]
emb = C[Xb]
embcat = emb.view(emb.shape[0], -1)
hprebn = embcat @ W1 + b1
bnmeani = 1/n * hprebn.sum(0, keepdim=True)
bndiff = hprebn - bnmeani
bndiff2 = bndiff**2
bnvar = 1/(n-1) * bndiff2.sum(0, keepdim=True)
bnvar_inv = (bnvar + 1e-5)**-0.5
bnraw = bndiff * bnvar_inv
hpreact = bngain * bnraw + bnbias
h = torch.tanh(hpreact)
logits = h @ W2 + b2
logit_maxes = logits.max(1, keepdim=True).values
norm_logits = logits - logit_maxes
counts = norm_logits.exp()
counts_sum = counts.sum(1, keepdims=True)
counts_sum_inv = counts_sum**-1
probs = counts * counts_sum_inv
logprobs = probs.log()
loss = -logprobs[range(n), Yb].mean()

for p in parameters:
    p.grad = None
for t in [logprobs, probs, counts, logits, h, hpreact, hprebn, emb]:
    t.retain_grad()
loss.backward()

dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0/n
dprobs = (1.0 / probs) * dlogprobs
dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
dcounts = counts_sum_inv * dprobs
dcounts_sum = (-counts_sum**-2) * dcounts_sum_inv
dcounts += torch.ones_like(counts) * dcounts_sum
dnorm_logits = counts * dcounts
dlogits = dnorm_logits.clone()
dlogit_maxes = (-dnorm_logits).sum(1, keepdim=True)
dlogits += F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogit_maxes
dh = dlogits @ W2.T
dW2 = h.T @ dlogits
db2 = dlogits.sum(0)
dhpreact = (1.0 - h**2) * dh
dbngain = (bnraw * dhpreact).sum(0, keepdim=True)
dbnraw = bngain * dhpreact
dbnbias = dhpreact.sum(0, keepdim=True)
dbndiff = bnvar_inv * dbnraw
dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)
dbnvar = (-0.5 * (bnvar + 1e-5)**-1.5) * dbnvar_inv
dbndiff2 = (1.0/(n-1)) * torch.ones_like(bndiff2) * dbnvar
dbndiff += (2 * bndiff) * dbndiff2
dhprebn = dbndiff.clone()
dbnmeani = (-dbndiff).sum(0)
dhprebn += 1.0/n * (torch.ones_like(hprebn) * dbnmeani)
dembcat = dhprebn @ W1.T
dW1 = embcat.T @ dhprebn
db1 = dhprebn.sum(0)
demb = dembcat.view(emb.shape)
dC = torch.zeros_like(C)
for k in range(Xb.shape[0]):
    for j in range(Xb.shape[1]):
        ix = Xb[k, j]
        dC[ix] += demb[k, j]

cmp('logprobs', dlogprobs, logprobs)
cmp('C', dC, C)
""",
    ("(1.0 / probs) * dlogprobs", "probs * dlogprobs", ""),
    ("(-counts_sum**-2)", "(counts_sum**-2)", "sign"),
    ("dcounts += torch", "dcounts = torch", "overwritten"),
    ("dnorm_logits = counts * dcounts", "dnorm_logits = dcounts + 0", ""),
    ("dlogits.sum(0)", "dlogits.mean(0)", "db-mean-for-sum"),
    ("(1.0 - h**2) * dh", "(1.0 - h) * dh", "square-missing"),
    ("(bnraw * dhpreact).sum(0", "(hpreact * dhpreact).sum(0", "other-symbol"),
    ("dbnraw = bngain * dhpreact", "dbnraw = dhpreact + 0", ""),
    ("-1.5) * dbnvar_inv", "-0.5) * dbnvar_inv", ""),
    ("(1.0/(n-1)) * torch", "(1.0/n) * torch", ""),
    ("(2 * bndiff) * dbndiff2", "bndiff * dbndiff2", "missing-2"),
    ("(-dbndiff).sum(0)", "dbndiff.sum(0)", "sign"),
    ("embcat.T @ dhprebn", "embcat.T @ dhprebn / n", "double-1/m"),
    ("dC[ix] += demb", "dC[ix] = demb", ""),
)

TORCH_PROGRAMS: dict[str, Written] = {"trained": TRAINED, "step by step": STEP_BY_STEP}
