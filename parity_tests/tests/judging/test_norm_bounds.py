"""The bounds of norms are those that plain numbers give, entry by entry."""

from __future__ import annotations

from math import sqrt
from statistics import fmean

import numpy as np
import pytest

from parity_tests.formulas.norm_bounds import (
    norm_backward_bounds,
    norm_bound,
    predict_backward_bounds,
    predict_bound,
    running_bounds,
)
from parity_tests.judging.bounds import gamma

U = 2.0**-16
"""So large that second-order terms show."""

EPSILON, MOMENTUM = 0.3, 0.4

A = np.array([[1.0, -2.0, 4.0, 0.5, 2.5], [3.0, 1.5, -1.0, -6.0, 0.25]])
DZ = np.array([[0.5, -1.5, 2.0, -0.25, 3.0], [-2.0, 0.75, 1.0, 4.0, -0.5]])
WEIGHT, BIAS = np.array([[-1.5], [2.0]]), np.array([[0.75], [-0.5]])
MEAN, VARIANCE = np.array([[-0.5], [2.0]]), np.array([[1.5], [0.25]])
M = 5


class Averaged:
    """One group of entries that share a mean and a variance, in plain numbers."""

    def __init__(self, values: list[float]) -> None:
        N, mu = len(values), fmean(values)
        size = fmean(abs(a) for a in values)
        self.values, self.N, self.mu = values, N, mu
        self.d = [a - mu for a in values]
        self.e = [gamma(N + 1, U) * size + U * abs(d) for d in self.d]
        self.square = fmean(d**2 for d in self.d)
        second = fmean((2 * abs(d) + e) * e for d, e in zip(self.d, self.e, strict=True))
        self.root = sqrt(self.square + EPSILON)
        least = sqrt(max(self.square - gamma(N + 4, U) * self.square - second, 0) + EPSILON)
        self.relative = self.root / least - 1 + 3 * U
        self.hat = [d / self.root for d in self.d]
        self.of_hat = [e / least + (self.relative + 2 * U) * abs(hat) for e, hat in zip(self.e, self.hat, strict=True)]


def groups(axis: int) -> list[tuple[tuple[slice | int, slice | int], Averaged]]:
    """The entries that are averaged together, and where they stand: features of a batch, or examples of a layer."""
    places = [(row, slice(None)) for row in range(2)] if axis == 1 else [(slice(None), column) for column in range(5)]
    return [(place, Averaged(A[place].tolist())) for place in places]


@pytest.mark.parametrize("axis", [1, 0], ids=["batch", "layer"])
def test_forward(axis: int) -> None:
    expected = np.empty_like(A)
    weight, bias = np.broadcast_to(WEIGHT, A.shape), np.broadcast_to(BIAS, A.shape)
    for place, of in groups(axis):
        expected[place] = [
            abs(g) * (of_hat + 3 * U * (abs(hat) + (abs(a) + abs(of.mu)) / of.root)) + 2 * U * abs(b)
            for g, b, a, hat, of_hat in zip(weight[place], bias[place], of.values, of.hat, of.of_hat, strict=True)
        ]
    np.testing.assert_allclose(norm_bound(U, A, WEIGHT, BIAS, (axis,), EPSILON), expected, rtol=1e-12)


@pytest.mark.parametrize("axis", [1, 0], ids=["batch", "layer"])
def test_backward(axis: int) -> None:
    weight, dA, share = np.broadcast_to(WEIGHT, A.shape), np.empty_like(A), np.empty_like(A)
    for place, of in groups(axis):
        g = [abs(w * dz) for w, dz in zip(weight[place], DZ[place], strict=True)]
        along = fmean(abs(hat) * each for hat, each in zip(of.hat, g, strict=True))
        off = fmean(of_hat * each for of_hat, each in zip(of.of_hat, g, strict=True))
        for number, (hat, of_hat, each) in enumerate(zip(of.hat, of.of_hat, g, strict=True)):
            terms = each + fmean(g) + abs(hat) * along
            of_terms = gamma(of.N + 8, U) * terms + of_hat * along + (abs(hat) + of_hat) * off
            dA[place][number] = ((1 + of.relative) * of_terms + of.relative * terms) / of.root
            share[place][number] = abs(DZ[place][number]) * (of_hat + (gamma(M + 4, U) + of.relative) * abs(hat))
    expected = dA, share.sum(axis=1, keepdims=True) / M, gamma(M + 4, U) * np.abs(DZ).sum(axis=1, keepdims=True) / M
    for found, right in zip(norm_backward_bounds(U, DZ, A, WEIGHT, (axis,), M, EPSILON), expected, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-12)


def test_running_statistics() -> None:
    of_mean, of_variance = running_bounds(U, A, MEAN, VARIANCE, (1,), MOMENTUM)
    old = gamma(4, U) * (1 - MOMENTUM) + U * MOMENTUM
    for row, of in enumerate(Averaged(each) for each in A.tolist()):
        unbiased = sum(d**2 for d in of.d) / (of.N - 1)
        second = sum((2 * abs(d) + e) * e for d, e in zip(of.d, of.e, strict=True)) / (of.N - 1)
        new_mean, new_variance = max(of.e) + 4 * U * abs(of.mu), gamma(of.N + 8, U) * unbiased + second
        assert of_mean[row, 0] == pytest.approx(old * abs(MEAN[row, 0]) + MOMENTUM * new_mean, rel=1e-12)
        assert of_variance[row, 0] == pytest.approx(old * VARIANCE[row, 0] + MOMENTUM * new_variance, rel=1e-12)


def test_in_use() -> None:
    forward = predict_bound(U, A, WEIGHT, BIAS, MEAN, VARIANCE, EPSILON)
    dA, dgamma, dbeta = predict_backward_bounds(U, DZ, A, WEIGHT, MEAN, VARIANCE, M, EPSILON)
    for row in range(2):
        w, b, mean, root = abs(WEIGHT[row, 0]), abs(BIAS[row, 0]), abs(MEAN[row, 0]), sqrt(VARIANCE[row, 0] + EPSILON)
        sizes = [abs(a) + mean for a in A[row]]
        assert forward[row] == pytest.approx([gamma(8, U) * w / root * size + 2 * U * b for size in sizes], rel=1e-12)
        assert dA[row] == pytest.approx([gamma(8, U) * w * abs(dz) / root for dz in DZ[row]], rel=1e-12)
        products = sum(abs(dz) * size / root for dz, size in zip(DZ[row], sizes, strict=True))
        assert dgamma[row, 0] == pytest.approx(gamma(M + 10, U) * products / M, rel=1e-12)
        assert dbeta[row, 0] == pytest.approx(gamma(M + 4, U) * sum(map(abs, DZ[row])) / M, rel=1e-12)
