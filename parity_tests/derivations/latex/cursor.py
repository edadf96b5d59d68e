"""A place in the tokens of a formula, and the pieces between separators and brackets."""

from __future__ import annotations

import re

from parity_tests.derivations.latex.tokens import DIFFERENTIALS, FUNCTIONS, Token, group, written
from parity_tests.derivations.latex.tree import (
    Node,
    NotReadError,
    Symbol,
)

COSTS = ("J", "L", "C", "E", "\\ell")
GENERIC = ("g", "f", "\\sigma", "\\phi", "S", "h", "\\psi", "\\Sigma")
"""Letters that may be functions."""

LAYER = r"(?:[lLkKi]|\d)(?:[-+]\d)?"


class Cursor:
    """Goes through tokens; what reads them is said by the classes upon it."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.place, self.bars = tokens, 0, 0

    def peek(self, ahead: int = 0) -> str:
        there = self.place + ahead
        return self.tokens[there].text if there < len(self.tokens) else ""

    def ahead(self) -> str:
        """The argument of the mark that comes next, as it is written."""
        return written(group(self.tokens, self.place + 1)[0])

    def take(self, wanted: str = "") -> Token:
        if self.place >= len(self.tokens):
            raise NotReadError("it breaks off")
        here = self.tokens[self.place]
        if wanted and here.text != wanted:
            raise NotReadError(f"expected {wanted} and got {here.text}, column {here.at + 1}")
        self.place += 1
        return here

    def unclear(self) -> NotReadError:
        here = self.tokens[min(self.place, len(self.tokens) - 1)] if self.tokens else Token("", 0)
        what = {"\\ldots": "an ellipsis", "\\vdots": "an ellipsis", "\\ddots": "an ellipsis"}.get(here.text, here.text)
        what = f"the words {what!r}" if here.prose else what
        return NotReadError(f"{what or 'nothing'} is not understood here, column {here.at + 1}")

    def argument(self) -> list[Token]:
        inside, self.place = group(self.tokens, self.place)
        return inside

    def brackets(self, opening: str, closing: str) -> list[Token]:
        """What stands between brackets."""
        first = self.take(opening)
        depth, start = 1, self.place
        while depth:
            if self.place >= len(self.tokens):
                raise NotReadError(f"{opening} is not closed, column {first.at + 1}")
            text = self.take().text
            depth += (text == opening) - (text == closing)
        return self.tokens[start : self.place - 1]

    def parsed(self, tokens: list[Token]) -> Node:
        """The tree of other tokens."""
        return type(self)([each for each in tokens if not each.text.isspace()]).whole()

    def whole(self) -> Node:
        """All that is left."""
        raise NotImplementedError

    sum = product = factor = atom = whole

    def begins(self) -> bool:
        """Whether a factor comes next."""
        raise NotImplementedError


def without_braces(tokens: list[Token]) -> list[Token]:
    """The tokens without spaces, and without braces around all of them."""
    tokens = [each for each in tokens if not each.text.isspace()]
    while tokens and tokens[0].text == "{" and group(tokens, 0)[1] == len(tokens):
        tokens = tokens[1:-1]
    return tokens


def differential_of(tokens: list[Token]) -> list[Token] | None:
    """What stands behind the d or partial at the beginning; None where there is none."""
    if not tokens:
        return None
    first = tokens[0]
    if first.text == "\\partial" or first.text == "d":
        return tokens[1:]
    if first.text in DIFFERENTIALS:
        return [Token(first.text[1:], first.at + 1), *tokens[1:]]
    return None


def split(tokens: list[Token], at: tuple[str, ...]) -> list[list[Token]]:
    """The pieces between separators outside of brackets and environments."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for each in tokens:
        text = each.text
        opens = text in ("(", "[", "{", "\\{", "\\lfloor") or text.startswith("\\begin{")
        depth += opens - (text in (")", "]", "}", "\\}", "\\rfloor") or text.startswith("\\end{"))
        if text in at and depth <= 0:
            parts.append([])
            depth = 0
        else:
            parts[-1].append(each)
    return parts


def is_named(node: Symbol) -> bool:
    """Whether a symbol is a function by its name."""
    return node.base in FUNCTIONS or node.base.startswith("np.")


def is_function(node: Symbol) -> bool:
    """Whether brackets behind a symbol hold its arguments."""
    return is_named(node) or node.base in GENERIC or (node.base in COSTS and node.base != "L" and node.primes > 0)


def is_cases(rows: list[list[list[Token]]]) -> bool:
    """Whether the rows of an array are values and conditions."""
    return all(len(row) == 2 and any(each.text in ("<", ">", "\\ge", "\\le", "=") for each in row[1]) for row in rows)


def condition(tokens: list[Token]) -> str:
    return " ".join(each.text for each in tokens if not each.text.isspace())


def subscripts_of(text: str) -> tuple[str, ...]:
    """The parts of a subscript: ``jk`` and ``j,k`` are two indices, ``11`` too, ``prev`` is a word."""
    text = re.sub(r"\\text|\\rm|[{}]", "", text)
    if re.fullmatch(r"axis=?\d", text):
        return (text,)
    if "," in text:
        return tuple(each for part in text.split(",") if part and part != ":" for each in subscripts_of(part))
    if match := re.fullmatch(r"(prev)([a-z]{1,2})", text):
        return (match[1], *subscripts_of(match[2]))
    if re.fullmatch(r"[a-z]{2}", text) and text not in ("in",):
        return tuple(text)
    if re.fullmatch(r"[1-9]{2}|[1-9][a-z]|[a-z][1-9]", text):
        return tuple(text)
    return (text,) if text else ()
