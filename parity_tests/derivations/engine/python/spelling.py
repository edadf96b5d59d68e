"""A repair in the writer's own text: what has not changed of a statement stays as it was written, comments and all."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from parity_tests.derivations.engine.replay import Spelled

Splice = Callable[[Sequence[str], ast.AST, str], list[str]]
"""The rows with other words in place of a node's."""


def spliced(rows: Sequence[str], node: ast.AST, text: str) -> list[str]:
    """The rows of a Python file with other words in place of a node's."""
    first, last = node.lineno - 1, node.end_lineno - 1  # type: ignore[attr-defined]
    start = rows[first].encode()[: node.col_offset].decode()  # type: ignore[attr-defined]
    end = rows[last].encode()[node.end_col_offset :].decode()  # type: ignore[attr-defined]
    return [*rows[:first], *f"{start}{text}{end}".split("\n"), *rows[last + 1 :]]


def unparsed(node: ast.AST, rows: Sequence[str]) -> str:
    """The text of a node; powers without blanks where the rows have none with them."""
    text = ast.unparse(node)
    return text if any(" ** " in row for row in rows) else text.replace(" ** ", "**")


def spelled(
    rows: Sequence[str],
    old: ast.stmt | ast.expr,
    new: ast.AST,
    line: int,
    splice: Splice = spliced,
    parse: Callable[[str], ast.Module] = ast.parse,
) -> Spelled | None:
    """The lines of a node of the text with another in its place; ``line`` alone where all that changes is in it."""
    if old.end_lineno is None or old.end_lineno > len(rows):  # it stands in the call, and not in the file
        return None
    before, after = _smallest(old, new)
    first, last = old.lineno, old.end_lineno
    if before.lineno == before.end_lineno == line:  # type: ignore[attr-defined]
        first = last = line
    unchanged = ast.dump(old) == ast.dump(new)
    formula = unparsed(after, rows)
    for text in (formula, f"({formula})"):
        changed = list(rows) if unchanged else splice(rows, before, text)
        if _says(parse, changed, old, new):
            found = changed[first - 1 : last + len(changed) - len(rows)]
            indent = len(found[0]) - len(found[0].lstrip())
            return Spelled(
                "\n".join(each[min(indent, len(each) - len(each.lstrip())) :] for each in found).rstrip(),
                last - first + 1,
            )
    return None


def _says(parse: Callable[[str], ast.Module], changed: list[str], old: ast.AST, new: ast.AST) -> bool:
    """Whether the changed text means what the new node means."""
    try:
        tree = parse("\n".join(changed))
    except (SyntaxError, ValueError):
        return False
    wanted = ast.unparse(ast.fix_missing_locations(new))
    return any(
        type(each) is type(new)
        and getattr(each, "lineno", 0) == old.lineno  # type: ignore[attr-defined]
        and getattr(each, "col_offset", -1) == old.col_offset  # type: ignore[attr-defined]
        and ast.unparse(each) == wanted
        for each in ast.walk(tree)
    )


def _smallest(old: ast.AST, new: ast.AST) -> tuple[ast.AST, ast.AST]:
    """The smallest part in which two nodes differ."""
    while True:
        parts = _parts(old, new)
        if parts is None:
            return old, new
        different = [(a, b) for a, b in parts if ast.dump(a) != ast.dump(b)]
        if len(different) != 1 or not hasattr(different[0][0], "col_offset"):
            return old, new
        old, new = different[0]


def _parts(old: ast.AST, new: ast.AST) -> list[tuple[ast.AST, ast.AST]] | None:
    """The parts of two nodes of one kind, side by side; None where something else than a part differs."""
    if type(old) is not type(new):
        return None
    found: list[tuple[ast.AST, ast.AST]] = []
    for name in old._fields:
        a, b = getattr(old, name, None), getattr(new, name, None)
        if isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                return None
            pairs = list(zip(a, b, strict=True))
        else:
            pairs = [(a, b)]
        for one, other in pairs:
            if isinstance(one, ast.AST) and isinstance(other, ast.AST):
                if not isinstance(one, ast.expr_context):
                    found.append((one, other))
            elif one != other:
                return None
    return found
