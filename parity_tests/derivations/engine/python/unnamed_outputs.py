"""Costs of an output that has no name: of what a program takes its labels from in the midst of a formula."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.python.instrument import FUNCTIONS

KINDS = (
    ("the squared error of {out} and {label}", "0.5 * np.sum(({out} - {label})**2)"),
    (
        "the cross-entropy of {out} and {label}",
        "-np.sum({label} * np.log({out}) + (1 - {label}) * np.log(1 - ({out})))",
    ),
    ("the cross-entropy -sum {label} log {out}", "-np.sum({label} * np.log({out}))"),
)
"""The usual costs without constant factors: in words, and as a formula."""

LINEAR = ("sum", "mean", "average", "dot", "matmul", "float", "len", "item")
"""Functions that take an error to a multiple of it."""

LONGEST = 40
"""How long an output is that is named by its formula."""


class Unnamed(NamedTuple):
    """A usual cost of an output without a name, as a formula of the program."""

    words: str
    formula: str


def unnamed_costs(tree: ast.AST) -> list[Unnamed]:
    """The usual costs of each formula that labels are taken from: summed over loops that change nothing it reads."""
    found: dict[str, Unnamed] = {}
    functions = {each.name: each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
    for output, label, loops in _differences(tree, ()):
        out, at = ast.unparse(output), ast.unparse(label)
        read = {each.id for side in (output, label) for each in ast.walk(side) if isinstance(each, ast.Name)}
        over = [each for each in loops if read & _names_in(each.target)]
        summed = bool(over) and not any(_changed_in(each) & _read_by(output, functions) for each in over)
        around = " ".join(f"for {ast.unparse(each.target)} in {ast.unparse(each.iter)}" for each in over)
        named = out if len(out) <= LONGEST else f"the output in line {output.lineno}"
        for words, formula in KINDS:
            value = formula.format(out=f"({out})" if isinstance(output, ast.BinOp) else out, label=at)
            said = words.format(out=named, label=at)
            if summed:
                value, said = f"sum({value} {around})", f"{said}, summed over the examples"
            found.setdefault(value, Unnamed(said, ast.unparse(ast.parse(value))))
    return list(found.values())


def _differences(node: ast.AST, loops: tuple[ast.For, ...]) -> Iterator[tuple[ast.expr, ast.expr, tuple[ast.For, ...]]]:
    """Each formula that stands beside labels in a difference, the labels, and the loops of its function around it."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        for output, label in ((node.left, node.right), (node.right, node.left)):
            if _is_label(label) and isinstance(output, ast.BinOp | ast.Call):
                yield output, label, loops
    inside = () if isinstance(node, FUNCTIONS) else (*loops, node) if isinstance(node, ast.For) else loops
    for each in ast.iter_child_nodes(node):
        yield from _differences(each, inside)


def _is_label(node: ast.AST) -> bool:
    """Whether a name, or an entry of one, is that of labels."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return isinstance(node, ast.Name | ast.Attribute) and symbols.is_label(symbols.base_of(ast.unparse(node)))


def _names_in(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _changed_in(loop: ast.For) -> set[str]:
    """What the statements of a loop give values to, or change."""
    stored = (each for each in ast.walk(loop) if isinstance(each, ast.Assign | ast.AugAssign))
    targets = (
        target for each in stored for target in (each.targets if isinstance(each, ast.Assign) else [each.target])
    )
    return {name for target in targets for name in _read_by(target)}


def _read_by(node: ast.AST, functions: Mapping[str, ast.FunctionDef] = MappingProxyType({})) -> set[str]:
    """The names and attributes in a formula, and in the ``functions`` that it calls."""
    found: set[str] = set()
    todo, known = [node], dict(functions)
    while todo:
        for each in ast.walk(todo.pop()):
            if isinstance(each, ast.Name | ast.Attribute):
                text = ast.unparse(each)
                found.add(text)
                if called := known.pop(text.rpartition(".")[2], None):
                    todo.append(called)
    return found - {"self", "np"}


def is_linear_in_an_error(node: ast.AST | None) -> bool:
    """Whether a formula has a difference from labels as a factor or a term, once: a gradient may, and no cost."""
    if node is None or sum(map(_is_an_error, ast.walk(node))) != 1:
        return False
    errors = (each for each in ast.walk(node) if _is_an_error(each))
    inside = {id(each) for error in errors for each in ast.walk(error)}
    around = [each for each in ast.walk(node) if id(each) not in inside]
    called = [ast.unparse(each.func).rpartition(".")[2] for each in around if isinstance(each, ast.Call)]
    return all(each in LINEAR for each in called) and not any(isinstance(each, ast.Pow) for each in around)


def _is_an_error(node: ast.AST) -> bool:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Sub):
        return False
    sides = (node.left, node.right)
    return any(map(_is_label, sides)) and not any(isinstance(each, ast.Constant) for each in sides)
