"""What the tree of a file of functions says, which is never run: what was not looked at, what calls what."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from parity_tests.derivations.verdicts import Verdict, not_judged

GRADIENT = re.compile(
    r"d[A-Z]\w*|d_?[a-z]{1,2}\d*|d_\w+|dscores|dout|dhidden\w*|dlogits|\w*([Gg]rad|[Dd]elta|nabla|[Ee]rror)\w*"
)
"""Names that people give to gradients: dW1, dz, d_weights, dscores, W1_grad, l2_delta, nabla_w."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def binds(source: str, names: Collection[str]) -> bool:
    """Whether a file may have one of these names at its top: what it defines, assigns or imports.

    A file that cannot be read as Python may have any.
    """
    found = _bound(source)
    return found is None or "*" in found or not found.isdisjoint(names)


@lru_cache(maxsize=8)
def _bound(source: str) -> frozenset[str] | None:
    """What a file defines, assigns or imports; None where it cannot be read."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, Function | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {each.asname or each.name for each in node.names}
    return frozenset(found)


def not_looked_at(source: str, judged: Collection[str]) -> tuple[list[Verdict], int]:
    """The functions, and the gradients computed outside of functions, that were not judged; and how many functions
    helped one that was.
    """
    tree = ast.parse(source)
    functions = dict(functions_of(tree))
    helpers = called_by(judged, functions)
    rows = source.splitlines()
    found = [
        not_judged(name, node.lineno, rows[node.lineno - 1].strip(), f"{name} is not judged: {reason(name)}.")
        for name, node in functions.items()
        if name not in judged and name not in helpers
    ]
    for name, number in gradients_outside(tree):
        why = "it stands outside of the functions, and only functions named like the public ones are called"
        found.append(not_judged(name, number, rows[number - 1].strip(), f"{name} is not judged: {why}."))
    return found, len(helpers - set(judged))


def reason(name: str) -> str:
    """Why a function was not judged."""
    if "." in name:
        return "it is a method, and only functions named like the public ones are called"
    return "no public function has this name"


def functions_of(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """The functions of a file and of its classes, by name; those inside a function are part of it."""

    def below(node: ast.AST, before: str) -> Iterator[tuple[str, Function]]:
        for each in ast.iter_child_nodes(node):
            if isinstance(each, Function):
                yield f"{before}{each.name}", each
            elif isinstance(each, ast.ClassDef):
                yield from below(each, f"{before}{each.name}.")
            else:
                yield from below(each, before)

    return below(tree, "")


def called_by(names: Collection[str], functions: dict[str, Function]) -> set[str]:
    """The functions that these read, and those that they read in turn."""
    found: set[str] = set()
    open_ = [name for name in names if name in functions]
    while open_:
        read = {node.id for node in ast.walk(functions[open_.pop()]) if isinstance(node, ast.Name)}
        new = (read & functions.keys()) - found
        found |= new
        open_ += new
    return found


def counts_from_the_end(source: str, name: str) -> bool:
    """Whether a function, or one that it calls, has a slice like pad:-pad."""
    functions = dict(functions_of(ast.parse(source)))
    own = [functions[each] for each in {name, *called_by([name], functions)} & functions.keys()]
    slices = (node for function in own for node in ast.walk(function) if isinstance(node, ast.Slice))
    return any(
        isinstance(each.lower, ast.Name)
        and isinstance(each.upper, ast.UnaryOp)
        and ast.dump(each.upper.operand) == ast.dump(each.lower)
        for each in slices
    )


def gradients_outside(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """What looks like a gradient or takes a step, outside of every function: its name and line, each name once."""
    seen: set[str] = set()

    def below(node: ast.AST) -> Iterator[tuple[str, int]]:
        for each in ast.iter_child_nodes(node):
            if isinstance(each, Function | ast.ClassDef | ast.Lambda):
                continue
            if isinstance(each, ast.Assign | ast.AugAssign | ast.AnnAssign) and computes(each.value):
                targets = each.targets if isinstance(each, ast.Assign) else [each.target]
                for target in targets:
                    for name in stored(target):
                        if name not in seen and (GRADIENT.fullmatch(name) or steps(each, name)):
                            seen.add(name)
                            yield name, each.lineno
            yield from below(each)

    return below(tree)


def computes(value: ast.expr | None) -> bool:
    """Whether a right side computes something, beyond a number or a name."""
    return value is not None and any(isinstance(each, ast.BinOp | ast.Call) for each in ast.walk(value))


def steps(node: ast.Assign | ast.AugAssign | ast.AnnAssign, name: str) -> bool:
    """Whether a statement takes something from a value, or adds a product of matrices to it."""
    if isinstance(node, ast.AugAssign):
        return isinstance(node.op, ast.Sub) or (isinstance(node.op, ast.Add) and _multiplies(node.value))
    value = node.value
    return (
        isinstance(value, ast.BinOp)
        and (isinstance(value.op, ast.Sub) or (isinstance(value.op, ast.Add) and _multiplies(value)))
        and name in stored(value.left)
    )


def _multiplies(value: ast.expr) -> bool:
    """Whether an expression has a product of matrices."""
    return any(
        isinstance(each, ast.MatMult)
        or (isinstance(each, ast.Call) and ast.unparse(each.func).rpartition(".")[2] in ("dot", "matmul", "outer"))
        for each in ast.walk(value)
    )


def stored(target: ast.expr) -> Iterator[str]:
    """The names that a left side assigns, attributes, keys and parts of a tuple too."""
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Attribute):
        yield target.attr
    elif isinstance(target, ast.Subscript):
        key = target.slice
        yield from [key.value] if isinstance(key, ast.Constant) and isinstance(key.value, str) else stored(target.value)
    elif isinstance(target, ast.Tuple | ast.List):
        for each in target.elts:
            yield from stored(each)
    elif isinstance(target, ast.Starred):
        yield from stored(target.value)
