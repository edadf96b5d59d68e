"""The names that may be used where a line stands, by what they hold."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Evaluate = Callable[[ast.expr], Any]


class Scope:
    """The arrays by name, but the target, and the names by array."""

    def __init__(self, names: Mapping[str, Any], evaluate: Evaluate, target: str) -> None:
        self.names, self.evaluate = names, evaluate
        self.arrays = {name: value for name, value in names.items() if is_array(value) and name != target}
        self.by_value: dict[Any, str] = {}
        for name, value in sorted(self.arrays.items(), key=lambda each: (len(each[0]), each[0])):
            self.by_value.setdefault(mark(value), name)
        self.by_last: dict[Any, str] = {}
        for name in reversed(self.by_value.values()):
            self.by_last[last(self.arrays[name])] = name

    def exact(self, value: Any) -> str:
        """The name of an array, "" for none."""
        return self.by_value.get(mark(value), "")

    def near(self, wanted: Any) -> str:
        """The name of an array that is this one to rounding, "" for none."""
        name = self.by_last.get(last(wanted), "") if np.size(wanted) else ""
        return name if name and same(self.arrays[name], wanted) else ""


def is_array(value: Any) -> bool:
    """Whether a value is an array of real numbers, with entries."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size > 0


def mark(value: Any) -> Any:
    """The same for equal arrays."""
    return value.shape, value.tobytes()


def last(value: Any) -> Any:
    """The same for most arrays that are equal to rounding."""
    return np.shape(value), f"{np.ravel(value)[-1]:.8e}"


def same(value: Any, wanted: Any, tolerance: float = 1e-9) -> bool:
    """Whether two arrays of one shape are equal to rounding."""
    size = np.max(np.abs(wanted), initial=0.0)
    return bool(size > 0 and np.max(np.abs(value - wanted), initial=0.0) <= tolerance * size)
