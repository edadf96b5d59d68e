"""Examples from a file for a network that is trained already: features by name, and targets where there are some."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .csv_file import WHOLE, cells, is_number, opened
from .dataset import Array
from .own_file import array_names, beside, mapped, stored_arrays, suffix_of
from .preparation import Preparation
from .validation import as_numbers, check_finite, show


class Examples(NamedTuple):
    """Raw examples, one in a row, and their targets.

    Attributes
    ----------
    X : array, shape (m, n_x) or (m, n_H, n_W, n_C)
        Raw numbers; of a .npy, a memory map.
    Y : array or None
        Classes: their numbers, shape (m,), -1 for one that the network does not know. Labels and values: (m, n_L).
        None where the file has no targets, or targets of another kind: ``remark`` says which.
    places : sequence of int
        The rows of the file, as a spreadsheet counts; of arrays, the numbers of the examples from 0.
    place : str
        What ``places`` are: row or example.
    remark : str
        Why there are no targets, where the file seems to have some.
    """

    X: Array
    Y: Array | None
    places: Sequence[int]
    place: str
    remark: str = ""

    def scaled(self, preparation: Preparation, dtype: np.dtype[np.float64], size: int) -> Iterator[Array]:
        """The examples as the network takes them, shape (n_x, k), ``size`` at a time.

        Raises ValueError at the first number that is not finite, or leaves the range of the dtype.
        """
        n_x = len(preparation.feature_names)
        for start in range(0, len(self.X), size):
            rows = as_numbers("X", self.X[start : start + size]).reshape(-1, n_x)
            check_finite("X", rows)
            yield preparation.scaled(rows, dtype)


def examples_from(path: str | os.PathLike[str], preparation: Preparation, target: str | None = None) -> Examples:
    """The examples of a .csv, .npz or .npy file, in the order of the features that the network was trained on.

    The columns of a .csv are found by their names; a target column is left aside. ``target`` names the target where it
    is called otherwise than in training: a column, several with commas between, an array of the .npz, or a .npy file.

    Raises
    ------
    ValueError
        One sentence, for a file that cannot be read, a feature that is missing, and a column that is none.
    """
    path = Path(path)
    reader = READERS[suffix_of(path)]
    try:
        return reader(path, preparation, target)
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from error
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def _csv(path: Path, preparation: Preparation, target: str | None) -> Examples:
    """The columns that the network takes, and the target columns where all are there."""
    features = preparation.feature_names
    with opened(path) as (names, rows):
        wanted = _target_columns(names, preparation, target)
        known = set(names)
        present = [name for name in wanted if name in known]
        _check_columns(names, features, present)
        found = cells(names, rows, features, present)
    if not found.rows:
        raise ValueError("it has a header and no examples, expected at least 1")
    if len(present) < len(wanted) or not wanted:
        return Examples(found.X, None, found.rows, "row", _missing(wanted, present))
    Y, remark = _targets(found.texts, present, found.rows, preparation)
    return Examples(found.X, Y, found.rows, "row", remark)


def _target_columns(names: Sequence[str], preparation: Preparation, target: str | None) -> tuple[str, ...]:
    """The target columns: those named, those of the training, or those that are called as the outputs are."""
    if target is None:
        return preparation.targets or (() if preparation.labels else preparation.target_names)
    wanted = (target,) if target in names else tuple(name.strip() for name in target.split(","))
    for name in wanted:
        if name not in names or name in preparation.feature_names:
            raise ValueError(f"target is {show(name)}, expected the name of a column that is no feature")
    count = 1 if preparation.labels else len(preparation.target_names)
    if len(wanted) != count:
        raise ValueError(f"target is {show(target)}, expected {count} of them: as many as the network answers")
    return wanted


def _check_columns(names: Sequence[str], features: Sequence[str], targets: Sequence[str]) -> None:
    """ValueError unless every feature is there, and nothing beside features and targets."""
    known = set(names)
    missing = [name for name in features if name not in known]
    if missing:
        raise ValueError(
            f"it has no column {_some(missing)}, expected every feature of the training: {_some(features)}"
        )
    expected = {*features, *targets}
    others = [name for name in names if name not in expected]
    if others:
        rule = f"expected the features of the training alone, {_some(features)}, and what is named as the target"
        raise ValueError(f"it has the column {_some(others)}, {rule}")


def _some(names: Sequence[str]) -> str:
    """The first names, and how many there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(show(name) for name in names[:3]) + more


def _missing(wanted: Sequence[str], present: Sequence[str]) -> str:
    """Why several targets cannot be scored, where some are there."""
    absent = [name for name in wanted if name not in present]
    return f"the file has no column {_some(absent)}" if present else ""


def _targets(
    texts: list[list[str]], names: Sequence[str], rows: Sequence[int], preparation: Preparation
) -> tuple[Array | None, str]:
    """The target columns as numbers; or why they are none."""
    for name, column in zip(names, texts, strict=True):
        for text, row in zip(column, rows, strict=True):
            if not text:
                return None, f"column {show(name)} is empty at row {row}"
            if not preparation.labels and not (is_number(text) and math.isfinite(float(text))):
                return None, f"column {show(name)} has {show(text)} at row {row}"
    if preparation.labels:
        return _numbers_of(texts[0], preparation), ""
    return _checked(np.array(texts, np.float64).T, preparation)


def _numbers_of(texts: Sequence[str], preparation: Preparation) -> Array:
    """The numbers of classes that stand there by name, or as they were called in the data; -1 for others."""
    numbers = {
        **{label: k for k, label in enumerate(preparation.labels)},
        **{name: k for k, name in enumerate(preparation.target_names)},
    }
    return np.array([numbers.get(text, numbers.get(_plain(text), -1)) for text in texts])


def _plain(text: str) -> str:
    """A whole number as Python writes it, 7 for 007 and 7.0; else the text."""
    if WHOLE.fullmatch(text):
        return str(int(text))
    return f"{float(text):.0f}" if is_number(text) and float(text).is_integer() else text


def _checked(Y: Array, preparation: Preparation) -> tuple[Array | None, str]:
    """Labels and values, shape (m, n_L); or why they are none."""
    n_L = len(preparation.target_names)
    if Y.ndim != 2 or Y.shape[1] != n_L:
        return None, f"the targets have shape {Y.shape}, expected (m, {n_L})"
    if preparation.task == "multilabel" and not ((Y == 0) | (Y == 1)).all():
        return None, "the targets are not all 0 or 1"
    return Y, ""


def _npz(path: Path, preparation: Preparation, target: str | None) -> Examples:
    """X and, where it is there, Y; of data that came divided, the test part."""
    by_name = array_names(path)
    listed = ", ".join(by_name.values()) or "nothing"
    of_X = next((name for name in ("x_test", "x") if name in by_name), None)
    if of_X is None:
        raise ValueError(f"it has no X beside {listed:.80}, expected X, or x_test")
    if target is not None and target.lower() not in by_name:
        raise ValueError(f"target is {show(target)}, expected the name of an array: {listed:.80}")
    of_Y = target.lower() if target else "y_test" if of_X == "x_test" else "y"
    X, *Y = stored_arrays(path, [by_name[name] for name in (of_X, of_Y) if name in by_name])
    return _arrays(X, Y[0] if Y else None, preparation)


def _npy(path: Path, preparation: Preparation, target: str | None) -> Examples:
    """X in the file, and Y in another where one is named."""
    Y = None if target is None else np.array(mapped(beside(path, target)))
    return _arrays(mapped(path), Y, preparation)


def _arrays(X: Array, Y: Array | None, preparation: Preparation) -> Examples:
    """Examples in order, their features as they come."""
    n_x, shape = len(preparation.feature_names), preparation.image_shape
    if X.ndim < 2 or len(X) == 0 or X[0].size != n_x or (X.ndim > 2 and shape is None):
        images = f", or images {shape}" if shape else ""
        raise ValueError(f"X has shape {X.shape}, expected (m, {n_x}): the features of the training{images}")
    if shape and X.ndim > 2 and (*X.shape[1:], 1)[:3] != shape:
        raise ValueError(f"X has shape {X.shape}, expected images {shape}, as in training")
    places = range(len(X))
    if Y is None:
        return Examples(X, None, places, "example")
    if len(Y) != len(X):
        return Examples(X, None, places, "example", f"there are {len(Y)} targets for {len(X)} examples")
    if preparation.labels:
        texts = [str(label) for label in np.asarray(Y).reshape(len(Y), -1)[:, 0].tolist()]
        return Examples(X, _numbers_of(texts, preparation), places, "example")
    known, remark = _checked(as_numbers("Y", Y).reshape(len(Y), -1), preparation)
    return Examples(X, known, places, "example", remark)


READERS: dict[str, Callable[[Path, Preparation, str | None], Examples]] = {".csv": _csv, ".npz": _npz, ".npy": _npy}
"""By the ending of the file's name."""
