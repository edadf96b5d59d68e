"""What a run leaves behind: one event for each value that a name, an entry or a part of a formula got."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

GIVEN, NAMED, ENTRY, PART, RETURNED, BOUND = "given", "named", "entry", "part", "returned", "bound"
"""Where a value came from: a free name, ``x = e`` and ``x += e``, ``x[i] = e``, inside a formula, out of a function; or
another name for a value that is there: an argument, what a loop goes through.
"""

Key = tuple[int, int]
"""The same place of the program in every run: the number of the node in the tree, and how often it was reached."""


class Missing(NamedTuple):
    """In place of a value that could not be computed: why, and whether the language has no such thing."""

    message: str
    refused: bool = False


class Event(NamedTuple):
    """A value at a place of the program. ``value`` is float64, or Missing."""

    key: Key
    line: int
    name: str
    role: str
    value: Any
    statement: ast.stmt | None
    node: ast.AST | None
    function: str = ""
    """The function that the place stands in, "" for none."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        shape: tuple[int, ...] = getattr(self.value, "shape", ())
        return shape

    @property
    def missing(self) -> bool:
        """Whether there is no value."""
        return isinstance(self.value, Missing)


class Run(NamedTuple):
    """All events in their order, and what could not be done: (line, sentence)."""

    events: tuple[Event, ...]
    problems: tuple[tuple[int, str], ...]
    captured: Mapping[int, Mapping[str, Any]] = MappingProxyType({})
