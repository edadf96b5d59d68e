"""A derivation as people write it to a tree: formulas by Python's own parser, lines and indentation for loops.

The language is NumPy as people write it in notes::

    dZ2 = A2 - Y                                     # one assignment a line: = := += -= *= /=
    dW2 = (1/m) * dZ2 @ A1.T + (λ/m) * W2            # lambda or its Greek letter
    db2 = 1/m * np.sum(dZ2, axis=1, keepdims=True)   # np. or not, or dZ2.sum(axis=1, keepdims=True)
    dZ1 = W2.T @ dZ2 * g1'(Z1)                       # g1_prime(Z1)
    for i in range(m):                               # or: for i = 1 to m:
        z = np.dot(w.T, X[:, i]) + b
    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dZ[i, h, w, c]
    probs[range(m), y] -= 1

Nothing is compiled, and sizes, depths and exponents are bounded.
"""

from __future__ import annotations

import ast
import re
from collections import deque
from collections.abc import Collection
from dataclasses import replace as _with
from functools import lru_cache
from typing import cast

from parity_tests.derivations.language.errors import DerivationSyntaxError
from parity_tests.derivations.language.formulas import BINARY, FormulaReader
from parity_tests.derivations.language.front import Line, plain_lines, python_tree
from parity_tests.derivations.language.functions import FUNCTION_NAMES
from parity_tests.derivations.language.hints import NO_TARGET, assignment_hint, hint
from parity_tests.derivations.language.nodes import (
    Assign,
    AssignmentOperator,
    For,
    Index,
    Name,
    Number,
    Program,
    Statement,
)

MAX_STATEMENTS = 500
MAX_LOOPS = 4

ALWAYS_PROTECTED = FUNCTION_NAMES | {"np", "range", "T", "True", "False", "None"}
"""Names that no derivation can assign, whatever the caller protects."""

_BLANKS = re.compile(r"^([ \t]+)")
_PIECE = re.compile(r"\w+|\S")
_BELOW = "the lines of the loop follow below it, indented"


def parse(text: str, *, protected: Collection[str] = ()) -> Program:
    """A derivation: one assignment a line, loops with indented bodies, ``#`` comments.

    Raises DerivationSyntaxError, also where a name in ``protected`` (plain names) would be assigned.
    """
    return _parsed(text, frozenset(protected))


@lru_cache(maxsize=512)
def _parsed(text: str, protected: frozenset[str]) -> Program:
    """The derivation; the same lines are read again and again, under each convention."""
    names = protected | ALWAYS_PROTECTED
    readers = [_StatementReader(line, number, names) for number, line in enumerate(plain_lines(text), 1)]
    rest = deque(reader for reader in readers if reader.line.text or reader.hint)
    if not rest:
        raise DerivationSyntaxError("there is no formula here", 1, 1)
    if len(rest) > MAX_STATEMENTS:
        raise rest[MAX_STATEMENTS].error_at(f"the derivation has more than {MAX_STATEMENTS} lines", 0)
    return Program(_block(rest, rest[0].indent, ()))


def _block(rest: deque[_StatementReader], indent: int, variables: tuple[str, ...]) -> tuple[Statement, ...]:
    """The statements of one indentation, inside the loops over ``variables``; ``rest`` keeps the lines behind them."""
    found: list[Statement] = []
    while rest and not (variables and rest[0].indent < indent):
        reader = rest.popleft()
        if reader.indent != indent:
            raise reader.error_at("the indentation fits no line above it", 0)
        if not reader.is_loop:
            found.append(reader.assignment(variables))
            continue
        head = reader.head(variables)
        if not rest or rest[0].indent <= indent:
            raise reader.error_at(_BELOW, len(reader.line.text))
        found.append(_with(head, body=_block(rest, rest[0].indent, (*variables, head.variable))))
    return tuple(found)


class _StatementReader(FormulaReader):
    """One line: an assignment, or the head of a loop."""

    def __init__(self, line: Line, number: int, protected: frozenset[str]) -> None:
        super().__init__(line.replaced(_BLANKS, ""), number)
        self.protected = protected
        self.hint = hint(line)
        self.indent = len(line.text) - len(self.line.text)
        self.is_loop = self.line.text.split(maxsplit=1)[:1] == ["for"]

    def statement(self) -> ast.stmt:
        """Python's tree of the line, with its columns."""
        found = self.hint or (None if self.is_loop else assignment_hint(self.line))
        if found is not None:
            raise DerivationSyntaxError(found.message, self.number, found.place + 1, self.line.row)
        text = self.line.text.rstrip()
        try:
            return python_tree(text + " pass" if self.is_loop and text.endswith(":") else text).body[0]
        except SyntaxError as error:
            place = max((error.offset or 1) - 1, 0)
            piece = _PIECE.match(text, place)
            if piece is None and not self.is_loop:
                raise self.error_at("a formula was expected before the end of the line", place) from None
            raise self.error_at(
                f"{error.msg} (at {repr(piece[0]) if piece else 'the end of the line'})", place
            ) from None

    def assignment(self, variables: tuple[str, ...]) -> Assign:
        """One assignment."""
        statement = self.statement()
        match statement:
            case ast.Assign(targets=[left]):
                operator = "="
            case ast.AugAssign(target=left):
                operator = f"{BINARY[type(statement.op)]}="
            case _:
                raise self.error_at("a line is an assignment, name = formula", 0)
        target = self.formula(left)
        base = target.base if isinstance(target, Index) else target
        if not isinstance(target, Name | Index) or not isinstance(base, Name):
            raise self.error_at(NO_TARGET, 0)
        self.check_assigned(base.id, left, variables)
        span = self.span((0, statement.end_col_offset or 0))
        return Assign(target, cast(AssignmentOperator, operator), self.formula(statement.value), span=span)

    def check_assigned(self, name: str, node: ast.expr, variables: tuple[str, ...]) -> None:
        """Refuse a name that cannot be assigned here."""
        written = self.line.written(node.col_offset, node.col_offset + len(name))
        if name in self.protected:
            raise self.error(f"{written} has a meaning here and cannot be assigned: take another name", node)
        if name in variables:
            raise self.error(f"{written} counts the loop and cannot be assigned inside it", node)

    def head(self, variables: tuple[str, ...]) -> For:
        """The head of a loop, without its body."""
        match self.statement():
            case ast.For(ast.Name(name), ast.Call(ast.Name("range"), [_] | [_, _], []) as counted, [first]) as loop:
                self.check_assigned(name, loop.target, variables)
                if len(variables) == MAX_LOOPS:
                    raise self.error_at(f"loops are nested more than {MAX_LOOPS} deep", 0)
                if not isinstance(first, ast.Pass):
                    raise self.error_at(_BELOW, first.col_offset)
                start, stop = [Number(0.0), *(self.expression(each, self.inside(counted)) for each in counted.args)][
                    -2:
                ]
                return For(name, start, stop, (), span=self.span((0, len(self.line.text.rstrip()))))
        raise self.error_at("a loop is written 'for i in range(m):' or 'for i = 1 to m:'", 0)
