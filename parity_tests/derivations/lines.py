"""The lines of a derivation that can be judged: each with the statements that compute it, and with what it sees."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from parity_tests.derivations.data_flow import follows_from, reads
from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.budget import Budget
from parity_tests.derivations.language.errors import EvaluationError
from parity_tests.derivations.language.evaluate import run
from parity_tests.derivations.language.nodes import Assign, For, Name, Node, Program, Statement
from parity_tests.derivations.settings import Probe, Setting
from parity_tests.derivations.settings.setting import STATE, STATES, Values


class Line(NamedTuple):
    """A judged quantity: the statements that compute it, the line that assigns it last, and that line's statement.

    ``places`` are those of the statements in the derivation, which may be parts of its own.
    """

    target: str
    program: Program
    number: int
    place: int
    places: tuple[int, ...]


def judged_lines(program: Program, setting: Setting, l2: bool = False) -> Iterator[Line]:
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
        places, statements = zip(*needed(program, name, place, setting, gathered, l2), strict=True)
        yield Line(name, Program(statements), number, place, places)


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


def needed(
    program: Program, name: str, place: int, setting: Setting, gathered: frozenset[str], l2: bool = False
) -> list[tuple[int, Statement]]:
    """The statements up to ``place`` that make ``name`` what it is, each with its place; ``gathered`` are built up.

    What else the setting can judge is taken at its true value, so that no mistake spoils another line. Taken as they
    were written are a state of an optimiser that the writer overwrote, for the next line means the new one, and what
    follows from ``name`` alone: its true value would be no evidence.
    """
    before = list(enumerate(program.statements[: place + 1]))[::-1]
    own = {name} if name in gathered else set()
    kept = [] if own else [before.pop(0)]
    wanted = own or set(nodes.names(kept[0][1]))
    after = follows_from(setting, setting.aliases.get(name, name), l2)
    opened = partial(_open, name=name, setting=setting, gathered=gathered, after=after)
    found, size = own | opened(wanted), -1
    while size != len(found):
        size = len(found)
        for _, statement in before:
            part = restricted(statement, found)
            if part is not None:
                found |= opened(set(nodes.names(part)))
    kept += [(number, part) for number, each in before if (part := restricted(each, found)) is not None]
    return kept[::-1]


def accounted(program: Program, lines: Sequence[Line]) -> tuple[int, list[Assign]]:
    """How many lines are helpers of judged ones, and the lines that belong to none."""
    part_of = {id(assign) for line in lines for each in line.program.statements for assign in assigns(each)}
    judged = {(line.target, line.number) for line in lines}
    everything = [assign for statement in program.statements for assign in assigns(statement)]
    left = [assign for assign in everything if id(assign) not in part_of]
    helpers = sum((base_name(each), line_number(each)) not in judged for each in everything) - len(left)
    return helpers, left


def _open(names: set[str], name: str, setting: Setting, gathered: frozenset[str], after: frozenset[str]) -> set[str]:
    """Those of the names that have no true value of their own here."""
    return {
        each
        for each in names - {name}
        if kind_of(each, setting) is None
        or (kind_of(each, setting) == STATE and each in gathered)
        or setting.aliases.get(each, each) in after
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


def row_of(derivation: str, number: int) -> str:
    """The line of that number, as it was written."""
    rows = derivation.splitlines()
    return rows[number - 1].strip() if 0 < number <= len(rows) else ""


class Written(NamedTuple):
    """A derivation in its setting: what each of its lines sees, on true values or, with ``chain``, on its own."""

    program: Program
    probes: Sequence[Probe]
    setting: Setting
    chain: bool

    def meant(self, line: Line, number: int) -> Values:
        """What a line sees on the probe of that number in the order that is meant: states are new where it needs them
        new, parameters old.
        """
        own = nodes.targets(line.program)
        return self._true(line, number) | (self._own_values(line.place, number, own) if self.chain else {})

    def _true(self, line: Line, number: int) -> Values:
        """The true values, but for what the line's program builds up itself."""
        setting, probe = self.setting, self.probes[number]
        environment = setting.environment(probe, setting.aliases.get(line.target, line.target))
        own = nodes.targets(line.program)
        for name in own:
            symbol = setting.aliases.get(name, name)
            if kind_of(name, setting) == STATE:
                environment[name] = probe.environment[symbol]
            elif name in built(line.program, setting) and kind_of(name, setting) not in STATES:
                environment.pop(name, None)
        return environment

    def as_it_stands(self, line: Line, number: int) -> list[Values]:
        """What each statement of a line's program sees where it stands: what was updated before it is new."""
        probe, own = self.probes[number], nodes.targets(line.program)
        true, found = self._true(line, number), []
        for place in line.places:
            new, old = self.moved(line, place)
            environment = dict(true)
            for name in environment.keys() - set(own):
                symbol = self.setting.aliases.get(name, name)
                if symbol in new:
                    environment[name] = probe.by_numpy[symbol]
                elif symbol in old:
                    environment[name] = probe.environment[symbol]
            if self.chain:
                environment |= self._own_values(place, number, own)
            found.append(environment)
        return found

    def moved(self, line: Line, place: int) -> tuple[dict[str, int], dict[str, int]]:
        """The symbols that are new at a place of a line's program, and those that it needs new and that are still old,
        each with the statement that updates it.
        """
        target = self.setting.targets[self.setting.aliases.get(line.target, line.target)]
        first: dict[str, int] = {}
        for here, name in self._assigned():
            first.setdefault(self.setting.aliases.get(name, name), here)
        new = {each: here for each, here in first.items() if here < place and kind_of(each, self.setting) == STATE}
        old = {each: first[each] for each in target.after if first.get(each, -1) >= place}
        if target.kind in ("derivative", "gradient"):
            new |= self._updated(place)
        return new, old

    def _assigned(self) -> list[tuple[int, str]]:
        """The names that the derivation assigns, one after another, with their statements."""
        each = enumerate(self.program.statements)
        return [(place, base_name(assign)) for place, statement in each for assign in assigns(statement)]

    def _updated(self, place: int) -> dict[str, int]:
        """The parameters that were updated before a place, with no forward pass in between."""
        found: dict[str, int] = {}
        for here, name in self._assigned():
            if here >= place:
                break
            if kind_of(name, self.setting) == "update":
                found.setdefault(self.setting.aliases.get(name, name), here)
            elif kind_of(name, self.setting) == "forward":
                found = {}
        return found

    def second_step(self, line: Line) -> int | None:
        """The statement that updated a parameter or a state already, where a line goes on from there; else None."""
        symbol = self.setting.aliases.get(line.target, line.target)
        for place, statement in zip(line.places, line.program.statements, strict=True):
            new, _ = self.moved(line, place)
            there = {**new, **self._updated(place)}.get(symbol)
            if there is not None and symbol in {self.setting.aliases.get(name, name) for name in reads([statement])}:
                return there
        return None

    def out_of_order(self, line: Line) -> tuple[dict[str, int], dict[str, int]]:
        """What a line's program reads too early, still old, and what too late, already new, with the updates."""
        early: dict[str, int] = {}
        late: dict[str, int] = {}
        for place, statement in zip(line.places, line.program.statements, strict=True):
            new, old = self.moved(line, place)
            read = {self.setting.aliases.get(name, name) for name in reads([statement])}
            early |= {name: there for name, there in old.items() if name in read}
            late |= {
                name: there for name, there in new.items() if name in read and kind_of(name, self.setting) != STATE
            }
        return early, late

    def read_too_early(self, line: Line) -> dict[str, int]:
        """What a line's program reads before the derivation assigns it, with the statement that assigns it first.

        States and parameters are not among them: they have an old value. The forward pass of the next step, behind an
        update, gives its values to what comes behind it. Where nothing is updated or built up, lines are equations, and
        may stand in any order.
        """
        if not self._is_a_program():
            return {}
        first: dict[str, int] = {}
        for place, name in self._assigned():
            first.setdefault(name, place)
        updates = [place for place, name in self._assigned() if kind_of(name, self.setting) == "update"]
        found = {}
        for place, statement in zip(line.places, line.program.statements, strict=True):
            for name in reads([statement]):
                kind, there = kind_of(name, self.setting), first.get(name, -1)
                next_step = kind == "forward" and any(place <= each < there for each in updates)
                if kind is not None and kind not in STATES and there > place and not next_step:
                    found[name] = there
        return found

    def _is_a_program(self) -> bool:
        """Whether the derivation has steps, which follow one another: an update, a loop, or what is built up."""
        return any(
            isinstance(statement, For)
            or not is_plain(statement)
            or kind_of(base_name(statement), self.setting) in STATES
            for statement in self.program.statements
        )

    def _own_values(self, place: int, number: int, own: Collection[str]) -> Values:
        """The values that the writer's lines before a place give to what the setting can judge."""
        environment = dict(self.probes[number].environment)
        values: Values = {}
        for statement in self.program.statements[:place]:
            try:
                assigned = run(statement, environment)
            except EvaluationError:
                continue
            environment |= assigned
            values |= {name: value for name, value in assigned.items() if name not in own}
        return values


def carried_out(line: Line, environments: Sequence[Values]) -> Any:
    """The value of a line, each statement of its program in an environment of its own.

    None where no statement that assigns it is reached. Raises EvaluationError as ``run`` does.
    """
    values: Values = {}
    budget = Budget()
    for statement, environment in zip(line.program.statements, environments, strict=True):
        values |= run(statement, environment | values, budget=budget)
    return values.get(line.target)
