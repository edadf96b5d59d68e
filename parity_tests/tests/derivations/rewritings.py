"""Right formulas written in other ways, by the rules of algebra: a seed gives the same ones everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.errors import EvaluationError
from parity_tests.derivations.language.evaluate import evaluate
from parity_tests.derivations.language.formulas import MAX_DEPTH
from parity_tests.derivations.language.nodes import (
    Assign,
    Binary,
    Call,
    Compare,
    Expression,
    For,
    Name,
    Number,
    Path,
    Program,
    Shape,
    Transpose,
    Unary,
)
from parity_tests.derivations.language.syntax import parse
from parity_tests.derivations.settings import SETTINGS
from parity_tests.derivations.settings.setting import probe_of
from parity_tests.tests.derivations.right_formulas import every_right_formula, is_penalised

ONE, TWO, M = Number(1.0), Number(2.0), Name("m")


WHERE = ("reshape", "zeros", "ones", "eye", "arange", "flip")
"""Functions whose arguments are left as they are."""


class Right(NamedTuple):
    """A right formula of a setting."""

    setting: str
    symbol: str
    l2: bool
    program: Program


def right_formulas() -> list[Right]:
    """Every right formula of every setting, with the penalty where it plays a part."""
    found = [each for each in every_right_formula() if not each.l2 or is_penalised(each)]
    return [
        Right(each.setting, each.symbol, each.l2, parse(each.text, protected=SETTINGS[each.setting].protected()))
        for each in found
    ]


class Sizes:
    """The shapes of the parts of a formula, where these are the same in every round of every loop."""

    def __init__(self, environment: dict[str, Any]) -> None:
        self.environment = environment

    def shape(self, node: Expression) -> tuple[int, ...] | None:
        """The shape of a part; None where it has none by itself, as where it reads a helper or a counter."""
        try:
            return np.shape(evaluate(node, self.environment))
        except EvaluationError:
            return None

    def same(self, one: Expression, other: Expression) -> bool:
        """Whether two parts have one shape, as far as is known."""
        shape = self.shape(one)
        return shape is not None and shape == self.shape(other)

    def number(self, node: Expression) -> bool:
        """Whether a part is a number."""
        return self.shape(node) == ()

    def has_minus(self, node: Expression) -> bool:
        """Whether NumPy takes a minus before a part: before no comparison."""
        try:
            return np.asarray(evaluate(node, self.environment)).dtype != np.bool_
        except EvaluationError:
            return not isinstance(node, Compare)

    def matrices(self, *parts: Expression) -> bool:
        """Whether all parts are matrices."""
        return all(len(self.shape(part) or ()) == 2 for part in parts)


Same = Iterator[Expression]
Law = Callable[[Expression, Sizes], Same]


def _commuted(here: Expression, sizes: Sizes) -> Same:
    match here:
        case Binary("*" | "+", left, right):
            yield replace(here, left=right, right=left)
        case Binary("-", left, right):
            yield Unary(Binary("-", right, left))
            if sizes.has_minus(right):
                yield Binary("+", left, Unary(right))
                yield Binary("+", Unary(right), left)


def _associated(here: Expression, sizes: Sizes) -> Same:
    match here:
        case Binary("*" | "+" as operator, Binary(inner, a, b), c) if inner == operator:
            yield Binary(operator, a, Binary(operator, b, c))
        case Binary("*" | "+" as operator, a, Binary(inner, b, c)) if inner == operator:
            yield Binary(operator, Binary(operator, a, b), c)
        case Binary("@", Binary("@", a, b), c) if sizes.matrices(a, b, c):
            yield Binary("@", a, Binary("@", b, c))
        case Binary("/", Binary("*", a, b), c):
            yield Binary("*", a, Binary("/", b, c))
        case Binary("*", a, Binary("/", b, c)):
            yield Binary("/", Binary("*", a, b), c)
        case Binary("/", a, Binary("*", b, c)):
            yield Binary("/", Binary("/", a, b), c)
        case Binary("/", Binary("/", a, b), c):
            yield Binary("/", a, Binary("*", b, c))


def _numbers_moved(here: Expression, sizes: Sizes) -> Same:
    """A number before, inside and behind a product; 1/m for / m."""
    match here:
        case Binary("*", number, Binary("@", a, b)) if sizes.number(number):
            yield Binary("@", Binary("*", number, a), b)
            yield Binary("@", a, Binary("*", number, b))
        case Binary("@", Binary("*", number, a), b) if sizes.number(number):
            yield Binary("*", number, Binary("@", a, b))
        case Binary("@", Binary("/", a, number), b) if sizes.number(number):
            yield Binary("/", Binary("@", a, b), number)
        case Binary("/", Binary("@", a, b), number) if sizes.number(number):
            yield Binary("@", Binary("/", a, number), b)
            yield Binary("@", a, Binary("/", b, number))
        case Binary("*", number, Call("sum", (inner,)) as call) if sizes.number(number):
            yield replace(call, arguments=(Binary("*", number, inner),))
        case Call("sum", (Binary("*", number, inner),)) if sizes.number(number):
            yield Binary("*", number, replace(here, arguments=(inner,)))
        case Call("sum", (Binary("/", inner, number),)) if sizes.number(number):
            yield Binary("/", replace(here, arguments=(inner,)), number)
    if isinstance(here, Binary) and here.operator == "/":
        yield Binary("*", Binary("/", ONE, here.right), here.left)
        yield Binary("*", here.left, Binary("/", ONE, here.right))
    match here:
        case Binary("*", Binary("/", Number(1.0), a), b) | Binary("*", b, Binary("/", Number(1.0), a)):
            yield Binary("/", b, a)


def _distributed(here: Expression, sizes: Sizes) -> Same:
    match here:
        case Binary("*", a, Binary("+" | "-" as operator, b, c)):
            yield Binary(operator, Binary("*", a, b), Binary("*", a, c))
        case Binary("/", Binary("+" | "-" as operator, a, b), c):
            yield Binary(operator, Binary("/", a, c), Binary("/", b, c))
        case Binary("@", a, Binary("+" | "-" as operator, b, c)) if sizes.same(b, c) and sizes.matrices(a, b):
            yield Binary(operator, Binary("@", a, b), Binary("@", a, c))
        case Binary("@", Binary("+" | "-" as operator, a, b), c) if sizes.same(a, b) and sizes.matrices(a, c):
            yield Binary(operator, Binary("@", a, c), Binary("@", b, c))
        case Call("sum", (Binary("+" | "-" as operator, a, b),)) if sizes.same(a, b):
            yield Binary(operator, replace(here, arguments=(a,)), replace(here, arguments=(b,)))
        case Transpose(Binary("+" | "-" | "*" as operator, a, b)) if sizes.matrices(a, b):
            yield Binary(operator, Transpose(a), Transpose(b))
        case Unary(Binary("+", a, b)) if sizes.has_minus(a):
            yield Binary("-", Unary(a), b)
        case Binary("-", Number(1.0), Binary("**", a, Number(2.0))):
            yield Binary("*", Binary("-", ONE, a), Binary("+", ONE, a))


def _signs(here: Expression, sizes: Sizes) -> Same:
    match here:
        case Unary(Binary("*" | "/" | "@" as operator, a, b)):
            if sizes.has_minus(a):
                yield Binary(operator, Unary(a), b)
            if sizes.has_minus(b):
                yield Binary(operator, a, Unary(b))
        case Unary(Call("sum", (inner,)) as call) if sizes.has_minus(inner):
            yield replace(call, arguments=(Unary(inner),))
        case Unary(inner):
            yield Binary("*", Unary(ONE), inner)
            yield Binary("-", Number(0.0), inner)
        case Binary("*", Unary(a), b):
            yield Unary(Binary("*", a, b))


def _forms(here: Expression, sizes: Sizes) -> Same:
    """np.multiply for *, np.matmul and np.dot for @, np.square for **2, A.sum() for np.sum(A)."""
    match here:
        case Binary():
            yield replace(here, form="operator" if here.form == "np" else "np")
        case Call("sum" | "mean" | "max"):
            yield replace(here, form="np" if here.form == "method" else "method")
        case Transpose() if not here.axes:
            yield replace(here, form="np" if here.form == ".T" else ".T")
    match here:
        case Binary("@", a, b) if sizes.matrices(a, b):
            yield Call("dot", (a, b))
        case Call("dot", (a, b)) if sizes.matrices(a, b):
            yield Binary("@", a, b)
        case Binary("**", a, Number(2.0)):
            yield Call("square", (a,))
            yield Binary("*", a, a)
        case Call("square", (a,)):
            yield Binary("**", a, TWO)
        case Binary("*", a, b) if a == b:
            yield Binary("**", a, TWO)


def _transposes(here: Expression, sizes: Sizes) -> Same:
    """(A B)^T = B^T A^T."""
    match here:
        case Binary("@", a, b) if sizes.matrices(a, b):
            yield Transpose(Binary("@", Transpose(b), Transpose(a)))
        case Transpose(Binary("@", a, b)) if sizes.matrices(a, b):
            yield Binary("@", Transpose(b), Transpose(a))
        case Transpose(Transpose(inner)):
            yield inner


def _sums(here: Expression, sizes: Sizes) -> Same:
    """A mean for a sum over m, a product with ones for a sum, a product of matrices for a sum of products."""
    match here:
        case Binary("/", Call("sum", (inner,), axis, keepdims), Name("m")) if _over_m(inner, axis, sizes):
            yield Call("mean", (inner,), axis, keepdims)
        case Call("mean", (inner,), axis, keepdims) if _over_m(inner, axis, sizes):
            yield Binary("/", Call("sum", (inner,), axis, keepdims), M)
        case Call("sum", (inner,), 1, True) if sizes.matrices(inner) and _over_m(inner, 1, sizes):
            yield Binary("@", inner, Call("ones", (Shape((M, ONE)),)))
            rows = Call("sum", (inner,), 1)
            yield Call("reshape", (rows, Shape((Unary(ONE), ONE))))
        case Binary("@", Transpose(a), b) if sizes.matrices(a, b) and (sizes.shape(a) or (0, 0))[1] == 1:
            yield Call("sum", (Binary("*", a, b),), 0, True)


def _over_m(inner: Expression, axis: object, sizes: Sizes) -> bool:
    shape, m = sizes.shape(inner), sizes.environment.get("m")
    if shape is None or not isinstance(m, int) or isinstance(axis, tuple):
        return False
    return (shape[axis] if isinstance(axis, int) and axis < len(shape) else np.prod(shape)) == m


LAWS: tuple[Law, ...] = (
    _commuted,
    _associated,
    _numbers_moved,
    _distributed,
    _signs,
    _forms,
    _transposes,
    _sums,
)


@lru_cache(maxsize=512)
def _sizes(setting: str, symbol: str, l2: bool) -> Sizes:
    chosen = SETTINGS[setting]
    return Sizes(chosen.environment(probe_of(chosen, 7, l2), symbol))


def rewriting(right: Right, rng: np.random.Generator) -> Program:
    """A right formula after some laws, each at a random place, and perhaps with a part in a line of its own."""
    program, sizes = right.program, _sizes(right.setting, right.symbol, right.l2)
    for _ in range(rng.integers(2, 9)):
        by_law = ([(path, new) for path, here in parts(program) for new in law(here, sizes)] for law in LAWS)
        some = [ways for ways in by_law if ways]
        if some:
            ways = some[rng.integers(len(some))]
            path, new = ways[rng.integers(len(ways))]
            changed = nodes.replace(program, path, new)
            assert isinstance(changed, Program)
            program = changed if nodes.height(changed) < MAX_DEPTH - 8 else program
    return split(program, rng) if rng.random() < 0.25 else program


def parts(program: Program) -> Iterator[tuple[Path, Expression]]:
    """The parts of the right sides, but no index, shape or head of a loop."""
    stack: list[tuple[Path, nodes.Node]] = [((), program)]
    while stack:
        path, here = stack.pop()
        if isinstance(here, Expression):
            yield path, here
        below = list(enumerate(nodes.children(here)))
        if isinstance(here, Assign):
            below = below[1:]
        elif isinstance(here, For):
            below = below[2:]
        elif isinstance(here, nodes.Index) or (isinstance(here, Call) and here.function in WHERE):
            below = []
        stack.extend(((*path, place), child) for place, child in reversed(below) if not isinstance(child, Shape))


def split(program: Program, rng: np.random.Generator) -> Program:
    """A part of the last line, if this is in no loop, in a line of its own above it."""
    place = len(program.statements) - 1
    last = program.statements[place]
    if not isinstance(last, Assign):
        return program
    inner = [path for path, here in parts(program) if path[0] == place and len(path) > 2 and nodes.size(here) > 1]
    if not inner:
        return program
    path = inner[rng.integers(len(inner))]
    part = nodes.at(program, path)
    assert isinstance(part, Expression)
    changed = nodes.replace(program, path, Name("helper"))
    assert isinstance(changed, Program)
    helper = Assign(Name("helper"), "=", part)
    return Program((*changed.statements[:place], helper, changed.statements[place]))
