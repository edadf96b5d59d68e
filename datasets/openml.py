"""Sets of 70,000 images of 28 by 28 grey pixels from OpenML: fetched once, then read from scikit-learn's cache."""

from __future__ import annotations

import os
import warnings
from importlib.util import find_spec
from typing import NamedTuple, TypeAlias

from .dataset import Raw

DataHome: TypeAlias = str | os.PathLike[str] | None
"""Where the cache lies; None for scikit-learn's own place, which SCIKIT_LEARN_DATA may name."""

TEST = 10_000
"""The division that everybody reports on: the last 10,000 examples are the test part."""

DIGITS = tuple("0123456789")
CLOTHES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


class Source(NamedTuple):
    """A set by its number at OpenML, and the names of the classes that are numbered there."""

    data_id: int
    target_names: tuple[str, ...]


SOURCES = {"mnist": Source(554, DIGITS), "fashion_mnist": Source(40996, CLOTHES)}
"""By the name that ``load`` takes."""


def fetch(name: str, data_home: DataHome = None) -> Raw:
    """A set from the cache or, the first time, from OpenML.

    Raises
    ------
    ValueError
        One sentence, where the set is in neither.
    """
    from sklearn.datasets import fetch_openml

    data_id, target_names = SOURCES[name]
    # pandas reads the file faster, where it is there.
    parser = "pandas" if find_spec("pandas") else "liac-arff"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one for each attempt to reach the network
            bunch = fetch_openml(data_id=data_id, as_frame=False, parser=parser, data_home=data_home)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{name} is not in scikit-learn's cache (data_home, or SCIKIT_LEARN_DATA) and cannot be fetched from "
            f"openml.org: {reason:.80}"
        ) from error
    return Raw("multiclass", bunch.data, bunch.target, None, target_names, (28, 28, 1))
