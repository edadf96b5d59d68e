"""Loops over lists of layers, written out: ``A[l] = g(W[l] @ A[l-1] + b[l])`` becomes one line for each layer.

A list or dict whose entries are known before the text is run (``A = [X]``, ``A.append(...)``, ``zip(W, b)``,
``grads["dW" + str(l)]``) is replaced by one name for each entry, and the loops that count through it by their turns,
so that each layer has shapes, truths and claims of its own. A list that is used otherwise stays as it is.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from parity_tests.derivations.engine import symbols, words
from parity_tests.derivations.engine.static import (
    LENGTH,
    Entry,
    Free,
    Items,
    NotKnown,
    Static,
    Table,
    is_container,
)

MOST_TURNS = 16
MOST_STATEMENTS = 1500
"""How far loops are written out: longer ones stay as they are."""

_LAYERS = re.compile(r"#\s*layers?\s*:\s*(\d+(?:\s*[-,x]\s*\d+)+)", re.I)


class _Ended(Exception):  # noqa: N818
    """``break`` or ``continue`` in a loop that is written out."""

    def __init__(self, again: bool) -> None:
        super().__init__()
        self.again = again


class _Written(NamedTuple):
    """The statements of a text with its lists written out, and how much of it does not fit."""

    body: list[ast.stmt]
    misfits: int


def unrolled(tree: ast.Module, rows: tuple[str, ...] = (), declared: frozenset[str] = frozenset()) -> ast.Module:
    """The tree without lists of layers; the same tree where it has none."""
    loops = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp)
    if not any(isinstance(node, loops) for node in ast.walk(tree)) and not _numbered(tree) & _begun(tree):
        return tree
    best: _Written | None = None
    for depth, length in _lengths(rows):
        written = _written(tree, depth, length, declared)
        if written is not None and (best is None or written.misfits < best.misfits):
            best = written
        if best is None or not best.misfits:
            break
    if best is None:
        return tree
    return ast.fix_missing_locations(ast.Module(best.body, []))


def _lengths(rows: tuple[str, ...]) -> list[tuple[int, int]]:
    """What a free count of layers and a free list's length may be: as a comment says, or the first that fits."""
    for row in rows:
        if match := _LAYERS.search(row):
            layers = len(re.findall(r"\d+", match[1])) - 1
            return [(layers, layers), (layers + 1, layers)]
    return [(LENGTH, LENGTH), (LENGTH + 1, LENGTH), (LENGTH - 1, LENGTH), (LENGTH, LENGTH + 1)]


def _written(tree: ast.Module, depth: int, length: int, declared: frozenset[str]) -> _Written | None:
    """The text under one assumption on its lengths; names that are no lists of layers are left out one by one."""
    excluded = set(declared)
    first: dict[str, int] = {}
    while True:
        lists, depths = _free_lists(tree, excluded)
        free = [Free(name, length, _stems(tree, name), first.get(name, 0)) for name in sorted(lists)]
        writer = _Writer(Static({each.name: each for each in free}, dict.fromkeys(depths, depth)), excluded)
        try:
            body = writer.block(tree.body)
        except NotKnown as error:
            if error.name in excluded or not error.name:
                return None
            excluded.add(error.name)
            continue
        except (_Ended, RecursionError):
            return None
        if not writer.used:
            return None
        later = {each.name: min(each.counted) for each in free if each.outside and min(each.counted) > each.first}
        if later:  # W[1] is the first of the list that the text has in mind
            first |= later
            continue
        writer.rename(body)
        misfits = sum(len(each.empty) for each in writer.made) + sum(each.outside for each in free)
        return _Written(body, writer.misfits + misfits)


# ---- which free names are lists of layers
def _free_lists(tree: ast.Module, excluded: set[str]) -> tuple[set[str], set[str]]:
    """The free names that a loop counts or walks through, and the free names that say how far."""
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    taken = _assigned(tree) | excluded | words.MODULES | functions
    lists = _numbered(tree)
    lists = {name for name in lists - taken if not symbols.is_data(name) and not symbols.is_label(name)}
    if not lists & _begun(tree):
        lists = set()
    depths: set[str] = set()
    steps: set[str] = set()
    begun = _begun(tree)
    for target, over, body in _loops(tree):
        counters = _follow(target, body)
        counted = {
            root
            for node in body
            for each in ast.walk(node)
            if isinstance(each, ast.Subscript) and (root := root_of(each)) and counters & _names(each.slice)
        }
        walked = {root for each in _walked(over) if (root := root_of(each))}
        mine = ((counted if begun else set()) | walked) - taken
        lists |= {name for name in mine if not symbols.is_data(name) and not symbols.is_label(name)}
        if counted & begun:
            steps |= {name for name in counted - taken if symbols.is_data(name) or symbols.is_label(name)}
        if counted:
            depths |= {name for name in _names(over) - taken if ast.unparse(over).find(f"len({name}") < 0} - walked
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "len" and node.args:
            name = root_of(node.args[0])
            if name and name not in taken and not symbols.is_data(name) and not symbols.is_label(name):
                lists.add(name)
    if not any(not symbols.BIASES.match(symbols.stem_of(name)) for name in lists):
        lists = set()
    return lists | steps, depths - lists


def _numbered(tree: ast.AST) -> set[str]:
    """The names that stand before a whole number in brackets, as ``z[1]``, and nowhere else."""
    nodes = list(ast.walk(tree))
    entries = (
        node.value.id
        for node in nodes
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, int)
    )
    found = Counter(entries)
    every = Counter(node.id for node in nodes if isinstance(node, ast.Name))
    return {name for name in found if found[name] == every[name]}


def _begun(tree: ast.AST) -> set[str]:
    """The names that begin as a list or a dict, or have entries that are given a value and are nothing else before."""
    made = (ast.List, ast.Dict, ast.ListComp)
    found = {
        node.targets[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and (isinstance(node.value, made) or _is_list(node.value))
    }
    entries = (node for node in ast.walk(tree) if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store))
    return found | {root for node in entries if (root := root_of(node)) and root not in _assigned(tree)}


def _is_list(node: ast.expr) -> bool:
    """``[None] * L``, ``dict()``, ``list(...)``."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.left, ast.List)
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("dict", "list")


def _stems(tree: ast.AST, name: str) -> int:
    """How many families of keys a dict has: 2 for ``params["W" + str(l)]`` and ``params["b" + str(l)]``."""
    stems = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and root_of(node) == name:
            texts = (each.value for each in ast.walk(node.slice) if isinstance(each, ast.Constant))
            stems |= {each.rstrip("0123456789") for each in texts if isinstance(each, str)}
    return max(1, len(stems))


def _loops(tree: ast.AST) -> Iterator[tuple[ast.expr, ast.expr, list[Any]]]:
    """Each loop: its counter, what it runs over, and what it repeats."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For):
            yield node.target, node.iter, node.body
        elif isinstance(node, ast.ListComp | ast.GeneratorExp):
            for each in node.generators:
                yield each.target, each.iter, [node.elt, *each.ifs]


def _walked(over: ast.expr) -> Iterator[ast.expr]:
    """What a loop takes its values from: ``W`` and ``b`` of ``enumerate(zip(W, b[1:]))``."""
    if isinstance(over, ast.Call):
        if ast.unparse(over.func) in ("zip", "enumerate", "reversed", "list", "tuple"):
            for each in over.args:
                yield from _walked(each)
        elif isinstance(over.func, ast.Attribute) and over.func.attr in ("items", "values", "keys"):
            yield over.func.value
    elif isinstance(over, ast.Name) or (isinstance(over, ast.Subscript) and isinstance(over.slice, ast.Slice)):
        yield over


def root_of(node: ast.expr) -> str:
    """The name before the brackets, "" where there is none."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _names(node: ast.AST) -> set[str]:
    called = {id(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and id(each) not in called}


def _assigned(node: ast.AST) -> set[str]:
    """The names that a part of the text gives a value, its own arguments among them."""
    stored = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    return stored | {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}


def _follow(target: ast.expr, body: list[Any]) -> set[str]:
    """A loop's counters, and the names in it that are computed from them alone: ``key = "W" + str(l)``."""
    counters = _names(target)
    for node in body:
        for each in ast.walk(node):
            if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name):
                used = _names(each.value)
                if used & counters and not any(isinstance(part, ast.Subscript) for part in ast.walk(each.value)):
                    counters.add(each.targets[0].id)
    return counters


# ---- back to the text
def origin(statement: ast.stmt | None) -> ast.stmt | None:
    """The statement of the text that a statement was written out of; the same for each turn of a loop."""
    return getattr(statement, "origin", statement)


def in_a_loop(statement: ast.stmt | None) -> bool:
    """Whether a statement is one of several turns of a loop."""
    return bool(getattr(statement, "turns", None))


def as_in_the_text(statement: ast.stmt, changed: ast.stmt) -> str:
    """A changed statement with the text's own words for the entries of its lists."""
    new = _Spelled(getattr(statement, "spelling", {}), getattr(statement, "turns", {})).visit(copy.deepcopy(changed))
    source = origin(statement)
    if isinstance(source, ast.Expr) and isinstance(source.value, ast.Call) and isinstance(new, ast.Assign):
        call = copy.copy(source.value)
        call.args = [*call.args[:-1], new.value]
        return ast.unparse(ast.fix_missing_locations(call))
    if isinstance(new, ast.Assign) and isinstance(new.value, ast.Tuple) and new.value.elts:
        targets = " = ".join(ast.unparse(each).strip("()") for each in new.targets)
        return f"{targets} = {', '.join(ast.unparse(each) for each in new.value.elts)}"
    return ast.unparse(ast.fix_missing_locations(new))


class _Spelled(ast.NodeTransformer):
    """Entries as the text writes them in one turn: ``A[l - 1]`` for A[1] where l is 2."""

    def __init__(self, spelling: dict[str, str], turns: dict[str, int]) -> None:
        self.spelling = spelling
        self.counters = {name: value for name, value in turns.items() if name}

    def visit_Name(self, node: ast.Name) -> ast.AST:
        written = self.spelling.get(node.id) or self._beside(node.id)
        return node if written is None else ast.parse(written, mode="eval").body

    def _beside(self, name: str) -> str | None:
        """An entry that this turn does not write, counted from one that it does, or from the counter."""
        match = _COUNTED.fullmatch(name)
        if match is None or not self.counters:
            return None
        for other, written in self.spelling.items():
            found = _COUNTED.fullmatch(other)
            node = ast.parse(written, mode="eval").body
            if found and found[1] == match[1] and isinstance(node, ast.Subscript) and _names(node.slice):
                return f"{ast.unparse(node.value)}[{_moved(node.slice, int(match[2]) - int(found[2]))}]"
        counter, value = list(self.counters.items())[-1]
        return f"{match[1]}[{_moved(ast.Name(counter, ast.Load()), int(match[2]) - value)}]"


_COUNTED = re.compile(r"(\w+)\[(\d+)\]")


def _moved(index: ast.expr, by: int) -> str:
    """A place so many further on."""
    match index:
        case ast.BinOp(op=ast.Add(), right=ast.Constant(value=int() as more)):
            return _moved(index.left, by + more)
        case ast.BinOp(op=ast.Sub(), right=ast.Constant(value=int() as less)):
            return _moved(index.left, by - less)
    return f"{ast.unparse(index)} {'-+'[by > 0]} {abs(by)}" if by else ast.unparse(index)


# ---- writing out
class _Writer(ast.NodeTransformer):
    """The statements with known lists written out. ``visit`` puts an entry's name for its place in a formula."""

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

    # -- statements
    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The statements of a block, written out."""
        outer, self.out = self.out, []
        try:
            for statement in body:
                self.statement(statement)
        except _Ended as ended:
            outer.extend(self.out)
            raise ended
        finally:
            new, self.out = self.out, outer
        return new

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
                    raise _Ended(isinstance(node, ast.Continue))
                self.put(copy.copy(node))
            case ast.FunctionDef():
                for name in _names(node) - _assigned(node):
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
        for name in _assigned(node):
            if not is_container(self.bound.get(name)):
                self.bound.pop(name, None)

    def formula(self, node: ast.expr) -> ast.expr:
        """A formula with the names of entries."""
        new: ast.expr = self.visit(copy.deepcopy(node))
        return new

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
            for name in _names(target):
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

    def items(self, name: str, values: list[Any], *, to_be_filled: bool = False) -> Items:
        """A list of the text."""
        new = Items(name, values, to_be_filled)
        self.made.append(new)
        return new

    def entry(self, name: str) -> Entry:
        """A name for one more entry, until its place is known."""
        self.entries += 1
        return Entry(f"{name}[@{self.entries}]")

    # -- loops
    def loop(self, node: ast.For) -> None:
        """A loop over known values that counts through known lists is written out; another is written once."""
        values = self.static.sequence(node.iter)
        holds = values is not None and any(isinstance(each, Entry) or is_container(each) for each in values)
        counters = _follow(node.target, node.body)
        touched = self.touched(node.body, counters)
        if values is None or not (holds or touched):
            if touched:
                raise NotKnown(touched[0])
            self.once(node)
            return
        if len(values) > MOST_TURNS:
            raise NotKnown(touched[0] if touched else root_of(next(_walked(node.iter))))
        self.used = True
        spelling, turns = self.spelling, self.turns
        for value in values:
            self.spelling = {}
            self.bind(node.target, value)
            if isinstance(node.target, ast.Name) and isinstance(value, int):
                self.turns = {**turns, node.target.id: value}
            else:
                self.turns = {**turns, "": 0}
            try:
                self.inline(node.body)
            except _Ended as ended:
                if not ended.again:
                    break
        self.spelling, self.turns = spelling, turns

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
                if isinstance(each, ast.Subscript) and counters & _names(each.slice):
                    base = self.bound.get(root_of(each))
                elif isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
                    grows = each.func.attr in ("append", "insert", "pop", "extend")
                    base = self.bound.get(root_of(each.func.value)) if grows else None
                else:
                    continue
                if is_container(base):
                    found.append(base.name)
        return found

    def once(self, node: ast.For | ast.While) -> None:
        """A loop that stays one: what it assigns is not known, and no known list may change its length in it."""
        self.forget(node)
        before = {name: (value, value.keys()) for name, value in self.bound.items() if isinstance(value, Items | Table)}
        turns, self.turns = self.turns, {}
        body = self.block(node.body) or [ast.Pass()]
        self.turns = turns
        for value, keys in before.values():
            if value.keys() != keys:
                raise NotKnown(value.name)
        self.at = node
        if isinstance(node, ast.While):
            self.put(ast.While(self.formula(node.test), body, []))
        else:
            self.put(ast.For(copy.deepcopy(node.target), self.formula(node.iter), body, []))

    def repeat(self, node: ast.While) -> None:
        """``while l > 0`` with a known l."""
        test = self.static.known(node.test)
        touched = self.touched(node.body, _names(node.test))
        if test is None or not touched:
            self.once(node)
            return
        self.used = True
        turns = self.turns
        for _ in range(MOST_TURNS):
            if not self.static.known(node.test):
                break
            self.turns = {**turns, "": 0}
            try:
                self.inline(node.body)
            except _Ended as ended:
                if not ended.again:
                    break
        else:
            raise NotKnown(touched[0])
        self.turns = turns

    # -- formulas
    def comprehended(self, node: ast.ListComp | ast.GeneratorExp, of: Callable[[ast.expr], Any]) -> Iterator[Any]:
        """What a comprehension over known values makes of each."""
        generator = node.generators[0]
        values = self.static.sequence(generator.iter)
        if values is None or len(node.generators) > 1 or len(values) > MOST_TURNS:
            raise NotKnown(root_of(next(_walked(generator.iter), generator.iter)))
        outer = dict(self.bound)
        for value in values:
            self.bind(generator.target, value)
            if all(self.static.known(test) for test in generator.ifs):
                yield of(node.elt)
        for name in _names(generator.target):
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
        return holds or bool(self.touched([node.elt], _names(generator.target)))

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return self.visit_ListComp(node)

    def visit_ListComp(self, node: ast.ListComp | ast.GeneratorExp) -> ast.AST:
        if self.walks(node):
            self.used = True
            return ast.List(list(self.comprehended(node, self.formula)), ast.Load())
        hidden = {
            name: self.bound.pop(name) for each in node.generators for name in _names(each.target) if name in self.bound
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

    # -- names for good
    def rename(self, body: list[ast.stmt]) -> None:
        """Gives each entry the name of the place where it is in the end."""
        names: dict[str, str] = {}

        def walk(value: Any, path: str) -> None:
            if isinstance(value, Entry) and "[@" in value.id:
                names.setdefault(value.id, path)
            elif isinstance(value, Items) and len(path) < 80:
                for place, each in enumerate(value.values):
                    walk(each, f"{path}[{place}]")
            elif isinstance(value, Table) and len(path) < 80:
                for key, each in value.entries.items():
                    walk(each, f"{path}[{key!r}]")

        owned = [(name, value) for name, value in self.bound.items() if is_container(value)]
        for name, value in sorted(owned, key=lambda each: each[1].name != each[0]):
            walk(value, name)
        taken = set(names.values())
        for statement in body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and "[@" in node.id:
                    if node.id not in names:
                        base = node.id.partition("[@")[0]
                        place = 0
                        while f"{base}[{place}]'" in taken:
                            place += 1
                        names[node.id] = f"{base}[{place}]'"
                        taken.add(names[node.id])
                    node.id = names[node.id]
        for statement in body:
            for node in ast.walk(statement):
                spelling = getattr(node, "spelling", None)
                if spelling:
                    for old in [each for each in spelling if each in names]:
                        spelling[names[old]] = spelling.pop(old)


def _added(parts: list[ast.expr]) -> ast.expr:
    total = parts[0]
    for each in parts[1:]:
        total = ast.BinOp(total, ast.Add(), each)
    return total
