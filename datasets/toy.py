"""The sets that come with scikit-learn: nothing is downloaded."""

from __future__ import annotations

from typing import Any

import numpy as np

from .dataset import Raw


def breast_cancer(seed: int) -> Raw:
    """569 tumours, 30 measurements: malignant (0) or benign (1)."""
    from sklearn.datasets import load_breast_cancer

    return _classes("binary", load_breast_cancer())


def iris(seed: int) -> Raw:
    """150 flowers, 4 measurements, 3 species."""
    from sklearn.datasets import load_iris

    return _classes("multiclass", load_iris())


def wine(seed: int) -> Raw:
    """178 wines, 13 measurements, 3 growers."""
    from sklearn.datasets import load_wine

    return _classes("multiclass", load_wine())


def digits(seed: int) -> Raw:
    """1797 handwritten digits of 8 by 8 grey pixels."""
    from sklearn.datasets import load_digits

    return _classes("multiclass", load_digits())._replace(image_shape=(8, 8, 1))


def digits28(seed: int) -> Raw:
    """The 1797 digits on a blank border, 28 by 28 pixels as LeNet-5 takes them."""
    raw = digits(seed)
    images = np.pad(raw.X.reshape(-1, 8, 8), ((0, 0), (10, 10), (10, 10)))
    return raw._replace(X=images.reshape(len(images), -1), feature_names=None, image_shape=(28, 28, 1))


def diabetes(seed: int) -> Raw:
    """442 patients, 10 measurements, the progression of the disease after one year."""
    from sklearn.datasets import load_diabetes

    # scikit-learn's own scaling would have seen the test part.
    bunch = load_diabetes(scaled=False)
    return Raw("regression", bunch.data, bunch.target, tuple(bunch.feature_names), ("progression",))


def linnerud(seed: int) -> Raw:
    """20 men, 3 exercises, 3 measurements of the body: several outputs."""
    from sklearn.datasets import load_linnerud

    bunch = load_linnerud()
    return Raw("regression", bunch.data, bunch.target, tuple(bunch.feature_names), tuple(bunch.target_names))


def _classes(task: str, bunch: Any) -> Raw:
    """A set of labelled examples; a bunch is scikit-learn's bundle of data, target and names."""
    return Raw(task, bunch.data, bunch.target, tuple(bunch.feature_names), tuple(bunch.target_names))
