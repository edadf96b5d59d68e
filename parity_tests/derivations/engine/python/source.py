"""A file, read once for all the ways to call it: its statements, their numbers, and what is run in their place."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import NamedTuple

from parity_tests.derivations.engine.places import numbered
from parity_tests.derivations.engine.python.dataclasses import with_init
from parity_tests.derivations.engine.python.instrument import Pieces
from parity_tests.derivations.engine.python.statements import runs_by_itself
from parity_tests.derivations.engine.python.torch_source import ready
from parity_tests.derivations.verdicts import CALL

LEAST_EXAMPLES = 3
"""How many rows of zeros and ones, each another, are a table of examples."""


class Source(NamedTuple):
    """A program with its numbers; ``nodes`` are all of it, ``pieces`` those with parts of formulas and those without.

    The pieces are shared by all programs that share statements.
    """

    tree: ast.Module
    nodes: tuple[ast.AST, ...]
    pieces: tuple[Pieces, Pieces]

    def called(self, call: str) -> Source:
        """The same statements, and those of a call behind them."""
        behind = numbered(lines_of(call), len(self.nodes))
        tree = ast.Module([*self.tree.body, *behind.body], self.tree.type_ignores)
        return Source(tree, (*self.nodes, *ast.walk(behind)), self.pieces)


def parsed(text: str, *, called: bool, in_torch: bool) -> ast.Module:
    """The tree of a text; what runs by itself is left out where the text is ``called``."""
    tree = with_init(ready(ast.parse(text)) if in_torch else ast.parse(text))
    if called:
        tree.body = [node for node in tree.body if not runs_by_itself(node, tree)]
    for table in ast.walk(tree):
        if isinstance(table, ast.List | ast.Tuple):
            _without_zeros(table)
    return tree


def _without_zeros(table: ast.List | ast.Tuple) -> None:
    """Put other numbers into an example of zeros in a table of zeros and ones, as that of xor.

    A program that takes the examples one by one would begin with it, and what is wrong with its first weights is
    multiplied by 0 there.
    """
    rows = [
        [part.elts for part in (row, *row.elts) if isinstance(part, ast.List | ast.Tuple)]
        for row in table.elts
        if isinstance(row, ast.List | ast.Tuple)
    ]
    examples = [first for row in rows for first in row[:2] if len(first) > 1 and all(map(_is_bit, first))]
    bits = [tuple(part.value for part in each) for each in examples]  # type: ignore[attr-defined]
    if len(set(bits)) < max(len(bits), LEAST_EXAMPLES):
        return  # what has the same row twice is no such table, but the widths of a border, say
    for example in examples:
        if not any(part.value for part in example):  # type: ignore[attr-defined]
            for place, part in enumerate(example):
                part.value = 0.25 + 0.5 / (place + 1)  # type: ignore[attr-defined]


def _is_bit(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value in (0, 1)


def lines_of(call: str) -> ast.Module:
    """The tree of a call, whose lines stand behind those of all files."""
    tree = ast.parse(call)
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            node.lineno += CALL
            node.end_lineno += CALL  # type: ignore[attr-defined]
    return tree


def source(tree: ast.Module) -> Source:
    """The tree with its numbers."""
    return Source(numbered(tree), tuple(ast.walk(tree)), ({}, {}))


@lru_cache(maxsize=4)
def shared(text: str, *, called: bool, in_torch: bool) -> Source:
    """A text's source, the same each time: its tree is never changed."""
    return source(parsed(text, called=called, in_torch=in_torch))
