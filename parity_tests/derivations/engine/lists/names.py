"""Which free names of a text are lists of layers, and the names that loops count and walk through."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from typing import Any

from parity_tests.derivations.engine import symbols, words


def longer_names(tree: ast.Module) -> set[str]:
    """The names from which another is taken away: T of ``T - k``, in which there is room for more than one k."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(left=ast.Name(id=whole), op=ast.Sub(), right=ast.Name()):
                found.add(whole)
    return found


def free_lists(tree: ast.Module, excluded: set[str]) -> tuple[set[str], set[str]]:
    """The free names that a loop counts or walks through, and the free names that say how far."""
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    taken = assigned_in(tree) | excluded | words.MODULES | functions
    lists = numbered_names(tree)
    lists = {name for name in lists - taken if not symbols.is_data(name) and not symbols.is_label(name)}
    if not lists & begun_lists(tree):
        lists = set()
    depths: set[str] = set()
    steps: set[str] = set()
    begun = begun_lists(tree)
    for target, over, body in _loops(tree):
        counters = counters_of(target, body)
        counted = {
            root
            for node in body
            for each in ast.walk(node)
            if isinstance(each, ast.Subscript) and (root := root_of(each)) and counters & names_in(each.slice)
        }
        walked = {root for each in walked_through(over) if (root := root_of(each))}
        mine = ((counted if begun else set()) | walked) - taken
        lists |= {name for name in mine if not symbols.is_data(name) and not symbols.is_label(name)}
        if counted & begun:
            steps |= {name for name in counted - taken if symbols.is_data(name) or symbols.is_label(name)}
        if counted:
            depths |= {name for name in names_in(over) - taken if ast.unparse(over).find(f"len({name}") < 0} - walked
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "len" and node.args:
            name = root_of(node.args[0])
            if name and name not in taken and not symbols.is_data(name) and not symbols.is_label(name):
                lists.add(name)
    if not any(not symbols.BIASES.match(symbols.stem_of(name)) for name in lists):
        lists = set()
    return lists | steps, depths - lists


def numbered_names(tree: ast.AST) -> set[str]:
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


def begun_lists(tree: ast.AST) -> set[str]:
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
    return found | {root for node in entries if (root := root_of(node)) and root not in assigned_in(tree)}


def _is_list(node: ast.expr) -> bool:
    """``[None] * L``, ``dict()``, ``list(...)``."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.left, ast.List)
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("dict", "list")


def key_families(tree: ast.AST, name: str) -> int:
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


def walked_through(over: ast.expr) -> Iterator[ast.expr]:
    """What a loop takes its values from: ``W`` and ``b`` of ``enumerate(zip(W, b[1:]))``."""
    if isinstance(over, ast.Call):
        if ast.unparse(over.func) in ("zip", "enumerate", "reversed", "list", "tuple"):
            for each in over.args:
                yield from walked_through(each)
        elif isinstance(over.func, ast.Attribute) and over.func.attr in ("items", "values", "keys"):
            yield over.func.value
    elif isinstance(over, ast.Name) or (isinstance(over, ast.Subscript) and isinstance(over.slice, ast.Slice)):
        yield over


def root_of(node: ast.expr) -> str:
    """The name before the brackets, "" where there is none."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def names_in(node: ast.AST) -> set[str]:
    called = {id(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and id(each) not in called}


def assigned_in(node: ast.AST) -> set[str]:
    """The names that a part of the text gives a value, its own arguments among them."""
    stored = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    return stored | {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}


def counters_of(target: ast.expr, body: list[Any]) -> set[str]:
    """A loop's counters, and the names in it that are computed from them alone: ``key = "W" + str(l)``."""
    counters = names_in(target)
    for node in body:
        for each in ast.walk(node):
            if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name):
                used = names_in(each.value)
                if used & counters and not any(isinstance(part, ast.Subscript) for part in ast.walk(each.value)):
                    counters.add(each.targets[0].id)
    return counters
