"""Right formulas with one or two random changes, made without a thought of what verify can undo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.nodes import (
    Binary,
    BinaryOperator,
    Call,
    Expression,
    Name,
    Number,
    Program,
    Transpose,
    Unary,
)
from parity_tests.derivations.settings import SETTINGS, Setting
from parity_tests.tests.derivations.rewritings import Right, parts

OPERATORS: tuple[BinaryOperator, ...] = ("+", "-", "*", "/", "@")
ELEMENTWISE = ("exp", "log", "tanh", "sqrt", "square", "abs")

Changed = Iterator[Expression]


def _other_name(here: Expression, setting: Setting) -> Changed:
    if isinstance(here, Name):
        for symbol in setting.symbols:
            if symbol.shape != "function" and symbol.name != here.id:
                yield Name(symbol.name)


def _other_operator(here: Expression, setting: Setting) -> Changed:
    if isinstance(here, Binary) and here.operator in OPERATORS:
        for operator in OPERATORS:
            if operator != here.operator:
                yield replace(here, operator=operator, form="operator")
        yield replace(here, left=here.right, right=here.left)


def _left_out(here: Expression, setting: Setting) -> Changed:
    if isinstance(here, Binary | Unary | Transpose):
        yield from (child for child in nodes.children(here) if isinstance(child, Expression))
    if isinstance(here, Call) and len(here.arguments) == 1:
        yield here.arguments[0]


def _turned(here: Expression, setting: Setting) -> Changed:
    if isinstance(here, Name) and any(each.name == here.id and "," in each.shape for each in setting.symbols):
        yield Transpose(here)


def _other_function(here: Expression, setting: Setting) -> Changed:
    if isinstance(here, Call) and len(here.arguments) == 1 and here.function not in ("sum", "mean", "max"):
        functions = [each.name for each in setting.symbols if each.shape == "function"]
        for name in (*ELEMENTWISE, *functions):
            if name != here.function:
                yield replace(here, function=name, form="np" if name in ELEMENTWISE else "plain", written="")


def _other_sum(here: Expression, setting: Setting) -> Changed:
    if isinstance(here, Call) and here.function in ("sum", "mean", "max"):
        for axis in (None, 0, 1):
            for keepdims in (False, True):
                yield replace(here, axis=axis, keepdims=keepdims)
        for name in ("sum", "mean", "max"):
            yield replace(here, function=name)


def _other_number(here: Expression, setting: Setting) -> Changed:
    if isinstance(here, Number):
        for number in (0.0, 0.5, 1.0, 2.0, 3.0):
            yield Number(number)


def _put_in(here: Expression, setting: Setting) -> Changed:
    yield Unary(here)
    yield Binary("*", Number(2.0), here)
    yield Binary("**", here, Number(2.0))
    yield Binary("-", Number(1.0), here)
    for name in ("m", "lambda_", "alpha", "keep_prob", "beta1"):
        if any(each.name == name for each in setting.symbols):
            yield Binary("*", Name(name), here)
            yield Binary("/", here, Name(name))
    for each in setting.symbols:
        if each.name[:1] in "bWAZ" and each.shape != "function":
            yield Binary("+", here, Name(each.name))


CHANGES: tuple[Callable[[Expression, Setting], Changed], ...] = (
    _other_name,
    _other_operator,
    _left_out,
    _turned,
    _other_function,
    _other_sum,
    _other_number,
    _put_in,
)


def edited(right: Right, count: int, rng: np.random.Generator) -> Program:
    """A formula after so many random changes; it may still be right."""
    program, setting = right.program, SETTINGS[right.setting]
    for _ in range(count):
        places = list(parts(program))
        for _ in range(20):
            change = CHANGES[rng.integers(len(CHANGES))]
            path, here = places[rng.integers(len(places))]
            ways = [new for new in change(here, setting) if new != here]
            if ways:
                changed = nodes.replace(program, path, ways[rng.integers(len(ways))])
                assert isinstance(changed, Program)
                program = changed
                break
    return program
