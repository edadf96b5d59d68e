"""What people write that is not of the language, and what to write instead: said before Python's parser sees it."""

from __future__ import annotations

import keyword
import re
from typing import NamedTuple

from parity_tests.derivations.language.front import Line, described, side_by_side, unprintable

MAX_NAME = 64
MAX_NUMBER = 32

_WORDS = "|".join(set(keyword.kwlist) - {"for", "in", "lambda", "True", "False", "None"})
_BRACKETS = re.compile(r"\([^()\[\]]*\)|\[[^()\[\]]*\]")
_EQUALS = re.compile(r"(?<![=<>!])=(?!=)")
_QUOTE = r"""["`]|(?<!\w)'|(?<=\w)'(?=[\w{])"""
_TARGET = re.compile(r"[^\W\d]\w*\s*[-+*/]?\s*")

_HINTS = [
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (r"(?<=\w)['′’]{2}", "only the first derivative has a sign here: one prime"),
        (_QUOTE, "text in quotes is not part of the language; a prime follows a name, as in g1'(Z1)"),
        (r"[²³](?=\w|\s*[.\[^])", "put the power in brackets before what follows it"),
        (r"\^\s*\[", "a layer is written in the name: A1, W2, dZ2"),
        (r"\^\s*\(\s*[^\W\d]\w*\s*\)", "'^' is a power: an example is written x[i] or X[:, i], a power x**n"),
        (r"\^T(?=(\w+))", "write * or @ between '^T' and '{0}'"),
        (r"[.^]T(?=\s*\()", "write * or @ between 'T' and '('"),
        (r"([\\$])", "'{0}' is not part of the language: formulas are written as in NumPy, not in LaTeX"),
        (r"([{}])", "'{0}' is not part of the language: group with ( and )"),
        (r";", "';' is not part of the language: write one assignment a line"),
        (r"//=", "'//=' is not part of the language: write x = x // 2"),
        (r"\*\*=", "'**=' is not part of the language: write x = x**2"),
        (r"([?!&|%~])(?!=)", "'{0}' is not part of the language"),
        (r"\b\w*__", "a name with two underscores in a row is not allowed"),
        (rf"[^\W\d]\w{{{MAX_NAME},}}", f"a name has at most {MAX_NAME} characters"),
        (rf"(?<![\w.])[\d.]{{{MAX_NUMBER + 1},}}", f"a number has at most {MAX_NUMBER} characters"),
        (r"\blambda\s+\w+\s*[,:=]", "lambda expressions are not part of the language; lambda is the letter"),
        (rf"\b({_WORDS})\b", "'{0}' is not part of the language"),
        (r"(?<=[\w)\]])\s+(axis|keepdims)\s*=", "a comma is missing before '{0}'"),
        (r"^\s*[Ff]or\s+\w+\s*=(?!\s*1\s+to\b)", "this form of the loop counts from 1: for i = 1 to m"),
    )
]

NO_TARGET = "left of '=' stands one name, as dW1, or one entry, as dw[j] or u[i, j]"


class Hint(NamedTuple):
    """A sentence, and the place in the line that it is about, from 0."""

    message: str
    place: int


def hint(line: Line) -> Hint | None:
    """What to write instead of the first thing in a line that is not of the language; None where nothing is found."""
    problem = unprintable(line.row)
    if problem is not None:
        return Hint(*problem)
    code = line.code
    found = [(match.start(), order, match) for order, (each, _) in enumerate(_HINTS) if (match := each.search(code))]
    if found:
        place, order, match = min(found, key=lambda each: each[:2])
        return Hint(_HINTS[order][1].format(*match.groups()), place)
    for place, character in enumerate(line.text):
        if not character.isascii():
            return Hint(f"{described(character)} is not part of the language", line.starts[place])
    beside = side_by_side(code)
    return None if beside is None else Hint(*beside)


def assignment_hint(line: Line) -> Hint | None:
    """Why a line whose brackets are closed is not one assignment; None where it is."""
    outer = line.text
    while _BRACKETS.search(outer):
        outer = _BRACKETS.sub(lambda match: (" " if match[0][0] == "[" else "?") * len(match[0]), outer)
    if re.search(r"[(\[\])]", outer):
        return None
    signs = [match.start() for match in _EQUALS.finditer(outer)]
    if not signs:
        place, _, compared = (len(part) for part in outer.partition("=="))
        reason = "'==' compares" if compared else "there is no '='"
        return Hint(f"a line is an assignment, name = formula: {reason}", line.column(place) - 1)
    if not _TARGET.fullmatch(outer[: signs[0]]):
        return Hint(NO_TARGET, line.column(0) - 1)
    if len(signs) > 1:
        return Hint("one assignment a line: '=' cannot stand here", line.column(signs[1]) - 1)
    return None
