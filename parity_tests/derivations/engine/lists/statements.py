"""Statements with known lists written out: assignments to their entries, appends, branches, unpacking."""

from __future__ import annotations

import ast
import copy
from typing import Any

from parity_tests.derivations.engine.lists.formulas import MOST_TURNS, Formulas
from parity_tests.derivations.engine.lists.names import assigned_in, names_in
from parity_tests.derivations.engine.lists.static import Entry, Free, Items, NotKnown, Table, is_container


class Ended(Exception):  # noqa: N818
    """``break`` or ``continue`` in a loop that is written out."""

    def __init__(self, again: bool) -> None:
        super().__init__()
        self.again = again


class Statements(Formulas):
    """The statements of a text outside of its loops."""

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The statements of a block, written out."""
        outer, self.out = self.out, []
        try:
            for statement in body:
                self.statement(statement)
        except Ended as ended:
            outer.extend(self.out)
            raise ended
        finally:
            new, self.out = self.out, outer
        return new

    def inline(self, body: list[ast.stmt]) -> None:
        """The statements of a block that is taken for certain."""
        for statement in body:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        """One statement."""
        self.at = node
        match node:
            case ast.Assign(targets=[target]):
                self.assign(node, target)
            case ast.AugAssign():
                self.augment(node)
            case ast.For():
                self.loop(node)
            case ast.While():
                self.repeat(node)
            case ast.If():
                test = self.static.known(node.test)
                if test is None:
                    self.either(node)
                else:
                    self.inline(node.body if test else node.orelse)
            case ast.With():
                self.inline(node.body)
            case ast.Expr(value=ast.Call(func=ast.Attribute() as function) as call) if is_container(
                base := self.static.known(function.value)
            ):
                self.change(base, function, call.args)
            case ast.Break() | ast.Continue():
                if self.turns:
                    raise Ended(isinstance(node, ast.Continue))
                self.put(copy.copy(node))
            case ast.FunctionDef():
                for name in names_in(node) - assigned_in(node):
                    if is_container(self.bound.get(name)):
                        raise NotKnown(self.bound[name].name)
                self.put(copy.deepcopy(node))
            case _:
                self.put(self.visit(copy.deepcopy(node)))

    def either(self, node: ast.If) -> None:
        """A branch that only the run knows: what it assigns is not known behind it."""
        test = self.formula(node.test)
        body = self.block(node.body) or [ast.Pass()]
        self.forget(node)
        other = self.block(node.orelse)
        self.forget(node)
        self.at = node
        self.put(ast.If(test, body, other))

    def forget(self, node: ast.AST) -> None:
        """What is assigned in a part of the text is no longer known; lists still are."""
        for name in assigned_in(node):
            if not is_container(self.bound.get(name)):
                self.bound.pop(name, None)

    def assign(self, node: ast.Assign, target: ast.expr) -> None:
        """``x = ...``: a known list or number is kept in mind, anything else is a line of the text."""
        value = self.static.known(node.value)
        if isinstance(target, ast.Name):
            if value is None and target.id not in self.excluded and self.holds(node.value):
                value = self.stored(node.value, target.id)
            if is_container(value):
                if target.id in self.excluded and value.name:
                    raise NotKnown(value.name)
                if target.id not in self.excluded:
                    value.name = value.name or target.id
                    self.bound[target.id] = value
                    return
            self.bound.pop(target.id, None)
            self.running.discard(target.id)
            if isinstance(value, int | str):
                self.bound[target.id] = value
                if not isinstance(node.value, ast.Constant):
                    return
                self.running.add(target.id)
        elif isinstance(target, ast.Tuple | ast.List):
            if isinstance(value, Items) and len(value.values) == len(target.elts):
                self.unpack(target, value)
                return
            for name in names_in(target):
                self.bound.pop(name, None)
        elif isinstance(target, ast.Subscript) and self.into(target, node.value):
            return
        self.put(ast.Assign([self.formula(target)], self.formula(node.value)))

    def holds(self, node: ast.expr) -> bool:
        """Whether a right side makes a list, a tuple or a dict."""
        match node:
            case ast.List() | ast.Tuple() | ast.Dict() | ast.ListComp():
                return True
            case ast.Call(func=ast.Name(id=name)):
                return name in ("list", "dict", "tuple")
            case ast.BinOp(op=ast.Add() | ast.Mult()):
                return self.holds(node.left) or self.holds(node.right)
        return False

    def unpack(self, target: ast.Tuple | ast.List, value: Items) -> None:
        """``A_prev, W, b = cache``."""
        for each, part in zip(target.elts, value.values, strict=True):
            if isinstance(each, ast.Tuple | ast.List) and isinstance(part, Items):
                self.unpack(each, part)
            elif not isinstance(each, ast.Name):
                raise NotKnown(value.name)
            elif isinstance(part, Entry):
                self.bound.pop(each.id, None)
                self.put(ast.Assign([ast.Name(each.id, ast.Store())], ast.Name(part.id, ast.Load())))
            else:
                self.bound[each.id] = part

    def into(self, target: ast.Subscript, value: ast.expr) -> bool:
        """``A[l] = ...`` of a known list or dict; False where it is an array."""
        base = self.static.known(target.value)
        if not is_container(base):
            return False
        place = self.static.known(target.slice)
        if not isinstance(place, int | str):
            raise NotKnown(base.name)
        self.used = True
        held = self.static.known(value)
        if is_container(held) or isinstance(value, ast.Tuple | ast.List | ast.Dict):
            self.keep(base, place, held if is_container(held) else self.stored(value, base.name))
            return True
        new = self.formula(value)
        entry = self.keep(base, place, None)
        self.spell(entry.id, target)
        self.put(ast.Assign([ast.Name(entry.id, ast.Store())], new))
        return True

    def keep(self, base: Any, place: int | str, value: Any) -> Any:
        """Puts a value, or a new entry, into a list or dict."""
        try:
            return base.put(place, value, self.entry)
        except IndexError:
            self.misfits += 1
            return self.entry(base.name)

    def augment(self, node: ast.AugAssign) -> None:
        """``x op= e``, of a counter, an entry or an array."""
        target = node.target
        if isinstance(target, ast.Name) and isinstance(self.bound.get(target.id), int):
            number = self.static.known(ast.BinOp(ast.Name(target.id, ast.Load()), node.op, node.value))
            old = self.bound.pop(target.id)
            if isinstance(number, int):
                self.bound[target.id] = number
            elif target.id not in self.running:
                self.put(ast.Assign([ast.Name(target.id, ast.Store())], ast.Constant(old)))
            if target.id not in self.running and isinstance(number, int):
                return
        if isinstance(target, ast.Name) and is_container(self.bound.get(target.id)):
            more = self.stored(node.value, target.id)
            own = self.bound[target.id]
            if not (isinstance(own, Items) and isinstance(more, Items) and isinstance(node.op, ast.Add)):
                raise NotKnown(own.name)
            own.values.extend(more.values)
            return
        if isinstance(target, ast.Subscript) and is_container(base := self.static.known(target.value)):
            place = self.static.known(target.slice)
            held = self.static.known(target)
            if isinstance(held, int) and isinstance(place, int | str):
                value = ast.BinOp(ast.Constant(held), node.op, node.value)
                self.into(target, value)
                return
            if not isinstance(held, Entry) or not isinstance(place, int | str):
                raise NotKnown(base.name)
            self.keep(base, place, held)
            self.used = True
        changed = self.formula(target)
        assert isinstance(changed, ast.Name | ast.Attribute | ast.Subscript)
        self.put(ast.AugAssign(changed, node.op, self.formula(node.value)))

    def change(self, base: Items | Table | Free, function: ast.Attribute, arguments: list[ast.expr]) -> None:
        """``A.append(x)`` and its like on a known list."""
        match function.attr, base, arguments:
            case "append", Items(), [value]:
                place = len(base.values)
            case "insert", Items(), [ast.Constant(value=0), value]:
                place = 0
            case "extend", Items(), [value] if isinstance(more := self.stored(value, base.name), Items):
                base.values.extend(more.values)
                return
            case "reverse", Items(), []:
                base.values.reverse()
                return
            case _:
                raise NotKnown(base.name)
        self.used = True
        base.values.insert(place, self.stored(value, base.name, f"{ast.unparse(function.value)}[{-1 if place else 0}]"))

    def stored(self, node: ast.expr, name: str, spelled: str = "") -> Any:
        """What a formula puts into a list: a known list, a number, or a new entry with a line of its own."""
        held = self.static.known(node)
        if (
            is_container(held)
            or isinstance(held, int | str)
            or (isinstance(held, Entry) and isinstance(node, ast.Name))
        ):
            return held
        match node:
            case ast.Constant(value=None):
                return None
            case ast.List() | ast.Tuple() if not any(isinstance(each, ast.Starred) for each in node.elts):
                return self.items(name, [self.stored(each, name) for each in node.elts])
            case ast.Dict():
                keys = [None if each is None else self.static.known(each) for each in node.keys]
                if all(isinstance(each, int | str) for each in keys):
                    return Table(
                        name, {key: self.stored(each, name) for key, each in zip(keys, node.values, strict=True)}
                    )
                raise NotKnown(name)
            case ast.Call(func=ast.Name(id="dict"), args=[], keywords=[]):
                return Table(name, {})
            case ast.ListComp():
                made = list(self.comprehended(node, lambda element: self.stored(element, name)))
                return self.items(name, made, to_be_filled="zeros" in ast.unparse(node.elt))
            case ast.BinOp(left=ast.List(elts=[ast.Constant(value=value)]), op=ast.Mult()):
                count = self.static.known(node.right)
                if not isinstance(count, int) or count > MOST_TURNS or value not in (None, 0):
                    raise NotKnown(name)
                return self.items(name, [None] * count, to_be_filled=True)
            case ast.BinOp(op=ast.Add()) if self.holds(node):
                first, second = self.stored(node.left, name), self.stored(node.right, name)
                if not (isinstance(first, Items) and isinstance(second, Items)):
                    raise NotKnown(name)
                return self.items(name, [*first.values, *second.values])
        if self.holds(node):
            raise NotKnown(name)
        entry = self.entry(name)
        if spelled:
            self.spelling[entry.id] = spelled
        self.put(ast.Assign([ast.Name(entry.id, ast.Store())], self.formula(node)))
        return entry

    def loop(self, node: ast.For) -> None:
        """A loop that counts."""
        raise NotImplementedError

    def repeat(self, node: ast.While) -> None:
        """A loop with a condition."""
        raise NotImplementedError
