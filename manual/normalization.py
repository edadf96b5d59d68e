"""Normalisation: over the examples (batch norm) or over the features (layer norm), forward, backward and in use.

The notes end before it. Batch norm is that of Ioffe and Szegedy, Batch Normalization (2015), layer norm that of Ba,
Kiros and Hinton, Layer Normalization (2016). A ``layout`` says which axis of A has the examples and which the features:
columns (n, m), rows (m, n) or volumes (m, n_H, n_W, n_C).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

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
    return _forward(A_prev, gamma, beta, _check_batch(A_prev, gamma, layout), epsilon)


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
    return _backward(dZ, A_prev, gamma, _check_batch(A_prev, gamma, layout), epsilon, batch=True)


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
    examples = _check_batch(A_prev, mean, layout, "mean")
    check_shape("variance", variance, mean.shape, "variance has the shape of mean")
    places, A, _ = _matrices(A_prev, mean)
    _, mu, sigma2 = _moments(A, examples, places)
    N = A_prev.size // mean.size
    pairs = (mean, mu), (variance, sigma2 * (N / (N - 1)))
    return Statistics(*((1 - momentum) * old + momentum * _of_features(new, old) for old, new in pairs))


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
    return _forward(A_prev, gamma, beta, 1 - _check_layer(A_prev, gamma, layout), epsilon)


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
    return _backward(dZ, A_prev, gamma, _check_layer(A_prev, gamma, layout), epsilon, batch=False)


def _axes(layout: str, A: Array) -> Axes:
    """The axes of a layout; ValueError for another layout, or an A of another rank."""
    if layout not in LAYOUTS:
        raise ValueError(f"layout is {layout!r}, expected one of {', '.join(LAYOUTS)}")
    if A.ndim != (4 if layout == "volumes" else 2) or 0 in A.shape:
        expected = "(m, n_H, n_W, n_C)" if layout == "volumes" else "a matrix"
        raise ValueError(f"A_prev has shape {A.shape}, expected {expected} with no side of length 0: it is in {layout}")
    return LAYOUTS[layout]


def _check_batch(A: Array, gamma: Array, layout: str, name: str = "gamma") -> int:
    """The axis of the examples; ValueError unless gamma is one number for each feature, which has several values."""
    examples, features = _axes(layout, A)
    one_each = tuple(n if axis == features else 1 for axis, n in enumerate(A.shape))
    check_shape(name, gamma, one_each, f"an entry of {name} for each feature")
    if A.size == A.shape[features]:
        raise ValueError(f"A_prev has shape {A.shape}, expected two values of each feature: one has no spread")
    return examples


def _check_layer(A: Array, gamma: Array, layout: str) -> int:
    """The axis of the examples; ValueError unless gamma is shaped as one example is."""
    examples = _axes(layout, A).examples
    of_one = tuple(1 if axis == examples else n for axis, n in enumerate(A.shape))
    check_shape("gamma", gamma, of_one, "an entry of gamma for each feature of one example")
    return examples


def _matrices(A: Array, *of_features: Array) -> tuple[int, Array, list[Array]]:
    """How many places share a feature, A as a matrix, and what belongs to features as a row or a column of it.

    Volumes are rows. In batch norm they repeat what belongs to a channel at every place: NumPy is slow at short rows.
    """
    places = math.prod(A.shape[1:-1]) // math.prod(of_features[0].shape[1:-1])
    beside = [np.tile(each.reshape(len(each), -1), places) for each in of_features]
    return places, A.reshape(len(A), -1), beside


def _of_features(each: Array, gamma: Array) -> Array:
    """The way back: of all places the first."""
    return each.ravel()[: gamma.size].reshape(gamma.shape)


def _sum(X: Array, along: int, places: int = 1, weights: Array | None = None) -> Array:
    """X summed along an axis, under weights, and over places: a product with ones is the fastest sum."""
    if weights is None:
        weights = np.ones(X.shape[along], X.dtype)
    total = X @ weights.reshape(-1, 1) if along else weights.reshape(1, -1) @ X
    return total if places == 1 else np.tile(total.reshape(places, -1).sum(axis=0, keepdims=True), places)


def _moments(A: Array, along: int, places: int, dtype: Any = None) -> tuple[Array, Array, Array]:
    """A minus its mean, the mean, and the variance; np.var would take the magnitude of complex numbers."""
    N = A.shape[along] * places
    mu = _sum(A, along, places) / N
    D = np.subtract(A, mu, dtype=dtype)
    return D, mu, _sum(np.square(D), along, places) / N


def _forward(A_prev: Array, gamma: Array, beta: Array, along: int, epsilon: float) -> Array:
    """Both norms, which differ in the axis they sum along, over one array: a new one takes as long as a sum."""
    check_shape("beta", beta, gamma.shape, "beta has the shape of gamma")
    places, A, (weight, bias) = _matrices(A_prev, gamma, beta)
    Z, _, variance = _moments(A, along, places, np.result_type(A, gamma, beta))
    Z *= weight / np.sqrt(variance + epsilon)
    Z += bias
    return Z.reshape(A_prev.shape)


def _backward(dZ: Array, A_prev: Array, gamma: Array, examples: int, epsilon: float, *, batch: bool) -> NormBackward:
    """Both norms; in batch norm gamma is one number for all that is summed, and two sums serve every derivative."""
    check_shape("dZ", dZ, A_prev.shape, "dZ has the shape of A_prev")
    along = examples if batch else 1 - examples
    places, A, (weight,) = _matrices(A_prev, gamma)
    D, _, variance = _moments(A, along, places, np.result_type(dZ, A, gamma))
    g, root, N = dZ.reshape(A.shape), np.sqrt(variance + epsilon), A.shape[along] * places
    products, dbeta = g * D, _sum(g, examples, places)
    if batch:
        of_D, of_mean, scale = _sum(products, along, places), dbeta, weight / root
        dgamma = of_D / root
    else:
        of_D, of_mean, scale = _sum(products, along, weights=weight), _sum(g, along, weights=weight), 1 / root
        dgamma, g = _sum(products, examples, weights=scale), np.multiply(weight, g, out=products)
    D *= of_D / (N * root * root)
    dA = np.subtract(g, D, out=D)
    dA -= of_mean / N
    dA *= scale
    of_gamma, of_beta = (_of_features(each, gamma) / A.shape[examples] for each in (dgamma, dbeta))
    return NormBackward(dA.reshape(A_prev.shape), of_gamma, of_beta)


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
    dgammas, dbetas = np.zeros(A.shape, dtype), np.zeros(A.shape, dZ.dtype)
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
