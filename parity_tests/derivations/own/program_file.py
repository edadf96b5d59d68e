"""A person's .py file: judged by its own forward pass where it is a program, or else by the names of its functions."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from parity_tests.apart import Limits, run_apart
from parity_tests.derivations.own.functions_file import verify_functions
from parity_tests.derivations.verdicts import Cost, Judged, Summary, Verdict

RUNNER = "parity_tests.derivations.engine.python.judged"
SECONDS = 60


def verify_file(path: Path, *, seed: int = 0, strict: bool = False) -> Judged:
    """Judge a .py file.

    A program, whose statements outside of functions compute something, is run in a process of its own, for one round
    of its training: J is the cost that it computes, and every value of its backward pass is held against J. Any other
    file is judged by the names of its functions, and so is a program of which nothing can be judged.

    Raises ValueError where the file cannot be run, or has nothing to judge.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    if is_program(text):
        judged = _judged_apart(path, seed, strict)
        if judged is not None:
            return judged
    return verify_functions(path, seed=seed, strict=strict)


def is_program(text: str) -> bool:
    """Whether statements outside of functions and classes compute something."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return any(
        isinstance(node, ast.For | ast.While | ast.With | ast.If | ast.Try)
        or (isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr) and _computes(node))
        for node in tree.body
    )


def _computes(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Call | ast.BinOp) for each in ast.walk(node))


def _judged_apart(path: Path, seed: int, strict: bool) -> Judged | None:
    """The verdicts on a program, None where nothing of it could be judged."""
    words = ["", str(seed), "strict" if strict else ""]
    found = run_apart(path, RUNNER, words, Limits(SECONDS))["judged"]
    return None if found is None else _as_judged(found)


def _as_judged(found: dict[str, Any]) -> Judged:
    """The verdicts from plain data."""
    cost = Cost(**{**found["cost"], "implied": tuple(found["cost"]["implied"])})
    lines = tuple(
        Verdict(**{name: tuple(value) if isinstance(value, list) else value for name, value in line.items()})
        for line in found["lines"]
    )
    shown = {**found, "cost": cost, "lines": lines, "summary": Summary(**found["summary"])}
    return Judged(**{**shown, "referees": tuple(found["referees"])})
