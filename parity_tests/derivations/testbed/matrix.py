"""The test-bed of wrong formulas: how often verify names the mistake that was made, and what it names instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from typing import Any, NamedTuple

from parity_tests.derivations.testbed.dense import TESTBED
from parity_tests.derivations.testbed.wrong import Wrong
from parity_tests.derivations.verdicts import AMBIGUOUS, HOLDS, UNKNOWN, Verdict
from parity_tests.derivations.verify import verify


class Outcome(NamedTuple):
    """A wrong formula and what verify said of it."""

    wrong: Wrong
    verdict: Verdict

    @property
    def top(self) -> bool:
        """Whether the mistake was named."""
        return same(self.verdict.cause, self.wrong.cause)

    @property
    def listed(self) -> bool:
        """Whether it was named, or is among the causes listed."""
        return self.top or any(same(cause, self.wrong.cause) for cause in self.verdict.causes)


def same(one: str, other: str) -> bool:
    """Whether two causes are the same mistakes, in any order."""
    return sorted(one.split(" + ")) == sorted(other.split(" + "))


def outcomes(wrongs: Iterable[Wrong]) -> Generator[Outcome, None, None]:
    """Wrong formulas with the verdict on each."""
    for wrong in wrongs:
        yield Outcome(wrong, verify(wrong.formula, wrong.setting, l2=wrong.l2).lines[-1])


def figures(found: Sequence[Outcome]) -> dict[str, Any]:
    """Counts and shares against the bars."""
    count = len(found)
    top = sum(outcome.top for outcome in found)
    listed = sum(outcome.listed for outcome in found)
    ambiguous = sum(outcome.verdict.cause == AMBIGUOUS for outcome in found)
    return {
        "formulas": count,
        "by hand": sum(outcome.wrong in TESTBED for outcome in found),
        "top cause right": round(top / count, 3),
        "right or listed": round(listed / count, 3),
        "ambiguous": round(ambiguous / count, 3),
        "unknown": sum(outcome.verdict.cause == UNKNOWN for outcome in found),
        "called right": sum(outcome.verdict.verdict == HOLDS for outcome in found),
    }


class Named(NamedTuple):
    """How a mistake was named: how often it was made, named, and taken for something else."""

    mistake: str
    formulas: int
    named: int
    others: dict[str, int]


def by_mistake(found: list[Outcome]) -> list[Named]:
    """A line of the confusion matrix for each mistake."""
    lines = []
    for cause in sorted({outcome.wrong.cause for outcome in found}):
        of_cause = [outcome for outcome in found if outcome.wrong.cause == cause]
        others = Counter(outcome.verdict.cause for outcome in of_cause if not outcome.top)
        lines.append(
            Named(cause, len(of_cause), sum(outcome.top for outcome in of_cause), dict(sorted(others.items())))
        )
    return lines
