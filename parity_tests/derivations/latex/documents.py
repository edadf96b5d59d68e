"""The mathematics of a file, with its places: Markdown, LaTeX, and the Markdown cells of a notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

LARGEST = 2**20
"""Characters of text that are read, without the code and the pictures of a notebook."""

MOST_FORMULAS = 1000
"""Formulas of a file that are read; those behind them are counted. So many macros are read, too."""

LONGEST_INLINE = 2000
"""Characters of a formula within a line."""

ENVIRONMENTS = "equation|align|eqnarray|gather|multline|displaymath|math|split|alignat|flalign"
_OPENING = re.compile(
    r"(?P<fence>^[ \t]*(?P<ticks>```+|~~~+)[ \t]*(?P<language>\w*)[^\n]*\n)|(?P<code>`+)"
    r"|(?P<escaped>\\\\(?!\[)|\\\$)|(?P<double>\$\$)|(?P<dollar>\$)|(?P<bracket>\\\[)|(?P<round>\\\()|\\begin\{(?P<environment>(?:"
    + ENVIRONMENTS
    + r")\*?)\}"
    r"|\\begin\{(?P<verbatim>verbatim|lstlisting|minted|comment)\}",
    re.MULTILINE,
)
_HEADING = re.compile(r"^ {0,3}#{1,6} +(.*)$|\\(?:sub)*(?:section|chapter|paragraph)\*?\{([^{}\n]*)\}", re.MULTILINE)
_COMMENT = re.compile(r"(?<!\\)%[^\n]*")
_MACRO = re.compile(
    r"\\(?:(?:re)?newcommand|providecommand|DeclareMathOperator)\*?\s*\{?\s*(\\[A-Za-z]+)\s*\}?\s*(?:\[(\d)\])?\s*(?=\{)"
    r"|\\g?def\s*(\\[A-Za-z]+)((?:#\d)*)\s*(?=\{)"
)


class Formula(NamedTuple):
    """A piece of mathematics; ``line`` is that of its first character, ``section`` the number of its heading,
    ``before`` the words before it.
    """

    text: str
    line: int
    cell: int = 0
    display: bool = True
    section: int = 0
    before: str = ""


class Macro(NamedTuple):
    """What a command of the writer stands for."""

    arguments: int
    body: str


class Note(NamedTuple):
    """The formulas of a file, its headings by number, the writer's macros, and how many formulas were left out."""

    formulas: tuple[Formula, ...]
    headings: tuple[str, ...]
    macros: dict[str, Macro]
    left_out: int = 0


def has_mathematics(text: str) -> bool:
    """Whether a text has formulas in LaTeX."""
    return next(_found(text, ""), None) is not None


def cells_of(path: Path) -> list[tuple[int, str]]:
    """The pieces of text of a file, each with the number of its cell, 0 for a file without cells."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return markdown_cells(text) if path.suffix == ".ipynb" else [(0, text)]


def note_of(cells: list[tuple[int, str]], suffix: str = ".md") -> Note:
    """The formulas of pieces of text, each with the number of its cell, 0 for a file without cells.

    Raises ValueError where they are too long.
    """
    length = sum(len(text) for _, text in cells)
    if length > LARGEST:
        raise ValueError(f"the text has {length} characters, expected at most {LARGEST}")
    formulas: list[Formula] = []
    headings, macros, left_out = [""], dict[str, Macro](), 0
    for cell, text in cells:
        plain = _COMMENT.sub(lambda each: " " * len(each[0]), text) if suffix == ".tex" else text
        macros |= _macros(plain)
        marks = list(_HEADING.finditer(plain))
        lines, seen, place, behind = 1, 0, 0, 0
        for start, body, display in _found(plain, suffix):
            while place < len(marks) and marks[place].start() < start:
                headings.append((marks[place][1] or marks[place][2] or "").strip())
                place += 1
            if len(formulas) >= MOST_FORMULAS:
                left_out += 1
                continue
            start += len(body) - len(body.lstrip())
            lines, seen = lines + plain.count("\n", seen, start), start
            words = plain[max(behind, start - 120) : start]
            formulas.append(Formula(body.strip(), lines, cell, display, len(headings) - 1, words))
            behind = start + len(body.strip())
    return Note(tuple(formulas), tuple(headings), macros, left_out)


def markdown_cells(text: str) -> list[tuple[int, str]]:
    """The Markdown cells of a notebook, numbered -1, -2, ... beside those of code; ValueError where it is none."""
    try:
        book = json.loads(text)
        cells = book["cells"] if "cells" in book else [each for sheet in book["worksheets"] for each in sheet["cells"]]
        found = [cell for cell in cells if cell.get("cell_type") == "markdown"]
        return [(-number, "".join(cell.get("source", ()))) for number, cell in enumerate(found, 1)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"the notebook is damaged: {type(error).__name__}: {error}") from error


def _found(text: str, suffix: str) -> Iterator[tuple[int, str, bool]]:
    """Every formula: where it begins, what it is, and whether it is displayed. Code is passed over."""
    place, last = 0, {"\\]": text.rfind("\\]"), "$$": text.rfind("$$")}
    while opening := _OPENING.search(text, place):
        place = opening.end()
        kind = opening.lastgroup if opening.lastgroup not in ("ticks", "language") else "fence"
        if opening["fence"]:
            end = _ends(text, f"\n{opening['ticks']}", place - 1)
            if opening["language"] in ("math", "latex", "tex"):
                yield place, text[place : max(place, end)], True
            place = min(len(text), end + 1 + len(opening["ticks"]))
        elif kind == "code" and suffix != ".tex":
            place = _closed(text, opening[0], place, lambda inside: "\n\n" not in inside, LONGEST_INLINE)[1]
        elif kind == "verbatim":
            place = _ends(text, f"\\end{{{opening['verbatim']}}}", place)
        elif kind in ("double", "bracket", "environment"):
            closing = {"double": "$$", "bracket": "\\]"}.get(kind, f"\\end{{{opening['environment']}}}")
            if closing not in last:
                last[closing] = text.rfind(closing)
            if last[closing] < place:
                continue
            end, behind = _closed(text, closing, place, lambda inside: True)
            if kind == "environment" and end > place:
                yield opening.start(), text[opening.start() : behind], True
            elif end > place:
                yield place, text[place:end], True
            place = behind
        elif kind in ("dollar", "round"):
            closing = "$" if kind == "dollar" else "\\)"
            end, behind = _closed(text, closing, place, _is_inline, LONGEST_INLINE)
            if end > place:
                start, body = place, text[place:end]
                if len(body) > 2 and body[0] == body[-1] == "`":
                    start, body = start + 1, body[1:-1]
                yield start, body, False
            place = behind


def _is_inline(inside: str) -> bool:
    """Whether what stands between two dollars is a formula, and no price."""
    return bool(inside.strip()) and "\n\n" not in inside


def _closed(text: str, closing: str, start: int, fits: Callable[[str], bool], most: int = LARGEST) -> tuple[int, int]:
    """Where what begins at ``start`` ends, and the place behind it; ``start`` twice where it does not."""
    end = text.find(closing, start, start + most)
    while end > 0 and closing == "$" and text[end - 1] == "\\":
        end = text.find(closing, end + 1, start + most)
    return (end, end + len(closing)) if end >= 0 and fits(text[start:end]) else (start, start)


def _ends(text: str, closing: str, start: int) -> int:
    end = text.find(closing, start)
    return len(text) if end < 0 else end


def _macros(text: str) -> dict[str, Macro]:
    """The writer's commands."""
    found = {}
    for each in islice(_MACRO.finditer(text), MOST_FORMULAS):
        body = _braced(text, each.end())
        if body is not None:
            count = int(each[2] or 0) if each[1] else len(each[4]) // 2
            found[each[1] or each[3]] = Macro(count, f"\\operatorname{{{body}}}" if "Operator" in each[0] else body)
    return found


def _braced(text: str, start: int, most: int = 2000) -> str | None:
    """What stands between the brace at ``start`` and the one that closes it."""
    depth = 0
    for place in range(start, min(len(text), start + most)):
        depth += (text[place] == "{") - (text[place] == "}")
        if depth == 0:
            return text[start + 1 : place]
    return None
