"""A person's .py file or notebook: judged by its own forward pass where it is a program, or by its functions' names."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

from parity_tests.apart import Limits, run_apart
from parity_tests.derivations.changes import Change
from parity_tests.derivations.own.functions_file import verify_functions
from parity_tests.derivations.own.not_looked_at import binds, not_looked_at
from parity_tests.derivations.own.tasks import TASKS
from parity_tests.derivations.verdicts import WRONG, Cost, Judged, Summary, Verdict, against, summarised

RUNNER = "parity_tests.derivations.engine.python.judged"
SECONDS = 60

MISSING_AVERAGE = "missing-1/m"


def verify_file(
    path: Path,
    *,
    call: str = "",
    cost: str = "",
    grads: str = "",
    seed: int = 0,
    strict: bool = False,
    rubric: str = "",
) -> Judged:
    """Judge a .py file, or the code cells of a notebook.

    It is run in a process of its own, for one round of its training; functions and classes without a main block are
    called, with ``call`` or in the ways that fit. J is the cost that it computes, or ``cost``: the name of a value or
    function, or a formula in its own names; every value of its backward pass is held against J. ``grads`` are names,
    divided by commas, for what the last line of the call returns. A file whose functions are all known by their names
    is judged by these, and so is one of which nothing can be judged otherwise. ``rubric`` is what ``rubric_of`` made
    of a teacher's file: how the file is called, and of which kind its cost is.

    Raises ValueError where the file cannot be run, or has nothing to judge.
    """
    words = [call, str(seed), "strict" if strict else "", cost, grads.replace(" ", ""), rubric]
    if path.suffix == ".ipynb":
        return _as_judged(_apart(path, words)["judged"])
    text = path.read_text(encoding="utf-8", errors="replace")
    _is_python(path, text)
    how = ""
    if call or cost or grads or rubric or not by_name(text):
        found = _apart(path, words)
        if found["judged"] is not None:
            return _as_judged(found["judged"])
        how = found["how"]
    try:
        judged = verify_functions(path, seed=seed, strict=strict)
    except ValueError as error:
        raise ValueError(f"{path.name} is not judged: {how}" if how else str(error)) from error
    if not how:
        return _line_by_line(path, judged, words)
    if not judged.summary.judged:
        lines = tuple(line._replace(message=f"{line.target} is not judged.") for line in judged.lines)
        judged = judged._replace(cost=Cost(""), convention="", layout="", lines=lines)
    return judged._replace(notes=(f"{how[0].upper()}{how[1:]}.",))


def _line_by_line(path: Path, judged: Judged, words: list[str]) -> Judged:
    """The verdicts on functions that are known by their names, with a wrong backward pass line by line.

    It is held against its own forward pass: the line that is wrong is found there, and the 1/m may be left to whoever
    calls it. What that cannot see, such as a border of 0 or how ties are broken, stays as it is.
    """
    rows, notes = list(judged.lines), list(judged.notes)
    for name in dict.fromkeys(_function(row) for row in rows if row.verdict == WRONG):
        try:
            found = _apart(path, [*words, name])["judged"]
        except ValueError:  # too long, say: what was found by its name stands
            continue
        own = None if found is None else _as_judged(found)
        left = [row for row in rows if _function(row) == name and row.verdict == WRONG]
        averaged = all(MISSING_AVERAGE in (row.cause, *row.causes) for row in left)
        if own is None or not (own.summary.wrong or (averaged and own.summary.holds == own.summary.judged > 0)):
            continue
        place = next(number for number, row in enumerate(rows) if _function(row) == name)
        rows = [row for row in rows if _function(row) != name]
        rows[place:place] = own.lines
        notes += [f"{name} is judged behind its own forward pass: {against(own._replace(notes=()))[0]}", *own.notes]
    return judged._replace(lines=tuple(rows), notes=tuple(notes), summary=summarised(rows, judged.summary.helpers))


def _function(row: Verdict) -> str:
    """The function that a verdict is about, "" for one about a line."""
    found = re.match(r"\w+", row.target)
    return "" if found is None or row.line else found[0]


def _is_python(path: Path, text: str) -> None:
    """Raise ValueError for what Python cannot read: it need not be run."""
    try:
        ast.parse(text)
    except SyntaxError as error:
        where = f"line {error.lineno}: " if error.lineno else ""
        raise ValueError(f"{path.name} is no Python: {where}{error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{path.name} is no Python: {error}") from error


def rubric_of(path: Path, *, seed: int = 0) -> str:
    """What a teacher's file, .py or a notebook, gives to judge others by, as JSON.

    Raises ValueError where it cannot be run, or does not hold itself.
    """
    return json.dumps(_apart(path, ["", str(seed), "", "", "", "reference"])["rubric"])


def _apart(path: Path, words: list[str]) -> dict[str, Any]:
    """What is found out about a file in a process of its own.

    Raises ValueError where the file cannot be run, or what was said beside it does not fit.
    """
    found = run_apart(path, RUNNER, words, Limits(SECONDS))
    if "refused" in found:
        raise ValueError(f"{path.name}: {found['refused']}")
    return found


def by_name(text: str) -> bool:
    """Whether all that a file defines is known by its name, or helps what is."""
    try:
        known = [name for name in TASKS if binds(text, (name,))]
        return bool(known) and not not_looked_at(text, known)[0]
    except (SyntaxError, ValueError):
        return True


def _as_judged(found: dict[str, Any]) -> Judged:
    """The verdicts from plain data."""
    cost = Cost(**{**found["cost"], "implied": tuple(found["cost"]["implied"])})
    lines = tuple(
        Verdict._make(tuple(line[name]) if isinstance(line[name], list) else line[name] for name in Verdict._fields)
        for line in found["lines"]
    )
    diffs = (tuple(Change(line, tuple(old), tuple(new)) for line, old, new in each.diff) for each in lines)
    lines = tuple(each._replace(diff=diff) for each, diff in zip(lines, diffs, strict=True))
    shown = {**found, "cost": cost, "lines": lines, "summary": Summary(**found["summary"])}
    return Judged(**{**shown, "referees": tuple(found["referees"]), "notes": tuple(found["notes"])})
