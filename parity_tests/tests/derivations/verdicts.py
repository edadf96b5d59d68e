"""What is said of formulas, worked out once for all tests that ask, and of numbers, texts, programs and functions."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from parity_tests.derivations.engine.python.judged import judge_program
from parity_tests.derivations.engine.texts import verify_text
from parity_tests.derivations.own.data import verify_data
from parity_tests.derivations.own.functions_file import verify_functions
from parity_tests.derivations.verdicts import WRONG, Judged, Verdict
from parity_tests.derivations.verify import verify

remembered = cache(verify)
"""verify, for formulas that several tests put to it: it takes its time over a wrong one."""


def verdicts_on(given: Mapping[str, Any], setting: str, *, l2: bool = False) -> tuple[Verdict, ...]:
    """The verdicts on arrays, by name, as on those of a person's file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.npz")
        np.savez(path, allow_pickle=False, **given)
        return verify_data(path, setting, l2=l2).lines


def of_program(text: str, call: str = "", **said: Any) -> Judged:
    """What is said of a program that can be judged."""
    found = judge_program("net.py", text, call, **said)
    assert found is not None
    return found


def of_text(text: str, seed: int = 0, **said: Any) -> Judged:
    """What is said of a text that can be judged by its own forward pass."""
    found = verify_text(text, seed, **said)
    assert found is not None
    return found


@cache
def of_functions(text: str, folder: Path) -> dict[str, list[Verdict]]:
    """The verdicts on a file, by function."""
    path = folder / "mine.py"
    path.write_text(f"import numpy as np\n{text}")
    found: dict[str, list[Verdict]] = {}
    for verdict in verify_functions(path).lines:
        found.setdefault(verdict.target.split(":")[0].split(" ")[0], []).append(verdict)
    return found


def wrong_in(judged: Judged) -> list[Verdict]:
    """The wrong lines."""
    return [line for line in judged.lines if line.verdict == WRONG]


def line_of(part: str, text: str) -> int:
    """The line in which a text has what it has once."""
    assert text.count(part) == 1
    return text[: text.index(part)].count("\n") + 1
