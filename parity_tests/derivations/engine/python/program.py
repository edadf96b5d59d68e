"""A Python file as a program that can be run again: on any kind of numbers, with anything put behind any place of it.

It is run once to find out what it begins with: its *leaves* (arrays that depend on nothing before), and the *steps*
that its parameters take. Where a parameter has taken a step, its new value is a leaf again: a cost that is computed
behind it is not differentiated through training. A round ends with the last step before a parameter takes its second.
"""

from __future__ import annotations

import ast
import copy
import re
import types
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.events import GIVEN, NAMED, PART, Event, Key, Run
from parity_tests.derivations.engine.numbers.kinds import PLAIN, TAPE, Kind, of_torch, put
from parity_tests.derivations.engine.numbers.step import Step, real
from parity_tests.derivations.engine.numbers.tape import Tape
from parity_tests.derivations.engine.probes import Probe
from parity_tests.derivations.engine.python.exchanged import with_capture, with_formula, with_statements
from parity_tests.derivations.engine.python.execution import FILE, execute, value_behind
from parity_tests.derivations.engine.python.instrument import Site, instrumented, sites_of
from parity_tests.derivations.engine.python.leaves import Begun, Finder
from parity_tests.derivations.engine.python.matrices import as_arrays, uses_matrices
from parity_tests.derivations.engine.python.plain_names import in_plain_names
from parity_tests.derivations.engine.python.recorder import Before, Hook, Recorder
from parity_tests.derivations.engine.python.said_cost import with_cost
from parity_tests.derivations.engine.python.source import lines_of, parsed, shared, source
from parity_tests.derivations.engine.python.spelling import spelled, unparsed
from parity_tests.derivations.engine.python.statements import filled, stepped
from parity_tests.derivations.engine.python.surroundings import Around
from parity_tests.derivations.engine.replay import Round, Spelled
from parity_tests.derivations.engine.roles import Roles
from parity_tests.derivations.verdicts import CALL

STATES = re.compile(
    r"^(v|s|m|u|vel\w*|mom\w*|cache\w*|acc\w*|avg\w*|sq\w*|h|prev\w*|v_?d\w*|s_?d\w*|m_?d\w*)\d*$", re.I
)
"""Names of an optimiser's states."""


AHEAD = 1e-5
"""How large a velocity is that a gradient is taken ahead by: small beside the step that follows."""

MOST_SPREAD = 5.0
"""How far sums over an axis of a drawn matrix may lie from 0 before units behind it saturate."""


class Instrumented(NamedTuple):
    """A program's code and its sites by their numbers."""

    code: types.CodeType
    sites: dict[int, Site]


class PythonProgram:
    """A file, and what it is called with, ready to run; its places have the same keys in every run.

    ``around`` are the variables and functions that it finds there. With a call, what the file would run by itself is
    left out. ``cost`` is a formula in the program's own names. With ``in_torch`` it is torch's tensors that are looked
    at, and NumPy's arrays are data.
    """

    def __init__(
        self,
        text: str,
        call: str = "",
        seed: int = 0,
        around: Around | None = None,
        *,
        cost: str = "",
        in_torch: bool = False,
    ) -> None:
        self.text, self.call, self.seed, self.around, self.in_torch = text, call, seed, around, in_torch
        self.rows = tuple(text.splitlines())
        if around is None and not cost and (in_torch or not uses_matrices(text)):
            found = shared(text, called=bool(call), in_torch=in_torch).called(call)
        else:
            found = source(self._tree(cost))
        self.tree, self.pieces = found.tree, found.pieces
        self.codes: dict[bool, Instrumented] = {}
        self._code(light=False)
        self.stepped = stepped(found.nodes)
        self.capturing: dict[tuple[int, bool], types.CodeType] = {}
        """The code that hands the names on where a statement stands, by the statement's number."""
        self.moved: dict[Key, Any] = {}
        self.window: tuple[Key | None, Key | None] = (None, None)
        self.until: Key | None = None
        self.problem = ""
        self.lines: set[int] = set()
        """The lines that were reached."""
        self.ended = 0
        """The line outside of functions where the last run ended early, 0 where none did."""
        self.absent: tuple[str, ...] = ()
        """The files in whose place numbers were drawn in the last run."""
        self.truncated = False
        """Whether the run ended before a round did: what is built up may be incomplete."""
        self.begun = Begun()

    def _tree(self, cost: str) -> ast.Module:
        """A tree that no other program has: with what is around it, its matrices as arrays, or a cost put in."""
        tree = parsed(self.text, called=bool(self.call) and self.around is None, in_torch=self.in_torch)
        if self.around is not None:
            tree.body = self.around.ordered(tree.body)
        tree.body += lines_of(self.call).body
        if not self.in_torch and uses_matrices(self.text):
            tree = as_arrays(tree, self._as_it_is)
        if cost:
            with_cost(tree, cost)
        return tree

    # ---- what the engine asks for
    def line(self, number: int) -> str:
        """The line as it was written."""
        if number > CALL:
            rows = self.call.splitlines()
            return rows[number - CALL - 1].strip() if number - CALL <= len(rows) else ""
        return self.rows[number - 1].strip() if 0 < number <= len(self.rows) else ""

    def run(
        self,
        given: Mapping[str, Any],
        kind: Kind = PLAIN,
        hook: Hook | None = None,
        until: Key | None = None,
        keep: bool = True,
        capture: tuple[ast.AST, Collection[int]] | None = None,
    ) -> Run:
        """The program from its beginning; ``captured`` are the names each time that a node is reached."""
        light = kind is PLAIN and hook is not None and not self.in_torch
        (code, sites), capturing = self._code(light), None
        if capture is not None:
            node, occurrences = capture
            number: int = node.number  # type: ignore[attr-defined]
            capturing = (number, occurrences)
            if isinstance(node, ast.stmt):
                if (number, light) not in self.capturing:
                    self.capturing[number, light] = self._compiled(with_capture(self.tree, node), light).code
                code = self.capturing[number, light]
        last = self.until if until is None else until
        kind = self._kind(kind)
        before, places = self._before(kind), self.moved.keys() | self.begun.steps.keys()
        recorder = Recorder(sites, kind, hook, last, keep, before, self.stepped, capturing, places)
        problem = self._execute(code, recorder, kind)
        leaves = self.begun.leaves
        self.lines |= recorder.lines
        recorder.over = True
        events = tuple(each._replace(role=GIVEN) if each.key in leaves else each for each in recorder.events)
        return Run(events, ((0, problem),) if problem else (), recorder.captured)

    def execute(self, statements: Sequence[ast.stmt], names: Mapping[str, Any], target: str) -> Any:
        """What ``target`` is after some statements, None where one of them fails; what ``names`` holds stays."""
        return value_behind(statements, names, target)

    repeats = True

    def round_of(self, forward: Collection[Key]) -> Round:
        """The first round where the first values of the parameters lead to the cost, else the second."""
        rounds = self.begun.rounds
        if not rounds:
            return Round()
        firsts = set(self.begun.steps.values()) - self.begun.steps.keys()
        return Round(None, rounds[0]) if firsts & set(forward) else Round(rounds[0], rounds[-1])

    def editable(
        self, statement: ast.stmt, names: Mapping[str, Any], target: str
    ) -> tuple[ast.stmt, str, Mapping[str, Any]]:
        """The statement with ``self.W1`` and ``grads["W1"]`` as plain names, as far as they hold arrays or numbers."""
        return in_plain_names(self.tree, statement, names)

    def replaced(self, statement: ast.stmt, new: Sequence[ast.stmt]) -> PythonProgram | None:
        """The program with other statements in place of one; its places keep their keys."""
        return self._changed(with_statements(self.tree, statement, new))

    def rewritten(self, node: ast.expr, new: ast.expr) -> PythonProgram | None:
        """The program with another formula in place of one; its places keep their keys."""
        return self._changed(with_formula(self.tree, node, new))

    def spelled(self, old: ast.stmt | ast.expr, new: Sequence[ast.AST], line: int) -> Spelled | None:
        """The lines of a statement or formula with others in its place, as the file has them."""
        try:
            made = [ast.parse(ast.unparse(ast.fix_missing_locations(each))).body[0] for each in new]
        except SyntaxError:
            return None
        first: ast.AST = made[0].value if isinstance(old, ast.expr) and isinstance(made[0], ast.Expr) else made[0]
        found = spelled(self.rows, old, first, line if len(new) == 1 else 0)
        if found is None:
            return None
        return found._replace(text="\n".join([found.text, *(unparsed(each, self.rows) for each in made[1:])]))

    def _changed(self, tree: ast.Module | None) -> PythonProgram | None:
        if tree is None:
            return None
        changed = copy.copy(self)
        changed.tree = tree
        changed.codes, changed.capturing = {}, {}
        changed._code(light=True)
        return changed

    def _code(self, light: bool) -> Instrumented:
        """The instrumented program; without parts of formulas where nothing is ever put in their place."""
        if light not in self.codes:
            self.codes[light] = self._compiled(self.tree, light)
        return self.codes[light]

    def _compiled(self, tree: ast.Module, light: bool = False) -> Instrumented:
        new, pieces = instrumented(tree, self.pieces[light], parts=not light)
        if not self.pieces[light]:
            self.pieces[light].update(pieces)
        return Instrumented(compile(new, FILE, "exec"), sites_of(tree, pieces))

    # ---- running
    def _as_it_is(self, code: Any, functions: Mapping[str, Any]) -> None:
        """Run code on NumPy's own arrays and matrices."""
        execute(code, functions, Kind("as it is", lambda value: value), self.seed, self.around, called=bool(self.call))

    def _kind(self, kind: Kind) -> Kind:
        return Kind(kind.name, of_torch) if self.in_torch else kind

    def _execute(self, code: Any, recorder: Recorder, kind: Kind) -> str:
        """Run the code; the sentence of what ended it early, "" for nothing."""
        found = execute(
            code, recorder.functions(), kind, self.seed, self.around, called=bool(self.call), text=self.text
        )
        self.absent = found.absent
        if found.problem:
            self.ended = found.line
        return found.problem

    def _before(self, kind: Kind) -> Before:
        """Values that are moved, and steps that begin anew."""
        moved, steps = self.moved, self.begun.steps

        def before(key: Key, event: Event, value: Any) -> Any:
            if key in moved:
                return put(value, kind.make(np.array(moved[key])))
            if key in steps:
                if isinstance(value, Tape):
                    value.before = value.tensor
                    value.tensor = value.tensor.detach()
                elif isinstance(value, Step):
                    value[...] = real(value)
            return value

        return before

    # ---- what it begins with
    def begin(self, states: frozenset[int] = frozenset()) -> Sequence[Event]:
        """Run it once, on tensors, and find its leaves, its steps and its rounds: the events of that run.

        Once more where a value that seemed to be a parameter is a state: what is added to one.
        """
        self.begun = Begun()
        finder = Finder(states)
        kind = self._kind(TAPE)
        code, sites = self._code(light=False)
        recorder = Recorder(sites, kind, None, None, True, finder.before, self.stepped)
        problem = self._execute(code, recorder, kind)
        if finder.states > states:
            return self.begin(frozenset(finder.states))
        self.begun = Begun(
            finder.leaves, finder.steps, tuple(finder.rounds), frozenset(finder.shrinking), frozenset(finder.computed),
            problem, frozenset(finder.velocities),
        )  # fmt: skip
        if finder.rounds:
            self.until = finder.rounds[-1]
        self.truncated = recorder.truncated and not finder.rounds
        self.problem = problem
        return recorder.events

    def move(self, run: Run, size: float = 1.0) -> None:
        """Put generic values in place of the first values of its parameters: zeros and ones hide mistakes."""
        firsts = set(self.begun.steps.values()) - self.begun.steps.keys()
        leaves = [event for event in run.events if event.key in self.begun.leaves]
        constant = [event for event in leaves if self._is_constant(event)]
        known = set() if firsts else {event.name for event in constant}  # beside parameters they may be states
        meant = {base for event in run.events for base in symbols.meant_by(event.name, known)}
        firsts |= {event.key for event in constant if event.name in meant or not event.line}
        firsts |= {event.key for event in leaves if _saturates(event)}
        draws = np.random.default_rng([31, self.seed])
        for event in run.events:
            if event.key not in firsts or event.missing:
                continue
            if not np.any(event.value) and STATES.match(symbols.base_of(event.name)):
                continue
            shape = event.shape
            scale = 0.9 / np.sqrt(max(shape)) if len(shape) > 1 and min(shape) > 1 else 0.4
            self.moved[event.key] = size * scale * draws.standard_normal(shape)
        for event in run.events:
            if event.key in self.begun.velocities and not np.any(event.value):  # W + mu * v is not W then
                self.moved[event.key] = AHEAD * draws.standard_normal(event.shape)

    def _is_constant(self, event: Event) -> bool:
        """Whether a value is likely to be a parameter that is not trained yet: zeros of a bias, ones of a scale."""
        name = symbols.base_of(event.name)
        if event.missing or np.size(event.value) < 2 or np.ptp(event.value):
            return False
        return not (symbols.is_data(name) or symbols.is_label(name) or (not event.line and name in filled(self.tree)))

    def probe(self, run: Run) -> Probe:
        """What the engine knows of the values that the program begins with."""
        leaves = self.begun.leaves
        given = {event.name: event.value for event in run.events if event.key in leaves and event.name}
        places = {event.key: event.name for event in run.events if event.key in leaves and event.name}
        pairs = {name for name in given if name.endswith("]") and symbols.is_data(name.partition("[")[0])}
        others = {
            (event.shape, event.value.tobytes())
            for event in run.events
            if event.name in given and not event.missing and not symbols.is_label(symbols.base_of(event.name))
            if event.name not in pairs
        }
        labels: dict[str, Any] = {}
        for event in run.events:
            if event.role == PART or event.missing or event.key in self.begun.computed:
                continue
            same = (event.shape, event.value.tobytes()) in others  # an argument with the name of labels
            if symbols.is_label(symbols.base_of(event.name)) and not same:
                labels.setdefault(event.name, event.value)
        arrays = {name: value for name, value in labels.items() if np.ndim(value)}
        for name, value in (arrays or labels).items():  # numbers where examples come one by one
            given.setdefault(name, value)
        steps = {new: old for new, old in self.begun.steps.items() if new not in self.begun.shrinking}
        states = frozenset(places[each] for each in self.begun.velocities if each in places)
        return Probe(given, {}, batch_of(run), places, steps, Roles(states=states))


def one_sided(run: Run) -> int:
    """How many masks have entries of one kind, and hinges are above 0 everywhere: mistakes hide there."""
    found = 0
    for event in run.events:
        if event.missing or np.size(event.value) < 2:
            continue
        value = getattr(event.statement, "value", None)
        if event.role == NAMED and isinstance(value, ast.Compare):
            found += bool(np.ptp(event.value) == 0)
        elif isinstance(event.node, ast.Call) and ast.unparse(event.node.func).endswith(".maximum"):
            found += bool(np.all(event.value > 0))
    return found


def _saturates(event: Event) -> bool:
    """Whether a matrix was drawn so large that units behind it are all at their ends: 784 rows of standard numbers."""
    name = symbols.base_of(event.name)
    if event.missing or np.ndim(event.value) != 2 or symbols.is_data(name) or symbols.is_label(name):
        return False
    drawn = np.unique(event.value).size > np.size(event.value) // 2
    return bool(drawn and np.std(event.value) * np.sqrt(max(event.shape)) > MOST_SPREAD)


def batch_of(run: Run) -> int | None:
    """The number of examples: a number that is called so, or else the size that data and labels share."""
    data: list[tuple[int, ...]] = []
    labels: list[tuple[int, ...]] = []
    counts: list[int] = []
    for event in run.events:
        name = symbols.base_of(event.name)
        if event.missing or event.role == "part":
            continue
        whole = np.ndim(event.value) == 0 and event.value > 1 and float(event.value).is_integer()
        if event.role == NAMED and whole and symbols.COUNTS.match(name):
            counts.append(int(event.value))
        if np.ndim(event.value) and symbols.is_label(name):
            labels.append(event.shape)
        elif np.ndim(event.value) > 1 and symbols.is_data(name):
            data.append(event.shape)
    sizes = {size for shape in (*data, *labels) for size in shape}
    for count in counts:
        if count in sizes or not sizes:
            return count
    for shape in data:
        for other in labels:
            shared = [size for size in shape if size in other and size > 1]
            if shared:
                return shared[0]
    return counts[0] if counts else None
