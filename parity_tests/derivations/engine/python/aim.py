"""How one program is judged, whatever it is called with: by its own cost, one that it defines, or a usual one."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.changes import change_of, put_in
from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.findings import Trial, fits, hits_of
from parity_tests.derivations.engine.forward_slips import has_a_slip
from parity_tests.derivations.engine.guards import judged_without_guards
from parity_tests.derivations.engine.judged import judge_reading
from parity_tests.derivations.engine.python.calls import quoted
from parity_tests.derivations.engine.python.objectives import of_all
from parity_tests.derivations.engine.python.other_costs import (
    alternatives,
    by_the_cost_that_is_followed,
    of_the_same_arguments,
    own_costs,
)
from parity_tests.derivations.engine.python.reading import OWN, UNKNOWN, PythonReading
from parity_tests.derivations.engine.python.rubric import Rubric, implied_in
from parity_tests.derivations.engine.python.said_cost import RefusedError
from parity_tests.derivations.engine.python.softmaxes import over_the_examples, with_its_axis, with_shares
from parity_tests.derivations.engine.python.surroundings import Around
from parity_tests.derivations.engine.python.unnamed_outputs import unnamed_costs
from parity_tests.derivations.engine.truths import Cost
from parity_tests.derivations.said_cost import FAMILIES
from parity_tests.derivations.verdicts import WRONG, Judged, in_order, summarised

MOST_COSTS = 6
"""How many costs of a file's own are tried."""

MOST_EVENTS = 20_000
"""How many values a program may compute for other costs to be tried: each is a run of its own."""


class Aim(NamedTuple):
    """How one program is judged, whatever it is called with."""

    name: str
    seed: int
    strict: bool
    cost: str = ""
    around: Around | None = None
    rubric: Rubric | None = None
    in_torch: bool = False
    kinds: tuple[str, ...] = ()
    """Those of the cost that counts, where no reference says so."""

    def judge(self, text: str, call: str) -> Judged | None:
        """The verdicts on one call of the program."""
        return judged_without_guards(lambda written: self._judge(written, call), text)

    def _judge(self, text: str, call: str) -> Judged | None:
        """The verdicts on a text as it is; a repair is tried in the file itself."""

        def reading(written: str, objective: int | None = None) -> PythonReading:
            kinds = self.rubric.kinds if self.rubric is not None else self.kinds
            settings: dict[str, Any] = {"cost": self.cost, "kinds": kinds, "in_torch": self.in_torch}
            return PythonReading(self.name, written, call, self.around, **settings, objective=objective)

        def pasted(line: int, repaired: str, rows: int, objective: int | None = None) -> PythonReading:
            return reading(with_repair(text, line, repaired, rows), objective)

        own = reading(text)
        trial = own.trial(self.seed)
        if own.is_cut_off(trial):
            return None
        if not self.cost and self.rubric is None and len(own.written(trial)) > 1:
            parts = [
                judge_reading(
                    reading(text, number), self.seed, strict=self.strict, pasted=partial(pasted, objective=number)
                )
                for number in range(len(own.objectives(trial)))
            ]
            if parts and all(parts):
                return of_all([each for each in parts if each is not None])
        free = not self.cost and self.rubric is None and len(trial.run.events) <= MOST_EVENTS
        if free:
            found = self._by_cost_beside(own, text, call) or self._by_sum_of_examples(own, text, call)
            if found is not None:
                return found
        judged = judge_reading(own, self.seed, strict=self.strict, pasted=pasted)
        if free:
            judged = self._by_unnamed_output(own, judged, text, call) or judged
        if judged is not None and self.rubric is not None:
            return judged._replace(notes=self._whose_cost(own, self.rubric))
        if self.cost:
            return judged
        if own.written(own.trial(self.seed)):
            if judged is None or not judged.summary.wrong or has_a_slip(judged):
                return judged

            def by_kind(kind: str) -> PythonReading:
                return PythonReading(self.name, text, call, self.around, kinds=(kind,))

            usual = own.usual(own.trial(self.seed))
            return by_the_cost_that_is_followed(own, usual, by_kind, self.seed, strict=self.strict) or judged
        if judged is not None and judged.summary.wrong:
            judged = self._with_right_softmax(own, text, call) or judged
        return self._by_own_cost(own, judged, text, call)

    def _with_right_softmax(self, reading: PythonReading, text: str, call: str) -> Judged | None:
        """The verdicts where a softmax along the wrong axis is the only mistake; None where it is not."""
        trial = reading.trial(self.seed)
        for event, axis in over_the_examples(trial):
            found = with_its_axis(text, event, axis)
            other = None if found is None else self.judge(found.text, with_shares(call, axis))
            if found is not None and other is not None and other.summary.judged and not other.summary.wrong:
                lines = in_order([found.verdict, *(each for each in other.lines if each.line != event.line)])
                return other._replace(source=text, lines=lines, summary=summarised(lines, other.summary.helpers))
        return None

    def _by_cost_beside(self, reading: PythonReading, text: str, call: str) -> Judged | None:
        """The verdicts under a cost that takes what a function of gradients takes, and is not called before them."""
        trial = reading.trial(self.seed)
        if reading.written(trial):
            return None
        reached = {event.function for event in trial.run.events}
        return self._by_one_of(of_the_same_arguments(ast.parse(text), reached), text, call, wrong=True)

    def _by_one_of(self, formulas: Sequence[str], text: str, call: str, *, wrong: bool) -> Judged | None:
        """The verdicts under the one of some costs of a file under which all holds, or else most; None for none.

        Where something is wrong under each of them, they count only if said so.
        """
        if len(formulas) > 1:  # mistakes are looked for under the one that is meant
            hits = {each: self._hits(each, text, call) for each in formulas[:MOST_COSTS]}
            formulas = [each for each, found in hits.items() if found == max(hits.values())]
        ways = ((each, self._by_formula(each, text, call)) for each in formulas)
        own = [(each, other) for each, other in ways if other is not None and other.summary.judged]
        if not own:
            return None
        formula, best = min(own, key=lambda each: (each[1].summary.wrong, -each[1].summary.holds))
        if best.summary.wrong and not wrong:
            return None
        return best._replace(notes=(*best.notes, f"J is {formula}: the file defines it, and it is not called before."))

    def _by_own_cost(self, reading: PythonReading, judged: Judged | None, text: str, call: str) -> Judged | None:
        """The verdicts under the cost that the file defines and does not call; those given where it has none."""
        trial = reading.trial(self.seed)
        usual = reading.usual(trial)
        meant = [each for each in usual if judged is not None and each.text == implied_in(judged)]
        reached = {event.function for event in trial.run.events}
        tree = ast.parse(text)
        pairs = dict.fromkeys(each.names for each in meant or usual if all(each.names))
        found = [own_costs(tree, reached, names) for names in pairs]
        formulas = list(itertools.chain.from_iterable(found))
        if own := self._by_one_of(formulas, text, call, wrong=bool(found) and len(found[0]) == 1):
            return own
        if judged is None or not meant:
            return judged
        if judged.notes:
            return judged
        return judged._replace(notes=tuple(self._other_costs(trial, usual, meant[0], judged, text, call)))

    def _by_sum_of_examples(self, reading: PythonReading, text: str, call: str) -> Judged | None:
        """The verdicts where a loop takes examples one by one and J is not written: under the sum of a usual cost.

        That one counts of which the most gradients are derivatives; None where none are.
        """
        trial = reading.trial(self.seed)
        usual = [] if reading.written(trial) else reading.implied(trial)
        labels: dict[str, set[bytes]] = {}
        for event in trial.run.events:
            if not event.missing and np.ndim(event.value):
                labels.setdefault(symbols.written(event.name), set()).add(event.value.tobytes())
        several = [each for each in usual if each.formula and len(labels.get(each.names[1], ())) > 1]
        formulas = dict.fromkeys(each.formula for each in several if all(map(str.isidentifier, each.names)))
        hits = {each: self._hits(each, text, call) for each in list(formulas)[:MOST_COSTS]}
        best = max(hits, key=lambda each: hits[each], default="")
        found = self._by_formula(best, text, call) if best and hits[best][1] else None
        if found is None or not found.summary.judged:
            return None
        meant = next(each for each in several if each.formula == best)
        families = {family for family in FAMILIES if family in meant.text}
        others = [each.text for each in several if not any(family in each.text for family in families)]
        words = f"J is not written down; taken to be {meant.text}, summed over the examples"
        words += f"; not {others[0]}, whose gradients differ" if others and not found.summary.wrong else ""
        otherwise = others[0] if others and not found.summary.wrong else ""
        return found._replace(cost=found.cost._replace(text=words, otherwise=otherwise))

    def _by_unnamed_output(self, reading: PythonReading, judged: Judged | None, text: str, call: str) -> Judged | None:
        """The verdicts under a usual cost of an output that has no name; None where J is known or nothing follows it.

        A J that only a function returns, or in which something is wrong, gives way to one that all gradients follow.
        Where no gradient follows any, it takes a repair with which they do.
        """
        written = reading.written(reading.trial(self.seed))
        is_known = written and not written[0].is_a_guess
        if is_known or (judged is not None and not judged.summary.wrong and not written):
            return None
        usual = unnamed_costs(ast.parse(text))[:MOST_COSTS]
        hits = {each: self._hits(each.formula, text, call) for each in usual}
        most = max(hits.values(), default=(False, 0))
        if judged is not None and not most[0]:
            return None
        found = [(each, self._by_formula(each.formula, text, call)) for each in usual if hits[each] == most]
        known = [(each, other) for each, other in found if other is not None and other.summary.judged]
        if not known:
            return None
        best, other = min(known, key=lambda each: (each[1].summary.wrong, -each[1].summary.holds))
        if not most[1] and any(each.verdict == WRONG and not each.repaired for each in other.lines):
            return None
        return other._replace(cost=other.cost._replace(text=f"J is not written down; taken to be {best.words}"))

    def _hits(self, formula: str, text: str, call: str) -> tuple[bool, int]:
        """Whether all gradients follow a cost of the file's own, and how many are its derivatives."""
        try:
            reading = PythonReading(self.name, text, call, self.around, cost=formula)
            trial = reading.trial(self.seed)
            found = [(fits(trial, each), hits_of(trial, each)) for each in reading.written(trial)]
        except RefusedError:
            return False, 0
        return max(found, default=(False, 0))

    def _by_formula(self, formula: str, text: str, call: str) -> Judged | None:
        """The verdicts under a cost of the file's own; None where no part of it has what the cost is of."""
        try:
            return self._replace(cost=formula).judge(text, call)
        except RefusedError:
            return None

    def _other_costs(
        self, trial: Trial, usual: list[Cost], meant: Cost, judged: Judged, text: str, call: str
    ) -> list[str]:
        """How to judge by another cost, ready to be pasted."""
        said = []
        for words, formula in alternatives(trial, usual, meant, averaged=not judged.convention):
            try:
                other = PythonReading(self.name, text, call, self.around, cost=formula)
                known = bool(other.written(other.trial(self.seed)))
            except RefusedError:
                known = False
            if known:
                strict = " --strict" if words.startswith("the average") else ""
                said.append(f"--cost {quoted(formula)}{strict} ({words})")
        return [f"Another J is judged with {' or '.join(said)}."] if said else []

    def _whose_cost(self, reading: PythonReading, rubric: Rubric) -> tuple[str, ...]:
        """Whether J is the program's own, which is of the reference's kind, or the reference's."""
        if not rubric.kinds:
            return (f"J is the file's own: that of {rubric.source} is none of the usual ones.",)
        if reading.another is not None:
            return (f"J is that of {rubric.source}: the file's own (line {reading.another.line}) is another one.",)
        if reading.whose == UNKNOWN:
            return (f"J is the file's own: that of {rubric.source} was not found in its values.",)
        return (
            () if reading.whose == OWN else (f"J is that of {rubric.source}, {rubric.kinds[0]}: the file writes none.",)
        )


def with_repair(text: str, line: int, repaired: str, rows: int = 1) -> str:
    """The text with a repair in place of some lines."""
    written = text.splitlines()
    return "\n".join(put_in(written, [change_of(written, line, repaired, rows)])) + "\n"
