"""The errata of the notes: every row there, every row executed, and every kind of check able to fail."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import numpy as np
import pytest

from manual import costs, dense
from parity_tests.cli import main
from parity_tests.notes import run as runner
from parity_tests.notes import snippets
from parity_tests.notes.check_kinds import count, experiment, formula, numbers, raised, same, shaped, snippet, source
from parity_tests.notes.errata import selected
from parity_tests.notes.row import (
    CONVENTION,
    ERRATA,
    EXPERIMENT,
    FORMULA,
    HOLDS,
    IDENTITY,
    KINDS,
    VERDICTS,
    WRONG,
    Check,
    Finding,
    Row,
    explained,
    is_known,
)
from parity_tests.notes.run import BY_ID, CONFIRMED, REFUTED, ROWS, UNCHECKED, alarms_of, run_row, seed_pieces
from parity_tests.report.evidence import Table, errata_table

MOST_UNCHECKED = 35


class Figures(NamedTuple):
    """What an experiment of these tests finds."""

    J: float


def figures(seed: int) -> Figures:
    """The seed itself."""
    return Figures(float(seed))


def test_every_formula_of_the_notes_is_there_once() -> None:
    assert [row.id for row in ROWS] == [f"F{number:03d}" for number in range(1, 267)]
    assert len(BY_ID) == 266


def test_rows_say_where_what_and_why() -> None:
    for row in ROWS:
        assert re.fullmatch(r"N[0-4] L\d[\d, -]*(; N[0-4] L\d[\d, -]*)*", row.source), row.id
        assert row.verdict in VERDICTS
        assert row.says
        assert bool(row.unchecked) != bool(row.right and row.false), row.id
        assert bool(row.right) == bool(row.false), row.id
        assert not row.mistake or is_known(row.mistake), row.id
        assert not row.mistake or explained(row.mistake) != row.mistake
        if row.verdict != HOLDS and not row.unchecked:
            assert row.truth, row.id
            assert row.mistake or row.verdict == CONVENTION, row.id
        assert all(check.text for check in (*row.right, *row.false))


NOT_ONE_MISTAKE = {
    "F002",  # a name that is not there
    "F015",  # the formula of another quantity, as in the next ones
    "F110",
    "F116",
    "F117",
    "F131",
    "F176",
    "F092",  # no gradient in it at all
    "F123",  # 1 - g lost: verify repairs it by a sign, g(z) g(-z), which is as true
}
"""Wrong lines for which verify finds no mistake of the vocabulary, or another one that is as true."""


def test_wrong_formulas_are_wrong_for_the_mistake_that_was_made() -> None:
    written = {row.id: row.false[0] for row in ROWS if row.verdict in ERRATA and row.false}
    formulas = {name: check for name, check in written.items() if check.kind == FORMULA}
    assert len(formulas) >= 30
    assert {name for name, check in formulas.items() if not check.cause} == NOT_ONE_MISTAKE
    for name, check in formulas.items():
        assert not check.cause or is_known(check.cause), name


def test_few_rows_are_beyond_a_machine() -> None:
    assert 0 < sum(bool(row.unchecked) for row in ROWS) <= MOST_UNCHECKED
    assert {kind for row in ROWS for kind in row.kinds} == set(KINDS)
    assert sum(FORMULA in row.kinds for row in ROWS) >= 120


@pytest.mark.slow
def test_all_rows_come_out_as_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["notes", "--json", "--jobs", "1"]) == 0
    printed = json.loads(capsys.readouterr().out)
    rows = {row["id"]: row for row in printed["rows"]}
    assert printed["summary"]["rows"] == len(rows) == 266
    assert printed["summary"]["refuted"] == 0
    assert rows["F100"]["off"] == "dW1 is m = 7 times too large everywhere"
    assert rows["F100"]["mistake"] == "missing-1/m"
    assert rows["F038"]["off"] == "TypeError: Cannot interpret '1' as a data type"
    assert rows["F054"]["off"] == "the shape is (3, 1), not (3, 7)"
    assert rows["F216"]["off"] == "as many steps as the chunk size: 5000, not 1000"
    assert rows["F001"]["off"] == ""
    assert rows["F001"]["truth"] == rows["F001"]["says"]
    assert rows["F065"]["outcome"] == UNCHECKED
    for row in rows.values():
        assert row["outcome"] in (CONFIRMED, UNCHECKED)
        assert bool(row["checks"]) == (row["outcome"] == CONFIRMED)
        if row["verdict"] in ERRATA and row["checks"]:
            assert row["off"], row["id"]


RIGHT: dict[str, Check] = {
    "formula": formula("dZ2 = A2 - Y", "shallow"),
    "identity": same("Z1", "shallow", lambda at: (at.W1 @ at.X + at.b1, at.Z1)),
    "shape": shaped("Z1 is (n_1, m)", "shallow", lambda at: (at.Z1, (at.n_1, at.m))),
    "count": count("two", lambda: (1 + 1, 2)),
    "snippet": snippet(snippets.zeros, np.zeros((4, 1))),
    "experiment": experiment("it ends low", figures, lambda run: run.J < 1, "J = {J}"),
}
FALSE: dict[str, Check] = {
    "formula": formula("dZ2 = Y - A2", "shallow", cause="sign"),
    "identity": same("Z1", "shallow", lambda at: (at.W1 @ at.X, at.Z1)),
    "shape": shaped("Z1 is (m, n_1)", "shallow", lambda at: (at.Z1, (at.m, at.n_1))),
    "count": count("three", lambda: (1 + 1, 3)),
    "snippet": snippet(snippets.zeros_as_written, np.zeros((4, 1)), cause="TypeError"),
    "experiment": experiment("it ends high", figures, lambda run: run.J > 1, "J = {J}"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_wrong_row_is_refuted(kind: str) -> None:
    row = Row("F000", "N0 L1", "", "planted", HOLDS, (RIGHT[kind],), (FALSE[kind],))
    assert row.kinds == (kind,)
    assert run_row(row).verdict == CONFIRMED
    assert run_row(row._replace(right=(FALSE[kind],))).verdict == REFUTED
    assert run_row(row._replace(false=(RIGHT[kind],))).verdict == REFUTED
    both = run_row(row._replace(right=(RIGHT[kind], FALSE[kind])))
    assert [each.text for each in both.bad] == [FALSE[kind].text]


@pytest.mark.parametrize("kind", KINDS)
def test_rejected_for_another_mistake_is_not_good_enough(kind: str) -> None:
    other = FALSE[kind]._replace(cause="db-wrong-axis")
    assert run_row(Row("F000", "N0 L1", "", "planted", WRONG, (RIGHT[kind],), (other,))).verdict == REFUTED


@pytest.mark.parametrize("is_right", [True, False])
def test_what_cannot_be_told_is_never_good(is_right: bool) -> None:
    untold = Check(IDENTITY, "nobody knows", lambda seed: Finding(None, "in between"))
    assert not runner.judge(untold, is_right, 0).good
    close = same("off by 1e-9", "shallow", lambda at: (at.Z1 * (1 + 1e-9), at.Z1))
    assert close.judge(0).holds is None


def test_a_name_that_is_not_there_is_not_a_verdict() -> None:
    with pytest.raises(AttributeError):
        same("no such symbol", "shallow", lambda at: (at.W9, at.Z1)).judge(0)


def test_a_fault_in_the_formulas_is_seen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["notes", "-k", "F201", "--jobs", "1"]) == 0
    capsys.readouterr()
    monkeypatch.setattr(
        "parity_tests.notes.costs.l2_penalty", lambda W, lambda_, m: 2 * costs.l2_penalty(W, lambda_, m)
    )
    assert main(["notes", "-k", "F201", "--jobs", "1"]) == 1
    shown = capsys.readouterr().out
    assert "REFUTED" in shown
    assert re.search(r"F201: by the complex step, along W should hold: it is 0\.633\d+, expected 0\.316", shown)


def test_every_row_of_conv_and_dense_uses_the_formulas(monkeypatch: pytest.MonkeyPatch) -> None:
    right = dense.linear_backward
    monkeypatch.setattr("parity_tests.notes.deep_backward.linear_backward", lambda dZ, A, W: right(-dZ, A, W))
    assert run_row(BY_ID["F163"]).verdict == REFUTED


def test_the_table_is_whole_and_can_be_narrowed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["notes", "--note", "N3", "-k", "db-not-summed", "--wrong", "--jobs", "1"]) == 0
    shown = capsys.readouterr().out
    assert "…" not in shown
    for words in ("F052", "F102", "N3 L238", "db[1] = dz[1]", "the sum over the", "the note says", "what is true"):
        assert words in shown
    assert "F100" not in shown
    assert "2 rows: holds 0, holds under a convention 0, wrong 2, misprint 0, ambiguous 0" in shown
    assert {row.verdict for row in selected(wrong=True)} == set(ERRATA)
    assert all("N1" in row.source for row in selected(note="N1"))
    assert [row.id for row in selected("f038")] == ["F038"]


def test_every_check_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["notes", "-k", "F219", "--checks", "--jobs", "1"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "F219 count hold 6 and 3 4 as it says" in shown
    assert "F219 count be rejected n - f 4, not 3 as it says" in shown


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-k", "no such row"], "-k is 'no such row', expected a text that a row has, such as F100 or dW: none has it"),
        (["--seed", "-1"], "seed is -1, expected 0 or more"),
        (["--seeds", "0"], "seeds is 0, expected 1 or more"),
        (["--jobs", "0"], "jobs is 0, expected 1 or more"),
    ],
)
def test_bad_usage_gives_exit_code_2(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["notes", *words]) == 2
    assert capsys.readouterr().err == f"python -m parity_tests: {sentence}\n"


def test_the_false_alarm_run_names_row_and_seed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = tuple(BY_ID[name] for name in ("F001", "F014", "F100", "F219"))
    monkeypatch.setattr(runner, "ROWS", sound)
    assert main(["notes", "--seeds", "3", "--jobs", "1"]) == 0
    # seed 0 runs everything, the two seeds after it the right statements whose numbers vary
    both = sum(len(row.right) + len(row.false) for row in sound)
    later = 2 * sum(check.kind in (FORMULA, IDENTITY) for row in sound for check in row.right)
    assert f"{both + later} judgements on 3 seeds: 0 came out otherwise" in capsys.readouterr().out
    flaky = Row("F000", "N0 L1", "", "planted", HOLDS, (same("0", "", lambda at: (at.rng.random() // 0.5, 0)),))
    monkeypatch.setattr(runner, "ROWS", (flaky,))
    judged, alarms = alarms_of(range(20), 0)
    assert judged == 20
    assert 0 < len(alarms) < 20
    monkeypatch.setattr(runner, "find_alarms", lambda *args, **options: (each for each in [(judged, alarms)]))
    assert main(["notes", "--seeds", "20", "--jobs", "1"]) == 1
    assert f"seed {alarms[0].seed}, F000: 0 should hold: " in capsys.readouterr().out


def test_seeds_are_shared_out_without_gaps() -> None:
    for number in (1, 7, 50, 99, 1000):
        pieces = seed_pieces(number)
        assert sorted(seed for seeds, _ in pieces for seed in seeds) == list(range(number))
        assert {everything for _, everything in pieces} == {max(1, number // 50)}
    row = Row("F000", "N0 L1", "", "planted", HOLDS, (RIGHT[EXPERIMENT], RIGHT["count"]), (FALSE["formula"],))
    assert [len(runner._checks(row, seed, 2)) for seed in (0, 1, 2)] == [3, 2, 0]


def test_snippets_show_their_own_source() -> None:
    assert source(snippets.zeros_as_written) == "np.zeros(n, 1)"
    assert source(snippets.bias_sum_as_written) == "1 / m * np.sum(dZ, out=1, keepdims=True)"
    assert source(snippets.percentages).startswith("percentage = 100 * calories / calories.sum(axis=0).reshape(1, 4); ")
    assert snippet(snippets.column_and_number, [[1]]).judge(0).shown.startswith("gives [[101] [102]")


def test_numbers_without_the_diagnosis() -> None:
    from parity_tests import verify

    (transposed,) = verify("dW1 = 1/m * dZ1 @ X", "shallow").lines
    assert numbers(transposed) == "1/m * dZ1 @ X: (5, 7) @ (3, 7): inner sizes 7 and 3 differ"
    (unknown,) = verify("W1 = W1 - alpha * q", "shallow").lines
    assert numbers(unknown) == "q is not known here"
    error = ValueError("a long sentence " * 8 + "(size 3 is different from 5)")
    assert raised(error) == "ValueError: size 3 is different from 5"


def test_the_table_of_the_evidence_counts_every_row() -> None:
    table, _ = errata_table()
    assert isinstance(table, Table)
    *verdicts, every = [[int(cell) for cell in row[1:]] for row in table.rows]
    assert every == [sum(column) for column in zip(*verdicts, strict=True)]
    assert every[0] == len(ROWS)
