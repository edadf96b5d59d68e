"""From a text as people write it to Python's own syntax tree, line for line.

``g1'``, Greek letters, ``lambda``, ``∂J/∂W2`` and the signs of mathematics become plain names and operators; then
``ast.parse`` reads the whole. A line that it cannot read is left out, and said, and the others are read without it.
Nothing is compiled.
"""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from parity_tests.derivations.language.errors import DerivationError, source_lines
from parity_tests.derivations.language.tokens import MAX_LINE, MAX_TEXT

SIGNS = str.maketrans(
    {
        "·": "*", "⋅": "*", "×": "*", "⊙": "*", "∗": "*", "∘": "*", "−": "-", "–": "-", "÷": "/", "≤": "<=",
        "≥": ">=", "≠": "!=", "²": "**2", "³": "**3", "\u00a0": " ", "^": "**", "’": "'", "′": "'", "∂": "d",
    }
)  # fmt: skip
GREEK = str.maketrans(
    {
        "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ϵ": "epsilon", "ζ": "zeta",
        "η": "eta", "θ": "theta", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "ρ": "rho",
        "σ": "sigma", "τ": "tau", "φ": "phi", "ϕ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Δ": "Delta",
        "Θ": "Theta", "Λ": "Lambda", "Σ": "Sigma", "Φ": "Phi", "Ω": "Omega",
    }
)  # fmt: skip
_PRIME = re.compile(r"(?<=[A-Za-z0-9_])'(?=\s*\()")
_TRANSPOSED = re.compile(r"(?:\*\*|\^)T\b|ᵀ")
_LAMBDA = re.compile(r"\blambda\b(?!\s*(?:\*?\w+\s*(?:=[^,:]*)?,?\s*)+:)")
_QUOTIENT = re.compile(r"^(\s*)d([A-Za-z]\w*)\s*/\s*d([A-Za-z]\w*)(?=\s*(?:\[[^\]=]*\]\s*)?(?:[-+*/]?=)(?!=))")
_FENCE = re.compile(r"^\s*(?:```.*|\.\.\.\s*)$")
MOST_REFUSED = 40


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
        """The line as it was written, without its comment."""
        return self.rows[line - 1].strip() if 0 < line <= len(self.rows) else ""


def read(text: str) -> Source:
    """The tree of a text.

    Raises DerivationError for what is no text of a derivation at all: too long, or without a line that can be read.
    """
    if len(text) > MAX_TEXT:
        raise DerivationError(f"the text has {len(text):,} characters; at most {MAX_TEXT:,} are read")
    rows = source_lines(text)
    if any(len(row) > MAX_LINE for row in rows):
        raise DerivationError(f"a line has more than {MAX_LINE:,} characters: it is not read")
    lines = _quotients([plain_line(row) for row in rows])
    refused: list[Refused] = []
    while True:
        try:
            tree = ast.parse("\n".join(lines))
            break
        except SyntaxError as error:
            place = _blamed(lines, error)
            if len(refused) >= MOST_REFUSED or place is None:
                raise DerivationError(f"line {error.lineno}: {error.msg}") from None
            refused.append(Refused(place + 1, f"this line cannot be read: {error.msg}"))
            lines[place] = lines[place][: len(lines[place]) - len(lines[place].lstrip())] + "pass"
        except (RecursionError, MemoryError, ValueError):
            raise DerivationError("the text is nested too deeply to be read") from None
    return Source(tuple(rows), tree, tuple(sorted(refused)))


def plain_line(row: str) -> str:
    """A line in Python's characters; what stands in its comment is gone."""
    if _FENCE.match(row):
        return ""
    row = row.removeprefix(">>> ").expandtabs(4)
    code = _without_comment(row)
    code = _TRANSPOSED.sub(".T", code).translate(SIGNS).translate(GREEK)
    code = _TRANSPOSED.sub(".T", code)
    code = _LAMBDA.sub("lambda_", _PRIME.sub("_prime", code))
    return re.sub(r"(?<![:<>=!]):=", "=", code)


def _without_comment(row: str) -> str:
    """The line up to its comment; a # in quotes is none."""
    quote = ""
    for place, character in enumerate(row):
        if quote:
            quote = "" if character == quote else quote
        elif character == "#":
            return row[:place]
        elif character == '"' or (character == "'" and not re.search(r"\w$", row[:place])):
            quote = character
    return row


def _quotients(lines: list[str]) -> list[str]:
    """``dJ/dW2`` as a name, wherever a line gives it a value and wherever it is read."""
    known = {(match[2], match[3]) for row in lines if (match := _QUOTIENT.match(row))}
    for top, bottom in known:
        pattern = re.compile(rf"(?<!\w)d{top}\s*/\s*d{bottom}(?!\w)")
        name = f"d{bottom}" if len(top) == 1 or top.lower() in ("loss", "cost", "error") else f"d{top}_d{bottom}"
        lines = [pattern.sub(name, row) for row in lines]
    return lines


def _blamed(lines: list[str], error: SyntaxError) -> int | None:
    """The line to leave out: the one that Python names, or the last one before it that holds something."""
    place = min((error.lineno or 1) - 1, len(lines) - 1)
    while place >= 0 and lines[place].strip() in ("", "pass"):
        place -= 1
    return place if place >= 0 else None
