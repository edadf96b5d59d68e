"""A verdict on two arrays, given how far they may differ: holds, fails, or cannot tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from manual.notation import Array
from parity_tests.judging.bounds import underflow, unit_roundoff

HOLDS, CANNOT_TELL, FAILS = "holds", "cannot tell", "fails"

SEEN = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 1e-3}
"""The least change of an array that must be seen, as a share of its largest entry."""

SEEN_IN_A_SHORT_FORMAT = 0.1
"""The same where the reference was computed with products in a shorter format, such as bfloat16."""

NEAR_OVERFLOW = 2.0**-10
"""From this share of the largest number on, one way of writing a formula may overflow and another not."""


class Result(NamedTuple):
    """One line of the comparison: one quantity of one case, over one array or over the arrays of all steps of a run.

    ``error`` and ``bound`` belong to the entry with the largest ratio, which ``worst_index`` names (the step first,
    where there are several arrays). ``cannot_tell`` counts the arrays, of ``arrays`` judged, about which nothing can
    be said. ``reason`` is empty for a plain comparison of numbers; ``basis`` is "derived", or "measured" for free
    runs.
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


class Judgement(NamedTuple):
    """What came of one array: its worst entry, whether it fails or cannot be told, why it could not be compared."""

    shape: tuple[int, ...]
    ratio: float
    error: float
    bound: float
    worst: int
    fails: bool
    untold: bool
    reason: str = ""


def judge(
    got: Any,
    reference: Any,
    tolerance: Any,
    dtype: Any,
    floor: float = 0.0,
    *,
    seen: float | None = None,
    exact: bool | None = None,
    by_error: bool = False,
) -> Judgement:
    """Compare two arrays entry by entry: shape and dtype first, then values.

    The shape is expected to be the reference's, the dtype to be ``dtype``. An entry fails where the difference
    exceeds its tolerance, or is NaN on one side only; where the tolerance is NaN, nothing is known of it. The array
    cannot be told where an entry is NaN on both sides, a tolerance is not finite, or the tolerance is so wide that a
    change of ``seen`` (by default SEEN of the dtype) times the largest entry could pass, which is twice the largest
    tolerance.

    With ``by_error`` an array whose tolerance is so wide holds all the same if the two sides agree to half of ``seen``,
    so that no such change can have passed.

    ``floor`` is the part of the tolerance that stands for underflow. Where it alone is so wide, nothing is said of
    numbers that agree: they are what underflow left. But copies and sums of zeros are ``exact`` and lose nothing; by
    default those are meant whose tolerance is the floor.
    """
    got, reference = np.asarray(got), np.asarray(reference)
    if got.shape != reference.shape:
        return _unlike(got.shape, f"shape {got.shape}, expected {reference.shape}")
    if got.dtype != dtype:
        return _unlike(got.shape, f"dtype {got.dtype}, expected {np.dtype(dtype)}")
    if got.size == 0:
        return _unlike(got.shape, "nothing to compare: the array is empty")
    tolerance = np.asarray(tolerance)
    if tolerance.shape != got.shape:
        tolerance = np.broadcast_to(tolerance, got.shape)
    with np.errstate(all="ignore"):
        error = np.abs(np.subtract(got, reference, dtype=np.float64))
        ratio = error / tolerance
        worst, widest = int(ratio.argmax()), int(tolerance.argmax())  # the first NaN, where there is one
        largest_tolerance, untold = float(tolerance.flat[widest]), False
        if special := not (math.isfinite(ratio.flat[worst]) and math.isfinite(largest_tolerance)):
            error, ratio, untold = _special(got, reference, error, tolerance)
            worst = int(ratio.argmax())
            largest_tolerance = float(np.max(tolerance, initial=0.0, where=np.isfinite(tolerance)))
    fails = not ratio.flat[worst] <= 1
    share = SEEN[got.dtype] if seen is None else seen
    # where it is wide the reference is mostly large, and one entry shows that the tolerance is narrow enough
    if not fails and (special or not 2 * largest_tolerance <= share * abs(float(reference.flat[widest]))):
        least = share * float(np.max(np.abs(reference), initial=0.0, where=np.isfinite(reference)))
        if 2 * largest_tolerance > least:
            difference = float(error.max())
            narrow = largest_tolerance <= floor if exact is None else exact
            if narrow:
                untold |= difference > 0
            else:
                untold |= not by_error or 2 * floor > least or 2 * difference > least
    return Judgement(
        got.shape,
        float(ratio.flat[worst]),
        float(error.flat[worst]),
        float(tolerance.flat[worst]),
        worst,
        fails,
        untold=not fails and untold,
    )


def _unlike(shape: tuple[int, ...], reason: str) -> Judgement:
    """A failure before any value was compared."""
    return Judgement(shape, np.inf, np.inf, np.nan, 0, fails=True, untold=False, reason=reason)


def _special(got: Array, reference: Array, error: Array, tolerance: Array) -> tuple[Array, Array, bool]:
    """Error and ratio where NaN or infinity turns up; and whether an entry cannot be told.

    Equal entries have no error, infinite ones included. A NaN on one side, or an infinity, fails unless its tolerance
    is infinite, which says that the reference has no answer there, or NaN, which says that neither side has one.
    """
    both_nan = np.isnan(got) & np.isnan(reference)
    open_ended = ~np.isfinite(tolerance)
    excused = both_nan | (got == reference) | (open_ended & ~np.isnan(got)) | np.isnan(tolerance)
    error = np.where(excused, 0.0, np.where(np.isnan(error), np.inf, error))
    ratio = np.where(excused, 0.0, np.where(np.isfinite(error), error / tolerance, np.inf))
    return error, ratio, bool((both_nan | open_ended).any())


class Ledger:
    """Judgements by what they are about: one line each, over one array or over those of all steps of a run."""

    def __init__(self, dtype: Any, count: int, computed: Any = None, name: str = "") -> None:
        """``count`` is the longest sum in the case, for what underflow may add. Where the reference was ``computed`` in
        another dtype, ``name`` is that of the format of its products.
        """
        self.dtype, self.computed = np.dtype(dtype), np.dtype(computed or dtype)
        self.name = name or self.dtype.name
        self.floor = underflow(self.computed, count)
        self.seen = SEEN[self.dtype] if computed is None else SEEN_IN_A_SHORT_FORMAT
        self.by_error = self.computed != np.float64
        self.near_overflow = NEAR_OVERFLOW * unit_roundoff(self.computed) * float(np.finfo(self.computed).max)
        self._lines: dict[Where, list[Judgement]] = {}

    def add(
        self, where: Where, got: Any, reference: Any, bound: Any, of: Callable[[], Iterable[Array]] = tuple
    ) -> None:
        """Judge one array: both sides, and the error bound of one side, which is doubled for two.

        In float64 the bound alone decides whether the array can be told. In float32 the worst case of a long sum, which
        is never met, would leave much untold that agrees to many digits: there the difference decides.

        What fails is looked at again: it cannot be told where one side may overflow, nor where what it was computed
        ``of`` is not finite. 0 times infinity is NaN to one who multiplies, and 0 to one who chooses.
        """
        bound = np.asarray(bound)
        judgement = self._judged(got, reference, bound)
        if judgement.fails and not judgement.reason:
            if not all(np.isfinite(value).all() for value in of()):
                bound = np.full_like(bound, np.nan)
            near = bound >= self.near_overflow
            known = np.where(near & (np.isfinite(bound) | np.isinf(reference)), np.nan, bound)
            judgement = self._judged(got, reference, known)
        self.add_judged(where, judgement)

    def _judged(self, got: Any, reference: Any, bound: Array) -> Judgement:
        tolerance = 2 * bound
        tolerance += self.floor
        exact = not np.count_nonzero(bound)
        return judge(
            got, reference, tolerance, self.dtype, self.floor, seen=self.seen, exact=exact, by_error=self.by_error
        )

    def add_judged(self, where: Where, judgement: Judgement) -> None:
        """Put in what was judged elsewhere."""
        self._lines.setdefault(where, []).append(judgement)

    def fail(self, where: Where, reason: str) -> None:
        """A comparison that could not be made."""
        self.add_judged(where, _unlike((), reason))

    def results(self) -> list[Result]:
        """One line per thing compared, in order of first appearance."""
        return [self._line(where, judgements) for where, judgements in self._lines.items()]

    def judgements(self) -> dict[Where, list[Judgement]]:
        """What was judged, by what it is about: of a run, one judgement a step."""
        return {where: list(judged) for where, judged in self._lines.items()}

    def _line(self, where: Where, judgements: list[Judgement]) -> Result:
        step = max(range(len(judgements)), key=lambda place: (judgements[place].fails, judgements[place].ratio))
        worst = judgements[step]
        untold = sum(judgement.untold for judgement in judgements)
        index = () if worst.reason else tuple(int(place) for place in np.unravel_index(worst.worst, worst.shape))
        return Result(
            **where._asdict(),
            dtype=self.name,
            shape=worst.shape,
            error=worst.error,
            bound=worst.bound,
            ratio=worst.ratio,
            worst_index=(step, *index) if len(judgements) > 1 else index,
            verdict=FAILS if worst.fails else CANNOT_TELL if untold else HOLDS,
            cannot_tell=untold,
            arrays=len(judgements),
            reason=worst.reason,
        )
