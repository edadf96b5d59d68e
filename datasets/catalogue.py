"""The data sets by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from . import generated, openml, toy
from .dataset import Dataset, Raw
from .prepare import from_arrays, from_parts
from .validation import check_choice, check_seed

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

NAMES: tuple[str, ...] = (*LOADERS, *openml.SOURCES)
"""What ``load`` knows; the last two are fetched once, over the network, and kept."""


def load(
    name: str,
    *,
    seed: int = 0,
    test_size: float = 0.2,
    dtype: DTypeLike = np.float64,
    data_home: openml.DataHome = None,
) -> Dataset:
    """A data set by name: split, scaled, examples as columns.

    Parameters
    ----------
    name : str
        One of ``NAMES``.
    seed : int
        Seed of the split, and of the points where they are generated.
    test_size : float
        The fraction of test examples, between 0 and 1. ``mnist`` and ``fashion_mnist`` keep the division that everybody
        reports on: their last 10,000 examples are the test part, whatever ``seed`` and ``test_size`` say.
    dtype : dtype_like
        float32 or float64.
    data_home : path, optional
        Where ``mnist`` and ``fashion_mnist`` are kept; by default scikit-learn's own place, ``SCIKIT_LEARN_DATA``.

    Returns
    -------
    Dataset
        X of shape (n_x, m), Y of shape (n_L, m), in two parts.

    Raises
    ------
    ValueError
        One sentence, if an argument is not as described above, or a set is neither kept nor to be fetched.

    Notes: F044, F045, F244, F245.

    Examples
    --------
    >>> iris = load("iris")
    >>> iris.X_train.shape, iris.Y_train.shape
    ((4, 120), (3, 120))
    """
    check_choice("dataset", name, NAMES)
    seed = check_seed(seed)
    if name in openml.SOURCES:
        raw = openml.fetch(name, data_home)
        return from_parts(
            name,
            raw.task,
            (raw.X[: -openml.TEST], raw.Y[: -openml.TEST]),
            (raw.X[-openml.TEST :], raw.Y[-openml.TEST :]),
            target_names=raw.target_names,
            image_shape=raw.image_shape,
            dtype=dtype,
        )
    raw = LOADERS[name](seed)
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
