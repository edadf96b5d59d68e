"""What is timed on a device, and the ratios that a GPU is held to.

The worker processes import this module, so it imports neither torch nor anything built on it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from manual.architecture import Architecture, Dense
from manual.shared.settings import Settings
from parity_tests.bench.sizes import FitData, FitSize, draw_digits

EPOCHS = 20
"""Epochs of a training that is timed; each call begins anew."""

OUTPUTS = 10


class EpochSize(NamedTuple):
    """Trainings on digits, for their epochs: units of the hidden layer and examples in a batch."""

    device: str
    hidden: int
    batch_size: int

    def __str__(self) -> str:
        """In words."""
        return f"digits, {self.hidden} hidden units, batches of {self.batch_size}"


class DrawsSize(NamedTuple):
    """The coarse search on digits: units of the hidden layer and draws."""

    device: str
    hidden: int
    draws: int

    def __str__(self) -> str:
        """In words."""
        return f"digits, {self.hidden} hidden units, {self.draws} draws"


class WideSize(NamedTuple):
    """A step of a wide network in bfloat16: units of each layer, hidden layers, examples; and the side of a product."""

    device: str
    width: int
    layers: int
    m: int
    side: int

    def __str__(self) -> str:
        """In words."""
        return f"{self.layers} layers of {self.width}, {self.m} examples; product of side {self.side}"

    @property
    def architecture(self) -> Architecture:
        """ReLU layers, all as wide as the input, under a small softmax."""
        hidden = [Dense(self.width, "relu")] * self.layers
        return Architecture(self.width, (*hidden, Dense(OUTPUTS, "softmax")))


class DeviceSizes(NamedTuple):
    """What one run measures."""

    epochs: EpochSize
    draws: DrawsSize
    wide: WideSize


class DeviceBars(NamedTuple):
    """The least that the ratios may be on a GPU."""

    graph: float = 10
    together: float = 30
    wide: float = 0.6


def device_sizes(device: str, *, quick: bool) -> DeviceSizes:
    """The sizes that the bars are about; or small ones, which show that it runs."""
    if not quick:
        return DeviceSizes(
            EpochSize(device, 64, 64), DrawsSize(device, 64, 100), WideSize(device, 4096, 4, 16384, 8192)
        )
    return DeviceSizes(EpochSize(device, 16, 256), DrawsSize(device, 16, 2), WideSize(device, 128, 2, 64, 256))


def draw_epochs(size: EpochSize, dtype: Any) -> FitData:
    """Network, settings and data of the trainings."""
    data = draw_digits(FitSize((size.hidden,), size.batch_size), dtype)
    return data._replace(settings=replace(data.settings, epochs=EPOCHS))


def draw_draws(size: DrawsSize, dtype: Any) -> FitData:
    """Network and data of the search, which has settings of its own."""
    return draw_digits(FitSize((size.hidden,), 100), dtype)


class WideData(NamedTuple):
    """A wide network and the one batch that it trains on."""

    size: WideSize
    settings: Settings
    X: Any
    Y: Any


def draw_wide(size: WideSize, dtype: Any) -> WideData:
    """Normal inputs and drawn classes."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((size.width, size.m), dtype=np.float32).astype(dtype, copy=False)
    Y = np.eye(OUTPUTS, dtype=dtype)[:, rng.integers(0, OUTPUTS, size.m)]
    return WideData(size, Settings(batch_size=size.m, epochs=1), X, Y)
