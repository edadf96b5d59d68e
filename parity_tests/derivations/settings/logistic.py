"""Logistic regression: one example, all in a loop, all at once; and softmax regression on labels."""

from __future__ import annotations

from parity_tests.derivations.settings.networks import BINARY_OF_Z
from parity_tests.derivations.settings.reference import reference

_DATA = """\
sizes: n_x m = 3 7 | 5 11 | 7 5 | 11 13 | 13 3
per example: m
X (n_x, m) ~ normal  # inputs, an example a column
Y (1, m) ~ binary  # labels, 0 or 1
w (n_x, 1) ~ normal / n_x**0.5  # weights
b () ~ normal * 0.4  # bias
"""
_COST = (
    "cost: J = -(1/m) * sum of Y log A + (1 - Y) log(1 - A), with A = sigmoid(w.T @ X + b); with L2 also "
    "+ lambda/(2*m) * sum of the squares of w"
)
_UPDATES = """\
w = w - alpha * dw  # F029
b = b - alpha * db  # F029
"""

_J_OF_Z, _DA_OF_Z = (formula.format(Z="Z") for formula in BINARY_OF_Z)

LOGISTIC = reference(f"""\
logistic: logistic regression over all m examples at once
{_COST}
also: learning_rate = alpha, lambd = lambda_, yhat = A, Yhat = A, y_hat = A, Y_hat = A
own: X Y w b
{_DATA}
Z (1, m) = w.T @ X + b  # F047; linear part
A (1, m) = sigmoid(Z)  # F048; outputs
J = -(1/m) * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))  # F008 F198 own {{{_J_OF_Z}}}; cost
    l2: + (lambda_/(2*m)) * np.sum(w**2)  # F008 F199
dA = -Y / A + (1 - Y) / (1 - A)  # F010 F011 own {{{_DA_OF_Z}}}
dZ = A - Y  # F050
dw = (1/m) * X @ dZ.T  # F053
    l2: + (lambda_/m) * w  # F202
db = (1/m) * np.sum(dZ)  # F051
{_UPDATES}""")

_A = "sigmoid(w.T @ X + b)"
LOGISTIC_LOOP = reference(
    f"""\
logistic-loop: logistic regression in loops over the m examples and the n_x features; J, dw and db add up
{_COST}
also: learning_rate = alpha, lambd = lambda_
{_DATA}
J = -(1/m) * np.sum(Y * np.log({_A}) + (1 - Y) * np.log(1 - {_A}))  # F022 F026; cost
    l2: + (lambda_/(2*m)) * np.sum(w**2)  # F022 F026 F199
dw = (1/m) * X @ ({_A} - Y).T  # F024 F026
    l2: + (lambda_/m) * w  # F202
db = (1/m) * np.sum({_A} - Y)  # F024 F026
dw1 = (1/m) * np.sum(X[0, :] * ({_A} - Y))  # F018 F024 F026 {{dw[0, 0]}}; derivative of J in the first weight
    l2: + (lambda_/m) * w[0, 0]  # F202
dw2 = (1/m) * np.sum(X[1, :] * ({_A} - Y))  # F018 F024 F026 {{dw[1, 0]}}; derivative of J in the second weight
    l2: + (lambda_/m) * w[1, 0]  # F202
{_UPDATES}""",
    stream="logistic",
)

LOGISTIC_ONE = reference("""\
logistic-one: logistic regression on one example with two features: x, w, b -> z -> a -> L
cost: L = -(y log a + (1 - y) log(1 - a)), with a = sigmoid(z); L2 plays no part in the loss of one example
sizes: n_x = 2
also: learning_rate = alpha, yhat = a, y_hat = a
n_x  # number of features: 2
x (n_x, 1) ~ normal  # the example
x1 () := x[0, 0]  # first feature
x2 () := x[1, 0]  # second feature
y () := seed % 2.0  # label, 0 or 1
w (n_x, 1) ~ normal / n_x**0.5  # weights
w1 () := w[0, 0]  # first weight
w2 () := w[1, 0]  # second weight
b () ~ normal * 0.4  # bias
z = np.sum(w * x) + b  # F001 F028; linear part
a = sigmoid(z)  # F003; output
L = -(y * np.log(a) + (1 - y) * np.log(1 - a))  # F005; loss
da = -y / a + (1 - y) / (1 - a)  # F010; derivative of L in a
dz = a - y  # F014; derivative of L in z
dw = x * dz  # F016 F096; derivative of L in w
dw1 = x1 * dz  # F016 {dw[0, 0]}; derivative of L in w1
dw2 = x2 * dz  # F016 {dw[1, 0]}; derivative of L in w2
db = dz  # F017; derivative of L in b
w = w - alpha * dw  # F029
w1 = w1 - alpha * dw1  # F029
w2 = w2 - alpha * dw2  # F029
b = b - alpha * db  # F029
""")

LABELS = reference("""\
labels: softmax regression on labels, an example a row: probs[range(m), y] are those of the true classes
cost: loss = -(1/m) * sum of log probs[i, y[i]]; dscores, dW and db are derivatives of the loss and carry \
its 1/m; L2 plays no part
sizes: m n_x n_C = 7 3 5 | 11 5 3 | 13 7 11 | 17 11 13 | 19 13 7
also: N = m, D = n_x, C = n_C, num_examples = m, p = probs
own: X W b y
m  # number of examples, also N
n_x  # number of features, also D
n_C  # number of classes, also C
X (m, n_x) ~ normal  # inputs, an example a row
W (n_x, n_C) ~ normal / n_x**0.5  # weights
b (n_C) ~ normal * 0.4  # biases
y (m) ~ classes of n_C  # labels, 0 to n_C - 1
scores (m, n_C) = X @ W + b  # F047; X @ W + b
probs (m, n_C) = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)  # F247; \
softmax of every row of the scores
loss = -np.sum(np.log(probs[range(m), y])) / m  # F247; cost
dscores:  # F098; derivative of the loss in the scores, with the 1/m
    dscores = probs
    dscores[range(m), y] -= 1
    dscores /= m
dW = X.T @ dscores  # F053; derivative of the loss in W
db = np.sum(dscores, axis=0)  # F051; derivative of the loss in b
""")
