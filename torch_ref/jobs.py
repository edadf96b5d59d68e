"""A job of several processes, which torchrun starts: the group that they form, and the device of each."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed
from torch.distributed.elastic.multiprocessing.errors import ErrorHandler

from manual.shared.cli import UsageError
from torch_ref.devices import device_named
from torch_ref.distributed import World

BACKENDS = {"cpu": "gloo", "cuda": "nccl"}
"""How processes exchange numbers, by the kind of their devices."""

TIMEOUT = timedelta(minutes=5)
"""How long a process waits for the others before it gives up."""

PR_SET_PDEATHSIG = 1
"""Of prctl(2): the signal that a process gets when its parent ends."""


ERROR_FILE = "TORCHELASTIC_ERROR_FILE"
"""Of the environment: where torchrun reads what ended a process."""


class WholeRecords(ErrorHandler):
    """Records of what ended a process, each there as a whole or not at all.

    torchrun ends the other processes of a lost one, and then reads what they have written so far.
    """

    def record_exception(self, e: BaseException) -> None:
        """Write the record beside its place, then put it there."""
        place = os.environ.get(ERROR_FILE)
        if not place:
            return
        os.environ[ERROR_FILE] = f"{place}.part"
        super().record_exception(e)
        os.replace(f"{place}.part", place)
        os.environ[ERROR_FILE] = place


def launched() -> bool:
    """Whether this process is one of several."""
    return os.environ.get("WORLD_SIZE", "1") != "1"


def check_alone(command: str) -> None:
    """Raises UsageError in one of several processes."""
    if launched():
        size = os.environ["WORLD_SIZE"]
        raise UsageError(f"{command} was started in {size} processes, expected one: train alone shares its work")


@contextmanager
def job(device: str) -> Iterator[tuple[World, torch.device]]:
    """The world of these processes, and the device of this one.

    Raises UsageError for a device that they cannot share, and where they do not find each other.
    """
    if sys.platform == "linux" and distributed.is_torchelastic_launched():
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # torchrun may be killed, too
    chosen = device_of_rank(device)
    try:
        distributed.init_process_group(BACKENDS[chosen.type], timeout=TIMEOUT)
    except (ValueError, distributed.DistError) as error:
        raise UsageError(f"the processes do not find each other: {error}") from error
    try:
        yield World(distributed.get_rank(), distributed.get_world_size()), chosen
    finally:
        distributed.destroy_process_group()


def device_of_rank(name: str) -> torch.device:
    """The device of this process: of several GPUs on a machine, each process gets its own.

    Raises UsageError for one that is not there, or that processes cannot share.
    """
    try:
        chosen = device_named(name)
    except ValueError as error:
        raise UsageError(str(error)) from error
    rank, size = (int(os.environ.get(f"LOCAL_{each}", os.environ[each])) for each in ("RANK", "WORLD_SIZE"))
    here = f"device is {name!r} with {size} processes on this machine"
    if chosen.type not in BACKENDS or (chosen.index is not None and size > 1):
        raise UsageError(f"{here}, expected cpu, or cuda: a GPU for each")
    if chosen.type == "cuda":
        if size > torch.cuda.device_count():
            raise UsageError(f"{here}, expected at most {torch.cuda.device_count()}: a GPU for each")
        chosen = torch.device("cuda", rank if chosen.index is None else chosen.index)
        torch.cuda.set_device(chosen)
    return chosen
