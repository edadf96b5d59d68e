"""The verdict on one array of a gradient, and the words for it."""

from __future__ import annotations

from html import escape
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from manual.notation import Array
from parity_tests import html
from parity_tests.differences.patterns import NOTHING, Known, pattern_of
from parity_tests.gradients.derivatives import Estimate
from parity_tests.judging.bounds import underflow
from parity_tests.judging.complex_step import STEP
from parity_tests.judging.judge import CANNOT_TELL, FAILS, HOLDS, SEEN

COMPLEX_STEP, DIFFERENCES = "complex step", "central differences"

COARSER = 1000
"""Central differences must see a change of 1e-6 of an array's largest entry, where the complex step must see 1e-9."""

Index = tuple[int, ...]
Mask = NDArray[np.bool_]


class ArrayCheck(NamedTuple):
    """What came of one array of the gradient.

    ``error``, ``bound``, ``ratio`` = error / bound, ``got`` and ``expected`` belong to the entry ``worst_index``, the
    one with the largest ratio; they are NaN, and the index is empty, where no entry could be compared. ``pattern`` says
    how the whole array follows from the right one ("2 times everywhere", "transposed", "all zeros"), ``wrong`` counts
    the entries that fail. ``kinks`` are the entries in which f has no derivative. ``reason`` says what is wrong where
    numbers do not, ``why_differences`` why the complex step could not be the referee.
    """

    name: str
    verdict: str
    method: str
    shape: Index
    error: float
    bound: float
    ratio: float
    worst_index: Index
    got: float
    expected: float
    pattern: str
    wrong: int
    kinks: tuple[Index, ...]
    reason: str
    why_differences: str

    def __str__(self) -> str:
        """One line."""
        if self.wrong_shape:
            numbers = ""
        elif self.verdict == FAILS:
            got, expected = _apart(self.got, self.expected)
            numbers = (
                f"{self.wrong} of {int(np.prod(self.shape))} wrong, {'worst ' if self.worst_index else ''}"
                f"{_at(self.worst_index)}got {got}, expected {expected}; error / bound {self.ratio:.2g}"
            )
        else:
            numbers = f"worst {_at(self.worst_index)}error {self.error:.2g}, bound {self.bound:.2g}"
        parts = [self.pattern, self.reason, numbers]
        return f"{self.name} {self.verdict} ({self.method}): {'; '.join(part for part in parts if part)}"

    @property
    def wrong_shape(self) -> bool:
        """Whether the shape differs, so that no entry was compared."""
        return self.wrong > 0 and np.isnan(self.error)


class GradientCheck(NamedTuple):
    """What came of a gradient, array by array, in the order of x. True where all of it holds; its text says why not.

    ``notes`` say what was done with the input: integers taken as float64, gradients that belong to no array of x.
    """

    arrays: tuple[ArrayCheck, ...]
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """The worst of the verdicts."""
        found = {array.verdict for array in self.arrays}
        return FAILS if FAILS in found else CANNOT_TELL if CANNOT_TELL in found else HOLDS

    @property
    def holds(self) -> bool:
        """Whether every array holds."""
        return self.verdict == HOLDS

    def __bool__(self) -> bool:
        """Whether every array holds."""
        return self.holds

    def _repr_html_(self) -> str:
        """A table for notebooks: an array in every row."""
        rows = []
        for each in self.arrays:
            place = str(each.worst_index) if each.worst_index else ""
            numbers = [f"{value:.6g}" for value in (each.got, each.expected)] + [f"{each.ratio:.2g}"]
            why = "; ".join(part for part in (each.pattern, each.reason) if part)
            words = (html.code(each.name), html.mark(each.verdict), escape(each.method), escape(why), escape(place))
            rows.append((each.verdict, (*words, *numbers)))
        heads = ("array", "verdict", "referee", "why", "worst entry", "got", "expected", "error / bound")
        return html.table(heads, rows, 5, [*str(self).splitlines()[:1], *self.notes])

    def __str__(self) -> str:
        """A line for the whole, one for each array, one for each reason to take differences."""
        head = {HOLDS: "The gradient holds.", FAILS: "The gradient fails.", CANNOT_TELL: "The gradient cannot be told."}
        lines = [head[self.verdict], *(f"  {array}" for array in self.arrays)]
        reasons: dict[str, list[str]] = {}
        for array in self.arrays:
            if array.why_differences:
                reasons.setdefault(array.why_differences, []).append(array.name)
        lines += [f"  Central differences for {', '.join(names)}: f {why}." for why, names in reasons.items()]
        lines += [f"  {note}" for note in self.notes]
        return "\n".join(lines)

    def __repr__(self) -> str:
        """What a prompt shows."""
        return str(self)


def smallest(dtype: Any) -> float:
    """What underflow may do: to the gradient under test, and to derivatives that travel as multiples of the step."""
    return underflow(dtype, 1) + underflow(np.dtype(np.float64), 1) / STEP


def must_be_seen(method: str, dtype: Any) -> float:
    """The least change that must be seen, as a share of the largest entry."""
    return max(SEEN[np.dtype(dtype)], SEEN[np.dtype(np.float64)] * (COARSER if method == DIFFERENCES else 1))


def hides(bound: Array, value: Array, method: str, dtype: Any) -> Mask:
    """The entries whose bound could hide a change that must be seen."""
    largest = np.max(np.abs(value), initial=0.0, where=np.isfinite(value))
    hidden: Mask = 2 * bound > must_be_seen(method, dtype) * largest
    return hidden | ~np.isfinite(value)


def judge_array(
    name: str, method: str, got: Array, estimate: Estimate, kinks: Mask, known: Known, why: str
) -> ArrayCheck:
    """Shape first, then values: beyond the wide bound, or by an exact factor beyond the narrow one, an entry is wrong.

    An entry agrees within the narrow bound, if that is narrow enough to see what must be seen; within the wide one,
    if that is. Where a bound is infinite, or the entry is hidden, nothing holds.
    """
    shape, dtype = kinks.shape, got.dtype
    got = got.astype(np.float64)
    expected, narrow, wide = (array.reshape(shape) for array in estimate[:3])
    hidden = estimate.hidden.reshape(shape)
    listed = tuple(tuple(int(i) for i in index) for index in np.argwhere(kinks))
    unknown = kinks | ~(np.isfinite(expected) & np.isfinite(wide))
    right, limit = np.where(unknown, 0.0, expected), np.where(unknown, np.inf, narrow)
    if got.shape != shape:
        text, reason = pattern_of(got, right, limit, known).text, f"shape {got.shape}, expected {shape}"
        nan, entries = np.nan, int(np.prod(shape))
        return ArrayCheck(name, FAILS, method, shape, nan, nan, nan, (), nan, nan, text, entries, listed, reason, why)

    error = np.where(np.isnan(got), np.inf, np.where(unknown, 0.0, np.abs(got - right)))
    agrees = error <= narrow
    wrong, pattern = error > wide, NOTHING
    wrong |= np.isposinf(error)
    if not agrees.all():
        pattern = pattern_of(got, right, limit, known)
        wrong |= pattern.exact & ~agrees & ~unknown
    both_zero = (got == 0) & (expected == 0)
    seen = both_zero | (agrees & ~hides(narrow, right, method, dtype)) | ~hides(wide, right, method, dtype)
    untold = unknown | hidden | ~seen
    bound = np.where(agrees | wrong & (error <= wide), narrow, wide)
    ratio = np.where(np.isposinf(error), np.inf, error / bound)
    worst = np.unravel_index(int(ratio.argmax()), shape)
    verdict = FAILS if wrong.any() else CANNOT_TELL if untold.any() else HOLDS
    return ArrayCheck(
        name=name,
        verdict=verdict,
        method=method,
        shape=shape,
        error=float(error[worst]),
        bound=float(bound[worst]),
        ratio=float(ratio[worst]),
        worst_index=tuple(int(i) for i in worst),
        got=float(got[worst]) + 0.0,  # no -0
        expected=float(expected[worst]),
        pattern=pattern.text if wrong.any() else "",
        wrong=int(wrong.sum()),
        kinks=listed,
        reason=_reason(verdict, must_be_seen(method, dtype), np.isnan(got), kinks, unknown, hidden, seen),
        why_differences=why,
    )


def _reason(verdict: str, change: float, nan: Mask, kinks: Mask, unknown: Mask, hidden: Mask, seen: Mask) -> str:
    """What numbers do not say: NaN, kinks, what rounding hides, values too small."""
    reasons = [f"NaN {_entries(nan)}"] if nan.any() else []
    small, hidden, unknown = ~seen & ~unknown, hidden & seen & ~unknown, unknown & ~kinks
    if kinks.any():
        reasons.append(f"f has a kink or an edge {_entries(kinks)}, where no derivative exists")
    if verdict == CANNOT_TELL and unknown.any():
        reasons.append(f"no derivative could be taken {_entries(unknown)}: f has steps or a kink close to x")
    if verdict == CANNOT_TELL and hidden.any():
        reasons.append(f"the rounding of f hides most of its derivative {_entries(hidden)}")
    if verdict == CANNOT_TELL and small.any():
        reasons.append(
            f"rounding could hide a change of {change:.0e} of the largest entry {_entries(small)}: "
            "the values are too small to judge"
        )
    return "; ".join(reasons)


def _entries(mask: Mask) -> str:
    """The first entries of a mask, in words."""
    indices = [str(tuple(int(i) for i in index)) for index in np.argwhere(mask)]
    if not mask.ndim:
        return "at x"
    more = f" and {len(indices) - 3} more" if len(indices) > 3 else ""
    return f"at {', '.join(indices[:3])}{more}"


def _at(index: Index) -> str:
    return f"at {index}: " if index else ""


def _apart(one: float, other: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart, six at least."""
    for digits in range(6, 18):
        pair = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if pair[0] != pair[1]:
            break
    return pair
