"""``python -m manual search``: a random search over the estimators by hand."""

from __future__ import annotations

import argparse

from manual import search_cli
from manual.estimators import NetworkClassifier, NetworkRegressor
from manual.search_cli import Estimators

PROGRAM = "python -m manual"


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.description = "Searches learning rate, alpha, batch size and solver at random, by cross-validation."
    parser.epilog = search_cli.epilog(PROGRAM)
    search_cli.configure(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search and report."""
    where = f"NumPy, {args.dtype}"
    return search_cli.run(args, Estimators(PROGRAM, NetworkClassifier, NetworkRegressor, where))
