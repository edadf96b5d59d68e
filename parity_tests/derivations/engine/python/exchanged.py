"""A program's tree with other statements or formulas in place of one; its places keep their numbers."""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from typing import Any


def with_statements(whole: ast.Module, statement: ast.stmt, new: Sequence[ast.stmt]) -> ast.Module | None:
    """The tree with other statements in place of one, None where they cannot be written."""
    number: int = statement.number  # type: ignore[attr-defined]
    tree = copy.deepcopy(whole)
    try:
        body = ast.parse("\n".join(ast.unparse(each) for each in new)).body
    except SyntaxError:
        return None
    fresh = max(getattr(node, "number", 0) for node in ast.walk(tree)) + 1
    for place, node in enumerate(each for part in body for each in ast.walk(part)):
        node.number = fresh + place  # type: ignore[attr-defined]
        if hasattr(node, "lineno"):
            node.lineno = node.end_lineno = statement.lineno  # type: ignore[attr-defined]
    old, first = target_of(statement), target_of(body[0])
    for before, after in zip(ast.walk(old), ast.walk(first), strict=False):
        after.number = getattr(before, "number", 0)  # type: ignore[attr-defined]
    body[0].number = number  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                places = [i for i, each in enumerate(block) if getattr(each, "number", None) == number]
                for each in places:
                    block[each : each + 1] = body
    return tree


def with_formula(whole: ast.Module, node: ast.expr, new: ast.expr) -> ast.Module | None:
    """The tree with another formula in place of one, None where it cannot be written."""
    number: int = node.number  # type: ignore[attr-defined]
    tree = copy.deepcopy(whole)
    try:
        formula = ast.parse(ast.unparse(ast.fix_missing_locations(new)), mode="eval").body
    except SyntaxError:
        return None
    fresh = max(getattr(each, "number", 0) for each in ast.walk(tree)) + 1
    for place, each in enumerate(ast.walk(formula)):
        each.number = fresh + place  # type: ignore[attr-defined]
        if hasattr(each, "lineno"):
            each.lineno = each.end_lineno = node.lineno  # type: ignore[attr-defined]
    formula.number = number  # type: ignore[attr-defined]
    changed: ast.Module = _Exchanged(number, formula).visit(tree)
    return changed


def with_capture(whole: ast.Module, statement: ast.AST, occurrence: int) -> ast.Module:
    """The tree with a call that captures all names, where a statement is reached for the n-th time."""
    tree = copy.deepcopy(whole)
    number: int = statement.number  # type: ignore[attr-defined]
    ahead = ast.parse(f"__before__({number}, {occurrence})").body[0]
    for each in ast.walk(ahead):
        each.number = -1  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                place = next((i for i, each in enumerate(block) if getattr(each, "number", None) == number), None)
                if place is not None:
                    block.insert(place, ahead)
    return tree


def target_of(statement: ast.stmt) -> ast.expr:
    """What an assignment assigns first, or ``np.add.at`` adds to."""
    if isinstance(statement, ast.Expr):
        assert isinstance(statement.value, ast.Call)
        return statement.value.args[0]
    assert isinstance(statement, ast.Assign | ast.AugAssign)
    return statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]


class _Exchanged(ast.NodeTransformer):
    """The tree with another formula in place of the node of a number."""

    def __init__(self, number: int, new: ast.expr) -> None:
        self.number, self.new = number, new

    def visit(self, node: ast.AST) -> Any:
        return self.new if getattr(node, "number", None) == self.number else self.generic_visit(node)
