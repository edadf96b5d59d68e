"""Formulas: the value of an expression of the language, found by walking its tree.

Each part of a formula leaves an event; ``hook(key, value)`` sees its value before the formula does.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from parity_tests.derivations.engine import words
from parity_tests.derivations.engine.events import ENTRY, NAMED, PART, Event, Key, Missing
from parity_tests.derivations.engine.numbers.kinds import Kind, is_array, is_number, plain
from parity_tests.derivations.engine.operators import BINARY, COMPARE, UNARY, Refusal, within_bounds

MOST_STEPS = 200_000
MOST_POWER = 1024

Hook = Callable[[Key, Any], Any]


TYPES: dict[str, type] = {"float": float, "int": int, "bool": bool}


class Stopped(Exception):  # noqa: N818
    """The run has gone far enough."""


class Formulas:
    """The evaluator of formulas, with the events so far and how often each place was reached."""

    def __init__(self, given: Mapping[str, Any], kind: Kind, hook: Hook | None, until: Key | None, keep: bool) -> None:
        self.kind, self.hook, self.until, self.keep = kind, hook, until, keep
        self.names: dict[str, Any] = {}
        self.builtins = words.builtins(kind)
        self.total_sums = False
        self.draws = np.random.default_rng(7)
        self.events: list[Event] = []
        self.problems: list[tuple[int, str]] = []
        self.reached: dict[int, int] = {}
        self.steps = 0
        self.depth = 0
        self.classes_axis = -1
        self.statement: ast.stmt | None = None
        self.capture: tuple[ast.AST, Collection[int]] | None = None
        self.passed = 0
        self.captured: dict[int, dict[str, Any]] = {}
        self.changed: tuple[ast.stmt, Sequence[ast.stmt]] | None = None

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
            raise Stopped
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

    def bind(self, target: ast.expr, value: Any, names: dict[str, Any]) -> None:
        """A name that gets a value without an event: a counter, an argument."""
        if isinstance(target, ast.Name):
            names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            for each, part in zip(target.elts, value, strict=True):
                self.bind(each, part, names)
        else:
            raise Refusal(f"{ast.unparse(target)} cannot be assigned here")

    def function(self, node: ast.FunctionDef | ast.Lambda, names: dict[str, Any]) -> Callable[..., Any]:
        """A function of the text; statements are beyond formulas."""
        raise Refusal("functions are not part of a formula")

    # ---- expressions
    def name(self, node: ast.Name, names: Mapping[str, Any]) -> Any:
        if node.id in names:
            value = names[node.id]
            if isinstance(value, Missing):
                raise Refusal(f"{node.id} has no value here")
            return value
        if node.id in TYPES:
            return TYPES[node.id]
        if node.id == "sum" and self.total_sums:
            return words.total
        if node.id in self.builtins:
            return self.builtins[node.id]
        if node.id in ("softmax", "_softmax"):
            return self.softmax
        function = words.free_function(node.id)
        if function is None:
            raise Refusal(f"{node.id} is not known here")
        return function

    def softmax(self, scores: Any, axis: int | None = None) -> Any:
        """A softmax that the text does not define: over the classes of each example, of a lone one along its column."""
        if axis is None:
            axis = self.classes_axis if np.ndim(scores) > 1 else 0
            axis = -1 - axis if np.ndim(scores) == 2 and np.shape(scores)[axis] == 1 else axis
        exponentials = np.exp(scores - np.max(scores, axis=axis, keepdims=True))
        return exponentials / np.sum(exponentials, axis=axis, keepdims=True)

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
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id="np"), attr=("c_" | "r_") as word)):
                parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                result = words.numpy_word(words.JOINING[word], self.kind, self.draws)(self.elements(parts, names))
            case ast.Subscript():
                base = self.value(node.value, names)
                if isinstance(base, int | float | bool):
                    raise Refusal(f"{ast.unparse(node.value)} is a number and has no entries: a mask is (Z > 0)")
                return base[self.index(node.slice, names)]
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

        loop(0, Names(names))
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
            if (base.attr, node.attr) in words.UFUNC_METHODS:
                return self.word(words.ufunc_method, f"{base.attr}.{node.attr}", ast.unparse(node))
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
            if isinstance(node.func, ast.Constant):
                raise Refusal(f"write * between '{ast.unparse(node.func)}' and '('")
            raise Refusal(f"{ast.unparse(node.func)} is no function")
        within_bounds(*arguments, *settings.values())
        words.refuse_an_output(function, arguments)
        out = settings.pop("out", None)
        result = self.kind.make(function(*arguments, **settings))
        if out is None:
            return result
        out[...] = result
        return out

    def add_at(self, node: ast.Call, names: Any) -> None:
        if ast.unparse(node.func) not in ("np.add.at", "numpy.add.at") or len(node.args) != 3:
            raise Refusal(f"{ast.unparse(node.func)} is not part of the language")
        array, values = self.value(node.args[0], names), self.value(node.args[2], names)
        np.add.at(array, self.index(node.args[1], names), values)


class Names(dict[str, Any]):
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
