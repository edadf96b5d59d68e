"""Mistakes of a forward pass that make right gradients wrong: the sign inside a sigmoid, half of a cost, a penalty.

A forward pass cannot be wrong about itself. But where one small change of it makes every line of the backward pass
right, and nothing else does with as little, the change is what was meant.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from parity_tests.derivations.changes import change_of
from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.edits.terms import is_penalty
from parity_tests.derivations.engine.edits.trees import in_front, is_product, places, replaced, word
from parity_tests.derivations.engine.findings import Finding, Reading, fits
from parity_tests.derivations.engine.lists.spelled import origin
from parity_tests.derivations.verdicts import WRONG, Judged, Verdict, teach

MOST_TRIED = 8

SIGN, RESCALED = "sign", "dropout-not-rescaled"
LIKELIER = (SIGN, "missing-term", RESCALED)
"""What is meant rather than one mistake in the backward pass that has a repair of its own."""

SO_DO_THE_GRADIENTS = "it holds, and so do the gradients."

SQUARES = re.compile(r"\*\* ?2\b|square|norm|([\w.]+) \* \1\b")
_WORD = re.compile(r"[^\W\d]\w*")
MASK = re.compile(r"^(D|U|M|mask\w*|drop\w*|keep_?mask\w*)\d*$")


class Slip(NamedTuple):
    """A statement of the forward pass with the change that makes the gradients right, and the mistake undone."""

    line: int
    text: str
    rows: int
    cause: str


Changed = Iterator[tuple[ast.expr, ast.expr, str]]
"""A part of a formula, what belongs in its place, and the mistake undone."""


def slips_of(
    reading: Reading, finding: Finding, pasted: Callable[[int, str, int], Reading], seed: int
) -> Iterator[Slip]:
    """The changes of one statement of the forward pass, or of the written cost, that all gradients follow."""
    program, statements, tried = finding.truths.program, _statements(finding), 0
    for changes in (_sign_in_a_sigmoid, _not_rescaled, _other_half, _of_penalty, _no_penalty):
        for statement in statements:
            value: ast.expr | None = getattr(statement, "value", None)
            for old, new, cause in () if value is None else changes(value, finding):
                spelled = program.spelled(statement, [_with(statement, old, new)], statement.lineno)
                if spelled is None or tried >= MOST_TRIED:
                    continue
                tried += 1
                other = pasted(statement.lineno, spelled.text, spelled.rows)
                trial = other.trial(seed)
                if any(fits(trial, each) for each in other.written(trial)[:2]):
                    yield Slip(statement.lineno, spelled.text, spelled.rows, cause)


def verdict_on(slip: Slip, reading: Reading) -> Verdict:
    """The verdict on the statement that has a mistake."""
    text, taught = reading.text(slip.line), teach(slip.cause)
    name, equals, _ = text.partition("=")
    message = f"{taught[0].upper()}{taught[1:]}. With\n    {slip.text}\n{SO_DO_THE_GRADIENTS}"
    diff = (change_of(reading.rows, slip.line, slip.text, slip.rows),)
    return Verdict(
        name.strip(" +-*/") if equals else "what it returns", slip.line, text, WRONG, slip.cause, (slip.cause,),
        slip.text, (), np.inf, np.nan, np.inf, (), (), message, diff=diff,
    )  # fmt: skip


def has_a_slip(judged: Judged) -> bool:
    """Whether a mistake was found in the forward pass."""
    return any(line.message.endswith(SO_DO_THE_GRADIENTS) for line in judged.lines)


def _statements(finding: Finding) -> list[ast.stmt]:
    """The statements of the forward pass, the cost first."""
    found: dict[int, ast.stmt] = {}
    for event in finding.truths.run.events:
        statement = origin(event.statement)
        if isinstance(statement, ast.Assign | ast.Return | ast.AugAssign) and statement.lineno:
            found.setdefault(id(statement), statement)
        if event.key == finding.cost.key:
            break
    return list(found.values())[::-1]


def _with(statement: ast.stmt, old: ast.expr, new: ast.expr) -> ast.stmt:
    changed = copy.copy(statement)
    changed.value = replaced(statement.value, old, new)  # type: ignore[attr-defined]
    return changed


def _sign_in_a_sigmoid(value: ast.expr, _: Finding) -> Changed:
    """``1 / (1 + np.exp(-z))`` for ``1 / (1 + np.exp(z))``."""
    for node, _parent in places(value):
        match node:
            case ast.BinOp(left=ast.Constant(value=1), op=ast.Div(), right=ast.BinOp(op=ast.Add()) as below):
                for each in (below.left, below.right):
                    if word(each) == "exp" and isinstance(each, ast.Call) and not _is_negative(each.args[0]):
                        yield each, ast.Call(each.func, [ast.UnaryOp(ast.USub(), each.args[0])], []), SIGN


def _is_negative(node: ast.expr) -> bool:
    """Whether a product begins with a minus sign: ``-X @ W``."""
    return ast.unparse(node).startswith("-")


def _other_half(value: ast.expr, _: Finding) -> Changed:
    """``Y * np.log(A) + (1 - Y) * np.log(1 - A)`` for one of the two."""
    for node, _parent in places(value):
        match node:
            case ast.BinOp(left=label, op=ast.Mult(), right=ast.Call(args=[output]) as called) if word(called) == "log":
                logarithm = ast.Call(called.func, [_one_minus(output)], [])
                if any(ast.dump(each) == ast.dump(logarithm) for each in ast.walk(value)):
                    continue  # both are there
                rest = ast.BinOp(_one_minus(label), ast.Mult(), logarithm)
                first, second = (rest, node) if isinstance(label, ast.BinOp) else (node, rest)
                yield node, ast.BinOp(first, ast.Add(), second), "missing-term"


def _one_minus(node: ast.expr) -> ast.expr:
    """1 - a, and a for 1 - a."""
    match node:
        case ast.BinOp(left=ast.Constant(value=1), op=ast.Sub(), right=inner):
            return inner
    return ast.BinOp(ast.Constant(1), ast.Sub(), node)


def _of_penalty(value: ast.expr, finding: Finding) -> Changed:
    """A penalty that is not averaged as those of the gradients are, or that leaves out a weight."""
    for node, parent in places(value):
        if node is value or not is_product(parent):
            yield from _of_one(node, finding)


def _of_one(node: ast.expr, finding: Finding) -> Changed:
    """The same of one term."""
    if not (is_penalty(node) and SQUARES.search(ast.unparse(node))) or (
        isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
    ):
        return
    batch = _batch(finding)
    for part, _ in places(node):
        match part:
            case ast.BinOp(op=ast.Div(), right=ast.Constant(value=2) as two) if batch is not None:
                yield two, ast.BinOp(two, ast.Mult(), batch), "l2-not-over-m"
    if batch is not None:
        yield node, ast.BinOp(node, ast.Div(), batch), "l2-not-over-m"
    yield node, in_front(ast.Constant(0.5), node), "l2-factor-2"
    yield from _left_out(node, finding)


def _left_out(node: ast.expr, finding: Finding) -> Changed:
    """The square of another parameter beside that of one: ``np.sum(self.W1**2) + np.sum(self.W2**2)``."""
    given = finding.truths.probe.given
    weights = [symbols.base_of(name) for name in finding.claims.parameters if np.ndim(given[name]) == 2]
    used = set(_WORD.findall(ast.unparse(node)))
    for part, parent in places(node):
        if word(part) != "sum" or (parent is not None and word(parent) == "sum"):
            continue
        text = ast.unparse(part)
        own = [name for name in weights if name in _WORD.findall(text)]
        for other in sorted(set(weights) - used) if len(own) == 1 else ():
            twin = ast.parse(re.sub(rf"\b{own[0]}\b", other, text), mode="eval").body
            yield part, ast.BinOp(part, ast.Add(), twin), "missing-term"


def _batch(finding: Finding) -> ast.expr | None:
    """The number of examples by a name that the function of the cost has, None where it has none."""
    run, batch = finding.truths.run, finding.truths.probe.batch
    functions = {event.function for event in run.events if event.key == finding.cost.key}
    for event in run.events:
        name = symbols.written(event.name)
        is_number = name.isidentifier() and event.function in functions and not (event.shape or event.missing)
        if is_number and event.value == batch:
            return ast.Name(name, ast.Load())
    return None


def _no_penalty(value: ast.expr, finding: Finding) -> Changed:
    """The penalty whose gradients the lines carry: ``+ reg/2 * (np.sum(W1**2) + np.sum(W2**2))``."""
    here = next((each for each in finding.truths.run.events if each.key == finding.cost.key), None)
    if here is None or getattr(here.statement, "value", None) is not value or is_penalty(value):
        return
    rates: dict[str, ast.expr] = {}
    for node in ast.walk(finding.truths.program.tree):
        match node:
            case ast.BinOp(op=ast.Add(), right=term) if is_penalty(term):
                for name in finding.claims.parameters:
                    rate = _without(term, symbols.base_of(name))
                    rates |= {} if rate is None else {symbols.base_of(name): rate}
    if rates and len({ast.dump(each) for each in rates.values()}) == 1:
        squares = " + ".join(f"np.sum({name}**2)" for name in sorted(rates))
        rate, two = next(iter(rates.values())), ast.Constant(2)
        match rate:
            case ast.BinOp(left=above, op=ast.Div(), right=below):
                half = ast.BinOp(above, ast.Div(), ast.BinOp(two, ast.Mult(), below))
            case _:
                half = ast.BinOp(rate, ast.Div(), two)
        penalty = ast.BinOp(half, ast.Mult(), ast.parse(squares, mode="eval").body)
        yield value, ast.BinOp(value, ast.Add(), penalty), "l2-missing"


def _without(term: ast.expr, name: str) -> ast.expr | None:
    """What a parameter is multiplied by in a term; None where it is no factor of it."""
    match term:
        case ast.BinOp(left=left, op=ast.Mult(), right=ast.Name(id=own)) if own == name:
            return left
        case ast.BinOp(left=ast.Name(id=own), op=ast.Mult(), right=right) if own == name:
            return right
        case ast.BinOp(left=left, op=ast.Div() | ast.Mult() as op, right=right):
            inner = _without(left, name)
            return None if inner is None else ast.BinOp(inner, op, right)
    return None


def _not_rescaled(value: ast.expr, finding: Finding) -> Changed:
    """``A * D / keep_prob`` for ``A * D`` where the way back divides."""
    match value:
        case ast.BinOp(op=ast.Mult(), right=ast.Name(id=mask)) if MASK.match(mask):
            for node in ast.walk(finding.truths.program.tree):
                match node:
                    case ast.BinOp(left=inner, op=ast.Div(), right=ast.Name() as kept):
                        if mask in {each.id for each in ast.walk(inner) if isinstance(each, ast.Name)}:
                            yield value, ast.BinOp(value, ast.Div(), kept), RESCALED
