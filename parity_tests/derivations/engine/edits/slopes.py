"""The slopes of a forward pass's units, in the names and with the helpers of the writer.

Which activation turns one value into another is seen from the numbers, however it is written.
"""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine.edits.forward import Forward, Step
from parity_tests.derivations.engine.edits.scope import Scope, is_array, last, mark, same
from parity_tests.derivations.engine.numbers.kinds import is_function

STEP = 1e-6
"""The step of central differences, which only choose among what is tried afterwards."""


class Factor(NamedTuple):
    """A local derivative: what a derivative is multiplied with, or divided by."""

    node: ast.expr
    divides: bool
    is_slope: bool
    of: tuple[str, ...] = ()
    """For the slope of a unit, the names of its input and output."""


class Slopes:
    """The slopes that can be said where a line stands."""

    def __init__(self, forward: Forward, scope: Scope) -> None:
        self.forward, self.scope = forward, scope
        self.computed = {last(step.result.value): step.result.value for step in forward.steps if step.result.shape}

    def all(self) -> Iterator[Factor]:
        """The slopes of every forward value that an activation turns into another one."""
        seen = set()
        for step in self.forward.steps:
            for _, value in step.operands:
                if is_array(value) and value.shape and mark(value) not in seen:
                    seen.add(mark(value))
                    yield from self._at(value)
            yield from self._of_own(step)
            yield from self._behind(step)

    def between(self, value: Any, result: Any) -> ast.expr | None:
        """The slope that leads from one value to another, where that is an activation."""
        name = self.scope.exact(result)
        return next((each.node for each in self._at(value) if not name or name in each.of), None)

    def _at(self, value: Any) -> Iterator[Factor]:
        """The slopes of the activations that are taken of a value; the writer's own helpers first."""
        for result, slope, of_input, of_output in _units(value):
            after, before = self.scope.near(result), self.scope.exact(value)
            computed = self.computed.get(last(result))
            if (
                not np.all(np.isfinite(slope))
                or not np.ptp(slope)
                or not (after or (computed is not None and same(computed, result)))
            ):
                continue
            of = tuple(name for name in (before, after) if name)
            for node in self._helpers(of, slope):
                yield Factor(node, False, True, of)
            for form, name in ((of_output, after), (of_input, before)):
                if form and name:
                    yield Factor(self._written(form.format(name)), False, True, of)

    def _of_own(self, step: Step) -> Iterator[Factor]:
        """The slope of a function of the writer's, where the writer has a function for it."""
        call = step.node
        name = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
        function, values = self.scope.names.get(name), [value for _, value in step.operands if is_array(value)]
        if not callable(function) or len(values) != 1 or not values[0].shape == step.result.shape != ():
            return
        try:
            slope = (function(values[0] + STEP) - function(values[0] - STEP)) / (2 * STEP)
        except Exception:
            return
        of = tuple(filter(None, map(self.scope.exact, (values[0], step.result.value))))
        for node in self._helpers(of, slope, STEP):
            yield Factor(node, False, True, of)

    def _behind(self, step: Step) -> Iterator[Factor]:
        """The slopes that a result alone may have, where its operand was not seen: of ``np.tanh(a[:, :H])``."""
        unseen = isinstance(step.node, ast.Call) and len(step.operands) == 1 and step.operands[0][1] is None
        name = self.scope.exact(step.result.value) if unseen and step.result.shape else ""
        for form in ("1 - {0}**2", "{0} * (1 - {0})") if name else ():
            yield Factor(self._written(form.format(name)), False, True, (name,))

    def _written(self, text: str) -> ast.expr:
        """A formula whose names may be entries and attributes: ``1 - cache['A1']**2``."""
        new: ast.expr = _Flat(self.scope.names).visit(ast.parse(text, mode="eval").body)
        return new

    def _helpers(self, names: tuple[str, ...], slope: Any, tolerance: float = 1e-9) -> Iterator[ast.expr]:
        """Calls of the writer's functions, on one of the names, that give a slope."""
        for call in self._calls():
            for name in names:
                node = call(ast.Name(name, ast.Load()))
                value = self.scope.evaluate(node)
                if np.shape(value) == slope.shape and same(np.asarray(value, float), slope, tolerance):
                    yield node

    def _calls(self) -> Iterator[Callable[[ast.expr], ast.expr]]:
        """How the writer's functions and methods of one argument are called, with and without their flag."""
        for name, value in self.scope.names.items():
            if isinstance(value, type) or not name.isidentifier():
                continue
            holder = ast.Name(name, ast.Load())
            if is_function(value):
                yield from _ways(holder, value, 0)
            elif hasattr(value, "__dict__") and not isinstance(value, np.ndarray | types.ModuleType):
                for method, each in vars(type(value)).items():
                    if callable(each) and not method.startswith("__"):
                        yield from _ways(ast.Attribute(holder, method, ast.Load()), each, 1)


def _units(value: Any) -> Iterator[tuple[Any, Any, str, str]]:
    """The usual activations of a value: the result, its slope, and the slope's form in the input and in the output."""
    with np.errstate(all="ignore"):
        tanh, sigmoid, softplus = np.tanh(value), 1 / (1 + np.exp(-value)), np.log1p(np.exp(value))
        exp, log, root, reciprocal = np.exp(value), np.log(value), np.sqrt(value), 1 / value
        half = 0.5 / root
    yield tanh, 1 - tanh**2, "1 - np.tanh({0})**2", "1 - {0}**2"
    yield sigmoid, sigmoid * (1 - sigmoid), "", "{0} * (1 - {0})"
    yield np.where(value > 0, value, 0.0), (value > 0) * 1.0, "{0} > 0", "{0} > 0"
    for leak in (0.01, 0.1, 0.2, 0.3):
        slope, form = np.where(value > 0, 1.0, leak), f"np.where({{0}} > 0, 1, {leak})"
        yield slope * value, slope, form, form
    yield exp, exp, "np.exp({0})", "{0}"
    yield log, reciprocal, "1 / {0}", ""
    yield root, half, "", "1 / (2 * {0})"
    yield np.abs(value), np.sign(value), "np.sign({0})", ""
    yield softplus, sigmoid, "1 / (1 + np.exp(-{0}))", ""


class _Flat(ast.NodeTransformer):
    """Entries and attributes that are names of the line."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = names

    def visit(self, node: ast.AST) -> Any:
        """A node, or the name that it is."""
        if isinstance(node, ast.Subscript | ast.Attribute) and ast.unparse(node) in self.names:
            return ast.Name(ast.unparse(node), ast.Load())
        return self.generic_visit(node)


def _ways(function: ast.expr, called: Any, bound: int) -> Iterator[Callable[[ast.expr], ast.expr]]:
    """How a function of one argument is called: as it is, and with its flag turned over."""
    code, defaults = getattr(called, "__code__", None), getattr(called, "__defaults__", None) or ()
    takes_any = code is not None and bool(code.co_flags & inspect.CO_VARARGS)  # a function that a text defines
    if code is None or (code.co_argcount - bound - len(defaults) != 1 and not takes_any):
        return
    if not defaults:
        yield lambda argument: ast.Call(function, [argument], [])
    elif len(defaults) == 1 and isinstance(defaults[0], bool):
        flag = ast.keyword(code.co_varnames[code.co_argcount - 1], ast.Constant(not defaults[0]))
        yield lambda argument: ast.Call(function, [argument], [flag])
