"""``python -m torch_ref search``: the same random search as by hand, over the estimators in torch."""

from __future__ import annotations

import argparse
from functools import partial

import torch

from manual import search_cli
from manual.cli import door
from manual.search_cli import Estimators
from torch_ref.devices import DEVICES, device_named
from torch_ref.estimators import NetworkClassifier, NetworkRegressor

PROGRAM = "python -m torch_ref"


def configure(parser: argparse.ArgumentParser) -> None:
    """The shared flags, and the device."""
    parser.description = "Searches learning rate, alpha, batch size and solver at random, with torch."
    parser.epilog = search_cli.epilog(PROGRAM)
    search_cli.configure(parser)
    own = parser.add_argument_group("torch")
    own.add_argument("--device", default="cpu", metavar="NAME", help=f"{', '.join(DEVICES)} or cuda:N; default: cpu")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search and report; a device other than the CPU is not shared among processes."""
    device = str(door(device_named, args.device))
    classifier, regressor = (partial(kind, device=device) for kind in (NetworkClassifier, NetworkRegressor))
    where = f"torch {torch.__version__} on {device}, {args.dtype}"
    return search_cli.run(args, Estimators(PROGRAM, classifier, regressor, where, None if device == "cpu" else 1))
