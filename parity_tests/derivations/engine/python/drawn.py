"""Data that are not there, in whose place numbers are drawn: tables of files, and the images that everybody loads."""

from __future__ import annotations

from typing import Any

import numpy as np

TABLE = (12, 6)

IMAGES = {"mnist": (28, 28), "fashion_mnist": (28, 28), "cifar10": (32, 32, 3)}
"""Data sets of Keras, and the shape of one image."""

PARTS = {"train_images": (0, 0), "train_labels": (0, 1), "test_images": (1, 0), "test_labels": (1, 1)}
"""Functions of the package ``mnist``, and what each gives of ``images``."""

COUNT, CLASSES = 12, 10
"""Of each part of them; every class is in it."""


def table(columns: Any, seed: int) -> Any:
    """A table of numbers, in the last column 0 and 1 in turn; ``columns`` are those that are read, None for all."""
    rows, count = TABLE[0], TABLE[1] if columns is None else np.size(columns)
    drawn = np.random.default_rng([5, seed]).standard_normal((rows, count))
    if count > 1:
        drawn[:, -1] = np.arange(rows) % 2
    return drawn


def images(name: str, seed: int) -> Any:
    """What ``load_data`` of a data set of Keras gives: images of 0 to 255 and labels, to train and to test."""
    rng = np.random.default_rng([6, seed])
    parts = []
    for _ in ("to train", "to test"):
        drawn = rng.integers(0, 256, (COUNT, *IMAGES[name])).astype(np.float64)
        parts.append((drawn, (np.arange(COUNT) * 7 + seed) % CLASSES))
    return tuple(parts)


def one_hot(labels: Any, num_classes: int | None = None, **_: Any) -> Any:
    """``to_categorical`` of Keras."""
    whole = np.asarray(labels, np.intp)
    return np.eye(num_classes or int(whole.max()) + 1)[whole]
