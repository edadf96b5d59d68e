"""Is a derivation right? Each line is judged on true upstream values by both referees; a wrong one is diagnosed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache, partial
from typing import Any

import numpy as np

from parity_tests.derivations.agreement import Agreement, agrees, compare
from parity_tests.derivations.choice import choose, left
from parity_tests.derivations.data_flow import follows_from, reads
from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.budget import Budget, Effort
from parity_tests.derivations.language.errors import BudgetSpent, EvaluationError, UnknownName
from parity_tests.derivations.language.evaluate import evaluate, run
from parity_tests.derivations.language.functions import FUNCTION_NAMES
from parity_tests.derivations.language.nodes import Assign, For, Node, Program
from parity_tests.derivations.language.printer import to_text
from parity_tests.derivations.lines import (
    Line,
    Written,
    accounted,
    assigns,
    base_name,
    carried_out,
    judged_lines,
    line_number,
)
from parity_tests.derivations.mistakes.context import Context
from parity_tests.derivations.mistakes.diagnosis import ALL_STEPS, LONGEST, Case, Diagnosis, repair
from parity_tests.derivations.readable import Readable, readable
from parity_tests.derivations.said_cost import another_cost
from parity_tests.derivations.settings import SETTINGS, Probe, Setting, Target, setting_named
from parity_tests.derivations.settings.readings import readings_of
from parity_tests.derivations.settings.setting import Tied, Values
from parity_tests.derivations.settings.volumes import VOLUME_FUNCTIONS
from parity_tests.derivations.verdicts import (
    AMBIGUOUS,
    CANNOT_TELL,
    HOLDS,
    NOTES_CONVENTION,
    REFEREES,
    UNKNOWN,
    WITH_A_BORDER,
    WRONG,
    Cost,
    Judged,
    Verdict,
    explain,
    in_order,
    not_judged,
    summarised,
    teach,
)

PROBES = 5
"""How many probes a line is judged on, each of other sizes."""

FEW = 2
"""On how many of them a convention is tried."""

TURNED = "It is right if the examples lie along the other axis than the setting's, as rows for columns."

MOST_LINES = 40
"""Lines of a derivation that may each give one symbol its value."""

PROBES_OF_VOLUMES = 3
"""The same where formulas are loops over the windows of volumes, and a search has a small probe of its own."""


def verify(
    derivation: str,
    setting: str | Setting | None = None,
    *,
    l2: bool = False,
    chain: bool = False,
    seed: int = 0,
    strict: bool = False,
) -> Judged:
    """Judge a derivation, line by line, and account for every line of it.

    ``derivation`` is one assignment or many, as in notes; ``setting`` says what J is and which symbols exist (None:
    the first setting that knows every name and in which all lines hold, or else the first that knows every name);
    ``l2`` adds the penalty to J. Each right side is evaluated on true upstream values, so that one mistake does not
    spoil the next line; with ``chain`` the writer's own values are used instead.

    Several lines that keep to another convention than the notes, such as deltas that carry the 1/m or torch's momentum,
    hold in it, and it is named; with ``strict`` they are wrong.

    A name that is built up, in a loop or by lines that read the name itself, is judged by the value it has at the end;
    helpers that a line reads belong to it. An optimiser's state is old before its own line and new behind it, and a
    line of the backward pass that comes behind the update of a parameter sees the new one. Lines that assign nothing
    the setting can judge, and that no judged line reads, are "not judged", with the reason.

    Of a symbol that more than ``MOST_LINES`` lines give a value, none is judged. The search for mistakes counts its
    steps, for all lines together, so that the answer is the same on every machine.

    Raises ValueError (a DerivationSyntaxError points at the character) for text that is not a derivation, and for an
    unknown setting.
    """
    if setting is None and not (l2 or chain):
        by_itself = _by_its_own_forward_pass(derivation, seed, strict)
        if by_itself is not None:
            return by_itself
    text = readable(derivation)
    program = text.program
    named = setting_named(setting) if isinstance(setting, str) else setting
    settings = [named] if named else fitting(program, l2, text.changed)

    seen: dict[Setting, tuple[list[Verdict], int]] = {}
    unread = {each.line for each in text.left_out}

    def standing(each: Setting) -> list[Verdict]:
        seen[each] = _lines_in(each, derivation, l2, seed=seed, diagnose=False)
        return [row for row in seen[each][0] if row.line not in unread]

    def glance(each: Setting) -> list[Verdict]:
        rows, _ = _lines_in(each, derivation, l2, seed=seed, diagnose=False, most=FEW)
        return [row for row in rows if row.line not in unread]

    try:
        names = nodes.names(program)
        choice = choose(settings, standing, glance, names, strict=strict, partly=bool(unread))
    except StopIteration:
        return _nothing_known(text, derivation)
    rows, helpers = seen.get(choice.setting, ([], 0))
    if chain or not rows or left(rows):
        rows, helpers = _lines_in(choice.setting, derivation, l2, chain=chain, seed=seed, diagnose=True)
    return Judged(
        derivation,
        Cost(cost_text(choice.setting, l2)),
        choice.reading.sentence if choice.reading else NOTES_CONVENTION,
        layout_text(choice.setting, named=named is not None),
        REFEREES,
        in_order(rows),
        summarised(rows, helpers),
    )


def _lines_in(
    setting: Setting,
    derivation: str,
    l2: bool,
    *,
    seed: int,
    diagnose: bool,
    chain: bool = False,
    most: int = PROBES,
) -> tuple[list[Verdict], int]:
    """The verdicts on all lines in a setting, the wrong ones with a diagnosis or without; and how many lines help.

    Raises BudgetSpent without a diagnosis, where a line takes more than a line may.
    """
    text = readable(derivation, frozenset(setting.protected()))
    program = text.program
    lines = list(judged_lines(program, setting, l2))
    count = min(most, PROBES if setting.small is None else PROBES_OF_VOLUMES)
    numbers = range(seed, seed + count) if lines else ()
    written = Written(program, [_probe(setting, number, l2) for number in numbers], setting, chain)
    effort = Effort(ALL_STEPS) if diagnose else None
    times = Counter(line.target for line in lines)
    found = [
        _judge(line, derivation, l2, written, effort)
        if times[line.target] <= MOST_LINES
        else _one_of_many(line, derivation, times[line.target])
        for line in lines
    ]
    if any(map(_is_turned, found)) and any(map(partial(_keeps_the_axes, written), lines, found)):
        found = [
            _judge(line, derivation, l2, written, effort, turns=False) if _is_turned(verdict) else verdict
            for line, verdict in zip(lines, found, strict=True)
        ]
    found = [_as_far_as_read(verdict, line, text) for line, verdict in zip(lines, found, strict=True)]
    other = another_cost(derivation, setting.cost)
    if other:
        found = [
            _not_judged_since(verdict, other) if verdict.verdict == WRONG or _reads_targets(line, setting) else verdict
            for line, verdict in zip(lines, found, strict=True)
        ]
    helpers, rest = accounted(program, lines)
    why = f"no judged line reads it, and setting {setting.name} has no formula for it"
    return [*found, *(_not_judged(assign, derivation, why) for assign in rest), *text.left_out], helpers


def _is_turned(verdict: Verdict) -> bool:
    """Whether a line holds for examples along the other axis alone."""
    return verdict.verdict == HOLDS and TURNED in verdict.message


def _keeps_the_axes(written: Written, line: Line, verdict: Verdict) -> bool:
    """Whether a line holds for examples along the setting's axis alone: then they lie there for all lines."""
    if verdict.verdict != HOLDS or _is_turned(verdict) or len(verdict.shape_expected) != 2:
        return False
    symbol = written.setting.aliases.get(line.target, line.target)
    environments = [written.meant(line, number) for number in range(len(written.probes))]
    truths = [[referee[symbol] for referee in probe.truths] for probe in written.probes]
    return not right_when_turned(line, environments, truths, matrices_read(line, environments[0]))


def _as_far_as_read(verdict: Verdict, line: Line, text: Readable) -> Verdict:
    """The verdict on a line of a text that could not all be read.

    What a line that was not read may have changed is not judged, and what is computed from it is not called wrong.
    """
    own, read = set(nodes.targets(line.program)), nodes.names(line.program)
    changed = sorted(own & text.changed)
    if not changed and verdict.verdict == WRONG:
        changed = sorted((own | read) & text.doubtful)
    if not changed:
        return verdict
    numbers = ", ".join(str(each.line) for each in text.left_out)
    lines = f"line{'s' * (len(text.left_out) > 1)} {numbers}"
    why = f"{changed[0]} depends on {lines}, which cannot be read"
    return _not_judged_since(verdict, why)


def _not_judged_since(verdict: Verdict, why: str) -> Verdict:
    """The verdict on a line that was judged, and about which nothing can be said after all."""
    return not_judged(verdict.target, verdict.line, verdict.text, f"{verdict.target} is not judged: {why}.")


def _reads_targets(line: Line, setting: Setting) -> bool:
    """Whether a line reads what the output is compared with: there the cost comes in."""
    return any(setting.aliases.get(name, name) in ("Y", "y") for name in nodes.names(line.program))


def _by_its_own_forward_pass(derivation: str, seed: int, strict: bool) -> Judged | None:
    """The answer of the engine, which needs no setting; None for a text without a forward pass."""
    if len(derivation.strip().splitlines()) < 2 and ";" not in derivation:
        return None
    from parity_tests.derivations.engine.texts import verify_text  # torch and the engine only where they are used

    return verify_text(derivation, seed, strict=strict)


def _one_of_many(line: Line, derivation: str, times: int) -> Verdict:
    why = f"{line.target} is not judged: {times} lines assign it, at most {MOST_LINES} are judged."
    return not_judged(line.target, line.number, _row(derivation, line.number), why)


def _nothing_known(text: Readable, derivation: str) -> Judged:
    """The answer where no setting knows the names: nothing is judged."""
    near, unknown = nearest_setting(text.program)
    names = ", ".join(sorted(unknown))
    why = f"no setting knows every name of this derivation (the nearest, {near.name}, lacks {names})"
    assigned = (assign for statement in text.program.statements for assign in assigns(statement))
    rows = in_order([*(_not_judged(assign, derivation, why) for assign in assigned), *text.left_out])
    return Judged(derivation, Cost(""), "", "", (), rows, summarised(rows))


def _not_judged(assign: Assign, derivation: str, reason: str) -> Verdict:
    number, name = line_number(assign), base_name(assign)
    return not_judged(name, number, _row(derivation, number), f"{name} is not judged: {reason}.")


def cost_text(setting: Setting, l2: bool) -> str:
    """J of a setting, with the penalty or without it."""
    plain, *penalty = setting.cost.split("; with L2 also ")
    plain = plain.removesuffix("; L2 plays no part")
    return f"{plain}; also {penalty[0]}" if penalty and l2 else plain


def layout_text(setting: Setting, *, named: bool) -> str:
    """What the network is, where the examples are, and how that became known."""
    shapes = [symbol.shape.strip("()").split(",") for symbol in setting.symbols]
    axes = [[axis.strip() for axis in shape] for shape in shapes if len(shape) > 1]
    first, last = (sum(axis[place] in ("m", "chunk_size") for axis in axes) for place in (0, -1))
    where = "" if first == last else "; examples in columns" if last > first else "; examples first"
    how = "as named" if named else "chosen, not named: it knows every name"
    return f"{setting.summary}{where} (setting {setting.name}, {how})"


@lru_cache(maxsize=512)
def _probe(setting: Setting, seed: int, l2: bool) -> Probe:
    """A probe of a setting, made once."""
    return setting.probe(seed, l2)


@lru_cache(maxsize=64)
def _small_probe(setting: Setting, l2: bool) -> Probe | None:
    """The probe for a quick search, made once."""
    return setting.small_probe(l2)


@lru_cache(maxsize=64)
def _tied(setting: Setting) -> Tied | None:
    """The probe with ties, made once."""
    return setting.tied_probe()


def fitting(program: Program, l2: bool = False, changed: frozenset[str] = frozenset()) -> Iterator[Setting]:
    """The settings that know every name of a derivation and can judge a line of it; where there is none, those in
    another convention. Names in ``changed`` have a value from lines that were not read.
    """
    assigned, found = set(nodes.targets(program)), False
    for setting in SETTINGS.values():
        if assigned & (set(setting.targets) | set(setting.aliases)) and unknown_names(program, setting, l2) <= changed:
            found = True
            yield setting
    for setting in SETTINGS.values() if not found else ():
        for reading in readings_of(setting):
            if assigned & set(reading.setting.targets) and unknown_names(program, reading.setting, l2) <= changed:
                yield reading.setting


def unknown_names(program: Program, setting: Setting, l2: bool = False) -> frozenset[str]:
    """The names that a derivation uses, does not assign, and the setting lacks."""
    own = {*nodes.targets(program), *(here.variable for _, here in nodes.walk(program) if isinstance(here, nodes.For))}
    used = (nodes.names(program) | nodes.functions(program)) - own
    return used - _known(setting, l2) - set(setting.targets) - FUNCTION_NAMES


@cache
def _known(setting: Setting, l2: bool) -> frozenset[str]:
    """The names that have a value in a setting."""
    return frozenset(_probe(setting, 0, l2).environment)


def nearest_setting(program: Program) -> tuple[Setting, frozenset[str]]:
    """The setting that lacks the fewest names of a derivation, what it assigns included, and these names."""
    lacks = {
        name: unknown_names(program, each) | (set(nodes.targets(program)) - set(each.targets) - set(each.aliases))
        for name, each in SETTINGS.items()
    }
    name = min(lacks, key=lambda each: len(lacks[each]))
    return SETTINGS[name], lacks[name]


def _judge(
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
        return not_judged(line.target, line.number, _row(derivation, line.number), f"{why}.")
    circular = _circular(line, setting, l2)
    if circular and agreement is not None and not agreement.wrong:
        return not_judged(line.target, line.number, _row(derivation, line.number), circular)
    base = _base(line, derivation, target, agreement, truths[0][0])
    meant = [written.meant(line, each) for each in numbers]
    shown = explain(agreement, problem, counts(meant[0]))
    if agreement is not None and agreement.holds:
        early = written.read_too_early(line)
        if early:
            return _out_of_order(base, line, written, early, {})
        return base._replace(message=f"{line.target} holds. {at_ties(line, written, symbol)}".rstrip())
    if agreement is not None and not agreement.wrong:
        told = f"{line.target} is off by more than rounding and by less than a wrong formula: this cannot be told."
        return base._replace(verdict=CANNOT_TELL, message=told)
    early, late = written.out_of_order(line)
    if early or late:
        statements = len(line.places)
        in_order, problem, _ = agreement_of(line, [[each] * statements for each in meant], truths)
        if in_order is not None and in_order.holds:
            return _out_of_order(base, line, written, early, late, shown)
        base = _base(line, derivation, target, in_order, truths[0][0])
        shown = explain(in_order, problem, counts(meant[0]))
    if turns and target.kind in ("forward", "function") and turned(line, meant, truths):
        return base._replace(message=f"{line.target} holds. {TURNED}")
    if effort is None:
        return base._replace(verdict=WRONG)
    after = follows_from(setting, symbol, l2)
    small = _small_probe(setting, l2)
    if small is not None:  # a search evaluates hundreds of formulas on the first probe
        meant.insert(0, written._replace(probes=(small,)).meant(line, 0))
        truths.insert(0, [referee[symbol] for referee in small.truths])
    evidence = [{name: each[name] for name in each if setting.aliases.get(name, name) not in after} for each in meant]
    written_too = {name: meant[0][name] for name in nodes.names(line.program) & meant[0].keys()}
    case = Case(
        line.program,
        context_of(setting, symbol, line.target, {**evidence[0], **written_too}),
        _evaluator(line.target, evidence),
        truths,
        weights_of(setting, symbol, meant[0]),
    )
    idle = _that_never_runs(line, meant[0])
    found = None if idle else repair(case, effort)
    verdict = _diagnosed(base, found, line, shown, idle or _why_unknown(line, effort))
    if _holds_with_a_border(line, written, steps, symbol):
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
    tied = _tied(written.setting)
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


def _base(line: Line, derivation: str, target: Target, agreement: Agreement | None, truth: Any) -> Verdict:
    """The verdict on a line that holds, with its numbers."""
    base = Verdict(
        line.target, line.number, _row(derivation, line.number), HOLDS, "", (), "", target.formula_ids,
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
    base: Verdict, line: Line, written: Written, early: dict[str, int], late: dict[str, int], shown: str = ""
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
    return base._replace(verdict=WRONG, cause=cause, causes=(cause,), repaired=repaired, message=message)


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


def _why_unknown(line: Line, effort: Effort) -> str:
    """Why there is no repair, in a sentence."""
    if nodes.size(line.program) > LONGEST:
        return "what computes it is too long for its mistake to be searched for."
    if effort.spent:
        return "its mistake is unknown: the search, which is for all lines together, ended before it was found."
    return "no small change of this line makes it right, so the mistake is unknown."


def _diagnosed(base: Verdict, diagnosis: Diagnosis | None, line: Line, shown: str, unknown: str) -> Verdict:
    """The verdict with its cause and repair, and the sentence that says both, or else ``unknown``."""
    ids = f" ({', '.join(base.formula_ids)})" if base.formula_ids else ""
    saw = shown if np.isnan(base.bound) else f"{line.target} {shown}"
    if diagnosis is None:
        message = f"{saw}: {unknown}"
        return base._replace(verdict=WRONG, cause=UNKNOWN, message=message)
    repaired = to_text(diagnosis.repaired, as_written=True)
    cause = " + ".join(diagnosis.causes)
    shown_repair = _changed_lines(to_text(line.program, as_written=True), repaired)
    if diagnosis.alternatives:
        causes = (cause, *(" + ".join(each) for each in diagnosis.alternatives))
        listed = "; or ".join(teach(each) for each in causes)
        message = f"{saw}: ambiguous, {listed}. For one, {shown_repair} holds{ids}."
        return base._replace(verdict=WRONG, cause=AMBIGUOUS, causes=causes, repaired=repaired, message=message)
    message = f"{saw}: {teach(cause)}. {shown_repair} holds{ids}."
    return base._replace(verdict=WRONG, cause=cause, causes=(cause,), repaired=repaired, message=message)


def _changed_lines(before: str, after: str) -> str:
    """The repaired formula; of a program only the lines that changed."""
    rows = after.splitlines()
    if len(rows) == 1:
        return after
    old = set(before.splitlines())
    return "With " + " and ".join(row.strip() for row in rows if row not in old) + " it"


def _evaluator(target: str, environments: list[dict[str, Any]]) -> Any:
    """The value of the target under a changed program, None where it cannot be computed."""

    def evaluate(node: Node, number: int, budget: Budget) -> Any:
        assert isinstance(node, Program)
        try:
            return run(node, environments[number], budget=budget).get(target)
        except EvaluationError:
            return None

    return evaluate


def context_of(setting: Setting, symbol: str, written: str, environment: Mapping[str, Any]) -> Context:
    """What the search for edits may know."""
    arrays = {name for name, value in environment.items() if isinstance(value, np.ndarray | np.floating | float)}
    hidden = {name for name in arrays if name in setting.aliases}
    return Context(
        target=symbol,
        kind=setting.targets[symbol].kind,
        layers=setting.layers,
        arrays=frozenset(arrays - hidden - {symbol, written}),
        sizes=frozenset(counts(environment)) - setting.aliases.keys(),
        counts=frozenset(counts(environment)),
        functions=frozenset(name for name, value in environment.items() if callable(value)) - VOLUME_FUNCTIONS.keys(),
        batch="chunk_size" if "chunk_size" in environment else "m",
        rank=next(len(each.shape.split(",")) for each in setting.symbols if each.name == symbol),
    )


def counts(environment: Mapping[str, Any]) -> dict[str, int]:
    """The sizes among the symbols: m first."""
    sizes = {name: int(value) for name, value in environment.items() if isinstance(value, int | np.integer)}
    return dict(sorted(sizes.items(), key=lambda item: (item[0] not in ("m", "chunk_size"), item[0])))


def weights_of(setting: Setting, symbol: str, environment: Mapping[str, Any]) -> Any:
    """The weights that a penalty on this gradient would be a multiple of."""
    return environment.get(symbol.removeprefix("d")) if symbol.startswith("d") else None


def _plain(error: EvaluationError) -> str:
    """The error's sentence without its place."""
    return str(error.args[0]) if error.args else str(error)


def _row(derivation: str, number: int) -> str:
    """The line of that number, as it was written."""
    rows = derivation.splitlines()
    return rows[number - 1].strip() if 0 < number <= len(rows) else ""
