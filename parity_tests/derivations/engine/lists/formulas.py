"""Formulas with known lists written out: an entry's name in place of ``A[l - 1]``, numbers for what is counted."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any

from parity_tests.derivations.engine.lists.names import names_in, root_of, walked_through
from parity_tests.derivations.engine.lists.static import Entry, Items, NotKnown, Static, is_container

MOST_TURNS = 16
MOST_STATEMENTS = 1500
"""How far loops are written out: longer ones stay as they are."""


class Formulas(ast.NodeTransformer):
    """``visit`` puts an entry's name for its place in a formula."""

    def __init__(self, static: Static, excluded: set[str]) -> None:
        self.static = static
        self.bound = self.static.bound
        self.excluded = excluded
        self.made: list[Items] = []
        self.misfits = 0
        self.running: set[str] = set()
        self.used = False
        self.written = 0
        self.entries = 0
        self.at: ast.stmt = ast.Pass()
        self.out: list[ast.stmt] = []
        self.spelling: dict[str, str] = {}
        self.turns: dict[str, int] = {}

    def put(self, statement: ast.stmt) -> None:
        """One statement more, at the line that it comes from."""
        self.written += 1
        if self.written > MOST_STATEMENTS:
            raise NotKnown("")
        new = ast.copy_location(statement, self.at)
        new.spelling = self.spelling  # type: ignore[attr-defined]
        new.turns = self.turns  # type: ignore[attr-defined]
        new.origin = self.at  # type: ignore[attr-defined]
        self.out.append(new)

    def formula(self, node: ast.expr) -> ast.expr:
        """A formula with the names of entries."""
        new: ast.expr = self.visit(copy.deepcopy(node))
        return new

    def items(self, name: str, values: list[Any], *, to_be_filled: bool = False) -> Items:
        """A list of the text."""
        new = Items(name, values, to_be_filled)
        self.made.append(new)
        return new

    def entry(self, name: str) -> Entry:
        """A name for one more entry, until its place is known."""
        self.entries += 1
        return Entry(f"{name}[@{self.entries}]")

    def bind(self, target: ast.expr, value: Any) -> None:
        """A counter's value; an entry is read and changed under the counter's name."""
        if isinstance(target, ast.Name):
            if is_container(value) and target.id in self.excluded:
                raise NotKnown(value.name)
            self.bound[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, Items):
            for each, part in zip(target.elts, value.values, strict=True):
                self.bind(each, part)
        else:
            raise NotKnown(getattr(value, "name", ""))

    def touched(self, body: list[Any], counters: set[str]) -> list[str]:
        """The known lists that a loop counts through, or makes longer."""
        found = []
        for node in body:
            for each in ast.walk(node):
                if isinstance(each, ast.Subscript) and counters & names_in(each.slice):
                    base = self.bound.get(root_of(each))
                elif isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
                    grows = each.func.attr in ("append", "insert", "pop", "extend")
                    base = self.bound.get(root_of(each.func.value)) if grows else None
                else:
                    continue
                if is_container(base):
                    found.append(base.name)
        return found

    def comprehended(self, node: ast.ListComp | ast.GeneratorExp, of: Callable[[ast.expr], Any]) -> Iterator[Any]:
        """What a comprehension over known values makes of each."""
        generator = node.generators[0]
        values = self.static.sequence(generator.iter)
        if values is None or len(node.generators) > 1 or len(values) > MOST_TURNS:
            raise NotKnown(root_of(next(walked_through(generator.iter), generator.iter)))
        outer = dict(self.bound)
        for value in values:
            self.bind(generator.target, value)
            if all(self.static.known(test) for test in generator.ifs):
                yield of(node.elt)
        for name in names_in(generator.target):
            self.bound.pop(name, None)
            if name in outer:
                self.bound[name] = outer[name]

    def walks(self, node: ast.ListComp | ast.GeneratorExp) -> bool:
        """Whether a comprehension takes its values from known lists."""
        generator = node.generators[0]
        values = self.static.sequence(generator.iter)
        if values is None:
            return False
        holds = any(isinstance(each, Entry) or is_container(each) for each in values)
        return holds or bool(self.touched([node.elt], names_in(generator.target)))

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return self.visit_ListComp(node)

    def visit_ListComp(self, node: ast.ListComp | ast.GeneratorExp) -> ast.AST:
        if self.walks(node):
            self.used = True
            return ast.List(list(self.comprehended(node, self.formula)), ast.Load())
        hidden = {
            name: self.bound.pop(name)
            for each in node.generators
            for name in names_in(each.target)
            if name in self.bound
        }
        new = self.generic_visit(node)
        self.bound.update(hidden)
        return new

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = ast.unparse(node.func)
        if name == "len" and isinstance(count := self.static.known(node), int):
            return ast.Constant(count)
        over = node.args[0] if name == "sum" and len(node.args) == 1 else None
        if isinstance(over, ast.GeneratorExp | ast.ListComp) and self.walks(over):
            self.used = True
            parts = list(self.comprehended(over, self.formula))
            return _added(parts) if parts else ast.Constant(0)
        return self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        test = self.static.known(node.test)
        if test is None:
            return self.generic_visit(node)
        chosen: ast.AST = self.visit(node.body if test else node.orelse)
        return chosen

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Store) and not isinstance(self.bound.get(node.id), Entry):
            self.bound.pop(node.id, None)
            return node
        value = self.static.known(node)
        if value is None:
            return node
        if is_container(value):
            raise NotKnown(value.name)
        if isinstance(value, Entry):
            return self.named(value, node)
        return node if node.id in self.running else ast.Constant(value)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        hidden = {each.arg: self.bound.pop(each.arg) for each in node.args.args if each.arg in self.bound}
        new = self.generic_visit(node)
        self.bound.update(hidden)
        return new

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        value = self.static.known(node)
        if isinstance(value, Entry):
            self.used = True
            return self.named(value, node)
        if is_container(value):
            raise NotKnown(value.name)
        if isinstance(value, int | str):
            return ast.Constant(value)
        base = self.static.known(node.value)
        if is_container(base):
            if self.static.known(node.slice) is None:
                raise NotKnown(base.name)
            self.misfits += 1
            self.used = True
        if is_container(base):
            return ast.Name(f"{ast.unparse(node)}", node.ctx)
        return self.generic_visit(node)

    def named(self, value: Entry, node: ast.expr) -> ast.Name:
        """An entry's name in place of what the text has for it."""
        self.spell(value.id, node)
        return ast.copy_location(ast.Name(value.id, getattr(node, "ctx", ast.Load())), node)

    def spell(self, name: str, node: ast.expr) -> None:
        """Remembers how the text writes an entry in this turn."""
        self.spelling.setdefault(name, ast.unparse(node))


def _added(parts: list[ast.expr]) -> ast.expr:
    total = parts[0]
    for each in parts[1:]:
        total = ast.BinOp(total, ast.Add(), each)
    return total
