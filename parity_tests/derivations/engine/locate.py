"""Where the mistake is: the value that, once it is put right, makes the failing claims hold.

The truth is put in place of a value and the text is run again. What comes right with it was a consequence, so that one
mistake is one report; what still fails is the next mistake.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.claims import INNER, PARAMETER, UPDATE, VALUE, Claim, Claims, holds_with, mark_of
from parity_tests.derivations.engine.convention import same_factor
from parity_tests.derivations.engine.events import BOUND, ENTRY, NAMED, RETURNED, Event, Key
from parity_tests.derivations.engine.failing import Failures, State
from parity_tests.derivations.engine.lists.spelled import origin
from parity_tests.derivations.engine.steps import added_name, is_maximised
from parity_tests.derivations.engine.truths import Truth, Truths
from parity_tests.derivations.verdicts import CALL

NO_VALUE = " has no value here"
MOST_ROOTS = 8
MOST_TRIALS = 240
MOST_REPAIRS = 8
MOST_EVENTS = 200_000
"""Of all runs of one search: about eight seconds."""
NEAR = 0.2
"""Repairs whose costs differ by less are about as likely, in statements of different names."""

MOST_HELPERS = 3
"""How many values that functions returned are looked at beside the value that they went into."""

DERIVATIVES = re.compile(r"d_?[A-Za-z]\w*$|.*(?:delta|grad|nabla)")
"""Names that a value of the forward pass has where it should have become a derivative: ``dz = a``."""

MOST_IN_ALL = 12
"""Turns of a loop in which a line is put right all at once."""

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


Values = dict[Key, Any]
"""What is put in place of values."""

Turns = tuple[list[Event], list[Truth], float]
"""The values of one place, turn by turn, and the truths that may belong there, times a factor."""


class _InAll(NamedTuple):
    """A line of a loop whose turns are put right all at once: how many claims that mends, and its first wrong turn."""

    mended: int
    root: Root
    values: Values
    has_repair: bool = False


class Explanation(NamedTuple):
    """All that is wrong under one convention; ``claims`` are those of the text as it is."""

    factor: float
    roots: tuple[Root, ...]
    claims: tuple[Claim, ...]
    helpers: tuple[Claim, ...]
    unsettled: tuple[Claim, ...]


Repairs = Callable[[Root, "dict[Key, Root]"], "float | None"]
"""The cost of the smallest change of a root's own line that puts it right, None where there is none."""

Turned = Callable[[Root, "Values"], "Values"]
"""What a root's line gives in all turns of its loop once it is repaired, with other values put right."""


class Locator:
    """The search for mistakes under one convention."""

    def __init__(
        self,
        claims: Claims,
        factor: float,
        repairs: Repairs | None = None,
        more: Callable[[int], Truths | None] | None = None,
        turned: Turned | None = None,
    ) -> None:
        self.claims, self.factor, self.repairs, self.turned = claims, factor, repairs, turned
        self.failures = Failures(claims, factor, more)
        self.trials = 0
        self.begun = claims.replays

    def explain(self, most: int = MOST_ROOTS) -> Explanation:
        """The mistakes, one after the other, each with what comes right with it; the search ends with the ``most``."""
        overrides: Values = {}
        roots: list[Root] = []
        first: State | None = None
        while len(roots) < most:
            state = self.failures.state(overrides)
            first = first or state
            if not state.failing:
                break
            root, right = self._locate(state, overrides, {each.event.key: each for each in roots})
            if root.is_factor and root.rest_of is not None:  # the statement that calls it, in other turns
                roots = [each for each in roots if each.event.key[0] != root.rest_of[0]]
            if self.turned is not None and self.repairs is not None:
                mended = self.repairs(root, {each.event.key: each for each in roots}) is not None
                right = (self.turned(root, {**overrides, **right}) if mended else {}) | right
            roots.append(root)
            overrides |= right
        assert first is not None
        return Explanation(
            self.factor,
            tuple(roots),
            tuple(first.claims),
            tuple(first.helpers),
            tuple(self.failures.unsettled),
        )

    # ---- where it comes from
    def _locate(self, state: State, overrides: Values, before: dict[Key, Root]) -> tuple[Root, Values]:
        """The mistake behind the first failing claim, and what to put where for the search to go on."""
        claim = state.failing[0]
        own_value = self._expected(state, claim)
        failed = self._failed_before(state, claim)
        if failed is not None:
            return self._computed(failed, claim, state, overrides)
        reach = None if claim.event.missing else self.claims.leads_to(claim.event.key, overrides)
        in_all: _InAll | None = None
        if reach and len(state.failing) > 1:
            in_all = self._in_all_turns(state, claim, reach, overrides, before)
            if in_all is not None and in_all.has_repair:
                return self._in_a_helper(in_all.root, state, overrides, before) or in_all.root, in_all.values
        handed_on = self._handed_on(state, claim, reach, overrides, before) if reach else None
        if handed_on is not None and handed_on.has_repair:
            return handed_on.root, handed_on.values
        found = self._mending(state, claim, own_value, reach, overrides, reused=False)
        if max((count for count, _ in found), default=0) < 2 <= len(state.failing):
            found += self._mending(state, claim, own_value, reach, overrides, reused=True)
        if not found:
            found = [(1, Root(claim.event, claim.truth, self._wanted(claim), own_value, (), claim.kind))]
        most = max(count for count, _ in found)
        if in_all is not None and in_all.mended > most:
            return in_all.root, in_all.values
        root = self._likeliest([each for count, each in found if count == most], claim, before, state)
        right = {root.event.key: root.expected}
        return self._in_a_helper(root, state, overrides, before) or root, right

    def _in_a_helper(self, root: Root, state: State, overrides: Values, before: dict[Key, Root]) -> Root | None:
        """What a function of the writer's returned as a factor of a wrong value, where a change there is as likely."""
        statement = root.event.statement
        if self.repairs is None or not self.claims.truths.program.repeats or statement is None or root.event.missing:
            return None
        called = {
            ast.unparse(node.func).rpartition(".")[2] for node in ast.walk(statement) if isinstance(node, ast.Call)
        }
        own: list[Event] = []
        for event in self.claims.truths.round.events(state.run.events):
            if event.key == root.event.key:
                break
            if event.role == RETURNED and event.function in called and event.shape == np.shape(root.expected):
                own.append(event)
        cost = self.repairs(root, before)
        for event in own[-MOST_HELPERS:]:
            run = self.claims.replayed({**overrides, event.key: np.ones(event.shape)})
            beside: Any = next((each.value for each in run.events if each.key == root.event.key), None)
            if np.shape(beside) != event.shape or not np.all(beside) or event.shape != root.event.shape:
                continue
            if np.allclose(beside * event.value, root.event.value, 1e-9, 1e-12):
                found = root._replace(
                    event=event, expected=root.expected / beside, rest_of=root.event.key, is_factor=True, kind=INNER
                )
                again = any(key[0] == event.key[0] for key in before)  # the same mistake, called for another layer
                other = cost if again else self.repairs(found, before)
                if again or (other is not None and (cost is None or other <= cost + NEAR)):
                    return found
        return None

    def _mending(
        self,
        state: State,
        claim: Claim,
        own_value: Any,
        reach: set[Key] | None,
        overrides: Values,
        *,
        reused: bool,
    ) -> list[tuple[int, Root]]:
        """The values that mend a claim once they are right, each with how many claims it mends.

        With ``reused`` they are derivatives that hold, and should have gone on to the next one under the same name.
        """
        found: list[tuple[int, Root]] = []
        for root in self._candidates(state, claim, own_value, reach or (), reused):
            if reach is not None and root.event.key not in reach:
                continue
            if self.trials > MOST_TRIALS or self.claims.replays - self.begun > MOST_EVENTS:
                break
            own = root.event.key == claim.event.key
            mended, broken = self._mended(state, {**overrides, root.event.key: root.expected})
            if broken or (claim.event.key not in mended and not own):
                continue
            mended |= {claim.event.key} if own else set()
            found.append((len(mended), root._replace(mends=self._lines(state, mended, root.event.line))))
        return found + [(count, each) for count, root in found for each in self._built_before(state, root)]

    def _built_before(self, state: State, root: Root) -> Iterator[Root]:
        """Earlier statements that build the same array, what each of them lacks in it."""
        if root.rest_of is not None or root.event.missing or root.event.shape != np.shape(root.expected):
            return
        for event in self.claims.truths.round.events(state.run.events):
            if event.key == root.event.key:
                return
            same = event.name == root.event.name and event.role in (NAMED, ENTRY) and not event.missing
            if same and event.shape == root.event.shape and event.key[0] != root.event.key[0]:
                rest = event.value + root.expected - root.event.value
                yield root._replace(event=event, expected=rest, rest_of=root.event.key)

    def _in_all_turns(
        self, state: State, claim: Claim, reach: Collection[Key], overrides: Values, before: dict[Key, Root]
    ) -> _InAll | None:
        """The line of a loop that mends most claims once all of its turns are right: one that a change puts right."""
        return self._all_at_once(self._looped(state, claim, reach), state, claim, overrides, before)

    def _handed_on(
        self, state: State, claim: Claim, reach: Collection[Key], overrides: Values, before: dict[Key, Root]
    ) -> _InAll | None:
        """The ``return grad`` of a layer that hands its argument on and should not, in all layers of its kind."""
        return self._all_at_once(self._returned_arguments(state, reach), state, claim, overrides, before)

    def _looped(self, state: State, claim: Claim, reach: Collection[Key]) -> Iterator[Turns]:
        """The lines of loops on the way to a claim, with what may belong in place of their values."""
        by_key = self.claims.truths.by_key
        forward = self._forward()
        events = self.claims.truths.round.events(state.run.events)
        keys = {each.event.key for each in state.claims if each.kind in (PARAMETER, UPDATE)}
        matched = {each.event.key: each for each in state.claims if each.factor is not None}
        scales = self._scales(state, claim)
        computed = (each for each in events if each.key not in by_key and (each.name or each.role == RETURNED))
        in_a_loop = bool(claim.event.key[1] or getattr(claim.event.statement, "turns", ()))
        for turns in _sites(computed, least=2):
            least = 1 if in_a_loop or turns[0].role == RETURNED else 2
            if sum(each.key in reach for each in turns) < least or any(each.key in keys for each in turns):
                continue
            known = [matched[each.key].truth for each in turns if each.key in matched]
            ways = [(known, each) for each in scales] if len(known) == len(turns) else []
            ways = ways or [(truths, self.factor) for truths in forward.get(len(turns), ())]
            yield from ((turns, truths, factor) for truths, factor in ways)

    def _returned_arguments(self, state: State, reach: Collection[Key]) -> Iterator[Turns]:
        """The places that return an argument as it came, each with the derivatives in one place of the forward pass."""
        by_key, forward = self.claims.truths.by_key, self._forward()
        events = self.claims.truths.round.events(state.run.events)
        returned = (each for each in events if each.role == RETURNED and isinstance(each.node, ast.Name))
        for turns in _sites((each for each in returned if each.key not in by_key), least=1):
            if any(each.key in reach for each in turns):
                yield from ((turns, truths, self.factor) for truths in forward.get(len(turns), ()))

    def _forward(self) -> dict[int, list[list[Truth]]]:
        """The derivatives in each place of the forward pass, the last turn first, by how many turns they are.

        Of a place of many turns also some that follow each other: two of three layers have a unit behind them.
        """
        by_key = self.claims.truths.by_key
        of_value = {(each.event.shape, each.event.value.tobytes()): each for each in by_key.values()}
        truths_of = {each.key: by_key.get(each.key) for each in self.claims.truths.run.events}
        for each in self.claims.truths.run.events:
            if each.role == BOUND and not each.missing:  # what a layer is given is the value of another place
                truths_of[each.key] = of_value.get((each.shape, np.asarray(each.value).tobytes()))
        found: dict[int, dict[Any, list[Truth]]] = {}
        for there in _sites((each for each in self.claims.truths.run.events if truths_of[each.key]), least=1):
            truths = [truth for each in reversed(there) if (truth := truths_of[each.key]) is not None]
            for first in range(len(truths)):
                for end in range(first + 1, len(truths) + 1):
                    turns = truths[first:end]
                    found.setdefault(len(turns), {}).setdefault(tuple(map(mark_of, turns)), turns)
        return {count: list(ways.values()) for count, ways in found.items()}

    def _all_at_once(
        self, places: Iterable[Turns], state: State, claim: Claim, overrides: Values, before: dict[Key, Root]
    ) -> _InAll | None:
        """The place that mends most claims once all of its turns are right: one that a change puts right."""
        found: list[_InAll] = []
        for turns, truths, factor in places:
            pairs = list(zip(turns, truths, strict=True))
            if any(one.shape != np.shape(other.gradient) for one, other in pairs):
                continue
            if self.trials > MOST_TRIALS or self.claims.replays - self.begun > MOST_EVENTS:
                break
            values = {one.key: factor * other.gradient for one, other in pairs}
            wrong = [pair for pair in pairs if not np.allclose(pair[0].value, values[pair[0].key], 1e-9, 1e-12)]
            if not wrong:
                continue
            mended, broken = self._mended(state, {**overrides, **values})
            if not broken and claim.event.key in mended and len(mended) > 1:
                event, truth = wrong[0]
                lines = self._lines(state, mended, event.line)
                root = Root(event, truth, factor, values[event.key], lines, INNER)
                found.append(_InAll(len(mended), root, values))
        most = max((each.mended for each in found), default=0)
        found = [each for each in found if each.mended == most]
        for each in found:
            if self.repairs is None or self.repairs(each.root, before) is not None:
                return each._replace(has_repair=True)
        return found[0] if found else None

    def _computed(self, failed: Event, claim: Claim, state: State, overrides: Values) -> tuple[Root, Values]:
        """The mistake in a statement that could not be computed: the truth that, put there, mends most."""
        best: tuple[int, Root] | None = None
        bases = self.claims.meant.get(failed.name, ())
        named = [truth for truth in self.claims.named if truth.event.name in bases]
        alike = {np.shape(truth.gradient) for truth in named}
        truths = self.claims.truths.distinct()
        truths = named + [each for each in truths if not alike or np.shape(each.gradient) in alike]
        for truth in truths:
            for factor in self._scales(state, claim):
                expected = factor * truth.gradient
                mended, broken = self._mended(state, {**overrides, failed.key: expected})
                if mended and not broken and (best is None or len(mended) > best[0]):
                    lines = self._lines(state, mended, failed.line)
                    best = len(mended), Root(failed, truth, factor, expected, lines, INNER)
        if best is None:
            value = self.factor * claim.truth.gradient
            return Root(failed, claim.truth, self.factor, value, (), INNER), {claim.event.key: value}
        return best[1], {failed.key: best[1].expected}

    def _likeliest(self, roots: list[Root], claim: Claim, before: dict[Key, Root], state: State) -> Root:
        """Of places that mend as much: one whose own line a small change puts right; else the earliest."""
        order = {event.key: place for place, event in enumerate(state.run.events)}
        roots = [each for each in roots if each.event.line < CALL] or roots  # a call behind the file is not mended
        roots = sorted(roots, key=lambda each: (each.rest_of is not None, order[each.event.key]))
        again = [each for each in roots if any(key[0] == each.event.key[0] for key in before)]
        if again and (self.repairs is None or self.repairs(again[0], before) is not None):
            return again[0]  # the same statement in another turn
        if self.repairs is not None and len({each.event.key for each in roots}) > 1:
            costs = [(self.repairs(roots[place], before), place) for place in _in_turn(roots)[:MOST_REPAIRS]]
            good = [(cost, place) for cost, place in costs if cost is not None]
            if good:
                cheapest = min(cost for cost, _ in good)
                near = [roots[place] for cost, place in good if cost <= cheapest + NEAR]
                first = min(near, key=lambda each: (not self._is_named_so(each), order[each.event.key]))
                return max(
                    (each for each in near if each.event.name == first.event.name),
                    key=lambda each: order[each.event.key],
                )
        whole = [each for each in roots if each.rest_of is None]
        helpers = [each for each in whole if each.event.key != claim.event.key]
        return (helpers or whole or roots)[0]

    def _is_named_so(self, root: Root) -> bool:
        """Whether a value's name says that it is the derivative that belongs there: ``dZ`` for Z[2]."""
        stem = symbols.stem_of(root.truth.event.name)
        return root.event.name in self.claims.meant and bool(symbols.meant_by(root.event.name, [stem]))

    def _failed_before(self, state: State, claim: Claim) -> Event | None:
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
    def _lines(state: State, mended: set[Key], line: int) -> tuple[int, ...]:
        return tuple(sorted({each.event.line for each in state.failing if each.event.key in mended} - {line}))

    def _expected(self, state: State, claim: Claim) -> Any:
        if claim.kind != UPDATE:
            return self.factor * claim.truth.gradient
        assert claim.old is not None
        return claim.old.value + self._rate(claim) * claim.truth.gradient

    def _rate(self, claim: Claim) -> float:
        """The rate that a step should have: its own where it goes the wrong way, else that of the others."""
        way = 1.0 if is_maximised(self.claims.truths) else -1.0
        if claim.factor is not None and claim.factor * way < 0:
            return -claim.factor
        return self.failures.rate if self.failures.rate is not None else 0.1 * way

    def _wanted(self, claim: Claim) -> float:
        """The factor that a claim should have."""
        return self._rate(claim) if claim.kind == UPDATE else self.factor

    def _candidates(
        self, state: State, claim: Claim, own_value: Any, reach: Collection[Key], reused: bool
    ) -> Iterator[Root]:
        """Values that may be the culprit, each with a truth and a factor: the claim's own, then earlier ones."""
        scales = self._scales(state, claim)
        if reused:
            yield from self._reused(state, reach)
            return
        if claim.kind == UPDATE:
            yield Root(claim.event, claim.truth, self._rate(claim), own_value, (), UPDATE)
            if claim.factor is not None and np.size(claim.event.value) > 1 and not added_name(claim.event.statement):
                return  # a multiple of its gradient: the step itself is wrong
        else:
            for truth in claim.others or (claim.truth,):
                for factor in [self.factor] if claim.kind == PARAMETER else scales:
                    yield Root(claim.event, truth, factor, factor * truth.gradient, (), claim.kind)
        matched = {each.event.key: each for each in state.claims if each.factor is not None}
        carried = [each.factor for each in state.claims if each.kind in (INNER, VALUE) and each.factor]
        nominal = max(carried, key=lambda one: sum(same_factor(one, each) for each in carried), default=None)
        if not any(self._is_gradient(each) and holds_with(each, self.factor) for each in state.claims):
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
            if self.claims.is_copy(event) and not DERIVATIVES.match(symbols.base_of(event.name)):
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

    def _is_gradient(self, claim: Claim) -> bool:
        """Whether a value is the gradient of a parameter, by its name or by what it is."""
        return claim.kind == PARAMETER or (claim.kind == VALUE and mark_of(claim.truth) in self.claims.of_parameters)

    def _reused(self, state: State, reach: Collection[Key]) -> Iterator[Root]:
        """Derivatives that hold, with that in what their value is computed from: ``dh[h <= 0] = 0`` is missing."""
        for known in state.claims:
            if known.kind == INNER and known.event.key in reach and holds_with(known, self.factor):
                for truth in self.claims.by_shape.get(known.event.shape, ()):
                    if truth is not known.truth:
                        yield Root(known.event, truth, self.factor, self.factor * truth.gradient, (), INNER)

    def _truths_for(
        self, event: Event, known: Claim | None, claim: Claim, scales: list[float], nominal: float | None
    ) -> Iterator[tuple[Truth, float]]:
        """What may belong in place of a value."""
        right = known is not None and holds_with(known, self.factor)
        if known is not None and known.factor is not None and not (right and known.kind == VALUE):
            needed = None if claim.factor is None else known.factor * self._wanted(claim) / claim.factor
            if right:
                if claim.kind == UPDATE and needed is not None and any(same_factor(needed, each) for each in scales):
                    yield known.truth, needed
                return
            if needed is not None:
                if nominal is None or not same_factor(known.factor, nominal):
                    yield known.truth, needed
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

    def _scales(self, state: State, claim: Claim) -> list[float]:
        """The factors that a derivative on the way may carry here: those of its neighbours, then the usual ones."""
        scales = [each.factor for each in state.claims if each.factor is not None and each.kind in (INNER, VALUE)]
        batch = self.claims.truths.probe.batch
        scales += [self.factor] + ([self.factor * batch, self.factor / batch] if batch else [])
        distinct: list[float] = []
        for scale in scales:
            if not any(same_factor(scale, each) for each in distinct):
                distinct.append(scale)
        return [*distinct[:5], -self.factor]

    def _mended(self, state: State, overrides: Values) -> tuple[set[Key], bool]:
        """Which failing claims hold with other values in place, and whether others fail with them, or the run ends."""
        self.trials += 1
        after = self.failures.state(overrides)
        if self.claims.truths.program.repeats and after.run.problems and not state.run.problems:
            return set(), True
        still = {claim.event.key for claim in after.failing}
        before = {claim.event.key for claim in state.failing}
        return before - still, bool(still - before)


def _in_turn(roots: list[Root]) -> list[int]:
    """The places of a list, the first of each statement before the second of any."""
    times: Counter[Key] = Counter()
    turns = []
    for place, each in enumerate(roots):
        turns.append((times[each.event.key], place))
        times[each.event.key] += 1
    return [place for _, place in sorted(turns)]


def _sites(events: Iterable[Event], least: int) -> list[list[Event]]:
    """The values of one place, turn by turn, for all places that are reached ``least`` times or more."""
    found: dict[Any, list[Event]] = {}
    for each in events:
        if each.statement is None or each.missing or np.size(each.value) < 2:
            continue
        where = getattr(each.node, "col_offset", 0), getattr(each.node, "end_col_offset", 0)
        source = origin(each.statement)
        found.setdefault((id(source), type(each.node), each.role, where), []).append(each)
    return [turns for turns in found.values() if least <= len(turns) <= MOST_IN_ALL]
