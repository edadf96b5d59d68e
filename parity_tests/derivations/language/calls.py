"""The one node that each spelling of a function becomes."""

from __future__ import annotations

from typing import TypeAlias

from parity_tests.derivations.language.functions import FUNCTIONS, OPERATOR_FUNCTIONS, SHAPE_AT, call_problem
from parity_tests.derivations.language.nodes import (
    Binary,
    Call,
    CallForm,
    Expression,
    Number,
    Shape,
    Span,
    Transpose,
    Unary,
)

Axis: TypeAlias = int | tuple[int, ...] | None

TUPLE = "a tuple is only for a shape, as in np.zeros((n_x, 1))"


def build_call(
    function: str,
    written: str,
    form: CallForm,
    arguments: tuple[Expression, ...],
    keywords: dict[str, Axis | bool],
    span: Span,
) -> Expression | str:
    """The node for a call, or the sentence that says what is wrong with it."""
    name = "arange" if function == "range" else function
    given = keywords.get("axis")
    axis: Axis = None if isinstance(given, bool) else given
    keepdims = bool(keywords.get("keepdims", False))
    if name in OPERATOR_FUNCTIONS or name == "transpose":
        if name == "transpose" and not keywords and (axes := _axes_of(arguments[1:], form)):
            return Transpose(arguments[0], axes, form=form, span=span)
        wanted = 1 if name == "transpose" else 2
        if len(arguments) != wanted or any(isinstance(argument, Shape) for argument in arguments):
            return f"{name} takes {wanted} argument{'s' * (wanted > 1)}"
        if keywords:
            return f"{name} takes no axis and no keepdims"
        if name == "transpose":
            return Transpose(arguments[0], form=form, span=span)
        return Binary(OPERATOR_FUNCTIONS[name], *arguments, form="np" if form == "np" else "plain", span=span)
    if name in FUNCTIONS:
        kind = FUNCTIONS[name].kind
        if kind == "reduction" and form != "plain" and len(arguments) == 2 and "axis" not in keywords:
            position = _literal_integer(arguments[1])
            if position is not None:
                arguments, axis = arguments[:1], position
        if kind == "flip" and len(arguments) == 2 and "axis" not in keywords and isinstance(arguments[1], Shape):
            places = [_literal_integer(each) for each in arguments[1].sizes]
            arguments, axis = arguments[:1], tuple(each for each in places if each is not None)
        shape_at = SHAPE_AT.get(kind)
        if form == "method" and kind == "reshape" and len(arguments) > 1 and not isinstance(arguments[1], Shape):
            arguments = (arguments[0], Shape(arguments[1:], span=span))
        if shape_at is not None and len(arguments) == shape_at + 1 and not isinstance(arguments[-1], Shape):
            arguments = (*arguments[:-1], Shape(arguments[-1:], span=arguments[-1].span))
        problem = call_problem(name, arguments, axis, keepdims)
        if problem is not None:
            return problem
    elif keywords:
        return f"{written} takes no axis and no keepdims: only the functions of NumPy do"
    elif any(isinstance(argument, Shape) for argument in arguments):
        return TUPLE
    return Call(name, arguments, axis, keepdims, form=form, written=written, span=span)


def _axes_of(order: tuple[Expression, ...], form: CallForm) -> tuple[int, ...]:
    """The axes in ``np.transpose(A, (0, 3, 1, 2))`` or ``A.transpose(0, 3, 1, 2)``; none where these are none."""
    if len(order) == 1 and isinstance(order[0], Shape):
        order = order[0].sizes
    elif form != "method":
        return ()
    axes = [_literal_integer(axis) for axis in order]
    return tuple(axis for axis in axes if axis is not None) if sorted(axes, key=str) == list(range(len(axes))) else ()


def _literal_integer(node: Expression) -> int | None:
    if isinstance(node, Unary):
        inner = _literal_integer(node.operand)
        return None if inner is None else -inner
    if isinstance(node, Number) and node.value.is_integer() and node.value < 100:
        return int(node.value)
    return None
