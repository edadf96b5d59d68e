"""PyTorch as the recipe runs it: its learner, on a device, and the values of its layers. No formula."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from manual.architecture import Architecture
from manual.shared.recipe_runs import Backend
from torch_ref import network
from torch_ref.devices import array
from torch_ref.training import Hardware, Learner


def backend(device: str = "cpu", where: str = "torch") -> Backend:
    """PyTorch on a device, as the recipe runs it; a device other than the CPU is not shared among processes."""
    learner = partial(Learner, hardware=Hardware(device))
    return Backend("python -m torch_ref", learner, activations, where, None if device == "cpu" else 1)


@torch.no_grad()
def activations(architecture: Architecture, params: network.Arrays, X: NDArray[Any]) -> Sequence[NDArray[Any]]:
    """A[0] = X to A[L], in the notes' layout, on the CPU."""
    passed = network.forward(network.module_with(architecture, params), torch.from_numpy(np.ascontiguousarray(X)))
    return [array(A) for A in passed.A]
