"""Changes of a call of one of NumPy's functions: another function, another branch of a choice, a number within."""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Iterator

from parity_tests.derivations.engine.edits.trees import parsed
from parity_tests.derivations.engine.edits.words import Words

Changes = Iterator["tuple[ast.expr, str, float]"]

ALIKE = (
    ("tanh", "sinh", "cosh"),
    ("sin", "cos"),
    ("exp", "log"),
    ("abs", "sign"),
    ("max", "min"),
    ("maximum", "minimum"),
)
"""Functions of NumPy that are taken for one another."""


def of_choice(node: ast.Call, words: Words) -> Changes:
    """``np.where(z > 0, 1, 0)`` with its branches exchanged, or another number in one of them."""
    condition, *branches = node.args
    yield ast.Call(node.func, [condition, *reversed(branches)], node.keywords), "operand-order", 1.0
    for place, branch in enumerate(branches):
        if not isinstance(branch, ast.Constant):
            continue
        numbers: list[tuple[ast.expr, float]] = [(ast.Constant(each), 1.0) for each in (0, 1) if each != branch.value]
        for number, cost in [*numbers, *((parsed(name), 1.05) for name in words.rates)]:
            changed = [*branches[:place], number, *branches[place + 1 :]]
            yield ast.Call(node.func, [condition, *changed], node.keywords), "wrong-number", cost


def of_numpy(node: ast.Call, name: str) -> Changes:
    """Another of NumPy's functions, or a number that its argument lacks, or 1 that is taken away from it."""
    if not isinstance(node.func, ast.Attribute) or ast.unparse(node.func.value) not in ("np", "numpy"):
        return
    for other in next((group for group in ALIKE if name in group), ()):
        if other != name:
            yield renamed(node, other), "wrong-function", 1.2
    if name == "exp":
        for number in (0.5, 2):
            scaled = ast.BinOp(ast.Constant(number), ast.Mult(), node.args[0])
            yield ast.Call(node.func, [scaled], node.keywords), "missing-factor", 1.3
        yield ast.BinOp(node, ast.Sub(), ast.Constant(1)), "missing-term", 1.25
        yield ast.BinOp(ast.Constant(1), ast.Sub(), node), "missing-term", 1.25


def renamed(node: ast.Call, name: str) -> ast.Call:
    """The same call of a function of the same module with another name."""
    function = copy.copy(node.func)
    if isinstance(function, ast.Attribute):
        function.attr = name
    return ast.Call(function, node.args, node.keywords)


def of_transpose(node: ast.Call) -> Changes:
    """``x.transpose(...)`` with the axes in another order, or without it."""
    if isinstance(node.func, ast.Attribute) and node.args:
        yield node.func.value, "transpose-extra", 1.0
    for one, other in itertools.combinations(range(len(node.args)), 2):
        axes = list(node.args)
        axes[one], axes[other] = axes[other], axes[one]
        yield ast.Call(node.func, axes, node.keywords), "index-order", 1.0
