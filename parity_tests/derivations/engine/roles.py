"""What the free names of a text are: examples, labels, parameters or numbers; by how they are used, then by name.

Names are anyone's, so what a formula does with a name goes before what the name looks like: labels are compared with a
value that does not depend on them, a bias is added, what stands in a product with a parameter is data.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.axes_by_use import summed_along
from parity_tests.derivations.engine.name_uses import Uses


class Roles(NamedTuple):
    """The names whose use says what they are; of all others the name decides."""

    data: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    weights: frozenset[str] = frozenset()
    entrywise: frozenset[str] = frozenset()
    """Parameters that stand in no matrix product: biases, gains."""
    numbers: frozenset[str] = frozenset()
    offsets: frozenset[str] = frozenset()
    """What is only ever added to a matrix product."""
    states: frozenset[str] = frozenset()
    """What an optimiser keeps: it decays, or is read only where it, or a parameter, is updated."""
    loose: frozenset[str] = frozenset()
    """What only scales or shifts other values, entry by entry or as a whole."""
    factors: frozenset[str] = frozenset()
    """Those of the loose that only multiply: masks."""

    def is_data(self, name: str) -> bool:
        """Whether a name holds examples."""
        return name in self.data or (self._unsaid(name) and symbols.is_data(name))

    def is_label(self, name: str) -> bool:
        """Whether a name holds what the network should say."""
        return name in self.labels or (self._unsaid(name) and symbols.is_label(name))

    def is_bias(self, name: str) -> bool:
        """Whether a name is a parameter that is added, or multiplies entry by entry."""
        return name in self.entrywise | self.offsets or (
            self._unsaid(name) and bool(symbols.BIASES.match(symbols.stem_of(name))) and not self.is_number(name)
        )

    def is_number(self, name: str) -> bool:
        """Whether a name is one number that is not learned: a count, a rate."""
        unsaid = self._unsaid(name) and name not in self.factors
        return name in self.numbers or (unsaid and bool(symbols.NUMBERS.match(symbols.stem_of(name))))

    def is_weight(self, name: str) -> bool:
        """Whether a name is likely to be a matrix of weights."""
        others = self.is_data(name), self.is_label(name), self.is_bias(name), self.is_number(name)
        return name in self.weights or not any(others)

    def _unsaid(self, name: str) -> bool:
        return not any(name in each for each in self[:-2])


NO_ROLES = Roles()


def is_parameter(name: str, value: Any, roles: Roles = NO_ROLES) -> bool:
    """Whether a free name is what a network learns: no example, no label, no index, no count, no rate (a float)."""
    whole = isinstance(value, int) or (isinstance(value, np.ndarray) and value.dtype.kind == "i")
    if roles.is_data(name) or roles.is_label(name) or name in roles.states or whole:
        return False
    return isinstance(value, np.ndarray) or not roles.is_number(name)


def roles_of(tree: ast.Module) -> Roles:
    """The roles that the use of the free names shows."""
    use, summed = Uses(_written_out(tree)), summed_along(tree)
    states = {name for name in use.updated - use.derived if use.is_state(name) or use.decays(name)}
    learned = use.derived | use.updated - states
    labels = {
        name for name in use.compared.keys() - use.updated - use.in_products if name not in learned or use.is_late(name)
    }
    numeric = {name for name in labels if symbols.NUMBERS.match(name) and not symbols.is_label(name)}
    labels -= {name for name in numeric if use.compared[name] < 2 or symbols.COUNTS.match(name)}
    learned = learned - labels
    numbers = {name for name in use.free - learned - labels - use.in_products - use.indices if use.is_number(name)}
    numbers -= {name for name in numbers if symbols.is_data(name)}
    data = {name for name in use.in_products - learned - labels - numbers if use.meets(name, learned)}
    data |= {name for name in learned if symbols.is_data(name) and not (name in summed and use.is_offset(name))}
    data |= use.examples(learned - data) if not data else set()
    entrywise = {name for name in learned - use.in_products - data if use.entrywise(name)}
    if not data and not any(map(symbols.is_data, use.free - learned)):
        data |= learned - use.in_products - entrywise - use.tables
    offsets = {name for name in use.free - use.in_products - labels - data if use.is_offset(name)}
    weights = use.in_products - data - labels
    weights = {name for name in weights if name in learned or symbols.NUMBERS.match(name)}  # no number is in a product
    others = data | labels | weights | entrywise | numbers | offsets | states
    loose = {name for name in use.free - others - use.in_products - use.indices - use.taken_apart if use.is_loose(name)}
    factors = {name for name in loose if use.is_factor(name)}
    return Roles(*map(frozenset, (data, labels, weights, entrywise, numbers - states, offsets, states, loose, factors)))


MOST_DEPTH = 4
"""How deep calls of the text's own functions are looked through."""


def _written_out(tree: ast.Module) -> ast.Module:
    """The tree with the formulas of the text's own functions of one line in place of their calls."""
    functions = {
        node.name: (node.args, node.body[-1].value)
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and len(node.body) == 1 and isinstance(node.body[-1], ast.Return)
    }

    class WrittenOut(ast.NodeTransformer):
        depth = 0

        def visit_Call(self, node: ast.Call) -> ast.AST:
            self.generic_visit(node)
            function = functions.get(node.func.id) if isinstance(node.func, ast.Name) else None
            if function is None or function[1] is None or node.keywords or self.depth == MOST_DEPTH:
                return node
            given = dict(zip((each.arg for each in function[0].args), node.args, strict=False))
            self.depth += 1
            new: ast.AST = self.visit(_With(given).visit(copy.deepcopy(function[1])))
            self.depth -= 1
            for each in ast.walk(new):
                ast.copy_location(each, node)
            return new

    if not functions:
        return tree
    return ast.Module([WrittenOut().visit(copy.deepcopy(node)) for node in tree.body], [])


class _With(ast.NodeTransformer):
    """A formula with others in place of its names."""

    def __init__(self, given: Mapping[str, ast.expr]) -> None:
        self.given = given

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return copy.deepcopy(self.given.get(node.id, node))
