"""What the text of a program says before any run: how it is called, what it runs by itself, trains and fills."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import cache

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.python.said_cost import RefusedError
from parity_tests.derivations.verdicts import CALL


def call_in(text: str) -> str:
    """What a comment ``# verify: net = Net(3, 5); net.loss(X, y)`` says of how a file is called."""
    return one_a_line("\n".join(row.strip() for row in re.findall(r"^#\s*verify:(.*)$", text, re.M)))


def one_a_line(call: str) -> str:
    """The statements of a call, each on a line of its own.

    Raises RefusedError where they are no Python.
    """
    try:
        return "\n".join(map(ast.unparse, ast.parse(call.strip()).body))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise RefusedError(f"call is {call!r}, expected Python: {getattr(error, 'msg', error)}") from error


def is_program(text: str) -> bool:
    """Whether statements outside of functions and classes compute something that is trained or judged."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return any(isinstance(node, ast.For | ast.While | ast.With | ast.If | ast.Try) for node in tree.body) or any(
        isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr) and _computes(node, tree)
        for node in tree.body
    )


def _computes(node: ast.AST, tree: ast.Module) -> bool:
    """Whether a statement calls what the file defines, or hands it on to be called; or computes a gradient."""
    defined = {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
    parts = [part for each in calls for part in (each.func, *each.args, *(one.value for one in each.keywords))]
    return not defined.isdisjoint(each.id for each in parts if isinstance(each, ast.Name)) or not defined


def runs_by_itself(node: ast.stmt, tree: ast.Module) -> bool:
    """Whether a statement outside of functions does something, and defines nothing that a call may need.

    Loops do, the block behind ``if __name__``, and calls but those of imported modules, such as ``np.random.seed``.
    """
    if isinstance(node, ast.If):
        return any(isinstance(each, ast.Name) and each.id == "__name__" for each in ast.walk(node.test))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        root: ast.expr = node.value.func
        while isinstance(root, ast.Attribute):
            root = root.value
        imports = (each for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom))
        modules = {(each.asname or each.name).split(".")[0] for statement in imports for each in statement.names}
        return not (isinstance(root, ast.Name) and root.id in modules)
    return isinstance(node, ast.For | ast.While)


_LAST = re.compile(r"""\.\w+$|\[['"]\w+['"]\]$""")


def stepped(nodes: Sequence[ast.AST]) -> frozenset[str]:
    """Names of single numbers, or lists of them, that a line changes by a term: ``b -= rate * db``, ``w[j] -= ...``.

    Of an attribute or an entry its key counts, whoever holds it: ``.data`` of ``p.data``, ``['w']`` of ``u['w'][j]``.
    ``nodes`` are all those of a program.
    """
    found = set()
    target: ast.expr
    value: ast.expr
    for node in nodes:
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
            target, value = node.target, node.value
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
            target, value = node.targets[0], node.value.right
            if not isinstance(node.value.op, ast.Add | ast.Sub) or ast.unparse(node.value.left) != ast.unparse(target):
                continue
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.ListComp) and _changes_each(node):
            target, value = node.targets[0], node.value.elt
        else:
            continue
        while isinstance(target, ast.Subscript) and isinstance(value, ast.BinOp | ast.Name):
            target = target.value  # a number in a list, or in a list of lists
            if isinstance(target, ast.Subscript):
                found.add(ast.unparse(target))
        if isinstance(target, ast.Name | ast.Attribute | ast.Subscript) and isinstance(
            value, ast.BinOp | ast.Name | ast.Attribute
        ):
            found.add(ast.unparse(target))
    return _with_keys(found | _derived(nodes)) - _with_keys(_places(nodes))


def _changes_each(node: ast.Assign) -> bool:
    """Whether a list is made of its own entries and a term: ``w = [w_k - rate * g_k for w_k, g_k in zip(w, g)]``."""
    made, own = node.value, ast.unparse(node.targets[0])
    assert isinstance(made, ast.ListComp)
    read = {ast.unparse(each) for each in ast.walk(made) if isinstance(each, ast.expr)}
    return own in read and isinstance(made.elt, ast.BinOp) and isinstance(made.elt.op, ast.Add | ast.Sub)


def _with_keys(names: set[str]) -> frozenset[str]:
    """Names, and the keys of those that are attributes or entries."""
    return frozenset(names | {key[0] for each in names if (key := _LAST.search(each))})


@cache
def is_stepped(name: str, names: frozenset[str]) -> bool:
    """Whether a name is one of those, or has the key of one."""
    return name in names or ((key := _LAST.search(name)) is not None and key[0] in names)


def _derived(nodes: Sequence[ast.AST]) -> set[str]:
    """Names that a call gives, and of whose derivatives the program has names: ``b`` where there is ``db``."""
    bound = [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    given = {node.id for node in bound if node.lineno > CALL}
    return {name for each in bound for name in symbols.meant_by(each.id, given)}


def _places(nodes: Sequence[ast.AST]) -> set[str]:
    """What counts or is a place: ``p`` of ``data[p:p + n]`` and of ``range(p)``; of ``range(len(w))`` w is none."""
    found = set()
    lengths = {id(each) for node in nodes if _is_length(node) for each in ast.walk(node)}
    for node in nodes:
        if isinstance(node, ast.Subscript):
            inside: list[ast.AST] = [node.slice]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
            inside = [*node.args]
        else:
            continue
        found |= {
            ast.unparse(each)
            for part in inside
            for each in ast.walk(part)
            if isinstance(each, ast.Name | ast.Attribute) and id(each) not in lengths
        }
    return found


def _is_length(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len"


def filled(tree: ast.AST) -> frozenset[str]:
    """Symbols of arrays that are written to entry by entry, or added to."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) or (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)):
            place: ast.expr = node.target if isinstance(node, ast.AugAssign) else node
            found.add(symbols.base_of(ast.unparse(place)))
            while isinstance(place, ast.Subscript):
                place = place.value
            found.add(symbols.base_of(ast.unparse(place)))
    return frozenset(found)
