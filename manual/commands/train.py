"""``python -m manual train``: train a network by hand, in NumPy."""

from __future__ import annotations

import argparse
from typing import Any

from manual.shared import train_cli
from manual.shared.settings import Examples, Run, Settings
from manual.shared.train_cli import Package
from manual.training import Learner, fit

PROGRAM = "python -m manual"


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.description = "Trains a network by hand and reports on the test part."
    parser.epilog = train_cli.epilog(PROGRAM)
    train_cli.configure(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train and report."""
    return train_cli.run(args, Package(PROGRAM, fit, evaluate, f"NumPy, {args.dtype}"))


def evaluate(done: Run, settings: Settings, data: Examples) -> tuple[float, Any]:
    """Cost and A[L] on data, with the parameters of a run."""
    learner = Learner(done.architecture, data, settings)
    learner.restore(done.params, None, 0)
    return learner.evaluate(*data)
