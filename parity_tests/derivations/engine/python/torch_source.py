"""A program that is written in torch, made ready: in float64, with gradients recorded, seeds moved with the run's."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator
from typing import Any

import torch

SHORT = frozenset(("float", "float32", "float16", "half", "bfloat16", "double", "get_default_dtype"))
"""Names of torch's for formats of numbers."""


def uses_torch(tree: ast.AST) -> bool:
    """Whether a program imports torch."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(each.name.split(".")[0] == "torch" for each in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "torch":
            return True
    return False


def ready(tree: ast.Module) -> ast.Module:
    """The tree with all in float64, without ``no_grad`` and ``.data``, which hide what a value is computed from."""
    new: ast.Module = _Readier().visit(tree)
    return ast.fix_missing_locations(new)


class _Readier(ast.NodeTransformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id == "torch":
            if node.attr in SHORT:
                node.attr = "float64"
            return node
        if node.attr != "data":
            return node
        if isinstance(node.value, ast.Name | ast.Attribute | ast.Subscript):
            node.value.ctx = node.ctx
        return node.value

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute):
            if node.func.attr in ("float", "half") and not node.args:
                node.func.attr = "double"
            elif node.func.attr == "manual_seed" and len(node.args) == 1:
                node.args = [ast.Call(ast.Name("__seed__", ast.Load()), node.args, [])]
        return node

    def visit_With(self, node: ast.With) -> Any:
        self.generic_visit(node)
        if all(_hides(each.context_expr) for each in node.items):
            return ast.copy_location(ast.If(ast.Constant(True), node.body, []), node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.decorator_list = [each for each in node.decorator_list if not _hides(each)]
        return node


def _hides(node: ast.expr) -> bool:
    """Whether an expression is ``torch.no_grad()`` or the like."""
    function = node.func if isinstance(node, ast.Call) else node
    return isinstance(function, ast.Attribute) and function.attr in ("no_grad", "inference_mode", "set_grad_enabled")


@contextlib.contextmanager
def float64() -> Iterator[None]:
    """What torch makes out of numbers is in float64 meanwhile."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
