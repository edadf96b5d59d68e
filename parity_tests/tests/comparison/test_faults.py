"""Planted faults and false alarms: a slice of what the two commands run at length."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from parity_tests.cli import main
from parity_tests.commands import seeds
from parity_tests.comparison import faults
from parity_tests.comparison.faults import FAULTS, healthy, run_fault
from parity_tests.formulas import run as formulas
from parity_tests.formulas.planting import Fault
from parity_tests.judging.judge import FAILS, Result


def test_a_planted_fault_leaves_nothing_behind() -> None:
    for fault in FAULTS[::6]:
        run_fault(fault, np.float64)
    assert healthy(np.float64) == []


def test_a_fault_that_survives_gives_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    harmless = Fault("no fault at all", "dense.weight_gradient", lambda right: right, frozenset({"dW"}))
    monkeypatch.setattr("parity_tests.commands.faults.FAULTS", (*FAULTS[:2], harmless))
    assert main(["faults"]) == 1
    shown = capsys.readouterr().out
    assert "SURVIVED" in shown
    assert "4 of 6 caught" in shown


def test_faults_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "-k", "lambda", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["fault"] for row in rows} == {fault.id for fault in FAULTS if "lambda" in fault.id}
    assert all(row["caught"] and row["failed"] == row["expected"] for row in rows)
    assert main(["faults", "-k", "no such fault"]) == 2
    assert "-k is 'no such fault', expected part of a fault's name" in capsys.readouterr().err


@pytest.mark.slow
def test_seeds_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["seeds", "--count", "3", "-k", "dense", "--jobs", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["case"] for row in rows} >= {"dense.linear_forward", "dense.weight_gradient"}
    assert all(row["seeds"] == 3 and row["false alarms"] == 0 for row in rows)
    assert main(["seeds", "--count", "1", "-k", "softmax/iris", "--jobs", "1"]) == 0
    shown = capsys.readouterr().out
    assert "free run" in shown
    assert "0 false alarms" in shown


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--count", "0"], "count is 0, expected 1 or more"),
        (["--first", "-3"], "first is -3, expected 0 or more"),
        (["--jobs", "0"], "jobs is 0, expected 1 or more"),
        (["-k", "no such case"], "-k is 'no such case', expected part of a case's id"),
    ],
)
def test_seeds_refuses_bad_usage(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["seeds", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_a_false_alarm_gives_exit_code_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run_case = formulas.run_case

    def alarmed(case: Any, dtype: Any, seed: int) -> list[Result]:
        return [result._replace(verdict=FAILS) for result in run_case(case, dtype, seed)]

    monkeypatch.setattr(seeds, "run_case", alarmed)
    assert main(["seeds", "--count", "1", "-k", "dense.bias", "--jobs", "1"]) == 1
    assert "false alarms" in capsys.readouterr().out


def test_the_probe_network_mixes_layers_of_one_shape() -> None:
    shapes = [shape for name, shape in faults.NETWORK.parameter_shapes.items() if name[0] == "W"]
    assert shapes[1] == shapes[2] == shapes[3]
