"""What a formula of LaTeX says, before any letter has a meaning."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, cast

SHIFTED = re.compile(r"([a-z])([-+])([a-z])([-+]\d)?")
"""An index that is a sum or a difference, as in the x_{i+k-1} of a convolution."""


class NotReadError(ValueError):
    """Why a formula could not be read, in a few words."""


@dataclass
class Number:
    text: str


@dataclass
class Symbol:
    """A letter or word with its marks: ``layer`` in brackets, ``round`` in parentheses, ``bare`` above without either,
    ``subscripts`` below, ``accents`` such as hat, and how many primes.

    ``written`` is the writer's letter where it is not ``base``; an ``implied`` layer, or name of a
    gradient, is not written.
    ``sizes`` are those of a shape below it.
    """

    base: str
    layer: str = ""
    round: str = ""
    bare: str = ""
    subscripts: tuple[str, ...] = ()
    accents: frozenset[str] = frozenset()
    primes: int = 0
    written: str = ""
    implied: bool = False
    sizes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def letter(self) -> str:
        """The letter as it is written."""
        return self.written or self.base


@dataclass
class Operation:
    """Two operands; ``sign`` is + - / or, for products, "" (side by side), ``.``, ``x`` or ``*``."""

    sign: str
    left: Node
    right: Node


@dataclass
class Negative:
    operand: Node


@dataclass
class Power:
    base: Node
    exponent: Node


@dataclass
class Transposed:
    operand: Node
    sizes: tuple[str, ...] = field(default=(), compare=False)


@dataclass
class Call:
    """A function of its arguments; keywords as in ``np.sum(dZ, axis=1)``. Those of a cost are text alone, ``of``."""

    function: Symbol
    arguments: tuple[Node, ...]
    keywords: dict[str, str] = field(default_factory=dict, compare=False)


@dataclass
class Slope:
    """A derivative that is marked behind a bracket: ``[g(Z)]'``."""

    operand: Node


@dataclass
class Sum:
    index: str
    lower: str
    upper: str
    body: Node


@dataclass
class Derivative:
    """d ``of`` / d ``by``; ``of`` is None where what is differentiated stands behind the fraction."""

    of: Node | None
    by: Node


@dataclass
class Cases:
    """Values with their conditions, as they are written."""

    rows: tuple[tuple[Node | None, str], ...]


@dataclass
class Matrix:
    """Entries by row; None stands for dots."""

    rows: tuple[tuple[Node | None, ...], ...]


@dataclass
class Norm:
    operand: Node


@dataclass
class Floor:
    operand: Node


@dataclass
class Bars:
    """What stands between single bars."""

    operand: Node


@dataclass
class Entry:
    """An entry of what is no single letter."""

    operand: Node
    subscripts: tuple[str, ...]


Node: TypeAlias = (
    Number | Symbol | Operation | Negative | Power | Transposed | Call | Slope | Sum | Derivative | Cases | Matrix
    | Norm | Floor | Bars | Entry
)  # fmt: skip


PARTS: Mapping[type, tuple[str, ...]] = {
    Number: (), Symbol: (), Operation: ("left", "right"), Power: ("base", "exponent"), Sum: ("body",),
    Call: ("function", "arguments"), Derivative: ("of", "by"), Cases: ("rows",), Matrix: ("rows",),
    **dict.fromkeys((Negative, Transposed, Slope, Norm, Floor, Bars, Entry), ("operand",)),
}  # fmt: skip
"""The fields in which a node has others, from left to right."""


def walk(node: object) -> Iterator[Node]:
    """A node and all below it."""
    open_ = [node]
    while open_:
        here = open_.pop()
        parts = PARTS.get(type(here))
        if parts is not None:
            yield cast(Node, here)
            open_ += [getattr(here, name) for name in parts[::-1]]
        elif isinstance(here, tuple):
            open_ += here[::-1]


def with_parts(node: Node, parts: Mapping[str, object]) -> Node:
    """A node with other parts."""
    changed: Node = replace(cast(Any, node), **parts)
    return changed


def mapped(node: Node, change: Callable[[Node], Node]) -> Node:
    """A copy of a tree in which every node is what ``change`` makes of it, from the leaves on."""

    def deeper(part: object) -> object:
        if isinstance(part, tuple):
            return tuple(map(deeper, part))
        return mapped(part, change) if isinstance(part, Node) else part

    return change(with_parts(node, {name: deeper(getattr(node, name)) for name in PARTS[type(node)]}))


def symbols_of(node: object) -> list[Symbol]:
    """The symbols of a formula, from left to right."""
    found, open_ = [], [node]
    while open_:
        here = open_.pop()
        if type(here) is Symbol:
            found.append(here)
        elif type(here) is tuple:
            open_ += here[::-1]
        else:
            open_ += [getattr(here, name) for name in PARTS.get(type(here), ())[::-1]]
    return found


def factors(node: Node) -> list[tuple[str, Node]]:
    """The factors of a product from left to right, each with the sign before it."""
    if isinstance(node, Operation) and node.sign not in ("+", "-", "/"):
        left, right = factors(node.left), factors(node.right)
        return [*left, (node.sign, right[0][1]), *right[1:]]
    return [("", node)]
