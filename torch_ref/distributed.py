"""Several processes that train one network: every batch is shared out, and the gradients add up to the batch's.

torchrun starts the processes. Each draws the same batches and takes its share of every one, so no example comes twice.
DistributedDataParallel averages the processes' gradients: a process therefore weighs the sum of its losses with the
number of processes over the number of examples of all, and the average is the notes' (1/m) sum over the whole batch.

Notes: F053, F213.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from manual.cli import USAGE, UsageError
from manual.learning import FIRST_EXAMPLES, Examples, take
from torch_ref.devices import device_named

TIMEOUT = timedelta(minutes=5)
"""How long a process waits for the others before it gives up."""

SENTENCE = 400
"""Bytes that a process says to the others at a time."""

TROUBLE = "!"
"""What a sentence begins with that says why a process cannot start."""


@dataclass
class World:
    """The processes that train together.

    ``rank`` is this one's number, ``size`` how many there are, ``group`` torch's name for them, None for all. ``met``
    says that all of them were ready, with the same data.
    """

    rank: int = 0
    size: int = 1
    group: Any = None
    met: bool = False

    @property
    def leads(self) -> bool:
        """Whether this process is the one that prints and writes."""
        return self.rank == 0

    def parts(self, m: int) -> list[slice]:
        """The share of each process in m examples: as even as can be, the first ones one longer; empty where m < size.

        Notes: F208.
        """
        each, more = divmod(m, self.size)
        ends = [rank * each + min(rank, more) for rank in range(self.size + 1)]
        return [slice(start, end) for start, end in pairwise(ends)]

    def part(self, m: int) -> slice:
        """The share of this process in m examples."""
        return self.parts(m)[self.rank]

    def weight(self, m: int) -> float:
        """What the mean loss over this process's share counts: m_share size / m, so that the average is (1/m) sum L."""
        part = self.part(m)
        return float((part.stop - part.start) * self.size / m)

    def wrapped(self, module: Callable[[Tensor], Tensor], device: torch.device) -> Callable[[Tensor], Tensor]:
        """The module, its gradients averaged over the processes in every backward pass."""
        if self.size == 1:
            return module
        assert isinstance(module, nn.Module)
        places = [device] if device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=places, process_group=self.group)

    def gathered(self, rows: Tensor, m: int) -> Tensor:
        """The rows of all processes' shares in m examples, in order."""
        if self.size == 1:
            return rows
        lengths = [part.stop - part.start for part in self.parts(m)]
        padded = functional.pad(rows, (0, 0, 0, max(lengths) - len(rows)))
        return torch.cat([each[:length] for each, length in zip(self._all(padded), lengths, strict=True)])

    def mean(self, value: Tensor) -> Tensor:
        """The average over the processes, the same to the last bit on each."""
        return value if self.size == 1 else torch.stack(self._all(value)).mean()

    def leaders(self, value: Tensor) -> Tensor:
        """The value that the first process has."""
        if self.size > 1:
            value = value.contiguous()
            distributed.broadcast(value, 0, group=self.group)
        return value

    def _all(self, value: Tensor) -> list[Tensor]:
        """What every process has, in order."""
        found = [torch.empty_like(value) for _ in range(self.size)]
        distributed.all_gather(found, value.contiguous(), group=self.group)
        return found

    def said(self, sentence: str, device: torch.device | str = "cpu") -> list[str]:
        """What every process says."""
        spoken = np.frombuffer(sentence.encode()[:SENTENCE].ljust(SENTENCE), np.uint8).copy()
        heard = self._all(torch.from_numpy(spoken).to(device))
        return [each.cpu().numpy().tobytes().decode(errors="ignore").rstrip() for each in heard]

    def meet(self, sentence: str, device: torch.device | str = "cpu") -> None:
        """Wait until all are ready.

        Raises ValueError where they do not say the same, SystemExit where one cannot start: it says itself why.
        """
        heard = self.said(sentence, device)
        self.met = True
        if any(each.startswith(TROUBLE) for each in heard):
            raise SystemExit(USAGE)
        for rank, each in enumerate(heard):
            if each != heard[0]:
                raise ValueError(f"process {rank} has other data or settings than process 0, expected the same for all")


ALONE = World()
"""The world of one process."""


def part_of_masks(masks: Sequence[NDArray[Any] | None] | None, part: slice) -> list[NDArray[Any] | None] | None:
    """The masks of a share of the examples: columns, or volumes."""
    if masks is None:
        return None
    return [None if mask is None else mask[:, part] if mask.ndim == 2 else mask[part] for mask in masks]


def fingerprint(data: Examples, *about: Any) -> str:
    """The same for the same data and the same ``about``; of data that stay in their file, the first examples count."""
    m = data.Y.shape[1]
    X = data.X if isinstance(data.X, np.ndarray) else take(data.X, np.arange(min(m, FIRST_EXAMPLES)))
    found = hashlib.blake2b(repr((data.X.shape, data.Y.shape, *about)).encode(), digest_size=16)
    for value in (X, data.Y):
        found.update(np.ascontiguousarray(value).data)
    return found.hexdigest()


def launched() -> bool:
    """Whether torchrun started this process."""
    return distributed.is_torchelastic_launched()


def together(device: str, train: Callable[[World, torch.device], int]) -> int:
    """``train`` in the world that torchrun made, on this process's device; its exit code.

    The first process alone says what is wrong, if it is the same for all; otherwise the one that has the trouble. A
    process that has lost the others says so.

    Raises UsageError for what this process has to say.
    """
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    chosen = _own_device(device)
    distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo", timeout=TIMEOUT)
    world = World(rank, size)
    try:
        return train(world, chosen)
    except UsageError as error:
        if not world.met:
            heard = world.said(f"{TROUBLE} {error}", chosen)
            if rank != min(place for place, each in enumerate(heard) if each.startswith(TROUBLE)):
                return USAGE
            raise
        if rank:
            return USAGE
        raise
    except RuntimeError as error:
        if not lost(error):
            raise
        advice = "with --checkpoint, --resume goes on from the last one, with as many processes as there are"
        raise UsageError(f"process {rank} of {size} has lost another one, and ends: {advice}") from error
    finally:
        distributed.destroy_process_group()


def lost(error: RuntimeError) -> bool:
    """Whether this is what torch raises where another process is gone or silent."""
    words = ("gloo", "NCCL", "Dist", "Connection", "Timed out", "timed out")
    return any(word in f"{type(error).__name__}: {error}" for word in words)


def _own_device(name: str) -> torch.device:
    """The device of this process: of several GPUs on a machine, each process gets its own.

    Raises UsageError for one that is not there.
    """
    try:
        chosen = device_named(name)
        if str(chosen) == "cuda":
            chosen = device_named(f"cuda:{os.environ['LOCAL_RANK']}")
    except ValueError as error:
        raise UsageError(str(error)) from error
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    return chosen
