"""Learning-rate schedules as torch's schedulers, stepped once an epoch. Counterpart of manual.schedules."""

from __future__ import annotations

from collections.abc import Callable

from torch.optim import Optimizer, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler


def constant(rule: Optimizer) -> LRScheduler:
    """ConstantLR with the factor 1."""
    return lr_scheduler.ConstantLR(rule, factor=1.0)


def exponential(rule: Optimizer, decay: float = 0.9) -> LRScheduler:
    """ExponentialLR, whose gamma is decay."""
    return lr_scheduler.ExponentialLR(rule, gamma=decay)


def inverse_time(rule: Optimizer, decay: float = 0.1) -> LRScheduler:
    """LambdaLR: torch has no schedule of this form."""
    return lr_scheduler.LambdaLR(rule, lambda epoch: 1 / (1 + decay * epoch))


def staircase(rule: Optimizer, decay: float = 0.5, every: int = 10) -> LRScheduler:
    """StepLR, whose gamma is decay and whose step_size is every."""
    return lr_scheduler.StepLR(rule, step_size=every, gamma=decay)


def cosine(rule: Optimizer, epochs: int = 100) -> LRScheduler:
    """CosineAnnealingLR, whose T_max is the number of epochs; beyond it the rate rises again."""
    return lr_scheduler.CosineAnnealingLR(rule, T_max=epochs)


SCHEDULES: dict[str, Callable[..., LRScheduler]] = {
    "constant": constant,
    "exponential": exponential,
    "inverse_time": inverse_time,
    "staircase": staircase,
    "cosine": cosine,
}
"""Schedules by name, as functions of the optimiser and their own settings."""
