"""What a row of the errata is: where a note says something, what holds, and the checks that tell the two apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from parity_tests.derivations.mistakes.causes import CAUSES
from parity_tests.derivations.verdicts import teach

HOLDS = "holds"
CONVENTION = "holds under a convention"
WRONG = "wrong"
MISPRINT = "misprint"
AMBIGUOUS = "ambiguous"

VERDICTS = (HOLDS, CONVENTION, WRONG, MISPRINT, AMBIGUOUS)
"""What can be said of a note: in the last three it does not hold as it stands."""

ERRATA = (WRONG, MISPRINT)
"""Verdicts on rows whose first false check is the note's own text."""

FORMULA, IDENTITY, SHAPE, COUNT, SNIPPET, EXPERIMENT = "formula", "identity", "shape", "count", "snippet", "experiment"
KINDS = (FORMULA, IDENTITY, SHAPE, COUNT, SNIPPET, EXPERIMENT)
"""Kinds of check: judged by verify, two values, a shape, whole numbers, code, a run with numbers that may vary."""

MISTAKES: dict[str, str] = {
    "overwritten": "= where += belongs",
    "code": "the code does not run, or computes something else",
    "name-clash": "one letter stands for two things",
    "unfinished": "the formula breaks off or repeats itself",
    "floor": "the brackets are a floor, not a magnitude",
    "wrong-count": "a wrong count",
    "wording": "the words say something else than what happens",
    "two-readings": "the text can be read in two ways",
    "overstated": "true of the example, not in general",
}
"""Mistakes of text, beside those of formulas in ``derivations.causes``."""


class Finding(NamedTuple):
    """What a check saw: whether the statement holds (None: this cannot be told), the numbers, the mistakes named."""

    holds: bool | None
    shown: str
    causes: tuple[str, ...] = ()


class Check(NamedTuple):
    """A statement and how it is judged on the numbers of a seed; ``cause`` is the mistake that must be named."""

    kind: str
    text: str
    judge: Callable[[int], Finding]
    cause: str = ""


class Row(NamedTuple):
    """One row of the errata.

    ``source`` is where the notes have it: N0 to N4 are the five notes, L435 is line 435. ``topic`` is what it is about
    in a few words, ``says`` what the note says, ``truth`` what holds where that is something else. The checks in
    ``right`` must hold; those in ``false`` are the alternatives that must be rejected, first of all the note itself
    where its verdict is wrong or misprint. A row that no machine can check has neither, and says why in ``unchecked``.
    """

    id: str
    source: str
    topic: str
    says: str
    verdict: str
    right: tuple[Check, ...] = ()
    false: tuple[Check, ...] = ()
    truth: str = ""
    cause: str = ""
    unchecked: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its checks."""
        used = {check.kind for check in (*self.right, *self.false)}
        return tuple(kind for kind in KINDS if kind in used)

    @property
    def mistake(self) -> str:
        """The id of the mistake, "" where there is none."""
        if self.cause or self.verdict not in ERRATA or not self.false:
            return self.cause
        return self.false[0].cause


def explained(cause: str) -> str:
    """The mistake in a sentence."""
    return MISTAKES.get(cause) or teach(cause)


def is_known(cause: str) -> bool:
    """Whether every part of a cause is in one of the two vocabularies."""
    return all(part in MISTAKES or part in CAUSES for part in cause.split(" + "))
