"""Changes of products: factors that are missing, too many, or others than belong there, in the writer's own names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.edits.slopes import Factor
from parity_tests.derivations.engine.edits.trees import chain, is_product, places, product, replaced
from parity_tests.derivations.engine.edits.words import Words

SLOPE = re.compile(r"^1(\.0)? - |> 0|>= 0|prime|deriv|grad\(|1(\.0)? - [\w.\[\]'\"-]+\)|slope", re.I)
SLOPE_NAMES = re.compile(r"prime|deriv|grad|slope|_d$|^d_?[a-z]+", re.I)
ACTIVATIONS = re.compile(r"sigm|tanh|relu|softplus|maximum|act|logistic|squash|expit|nonlin", re.I)
MASKS = re.compile(r"mask|drop|^d\d*$|keep", re.I)


def is_slope(node: ast.expr) -> bool:
    """A derivative written out: ``1 - a**2``, ``a * (1 - a)``, ``z > 0``, or a function named like one."""
    return bool(SLOPE.search(ast.unparse(node)))


def is_activation(node: ast.expr) -> bool:
    """Whether a factor is an activation: ``sigmoid(z)``, ``np.maximum(0, z)``, ``self.tanh(z)``."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if any(isinstance(each.value, ast.Constant) and each.value.value is True for each in node.keywords):
        return False  # ``nonlin(z, deriv=True)``
    return bool(ACTIVATIONS.search(name)) and not SLOPE_NAMES.search(name)


Changed = Iterator[tuple[ast.expr, str, float]]
"""Changed formulas: (the whole with the change, the mistake undone, its cost)."""


def put_in(value: ast.expr, words: Words) -> Changed:
    """A local derivative of the forward pass as one more factor, at any place."""
    for node, parent in places(value):
        shape = _shape(node, words)
        if shape == () and parent is not None and not is_product(parent) and not isinstance(node, ast.Constant):
            for name in words.like(words.shape):
                scaled = ast.BinOp(node, ast.Mult(), ast.Name(name, ast.Load()))
                yield replaced(value, node, scaled), "missing-factor", 1.0
        if shape is None or is_product(parent):
            continue  # a product gets it as a whole
        deep = 0.0 if node is value else 0.08
        for order, factor in enumerate(words.forward.factors):
            if not _fits(_shape(factor.node, words), shape):
                continue
            operator = ast.Div() if factor.divides else ast.Mult()
            cost = (1.0 if factor.is_slope else 1.1) + deep + 0.0005 * order
            yield replaced(value, node, ast.BinOp(node, operator, factor.node)), _missing(factor, words), cost
        if node is value or isinstance(parent, ast.Call):
            for name in words.like(shape):
                if name != words.target and shape:
                    scaled = ast.BinOp(node, ast.Mult(), ast.Name(name, ast.Load()))
                    yield replaced(value, node, scaled), missing_factor(name, is_array=True), 1.25 + deep


def exchanged(value: ast.expr, words: Words) -> Changed:
    """Products with a slope in place of some of their factors, or without some at the end."""
    for node, parent in places(value):
        factors = chain(node)
        if len(factors) == 1 or (isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult)):
            continue
        for count in range(1, len(factors)):
            if len(factors) - count > 1:
                head, tail = factors[:count], factors[count:]
                yield replaced(value, node, product(head)), dropped(tail, head), 1.05
        for place, old in enumerate(factors):
            for name in () if isinstance(old, ast.Name) else words.like(_shape(old, words) or (0,)):
                if name != words.target:
                    rest = [*factors[:place], ast.Name(name, ast.Load()), *factors[place + 1 :]]
                    yield replaced(value, node, product(rest)), "wrong-symbol", 1.55
        for factor in words.forward.factors:
            if not factor.is_slope:
                continue
            for place, old in enumerate(factors):
                if _fits(_shape(factor.node, words), _shape(old, words) or words.shape):
                    cause, cost = _instead_of(old, factor)
                    rest = [*factors[:place], *chain(factor.node), *factors[place + 1 :]]
                    yield replaced(value, node, product(rest)), cause, cost
            for count in range(1, len(factors) - 1):
                new = product([*factors[:count], *chain(factor.node)])
                yield replaced(value, node, new), instead_of(factors[count:]), 1.42


def _instead_of(old: ast.expr, new: Factor) -> tuple[str, float]:
    """What it is called when a slope belongs in place of one factor, and how likely that is."""
    own = {each.id for each in ast.walk(old) if isinstance(each, ast.Name)}
    around = isinstance(new.node, ast.Call) and [ast.unparse(old)] == [ast.unparse(each) for each in new.node.args]
    if around and ast.unparse(new.node).startswith("np."):
        return "function-missing", 1.0
    if is_activation(old) or (isinstance(old, ast.Name) and old.id in new.of):
        return "g-for-gprime", 1.0
    parts = chain(new.node)
    if len(parts) > 1 and ast.unparse(old) in map(ast.unparse, parts):
        return "gprime-missing", 1.0
    if isinstance(old, ast.Call) and isinstance(new.node, ast.Call) and _form(old) == _form(new.node):
        if ast.unparse(old.args[0]) in new.of:
            return ("gprime-at-a" if ast.unparse(old.args[0]) == new.of[-1] else "wrong-symbol"), 0.98
        return ("wrong-layer" if _alike(old, new.node) else "wrong-symbol"), 1.02
    if is_slope(old):
        same = _form(old) == _form(new.node)
        if same:
            return ("wrong-layer" if _alike(old, new.node) and not own & set(new.of) else "wrong-symbol"), 1.1
        return "wrong-function", 1.35
    return instead_of([old]), 1.36


def _form(node: ast.expr) -> str:
    """A formula without its names."""
    return re.sub(r"Name\(id='[^']*'|Name\(id=\"[^\"]*\"", "Name(", _named(node))


def _named(node: ast.expr) -> str:
    function = node.func if isinstance(node, ast.Call) else None
    return f"{ast.unparse(function) if function is not None else ''} {ast.dump(node)}"


def _alike(one: ast.expr, other: ast.expr) -> bool:
    """Whether two formulas read names of one family: z1 and z2."""
    families = [
        sorted(re.sub(r"\d+", "", each.id) for each in ast.walk(node) if isinstance(each, ast.Name))
        for node in (one, other)
    ]
    return families[0] == families[1]


def _missing(factor: Factor, words: Words) -> str:
    """What it is called when a local derivative is missing."""
    if factor.is_slope:
        return "gprime-missing"
    return missing_factor(ast.unparse(factor.node), is_array=bool(_shape(factor.node, words)))


def _shape(node: ast.expr, words: Words) -> tuple[int, ...] | None:
    value = words.value(node)
    return np.shape(value) if isinstance(value, np.ndarray | np.number | float | int) else None


def _fits(factor: tuple[int, ...] | None, shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape can be multiplied by a factor without growing."""
    if factor is None or len(factor) > len(shape):
        return False
    return all(one in (1, other) for one, other in zip(factor[::-1], shape[::-1], strict=False))


def dropped(tail: list[ast.expr], head: list[ast.expr]) -> str:
    """What it is called when some factors are too many."""
    if not any(is_slope(each) for each in tail):
        return "extra-factor"
    labels = [
        each for part in head for each in ast.walk(part) if isinstance(each, ast.Name) and symbols.is_label(each.id)
    ]
    return "gprime-extra-at-output" if labels else "gprime-extra"


def instead_of(tail: list[ast.expr]) -> str:
    """What it is called when a slope belongs in place of some factors."""
    if len(tail) == 1 and is_activation(tail[0]):
        return "g-for-gprime"
    if len(tail) > 1:
        return "wrong-function"
    return "wrong-function" if any(is_slope(each) or isinstance(each, ast.Call) for each in tail) else "gprime-missing"


def missing_factor(name: str, *, is_array: bool = False) -> str:
    """What it is called when a factor of this name is missing."""
    if re.search(r"keep|drop|^p$|retain", name, re.I) and not is_array:
        return "dropout-not-rescaled"
    return "dropout-mask-forgotten-backward" if MASKS.search(symbols.base_of(name)) else "missing-factor"


def forward_factors(tree: ast.AST) -> Iterator[str]:
    """What a line of the program multiplies a value by: ``D / keep_prob`` of ``A * D / keep_prob``."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign | ast.AugAssign) or not isinstance(node.value, ast.BinOp):
            continue
        above, below = _quotient(node.value)
        for place, each in enumerate(above):
            rest = [*above[:place], *above[place + 1 :]]
            if isinstance(each, ast.Name | ast.Attribute | ast.Subscript) and rest and len(rest) + len(below) > 1:
                factor = product(rest)
                for divisor in below:
                    factor = ast.BinOp(factor, ast.Div(), divisor)
                yield ast.unparse(ast.fix_missing_locations(factor))


def _quotient(node: ast.expr) -> tuple[list[ast.expr], list[ast.expr]]:
    """The factors above and below the line."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        above, below = _quotient(node.left)
        return ([*above, node.right], below) if isinstance(node.op, ast.Mult) else (above, [*below, node.right])
    return [node], []
