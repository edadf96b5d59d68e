"""A Python file in, a verdict on each of its lines out: all of it in the process that runs the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from parity_tests.derivations.engine.judged import judge_reading
from parity_tests.derivations.engine.python.reading import PythonReading
from parity_tests.derivations.verdicts import Judged


def judge_program(name: str, text: str, call: str = "", seed: int = 0, *, strict: bool = False) -> Judged | None:
    """Judge a program, and what it is called with; None where nothing of it could be judged."""
    return judge_reading(PythonReading(name, text, call), seed, strict=strict)


def main(path: str, call: str, seed: str, strict: str) -> dict[str, Any]:
    """The verdicts as plain data, None where nothing could be judged; see parity_tests.apart."""
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    judged = judge_program(Path(path).name, text, call, int(seed), strict=bool(strict))
    if judged is None:
        return {"judged": None}
    fields = judged._asdict()
    lines, cost, summary = ([line._asdict() for line in judged.lines], judged.cost._asdict(), judged.summary._asdict())
    return {"judged": {**fields, "lines": lines, "cost": cost, "summary": summary}}
