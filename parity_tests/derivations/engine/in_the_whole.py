"""Repairs that are tried in the whole text: of lines whose value is no derivative by itself, and of nested loops.

A helper such as ``slope = 1 - A`` has no truth of its own, nor has what one turn of a loop writes into a part of an
array. A changed line is put into the text, which is run again: it is a repair if what failed holds then.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine.claims import INNER, Claim, Claims, holds_with
from parity_tests.derivations.engine.edits.statements import edits
from parity_tests.derivations.engine.edits.words import Edit
from parity_tests.derivations.engine.events import ENTRY, NAMED, Event, Key
from parity_tests.derivations.engine.failing import Failures, State
from parity_tests.derivations.engine.mend import SAME_COST, Mender, Repair, together
from parity_tests.derivations.engine.numbers.kinds import PLAIN
from parity_tests.derivations.engine.roots import Root, Values
from parity_tests.derivations.engine.truths import Truths

MOST_COST = 1.35
"""How unlikely a change may be."""

MOST_TRIED, MOST_EVENTS = 400, 60_000
"""How many changes are tried for one mistake, and how many values they may compute."""

ELSEWHERE = 0.1
"""What a change costs more in another line than that of the claim."""


class _Tried(NamedTuple):
    """A change of a statement, and the last value that it gives."""

    cost: float
    event: Event
    statement: ast.stmt
    edit: Edit


class InTheWhole:
    """The changes of one text that make a failing claim hold."""

    def __init__(self, mender: Mender, claims: Claims, factor: float) -> None:
        self.mender, self.claims, self.factor = mender, claims, factor

    def of(
        self, state: State, claim: Claim, reach: Collection[Key], overrides: Values, before: dict[Key, Root]
    ) -> tuple[Root, Values] | None:
        """The likeliest change with its mistake, and what its statement gives then; None where none does."""
        events = max(1, len(state.run.events))
        failing = {each.event.key for each in state.failing}
        best: list[_Tried] = []
        values: Values = {}
        possible = sorted(self._possible(state, claim, reach, overrides, before), key=lambda each: each.cost)
        for tried in possible[: min(MOST_TRIED, MOST_EVENTS // events)]:
            if best and (tried.cost > best[0].cost + SAME_COST or tried.statement is not best[0].statement):
                break
            changed = self.claims.truths.program.replaced(tried.statement, tried.edit.statements)
            if changed is None:
                continue
            run = changed.run(self.claims.truths.probe.given, PLAIN, _put(overrides))
            here = next((each for each in self.claims.of(run, overrides) if each.event.key == claim.event.key), None)
            if here is None or not holds_with(here, self.factor) or not self._holds(tried, failing, before):
                continue
            if not best:
                values = {each.key: each.value for each in run.events if each.key[0] == tried.event.key[0]}
            best.append(tried)
        if not best:
            return None
        root = self._root(best[0], claim, state, values)
        single = [self._repair(each) for each in best]
        self.mender.know(root, together(single)._replace(later=tuple(single)))
        return root, values

    def _possible(
        self, state: State, claim: Claim, reach: Collection[Key], overrides: Values, before: dict[Key, Root]
    ) -> Iterator[_Tried]:
        """All changes of the lines of the backward pass from which a claim is computed."""
        truths = self.claims.truths
        holding = {each.event.key for each in state.claims if holds_with(each, self.factor)}
        last: dict[int, Event] = {}
        for event in state.run.events:
            if event.role in (NAMED, ENTRY) and isinstance(event.statement, ast.Assign | ast.AugAssign):
                own = event.key == claim.event.key or event.key in reach
                if own and not event.missing and event.key not in {*truths.by_key, *holding, *before, *overrides}:
                    last[event.key[0]] = event
            if event.key == claim.event.key:
                break
        for event in last.values():
            statement = event.statement
            assert isinstance(statement, ast.Assign | ast.AugAssign)
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple | ast.List):
                continue
            run = truths.program.run(
                truths.probe.given, PLAIN, _put(overrides), keep=False, capture=(statement, (event.key[1],))
            )
            names = run.captured.get(event.key[1])
            if names is None:
                continue
            root = Root(event, claim.truth, self.factor, event.value, (), INNER)
            further = 0.0 if event.key == claim.event.key else ELSEWHERE
            for edit in edits(statement, self.mender.words(root, event.name, {**truths.probe.given, **names})):
                if edit.cost <= MOST_COST:
                    for each in edit.statements:
                        ast.fix_missing_locations(ast.copy_location(each, statement))
                    yield _Tried(edit.cost + further, event, statement, edit)

    def _holds(self, tried: _Tried, failing: set[Key], before: dict[Key, Root]) -> bool:
        """Whether the claims that fail with a change are fewer, and none that held, on two sets of sizes and values."""
        for number in (0, 1):
            truths = self.mender.on_probe(number)
            changed = None if truths is None else truths.program.replaced(tried.statement, tried.edit.statements)
            if truths is None or changed is None:
                return False
            overrides = self.mender.put_right(before, truths)
            mended = Truths(changed, truths.probe, changed.run(truths.probe.given), truths.cost)
            if not mended.by_key:
                return False
            fails = Failures(Claims(mended), self.mender.factor_on(self.factor, truths)).keys(overrides)
            if number == 0 and not fails < failing:
                return False
            if number and len({key[0] for key in fails}) >= len({key[0] for key in failing}):
                return False
        return True

    def _root(self, tried: _Tried, claim: Claim, state: State, values: Values) -> Root:
        lines = {each.event.line for each in state.failing} - {tried.event.line}
        rest_of = None if tried.event.key == claim.event.key else claim.event.key
        value: Any = values.get(tried.event.key, tried.event.value)
        return Root(tried.event, claim.truth, self.factor, np.asarray(value), tuple(sorted(lines)), INNER, rest_of)

    def _repair(self, tried: _Tried) -> Repair:
        text = "\n".join(map(ast.unparse, tried.edit.statements))
        return Repair((tried.edit.cause,), text, 1, tried.edit.cost)


def _put(overrides: Values) -> Callable[[Key, Any], Any]:
    """A hook that puts values in place of others."""
    return lambda key, value: np.array(overrides[key]) if key in overrides else value
