"""Activations that a text names and does not define, as g2 in A2 = g2(Z2): which of the usual units they may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from itertools import product

from parity_tests.derivations.engine.words import is_unit

HIDDEN = ("tanh", "relu", "sigmoid")
OUTPUT = ("tanh", "sigmoid", "softmax", "identity")
MOST_UNITS = 3
"""Names for which all units are tried; where there are more, all are tanh."""


def undefined_units(tree: ast.AST) -> tuple[str, ...]:
    """The names of activations that are called and nowhere defined, in their order, the output's last."""
    defined = {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
    defined |= {each.id for each in ast.walk(tree) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    called = [
        (node.lineno, node.col_offset, node.func.id)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and is_unit(node.func.id)
    ]
    return tuple(dict.fromkeys(name for *_, name in sorted(called) if name not in defined))


def choices(names: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """The units that they may be, tanh alone first; one name may stand for hidden layers and the output alike."""
    if not names or len(names) > MOST_UNITS:
        yield dict.fromkeys(names, "tanh")
        return
    *hidden, last = ([HIDDEN] * (len(names) - 1)) + [OUTPUT if len(names) > 1 else (*HIDDEN, *OUTPUT[2:])]
    yield from (dict(zip(names, units, strict=True)) for units in product(*hidden, last))


class _Renamed(ast.NodeTransformer):
    def __init__(self, units: Mapping[str, str]) -> None:
        self.units = units

    def visit_Name(self, node: ast.Name) -> ast.Name:
        name = node.id.removesuffix("_prime")
        unit = self.units.get(name)
        return node if unit is None else ast.copy_location(ast.Name(unit + node.id[len(name) :], node.ctx), node)


def with_units(tree: ast.Module, units: Mapping[str, str]) -> ast.Module:
    """The tree with the units in place of their names."""
    renamed: ast.Module = _Renamed(units).visit(tree)
    return renamed


def said(units: Mapping[str, str]) -> str:
    """What they were taken to be."""
    many = len(units) > 1
    taken = " and ".join(f"{name} to be {unit}" for name, unit in units.items())
    return (
        f"{' and '.join(units)} {'are' if many else 'is'} not defined: {taken.replace(' to be', ' is taken to be', 1)}"
    )
