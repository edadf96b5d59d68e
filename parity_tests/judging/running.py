"""Running error analysis: a formula written once on numbers that carry their error gives the bound of its result.

A value and a bound of its error go through every operation together: what the operands may be off by, carried to first
order, and the rounding of the operation itself (Wilkinson, Error analysis revisited, 1986; Higham, Accuracy and
Stability of Numerical Algorithms, 2002, section 3.3). Sums may run in any order, and factors may be taken in any: both
round as often.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from parity_tests.judging.bounds import ELEMENTARY, Bound, Magnitudes, gamma


class Running:
    """An array in float64 and a bound of the error of each entry."""

    __array_ufunc__ = None  # so that an array on the left leaves the operation to us

    def __init__(self, u: float, value: Any, error: Any = 0.0) -> None:
        """Exact where no error is given."""
        self.u, self.value = u, np.asarray(value, np.float64)
        self.error = np.broadcast_to(error, self.value.shape)

    def _of(self, other: Any) -> Running:
        return other if isinstance(other, Running) else Running(self.u, other)

    def _rounded(self, value: Magnitudes, carried: Bound, roundings: float = 1.0) -> Running:
        return Running(self.u, value, carried + roundings * self.u * np.abs(value))

    def __add__(self, other: Any) -> Running:
        """Errors add up."""
        b = self._of(other)
        return self._rounded(self.value + b.value, self.error + b.error)

    __radd__ = __add__

    def __neg__(self) -> Running:
        """Without rounding."""
        return Running(self.u, -self.value, self.error)

    def __sub__(self, other: Any) -> Running:
        """Errors add up."""
        return self + -self._of(other)

    def __rsub__(self, other: Any) -> Running:
        """Errors add up."""
        found: Running = self._of(other) - self
        return found

    def __mul__(self, other: Any) -> Running:
        """Each error times the other factor."""
        b = self._of(other)
        return self._rounded(
            self.value * b.value, np.abs(self.value) * b.error + np.abs(b.value) * self.error + self.error * b.error
        )

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Running:
        """The divisor's relative error, once."""
        b = self._of(other)
        quotient = self.value / b.value
        return self._rounded(quotient, (self.error + np.abs(quotient) * b.error) / np.abs(b.value))

    def __matmul__(self, other: Any) -> Running:
        """As many products as the inner side is long."""
        b = self._of(other)
        A, B = np.abs(self.value), np.abs(b.value)
        carried = A @ b.error + self.error @ B + self.error @ b.error
        return Running(self.u, self.value @ b.value, carried + gamma(A.shape[-1] + 2, self.u) * (A @ B))

    def __rmatmul__(self, other: Any) -> Running:
        """A product with an exact matrix on the left."""
        product: Running = self._of(other) @ self
        return product

    def __getitem__(self, index: Any) -> Running:
        """A part."""
        return Running(self.u, self.value[index], self.error[index])

    @property
    def T(self) -> Running:
        """The last two axes exchanged."""
        return self.moved(lambda each: each.swapaxes(-1, -2))

    def moved(self, move: Callable[[Any], Any]) -> Running:
        """Anything that only moves entries."""
        return Running(self.u, move(self.value), move(self.error))

    def sum(self, axis: Any = None) -> Running:
        """Every term may be rounded as often as there are terms; the axis stays."""
        total = np.sum(self.value, axis=axis, keepdims=True)
        terms = self.value.size // max(total.size, 1)
        size, carried = (np.sum(each, axis=axis, keepdims=True) for each in (np.abs(self.value), self.error))
        return Running(self.u, total, carried + gamma(terms, self.u) * size)

    def exp(self) -> Running:
        """An error of the exponent is a relative one."""
        return self._elementary(np.exp(self.value), np.exp(self.value))

    def log(self) -> Running:
        """A relative error becomes an absolute one."""
        return self._elementary(np.log(self.value), 1 / self.value)

    def tanh(self) -> Running:
        """The slope is 1 - tanh^2."""
        t = np.tanh(self.value)
        return self._elementary(t, 1 - t * t)

    def sigmoid(self) -> Running:
        """The slope is s (1 - s)."""
        s = 1 / (1 + np.exp(-self.value))
        return self._elementary(s, s * (1 - s))

    def _elementary(self, value: Magnitudes, slope: Magnitudes) -> Running:
        return self._rounded(value, np.abs(slope) * self.error * (1 + self.error), ELEMENTARY)


def stacked(*parts: Running, axis: int = 0) -> Running:
    """Parts one after the other."""
    values, errors = ([getattr(part, name) for part in parts] for name in ("value", "error"))
    return Running(parts[0].u, np.concatenate(values, axis=axis), np.concatenate(errors, axis=axis))


def running_bounds(formula: Callable[..., Any], names: str, arguments: str) -> dict[str, Callable[[float, Any], Bound]]:
    """The bounds of a formula's results, by name, from the formula on Running numbers and its arguments' names."""

    def bound(number: int) -> Callable[[float, Any], Bound]:
        def of(u: float, at: Any) -> Bound:
            found = formula(*(_given(u, getattr(at, name)) for name in arguments.split()))
            return (found[number] if isinstance(found, tuple) else found).error

        return of

    return {name: bound(number) for number, name in enumerate(names.split())}


def _given(u: float, value: Any) -> Any:
    return Running(u, value) if isinstance(value, np.ndarray) and value.dtype != bool else value
