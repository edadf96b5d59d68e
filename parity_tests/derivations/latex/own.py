"""Claims judged by the note's own forward pass: whatever its letters are, they mean what its equations say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from itertools import chain, islice, product
from typing import NamedTuple

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.own_equations import UNREAD, Equations, State, Variant, with_step
from parity_tests.derivations.latex.own_examples import EXAMPLE, with_letter
from parity_tests.derivations.latex.own_forward import (
    COUNTED,
    differential,
    is_cost,
    is_kronecker,
)
from parity_tests.derivations.latex.own_layers import in_letters
from parity_tests.derivations.latex.own_shapes import ONE, is_large
from parity_tests.derivations.latex.repairs import of_penalty, repairs
from parity_tests.derivations.latex.rewritten import affordable
from parity_tests.derivations.latex.symbols import MEANINGS
from parity_tests.derivations.latex.tree import (
    Call,
    Cases,
    Derivative,
    Node,
    NotReadError,
    Number,
    Operation,
    Symbol,
    Transposed,
    mapped,
    symbols_of,
    walk,
    with_parts,
)

UNITS = ("any", "sigmoid", "tanh", "relu")

MOST_REPAIRS = 1500
ENOUGH = 2
"""How many other derivatives must hold before one that does not is called wrong."""


class Own(NamedTuple):
    """What is found: ``holds``, a ``cause`` with its repair, that it ``defines`` a quantity, or nothing of these.

    ``variant``: it holds where vectors or examples lie otherwise; ``written``: it is about a cost that has a formula;
    ``trusted``: so are other derivatives, most of which hold; ``unused``: nothing else has what it defines.
    """

    holds: bool = False
    cause: str = ""
    repaired: Node | None = None
    defines: bool = False
    variant: bool = False
    written: bool = False
    trusted: bool = False
    unused: bool = False


class OwnForward(Equations):
    """Judges the claims of a note by its own definitions."""

    def judged(self, place: int, *, mending: bool = True) -> Own | None:
        """What is found of a claim; None where the note's own forward pass says nothing of it.

        Without ``mending`` no cause is looked for, which takes most of the time.
        """
        if (place, mending) not in self.found:
            self.found[place, mending] = self.looked_at(place, mending=mending)
        found: Own | None = self.found[place, mending]
        return found

    def looked_at(self, place: int, *, mending: bool) -> Own | None:
        """The same, as it is found."""
        claim = self.claims[place]
        if claim.section < 0 or claim.given is not None or not self.book.definitions:
            return None
        variant = self.variant(claim.section)
        held = self.outcome(place, variant)
        if claim.identity:  # of a quantity without a letter, as of log odds
            found = self.mended(claim, variant) if held is False and mending else Own(holds=bool(held))
            return found if found.holds or found.cause or (held is False and not mending) else None
        if (total := self.is_total(claim, variant)) is not None:
            return Own(holds=total)
        if held is None:
            return (
                Own(defines=True, unused=self.defining[place].symbol.base not in self.used)
                if self.is_read(place, variant)
                else None
            )
        if held:
            return Own(holds=True)
        if self.is_turned_jacobian(claim, variant):
            return Own(holds=True)
        here = [place]
        if any(self.outcome(place, other) and self.thin(here, other) <= self.thin(here, variant)
               for other in self.variants(claim.section)):  # fmt: skip
            return Own(variant=True)
        others = [self.outcome(each.place, self.variant(each.section)) for each in self.claims
                  if each is not claim and self.is_derivative(each.place)]  # fmt: skip
        sure = others.count(True)
        written = self.is_of_a_written_cost(claim, variant)
        if sure < ENOUGH and not written:
            return Own()
        trusted = written and sure >= ENOUGH and sure > 2 * others.count(False)
        if not mending:
            return Own(written=written, trusted=trusted)
        shapes, letters = self.state(claim, variant).shapes, self.book.letters(claim)
        with suppress(*UNREAD):
            if shapes.has_jacobian(claim.right, letters):
                return Own()
        jacobian = self.is_jacobian(claim, variant)
        others_too = [variant._replace(numerator=not variant.numerator)] if jacobian else self.as_good(variant, claim)
        found = Own()
        for each in (variant, *others_too):
            if not found.cause or (jacobian and found.cause == "operand-order"):
                found = other if (other := self.mended(claim, each)).cause else found
        return found._replace(written=written, trusted=trusted)

    def as_good(self, variant: Variant, claim: Claim) -> list[Variant]:
        """The other variants in which as many claims of a section hold, and in which no matrix is a vector."""
        places = [each.place for each in self.claims if each.section == claim.section]
        count = sum(bool(self.outcome(place, variant)) for place in places)
        thin = self.thin(places, variant)
        return [other for other in self.variants(claim.section) if other != variant and self.thin(places, other) <= thin
                and sum(bool(self.outcome(place, other)) for place in places) >= count]  # fmt: skip

    def is_total(self, claim: Claim, variant: Variant) -> bool | None:
        """Whether a differential, as in dY = X dW, is what the differentials of what it depends on make of it.

        None where something else is claimed, as of the names of derivatives of a cost.
        """
        of = differential(claim.target) if isinstance(claim.target, Symbol) else None
        parts = {each.base: by for each in symbols_of(claim.right) if (by := differential(each)) is not None}
        if of is None or not parts:
            return None
        with suppress(*UNREAD):
            state, none = self.state(claim, variant), frozenset[str]()
            value, names = (
                state.forward.name(of, none),
                {base: state.forward.name(by, none) for base, by in parts.items()},
            )
            below = state.forward.below(value.key) - {value.key}
            above = [state.forward.below(each.key) for each in names.values()]
            if not {each.key for each in names.values()} <= below or any(value.key in each for each in above):
                return None  # of what goes round in time a name is that of a derivative of the cost
            return all(values.totals(value, names, claim.right) for values in state.values)
        return None

    def is_turned_jacobian(self, claim: Claim, variant: Variant) -> bool:
        """Whether a derivative of one vector in another holds as its transpose, where no other one lies otherwise."""
        turned = variant._replace(numerator=not variant.numerator)
        if not self.is_jacobian(claim, variant) or not self.outcome(claim.place, turned):
            return False
        others = [each.place for each in self.claims if each.section == claim.section and each is not claim]
        return not any(self.outcome(place, variant) and not self.outcome(place, turned)
                       for place in others if self.is_jacobian(self.claims[place], variant))  # fmt: skip

    def is_jacobian(self, claim: Claim, variant: Variant) -> bool:
        """Whether the left side is the whole derivative of one vector in another."""
        if not isinstance(claim.target, Derivative):
            return False
        with suppress(*UNREAD):
            return self.state(claim, variant).shapes.has_jacobian(claim.target, self.book.letters(claim))
        return False

    def is_read(self, place: int, variant: Variant) -> bool:
        """Whether a claim is a definition that can be computed."""
        own = self.defining.get(place)
        return own is not None and own.name.key in self.state(self.claims[place], variant).forward.definitions

    @cached_property
    def used(self) -> set[str]:
        """The letters that stand on the right of an equation, or are differentiated."""
        parts = [part for each in self.claims for part in (each.right, each.target)
                 if part is each.right or isinstance(part, Derivative)]  # fmt: skip
        return {each.base for each in symbols_of(tuple(parts))}

    def has_own_meanings(self, place: int) -> bool:
        """Whether a letter of a claim is another kind of quantity in the note than it usually is.

        An output that is called as labels are is one where its values stand, not where something is derived in it.
        """
        claim = self.claims[place]
        others = [each for each in self.book.definitions if each.place != place]
        defined = {each.symbol.base for each in others if MEANINGS.get(each.symbol.base) in ("W", "b")}
        outputs = {each.symbol.base for each in others if MEANINGS.get(each.symbol.base) == "Y"
                   and any(MEANINGS.get(inner.base) == "W" for inner in symbols_of(each.right))}  # fmt: skip
        sides = (claim.target, claim.right)
        values = [mapped(side, lambda each: Number("1") if isinstance(each, Derivative) else each) for side in sides]
        return any((each.base in defined and not each.accents) or (each.base == "J" and each.written)
                   for each in symbols_of(sides)) or any(
            each.base in outputs and not each.accents for each in symbols_of(tuple(values)))  # fmt: skip

    def has_differentials(self, place: int, *, even_said: bool = True) -> bool:
        """Whether names such as dW and delta stand in a claim; ``even_said``: also a delta that was said to be one."""
        claim = self.claims[place]
        found, letters = symbols_of((claim.target, claim.right)), self.book.letters(claim)
        deltas = [each for each in found if each.base == "\\delta" and not is_kronecker(each, letters)]
        return any(differential(each) is not None for each in found) or any(
            even_said or repr(each) not in self.book.derivatives for each in deltas
        )

    def has_averages(self, place: int) -> bool:
        """Whether names such as dW of parameters stand in a claim, which may be averages over the examples."""
        found = symbols_of((self.claims[place].target, self.claims[place].right))
        return any(MEANINGS.get(each.base) in ("dW", "db") for each in found)

    def is_timed(self, place: int) -> bool:
        """Whether steps of time, of which no setting knows, stand in a claim."""
        claim = self.claims[place]
        return any(part[:1] == "t" for each in symbols_of((claim.target, claim.right)) for part in each.subscripts)

    def names_a_derivative(self, place: int) -> bool:
        """Whether a claim says which derivative a letter, as delta or g, is: its number may be any."""
        claim = self.claims[place]
        plain = isinstance(claim.target, Symbol) and differential(claim.target) is None
        return plain and isinstance(claim.right, Derivative)

    def is_of_a_written_cost(self, claim: Claim, variant: Variant) -> bool:
        """Whether what is differentiated is a cost whose formula the note gives, and that depends on the variable."""
        state = self.state(claim, variant)
        left = self.left_side(claim, state)
        if not (isinstance(left, Derivative) and is_cost(left.of) and isinstance(left.by, Symbol)):
            return False
        of = left.of.function if isinstance(left.of, Call) else left.of
        letters = self.book.letters(claim)
        key, by = (state.forward.name(each, letters).key for each in (of, left.by))  # type: ignore[arg-type]
        return key in state.forward.definitions and by in state.forward.below(key)

    def is_followed(self, place: int) -> bool:
        """Whether a claim gives the formula of a cost, of which derivatives of the note are those."""
        return is_cost(self.claims[place].target) and any(
            self.is_of_a_written_cost(each, variant) and self.outcome(each.place, variant)
            for each in self.claims if isinstance(each.target, Derivative)
            for variant in [self.variant(each.section)]
            if self.state(each, variant).forward.definitions.get(self.defining[place].name.key) is self.defining[place]
        )  # fmt: skip

    def is_derivative(self, place: int) -> bool:
        target = self.claims[place].target
        named = isinstance(target, Symbol) and (target.base == "\\delta" or differential(target) is not None)
        return isinstance(target, Derivative) or named or repr(target) in self.book.derivatives

    def variants(self, section: int) -> list[Variant]:
        unit = self.variant(section).unit
        return [Variant(rows, numerator, unit) for rows, numerator in product((False, True), repeat=2)]

    def variant(self, section: int) -> Variant:
        """That in which most claims of a section hold."""
        if section not in self.best:
            places = [each.place for each in self.claims if each.section == section]
            best = Variant(False, False, "any")

            def count(variant: Variant) -> int:
                return sum(bool(self.outcome(place, variant)) for place in places)

            def fails(variant: Variant) -> bool:
                return any(self.outcome(place, variant) is False for place in places)

            if fails(best) or self.thin(places, best):
                tried = [Variant(rows, numerator, "any") for rows, numerator in product((False, True), repeat=2)]
                best = max(tried, key=lambda each: (-self.thin(places, each), count(each), each == best))
            if fails(best) and self.has_letters(places, best):
                best = max(
                    (best._replace(unit=unit) for unit in self.units(places)),
                    key=lambda each: (count(each), each == best),
                )
            self.best[section] = best
        return self.best[section]

    def units(self, places: list[int]) -> tuple[str, ...]:
        """What a letter such as f may stand for: a ReLU, whose slope is that of its values, where one is shown."""
        shown = any(
            isinstance(each, Cases) or (isinstance(each, Call) and each.function.base in ("max", "indicator", "relu"))
            for place in places for each in walk((self.claims[place].target, self.claims[place].right))
        )  # fmt: skip
        return UNITS if shown else UNITS[:-1]

    def thin(self, places: list[int], variant: Variant) -> int:
        """How many matrices of a section would have to be vectors."""
        states = {id(state): state for state in (self.state(self.claims[place], variant) for place in places)}
        return max((sum(ONE in state.shapes.resolved(shape) for key, shape in state.shapes.of.items()
                        if is_large(key) and key not in state.forward.definitions and key.base not in COUNTED
                        and not state.forward.ranks.get(key)) for state in states.values()), default=0)  # fmt: skip

    def has_letters(self, places: list[int], variant: Variant) -> bool:
        """Whether a letter such as f stands for the units."""
        return any(self.state(self.claims[place], variant).values[0].used_unit for place in places)

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
            own = isinstance(claim.target, Call) and claim.target.function.base in state.forward.functions
            slope = own and claim.target.function.primes  # type: ignore[union-attr]
            if isinstance(claim.target, Call) and not (is_cost(claim.target) or slope or claim.identity):
                return None
            left, right = self.left_side(claim, state), self.derivatives(claim.right, claim, state)
            if isinstance(left, Derivative | Symbol) and left in walk(right):
                raise NotReadError("what is added to what it was")
            self.check(claim, left, right, state)
            return self.equal(claim, left, right, state)
        except UNREAD as error:
            self.reasons[claim.place] = f"{type(error).__name__} {error}"
            return None

    def in_its_letters(self, right: Node, claim: Claim) -> Node:
        """A repair with the letters that a claim has for the last step of time, and for layers."""
        if claim.place in self.last:
            return with_step(right, "t", "T")
        if claim.place in self.letters:
            return with_letter(right, EXAMPLE, self.letters[claim.place])
        letters = self.layers.get(claim.place, set())
        return in_letters(right, letters, self.styles[claim.section]) if self.layers else right

    def mended(self, claim: Claim, variant: Variant) -> Own:
        """The one change with which a claim holds."""
        state = self.state(claim, variant)
        alias = self.alias(claim.place, variant) if claim.place in self.unnamed else None
        left = alias.right if alias else self.left_side(claim, state)
        tried = repairs(claim.right, claim.target, state.forward.mending)
        few = islice(tried, affordable(claim.right, MOST_REPAIRS))
        for cause, right in chain(few, self.missing_paths(claim, left, state)):
            try:
                if self.equal(claim, left, self.derivatives(right, claim, state), state):
                    return Own(cause=of_penalty(cause, claim.right), repaired=self.in_its_letters(right, claim))
            except UNREAD:
                continue
        return Own()

    def missing_paths(self, claim: Claim, left: Node, state: State) -> Iterator[tuple[str, Node]]:
        """The formulas with what reaches the cost through another product in which the variable stands."""
        by = left.by if isinstance(left, Derivative) else None
        if not isinstance(by, Symbol) or not is_cost(left.of):  # type: ignore[union-attr]
            return
        letters = self.book.letters(claim)
        here = state.forward.name(by, letters)
        for each in state.forward.definitions.values():
            for part in walk(each.right):
                behind = part.right if isinstance(part, Operation) and part.sign in ("", ".") else None
                if isinstance(behind, Symbol) and state.forward.name(behind, each.letters).key == here.key:
                    above = each.symbol
                    if (here.step, state.forward.name(behind, each.letters).step) == (0, -1):
                        above = with_parts(
                            above, {"subscripts": tuple(re.sub("^t$", "t+1", index) for index in above.subscripts)}
                        )  # type: ignore[assignment]
                    term = Operation("", Transposed(part.left), Derivative(left.of, above))  # type: ignore[union-attr]
                    yield "missing-term", Operation("+", claim.right, term)
