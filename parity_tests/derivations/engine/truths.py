"""The truths: dJ/dv for every value v on the way to J, found by autograd in one run and confirmed by the complex step.

The two referees share the evaluator and nothing else. A truth is confirmed when it is used: along a random direction,
and entry by entry where that differs. Where they differ for good, nothing is said about the writer, and central
differences say which of the two is wrong.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch

from parity_tests.derivations.engine.events import BOUND, ENTRY, GIVEN, NAMED, PART, RETURNED, Event, Key, Run
from parity_tests.derivations.engine.numbers.kinds import PLAIN, STEP, TAPE, Kind, plain, put
from parity_tests.derivations.engine.numbers.step import Step
from parity_tests.derivations.engine.numbers.tape import Tape
from parity_tests.derivations.engine.numbers.tensor import Tensor
from parity_tests.derivations.engine.probes import Probe
from parity_tests.derivations.engine.replay import Program
from parity_tests.derivations.verdicts import CALL, COST

STEP_SIZE = 1e-30
AGREE = 1e-9
"""How far the referees may differ along a direction, of the sum of the absolute terms."""

CENTRAL, AGREE_CENTRAL = 1e-5, 1e-6
"""The step of central differences, and how near they come to the derivative that they agree with."""

DIFFERENCES, AGREE_DIFFERENCES = (1e-3, 1e-4, 1e-5), 1e-7
"""Steps where differences are the second referee, and how far they may differ, of the absolute terms or of J."""

TINY = 1e-14
"""A derivative that is not larger vanishes: its terms, of the size of 1, cancel."""

ZERO = 1e-12
"""What rounding may leave of a value that vanishes, where the text or the complex step adds its terms up."""

FROM_ABOVE = re.compile(r"np\.sum\((\w+) \* (?!\1\b)\w+\)(?: \+ np\.sum\((\w+) \* (?!\2\b)\w+\))*")


class Cost(NamedTuple):
    """J: the value at a place of the program, or a function of it where the text does not write J down.

    Of the latter, ``formula`` is J in the program's own names, and ``names`` are those of the output and the labels.
    """

    key: Key
    text: str
    line: int
    of: Callable[[Any, Mapping[str, Any]], Any] | None = None
    formula: str = ""
    names: tuple[str, str] = ("", "")
    is_a_guess: bool = False
    """Whether neither a name nor the person says that the value is J."""
    is_old: bool = False
    """Whether J is taken at the parameters before their steps, though it is computed behind them."""
    foreign: frozenset[Key] = frozenset()
    """The places that belong to another cost, of a network that is trained beside this one."""

    def value(self, here: Any, given: Mapping[str, Any]) -> Any:
        """J from the value at the place, and from the free names."""
        return here if self.of is None else self.of(here, given)


class Truth(NamedTuple):
    """A value on the way to J, and dJ in it."""

    event: Event
    gradient: Any


def _direction(key: Key, truth: Truth) -> Any:
    """A random direction of a value, the same each time."""
    return np.random.default_rng([3, abs(key[0])]).standard_normal(np.shape(truth.gradient))


class Truths:
    """All truths of one cost on one probe."""

    def __init__(self, program: Program, probe: Probe, run: Run, cost: Cost) -> None:
        self.program, self.probe, self.run, self.cost = program, probe, run, cost
        self.problem = ""
        self.differs = False
        self.by_differences = False
        self.sure: dict[Key, bool] = {}
        self.undone: dict[Key, Key] = {}
        """Steps before J, each with the place of the old value, which J depends on as well: J is that of no step."""
        gradients = self._by_autograd()
        self.undone = self._taken_before(gradients)
        if self.undone:
            gradients = self._by_autograd()
        found = [(event.key, Truth(event, gradients[event.key])) for event in run.events if event.key in gradients]
        found = [(key, truth) for key, truth in found if key != cost.key or cost.of]
        sizes = {key: np.max(np.abs(truth.gradient), initial=0.0) for key, truth in found}
        self.by_key: dict[Key, Truth] = {key: truth for key, truth in found if sizes[key] > TINY}
        self.vanishing: dict[Key, Truth] = {key: truth for key, truth in found if sizes[key] <= TINY}
        self.round = program.round_of(self.by_key.keys())
        self.partial = self._partial()

    def _taken_before(self, gradients: Mapping[Key, Any]) -> dict[Key, Key]:
        """The steps between the forward pass and a J that reads both the old and the new value of a parameter.

        ``h = f(X, w)``, then ``w -= lr * dw``, then the loss of h with a penalty on w.
        """
        order = {event.key: place for place, event in enumerate(self.run.events)}
        steps, end = self.probe.steps, order.get(self.cost.key, 0)
        before = {new: old for new, old in steps.items() if order.get(new, end) < end}
        if self.cost.is_old:
            return before
        return {
            new: old
            for new, old in before.items()
            if new in gradients and old in gradients and new not in before.values()
        }

    @cached_property
    def stepped(self) -> list[Truth]:
        """The derivatives in what takes steps."""
        return [self.by_key[key] for key in self.probe.steps.values() if key in self.by_key]

    @property
    def sums_examples(self) -> bool:
        """Whether J is put into the program, and is the sum over the examples that a loop takes one by one."""
        return self.cost.line == COST and self.cost.key[1] > 0

    @property
    def are_from_above(self) -> bool:
        """Whether a call behind the file gives the derivative in an output: J is the sum of their products."""
        statement = next((each.statement for each in self.run.events if each.key == self.cost.key), None)
        if self.cost.line < CALL or not isinstance(statement, ast.Assign):
            return False
        return bool(FROM_ABOVE.fullmatch(ast.unparse(statement.value)))

    def _by_autograd(self) -> dict[Key, Any]:
        """dJ/dv of every value, from one run on torch's tape."""
        recorded: dict[Key, Any] = {}
        found: list[Any] = []
        given: dict[str, Any] = dict(self.probe.given)
        free = self.free_keys()

        def hook(key: Key, value: Any) -> Any:
            if isinstance(value, Tape):
                tensor = recorded[self.undone[key]] if key in self.undone else value.tensor
                tensor = tensor * 1.0 if tensor.requires_grad else tensor.detach().clone().requires_grad_()
                tensor.retain_grad()
                recorded[key] = tensor
                value = put(value, Tape(tensor))
                if key in free:
                    given[free[key]] = value
            if key == self.cost.key:
                found.append(self.cost.value(value, given))
            return value

        run = self.program.run(self.probe.given, TAPE, hook, self.cost.key, keep=True)
        cost = found[0] if found else None
        if not isinstance(cost, Tape) or not cost.tensor.requires_grad:
            self.problem = "J does not depend on any value of the text"
            return {}
        if not np.all(np.isfinite(plain(cost))):
            self.problem, self.differs = "J is not finite on the values that are tried", True
            return {}
        if not self._same_values(run):
            self.problem, self.differs = "autograd's values are not those that NumPy computes here", True
            return {}
        cost.tensor.sum().backward()  # type: ignore[no-untyped-call]
        return {key: tensor.grad.numpy() for key, tensor in recorded.items() if tensor.grad is not None}

    def _same_values(self, run: Run) -> bool:
        """Whether the tape computed what float64 computed: a difference would be a rule gone wrong, or a lost view."""
        here = {event.key: event.value for event in run.events}
        tape: list[Any] = [()]
        own: list[Any] = [()]
        for event in self.run.events:
            if event.key in self.undone:
                break  # J is another one from here
            other = here.get(event.key)
            if other is None or event.missing or not isinstance(other, np.ndarray | np.generic):
                continue
            if np.shape(other) != np.shape(event.value):
                return False
            tape.append(np.ravel(other))
            own.append(np.ravel(event.value))
        return np.allclose(np.concatenate(tape), np.concatenate(own), 1e-9, 1e-12, True)

    def _partial(self) -> frozenset[Key]:
        """The arguments of functions that J depends on by another way, too: their truths are of this way alone."""
        firsts: dict[tuple[tuple[int, ...], bytes], Truth] = {}
        found = set()
        for key, truth in self.by_key.items():
            if truth.event.role == PART or np.size(truth.event.value) < 2 or np.ptp(truth.event.value) == 0:
                continue
            first = firsts.setdefault((truth.event.shape, truth.event.value.tobytes()), truth)
            of_function = truth.event.function and truth.event.role in (BOUND, NAMED)
            if of_function and not np.allclose(first.gradient, truth.gradient, AGREE, TINY):
                found.add(key)
        return frozenset(found)

    def slope(self, key: Key, direction: Any) -> float:
        """The derivative of J along a direction of one value, by the complex step."""
        if self.by_differences:
            return self._differences(key, direction)
        found = self._cost_with(STEP, {key: 1j * STEP_SIZE * direction})
        if isinstance(found, Tensor):
            self.by_differences = True
            return self._differences(key, direction)
        if not isinstance(found, Step) or not np.allclose(plain(found), self._value_of_cost(), 1e-9):
            return np.nan
        return float(np.sum(np.imag(found.view(np.ndarray)))) / STEP_SIZE

    def _cost_with(self, kind: Kind, changes: Mapping[Key, Any]) -> Any:
        """J where changes are added to some values; None where J is not reached."""
        found: list[Any] = []
        given: dict[str, Any] = dict(self.probe.given)
        free = self.free_keys()
        olds: dict[Key, Any] = {}

        def hook(here: Key, value: Any) -> Any:
            if here in self.undone:
                value = put(value, olds[self.undone[here]])
            change = changes.get(here)
            if change is not None and isinstance(value, Step):
                value = put(value, Step(value.view(np.ndarray) + change))
            elif change is not None and isinstance(value, np.ndarray):
                moved = plain(value) + change
                value = put(value, Step(moved) if kind is STEP else moved)
            elif change is not None and isinstance(value, Tensor):
                value = put(value, value.tensor.detach() + torch.as_tensor(np.real(change)))
            elif change is not None and kind is PLAIN:
                value = value + change
            if here in free:
                given[free[here]] = value
            if here in self.undone.values():
                olds[here] = value.tensor if isinstance(value, Tape) else np.array(value)
            if here == self.cost.key:
                found.append(self.cost.value(value, given))
            return value

        self.program.run(self.probe.given, kind, hook, self.cost.key, keep=False)
        return found[0] if found else None

    def _differences(self, key: Key, direction: Any) -> float:
        """The derivative along a direction by central differences, where numbers are torch's: the nearest of three."""
        terms = (self.by_key.get(key) or self.vanishing[key]).gradient * direction
        wanted, near_enough = float(np.sum(terms)), AGREE_DIFFERENCES * np.sum(np.abs(terms))
        slopes = []
        for step in DIFFERENCES:
            values = [self._cost_with(PLAIN, {key: number * step * direction}) for number in (-2, -1, 1, 2)]
            if any(each is None for each in values):
                return np.nan
            low, near, next_one, high = (float(each) for each in values)
            slopes.append((8 * (next_one - near) - (high - low)) / (12 * step))
            if abs(slopes[-1] - wanted) <= near_enough:
                break
        return min(slopes, key=lambda slope: abs(slope - wanted))

    def _value_of_cost(self) -> Any:
        """J as NumPy computes it."""
        if self.undone:
            return self._cost_with(PLAIN, {self.cost.key: 0.0})
        here = next(event.value for event in self.run.events if event.key == self.cost.key)
        return self.cost.value(here, self.probe.given)

    def free_keys(self) -> dict[Key, str]:
        """The places of the free names, each with its name."""
        if self.probe.places is not None:
            return dict(self.probe.places)
        return {(-1 - number, 0): name for number, name in enumerate(self.probe.given)}

    def confirmed(self, truth: Truth) -> bool:
        """Whether the second referee says the same; asked once for each value."""
        key = truth.event.key
        if key not in self.sure:
            direction = _direction(key, truth)
            terms = truth.gradient * direction
            size = np.sum(np.abs(direction)) * ZERO if key in self.vanishing else np.sum(np.abs(terms)) * AGREE
            slope = self.slope(key, direction)
            if self.by_differences:
                size = max(size, AGREE_DIFFERENCES * max(np.sum(np.abs(terms)), abs(self._value_of_cost())))
            self.sure[key] = bool(abs(slope - np.sum(terms)) <= size)
        return self.sure[key]

    def confirm(self, truths: Iterable[Truth]) -> None:
        """Ask the second referee for several values at once: each that contributes as it should is sure.

        Of changes of about the same effect the derivatives add up; where the sum differs, each is asked for by itself.
        """
        if self.by_differences:
            return
        changes, terms = {}, []
        for key, truth in {each.event.key: each for each in truths}.items():
            direction = _direction(key, truth)
            size = np.sum(np.abs(truth.gradient * direction))
            if key in self.by_key and key not in self.sure and size:
                changes[key] = 1j * STEP_SIZE * direction / size
                terms.append(np.sum(truth.gradient * direction) / size)
        found = self._cost_with(STEP, changes) if len(changes) > 1 else None
        if isinstance(found, Step) and np.allclose(plain(found), self._value_of_cost(), 1e-9):
            slope = float(np.sum(np.imag(found.view(np.ndarray)))) / STEP_SIZE
            if abs(slope - sum(terms)) <= AGREE:
                self.sure |= dict.fromkeys(changes, True)

    def by_central_differences(self, key: Key, direction: Any) -> float:
        """The same derivative from two values of J: what needs no rule, and has half of the digits."""
        size = CENTRAL / max(1.0, float(np.max(np.abs(direction), initial=0.0)))
        after, before = (self._cost_with(PLAIN, {key: sign * size * direction}) for sign in (1.0, -1.0))
        return np.nan if after is None else float(np.sum(after) - np.sum(before)) / (2 * size)

    def dispute(self, truth: Truth, meaning: str) -> str:
        """What is said where the referees differ: no verdict, and which of them central differences contradict."""
        said = f"the referees differ on {meaning}: this cannot be told."
        key = truth.event.key
        direction = _direction(key, truth)
        third = self.by_central_differences(key, direction)
        ways = {"autograd": float(np.sum(truth.gradient * direction)), "the complex step": self.slope(key, direction)}
        near = [way for way, slope in ways.items() if np.isclose(slope, third, rtol=AGREE_CENTRAL, atol=0.0)]
        if len(near) != 1:
            return said
        (other,) = ways.keys() - set(near)
        return f"{said} Central differences agree with {near[0]}, so {other} is wrong here."

    def named(self) -> list[Truth]:
        """The truths of values that have a name."""
        return [truth for truth in self.by_key.values() if truth.event.role != PART and truth.event.name]

    def distinct(self) -> list[Truth]:
        """One truth for each different gradient: that of a named value before those of parts."""
        seen: set[tuple[tuple[int, ...], bytes]] = set()
        kept = []
        order = (NAMED, GIVEN, ENTRY, BOUND, RETURNED, PART)
        for truth in sorted(self.by_key.values(), key=lambda each: order.index(each.event.role)):
            mark = (np.shape(truth.gradient), np.round(truth.gradient, 10).tobytes())
            if mark not in seen:
                seen.add(mark)
                kept.append(truth)
        return kept
