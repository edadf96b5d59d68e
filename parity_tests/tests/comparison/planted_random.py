"""Mistakes planted in random networks: at any node, of any size that must be seen.

A mistake is found when its node fails, or cannot be told, and no other node fails: both sides go on from the value by
hand, so what follows from a wrong value is right again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from manual import network
from manual.activations import ACTIVATIONS, softmax
from manual.architecture import Architecture
from manual.costs import OUTPUT_COSTS, output_dZ
from manual.notation import Array
from manual.optimizers import OPTIMIZERS
from parity_tests.comparison.random_networks import drawn
from parity_tests.comparison.snap import run_steps
from parity_tests.formulas.run import generator
from parity_tests.judging.judge import FAILS, SEEN

AFTER = " after a step"


class Node(NamedTuple):
    """A quantity, as the comparison names it, and its layer; None for J."""

    quantity: str
    layer: int | None


class PlantedResult(NamedTuple):
    """What came of one planted mistake: the verdict at its node, and the other nodes that failed.

    ``seen`` is False where the mistake changed nothing by as much as must be seen.
    """

    seed: int
    node: Node
    change: str
    seen: bool
    verdict: str
    others: tuple[Node, ...]


def _one_entry(share: float) -> Callable[[Array, np.random.Generator], Array]:
    """One entry moved by so many times what must be seen."""

    def change(value: Array, rng: np.random.Generator) -> Array:
        moved = value.astype(np.float64)
        step = share * SEEN[value.dtype] * float(np.max(np.abs(moved)))
        moved.flat[rng.integers(moved.size)] += rng.choice([-1, 1]) * step
        return moved

    return change


CHANGES: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    "minus": lambda value, rng: -value,
    "minus three times": lambda value, rng: -3 * value,
    "zeros": lambda value, rng: 0 * value,
    "twice": lambda value, rng: 2 * value,
    "half": lambda value, rng: value / 2,
    "a little more": lambda value, rng: value.astype(np.float64) * (1 + 1.1 * SEEN[value.dtype]),
    "one more": lambda value, rng: value + 1,
    "backwards": lambda value, rng: np.flip(value),
    "absolute values": lambda value, rng: np.abs(value),
    "the mean everywhere": lambda value, rng: np.full_like(value, value.mean()),
    "one entry wrong": _one_entry(1.1),
    "one entry very wrong": _one_entry(30.0),
    "one entry NaN": lambda value, rng: np.where(np.arange(value.size).reshape(value.shape) == 0, np.nan, value),
}
"""What is planted in place of an array; it keeps its shape and dtype."""


def nodes(architecture: Architecture) -> list[Node]:
    """All that a step compares and that can be wrong by itself."""
    weighted = [l for l, _, k in architecture.numbered() if k]
    L = len(architecture.layers)
    return [
        *(Node(quantity, l) for quantity in ("Z", "dZ", "dW", "db", f"W{AFTER}", f"b{AFTER}") for l in weighted),
        *(Node("A", l) for l in range(1, L + 1)),
        *(Node("dA", l) for l in range(L + 1)),
        Node("J", None),
    ]


def run_planted(seed: int, dtype: Any) -> PlantedResult:
    """Plant one mistake in the network of a seed, take one step, and see."""
    case, begin = drawn(seed, dtype)
    rng = generator("planted", seed)
    possible = nodes(begin.architecture)
    node = possible[int(rng.integers(len(possible)))]
    name = str(rng.choice(list(CHANGES)))
    seen: list[bool] = []

    def change(value: Any) -> Any:
        right = np.asarray(value)
        wrong = np.array(CHANGES[name](right, rng), dtype, order="C")
        difference = np.abs(np.subtract(wrong, right, dtype=np.float64))
        seen.append(not np.max(difference) <= 1.05 * SEEN[right.dtype] * np.max(np.abs(right)))
        return wrong if np.ndim(value) else wrong[()]

    with np.errstate(all="ignore"), in_place(begin.architecture, case.optimizer, node, change):
        results = run_steps(case, begin, 1, seed)
    lines = {Node(line.quantity.removesuffix(" with L2"), line.layer): line.verdict for line in results}
    L = len(begin.architecture.layers)
    expected = {node, Node("dZ", L)} if node == Node("A", L) else {node}  # A - Y by hand; torch goes back from Z
    others = tuple(at for at, verdict in lines.items() if verdict == FAILS and at not in expected)
    return PlantedResult(seed, node, name, any(seen), lines[node], others)


@contextmanager
def in_place(architecture: Architecture, optimizer: str, node: Node, change: Callable[[Any], Any]) -> Iterator[None]:
    """The change in place of what is computed by hand at a node, for as long as the context lasts."""
    holder, name, planted = _planted(architecture, optimizer, node, change)
    in_table = isinstance(holder, dict)
    with mock.patch.dict(holder, {name: planted}) if in_table else mock.patch.object(holder, name, planted):
        yield


def _planted(
    architecture: Architecture, optimizer: str, node: Node, change: Callable[[Any], Any]
) -> tuple[Any, Any, Any]:
    """Where the formula of a node is held, by which name, and what is planted there."""
    quantity, l = node
    L = len(architecture.layers)
    if l is None:
        return network, "cost", _changed(network.cost, change)
    if quantity.endswith(AFTER):
        rule: Any = OPTIMIZERS[optimizer]
        _, _, k = architecture.numbered()[l - 1]
        return rule, "step", _step(rule.step, f"{quantity[0]}{k}", change)
    if node == Node("dA", L):
        cost = OUTPUT_COSTS[architecture.output_unit]
        return OUTPUT_COSTS, architecture.output_unit, cost._replace(prime=_changed(cost.prime, change))
    if node == Node("dZ", L):
        return network, "output_dZ", _changed(output_dZ, change)
    if quantity == "dZ":
        through_unit = network._through_unit
        return network, "_through_unit", _of(architecture.layers[l - 1], through_unit, change)
    unit = architecture.activations[l]
    if quantity == "A" and unit == "softmax":
        return network, "softmax", _changed(softmax, change)
    if quantity == "A" and unit is not None:
        right = ACTIVATIONS[unit]
        before = sum(each == unit for each in architecture.activations[:l])
        return ACTIVATIONS, unit, right._replace(g=_call(before, right.g, change))
    layer = architecture.layers[l if quantity == "dA" else l - 1]
    kind: Any = type(layer)
    if quantity in ("Z", "A"):
        return kind, "forward", _of(layer, kind.forward, change)
    place = {"dA": 0, "dW": 1, "db": 2}[quantity] if layer.has_parameters else None
    return kind, "backward", _of(layer, kind.backward, change, place)


def _changed(right: Callable[..., Any], change: Callable[[Any], Any]) -> Callable[..., Any]:
    """The function with its result changed."""
    return lambda *arguments, **options: change(right(*arguments, **options))


def _of(
    layer: Any, right: Callable[..., Any], change: Callable[[Any], Any], place: int | None = None
) -> Callable[..., Any]:
    """The function with its result, or the part of it at a place, changed where it is called for that layer."""

    def planted(of: Any, *arguments: Any, **options: Any) -> Any:
        value = right(of, *arguments, **options)
        if of is not layer:
            return value
        if place is None:
            return change(value)
        return (*value[:place], change(value[place]), *value[place + 1 :])

    return planted


def _call(number: int, right: Callable[..., Any], change: Callable[[Any], Any]) -> Callable[..., Any]:
    """The function with the result of one call changed."""
    calls = count()
    return lambda Z: change(right(Z)) if next(calls) == number else right(Z)


def _step(right: Callable[..., Any], name: str, change: Callable[[Any], Any]) -> Callable[..., Any]:
    """An optimiser's step with one parameter changed."""

    def planted(*arguments: Any) -> Any:
        params, state = right(*arguments)
        return {**params, name: change(params[name])}, state

    return planted
