"""``python -m torch_ref train``: the same networks, data, draws and reports as by hand, trained by torch."""

from __future__ import annotations

import argparse
import signal
from functools import partial
from typing import Any, cast

import torch

from manual.shared import train_cli
from manual.shared.cli import UsageError, door
from manual.shared.settings import Examples, Run, Settings
from manual.shared.train_cli import Package
from torch_ref.devices import DEVICES, device_named
from torch_ref.distributed import ALONE, World
from torch_ref.hardware import GRAPH, Hardware
from torch_ref.jobs import WholeRecords, job, launched
from torch_ref.training import Learner, fit

PROGRAM = "python -m torch_ref"

MORE = f"""  {PROGRAM} train --model convnet --dataset mnist --device auto --batch-size 256
  {PROGRAM} train --device cuda --amp --compile       bfloat16 forward, compiled
  torchrun --standalone --nproc-per-node 2 -m torch_ref train --checkpoint run1   two processes share every batch
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The shared flags, and torch's own."""
    parser.description = "Trains a network with torch and reports on the test part."
    parser.epilog = train_cli.epilog(PROGRAM, MORE)
    train_cli.configure(parser)
    own = parser.add_argument_group("torch")
    own.add_argument("--device", default="auto", metavar="NAME", help=f"{', '.join(DEVICES)} or cuda:N; default: auto")
    own.add_argument("--amp", action="store_true", help="run the forward pass in bfloat16")
    tf32 = "let CUDA round the factors of float32 products to 10 bits; default: off"
    own.add_argument("--tf32", action=argparse.BooleanOptionalAction, default=False, help=tf32)
    own.add_argument("--compile", action="store_true", help="compile the module")
    graph = "capture steps of small networks as CUDA graphs; default: auto, where it pays"
    own.add_argument("--graph", nargs="?", choices=GRAPH, const="on", default="auto", help=graph)
    own.add_argument("--deterministic", action="store_true", help="refuse operations whose results vary")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train and report, alone or with the processes that torchrun started."""
    if not launched():
        return train(args, cast(torch.device, door(device_named, args.device)), ALONE)
    from torch.distributed.elastic.multiprocessing.errors import record

    return cast(int, record(in_job, WholeRecords())(args))


def in_job(args: argparse.Namespace) -> int:
    """Train with the others; what ends the job before its time comes with how to go on."""
    with job(args.device) as (world, device):
        try:
            return train(args, device, world)
        except (KeyboardInterrupt, RuntimeError) as error:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # torchrun ends what a lost process leaves; this one says why
            again = (
                f"--checkpoint {args.checkpoint} --resume goes on after its last epoch, with any number of processes"
            )
            error.add_note(again if args.checkpoint else "with --checkpoint DIR, the job could be resumed")
            raise


def train(args: argparse.Namespace, device: torch.device, world: World) -> int:
    """Train on a device, and report where this process leads.

    Raises UsageError where the device has too little memory.
    """
    hardware = Hardware(str(device), args.amp, args.tf32, args.compile, args.deterministic, args.graph)
    processes = f", {world.size} processes" if world.size > 1 else ""
    where = f"torch {torch.__version__} on {device}, {args.dtype}{processes}"
    fitted = partial(fit, hardware=hardware, world=world)
    package = Package(PROGRAM, fitted, partial(evaluate, hardware=hardware), where, world.rank, world.size)
    try:
        return train_cli.run(args, package)
    except torch.OutOfMemoryError as error:
        smaller = f"expected less, such as --batch-size {max(1, args.batch_size // 2)}"
        raise UsageError(f"batch-size is {args.batch_size}, {smaller}: the memory of {device} is too small") from error


def evaluate(done: Run, settings: Settings, data: Examples, hardware: Hardware) -> tuple[float, Any]:
    """Cost and A[L] on data, with the parameters of a run."""
    learner = Learner(done.architecture, data, settings, hardware)
    learner.restore(done.params, None, 0)
    return learner.evaluate(*data)
