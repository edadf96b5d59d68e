"""People's programs are judged by their own forward pass: right ones raise no alarm, mistakes are named."""

from __future__ import annotations

from functools import cache

import pytest

from parity_tests.derivations.engine.python.judged import judge_program
from parity_tests.derivations.own.program_file import is_program
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG, Verdict
from parity_tests.tests.derivations.python_programs import PROGRAMS

NAMES = [name for name, written in PROGRAMS.items() if is_program(written.text)]
MISTAKES = [(name, number) for name in NAMES for number in range(len(PROGRAMS[name].mistakes))]


@cache
def wrong_lines(text: str) -> list[Verdict]:
    judged = judge_program("net.py", text)
    assert judged is not None
    return [line for line in judged.lines if line.verdict == WRONG]


@pytest.mark.parametrize("name", NAMES)
def test_a_right_program_raises_no_alarm(name: str) -> None:
    judged = judge_program("net.py", PROGRAMS[name].text)
    assert judged is not None
    assert {line.verdict for line in judged.lines} <= {HOLDS, NOT_JUDGED}, [line.message for line in judged.lines]
    assert judged.summary.holds >= 4


@pytest.mark.parametrize(("name", "number"), MISTAKES)
def test_a_mistake_in_a_program_is_flagged(name: str, number: int) -> None:
    text, _ = PROGRAMS[name].wrong(PROGRAMS[name].mistakes[number])
    assert wrong_lines(text)


def test_most_mistakes_are_found_in_their_line_with_a_repair() -> None:
    lines = repairs = 0
    for name, number in MISTAKES:
        text, line = PROGRAMS[name].wrong(PROGRAMS[name].mistakes[number])
        found = [verdict for verdict in wrong_lines(text) if verdict.line == line]
        lines += bool(found)
        repairs += any(verdict.repaired for verdict in found)
    assert lines >= 0.85 * len(MISTAKES)
    assert repairs >= 0.5 * len(MISTAKES)
