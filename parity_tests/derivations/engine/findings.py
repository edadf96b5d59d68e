"""What is wrong with a source under each of the costs that it may have."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np

from parity_tests.derivations.engine.claims import PARAMETER, UPDATE, Claim, Claims, holds_with
from parity_tests.derivations.engine.convention import candidates, in_words, is_a_count, ratio_of, same_factor, sizes_of
from parity_tests.derivations.engine.events import Event, Key, Run
from parity_tests.derivations.engine.failing import Failures
from parity_tests.derivations.engine.in_the_program import InTheProgram
from parity_tests.derivations.engine.locate import MOST_ROOTS, Locator
from parity_tests.derivations.engine.mend import Mender
from parity_tests.derivations.engine.probes import Probe
from parity_tests.derivations.engine.replay import Program
from parity_tests.derivations.engine.roots import Explanation, Root
from parity_tests.derivations.engine.truths import Cost, Truths

MOST_COSTS = 4
MOST_IMPLIED = 6
PENALTY = " penalty "
"""What the words for a cost with a penalty have in them."""

LEAST_CLAIMS = 3
"""How many gradients and steps have to follow from one line before a cost counts of which no line is a derivative."""


class Trial(NamedTuple):
    """A program on one set of values, and what it did."""

    program: Program
    probe: Probe
    run: Run


class Reading(Protocol):
    """A source that was read: its text by lines, the values that it is tried on, and the costs that it may have."""

    @property
    def source(self) -> str:
        """The whole text."""

    @property
    def said(self) -> str:
        """The layout in words."""

    @property
    def rows(self) -> Sequence[str]:
        """The lines as they were written."""

    def text(self, line: int) -> str:
        """The line as it was written, without the blanks around it."""

    def trial(self, seed: int) -> Trial:
        """The program on values of that seed."""

    def written(self, trial: Trial) -> list[Cost]:
        """The costs that the source writes down, the likeliest first."""

    def implied(self, trial: Trial) -> list[Cost]:
        """The costs that it may mean where it writes none down."""

    def left(self, truths: Truths) -> dict[int, str]:
        """Lines that cannot be judged, each with the reason."""


class Finding(NamedTuple):
    """What is said of a text under one cost, on one probe."""

    cost: Cost
    truths: Truths
    claims: Claims
    explanation: Explanation
    mender: Mender

    @property
    def wrong(self) -> int:
        """The number of mistakes, or the least that it is."""
        return self.explanation.wrong

    @property
    def trial(self) -> Trial:
        """What it was found on."""
        return Trial(self.truths.program, self.truths.probe, self.truths.run)

    def failing(self) -> list[Event]:
        """The places of the claims that fail in the source as it is."""
        failures = Failures(self.claims, self.explanation.factor, self.mender.on_probe)
        return [each.event for each in failures.claimed()]

    @property
    def hits(self) -> int:
        """How many of the claims are derivatives of this cost."""
        return len({claim.event.line for claim in self.explanation.claims if claim.factor is not None})


def findings_of(reading: Reading, trial: Trial, strict: bool) -> list[Finding]:
    """What is wrong under the written cost; without one, under each cost that may be meant."""
    costs = reading.written(trial)[:MOST_COSTS]
    if len(costs) > 1:  # mistakes are looked for under the one that is meant
        first = _judged(reading, trial, costs, strict, _claims, most=0)
        parts = {key for each in first for key in each.truths.by_key}
        first = [each for each in first if each.cost.key not in parts] or first
        costs = [each.cost for each in first if each.hits == max(other.hits for other in first)]
    written = _judged(reading, trial, costs, strict, _claims)
    if written:
        best = min(written, key=lambda each: each.wrong)
        others = _implied(reading, trial, strict) if best.wrong and best.cost.is_a_guess else []
        return [each for each in others if not each.wrong] or [best]
    if any(Truths(*trial, cost).differs for cost in reading.written(trial)[:1]):
        return []
    return _implied(reading, trial, strict)


def _judged(
    reading: Reading,
    trial: Trial,
    costs: Sequence[Cost],
    strict: bool,
    wanted: Callable[[Finding], Any],
    most: int = MOST_ROOTS,
) -> list[Finding]:
    """What is wrong under each cost; where it is more than under another, the rest of it is not looked for."""
    found = []
    for cost in costs:
        finding = judge(reading, trial, cost, strict, most=most)
        if finding is not None and wanted(finding):
            found.append(finding)
            most = min(most, finding.wrong)
    return found


def _claims(finding: Finding) -> tuple[Claim, ...]:
    return finding.explanation.claims


def _steps(finding: Finding) -> bool:
    return any(claim.kind in (PARAMETER, UPDATE) for claim in finding.explanation.claims)


def _implied(reading: Reading, trial: Trial, strict: bool) -> list[Finding]:
    """What is wrong under each cost that may be meant, the one with the fewest mistakes first."""
    implied = _judged(reading, trial, _likely(reading, trial)[:MOST_IMPLIED], strict, _steps)
    if not implied:
        compared = [cost for cost in reading.implied(trial) if _is_compared(trial.program.tree, cost)]
        factors = tuple({1.0, 1.0 / (trial.probe.batch or 1)})
        ways = [(cost, each) for cost in compared[:MOST_IMPLIED] for each in factors]
        tried = (judge(reading, trial, cost, strict, (each,), most=1, share=1 / len(ways)) for cost, each in ways)
        implied = [each for each in tried if each is not None and _is_one_slip(each)]
    return sorted(implied, key=lambda each: (each.wrong, -each.hits))


SLIPS = frozenset(("gprime-extra-at-output", "gprime-extra", "gprime-missing", "transpose-missing"))
"""What makes all gradients wrong at once, where it stands at the output."""


def _is_compared(tree: ast.AST, cost: Cost) -> bool:
    """Whether a program subtracts the output and the labels of a cost."""
    return any(
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Sub)
        and {ast.unparse(node.left), ast.unparse(node.right)} == set(cost.names)
        for node in ast.walk(tree)
    )


def _is_one_slip(finding: Finding) -> bool:
    """Whether one mistake of the usual kind is behind all: nothing else says that this cost is meant."""
    claims = sum(each.kind in (PARAMETER, UPDATE) for each in finding.explanation.claims)
    if finding.wrong != 1 or claims < LEAST_CLAIMS:
        return False
    repair = finding.mender.repair(finding.explanation.roots[0], {}, finding.explanation.factor)
    return repair is not None and bool(SLIPS.intersection(repair.causes))


def _likely(reading: Reading, trial: Trial, *, penalised: bool = False) -> list[Cost]:
    """The usual costs, those first of which most claims are derivatives; those alone that are ``penalised``."""
    hits = {cost: hits_of(trial, cost) for cost in reading.implied(trial) if PENALTY in cost.text or not penalised}
    return sorted((cost for cost in hits if hits[cost]), key=lambda cost: -hits[cost])


def hits_of(trial: Trial, cost: Cost, *, likely: bool = True) -> int:
    """How many claims are derivatives of a cost.

    A single number is one with a usual factor alone, where it stands beside arrays or the cost is not a ``likely`` one:
    of single numbers any is a multiple of any other.
    """
    truths = Truths(*trial, cost)
    if not truths.by_key:
        return 0
    claims = Claims(truths).of(trial.run, {})
    sizes = sizes_of(trial.probe, trial.run)
    only_numbers = likely and all(np.size(claim.truth.gradient) == 1 for claim in claims)
    return sum(
        claim.factor is not None
        and (only_numbers or np.size(claim.truth.gradient) > 1 or in_words(claim.factor, sizes) is not None)
        for claim in claims
    )


def judge(
    reading: Reading,
    trial: Trial,
    cost: Cost,
    strict: bool,
    factors: tuple[float, ...] = (),
    most: int = MOST_ROOTS,
    share: float = 1.0,
) -> Finding | None:
    """What is wrong under one cost, and by which constant factor the gradients follow it: by vote, or one of some.

    Of more than ``most`` mistakes it is only said that there are more. A ``share`` of all trials is made to find them;
    of a part of them, no change is looked for in all of the program.
    """
    truths = Truths(*trial, cost)
    if not truths.by_key:
        return None
    claims = Claims(truths)
    factors = factors or _usual_factors(claims, trial.run)
    mender = Mender(truths, lambda number: _truths_on(reading, cost, number))

    best: Explanation | None = None
    tried = factors[: 1 if strict else 3]
    for factor in sorted(tried, key=lambda each: Failures(claims, each).any()):  # first one under which all holds
        locator = Locator(
            claims,
            factor,
            partial(_cost_of_repair, mender, factor),
            mender.on_probe,
            mender.in_other_turns,
            partial(mender.read_by_the_repair, factor),
            InTheProgram(mender, claims, factor) if share == 1 else None,
            share,
        )
        found = locator.explain(most)
        fewer = best is None or found.wrong < best.wrong
        if best is None or (fewer and (not found.wrong or _changes(found, mender) < _changes(best, mender))):
            best = found
        if not best.wrong:
            break
        most = min(most, best.wrong - 1)
    assert best is not None
    return Finding(cost, truths, claims, best, mender)


def _changes(explanation: Explanation, mender: Mender) -> int:
    """How many changes put all right: two are needed where one was not enough, or are not enough either."""
    before = {each.event.key: each for each in explanation.roots}
    found = (mender.repair(each, before, explanation.factor, pairs=False) for each in explanation.roots)
    return sum(1 if each is not None and not each.is_a_pair else 2 for each in found)


def _cost_of_repair(mender: Mender, factor: float, root: Root, before: dict[Key, Root]) -> float | None:
    found = mender.repair(root, before, factor, pairs=False)
    return None if found is None else found.cost


def _usual_factors(claims: Claims, run: Run) -> tuple[float, ...]:
    """The factors that all gradients may carry, the likeliest first; a mean's alone where the slope of J is given.

    A cost that is not written down has no scale of its own: it is that which gradients share, where none has another.
    """
    sizes = sizes_of(claims.truths.probe, run)
    found = _factors(claims, run)
    usual = candidates(found, sizes)
    shared = {name for name, factor in found if len(usual) > 1 and same_factor(factor, usual[1])}
    if claims.truths.cost.of is not None and len(shared) > 1 and not any(same_factor(each, 1.0) for _, each in found):
        usual = usual[1:]
    return tuple(each for each in usual if not claims.truths.are_from_above or is_a_count(each, sizes))


def _factors(claims: Claims, run: Run) -> list[tuple[str, float]]:
    """The factors that the gradients of the parameters carry, those before they are clipped as well."""
    found = [each for each in claims.of(run, {}) if each.kind == PARAMETER and each.factor is not None]
    factors = [(each.parameter, each.factor) for each in found if each.factor is not None]
    for claim in found:
        for event in claims.truths.round.events(run.events):
            if event.name == claim.event.name and event.key != claim.event.key and not event.missing:
                ratio = ratio_of(event.value, claim.truth.gradient)
                factors += [] if ratio is None else [(claim.parameter, ratio)]
    return factors


def _truths_on(reading: Reading, cost: Cost, number: int) -> Truths | None:
    """The truths of the same cost on another probe."""
    trial = reading.trial(100 + number)
    same = _same_cost(reading, trial, cost)
    truths = None if same is None else Truths(*trial, same)
    return truths if truths is not None and truths.by_key else None


def again(reading: Reading, finding: Finding, trial: Trial, strict: bool) -> Finding | None:
    """The same cost on another probe."""
    same = _same_cost(reading, trial, finding.cost)
    return None if same is None else judge(reading, trial, same, strict)


def _same_cost(reading: Reading, trial: Trial, cost: Cost) -> Cost | None:
    """The cost on other values, None where it is not implied there; a loop may come to it more or less often."""
    if cost.of is None:
        same = (each for each in reading.written(trial) if (each.text, each.is_old) == (cost.text, cost.is_old))
        return next(same, cost)._replace(foreign=cost.foreign)
    return next((each for each in reading.implied(trial) if each.text == cost.text), None)


def unplaced(cost: Cost) -> str:
    """What a cost is called, wherever it stands."""
    return re.sub(r" \(line \d+\)$", "", cost.text)


def followed(reading: Reading, trial: Trial, finding: Finding) -> str:
    """The usual cost that the gradients follow where they do not follow the written one; "" for none.

    Where one of them does, it is at most the same cost with a penalty.
    """
    written = reading.written(trial)[:MOST_COSTS]
    holds = any(
        each.kind == PARAMETER and np.size(each.event.value) > 1 and holds_with(each, finding.explanation.factor)
        for each in finding.explanation.claims
    )
    for cost in [
        *written[1:],
        *_likely(reading, trial, penalised=holds)[:2],
    ]:  # of the first they are a multiple that is no convention
        if fits(trial, cost):
            meant = cost.text.removeprefix("J is ")
            return f"the cost that is written is not what the gradients follow: they are right for {meant}"
    return ""


def fits(trial: Trial, cost: Cost) -> bool:
    """Whether all gradients follow a cost, up to a factor of them all, and there are such."""
    claims = Claims(Truths(*trial, cost))
    if all(claim.factor is None for claim in claims.of(trial.run, {})):
        return False
    factors = _usual_factors(claims, trial.run)
    return any(not Failures(claims, each).any() for each in factors[:2])
