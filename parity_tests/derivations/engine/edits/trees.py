"""Formulas as trees: their parts, their factors, and the same formula with a part changed."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any


def chain(node: ast.expr) -> list[ast.expr]:
    """The factors of a product, from left to right."""
    match node:
        case ast.BinOp(op=ast.Mult()):
            return [*chain(node.left), *chain(node.right)]
        case ast.Call(func=ast.Attribute(attr="multiply"), args=[left, right]):
            return [*chain(left), *chain(right)]
    return [node]


def product(factors: list[ast.expr]) -> ast.expr:
    """The product of some factors."""
    result = factors[0]
    for each in factors[1:]:
        result = ast.BinOp(result, ast.Mult(), each)
    return result


def places(node: ast.expr, parent: ast.expr | None = None) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """The parts of a formula that have a value of their own, each with what it is a part of; no indices and masks."""
    yield node, parent
    inner: list[ast.expr] = []
    match node:
        case ast.BinOp():
            inner = [node.left, node.right]
        case ast.UnaryOp():
            inner = [node.operand]
        case ast.Call(func=ast.Attribute(value=base)):
            inner = [*([] if ast.unparse(base) in ("np", "self") else [base]), *node.args]
        case ast.Call():
            inner = node.args
        case ast.Attribute(attr="T"):
            inner = [node.value]
        case ast.Tuple() | ast.List():
            inner = node.elts
    for each in inner:
        yield from places(each, node)


def in_front(factor: ast.expr, node: ast.expr) -> ast.BinOp:
    """A number times a product: in front of its first factor, so that no new brackets are needed."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.MatMult | ast.Div):
        return ast.BinOp(in_front(factor, node.left), node.op, node.right)
    return ast.BinOp(factor, ast.Mult(), node)


def is_product(node: ast.expr | None) -> bool:
    """``a * b`` or ``a / b``."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div)


def replaced(root: ast.expr, old: ast.expr, new: ast.expr) -> ast.expr:
    """The formula with one node changed; the others are shared."""
    if root is old:
        return new
    changed: dict[str, Any] = {}
    for field, child in ast.iter_fields(root):
        if isinstance(child, ast.expr):
            part: Any = replaced(child, old, new)
            if part is not child:
                changed[field] = part
        elif isinstance(child, list) and child:
            parts = [replaced(each, old, new) if isinstance(each, ast.expr) else each for each in child]
            if any(one is not other for one, other in zip(parts, child, strict=True)):
                changed[field] = parts
    if not changed:
        return root
    result = copy.copy(root)
    for field, part in changed.items():
        setattr(result, field, part)
    return result


def turned(node: ast.expr) -> ast.expr:
    """The transpose: of a product that of its factors in the other order."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return ast.BinOp(turned(node.right), ast.MatMult(), turned(node.left))
    return ast.Attribute(node, "T", ast.Load())


def parsed(text: str) -> ast.expr:
    """A name of the text, or a size such as ``X.shape[0]``."""
    if re.fullmatch(r"\w+\.shape\[\d\]|len\(\w+\)", text):
        return ast.parse(text, mode="eval").body
    return ast.Name(text, ast.Load())


def negated(node: ast.expr) -> ast.expr:
    """The same with the other sign, which stands before its first factor."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return node.operand
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.MatMult):
        return ast.BinOp(negated(node.left), node.op, node.right)
    return ast.UnaryOp(ast.USub(), node)


def has_minus(node: ast.expr) -> bool:
    """Whether a sign stands before the first factor."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.MatMult):
        node = node.left
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)


def is_sum(node: ast.expr) -> bool:
    """``a + b`` or ``a - b``."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)


def word(node: ast.expr) -> str:
    """The name of the function that a formula calls, "" for none."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def written(form: str, **names: str) -> ast.expr:
    """A formula with other names in place of its own; they may be entries and attributes."""
    new: ast.expr = Renamed(names).visit(ast.parse(form, mode="eval").body)
    return new


class Renamed(ast.NodeTransformer):
    """A formula with other names."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A name, or the other one."""
        return ast.Name(self.names.get(node.id, node.id), node.ctx)


def is_but_a_name(one: ast.expr, other: ast.expr) -> bool:
    """Whether two formulas differ in one name alone, once or wherever it stands."""
    names = {pair for pair in zip(_names(one), _names(other), strict=False) if pair[0] != pair[1]}
    return len(names) == 1 and ast.dump(Renamed(dict(names)).visit(copy.deepcopy(one))) in (
        ast.dump(other),
        ast.dump(Renamed(dict(names)).visit(copy.deepcopy(other))),
    )


def _names(node: ast.expr) -> list[str]:
    return [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]


def family(name: str) -> str:
    """What the names of all layers share: ``W`` of ``W2``, ``A`` of ``A[l - 1]``."""
    return re.sub(r"\d+", "", re.sub(r"\[(?!['\"])[^\]]*\]$", "[]", name))
