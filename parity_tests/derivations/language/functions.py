"""The white list: every function of the language, as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from parity_tests.derivations.language.nodes import BinaryOperator, Comparison, Expression, Shape

Value: TypeAlias = Any
"""An array of numbers or of booleans, or a NumPy number."""


def mean(a: Value, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Value:
    """The sum divided by the number of terms; NaN, without a warning, for no terms."""
    total = np.sum(a, axis=axis, keepdims=keepdims)
    return np.divide(total, np.size(a) // max(1, np.size(total)))


def diagonal(a: Value) -> Value:
    """The matrix with the entries of a vector on its diagonal."""
    if np.ndim(a) != 1:
        raise ValueError(f"the array has shape {np.shape(a)}, expected a vector (n,): its entries go on the diagonal")
    return np.diag(a)


def arange(count: int) -> Value:
    """0, 1, ..., count - 1."""
    return np.arange(float(count))


Kind: TypeAlias = Literal[
    "elementwise", "reduction", "like", "dot", "outer", "creation", "reshape", "counting", "square", "flip"
]


class Function(NamedTuple):
    """What a name of the white list computes, and how its arguments and its result are checked."""

    implementation: Callable[..., Value]
    kind: Kind
    arity: int
    keywords: tuple[str, ...] = ()


SHAPE_AT: dict[Kind, int] = {"creation": 0, "reshape": 1}
"""Which argument is a shape."""

_REDUCTION = ("axis", "keepdims")

FUNCTIONS: dict[str, Function] = {
    "exp": Function(np.exp, "elementwise", 1),
    "log": Function(np.log, "elementwise", 1),
    "log1p": Function(np.log1p, "elementwise", 1),
    "square": Function(np.square, "elementwise", 1),
    "sqrt": Function(np.sqrt, "elementwise", 1),
    "tanh": Function(np.tanh, "elementwise", 1),
    "abs": Function(np.abs, "elementwise", 1),
    "floor": Function(np.floor, "elementwise", 1),
    "ceil": Function(np.ceil, "elementwise", 1),
    "int": Function(np.trunc, "elementwise", 1),
    "maximum": Function(np.maximum, "elementwise", 2),
    "minimum": Function(np.minimum, "elementwise", 2),
    "where": Function(np.where, "elementwise", 3),
    "sum": Function(np.sum, "reduction", 1, _REDUCTION),
    "mean": Function(mean, "reduction", 1, _REDUCTION),
    "max": Function(np.max, "reduction", 1, _REDUCTION),
    "min": Function(np.min, "reduction", 1, _REDUCTION),
    "dot": Function(np.dot, "dot", 2),
    "outer": Function(np.outer, "outer", 2),
    "diag": Function(diagonal, "outer", 1),
    "eye": Function(np.eye, "square", 1),
    "arange": Function(arange, "counting", 1),
    "flip": Function(np.flip, "flip", 1, ("axis",)),
    "zeros": Function(np.zeros, "creation", 1),
    "ones": Function(np.ones, "creation", 1),
    "zeros_like": Function(np.zeros_like, "like", 1),
    "ones_like": Function(np.ones_like, "like", 1),
    "reshape": Function(np.reshape, "reshape", 2),
}
"""Functions that stay a ``Call`` in the tree."""

OPERATOR_FUNCTIONS: dict[str, BinaryOperator] = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "matmul": "@",
    "power": "**",
}
"""Functions that become the operator they name."""

FUNCTION_NAMES = frozenset(FUNCTIONS) | frozenset(OPERATOR_FUNCTIONS) | {"transpose"}

METHODS = frozenset({"sum", "mean", "max", "min", "dot", "reshape", "transpose"})
"""What may stand behind a dot and before a bracket: ``A.sum(axis=1)``."""

OPERATORS: dict[BinaryOperator, Callable[[Value, Value], Value]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "@": np.matmul,
    "**": np.power,
}

COMPARISONS: dict[Comparison, Callable[[Value, Value], Value]] = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


def call_problem(
    name: str, arguments: Sequence[Expression], axis: int | tuple[int, ...] | None, keepdims: bool
) -> str | None:
    """The sentence that says what is wrong with a call of the white list, None where nothing is."""
    function, count = FUNCTIONS[name], len(arguments)
    if function.kind == "creation" and count > 1:
        return f"{name} takes the whole shape in brackets of its own: np.{name}((n_x, 1))"
    if name in ("max", "min") and count == 2:
        return f"np.{name}imum(a, b) compares entry by entry; {name} takes one array, and an axis="
    if function.kind == "reduction" and count == 2:
        return f"{name} takes 1 argument; an axis is named: axis=1"
    if count != function.arity:
        plural = "" if function.arity == 1 else "s"
        return f"{name} takes {function.arity} argument{plural}, but got {count}"
    if not function.keywords and (axis is not None or keepdims):
        return f"{name} takes no axis and no keepdims"
    if keepdims and "keepdims" not in function.keywords:
        return f"{name} takes no keepdims"
    shape_at = SHAPE_AT.get(function.kind)
    for position, argument in enumerate(arguments):
        if isinstance(argument, Shape) != (position == shape_at):
            return "a tuple is only for a shape, as in np.zeros((n_x, 1))"
    return None
