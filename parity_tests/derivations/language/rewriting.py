"""A changed tree in the text that it comes from: statements that changed, each in its own line and spelling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from parity_tests.derivations.changes import Change
from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.errors import DerivationSyntaxError
from parity_tests.derivations.language.nodes import Assign, For, Node, Program, Statement
from parity_tests.derivations.language.printer import to_text
from parity_tests.derivations.language.syntax import parse


def changes_of(rows: Sequence[str], before: Program, after: Program) -> tuple[Change, ...]:
    """What changes in the rows of a text where one program takes the place of another.

    Nothing, where one of the statements does not stand in the text as it is.
    """
    found = []
    for old, new in _pairs(before.statements, after.statements):
        change = _changed(rows, old, new) if isinstance(old, Assign | None) else None
        if change is None:
            return ()
        found.append(change)
    return tuple(found)


def moved(rows: Sequence[str], number: int, to: int) -> tuple[Change, ...]:
    """A line before another one."""
    row = rows[number - 1]
    return Change(number, (row,), ()), Change(to, (), (row,))


def _pairs(
    before: Sequence[Statement], after: Sequence[Statement]
) -> Iterator[tuple[Assign | For | None, Statement | None]]:
    """The statements that differ, side by side; one that is gone or new has None beside it, behind (None, None)."""
    if len(before) != len(after):
        left = [each for each in before if each not in after]
        if len(left) != len(before) - len(after) or [each for each in before if each in after] != list(after):
            yield None, None  # not one that is left out alone
            return
        for each in left:
            yield each, None
        return
    for old, new in zip(before, after, strict=True):
        if old == new:
            continue
        heads = isinstance(old, For) and isinstance(new, For)
        if heads and (old.variable, old.start, old.stop) == (new.variable, new.start, new.stop):  # type: ignore[union-attr]
            yield from _pairs(old.body, new.body)  # type: ignore[union-attr]
        else:
            yield old, new


def _changed(rows: Sequence[str], old: Assign | None, new: Statement | None) -> Change | None:
    """The row of a statement with another in it, or without it; None where it does not stand there alone as it is."""
    if old is None or old.span is None or isinstance(new, For) or not 0 < old.span.line <= len(rows):
        return None
    row, line = rows[old.span.line - 1], old.span.line
    if _read(row) != old:
        return None
    if new is None:
        return Change(line, (row,), ())
    for part, instead in _parts(old, new):
        span = part.span
        if span is None or span.line != line:
            continue
        text = to_text(instead, as_written=True)
        for written in (text, f"({text})"):
            changed = f"{row[: span.start - 1]}{written}{row[span.stop - 1 :]}"
            if _read(changed) == new:
                return Change(line, (row,), (changed,))
    return None


def _parts(old: Node, new: Node) -> list[tuple[Node, Node]]:
    """The parts in which two statements differ, the smallest first."""
    found = [(old, new)]
    while True:
        before, after = nodes.children(old), nodes.children(new)
        different = [pair for pair in zip(before, after, strict=False) if pair[0] != pair[1]]
        same_kind = type(old) is type(new) and len(before) == len(after) and len(different) == 1
        if not same_kind or nodes.with_children(old, after) != new:
            return found[::-1]
        old, new = different[0]
        found.append((old, new))


def _read(row: str) -> Statement | None:
    """The statement of a row, None where it is not one."""
    try:
        statements = parse(row.strip()).statements
    except DerivationSyntaxError:
        return None
    return statements[0] if len(statements) == 1 else None
