"""``python -m manual search``: a random search over the estimators by hand; flags, table, results that are kept."""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple, cast

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from manual.cli import GOOD, MISMATCH, UsageError, console, default_jobs, door, output_flags, plain_table
from manual.estimator_settings import SOLVERS
from manual.estimators import NetworkClassifier, NetworkRegressor
from manual.files import exclusive
from manual.search import Results, Space, Trial, best_first, search
from manual.search_ranges import range_of
from manual.train_flags import Subject, add_flags, add_groups, sizes_of, subject_of
from manual.train_report import SCORES

PROGRAM = "python -m manual"

EPILOG = f"""examples:
  {PROGRAM} search                                    digits, two hidden layers of 64
  {PROGRAM} search --draws 100 --jobs 2 --results found.jsonl
  {PROGRAM} search --draws 200 --jobs 2 --results found.jsonl --resume
  {PROGRAM} search --data houses.csv --target price --hidden 16 --alpha-range -4 2

alpha is lambda, divided by each batch's m; ranges are powers of ten, in either order.

exit code: 0 good, 1 every draw failed, 2 bad usage
"""

ALPHA, RATE, BATCHES = (-5.0, 1.0), (-4.0, -1.0), "32,64,128"
"""The space that is searched by default: powers of ten, and sizes."""

SHOWN = 10
"""Draws in the table."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.description = "Searches learning rate, alpha, batch size and solver at random, by cross-validation."
    parser.epilog = EPILOG
    add_groups(parser, "data", "network", without=["--keep-prob"])
    parser.set_defaults(keep_prob=1.0)  # what is dropped is named in --layers
    own = parser.add_argument_group("search")
    own.add_argument("--draws", type=int, default=30, help="default: 30")
    own.add_argument("--folds", type=int, default=3, help="of the cross-validation; default: 3")
    own.add_argument("--epochs", type=int, default=20, help="of each fit; default: 20")
    for name, usual in (("--alpha-range", ALPHA), ("--lr-range", RATE)):
        shown = f"powers of ten; default: {usual[0]:g} {usual[1]:g}"
        own.add_argument(name, nargs=2, type=float, default=usual, metavar=("FROM", "TO"), help=shown)
    own.add_argument("--batch-sizes", default=BATCHES, metavar="SIZES", help=f"to choose from; default: {BATCHES}")
    own.add_argument("--solvers", default="adam", metavar="NAMES", help=f"{','.join(SOLVERS)}; default: adam")
    own.add_argument("--results", metavar="FILE", help="keep every draw as a line of JSON, safe on the disk")
    own.add_argument("--resume", action="store_true", help="go on with the results; --draws may have grown")
    own.add_argument("--jobs", type=int, default=default_jobs(), help="processes; default: %(default)s")
    add_flags(own, "--seed", "--dtype")
    output_flags(parser, "the table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search, show the best, fit it on the whole training part and test it."""
    for name, least in (("draws", 1), ("folds", 2), ("epochs", 1), ("jobs", 1)):
        if getattr(args, name) < least:
            raise UsageError(f"{name} is {getattr(args, name)}, expected at least {least}")
    subject = subject_of(args)
    X, y, X_test, y_test = rows_of(subject)
    most = int(np.unique(y, return_counts=True)[1].max()) if subject.task in ("binary", "multiclass") else len(y)
    if args.folds > most:
        raise UsageError(f"folds is {args.folds}, expected at most {most}: each fold needs an example of its own")
    space, asked, said = _space(args, len(X))
    if args.resume and not args.results:
        raise UsageError("--resume is given, expected --results FILE beside it: where the draws were kept")
    asked |= {"data": args.data or subject.name, "layers": subject.architecture.describe()}
    asked |= {"dtype": args.dtype, "seed": args.seed}
    results = Results(args.results) if args.results else None
    try:
        with ExitStack() as stack:
            known = cast("list[Trial]", door(_begun, results, asked, args.resume, stack)) if results else []
            trials, seconds = _searched(args, subject, space, known, results, said)
    except OSError as error:
        raise UsageError(f"{args.results} cannot be written: {error.strerror}") from error
    best, test = trials[0], None
    if best.score is not None and not args.work.stopped:
        chosen = _estimator(args, subject).set_params(**best.params)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are as many as were searched with
            with args.work.until_stopped(lambda: "after the last draw, before the test of the best"):
                test = float(door(chosen.fit(X, y).score, X_test, y_test))  # type: ignore[arg-type]
    _report(args, subject, trials, said, test, seconds)
    return MISMATCH if best.score is None else GOOD


def _begun(results: Results, asked: Mapping[str, Any], resume: bool, stack: ExitStack) -> list[Trial]:
    """The draws that are known; the file is this search's alone until ``stack`` is closed."""
    if not (resume or results.path.exists()):
        results.path.touch()
    if results.path.is_file():
        stack.enter_context(exclusive(results.path))
    return results.begin(asked, resume=resume)


def _searched(
    args: argparse.Namespace,
    subject: Subject,
    space: Space,
    known: list[Trial],
    results: Results | None,
    said: list[str],
) -> tuple[list[Trial], float]:
    """The trials, the best first, and how long they took."""
    if not (args.json or args.quiet):
        out = console()
        out.print(f"{PROGRAM}: {subject.name} ({subject.task}), NumPy, {args.dtype}", style="bold")
        for line in (subject.architecture.describe(), *said, *([f"{len(known)} draws are known"] if known else [])):
            out.print(line, soft_wrap=True)
    X, y, _, _ = rows_of(subject)
    begun = time.perf_counter()
    trials = [trial for trial in known if trial.draw < args.draws]
    rest = f"; --results {args.results} --resume goes on" if results else ""
    with (
        args.work.until_stopped(lambda: f"after {len(trials)} of {args.draws} draws{rest}" if trials else ""),
        args.work.bar("draws", args.draws) as advance,
    ):
        advance(len(trials), args.draws)

        def heard(trial: Trial) -> None:
            if results:
                results.add(trial)
            trials.append(trial)
            advance()

        door(
            search,
            _estimator(args, subject), space, X, y,
            draws=args.draws, folds=args.folds, jobs=args.jobs, seed=args.seed, known=known, heard=heard,
        )  # fmt: skip
    return best_first(trials), time.perf_counter() - begun


def _estimator(args: argparse.Namespace, subject: Subject) -> Any:
    """The estimator before anything is searched: the network, the epochs, the seed."""
    make = NetworkRegressor if subject.task == "regression" else NetworkClassifier
    return make(architecture=subject.architecture, max_iter=args.epochs, random_state=args.seed)


def _space(args: argparse.Namespace, m: int) -> tuple[Space, dict[str, Any], list[str]]:
    """What is searched, the same in words, and what was read otherwise than written.

    Raises UsageError for ranges, sizes or solvers that cannot be searched.
    """
    said = []
    ranges = {}
    for name, pair in (("alpha-range", args.alpha_range), ("lr-range", args.lr_range)):
        ranges[name], sentence = cast("tuple[Any, str]", door(range_of, name, pair))
        said += [sentence] if sentence else []
    try:
        sizes = sizes_of(args.batch_sizes)
    except ValueError:
        sizes = ()
    least = m - -(-m // args.folds)
    if not sizes or not all(1 <= size <= least for size in sizes):
        raise UsageError(
            f"batch-sizes is {args.batch_sizes!r:.40}, expected numbers from 1 to {least} with commas between: "
            "a fit has so many examples"
        )
    solvers = args.solvers.split(",")
    if not all(solver in SOLVERS for solver in solvers):
        raise UsageError(f"solvers is {args.solvers!r:.40}, expected some of {', '.join(SOLVERS)}, commas between")
    space = {
        "alpha": ranges["alpha-range"].distribution(),
        "learning_rate_init": ranges["lr-range"].distribution(),
        "batch_size": list(sizes),
        "solver": solvers,
    }
    asked: dict[str, Any] = {name: str(found) for name, found in ranges.items()}
    asked |= {"batch-sizes": list(sizes), "solvers": solvers, "folds": args.folds, "epochs": args.epochs}
    return space, asked, said


class Rows(NamedTuple):
    """The data as scikit-learn has it: examples in rows, classes by number."""

    X: Any
    y: Any
    X_test: Any
    y_test: Any


def rows_of(subject: Subject) -> Rows:
    """Both parts in rows.

    Raises UsageError for data that stays in its file.
    """
    found = []
    for X, Y in (subject.parts[:2], subject.parts[2:]):
        if not isinstance(X, np.ndarray):
            raise UsageError(f"{subject.name} stays in its file, expected data in memory: folds are copies")
        y = Y.argmax(axis=0) if subject.task == "multiclass" else Y[0] if len(Y) == 1 else Y.T
        found += [X.T if X.ndim == 2 else X.reshape(len(X), -1), y.astype(int) if subject.task == "binary" else y]
    return Rows(*found)


def _report(
    args: argparse.Namespace, subject: Subject, trials: list[Trial], said: list[str], test: float | None, seconds: float
) -> None:
    """The best draws, and the test of the best."""
    score = SCORES.get(subject.task, "accuracy")
    if args.json:
        found: Mapping[str, Any] = {
            "data": subject.name,
            "layers": subject.architecture.describe(),
            "score": score,
            "said": said,
            "trials": [trial._asdict() for trial in trials],
            "test_score": test,
            "seconds": seconds,
        }
        args.work.json(found)
        return
    out = console()
    failed = sum(trial.score is None for trial in trials)
    if not args.quiet:
        numbers = [score, "+-", "learning rate", "alpha", "batch", "seconds"]
        table = plain_table(f"The best of {len(trials)} draws, {args.folds} folds", ["solver"], numbers, verdict=False)
        for trial in trials[:SHOWN]:
            if trial.score is not None and trial.deviation is not None:
                drawn = trial.params
                shown = (f"{trial.score:.4f}", f"{trial.deviation:.4f}", f"{drawn['learning_rate_init']:.3g}")
                rest = (f"{drawn['alpha']:.3g}", str(drawn["batch_size"]), f"{trial.seconds:.2f}")
                table.add_row(drawn["solver"], *shown, *rest)
        out.print(table)
    if test is None and trials[0].score is not None:
        out.print(f"best of {len(trials)} draws: {score} {trials[0].score:.4f} on the folds, not tested")
    elif test is None:
        out.print(f"all {failed} draws failed: smaller learning rates or scaled inputs usually help")
    else:
        words = f"; {failed} draws failed" if failed else ""
        m = subject.parts.Y_test.shape[1]
        out.print(f"test: {score} {test:.4f} of the best on {m} examples{words}; {seconds:.1f} s", soft_wrap=True)
