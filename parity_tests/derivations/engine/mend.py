"""The repair of a wrong line: the smallest change that gives the truth, on three sets of sizes and values."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
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

SAME_COST = 0.12
"""Changes whose costs differ by less are equally likely."""

MOST_CAUSES = 3


class Repair(NamedTuple):
    """The causes that are equally likely, the first with its repaired text."""

    causes: tuple[str, ...]
    text: str
    cost: float


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
        written = root.event.statement
        if not isinstance(written, ast.Assign | ast.AugAssign) or root.kind == UPDATE:
            return None
        if isinstance(written, ast.Assign) and isinstance(written.targets[0], ast.Tuple):
            return None
        if root.event.key[1] and not program.repeats:
            return None
        first = self._place(0, root, before)
        if first is None:
            return None
        statement, target, names = program.editable(written, first[0], root.event.name)
        places = [(names, first[1])]
        best: list[Edit] = []
        for edit in edits(statement, self._words(root, target, names)):
            if best and edit.cost > best[0].cost + SAME_COST:
                break
            if not self._gives(edit, target, places[0]):
                continue
            for number in range(len(places), 3):
                place = self._place(number, root, before)
                if place is None:
                    return None
                _, _, names = program.editable(written, place[0], root.event.name)
                places.append((names, place[1]))
            if all(self._gives(edit, target, place) for place in places[1:]) and (
                not program.repeats or self._holds_in_all(edit, written, root, before, factor)
            ):
                best.append(edit)
        if not best:
            return None
        causes = tuple(dict.fromkeys(edit.cause for edit in best))[:MOST_CAUSES]
        return Repair(
            causes, "\n".join(ast.unparse(ast.fix_missing_locations(each)) for each in best[0].statements), best[0].cost
        )

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
        own, here = self.truths[0], sizes_of(self.truths[0].probe, self.truths[0].run)
        there = sizes_of(truths.probe, truths.run)

        def expected(other: Root) -> Any:
            truth = truths.by_key.get(other.truth.event.key)
            if truth is None:
                return None
            return (other.factor if truths is own else on_other_sizes(other.factor, here, there)) * truth.gradient

        earlier = {key: expected(other) for key, other in before.items() if key != root.event.key}

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
        value = expected(root)
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
