"""A program's tree with other statements or formulas in place of one; its places keep their numbers."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Sequence
from typing import TypeAlias

from parity_tests.derivations.engine.python.instrument import NUMBERED

New: TypeAlias = Callable[[ast.AST], Sequence[ast.AST]]
"""What takes the place of a node."""


def with_statements(whole: ast.Module, statement: ast.stmt, new: Sequence[ast.stmt]) -> ast.Module | None:
    """The tree with other statements in place of one, None where they cannot be written."""
    number: int = statement.number  # type: ignore[attr-defined]
    try:
        body = ast.parse("\n".join(ast.unparse(each) for each in new)).body
    except SyntaxError:
        return None
    fresh = _number(body, whole, statement.lineno)
    old, first = target_of(statement), target_of(body[0])
    for before, after in zip(ast.walk(old), ast.walk(first), strict=False):
        after.number = getattr(before, "number", 0)  # type: ignore[attr-defined]
    body[0].number = number  # type: ignore[attr-defined]
    return _exchanged(whole, number, lambda _: body, fresh)


def with_formula(whole: ast.Module, node: ast.expr, new: ast.expr) -> ast.Module | None:
    """The tree with another formula in place of one, None where it cannot be written."""
    number: int = node.number  # type: ignore[attr-defined]
    try:
        formula = ast.parse(ast.unparse(ast.fix_missing_locations(new)), mode="eval").body
    except SyntaxError:
        return None
    fresh = _number([formula], whole, node.lineno)
    formula.number = number  # type: ignore[attr-defined]
    return _exchanged(whole, number, lambda _: [formula], fresh)


def with_capture(whole: ast.Module, statement: ast.stmt) -> ast.Module:
    """The tree with a call that captures all names, each time that a statement is reached."""
    number: int = statement.number  # type: ignore[attr-defined]
    ahead = ast.parse(f"__before__({number})").body[0]
    for each in ast.walk(ahead):
        each.number = -1  # type: ignore[attr-defined]
    return _exchanged(whole, number, lambda there: [ahead, there], _fresh(whole))


def _fresh(whole: ast.Module) -> int:
    """The first number that no place of the tree has."""
    if not hasattr(whole, "fresh"):
        whole.fresh = 1 + max(getattr(node, "number", 0) for node in ast.walk(whole))  # type: ignore[attr-defined]
    found: int = whole.fresh  # type: ignore[attr-defined]
    return found


def _number(new: Sequence[ast.AST], whole: ast.Module, line: int) -> int:
    """Give new nodes numbers and a line; the first number that is left."""
    fresh = _fresh(whole)
    for part in new:
        for node in ast.walk(part):
            node.number = fresh  # type: ignore[attr-defined]
            fresh += 1
            if hasattr(node, "lineno"):
                node.lineno = node.end_lineno = line  # type: ignore[attr-defined]
    return fresh


def _exchanged(whole: ast.Module, number: int, new: New, fresh: int) -> ast.Module:
    """The tree with other nodes in place of the one of this number; what lies beside the way to it is shared."""
    changed = _copied_down_to(whole, number, new) or copy.copy(whole)
    assert isinstance(changed, ast.Module)
    changed.fresh = fresh  # type: ignore[attr-defined]
    return changed


def _copied_down_to(node: ast.AST, number: int, new: New) -> ast.AST | None:
    """The node with others in place of what has this number below it, None where nothing has."""
    for field, value in ast.iter_fields(node):
        parts = value if isinstance(value, list) else [value]
        for place, each in enumerate(parts):
            if isinstance(each, NUMBERED) and getattr(each, "number", None) == number:
                made = [*new(each)]
            elif isinstance(each, ast.AST) and (found := _copied_down_to(each, number, new)) is not None:
                made = [found]
            else:
                continue
            changed = copy.copy(node)
            block = [*parts[:place], *made, *parts[place + 1 :]]
            setattr(changed, field, block if isinstance(value, list) else block[0])
            return changed
    return None


def target_of(statement: ast.stmt) -> ast.expr:
    """What an assignment assigns first, or ``np.add.at`` adds to."""
    if isinstance(statement, ast.Expr):
        assert isinstance(statement.value, ast.Call)
        return statement.value.args[0]
    assert isinstance(statement, ast.Assign | ast.AugAssign)
    return statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
