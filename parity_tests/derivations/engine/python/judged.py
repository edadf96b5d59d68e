"""A Python file in, a verdict on each of its lines out: all of it in the process that runs the file."""

from __future__ import annotations

import ast
import itertools
import re
import sys
from pathlib import Path
from typing import Any

from parity_tests.derivations.engine.judged import judge_reading
from parity_tests.derivations.engine.python.calls import calls
from parity_tests.derivations.engine.python.program import PythonProgram
from parity_tests.derivations.engine.python.reading import PythonReading
from parity_tests.derivations.engine.python.surroundings import Around
from parity_tests.derivations.own.not_looked_at import not_looked_at
from parity_tests.derivations.own.notebook import Notebook, read_notebook
from parity_tests.derivations.verdicts import CALL, HOLDS, NOT_JUDGED, WRONG, Cost, Judged, in_order, summarised

MOST_CALLS = 6
MOST_FAILURES = 12
"""Cells of a notebook that may fail before the rest is not run any more."""

IS_PAIR = re.compile(r"back\w*\([^\n]*\Z")
"""A call whose last line is a backward pass: a file may have several."""


def judge_program(
    name: str,
    text: str,
    call: str = "",
    seed: int = 0,
    *,
    strict: bool = False,
    around: Around | None = None,
    pair: tuple[str, ...] = (),
) -> Judged | None:
    """Judge a program, and what it is called with; None where nothing of it could be judged.

    Without a call, a file that only defines functions and classes is called in the ways that fit, or a ``pair`` of
    functions, forward and backward, alone. ``around`` are the variables and functions that the program finds there.
    """
    call = call or call_in(text)
    ways = [call] if call or is_program(text) else itertools.islice(calls(text, around, pair), MOST_CALLS)
    found: Judged | None = None
    for way in ways:
        if found is not None and not IS_PAIR.search(way):
            continue
        judged = _judged(name, text, way, around, seed, strict)
        if judged is None or not judged.summary.judged:
            continue
        other = way if way == call else with_equal_sizes(way, judged)
        if other != way:
            again = _judged(name, text, other, around, seed, strict)
            judged = again if again is not None and again.summary.wrong < judged.summary.wrong else judged
        found = judged if found is None else _together(found, judged)
        if not IS_PAIR.search(way):
            break
    return None if found is None else _without_call(found)


def _without_call(judged: Judged) -> Judged:
    """The verdicts; where something is wrong, what the call returns is no answer beside it."""
    if not any(line.verdict == WRONG and line.line < CALL for line in judged.lines):
        return judged
    lines = tuple(line for line in judged.lines if line.line < CALL or line.verdict != HOLDS)
    return judged._replace(lines=lines, summary=summarised(lines, judged.summary.helpers))


def _judged(name: str, text: str, call: str, around: Around | None, seed: int, strict: bool) -> Judged | None:
    """The verdicts on one call of a program; a repair is tried in the file itself."""

    def pasted(line: int, repaired: str, rows: int) -> PythonReading:
        return PythonReading(name, with_repair(text, line, repaired, rows), call, around)

    return judge_reading(PythonReading(name, text, call, around), seed, strict=strict, pasted=pasted)


def with_repair(text: str, line: int, repaired: str, rows: int = 1) -> str:
    """The text with a repair in place of some lines."""
    written = text.splitlines()
    indent = re.match(r"\s*", written[line - 1])
    new = [f"{indent[0] if indent else ''}{each}" if each else each for each in repaired.splitlines()]
    return "\n".join([*written[: line - 1], *new, *written[line - 1 + rows :]]) + "\n"


def _together(first: Judged, second: Judged) -> Judged:
    """The verdicts of two calls of one file: a line that both judge as the first does, and what neither judged."""
    here, there = ({line.line for line in each.lines if line.verdict != NOT_JUDGED} for each in (first, second))
    left = {line.line for line in first.lines} & {line.line for line in second.lines} - here - there
    lines = [line for line in first.lines if line.verdict != NOT_JUDGED or line.line in left]
    lines += [line for line in second.lines if line.verdict != NOT_JUDGED and line.line not in here]
    ordered = in_order(lines)
    return first._replace(
        layout=f"{first.layout}; {second.layout}", lines=ordered, summary=summarised(ordered, first.summary.helpers)
    )


def with_equal_sizes(call: str, judged: Judged) -> str:
    """The call with two sizes made one where a gradient has the one for the other: in the program they never met."""
    for line in judged.lines:
        if line.verdict == WRONG and len(line.shape_got) == len(line.shape_expected):
            for got, expected in zip(line.shape_got, line.shape_expected, strict=True):
                if expected == 1:  # one example at a time
                    call = re.sub(rf"\b{got}\b", "1", call)
                elif got not in (1, expected):
                    call = re.sub(rf"\b{expected}\b", str(got), call)
    return call


def call_in(text: str) -> str:
    """What a comment ``# verify: net = Net(3, 5); net.loss(X, y)`` says of how a file is called."""
    return "\n".join(
        part.strip() for row in re.findall(r"^#\s*verify:(.*)$", text, re.M) for part in row.split(";") if part.strip()
    )


def is_program(text: str) -> bool:
    """Whether statements outside of functions and classes compute something that is trained or judged."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return any(isinstance(node, ast.For | ast.While | ast.With | ast.If | ast.Try) for node in tree.body) or any(
        isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr) and _computes(node, tree)
        for node in tree.body
    )


def _computes(node: ast.AST, tree: ast.Module) -> bool:
    """Whether a statement calls what the file defines, or computes a gradient."""
    defined = {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    called = {each.func.id for each in ast.walk(node) if isinstance(each, ast.Call) and isinstance(each.func, ast.Name)}
    return bool(called & defined) or not defined


def judge_notebook(name: str, notebook: Notebook, call: str = "", seed: int = 0, *, strict: bool = False) -> Judged:
    """Judge a notebook's cells as one program; a cell that fails is named, and the rest goes on without it."""
    for _ in range(MOST_FAILURES):
        program = PythonProgram(notebook.text, call or call_in(notebook.text), seed)
        program.begin()
        shorter = notebook.without(program.ended, program.problem) if program.problem else None
        if shorter is None:
            break
        notebook = shorter
    judged = judge_program(name, notebook.text, call, seed, strict=strict)
    if judged is None:
        lines, helpers = not_looked_at(notebook.text, ())
        judged = Judged(name, Cost(""), "", "", (), tuple(lines), summarised(lines, helpers))
    return notebook.located(judged)


def main(path: str, call: str, seed: str, strict: str) -> dict[str, Any]:
    """The verdicts as plain data, None where nothing could be judged; see parity_tests.apart."""
    file = Path(path)
    sys.path.insert(0, str(file.parent))  # its siblings can be imported
    if file.suffix == ".ipynb":
        try:
            notebook = read_notebook(file)
        except ValueError as error:
            return {"problem": str(error)}
        judged: Judged | None = judge_notebook(file.name, notebook, call, int(seed), strict=bool(strict))
    else:
        text = file.read_text(encoding="utf-8", errors="replace")
        judged = judge_program(file.name, text, call, int(seed), strict=bool(strict))
    if judged is None:
        return {"judged": None}
    fields = judged._asdict()
    lines, cost, summary = ([line._asdict() for line in judged.lines], judged.cost._asdict(), judged.summary._asdict())
    return {"judged": {**fields, "lines": lines, "cost": cost, "summary": summary}}
