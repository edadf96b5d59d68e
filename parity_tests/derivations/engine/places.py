"""The tree of a text, made ready: entries and attributes of free containers as names, and a number for every node."""

from __future__ import annotations

import ast

from parity_tests.derivations.engine import words


def numbered(tree: ast.Module, first: int = 0) -> ast.Module:
    """The tree, each node of which knows its place in it."""
    for number, node in enumerate(ast.walk(tree), first):
        node.number = number  # type: ignore[attr-defined]
    return tree


def flattened(tree: ast.Module) -> ast.Module:
    """``self.W1``, ``params["W1"]`` and ``cache["A1"]`` as names, where the container is never used as a whole.

    ``params = {}`` before is passed over: the entries are what counts, those of ``{"W1": ..., "b1": ...}`` too.
    """
    whole = _used_whole(tree)
    new: ast.Module = _Flattener(whole).visit(tree)
    return ast.fix_missing_locations(new)


def _parts(node: ast.AST) -> tuple[str, str] | None:
    """The container and the entry of ``a["b"]`` or ``a.b``."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and isinstance(node.slice, ast.Constant):
        return (node.value.id, node.slice.value) if isinstance(node.slice.value, str) else None
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        known = node.attr in words.ATTRIBUTES | words.METHODS or node.value.id in words.MODULES
        known = known or any(node.attr in each for each in words.CONTAINER_METHODS.values())
        return None if known and node.value.id != "self" else (node.value.id, node.attr)
    return None


def _used_whole(tree: ast.Module) -> set[str]:
    """Names that are read or written otherwise than by an entry; a container to begin with does not count."""
    inside = {id(node.value) for node in ast.walk(tree) if _parts(node) is not None}  # type: ignore[attr-defined]
    assigns = (node for node in ast.walk(tree) if isinstance(node, ast.Assign))
    empty = {id(node.targets[0]) for node in assigns if _begins(node)}
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and id(node) not in inside and id(node) not in empty and node.id != "self"
    }


def _begins(node: ast.AST) -> bool:
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
        return False
    value = node.value
    if isinstance(value, ast.Dict):
        return all(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in value.keys)
    return isinstance(value, ast.Call) and ast.unparse(value) == "dict()"


class _Flattener(ast.NodeTransformer):
    def __init__(self, whole: set[str]) -> None:
        self.whole = whole

    def _flat(self, node: ast.Subscript | ast.Attribute) -> ast.AST:
        parts = _parts(node)
        if parts is None or parts[0] in self.whole:
            return self.generic_visit(node)
        return ast.copy_location(ast.Name(ast.unparse(node), node.ctx), node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return self._flat(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._flat(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.AST]:
        target = node.targets[0]
        if not (_begins(node) and isinstance(target, ast.Name) and target.id not in self.whole):
            return self.generic_visit(node)
        entries = node.value if isinstance(node.value, ast.Dict) else ast.Dict([], [])
        named = [
            ast.copy_location(ast.Assign([ast.Subscript(target, key, ast.Store())], value), value)
            for key, value in zip(entries.keys, entries.values, strict=True)
            if key is not None
        ]
        return [self.generic_visit(each) for each in named] or [ast.copy_location(ast.Pass(), node)]
