"""The ``recipe`` command that both packages share: flags, the report as it grows, JSON. No formula."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from typing import Any, cast

from rich.console import Console
from rich.markup import escape

from manual.draws import SCALES
from manual.recipe.run import Plan, steps
from manual.recipe.steps import FAILS, RATES, Step
from manual.shared.cli import GOOD, MISMATCH, UsageError, console, default_jobs, door, output_flags
from manual.shared.recipe_runs import Backend
from manual.shared.search_ranges import COARSE, FINE, Range, range_of
from manual.shared.train_flags import add_flags, add_groups, subject_of

STYLES = {"good": "green", "doubtful": "yellow", "fails": "bold red"}


def epilog(program: str) -> str:
    """Examples for --help."""
    return f"""examples:
  {program} recipe                                    digits, two hidden layers of 64
  {program} recipe --dataset moons --hidden 16
  {program} recipe --model convnet --draws 20 --jobs 2
  {program} recipe --optimizer gradient_descent --lr-range -3 0
  {program} recipe --fine notes                       the notes' own fine ranges

The notes' learning rates, 10^uniform(-6, -3), are too small for plain gradient descent in 5 epochs of most data; with
Adam, the default, their upper end learns, and the fine ranges reach beyond it where that pays.

exit code: 0 no step fails, 1 a step fails, 2 bad usage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the parser the flags."""
    add_groups(parser, "data", "network", without=["--keep-prob"])
    parser.set_defaults(keep_prob=1.0)  # what is dropped is named in --layers
    own = parser.add_argument_group("recipe")
    own.add_argument("--draws", type=int, default=100, help="of each search; default: 100")
    own.add_argument("--epochs", type=int, default=5, help="of each draw; default: 5")
    own.add_argument("--train-epochs", type=int, default=60, help="of the chosen net; default: 60")
    own.add_argument("--batch-size", type=int, metavar="M", help="default: 100, or less for 10 steps in an epoch")
    powers = {"nargs": 2, "type": float, "metavar": ("FROM", "TO")}
    own.add_argument("--reg-range", help="of the coarse search, in powers of ten; default: -5 5", **powers)  # type: ignore[arg-type]
    own.add_argument("--lr-range", help="of the coarse search, in powers of ten; default: -3 -6", **powers)  # type: ignore[arg-type]
    own.add_argument(
        "--fine",
        choices=("derived", "notes"),
        default="derived",
        help="fine ranges: derived from the coarse search, or the notes'; default: derived",
    )
    own.add_argument("--initialization", default="he", metavar="NAME", help=f"{', '.join(SCALES)}; default: he")
    own.add_argument("--learning-rate", type=float, metavar="ALPHA", help="of the small piece; default: by optimiser")
    own.add_argument("--jobs", type=int, default=default_jobs(), help="processes of the searches; default: %(default)s")
    add_flags(own, "--optimizer", "--seed", "--dtype")
    output_flags(parser, "the report")


def run(args: argparse.Namespace, backend: Backend) -> int:
    """Take the steps, show each as it is done."""
    subject = subject_of(args)
    plan, said = plan_of(args, backend)
    m = subject.parts.Y_train.shape[1]
    if args.batch_size is not None and not args.batch_size <= m:
        raise UsageError(f"batch-size is {args.batch_size}, expected at most {m}: the training part has so many")
    out = console()
    show = not (args.json or args.quiet)
    if show:
        out.print(f"{backend.program}: {backend.where}, {plan.optimizer}, seed {plan.seed}", style="bold")
    for sentence in said:
        (console(stderr=True) if args.json else out).print(sentence)
    begun = time.perf_counter()
    taken: list[Step] = []
    with args.work.until_stopped(lambda: f"after step {taken[-1].number}, {taken[-1].title}" if taken else ""):
        for step in _doors(steps(backend, subject, plan, args.work.bar)):
            taken.append(step)
            if show:
                show_step(out, step)
    _close(args, out, backend, taken, said, time.perf_counter() - begun)
    return MISMATCH if any(step.verdict == FAILS for step in taken) else GOOD


def _doors(taken: Iterator[Step]) -> Iterator[Step]:
    """The steps; a ValueError on the way is bad usage."""
    try:
        yield from taken
    except ValueError as error:
        raise UsageError(str(error)) from error


def plan_of(args: argparse.Namespace, backend: Backend) -> tuple[Plan, list[str]]:
    """The plan that the flags ask for, and sentences about what was read otherwise than written.

    Raises UsageError for a number out of range or an unknown name.
    """
    for name, table in (("optimizer", RATES), ("initialization", SCALES)):
        if getattr(args, name) not in table:
            raise UsageError(f"{name} is {getattr(args, name)!r:.40}, expected one of {', '.join(table)}")
    for name in ("draws", "epochs", "train_epochs", "batch_size", "jobs"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise UsageError(f"{name.replace('_', '-')} is {value}, expected at least 1")
    if args.learning_rate is not None and not 0 < args.learning_rate < math.inf:
        raise UsageError(f"learning-rate is {args.learning_rate}, expected a finite number above 0")
    ranges, said = [], []
    for name, usual in (("reg_range", COARSE[0]), ("lr_range", COARSE[1])):
        pair = getattr(args, name)
        found, sentence = (usual, "") if pair is None else _range(name.replace("_", "-"), pair)
        ranges.append(found)
        said += [sentence] if sentence else []
    plan = Plan(
        optimizer=args.optimizer,
        initialization=args.initialization,
        learning_rate=args.learning_rate,
        batch_size=args.batch_size,
        draws=args.draws,
        epochs=args.epochs,
        train_epochs=args.train_epochs,
        coarse=(ranges[0], ranges[1]),
        fine=FINE if args.fine == "notes" else None,
        jobs=min(args.jobs, backend.jobs or args.jobs),
        seed=args.seed,
    )
    return plan, said


def _range(name: str, pair: Sequence[float]) -> tuple[Range, str]:
    return cast("tuple[Range, str]", door(range_of, name, pair))


def show_step(out: Console, step: Step) -> None:
    """A step: its verdict, what was seen and, where it is not good, what usually causes it."""
    style = STYLES[step.verdict]
    out.print(f"\n{step.number:>2}  [bold]{step.title}[/]: [{style}]{step.verdict}[/]")
    for line in step.says:
        out.print(f"    {escape(line)}", soft_wrap=True)
    for cause in step.causes:
        out.print(f"    [{style}]why:[/] {escape(cause)}", soft_wrap=True)


def _close(
    args: argparse.Namespace, out: Console, backend: Backend, taken: list[Step], said: list[str], seconds: float
) -> None:
    """The last lines, or all of it as JSON."""
    if args.json:
        report = {
            "package": backend.program.split()[-1],
            "where": backend.where,
            "optimizer": args.optimizer,
            "seed": args.seed,
            "said": said,
            "steps": [step._asdict() for step in taken],
            "seconds": seconds,
        }
        args.work.json(_plain(report))
        return
    failed = [f"{step.number} {step.title}" for step in taken if step.verdict == FAILS]
    words = f"fails: {', '.join(failed)}" if failed else "no step fails"
    blank, took = ("", "") if args.quiet else ("\n", f"; {seconds:.1f} s")
    out.print(f"{blank}{words}; {taken[-1].says[-1]}{took}", soft_wrap=True)


def _plain(data: Any) -> Any:
    """Plain data; a number that JSON lacks becomes None."""
    if isinstance(data, dict):
        return {name: _plain(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    if isinstance(data, float):  # NumPy's float64 is one
        return float(data) if math.isfinite(data) else None
    return data
