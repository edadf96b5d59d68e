"""One change of one line that makes all of a program right, found by how every value goes into what fails.

A line may be wrong whose value is no derivative: probabilities before the labels are taken away, a mask, a term of a
sum over the turns of a loop. But a backward pass is linear in each of its values, so that one run on autograd's tape
says what any change of a line comes to in the gradients that fail; what comes out right is tried in the program.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine.claims import INNER, PARAMETER, UPDATE, Claim, Claims
from parity_tests.derivations.engine.convention import ratio_of, same_factor, same_shape
from parity_tests.derivations.engine.edits.statements import edits
from parity_tests.derivations.engine.edits.words import Edit
from parity_tests.derivations.engine.events import ENTRY, NAMED, PART, RETURNED, Event, Key
from parity_tests.derivations.engine.failing import Failures, State
from parity_tests.derivations.engine.mend import Mender
from parity_tests.derivations.engine.numbers.kinds import PLAIN
from parity_tests.derivations.engine.repair import Part, Repair, part_of, stands_for, together
from parity_tests.derivations.engine.roots import Root, Values
from parity_tests.derivations.engine.search import Search
from parity_tests.derivations.engine.steps import is_maximised
from parity_tests.derivations.engine.truths import Truths

MOST_COST = 1.6
"""How unlikely a change may be."""

MOST_CLAIMS, MOST_TURNS, MOST_OF_ONE, MOST_VALUES = 4, 48, 800, 8_000
"""How many claims are followed, in how many turns of a loop, and how many values a changed line, and all, compute."""

MOST_VERIFIED, MOST_BLIND, MOST_EVENTS = 10, 24, 30_000
"""How many changes are tried in the program: those that come out right, and those of which that is not known.

Of the latter, how many values they may compute.
"""

ENOUGH, MOST_ASKED = 3, 2
"""How many changes are enough, and for how many mistakes they are looked for."""

AGREE = 1e-7


class _Site(NamedTuple):
    """A statement, or a formula in it, with the number of its node and an event there."""

    part: Part
    number: int
    event: Event


class _Wanted(NamedTuple):
    """A failing claim with the value that belongs there, a direction, and how far its value is from it that way."""

    claim: Claim
    expected: Any
    direction: Any
    short: float


class _Tried(NamedTuple):
    """A change, what its line gives then, and which claims it mends, or how many it seems to mend."""

    site: _Site
    edit: Edit
    value: Any
    seems: int = 0
    mended: frozenset[Key] = frozenset()


class InTheProgram:
    """The changes of one program that make what fails hold."""

    def __init__(self, mender: Mender, claims: Claims, factor: float) -> None:
        self.mender, self.claims, self.factor = mender, claims, factor
        self.values = self.asked = 0
        self.probes: list[Claims | None] = [claims]

    def of(
        self, state: State, search: Search, overrides: Values, before: dict[Key, Root], least: int
    ) -> tuple[Root, Values] | None:
        """The likeliest change that mends at least so many failing claims, and what its statement gives then."""
        self.asked += 1
        wanted = list(self._wanted(state, search)) if self.asked <= MOST_ASKED else []
        if not wanted:
            return None
        slopes = self.claims.slopes_of([(each.claim.event.key, each.direction) for each in wanted], overrides)
        found: list[_Tried] = []
        blind: list[_Tried] = []
        for site in self._sites(slopes, {*overrides, *before}, state):
            self._promising(site, slopes, wanted, overrides, found, blind)
        best = self._verified(sorted(found, key=_order)[:MOST_VERIFIED], state, search, overrides, before, least)
        if not best:
            most = min(MOST_BLIND, MOST_EVENTS // max(1, len(state.run.events)))
            best = self._verified(sorted(blind, key=_order)[:most], state, search, overrides, before, least)
        if not best:
            return None
        first, claim = best[0], wanted[0].claim
        event = first.site.event
        lines = {each.event.line for each in state.failing if each.event.key in first.mended} - {event.line}
        rest_of = None if event.key == claim.event.key else claim.event.key
        root = Root(event, claim.truth, search.wanted(claim), first.value, tuple(sorted(lines)), INNER, rest_of)
        program = self.claims.truths.program
        single = [
            Repair((each.edit.cause,), *each.site.part.text(program, each.edit.statements, event.line), each.edit.cost)
            for each in best
            if each.site.number == first.site.number
        ]
        self.mender.know(root, together(single)._replace(later=tuple(single)))
        mended = [each for each in state.failing if each.event.key in first.mended]
        return root, {each.event.key: search.expected(each) for each in mended}

    def _wanted(self, state: State, search: Search) -> Iterator[_Wanted]:
        """Some failing claims, those of parameters first."""
        for claim in surely_failing(state)[:MOST_CLAIMS]:
            expected = None if claim.event.missing else search.expected(claim)
            if expected is not None and np.shape(expected) == claim.event.shape:
                direction = np.random.default_rng([5, claim.event.key[0]]).standard_normal(np.shape(expected))
                short = float(np.sum(direction * (expected - claim.event.value)))
                yield _Wanted(claim, expected, direction, short)

    def _sites(self, slopes: Sequence[Mapping[Key, Any]], passed: set[Key], state: State) -> Iterator[_Site]:
        """The lines of the backward pass from which what fails is computed, the last first."""
        truths = self.claims.truths
        reached = {key[0] for each in slopes for key in each}
        forward = {key[0] for key in truths.by_key}
        seen: set[int] = set()
        for event in reversed(truths.round.events(truths.run.events)):
            number, statement = event.key[0], event.statement
            if number in seen or statement is None or event.missing or number in forward or event.key in passed:
                continue
            seen.add(number)
            is_mask = event.role == NAMED and np.size(event.value) > 1 and np.all(np.isin(event.value, (0, 1)))
            if number not in reached and not is_mask:
                continue
            part: Part | None = None
            if event.role in (NAMED, ENTRY, RETURNED):
                part = part_of(event, repeats=True)
            elif event.role == PART and event.node in _tops(statement):
                part = stands_for(event.node, statement)
            if part is not None and hasattr(part.whole, "number"):
                yield _Site(part, number, event)

    def _promising(
        self,
        site: _Site,
        slopes: Sequence[Mapping[Key, Any]],
        wanted: Sequence[_Wanted],
        overrides: Values,
        found: list[_Tried],
        blind: list[_Tried],
    ) -> None:
        """The changes of a line after which a claim comes out right, and the first ones where that cannot be said."""
        truths = self.claims.truths
        counts = sorted({key[1] for each in slopes for key in each if key[0] == site.number})
        run = truths.program.run(
            truths.probe.given,
            PLAIN,
            _put(overrides),
            keep=False,
            capture=(site.part.whole, counts[-MOST_TURNS:] or (0,)),
        )
        turns = [
            (count, *truths.program.editable(site.part.statement, names, site.event.name))
            for count, names in sorted(run.captured.items())
        ]
        if not turns:
            return
        _, statement, target, names = turns[-1]
        root = Root(site.event, truths.distinct()[0], self.factor, site.event.value, (), INNER)
        possible = [each for each in edits(statement, self.mender.words(root, target, names)) if site.part.fits(each)]
        keeps = self.mender.keeps_the_state(site.event)
        possible = [each for each in possible if each.cost <= MOST_COST and keeps(each)]
        known, first = len(counts) == len(turns), 3 if len(turns) > 1 else 0
        unsure = [each for n, each in enumerate(possible) if not known or n < first or each.cause == "overwritten"]
        blind += [_Tried(site, each, site.event.value) for each in unsure[:4]]
        if not known:
            return
        most = self.values + MOST_OF_ONE
        shapes = {np.shape(each.expected) for each in wanted}
        own = [self._value([statement], names, target) for _, statement, target, names in turns]
        for edit in possible:
            if self.values > min(most, MOST_VALUES):
                return
            moves, sizes = [0.0] * len(wanted), [0.0] * len(wanted)
            for (count, _, target, names), value in zip(turns, own, strict=True):
                new = self._value(edit.statements, names, target)
                if new is None or value is None:
                    break
                if np.shape(new) != np.shape(value):
                    blind += [_Tried(site, edit, new)] if np.shape(new) in shapes else []
                    break
                for place, each in enumerate(slopes):
                    slope = each.get((site.number, count))
                    if slope is not None and np.shape(slope) == np.shape(value):
                        moves[place] += float(np.sum(slope * (new - value)))
                        sizes[place] += float(np.sum(np.abs(slope * (new - value))))
            else:
                pairs = zip(moves, (each.short for each in wanted), sizes, strict=True)
                right = sum(size > 0 and abs(move - by) <= AGREE * max(size, abs(by)) for move, by, size in pairs)
                if right:
                    found.append(_Tried(site, edit, new, right))

    def _value(self, statements: list[ast.stmt], names: Mapping[str, Any], target: str) -> Any:
        self.values += 1
        value = self.claims.truths.program.execute(statements, names, target)
        return value if value is not None and np.all(np.isfinite(value)) else None

    def _verified(
        self,
        tried: list[_Tried],
        state: State,
        search: Search,
        overrides: Values,
        before: dict[Key, Root],
        least: int,
    ) -> list[_Tried]:
        """The changes with which fewer claims fail, and none that held, on two sets of values: those that mend most."""
        good: list[_Tried] = []
        for each in tried:
            mended = self._mended(each, state, search, overrides, before)
            good += [each._replace(mended=mended)] if len(mended) >= least else []
            if len(good) == ENOUGH:
                break
        return sorted(good, key=_order)

    def _mended(
        self, tried: _Tried, state: State, search: Search, overrides: Values, before: dict[Key, Root]
    ) -> frozenset[Key]:
        """The failing claims that hold with a change, on two sets of values; none where one that held does not."""
        found = frozenset(each.event.key for each in surely_failing(state))
        way = 1.0 if is_maximised(self.claims.truths) else -1.0
        rate = search.failures.rate or way
        for number in (0, 1):
            claims, right = self._on_probe(number), overrides
            if claims is None:
                return frozenset()
            if number:
                right = self.mender.put_right(before, claims.truths)
            truths, factor = claims.truths, self.mender.factor_on(self.factor, claims.truths)
            changed = tried.site.part.changed(truths.program, tried.edit.statements)
            run = None if changed is None else changed.run(truths.probe.given, PLAIN, _put(right))
            if run is None or (run.problems and not truths.run.problems):
                return frozenset()
            values = {each.key: each.value for each in run.events if not each.missing}
            known = {each.event.key: each for each in (claims.of(truths.run, {}) if number else state.claims)}
            ends = {each.event.key for each in state.claims if each.kind in (PARAMETER, UPDATE)}
            held = ends - {each.event.key for each in state.failing}
            if not all(
                _holds(known[key], values, known[key].factor, known[key].factor or rate) for key in held & known.keys()
            ):
                return frozenset()
            right_now = {key for key in found & known.keys() if _holds(known[key], values, factor, rate)}
            found &= right_now if number else {key for key in right_now if _differs(known[key].event, values[key])}
        return found | self._excused(tried, state, overrides) if 0 < len(found) < len(state.failing) else found

    def _excused(self, tried: _Tried, state: State, overrides: Values) -> frozenset[Key]:
        """The claims that fail no more where a later line holds: what ``dW`` was before the penalty was added."""
        truths = self.claims.truths
        changed = tried.site.part.changed(truths.program, tried.edit.statements)
        assert changed is not None
        mended = Truths(changed, truths.probe, changed.run(truths.probe.given), truths.cost)
        failing = {each.event.key for each in state.failing}
        fails = Failures(Claims(mended), self.factor).keys(overrides) if mended.by_key else failing
        return frozenset(failing - fails) if fails < failing else frozenset()

    def _on_probe(self, number: int) -> Claims | None:
        """The claims on one of the sets of values."""
        while len(self.probes) <= number:
            truths = self.mender.on_probe(len(self.probes))
            self.probes.append(None if truths is None else Claims(truths))
        return self.probes[number]


def surely_failing(state: State) -> list[Claim]:
    """The failing claims about parameters; where there are none, those by a name alone, which may go on to another."""
    return [each for each in state.failing if each.kind != INNER] or state.failing


def _differs(event: Event, value: Any) -> bool:
    """Whether a value is another one than it was before the change."""
    return event.shape != np.shape(value) or not np.allclose(event.value, value, 1e-9, 1e-12)


def _holds(claim: Claim, values: Mapping[Key, Any], factor: float | None, rate: float) -> bool:
    """Whether a claim is a multiple of its truth among some values: that factor, or a step the same way."""
    value, gradient = values.get(claim.event.key), claim.truth.gradient
    if factor is None:
        return True  # it did not hold before
    if claim.kind == UPDATE:
        if value is None or claim.old is None or np.shape(value) != claim.old.shape:
            return False
        ratio = ratio_of(value - claim.old.value, gradient, 1e-7)
        rates = ratio is not None and (claim.factor is None or same_factor(ratio, rate))
        return ratio is not None and rates and ratio * rate > 0
    if value is None or not same_shape(np.shape(value), np.shape(gradient)):
        return False
    if claim.kind == INNER:
        return any(ratio_of(value, each.gradient) is not None for each in (claim.truth, *claim.others))
    ratio = ratio_of(np.reshape(value, np.shape(gradient)), gradient)
    return ratio is not None and same_factor(ratio, factor)


def _order(tried: _Tried) -> tuple[int, int, float]:
    return -len(tried.mended), -tried.seems, tried.edit.cost


def _tops(statement: ast.stmt) -> list[ast.expr]:
    """The formulas that a statement hands on beside others: entries of tuples, lists and dicts, and arguments."""
    value = getattr(statement, "value", None)
    todo: list[Any] = [value]
    found: list[ast.expr] = []
    while todo:
        match todo.pop():
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Dict(values=parts):
                todo += parts
            case ast.Call(args=arguments, keywords=keywords) as call if isinstance(statement, ast.Expr) or (
                isinstance(call.func, ast.Name)
            ):
                todo += [*arguments, *(each.value for each in keywords)]
            case ast.BinOp() | ast.UnaryOp() | ast.Call() as formula if formula is not value:
                found.append(formula)
    return found


def _put(overrides: Values) -> Callable[[Key, Any], Any]:
    """A hook that puts values in place of others."""
    return lambda key, value: np.array(overrides[key]) if key in overrides else value
