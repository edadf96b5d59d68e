"""The white list: every function of the language, as data.

All of them take float64 and complex128, so that the complex step passes through: branches look at the real
part, and a square root or logarithm of a negative number is NaN in both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from parity_tests.derivations.language.nodes import BinaryOperator, Comparison, Expression, Shape

Value: TypeAlias = Any
"""An array of float64 or complex128, or a NumPy number."""


def absolute(z: Value) -> Value:
    """|z|, with the derivative of the real branch."""
    if np.asarray(z).dtype == np.bool_:  # which NumPy negates not
        return np.abs(z)
    return np.where(np.real(z) >= 0, z, np.negative(z))


def maximum(a: Value, b: Value) -> Value:
    """The larger by real part; NaN where either is."""
    return _chosen(np.real(a) >= np.real(b), a, b)


def minimum(a: Value, b: Value) -> Value:
    """The smaller by real part; NaN where either is."""
    return _chosen(np.real(a) <= np.real(b), a, b)


def _chosen(first: Any, a: Value, b: Value) -> Value:
    return np.where(np.isnan(a) | np.isnan(b), np.nan, np.where(first, a, b))


def where(condition: Value, a: Value, b: Value) -> Value:
    """``a`` where the condition is not 0, else ``b``."""
    return np.where(np.real(condition) != 0, a, b)


def power(base: Value, exponent: Value) -> Value:
    """The power; NaN for a fractional power of a negative number, as among the real numbers."""
    result = np.power(base, exponent)
    if not np.iscomplexobj(result):
        return result
    fractional = np.real(exponent) != np.floor(np.real(exponent))
    return np.where((np.real(base) < 0) & fractional, np.nan, result)


def mean(a: Value, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Value:
    """The sum divided by the number of terms; NaN, without a warning, for no terms."""
    total = np.sum(a, axis=axis, keepdims=keepdims)
    return np.divide(total, np.size(a) // max(1, np.size(total)))


def floor(z: Value) -> Value:
    """The largest integer that is not larger than the real part."""
    return np.floor(np.real(z))


def _from(lowest: float, function: Callable[[Value], Value]) -> Callable[[Value], Value]:
    def restricted(z: Value) -> Value:
        return np.where(np.real(z) < lowest, np.nan, function(z)) if np.iscomplexobj(z) else function(z)

    return restricted


def ceil(z: Value) -> Value:
    """The smallest integer that is not smaller than the real part."""
    return np.ceil(np.real(z))


def truncate(z: Value) -> Value:
    """The real part without its decimals."""
    return np.trunc(np.real(z))


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
    "log": Function(_from(0.0, np.log), "elementwise", 1),
    "log1p": Function(_from(-1.0, np.log1p), "elementwise", 1),
    "square": Function(np.square, "elementwise", 1),
    "sqrt": Function(_from(0.0, np.sqrt), "elementwise", 1),
    "tanh": Function(np.tanh, "elementwise", 1),
    "abs": Function(absolute, "elementwise", 1),
    "floor": Function(floor, "elementwise", 1),
    "ceil": Function(ceil, "elementwise", 1),
    "int": Function(truncate, "elementwise", 1),
    "maximum": Function(maximum, "elementwise", 2),
    "minimum": Function(minimum, "elementwise", 2),
    "where": Function(where, "elementwise", 3),
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
    "**": power,
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
