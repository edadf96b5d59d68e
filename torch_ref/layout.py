"""The notes' layout and torch's: examples as columns or in rows, channels last or first."""

from __future__ import annotations

from torch import Tensor


def to_rows(A: Tensor, n_C: int = 1) -> Tensor:
    """Columns (n, m) as rows (m, n); volumes (m, n_H, n_W, n_C) as (m, n_C, n_H, n_W).

    Columns that were flattened from volumes of ``n_C`` channels, channels last, come out as torch flattens them.
    """
    if A.ndim == 4:
        return A.permute(0, 3, 1, 2)
    if n_C == 1:
        return A.T
    return A.T.reshape(A.shape[1], -1, n_C).transpose(1, 2).flatten(1)


def from_rows(rows: Tensor, n_C: int = 1) -> Tensor:
    """The way back: the notes' layout of what a module of torch gives."""
    if rows.ndim == 4:
        return rows.permute(0, 2, 3, 1)
    if n_C == 1:
        return rows.T
    return rows.reshape(len(rows), n_C, -1).transpose(1, 2).flatten(1).T


def filters_to_torch(W: Tensor) -> Tensor:
    """Filters (f_H, f_W, n_C_prev, n_C) as (n_C, n_C_prev, f_H, f_W)."""
    return W.permute(3, 2, 0, 1)


def filters_from_torch(W: Tensor) -> Tensor:
    """The way back."""
    return W.permute(2, 3, 1, 0)
