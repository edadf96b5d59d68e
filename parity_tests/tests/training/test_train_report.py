"""What ``train`` hands to a package and what it says of a run, with a package that trains nothing."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manual.architecture import Architecture, Dense
from manual.checks import Parts
from manual.files import load
from manual.shared import train_cli
from manual.shared.cli import Work
from manual.shared.settings import Epoch, Examples, Run, Settings
from manual.shared.train_flags import Subject, subject_of
from manual.shared.train_report import Package, report

NET = Architecture(2, (Dense(3, "softmax"),))
PARAMS = {"W1": np.arange(6.0).reshape(3, 2), "b1": np.ones((3, 1))}
BEST = {name: value + 0.5 for name, value in PARAMS.items()}
TRUTH = [0, 0, 0, 1, 1, 2]
ANSWERS = [0, 1, 1, 1, 1, 0]
SUBJECT = Subject(
    "fruit",
    "multiclass",
    ("apple", "pear", "plum"),
    Parts(np.zeros((2, 9)), np.eye(3)[:, [2] * 9], np.ones((2, 6)), np.eye(3)[:, TRUTH]),
    NET,
)
PROGRESS = {"epoch": 1, "history": []}


def arguments(*words: str) -> argparse.Namespace:
    """The flags of train."""
    parser = argparse.ArgumentParser()
    train_cli.configure(parser)
    return parser.parse_args(words, argparse.Namespace(work=Work()))


def epoch(number: int, step: int) -> Epoch:
    """A line of a history."""
    return Epoch(number, step, 0.5, 0.75, None, None, 0.01, 1.0, 0.1)


def evaluate(done: Run, settings: Settings, data: Examples) -> tuple[float, Any]:
    """A cost, and answers to the test part."""
    assert data.X is SUBJECT.parts.X_test
    return 0.125, np.eye(3)[:, ANSWERS]


PACKAGE = Package("python -m nothing", lambda *given, **how: None, evaluate, "nothing")  # type: ignore[arg-type]
DONE = Run(NET, PARAMS, [epoch(1, 9), epoch(2, 18)], {}, "", None, PROGRESS)


def test_the_report_counts_and_scores_the_test_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(arguments("--json"), PACKAGE, SUBJECT, Settings(), DONE, 1.5) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["test_cost"], found["test_score"]) == (0.125, 0.5)
    assert (found["parameters"], found["epochs"], found["stopped"], found["seconds"]) == (9, 2, "", 1.5)


def test_the_report_says_what_each_class_was_taken_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(arguments(), PACKAGE, SUBJECT, Settings(), DONE, 1.5) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["apple", "3", "0.333", "pear", "(2)"] in rows
    assert ["pear", "2", "1.000"] in rows
    assert ["plum", "1", "0.000", "apple", "(1)"] in rows


def recorded(calls: list[dict[str, Any]], keep: Run) -> Callable[..., Run]:
    """A fit that writes down what it is given, and ends after one epoch."""

    def fit(net: Architecture, X: Any, Y: Any, settings: Settings, **how: Any) -> Run:
        calls.append({"X": X, "Y": Y, **how})
        how["on_epoch"](keep)
        return keep

    return fit


def test_with_patience_the_last_tenth_is_looked_at_and_not_trained_on() -> None:
    calls: list[dict[str, Any]] = []
    package = Package("p", recorded(calls, DONE), lambda done, settings, data: (0.0, data.Y), "")
    for words in ([], ["--patience", "3"]):
        args = arguments("--dataset", "wine", "--hidden", "4", "--quiet", *words)
        assert train_cli.run(args, package) == 0
    X, Y, _, _ = subject_of(args).parts
    whole, part = calls
    assert whole["validation"] is None
    assert (whole["X"] == X).all()
    held = round(0.1 * Y.shape[1])
    for name, all_of_them in (("X", X), ("Y", Y)):
        assert (part[name] == all_of_them[:, :-held]).all()
        assert (getattr(part["validation"], name) == all_of_them[:, -held:]).all()


def test_a_checkpoint_keeps_state_best_and_progress(tmp_path: Path) -> None:
    args = arguments("--dataset", "wine", "--hidden", "", "--quiet", "--checkpoint", str(tmp_path / "kept"))
    net = subject_of(args).architecture
    params = {name: np.full(shape, 0.25, np.float32) for name, shape in net.parameter_shapes.items()}
    best = {name: value + 1 for name, value in params.items()}
    state = {"v.dW": np.arange(3.0), "t": np.array(7)}
    history = [epoch(1, 5), epoch(2, 10)]
    kept = Run(net, params, history, state, "", None, {"epoch": 2, "history": [list(each) for each in history]}, best)
    calls: list[dict[str, Any]] = []
    package = Package("p", recorded(calls, kept), lambda done, settings, data: (0.0, data.Y), "")
    assert train_cli.run(args, package) == 0
    args.resume, args.save = True, str(tmp_path / "net.safetensors")
    assert train_cli.run(args, package) == 0
    first, again = (call["resume"] for call in calls)
    assert first is None
    assert (again.history, again.progress) == (kept.history, kept.progress)
    for found, expected in ((again.params, params), (again.best, best), (again.state, state)):
        assert found.keys() == expected.keys()
        assert all((found[name] == expected[name]).all() for name in expected)
    saved = load(args.save).params
    assert all((saved[name] == params[name]).all() for name in params)


def test_lines_of_the_history_come_for_a_tenth_of_the_epochs_and_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    def fit(*given: Any, on_epoch: Callable[[Run], None], **how: Any) -> Run:
        for number in range(1, 26):
            on_epoch(DONE._replace(history=[epoch(number, number)]))
        return DONE

    package = Package("p", fit, lambda done, settings, data: (0.0, data.Y), "")
    assert train_cli.run(arguments("--dataset", "wine", "--epochs", "25"), package) == 0
    lines = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("epoch ")]
    assert lines == [*map(str, range(2, 25, 2)), "25"]
