"""What of a text is known before it is run: whole numbers, keys, and the lists and dicts whose places they count."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any, NamedTuple, TypeGuard

LENGTH = 3
"""How many layers a list has of which the text does not say it."""


class Dynamic(Exception):  # noqa: N818  (the name says it)
    """A formula has no value before the run."""


class NotKnown(Exception):  # noqa: N818
    """A name is used as no list of layers can be."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Entry(NamedTuple):
    """A value that only the run knows, by the name that stands for it."""

    id: str


class Items:
    """A list or tuple; None where an entry has no value yet. ``empty`` are the places that are still to be filled."""

    def __init__(self, name: str, values: list[Any], to_be_filled: bool = False) -> None:
        self.name, self.values = name, values
        self.empty = set(range(len(values))) if to_be_filled else set()

    def keys(self) -> list[Any]:
        """Its places."""
        return list(range(len(self.values)))

    def get(self, place: Any) -> Any:
        """The value at a place; IndexError where there is none."""
        return self.values[place]

    def put(self, place: Any, value: Any, entry: Callable[[str], Entry]) -> Any:
        """Writes a value, or an entry, at a place."""
        held = self.values[place]
        self.empty.discard(place % len(self.values))
        new = value if value is not None else held if isinstance(held, Entry) else entry(self.name)
        self.values[place] = new
        return new


class Table:
    """A dict with known keys."""

    def __init__(self, name: str, entries: dict[Any, Any]) -> None:
        self.name, self.entries = name, entries

    def keys(self) -> list[Any]:
        """Its keys."""
        return list(self.entries)

    def get(self, key: Any) -> Any:
        """The value of a key; KeyError where there is none."""
        return self.entries[key]

    def put(self, key: Any, value: Any, entry: Callable[[str], Entry]) -> Any:
        """Writes a value, or an entry, under a key."""
        held = self.entries.get(key)
        new = value if value is not None else held if isinstance(held, Entry) else Entry(f"{self.name}[{key!r}]")
        self.entries[key] = new
        return new


class Free:
    """A list or dict that the text only reads and updates: it has the entries that are asked for, from ``first`` on."""

    def __init__(self, name: str, length: int, families: int, first: int) -> None:
        self.name, self.length, self.families, self.first = name, length, families, first
        self.counted: set[int] = set()
        self.walked = False

    @property
    def outside(self) -> int:
        """How many of the places that are asked for lie beyond its length."""
        return sum(place >= self.length + self.first for place in self.counted)

    def __len__(self) -> int:
        return self.length * self.families

    def keys(self) -> list[Any]:
        """The places of a list."""
        return list(range(self.length))

    @property
    def values(self) -> list[Any]:
        """The entries of a list."""
        self.walked = True
        return [Entry(f"{self.name}[{place}]") for place in range(self.first, self.first + self.length)]

    def get(self, key: Any) -> Entry:
        """The entry of a place or a key."""
        if isinstance(key, int):
            if key < 0:
                key += self.length + self.first
            else:
                self.counted.add(key)
        return Entry(f"{self.name}[{key!r}]")

    def put(self, key: Any, value: Any, entry: Callable[[str], Entry]) -> Any:
        """An entry is updated under its own name."""
        return self.get(key) if value is None else value


def is_container(value: Any) -> TypeGuard[Items | Table | Free]:
    """Whether a value is a list, a tuple or a dict."""
    return isinstance(value, Items | Table | Free)


OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}  # fmt: skip
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip


class Static:
    """The values that are known where the writing out of a text has come to."""

    def __init__(self, lists: dict[str, Free], depths: dict[str, int]) -> None:
        self.bound: dict[str, Any] = {**lists, **depths}

    def known(self, node: ast.expr) -> Any:
        """The value of a formula, None where it is not known."""
        try:
            return self.of(node)
        except (Dynamic, IndexError, KeyError, TypeError, ZeroDivisionError, ValueError):
            return None

    def sequence(self, node: ast.expr) -> list[Any] | None:
        """The values that a loop over a formula takes, None where they are not known."""
        value = self.known(node)
        if isinstance(value, Items | Free):
            return list(value.values)
        return value.keys() if isinstance(value, Table) else None

    def whole(self, node: ast.expr) -> int:
        """A whole number."""
        value = self.of(node)
        if not isinstance(value, int):
            raise Dynamic
        return value

    def of(self, node: ast.expr) -> Any:
        """The value of a formula; raises Dynamic where it is not known."""
        match node:
            case ast.Constant(value=int() | str()):
                return node.value
            case ast.Name() if node.id in self.bound:
                return self.bound[node.id]
            case ast.UnaryOp(op=ast.USub()):
                return -self.whole(node.operand)
            case ast.UnaryOp(op=ast.Not()):
                return not self.of(node.operand)
            case ast.BinOp():
                return self.binary(node)
            case ast.Compare(ops=[sign], comparators=[right]) if type(sign) in COMPARISONS:
                first, second = self.of(node.left), self.of(right)
                if not isinstance(first, int | str) or not isinstance(second, int | str):
                    raise Dynamic
                return COMPARISONS[type(sign)](first, second)
            case ast.IfExp():
                return self.of(node.body if self.of(node.test) else node.orelse)
            case ast.JoinedStr():
                return "".join(self.text(each) for each in node.values)
            case ast.Tuple() | ast.List():
                return Items("", [self.of(each) for each in node.elts])
            case ast.Subscript():
                return self.entry(node)
            case ast.Call():
                return self.call(node)
        raise Dynamic

    def text(self, node: ast.expr) -> str:
        """A part of an f-string."""
        value = self.of(node.value if isinstance(node, ast.FormattedValue) else node)
        if not isinstance(value, int | str):
            raise Dynamic
        return str(value)

    def binary(self, node: ast.BinOp) -> Any:
        left, right = self.of(node.left), self.of(node.right)
        if isinstance(left, Items) and isinstance(right, Items) and isinstance(node.op, ast.Add):
            return Items(left.name or right.name, [*left.values, *right.values])
        if isinstance(left, str) and not (isinstance(right, str) and isinstance(node.op, ast.Add)):
            raise Dynamic
        if not isinstance(left, int | str) or not isinstance(right, type(left)) or type(node.op) not in OPERATORS:
            raise Dynamic
        return OPERATORS[type(node.op)](left, right)

    def entry(self, node: ast.Subscript) -> Any:
        base = self.of(node.value)
        if isinstance(node.slice, ast.Slice):
            if not isinstance(base, Items | Free):
                raise Dynamic
            bounds = (node.slice.lower, node.slice.upper, node.slice.step)
            start, stop, step = (None if each is None else self.whole(each) for each in bounds)
            return Items(base.name, base.values[start:stop:step])
        if not is_container(base):
            raise Dynamic
        value = base.get(self.of(node.slice))
        if value is None:
            raise Dynamic
        return value

    def call(self, node: ast.Call) -> Any:
        """Python's functions on numbers, texts and lists."""
        if isinstance(node.func, ast.Attribute):
            if ast.unparse(node.func) == "np.arange":
                return Items("", list(range(*(self.whole(each) for each in node.args))))
            return self.method(node.func, node.args)
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise Dynamic
        match node.func.id, node.args:
            case "range", bounds:
                return Items("", list(range(*(self.whole(each) for each in bounds))))
            case "str", [one]:
                return self.text(one)
            case "int", [one]:
                return self.whole(one)
            case "len", [one]:
                value = self.of(one)
                if not is_container(value):
                    raise Dynamic
                return len(value) if isinstance(value, Free) else len(value.keys())
            case "list" | "tuple", [one]:
                return self.listed(one)
            case "reversed", [one]:
                value = self.listed(one)
                return Items(value.name, value.values[::-1])
            case "enumerate", [one, *start]:
                first = self.whole(start[0]) if start else 0
                value = self.listed(one)
                return Items(value.name, [Items(value.name, [n, each]) for n, each in enumerate(value.values, first)])
            case "zip", parts:
                lists = [self.listed(each) for each in parts]
                name = next((each.name for each in lists if each.name), "")
                return Items(
                    name, [Items(name, list(each)) for each in zip(*(each.values for each in lists), strict=False)]
                )
        raise Dynamic

    def listed(self, node: ast.expr) -> Items:
        values = self.sequence(node)
        if values is None:
            raise Dynamic
        return Items(getattr(self.of(node), "name", ""), values)

    def method(self, function: ast.Attribute, arguments: list[ast.expr]) -> Any:
        base = self.of(function.value)
        match function.attr, base, arguments:
            case "format", str(), _ if base.count("{}") == len(arguments):
                for each in arguments:
                    base = base.replace("{}", self.text(each), 1)
                return base
            case "copy", Items(), []:
                return Items(base.name, list(base.values))
            case "keys", Table(), []:
                return Items(base.name, base.keys())
            case "values", Table(), []:
                return Items(base.name, list(base.entries.values()))
            case "items", Table(), []:
                return Items(base.name, [Items(base.name, [key, each]) for key, each in base.entries.items()])
        raise Dynamic
