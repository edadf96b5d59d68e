"""Costs, their derivatives, and the L2 penalty.

J = (1/m) sum_i L(i), summed over the outputs of an example. Each cost stands in two forms: on A, as the notes print it,
and on Z (``_from_logits``), which overflows nowhere. Derivatives are per example: no 1/m. Logarithms are natural.

Where examples have weights s, (1, m), J = (1/m) sum_i s_i L(i). Such of mean 1, from ``relative_weights``, make it the
weighted mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from manual.notation import Array, Scalar, check_examples, check_shape


def binary_cross_entropy(A: Array, Y: Array) -> Scalar:
    """Cross-entropy of independent 0/1 outputs.

    J = -(1/m) sum (y log a + (1 - y) log(1 - a)), with 0 log 0 = 0.

    A in [0, 1] and Y are (n_L, m). The result has A's dtype; it is infinite where a certain answer is wrong.

    Raises ValueError unless A and Y are matrices of one shape.

    Notes: F005, F006, F008, F196, F198. Differs from torch, which clamps the logarithm at -100 and, with
    reduction="mean", divides by n_L too (F175).
    """
    Y, m = _targets("A", A, Y)
    return -np.sum(_times_log(Y, A) + _times_log(1 - Y, 1 - A)) / m


def binary_cross_entropy_prime(A: Array, Y: Array) -> Array:
    """Derivative of the binary cross-entropy: da = -y/a + (1 - y)/(1 - a), with 0/0 = 0.

    A, Y and the result are (n_L, m).

    Raises ValueError unless A and Y are matrices of one shape.

    Notes: F010, F011, F172.
    """
    Y, _ = _targets("A", A, Y)
    return _over(1 - Y, 1 - A) - _over(Y, A)


def binary_cross_entropy_from_logits(Z: Array, Y: Array, weights: Array | None = None) -> Scalar:
    """Binary cross-entropy of sigmoid(Z), finite for every finite Z.

    J = (1/m) sum s (log(1 + e^z) - y z), with log(1 + e^z) = max(z, 0) + log(1 + e^-|z|).

    Z and Y are (n_L, m), s = ``weights`` (1, m), 1 for all where there are none.

    Raises ValueError unless Z and Y are matrices of one shape, with a weight for each example.

    Notes: F005, F008.
    """
    Y, m = _targets("Z", Z, Y)
    minus_abs = np.minimum(Z, -Z)  # -|z|, differentiable along the imaginary axis
    losses = np.maximum(Z, 0) - Y * Z + np.log1p(np.exp(minus_abs))
    return _weighed(losses, weights).sum() / m


def cross_entropy(A: Array, Y: Array) -> Scalar:
    """Cross-entropy of one-hot classes.

    J = -(1/m) sum y log a, with 0 log 0 = 0.

    A and Y are (n_L, m); the columns of A are distributions, those of Y one-hot.

    Raises ValueError unless A and Y are matrices of one shape.

    Notes: F247, F248 (ln C for C classes before training).
    """
    Y, m = _targets("A", A, Y)
    return -np.sum(_times_log(Y, A)) / m


def cross_entropy_prime(A: Array, Y: Array) -> Array:
    """Derivative of the cross-entropy: da = -y/a, with 0/0 = 0.

    A, Y and the result are (n_L, m).

    Raises ValueError unless A and Y are matrices of one shape.

    Notes: F247.
    """
    Y, _ = _targets("A", A, Y)
    return -_over(Y, A)


def cross_entropy_from_logits(Z: Array, Y: Array, weights: Array | None = None) -> Scalar:
    """Cross-entropy of softmax(Z), finite for every finite Z.

    J = (1/m) sum_i s_i sum_k y_k (log sum_j e^(d_j) - d_k) with d = z - max z.

    Z and Y are (n_L, m), s = ``weights`` (1, m), 1 for all where there are none.

    Raises ValueError unless Z and Y are matrices of one shape, with a weight for each example.

    Notes: F247.
    """
    Y, m = _targets("Z", Z, Y)
    D = Z - Z.max(axis=0, keepdims=True)
    log_sum = np.log(np.exp(D).sum(axis=0, keepdims=True))  # (1, m)
    losses = Y * (log_sum - D)
    return _weighed(losses, weights).sum() / m


def squared_error(A: Array, Y: Array, weights: Array | None = None) -> Scalar:
    """Half the squared error: J = (1/2m) sum s (a - y)^2.

    A and Y are (n_L, m), s = ``weights`` (1, m), 1 for all where there are none. The notes leave the regression loss
    open; the half makes dz = a - y.

    Raises ValueError unless A and Y are matrices of one shape, with a weight for each example.

    Notes: F137. Differs from torch's MSELoss, which has no half and divides by n_L too.
    """
    Y, m = _targets("A", A, Y)
    return _weighed(np.square(A - Y), weights).sum() / (2 * m)


def squared_error_prime(A: Array, Y: Array) -> Array:
    """Derivative of half the squared error: da = a - y.

    A, Y and the result are (n_L, m).

    Raises ValueError unless A and Y are matrices of one shape.

    Notes: F137.
    """
    Y, _ = _targets("A", A, Y)
    dA: Array = A - Y
    return dA


def squared_error_from_logits(Z: Array, Y: Array, weights: Array | None = None) -> Scalar:
    """Half the squared error of the identity output, where a = z.

    Raises ValueError unless Z and Y are matrices of one shape, with a weight for each example.

    Notes: F137.
    """
    return squared_error(Z, Y, weights)


def output_dZ(A: Array, Y: Array, weights: Array | None = None) -> Array:
    """Derivative at the output's Z: dz = s (a - y), per example.

    It holds for sigmoid with binary cross-entropy, softmax with cross-entropy and identity with half the squared error.

    A, Y and the result are (n_L, m), s = ``weights`` (1, m), 1 for all where there are none.

    Raises ValueError unless A and Y are matrices of one shape, with a weight for each example.

    Notes: F014, F050, F098.
    """
    Y, _ = _targets("A", A, Y)
    return _weighed(A - Y, weights)


def relative_weights_loop(weights: Array) -> Array:
    """Example by example: s_i = m w_i / sum_j w_j. See relative_weights."""
    total = weights.dtype.type(0)
    for i in range(weights.shape[1]):
        total += weights[0, i]
    s = np.empty_like(weights)
    for i in range(weights.shape[1]):
        s[0, i] = weights.shape[1] * weights[0, i] / total
    return s


def relative_weights(weights: Array) -> Array:
    """Weights of examples as multiples of their mean: s_i = m w_i / sum_j w_j.

    So (1/m) sum_i s_i L(i) = sum_i w_i L(i) / sum_i w_i, the mean that scikit-learn's networks and the losses of torch
    with class weights take over a batch: an example of weight 2 counts as if it were there twice.

    ``weights`` and the result are (1, m); weights that are all 1 stay as they are to the last bit.

    Raises ValueError unless the weights are one row of finite numbers above 0.
    """
    if weights.ndim != 2 or len(weights) != 1 or not np.all((weights.real > 0) & np.isfinite(weights)):
        raise ValueError(f"weights is {weights}, expected (1, m) finite numbers above 0: one for each example")
    s: Array = weights * (weights.shape[1] / weights.sum())
    return s


def l2_penalty_loop(weights: Iterable[Array], lambda_: float, m: int) -> Scalar:
    """The triple sum of the notes, over layers, rows and columns. See l2_penalty."""
    total: Scalar = 0.0
    for W in weights:
        for k in range(W.shape[0]):
            for j in range(W.shape[1]):
                total += W[k, j] ** 2
    return lambda_ / (2 * m) * total


def l2_penalty(weights: Iterable[Array], lambda_: float, m: int) -> Scalar:
    """L2 penalty: lambda/(2m) sum_l sum_k sum_j (W_kj^[l])^2, over weights and never over biases.

    ``weights`` are arrays of any shape, ``lambda_`` is a Python float, ``m`` the number of examples of the call.

    Raises ValueError if m < 1 or lambda_ < 0.

    Notes: F199, F206, F207. Differs from torch's weight_decay, which is lambda/m and reaches biases unless told
    otherwise.
    """
    if m < 1:
        raise ValueError(f"m is {m}, expected at least 1: the penalty is divided by the number of examples")
    if lambda_ < 0:
        raise ValueError(f"lambda_ is {lambda_}, expected at least 0: the penalty shrinks the weights")
    return lambda_ / (2 * m) * sum(W.ravel() @ W.ravel() for W in weights)


class Cost(NamedTuple):
    """A cost on A, its derivative in A, and the same cost on Z, which takes weights too."""

    from_A: Callable[[Array, Array], Scalar]
    prime: Callable[[Array, Array], Array]
    from_Z: Callable[..., Scalar]


OUTPUT_COSTS: dict[str, Cost] = {
    "sigmoid": Cost(binary_cross_entropy, binary_cross_entropy_prime, binary_cross_entropy_from_logits),
    "softmax": Cost(cross_entropy, cross_entropy_prime, cross_entropy_from_logits),
    "identity": Cost(squared_error, squared_error_prime, squared_error_from_logits),
}
"""The output unit decides the cost, such that dZ_L = A_L - Y for all three."""


def _targets(name: str, A: Array, Y: Array) -> tuple[Array, int]:
    """Y in A's dtype, and the number of examples m; ValueError unless A is a matrix and Y has its shape."""
    _, m = check_examples(name, A)
    check_shape("Y", Y, A.shape, f"Y has the shape of {name}")
    return Y.astype(A.dtype, copy=False), m


def _weighed(losses: Array, weights: Array | None) -> Array:
    """What each example has, times its weight."""
    if weights is None:
        return losses
    check_shape("weights", weights, (1, losses.shape[1]), "a weight for each example")
    return weights.astype(losses.dtype, copy=False) * losses


def _times_log(P: Array, A: Array) -> Array:
    """P log A with 0 log 0 = 0."""
    with np.errstate(divide="ignore"):  # log 0 = -inf is the cost of a certain wrong answer
        return P * np.log(np.where(P == 0, 1, A))


def _over(P: Array, A: Array) -> Array:
    """P / A with 0/0 = 0."""
    with np.errstate(divide="ignore", over="ignore"):  # 1/0 = inf is the slope at a certain wrong answer
        return P / np.where(P == 0, 1, A)
