"""Texts: a derivation with a forward pass in, a verdict on each of its lines out."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from parity_tests.derivations.changes import change_of, put_in
from parity_tests.derivations.engine import costs, symbols
from parity_tests.derivations.engine.findings import Trial
from parity_tests.derivations.engine.forward_slips import has_a_slip
from parity_tests.derivations.engine.guards import judged_without_guards
from parity_tests.derivations.engine.judged import judge_reading
from parity_tests.derivations.engine.layers import summed_among_averages, terms_of, unreached
from parity_tests.derivations.engine.layouts import Layout, find_layout
from parity_tests.derivations.engine.optimiser_rules import with_rules
from parity_tests.derivations.engine.probes import Probe, doubled, draw, normalised, one_output, with_masks
from parity_tests.derivations.engine.program import TextProgram
from parity_tests.derivations.engine.python.other_costs import by_the_cost_that_is_followed
from parity_tests.derivations.engine.python.rubric import kind_of
from parity_tests.derivations.engine.roles import Roles
from parity_tests.derivations.engine.trials import telling_trial
from parity_tests.derivations.engine.truths import Cost, Truths
from parity_tests.derivations.engine.undefined_units import choices, said, undefined_units, with_units
from parity_tests.derivations.language.errors import DerivationError
from parity_tests.derivations.language.front import Source, plain_lines, read
from parity_tests.derivations.verdicts import WRONG, Judged, Verdict, not_judged, summarised

NO_UNITS: Mapping[str, str] = MappingProxyType({})

OVER_THE_EXAMPLES = (
    "adds up to 1 over the examples, not over the classes of each example: if it is a softmax, its axis is wrong. "
    "The gradients are judged as those of this forward pass; whether it is the one that is meant is not judged"
)


ASSIGNED = re.compile(r"^(\w+)[\w\[\]\"'.]*\s*[-+*/@]?=(?!=)")
COUNTED = frozenset(("missing-factor", "extra-factor", "wrong-divisor"))
"""Causes by which a line may lack the number of outputs, or have it too often."""


@dataclass(frozen=True)
class TextReading:
    """A text that was read, and what its free names are taken to be."""

    lines: Source
    program: TextProgram
    layout: Layout
    source: str
    from_above: bool = field(default=False, kw_only=True)
    """Whether what comes from above is given, and stands for a cost."""
    units: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """What activations that are not defined are taken to be."""
    narrow: bool = field(default=False, kw_only=True)
    """Whether each example is taken to have one output."""
    cost: str = field(default="", kw_only=True)
    """The name of J, where it is told."""
    kind: str = field(default="", kw_only=True)
    """The kind of a usual cost that counts in place of the written one."""
    trials: dict[int, Trial] = field(default_factory=dict, init=False, compare=False)
    """What was computed already, by seed."""

    @property
    def said(self) -> str:
        """The layout in words."""
        return self.layout.said

    @property
    def rows(self) -> Sequence[str]:
        """The lines as they were written."""
        return self.lines.rows

    def text(self, line: int) -> str:
        """The line as it was written."""
        return self.lines.text(line)

    def trial(self, seed: int) -> Trial:
        """The text on values for its free names."""
        if seed not in self.trials:
            self.trials[seed] = telling_trial(self.program, self.probe(seed))
        return self.trials[seed]

    def written(self, trial: Trial) -> list[Cost]:
        """The scalars that may be the cost; or the one of which what is given is the slope."""
        if self.from_above:
            return costs.from_above(trial.run, trial.probe)
        if self.kind:
            return [cost for cost in self.implied(trial) if kind_of(cost.text) == self.kind]
        return costs.written_costs(trial.run, self.program.tree, self.cost)

    def implied(self, trial: Trial) -> list[Cost]:
        """The usual costs of each value that has the labels' shape."""
        if self.from_above:
            return self.written(trial)
        return costs.implied_costs(trial.run, trial.probe, self.layout.labels, self.program.tree)

    def left(self, truths: Truths) -> dict[int, str]:
        """Lines that cannot be read or computed, and a doubtful forward pass."""
        trial = Trial(truths.program, truths.probe, truths.run)
        reasons = {refused.line: refused.message for refused in self.lines.refused}
        for line, message in trial.run.problems:
            reasons.setdefault(line, message)
        for event in costs.over_the_examples(trial.run, trial.probe, self.layout):
            reasons.setdefault(event.line, f"{event.name} {OVER_THE_EXAMPLES}")
        for cost in self.written(trial)[:1]:
            same = truths if truths.cost == cost else Truths(*trial, cost)
            reasons = unreached(same) | self._uneven(trial, cost) | reasons
        return reasons

    def _uneven(self, trial: Trial, cost: Cost) -> dict[int, str]:
        """A term of J that is a sum over the examples where the others are averages."""
        twice, roles = doubled(self.layout, trial.probe), self.layout.roles
        if twice is None or len(terms_of(trial.run, cost.key)) < 2:
            return {}
        given = {
            name: 0.9 * value if np.ndim(value) and (roles.is_data(name) or roles.is_label(name)) else value
            for name, value in trial.probe.given.items()
            if name not in self.layout.labels
        }
        runs = [self.program.run(values, until=cost.key) for values in (twice.given, {**trial.probe.given, **given})]
        return summed_among_averages(trial.run, cost, *runs)

    @property
    def has_classes(self) -> bool:
        """Whether the outputs of an example add up to 1: then there are several."""
        trial = self.trial(0)
        labels = [value for name, value in trial.probe.given.items() if self.layout.roles.is_label(name)]
        return any(costs.softmax_axis(trial.run, value) is not None for value in labels if np.ndim(value))

    def pasted(self, line: int, repaired: str, rows: int = 1) -> TextReading:
        """The text with others in place of so many rows from a line on, as far to the right as that was."""
        new = put_in(self.rows, [change_of(self.rows, line, repaired, rows)])
        return self.like_it(read_text("\n".join(new), self.units, narrow=self.narrow))

    def like_it(self, other: TextReading) -> TextReading:
        """Another reading, with what was told about this one."""
        return replace(other, from_above=self.from_above, cost=self.cost)

    def probe(self, seed: int) -> Probe:
        """Values for the free names; targets of a softmax add up to 1, targets that are compared are 0 or 1."""
        whole = frozenset(_compared(self.program.tree, self.layout.roles))
        probe = draw(self.layout, seed, whole)
        settled = whole | set(self.layout.labels)
        labels = [
            name
            for name, value in probe.given.items()
            if self.layout.roles.is_label(name) and np.ndim(value) and name not in settled
        ]
        if labels:
            run = self.program.run(probe.given)
            for name in labels:
                axis = costs.softmax_axis(run, probe.given[name])
                if axis is not None:
                    probe = normalised(probe, name, axis, one_hot="hot" in name.lower())
        return probe


def read_text(text: str, units: Mapping[str, str] = NO_UNITS, *, narrow: bool = False) -> TextReading:
    """The text with the shapes of its free names, and with units for activations that it does not define.

    In a ``narrow`` reading each example has one output, where it may have several.
    """
    source = read(text)
    if units:
        source = source._replace(tree=with_units(source.tree, units))
    program = TextProgram(source)
    layout = find_layout(program.tree, source.rows)
    layout = one_output(layout) if narrow else layout
    program.classes_axis = 0 if "examples are columns" in layout.said else -1
    return TextReading(source, program, layout, text, units=units, narrow=narrow)


def verify_text(
    text: str, seed: int = 0, *, strict: bool = False, from_above: bool = False, cost: str = ""
) -> Judged | None:
    """Judge a text by its own forward pass; None where it has none, or where no line of it could be judged.

    With ``strict`` the gradients have to be those of J itself: no constant factor is taken for a convention. With
    ``from_above`` the text has no cost, and the derivative in its result is given. ``cost`` is the name of J.

    Raises ValueError where the text computes no number of that name.
    """
    return judged_without_guards(lambda written: _verified(written, seed, strict, from_above, cost), text)


def _verified(text: str, seed: int, strict: bool, from_above: bool, cost: str) -> Judged | None:
    """What is said of a text as it is; a unit that it does not define is each of the usual ones."""
    try:
        reading = replace(read_text(text), from_above=from_above, cost=cost)
    except (DerivationError, RecursionError):
        return None
    if cost and not reading.written(reading.trial(seed)):
        raise ValueError(f"cost is {cost!r}, expected the name of a single number that the text computes")
    judged = _with_one_output(_judged(reading, seed, strict), reading, seed, strict)
    judged = _with_masks(judged, reading, seed, strict)
    names = undefined_units(reading.program.tree)
    if judged is None or not names:
        return judged
    taken = dict.fromkeys(names, "tanh")
    for units in choices(names):
        if judged.summary.holds == judged.summary.judged:
            break
        found = _judged(reading.like_it(read_text(text, units)), seed, strict)
        if found is not None and _holds_best(found) > _holds_best(judged):
            judged, taken = found, units
    return judged._replace(layout=f"{judged.layout}; {said(taken)}")


def _judged(reading: TextReading, seed: int, strict: bool) -> Judged | None:
    """What is said of a text by the cost that it writes down, or by the one that all of its gradients follow."""
    judged = judge_reading(reading, seed, strict=strict, pasted=reading.pasted)
    if reading.cost and judged is not None and not judged.cost.line:
        return None
    trial = reading.trial(seed)
    judged = None if judged is None else _as_far_as_read(judged, reading)
    if judged is not None:
        code = [line.text for line in plain_lines(reading.source)]
        judged = with_rules(judged, read(reading.source).tree, code, reading.rows, seed, strict=strict)
    if judged is None or reading.from_above or not judged.summary.wrong or not reading.written(trial):
        return judged
    if reading.cost or has_a_slip(judged):
        return judged

    def by_kind(kind: str) -> TextReading:
        return replace(reading, kind=kind)

    return by_the_cost_that_is_followed(reading, reading.implied(trial), by_kind, seed, strict=strict) or judged


def _with_one_output(judged: Judged | None, reading: TextReading, seed: int, strict: bool) -> Judged | None:
    """The verdicts; where gradients are off by a count that is 1 for one output, those for one output."""
    if judged is None or not judged.summary.wrong or reading.has_classes:
        return judged
    if not judged.convention and not any(each.cause in COUNTED for each in judged.lines):
        return judged
    narrow = read_text(reading.source, reading.units, narrow=True)
    found = _judged(reading.like_it(narrow), seed, strict) if narrow.layout.one_output else None
    if found is None or found.summary.judged < judged.summary.judged:
        return judged
    return min(judged, found, key=lambda each: (each.summary.wrong, bool(each.convention)))


def _with_masks(judged: Judged | None, reading: TextReading, seed: int, strict: bool) -> Judged | None:
    """The verdicts; where fewer lines are wrong if what only multiplies holds 0 and 1, those of masks."""
    if judged is None or not judged.summary.wrong:
        return judged
    layout = with_masks(reading.layout)
    found = _judged(replace(reading, layout=layout), seed, strict) if layout.masks else None
    return judged if found is None or found.summary.wrong >= judged.summary.wrong else found


def _as_far_as_read(judged: Judged, reading: TextReading) -> Judged:
    """The verdicts, but nothing that is computed from a line that cannot be read is called wrong."""
    unread: dict[str, int] = {}
    for refused in reading.lines.refused:
        for name in ASSIGNED.findall(reading.text(refused.line))[:1]:
            unread.setdefault(name, refused.line)
    depends: dict[int, int] = {}
    for statement in reading.lines.tree.body:
        names = [each for each in ast.walk(statement) if isinstance(each, ast.Name)]
        source = next((unread[each.id] for each in names if isinstance(each.ctx, ast.Load) and each.id in unread), None)
        if source is not None:
            unread |= {each.id: source for each in names if isinstance(each.ctx, ast.Store)}
            depends |= dict.fromkeys(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1), source)
    lines = tuple(
        not_judged(each.target, each.line, each.text, f"it depends on line {depends[each.line]}, which cannot be read")
        if each.verdict == WRONG and each.line in depends
        else each
        for each in judged.lines
    )
    return judged._replace(lines=lines, summary=summarised(lines, judged.summary.helpers))


def _holds_best(judged: Judged) -> tuple[int, bool]:
    """How much of it holds, and whether that is in no convention."""
    return judged.summary.holds, not judged.convention


def what_fails(text: str) -> tuple[Verdict, ...]:
    """The lines of a text in which a line cannot be computed, each with the reason; none where all can be."""
    try:
        reading = read_text(text)
        run = reading.trial(0).run
    except (DerivationError, RecursionError):
        return ()
    fails = dict(reversed(run.problems)) | {each.line: each.message for each in reading.lines.refused}
    if not run.problems:
        return ()
    fails = {line: why for line, why in fails.items() if line} or fails  # a step that is no statement's has none
    first = min(fails)
    why = f"no J could be computed, since line {first} fails" if first else fails[first]
    assigned = {event.line: symbols.written(event.name) for event in run.events if event.line and event.name}
    rows = [
        not_judged(assigned.get(line, ""), line, reading.text(line), fails.get(line, why))
        for line in sorted({*assigned, *fails})
    ]
    return tuple(rows)


def _compared(tree: ast.AST, roles: Roles) -> set[str]:
    """The names that stand in a comparison for equality."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            found |= {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and roles.is_label(each.id)}
    return found
