"""``python -m manual recipe``: the eight steps that a network is set up in, by hand, in NumPy."""

from __future__ import annotations

import argparse

from manual.recipe.run import backend
from manual.shared import recipe_cli

PROGRAM = "python -m manual"


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.description = "Takes the eight steps in which a network is set up, and judges each."
    parser.epilog = recipe_cli.epilog(PROGRAM)
    recipe_cli.configure(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Take the steps and report."""
    return recipe_cli.run(args, backend(f"NumPy, {args.dtype}"))
