"""A statement of a program in plain names: ``self.W1`` and ``grads["W1"]`` as names of the arrays that they hold."""

from __future__ import annotations

import ast
import copy
import re
import types
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from parity_tests.derivations.engine import words
from parity_tests.derivations.engine.edits.products import forward_factors
from parity_tests.derivations.engine.numbers.kinds import is_array, is_function
from parity_tests.derivations.engine.python.exchanged import target_of
from parity_tests.derivations.engine.python.execution import FILE
from parity_tests.derivations.engine.python.instrument import FUNCTIONS, local_names

MOST_BESIDE = 60
"""How many formulas of a function are tried in place of others."""


def in_plain_names(
    tree: ast.Module, statement: ast.stmt, names: Mapping[str, Any]
) -> tuple[ast.stmt, str, Mapping[str, Any]]:
    """The statement with ``self.W1`` and ``grads["W1"]`` as plain names, as far as they hold arrays or numbers."""
    around = _function_of(tree, statement)
    flat = _reached(around, {name: value for name, value in names.items() if not name.startswith("__")})
    for name, value in list(flat.items()):
        flat |= _entries(name, value)
    for text in (*_said_beside(tree, around, statement), *_of_lists(statement, flat)):
        value = _value_of(text, flat) if text not in flat else None
        if is_array(value) or isinstance(value, float):
            flat[text] = value
    flattener = _Flattener(flat)
    new = flattener.visit(copy.deepcopy(statement))
    place = target_of(new)
    while isinstance(place, ast.Subscript):
        place = place.value
    return ast.fix_missing_locations(new), ast.unparse(place), flat


@lru_cache(maxsize=32)
def _function_of(tree: ast.Module, statement: ast.stmt) -> ast.AST:
    """The innermost function in which a statement stands, or else the whole program."""
    around: ast.AST = tree
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS[:2]) and node.lineno <= statement.lineno <= (node.end_lineno or 0):
            around = node
    return around


def _reached(around: ast.AST, names: Mapping[str, Any]) -> dict[str, Any]:
    """The names that may be written in a function: those that stand in it, and what is no variable.

    Arrays outside of it may be written where it reads such.
    """
    if not isinstance(around, FUNCTIONS[:2]):
        return dict(names)
    inside, read = _names_in(around)
    outer = any(is_array(names.get(name)) for name in read)
    return {
        name: value
        for name, value in names.items()
        if name in inside
        or is_function(value)
        or isinstance(value, types.ModuleType)
        or (outer and (is_array(value) or isinstance(value, int | float)))
    }


@lru_cache(maxsize=32)
def _names_in(around: ast.AST) -> tuple[set[str], set[str]]:
    """The names that stand in a function, and those of them that are not its own."""
    own = local_names(around)
    inside = {each.id for each in ast.walk(around) if isinstance(each, ast.Name)} | own
    return inside, inside - own


@lru_cache(maxsize=32)
def _said_beside(tree: ast.Module, around: ast.AST, statement: ast.stmt) -> list[str]:
    """What stands beside a statement in its function: entries of lists, and what values are multiplied by.

    An index may be off by one: its neighbours are there as well.
    """
    found: dict[str, None] = {}
    lists: dict[str, None] = {}
    for node in ast.walk(around):
        if isinstance(node, ast.Subscript) and not any(isinstance(each, ast.Slice) for each in ast.walk(node.slice)):
            found[ast.unparse(_as_read(node))] = None
            lists[ast.unparse(_as_read(node.value))] = None
    for node in ast.walk(statement):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name | ast.BinOp | ast.UnaryOp):
            where = ast.unparse(node.slice)
            for moved in (f"{where} - 1", f"{where} + 1"):
                found[f"{ast.unparse(_as_read(node.value))}[{_simple(moved)}]"] = None
            found |= dict.fromkeys(f"{base}[{where}]" for base in lists)
    for text in forward_factors(tree):
        found[text] = None
    return list(found)[:MOST_BESIDE]


def _of_lists(statement: ast.stmt, names: Mapping[str, Any]) -> list[str]:
    """The entries of lists of numbers in the place that a statement reads or writes: ``inputs[j]`` beside ``w[j]``."""
    places = {
        each.slice.id
        for each in ast.walk(statement)
        if isinstance(each, ast.Subscript) and isinstance(each.slice, ast.Name)
    }
    lists = [name for name, value in names.items() if isinstance(value, list) and value and isinstance(value[0], float)]
    return [f"{name}[{place}]" for place in sorted(places) for name in lists][:MOST_BESIDE]


def _simple(text: str) -> str:
    """``l`` for ``l - 1 + 1``, and ``l - 2`` for ``l - 1 - 1``."""
    match = re.fullmatch(r"(.*?) ([+-]) (\d+) ([+-]) 1", text)
    if match is None:
        return text
    number = int(match[2] + match[3]) + int(match[4] + "1")
    return match[1] if number == 0 else f"{match[1]} {'-' if number < 0 else '+'} {abs(number)}"


class _Flattener(ast.NodeTransformer):
    """``self.W1`` and ``cache["A1"]`` as names of what they hold."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._flat(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return self._flat(node)

    def _flat(self, node: ast.Attribute | ast.Subscript) -> ast.AST:
        holder = _value_of(ast.unparse(node.value), self.names)
        known = isinstance(node, ast.Attribute) and node.attr in words.ATTRIBUTES | words.METHODS
        if is_array(holder) or holder is None or known or isinstance(holder, types.ModuleType):
            return self.generic_visit(node)
        if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
            return self.generic_visit(node)
        text = ast.unparse(node)
        value = _value_of(text, self.names)
        if isinstance(node.ctx, ast.Load) and not (is_array(value) or isinstance(value, int | float)):
            return self.generic_visit(node)
        if value is not None:
            self.names[text] = value
        return ast.copy_location(ast.Name(text, node.ctx), node)


def _value_of(text: str, names: dict[str, Any]) -> Any:
    """The value of an expression among some names, None where it has none."""
    try:
        return eval(_code(text), {**names})
    except Exception:
        return None


@lru_cache(maxsize=512)
def _code(text: str) -> types.CodeType:
    return compile(text, FILE, "eval")


def _as_read(node: ast.expr) -> ast.expr:
    new = copy.deepcopy(node)
    for each in ast.walk(new):
        if isinstance(getattr(each, "ctx", None), ast.Store):
            each.ctx = ast.Load()  # type: ignore[attr-defined]
    return new


def _entries(name: str, value: Any, depth: int = 0) -> dict[str, Any]:
    """The arrays and numbers in an object or a dict, by the names that a program has for them."""
    if isinstance(value, dict):
        pairs = [(f"{name}[{key!r}]", each) for key, each in value.items() if isinstance(key, str)]
    elif isinstance(value, types.ModuleType) or is_function(value) or not hasattr(value, "__dict__"):
        return {}
    else:
        pairs = [(f"{name}.{key}", each) for key, each in vars(value).items()]
    found: dict[str, Any] = {}
    for text, each in pairs[:40]:
        if is_array(each) or (isinstance(each, int | float) and not isinstance(each, bool)):
            found[text] = each
        elif depth == 0:
            found |= _entries(text, each, 1)
    return found
