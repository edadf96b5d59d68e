"""Shapes of a note's own quantities: what its forward pass says about their sizes, by unification."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from parity_tests.derivations.latex.evaluation import MisfitError
from parity_tests.derivations.latex.own_examples import STACK
from parity_tests.derivations.latex.own_forward import (
    COUNTED,
    SCALARS,
    Forward,
    Key,
    is_cost,
    is_kronecker,
)
from parity_tests.derivations.latex.tree import (
    SHIFTED,
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
    walk,
)

ONE = -1
SCALAR = (ONE, ONE)
Shape = tuple[int, int]


def is_large(key: Key) -> bool:
    """Whether a letter is that of a matrix."""
    return re.fullmatch(r"\\?[A-Z][a-z]*|[A-Za-z]+[A-Z]", key.base) is not None


class Shapes:
    """The rows and columns of every quantity, as numbers that are equal where sizes are."""

    def __init__(self, forward: Forward, *, rows: bool, numerator: bool) -> None:
        self.forward, self.rows, self.numerator = forward, rows, numerator
        self.parents: list[int] = [0]
        self.of: dict[Key, Shape] = {}
        self.scopes: dict[Key, dict[str, int]] = {}
        self.counts: dict[str, int] = {}
        self.sums: dict[int, tuple[tuple[int, ...], int]] = {}
        """Sizes that are sums of others, less a number: of what stands one upon the other, or is moved over."""
        self.products: dict[int, tuple[int, ...]] = {}
        """Sizes that are products of others: of rows that have several indices."""
        self.examples = 0
        """How many rows a matrix of examples has."""
        self.fixed = 0
        self.open: set[Key] = set()

    def new(self) -> int:
        self.parents.append(len(self.parents))
        return len(self.parents) - 1

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Forget behind it what a claim says of sizes."""
        before = list(self.parents), dict(self.of)
        try:
            yield
        finally:
            self.parents, self.of = before

    def find(self, size: int) -> int:
        while size != ONE and self.parents[size] != size:
            size = self.parents[size]
        return size

    def same(self, a: int, b: int) -> int:
        """Make two sizes equal; MisfitError where the forward pass is ``fixed`` and does not make them so."""
        a, b = self.find(a), self.find(b)
        if a == b:
            return a
        if a == ONE or (b != ONE and b > a):
            a, b = b, a
        if a < self.fixed:
            raise MisfitError
        self.parents[a] = b
        return b

    def shape(self, key: Key) -> Shape:
        """The shape of a quantity, from its definition or its letter."""
        if key in self.of:
            return self.of[key]
        definition = self.forward.definitions.get(key)
        if definition is None:
            self.of[key] = self.given(key)
            return self.of[key]
        indices = definition.name.indices
        if definition.name.step is not None:
            self.of[key] = self.given(key)  # what it is computed from may be itself, a step before
        elif key in self.open:
            raise NotReadError("what is computed from itself")
        self.open.add(key)
        scope = self.scopes.setdefault(key, {})
        found = self.infer(definition.right, definition.letters, scope)
        self.open.discard(key)
        if is_cost(definition.symbol) and not indices and ONE in self.resolved(found):
            self.same(self.along(found), ONE)  # of a single output
        if indices:
            if ONE not in self.resolved(found):
                raise MisfitError
            self.same(self.along(found), ONE)
            found = self.with_sizes([scope.setdefault(each, self.new()) for each in indices])
        if key in self.of:
            found = tuple(self.same(a, b) for a, b in zip(self.of[key], found, strict=True))  # type: ignore[assignment]
        self.of[key] = found
        return found

    def with_sizes(self, sizes: list[int]) -> Shape:
        """The shape of what has some indices: all but the last of more than two are the rows."""
        if len(sizes) < 3:
            return self.vector(sizes[0]) if len(sizes) == 1 else (sizes[0], sizes[1])
        rows = self.new()
        self.products[rows] = tuple(sizes[:-1])
        return rows, sizes[-1]

    def sizes_of(self, shape: Shape, count: int) -> list[int]:
        """The sizes along which some indices run; NotReadError where there are others."""
        rows, columns = self.resolved(shape)
        found = [*self.products.get(rows, (rows,)), columns]
        if count == 1 and ONE in (rows, columns):
            return [self.along(shape)]
        if len(found) != count:
            raise NotReadError("one index on a matrix" if count == 1 else f"{count} indices")
        return found

    def vector(self, size: int) -> Shape:
        return (ONE, size) if self.rows else (size, ONE)

    def given(self, key: Key) -> Shape:
        """The shape of what is not computed, by its letter and its indices."""
        rank = self.forward.ranks.get(key, 0)
        if rank > 2:
            return self.with_sizes([self.new() for _ in range(rank)])
        if not rank and (
            (key.base in SCALARS and key.base not in self.forward.vectors) or key.base in COUNTED or key.base == "e"
        ):
            return SCALAR
        if rank == 2 or (not rank and is_large(key)):
            return self.new(), self.new()
        return self.vector(self.new())

    def resolved(self, shape: Shape) -> Shape:
        return self.find(shape[0]), self.find(shape[1])

    def along(self, shape: Shape) -> int:
        """The size of a vector."""
        first, second = self.resolved(shape)
        return second if first == ONE else first

    def joined(self, a: Shape, b: Shape) -> Shape:
        """The shape of a sum, or a product entry by entry; a vector may lie either way."""
        a, b = self.resolved(a), self.resolved(b)
        if SCALAR in (a, b):
            return b if a == SCALAR else a
        if ONE in a and ONE in b and a.index(ONE) != b.index(ONE):
            self.same(self.along(a), self.along(b))
            return a
        return tuple(  # type: ignore[return-value]
            max(x, y) if ONE in (x, y) else self.same(x, y) for x, y in zip(a, b, strict=True)
        )

    def product(self, sign: str, a: Shape, b: Shape) -> Shape:
        a, b = self.resolved(a), self.resolved(b)
        if SCALAR in (a, b):
            return b if a == SCALAR else a
        if sign == "*" or (sign in (".", "x") and a == b):
            return self.joined(a, b)
        self.same(a[1], b[0])
        return a[0], b[1]

    def infer(self, node: Node, letters: frozenset[str], scope: dict[str, int]) -> Shape:
        """The shape of a formula."""
        match node:
            case Number():
                return SCALAR
            case Symbol():
                return self.symbol(node, letters, scope)
            case Negative():
                return self.infer(node.operand, letters, scope)
            case Transposed():
                first, second = self.infer(node.operand, letters, scope)
                return second, first
            case Operation():
                a, b = self.infer(node.left, letters, scope), self.infer(node.right, letters, scope)
                return self.joined(a, b) if node.sign in "+-/" and node.sign else self.product(node.sign, a, b)
            case Power():
                base = self.infer(node.base, letters, scope)
                if isinstance(node.base, Symbol) and node.base.base == "e":
                    return self.infer(node.exponent, letters, scope)
                return base
            case Norm():
                self.infer(node.operand, letters, scope)
                return SCALAR
            case Sum():
                found = self.infer(node.body, letters, scope)
                if node.upper in COUNTED and node.index in scope:
                    self.counts[node.upper] = scope[node.index]
                return found
            case Cases():
                rows = [self.infer(row, letters, scope) for row, _ in node.rows if row is not None]
                return rows[0]
            case Call():
                return self.call(node, letters, scope)
            case Derivative():
                return self.derivative(node, letters, scope)
        raise NotReadError(f"a {type(node).__name__.lower()}")

    def symbol(self, node: Symbol, letters: frozenset[str], scope: dict[str, int]) -> Shape:
        if is_kronecker(node, letters):
            for each in node.subscripts:
                scope.setdefault(each, self.new())
            return SCALAR
        if node.base == "\\ones":
            return self.new(), ONE
        if node.base == "I" and not node.subscripts:
            size = self.new()
            return size, size
        name = self.forward.name(node, letters)
        return self.entry(self.shape(name.key), name.indices, scope)

    def entry(self, shape: Shape, indices: tuple[str, ...], scope: dict[str, int]) -> Shape:
        """The shape behind indices, which run as far as what they stand on."""
        if not indices:
            return shape
        for letter, size in zip(indices, self.sizes_of(shape, len(indices)), strict=True):
            if letter.isalpha():
                self.same(scope.setdefault(letter, size), size)
            elif match := SHIFTED.fullmatch(letter):
                parts = tuple(scope.setdefault(match[place], self.new()) for place in (1, 3))
                if match[2] == "+" and not self.fixed:
                    self.sums.setdefault(self.find(size), (parts, 1))
        return SCALAR

    def call(self, node: Call, letters: frozenset[str], scope: dict[str, int]) -> Shape:
        base = node.function.base
        shapes = [self.infer(each, letters, scope) for each in node.arguments]
        if is_cost(node) or base == "CE":
            if base == "CE" and len(shapes) == 2:
                self.joined(*shapes)
            return SCALAR
        if base in ("max", "indicator") and len(shapes) == 2:
            return self.joined(*shapes)
        if base == "concat":
            size = self.new()
            self.sums[size] = tuple(map(self.along, shapes)), 0
            return self.vector(size)
        if len(shapes) != 1:
            raise NotReadError(f"{base} of {len(shapes)} arguments")
        if base == STACK:
            self.examples = self.examples or self.new()
            if node.keywords:
                self.same(self.along(shapes[0]), ONE)
            return self.examples, self.along(shapes[0])
        if base == "diag":
            size = self.along(shapes[0])
            return size, size
        if base == "tr":
            self.same(*shapes[0])
        if base == "rowsum":
            return shapes[0][0], ONE
        return SCALAR if base in ("sum", "tr") else shapes[0]

    def has_jacobian(self, node: Node, letters: frozenset[str]) -> bool:
        """Whether a whole derivative of one vector in another stands in a formula."""
        for each in walk(node):
            if isinstance(each, Derivative) and isinstance(each.of, Symbol) and not is_cost(each.of):
                name = self.forward.name(each.of, letters)
                if not name.indices and self.resolved(self.shape(name.key)) != SCALAR:
                    return True
        return False

    def derivative(self, node: Derivative, letters: frozenset[str], scope: dict[str, int]) -> Shape:
        of = node.of.function if isinstance(node.of, Call) and is_cost(node.of) else node.of
        if of is None or not isinstance(node.by, Symbol):
            raise NotReadError("a derivative of what has no name")
        name = self.forward.name(node.by, letters)
        by = self.shape(name.key)
        whole, of_shape = by, SCALAR
        if not isinstance(of, Symbol):
            of_shape = self.infer(of, letters, scope)
        elif not is_cost(of):
            value = self.forward.name(of, letters)
            of_shape = self.entry(self.shape(value.key), value.indices, scope)
        by_shape = self.entry(by, name.indices, scope)
        if self.resolved(of_shape) == SCALAR:
            turned = self.numerator and not name.indices and ONE in self.resolved(whole)
            return (by_shape[1], by_shape[0]) if turned else by_shape
        if self.resolved(by_shape) == SCALAR:
            return of_shape
        if ONE not in self.resolved(of_shape) or ONE not in self.resolved(by_shape):
            raise NotReadError("a derivative of a matrix in another quantity")
        found = self.along(of_shape), self.along(by_shape)
        return found if self.numerator else found[::-1]
