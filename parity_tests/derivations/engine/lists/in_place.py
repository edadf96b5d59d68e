"""A repair in a text of formulas as it was written: λ, g1'(Z1), A^T and comments stay where nothing of them changes."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import partial

from parity_tests.derivations.engine.lists.spelled import as_in_the_text, origin
from parity_tests.derivations.engine.python.spelling import Columns, spelled, unparsed
from parity_tests.derivations.engine.replay import Spelled
from parity_tests.derivations.language.front import Line, Source, plain_lines, read


def in_the_text(source: Source, old: ast.stmt, new: Sequence[ast.stmt], line: int) -> Spelled | None:
    """The lines of a statement of a text with others in its place; None where it is not found as it stands."""
    place = origin(old)
    written = (each for each in ast.walk(source.tree) if isinstance(each, ast.stmt) and _begin(each) == _begin(place))
    statement = next(written, None)
    if statement is None:
        return None
    try:
        made = [ast.parse(as_in_the_text(old, each)).body[0] for each in new]
    except SyntaxError:
        return None
    where = partial(_columns, plain_lines("\n".join(source.rows)))
    names, alone = _names(source, where), line if len(new) == 1 else 0
    found = spelled(source.rows, statement, made[0], alone, where, lambda text: read(text).tree, names)
    if found is None:
        return None
    return found._replace(text="\n".join([found.text, *(unparsed(each, source.rows, names) for each in made[1:])]))


def _begin(node: ast.AST | None) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", -1)


def _columns(lines: Sequence[Line], rows: Sequence[str], node: ast.AST) -> tuple[int, int]:
    """Where a node begins and ends in the rows as they were written: its columns are those of the plain lines."""
    first, last = lines[node.lineno - 1], lines[node.end_lineno - 1]  # type: ignore[attr-defined]
    start = len(first.text.encode()[: node.col_offset].decode())  # type: ignore[attr-defined]
    stop = len(last.text.encode()[: node.end_col_offset].decode())  # type: ignore[attr-defined]
    return first.column(start) - 1, last.stops[stop - 1]


def _names(source: Source, where: Columns) -> dict[str, str]:
    """The writer's own spelling of names that have another in Python."""
    found = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and 0 < node.lineno <= len(source.rows):
            start, end = where(source.rows, node)
            found[node.id] = source.rows[node.lineno - 1][start:end]
    return {name: written for name, written in found.items() if name != written}
