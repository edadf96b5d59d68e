"""The whole way: a source with a forward pass in, a verdict on each of its lines out."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable
from functools import partial

import numpy as np

from parity_tests.derivations.agreement import compare
from parity_tests.derivations.changes import change_of
from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.claims import PARAMETER, UPDATE, VALUE, Claim, Claims, mark_of
from parity_tests.derivations.engine.convention import in_words, same_factor, sizes_of, times
from parity_tests.derivations.engine.events import GIVEN, PART, Event
from parity_tests.derivations.engine.failing import Failures
from parity_tests.derivations.engine.findings import (
    PENALTY,
    Finding,
    Reading,
    Trial,
    again,
    findings_of,
    followed,
    unplaced,
)
from parity_tests.derivations.engine.forward_slips import LIKELIER, SIGN, has_a_slip, slips_of, verdict_on
from parity_tests.derivations.engine.layers import dense_layers, formula_ids
from parity_tests.derivations.engine.lists.spelled import origin
from parity_tests.derivations.engine.repair import Repair, together
from parity_tests.derivations.engine.roots import Root
from parity_tests.derivations.engine.truths import Cost, Truth, Truths
from parity_tests.derivations.engine.vanishing import claims_of_zero
from parity_tests.derivations.engine.wrong_arguments import by_an_argument
from parity_tests.derivations.language.rewriting import moved
from parity_tests.derivations.said_cost import FAMILIES
from parity_tests.derivations.verdicts import (
    AMBIGUOUS,
    CALL,
    CANNOT_TELL,
    HOLDS,
    NEW_LINE,
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

MOST_TRIED, ENOUGH = 6, 3
EARLY = "updated-before-use"
NEGATIVE = "parameters are -"
SUMMED = ", summed over the examples, not averaged"

Pasted = Callable[[int, str, int], Reading]
"""The source with other text in place of some of its lines, from a line on."""


def judge_reading(
    reading: Reading, seed: int = 0, *, strict: bool = False, pasted: Pasted | None = None
) -> Judged | None:
    """Judge a source by its own forward pass; None where it has none, or where no line of it could be judged.

    With ``strict`` the gradients have to be those of J itself: no constant factor is taken for a convention. With
    ``pasted`` the repair of a line in a loop is tried in the source itself, in every turn.
    """
    trial = reading.trial(seed)
    findings = findings_of(reading, trial, strict)
    if not findings:
        return _differing(reading, trial)
    fitting = [finding for finding in findings if not finding.wrong]
    chosen = fitting[0] if fitting else min(findings, key=lambda each: each.wrong - each.hits)
    if not chosen.explanation.claims:
        return None
    written = chosen.cost.of is None
    if not chosen.wrong:
        for number in range(1, PROBES):
            other = again(reading, chosen, reading.trial(seed + number), strict)
            if other is not None and other.wrong:
                chosen = other
                break
    fits = [finding.cost.text for finding in fitting] if not written else []
    judged = _judged(reading, chosen, fits, pasted)
    if written and pasted is not None:
        meant = by_an_argument(reading, chosen, judged, pasted, seed, partial(judge_reading, seed=seed, strict=strict))
        judged = meant or _by_a_slip(reading, chosen, judged, pasted, seed, strict) or judged
    if written and chosen.wrong and not has_a_slip(judged):
        return judged._replace(convention=followed(reading, trial, chosen) or judged.convention)
    return judged


def _by_a_slip(
    reading: Reading, finding: Finding, judged: Judged, pasted: Pasted, seed: int, strict: bool
) -> Judged | None:
    """The verdicts where one change of the forward pass makes all right, and a single repair behind it does not."""
    factor = _factor_of_gradients(finding)
    turned = not finding.wrong and factor is not None and factor < 0
    if not (finding.wrong or turned):
        return None
    mended = finding.wrong == 1 and all(line.repaired for line in judged.lines if line.verdict == WRONG)
    for slip in slips_of(reading, finding, pasted, seed):
        if (turned and slip.cause != SIGN) or (mended and slip.cause not in LIKELIER):
            continue
        other = judge_reading(pasted(slip.line, slip.text, slip.rows), seed, strict=strict)
        if other is None or other.summary.wrong or other.summary.judged < judged.summary.judged:
            continue
        if NEGATIVE in other.convention or other.summary.not_judged > judged.summary.not_judged:
            continue
        verdict = verdict_on(slip, reading)
        lines = in_order([verdict, *(each for each in other.lines if each.line != slip.line)])
        return judged._replace(
            convention=other.convention, lines=lines, summary=summarised(lines, other.summary.helpers)
        )
    return None


def _differing(reading: Reading, trial: Trial) -> Judged | None:
    """The answer where a referee does not even compute the writer's values: nothing can be told; else None."""
    for cost in reading.written(trial)[:1]:
        truths = Truths(*trial, cost)
        names = {event.name for event in trial.run.events}
        if not truths.differs:
            return None
        lines = [
            not_judged(
                symbols.written(event.name),
                event.line,
                reading.text(event.line),
                f"{truths.problem}: this cannot be told",
            )
            for event in trial.run.events
            if event.name and symbols.meant_by(event.name, names)
        ]
        found = in_order([line._replace(verdict=CANNOT_TELL) for line in lines])
        if found:
            shown = CostText(_cost_text(cost, reading), cost.line)
            return Judged(reading.source, shown, "", reading.said, REFEREES, found, summarised(found))
    return None


def _judged(reading: Reading, finding: Finding, fits: list[str], pasted: Pasted | None) -> Judged:
    explanation = finding.explanation
    sizes = sizes_of(finding.truths.probe, finding.truths.run)
    finding.truths.confirm(each.truth for each in explanation.claims)
    lines: list[Verdict] = []
    root_keys = {root.event.key for root in explanation.roots}
    mended = {line for root in explanation.roots for line in root.mends}
    layers = list(dense_layers(finding.truths.run, finding.claims.parameters))
    for roots in _by_line(explanation.roots):
        lines.append(_wrong(roots, finding, reading, sizes, pasted))
    taken = {root.event.line for root in explanation.roots}
    skipped = {claim.event.key for claim in (*explanation.helpers, *explanation.unsettled)}
    for claim in explanation.claims:
        if claim.event.key in root_keys or claim.event.key in skipped:
            continue
        if claim.event.line in taken and claim.kind == VALUE:
            continue
        verdict = _of_claim(claim, finding, reading, sizes, claim.event.line in mended)
        lines.append(verdict._replace(formula_ids=formula_ids(claim, layers)))
        taken.add(claim.event.line)
    right = finding.claims.replayed({root.event.key: root.expected for root in explanation.roots})
    zero = {claim.event.key for claim in claims_of_zero(finding.claims, right) if claim.factor is not None}
    for claim in claims_of_zero(finding.claims, finding.truths.run):
        if claim.event.line not in taken:
            verdict = _of_zero(claim, finding, reading, sizes)
            if verdict.verdict == WRONG and claim.event.key in zero:
                message = f"{verdict.target} holds, once the line before it is right."
                verdict = verdict._replace(verdict=HOLDS, cause="", message=message, error=0.0, bound=0.0, ratio=0.0)
            lines.append(verdict)
    for claim in explanation.unsettled:
        reason = "this step depends on a state of its own: name the optimiser with --setting"
        if finding.truths.probe.places is not None:
            reason = "the rule of this step is not judged, only the gradient that goes in"
        name = symbols.written(claim.event.name)
        lines.append(not_judged(name, claim.event.line, reading.text(claim.event.line), reason))
    judged = {line.line for line in lines}
    lines += [
        not_judged("", line, reading.text(line), message)
        for line, message in sorted(reading.left(finding.truths).items())
        if line not in judged
    ]
    helpers = len({claim.event.line for claim in explanation.helpers} - {line.line for line in lines})
    summed, otherwise = _as_implied(finding, reading, fits)
    told = _cost_text(finding.cost, reading) + summed + otherwise
    other = otherwise.removeprefix("; not ").partition(",")[0] or ("an average" if summed == SUMMED else "")
    cost = CostText(told, finding.cost.line, tuple(fits), otherwise=other)
    ordered = in_order(lines)
    return Judged(
        reading.source,
        cost,
        _convention(finding, sizes),
        reading.said,
        REFEREES,
        ordered,
        summarised(ordered, helpers),
    )


def _cost_text(cost: Cost, reading: Reading) -> str:
    """``J = ...`` as the text has it, or the cost that is taken to be meant."""
    if cost.of is not None:
        return cost.text if cost.text.startswith("J is ") else f"J is not written down; taken to be {cost.text}"
    name, _, formula = reading.text(cost.line).partition("=")
    return f"{name.strip()} = {formula.strip()}" if formula and name.strip()[-1] not in "+-*/" else cost.text


def _as_implied(finding: Finding, reading: Reading, fits: list[str]) -> tuple[str, str]:
    """Of a cost that is not written down: whether the gradients are those of its sum, and what they do not follow."""
    cost, factor, batch = finding.cost, _factor_of_gradients(finding), finding.truths.probe.batch or 0
    if cost.of is None or finding.wrong or cost.text.startswith("J is "):
        return "", ""
    summed = ""
    if factor is not None and batch and "averaged" not in cost.text:
        of = {1.0: SUMMED, 1.0 / batch: ", averaged over the examples"}
        summed = next((words for size, words in of.items() if same_factor(abs(factor), size)), "")
    others = [each for each in reading.implied(finding.trial) if each.key == cost.key and each.text not in fits]
    families = {family for family in FAMILIES if family in cost.text}
    not_followed = [
        each.text for each in others if PENALTY not in each.text and not any(family in each.text for family in families)
    ]
    unless = f"; not {not_followed[0]}, whose gradients differ" if families and not_followed else ""
    return summed, unless


def _factor_of_gradients(finding: Finding) -> float | None:
    """The factor that the gradients of the parameters carry, by name or by value; None where no line gives one."""
    explanation, claims = finding.explanation, finding.claims
    if any(each.kind == PARAMETER for each in explanation.claims):
        return explanation.factor
    factors = [
        each.factor
        for each in explanation.claims
        if each.kind == VALUE and each.factor is not None and mark_of(each.truth) in claims.of_parameters
    ] or [
        each.factor
        for each in explanation.claims
        if each.factor is not None and each.truth.event.role == GIVEN and each.event.line < CALL
    ]
    return factors[0] if factors and all(same_factor(each, factors[0]) for each in factors) else None


def _convention(finding: Finding, sizes: dict[str, int]) -> str:
    """By which factor the gradients of the parameters follow J; "" for 1, and for one that is no size."""
    factor = _factor_of_gradients(finding)
    if factor is None:
        return _convention_of_the_call(finding, sizes) or _unlike_factors(finding, sizes)
    named = not same_factor(finding.explanation.factor, 1.0)
    if same_factor(factor, 1.0) or not (named or any(size in times(factor, sizes) for size in sizes)):
        return ""
    return f"the gradients of the parameters are {times(factor, sizes)}dJ/d(parameter), all of them"


def _convention_of_the_call(finding: Finding, sizes: dict[str, int]) -> str:
    """The same of a function without parameters that returns a loss and its derivative in what it is given."""
    claims = finding.explanation.claims
    returned = [each for each in claims if each.event.line >= CALL and each.truth.event.role == GIVEN]
    factors = [each.factor for each in returned if each.factor is not None]
    if not factors or not all(same_factor(each, factors[0]) for each in factors):
        return ""
    factor = times(factors[0], sizes)
    if same_factor(factors[0], 1.0) or not any(size in factor for size in sizes):
        return ""
    names = ", ".join(dict.fromkeys(_symbol(each.truth) for each in returned))
    return f"what the call returns is {factor}dJ/d{names}, with J as it is written"


def _unlike_factors(finding: Finding, sizes: dict[str, int]) -> str:
    """Where the gradients of some parameters carry a size, and those of others do not: Adam's step hides it."""
    factors = {
        _symbol(each.truth): each.factor
        for each in finding.explanation.claims
        if each.kind == VALUE and each.factor is not None and mark_of(each.truth) in finding.claims.of_parameters
        if in_words(each.factor, sizes) is not None
    }
    scaled = [symbol for symbol, factor in factors.items() if any(size in times(factor, sizes) for size in sizes)]
    plain = [symbol for symbol, factor in factors.items() if same_factor(factor, 1.0)]
    if not scaled or not plain or finding.wrong:
        return ""
    found = (
        f"the gradient in {scaled[0]} is {times(factors[scaled[0]], sizes)}dJ/d{scaled[0]}, that in {plain[0]} is not"
    )
    return f"{found}: they are no multiple of the gradient together, which a step that is scaled anew, as Adam's, hides"


def _by_line(roots: tuple[Root, ...]) -> list[list[Root]]:
    """The mistakes; what is wrong in each turn of a loop is one of them."""
    found: dict[tuple[int, int], list[Root]] = {}
    for root in roots:
        found.setdefault((root.event.line, id(origin(root.event.statement))), []).append(root)
    return list(found.values())


def _fails_before(line: int, finding: Finding) -> int:
    """The first line before one that cannot be computed and is no mistake that was found; 0 without one."""
    found = {root.event.line for root in finding.explanation.roots}
    return min(
        (fails for fails, _ in finding.truths.run.problems if 0 < fails < line and fails not in found), default=0
    )


def _wrong(
    roots: list[Root], finding: Finding, reading: Reading, sizes: dict[str, int], pasted: Pasted | None
) -> Verdict:
    """The verdict on a mistake, in the turn of a loop in which it was seen first."""
    root = roots[0]
    event = root.event
    if event.missing and event.value.refused:
        name = _name(event)
        return not_judged(name, event.line, reading.text(event.line), event.value.message)
    truths = root.of or finding.truths
    sure = truths.confirmed(root.truth)
    value = np.nan if event.missing else event.value
    agreement = None if event.missing else compare(value, root.expected)
    problem = event.value.message if event.missing else ""
    name = _name(event)
    shown = f"{name} {explain(agreement, '', sizes)}" if agreement is not None else f"{name}: {problem}"
    symbol = _symbol(root.truth)
    meaning = f"{times(root.factor, sizes)}d{'J' if root.of is None else root.of.cost.text}/d{symbol}"
    base = Verdict(
        name, event.line, reading.text(event.line), WRONG, UNKNOWN, (), "", (),
        np.inf if agreement is None else agreement.error, np.nan if agreement is None else agreement.bound,
        np.inf if agreement is None or not agreement.bound else agreement.error / agreement.bound,
        () if event.missing else event.shape, np.shape(root.expected), "",
    )  # fmt: skip
    if not sure:
        return base._replace(verdict=CANNOT_TELL, cause="", message=truths.dispute(root.truth, meaning))
    if root.kind == UPDATE:
        message = f"{shown}: the step is not along {_sign_of_way(root.factor)}dJ/d{symbol}"
    elif root.rest_of in finding.truths.probe.steps:
        message = f"{shown}: the step that it is a factor of is not along {_sign_of_way(root.factor)}dJ/d{symbol}"
    elif root.rest_of is not None:
        message = f"{shown}: what it is a {'factor' if root.is_factor else 'term'} of is not {meaning}"
    else:
        message = f"{shown}: it should be {meaning}"
    before = {each.event.key: each for each in finding.explanation.roots if each.event.key != event.key}
    may_be_mended = event.line < CALL  # what only the call shows is no mistake of the call
    may_be_mended &= root.kind != UPDATE or bool(np.all(np.isfinite(value)))  # a root of less than 0 came from before
    repair = finding.mender.repair(root, before, finding.explanation.factor) if may_be_mended else None
    if repair is not None and repair.later and pasted is not None:
        tried: list[tuple[int | None, Repair]] = []
        for each in repair.later[:MOST_TRIED]:
            if sum(left == 0 for left, _ in tried) < ENOUGH:
                tried.append((_passes(pasted(event.line, each.text, each.rows), each, root, finding), each))
        fewest = min((left for left, _ in tried if left is not None), default=None)
        kept = [each for left, each in tried if left is not None and left == fewest]
        repair = together(kept) if kept else None
    if repair is None and may_be_mended and pasted is not None and finding.truths.program.repeats:
        early = finding.mender.updated_too_early(root, before)
        if early:
            base = _before_the_step(
                base, early, reading, lambda each: _passes(pasted(early, each.text, each.rows), each, root, finding)
            )
            message += f". {teach(EARLY)}: before line {early} it holds"
    if event.missing and repair is None and (first := _fails_before(event.line, finding)):
        why = f"{problem}; so it is with line {first}: say the shapes that you mean, as in # X: (N, D)"
        return not_judged(name, event.line, reading.text(event.line), why)
    if repair is not None:
        cause = repair.causes[0] if len(repair.causes) == 1 else AMBIGUOUS
        diff = (change_of(reading.rows, event.line, repair.text, repair.rows),)
        base = base._replace(cause=cause, causes=repair.causes, repaired=repair.text, diff=diff)
        taught = "; or ".join(teach(each) for each in repair.causes)
        taught = f"ambiguous, {taught}" if cause == AMBIGUOUS else taught
        shown_repair = repair.text.replace(NEW_LINE, f"{NEW_LINE}    ")
        message += f". {taught[0].upper()}{taught[1:]}. With{NEW_LINE}    {shown_repair}{NEW_LINE}it holds"
    message += "."
    others = [each for each in dict.fromkeys(_name(each.event) for each in roots[1:]) if each != name]
    if others:
        message += f" The same in {', '.join(others)}."
    mends = sorted({line for each in roots for line in each.mends if line < CALL} - {event.line})
    if mends:
        many = len(mends) > 1
        listed = ", ".join(str(line) for line in mends)
        message += f" Once it is right, line{'s' if many else ''} {listed} hold{'' if many else 's'} too."
    return base._replace(message=message)


def _before_the_step(base: Verdict, early: int, reading: Reading, passes: Callable[[Repair], int | None]) -> Verdict:
    """The verdict on a line that would hold before the line of a step: it is moved there, if all holds then."""
    rows = reading.rows[early - 1 : base.line]
    moving = Repair((EARLY,), textwrap.dedent(NEW_LINE.join([rows[-1], *rows[:-1]])), len(rows), 1.0)
    base = base._replace(cause=EARLY, causes=moving.causes)
    if passes(moving) is None:
        return base
    return base._replace(repaired=rows[-1].strip(), diff=moved(reading.rows, base.line, early))


def _passes(reading: Reading, repair: Repair, root: Root, finding: Finding) -> int | None:
    """How many lines fail with the repair; None where they are not fewer, or the repaired one does not hold.

    It is tried on three seeds, by both referees.
    """
    most = 0
    lines = range(root.event.line, root.event.line + len(repair.text.splitlines()))
    failed = len({each.line for each in finding.failing()})
    on_probes: list[Truths] = []
    for seed in range(PROBES):
        trial = reading.trial(seed)
        some = reading.written(trial) if finding.cost.of is None else reading.implied(trial)
        first = some[0] if some and finding.cost.of is None else None  # what was put right may have another name
        cost = next((each for each in some if unplaced(each) == unplaced(finding.cost)), first)
        truths = None if cost is None else Truths(*trial, cost)
        if truths is None or not truths.by_key:
            return None
        on_probes.append(truths)
    for truths, other in zip(on_probes, [*on_probes[1:], on_probes[0]], strict=True):
        claims = Claims(truths)
        found = Failures(claims, finding.explanation.factor, partial(_the_same, other)).claimed()
        most = max(most, len({each.event.line for each in found}))
        if most >= failed or any(each.event.line in lines for each in found):
            return None
        here = [each for each in claims.of(truths.run, {}) if each.event.line in lines]
        if not all(truths.confirmed(each.truth) for each in here):
            return None
    return most


def _the_same(truths: Truths, _: int) -> Truths:
    """The same truths, whatever probe is asked for."""
    return truths


def _name(event: Event) -> str:
    """What a value is called in the text."""
    of_part = ast.unparse(event.node) if event.role == PART and event.node is not None else "what it returns"
    return symbols.written(event.name) or of_part


def _symbol(truth: Truth) -> str:
    """The value of a truth as the text has it: its name, or the part of a formula that it is."""
    if truth.event.name:
        return symbols.base_of(truth.event.name)
    return f"({ast.unparse(truth.event.node)})" if truth.event.node is not None else "a value of the text"


def _of_zero(claim: Claim, finding: Finding, reading: Reading, sizes: dict[str, int]) -> Verdict:
    """The verdict on a claim about what J does not change with."""
    event, symbol = claim.event, _symbol(claim.truth)
    name, text, shape = symbols.written(event.name), reading.text(event.line), np.shape(claim.truth.gradient)
    base = Verdict(name, event.line, text, HOLDS, "", (), "", (), 0.0, 0.0, 0.0, event.shape, shape, "")
    if not finding.truths.confirmed(claim.truth):
        return base._replace(verdict=CANNOT_TELL, message=finding.truths.dispute(claim.truth, f"dJ/d{symbol}"))
    if claim.factor is not None:
        alone = np.allclose(event.value, 0.0)
        still = "it is 0, as" if alone else "all calls cancel, as"
        what = "it takes no step, for" if claim.kind == UPDATE else still
        return base._replace(message=f"{name} holds, {what} dJ/d{symbol} is 0 here.")
    if claim.kind == UPDATE:
        message = f"{name} takes a step, and dJ/d{symbol} is 0 here."
    else:
        agreement = compare(event.value, np.zeros(shape))
        message = f"{name} {explain(agreement, '', sizes)}: J does not change with {symbol} here."
    return base._replace(verdict=WRONG, cause=UNKNOWN, error=np.inf, bound=np.nan, ratio=np.inf, message=message)


def _sign_of_way(rate: float | None) -> str:
    """The sign of the way that a step takes: down J, and up where J is a likelihood that is climbed."""
    return "" if rate is not None and rate > 0 else "-"


def _of_claim(claim: Claim, finding: Finding, reading: Reading, sizes: dict[str, int], after: bool) -> Verdict:
    """The verdict on a claim that holds, or that holds once an earlier line is right."""
    event = claim.event
    name = _name(event)
    meaning = f"dJ/d{_symbol(claim.truth)}"
    base = Verdict(
        name, event.line, reading.text(event.line), HOLDS, "", (), "", (), 0.0, 0.0, 0.0,
        event.shape, event.shape, "",
    )  # fmt: skip
    if not finding.truths.confirmed(claim.truth):
        return base._replace(verdict=CANNOT_TELL, message=finding.truths.dispute(claim.truth, meaning))
    if after:
        return base._replace(message=f"{name} holds, once the line before it is right.")
    if claim.kind == UPDATE:
        way = f"{_sign_of_way(claim.factor)}{meaning}"
        first = _first_step(claim, finding)
        if first is not None:
            why = f"{name} is not judged: it takes a second step along {way}, behind that of line {first}."
            return not_judged(name, event.line, reading.text(event.line), why)
        return base._replace(message=f"{name} holds, as a step along {way}.")
    factor = claim.factor if claim.factor is not None else 1.0
    line = claim.truth.event.line
    place = f" (line {line})" if 0 < line < CALL else ""
    word = times(factor, sizes) if in_words(factor, sizes) else f"{factor:.4g} * "
    return base._replace(message=f"{name} holds, as {word}{meaning}{place}.")


def _first_step(claim: Claim, finding: Finding) -> int | None:
    """The line of a step along the same derivative from whose end this one goes on; None where it is the first."""
    steps = (each for each in finding.explanation.claims if each.kind == UPDATE and each.factor is not None)
    ends = {each.event.key: each.event.line for each in steps if mark_of(each.truth) == mark_of(claim.truth)}
    return None if claim.old is None or claim.factor is None else ends.get(claim.old.key)
