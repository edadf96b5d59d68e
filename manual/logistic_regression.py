"""Logistic regression: the graph of one example, the two loops over all, and the vectorised step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from manual.activations import sigmoid
from manual.costs import binary_cross_entropy_from_logits
from manual.notation import Array, Scalar, check_examples, check_shape


class OneExample(NamedTuple):
    """Every node of the graph x, w, b -> z -> a -> L, and the derivative of L at each.

    z, a, L, da, dz and db are numbers, dw is (n_x, 1); dw1 and dw2 are its first two entries, as the notes draw them.
    """

    z: Scalar
    a: Scalar
    L: Scalar
    da: Scalar
    dz: Scalar
    dw: Array
    db: Scalar

    @property
    def dw1(self) -> Scalar:
        """dL/dw_1 = x_1 dz."""
        return self.dw[0, 0]

    @property
    def dw2(self) -> Scalar:
        """dL/dw_2 = x_2 dz."""
        return self.dw[1, 0]


def one_example(w: Array, b: float, x: Array, y: float) -> OneExample:
    """Forward and backward through the graph of a single example.

    z = w^T x + b, a = sigmoid(z), L = -(y log a + (1 - y) log(1 - a)); da = -y/a + (1 - y)/(1 - a), dz = a - y,
    dw = x dz, db = dz.

    w and x are (n_x, 1), b and y numbers, y 0 or 1. L comes from z, so that it is finite for every z; da is infinite
    where a rounds to the wrong certainty.

    Raises ValueError unless w and x are columns of one length.

    Notes: F001, F003, F005, F010, F013, F014, F016, F017.
    """
    n_x, _ = check_examples("x", x)
    check_shape("x", x, (n_x, 1), "x is one example, a column")
    check_shape("w", w, (n_x, 1), "w is a column with an entry per feature")
    z = np.sum(w * x) + b
    a = sigmoid(z)
    L = binary_cross_entropy_from_logits(np.reshape(z, (1, 1)), np.reshape(y, (1, 1)))
    with np.errstate(divide="ignore"):
        da = (0 if y == 0 else -y / a) + (0 if y == 1 else (1 - y) / (1 - a))
    dz = a - y
    return OneExample(z, a, L, da, dz, dw=x * dz, db=dz)


class Propagation(NamedTuple):
    """Gradients and cost over all examples: dw (n_x, 1), db and J numbers."""

    dw: Array
    db: Scalar
    J: Scalar


def propagate_loop(w: Array, b: float, X: Array, Y: Array) -> Propagation:
    """Two loops, over examples and over features, with accumulators. See propagate."""
    n_x, m = X.shape
    J: Scalar = 0.0
    dw = np.zeros((n_x, 1), np.result_type(w, X))
    db: Scalar = 0.0
    for i in range(m):
        x, y = X[:, i : i + 1], Y[0, i]
        z = np.sum(w * x) + b
        a = sigmoid(z)
        J += binary_cross_entropy_from_logits(np.reshape(z, (1, 1)), np.reshape(y, (1, 1)))
        dz = a - y
        for j in range(n_x):
            dw[j, 0] += x[j, 0] * dz
        db += dz
    return Propagation(dw / m, db / m, J / m)


def propagate(w: Array, b: float, X: Array, Y: Array) -> Propagation:
    """Cost and gradients of logistic regression, over all examples at once.

    Z = w^T X + b, A = sigmoid(Z), dZ = A - Y, dw = (1/m) X dZ^T, db = (1/m) sum dZ, J = (1/m) sum L(a, y).

    w is (n_x, 1), b a number, X (n_x, m), Y (1, m) of 0 and 1.

    Raises ValueError where the shapes do not fit.

    Notes: F008, F026, F027, F047, F050, F051, F053, F056.
    """
    n_x, m = check_examples("X", X)
    check_shape("w", w, (n_x, 1), "w is a column with an entry per feature of X")
    check_shape("Y", Y, (1, m), "Y is a row with an entry per example of X")
    Z = w.T @ X + b
    dZ = sigmoid(Z) - Y.astype(X.dtype, copy=False)
    return Propagation(X @ dZ.T / m, np.sum(dZ) / m, binary_cross_entropy_from_logits(Z, Y))
