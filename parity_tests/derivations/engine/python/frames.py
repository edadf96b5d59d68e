"""A table as pandas has it, in place of one whose file is not there: it has the columns that a program asks it for."""

from __future__ import annotations

import operator
import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

LABELS = re.compile(
    r"label|target|class|species|surviv|diagnosis|outcome|variety|admit|purchas|quality|result|y$|output|exited|churn",
    re.I,
)
"""What a column is called that says what a network should say."""

SAME = frozenset(
    (
        "copy", "dropna", "fillna", "reset_index", "sample", "replace", "map", "apply", "to_frame", "sort_values",
        "squeeze", "drop_duplicates", "select_dtypes", "set_index", "rename", "infer_objects", "head", "tail",
    )
)  # fmt: skip
"""What leaves numbers that were drawn as they are."""

SHOWN = frozenset(("info", "describe", "isnull", "isna", "value_counts", "plot", "hist", "corr"))
"""What shows a table to the person."""


class Frame:
    """Numbers in columns, some with names, or in one column.

    ``make`` turns arrays into those of the kind in use; ``label`` is the place of the column of labels, None for none.
    """

    def __init__(self, values: Any, names: Sequence[str], make: Callable[[Any], Any], label: int | None = None) -> None:
        self._values, self._names, self._make, self._label = np.asarray(values), list(names), make, label

    def _like(self, values: Any, names: Sequence[str] | None = None, label: int | None = None) -> Frame:
        return Frame(values, self._names if names is None else names, self._make, label)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self._values.astype(dtype) if dtype is not None else self._values.copy()

    def __len__(self) -> int:
        return len(self._values)

    @property
    def values(self) -> Any:
        return self._make(self._values.copy())

    @property
    def shape(self) -> tuple[int, ...]:
        return self._values.shape

    @property
    def columns(self) -> list[str]:
        return self._names

    @property
    def T(self) -> Frame:
        return self._like(self._values.T)

    @property
    def iloc(self) -> Any:
        return _Places(self)

    loc = iloc

    def to_numpy(self, *_: Any, **__: Any) -> Any:
        return self.values

    def to_list(self) -> list[Any]:
        return list(self._values.tolist())

    tolist = to_list

    def unique(self) -> Any:
        return np.unique(self._values)

    def astype(self, dtype: Any) -> Frame:
        return self._like(self._values.astype(getattr(dtype, "dtype", dtype)), label=self._label)

    def _place(self, name: str) -> int | None:
        if name in self._names:
            return self._names.index(name)
        return self._label if LABELS.search(name) else None

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            place = self._place(key)
            return self._like(drawn_column(key, len(self)) if place is None else self._values[:, place], [])
        if isinstance(key, list) and all(isinstance(each, str) for each in key):
            return self._like(np.stack([self[each]._values for each in key], axis=1), key)
        return self._like(self._values[np.asarray(key) if isinstance(key, Frame) else key], label=self._label)

    def __setitem__(self, key: str, value: Any) -> None:
        place, column = self._place(key), np.asarray(value, np.float64)
        if place is None:
            self._values, self._names = np.column_stack([self._values, column]), [*self._names, key]
        else:
            self._values = self._values.astype(np.float64)
            self._values[:, place] = column

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in SAME | SHOWN:
            return lambda *_, **__: self
        if name in ("mean", "std", "min", "max", "sum", "median", "var"):
            ddof = {"ddof": 1} if name in ("std", "var") else {}
            return lambda *_, **__: self._like(getattr(np, name)(self._values, axis=0, **ddof))
        if self._values.ndim == 2:
            return self[name]
        raise AttributeError(name)

    def drop(self, labels: Any = (), axis: int = 0, columns: Any = (), **_: Any) -> Frame:
        """Without some columns; rows stay."""
        given = columns if len(columns) else labels
        places = {self._place(each) for each in ([given] if isinstance(given, str) else given) if isinstance(each, str)}
        kept = [each for each in range(self._values.shape[1]) if each not in places]
        label = kept.index(self._label) if self._label in kept else None
        return self._like(self._values[:, kept], [self._names[each] for each in kept], label)

    def pop(self, name: str) -> Frame:
        found: Frame = self[name]
        left = self.drop(name)
        self._values, self._names, self._label = left._values, left._names, left._label
        return found

    def _with(self, other: Any, operation: Callable[[Any, Any], Any]) -> Frame:
        if isinstance(other, str):
            return self._like(operation(self._values, 1), label=self._label)
        return self._like(operation(self._values, np.asarray(other)), label=self._label)

    def __add__(self, other: Any) -> Frame:
        return self._with(other, operator.add)

    def __sub__(self, other: Any) -> Frame:
        return self._with(other, operator.sub)

    def __mul__(self, other: Any) -> Frame:
        return self._with(other, operator.mul)

    def __truediv__(self, other: Any) -> Frame:
        return self._with(other, operator.truediv)

    def __eq__(self, other: object) -> Any:
        return self._with(other, operator.eq)

    def __gt__(self, other: Any) -> Frame:
        return self._with(other, operator.gt)

    def __lt__(self, other: Any) -> Frame:
        return self._with(other, operator.lt)

    __hash__ = object.__hash__


class _Places:
    """Rows and columns of a table by their places, or columns by their names."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple) and isinstance(key[1], str | list) and not (key[1] and isinstance(key[1][0], int)):
            return self.frame[key[1]][key[0]]
        found = self.frame._values[key]
        return Frame(found, [], self.frame._make) if np.ndim(found) else found


def drawn_column(name: str, rows: int) -> Any:
    """The numbers of a column of that name: 0 and 1 in turn where they are labels."""
    if LABELS.search(name):
        return np.arange(rows) % 2
    return np.random.default_rng([8, zlib.crc32(name.encode())]).standard_normal(rows)


def one_hot(column: Any, *_: Any, **__: Any) -> Frame:
    """``get_dummies`` of pandas."""
    kinds, places = np.unique(np.asarray(column), return_inverse=True)
    return Frame(np.eye(len(kinds))[places.ravel()], [str(each) for each in kinds], column._make)
