"""Dataclasses with their ``__init__`` written out: what it stores are values of the program like any others."""

from __future__ import annotations

import ast

AS_THEY_ARE = frozenset(("frozen", "slots", "init"))
"""What a decorator may ask for that another ``__init__`` would not do."""


def with_init(tree: ast.Module) -> ast.Module:
    """The tree, in which each dataclass that stores its arguments has an ``__init__`` that says so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and not node.bases and any(map(_is_dataclass, node.decorator_list)):
            made = _init(node)
            asked = {one.arg for each in node.decorator_list if isinstance(each, ast.Call) for one in each.keywords}
            if made is not None and not asked & AS_THEY_ARE:
                node.decorator_list = [_without_init(each) for each in node.decorator_list]
                node.body.append(made)
    return tree


def _is_dataclass(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(called).rpartition(".")[2] == "dataclass"


def _without_init(decorator: ast.expr) -> ast.expr:
    if not _is_dataclass(decorator):
        return decorator
    called, given = (decorator.func, decorator.keywords) if isinstance(decorator, ast.Call) else (decorator, [])
    made = ast.Call(called, [], [*given, ast.keyword("init", ast.Constant(False))])
    return ast.fix_missing_locations(ast.copy_location(made, decorator))


def _init(node: ast.ClassDef) -> ast.FunctionDef | None:
    """The ``__init__`` of a dataclass, its lines those of the fields; None where it has a field of another kind."""
    arguments: list[str] = []
    stored: list[tuple[str, ast.stmt]] = []
    for field in node.body:
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        name, value = field.target.id, field.value
        factory = None
        if ast.unparse(field.annotation).startswith(("ClassVar", "InitVar")):
            return None
        if isinstance(value, ast.Call) and ast.unparse(value.func).rpartition(".")[2] == "field":
            factory = next((each.value for each in value.keywords if each.arg == "default_factory"), None)
            if factory is None or len(value.keywords) > 1:
                return None
        default = "" if value is None else "=None" if factory is not None else f"={ast.unparse(value)}"
        made = f"{ast.unparse(factory)}() if {name} is None else {name}" if factory is not None else name
        arguments.append(f"{name}{default}")
        stored.append((f"self.{name} = {made}", field))
    if not stored or any(isinstance(each, ast.FunctionDef) and each.name == "__init__" for each in node.body):
        return None
    if any(isinstance(each, ast.FunctionDef) and each.name == "__post_init__" for each in node.body):
        stored.append(("self.__post_init__()", node.body[-1]))
    body = "\n".join(f"    {text}" for text, _ in stored)
    (made_init,) = ast.parse(f"def __init__(self, {', '.join(arguments)}):\n{body}").body
    assert isinstance(made_init, ast.FunctionDef)
    for each in ast.walk(made_init):
        if hasattr(each, "lineno"):
            ast.copy_location(each, node)
    for statement, (_, field) in zip(made_init.body, stored, strict=True):
        for each in ast.walk(statement):
            ast.copy_location(each, field)
    return made_init
