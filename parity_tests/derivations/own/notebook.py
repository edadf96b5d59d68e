"""A Jupyter notebook as one program: its code cells in order, each line with its cell.

Lines for the shell and for IPython are no Python; they and cells in other languages are left out, as blank lines, and
said. A cell that Python cannot read is left out whole; of one that fails when it is run, the failing statement and
what follows it, as a notebook would.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from parity_tests.derivations.engine.python.said_cost import RefusedError
from parity_tests.derivations.verdicts import CALL, Judged, in_order, located, not_judged, summarised

LARGEST = 200 * 2**20
"""Bytes of a notebook, its pictures too."""

PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun", "%%verify")
"""Magics of a whole cell that is Python all the same."""

MAGIC = re.compile(r"^\s*([%!?].*|[\w.]+\s*=\s*[%!].*|[\w.\[\]()\"']+\?{1,2})\s*$")
TIMED = re.compile(r"^(\s*)%(?:time|prun)\s+(?=\S)")
FUTURE = re.compile(r"^from __future__ import .*$", re.M)


class Failure(NamedTuple):
    """What ended a cell, and the line of the program where it did."""

    line: int
    text: str
    error: str


class Notebook(NamedTuple):
    """The program, where its cells begin in it, and what is not in it."""

    text: str
    begins: tuple[int, ...]
    notes: tuple[str, ...]
    failures: tuple[Failure, ...] = ()

    def place(self, line: int) -> tuple[int, int]:
        """The cell of a line of the program, and the line in the cell."""
        if not 0 < line < CALL:
            return 0, line
        cell = max((number for number, begin in enumerate(self.begins, 1) if begin <= line), default=1)
        return cell, line - self.begins[cell - 1] + 1

    def without(self, line: int, error: str) -> Notebook | None:
        """The notebook without the statement in which a line stands, and what follows it in its cell, for this error.

        None where the line is in no statement.
        """
        cell, _ = self.place(line)
        statements = (node for node in ast.parse(self.text).body if node.lineno <= line <= (node.end_lineno or 0))
        first = next((node.lineno for node in statements), 0)
        if not cell or not first:
            return None
        rows = self.text.splitlines()
        last = self.begins[cell] - 1 if cell < len(self.begins) else len(rows)
        failure = Failure(line, rows[line - 1].strip(), f"{error}; the rest of the cell is left out")
        rows[first - 1 : last] = [""] * (last - first + 1)
        return self._replace(text="\n".join(rows), failures=(*self.failures, failure))

    def located(self, judged: Judged) -> Judged:
        """The verdicts with cells in place of lines of the program, and the cells that failed among them."""
        failed = [not_judged("", each.line, each.text, each.error) for each in self.failures]
        lines = in_order([*judged.lines, *failed])
        summary = summarised(lines, judged.summary.helpers)
        whole = judged._replace(lines=lines, summary=summary, notes=(*judged.notes, *self.notes))
        return located(whole, self.place)


def read_notebook(path: Path) -> Notebook:
    """The code cells of a notebook, as one program.

    Raises RefusedError where it is no notebook, or has no code in Python.
    """
    if path.stat().st_size > LARGEST:
        raise RefusedError(f"it is larger than {LARGEST >> 20} MB")
    try:
        data = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"it is no notebook, expected JSON: {error}") from error
    cells = _cells(data)
    if cells is None:
        raise RefusedError('it is no notebook, expected JSON with "cells"')
    language = _language(data)
    if language != "python":
        raise RefusedError(f"it is a notebook in {language}, expected Python")
    code = [_source(cell) for cell in cells if cell.get("cell_type") == "code"]
    if not any(each.strip() for each in code):
        raise RefusedError("it has no code cells")
    return _joined(code, sum(cell.get("cell_type") == "markdown" for cell in cells))


def _cells(data: Any) -> list[dict[str, Any]] | None:
    """The cells, in the present format or the one with worksheets; None where there are none."""
    if not isinstance(data, dict):
        return None
    sheets = data.get("worksheets")
    if isinstance(sheets, list):
        data = {"cells": [cell for each in sheets if isinstance(each, dict) for cell in each.get("cells", [])]}
    cells = data.get("cells")
    return [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else None


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _language(data: dict[str, Any]) -> str:
    about = data.get("metadata")
    about = about if isinstance(about, dict) else {}
    for key, name in (("kernelspec", "language"), ("language_info", "name")):
        if isinstance(about.get(key), dict) and isinstance(about[key].get(name), str):
            return str(about[key][name]).lower()
    return "python"


def _joined(code: list[str], texts: int) -> Notebook:
    """The program of the cells, and what is left out of them."""
    rows: list[str] = []
    begins: list[int] = []
    failures: list[Failure] = []
    left: dict[int, int] = {}
    others: list[int] = []
    for number, source in enumerate(code, 1):
        begins.append(len(rows) + 1)
        lines = source.replace("\r\n", "\n").split("\n")
        kept, error = _python(lines)
        if kept is None:
            others.append(number)
            kept = [""] * len(lines)
        elif error is not None:
            line = min(max(error.lineno or 1, 1), len(lines))
            text = f"{type(error).__name__}: {error.msg}; the cell is left out"
            failures.append(Failure(begins[-1] + line - 1, lines[line - 1].strip(), text))
            kept = [""] * len(lines)
        else:
            left[number] = sum(bool(MAGIC.match(old)) and old != new for old, new in zip(lines, kept, strict=True))
        rows += kept
    return Notebook(FUTURE.sub("", "\n".join(rows)), tuple(begins), tuple(_notes(left, others, texts)), tuple(failures))


def _notes(left: dict[int, int], others: list[int], texts: int) -> list[str]:
    """What of a notebook is no part of the program, in sentences."""
    notes = []
    magics = [f"cell {number} ({count})" for number, count in left.items() if count]
    if magics:
        notes.append(f"Left out: lines for IPython or the shell in {', '.join(magics)}.")
    if others:
        listed = ", ".join(map(str, others))
        notes.append(f"Left out: cell{'s' * (len(others) > 1)} {listed}, not in Python.")
    if texts:
        notes.append(f"{texts} markdown cell{'s' * (texts > 1)}: notes, not read.")
    return notes


def _python(lines: list[str]) -> tuple[list[str] | None, SyntaxError | None]:
    """The lines with blank ones in place of what is for IPython or the shell; None for a cell in another language.

    A cell that is Python as it stands is taken so: in a text of several lines, one may begin with a percent sign.
    """
    error = _error(lines)
    if error is None:
        return lines, None
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%") and first.split()[0] not in PYTHON_CELLS:
        return None, None
    plain = [TIMED.sub(r"\1", line) for line in lines]
    kept = [f"{_indent(line)}pass" if MAGIC.match(line) else line for line in plain]
    return kept, _error(kept)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _error(lines: list[str]) -> SyntaxError | None:
    try:
        compile("\n".join(lines), "<cell>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as error:
        return SyntaxError(str(error))
    return None
