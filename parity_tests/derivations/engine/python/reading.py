"""A Python program as a source of the engine: the costs that it computes, and what of it was not reached."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from parity_tests.derivations.engine import costs, symbols
from parity_tests.derivations.engine.claims import PARAMETER, UPDATE, Claims
from parity_tests.derivations.engine.events import ENTRY, NAMED, RETURNED, Event, Key
from parity_tests.derivations.engine.findings import Trial, hits_of
from parity_tests.derivations.engine.python.instrument import FUNCTIONS
from parity_tests.derivations.engine.python.minimisers import MINIMISERS
from parity_tests.derivations.engine.python.objectives import objectives
from parity_tests.derivations.engine.python.other_costs import OF_COSTS
from parity_tests.derivations.engine.python.program import PythonProgram, one_sided
from parity_tests.derivations.engine.python.rubric import kind_of, kinds_of
from parity_tests.derivations.engine.python.said_cost import SAID
from parity_tests.derivations.engine.python.surroundings import Around
from parity_tests.derivations.engine.python.unnamed_outputs import is_linear_in_an_error
from parity_tests.derivations.engine.replay import Round
from parity_tests.derivations.engine.truths import Cost, Truths
from parity_tests.derivations.verdicts import CALL

MOST_CANDIDATES = 12
MOST_OWN = 2
"""How many written costs are compared with those of the kinds that count."""

OWN, REFERENCES, UNKNOWN = "own", "the reference's", "unknown"
"""Whose cost J is where some kinds count; unknown where no value of the file has such a cost."""

REDUCES = re.compile(r"\*\*|sum|mean|log|square|norm|entropy|loss|cost|mse|average")
ERRORS = re.compile(r"^(e|err|error|errors|E|l|c)\d*$")
HELD_OUT = re.compile(
    r"(?:[XxYy]\w*|data|images|inputs|features|labels)_(?:val|valid|validation|test|dev|cv)$|"
    r"(?:val|valid|validation|test|dev)_(?:[XxYy]|data|images|inputs|features|labels)\w*$"
)
"""Names of examples that nothing is trained on: a cost of theirs is looked at and not followed."""

MONITORS = re.compile(r"abs\(|argmax|round\(|accuracy|==")


WIDE = 4.0
"""How much larger parameters are where all entries of a unit, or of a mask, come out alike otherwise."""

MADE_UP = "made-up data stand in for "
ENDED = "the program ended here: "

DRAWING = frozenset(("matplotlib", "seaborn", "plotly", "pylab"))
"""Packages in whose place stands one that does nothing."""


class PythonReading:
    """A file, what it is called with, what stands around it, and the cost that was said: a name or a formula.

    ``kinds`` are those of the cost that counts in place of any other; ``whose`` it is then, and ``another`` is the
    file's own, if it is not of these kinds. With ``in_torch`` it is torch's tensors that are looked at. Of several
    networks, each trained on a cost of its own, ``objective`` is the number of the one that is judged.
    """

    def __init__(
        self,
        source: str,
        text: str,
        call: str = "",
        around: Around | None = None,
        *,
        cost: str = "",
        kinds: tuple[str, ...] = (),
        in_torch: bool = False,
        objective: int | None = None,
    ) -> None:
        self.objective = objective
        self.source, self.file, self.call, self.around, self.cost = source, text, call, around, cost
        self.kinds, self.in_torch = kinds, in_torch
        self.another: Cost | None = None
        self.whose = ""
        self.trials: dict[int, Trial] = {}
        self.known: dict[int, list[Cost]] = {}

    @property
    def said(self) -> str:
        """Where the examples are, and how the program was called."""
        trial = self.trial(0)
        said = []
        for event in trial.run.events:
            if np.ndim(event.value) == 2 and symbols.is_data(event.name) and trial.probe.batch in event.shape:
                where = "rows" if event.shape[0] == trial.probe.batch else "columns"
                said.append(f"examples are {where}")
                break
        if self.call:
            said.append(f"called as {self.call.splitlines()[-1].strip()}")
        elif _program(trial).begun.rounds:
            said.append("one round of training")
        if absent := _program(trial).absent:
            said.append(f"{MADE_UP}{' and '.join(absent)}, which is not there")
        drawn = sorted(_imported(_program(trial).tree) & DRAWING)
        if drawn:
            said.append(f"{' and '.join(drawn)} replaced: nothing is drawn")
        once = sorted(name for name in MINIMISERS if re.search(rf"\b{name}\(", self.file))
        if once and "scipy" in self.file:
            said.append(f"{' and '.join(once)} replaced: what is minimised is called once")
        return ", ".join(said)

    @property
    def rows(self) -> Sequence[str]:
        """The lines as they were written."""
        return self.file.splitlines()

    def text(self, line: int) -> str:
        """The line as it was written."""
        return _program(self.trial(0)).line(line)

    def trial(self, seed: int) -> Trial:
        """The program on values of that seed; its parameters begin with generic ones."""
        if seed not in self.trials:
            formula = "" if self.cost.isidentifier() else self.cost
            program = PythonProgram(self.file, self.call, seed, self.around, cost=formula, in_torch=self.in_torch)
            events = program.begin()
            rounds = program.begun.rounds
            first = Round(None, rounds[0]).events(events) if rounds else events
            if rounds and (any(map(self._may_be_cost, first)) or not any(map(self._may_be_cost, events))):
                program.until = rounds[0]
            run = program.run({})
            if program.problem and not run.problems and not rounds:
                program.truncated = True  # autograd cannot follow it to its end: where a round ends is not known
            program.move(run)
            moved = program.run({})
            sides = one_sided(moved)
            if sides and program.moved:
                before = dict(program.moved)
                program.move(run, WIDE)
                wide = program.run({})
                if one_sided(wide) < sides and wide.problems == moved.problems:
                    moved = wide
                else:
                    program.moved = before
            if moved.problems != run.problems or len(moved.events) != len(run.events):
                program.moved = {}
            else:
                run = moved
            self.trials[seed] = Trial(program, program.probe(run), run)
        return self.trials[seed]

    @staticmethod
    def is_cut_off(trial: Trial) -> bool:
        """Whether the program ended before its end and before a round did: no cost of it is known."""
        return _program(trial).truncated

    def written(self, trial: Trial) -> list[Cost]:
        """The scalars that may be the cost: of those that lead to one another the last, most derivatives first."""
        if _program(trial).truncated:
            return []
        seed = _program(trial).seed
        if seed not in self.known:
            self.known[seed] = self._that_count(trial, self._written(trial))
        if self.objective is not None and (several := self.objectives(trial)):
            return several[self.objective : self.objective + 1]
        return self.known[seed]

    def objectives(self, trial: Trial) -> list[Cost]:
        """The costs of several networks that are trained one after the other, none for a single one."""
        begun = _program(trial).begun
        return objectives(trial, self.known.get(_program(trial).seed, []), begun.steps, begun.rounds)

    def _that_count(self, trial: Trial, own: list[Cost]) -> list[Cost]:
        """The written costs of the kinds that count, or else usual ones of these kinds; all, where there are none."""
        if not self.kinds:
            return own
        meant = [cost for cost in self.usual(trial) if kind_of(cost.text) in self.kinds]
        same = [cost for cost in own[:MOST_OWN] if kinds_of(trial, cost, meant)]
        if not self.whose:
            self.another = own[0] if own and meant and not same else None
            self.whose = OWN if same else REFERENCES if meant else UNKNOWN
        return same or meant or own

    def _written(self, trial: Trial) -> list[Cost]:
        first: dict[int, tuple[bool, Event]] = {}
        last: dict[int, tuple[bool, Event]] = {}
        looked = [(looks, each) for each in trial.run.events if (looks := self._may_be_cost(each)) is not None]
        for looks, event in _before_steps(looked, trial) if self.cost else looked:
            first.setdefault(event.key[0], (looks, event))
            last[event.key[0]] = looks, event
        found = [*first.values(), *(each for each in last.values() if each[1].key[1])]
        found.sort(key=lambda each: not each[0])
        chosen: list[tuple[int, bool, Cost, set[Key]]] = []
        for looks, event in found[:MOST_CANDIDATES]:
            for cost in self._costs_at(event, trial, looks):
                truths = Truths(*trial, cost)
                if truths.by_key:
                    if _is_but_watched(truths):
                        continue
                    hits = hits_of(trial, cost, likely=looks)
                    if hits or self.cost or (looks and not MONITORS.search(_text(event))):
                        chosen.append((hits, looks, cost, set(truths.by_key)))
        values = {event.key: event.value for _, event in looked}
        named = [cost for _, looks, cost, _ in chosen if looks]
        chosen = [  # what hands on a cost by its name is none beside it
            (hits, looks, cost, keys)
            for hits, looks, cost, keys in chosen
            if looks
            or not any(each.key in keys and np.array_equal(values[each.key], values[cost.key]) for each in named)
        ]
        whole = [each for each in chosen if not any(each[2].key in other[3] and other[0] for other in chosen)]
        whole.sort(key=lambda each: (-each[0], not each[1]))
        if whole and whole[0][1] and whole[0][0]:
            whole = [each for each in whole if each[1]]  # of single numbers any is a multiple of what leads to J
        return [cost for _, _, cost, _ in whole]

    def _costs_at(self, event: Event, trial: Trial, looks: bool) -> list[Cost]:
        """The cost that a value is; behind the first steps also that at the parameters as they were before them."""
        cost = Cost(event.key, self._said(event), event.line, is_a_guess=not looks)
        order = {each.key: place for place, each in enumerate(trial.run.events)}
        steps = [order[each] for each in trial.probe.steps if each in order]
        return [cost, cost._replace(is_old=True)] if looks and steps and min(steps) < order[event.key] else [cost]

    def _may_be_cost(self, event: Event) -> bool | None:
        """Whether a value looks like a cost; None for what cannot be one, and for any but the one that was said."""
        if not self.cost:
            return _may_be_cost(event)
        name = SAID if not self.cost.isidentifier() else self.cost
        if np.size(event.value) != 1 or event.missing or event.role not in (NAMED, ENTRY, RETURNED):
            return None
        stem = re.sub(r"(?:\[-?\d+\])+$", "", symbols.base_of(event.name))
        called = event.function if event.role == RETURNED else stem.rpartition(".")[2]
        return True if called == name else None

    def _said(self, event: Event) -> str:
        if symbols.base_of(event.name) == SAID:
            return f"J is {self.cost}"
        name = symbols.written(event.name) or (
            f"what {event.function} returns" if event.function else "what is printed"
        )
        return f"J is {name} (line {event.line})" if event.line < CALL else f"J is {name}"

    def implied(self, trial: Trial) -> list[Cost]:
        """The usual costs of each value that has the labels' shape; of the kinds that count where there are such."""
        if _program(trial).truncated or self.cost:
            return []
        usual = self.usual(trial)
        return [cost for cost in usual if kind_of(cost.text) in self.kinds] or usual

    @staticmethod
    def usual(trial: Trial) -> list[Cost]:
        """The usual costs of each value that has the labels' shape."""
        given = trial.probe.given
        labels: dict[tuple[tuple[int, ...], bytes], str] = {}
        known = {name: value for name, value in given.items() if symbols.is_label(symbols.base_of(name))}
        arrays = {name: value for name, value in known.items() if np.ndim(value)}
        for name, value in (arrays or known).items():
            labels.setdefault((np.shape(value), np.asarray(value, np.float64).tobytes()), name)
        kept = {name: value for name, value in given.items() if name in labels.values() or not symbols.is_label(name)}
        whole = [name for name in labels.values() if _holds_classes(given[name], trial)]
        return costs.implied_costs(trial.run, trial.probe._replace(given=kept), whole, trial.program.tree)

    def left(self, truths: Truths) -> dict[int, str]:
        """Where the program ended early, and the functions that it does not reach."""
        trial = Trial(truths.program, truths.probe, truths.run)
        reasons: dict[int, str] = {}
        problem = next((why for _, why in trial.run.problems), _program(trial).problem)  # NumPy's words before torch's
        if problem:
            match = re.search(r" in line (\d+)", problem)
            reasons[int(match[1]) if match else 0] = f"{ENDED}{problem}"
        reached = {event.line for event in trial.run.events} | _program(trial).lines
        for node in ast.walk(trial.program.tree):
            if not isinstance(node, FUNCTIONS[:2]) or node.lineno >= CALL or not _may_have_gradients(node):
                continue
            if not reached.intersection(range(node.lineno, (node.end_lineno or node.lineno) + 1)):
                reasons.setdefault(node.lineno, f"{node.name} is not judged: it was not called")
        return reasons

    @cached_property
    def problem(self) -> str:
        """Why the program ended before its end, "" where it did not."""
        return _program(self.trial(0)).problem


FORWARD = re.compile(
    r"^_*(feed_?forward|forward\w*|predict\w*|\w*accuracy|evaluate|(total_|compute_)?(cost|loss))$", re.I
)
"""Names of functions in which no derivative is computed."""


def _imported(tree: ast.AST) -> set[str]:
    """The packages that a program imports."""
    found = {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    found |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in found}


def _program(trial: Trial) -> PythonProgram:
    assert isinstance(trial.program, PythonProgram)
    return trial.program


def _before_steps(found: list[tuple[bool, Event]], trial: Trial) -> list[tuple[bool, Event]]:
    """The values that are computed before a parameter takes its first step, or all where none is."""
    order = {event.key: place for place, event in enumerate(trial.run.events)}
    end = min((order[key] for key in trial.probe.steps if key in order), default=len(order))
    return [each for each in found if order[each[1].key] < end] or found


def _is_but_watched(truths: Truths) -> bool:
    """Whether J is that of examples that are kept for validation, or for a test, and no gradient follows it."""
    data = (symbols.base_of(event.name) for event in truths.run.events if event.name and event.key in truths.by_key)
    if not any(map(HELD_OUT.match, data)):
        return False
    claims = Claims(truths).of(truths.run, {})
    gradients = (each for each in claims if each.kind in (PARAMETER, UPDATE) and np.size(each.truth.gradient) > 1)
    return all(each.factor is None for each in gradients)


def _text(event: Event) -> str:
    return ast.unparse(event.statement) if event.statement is not None else ""


def _may_be_cost(event: Event) -> bool | None:
    """Whether a value looks like a cost by its name; None for what cannot be one."""
    if event.role not in (NAMED, ENTRY, RETURNED) or event.missing or np.size(event.value) != 1:
        return None
    value = float(np.ravel(event.value)[0])
    if not np.isfinite(value) or value == round(value):
        return None
    if event.role == RETURNED:
        looks = bool(OF_COSTS.search(event.function))
        return looks if np.ndim(event.value) == 0 or looks else None
    stem = re.sub(r"\[-?\d+\]$", "", symbols.base_of(event.name))
    if not symbols.is_cost(symbols.base_of(stem)) or _is_smoothed(event):
        return None
    if is_linear_in_an_error(getattr(event.statement, "value", None)):
        return None
    if (ERRORS.match(stem) or np.ndim(event.value)) and not REDUCES.search(_text(event).partition("=")[2]):
        return None
    return True


def _is_smoothed(event: Event) -> bool:
    """Whether a value is a moving average of itself and another: ``s = 0.999 * s + 0.001 * loss``."""
    match event.statement:
        case ast.Assign(targets=[target], value=ast.BinOp(left=left, op=ast.Add(), right=right)):
            weights = [_weight_of(each) for each in (left, right)]
            own = {ast.unparse(each) for part in (left, right) for each in ast.walk(part)}
            return None not in weights and sum(map(float, weights)) == 1 and ast.unparse(target) in own  # type: ignore[arg-type]
    return False


def _weight_of(node: ast.expr) -> float | None:
    """The number that a product has as a factor, None for none."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for each in (node.left, node.right):
            if isinstance(each, ast.Constant) and isinstance(each.value, int | float):
                return each.value
    return None


def _holds_classes(value: Any, trial: Trial) -> bool:
    """Whether labels are numbers of classes: whole, in one row, and no value of the program has their shape."""
    if np.ndim(value) != 1 or np.any(np.asarray(value) != np.round(np.asarray(value))):
        return False
    return not any(
        event.shape == np.shape(value) and np.any(event.value != np.round(event.value))
        for event in trial.run.events
        if event.role in (NAMED, RETURNED) and not event.missing
    )


def _may_have_gradients(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function computes something that is not a forward pass or a cost by its name and the names in it."""
    inside = [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]
    forward = FORWARD.match(node.name) and not any(map(symbols.may_be_gradient, inside))
    if re.fullmatch(r"__\w+__", node.name) and len(node.body) == 1:
        return False  # an operator by another one
    return not forward and any(isinstance(each, ast.BinOp) for each in ast.walk(node))
