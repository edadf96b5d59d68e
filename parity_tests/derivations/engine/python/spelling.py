"""A repair in the writer's own text: what has not changed of a statement stays as it was written, comments and all."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from parity_tests.derivations.engine.replay import Spelled

PLAIN: Mapping[str, str] = MappingProxyType({})
"""No names that are spelled otherwise than in Python."""

Columns = Callable[[Sequence[str], ast.AST], tuple[int, int]]
"""In its first row the place where a node begins, and in its last row the place where it ends."""


def columns(rows: Sequence[str], node: ast.AST) -> tuple[int, int]:
    """The same for a Python file, where Python counts bytes."""
    first, last = rows[node.lineno - 1], rows[node.end_lineno - 1]  # type: ignore[attr-defined]
    ends = first.encode()[: node.col_offset], last.encode()[: node.end_col_offset]  # type: ignore[attr-defined]
    return len(ends[0].decode()), len(ends[1].decode())


def _spliced(rows: Sequence[str], node: ast.AST, text: str, where: Columns) -> list[str]:
    """The rows with other words in place of a node's."""
    first, last = node.lineno - 1, node.end_lineno - 1  # type: ignore[attr-defined]
    start, end = where(rows, node)
    return [*rows[:first], *f"{rows[first][:start]}{text}{rows[last][end:]}".split("\n"), *rows[last + 1 :]]


def _texts(
    rows: Sequence[str], before: ast.AST, after: ast.AST, where: Columns, names: Mapping[str, str]
) -> Iterator[str]:
    """What may stand in place of a node: what it shares with the new one as it was written, or all of it anew."""
    own: dict[str, str] = {}
    for node in ast.walk(before):
        if isinstance(node, ast.expr) and node.lineno == node.end_lineno:
            start, end = where(rows, node)
            own.setdefault(ast.dump(node), rows[node.lineno - 1][start:end])
    kept: list[str] = []

    def shared(node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr) and (text := own.get(ast.dump(node))) is not None:
            kept.append(text)
            return ast.Name(f"kept_{len(kept) - 1}_", ast.Load())
        new = copy.copy(node)
        for field, child in ast.iter_fields(node):
            parts = (
                [shared(each) if isinstance(each, ast.AST) else each for each in child]
                if isinstance(child, list)
                else child
            )
            setattr(new, field, shared(child) if isinstance(child, ast.AST) else parts)
        return new

    form, anew = unparsed(shared(after), rows, names), unparsed(after, rows, names)
    for text in dict.fromkeys((form, f"({form})", anew, f"({anew})")):
        for mark in ("{}", "({})"):
            parts = _KEPT.split(text)
            yield "".join(mark.format(kept[int(part)]) if place % 2 else part for place, part in enumerate(parts))


_NAME = re.compile(r"\b[^\W\d]\w*\b")
_KEPT = re.compile(r"\bkept_(\d+)_\b")


def unparsed(node: ast.AST, rows: Sequence[str], names: Mapping[str, str] = PLAIN) -> str:
    """The text of a node in the writer's names; powers without blanks where the rows have none with them."""
    text = ast.unparse(ast.fix_missing_locations(node))
    text = _NAME.sub(lambda found: names.get(found[0], found[0]), text) if names else text
    return text if any(" ** " in row for row in rows) else text.replace(" ** ", "**")


def spelled(
    rows: Sequence[str],
    old: ast.stmt | ast.expr,
    new: ast.AST,
    line: int,
    where: Columns = columns,
    parse: Callable[[str], ast.Module] = ast.parse,
    names: Mapping[str, str] = PLAIN,
) -> Spelled | None:
    """The lines of a node of the text with another in its place; ``line`` alone where all that changes is in it."""
    if old.end_lineno is None or old.end_lineno > len(rows):  # it stands in the call, and not in the file
        return None
    before, after = _smallest(old, new)
    first, last = old.lineno, old.end_lineno
    if before.lineno == before.end_lineno == line:  # type: ignore[attr-defined]
        first = last = line
    unchanged = ast.dump(old) == ast.dump(new)
    for text in _texts(rows, before, after, where, names):
        changed = list(rows) if unchanged else _spliced(rows, before, text, where)
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
