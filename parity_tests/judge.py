"""A verdict on two arrays, given how far they may differ: holds, fails, or cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parity_tests.bounds import underflow, unit_roundoff

HOLDS, CANNOT_TELL, FAILS = "holds", "cannot tell", "fails"

CANNOT_TELL_UNITS = 1e-9 / 2**-53
"""A change of 1e-9 of an array's largest entry must be seen in float64; other dtypes get as many units of roundoff."""


class Result(NamedTuple):
    """One line of the comparison: one quantity of one case, over one array or over the arrays of all steps of a run.

    ``error`` and ``bound`` belong to the entry with the largest ratio, which ``worst_index`` names (the step first, where
    there are several arrays). ``cannot_tell`` counts the arrays, of ``arrays`` judged, about which nothing can be said.
    ``reason`` is empty for a plain comparison of numbers; ``basis`` is "derived", or "measured" for free runs.
    """

    case: str
    model: str
    dataset: str
    quantity: str
    layer: int | None
    dtype: str
    pair: str
    shape: tuple[int, ...]
    error: float
    bound: float
    ratio: float
    worst_index: tuple[int, ...]
    verdict: str
    cannot_tell: int
    arrays: int
    reason: str
    basis: str

    def as_json(self) -> dict[str, Any]:
        """Plain data; a number that JSON lacks becomes None."""
        data = self._asdict()
        for name in ("error", "bound", "ratio"):
            if not np.isfinite(data[name]):
                data[name] = None
        return data


class Where(NamedTuple):
    """What a line is about."""

    case: str
    quantity: str
    pair: str = "manual/torch"
    model: str = ""
    dataset: str = ""
    layer: int | None = None
    basis: str = "derived"


def judge(
    where: Where,
    got: Sequence[Any],
    reference: Sequence[Any],
    tolerance: Sequence[Any],
    dtype: Any,
    *,
    floor: float = 0.0,
) -> Result:
    """Compare the arrays of ``got`` with those of ``reference``, entry by entry: shape and dtype first, then values.

    The three sequences hold one array per step of a run, or one array in all; shapes and dtype are expected to be those of
    the reference and ``dtype``. An entry fails where the difference exceeds its tolerance, or is NaN on one side only. An
    array cannot be told where an entry is NaN on both sides, a tolerance is infinite, or twice the largest tolerance (less
    ``floor``, the part that stands for underflow) exceeds 1e-9 of the largest entry in float64, or as many units of
    roundoff in another dtype.
    """
    dtype = np.dtype(dtype)
    if not got:
        return failure(where, dtype, "nothing to compare: no array")
    for one, other in zip(got, reference, strict=True):
        if np.shape(one) != np.shape(other):
            return failure(where, dtype, f"shape {np.shape(one)}, expected {np.shape(other)}", np.shape(one))
        if one.dtype != dtype:
            return failure(where, dtype, f"dtype {one.dtype}, expected {dtype}", np.shape(one))
        if one.size == 0:
            return failure(where, dtype, "nothing to compare: the array is empty", np.shape(one))
    shape = np.shape(got[0])
    ours = np.asarray(got, np.float64).reshape(len(got), -1)
    theirs = np.asarray(reference, np.float64).reshape(len(got), -1)
    allowed = np.asarray([np.broadcast_to(each, shape) for each in tolerance]).reshape(len(got), -1)
    with np.errstate(all="ignore"):
        error = np.abs(ours - theirs)
        ratio = error / allowed
        untold = np.zeros(len(got), bool)
        if not (np.isfinite(ratio.sum()) and np.isfinite(allowed.sum())):
            error, ratio, untold = _special(ours, theirs, error, allowed)
            theirs, allowed = np.where(np.isfinite(theirs), theirs, 0), np.where(np.isfinite(allowed), allowed, 0)
        units = CANNOT_TELL_UNITS * unit_roundoff(dtype)
        untold |= 2 * (allowed.max(axis=1) - floor) > units * np.abs(theirs).max(axis=1)
    worst = int(np.argmax(ratio))
    fails = not ratio.flat[worst] <= 1
    index = np.unravel_index(worst, (len(got), *shape))[0 if len(got) > 1 else 1 :]
    return Result(
        **where._asdict(),
        dtype=dtype.name,
        shape=shape,
        error=float(error.flat[worst]),
        bound=float(allowed.flat[worst]),
        ratio=float(ratio.flat[worst]),
        worst_index=tuple(int(place) for place in index),
        verdict=FAILS if fails else CANNOT_TELL if untold.any() else HOLDS,
        cannot_tell=int(untold.sum()),
        arrays=len(got),
        reason="",
    )


def _special(
    ours: NDArray[Any], theirs: NDArray[Any], error: NDArray[Any], allowed: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Error and ratio where NaN or infinity turns up; and which arrays cannot be told.

    Equal entries have no error, infinite ones included. A NaN on one side, or an infinity, fails unless its tolerance is
    infinite, which says that the reference has no answer there.
    """
    both_nan = np.isnan(ours) & np.isnan(theirs)
    open_ended = ~np.isfinite(allowed)
    excused = both_nan | (ours == theirs) | (open_ended & ~np.isnan(ours))
    error = np.where(excused, 0.0, np.where(np.isnan(error), np.inf, error))
    ratio = np.where(excused, 0.0, np.where(np.isfinite(error), error / allowed, np.inf))
    return error, ratio, (both_nan | open_ended).any(axis=1)


def failure(where: Where, dtype: Any, reason: str, shape: tuple[int, ...] = ()) -> Result:
    """A failure before any value was compared."""
    return Result(
        **where._asdict(),
        dtype=np.dtype(dtype).name,
        shape=shape,
        error=np.inf,
        bound=np.nan,
        ratio=np.inf,
        worst_index=(),
        verdict=FAILS,
        cannot_tell=0,
        arrays=1,
        reason=reason,
    )


class Ledger:
    """Arrays by what they are about, gathered over the steps of a run and judged together at its end."""

    def __init__(self, dtype: Any, count: int) -> None:
        """``count`` is the longest sum in the case, for what underflow may add."""
        self.dtype = np.dtype(dtype)
        self.floor = underflow(self.dtype, count)
        self._entries: dict[Where, tuple[list[Any], list[Any], list[Any]]] = {}
        self._failures: list[Result] = []

    def add(self, where: Where, got: Any, reference: Any, bound: Any) -> None:
        """One array: both sides, and the error bound of one side, which is doubled for two."""
        entry = self._entries.setdefault(where, ([], [], []))
        entry[0].append(np.asarray(got))
        entry[1].append(np.asarray(reference))
        entry[2].append(2 * bound + self.floor)

    def fail(self, where: Where, reason: str) -> None:
        """A comparison that could not be made."""
        self._failures.append(failure(where, self.dtype, reason))

    def results(self) -> list[Result]:
        """One line per thing compared, in order of first appearance; failures to compare come last."""
        judged = [judge(where, *entry, self.dtype, floor=self.floor) for where, entry in self._entries.items()]
        return judged + self._failures
