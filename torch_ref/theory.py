"""The claims about networks by torch's own operations. Counterpart of manual.theory."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class Collapsed(NamedTuple):
    """The one layer that stands for two: W (n_2, n_x) and b (n_2, 1)."""

    W: Tensor
    b: Tensor


def collapse(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> Collapsed:
    """W and b as the Jacobian of F.linear after F.linear, and its value at 0."""

    def composed(x: Tensor) -> Tensor:
        return functional.linear(functional.linear(x, W1, b1.flatten()), W2, b2.flatten())

    at_zero = torch.zeros(W1.shape[1], dtype=W1.dtype, device=W1.device)
    W = torch.autograd.functional.jacobian(composed, at_zero)  # type: ignore[no-untyped-call]
    return Collapsed(W, composed(at_zero).reshape(-1, 1))


def unit_distance(W: Tensor) -> Tensor:
    """The largest of F.pdist, the distances between all pairs of rows."""
    return functional.pdist(W).max()


def spread(A: Tensor) -> Tensor:
    """torch.std over all entries, divided by their number."""
    return torch.std(A, correction=0)


def parity(X: Tensor) -> Tensor:
    """torch.remainder of the number of ones."""
    return torch.remainder(X.sum(dim=0, keepdim=True), 2)
