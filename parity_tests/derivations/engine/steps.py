"""The steps that parameters take: which are made of their own gradients, at whatever rate, and which way they go.

People scale a gradient as they like: a rate for each layer, a rate that decays, a rate for each entry, a norm that is
clipped, a moving average. None of this is a mistake. A step is wrong where something else than its gradient goes in,
or where it goes the wrong way.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.claims import PARAMETER, UPDATE, Claim, Claims, mark_of
from parity_tests.derivations.engine.convention import ratio_of, same_factor
from parity_tests.derivations.engine.events import PART, RETURNED, Event, Key, Run
from parity_tests.derivations.engine.numbers.kinds import PLAIN, TAPE, put
from parity_tests.derivations.engine.numbers.tape import Tape
from parity_tests.derivations.engine.truths import Truth, Truths

MAXIMISED = re.compile(r"likelihood|\bll\b|log_?lik|\blog_?p|reward|elbo|utility|objective_to_max", re.I)
NEGATED = re.compile(r"neg|nll|minus", re.I)
EITHER_WAY = re.compile(r"objective|surrogate|score", re.I)
"""Names of what some make small and others large: the steps say which."""

LOSSES = re.compile(r"loss|cost|err|nll|energy|risk", re.I)


class Made(NamedTuple):
    """What goes into a step: its own gradient, those of others, a state, and anything else that leads to J."""

    own: bool
    others: bool
    state: bool
    rest: bool


def is_maximised(truths: Truths) -> bool:
    """Whether J is to become large: by its name, or where it is no loss and adds logarithms of probabilities up."""
    if MAXIMISED.search(truths.cost.text):
        return not NEGATED.search(truths.cost.text)
    if EITHER_WAY.search(truths.cost.text) and _climbs(truths):
        return True
    here = next((each for each in truths.run.events if each.key == truths.cost.key), None)
    if here is None or LOSSES.search(symbols.base_of(here.name)) or LOSSES.search(here.function):
        return False
    formula = here.node if isinstance(here.node, ast.Call) else getattr(here.statement, "value", None)
    called = getattr(getattr(formula, "func", None), "id", "")
    if called and not LOSSES.search(called):
        formula = next(
            (each.node for each in truths.run.events if each.function == called and _is_number(each)), formula
        )
    logarithms = dict(_logarithms(formula)) if isinstance(formula, ast.AST) else {}
    values = [each.value for each in truths.run.events if id(each.node) in logarithms and not each.missing]
    return bool(values) and set(logarithms.values()) == {1} and all(np.all(value < 0) for value in values)


def _climbs(truths: Truths) -> bool:
    """Whether every parameter steps up the slope of J."""
    values = {each.key: each.value for each in truths.run.events if not each.missing}
    moves = [
        float(np.sum((values[new] - values[old]) * truths.by_key[old].gradient))
        for new, old in truths.probe.steps.items()
        if old in truths.by_key and new in values and np.shape(values[new]) == np.shape(values[old])
    ]
    return bool(moves) and min(moves) > 0


def _is_number(event: Event) -> bool:
    """Whether a function returns a single number here."""
    return event.role == RETURNED and not event.missing and np.size(event.value) == 1


def _logarithms(node: ast.AST, sign: int = 1) -> Iterator[tuple[int, int]]:
    """The logarithms in a sum of products, by their nodes, each with its sign."""
    match node:
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=right):
            sign *= _sign_of(left) * _sign_of(right)
            yield from itertools.chain(_logarithms(left, sign), _logarithms(right, sign))
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            yield from _logarithms(left, sign)
            yield from _logarithms(right, -sign if isinstance(op, ast.Sub) else sign)
        case ast.UnaryOp(op=ast.USub()):
            yield from _logarithms(node.operand, -sign)
        case ast.Call(func=ast.Attribute(attr="log")):
            yield id(node), sign
        case ast.Call():
            for each in node.args:
                yield from _logarithms(each, sign)


def _sign_of(node: ast.AST) -> int:
    """The sign that a factor without logarithms has by its minus signs."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=inside) if not list(_logarithms(inside)):
            return -_sign_of(inside)
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=right) if not list(_logarithms(node)):
            return _sign_of(left) * _sign_of(right)
        case ast.Constant(value=int() | float() as number) if number < 0:
            return -1
    return 1


def direction(claim: Claim) -> float:
    """The sign of a step along the derivative of J: -1 for a step downhill, 0 where there is none."""
    if claim.factor is not None:
        return float(np.sign(claim.factor))
    if claim.old is None or claim.event.missing or claim.old.missing or claim.event.shape != claim.old.shape:
        return 0.0
    return float(
        np.sign(np.sum((claim.event.value - claim.old.value) * np.reshape(claim.truth.gradient, claim.event.shape)))
    )


def from_rest(claims: Claims, claim: Claim, overrides: Mapping[Key, Any]) -> float:
    """The sign of an optimiser's step along the derivative of J where all that it keeps is still 0; 0 for no step.

    Where J itself depends on what is kept, nothing is said.
    """
    truths = claims.truths
    states = truths.probe.roles.states & truths.probe.given.keys()
    if claim.old is None or states & claims.names:
        return 0.0
    given = {name: 0.0 * value if name in states else value for name, value in truths.probe.given.items()}

    def hook(here: Key, value: Any) -> Any:
        return np.array(overrides[here], np.float64) if here in overrides else value

    found = {event.key: event.value for event in truths.program.run(given, PLAIN, hook).events if not event.missing}
    if claim.event.key not in found or claim.old.key not in found:
        return 0.0
    step = found[claim.event.key] - found[claim.old.key]
    return float(np.sign(np.sum(step * np.reshape(claim.truth.gradient, np.shape(step)))))


def is_clipped(value: Any, whole: Any) -> bool:
    """Whether a value is another one with its entries cut off at a bound: ``np.clip(dW, -1, 1)``."""
    if np.shape(value) != np.shape(whole) or not np.any(value):
        return False
    bound = np.max(np.abs(value))
    cut = np.abs(whole) > bound * (1 + 1e-9)
    return bool(np.any(cut) and np.allclose(value, np.clip(whole, -bound, bound), 1e-9, 0))


RATES = re.compile(r"lr|rate|alpha|eta|step|gamma|eps|mu|lambda|decay|reg", re.I)


def rates_in(statement: ast.stmt | None) -> frozenset[str]:
    """The rates in a step, named or written as a number: two steps that have the same go equally far."""
    found: set[str] = set()
    todo: list[ast.AST] = [] if statement is None else [statement.value]  # type: ignore[attr-defined]
    while todo:
        node = todo.pop()
        match node:
            case ast.keyword():
                continue
            case ast.Constant() if isinstance(node.value, float):
                found.add(str(node.value))
            case ast.Name() | ast.Attribute() | ast.Subscript():
                name = ast.unparse(node)
                if RATES.search(symbols.base_of(name)):
                    found.add(name)
                if isinstance(node, ast.Name):
                    continue
        todo += ast.iter_child_nodes(node)
    return frozenset(found)


def added_name(statement: ast.stmt | None) -> str:
    """The name that a step adds as it is, ``v`` of ``W += v``; "" for a step that computes what it adds."""
    if isinstance(statement, ast.AugAssign) and isinstance(statement.value, ast.Name | ast.Attribute | ast.Subscript):
        return ast.unparse(statement.value)
    return ""


def gradients_of(
    claims: Claims, run: Run, found: list[Claim], overrides: Collection[Key] = (), factor: float = 1.0
) -> dict[Key, tuple[tuple[int, ...], bytes]]:
    """The places where a gradient of a parameter stands, with the mark of its truth.

    It is named, inside of a formula, or among the ``overrides``, the places of values that were put right. A single
    number, a multiple of any other, is one where it carries the ``factor`` of the gradients.
    """
    places = {each.event.key: mark_of(each.truth) for each in found if each.kind == PARAMETER}
    places |= {
        each.event.key: mark_of(each.truth)
        for each in found
        if each.kind != UPDATE and each.factor is not None and mark_of(each.truth) in claims.of_parameters
    }
    truths: dict[tuple[int, ...], list[Truth]] = {}
    for truth in claims.named:
        if mark_of(truth) in claims.of_parameters:
            truths.setdefault(np.shape(truth.gradient), []).append(truth)
    numbers = factor * np.array([float(each.gradient) for each in truths.get((), ())])
    for event in claims.truths.round.events(run.events):
        single = np.size(event.value) == 1
        if event.missing or not np.size(event.value) or event.key in claims.truths.by_key:
            continue
        if event.role != PART and event.key not in overrides and not single:
            continue
        if event.shape == ():
            near = np.flatnonzero(np.abs(event.value - numbers) <= 1e-9 * np.abs(numbers)) if numbers.size else numbers
            if near.size and event.value:
                places[event.key] = mark_of(truths[()][near[0]])
            continue
        for truth in truths.get(event.shape, ()):
            ratio = ratio_of(event.value, truth.gradient)
            if ratio is not None and (not single or same_factor(ratio, factor)):
                places[event.key] = mark_of(truth)
                break
    return places


class Sources:
    """What the steps of a program are computed from, by autograd: one run for all of them."""

    def __init__(
        self,
        claims: Claims,
        steps: Collection[Key],
        gradients: Mapping[Key, tuple[tuple[int, ...], bytes]],
        overrides: Mapping[Key, Any],
    ) -> None:
        self.truths, self.gradients, self.overrides = claims.truths, gradients, overrides
        self.steps: dict[Key, torch.Tensor] = {}
        self.sources: dict[Key, torch.Tensor] = {}
        self.names = leaves = self.truths.free_keys()

        def hook(here: Key, value: Any) -> Any:
            if isinstance(value, Tape) and here in steps:
                self.steps[here] = value.tensor if value.before is None else value.before
            elif isinstance(value, Tape) and (here in gradients or here in leaves or here in overrides):
                tensor = torch.as_tensor(np.array(overrides[here], np.float64)) if here in overrides else value.tensor
                self.sources[here] = tensor.detach().clone().requires_grad_()
                put(value, Tape(self.sources[here]))
            return value

        self.truths.program.run(self.truths.probe.given, TAPE, hook, keep=False)
        claims.replays += len(self.truths.run.events)

    def of(self, claim: Claim) -> Made | None:
        """What goes into one step; None where autograd cannot follow."""
        step = self.steps.get(claim.event.key)
        if step is None or not step.requires_grad:
            return None
        cotangent = torch.linspace(0.7, 1.3, step.numel(), dtype=torch.float64).reshape(step.shape)
        change = torch.sum(step * cotangent)
        slopes = torch.autograd.grad(change, list(self.sources.values()), retain_graph=True, allow_unused=True)
        found = zip(self.sources, slopes, strict=True)
        read = {here for here, slope in found if slope is not None and torch.any(slope != 0)}
        read -= {claim.old.key} if claim.old is not None else set()
        mark = mark_of(claim.truth)
        inside = {here for here in read if here in self.gradients}
        free = read - inside
        states = self.truths.probe.roles.states
        rest = {here for here in free if here in self.truths.by_key or here in self.overrides}
        rest = {here for here in rest if not (here in self.names and self.names[here] in states)}
        return Made(
            any(self.gradients[here] == mark for here in inside),
            any(self.gradients[here] != mark for here in inside),
            bool(free - rest),
            bool(rest),
        )
