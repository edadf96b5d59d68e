"""What fails under one convention: gradients of parameters, derivatives on the way that claims depend on, and steps."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.claims import INNER, PARAMETER, UPDATE, VALUE, Claim, Claims, holds_with, mark_of
from parity_tests.derivations.engine.convention import in_words, is_a_count, ratio_of, same_factor, sizes_of
from parity_tests.derivations.engine.events import Key, Run
from parity_tests.derivations.engine.steps import (
    Made,
    Sources,
    added_name,
    direction,
    from_rest,
    gradients_of,
    is_clipped,
    is_maximised,
    rates_in,
)
from parity_tests.derivations.engine.truths import Truths


class State(NamedTuple):
    """A run, its claims, and those of them that fail."""

    run: Run
    claims: list[Claim]
    failing: list[Claim]
    helpers: list[Claim]


class Failures:
    """The claims that fail where the gradients carry a factor; ``more`` gives the truths on another probe."""

    def __init__(self, claims: Claims, factor: float, more: Callable[[int], Truths | None] | None = None) -> None:
        self.claims, self.factor, self.more = claims, factor, more
        self.sizes = sizes_of(claims.truths.probe, claims.truths.run)
        self.from_above = claims.truths.are_from_above
        self.summed = claims.truths.sums_examples
        self.rate: float | None = None
        """The rate of the steps, where they have one."""
        self.unsettled: list[Claim] = []
        self.rates_of: dict[int, frozenset[str]] = {}
        self.values_of: dict[str, set[float]] = {}
        ended = bool(claims.truths.program.repeats and claims.truths.run.problems)
        self.reached = {each.key for each in claims.truths.run.events} if ended else None
        """All values of a program that ended early: what it would go on with, once it is mended, has no truth."""
        self.elsewhere: dict[Key, bool] = {}
        """Whether the step of a single number has the same rate on other values."""

    def any(self) -> bool:
        """Whether there is a mistake at all, without looking for where it is."""
        run = self.claims.truths.run
        claims = self.claims.of(run, {})
        if all(claim.kind != UPDATE for claim in claims) and self._gradients(run, claims, {}):
            return True
        return bool(self.state().failing)

    def claimed(self) -> list[Claim]:
        """The claims that fail as they are."""
        return self.state().failing

    def keys(self, overrides: dict[Key, Any]) -> set[Key]:
        """The places of the claims that fail with some values put right."""
        return {claim.event.key for claim in self.state(overrides).failing}

    def state(self, overrides: dict[Key, Any] | None = None) -> State:
        """The run with some values put right, and what fails in it."""
        overrides = overrides or {}
        run = self.claims.replayed(overrides)
        claims = self.claims.of(run, overrides)
        if self.reached is not None:
            claims = [each for each in claims if each.event.key in self.reached and not self._is_unfinished(each)]
        failing = self._gradients(run, claims, overrides)
        failing += self._updates(run, claims, overrides, failing)
        helpers: list[Claim] = []
        bad = {claim.event.key for claim in failing}
        for claim in claims:
            if claim.kind != INNER or self._is_begun(claim, claims):
                continue
            if self._is_completed(claim, run, claims, overrides):
                helpers.append(claim)
                continue
            usual = self._is_nice(claim.factor)
            if self.from_above and holds_with(claim, 1.0):
                continue  # the derivative itself, where those of the parameters are averaged: the slope is given
            above = self.from_above and not is_a_count(claim.factor or 0.0, self.sizes)
            if usual and not above and self._is_excused(run, claim, claims, overrides):
                continue
            users = self.claims.dependents(run, claim.event, claims, overrides)
            returned = [
                each for each in users if not each.event.name and mark_of(each.truth) in self.claims.of_parameters
            ]
            users = [each for each in users if each.kind != VALUE] + returned
            if usual and users:
                continue  # what it carries too much or too little shows in them
            if self.claims.is_local(claim):
                helpers.append(claim)
                continue
            unsettled = {each.event.key for each in self.unsettled}
            sound = [each for each in users if each.kind in (PARAMETER, UPDATE) or not each.event.name]
            sound = [each for each in sound if each.event.key not in unsettled]
            if sound and not all(each.event.key in bad for each in sound):
                helpers.append(claim)
            else:
                failing.append(claim)
        mixed = self._of_others(run, failing)
        claims, failing = ([each for each in them if each.event.key not in mixed] for them in (claims, failing))
        order = {event.key: place for place, event in enumerate(run.events)}
        failing.sort(key=lambda claim: (_is_of_another_shape(claim), order[claim.event.key]))
        return State(run, claims, failing, helpers)

    def _gradients(self, run: Run, claims: list[Claim], overrides: dict[Key, Any]) -> list[Claim]:
        """The gradients of parameters that fail, whatever the steps are."""
        failing = [claim for claim in claims if claim.kind == PARAMETER and not self._parameter_holds(claim, run)]
        return [
            claim
            for claim in failing
            if not self._is_begun(claim, claims) and not self._is_completed(claim, run, claims, overrides)
        ]

    def _is_unfinished(self, claim: Claim) -> bool:
        """Whether a list of gradients has fewer entries than there are parameters: the program ended in its loop."""
        names = {each.name for each in self.claims.truths.run.events if each.name.endswith("]")}
        own, base = (
            sum(symbols.stem_of(each) == symbols.stem_of(name) for each in names)
            for name in (claim.event.name, claim.truth.event.name)
        )
        return claim.event.name in names and own < base

    def _of_others(self, run: Run, failing: list[Claim]) -> set[Key]:
        """Derivatives in nodes that fail where they were added to last, by what a statement added that fails alone."""
        names = {each.event.name for each in failing if symbols.is_of_a_node(each.event.name)}
        added: dict[str, set[int]] = {}
        for event in self.claims.truths.round.events(run.events) if names else ():
            if event.name in names and isinstance(event.statement, ast.AugAssign):
                added.setdefault(event.name, set()).add(event.key[0])
        alone = {next(iter(places)) for places in added.values() if len(places) == 1}
        mixed = [each for each in failing if len(added.get(each.event.name, ())) > 1]
        return {each.event.key for each in mixed if alone & added[each.event.name] and each.event.key[0] not in alone}

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

    def _is_begun(self, claim: Claim, claims: list[Claim]) -> bool:
        """Whether a value is the zeros to which a derivative is added later, through a view or under another name."""
        if claim.event.missing or np.any(claim.event.value) or not np.ndim(claim.event.value):
            return False
        mark = mark_of(claim.truth)
        later = any(each.factor is not None and mark_of(each.truth) == mark for each in claims)
        return later or (claim.kind == INNER and not self.claims.follows_the_pass(claim.event.key))

    def _is_completed(self, claim: Claim, run: Run, claims: list[Claim], overrides: dict[Key, Any]) -> bool:
        """Whether what its function returns of it is the derivative that its name says: ``return dx * self.rstd``."""
        if claim.factor is not None or claim.event.missing or not claim.event.function:
            return False
        marks = {mark_of(each) for each in (claim.truth, *claim.others)}
        ends = {
            each.event.key
            for each in claims
            if not each.event.name and each.event.function == claim.event.function
            if mark_of(each.truth) in marks and holds_with(each, self.factor)
        }
        return bool(ends) and any(
            each.event.key in ends for each in self.claims.dependents(run, claim.event, claims, overrides)
        )

    def _is_nice(self, factor: float | None) -> bool:
        """Whether a derivative on the way carries a factor that people use."""
        if factor is None:
            return False
        return in_words(factor, self.sizes) is not None or in_words(factor / self.factor, self.sizes) is not None

    def _is_excused(self, run: Run, claim: Claim, claims: list[Claim], overrides: dict[Key, Any]) -> bool:
        """Whether its factor is that of the gradients, or of a derivative that leads to one: a convention of theirs."""
        if holds_with(claim, self.factor):
            return True
        known = [each for each in claims if each is not claim and each.factor is not None]
        inner = [each for each in known if each.kind == INNER]
        others = inner or [each for each in known if each.kind in (VALUE, PARAMETER)][:1]
        same = [each for each in others if same_factor(claim.factor or 0.0, each.factor or 0.0)]
        if not any(each.kind == PARAMETER for each in known):
            return not inner or bool(same)
        ends = (PARAMETER, UPDATE)
        leading = (self.claims.dependents(run, each.event, claims, overrides) for each in same if each.kind not in ends)
        at_end = any(each.kind in ends for each in same)
        return not others or at_end or any(each.kind in ends for found in leading for each in found)

    def _updates(self, run: Run, claims: list[Claim], overrides: dict[Key, Any], failing: list[Claim]) -> list[Claim]:
        """Steps into which something else than their gradient goes, or that go the other way; at any rate.

        A step along the derivative of J settles its gradient, too: the penalty's part may be added in the step.
        """
        steps = [claim for claim in claims if claim.kind == UPDATE]
        rates = [claim.factor for claim in steps if claim.factor is not None and not _is_a_number(claim)]
        rates = rates or [claim.factor for claim in steps if claim.factor is not None]
        way = 1.0 if is_maximised(self.claims.truths) else -1.0
        along = [rate for rate in rates if rate * way > 0]
        self.rate = max(along, key=lambda rate: sum(same_factor(rate, each) for each in along)) if along else None
        settled = {
            mark_of(claim.truth)
            for claim in steps
            if claim.factor is not None and claim.factor * way > 0 and not _is_a_number(claim)
        }
        if self.summed:  # a gradient of one example is a part of the step that was put right
            by_key, places = self.claims.truths.by_key, self.claims.truths.probe.steps
            settled |= {mark_of(by_key[places[key]]) for key in overrides if places.get(key) in by_key}
        failing[:] = [
            claim
            for claim in failing
            if mark_of(claim.truth) not in settled or claim.factor is not None or claim.event.missing
        ]
        fails = {mark_of(claim.truth) for claim in failing}
        sources: Sources | None = None
        wrong = []
        for claim in steps:
            if mark_of(claim.truth) in fails or self._follows(claim, along, way, steps):
                continue
            if claim.factor is not None and self._is_uneven(claim, steps):
                wrong.append(self._uneven_gradient(claim, claims))
                continue
            uneven = self._is_uneven_number(claim, steps)
            if claim.factor is None or (uneven and self.claims.truths.probe.places is not None):
                if sources is None:
                    gradients = gradients_of(self.claims, run, claims, overrides, self.factor)
                    sources = Sources(self.claims, {each.event.key for each in steps}, gradients, overrides)
                made = sources.of(claim)
                by_name = self.claims.truths.probe.places is None and self._has_state(claim)
                if by_name and from_rest(self.claims, claim, overrides) * way < 0:
                    wrong.append(claim)
                    continue
                if by_name or (made is not None and not made.rest and self._may_be(made, claim, way)):
                    if not overrides and (made is None or made.state or not made.own):
                        self._settle_not(claim)
                    continue
            wrong.append(claim if claim.factor is None else self._uneven_gradient(claim, claims))
        return wrong

    def _follows(self, claim: Claim, along: list[float], way: float, steps: list[Claim]) -> bool:
        """Whether a step is a multiple of the derivative in the right direction, and the rate is not left out."""
        if claim.factor is None or claim.factor * way <= 0:
            return False
        others = [each for each in steps if each is not claim and each.factor is not None and each.factor * way > 0]
        elsewhere = [each for each in others if each.event.key[0] != claim.event.key[0]]
        rates = self._rates(claim)
        if self._is_uneven(claim, steps):
            return False
        if self._is_uneven_number(claim, steps):
            return False
        if any(same_factor(claim.factor, each.factor or 0.0) for each in others):
            return True
        common = [each for each in others if self.rate is not None and same_factor(each.factor or 0.0, self.rate)]
        if len(common) == len(others) > 1 and same_factor(abs(claim.factor), abs(self.factor)):
            return False  # the others have a rate, and it has none
        alike = [
            each
            for each in elsewhere
            if self._rates(each) == rates
            and in_words(ratio := claim.factor / (each.factor or 1.0), self.sizes) is not None
            and not self._is_meant(claim, ratio)
        ]
        return not alike or self._is_rate(claim, rates)

    def _is_uneven_number(self, claim: Claim, steps: list[Claim]) -> bool:
        """Whether the step of a single number, along any derivative, has another rate elsewhere.

        That is on other values, or where its statement changes another parameter, and the rate is not that of most.
        """
        if not _is_a_number(claim):
            return False
        turns = [each for each in steps if each.event.key[0] == claim.event.key[0]]
        uneven = any(not same_factor(each.factor or 0.0, claim.factor or 0.0) for each in turns)
        of_most = self.rate is not None and same_factor(claim.factor or 0.0, self.rate)
        return (uneven and not of_most) or not self._same_elsewhere(claim)

    def _uneven_gradient(self, step: Claim, claims: list[Claim]) -> Claim:
        """The gradient that makes a step too long or too short; the step itself where no line holds it."""
        mark, of_parameters = mark_of(step.truth), self.claims.of_parameters
        gradients = [each for each in claims if each.kind == VALUE and mark_of(each.truth) in of_parameters]
        own = [each for each in gradients if mark_of(each.truth) == mark]
        usual = [self.factor, *(each.factor or 0.0 for each in gradients if mark_of(each.truth) != mark)]
        uneven = (each for each in own if not any(same_factor(each.factor or 0.0, other) for other in usual))
        return next(uneven, step)

    def _is_uneven(self, claim: Claim, steps: list[Claim]) -> bool:
        """Whether a step has the rate of another one and is not as long as it says, as that one is, by a size.

        Where J is the sum over the examples of a loop, the step that averages is the one that is meant.
        """
        rates = self._rates(claim)
        as_it_says = self._is_rate(claim, rates)
        if as_it_says is not self.summed:
            return False
        others = [each for each in steps if each is not claim and each.factor is not None]
        same = [each for each in others if self._rates(each) == rates and self._is_rate(each, rates) is not as_it_says]
        return any(self._by_a_size(claim, each) for each in same)

    def _by_a_size(self, claim: Claim, other: Claim) -> bool:
        """Whether two steps differ by the number of examples, another count or 2, that one lacks or has twice."""
        ratio = abs((claim.factor or 0.0) / (other.factor or 1.0))
        count = max(ratio, 1 / ratio)
        return count > 1.5 and same_factor(count, round(count)) and not self._is_meant(claim, count)

    def _is_meant(self, claim: Claim, count: float) -> bool:
        """Whether the whole number by which a step differs stands in it; a 2 beside the name of its gradient.

        Where the gradient is worked out in the step, the 2 of a square may be one too many.
        """
        parts = () if claim.event.statement is None else tuple(ast.walk(claim.event.statement))
        written = [each.value for each in parts if isinstance(each, ast.Constant) and type(each.value) is int]
        if not any(same_factor(count, each) for each in written):
            return False
        shapes = {symbols.written(each.name): each.shape for each in self.claims.truths.run.events if each.name}
        read = {shapes.get(ast.unparse(each), ()) for each in parts if isinstance(getattr(each, "ctx", None), ast.Load)}
        return round(count) != 2 or read - {()} == {claim.event.shape}

    def _rates(self, claim: Claim) -> frozenset[str]:
        """The rates in a step, or in the statement that computes the name that it adds: ``v = mu * v - lr * g``."""
        statement = claim.event.statement
        if id(statement) not in self.rates_of:
            added = added_name(statement)
            made = (each.statement for each in self.claims.truths.run.events if added and each.statement is not None)
            source = next((each for each in made if isinstance(each, ast.Assign) and _is_set(each, added)), None)
            self.rates_of[id(statement)] = rates_in(source if source is not None else statement)
        return self.rates_of[id(statement)]

    def _is_rate(self, claim: Claim, rates: frozenset[str]) -> bool:
        """Whether a step is as long as the one rate that stands in it says."""
        return any(same_factor(abs(claim.factor or 0.0), abs(each * self.factor)) for each in self._values(rates))

    def _values(self, rates: frozenset[str]) -> set[float]:
        """The values that the one rate in a step has."""
        if len(rates) != 1:
            return set()
        (name,) = rates
        if name not in self.values_of:
            values = {float(name)} if re.fullmatch(r"[\d.e-]+", name) else set()
            self.values_of[name] = values | {
                float(event.value)
                for event in self.claims.truths.run.events
                if symbols.base_of(event.name) == symbols.base_of(name)
                if not event.missing and np.ndim(event.value) == 0
            }
        return self.values_of[name]

    def factors_of_steps(self, claim: Claim) -> list[float]:
        """The factors that gradients carry where most steps go, without the rate that stands in one of them."""
        values = self._values(self._rates(claim)) if claim.kind == UPDATE and self.rate is not None else set()
        return [abs(self.rate / value) for value in values if value and self.rate is not None]

    @staticmethod
    def _may_be(made: Made, claim: Claim, way: float) -> bool:
        """Whether a step that is no multiple of its gradient may be right: made of its own, the right way."""
        return direction(claim) * way > 0 if made.own else not made.others

    def _same_elsewhere(self, claim: Claim) -> bool:
        """Whether the step of a single number, along any derivative, has the same rate on other values."""
        key = claim.event.key
        own = next((each for each in self.claims.truths.run.events if each.key == key), None)
        if own is None or self.more is None or claim.event.missing or not np.array_equal(own.value, claim.event.value):
            return True  # it is not as the program has it, and is known on these values alone
        if key not in self.elsewhere:
            truths = self.more(1)
            found = [] if truths is None else Claims(truths).of(truths.run, {})
            rates = {each.event.key: each.factor for each in found}
            for each in self.claims.of(self.claims.truths.run, {}):
                rate, same = each.factor, rates.get(each.event.key, each.factor)
                self.elsewhere[each.event.key] = same is not None and same_factor(same, rate or 0.0)
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
            states = self.claims.truths.probe.roles.states
            if (name not in self.claims.names or name in states) and np.shape(value) == claim.event.shape:
                return True
        return False


def _is_a_number(claim: Claim) -> bool:
    """Whether a claim is about a single number, or about one entry of an array: it is a multiple of any other."""
    return np.size(claim.event.value) == 1 or np.count_nonzero(claim.truth.gradient) == 1


def _is_of_another_shape(claim: Claim) -> bool:
    """Whether a value on the way is not as large as what its name says: ``ds`` of one time for all times s."""
    return claim.kind == INNER and not claim.event.missing and claim.event.shape != np.shape(claim.truth.gradient)


def _is_set(statement: ast.Assign, name: str) -> bool:
    """Whether a statement is the one that gives a name its value."""
    return bool(name) and ast.unparse(statement.targets[0]) == name
