"""Functions that take lists or dicts of parameters, written out where they are called.

``acts = forward(X, Ws, bs)`` becomes the lines of ``forward``, so that the lists are those of the text. The function's
own names stay as they are where the text does not use them otherwise.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from parity_tests.derivations.engine import words
from parity_tests.derivations.engine.lists.names import assigned_in, root_of, walked_through

MOST_CALLS = 40
"""How many calls are written out."""


def inlined(tree: ast.Module) -> ast.Module:
    """The tree without functions of lists and dicts; the same tree where it has none."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef) and _is_plain(node)}
    functions = {name: node for name, node in functions.items() if _containers(node, functions)}
    if not functions:
        return tree
    writer = _Writer(functions, tree)
    body = writer.block([node for node in copy.deepcopy(tree).body if getattr(node, "name", "") not in functions])
    called = {each.id for node in body for each in ast.walk(node) if isinstance(each, ast.Name)}
    left = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in functions.keys() & called]
    return ast.fix_missing_locations(ast.Module([*left, *body], []))


def _is_plain(function: ast.FunctionDef) -> bool:
    """Whether a function returns at its end alone, and takes arguments by their names."""
    returns = [node for node in ast.walk(function) if isinstance(node, ast.Return)]
    others = (ast.FunctionDef, ast.Lambda, ast.Yield, ast.YieldFrom, ast.Global, ast.Nonlocal)
    return (
        returns in ([], function.body[-1:])
        and not any(isinstance(node, others) for node in ast.walk(function) if node is not function)
        and not (function.args.vararg or function.args.kwarg or function.args.posonlyargs or function.args.kwonlyargs)
    )


def _containers(function: ast.FunctionDef, functions: dict[str, ast.FunctionDef]) -> set[str]:
    """The arguments that a function takes entries of by their keys, walks through, or hands on to one that does."""
    arguments = {each.arg for each in function.args.args}
    found: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=key) if _is_key(key):
                found.add(name)
            case ast.Attribute(value=ast.Name(id=name), attr=attr):
                known = words.ATTRIBUTES | words.METHODS
                found |= {name} if attr not in known else set()
            case ast.For(iter=over) | ast.comprehension(iter=over):
                found |= {root_of(each) for each in walked_through(over)}
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]):
                found |= {name} if any(_is_counted(name, each) for each in ast.walk(function)) else set()
            case ast.Call(func=ast.Name(id=name), args=handed) if name in functions and name != function.name:
                other = _containers(functions[name], {})
                names = [each.arg for each in functions[name].args.args]
                found |= {root_of(each) for each, own in zip(handed, names, strict=False) if own in other}
    return found & arguments


def _is_key(node: ast.expr) -> bool:
    """``"W1"``, ``f"W{l}"``, ``"W" + str(l)``."""
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.BinOp(op=ast.Add()):
            return _is_key(node.left)
    return False


def _is_counted(name: str, node: ast.AST) -> bool:
    """Whether a part of a text is ``range(... len(name) ...)``."""
    counted = isinstance(node, ast.Call) and ast.unparse(node.func) == "range"
    return counted and f"len({name})" in ast.unparse(node)


class _Writer:
    """Puts the lines of functions in place of their calls."""

    def __init__(self, functions: dict[str, ast.FunctionDef], tree: ast.Module) -> None:
        self.functions = functions
        outside = [node for node in tree.body if getattr(node, "name", "") not in functions]
        names = [each for node in outside for each in ast.walk(node) if isinstance(each, ast.Name)]
        self.read = {each.id for each in names if isinstance(each.ctx, ast.Load)}
        self.calls = 0

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Statements, with the lines of the functions that they call in front of them."""
        out: list[ast.stmt] = []
        for node in body:
            if isinstance(node, ast.For | ast.While | ast.If | ast.With):
                node.body = self.block(node.body)
                node.orelse = self.block(getattr(node, "orelse", []))  # type: ignore[union-attr]
                out.append(node)
                continue
            own = assigned_in(node)
            for call in self.calls_in(node):
                lines, value = self.lines_of(call, own)
                out += lines
                _put(node, call, value)
            if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                out.append(node)
        return out

    def calls_in(self, node: ast.stmt) -> Iterator[ast.Call]:
        """The calls of a statement to be written out, inner ones first; none where one is made again and again."""
        again = (ast.ListComp, ast.GeneratorExp, ast.Lambda, ast.FunctionDef, ast.IfExp)
        if any(isinstance(each, again) for each in ast.walk(node)):
            return
        for each in reversed(list(ast.walk(node))):
            if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id in self.functions:
                self.calls += 1
                if self.calls <= MOST_CALLS:
                    yield each

    def lines_of(self, call: ast.Call, targets: set[str]) -> tuple[list[ast.stmt], ast.expr]:
        """The lines of a function for one call, and what it returns."""
        assert isinstance(call.func, ast.Name)
        function = copy.deepcopy(self.functions[call.func.id])
        parameters = [each.arg for each in function.args.args]
        first = len(parameters) - len(function.args.defaults)
        values: dict[str, ast.expr] = dict(zip(parameters[first:], function.args.defaults, strict=True))
        values |= dict(zip(parameters, call.args, strict=False))
        values |= {each.arg: each.value for each in call.keywords if each.arg}
        changed = {
            each.id
            for node in function.body
            for each in ast.walk(node)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }
        names: dict[str, str] = {}
        lines: list[ast.stmt] = []
        for name, value in values.items():
            if isinstance(value, ast.Name) and name not in changed:
                names[name] = value.id
                continue
            names[name] = self.free(name, call.func.id, targets)
            lines.append(ast.copy_location(ast.Assign([ast.Name(names[name], ast.Store())], value), call))
        names |= {name: self.free(name, call.func.id, targets) for name in changed - names.keys()}
        for node in function.body:
            for each in ast.walk(node):
                if isinstance(each, ast.Name):
                    each.id = names.get(each.id, each.id)
        last = function.body[-1]
        result = last.value if isinstance(last, ast.Return) else None
        body = function.body[:-1] if isinstance(last, ast.Return) else function.body
        return [*lines, *self.block(body)], ast.Constant(None) if result is None else result

    def free(self, name: str, function: str, targets: set[str]) -> str:
        """A function's own name, another one where the text has a value under it that it still reads."""
        return f"{name}_{function}" if name in self.read - targets else name


def _put(node: ast.stmt, old: ast.expr, new: ast.expr) -> None:
    """Another formula in place of one."""
    for parent in ast.walk(node):
        for field, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, field, ast.copy_location(new, old))
            elif isinstance(value, list):
                value[:] = [new if each is old else each for each in value]
