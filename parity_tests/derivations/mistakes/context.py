"""What an edit is, what a rule may know, and what rules ask of a formula."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.nodes import Assign, Binary, Call, Expression, Name, Node, Number, Path, Unary


class Edit(NamedTuple):
    """A changed formula: ``undoes`` is the mistake in the original (or two, joined by " + "), ``makes`` the new one."""

    node: Node
    undoes: str
    makes: str
    cost: float


@dataclass(frozen=True)
class Context:
    """What an edit may know: the target and its number of axes, the families of names, the sizes.

    ``counts`` are the sizes with their other names, ``functions`` those of one argument.
    """

    target: str
    kind: str
    layers: Mapping[str, tuple[str, ...]]
    arrays: frozenset[str]
    sizes: frozenset[str]
    counts: frozenset[str]
    functions: frozenset[str]
    batch: str
    rank: int = 2

    @property
    def level(self) -> str:
        """The layer in the target's name: "1" for dZ1, "" where it has none."""
        return re.sub(r"\D*", "", self.target)

    @property
    def is_output(self) -> bool:
        """Whether the target belongs to the output layer."""
        family = self.layers.get("dZ", ())
        if family:
            return f"dZ{self.level}" == family[-1]
        return self.target.lower() == "dz" and bool({"y", "Y"} & self.arrays)

    def slope(self, level: str | None = None) -> Expression | None:
        """g'(Z) of a layer, where the setting has it."""
        level = self.level if level is None else level
        units = [(f"g{level}_prime", f"Z{level}")]
        if level in ("", self.level):
            units += [("g_prime", "Z"), ("g_prime", "z")]
        if self.is_output and not level:
            units += [("sigmoid_prime", "Z"), ("sigmoid_prime", "z")]
        for function, argument in units:
            if function in self.functions and argument in self.arrays:
                return Call(function, (Name(argument),), form="plain", written=function.replace("_prime", "'"))
        return None

    def weights(self) -> str | None:
        """The name of the weights of the target's layer."""
        return next((name for name in (f"W{self.level}", "w") if name in self.arrays), None)


Changes: TypeAlias = Iterator[tuple[Expression, str, str, float]]
"""Changed nodes: (new node, the mistake undone, the mistake made, cost)."""

Rule: TypeAlias = Callable[[Expression, Context], Changes]
"""The changes at one node: (new node, undoes, makes, cost)."""


def terms(node: Node, path: Path = ()) -> Iterator[tuple[Path, Expression]]:
    """The places where a factor may be put in: right sides, and the terms of their sums, at any depth of brackets."""
    if isinstance(node, Assign):
        if node.operator not in ("*=", "/="):  # what stands there is a factor itself
            yield from terms(node.value, (*path, 1))
    elif not isinstance(node, Expression):
        for index, child in enumerate(nodes.children(node)):
            yield from terms(child, (*path, index))
    elif not isinstance(node, Number):
        yield path, node
        if isinstance(node, Unary) or (isinstance(node, Binary) and node.operator in "+-*/"):
            for index, child in enumerate(nodes.children(node)):
                inside = isinstance(node, Unary) or node.operator in "+-" or _is_sum(child)
                if inside:
                    yield from terms(child, (*path, index))


def values(node: Node, path: Path = ()) -> Iterator[tuple[Path, Expression]]:
    """What has a value of its own on the right sides, at any depth; not what says where: indices, shapes, loops."""
    if isinstance(node, Expression):
        yield path, node
    places = range(len(nodes.children(node)))
    match node:
        case Assign():
            places = range(1, 2)
        case nodes.For():
            places = range(2, len(places))
        case nodes.Index():
            places = range(1)
    for place in places:
        child = nodes.children(node)[place]
        if not isinstance(child, nodes.Shape):
            yield from values(child, (*path, place))


def _is_sum(node: Node) -> bool:
    return isinstance(node, Unary) or (isinstance(node, Binary) and node.operator in "+-")


def of_bias(context: Context) -> bool:
    return context.target.lstrip("d").startswith("b")


def is_bias(node: Node) -> bool:
    return isinstance(node, Name) and node.id.startswith("b")


def has_other_term(here: Expression) -> bool:
    """Whether a formula with lambda is a sum, or a factor of it is, of which another term has none."""
    match here:
        case Unary():
            return has_other_term(here.operand)
        case Binary("+" | "-"):
            sides = [each for each in (here.left, here.right) if not isinstance(each, Number)]
            return any("lambda_" not in nodes.names(each) or has_other_term(each) for each in sides)
        case Binary("*" | "/"):
            return any("lambda_" in nodes.names(each) and has_other_term(each) for each in (here.left, here.right))
    return False


def is_slope(node: Expression) -> bool:
    """A derivative written out: A (1 - A), 1 - A**2, or a comparison with 0."""
    if isinstance(node, nodes.Compare):
        return True
    one_minus = isinstance(node, Binary) and node.operator == "-" and node.left == Number(1.0)
    return one_minus or (isinstance(node, Binary) and node.operator == "*" and is_slope(node.right))


def expressions_in(node: Expression) -> Iterator[tuple[Path, Expression]]:
    return ((path, each) for path, each in nodes.walk(node) if isinstance(each, Expression))
