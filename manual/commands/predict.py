"""``python -m manual predict``: what a trained network says of the examples of a file, in NumPy."""

from __future__ import annotations

import argparse

from manual.architecture import Architecture
from manual.network import forward
from manual.notation import Parameters
from manual.shared import predict_cli
from manual.shared.predict_cli import Answer

PROGRAM = "python -m manual"


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    predict_cli.configure(parser, PROGRAM)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Predict and print."""
    return predict_cli.run(args, answers)


def answers(architecture: Architecture, params: Parameters) -> Answer:
    """X -> A[L]."""
    return lambda X: forward(architecture, params, X).A[-1]
