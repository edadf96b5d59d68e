"""The forward pass itself: which formula of the notes a line is, what never reaches J, and terms of J that differ."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.claims import Claim
from parity_tests.derivations.engine.events import NAMED, Event, Key, Run
from parity_tests.derivations.engine.roles import is_parameter
from parity_tests.derivations.engine.truths import Cost, Truths

WEIGHTS, BIAS, INPUT = ("F168",), ("F169",), ("F170",)
HIDDEN, OUTPUT = ("F164", "F171"), ("F098", "F175")
"""dW, db and dA of a layer; dZ = dA * g'(Z), and dZ = A - Y of the output."""

_ACTIVATION = re.compile(r"^(a|h|hidden|act|activation)_?[1-9]?$", re.I)


class Layer(NamedTuple):
    """The names in ``Z = W @ A + b``; "" for no bias, or where the input is no name."""

    Z: str
    W: str
    A: str
    b: str


def dense_layers(run: Run, parameters: set[str]) -> Iterator[Layer]:
    """The lines of a forward pass that are a product of weights and an input, with a bias or without."""
    for event in run.events:
        if event.role != NAMED or not isinstance(event.statement, ast.Assign):
            continue
        product, b = event.statement.value, ""
        match product:
            case ast.BinOp(left=part, op=ast.Add(), right=ast.Name(id=name)):
                product, b = part, name
        match product:
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                pass
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr="dot" | "matmul"), args=[left, right]):
                pass
            case ast.Call(func=ast.Attribute(value=left, attr="dot"), args=[right]):
                pass
            case _:
                continue
        names = [_name(left), _name(right)]
        weights = [name for name in names if name in parameters]
        if len(weights) == 1 and (not b or b in parameters):
            (other,) = [name for name in names if name != weights[0]] or [""]
            yield Layer(event.name, weights[0], other, b)


def _name(node: ast.expr) -> str:
    node = node.value if isinstance(node, ast.Attribute) and node.attr == "T" else node
    return node.id if isinstance(node, ast.Name) else ""


def formula_ids(claim: Claim, layers: list[Layer]) -> tuple[str, ...]:
    """The formulas of the notes that a claim is, where its truth is that of a dense layer; () for none."""
    name = claim.truth.event.name
    for layer in layers:
        if name == layer.W:
            return WEIGHTS
        if name == layer.b:
            return BIAS
        if name == layer.Z:
            return _of_scores(claim.event)
    return INPUT if any(name == layer.A for layer in layers) else ()


def _of_scores(event: Event) -> tuple[str, ...]:
    """The formula of a dZ, by how it is written."""
    node = getattr(event.statement, "value", None)
    for part in ast.walk(node) if node is not None else ():
        match part:
            case ast.BinOp(op=ast.Sub(), right=ast.Name(id=label)) if symbols.is_label(label):
                return OUTPUT
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        node = node.left
    match node:
        case ast.BinOp(op=ast.Mult()) | ast.Call(func=ast.Attribute(attr="multiply")):
            return HIDDEN
    return ()


def summed_among_averages(run: Run, cost: Cost, doubled: Run, others: Run) -> dict[int, str]:
    """Terms of J that are sums over the examples where others are averages, by line.

    With every example twice (``doubled``) a sum is twice as large, and an average stays as it is; what stays as it is
    on ``others`` as well, such as a penalty, is neither.
    """
    terms = terms_of(run, cost.key)
    kinds = []
    for _, key, _ in terms:
        here, twice, other = (_value_at(each, key) for each in (run, doubled, others))
        kinds.append("" if np.isclose(here, other) else "sum" if np.isclose(twice, 2 * here) else "average")
        if kinds[-1] == "average" and not np.isclose(twice, here):
            return {}
    if kinds.count("sum") != 1 or "average" not in kinds:
        return {}
    line, _, text = terms[kinds.index("sum")]
    average = terms[kinds.index("average")][2]
    return {line: f"{text} is a sum over the examples, {average} an average: whether that is meant is not judged"}


def terms_of(run: Run, key: Key) -> list[tuple[int, Key, str]]:
    """The terms that a value is the sum of: the line, the place and the text of each; those of its terms, where these
    are names for sums.
    """
    place = next(place for place, each in enumerate(run.events) if each.key == key)
    event = run.events[place]
    node = getattr(event.statement, "value", None)
    found: list[tuple[int, Key, str]] = []
    parts = {id(each.node): each for each in run.events[:place] if each.node is not None}
    for term in _added(node) if isinstance(event.statement, ast.Assign) else ():
        named = [each for each in run.events[:place] if isinstance(term, ast.Name) and each.name == term.id]
        here = named[-1] if named else parts.get(id(term))
        if here is not None and not here.missing and np.ndim(here.value) == 0:
            inner = terms_of(run, here.key) if named and here.role == NAMED else []
            found += inner if len(inner) > 1 else [(here.line or event.line, here.key, ast.unparse(term))]
    return found


def _added(node: ast.AST | None) -> list[ast.AST]:
    match node:
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return [*_added(node.left), *_added(node.right)]
        case None:
            return []
    return [node]


def _value_at(run: Run, key: Key) -> float:
    """The number at a place, not a number where there is none."""
    value = next((each.value for each in run.events if each.key == key and not each.missing), np.nan)
    return float(value) if np.ndim(value) == 0 else float("nan")


def unreached(truths: Truths) -> dict[int, str]:
    """Parameters and activations of the forward pass on which J does not depend, by line."""
    reached = {truth.event.name for truth in (*truths.by_key.values(), *truths.vanishing.values())}
    values = [truth.event.value for truth in truths.by_key.values()]
    given = truths.probe.given
    learned = {name for name in given if np.ndim(given[name]) and is_parameter(name, given[name], truths.probe.roles)}
    idle = learned - reached
    found: dict[int, str] = {}
    for event in truths.run.events:
        if event.key == truths.cost.key:
            break
        if event.role != NAMED or event.statement is None or event.missing or np.ndim(event.value) == 0:
            continue
        for name in sorted(idle & {each.id for each in ast.walk(event.statement) if isinstance(each, ast.Name)}):
            found.setdefault(event.line, f"{name} does not reach J: it would never be trained")
        lost = _ACTIVATION.match(symbols.stem_of(event.name)) and event.name not in reached
        if lost and not any(np.array_equal(event.value, each) for each in values):
            found.setdefault(event.line, f"{event.name} does not reach J: nothing on the way to J reads it")
    return found
