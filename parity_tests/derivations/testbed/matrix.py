"""The test-bed of wrong formulas: how often verify names the mistake that was made, and what it names instead."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from manual.shared.cli import GOOD, MISMATCH, console, plain_table
from parity_tests.derivations.settings import SETTINGS
from parity_tests.derivations.testbed.dense import TESTBED
from parity_tests.derivations.testbed.wrong import Wrong
from parity_tests.derivations.verdicts import AMBIGUOUS, HOLDS, UNKNOWN, Verdict
from parity_tests.derivations.verify import verify

TOP, LISTED, MOST_AMBIGUOUS = 0.85, 0.95, 0.10
"""The bars: top cause right, right or among those listed, ambiguous at most."""

MUTATIONS: tuple[tuple[str, str, str], ...] = (
    (r"\(1/m\) \* ", "", "missing-1/m"),
    (r" / m$", "", "missing-1/m"),
    (r"^", "(1/m) * ", "double-1/m"),
    (r"^", "-", "sign"),
    (r"(\w+)\.T @ (dZ\w*)", r"\1 @ \2", "transpose-missing"),
    (r"@ (\w+)\.T", r"@ \1", "transpose-missing"),
    (r" @ ", " * ", "star-for-matmul"),
    (r"axis=1", "axis=0", "db-wrong-axis"),
    (r", keepdims=True", "", "keepdims-missing"),
    (r", axis=1, keepdims=True", "", "db-summed-over-all"),
    (r"(g\d?)'\(", r"\1(", "g-for-gprime"),
    (r"g(\d)'\(Z\1\)", r"g\1'(A\1)", "gprime-at-a"),
    (r" \* g\d?'\(Z\d?\)", "", "gprime-missing"),
    (r"lambda_? ?/ ?m", "lambda_", "l2-not-over-m"),
    (r"\(lambda_? ?/ ?m\)", "(lambda_/(2*m))", "l2-factor-2"),
    (r" \+ \(lambda_? ?/ ?\w+\) \* [Ww]\d?(\[[^\]]*\])?", "", "l2-missing"),
    (r" \+ b\d?$", "", "bias-missing"),
    (r"alpha \* ", "", "learning-rate-missing"),
)
"""Mistakes made by rewriting the text of a right formula: pattern, replacement, cause."""

WHERE = re.compile(r"^(Z|A|J|d[AZWbwz]|[Wbw])")
"""Targets that the mutations are made in."""


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


def mutated() -> Iterator[Wrong]:
    """Wrong formulas made from the right ones by one mutation of their text; those that happen to hold are left out."""
    for setting in SETTINGS.values():
        for l2 in (False, True):
            for name, target in setting.targets.items():
                if not WHERE.match(name) or (l2 and target.right_l2 == target.right):
                    continue
                right = target.rights(l2)[0]
                if "\n" not in right:
                    yield from _mutations_of(setting.name, name, right, target.kind, l2)


def _mutations_of(setting: str, name: str, right: str, kind: str, l2: bool) -> Iterator[Wrong]:
    for pattern, replacement, cause in MUTATIONS:
        if cause == "double-1/m" and kind not in ("derivative", "gradient"):
            continue
        if cause == "double-1/m" and setting == "logistic-one":
            continue  # one example: there is no m
        if cause in ("db-wrong-axis", "keepdims-missing", "db-summed-over-all") and not name.startswith("db"):
            continue
        if (cause == "sign" and right.startswith("-")) or (cause == "learning-rate-missing" and kind != "update"):
            continue
        wrong = re.sub(pattern, replacement, right, count=1)
        if wrong != right:
            yield Wrong(setting, f"{name} = {wrong}", cause, l2)


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


def confusion(found: list[Outcome]) -> dict[tuple[str, str], int]:
    """How often each mistake was given each name."""
    return dict(Counter((outcome.wrong.cause, outcome.verdict.cause or outcome.verdict.verdict) for outcome in found))


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


def readme_table(found: list[Outcome]) -> str:
    """The confusion matrix as the README shows it: a line per mistake, and what else it was taken for."""
    rows = ["| the mistake made | formulas | named | named something else |", "|---|--:|--:|---|"]
    for cause, count, named, others in by_mistake(found):
        listed = ", ".join(f"{name} ({times})" for name, times in others.items())
        rows.append(f"| {cause} | {count} | {named} | {listed} |")
    shares = figures(found)
    names = ("formulas", "top cause right", "right or listed", "ambiguous", "unknown", "called right")
    rows.append("\n" + ", ".join(f"{name}: {shares[name]}" for name in names) + ".\n")
    return "\n".join(rows)


def show_matrix(args: argparse.Namespace) -> int:
    """Print the confusion matrix and the figures; exit code 1 where a bar is missed."""
    wrongs = list(dict.fromkeys((*TESTBED, *mutated())))
    judged = args.work.gather("wrong formulas", outcomes(wrongs), len(wrongs))
    # a mutation may leave the formula right
    found = [outcome for outcome in judged if outcome.wrong in TESTBED or outcome.verdict.verdict != HOLDS]
    shares = figures(found)
    if args.json:
        cells = [{"mistake": one, "named": other, "count": n} for (one, other), n in sorted(confusion(found).items())]
        args.work.json({"figures": shares, "matrix": cells})
    else:
        table = plain_table("The mistake made, and what verify named", ["mistake", "named"], ["times"], verdict=False)
        for (made, named), times in sorted(confusion(found).items()):
            style = "green" if same(made, named) else "yellow" if named == AMBIGUOUS else "bold red"
            table.add_row(made, f"[{style}]{named}[/]", str(times))
        out = console()
        if not args.quiet:
            out.print(table)
        out.print(", ".join(f"{name}: {value}" for name, value in shares.items()) + ".")
    good = shares["top cause right"] >= TOP and shares["right or listed"] >= LISTED
    return GOOD if good and shares["ambiguous"] <= MOST_AMBIGUOUS and not shares["called right"] else MISMATCH
