"""The trainings that are timed: digits by Adam, as scikit-learn's own network trains them, and the ratios' bars.

Every worker process imports this module, so it imports neither torch nor anything built on it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from manual.architecture import Architecture, Dense
from manual.notation import Array
from manual.shared.cli import toy_datasets
from manual.shared.settings import Settings

EPOCHS = 20


class FitSize(NamedTuple):
    """Units of the hidden layers and examples in a batch."""

    hidden: tuple[int, ...]
    batch_size: int

    def __str__(self) -> str:
        """Such as ``128, 64; 200``."""
        return f"{', '.join(str(n) for n in self.hidden)}; {self.batch_size}"


class FitBar(NamedTuple):
    """The most that a training by hand may take, in units of scikit-learn's and of torch's."""

    sklearn: float
    torch: float


FIT_SIZES: dict[FitSize, FitBar] = {
    FitSize((64,), 64): FitBar(0.6, 0.5),
    FitSize((64,), 200): FitBar(0.6, 0.5),
    FitSize((128, 64), 64): FitBar(0.6, 0.6),
    FitSize((128, 64), 200): FitBar(0.6, 0.6),
    FitSize((512, 256), 64): FitBar(0.9, 1.0),
    FitSize((512, 256), 200): FitBar(0.9, 1.0),
}


class FitData(NamedTuple):
    """Network, settings and the training part of digits."""

    size: FitSize
    architecture: Architecture
    settings: Settings
    X: Array
    Y: Array


def draw_digits(size: FitSize, dtype: Any) -> FitData:
    """ReLU layers under a softmax; no penalty, no dropout, no decay: what scikit-learn's network does too."""
    data = toy_datasets().load("digits", dtype=dtype)
    layers = (*(Dense(n, "relu") for n in size.hidden), Dense(data.Y_train.shape[0], "softmax"))
    settings = Settings(optimizer="adam", learning_rate=0.001, epochs=EPOCHS, batch_size=size.batch_size)
    return FitData(size, Architecture(data.X_train.shape[0], layers), settings, data.X_train, data.Y_train)
