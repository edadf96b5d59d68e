"""Learning-rate schedules: the rate of an epoch, from the first rate and the number of epochs behind it.

alpha_0 = ``learning_rate``, k = ``epoch``, 0 for the first. ``dataclasses.replace(rule, learning_rate=...)`` gives the
rate to an optimiser.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from manual.notation import check_count


def constant(learning_rate: float, epoch: int) -> float:
    """No decay: alpha = alpha_0.

    Raises ValueError for a negative epoch.
    """
    _check_epoch(epoch)
    return learning_rate


def exponential(learning_rate: float, epoch: int, decay: float = 0.9) -> float:
    """The same fraction from epoch to epoch: alpha = decay^k alpha_0.

    Raises ValueError for a negative epoch, or a decay outside (0, 1].

    Notes: F259.
    """
    _check_epoch(epoch)
    _check_decay(decay)
    return decay**epoch * learning_rate


def inverse_time(learning_rate: float, epoch: int, decay: float = 0.1) -> float:
    """Ever more slowly: alpha = alpha_0 / (1 + decay k).

    Raises ValueError for a negative epoch, or a decay that is not finite and above 0.

    Notes: F265.
    """
    _check_epoch(epoch)
    if not 0 < decay < math.inf:
        raise ValueError(f"decay is {decay}, expected a finite number above 0: what an epoch adds to the divisor")
    return learning_rate / (1 + decay * epoch)


def staircase(learning_rate: float, epoch: int, decay: float = 0.5, every: int = 10) -> float:
    """By steps: alpha = decay^floor(k / every) alpha_0.

    Raises ValueError for a negative epoch, a decay outside (0, 1], or an ``every`` below 1.

    Notes: F265.
    """
    _check_epoch(epoch)
    _check_decay(decay)
    check_count("every", every, 1, "the epochs between two steps")
    return decay ** (epoch // every) * learning_rate


def cosine(learning_rate: float, epoch: int, epochs: int = 100) -> float:
    """Half a cosine wave down to zero: alpha = (1 + cos(pi k / K)) / 2 alpha_0, K = ``epochs``.

    Raises ValueError unless 0 <= k < K.

    Notes: F265. Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, 2017.
    """
    _check_epoch(epoch)
    if epoch >= epochs:
        raise ValueError(f"epoch is {epoch}, expected less than epochs = {epochs}: there the rate is 0")
    return (1 + math.cos(math.pi * epoch / epochs)) / 2 * learning_rate


SCHEDULES: dict[str, Callable[..., float]] = {
    "constant": constant,
    "exponential": exponential,
    "inverse_time": inverse_time,
    "staircase": staircase,
    "cosine": cosine,
}
"""Schedules by name: functions of (learning_rate, epoch) and their own settings."""


def _check_epoch(epoch: int) -> None:
    check_count("epoch", epoch, 0, "the first epoch is number 0")


def _check_decay(decay: float) -> None:
    if not 0 < decay <= 1:
        raise ValueError(f"decay is {decay}, expected a number in (0, 1]: the fraction of the rate that is left")
