"""Changes of sums: a term that is missing, and the whole of a Jacobian of which there is a part."""

from __future__ import annotations

import ast
import copy
import itertools
import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.edits.trees import (
    Renamed,
    family,
    is_product,
    is_sum,
    parsed,
    places,
    replaced,
    word,
    written,
)
from parity_tests.derivations.engine.edits.words import Words

PENALTIES = re.compile(r"^(reg\w*|lam\w*|lmbda|l2\w*|wd|weight_decay)$")
"""What the strength of a penalty is called."""


def names_exchanged(value: ast.expr, words: Words) -> Iterator[tuple[ast.expr, str]]:
    """The formula with two arrays of a shape in each other's places: ``dz2 @ x2.T + dz1 @ x1.T``; and the mistake."""
    names = dict.fromkeys(each.id for each in ast.walk(value) if isinstance(each, ast.Name))
    arrays = [name for name in names if isinstance(words.names.get(name), np.ndarray)]
    for one, other in itertools.combinations(arrays, 2):
        if words.names[one].shape == words.names[other].shape:
            product = any(_is_between(node, one, other) for node, _ in places(value))
            new = Renamed({one: other, other: one}).visit(copy.deepcopy(value))
            yield new, "operand-order" if product else "wrong-symbol"


def one_name_everywhere(value: ast.expr, words: Words) -> Iterator[tuple[ast.expr, str, float]]:
    """The formula with another array of its shape in place of one that stands in it more than once; and the mistake."""
    names = Counter(each.id for each in ast.walk(value) if isinstance(each, ast.Name))
    for name in [name for name, times in names.items() if times > 1]:
        for other in words.like(words.shape_of(name)):
            if other not in (name, words.target) and np.ndim(words.names[other]):
                new = Renamed({name: other}).visit(copy.deepcopy(value))
                same_family = family(name) == family(other) != name
                yield new, "wrong-layer" if same_family else "wrong-symbol", 1.15 if same_family else 1.4


def _is_between(node: ast.expr, one: str, other: str) -> bool:
    """Whether two names stand on the two sides of a matrix product."""
    match node:
        case ast.BinOp(left=left, op=ast.MatMult(), right=right):
            sides = left, right
        case ast.Call(func=ast.Attribute(value=left, attr="dot"), args=[right]):
            sides = left, right
        case ast.Call(args=[left, right]) if word(node) in ("dot", "matmul"):
            sides = left, right
        case _:
            return False
    names = [{each.id for each in ast.walk(side) if isinstance(each, ast.Name)} for side in sides]
    return (one in names[0] and other in names[1]) or (other in names[0] and one in names[1])


def is_penalty(node: ast.AST) -> bool:
    """Whether a formula names the factor of a penalty: ``reg``, ``self.reg``, ``lambda_``."""
    return any(
        isinstance(each, ast.Name | ast.Attribute) and PENALTIES.match(symbols.base_of(ast.unparse(each)))
        for each in ast.walk(node)
    )


def terms(value: ast.expr) -> Iterator[ast.expr]:
    """The right side, and the terms of all its sums."""
    yield value
    for node, parent in places(value):
        if parent is not None and is_sum(parent):
            yield node


def summed(value: ast.expr, words: Words) -> Iterator[ast.expr]:
    """A right side that has more entries than the target, with it or a term of it summed over an axis."""
    entries, whole = np.prod(words.shape), words.value(value)
    for part in terms(value) if whole is not None and np.size(whole) > entries else ():
        shape = np.shape(words.value(part))
        settings = [] if words.shape else [""]
        for axis in range(len(shape)):
            before, behind = shape[:axis], shape[axis + 1 :]
            settings += [f"axis={axis}"] if (*before, *behind) == words.shape else []
            settings += [f"axis={axis}, keepdims=True"] if (*before, 1, *behind) == words.shape else []
        for each in settings if np.prod(shape) > entries else ():
            call = ast.parse(f"np.sum({each})", mode="eval").body
            yield replaced(value, part, ast.Call(call.func, [part], call.keywords))  # type: ignore[attr-defined]


def sums(value: ast.expr) -> Iterator[tuple[ast.expr, bool]]:
    """Where a term may be missing, and whether that is the whole right side: it, and factors that are sums or names."""
    yield value, True
    for node, parent in places(value):
        within = is_product(parent) or isinstance(parent, ast.Call)
        if node is not value and within and (is_sum(node) or isinstance(node, ast.Name)):
            yield node, False


def new_terms(part: ast.expr, words: Words) -> Iterator[tuple[ast.expr, str, float]]:
    """What the forward pass adds, a penalty's gradient in the text's own names, an array, or a projection."""
    value = words.value(part)
    if value is None:
        return
    shape = np.shape(value)
    if shape == words.shape:
        yield from ((term, "missing-term", 1.1) for term in words.forward.terms)
        yield from ((term, "l2-missing", 1.22) for term in penalties(part, words))
    if is_sum(part) or shape == words.shape:
        yield from ((term, "missing-term", 1.2) for term in _projections(shape, words))
    for name in words.like(shape):
        one = ast.Name(name, ast.Load())
        for count in words.counts[:2] if name != words.target and shape == words.shape != () else ():
            yield ast.BinOp(one, ast.Div(), parsed(count)), "missing-term", 1.4
        if name != words.target and shape and ast.unparse(part) != name:
            yield one, "missing-term", 0.95 if name in words.forward.unread else 1.3
            yield ast.UnaryOp(ast.USub(), one), "missing-term", 1.3


def _projections(shape: tuple[int, ...], words: Words) -> Iterator[ast.expr]:
    """What a normalisation takes away from a derivative: its mean, and its part along the normalised values."""
    known = {name for name, _ in (*words.forward.shares, *words.forward.normalised)}
    for one, axis in words.forward.scaled:
        for other in words.like(shape) if words.names[one].shape == shape and one not in known else ():
            for function in ("mean", "sum") if other not in (one, words.target) else ():
                yield written(f"-(N * np.{function}(D * N, axis={axis}, keepdims=True))", N=one, D=other)
    for one, axis in words.forward.normalised:
        keep = ", keepdims=True" if axis else ""
        for other in words.like(shape) if words.names[one].shape == shape else ():
            for function in ("mean", "sum") if other not in (one, words.target) else ():
                yield written(f"-(N * np.{function}(D * N, axis={axis}{keep}))", N=one, D=other)
                yield written(f"-np.{function}(D, axis={axis}{keep})", D=other)


def through_softmax(value: ast.expr, words: Words) -> Iterator[ast.expr]:
    """All of the softmax's Jacobian in place of its diagonal: ``P * (dP - np.sum(dP * P, axis=1, keepdims=True))``."""
    for node, parent in places(value):
        if not isinstance(node, ast.BinOp) or (is_product(parent) and is_product(node)):
            continue
        for one, axis in words.forward.shares:
            for other in words.like(words.names[one].shape):
                if other not in (one, words.target):
                    whole = f"P * (D - np.sum(D * P, axis={axis}, keepdims=True))"
                    yield replaced(value, node, written(whole, P=one, D=other))


def penalties(part: ast.expr, words: Words) -> Iterator[ast.expr]:
    rates = [name for name, value in words.names.items() if isinstance(value, float) and is_penalty(parsed(name))]
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
                yield ast.BinOp(plain, ast.Div(), parsed(count))


def shifted(value: ast.expr, words: Words) -> Iterator[ast.expr]:
    """All entries of one family a layer, or a time, earlier or later: ``dz2 @ h1.T + dz1 @ h0.T``."""
    names = [each.id for each in ast.walk(value) if isinstance(each, ast.Name)]
    families = {family(name) for name in names if family(name) != name}
    for own in sorted(families):
        for by in (-1, 1):
            others = {name: _moved(name, by) for name in names if family(name) == own}
            if len(others) > 1 and all(other in words.names for other in others.values()):
                yield Renamed(others).visit(copy.deepcopy(value))


def _moved(name: str, by: int) -> str:
    """The name of the layer before or behind: h1 of h2, ``hs[t - 1]`` has no such."""
    return re.sub(r"\d+(?!.*\d)", lambda match: str(int(match[0]) + by), name)
