"""Where the mistake is: the value that, once it is put right, makes the failing claims hold.

The truth is put in place of a value and the text is run again. What comes right with it was a consequence, so that one
mistake is one report; what still fails is the next mistake.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.claims import INNER, PARAMETER, UPDATE, VALUE, Claim, Claims, holds_with, mark_of
from parity_tests.derivations.engine.convention import in_words, ratio_of, same_factor, sizes_of
from parity_tests.derivations.engine.events import ENTRY, NAMED, RETURNED, Event, Key, Run
from parity_tests.derivations.engine.steps import (
    Made,
    direction,
    gradients_of,
    is_clipped,
    is_maximised,
    made_of,
    rates_in,
)
from parity_tests.derivations.engine.truths import Truth, Truths

NO_VALUE = " has no value here"
MOST_ROOTS = 8
MOST_TRIALS = 240
MOST_REPAIRS = 8
SECONDS = 8.0
"""Processor time of one search."""
MOST_TURNS = 6
"""How many turns of a loop are looked at one by one; of longer loops only the last."""


class Root(NamedTuple):
    """One mistake: the value, the truth that belongs there, its factor, and the lines that come right with it."""

    event: Event
    truth: Truth
    factor: float
    expected: Any
    mends: tuple[int, ...]
    kind: str
    rest_of: Key | None = None
    """The value that this one is a term or a factor of, where the truth belongs there."""
    is_factor: bool = False


class Explanation(NamedTuple):
    """All that is wrong under one convention; ``claims`` are those of the text as it is."""

    factor: float
    roots: tuple[Root, ...]
    claims: tuple[Claim, ...]
    helpers: tuple[Claim, ...]
    unsettled: tuple[Claim, ...]
    rate: float | None


Repairs = Callable[[Root, "dict[Key, Root]"], "float | None"]
"""The cost of the smallest change of a root's own line that puts it right, None where there is none."""


class _State(NamedTuple):
    run: Run
    claims: list[Claim]
    failing: list[Claim]
    helpers: list[Claim]


class Locator:
    """The search for mistakes under one convention."""

    def __init__(
        self,
        claims: Claims,
        factor: float,
        repairs: Repairs | None = None,
        more: Callable[[int], Truths | None] | None = None,
    ) -> None:
        self.claims, self.factor, self.repairs, self.more = claims, factor, repairs, more
        self.sizes = sizes_of(claims.truths.probe, claims.truths.run)
        self.rate: float | None = None
        self.trials = 0
        self.unsettled: list[Claim] = []
        self.end = time.process_time() + SECONDS
        self.elsewhere: dict[Key, bool] = {}
        """Whether the step of a single number has the same rate on other values."""

    def explain(self) -> Explanation:
        """The mistakes, one after the other, each with what comes right with it."""
        overrides: dict[Key, Any] = {}
        roots: list[Root] = []
        first: _State | None = None
        while len(roots) < MOST_ROOTS:
            state = self._state(overrides)
            first = first or state
            if not state.failing:
                break
            root, key, value = self._locate(state, overrides, {each.event.key: each for each in roots})
            roots.append(root)
            overrides[key] = value
        assert first is not None
        return Explanation(
            self.factor, tuple(roots), tuple(first.claims), tuple(first.helpers), tuple(self.unsettled), self.rate
        )

    def anything_fails(self) -> bool:
        """Whether there is a mistake at all, without looking for where it is."""
        return bool(self._state({}).failing)

    def failed(self) -> list[Claim]:
        """The claims that fail as they are."""
        return self._state({}).failing

    # ---- what fails
    def _state(self, overrides: dict[Key, Any], quick: bool = False) -> _State:
        run = self.claims.replayed(overrides)
        claims = self.claims.of(run, overrides)
        failing = [claim for claim in claims if claim.kind == PARAMETER and not self._parameter_holds(claim, run)]
        failing = [claim for claim in failing if not self._is_begun(claim, claims)]
        failing += self._updates(run, claims, overrides, failing)
        helpers: list[Claim] = []
        bad = {claim.event.key for claim in failing}
        for claim in claims:
            if claim.kind != INNER or self._is_begun(claim, claims):
                continue
            usual = self._is_nice(claim.factor)
            if usual and (holds_with(claim, self.factor) or not self._stands_alone(claim, claims)):
                continue
            users = self.claims.dependents(run, claim.event, claims, overrides)
            returned = [
                each for each in users if not each.event.name and mark_of(each.truth) in self.claims.of_parameters
            ]
            users = [each for each in users if each.kind != VALUE] + returned
            if usual and users:
                continue  # what it carries too much or too little shows in them
            sound = [each for each in users if each.kind in (PARAMETER, UPDATE) or not each.event.name]
            if sound and not all(each.event.key in bad for each in sound):
                helpers.append(claim)
            else:
                failing.append(claim)
        order = {event.key: place for place, event in enumerate(run.events)}
        failing.sort(key=lambda claim: order[claim.event.key])
        return _State(run, claims, failing, helpers)

    def _parameter_holds(self, claim: Claim, run: Run) -> bool:
        """Whether a gradient holds: exactly, cut off at a bound, or scaled by no usual factor once it held."""
        if holds_with(claim, self.factor):
            return True
        if claim.event.missing or any(
            is_clipped(claim.event.value, self.factor * each.gradient) for each in claim.others
        ):
            return not claim.event.missing
        if claim.factor is None or claim.factor / self.factor <= 0 or self._is_nice(claim.factor):
            return False
        events = self.claims.truths.round.events(run.events)
        return any(
            event.name == claim.event.name
            and event.key != claim.event.key
            and not event.missing
            and (ratio := ratio_of(event.value, claim.truth.gradient)) is not None
            and same_factor(ratio, self.factor)
            for event in events
        )

    @staticmethod
    def _is_begun(claim: Claim, claims: list[Claim]) -> bool:
        """Whether a value is the zeros to which a derivative is added later, through a view or under another name."""
        if claim.event.missing or np.any(claim.event.value) or not np.ndim(claim.event.value):
            return False
        mark = mark_of(claim.truth)
        return claim.kind == INNER or any(each.factor is not None and mark_of(each.truth) == mark for each in claims)

    def _is_nice(self, factor: float | None) -> bool:
        """Whether a derivative on the way carries a factor that people use."""
        if factor is None:
            return False
        return in_words(factor, self.sizes) is not None or in_words(factor / self.factor, self.sizes) is not None

    @staticmethod
    def _stands_alone(claim: Claim, claims: list[Claim]) -> bool:
        """Whether its factor differs from that of the other derivatives, as only something that reads it can excuse."""
        others = [
            each.factor for each in claims if each.kind == INNER and each is not claim and each.factor is not None
        ]
        return bool(others) and not any(same_factor(claim.factor or 0.0, each) for each in others)

    def _updates(self, run: Run, claims: list[Claim], overrides: dict[Key, Any], failing: list[Claim]) -> list[Claim]:
        """Steps into which something else than their gradient goes, or that go the other way; at any rate.

        A step along the derivative of J settles its gradient, too: the penalty's part may be added in the step.
        """
        steps = [claim for claim in claims if claim.kind == UPDATE]
        rates = [claim.factor for claim in steps if claim.factor is not None and np.size(claim.event.value) > 1]
        rates = rates or [claim.factor for claim in steps if claim.factor is not None]
        way = 1.0 if is_maximised(self.claims.truths.cost) else -1.0
        along = [rate for rate in rates if rate * way > 0]
        self.rate = max(along, key=lambda rate: sum(same_factor(rate, each) for each in along)) if along else None
        settled = {
            mark_of(claim.truth)
            for claim in steps
            if claim.factor is not None and claim.factor * way > 0 and np.size(claim.event.value) > 1
        }
        failing[:] = [
            claim
            for claim in failing
            if mark_of(claim.truth) not in settled or claim.factor is not None or claim.event.missing
        ]
        fails = {mark_of(claim.truth) for claim in failing}
        gradients: dict[Key, Any] | None = None
        wrong = []
        for claim in steps:
            if mark_of(claim.truth) in fails or self._follows(claim, along, way, steps):
                continue
            if claim.factor is not None and self._is_uneven(claim, steps):
                wrong.append(self._uneven_gradient(claim, claims))
                continue
            if claim.factor is None:
                gradients = gradients_of(self.claims, run, claims) if gradients is None else gradients
                made = made_of(self.claims, claim, gradients, overrides)
                by_name = self.claims.truths.probe.places is None and self._has_state(claim)
                if by_name or (made is not None and not made.rest and self._may_be(made, claim, way)):
                    if not overrides and (made is None or made.state or not made.own):
                        self._settle_not(claim)
                    continue
            wrong.append(claim)
        return wrong

    def _follows(self, claim: Claim, along: list[float], way: float, steps: list[Claim]) -> bool:
        """Whether a step is a multiple of the derivative in the right direction, and the rate is not left out."""
        if claim.factor is None or claim.factor * way <= 0:
            return False
        others = [each for each in steps if each is not claim and each.factor is not None and each.factor * way > 0]
        elsewhere = [each for each in others if each.event.key[0] != claim.event.key[0]]
        rates = rates_in(claim.event.statement)
        if self._is_uneven(claim, steps):
            return False
        if any(same_factor(claim.factor, each.factor or 0.0) for each in others):
            return True
        if np.size(claim.event.value) == 1 and not self._same_elsewhere(claim):
            return False
        common = [each for each in others if self.rate is not None and same_factor(each.factor or 0.0, self.rate)]
        if len(common) == len(others) > 1 and same_factor(abs(claim.factor), abs(self.factor)):
            return False  # the others have a rate, and it has none
        alike = [
            each
            for each in elsewhere
            if rates_in(each.event.statement) == rates
            and in_words(claim.factor / (each.factor or 1.0), self.sizes) is not None
        ]
        return not alike or self._is_rate(claim, rates)

    def _uneven_gradient(self, step: Claim, claims: list[Claim]) -> Claim:
        """The gradient that makes a step too long or too short; the step itself where no line holds it."""
        mark = mark_of(step.truth)
        gradients = [each for each in claims if each.kind == VALUE and mark_of(each.truth) == mark]
        return next((each for each in gradients if not same_factor(each.factor or 0.0, self.factor)), step)

    def _is_uneven(self, claim: Claim, steps: list[Claim]) -> bool:
        """Whether a step has the rate of another one and is not as long as it says, as that one is, by a size."""
        rates = rates_in(claim.event.statement)
        if self._is_rate(claim, rates):
            return False
        others = [each for each in steps if each.event.key[0] != claim.event.key[0] and each.factor is not None]
        same = [each for each in others if rates_in(each.event.statement) == rates and self._is_rate(each, rates)]
        return any(self._by_a_size(claim, each) for each in same)

    def _by_a_size(self, claim: Claim, other: Claim) -> bool:
        """Whether two steps differ by the number of examples, or another size, that one lacks or has twice."""
        ratio = (claim.factor or 0.0) / (other.factor or 1.0)
        return any(same_factor(ratio, size) or same_factor(ratio, 1 / size) for size in self.sizes.values())

    def _is_rate(self, claim: Claim, rates: frozenset[str]) -> bool:
        """Whether a step is as long as the one rate that stands in it says."""
        if len(rates) != 1:
            return False
        (name,) = rates
        values = [name] if re.fullmatch(r"[\d.e-]+", name) else []
        values += [
            str(event.value)
            for event in self.claims.truths.run.events
            if symbols.base_of(event.name) == symbols.base_of(name) and not event.missing and np.ndim(event.value) == 0
        ]
        return any(same_factor(abs(claim.factor or 0.0), abs(float(each) * self.factor)) for each in values)

    @staticmethod
    def _may_be(made: Made, claim: Claim, way: float) -> bool:
        """Whether a step that is no multiple of its gradient may be right: made of its own, the right way."""
        return direction(claim) * way > 0 if made.own else not made.others

    def _same_elsewhere(self, claim: Claim) -> bool:
        """Whether the step of a single number, along any derivative, has the same rate on other values."""
        key = claim.event.key
        if key not in self.elsewhere and claim.event in self.claims.truths.run.events and self.more is not None:
            truths = self.more(1)
            found = [] if truths is None else Claims(truths).of(truths.run, {})
            rates = [each.factor for each in found if each.event.key == key]
            self.elsewhere[key] = all(each is not None and same_factor(each, claim.factor or 0.0) for each in rates)
        return self.elsewhere.get(key, True)

    def _settle_not(self, claim: Claim) -> None:
        if all(claim.event.key != each.event.key for each in self.unsettled):
            self.unsettled.append(claim)

    def _has_state(self, claim: Claim) -> bool:
        """Whether the step reads a free array besides the parameters: the state of an optimiser."""
        moved = self.claims.truths.probe.given
        known = self.claims.parameters
        for name, value in moved.items():
            if (
                self.claims.meant.get(name)
                or name in known
                or symbols.is_data(name)
                or symbols.is_label(name)
                or not np.ndim(value)
            ):
                continue
            if name not in self.claims.names and np.shape(value) == claim.event.shape:
                return True
        return False

    # ---- where it comes from
    def _locate(self, state: _State, overrides: dict[Key, Any], before: dict[Key, Root]) -> tuple[Root, Key, Any]:
        """The mistake behind the first failing claim, and what to put where for the search to go on."""
        claim = state.failing[0]
        own_value = self._expected(state, claim)
        failed = self._failed_before(state, claim)
        if failed is not None:
            return self._computed(failed, claim, state, overrides)
        found: list[tuple[int, Root]] = []
        reach = None if claim.event.missing else self.claims.leads_to(claim.event.key, overrides)
        for root in self._candidates(state, claim, own_value, reach or ()):
            if reach is not None and root.event.key not in reach:
                continue
            if self.trials > MOST_TRIALS or time.process_time() > self.end:
                break
            own = root.event.key == claim.event.key
            mended, broken = self._mended(state, root.event.key, root.expected, overrides)
            if broken or (claim.event.key not in mended and not own):
                continue
            mended |= {claim.event.key} if own else set()
            found.append((len(mended), root._replace(mends=self._lines(state, mended, root.event.line))))
        if not found:
            factor = self._rate(claim) if claim.kind == UPDATE else self.factor
            found = [(1, Root(claim.event, claim.truth, factor, own_value, (), claim.kind))]
        most = max(count for count, _ in found)
        root = self._likeliest([each for count, each in found if count == most], claim, before, state)
        return root, root.event.key, root.expected

    def _computed(self, failed: Event, claim: Claim, state: _State, overrides: dict[Key, Any]) -> tuple[Root, Key, Any]:
        """The mistake in a statement that could not be computed: the truth that, put there, mends most."""
        best: tuple[int, Root] | None = None
        bases = self.claims.meant.get(failed.name, ())
        truths = [truth for truth in self.claims.named if truth.event.name in bases] or self.claims.truths.distinct()
        for truth in truths:
            for factor in self._scales(state, claim):
                expected = factor * truth.gradient
                mended, broken = self._mended(state, failed.key, expected, overrides)
                if mended and not broken and (best is None or len(mended) > best[0]):
                    lines = self._lines(state, mended, failed.line)
                    best = len(mended), Root(failed, truth, factor, expected, lines, INNER)
        if best is None:
            value = self.factor * claim.truth.gradient
            return Root(failed, claim.truth, self.factor, value, (), INNER), claim.event.key, value
        return best[1], failed.key, best[1].expected

    def _likeliest(self, roots: list[Root], claim: Claim, before: dict[Key, Root], state: _State) -> Root:
        """Of places that mend as much: one whose own line a small change puts right; else the earliest."""
        order = {event.key: place for place, event in enumerate(state.run.events)}
        roots = sorted(roots, key=lambda each: (each.rest_of is not None, order[each.event.key]))
        if self.repairs is not None and len({each.event.key for each in roots}) > 1:
            costs = [(self.repairs(each, before), place) for place, each in enumerate(roots[:MOST_REPAIRS])]
            good = [(cost, place) for cost, place in costs if cost is not None]
            if good:
                cheapest = min(cost for cost, _ in good)
                near = [place for cost, place in good if cost <= cheapest + 0.15]
                return min(
                    (roots[place] for place in near),
                    key=lambda each: (not self._is_named_so(each), order[each.event.key]),
                )
        whole = [each for each in roots if each.rest_of is None]
        helpers = [each for each in whole if each.event.key != claim.event.key]
        return (helpers or whole or roots)[0]

    def _is_named_so(self, root: Root) -> bool:
        """Whether a value's name says that it is the derivative that belongs there: ``dZ`` for Z[2]."""
        stem = symbols.stem_of(root.truth.event.name)
        return root.event.name in self.claims.meant and bool(symbols.meant_by(root.event.name, [stem]))

    def _failed_before(self, state: _State, claim: Claim) -> Event | None:
        """The statement that could not be computed, where a claim has no value because of it."""
        if not claim.event.missing:
            return None
        place = next(place for place, each in enumerate(state.run.events) if each.key == claim.event.key)
        missing = {event.name: event for event in state.run.events[:place] if event.missing}
        event, seen = claim.event, set()
        while event.value.message.endswith(NO_VALUE) and event.key not in seen:
            seen.add(event.key)
            event = missing.get(event.value.message.removesuffix(NO_VALUE), event)
        return event if event is not claim.event else None

    @staticmethod
    def _lines(state: _State, mended: set[Key], line: int) -> tuple[int, ...]:
        return tuple(sorted({each.event.line for each in state.failing if each.event.key in mended} - {line}))

    def _expected(self, state: _State, claim: Claim) -> Any:
        if claim.kind != UPDATE:
            return self.factor * claim.truth.gradient
        assert claim.old is not None
        return claim.old.value + self._rate(claim) * claim.truth.gradient

    def _rate(self, claim: Claim) -> float:
        """The rate that a step should have: its own where it goes the wrong way, else that of the others."""
        way = 1.0 if is_maximised(self.claims.truths.cost) else -1.0
        if claim.factor is not None and claim.factor * way < 0:
            return -claim.factor
        return self.rate if self.rate is not None else 0.1 * way

    def _candidates(self, state: _State, claim: Claim, own_value: Any, reach: Collection[Key]) -> Iterator[Root]:
        """Values that may be the culprit, each with a truth and a factor: the claim's own, then earlier ones."""
        scales = self._scales(state, claim)
        if claim.kind == UPDATE:
            yield Root(claim.event, claim.truth, self._rate(claim), own_value, (), UPDATE)
            if claim.factor is not None and np.size(claim.event.value) > 1:
                return  # a multiple of its gradient: the step itself is wrong
        else:
            for truth in claim.others or (claim.truth,):
                for factor in [self.factor] if claim.kind == PARAMETER else scales:
                    yield Root(claim.event, truth, factor, factor * truth.gradient, (), claim.kind)
        matched = {each.event.key: each for each in state.claims if each.factor is not None}
        nominal = next((each.factor for each in state.claims if each.kind in (INNER, VALUE) and each.factor), None)
        if not any(each.kind == PARAMETER and holds_with(each, self.factor) for each in state.claims):
            nominal = None  # all gradients are off, and so may be the first of them
        events = self.claims.truths.round.events(state.run.events)
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
            if np.size(event.value) < 2 and event.key not in reach:
                continue
            if self.claims.is_copy(event):
                continue
            known = matched.get(event.key)
            if known is not None and known.kind not in (INNER, VALUE):
                continue
            for truth, factor in self._truths_for(event, known, claim, scales, nominal):
                yield Root(event, truth, factor, factor * truth.gradient, (), INNER)
            if (
                claim.kind != UPDATE
                and not claim.event.missing
                and event.shape == claim.event.shape == np.shape(own_value)
            ):
                rest = event.value + own_value - claim.event.value
                yield Root(event, claim.truth, self.factor, rest, (), INNER, claim.event.key)
                if event.role == RETURNED and np.all(claim.event.value):
                    rest = event.value * own_value / claim.event.value
                    yield Root(event, claim.truth, self.factor, rest, (), INNER, claim.event.key, True)

    def _truths_for(
        self, event: Event, known: Claim | None, claim: Claim, scales: list[float], nominal: float | None
    ) -> Iterator[tuple[Truth, float]]:
        """What may belong in place of a value."""
        right = known is not None and holds_with(known, self.factor)
        if known is not None and known.factor is not None and not (right and known.kind == VALUE):
            if right:
                return
            if claim.factor is not None:
                if nominal is None or not same_factor(known.factor, nominal):
                    yield known.truth, known.factor * self.factor / claim.factor
            else:
                yield from ((known.truth, each) for each in scales if not same_factor(each, known.factor))
            if known.kind == INNER:
                return
        if known is None and np.all(event.value == np.round(event.value)):
            return
        bases = self.claims.meant.get(event.name, ())
        named = [
            each for each in self.claims.named if each.event.name in bases and np.shape(each.gradient) != event.shape
        ]
        yield from ((truth, self.factor) for truth in named if known is None)
        for truth in self.claims.by_shape.get(event.shape, ()):
            if known is None or truth is not known.truth:
                yield from ((truth, factor) for factor in scales)

    def _scales(self, state: _State, claim: Claim) -> list[float]:
        """The factors that a derivative on the way may carry here: those of its neighbours, then the usual ones."""
        scales = [each.factor for each in state.claims if each.factor is not None and each.kind in (INNER, VALUE)]
        batch = self.claims.truths.probe.batch
        scales += [self.factor] + ([self.factor * batch, self.factor / batch] if batch else [])
        distinct: list[float] = []
        for scale in scales:
            if not any(same_factor(scale, each) for each in distinct):
                distinct.append(scale)
        return distinct[:5]

    def _mended(self, state: _State, key: Key, expected: Any, overrides: dict[Key, Any]) -> tuple[set[Key], bool]:
        """Which failing claims hold with the truth in place, and whether others fail with it."""
        self.trials += 1
        after = self._state({**overrides, key: expected})
        still = {claim.event.key for claim in after.failing}
        before = {claim.event.key for claim in state.failing}
        return before - still, bool(still - before)

    def failing(self, overrides: dict[Key, Any]) -> set[Key]:
        """The places of the claims that fail with some values put right."""
        return {claim.event.key for claim in self._state(overrides).failing}
