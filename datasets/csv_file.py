"""A .csv file as people have it: a row of names, then a row for each example, numbers and named target columns."""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from datasets.checks import show
from datasets.dataset import Array

WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
CLASSES = ("binary", "multiclass")


class Table(NamedTuple):
    """What a file holds: one example is one row."""

    X: Array  # (m, n_x)
    Y: Array  # (m,) or, for several targets, (m, n_L)
    feature_names: tuple[str, ...]
    targets: tuple[str, ...]
    rows: Sequence[int]  # where in the file each example stands


def read_csv(path: Path, target: str | Sequence[str] | None, task: str | None) -> Table:
    """The features and the targets of a comma-separated file; every column that is no target is a feature.

    Raises
    ------
    ValueError
        One sentence, with row and column as a spreadsheet counts them (the names are row 1), for a file without
        examples, names that are missing or double, a target that is no column, and a cell that is no number.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _table(csv.reader(file), target, task)
    except UnicodeDecodeError as error:
        raise ValueError("it is no text in UTF-8, expected comma-separated values") from error
    except csv.Error as error:
        raise ValueError(f"it cannot be read as comma-separated values: {error}") from error


def _table(reader: Iterator[list[str]], target: str | Sequence[str] | None, task: str | None) -> Table:
    """The rows as numbers, a row at a time: text is never held, but for the targets."""
    names = _header(reader)
    targets = _targets(names, target)
    of_targets = [names.index(name) for name in targets]
    of_features = [j for j in range(len(names)) if j not in of_targets]
    if not of_features:
        raise ValueError(f"target is {show(target)}, expected fewer than all columns: there are no features left")
    values, rows, texts = array("d"), array("q"), []
    for cells in reader:
        row = reader.line_num  # type: ignore[attr-defined]  # of csv.reader
        if not cells:
            continue  # a blank line
        if len(cells) != len(names):
            raise ValueError(f"row {row} has {len(cells)} cells, expected {len(names)} as in the header, row 1")
        try:
            values.extend([float(cells[j]) for j in of_features])
        except ValueError:
            raise _no_number(names, cells, row, of_features) from None
        rows.append(row)
        texts.append([cells[j].strip() for j in of_targets])
    if not rows:
        raise ValueError("it has a header and no examples, expected at least 2")
    X = np.array(values).reshape(-1, len(of_features))
    if not np.isfinite(X).all():
        i, j = np.argwhere(~np.isfinite(X))[0]
        where = f"row {rows[i]}, column {show(names[of_features[j]])}"
        raise ValueError(f"it has {X[i, j]} at {where}, expected a finite number")
    columns = [_target([text[k] for text in texts], rows, name, task) for k, name in enumerate(targets)]
    Y = columns[0] if len(columns) == 1 else _together(columns, targets)
    return Table(X, Y, tuple(names[j] for j in of_features), targets, rows)


def _header(reader: Iterator[list[str]]) -> list[str]:
    """The names of the columns, at least two, each once."""
    names = [name.strip() for name in next((cells for cells in reader if cells), [])]
    if not names:
        raise ValueError("it is empty, expected a header and at least 2 examples")
    if len(names) < 2:
        raise ValueError(f"it has one column, {show(names[0])}, expected a target and a feature, separated by commas")
    for j, name in enumerate(names, start=1):
        if not name:
            raise ValueError(f"column {j} has no name in row 1, expected one for each of {len(names)} columns")
        if names.count(name) > 1:
            raise ValueError(f"two columns are named {show(name)} in row 1, expected a name of its own for each")
    return names


def _targets(names: list[str], target: str | Sequence[str] | None) -> tuple[str, ...]:
    """The names of the target columns, given as one name, as several with commas between, or as a sequence."""
    if isinstance(target, str):
        target = [target] if target in names else [name.strip() for name in target.split(",")]
    listed = ", ".join(names)
    if not target:
        raise ValueError(f"target is {show(target)}, expected the name of a column: {listed:.80}")
    for name in target:
        if name not in names:
            raise ValueError(f"target is {show(name)}, expected the name of a column: {listed:.80}")
    if len(set(target)) < len(target):
        raise ValueError(f"target is {show(target)}, expected every column once")
    return tuple(target)


def _no_number(names: list[str], cells: list[str], row: int, columns: Sequence[int]) -> ValueError:
    """The error that names the first cell of a row that is no number."""
    j = next(j for j in columns if not _is_number(cells[j]))
    return _bad_cell(cells[j], row, names[j], "a number")


def _bad_cell(cell: str, row: int, name: str, expected: str) -> ValueError:
    """One sentence for a cell."""
    got = show(cell) if cell.strip() else "an empty cell"
    return ValueError(f"it has {got} at row {row}, column {show(name)}, expected {expected}")


def _is_number(text: str) -> bool:
    """Whether Python reads a float there."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _target(texts: list[str], rows: Sequence[int], name: str, task: str | None) -> Array:
    """A target column: whole numbers, numbers, or strings where none is a number or the task says classes."""
    for text, row in zip(texts, rows, strict=True):
        if not text:
            raise _bad_cell(text, row, name, "a target for every example")
    if all(WHOLE.fullmatch(text) for text in texts):
        return np.array([int(text) for text in texts])
    numbers = [_is_number(text) for text in texts]
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


def _together(columns: list[Array], names: Sequence[str]) -> Array:
    """Several target columns as a matrix of numbers."""
    for column, name in zip(columns, names, strict=True):
        if column.dtype.kind not in "if":
            raise ValueError(f"target column {show(name)} holds text, expected numbers where there are several targets")
    return np.column_stack(columns)
