"""Several processes that train one network: every batch is shared out, and the gradients add up to the batch's.

torchrun starts the processes. Each draws the same batches and takes its share of every one, so no example comes twice.
DistributedDataParallel averages the processes' gradients: a process therefore weighs the sum of its losses with the
number of processes over the number of examples of all, and the average is the notes' (1/m) sum over the whole batch.

Batch norm is the exception: every process normalises by the statistics of its own share, and the running ones are those
of rank 0, so the result is not that of one process. Smaller shares make the difference larger.

Notes: F053, F213.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from manual.architecture import Architecture
from manual.shared.settings import Data, Run, Settings, take
from torch_ref.hardware import Hardware

SAMPLED = 1000
"""Examples by which data that stay in their file are known, evenly spread over it."""


@dataclass
class World:
    """The processes that train together.

    ``rank`` is this one's number, ``size`` how many there are, ``group`` torch's name for them, None for all.
    """

    rank: int = 0
    size: int = 1
    group: Any = None

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
        return DistributedDataParallel(
            module, device_ids=places, process_group=self.group, gradient_as_bucket_view=True
        )

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

    def check_alike(self, about: Mapping[str, Any]) -> None:
        """Raises ValueError, in every process, where one of them is about to do something else than rank 0."""
        if self.size == 1:
            return
        found: list[Any] = [None] * self.size
        distributed.all_gather_object(found, dict(about), group=self.group)
        first, *others = found
        for rank, other in enumerate(others, start=1):
            for name, value in other.items():
                if value != first[name]:
                    rule = f"expected {first[name]} as in rank 0: all start with the same data and flags"
                    raise ValueError(f"{name} is {value} in rank {rank}, {rule}")


ALONE = World()
"""The world of one process."""


def part_of_masks(masks: Sequence[NDArray[Any] | None] | None, part: slice) -> list[NDArray[Any] | None] | None:
    """The masks of a share of the examples: columns, or volumes."""
    if masks is None:
        return None
    return [None if mask is None else mask[:, part] if mask.ndim == 2 else mask[part] for mask in masks]


def start_of_run(
    data: Data,
    architecture: Architecture,
    settings: Settings,
    hardware: Hardware,
    params: Mapping[str, NDArray[Any]] | None = None,
    resume: Run | None = None,
) -> dict[str, Any]:
    """What must be the same in all processes before they train, as plain data by the names that people know."""
    switches = replace(hardware, device=hardware.device.partition(":")[0])
    begun = params if resume is None else resume.params
    return {
        "the checksum of the data": data_checksum(data),
        "layers": architecture.describe(),
        **{name.replace("_", "-").rstrip("-"): value for name, value in settings.as_json().items()},
        **vars(switches),
        "the epoch to go on from": len(resume.history) if resume else 0,
        "the checksum of the parameters": checksum([begun[name] for name in sorted(begun)] if begun else []),
    }


def data_checksum(data: Data) -> str:
    """The same for the same data; of data that stay in their file, a thousand examples count, evenly spread."""
    m = data.Y.shape[1]
    some = np.linspace(0, m - 1, min(m, SAMPLED)).astype(np.intp)
    X = data.X if isinstance(data.X, np.ndarray) else take(data.X, some)
    return checksum([X, *data[1:]])


def checksum(arrays: Sequence[NDArray[Any]]) -> str:
    """The same for the same arrays."""
    found = hashlib.blake2b(digest_size=8)
    for value in arrays:
        found.update(f"{value.dtype}{value.shape}".encode())
        found.update(np.ascontiguousarray(value).data)
    return found.hexdigest()
