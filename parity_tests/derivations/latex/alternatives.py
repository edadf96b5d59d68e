"""What a claim may say otherwise: other conventions in which it may hold, and claims that are one change away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.conventions import LAYOUTS
from parity_tests.derivations.latex.kinds import depends_on_cost, depends_on_units, names_products
from parity_tests.derivations.latex.references import COSTS, Convention
from parity_tests.derivations.latex.rewritten import rewritings
from parity_tests.derivations.latex.symbols import MEANINGS
from parity_tests.derivations.latex.targets import has_penalty
from parity_tests.derivations.latex.tree import (
    Derivative,
    Negative,
    Node,
    Operation,
    Sum,
    Symbol,
    factors,
    symbols_of,
    walk,
)

LEFT_SIDE = "left-side"


def one_change_away(claim: Claim) -> Iterator[tuple[str, Claim]]:
    """The claims that are one change away, with the mistake that it mends: of the right side, then of both."""
    for cause, right in rewritings(claim.right, claim.target):
        yield cause, claim._replace(right=right)
    chain = links(claim.right)
    if chain is None or not isinstance(claim.target, Derivative):
        return
    for place, each in enumerate(chain[1:], 1):
        before = chain[place - 1]
        if each.of != before.by:
            yield (
                "missing-factor",
                claim._replace(
                    right=product_of([*chain[:place], Derivative(before.by, each.of or each.by), *chain[place:]])
                ),
            )
        turned = Derivative(claim.target.of, chain[0].by), [Derivative(chain[0].of, claim.target.by), *chain[1:]]
        yield LEFT_SIDE, claim._replace(target=turned[0], right=product_of(turned[1]))


def other_values(claim: Claim) -> Iterator[Derivative]:
    """Derivatives of a value's entry, whose indices are those that stand on the right side alone."""
    target = claim.target
    if not isinstance(target, Derivative) or not isinstance(target.by, Symbol) or any(True for _ in _sums(claim.right)):
        return
    letters = [index for each in symbols_of(claim.right) for index in each.subscripts if len(index) == 1]
    free = [index for index in dict.fromkeys(letters) if index not in target.by.subscripts]
    for base in ("z", "A") if len(free) == 2 else ():
        for subscripts in (tuple(free), tuple(free[::-1])):
            yield Derivative(Symbol(base, subscripts=subscripts), target.by)


def _sums(node: Node) -> Iterator[Sum]:
    return (each for each in walk(node) if isinstance(each, Sum))


def broken_chain(claim: Claim) -> str:
    """What is wrong with a chain of derivatives by its names: a link is missing, or it ends in another parameter."""
    chain = [each for _, each in factors(claim.right)]
    count = next((place for place, each in enumerate(chain) if not isinstance(each, Derivative)), len(chain))
    known = [each for each in chain[:count] if isinstance(each, Derivative)]
    if count < 3 or not isinstance(claim.target, Derivative) or known[0].of != claim.target.of:
        return ""
    breaks = sum(first.by != second.of for first, second in pairwise(known))
    last, wanted = known[-1].by, claim.target.by
    if breaks:
        return "missing-factor" if breaks == 1 and last == wanted else ""
    parameters = [each for each in (last, wanted) if isinstance(each, Symbol) and MEANINGS.get(each.base) in ("W", "b")]
    return LEFT_SIDE if len(parameters) == 2 and last != wanted else ""


def links(node: Node) -> list[Derivative] | None:
    """The factors of a product of derivatives; None for another formula."""
    if isinstance(node, Derivative):
        return [node]
    if isinstance(node, Operation) and node.sign not in ("+", "-", "/"):
        left, right = links(node.left), links(node.right)
        return None if left is None or right is None else [*left, *right]
    return None


def product_of(factors: list[Derivative]) -> Node:
    """Derivatives side by side."""
    whole: Node = factors[0]
    for each in factors[1:]:
        whole = Operation("", whole, each)
    return whole


def alternatives(claim: Claim, main: Convention) -> Iterator[Convention]:
    """Other conventions in which a claim may hold: those that differ in one thing first, then in two."""
    layouts = [main._replace(rows=rows, turned=turned) for rows, turned in LAYOUTS] if names_products(claim) else []
    costs = [main._replace(cost=cost) for cost in COSTS] if depends_on_cost(claim) else []
    units = ("sigmoid", "relu", "tanh", *(("identity",) if claim.linear else ())) if depends_on_units(claim) else ()
    single = [
        main._replace(one=not main.one), main._replace(total=not main.total), *layouts, *costs,
        *(main._replace(hidden=unit) for unit in units), main._replace(single=True),
        main._replace(l2=True), main._replace(above=not main.above),
        *((main._replace(undivided=not main.undivided), main._replace(decays=not main.decays),
           main._replace(undivided=not main.undivided, decays=not main.decays)) if has_penalty(claim) else ()),
        *([] if main.unbiased else [main._replace(unbiased=True)]),
    ]  # fmt: skip
    double = [
        *(each._replace(one=not main.one) for each in (*layouts, *costs)),
        *(each._replace(total=not main.total) for each in (*layouts, *costs)),
        *(layout._replace(cost=cost.cost) for layout in layouts for cost in costs),
    ]
    seen = {main}
    for each in (*single, *double):
        if each not in seen:
            seen.add(each)
            yield each


def changed(main: Convention, other: Convention) -> set[str]:
    """The parts in which two conventions differ."""
    parts = {name for name, a, b in zip(main._fields, main, other, strict=True) if a != b}
    return {"layout" if each in ("rows", "turned") else each for each in parts}


def with_brackets(node: Node) -> Node | None:
    """A + B where A ends with a sum: the sum over all of it; None where there is no such thing."""
    if not (isinstance(node, Operation) and node.sign in ("+", "-")):
        return None

    def deeper(here: Node) -> Node | None:
        if isinstance(here, Sum):
            inner = deeper(here.body) if isinstance(here.body, Sum) else None
            return replace(here, body=inner or Operation(node.sign, here.body, node.right))
        if isinstance(here, Operation):
            inner = deeper(here.right)
            return None if inner is None else replace(here, right=inner)
        if isinstance(here, Negative):
            inner = deeper(here.operand)
            return None if inner is None else Negative(inner)
        return None

    return deeper(node.left)
