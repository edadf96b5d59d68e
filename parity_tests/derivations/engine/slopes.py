"""The slopes of units, entry by entry: what a helper such as ``dg = 1 - A**2`` is, which is no derivative of J."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.events import Event, Key
from parity_tests.derivations.engine.truths import Cost, Truth, Truths


class Slopes:
    """The slopes of the values of a forward pass in those of their shape from which they are computed."""

    def __init__(self, truths: Truths) -> None:
        self.truths = truths
        self.known: dict[Key, Truths] = {}

    def truths_of(self, base: Event) -> Truths:
        """The derivatives of the sum of a value's entries: of a unit, that of each entry in its own."""
        if base.key not in self.known:
            name = symbols.base_of(base.name) or f"({ast.unparse(base.node)})" if base.node else ""
            cost = Cost(base.key, name, base.line, _sum)
            self.known[base.key] = Truths(self.truths.program, self.truths.probe, self.truths.run, cost)
        return self.known[base.key]

    def of(self, base: Event) -> list[Truth]:
        """The slopes of a value that are not the same everywhere."""
        found = self.truths_of(base).named() if np.size(base.value) > 1 else []
        same = [each for each in found if each.event.shape == base.shape and each.event.key != base.key]
        return [each for each in same if np.ptp(each.gradient)]


def _sum(value: Any, _: Mapping[str, Any]) -> Any:
    return np.sum(value)
