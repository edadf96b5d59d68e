"""Characters to tokens, line by line, with their columns; everything outside the language stops here.

A name comes out plain: ``lambda`` and its Greek letter as ``lambda_``, ``g1'`` as ``g1_prime``. The letters
are a white list, so that a Cyrillic A can never pass for a Latin one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, NamedTuple, TypeAlias

from parity_tests.derivations.language.errors import DerivationSyntaxError, source_lines

MAX_TEXT = 20_000
MAX_LINE = 2_000
MAX_TOKENS = 10_000
MAX_NAME = 64
MAX_NUMBER = 32

GREEK = {"λ": "lambda", "α": "alpha", "β": "beta", "σ": "sigma", "ε": "epsilon", "ϵ": "epsilon"}
PRIMES = "'′’"

_LOOKS = {
    "·": "*",
    "⋅": "*",
    "×": "*",
    "⊙": "*",
    "∗": "*",
    "−": "-",
    "÷": "/",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
}
_SPACES = " \t\u00a0"
_LETTER = "A-Za-z_" + "".join(GREEK)
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NAME = re.compile(f"[{_LETTER}][{_LETTER}0-9]*")
_OPERATOR = re.compile(r"\.\.\.|:=|\*\*=|//|\+=|-=|\*=|/=|\*\*|<=|>=|==|!=|[-+*/@^()\[\],.=<>:]")
_REFUSED = {
    ";": "';' is not part of the language: write one assignment a line",
    '"': "text in quotes is not part of the language",
    "`": "text in quotes is not part of the language",
    "//": "'//' is not part of the language: write np.floor(a / b)",
    "**=": "'**=' is not part of the language: write x = x**2",
    "{": "'{' is not part of the language: group with ( and )",
    "}": "'}' is not part of the language: group with ( and )",
    "\\": "'\\' is not part of the language: formulas are written as in NumPy, not in LaTeX",
    "$": "'$' is not part of the language: formulas are written as in NumPy, not in LaTeX",
}

Kind: TypeAlias = Literal["name", "number", "operator", "end"]


class Token(NamedTuple):
    """``text`` is plain, ``written`` is what stood there; columns ``start`` to ``stop - 1``, from 1."""

    kind: Kind
    text: str
    written: str
    start: int
    stop: int


class Line(NamedTuple):
    """A line that holds something: its number, its indentation and its tokens, the last of kind "end"."""

    number: int
    indent: int
    tokens: tuple[Token, ...]
    source: str


def plain_name(written: str) -> str:
    """The plain name for a name as written: ``λ`` gives ``lambda_``, ``σ'`` gives ``sigma_prime``."""
    letters = written.rstrip(PRIMES)
    name = "".join(GREEK.get(letter, letter) for letter in letters)
    name = "lambda_" if name == "lambda" else name
    return f"{name}_prime" if letters != written else name


def tokenize(text: str) -> list[Line]:
    """The lines of a text that hold more than blanks and comments.

    Raises DerivationSyntaxError at the first character, name or number that is not of the language, and where
    the text, a line or the number of tokens is larger than the limits above.
    """
    if not isinstance(text, str):
        raise DerivationSyntaxError(f"a derivation is text, not {type(text).__name__}", 1, 1)
    if len(text) > MAX_TEXT:
        message = f"the text has {len(text):,} characters; at most {MAX_TEXT:,} are read"
        raise DerivationSyntaxError(message, 1, 1)
    lines, count = [], 0
    for number, source in enumerate(source_lines(text), 1):
        if len(source) > MAX_LINE:
            message = f"this line has {len(source):,} characters; at most {MAX_LINE:,} are read"
            raise DerivationSyntaxError(message, number, 1, source)
        line = _Scanner(source, number).line()
        count += len(line.tokens)
        if count > MAX_TOKENS:
            raise DerivationSyntaxError(f"the text has more than {MAX_TOKENS:,} symbols", number, 1, source)
        if len(line.tokens) > 1:
            lines.append(line)
    return lines


class _Scanner:
    """One line."""

    def __init__(self, source: str, number: int) -> None:
        self.source = source
        self.number = number

    def error(self, message: str, position: int) -> DerivationSyntaxError:
        return DerivationSyntaxError(message, self.number, position + 1, self.source)

    def line(self) -> Line:
        source = self.source
        indent = len(source) - len(source.lstrip(_SPACES))
        position, tokens = indent, []
        while position < len(source):
            character = source[position]
            if character in _SPACES:
                position += 1
                continue
            if character == "#":
                self.check_comment(position)
                break
            token = self.token(position)
            tokens.append(token)
            position = token.stop - 1
        end = position + 1
        tokens.append(Token("end", "", "the end of the line", end, end))
        width = len(source[:indent].expandtabs(8))
        return Line(self.number, width, tuple(tokens), source)

    def check_comment(self, position: int) -> None:
        for place in range(position, len(self.source)):
            character = self.source[place]
            category = unicodedata.category(character)
            if (category[0] == "C" and character != "\t") or category in ("Zl", "Zp"):
                raise self.error(f"{_described(character)} is not allowed, not even in a comment", place)

    def token(self, position: int) -> Token:
        source, character = self.source, self.source[position]
        if match := _NAME.match(source, position):
            return self.name(match.group(), position)
        if match := _NUMBER.match(source, position):
            written = match.group()
            if len(written) > MAX_NUMBER:
                message = f"this number has {len(written)} characters; at most {MAX_NUMBER} are read"
                raise self.error(message, position)
            if float(written) == float("inf"):
                raise self.error("this number is too large for float64", position)
            return Token("number", written, written, position + 1, match.end() + 1)
        if match := _OPERATOR.match(source, position):
            written = match.group()
            if written in _REFUSED:
                raise self.error(_REFUSED[written], position)
            return Token("operator", written, written, position + 1, match.end() + 1)
        if character in _LOOKS:
            return Token("operator", _LOOKS[character], character, position + 1, position + 2)
        if character == "ᵀ":
            return Token("operator", "ᵀ", character, position + 1, position + 2)
        if character in "²³":
            return Token("operator", character, character, position + 1, position + 2)
        if character in PRIMES:
            message = "a prime follows a name directly, as in g1'(Z1); text in quotes is not part of the language"
            raise self.error(message, position)
        raise self.error(_REFUSED.get(character, f"{_described(character)} is not part of the language"), position)

    def name(self, letters: str, position: int) -> Token:
        source, stop = self.source, position + len(letters)
        if stop < len(source) and source[stop] in PRIMES:
            after = source[stop + 1 : stop + 2]
            if after and after in PRIMES:
                raise self.error("only the first derivative has a sign here: one prime", stop + 1)
            if after in ('"', "{") or _NAME.match(after) or after.isdigit():
                raise self.error("text in quotes is not part of the language", stop)
            stop += 1
        written = source[position:stop]
        text = plain_name(written)
        if "__" in text:
            raise self.error("a name with two underscores in a row is not allowed", position)
        if len(text) > MAX_NAME:
            raise self.error(f"this name has {len(text)} characters; at most {MAX_NAME} are read", position)
        return Token("name", text, written, position + 1, stop + 1)


def _described(character: str) -> str:
    """``'А' (CYRILLIC CAPITAL LETTER A, U+0410)``; a character that cannot be shown goes by its number."""
    name = unicodedata.name(character, "")
    shown = f"'{character}' " if character.isprintable() else "the character "
    if character.isascii() and character.isprintable():
        return shown.strip()
    described = f"{name}, " if name else "a control character, " if unicodedata.category(character) == "Cc" else ""
    return f"{shown}({described}U+{ord(character):04X})"
