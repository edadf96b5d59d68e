"""Where the mistake is: the value that, once it is put right, makes the failing claims hold.

The truth is put in place of a value and the text is run again. What comes right with it was a consequence, so that one
mistake is one report; what still fails is the next mistake.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.claims import INNER, PARAMETER, UPDATE, VALUE, Claim, Claims, holds_with
from parity_tests.derivations.engine.convention import in_words, same_factor, sizes_of
from parity_tests.derivations.engine.events import ENTRY, NAMED, Event, Key, Run
from parity_tests.derivations.engine.truths import Truth

MOST_ROOTS = 8
MOST_TRIALS = 240


class Root(NamedTuple):
    """One mistake: the value, the truth that belongs there, its factor, and the lines that come right with it."""

    event: Event
    truth: Truth
    factor: float
    expected: Any
    mends: tuple[int, ...]
    kind: str


class Explanation(NamedTuple):
    """All that is wrong under one convention; ``claims`` are those of the text as it is."""

    factor: float
    roots: tuple[Root, ...]
    claims: tuple[Claim, ...]
    helpers: tuple[Claim, ...]
    unsettled: tuple[Claim, ...]
    rate: float | None


class _State(NamedTuple):
    run: Run
    claims: list[Claim]
    failing: list[Claim]
    helpers: list[Claim]


class Locator:
    """The search for mistakes under one convention."""

    def __init__(self, claims: Claims, factor: float) -> None:
        self.claims, self.factor = claims, factor
        self.sizes = sizes_of(claims.truths.probe, claims.truths.run)
        self.rate: float | None = None
        self.trials = 0
        self.unsettled: list[Claim] = []

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
            root = self._locate(state, overrides)
            roots.append(root)
            overrides[root.event.key] = root.expected
        assert first is not None
        return Explanation(
            self.factor, tuple(roots), tuple(first.claims), tuple(first.helpers), tuple(self.unsettled), self.rate
        )

    # ---- what fails
    def _state(self, overrides: dict[Key, Any], quick: bool = False) -> _State:
        run = self.claims.replayed(overrides)
        claims = self.claims.of(run, overrides)
        failing = [claim for claim in claims if claim.kind == PARAMETER and not self._parameter_holds(claim)]
        failing += self._updates(run, claims, overrides, failing)
        helpers: list[Claim] = []
        bad = {claim.event.key for claim in failing}
        for claim in claims:
            if claim.kind != INNER or self._is_nice(claim.factor):
                continue
            users = [each for each in self.claims.dependents(run, claim.event, claims, overrides) if each.kind != VALUE]
            sound = [each for each in users if each.kind in (PARAMETER, UPDATE)]
            if sound and not any(each.event.key in bad for each in sound):
                helpers.append(claim)
            else:
                failing.append(claim)
        order = {event.key: place for place, event in enumerate(run.events)}
        failing.sort(key=lambda claim: order[claim.event.key])
        return _State(run, claims, failing, helpers)

    def _parameter_holds(self, claim: Claim) -> bool:
        return holds_with(claim, self.factor)

    def _is_nice(self, factor: float | None) -> bool:
        """Whether a derivative on the way carries a factor that people use."""
        if factor is None:
            return False
        return in_words(factor, self.sizes) is not None or in_words(factor / self.factor, self.sizes) is not None

    def _updates(self, run: Run, claims: list[Claim], overrides: dict[Key, Any], failing: list[Claim]) -> list[Claim]:
        """Steps that do not follow their gradient, or follow it at another rate than the others."""
        steps = [claim for claim in claims if claim.kind == UPDATE]
        if not steps:
            return []
        rates = [claim.factor for claim in steps if claim.factor is not None and np.size(claim.event.value) > 1]
        rates = rates or [claim.factor for claim in steps if claim.factor is not None]
        down = [rate for rate in rates if rate < 0]
        common = max(down, key=lambda rate: sum(same_factor(rate, each) for each in down)) if down else None
        self.rate = common if self.rate is None else self.rate
        wrong = []
        judged = {claim.truth.event.name for claim in claims if claim.kind == PARAMETER}
        fails = {claim.truth.event.name for claim in failing}
        for claim in steps:
            name = claim.truth.event.name
            if name in fails or (
                self.rate is not None and claim.factor is not None and same_factor(claim.factor, self.rate)
            ):
                continue
            if claim.factor is None and self._has_state(claim):
                if claim not in self.unsettled and not overrides:
                    self.unsettled.append(claim)
                continue
            if self.rate is None and claim.factor is None and name not in judged and not down and len(steps) == 1:
                wrong.append(claim)
                continue
            wrong.append(claim)
        return wrong

    def _has_state(self, claim: Claim) -> bool:
        """Whether the step reads a free array besides the parameters: the state of an optimiser."""
        moved = self.claims.truths.probe.given
        known = self.claims.parameters
        for name, value in moved.items():
            if name in known or symbols.is_data(name) or symbols.is_label(name) or not np.ndim(value):
                continue
            if name not in self.claims.names and np.shape(value) == claim.event.shape:
                return True
        return False

    # ---- where it comes from
    def _locate(self, state: _State, overrides: dict[Key, Any]) -> Root:
        claim = state.failing[0]
        best: tuple[tuple[float, ...], Root] | None = None
        order = {event.key: place for place, event in enumerate(state.run.events)}
        for rank, (event, truth, factor) in enumerate(self._candidates(state, claim, order)):
            if self.trials > MOST_TRIALS:
                break
            expected = factor * truth.gradient
            mended, broken = self._mended(state, event.key, expected, overrides)
            own = event.key == claim.event.key
            if broken or (claim.event.key not in mended and not own):
                continue
            score = (len(mended | ({claim.event.key} if own else set())), not own, -order[event.key], -rank)
            if best is None or score > best[0]:
                lines = {each.event.line for each in state.failing if each.event.key in mended} - {event.line}
                kind = claim.kind if own else INNER
                best = (score, Root(event, truth, factor, expected, tuple(sorted(lines)), kind))
        if best is not None:
            return best[1]
        return Root(claim.event, claim.truth, self.factor, self._expected(state, claim), (), claim.kind)

    def _expected(self, state: _State, claim: Claim) -> Any:
        if claim.kind != UPDATE:
            return self.factor * claim.truth.gradient
        old = next(
            event for event in reversed(state.run.events[: self._place(state.run, claim.event)])
            if event.name == claim.event.name and not event.missing
        )  # fmt: skip
        rate = self.rate if self.rate is not None else -0.1
        return old.value + rate * claim.truth.gradient

    @staticmethod
    def _place(run: Run, event: Event) -> int:
        return next(place for place, each in enumerate(run.events) if each.key == event.key)

    def _candidates(self, state: _State, claim: Claim, order: dict[Key, int]) -> list[tuple[Event, Truth, float]]:
        """Values that may be the culprit, each with a truth and a factor to try: the claim's own, then earlier ones."""
        found: list[tuple[Event, Truth, float]] = []
        scales = self._scales(state, claim)
        if claim.kind != UPDATE:
            factors = [self.factor] if claim.kind == PARAMETER else scales
            for truth in claim.others or (claim.truth,):
                found += [(claim.event, truth, factor) for factor in factors]
        matched = {each.event.key: each for each in state.claims if each.factor is not None}
        for event in state.run.events:
            if order[event.key] >= order[claim.event.key]:
                break
            if event.role not in (NAMED, ENTRY) or event.key in self.claims.truths.by_key or event.missing:
                continue
            if event.key == self.claims.truths.cost.key or event.name in self.claims.parameters:
                continue
            known = matched.get(event.key)
            if known is not None:
                if known.kind not in (INNER, VALUE) or known.factor is None:
                    continue
                if claim.factor is not None:
                    found.append((event, known.truth, known.factor * self.factor / claim.factor))
                else:
                    found += [(event, known.truth, each) for each in scales if not same_factor(each, known.factor)]
                if known.kind == INNER:
                    continue
            if np.size(event.value) < 2 or np.all(event.value == np.round(event.value)):
                continue
            for truth in self.claims.by_shape.get(event.shape, ()):
                if known is None or truth is not known.truth:
                    found += [(event, truth, factor) for factor in scales]
        return found

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
