"""A tree to numbers: a walk over the nodes of the language and the functions of the white list.

Arrays are float64; comparisons give booleans, as in NumPy. Sizes, steps and loops
are bounded by a ``Budget``. No warning leaves the walk, and no array of the caller is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from parity_tests.derivations.language.budget import Budget
from parity_tests.derivations.language.errors import EvaluationError, UnknownName, close_names, did_you_mean
from parity_tests.derivations.language.functions import (
    COMPARISONS,
    FUNCTION_NAMES,
    FUNCTIONS,
    OPERATORS,
    Value,
    call_problem,
)
from parity_tests.derivations.language.nodes import (
    Assign,
    Binary,
    BinaryOperator,
    Call,
    Compare,
    Expression,
    For,
    Index,
    Name,
    Node,
    Number,
    Program,
    Shape,
    Statement,
    Transpose,
    Unary,
)
from parity_tests.derivations.language.places import fail, place, whole
from parity_tests.derivations.language.shapes import broadcast, product_shape, short

Environment: TypeAlias = Mapping[str, Any]
"""Name to array, number, or function of arrays (``g1``, ``sigmoid_prime``)."""

MAX_LEVELS = 120
_ERRORS = (ValueError, TypeError, IndexError, ArithmeticError, MemoryError)
_ASSIGNED: dict[str, BinaryOperator] = {"+=": "+", "-=": "-", "*=": "*", "/=": "/"}


def evaluate(node: Expression, environment: Environment, *, budget: Budget | None = None) -> Value:
    """The value of a formula: an array, or a NumPy number.

    Raises UnknownName for a name that the environment lacks, and EvaluationError for shapes that do not fit, a
    name used as what it is not, or a budget that is spent. A name alone gives the caller's own array.
    """
    with np.errstate(all="ignore"):
        return _Walk(environment, budget or Budget()).value(node)


def run(node: Program | Statement, environment: Environment, *, budget: Budget | None = None) -> dict[str, Value]:
    """Carry out a derivation, or one statement of it; the names it assigned with their last values.

    Each line sees the environment and the lines before it. Raises as ``evaluate`` does.
    """
    walk = _Walk(environment, budget or Budget())
    with np.errstate(all="ignore"):
        for statement in node.statements if isinstance(node, Program) else (node,):
            walk.statement(statement)
    return walk.assigned


class _Walk:
    def __init__(self, environment: Environment, budget: Budget) -> None:
        self.environment = environment
        self.budget = budget
        self.assigned: dict[str, Value] = {}
        self.counters: dict[str, Value] = {}
        self.level = 0

    # Statements

    def statement(self, node: Statement) -> None:
        self.budget.visit(node)
        if isinstance(node, For):
            self.loop(node)
            return
        value = self.value(node.value)
        if isinstance(node.target, Index):
            self.assign_entry(node, node.target, value)
            return
        if node.operator != "=":
            value = self.combine(node, _ASSIGNED[node.operator], self.value(node.target), value)
        self.assigned[node.target.id] = value

    def assign_entry(self, node: Assign, target: Index, value: Value) -> None:
        if not isinstance(target.base, Name):
            fail(target, f"{short(target)} cannot be assigned: its base is not a name")
        array = self.value(target.base)
        place = self.place(target, array)
        if node.operator != "=":
            value = self.combine(node, _ASSIGNED[node.operator], array[place], value)
        self.budget.compute(node, np.shape(array))
        changed = np.array(array, dtype=np.result_type(array, value))
        try:
            changed[place] = value
        except _ERRORS:
            message = f"{short(target)} has shape {np.shape(array[place])}, but the value {np.shape(value)}"
            raise EvaluationError(message) from None
        self.assigned[target.base.id] = changed

    def loop(self, node: For) -> None:
        start, stop = self.whole(node.start), self.whole(node.stop)
        for count in range(start, stop):
            self.counters[node.variable] = np.float64(count)
            for statement in node.body:
                self.statement(statement)
        self.counters.pop(node.variable, None)  # no line after the loop sees it

    # Formulas

    def value(self, node: Expression) -> Value:
        self.budget.visit(node)
        method = _METHODS.get(type(node))
        if method is None:
            fail(node, f"{type(node).__name__} has no value of its own")
        self.level += 1
        if self.level > MAX_LEVELS:
            fail(node, "the formula is nested too deep")
        found = method(self, node)
        self.level -= 1
        return found

    def number(self, node: Number) -> Value:
        return np.float64(node.value)

    def name(self, node: Name) -> Value:
        for values in (self.counters, self.assigned):  # made by this walk: in loops the most
            if node.id in values:
                return values[node.id]
        found = self.look_up(node.id)
        if found is None:
            raise self.unknown(node, node.id, short(node), {*self.environment, *self.assigned, *self.counters})
        if callable(found):
            fail(node, f"{short(node)} is a function: write {short(node)}(...)")
        return _as_value(node, found)

    def look_up(self, name: str) -> Any:
        for known in (self.counters, self.assigned, self.environment):
            if name in known:
                return known[name]
        return None

    def unknown(self, node: Expression, name: str, written: str, known: set[str]) -> UnknownName:
        near = close_names(name, known)
        message = f"{written} is not known here{did_you_mean(near)}"
        base = name.removesuffix("_prime")
        array = self.look_up(base)
        if base != name and array is not None and not callable(array):
            message = f"{written} is not known here: a prime is a derivative, the transpose of {base} is {base}.T"
        return UnknownName(message)

    def negative(self, node: Unary) -> Value:
        operand = self.value(node.operand)
        self.budget.compute(node, np.shape(operand))
        refuse_booleans(node, operand)
        return np.negative(operand)

    def transpose(self, node: Transpose) -> Value:
        operand = self.value(node.operand)
        if node.axes and len(node.axes) != np.ndim(operand):
            fail(node, f"{short(node)}: {len(node.axes)} axes, but the array has {np.ndim(operand)}")
        return np.transpose(operand, node.axes or None)

    def binary(self, node: Binary) -> Value:
        return self.combine(node, node.operator, self.value(node.left), self.value(node.right))

    def combine(self, node: Binary | Assign, operator: BinaryOperator, left: Value, right: Value) -> Value:
        shapes = (left.shape, right.shape)
        if operator == "@":
            result, inner = product_shape(node, shapes[0], shapes[1])
            self.budget.compute(node, result, inner)
        else:
            self.budget.compute(node, broadcast(node, operator, shapes))
        if operator == "-":
            refuse_booleans(node, left, right)
        return self.guarded(node, OPERATORS[operator], left, right)

    def compare(self, node: Compare) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        shape = broadcast(node, node.operator, (np.shape(left), np.shape(right)))
        self.budget.compute(node, shape)
        return COMPARISONS[node.operator](left, right)

    def index(self, node: Index) -> Value:
        base = self.value(node.base)
        return base[self.place(node, base)]

    def call(self, node: Call) -> Value:
        function = FUNCTIONS.get(node.function)
        if function is None:
            return self.given(node)
        problem = call_problem(node.function, node.arguments, node.axis, node.keepdims)
        if problem is not None:
            fail(node, problem)
        values: list[Any] = [
            self.sizes(argument) if isinstance(argument, Shape) else self.value(argument) for argument in node.arguments
        ]
        keywords: dict[str, Any] = {}
        match function.kind:
            case "elementwise":
                shape = broadcast(node, ",", tuple(np.shape(value) for value in values))
                self.budget.compute(node, shape)
            case "reduction":
                self.budget.compute(node, np.shape(values[0]))
                keywords = {"axis": node.axis, "keepdims": node.keepdims}
                self.check_axis(node, np.ndim(values[0]))
            case "dot":
                shapes = np.shape(values[0]), np.shape(values[1])
                shape, inner = product_shape(node, *shapes) if all(shapes) else (shapes[0] or shapes[1], 1)
                self.budget.compute(node, shape, inner)
            case "outer":
                self.budget.compute(node, (np.size(values[0]), np.size(values[-1])))
            case "creation":
                self.budget.compute(node, values[0])
            case "counting" | "square":
                values = [whole(node.arguments[0], values[0])]
                self.budget.compute(node, (max(0, values[0]),) * (2 if function.kind == "square" else 1))
            case "flip":
                keywords = {"axis": node.axis}
                self.check_axis(node, np.ndim(values[0]))
        return self.guarded(node, function.implementation, *values, **keywords)

    def given(self, node: Call) -> Value:
        """A function that the caller provides, such as ``g1_prime``."""
        written = short(Name(node.function, written=node.written))
        found = self.look_up(node.function)
        if found is None:
            functions = {name for name, each in self.environment.items() if callable(each)}
            raise self.unknown(node, node.function, written, functions | FUNCTION_NAMES)
        if not callable(found):
            fail(node, f"{written} is not a function: to multiply, write * or @; for one entry, x[i]")
        if node.axis is not None or node.keepdims:
            fail(node, f"{written} takes no axis and no keepdims")
        if isinstance(found, np.ufunc) and len(node.arguments) != found.nin:  # one more would be written into
            fail(node, f"{written} takes {found.nin} argument{'s' * (found.nin > 1)}, but got {len(node.arguments)}")
        values = [self.value(argument) for argument in node.arguments]
        return _as_value(node, self.guarded(node, found, *values))

    def guarded(self, node: Node, function: Callable[..., Any], *values: Any, **keywords: Any) -> Any:
        try:
            return function(*values, **keywords)
        except EvaluationError:
            raise
        except _ERRORS as error:
            raise EvaluationError(f"{short(node)}: {error}") from None

    def check_axis(self, node: Call, dimensions: int) -> None:
        axes = (node.axis,) if isinstance(node.axis, int) else node.axis or ()
        for axis in axes:
            if not -dimensions <= axis < dimensions:
                fail(node, f"{short(node)}: there is no axis {axis}, the array has {dimensions} axes")

    # Whole numbers

    def whole(self, node: Expression) -> int:
        return whole(node, self.value(node))

    def sizes(self, node: Shape) -> tuple[int, ...]:
        return tuple(self.whole(each) for each in node.sizes)

    def place(self, node: Index, array: Value) -> tuple[Any, ...]:
        return place(node, array, self.value, self.budget)


_METHODS: dict[type[Expression], Callable[[_Walk, Any], Value]] = {
    Number: _Walk.number,
    Name: _Walk.name,
    Unary: _Walk.negative,
    Binary: _Walk.binary,
    Compare: _Walk.compare,
    Transpose: _Walk.transpose,
    Call: _Walk.call,
    Index: _Walk.index,
}


def refuse_booleans(node: Node, *operands: Value) -> None:
    """NumPy's refusal of a minus before a comparison, or between two."""
    if all(np.asarray(operand).dtype == np.bool_ for operand in operands):
        fail(node, f"{short(node)}: NumPy knows no minus of comparisons: multiply by 1 first")


def _as_value(node: Expression, found: Any) -> Value:
    """What a name or a caller's function gives: float64 (float32 stays), or what a comparison gave."""
    value: Any = found if isinstance(found, (np.ndarray, np.generic)) else np.asarray(found)
    if value.dtype.kind in "iu":
        value = value.astype(np.float64)
    if value.dtype.kind not in "bf":
        fail(node, f"{short(node)} is not an array of numbers")
    return value[()] if value.ndim == 0 else value
