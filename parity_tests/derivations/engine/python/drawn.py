"""Data that are not there, in whose place numbers are drawn: tables of files, and the images that everybody loads."""

from __future__ import annotations

import ast
import io
import pickle
import re
import struct
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

TABLE = (12, 6)

IMAGES = {"mnist": (28, 28), "fashion_mnist": (28, 28), "cifar10": (32, 32, 3)}
"""Data sets of Keras, and the shape of one image."""

PARTS = {"train_images": (0, 0), "train_labels": (0, 1), "test_images": (1, 0), "test_labels": (1, 1)}
"""Functions of the package ``mnist``, and what each gives of ``images``."""

COUNT, CLASSES = 12, 10
"""Of each part of them; every class is in it."""


DIGITS = re.compile(r"mnist|digit", re.I)
"""Files of handwritten digits, of which each row is a label and the 784 pixels of an image."""

MOST_ROWS = 5_000


def of_digits(path: str, text: str) -> bool:
    """Whether a table holds handwritten digits: by its file's name, or by the sizes in the program that reads it."""
    return bool(DIGITS.search(path)) or 784 in _numbers(text)[0]


def rows_of(text: str) -> int:
    """How many rows a table needs that a program takes apart: more than any place at which it does so."""
    return TABLE[0] + max((each for each in _numbers(text)[1] if TABLE[0] < each <= MOST_ROWS), default=0)


@cache
def _numbers(text: str) -> tuple[frozenset[int], frozenset[int]]:
    """The whole numbers in a program, and those at which it cuts arrays."""
    nodes = [] if not text else list(ast.walk(ast.parse(text)))
    cuts = [each for node in nodes if isinstance(node, ast.Slice) for each in (node.lower, node.upper)]
    whole = [each.value for each in nodes if isinstance(each, ast.Constant) and type(each.value) is int]
    return frozenset(whole), frozenset(
        each.value for each in cuts if isinstance(each, ast.Constant) and type(each.value) is int
    )


def table(columns: Any, seed: int, path: str = "", text: str = "") -> Any:
    """A table of numbers, in the last column 0 and 1 in turn; ``columns`` are those that are read, None for all.

    Of digits it is the label in the first column, and pixels behind it. ``text`` is the program that reads it.
    """
    if columns is None and of_digits(path, text):
        rows = rows_of(text)
        pixels = np.random.default_rng([6, seed]).integers(0, 256, (rows, 784))
        labels = (np.arange(rows) * 7 + seed) % CLASSES
        labels[1::2] = CLASSES - 1  # in any dozen of them too, as where rows are shuffled: it says how many there are
        return np.column_stack([labels, pixels])
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


WORDS = "\n".join(("the gradient of a sum is the sum of gradients and each layer hands on what it has " * 8).split())
"""What a text has that is not there: a word in each line, of enough letters for a language model to be trained on."""


def file(path: str, mode: str, seed: int, text: str) -> Any:
    """What stands for a file that is not there: a text, a table, or images and labels as they are kept; None for none.

    ``text`` is the program that reads it.
    """
    if "b" in mode:
        found = next((made for name, made in KEPT.items() if re.search(name, path, re.I)), None)
        return None if found is None else io.BytesIO(found(seed))
    if mode not in ("r", "rt"):
        return None
    if path.endswith((".csv", ".data")) or (path.endswith(".txt") and DIGITS.search(path)):
        rows = table(None, seed, path, text)
        return io.StringIO("".join(",".join(f"{each:g}" for each in row) + "\n" for row in rows))
    return io.StringIO(WORDS) if path.endswith(".txt") else None


def _pixels(seed: int, name: str = "mnist") -> tuple[Any, Any]:
    (images_, labels), _ = images(name, seed)
    return images_.astype(np.uint8).reshape(COUNT, -1), labels.astype(np.uint8)


def _idx_images(seed: int) -> bytes:
    return struct.pack(">IIII", 2051, COUNT, *IMAGES["mnist"]) + bytes(_pixels(seed)[0].tobytes())


def _idx_labels(seed: int) -> bytes:
    return struct.pack(">II", 2049, COUNT) + bytes(_pixels(seed)[1].tobytes())


def _pickled_digits(seed: int) -> bytes:
    pixels, labels = _pixels(seed)
    return pickle.dumps(tuple((pixels.astype(np.float32) / 255, labels.astype(np.int64)) for _ in range(3)))


class Batch(dict[Any, Any]):
    """A batch of CIFAR, whose keys are text or bytes as it is read."""

    def __missing__(self, key: Any) -> Any:
        return self[key.encode()] if isinstance(key, str) and key.encode() in self else dict[Any, Any]()[key]


def _pickled_batch(seed: int) -> bytes:
    pixels, labels = _pixels(seed, "cifar10")
    return pickle.dumps(Batch({b"data": pixels, b"labels": labels.tolist()}))


KEPT: dict[str, Callable[[int], bytes]] = {
    r"idx3|images.*ubyte": _idx_images, r"idx1|labels.*ubyte": _idx_labels, r"mnist.*\.(pkl|pickle)": _pickled_digits,
    r"data_batch|test_batch|cifar": _pickled_batch,
}  # fmt: skip
"""Files of bytes that everybody loads, by their names."""
