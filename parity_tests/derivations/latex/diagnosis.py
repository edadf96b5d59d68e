"""Which mistake a claim has that holds in no convention: the one change with which it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice, product
from typing import NamedTuple

import numpy as np

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.conventions import Conventions
from parity_tests.derivations.latex.judge import FEW, Meant, holds, is_the_same
from parity_tests.derivations.latex.kinds import depends_on_cost, has_complement
from parity_tests.derivations.latex.notation import known_to, left_sides, node_of
from parity_tests.derivations.latex.references import SOFTMAX
from parity_tests.derivations.latex.repairs import of_penalty, repairs
from parity_tests.derivations.latex.rewritten import affordable, places, rewritings
from parity_tests.derivations.latex.symbols import COUNTS, SIZE
from parity_tests.derivations.latex.tree import (
    Call,
    Negative,
    Node,
    NotReadError,
    Operation,
    Symbol,
    Transposed,
    mapped,
    symbols_of,
)
from parity_tests.derivations.latex.usual import Usual
from parity_tests.derivations.settings.optimisers import RULES, Rule
from parity_tests.derivations.settings.setting import Setting

MOST = 2000
"""Changes of a claim that are tried."""


class Mistake(NamedTuple):
    """What is wrong, and the right side that holds."""

    cause: str
    right: Node


def diagnoses(
    conventions: Conventions, claim: Claim, read: list[Meant], most: int = MOST
) -> Iterator[tuple[Meant, Mistake]]:
    """What is wrong with a claim: as it was read, and for costs that may be meant; ``most`` changes are tried."""
    main = read[0].frame.convention
    for each in read:
        if found := mistake(each, conventions.symbols, most):
            yield each, found
    costs = conventions.costs() if depends_on_cost(claim) else ()
    if read[0].target == "J" and not has_complement(claim):
        costs = (*costs, SOFTMAX)
    for cost in dict.fromkeys(costs):
        try:
            others = conventions.read(claim, main._replace(cost=cost)) if cost != main.cost else []
        except NotReadError:
            continue
        for other in others:
            if found := mistake(other, conventions.symbols, most):
                yield other, found


def mistake(each: Meant, symbols: Sequence[Symbol], most: int) -> Mistake | None:
    """The first change of the right side with which a claim holds."""
    claim = each.claim
    known = known_to(each.frame, claim, symbols)
    for cause, right in islice(repairs(claim.right, claim.target, known), affordable(claim.right, most)):
        changed = each.but(claim=claim._replace(right=right))
        if not is_the_same(right, each) and holds(changed):
            return Mistake(named(cause, each, right), right)
    return None


def two_mistakes(each: Meant) -> Mistake | None:
    """Two changes of the right side with which a claim holds: of layers, primes, signs, indices and transposes."""
    claim = each.claim
    pairs = ((first, *after) for first, once in _slips(claim) for after in _slips(claim._replace(right=once)))
    for first, second, right in islice(pairs, affordable(claim.right, MOST)):
        if holds(each.but(claim=claim._replace(right=right))):
            return Mistake(" + ".join(dict.fromkeys((first, second))), right)
    return None


def _slips(claim: Claim) -> Iterator[tuple[str, Node]]:
    yield from rewritings(claim.right, claim.target)
    for here, put in places(claim.right):
        if isinstance(here, Transposed):
            yield "transpose-extra", put(here.operand)
        elif isinstance(here, Symbol):
            yield "transpose-missing", put(Transposed(here))


def named(cause: str, each: Meant, right: Node) -> str:
    """The name that a mistake has in a line of this kind."""
    target, claim = each.target, each.claim
    added, before = (sum(x.base in COUNTS for x in symbols_of(side)) for side in (right, claim.right))
    if cause == "missing-factor" and each.frame.family == SIZE:
        return "padding-once"
    cause = of_penalty(cause, claim.right)
    if cause == "double-1/m" and added == before:
        return "extra-factor"
    if cause == "db-not-summed" and not target.startswith("db"):
        return "missing-factor"
    return cause


@lru_cache
def _rules() -> tuple[tuple[Rule, Setting], ...]:
    return tuple((rule, rule.as_setting) for rule in RULES)


def rule_of(each: Meant) -> str:
    """The rule of an optimizer by which a claim holds, in words; "" for none.

    There v may be the step or its negative.
    """
    for rule, setting in _rules():
        if rule.setting.name != each.frame.setting.name:
            continue
        right = mapped(each.claim.right, lambda node: Negative(node) if _is_average(node) else node)
        right = Negative(right) if each.target == "v" else right
        frame = replace(each.frame, setting=setting)
        tried = each.but(frame=frame)
        if holds(tried) or holds(tried.but(claim=each.claim._replace(right=right))):
            return f"for {rule.words}"
    return ""


def simpler_size(each: Meant) -> str:
    """Where a formula of a size holds that leaves something out, in words; "" for nowhere."""
    for stride, pad, whole in product((True, False), repeat=3):
        if all(_is_size(each.numbers(seed), each.claim.right, stride, pad, whole) for seed in range(FEW)):
            said = {"where the stride is 1": stride, "holds without padding": pad,
                    "where the stride leaves no remainder": whole}  # fmt: skip
            parts = [words for words, kept in said.items() if not kept]
            return " and ".join(parts).removeprefix("holds ")
    return ""


def _is_size(numbers: Usual, right: Node, stride: bool, pad: bool, whole: bool) -> bool:
    at, found = numbers.environment, numbers.value(right, {}).item()
    size = (at["n_H_prev"] + 2 * at["pad"] * pad - at["f"]) / (at["stride"] if stride else 1)
    return bool(abs(found - (np.floor(size) if whole else size) - 1) < 1e-9)


def _is_average(node: Node) -> bool:
    return isinstance(node, Symbol) and node.base in "vV"


def another_target(each: Meant) -> tuple[str, Node] | None:
    """Another quantity whose formula the right side is, with its name in the setting; None for none."""
    claim, layer = each.claim, each.target.removeprefix("dZ")
    upstream = node_of(f"dA{layer}", each.frame, claim) if each.target == f"dZ{layer}" else None
    if upstream and holds(each.but(claim=claim._replace(right=Operation("*", upstream, claim.right)))):
        return f"g{layer}_prime", Call(Symbol("g", primes=1), (Symbol("z", layer),))
    for name, node in left_sides(each.frame, claim, each.target):
        if not is_the_same(claim.right, each.but(target=name)) and holds(each.but(target=name)):
            return name, node
    return None
