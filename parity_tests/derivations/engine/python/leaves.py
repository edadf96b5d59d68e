"""What a program begins with: its leaves, the steps that its parameters take, and where its rounds of training end."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.events import BOUND, ENTRY, Event, Key
from parity_tests.derivations.engine.numbers.tape import Tape
from parity_tests.derivations.engine.numbers.tensor import Tensor
from parity_tests.derivations.engine.python.recorder import Halted

ROUNDS = 2

MOST_REFUSED = 16
"""How often a place is asked for a step that takes none, or for labels: each answer follows all that was computed."""

SAME_VALUES = frozenset(
    (
        "ViewBackward0", "CloneBackward0", "UnsafeViewBackward0", "ReshapeAliasBackward0", "ToCopyBackward0",
        "ExpandBackward0",
    )
)  # fmt: skip
"""What autograd calls operations that leave all values as they are."""


class Begun(NamedTuple):
    """What a program begins with.

    ``leaves`` by their places; ``steps``: the place where a parameter takes a step, and that of its old value;
    ``rounds``: the places where a round ends; ``shrinking``: the steps that scale the old value as well;
    ``computed``: values with names of labels that depend on more than labels and data; ``problem``: why the program
    ended before its end; ``velocities``: states that the gradient is taken ahead by.
    """

    leaves: dict[Key, str] = {}  # noqa: RUF012  (never changed)
    steps: dict[Key, Key] = {}  # noqa: RUF012  (never changed)
    rounds: tuple[Key, ...] = ()
    shrinking: frozenset[Key] = frozenset()
    computed: frozenset[Key] = frozenset()
    problem: str = ""
    velocities: frozenset[Key] = frozenset()


class Finder:
    """Looks on while a program runs on tensors: which values depend on nothing, and which are a parameter's next."""

    def __init__(self, states: frozenset[int] = frozenset()) -> None:
        """``states`` are the statements in which an optimiser's state changes, as an earlier look has shown."""
        self.known_states, self.states = states, set(states)
        self.leaves: dict[Key, str] = {}
        self.steps: dict[Key, Key] = {}
        self.rounds: list[Key] = []
        self.shrinking: set[Key] = set()
        self.computed: set[Key] = set()
        self.of_others: dict[int, list[bool]] = {}
        self.lineage: dict[int, tuple[Any, Key, Key]] = {}  # by the object: itself, the first place, the latest
        self.tensors: dict[int, torch.Tensor] = {}
        self.former: dict[Key, list[torch.Tensor]] = {}  # by the first place: its tensors before each step
        self.holders: dict[int, Tape] = {}  # by the tensor, the object that holds it
        self.last: dict[str, Any] = {}
        self.names_of: dict[int, set[str]] = {}  # by the object, the names that stand for it
        self.refused: Counter[int] = Counter()
        self.stepped: dict[Key, list[set[int]]] = {}  # by the first place: the statements of each step
        self.latest: Key | None = None
        self.velocities: set[Key] = set()
        self.decayed: dict[int, int] = {}  # by the object, the statement of its last step, in which it shrank
        self.begun: list[torch.Tensor] = []
        self.called: list[str] = []  # what each of these was called when it began

    def before(self, key: Key, event: Event, value: Any) -> Any:
        if event.role == "part" or not isinstance(value, Tape):
            return value
        if symbols.is_label(symbols.base_of(event.name)):
            answers = self.of_others.setdefault(key[0], [])
            if len(answers) < MOST_REFUSED:
                answers.append(self._is_of_others(value))
            self.computed |= {key} if answers[-1] else set()
        known = self.lineage.get(id(value))
        old = self.tensors.get(id(value))
        if known is not None and old is value.tensor:
            self._is_called(event.name, value)
            return value
        if known is None and value.tensor.is_leaf and (isinstance(value, Tensor) or not value.tensor.requires_grad):
            return self._leaf(key, event, value, key) if event.name else value  # what is returned is named behind
        before, shrinks = (value, False) if known is not None else self._old_of(event, value)
        asked = self.refused[key[0]] < MOST_REFUSED
        if before is not None and asked and self._is_step(event, key, before, value, shrinks):
            if shrinks:
                self.shrinking.add(key)
                self.decayed[id(value)] = key[0]
            _, first, latest = self.lineage[id(before)]
            if self._goes_on(event, key, self.stepped.get(first, [])) and latest in self.steps:
                self.steps[key] = self.steps.pop(latest)
                self.stepped[first][-1].add(key[0])
                self.latest = key
            else:
                self.steps[key] = latest
                self._count(first, key)
            self.former.setdefault(first, []).append(self.tensors[id(before)])
            value.tensor = value.tensor.detach()
            return self._leaf(key, event, value, first, named=False)
        set_to = event.role == ENTRY and not isinstance(event.statement, ast.AugAssign)
        if (
            known is not None and not set_to and asked and self._of_itself(value, old)
        ):  # ``W -= rate * decay * W``, ``X /= 255``
            self.leaves = {place: name for place, name in self.leaves.items() if place != known[2]}
            fresh = known[2] not in self.steps
            return self._leaf(key, event, value, key if fresh else known[1], named=fresh)
        self.refused[key[0]] += before is not None and not event.name.endswith(".data")
        if known is not None:
            del self.lineage[id(value)]  # built in place, it is a leaf no more
            self.leaves = {place: name for place, name in self.leaves.items() if place != known[1]}
        if event.role != BOUND or value.ndim or event.name not in self.last:  # else a copy of a number by its own name
            self._is_called(event.name, value)
        return value

    def _is_of_others(self, value: Tape) -> bool:
        """Whether a value is computed from more than labels and data: labels may be drawn by a rule."""
        if value.tensor.grad_fn is None:
            return False
        bases = map(symbols.base_of, self.called)
        known = [symbols.is_label(base) or symbols.is_data(base) for base in bases]
        others = [tensor for tensor, is_known in zip(self.begun, known, strict=True) if not is_known]
        found = torch.autograd.grad(value.tensor.sum(), others, retain_graph=True, allow_unused=True) if others else ()
        return any(each is not None for each in found)

    def _of_itself(self, value: Tape, old: torch.Tensor | None) -> bool:
        """Whether an array has changed by what it held alone."""
        if old is None or not value.tensor.requires_grad:
            return False
        others = [tensor for tensor in self.begun if tensor is not old]
        found = torch.autograd.grad(value.tensor.sum(), [old, *others], retain_graph=True, allow_unused=True)
        return found[0] is not None and all(each is None for each in found[1:])

    def _old_of(self, event: Event, new: Tape) -> tuple[Tape | None, bool]:
        """The parameter to which the new value adds a term and whose place it takes, and whether it shrinks as well."""
        base = symbols.base_of(event.name)
        for leaf, scaled in _terms(new.tensor.grad_fn):
            old = self.holders.get(id(leaf))
            if old is None or id(old) not in self.lineage or self.tensors[id(old)] is not leaf:
                continue
            names = {symbols.base_of(name) for name in self.names_of[id(old)]}
            if base in names or (not scaled and any(_renewed(base, name) for name in names)):
                return old, scaled
        return None, False

    def _is_called(self, name: str, value: Tape) -> None:
        """Keep what a name stands for from here on."""
        before = self.last.get(name)
        if before is not None:
            self.names_of[id(before)].discard(name)
        self.last[name] = value
        self.names_of.setdefault(id(value), set()).add(name)

    def _leaf(self, key: Key, event: Event, value: Tape, first: Key, named: bool = True) -> Tape:
        value.tensor = value.tensor.clone().requires_grad_()
        self.lineage[id(value)] = value, first, key
        self.tensors[id(value)] = value.tensor
        self.holders[id(value.tensor)] = value
        self.begun.append(value.tensor)
        self.called.append(event.name)
        self._is_called(event.name, value)
        if named:
            self.leaves[key] = event.name
        return value

    @staticmethod
    def _goes_on(event: Event, key: Key, steps: Sequence[set[int]]) -> bool:
        """Whether a statement changes other rows of an array than the one before it: both are one step."""
        target = event.statement.target if isinstance(event.statement, ast.AugAssign) else None
        rows = isinstance(target, ast.Subscript) and ast.unparse(target.value) == event.name.rpartition("#")[2]
        return rows and bool(steps) and key[0] not in steps[-1]

    def _count(self, first: Key, key: Key) -> None:
        """A round ends where a parameter takes its second step in it."""
        steps = self.stepped.setdefault(first, [])
        steps.append({key[0]})
        if len(steps) > len(self.rounds) + 1:
            assert self.latest is not None
            self.rounds.append(self.latest)
            if len(self.rounds) == ROUNDS:
                raise Halted
        self.latest = key

    def _is_step(self, event: Event, key: Key, old: Tape, new: Tape, shrinks: bool) -> bool:
        """Whether the new value is the old one and a change that depends on it; that of a moving average does not."""
        of_number = event.name.endswith(".data")  # what a node of a graph holds, beside its .grad
        if symbols.is_data(symbols.base_of(event.name)) and not of_number:
            return False
        if key[0] in self.known_states:
            self.velocities.add(self.lineage[id(old)][1])
            return False
        if symbols.meant_by(event.name, self.last):
            return False
        if _is_recurrence(event.statement):
            return False
        leaf = self.tensors[id(old)]
        if not new.tensor.requires_grad or not _is_as_large(leaf, new.tensor):
            return False
        cotangent = torch.linspace(0.7, 1.3, new.tensor.numel(), dtype=torch.float64).reshape(new.tensor.shape)
        others = [tensor for tensor in self.begun if tensor is not leaf]
        change = torch.sum(new.tensor * cotangent)
        found = torch.autograd.grad(change, [leaf, *others], retain_graph=True, allow_unused=True)
        if found[0] is None or all(each is None for each in found[1:]):
            return False
        if leaf.shape != new.tensor.shape:
            cotangent = cotangent.sum_to_size(leaf.shape)
        if not shrinks:
            self._sees_states(dict(zip(map(id, others), found[1:], strict=True)), cotangent)
        if shrinks:
            slopes = found[0] / cotangent
            return bool(torch.any((slopes - slopes.ravel()[0]).abs() > 1e-9))
        changed = bool(torch.any((found[0] != 0) & ~((found[0] - cotangent).abs() <= 1e-12)))  # or no number any more
        former = self.former.get(
            self.lineage[id(old)][1], []
        )  # other rows, by a derivative that was taken before the last step
        from_former = any(
            each is not None and any(tensor is one for one in former)
            for tensor, each in zip(others, found[1:], strict=True)
        )
        return changed or from_former or _adds_its_derivative(event, found[1:])

    def _sees_states(self, slopes: Mapping[int, torch.Tensor | None], cotangent: torch.Tensor) -> None:
        """Keep what shrank, took a step and is now added to a parameter: no parameter, but the velocity of one.

        Where the gradient is taken ahead, at ``W + mu * v``, what is added to v depends on v as that of a parameter.
        """
        for held, statement in self.decayed.items():
            slope = slopes.get(id(self.tensors.get(held)))
            if slope is not None and slope.shape == cotangent.shape and slope.numel() > 1:
                ratios = slope / cotangent
                if torch.any(ratios != 0) and torch.all((ratios - ratios.ravel()[0]).abs() <= 1e-9):
                    self.states.add(statement)


def _is_recurrence(statement: ast.stmt | None) -> bool:
    """Whether an entry is set to what is computed from other entries of its array: ``s[t] = f(s[t - 1])``."""
    match statement:
        case ast.Assign(targets=[ast.Subscript(value=array, slice=place)], value=value):
            whole = ast.unparse(array)
            read = [
                each for each in ast.walk(value) if isinstance(each, ast.Subscript) and ast.unparse(each.value) == whole
            ]
            return bool(read) and all(ast.unparse(each.slice) != ast.unparse(place) for each in read)
    return False


def _adds_its_derivative(event: Event, others: Sequence[torch.Tensor | None]) -> bool:
    """Whether what is added is called the derivative in it: that of a hinge loss in a bias depends on no parameter."""
    match event.statement:
        case ast.AugAssign(value=added) | ast.Assign(value=ast.BinOp(right=added)) if any(
            each is not None and each.numel() for each in others
        ):
            names = (ast.unparse(each) for each in ast.walk(added) if isinstance(each, ast.Name | ast.Attribute))
            return any(symbols.meant_by(name, (symbols.base_of(event.name),)) for name in names)
    return False


def _terms(node: Any, scaled: bool = False) -> Iterator[tuple[torch.Tensor, bool]]:
    """The leaves that a sum adds as they are, and whether a number scales them: W of ``(1 - c) * W - rate * dW``."""
    if node is None:
        return
    kind, inputs = node.name(), [each for each, _ in node.next_functions]
    if kind == "torch::autograd::AccumulateGrad":
        yield node.variable, scaled
    elif kind in ("AddBackward0", "SubBackward0"):
        for each in inputs if kind == "AddBackward0" else inputs[:1]:
            yield from _terms(each, scaled)
    elif kind in ("MulBackward0", "DivBackward0") and sum(each is not None for each in inputs) == 1 and inputs[0]:
        yield from _terms(inputs[0], True)
    elif kind == "MulBackward0" and sum(each is not None for each in inputs) == 1:
        yield from _terms(inputs[1], True)
    elif kind in SAME_VALUES:
        yield from _terms(inputs[0], scaled)


def _is_as_large(old: torch.Tensor, new: torch.Tensor) -> bool:
    """Whether a new value has the shape of the old one, or is larger, as where a sum over the examples is missing."""
    if old.shape == new.shape:
        return True
    ends = zip(reversed(old.shape), reversed(new.shape), strict=False)
    return old.dim() <= new.dim() and all(one in (1, other) for one, other in ends)


def _renewed(name: str, old: str) -> bool:
    """Whether a name is that of another's next value: ``W_new`` of ``W``, ``new_W1`` of ``W1``; ``dW`` is not."""
    old = re.escape(old)
    return re.fullmatch(rf"(?:new|next|updated)_?{old}|{old}_?(?:new|next|updated)", name) is not None
