"""A Python file as a program that can be run again: on any kind of numbers, with anything put behind any place of it.

It is run once to find out what it begins with: its *leaves* (arrays that depend on nothing before), and the *steps*
that its parameters take. Where a parameter has taken a step, its new value is a leaf again: a cost that is computed
behind it is not differentiated through training. A round ends with the last step before a parameter takes its second.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import re
import traceback
import types
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from parity_tests.derivations.engine import symbols, words
from parity_tests.derivations.engine.events import ENTRY, GIVEN, NAMED, Event, Key, Run
from parity_tests.derivations.engine.factors import forward_factors
from parity_tests.derivations.engine.numbers.kinds import PLAIN, TAPE, Kind, is_array, is_number, of_torch, put
from parity_tests.derivations.engine.numbers.step import Step, real
from parity_tests.derivations.engine.numbers.tape import Tape
from parity_tests.derivations.engine.numbers.tensor import Tensor
from parity_tests.derivations.engine.places import numbered
from parity_tests.derivations.engine.probes import Probe
from parity_tests.derivations.engine.python.instrument import FUNCTIONS, instrumented
from parity_tests.derivations.engine.python.modules import Modules, Silent, floated, product
from parity_tests.derivations.engine.python.recorder import Before, Halted, Hook, Recorder
from parity_tests.derivations.engine.python.said_cost import with_cost
from parity_tests.derivations.engine.python.spelling import spelled
from parity_tests.derivations.engine.python.surroundings import Around
from parity_tests.derivations.engine.python.torch_source import float64, ready
from parity_tests.derivations.engine.replay import Round, Spelled
from parity_tests.derivations.verdicts import CALL

FILE = "<the file>"
ROUNDS = 2
IN_NOTEBOOKS: dict[str, Any] = {"display": lambda *_, **__: None, "get_ipython": lambda: Silent("IPython")}
"""What IPython adds to the names of Python."""

MOST_BESIDE = 60
"""How many formulas of a function are tried in place of others."""

STATES = re.compile(
    r"^(v|s|m|u|vel\w*|mom\w*|cache\w*|acc\w*|avg\w*|sq\w*|h|prev\w*|v_?d\w*|s_?d\w*|m_?d\w*)\d*$", re.I
)
"""Names of an optimiser's states."""


SAME_VALUES = frozenset(
    (
        "ViewBackward0", "CloneBackward0", "UnsafeViewBackward0", "ReshapeAliasBackward0", "ToCopyBackward0",
        "ExpandBackward0",
    )
)  # fmt: skip
"""What autograd calls operations that leave all values as they are."""


class Begun(NamedTuple):
    """What a program begins with.

    ``leaves`` by their places; ``steps``: the place where a parameter takes a step, and that of its old value;
    ``rounds``: the places where a round ends; ``shrinking``: the steps that scale the old value as well;
    ``problem``: why the program ended before its end.
    """

    leaves: dict[Key, str]
    steps: dict[Key, Key]
    rounds: tuple[Key, ...]
    shrinking: frozenset[Key]
    problem: str


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
        tree = ast.parse(text)
        if in_torch:
            tree = ready(tree)
        if around is not None:
            tree.body = around.ordered(tree.body)
        elif call:
            tree.body = [node for node in tree.body if not runs_by_itself(node, tree)]
        behind = ast.parse(call)
        for node in ast.walk(behind):
            if hasattr(node, "lineno"):
                node.lineno += CALL
                node.end_lineno += CALL  # type: ignore[attr-defined]
        tree.body += behind.body
        if cost:
            with_cost(tree, cost)
        self.tree = numbered(tree)
        new, self.sites = instrumented(self.tree)
        self.code = compile(new, FILE, "exec")
        self.stepped = _stepped(self.tree)
        self.filled = _filled(self.tree)
        self.moved: dict[Key, Any] = {}
        self.window: tuple[Key | None, Key | None] = (None, None)
        self.until: Key | None = None
        self.problem = ""
        self.ended = 0
        """The line outside of functions where the last run ended early, 0 where none did."""
        self.truncated = False
        """Whether the run ended before a round did: what is built up may be incomplete."""
        self.begun = Begun({}, {}, (), frozenset(), "")

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
        capture: tuple[ast.AST, int] | None = None,
    ) -> Run:
        """The program from its beginning; ``captured`` are the names where a node is reached for the n-th time."""
        statement = capture is not None and isinstance(capture[0], ast.stmt)
        code = self._capturing(*capture) if capture is not None and statement else self.code
        capturing = None if capture is None or statement else (capture[0].number, capture[1])  # type: ignore[attr-defined]
        last = self.until if until is None else until
        kind = self._kind(kind)
        recorder = Recorder(self.sites, kind, hook, last, keep, self._before(kind), self.stepped, capturing)
        problem = self._execute(code, recorder, kind)
        leaves = self.begun.leaves
        recorder.over = True
        events = tuple(each._replace(role=GIVEN) if each.key in leaves else each for each in recorder.events)
        return Run(events, ((0, problem),) if problem else (), recorder.captured)

    def execute(self, statements: Sequence[ast.stmt], names: Mapping[str, Any], target: str) -> Any:
        """What ``target`` is after some statements, None where one of them fails; what ``names`` holds stays."""
        space = {**names}
        if is_array(space.get(target)):
            space[target] = space[target].copy()
        module = ast.Module([ast.fix_missing_locations(each) for each in statements], [])
        try:
            with _quiet():
                exec(compile(module, FILE, "exec"), space)
        except Exception:
            return None
        value = space.get(target)
        return value if is_number(value) else None

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
        flat = {name: value for name, value in names.items() if not name.startswith("__")}
        for name, value in list(flat.items()):
            flat |= _entries(name, value)
        for text in self._said_beside(statement):
            value = _value_of(ast.parse(text, mode="eval").body, flat) if text not in flat else None
            if is_array(value):
                flat[text] = value
        flattener = _Flattener(flat)
        new = flattener.visit(copy.deepcopy(statement))
        place = _target(new)
        while isinstance(place, ast.Subscript):
            place = place.value
        return ast.fix_missing_locations(new), ast.unparse(place), flat

    def _said_beside(self, statement: ast.stmt) -> list[str]:
        """What stands beside a statement in its function: entries of lists, and what values are multiplied by.

        An index may be off by one: its neighbours are there as well.
        """
        around: ast.AST = self.tree
        for node in ast.walk(self.tree):
            if isinstance(node, FUNCTIONS[:2]) and node.lineno <= statement.lineno <= (node.end_lineno or 0):
                around = node
        found: dict[str, None] = {}
        for node in ast.walk(around):
            if isinstance(node, ast.Subscript) and not any(
                isinstance(each, ast.Slice) for each in ast.walk(node.slice)
            ):
                found[ast.unparse(_as_read(node))] = None
        for node in ast.walk(statement):
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name | ast.BinOp | ast.UnaryOp):
                where = ast.unparse(node.slice)
                for moved in (f"{where} - 1", f"{where} + 1"):
                    found[f"{ast.unparse(_as_read(node.value))}[{_simple(moved)}]"] = None
        for text in forward_factors(self.tree):
            found[text] = None
        return list(found)[:MOST_BESIDE]

    def replaced(self, statement: ast.stmt, new: Sequence[ast.stmt]) -> PythonProgram | None:
        """The program with other statements in place of one; its places keep their keys."""
        number: int = statement.number  # type: ignore[attr-defined]
        tree = copy.deepcopy(self.tree)
        try:
            body = ast.parse("\n".join(ast.unparse(each) for each in new)).body
        except SyntaxError:
            return None
        fresh = max(getattr(node, "number", 0) for node in ast.walk(tree)) + 1
        for place, node in enumerate(each for part in body for each in ast.walk(part)):
            node.number = fresh + place  # type: ignore[attr-defined]
            if hasattr(node, "lineno"):
                node.lineno = node.end_lineno = statement.lineno  # type: ignore[attr-defined]
        old, first = _target(statement), _target(body[0])
        for before, after in zip(ast.walk(old), ast.walk(first), strict=False):
            after.number = getattr(before, "number", 0)  # type: ignore[attr-defined]
        body[0].number = number  # type: ignore[attr-defined]
        for node in ast.walk(tree):
            for field in ("body", "orelse", "finalbody"):
                block = getattr(node, field, None)
                if isinstance(block, list):
                    places = [i for i, each in enumerate(block) if getattr(each, "number", None) == number]
                    for each in places:
                        block[each : each + 1] = body
        return self._changed(tree)

    def rewritten(self, node: ast.expr, new: ast.expr) -> PythonProgram | None:
        """The program with another formula in place of one; its places keep their keys."""
        number: int = node.number  # type: ignore[attr-defined]
        tree = copy.deepcopy(self.tree)
        try:
            formula = ast.parse(ast.unparse(ast.fix_missing_locations(new)), mode="eval").body
        except SyntaxError:
            return None
        fresh = max(getattr(each, "number", 0) for each in ast.walk(tree)) + 1
        for place, each in enumerate(ast.walk(formula)):
            each.number = fresh + place  # type: ignore[attr-defined]
            if hasattr(each, "lineno"):
                each.lineno = each.end_lineno = node.lineno  # type: ignore[attr-defined]
        formula.number = number  # type: ignore[attr-defined]
        return self._changed(_Exchanged(number, formula).visit(tree))

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
        return found._replace(text="\n".join([found.text, *map(ast.unparse, made[1:])]))

    def _changed(self, tree: ast.Module) -> PythonProgram:
        changed = copy.copy(self)
        changed.tree = tree
        code, changed.sites = instrumented(tree)
        changed.code = compile(code, FILE, "exec")
        return changed

    # ---- running
    def _kind(self, kind: Kind) -> Kind:
        return Kind(kind.name, of_torch) if self.in_torch else kind

    def _execute(self, code: Any, recorder: Recorder, kind: Kind) -> str:
        """Run the code; the sentence of what ended it early, "" for nothing."""
        modules = Modules(kind, self.seed)
        modules.start()
        Tensor.wanting.clear()
        space: dict[str, Any] = {
            "__name__": "__main__",
            "__file__": FILE,
            "__builtins__": {**vars(_builtins()), "__import__": modules.load, "input": _no_input, **IN_NOTEBOOKS},
            "__float__": floated,
            "__dot__": product,
            "__seed__": modules.moved,
            **recorder.functions(),
        }
        if self.call:
            space["np"] = modules.numpy
        if self.around is not None:
            self.around.enter(space, kind, modules)
        try:
            with _quiet(), float64():
                exec(code, space)
        except Halted:
            return ""
        except SystemExit:
            return ""
        except Exception as error:
            return self._sentence(error)
        return ""

    def _sentence(self, error: BaseException) -> str:
        lines = [frame.lineno or 0 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILE]
        own = [line for line in lines if line <= CALL]
        self.ended = lines[0] if lines else 0
        place = f" in line {own[-1]}" if own else ""
        words = str(error).splitlines()
        return f"{type(error).__name__}{place}: {words[0] if words else ''}"[:300]

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

    def _capturing(self, statement: ast.AST, occurrence: int) -> Any:
        tree = copy.deepcopy(self.tree)
        number: int = statement.number  # type: ignore[attr-defined]
        ahead = ast.parse(f"__before__({number}, {occurrence})").body[0]
        for each in ast.walk(ahead):
            each.number = -1  # type: ignore[attr-defined]
        for node in ast.walk(tree):
            for field in ("body", "orelse", "finalbody"):
                block = getattr(node, field, None)
                if isinstance(block, list):
                    place = next((i for i, each in enumerate(block) if getattr(each, "number", None) == number), None)
                    if place is not None:
                        block.insert(place, ahead)
        new, _ = instrumented(tree)
        return compile(new, FILE, "exec")

    # ---- what it begins with
    def begin(self) -> Sequence[Event]:
        """Run it once, on tensors, and find its leaves, its steps and its rounds: the events of that run."""
        self.begun = Begun({}, {}, (), frozenset(), "")
        finder = _Finder()
        kind = self._kind(TAPE)
        recorder = Recorder(self.sites, kind, None, None, True, finder.before, self.stepped)
        problem = self._execute(self.code, recorder, kind)
        self.begun = Begun(finder.leaves, finder.steps, tuple(finder.rounds), frozenset(finder.shrinking), problem)
        if finder.rounds:
            self.until = finder.rounds[-1]
        self.truncated = recorder.truncated and not finder.rounds
        self.problem = problem
        return recorder.events

    def move(self, run: Run) -> None:
        """Put generic values in place of the first values of its parameters: zeros and ones hide mistakes."""
        firsts = set(self.begun.steps.values()) - self.begun.steps.keys()
        firsts |= {event.key for event in run.events if event.key in self.begun.leaves and self._is_constant(event)}
        draws = np.random.default_rng([31, self.seed])
        for event in run.events:
            if event.key not in firsts or event.missing:
                continue
            if not np.any(event.value) and STATES.match(symbols.base_of(event.name)):
                continue
            shape = event.shape
            scale = 0.9 / np.sqrt(max(shape)) if len(shape) > 1 and min(shape) > 1 else 0.4
            self.moved[event.key] = scale * draws.standard_normal(shape)

    def _is_constant(self, event: Event) -> bool:
        """Whether a variable from around the program is likely to be a parameter that is not trained yet."""
        name = symbols.base_of(event.name)
        if event.line or event.missing or np.size(event.value) < 2 or np.ptp(event.value):
            return False
        return not (symbols.is_data(name) or symbols.is_label(name) or name in self.filled)

    def probe(self, run: Run) -> Probe:
        """What the engine knows of the values that the program begins with."""
        leaves = self.begun.leaves
        given = {event.name: event.value for event in run.events if event.key in leaves and event.name}
        places = {event.key: event.name for event in run.events if event.key in leaves and event.name}
        for event in run.events:
            if event.role != "part" and np.ndim(event.value) and symbols.is_label(symbols.base_of(event.name)):
                given.setdefault(event.name, event.value)
        steps = {new: old for new, old in self.begun.steps.items() if new not in self.begun.shrinking}
        return Probe(given, {}, batch_of(run), places, steps)


def _simple(text: str) -> str:
    """``l`` for ``l - 1 + 1``, and ``l - 2`` for ``l - 1 - 1``."""
    match = re.fullmatch(r"(.*?) ([+-]) (\d+) ([+-]) 1", text)
    if match is None:
        return text
    number = int(match[2] + match[3]) + int(match[4] + "1")
    return match[1] if number == 0 else f"{match[1]} {'-' if number < 0 else '+'} {abs(number)}"


class _Exchanged(ast.NodeTransformer):
    """The tree with another formula in place of the node of a number."""

    def __init__(self, number: int, new: ast.expr) -> None:
        self.number, self.new = number, new

    def visit(self, node: ast.AST) -> Any:
        return self.new if getattr(node, "number", None) == self.number else self.generic_visit(node)


class _Flattener(ast.NodeTransformer):
    """``self.W1`` and ``cache["A1"]`` as names of what they hold."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._flat(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return self._flat(node)

    def _flat(self, node: ast.Attribute | ast.Subscript) -> ast.AST:
        holder = _value_of(node.value, self.names)
        known = isinstance(node, ast.Attribute) and node.attr in words.ATTRIBUTES | words.METHODS
        if is_array(holder) or holder is None or known or isinstance(holder, types.ModuleType):
            return self.generic_visit(node)
        if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
            return self.generic_visit(node)
        text = ast.unparse(node)
        value = _value_of(node, self.names)
        if isinstance(node.ctx, ast.Load) and not (is_array(value) or isinstance(value, int | float)):
            return self.generic_visit(node)
        if value is not None:
            self.names[text] = value
        return ast.copy_location(ast.Name(text, node.ctx), node)


def _value_of(node: ast.expr, names: dict[str, Any]) -> Any:
    """The value of an expression among some names, None where it has none."""
    try:
        code = compile(ast.fix_missing_locations(ast.Expression(_as_read(node))), FILE, "eval")
        return eval(code, {**names})
    except Exception:
        return None


def _as_read(node: ast.expr) -> ast.expr:
    new = copy.deepcopy(node)
    for each in ast.walk(new):
        if isinstance(getattr(each, "ctx", None), ast.Store):
            each.ctx = ast.Load()  # type: ignore[attr-defined]
    return new


def _entries(name: str, value: Any, depth: int = 0) -> dict[str, Any]:
    """The arrays and numbers in an object or a dict, by the names that a program has for them."""
    if isinstance(value, dict):
        pairs = [(f"{name}[{key!r}]", each) for key, each in value.items() if isinstance(key, str)]
    elif isinstance(value, types.ModuleType | type) or callable(value) or not hasattr(value, "__dict__"):
        return {}
    else:
        pairs = [(f"{name}.{key}", each) for key, each in vars(value).items()]
    found: dict[str, Any] = {}
    for text, each in pairs[:40]:
        if is_array(each) or (isinstance(each, int | float) and not isinstance(each, bool)):
            found[text] = each
        elif depth == 0:
            found |= _entries(text, each, 1)
    return found


class _Finder:
    """Looks on while a program runs on tensors: which values depend on nothing, and which are a parameter's next."""

    def __init__(self) -> None:
        self.leaves: dict[Key, str] = {}
        self.steps: dict[Key, Key] = {}
        self.rounds: list[Key] = []
        self.shrinking: set[Key] = set()
        self.lineage: dict[int, tuple[Any, Key, Key]] = {}  # by the object: itself, the first place, the latest
        self.tensors: dict[int, torch.Tensor] = {}
        self.last: dict[str, Any] = {}
        self.stepped: dict[Key, int] = {}
        self.latest: Key | None = None
        self.begun: list[torch.Tensor] = []

    def before(self, key: Key, event: Event, value: Any) -> Any:
        if event.role == "part" or not isinstance(value, Tape):
            return value
        known = self.lineage.get(id(value))
        old = self.tensors.get(id(value))
        if known is not None and old is value.tensor:
            self.last[event.name] = value
            return value
        if known is None and value.tensor.is_leaf and (isinstance(value, Tensor) or not value.tensor.requires_grad):
            return self._leaf(key, event, value, key) if event.name else value  # what is returned is named behind
        before, shrinks = (value, False) if known is not None else self._old_of(event, value)
        if before is not None and self._is_step(event, before, value, shrinks):
            self.shrinking |= {key} if shrinks else set()
            _, first, latest = self.lineage[id(before)]
            self.steps[key] = latest
            self._count(first, key)
            value.tensor = value.tensor.detach()
            return self._leaf(key, event, value, first, named=False)
        set_to = event.role == ENTRY and not isinstance(event.statement, ast.AugAssign)
        if known is not None and not set_to and self._of_itself(value, old):  # ``W -= rate * decay * W``, ``X /= 255``
            self.leaves = {place: name for place, name in self.leaves.items() if place != known[2]}
            fresh = known[2] not in self.steps
            return self._leaf(key, event, value, key if fresh else known[1], named=fresh)
        if known is not None:
            del self.lineage[id(value)]  # built in place, it is a leaf no more
            self.leaves = {place: name for place, name in self.leaves.items() if place != known[1]}
        self.last[event.name] = value
        return value

    def _of_itself(self, value: Tape, old: torch.Tensor | None) -> bool:
        """Whether an array has changed by what it held alone."""
        if old is None or not value.tensor.requires_grad:
            return False
        others = [tensor for tensor in self.begun if tensor is not old]
        found = torch.autograd.grad(value.tensor.sum(), [old, *others], retain_graph=True, allow_unused=True)
        return found[0] is not None and all(each is None for each in found[1:])

    def _old_of(self, event: Event, new: Tape) -> tuple[Tape | None, bool]:
        """The parameter to which the new value adds a term and whose place it takes, and whether it shrinks as well."""
        for leaf, scaled in _terms(new.tensor.grad_fn):
            for place, (old, _, _) in self.lineage.items():
                if self.tensors[place] is leaf:
                    names = {symbols.base_of(name) for name, value in self.last.items() if value is old}
                    base = symbols.base_of(event.name)
                    if base in names or (not scaled and any(_renewed(base, name) for name in names)):
                        return old, scaled
        return None, False

    def _leaf(self, key: Key, event: Event, value: Tape, first: Key, named: bool = True) -> Tape:
        value.tensor = value.tensor.clone().requires_grad_()
        self.lineage[id(value)] = value, first, key
        self.tensors[id(value)] = value.tensor
        self.begun.append(value.tensor)
        self.last[event.name] = value
        if named:
            self.leaves[key] = event.name
        return value

    def _count(self, first: Key, key: Key) -> None:
        """A round ends where a parameter takes its second step in it."""
        count = self.stepped[first] = self.stepped.get(first, 0) + 1
        if count > len(self.rounds) + 1:
            assert self.latest is not None
            self.rounds.append(self.latest)
            if len(self.rounds) == ROUNDS:
                raise Halted
        self.latest = key

    def _is_step(self, event: Event, old: Tape, new: Tape, shrinks: bool) -> bool:
        """Whether the new value is the old one and a change that depends on it; that of a moving average does not."""
        if symbols.is_data(symbols.base_of(event.name)) or symbols.meant_by(event.name, self.last):
            return False
        leaf = self.tensors[id(old)]
        if leaf.shape != new.tensor.shape or not new.tensor.requires_grad:
            return False
        cotangent = torch.linspace(0.7, 1.3, new.tensor.numel(), dtype=torch.float64).reshape(new.tensor.shape)
        others = [tensor for tensor in self.begun if tensor is not leaf]
        found = torch.autograd.grad(new.tensor, [leaf, *others], cotangent, retain_graph=True, allow_unused=True)
        if found[0] is None or all(each is None for each in found[1:]):
            return False
        if shrinks:
            slopes = found[0] / cotangent
            return bool(torch.any((slopes - slopes.ravel()[0]).abs() > 1e-9))
        return bool(torch.any((found[0] != 0) & (found[0] != cotangent)))


def runs_by_itself(node: ast.stmt, tree: ast.Module) -> bool:
    """Whether a statement outside of functions does something, and defines nothing that a call may need.

    Loops do, the block behind ``if __name__``, and calls but those of imported modules, such as ``np.random.seed``.
    """
    if isinstance(node, ast.If):
        return any(isinstance(each, ast.Name) and each.id == "__name__" for each in ast.walk(node.test))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        root: ast.expr = node.value.func
        while isinstance(root, ast.Attribute):
            root = root.value
        imports = (each for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom))
        modules = {(each.asname or each.name).split(".")[0] for statement in imports for each in statement.names}
        return not (isinstance(root, ast.Name) and root.id in modules)
    return isinstance(node, ast.For | ast.While)


def _target(statement: ast.stmt) -> ast.expr:
    """What an assignment assigns first, or ``np.add.at`` adds to."""
    if isinstance(statement, ast.Expr):
        assert isinstance(statement.value, ast.Call)
        return statement.value.args[0]
    assert isinstance(statement, ast.Assign | ast.AugAssign)
    return statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]


def _terms(node: Any, scaled: bool = False) -> Iterator[tuple[torch.Tensor, bool]]:
    """The leaves that a sum adds as they are, and whether a number scales them: W of ``(1 - c) * W - rate * dW``."""
    if node is None:
        return
    kind, inputs = node.name(), [each for each, _ in node.next_functions]
    if kind == "torch::autograd::AccumulateGrad":
        yield node.variable, scaled
    elif kind in ("AddBackward0", "SubBackward0"):
        for each in inputs if kind == "AddBackward0" else inputs[:1]:
            yield from _terms(each, scaled)
    elif kind in ("MulBackward0", "DivBackward0") and sum(each is not None for each in inputs) == 1 and inputs[0]:
        yield from _terms(inputs[0], True)
    elif kind == "MulBackward0" and sum(each is not None for each in inputs) == 1:
        yield from _terms(inputs[1], True)
    elif kind in SAME_VALUES:
        yield from _terms(inputs[0], scaled)


def _renewed(name: str, old: str) -> bool:
    """Whether a name is that of another's next value: ``W_new`` of ``W``, ``new_W1`` of ``W1``; ``dW`` is not."""
    old = re.escape(old)
    return re.fullmatch(rf"(?:new|next|updated)_?{old}|{old}_?(?:new|next|updated)", name) is not None


def _stepped(tree: ast.AST) -> frozenset[str]:
    """Names of single numbers that a line changes by a term which is no counter's: ``b -= rate * db``."""
    found = set()
    target: ast.expr
    value: ast.expr
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
            target, value = node.target, node.value
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
            target, value = node.targets[0], node.value.right
            if not isinstance(node.value.op, ast.Add | ast.Sub) or ast.unparse(node.value.left) != ast.unparse(target):
                continue
        else:
            continue
        if isinstance(target, ast.Name | ast.Attribute) and isinstance(value, ast.BinOp | ast.Name):
            found.add(ast.unparse(target))
    return frozenset(found)


def _filled(tree: ast.AST) -> frozenset[str]:
    """Symbols of arrays that are written to entry by entry, or added to."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) or (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)):
            place: ast.expr = node.target if isinstance(node, ast.AugAssign) else node
            found.add(symbols.base_of(ast.unparse(place)))
            while isinstance(place, ast.Subscript):
                place = place.value
            found.add(symbols.base_of(ast.unparse(place)))
    return frozenset(found)


def batch_of(run: Run) -> int | None:
    """The number of examples: a number that is called so, or else the size that data and labels share."""
    data: list[tuple[int, ...]] = []
    labels: list[tuple[int, ...]] = []
    for event in run.events:
        name = symbols.base_of(event.name)
        if event.missing or event.role == "part":
            continue
        if event.role == NAMED and np.ndim(event.value) == 0 and symbols.COUNTS.match(name) and event.value > 1:
            return int(event.value)
        if np.ndim(event.value) and symbols.is_label(name):
            labels.append(event.shape)
        elif np.ndim(event.value) > 1 and symbols.is_data(name):
            data.append(event.shape)
    for shape in data:
        for other in labels:
            shared = [size for size in shape if size in other and size > 1]
            if shared:
                return shared[0]
    return None


@contextlib.contextmanager
def _quiet() -> Any:
    with (
        np.errstate(all="ignore"),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield


def _builtins() -> Any:
    import builtins

    return builtins


def _no_input(*_: Any) -> str:
    raise EOFError("nobody is there to answer input()")
