"""``python -m torch_ref recipe``: the same eight steps as by hand, on a network of torch."""

from __future__ import annotations

import argparse

import torch

from manual.shared import recipe_cli
from manual.shared.cli import UsageError, door
from torch_ref.devices import DEVICES, device_named
from torch_ref.jobs import check_alone
from torch_ref.recipe import backend

PROGRAM = "python -m torch_ref"


def configure(parser: argparse.ArgumentParser) -> None:
    """The shared flags, and the device."""
    parser.description = "Takes the eight steps in which a network is set up, with torch, and judges each."
    parser.epilog = recipe_cli.epilog(PROGRAM)
    recipe_cli.configure(parser)
    own = parser.add_argument_group("torch")
    own.add_argument("--device", default="cpu", metavar="NAME", help=f"{', '.join(DEVICES)} or cuda:N; default: cpu")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Take the steps and report."""
    check_alone("recipe")
    device = str(door(device_named, args.device))
    if device.startswith("mps"):
        raise UsageError(f"device is {device}, expected cpu or cuda: the slopes of the cost are taken in float64")
    return recipe_cli.run(args, backend(device, f"torch {torch.__version__} on {device}, {args.dtype}"))
