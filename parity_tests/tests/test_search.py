"""The random search: scikit-learn's own draws and scores, cut off and resumed, kept line by line, bad usage."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RandomizedSearchCV
from sklearn.preprocessing import StandardScaler

from manual.__main__ import main
from manual.estimators import NetworkClassifier
from manual.search import Results, Trial, search

SHORT = ["search", "--draws", "3", "--epochs", "2", "--hidden", "8", "--jobs", "1", "--folds", "2"]
SPACE = {"alpha": loguniform(1e-4, 1e1), "learning_rate_init": loguniform(1e-3, 1e-1), "batch_size": [16, 32]}


def iris() -> tuple[Any, Any]:
    """Scaled flowers."""
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def estimator() -> NetworkClassifier:
    """A small network."""
    return NetworkClassifier((6,), max_iter=4, random_state=0)


def test_draws_and_scores_are_those_of_scikit_learn() -> None:
    X, y = iris()
    own = search(estimator(), SPACE, X, y, draws=5, folds=3, jobs=1, seed=7)
    theirs = RandomizedSearchCV(estimator(), SPACE, n_iter=5, cv=3, random_state=7, refit=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        theirs.fit(X, y)
    by_draw = sorted(own, key=lambda trial: trial.draw)
    assert [trial.draw for trial in by_draw] == [0, 1, 2, 3, 4]
    assert [trial.params for trial in by_draw] == theirs.cv_results_["params"]
    np.testing.assert_array_equal([trial.score for trial in by_draw], theirs.cv_results_["mean_test_score"])
    np.testing.assert_array_equal([trial.deviation for trial in by_draw], theirs.cv_results_["std_test_score"])
    scores = [trial.score for trial in own if trial.score is not None]
    assert scores == sorted(scores, reverse=True)


def test_known_draws_are_not_made_again() -> None:
    X, y = iris()
    how: dict[str, Any] = {"folds": 2, "jobs": 1, "seed": 3}
    whole = search(estimator(), SPACE, X, y, draws=4, **how)
    heard: list[Trial] = []
    marked = [trial._replace(seconds=-1.0) for trial in whole if trial.draw in (0, 2)]
    again = search(estimator(), SPACE, X, y, draws=4, known=marked, heard=heard.append, **how)
    assert [trial.draw for trial in heard] == [1, 3]
    assert [trial[:4] for trial in again] == [trial[:4] for trial in whole]
    assert {trial.draw for trial in again if trial.seconds == -1} == {0, 2}
    assert search(estimator(), SPACE, X, y, draws=2, known=whole, **how) == [trial for trial in whole if trial.draw < 2]


def test_processes_change_nothing() -> None:
    X, y = iris()
    one, two = (search(estimator(), SPACE, X, y, draws=4, folds=2, jobs=jobs, seed=1) for jobs in (1, 2))
    assert [trial[:4] for trial in one] == [trial[:4] for trial in two]


def test_fits_that_fail_are_told_of() -> None:
    X, y = iris()
    space = {"learning_rate_init": [1e300, 0.01], "solver": ["sgd"], "alpha": loguniform(1e-4, 1)}
    found = search(estimator(), space, X, y, draws=6, folds=2, jobs=1, seed=0)
    failed = [trial for trial in found if trial.score is None]
    assert {trial.params["learning_rate_init"] for trial in failed} == {1e300}
    assert {trial.params["learning_rate_init"] for trial in found if trial.score is not None} == {0.01}
    assert found[-len(failed) :] == failed
    space = {"learning_rate_init": [1e300], "alpha": loguniform(1e-4, 1), "solver": ["sgd"]}
    none = search(estimator(), space, X, y, draws=2, folds=2, jobs=2, seed=0)
    assert [trial.score for trial in none] == [None, None]


def test_other_errors_are_not_hidden() -> None:
    X, y = iris()
    with pytest.raises(ValueError, match="n_splits=60 cannot be greater"):
        search(estimator(), SPACE, X, y, draws=1, folds=60, jobs=1, seed=0)


def test_results_cut_off_at_any_byte_go_on(tmp_path: Path) -> None:
    trials = [Trial(n, {"alpha": 0.1 * n, "batch_size": 32}, 0.1 + n if n else None, 0.01, 0.5) for n in range(3)]
    path = tmp_path / "found.jsonl"
    kept = Results(path)
    assert kept.begin({"seed": 0, "sizes": [32]}, resume=False) == []
    for trial in trials:
        kept.add(trial)
    whole = path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(ends[0], len(whole) + 1):
        path.write_bytes(whole[:cut])
        found = Results(path).begin({"seed": 0, "sizes": [32]}, resume=True)
        count = sum(end <= cut for end in ends) - 1
        assert found == trials[:count]
        assert path.read_bytes() == whole[: ends[count]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}\n",
        "[]\n",
        '{"asked": 3}\n',
        '{"asked": {"seed": 0}}\n{"draw": 1}\n',
        '{"asked": {"seed": 0}}\nnonsense\n',
        '{"asked": {"seed": 0}}\n{"draw": true, "params": {}, "score": 1, "deviation": 0, "seconds": 0}\n',
        '{"asked": {"seed": 0}}\n{"draw": 1, "params": 2, "score": 1, "deviation": 0, "seconds": 0}\n',
        '{"asked": {"seed": 0}}\n{"draw": 1, "params": {}, "score": NaN, "deviation": 0, "seconds": 0}\n',
        '{"asked": {"seed": 0}}\n{"draw": 1, "params": {}, "score": "x", "deviation": 0, "seconds": 0}\n',
        "\xff\n",
        "[" * 100_000 + "\n",
    ],
    ids=lambda text: text[:40],
)
def test_what_is_no_file_of_results_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "found.jsonl"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match="is no file of results, expected one that a search wrote"):
        Results(path).begin({"seed": 0}, resume=True)
    assert path.read_bytes() == text.encode("latin-1")


# the commands


def test_a_search_resumed_is_the_search_undisturbed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "found.jsonl"
    reports = []
    for more in ([], ["--draws", "2", "--results", str(path)], ["--results", str(path), "--resume"]):
        assert main([*SHORT, *more, "--json"]) == 0
        reports.append(json.loads(capsys.readouterr().out))
    whole, part, again = reports
    assert len(part["trials"]) == 2
    for one, other in zip(whole["trials"], again["trials"], strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    assert again["test_score"] == whole["test_score"]
    assert len(path.read_text().splitlines()) == 4
    assert main([*SHORT, "--results", str(path)]) == 2
    assert "is there already, expected --resume, or another file" in capsys.readouterr().err
    assert main([*SHORT, "--results", str(path), "--resume", "--seed", "3"]) == 2
    assert "seed is 3, expected 0 as in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "score"),
    [
        (["--dataset", "diabetes"], "R2"),
        (["--dataset", "moons"], "accuracy"),
        (["--dataset", "linnerud", "--batch-sizes", "4"], "R2"),
        (["--model", "strided"], "accuracy"),
        (["--dataset", "multilabel"], "accuracy"),
    ],
)
def test_tasks_and_networks(words: list[str], score: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*[word for word in SHORT if word not in ("--hidden", "8")], "--batch-sizes", "32", *words]
    assert main([*words, "--lr-range", "-1", "-3", "--solvers", "adam,momentum"]) == 0
    shown = capsys.readouterr().out
    assert "lr-range -1 to -3 is upside down: read as 10^uniform(-3, -1)" in shown
    assert "The best of 3 draws, 2 folds" in shown
    assert f"test: {score}" in shown


def test_all_draws_that_fail(capsys: pytest.CaptureFixture[str]) -> None:
    words = [*SHORT, "--solvers", "sgd", "--lr-range", "30", "40"]
    assert main([*words, "--quiet"]) == 1
    assert capsys.readouterr().out.startswith("all 3 draws failed: smaller learning rates")
    assert main([*words, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["test_score"] is None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--draws", "0"], "draws is 0, expected at least 1"),
        (["--folds", "1"], "folds is 1, expected at least 2"),
        (["--epochs", "0"], "epochs is 0, expected at least 1"),
        (["--jobs", "0"], "jobs is 0, expected at least 1"),
        (["--alpha-range", "1", "1"], "alpha-range is 1 to 1, expected two different exponents"),
        (["--lr-range", "0", "inf"], "lr-range has the exponent inf"),
        (["--batch-sizes", "x"], "batch-sizes is 'x', expected numbers from 1 to 718"),
        (["--batch-sizes", "0"], "batch-sizes is '0', expected numbers from 1 to 718"),
        (["--batch-sizes", "32,719"], "batch-sizes is '32,719', expected numbers from 1 to 718"),
        (["--batch-sizes", ""], "batch-sizes is '', expected numbers from 1 to 718"),
        (["--solvers", "lbfgs"], "solvers is 'lbfgs', expected some of sgd, momentum, rmsprop, adam"),
        (["--resume"], "--resume is given, expected --results FILE beside it"),
        (["--resume", "--results", "nowhere.jsonl"], "nowhere.jsonl is not there, expected results to go on with"),
        (["--results", "/nowhere/found.jsonl"], "/nowhere/found.jsonl cannot be written: No such file"),
        (["--results", "/"], "/ is there already, expected --resume, or another file"),
        (["--folds", "900", "--batch-sizes", "8"], "folds is 900, expected at most "),
        (["--dataset", "nist"], "dataset is 'nist', expected one of"),
        (["--seed", "-1"], "seed is -1, expected"),
    ],
)
def test_bad_usage_gets_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SHORT, *words]) == 2
    complaint = capsys.readouterr().err
    assert sentence in complaint
    assert len(complaint.splitlines()) == 1
