"""What is said of a line: the numbers, the cause, the repair, in the words of a good teacher."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.agreement import Agreement
from parity_tests.derivations.causes import CAUSES

HOLDS, WRONG, CANNOT_TELL = "holds", "wrong", "cannot tell"
AMBIGUOUS, UNKNOWN = "ambiguous", "unknown"


class Verdict(NamedTuple):
    """One judged quantity.

    ``cause`` is an id of the vocabulary, two joined by " + ", "ambiguous", "unknown", or "" where nothing is wrong;
    ``causes`` are the candidates. ``repaired`` is the formula that holds, "" where none was found. ``error``,
    ``bound`` and ``ratio`` = error / bound belong to the worst entry of the first probe on which the line is wrong.
    """

    target: str
    line: int
    text: str
    verdict: str
    cause: str
    causes: tuple[str, ...]
    repaired: str
    formula_ids: tuple[str, ...]
    error: float
    bound: float
    ratio: float
    shape_got: tuple[int, ...]
    shape_expected: tuple[int, ...]
    message: str

    def as_json(self) -> dict[str, Any]:
        """Plain data; a number that JSON lacks becomes None."""
        data = self._asdict()
        for name in ("error", "bound", "ratio"):
            if not np.isfinite(data[name]):
                data[name] = None
        return data


def explain(agreement: Agreement | None, problem: str, sizes: dict[str, Any]) -> str:
    """What the numbers show: a problem in computing them, the shapes, the ratio's pattern, or the worst entry."""
    if agreement is None:
        return problem
    if not agreement.same_shape:
        return f"has shape {agreement.shape_got}, expected {agreement.shape_expected}"
    if agreement.ratio is not None:
        return f"is {times(agreement.ratio, sizes)} everywhere"
    if agreement.got == 0 and not np.isfinite(agreement.error):
        return "is zero"
    place = f" at {list(agreement.worst_index)}" if agreement.worst_index else ""
    return f"is {agreement.got:.6g}{place}, expected {agreement.expected:.6g}"


def times(ratio: float, sizes: dict[str, Any]) -> str:
    """The ratio in words: which count it is, too large or too small."""
    if np.isclose(ratio, -1, rtol=1e-9, atol=0):
        return "the negative of what it should be"
    sign = "minus " if ratio < 0 else ""
    size = abs(ratio)
    for name, count in sizes.items():
        for power, mark in ((1, ""), (2, " squared")):
            if count > 1 and np.isclose(size, count**power, rtol=1e-9, atol=0):
                return f"{sign}{name}{mark} = {count**power} times too large"
            if count > 1 and np.isclose(size, count**-power, rtol=1e-9, atol=0):
                return f"{sign}{name}{mark} = {count**power} times too small"
    return f"{sign}{size:.6g} times too large" if size > 1 else f"{sign}{1 / size:.6g} times too small"


def teach(cause: str) -> str:
    """The cause, or causes, in a sentence."""
    return " and ".join(CAUSES.get(each, each) for each in cause.split(" + "))
