"""The notes' layout and torch's: examples as columns or in rows, channels last or first.

Volumes and filters are handed to torch contiguous, and so are the derivatives that come back to it: several of its
convolutions read other strides wrongly, or refuse them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Reordered(torch.autograd.Function):
    """The axes in another order, contiguous; and so the derivative on its way back."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, order: tuple[int, ...]) -> Tensor:
        """``value.permute(order)`` in memory of its own: of a side of 1, contiguous() would keep any stride."""
        ctx.order = order
        return value.permute(order).clone(memory_format=torch.contiguous_format)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """The order that was."""
        back = tuple(ctx.order.index(axis) for axis in range(len(ctx.order)))
        return Reordered.apply(gradients[0], back), None  # type: ignore[no-untyped-call]


def _reordered(value: Tensor, *order: int) -> Tensor:
    moved: Tensor = Reordered.apply(value, order)  # type: ignore[no-untyped-call]
    return moved


def to_rows(A: Tensor, n_C: int = 1) -> Tensor:
    """Columns (n, m) as rows (m, n); volumes (m, n_H, n_W, n_C) as (m, n_C, n_H, n_W), contiguous.

    Columns that were flattened from volumes of ``n_C`` channels, channels last, come out as torch flattens them.
    """
    if A.ndim == 4:
        return _reordered(A, 0, 3, 1, 2)
    if n_C == 1:
        return A.T
    return A.T.reshape(A.shape[1], -1, n_C).transpose(1, 2).flatten(1)


def from_rows(rows: Tensor, n_C: int = 1) -> Tensor:
    """The way back: the notes' layout of what a module of torch gives."""
    if rows.ndim == 4:
        return _reordered(rows, 0, 2, 3, 1)
    if n_C == 1:
        return rows.T
    return rows.reshape(len(rows), n_C, -1).transpose(1, 2).flatten(1).T


def filters_to_torch(W: Tensor) -> Tensor:
    """Filters (f_H, f_W, n_C_prev, n_C) as (n_C, n_C_prev, f_H, f_W), contiguous."""
    return _reordered(W, 3, 2, 0, 1)


def filters_from_torch(W: Tensor) -> Tensor:
    """The way back."""
    return _reordered(W, 2, 3, 1, 0)
