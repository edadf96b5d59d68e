"""Examples that are an index, in a note's own forward pass: x_i is the vector of one, y_i what belongs to it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.symbols import MEANINGS
from parity_tests.derivations.latex.tree import (
    Call,
    Node,
    Operation,
    Sum,
    Symbol,
    Transposed,
    factors,
    mapped,
    symbols_of,
    walk,
)

EXAMPLE = "t"
"""What examples become: steps of time, of which none depends on another."""

STACK = "stack"
"""The function that puts what belongs to each example into the rows of a matrix."""


def pairs(node: object) -> Iterator[tuple[Node, Symbol]]:
    """The factors of products that stand side by side, of which the second is a letter."""
    for each in walk(node):
        if isinstance(each, Operation) and each.sign in ("", ".") and isinstance(each.right, Symbol):
            yield factors(each.left)[-1][1], each.right


def vectors_in(claims: Sequence[Claim]) -> frozenset[str]:
    """The letters that stand transposed, or behind what is."""
    parts = tuple((each.target, each.right) for each in claims)
    found = {
        each.operand.base for each in walk(parts) if isinstance(each, Transposed) and isinstance(each.operand, Symbol)
    }
    return frozenset(found | {behind.base for before, behind in pairs(parts) if isinstance(before, Transposed)})


def _stacked(node: object, rows: Mapping[str, str]) -> tuple[dict[str, str], set[str]]:
    """The matrices that hold the vectors of examples, by what weighs them; those that hold them as columns.

    As X beta and X^T (y - p) show it of rows, X^T beta and X (y - p) of columns.
    """
    votes: Counter[tuple[str, str, bool]] = Counter()
    for each in walk(node):
        if not (isinstance(each, Operation) and each.sign in ("", ".")):
            continue
        before, behind = factors(each.left)[-1][1], each.right
        turned = isinstance(before, Transposed)
        matrix = before.operand if isinstance(before, Transposed) else before
        if not (isinstance(matrix, Symbol) and matrix == Symbol(matrix.base) and matrix.base[-1:].isupper()):
            continue
        if isinstance(behind, Symbol) and behind == Symbol(behind.base) and behind.base in rows:
            votes[matrix.base, rows[behind.base], turned] += 1
        elif matrix.base.lower() in rows.values():
            votes[matrix.base, matrix.base.lower(), not turned] += 1
    found: dict[str, str] = {}
    columns = set[str]()
    for (letter, of, across), count in votes.items():
        if count > votes[letter, of, not across]:
            found[letter] = of
            columns |= {letter} if across else set()
    return found, columns


class Examples:
    """The letters that stand for an example in a note, and the matrices whose rows are examples."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        parts = tuple((each.target, each.right) for each in claims)
        self.letters, rows, symbols = set[str](), dict[str, str](), symbols_of(parts)
        below = {part for each in symbols for part in each.subscripts}
        timed = any(re.match(r"t([-+]|$)", part) for part in below)
        others = {part[0] for part in below if re.fullmatch(r"[a-z][-+]\d", part)} | {"l"}  # layers
        others |= {part for each in symbols if MEANINGS.get(each.base) in ("W", "b") for part in each.subscripts[:1]}
        beside = list(pairs(parts)) if not timed else []
        for before, behind in beside:
            first = before.operand if isinstance(before, Transposed) else before
            matrix = isinstance(first, Symbol) and MEANINGS.get(first.base) == "W" and first.base[-1].isupper()
            if isinstance(first, Symbol) and (isinstance(before, Transposed) or (matrix and not first.subscripts)):
                marks = {first.subscripts, behind.subscripts} - {()}
                if len(marks) == 1 and re.fullmatch("[a-z]", letter := "".join(*marks)) and letter not in others:
                    self.letters.add(letter)
                    (given, whole) = (first, behind) if first.subscripts else (behind, first)
                    rows |= {whole.base: given.base} if not whole.subscripts and not matrix else {}
        self.stacked, self.turned = _stacked(tuple(each.right for each in claims), rows) if rows else ({}, set())

    def letter(self, claim: Claim) -> str:
        """The letter of an example in a claim; "" where there is none, or several, or it is bound on one side alone."""
        sides = [{part for each in symbols_of(side) for part in each.subscripts} & self.letters
                 for side in (claim.target, claim.right)]  # fmt: skip
        found = sides[0] | sides[1]
        bound = {each.index for each in walk(claim.right) if isinstance(each, Sum)}
        diagonals = [each for each in walk(claim.right) if isinstance(each, Call) and each.function.base == "diag"]
        bound |= {part for each in symbols_of(tuple(diagonals)) for part in each.subscripts} & self.letters
        return next(iter(found)) if len(found) == 1 and (found <= sides[0] or found <= bound) else ""

    def stack(self, claims: Sequence[Claim]) -> dict[str, Symbol]:
        """What the rows of matrices and columns are, by the letters that stand without an example."""
        if not self.stacked:
            return {}
        found = [each for claim in claims for each in symbols_of((claim.target, claim.right))]
        alone = {each.base for each in found if each == Symbol(each.base)}
        return {
            letter: replace(each, subscripts=(EXAMPLE,)) for letter in alone for each in found
            if each.base == self.stacked.get(letter, letter) and each.subscripts == (EXAMPLE,) and not each.accents
        }  # fmt: skip


def with_letter(node: Node, old: str, new: str) -> Node:
    """A formula with another letter for an example."""

    def changed(each: Node) -> Node:
        if isinstance(each, Symbol) and old in each.subscripts:
            return replace(each, subscripts=tuple(new if part == old else part for part in each.subscripts))
        return replace(each, index=new) if isinstance(each, Sum) and each.index == old else each

    return mapped(node, changed)


def with_stacks(node: Node) -> Node:
    """A formula in which a diagonal matrix has what belongs to each example on its diagonal."""

    def changed(each: Node) -> Node:
        if not (isinstance(each, Call) and each.function.base == "diag" and len(each.arguments) == 1):
            return each
        inner = any(EXAMPLE in symbol.subscripts for symbol in symbols_of(each.arguments))
        return replace(each, arguments=(Call(Symbol(STACK), each.arguments),)) if inner else each

    return mapped(node, changed)


def stacked(letter: str, symbol: Symbol) -> Call:
    """The matrix whose rows are what belongs to each example; a column where it has the same letter."""
    return Call(Symbol(STACK), (symbol,), {"column": "yes"} if letter == symbol.base else {})
