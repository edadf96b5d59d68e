"""The verdict on one line: held against both referees and, where it is wrong, against what makes lines wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from parity_tests.derivations.agreement import Agreement, agrees, compare
from parity_tests.derivations.data_flow import follows_from, reads
from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.budget import Effort
from parity_tests.derivations.language.errors import BudgetSpent, EvaluationError, UnknownName, source_lines
from parity_tests.derivations.language.evaluate import evaluate, run
from parity_tests.derivations.language.nodes import Assign, For, Program
from parity_tests.derivations.language.printer import to_text
from parity_tests.derivations.language.rewriting import changes_of, moved
from parity_tests.derivations.lines import (
    Line,
    Written,
    carried_out,
    line_number,
    row_of,
)
from parity_tests.derivations.mistakes.diagnosis import Case, repair
from parity_tests.derivations.mistakes.search import context_of, counts, diagnosed, evaluator, weights_of, why_unknown
from parity_tests.derivations.settings import Setting, Target
from parity_tests.derivations.settings.setting import Values, probe_of, tied_probe_of
from parity_tests.derivations.verdicts import (
    CANNOT_TELL,
    HOLDS,
    WITH_A_BORDER,
    WRONG,
    Verdict,
    explain,
    not_judged,
    teach,
)

TURNED = "It is right if the examples lie along the other axis than the setting's, as rows for columns."


def judge_line(
    line: Line, derivation: str, l2: bool, written: Written, effort: Effort | None, *, turns: bool = True
) -> Verdict:
    """The verdict on a line; a wrong one is diagnosed within ``effort``, unless this is None.

    Where it ``turns``, a forward line may also be right for examples along the other axis.
    """
    setting, numbers = written.setting, range(len(written.probes))
    symbol = setting.aliases.get(line.target, line.target)
    target = setting.targets[symbol]
    truths = [[referee[symbol] for referee in probe.truths] for probe in written.probes]
    steps = [written.as_it_stands(line, each) for each in numbers]
    agreement, problem, known = agreement_of(line, steps, truths, hurried=effort is None)
    if not known:
        later = [name for name in reads(line.program.statements) if name not in written.meant(line, 0)]
        later = [name for name in later if name in nodes.targets(written.program)]
        why = f"{line.target} is not judged: {later[0]} is read before it is assigned" if later else problem
        return not_judged(
            line.target, line.number, row_of(derivation, line.number), why if why[-1] == "?" else f"{why}."
        )
    circular = _circular(line, setting, l2)
    if circular and agreement is not None and not agreement.wrong:
        return not_judged(line.target, line.number, row_of(derivation, line.number), circular)
    meant = [written.meant(line, each) for each in numbers]
    second = _second_step(line, written, meant, truths)
    if second:
        return not_judged(line.target, line.number, row_of(derivation, line.number), second)
    base = _base(line, derivation, target, agreement, truths[0][0])
    shown = explain(agreement, problem, counts(meant[0]))
    if agreement is not None and agreement.holds:
        early = written.read_too_early(line)
        if early:
            return _out_of_order(base, line, written, early, {}, rows=source_lines(derivation))
        return base._replace(message=f"{line.target} holds. {at_ties(line, written, symbol)}".rstrip())
    if agreement is not None and not agreement.wrong:
        told = f"{line.target} is off by more than rounding and by less than a wrong formula: this cannot be told."
        return base._replace(verdict=CANNOT_TELL, message=told)
    if not all(agrees(second, first) for first, second in truths):
        told = f"the referees differ on {line.target}: this cannot be told."
        return base._replace(verdict=CANNOT_TELL, message=told)
    early, late = written.out_of_order(line)
    if early or late:
        statements = len(line.places)
        in_order, problem, _ = agreement_of(line, [[each] * statements for each in meant], truths)
        if in_order is not None and in_order.holds:
            return _out_of_order(base, line, written, early, late, shown, source_lines(derivation))
        base = _base(line, derivation, target, in_order, truths[0][0])
        shown = explain(in_order, problem, counts(meant[0]))
    if turns and target.kind in ("forward", "function") and turned(line, meant, truths):
        return base._replace(message=f"{line.target} holds. {TURNED}")
    if effort is None:
        return base._replace(verdict=WRONG)
    after = follows_from(setting, symbol, l2)
    if "small" in setting.further:  # a search evaluates hundreds of formulas on the first probe
        small = probe_of(setting, "small", l2)
        meant.insert(0, written._replace(probes=(small,)).meant(line, 0))
        truths.insert(0, [referee[symbol] for referee in small.truths])
    wide = probe_of(setting, "wide", l2) if "wide" in setting.further else None
    if wide is not None:
        meant.append(written._replace(probes=(wide,)).meant(line, 0))
    evidence = [{name: each[name] for name in each if setting.aliases.get(name, name) not in after} for each in meant]
    written_too = {name: meant[0][name] for name in nodes.names(line.program) & meant[0].keys()}
    case = Case(
        line.program,
        context_of(setting, symbol, line.target, {**evidence[0], **written_too}),
        evaluator(line.target, evidence),
        truths,
        weights_of(setting, symbol, meant[0]),
        wide=[] if wide is None else [referee[symbol] for referee in wide.truths],
    )
    idle = _that_never_runs(line, meant[0])
    found = None if idle else repair(case, effort)
    verdict = diagnosed(base, found, line, shown, idle or why_unknown(line, effort))
    if found is not None and isinstance(found.repaired, Program):
        verdict = verdict._replace(diff=changes_of(source_lines(derivation), line.program, found.repaired))
    if verdict.cause == "pad-zero-slice" and _holds_with_a_border(line, written, steps, symbol):
        verdict = verdict._replace(message=f"{verdict.message} {WITH_A_BORDER}")
    if not l2 and "lambda_" in nodes.names(line.program):
        return verdict._replace(message=f"{verdict.message} (J has no penalty here: --l2 gives it one.)")
    return verdict


def _holds_with_a_border(line: Line, written: Written, steps: Sequence[list[Values]], symbol: str) -> bool:
    """Whether a line that is wrong without padding is right with it."""
    padded = [place for place, probe in enumerate(written.probes) if probe.environment.get("pad")]
    truths = [[referee[symbol] for referee in written.probes[place].truths] for place in padded]
    agreement, _, _ = agreement_of(line, [steps[place] for place in padded], truths)
    return agreement is not None and agreement.holds


def turned(line: Line, environments: Sequence[Mapping[str, Any]], truths: Sequence[Sequence[Any]]) -> bool:
    """Whether a line that reads a single matrix, as a softmax does, is right for examples along the other axis."""
    read = matrices_read(line, environments[0])
    return len(read) == 1 and np.ndim(truths[0][0]) == 2 and right_when_turned(line, environments, truths, read)


def matrices_read(line: Line, environment: Mapping[str, Any]) -> list[str]:
    """The matrices that a line reads."""
    known = environment.keys() & reads(line.program.statements)
    return [name for name in known if np.ndim(environment[name]) == 2]


def right_when_turned(
    line: Line, environments: Sequence[Mapping[str, Any]], truths: Sequence[Sequence[Any]], read: Sequence[str]
) -> bool:
    """Whether a line gives the transpose of the right matrix where those that it reads are transposed."""
    for environment, referees in zip(environments, truths, strict=True):
        try:
            there = {name: np.transpose(environment[name]) for name in read}
            value = run(line.program, {**environment, **there})[line.target]
        except EvaluationError:
            return False
        if not all(agrees(np.transpose(value), truth) for truth in referees):
            return False
    return True


def at_ties(line: Line, written: Written, symbol: str) -> str:
    """What a line that holds does where there is more than one answer; "" where there is not."""
    tied = tied_probe_of(written.setting)
    if tied is None or symbol not in tied.answers:
        return ""
    at = written._replace(probes=(tied.probe,)).meant(line, 0)
    try:
        return tied.sentence(symbol, run(line.program, at)[line.target])
    except EvaluationError:
        return tied.sentence(symbol, None)


def agreement_of(
    line: Line,
    environments: Sequence[Sequence[dict[str, Any]]],
    truths: Sequence[Sequence[Any]],
    *,
    hurried: bool = False,
) -> tuple[Agreement | None, str, bool]:
    """How a line compares with the truths: on the first probe where it is wrong, or on the last.

    ``environments`` has one for each statement of the line's program, on each probe. None, with the sentence, where the
    line has no value; the last is whether it could be worked out at all. ``hurried`` raises BudgetSpent.
    """
    agreement = None
    for steps, referees in zip(environments, truths, strict=True):
        try:
            value = carried_out(line, steps)
        except (UnknownName, BudgetSpent) as error:
            if hurried and isinstance(error, BudgetSpent):
                raise
            return None, _plain(error), False
        except EvaluationError as error:
            return None, _plain(error), True
        if value is None:
            return None, f"no line that gives {line.target} a value is ever reached: its loop runs no time", False
        for truth in referees:
            found = compare(value, truth)
            if agreement is None or not found.holds:
                agreement = found
        if agreement is not None and not agreement.holds:
            break
    return agreement, "", True


def _circular(line: Line, setting: Setting, l2: bool) -> str:
    """Why a line that holds would say nothing; "" where it reads neither its target nor what follows from it alone."""
    symbol = setting.aliases.get(line.target, line.target)
    after = follows_from(setting, symbol, l2)
    read = [name for name in reads(line.program.statements) if setting.aliases.get(name, name) in after]
    own = [name for name in read if setting.aliases.get(name, name) == symbol]
    if own:
        return f"{line.target} is not judged: {own[0]} is read before it is assigned."
    if read:
        return f"{line.target} is not judged: {read[0]}, which it is computed from, follows from {line.target} alone."
    return ""


def _second_step(line: Line, written: Written, meant: Sequence[Values], truths: Sequence[Sequence[Any]]) -> str:
    """Why a line is no step of the derivation though it is one by itself: an earlier line took it; else ""."""
    there = written.second_step(line)
    if there is None:
        return ""
    last = len(line.places) - 1
    kept = [
        (place, statement)
        for number, (place, statement) in enumerate(zip(line.places, line.program.statements, strict=True))
        if number == last or line.target not in nodes.targets(Program((statement,)))
    ]
    places, statements = zip(*kept, strict=True)
    alone = line._replace(program=Program(statements), places=places)
    agreement, _, _ = agreement_of(alone, [[each] * len(kept) for each in meant], truths)
    if agreement is None or not agreement.holds:
        return ""
    first = line_number(written.program.statements[there])
    return f"{line.target} is not judged: it takes a second step, behind that of line {first}."


def _base(line: Line, derivation: str, target: Target, agreement: Agreement | None, truth: Any) -> Verdict:
    """The verdict on a line that holds, with its numbers."""
    base = Verdict(
        line.target, line.number, row_of(derivation, line.number), HOLDS, "", (), "", target.formula_ids,
        0.0, 0.0, 0.0, (), np.shape(truth), "",
    )  # fmt: skip
    if agreement is None:
        return base._replace(error=np.inf, bound=np.nan, ratio=np.inf)
    return base._replace(
        error=agreement.error,
        bound=agreement.bound,
        ratio=agreement.error / agreement.bound if agreement.bound else np.inf,
        shape_got=agreement.shape_got,
        shape_expected=agreement.shape_expected,
    )


def _out_of_order(
    base: Verdict,
    line: Line,
    written: Written,
    early: dict[str, int],
    late: dict[str, int],
    shown: str = "",
    rows: Sequence[str] = (),
) -> Verdict:
    """The verdict on a line that holds behind the statements of what it reads too early, or before those of what it
    reads too late.
    """
    everything = written.program.statements
    before, behind = ([everything[each] for each in sorted(set(places.values()))] for places in (early, late))
    repaired = to_text(Program((*before, *line.program.statements, *behind)), as_written=True)
    if late:
        cause, where = "updated-before-use", f"Before the update of {' and '.join(late)} it holds"
    else:
        lines = {name: line_number(everything[place]) for name, place in early.items()}
        told = " and ".join(f"line {number}, which computes {name}" for name, number in lines.items())
        cause, where = "read-before-assigned", f"Behind {told}, it holds"
    message = f"{line.target} {shown or 'stands in the wrong place'}: {teach(cause)}. {where}."
    to = line_number(before[-1]) + 1 if early else line_number(behind[0])
    alone = isinstance(everything[line.place], Assign) and bool(early) != bool(late)
    diff = moved(rows, line.number, to) if alone else ()
    return base._replace(verdict=WRONG, cause=cause, causes=(cause,), repaired=repaired, message=message, diff=diff)


def _that_never_runs(line: Line, environment: Mapping[str, Any]) -> str:
    """The sentence on a loop with nothing to count, as far as can be seen from outside of it; "" where none is."""
    for _, here in nodes.walk(line.program):
        if isinstance(here, For):
            try:
                idle = evaluate(here.stop, environment) <= evaluate(here.start, environment)
            except EvaluationError:
                continue
            if np.all(idle):
                return f"the loop over {here.variable} in line {line_number(here)} never runs."
    return ""


def _plain(error: EvaluationError) -> str:
    """The error's sentence without its place."""
    return str(error.args[0]) if error.args else str(error)
