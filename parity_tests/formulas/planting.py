"""Mistakes to plant, and what they put in the place of a formula or of its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Change: TypeAlias = Callable[[Any], Any]
"""Takes what is right and returns what is planted in its place."""


class Fault(NamedTuple):
    """A mistake to plant.

    ``target`` is what ``change`` replaces: "CHAPTER.FUNCTION", a function of manual, seen by the probe network;
    "activations.tanh'", the derivative in the table of activations; or "case:ID manual", a field of a formula's case.
    ``caught`` are the quantities that must fail, and the only ones that may.
    """

    id: str
    target: str
    change: Change
    caught: frozenset[str]


def fault(name: str, change: Change, *caught: str, at: str = "") -> Fault:
    """A fault in the formula itself; ``at`` is a field of the record's first case, or another target."""
    return Fault(name, at, change, frozenset(caught))


def result(alter: Callable[..., Any]) -> Change:
    """A fault in the result: ``alter`` receives it, then the arguments of the call."""

    def change(right: Callable[..., Any]) -> Callable[..., Any]:
        def planted(*args: Any, **options: Any) -> Any:
            return alter(right(*args, **options), *args)

        return planted

    return change


def instead(formula: Any) -> Change:
    """A fault in the formula: this one stands in its place."""
    return lambda right: formula


def largest_moved(value: Any, *args: Any) -> Any:
    """The largest entry moved by 1e-9 of itself in float64, by as many units of roundoff in float32."""
    value = np.array(value)
    place = np.unravel_index(int(np.argmax(np.abs(value))), value.shape)
    value[place] *= 1 + 1.1e-9 * float(np.finfo(value.dtype).eps) / 2**-52
    return value if value.ndim else value[()]


def one_nan(value: Any, *args: Any) -> Any:
    """NaN in the first entry."""
    value = value.copy()
    value.flat[0] = np.nan
    return value


def other_dtype(value: Any, *args: Any) -> Any:
    """The same numbers in the other dtype."""
    return value.astype(np.float32 if value.dtype == np.float64 else np.float64)
