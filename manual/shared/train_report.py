"""What a person sees of ``train``: the opening, the history as it grows, the report on the test part."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from manual.files import save
from manual.shared.cli import GOOD, MISMATCH, console, plain_table
from manual.shared.settings import Epoch, Examples, Explosion, Run, Settings, score_of
from manual.shared.train_flags import Subject

SCORES = {"regression": "R2"}
"""What the score is called; accuracy for all other tasks."""

Fit = Callable[..., Run]
Evaluate = Callable[[Run, Settings, Examples], tuple[float, Any]]


class Package(NamedTuple):
    """What a package brings to the command: its name, how it fits and evaluates, and what it computes on.

    Of ``size`` processes that train together, ``rank`` 0 prints and writes, the others are silent.
    """

    program: str
    fit: Fit
    evaluate: Evaluate
    where: str
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process is the one that prints and writes."""
        return self.rank == 0


def opening(package: Package, subject: Subject, settings: Settings, m: int) -> str:
    """What is about to be trained, in three lines."""
    m_test = subject.parts.Y_test.shape[1]
    steps = -(-m // settings.batch_size)
    decay = "" if settings.decay == "constant" else f", {settings.decay} decay"
    return "\n".join(
        [
            f"{package.program}: {subject.name} ({subject.task}), {m} training and {m_test} test examples",
            subject.architecture.describe(),
            f"{settings.optimizer}, learning rate {settings.learning_rate:g}{decay}, {settings.epochs} epochs of "
            f"{steps} steps, lambda = {settings.lambda_:g}, seed {settings.seed}, {package.where}",
        ]
    )


class Show:
    """Shows epochs and steps as they come: a bar on a terminal, lines where there is none, or JSON."""

    def __init__(self, args: argparse.Namespace, bar: Progress, total: int, score: str, out: Console) -> None:
        self.args, self.bar, self.score = args, bar, score
        self.lines = bar.console if out.is_terminal else out  # where both are on a terminal, the bar makes room
        self.task = bar.add_task("", total=total, note="")
        self.every = max(1, args.epochs // 10)

    def epoch(self, epoch: Epoch) -> None:
        """A line of the history."""
        if self.args.json:
            print(json.dumps(_as_json(epoch._asdict())), flush=True)
        note = f"epoch {epoch.epoch}  cost {epoch.cost:.4f}  {self.score} {epoch.score:.4f}"
        self.bar.update(self.task, note=note)
        last = epoch.epoch == self.args.epochs
        if not (self.args.json or self.args.quiet) and (epoch.epoch % self.every == 0 or last):
            checked = "" if epoch.validation_score is None else f"  validation {epoch.validation_score:.4f}"
            self.lines.print(f"{note}{checked}  learning rate {epoch.learning_rate:.2g}", style=None)

    def step(self, done: int, of: int) -> None:
        """The bar moves."""
        self.bar.update(self.task, completed=done, total=of)


@contextmanager
def shown(args: argparse.Namespace, settings: Settings, subject: Subject) -> Iterator[Show]:
    """A bar on stderr while the run lasts, where that is a terminal."""
    out, errors = console(), console(stderr=True)
    columns = (TextColumn("{task.fields[note]}"), BarColumn(), TimeElapsedColumn())
    silent = args.quiet or not errors.is_terminal
    steps = settings.epochs * -(-subject.parts.Y_train.shape[1] // settings.batch_size)
    with Progress(*columns, console=out if silent else errors, transient=True, disable=silent) as bar:
        yield Show(args, bar, steps, SCORES.get(subject.task, "accuracy"), out)


def report(
    args: argparse.Namespace, package: Package, subject: Subject, settings: Settings, done: Run, seconds: float
) -> int:
    """The closing report, the files, the exit code."""
    _, _, X_test, Y_test = subject.parts
    test_cost, A_L = package.evaluate(done, settings, Examples(X_test, Y_test))
    score = score_of(subject.architecture.output_unit, A_L, Y_test)
    if args.save and done.stopped != "exploded":
        about = {"dataset": subject.name, "task": subject.task, "preparation": subject.preparation}
        if args.work.stopped:
            about["stopped"] = args.work.stopped
        save(args.save, done.params, done.architecture, about)
    if args.json:
        report = {
            "data": subject.name,
            "task": subject.task,
            "layers": subject.architecture.describe(),
            "parameters": sum(value.size for value in done.params.values()),
            "epochs": len(done.history),
            "stopped": done.stopped,
            "explosion": None if done.explosion is None else done.explosion._asdict(),
            "test_cost": test_cost,
            "test_score": score,
            "seconds": seconds,
            "settings": settings.as_json(),
        }
        args.work.json(_as_json(report), indent=None)
    else:
        _print_report(args, subject, done, test_cost, score, A_L, seconds)
    return MISMATCH if done.stopped == "exploded" else GOOD


def _print_report(
    args: argparse.Namespace, subject: Subject, done: Run, cost: float, score: float, A_L: Any, seconds: float
) -> None:
    out, name = console(), SCORES.get(subject.task, "accuracy")
    if done.explosion is not None:
        out.print(_exploded(done.explosion), style="bold red")
    if done.stopped == "early":
        waited = f"no better for {args.patience} epochs; the best parameters are kept"
        out.print(f"stopped after epoch {len(done.history)}: {waited}")
    if subject.task == "multiclass" and done.stopped != "exploded" and not args.quiet:
        out.print(_by_class(subject, A_L))
    m = subject.parts.Y_test.shape[1]
    after = f"{len(done.history)} epochs in {seconds:.1f} s"
    out.print(f"test: cost {cost:.4f}, {name} {score:.4f} on {m} examples; {after}")
    if args.save and done.stopped != "exploded":
        out.print(f"parameters written to {args.save}")


def _exploded(explosion: Explosion) -> str:
    return f"stopped: {explosion.sentence()}"


def _by_class(subject: Subject, A_L: Any) -> Any:
    """Right answers class by class, and what the wrong ones were taken for."""
    truth, answer = subject.parts.Y_test.argmax(axis=0), A_L.argmax(axis=0)
    table = plain_table("Test part, class by class", ["class"], ["examples", "right"], verdict=False)
    table.add_column("mostly taken for")
    for c, label in enumerate(subject.target_names):
        of_class = truth == c
        wrong = np.bincount(answer[of_class & (answer != c)], minlength=len(subject.target_names))
        taken = f"{subject.target_names[wrong.argmax()]} ({wrong.max()})" if wrong.any() else ""
        share = np.mean(answer[of_class] == c) if of_class.any() else float("nan")
        table.add_row(str(label), str(int(of_class.sum())), f"{share:.3f}", taken)
    return table


def _as_json(data: dict[str, Any]) -> dict[str, Any]:
    """Plain data; a number that JSON lacks becomes None."""
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value for name, value in data.items()
    }
