"""A program with ``np.matrix`` as the same program on arrays: what ``*``, an index or a sum means there is written out.

The program is run once as it is, to see which of its formulas are matrices; ``X * theta.T`` becomes ``X @ theta.T``.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from parity_tests.derivations.engine.python.recorder import Halted

MATRICES = re.compile(r"\b(?:mat|matrix|asmatrix)\(")
MAKING = frozenset(("mat", "matrix", "asmatrix"))
REDUCING = frozenset(("sum", "mean", "max", "min", "amax", "amin", "prod", "std", "var", "argmax", "argmin"))
LOOKED_AT = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.UnaryOp, ast.Constant)

MOST_WORK = 10_000_000
VALUE = 300
"""How much the one run may do: the entries of the values that are looked at, and so many more for each value."""

Run = Callable[[Any, dict[str, Any]], object]
"""Runs compiled code with some functions more."""


def uses_matrices(text: str) -> bool:
    """Whether a text makes matrices of NumPy."""
    return MATRICES.search(text) is not None


def as_arrays(tree: ast.Module, run: Run) -> ast.Module:
    """The program on arrays; the same where none of its values is a matrix."""
    for place, node in enumerate(ast.walk(tree)):
        node.place = place  # type: ignore[attr-defined]
    kinds = _Kinds()
    watched: ast.Module = ast.fix_missing_locations(_Watched().visit(copy.deepcopy(tree)))
    run(compile(watched, "<the file>", "exec"), {"__seen__": kinds.seen})
    if not kinds.matrices:
        return tree
    aliases = [each for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names]
    names = [each.asname or each.name for each in aliases if each.name == "numpy"]
    written: ast.Module = _Written(kinds, f"{names[0]}." if names else "").visit(tree)
    return ast.fix_missing_locations(written)


class _Kinds:
    """Which formulas were matrices, and which single numbers, by their places."""

    def __init__(self) -> None:
        self.matrices: set[int] = set()
        self.numbers: set[int] = set()
        self.work = 0

    def seen(self, value: Any, place: int) -> Any:
        self.work += VALUE + (value.size if isinstance(value, np.ndarray) else 0)
        if self.work > MOST_WORK:
            raise Halted
        if isinstance(value, np.matrix):
            self.matrices.add(place)
        elif isinstance(value, int | float | np.generic):
            self.numbers.add(place)
        return value

    def is_matrix(self, node: ast.AST) -> bool:
        return getattr(node, "place", -1) in self.matrices

    def is_number(self, node: ast.AST) -> bool:
        return getattr(node, "place", -1) in self.numbers

    def multiplies(self, *sides: ast.expr) -> bool:
        """Whether a product of both sides is that of matrices."""
        return any(map(self.is_matrix, sides)) and not any(map(self.is_number, sides))


class _Watched(ast.NodeTransformer):
    """Every formula inside of a call that looks at its value."""

    def visit(self, node: ast.AST) -> Any:
        place = getattr(node, "place", -1)
        if isinstance(node, ast.JoinedStr):
            return node
        self.generic_visit(node)
        if not isinstance(node, LOOKED_AT) or isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
            return node
        called = ast.Call(ast.Name("__seen__", ast.Load()), [node, ast.Constant(place)], [])
        return ast.copy_location(called, node)


class _Written(ast.NodeTransformer):
    """What matrices do, in the words of arrays."""

    def __init__(self, kinds: _Kinds, numpy: str) -> None:
        self.kinds, self.numpy = kinds, numpy

    def visit(self, node: ast.AST) -> Any:
        """A node, its parts first; it keeps its place."""
        new: ast.AST = super().visit(node)
        if new is not node:
            ast.copy_location(new, node)
            new.place = getattr(node, "place", -1)  # type: ignore[attr-defined]
        return new

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult) and self.kinds.multiplies(node.left, node.right):
            return ast.BinOp(node.left, ast.MatMult(), node.right)
        squared = isinstance(node.op, ast.Pow) and ast.unparse(node.right) == "2" and self.kinds.is_matrix(node.left)
        return ast.BinOp(node.left, ast.MatMult(), copy.deepcopy(node.left)) if squared else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load) or not (self.kinds.is_matrix(node) and self.kinds.is_matrix(node.value)):
            return node
        whole = isinstance(node.slice, ast.Tuple)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        rows = [ast.List([each], ast.Load()) if self.kinds.is_number(each) else each for each in parts]
        return ast.Subscript(node.value, ast.Tuple(rows, ast.Load()) if whole else rows[0], ast.Load())

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if not self.kinds.is_matrix(node.value):
            return node
        if node.attr == "A":
            return node.value
        if node.attr == "A1":
            return _method(node.value, "ravel")
        return self._of_numpy("linalg.inv", node.value) if node.attr == "I" else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        base = node.func.value if isinstance(node.func, ast.Attribute) else None
        if name == "getA" and base is not None and self.kinds.is_matrix(base):
            return base
        if not self.kinds.is_matrix(node) or (not node.args and name in MAKING):
            return node
        if name in MAKING:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                first = ast.parse(str(np.asmatrix(first.value).tolist()), mode="eval").body
            settings = [each for each in node.keywords if each.arg == "dtype"]
            array = self._of_numpy(
                "array" if name == "matrix" else "asarray", first, *node.args[1:2], settings=settings
            )
            return self._of_numpy("atleast_2d", array)
        of_method = base is not None and self.kinds.is_matrix(base)
        has_axis = len(node.args) > (0 if of_method else 1) or any(each.arg == "axis" for each in node.keywords)
        if name in REDUCING and has_axis:
            return ast.Call(node.func, node.args, [*node.keywords, ast.keyword("keepdims", ast.Constant(True))])
        if name in ("ravel", "flatten"):
            return _method(node, "reshape", ast.Constant(1), ast.Constant(-1))
        return node

    def _of_numpy(self, name: str, *arguments: ast.expr, settings: list[ast.keyword] | None = None) -> ast.Call:
        return ast.Call(ast.parse(f"{self.numpy}{name}", mode="eval").body, list(arguments), settings or [])


def _method(value: ast.expr, name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Attribute(value, name, ast.Load()), list(arguments), [])
