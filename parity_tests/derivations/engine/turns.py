"""A statement that adds up in a loop: what a change of it comes to over all turns.

No turn has a truth of its own, only the sum has; the names are those of each turn, as the program left them there.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from parity_tests.derivations.engine.events import ENTRY, Event, Key
from parity_tests.derivations.engine.lists.spelled import as_in_the_text, origin
from parity_tests.derivations.engine.numbers.kinds import PLAIN
from parity_tests.derivations.engine.replay import Program
from parity_tests.derivations.engine.truths import Truths

MOST_TURNS = 600


class Turn(NamedTuple):
    """The statement in one turn, what its target is called there, and the names before it."""

    statement: ast.stmt
    target: str
    names: Mapping[str, Any]


def adds_up(statement: ast.stmt | None) -> bool:
    """Whether a statement adds to what its target holds: ``dW += e`` or ``dW = dW + e``."""
    match statement:
        case ast.AugAssign():
            return True
        case ast.Assign(targets=[target], value=ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right)):
            name, terms = ast.unparse(target), [left, right]
            while isinstance(terms[0], ast.BinOp) and isinstance(terms[0].op, ast.Add | ast.Sub):
                terms[:1] = [terms[0].left, terms[0].right]
            return name in map(ast.unparse, terms)
    return False


def is_built_up(event: Event) -> bool:
    """Whether a value is built up where it stands."""
    return event.role == ENTRY or adds_up(event.statement)


def turns_of(
    truths: Truths, last: Event, statement: ast.stmt, hook: Callable[[Key, Any], Any]
) -> tuple[Turn, ...] | None:
    """All turns up to the ``last`` of a statement; None where there is one, or too many."""
    places = [
        (each.statement if each.key[0] != last.key[0] else statement, each.key[1])
        for each in truths.run.events
        if each.statement is not None and (each.role, each.name) == (last.role, last.name)
        if origin(each.statement) is origin(last.statement)
    ]
    places = list(dict.fromkeys([*places, (statement, last.key[1])]))
    if last.key[1]:
        places = [(statement, count) for count in range(last.key[1] + 1)]  # entries of one array are one event
    if not 1 < len(places) <= MOST_TURNS:
        return None
    found = []
    free = truths.probe.given if truths.probe.places is None else {}
    captured: dict[tuple[int, int], Mapping[str, Any]] = {}
    for here, _ in places:
        assert here is not None
        if all(number != id(here) for number, _ in captured):
            counts = [count for other, count in places if other is here]
            run = truths.program.run(truths.probe.given, PLAIN, hook, keep=False, capture=(here, counts))
            captured |= {(id(here), count): names for count, names in run.captured.items()}
    for here, count in places:
        names = captured.get((id(here), count))
        if here is None or names is None:
            return None
        found.append(Turn(*truths.program.editable(here, {**free, **names}, last.name)))
    return tuple(found)


def value_behind(program: Program, turns: Sequence[Turn], written: ast.stmt, statements: Sequence[ast.stmt]) -> Any:
    """What the target is behind all turns with other statements in place of the ``written`` one; None for nothing."""
    value = turns[0].names.get(turns[0].target)
    for turn in turns:
        names = {**turn.names, turn.target: copy.copy(value)} if value is not None else turn.names
        here = [_in_turn(each, written, turn) for each in statements]
        value = program.execute(here, names, turn.target)
        if value is None:
            return None
    return value


def _in_turn(changed: ast.stmt, written: ast.stmt, turn: Turn) -> ast.stmt:
    """A statement that was changed in one turn as it is in another one."""
    counters = getattr(turn.statement, "turns", {})
    if not counters or turn.statement is written:
        return changed
    new = ast.parse(as_in_the_text(written, changed)).body[0]
    turned: ast.stmt = _Counted(counters).visit(new)
    return ast.fix_missing_locations(turned)


class _Counted(ast.NodeTransformer):
    """Counters as the numbers that they are in one turn, and entries of lists as names."""

    def __init__(self, counters: Mapping[str, int]) -> None:
        self.counters = counters

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Constant(self.counters[node.id]) if node.id in self.counters else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        place = _number(node.slice)
        return node if place is None else ast.Name(f"{ast.unparse(node.value)}[{place}]", node.ctx)


def _number(node: ast.expr) -> int | None:
    """What whole numbers add up to."""
    match node:
        case ast.Constant(value=int() as number):
            return number
        case ast.BinOp(op=ast.Add() | ast.Sub() as operator):
            left, right = _number(node.left), _number(node.right)
            if left is not None and right is not None:
                return left + right if isinstance(operator, ast.Add) else left - right
    return None
