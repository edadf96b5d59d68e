"""Which mistake was made: the smallest change of the writer's formula that both referees accept.

Single edits are tried first, the likeliest first, then pairs: those for which one edit leaves a constant ratio or a
multiple of the weights, then, within a budget, any. A formula that no single edit and no pair mends is "unknown":
nothing is guessed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.agreement import DOUBLE, agrees, constant_ratio
from parity_tests.derivations.edit_context import Context, Edit
from parity_tests.derivations.edits import edits
from parity_tests.derivations.nodes import Node

SAME_COST = 0.15
"""Edits whose costs differ by less are equally likely."""

MOST_CAUSES = 3
SECONDS_FOR_PAIRS = 1.5
"""What the search for two mistakes may take, per line, in processor time: a busy machine finds as much."""

Evaluate = Callable[[Node, int], Any]
"""The value of the target under a changed formula on the probe of that number; None where it cannot be computed."""


class Diagnosis(NamedTuple):
    """``causes`` are the mistakes of the repair; ``alternatives`` the other causes that are as likely."""

    causes: tuple[str, ...]
    repaired: Node
    alternatives: tuple[tuple[str, ...], ...]


class Case(NamedTuple):
    """A wrong formula with what it takes to judge its changes: the truths are by probe, then by referee."""

    node: Node
    context: Context
    evaluate: Evaluate
    truths: Sequence[Sequence[Any]]
    weights: Any
    unit: float = DOUBLE


def repair(case: Case, seconds: float = SECONDS_FOR_PAIRS) -> Diagnosis | None:
    """The smallest edit, or pair of edits, that makes the formula right; None where there is none."""
    found = _found(case, seconds)
    if not found:
        return None
    return _chosen([(_once(edit.undoes for edit in chain), chain[-1].node, cost) for chain, cost in found])


def recognise(case: Case, value: Sequence[Any], seconds: float = SECONDS_FOR_PAIRS) -> Diagnosis | None:
    """The mistake that turns the right formula of ``case`` into these numbers, one value per probe; None for none."""
    target = case._replace(truths=[(each,) for each in value])
    found = _found(target, seconds)
    if not found:
        return None
    return _chosen([(_once(edit.makes for edit in chain), case.node, cost) for chain, cost in found])


Chain = tuple[Edit, ...]
"""Edits one after the other."""


def _found(case: Case, seconds: float) -> list[tuple[Chain, float]]:
    """Single edits that mend the formula, or else pairs, with their costs."""
    single: list[tuple[Chain, float]] = []
    for edit in edits(case.node, case.context):
        if single and edit.cost > single[0][1] + SAME_COST:
            break
        if _holds(case, edit.node):
            single.append(((edit,), edit.cost))
    return single or list(_pairs(case, seconds))


def _once(causes: Iterable[str]) -> tuple[str, ...]:
    """The causes, each said once."""
    return tuple(dict.fromkeys(causes))


def _chosen(found: list[tuple[tuple[str, ...], Node, float]]) -> Diagnosis:
    """The cheapest, with the causes that are as cheap beside it."""
    found = sorted(found, key=lambda each: each[2])
    causes, node, cost = found[0]
    alternatives: dict[tuple[str, ...], None] = {}
    for other, _, its_cost in found[1:]:
        if its_cost <= cost + SAME_COST and sorted(other) != sorted(causes):
            alternatives[tuple(sorted(other))] = None
    return Diagnosis(causes, node, tuple(alternatives)[: MOST_CAUSES - 1])


def _holds(case: Case, node: Node) -> bool:
    """Whether both referees accept a formula on every probe."""
    for number, truths in enumerate(case.truths):
        value = case.evaluate(node, number)
        if value is None or not all(agrees(value, truth, case.unit) for truth in truths):
            return False
    return True


def _pairs(case: Case, seconds: float) -> Iterator[tuple[Chain, float]]:
    """Pairs of edits that mend the formula: the promising first edits, then the rest, until the time is up."""
    end = time.process_time() + seconds
    firsts = list(edits(case.node, case.context))
    truth = case.truths[0][0]
    promising, others = [], []
    for edit in firsts:
        if time.process_time() > end:
            return
        value = case.evaluate(edit.node, 0)
        if value is None or np.shape(value) != np.shape(truth):
            others.append(edit)
        elif _nearly(value, truth, case):
            promising.append(edit)
        else:
            others.append(edit)
    best = np.inf
    for first in (*promising, *others):
        if time.process_time() > end:
            return
        if first.cost + 0.9 > best + SAME_COST:
            continue
        for second in edits(first.node, case.context):
            cost = first.cost + second.cost
            if cost > best + SAME_COST or time.process_time() > end:
                break
            if _holds(case, second.node):
                best = min(best, cost)
                yield (first, second), cost
        if promising and first is promising[-1] and best < np.inf:
            return


def _nearly(value: Any, truth: Any, case: Case) -> bool:
    """Whether one factor, or one multiple of the weights, would make the value right."""
    if constant_ratio(value, truth, case.unit) is not None:
        return True
    if case.weights is None or np.shape(case.weights) != np.shape(truth):
        return False
    return constant_ratio(np.subtract(value, truth), case.weights, case.unit) is not None
