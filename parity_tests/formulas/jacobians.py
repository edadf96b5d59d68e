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


CASES = (
    Case(
        "jacobians.dZ_dW",
        "F183",
        inputs=lambda rng: {"A_prev": normal(rng, N_X, M), "n": N_1},
        manual=by_hand.dZ_dW,
        loop=None,
        reference=torch_side.dZ_dW,
        bounds={"dZ_dW": lambda u, at: bounds.exact(u, at.dZ_dW)},
    ),
    Case(
        "jacobians.dA_dZ",
        "F184",
        inputs=lambda rng: {"Z": normal(rng, N_1, M)},
        manual=lambda Z: by_hand.dA_dZ(Z, tanh_prime),
        loop=None,
        reference=lambda Z: torch_side.dA_dZ(Z, torch_tanh),
        bounds={"dA_dZ": lambda u, at: bounds.derivative(u, at.dA_dZ, np.where(at.dA_dZ != 0, 1.0, 0.0), "tanh")},
        derivatives={"dA_dZ": Derivative(of=tanh, wrt="Z")},
    ),
    Case(
        "jacobians.dZ_dA_prev",
        "F188",
        inputs=lambda rng: {"W": normal(rng, N_1, N_X), "m": M},
        manual=by_hand.dZ_dA_prev,
        loop=None,
        reference=torch_side.dZ_dA_prev,
        bounds={"dZ_dA_prev": lambda u, at: bounds.exact(u, at.dZ_dA_prev)},
    ),
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
)
