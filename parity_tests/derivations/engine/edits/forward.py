"""The steps of a forward pass: formulas with what their operands held, and what they came to."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, NamedTuple

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.edits.scope import is_array, mark
from parity_tests.derivations.engine.events import NAMED, RETURNED, Event
from parity_tests.derivations.engine.truths import Truths


class Step(NamedTuple):
    """A formula, its operands with their values, and the event of its result."""

    node: ast.expr
    operands: tuple[tuple[ast.expr, Any], ...]
    result: Event


class Forward:
    """All steps of a run by their nodes, and in their order those that lead to J."""

    def __init__(self, truths: Truths) -> None:
        self.by_node: dict[int, Step] = {}
        self.steps: list[Step] = []
        self.reads: dict[Any, list[tuple[Step, int]]] = {}
        values: dict[str, Any] = {}
        parts: dict[int, Any] = {}
        for event in truths.run.events:
            node = _formula(event)
            if node is not None and not event.missing:
                number: int = node.number  # type: ignore[attr-defined]
                step = Step(node, tuple((each, _value(each, values, parts)) for each in _operands(node)), event)
                self.by_node[number] = step
                parts[number] = event.value
                if event.key in truths.by_key:
                    self.steps.append(step)
                    for place, (_, operand) in enumerate(step.operands):
                        if is_array(operand):
                            self.reads.setdefault(mark(operand), []).append((step, place))
            if event.name and not event.missing:
                values[symbols.written(event.name)] = event.value

    def uses(self, value: Any) -> list[tuple[Step, int]]:
        """The steps that read an array, each with the place of its operand."""
        return self.reads.get(mark(value), [])


def _formula(event: Event) -> ast.expr | None:
    """The formula that a value comes from: a part, or the whole right side of an assignment."""
    node, statement = event.node, event.statement
    if event.role == NAMED and isinstance(statement, ast.Assign) and isinstance(node, ast.Name | ast.Attribute):
        node = statement.value if statement.targets == [node] else None
    elif event.role == RETURNED and isinstance(statement, ast.Return):
        node = statement.value
    found = isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call) and hasattr(node, "number")
    return node if found else None  # type: ignore[return-value]


def _operands(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.BinOp():
            return [node.left, node.right]
        case ast.UnaryOp():
            return [node.operand]
        case ast.Call(func=ast.Attribute(value=base)) if not (isinstance(base, ast.Name) and base.id in ("np", "self")):
            return [base, *node.args]
        case ast.Call():
            return list(node.args)
    return []


def _value(node: ast.expr, values: Mapping[str, Any], parts: Mapping[int, Any]) -> Any:
    """What an operand was, None where that was not seen."""
    number = getattr(node, "number", -1)
    if number in parts:
        return parts[number]
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Attribute) and node.attr == "T":
        inner = _value(node.value, values, parts)
        return inner.T if is_array(inner) else None
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return values.get(ast.unparse(node))
    return None
