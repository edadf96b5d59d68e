"""From a text as people write it to Python's own syntax tree, line for line and column for column.

``g1'``, Greek letters, ``lambda``, ``A^T``, ``for i = 1 to m``, ``∂J/∂W2`` and the signs of mathematics become plain
names and operators; then ``ast.parse`` reads them. Nothing is compiled.
"""

from __future__ import annotations

import ast
import re
import unicodedata
import warnings
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from parity_tests.derivations.language.errors import DerivationError, DerivationSyntaxError, source_lines

MAX_TEXT = 20_000
MAX_LINE = 2_000
MOST_REFUSED = 40

_PLAIN = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ϵ": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "ρ": "rho", "σ": "sigma", "τ": "tau",
    "φ": "phi", "ϕ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda",
    "Σ": "Sigma", "Φ": "Phi", "Ω": "Omega", "∂": "d", "−": "-", "–": "-", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!=",
    "^": "**", "²": "**2", "³": "**3", "’": "'", "′": "'", "\u00a0": " ",
}  # fmt: skip

# A pattern's group is what is replaced; text in quotes is passed over where there could be an apostrophe in it.
_QUOTED = r"""(?<!\w)(?:[fFrRbBuU]{1,2}(?!'\s*\())?(?:'[^']*'|"[^"]*")"""
_FENCE = re.compile(r"^(\s*(?:```.*|\.\.\.\s*))$")
_COMMENT = re.compile(_QUOTED + "|(#.*)")
_PRIME = re.compile(_QUOTED + r"""|(?<=\w)(['′’])(?![\w"'{])""")
_INDENT = re.compile(r"^((?:>>> )?[ \t\u00a0]*)")
_TRANSPOSED = re.compile(r"((?:\*\*|\^)T\b|ᵀ)")
_TIMES = re.compile(r"(?<![*·⋅×⊙∗∘])([·⋅×⊙∗∘])(?![*·⋅×⊙∗∘])")
_SPECIAL = re.compile(rf"((?![²³](?:\w|\s*[.\[^]))[{re.escape(''.join(_PLAIN))}])")
_LAMBDA = re.compile(r"\b(lambda)\b(?!\s+[^\W\d]\w*\s*[,:=])")
_DEFINED = re.compile(r"^[^=(]*?(?<![:<>=!])(:=)")
_FOR = re.compile(r"^\s*(For)(?=\s+\w+\s*(?:=|in\b))")
_FROM_ONE = re.compile(r"^\s*for\s+\w+\s*(=\s*1\s+to\b\s*)(?=\S)")
_END = re.compile(r"(?<![\s:])(\s*:?)\s*$")
_NAME = r"[^\W\d²³ᵀ][^\W²³ᵀ]*['′’]?"
_TOKEN = re.compile(rf"(?P<name>{_NAME})|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|\^T|\S")
_OF_A_LOOP = frozenset({"for", "For", "in", "to", "lambda"})
_QUOTIENT = re.compile(r"(?<!\w)(d[A-Za-z]\w*\s*/\s*d[A-Za-z]\w*)")
_ASSIGNED_QUOTIENT = re.compile(r"^\s*d([A-Za-z]\w*)\s*/\s*d([A-Za-z]\w*)(?=\s*(?:\[[^\]=]*\]\s*)?(?:[-+*/]?=)(?!=))")


class Line(NamedTuple):
    """A line in Python's characters: ``text[i]`` stands for ``row[starts[i]:stops[i]]`` of what was written."""

    row: str
    text: str
    starts: tuple[int, ...]
    stops: tuple[int, ...]

    def replaced(self, pattern: re.Pattern[str], new: str | Callable[[str], str]) -> Line:
        """The line with ``new`` for all that the group of a pattern matches."""
        text, starts, stops, done = "", list[int](), list[int](), 0
        for match in pattern.finditer(self.text):
            start, stop = match.span(1)
            if match[1] is None:
                continue
            instead = new if isinstance(new, str) else new(match[1])
            if instead == match[1]:
                continue
            first = self.column(start) - 1
            last = self.stops[stop - 1] if stop > start else first
            text += self.text[done:start] + instead
            starts += [*self.starts[done:start], *[first] * len(instead)]
            stops += [*self.stops[done:start], *[last] * len(instead)]
            done = stop
        if not starts and not done:
            return self
        return Line(self.row, text + self.text[done:], (*starts, *self.starts[done:]), (*stops, *self.stops[done:]))

    @property
    def code(self) -> str:
        """The line as it was written, up to its comment; blanks for a prompt."""
        return " " * self.starts[0] + self.written(0, len(self.text)) if self.text else ""

    def column(self, place: int) -> int:
        """The column, from 1, of the character at a place of ``text``, or of its end."""
        return (self.starts[place] if place < len(self.text) else self.stops[-1] if self.stops else 0) + 1

    def written(self, start: int, stop: int) -> str:
        """What was written for ``text[start:stop]``."""
        return self.row[self.starts[start] : self.stops[stop - 1]] if start < stop else ""


class Refused(NamedTuple):
    """A line that could not be read, and why."""

    line: int
    message: str


class Source(NamedTuple):
    """A text with its tree: the numbers of the tree's lines are those of the text."""

    rows: tuple[str, ...]
    tree: ast.Module
    refused: tuple[Refused, ...]

    def text(self, line: int) -> str:
        """The line as it was written."""
        return self.rows[line - 1].strip() if 0 < line <= len(self.rows) else ""


def read(text: str) -> Source:
    """The tree of a text; a line that cannot be read is left out, and the others are read without it.

    Raises DerivationError for what is no text of a derivation at all: too long, or without a line that can be read.
    """
    lines = [line.text for line in plain_lines(text)]
    rows, refused = source_lines(text), list[Refused]()

    def leave_out(place: int, why: str) -> None:
        refused.append(Refused(place + 1, f"this line cannot be read: {why}"))
        lines[place] = lines[place][: len(lines[place]) - len(lines[place].lstrip())] + "pass"

    for place, row in enumerate(rows):
        if (problem := unprintable(row)) is not None:
            leave_out(place, problem[0])
    while True:
        try:
            tree = python_tree("\n".join(lines))
            break
        except SyntaxError as error:
            blamed = _blamed(lines, error)
            if len(refused) >= MOST_REFUSED or blamed is None:
                raise DerivationError(f"line {error.lineno or 1}: {error.msg}") from None
            beside = side_by_side(plain_line(rows[blamed]).code)
            leave_out(blamed, error.msg if beside is None else beside[0])
    return Source(tuple(rows), tree, tuple(sorted(refused)))


def plain_lines(text: str) -> list[Line]:
    """The lines of a text in Python's characters.

    Raises DerivationSyntaxError where the text or a line of it is longer than the limits above.
    """
    if not isinstance(text, str):
        raise DerivationSyntaxError(f"a derivation is text, not {type(text).__name__}", 1, 1)
    if len(text) > MAX_TEXT:
        raise DerivationSyntaxError(f"the text has {len(text):,} characters; at most {MAX_TEXT:,} are read", 1, 1)
    rows = source_lines(text)
    for number, row in enumerate(rows, 1):
        if len(row) > MAX_LINE:
            message = f"this line has {len(row):,} characters; at most {MAX_LINE:,} are read"
            raise DerivationSyntaxError(message, number, 1, row)
    return _quotients([plain_line(row) for row in rows])


@lru_cache(maxsize=256)
def plain_line(row: str) -> Line:
    """A line in Python's characters; what stands in its comment is gone."""
    line = Line(row, row, tuple(range(len(row))), tuple(range(1, len(row) + 1)))
    line = line.replaced(_FENCE, "").replaced(_COMMENT, "").replaced(_PRIME, "_prime").replaced(_TRANSPOSED, ".T")
    line = line.replaced(_TIMES, "*").replaced(_SPECIAL, lambda character: _PLAIN[character])
    line = line.replaced(_INDENT, lambda indent: " " * len(indent.removeprefix(">>> ").expandtabs(4)))
    line = line.replaced(_LAMBDA, "lambda_").replaced(_DEFINED, "=").replaced(_FOR, "for")
    counted = line.replaced(_FROM_ONE, " in range(")
    return counted.replaced(_END, "):") if counted is not line else line


def plain_name(written: str) -> str:
    """The plain name for a name as written: ``λ`` gives ``lambda_``, ``σ'`` gives ``sigma_prime``."""
    return plain_line(written).text


def python_tree(source: str) -> ast.Module:
    """Python's tree of a source. Raises SyntaxError, also for what is nested too deeply to be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (RecursionError, MemoryError):
        raise SyntaxError("the text is nested too deeply to be read") from None


def unprintable(row: str) -> tuple[str, int] | None:
    """The sentence for the first character that cannot be seen, not even in a comment, and its place."""
    for place, character in enumerate(row):
        category = unicodedata.category(character)
        if (category[0] == "C" and character != "\t") or category in ("Zl", "Zp"):
            return f"{described(character)} is not allowed, not even in a comment", place
    return None


def described(character: str) -> str:
    """``'А' (CYRILLIC CAPITAL LETTER A, U+0410)``; a character that cannot be shown goes by its number."""
    if character.isascii() and character.isprintable():
        return f"'{character}'"
    name = unicodedata.name(character, "a control character" if unicodedata.category(character) == "Cc" else "")
    shown = f"'{character}'" if character.isprintable() else "the character"
    return f"{shown} ({', '.join(filter(None, (name, f'U+{ord(character):04X}')))})"


def side_by_side(code: str) -> tuple[str, int] | None:
    """What to say of two values without an operator between them, and the place: multiplication is written out."""
    tokens = list(_TOKEN.finditer(code))
    for left, right in pairwise(tokens):
        value = left.lastgroup or left[0] in (")", "]", "ᵀ", "²", "³", "^T")
        opens = right[0] == "(" and (left.lastgroup != "name")
        if value and (right.lastgroup or opens) and not _OF_A_LOOP & {left[0], right[0]}:
            return f"write * or @ between '{left[0]}' and '{right[0]}'", right.start()
    return None


def _quotients(lines: list[Line]) -> list[Line]:
    """``dJ/dW2`` as a name, wherever a line gives it a value and wherever it is read."""
    names = {}
    for line in lines:
        if match := _ASSIGNED_QUOTIENT.match(line.text):
            top, bottom = match[1], match[2]
            of_the_cost = len(top) == 1 or top.lower() in ("loss", "cost", "error")
            names[top, bottom] = f"d{bottom}" if of_the_cost else f"d{top}_d{bottom}"

    def name(quotient: str) -> str:
        top, bottom = (part.strip()[1:] for part in quotient.split("/"))
        return names.get((top, bottom), quotient)

    return [line.replaced(_QUOTIENT, name) for line in lines] if names else lines


def _blamed(lines: list[str], error: SyntaxError) -> int | None:
    """The line to leave out: the one that Python names, or the last one before it that holds something; if any."""
    place = min((error.lineno or 0) - 1, len(lines) - 1)
    while place >= 0 and lines[place].strip() in ("", "pass"):
        place -= 1
    return place if place >= 0 else None
