"""The graph of a text's network: every value on the way to J on one probe, and the derivative of J in it."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from parity_tests.derivations.engine.texts import read_text
from parity_tests.derivations.engine.truths import Truths
from parity_tests.derivations.language.errors import DerivationError

MOST = 60
"""Nodes of a graph that can still be read."""

COST = "J"


def graph_of(text: str) -> list[dict[str, Any]]:
    """The nodes from the inputs down to J; nothing for a text that has no forward pass, or too long a one.

    Each has a ``name``, the names that it is computed ``from``, its ``shape``, and of its first entry the ``value`` and
    the ``slope`` dJ/dv, by autograd. ``rank`` counts from the inputs down: a value stands below all that it is from.
    """
    try:
        reading = read_text(text)
        trial = reading.trial(0)
        costs = reading.written(trial) or reading.implied(trial)
    except (DerivationError, RecursionError):
        return []
    if not costs:
        return []
    cost = costs[0]
    truths = Truths(*trial, cost)
    found = {each.event.name: each for each in truths.by_key.values() if each.event.name}
    if not found or len(found) >= MOST:
        return []
    nodes = {
        name: _node(name, _names(truth.event.statement, found) - {name}, truth.event.value, truth.gradient)
        for name, truth in found.items()
    }
    last = next((event for event in trial.run.events if event.key == cost.key), None)
    if last is not None:
        above = {cost.names[0]} & set(found) if cost.of else _names(last.statement, found)
        shown = COST if cost.of or not last.name else last.name
        nodes[shown] = _node(shown, above, cost.value(last.value, trial.probe.given), np.ones(()))
    return _ranked(nodes)


def _names(statement: ast.stmt | None, known: dict[str, Any]) -> set[str]:
    """The values that a statement reads."""
    if statement is None:
        return set()
    return {each.id for each in ast.walk(statement) if isinstance(each, ast.Name)} & set(known)


def _node(name: str, above: set[str], value: Any, slope: Any) -> dict[str, Any]:
    """A node; of numbers that JSON lacks there is none."""
    first, by = (float(np.real(np.ravel(each)[0])) for each in (value, slope))
    shape = list(np.shape(value))
    finite = {"value": first if np.isfinite(first) else None, "slope": by if np.isfinite(by) else None}
    return {"name": name, "from": sorted(above), "shape": shape, **finite}


def _ranked(nodes: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The nodes with their ranks: computed ones below what they are from, given ones right above what needs them."""
    ranks: dict[str, int] = {}
    for _ in nodes:  # a name that is computed from itself in turns ends somewhere
        for name, node in nodes.items():
            ranks[name] = 1 + max((ranks.get(above, 0) for above in node["from"]), default=-1)
    for name, node in nodes.items():
        if not node["from"]:
            below = [ranks[other] for other, each in nodes.items() if name in each["from"]]
            ranks[name] = min(below, default=1) - 1
    return [{**node, "rank": ranks[name]} for name, node in nodes.items()]
