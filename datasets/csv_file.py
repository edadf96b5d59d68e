"""A .csv file as people have it: a row of names, then a row for each example, numbers and named target columns."""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .csv_dialect import delimiter_of, encoding_of, undecoded
from .dataset import Array
from .validation import show

WHOLE = re.compile(r"[+-]?[0-9]{1,300}")
DECIMAL_COMMA = re.compile(r"\s*[+-]?[0-9]+,[0-9]+\s*")
CLASSES = ("binary", "multiclass")

Row = tuple[int, list[str]]
"""The number of a row, as a spreadsheet counts, and its cells."""


class Table(NamedTuple):
    """What a file holds: one example is one row."""

    X: Array  # (m, n_x)
    Y: Array  # (m,) or, for several targets, (m, n_L)
    feature_names: tuple[str, ...]
    targets: tuple[str, ...]
    rows: Sequence[int]  # where in the file each example stands


class Cells(NamedTuple):
    """Chosen columns of a file: the features as numbers, the others as text."""

    X: Array  # (m, n_x)
    texts: list[list[str]]  # a list for each column, an entry for each example
    rows: Sequence[int]  # where in the file each example stands


def read_csv(path: Path, target: str | Sequence[str] | None, task: str | None) -> Table:
    """The features and the targets of a file; every column that is no target is a feature.

    Names and cells are separated by commas, semicolons or tabs, whichever divides the first rows alike. The text is
    UTF-8, or what a byte order mark says.

    Raises
    ------
    ValueError
        One sentence, with row and column as a spreadsheet counts them (the names are row 1), for a file without
        examples, names that are missing or double, a target that is no column, and a cell that is no number; for text
        in another encoding, and rows that may be divided in two ways.
    """
    with opened(path) as (names, rows):
        targets = _targets(names, target)
        chosen = set(targets)
        features = tuple(name for name in names if name not in chosen)
        if not features:
            raise ValueError(f"target is {show(target)}, expected fewer than all columns: there are no features left")
        found = cells(names, rows, features, targets)
        if not found.rows:
            raise ValueError("it has a header and no examples, expected at least 2")
    columns = [_target(texts, found.rows, name, task) for name, texts in zip(targets, found.texts, strict=True)]
    Y = columns[0] if len(columns) == 1 else _together(columns, targets)
    return Table(found.X, Y, features, targets, found.rows)


@contextmanager
def opened(path: Path) -> Iterator[tuple[list[str], Iterator[Row]]]:
    """The names of the columns, and the rows below them, as they are asked for.

    Raises ValueError, in one sentence, for a file that is no such table.
    """
    encoding = encoding_of(path)
    try:
        delimiter = delimiter_of(path, encoding)
        with path.open(newline="", encoding=encoding) as file:
            reader = csv.reader(file, delimiter=delimiter)
            rows = ((reader.line_num, row) for row in reader if row)  # but for blank lines
            yield _header([row for _, row in islice(rows, 1)]), rows
    except UnicodeDecodeError as error:
        raise undecoded(path, encoding) from error
    except csv.Error as error:
        raise ValueError(f"it cannot be read as comma-separated values: {error}") from error


def cells(names: list[str], rows: Iterator[Row], features: Sequence[str], others: Sequence[str]) -> Cells:
    """The named columns, row by row: text is never held, but for that of the others.

    Raises ValueError for a row of another length, and a feature that is no finite number.
    """
    place = {name: j for j, name in enumerate(names)}
    of_features, of_others = [place[name] for name in features], [place[name] for name in others]
    values, numbers = array("d"), array("q")
    texts: list[list[str]] = [[] for _ in others]
    for number, row in rows:
        if len(row) != len(names):
            raise ValueError(f"row {number} has {len(row)} cells, expected {len(names)} as in the header, row 1")
        here = [row[j] for j in of_features]
        bad = "_" in "".join(here)  # Python reads 1_0 as 10
        try:
            values.extend([float(cell) for cell in here])
        except ValueError:
            bad = True
        if bad:
            j = next(j for j in of_features if not is_number(row[j]))
            comma = ", with a decimal point" if DECIMAL_COMMA.fullmatch(row[j]) else ""
            raise _bad_cell(row[j], number, names[j], f"a number{comma}")
        numbers.append(number)
        for column, j in zip(texts, of_others, strict=True):
            column.append(row[j].strip())
    X = np.array(values).reshape(-1, len(of_features))
    if not np.isfinite(X).all():
        i, j = np.argwhere(~np.isfinite(X))[0]
        where = f"row {numbers[i]}, column {show(features[j])}"
        raise ValueError(f"it has {X[i, j]} at {where}, expected a finite number")
    return Cells(X, texts, numbers)


def _header(first: list[list[str]]) -> list[str]:
    """The names of the columns, at least two, each once."""
    if not first:
        raise ValueError("it is empty, expected a header and at least 2 examples")
    names = [name.strip() for name in first[0]]
    if len(names) < 2:
        raise ValueError(f"it has one column, {show(names[0])}, expected a target and a feature, separated by commas")
    seen = set()
    for j, name in enumerate(names, start=1):
        if not name:
            raise ValueError(f"column {j} has no name in row 1, expected one for each of {len(names)} columns")
        if name in seen:
            raise ValueError(f"two columns are named {show(name)} in row 1, expected a name of its own for each")
        seen.add(name)
    return names


def _targets(names: list[str], target: str | Sequence[str] | None) -> tuple[str, ...]:
    """The names of the target columns, given as one name, as several with commas between, or as a sequence."""
    if isinstance(target, str):
        target = [target] if target in names else [name.strip() for name in target.split(",")]
    listed = ", ".join(names)
    if not target:
        raise ValueError(f"target is {show(target)}, expected the name of a column: {listed:.80}")
    known = set(names)
    for name in target:
        if name not in known:
            raise ValueError(f"target is {show(name)}, expected the name of a column: {listed:.80}")
    if len(set(target)) < len(target):
        raise ValueError(f"target is {show(target)}, expected every column once")
    return tuple(target)


def _bad_cell(cell: str, row: int, name: str, expected: str) -> ValueError:
    """One sentence for a cell."""
    got = show(cell) if cell.strip() else "an empty cell"
    return ValueError(f"it has {got} at row {row}, column {show(name)}, expected {expected}")


def is_number(text: str) -> bool:
    """Whether a number stands there: what Python reads as a float, but for 1_0."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _target(texts: list[str], rows: Sequence[int], name: str, task: str | None) -> Array:
    """A target column: whole numbers, numbers, or strings where none is a number or the task says classes."""
    for text, row in zip(texts, rows, strict=True):
        if not text:
            raise _bad_cell(text, row, name, "a target for every example")
    if all(WHOLE.fullmatch(text) for text in texts):
        return _whole([int(text) for text in texts], task)
    numbers = [is_number(text) for text in texts]
    if all(numbers):
        values = np.array([float(text) for text in texts])
        for value, row in zip(values, rows, strict=True):
            if not np.isfinite(value):
                raise ValueError(f"it has {value} at row {row}, column {show(name)}, expected a finite number")
        return values
    if task in CLASSES or (task is None and not any(numbers)):
        return np.array(texts)
    i = numbers.index(False)
    expected = "a number" if task else "a number as in other rows, or task multiclass"
    raise _bad_cell(texts[i], rows[i], name, expected)


def _whole(values: list[int], task: str | None) -> Array:
    """Whole numbers, each kept as it is: those beyond 64 bits are the names of classes, or values of a regression."""
    low, high = min(values), max(values)
    for dtype in (np.int64, np.uint64):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return np.array(values, dtype)
    return np.array(values, np.float64) if task == "regression" else np.array([str(value) for value in values])


def _together(columns: list[Array], names: Sequence[str]) -> Array:
    """Several target columns as a matrix of numbers."""
    for column, name in zip(columns, names, strict=True):
        if column.dtype.kind not in "iuf":
            raise ValueError(f"target column {show(name)} holds text, expected numbers where there are several targets")
    return np.column_stack(columns)
