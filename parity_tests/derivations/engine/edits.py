"""Small changes of a statement, each with the mistake that it undoes: what people are likely to have meant."""

from __future__ import annotations

import ast
import copy
import re
import types
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine import factors, symbols


class Edit(NamedTuple):
    """Statements in place of the one that was written; ``behind`` says that the first is unchanged."""

    statements: list[ast.stmt]
    cause: str
    cost: float


class Words(NamedTuple):
    """What an edit may write: values by name, the count of examples, sizes in the text's own words, and the target."""

    names: Mapping[str, Any]
    batch: str | None
    counts: tuple[str, ...]
    target: str
    shape: tuple[int, ...]
    of_bias: bool
    size: int = 0
    rates: tuple[str, ...] = ()
    """The count of examples as a number, and single numbers by name that are no counts."""

    is_step: bool = False

    def like(self, shape: tuple[int, ...]) -> list[str]:
        """The arrays of a shape."""
        return [name for name, value in self.names.items() if isinstance(value, np.ndarray) and value.shape == shape]


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
                yield Edit(_with_value(statement, _replaced(value, node, new)), cause, cost)
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript):
        yield from _of_place(statement, statement.targets[0], words)


def _of_place(statement: ast.Assign, target: ast.Subscript, words: Words) -> Iterator[Edit]:
    """Changes of the condition in ``dZ[Z <= 0] = 0``."""
    for node in ast.walk(target.slice):
        if isinstance(node, ast.Compare | ast.Name):
            for new, cause, cost in _changes(node, words):
                changed = copy.copy(target)
                changed.slice = _replaced(target.slice, node, new)
                yield Edit([ast.Assign([changed], statement.value)], cause, cost)


def _replaced(root: ast.expr, old: ast.expr, new: ast.expr) -> ast.expr:
    """The formula with one node changed; the others are shared."""
    if root is old:
        return new
    result = copy.copy(root)
    for field, child in ast.iter_fields(root):
        if isinstance(child, ast.expr):
            setattr(result, field, _replaced(child, old, new))
        elif isinstance(child, list):
            setattr(
                result, field, [_replaced(each, old, new) if isinstance(each, ast.expr) else each for each in child]
            )
    return result


Changes = Iterator["tuple[ast.expr, str, float]"]


def _changes(node: ast.expr, words: Words) -> Changes:
    match node:
        case ast.BinOp():
            yield from _of_operator(node, words)
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
        case ast.Compare():
            for sign in (ast.Gt(), ast.Lt(), ast.LtE(), ast.GtE()):
                if not isinstance(node.ops[0], type(sign)):
                    yield ast.Compare(node.left, [sign], node.comparators), "wrong-operator", 1.2
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


def _dropped(factor: ast.expr, words: Words) -> str:
    """What it is called when this factor is one too many."""
    if factors.is_slope(factor):
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
    if isinstance(value, np.ndarray) and value.ndim == 2:
        yield _turned(node), "transpose-missing", 1.0
    if isinstance(value, np.ndarray):
        yield ast.BinOp(node, ast.Pow(), ast.Constant(2)), "square-missing", 1.1
        family = _family(node.id)
        for name, other in words.names.items():
            if name in (node.id, words.target) or not isinstance(other, np.ndarray) or other.ndim != value.ndim:
                continue
            same_family = _family(name) == family and family != node.id
            if same_family or other.shape == value.shape:
                cause = "wrong-symbol" if TIMES.search(node.id) or not same_family else "wrong-layer"
                yield _parsed(name), cause, 1.2 if same_family else 1.5


TIMES = re.compile(r"\[[^\]]*\b(t|time|step|tau)\b[^\]]*\]$")


def _family(name: str) -> str:
    """What the names of all layers share: ``W`` of ``W2``, ``A`` of ``A[l - 1]``."""
    return re.sub(r"\d+", "", re.sub(r"\[(?!['\"])[^\]]*\]$", "[]", name))


def _of_call(node: ast.Call, words: Words) -> Changes:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    settings = {each.arg: each for each in node.keywords}
    if name in ("sum", "mean"):
        other = "mean" if name == "sum" else "sum"
        yield _renamed(node, other), "db-mean-for-sum" if name == "mean" else "db-sum-for-mean", 1.0
        axis = settings.get("axis")
        place = next((n for n, each in enumerate(node.args) if _is_axis(each, n, node)), None)
        if place is not None:
            for number in (0, 1):
                if ast.unparse(node.args[place]) != str(number):
                    moved = [*node.args[:place], ast.Constant(number), *node.args[place + 1 :]]
                    yield (
                        ast.Call(node.func, moved, node.keywords),
                        "db-wrong-axis" if words.of_bias else "wrong-axis",
                        1.0,
                    )
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
                    yield (
                        _keyed(node, "axis", ast.Constant(number)),
                        "db-wrong-axis" if words.of_bias else "wrong-axis",
                        1.0,
                    )
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
        slope, was = factors.SLOPE_NAMES.search(called), factors.SLOPE_NAMES.search(name)
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
    for each in ast.walk(node.slice):
        if isinstance(each, ast.Constant) and isinstance(each.value, int):
            for number in (each.value - 1, each.value + 1):
                new = _replaced(node.slice, each, ast.Constant(number))
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
def slopes(words: Words) -> Iterator[ast.expr]:
    """g'(Z) in the text's own names, for every activation that has the target's shape."""
    names = [
        name
        for name in words.like(words.shape)
        if not symbols.stem_of(name).lower().startswith(("d", "grad", "x", "y")) and name != words.target
    ]
    yield from factors.slopes_of(names)
    functions = [
        name
        for name, each in words.names.items()
        if callable(each) and factors.SLOPE_FUNCTIONS.search(name) and getattr(each, "__code__", None) is not None
    ]
    for function in functions:
        for name in names:
            yield ast.Call(ast.Name(function, ast.Load()), [ast.Name(name, ast.Load())], [])


def _whole(statement: ast.stmt, words: Words) -> Iterator[Edit]:
    value = _value(statement)
    if value is None:
        return
    yield Edit(_with_value(statement, ast.UnaryOp(ast.USub(), value)), "sign", 1.0)
    yield Edit(_with_value(statement, _turned(value)), "transpose-missing", 1.5)
    known = list(slopes(words))
    for slope in known:
        yield Edit(_with_value(statement, ast.BinOp(value, ast.Mult(), slope)), "gprime-missing", 1.0)
    for new, cause, cost in factors.changed_products(value, known):
        yield Edit(_with_value(statement, new), cause, cost)
    for name in words.like(words.shape):
        factor = ast.Name(name, ast.Load())
        cause = factors.missing_factor(name)
        yield Edit(_with_value(statement, ast.BinOp(value, ast.Mult(), factor)), cause, 1.2)
        if not symbols.stem_of(name).lower().startswith(("d", "grad")):
            rest = ast.BinOp(ast.Constant(1), ast.Sub(), factor)
            yield Edit(_with_value(statement, ast.BinOp(value, ast.Mult(), rest)), "gprime-missing", 1.15)
    for name in words.rates:
        rate, cause = _parsed(name), factors.missing_factor(name)
        for part in _terms(value):
            scaled = ast.BinOp(part, ast.Mult(), rate)
            more = _replaced(value, part, scaled)
            yield Edit(_with_value(statement, more), "learning-rate-missing" if words.is_step else cause, 1.15)
            if not words.is_step:
                divided = _replaced(value, part, ast.BinOp(part, ast.Div(), rate))
                yield Edit(_with_value(statement, divided), cause, 1.15)
    for place, count in enumerate(words.counts):
        cause = "missing-1/m" if count == words.batch else "missing-factor"
        for part in _terms(value):
            divided = _replaced(value, part, ast.BinOp(part, ast.Div(), _parsed(count)))
            yield Edit(_with_value(statement, divided), cause, 0.9 + 0.05 * place)
            more = _replaced(value, part, ast.BinOp(part, ast.Mult(), _parsed(count)))
            yield Edit(_with_value(statement, more), "double-1/m" if count == words.batch else "missing-factor", 1.2)
    for number, cause in ((2, "missing-factor"), (0.5, "extra-factor")):
        for part in _terms(value):
            scaled = ast.BinOp(ast.Constant(number), ast.Mult(), part)
            yield Edit(_with_value(statement, _replaced(value, part, scaled)), cause, 1.3)
    for term, cause in _new_terms(words):
        yield Edit(_with_value(statement, ast.BinOp(value, ast.Add(), term)), cause, 1.1)
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Subscript):
        base = statement.target.value
        at = ast.parse("np.add.at", mode="eval").body
        call = ast.Call(at, [_read(base), statement.target.slice, value], [])
        yield Edit([ast.Expr(call)], "overwritten", 1.0)
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name | ast.Subscript):
        yield Edit([ast.AugAssign(statement.targets[0], ast.Add(), value)], "overwritten", 1.0)
    if isinstance(statement, ast.AugAssign):
        yield Edit([ast.Assign([statement.target], value)], "extra-term", 1.2)
        for operator in (ast.Add(), ast.Sub(), ast.Mult(), ast.Div()):
            if not isinstance(statement.op, type(operator)):
                cause = "sign" if isinstance(operator, ast.Add | ast.Sub) else "wrong-operator"
                yield Edit([ast.AugAssign(statement.target, operator, value)], cause, 1.0)


def _read(node: ast.expr) -> ast.expr:
    new = copy.copy(node)
    new.ctx = ast.Load()  # type: ignore[attr-defined]
    return new


def _terms(value: ast.expr) -> Iterator[ast.expr]:
    """The right side, and the terms of its sums."""
    yield value
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub):
        yield from _terms(value.left)
        yield from _terms(value.right)


def _new_terms(words: Words) -> Iterator[tuple[ast.expr, str]]:
    """A penalty's gradient in the text's own names, or another array of the target's shape."""
    rates = [name for name, value in words.names.items() if isinstance(value, float) and _is_penalty(_parsed(name))]
    for weight in words.like(words.shape):
        one = ast.Name(weight, ast.Load())
        if not symbols.stem_of(weight).startswith("d"):
            for rate in rates:
                plain = ast.BinOp(ast.Name(rate, ast.Load()), ast.Mult(), one)
                yield plain, "l2-missing"
                yield ast.BinOp(ast.Constant(2), ast.Mult(), plain), "l2-missing"
                for count in words.counts:
                    yield ast.BinOp(plain, ast.Div(), _parsed(count)), "l2-missing"
        if weight != words.target:
            yield one, "missing-term"
    alike = [name for name in words.like(words.shape) if name != words.target]
    if len(words.shape) == 2 and len(alike) < 12:
        for first in alike:
            for second in alike:
                one, other = ast.Name(first, ast.Load()), ast.Name(second, ast.Load())
                if first < second:
                    yield ast.BinOp(one, ast.Mult(), other), "missing-term"
                if first != second:
                    rest = ast.BinOp(ast.Constant(1), ast.Sub(), other)
                    yield ast.BinOp(one, ast.Mult(), rest), "missing-term"
    matrices = [name for name, value in words.names.items() if isinstance(value, np.ndarray) and value.ndim == 2]
    if len(words.shape) == 2 and len(matrices) < 40:
        for first in matrices:
            for second in matrices:
                for left, right in ((first, second + ".T"), (first + ".T", second), (first, second)):
                    a, b = (words.names[each.removesuffix(".T")].shape for each in (left, right))
                    a, b = (a[::-1] if left.endswith(".T") else a), (b[::-1] if right.endswith(".T") else b)
                    if a[1] == b[0] and (a[0], b[1]) == words.shape:
                        yield ast.BinOp(_maybe_turned(left), ast.MatMult(), _maybe_turned(right)), "missing-term"


def _maybe_turned(text: str) -> ast.expr:
    one: ast.expr = ast.Name(text.removesuffix(".T"), ast.Load())
    return _turned(one) if text.endswith(".T") else one


# ---- a statement that is missing behind this one
def _behind(statement: ast.stmt, words: Words) -> Iterator[Edit]:
    target = ast.Name(words.target, ast.Store())
    for place, count in enumerate(words.counts):
        cause = "missing-1/m" if count == words.batch else "missing-factor"
        more = ast.AugAssign(target, ast.Div(), _parsed(count))
        yield Edit([statement, more], cause, 1.05 + 0.05 * place)
    for slope in slopes(words):
        yield Edit([statement, ast.AugAssign(target, ast.Mult(), slope)], "gprime-missing", 1.15)
    for term, cause in _new_terms(words):
        if cause == "l2-missing":
            yield Edit([statement, ast.AugAssign(target, ast.Add(), term)], cause, 1.2)
