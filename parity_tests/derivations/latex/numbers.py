"""Numbers and matrices of numbers: whether what stands between signs of equality is the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.latex.evaluation import FUNCTIONS, NAMED, At, Evaluation, MisfitError, combined
from parity_tests.derivations.latex.rewritten import symbol_latex
from parity_tests.derivations.latex.tree import (
    Call,
    Floor,
    Matrix,
    Negative,
    Node,
    Norm,
    NotReadError,
    Number,
    Operation,
    Power,
    Symbol,
    symbols_of,
    walk,
)

LARGEST = 1e12
"""What exceeds it is not computed with."""


class Compared(NamedTuple):
    """Whether the parts of a chain are equal; ``said`` is what is not, ``symbols`` whether letters take part in it."""

    equal: bool
    said: str = ""
    symbols: bool = False
    cause: str = "wrong-number"


def compared(nodes: list[Node | None], known: dict[str, Any]) -> Compared | None:
    """Whether the numbers of a chain are equal; what a letter is set to is noted. None where there is nothing to say.

    A number with decimals may be rounded: it may be off by one in its last place.
    """
    before: tuple[Node, Any] | None = None
    said = False
    for node in nodes:
        if node is None:
            before = None
            continue
        try:
            found = value_of(node, known)
        except NotReadError:
            if isinstance(node, Symbol) and before is not None:
                known[symbol_latex(node)] = before[1]
            before = None
            continue
        except MisfitError as error:
            return Compared(False, str(error), bool(symbols_of(node)))
        if before is not None and not isinstance(node, Symbol) and not isinstance(before[0], Symbol):
            parts = before[0], node
            if any(isinstance(each, Operation | Power | Call | Norm | Floor) for part in parts for each in walk(part)):
                if not _equal(before, (node, found)):
                    letters = bool(symbols_of(parts)) and not all(each.base == "e" for each in symbols_of(parts))
                    return Compared(
                        False, f"the left side is {_shown(before[1])}, the right side {_shown(found)}", letters
                    )
                said = True
        before = node, found
    _note(nodes, known)
    return Compared(True) if said else None


def _note(nodes: list[Node | None], known: dict[str, Any]) -> None:
    """Note what a letter at the beginning of a chain is set to."""
    first = nodes[0] if nodes else None
    if not isinstance(first, Symbol):
        return
    known.pop(symbol_latex(first), None)
    for node in nodes[1:]:
        if node is not None:
            try:
                known[symbol_latex(first)] = value_of(node, known)
            except (NotReadError, MisfitError):
                continue
            return


def value_of(node: Node, known: Mapping[str, Any]) -> Any:
    """The number or matrix that a formula is; NotReadError where it has other letters."""
    with np.errstate(all="ignore"):
        found = _Numbers(known).value(node, {})
    if not np.all(np.isfinite(found)) or np.max(np.abs(found)) > LARGEST:
        raise NotReadError("a number out of bounds")
    return found


class _Numbers(Evaluation):
    """Numbers, matrices of numbers, and letters that were set to such before."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        super().__init__()
        self.known = known

    def symbol(self, node: Symbol, at: At) -> Any:
        if symbol_latex(node) not in self.known:
            raise NotReadError(f"{symbol_latex(node)} has no value")
        return self.known[symbol_latex(node)]

    def other(self, node: Node, at: At) -> Any:
        if not isinstance(node, Matrix):
            raise NotReadError("no number")
        rows = [[self.entry(each) for each in row] for row in node.rows]
        if len(set(map(len, rows))) != 1:
            raise NotReadError("a matrix whose rows differ in length")
        return np.array(rows)

    def entry(self, node: Node | None) -> float:
        found = None if node is None else self.value(node, {})
        if found is None or found.size > 1:
            raise NotReadError("a matrix with dots")
        return float(found.item())

    def power(self, node: Power, at: At) -> Any:
        base, exponent = self.value(node.base, at), self.value(node.exponent, at)
        if base.size > 1 or exponent.size > 1 or abs(exponent.item()) > 64:
            raise NotReadError("a power of a matrix")
        return base**exponent

    def function(self, function: Symbol, inner: Any) -> Any:
        name = NAMED.get(function.base, function.base)
        if name not in ("log", "exp", "sqrt", "tanh", "abs", "sigmoid") or function.subscripts:
            raise NotReadError("no number")
        return FUNCTIONS[name](inner)

    def operation(self, node: Operation, at: At) -> Any:
        left, right, sign = self.value(node.left, at), self.value(node.right, at), node.sign
        matrices = left.size > 1 and right.size > 1
        if matrices and sign not in ("+", "-", "/", "*"):
            if left.shape[1] == right.shape[0]:
                return left @ right
            if left.shape != right.shape:
                shapes = f"a matrix of shape {_shape(left)} cannot be multiplied by one of shape {_shape(right)}"
                raise MisfitError(shapes)
        if matrices and any(a != b and 1 not in (a, b) for a, b in zip(left.shape, right.shape, strict=True)):
            raise MisfitError(f"matrices of the shapes {_shape(left)} and {_shape(right)} cannot be combined")
        return combined(sign, left, right)


def _shape(array: Any) -> str:
    return "x".join(map(str, np.shape(array)))


def _equal(first: tuple[Node, Any], second: tuple[Node, Any]) -> bool:
    (left, a), (right, b) = first, second
    if np.shape(a) != np.shape(b):
        return False
    slack = max(_last_place(left), _last_place(right))
    return bool(np.all(np.abs(a - b) <= np.maximum(slack, 1e-9 * np.maximum(np.abs(a), np.abs(b)))))


def _last_place(node: Node) -> float:
    """The last place of a number, or of the numbers of a matrix, 0 for a whole number and for a formula."""
    if isinstance(node, Number):
        decimals = re.search(r"\.(\d+)$", node.text)
        return 10.0 ** -len(decimals[1]) if decimals else 0.0
    if isinstance(node, Negative):
        return _last_place(node.operand)
    entries = [each for row in node.rows for each in row if each is not None] if isinstance(node, Matrix) else []
    return max(map(_last_place, entries), default=0.0)


def _shown(value: Any) -> str:
    if np.size(value) == 1:
        return f"{value.item():.10g}"
    rows = "; ".join(", ".join(f"{each:.10g}" for each in row) for row in np.atleast_2d(value)[:6])
    return f"({rows})"
