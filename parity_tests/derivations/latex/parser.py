"""The tree of what a formula says, from its tokens; where one is not understood, the place and the reason."""

from __future__ import annotations

import re
from dataclasses import replace

from parity_tests.derivations.latex.cursor import is_named, split
from parity_tests.derivations.latex.patterns import summed
from parity_tests.derivations.latex.structures import ACCENTS, GREEK, TIMES, Structures
from parity_tests.derivations.latex.symbols import COUNTS
from parity_tests.derivations.latex.tokens import Token
from parity_tests.derivations.latex.tree import (
    Call,
    Floor,
    Negative,
    Node,
    NotReadError,
    Number,
    Operation,
    Power,
    Sum,
    Symbol,
)

DEEPEST_TREE = 60
"""Factors or terms in a row, and brackets within brackets, of a formula that is computed."""

MOST_SUMS = 6
"""Sums within sums."""


def parsed(tokens: list[Token]) -> Node:
    """The tree of a formula without relations; NotReadError with the place where it is not understood."""
    parser = _Parser([each for each in tokens if not each.text.isspace()])
    try:
        node = parser.whole()
    except RecursionError as error:
        raise NotReadError("it is too deep") from error
    if too_deep(node):
        raise NotReadError("it is too deep")
    return node


def too_deep(node: Node) -> bool:
    """Whether a tree is deeper than what is computed, or has more sums within sums."""
    open_ = [(node, 0, 0)]
    while open_:
        here, depth, sums = open_.pop()
        if depth > DEEPEST_TREE or sums > MOST_SUMS:
            return True
        inside = [part for name in here.__dataclass_fields__ for part in _nodes(getattr(here, name))]
        open_ += [(each, depth + 1, sums + isinstance(here, Sum)) for each in inside]
    return False


def _nodes(part: object) -> list[Node]:
    if isinstance(part, tuple):
        return [node for each in part for node in _nodes(each)]
    return [part] if isinstance(part, Node) else []


def _counts(node: Node) -> bool:
    return isinstance(node, Number) or (isinstance(node, Symbol) and node == Symbol(node.base) and node.base in COUNTS)


class _Parser(Structures):
    def whole(self) -> Node:
        node = self.sum()
        if self.peek():
            raise self.unclear()
        return node

    def sum(self) -> Node:
        node: Node
        if self.peek() == "-":
            self.take()
            node = Negative(self.term())
        else:
            if self.peek() == "+":
                self.take()
            node = self.term()
        terms = [node]
        while self.peek() in ("+", "-"):
            if self.peek() == "+" and self.peek(1) == "\\ldots":
                self.place += 2
                after = self.term() if self.peek() == "+" and self.take() else None
                return self.further(summed(terms, after))
            sign = self.take().text
            term = self.term()
            node = Operation(sign, node, term)
            terms.append(term if sign == "+" else Negative(term))
        return node

    def further(self, node: Node) -> Node:
        """What is added to a sum with an ellipsis."""
        while self.peek() in ("+", "-"):
            sign = self.take().text
            node = Operation(sign, node, self.term())
        return node

    def term(self) -> Node:
        node = self.product()
        while self.peek() in TIMES or self.peek() == "/":
            sign = self.take().text
            minus = self.peek() == "-" and bool(self.take())
            right = self.divisor() if sign == "/" else self.product()
            node = Operation("/" if sign == "/" else TIMES[sign], node, Negative(right) if minus else right)
            if sign == "/" and self.begins():
                node = Operation("", node, self.product())
        return node

    def divisor(self) -> Node:
        """What stands behind a slash: behind numbers and counts, as in 1/2m dZ, nothing else divides."""
        start, node = self.place, self.factor()
        if not _counts(node):
            self.place = start
            return self.product()
        while self.begins():
            start, following = self.place, self.factor()
            if not _counts(following):
                self.place = start
                break
            node = Operation("", node, following)
        return node

    def product(self) -> Node:
        node = self.factor()
        while self.begins():
            node = Operation("", node, self.factor())
        return node

    def begins(self) -> bool:
        here = self.peek()
        if not here or self.tokens[self.place].prose:
            return False
        if here in ("|", "\\|"):
            return not self.bars
        return (
            here[0].isalnum() or here in ("(", "[", "{", "\\{", "\\lfloor", "\\lceil") or here in GREEK
            or here in ACCENTS or here in ("\\frac", "\\sqrt", "\\sum", "\\prod", "\\lim", "\\partial", "\\mathbb")
            or here.startswith("\\begin{")
        )  # fmt: skip

    def factor(self) -> Node:
        node = self.atom()
        while self.peek() in ("^", "_", "'", "[", "(", ".", "{"):
            after = self.marked(node)
            if after is None:
                break
            node = after
        if isinstance(node, Symbol) and is_named(node) and self.begins() and self.peek() not in ("(", "["):
            return Call(node, (self.factor(),))
        return node

    def atom(self) -> Node:
        if self.place < len(self.tokens) and self.tokens[self.place].prose:
            raise self.unclear()
        here = self.take()
        text = here.text
        if text[0].isdigit() or (text[0] == "." and len(text) > 1):
            return Number(text.replace(",", ""))
        if text in ("1", "\\ones", "I") and self.compares():
            return self.atom()
        if text == "(" or text == "[":
            self.place -= 1
            inside = self.brackets(text, ")" if text == "(" else "]")
            parts = split(inside, (",", ";"))
            if text == "[" and len(parts) > 1 and not any(each.text == "\\ldots" for each in inside):
                return Call(Symbol("concat"), tuple(map(self.parsed, parts)))  # one upon the other
            node = self.in_brackets(inside)
            if isinstance(node, Symbol) and self.peek() == "^" and re.fullmatch(r"\{?\d\}?", self.ahead()):
                self.take()
                return Power(node, self.parsed(self.argument()))  # a number behind brackets is no layer
            return node
        if text == "{":
            self.place -= 1
            return self.braced()
        if text == "\\{":
            self.place -= 1
            return self.in_brackets(self.brackets("\\{", "\\}"))
        if text in ("\\lfloor", "\\lceil"):
            self.place -= 1
            return Floor(self.parsed(self.brackets(text, "\\rfloor" if text == "\\lfloor" else "\\rceil")))
        if text in ("|", "\\|"):
            return self.between_bars(text)
        if text == "\\frac":
            return self.fraction()
        if text == "\\sqrt":
            if self.peek() == "[":
                raise NotReadError("a root that is no square root")
            return Call(Symbol("sqrt"), (self.parsed(self.argument()),))
        if text == "\\sum":
            return self.summed()
        if text == "\\prod":
            found = self.summed()
            return Call(Symbol("exp"), (replace(found, body=Call(Symbol("log"), (found.body,))),), {"product": "yes"})
        if text == "\\partial":
            return self.differential()
        if text == "\\lim":
            return self.limit()
        if text == "\\nabla":
            return self.gradient()
        if text in ACCENTS:
            return self.accented(ACCENTS[text])
        if text.startswith("\\begin{"):
            return self.environment(text[7:-1])
        return self.letter(here)
