"""Where tensors live, and how arrays cross over."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

DEVICES = ("auto", "cpu", "cuda", "mps")

DTYPES = {np.dtype(np.float32): torch.float32, np.dtype(np.float64): torch.float64}
"""torch's dtype for NumPy's."""


def device_named(name: str = "auto") -> torch.device:
    """The device of that name: auto (the best at hand), cpu, cuda, cuda:1, mps.

    Raises ValueError for an unknown name, and for a device that this machine or this torch lacks.
    """
    kind = name.partition(":")[0]
    if kind not in DEVICES or (":" in name and not name.partition(":")[2].isdigit()):
        raise ValueError(f"device is {name!r}, expected one of {', '.join(DEVICES)}, or cuda:N")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    elif kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(name.partition(":")[2] or 0) >= count:
            raise ValueError(f"device is {name!r}, but this torch ({torch.__version__}) finds {count} CUDA devices")
    elif kind == "mps" and not torch.backends.mps.is_available():
        raise ValueError(f"device is 'mps', but this torch ({torch.__version__}) finds no Metal device")
    return torch.device(name)


def shared(array: NDArray[Any]) -> Tensor:
    """A tensor that shares the array's memory, to be read alone: the array may be read-only, as a memory map is.

    A reversed array is copied: torch has no negative strides.
    """
    if any(stride < 0 for stride in array.strides):
        array = array.copy()
    if array.flags.writeable:
        return torch.from_numpy(array)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(array)


def tensor(array: NDArray[Any], device: torch.device | str = "cpu") -> Tensor:
    """A tensor of the array's values and dtype on the device, in memory of its own."""
    return torch.from_numpy(np.array(array, order="C")).to(device)


def array(value: Tensor) -> NDArray[Any]:
    """The tensor's values as a NumPy array; bfloat16, which NumPy lacks, as float32."""
    kept = value.detach().cpu()
    result: NDArray[Any] = (kept.float() if kept.dtype == torch.bfloat16 else kept).numpy()
    return result
