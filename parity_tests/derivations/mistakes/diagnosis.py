"""Which mistake was made: the smallest change of the writer's formula that both referees accept.

Single edits are tried first, the likeliest first, then pairs: those for which one edit leaves a constant ratio or a
multiple of the weights, then any, until the search has done as many steps as it may. Steps are counted, not seconds,
so the answer is the same on every machine. A formula that no single edit and no pair mends is "unknown": nothing is
guessed. A repair is shown in its plain form, which is judged like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.agreement import DOUBLE, agrees, constant_ratio
from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.budget import Budget, Effort
from parity_tests.derivations.language.nodes import Node
from parity_tests.derivations.mistakes.context import Context, Edit
from parity_tests.derivations.mistakes.edits import edits
from parity_tests.derivations.mistakes.simplify import meant_by, simplified

SAME_COST = 0.15
"""Edits whose costs differ by less are equally likely."""

LEFT_OUT = 1.0
"""What two edits may cost more than others and still be meant, where both of them only leave something out."""

MOST_CAUSES = 3
MOST_PLAIN = 12
"""Repairs that are put into their plain form."""

STEPS = 800_000
"""What the search may do for a line: nodes visited, over all formulas that it tries."""

ALL_STEPS = 3 * STEPS
"""What it may do for all lines of a derivation together."""

LONGEST = 400
"""Nodes of a formula, with its helpers and loops, in which a mistake is searched for."""

A_CHANGE, A_TRIAL = 10, 40
"""Steps that it takes to write down a changed formula, and to begin to work it out."""

Evaluate = Callable[[Node, int, Budget], Any]
"""The value of the target under a changed formula on the probe of that number; None where it cannot be computed."""


class Diagnosis(NamedTuple):
    """``causes`` are the mistakes of the repair; ``alternatives`` the other causes that are as likely."""

    causes: tuple[str, ...]
    repaired: Node
    alternatives: tuple[tuple[str, ...], ...]


class Case(NamedTuple):
    """A wrong formula with what it takes to judge its changes: the truths are by probe, then by referee.

    ``wide`` are those of the probe behind them, on which no size is 1, if there is one.
    """

    node: Node
    context: Context
    evaluate: Evaluate
    truths: Sequence[Sequence[Any]]
    weights: Any
    unit: float = DOUBLE
    wide: Sequence[Any] = ()


Chain = tuple[Edit, ...]
"""Edits one after the other."""


class Found(NamedTuple):
    """Edits that mend a formula, what they cost together, and what they make of it."""

    chain: Chain
    cost: float
    repaired: Node


def repair(case: Case, left: Effort | None = None) -> Diagnosis | None:
    """The smallest edit, or pair of edits, that makes the formula right; None where there is none.

    ``left`` is what may be done for this line and all that come behind it.
    """
    left = Effort(ALL_STEPS) if left is None else left
    meant = meant_by(case.node, case.context.batch)
    search = _Search(case, Effort(min(STEPS, left.steps)), meant)
    mended = sorted(search.found(), key=_by_cost)[:MOST_PLAIN]
    left.spend(min(STEPS, left.steps) - search.effort.steps)
    search.effort = Effort(STEPS)
    plain = (each._replace(repaired=simplified(each.repaired, case.node, search.as_general(each))) for each in mended)
    by_formula = {each.repaired: each for each in reversed(list(plain)) if meant(each.repaired)}
    found = list(by_formula.values())
    return _chosen([(_once(edit.undoes for edit in each.chain), each) for each in found]) if found else None


def recognise(case: Case, value: Sequence[Any]) -> Diagnosis | None:
    """The mistake that turns the right formula of ``case`` into these numbers, one value per probe; None for none."""
    search = _Search(case._replace(truths=[(each,) for each in value]), Effort(STEPS))
    found = [(_once(edit.makes for edit in each.chain), each._replace(repaired=case.node)) for each in search.found()]
    return _chosen(found) if found else None


def _once(causes: Iterable[str]) -> tuple[str, ...]:
    """The causes, each said once; an edit may undo two."""
    return tuple(dict.fromkeys(each for cause in causes for each in cause.split(" + ")))


def _by_cost(found: Found) -> tuple[float, int]:
    """The cheapest first, of those as cheap the shortest."""
    return found.cost, nodes.size(found.repaired)


def _chosen(found: list[tuple[tuple[str, ...], Found]]) -> Diagnosis:
    """The cheapest edit, or of the pairs as cheap the shortest, with the causes that are as cheap beside it."""
    found = sorted(found, key=lambda each: _by_cost(each[1]))
    if len(found[0][1].chain) > 1:
        likely = [each for each in found if each[1].cost <= found[0][1].cost + SAME_COST]
        shortest = min(likely, key=lambda each: nodes.size(each[1].repaired))
        found = [shortest, *(each for each in found if each is not shortest)]
    causes, best = found[0]
    alternatives: dict[tuple[str, ...], None] = {}
    for other, each in found[1:]:
        if each.cost <= best.cost + SAME_COST and sorted(other) != sorted(causes):
            alternatives[tuple(sorted(other))] = None
    same = [each.repaired for other, each in found if other == causes and each.cost <= best.cost + SAME_COST]
    return Diagnosis(causes, min(same, key=nodes.size), tuple(alternatives)[: MOST_CAUSES - 1])


class _Search:
    """The changed formulas that were tried, and what may still be done."""

    def __init__(self, case: Case, effort: Effort, meant: Callable[[Node], bool] = lambda node: True) -> None:
        self.case = case
        self.effort = effort
        self.meant = meant
        self.tried: dict[Node, bool] = {}

    def found(self) -> list[Found]:
        """Single edits that mend the formula, or else pairs."""
        if self.effort.spent or nodes.size(self.case.node) > LONGEST:
            return []
        single = self.single()
        general = [each for each in single if self.is_general(each.repaired)]
        return general or single or self.not_longer(list(self.pairs()))

    def single(self) -> list[Found]:
        """The cheapest edits that mend the formula; none that puts something in where another need not."""
        size = nodes.size(self.case.node)
        found: list[Found] = []
        for edit in self.edits(self.case.node):
            dear = bool(found) and edit.cost > found[0].cost + SAME_COST
            if dear and nodes.size(edit.node) >= size:
                continue
            if self.holds(edit.node) and self.meant(edit.node):
                found.append(Found((edit,), edit.cost, edit.node))
        found = self.not_longer(found)
        return [each for each in found if each.cost <= found[0].cost + SAME_COST]

    def not_longer(self, found: list[Found]) -> list[Found]:
        """Where one makes the formula shorter, those that do not make it longer; else all."""
        size = nodes.size(self.case.node)
        if not any(nodes.size(each.repaired) < size for each in found):
            return found
        return [each for each in found if nodes.size(each.repaired) <= size]

    def pairs(self) -> Iterator[Found]:
        """Pairs of edits that mend the formula: the promising first edits, then the rest, until the effort is spent.

        The cheapest ones, and dearer ones that leave something out twice.
        """
        truth = self.case.truths[0][0]
        promising: list[Edit] = []
        others: list[Edit] = []
        for edit in self.edits(self.case.node):
            value = self.value(edit.node, 0)
            near = value is not None and np.shape(value) == np.shape(truth) and self.nearly(value, truth)
            (promising if near else others).append(edit)
        written, best, shortest = nodes.size(self.case.node), np.inf, np.inf
        for place, first in enumerate((*promising, *others)):
            if self.effort.spent:
                return
            shorter = nodes.size(first.node)
            if promising and place >= len(promising) and best < np.inf and (shortest <= written or shorter >= written):
                continue  # one that is promising will do, unless all that these do is to make the formula longer
            most = LEFT_OUT if shorter < written else SAME_COST
            if first.cost + 0.9 > best + most:
                continue
            for second in self.edits(first.node):
                cost = first.cost + second.cost
                if cost > best + most or self.effort.spent:
                    break
                if cost > best + SAME_COST and nodes.size(second.node) >= shorter:
                    continue
                if self.holds(second.node) and self.meant(second.node) and self.is_general(second.node):
                    best, shortest = min(best, cost), min(shortest, nodes.size(second.node))
                    yield Found((first, second), cost, second.node)

    def edits(self, node: Node) -> list[Edit]:
        """Every single change of a formula, the cheapest first."""
        found = list(edits(node, self.case.context))
        self.effort.spend(len(found) * (A_CHANGE + nodes.size(node) // 2))
        return found

    def value(self, node: Node, number: int) -> Any:
        """What the target is under a formula on a probe; None where it has none, or the effort is spent."""
        if self.effort.spent:
            return None
        budget = Budget()
        value = self.case.evaluate(node, number, budget)
        self.effort.spend(A_TRIAL + budget.steps)
        return value

    def holds(self, node: Node) -> bool:
        """Whether both referees accept a formula on every probe."""
        if node not in self.tried:
            self.tried[node] = all(self.agrees(node, number) for number in range(len(self.case.truths)))
        return self.tried[node]

    def is_general(self, node: Node) -> bool:
        """Whether they accept it where no size is 1, too."""
        return not self.case.wide or self.agrees(node, len(self.case.truths))

    def as_general(self, found: Found) -> Callable[[Node], bool]:
        """Whether a formula holds wherever what was found does."""
        return (
            (lambda node: self.holds(node) and self.is_general(node)) if self.is_general(found.repaired) else self.holds
        )

    def agrees(self, node: Node, number: int) -> bool:
        """Whether both referees accept a formula on a probe."""
        value, truths = self.value(node, number), [*self.case.truths, self.case.wide][number]
        return value is not None and all(agrees(value, truth, self.case.unit) for truth in truths)

    def nearly(self, value: Any, truth: Any) -> bool:
        """Whether one factor, or one multiple of the weights, would make the value right."""
        if constant_ratio(value, truth, self.case.unit) is not None:
            return True
        weights = self.case.weights
        if weights is None or np.shape(weights) != np.shape(truth):
            return False
        return constant_ratio(np.subtract(value, truth), weights, self.case.unit) is not None
