"""Claims judged by the note's own forward pass: whatever its letters are, they mean what its equations say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.latex.claims import Aside, Claim, Found
from parity_tests.derivations.latex.collector import is_number
from parity_tests.derivations.latex.own_forward import (
    COUNTED,
    Book,
    Definition,
    Forward,
    Key,
    differential,
    is_cost,
    is_hidden,
    with_labels,
)
from parity_tests.derivations.latex.own_shapes import ONE, MisfitError, Shapes
from parity_tests.derivations.latex.own_values import Values
from parity_tests.derivations.latex.repairs import repairs
from parity_tests.derivations.latex.symbols import COSTS, MEANINGS
from parity_tests.derivations.latex.tree import (
    Call,
    Derivative,
    Node,
    NotReadError,
    Number,
    Symbol,
    mapped,
    symbols_of,
    walk,
)

UNREAD = (ValueError, KeyError, IndexError, RecursionError)
UNITS = ("any", "sigmoid", "tanh", "relu")
SEEDS = 3
"""Draws on which an equation has to hold: on one, all units of a ReLU may be active."""

MOST_REPAIRS = 1500
ENOUGH = 2
"""How many other derivatives must hold before one that does not is called wrong."""


class Variant(NamedTuple):
    """What a note may mean: examples in rows, derivatives in vectors as rows, and the unit that f stands for."""

    rows: bool
    numerator: bool
    unit: str


class Own(NamedTuple):
    """What is found: ``holds``, a ``cause`` with its repair, that it ``defines`` a quantity, or nothing of these.

    ``variant``: it holds where vectors or examples lie otherwise; ``written``: it is about a cost that has a formula.
    """

    holds: bool = False
    cause: str = ""
    repaired: Node | None = None
    defines: bool = False
    variant: bool = False
    written: bool = False


class State(NamedTuple):
    """The forward pass that counts for a claim, in numbers."""

    forward: Forward
    shapes: Shapes
    values: tuple[Values, ...]
    known: frozenset[Key]


def _as_written(each: Found, place: int) -> Claim:
    """A claim, or another equation, with quantities on its left side; what is no equation claims nothing."""
    if isinstance(each, Aside) and each.equation is not None:
        left, right = map(with_labels, each.equation)
        return Claim(left, right, each.text, "", each.line, each.cell, each.section, place, 0, ())
    if not isinstance(each, Claim):
        nothing = Symbol("")
        return Claim(nothing, nothing, "", "", 0, 0, -1, place, 0, (), identity=True)
    left, right = with_labels(each.target), with_labels(each.right)
    if isinstance(left, Call) and not is_cost(left) and isinstance(right, Symbol):
        left, right = right, left
    return each._replace(target=left, right=right, place=place)


class OwnForward:
    """Judges the claims of a note by its own definitions."""

    def __init__(self, found: Sequence[Found]) -> None:
        """``found`` in its order; the places of claims are theirs in it."""
        self.claims = [_as_written(each, place) for place, each in enumerate(found)]
        chains = [id(each.target) if isinstance(each, Claim) else -place for place, each in enumerate(found)]
        self.book = Book(self.claims, chains)
        self.states: dict[Any, State] = {}
        self.best: dict[int, Variant] = {}
        self.reasons: dict[int, str] = {}
        self.aliases: dict[tuple[int, Variant], Definition | None] = {}
        self.outcomes: dict[tuple[int, Variant], bool | None] = {}

    @cached_property
    def defining(self) -> dict[int, Definition]:
        """The claims that are definitions."""
        return {each.place: each for each in self.book.definitions if not is_hidden(each.symbol)}

    def judged(self, place: int) -> Own | None:
        """What is found of a claim; None where the note's own forward pass says nothing of it."""
        claim = self.claims[place]
        if claim.identity or claim.given is not None or not self.book.definitions:
            return None
        variant = self.variant(claim.section)
        held = self.outcome(place, variant)
        if held is None:
            own = self.defining.get(place)
            if own is None or own.name.key not in self.state(claim, variant).forward.definitions:
                return None
            return Own(defines=True) if own.symbol.base in self.used else None
        if held:
            return Own(holds=True)
        if any(self.outcome(place, other) for other in self.variants(claim.section)):
            return Own(variant=True)
        sure = sum(bool(self.outcome(each.place, self.variant(each.section))) for each in self.claims
                   if each is not claim and self.is_derivative(each.place))  # fmt: skip
        written = self.is_of_a_written_cost(claim, variant)
        if sure < ENOUGH and not written:
            return Own()
        shapes, letters = self.state(claim, variant).shapes, self.book.letters(claim)
        with suppress(*UNREAD):
            if any(shapes.has_jacobian(each, letters) for each in (claim.target, claim.right)):
                return Own()
        return self.mended(claim, variant)._replace(written=written)

    @cached_property
    def used(self) -> set[str]:
        """The letters that stand on the right of an equation, or are differentiated."""
        parts = [part for each in self.claims for part in (each.right, each.target)
                 if part is each.right or isinstance(part, Derivative)]  # fmt: skip
        return {each.base for each in symbols_of(tuple(parts))}

    def has_own_meanings(self, place: int) -> bool:
        """Whether a letter of a claim is another kind of quantity in the note than it usually is."""
        claim = self.claims[place]
        defined = {each.symbol.base for each in self.book.definitions if each.place != place}
        return any(MEANINGS.get(each.base) in ("W", "b") and each.base in defined
                   for each in symbols_of((claim.target, claim.right)))  # fmt: skip

    def has_differentials(self, place: int) -> bool:
        """Whether names such as dW and delta stand in a claim."""
        found = symbols_of((self.claims[place].target, self.claims[place].right))
        return any(differential(each) is not None or each.base == "\\delta" for each in found)

    def is_of_a_written_cost(self, claim: Claim, variant: Variant) -> bool:
        """Whether what is differentiated is a cost whose formula the note gives, and that depends on the variable."""
        state = self.state(claim, variant)
        left = self.derivatives(claim.target, claim, state)
        if not (isinstance(left, Derivative) and is_cost(left.of) and isinstance(left.by, Symbol)):
            return False
        of = left.of.function if isinstance(left.of, Call) else left.of
        letters = self.book.letters(claim)
        key, by = (state.forward.name(each, letters).key for each in (of, left.by))  # type: ignore[arg-type]
        return key in state.forward.definitions and by in state.forward.below(key)

    def is_derivative(self, place: int) -> bool:
        target = self.claims[place].target
        return isinstance(target, Derivative) or (isinstance(target, Symbol) and (
            target.base == "\\delta" or differential(target) is not None))  # fmt: skip

    def variants(self, section: int) -> list[Variant]:
        unit = self.variant(section).unit
        return [Variant(rows, numerator, unit) for rows, numerator in product((False, True), repeat=2)]

    def variant(self, section: int) -> Variant:
        """That in which most claims of a section hold."""
        if section not in self.best:
            places = [each.place for each in self.claims if each.section == section]
            best = Variant(False, False, "any")
            tried = [Variant(rows, numerator, "any") for rows, numerator in product((False, True), repeat=2)]

            def count(variant: Variant) -> int:
                return sum(bool(self.outcome(place, variant)) for place in places)

            best = max(tried, key=lambda each: (-self.thin(places, each), count(each), each == best))
            if any(self.outcome(place, best) is False for place in places):
                others = [best._replace(unit=unit) for unit in UNITS] if self.has_letters(places, best) else [best]
                best = max(others, key=lambda each: (count(each), each == best))
            self.best[section] = best
        return self.best[section]

    def thin(self, places: list[int], variant: Variant) -> int:
        """How many matrices of a section would have to be vectors."""
        states = {id(state): state for state in (self.state(self.claims[place], variant) for place in places)}
        return max((sum(ONE in state.shapes.resolved(shape) for key, shape in state.shapes.of.items()
                        if key.base.isupper() and key not in state.forward.definitions and key.base not in COUNTED
                        and not state.forward.ranks.get(key)) for state in states.values()), default=0)  # fmt: skip

    def has_letters(self, places: list[int], variant: Variant) -> bool:
        """Whether a letter such as f stands for the units."""
        return any(self.state(self.claims[place], variant).values[0].used_unit for place in places)

    def state(self, claim: Claim, variant: Variant) -> State:
        """The numbers of the forward pass that counts for a claim, with the deltas that were told before."""
        forward = self.book.at(claim.place, claim.section)
        definitions = dict(forward.definitions)
        for place in self.unnamed:
            if place < claim.place and (alias := self.alias(place, variant)):
                definitions[alias.name.key] = alias
        key = tuple(sorted((each.place, each.name.key.base) for each in definitions.values())), variant
        if key not in self.states:
            while True:
                forward = forward._replace(definitions=definitions)
                shapes = Shapes(forward, rows=variant.rows, numerator=variant.numerator)
                bad = [each for each in definitions if not self.usable(shapes.shape, each)]
                shapes.fixed = len(shapes.parents)
                values = tuple(Values(forward, shapes, variant.unit, seed) for seed in range(SEEDS))
                bad = bad or [each for each in definitions if not self.usable(values[0].begin, each)]
                if not bad:
                    break
                definitions = {name: each for name, each in definitions.items() if name not in bad}
            self.states[key] = State(forward, shapes, values, frozenset(forward.known()))
        return self.states[key]

    @staticmethod
    def usable(seen: Callable[[Key], Any], key: Key) -> bool:
        """Whether a definition has a shape, or numbers."""
        try:
            seen(key)
        except UNREAD:
            return False
        return True

    @cached_property
    def unnamed(self) -> list[int]:
        """The claims on a delta, or a dz, of which nothing says what it is the derivative in."""
        named = {key.base for key in self.book.ranks}
        told = {(each.section, repr(each.symbol)) for each in self.book.definitions}
        return [
            each.place for each in self.claims
            if isinstance(each.target, Symbol) and each.place not in self.defining and not each.target.primes
            and (each.target.base == "\\delta" or ((by := differential(each.target)) and by.base not in named))
            and (each.section, repr(each.target)) not in told
        ]  # fmt: skip

    def alias(self, place: int, variant: Variant) -> Definition | None:
        """What a delta stands for: the derivative that is equal to its formula."""
        if (place, variant) not in self.aliases:
            self.aliases[place, variant] = None
            claim = self.claims[place]
            with suppress(*UNREAD):
                state = self.state(claim, variant)
                letters = self.book.letters(claim)
                right = self.derivatives(claim.right, claim, state)
                self.check(claim, Number("0"), right, state)
                likely = list(self.candidates(claim, state))
                found = [each for each, _ in likely if self.equal(claim, each, right, state)]
                found = found or [each for each, before in likely if before and self.fits(claim, each, right, state)]
                if found and (len(found) == 1 or self.equal(claim, found[0], right, state)):
                    name = state.forward.name(claim.target, letters)  # type: ignore[arg-type]
                    self.aliases[place, variant] = Definition(
                        name, found[0], letters, place, claim.section, claim.target  # type: ignore[arg-type]
                    )  # fmt: skip
        return self.aliases[place, variant]

    def equal_to(self, alias: Definition, claim: Claim, variant: Variant) -> bool:
        """Whether a delta's formula is what it stands for."""
        state = self.state(claim, variant)
        return self.equal(claim, alias.right, self.derivatives(claim.right, claim, state), state)

    def candidates(self, claim: Claim, state: State) -> Iterator[tuple[Derivative, bool]]:
        """The derivatives that a delta may be, those in quantities with its marks first; whether it is that of what
        stands in an activation, with its marks.
        """
        target = claim.target
        assert isinstance(target, Symbol)
        letters = self.book.letters(claim)
        name = state.forward.name(target, letters)
        found = [each for each in state.forward.definitions.values() if not is_cost(each.symbol)
                 and not any(isinstance(part, Derivative) for part in walk(each.right))]  # fmt: skip
        before = {state.forward.name(inner, each.letters).key for each in found if isinstance(each.right, Call)
                  for inner in each.right.arguments if isinstance(inner, Symbol)}  # fmt: skip
        for each in sorted(found, key=lambda each: each.name.key.marks != name.key.marks):
            plain = [part for part in each.symbol.subscripts if part not in each.name.indices]
            if (each.name.step is None) == (name.step is None) and len(each.name.indices) <= len(name.indices):
                by = replace(each.symbol, subscripts=(*plain, *name.indices))
                alike = each.name.key.marks == name.key.marks and each.name.key in before
                yield Derivative(self.cost(claim, state), by), alike

    def outcome(self, place: int, variant: Variant) -> bool | None:
        """Whether a claim holds in a variant; None where it cannot be read by the note's own definitions."""
        if (place, variant) not in self.outcomes:
            self.outcomes[place, variant] = None  # while it is looked at
            self.outcomes[place, variant] = self.tried(self.claims[place], variant)
        return self.outcomes[place, variant]

    def tried(self, claim: Claim, variant: Variant) -> bool | None:
        if claim.place in self.defining and not isinstance(claim.target, Derivative):
            return None
        if claim.place in self.unnamed:
            alias = self.alias(claim.place, variant)
            return None if alias is None else self.equal_to(alias, claim, variant)
        try:
            state = self.state(claim, variant)
            if isinstance(claim.target, Call) and not is_cost(claim.target):
                return None
            left, right = (self.derivatives(each, claim, state) for each in (claim.target, claim.right))
            self.check(claim, left, right, state)
            return self.equal(claim, left, right, state)
        except UNREAD as error:
            self.reasons[claim.place] = f"{type(error).__name__} {error}"
            return None

    def derivatives(self, node: Node, claim: Claim, state: State) -> Node:
        """A formula with derivatives of a cost for what has names such as dz."""
        letters = self.book.letters(claim)
        given = dict[str, Symbol]()
        for name in state.forward.names_in((claim.target, claim.right), letters):
            definition = state.forward.definitions.get(name.key)
            if definition and isinstance(definition.right, Call) and len(definition.right.arguments) == 1:
                inner = definition.right.arguments[0]
                given |= {inner.base: inner} if isinstance(inner, Symbol) else {}

        def changed(each: Node) -> Node:
            if not isinstance(each, Symbol):
                return each
            by = differential(each)
            name = state.forward.name(each, letters)
            if name.key in state.known:
                return each
            if by is not None:
                return Derivative(self.cost(claim, state), by)
            if each.base in given and not name.key.marks and not each.accents:  # z of p = softmax(z_3)
                inner = given[each.base]
                return replace(inner, subscripts=(*inner.subscripts, *name.indices), bare=each.bare or inner.bare)
            return each

        return mapped(node, changed)

    def cost(self, claim: Claim, state: State) -> Symbol:
        """The cost that is meant where none is named: the last one that is defined before."""
        found = [each for each in state.forward.definitions.values() if is_cost(each.symbol)]
        before = [each for each in found if each.place < claim.place] or found
        return max(before, key=lambda each: each.place).symbol if before else Symbol("J")

    def check(self, claim: Claim, left: Node, right: Node, state: State) -> None:
        """Raise NotReadError where a letter is neither computed nor given by the forward pass."""
        letters = self.book.letters(claim)
        if left == right or is_number(right):
            raise NotReadError("the same, or a number")
        for name in state.forward.names_in((left, right), letters):
            key = name.key
            plain = not name.indices and (key.base in COSTS or (key.base in ("\\ones", "e", "I") and not key.marks))
            if key not in state.known and not plain:
                raise NotReadError(f"{key.base} has no meaning here")
        self.check_labels((left, right), letters, state)
        if isinstance(left, Symbol | Call) and is_cost(left) and not isinstance(claim.target, Derivative):
            name = state.forward.name(left.function if isinstance(left, Call) else left, letters)
            if name.key not in state.known:
                raise NotReadError("a cost without a formula")

    @staticmethod
    def check_labels(sides: tuple[Node, Node], letters: frozenset[str], state: State) -> None:
        """Raise NotReadError where labels stand beside a derivative of a cost whose formula does not lead to it."""
        forward = state.forward
        computed = {key for end in forward.ends() for key in forward.below(end)}
        labels = any(
            name.key in state.known - computed - set(forward.definitions) and name.key.base not in COSTS
            for name in forward.names_in(sides, letters)
        )
        for each in walk(sides) if labels else ():
            if isinstance(each, Derivative) and is_cost(each.of) and isinstance(each.by, Symbol):
                of = each.of.function if isinstance(each.of, Call) else each.of
                cost, by = (forward.name(part, letters).key for part in (of, each.by))  # type: ignore[arg-type]
                if cost not in forward.definitions or by not in forward.below(cost):
                    raise NotReadError("labels beside a cost without a formula")

    def equal(self, claim: Claim, left: Node, right: Node, state: State) -> bool:
        """Whether the sides are equal; False also where their sizes do not fit."""
        shapes, letters = state.shapes, self.book.letters(claim)
        with shapes.trial(), np.errstate(all="ignore"):
            scope = self.scope(left, right, letters, shapes)
            free = [each for each in scope or () if not self.is_bound(each, claim, right)]
            for values in state.values if scope is not None else ():
                values.scope, values.letters = scope or {}, letters
                for place in product(*(range(min(3, values.size(values.scope[each]))) for each in free)):
                    at = {**dict(zip(free, place, strict=True)), "t": 2}
                    x, y = (values.value(each, at) for each in (left, right))
                    y = y.T if x.shape != y.shape else y
                    if x.shape != y.shape or not np.allclose(x, y, rtol=1e-8, atol=1e-10):
                        return False
        return scope is not None

    @staticmethod
    def scope(left: Node, right: Node, letters: frozenset[str], shapes: Shapes) -> dict[str, int] | None:
        """How far the indices of an equation run; None where its sides have other sizes."""
        found = dict[str, int]()
        try:
            a, b = (shapes.infer(each, letters, found) for each in (left, right))
        except MisfitError:
            return None
        a, b = shapes.resolved(a), shapes.resolved(b)
        return found if sorted(a) == sorted(b) and (a == b or ONE in a) else None

    def fits(self, claim: Claim, left: Node, right: Node, state: State) -> bool:
        """Whether the sides have the same sizes."""
        with state.shapes.trial():
            return self.scope(left, right, self.book.letters(claim), state.shapes) is not None

    @staticmethod
    def is_bound(letter: str, claim: Claim, right: Node) -> bool:
        return letter not in {part for each in symbols_of(claim.target) for part in each.subscripts} and any(
            letter in getattr(each, "index", "") for each in walk(right)
        )

    def mended(self, claim: Claim, variant: Variant) -> Own:
        """The one change with which a claim holds."""
        state = self.state(claim, variant)
        alias = self.alias(claim.place, variant) if claim.place in self.unnamed else None
        left = alias.right if alias else self.derivatives(claim.target, claim, state)
        for count, (cause, right) in enumerate(repairs(claim.right, claim.target, state.forward.mending)):
            if count > MOST_REPAIRS:
                break
            try:
                if self.equal(claim, left, self.derivatives(right, claim, state), state):
                    return Own(cause=cause, repaired=right)
            except UNREAD:
                continue
        return Own()
