"""Logistic regression: the graph of one example, and the step over all."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

import manual.logistic_regression as by_hand
import torch_ref.logistic_regression as torch_side
from manual.costs import binary_cross_entropy_from_logits
from manual.notation import Array
from parity_tests.formulas.case import N_X, Case, Derivative, Inputs, M, binary, normal
from parity_tests.judging import bounds


def _one(rng: np.random.Generator) -> Inputs:
    return {
        "w": normal(rng, N_X, 1),
        "b": float(rng.standard_normal()),
        "x": normal(rng, N_X, 1),
        "y": float(rng.integers(0, 2)),
    }


def _all(rng: np.random.Generator) -> Inputs:
    return {
        "w": normal(rng, N_X, 1),
        "b": float(rng.standard_normal()),
        "X": normal(rng, N_X, M),
        "Y": binary(rng, 1, M),
    }


def _loss(w: Array, b: Any, x: Array, y: float) -> Any:
    return binary_cross_entropy_from_logits(w.T @ x + b, np.full((1, 1), y))


def _J(w: Array, b: Any, X: Array, Y: Array) -> Any:
    return binary_cross_entropy_from_logits(w.T @ X + b, Y)


def _z_error(u: float, w: Array, b: float, x: Array) -> Any:
    """Error of z = w^T x + b."""
    return bounds.gamma(N_X + 2, u) * (np.abs(w).T @ np.abs(x) + abs(b))


def _a_error(u: float, w: Array, b: float, x: Array) -> Any:
    """Error of a = sigmoid(z): that of z through the slope a (1 - a), and the sigmoid's own."""
    a = special.expit(w.T @ x + b)
    return a * (1 - a) * _z_error(u, w, b, x) + bounds.ELEMENTARY * u * a


def _one_bounds() -> dict[str, Any]:
    def z(u: float, at: Any) -> Any:
        return float(_z_error(u, at.w, at.b, at.x)[0, 0])

    def a(u: float, at: Any) -> Any:
        return float(_a_error(u, at.w, at.b, at.x)[0, 0])

    def L(u: float, at: Any) -> Any:
        return bounds.cost_from_logits(u, at.L, np.reshape(at.z, (1, 1)), "sigmoid") + z(u, at)

    def dz(u: float, at: Any) -> Any:
        return a(u, at) + 3 * u * abs(at.dz)

    def da(u: float, at: Any) -> Any:
        chosen = at.a if at.y == 1 else 1 - at.a
        return abs(at.da) * (a(u, at) + u) / chosen + 4 * u * abs(at.da)

    return {
        "z": z,
        "a": a,
        "L": L,
        "da": da,
        "dz": dz,
        "dw": lambda u, at: np.abs(at.x) * dz(u, at) + u * np.abs(at.dw),
        "dw1": lambda u, at: abs(at.x[0, 0]) * dz(u, at) + u * abs(at.dw[0, 0]),
        "dw2": lambda u, at: abs(at.x[1, 0]) * dz(u, at) + u * abs(at.dw[1, 0]),
        "db": dz,
    }


def _all_bounds() -> dict[str, Any]:
    def dZ(u: float, at: Any) -> Any:
        return _a_error(u, at.w, at.b, at.X) + 3 * u

    def J(u: float, at: Any) -> Any:
        Z = at.w.T @ at.X + at.b
        return bounds.cost_from_logits(u, at.J, Z, "sigmoid") + _z_error(u, at.w, at.b, at.X).sum() / M

    def gradient(u: float, at: Any, factors: Array) -> Any:
        """(1/m) sum of factors * dZ: dZ's error and the sum's."""
        magnitude = np.abs(special.expit(at.w.T @ at.X + at.b) - at.Y)
        return (factors @ (dZ(u, at) + bounds.gamma(M + 4, u) * magnitude).T) / M

    return {
        "dw": lambda u, at: gradient(u, at, np.abs(at.X)),
        "db": lambda u, at: gradient(u, at, np.ones((1, M)))[0, 0],
        "J": J,
    }


CASES = (
    Case(
        "logistic_regression.one_example",
        "F001 F003 F005 F010 F013 F014 F016 F017",
        inputs=_one,
        manual=by_hand.one_example,
        loop=None,
        reference=torch_side.one_example,
        bounds=_one_bounds(),
        derivatives={
            "dz": Derivative(of=lambda w, b, x, y: _loss(w, b, x, y), wrt="b"),
            "dw": Derivative(of=_loss, wrt="w"),
            "db": Derivative(of=_loss, wrt="b"),
        },
    ),
    Case(
        "logistic_regression.propagate",
        "F008 F024 F026 F047 F048 F050 F051 F053",
        inputs=_all,
        manual=by_hand.propagate,
        loop=by_hand.propagate_loop,
        reference=torch_side.propagate,
        bounds=_all_bounds(),
        derivatives={"dw": Derivative(of=_J, wrt="w"), "db": Derivative(of=_J, wrt="b")},
    ),
)
