"""The whole way: a text with a forward pass in, a verdict on each of its lines out."""

from __future__ import annotations

import ast
from typing import NamedTuple

import numpy as np

from parity_tests.derivations.agreement import compare
from parity_tests.derivations.engine import costs, symbols
from parity_tests.derivations.engine.claims import PARAMETER, UPDATE, VALUE, Claim, Claims
from parity_tests.derivations.engine.convention import candidates, in_words, same_factor, sizes_of, times
from parity_tests.derivations.engine.events import Key, Run
from parity_tests.derivations.engine.front import Source, read
from parity_tests.derivations.engine.locate import Explanation, Locator, Root
from parity_tests.derivations.engine.mend import Mender
from parity_tests.derivations.engine.probes import Layout, Probe, draw, find_layout, normalised
from parity_tests.derivations.engine.program import Program
from parity_tests.derivations.engine.truths import Cost, Truth, Truths
from parity_tests.derivations.language.errors import DerivationError
from parity_tests.derivations.verdicts import (
    AMBIGUOUS,
    CANNOT_TELL,
    HOLDS,
    NOT_JUDGED,
    REFEREES,
    UNKNOWN,
    WRONG,
    Judged,
    Verdict,
    explain,
    in_order,
    not_judged,
    summarised,
    teach,
)
from parity_tests.derivations.verdicts import Cost as CostText

PROBES = 3
"""On how many sets of sizes and values a text has to hold."""

MOST_COSTS = 4
MOST_IMPLIED = 6
NEW_LINE = "\n"

OVER_THE_EXAMPLES = (
    "adds up to 1 over the examples, not over the classes of each example: if it is a softmax, its axis is wrong. "
    "The gradients are judged as those of this forward pass; whether it is the one that is meant is not judged"
)


class Reading(NamedTuple):
    """A text that was read, and what its free names are taken to be."""

    source: Source
    program: Program
    layout: Layout


class Finding(NamedTuple):
    """What is said of a text under one cost, on one probe."""

    cost: Cost
    truths: Truths
    claims: Claims
    explanation: Explanation
    mender: Mender

    @property
    def wrong(self) -> int:
        """The number of mistakes."""
        return len(self.explanation.roots)

    @property
    def hits(self) -> int:
        """How many of the claims are derivatives of this cost."""
        return len({claim.event.line for claim in self.explanation.claims if claim.factor is not None})


def read_text(text: str) -> Reading:
    """The text with the shapes of its free names."""
    source = read(text)
    program = Program(source)
    return Reading(source, program, find_layout(program.tree, source.rows))


def verify_text(text: str, seed: int = 0, *, strict: bool = False) -> Judged | None:
    """Judge a text by its own forward pass; None where it has none, or where no line of it could be judged.

    With ``strict`` the gradients have to be those of J itself: no constant factor is taken for a convention.
    """
    try:
        reading = read_text(text)
    except (DerivationError, RecursionError):
        return None
    probe = probe_of(reading, seed)
    findings = _findings(reading, probe, strict)
    if not findings:
        return _differing(text, reading, probe)
    fitting = [finding for finding in findings if not finding.wrong]
    chosen = fitting[0] if fitting else min(findings, key=lambda each: (each.wrong, -each.hits))
    if not chosen.explanation.claims:
        return None
    written = chosen.cost.of is None
    if not chosen.wrong:
        for number in range(1, PROBES):
            again = _again(reading, chosen, probe_of(reading, seed + number), strict)
            if again is not None and again.wrong:
                chosen = again
                break
    fits = [finding.cost.text for finding in fitting] if not written else []
    judged = _judged(text, reading, chosen, fits)
    if written and chosen.wrong:
        return judged._replace(convention=_followed(reading, probe) or judged.convention)
    return judged


def _followed(reading: Reading, probe: Probe) -> str:
    """The usual cost that the gradients follow where they do not follow the written one; "" for none."""
    run = reading.program.run(probe.given)
    for cost in _likely(reading, probe, run)[:2]:
        truths = Truths(reading.program, probe, run, cost)
        claims = Claims(truths)
        factors = _factors(claims, run)
        if any(not Locator(claims, each).anything_fails() for each in candidates(factors, sizes_of(probe, run))[:2]):
            return f"the cost that is written is not what the gradients follow: they are right for {cost.text}"
    return ""


def _differing(text: str, reading: Reading, probe: Probe) -> Judged | None:
    """The answer where a referee does not even compute the writer's values: nothing can be told; else None."""
    run = reading.program.run(probe.given)
    for cost in costs.written_costs(run, reading.source)[:1]:
        truths = Truths(reading.program, probe, run, cost)
        names = {event.name for event in run.events}
        if not truths.differs:
            return None
        lines = [
            not_judged(
                event.name, event.line, reading.source.text(event.line), f"{truths.problem}: this cannot be told"
            )
            for event in run.events
            if event.name and symbols.meant_by(event.name, names)
        ]
        found = in_order([line._replace(verdict=CANNOT_TELL) for line in lines])
        shown = CostText(_cost_text(cost, reading.source), cost.line)
        return Judged(text, shown, "", reading.layout.said, REFEREES, found, summarised(found)) if found else None
    return None


def probe_of(reading: Reading, seed: int) -> Probe:
    """Values for the free names; targets of a softmax add up to 1, targets that are compared are 0 or 1."""
    whole = frozenset(_compared(reading.program.tree))
    probe = draw(reading.layout, seed, whole)
    settled = whole | set(reading.layout.labels)
    labels = [
        name for name, value in probe.given.items() if symbols.is_label(name) and np.ndim(value) and name not in settled
    ]
    if labels:
        run = reading.program.run(probe.given)
        for name in labels:
            axis = costs.softmax_axis(run, probe.given[name])
            if axis is not None:
                probe = normalised(probe, name, axis)
    return probe


def _compared(tree: ast.AST) -> set[str]:
    """The names that stand in a comparison for equality."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            found |= {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and symbols.is_label(each.id)}
    return found


def _findings(reading: Reading, probe: Probe, strict: bool) -> list[Finding]:
    """What is wrong under the written cost; without one, under each cost that may be meant."""
    run = reading.program.run(probe.given)
    written = [
        finding
        for cost in costs.written_costs(run, reading.source)[:MOST_COSTS]
        if (finding := judge(reading, probe, run, cost, strict)) is not None and finding.explanation.claims
    ]
    if written:
        best = max(written, key=lambda each: (each.hits, -each.wrong))
        return [best]
    return _implied(reading, probe, run, strict)


def _implied(reading: Reading, probe: Probe, run: Run, strict: bool) -> list[Finding]:
    """What is wrong under each cost that may be meant, the one with the fewest mistakes first."""
    implied = [
        finding
        for cost in _likely(reading, probe, run)[:MOST_IMPLIED]
        if (finding := judge(reading, probe, run, cost, strict)) is not None
        and any(claim.kind in (PARAMETER, UPDATE) for claim in finding.explanation.claims)
    ]
    return sorted(implied, key=lambda each: (each.wrong, -each.hits))


def _likely(reading: Reading, probe: Probe, run: Run) -> list[Cost]:
    """The usual costs, those first of which most claims are derivatives."""
    usual = costs.implied_costs(run, probe, reading.layout, reading.program.tree)
    hits = {cost: _hits(reading, probe, run, cost) for cost in usual}
    return sorted((cost for cost in usual if hits[cost]), key=lambda cost: -hits[cost])


def _hits(reading: Reading, probe: Probe, run: Run, cost: Cost) -> int:
    """How many claims are derivatives of a cost."""
    truths = Truths(reading.program, probe, run, cost)
    if not truths.by_key:
        return 0
    return sum(claim.factor is not None for claim in Claims(truths).of(run, {}))


def judge(reading: Reading, probe: Probe, run: Run, cost: Cost, strict: bool) -> Finding | None:
    """What is wrong under one cost, and by which constant factor the gradients follow it."""
    truths = Truths(reading.program, probe, run, cost)
    if not truths.by_key:
        return None
    claims = Claims(truths)
    factors = _factors(claims, run)
    mender = Mender(truths, lambda number: _truths_on(reading, cost, number))

    def repairs(root: Root, before: dict[Key, Root]) -> float | None:
        found = mender.repair(root, before)
        return None if found is None else found.cost

    best: Explanation | None = None
    for factor in candidates(factors, sizes_of(probe, run))[: 1 if strict else 3]:
        found = Locator(claims, factor, repairs).explain()
        if best is None or len(found.roots) < len(best.roots):
            best = found
        if not found.roots:
            break
    assert best is not None
    return Finding(cost, truths, claims, best, mender)


def _factors(claims: Claims, run: Run) -> list[tuple[str, float]]:
    """The factors that the gradients of the parameters carry."""
    found = claims.of(run, {})
    return [(each.parameter, each.factor) for each in found if each.kind == PARAMETER and each.factor is not None]


def _truths_on(reading: Reading, cost: Cost, number: int) -> Truths | None:
    """The truths of the same cost on another probe."""
    probe = probe_of(reading, 100 + number)
    run = reading.program.run(probe.given)
    if cost.of is not None:
        same = [
            each
            for each in costs.implied_costs(run, probe, reading.layout, reading.program.tree)
            if each.text == cost.text
        ]
        if not same:
            return None
        cost = same[0]
    truths = Truths(reading.program, probe, run, cost)
    return truths if truths.by_key else None


def _again(reading: Reading, finding: Finding, probe: Probe, strict: bool) -> Finding | None:
    """The same cost on another probe."""
    run = reading.program.run(probe.given)
    if finding.cost.of is None:
        return judge(reading, probe, run, finding.cost, strict)
    same = [
        cost
        for cost in costs.implied_costs(run, probe, reading.layout, reading.program.tree)
        if cost.text == finding.cost.text
    ]
    return judge(reading, probe, run, same[0], strict) if same else None


# ---- verdicts
def _judged(text: str, reading: Reading, finding: Finding, fits: list[str]) -> Judged:
    explanation, source = finding.explanation, reading.source
    sizes = sizes_of(finding.truths.probe, finding.truths.run)
    lines: list[Verdict] = []
    root_keys = {root.event.key for root in explanation.roots}
    mended = {line for root in explanation.roots for line in root.mends}
    for root in explanation.roots:
        lines.append(_wrong(root, finding, source, sizes))
    taken = {root.event.line for root in explanation.roots}
    skipped = {claim.event.key for claim in (*explanation.helpers, *explanation.unsettled)}
    for claim in explanation.claims:
        if claim.event.key in root_keys or claim.event.key in skipped:
            continue
        if claim.event.line in taken and claim.kind == VALUE:
            continue
        lines.append(_of_claim(claim, finding, source, sizes, claim.event.line in mended))
        taken.add(claim.event.line)
    for claim in explanation.unsettled:
        reason = "this step depends on a state of its own: name the optimiser with --setting"
        lines.append(not_judged(claim.event.name, claim.event.line, source.text(claim.event.line), reason))
    lines += _left(finding, source, reading.layout, {line.line for line in lines})
    helpers = len({claim.event.line for claim in explanation.helpers} - {line.line for line in lines})
    cost = CostText(_cost_text(finding.cost, source), finding.cost.line, tuple(fits))
    ordered = in_order(lines)
    return Judged(
        text,
        cost,
        _convention(explanation, sizes),
        reading.layout.said,
        REFEREES,
        ordered,
        summarised(ordered, helpers),
    )


def _cost_text(cost: Cost, source: Source) -> str:
    """``J = ...`` as the text has it, or the cost that is taken to be meant."""
    if cost.of is not None:
        return f"J is not written down; taken to be {cost.text}"
    name, _, formula = source.text(cost.line).partition("=")
    return f"{name.strip()} = {formula.strip()}" if formula else cost.text


def _convention(explanation: Explanation, sizes: dict[str, int]) -> str:
    """By which factor the gradients of the parameters follow J; "" for 1."""
    if same_factor(explanation.factor, 1.0):
        return ""
    return f"the gradients of the parameters are {times(explanation.factor, sizes)}dJ/d(parameter), all of them"


def _wrong(root: Root, finding: Finding, source: Source, sizes: dict[str, int]) -> Verdict:
    """The verdict on a mistake."""
    event = root.event
    sure = finding.truths.confirmed(root.truth)
    value = np.nan if event.missing else event.value
    agreement = None if event.missing else compare(value, root.expected)
    problem = event.value.message if event.missing else ""
    name = event.name
    shown = f"{name} {explain(agreement, '', sizes)}" if agreement is not None else f"{name}: {problem}"
    symbol = _symbol(root.truth)
    meaning = f"{times(root.factor, sizes)}dJ/d{symbol}"
    base = Verdict(
        name, event.line, source.text(event.line), WRONG, UNKNOWN, (), "", (),
        np.inf if agreement is None else agreement.error, np.nan if agreement is None else agreement.bound,
        np.inf if agreement is None or not agreement.bound else agreement.error / agreement.bound,
        () if event.missing else event.shape, np.shape(root.expected), "",
    )  # fmt: skip
    if not sure:
        return base._replace(
            verdict=CANNOT_TELL, cause="", message=f"the referees differ on {meaning}: this cannot be told."
        )
    if root.kind == UPDATE:
        message = f"{shown}: the step is not along -dJ/d{symbol}"
    elif root.rest_of is not None:
        message = f"{shown}: what it is a term of is not {meaning}"
    else:
        message = f"{shown}: it should be {meaning}"
    before = {each.event.key: each for each in finding.explanation.roots if each.event.key != event.key}
    repair = finding.mender.repair(root, before)
    if repair is not None:
        cause = repair.causes[0] if len(repair.causes) == 1 else AMBIGUOUS
        base = base._replace(cause=cause, causes=repair.causes, repaired=repair.text)
        taught = "; or ".join(teach(each) for each in repair.causes)
        taught = f"ambiguous, {taught}" if cause == AMBIGUOUS else taught
        shown_repair = repair.text.replace(NEW_LINE, f"{NEW_LINE}    ")
        message += f". {taught[0].upper()}{taught[1:]}. With{NEW_LINE}    {shown_repair}{NEW_LINE}it holds"
    message += "."
    if root.mends:
        many = len(root.mends) > 1
        listed = ", ".join(str(line) for line in root.mends)
        message += f" Once it is right, line{'s' if many else ''} {listed} hold{'' if many else 's'} too."
    return base._replace(message=message)


def _symbol(truth: Truth) -> str:
    """The value of a truth as the text has it: its name, or the part of a formula that it is."""
    if truth.event.name:
        return symbols.base_of(truth.event.name)
    return f"({ast.unparse(truth.event.node)})" if truth.event.node is not None else "a value of the text"


def _of_claim(claim: Claim, finding: Finding, source: Source, sizes: dict[str, int], after: bool) -> Verdict:
    """The verdict on a claim that holds, or that holds once an earlier line is right."""
    event = claim.event
    meaning = f"dJ/d{_symbol(claim.truth)}"
    base = Verdict(
        event.name, event.line, source.text(event.line), HOLDS, "", (), "", (), 0.0, 0.0, 0.0,
        event.shape, event.shape, "",
    )  # fmt: skip
    if not finding.truths.confirmed(claim.truth):
        return base._replace(verdict=CANNOT_TELL, message=f"the referees differ on {meaning}: this cannot be told.")
    if after:
        return base._replace(message=f"{event.name} holds, once the line before it is right.")
    if claim.kind == UPDATE:
        return base._replace(message=f"{event.name} holds, as a step along -{meaning}.")
    factor = claim.factor if claim.factor is not None else 1.0
    place = f" (line {claim.truth.event.line})" if claim.truth.event.line else ""
    word = times(factor, sizes) if in_words(factor, sizes) else f"{factor:.4g} * "
    return base._replace(message=f"{event.name} holds, as {word}{meaning}{place}.")


def _left(finding: Finding, source: Source, layout: Layout, judged: set[int]) -> list[Verdict]:
    """What was not looked at, with the reason: lines that cannot be read or computed, and a doubtful forward pass."""
    reasons = {refused.line: refused.message for refused in source.refused}
    for line, message in finding.truths.run.problems:
        reasons.setdefault(line, message)
    for event in costs.over_the_examples(finding.truths.run, finding.truths.probe, layout):
        reasons.setdefault(event.line, f"{event.name} {OVER_THE_EXAMPLES}")
    return [
        Verdict("", line, source.text(line), NOT_JUDGED, "", (), "", (), np.nan, np.nan, np.nan, (), (), message)
        for line, message in sorted(reasons.items())
        if line not in judged
    ]
