"""Settings in the forms that people ask for beside the notes': an example a row, labels, ones for the bias, dropout."""

from __future__ import annotations

from parity_tests.derivations.settings.networks import HIDDEN, SHALLOW_IDS, SHALLOW_SIZES, network
from parity_tests.derivations.settings.reference import reference

_PROBS = "np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)"

ROWS = network(
    "rows", "one hidden tanh layer, one sigmoid output, an example a row; weights are (units below, units)",
    ("tanh", "sigmoid"), SHALLOW_SIZES, SHALLOW_IDS, HIDDEN, rows=True,
)  # fmt: skip

LABELS_HIDDEN = reference(f"""\
labels-hidden: two layers on labels, an example a row: ReLU, then the softmax, with the penalty in the loss
cost: loss = -(1/m) * sum of log probs[i, y[i]] + reg/2 * sum of the squares of W1, W2; all derivatives are those of \
the loss and carry its 1/m
sizes: m n_x n_1 n_C = 7 3 11 5 | 11 5 13 3 | 13 7 17 11 | 17 11 19 13 | 19 13 23 7
also: N = m, D = n_x, H = n_1, C = n_C, hidden = h, dhidden = dh, p = probs
m  # number of examples, also N
n_x  # number of features, also D
n_1  # number of hidden units, also H
n_C  # number of classes, also C
reg ~ penalty  # strength of the penalty
X (m, n_x) ~ normal  # inputs, an example a row
W1 (n_x, n_1) ~ normal / n_x**0.5  # weights of layer 1
b1 (n_1) ~ normal * 0.4  # biases of layer 1
W2 (n_1, n_C) ~ normal / n_1**0.5  # weights of layer 2
b2 (n_C) ~ normal * 0.4  # biases of layer 2
y (m) ~ classes of n_C  # labels, 0 to n_C - 1
g1 function ~ relu  # activation of layer 1: ReLU
Z1 (m, n_1) = X @ W1 + b1  # F047; linear part of layer 1
h (m, n_1) = g1(Z1)  # F130; output of layer 1, also hidden
scores (m, n_C) = h @ W2 + b2  # F047; linear part of layer 2
probs (m, n_C) = {_PROBS}  # F247; softmax of every row
loss = -np.sum(np.log(probs[range(m), y])) / m + 0.5 * reg * (np.sum(W1 * W1) + np.sum(W2 * W2))  # F247 F199; cost
dscores:  # F098; derivative of the loss in the scores, with the 1/m
    dscores = probs
    dscores[range(m), y] -= 1
    dscores /= m
dW2 = h.T @ dscores + reg * W2  # F053 F202; derivative of the loss in W2
db2 = np.sum(dscores, axis=0)  # F051; derivative of the loss in b2
dh = dscores @ W2.T  # F170; derivative of the loss in h, also dhidden
dZ1 = dscores @ W2.T * (Z1 > 0)  # F099 [gradient]; derivative of the loss in Z1, with the 1/m
dW1 = X.T @ dZ1 + reg * W1  # F053 F202; derivative of the loss in W1
db1 = np.sum(dZ1, axis=0)  # F051; derivative of the loss in b1
""")

LOGISTIC_ONES = reference("""\
logistic-ones: logistic regression whose bias is the weight of a column of ones, an example a row
cost: J = -(1/m) * sum of y log h + (1 - y) log(1 - h), with h = sigmoid(X @ theta); L2 plays no part
sizes: m n_x = 7 3 | 11 5 | 5 7 | 13 11 | 3 13
per example: m
also: learning_rate = alpha, grad = dtheta, gradient = dtheta, dtheta_J = dtheta
n_x  # number of features, the ones included
X (m, n_x) ~ ones_first  # inputs, an example a row; the first of each is 1
y (m, 1) ~ binary_rows  # labels, 0 or 1
theta (n_x, 1) ~ normal / n_x**0.5  # weights, the bias first
z (m, 1) = X @ theta  # F047; linear part
h (m, 1) = sigmoid(z)  # F048; outputs
J = -(1/m) * np.sum(y * np.log(h) + (1 - y) * np.log(1 - h))  # F008 F198; cost
dz = h - y  # F050
dtheta = (1/m) * X.T @ (h - y)  # F053
theta = theta - alpha * dtheta  # F029
""")

DROPOUT_NETWORK = reference("""\
dropout-network: one hidden tanh layer with inverted dropout, one sigmoid output
cost: J = -(1/m) * sum of Y log A2 + (1 - Y) log(1 - A2), over outputs and examples; L2 plays no part
sizes: n_x n_1 n_2 m = 3 7 1 11 | 5 11 1 7 | 7 13 1 5 | 11 5 1 13 | 13 3 1 17
per example: m
also: yhat = A2, y_hat = A2, AL = A2, mask = D1
n_1  # number of hidden units
n_2  # number of outputs
keep_prob ~ keep  # probability that a hidden output is kept
X (n_x, m) ~ normal  # inputs, an example a column
Y (n_2, m) ~ binary  # what the outputs should be
W1 (n_1, n_x) ~ normal / n_x**0.5  # weights of layer 1
b1 (n_1, 1) ~ normal * 0.4  # biases of layer 1
U1 (n_1, m) ~ shares  # numbers between 0 and 1, drawn for the mask
W2 (n_2, n_1) ~ normal / n_1**0.5  # weights of layer 2
b2 (n_2, 1) ~ normal * 0.4  # biases of layer 2
g1 function ~ tanh  # activation of layer 1: tanh
Z1 (n_1, m) = W1 @ X + b1  # F072; linear part of layer 1
A1 (n_1, m) = g1(Z1)  # F072; output of layer 1 before dropout
D1 (n_1, m) = U1 < keep_prob  # F254 [function]; mask: 1 where U1 is below keep_prob, else 0
A1_drop (n_1, m) = A1 * D1 / keep_prob  # F254; output of layer 1 after dropout
Z2 (n_2, m) = W2 @ A1_drop + b2  # F072; linear part of layer 2
A2 (n_2, m) = sigmoid(Z2)  # F072; output of layer 2
J = -(1/m) * np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))  # F198; cost
dZ2 = A2 - Y  # F098
dW2 = (1/m) * dZ2 @ A1_drop.T  # F098
db2 = (1/m) * np.sum(dZ2, axis=1, keepdims=True)  # F098
dA1_drop = W2.T @ dZ2  # F170
dA1 = W2.T @ dZ2 * D1 / keep_prob  # F254
dZ1 = W2.T @ dZ2 * D1 / keep_prob * g1'(Z1)  # F099
dW1 = (1/m) * dZ1 @ X.T  # F103
db1 = (1/m) * np.sum(dZ1, axis=1, keepdims=True)  # F103
""")

LOG_SOFTMAX = reference("""\
log-softmax: cross-entropy from the logarithms of a softmax's outputs, which are never computed themselves
cost: J = -(1/m) * sum of Y logP, over classes and examples, with logP = log softmax(Z); L2 plays no part
sizes: n_C m = 3 7 | 5 11 | 7 13 | 11 17 | 13 19
per example: m
also: log_probs = logP, logp = logP, C = n_C
Z (n_C, m) ~ normal  # inputs of the softmax
Y (n_C, m) ~ one_hot  # classes, one-hot columns
logP (n_C, m) = Z - np.log(np.sum(np.exp(Z), axis=0, keepdims=True))  # F247; logarithms of the outputs
J = -(1/m) * np.sum(Y * logP)  # F247; cost
dlogP = -Y  # F247 [derivative]
dZ = np.exp(logP) - Y  # F098
""")

OTHER_FORMS = (ROWS, LABELS_HIDDEN, LOGISTIC_ONES, DROPOUT_NETWORK, LOG_SOFTMAX)
