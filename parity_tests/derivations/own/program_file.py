"""A person's .py file or notebook: judged by its own forward pass where it is a program, or by its functions' names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from parity_tests.apart import Limits, run_apart
from parity_tests.derivations.own.functions_file import verify_functions
from parity_tests.derivations.own.not_looked_at import binds, not_looked_at
from parity_tests.derivations.own.tasks import TASKS
from parity_tests.derivations.verdicts import Cost, Judged, Summary, Verdict

RUNNER = "parity_tests.derivations.engine.python.judged"
SECONDS = 60


def verify_file(path: Path, *, call: str = "", seed: int = 0, strict: bool = False) -> Judged:
    """Judge a .py file, or the code cells of a notebook.

    It is run in a process of its own, for one round of its training; functions and classes without a main block are
    called, with ``call`` or in the ways that fit. J is the cost that it computes, and every value of its backward pass
    is held against J. A file whose functions are all known by their names is judged by these, and so is one of which
    nothing can be judged otherwise.

    Raises ValueError where the file cannot be run, or has nothing to judge.
    """
    if path.suffix == ".ipynb":
        judged = _judged_apart(path, call, seed, strict)
        assert judged is not None
        return judged
    text = path.read_text(encoding="utf-8", errors="replace")
    if call or not by_name(text):
        judged = _judged_apart(path, call, seed, strict)
        if judged is not None:
            return judged
    return verify_functions(path, seed=seed, strict=strict)


def by_name(text: str) -> bool:
    """Whether all that a file defines is known by its name, or helps what is."""
    try:
        known = [name for name in TASKS if binds(text, (name,))]
        return bool(known) and not not_looked_at(text, known)[0]
    except (SyntaxError, ValueError):
        return True


def _judged_apart(path: Path, call: str, seed: int, strict: bool) -> Judged | None:
    """The verdicts on a program, None where nothing of it could be judged."""
    words = [call.replace(";", "\n"), str(seed), "strict" if strict else ""]
    found = run_apart(path, RUNNER, words, Limits(SECONDS))["judged"]
    return None if found is None else _as_judged(found)


def _as_judged(found: dict[str, Any]) -> Judged:
    """The verdicts from plain data."""
    cost = Cost(**{**found["cost"], "implied": tuple(found["cost"]["implied"])})
    lines = tuple(
        Verdict._make(tuple(line[name]) if isinstance(line[name], list) else line[name] for name in Verdict._fields)
        for line in found["lines"]
    )
    shown = {**found, "cost": cost, "lines": lines, "summary": Summary(**found["summary"])}
    return Judged(**{**shown, "referees": tuple(found["referees"]), "notes": tuple(found["notes"])})
