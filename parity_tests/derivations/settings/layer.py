"""One dense layer of a network: what comes in from below and from above is given."""

from __future__ import annotations

from parity_tests.derivations.settings.reference import reference
from parity_tests.derivations.settings.setting import Setting

_LAYER = """\
cost: dA and dZ are derivatives of L(i), {above}; dW and db are those of J = (1/m) * sum of L(i); \
with L2 also + lambda/(2*m) * sum of the squares of W
sizes: n_prev n n_next m = 3 5 11 7 | 5 3 7 11 | 7 11 3 5 | 11 13 5 3 | 13 7 17 19
per example: m
also: learning_rate = alpha, lambd = lambda_
{own}
n_prev  # number of units of the layer below
n  # number of units of this layer
n_next  # number of units of the layer above
A_prev (n_prev, m) ~ normal  # output of the layer below
W (n, n_prev) ~ normal / n_prev**0.5  # weights
b (n, 1) ~ normal * 0.4  # biases
g function ~ {unit}  # activation: {unit}
Z (n, m) = W @ A_prev + b  # F151; linear part
A (n, m) = g(Z)  # F151; output
{cost}
    l2: + (lambda_/(2*m)) * np.sum(W**2)
{deltas}
dW = (1/m) * dZ @ A_prev.T  # F168
    l2: + (lambda_/m) * W  # F202
db = (1/m) * np.sum(dZ, axis=1, keepdims=True)  # F169
dA_prev = W.T @ dZ  # F170
W = W - alpha * dW  # F181
b = b - alpha * db  # F181
"""

LAYER = reference(
    "layer: one dense tanh layer inside a network; dZ_next comes from the layer above\n"
    + _LAYER.format(
        unit="tanh",
        above="whose derivative in Z_next is dZ_next",
        own="own: A_prev W b W_next dZ_next\nown: A_prev W b dZ -> Z dW db dA_prev; cost = np.sum(dZ * Z) / m",
        cost="W_next (n_next, n) ~ normal / n**0.5  # weights of the layer above\n"
        "dZ_next (n_next, m) ~ normal  # derivative of L(i) in Z of the layer above, no 1/m\n"
        "cost = np.sum(dZ_next * (W_next @ A)) / m",
        deltas="dA = W_next.T @ dZ_next  # F170\ndZ = dA * g'(Z)  # F164 F171",
    )
)


def activated(unit: str) -> Setting:
    """The same layer with another activation, for functions that take dA and the activation's name."""
    return reference(
        f"layer: one dense {unit} layer inside a network; dA comes from the layer above\n"
        + _LAYER.format(
            unit=unit,
            above="whose derivative in A is dA",
            own="",
            cost="dA (n, m) ~ normal  # derivative of L(i) in A, no 1/m\ncost = np.sum(dA * A) / m",
            deltas="dZ = dA * g'(Z)  # F164 F171",
        )
    )
