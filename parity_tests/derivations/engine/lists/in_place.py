"""A repair in a text of formulas as it was written: λ, g1'(Z1), A^T and comments stay where nothing of them changes."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from functools import partial

from parity_tests.derivations.engine.lists.spelled import as_in_the_text, origin
from parity_tests.derivations.engine.python.spelling import spelled, unparsed
from parity_tests.derivations.engine.replay import Spelled
from parity_tests.derivations.language.front import Source, plain_lines, read


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
    names = _names(source)
    splice = partial(_spliced, names)
    found = spelled(source.rows, statement, made[0], line if len(new) == 1 else 0, splice, lambda text: read(text).tree)
    if found is None:
        return None
    return found._replace(
        text="\n".join([found.text, *(_in_names(unparsed(each, source.rows), names) for each in made[1:])])
    )


def _begin(node: ast.AST | None) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", -1)


def _names(source: Source) -> dict[str, str]:
    """The writer's own spelling of names that have another in Python."""
    lines = plain_lines("\n".join(source.rows))
    found = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and 0 < node.lineno <= len(lines) and node.end_col_offset is not None:
            row = lines[node.lineno - 1]
            start, stop = (len(row.text.encode()[:each].decode()) for each in (node.col_offset, node.end_col_offset))
            found[node.id] = row.written(start, stop) or node.id
    return {name: written for name, written in found.items() if name != written}


def _in_names(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\b[^\W\d]\w*\b", lambda match: names.get(match[0], match[0]), text)


def _spliced(names: Mapping[str, str], rows: Sequence[str], node: ast.AST, text: str) -> list[str]:
    """The rows with other words in place of a node's, which has its columns in the plain lines."""
    lines = plain_lines("\n".join(rows))
    first, last = lines[node.lineno - 1], lines[node.end_lineno - 1]  # type: ignore[attr-defined]
    start = len(first.text.encode()[: node.col_offset].decode())  # type: ignore[attr-defined]
    stop = len(last.text.encode()[: node.end_col_offset].decode())  # type: ignore[attr-defined]
    begin, end = first.row[: first.column(start) - 1], last.row[last.stops[stop - 1] :]
    inside = f"{begin}{_in_names(text, names)}{end}".split("\n")
    return [*rows[: node.lineno - 1], *inside, *rows[node.end_lineno :]]  # type: ignore[attr-defined]
