"""The cost that was said beside a program: a formula in the program's own names, computed wherever they are known."""

from __future__ import annotations

import ast
import builtins
import itertools
from collections.abc import Iterator

from parity_tests.derivations.engine.python.instrument import FUNCTIONS, local_names
from parity_tests.derivations.verdicts import COST

SAID = "J__"
"""The name of its value in the program."""


class RefusedError(ValueError):
    """What was said beside a program does not fit it; its text is one sentence."""


def with_cost(tree: ast.Module, formula: str) -> None:
    """Put ``J__ = formula`` behind every statement that completes its names; where it fails, nothing happens.

    Where one place is reached several times, J is the sum so far: that of the examples that a loop takes one by one.

    Raises RefusedError where it is no formula, or no part of the program has all of its names.
    """
    try:
        value = ast.parse(formula.strip(), mode="eval").body
    except SyntaxError as error:
        raise RefusedError(f"cost is {formula!r}, expected the name of a value or a formula: {error.msg}") from error
    if "np" not in {alias for node in ast.walk(tree) for alias in _imported(node)}:
        tree.body.insert(0, ast.parse("import numpy as np").body[0])
    needed = {ast.unparse(node) for node in _names(value)}
    everywhere = _bound_in(tree.body) | {
        each.name for each in tree.body if isinstance(each, (*FUNCTIONS[:2], ast.ClassDef))
    }
    known = everywhere | {alias for node in ast.walk(tree) for alias in _imported(node)} | set(dir(builtins)) | {"np"}
    found = False
    inside = _reached_from(value, tree)
    statements = (_statement(value, place) for place in itertools.count())
    for body, arguments in _scopes(tree):
        own = _bound_in(body) | arguments
        if needed - own - known or not needed & own:
            continue
        found = True
        if needed & own <= arguments and not any(body is each.body for each in inside):
            body.insert(0, next(statements))
        _insert(body, needed & own, set(arguments), statements)
    if not found:
        every = set.union(known, *(_bound_in(body) | arguments for body, arguments in _scopes(tree)))
        missing = sorted(needed - every)
        why = f"the program has no {missing[0]}" if missing else "no part of the program has all of its names"
        raise RefusedError(f"cost is {formula!r}, and {why}")


def _reached_from(value: ast.AST, tree: ast.Module) -> list[ast.FunctionDef]:
    """The functions that a formula calls, and those that they call, by their names."""
    functions = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]
    reached: list[ast.FunctionDef] = []
    todo = [value]
    while todo:
        calls = (each.func for each in ast.walk(todo.pop()) if isinstance(each, ast.Call))
        names = {ast.unparse(each).rpartition(".")[2] for each in calls}
        new = [each for each in functions if each.name in names and each not in reached]
        reached += new
        todo += new
    return reached


def _names(value: ast.AST) -> Iterator[ast.expr]:
    """The names in a formula that a program binds: ``A2``, ``self.out``; of ``self.loss(A2)`` the object."""
    if isinstance(value, ast.GeneratorExp):
        inside = {each.id for one in value.generators for each in ast.walk(one.target) if isinstance(each, ast.Name)}
        parts = (value.elt, *(one.iter for one in value.generators))
        yield from (name for part in parts for name in _names(part) if ast.unparse(name) not in inside)
        return
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        yield from _names(value.func.value)
        for each in (*value.args, *value.keywords):
            yield from _names(each)
        return
    for node in ast.iter_child_nodes(value) if not isinstance(value, ast.Name | ast.Attribute) else [value]:
        if isinstance(node, ast.Attribute):
            root = node
            while isinstance(root.value, ast.Attribute):
                root = root.value
            if isinstance(root.value, ast.Name):
                yield node if root.value.id == "self" else root.value
                continue
        if isinstance(node, ast.Name):
            yield node
        else:
            yield from _names(node)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [(each.asname or each.name).split(".")[0] for each in node.names]
    return []


def _scopes(tree: ast.Module) -> Iterator[tuple[list[ast.stmt], set[str]]]:
    """The statements outside of functions, and those of each function with the names of its arguments."""
    yield tree.body, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = {each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
            yield node.body, names & local_names(node)


def _bound_in(body: list[ast.stmt]) -> set[str]:
    """The names that statements bind, those in functions aside."""
    return {name for statement in body for name in _bound(statement)}


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield ast.unparse(node)
    for each in ast.iter_child_nodes(node):
        yield from _bound(each)


def _insert(body: list[ast.stmt], needed: set[str], known: set[str], statements: Iterator[ast.stmt]) -> set[str]:
    """Put one of the statements into a block and the blocks in it; the names that are known behind it."""
    place = 0
    while place < len(body):
        statement = body[place]
        place += 1
        if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            continue
        blocks = [
            block
            for name in ("body", "orelse", "finalbody")
            if isinstance(block := getattr(statement, name, None), list)
        ]
        head = set(_head(statement))
        if blocks and head & needed and needed <= known | head:
            blocks[0].insert(0, next(statements))
        for block in blocks:
            known = known | _insert(block, needed, set(known) | head, statements)
        new = set(_bound(statement))
        known = known | new
        if not blocks and new & needed and needed <= known:
            body.insert(place, next(statements))
            place += 1
    return known


def _head(statement: ast.stmt) -> Iterator[str]:
    """The names that a loop or a with binds for its block."""
    targets = [each.optional_vars for each in getattr(statement, "items", ())]
    targets += [statement.target] if isinstance(statement, ast.For) else []
    for target in targets:
        for node in ast.walk(target) if target is not None else ():
            if isinstance(node, ast.Name):
                yield node.id


def _statement(value: ast.expr, place: int) -> ast.stmt:
    made = ast.Try(
        ast.parse(f"{SAID} = __so_far__({place}) + ({ast.unparse(value)})\n__so_far__({place}, {SAID})").body,
        [ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [ast.Pass()])],
        [],
        [],
    )
    for node in ast.walk(made):
        if isinstance(node, ast.expr | ast.stmt | ast.ExceptHandler):
            node.lineno = node.end_lineno = COST
            node.col_offset = node.end_col_offset = 0
    return made
