"""Logistic regression: the graph of one example, and the step over all."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

import manual.logistic_regression as by_hand
import torch_ref.logistic_regression as torch_side
from manual.costs import binary_cross_entropy_from_logits
from manual.notation import Array
from parity_tests.formulas.case import N_X, Derivative, Inputs, M, binary, normal
from parity_tests.formulas.formula import EXAMPLES, Formula, Words, code, probe, refusal
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


W, X, Y = np.ones((4, 2)), np.ones((2, 3)), np.ones((1, 3))
"""Arrays to be refused."""


FORMULAS = (
    Formula(
        (code(by_hand, torch_side, "one_example", "F001 F003 F005 F010 F013 F014 F016 F017"),),
        Words(
            "One unit, one example: the computational graph",
            r"z = w^{T} x + b, \qquad a = \sigma(z), \qquad L(a, y) = -\bigl(y \log a + (1-y)\log(1-a)\bigr)"
            "\n"
            r"da = -\frac{y}{a} + \frac{1-y}{1-a}, \qquad dz = a - y, \qquad dw = x\, dz, \qquad db = dz",
            r"Walk the graph backwards. The loss gives $da$. The sigmoid has slope $a(1-a)$, and $da \cdot a(1-a)$ "
            "multiplies out to $-y(1-a) + (1-y)a = a - y$: the fractions are gone. Since $z$ grows by $x_j$ for each "
            "unit of $w_j$ and by 1 for each unit of $b$, the last two follow.",
            "sign",
            "dw and db point uphill: with y - a for a - y the loss rises at every step.",
            see="F012 F015 F002 F033 F028",
            lacks="Every node is one number: over all examples they are the body of the loop in propagate.",
        ),
        cases=(
            probe(
                _one,
                _one_bounds(),
                {
                    "dz": Derivative(of=lambda w, b, x, y: _loss(w, b, x, y), wrt="b"),
                    "dw": Derivative(of=_loss, wrt="w"),
                    "db": Derivative(of=_loss, wrt="b"),
                },
            ),
        ),
        refusals=(
            refusal(
                "w has shape (4, 2), expected (2, 1): w is a column with an entry per feature",
                W,
                0.0,
                X[:, :1],
                1,
            ),
            refusal(f"x has shape (3,), {EXAMPLES}", X[:, :1], 0.0, X[0], 1),
            refusal("x has shape (2, 3), expected (2, 1): x is one example, a column", X[:, :1], 0.0, X, 1),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "propagate", "F008 F026 F027 F047 F050 F051 F053 F056"),),
        Words(
            "Cost and gradients over all examples",
            r"A = \sigma(w^{T} X + b), \qquad dZ = A - Y"
            "\n"
            r"dw = \frac{1}{m} X\, dZ^{T}, \qquad db = \frac{1}{m} \sum_{i=1}^{m} dz^{(i)}",
            r"The cost is a mean of losses, so its derivative is the mean of theirs: $\frac{1}{m} \sum_i x^{(i)} "
            r"dz^{(i)}$. Columns of $X$ times entries of $dZ$, added up: that is the product $X\, dZ^{T}$. The loop "
            "over the features and the loop over the examples both disappear into it.",
            "missing-1/m",
            "dw and db are m times too large; a smaller learning rate hides it until m changes.",
            see="F018 F019 F020 F025 F031 F032 F043 F049 F054 F055",
        ),
        cases=(
            probe(
                _all,
                _all_bounds(),
                {"dw": Derivative(of=_J, wrt="w"), "db": Derivative(of=_J, wrt="b")},
                formulas="F008 F024 F026 F047 F048 F050 F051 F053",
                stays_real={"Y": "targets are cast to the dtype of the inputs"},
            ),
        ),
        refusals=(
            refusal("w has shape (4, 2), expected (2, 1): w is a column with an entry per feature of X", W, 0.0, X, Y),
            refusal(
                "Y has shape (3, 1), expected (1, 3): Y is a row with an entry per example of X",
                X[:, :1],
                0.0,
                X,
                Y.T,
            ),
            refusal(f"X has shape (3,), {EXAMPLES}", X[:, :1], 0.0, X[0], Y),
        ),
        uncompared={"F027": "another reading of a formula that has a case"},
    ),
)
