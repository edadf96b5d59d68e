"""The repair of a wrong line: the smallest change that gives the truth, on three sets of sizes and values."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.agreement import agrees
from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.claims import UPDATE, Claims
from parity_tests.derivations.engine.convention import on_other_sizes, same_shape, sizes_of
from parity_tests.derivations.engine.edits import Edit, Words, edits
from parity_tests.derivations.engine.events import Key
from parity_tests.derivations.engine.locate import Locator, Root
from parity_tests.derivations.engine.numbers.kinds import PLAIN, plain
from parity_tests.derivations.engine.probes import Probe
from parity_tests.derivations.engine.truths import Truths
from parity_tests.derivations.engine.unrolled import as_in_the_text, in_a_loop

SAME_COST = 0.12
"""Changes whose costs differ by less are equally likely."""

SAME_COST_IN_LOOPS = 0.6
"""The same for a line in a loop, of whose repairs some hold in one turn alone."""

MOST_CAUSES = 3


MOST_REPLAYS = 90
"""How many changes of a line in a loop are tried: each is a run of the whole text."""

MOST_PAIRS = 2000
MOST_FIRST = 60
"""How many changes of a line are tried together with a second one."""


class Repair(NamedTuple):
    """The causes that are equally likely, each with its repaired text."""

    causes: tuple[str, ...]
    text: str
    cost: float
    later: tuple[Repair, ...] = ()
    """Of a line in a loop: each repair by itself, to be tried in every turn."""


def together(repairs: list[Repair]) -> Repair:
    """Repairs that are about equally likely as one, with all their causes."""
    near = [each for each in repairs if each.cost <= repairs[0].cost + SAME_COST]
    causes = tuple(dict.fromkeys(cause for each in near for cause in each.causes))
    return Repair(causes[:MOST_CAUSES], repairs[0].text, repairs[0].cost)


class _Part(NamedTuple):
    """The statement that is changed: the writer's own, or one of those that a tuple assignment stands for."""

    statement: ast.stmt
    whole: ast.stmt
    place: int | None

    def text(self, statements: list[ast.stmt]) -> str:
        """The changed statements as the text has them."""
        if self.place is None:
            return "\n".join(as_in_the_text(self.whole, each) for each in statements)
        assert isinstance(self.whole, ast.Assign)
        new = copy.deepcopy(self.whole)
        new.value.elts[self.place] = statements[0].value  # type: ignore[attr-defined]
        return as_in_the_text(self.whole, new)


def _part(root: Root) -> _Part | None:
    """What of the root's statement may be changed; None where nothing can be."""
    statement = root.event.statement
    if not isinstance(statement, ast.Assign | ast.AugAssign):
        return None
    if isinstance(statement, ast.AugAssign) or not isinstance(statement.targets[0], ast.Tuple | ast.List):
        return _Part(statement, statement, None)
    targets, values = statement.targets[0].elts, statement.value
    if not isinstance(values, ast.Tuple | ast.List) or len(values.elts) != len(targets):
        return None
    place = next((n for n, each in enumerate(targets) if getattr(each, "number", None) == root.event.key[0]), None)
    if place is None:
        return None
    return _Part(ast.Assign([targets[place]], values.elts[place], lineno=statement.lineno), statement, place)


class Mender:
    """The repairs of one text; ``more`` gives the truths of the same cost on another probe."""

    def __init__(self, truths: Truths, more: Callable[[int], Truths | None]) -> None:
        self.truths = [truths]
        self.more = more
        self.known: dict[tuple[Key, Key, float, Key | None], Repair | None] = {}

    def repair(self, root: Root, before: Mapping[Key, Root], factor: float) -> Repair | None:
        """The smallest change of the root's statement, None where no single one gives the truth.

        ``factor`` is that of the convention: where a statement is reached several times, all claims are tried with it.
        """
        mark = (root.event.key, root.truth.event.key, round(root.factor, 12), root.rest_of)
        if mark not in self.known:
            self.known[mark] = self._search(root, before, factor)
        return self.known[mark]

    def _search(self, root: Root, before: Mapping[Key, Root], factor: float) -> Repair | None:
        program = self.truths[0].program
        part = _part(root)
        if part is None or root.kind == UPDATE or (part.place is not None and (program.repeats or root.event.key[1])):
            return None
        first = self._place(0, root, before)
        if first is None:
            return None
        statement, target, names = program.editable(part.statement, first[0], root.event.name)
        words = self._words(root, target, names)
        again = bool(root.event.key[1]) and not program.repeats
        possible = [each for each in edits(statement, words) if part.place is None or len(each.statements) == 1]
        best = self._first(possible[: MOST_REPLAYS if again else None], root, before, factor)
        if not best and not again and not program.repeats:
            best = self._first(_two(possible, words), root, before, factor)
        if not best:
            return None
        single = [Repair((edit.cause,), part.text(edit.statements), edit.cost) for edit in best]
        whole = together(single)
        return whole._replace(later=tuple(single)) if again or in_a_loop(part.whole) else whole

    def _first(self, possible: Iterable[Edit], root: Root, before: Mapping[Key, Root], factor: float) -> list[Edit]:
        """The cheapest of some changes that give the truth on three probes."""
        written = root.event.statement
        assert written is not None
        program = self.truths[0].program
        again = bool(root.event.key[1]) and not program.repeats
        places: list[tuple[str, Mapping[str, Any], Any]] = []

        def gives(edit: Edit, number: int) -> bool:
            while len(places) <= number:
                place = self._place(len(places), root, before)
                if place is None:
                    return False
                _, target, names = program.editable(written, place[0], root.event.name)
                places.append((target, names, place[1]))
            target, names, expected = places[number]
            if again:
                return self._replayed(edit, root, before, self.truths[number], expected)
            return self._gives(edit, target, (names, expected))

        best: list[Edit] = []
        loop = again or in_a_loop(written)
        for edit in possible:
            if best and edit.cost > best[0].cost + (SAME_COST_IN_LOOPS if loop else SAME_COST):
                break
            if not all(gives(edit, number) for number in range(3)):
                continue
            if not program.repeats or self._holds_in_all(edit, written, root, before, factor):
                best.append(edit)
        return best

    def _replayed(self, edit: Edit, root: Root, before: Mapping[Key, Root], truths: Truths, expected: Any) -> bool:
        """Whether the text gives the truth with a change of a line that it comes to several times."""
        earlier = {key: self._expected(other, truths) for key, other in before.items() if key != root.event.key}
        seen: list[Any] = []

        def hook(key: Key, value: Any) -> Any:
            if key == root.event.key:
                seen.append(plain(value))
            return value if earlier.get(key) is None else np.array(earlier[key])

        assert root.event.statement is not None
        changed = truths.program.replaced(root.event.statement, edit.statements)
        if changed is None:
            return False
        changed.run(truths.probe.given, PLAIN, hook, root.event.key, keep=False)
        value = seen[-1] if seen else None
        if value is None or not same_shape(np.shape(value), np.shape(expected)):
            return False
        return agrees(np.reshape(value, np.shape(expected)), expected)

    def _expected(self, root: Root, truths: Truths) -> Any:
        """The value that belongs in place of a root's, on any of the probes."""
        truth = truths.by_key.get(root.truth.event.key)
        if truth is None:
            return None
        own = self.truths[0]
        if truths is own:
            return root.factor * truth.gradient
        here, there = sizes_of(own.probe, own.run), sizes_of(truths.probe, truths.run)
        return on_other_sizes(root.factor, here, there) * truth.gradient

    def _holds_in_all(
        self, edit: Edit, written: ast.stmt, root: Root, before: Mapping[Key, Root], factor: float
    ) -> bool:
        """Whether fewer claims fail once the program itself is changed, and none where the statement stands."""
        truths = self.truths[0]
        changed = truths.program.replaced(written, edit.statements)
        if changed is None:
            return False
        run = changed.run(truths.probe.given)
        mended = Truths(changed, truths.probe, run, truths.cost)
        if not mended.by_key:
            return False
        overrides = {key: other.expected for key, other in before.items() if key != root.event.key}
        failed = Locator(Claims(truths), factor).failing(overrides)
        fails = Locator(Claims(mended), factor).failing(overrides)
        return len(fails) < len(failed) and all(key[0] != root.event.key[0] for key in fails)

    def _place(self, number: int, root: Root, before: Mapping[Key, Root]) -> tuple[dict[str, Any], Any] | None:
        """The names where the statement stands, with earlier mistakes put right, and the value that belongs there."""
        while len(self.truths) <= number:
            found = self.more(len(self.truths))
            if found is None:
                return None
            self.truths.append(found)
        truths = self.truths[number]
        earlier = {key: self._expected(other, truths) for key, other in before.items() if key != root.event.key}
        seen: dict[Key, Any] = {}

        def hook(key: Key, value: Any) -> Any:
            new = earlier.get(key)
            value = value if new is None else np.array(new)
            if key in (root.event.key, root.rest_of):
                seen[key] = plain(value)
            return value

        assert root.event.statement is not None
        capture = root.event.statement, root.event.key[1]
        run = truths.program.run(truths.probe.given, PLAIN, hook, keep=False, capture=capture)
        value = self._expected(root, truths)
        if root.rest_of is not None and value is not None:
            here_value, whole = seen.get(root.event.key), seen.get(root.rest_of)
            if here_value is None or whole is None or not here_value.shape == whole.shape == np.shape(value):
                return None
            value = here_value + value - whole
        if run.captured is None or value is None:
            return None
        free = truths.probe.given if truths.probe.places is None else {}
        return {**free, **run.captured}, value

    def _words(self, root: Root, target: str, names: Mapping[str, Any]) -> Words:
        probe: Probe = self.truths[0].probe
        sizes = sizes_of(probe, self.truths[0].run)
        usable = [name for name in sizes if name in names or re.fullmatch(r"\w+\.shape\[\d\]", name)]
        batch = next((name for name in usable if sizes[name] == probe.batch), None)
        shape = np.shape(root.expected)
        base = symbols.base_of(root.truth.event.name)
        return Words(names, batch, tuple(usable), target, shape, base.startswith("b"))

    def _gives(self, edit: Edit, target: str, place: tuple[Mapping[str, Any], Any]) -> bool:
        names, expected = place
        value = self.truths[0].program.execute(edit.statements, names, target)
        if value is None or not same_shape(np.shape(value), np.shape(expected)):
            return False
        return agrees(np.reshape(value, np.shape(expected)), expected)


def _two(possible: list[Edit], words: Words) -> Iterator[Edit]:
    """Two changes of one line, the likeliest pairs first."""
    pairs = []
    for first in [each for each in possible if len(each.statements) == 1][:MOST_FIRST]:
        for second in edits(first.statements[0], words):
            if second.cost > first.cost or second.cause == first.cause or len(second.statements) > 1:
                continue
            cause = " + ".join(sorted((first.cause, second.cause)))
            pairs.append(Edit(second.statements, cause, first.cost + second.cost))
    yield from sorted(pairs, key=lambda edit: edit.cost)[:MOST_PAIRS]
