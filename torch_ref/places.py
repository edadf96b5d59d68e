"""Where a process of several stands, and what it computes on: as torchrun, or a person, says in the environment."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import torch
from torch.distributed.rendezvous import rendezvous

from manual.shared.cli import UsageError
from torch_ref import distributed
from torch_ref.devices import device_named

PLACE = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What the environment says to each process of a job."""

BACKENDS = {"cpu": "gloo", "cuda": "nccl"}
"""How processes exchange numbers, by the kind of their devices."""


class Place(NamedTuple):
    """A process's number and how many there are: of the job, and of those on this machine."""

    rank: int
    size: int
    local_rank: int
    local_size: int


def launched() -> bool:
    """Whether this process is one of several."""
    return os.environ.get("WORLD_SIZE", "1") != "1"


def place_in_job() -> Place:
    """Where this process stands, as the environment says.

    Raises UsageError where it does not.
    """
    missing = [name for name in PLACE if not os.environ.get(name)]
    if missing:
        given = f"WORLD_SIZE is {os.environ['WORLD_SIZE']!r}"
        raise UsageError(
            f"{given} without {', '.join(missing)}, expected all of {', '.join(PLACE)}: torchrun sets them"
        )
    for name in ("RANK", "WORLD_SIZE", "MASTER_PORT"):
        if not os.environ[name].isdecimal():
            raise UsageError(f"{name} is {os.environ[name]!r:.40}, expected a whole number: torchrun sets it")
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if rank >= size:
        raise UsageError(f"RANK is {rank}, expected less than WORLD_SIZE, which is {size}")
    local = (os.environ.get("LOCAL_RANK", str(rank)), os.environ.get("LOCAL_WORLD_SIZE", str(size)))
    return Place(rank, size, *(int(number) for number in local))


def open_store(place: Place) -> Any:
    """Where the processes leave words for each other.

    Raises UsageError where it cannot be opened: a port in use, or nobody there.
    """
    try:
        store, _, _ = next(rendezvous("env://", place.rank, place.size, timeout=distributed.TIMEOUT))
    except (RuntimeError, ValueError) as error:
        address, port = os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"]
        if "EADDRINUSE" in str(error):
            raise UsageError(f"MASTER_PORT is {port}, expected a free port: another program uses it") from error
        seconds = distributed.TIMEOUT.total_seconds()
        missing = f"expected all of them at {address}:{port} within {seconds:g} seconds"
        raise UsageError(f"process {place.rank} of {place.size} is alone, {missing}") from error
    return store


def own_device(name: str, place: Place) -> torch.device:
    """The device of this process: of several GPUs on a machine, each process gets its own.

    Raises UsageError for one that is not there, or that processes cannot share.
    """
    try:
        chosen = device_named(name)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if chosen.type not in BACKENDS or (chosen.index is not None and place.local_size > 1):
        here = f"device is {name!r} with {place.local_size} processes on this machine"
        raise UsageError(f"{here}, expected cpu, or cuda: a GPU for each")
    if chosen.type == "cuda":
        count = torch.cuda.device_count()
        if place.local_size > count:
            here = f"device is {name!r} with {place.local_size} processes on this machine"
            raise UsageError(f"{here}, expected at most {count}: a GPU for each")
        chosen = torch.device("cuda", place.local_rank if chosen.index is None else chosen.index)
        torch.cuda.set_device(chosen)
    return chosen
