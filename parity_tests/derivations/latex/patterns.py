"""Ellipses: the general term of ``x_1 + ... + x_n``, and of a matrix whose entries follow a pattern."""

from __future__ import annotations

from dataclasses import fields
from typing import NamedTuple, cast

from parity_tests.derivations.latex.tree import Matrix, Node, NotReadError, Number, Sum, Symbol, symbols_of, with_parts

LETTERS = "ikjqpruv"
"""Letters for an index, those that a formula does not use."""


class General(NamedTuple):
    """A term with a letter in the place of what changes, and the last value of it; no letter where nothing does."""

    term: Node
    letter: str
    last: str
    of_examples: bool = False


def general(terms: list[Node], after: Node | None, taken: str = "") -> General:
    """The general term of some terms and the last one; NotReadError where they follow no pattern."""
    first, other = terms[0], after if after is not None else terms[-1] if len(terms) > 1 else None
    if other is None:
        raise NotReadError("an ellipsis behind one term")
    used = {part for each in symbols_of((first, other)) for part in (*each.subscripts, each.round, each.layer)}
    index = next(each for each in LETTERS if each not in used and each not in taken)
    found = _Pattern(index)
    term = cast(Node, found.merged(first, other))
    if not found.pair:
        return General(first, "", "")
    for number, each in enumerate(terms[1:], 2):
        again = _Pattern(index)
        if each is not other and (again.merged(first, each) != term or again.pair != (found.pair[0], str(number))):
            raise NotReadError("an ellipsis whose terms follow no pattern")
    if found.pair[0] != "1":
        raise NotReadError(f"an ellipsis that begins with {found.pair[0]}")
    return General(term, index, found.pair[1] if after is not None else "", found.rounds)


def summed(terms: list[Node], after: Node | None) -> Node:
    """A sum with an ellipsis."""
    found = general(terms, after)
    if not found.letter:
        raise NotReadError("an ellipsis between terms that are the same")
    return Sum(found.letter, "1", found.last, found.term)


class _Pattern:
    """Two trees that differ in one index."""

    def __init__(self, index: str) -> None:
        self.index, self.pair, self.rounds = index, cast("tuple[str, str] | None", None), False

    def merged(self, first: object, last: object) -> object:
        if isinstance(first, str) and isinstance(last, str):
            return first if first == last else self._letter(first, last)
        if isinstance(first, tuple) and isinstance(last, tuple) and len(first) == len(last):
            return tuple(self.merged(a, b) for a, b in zip(first, last, strict=True))
        if isinstance(first, Number) or type(first) is not type(last):
            if first != last:
                raise NotReadError("an ellipsis whose terms follow no pattern")
            return first
        if isinstance(first, Symbol) and isinstance(last, Symbol):
            if first.base != last.base or first.layer != last.layer or first.bare != last.bare:
                raise NotReadError("an ellipsis whose terms follow no pattern")
            self.rounds |= first.round != last.round
        if isinstance(first, Node):
            parts = [each.name for each in fields(first)]
            return with_parts(first, {name: self.merged(getattr(first, name), getattr(last, name)) for name in parts})
        if first != last:
            raise NotReadError("an ellipsis whose terms follow no pattern")
        return first

    def _letter(self, first: str, last: str) -> str:
        if self.pair not in (None, (first, last)):
            raise NotReadError("an ellipsis in which two things change")
        self.pair = first, last
        return self.index


class Pattern(NamedTuple):
    """What a matrix holds: an entry with letters for its row and its column, "" for what there is one of."""

    entry: Node
    row: str
    column: str
    of_examples: bool


def pattern_of(matrix: Matrix) -> Pattern:
    """The pattern of a matrix with dots, or of several rows or columns; NotReadError where there is none."""
    rows = [row for row in matrix.rows if any(each is not None for each in row)]
    if not rows:
        raise NotReadError("a matrix of dots")
    kept = [place for place in range(max(map(len, rows))) if any(_at(row, place) is not None for row in rows)]
    rows = [tuple(_at(row, place) for place in kept) for row in rows]
    across = [_line([each for each in row if each is not None]) for row in (rows[0], rows[-1])]
    if len(rows) == 1:
        return Pattern(across[0].term, "", across[0].letter, across[0].of_examples)
    if len(rows[0]) == 1:
        down = _line([row[0] for row in rows if row[0] is not None])
        return Pattern(down.term, down.letter, "", down.of_examples)
    if (across[0].letter, across[0].last) != (across[1].letter, across[1].last):
        raise NotReadError("a matrix whose rows follow no pattern")
    down = general([across[0].term], across[1].term, across[0].letter)
    return Pattern(down.term, down.letter, across[0].letter, across[0].of_examples)


def _at(row: tuple[Node | None, ...], place: int) -> Node | None:
    return row[place] if place < len(row) else None


def _line(entries: list[Node]) -> General:
    """The general term of a row or a column."""
    if len(entries) == 1:
        return General(entries[0], "", "")
    return general(entries[:-1], entries[-1])
