"""What the language says when it cannot read or work out a formula: one plain sentence, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_WINDOW = 100  # characters of a long line that are shown around the caret


def source_lines(text: str) -> list[str]:
    """The lines of a text, whichever way it ends them, without a byte order mark."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def point(source: str, start: int, stop: int) -> str:
    """The line and, below it, carets under the columns ``start`` to ``stop - 1`` (counted from 1)."""
    begin = max(0, min(start - 1, len(source)) - _WINDOW // 2)
    end = begin + _WINDOW
    prefix = "..." if begin else ""
    suffix = "..." if end < len(source) else ""
    shown = "".join(character if character.isprintable() else " " for character in source[begin:end])
    width = max(1, min(stop, end + 1) - start)
    carets = " " * (len(prefix) + start - 1 - begin) + "^" * width
    return f"    {prefix}{shown}{suffix}\n    {carets}"


def close_names(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """The three known names at the most that ``name`` may have been meant for, best first; ``dz1`` finds ``dZ1``."""
    candidates = sorted(set(known))
    same = [candidate for candidate in candidates if candidate.casefold() == name.casefold()]
    near = difflib.get_close_matches(name, candidates, n=3, cutoff=0.5 if len(name) < 4 else 0.6)
    return tuple(dict.fromkeys(same + near))[:3]


def did_you_mean(names: tuple[str, ...]) -> str:
    """``; did you mean dZ1 or dZ2?``, or nothing where there are no names."""
    return f"; did you mean {' or '.join(names)}?" if names else ""


class DerivationError(ValueError):
    """A derivation that cannot be read or worked out."""


class DerivationSyntaxError(DerivationError):
    """A line that is not of the language; ``str()`` shows the line with a caret at the character.

    ``line`` and ``column`` count from 1; ``message`` is the sentence alone.
    """

    def __init__(self, message: str, line: int, column: int, source: str = "") -> None:
        super().__init__(message, line, column, source)
        self.message = message
        self.line = line
        self.column = column
        self.source = source

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}: {self.message}"
        return f"{where}\n{point(self.source, self.column, self.column + 1)}" if self.source else where


class EvaluationError(DerivationError):
    """A formula that reads well but has no value here."""


class BudgetSpent(EvaluationError):  # noqa: N818  (the name says it)
    """A formula that takes more steps, or more entries, than are worked out."""


class UnknownName(EvaluationError):  # noqa: N818  (the name says it)
    """A name that stands for nothing here."""
