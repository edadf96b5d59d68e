"""The lines of a derivation that can be judged: each with the statements that compute it, and with what it sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from parity_tests.derivations import nodes
from parity_tests.derivations.errors import EvaluationError
from parity_tests.derivations.evaluate import run
from parity_tests.derivations.nodes import Assign, For, Name, Node, Program, Statement
from parity_tests.derivations.settings import Probe, Setting
from parity_tests.derivations.settings.setting import STATE, STATES


class Line(NamedTuple):
    """A judged quantity: the statements that compute it, the line that assigns it last, and that line's statement."""

    target: str
    program: Program
    number: int
    place: int


def judged_lines(program: Program, setting: Setting) -> Iterator[Line]:
    """The quantities of a program that the setting can judge, in the order of their lines.

    A plain line is judged by itself, with the helpers that it reads. A name that is built up, by a loop, an
    accumulator or a line that reads the name itself, is judged once, at its last line.
    """
    gathered = built(program, setting)
    found = {}
    for place, statement in enumerate(program.statements):
        for assign in assigns(statement):
            name = base_name(assign)
            if setting.aliases.get(name, name) in setting.targets:
                found[name if name in gathered else (name, place)] = (name, place, line_number(assign))
    for name, place, number in sorted(found.values(), key=lambda each: each[2]):
        yield Line(name, needed(program, name, place, setting), number, place)


def built(program: Program, setting: Setting) -> frozenset[str]:
    """The names that more than one statement makes what they are."""
    found: set[str] = set()
    seen: set[str] = set()
    for path, here in nodes.walk(program):
        if isinstance(here, Assign):
            name = base_name(here)
            again = name in seen and name in nodes.names(here.value) and kind_of(name, setting) != "update"
            if len(path) > 1 or not is_plain(here) or again:
                found.add(name)
            seen.add(name)
    return frozenset(found)


def needed(program: Program, name: str, place: int, setting: Setting) -> Program:
    """The statements up to ``place`` that make ``name`` what it is.

    What else the setting can judge is taken at its true value, so that no mistake spoils another line. Only a state of
    an optimiser that the writer overwrote is taken as it was written: the next line means the new one.
    """
    here, *before = reversed(program.statements[: place + 1])
    gathered = built(program, setting)
    wanted, kept = {name}, [here]
    if name in gathered:
        wanted, kept = {name}, []
        before = [here, *before]
    else:
        wanted = set(nodes.names(here))
    wanted = _reached(before, wanted, name, setting, gathered)
    for statement in before:
        part = restricted(statement, wanted)
        if part is not None:
            kept.append(part)
    return Program(tuple(reversed(kept)))


def accounted(program: Program, lines: Sequence[Line]) -> tuple[int, list[Assign]]:
    """How many lines are helpers of judged ones, and the lines that belong to none."""
    part_of = {id(assign) for line in lines for each in line.program.statements for assign in assigns(each)}
    judged = {(line.target, line.number) for line in lines}
    everything = [assign for statement in program.statements for assign in assigns(statement)]
    left = [assign for assign in everything if id(assign) not in part_of]
    helpers = sum((base_name(each), line_number(each)) not in judged for each in everything) - len(left)
    return helpers, left


def _reached(
    before: Sequence[Statement], wanted: set[str], name: str, setting: Setting, gathered: frozenset[str]
) -> set[str]:
    """The names on the way to ``name`` that the writer's statements must give."""
    known = {name} if name in gathered else set()
    found, size = known | _open(wanted, name, setting, gathered), -1
    while size != len(found):
        size = len(found)
        for statement in before:
            part = restricted(statement, found)
            if part is not None:
                found |= _open(set(nodes.names(part)), name, setting, gathered)
    return found


def _open(names: set[str], name: str, setting: Setting, gathered: frozenset[str]) -> set[str]:
    """Those of the names that have no true value of their own here."""
    return {
        each
        for each in names - {name}
        if kind_of(each, setting) is None or (kind_of(each, setting) == STATE and each in gathered)
    }


def kind_of(name: str, setting: Setting) -> str | None:
    """The kind of a target under the name that was written; None for what the setting cannot judge."""
    target = setting.targets.get(setting.aliases.get(name, name))
    return None if target is None else target.kind


def restricted(statement: Statement, wanted: set[str]) -> Statement | None:
    """The part of a statement that assigns the wanted names; None where there is none."""
    if isinstance(statement, Assign):
        return statement if base_name(statement) in wanted else None
    body = tuple(part for each in statement.body if (part := restricted(each, wanted)) is not None)
    return replace(statement, body=body) if body else None


def assigns(statement: Statement) -> Iterator[Assign]:
    """The assignments of a statement, those in loops too."""
    if isinstance(statement, For):
        for inner in statement.body:
            yield from assigns(inner)
    else:
        yield statement


def is_plain(assign: Assign) -> bool:
    """Whether a line gives a name a value, and no entry, and nothing is added."""
    return assign.operator == "=" and isinstance(assign.target, Name)


def base_name(assign: Assign) -> str:
    """The name that a line assigns, or an entry of which it assigns."""
    base = assign.target.base if isinstance(assign.target, nodes.Index) else assign.target
    return base.id if isinstance(base, Name) else ""


def line_number(node: Node) -> int:
    """The line where a node stood."""
    return node.span.line if node.span else 0


class Written(NamedTuple):
    """A derivation in its setting: what each of its lines sees, on true values or, with ``chain``, on its own."""

    program: Program
    probes: Sequence[Probe]
    setting: Setting
    chain: bool

    def environment(self, line: Line, number: int, *, updated: bool = False) -> dict[str, Any]:
        """What a line sees on the probe of that number; with ``updated``, parameters are new once they are updated."""
        setting, probe = self.setting, self.probes[number]
        environment = setting.environment(probe, setting.aliases.get(line.target, line.target))
        own = set(nodes.targets(line.program))
        for name in own:
            symbol = setting.aliases.get(name, name)
            if kind_of(name, setting) == STATE:
                environment[name] = probe.environment[symbol]
            elif name in built(line.program, setting) and kind_of(name, setting) not in STATES:
                environment.pop(name, None)
        if updated:
            for name in self.updates_before(line):
                environment[name] = probe.by_numpy[setting.aliases.get(name, name)]
        if self.chain:
            environment |= self._own_values(line, number, own)
        return environment

    def updates_before(self, line: Line) -> list[str]:
        """The parameters that were updated before a line of the backward pass, with no forward pass in between."""
        if kind_of(line.target, self.setting) not in ("derivative", "gradient"):
            return []
        found: list[str] = []
        for statement in self.program.statements[: line.place]:
            for assign in assigns(statement):
                kind = kind_of(base_name(assign), self.setting)
                if kind == "update":
                    found.append(base_name(assign))
                elif kind == "forward":
                    found = []
        return [name for name in found if name in nodes.names(line.program)]

    def _own_values(self, line: Line, number: int, own: set[str]) -> dict[str, Any]:
        """The values that the writer's lines before this one give to what the setting can judge."""
        environment = dict(self.probes[number].environment)
        values: dict[str, Any] = {}
        for statement in self.program.statements[: line.place]:
            try:
                assigned = run(statement, environment)
            except EvaluationError:
                continue
            environment |= assigned
            values |= {name: value for name, value in assigned.items() if name not in own}
        return values
