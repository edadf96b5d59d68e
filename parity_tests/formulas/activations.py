"""Activations and their derivatives."""

from __future__ import annotations

import numpy as np
from scipy import special

import manual.activations as by_hand
import torch_ref.activations as torch_side
from parity_tests.formulas.case import N_1, Case, Derivative, M, away_from_zero, normal
from parity_tests.judging import bounds


def _forward(unit: str, formulas: str) -> Case:
    """A = g(Z), the probe away from the kinks."""
    return Case(
        f"activations.{unit}",
        formulas,
        inputs=lambda rng: {"Z": 3 * away_from_zero(rng, N_1, M)},
        manual=by_hand.ACTIVATIONS[unit].g,
        loop=None,
        reference=torch_side.ACTIVATIONS[unit].g,
        bounds={"A": lambda u, at: bounds.activation(u, at.A, unit)},
    )


def _prime(unit: str, formulas: str) -> Case:
    """g'(Z): the derivative of the sum of g(Z), whose Jacobian is diagonal."""
    g = by_hand.ACTIVATIONS[unit].g
    magnitude = {"sigmoid": special.expit, "tanh": np.tanh}.get(unit, np.zeros_like)
    return Case(
        f"activations.{unit}_prime",
        formulas,
        inputs=lambda rng: {"Z": 3 * away_from_zero(rng, N_1, M)},
        manual=by_hand.ACTIVATIONS[unit].g_prime,
        loop=None,
        reference=torch_side.ACTIVATIONS[unit].g_prime,
        bounds={"g_prime": lambda u, at: bounds.derivative(u, at.g_prime, magnitude(at.Z), unit)},
        derivatives={"g_prime": Derivative(of=lambda Z: np.sum(g(Z)), wrt="Z")},
    )


def _at_zero(unit: str, formulas: str) -> Case:
    """The convention at the kink: torch's, exactly."""
    return Case(
        f"activations.{unit}_prime_at_zero",
        formulas,
        inputs=lambda rng: {"Z": np.array([[0.0, -0.0, 1.0, -1.0]])},
        manual=by_hand.ACTIVATIONS[unit].g_prime,
        loop=None,
        reference=torch_side.ACTIVATIONS[unit].g_prime,
        bounds={"g_prime": lambda u, at: bounds.exact(u, at.g_prime)},
    )


CASES = (
    _forward("sigmoid", "F003 F048"),
    _forward("tanh", "F125"),
    _forward("relu", "F130"),
    _forward("leaky_relu", "F133"),
    _forward("identity", "F137"),
    _prime("sigmoid", "F013 F122"),
    _prime("tanh", "F127 F128"),
    _prime("relu", "F131 F132"),
    _prime("leaky_relu", "F134"),
    _prime("identity", "F136"),
    _at_zero("relu", "F132"),
    _at_zero("leaky_relu", "F134"),
    Case(
        "activations.softmax",
        "F247",
        inputs=lambda rng: {"Z": 3 * normal(rng, N_1, M)},
        manual=by_hand.softmax,
        loop=None,
        reference=torch_side.softmax,
        bounds={"A": lambda u, at: bounds.softmax(u, at.A, at.Z)},
    ),
    Case(
        "activations.softmax_backward",
        "F247",
        inputs=lambda rng: {"dA": normal(rng, N_1, M), "Z": 2 * normal(rng, N_1, M)},
        manual=lambda dA, Z: by_hand.softmax_backward(dA, by_hand.softmax(Z)),
        loop=None,
        reference=lambda dA, Z: torch_side.softmax_backward(dA, torch_side.softmax(Z)),
        bounds={"dZ": lambda u, at: bounds.softmax_backward(u, at.dA, special.softmax(at.Z, axis=0))},
        derivatives={"dZ": Derivative(of=lambda dA, Z: np.sum(dA * by_hand.softmax(Z)), wrt="Z")},
    ),
)
