"""What the lines of the backward pass claim to be, by their values first and their names second.

A value that is a constant times dJ/dv is that derivative, whatever it is called. A name such as ``dW1`` or
``grads["b2"]`` creates an obligation: that value has to be a derivative in W1 or b2, and so has the step of an update.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch

from parity_tests.derivations.agreement import agrees
from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.convention import in_words, ratio_of, same_factor
from parity_tests.derivations.engine.events import BOUND, ENTRY, GIVEN, NAMED, RETURNED, Event, Key, Missing, Run
from parity_tests.derivations.engine.numbers.kinds import PLAIN, TAPE, put
from parity_tests.derivations.engine.numbers.tape import Tape
from parity_tests.derivations.engine.roles import is_parameter
from parity_tests.derivations.engine.slopes import Slopes
from parity_tests.derivations.engine.truths import Truth, Truths
from parity_tests.derivations.engine.turns import is_built_up

PARAMETER, INNER, UPDATE, VALUE = "parameter", "inner", "update", "value"
"""Kinds of claims: the gradient of a parameter, a named derivative on the way, a step, a value without such a name."""


SAME_DIRECTION = 1e-6
"""One minus the cosine of values that may be multiples of each other."""

PASSES = re.compile(
    r"(?<![a-z])(forward|fwd|fprop|forwards|backward|backwards|bwd|bprop|back_?prop|back|grads?|gradients?|vjp)(?![a-z])"
)
"""What the name of a function says of the direction in which it goes."""


class Claim(NamedTuple):
    """An assignment and the truth it is held against; ``factor`` is value / truth, None where that is no number."""

    event: Event
    truth: Truth
    factor: float | None
    kind: str
    others: tuple[Truth, ...] = ()
    old: Event | None = None
    """The value from which a step was taken."""

    @property
    def parameter(self) -> str:
        """The symbol of the truth."""
        return symbols.base_of(self.truth.event.name)


class Claims:
    """All claims of one run, and what else the text assigned."""

    def __init__(self, truths: Truths) -> None:
        self.truths = truths
        self.named = truths.named()
        self.names = {truth.event.name for truth in self.named}
        given, roles = truths.probe.given, truths.probe.roles
        steps, in_text = truths.probe.steps, truths.probe.places is None
        changed = {event.name for event in truths.run.events if event.role == NAMED and (in_text or event.key in steps)}
        self.parameters = {
            name
            for name, value in given.items()
            if name in self.names and is_parameter(name, value, roles)
            if symbols.base_of(name) != "A" or name in changed  # the argument of linear_forward(A, W, b)
        }
        self.of_parameters = {mark_of(truth) for truth in self.named if truth.event.name in self.parameters}
        self.matches: dict[tuple[tuple[int, ...], bytes], tuple[Truth, float] | None] = {}
        """What a value is, by its shape and its bytes: most values are the same in every run."""
        self.directions: dict[tuple[int, ...], Any] = {}
        """The truths of each shape as vectors of length 1."""
        self.changed: dict[Key, list[tuple[frozenset[Key], set[Key]]]] = {}
        """What changes with a value, by what stood in place of others."""
        self.by_shape: dict[tuple[int, ...], list[Truth]] = {}
        for truth in truths.distinct():
            if roles.is_label(truth.event.name):
                continue
            self.by_shape.setdefault(np.shape(truth.gradient), []).append(truth)
        self.forward = {(truth.event.shape, truth.event.value.tobytes()) for truth in self.named}
        names = {event.name for event in truths.run.events if event.name}
        self.meant = {name: self._trusted(name) for name in names}
        self.meant |= self._of_the_only_parameter()
        self.order = {event.key: place for place, event in enumerate(truths.run.events)}
        self.following: dict[Key, bool] = {}
        self.slopes = Slopes(truths)
        self.of_the_text: list[Claim] | None = None
        """Those of the text as it is, which are asked for again and again."""
        self.replays = 0
        """How many events there were in all runs with other values: the same on every machine, unlike the time."""

    def _trusted(self, name: str) -> tuple[str, ...]:
        """What a name says it is the derivative in; a delta says so of parameters alone."""
        meant = symbols.meant_by(name, self.names) or symbols.family_of(name, self.names)
        bases = tuple(base for base in meant if base != name)
        return tuple(base for base in bases if base in self.parameters) if "delta" in name.lower() else bases

    def _of_the_only_parameter(self) -> dict[str, tuple[str, ...]]:
        """What ``grad`` is in a text with one parameter of its shape, and no other name for a derivative in one."""
        named = any(self.parameters.intersection(each) for each in self.meant.values())
        last = {event.name: event for event in self.truths.run.events if symbols.ALONE.match(event.name)}
        if named or self.truths.probe.places is not None or len(last) != 1:
            return {}
        ((name, event),) = last.items()
        shapes = {each: np.shape(self.truths.probe.given[each]) for each in self.parameters}
        fitting = [] if event.missing else [each for each, shape in shapes.items() if shape == event.shape]
        return {name: tuple(fitting)} if len(fitting) == 1 else {}

    def replayed(self, overrides: dict[Key, Any]) -> Run:
        """The run with other values put behind some places."""
        if not overrides:
            return self.truths.run

        def hook(key: Key, value: Any) -> Any:
            return np.array(overrides[key], np.float64) if key in overrides else value

        run = self.truths.program.run(self.truths.probe.given, PLAIN, hook)
        self.replays += len(run.events)
        return run

    def of(self, run: Run, overrides: dict[Key, Any]) -> list[Claim]:
        """The claims of a run, in their order; what was put in place of a value is none."""
        if run is not self.truths.run or overrides:
            return self._of(run, overrides)
        if self.of_the_text is None:
            self.of_the_text = self._of(run, overrides)
        return list(self.of_the_text)

    def own(self, run: Run) -> list[Event]:
        """The values of the round that belong to no other cost."""
        foreign = self.truths.cost.foreign
        return [event for event in self.truths.round.events(run.events) if event.key not in foreign]

    def _of(self, run: Run, overrides: dict[Key, Any]) -> list[Claim]:
        events = self.own(run)
        last = {event.name: event for event in events if event.role in (NAMED, ENTRY) or self._is_drawn(event)}
        found: list[Claim] = []
        before: dict[str, Event] = {}
        met: set[str] = set()
        steps = self.truths.probe.steps
        self.olds = {event.key: event for event in run.events if event.key in steps.values()}
        for event in events:
            named = (event.role in (NAMED, ENTRY) and event.name) or self._is_drawn(event)
            returned = event.role == RETURNED and self.truths.probe.places is not None
            if (named or returned) and event.key not in overrides:
                claim = self._claim(event, before.get(event.name), last.get(event.name) is event, event.name in met)
                if claim is not None:
                    found.append(claim)
                    if claim.kind == INNER and claim.factor is not None:
                        met.add(event.name)
            if event.role == BOUND and not event.missing and self._is_meant(event):
                met.add(event.name)  # an argument that is what it says may go on to another value
            elif event.role == BOUND and event.key not in overrides and self._is_of_one_way(event):
                found += [each for each in [self._obligation(event, self.meant[event.name])] if each is not None]
            if event.name and not event.missing:
                before[event.name] = event
        return self._without_parts([*found, *self._beside(found, events, overrides)], events)

    def _beside(self, found: list[Claim], events: Sequence[Event], overrides: dict[Key, Any]) -> list[Claim]:
        """What a function returns beside gradients: that of the one parameter of its shape that has no other."""
        if self.truths.probe.places is None or self.truths.sums_examples:  # there each is that of one example
            return []
        known = {mark_of(each.truth) for each in found} & self.of_parameters
        sites = Counter(each.key[0] for each in events if each.role == RETURNED)
        returned = [each for each in events if each.role == RETURNED and sites[each.key[0]] <= len(_returned_by(each))]
        names = {symbols.written(each.event.name) for each in found if mark_of(each.truth) in known}
        of_gradients = {id(each.statement) for each in returned if names & _returned_by(each)}
        of_gradients |= {
            id(each.event.statement)
            for each in found
            if each.event.role == RETURNED and each.factor is not None and mark_of(each.truth) in known
        }
        claimed = {each.event.key for each in found} | overrides.keys() | self.truths.by_key.keys()
        more = []
        for event in returned:
            if event.key in claimed or id(event.statement) not in of_gradients or event.missing:
                continue
            left = [each for each in self.named if mark_of(each) in self.of_parameters - known]
            left = [each for each in left if np.shape(each.gradient) == event.shape]
            one = len({mark_of(each) for each in left}) == 1 and np.size(event.value) > 1
            if one and not self.is_copy(event) and self.follows_the_pass(event.key):
                more.append(Claim(event, left[0], None, PARAMETER, (left[0],)))
        return more

    def follows_the_pass(self, key: Key) -> bool:
        """Whether a value is computed from those on the way to J, as derivatives are; an optimiser's state is not."""
        if key not in self.following:
            way = self.truths.by_key.keys() - (self.truths.probe.places or {}).keys() - {key}
            self.following[key] = bool(way & (self.leads_to(key, {}) or set()))
        return self.following[key]

    def _is_drawn(self, event: Event) -> bool:
        """Whether a derivative by its name depends on nothing: that of a hinge loss in a bias counts labels."""
        if event.role != GIVEN or event.missing or self.truths.probe.places is None or not np.any(event.value):
            return False
        return event.statement is not None and bool(self.meant.get(event.name))

    def _without_parts(self, found: list[Claim], events: Sequence[Event]) -> list[Claim]:
        """The claims but those of a function that is called several times and gives a part of a sum each time.

        The sum has a name of its own further on; where it is but the last part under that name, the name claims it.
        """
        times = Counter(event.key[0] for event in events if "#" in event.name and not is_built_up(event))
        order = {event.key: place for place, event in enumerate(events)}
        ends = {
            event.name: event
            for event in events
            if event.role == BOUND and isinstance(event.statement, ast.Assign) and self.meant.get(event.name)
        }
        bound = [claim for event in ends.values() if (claim := self._obligation(event, self.meant[event.name]))]
        ends_of_sums = [each for each in (*found, *bound) if each.kind in (PARAMETER, INNER)]
        left: list[Claim] = []
        for claim in found:
            marks = {mark_of(truth) for truth in claim.others}
            later = [
                each
                for each in (ends_of_sums if times[claim.event.key[0]] > 1 and claim.factor is None else ())
                if order[each.event.key] > order[claim.event.key]
                and each.event.key[0] != claim.event.key[0]
                and mark_of(each.truth) in marks
            ]
            if not later:
                left.append(claim)
            elif all(each in bound for each in later):
                left += [each for each in later[-1:] if each not in left]
        return left

    def _is_meant(self, event: Event) -> bool:
        """Whether a value is the derivative that its name says."""
        bases = self.meant.get(event.name, ())
        return bool(bases and self._along(event.value)) and any(
            ratio_of(event.value, truth.gradient) is not None
            for truth in self.named
            if truth.event.name in bases and self._may_be(event, truth)
        )

    def _is_of_one_way(self, event: Event) -> bool:
        """Whether ``dx = dx_norm`` takes the derivative in an argument of one function for that in all its uses."""
        if event.missing or not isinstance(event.statement, ast.Assign) or not self.meant.get(event.name):
            return False
        match = self._match(event)
        return match is not None and match[0].event.key in self.truths.partial

    def _may_be(self, event: Event, truth: Truth) -> bool:
        """Whether a value may be that derivative: in an argument alone, in the backward pass of its own function."""
        if truth.event.key not in self.truths.partial:
            return True
        return self._home(event) == self._home(truth.event) and event.function != truth.event.function

    @cached_property
    def classes(self) -> list[ast.ClassDef]:
        """The classes of the program."""
        return [each for each in ast.walk(self.truths.program.tree) if isinstance(each, ast.ClassDef)]

    def _home(self, event: Event) -> tuple[str, str]:
        """The class of the function that a value stands in, and the function's name without forward or backward."""
        line = 0 if event.statement is None else getattr(event.statement, "lineno", 0)
        inside = (each.name for each in self.classes if each.lineno <= line <= (each.end_lineno or 0))
        return next(inside, ""), PASSES.sub("", event.function.lower()).strip("_")

    def _claim(self, event: Event, old: Event | None, is_last: bool, met: bool) -> Claim | None:
        """What an assignment claims; a name that has ``met`` its obligation once may go on to another value."""
        is_forward = event.key in self.truths.by_key and event.key not in self.truths.undone
        if is_forward or event.key == self.truths.cost.key:
            return None
        if self.truths.probe.places is not None and event.key in self.truths.probe.steps:
            before = self.truths.probe.steps[event.key]
            return self._step(event, self.olds.get(before), self.truths.by_key.get(before))
        if self.truths.probe.places is None and event.name in self.parameters:
            return self._update(event, old)
        bases = self.meant.get(event.name, ())
        if bases:
            claim = self._obligation(event, bases)
            part = (
                np.size(event.value) == 1
                and not is_last
                and (claim is None or in_words(claim.factor or 0.1, {}) is None)
            )
            inner = claim is not None and claim.factor is not None and claim.kind == INNER and not part
            if claim is not None and (inner or (is_last and not met)):
                match = self._match(event) if self.truths.probe.roles.is_label(claim.truth.event.name) else None
                unlike = claim.factor is None and not event.missing and event.shape != np.shape(claim.truth.gradient)
                if unlike and self.is_of_fixed(claim) and self._match(event) is not None:
                    claim = claim._replace(kind=INNER)  # ``d_real`` in a critic is that in what it says of it
                if not self._is_rearranged(claim):
                    return claim if match is None or claim.factor is None else Claim(event, *match, INNER)
        match = self._match(event)
        place = self.order.get(event.key, len(self.order)) if not self.truths.cost.is_old else len(self.order)
        if match is None or place < self.order.get(match[0].event.key, 0):
            return None  # no derivative is known before the value that it is in: labels may look like one
        return Claim(event, *match, VALUE)

    def _is_rearranged(self, claim: Claim) -> bool:
        """Whether a value is the derivative in the same entries in another order, as by heads: ``do`` of a later o."""
        if claim.factor is not None or claim.kind != INNER or claim.event.missing:
            return False
        same = np.size(claim.event.value) == np.size(claim.truth.gradient)
        return same and claim.event.shape != np.shape(claim.truth.gradient) and self._match(claim.event) is not None

    def is_of_fixed(self, claim: Claim) -> bool:
        """Whether a value is called after something that takes no step, as a mask is, beside what takes one."""
        stepped = {mark_of(each) for each in self.truths.stepped}
        return bool(stepped) and stepped.isdisjoint(map(mark_of, (claim.truth, *claim.others)))

    def _match(self, event: Event) -> tuple[Truth, float] | None:
        """The derivative that a value is, up to a constant; labels are no values of a network."""
        if event.missing or np.size(event.value) < 2:
            return None
        mark = event.shape, event.value.tobytes()
        if mark not in self.matches:
            truths = [] if mark in self.forward or not np.any(event.value) else self._along(event.value)
            found = ((truth, ratio_of(event.value, truth.gradient)) for truth in truths)
            self.matches[mark] = next(((truth, factor) for truth, factor in found if factor is not None), None)
        return self.matches[mark]

    def _along(self, value: Any) -> list[Truth]:
        """The truths of its shape whose direction a value has, or the opposite one: few are left to look at closely."""
        truths = self.by_shape.get(np.shape(value), [])
        if len(truths) < 2 or not np.all(np.isfinite(value)) or not np.any(value):
            return truths
        if np.shape(value) not in self.directions:
            self.directions[np.shape(value)] = np.stack([_direction(each.gradient) for each in truths])
        cosines = np.abs(self.directions[np.shape(value)] @ _direction(value))
        return [truth for truth, cosine in zip(truths, cosines, strict=True) if cosine > 1 - SAME_DIRECTION]

    def leads_to(self, key: Key, overrides: dict[Key, Any]) -> set[Key] | None:
        """The places whose values a value is computed from, by autograd; None where it cannot follow."""
        reached: set[Key] = set(*self.slopes_of([(key, 1.0)], overrides))
        return reached if len(reached) > 1 else None  # a step begins anew

    def slopes_of(self, ends: Sequence[tuple[Key, Any]], overrides: dict[Key, Any]) -> list[dict[Key, Any]]:
        """How some values along their directions change with what they are computed from, by autograd."""
        recorded: dict[Key, torch.Tensor] = {}
        wanted = {key for key, _ in ends}

        def hook(here: Key, value: Any) -> Any:
            if isinstance(value, Tape):
                tensor = value.tensor
                if here in wanted and value.before is not None:
                    tensor = value.before
                if here in overrides:
                    tensor = torch.as_tensor(np.array(overrides[here], np.float64))
                recorded[here] = tensor * 1.0 if tensor.requires_grad else tensor.detach().clone().requires_grad_()
                put(value, Tape(recorded[here]))
            return value

        last = max(wanted, key=lambda key: self.order.get(key, -1))
        self.truths.program.run(self.truths.probe.given, TAPE, hook, last, keep=False)
        found: list[dict[Key, Any]] = []
        for key, direction in ends:
            end = recorded.get(key)
            along = None if end is None else torch.sum(end * torch.as_tensor(direction))
            slopes = (
                ()
                if along is None
                else torch.autograd.grad(along, list(recorded.values()), retain_graph=True, allow_unused=True)
            )
            pairs = zip(recorded, slopes, strict=along is not None)
            found.append({place: slope.numpy() for place, slope in pairs if slope is not None})
        return found

    def is_copy(self, event: Event) -> bool:
        """Whether a value is one of the forward pass under another name."""
        return (event.shape, event.value.tobytes()) in self.forward

    def is_local(self, claim: Claim) -> bool:
        """Whether a value is the slope of a unit that its name names: ``dA = 1 - A**2``, dA/dZ and not dJ/dA."""
        base = claim.truth.event
        if claim.event.missing or base.statement is None or claim.event.shape != base.shape or not base.shape:
            return False
        read = {each.id for each in ast.walk(base.statement) if isinstance(each, ast.Name)} - {base.name}
        if not any(each.event.name in read and each.event.shape == base.shape for each in self.named):
            return False
        slopes = (each for each in self.slopes.of(base) if each.event.name in read)
        return any(agrees(claim.event.value, each.gradient) for each in slopes)

    def _obligation(self, event: Event, bases: tuple[str, ...]) -> Claim | None:
        """The claim that a name makes; of several values of that symbol, the one that it is."""
        options = [truth for truth in self.named if truth.event.name in bases and self._may_be(event, truth)]
        if not options:
            return None
        kind = PARAMETER if any(mark_of(truth) in self.of_parameters for truth in options) else INNER
        if not event.missing:
            own = self.truths.probe.places or {}
            if np.size(event.value) == 1:  # a number is a multiple of any other: what a call got is but a part of it
                options = sorted(options, key=lambda each: each.event.key in own)
            for truth in reversed(options):
                factor = ratio_of(event.value, truth.gradient)
                if factor is not None:
                    return Claim(event, truth, factor, kind)
        best = next((truth for truth in reversed(options) if np.shape(truth.gradient) == event.shape), options[-1])
        if self.truths.probe.roles.is_label(best.event.name):
            best = self._compared_with(best)
            options = [best]
        return Claim(event, best, None, kind, tuple(options))

    def _compared_with(self, label: Truth) -> Truth:
        """The value that a label is compared with: J changes with both alike, up to the sign."""
        alike = self.by_shape.get(np.shape(label.gradient), ())
        return next((each for each in alike if ratio_of(each.gradient, label.gradient) is not None), label)

    def _update(self, event: Event, old: Event | None) -> Claim | None:
        """The step that a parameter takes."""
        truth = next(
            (each for each in self.named if each.event.name == event.name and each.event.role == "given"), None
        )
        return self._step(event, old, truth)

    @staticmethod
    def _step(event: Event, old: Event | None, truth: Truth | None) -> Claim | None:
        if old is None or truth is None or event.missing or old.missing:
            return None if truth is None or old is None else Claim(event, truth, None, UPDATE, (), old)
        if event.shape != old.shape:
            return Claim(event, truth, None, UPDATE, (), old)
        return Claim(event, truth, ratio_of(event.value - old.value, truth.gradient, 1e-7), UPDATE, (), old)

    def dependents(self, run: Run, event: Event, claims: list[Claim], overrides: dict[Key, Any]) -> list[Claim]:
        """The claims whose values change with this one."""
        if event.missing:
            return [claim for claim in claims if isinstance(claim.event.value, Missing) and claim.event is not event]
        changed = self._changed_by(run, event, claims, overrides)
        return [
            claim
            for claim in claims
            if claim.event.key != event.key and (claim.event.missing or claim.event.key in changed)
        ]

    def _changed_by(self, run: Run, event: Event, claims: list[Claim], overrides: dict[Key, Any]) -> set[Key]:
        """The places whose values change with one: as they did before, where nothing is put in place of any of them."""
        fixed = frozenset(overrides)
        for before, changed in self.changed.get(event.key, ()):
            if before <= fixed and not changed.intersection(fixed - before):
                return changed
        moved = self.replayed({**overrides, event.key: event.value * 1.37 + 0.011})
        values: Any = {each.key: each.value for each in moved.events}
        events = (*run.events, *(claim.event for claim in claims))
        changed = {each.key for each in events if each.missing or not np.array_equal(values.get(each.key), each.value)}
        self.changed.setdefault(event.key, []).append((fixed, changed))
        return changed


def _direction(value: Any) -> Any:
    """The entries of an array that is not zero as a vector of length 1."""
    entries = np.ravel(value) / np.max(np.abs(value))
    return entries / np.linalg.norm(entries)


def _returned_by(event: Event) -> set[str]:
    """What a function returns together; nothing where it returns one value."""
    value = getattr(event.statement, "value", None)
    return set(map(ast.unparse, value.elts)) if isinstance(value, ast.Tuple) else set()


def mark_of(truth: Truth) -> tuple[tuple[int, ...], bytes]:
    """The same for every name of one value."""
    return np.shape(truth.gradient), np.round(truth.gradient, 10).tobytes()


def holds_with(claim: Claim, factor: float) -> bool:
    """Whether a claim is this multiple of its truth."""
    return claim.factor is not None and same_factor(claim.factor, factor)
