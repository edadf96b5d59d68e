"""A repaired formula in its plain form: what its repair brought in and does not need is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from parity_tests.derivations import nodes
from parity_tests.derivations.edit_context import values
from parity_tests.derivations.nodes import Assign, Binary, Expression, Node, Number, Path, Transpose, Unary
from parity_tests.derivations.program_rules import rewritten

ZERO, ONE = Number(0.0), Number(1.0)


def simplified(node: Node, written: Node, holds: Callable[[Node], bool]) -> Node:
    """The formula without what ``written`` lacks and ``holds`` does not need, and without factors of 1 and the like.

    Only what the repair brought in is left out: a part of the writer's own formula stays, needed or not.
    """
    node = _accepted(tidy(node), node, holds)
    while True:
        shorter = next((each for each in _shorter(node, written) if holds(each)), None)
        if shorter is None:
            return node
        node = _accepted(tidy(shorter), shorter, holds)


def _accepted(new: Node, node: Node, holds: Callable[[Node], bool]) -> Node:
    return new if new == node or holds(new) else node


def _shorter(node: Node, written: Node) -> Iterator[Node]:
    """The formula with a part in place of a whole that the writer did not write, the shortest first."""
    own = {here for _, here in nodes.walk(written)}
    found = [nodes.replace(node, path, part) for path, part in _parts(node) if nodes.at(node, path) not in own]
    yield from sorted(found, key=nodes.size)


def _parts(node: Node) -> Iterator[tuple[Path, Expression]]:
    """Every formula at any depth inside an arithmetic one, with the place of the latter."""
    for path, here in values(node):
        if isinstance(here, Binary | Unary | Transpose | nodes.Call):
            for inner, part in values(here):
                if inner:
                    yield path, part


def tidy(node: Node) -> Node:
    """The same formula without ``1 * x``, ``x**1``, ``0 - x``, ``x + 0``, ``- -x``, ``a + -b``, ``A.T.T``."""
    return rewritten(node, _plain)


def _plain(node: Node) -> Node:
    match node:
        case Assign(value=Binary(bracketed=True) as value):
            return replace(node, value=replace(value, bracketed=False))
        case Unary(Unary(inner)) | Transpose(Transpose(inner, ()), ()):
            return inner
        case Transpose(Number() as number):
            return number
        case Binary("**", left, Number(1.0)) | Binary("**", Number(1.0) as left, Number()):
            return left
        case Binary("*" | "/", left, Number(1.0)):
            return left
        case Binary("*", Number(1.0), right):
            return right
        case Binary("+" | "-", left, Number(0.0)):
            return left
        case Binary("+", Number(0.0), right):
            return right
        case Binary("-", Number(0.0), right):
            return _plain(Unary(right))
        case Binary("+" | "-", left, right) if (positive := _without_minus(right)) is not None:
            return replace(node, operator="-" if node.operator == "+" else "+", right=positive)
        case Binary("/", Number(1.0), Binary("/", Number(1.0), inner)):
            return inner
    return node


def _without_minus(term: Expression) -> Expression | None:
    """A term that begins with a minus, without it; None for any other."""
    if isinstance(term, Unary):
        return term.operand
    if isinstance(term, Binary) and term.operator in "*@/" and term.form == "operator":
        left = _without_minus(term.left)
        return None if left is None else replace(term, left=left)
    return None
