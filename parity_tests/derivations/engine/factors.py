"""Changes of products: factors that are missing, too many, or others than belong there, in the writer's own names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from parity_tests.derivations.engine import symbols

SLOPE = re.compile(r"^1(\.0)? - |> 0|>= 0|prime|deriv|grad\(|1(\.0)? - [\w.\[\]'\"-]+\)|slope", re.I)
SLOPE_NAMES = re.compile(r"prime|deriv|grad|slope|_d$|^d_?[a-z]+", re.I)
SLOPE_FUNCTIONS = re.compile(r"prime|deriv|grad|slope|^d_?(sig|tanh|relu|act|f$|elu|soft|leaky)|_back", re.I)
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
    return bool(ACTIVATIONS.search(name)) and not SLOPE_NAMES.search(name)


def chain(node: ast.expr) -> list[ast.expr]:
    """The factors of a product, from left to right."""
    match node:
        case ast.BinOp(op=ast.Mult()):
            return [*chain(node.left), *chain(node.right)]
        case ast.Call(func=ast.Attribute(attr="multiply"), args=[left, right]):
            return [*chain(left), *chain(right)]
    return [node]


def product(factors: list[ast.expr]) -> ast.expr:
    """The product of some factors."""
    result = factors[0]
    for each in factors[1:]:
        result = ast.BinOp(result, ast.Mult(), each)
    return result


def slopes_of(names: list[str]) -> Iterator[ast.expr]:
    """g'(Z) for every activation, out of arrays that may be its Z or its A."""
    for name in names:
        one = ast.Name(name, ast.Load())
        zero, unit = ast.Constant(0), ast.Constant(1)
        yield ast.BinOp(unit, ast.Sub(), ast.BinOp(one, ast.Pow(), ast.Constant(2)))
        yield ast.BinOp(one, ast.Mult(), ast.BinOp(unit, ast.Sub(), one))
        yield ast.Compare(one, [ast.Gt()], [zero])
        where = ast.Attribute(ast.Name("np", ast.Load()), "where", ast.Load())
        yield ast.Call(where, [ast.Compare(one, [ast.Gt()], [zero]), unit, ast.Constant(0.01)], [])


def changed_products(value: ast.expr, slopes: list[ast.expr]) -> Iterator[tuple[ast.expr, str, float]]:
    """A product without some of its factors at the end, or with a slope in place of them."""
    factors = chain(value)
    for count in range(1, len(factors)):
        head, tail = factors[:count], factors[count:]
        if len(tail) > 1:
            yield product(head), dropped(tail, head), 1.05
        for slope in slopes:
            yield product([*head, slope]), instead_of(tail), 1.12
    for place in range(len(factors) - 1):
        rest = [*factors[:place], *factors[place + 1 :]]
        for slope in slopes:
            yield product([*rest, slope]), instead_of([factors[place]]), 1.14


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
    return "wrong-function" if any(is_slope(each) or isinstance(each, ast.Call) for each in tail) else "gprime-missing"


def missing_factor(name: str) -> str:
    """What it is called when a factor of this name is missing."""
    if re.search(r"keep|drop|^p$|retain", name, re.I):
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
