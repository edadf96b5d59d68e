"""What was done to the data of a set before anything was trained on it, so that other examples can be treated alike."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .dataset import Array, ImageShape
from .targets import ENCODERS
from .validation import check_choice, check_image_shape


@dataclass(frozen=True)
class Preparation:
    """The features in their order, the targets by name, and the scales of both.

    The numbers take no part in ``==``: they are known by the arrays that they scaled.

    Attributes
    ----------
    task : str
        As of the Dataset.
    feature_names, target_names : tuple of str
        As of the Dataset.
    labels : tuple of str
        The classes as they stand in the data, which ``target_names`` may call otherwise; none without classes.
    image_shape : (n_H, n_W, n_C) or None
        As of the Dataset.
    mean, deviation : array, shape (n_x,) or (1,)
        Of the features, in the training part: a feature became (x - mean) / deviation.
    target_mean, target_deviation : array, shape (n_L,)
        Of the targets of a regression; 0 and 1 for other tasks.
    targets : tuple of str
        The columns of the file that were targets; none where the data had no such names.
    """

    task: str
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    labels: tuple[str, ...]
    image_shape: ImageShape | None
    mean: Array = field(compare=False)
    deviation: Array = field(compare=False)
    target_mean: Array = field(compare=False)
    target_deviation: Array = field(compare=False)
    targets: tuple[str, ...] = field(default=(), compare=False)

    def scaled(self, rows: Array, dtype: Any) -> Array:
        """Raw examples, shape (m, n_x), as the network takes them: columns, shape (n_x, m), of ``dtype``.

        Raises ValueError for numbers that ``dtype`` does not hold when scaled.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            X = np.array(((rows - self.mean) / self.deviation).T, dtype, order="C")
        if not np.isfinite(X).all():
            largest = np.abs(rows).max()
            raise ValueError(f"X reaches {largest:.3g}, expected numbers that {np.dtype(dtype)} holds when scaled")
        return X

    def values(self, A_L: Array) -> Array:
        """What a regression answers, shape (n_L, m), on the scale of its targets, in float64."""
        return A_L.astype(np.float64) * self.target_deviation[:, np.newaxis] + self.target_mean[:, np.newaxis]

    def to_json(self) -> str:
        """All of it as one line of JSON; ``from_json`` gives it back to the last bit."""
        return json.dumps({name: _plain(value) for name, value in vars(self).items()})

    @classmethod
    def from_json(cls, text: str) -> Preparation:
        """The preparation that a line of JSON describes.

        Raises ValueError, in one sentence, for anything else.
        """
        try:
            found = json.loads(text)
            numbers: dict[str, Any] = {name: np.array(found.pop(name), np.float64) for name in NUMBERS}
            shape = found.pop("image_shape")
            task = found.pop("task")
            words: dict[str, Any] = {name: tuple(map(str, values)) for name, values in found.items()}
            made = cls(task=task, image_shape=None if shape is None else tuple(shape), **words, **numbers)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise ValueError(
                "what was done to its data cannot be read, expected what a Dataset's to_json gave"
            ) from None
        made.check()
        return made

    def check(self) -> None:
        """ValueError unless all fits together."""
        check_choice("task", self.task, tuple(ENCODERS))
        n_x, n_L = len(self.feature_names), 1 if self.task == "binary" else len(self.target_names)
        check_image_shape(self.image_shape, n_x)
        expected = (((1,), (n_x,)), ((1,), (n_x,)), ((n_L,),), ((n_L,),))
        for name, shapes in zip(NUMBERS, expected, strict=True):
            values = getattr(self, name)
            if values.shape not in shapes or not np.isfinite(values).all():
                raise ValueError(f"{name} has shape {values.shape}, expected finite numbers of shape {shapes[-1]}")


NUMBERS = ("mean", "deviation", "target_mean", "target_deviation")
"""The attributes that are arrays."""


def _plain(value: Any) -> Any:
    """An array as a list, which JSON can write."""
    return value.tolist() if isinstance(value, np.ndarray) else value
