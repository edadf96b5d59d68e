"""Where the mistake is: the value that, once it is put right, makes the failing claims hold.

The truth is put in place of a value and the text is run again. What comes right with it was a consequence, so that one
mistake is one report; what still fails is the next mistake.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.all_turns import AllTurns, InAll
from parity_tests.derivations.engine.claims import INNER, UPDATE, Claim, Claims, holds_with, mark_of
from parity_tests.derivations.engine.convention import is_a_count, ratio_of, same_factor
from parity_tests.derivations.engine.events import ENTRY, NAMED, RETURNED, Event, Key
from parity_tests.derivations.engine.failing import State
from parity_tests.derivations.engine.in_the_program import InTheProgram, surely_failing
from parity_tests.derivations.engine.roots import Explanation, Reads, Repairs, Root, Turned, Values
from parity_tests.derivations.engine.search import MOST_EVENTS, Search
from parity_tests.derivations.engine.suspects import DERIVATIVES, Suspects
from parity_tests.derivations.engine.truths import Truths
from parity_tests.derivations.verdicts import CALL

NO_VALUE = " has no value here"
MOST_ROOTS = 8
MOST_REPAIRS = 8
NEAR = 0.2
"""Repairs whose costs differ by less are about as likely, in statements of different names."""

SAME_MOVE = 1e-7
"""How near a change along a direction comes to the one that is wanted, of the sum of its absolute terms."""

LEAST_TRIED = 6
"""How many suspects are tried in any case, however long a run is."""

MOST_HELPERS = 3
"""How many values that functions returned are looked at beside the value that they went into."""


class Locator:
    """The search for mistakes under one convention."""

    def __init__(
        self,
        claims: Claims,
        factor: float,
        repairs: Repairs | None = None,
        more: Callable[[int], Truths | None] | None = None,
        turned: Turned | None = None,
        reads: Reads | None = None,
        in_the_program: InTheProgram | None = None,
        share: float = 1.0,
    ) -> None:
        self.claims, self.factor, self.repairs = claims, factor, repairs
        self.search = Search(claims, factor, repairs, more, share)
        self.failures = self.search.failures
        self.suspects, self.all_turns = Suspects(self.search), AllTurns(self.search)
        self.turned, self.reads, self.in_the_program = turned, reads, in_the_program

    def explain(self, most: int = MOST_ROOTS) -> Explanation:
        """The mistakes, one after the other, each with what comes right with it; of more than ``most`` it is said."""
        overrides: Values = {}
        roots: list[Root] = []
        excused: set[Key] = set()
        failed: set[Key] = set()
        before_last: Values = {}
        first: State | None = None
        previous: State | None = None
        more = False
        while len(roots) < MOST_ROOTS:
            state = self.failures.state(overrides)
            first = first or state
            for each in state.failing if roots else ():  # what a repaired line is computed from as it is
                earlier = {other.event.key: other for other in roots[:-1]}
                fresh = each.kind == INNER and each.event.key not in failed
                if fresh and self._goes_into(each, roots[-1], state, before_last, earlier):
                    excused.add(each.event.key)
            state = state._replace(failing=[each for each in state.failing if each.event.key not in excused])
            failed |= {each.event.key for each in state.failing}
            if self.in_the_program is not None and previous is not None:
                changed = self._in_the_program(previous, state, roots, before_last)
                if changed is not None:
                    roots[-1], overrides = changed[0], before_last | changed[1]
                    if {each.event.key for each in previous.failing} <= changed[1].keys():
                        break
                    state = self.failures.state(overrides)
            if not state.failing:
                break
            if len(roots) >= most:
                more = True
                break
            root, right = self._located(state, overrides, {each.event.key: each for each in roots}, excused)
            if root.is_factor and root.rest_of is not None:  # the statement that calls it, in other turns
                roots = [each for each in roots if each.event.key[0] != root.rest_of[0]]
            if self.turned is not None and self.repairs is not None:
                mended = self.repairs(root, {each.event.key: each for each in roots}) is not None
                right = (self.turned(root, {**overrides, **right}) if mended else {}) | right
            roots.append(root)
            before_last, previous = dict(overrides), state
            overrides |= right
        assert first is not None
        mends = {line for root in roots for line in root.mends}
        names = (each for each in first.claims if each.event.key in excused and each.event.line not in mends)
        return Explanation(
            self.factor,
            tuple(roots),
            tuple(first.claims),
            (*first.helpers, *(each for each in names if not holds_with(each, self.factor))),
            tuple(self.failures.unsettled),
            more,
        )

    def _in_the_program(
        self, previous: State, state: State, roots: list[Root], overrides: Values
    ) -> tuple[Root, Values] | None:
        """One change that mends more than the last mistake's, or as much where that has no repair."""
        assert self.in_the_program is not None
        earlier = {each.event.key: each for each in roots[:-1]}
        has_repair = self.repairs is None or self.repairs(roots[-1], earlier) is not None
        if has_repair and (len(roots) > 1 or not state.failing):
            return None
        before, after = (len(surely_failing(each)) for each in (previous, state))
        least = before if has_repair else max(1, before - after)
        return self.in_the_program.of(previous, self.search, overrides, earlier, least)

    def _located(
        self, state: State, overrides: Values, before: dict[Key, Root], excused: set[Key]
    ) -> tuple[Root, Values]:
        """The mistake behind the first failing claim; where that claim alone is off, the one behind a later claim.

        That is so if the later one has a repair that reads the value as it is, or if nothing puts a value right that
        leads to it: its name says more than it should, and it is ``excused``.
        """
        claim, *others = state.failing
        found = self._locate(state, claim, overrides, before)
        root = found[0]
        if self.reads is None or claim.kind != INNER or root.event.key != claim.event.key or root.mends or not others:
            return found
        later = self._locate(state, others[0], overrides, before)
        if later[0].event.key != claim.event.key:
            unknown = self.repairs is None or self.repairs(root, before) is None
            unknown &= claim.event.key in (self.claims.leads_to(others[0].event.key, overrides) or ())
            if unknown or self._goes_into(claim, later[0], state, overrides, before):
                excused.add(claim.event.key)
                return later
        return found

    def _goes_into(self, claim: Claim, root: Root, state: State, overrides: Values, before: dict[Key, Root]) -> bool:
        """Whether a root's line, once it is put right, is computed from the value of a claim as it is."""
        read = frozenset() if self.reads is None else self.reads(root, before)
        latest: dict[str, Event] = {}
        for event in self.claims.truths.round.events(state.run.events):
            if event.key == root.event.key:
                break
            if event.name in read:
                latest[event.name] = event
        reach = [(each.key, *(self.claims.leads_to(each.key, overrides) or ())) for each in latest.values()]
        return any(claim.event.key in each for each in reach)

    def _locate(self, state: State, claim: Claim, overrides: Values, before: dict[Key, Root]) -> tuple[Root, Values]:
        """The mistake behind a failing claim, and what to put where for the search to go on."""
        own_value = self.search.expected(claim)
        failed = self._failed_before(state, claim)
        if failed is not None:
            return self._computed(failed, claim, state, overrides)
        reach = None if claim.event.missing else self.claims.leads_to(claim.event.key, overrides)
        in_all: InAll | None = None
        slope = self._slope(state, claim, reach or (), overrides, before, named=True)
        if slope is not None:
            return slope, {slope.event.key: slope.expected}
        turned = self._turned(state, claim, reach, overrides, before) if reach else None
        if turned is not None:
            return turned, {turned.event.key: turned.expected}
        if reach and len(state.failing) > 1:
            in_all = self.all_turns.of_a_loop(state, claim, reach, overrides, before)
            if in_all is not None and in_all.has_repair and in_all.mended == len(state.failing):
                return self._in_a_helper(in_all.root, state, overrides, before) or in_all.root, in_all.values
        handed_on = self.all_turns.of_an_argument(state, claim, reach, overrides, before) if reach else None
        if handed_on is not None and handed_on.has_repair:
            return handed_on.root, handed_on.values
        found = self._mending(state, claim, own_value, reach, overrides)
        if not found:
            found = [(1, Root(claim.event, claim.truth, self.search.wanted(claim), own_value, (), claim.kind))]
        most = max(count for count, _ in found)
        if in_all is not None and in_all.has_repair and in_all.mended >= most:
            return self._in_a_helper(in_all.root, state, overrides, before) or in_all.root, in_all.values
        if in_all is not None and in_all.mended > most:
            return self.all_turns.of_a_term(in_all, overrides, before) or in_all.root, in_all.values
        root = self._likeliest([each for count, each in found if count == most], claim, before, state)
        if reach and len(state.failing) == 1 and self.repairs is not None and self.repairs(root, before) is None:
            in_all = self.all_turns.of_a_loop(state, claim, reach, overrides, before)  # each turn gives a part of a sum
            if in_all is not None and in_all.has_repair:
                return in_all.root, in_all.values
        unmended = claim.kind != UPDATE and self.repairs is not None and self.repairs(root, before) is None
        slope = self._slope(state, claim, reach or (), overrides, before, named=False) if unmended else None
        if slope is not None:
            return slope, {slope.event.key: slope.expected}
        right = {root.event.key: root.expected}
        return self._in_a_helper(root, state, overrides, before) or root, right

    def _slope(
        self,
        state: State,
        claim: Claim,
        reach: Collection[Key],
        overrides: Values,
        before: dict[Key, Root],
        *,
        named: bool,
    ) -> Root | None:
        """A helper that mends a claim once it is the slope of a unit: the one that it is ``named`` after, or any."""
        if self.claims.truths.program.repeats:
            return None
        for root in self.suspects.slopes(state, claim, reach, named=named):
            mended, broken = self.search.mended(state, {**overrides, root.event.key: root.expected})
            helps = not broken and claim.event.key in mended and mended != {root.event.key}
            if helps and (named or self.repairs is None or self.repairs(root, before) is not None):
                return root._replace(mends=self.search.lines(state, mended, root.event.line))
            if self.search.is_over:
                break
        return None

    def _turned(
        self, state: State, claim: Claim, reach: set[Key], overrides: Values, before: dict[Key, Root]
    ) -> Root | None:
        """The first value with the opposite sign, where that is all that is wrong with every failing claim."""
        wanted = {each.event.key: self.search.wanted(each) for each in state.failing}
        known = [each for each in state.failing if each.factor is not None]
        if len(known) < 2 or not all(same_factor(each.factor or 0.0, -wanted[each.event.key]) for each in known):
            return None
        for event in self.claims.truths.round.events(state.run.events):
            if event.key == claim.event.key or self.search.is_over:
                return None
            if event.key not in reach or event.role not in (NAMED, RETURNED) or event.missing:
                continue
            if event.key in self.claims.truths.by_key or np.size(event.value) < 2:
                continue
            for truth in self.claims.by_shape.get(event.shape, ()):
                ratio = ratio_of(event.value, truth.gradient) if truth.event.name else None
                if ratio is None or ratio * self.factor >= 0:
                    continue
                root = Root(event, truth, -ratio, -ratio * truth.gradient, (), INNER)
                mended, broken = self.search.mended(state, {**overrides, event.key: root.expected})
                repaired = self.repairs is not None and self.repairs(root, before) is not None
                if repaired and not broken and len(mended) == len(state.failing):
                    return root._replace(mends=self.search.lines(state, mended, event.line))
        return None

    def _in_a_helper(self, root: Root, state: State, overrides: Values, before: dict[Key, Root]) -> Root | None:
        """What was computed before as a factor of a wrong value, by a function of the writer's or under a name.

        It is wrong where a change there is as likely.
        """
        statement = root.event.statement
        if self.repairs is None or not self.claims.truths.program.repeats or statement is None or root.event.missing:
            return None
        called = {
            ast.unparse(node.func).rpartition(".")[2] for node in ast.walk(statement) if isinstance(node, ast.Call)
        }
        defined = {each.name for each in ast.walk(self.claims.truths.program.tree) if isinstance(each, ast.FunctionDef)}
        held = (each.func for each in ast.walk(statement) if isinstance(each, ast.Call))
        under_another_name = any(
            ast.unparse(each).startswith("self.") and ast.unparse(each)[5:] not in defined for each in held
        )
        products = (each for each in ast.walk(statement) if isinstance(each, ast.BinOp))
        factors = {
            each.id
            for product in products
            if isinstance(product.op, ast.Mult)
            for each in (product.left, product.right)
            if isinstance(each, ast.Name)
        }
        own: list[Event] = []
        for event in self.claims.truths.round.events(state.run.events):
            if event.key == root.event.key:
                break
            may_be = event.role == RETURNED and (event.function in called or under_another_name)
            may_be |= event.role == NAMED and symbols.written(event.name) in factors
            if may_be and not event.missing and event.shape == np.shape(root.expected):
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
        self, state: State, claim: Claim, own_value: Any, reach: set[Key] | None, overrides: Values
    ) -> list[tuple[int, Root]]:
        """The values that mend a claim once they are right, each with how many claims it mends."""
        found: list[tuple[int, Root]] = []
        exact: list[Root] = []
        suspects = list(self.suspects.of(state, claim, own_value, reach or ()))
        right = {each.event.key for each in state.claims if holds_with(each, self.factor)}
        if claim.kind != UPDATE:  # the usual factor first, of all values
            suspects.sort(key=lambda root: root.event.key != claim.event.key and root.factor != self.factor)
        suspects = [each for each in suspects if reach is None or each.event.key in reach]
        if len(suspects) * len(state.run.events) > MOST_EVENTS and claim.event.shape == np.shape(own_value):
            suspects = self._promising(suspects, claim, own_value, overrides)
        for place, root in enumerate(suspects):
            if self.search.is_over and place >= LEAST_TRIED:
                break
            own = root.event.key == claim.event.key
            mended, broken = self.search.mended(state, {**overrides, root.event.key: root.expected})
            if broken or (claim.event.key not in mended and not own):
                continue
            if root.event.key in right and claim.kind != UPDATE and len(mended) < 2:
                continue  # what holds as its name says is another thing for several lines alone
            mended |= {claim.event.key} if own else set()
            found.append((len(mended), root._replace(mends=self.search.lines(state, mended, root.event.line))))
            exact += [found[-1][1]] if own or self.search.is_exact(claim) else []
        if claim.kind == UPDATE and len(exact) > 1:  # the others leave a term that may be a decay
            found = [each for each in found if any(each[1] is other for other in exact)]
        return found + [(count, each) for count, root in found for each in self._built_before(state, root)]

    def _promising(self, suspects: list[Root], claim: Claim, own_value: Any, overrides: Values) -> list[Root]:
        """The suspects of a long run, those first that put a claim right: it is linear in each of them."""
        direction = np.random.default_rng([5, claim.event.key[0]]).standard_normal(np.shape(own_value))
        short = float(np.sum(direction * (own_value - claim.event.value)))
        slopes = self.claims.slopes_of([(claim.event.key, direction)], overrides)[0]

        def is_off(root: Root) -> bool:
            slope, value = slopes.get(root.event.key), root.event.value
            if slope is None or not np.shape(slope) == np.shape(value) == np.shape(root.expected):
                return True
            moves = slope * (root.expected - value)
            return abs(float(np.sum(moves)) - short) > SAME_MOVE * max(abs(short), float(np.sum(np.abs(moves))))

        return sorted(suspects, key=is_off)

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

    def _computed(self, failed: Event, claim: Claim, state: State, overrides: Values) -> tuple[Root, Values]:
        """The mistake in a statement that could not be computed: the truth that, put there, mends most."""
        best: tuple[int, Root] | None = None
        bases = self.claims.meant.get(failed.name, ())
        named = [truth for truth in self.claims.named if truth.event.name in bases]
        alike = {np.shape(truth.gradient) for truth in named}
        truths = self.claims.truths.distinct()
        truths = named + [each for each in truths if not alike or np.shape(each.gradient) in alike]
        for truth in truths:
            for factor in self.search.scales(state, claim):
                expected = factor * truth.gradient
                mended, broken = self.search.mended(state, {**overrides, failed.key: expected})
                if mended and not broken and (best is None or len(mended) > best[0]):
                    lines = self.search.lines(state, mended, failed.line)
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
                near = {place: cost for cost, place in good if cost <= cheapest + NEAR}
                ratios = {place: ratio_of(roots[place].event.value, roots[place].expected) for place in near}
                held = {each.event.key for each in state.claims if holds_with(each, self.factor)}
                is_turned = any((ratio or 0.0) < 0 for ratio in ratios.values())

                def rank(number: int) -> tuple[bool, bool, bool, bool, float, bool, bool, int]:
                    """A factor is missing in the last of some places, any other mistake is in the first.

                    What holds as its name says comes last.

                    What is named as a derivative is one sooner than what is not; of signs the smaller change decides.
                    """
                    each = roots[number]
                    place = order[each.event.key]
                    lacks = not each.event.missing and (ratios[number] or -1.0) > 0
                    change = near[number] if is_turned else 0.0
                    plain = not DERIVATIVES.match(symbols.base_of(each.event.name))
                    names = not self._is_named_so(each), change, plain
                    ratio = None if each.event.key in held else ratios[number]
                    is_other = ratio is None or is_a_count(ratio, self.failures.sizes)  # a sign or a number is lost
                    holds = each.event.key in held and each.kind != UPDATE and claim.kind != UPDATE
                    return holds, self._is_scaled(each, claim), is_other, *names, lacks, -place if lacks else place

                first = roots[min(near, key=rank)]
                return max(
                    (each for each in map(roots.__getitem__, near) if each.event.name == first.event.name),
                    key=lambda each: order[each.event.key],
                )
        whole = [each for each in roots if each.rest_of is None]
        helpers = [each for each in whole if each.event.key != claim.event.key]
        return (helpers or whole or roots)[0]

    def _is_scaled(self, root: Root, claim: Claim) -> bool:
        """Whether a place is right for a multiple of a gradient that is no multiple as it should be."""
        return mark_of(root.truth) == mark_of(claim.truth) and not same_factor(
            root.factor, self.search.wanted(claim) if root.kind == UPDATE else self.factor
        )

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


def _in_turn(roots: list[Root]) -> list[int]:
    """The places of a list, the first of each statement before the second of any."""
    times: Counter[Key] = Counter()
    turns = []
    for place, each in enumerate(roots):
        turns.append((times[each.event.key], place))
        times[each.event.key] += 1
    return [place for _, place in sorted(turns)]
