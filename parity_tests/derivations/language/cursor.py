"""A place in the tokens of a line, and the sentences for what cannot stand there."""

from __future__ import annotations

import keyword
from typing import NoReturn

from parity_tests.derivations.language.errors import DerivationSyntaxError
from parity_tests.derivations.language.nodes import Span
from parity_tests.derivations.language.tokens import Line, Token

_CONSTANTS = frozenset({"True", "False", "None"})


class Cursor:
    """Reads the tokens of a line one by one; ``fail`` points at a token."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.tokens = line.tokens
        self.position = 0

    @property
    def peek(self) -> Token:
        """The next token."""
        return self.tokens[self.position]

    def ahead(self, steps: int) -> Token:
        """The token ``steps`` after the next one, or the end of the line."""
        return self.tokens[min(self.position + steps, len(self.tokens) - 1)]

    def advance(self) -> Token:
        """The next token, which is then behind."""
        token = self.peek
        self.position += token.kind != "end"
        return token

    def accept(self, text: str) -> bool:
        """Whether the next token is ``text``; if so it is then behind."""
        found = self.peek.text == text
        self.position += found
        return found

    def expect(self, text: str, message: str = "") -> None:
        """The next token is ``text``, or a sentence says what is wrong."""
        if not self.accept(text):
            self.refuse(self.peek)
            self.fail(message or f"'{text}' was expected before {shown(self.peek)}", self.peek)

    def close(self, bracket: str, opening: Token) -> None:
        """The bracket that ``opening`` opened is closed here."""
        message = f"the '{opening.text}' in column {opening.start} is not closed before {shown(self.peek)}"
        self.expect(bracket, message)

    def finish(self, message: str = "") -> None:
        """The line ends here, or a sentence says why it cannot go on."""
        token = self.peek
        if token.kind == "end":
            return
        self.refuse(token)
        if token.text in ("=", ","):
            self.fail(f"one assignment a line: {shown(token)} cannot stand here", token)
        if token.text in (")", "]"):
            self.fail(f"{shown(token)} closes no bracket", token)
        self.fail(message or f"{shown(token)} cannot stand here", token)

    def refuse(self, token: Token) -> None:
        """Nothing, unless the token is a word of Python's, or ``:=``, that has no meaning here."""
        word = token.written
        if token.text == ":=":
            self.fail("':=' assigns only behind the name that begins a line", token)
        if word == "lambda":
            rest = [later.text for later in self.tokens[self.position :]]
            if ":" in rest and "[" not in rest[: rest.index(":")]:
                self.fail("lambda expressions are not part of the language; lambda is the letter", token)
        elif word in _CONSTANTS:
            self.fail(f"{word} is only for axis= and keepdims=", token)
        elif keyword.iskeyword(word):
            self.fail(f"'{word}' is not part of the language", token)

    def span(self, first: Token) -> Span:
        """From ``first`` to the last token read."""
        return Span(self.line.number, first.start, self.tokens[self.position - 1].stop)

    def fail(self, message: str, token: Token) -> NoReturn:
        """Raise DerivationSyntaxError at the token."""
        raise DerivationSyntaxError(message, self.line.number, token.start, self.line.source)


def shown(token: Token) -> str:
    """The token as a sentence names it."""
    return token.written if token.kind == "end" else f"'{token.written}'"
