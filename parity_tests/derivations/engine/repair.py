"""What a repair is, and which part of a statement it changes."""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

from parity_tests.derivations.engine.edits.words import Edit
from parity_tests.derivations.engine.events import NAMED, RETURNED, Event
from parity_tests.derivations.engine.lists.spelled import as_in_the_text
from parity_tests.derivations.engine.replay import Program, Spelled

RESULT = "result"
"""What a formula without a name is called while it is mended."""

SAME_COST = 0.04
"""Changes whose costs differ by less are equally likely."""

MOST_CAUSES = 3

AND = " + "
"""What stands between the causes of two changes."""


class Repair(NamedTuple):
    """The causes that are equally likely, and the text in place of ``rows`` lines."""

    causes: tuple[str, ...]
    text: str
    rows: int
    cost: float
    later: tuple[Repair, ...] = ()
    """Each repair by itself, to be tried in the text: of a line in a loop, and of a program."""

    @property
    def is_a_pair(self) -> bool:
        """Whether it takes two changes."""
        return AND in self.causes[0]


def together(repairs: list[Repair]) -> Repair:
    """Repairs that are about equally likely as one, with all their causes."""
    near = [each for each in repairs if each.cost <= repairs[0].cost + SAME_COST]
    causes = tuple(dict.fromkeys(cause for each in near for cause in each.causes))
    return Repair(causes[:MOST_CAUSES], repairs[0].text, repairs[0].rows, repairs[0].cost)


class Part(NamedTuple):
    """The statement that is changed: the writer's own, or one that stands for a formula in it.

    ``node`` is that formula in the ``whole`` statement: what is returned, appended, or an entry of a tuple or dict.
    """

    statement: ast.stmt
    whole: ast.stmt
    node: ast.expr | None

    def fits(self, edit: Edit) -> bool:
        """Whether a change can be written: in place of a formula stands another formula."""
        first = edit.statements[0]
        return self.node is None or (
            len(edit.statements) == 1
            and isinstance(first, ast.Assign)
            and ast.unparse(first.targets[0]) == ast.unparse(self.statement.targets[0])  # type: ignore[attr-defined]
        )

    def changed(self, program: Program, statements: list[ast.stmt]) -> Program | None:
        """The program with the changed statements."""
        if self.node is None:
            return program.replaced(self.whole, statements)
        return program.rewritten(self.node, statements[0].value)  # type: ignore[attr-defined]

    def text(self, program: Program, statements: list[ast.stmt], line: int) -> Spelled:
        """The changed statements as the text has them."""
        changed: Sequence[ast.stmt] = statements
        if self.node is not None:
            value = statements[0].value  # type: ignore[attr-defined]
            found = program.spelled(self.node, [ast.Expr(value)], line)
            if found is not None:
                return found
            changed = [_exchanged(self.whole, self.node, value)]
        found = program.spelled(self.whole, changed, line)
        return found or Spelled("\n".join(as_in_the_text(self.whole, each) for each in changed), 1)


def _exchanged(root: Any, old: ast.expr, new: ast.expr) -> Any:
    """A tree with one of its nodes changed."""
    if root is old:
        return new
    if isinstance(root, list):
        return [_exchanged(each, old, new) for each in root]
    if not isinstance(root, ast.AST):
        return root
    result = copy.copy(root)
    for field, child in ast.iter_fields(root):
        setattr(result, field, _exchanged(child, old, new))
    return result


def part_of(event: Event, repeats: bool) -> Part | None:
    """What of the statement behind a value may be changed; None where nothing can be."""
    statement, node = event.statement, event.node
    if repeats and statement is not None and isinstance(node, ast.expr):
        if event.role == RETURNED or (isinstance(statement, ast.Expr) and event.role == NAMED):
            return stands_for(node, statement)
        if _is_added(statement):
            return Part(statement, statement, None)
    if not isinstance(statement, ast.Assign | ast.AugAssign):
        return None
    value = statement.value
    if repeats and isinstance(statement, ast.Assign) and isinstance(value, ast.Dict):
        for key, part in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and event.name.endswith(f"[{key.value!r}]"):
                return stands_for(part, statement)
        return None
    if isinstance(statement, ast.AugAssign) or not isinstance(statement.targets[0], ast.Tuple | ast.List):
        return Part(statement, statement, None)
    targets = statement.targets[0].elts
    if not isinstance(value, ast.Tuple | ast.List) or len(value.elts) != len(targets):
        return None
    place = next((n for n, each in enumerate(targets) if getattr(each, "number", None) == event.key[0]), None)
    if place is None:
        return None
    entry = ast.copy_location(ast.Assign([targets[place]], value.elts[place]), statement)
    return Part(entry, statement, value.elts[place])


def _is_added(statement: ast.stmt) -> bool:
    """Whether a statement is ``np.add.at(dE, places, values)``."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "at"


def stands_for(node: ast.expr, whole: ast.stmt) -> Part:
    """The formula as an assignment of its own."""
    return Part(ast.copy_location(ast.Assign([ast.Name(RESULT, ast.Store())], node), whole), whole, node)
