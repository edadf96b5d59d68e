"""The repair of a wrong line: the smallest change that gives the truth, on three sets of sizes and values."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from parity_tests.derivations.agreement import agrees
from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.claims import UPDATE, Claims
from parity_tests.derivations.engine.convention import on_other_sizes, ratio_of, same_factor, same_shape, sizes_of
from parity_tests.derivations.engine.edits.forward import Forward
from parity_tests.derivations.engine.edits.graph import vocabulary
from parity_tests.derivations.engine.edits.scope import Scope
from parity_tests.derivations.engine.edits.statements import edits
from parity_tests.derivations.engine.edits.words import Edit, Words
from parity_tests.derivations.engine.events import ENTRY, Event, Key
from parity_tests.derivations.engine.failing import Failures
from parity_tests.derivations.engine.lists.spelled import in_a_loop
from parity_tests.derivations.engine.numbers.kinds import PLAIN, plain
from parity_tests.derivations.engine.numbers.tape import Tape
from parity_tests.derivations.engine.probes import Probe
from parity_tests.derivations.engine.repair import AND, RESULT, SAME_COST, Part, Repair, part_of, together
from parity_tests.derivations.engine.roots import Root
from parity_tests.derivations.engine.steps import added_name
from parity_tests.derivations.engine.truths import Truths
from parity_tests.derivations.engine.turns import Turn, adds_up, turns_of, value_behind

SAME_COST_IN_LOOPS = 0.6
"""The same for a line in a loop, of whose repairs some hold in one turn alone."""

MOST_PAIRS = 900

MOST_FIRST = 8
"""How many changes of a line are tried together with a second one."""

MOST_TRIED = 24_000
"""How often changed lines are computed for one text, a sum over a loop as often as it has turns: some seconds."""


def is_length(node: ast.AST, names: Mapping[str, Any]) -> bool:
    """Whether a formula is the length of what a name holds: ``len(pairs)``."""
    match node:
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]):
            return isinstance(names.get(name), list | tuple | np.ndarray)
    return False


def _are_equal(value: Any, other: Any) -> bool:
    """Whether an array is another one."""
    return isinstance(value, np.ndarray) and value.shape == other.shape and np.array_equal(value, other)


_Mark = tuple[Key, Key, float, "Key | None", bool]


def _mark(root: Root) -> _Mark:
    """The same for the same mistake."""
    return root.event.key, root.truth.event.key, round(root.factor, 12), root.rest_of, root.is_factor


class Mender:
    """The repairs of one text; ``more`` gives the truths of the same cost on another probe."""

    def __init__(self, truths: Truths, more: Callable[[int], Truths | None]) -> None:
        self.truths = [truths]
        self.tried = 0
        self.more = more
        self.known: dict[_Mark, Repair] = {}
        """The mistakes that one change puts right."""
        self.others: dict[tuple[_Mark, frozenset[Key], bool], Repair | None] = {}
        """The rest of them, beside which others, and whether pairs were tried: one may do once those are right."""
        self.of_slopes: dict[Key, Mender] = {}
        self.changes: dict[_Mark, list[ast.stmt]] = {}
        """What stands in place of the statement of a root, with its repair."""

    @cached_property
    def forward(self) -> Forward:
        """The steps of the forward pass."""
        return Forward(self.truths[0])

    def repair(self, root: Root, before: Mapping[Key, Root], factor: float, *, pairs: bool = True) -> Repair | None:
        """The smallest change of the root's statement, None where none gives the truth: no single one, and no pair.

        ``factor`` is that of the convention: where a statement is reached several times, all claims are tried with it.
        """
        if root.of is not None:
            return self._of_slope(root.of).repair(root._replace(of=None), {}, 1.0, pairs=pairs)
        mark = _mark(root)
        pairs = pairs or not self.truths[0].program.repeats
        if mark in self.known:
            return self.known[mark]
        tried = mark, frozenset(before) - {root.event.key}, pairs
        if tried not in self.others:
            found = self.others[tried] = self._search(root, before, factor, pairs)
            if found is not None and not found.is_a_pair:
                self.known[mark] = found
        return self.others[tried]

    def _of_slope(self, truths: Truths) -> Mender:
        """The repairs of what should be the slope of another value than J."""

        def more(number: int) -> Truths | None:
            there = self.on_probe(number)
            return None if there is None else Truths(there.program, there.probe, there.run, truths.cost)

        return self.of_slopes.setdefault(truths.cost.key, Mender(truths, more))

    def know(self, root: Root, repair: Repair) -> None:
        """Keeps the repair of a mistake that was found with it."""
        self.known[_mark(root)] = repair

    def put_right(self, before: Mapping[Key, Root], truths: Truths) -> dict[Key, Any]:
        """The values that belong in place of earlier mistakes, on any of the probes."""
        found = {_there(key, self.truths[0], truths): self._expected(other, truths) for key, other in before.items()}
        return {key: np.array(value) for key, value in found.items() if value is not None}

    def factor_on(self, factor: float, truths: Truths) -> float:
        """The factor of the gradients on any of the probes."""
        own = self.truths[0]
        return on_other_sizes(factor, sizes_of(own.probe, own.run), sizes_of(truths.probe, truths.run))

    def updated_too_early(self, root: Root, before: Mapping[Key, Root]) -> int:
        """The line of the step without which a root's line would hold as it is; 0 where there is none."""
        truths, part = self.truths[0], part_of(root.event, repeats=True)
        place = None if part is None or part.node is not None else self._place(0, root, before, part)
        if part is None or place is None or root.kind == UPDATE:
            return 0
        statement, target, names = truths.program.editable(part.statement, place[0], root.event.name)
        values = {each.key: each for each in truths.run.events if not each.missing}
        for new, old in truths.probe.steps.items():
            if new in values and old in values and values[new].line < root.event.line:
                held = {name: values[old].value for name, each in names.items() if _are_equal(each, values[new].value)}
                value = truths.program.execute([statement], {**names, **held}, target) if held else None
                shape = () if value is None else np.shape(value)
                alike = (each for each in truths.by_key.values() if held and np.shape(each.gradient) == shape)
                if value is not None and any(agrees(value, root.factor * each.gradient) for each in alike):
                    return values[new].line
        return 0

    def in_other_turns(self, root: Root, overrides: Mapping[Key, Any]) -> dict[Key, Any]:
        """What a root's statement gives each time of a round once its repair stands there, others being put right."""
        statements, part = self.changes.get(_mark(root)), part_of(root.event, True)
        program, given = self.truths[0].program, self.truths[0].probe.given
        if statements is None or part is None or not program.repeats or root.kind == UPDATE:
            return {}
        changed = part.changed(program, statements)
        if changed is None:
            return {}
        truths, place = self.truths[0], root.event.key[0]
        inside = {each.key for each in truths.round.events(truths.run.events)}
        before = (each for each in truths.run.events if each.key[0] == place and each.key not in inside)
        put = {**{each.key: each.value for each in before if not each.missing}, **overrides}
        run = changed.run(given, PLAIN, lambda key, value: np.array(put[key]) if key in put else value)
        here = (each for each in run.events if each.key[0] == place and each.key in inside)
        return {each.key: each.value for each in here if not each.missing}

    def read_by_the_repair(self, factor: float, root: Root, before: Mapping[Key, Root]) -> frozenset[str]:
        """The names that a root's statement reads once one change repairs it; none where none does."""
        repair = self.repair(root, before, factor, pairs=False)
        changes = self.changes if root.of is None else self._of_slope(root.of).changes
        changed = [] if repair is None or repair.is_a_pair else changes[_mark(root)]
        nodes = (node for each in changed for node in ast.walk(each))
        return frozenset(each.id for each in nodes if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load))

    def _search(self, root: Root, before: Mapping[Key, Root], factor: float, pairs: bool) -> Repair | None:
        program = self.truths[0].program
        part = part_of(root.event, program.repeats)
        if part is None or (part.node is not None and not program.repeats and root.event.key[1]):
            return None
        first = self._place(0, root, before, part)
        if first is None:
            return None
        statement, target, names = program.editable(part.statement, first[0], root.event.name)
        words = self.words(root, target, names)
        again = bool(root.event.key[1]) and not program.repeats
        possible = [each for each in edits(statement, words) if part.fits(each)]
        best = self._first(possible, root, before, factor, part)
        if not best and not again and pairs:
            promising = self._promising(possible, target, (names, first[1]), root)
            best = self._first(_two(promising, words), root, before, factor, part)
        if not best:
            return None
        self.changes[_mark(root)] = best[0].statements
        line = root.event.line
        single = [Repair((edit.cause,), *part.text(program, edit.statements, line), edit.cost) for edit in best]
        whole = together(single)
        later = again or in_a_loop(part.whole) or program.repeats
        return whole._replace(later=tuple(single)) if later else whole

    def _first(
        self, possible: Iterable[Edit], root: Root, before: Mapping[Key, Root], factor: float, part: Part
    ) -> list[Edit]:
        """The cheapest of some changes that give the truth on three probes."""
        written = part.statement
        program = self.truths[0].program
        places: list[tuple[str, Mapping[str, Any], Any]] = []

        turns = self._turns(root, before, part)

        def gives(edit: Edit, number: int) -> bool:
            while len(places) <= number:
                place = self._place(len(places), root, before, part)
                if place is None:
                    return False
                _, target, names = program.editable(written, place[0], root.event.name)
                places.append((target, names, place[1]))
            target, names, expected = places[number]
            if turns is not None and (adds_up(written) or edit.cause == "overwritten"):
                self.tried += len(turns)
                value = None if number else value_behind(program, turns, written, edit.statements)
                if number or self._is_right(value, expected, root) or edit.cause != "overwritten":
                    return bool(number) or self._is_right(value, expected, root)
            self.tried += 1
            if edit.cause == "overwritten" and root.event.key[1]:
                return bool(number) or self._is_right(self._in_the_end(edit, root, before, part), expected, root)
            return self._gives(edit, target, (names, expected), root)

        keeps = self.keeps_the_state(root.event) if root.kind == UPDATE else lambda edit: True
        best: list[Edit] = []
        texts: set[str] = set()
        again = any(each.key[0] == root.event.key[0] and each.key[1] for each in self.truths[0].run.events)
        loop = again or in_a_loop(written)
        for edit in possible:
            if best and edit.cost > best[0].cost + (SAME_COST_IN_LOOPS if loop else SAME_COST):
                break
            if self.tried > MOST_TRIED:
                break
            if not keeps(edit) or not all(gives(edit, number) for number in range(3)):
                continue
            text = "\n".join(ast.unparse(ast.fix_missing_locations(each)) for each in edit.statements)
            if text not in texts and (not program.repeats or self._holds_in_all(edit, part, root, before, factor)):
                best.append(edit)
            texts.add(text)
        return best

    def keeps_the_state(self, event: Event) -> Callable[[Edit], bool]:
        """Whether a change of a step keeps the velocity that it adds, where it adds one."""
        name = added_name(event.statement)
        made = (each.statement for each in self.truths[0].run.events if isinstance(each.statement, ast.Assign))
        sources = (each.value for each in made if ast.unparse(each.targets[0]) == name)
        if not name or not any(name in map(ast.unparse, ast.walk(each)) for each in sources):
            return lambda edit: True
        return lambda edit: any(name in map(ast.unparse, ast.walk(each)) for each in edit.statements)

    def _promising(
        self, possible: list[Edit], target: str, place: tuple[Mapping[str, Any], Any], root: Root
    ) -> list[Edit]:
        """The changes after which one more may do: those that leave a constant factor, or mend a part or the shape."""
        names, expected = place
        if root.kind == UPDATE:
            return possible[:MOST_FIRST]
        found = []
        for edit in possible:
            if len(edit.statements) > 1:
                continue
            self.tried += 1
            value = self.truths[0].program.execute(edit.statements, names, target)
            if value is not None and np.shape(value) == np.shape(expected):
                ratio = ratio_of(value, expected)
                right = np.isclose(value, expected, 1e-9, 1e-12)
                if ratio is not None or np.any(right) or np.shape(value) != root.event.shape:
                    found.append(edit)
        return [*found[:MOST_FIRST], *[each for each in possible if each not in found][: MOST_FIRST // 2]]

    def _turns(self, root: Root, before: Mapping[Key, Root], part: Part) -> tuple[Turn, ...] | None:
        """The turns of a statement that may add up over a loop; None for any other."""
        truths = self.truths[0]
        looped = root.event.key[1] or in_a_loop(part.statement)
        if part.node is not None or not looped or not isinstance(part.statement, ast.Assign | ast.AugAssign):
            return None
        return turns_of(truths, root.event, part.statement, self._put_right(root, before))

    def _put_right(self, root: Root, before: Mapping[Key, Root]) -> Callable[[Key, Any], Any]:
        """A hook that has the truth in place of the other mistakes."""
        others = {key: self._expected(other, self.truths[0]) for key, other in before.items()}
        others |= {root.event.key: None}
        return lambda key, value: value if others.get(key) is None else np.array(others[key])

    def _in_the_end(self, edit: Edit, root: Root, before: Mapping[Key, Root], part: Part) -> Any:
        """The value behind a loop of many turns once the program itself is changed; None where it cannot be."""
        truths, seen, put_right = self.truths[0], [], self._put_right(root, before)

        def hook(key: Key, value: Any) -> Any:
            if key == root.event.key:
                seen.append(plain(value))
            return put_right(key, value)

        changed = part.changed(truths.program, edit.statements)
        if changed is not None:
            changed.run(truths.probe.given, PLAIN, hook, root.event.key, keep=False)
        return seen[-1] if seen else None

    def _expected(self, root: Root, truths: Truths) -> Any:
        """The value that belongs in place of a root's, on any of the probes."""
        own = self.truths[0]
        if root.of is not None:
            slopes = self._of_slope(root.of)
            of_slopes = slopes.on_probe(self.truths.index(truths))
            return None if of_slopes is None else slopes._expected(root._replace(of=None), of_slopes)
        truth = truths.by_key.get(_there(root.truth.event.key, own, truths))
        if truth is None:
            return None
        if truths is own:
            return root.factor * truth.gradient
        here, there = sizes_of(own.probe, own.run), sizes_of(truths.probe, truths.run)
        return on_other_sizes(root.factor, here, there) * truth.gradient

    def _holds_in_all(self, edit: Edit, part: Part, root: Root, before: Mapping[Key, Root], factor: float) -> bool:
        """Whether fewer claims fail once the program itself is changed, and none where the statement stands."""
        truths = self.truths[0]
        if root.kind == UPDATE and np.size(root.event.value) == 1:
            return True  # a step of one number is along any derivative
        if truths.run.problems:
            return True  # the program ended early, and its rounds are not known
        changed = part.changed(truths.program, edit.statements)
        if changed is None:
            return False
        run = changed.run(truths.probe.given)
        mended = Truths(changed, truths.probe, run, truths.cost)
        if not mended.by_key:
            return False
        whole = root.event.key if root.rest_of is None else root.rest_of  # in other turns it comes right as well
        overrides = {
            key: other.expected for key, other in before.items() if key != root.event.key and key[0] != whole[0]
        }
        failed = Failures(Claims(truths), factor, self.on_probe).keys(overrides)
        fails = Failures(Claims(mended), factor).keys(overrides)
        return len(fails) < len(failed) and all(key[0] != root.event.key[0] for key in fails)

    def on_probe(self, number: int) -> Truths | None:
        """The truths of the same cost on another probe, None where there are none."""
        while len(self.truths) <= number:
            found = self.more(len(self.truths))
            if found is None:
                return None
            self.truths.append(found)
        return self.truths[number]

    def _place(
        self, number: int, root: Root, before: Mapping[Key, Root], part: Part
    ) -> tuple[dict[str, Any], Any] | None:
        """The names where the statement stands, with earlier mistakes put right, and the value that belongs there."""
        truths = self.on_probe(number)
        if truths is None:
            return None
        own, place = self.truths[0], _there(root.event.key, self.truths[0], truths)
        rest_of = None if root.rest_of is None else _there(root.rest_of, own, truths)
        earlier = {
            _there(key, own, truths): self._expected(other, truths)
            for key, other in before.items()
            if key != root.event.key
        }
        seen: dict[Key, Any] = {}

        def hook(key: Key, value: Any) -> Any:
            new = earlier.get(key)
            value = value if new is None else np.array(new)
            if key in (place, rest_of):
                seen[key] = plain(value)
            elif built and root.rest_of is not None and key[0] == root.rest_of[0]:
                seen[root.rest_of] = plain(value)  # it is built up more or less often here
            return value

        built = any(each.key == root.rest_of and each.role == ENTRY for each in self.truths[0].run.events)
        node: ast.AST = part.whole
        if part.node is not None and truths.program.repeats and not isinstance(part.whole, ast.Assign):
            node = part.node
        occurrence, given = place[1], dict(truths.probe.given)
        if root.kind == UPDATE and not added_name(root.event.statement):  # a step from rest is along its gradient
            given |= {name: 0.0 * given[name] for name in truths.probe.roles.states & given.keys()}
        run = truths.program.run(given, PLAIN, hook, keep=False, capture=(node, (occurrence,)))
        value = self._step(root, truths) if root.kind == UPDATE else self._expected(root, truths)
        if rest_of is not None and value is not None:
            here_value, whole = seen.get(place), seen.get(rest_of)
            if here_value is None or whole is None or not here_value.shape == whole.shape == np.shape(value):
                return None
            if root.is_factor:  # what it is multiplied with shows where it is 1
                earlier[place] = np.ones(here_value.shape)
                truths.program.run(truths.probe.given, PLAIN, hook, keep=False)
                begun = truths.probe.steps.get(rest_of)  # a step is what is added to the parameter
                old = next((each.value for each in truths.run.events if each.key == begun and not each.missing), 0.0)
                if not np.all(seen[rest_of] - old):
                    return None
                value = value / (seen[rest_of] - old)
            else:
                value = here_value + value - whole
        if occurrence not in run.captured or value is None:
            return None
        free = given if truths.probe.places is None else {}
        return {**free, **run.captured[occurrence]}, value

    def _step(self, root: Root, truths: Truths) -> tuple[Any, Any] | None:
        """The old value of a parameter and its derivative, on any of the probes."""
        truth = truths.by_key.get(root.truth.event.key)
        steps = truths.probe.steps
        events = list(truths.run.events)
        if root.event.key in steps:
            old = next((each for each in events if each.key == steps[root.event.key]), None)
        else:
            places = [place for place, each in enumerate(events) if each.key == root.event.key]
            named = [each for each in events[: places[0] if places else 0] if each.name == root.event.name]
            old = named[-1] if named else None
        return None if truth is None or old is None or old.missing else (old.value, truth.gradient)

    def words(self, root: Root, target: str, names: Mapping[str, Any]) -> Words:
        """What a changed statement may write where the names hold these values."""
        probe: Probe = self.truths[0].probe
        sizes = sizes_of(probe, self.truths[0].run)
        usable = [name for name in sizes if name in names or re.fullmatch(r"\w+\.shape\[\d\]", name)]
        batch = next((name for name in usable if sizes[name] == probe.batch), None)
        counted = (ast.unparse(each) for each in ast.walk(self.truths[0].program.tree) if is_length(each, names))
        usable += [each for each in dict.fromkeys(counted) if each not in usable]
        shape = np.shape(root.expected)
        name = root.truth.event.name
        of_bias = symbols.base_of(name).startswith("b") or probe.roles.is_bias(name)
        rates = tuple(
            name
            for name, value in names.items()
            if isinstance(value, float) or (name in probe.given and isinstance(value, int) and name not in sizes)
            if value not in (0.0, 1.0) and re.fullmatch(r"[A-Za-z_][\w.]*", name)
        )
        step = root.kind == UPDATE
        known: dict[str, Any] = {}

        def value(node: ast.expr) -> Any:
            text = ast.unparse(node)
            if text not in known:
                set_to = ast.Assign([ast.Name(RESULT, ast.Store())], node)
                found = self.truths[0].program.execute([set_to], names, RESULT)
                known[text] = plain(found) if isinstance(found, Tape) else found
            return known[text]

        seen = {name: plain(each) if isinstance(each, Tape) else each for name, each in names.items()}
        if not shape:  # among single numbers each is one that may be meant
            seen = {name: np.asarray(each) if isinstance(each, float) else each for name, each in seen.items()}
        forward = vocabulary(
            self.truths[0], self.forward, Scope(seen, value, target), root.truth.event.value, root.factor
        )
        return Words(
            seen, batch, tuple(usable), target, shape, of_bias, probe.batch or 0, rates[:6], step,
            forward, value,
        )  # fmt: skip

    def _gives(self, edit: Edit, target: str, place: tuple[Mapping[str, Any], Any], root: Root) -> bool:
        names, expected = place
        return self._is_right(self.truths[0].program.execute(edit.statements, names, target), expected, root)

    def _is_right(self, value: Any, expected: Any, root: Root) -> bool:
        """Whether a value is the truth, or a step in its direction: at the rate of the others where it had another."""
        if root.kind == UPDATE:
            old, gradient = expected
            if value is None or np.shape(value) != np.shape(old):
                return False
            ratio = ratio_of(value - old, gradient, 1e-7)
            exactly = np.size(value) == 1 or self._is_scaled(root)
            return ratio is not None and (same_factor(ratio, root.factor) if exactly else ratio * root.factor > 0)
        if value is None or not same_shape(np.shape(value), np.shape(expected)):
            return False
        return agrees(np.reshape(value, np.shape(expected)), expected)

    def _is_scaled(self, root: Root) -> bool:
        """Whether a step goes the right way, but not as far as the others."""
        found = self._step(root, self.truths[0])
        if found is None or root.event.missing or root.event.shape != np.shape(found[0]):
            return False
        ratio = ratio_of(root.event.value - found[0], found[1], 1e-7)
        return ratio is not None and ratio * root.factor > 0


def _there(key: Key, own: Truths, other: Truths) -> Key:
    """The place on another probe: what was reached last in a loop, as often as the sizes say, is last there as well."""
    if other is own or not key[1]:
        return key
    here, there = (max((k[1] for k in _keys_of(each, key[0])), default=key[1]) for each in (own, other))
    return (key[0], there) if key[1] == here else key


def _keys_of(truths: Truths, node: int) -> Iterator[Key]:
    return (each.key for each in truths.run.events if each.key[0] == node)


def _two(possible: list[Edit], words: Words) -> Iterator[Edit]:
    """Two changes of one line, the likeliest pairs first."""
    pairs = []
    for first in [each for each in possible if len(each.statements) == 1]:
        for second in edits(first.statements[0], words):
            if second.cost > first.cost or second.cause == first.cause or len(second.statements) > 1:
                continue
            cause = AND.join(sorted((first.cause, second.cause)))
            pairs.append(Edit(second.statements, cause, first.cost + second.cost))
    yield from sorted(pairs, key=lambda edit: edit.cost)[:MOST_PAIRS]
