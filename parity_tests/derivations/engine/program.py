"""A text as a program that can be run again: on any kind of numbers, with anything put behind any of its places.

The tree is walked by this evaluator of the language; Python itself never runs a line. Each statement, and each part of
a formula, leaves an event; ``hook(key, value)`` sees every value before the program does and may put another in its
place. A statement that cannot be computed leaves a gap, and the rest goes on.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from parity_tests.derivations.engine import words
from parity_tests.derivations.engine.events import ENTRY, GIVEN, NAMED, PART, RETURNED, Event, Key, Missing, Run
from parity_tests.derivations.engine.front import Source
from parity_tests.derivations.engine.numbers.kinds import PLAIN, Kind, is_array, is_number, plain
from parity_tests.derivations.engine.operators import (
    BINARY,
    COMPARE,
    IN_PLACE,
    UNARY,
    Refusal,
    said,
    within_bounds,
)
from parity_tests.derivations.engine.places import flattened, numbered

MOST_STEPS = 200_000
MOST_POWER = 1024

Hook = Callable[[Key, Any], Any]


class _Stopped(Exception):  # noqa: N818
    """The run has gone far enough."""


class _Returned(Exception):  # noqa: N818
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class _LoopControl(Exception):  # noqa: N818
    def __init__(self, again: bool) -> None:
        super().__init__()
        self.again = again


class Program:
    """A source that was read, ready to run; its places have the same keys in every run."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.tree = numbered(flattened(source.tree))

    def run(
        self,
        given: Mapping[str, Any],
        kind: Kind = PLAIN,
        hook: Hook | None = None,
        until: Key | None = None,
        keep: bool = True,
        capture: ast.stmt | None = None,
    ) -> Run:
        """All statements in order on the ``given`` values; up to the place ``until``, where there is one.

        ``captured`` holds the names as they are when the statement ``capture`` is reached first.
        """
        walk = _Walk(given, kind, hook, until, keep)
        walk.capture = capture
        try:
            for number, (name, value) in enumerate(given.items()):
                walk.names[name] = walk.note((-1 - number, 0), 0, name, GIVEN, _own(value, kind), None, None)
            with np.errstate(all="ignore"):
                walk.block(self.tree.body, walk.names)
        except _Stopped:
            pass
        return Run(tuple(walk.events), tuple(walk.problems), walk.captured)


def evaluate(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of one formula, None where it has none."""
    try:
        with np.errstate(all="ignore"):
            return _Walk({}, PLAIN, None, None, keep=False).value(node, names, top=True)
    except Exception:
        return None


def execute(statements: list[ast.stmt], names: Mapping[str, Any]) -> dict[str, Any] | None:
    """The names after some statements, None where one of them fails; what ``names`` holds stays as it is."""
    walk = _Walk({}, PLAIN, None, None, keep=False)
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


class _Walk:
    """One run: the names, the events so far, and how often each place was reached."""

    def __init__(self, given: Mapping[str, Any], kind: Kind, hook: Hook | None, until: Key | None, keep: bool) -> None:
        self.kind, self.hook, self.until, self.keep = kind, hook, until, keep
        self.names: dict[str, Any] = {}
        self.builtins = words.builtins(kind)
        self.draws = np.random.default_rng(7)
        self.events: list[Event] = []
        self.problems: list[tuple[int, str]] = []
        self.reached: dict[int, int] = {}
        self.steps = 0
        self.depth = 0
        self.statement: ast.stmt | None = None
        self.capture: ast.stmt | None = None
        self.captured: dict[str, Any] | None = None

    # ---- events
    def key(self, node: ast.AST) -> Key:
        """The next key of a node."""
        number: int = getattr(node, "number", 0)
        count = self.reached[number] = self.reached.get(number, -1) + 1
        return number, count

    def note(
        self, key: Key, line: int, name: str, role: str, value: Any, statement: ast.stmt | None, node: ast.AST | None
    ) -> Any:
        """Records a value and hands on what the hook makes of it."""
        if not is_number(value) and not isinstance(value, Missing):
            return value
        if self.hook is not None:
            value = self.hook(key, value)
        if self.keep:
            shown = value if isinstance(value, Missing) else plain(value)
            event = Event(key, line, name, role, shown, statement, node)
            last = self.events[-1] if self.events else None
            if role == ENTRY and last is not None and (last.role, last.name) == (ENTRY, name) and last.key[0] == key[0]:
                self.events.pop()
            self.events.append(event)
        if key == self.until:
            raise _Stopped
        return value

    def part(self, node: ast.expr, value: Any) -> Any:
        """A value inside of a formula."""
        if self.hook is None and not self.keep:
            return value
        if not (is_array(value) or isinstance(value, np.floating)) or value.dtype.kind not in "fc":
            return value
        return self.note(self.key(node), node.lineno, "", PART, value, self.statement, node)

    def count(self) -> None:
        """Every step counts: a text that would run for ever is stopped."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise Refusal("the text takes more steps than are computed here")

    # ---- statements
    def block(self, body: list[ast.stmt], names: dict[str, Any]) -> None:
        """One statement after the other; what fails leaves a gap."""
        for statement in body:
            self.count()
            outer, self.statement = self.statement, statement
            if statement is self.capture and self.captured is None:
                self.captured = {name: _copied(value) for name, value in _every(names).items()}
            try:
                self.execute(statement, names)
            except (_Stopped, _Returned, _LoopControl):
                raise
            except RecursionError:
                self.gap(statement, names, "this is nested too deeply")
            except Exception as error:
                self.gap(statement, names, said(error))
            finally:
                self.statement = outer

    def gap(self, statement: ast.stmt, names: dict[str, Any], message: str) -> None:
        """What a failed statement would have assigned is missing from here on."""
        self.problems.append((statement.lineno, message))
        for target in _targets(statement):
            base = target
            while isinstance(base, ast.Subscript | ast.Attribute | ast.Starred):
                base = base.value
            if isinstance(base, ast.Name):
                key = self.key(target)
                value = self.note(key, statement.lineno, base.id, NAMED, Missing(message), statement, target)
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
        name = ast.unparse(target.value)
        new = self.note(self.key(target), node.lineno, name, ENTRY, base, node, target)
        if new is not base and isinstance(target.value, ast.Name):
            names[target.value.id] = new

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

    def bind(self, target: ast.expr, value: Any, names: dict[str, Any]) -> None:
        """A name that gets a value without an event: a counter, an argument."""
        if isinstance(target, ast.Name):
            names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            for each, part in zip(target.elts, value, strict=True):
                self.bind(each, part, names)
        else:
            raise Refusal(f"{ast.unparse(target)} cannot be assigned here")

    # ---- functions
    def function(self, node: ast.FunctionDef | ast.Lambda, names: dict[str, Any]) -> Callable[..., Any]:
        """A function of the text: its body is walked when it is called."""
        parameters = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        defaults = [self.value(each, names) for each in node.args.defaults]
        preset = dict(zip(parameters[len(parameters) - len(defaults) :], defaults, strict=False))

        def call(*arguments: Any, **settings: Any) -> Any:
            if len(arguments) > len(parameters):
                raise Refusal(f"a function of {len(parameters)} arguments gets {len(arguments)}")
            inner = _Names(names)
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

    # ---- expressions
    def name(self, node: ast.Name, names: Mapping[str, Any]) -> Any:
        if node.id in names:
            value = names[node.id]
            if isinstance(value, Missing):
                raise Refusal(f"{node.id} has no value here")
            return value
        if node.id in self.builtins:
            return self.builtins[node.id]
        function = words.free_function(node.id)
        if function is None:
            raise Refusal(f"{node.id} is not known here")
        return function

    def value(self, node: ast.expr, names: Any, *, top: bool = False) -> Any:
        """The value of an expression; inside a formula it leaves an event."""
        self.count()
        match node:
            case ast.Constant():
                return node.value
            case ast.Name():
                return self.name(node, names)
            case ast.BinOp():
                result = self.binary(node, names)
            case ast.UnaryOp():
                result = UNARY[type(node.op)](self.value(node.operand, names))
            case ast.Call():
                result = self.call(node, names)
            case ast.Attribute():
                return self.attribute(node, names)
            case ast.Subscript():
                return self.value(node.value, names)[self.index(node.slice, names)]
            case ast.Compare():
                return self.compare(node, names)
            case ast.BoolOp():
                return self.both(node, names)
            case ast.IfExp():
                return self.value(node.body if self.value(node.test, names) else node.orelse, names)
            case ast.Tuple():
                return tuple(self.elements(node.elts, names))
            case ast.List():
                return self.elements(node.elts, names)
            case ast.Dict():
                keys = [None if key is None else self.value(key, names) for key in node.keys]
                return dict(zip(keys, (self.value(each, names) for each in node.values), strict=True))
            case ast.ListComp() | ast.GeneratorExp():
                return self.comprehension(node, names)
            case ast.Lambda():
                return self.function(node, names)
            case ast.JoinedStr():
                return ""
            case ast.NamedExpr():
                value = self.value(node.value, names)
                self.bind(node.target, value, names)
                return value
            case _:
                raise Refusal(f"{ast.unparse(node)} is not part of the language")
        return result if top else self.part(node, result)

    def elements(self, nodes: list[ast.expr], names: Any) -> list[Any]:
        result: list[Any] = []
        for each in nodes:
            if isinstance(each, ast.Starred):
                result.extend(self.value(each.value, names))
            else:
                result.append(self.value(each, names))
        return result

    def binary(self, node: ast.BinOp, names: Any) -> Any:
        left, right = self.value(node.left, names), self.value(node.right, names)
        if isinstance(left, str) or isinstance(right, str):
            return ""
        if isinstance(node.op, ast.Pow) and isinstance(left, int) and isinstance(right, int) and right > MOST_POWER:
            raise Refusal("this power is too large to be computed here")
        within_bounds(left, right)
        function = BINARY.get(type(node.op))
        if function is None:
            raise Refusal(f"{ast.unparse(node)} is not part of the language")
        result = function(left, right)
        if isinstance(result, int) and result.bit_length() > MOST_POWER:
            raise Refusal("this number is too large to be computed here")
        return result

    def compare(self, node: ast.Compare, names: Any) -> Any:
        left, result = self.value(node.left, names), True
        for sign, other in zip(node.ops, node.comparators, strict=True):
            right = self.value(other, names)
            now = COMPARE[type(sign)](left, right)
            result = now if result is True else result & now
            left = right
        return result

    def both(self, node: ast.BoolOp, names: Any) -> Any:
        value: Any = None
        for each in node.values:
            value = self.value(each, names)
            if bool(value) != isinstance(node.op, ast.And):
                return value
        return value

    def comprehension(self, node: ast.ListComp | ast.GeneratorExp, names: Any) -> list[Any]:
        result: list[Any] = []

        def loop(place: int, inner: Any) -> None:
            if place == len(node.generators):
                result.append(self.value(node.elt, inner))
                return
            generator = node.generators[place]
            for each in self.value(generator.iter, inner):
                self.count()
                self.bind(generator.target, each, inner)
                if all(self.value(test, inner) for test in generator.ifs):
                    loop(place + 1, inner)

        loop(0, _Names(names))
        return result

    def index(self, node: ast.expr, names: Any) -> Any:
        """What stands between brackets."""
        if isinstance(node, ast.Slice):
            bounds: list[Any] = [
                None if each is None else self.value(each, names) for each in (node.lower, node.upper, node.step)
            ]
            start, stop, step = (int(each) if is_array(each) else each for each in bounds)
            return slice(start, stop, step)
        if isinstance(node, ast.Tuple):
            return tuple(self.index(each, names) for each in node.elts)
        value = self.value(node, names)
        if isinstance(value, range):
            return np.arange(value.start, value.stop, value.step)
        if is_array(value) and value.dtype.kind in "fc":
            whole = plain(value)
            if np.all(whole == np.round(whole)):
                return whole.astype(int)
            raise Refusal(f"{ast.unparse(node)} holds fractions and cannot be an index")
        return value

    def attribute(self, node: ast.Attribute, names: Any) -> Any:
        """``np.word``, or what an array, a list or a dict offers."""
        base = node.value
        if isinstance(base, ast.Name) and base.id in words.MODULES and base.id not in names:
            return self.word(words.numpy_word, node.attr, f"{base.id}.{node.attr}")
        if isinstance(base, ast.Attribute) and isinstance(base.value, ast.Name) and base.value.id in words.MODULES:
            if base.attr == "random":
                return self.word(words.random_word, node.attr, ast.unparse(node))
            return self.word(words.numpy_word, node.attr, ast.unparse(node))
        value = self.value(base, names)
        if is_array(value) or isinstance(value, np.generic):
            if node.attr in words.ATTRIBUTES or node.attr in words.METHODS:
                return getattr(value, node.attr)
        elif isinstance(value, int | float) and node.attr in ("item", "copy"):
            number: Any = value
            return lambda: number
        for kind, known in words.CONTAINER_METHODS.items():
            if isinstance(value, kind) and node.attr in known:
                return getattr(value, node.attr)
        raise Refusal(f"{ast.unparse(node)} is not part of the language")

    def word(self, table: Callable[..., Any], name: str, written: str) -> Any:
        try:
            return table(name, self.kind, self.draws)
        except KeyError:
            raise Refusal(f"{written} is not part of the language") from None

    def call(self, node: ast.Call, names: Any) -> Any:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "at":
            return self.add_at(node, names)
        function = self.value(node.func, names)
        arguments = self.elements(node.args, names)
        settings = {each.arg: self.value(each.value, names) for each in node.keywords if each.arg}
        if isinstance(node.func, ast.Attribute) and node.func.attr == "append" and arguments:
            name = f"{ast.unparse(node.func.value)}[-1]"
            arguments[0] = self.note(self.key(node), node.lineno, name, NAMED, arguments[0], self.statement, node)
        if function in (float, int, bool):
            function = self.builtins[function.__name__] if not _is_array_of(arguments) else _converter(function)
        if not callable(function):
            raise Refusal(f"{ast.unparse(node.func)} is no function")
        within_bounds(*arguments, *settings.values())
        return self.kind.make(function(*arguments, **settings))

    def add_at(self, node: ast.Call, names: Any) -> None:
        if ast.unparse(node.func) not in ("np.add.at", "numpy.add.at") or len(node.args) != 3:
            raise Refusal(f"{ast.unparse(node.func)} is not part of the language")
        array, values = self.value(node.args[0], names), self.value(node.args[2], names)
        np.add.at(array, self.index(node.args[1], names), values)


class _Names(dict[str, Any]):
    """Names of a function's own, before those around it."""

    def __init__(self, outer: Mapping[str, Any]) -> None:
        super().__init__()
        self.outer = outer

    def __missing__(self, name: str) -> Any:
        return self.outer[name]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self.outer


def _is_array_of(arguments: list[Any]) -> bool:
    return bool(arguments) and is_array(arguments[0])


def _converter(dtype: Any) -> Callable[[Any], Any]:
    return lambda value: value.astype(dtype)


def _targets(statement: ast.stmt) -> list[ast.expr]:
    match statement:
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
