"""How far batch norm and layer norm may be off, forward and backward, in training and in use."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity_tests.judging.bounds import Bound, Magnitudes, gamma


def _parts(u: float, A: Magnitudes, axes: tuple[int, ...], epsilon: float) -> tuple[Any, Bound, Any, Any]:
    """A_hat and its error, the root and its relative error.

    The mean is a sum of N terms; its error e stands in every difference, and in the variance as (2 |d| + e) e at most.
    The root may be as small as that of the least variance, which is epsilon's where rounding is all that is spread.
    """
    mu = np.mean(A, axis=axes, keepdims=True)
    N, d = A.size // mu.size, A - mu
    e = gamma(N + 1, u) * np.mean(np.abs(A), axis=axes, keepdims=True) + u * np.abs(d)
    variance = np.mean(np.square(d), axis=axes, keepdims=True)
    of_variance = gamma(N + 4, u) * variance + np.mean((2 * np.abs(d) + e) * e, axis=axes, keepdims=True)
    root = np.sqrt(variance + epsilon)
    least = np.sqrt(np.maximum(variance - of_variance, 0) + epsilon)
    relative = root / least - 1 + 3 * u
    A_hat = d / root
    return A_hat, e / least + (relative + 2 * u) * np.abs(A_hat), root, relative


def norm_bound(
    u: float, A: Magnitudes, weight: Magnitudes, bias: Magnitudes, axes: tuple[int, ...], epsilon: float
) -> Bound:
    """gamma A_hat + beta; torch multiplies A and the mean apart by gamma / root, and subtracts."""
    A_hat, of_A_hat, root, _ = _parts(u, A, axes, epsilon)
    apart = (np.abs(A) + np.abs(np.mean(A, axis=axes, keepdims=True))) / root
    return np.abs(weight) * (of_A_hat + 3 * u * (np.abs(A_hat) + apart)) + 2 * u * np.abs(bias)


def norm_backward_bounds(
    u: float, dZ: Magnitudes, A: Magnitudes, weight: Magnitudes, axes: tuple[int, ...], m: int, epsilon: float
) -> tuple[Bound, Bound, Bound]:
    """dA_prev, dgamma and dbeta: two means and three terms under one root; sums of products; sums."""
    A_hat, of_A_hat, root, relative = _parts(u, A, axes, epsilon)
    g, size = np.abs(weight * dZ), np.abs(A_hat)

    def mean(value: Magnitudes) -> Any:
        return np.mean(value, axis=axes, keepdims=True)

    N = A.size // root.size
    terms = g + mean(g) + size * mean(g * size)
    of_terms = gamma(N + 8, u) * terms + of_A_hat * mean(g * size) + (size + of_A_hat) * mean(g * of_A_hat)
    dA = (1 + relative) * of_terms + relative * terms
    others = tuple(axis for axis, n in enumerate(weight.shape) if n == 1)
    summed = A.size // weight.size
    share = np.abs(dZ) * (of_A_hat + (gamma(summed + 4, u) + relative) * size)
    dbeta = gamma(summed + 4, u) * np.abs(dZ)
    return dA / root, *(np.sum(each, axis=others, keepdims=True) / m for each in (share, dbeta))


def running_bounds(
    u: float, A: Magnitudes, mean: Magnitudes, variance: Magnitudes, axes: tuple[int, ...], momentum: float
) -> tuple[Bound, Bound]:
    """Mean and variance: the errors of the batch's own, and four roundings of the moving average.

    torch rounds the momentum to the format first, which moves 1 - momentum by u momentum.
    """
    mu = np.mean(A, axis=axes, keepdims=True)
    N, d = A.size // mu.size, A - mu
    e = gamma(N + 1, u) * np.mean(np.abs(A), axis=axes, keepdims=True) + u * np.abs(d)
    new = np.sum(np.square(d), axis=axes, keepdims=True) / (N - 1)
    of_new = gamma(N + 8, u) * new + np.sum((2 * np.abs(d) + e) * e, axis=axes, keepdims=True) / (N - 1)
    of_mu = np.max(e, axis=axes, keepdims=True) + 4 * u * np.abs(mu)
    old = gamma(4, u) * (1 - momentum) + u * momentum
    return old * np.abs(mean) + momentum * of_mu, old * np.abs(variance) + momentum * of_new


def predict_bound(
    u: float,
    A: Magnitudes,
    weight: Magnitudes,
    bias: Magnitudes,
    mean: Magnitudes,
    variance: Magnitudes,
    epsilon: float,
) -> Bound:
    """gamma / sqrt(variance + epsilon) times A - mean, in either order, plus beta."""
    scale = np.abs(weight) / np.sqrt(variance + epsilon)
    return gamma(8, u) * scale * (np.abs(A) + np.abs(mean)) + 2 * u * np.abs(bias)


def predict_backward_bounds(
    u: float,
    dZ: Magnitudes,
    A: Magnitudes,
    weight: Magnitudes,
    mean: Magnitudes,
    variance: Magnitudes,
    m: int,
    epsilon: float,
) -> tuple[Bound, Bound, Bound]:
    """dA_prev, dgamma and dbeta in use: products with constants, and sums of them."""
    root = np.sqrt(variance + epsilon)
    others = tuple(axis for axis, n in enumerate(weight.shape) if n == 1)
    terms = A.size // weight.size
    share = np.abs(dZ) * (np.abs(A) + np.abs(mean)) / root
    dgamma, dbeta = (np.sum(each, axis=others, keepdims=True) / m for each in (share, np.abs(dZ)))
    return gamma(8, u) * np.abs(weight * dZ) / root, gamma(terms + 10, u) * dgamma, gamma(terms + 4, u) * dbeta
