"""The lines of loops, and the layers of a kind: all turns of a line put right at once.

The truth of one turn alone mends nothing where each turn goes on with the mistake of the one before.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.claims import INNER, PARAMETER, UPDATE, Claim, mark_of
from parity_tests.derivations.engine.convention import in_words, same_factor
from parity_tests.derivations.engine.edits.terms import terms
from parity_tests.derivations.engine.events import BOUND, ENTRY, NAMED, RETURNED, Event, Key
from parity_tests.derivations.engine.failing import State
from parity_tests.derivations.engine.lists.spelled import origin
from parity_tests.derivations.engine.numbers.kinds import PLAIN, plain
from parity_tests.derivations.engine.roots import Root, Values
from parity_tests.derivations.engine.search import Search
from parity_tests.derivations.engine.truths import Truth
from parity_tests.derivations.engine.turns import is_built_up

MOST_IN_ALL = 24
"""Turns of a loop in which a line is put right all at once."""

MOST_TERMS = 4
"""How many terms of a line that lack something are looked at."""

MOST_UNITS = 12
"""Units, single numbers, of which some may be those of a layer."""

Turns = tuple[list[Event], list[Truth], float]
"""The values of one place, turn by turn, and the truths that may belong there, times a factor."""


class InAll(NamedTuple):
    """A line of a loop whose turns are put right all at once: how many claims that mends, and its first wrong turn."""

    mended: int
    root: Root
    values: Values
    has_repair: bool = False
    of_turns: tuple[Root, ...] = ()
    """The mistake in each turn."""


class AllTurns:
    """The search for a line that is wrong each time."""

    def __init__(self, search: Search) -> None:
        self.search, self.claims, self.factor, self.repairs = search, search.claims, search.factor, search.repairs
        self.holders: dict[int, dict[tuple[str, ...], None]] = {}
        """Whose the values of each place of the forward pass are, the last turn first, by how many turns they are."""

    def of_a_loop(
        self, state: State, claim: Claim, reach: Collection[Key], overrides: Values, before: dict[Key, Root]
    ) -> InAll | None:
        """The line of a loop that mends most claims once all of its turns are right: one that a change puts right."""
        least = 1 if np.size(claim.event.value) == 1 else 2
        ways = (self._forward(least=least), self._forward(arguments=True, least=least))
        places = (each for forward in ways for each in self._looped(state, claim, reach, forward))
        return self._all_at_once(places, state, claim, overrides, before)

    def of_an_argument(
        self, state: State, claim: Claim, reach: Collection[Key], overrides: Values, before: dict[Key, Root]
    ) -> InAll | None:
        """The ``return grad`` of a layer that hands its argument on and should not, in all layers of its kind."""
        return self._all_at_once(self._returned_arguments(state, reach), state, claim, overrides, before)

    def of_a_term(self, in_all: InAll, overrides: Values, before: dict[Key, Root]) -> Root | None:
        """What a line of a loop adds from the turn before, where that is wrong and not the line: ``dh + dh_next``.

        With the line right in all turns, it differs by what its term lacks; a change puts right where that is computed.
        """
        statement = in_all.root.event.statement
        if self.repairs is None or not self.claims.truths.program.repeats or not isinstance(statement, ast.Assign):
            return None
        names = {ast.unparse(each) for each in terms(statement.value) if isinstance(each, ast.Name | ast.Attribute)}
        right, own = {**overrides, **in_all.values}, in_all.values
        latest: dict[str, Event] = {}
        found: list[tuple[Event, Root, Any]] = []
        computed: Values = {}

        def hook(key: Key, value: Any) -> Any:
            computed.update({key: plain(value)} if key in own else {})
            return np.array(right[key], np.float64) if key in right else value

        turns = {each.event.key: each for each in in_all.of_turns}
        run = self.claims.truths.program.run(self.claims.truths.probe.given, PLAIN, hook)
        for event in self.claims.truths.round.events(run.events):
            here = turns.get(event.key)
            if here is not None and np.shape(computed[event.key]) == np.shape(here.expected):
                lacks = here.expected - computed[event.key]
                fitting = [each for name, each in latest.items() if name in names and each.shape == lacks.shape]
                differs = not np.allclose(lacks, 0.0, 1e-9, 1e-12)
                found += [(each, here, each.value + lacks) for each in fitting if differs]
            elif not event.missing and event.role in (NAMED, ENTRY) and event.statement is not None:
                latest[symbols.written(event.name)] = event
        for event, here, expected in found[:MOST_TERMS]:
            others = {each.event.key: each for each in in_all.of_turns if each.event.key != here.event.key}
            lines = (*in_all.root.mends, in_all.root.event.line)
            root = Root(event, here.truth, here.factor, expected, lines, INNER, here.event.key)
            if event.key not in self.claims.truths.by_key and self.repairs(root, before | others) is not None:
                return root
        return None

    def _looped(
        self, state: State, claim: Claim, reach: Collection[Key], forward: dict[int, list[list[Truth]]]
    ) -> Iterator[Turns]:
        """The lines of loops on the way to a claim, with what may belong in place of their values."""
        by_key = self.claims.truths.by_key
        later: list[Turns] = []
        events = self.claims.truths.round.events(state.run.events)
        keys = {each.event.key for each in state.claims if each.kind in (PARAMETER, UPDATE)}
        matched = {each.event.key: each for each in state.claims if each.factor is not None}
        scales = self.search.scales(state, claim)
        computed = [each for each in events if each.key not in by_key and (each.name or each.role == RETURNED)]
        computed = [each for each in computed if not each.missing and not self.claims.is_copy(each)]
        least_entries = 1 if np.size(claim.event.value) == 1 else 2
        in_a_loop = getattr(claim.event.statement, "turns", ()) or any(
            each.key[0] == claim.event.key[0] and each.key[1] for each in events
        )
        for turns in (_computed_as(each, computed) for each in _sites(computed, 2, least_entries)):
            least = 1 if in_a_loop or turns[0].role == RETURNED else 2
            if sum(each.key in reach for each in turns) < least:
                continue
            if any(each.key in self.claims.truths.probe.steps for each in turns):
                continue  # a derivative in place of what a parameter becomes says nothing
            if any(each.key in keys for each in turns) and (is_built_up(turns[0]) or not turns[0].function):
                continue  # no turn of a sum has a truth; what a function gives each time has one
            known = [matched[each.key].truth for each in turns if each.key in matched]
            ways = [(known, each) for each in scales] if len(known) == len(turns) else []
            both = (self._in_order(turns, truths) for truths in forward.get(len(turns), ()))
            ways_of = [list(self._of_the_same(turns, forward))]
            of_others = [
                (truths, self._way(turns, truths, claim))
                for ordered in (ways_of if ways_of[0] else both)
                for truths in ordered
            ]
            yield from ((turns, truths, factor) for truths, factor in ways or of_others)
            batch = self.claims.truths.probe.batch
            later += [(turns, truths, factor * batch) for truths, factor in of_others if batch and not ways]
            if ways:  # the derivative in the value behind: a factor is missing
                later += [(turns, truths, factor) for truths, factor in of_others if truths[0].event.name]
            if not known:  # what goes on to the turn before: of the first state there may be no derivative
                shorter = [*forward.get(len(turns) - 1, ()), *(each[1:] for each in forward.get(len(turns), ()))]
                later += [(turns[:-1], truths, self.factor) for truths in shorter]
        yield from later

    def _in_order(self, turns: list[Event], truths: list[Truth]) -> list[list[Truth]]:
        """The truths last turn first; or first turn first where each goes forward and back by itself."""
        order = self.claims.order
        alone = np.size(turns[0].value) == 1 or order.get(turns[0].key, 0) < order.get(truths[-2].event.key, 0)
        return [truths[::-1], truths] if alone else [truths]

    def _way(self, turns: list[Event], truths: list[Truth], claim: Claim) -> float:
        """The factor of the derivatives in the turns; of single numbers that of several, or of the steps that hold."""
        pairs = zip(turns, truths, strict=False)
        if np.size(turns[0].value) > 1:
            return self.factor
        slopes = [(float(np.ravel(each.value)[0]), float(np.ravel(truth.gradient)[0])) for each, truth in pairs]
        ratios = [value / slope for value, slope in slopes if slope]
        often = max(ratios, key=lambda one: sum(same_factor(one, each) for each in ratios), default=1.0)
        if sum(same_factor(often, each) for each in ratios) > 1 and in_words(often, {}) is not None:
            return often
        sign = 1.0 if sum(np.sign(ratios)) >= 0 else -1.0
        steps = self.search.failures.factors_of_steps(claim)
        return sign * next((each for each in steps if in_words(each, {}) is not None), self.factor)

    def _of_the_same(self, turns: list[Event], forward: dict[int, list[list[Truth]]]) -> Iterator[list[Truth]]:
        """The truths in the order of the objects that the values belong to: ``unit["delta"]``, ``unit["output"]``."""
        holders = [_holder(each) for each in turns]
        orders = (each for each in self.holders.get(len(turns), ()) if set(each) == set(holders))
        theirs = next(orders, None) if all(holders) and len(set(holders)) == len(holders) else None
        if theirs is not None:
            places = [theirs.index(each) for each in holders]
            yield from ([each[place] for place in places] for each in forward.get(len(turns), ()))

    def _returned_arguments(self, state: State, reach: Collection[Key]) -> Iterator[Turns]:
        """The places that return an argument as it came, each with the derivatives in one place of the forward pass."""
        by_key, forwards = self.claims.truths.by_key, (self._forward(), self._forward(arguments=True))
        events = self.claims.truths.round.events(state.run.events)
        returned = (each for each in events if each.role == RETURNED and isinstance(each.node, ast.Name))
        for turns in _sites((each for each in returned if each.key not in by_key), 1):
            if any(each.key in reach for each in turns):
                of_all = (truths for forward in forwards for truths in forward.get(len(turns), ()))
                yield from ((turns, truths, self.factor) for truths in of_all)

    def _forward(self, *, arguments: bool = False, least: int = 2) -> dict[int, list[list[Truth]]]:
        """The derivatives in each place of the forward pass, the last turn first, by how many turns they are.

        With ``arguments`` those in the arguments of functions, which are tried last; else all others. ``least`` is the
        number of entries of a value.
        """
        by_key = self.claims.truths.by_key
        of_value = {(each.event.shape, each.event.value.tobytes()): each for each in by_key.values()}
        vanishing = self.claims.truths.vanishing  # as that in a gate of the first step, behind a state of zeros
        truths_of = {each.key: by_key.get(each.key, vanishing.get(each.key)) for each in self.claims.truths.run.events}
        for each in self.claims.truths.run.events:
            if each.role == BOUND and not each.missing and truths_of[each.key] is None:
                # what a layer is given is the value of another place
                truths_of[each.key] = of_value.get((each.shape, np.asarray(each.value).tobytes()))
        found: dict[int, dict[Any, list[Truth]]] = {}
        led = (each for each in self.claims.truths.run.events if truths_of[each.key])
        sites = _sites((each for each in led if arguments == (each.statement is None)), 1, least)
        for there in itertools.chain.from_iterable([each, *_by_call(each)] for each in sites):
            truths = [truth for each in reversed(there) if (truth := truths_of[each.key]) is not None]
            self.holders.setdefault(len(there), {})[tuple(_holder(each) for each in reversed(there))] = None
            if not any(truth.event.key in by_key for truth in truths):
                continue
            found.setdefault(len(truths), {}).setdefault(tuple(map(mark_of, truths)), truths)
        return {count: list(ways.values()) for count, ways in found.items()}

    def _all_at_once(
        self, places: Iterable[Turns], state: State, claim: Claim, overrides: Values, before: dict[Key, Root]
    ) -> InAll | None:
        """The place that mends most claims once all of its turns are right: one that a change puts right."""
        found: list[InAll] = []
        most = (1 + self.search.spent) / 2  # the other half is left for values one by one
        left = sorted(places, key=lambda each: not self._are_named_so(*each[:2]))[::-1]
        while left:
            turns, truths, factor = left.pop()
            pairs = list(zip(turns, truths, strict=True))
            if any(one.shape != np.shape(other.gradient) for one, other in pairs):
                continue
            if self.search.spent > most:
                break
            values = {one.key: factor * other.gradient for one, other in pairs}
            wrong = [pair for pair in pairs if not np.allclose(pair[0].value, values[pair[0].key], 1e-9, 1e-12)]
            if not wrong:
                continue
            mended, broken = self.search.mended(state, {**overrides, **values})
            if not broken and claim.event.key in mended and len(mended) >= min(2, len(state.failing)):
                event, truth = wrong[0]
                lines = self.search.lines(state, mended, event.line)
                root = Root(event, truth, factor, values[event.key], lines, INNER)
                of_turns = [Root(one, other, factor, values[one.key], (), INNER) for one, other in pairs]
                found.append(InAll(len(mended), root, values, of_turns=tuple(of_turns)))
                if len(mended) == len(state.failing) and self._has_repair(root, before):
                    return found[-1]._replace(has_repair=True)
                for scale in (0.5, 2.0) if claim.kind == UPDATE and not root.event.shape else ():  # at any rate
                    scaled = root._replace(factor=scale * factor, expected=scale * root.expected)
                    if len(mended) == len(state.failing) and self._has_repair(scaled, before):
                        values = {key: scale * value for key, value in values.items()}
                        return InAll(len(mended), scaled, values, has_repair=True)
                if len(mended) == len(state.failing):  # next where the same values come from: what a function returned
                    left.sort(key=lambda each: _are_equal(each, (turns, truths, factor)))
        mended_most = max((each.mended for each in found), default=0)
        found = [each for each in found if each.mended == mended_most]
        for each in found:
            if self._has_repair(each.root, before):
                return each._replace(has_repair=True)
        order = self.claims.truths.run.events
        places_of = {each.key: place for place, each in enumerate(order)}
        return min(found, key=lambda each: places_of.get(each.root.event.key, 0)) if found else None

    def _has_repair(self, root: Root, before: dict[Key, Root]) -> bool:
        return self.repairs is None or self.repairs(root, before) is not None

    def _are_named_so(self, turns: list[Event], truths: list[Truth]) -> bool:
        """Whether a line's name says that it is the derivative in that place: ``dhf`` in hf."""
        meant = self.claims.meant.get(turns[0].name, ())
        return any(truth.event.name in meant for truth in truths)


def _by_call(turns: list[Event]) -> Iterator[list[Event]]:
    """The layers of a loop in a function that is called for each example: some of them, in all of its calls.

    Read from its end, each has the calls in their order and the layers of a call the other way, as a backward pass has.
    """
    if np.size(turns[0].value) == 1 and len(turns) <= MOST_UNITS:  # the units of a layer
        yield from (turns[start:stop] for start, stop in itertools.combinations(range(len(turns) + 1), 2))
        return
    calls: dict[str, list[Event]] = {}
    for each in turns:
        calls.setdefault(each.name.partition("#")[0] if "#" in each.name else "", []).append(each)
    count = len(turns) // len(calls)
    if count > 1 < len(calls) and all(len(each) == count for each in calls.values()):
        for start, stop in itertools.combinations(range(count + 1), 2):
            yield [each for of_call in reversed(calls.values()) for each in of_call[start:stop]]


def _computed_as(turns: list[Event], events: list[Event]) -> list[Event]:
    """Where the values of a place that only hands on a name were computed: ``total`` of ``sums.append(total)``."""
    name, found = getattr(turns[0].node, "id", None), []
    if name is None or turns[0].role != NAMED or not isinstance(turns[0].statement, ast.Expr):
        return turns
    named = [each for each in events if symbols.written(each.name) == name]
    order = {each.key: place for place, each in enumerate(events)}
    for turn in turns:
        before = (each for each in reversed(named) if order[each.key] < order[turn.key])
        found += [each for each in itertools.islice(before, 1) if np.array_equal(each.value, turn.value)]
    return found if len(found) == len(turns) else turns


def _holder(event: Event) -> str:
    """The object or dict that a value is an attribute or entry of, "" for none."""
    found = re.match(r"""(.*)(?:\.\w+|\[['"]\w+['"]\])$""", event.name)
    return "" if found is None else found[1]


def _are_equal(one: Turns, other: Turns) -> bool:
    """Whether two places have the same values, turn by turn, and the same truths may belong there."""
    if len(one[0]) != len(other[0]) or any(a.event.key != b.event.key for a, b in zip(one[1], other[1], strict=True)):
        return False
    return all(np.array_equal(a.value, b.value) for a, b in zip(one[0], other[0], strict=True))


def _sites(events: Iterable[Event], least: int, entries: int = 2) -> list[list[Event]]:
    """The values of one place, turn by turn, for all places that are reached ``least`` times or more.

    Values have at least so many ``entries``.
    """
    found: dict[Any, list[Event]] = {}
    for each in events:
        if (each.statement is None and each.role != BOUND) or each.missing or np.size(each.value) < entries:
            continue
        where = getattr(each.node, "col_offset", 0), getattr(each.node, "end_col_offset", 0)
        source = each.node if each.statement is None else origin(each.statement)  # an argument stands in no statement
        found.setdefault((id(source), type(each.node), each.role, where), []).append(each)
    return [turns for turns in found.values() if least <= len(turns) <= MOST_IN_ALL]
