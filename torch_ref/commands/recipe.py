"""``python -m torch_ref recipe``: the same eight steps as by hand, on a network of torch."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from manual import recipe_cli
from manual.architecture import Architecture
from manual.cli import UsageError, door
from manual.recipe_runs import Backend
from torch_ref import network
from torch_ref.devices import DEVICES, array, device_named
from torch_ref.jobs import refused
from torch_ref.places import launched
from torch_ref.training import Hardware, Learner

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
    if launched():
        return refused(PROGRAM, "recipe")
    device = str(door(device_named, args.device))
    if device.startswith("mps"):
        raise UsageError(f"device is {device}, expected cpu or cuda: the slopes of the cost are taken in float64")
    return recipe_cli.run(args, backend(device, f"torch {torch.__version__} on {device}, {args.dtype}"))


def backend(device: str = "cpu", where: str = "torch") -> Backend:
    """PyTorch on a device, as the recipe runs it; a device other than the CPU is not shared among processes."""
    learner = partial(Learner, hardware=Hardware(device))
    return Backend(PROGRAM, learner, activations, where, None if device == "cpu" else 1)


@torch.no_grad()
def activations(architecture: Architecture, params: network.Arrays, X: NDArray[Any]) -> Sequence[NDArray[Any]]:
    """A[0] = X to A[L], in the notes' layout, on the CPU."""
    passed = network.forward(network.module_with(architecture, params), torch.from_numpy(np.ascontiguousarray(X)))
    return [array(A) for A in passed.A]
