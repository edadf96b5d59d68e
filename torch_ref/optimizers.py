"""The notes' optimisers as torch.optim's, with the exact translation. Counterpart of manual.optimizers."""

from __future__ import annotations

import torch
from torch import nn


def gradient_descent(module: nn.Module, learning_rate: float) -> torch.optim.SGD:
    """torch.optim.SGD without momentum."""
    return torch.optim.SGD(module.parameters(), lr=learning_rate)
