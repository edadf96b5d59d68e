"""How far two correct computations of one operation may differ, entry by entry.

u is the unit roundoff of the dtype (2^-53 for float64, 2^-24 for float32) and gamma(k) = k u / (1 - k u) bounds k
successive roundings (Higham, Accuracy and Stability of Numerical Algorithms, 2002, chapter 3). Each function below
bounds one side's error; the judge doubles it for two sides and adds what underflow can do. Magnitudes are float64
arrays, taken from inputs already checked or from the reference's output, never from the value under test.

A sum of n products, in any order of summation, errs by at most gamma(n) times the sum of the magnitudes; the few extra
units in each bound are the roundings beside the sum (the bias, 1/m in and out, the penalty). Elementary functions are
taken to be within 4 units in the last place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Magnitudes: TypeAlias = NDArray[np.float64]

Bound: TypeAlias = Any
"""One side's error bound, entry by entry: float64, of the shape of what is bounded."""

ELEMENTARY = 10.0
"""Units of roundoff for exp, log, tanh and what they are wrapped in: 4 ulp are at most 8 u, and 2 u for the rest."""

LOSS = 24
"""Roundings of a loss beside the sum: an exponential and a logarithm, a sum, a product, and 1/m."""


@cache
def unit_roundoff(dtype: Any) -> float:
    """u = eps/2."""
    return float(np.finfo(dtype).eps) / 2


@cache
def smallest_normal(dtype: Any) -> float:
    """The smallest number that has all its digits: below it a rounding is off by up to u times this number."""
    return float(np.finfo(dtype).tiny)


@cache
def underflow(dtype: Any, count: int) -> float:
    """What underflow may add to a sum of ``count`` terms on two sides: four smallest normal numbers per term."""
    return 4 * count * smallest_normal(dtype)


def divided(value: Magnitudes, m: int, tiny: float) -> Magnitudes:
    """The magnitude of a number that one side knows as the m-th part of it, divided by m and rounded.

    Among subnormal numbers the rounding is off by u tiny, where ``tiny`` is the smallest normal number, so m times the
    part is off by u (|x| + m tiny). Zero stays zero.
    """
    magnitude = np.abs(value)
    return np.asarray(magnitude + m * tiny * (magnitude > 0))


class Format(float):
    """The unit roundoff of the sums of products whose factors and results are rounded to a shorter format.

    ``roundings`` of them, each with the unit roundoff ``short``: two factors, and where the result is rounded too, it
    and the bias that is added to it.
    """

    short: float
    roundings: int

    def __new__(cls, u: float, short: float, roundings: int) -> Format:
        """The unit roundoff of the sums, as a number."""
        made = super().__new__(cls, u)
        made.short, made.roundings = short, roundings
        return made


def gamma(k: float, u: float) -> float:
    """k u / (1 - k u): the relative error of k successive roundings; in a Format, of its own roundings too."""
    sums = k * float(u) / (1 - k * float(u))
    if isinstance(u, Format):
        return float((1 + sums) * (1 + u.short) ** u.roundings - 1)
    return sums


def exact(u: float, value: Magnitudes) -> Bound:
    """Operations without rounding: copies, signs, comparisons."""
    return np.zeros_like(value)


def rounded(u: float, value: Magnitudes, operations: int = 1) -> Bound:
    """``operations`` roundings on the way to one value, nothing cancelling."""
    return gamma(operations, u) * np.abs(value)


class OfUnit(NamedTuple):
    """The error of an activation in units of roundoff: of A, as a share of it; of g'(Z), of itself and of A."""

    A: float
    g_prime: float = 0.0
    g_prime_by_A: float = 0.0


UNITS: dict[str, OfUnit] = {
    "sigmoid": OfUnit(ELEMENTARY, 3.0, 2 * ELEMENTARY),
    "tanh": OfUnit(ELEMENTARY, 3.0, 2 * ELEMENTARY),
    "relu": OfUnit(0.0),
    "leaky_relu": OfUnit(2.0, 3.0),
    "identity": OfUnit(0.0),
}
"""ReLU and identity are exact, leaky ReLU is a slope and a product. The slopes of sigmoid and tanh come from A, whose
error comes back as 2 |A| times its own.
"""


def activation(u: float, A: Magnitudes, unit: str) -> Bound:
    """A = g(Z), entry by entry."""
    return UNITS[unit].A * u * np.abs(A)


def softmax(u: float, A: Magnitudes, Z: Magnitudes) -> Bound:
    """Softmax: the shift d = max z - z is rounded (d u, carried by exp), for the entry and inside the sum."""
    d = Z.max(axis=0, keepdims=True) - Z
    return u * A * (2 * d + 2 * np.sum(A * d, axis=0, keepdims=True) + A.shape[0] + 40)


def output(u: float, A: Magnitudes, Z: Magnitudes, unit: str) -> Bound:
    """The output unit's A: softmax, or one of the entry-wise ones."""
    return softmax(u, A, Z) if unit == "softmax" else activation(u, A, unit)


def derivative(u: float, g_prime: Magnitudes, A: Magnitudes, unit: str) -> Bound:
    """g'(Z), entry by entry."""
    of = UNITS[unit]
    return of.g_prime * u * np.abs(g_prime) + of.g_prime_by_A * u * np.abs(A)


def hidden_dZ(u: float, dZ: Magnitudes, dA: Magnitudes, A: Magnitudes, unit: str, tiny: float = 0.0) -> Bound:
    """dZ = dA * g'(Z): the product, and g's error through dA. torch's sigmoid is 0 where it is below the smallest
    normal number, ``tiny``: there 1/(1 + e^-z) overflows on the way.
    """
    _, of_g_prime, by_A = UNITS[unit]
    return max(of_g_prime, 3.0) * u * np.abs(dZ) + (np.abs(dA) * (by_A * u * np.abs(A) + tiny) if by_A else 0.0)


def softmax_backward(u: float, dA: Magnitudes, A: Magnitudes) -> Bound:
    """dZ = A (dA - sum A dA): n_L products, the difference, the product; the reference's A is softmax(log A)."""
    spread = np.abs(dA) + np.sum(A * np.abs(dA), axis=0, keepdims=True)
    relative = softmax(u, A, np.log(A)) / A + ELEMENTARY * u * np.abs(np.log(A))
    return A * spread * (gamma(A.shape[0] + 4, u) + 2 * relative.max(axis=0, keepdims=True))


def cost_from_logits(u: float, J: Magnitudes, Z: Magnitudes, unit: str, weights: int = 0) -> Bound:
    """J from Z. No losses cancel, nor does the penalty of so many ``weights``: their sum errs by gamma(terms + 24) J.

    Inside a loss, however, large numbers may leave a small one, so that an error of another size stands beside it:

    sigmoid: torch subtracts log sigmoid(z) = min(z, 0) - log(1 + e^-|z|) from (1 - y) z. Where the answer is confident
    and right, both are about z and leave e^-|z|. With y = 0 or 1 that logarithm alone is rounded: u |z|.

    softmax: log sum_j e^-d_j + d with d = max z - z. The sum is 1 at least; its n_L terms and their exponentials put it
    off by gamma(n_L + 10) of itself, the shifts by u sum_j A_j d_j, and its logarithm by as much, however small.

    identity: the difference z - y is rounded once, and squared.
    """
    beside = _BESIDE_THE_LOSSES[unit](u, Z) / Z.shape[1]
    return gamma(max(Z.size, weights) + LOSS, u) * np.abs(J) + beside


def _shifted_sums(u: float, Z: Magnitudes) -> float:
    """The errors of log sum_j e^-d_j, over all examples."""
    d = Z.max(axis=0, keepdims=True) - Z
    A = np.exp(-d)
    shifts = np.sum(A * d, axis=0) / np.sum(A, axis=0)
    return float(np.sum(gamma(Z.shape[0] + ELEMENTARY, u) + u * shifts))


_BESIDE_THE_LOSSES: dict[str, Callable[[float, Magnitudes], float]] = {
    "sigmoid": lambda u, Z: u * float(np.sum(np.abs(Z))),
    "softmax": _shifted_sums,
    "identity": lambda u, Z: 0.0,
}


def cost_from_A(u: float, J: Magnitudes, A: Magnitudes, unit: str) -> Bound:
    """J from A: as from Z, but for the sigmoid 1 - a is rounded, which moves log(1 - a) by u, however small it is."""
    beside = u * A.size / A.shape[1] if unit == "sigmoid" else 0.0
    return gamma(A.size + LOSS, u) * np.abs(J) + beside


def penalty(u: float, J: Magnitudes, terms: int) -> Bound:
    """lambda/(2m) sum W^2: ``terms`` squares, and a square root and its square in the reference."""
    return gamma(terms + 12, u) * np.abs(J)


def output_dA(u: float, dA: Magnitudes, A: Magnitudes, unit: str) -> Bound:
    """dA_L: a difference and a quotient. torch clamps a (1 - a) at 1e-12, below which nothing can be told."""
    bound = 4 * u * np.abs(dA)
    return np.where(A * (1 - A) < 2e-12, np.inf, bound) if unit == "sigmoid" else bound


def output_dZ(u: float, dZ: Magnitudes, A: Magnitudes, Z: Magnitudes, unit: str) -> Bound:
    """dZ_L = A - Y: A's error and three roundings, the reference differentiating the cost from logits."""
    return output(u, A, Z, unit) + 3 * u * np.abs(dZ)


def product(u: float, A: Magnitudes, B: Magnitudes) -> Bound:
    """A B: as many products as A has columns."""
    return gamma(A.shape[1] + 1, u) * (np.abs(A) @ np.abs(B))
