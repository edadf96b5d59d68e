"""Normalisation: over the examples (batch norm) or over the features (layer norm), forward, backward and in use.

The notes end before it. Batch norm is that of Ioffe and Szegedy, Batch Normalization (2015), layer norm that of Ba,
Kiros and Hinton, Layer Normalization (2016). A ``layout`` says which axis of A has the examples and which the features:
columns (n, m), rows (m, n) or volumes (m, n_H, n_W, n_C).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from manual.notation import Array, check_shape

EPSILON = 1e-5
"""What is added to the variance, inside the root; torch's default."""

MOMENTUM = 0.1
"""The weight of a new batch in the running statistics; torch's default."""


class Axes(NamedTuple):
    """The axes of the examples and of the features."""

    examples: int
    features: int


LAYOUTS: dict[str, Axes] = {"columns": Axes(1, 0), "rows": Axes(0, 1), "volumes": Axes(0, 3)}
"""The axes by layout."""


class NormBackward(NamedTuple):
    """dA_prev of the summed loss, which is per example in layer norm; dgamma and dbeta with the 1/m."""

    dA_prev: Array
    dgamma: Array
    dbeta: Array


class Statistics(NamedTuple):
    """Mean and variance of every feature."""

    mean: Array
    variance: Array


def batch_norm_forward_loop(
    A_prev: Array, gamma: Array, beta: Array, layout: str = "columns", epsilon: float = EPSILON
) -> Array:
    """Feature by feature, entry by entry. See batch_norm_forward."""
    return _forward_loop(A_prev, gamma, beta, _axes(layout, A_prev).features, epsilon)


def batch_norm_forward(
    A_prev: Array, gamma: Array, beta: Array, layout: str = "columns", epsilon: float = EPSILON
) -> Array:
    """Batch norm in training: every feature is normalised over the batch, then scaled and shifted.

    mu_j = (1/N) sum_i a_ji, sigma_j^2 = (1/N) sum_i (a_ji - mu_j)^2
    z_ji = gamma_j (a_ji - mu_j) / sqrt(sigma_j^2 + epsilon) + beta_j

    A_prev and the result are (n, m), (m, n) or (m, n_H, n_W, n_C), as ``layout`` says; gamma and beta have an entry for
    each feature and 1 on every other axis, such as (n, 1). N is m, in volumes m n_H n_W. The variance has no N - 1.

    Raises ValueError for an unknown layout, another rank, gamma or beta of another shape, or N = 1.
    """
    axes = _batch_axes(A_prev, gamma, layout)
    check_shape("beta", beta, gamma.shape, "beta has the shape of gamma")
    return _normalised(A_prev, axes, epsilon)[0] * gamma + beta


def batch_norm_backward_loop(
    dZ: Array, A_prev: Array, gamma: Array, layout: str = "columns", epsilon: float = EPSILON
) -> NormBackward:
    """Feature by feature: an entry moves its own value, the mean and the variance. See batch_norm_backward."""
    axes = _axes(layout, A_prev)
    return _backward_loop(dZ, A_prev, gamma, axes.features, A_prev.shape[axes.examples], epsilon)


def batch_norm_backward(
    dZ: Array, A_prev: Array, gamma: Array, layout: str = "columns", epsilon: float = EPSILON
) -> NormBackward:
    """Batch norm backward, in training: every entry moves the mean and the variance of its feature too.

    g = gamma dZ, ahat = (a - mu) / s, s = sqrt(sigma^2 + epsilon)
    da_ji = (g_ji - mean_i g_ji - ahat_ji mean_i(g_ji ahat_ji)) / s_j
    dgamma_j = (1/m) sum_i dz_ji ahat_ji, dbeta_j = (1/m) sum_i dz_ji

    dZ has the shape of A_prev, per example without 1/m; A_prev, gamma and ``layout`` are those of the forward pass.
    Means and sums run over all N entries of a feature.

    Raises ValueError as the forward pass does, and for a dZ of another shape.
    """
    return _backward(dZ, A_prev, gamma, _batch_axes(A_prev, gamma, layout), _examples(A_prev, layout), epsilon)


def running_statistics_loop(
    A_prev: Array, mean: Array, variance: Array, layout: str = "columns", momentum: float = MOMENTUM
) -> Statistics:
    """Feature by feature. See running_statistics."""
    features = _axes(layout, A_prev).features
    found = Statistics(*(old.astype(np.result_type(A_prev, old)) for old in (mean, variance)))
    for j in range(A_prev.shape[features]):
        group = (slice(None),) * features + (j,)
        mu, sigma2 = _moments_loop(A_prev[group])
        N = A_prev[group].size
        found.mean.flat[j] = (1 - momentum) * mean.flat[j] + momentum * mu
        found.variance.flat[j] = (1 - momentum) * variance.flat[j] + momentum * sigma2 * N / (N - 1)
    return found


def running_statistics(
    A_prev: Array, mean: Array, variance: Array, layout: str = "columns", momentum: float = MOMENTUM
) -> Statistics:
    """What batch norm remembers of a batch for its use: moving averages of the mean and of the unbiased variance.

    mean_j := (1 - momentum) mean_j + momentum mu_j
    variance_j := (1 - momentum) variance_j + momentum sigma_j^2 N / (N - 1)

    A_prev is as in batch_norm_forward, mean and variance are shaped as gamma is. ``momentum`` is the weight of the new
    batch, as in torch; in TensorFlow it is that of the past.

    Raises ValueError as batch_norm_forward does.
    """
    axes = _batch_axes(A_prev, mean, layout, "mean")
    check_shape("variance", variance, mean.shape, "variance has the shape of mean")
    mu = A_prev.mean(axis=axes, keepdims=True)
    N = A_prev.size // mu.size
    unbiased = np.sum(np.square(A_prev - mu), axis=axes, keepdims=True) / (N - 1)
    mean, variance = ((1 - momentum) * old + momentum * new for old, new in ((mean, mu), (variance, unbiased)))
    return Statistics(mean, variance)


def batch_norm_predict_loop(
    A_prev: Array, gamma: Array, beta: Array, mean: Array, variance: Array, epsilon: float = EPSILON
) -> Array:
    """Entry by entry. See batch_norm_predict."""
    Z = np.empty(A_prev.shape, np.result_type(A_prev, gamma, beta, mean, variance))
    of_entry = [np.broadcast_to(each, A_prev.shape) for each in (gamma, beta, mean, variance)]
    for i in np.ndindex(A_prev.shape):
        gamma_i, beta_i, mu, sigma2 = (each[i] for each in of_entry)
        Z[i] = gamma_i * (A_prev[i] - mu) / np.sqrt(sigma2 + epsilon) + beta_i
    return Z


def batch_norm_predict(
    A_prev: Array, gamma: Array, beta: Array, mean: Array, variance: Array, epsilon: float = EPSILON
) -> Array:
    """Batch norm in use: with the running statistics in place of the batch's, so that an example stands for itself.

    z_ji = gamma_j (a_ji - mean_j) / sqrt(variance_j + epsilon) + beta_j

    A_prev and the result are (n, m), (m, n) or (m, n_H, n_W, n_C); gamma, beta, mean and variance have an entry for
    each feature and 1 on every other axis.

    Raises ValueError unless these four have one shape.
    """
    for name, value in {"beta": beta, "mean": mean, "variance": variance}.items():
        check_shape(name, value, gamma.shape, f"{name} has the shape of gamma")
    Z: Array = gamma / np.sqrt(variance + epsilon) * (A_prev - mean) + beta
    return Z


def batch_norm_predict_backward_loop(
    dZ: Array,
    A_prev: Array,
    gamma: Array,
    mean: Array,
    variance: Array,
    layout: str = "columns",
    epsilon: float = EPSILON,
) -> NormBackward:
    """Entry by entry. See batch_norm_predict_backward."""
    dA = np.empty(A_prev.shape, np.result_type(dZ, gamma, variance))
    dgamma, dbeta = np.zeros(gamma.shape, np.result_type(dZ, A_prev, mean, variance)), np.zeros(gamma.shape, dZ.dtype)
    axes = _axes(layout, A_prev)
    m = A_prev.shape[axes.examples]
    for i in np.ndindex(A_prev.shape):
        j = tuple(place if axis == axes.features else 0 for axis, place in enumerate(i))
        root = np.sqrt(variance[j] + epsilon)
        dA[i] = gamma[j] * dZ[i] / root
        dgamma[j] += dZ[i] * (A_prev[i] - mean[j]) / root / m
        dbeta[j] += dZ[i] / m
    return NormBackward(dA, dgamma, dbeta)


def batch_norm_predict_backward(
    dZ: Array,
    A_prev: Array,
    gamma: Array,
    mean: Array,
    variance: Array,
    layout: str = "columns",
    epsilon: float = EPSILON,
) -> NormBackward:
    """Batch norm backward, in use: the running statistics are constants, so nothing goes through them.

    da_ji = gamma_j dz_ji / s_j, s = sqrt(variance + epsilon)
    dgamma_j = (1/m) sum_i dz_ji (a_ji - mean_j) / s_j, dbeta_j = (1/m) sum_i dz_ji

    dZ has the shape of A_prev, per example without 1/m; gamma, mean and variance, (n, 1) in columns, have an entry
    for each feature in every layout.

    Raises ValueError for an unknown layout, and for shapes that do not fit.
    """
    axes = _axes(layout, A_prev)
    others = tuple(axis for axis in range(A_prev.ndim) if axis != axes.features)
    check_shape("dZ", dZ, A_prev.shape, "dZ has the shape of A_prev")
    one_each = tuple(n if axis == axes.features else 1 for axis, n in enumerate(A_prev.shape))
    for name, value in {"gamma": gamma, "mean": mean, "variance": variance}.items():
        check_shape(name, value, one_each, f"an entry of {name} for each feature")
    root, m = np.sqrt(variance + epsilon), A_prev.shape[axes.examples]
    dgamma = np.sum(dZ * (A_prev - mean), axis=others, keepdims=True) / (root * m)
    return NormBackward(gamma / root * dZ, dgamma, np.sum(dZ, axis=others, keepdims=True) / m)


def layer_norm_forward_loop(
    A_prev: Array, gamma: Array, beta: Array, layout: str = "columns", epsilon: float = EPSILON
) -> Array:
    """Example by example, entry by entry. See layer_norm_forward."""
    return _forward_loop(A_prev, gamma, beta, _axes(layout, A_prev).examples, epsilon)


def layer_norm_forward(
    A_prev: Array, gamma: Array, beta: Array, layout: str = "columns", epsilon: float = EPSILON
) -> Array:
    """Layer norm: every example is normalised over its features, then each feature is scaled and shifted.

    mu_i = (1/n) sum_j a_ji, sigma_i^2 = (1/n) sum_j (a_ji - mu_i)^2
    z_ji = gamma_j (a_ji - mu_i) / sqrt(sigma_i^2 + epsilon) + beta_j

    A_prev and the result are (n, m), (m, n) or (m, n_H, n_W, n_C), as ``layout`` says; gamma and beta have the shape of
    one example, with 1 on the axis of the examples, such as (n, 1). It is the same in training and in use.

    Raises ValueError for an unknown layout, another rank, or gamma or beta of another shape.
    """
    axes = _layer_axes(A_prev, gamma, layout)
    check_shape("beta", beta, gamma.shape, "beta has the shape of gamma")
    return _normalised(A_prev, axes, epsilon)[0] * gamma + beta


def layer_norm_backward_loop(
    dZ: Array, A_prev: Array, gamma: Array, layout: str = "columns", epsilon: float = EPSILON
) -> NormBackward:
    """Example by example: an entry moves its own value, the mean and the variance. See layer_norm_backward."""
    examples = _axes(layout, A_prev).examples
    return _backward_loop(dZ, A_prev, gamma, examples, A_prev.shape[examples], epsilon)


def layer_norm_backward(
    dZ: Array, A_prev: Array, gamma: Array, layout: str = "columns", epsilon: float = EPSILON
) -> NormBackward:
    """Layer norm backward: every entry moves the mean and the variance of its example too.

    g = gamma dZ, ahat = (a - mu) / s, s = sqrt(sigma^2 + epsilon)
    da_ji = (g_ji - mean_j g_ji - ahat_ji mean_j(g_ji ahat_ji)) / s_i
    dgamma_j = (1/m) sum_i dz_ji ahat_ji, dbeta_j = (1/m) sum_i dz_ji

    dZ has the shape of A_prev, per example without 1/m; A_prev, gamma and ``layout`` are those of the forward pass.

    Raises ValueError as the forward pass does, and for a dZ of another shape.
    """
    return _backward(dZ, A_prev, gamma, _layer_axes(A_prev, gamma, layout), _examples(A_prev, layout), epsilon)


def _axes(layout: str, A: Array) -> Axes:
    """The axes of a layout; ValueError for another layout, or an A of another rank."""
    if layout not in LAYOUTS:
        raise ValueError(f"layout is {layout!r}, expected one of {', '.join(LAYOUTS)}")
    if A.ndim != (4 if layout == "volumes" else 2) or 0 in A.shape:
        expected = "(m, n_H, n_W, n_C)" if layout == "volumes" else "a matrix"
        raise ValueError(f"A_prev has shape {A.shape}, expected {expected} with no side of length 0: it is in {layout}")
    return LAYOUTS[layout]


def _examples(A: Array, layout: str) -> int:
    return int(A.shape[LAYOUTS[layout].examples])


def _batch_axes(A: Array, gamma: Array, layout: str, name: str = "gamma") -> tuple[int, ...]:
    """The axes that batch norm averages over: all but that of the features."""
    features = _axes(layout, A).features
    axes = tuple(axis for axis in range(A.ndim) if axis != features)
    one_each = tuple(n if axis == features else 1 for axis, n in enumerate(A.shape))
    check_shape(name, gamma, one_each, f"an entry of {name} for each feature")
    if A.size == A.shape[features]:
        raise ValueError(f"A_prev has shape {A.shape}, expected two values of each feature: one has no spread")
    return axes


def _layer_axes(A: Array, gamma: Array, layout: str) -> tuple[int, ...]:
    """The axes that layer norm averages over: all but that of the examples."""
    examples = _axes(layout, A).examples
    of_one = tuple(1 if axis == examples else n for axis, n in enumerate(A.shape))
    check_shape("gamma", gamma, of_one, "an entry of gamma for each feature of one example")
    return tuple(axis for axis in range(A.ndim) if axis != examples)


def _normalised(A: Array, axes: tuple[int, ...], epsilon: float) -> tuple[Array, Array]:
    """A minus its mean over its root mean square, and that root; np.var would take the magnitude of complex numbers."""
    A_hat = A - A.mean(axis=axes, keepdims=True)
    root = np.sqrt(np.mean(np.square(A_hat), axis=axes, keepdims=True) + epsilon)
    A_hat /= root
    return A_hat, root


def _backward(dZ: Array, A: Array, gamma: Array, axes: tuple[int, ...], m: int, epsilon: float) -> NormBackward:
    """Both norms differ in the axes alone."""
    check_shape("dZ", dZ, A.shape, "dZ has the shape of A_prev")
    A_hat, root = _normalised(A, axes, epsilon)
    g = gamma * dZ
    dA = g - g.mean(axis=axes, keepdims=True) - A_hat * np.mean(g * A_hat, axis=axes, keepdims=True)
    others = tuple(axis for axis, n in enumerate(gamma.shape) if n == 1)
    dgamma, dbeta = (np.sum(each, axis=others, keepdims=True) / m for each in (dZ * A_hat, dZ))
    return NormBackward(dA / root, dgamma, dbeta)


def _moments_loop(group: Array) -> tuple[Array, Array]:
    """Mean and variance of the entries of a group, one after the other."""
    mean = variance = group.dtype.type(0)
    for i in np.ndindex(group.shape):
        mean += group[i] / group.size
    for i in np.ndindex(group.shape):
        variance += (group[i] - mean) ** 2 / group.size
    return mean, variance


def _forward_loop(A: Array, gamma: Array, beta: Array, kept: int, epsilon: float) -> Array:
    """Group by group along the axis that is ``kept``, the others averaged over."""
    Z = np.empty(A.shape, np.result_type(A, gamma, beta))
    gammas, betas = np.broadcast_to(gamma, A.shape), np.broadcast_to(beta, A.shape)
    for j in range(A.shape[kept]):
        group = (slice(None),) * kept + (j,)
        mean, variance = _moments_loop(A[group])
        for i in np.ndindex(A[group].shape):
            Z[group][i] = gammas[group][i] * (A[group][i] - mean) / np.sqrt(variance + epsilon) + betas[group][i]
    return Z


def _backward_loop(dZ: Array, A: Array, gamma: Array, kept: int, m: int, epsilon: float) -> NormBackward:
    """Group by group, through the graph of the forward pass: from the entries to the variance, and to the mean."""
    dtype = np.result_type(dZ, A, gamma)
    dA = np.zeros(A.shape, dtype)
    dgammas, dbetas = np.zeros(A.shape, np.result_type(dZ, A)), np.zeros(A.shape, dZ.dtype)
    for j in range(A.shape[kept]):
        group = (slice(None),) * kept + (j,)
        a, dz, gammas = A[group], dZ[group], np.broadcast_to(gamma, A.shape)[group]
        mean, variance = _moments_loop(a)
        root = np.sqrt(variance + epsilon)
        dmean = dvariance = dtype.type(0)
        for i in np.ndindex(a.shape):
            dvariance += -gammas[i] * dz[i] * (a[i] - mean) / (2 * root**3)
            dmean += -gammas[i] * dz[i] / root  # through the variance the mean moves nothing
        for i in np.ndindex(a.shape):
            dA[group][i] = gammas[i] * dz[i] / root + dvariance * 2 * (a[i] - mean) / a.size + dmean / a.size
            dgammas[group][i] = dz[i] * (a[i] - mean) / root / m
            dbetas[group][i] = dz[i] / m
    others = tuple(axis for axis, n in enumerate(gamma.shape) if n == 1)
    return NormBackward(dA, dgammas.sum(axis=others, keepdims=True), dbetas.sum(axis=others, keepdims=True))
