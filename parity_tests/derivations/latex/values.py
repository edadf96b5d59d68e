"""Formulas of the language with the axes of their values: products are chosen by them, sums over indices too."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

from parity_tests.derivations.latex.tree import NotReadError

ONE = "1"
EXAMPLES = "m"
_OPERATORS: dict[str, ast.operator] = {
    "+": ast.Add(), "-": ast.Sub(), "*": ast.Mult(), "/": ast.Div(), "@": ast.MatMult(), "**": ast.Pow(),
}  # fmt: skip


@dataclass(frozen=True)
class Value:
    """A formula whose value has these axes, none for a number.

    An axis is a size such as n_1, or the index that runs along it. ``factors`` are those of a product of entries that
    has no more than two axes once a sum has been taken. A product that has run over the examples is ``averaged``.
    ``entries`` holds where indices are written: then products are entry by entry, whatever their axes.
    """

    tree: ast.expr
    axes: tuple[str, ...] = ()
    factors: tuple[Value, ...] = ()
    summed: bool = False
    entries: bool = False

    @property
    def is_number(self) -> bool:
        """Whether there is one entry."""
        return not self.factors and all(axis == ONE for axis in self.axes)

    @property
    def text(self) -> str:
        """The formula."""
        return ast.unparse(self.tree)


def value(text: str, axes: Sequence[str] = ()) -> Value:
    """A formula as text."""
    return Value(ast.parse(text, mode="eval").body, tuple(axes))


def operation(sign: str, left: ast.expr, right: ast.expr) -> ast.expr:
    """Two operands."""
    return ast.BinOp(left, _OPERATORS[sign], right)


def called(name: str, *arguments: ast.expr, **keywords: int | bool) -> ast.expr:
    """A call of a function, ``np.`` before those of NumPy."""
    function = ast.parse(name, mode="eval").body
    return ast.Call(function, list(arguments), [ast.keyword(key, ast.Constant(each)) for key, each in keywords.items()])


def transposed(of: Value) -> Value:
    """The transpose of a matrix; a number stays as it is."""
    if len(of.axes) < 2:
        return of
    tree = of.tree
    if isinstance(tree, ast.Attribute) and tree.attr == "T":
        return replace(of, tree=tree.value, axes=of.axes[::-1])
    return replace(of, tree=ast.Attribute(tree, "T"), axes=of.axes[::-1])


def negative(of: Value) -> Value:
    """The value with the other sign."""
    whole = settled(of)
    return replace(whole, tree=ast.UnaryOp(ast.USub(), whole.tree))


def elementwise(name: str, *of: Value) -> Value:
    """A function of the entries."""
    whole = [settled(each) for each in of]
    axes = max((each.axes for each in whole), key=len)
    return Value(called(name, *(each.tree for each in whole)), axes, entries=any(each.entries for each in whole))


def added(sign: str, left: Value, right: Value) -> Value:
    """A sum, a difference or a quotient."""
    left, right = settled(left), settled(right)
    if left.entries or right.entries:
        right = _aligned(left, right)
    tree = operation(sign, left.tree, right.tree)
    summed = (left.summed and (right.summed or right.is_number)) if sign != "/" else left.summed
    return Value(tree, _broadcast(left.axes, right.axes), summed=summed, entries=left.entries or right.entries)


def times(left: Value, right: Value, sign: str) -> Value:
    """A product: of matrices where their axes say so, else entry by entry."""
    if left.entries or right.entries:
        return _product_of_entries(left, right)
    if left.is_number or right.is_number:
        axes = left.axes if right.is_number and left.axes else right.axes or left.axes
        tree = operation("*", left.tree, right.tree)
        return Value(tree, axes, summed=left.summed or right.summed)
    inner = left.axes[-1] == right.axes[0]
    alike = entry_by_entry(left.axes, right.axes)
    if not sign and EXAMPLES not in {*left.axes} & {*right.axes}:  # side by side: nothing is spread over a matrix
        alike = left.axes == right.axes
    matrices = not alike if sign == "*" else inner or not alike
    if matrices and not (sign == "*" and not inner):
        tree = operation("@", left.tree, right.tree)
        summed = inner and left.axes[-1] == EXAMPLES
        return Value(tree, (left.axes[0], right.axes[-1]), summed=summed or left.summed or right.summed)
    return Value(operation("*", left.tree, right.tree), _broadcast(left.axes, right.axes), summed=left.summed)


def goes_together(left: Value, right: Value) -> bool:
    """Whether a product of the two has a value."""
    if left.entries or right.entries or left.is_number or right.is_number:
        return True
    return left.axes[-1] == right.axes[0] or entry_by_entry(left.axes, right.axes)


def entry_by_entry(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Whether one of two arrays has the shape of their product: a row times a column is no such product."""
    return fits(left, right) and _broadcast(left, right) in (left, right)


def fits(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Whether two arrays can be combined entry by entry."""
    return all(a == b or ONE in (a, b) for a, b in zip(left, right, strict=False))


def summed_over(axis: str, of: Value) -> Value:
    """The sum along an axis, which stays with the length 1.

    Raises NotReadError where it has no such axis, and where the product cannot be summed as one of matrices.
    """
    if not of.factors:
        if axis in of.axes:
            place = of.axes.index(axis)
            axes = tuple(ONE if each == axis else each for each in of.axes)
            tree = called("np.sum", of.tree, axis=place, keepdims=True)
            return replace(of, tree=tree, axes=axes, summed=axis == EXAMPLES)
        if axis == EXAMPLES and of.summed:
            return of
        raise NotReadError(f"a sum over {axis} of what does not depend on it")
    inside = [each for each in of.factors if axis in each.axes]
    outside = [each for each in of.factors if axis not in each.axes]
    merged = _fewer(inside)
    if len(merged) == 2 and {*merged[0].axes} == {*merged[1].axes} and ONE not in merged[0].axes:
        merged = [_combined(*merged)]  # they share the other index as well: no product of matrices
    if len(merged) == 1:
        total = summed_over(axis, replace(merged[0], factors=()))
    elif len(merged) == 2:
        first, second = merged
        first = first if first.axes[1] == axis else transposed(first)
        second = second if second.axes[0] == axis else transposed(second)
        tree = operation("@", first.tree, second.tree)
        total = Value(tree, (first.axes[0], second.axes[1]), summed=axis == EXAMPLES, entries=True)
    else:
        raise NotReadError(f"a sum over {axis} of {len(merged)} factors" if merged else f"a sum over {axis} of nothing")
    for each in outside:
        total = _product_of_entries(total, each)
    return replace(total, summed=axis == EXAMPLES or of.summed)


def _fewer(factors: list[Value]) -> list[Value]:
    """The factors of a sum as two at most where that goes: those with the same axes first, then one in another."""
    left, place, same = list(factors), 0, True
    while len(left) > 2:
        if place == len(left):
            if not same:
                break
            place, same = 0, False
            continue
        here = left[place]
        axes = {*here.axes} - {ONE}
        others = [each for each in left if each is not here]
        fit = [each for each in others if axes == {*each.axes} - {ONE} or (not same and axes <= {*each.axes})]
        if fit:
            left = [*(each for each in others if each is not fit[0]), _combined(fit[0], here)]
            place = 0
        else:
            place += 1
    return left


def settled(of: Value) -> Value:
    """A product of entries as one formula; NotReadError where it has more than two axes."""
    if not of.factors:
        return of
    factors = sorted(of.factors, key=lambda each: -len(set(each.axes) - {ONE}))
    whole = factors[0]
    for each in factors[1:]:
        whole = _combined(whole, each)
    return replace(whole, summed=of.summed)


def _product_of_entries(left: Value, right: Value) -> Value:
    """A product of entries; factors wait for a sum where they have axes of their own."""
    parts = [*(left.factors or (left,)), *(right.factors or (right,))]
    numbers = [each for each in parts if each.is_number]
    arrays = [each for each in parts if not each.is_number]
    summed = left.summed or right.summed
    if len(arrays) == 2 and arrays[0].axes[1] == arrays[1].axes[0] and arrays[0].axes[1].startswith("n"):
        tree = operation("@", arrays[0].tree, arrays[1].tree)
        for each in numbers:
            tree = operation("*", each.tree, tree)
        return Value(tree, (arrays[0].axes[0], arrays[1].axes[1]), summed=summed, entries=True)
    if len(arrays) < 2:
        whole = parts[0]
        for each in parts[1:]:
            axes = whole.axes if each.is_number and whole.axes else each.axes
            whole = Value(operation("*", whole.tree, each.tree), axes, summed=summed, entries=True)
        return replace(whole, entries=True)
    first = arrays[0]
    for each in numbers[::-1]:
        first = replace(first, tree=operation("*", each.tree, first.tree))
    factors = (first, *arrays[1:])
    return Value(ast.Constant(1), factors=factors, summed=summed, entries=True)


def _combined(left: Value, right: Value) -> Value:
    """Two factors as one, entry by entry, along axes of the same index; what has none of the other's is outer."""
    turned = _aligned(left, right)
    axes = tuple(a if b == ONE else b for a, b in zip(left.axes, turned.axes, strict=True))
    if any(a != b and ONE not in (a, b) for a, b in zip(left.axes, turned.axes, strict=True)):
        indices = {*left.axes, *right.axes} - {ONE}
        raise NotReadError(f"entries with {len(indices)} indices, {', '.join(sorted(indices))}")
    sign = "@" if left.axes[1] == turned.axes[0] == ONE and ONE not in (left.axes[0], turned.axes[1]) else "*"
    return Value(operation(sign, left.tree, turned.tree), axes, entries=True)


def _aligned(left: Value, right: Value) -> Value:
    """The right one, turned where its indices lie along the other axes."""
    if len(left.axes) < 2 or len(right.axes) < 2:
        return right
    shared = {*left.axes} & {*right.axes} - {ONE}
    if any(left.axes.index(each) != right.axes.index(each) for each in shared):
        return transposed(right)
    return right if fits(left.axes, right.axes) or not fits(left.axes, right.axes[::-1]) else transposed(right)


def _broadcast(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[str, ...]:
    if len(left) < 2 or len(right) < 2:
        return left if len(left) > len(right) else right
    return tuple(a if b == ONE else b for a, b in zip(left, right, strict=True))
