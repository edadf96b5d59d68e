"""What a note claims: a quantity and a formula for it; what else its equations say is no claim, with the reason."""

from __future__ import annotations

from typing import NamedTuple

from parity_tests.derivations.latex.numbers import Compared
from parity_tests.derivations.latex.tree import (
    Node,
)


class Claim(NamedTuple):
    """That ``target`` is ``right``; ``text`` is the writer's, ``own`` that of the right side.

    ``adds`` marks what one example adds to a sum, ``averages`` is the line of what is added where the
    sum is divided; ``linear``: its section has set an activation equal to its
    input before; ``given`` is the formula on the left where the target has no name. ``many`` is above 0 where it speaks
    of m examples, below 0 where of one; ``units`` are activations that are named in it or before it.
    """

    target: Node
    right: Node
    text: str
    own: str
    line: int
    cell: int
    section: int
    place: int
    many: int
    units: tuple[str, ...]
    adds: bool = False
    averages: int = 0
    linear: bool = False
    first: bool = True
    identity: bool = False
    given: Node | None = None


class Aside(NamedTuple):
    """What is no claim, or was not read; ``equation`` are its sides where it is one."""

    text: str
    line: int
    cell: int
    reason: str
    read: bool = True
    zero: Node | None = None
    equation: tuple[Node, Node] | None = None
    section: int = 0


class Numbers(NamedTuple):
    """A chain of numbers, and whether they are equal."""

    text: str
    line: int
    cell: int
    compared: Compared


class Shape(NamedTuple):
    """That a quantity has these sizes, which stand ``below`` it in an equation or not."""

    of: Node
    sizes: tuple[str, ...]
    text: str
    line: int
    cell: int
    section: int
    below: bool


Found = Claim | Aside | Numbers | Shape


def for_many(claims: list[Claim]) -> list[float]:
    """How much each claim speaks of m examples, by itself and by those beside it; below 0 it speaks of one."""
    said = []
    for place, each in enumerate(claims):
        votes = 1.5 * each.many
        if abs(each.many) < 9:
            for distance in range(1, 5):
                for other in (place - distance, place + distance):
                    if 0 <= other < len(claims) and claims[other].section == each.section:
                        votes += max(-4, min(4, claims[other].many)) / distance
        if not votes:
            votes = sum(max(-1, min(1, other.many)) for other in claims if other.section == each.section)
        said.append(votes)
    return said
