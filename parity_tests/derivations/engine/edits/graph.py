"""What the forward pass says of its derivatives, in the names that a wrong line may use.

For every forward step v -> u the local derivative is a factor that a line may lack, and for every value that is used
several times each use gives a term: ``1 - A1**2``, ``/ np.sqrt(d_k)``, ``dZ @ W.T``, ``dmu / N``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.edits.forward import Forward, Step
from parity_tests.derivations.engine.edits.scope import Scope, is_array, mark
from parity_tests.derivations.engine.edits.slopes import Factor, Slopes
from parity_tests.derivations.engine.edits.trees import negated, replaced, turned, word
from parity_tests.derivations.engine.edits.words import Vocabulary
from parity_tests.derivations.engine.events import Event
from parity_tests.derivations.engine.numbers.kinds import is_number
from parity_tests.derivations.engine.truths import Truths

DEPTH = 3
"""How many steps without a derivative of their own a term may go through."""

VARIES = 0.1
"""What an array of mean 0 has to exceed somewhere to be taken for a normalised one."""

MOSTLY = 0.5
"""The part of a softmax's entries that is above 0 at least: a mask may take others away."""

MOST_TERMS, MOST_FACTORS, MOST_APPLIED, MOST_NUMBERS = 24, 60, 3, 6


def vocabulary(truths: Truths, forward: Forward, scope: Scope, value: Any, factor: float) -> Vocabulary:
    """What the forward pass offers to a line that should be ``factor`` times dJ in a ``value``."""
    graph = _Graph(truths, forward, scope, factor)
    factors = [*graph.slopes.all(), *graph.factors()]
    return Vocabulary(
        tuple(_distinct(factors, lambda each: ("/" if each.divides else "*") + ast.unparse(each.node)))[:MOST_FACTORS],
        tuple(_distinct(graph.terms(value, DEPTH), ast.unparse))[:MOST_TERMS],
        graph.applied(),
        graph.beside(),
        tuple(_distinct(list(graph.functions()), ast.unparse)),
        *_along_axes(scope),
        _numbers(truths.program.tree),
        tuple(dict.fromkeys(graph.scaled())),
        tuple(_distinct(list(_picked(truths.program.tree, scope)), ast.unparse)),
        _unread(truths.program.tree),
        tuple(dict.fromkeys(_orders(truths.program.tree))),
        tuple(_distinct(list(_but_biases(truths.program.tree)), ast.unparse)),
    )


def _unread(tree: ast.AST) -> frozenset[str]:
    """The names that functions, or the statements outside of them, bind and never read."""
    found: set[str] = set()
    for scope in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]:
        names = [each for each in ast.walk(scope) if isinstance(each, ast.Name)]
        bound = {each.id for each in names if isinstance(each.ctx, ast.Store)}
        if isinstance(scope, ast.FunctionDef):
            bound |= {each.arg for each in scope.args.args}
        found |= bound - {each.id for each in names if isinstance(each.ctx, ast.Load)}
    return frozenset(found)


def _orders(tree: ast.AST) -> Iterator[tuple[int, ...]]:
    """The orders of axes to which arrays are transposed, each with the one that undoes it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and word(node) == "transpose":
            axes = (each.value for each in node.args if isinstance(each, ast.Constant))
            order = tuple(each for each in axes if isinstance(each, int))
            if len(order) == len(node.args) > 2 and sorted(order) == list(range(len(order))):
                yield order
                yield tuple(map(int, np.argsort(order)))


def _but_biases(tree: ast.AST) -> Iterator[ast.expr]:
    """The indices that leave the first entries along one axis out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and re.fullmatch(r"\(?(1:|1:, :|:, 1:)\)?", ast.unparse(node.slice)):
            yield node.slice


def _numbers(tree: ast.AST) -> tuple[float, ...]:
    """The numbers that the program writes, but 0.5 and whole ones."""
    found = (each.value for each in ast.walk(tree) if isinstance(each, ast.Constant))
    return tuple({each: 0 for each in found if isinstance(each, float) and each % 0.5})[:MOST_NUMBERS]


def _picked(tree: ast.AST, scope: Scope) -> Iterator[ast.expr]:
    """The indices of the true classes, those that read labels, in the names of a line."""
    labels = [name for name, value in scope.names.items() if _are_classes(value) and _is_of_labels(name)]
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(ctx=ast.Load(), slice=ast.Tuple(elts=parts)):
                read = [ast.unparse(each) for each in parts if isinstance(each, ast.Name | ast.Attribute)]
                for own in filter(_is_of_labels, read):
                    yield node.slice
                    yield from (_called(node.slice, own, name) for name in labels)


def _called(node: ast.expr, own: str, name: str) -> ast.expr:
    """A formula with another name in place of one, wherever that stands."""
    for each in [each for each in ast.walk(node) if isinstance(each, ast.expr) and ast.unparse(each) == own]:
        node = replaced(node, each, ast.Name(name, ast.Load()))
    return node


def _is_of_labels(name: str) -> bool:
    return symbols.is_label(symbols.base_of(name))


def _are_classes(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 1 and not np.any(value % 1)


def _distinct(found: list[Any], text: Callable[[Any], str]) -> list[Any]:
    first: dict[str, Any] = {}
    for each in found:
        first.setdefault(text(each), each)
    return list(first.values())


class _Graph:
    """The forward steps of one run, said in the names of a line."""

    def __init__(self, truths: Truths, forward: Forward, scope: Scope, factor: float) -> None:
        self.truths, self.forward, self.scope, self.factor = truths, forward, scope, factor
        self.slopes = Slopes(self.forward, scope)

    def said(self, node: ast.expr, value: Any, depth: int = 3) -> ast.expr | None:
        """A formula of the forward pass in the names of the line; None where they do not say it."""
        if is_array(value) and (name := self.scope.exact(value)):
            return ast.Name(name, ast.Load())
        if isinstance(node, ast.Constant):
            return node
        text = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
        if isinstance(node, ast.Name) or text in self.scope.names:
            here: Any = self.scope.names.get(text)
            known = is_number(here) and np.shape(here) == np.shape(value)
            return ast.Name(text, ast.Load()) if known and np.array_equal(here, np.asarray(value)) else None
        step = self.forward.by_node.get(getattr(node, "number", -1))
        if depth == 0:
            return None
        match node:
            case ast.UnaryOp(op=operator, operand=operand):
                inner = self.said(operand, None if step is None else step.operands[0][1], depth - 1)
                return None if inner is None else ast.UnaryOp(operator, inner)
            case ast.BinOp(op=operator) if step is not None:
                left, right = (self.said(*each, depth - 1) for each in step.operands)
                return None if left is None or right is None else ast.BinOp(left, operator, right)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"))) if step is not None and not node.keywords:
                parts = [self.said(*each, depth - 1) for each in step.operands]
                known_parts = [each for each in parts if each is not None]
                return ast.Call(node.func, known_parts, []) if len(known_parts) == len(parts) else None
            case ast.Attribute(attr="T", value=inner_node):
                whole = self.said(inner_node, value.T if is_array(value) else None, depth - 1)
                return None if whole is None else turned(whole)
        return None

    def derivative(self, event: Event) -> ast.expr | None:
        """The name of the derivative in a value, with its sign; None where the line has none."""
        truth = self.truths.by_key.get(event.key)
        if truth is None:
            return None
        for sign in (1.0, -1.0):
            name = self.scope.near(sign * self.factor * truth.gradient)
            if name:
                node = ast.Name(name, ast.Load())
                return node if sign > 0 else ast.UnaryOp(ast.USub(), node)
        return None

    # ---- terms
    def terms(self, value: Any, depth: int) -> list[ast.expr]:
        """What each use of a value adds to its derivative."""
        found: list[ast.expr] = []
        if not is_array(value) or depth == 0:
            return found
        for transposed in (False, True) if value.ndim == 2 else (False,):
            here = value.T if transposed else value
            for step, place in self.forward.uses(here):
                node = step.operands[place][0]
                if transposed and not (isinstance(node, ast.Attribute) and node.attr == "T"):
                    continue
                whole = self.derivative(step.result)
                ends = [whole] if whole is not None else self.terms(step.result.value, depth - 1)
                terms = (self._term(step, place, here, end) for end in ends)
                found += [turned(term) if transposed else term for term in terms if term is not None]
        return found

    def _term(self, step: Step, place: int, value: Any, end: ast.expr) -> ast.expr | None:
        """The share of one use, from the derivative in what it is used for."""
        node, others = step.node, [each for number, each in enumerate(step.operands) if number != place]
        other = self.said(*others[0]) if len(others) == 1 else None
        shapes = np.shape(value), step.result.shape
        called = word(node)
        if called in ("dot", "matmul") or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)):
            if other is None or np.ndim(value) != 2 or np.ndim(others[0][1]) != 2:
                return None
            sides = (end, turned(other)) if place == 0 else (turned(other), end)
            return ast.BinOp(sides[0], ast.MatMult(), sides[1])
        match node:
            case ast.UnaryOp(op=ast.USub()):
                return negated(end)
            case ast.BinOp(op=ast.Add()):
                return _summed(end, *shapes)
            case ast.BinOp(op=ast.Sub()):
                return _summed(end if place == 0 else negated(end), *shapes)
            case ast.BinOp(op=ast.Mult()) if other is not None:
                return _summed(ast.BinOp(end, ast.Mult(), other), *shapes)
            case ast.BinOp(op=ast.Div()) if other is not None and place == 0:
                return _summed(ast.BinOp(end, ast.Div(), other), *shapes)
            case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=2)):
                return self._squared(step, end)
            case ast.Call() if called == "square":
                return self._squared(step, end)
            case ast.Call() if called in ("sum", "mean") and np.ndim(step.result.value):
                return end if called == "sum" else self._averaged(end, *shapes)
            case ast.Call():
                slope = self.slopes.between(value, step.result.value)
                return None if slope is None else ast.BinOp(end, ast.Mult(), slope)
        return None

    def _squared(self, step: Step, end: ast.expr) -> ast.expr | None:
        own = self.said(*step.operands[0])
        twice = None if own is None else ast.BinOp(ast.Constant(2), ast.Mult(), own)
        return None if twice is None else ast.BinOp(twice, ast.Mult(), end)

    def _averaged(self, end: ast.expr, before: tuple[int, ...], after: tuple[int, ...]) -> ast.expr | None:
        """The share of an average: by the number of its terms, as the line has it."""
        count = int(np.prod(before)) // max(1, int(np.prod(after)))
        names = self.scope.names.items()
        counts = [name for name, value in names if isinstance(value, int | np.integer) and value == count]
        arrays = self.scope.arrays.items()
        counts = counts or [f"{name}.shape[{each.shape.index(count)}]" for name, each in arrays if count in each.shape]
        counts = [each for each in counts if each.partition(".")[0].isidentifier()]
        if not counts:
            return None
        return ast.BinOp(end, ast.Div(), ast.parse(min(counts, key=len), mode="eval").body)

    # ---- what else is said
    def factors(self) -> Iterator[Factor]:
        """What the forward pass multiplies by and divides by, of arrays and of numbers; the counts of its averages."""
        for step in self.forward.steps:
            if word(step.node) in ("mean", "average") and (count := self._count(step)) is not None:
                yield Factor(count, divides=True, is_slope=False)
            divides = word(step.node) == "divide" or isinstance(getattr(step.node, "op", None), ast.Div)
            multiplies = word(step.node) == "multiply" or isinstance(getattr(step.node, "op", None), ast.Mult)
            for place, (node, value) in enumerate(step.operands if multiplies or divides else ()):
                said = None if isinstance(node, ast.Constant) or (divides and place == 0) else self.said(node, value)
                if said is not None:
                    other = step.operands[1 - place][1] if len(step.operands) == 2 else None
                    yield Factor(said, divides, multiplies and _keeps_positive(value, other))

    def _count(self, step: Step) -> ast.expr | None:
        """How many numbers an average over all axes or several is taken of: ``S.size``, ``F.shape[2] * F.shape[3]``."""
        shape, after = np.shape(step.operands[0][1]), step.result.shape
        axes = [axis for axis, size in enumerate(shape) if axis >= len(after) or after[axis] != size]
        names = [name for name, each in self.scope.arrays.items() if each.shape == shape and name.isidentifier()]
        if not names or not axes or (after and shape[: len(after)] != after and len(shape) != len(after)):
            return None
        name = min(names, key=len)
        sizes = [f"{name}.size"] if len(axes) == len(shape) else [f"{name}.shape[{axis}]" for axis in axes]
        return ast.parse(" * ".join(sizes), mode="eval").body

    def scaled(self) -> Iterator[tuple[str, int]]:
        """The arrays that are others times, or by, one number for each of their rows or columns, with the axis."""
        for step in self.forward.steps:
            by = word(step.node) in ("multiply", "divide") or isinstance(
                getattr(step.node, "op", None), ast.Mult | ast.Div
            )
            shapes = [np.shape(value) for _, value in step.operands] if by else []
            whole = np.shape(step.result.value)
            for axis in range(len(whole)) if len(shapes) == 2 and whole in shapes else ():
                name = self.scope.exact(step.result.value) if (*whole[:axis], 1, *whole[axis + 1 :]) in shapes else ""
                if name:
                    yield name, axis

    def applied(self) -> dict[str, tuple[ast.expr, ...]]:
        """The functions of one argument that the forward pass applies to values that have a name."""
        found: dict[str, dict[str, ast.expr]] = {}
        for step in self.forward.by_node.values():
            if isinstance(step.node, ast.Call) and len(step.operands) == len(step.node.args) == 1:
                said = None if step.node.keywords else self.said(*step.operands[0])
                if isinstance(said, ast.Name):
                    call = ast.Call(step.node.func, [said], [])
                    found.setdefault(said.id, {}).setdefault(ast.unparse(call), call)
        return {name: tuple(calls.values())[:MOST_APPLIED] for name, calls in found.items()}

    def functions(self) -> Iterator[ast.expr]:
        """The functions of NumPy of one argument that keep a shape."""
        for step in self.forward.by_node.values():
            call = step.node
            if isinstance(call, ast.Call) and len(step.operands) == len(call.args) == 1 and not call.keywords:
                same_shape = np.shape(step.operands[0][1]) == step.result.shape != ()
                if same_shape and ast.unparse(call.func).startswith("np."):
                    yield call.func

    def beside(self) -> dict[str, frozenset[str]]:
        """The neighbours of each name in the graph of the whole run."""
        found: dict[str, set[str]] = {}
        sources: dict[Any, set[str]] = {}
        for step in self.forward.by_node.values():
            own: set[str] = set()
            for _, value in step.operands:
                if is_array(value):
                    name = self.scope.exact(value)
                    own |= {name} if name else sources.get(mark(value), set())
            if is_array(step.result.value):
                sources.setdefault(mark(step.result.value), own)
                name = self.scope.exact(step.result.value)
                for other in own if name else ():
                    found.setdefault(name, set()).add(other)
                    found.setdefault(other, set()).add(name)
        return {name: frozenset(others) for name, others in found.items()}


def _along_axes(scope: Scope) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]:
    """The arrays that add up to 1 along an axis, and those whose mean is 0."""
    shares, normalised = [], []
    for name, value in scope.arrays.items():
        for axis in (0, 1) if value.ndim == 2 else (-1,) if value.ndim > 2 else ():
            if value.shape[axis] == 1:
                continue
            total = np.sum(value, axis)
            if np.all(value >= 0) and np.mean(value > 0) > MOSTLY and np.allclose(total, 1.0, 1e-9):
                shares.append((name, axis))
            elif np.allclose(total, 0.0, 0.0, 1e-9) and np.max(np.abs(value)) > VARIES:
                normalised.append((name, axis))
    return tuple(shares), tuple(normalised)


def _keeps_positive(mask: Any, value: Any) -> bool:
    """Whether an array is 1 where another is positive, and 0 elsewhere: the slope of a ReLU, and no mask of dropout."""
    return np.shape(mask) == np.shape(value) != () and np.array_equal(mask, np.asarray(value) > 0)


def _summed(term: ast.expr, before: tuple[int, ...], after: tuple[int, ...]) -> ast.expr | None:
    """A term summed over the axis along which its value was spread."""
    if before == after:
        return term
    if len(before) == len(after):
        axes = [axis for axis, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
        keep = [ast.keyword("keepdims", ast.Constant(True))]
    else:
        axes, keep = list(range(len(after) - len(before))), []
        if after[len(axes) :] != before:
            return None
    if len(axes) != 1:
        return None
    function = ast.Attribute(ast.Name("np", ast.Load()), "sum", ast.Load())
    return ast.Call(function, [term], [ast.keyword("axis", ast.Constant(axes[0])), *keep])
