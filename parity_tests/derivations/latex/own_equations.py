"""A note's own equations in numbers: the forward pass that counts for a claim, and what deltas stand for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.latex.claims import Aside, Claim, Found
from parity_tests.derivations.latex.evaluation import MisfitError
from parity_tests.derivations.latex.own_examples import EXAMPLE, Examples, stacked, with_letter, with_stacks
from parity_tests.derivations.latex.own_forward import (
    Book,
    Definition,
    Forward,
    Key,
    differential,
    is_cost,
    is_hidden,
    with_differentials,
    with_labels,
)
from parity_tests.derivations.latex.own_layers import in_every_layer, in_the_middle, layer_letters
from parity_tests.derivations.latex.own_shapes import ONE, Shapes
from parity_tests.derivations.latex.own_values import STEPS, Values
from parity_tests.derivations.latex.sides import is_number
from parity_tests.derivations.latex.style import Style
from parity_tests.derivations.latex.symbols import COSTS
from parity_tests.derivations.latex.tree import (
    Call,
    Derivative,
    Node,
    Norm,
    NotReadError,
    Number,
    Operation,
    Sum,
    Symbol,
    Transposed,
    mapped,
    symbols_of,
    walk,
)

UNREAD = (ValueError, KeyError, IndexError, RecursionError)
DELTA = frozenset(("error",))
"""The mark of a delta that is no Kronecker's."""

SEEDS = 3
"""Draws on which an equation has to hold: on one, all units of a ReLU may be active."""


class Variant(NamedTuple):
    """What a note may mean: examples in rows, derivatives in vectors as rows, and the unit that f stands for."""

    rows: bool
    numerator: bool
    unit: str


class State(NamedTuple):
    """The forward pass that counts for a claim, in numbers."""

    forward: Forward
    shapes: Shapes
    values: tuple[Values, ...]
    known: frozenset[Key]


def with_step(node: Node, old: str, new: str) -> Node:
    """A formula with another letter for a step of time."""
    return mapped(node, lambda each: replace(each, subscripts=tuple(re.sub(f"^{old}", new, part)
                                                                    for part in each.subscripts))
                  if isinstance(each, Symbol) else each)  # fmt: skip


def _at_last_step(claim: Claim, steps: set[str]) -> Claim:
    """A claim with t for T, the last step of time; itself where it is not about that."""
    found = symbols_of((claim.target, claim.right))
    numbered = any(part.startswith("T") for each in found if each.base in steps for part in each.subscripts)
    if not numbered or any(part.startswith("t") for each in found for part in each.subscripts):
        return claim
    return claim._replace(target=with_step(claim.target, "T", "t"), right=with_step(claim.right, "T", "t"))


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


def _with_objectives(claims: list[Claim]) -> list[Claim]:
    """Claims in which a function of one letter whose formula is a sum of squares, as f(w), is a cost.

    So is one that is differentiated, and whose formula is a sum.
    """
    parts = [each.of for claim in claims for each in walk((claim.target, claim.right)) if isinstance(each, Derivative)]
    of = {each.base for part in parts for each in [getattr(part, "function", part)] if isinstance(each, Symbol)}
    letters = {claim.target.function.base for claim in claims if isinstance(claim.target, Call)
               and len(claim.target.arguments) == 1 and isinstance(claim.target.arguments[0], Symbol)
               and not claim.target.function.primes and claim.target.function.base not in COSTS
               and any(isinstance(each, Norm) or (claim.target.function.base in of and _is_sum(each))
                       for each in walk(claim.right))}  # fmt: skip

    def changed(each: Node) -> Node:
        if isinstance(each, Derivative) and isinstance(each.of, Symbol) and each.of.base in letters:
            name = each.of.base
            return replace(each, of=replace(each.of, base="J", accents=frozenset({name}), written=name))
        if isinstance(each, Call) and each.function.base in letters and not is_cost(each):
            name = each.function.base
            return replace(each, function=replace(each.function, base="J", accents=frozenset({name}), written=name))
        return each

    return [each._replace(target=mapped(each.target, changed), right=mapped(each.right, changed)) if letters else each
            for each in claims]  # fmt: skip


def _is_sum(node: Node) -> bool:
    """Whether a formula is a sum, or a product of what is transposed with itself."""
    if isinstance(node, Operation) and isinstance(node.left, Transposed):
        return node.left.operand == node.right
    return isinstance(node, Sum)


def _with_deltas(claims: list[Claim]) -> list[Claim]:
    """Claims in which a delta of two indices is no Kronecker's, where one has a formula."""
    given = any(isinstance(each.target, Symbol) and each.target.base == "\\delta" and len(each.target.subscripts) > 1
                for each in claims)  # fmt: skip

    def changed(each: Node) -> Node:
        return replace(each, accents=DELTA) if isinstance(each, Symbol) and each.base == "\\delta" else each

    return [each._replace(target=mapped(each.target, changed), right=mapped(each.right, changed)) if given else each
            for each in claims]  # fmt: skip


def _with_differentials(claim: Claim, computed: set[str]) -> Claim:
    """A claim with derivatives such as df in letters that the note computes."""
    left, right = (with_differentials(each, computed) for each in (claim.target, claim.right))
    return claim._replace(target=left, right=right, identity=claim.identity and not isinstance(left, Symbol))


def _unequal(found: Sequence[Found]) -> dict[int, tuple[str, str]]:
    """The indices of which a claim is said to hold where they differ: in it, or right before it."""
    said: dict[int, tuple[str, str]] = {}
    for place, each in enumerate(found):
        texts = [each.text, *(other.text for other in found[max(0, place - 1) : place] if isinstance(other, Aside))]
        for match in re.finditer(r"\b([ijk])\s*\\neq?\s*([ijk])\b", " ".join(texts)):
            said[place] = match[1], match[2]
    return said


class Equations:
    """The equations of a note, each judged by its own definitions."""

    def __init__(self, found: Sequence[Found], styles: Sequence[Style] = ()) -> None:
        """``found`` in its order; the places of claims are theirs in it. ``styles`` are those of the sections."""
        written = [_as_written(each, place) for place, each in enumerate(found)]
        written = _with_deltas(_with_objectives(written))
        computed = {each.target.base for each in written if isinstance(each.target, Symbol)}
        computed |= {each.target.right.base for each in written if isinstance(each.target, Operation)
                     and each.target.left == Symbol("d") and isinstance(each.target.right, Symbol)}  # fmt: skip
        written = [_with_differentials(each, computed) for each in written]
        self.written, self.examples = written, Examples(written)
        self.letters = {each.place: letter for each in written if (letter := self.examples.letter(each))}
        """The letter of an example in each claim."""
        written = [self.of_examples(each) for each in written]
        steps = {each.base for each in symbols_of(tuple((claim.target, claim.right) for claim in written))
                 if "t" in each.subscripts}  # fmt: skip
        self.claims = [_at_last_step(each, steps) for each in written]
        self.last = {each.place for each, other in zip(self.claims, written, strict=True) if each is not other}
        self.unequal = _unequal(found)
        chains = [id(each.target) if isinstance(each, Claim) else -place for place, each in enumerate(found)]
        self.styles, self.layers = styles, dict[int, set[str]]()
        """The letters of layers in each claim."""
        every = self.by_layers() if styles else {}
        self.book = Book(self.claims, chains, every)
        for letter, row in self.examples.stack(self.claims).items():
            whole = stacked(letter, row)
            self.book.stack(letter, Transposed(whole) if letter in self.examples.turned else whole)
        self.states: dict[Any, State] = {}
        self.found: dict[tuple[int, bool], Any] = {}
        self.best: dict[int, Variant] = {}
        self.reasons: dict[int, str] = {}
        self.aliases: dict[tuple[int, Variant], Definition | None] = {}
        self.outcomes: dict[tuple[int, Variant], bool | None] = {}

    def of_examples(self, claim: Claim) -> Claim:
        """A claim with steps of time for its examples."""
        letter = self.letters.get(claim.place)
        if letter is None:
            return claim
        left, right = (with_stacks(with_letter(each, letter, EXAMPLE)) for each in (claim.target, claim.right))
        return claim._replace(target=left, right=right)

    def by_layers(self) -> dict[int, list[Claim]]:
        """What each claim says of single layers; claims themselves become those of one.

        Nothing where no layer is a letter.
        """
        here = {each.place: self.styles[each.section] for each in self.claims if each.section >= 0}
        letters = {place: layer_letters(self.claims[place], style) for place, style in here.items()}
        self.layers = {place: found for place, found in letters.items() if found}
        every = dict[int, list[Claim]]()
        for place, style in here.items() if self.layers else ():
            with suppress(NotReadError):
                claim = self.claims[place]
                every[place], self.claims[place] = list(in_every_layer(claim, style)), in_the_middle(claim, style)
        return every

    @cached_property
    def defining(self) -> dict[int, Definition]:
        """The claims that are definitions."""
        return {each.place: each for each in self.book.definitions if not is_hidden(each.symbol)}

    def state(self, claim: Claim, variant: Variant) -> State:
        """The numbers of the forward pass that counts for a claim, with the deltas that were told before."""
        forward = self.book.at(claim.place, claim.section)
        definitions = dict(forward.definitions)
        for place in self.unnamed:
            if place < claim.place and (alias := self.alias(place, variant)):
                definitions[alias.name.key] = alias
        used = tuple(sorted((each.place, each.name.key.base) for each in definitions.values()))
        key = used, variant, tuple(forward.ranks.items()) if self.differs(claim.section) else ()
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

    def differs(self, section: int) -> bool:
        """Whether a quantity has fewer indices in a section than elsewhere."""
        here, most = self.book.ranks.get(section, {}), self.book.ranks_at(-1)
        return any(most[key] > rank > 1 for key, rank in here.items())

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
        named = {key.base for ranks in self.book.ranks.values() for key in ranks}
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
            told = self.book.told.get(name.key)
            if told is not None and len(name.indices) > len(told.name.indices) > 0:  # of more than was said at first
                assert isinstance(told.right, Derivative)
                assert isinstance(told.right.by, Symbol)
                return Derivative(told.right.of, replace(told.right.by, subscripts=each.subscripts))
            if name.key in state.known:
                return each
            if by is not None:
                return Derivative(self.cost(claim, state), by)
            if each.base in given and not name.key.marks and not each.accents:  # z of p = softmax(z_3)
                inner = given[each.base]
                return replace(inner, subscripts=(*inner.subscripts, *name.indices), bare=each.bare or inner.bare)
            return each

        return mapped(node, changed)

    def left_side(self, claim: Claim, state: State) -> Node:
        """The left side, as a derivative where its name was said to stand for one."""
        left = self.derivatives(claim.target, claim, state)
        if isinstance(left, Symbol):
            name = state.forward.name(left, self.book.letters(claim))
            definition = state.forward.definitions.get(name.key)
            if definition and isinstance(definition.right, Derivative) and not name.indices:
                return definition.right
        return left

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
            anything = isinstance(left, Call) and left.function.primes and left.arguments == (Symbol(key.base),)
            if key not in state.known and not plain and not anything:
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
                    at = {**dict(zip(free, place, strict=True)), "t": STEPS if claim.place in self.last else 2}
                    first, second = self.unequal.get(claim.place, ("", ""))
                    if first in at and at[first] == at.get(second):
                        continue
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
