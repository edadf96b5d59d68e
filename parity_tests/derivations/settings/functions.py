"""Settings without a network: activations, costs, the Jacobian of the softmax, and dropout."""

from __future__ import annotations

from parity_tests.derivations.settings.networks import COSTS
from parity_tests.derivations.settings.reference import reference
from parity_tests.derivations.settings.setting import Setting

SIZES = "3 7 | 5 11 | 7 13 | 11 17 | 13 19"
"""Choices of n and m, more examples than outputs."""


def _activation(unit: str, summary: str, value: str, slope: str, value_ids: str, slope_ids: str) -> Setting:
    return reference(f"""\
{unit}: the activation {summary}, entry by entry
cost: a = g(z); dz is the derivative of a loss in z where da is that in a; L2 plays no part
sizes: n m = {SIZES}
also: A = a, Z = z, dA = da, dZ = dz, da_dz = g_prime
z (n, m) ~ alternating  # input of the activation, also Z
da (n, m) ~ normal  # derivative of the loss in a, also dA
a (n, m) = {value}  # {value_ids} [function]; output of the activation, also A
cost = np.sum(da * a)
g_prime (n, m) = {slope}  # {slope_ids} [function] {{dz / da}}; derivative of a in z, also written g'
dz (n, m) = da * g'  # F095 F164; derivative of the loss in z, also dZ
""")


def _cost(name: str, unit: str, J: str, dA: str, dZ: str) -> Setting:
    of = COSTS[unit]
    words = of.words.format(A="A")
    return reference(f"""\
{name}: the cost that goes with {"an" if unit == "identity" else "a"} {unit} output, summed over outputs
cost: J = {words}, over outputs and examples, with A = {unit}(Z); L2 plays no part
sizes: n_L m = {SIZES}
per example: m
also: a = A, z = Z, y = Y, da = dA, dz = dZ, yhat = A, Yhat = A, y_hat = A, Y_hat = A
Z (n_L, m) ~ normal  # linear part of the output layer
Y (n_L, m) ~ {of.labels}  # what the outputs should be
A (n_L, m) = {unit}(Z)  # [given]; outputs
J = {of.J.format(A="A")}  # {J}; cost
dA = {of.dA.format(A="A")}  # {dA}
dZ = A - Y  # {dZ}
""")


ACTIVATIONS = (
    _activation("sigmoid", "1/(1 + e^-z)", "1 / (1 + np.exp(-z))", "a * (1 - a)", "F003", "F013 F122"),
    _activation(
        "tanh", "(e^z - e^-z)/(e^z + e^-z)", "(np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))", "1 - a**2",
        "F125", "F127",
    ),
    _activation("relu", "max(0, z)", "np.maximum(0, z)", "z > 0", "F130", "F131 F132"),
    _activation(
        "leaky_relu", "max(0.01 z, z)", "np.maximum(0.01 * z, z)", "np.where(z > 0, 1, 0.01)", "F133", "F134"
    ),
)  # fmt: skip
COST_FUNCTIONS = (
    _cost("binary_cross_entropy", "sigmoid", "F175 F198", "F010 F011", "F050"),
    _cost("cross_entropy", "softmax", "F247", "F247", "F098"),
    _cost("squared_error", "identity", "F137", "F137", "F137"),
)

SOFTMAX_JACOBIAN = reference("""\
softmax-jacobian: the derivative of the softmax: every output depends on every input of its column
cost: A = softmax(Z), column by column; z, a, da, dz are the first column; jacobian[i, j] is the derivative of a[i] in \
z[j]; dZ is the derivative of L(i) where dA is that in A; L2 plays no part
sizes: n m = 3 7 | 5 11 | 7 5 | 11 3 | 13 17
also: da_dz = jacobian
own: Z dA -> A dZ
n  # number of classes
Z (n, m) ~ normal  # inputs of the softmax
dA (n, m) ~ normal  # derivative of L(i) in A
z (n) := Z[:, 0]  # first column of Z
a (n) := np.exp(z) / np.sum(np.exp(z))  # first column of A
da (n) := dA[:, 0]  # first column of dA
_copies := np.outer(z, np.ones(n))
A (n, m) = np.exp(Z) / np.sum(np.exp(Z), axis=0, keepdims=True)  # F247 [function]; its outputs
cost = np.sum(dA * A) + np.sum(np.eye(n) * softmax(_copies))
jacobian (n, n) = np.diag(a) - np.outer(a, a)  # F184 [function] {d_copies.T}; derivative of a[i] in z[j], at [i, j]
dz (n) = jacobian @ da  # F184 {dZ[:, 0]}; first column of dZ
dZ (n, m) = A * (dA - np.sum(A * dA, axis=0, keepdims=True))  # F184; derivative of L(i) in Z
""")

DROPOUT = reference("""\
dropout: inverted dropout on the outputs of one layer: D is 1 where an output is kept
cost: dA is the derivative of L(i) in A before dropout, whose derivative after it is dA_drop; A = ... and \
dA = ... may also be overwritten, as in A = A * D / keep_prob; L2 plays no part
sizes: n m = 5 7 | 7 11 | 3 13 | 11 5 | 13 3
also: A1 = A, A2 = A, D1 = D, D2 = D, dA1 = dA, dA2 = dA, mask = D
own: A D dA_drop keep_prob -> A_drop dA
keep_prob ~ keep  # probability that an output is kept
A (n, m) ~ normal  # outputs before dropout, and after A is overwritten those after it
U (n, m) ~ shares  # numbers between 0 and 1, drawn for the mask
dA_drop (n, m) ~ normal  # derivative of L(i) in A_drop
dA (n, m) := 1 * dA_drop  # derivative of L(i) in A; where it is overwritten, dA_drop before that
D (n, m) = U < keep_prob  # F254 [function]; mask: 1 where U is below keep_prob, else 0
A_drop (n, m) = A * D / keep_prob  # F254 [dropout]; outputs after dropout
cost = np.sum(dA_drop * A_drop)
A = A * D / keep_prob  # F254 [dropout] {A_drop}
dA = dA_drop * D / keep_prob  # F254 [dropout]
""")
