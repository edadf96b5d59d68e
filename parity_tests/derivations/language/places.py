"""Where an index points: whole numbers, slices, the dots, and whole numbers in a row, each checked against its axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from parity_tests.derivations.language.budget import Budget
from parity_tests.derivations.language.errors import EvaluationError
from parity_tests.derivations.language.functions import Value
from parity_tests.derivations.language.nodes import Compare, Expression, Index, Node, Rest, Slice
from parity_tests.derivations.language.shapes import short

ValueOf: TypeAlias = Callable[[Expression], Value]

EXACT = 2**53
"""Beyond it, not every whole number is a float64."""


def whole(node: Expression, value: Value) -> int:
    """The value of ``node`` as a whole number; EvaluationError where it is none."""
    number = value if type(value) is np.float64 else _one(value)
    if not number.is_integer() or abs(number) > EXACT:
        fail(node, f"{short(node)} is not a whole number here")
    return int(number)


def _one(value: Value) -> float:
    return float(np.asarray(value).item()) if np.size(value) == 1 else math.nan


def _wholes(node: Expression, value: Value) -> NDArray[np.intp]:
    """The entries of ``value`` as whole numbers; EvaluationError where one is none."""
    numbers = np.asarray(value)
    if not np.all(np.abs(numbers) <= EXACT) or np.any(numbers != np.trunc(numbers)):
        fail(node, f"{short(node)} is not a whole number here")
    return np.asarray(numbers, np.intp)


def place(node: Index, array: Value, value_of: ValueOf, budget: Budget) -> tuple[Any, ...]:
    """What NumPy takes between the brackets of ``node``, an index of ``array``."""
    shape = array.shape
    items = _spread(node, len(shape))
    if len(items) > len(shape):
        fail(node, f"{short(node)}: {len(node.items)} indices, but {short(node.base)} has shape {shape}")
    found: list[Any] = []
    for axis, item in enumerate(items):
        if isinstance(item, Slice):
            ends = [None if end is None else whole(end, value_of(end)) for end in item.ends]
            if ends[2] == 0:
                fail(node, f"{short(node)}: a step of 0 goes nowhere")
            found.append(slice(*ends))
            continue
        if isinstance(item, Compare):
            fail(node, f"{short(node)}: a condition picks no entries here: multiply by it")
        value = value_of(item)
        position = _wholes(item, value) if value.ndim == 1 else whole(item, value)
        found.append(position)
        outside = _outside(position, shape[axis])
        if outside is not None:
            last = f"0 to {shape[axis] - 1}" if shape[axis] else "none"
            fail(node, f"{short(node)}: there is no entry {outside} along axis {axis}, only {last}")
    rows = [len(each) for each in found if isinstance(each, np.ndarray)]
    if len({1, *rows}) > 2:
        counts = " and ".join(map(str, rows))
        fail(node, f"{short(node)}: lists of {counts} positions, expected as many in each")
    if rows:  # the only index that can give more entries than there are
        others = [size for size, each in zip(shape, found, strict=False) if isinstance(each, slice)]
        budget.compute(node, (max(rows), *others, *shape[len(found) :]))
    return tuple(found)


def _outside(position: int | NDArray[np.intp], size: int) -> int | None:
    """The first of the positions that an axis of this size does not have, or None."""
    if isinstance(position, int):  # by far the most, in loops over windows
        return None if -size <= position < size else position
    beyond = position[(position < -size) | (position >= size)]
    return int(beyond[0]) if beyond.size else None


def _spread(node: Index, axes: int) -> list[Expression]:
    """The items, with a whole slice for every axis that the dots stand for."""
    items = list(node.items)
    for position, item in enumerate(items):
        if isinstance(item, Rest):
            items[position : position + 1] = [Slice()] * max(0, axes - len(items) + 1)
            break
    return items


def fail(node: Node, message: str) -> NoReturn:
    """Raise EvaluationError at the node."""
    raise EvaluationError(message)
