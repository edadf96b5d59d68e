"""``python -m torch_ref search``: the notes' coarse search, all draws trained together."""

from __future__ import annotations

import argparse
import time
from typing import Any, cast

import numpy as np
import torch

from manual.shared.cli import GOOD, UsageError, console, door, output_flags, plain_table
from manual.shared.search_ranges import COARSE
from manual.shared.settings import Examples, held_back
from manual.shared.train_flags import Subject, add_flags, add_groups, subject_of
from torch_ref.devices import DEVICES, device_named
from torch_ref.jobs import check_alone
from torch_ref.search import Plan, Trial, draws, search

PROGRAM = "python -m torch_ref"

EPILOG = f"""examples:
  {PROGRAM} search                              100 draws on digits
  {PROGRAM} search --dataset wine --hidden 16 --draws 30
  {PROGRAM} search --device cuda --json

reg = {COARSE[0]} is the factor of (1/2) sum W^2, lambda/m; learning rate = {COARSE[1]}.

exit code: 0 good, 2 bad usage
"""

VALIDATION = 0.2
"""The part of the training examples that the draws are tried on."""

BEST = 0.1
"""The part of the draws whose ranges a finer search should cover."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.description = "Trains a network for every draw of learning rate and regularisation, all together."
    parser.epilog = EPILOG
    add_groups(parser, "data", "network")
    group = parser.add_argument_group("search")
    group.add_argument("--draws", type=int, default=100, metavar="N", help="default: 100")
    group.add_argument("--epochs", type=int, default=5, help="default: 5")
    group.add_argument("--batch-size", type=int, default=100, metavar="M", help="default: 100")
    group.add_argument("--decay", type=float, default=0.9, help="of the learning rate in an epoch; default: 0.9")
    group.add_argument("--top", type=int, default=10, metavar="N", help="lines of the table; default: 10")
    add_flags(group, "--optimizer", "--seed", "--dtype")
    group.add_argument("--device", default="auto", metavar="NAME", help=f"{', '.join(DEVICES)}; default: auto")
    output_flags(parser, "a table, with all draws")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search, and show the best."""
    check_alone("search")
    if args.seed < 0 or args.top < 1:
        raise UsageError(f"seed is {args.seed} and top is {args.top}, expected at least 0 and at least 1")
    device = str(door(device_named, args.device))
    plan = cast(Plan, door(Plan, args.epochs, args.batch_size, args.decay, args.optimizer, seed=args.seed))
    points = cast(Any, door(draws, args.draws, np.random.default_rng(args.seed)))
    subject = subject_of(args)
    data, validation = _parts(subject)
    begun = time.perf_counter()
    with args.work.bar("steps") as advance:
        try:
            trials = cast(
                list[Trial],
                door(search, subject.architecture, data, validation, points, plan, device=device, on_step=advance),
            )
        except torch.OutOfMemoryError as error:
            fewer = f"expected fewer, such as --draws {max(1, args.draws // 2)}, or a smaller --batch-size"
            raise UsageError(f"draws is {args.draws}, {fewer}: the memory of {device} is too small") from error
    seconds = time.perf_counter() - begun
    if args.json:
        args.work.json(_as_json(subject, trials, seconds))
    else:
        _show(args, subject, trials, f"{seconds:.1f} s on {device}")
    return GOOD


def _parts(subject: Subject) -> tuple[Examples, Examples]:
    """The examples to train on, and the last ones to try on.

    Raises UsageError for data that stay in their file, or too few of them.
    """
    X, Y = subject.parts.X_train, subject.parts.Y_train
    if not isinstance(X, np.ndarray):
        raise UsageError(f"{subject.name} stays in its file, expected data that fit into memory: all draws share them")
    return cast("tuple[Examples, Examples]", door(held_back, Examples(X, Y), VALIDATION))


def _ranges(trials: list[Trial]) -> dict[str, tuple[float, float]]:
    """Where the best draws lie: the ranges of a finer search."""
    best = [trial for trial in trials[: max(2, round(BEST * len(trials)))] if not trial.exploded] or trials[:1]
    return {
        name: (min(getattr(trial, name) for trial in best), max(getattr(trial, name) for trial in best))
        for name in ("learning_rate", "reg")
    }


def _as_json(subject: Subject, trials: list[Trial], seconds: float) -> dict[str, Any]:
    """Plain data; a number that JSON lacks becomes None."""
    found = [{name: value for name, value in trial._asdict().items() if name != "params"} for trial in trials]
    plain = [
        {name: None if isinstance(value, float) and not np.isfinite(value) else value for name, value in each.items()}
        for each in found
    ]
    about = {"data": subject.name, "layers": subject.architecture.describe(), "seconds": seconds}
    return {**about, "finer": _ranges(trials), "draws": plain}


def _show(args: argparse.Namespace, subject: Subject, trials: list[Trial], where: str) -> None:
    out = console()
    score = "R2" if subject.task == "regression" else "accuracy"
    if not args.quiet:
        out.print(f"{subject.name}: {subject.architecture.describe()}")
    title = f"The best of {len(trials)} draws after {args.epochs} epochs"
    table = plain_table(title, [], ["learning rate", "reg", "validation cost", f"validation {score}"], verdict=False)
    for trial in trials[: args.top]:
        ending = " exploded" if trial.exploded else ""
        table.add_row(
            f"{trial.learning_rate:.2e}", f"{trial.reg:.2e}", f"{trial.cost:.4f}", f"{trial.score:.4f}{ending}"
        )
    if not args.quiet:
        out.print(table)
    ranges = _ranges(trials)
    (low, high), (least, most) = ranges["learning_rate"], ranges["reg"]
    out.print(f"a finer search: learning rate {low:.1e} to {high:.1e}, reg {least:.1e} to {most:.1e}")
    out.print(f"{sum(trial.exploded for trial in trials)} of {len(trials)} draws exploded; {where}")
