"""The operators of the language, and how it refuses: what has no value here, and what would be too large."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from parity_tests.derivations.engine.numbers.kinds import is_array

MOST_PRODUCT = 10**9
MOST_ITEMS = 10**5


class Refusal(Exception):  # noqa: N818  (the name says it)
    """A statement that has no value, in one sentence."""


def _product(multiply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The product, refused where it would repeat the items of a list very often."""

    def product(left: Any, right: Any) -> Any:
        for items, count in ((left, right), (right, left)):
            if isinstance(items, list | tuple | str) and isinstance(count, int) and len(items) * count > MOST_ITEMS:
                raise Refusal("this is too large to be computed here")
        return multiply(left, right)

    return product


BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: _product(operator.mul), ast.Div: operator.truediv,
    ast.MatMult: operator.matmul, ast.Pow: operator.pow, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.BitAnd: operator.and_, ast.BitOr: operator.or_,
}  # fmt: skip
IN_PLACE: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.iadd, ast.Sub: operator.isub, ast.Mult: _product(operator.imul), ast.Div: operator.itruediv,
    ast.MatMult: operator.imatmul, ast.Pow: operator.ipow, ast.FloorDiv: operator.ifloordiv, ast.Mod: operator.imod,
    ast.BitAnd: operator.iand, ast.BitOr: operator.ior,
}  # fmt: skip
UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_, ast.Invert: operator.invert,
}  # fmt: skip
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip


def within_bounds(*values: Any) -> None:
    """Refuses what may become very large: its entries are at most the product of those of the parts."""
    entries = 1
    for each in values:
        if is_array(each):
            entries *= max(1, each.size)
        elif isinstance(each, list | tuple | range):
            entries *= max(1, len(each))
    if entries > MOST_PRODUCT:
        raise Refusal("this is too large to be computed here")


def said(error: Exception) -> str:
    """An error of the evaluation as a sentence."""
    if isinstance(error, Refusal):
        return str(error)
    if isinstance(error, KeyError):
        return f"there is no entry {error.args[0]!r} here"
    return f"this cannot be computed: {str(error) or type(error).__name__}"
