"""What a search for mistakes does again and again: put a value in place of another, and see which claims hold then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parity_tests.derivations.engine.claims import INNER, UPDATE, VALUE, Claim, Claims, mark_of
from parity_tests.derivations.engine.convention import same_factor
from parity_tests.derivations.engine.events import Key
from parity_tests.derivations.engine.failing import Failures, State
from parity_tests.derivations.engine.roots import Repairs, Values
from parity_tests.derivations.engine.steps import is_maximised
from parity_tests.derivations.engine.truths import Truths

MOST_TRIALS = 240
MOST_EVENTS = 100_000
"""Of all runs of one search: some seconds."""


class Search:
    """The claims under one convention, and what has been tried to make them hold."""

    share = 1.0
    """That of all trials, where several searches are made for one answer."""

    def __init__(
        self,
        claims: Claims,
        factor: float,
        repairs: Repairs | None,
        more: Callable[[int], Truths | None] | None,
        share: float = 1.0,
    ) -> None:
        self.claims, self.factor, self.repairs, self.share = claims, factor, repairs, share
        self.failures = Failures(claims, factor, more)
        self.trials = 0
        self.after: State | None = None
        """What was found with the values that were tried last."""
        self.begun = claims.replays

    @property
    def is_over(self) -> bool:
        """Whether enough has been tried: counted, and not timed, so that the answer is the same everywhere."""
        return self.spent > 1

    @property
    def spent(self) -> float:
        """The share of all trials that has been made, or of the values that they may look at."""
        return max(self.trials / MOST_TRIALS, (self.claims.replays - self.begun) / MOST_EVENTS) / self.share

    def mended(self, state: State, overrides: Values) -> tuple[set[Key], bool]:
        """Which failing claims hold with other values in place, and whether others fail with them, or the run ends."""
        self.trials += 1
        rate = self.failures.rate
        after = self.after = self.failures.state(overrides)
        self.failures.rate = rate  # it is that of the state whose mistakes are looked for
        if self.claims.truths.program.repeats and after.run.problems and not state.run.problems:
            return set(), True
        still = {claim.event.key for claim in after.failing}
        before = {claim.event.key for claim in state.failing}
        fails = {mark_of(each.truth) for each in state.failing}
        steps = {
            each.event.key: each.factor
            for each in state.claims
            if each.kind == UPDATE and each.factor and mark_of(each.truth) not in fails
        }
        moved = any(
            each.factor is not None and not same_factor(each.factor, steps[each.event.key])
            for each in after.claims
            if each.event.key in steps
        )
        return before - still, moved or bool(still - before)

    def is_exact(self, claim: Claim) -> bool:
        """Whether a claim is a multiple of its truth with the values that were tried last."""
        return self.after is not None and any(
            each.event.key == claim.event.key and each.factor is not None for each in self.after.claims
        )

    @staticmethod
    def lines(state: State, mended: set[Key], line: int) -> tuple[int, ...]:
        """The lines that come right with a line."""
        return tuple(sorted({each.event.line for each in state.failing if each.event.key in mended} - {line}))

    def expected(self, claim: Claim) -> Any:
        """The value that belongs where a claim stands."""
        if claim.kind != UPDATE:
            return self.factor * claim.truth.gradient
        assert claim.old is not None
        return claim.old.value + self.rate(claim) * claim.truth.gradient

    def rate(self, claim: Claim) -> float:
        """The rate that a step should have: its own where it goes the wrong way, else that of the others."""
        up = is_maximised(self.claims.truths)
        if claim.factor and (claim.factor < 0) is up:
            return -claim.factor
        return self.failures.rate if self.failures.rate is not None else 0.1 if up else -0.1

    def wanted(self, claim: Claim) -> float:
        """The factor that a claim should have."""
        return self.rate(claim) if claim.kind == UPDATE else self.factor

    def scales(self, state: State, claim: Claim) -> list[float]:
        """The factors that a derivative on the way may carry here: those of its neighbours, then the usual ones."""
        scales = [each.factor for each in state.claims if each.factor is not None and each.kind in (INNER, VALUE)]
        batch = self.claims.truths.probe.batch
        scales += [self.factor] + ([self.factor * batch, self.factor / batch] if batch else [])
        distinct: list[float] = []
        for scale in scales:
            if not any(same_factor(scale, each) for each in distinct):
                distinct.append(scale)
        return [*distinct[:5], -self.factor]
