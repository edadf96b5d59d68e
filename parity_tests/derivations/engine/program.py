"""A text as a program that can be run again: on any kind of numbers, with anything put behind any of its places.

The tree is walked by this evaluator of the language; Python itself never runs a line. Each statement, and each part of
a formula, leaves an event; ``hook(key, value)`` sees every value before the program does and may put another in its
place. A statement that cannot be computed leaves a gap, and the rest goes on.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from parity_tests.derivations.engine.events import ENTRY, GIVEN, NAMED, RETURNED, Key, Missing, Run
from parity_tests.derivations.engine.formulas import Formulas, Hook, Names, Stopped
from parity_tests.derivations.engine.lists.in_place import in_the_text
from parity_tests.derivations.engine.lists.inlined import inlined
from parity_tests.derivations.engine.lists.writer import unrolled
from parity_tests.derivations.engine.numbers.errors import NotFollowed
from parity_tests.derivations.engine.numbers.kinds import PLAIN, Kind, is_array, owner
from parity_tests.derivations.engine.operators import (
    IN_PLACE,
    Refusal,
    said,
)
from parity_tests.derivations.engine.places import flattened, numbered
from parity_tests.derivations.engine.replay import Round, Spelled
from parity_tests.derivations.engine.shapes.sizes import declarations
from parity_tests.derivations.engine.words import is_numpy_code
from parity_tests.derivations.language.front import Source


class _Returned(Exception):  # noqa: N818
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class _LoopControl(Exception):  # noqa: N818
    def __init__(self, again: bool) -> None:
        super().__init__()
        self.again = again


class TextProgram:
    """A source that was read, ready to run; its places have the same keys in every run."""

    repeats = False

    def __init__(self, source: Source) -> None:
        self.source = source
        tree = unrolled(inlined(source.tree), source.rows, frozenset(declarations(source.rows)))
        self.tree = numbered(flattened(tree))
        self.changed: tuple[ast.stmt, Sequence[ast.stmt]] | None = None
        self.classes_axis = -1
        self.total_sums = not is_numpy_code(source.tree)

    def run(
        self,
        given: Mapping[str, Any],
        kind: Kind = PLAIN,
        hook: Hook | None = None,
        until: Key | None = None,
        keep: bool = True,
        capture: tuple[ast.AST, Collection[int]] | None = None,
    ) -> Run:
        """All statements in order on the ``given`` values; up to the place ``until``, where there is one.

        ``captured`` holds the names as they are when a node is reached for some of all times, counted from 0.
        """
        walk = _Walk(given, kind, hook, until, keep)
        walk.capture, walk.changed, walk.classes_axis = capture, self.changed, self.classes_axis
        walk.total_sums = self.total_sums
        try:
            for number, (name, value) in enumerate(given.items()):
                walk.names[name] = walk.note((-1 - number, 0), 0, name, GIVEN, _own(value, kind), None, None)
            with np.errstate(all="ignore"):
                walk.block(self.tree.body, walk.names)
        except Stopped:
            pass
        except Refusal as error:  # too many steps: what comes next is not reached
            walk.problems.append((0, said(error)))
        return Run(tuple(walk.events), tuple(walk.problems), walk.captured)

    def execute(self, statements: Sequence[ast.stmt], names: Mapping[str, Any], target: str) -> Any:
        """What ``target`` is after some statements, None where one of them fails; what ``names`` holds stays."""
        after = execute(statements, names, total_sums=self.total_sums)
        return None if after is None else after.get(target)

    def editable(
        self, statement: ast.stmt, names: Mapping[str, Any], target: str
    ) -> tuple[ast.stmt, str, Mapping[str, Any]]:
        """The statement as it is: entries and attributes are plain names in a text."""
        return statement, target, names

    def replaced(self, statement: ast.stmt, new: Sequence[ast.stmt]) -> TextProgram:
        """The text with other statements in place of one; all other places keep their keys."""
        program = copy.copy(self)
        program.changed = statement, new
        return program

    def rewritten(self, node: ast.expr, new: ast.expr) -> None:
        """Formulas of a text are changed with their statements."""
        return

    def spelled(self, old: ast.stmt | ast.expr, new: Sequence[ast.AST], line: int) -> Spelled | None:
        """The lines of a statement with others in its place, in the text's own words; None where they are not found."""
        if not isinstance(old, ast.stmt):
            return None
        return in_the_text(self.source, old, [each for each in new if isinstance(each, ast.stmt)], line)

    def round_of(self, forward: Collection[Key]) -> Round:
        """All of a text is one round."""
        return Round()


def evaluate(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of one formula, None where it has none."""
    try:
        with np.errstate(all="ignore"):
            return _Walk({}, PLAIN, None, None, keep=False).value(node, names, top=True)
    except Exception:
        return None


def execute(
    statements: Sequence[ast.stmt], names: Mapping[str, Any], *, total_sums: bool = False
) -> dict[str, Any] | None:
    """The names after some statements, None where one of them fails; what ``names`` holds stays as it is."""
    walk = _Walk({}, PLAIN, None, None, keep=False)
    walk.total_sums = total_sums
    own = {name: _copied(value) for name, value in names.items()}
    try:
        with np.errstate(all="ignore"):
            for statement in statements:
                walk.execute(ast.fix_missing_locations(statement), own)
    except Exception:
        return None
    return own


def _every(names: Any) -> dict[str, Any]:
    """The names of a scope and of those around it."""
    outer = getattr(names, "outer", None)
    return dict(names) if outer is None else {**_every(outer), **dict(names)}


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _own(value: Any, kind: Kind) -> Any:
    return kind.make(value.copy()) if isinstance(value, np.ndarray) else value


class _Walk(Formulas):
    """One run over the statements of a text."""

    # ---- statements
    def block(self, body: list[ast.stmt], names: dict[str, Any]) -> None:
        """One statement after the other; what fails leaves a gap."""
        for statement in body:
            self.count()
            outer, self.statement = self.statement, statement
            if self.capture is not None and statement is self.capture[0]:
                if self.passed in self.capture[1]:
                    self.captured[self.passed] = {name: _copied(value) for name, value in _every(names).items()}
                self.passed += 1
            try:
                same = self.changed is None or statement is not self.changed[0]
                for each in [statement] if same or self.changed is None else self.changed[1]:
                    self.execute(each, names)
            except (Stopped, _Returned, _LoopControl):
                raise
            except RecursionError:
                self.gap(statement, names, Missing("this is nested too deeply", refused=True))
            except Exception as error:
                self.gap(statement, names, Missing(said(error), isinstance(error, Refusal | NotFollowed)))
            finally:
                self.statement = outer

    def gap(self, statement: ast.stmt, names: dict[str, Any], missing: Missing) -> None:
        """What a failed statement would have assigned is missing from here on."""
        self.problems.append((statement.lineno, missing.message))
        for target in _targets(statement):
            base = target
            while isinstance(base, ast.Subscript | ast.Attribute | ast.Starred):
                base = base.value
            if isinstance(base, ast.Name):
                key = self.key(target)
                value = self.note(key, statement.lineno, base.id, NAMED, missing, statement, target)
                names[base.id] = value

    def execute(self, node: ast.stmt, names: dict[str, Any]) -> None:
        """One statement."""
        match node:
            case ast.Assign():
                value = self.value(node.value, names, top=True)
                for target in node.targets:
                    self.assign(target, value, names, node)
            case ast.AnnAssign():
                if node.value is not None:
                    self.assign(node.target, self.value(node.value, names, top=True), names, node)
            case ast.AugAssign():
                self.augment(node, names)
            case ast.For():
                self.loop(node, names)
            case ast.While():
                self.repeat(node, names)
            case ast.If():
                self.block(node.body if self.value(node.test, names) else node.orelse, names)
            case ast.Expr():
                self.expression(node.value, names)
            case ast.FunctionDef():
                names[node.name] = self.function(node, names)
            case ast.Return():
                value = None if node.value is None else self.value(node.value, names, top=True)
                raise _Returned(self.returned(node, value))
            case ast.Break() | ast.Continue():
                raise _LoopControl(isinstance(node, ast.Continue))
            case ast.With():
                self.block(node.body, names)
            case ast.Try():
                self.block([*node.body, *node.orelse, *node.finalbody], names)
            case ast.Pass() | ast.Assert() | ast.Import() | ast.ImportFrom() | ast.Global() | ast.Delete():
                pass
            case _:
                raise Refusal(f"{type(node).__name__.lower()} statements are not part of the language")

    def returned(self, node: ast.Return, value: Any) -> Any:
        if is_array(value) and self.depth:
            return self.note(self.key(node), node.lineno, "", RETURNED, value, node, node.value)
        return value

    def expression(self, node: ast.expr, names: dict[str, Any]) -> None:
        """A statement that assigns nothing: a call that changes its first argument or its object."""
        if isinstance(node, ast.Constant):
            return
        self.value(node, names, top=True)
        if not isinstance(node, ast.Call):
            return
        changed: ast.expr | None = None
        if isinstance(node.func, ast.Attribute):
            if node.func.attr == "at" and node.args:
                changed = node.args[0]
            elif node.func.attr in ("fill", "append", "add_", "sub_", "mul_"):
                changed = node.func.value
        changed = next((each.value for each in node.keywords if each.arg == "out"), changed)
        if isinstance(changed, ast.Name) and is_array(names.get(changed.id)):
            value = names[changed.id]
            names[changed.id] = self.note(
                self.key(changed), node.lineno, changed.id, ENTRY, value, self.statement, node
            )

    def assign(self, target: ast.expr, value: Any, names: dict[str, Any], node: ast.stmt) -> None:
        """``target = value``, of a name, an entry, or several at once."""
        match target:
            case ast.Name():
                names[target.id] = self.note(self.key(target), node.lineno, target.id, NAMED, value, node, target)
            case ast.Tuple() | ast.List():
                values = list(value)
                starred = next((i for i, each in enumerate(target.elts) if isinstance(each, ast.Starred)), None)
                if starred is not None:
                    after = len(target.elts) - starred - 1
                    stop = len(values) - after
                    values[starred:stop] = [values[starred:stop]]
                if len(values) != len(target.elts):
                    raise Refusal(f"{len(target.elts)} names get {len(values)} values")
                for each, part in zip(target.elts, values, strict=True):
                    self.assign(each.value if isinstance(each, ast.Starred) else each, part, names, node)
            case ast.Subscript():
                base = self.value(target.value, names)
                place = self.index(target.slice, names)
                if isinstance(base, dict | list):
                    name = f"{ast.unparse(target.value)}[{place!r}]"
                    base[place] = self.note(self.key(target), node.lineno, name, NAMED, value, node, target)
                    return
                base[place] = value
                self.entry(target, base, names, node)
            case _:
                raise Refusal(f"{ast.unparse(target)} cannot be assigned here")

    def entry(self, target: ast.Subscript, base: Any, names: dict[str, Any], node: ast.stmt) -> None:
        """After ``x[i] = ...`` the whole of x has a new value."""
        whole = target.value
        while isinstance(whole, ast.Subscript):  # x[i][j] = e changes x
            whole = whole.value
        if whole is not target.value and isinstance(whole, ast.Name) and is_array(names[whole.id]):
            base = names[whole.id]
        else:
            whole = target.value
        new = self.note(self.key(target), node.lineno, ast.unparse(whole), ENTRY, base, node, target)
        if new is not base and isinstance(whole, ast.Name):
            names[whole.id] = new
        self.seen_by_others(new, names, node)

    def seen_by_others(self, view: Any, names: dict[str, Any], node: ast.stmt) -> None:
        """What is written into a view changes the array that it is a part of."""
        if not is_array(view) or owner(view) is view:
            return
        for name, value in list(names.items()):
            if is_array(value) and value is not view and value.size >= view.size and owner(value) is owner(view):
                names[name] = self.note(self.key(node), node.lineno, name, ENTRY, value, node, node)

    def augment(self, node: ast.AugAssign, names: dict[str, Any]) -> None:
        """``x op= e``, in place where x is an array, as NumPy does it."""
        value = self.value(node.value, names, top=True)
        change = IN_PLACE.get(type(node.op))
        if change is None:
            raise Refusal("this operator is not part of the language")
        target = node.target
        if isinstance(target, ast.Name):
            old = self.name(target, names)
            names[target.id] = self.note(
                self.key(target), node.lineno, target.id, NAMED, change(old, value), node, target
            )
            self.seen_by_others(names[target.id], names, node)
            return
        if not isinstance(target, ast.Subscript):
            raise Refusal(f"{ast.unparse(target)} cannot be assigned here")
        base = self.value(target.value, names)
        place = self.index(target.slice, names)
        if isinstance(base, dict | list):
            name = f"{ast.unparse(target.value)}[{place!r}]"
            new = change(base[place], value)
            base[place] = self.note(self.key(target), node.lineno, name, NAMED, new, node, target)
            return
        base[place] = change(base[place], value)
        self.entry(target, base, names, node)

    def loop(self, node: ast.For, names: dict[str, Any]) -> None:
        """A loop; its counter keeps its last value."""
        for each in self.value(node.iter, names):
            self.count()
            self.bind(node.target, each, names)
            try:
                self.block(node.body, names)
            except _LoopControl as control:
                if not control.again:
                    break

    def repeat(self, node: ast.While, names: dict[str, Any]) -> None:
        while self.value(node.test, names):
            self.count()
            try:
                self.block(node.body, names)
            except _LoopControl as control:
                if not control.again:
                    break

    # ---- functions
    def function(self, node: ast.FunctionDef | ast.Lambda, names: dict[str, Any]) -> Callable[..., Any]:
        """A function of the text: its body is walked when it is called."""
        parameters = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        defaults = [self.value(each, names) for each in node.args.defaults]
        preset = dict(zip(parameters[len(parameters) - len(defaults) :], defaults, strict=False))

        def call(*arguments: Any, **settings: Any) -> Any:
            if len(arguments) > len(parameters):
                raise Refusal(f"a function of {len(parameters)} arguments gets {len(arguments)}")
            inner = Names(names)
            inner.update({**preset, **dict(zip(parameters, arguments, strict=False)), **settings})
            absent = [name for name in parameters if not dict.__contains__(inner, name)]
            if absent:
                raise Refusal(f"the argument {absent[0]} is missing")
            self.depth += 1
            try:
                if self.depth > 40:
                    raise Refusal("functions call one another too deeply")
                if isinstance(node, ast.Lambda):
                    return self.value(node.body, inner)
                self.block(node.body, inner)
            except _Returned as result:
                return result.value
            finally:
                self.depth -= 1
            return None

        return call


def _targets(statement: ast.stmt) -> list[ast.expr]:
    match statement:
        case ast.For() | ast.While() | ast.If() | ast.Match():
            return [
                each for each in ast.walk(statement) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
            ]
        case ast.Assign():
            found = statement.targets
        case ast.AnnAssign() | ast.AugAssign():
            found = [statement.target]
        case _:
            found = []
    flat: list[ast.expr] = []
    for each in found:
        flat.extend(each.elts if isinstance(each, ast.Tuple | ast.List) else [each])
    return flat
