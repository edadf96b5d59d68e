"""Products and broadcasting by torch. Counterpart of manual.vectorization."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def linear_unit(w: Tensor, x: Tensor, b: float) -> Tensor:
    """F.linear with one output, on one example."""
    return functional.linear(x.T, w.T, torch.tensor([b], dtype=x.dtype, device=x.device)).squeeze()


matrix_vector = torch.matmul
broadcast_add = torch.add


def column_percentages(A: Tensor) -> Tensor:
    """F.normalize in the 1-norm, which divides positive columns by their sums."""
    return 100 * functional.normalize(A, p=1.0, dim=0)
