"""The notes' layout and torch's: examples as columns or in rows, channels last or first.

Volumes and filters are handed to torch contiguous, and so are the derivatives that come back to it: several of its
convolutions read other strides wrongly, or refuse them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Handed(torch.autograd.Function):
    """The axes in another order: contiguous on the way to torch, as they lie on the way from it.

    The derivative goes the other way, so it is contiguous where the value was not.
    """

    @staticmethod
    def forward(ctx: Any, value: Tensor, order: tuple[int, ...], to_torch: bool) -> Tensor:
        """The value in another order."""
        ctx.order, ctx.to_torch = order, to_torch
        return _reordered(value, order, to_torch)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """The derivative in the order that was."""
        back = tuple(ctx.order.index(axis) for axis in range(len(ctx.order)))
        return _reordered(gradients[0], back, not ctx.to_torch), None, None


def _reordered(value: Tensor, order: tuple[int, ...], to_torch: bool) -> Tensor:
    moved = value.permute(order)
    # of a side of 1 contiguous() would keep any stride, and torch reads it
    return moved.clone(memory_format=torch.contiguous_format) if to_torch else moved


def _to_torch(value: Tensor, *order: int) -> Tensor:
    moved: Tensor = Handed.apply(value, order, True)  # type: ignore[no-untyped-call]
    return moved


def _from_torch(value: Tensor, *order: int) -> Tensor:
    moved: Tensor = Handed.apply(value, order, False)  # type: ignore[no-untyped-call]
    return moved


def to_rows(A: Tensor, n_C: int = 1) -> Tensor:
    """Columns (n, m) as rows (m, n); volumes (m, n_H, n_W, n_C) as (m, n_C, n_H, n_W), contiguous.

    Columns that were flattened from volumes of ``n_C`` channels, channels last, come out as torch flattens them.
    """
    if A.ndim == 4:
        return _to_torch(A, 0, 3, 1, 2)
    if n_C == 1:
        return A.T
    return A.T.reshape(A.shape[1], -1, n_C).transpose(1, 2).flatten(1)


def from_rows(rows: Tensor, n_C: int = 1) -> Tensor:
    """The way back: the notes' layout of what a module of torch gives."""
    if rows.ndim == 4:
        return _from_torch(rows, 0, 2, 3, 1)
    if n_C == 1:
        return rows.T
    return rows.reshape(len(rows), n_C, -1).transpose(1, 2).flatten(1).T


def filters_to_torch(W: Tensor) -> Tensor:
    """Filters (f_H, f_W, n_C_prev, n_C) as (n_C, n_C_prev, f_H, f_W), contiguous."""
    return _to_torch(W, 3, 2, 0, 1)


def filters_from_torch(W: Tensor) -> Tensor:
    """The way back."""
    return _from_torch(W, 2, 3, 1, 0)
