"""Losses that the notes end before: on labels, smoothed and weighted; softmax under half the squared error; margins.

Z, A and Y are (n, m): examples are columns. Labels y are whole numbers from 0 to n - 1, one for each example. Label
smoothing is that of Szegedy and others, Rethinking the Inception architecture (2016); Huber's loss that of Robust
estimation of a location parameter (1964); the hinge of several classes that of Weston and Watkins (1999). A cost is
divided by m; its derivative is per example.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from manual.activations import softmax, softmax_backward
from manual.notation import Array, Scalar, check_examples, check_shape


def log_softmax_loop(Z: Array) -> Array:
    """Example by example: log a_j = z_j - max z - log sum_k e^(z_k - max z). See log_softmax."""
    L = np.empty_like(Z)
    for j, i in np.ndindex(Z.shape):
        largest = max(Z[:, i].real)
        total = Z.dtype.type(0)
        for k in range(len(Z)):
            total += np.exp(Z[k, i] - largest)
        L[j, i] = Z[j, i] - largest - np.log(total)
    return L


def log_softmax(Z: Array) -> Array:
    """The logarithm of softmax, without a logarithm of 0: log a_j = z_j - max z - log sum_k e^(z_k - max z).

    Z and the result are (n, m).

    Raises ValueError unless Z is a matrix.
    """
    check_examples("Z", Z)
    shifted = Z - Z.real.max(axis=0, keepdims=True)
    L: Array = shifted - np.log(np.exp(shifted).sum(axis=0, keepdims=True))
    return L


def log_softmax_backward_loop(dL: Array, Z: Array) -> Array:
    """Example by example: dz_j = sum_k dl_k (delta_jk - a_j). See log_softmax_backward."""
    A = np.exp(log_softmax_loop(Z))
    dZ = np.zeros(Z.shape, np.result_type(dL, A))
    for j, k, i in np.ndindex(len(Z), *Z.shape):
        dZ[j, i] += dL[k, i] * (int(j == k) - A[j, i])
    return dZ


def log_softmax_backward(dL: Array, Z: Array) -> Array:
    """Log-softmax backward: dZ = dL - softmax(Z) sum_k dL_k.

    dL, Z and the result are (n, m).

    Raises ValueError unless Z is a matrix and dL has its shape.
    """
    check_shape("dL", dL, Z.shape, "dL has the shape of Z")
    dZ: Array = dL - np.exp(log_softmax(Z)) * dL.sum(axis=0, keepdims=True)
    return dZ


def label_cross_entropy_loop(
    Z: Array, y: Sequence[int], class_weights: Array, sample_weights: Array, smoothing: float = 0.0
) -> Scalar:
    """Example by example and class by class. See label_cross_entropy."""
    L, (n, m) = log_softmax_loop(Z), Z.shape
    J = np.result_type(Z, class_weights, sample_weights).type(0)
    for k, i in np.ndindex(n, m):
        q = (1 - smoothing) * int(k == y[i]) + smoothing / n
        J -= sample_weights[0, i] * class_weights[k, 0] * q * L[k, i] / m
    return J


def label_cross_entropy(
    Z: Array, y: Sequence[int], class_weights: Array, sample_weights: Array, smoothing: float = 0.0
) -> Scalar:
    """Softmax and cross-entropy on labels, smoothed and weighted.

    q_k = (1 - smoothing) [k = y] + smoothing / n
    J = -(1/m) sum_i s_i sum_k w_k q_k log a_k

    Z is (n, m), y has m labels; w = ``class_weights`` is (n, 1), s = ``sample_weights`` (1, m), ones for none. Without
    smoothing it is the negative log-likelihood w_y s (-log a_y).

    Raises ValueError for shapes that do not fit, or a label that is no class.
    Differs from torch in what it divides by: its mean divides by the sum of the weights of the labels.
    """
    targets = _targets(Z, y, class_weights, sample_weights, smoothing)
    return -np.sum(targets * log_softmax(Z)) / Z.shape[1]


def label_cross_entropy_prime_loop(
    Z: Array, y: Sequence[int], class_weights: Array, sample_weights: Array, smoothing: float = 0.0
) -> Array:
    """Example by example and class by class. See label_cross_entropy_prime."""
    A, (n, m) = np.exp(log_softmax_loop(Z)), Z.shape
    dZ = np.zeros(Z.shape, np.result_type(A, class_weights, sample_weights))
    for k, i in np.ndindex(n, m):
        q = (1 - smoothing) * int(k == y[i]) + smoothing / n
        for j in range(n):
            dZ[j, i] -= sample_weights[0, i] * class_weights[k, 0] * q * (int(j == k) - A[j, i])
    return dZ


def label_cross_entropy_prime(
    Z: Array, y: Sequence[int], class_weights: Array, sample_weights: Array, smoothing: float = 0.0
) -> Array:
    """The derivative of label_cross_entropy in Z, per example: with t_k = s w_k q_k it is softmax(Z) sum_k t_k - t.

    Z and the result are (n, m), y has m labels.

    Raises ValueError as label_cross_entropy does.
    """
    targets = _targets(Z, y, class_weights, sample_weights, smoothing)
    dZ: Array = softmax(Z) * targets.sum(axis=0, keepdims=True) - targets
    return dZ


def softmax_squared_error_loop(Z: Array, Y: Array) -> Scalar:
    """Output by output: the sum of (a - y)^2 / (2 m). See softmax_squared_error."""
    A = np.exp(log_softmax_loop(Z))
    J = np.result_type(Z, Y).type(0)
    for i in np.ndindex(A.shape):
        J += (A[i] - Y[i]) ** 2 / (2 * A.shape[1])
    return J


def softmax_squared_error(Z: Array, Y: Array) -> Scalar:
    """Half the squared error of softmax outputs: J = (1/2m) sum (softmax(Z) - Y)^2.

    Z and Y are (n, m).

    Raises ValueError unless Z is a matrix and Y has its shape.
    """
    check_shape("Y", Y, Z.shape, "Y has the shape of Z")
    return np.sum(np.square(softmax(Z) - Y)) / (2 * Z.shape[1])


def softmax_squared_error_prime_loop(Z: Array, Y: Array) -> Array:
    """Example by example through the Jacobian. See softmax_squared_error_prime."""
    A = np.exp(log_softmax_loop(Z))
    dZ = np.zeros(Z.shape, np.result_type(Z, Y))
    for j, k, i in np.ndindex(len(Z), *Z.shape):
        dZ[j, i] += (A[k, i] - Y[k, i]) * A[k, i] * (int(j == k) - A[j, i])
    return dZ


def softmax_squared_error_prime(Z: Array, Y: Array) -> Array:
    """The derivative of softmax_squared_error in Z, per example: the Jacobian of softmax times A - Y, not A - Y.

    dA = A - Y, dZ = A * (dA - sum_k dA_k A_k)

    Z, Y and the result are (n, m).

    Raises ValueError unless Z is a matrix and Y has its shape.
    """
    check_shape("Y", Y, Z.shape, "Y has the shape of Z")
    A = softmax(Z)
    return softmax_backward(A - Y, A)


def huber_loop(A: Array, Y: Array, delta: float = 1.0) -> Scalar:
    """Output by output. See huber."""
    J = np.result_type(A, Y).type(0)
    for i in np.ndindex(A.shape):
        d = A[i] - Y[i]
        size = d if d.real >= 0 else -d
        J += (d * d / 2 if size.real <= delta else delta * (size - delta / 2)) / A.shape[1]
    return J


def huber(A: Array, Y: Array, delta: float = 1.0) -> Scalar:
    """Huber's loss: half the squared error up to delta, a straight line beyond, so that no outlier pulls harder.

    d = A - Y, L = d^2 / 2 where |d| <= delta, delta (|d| - delta / 2) elsewhere; J = (1/m) sum L

    A and Y are (n, m).

    Raises ValueError unless A is a matrix, Y has its shape and delta is above 0.
    Differs from torch in the sum over outputs: its mean divides by n as well.
    """
    d = _distances(A, Y, delta)
    size = np.where(d.real >= 0, d, -d)
    losses = np.where(size.real <= delta, d * d / 2, delta * (size - delta / 2))
    return np.sum(losses) / A.shape[1]


def huber_prime_loop(A: Array, Y: Array, delta: float = 1.0) -> Array:
    """Output by output: the distance, no longer than delta. See huber_prime."""
    dA = np.empty(A.shape, np.result_type(A, Y))
    for i in np.ndindex(A.shape):
        d = A[i] - Y[i]
        dA[i] = d if -delta <= d.real <= delta else delta if d.real > 0 else -delta
    return dA


def huber_prime(A: Array, Y: Array, delta: float = 1.0) -> Array:
    """The derivative of Huber's loss, per example: A - Y, cut off at -delta and delta.

    A, Y and the result are (n, m).

    Raises ValueError as huber does.
    """
    d = _distances(A, Y, delta)
    return np.where(d.real > delta, delta, np.where(d.real < -delta, -delta, d)).astype(d.dtype)


def hinge_loop(Z: Array, y: Sequence[int], margin: float = 1.0) -> Scalar:
    """Example by example and class by class. See hinge."""
    J = Z.dtype.type(0)
    for j, i in np.ndindex(Z.shape):
        short = Z[j, i] - Z[y[i], i] + margin
        if j != y[i] and short.real > 0:
            J += short / Z.shape[1]
    return J


def hinge(Z: Array, y: Sequence[int], margin: float = 1.0) -> Scalar:
    """The hinge of several classes: what each wrong class lacks of staying a margin below the right one.

    J = (1/m) sum_i sum_(j != y_i) max(0, z_ji - z_(y_i) i + margin)

    Z is (n, m), y has m labels.

    Raises ValueError unless Z is a matrix, or for a label that is no class.
    Differs from torch, whose multi_margin_loss divides by n as well.
    """
    short, _ = _shortfalls(Z, y, margin)
    return np.sum(short) / Z.shape[1]


def hinge_prime_loop(Z: Array, y: Sequence[int], margin: float = 1.0) -> Array:
    """Example by example and class by class: 1 for each class that is too near, minus their number. See hinge_prime."""
    dZ = np.zeros_like(Z)
    for j, i in np.ndindex(Z.shape):
        if j != y[i] and (Z[j, i] - Z[y[i], i] + margin).real > 0:
            dZ[j, i] += 1
            dZ[y[i], i] -= 1
    return dZ


def hinge_prime(Z: Array, y: Sequence[int], margin: float = 1.0) -> Array:
    """The derivative of the hinge, per example.

    dz_j = 1 for each wrong class that is too near, else 0; dz_y = minus their number

    Z and the result are (n, m), y has m labels; where a class is exactly a margin below, it is 0, as in torch.

    Raises ValueError as hinge does.
    """
    short, of_label = _shortfalls(Z, y, margin)
    near = (short.real > 0).astype(Z.dtype)
    dZ: Array = near - of_label * near.sum(axis=0, keepdims=True)
    return dZ


def _one_hot(Z: Array, y: Sequence[int]) -> Array:
    """The labels as one-hot columns of Z's dtype; ValueError for one that is no class."""
    n, m = check_examples("Z", Z)
    labels = np.asarray(y)
    check_shape("y", labels, (m,), "one label for each column of Z")
    wrong = [label for label in y if not 0 <= label < n or label != int(label)]
    if wrong:
        raise ValueError(f"y holds {wrong[0]}, expected whole numbers from 0 to {n - 1}: one of {n} classes")
    return np.eye(n, dtype=Z.real.dtype)[:, labels.astype(int)]


def _targets(Z: Array, y: Sequence[int], class_weights: Array, sample_weights: Array, smoothing: float) -> Array:
    """t = s w q."""
    Y = _one_hot(Z, y)
    n, m = Y.shape
    check_shape("class_weights", class_weights, (n, 1), "a weight for each class")
    check_shape("sample_weights", sample_weights, (1, m), "a weight for each example")
    if not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing is {smoothing}, expected a number in [0, 1]: the share of all classes")
    q = (1 - smoothing) * Y + smoothing / n
    targets: Array = sample_weights * class_weights * q
    return targets


def _distances(A: Array, Y: Array, delta: float) -> Array:
    check_examples("A", A)
    check_shape("Y", Y, A.shape, "Y has the shape of A")
    if not delta > 0:
        raise ValueError(f"delta is {delta}, expected a number above 0: where the straight line begins")
    return A - Y


def _shortfalls(Z: Array, y: Sequence[int], margin: float) -> tuple[Array, Array]:
    """What each wrong class lacks, and the labels as columns."""
    Y = _one_hot(Z, y)
    short = Z - np.sum(Z * Y, axis=0, keepdims=True) + margin
    return np.where((short.real > 0) & (Y == 0), short, 0).astype(Z.dtype), Y
