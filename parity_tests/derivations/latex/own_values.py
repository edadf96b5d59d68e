"""A note's own forward pass in numbers: its quantities, and the derivative of one in another by the complex step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity_tests.derivations.latex.entries import chosen
from parity_tests.derivations.latex.own_forward import Definition, Forward, Key, Name, is_cost, is_kronecker
from parity_tests.derivations.latex.own_shapes import ONE, Shapes
from parity_tests.derivations.latex.symbols import COSTS, UNITS
from parity_tests.derivations.latex.tree import (
    Call,
    Cases,
    Derivative,
    Negative,
    Node,
    Norm,
    NotReadError,
    Number,
    Operation,
    Power,
    Sum,
    Symbol,
    Transposed,
    symbols_of,
    walk,
)

STEPS = 3
"""Steps of time."""

_SIZES = (3, 5, 4, 7, 6, 8, 9, 10)
_H = 1e-30
MOST = 400_000
"""Nodes that are computed for one note."""


def _softmax(z: Any, axis: int) -> Any:
    e = np.exp(z)
    return e / e.sum(axis, keepdims=True)


_FUNCTIONS: Mapping[str, Any] = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "tanh": np.tanh, "relu": lambda z: z * (z.real > 0),
    "leaky_relu": lambda z: z * np.where(z.real > 0, 1, 0.01), "exp": np.exp, "log": np.log, "sqrt": np.sqrt,
    "abs": lambda z: z * np.sign(z.real), "sign": lambda z: np.sign(z.real) + 0j,
    "any": lambda z: np.sin(1.3 * z) + 0.2 * z * z,
}  # fmt: skip
_SIGNS = {"sgn": "sign", "sign": "sign", "sig": "sigmoid", "\\sigma": "sigmoid"}
Place = tuple[Key, int]


@dataclass
class World:
    """Values that are given other than the forward pass has them, and those that follow."""

    given: Mapping[Place, Any] = field(default_factory=dict)
    found: dict[Place, Any] = field(default_factory=dict)


class Values:
    """Numbers for what is given, and all that is computed from it. ``unit`` is what letters such as f stand for.

    Arrays have rows and columns behind any axes of directions.
    """

    def __init__(self, forward: Forward, shapes: Shapes, unit: str = "any", seed: int = 0) -> None:
        self.forward, self.shapes, self.unit = forward, shapes, unit
        self.rng, self.first = np.random.default_rng(seed), seed
        self.world, self.sizes, self.drawn = World(), dict[int, int](), dict[Any, Any]()
        self.gradients: dict[Any, Any] = {}
        self.used_unit, self.left = False, MOST
        self.scope: Mapping[str, int] = {}

    def size(self, size: int) -> int:
        root = self.shapes.find(size)
        return 1 if root == ONE else self.sizes.setdefault(root, _SIZES[(len(self.sizes) + self.first) % len(_SIZES)])

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
            self.quantity(key, 0 if definition.name.step is None else 1, World())

    def quantity(self, key: Key, step: int, world: World) -> Any:
        """A quantity at a step of time, 0 for one without."""
        place = key, step
        if place in world.given:
            return world.given[place]
        if place in world.found:
            return world.found[place]
        definition = self.forward.definitions.get(key)
        if definition is None or (definition.name.step is not None and step < 1):
            return self.given(key, step)
        if step > STEPS:
            raise NotReadError("a step behind the last one")
        before, self.scope = self.scope, self.shapes.scopes.get(key, {})
        found = self.computed(definition, step, world)
        self.scope = before
        world.found[place] = found
        return found

    def computed(self, definition: Definition, step: int, world: World) -> Any:
        """What a definition gives at a step of time."""
        at: dict[str, int] = {"t": step}
        indices = definition.name.indices
        if indices:
            shape = tuple(map(self.size, self.shapes.shape(definition.name.key)))
            entries = []
            for position in np.ndindex(*shape):
                kept = position if len(indices) == 2 else (max(position),)
                at |= dict(zip(indices, kept, strict=True))
                entries.append(self.value(definition.right, definition.letters, at, world))
            batch = np.broadcast_shapes(*(each.shape[:-2] for each in entries))
            flat = [np.broadcast_to(each, (*batch, 1, 1))[..., 0, 0] for each in entries]
            return np.stack(flat, -1).reshape(*batch, *shape)
        return self.value(definition.right, definition.letters, at, world)

    def value(self, node: Node, letters: frozenset[str], at: dict[str, int], world: World) -> Any:
        """What a formula is, at steps and indices."""
        self.left -= 1
        if self.left < 0:
            raise NotReadError("it takes too long")

        def of(inner: Node) -> Any:
            return self.value(inner, letters, at, world)

        match node:
            case Number():
                return np.full((1, 1), complex(float(node.text)))
            case Symbol():
                return self.symbol(node, letters, at, world)
            case Negative():
                return -of(node.operand)
            case Transposed():
                return np.swapaxes(of(node.operand), -1, -2)
            case Operation():
                return operation(node.sign, of(node.left), of(node.right))
            case Power():
                return self.power(node, of)
            case Norm():
                return np.sqrt(total(of(node.operand) ** 2))
            case Sum():
                return self.summed(node, letters, at, world)
            case Cases():
                return of(chosen(node, at))
            case Call():
                return self.call(node, letters, at, world)
            case Derivative():
                return self.derivative(node, letters, at, world)
        raise NotReadError(f"a {type(node).__name__.lower()}")

    def power(self, node: Power, of: Any) -> Any:
        if isinstance(node.base, Symbol) and node.base.base == "e":
            return np.exp(of(node.exponent))
        if isinstance(node.base, Norm) and node.exponent == Number("2"):
            return total(of(node.base.operand) ** 2)
        base, exponent = of(node.base), of(node.exponent)
        if base.shape[-1] > 1 and base.shape[-2] > 1 and exponent.ravel()[0] == -1:
            return np.linalg.inv(base)
        return base**exponent

    def symbol(self, node: Symbol, letters: frozenset[str], at: dict[str, int], world: World) -> Any:
        if is_kronecker(node, letters):
            return np.full((1, 1), complex(at[node.subscripts[0]] == at[node.subscripts[1]]))
        if node.primes:
            raise NotReadError("a prime")
        if node.base == "e" and not node.subscripts:
            return np.full((1, 1), np.e + 0j)
        name = self.forward.name(node, letters)
        found = entry(self.quantity(name.key, step_of(name, at), world), name.indices, at)
        return found ** int(name.power) if name.power else found

    def summed(self, node: Sum, letters: frozenset[str], at: dict[str, int], world: World) -> Any:
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
                found = found + self.value(node.body, letters, {**at, index: value}, world)
        return found

    def call(self, node: Call, letters: frozenset[str], at: dict[str, int], world: World) -> Any:
        base, primes = node.function.base, node.function.primes
        if is_cost(node):
            key = self.forward.name(node.function, letters).key
            if key in self.forward.definitions:
                return self.quantity(key, at.get("t", 0) if node.function.subscripts else 0, world)
            if not node.arguments:
                return self.cost(self.ends(), world)
            inner = [self.value(each, letters, at, world) for each in node.arguments]
            return self.weighed([((key, place), each) for place, each in enumerate(inner)])
        inner = [self.value(each, letters, at, world) for each in node.arguments]
        if base == "CE" and len(inner) == 2:
            return -total(inner[0] * np.log(inner[1]))
        if base == "max" and len(inner) == 2:
            return np.where(inner[0].real >= inner[1].real, *inner)
        if base == "indicator":
            sign = node.keywords["sign"]
            below = inner[0].real < inner[1].real
            return (below if sign in ("<", "\\le") else ~below) + 0j
        if len(inner) != 1:
            raise NotReadError(f"{base} of {len(inner)} arguments")
        if base == "sum":
            return total(inner[0])
        if base == "diag":
            length = max(inner[0].shape[-2:])
            return np.eye(length) * inner[0].reshape(*inner[0].shape[:-2], 1, length)
        g = self.function(base)
        if not primes:
            power = node.function.bare  # tanh^2(z)
            return g(inner[0]) ** int(power) if power.isdigit() else g(inner[0])
        if np.any(inner[0].imag):
            raise NotReadError("a derivative of a derivative")
        return g(inner[0] + 1j * _H).imag / _H + 0j

    def function(self, base: str) -> Any:
        """A function by its letter: as the note writes it, by its name, or any."""
        if base in self.forward.functions:
            claim = self.forward.functions[base]
            by = symbols_of(claim.target)[-1].base
            return lambda z: inlined(claim.right, by, z)
        if UNITS.get(base) == "softmax":
            return lambda z: _softmax(z, _axis(z, rows=self.shapes.rows))
        name = UNITS.get(base, _SIGNS.get(base, base))
        if name in _FUNCTIONS and name != "any":
            return _FUNCTIONS[name]
        if base not in ("f", "g", "h", "\\phi", "\\psi", "S"):
            raise NotReadError(f"the function {base.removeprefix(chr(92))}")
        self.used_unit = True
        return _FUNCTIONS[self.unit]

    def cost(self, ends: list[Key], world: World) -> Any:
        """A number to which some quantities count, each in its own way."""
        found = []
        for end in ends:
            timed = self.forward.definitions[end].name.step is not None
            found += [
                ((end, step), self.quantity(end, step, world)) for step in (range(1, STEPS + 1) if timed else (0,))
            ]
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
        parts = {name.key for each in costs for name in self.forward.names_in(each.right, each.letters)}
        found = self.forward.ends()
        return [key for key in found if key not in parts or self.shapes.resolved(self.shapes.shape(key)) != (ONE, ONE)]

    def derivative(self, node: Derivative, letters: frozenset[str], at: dict[str, int], world: World) -> Any:
        of = node.of.function if isinstance(node.of, Call) else node.of
        if world.given or not isinstance(of, Symbol) or not isinstance(node.by, Symbol):
            raise NotReadError("a derivative of what has no name")
        by = self.forward.name(node.by, letters)
        value = self.forward.name(of, letters)
        if is_cost(of):
            defined = value.key in self.forward.definitions
            connected = defined and by.key in self.forward.below(value.key)
            changed = self.changed(value if connected else None, by, at)
        else:
            if by.key not in self.forward.below(value.key):
                raise NotReadError("a derivative of what does not depend on it")
            changed = self.changed(value, by, at)
        shape = self.quantity(by.key, step_of(by, at), world).shape[-2:]
        if value.indices and by.indices and not is_cost(of):
            return entry(
                entry(changed.reshape(*shape, *changed.shape[-2:]), value.indices, at)[..., 0, 0], by.indices, at
            )
        if changed.shape[-2:] == (1, 1) or (value.indices and not is_cost(of)):
            changed = entry(changed, value.indices if not is_cost(of) else (), at)
            whole = changed.reshape(shape)
            if by.indices:
                return entry(whole, by.indices, at)
            turned = self.shapes.numerator and 1 in shape
            return whole.T if turned else whole
        if shape == (1, 1):
            return changed[0]
        found = changed.reshape(shape[0] * shape[1], -1)
        return found.T if self.shapes.numerator else found

    def changed(self, value: Name | None, by: Name, at: dict[str, int]) -> Any:
        """How a quantity, or a cost without a formula, changes with the entries of another, along an axis in front."""
        step = step_of(by, at)
        key = value and (value.key, step_of(value, at)), by.key, step
        if key not in self.gradients:
            base = self.quantity(by.key, step, self.world)
            rows, columns = base.shape
            given = base + 1j * _H * np.eye(rows * columns).reshape(rows * columns, rows, columns)
            if np.abs(base.imag).max() > 0:
                raise NotReadError("a derivative of a derivative")
            world = World({(by.key, step): given})
            if value is None:
                above = [end for end in self.ends() if by.key in self.forward.below(end)]
                if not above:
                    raise NotReadError("nothing is computed from it")
                sections = {end: self.forward.definitions[end].section for end in above}
                last = max(sections.values())  # a note that begins anew means what it says last
                found = self.cost([end for end in above if sections[end] == last], world)
            else:
                found = self.quantity(value.key, step_of(value, at), world)
                found = total(found) if value.key.base in COSTS else found
            found = found.imag / _H
            self.gradients[key] = np.broadcast_to(found, (rows * columns, *found.shape[-2:])) + 0j
        return self.gradients[key]


def total(value: Any) -> Any:
    """The sum of all entries."""
    return value.sum((-1, -2), keepdims=True)


def step_of(name: Name, at: Mapping[str, int]) -> int:
    """The step of time at which a quantity is meant."""
    return 0 if name.step is None else at.get("t", 2) + name.step


def entry(array: Any, indices: tuple[str, ...], at: Mapping[str, int]) -> Any:
    """The entry that indices name; a vector may lie either way."""
    if not indices:
        return array
    where = [at.get(each, -1) for each in indices]
    if -1 in where:
        raise NotReadError("an index that is not bound")
    if len(where) == 1:
        where = [0, where[0]] if array.shape[-2] == 1 else [where[0], 0]
    return array[..., where[0] : where[0] + 1, where[1] : where[1] + 1]


def operation(sign: str, a: Any, b: Any) -> Any:
    """Two operands, of which a vector may lie the other way round where nothing is multiplied."""
    shapes = a.shape[-2:], b.shape[-2:]
    entrywise = sign in ("+", "-", "/", "*") or (sign in (".", "x") and shapes[0] == shapes[1])
    if (1, 1) in shapes or entrywise:
        if shapes[0] == shapes[1][::-1] and 1 in shapes[0]:
            b = np.swapaxes(b, -1, -2) if shapes[0] != shapes[1] else b
        return a + b if sign == "+" else a - b if sign == "-" else a / b if sign == "/" else a * b
    return a @ b


def _axis(z: Any, *, rows: bool) -> int:
    if 1 in z.shape[-2:]:
        return -1 if z.shape[-2] == 1 else -2
    return -1 if rows else -2


def inlined(node: Node, by: str, z: Any) -> Any:
    """A written-out function of a number, entry by entry."""

    def of(inner: Node) -> Any:
        match inner:
            case Number():
                return complex(float(inner.text))
            case Symbol():
                base = z if inner.base == by else np.e
                return base ** int(inner.bare) if inner.bare.isdigit() else base
            case Negative():
                return -of(inner.operand)
            case Operation():
                a, b = of(inner.left), of(inner.right)
                return (
                    a + b
                    if inner.sign == "+"
                    else a - b
                    if inner.sign == "-"
                    else a / b
                    if inner.sign == "/"
                    else a * b
                )
            case Power():
                return of(inner.base) ** of(inner.exponent)
            case Call() if len(inner.arguments) == 1 and inner.function.base in _FUNCTIONS:
                return _FUNCTIONS[inner.function.base](of(inner.arguments[0]))
            case Call(function=Symbol(base="max")) if len(inner.arguments) == 2:
                a, b = (np.asarray(of(each)) for each in inner.arguments)
                return np.where(a.real >= b.real, a, b)
        raise NotReadError("a function of a kind of its own")

    return of(node)
