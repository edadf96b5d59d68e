"""All single changes of a statement, the likeliest first."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator

import numpy as np

from parity_tests.derivations.engine.edits import products
from parity_tests.derivations.engine.edits.changes import changes
from parity_tests.derivations.engine.edits.terms import (
    is_penalty,
    names_exchanged,
    new_terms,
    one_name_everywhere,
    penalties,
    shifted,
    summed,
    sums,
    terms,
    through_softmax,
)
from parity_tests.derivations.engine.edits.trees import (
    has_minus,
    in_front,
    is_but_a_name,
    is_sum,
    negated,
    parsed,
    replaced,
    turned,
)
from parity_tests.derivations.engine.edits.words import Edit, Words


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
            for new, cause, cost in changes(node, words):
                yield Edit(_with_value(statement, replaced(value, node, new)), cause, cost)
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript):
        yield from _of_place(statement, statement.targets[0], words)


def _of_place(statement: ast.Assign, target: ast.Subscript, words: Words) -> Iterator[Edit]:
    """Changes of the condition in ``dZ[Z <= 0] = 0``."""
    for node in ast.walk(target.slice):
        others = [name for name in words.like(words.shape) if name != words.target]
        left = (
            [(ast.Compare(parsed(name), node.ops, node.comparators), "wrong-symbol", 1.3) for name in others]
            if (isinstance(node, ast.Compare))
            else []
        )
        if isinstance(node, ast.Compare | ast.Name):
            for new, cause, cost in (*changes(node, words), *left):
                changed = copy.copy(target)
                changed.slice = replaced(target.slice, node, new)
                yield Edit([ast.Assign([changed], statement.value, lineno=1)], cause, cost)


# ---- changes of the whole right side
def _whole(statement: ast.stmt, words: Words) -> Iterator[Edit]:
    value = _value(statement)
    if value is None:
        return
    if not (isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add | ast.Sub)):
        yield Edit(_with_value(statement, ast.UnaryOp(ast.USub(), value)), "sign", 1.0)
    own = {each.id for each in ast.walk(value) if isinstance(each, ast.Name)} & set(words.like(words.shape))
    for name in words.like(words.shape) if words.shape else ():
        if words.names[name].dtype == bool:
            off = ast.BinOp(value, ast.Mult(), ast.UnaryOp(ast.Invert(), parsed(name)))
            yield Edit(_with_value(statement, off), "gprime-missing", 1.15)
    masks = [name for name in words.like(words.shape) if name not in own and np.isin(words.names[name], (0, 1)).all()]
    for name in masks if words.shape else ():
        masked = ast.BinOp(ast.Name(name, ast.Load()), ast.Mult(), value)
        yield Edit(_with_value(statement, masked), "missing-factor", 1.3)
    for part in terms(value):
        for name in () if words.shape else words.like(()):  # a single number fits wherever another does
            scaled = ast.BinOp(part, ast.Mult(), parsed(name))
            yield Edit(_with_value(statement, replaced(value, part, scaled)), "missing-factor", 1.25)
        if part is not value:
            yield Edit(_with_value(statement, replaced(value, part, negated(part))), "sign", 1.0)
            for name in own:
                scaled = ast.BinOp(ast.Name(name, ast.Load()), ast.Mult(), part)
                yield Edit(_with_value(statement, replaced(value, part, scaled)), "missing-factor", 1.3)
    yield from _of_penalties(statement, value, words)
    yield Edit(_with_value(statement, turned(value)), "transpose-missing", 1.5)
    for new, cause, cost in (*products.put_in(value, words), *products.exchanged(value, words)):
        cause = "wrong-symbol" if cause == "wrong-function" and is_but_a_name(value, new) else cause
        yield Edit(_with_value(statement, new), cause, cost)
    for new in _bare(value):
        yield Edit(_with_value(statement, new), "gprime-at-a", 1.05)
    for new in summed(value, words):
        yield Edit(_with_value(statement, new), "db-not-summed", 1.0)
    for new in through_softmax(value, words):
        yield Edit(_with_value(statement, new), "softmax-elementwise", 1.5)
    for new, cause in names_exchanged(value, words):
        yield Edit(_with_value(statement, new), cause, 1.3)
    for new in shifted(value, words):
        yield Edit(_with_value(statement, new), "wrong-layer", 1.25)
    for new, cause, cost in one_name_everywhere(value, words):
        yield Edit(_with_value(statement, new), cause, cost)
    for name in words.rates:
        rate, cause = parsed(name), products.missing_factor(name)
        for part in terms(value):
            scaled = ast.BinOp(part, ast.Mult(), rate)
            more = replaced(value, part, scaled)
            yield Edit(_with_value(statement, more), "learning-rate-missing" if words.is_step else cause, 1.15)
            if not words.is_step:
                divided = replaced(value, part, ast.BinOp(part, ast.Div(), rate))
                yield Edit(_with_value(statement, divided), cause, 1.15)
    for place, count in enumerate(words.counts):
        cause = "missing-1/m" if words.counts_examples(count) else "missing-factor"
        once, twice = ("l2-not-over-m", "l2-averaged-again") if words.counts_examples(count) else (cause, cause)
        for part in terms(value):
            of_penalty = is_penalty(part) and not is_sum(part)
            divided = replaced(value, part, ast.BinOp(part, ast.Div(), parsed(count)))
            yield Edit(_with_value(statement, divided), once if of_penalty else cause, 0.9 + 0.05 * place)
            more = replaced(value, part, ast.BinOp(part, ast.Mult(), parsed(count)))
            too_often = "double-1/m" if words.counts_examples(count) else "missing-factor"
            yield Edit(_with_value(statement, more), twice if of_penalty else too_often, 1.2)
    powers = [each for each in ast.walk(value) if isinstance(each, ast.BinOp) and isinstance(each.op, ast.Pow)]
    squares = sum(ast.unparse(each.right) == "2" for each in powers)
    has_two = sum(isinstance(each, ast.Constant) and each.value == 2 for each in ast.walk(value)) > squares
    for number, cause in ((2, "missing-factor"), (0.5, "extra-factor" if has_two else "missing-factor")):
        for part in terms(value):
            if isinstance(part, ast.Constant):
                continue  # another number
            scaled = in_front(ast.Constant(number), part)
            of_penalty = is_penalty(part) and not is_sum(part)
            made, cost = ("l2-factor-2", 1.0) if of_penalty else (cause, 1.2)
            yield Edit(_with_value(statement, replaced(value, part, scaled)), made, cost)
    for part, alone in sums(value):
        for term, cause, cost in new_terms(part, words):
            is_negative = has_minus(term)
            added = negated(term) if is_negative else term
            more = ast.BinOp(part, ast.Sub() if is_negative else ast.Add(), added)
            yield Edit(_with_value(statement, replaced(value, part, more)), cause, cost + (0.0 if alone else 0.08))
    entries = _target(statement)
    if isinstance(entries, ast.Subscript) and not any(isinstance(each, ast.Slice) for each in ast.walk(entries.slice)):
        base = entries.value
        at = ast.parse("np.add.at", mode="eval").body
        call = ast.Call(at, [_read(base), entries.slice, value], [])
        yield Edit([ast.Expr(call)], "overwritten", 1.0)
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name | ast.Subscript):
        yield Edit([ast.AugAssign(statement.targets[0], ast.Add(), value)], "overwritten", 1.0)
    if isinstance(statement, ast.AugAssign):
        yield Edit([ast.Assign([statement.target], value, lineno=1)], "extra-term", 1.2)
        for operator in (ast.Add(), ast.Sub(), ast.Mult(), ast.Div()):
            if not isinstance(statement.op, type(operator)):
                cause = "sign" if isinstance(operator, ast.Add | ast.Sub) else "wrong-operator"
                yield Edit([ast.AugAssign(statement.target, operator, value)], cause, 1.0)


def _bare(value: ast.expr) -> Iterator[ast.expr]:
    """``a * (1 - a)`` for ``g(a) * (1 - g(a))``: all calls of one function on one name at once."""
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call) and len(node.args) == 1]
    texts = Counter(map(ast.unparse, calls))
    for text in [text for text, times in texts.items() if times > 1]:
        new = value
        for node in calls:
            if ast.unparse(node) == text:
                new = replaced(new, node, node.args[0])
        yield new


def _of_penalties(statement: ast.stmt, value: ast.expr, words: Words) -> Iterator[Edit]:
    """A penalty of all weights in place of which one without the biases stands: ``grad[1:] += lam * theta[1:]``."""
    target = ast.Name(words.target, ast.Store())
    adds = isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add)
    whole = value if adds and is_penalty(value) else None
    if isinstance(statement, ast.Assign) and isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        decays = is_penalty(value.right) or _is_scaled_weight(value.right, words)
        whole = value.right if decays and not is_penalty(value.left) else None
    if whole is None or not isinstance(_target(statement), ast.Name):
        return
    for index in words.forward.but_biases:
        more = [_added_at(target, index, whole, words)]
        if not adds:
            assert isinstance(value, ast.BinOp)
            kept = ast.unparse(value.left) == words.target
            more = [*([] if kept else _with_value(statement, value.left)), *more]
        yield Edit(more, "l2-on-bias", 1.05)


def _is_scaled_weight(node: ast.expr, words: Words) -> bool:
    """``alpha * Theta``: a number times an array of the target's shape."""
    match node:
        case ast.BinOp(op=ast.Mult(), left=ast.Name(id=rate), right=ast.Name(id=name)):
            return rate in words.rates and name in words.like(words.shape)
    return False


def _target(statement: ast.stmt) -> ast.expr | None:
    if isinstance(statement, ast.Assign):
        return statement.targets[0]
    return statement.target if isinstance(statement, ast.AugAssign) else None


def _added_at(target: ast.Name, index: ast.expr, penalty: ast.expr, words: Words) -> ast.stmt:
    """``grad[1:] += lam * theta[1:]``."""
    for node in ast.walk(penalty):
        if isinstance(node, ast.Name) and words.shape_of(node.id) == words.shape:
            penalty = replaced(penalty, node, ast.Subscript(node, index, ast.Load()))
    entries = ast.Subscript(ast.Name(target.id, ast.Load()), index, ast.Store())
    return ast.AugAssign(entries, ast.Add(), penalty)


def _read(node: ast.expr) -> ast.expr:
    new = copy.copy(node)
    new.ctx = ast.Load()  # type: ignore[attr-defined]
    return new


# ---- a statement that is missing behind this one
def _behind(statement: ast.stmt, words: Words) -> Iterator[Edit]:
    target = ast.Name(words.target, ast.Store())
    for place, count in enumerate(words.counts):
        cause = "missing-1/m" if words.counts_examples(count) else "missing-factor"
        more = ast.AugAssign(target, ast.Div(), parsed(count))
        yield Edit([statement, more], cause, 1.05 + 0.05 * place)
    for index in words.forward.picked:
        entries = ast.Subscript(ast.Name(words.target, ast.Load()), index, ast.Store())
        yield Edit([statement, ast.AugAssign(entries, ast.Sub(), ast.Constant(1))], "label-not-subtracted", 1.1)
    for factor in words.forward.factors:
        node = factor.node
        if not factor.is_slope:
            operator = ast.Div() if factor.divides else ast.Mult()
            cause = products.missing_factor(ast.unparse(node), is_array=np.ndim(words.value(node)) > 0)
            yield Edit([statement, ast.AugAssign(target, operator, node)], cause, 1.25)
            continue
        if isinstance(node, ast.Compare) and isinstance(statement, ast.Assign | ast.AugAssign):
            off = ast.Compare(node.left, [ast.LtE()], node.comparators)
            entries = ast.Subscript(ast.Name(words.target, ast.Load()), off, ast.Store())
            yield Edit([statement, ast.Assign([entries], ast.Constant(0), lineno=1)], "gprime-missing", 1.12)
        yield Edit([statement, ast.AugAssign(target, ast.Mult(), node)], "gprime-missing", 1.15)
    for name in words.like(words.shape) if isinstance(statement, ast.Assign | ast.AugAssign) else ():
        if words.names[name].dtype == bool and words.shape:  # a mask of its own
            entries = ast.Subscript(ast.Name(words.target, ast.Load()), parsed(name), ast.Store())
            yield Edit([statement, ast.Assign([entries], ast.Constant(0), lineno=1)], "gprime-missing", 1.12)
    value = _value(statement)
    for term in () if value is None else penalties(value, words):
        yield Edit([statement, ast.AugAssign(target, ast.Add(), term)], "l2-missing", 1.25)
        for index in words.forward.but_biases:
            yield Edit([statement, _added_at(target, index, term, words)], "l2-missing", 1.27)
