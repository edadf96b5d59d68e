"""``python -m manual recipe``: the eight steps that a network is set up in, by hand, in NumPy."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from manual import network, recipe_cli
from manual.architecture import Architecture
from manual.notation import Array, Parameters
from manual.recipe_runs import Backend
from manual.training import Learner

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


def backend(where: str = "NumPy") -> Backend:
    """The package by hand, as the recipe runs it."""
    return Backend(PROGRAM, Learner, activations, where)


def activations(architecture: Architecture, params: Parameters, X: Array) -> Sequence[Array]:
    """A[0] = X to A[L]."""
    return network.forward(architecture, params, X).A
