"""Back to the text: the statement that a written-out line comes from, and its own words for the entries of lists."""

from __future__ import annotations

import ast
import copy
import re

from parity_tests.derivations.engine.lists.names import names_in


def origin(statement: ast.stmt | None) -> ast.stmt | None:
    """The statement of the text that a statement was written out of; the same for each turn of a loop."""
    return getattr(statement, "origin", statement)


def in_a_loop(statement: ast.stmt | None) -> bool:
    """Whether a statement is one of several turns of a loop."""
    return bool(getattr(statement, "turns", None))


def as_in_the_text(statement: ast.stmt, changed: ast.stmt) -> str:
    """A changed statement with the text's own words for the entries of its lists."""
    new = _Spelled(getattr(statement, "spelling", {}), getattr(statement, "turns", {})).visit(copy.deepcopy(changed))
    source = origin(statement)
    if isinstance(source, ast.Expr) and isinstance(source.value, ast.Call) and isinstance(new, ast.Assign):
        call = copy.copy(source.value)
        call.args = [*call.args[:-1], new.value]
        return ast.unparse(ast.fix_missing_locations(call))
    if isinstance(new, ast.Assign) and isinstance(new.value, ast.Tuple) and new.value.elts:
        targets = " = ".join(ast.unparse(each).strip("()") for each in new.targets)
        return f"{targets} = {', '.join(ast.unparse(each) for each in new.value.elts)}"
    return ast.unparse(ast.fix_missing_locations(new))


class _Spelled(ast.NodeTransformer):
    """Entries as the text writes them in one turn: ``A[l - 1]`` for A[1] where l is 2."""

    def __init__(self, spelling: dict[str, str], turns: dict[str, int]) -> None:
        self.spelling = spelling
        self.counters = {name: value for name, value in turns.items() if name}

    def visit_Name(self, node: ast.Name) -> ast.AST:
        written = self.spelling.get(node.id) or self._beside(node.id)
        return node if written is None else ast.parse(written, mode="eval").body

    def _beside(self, name: str) -> str | None:
        """An entry that this turn does not write, counted from one that it does, or from the counter."""
        match = _COUNTED.fullmatch(name)
        if match is None or not self.counters:
            return None
        for other, written in self.spelling.items():
            found = _COUNTED.fullmatch(other)
            node = ast.parse(written, mode="eval").body
            if found and found[1] == match[1] and isinstance(node, ast.Subscript) and names_in(node.slice):
                return f"{ast.unparse(node.value)}[{_moved(node.slice, int(match[2]) - int(found[2]))}]"
        counter, value = list(self.counters.items())[-1]
        return f"{match[1]}[{_moved(ast.Name(counter, ast.Load()), int(match[2]) - value)}]"


_COUNTED = re.compile(r"(\w+)\[(\d+)\]")


def _moved(index: ast.expr, by: int) -> str:
    """A place so many further on."""
    match index:
        case ast.BinOp(op=ast.Add(), right=ast.Constant(value=int() as more)):
            return _moved(index.left, by + more)
        case ast.BinOp(op=ast.Sub(), right=ast.Constant(value=int() as less)):
            return _moved(index.left, by - less)
    return f"{ast.unparse(index)} {'-+'[by > 0]} {abs(by)}" if by else ast.unparse(index)
