"""The ``train`` command that both packages share: data, fit, checkpoints, report. It holds no formula."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

from manual.files import Checkpoint, exclusive, load_checkpoint, make_directory, save_checkpoint
from manual.shared.cli import GOOD, MISMATCH, UsageError, console, door
from manual.shared.settings import Data, Epoch, Run, Settings, held_back
from manual.shared.train_flags import Subject, configure, epilog, settings_of, subject_of, training_data
from manual.shared.train_report import Package, opening, report, shown

__all__ = ["Package", "configure", "epilog", "run"]

ENDS = {"early": "stopped early", "exploded": "exploded"}
"""How a run may have ended before its last epoch."""

VALIDATION = 0.1
"""The part of the training examples that early stopping looks at."""


def run(args: argparse.Namespace, package: Package) -> int:
    """Train, show how it goes, report on the test part."""
    if not package.leads:
        args.quiet, args.json, args.work.silent = True, False, True
    subject = subject_of(args)
    settings = settings_of(args)
    m = subject.parts.Y_train.shape[1]
    if settings.batch_size > m:
        rule = f"expected at most {m}: the training part has so many examples"
        raise UsageError(f"batch-size is {settings.batch_size}, {rule}")
    if args.save:
        _check_place(args.save)
    with _own_checkpoint(args, package):
        return _trained(args, package, subject, settings)


def _trained(args: argparse.Namespace, package: Package, subject: Subject, settings: Settings) -> int:
    """Train, from the checkpoint or from the beginning, and report."""
    train, validation = _training(args, subject)
    asked = _asked(args, subject, settings)
    resume = _resumed(args, subject, asked)
    out = console()
    if not (args.json or args.quiet):
        out.print(opening(package, subject, settings, train.Y.shape[1]))
    begun, done = time.perf_counter(), resume
    rest = f"; --checkpoint {args.checkpoint} --resume goes on" if args.checkpoint else ""

    def how_far() -> str:
        if done is None or package.size > 1:  # the others are elsewhere, and the report needs them all
            return ""
        return f"after {len(done.history)} of {settings.epochs} epochs{rest}"

    with (
        args.work.until_stopped(how_far),
        shown(args, settings, subject) as show,
    ):

        def on_epoch(so_far: Run) -> None:
            nonlocal done
            if package.leads:
                show.epoch(so_far.history[-1])
                if args.checkpoint:
                    _keep(args.checkpoint, so_far, asked)
            done = so_far

        done = cast(
            Run,
            door(
                package.fit, subject.architecture, train.X, train.Y, settings,
                weights=train.weights, validation=validation, resume=resume, on_epoch=on_epoch, on_step=show.step,
            ),
        )  # fmt: skip
    assert done is not None  # without an epoch, Ctrl-C has ended the command
    if not package.leads:
        return GOOD if done.stopped != "exploded" else MISMATCH
    return report(args, package, subject, settings, done, time.perf_counter() - begun)


@contextmanager
def _own_checkpoint(args: argparse.Namespace, package: Package) -> Iterator[None]:
    """The directory of checkpoints, made if need be, for this run alone; of several processes the first one has it.

    Raises UsageError where another run has it, or it cannot be made.
    """
    with ExitStack() as stack:
        if args.checkpoint and package.leads:
            try:
                if not args.resume:
                    make_directory(args.checkpoint)
                if os.path.isdir(args.checkpoint):
                    stack.enter_context(exclusive(args.checkpoint))
            except (OSError, ValueError) as error:
                raise UsageError(str(error)) from error
        yield


def _training(args: argparse.Namespace, subject: Subject) -> tuple[Data, Data | None]:
    """The examples to train on and, with a patience, those that early stopping looks at: the last ones."""
    data = training_data(args, subject)
    if args.patience is None:
        return data, None
    return cast("tuple[Data, Data]", door(held_back, data, VALIDATION))


def _asked(args: argparse.Namespace, subject: Subject, settings: Settings) -> dict[str, Any]:
    """What a run was asked for: one that goes on must ask for the same."""
    return {
        "data": args.data or subject.name,
        "layers": subject.architecture.describe(),
        "dtype": args.dtype,
        "class_weight": args.class_weight,
        **settings.as_json(),
    }


def _resumed(args: argparse.Namespace, subject: Subject, asked: dict[str, Any]) -> Run | None:
    """The run in the checkpoint that the flags name.

    Raises UsageError for one that is not there, is there unasked, or was made otherwise.
    """
    if not args.checkpoint:
        if args.resume:
            raise UsageError("--resume is given, expected --checkpoint DIR beside it: where the run was kept")
        return None
    found = cast("Checkpoint | None", door(load_checkpoint, args.checkpoint))
    if found is None:
        if args.resume:
            raise UsageError(f"{args.checkpoint} holds no checkpoint, expected one to resume")
        return None
    if not args.resume:
        raise UsageError(f"{args.checkpoint} holds a checkpoint already, expected --resume, or another directory")
    if found.progress.get("stopped"):
        raise UsageError(
            f"the run in {args.checkpoint} has {ENDS[found.progress['stopped']]}, expected one to go on with"
        )
    before = found.progress.get("asked", {})
    for name, value in asked.items():
        if before.get(name) != value:
            flag = name.rstrip("_").replace("_", "-")
            expected = f"expected {before.get(name)} as in {args.checkpoint}"
            raise UsageError(f"{flag} is {value}, {expected}: a run goes on as it began")
    best = {name.removeprefix("best."): value for name, value in found.state.items() if name.startswith("best.")}
    state = {name: value for name, value in found.state.items() if not name.startswith("best.")}
    progress = found.progress["run"]
    history = [Epoch(*values) for values in progress["history"]]
    return Run(found.architecture, found.params, history, state, "", None, progress, best or None)


def _keep(directory: str, run: Run, asked: dict[str, Any]) -> None:
    """Write the checkpoint of an epoch."""
    best = {f"best.{name}": value for name, value in (run.best or {}).items()}
    progress = {"asked": asked, "run": run.progress, "stopped": run.stopped}
    save_checkpoint(directory, Checkpoint(run.architecture, run.params, {**run.state, **best}, progress))


def _check_place(path: str) -> None:
    """UsageError unless a file can be written there: better before the training than after it."""
    folder = os.path.dirname(os.path.abspath(path))
    if not path.endswith(".safetensors"):
        raise UsageError(f"save is {path!r:.80}, expected a name that ends in .safetensors")
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise UsageError(f"save is {path!r:.80}, expected a folder that can be written to")
