"""Whether a value is the right one: on true upstream values a formula either agrees to rounding or is plainly off.

The probes are small and well conditioned, so two right computations of a quantity differ by some hundred units of
roundoff of its largest entry at most, while a wrong formula is off in the first digits. What lies between is not
judged.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

DOUBLE = 2.0**-53
"""Unit roundoff of float64, in which probes are drawn; a person's own numbers may be float32."""

ROUNDINGS = 2**13
"""Roundings of the largest entry that two right computations may lie apart: about 1e-12 of it in float64."""

PLAIN = 2**30
"""Roundings beyond which a formula is plainly wrong: about 1e-7 in float64."""


class Agreement(NamedTuple):
    """How a value compares with the true one: ``error`` and ``bound`` at the worst entry."""

    error: float
    bound: float
    worst_index: tuple[int, ...]
    got: float
    expected: float
    shape_got: tuple[int, ...]
    shape_expected: tuple[int, ...]
    ratio: float | None

    @property
    def same_shape(self) -> bool:
        """Whether entries could be compared at all."""
        return self.shape_got == self.shape_expected

    @property
    def holds(self) -> bool:
        """Whether the value is right."""
        return self.same_shape and self.error <= self.bound < np.inf

    @property
    def wrong(self) -> bool:
        """Whether the value is plainly not right."""
        return not self.same_shape or not self.error <= self.bound * (PLAIN / ROUNDINGS)


def as_number(value: Any, truth: Any) -> Any:
    """An array of one entry as a number, where a number is expected: w.T @ x + b is (1, 1)."""
    return np.reshape(value, ()) if np.ndim(truth) == 0 and np.size(value) == 1 else value


def agrees(value: Any, truth: Any, unit: float = DOUBLE) -> bool:
    """The quick answer: right shape, and every entry within rounding."""
    value = as_number(value, truth)
    if np.shape(value) != np.shape(truth):
        return False
    bound = ROUNDINGS * unit * float(np.max(np.abs(truth), initial=0.0))
    with np.errstate(all="ignore"):
        return bool(np.max(np.abs(np.subtract(value, truth)), initial=0.0) <= bound < np.inf)


def compare(value: Any, truth: Any, unit: float = DOUBLE) -> Agreement:
    """The full answer, with the worst entry and the ratio where it is one number everywhere."""
    value, truth = np.asarray(as_number(value, truth)), np.asarray(truth)
    bound = ROUNDINGS * unit * float(np.max(np.abs(truth), initial=0.0))
    if value.shape != truth.shape:
        return Agreement(np.inf, bound, (), np.nan, np.nan, value.shape, truth.shape, None)
    with np.errstate(all="ignore"):
        error = np.abs(np.subtract(value, truth, dtype=np.float64))
    error = np.where(np.isnan(error), np.inf, error)
    worst = np.unravel_index(int(np.argmax(error)), error.shape)
    return Agreement(
        float(error[worst]),
        bound,
        tuple(int(place) for place in worst),
        float(value[worst]),
        float(truth[worst]),
        value.shape,
        truth.shape,
        constant_ratio(value, truth, unit),
    )


def constant_ratio(value: Any, truth: Any, unit: float = DOUBLE) -> float | None:
    """Value / truth, where it is one number over all entries that are not tiny; None otherwise."""
    if np.shape(value) != np.shape(truth) or not np.size(truth):
        return None
    value, truth = np.ravel(value), np.ravel(truth)
    largest = int(np.argmax(np.abs(truth)))
    with np.errstate(all="ignore"):
        ratio = float(value[largest] / truth[largest])
        if not np.isfinite(ratio) or ratio == 0:
            return None
        return ratio if agrees(value / ratio, truth, unit) else None
