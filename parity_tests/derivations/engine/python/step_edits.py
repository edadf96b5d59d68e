"""Changes of an optimiser's lines, each a mistake undone: a sign, a share, a square, a root, a name, a correction."""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from parity_tests.derivations.engine.edits.trees import parsed, places, replaced, word

OF_ARRAYS = frozenset(("square-missing", "root-missing", "extra-factor", "overwritten", "average-weight-missing"))
"""Mistakes with a gradient or a state, not with a rate."""

LEAST_SHARE = 0.3
"""What numbers are taken for shares of a state that are left after a step."""

Update = ast.Assign | ast.AugAssign


class StepEdit(NamedTuple):
    """A statement of an optimiser, what belongs in its place, the mistake undone, and how unlikely that is."""

    statement: Update
    new: Update
    cause: str
    cost: float


def changes_of(updates: Sequence[Update], of_numbers: Collection[int]) -> Iterator[StepEdit]:
    """All changes of one of the statements; one that makes it like another of them is likelier.

    No number is squared, as the rate, in the statements ``of_numbers``, which are given by their ids.
    """
    shapes = [_pattern(each) for each in updates]
    for place, statement in enumerate(updates):
        others = {shape for n, shape in enumerate(shapes) if n != place}
        for new, cause, cost in _of_one(statement, updates):
            if id(statement) in of_numbers and cause in OF_ARRAYS:
                continue
            alike = 0.4 if _pattern(new) in others else 0.0
            unlike = 0.2 if shapes[place] in others else 0.0
            yield StepEdit(statement, new, cause, cost - alike + unlike)


def _of_one(statement: Update, updates: Sequence[Update]) -> Iterator[tuple[Update, str, float]]:
    match statement:
        case ast.AugAssign(op=ast.Add() | ast.Sub() as op):
            other = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
            yield ast.copy_location(ast.AugAssign(statement.target, other, statement.value), statement), "sign", 1.0
        case ast.Assign(targets=[ast.Name() | ast.Attribute() | ast.Subscript() as target]):
            made = ast.AugAssign(target, ast.Add(), statement.value)
            yield ast.copy_location(made, statement), "overwritten", 1.0
    value, names = statement.value, _names(updates)
    corrections = _corrections(updates)
    numbers = {
        each.value
        for one in updates
        for each in ast.walk(one.value)
        if isinstance(each, ast.Constant) and isinstance(each.value, float) and LEAST_SHARE < each.value < 1
    }
    for node, _ in places(value):
        for new, cause, cost in _of_node(node, value, names, corrections, numbers):
            changed = copy.copy(statement)
            changed.value = replaced(value, node, new)
            yield changed, cause, cost


def _of_node(
    node: ast.expr,
    whole: ast.expr,
    names: Sequence[ast.expr],
    corrections: Sequence[ast.expr],
    numbers: Collection[float],
) -> Iterator[tuple[ast.expr, str, float]]:
    """What may stand in place of a part of a formula."""
    match node:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield ast.BinOp(left, ast.Sub(), right), "sign", 1.0
        case ast.BinOp(
            left=ast.Constant(value=1), op=ast.Sub(), right=ast.BinOp(left=base, op=ast.Mult(), right=steps)
        ):
            yield ast.BinOp(node.left, ast.Sub(), ast.BinOp(base, ast.Pow(), steps)), "adam-no-power", 0.9
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            yield ast.BinOp(left, ast.Add(), right), "sign", 1.0
            if isinstance(left, ast.Constant):
                yield right, "average-weight-missing", 1.1
                for steps in (each.right for each in corrections if isinstance(each, ast.BinOp)):
                    yield (
                        ast.BinOp(left, ast.Sub(), ast.BinOp(right, ast.Pow(), _exponent(steps))),
                        "adam-no-power",
                        1.0,
                    )
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=right):
            yield left, "extra-factor", 1.1
            if isinstance(node.op, ast.Mult):
                yield right, "extra-factor", 1.1
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=2)):
            yield left, "square-extra", 1.0
        case ast.Constant(value=float() as number) if 0 < number < 1:
            yield ast.Constant(round(1 - number, 10)), "wrong-number", 1.0
            cost = 1.0 if id(node) in _in_corrections(whole) else 1.2
            yield from ((ast.Constant(other), "wrong-number", cost) for other in numbers if other != number)
    if word(node) == "sqrt" and isinstance(node, ast.Call):
        yield node.args[0], "extra-factor", 1.2
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand, "sign", 1.0
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        own = ast.unparse(node)
        yield ast.BinOp(ast.Constant(1), ast.Sub(), node), "average-weight-missing", 1.0
        yield ast.BinOp(node, ast.Pow(), ast.Constant(2)), "square-missing", 0.9
        yield ast.Call(parsed("np.sqrt"), [node], []), "root-missing", 0.9
        for other in names:
            if ast.unparse(other) != own and (isinstance(other, type(node)) or isinstance(node, ast.Name)):
                yield other, "wrong-symbol", 1.1
    for correction in (
        corrections if node is whole or isinstance(node, ast.Name | ast.Subscript | ast.Attribute) else ()
    ):
        yield ast.BinOp(node, ast.Div(), correction), "adam-correction-missing", 1.15
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        for share in _shares(node.left):
            weight = ast.BinOp(ast.Constant(1), ast.Sub(), share)
            yield (
                ast.BinOp(node.left, ast.Add(), ast.BinOp(weight, ast.Mult(), node.right)),
                "average-weight-missing",
                1.0,
            )


def _in_corrections(value: ast.expr) -> set[int]:
    """The ids of the parts that are raised to a power in ``1 - beta ** t``."""
    powers = (each.right for each in ast.walk(value) if isinstance(each, ast.BinOp) and isinstance(each.op, ast.Sub))
    return {id(each.left) for each in powers if isinstance(each, ast.BinOp) and isinstance(each.op, ast.Pow)}


def _exponent(node: ast.expr) -> ast.expr:
    return node.right if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) else node


def _shares(node: ast.expr) -> Iterator[ast.expr]:
    """The number by which a state decays."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield from (each for each in (node.left, node.right))


def _names(updates: Sequence[Update]) -> list[ast.expr]:
    """The names, attributes and entries that the lines read, each once."""
    found: dict[str, ast.expr] = {}
    for statement in updates:
        for node, _ in places(statement.value):
            if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
                found.setdefault(ast.unparse(node), node)
    return [node for text, node in found.items() if text != "np" and not text.startswith("np.")]


def _corrections(updates: Sequence[Update]) -> list[ast.expr]:
    """The corrections ``1 - beta ** t`` of the lines, each also with the other numbers that stand in one."""
    found: dict[str, ast.expr] = {}
    bases: dict[str, ast.expr] = {}
    for statement in updates:
        for node, _ in places(statement.value):
            match node:
                case ast.BinOp(left=ast.Constant(value=1), op=ast.Sub(), right=ast.BinOp(op=ast.Pow()) as power):
                    found.setdefault(ast.unparse(node), node)
                    bases.setdefault(ast.unparse(power.left), power.left)
                case ast.BinOp(
                    left=ast.Constant(value=1), op=ast.Sub(), right=ast.Name() | ast.Attribute() | ast.Constant()
                ):
                    bases.setdefault(ast.unparse(node.right), node.right)
    for node in list(found.values()):
        assert isinstance(node, ast.BinOp)
        assert isinstance(node.right, ast.BinOp)
        for base in bases.values():
            made = ast.BinOp(node.left, ast.Sub(), ast.BinOp(base, ast.Pow(), node.right.right))
            found.setdefault(ast.unparse(ast.fix_missing_locations(made)), made)
    return list(found.values())


def _pattern(statement: Update) -> str:
    """A statement without its names and numbers."""

    class Bare(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            return ast.Name("_", node.ctx)

        def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
            return ast.Name("_", node.ctx)

        def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
            return ast.Name("_", node.ctx)

    return ast.dump(Bare().visit(copy.deepcopy(statement)))
