"""The tree of a formula: immutable nodes that can be compared, put in sets, rewritten and printed back.

Equality and hash see what a formula computes. Where it stood and how it was spelled (``span``, ``written``,
``form``, ``bracketed``) rides along for error messages and for printing, and is not compared: ``np.sum(A)``
equals ``A.sum()``, ``np.multiply(A, B)`` equals ``A * B`` and a Greek lambda equals ``lambda_``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as _with
from typing import Literal, NamedTuple, TypeAlias, cast

BinaryOperator: TypeAlias = Literal["+", "-", "*", "/", "@", "**"]
Comparison: TypeAlias = Literal[">", ">=", "<", "<=", "==", "!="]
AssignmentOperator: TypeAlias = Literal["=", "+=", "-=", "*=", "/="]
CallForm: TypeAlias = Literal["np", "plain", "method"]
"""How a function was written: ``np.sum(A)``, ``sum(A)``, ``A.sum()``."""

Path: TypeAlias = tuple[int, ...]
"""Where a node stands in a tree: the index among the children, level by level; ``()`` is the root."""


class Span(NamedTuple):
    """Columns ``start`` to ``stop - 1`` of a line, all counted from 1."""

    line: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Node:
    """Anything in the tree."""

    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Expression(Node):
    """Anything that has a value."""


@dataclass(frozen=True, slots=True)
class Number(Expression):
    """A literal, never negative: -2 is ``Unary(Number(2))``."""

    value: float
    written: str = field(default="", compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        if not math.isfinite(self.value) or math.copysign(1.0, self.value) < 0:
            raise ValueError(f"Number has value {self.value}, expected finite and not negative: use Unary for the sign")


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """A symbol under its plain name: ``lambda_`` for lambda, ``g1_prime`` for g1'."""

    id: str
    written: str = field(default="", compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    """Minus the operand."""

    operand: Expression
    bracketed: bool = field(default=False, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """Two operands and an operator; ``form`` tells ``A * B`` from ``np.multiply(A, B)``."""

    operator: BinaryOperator
    left: Expression
    right: Expression
    form: Literal["operator", "np", "plain"] = field(default="operator", compare=False, repr=False, kw_only=True)
    bracketed: bool = field(default=False, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Compare(Expression):
    """A comparison: 1 where it is true, 0 where it is not."""

    operator: Comparison
    left: Expression
    right: Expression
    bracketed: bool = field(default=False, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Transpose(Expression):
    """``A.T``, ``A^T``, ``np.transpose(A)``, ``transpose(A)`` or ``A.transpose()``: ``form`` tells which.

    ``axes`` are those of ``np.transpose(A, (0, 3, 1, 2))``, none for all of them in reverse.
    """

    operand: Expression
    axes: tuple[int, ...] = ()
    form: Literal[".T", "^T"] | CallForm = field(default=".T", compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Shape(Expression):
    """The shape in ``np.zeros((n_x, 1))`` or ``A.reshape(1, -1)``; it stands nowhere else."""

    sizes: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """A function of the white list, or one that the caller of ``evaluate`` provides.

    The only keywords of the language, axis and keepdims, are fields: a rewrite is
    ``dataclasses.replace(call, axis=1, keepdims=True)``.
    """

    function: str
    arguments: tuple[Expression, ...]
    axis: int | tuple[int, ...] | None = None
    keepdims: bool = False
    form: CallForm | Literal["//"] = field(default="np", compare=False, repr=False, kw_only=True)
    written: str = field(default="", compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Slice(Expression):
    """``:``, ``start:stop`` or ``start:stop:step`` inside an index."""

    start: Expression | None = None
    stop: Expression | None = None
    step: Expression | None = None

    @property
    def ends(self) -> tuple[Expression | None, Expression | None, Expression | None]:
        """What stands before, between and behind the colons."""
        return self.start, self.stop, self.step


@dataclass(frozen=True, slots=True)
class Rest(Expression):
    """``...`` inside an index: all of the axes that the others leave."""


@dataclass(frozen=True, slots=True)
class Index(Expression):
    """``X[j, i]``, ``X[:, i]`` or ``w[j]``."""

    base: Expression
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Assign(Node):
    """One line: a name, or an entry of a named array, receives a value."""

    target: Name | Index
    operator: AssignmentOperator
    value: Expression


@dataclass(frozen=True, slots=True)
class For(Node):
    """``for variable in range(start, stop)``; "for i = 1 to m" is counted from 0 too."""

    variable: str
    start: Expression
    stop: Expression
    body: tuple[Assign | For, ...]


@dataclass(frozen=True, slots=True)
class Program(Node):
    """A whole derivation."""

    statements: tuple[Assign | For, ...]


Statement: TypeAlias = Assign | For


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below ``node``, left to right."""
    match node:
        case Binary() | Compare():
            return (node.left, node.right)
        case Unary() | Transpose():
            return (node.operand,)
        case Call():
            return node.arguments
        case Shape():
            return node.sizes
        case Index():
            return (node.base, *node.items)
        case Slice():
            return tuple(end for end in node.ends if end is not None)
        case Assign():
            return (node.target, node.value)
        case For():
            return (node.start, node.stop, *node.body)
        case Program():
            return node.statements
    return ()


def with_children(node: Node, new: Sequence[Node]) -> Node:
    """``node`` with other children, as many as it has; what is not compared stays as it was."""
    count = len(children(node))
    if len(new) != count:
        raise ValueError(f"{type(node).__name__} got {len(new)} children, expected {count}")
    parts = cast("list[Expression]", list(new))
    match node:
        case Binary() | Compare():
            return _with(node, left=parts[0], right=parts[1])
        case Unary() | Transpose():
            return _with(node, operand=parts[0])
        case Call():
            return _with(node, arguments=tuple(parts))
        case Shape():
            return _with(node, sizes=tuple(parts))
        case Index():
            return _with(node, base=parts[0], items=tuple(parts[1:]))
        case Slice():
            ends = iter(parts)
            start, stop, step = (None if end is None else next(ends) for end in node.ends)
            return _with(node, start=start, stop=stop, step=step)
        case Assign():
            return _with(node, target=cast("Name | Index", new[0]), value=parts[1])
        case For():
            body = cast("tuple[Statement, ...]", tuple(new[2:]))
            return _with(node, start=parts[0], stop=parts[1], body=body)
        case Program():
            return _with(node, statements=cast("tuple[Statement, ...]", tuple(new)))
    return node


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every node with its path, the root first, then left to right."""
    stack = [(path, node)]
    while stack:
        place, here = stack.pop()
        yield place, here
        below = [((*place, index), child) for index, child in enumerate(children(here))]
        stack.extend(reversed(below))


def at(node: Node, path: Path) -> Node:
    """The node at ``path``; IndexError where there is none."""
    for index in path:
        node = children(node)[index]
    return node


def replace(node: Node, path: Path, new: Node) -> Node:
    """The tree with the node at ``path`` replaced by ``new``; the tree given is not changed."""
    trail = [node]
    for index in path:
        trail.append(children(trail[-1])[index])
    for parent, index in zip(reversed(trail[:-1]), reversed(path), strict=True):
        parts = list(children(parent))
        parts[index] = new
        new = with_children(parent, parts)
    return new


def names(node: Node) -> frozenset[str]:
    """The names that stand alone, read or assigned; the functions that are called are not among them."""
    return frozenset(here.id for _, here in walk(node) if isinstance(here, Name))


def functions(node: Node) -> frozenset[str]:
    """The functions that are called by name, of the white list or not."""
    return frozenset(here.function for _, here in walk(node) if isinstance(here, Call))


def targets(node: Node) -> tuple[str, ...]:
    """The names that a statement or program assigns, in the order of their first assignment."""
    found: dict[str, None] = {}
    for _, here in walk(node):
        if isinstance(here, Assign):
            base = here.target.base if isinstance(here.target, Index) else here.target
            if isinstance(base, Name):
                found[base.id] = None
    return tuple(found)


def size(node: Node) -> int:
    """How many nodes the tree has."""
    return sum(1 for _ in walk(node))


def height(node: Node) -> int:
    """How many levels the tree has."""
    levels, level = 0, [node]
    while level:
        levels += 1
        level = [child for here in level for child in children(here)]
    return levels
