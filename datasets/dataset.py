"""What a data set is: two parts, examples as columns, and the names of their rows."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""Of a data set: an array of float32 or float64."""

ImageShape: TypeAlias = tuple[int, int, int]
"""(n_H, n_W, n_C), channels last."""


class Raw(NamedTuple):
    """Data as scikit-learn lays it out, before checks, split and scaling: one example is one row."""

    task: str
    X: Array  # (m, n_x)
    Y: Array  # (m,) or (m, n_L)
    feature_names: tuple[str, ...] | None = None
    target_names: tuple[str, ...] | None = None
    image_shape: ImageShape | None = None


class Dataset(NamedTuple):
    """A training part and a test part: one example is one column.

    X = [x(1) ... x(m)] and Y = [y(1) ... y(m)].

    Attributes
    ----------
    name : str
    task : str
        ``binary``: Y of 0 and 1, one row. ``multiclass``: one-hot columns, a row for each class.
        ``multilabel``: Y of 0 and 1, a row for each label. ``regression``: scaled values.
    X_train, X_test : array, shape (n_x, m_train) and (n_x, m_test)
        C-contiguous, scaled with the mean and deviation of the training part. For a .npy file too large to hold,
        ``datasets.lazy.LazyColumns``: columns are taken from it as from an array, and read as they are taken.
    Y_train, Y_test : array, shape (n_L, m_train) and (n_L, m_test)
        C-contiguous, of the dtype of X.
    feature_names : tuple of str
        One for each row of X.
    target_names : tuple of str
        One for each row of Y; for ``binary`` the names of 0 and of 1.
    image_shape : (n_H, n_W, n_C) or None
        None where an example is no image.
    preparation : datasets.preparation.Preparation or None
        What was done to the data: the scales, and the classes as they were called.

    Notes: F044, F045.
    """

    name: str
    task: str
    X_train: Array
    Y_train: Array
    X_test: Array
    Y_test: Array
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    image_shape: ImageShape | None
    preparation: Any = None

    @property
    def images_train(self) -> Array:
        """The training examples as images, shape (m, n_H, n_W, n_C): a view of X_train.

        Raises
        ------
        ValueError
            If the examples are no images.
        """
        images: Array = _images(self.name, self.X_train, self.image_shape)
        return images

    @property
    def images_test(self) -> Array:
        """The test examples as images, shape (m, n_H, n_W, n_C): a view of X_test.

        Raises
        ------
        ValueError
            If the examples are no images.
        """
        images: Array = _images(self.name, self.X_test, self.image_shape)
        return images


def _images(name: str, X: Any, image_shape: ImageShape | None) -> Any:
    """Undo the flattening, channels last: (n_H n_W n_C, m) to (m, n_H, n_W, n_C)."""
    if image_shape is None:
        raise ValueError(f"{name!s:.40} has no image_shape, expected (n_H, n_W, n_C): it holds no images")
    if not isinstance(X, np.ndarray):
        return X.images(image_shape)
    return X.T.reshape(-1, *image_shape)
