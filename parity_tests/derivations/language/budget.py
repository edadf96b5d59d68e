"""How much a formula may cost before it is refused, and how much a search for its mistake may do."""

from __future__ import annotations

import math
from dataclasses import dataclass

from parity_tests.derivations.language.errors import BudgetSpent, EvaluationError
from parity_tests.derivations.language.nodes import Node
from parity_tests.derivations.language.shapes import short

VISITS = 100_000
ENTRIES = 10_000_000

ENTRIES_A_STEP = 50
"""Entries that take about as long to compute as a node takes to visit."""


@dataclass(slots=True)
class Budget:
    """What may still be spent: nodes visited, entries computed; and the largest array that may come out."""

    visits: int = VISITS
    entries: int = ENTRIES
    largest: int = 1_000_000

    def visit(self, node: Node) -> None:
        """One node more."""
        self.visits -= 1
        if self.visits < 0:
            raise BudgetSpent("the derivation takes too many steps")

    def compute(self, node: Node, shape: tuple[int, ...], inner: int = 1) -> None:
        """An array of this shape, each entry made of ``inner`` terms."""
        count = math.prod(shape)
        if count > self.largest:
            message = f"{short(node)}: an array of {count:,} entries; at most {self.largest:,} are worked out"
            raise EvaluationError(message)
        self.entries -= count * max(1, inner)
        if self.entries < 0:
            raise BudgetSpent("the derivation computes too many entries")

    @property
    def steps(self) -> int:
        """What was spent of a whole budget, in steps."""
        return VISITS - self.visits + (ENTRIES - self.entries) // ENTRIES_A_STEP


@dataclass(slots=True)
class Effort:
    """What a search may still do, in steps: they are counted, so that every machine tries the same formulas."""

    steps: int

    def spend(self, steps: int) -> None:
        """So many steps fewer."""
        self.steps -= steps

    @property
    def spent(self) -> bool:
        """Whether the search is over."""
        return self.steps <= 0
