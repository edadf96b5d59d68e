"""Tokens to a tree: a Pratt parser for formulas, and lines and indentation for loops.

The language is NumPy as people write it in notes::

    dZ2 = A2 - Y                                     # one assignment a line: = := += -= *= /=
    dW2 = (1/m) * dZ2 @ A1.T + (λ/m) * W2            # lambda or its Greek letter
    db2 = 1/m * np.sum(dZ2, axis=1, keepdims=True)   # np. or not, or dZ2.sum(axis=1, keepdims=True)
    dZ1 = W2.T @ dZ2 * g1'(Z1)                       # g1_prime(Z1)
    for i in range(m):                               # or: for i = 1 to m:
        z = np.dot(w.T, X[:, i]) + b
    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dZ[i, h, w, c]
    probs[range(m), y] -= 1

Nothing is handed to Python's own parser, and sizes, depths and exponents are bounded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace as _with
from typing import NoReturn, cast, get_args

from parity_tests.derivations.language.errors import DerivationSyntaxError
from parity_tests.derivations.language.formulas import FormulaParser
from parity_tests.derivations.language.functions import FUNCTION_NAMES
from parity_tests.derivations.language.nodes import (
    Assign,
    AssignmentOperator,
    Compare,
    Expression,
    For,
    Index,
    Name,
    Number,
    Program,
    Statement,
)
from parity_tests.derivations.language.tokens import Line, Token, tokenize

MAX_STATEMENTS = 500
MAX_LOOPS = 4

ALWAYS_PROTECTED = FUNCTION_NAMES | {"np", "range", "T", "True", "False", "None"}
"""Names that no derivation can assign, whatever the caller protects."""

_ASSIGNMENTS = frozenset(get_args(AssignmentOperator)) | {":="}


def parse(text: str, *, protected: Collection[str] = ()) -> Program:
    """A derivation: one assignment a line, loops with indented bodies, ``#`` comments.

    Raises DerivationSyntaxError, also where a name in ``protected`` (plain names) would be assigned.
    """
    lines = tokenize(text)
    if not lines:
        raise DerivationSyntaxError("there is no formula here", 1, 1)
    parser = _BlockParser(lines, frozenset(protected) | ALWAYS_PROTECTED)
    return Program(parser.block(lines[0].indent, ()))


def parse_assignment(line: str, *, protected: Collection[str] = ()) -> Assign:
    """One assignment on one line; DerivationSyntaxError for anything else."""
    parser = _StatementParser(_only(tokenize(line)), frozenset(protected) | ALWAYS_PROTECTED)
    return parser.assignment(())


def parse_expression(text: str) -> Expression:
    """One formula without a left side; DerivationSyntaxError for anything else."""
    parser = FormulaParser(_only(tokenize(text)))
    formula = parser.formula()
    parser.finish()
    return formula


def _only(lines: list[Line]) -> Line:
    if not lines:
        raise DerivationSyntaxError("there is no formula here", 1, 1)
    if len(lines) > 1:
        extra = lines[1]
        raise DerivationSyntaxError("one line was expected", extra.number, extra.indent + 1, extra.source)
    return lines[0]


class _BlockParser:
    """Lines to statements, by their indentation."""

    def __init__(self, lines: list[Line], protected: frozenset[str]) -> None:
        self.lines = lines
        self.protected = protected
        self.next = 0
        self.count = 0

    def block(self, indent: int, variables: tuple[str, ...]) -> tuple[Statement, ...]:
        return tuple(self.statements(indent, variables))

    def statements(self, indent: int, variables: tuple[str, ...]) -> Iterator[Statement]:
        while self.next < len(self.lines):
            line = self.lines[self.next]
            parser = _StatementParser(line, self.protected)
            if line.indent < indent and variables:
                return
            if line.indent != indent:
                parser.fail("the indentation fits no line above it", parser.tokens[0])
            self.count += 1
            if self.count > MAX_STATEMENTS:
                parser.fail(f"the derivation has more than {MAX_STATEMENTS} lines", parser.tokens[0])
            self.next += 1
            if parser.starts_loop():
                yield self.loop(parser, line, variables)
            else:
                yield parser.assignment(variables)

    def loop(self, parser: _StatementParser, line: Line, variables: tuple[str, ...]) -> For:
        header = parser.header(variables)
        if len(variables) == MAX_LOOPS:
            parser.fail(f"loops are nested more than {MAX_LOOPS} deep", parser.tokens[0])
        if self.next == len(self.lines) or self.lines[self.next].indent <= line.indent:
            parser.fail("the lines of the loop follow below it, indented", parser.tokens[-1])
        body = self.block(self.lines[self.next].indent, (*variables, header.variable))
        return _with(header, body=body)


class _StatementParser(FormulaParser):
    """One line: an assignment, or the head of a loop."""

    def __init__(self, line: Line, protected: frozenset[str]) -> None:
        super().__init__(line)
        self.protected = protected

    def starts_loop(self) -> bool:
        return self.tokens[0].kind == "name" and self.tokens[0].text in ("for", "For")

    def assignment(self, variables: tuple[str, ...]) -> Assign:
        first = self.peek
        if self.starts_loop():
            self.fail("one assignment was expected, not a loop", first)
        target = self.formula()
        operator = self.peek
        if operator.text not in _ASSIGNMENTS:
            self.finish()
            compared = isinstance(target, Compare) and target.operator == "=="
            reason = "'==' compares" if compared else "there is no '='"
            self.fail(f"a line is an assignment, name = formula: {reason}", operator)
        base = target.base if isinstance(target, Index) else target
        if not isinstance(target, Name | Index) or not isinstance(base, Name):
            self.fail("left of '=' stands one name, as dW1, or one entry, as dw[j] or u[i, j]", first)
        self.assignable(base.id, first, variables)
        self.advance()
        value = self.formula()
        self.finish()
        plain = cast(AssignmentOperator, "=" if operator.text == ":=" else operator.text)
        return Assign(target, plain, value, span=self.span(first))

    def assignable(self, name: str, token: Token, variables: tuple[str, ...]) -> None:
        if name in self.protected:
            self.fail(f"{token.written} has a meaning here and cannot be assigned: take another name", token)
        if name in variables:
            self.fail(f"{token.written} counts the loop and cannot be assigned inside it", token)

    def header(self, variables: tuple[str, ...]) -> For:
        first = self.advance()
        variable = self.peek
        if variable.kind != "name":
            self.misspelt()
        self.refuse(variable)
        self.assignable(variable.text, variable, variables)
        self.advance()
        start: Expression = Number(0.0)
        if self.accept("in"):
            if not self.accept("range"):
                self.misspelt()
            self.expect("(")
            stop = self.formula()
            if self.accept(","):
                start, stop = stop, self.formula()
            self.expect(")")
            self.expect(":", "the head of a loop ends with ':'")
        elif self.accept("="):
            one = self.peek
            if self.formula() != Number(1.0):
                self.fail("this form of the loop counts from 1: for i = 1 to m", one)
            if not self.accept("to"):
                self.misspelt()
            stop = self.formula()
            self.accept(":")
        else:
            self.misspelt()
        self.finish("the lines of the loop follow below it, indented")
        return For(variable.text, start, stop, (), span=self.span(first))

    def misspelt(self) -> NoReturn:
        self.fail("a loop is written 'for i in range(m):' or 'for i = 1 to m:'", self.peek)
