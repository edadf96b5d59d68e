"""What a case is: one formula in its three versions, with what it takes to judge them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

Inputs = dict[str, Any]
Bound = Callable[[float, SimpleNamespace], Any]
"""One side's error bound, from u and from the inputs and reference outputs by name, in float64."""

N_X, N_1, N_2, M = 3, 5, 2, 7
"""Sizes of the probes: distinct primes, so that no transposition or swapped size passes unseen."""

LAMBDA = 0.7
"""The penalty of the probes and of the models that have one."""


class Derivative(NamedTuple):
    """The function whose derivative in ``wrt`` an output claims to be, for the complex step."""

    of: Callable[..., Any]
    wrt: str


@dataclass(frozen=True)
class Case:
    """One formula: the loop, the vectorised form and torch's, side by side.

    ``formulas`` are ids of the notes' formulas, separated by spaces. ``inputs`` draws a probe: the arguments of
    ``manual``, ``loop`` and ``reference``, in their order. ``bounds`` gives, for every output by name, the error
    bound of one side. ``derivatives`` gives, for outputs that are derivatives, the function that they are the
    derivative of; it takes them by name. ``stays_real`` gives, by argument, why the result stays real where that
    argument is complex.
    """

    id: str
    formulas: str
    inputs: Callable[[np.random.Generator], Inputs]
    manual: Callable[..., Any]
    loop: Callable[..., Any] | None
    reference: Callable[..., Any]
    bounds: Mapping[str, Bound]
    derivatives: Mapping[str, Derivative] = field(default_factory=dict)
    stays_real: Mapping[str, str] = field(default_factory=dict)


def normal(rng: np.random.Generator, *shape: int) -> Any:
    """Standard normal draws."""
    return rng.standard_normal(shape)


def away_from_zero(rng: np.random.Generator, *shape: int) -> Any:
    """Normal draws pushed a tenth away from 0, where ReLU and its kin have their kink."""
    Z = rng.standard_normal(shape)
    return Z + np.where(Z >= 0, 0.1, -0.1)


def binary(rng: np.random.Generator, *shape: int) -> Any:
    """Zeros and ones."""
    return rng.integers(0, 2, shape).astype(np.float64)


def one_hot(rng: np.random.Generator, n: int, m: int) -> Any:
    """One-hot columns."""
    return np.eye(n)[:, rng.integers(0, n, m)]


def probabilities(rng: np.random.Generator, *shape: int) -> Any:
    """Numbers well inside (0, 1)."""
    return rng.uniform(0.02, 0.98, shape)


def distributions(rng: np.random.Generator, n: int, m: int) -> Any:
    """Columns that sum to 1, every entry positive."""
    A = rng.uniform(0.05, 1.0, (n, m))
    return A / A.sum(axis=0, keepdims=True)
