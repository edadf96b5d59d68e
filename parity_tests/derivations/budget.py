"""How much a formula may cost before it is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass

from parity_tests.derivations.errors import EvaluationError
from parity_tests.derivations.nodes import Node
from parity_tests.derivations.shapes import short


@dataclass(slots=True)
class Budget:
    """What may still be spent: nodes visited, entries computed; and the largest array that may come out."""

    visits: int = 100_000
    entries: int = 10_000_000
    largest: int = 1_000_000

    def visit(self, node: Node) -> None:
        """One node more."""
        self.visits -= 1
        if self.visits < 0:
            raise EvaluationError("the derivation takes too many steps", node.span)

    def compute(self, node: Node, shape: tuple[int, ...], inner: int = 1) -> None:
        """An array of this shape, each entry made of ``inner`` terms."""
        count = math.prod(shape)
        if count > self.largest:
            message = f"{short(node)}: an array of {count:,} entries; at most {self.largest:,} are worked out"
            raise EvaluationError(message, node.span)
        self.entries -= count * max(1, inner)
        if self.entries < 0:
            raise EvaluationError("the derivation computes too many entries", node.span)
