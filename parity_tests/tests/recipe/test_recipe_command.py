"""The command recipe: its report, its exit code and bad usage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from manual.__main__ import main as by_hand
from parity_tests.tests.recipe.recipe_subject import PACKAGES
from parity_tests.tests.slices import sliced


@pytest.mark.parametrize("main", sliced(PACKAGES, 2))
def test_the_report(main: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["recipe", "--draws", "3", "--hidden", "16", "--jobs", "1", "--train-epochs", "40"]
    assert main([*words, "--lr-range", "-2", "-3", "--reg-range", "-5", "-3"]) == 0
    shown = capsys.readouterr().out
    for text in (
        "lr-range -2 to -3 is upside down: read as 10^uniform(-3, -2)",
        "1  preprocess: good",
        "2.3026 with weights of 0.0001, expected 2.3026 = ln C",
        "accuracy 100.00% after 500 steps",
        "learning rate 1e-06: too small",
        "reg = 10^uniform(-5, -3), learning rate = 10^uniform(-3, -2); 0 exploded",
        "no step fails; test: cost",
    ):
        assert text in shown


@pytest.mark.slow
def test_json_and_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["recipe", "--draws", "2", "--epochs", "1", "--train-epochs", "1", "--hidden", "8", "--jobs", "1"]
    assert by_hand([*words, "--initialization", "zeros", "--fine", "notes", "--json"]) == 1
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    verdicts = {step["number"]: step["verdict"] for step in report["steps"]}
    assert verdicts["3"] == verdicts["6"] == "fails"
    assert report["steps"][8]["numbers"]["reg"] == [-4, 0]
    assert by_hand([*words, "--initialization", "zeros", "--quiet"]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("fails: 3 initialisation, ")
    assert len(shown.splitlines()) == 1


@pytest.mark.slow
def test_processes_change_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    reports = []
    for jobs in ("1", "2"):
        by_hand(["recipe", "--draws", "4", "--epochs", "1", "--train-epochs", "1", "--jobs", jobs, "--json"])
        reports.append(json.loads(capsys.readouterr().out)["steps"])
    assert reports[0] == reports[1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--draws", "0"], "draws is 0, expected at least 1"),
        (["--epochs", "0"], "epochs is 0, expected at least 1"),
        (["--train-epochs", "-1"], "train-epochs is -1, expected at least 1"),
        (["--jobs", "0"], "jobs is 0, expected at least 1"),
        (["--batch-size", "0"], "batch-size is 0, expected at least 1"),
        (["--batch-size", "5000"], "batch-size is 5000, expected at most 1437"),
        (["--learning-rate", "0"], "learning-rate is 0.0, expected a finite number above 0"),
        (["--learning-rate", "inf"], "learning-rate is inf, expected a finite number above 0"),
        (["--lr-range", "-3", "-3"], "lr-range is -3 to -3, expected two different exponents"),
        (["--reg-range", "nan", "1"], "reg-range has the exponent nan, expected a number from -300 to 300"),
        (["--lr-range", "-3", "900"], "lr-range has the exponent 900"),
        (
            ["--optimizer", "sgd"],
            "optimizer is 'sgd', expected one of gradient_descent, momentum, rmsprop, adam, "
            "classical_momentum, nesterov, adamw",
        ),
        (["--initialization", "best"], "initialization is 'best', expected one of zeros"),
        (["--model", "vgg"], "model is 'vgg', expected one of logistic"),
        (["--seed", "-1"], "seed is -1, expected"),
    ],
)
@pytest.mark.parametrize("main", PACKAGES)
def test_bad_usage_gets_one_sentence(
    main: Callable[..., int], words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recipe", *words]) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""


def test_one_class_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.csv"
    path.write_text("a,kind\n" + "".join(f"{i}.5,up\n" for i in range(20)))
    assert by_hand(["recipe", "--data", str(path), "--target", "kind"]) == 2
    assert "Y has the one class 'up', expected at least two" in capsys.readouterr().err
