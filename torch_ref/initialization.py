"""Scales of torch.nn.init, read off its own draws. Counterpart of manual.initialization."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor


def _scale(fill: Callable[..., Tensor], n_prev: int, n: int) -> Tensor:
    """The factor between what ``fill`` draws and standard normal draws from the same seed."""
    drawn, standard = (torch.empty(n, n_prev, dtype=torch.float64) for _ in range(2))
    fill(drawn, generator=torch.Generator().manual_seed(0))
    torch.nn.init.normal_(standard, generator=torch.Generator().manual_seed(0))
    return (drawn / standard).flatten()[0]


def lecun(n_prev: int) -> Tensor:
    """kaiming_normal_ with the gain of a linear unit."""
    return _scale(partial(torch.nn.init.kaiming_normal_, nonlinearity="linear"), n_prev, 1)


def xavier(n_prev: int, n: int) -> Tensor:
    """xavier_normal_."""
    return _scale(torch.nn.init.xavier_normal_, n_prev, n)


def he(n_prev: int) -> Tensor:
    """kaiming_normal_ with the gain of a ReLU."""
    return _scale(partial(torch.nn.init.kaiming_normal_, nonlinearity="relu"), n_prev, 1)
