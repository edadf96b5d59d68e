"""Dropout with a mask that is given, and its derivative through autograd. Counterpart of manual.dropout.

torch's own dropout draws its mask where it is used, so no two sides can share it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from torch_ref.gradients import gradient


def dropout_forward(A: Tensor, mask: Tensor, keep_prob: float) -> Tensor:
    """What F.dropout with p = 1 - keep_prob gives, had it drawn this mask."""
    return torch.where(mask.bool(), A / keep_prob, 0)


def dropout_backward(dA: Tensor, mask: Tensor, keep_prob: float) -> Tensor:
    """Autograd of dropout_forward under dA."""
    return gradient(lambda at: dropout_forward(at, mask, keep_prob), torch.zeros_like(dA), dA)
