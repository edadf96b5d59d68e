"""The formula of one line: a Pratt parser over its tokens."""

from __future__ import annotations

from dataclasses import replace as _with
from typing import cast, get_args

import numpy as np

from parity_tests.derivations.language.calls import Axis, build_call, holds_a_tuple, read_keyword
from parity_tests.derivations.language.cursor import Cursor, shown
from parity_tests.derivations.language.errors import close_names, did_you_mean
from parity_tests.derivations.language.functions import FUNCTION_NAMES, METHODS, OPERATORS
from parity_tests.derivations.language.nodes import (
    Binary,
    BinaryOperator,
    CallForm,
    Compare,
    Comparison,
    Expression,
    Index,
    Name,
    Number,
    Rest,
    Shape,
    Slice,
    Transpose,
    Unary,
    height,
)
from parity_tests.derivations.language.printer import COMPARE, LOOSEST, POWER, PRECEDENCE, SUM, UNARY
from parity_tests.derivations.language.tokens import Line, Token

MAX_DEPTH = 60
MAX_EXPONENT = 64

_COMPARISONS = frozenset(get_args(Comparison))
_INFIX: dict[str, int] = dict.fromkeys(("^", "²", "³"), POWER) | dict.fromkeys(_COMPARISONS, COMPARE)
_INFIX.update((operator, level) for operator, level in PRECEDENCE.items())
_POSTFIX = frozenset({".", "[", "ᵀ"})
_INSTEAD = {
    "shape": "write the size by its name, as m or n_x",
    "astype": "a comparison is already 0 or 1",
    "copy": "a value never changes under another name",
}
_TOO_DEEP = f"the formula is nested, or chained, more than {MAX_DEPTH} deep: split it over several lines"


class FormulaParser(Cursor):
    """Reads formulas off the tokens of a line."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self.depth = 0

    def formula(self) -> Expression:
        """A formula whose tree is no deeper than the bound, so that whoever walks it may recurse."""
        first = self.peek
        node = self.expression()
        if height(node) > MAX_DEPTH:
            self.fail(_TOO_DEEP, first)
        return node

    def expression(self, minimum: int = COMPARE) -> Expression:
        """Everything that binds at least as tightly as ``minimum``."""
        first = self.peek
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(_TOO_DEEP, first)
        left = self.prefix()
        while True:
            token = self.peek
            if token.kind in ("name", "number") or token.text == "(":
                self.juxtaposed(token)
            if token.text in _POSTFIX or self.transposed():
                left = self.postfix(left, first)
            elif token.kind == "operator" and _INFIX.get(token.text, LOOSEST) >= minimum:
                left = self.infix(left, first)
            else:
                self.depth -= 1
                return left

    def prefix(self) -> Expression:
        """A number, a name, a call, a bracket or a signed formula."""
        token = self.peek
        self.refuse(token)
        if token.kind == "number":
            self.advance()
            return Number(float(token.text), written=token.written, span=self.span(token))
        if token.kind == "name":
            return self.named()
        if self.accept("-"):
            return Unary(self.expression(UNARY), span=self.span(token))
        if self.accept("+"):
            return self.expression(UNARY)
        if not self.accept("("):
            self.fail(f"a formula was expected before {shown(token)}", token)
        inner = self.expression()
        if self.peek.text == ",":
            self.fail("a tuple is only for a shape, as in np.zeros((n_x, 1))", self.peek)
        self.close(")", token)
        if isinstance(inner, Unary | Binary | Compare):
            return _with(inner, bracketed=True, span=self.span(token))
        return inner

    def named(self) -> Expression:
        """A symbol, or a function with its arguments."""
        token = self.advance()
        if token.text == "np":
            if not self.accept("."):
                self.fail("np stands only before a function, as in np.sum", token)
            function = self.advance()
            if function.text not in FUNCTION_NAMES:
                near = tuple(f"np.{name}" for name in close_names(function.text, FUNCTION_NAMES))
                self.fail(f"np.{function.written} is not part of the language{did_you_mean(near)}", function)
            return self.call(token, function, "np", ())
        if self.peek.text == "(":
            return self.call(token, token, "plain", ())
        return Name(token.text, written=token.written, span=self.span(token))

    def juxtaposed(self, token: Token) -> None:
        """Two values side by side: multiplication is written out."""
        loop = self.tokens[0].text in ("for", "For")
        if loop and token.text == "to":
            return
        self.refuse(token)
        before = shown(self.tokens[self.position - 1])
        if token.text in ("axis", "keepdims") and self.ahead(1).text == "=":
            self.fail(f"a comma is missing between {before} and {shown(token)}", token)
        self.fail(f"write * or @ between {before} and {shown(token)}", token)

    def infix(self, left: Expression, first: Token) -> Expression:
        """An operator and what stands right of it."""
        token = self.advance()
        if token.text in ("²", "³"):
            exponent = Number(2.0 if token.text == "²" else 3.0, span=self.span(token))
            return Binary("**", left, exponent, span=self.span(first))
        if token.text in _COMPARISONS:
            right = self.expression(SUM)
            if self.peek.text in _COMPARISONS:
                self.fail("one comparison at a time: put it in brackets", self.peek)
            return Compare(cast(Comparison, token.text), left, right, span=self.span(first))
        if token.text in ("**", "^"):
            if token.text == "^":
                self.check_superscript(token)
            right = self.expression(UNARY)
            self.check_exponent(right, token)
            return Binary("**", left, right, span=self.span(first))
        operator = cast(BinaryOperator, token.text)
        right = self.expression(PRECEDENCE[operator] + 1)
        return Binary(operator, left, right, span=self.span(first))

    def check_superscript(self, token: Token) -> None:
        """Refuse what ``^`` means in notes but not here: a layer, an example, a transpose run together."""
        inner = self.peek
        if inner.text == "[":
            self.fail("a layer is written in the name: A1, W2, dZ2", token)
        if inner.text == "(" and self.ahead(1).kind == "name" and self.ahead(2).text == ")":
            self.fail("'^' is a power: an example is written x[i] or X[:, i], a power x**n", token)
        if inner.kind == "name" and inner.text[0] == "T":
            self.fail(f"write * or @ between '^T' and '{inner.written[1:]}'", inner)

    def check_exponent(self, exponent: Expression, token: Token) -> None:
        """Refuse an exponent of numbers alone that is beyond the bound."""
        if height(exponent) > MAX_DEPTH:
            self.fail(_TOO_DEEP, token)
        value = _constant(exponent)
        if value is not None and not abs(value) <= MAX_EXPONENT:
            self.fail(f"an exponent beyond {MAX_EXPONENT} is not worked out", token)

    def transposed(self) -> bool:
        """Whether ``^T`` stands here."""
        return self.peek.text == "^" and self.ahead(1).text == "T"

    def postfix(self, operand: Expression, first: Token) -> Expression:
        """A transpose, an index or a method."""
        token = self.advance()
        if token.text == "ᵀ" or (token.text == "^" and self.accept("T")):
            return Transpose(operand, form="^T", span=self.span(first))
        if token.text == "[":
            items = [self.item()]
            while self.accept(","):
                items.append(self.item())
            if sum(isinstance(item, Rest) for item in items) > 1:
                self.fail("'...' stands once in an index", token)
            self.close("]", token)
            return Index(operand, tuple(items), span=self.span(first))
        if self.accept("T"):
            return Transpose(operand, span=self.span(first))
        method = self.advance()
        if method.text not in METHODS:
            instead = _INSTEAD.get(method.text, "after a dot stand T, sum, mean, max, min, dot or reshape")
            self.fail(f"'.{method.written}' is not part of the language: {instead}", token)
        return self.call(first, method, "method", (operand,))

    def item(self) -> Expression:
        """One entry of an index: a formula, a slice or the dots."""
        first = self.peek
        if self.accept("..."):
            return Rest(span=self.span(first))
        start = None if first.text == ":" else self.expression()
        if not self.accept(":"):
            return cast(Expression, start)
        stop = None if self.peek.text in (",", ":", "]") else self.expression()
        step = self.expression() if self.accept(":") and self.peek.text not in (",", "]") else None
        return Slice(start, stop, step, span=self.span(first))

    def call(self, first: Token, function: Token, form: CallForm, before: tuple[Expression, ...]) -> Expression:
        """The arguments of a function, and the node that it becomes; ``before`` stood before the dot."""
        opening = self.peek
        self.expect("(", f"{function.written} is a function: write {function.written}(...)")
        arguments = list(before)
        keywords: dict[str, Axis | bool] = {}
        while self.peek.text != ")":
            token = self.peek
            if token.kind == "name" and self.ahead(1).text == "=":
                read_keyword(self, keywords)
            elif keywords:
                self.fail("what has no name stands before axis= and keepdims=", token)
            else:
                arguments.append(self.shape() if holds_a_tuple(self) else self.expression())
            if not self.accept(","):
                break
        self.close(")", opening)
        built = build_call(function, form, tuple(arguments), keywords, self.span(first))
        if isinstance(built, str):
            self.fail(built, function)
        if isinstance(built, Binary) and built.operator == "**":
            self.check_exponent(built.right, function)
        return built

    def shape(self) -> Shape:
        """``(n_x, 1)``."""
        first = self.advance()
        sizes = [self.expression()]
        while self.accept(",") and self.peek.text != ")":
            sizes.append(self.expression())
        self.close(")", first)
        return Shape(tuple(sizes), span=self.span(first))


def _constant(node: Expression) -> float | None:
    """The value of a formula of numbers alone; None for any other."""
    match node:
        case Number():
            return node.value
        case Unary():
            inner = _constant(node.operand)
            return None if inner is None else -inner
        case Binary():
            left, right = _constant(node.left), _constant(node.right)
            if left is None or right is None or node.operator == "@":
                return None
            with np.errstate(all="ignore"):
                return float(OPERATORS[node.operator](np.float64(left), np.float64(right)))
    return None
