"""What an argument is, by what a program does with it: how many axes it has, which words it is compared with."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from typing import Any

MAKES = re.compile(r"^(randn|rand|zeros|ones|normal|uniform|standard_normal|random|empty)$")
"""Functions that are given sizes."""


def reached(nodes: Iterable[ast.AST], tree: ast.Module) -> list[ast.AST]:
    """Functions and classes, and behind them those of a file that they call: an argument may be handed on."""
    known = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    found = list(nodes)
    for node in found:
        names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        found += [known[name] for name in known if name in names and known[name] not in found]
    return found


def rank_of(name: str, scope: Sequence[ast.AST]) -> int | None:
    """The number of axes of an argument, by the first of several functions that says it; None where none does."""
    return next((count for node in scope if (count := _rank_in(name, node)) is not None), None)


def _rank_in(name: str, tree: ast.AST) -> int | None:
    """Unpacked from its shape, taken by an index, or summed over; None where nothing says so."""
    found = [0]
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=parts)], value=ast.Attribute(attr="shape", value=holder)):
                if _is(holder, name):
                    return len(parts)
            case ast.Subscript(value=holder, slice=ast.Tuple(elts=parts)) if _is(holder, name):
                found.append(sum(not _is_new(each) for each in parts))
            case ast.Call(func=ast.Attribute(value=holder), keywords=settings) if _is(holder, name):
                found += [max(axes) + 1 for each in settings if each.arg == "axis" and (axes := _numbers(each.value))]
    return max(found) or None


def unpacked_as(name: str, scope: Sequence[ast.AST]) -> list[str]:
    """The names that the sizes of an argument get."""
    for node in (each for one in scope for each in ast.walk(one)):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=parts)], value=ast.Attribute(attr="shape", value=holder)):
                if _is(holder, name):
                    return [ast.unparse(each) for each in parts]
    return []


def unpacked(name: str, tree: ast.AST) -> list[str]:
    """The names into which an argument is unpacked: ``A_prev, W, b = cache``."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=parts) | ast.List(elts=parts)], value=holder):
                if _is(holder, name) and all(isinstance(each, ast.Name) for each in parts):
                    return [ast.unparse(each) for each in parts]
    return []


def makes_arrays(tree: ast.AST) -> bool:
    """Whether a function begins something anew: ``create_mask(x)``, which only compares, does not."""
    return any(map(_makes, ast.walk(tree)))


def _makes(node: ast.AST) -> bool:
    function = node.func if isinstance(node, ast.Call) else None
    return bool(MAKES.match(getattr(function, "attr", getattr(function, "id", ""))))


def is_size(name: str, tree: ast.AST) -> bool:
    """Whether an argument is the size of an array that is made: ``np.random.randn(a, b)``, ``np.zeros((a, 1))``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _makes(node):
            given = [*node.args, *(each.value for each in node.keywords if each.arg == "size")]
            if any(_is(each, name) for whole in given for each in getattr(whole, "elts", [whole])):
                return True
    return False


def is_keyed(name: str, tree: ast.AST) -> bool:
    """Whether an argument is a dict whose keys are words."""
    return any(
        isinstance(node, ast.Subscript)
        and _is(node.value, name)
        and any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in ast.walk(node.slice))
        for node in ast.walk(tree)
    )


def is_array(name: str, tree: ast.AST) -> bool:
    """Whether an argument is multiplied as a matrix, turned over, or asked for its shape."""
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(op=ast.MatMult(), left=left, right=right) if _is(left, name) or _is(right, name):
                return True
            case ast.Attribute(value=holder, attr="T" | "shape" | "dot" | "reshape") if _is(holder, name):
                return True
            case ast.Call(func=ast.Attribute(attr="dot" | "matmul"), args=arguments):
                if any(_is(each, name) for each in arguments):
                    return True
    return False


def only_scales(name: str, tree: ast.AST) -> bool:
    """Whether an argument is multiplied with others entry by entry, and nothing else tells what it is."""
    scaled = any(
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Mult)
        and (_is(node.left, name) or _is(node.right, name))
        and not isinstance(node.left if _is(node.right, name) else node.right, ast.Constant)
        for node in ast.walk(tree)
    )
    return scaled and not is_array(name, tree)


def choices(name: str, tree: ast.AST) -> list[str]:
    """The words that an argument is compared with."""
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and _is(node.left, name):
            for each in ast.walk(node.comparators[0]):
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    found[each.value] = None
    return list(found)


def _is(node: ast.AST, name: str) -> bool:
    """Whether a node is an argument, or the attribute that keeps it."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return node.attr == name
    return isinstance(node, ast.Name) and node.id == name


def _is_new(node: ast.expr) -> bool:
    return (isinstance(node, ast.Constant) and node.value is None) or ast.unparse(node) == "np.newaxis"


def _numbers(node: ast.expr) -> list[int]:
    parts: list[Any] = node.elts if isinstance(node, ast.Tuple | ast.List) else []
    return [each.value for each in parts if isinstance(each, ast.Constant) and isinstance(each.value, int)]
