"""N3's Jacobians of a layer, and the sums that contract them to gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

import manual.jacobians as by_hand
import torch_ref.jacobians as torch_side
from manual.activations import tanh, tanh_prime
from manual.dense import linear_forward
from manual.notation import Array
from parity_tests.formulas.case import N_1, N_X, Case, Derivative, Inputs, M, normal
from parity_tests.formulas.dense import Z_bound
from parity_tests.formulas.formula import BY_INDEX, EXAMPLES, MATRIX, Formula, Words, code, probe, refusal
from parity_tests.judging import bounds
from torch_ref.activations import tanh as torch_tanh


def _layer(rng: np.random.Generator) -> Inputs:
    return {
        "dA": normal(rng, N_1, M),
        "W": normal(rng, N_1, N_X),
        "b": normal(rng, N_1, 1),
        "A_prev": normal(rng, N_X, M),
    }


def _without_dA(rng: np.random.Generator) -> Inputs:
    layer = _layer(rng)
    del layer["dA"]
    return layer


def _g_prime_error(u: float, at: Any) -> Any:
    """Error of g'(Z) for tanh: its own, and Z's through |g''| <= 2 |a|."""
    a = np.abs(np.tanh(at.W @ at.A_prev + at.b))
    return bounds.derivative(u, 1 - a**2, a, "tanh") + 2 * a * Z_bound(u, at.A_prev, at.W, at.b)


def _slope(at: Any) -> Any:
    return 1 - np.tanh(at.W @ at.A_prev + at.b) ** 2


def _dA_dW_bound(u: float, at: Any) -> Any:
    error = _g_prime_error(u, at) + 3 * u * _slope(at)
    return np.einsum("ke,je,ki->keij", error, np.abs(at.A_prev), np.eye(N_1))


def _dW_bound(u: float, at: Any) -> Any:
    error = _g_prime_error(u, at) + bounds.gamma(M * N_1 + 4, u) * _slope(at)
    return np.einsum("ie,ie,je->ij", np.abs(at.dA), error, np.abs(at.A_prev))


def _dA_prev_bound(u: float, at: Any) -> Any:
    error = _g_prime_error(u, at) + bounds.gamma(M * N_1 + 4, u) * _slope(at)
    return np.einsum("cj,cj,ci->ij", np.abs(at.dA), error, np.abs(at.W))


def _weighted(dA: Array, W: Array, b: Array, A_prev: Array) -> Any:
    return np.sum(dA * tanh(linear_forward(A_prev, W, b)))


W, X = np.ones((4, 2)), np.ones((2, 3))
"""Arrays to be refused."""


FORMULAS = (
    Formula(
        (code(by_hand, torch_side, "dZ_dW", "F183"),),
        Words(
            "Index by index: Z by W",
            r"\frac{\partial z_{ke}}{\partial w_{ij}} = \delta_{ki}\, a_{je}",
            r"$z_{ke} = \sum_j w_{kj} a_{je} + b_k$ contains $w_{ij}$ only if $k = i$, and then with the factor "
            "$a_{je}$.",
            "index",
            "a_ej for a_je: the indices of A_prev are swapped, which only a square A_prev allows.",
            see="F182",
            lacks=BY_INDEX,
        ),
        cases=(
            probe(
                lambda rng: {"A_prev": normal(rng, N_X, M), "n": N_1},
                {"dZ_dW": lambda u, at: bounds.exact(u, at.dZ_dW)},
            ),
        ),
        refusals=(refusal(f"A_prev has shape (3,), {EXAMPLES}", X[0], 2),),
    ),
    Formula(
        (code(by_hand, torch_side, "dA_dZ", "F184"),),
        Words(
            "Index by index: A by Z",
            r"\frac{\partial a_{ke}}{\partial z_{ij}} = g'(z_{ke})\, \delta_{ki}\, \delta_{ej}",
            "The activation acts entry by entry: an entry of $A$ depends on the entry of $Z$ in its own place alone. "
            "Softmax is the exception.",
            "gprime-at-a",
            "g'(a) in place of g'(z): right sign, wrong size, for every activation but ReLU and identity.",
            lacks=BY_INDEX,
        ),
        cases=(
            Case(
                "jacobians.dA_dZ",
                "F184",
                inputs=lambda rng: {"Z": normal(rng, N_1, M)},
                manual=lambda Z: by_hand.dA_dZ(Z, tanh_prime),
                loop=None,
                reference=lambda Z: torch_side.dA_dZ(Z, torch_tanh),
                bounds={
                    "dA_dZ": lambda u, at: bounds.derivative(u, at.dA_dZ, np.where(at.dA_dZ != 0, 1.0, 0.0), "tanh")
                },
                derivatives={"dA_dZ": Derivative(of=tanh, wrt="Z")},
            ),
        ),
        refusals=(refusal(f"Z has shape (3,), {EXAMPLES}", X[0], tanh_prime),),
    ),
    Formula(
        (code(by_hand, torch_side, "dZ_dA_prev", "F188"),),
        Words(
            "Index by index: Z by A_prev",
            r"\frac{\partial z_{kl}}{\partial a_{ij}} = w_{ki}\, \delta_{lj}",
            "Example $l$ of $Z$ sees example $l$ of $A_{prev}$ only, each entry with its weight.",
            "left-side",
            "The left side names L, not z: then a sum over k is missing.",
            lacks=BY_INDEX,
        ),
        cases=(
            probe(
                lambda rng: {"W": normal(rng, N_1, N_X), "m": M},
                {"dZ_dA_prev": lambda u, at: bounds.exact(u, at.dZ_dA_prev)},
            ),
        ),
        refusals=(refusal(f"W has shape (3,), {MATRIX}: W is (n_l, n_prev)", X[0], 2),),
    ),
    Formula(
        (code(by_hand, torch_side, "dA_dW", "F185"),),
        Words(
            "Index by index: A by W",
            r"\frac{\partial a_{ke}}{\partial w_{ij}} = \sum_{c} \sum_{f} \frac{\partial a_{ke}}{\partial z_{cf}} "
            r"\frac{\partial z_{cf}}{\partial w_{ij}} = g'(z_{ke})\, a_{je}\, \delta_{ki}",
            "Sum over every entry of $Z$ in between; the deltas leave one term. The names of the sums must be new "
            "letters, different from those on the left.",
            "index",
            "A summation index that also stands on the left: the sum no longer means what it says.",
            lacks=BY_INDEX,
        ),
        cases=(
            Case(
                "jacobians.dA_dW",
                "F185",
                inputs=_without_dA,
                manual=lambda W, b, A_prev: by_hand.dA_dW(linear_forward(A_prev, W, b), A_prev, tanh_prime),
                loop=None,
                reference=lambda W, b, A_prev: torch_side.dA_dW(W, b, A_prev, torch_tanh),
                bounds={"dA_dW": _dA_dW_bound},
                derivatives={"dA_dW": Derivative(of=lambda W, b, A_prev: tanh(linear_forward(A_prev, W, b)), wrt="W")},
            ),
        ),
        refusals=(
            refusal(
                "A_prev has shape (2, 2), expected (2, 3): A_prev is (n_prev, m), one column per example of Z",
                X,
                X[:, :2],
                tanh_prime,
            ),
            refusal(f"Z has shape (3,), {EXAMPLES}", X[0], X, tanh_prime),
            refusal(f"A_prev has shape (3,), {EXAMPLES}", X, X[0], tanh_prime),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "weight_gradient_by_index", "F186 F187"),),
        Words(
            "Index by index: L by W",
            r"\frac{\partial L}{\partial w_{ij}} = \sum_{e=1}^{m} \frac{\partial L}{\partial a_{ie}}\, g'(z_{ie})\, "
            "a_{je}",
            r"Put the pieces together: $\delta_{ki}$ removes the sum over the units, the sum over the examples stays. "
            r"Read as matrices it is $(dA * g'(Z))\, A_{prev}^{T}$.",
            "index",
            "The sum stops at the number of units, not of examples: examples are left out.",
            lacks=BY_INDEX,
        ),
        cases=(
            Case(
                "jacobians.weight_gradient_by_index",
                "F186 F187",
                inputs=_layer,
                manual=lambda dA, W, b, A_prev: by_hand.weight_gradient_by_index(
                    dA, linear_forward(A_prev, W, b), A_prev, tanh_prime
                ),
                loop=None,
                reference=lambda dA, W, b, A_prev: torch_side.weight_gradient_by_index(dA, W, b, A_prev, torch_tanh),
                bounds={"dW": _dW_bound},
                derivatives={"dW": Derivative(of=_weighted, wrt="W")},
            ),
        ),
        refusals=(refusal("dA has shape (1, 3), expected (2, 3): dA has the shape of Z", X[:1], X, X, tanh_prime),),
    ),
    Formula(
        (code(by_hand, torch_side, "input_gradient_by_index", "F189 F190"),),
        Words(
            "Index by index: L by A_prev",
            r"\frac{\partial L}{\partial a_{ij}} = \sum_{c} \frac{\partial L}{\partial a_{cj}^{[l]}}\, g'(z_{cj})\, "
            "w_{ci}",
            "Here the sum over the units stays and the examples do not mix. Read as matrices: $W^{T} (dA * g'(Z))$.",
            "g-for-gprime",
            "g for g' in the middle factor: the number is of the right size, and wrong.",
            lacks=BY_INDEX,
        ),
        cases=(
            Case(
                "jacobians.input_gradient_by_index",
                "F189 F190",
                inputs=_layer,
                manual=lambda dA, W, b, A_prev: by_hand.input_gradient_by_index(
                    dA, linear_forward(A_prev, W, b), W, tanh_prime
                ),
                loop=None,
                reference=lambda dA, W, b, A_prev: torch_side.input_gradient_by_index(dA, W, b, A_prev, torch_tanh),
                bounds={"dA_prev": _dA_prev_bound},
                derivatives={"dA_prev": Derivative(of=_weighted, wrt="A_prev")},
            ),
        ),
        refusals=(
            refusal(f"Z has shape (3,), {EXAMPLES}", X, X[0], W, tanh_prime),
            refusal("dA has shape (1, 3), expected (2, 3): dA has the shape of Z", X[:1], X, W, tanh_prime),
            refusal(
                "W has shape (4, 2), expected (2, 2): W is (n_l, n_prev), one row per row of Z",
                X,
                X,
                W,
                tanh_prime,
            ),
            refusal(f"W has shape (2,), {MATRIX}: W is (n_l, n_prev)", X, X, W[0], tanh_prime),
        ),
    ),
)
