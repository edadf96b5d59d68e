"""Data of one's own from a file: .csv, .npz, or a pair of .npy."""

from __future__ import annotations

import math
import os
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .csv_file import read_csv
from .dataset import Array, Dataset
from .prepare import from_arrays, from_map, from_parts
from .targets import infer_task
from .validation import LoneClassError, check_dtype, show

HELD = 2**28
"""Bytes of scaled examples that are held in memory; a larger .npy stays in its file."""

UNREADABLE = (
    OSError, EOFError, ValueError, TypeError, AttributeError, KeyError, RuntimeError, MemoryError, OverflowError,
    SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What NumPy raises for files that hold no plain arrays."""


def from_file(
    path: str | os.PathLike[str],
    *,
    target: str | Sequence[str] | None = None,
    task: str | None = None,
    seed: int = 0,
    test_size: float = 0.2,
    dtype: DTypeLike = np.float64,
) -> Dataset:
    """A Dataset of your own file. Nothing is ever unpickled.

    - ``.csv``: a header, then numbers, one example a row, with commas, semicolons or tabs between, in UTF-8 or with a
      byte order mark. ``target`` names the target column, or several with commas between (a regression or labels).
    - ``.npz``: ``x_train, y_train, x_test, y_test`` as in mnist.npz, which keep their division; or ``X`` and ``Y``, in
      small or capital letters. ``target`` may name another array for Y.
    - ``.npy``: X alone; ``target`` is the file of Y, by default ``Y.npy`` or ``y.npy`` beside it. A large X stays in
      its file: see ``datasets.lazy``.

    X is (m, n_x), or images (m, n_H, n_W) or (m, n_H, n_W, n_C); Y is (m,) or (m, n_L).

    Parameters
    ----------
    path : path
        The file; its ending says what it is.
    target : str or sequence of str, optional
        Where the targets are: see above.
    task : str, optional
        ``binary``, ``multiclass``, ``multilabel`` or ``regression``. By default, what Y looks like: whole numbers and
        strings are classes (two: binary), other numbers a regression; several columns of 0 and 1 are labels.
    seed, test_size, dtype
        As for ``from_arrays``.

    Returns
    -------
    Dataset
        Named after the file; ``task`` says which task was chosen.

    Raises
    ------
    ValueError
        One sentence, if the file is missing, cannot be read as what it should be, or holds what is no data.

    Notes: F044, F045, F244, F245.
    """
    path = Path(path)
    reader = READERS[suffix_of(path)]
    try:
        return reader(path, target, task, seed, test_size, dtype)
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from error
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def suffix_of(path: Path) -> str:
    """The ending of a file that is there, in small letters; ValueError for one that no data has."""
    if path.suffix.lower() not in READERS:
        raise ValueError(f"{path.name} ends in {show(path.suffix)}, expected {', '.join(READERS)}")
    if not path.is_file():
        raise ValueError(f"{path} is not there, expected a file")
    return path.suffix.lower()


Target = str | Sequence[str] | None


def _csv(path: Path, target: Target, task: str | None, seed: int, test_size: float, dtype: DTypeLike) -> Dataset:
    """A table with named columns."""
    table = read_csv(path, target, task)
    chosen = task or infer_task(table.Y)
    names = table.targets if chosen in ("multilabel", "regression") else None
    try:
        data = from_arrays(
            path.stem, chosen, table.X, table.Y, feature_names=table.feature_names, target_names=names,
            seed=seed, test_size=test_size, dtype=dtype,
        )  # fmt: skip
        return data._replace(preparation=replace(data.preparation, targets=table.targets))
    except LoneClassError as error:
        where = f"row {table.rows[error.example]}, column {show(table.targets[0])}"
        advice = "" if task or table.Y.dtype.kind != "i" else ", or task regression for values"
        raise ValueError(f"{error}{advice}: it stands at {where}") from None


def _npz(path: Path, target: Target, task: str | None, seed: int, test_size: float, dtype: DTypeLike) -> Dataset:
    """Named arrays: two parts, or X and Y."""
    by_name = array_names(path)
    wanted = [*TWO_PARTS] if TWO_PARTS[0] in by_name else ["x", str(target or "y").lower()]
    missing = [name for name in wanted if name not in by_name]
    if missing:
        found = ", ".join(by_name.values()) or "nothing"
        raise ValueError(
            f"it has no {', '.join(missing)} beside {found:.80}, expected x and y or {', '.join(TWO_PARTS)}"
        )
    arrays = stored_arrays(path, [by_name[name] for name in wanted])
    X, image_shape = _rows(arrays[0])
    Y = arrays[1]
    task = task or infer_task(Y)
    if len(arrays) == 2:
        return from_arrays(path.stem, task, X, Y, image_shape=image_shape, seed=seed, test_size=test_size, dtype=dtype)
    test = _rows(arrays[2])[0], arrays[3]
    return from_parts(path.stem, task, (X, Y), test, image_shape=image_shape, dtype=dtype)


def array_names(path: Path) -> dict[str, str]:
    """The names of the arrays in a .npz, by the same in small letters."""
    with _archive(path) as stored:
        return {name.lower(): name for name in stored.files}


def stored_arrays(path: Path, names: Sequence[str]) -> list[Array]:
    """The arrays of these names in a .npz."""
    with _archive(path) as stored:
        return [stored[name] for name in names]


@contextmanager
def _archive(path: Path) -> Iterator[Any]:
    """A .npz that is open; ValueError where it holds no plain arrays."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            yield stored
    except UNREADABLE as error:
        raise ValueError(f"it is no .npz of plain arrays: {_first_line(error)}") from error


TWO_PARTS = ("x_train", "y_train", "x_test", "y_test")


def _npy(path: Path, target: Target, task: str | None, seed: int, test_size: float, dtype: DTypeLike) -> Dataset:
    """X in one file and Y in another."""
    X, Y = mapped(path), np.array(mapped(beside(path, target)))
    task = task or infer_task(Y)
    if X.size * check_dtype(dtype).itemsize > HELD:
        image_shape = _image_shape(X)
        return from_map(path.stem, task, X, Y, image_shape=image_shape, seed=seed, test_size=test_size, dtype=dtype)
    rows, image_shape = _rows(np.array(X))
    return from_arrays(path.stem, task, rows, Y, image_shape=image_shape, seed=seed, test_size=test_size, dtype=dtype)


def beside(path: Path, target: Target) -> Path:
    """The file of Y: the one that was named, as it stands or beside X, or Y.npy or y.npy beside X."""
    if target is None:
        candidates = [path.with_name("Y.npy"), path.with_name("y.npy")]
    else:
        candidates = [Path(str(target)), path.parent / str(target)]
    for candidate in candidates:
        if candidate.is_file() and not candidate.samefile(path):
            return candidate
    expected = "Y.npy or y.npy beside it" if target is None else "a .npy file"
    raise ValueError(f"target is {show(target)}, expected {expected}, with a row for each example")


def mapped(path: Path) -> Array:
    """The array of a .npy file, left in the file."""
    try:
        mapped: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except UNREADABLE as error:
        raise ValueError(f"{path.name} is no .npy of a plain array: {_first_line(error)}") from error
    if not isinstance(mapped, np.ndarray):
        raise ValueError(f"{path.name} is no .npy of a plain array")
    return mapped


def _image_shape(X: Array) -> tuple[int, ...] | None:
    """(n_H, n_W, n_C) where X came as images, grey ones with one channel; None where it came as rows."""
    if X.ndim not in (3, 4):
        return None
    return X.shape[1:] if X.ndim == 4 else (*X.shape[1:], 1)


def _rows(X: Array) -> tuple[Array, tuple[int, ...] | None]:
    """X with one example in a row, and the shape of an image where it came as images."""
    image_shape = _image_shape(X)
    return (X.reshape(len(X), math.prod(image_shape)) if image_shape else X), image_shape


def _first_line(error: BaseException) -> str:
    """What an error says, in a line."""
    return " ".join(str(error).split())[:100]


READERS: dict[str, Callable[[Path, Target, str | None, int, float, DTypeLike], Dataset]] = {
    ".csv": _csv,
    ".npz": _npz,
    ".npy": _npy,
}
"""By the ending of the file's name."""
