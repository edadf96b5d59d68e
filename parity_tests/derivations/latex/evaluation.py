"""Formulas in numbers: what a tree is worth, whatever gives its letters their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from parity_tests.derivations.latex.symbols import UNITS
from parity_tests.derivations.latex.tree import (
    Call,
    Cases,
    Derivative,
    Floor,
    Negative,
    Node,
    Norm,
    NotReadError,
    Number,
    Operation,
    Power,
    Sum,
    Symbol,
    Transposed,
)

MOST = 400_000
"""Nodes that are computed for one note."""

STEP = 1e-30
"""That of the complex step."""

At = Mapping[str, int]
"""What index letters stand for."""


class MisfitError(ValueError):
    """Sizes that do not fit."""


def softmax(z: Any, axis: int = -2) -> Any:
    e = np.exp(z)
    return e / e.sum(axis, keepdims=True)


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "sigmoid": sigmoid, "tanh": np.tanh, "relu": lambda z: z * (z.real > 0),
    "leaky_relu": lambda z: z * np.where(z.real > 0, 1, 0.01), "exp": np.exp, "log": np.log, "sqrt": np.sqrt,
    "abs": lambda z: z * np.sign(z.real), "sign": lambda z: np.sign(z.real) + 0j,
}  # fmt: skip
NAMED = {"sgn": "sign", "sig": "sigmoid", "\\sigma": "sigmoid", **UNITS}


class Evaluation:
    """Computes formulas as arrays of rows and columns, behind any axes of directions; a number is one row and column.

    What a letter is, and how far an index runs, is said by the classes upon it.
    """

    spends: ClassVar[int] = MOST

    def __init__(self) -> None:
        self.left = self.spends

    def value(self, node: Node, at: At) -> Any:
        """What a formula is where indices have values; NotReadError where it cannot be told."""
        self.left -= 1
        if self.left < 0:
            raise NotReadError("it takes too long")
        match node:
            case Number():
                return np.full((1, 1), float(node.text))
            case Symbol():
                return self.symbol(node, at)
            case Negative():
                return -self.value(node.operand, at)
            case Transposed():
                return np.swapaxes(self.value(node.operand, at), -1, -2)
            case Operation():
                return self.operation(node, at)
            case Power():
                return self.power(node, at)
            case Norm():
                return np.sqrt(self.squares(node, at))
            case Floor():
                return np.floor(self.value(node.operand, at).real)
            case Sum():
                return self.summed(node, at)
            case Cases():
                return self.cases(node, at)
            case Call():
                return self.call(node, at)
            case Derivative():
                return self.derivative(node, at)
        return self.other(node, at)

    def other(self, node: Node, at: At) -> Any:
        """What is written otherwise."""
        raise NotReadError(f"a {type(node).__name__.lower()}")

    def cases(self, node: Cases, at: At) -> Any:
        return self.value(chosen(node, at), at)

    def symbol(self, node: Symbol, at: At) -> Any:
        raise NotImplementedError

    def summed(self, node: Sum, at: At) -> Any:
        raise NotReadError("a sum")

    def derivative(self, node: Derivative, at: At) -> Any:
        raise NotReadError("a derivative")

    def function(self, function: Symbol, inner: Any) -> Any:
        """A function by its letter, without its primes."""
        raise NotImplementedError

    def squares(self, node: Norm, at: At) -> Any:
        """The sum of the squares of what stands between bars."""
        return total(self.value(node.operand, at) ** 2)

    def operation(self, node: Operation, at: At) -> Any:
        return operation(node.sign, self.value(node.left, at), self.value(node.right, at))

    def power(self, node: Power, at: At) -> Any:
        if isinstance(node.base, Symbol) and node.base.base == "e" and not node.base.subscripts:
            return np.exp(self.value(node.exponent, at))
        if isinstance(node.base, Norm) and node.exponent == Number("2"):
            return self.squares(node.base, at)
        base, exponent = self.value(node.base, at), self.value(node.exponent, at)
        if base.shape[-1] > 1 and base.shape[-2] > 1 and exponent.ravel()[0] == -1:
            return np.linalg.inv(base)
        return base**exponent

    def call(self, node: Call, at: At) -> Any:
        base, function = node.function.base, node.function
        inner = [self.value(each, at) for each in node.arguments]
        if base == "CE" and len(inner) == 2:
            return -total(inner[0] * np.log(inner[1]))
        if base == "max" and len(inner) == 2:
            return np.where(inner[0].real >= inner[1].real, *inner)
        if base == "indicator":
            below = inner[0].real < inner[1].real
            return (below if node.keywords["sign"] in ("<", "\\le") else inner[0].real > inner[1].real) + 0.0
        if base == "concat":
            along = -2 if inner[0].shape[-1] == 1 else -1
            batch = np.broadcast_shapes(*(each.shape[:-2] for each in inner))
            return np.concatenate([np.broadcast_to(each, (*batch, *each.shape[-2:])) for each in inner], along)
        if len(inner) != 1:
            raise NotReadError(f"{base.removeprefix(chr(92))} of {len(inner)} arguments")
        if base == "sum":
            return total(inner[0])
        if base == "rowsum":
            return inner[0].sum(-1, keepdims=True)
        if base == "tr":
            return np.trace(inner[0], axis1=-2, axis2=-1)[..., None, None]
        if base == "diag":
            length = max(inner[0].shape[-2:])
            return np.eye(length) * inner[0].reshape(*inner[0].shape[:-2], 1, length)
        if function.primes:
            if np.any(np.imag(inner[0])):
                raise NotReadError("a derivative of a derivative")
            return self.function(function, inner[0] + 1j * STEP).imag / STEP
        found = self.function(function, inner[0])
        return found ** int(function.bare) if function.bare.isdigit() else found  # tanh^2(z)


def total(value: Any) -> Any:
    """The sum of all entries."""
    return value.sum((-1, -2), keepdims=True)


def operation(sign: str, a: Any, b: Any) -> Any:
    """Two operands, of which a vector may lie the other way round where nothing is multiplied."""
    shapes = a.shape[-2:], b.shape[-2:]
    entrywise = sign in ("+", "-", "/", "*") or (sign in (".", "x") and shapes[0] == shapes[1])
    if (1, 1) in shapes or entrywise:
        if shapes[0] == shapes[1][::-1] and 1 in shapes[0]:
            b = np.swapaxes(b, -1, -2) if shapes[0] != shapes[1] else b
        return combined(sign, a, b)
    return a @ b


def combined(sign: str, a: Any, b: Any) -> Any:
    """Two operands, entry by entry."""
    return a + b if sign == "+" else a - b if sign == "-" else a / b if sign == "/" else a * b


def chosen(node: Cases, at: At) -> Node:
    """The row whose condition on the indices is met; NotReadError for another condition."""
    for row, condition in node.rows:
        match = re.search(r"([a-z]) (=|\\neq|\\ne) ([a-z])(?: |$)", condition)
        if match is None and re.search(r"else|other|sonst|sinon", condition.replace(" ", "")):
            met = True
        elif match is None or not {match[1], match[3]} <= set(at):
            raise NotReadError("cases")
        else:
            met = (at[match[1]] == at[match[3]]) == (match[2] == "=")
        if met:
            if row is None:
                raise NotReadError("cases without a value")
            return row
    raise NotReadError("cases")
