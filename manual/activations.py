"""Activation functions and their derivatives, entry by entry.

Every function takes Z of any shape (softmax: examples in columns) and returns an array of Z's shape and dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from manual.notation import Array, check_examples, check_shape

LEAKY_SLOPE = 0.01
"""Slope of the leaky ReLU below zero (F133)."""


def sigmoid(Z: Array) -> Array:
    """Logistic function.

    a = 1 / (1 + e^-z), written as e^min(z, 0) / (1 + e^-|z|) so that no exponential overflows.

    Notes: F003, F048, F139.
    """
    A: Array = np.exp(np.minimum(Z, 0))
    A /= 1 + np.exp(np.minimum(Z, -Z))
    return A


def sigmoid_prime(Z: Array) -> Array:
    """Derivative of the logistic function: g'(z) = a (1 - a).

    Notes: F013, F122.
    """
    A = sigmoid(Z)
    slope: Array = A * (1 - A)
    return slope


def tanh(Z: Array) -> Array:
    """Hyperbolic tangent: a = (e^z - e^-z) / (e^z + e^-z).

    Notes: F125.
    """
    return np.tanh(Z)


def tanh_prime(Z: Array) -> Array:
    """Derivative of the hyperbolic tangent: g'(z) = 1 - a^2.

    Notes: F127, F128.
    """
    return 1 - np.square(np.tanh(Z))


def relu(Z: Array) -> Array:
    """Rectified linear unit: a = max(0, z).

    Notes: F130.
    """
    zeros = np.zeros(Z.shape[-1:], Z.dtype)  # a row of them: NumPy is slower at comparing with one number
    return np.maximum(Z, zeros)


def relu_prime(Z: Array, at_zero: float = 0.0) -> Array:
    """Derivative of the ReLU: 1 for z > 0, 0 for z < 0, ``at_zero`` for z = 0.

    The derivative at 0 is any number of [0, 1]. The default, 0, is torch.relu's choice; the notes take 1 (N4), either
    (N0) or leave it undefined.

    Notes: F131, F132.
    """
    return _step(Z, below=0.0, at_zero=at_zero)


def leaky_relu(Z: Array) -> Array:
    """Leaky rectified linear unit: a = max(0.01 z, z).

    Notes: F133, F135.
    """
    return np.maximum(LEAKY_SLOPE * Z, Z)


def leaky_relu_prime(Z: Array, at_zero: float = LEAKY_SLOPE) -> Array:
    """Derivative of the leaky ReLU: 1 for z > 0, 0.01 for z < 0, ``at_zero`` for z = 0.

    The default at 0, the slope, is torch's choice; the notes take 1 (N4) or leave it undefined.

    Notes: F134.
    """
    return _step(Z, below=LEAKY_SLOPE, at_zero=at_zero)


def _step(Z: Array, below: float, at_zero: float) -> Array:
    """1 for z > 0, ``below`` for z < 0, ``at_zero`` for z = 0, in Z's dtype."""
    positive = Z.real > 0
    if below == at_zero == 0:
        return positive.astype(Z.dtype)
    return np.where(positive, 1, np.where(Z.real < 0, below, at_zero)).astype(Z.dtype, copy=False)


def identity(Z: Array) -> Array:
    """Linear activation: a = z, for regression outputs and to see linear layers collapse.

    Notes: F136, F137.
    """
    return Z.copy()


def identity_prime(Z: Array) -> Array:
    """Derivative of the linear activation: 1.

    Notes: F136.
    """
    return np.ones_like(Z)


def softmax(Z: Array) -> Array:
    """Softmax over the classes, one distribution per example.

    a_j = e^(z_j - max z) / sum_k e^(z_k - max z): the shift cancels and keeps the exponentials below 1.

    Z is (n_L, m), classes in rows; every column of the result sums to 1.

    Raises ValueError unless Z is a matrix.

    Notes: F247 (the recipe's class probabilities p).
    """
    check_examples("Z", Z)
    E: Array = np.exp(Z - Z.max(axis=0, keepdims=True))
    E /= E.sum(axis=0, keepdims=True)
    return E


def softmax_backward(dA: Array, A: Array) -> Array:
    """Derivative through the softmax, whose outputs depend on every input of their column.

    dz_j = sum_k da_k * da_k/dz_j = a_j (da_j - sum_k a_k da_k), since da_k/dz_j = a_k (delta_kj - a_j).

    dA, A = softmax(Z) and the result dZ are (n_L, m).

    Raises ValueError unless dA and A are matrices of one shape.

    Notes: F247.
    """
    check_examples("A", A)
    check_shape("dA", dA, A.shape, "dA has the shape of A")
    dZ: Array = A * (dA - np.sum(A * dA, axis=0, keepdims=True))
    return dZ


class Activation(NamedTuple):
    """An activation g and its derivative, both functions of Z."""

    g: Callable[[Array], Array]
    g_prime: Callable[[Array], Array]


ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Activation(sigmoid, sigmoid_prime),
    "tanh": Activation(tanh, tanh_prime),
    "relu": Activation(relu, relu_prime),
    "leaky_relu": Activation(leaky_relu, leaky_relu_prime),
    "identity": Activation(identity, identity_prime),
}
"""The activations that act entry by entry. Softmax mixes the entries of a column: see softmax_backward."""
