"""The data sets by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from datasets import generated, toy
from datasets.checks import check_choice, check_seed
from datasets.dataset import Dataset, Raw
from datasets.prepare import from_arrays

LOADERS: dict[str, Callable[[int], Raw]] = {
    "breast_cancer": toy.breast_cancer,
    "iris": toy.iris,
    "wine": toy.wine,
    "digits": toy.digits,
    "digits28": toy.digits28,
    "diabetes": toy.diabetes,
    "linnerud": toy.linnerud,
    "moons": generated.moons,
    "circles": generated.circles,
    "blobs": generated.blobs,
    "multilabel": generated.multilabel,
    "flower": generated.flower,
}

NAMES: tuple[str, ...] = tuple(LOADERS)
"""What ``load`` knows."""


def load(name: str, *, seed: int = 0, test_size: float = 0.2, dtype: DTypeLike = np.float64) -> Dataset:
    """A data set by name: split, scaled, examples as columns.

    Parameters
    ----------
    name : str
        One of ``NAMES``.
    seed : int
        Seed of the split, and of the points where they are generated.
    test_size : float
        The fraction of test examples, between 0 and 1.
    dtype : dtype_like
        float32 or float64.

    Returns
    -------
    Dataset
        X of shape (n_x, m), Y of shape (n_L, m), in two parts.

    Raises
    ------
    ValueError
        One sentence, if an argument is not as described above.

    Notes: F044, F045, F244, F245.

    Examples
    --------
    >>> iris = load("iris")
    >>> iris.X_train.shape, iris.Y_train.shape
    ((4, 120), (3, 120))
    """
    check_choice("dataset", name, NAMES)
    raw = LOADERS[name](check_seed(seed))
    return from_arrays(
        name,
        raw.task,
        raw.X,
        raw.Y,
        feature_names=raw.feature_names,
        target_names=raw.target_names,
        image_shape=raw.image_shape,
        seed=seed,
        test_size=test_size,
        dtype=dtype,
    )
