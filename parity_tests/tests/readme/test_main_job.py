"""The whole comparison, run once: it holds, and the README's table is what it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from math import log10

import pytest

from parity_tests.comparison.models import MODEL_CASES
from parity_tests.judging.judge import Result
from parity_tests.tests.chores import readme
from parity_tests.tests.chores.readme_tables import parity_table


@pytest.fixture(scope="module")
def main_job() -> subprocess.CompletedProcess[str]:
    """The whole comparison as JSON, in a process of its own."""
    words = [sys.executable, "-m", "parity_tests", "--json"]
    return subprocess.run(words, cwd=readme.README.parent, capture_output=True, text=True)


@pytest.mark.slow
def test_the_main_job_holds(main_job: subprocess.CompletedProcess[str]) -> None:
    assert main_job.returncode == 0, main_job.stderr
    report = json.loads(main_job.stdout)
    assert report.keys() == {"environment", "results", "summary"}
    assert report["summary"]["fails"] == 0
    assert report["summary"]["arrays that cannot be told"] <= 0.005 * report["summary"]["arrays"]
    assert 0.1 < report["summary"]["worst ratio"] <= 1
    fields = "case model dataset quantity layer dtype pair shape error bound ratio worst_index verdict cannot_tell"
    assert all(set(fields.split()) <= set(result) for result in report["results"])
    assert {result["model"] for result in report["results"]} >= {"logistic", "deep6", "wide", "regression"}
    assert main_job.stderr == ""


MACHINES = 3
"""The worst rounding errors of two machines differ by a factor less than this: their sums run in other orders."""


def like(shown: str, now: str, *, decades: bool = False) -> bool:
    """Whether two figures may come from two machines."""
    if decades:  # what is below 1e-15 on the one may be just above it on the other
        return abs(log10(float(shown) / float(now))) < 1.5
    return abs(float(shown) - float(now)) < 0.02 or 1 / MACHINES < float(shown) / float(now) < MACHINES


def differences(shown: str, now: str) -> list[str]:
    """What a table of the comparison says, and another machine's does not: all but rounding errors must be the same."""
    (head, _, *rows), (head_now, _, *rows_now) = shown.splitlines(), now.splitlines()
    found = [head] * (head != head_now) + ["the number of rows"] * (len(rows) != len(rows_now))
    for row, row_now in zip(rows[:-2], rows_now[:-2], strict=False):
        cells, cells_now = row.split(" | "), row_now.split(" | ")
        same = [*cells[:3], cells[-1]] == [*cells_now[:3], cells_now[-1]]
        error, *ratios = zip(cells[3:-1], cells_now[3:-1], strict=True)
        if not (same and like(*error, decades=True) and all(like(*ratio) for ratio in ratios)):
            found.append(row)
    told, told_now = (re.split(r"about (\d+)", text[-1]) for text in (rows, rows_now))
    if told[::2] != told_now[::2] or not like(told[1], told_now[1]):
        found.append(rows[-1])
    return found


@pytest.mark.slow
def test_the_parity_table_is_that_of_the_machine_up_to_what_differs(
    main_job: subprocess.CompletedProcess[str],
) -> None:
    """Counts and verdicts are the same everywhere; rounding errors are of the same size, and below their bounds."""
    results = [Result(**line) for line in json.loads(main_job.stdout)["results"]]
    shown = readme.section("parity")
    assert differences(shown, parity_table(results)) == []
    assert len(shown.splitlines()) - 4 == len({case.model for case in MODEL_CASES})
    assert [row for row in shown.splitlines()[2:-2] if not row.endswith("| holds |")] == []


@pytest.mark.parametrize(
    ("place", "wrong"), [(0, "| other"), (1, "moons"), (2, "1"), (3, "1e-12"), (3, "1e-18"), (4, "9"), (6, "fails |")]
)
def test_a_wrong_figure_of_a_model_is_seen(place: int, wrong: str) -> None:
    shown = readme.section("parity")
    first = shown.splitlines()[2]
    cells = first.split(" | ")
    cells[place] = wrong
    assert differences(shown.replace(first, " | ".join(cells)), shown) == [" | ".join(cells)]
    assert differences(shown, shown) == []


@pytest.mark.parametrize(
    ("right", "wrong"), [(" 0 fail", " 1 fail"), (r"With \d", "With 9"), (r"about \d+", "about 9")]
)
def test_a_wrong_figure_of_all_lines_is_seen(right: str, wrong: str) -> None:
    shown = readme.section("parity")
    assert differences(re.sub(right, wrong, shown), shown) == [re.sub(right, wrong, shown).splitlines()[-1]]


def test_figures_of_another_machine_are_no_differences() -> None:
    shown = readme.section("parity")
    other = shown.replace("| 1e-15 |", "| 1e-16 |").replace("| 0.01 |", "| 0.02 |")
    other = re.sub(r"about (\d+)", lambda found: f"about {2 * int(found[1])}", other)
    assert other != shown
    assert differences(other, shown) == []
