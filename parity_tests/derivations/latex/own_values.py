"""A note's own forward pass in numbers: its quantities, and the derivative of one in another by the complex step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity_tests.derivations.latex.evaluation import FUNCTIONS, NAMED, STEP, At, Evaluation, combined, softmax, total
from parity_tests.derivations.latex.own_examples import STACK
from parity_tests.derivations.latex.own_forward import (
    Definition,
    Forward,
    Key,
    Name,
    is_cost,
    is_kronecker,
)
from parity_tests.derivations.latex.own_shapes import ONE, Shapes
from parity_tests.derivations.latex.symbols import COSTS
from parity_tests.derivations.latex.tree import (
    SHIFTED,
    Call,
    Derivative,
    Node,
    NotReadError,
    Operation,
    Sum,
    Symbol,
    Transposed,
    symbols_of,
    walk,
)

STEPS = 3
"""Steps of time."""

_SIZES = (3, 5, 4, 7, 6, 8, 9, 10)

SMALL = 1e-3
"""The step of a derivative of a derivative, which no complex step gives."""

_FEW = (2, 3)
"""Those of what has more than two indices."""

Place = tuple[Key, int]


@dataclass
class World:
    """Values that are given other than the forward pass has them, and those that follow."""

    given: Mapping[Place, Any] = field(default_factory=dict)
    found: dict[Place, Any] = field(default_factory=dict)


class Values(Evaluation):
    """Numbers for what is given, and all that is computed from it. ``unit`` is what letters such as f stand for."""

    def __init__(self, forward: Forward, shapes: Shapes, unit: str = "any", seed: int = 0) -> None:
        super().__init__()
        self.forward, self.shapes, self.unit = forward, shapes, unit
        self.rng, self.first = np.random.default_rng(seed), seed
        self.plain = self.world = World()
        self.sizes, self.drawn = dict[int, int](), dict[Any, Any]()
        self.gradients: dict[Any, Any] = {}
        self.used_unit = False
        self.directions = dict[str, Any]()
        """The differentials of quantities, while a formula in them is computed."""
        self.letters, self.scope = frozenset[str](), dict[str, int]()
        """The indices of the formula that is computed, and how far they run."""

    def size(self, size: int) -> int:
        root = self.shapes.find(size)
        if self.shapes.examples and root == self.shapes.find(self.shapes.examples):
            return STEPS
        for whole, (parts, less) in self.shapes.sums.items():
            if self.shapes.find(whole) == root:
                return sum(map(self.size, parts)) - less
        if root in self.shapes.products:
            return math.prod(map(self.size, self.shapes.products[root]))
        place = len(self.sizes) + self.first + bool(self.shapes.examples)  # STEPS is the size of examples
        sizes = _FEW if self.shapes.products else _SIZES
        return 1 if root == ONE else self.sizes.setdefault(root, sizes[place % len(sizes)])

    def given(self, key: Key, step: int) -> Any:
        """Numbers for what is not computed; labels are parts of a whole."""
        if (key, step) not in self.drawn:
            if key.base in self.shapes.counts and not key.marks:
                self.drawn[key, step] = np.full((1, 1), complex(self.size(self.shapes.counts[key.base])))
                return self.drawn[key, step]
            shape = tuple(map(self.size, self.shapes.shape(key)))
            drawn = self.rng.normal(size=shape) * 0.7
            if key.base in ("y", "Y", "t") or shape == (1, 1):
                drawn = self.rng.uniform(0.2, 0.9, shape)
            if key.base in ("y", "Y", "t") and shape != (1, 1):
                drawn = drawn / drawn.sum(axis=None if 1 in shape else int(self.shapes.rows), keepdims=True)
            self.drawn[key, step] = drawn + 0j
        return self.drawn[key, step]

    def begin(self, key: Key) -> None:
        """Compute a quantity at its first step of time."""
        definition = self.forward.definitions[key]
        if not any(isinstance(each, Derivative) for each in walk(definition.right)):
            self.world = World()
            try:
                self.quantity(key, 0 if definition.name.step is None else 1)
            finally:
                self.world = self.plain

    def quantity(self, key: Key, step: int) -> Any:
        """A quantity at a step of time, 0 for one without."""
        place, world = (key, step), self.world
        if place in world.given:
            return world.given[place]
        if place in world.found:
            return world.found[place]
        definition = self.forward.definitions.get(key)
        if definition is None or (definition.name.step is not None and step < 1):
            return self.given(key, step)
        if step > STEPS:
            raise NotReadError("a step behind the last one")
        before = self.letters, self.scope
        self.letters, self.scope = definition.letters, self.shapes.scopes.get(key, {})
        try:
            world.found[place] = self.computed(definition, step)
        finally:
            self.letters, self.scope = before
        return world.found[place]

    def computed(self, definition: Definition, step: int) -> Any:
        """What a definition gives at a step of time."""
        indices = definition.name.indices
        if not indices:
            return self.value(definition.right, {"t": step})
        shape = tuple(map(self.size, self.shapes.shape(definition.name.key)))
        entries = []
        for kept in np.ndindex(
            *map(self.size, self.shapes.sizes_of(self.shapes.of[definition.name.key], len(indices)))
        ):
            entries.append(self.value(definition.right, {"t": step, **dict(zip(indices, kept, strict=True))}))
        batch = np.broadcast_shapes(*(each.shape[:-2] for each in entries))
        flat = [np.broadcast_to(each, (*batch, 1, 1))[..., 0, 0] for each in entries]
        return np.stack(flat, -1).reshape(*batch, *shape)

    def symbol(self, node: Symbol, at: At) -> Any:
        if node.base in self.directions:
            return self.directions[node.base]
        if is_kronecker(node, self.letters):
            return np.full((1, 1), complex(at[node.subscripts[0]] == at[node.subscripts[1]]))
        if node.base == "\\ones":
            return np.ones((1, 1), complex)
        if node.primes:
            raise NotReadError("a prime")
        if node.base == "e" and not node.subscripts:
            return np.full((1, 1), np.e + 0j)
        name = self.forward.name(node, self.letters)
        found = self.entry(self.quantity(name.key, step_of(name, at)), name, at)
        return found ** int(name.power) if name.power else found

    def operation(self, node: Operation, at: At) -> Any:
        """Two operands; a column of ones adds up what it is multiplied with, or spreads a vector."""
        sides = (node.left, node.right)
        for side, other in (sides, sides[::-1]) if node.sign in ("", ".", "x") else ():
            turned = isinstance(side, Transposed)
            if (side.operand if isinstance(side, Transposed) else side) == Symbol("\\ones"):
                found = self.value(other, at)
                adds = turned == (side is node.left)
                return found.sum(-2 if side is node.left else -1, keepdims=True) if adds else found
        return super().operation(node, at)

    def summed(self, node: Sum, at: At) -> Any:
        index, _, without = node.index.partition("\\ne")
        index = index.strip()
        if index == "t":
            start = int(node.lower) if node.lower.isdigit() else 1
            values = range(start, STEPS + 1)
        else:
            size = self.scope.get(index)
            if size is None:
                raise NotReadError(f"a sum over {node.index or 'nothing'}")
            values = range(self.size(size))
        skipped = at.get(without.removeprefix("q").strip("\\ "), -1) if without else -1
        found: Any = np.zeros((1, 1), complex)
        for value in values:
            if value != skipped:
                found = found + self.value(node.body, {**at, index: value})
        return found

    def call(self, node: Call, at: At) -> Any:
        if node.function.base == STACK:
            rows = [self.value(node.arguments[0], {**at, "t": step}) for step in range(1, STEPS + 1)]
            rows = [np.swapaxes(each, -1, -2) if each.shape[-1] == 1 else each for each in rows]
            batch = np.broadcast_shapes(*(each.shape[:-2] for each in rows))
            return np.concatenate([np.broadcast_to(each, (*batch, *each.shape[-2:])) for each in rows], -2)
        if not is_cost(node):
            return super().call(node, at)
        key = self.forward.name(node.function, self.letters).key
        if key in self.forward.definitions:
            return self.quantity(key, at.get("t", 0) if node.function.subscripts else 0)
        if not node.arguments:
            return self.cost(self.ends())
        return self.weighed([((key, place), self.value(each, at)) for place, each in enumerate(node.arguments)])

    def function(self, function: Symbol, inner: Any) -> Any:
        """A function by its letter: as the note writes it, by its name, or any."""
        base = function.base
        if base in self.forward.functions:
            claim = self.forward.functions[base]
            return Inlined(symbols_of(claim.target)[-1].base, inner).value(claim.right, {})
        name = NAMED.get(base, base)
        if name == "softmax":
            along = -1 if inner.shape[-2] == 1 else -2
            return softmax(inner, along if 1 in inner.shape[-2:] or not self.shapes.rows else -1)
        if name in FUNCTIONS:
            return FUNCTIONS[name](inner)
        if base not in ("f", "g", "h", "\\phi", "\\psi", "S"):
            raise NotReadError(f"the function {base.removeprefix(chr(92))}")
        self.used_unit = True
        return np.sin(1.3 * inner) + 0.2 * inner**2 if self.unit == "any" else FUNCTIONS[self.unit](inner)

    def cost(self, ends: list[Key]) -> Any:
        """A number to which some quantities count, each in its own way."""
        found = []
        for end in ends:
            timed = self.forward.definitions[end].name.step is not None
            found += [((end, step), self.quantity(end, step)) for step in (range(1, STEPS + 1) if timed else (0,))]
        return self.weighed(found)

    def weighed(self, values: list[tuple[Any, Any]]) -> Any:
        """A sum of values and of their squares, with weights that belong to their names."""
        found = np.zeros((1, 1), complex)
        for name, value in values:
            weights = self.drawn.setdefault(("weights", name), self.rng.normal(size=(2, *value.shape[-2:])))
            found = found + total(weights[0] * value + weights[1] * value**2)
        return found

    def ends(self) -> list[Key]:
        """What is computed last, without the numbers of which a cost is the sum."""
        costs = [each for each in self.forward.definitions.values() if is_cost(each.symbol)]
        parts = {name.key for each in costs for name in self.forward.parts(each)}
        found = self.forward.ends()
        return [key for key in found if key not in parts or self.shapes.resolved(self.shapes.shape(key)) != (ONE, ONE)]

    def derivative(self, node: Derivative, at: At) -> Any:
        of = node.of.function if isinstance(node.of, Call) and is_cost(node.of) else node.of
        if self.world.given or of is None or not isinstance(node.by, Symbol):
            raise NotReadError("a derivative of what has no name")
        by = self.forward.name(node.by, self.letters)
        if isinstance(of, Derivative):
            return self.second(of, by, at)
        if not isinstance(of, Symbol):
            found = self.perturbed(by, step_of(by, at), lambda: self.value(of, at))
            if found.shape[-2:] != (1, 1):
                raise NotReadError("a derivative of a vector that has no name")
            return found.reshape(self.quantity(by.key, step_of(by, at)).shape)
        value = self.forward.name(of, self.letters)
        if is_cost(of):
            defined = value.key in self.forward.definitions
            connected = defined and by.key in self.forward.below(value.key)
            changed = self.changed(value if connected else None, by, at)
        else:
            if by.key not in self.forward.below(value.key):
                raise NotReadError("a derivative of what does not depend on it")
            changed = self.changed(value, by, at)
        shape = self.quantity(by.key, step_of(by, at)).shape[-2:]
        if value.indices and by.indices and not is_cost(of):
            return self.entry(self.entry(changed.reshape(*shape, *changed.shape[-2:]), value, at)[..., 0, 0], by, at)
        if changed.shape[-2:] == (1, 1) or (value.indices and not is_cost(of)):
            changed = changed if is_cost(of) else self.entry(changed, value, at)
            whole = changed.reshape(shape)
            if by.indices:
                return self.entry(whole, by, at)
            turned = self.shapes.numerator and 1 in shape
            return whole.T if turned else whole
        if shape == (1, 1):
            return changed[0]
        found = changed.reshape(shape[0] * shape[1], -1)
        return found.T if self.shapes.numerator else found

    def totals(self, value: Name, names: Mapping[str, Name], right: Node) -> bool:
        """Whether a formula in the differentials of some quantities is that of another one."""
        found: Any = 0
        for base, name in names.items():
            shape = self.quantity(name.key, 0).shape
            self.directions[base] = self.rng.normal(size=shape)
            found = found + np.tensordot(self.directions[base].ravel(), self.changed(value, name, {}), 1)
        try:
            other = self.value(right, {})
        finally:
            self.directions.clear()
        return bool(other.shape == found.shape and np.allclose(other, found, rtol=1e-8, atol=1e-10))

    def second(self, first: Derivative, by: Name, at: At) -> Any:
        """A derivative of a derivative, in what is given: by differences of the fourth order along real axes."""
        step = step_of(by, at)
        base = self.quantity(by.key, step)
        if (by.key, step) not in self.drawn:
            raise NotReadError("a second derivative in what is computed")
        whole = np.arange(base.size).reshape(base.shape)
        entries = self.entry(whole, by, at).ravel()
        before, found = (self.plain, self.gradients), []
        for place in entries:
            along = np.zeros(base.size)
            along[int(place)] = SMALL
            slopes = []
            for steps in (1, 2):
                pair = []
                for sign in (steps, -steps):
                    self.world = self.plain = World()
                    self.gradients, self.drawn[by.key, step] = {}, base + sign * along.reshape(base.shape)
                    pair.append(self.value(first, at))
                slopes.append((pair[0] - pair[1]) / (2 * steps * SMALL))
            found.append((4 * slopes[0] - slopes[1]) / 3)
        self.drawn[by.key, step] = base
        self.plain, self.gradients = before
        self.world = self.plain
        return found[0] if by.indices else np.concatenate([each.reshape(-1, 1) for each in found], 1)

    def entry(self, array: Any, name: Name, at: At) -> Any:
        """The entry that indices name, 0 where there is none; a vector may lie either way."""
        if not name.indices:
            return array
        where = [self.index(each, at) for each in name.indices]
        if len(where) == 1:
            where = [0, where[0]] if array.shape[-2] == 1 else [where[0], 0]
        elif len(where) > 2:
            sizes = [self.size(each) for each in self.shapes.sizes_of(self.shapes.shape(name.key), len(where))]
            if any(not 0 <= each < size for each, size in zip(where, sizes, strict=True)):
                return np.zeros((1, 1))
            where = [int(np.ravel_multi_index(where[:-1], sizes[:-1])), where[-1]]
        if min(where) < 0 or where[0] >= array.shape[-2] or where[1] >= array.shape[-1]:
            return np.zeros((1, 1))
        return array[..., where[0] : where[0] + 1, where[1] : where[1] + 1]

    def index(self, part: str, at: At) -> int:
        """Where an index points."""
        match = SHIFTED.fullmatch(part)
        letters = (match[1], match[3]) if match else (part,)
        if not all(each in at for each in letters):
            raise NotReadError("an index that is not bound")
        if match is None:
            return at[part]
        sign = 1 if match[2] == "+" else -1
        return at[match[1]] + sign * at[match[3]] + int(match[4] or 0) + self.forward.first * sign

    def changed(self, value: Name | None, by: Name, at: At) -> Any:
        """How a quantity, or a cost without a formula, changes with the entries of another, along an axis in front."""
        step = step_of(by, at)
        key = value and (value.key, step_of(value, at)), by.key, step
        if key not in self.gradients:

            def computed() -> Any:
                found = self.cost(self.above(by)) if value is None else self.quantity(value.key, step_of(value, at))
                return total(found) if value is not None and value.key.base in COSTS else found

            self.gradients[key] = self.perturbed(by, step, computed)
        return self.gradients[key]

    def perturbed(self, by: Name, step: int, computed: Callable[[], Any]) -> Any:
        """How what is computed changes with each entry of a quantity, along an axis in front."""
        base = self.quantity(by.key, step)
        rows, columns = base.shape
        given = base + 1j * STEP * np.eye(rows * columns).reshape(rows * columns, rows, columns)
        if np.abs(base.imag).max() > 0:
            raise NotReadError("a derivative of a derivative")
        self.world = World({(by.key, step): given})
        try:
            found = computed().imag / STEP
        finally:
            self.world = self.plain
        return np.broadcast_to(found, (rows * columns, *found.shape[-2:])) + 0j

    def above(self, by: Name) -> list[Key]:
        """What is computed last from a quantity."""
        found = [end for end in self.ends() if by.key in self.forward.below(end)]
        if not found:
            raise NotReadError("nothing is computed from it")
        sections = {end: self.forward.definitions[end].section for end in found}
        last = max(sections.values())  # a note that begins anew means what it says last
        return [end for end in found if sections[end] == last]


def step_of(name: Name, at: Mapping[str, int]) -> int:
    """The step of time at which a quantity is meant."""
    return 0 if name.step is None else at.get("t", 2) + name.step


class Inlined(Evaluation):
    """A written-out function of a letter, entry by entry."""

    def __init__(self, by: str, z: Any) -> None:
        super().__init__()
        self.by, self.z = by, z

    def symbol(self, node: Symbol, at: At) -> Any:
        found = self.z if node.base == self.by else np.full((1, 1), np.e)
        return found ** int(node.bare) if node.bare.isdigit() else found

    def operation(self, node: Operation, at: At) -> Any:
        return combined(node.sign, self.value(node.left, at), self.value(node.right, at))

    def function(self, function: Symbol, inner: Any) -> Any:
        name = NAMED.get(function.base, function.base)
        if name not in FUNCTIONS:
            raise NotReadError("a function of a kind of its own")
        return FUNCTIONS[name](inner)
