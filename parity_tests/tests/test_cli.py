"""The command line: exit codes, plain sentences, tables and JSON."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from manual import dense
from manual.__main__ import main as by_hand
from manual.shared import cli as shared
from parity_tests.cli import main
from parity_tests.judging.judge import Result
from parity_tests.tests.slices import sliced


@pytest.mark.slow
def test_tables_are_plain_text_in_a_pipe_and_name_what_they_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-k", "shallow/moons/lambda=0.7", "--dtype", "both", "--jobs", "1"]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "…" not in shown
    for words in ("shallow/moons/lambda=0.7 float64", "float32", "dW", "J with L2", "W after 100 free steps", "holds"):
        assert words in shown
    assert "0 fail" in shown.splitlines()[-1]


@pytest.mark.slow
def test_a_mismatch_gives_exit_code_1_and_names_the_entry(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = dense.bias_gradient
    monkeypatch.setattr(dense, "bias_gradient", lambda dZ: right(dZ) * 2)
    assert main(["-k", "shallow/moons/lambda=0.7", "--dtype", "float64", "--jobs", "1"]) == 1
    shown = capsys.readouterr().out
    assert "fails: shallow/moons/lambda=0.7, db of layer 1, float64, manual/torch: entry [" in shown


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-k", "no such case"], "-k is 'no such case', expected part of a case's id"),
        (["--device", "tpu"], "device is 'tpu', expected one of auto, cpu, cuda, mps"),
        (["--device", "cuda:97"], "device is 'cuda:97', but this torch"),
        (["--seed", "-1"], "seed is -1, expected 0 or more"),
        (["--jobs", "0"], "jobs is 0, expected 1 or more"),
    ],
)
def test_bad_usage_gives_exit_code_2_and_one_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"python -m parity_tests: {sentence}")
    assert shown.err.count("\n") == 1


def test_words_that_argparse_refuses_give_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--dtype", "float16"])
    assert stopped.value.code == 2
    assert "invalid choice: 'float16'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["verfy"], "verfy is no command, expected one of compare, verify, .*: did you mean verify\\?"),
        (["xyzzy"], "xyzzy is no command, expected one of compare, .*, bench"),
        (["verify", "x = 1", "--seting=shallow"], "--seting=shallow is no flag, .*: did you mean --setting\\?"),
        (["index", "F098"], "F098 is one argument too many for index: it is given with -k F098"),
    ],
)
def test_a_mistyped_word_gets_the_nearest(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert re.fullmatch(f"python -m parity_tests: {sentence}\n", capsys.readouterr().err)


def test_a_file_that_is_no_argument_is_told_its_flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert by_hand(["train", "mine.csv"]) == 2
    told = "mine.csv is one argument too many for train: it is given with --data mine.csv"
    assert capsys.readouterr().err == f"python -m manual: {told}\n"


@pytest.mark.parametrize("command", sliced(["conventions", "index"], 2))
def test_no_table_of_a_pipe_is_wider_than_120_columns(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 100
    assert max(map(len, lines)) == 120
    assert not any("…" in line for line in lines)


@pytest.mark.parametrize(
    ("main", "words"),
    [
        *((main, [*command, "--help"]) for command in ([], ["compare"], ["conventions"], ["index"])),
        *((by_hand, [*command, "--help"]) for command in ([], ["graph"])),
    ],
)
def test_help_has_examples_and_exit_codes(
    main: Callable[[list[str]], int], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    assert "examples:" in shown
    assert "exit code: 0" in shown or len(words) == 1


def test_another_package_named_datasets_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ModuleType("datasets")
    other.__file__ = "/elsewhere/datasets/__init__.py"
    monkeypatch.setitem(sys.modules, "datasets", other)
    with pytest.raises(shared.UsageError, match=r"another package named datasets was found at /elsewhere.*run from"):
        shared.toy_datasets()
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(shared.UsageError, match=r"the package datasets was not found: run from the root of the clone"):
        shared.toy_datasets()


def test_away_from_the_clone_the_sentence_says_where_to_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert main(["-k", "iris", "--jobs", "1"]) == 2
    assert re.fullmatch(r"python -m parity_tests: .*run from the root of the clone.*\n", capsys.readouterr().err)


def test_ctrl_c_ends_cleanly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*args: Any, **options: Any) -> list[Result]:
        raise KeyboardInterrupt

    monkeypatch.setattr("parity_tests.comparison.run.run_unit", interrupt)
    assert main(["-k", "dense", "--jobs", "1"]) == 130
    assert capsys.readouterr().err == "python -m parity_tests: interrupted\n"
