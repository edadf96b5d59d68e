"""Changes at one place of a formula: an operator, brackets, a name, an axis, an index, a function."""

from __future__ import annotations

import ast
import re
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from parity_tests.derivations.engine.edits import products
from parity_tests.derivations.engine.edits.functions import of_choice, of_numpy, of_transpose, renamed
from parity_tests.derivations.engine.edits.terms import is_penalty
from parity_tests.derivations.engine.edits.trees import family, parsed, replaced, turned
from parity_tests.derivations.engine.edits.words import Words

Changes = Iterator["tuple[ast.expr, str, float]"]


def changes(node: ast.expr, words: Words) -> Changes:
    """What may stand in place of a node, each with the mistake undone and its cost."""
    match node:
        case ast.BinOp():
            yield from _of_operator(node, words)
            yield from _of_brackets(node, words)
            if isinstance(node.op, ast.Sub):
                yield ast.BinOp(node, ast.Pow(), ast.Constant(2)), "square-missing", 1.25
        case ast.UnaryOp(op=ast.USub()):
            yield node.operand, "sign", 0.9
        case ast.Name():
            yield from _of_name(node, words)
        case ast.Attribute(attr="T"):
            yield node.value, "transpose-extra", 1.0
        case ast.Call():
            yield from _of_call(node, words)
        case ast.Constant() if isinstance(node.value, int | float):
            for name in words.forward.unread & words.names.keys():
                if words.shape_of(name):
                    yield parsed(name), "wrong-number", 1.2
            for name in words.rates:
                yield parsed(name), "wrong-number", 1.35
            for number in words.forward.numbers:
                if number != node.value:
                    yield ast.Constant(number), "wrong-number", 1.05
            for number in (1, 2, 0.5, 0):
                if number != node.value:
                    yield ast.Constant(number), "wrong-number", 1.3
            if isinstance(node.value, int) and node.value > 1:
                yield ast.Constant(node.value + 1), "wrong-number", 1.5
            elif node.value != round(node.value):
                yield ast.Constant(node.value + 1), "wrong-number", 1.5
                yield ast.Constant(node.value - 1), "wrong-number", 1.5
        case ast.Compare():
            for sign in (ast.LtE(), ast.Gt(), ast.GtE(), ast.Lt()):
                if not isinstance(node.ops[0], type(sign)):
                    yield ast.Compare(node.left, [sign], node.comparators), "wrong-operator", 0.95
        case ast.Subscript():
            yield from _of_index(node, words)


def _of_operator(node: ast.BinOp, words: Words) -> Changes:
    left, right = node.left, node.right
    match node.op:
        case ast.Mult():
            doubled = is_penalty(node) and isinstance(left, ast.Constant) and left.value == 2
            yield left, _dropped(right, words), 1.0
            yield right, "l2-factor-2" if doubled else _dropped(left, words), 1.0
            yield ast.BinOp(left, ast.MatMult(), right), "star-for-matmul", 1.0
            yield ast.BinOp(left, ast.Div(), right), "wrong-operator", 1.3
        case ast.Div():
            yield left, _dropped(right, words), 1.0
            yield ast.BinOp(left, ast.Mult(), right), "wrong-operator", 1.3
            for count in words.counts:
                yield ast.BinOp(left, ast.Div(), parsed(count)), "wrong-divisor", 1.2
        case ast.MatMult():
            yield ast.BinOp(right, ast.MatMult(), left), "operand-order", 1.0
            yield ast.BinOp(left, ast.Mult(), right), "star-for-matmul", 1.2
            yield ast.BinOp(turned(right), ast.MatMult(), turned(left)), "operand-order", 1.4
        case ast.Add():
            yield ast.BinOp(left, ast.Sub(), right), "sign", 0.9
            yield left, _extra_term(right, words), 1.1
            yield right, _extra_term(left, words), 1.1
        case ast.Sub():
            yield ast.BinOp(left, ast.Add(), right), "sign", 0.9
            yield ast.BinOp(right, ast.Sub(), left), "sign", 0.9
            yield left, _extra_term(right, words), 1.1
            if isinstance(left, ast.Constant):
                yield right, "extra-term", 1.12
        case ast.Pow():
            yield left, "square-extra", 1.1
            yield ast.BinOp(left, ast.Mult(), right), "wrong-operator", 1.3
            for exponent in _exponents_before(right):
                yield ast.BinOp(exponent, ast.Mult(), node), "missing-factor", 1.15


def _exponents_before(exponent: ast.expr) -> Iterator[ast.expr]:
    """The factor of ``3 * z**2`` and of ``k * z**(k - 1)``, slopes of a power."""
    match exponent:
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.BinOp(left=left, op=ast.Sub(), right=ast.Constant(value=1)):
            yield left


def _of_brackets(node: ast.BinOp, words: Words) -> Changes:
    """``a * (1 - b)`` for ``a * 1 - b``, ``(p - y) / m`` for ``p - y / m``, ``1 - a**2`` for ``(1 - a)**2``."""
    left, right = node.left, node.right
    sums, products_ = ast.Add | ast.Sub, ast.Mult | ast.Div
    if isinstance(node.op, sums):
        if isinstance(left, ast.BinOp) and isinstance(left.op, products_):
            yield ast.BinOp(left.left, left.op, ast.BinOp(left.right, node.op, right)), "brackets", 1.0
        if isinstance(right, ast.BinOp) and isinstance(right.op, ast.Mult | ast.Div | ast.Pow | ast.MatMult):
            cost = 0.85 if ast.unparse(right.right) in words.counts else 1.0  # likelier than both terms by themselves
            yield ast.BinOp(ast.BinOp(left, node.op, right.left), right.op, right.right), "brackets", cost
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
    if is_penalty(term):
        return "l2-on-bias" if words.of_bias else "l2-extra"
    return "extra-term"


def _of_name(node: ast.Name, words: Words) -> Changes:
    value = words.names.get(node.id)
    for call in words.forward.applied.get(node.id, ()):
        yield call, "function-missing", 1.2
    for function in words.forward.functions if isinstance(value, np.ndarray) else ():
        yield ast.Call(function, [node], []), "function-missing", 1.3
    if isinstance(value, np.ndarray) and value.ndim == 2:
        yield turned(node), "transpose-missing", 1.0
    for order in ((0, 2, 1), *words.forward.orders):
        if isinstance(value, np.ndarray) and len(order) == value.ndim:
            method = ast.Attribute(node, "transpose", ast.Load())
            yield ast.Call(method, [ast.Constant(axis) for axis in order], []), "transpose-missing", 1.0
    if isinstance(value, np.ndarray):
        yield ast.BinOp(node, ast.Pow(), ast.Constant(2)), "square-missing", 1.1
        yield ast.BinOp(node, ast.Pow(), ast.Constant(3)), "square-missing", 1.35
        own = family(node.id)
        for name, other in words.names.items():
            if name in (node.id, words.target) or not isinstance(other, np.ndarray) or other.ndim != value.ndim:
                continue
            same_family = family(name) == own != node.id
            if name in words.forward.unread and other.shape == value.shape:
                yield parsed(name), "wrong-symbol", 1.0
            elif name in words.forward.beside.get(node.id, ()) and other.shape == value.shape:
                backward = all(each.startswith(("d", "grad", "delta")) for each in (name, node.id))
                yield parsed(name), "gprime-missing" if backward else "wrong-symbol", 1.02
            else:
                cause = "wrong-symbol" if TIMES.search(node.id) or not same_family else "wrong-layer"
                yield parsed(name), cause, 1.2 if same_family else 1.45 if other.shape == value.shape else 1.6
    number = isinstance(value, float | np.ndarray) and np.ndim(value) == 0 and 0 < value < 1
    if number or (isinstance(value, np.ndarray) and value.shape and _is_share(value)):
        yield ast.BinOp(ast.Constant(1), ast.Sub(), node), "missing-term", 1.15
        yield ast.BinOp(node, ast.Sub(), ast.Constant(1)), "missing-term", 1.2


def _is_share(value: Any) -> bool:
    """Whether all entries lie between 0 and 1: a probability, a gate, a label."""
    return bool(np.all((value >= 0) & (value <= 1)))


TIMES = re.compile(r"\[[^\]]*\b(t|time|step|tau)\b[^\]]*\]$")


def _of_call(node: ast.Call, words: Words) -> Changes:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    settings = {each.arg: each for each in node.keywords}
    if name in ("sum", "mean"):
        other = "mean" if name == "sum" else "sum"
        yield renamed(node, other), "db-mean-for-sum" if name == "mean" else "db-sum-for-mean", 1.05
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
    elif name == "where" and len(node.args) == 3:
        yield from of_choice(node, words)
    elif name == "transpose" and all(isinstance(each, ast.Constant) for each in node.args):
        yield from of_transpose(node)
    elif name == "copy" and isinstance(node.func, ast.Attribute) and not node.args:
        above = ast.Compare(node.func.value, [ast.Gt()], [ast.Constant(0)])
        yield (
            ast.Call(ast.Attribute(above, "astype", ast.Load()), [ast.Name("float", ast.Load())], []),
            "wrong-function",
            1.3,
        )
    elif node.args:
        yield from _of_function(node, name, words)
        yield from of_numpy(node, name)
        if products.is_activation(node):
            yield ast.BinOp(node, ast.Pow(), ast.Constant(2)), "square-missing", 1.1
            below = ast.BinOp(ast.Constant(1), ast.Sub(), node)
            yield ast.BinOp(node, ast.Mult(), below), "g-for-gprime", 1.15
            squared = ast.BinOp(node, ast.Pow(), ast.Constant(2))
            yield ast.BinOp(ast.Constant(1), ast.Sub(), squared), "g-for-gprime", 1.15


def _is_axis(node: ast.expr, place: int, call: ast.Call) -> bool:
    """Whether an argument of a sum is its axis, given by its place."""
    first = 1 if ast.unparse(call.func).startswith("np.") else 0
    return place == first and isinstance(node, ast.Constant) and isinstance(node.value, int)


def _of_function(node: ast.Call, name: str, words: Words) -> Changes:
    """Another function of the writer's, or the same with its flag turned over: ``sigmoid(z, deriv=True)``."""
    if name == "exp" and not isinstance(node.args[0], ast.UnaryOp):
        yield ast.Call(node.func, [ast.UnaryOp(ast.USub(), node.args[0])], node.keywords), "sign", 0.95
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


def _of_index(node: ast.Subscript, words: Words) -> Changes:
    counters = [name for name, value in words.names.items() if type(value) is int and name not in words.counts]
    for each in ast.walk(node.slice):
        match each:
            case ast.Slice(lower=ast.Constant(value=int() as first), upper=ast.Constant(value=int() as last)):
                for step in (1, -1) if first else (1,):  # the block beside it
                    moved = ast.Slice(ast.Constant(first + step), ast.Constant(last + step), each.step)
                    yield ast.Subscript(node.value, replaced(node.slice, each, moved), ast.Load()), "index", 1.1
    places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for each in places:
        if isinstance(each, ast.Constant | ast.Name) and ast.unparse(each) not in words.counts:
            for name in counters:
                if name != ast.unparse(each):
                    new = replaced(node.slice, each, parsed(name))
                    yield ast.Subscript(node.value, new, ast.Load()), "index", 1.2
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


def _keyed(node: ast.Call, name: str, value: ast.expr) -> ast.Call:
    kept = [each for each in node.keywords if each.arg != name]
    return ast.Call(node.func, node.args, [*kept, ast.keyword(name, value)])
