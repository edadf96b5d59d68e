"""Loops over lists of layers, written out: ``A[l] = g(W[l] @ A[l-1] + b[l])`` becomes one line for each layer.

A list or dict whose entries are known before the text is run (``A = [X]``, ``A.append(...)``, ``zip(W, b)``,
``grads["dW" + str(l)]``) is replaced by one name for each entry, and the loops that count through it by their turns,
so that each layer has shapes, truths and claims of its own. A list that is used otherwise stays as it is.
"""

from __future__ import annotations

import ast
import copy
import re
from typing import Any, NamedTuple

from parity_tests.derivations.engine.lists.formulas import MOST_TURNS
from parity_tests.derivations.engine.lists.names import (
    begun_lists,
    counters_of,
    free_lists,
    key_families,
    longer_names,
    names_in,
    numbered_names,
    root_of,
    walked_through,
)
from parity_tests.derivations.engine.lists.statements import Ended, Statements
from parity_tests.derivations.engine.lists.static import (
    LENGTH,
    Entry,
    Free,
    Items,
    NotKnown,
    Static,
    Table,
    is_container,
)

_LAYERS = re.compile(r"#\s*layers?\s*:\s*(\d+(?:\s*[-,x]\s*\d+)+)", re.I)


class _Written(NamedTuple):
    """The statements of a text with its lists written out, and how much of it does not fit."""

    body: list[ast.stmt]
    misfits: int


def unrolled(tree: ast.Module, rows: tuple[str, ...] = (), declared: frozenset[str] = frozenset()) -> ast.Module:
    """The tree without lists of layers; the same tree where it has none."""
    loops = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp)
    if not any(isinstance(node, loops) for node in ast.walk(tree)) and not numbered_names(tree) & begun_lists(tree):
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
        lists, depths = free_lists(tree, excluded)
        free = [Free(name, length, key_families(tree, name), first.get(name, 0)) for name in sorted(lists)]
        counts = dict.fromkeys(depths, depth) | dict.fromkeys(longer_names(tree) & depths, depth + 2)
        writer = _Writer(Static({each.name: each for each in free}, counts), excluded)
        try:
            body = writer.block(tree.body)
        except NotKnown as error:
            if error.name in excluded or not error.name:
                return None
            excluded.add(error.name)
            continue
        except (Ended, RecursionError):
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


class _Writer(Statements):
    """The statements with known lists written out, loops turn by turn."""

    def loop(self, node: ast.For) -> None:
        """A loop over known values that counts through known lists is written out; another is written once."""
        values = self.static.sequence(node.iter)
        holds = values is not None and any(isinstance(each, Entry) or is_container(each) for each in values)
        counters = counters_of(node.target, node.body)
        touched = self.touched(node.body, counters)
        if values is None or not (holds or touched):
            if touched:
                raise NotKnown(touched[0])
            self.once(node)
            return
        if len(values) > MOST_TURNS:
            raise NotKnown(touched[0] if touched else root_of(next(walked_through(node.iter))))
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
            except Ended as ended:
                if not ended.again:
                    break
        self.spelling, self.turns = spelling, turns

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
        touched = self.touched(node.body, names_in(node.test))
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
            except Ended as ended:
                if not ended.again:
                    break
        else:
            raise NotKnown(touched[0])
        self.turns = turns

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
