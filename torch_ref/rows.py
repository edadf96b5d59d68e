"""Training examples where they fit: on the device, in the memory of the host, or in their file.

A GPU copies from pinned memory while it computes, so examples that do not fit on it are handed over batch by batch
while it works on the batch before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from manual.shared.settings import take
from torch_ref.devices import shared
from torch_ref.layout import to_rows

SHARE = 0.5
"""The part of a GPU's free memory that examples may take; the rest is for what is computed of them."""


class Rows:
    """Examples in torch's layout, one in every row, that come to the device in batches."""

    def __init__(self, X: Any, device: torch.device, dtype: torch.dtype, room: float | None = None) -> None:
        """``X`` is as torch_ref.training.fit takes it; ``room`` are the bytes that it may take on the device."""
        self.device, self.dtype = device, dtype
        self.whole: Tensor | None = None
        self.X: Any = None
        if not isinstance(X, np.ndarray) or isinstance(X, np.memmap):  # a map may be larger than memory
            self.X = X
        elif X.nbytes <= (_room(device) if room is None else room):
            self.whole = self._copied(X).to(device, dtype)
        else:
            self.whole = self._copied(X)

    def take(self, batch: NDArray[np.intp]) -> Tensor:
        """These examples, on the device."""
        if self.whole is None:
            return self.moved(take(self.X, batch))
        chosen = torch.from_numpy(batch)
        if self.whole.device.type == self.device.type:
            return self.whole.index_select(0, chosen.to(self.device))
        return self._sent(self.whole.index_select(0, chosen))

    def moved(self, X: NDArray[Any]) -> Tensor:
        """Examples in the notes' layout, on the device in torch's."""
        return self._sent(self._copied(X))

    def _copied(self, X: NDArray[Any]) -> Tensor:
        return to_rows(shared(np.asarray(X))).contiguous()

    def _sent(self, rows: Tensor) -> Tensor:
        """To a GPU through pinned memory, without waiting until they are there."""
        if self.device.type == "cuda":
            return rows.pin_memory().to(self.device, self.dtype, non_blocking=True)
        return rows.to(self.device, self.dtype)


def _room(device: torch.device) -> float:
    """Bytes for examples: without end on the CPU, whose memory holds them already."""
    return SHARE * torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else float("inf")
