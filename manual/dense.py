"""A dense layer: Z = W A_prev + b, and its four derivatives.

Each formula stands twice: the loop reads like the sum in the notes, the vectorised form is what runs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from manual.notation import Array, check_examples, check_matrix, check_shape, plus


def linear_forward_loop(A_prev: Array, W: Array, b: Array) -> Array:
    """Unit by unit and example by example: z_j(i) = w_j^T a_prev(i) + b_j. See linear_forward."""
    n_prev, m = A_prev.shape
    n = W.shape[0]
    Z = np.zeros((n, m), np.result_type(A_prev, W, b))
    for i in range(m):
        for j in range(n):
            for k in range(n_prev):
                Z[j, i] += W[j, k] * A_prev[k, i]
            Z[j, i] += b[j, 0]
    return Z


def linear_forward(A_prev: Array, W: Array, b: Array) -> Array:
    """Linear part of a layer: Z = W A_prev + b.

    A_prev is (n_prev, m), W (n, n_prev), b (n, 1), the result (n, m).

    Raises ValueError where the shapes do not fit.

    Notes: F047, F068, F072, F151, F153, F154.
    """
    n_prev, _ = check_examples("A_prev", A_prev)
    n, _ = check_matrix("W", W, "W is (n_l, n_prev)")
    check_shape("W", W, (n, n_prev), "W is (n_l, n_prev), one column per unit of A_prev")
    check_shape("b", b, (n, 1), "b is (n_l, 1), one bias per row of W")
    return plus(W @ A_prev, b)


def weight_gradient_loop(dZ: Array, A_prev: Array, W: Array, lambda_: float = 0.0) -> Array:
    """Weight by weight: dw_jk = (1/m) (sum_i dz_j(i) a_prev_k(i) + lambda w_jk). See weight_gradient."""
    n, n_prev = W.shape
    m = A_prev.shape[1]
    dW = np.zeros((n, n_prev), np.result_type(dZ, A_prev, W))
    for j in range(n):
        for k in range(n_prev):
            for i in range(m):
                dW[j, k] += dZ[j, i] * A_prev[k, i]
            dW[j, k] = (dW[j, k] + lambda_ * W[j, k]) / m
    return dW


def weight_gradient(dZ: Array, A_prev: Array, W: Array, lambda_: float = 0.0) -> Array:
    """Gradient of the regularised cost in the weights: dW = (1/m) dZ A_prev^T + (lambda/m) W.

    dZ is (n, m), per example; A_prev (n_prev, m); W and the result (n, n_prev).

    Raises ValueError where the shapes do not fit.

    Notes: F053, F098, F103, F168, F201, F202.
    """
    n_prev, m = check_examples("A_prev", A_prev)
    n, _ = check_matrix("W", W, "W is (n_l, n_prev)")
    check_shape("W", W, (n, n_prev), "W is (n_l, n_prev), one column per unit of A_prev")
    check_shape("dZ", dZ, (n, m), "dZ is (n_l, m), one row per row of W and one column per example")
    dW = dZ @ A_prev.T
    dW *= 1 / m
    if lambda_:
        dW = plus(dW, lambda_ / m * W)
    return dW


def bias_gradient_loop(dZ: Array) -> Array:
    """Unit by unit: db_j = (1/m) sum_i dz_j(i). See bias_gradient."""
    n, m = dZ.shape
    db = np.zeros((n, 1), dZ.dtype)
    for j in range(n):
        for i in range(m):
            db[j, 0] += dZ[j, i]
        db[j, 0] /= m
    return db


def bias_gradient(dZ: Array) -> Array:
    """Gradient of the cost in the biases: db = (1/m) sum_i dz(i), kept as a column.

    dZ is (n, m), per example; the result (n, 1). The L2 penalty has no part in it.

    Raises ValueError unless dZ is a matrix.

    Notes: F051, F098, F103, F169.
    """
    _, m = check_examples("dZ", dZ)
    db: Array = dZ.sum(axis=1, keepdims=True)
    db /= m
    return db


def input_gradient_loop(dZ: Array, W: Array) -> Array:
    """Entry by entry: da_prev_k(i) = sum_j w_jk dz_j(i). See input_gradient."""
    n, n_prev = W.shape
    m = dZ.shape[1]
    dA_prev = np.zeros((n_prev, m), np.result_type(dZ, W))
    for i in range(m):
        for k in range(n_prev):
            for j in range(n):
                dA_prev[k, i] += W[j, k] * dZ[j, i]
    return dA_prev


def input_gradient(dZ: Array, W: Array) -> Array:
    """Derivative in the layer's input, per example: dA_prev = W^T dZ.

    dZ is (n, m), W (n, n_prev), the result (n_prev, m), without 1/m.

    Raises ValueError where the shapes do not fit.

    Notes: F099, F170, F190.
    """
    n, _ = check_examples("dZ", dZ)
    _, n_prev = check_matrix("W", W, "W is (n_l, n_prev)")
    check_shape("W", W, (n, n_prev), "W is (n_l, n_prev), one row per row of dZ")
    return W.T @ dZ


class LinearBackward(NamedTuple):
    """What a layer hands back: dA_prev (n_prev, m) per example, dW (n, n_prev) and db (n, 1) with the 1/m."""

    dA_prev: Array
    dW: Array
    db: Array


def linear_backward_loop(dZ: Array, A_prev: Array, W: Array, lambda_: float = 0.0) -> LinearBackward:
    """The three loops together. See linear_backward."""
    return LinearBackward(
        input_gradient_loop(dZ, W), weight_gradient_loop(dZ, A_prev, W, lambda_), bias_gradient_loop(dZ)
    )


def linear_backward(dZ: Array, A_prev: Array, W: Array, lambda_: float = 0.0) -> LinearBackward:
    """The three derivatives of a layer: input_gradient, weight_gradient and bias_gradient.

    Raises ValueError where the shapes do not fit.

    Notes: F163, F168, F169, F170.
    """
    return LinearBackward(input_gradient(dZ, W), weight_gradient(dZ, A_prev, W, lambda_), bias_gradient(dZ))
