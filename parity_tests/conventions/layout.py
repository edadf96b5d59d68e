"""Where examples, weights and derivatives lie, and what they are divided by."""

from __future__ import annotations

from scipy.special import expit
from torch import Tensor
from torch.nn import functional

from manual import activations, costs, dense
from parity_tests.conventions.convention import Convention
from parity_tests.formulas.case import N_1, N_2, N_X, M, binary, normal, probabilities
from parity_tests.formulas.dense import Z_bound, dW_bound
from parity_tests.judging import bounds
from torch_ref.gradients import gradient


def _linear(X: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return functional.linear(X, W, b.flatten()).T


def _dZ(Z: Tensor, Y: Tensor) -> Tensor:
    """Z.grad of the mean loss."""
    return gradient(lambda at: functional.binary_cross_entropy_with_logits(at, Y), Z)


def _dA(A: Tensor, Y: Tensor) -> Tensor:
    """A.grad of the mean loss."""
    return gradient(lambda at: functional.binary_cross_entropy(at, Y), A)


CONVENTIONS = (
    Convention(
        "layout.examples",
        "examples",
        notes="columns: X is (n_x, m)",
        torch="rows: (m, n_x)",
        translation="X.T in, Z.T out",
        formulas="F044 F047 F068",
        inputs=lambda rng: {"X": normal(rng, N_1, N_1), "W": normal(rng, N_2, N_1), "b": normal(rng, N_2, 1)},
        manual=dense.linear_forward,
        exact=lambda X, W, b: _linear(X.T, W, b),
        naive={"X as it is, where m = n_x": _linear},
        bounds={"Z": lambda u, at: Z_bound(u, at.X, at.W, at.b)},
    ),
    Convention(
        "layout.weights",
        "weights",
        notes="W is (n_l, n_prev), row j holds w_j^T",
        torch="nn.Linear.weight is (n_l, n_prev) too",
        translation="W as it is",
        formulas="F068 F076 F153",
        inputs=lambda rng: {"X": normal(rng, N_1, M), "W": normal(rng, N_1, N_1), "b": normal(rng, N_1, 1)},
        manual=dense.linear_forward,
        exact=lambda X, W, b: _linear(X.T, W, b),
        naive={"W.T, where n_l = n_prev": lambda X, W, b: _linear(X.T, W.T, b)},
        bounds={"Z": lambda u, at: Z_bound(u, at.X, at.W, at.b)},
    ),
    Convention(
        "layout.biases",
        "biases",
        notes="b is a column, (n_l, 1)",
        torch="nn.Linear.bias is flat, (n_l,)",
        translation="b.flatten() over, bias[:, None] back",
        formulas="F047 F153 F159",
        inputs=lambda rng: {"X": normal(rng, N_X, M), "W": normal(rng, M, N_X), "b": normal(rng, M, 1)},
        manual=dense.linear_forward,
        exact=lambda X, W, b: _linear(X.T, W, b),
        naive={"W @ X + bias, where n_l = m": lambda X, W, b: W @ X + b.flatten()},
        bounds={"Z": lambda u, at: Z_bound(u, at.X, at.W, at.b)},
    ),
    Convention(
        "layout.dZ",
        "dZ",
        notes="per example, no 1/m: dZ = A - Y",
        torch="Z.grad of a mean loss carries the 1/m",
        translation="dZ = m * Z.grad",
        formulas="F014 F050 F098",
        inputs=lambda rng: {"Z": normal(rng, 1, M), "Y": binary(rng, 1, M)},
        manual=lambda Z, Y: costs.output_dZ(activations.sigmoid(Z), Y),
        exact=lambda Z, Y: M * _dZ(Z, Y),
        naive={"Z.grad": _dZ},
        bounds={"dZ": lambda u, at: bounds.output_dZ(u, at.dZ, expit(at.Z), at.Z, "sigmoid")},
    ),
    Convention(
        "layout.dA",
        "dA",
        notes="per example, no 1/m: dA = -Y/A + (1 - Y)/(1 - A)",
        torch="A.grad of a mean loss carries the 1/m",
        translation="dA = m * A.grad",
        formulas="F010 F011 F172",
        inputs=lambda rng: {"A": probabilities(rng, 1, M), "Y": binary(rng, 1, M)},
        manual=costs.binary_cross_entropy_prime,
        exact=lambda A, Y: M * _dA(A, Y),
        naive={"A.grad": _dA},
        bounds={"dA": lambda u, at: bounds.output_dA(u, at.dA, at.A, "sigmoid") + bounds.rounded(u, at.dA, 3)},
    ),
    Convention(
        "layout.dW",
        "dW",
        notes="carries the 1/m: dW = (1/m) dZ A_prev^T",
        torch="weight.grad of a mean loss carries it too",
        translation="dW = weight.grad, the upstream gradient being dZ/m",
        formulas="F053 F098 F103 F168",
        inputs=lambda rng: {"dZ": normal(rng, N_2, M), "A_prev": normal(rng, N_X, M), "W": normal(rng, N_2, N_X)},
        manual=dense.weight_gradient,
        exact=lambda dZ, A_prev, W: gradient(lambda at: functional.linear(A_prev.T, at), W, dZ.T / dZ.shape[1]),
        naive={
            "dZ as the upstream gradient": lambda dZ, A_prev, W: gradient(
                lambda at: functional.linear(A_prev.T, at), W, dZ.T
            )
        },
        bounds={"dW": lambda u, at: dW_bound(u, at.dZ, at.A_prev, at.W)},
    ),
)
