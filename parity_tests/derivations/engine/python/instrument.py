"""A Python program rewritten so that every value it computes is seen: assignments, entries, returns, parts of formulas.

``x = e`` becomes ``x = __note__(e, 17)``, where 17 is the number of the node ``x`` in the program's tree; ``x[i] = e``
is followed by ``__entry__(x, ...)``; what ``setattr`` sets is seen as well; a part ``e`` of a formula becomes
``__part__(e, 23)``. What the program does stays the same.
"""

from __future__ import annotations

import ast
import copy
import re
from typing import Any, NamedTuple

from parity_tests.derivations.engine.events import BOUND, ENTRY, NAMED, PART, RETURNED

PLAIN_CALLS = frozenset(
    (
        "range", "len", "zip", "enumerate", "reversed", "int", "bool", "str", "list", "tuple", "dict", "set", "print",
        "super", "isinstance", "getattr", "hasattr", "type", "open", "input", "sorted", "format", "repr", "id", "slice",
    )
)  # fmt: skip
"""Functions whose results are no parts of a formula."""

NUMBERED = (ast.stmt, ast.expr, ast.arg)
"""Nodes that are one place each: the contexts and operators of all formulas are the same few objects."""

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Site(NamedTuple):
    """A place where a value is seen: its name as it is written, and the function that it stands in, "" for none."""

    line: int
    role: str
    name: str
    node: ast.AST
    statement: ast.stmt | None
    function: str
    local: bool


class Piece(NamedTuple):
    """A statement of the file, or of a class in it, and what is run in its place."""

    node: ast.stmt
    body: list[ast.stmt]
    sites: dict[int, Site]


Pieces = dict[int, Piece]
"""Pieces by the identity of their statement, which each piece keeps alive."""


def instrumented(tree: ast.Module, known: Pieces, *, parts: bool = True) -> tuple[ast.Module, Pieces]:
    """The rewritten program, and its pieces; those of statements that are ``known`` are taken as they are.

    The tree itself stays as it is, and so do its statements: a repair that is tried shares all others. ``parts`` of
    formulas are seen, or not.
    """
    made: Pieces = {}
    body = [each for piece in _pieces(tree.body, known, made, parts) for each in piece.body]
    return ast.Module(body, tree.type_ignores), made


def sites_of(tree: ast.Module, pieces: Pieces) -> dict[int, Site]:
    """The sites by the numbers of their nodes."""
    return {number: site for node in tree.body for number, site in pieces[id(node)].sites.items()}


def _pieces(block: list[ast.stmt], known: Pieces, made: Pieces, parts: bool) -> list[Piece]:
    for node in block:
        made[id(node)] = known.get(id(node)) or _piece(node, known, made, parts)
    return [made[id(node)] for node in block]


def _piece(node: ast.stmt, known: Pieces, made: Pieces, parts: bool) -> Piece:
    inner = _pieces(node.body, known, made, parts) if isinstance(node, ast.ClassDef) else []
    outer = copy.copy(node)
    if isinstance(outer, ast.ClassDef):
        outer.body = []
    nodes: dict[int, ast.AST] = {
        getattr(each, "number", -1): each for each in ast.walk(outer) if isinstance(each, NUMBERED)
    }
    rewriter = _Rewriter(nodes, parts)
    found = rewriter.visit(copy.deepcopy(outer))
    body = found if isinstance(found, list) else [found]
    if isinstance(node, ast.ClassDef):
        body[0].body = [each for piece in inner for each in piece.body]
    sites = rewriter.sites
    for piece in inner:
        sites |= piece.sites
    return Piece(node, [ast.fix_missing_locations(ast.copy_location(each, node)) for each in body], sites)


def local_names(node: ast.AST) -> set[str]:
    """The names that belong to a function: its arguments, and what it assigns itself."""
    arguments = node.args  # type: ignore[attr-defined]
    found = {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    found |= {each.arg for each in (arguments.vararg, arguments.kwarg) if each is not None}
    outer: set[str] = set()
    todo = list(node.body) if isinstance(node.body, list) else []  # type: ignore[attr-defined]
    while todo:
        each = todo.pop()
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            found.add(each.id)
        elif isinstance(each, ast.Global | ast.Nonlocal):
            outer.update(each.names)
        elif isinstance(each, (*FUNCTIONS, ast.ClassDef)):
            continue
        todo += ast.iter_child_nodes(each)
    return found - outer


def _call(function: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(function, ast.Load()), list(arguments), [])


def _loaded(target: ast.expr) -> ast.expr:
    """The same expression, read in place of assigned."""
    new = copy.deepcopy(target)
    for node in ast.walk(new):
        if isinstance(getattr(node, "ctx", None), ast.Store):
            node.ctx = ast.Load()  # type: ignore[attr-defined]
    return new


SHORT_FLOATS = ("float32", "float16", "f4", "f2", "single", "half")


class _Rewriter(ast.NodeTransformer):
    def __init__(self, nodes: dict[int, ast.AST], parts: bool) -> None:
        self.nodes, self.parts = nodes, parts
        self.sites: dict[int, Site] = {}
        self.functions: list[str] = []
        self.locals: list[set[str]] = []
        self.arguments: list[set[str]] = []
        """Of each function, the arguments that keep their value: ``return grad`` is seen."""
        self.statement: ast.stmt | None = None

    # ---- sites
    def _site(self, node: ast.AST, role: str, name: str) -> ast.Constant:
        number: int = node.number  # type: ignore[attr-defined]
        root = node
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        local = bool(self.locals) and isinstance(root, ast.Name | ast.arg) and _id(root) in self.locals[-1]
        here = self.nodes[number]
        statement = self.statement
        original = None if statement is None else self.nodes.get(getattr(statement, "number", -1))
        line = getattr(here, "lineno", getattr(statement, "lineno", 0))
        function = self.functions[-1] if self.functions else ""
        assert original is None or isinstance(original, ast.stmt)
        self.sites[number] = Site(line, role, name, here, original, function, local)
        return ast.Constant(number)

    def _noted(self, value: ast.expr, target: ast.expr, role: str = NAMED) -> ast.Call:
        site = self._site(target, role, ast.unparse(target))
        holder = [_loaded(target.value)] if isinstance(target, ast.Attribute) else []
        return _call("__note__", value, site, *holder)

    def _behind(self, target: ast.expr) -> list[ast.stmt]:
        """Statements that see what was assigned, behind the assignment."""
        match target:
            case ast.Name() | ast.Attribute():
                return [ast.Assign([copy.deepcopy(target)], self._noted(_loaded(target), target))]
            case ast.Subscript():
                sliced = any(isinstance(each, ast.Slice) for each in ast.walk(target.slice))
                key: ast.expr = ast.Constant(None) if sliced else _loaded(target.slice)
                empty = ast.arguments([], [], None, [], [], None, [])
                site = self._site(target, ENTRY, ast.unparse(target.value))
                holder = [_loaded(target.value.value)] if isinstance(target.value, ast.Attribute) else []
                return [ast.Expr(_call("__entry__", _loaded(target.value), site, ast.Lambda(empty, key), *holder))]
            case ast.Tuple() | ast.List():
                return [each for part in target.elts for each in self._behind(part)]
            case ast.Starred():
                return self._behind(target.value)
        return []

    # ---- statements
    def visit(self, node: ast.AST) -> Any:
        """A node, with the statement that it stands in known."""
        if isinstance(node, ast.stmt):
            outer, self.statement = self.statement, node
            try:
                return super().visit(node)
            finally:
                self.statement = outer
        return super().visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        node.value = self._top(node.value)
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Name | ast.Attribute):
            node.value = self._noted(node.value, node.targets[0])
            return node
        return [node, *(each for target in node.targets for each in self._behind(target))]

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | list[ast.stmt]:
        if node.value is None:
            return node
        node.value = self._top(node.value)
        return [node, *self._behind(node.target)]

    def visit_AugAssign(self, node: ast.AugAssign) -> list[ast.stmt]:
        node.value = self._top(node.value)
        return [node, *self._behind(node.target)]

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if isinstance(node.value, ast.Tuple):
            node.value.elts = [self._returned(each, kept=place > 0) for place, each in enumerate(node.value.elts)]
        elif isinstance(node.value, ast.Dict):
            node.value.keys = [None if each is None else self.visit(each) for each in node.value.keys]
            node.value.values = [self._returned(each) for each in node.value.values]
        elif node.value is not None:
            node.value = self._returned(node.value)
        return node

    def _returned(self, value: ast.expr, *, kept: bool = False) -> ast.expr:
        """A value that is returned; an argument that is ``kept`` for the backward pass is no result."""
        handed_on = isinstance(value, ast.Name) and bool(self.arguments) and value.id in self.arguments[-1] and not kept
        if isinstance(value, ast.Name | ast.Attribute | ast.Constant | ast.Starred | ast.Lambda) and not handed_on:
            return value
        site = self._site(value, RETURNED, "")
        return _call("__note__", self._top(value), site)

    def visit_For(self, node: ast.For) -> ast.AST:
        names = [each for each in ast.walk(node.target) if isinstance(each, ast.Name)]
        bound: list[ast.stmt] = [
            ast.Assign([copy.deepcopy(each)], self._noted(_loaded(each), each, BOUND)) for each in names
        ]
        self.generic_visit(node)
        node.body = [*bound, *node.body]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.functions.append(node.name)
        self.locals.append(local_names(node))
        outer, self.statement = self.statement, None
        arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        self.arguments.append({each.arg for each in arguments} - _changed(node))
        bound: list[ast.stmt] = []
        for each in arguments:
            if each.arg not in ("self", "cls"):
                site = self._site(each, BOUND, each.arg)
                bound.append(
                    ast.Assign(
                        [ast.Name(each.arg, ast.Store())], _call("__note__", ast.Name(each.arg, ast.Load()), site)
                    )
                )
        documented = bool(node.body) and isinstance(node.body[0], ast.Expr) and _is_text(node.body[0].value)
        first, rest = node.body[:documented], node.body[documented:]
        body = self._block(rest)
        self.statement = outer
        self.arguments.pop()
        self.locals.pop()
        self.functions.pop()
        if _yields(node):
            node.body = [*first, *bound, *body]
            return node
        enter, leave = ast.Expr(_call("__enter__")), ast.Expr(_call("__leave__"))
        node.body = [*first, ast.Try([enter, *bound, *body], [], [], [leave])]
        return node

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        new: list[ast.stmt] = []
        for each in body:
            result = self.visit(each)
            new += result if isinstance(result, list) else [result]
        return new

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        call = node.value
        if not isinstance(call, ast.Call):
            return node
        if isinstance(call.func, ast.Attribute) and call.args:
            place = {"append": 0, "insert": 1}.get(call.func.attr)
            if place is not None and len(call.args) > place and not isinstance(call.args[place], ast.Starred):
                value = call.args[place]
                site = self._site(value, NAMED, ast.unparse(call.func.value))
                where: ast.expr = ast.Constant(None) if place == 0 else _loaded(call.args[0])
                call.args[place] = _call("__item__", self._top(value), site, _loaded(call.func.value), where)
                return node
            changed = call.args[0] if call.func.attr == "at" else call.func.value
            in_place = call.func.attr in ("at", "fill") or re.fullmatch(r"\w*[a-z]_", call.func.attr)
            if in_place and isinstance(changed, ast.Name | ast.Attribute):
                site = self._site(changed, ENTRY, ast.unparse(changed))
                nothing = ast.Lambda(ast.arguments([], [], None, [], [], None, []), ast.Constant(None))
                node.value = self._top(call)
                return [node, ast.Expr(_call("__entry__", _loaded(changed), site, nothing))]
        if isinstance(call.func, ast.Name) and call.func.id == "setattr" and len(call.args) == 3:
            holder, key, value = call.args
            site = self._site(value, NAMED, ast.unparse(holder))
            call.args[2] = _call("__attribute__", self._top(value), site, _loaded(holder), _loaded(key))
            return node
        if isinstance(call.func, ast.Name) and call.func.id == "print":
            call.args = [self._returned(each) if not isinstance(each, ast.JoinedStr) else each for each in call.args]
            return node
        node.value = self._top(call)
        return node

    # ---- formulas
    def _top(self, value: ast.expr) -> ast.expr:
        """A right side: its parts are seen, the whole is seen by what it is assigned to."""
        return self.generic_visit(value) if _is_formula(value) else self.visit(value)  # type: ignore[return-value]

    def _part(self, node: ast.expr) -> ast.AST:
        if not self.parts:
            return self.generic_visit(node)
        site = self._site(node, PART, "")
        new = self.generic_visit(node)
        return _call("__part__", new, site)  # type: ignore[arg-type]

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        return self._part(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        return self.generic_visit(node) if isinstance(node.op, ast.Not) else self._part(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in PLAIN_CALLS:
            return self.generic_visit(node)
        return self._part(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            node.func.id = "__float__"
        elif isinstance(node, ast.Call) and _is_product(node) and isinstance(node.func, ast.Attribute):
            node.args.insert(0, node.func.value)
            node.func = ast.Name("__dot__", ast.Load())
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "astype":
            for each in (*node.args, *(keyword.value for keyword in node.keywords)):
                if isinstance(each, ast.Constant) and each.value in SHORT_FLOATS:
                    each.value = "float64"  # every number is one here
        return super().generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        node.value = self._noted(self._top(node.value), node.target)
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        node.body = self._returned(node.body)
        return node


def _is_product(node: ast.Call) -> bool:
    """``a.dot(b)``: the method of an array that is no tensor would lose a tensor."""
    return (
        isinstance(node.func, ast.Attribute) and node.func.attr == "dot" and len(node.args) == 1 and not node.keywords
    )


def _changed(function: ast.FunctionDef) -> set[str]:
    """The names that a function gives another value, or changes in place."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(getattr(node, "ctx", None), ast.Store):
            root: Any = node
            while isinstance(root, ast.Attribute | ast.Subscript):
                root = root.value
            found.add(getattr(root, "id", ""))
    return found


def _id(node: ast.Name | ast.arg) -> str:
    return node.id if isinstance(node, ast.Name) else node.arg


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_formula(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call)


def _yields(node: ast.AST) -> bool:
    """Whether a function is a generator: its frame is left and entered again at each value."""
    todo = list(ast.iter_child_nodes(node))
    while todo:
        each = todo.pop()
        if isinstance(each, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(each, FUNCTIONS):
            todo += ast.iter_child_nodes(each)
    return False
