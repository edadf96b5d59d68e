"""Planted mistakes are seen, at their own line, with their cause and a repair that holds when it is put in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from parity_tests.derivations.engine.texts import verify_text
from parity_tests.derivations.verdicts import HOLDS, WRONG, Verdict
from parity_tests.tests.derivations.engine_mistakes import Mistake, mistakes
from parity_tests.tests.derivations.engine_texts import TEXTS

SLICE = 12


def wrong_lines(text: str) -> list[Verdict]:
    judged = verify_text(text)
    return [] if judged is None else [line for line in judged.lines if line.verdict == WRONG]


def repaired(mistake: Mistake, line: Verdict) -> str:
    """The text with the repair put in place of the line."""
    rows = mistake.text.splitlines()
    indent = rows[mistake.line - 1][: len(rows[mistake.line - 1]) - len(rows[mistake.line - 1].lstrip())]
    rows[mistake.line - 1] = "\n".join(indent + row for row in line.repaired.splitlines())
    return "\n".join(rows)


def rates(chosen: Iterable[Mistake]) -> Counter[str]:
    """How many were flagged, at the right line, with another line beside it, with their cause, with a true repair."""
    count: Counter[str] = Counter()
    for mistake in chosen:
        wrong = wrong_lines(mistake.text)
        here = [line for line in wrong if line.line == mistake.line]
        count["all"] += 1
        count["flagged"] += bool(wrong)
        count["line"] += bool(here)
        count["more"] += bool(here) and len(wrong) > len(here)
        count["cause"] += any(set(line.causes) & mistake.causes for line in here)
        count["repaired"] += any(line.repaired and not wrong_lines(repaired(mistake, line)) for line in here)
    return count


def reaches(count: Counter[str]) -> None:
    total = count["all"]
    assert count["flagged"] >= 0.95 * total, count
    assert count["line"] >= 0.90 * total, count
    assert count["more"] <= max(1, 0.02 * total), count
    assert count["cause"] >= 0.75 * total, count
    assert count["repaired"] >= 0.70 * total, count


@pytest.mark.slow
def test_planted_mistakes_are_found_and_mended() -> None:
    reaches(rates(mistakes(SLICE)))


@pytest.mark.bars
@pytest.mark.parametrize("put_aside", [False, True])
def test_four_hundred_planted_mistakes_are_found_and_mended(put_aside: bool) -> None:
    reaches(rates(mistake for mistake in mistakes(400) if mistake.put_aside == put_aside))


def test_one_mistake_that_many_lines_feel_is_one_report() -> None:
    text = TEXTS["rows-labels-l2"].strip().replace("dscores /= N\n", "")
    (line,) = wrong_lines(text)
    assert (line.line, line.target, line.causes) == (7, "dscores", ("missing-1/m",))
    assert line.repaired == "dscores[range(N), y] -= 1\ndscores /= N"
    assert line.message.endswith("Once it is right, lines 8, 9, 12, 13 hold too.")


@pytest.mark.slow
def test_two_mistakes_are_two_reports() -> None:
    text = (
        TEXTS["columns-course"].strip().replace("1 - np.power(A1, 2)", "1 - A1").replace("dZ2, A1.T)", "dZ2, A1.T) * 2")
    )
    assert [line.line for line in wrong_lines(text)] == [9, 11]


def test_an_update_that_goes_up_is_wrong() -> None:
    text = TEXTS["columns-course"].strip().replace("b1 - learning_rate * db1", "b1 + learning_rate * db1")
    (line,) = wrong_lines(text)
    assert line.line == 15
    judged = verify_text(text)
    assert judged is not None
    assert sum(each.verdict == HOLDS for each in judged.lines) == 9


STEPS = """\
x1 = x0 + h * np.tanh(x0 @ A + c)
x2 = x1 + h * np.tanh(x1 @ A + c)
x3 = x2 + h * np.tanh(x2 @ A + c)
R = x3 - goal
E = np.sum(R * R) / (2 * len(x0))
k1 = 1 - np.tanh(x0 @ A + c) ** 2
k2 = 1 - np.tanh(x1 @ A + c) ** 2
k3 = 1 - np.tanh(x2 @ A + c) ** 2
gx3 = R / len(x0)
p3 = h * gx3 * k3
gx2 = gx3 + p3 @ A.T
p2 = h * gx2 * k2
gx1 = p2 @ A.T
p1 = h * gx1 * k1
gA = x0.T @ p1 + x1.T @ p2 + x2.T @ p3
gc = (p1 + p2 + p3).sum(axis=0)
"""


@pytest.mark.slow
def test_of_many_values_of_one_shape_each_is_tried_with_the_usual_factor_before_any_with_another() -> None:
    (line,) = wrong_lines(STEPS)
    assert (line.line, line.repaired) == (13, "gx1 = p2 @ A.T + gx2")
