"""Which values may be the culprit behind a claim that fails, each with the truths that may belong in its place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from parity_tests.derivations.agreement import agrees
from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.claims import INNER, PARAMETER, UPDATE, VALUE, Claim, holds_with, mark_of
from parity_tests.derivations.engine.convention import same_factor
from parity_tests.derivations.engine.events import ENTRY, NAMED, PART, RETURNED, Event, Key
from parity_tests.derivations.engine.failing import State
from parity_tests.derivations.engine.roots import Root
from parity_tests.derivations.engine.search import Search
from parity_tests.derivations.engine.steps import added_name
from parity_tests.derivations.engine.truths import Truth

DERIVATIVES = re.compile(r"d_?[A-Za-z]\w*$|.*(?:delta|grad|nabla)")
"""Names that a value of the forward pass has where it should have become a derivative: ``dz = a``."""

MOST_TURNS = 6
"""How many turns of a loop are looked at one by one; of longer loops only the last."""


class Suspects:
    """The values that may be wrong."""

    def __init__(self, search: Search) -> None:
        self.search, self.claims, self.factor = search, search.claims, search.factor

    def of(self, state: State, claim: Claim, own_value: Any, reach: Collection[Key]) -> Iterator[Root]:
        """Values that may be the culprit, each with a truth and a factor: the claim's own, then earlier ones."""
        scales = self.search.scales(state, claim)
        if claim.kind == UPDATE:
            yield Root(claim.event, claim.truth, self.search.rate(claim), own_value, (), UPDATE)
            if claim.factor is not None and np.size(claim.event.value) > 1 and not added_name(claim.event.statement):
                return  # a multiple of its gradient: the step itself is wrong
        else:
            for truth in claim.others or (claim.truth,):
                for factor in [self.factor] if claim.kind == PARAMETER else scales:
                    yield Root(claim.event, truth, factor, factor * truth.gradient, (), claim.kind)
            for truth in self._inside(claim):
                yield from (Root(claim.event, truth, each, each * truth.gradient, (), INNER) for each in scales)
        matched = {each.event.key: each for each in state.claims if each.factor is not None}
        carried = [each.factor for each in state.claims if each.kind in (INNER, VALUE) and each.factor]
        nominal = max(carried, key=lambda one: sum(same_factor(one, each) for each in carried), default=None)
        if not any(self._is_gradient(each) and holds_with(each, self.factor) for each in state.claims):
            nominal = None  # all gradients are off, and so may be the first of them
        events = self.claims.truths.round.events(state.run.events)
        steps = self.claims.truths.probe.steps
        turns = Counter(event.key[0] for event in events)
        for event in events:
            if event.key == claim.event.key:
                break
            if turns[event.key[0]] > MOST_TURNS and event.key[1] + 1 < turns[event.key[0]]:
                continue
            if event.role not in (NAMED, ENTRY, RETURNED) or event.key in self.claims.truths.by_key or event.missing:
                continue
            if event.key == self.claims.truths.cost.key or event.name in self.claims.parameters:
                continue
            if event.name in self.claims.truths.probe.roles.states and not added_name(claim.event.statement):
                continue  # what an optimiser keeps is no derivative, and the step has the rate
            if np.size(event.value) < 2 and event.key not in reach:
                continue
            if claim.kind == UPDATE and (np.array_equal(event.value, claim.event.value) or event.key in steps):
                continue  # the parameter itself, where it is computed or once it was set
            if self.claims.is_copy(event) and not DERIVATIVES.match(symbols.base_of(event.name)):
                continue
            known = matched.get(event.key)
            if known is not None and known.kind not in (INNER, VALUE) and not self.claims.is_of_fixed(known):
                continue
            if claim.kind == UPDATE and claim.factor is not None and np.size(claim.event.value) == 1:
                wanted = self.search.wanted(claim)  # of single numbers any is a multiple of any truth
                expected = event.value * wanted / claim.factor
                yield Root(event, claim.truth, wanted, expected, (), INNER, claim.event.key, True)
                continue
            for truth, factor in self._truths_for(event, known, claim, scales, nominal):
                yield Root(event, truth, factor, factor * truth.gradient, (), INNER)
            if (
                claim.kind != UPDATE
                and not claim.event.missing
                and event.shape == claim.event.shape == np.shape(own_value)
                and not (known is not None and known.kind == INNER and holds_with(known, self.factor))
            ):
                rest = event.value + own_value - claim.event.value
                yield Root(event, claim.truth, self.factor, rest, (), INNER, claim.event.key)
                if event.role == RETURNED and np.all(claim.event.value):
                    rest = event.value * own_value / claim.event.value
                    yield Root(event, claim.truth, self.factor, rest, (), INNER, claim.event.key, True)

    def slopes(self, state: State, claim: Claim, reach: Collection[Key], *, named: bool) -> Iterator[Root]:
        """Helpers that are no derivatives, each with a slope that may be meant: of a value that is ``named`` in it.

        Loops are not looked into.
        """
        turns = Counter(each.key[0] for each in self.claims.truths.run.events)
        by_key = {key: truth for key, truth in self.claims.truths.by_key.items() if turns[key[0]] == 1}
        matched = {each.event.key for each in state.claims if each.factor is not None}
        for event in self.claims.truths.round.events(state.run.events):
            here = event.key == claim.event.key
            helps = here or (event.key in reach and event.key not in matched)
            helps = helps and turns[event.key[0]] == 1 and event.key not in by_key
            if helps and event.role == NAMED and not event.missing and event.shape and not self.claims.is_copy(event):
                meant = self.claims.meant.get(event.name, ())
                bases = [each.event for each in by_key.values() if each.event.shape == event.shape]
                bases = [each for each in bases if (each.name in meant if named else not meant)]
                found = [(base, slope) for base in bases for slope in self.claims.slopes.of(base)]
                if any(agrees(event.value, slope.gradient) for _, slope in found):
                    continue
                for base, slope in found:
                    of = self.claims.slopes.truths_of(base)
                    yield from (
                        Root(event, slope, sign, sign * slope.gradient, (), INNER, of=of)
                        for sign in ((1.0,) if named else (1.0, -1.0))
                    )
            if here:
                return

    def _inside(self, claim: Claim) -> Iterator[Truth]:
        """What may be meant by the name of a value that is computed in one line: ``dg`` for Z in ``g = np.tanh(Z)``."""
        if claim.kind != INNER or claim.event.missing:
            return
        known = {mark_of(each) for each in claim.others}
        for truth in self.claims.truths.by_key.values():
            within = truth.event.role == PART and truth.event.line == claim.truth.event.line
            if within and np.shape(truth.gradient) == claim.event.shape and mark_of(truth) not in known:
                known.add(mark_of(truth))
                yield truth

    def _is_gradient(self, claim: Claim) -> bool:
        """Whether a value is the gradient of a parameter, by its name or by what it is."""
        return claim.kind == PARAMETER or (claim.kind == VALUE and mark_of(claim.truth) in self.claims.of_parameters)

    def _truths_for(
        self, event: Event, known: Claim | None, claim: Claim, scales: list[float], nominal: float | None
    ) -> Iterator[tuple[Truth, float]]:
        """What may belong in place of a value."""
        right = known is not None and holds_with(known, self.factor)
        if known is not None and known.factor is not None and not (right and known.kind == VALUE):
            needed = None if claim.factor is None else known.factor * self.search.wanted(claim) / claim.factor
            if right:
                if needed is not None and (claim.kind != UPDATE or any(same_factor(needed, each) for each in scales)):
                    yield known.truth, needed  # a factor is missing between it and what is computed from it
                return
            if needed is not None:
                if nominal is None or not same_factor(known.factor, nominal):
                    yield known.truth, needed
            else:
                tried = [*scales, *(() if -known.factor in scales else (-known.factor,))]
                yield from ((known.truth, each) for each in tried if not same_factor(each, known.factor))
            if known.kind == INNER:
                return
        unfit = not claim.event.missing and claim.event.shape != np.shape(claim.truth.gradient)
        if event.role == RETURNED and unfit and np.array_equal(event.value, claim.event.value):
            yield claim.truth, self.factor  # it is handed on as it is
        if known is None and event.role != ENTRY and np.all(np.isin(event.value, (-1, 0, 1))):
            return  # a mask, or labels
        bases = self.claims.meant.get(event.name, ())
        named = [
            each for each in self.claims.named if each.event.name in bases and np.shape(each.gradient) != event.shape
        ]
        yield from ((truth, self.factor) for truth in named if known is None)
        for truth in self.claims.by_shape.get(event.shape, ()):
            if known is None or truth is not known.truth:
                yield from ((truth, factor) for factor in scales)
