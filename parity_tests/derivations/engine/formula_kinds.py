"""What kind of formula a node is: a matrix product, a sum, a logarithm, a name in another form."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from parity_tests.derivations.engine import words

PRODUCTS = frozenset(("dot", "matmul", "einsum", "outer", "tensordot", "inner"))
SUMS = frozenset(("sum", "mean", "norm"))


def in_order(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The statements one after the other, with what stands in loops and branches."""
    for node in body:
        if isinstance(node, ast.For):
            yield ast.Assign([node.target], node.iter)
        elif isinstance(node, ast.While | ast.If):
            yield node.test
        if isinstance(node, ast.For | ast.While | ast.If | ast.With):
            yield from in_order([*node.body, *getattr(node, "orelse", [])])
        else:
            yield node


def is_name(node: ast.AST | None) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name)


def is_product(node: ast.expr) -> bool:
    """Whether a formula is a matrix product."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.MatMult)
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("dot", "matmul")


def operand(node: ast.expr) -> Iterator[str]:
    """The name that an operand is, with or without an index, a transpose or another form of it."""
    while True:
        match node:
            case ast.Attribute(attr="shape" | "size" | "ndim"):
                return
            case ast.Subscript() | ast.Attribute():
                node = node.value
            case ast.Call(func=ast.Attribute(value=base)) if not (isinstance(base, ast.Name) and base.id == "np"):
                node = base
            case ast.Call(func=ast.Attribute(attr="transpose"), args=[one]):
                node = one
            case ast.Name():
                yield node.id
                return
            case _:
                return


def joined(node: ast.expr) -> set[str]:
    """The names that ``np.hstack((X, ones))`` and its like put one behind the other; none for another formula."""
    match node:
        case ast.Call(func=function, args=[ast.Tuple(elts=parts) | ast.List(elts=parts), *_]):
            joins = ast.unparse(function).rpartition(".")[2] in words.JOINS - PRODUCTS
            return {name for part in parts for name in operand(part)} if joins else set()
    return set()


def has_logarithm(node: ast.expr) -> bool:
    return any(
        isinstance(each, ast.Call) and ast.unparse(each.func).rpartition(".")[2] in ("log", "log2", "log1p")
        for each in ast.walk(node)
    )


def is_reduced(node: ast.expr) -> bool:
    """Whether a formula is a sum or a mean as a whole, over all axes or one: what scales it is no label."""
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in SUMS


def is_counted(node: ast.AST) -> bool:
    """Whether a formula is the sum, the mean or the length of a name."""
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in SUMS | {"len"}


def is_sum(node: ast.expr) -> bool:
    """``np.sum(...)`` of all entries, or a sum of such."""
    match node:
        case ast.BinOp(op=ast.Add()):
            return is_sum(node.left) and is_sum(node.right)
        case ast.Call():
            word = ast.unparse(node.func).rpartition(".")[2]
            return word in SUMS and len(node.args) + len(node.keywords) == 1
    return False
