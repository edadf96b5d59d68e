"""People's programs are judged by their own forward pass: right ones raise no alarm, mistakes are named."""

from __future__ import annotations

from functools import cache

import pytest

from parity_tests.derivations.engine.python.judged import judge_program
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG, Verdict
from parity_tests.tests.derivations.python_programs import PROGRAMS

MISTAKES = [(name, number) for name, written in PROGRAMS.items() for number in range(len(written.mistakes))]


@cache
def wrong_lines(text: str) -> list[Verdict]:
    judged = judge_program("net.py", text)
    assert judged is not None
    return [line for line in judged.lines if line.verdict == WRONG]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_right_program_raises_no_alarm(name: str) -> None:
    judged = judge_program("net.py", PROGRAMS[name].text)
    assert judged is not None
    assert {line.verdict for line in judged.lines} <= {HOLDS, NOT_JUDGED}, [line.message for line in judged.lines]
    assert judged.summary.holds >= 2


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


CALL = "X = np.random.randn(6, 3); y = np.random.randn(6, 2); net = MLP([3, 4, 2]); net.train(X, y)"


def test_a_file_says_how_it_is_called() -> None:
    text = PROGRAMS["class with a train method"].text
    judged = judge_program("net.py", f"# verify: {CALL}\n{text}")
    assert judged is not None
    assert judged.layout.endswith("called as net.train(X, y)")
    assert judged.summary.holds >= 6


def test_a_program_that_ends_early_is_not_judged_behind_that_line() -> None:
    text = PROGRAMS["script, columns, cross-entropy"].text.replace("    W1 = W1 - 0.1", "    W1 = W3 - 0.1")
    judged = judge_program("net.py", text)
    assert judged is not None
    left = [line for line in judged.lines if line.verdict == NOT_JUDGED]
    assert [line.text.split(" = ")[0] for line in left] == ["W1"]
    assert "NameError" in left[0].message
