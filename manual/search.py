"""A random search that can be cut off: scikit-learn's RandomizedSearchCV, a few draws at a time, kept line by line.

No formula: it is given an estimator.
"""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.model_selection import ParameterSampler, RandomizedSearchCV

from manual.sharing import started

Space = Mapping[str, Any]
"""Distributions or lists of values by parameter."""


class Trial(NamedTuple):
    """A draw by its number: its parameters, and the score over the folds, None where a fit failed."""

    draw: int
    params: dict[str, Any]
    score: float | None
    deviation: float | None
    seconds: float


class AllFailedError(ValueError):
    """No draw could be fitted."""


class InPieces(RandomizedSearchCV):  # type: ignore[misc]  # scikit-learn has no types
    """RandomizedSearchCV by ``piece`` draws at a time; it tells ``heard`` of them, and leaves ``known`` ones out."""

    known: frozenset[int] = frozenset()
    piece: int = 1
    heard: Callable[[Trial], None]

    def __getstate__(self) -> dict[str, Any]:
        # processes are sent the search too, and hear nothing
        return {name: value for name, value in super().__getstate__().items() if name != "heard"}

    def _run_search(self, evaluate_candidates: Callable[[list[dict[str, Any]]], Mapping[str, Any]]) -> None:
        drawn = ParameterSampler(self.param_distributions, self.n_iter, random_state=self.random_state)
        todo = [(draw, params) for draw, params in enumerate(drawn) if draw not in self.known]
        fitted = False
        for start in range(0, len(todo), self.piece):
            piece = todo[start : start + self.piece]
            try:
                results = evaluate_candidates([params for _, params in piece])
            except ValueError as error:
                if "fits failed" not in str(error):
                    raise
                found = [Trial(draw, _plain(params), None, None, 0.0) for draw, params in piece]
            else:
                fitted = True
                found = _trials(piece, results)
            for trial in found:
                self.heard(trial)
        if not fitted:
            raise AllFailedError("every draw failed")


def _trials(piece: list[tuple[int, dict[str, Any]]], results: Mapping[str, Any]) -> list[Trial]:
    """The last draws of scikit-learn's table."""
    columns = (results[name][-len(piece) :] for name in ("mean_test_score", "std_test_score", "mean_fit_time"))
    return [
        Trial(
            draw,
            _plain(params),
            float(mean) if math.isfinite(mean) else None,
            float(deviation) if math.isfinite(mean) else None,
            float(seconds),
        )
        for (draw, params), mean, deviation, seconds in zip(piece, *columns, strict=True)
    ]


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters that JSON knows."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in params.items()}


def search(
    estimator: Any,
    space: Space,
    X: Any,
    y: Any,
    *,
    draws: int,
    folds: int,
    jobs: int,
    seed: int,
    known: Iterable[Trial] = (),
    heard: Callable[[Trial], None] = lambda trial: None,
) -> list[Trial]:
    """The draws with their scores, the best first; ``known`` ones are taken as they are, ``heard`` hears of the others.

    The same seed draws the same, however many draws are known already.

    Notes: F255-F261.
    """
    trials = {trial.draw: trial for trial in known if trial.draw < draws}

    def keep(trial: Trial) -> None:
        trials[trial.draw] = trial
        heard(trial)

    if len(trials) < draws:
        sought = InPieces(
            estimator, space, n_iter=draws, cv=folds, n_jobs=jobs, random_state=seed, refit=False, error_score=np.nan
        )
        sought.known, sought.piece, sought.heard = frozenset(trials), jobs, keep
        with warnings.catch_warnings():
            # few epochs are meant, and a fit that fails is told of in the table
            for category in (ConvergenceWarning, FitFailedWarning, UserWarning):
                warnings.simplefilter("ignore", category)
            started(jobs)
            with suppress(AllFailedError):  # each is told of
                sought.fit(X, y)
    return best_first(trials.values())


def best_first(trials: Iterable[Trial]) -> list[Trial]:
    """The trials by their scores, those that failed last."""
    return sorted(trials, key=lambda trial: -math.inf if trial.score is None else trial.score, reverse=True)


class Results:
    """A file of JSON lines: what was asked for, then a trial a line, each on the disk before the next is begun.

    A last line that a crash left unfinished is cut off.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def begin(self, asked: Mapping[str, Any], *, resume: bool) -> list[Trial]:
        """Open the file and say what it holds.

        Raises ValueError, in one sentence, for a file that is there unasked, is missing, was made otherwise or is no
        such file; OSError where it cannot be written.
        """
        if resume:
            return self._found(asked)
        if self.path.exists() and (not self.path.is_file() or self.path.stat().st_size):
            raise ValueError(f"{self.path} is there already, expected --resume, or another file")
        self._write({"asked": dict(asked)})
        return []

    def _found(self, asked: Mapping[str, Any]) -> list[Trial]:
        if not self.path.is_file():
            raise ValueError(f"{self.path} is not there, expected results to go on with")
        whole = self.path.read_bytes()
        kept = whole[: whole.rfind(b"\n") + 1]
        try:
            first, *lines = [json.loads(line) for line in kept.decode("utf-8").splitlines()]
            before = dict(first["asked"])
            trials = [_trial(line) for line in lines]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ValueError(f"{self.path} is no file of results, expected one that a search wrote") from None
        for name, value in asked.items():
            if before.get(name) != value:
                raise ValueError(
                    f"{name} is {value}, expected {before.get(name)} as in {self.path}: a search goes on as it began"
                )
        if len(kept) < len(whole):
            os.truncate(self.path, len(kept))
        return trials

    def add(self, trial: Trial) -> None:
        """Write a trial and see it to the disk."""
        self._write(trial._asdict())

    def _write(self, data: Mapping[str, Any]) -> None:
        with self.path.open("ab") as file:
            file.write(json.dumps(data).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())


def _trial(line: Mapping[str, Any]) -> Trial:
    """A line as a trial; ValueError or TypeError for anything else."""
    trial = Trial(**line)
    numbers = (trial.seconds, *(value for value in (trial.score, trial.deviation) if value is not None))
    if not isinstance(trial.params, dict) or isinstance(trial.draw, bool) or not isinstance(trial.draw, int):
        raise ValueError
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in numbers):
        raise ValueError
    return trial
