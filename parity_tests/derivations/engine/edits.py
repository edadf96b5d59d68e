"""Small changes of a statement, each with the mistake that it undoes: what people are likely to have meant."""

from __future__ import annotations

import ast
import copy
import re
import types
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine import products, symbols
from parity_tests.derivations.engine.products import Words, replaced


class Edit(NamedTuple):
    """Statements in place of the one that was written; ``behind`` says that the first is unchanged."""

    statements: list[ast.stmt]
    cause: str
    cost: float


def edits(statement: ast.stmt, words: Words) -> list[Edit]:
    """All single changes, the likeliest first."""
    found = [*_inside(statement, words), *_whole(statement, words), *_behind(statement, words)]
    return sorted(found, key=lambda edit: edit.cost)


def _value(statement: ast.stmt) -> ast.expr | None:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return statement.value.args[-1]  # np.add.at(dE, places, values)
    return statement.value if isinstance(statement, ast.Assign | ast.AugAssign) else None


def _with_value(statement: ast.stmt, value: ast.expr) -> list[ast.stmt]:
    new = copy.copy(statement)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        value = ast.Call(statement.value.func, [*statement.value.args[:-1], value], statement.value.keywords)
    new.value = value  # type: ignore[attr-defined]
    return [new]


# ---- changes inside of the formula
def _inside(statement: ast.stmt, words: Words) -> Iterator[Edit]:
    value = _value(statement)
    if value is None:
        return
    for node in ast.walk(value):
        if isinstance(node, ast.expr):
            for new, cause, cost in _changes(node, words):
                yield Edit(_with_value(statement, replaced(value, node, new)), cause, cost)
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript):
        yield from _of_place(statement, statement.targets[0], words)


def _of_place(statement: ast.Assign, target: ast.Subscript, words: Words) -> Iterator[Edit]:
    """Changes of the condition in ``dZ[Z <= 0] = 0``."""
    for node in ast.walk(target.slice):
        if isinstance(node, ast.Compare | ast.Name):
            for new, cause, cost in _changes(node, words):
                changed = copy.copy(target)
                changed.slice = replaced(target.slice, node, new)
                yield Edit([ast.Assign([changed], statement.value, lineno=1)], cause, cost)


Changes = Iterator["tuple[ast.expr, str, float]"]


def _changes(node: ast.expr, words: Words) -> Changes:
    match node:
        case ast.BinOp():
            yield from _of_operator(node, words)
            yield from _of_brackets(node)
        case ast.UnaryOp(op=ast.USub()):
            yield node.operand, "sign", 0.9
        case ast.Name():
            yield from _of_name(node, words)
        case ast.Attribute(attr="T"):
            yield node.value, "transpose-extra", 1.0
        case ast.Call():
            yield from _of_call(node, words)
        case ast.Constant() if isinstance(node.value, int | float):
            for number in (1, 2, 0.5, 0):
                if number != node.value:
                    yield ast.Constant(number), "wrong-number", 1.3
            if isinstance(node.value, int) and node.value > 1:
                yield ast.Constant(node.value + 1), "wrong-number", 1.5
        case ast.Compare():
            for sign in (ast.Gt(), ast.Lt(), ast.LtE(), ast.GtE()):
                if not isinstance(node.ops[0], type(sign)):
                    yield ast.Compare(node.left, [sign], node.comparators), "wrong-operator", 0.95
        case ast.Subscript():
            yield from _of_index(node)


def _of_operator(node: ast.BinOp, words: Words) -> Changes:
    left, right = node.left, node.right
    match node.op:
        case ast.Mult():
            yield left, _dropped(right, words), 1.0
            yield right, _dropped(left, words), 1.0
            yield ast.BinOp(left, ast.MatMult(), right), "star-for-matmul", 1.0
            yield ast.BinOp(left, ast.Div(), right), "wrong-operator", 1.3
        case ast.Div():
            yield left, _dropped(right, words), 1.0
            yield ast.BinOp(left, ast.Mult(), right), "wrong-operator", 1.3
            for count in words.counts:
                yield ast.BinOp(left, ast.Div(), _parsed(count)), "wrong-divisor", 1.2
        case ast.MatMult():
            yield ast.BinOp(right, ast.MatMult(), left), "operand-order", 1.0
            yield ast.BinOp(left, ast.Mult(), right), "star-for-matmul", 1.2
            yield ast.BinOp(_turned(right), ast.MatMult(), _turned(left)), "operand-order", 1.4
        case ast.Add():
            yield ast.BinOp(left, ast.Sub(), right), "sign", 0.9
            yield left, _extra_term(right, words), 1.1
            yield right, _extra_term(left, words), 1.1
        case ast.Sub():
            yield ast.BinOp(left, ast.Add(), right), "sign", 0.9
            yield ast.BinOp(right, ast.Sub(), left), "sign", 0.9
            yield left, _extra_term(right, words), 1.1
        case ast.Pow():
            yield left, "square-extra", 1.1
            yield ast.BinOp(left, ast.Mult(), right), "wrong-operator", 1.3


def _of_brackets(node: ast.BinOp) -> Changes:
    """``a * (1 - b)`` for ``a * 1 - b``, ``(p - y) / m`` for ``p - y / m``, ``1 - a**2`` for ``(1 - a)**2``."""
    left, right = node.left, node.right
    sums, products_ = ast.Add | ast.Sub, ast.Mult | ast.Div
    if isinstance(node.op, sums):
        if isinstance(left, ast.BinOp) and isinstance(left.op, products_):
            yield ast.BinOp(left.left, left.op, ast.BinOp(left.right, node.op, right)), "brackets", 1.0
        if isinstance(right, ast.BinOp) and isinstance(right.op, ast.Mult | ast.Div | ast.Pow | ast.MatMult):
            yield ast.BinOp(ast.BinOp(left, node.op, right.left), right.op, right.right), "brackets", 1.0
    if isinstance(node.op, ast.Mult | ast.Div | ast.Pow) and isinstance(left, ast.BinOp) and isinstance(left.op, sums):
        yield ast.BinOp(left.left, left.op, ast.BinOp(left.right, node.op, right)), "brackets", 1.0
    if isinstance(node.op, products_) and isinstance(right, ast.BinOp) and isinstance(right.op, sums):
        yield ast.BinOp(ast.BinOp(left, node.op, right.left), right.op, right.right), "brackets", 1.0


def _dropped(factor: ast.expr, words: Words) -> str:
    """What it is called when this factor is one too many."""
    if products.is_slope(factor):
        return "gprime-extra"
    text = ast.unparse(factor)
    if words.size and text in (str(words.size), str(float(words.size))):
        return "double-1/m"
    return "double-1/m" if text in words.counts or re.fullmatch(r"\(?1\.?0? / \w+\)?", text) else "extra-factor"


def _extra_term(term: ast.expr, words: Words) -> str:
    if _is_penalty(term):
        return "l2-on-bias" if words.of_bias else "l2-extra"
    return "extra-term"


def _is_penalty(node: ast.AST) -> bool:
    return any(
        isinstance(each, ast.Name) and re.match(r"^(reg\w*|lam\w*|lmbda|l2\w*|wd|weight_decay)$", each.id)
        for each in ast.walk(node)
    )


def _of_name(node: ast.Name, words: Words) -> Changes:
    value = words.names.get(node.id)
    for call in words.forward.applied.get(node.id, ()):
        yield call, "function-missing", 1.2
    if isinstance(value, np.ndarray) and value.ndim == 2:
        yield _turned(node), "transpose-missing", 1.0
    if isinstance(value, np.ndarray):
        yield ast.BinOp(node, ast.Pow(), ast.Constant(2)), "square-missing", 1.1
        family = _family(node.id)
        for name, other in words.names.items():
            if name in (node.id, words.target) or not isinstance(other, np.ndarray) or other.ndim != value.ndim:
                continue
            same_family = _family(name) == family and family != node.id
            if name in words.forward.beside.get(node.id, ()) and other.shape == value.shape:
                backward = all(each.startswith(("d", "grad", "delta")) for each in (name, node.id))
                yield _parsed(name), "gprime-missing" if backward else "wrong-symbol", 1.02
            else:
                cause = "wrong-symbol" if TIMES.search(node.id) or not same_family else "wrong-layer"
                yield _parsed(name), cause, 1.2 if same_family else 1.45 if other.shape == value.shape else 1.6
        if value.shape and _is_share(value):
            yield ast.BinOp(ast.Constant(1), ast.Sub(), node), "missing-term", 1.15


def _is_share(value: Any) -> bool:
    """Whether all entries lie between 0 and 1: a probability, a gate, a label."""
    return bool(np.all((value >= 0) & (value <= 1)))


TIMES = re.compile(r"\[[^\]]*\b(t|time|step|tau)\b[^\]]*\]$")


def _family(name: str) -> str:
    """What the names of all layers share: ``W`` of ``W2``, ``A`` of ``A[l - 1]``."""
    return re.sub(r"\d+", "", re.sub(r"\[(?!['\"])[^\]]*\]$", "[]", name))


def _of_call(node: ast.Call, words: Words) -> Changes:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    settings = {each.arg: each for each in node.keywords}
    if name in ("sum", "mean"):
        other = "mean" if name == "sum" else "sum"
        yield _renamed(node, other), "db-mean-for-sum" if name == "mean" else "db-sum-for-mean", 1.05
        axis = settings.get("axis")
        axis_cause = "db-wrong-axis" if words.of_bias else "wrong-axis"
        place = next((n for n, each in enumerate(node.args) if _is_axis(each, n, node)), None)
        if place is not None:
            for number in (0, 1):
                if ast.unparse(node.args[place]) != str(number):
                    moved = [*node.args[:place], ast.Constant(number), *node.args[place + 1 :]]
                    yield ast.Call(node.func, moved, node.keywords), axis_cause, 0.95
        positional = len(node.args) - isinstance(getattr(node.func, "value", None), ast.Name)
        if axis is None and positional <= 0 + (ast.unparse(node.func).startswith("np.")):
            for number in (0, 1):
                for keep in (False, True):
                    more = [ast.keyword("axis", ast.Constant(number))]
                    more += [ast.keyword("keepdims", ast.Constant(True))] if keep else []
                    yield ast.Call(node.func, node.args, [*node.keywords, *more]), "db-summed-over-all", 1.0
        elif axis is not None:
            for number in (0, 1, -1):
                if ast.unparse(axis.value) != str(number):
                    yield _keyed(node, "axis", ast.Constant(number)), axis_cause, 0.95
            for number in (0, 1):  # a wrong axis that hides a missing keepdims
                changed = _keyed(node, "axis", ast.Constant(number))
                if "keepdims" not in settings:
                    yield _keyed(changed, "keepdims", ast.Constant(True)), "wrong-axis", 1.6
        if "keepdims" in settings:
            kept = [each for each in node.keywords if each.arg != "keepdims"]
            yield ast.Call(node.func, node.args, kept), "keepdims-extra", 1.0
        elif axis is not None:
            yield _keyed(node, "keepdims", ast.Constant(True)), "keepdims-missing", 0.9
        if len(node.args) == 1 and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "np":
            yield node.args[0], "extra-factor", 1.6
    elif name in ("dot", "multiply", "matmul") and len(node.args) == 2:
        left, right = node.args
        yield ast.Call(node.func, [right, left], []), "operand-order", 1.0
        yield ast.BinOp(left, ast.Mult() if name != "multiply" else ast.MatMult(), right), "star-for-matmul", 1.1
        yield left, _dropped(right, words), 1.1
        yield right, _dropped(left, words), 1.1
    elif name == "dot" and isinstance(node.func, ast.Attribute):
        yield ast.BinOp(node.func.value, ast.Mult(), node.args[0]), "star-for-matmul", 1.1
    elif node.args:
        yield from _of_function(node, name, words)


def _is_axis(node: ast.expr, place: int, call: ast.Call) -> bool:
    """Whether an argument of a sum is its axis, given by its place."""
    first = 1 if ast.unparse(call.func).startswith("np.") else 0
    return place == first and isinstance(node, ast.Constant) and isinstance(node.value, int)


def _of_function(node: ast.Call, name: str, words: Words) -> Changes:
    """Another function of the writer's, or the same with its flag turned over: ``sigmoid(z, deriv=True)``."""
    others: list[ast.expr] = []
    function: Any = None
    if isinstance(node.func, ast.Name):
        function = words.names.get(node.func.id)
        if len(node.args) == 1:
            callables = [other for other, each in words.names.items() if callable(each) and other != name]
            others = [ast.Name(other, ast.Load()) for other in callables if not isinstance(words.names[other], type)]
    elif isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        holder = words.names.get(node.func.value.id)
        if holder is not None and not isinstance(holder, np.ndarray | types.ModuleType):
            function = getattr(holder, name, None)
            methods = [each for each in vars(type(holder)) if not each.startswith("_") and each != name]
            others = [ast.Attribute(node.func.value, each, ast.Load()) for each in methods]
    for other in others:
        called = ast.unparse(other).rpartition(".")[2]
        slope, was = products.SLOPE_NAMES.search(called), products.SLOPE_NAMES.search(name)
        cause = "g-for-gprime" if slope and not was else "gprime-for-g" if was and not slope else "wrong-function"
        if isinstance(other, ast.Name):
            yield ast.Call(other, node.args, []), cause, 1.2
        elif len(node.args) == 1 and (slope or was):
            yield ast.Call(other, node.args, node.keywords), cause, 1.2
    code, defaults = getattr(function, "__code__", None), getattr(function, "__defaults__", None)
    if code is None or not defaults or not isinstance(defaults[-1], bool):
        return
    flag = code.co_varnames[code.co_argcount - 1]
    given = [each for each in node.keywords if each.arg == flag]
    positional = len(node.args) == code.co_argcount - isinstance(node.func, ast.Attribute)
    if given:
        yield ast.Call(node.func, node.args, [each for each in node.keywords if each.arg != flag]), "gprime-for-g", 1.1
    elif positional:
        yield ast.Call(node.func, node.args[:-1], node.keywords), "gprime-for-g", 1.1
    else:
        more = ast.keyword(flag, ast.Constant(not defaults[-1]))
        yield ast.Call(node.func, node.args, [*node.keywords, more]), "g-for-gprime", 1.1


def _of_index(node: ast.Subscript) -> Changes:
    if isinstance(node.slice, ast.Tuple):
        for one in range(len(node.slice.elts)):
            for other in range(one + 1, len(node.slice.elts)):
                items = list(node.slice.elts)
                items[one], items[other] = items[other], items[one]
                yield ast.Subscript(node.value, ast.Tuple(items, ast.Load()), ast.Load()), "index-order", 0.95
    for each in ast.walk(node.slice):
        if isinstance(each, ast.Constant) and isinstance(each.value, int):
            for number in (each.value - 1, each.value + 1):
                new = replaced(node.slice, each, ast.Constant(number))
                yield ast.Subscript(node.value, new, ast.Load()), "wrong-symbol", 1.6


def _renamed(node: ast.Call, name: str) -> ast.Call:
    function = copy.copy(node.func)
    if isinstance(function, ast.Attribute):
        function.attr = name
    return ast.Call(function, node.args, node.keywords)


def _keyed(node: ast.Call, name: str, value: ast.expr) -> ast.Call:
    kept = [each for each in node.keywords if each.arg != name]
    return ast.Call(node.func, node.args, [*kept, ast.keyword(name, value)])


def _turned(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    return ast.Attribute(node, "T", ast.Load())


def _parsed(text: str) -> ast.expr:
    """A name of the text, or a size such as ``X.shape[0]``."""
    if re.fullmatch(r"\w+\.shape\[\d\]", text):
        return ast.parse(text, mode="eval").body
    return ast.Name(text, ast.Load())


# ---- changes of the whole right side
def _whole(statement: ast.stmt, words: Words) -> Iterator[Edit]:
    value = _value(statement)
    if value is None:
        return
    yield Edit(_with_value(statement, ast.UnaryOp(ast.USub(), value)), "sign", 1.0)
    yield Edit(_with_value(statement, _turned(value)), "transpose-missing", 1.5)
    for new, cause, cost in (*products.put_in(value, words), *products.exchanged(value, words)):
        yield Edit(_with_value(statement, new), cause, cost)
    for new in _through_softmax(value, words):
        yield Edit(_with_value(statement, new), "softmax-elementwise", 1.2)
    for new in _shifted(value, words):
        yield Edit(_with_value(statement, new), "wrong-layer", 1.25)
    for name in words.rates:
        rate, cause = _parsed(name), products.missing_factor(name)
        for part in _terms(value):
            scaled = ast.BinOp(part, ast.Mult(), rate)
            more = replaced(value, part, scaled)
            yield Edit(_with_value(statement, more), "learning-rate-missing" if words.is_step else cause, 1.15)
            if not words.is_step:
                divided = replaced(value, part, ast.BinOp(part, ast.Div(), rate))
                yield Edit(_with_value(statement, divided), cause, 1.15)
    for place, count in enumerate(words.counts):
        cause = "missing-1/m" if count == words.batch else "missing-factor"
        for part in _terms(value):
            divided = replaced(value, part, ast.BinOp(part, ast.Div(), _parsed(count)))
            yield Edit(_with_value(statement, divided), cause, 0.9 + 0.05 * place)
            more = replaced(value, part, ast.BinOp(part, ast.Mult(), _parsed(count)))
            yield Edit(_with_value(statement, more), "double-1/m" if count == words.batch else "missing-factor", 1.2)
    for number, cause in ((2, "missing-factor"), (0.5, "extra-factor")):
        for part in _terms(value):
            scaled = ast.BinOp(ast.Constant(number), ast.Mult(), part)
            cause = "l2-factor-2" if _is_penalty(part) and not _is_sum(part) else cause
            cost = 1.0 if cause == "l2-factor-2" else 1.2
            yield Edit(_with_value(statement, replaced(value, part, scaled)), cause, cost)
    for part, alone in _sums(value):
        for term, cause, cost in _new_terms(part, words):
            is_negative = isinstance(term, ast.UnaryOp)
            added = term.operand if isinstance(term, ast.UnaryOp) else term
            more = ast.BinOp(part, ast.Sub() if is_negative else ast.Add(), added)
            yield Edit(_with_value(statement, replaced(value, part, more)), cause, cost + (0.0 if alone else 0.08))
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Subscript):
        base = statement.target.value
        at = ast.parse("np.add.at", mode="eval").body
        call = ast.Call(at, [_read(base), statement.target.slice, value], [])
        yield Edit([ast.Expr(call)], "overwritten", 1.0)
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name | ast.Subscript):
        yield Edit([ast.AugAssign(statement.targets[0], ast.Add(), value)], "overwritten", 1.0)
    if isinstance(statement, ast.AugAssign):
        yield Edit([ast.Assign([statement.target], value, lineno=1)], "extra-term", 1.2)
        for operator in (ast.Add(), ast.Sub(), ast.Mult(), ast.Div()):
            if not isinstance(statement.op, type(operator)):
                cause = "sign" if isinstance(operator, ast.Add | ast.Sub) else "wrong-operator"
                yield Edit([ast.AugAssign(statement.target, operator, value)], cause, 1.0)


def _read(node: ast.expr) -> ast.expr:
    new = copy.copy(node)
    new.ctx = ast.Load()  # type: ignore[attr-defined]
    return new


def _is_sum(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)


def _terms(value: ast.expr) -> Iterator[ast.expr]:
    """The right side, and the terms of all its sums."""
    yield value
    for node, parent in products.places(value):
        if parent is not None and _is_sum(parent):
            yield node


def _sums(value: ast.expr) -> Iterator[tuple[ast.expr, bool]]:
    """Where a term may be missing, and whether that is the whole right side: it, and factors that are sums or names."""
    yield value, True
    for node, parent in products.places(value):
        within = products.is_product(parent) or isinstance(parent, ast.Call)
        if node is not value and within and (_is_sum(node) or isinstance(node, ast.Name)):
            yield node, False


def _new_terms(part: ast.expr, words: Words) -> Iterator[tuple[ast.expr, str, float]]:
    """What the forward pass adds, a penalty's gradient in the text's own names, an array, or a projection."""
    value = words.value(part)
    if value is None:
        return
    shape = np.shape(value)
    if shape == words.shape:
        yield from ((term, "missing-term", 1.1) for term in words.forward.terms)
        yield from ((term, "l2-missing", 1.22) for term in _penalties(part, words))
    if _is_sum(part) or shape == words.shape:
        yield from ((term, "missing-term", 1.2) for term in _projections(shape, words))
    for name in words.like(shape):
        one = ast.Name(name, ast.Load())
        if name != words.target and shape and ast.unparse(part) != name:
            yield one, "missing-term", 1.3
            yield ast.UnaryOp(ast.USub(), one), "missing-term", 1.3


def _projections(shape: tuple[int, ...], words: Words) -> Iterator[ast.expr]:
    """What a normalisation takes away from a derivative: its mean, and its part along the normalised values."""
    for one, axis in words.forward.normalised:
        keep = ", keepdims=True" if axis else ""
        for other in words.like(shape) if words.names[one].shape == shape else ():
            for word in ("mean", "sum") if other not in (one, words.target) else ():
                yield _written(f"-(N * np.{word}(D * N, axis={axis}{keep}))", N=one, D=other)
                yield _written(f"-np.{word}(D, axis={axis}{keep})", D=other)


def _through_softmax(value: ast.expr, words: Words) -> Iterator[ast.expr]:
    """All of the softmax's Jacobian in place of its diagonal: ``P * (dP - np.sum(dP * P, axis=1, keepdims=True))``."""
    for node, parent in products.places(value):
        if not isinstance(node, ast.BinOp) or (products.is_product(parent) and products.is_product(node)):
            continue
        for one, axis in words.forward.shares:
            for other in words.like(words.names[one].shape):
                if other not in (one, words.target):
                    whole = f"P * (D - np.sum(D * P, axis={axis}, keepdims=True))"
                    yield replaced(value, node, _written(whole, P=one, D=other))


def _written(form: str, **names: str) -> ast.expr:
    """A formula with other names in place of its own; they may be entries and attributes."""
    new: ast.expr = _Renamed(names).visit(ast.parse(form, mode="eval").body)
    return new


def _penalties(part: ast.expr, words: Words) -> Iterator[ast.expr]:
    rates = [name for name, value in words.names.items() if isinstance(value, float) and _is_penalty(_parsed(name))]
    own = {each.id for each in ast.walk(part) if isinstance(each, ast.Name)}
    for weight in words.like(words.shape):
        if symbols.stem_of(weight).startswith("d"):
            continue
        for rate in rates:
            if rate in own:
                continue
            plain = ast.BinOp(ast.Name(rate, ast.Load()), ast.Mult(), ast.Name(weight, ast.Load()))
            yield plain
            yield ast.BinOp(ast.Constant(2), ast.Mult(), plain)
            for count in words.counts:
                yield ast.BinOp(plain, ast.Div(), _parsed(count))


def _shifted(value: ast.expr, words: Words) -> Iterator[ast.expr]:
    """All entries of one family a layer, or a time, earlier or later: ``dz2 @ h1.T + dz1 @ h0.T``."""
    names = [each.id for each in ast.walk(value) if isinstance(each, ast.Name)]
    families = {_family(name) for name in names if _family(name) != name}
    for family in sorted(families):
        for by in (-1, 1):
            others = {name: _moved(name, by) for name in names if _family(name) == family}
            if len(others) > 1 and all(other in words.names for other in others.values()):
                yield _Renamed(others).visit(copy.deepcopy(value))


def _moved(name: str, by: int) -> str:
    """The name of the layer before or behind: h1 of h2, ``hs[t - 1]`` has no such."""
    return re.sub(r"\d+(?!.*\d)", lambda match: str(int(match[0]) + by), name)


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)


# ---- a statement that is missing behind this one
def _behind(statement: ast.stmt, words: Words) -> Iterator[Edit]:
    target = ast.Name(words.target, ast.Store())
    for place, count in enumerate(words.counts):
        cause = "missing-1/m" if count == words.batch else "missing-factor"
        more = ast.AugAssign(target, ast.Div(), _parsed(count))
        yield Edit([statement, more], cause, 1.05 + 0.05 * place)
    for factor in words.forward.factors:
        if not factor.is_slope:
            continue
        node = factor.node
        if isinstance(node, ast.Compare) and isinstance(statement, ast.Assign | ast.AugAssign):
            off = ast.Compare(node.left, [ast.LtE()], node.comparators)
            entries = ast.Subscript(ast.Name(words.target, ast.Load()), off, ast.Store())
            yield Edit([statement, ast.Assign([entries], ast.Constant(0), lineno=1)], "gprime-missing", 1.12)
        yield Edit([statement, ast.AugAssign(target, ast.Mult(), node)], "gprime-missing", 1.15)
    value = _value(statement)
    for term in () if value is None else _penalties(value, words):
        yield Edit([statement, ast.AugAssign(target, ast.Add(), term)], "l2-missing", 1.25)
