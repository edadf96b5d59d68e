"""What is known of a text's values before sizes are: shapes, whole numbers that are sizes, tuples, or nothing.

A value here is its shape (a tuple of sizes), ``Count`` (a whole number that is the size of something), ``Several`` (a
tuple of values), ``Each`` (a list of values of one shape), or None where nothing is known, which agrees with all.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from parity_tests.derivations.engine import words
from parity_tests.derivations.engine.roles import Roles
from parity_tests.derivations.engine.shapes.sizes import Clash, Shape, Size, Sizes
from parity_tests.derivations.engine.symbols import meant_by


class Count(NamedTuple):
    """A whole number that is a size."""

    size: Size


class Turn(NamedTuple):
    """A counter: a whole number below a size, which is None where it is not known."""

    size: Size | None


class Each:
    """A list or dict whose entries have one shape, None as long as it has none."""

    def __init__(self, entry: Any = None) -> None:
        self.entry = entry


class Several(NamedTuple):
    """A tuple or list of values."""

    parts: tuple[Any, ...]


LIKE = -1
Ranks = Callable[[str], "tuple[int | None, ...] | None"]
"""The axes that a free name is taken to have: 1, or None for a size to be found; None as a whole for a number.

A name with the axes (LIKE, LIKE) has those of what it meets first, if that is known.
"""

ROUNDED = frozenset(("int", "np.floor", "math.floor", "floor", "np.int64"))
"""Functions that round down."""

MOST_PARTS = 64
"""Into how many parts an axis is cut."""


def _entries(tree: ast.Module) -> dict[str, int]:
    """How many entries an array has of which single ones alone are read: 3 in ``k[0] * x + k[1] * y + k[2]``."""
    parts = [node for node in ast.walk(tree) if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)]
    names = Counter(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    found: dict[str, set[int]] = {}
    for node in parts:
        first = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
        if isinstance(first, ast.Constant) and isinstance(first.value, int):
            name: str = node.value.id  # type: ignore[attr-defined]
            found.setdefault(name, set()).add(first.value)
            names[name] -= 1
    return {
        name: len(places) for name, places in found.items() if not names[name] and places == set(range(len(places)))
    }


class Unknown(Exception):  # noqa: N818
    """Nothing is known of a value."""


def is_shape(value: Any) -> bool:
    """Whether a value is an array or a number, of which the shape is known."""
    return isinstance(value, tuple) and not isinstance(value, Count | Turn | Several)


class Values:
    """The names of a text and what is known of each, under one assumption about the axes of its free names."""

    def __init__(self, tree: ast.Module, ranks: Ranks, declared: dict[str, Shape], roles: Roles) -> None:
        self.sizes, self.ranks, self.roles = Sizes(), ranks, roles
        self.names: dict[str, Any] = dict(declared)
        self.shapes: dict[str, Shape] = dict(declared)
        self.free: list[str] = list(declared)
        self.functions: dict[str, ast.FunctionDef] = {
            node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
        }
        self.called = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        } | set(words.FUNCTIONS)
        """Names that stand for functions where the text gives them no value."""
        self.labels: dict[str, Size] = {}
        self.counts: set[str] = set()
        self.written: dict[str, ast.expr] = {}
        """What numbers are computed from, by their names: ``n_out`` from ``n - k + 1``."""
        self.measured: set[str] = set()
        """The names whose shape the text reads."""
        self.entries = _entries(tree)
        self.clashes = 0
        self.clashed: set[tuple[int, int]] = set()
        self.known: set[str] = set()
        self.depth = 0
        for size in {size for shape in declared.values() for size in shape if isinstance(size, str)}:
            self.count_named(size)

    def name(self, name: str) -> Any:
        if name not in self.names:
            if name in self.functions or (name in self.called and words.free_function(name) is not None):
                return None
            axes = self.ranks(name)
            bases = () if axes is None else meant_by(name, self.names)
            upstream = [base for base in bases if is_shape(self.names[base])]
            shape: Any = (
                self.names[upstream[0]]
                if upstream
                else ()
                if axes is None
                else tuple(1 if each == 1 else self.sizes.new() for each in axes)
            )
            self.names[name] = self.shapes[name] = shape
            self.free.append(name)
            self.known.add(name)
        return self.names[name]

    def is_unmet(self, node: ast.expr) -> bool:
        """Whether a name has the axes of what it meets, which is still to come."""
        return isinstance(node, ast.Name) and node.id not in self.names and self.ranks(node.id) == (LIKE, LIKE)

    def count_named(self, name: str) -> None:
        """A free name that stands where a size belongs."""
        self.names[name] = self.shapes[name] = ()
        self.free.append(name)
        self.counts.add(name)

    def count_names(self, node: ast.expr) -> None:
        """The free names in what is rounded down are whole numbers."""
        taken = self.names.keys() | self.functions | words.MODULES
        names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} - taken
        for name in sorted(name for name in names if words.free_function(name) is None):
            self.count_named(name)

    def shape(self, value: Any) -> Shape:
        """A value's shape; a size is a number, and what is not known raises Unknown."""
        if isinstance(value, Count | Turn):
            return ()
        if value is None or isinstance(value, Several | Each | dict):
            raise Unknown
        shape: Shape = value
        return shape

    def of(self, node: ast.expr) -> Any:
        """The value of an expression, None where nothing is known of it."""
        try:
            return self._of(node)
        except Unknown:
            return None

    def _of(self, node: ast.expr) -> Any:
        raise NotImplementedError

    def extent(self, node: ast.expr) -> Shape | None:
        """The sizes that add up to a whole number: H and H for ``2 * H``; None where that is not known."""
        raise NotImplementedError

    def statement(self, node: ast.stmt) -> None:
        """One statement."""
        raise NotImplementedError

    def put(self, base: Each, value: Any) -> None:
        """One more entry of a list or dict."""
        if is_shape(value) and is_shape(base.entry):
            self.sizes.match(base.entry, value)
        elif base.entry is None:
            base.entry = value

    def known_size(self, node: ast.expr) -> Size | None:
        """The size that a formula is, None for any other number."""
        try:
            match node:
                case ast.BinOp(op=ast.Sub()):
                    whole, taken = self.extent(node.left), self.extent(node.right)
                    return None if whole is None or taken is None else self.sizes.less(whole, taken)
                case ast.BinOp(op=ast.FloorDiv() | ast.Div()):
                    whole, by = self.extent(node.left), self.known_size(node.right)
                    return None if not whole or by is None or by == 0 else self.sizes.divided(whole, by)
                case ast.BinOp(op=ast.Add() | ast.Mult()):
                    parts = self.extent(node)
                    return None if parts is None else self.sizes.total(parts)
                case ast.Call(func=function, args=[inner]) if ast.unparse(function) in ROUNDED:
                    return self.known_size(inner)
            return self.size(node) if isinstance(node, ast.Name) or isinstance(self.of(node), Count) else None
        except (Clash, IndexError, TypeError, Unknown):
            return None

    def size(self, node: ast.expr) -> Size:
        """A whole number as the size that it is."""
        if isinstance(node, ast.Name) and node.id not in self.names:
            self.count_named(node.id)
        value = self.of(node)
        if isinstance(value, Count):
            return value.size
        if isinstance(node, ast.Name) and value == () and node.id in self.written:
            formula = self.written.pop(node.id)
            known = self.known_size(formula)
            if known is not None:
                self.names[node.id] = Count(known)
                return known
        if isinstance(node, ast.Name) and value == ():
            self.counts.add(node.id)
            return self.sizes.find(node.id)
        known = self.known_size(node) if isinstance(node, ast.BinOp | ast.Call) else None
        return self.sizes.new() if known is None else known

    def made(self, node: ast.expr | None) -> Any:
        """A shape that was written out: ``(N, D)``, ``W.shape``, or a number."""
        if node is None:
            return None
        if isinstance(node, ast.Tuple | ast.List):
            return tuple(self.size(each) for each in node.elts)
        value = self.of(node)
        if isinstance(value, Several):
            return tuple(each.size if isinstance(each, Count) else self.sizes.new() for each in value.parts)
        return (self.size(node),)
