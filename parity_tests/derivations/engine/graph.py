"""What the forward pass says of its derivatives, in the names that a wrong line may use.

For every forward step v -> u the local derivative is a factor that a line may lack, and for every value that is used
several times each use gives a term: ``1 - A1**2``, ``/ np.sqrt(d)``, ``dZ @ W.T``, ``dmu / N``.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.events import NAMED, RETURNED, Event
from parity_tests.derivations.engine.truths import Truths

DEPTH = 3
"""How many steps without a derivative of their own a term may go through."""

STEP = 1e-6
"""The step of central differences, which only choose among what is tried afterwards."""

ZERO_MEAN = 0.1
"""What an array of mean 0 has to exceed somewhere to be taken for a normalised one."""

MOST_TERMS = 24
MOST_FACTORS = 60

Evaluate = Callable[[ast.expr], Any]


class Factor(NamedTuple):
    """A local derivative: what a derivative is multiplied with, or divided by."""

    node: ast.expr
    divides: bool
    is_slope: bool
    of: tuple[str, ...] = ()
    """For the slope of a unit, the names of its input and output."""


class Vocabulary(NamedTuple):
    """What a wrong line may lack, the likeliest first; ``applied`` are the functions that the text applies to names."""

    factors: tuple[Factor, ...] = ()
    terms: tuple[ast.expr, ...] = ()
    applied: Mapping[str, tuple[ast.expr, ...]] = {}
    beside: Mapping[str, frozenset[str]] = {}
    """The names that a name is computed from, or that are computed from it."""

    shares: tuple[tuple[str, int], ...] = ()
    """Arrays that add up to 1 along an axis: a softmax."""

    normalised: tuple[tuple[str, int], ...] = ()
    """Arrays with mean 0 along an axis: a normalisation."""


class _Step(NamedTuple):
    """A formula of the forward pass with its operands' values, and what it came to."""

    node: ast.expr
    operands: tuple[tuple[ast.expr, Any], ...]
    result: Event


def vocabulary(
    truths: Truths, names: Mapping[str, Any], evaluate: Evaluate, target: str, root: Event, factor: float
) -> Vocabulary:
    """What the forward pass offers to a line that should be ``factor`` times dJ in the value of ``root``."""
    graph = _Graph(truths, names, evaluate, target, factor)
    found = [*graph.slopes(), *graph.factors()]
    return Vocabulary(
        tuple(_distinct(found, lambda each: ("/" if each.divides else "*") + ast.unparse(each.node)))[:MOST_FACTORS],
        tuple(_distinct(graph.terms(root.value, DEPTH), ast.unparse))[:MOST_TERMS],
        graph.applied(),
        graph.beside(),
        *graph.along_axes(),
    )


def _distinct(found: list[Any], mark: Callable[[Any], str]) -> list[Any]:
    return list({mark(each): each for each in reversed(found)}.values())[::-1]


class _Graph:
    """The forward steps of one run, and the names in which they can be said where a line stands."""

    def __init__(
        self, truths: Truths, names: Mapping[str, Any], evaluate: Evaluate, target: str, factor: float
    ) -> None:
        self.truths, self.names, self.evaluate, self.factor = truths, names, evaluate, factor
        self.arrays = {name: value for name, value in names.items() if _is_array(value) and name != target}
        self.by_value: dict[Any, str] = {}
        for name, value in sorted(self.arrays.items(), key=lambda each: (len(each[0]), each[0])):
            self.by_value.setdefault(_mark(value), name)
        self.by_first: dict[Any, str] = {}
        """The names by the shape and the first entry of what they hold, for values that are equal to rounding."""
        for name in reversed(self.by_value.values()):
            self.by_first[_first(self.arrays[name])] = name
        self.by_node: dict[int, _Step] = {}
        self.steps: list[_Step] = []
        self._collect()
        self.computed = {_first(step.result.value): step.result.value for step in self.steps if step.result.shape}
        self.derivatives: dict[Any, ast.expr | None] = {}

    # ---- the steps
    def _collect(self) -> None:
        values: dict[str, Any] = {}
        parts: dict[int, Any] = {}
        for event in self.truths.run.events:
            node = _formula(event)
            if node is not None and not event.missing:
                operands = tuple((each, _value(each, values, parts)) for each in _operands(node))
                step = _Step(node, operands, event)
                self.by_node[node.number] = step  # type: ignore[attr-defined]
                parts[node.number] = event.value  # type: ignore[attr-defined]
                if event.key in self.truths.by_key:
                    self.steps.append(step)
            if event.name and not event.missing:
                values[symbols.written(event.name)] = event.value

    def _uses(self, value: Any) -> Iterator[tuple[_Step, int]]:
        """The steps that read a value, each with the place of its operand."""
        mark = _mark(value)
        for step in self.steps:
            for place, (_, operand) in enumerate(step.operands):
                if _is_array(operand) and operand.shape == value.shape and _mark(operand) == mark:
                    yield step, place

    # ---- in the names of the line
    def said(self, node: ast.expr, value: Any, depth: int = 3) -> ast.expr | None:
        """A formula of the forward pass in the names of the line; None where they do not say it."""
        if _is_array(value) and _mark(value) in self.by_value:
            return ast.Name(self.by_value[_mark(value)], ast.Load())
        if isinstance(node, ast.Constant):
            return node
        if isinstance(node, ast.Name):
            here: Any = self.names.get(node.id)
            same = here is not None and not callable(here) and np.shape(here) == np.shape(value)
            return ast.Name(node.id, ast.Load()) if same and np.array_equal(here, np.asarray(value)) else None
        step = self.by_node.get(getattr(node, "number", -1))
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
                said = [self.said(*each, depth - 1) for each in step.operands]
                return None if any(each is None for each in said) else ast.Call(node.func, said, [])  # type: ignore[arg-type]
            case ast.Attribute(attr="T", value=inner):
                turned = self.said(inner, value.T if _is_array(value) else None, depth - 1)
                return None if turned is None else ast.Attribute(turned, "T", ast.Load())
        return None

    def derivative(self, event: Event) -> ast.expr | None:
        """The name of the derivative in a value; None where the line has none."""
        truth = self.truths.by_key.get(event.key)
        if truth is None:
            return None
        key = event.key
        if key not in self.derivatives:
            name = self._name_of(self.factor * truth.gradient)
            self.derivatives[key] = ast.Name(name, ast.Load()) if name else None
        return self.derivatives[key]

    def _name_of(self, wanted: Any) -> str:
        """The name of an array that is this one to rounding, "" for none."""
        name = self.by_first.get(_first(wanted), "") if np.size(wanted) else ""
        return name if name and _same(self.arrays[name], wanted) else ""

    # ---- terms
    def terms(self, value: Any, depth: int) -> list[ast.expr]:
        """What each use of a value adds to its derivative."""
        found: list[ast.expr] = []
        if not _is_array(value) or depth == 0:
            return found
        for turned in (False, True) if value.ndim == 2 else (False,):
            here = value.T if turned else value
            for step, place in self._uses(here):
                if turned and not _is_turned(step.operands[place][0]):
                    continue
                whole = self.derivative(step.result)
                ends = [whole] if whole is not None else self.terms(step.result.value, depth - 1)
                terms = (self._term(step, place, here, end) for end in ends)
                found += [_turned(term) if turned else term for term in terms if term is not None]
        return found

    def _term(self, step: _Step, place: int, value: Any, end: ast.expr) -> ast.expr | None:
        """The share of one use, from the derivative in what it is used for."""
        node, others = step.node, [each for number, each in enumerate(step.operands) if number != place]
        other = self.said(*others[0]) if len(others) == 1 else None
        shapes = np.shape(value), step.result.shape
        product = _product_of(node)
        if product is not None:
            if other is None or np.ndim(value) != 2 or np.ndim(others[0][1]) != 2:
                return None
            left = place == 0
            return (
                ast.BinOp(end, ast.MatMult(), _turned(other)) if left else ast.BinOp(_turned(other), ast.MatMult(), end)
            )
        match node:
            case ast.UnaryOp(op=ast.USub()):
                return ast.UnaryOp(ast.USub(), end)
            case ast.BinOp(op=ast.Add()):
                return _summed(end, *shapes)
            case ast.BinOp(op=ast.Sub()):
                return _summed(end if place == 0 else ast.UnaryOp(ast.USub(), end), *shapes)
            case ast.BinOp(op=ast.Mult()) if other is not None:
                return _summed(ast.BinOp(end, ast.Mult(), other), *shapes)
            case ast.BinOp(op=ast.Div()) if other is not None and place == 0:
                return _summed(ast.BinOp(end, ast.Div(), other), *shapes)
            case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=2)):
                return self._squared(step, end)
            case ast.Call():
                word = _word(node)
                if word in ("sum", "mean") and _is_array(value) and np.ndim(step.result.value):
                    return end if word == "sum" else self._averaged(end, *shapes)
                if word in ("square",):
                    own = self.said(*step.operands[0])
                    return (
                        None if own is None else ast.BinOp(ast.BinOp(ast.Constant(2), ast.Mult(), own), ast.Mult(), end)
                    )
                slope = self.slope_of(value, step.result.value)
                return None if slope is None else ast.BinOp(end, ast.Mult(), slope)
        return None

    def _squared(self, step: _Step, end: ast.expr) -> ast.expr | None:
        own = self.said(*step.operands[0])
        twice = None if own is None else ast.BinOp(ast.Constant(2), ast.Mult(), own)
        return None if twice is None else ast.BinOp(twice, ast.Mult(), end)

    def _averaged(self, end: ast.expr, before: tuple[int, ...], after: tuple[int, ...]) -> ast.expr | None:
        """The share of an average: by the number of its terms, as the line has it."""
        count = int(np.prod(before)) // max(1, int(np.prod(after)))
        names = [name for name, value in self.names.items() if isinstance(value, int | np.integer) and value == count]
        if names:
            return ast.BinOp(end, ast.Div(), ast.Name(min(names, key=len), ast.Load()))
        shaped = ((name, value.shape.index(count)) for name, value in self.arrays.items() if count in value.shape)
        name, axis = min(shaped, key=lambda each: (len(each[0]), each), default=("", 0))
        return (
            ast.BinOp(end, ast.Div(), ast.parse(f"{name}.shape[{axis}]", mode="eval").body)
            if name.isidentifier()
            else None
        )

    # ---- factors
    def slopes(self) -> list[Factor]:
        """The slopes of all units: of every forward value that an activation turns into another one."""
        found: list[Factor] = []
        seen = set()
        for step in self.steps:
            for _, value in step.operands:
                if _is_array(value) and np.ndim(value) and _mark(value) not in seen:
                    seen.add(_mark(value))
                    found += self._slopes_at(value)
            found += self._slopes_of_own(step)
            found += self._slopes_behind(step)
        return found

    def _slopes_behind(self, step: _Step) -> list[Factor]:
        """The slopes that a result alone may have, where its operand was not seen: of ``np.tanh(a[:, :H])``."""
        unseen = isinstance(step.node, ast.Call) and len(step.operands) == 1 and step.operands[0][1] is None
        name = self.by_value.get(_mark(step.result.value)) if unseen and step.result.shape else None
        forms = ("1 - {A}**2", "{A} * (1 - {A})") if name else ()
        return [Factor(_formula_of(form.format(A=name), self.names), False, True, (str(name),)) for form in forms]

    def _slopes_of_own(self, step: _Step) -> list[Factor]:
        """The slopes of the writer's own function of one array, where the writer has a function for them."""
        function = self.names.get(step.node.func.id) if isinstance(getattr(step.node, "func", None), ast.Name) else None  # type: ignore[attr-defined]
        values = [value for _, value in step.operands if _is_array(value)]
        if not callable(function) or len(values) != 1 or values[0].shape != step.result.shape or not values[0].shape:
            return []
        try:
            slope = (function(values[0] + STEP) - function(values[0] - STEP)) / (2 * STEP)
        except Exception:
            return []
        of = tuple(name for name in map(self.by_value.get, map(_mark, (values[0], step.result.value))) if name)
        return [Factor(each, False, True, of) for each in self._helpers(of, slope, 1e-6)]

    def slope_of(self, value: Any, result: Any) -> ast.expr | None:
        """The slope that leads from one value to another, where that is an activation."""
        for each in self._slopes_at(value):
            if self.by_value.get(_mark(result)) in (None, *each.of):
                return each.node
        return None

    def _slopes_at(self, value: Any) -> list[Factor]:
        """The slopes of the activations that are taken of a value, in the line's names; helpers of the writer first."""
        found: list[Factor] = []
        for result, slope, forms in _units(value):
            computed = self.computed.get(_first(result))
            place, before = self._name_of(result), self.by_value.get(_mark(value), "")
            if not place and (computed is None or not _same(computed, result)):
                continue
            of = tuple(name for name in (before, place) if name)
            if not np.ptp(slope):
                continue  # it would change nothing
            written = [form.format(A=place) for form in forms[1] if place]
            written += [form.format(Z=before) for form in forms[0] if before]
            found += [Factor(each, False, True, of) for each in self._helpers(of, slope)]
            found += [Factor(_formula_of(each, self.names), False, True, of) for each in written]
        return found

    def _helpers(self, names: tuple[str, ...], slope: Any, tolerance: float = 1e-9) -> Iterator[ast.expr]:
        """Calls of the writer's functions, on one of the names, that give a slope."""
        for call in self._calls():
            for name in names:
                node = call(ast.Name(name, ast.Load()))
                value = self.evaluate(node)
                if (
                    value is not None
                    and np.shape(value) == slope.shape
                    and _same(np.asarray(value, float), slope, tolerance)
                ):
                    yield node

    def _calls(self) -> Iterator[Callable[[ast.expr], ast.expr]]:
        """How the writer's functions and methods of one argument are called, with and without their flag."""
        for name, function in self.names.items():
            if isinstance(function, type) or not name.isidentifier():
                continue
            if callable(function):
                yield from _ways(ast.Name(name, ast.Load()), function, 0)
            elif (
                not _is_array(function)
                and not isinstance(function, int | float | str | dict | list | tuple | np.generic)
                and hasattr(function, "__dict__")
            ):
                for method, each in vars(type(function)).items():
                    if not method.startswith("__") and callable(each):
                        yield from _ways(ast.Attribute(ast.Name(name, ast.Load()), method, ast.Load()), each, 1)

    def factors(self) -> list[Factor]:
        """What the forward pass multiplies by and divides by, of arrays and of numbers."""
        found = []
        for step in self.steps:
            match step.node:
                case (
                    ast.BinOp(op=ast.Mult() | ast.Div()) | ast.Call(func=ast.Attribute(attr="multiply" | "divide"))
                ) if len(step.operands) == 2:
                    divides = _word(step.node) == "divide" or isinstance(getattr(step.node, "op", None), ast.Div)
                    for place, (node, value) in enumerate(step.operands):
                        if isinstance(node, ast.Constant) or (divides and place == 0):
                            continue
                        said = self.said(node, value)
                        if said is not None:
                            found.append(Factor(said, divides, False))
        return found

    def applied(self) -> dict[str, tuple[ast.expr, ...]]:
        """The functions of one argument that the forward pass applies to values that have a name."""
        found: dict[str, dict[str, ast.expr]] = {}
        for step in self.by_node.values():
            if (
                isinstance(step.node, ast.Call)
                and len(step.operands) == 1
                and not step.node.keywords
                and len(step.node.args) == 1
            ):
                said = self.said(*step.operands[0])
                if isinstance(said, ast.Name):
                    call = ast.Call(step.node.func, [said], [])
                    found.setdefault(said.id, {}).setdefault(ast.unparse(call), call)
        return {name: tuple(calls.values())[:3] for name, calls in found.items()}

    def along_axes(self) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]:
        """The arrays that add up to 1 along an axis, and those whose mean is 0."""
        shares, normalised = [], []
        for name, value in self.arrays.items():
            for axis in range(value.ndim) if value.ndim == 2 and min(value.shape) > 1 else ():
                total = np.sum(value, axis)
                if np.all(value > 0) and np.allclose(total, 1.0, 1e-9):
                    shares.append((name, axis))
                elif np.allclose(total, 0.0, 0.0, 1e-9) and np.max(np.abs(value)) > ZERO_MEAN:
                    normalised.append((name, axis))
        return tuple(shares), tuple(normalised)

    def beside(self) -> dict[str, frozenset[str]]:
        """The neighbours of each name in the forward pass."""
        found: dict[str, set[str]] = {}
        sources: dict[Any, set[str]] = {}
        for step in self.by_node.values():
            own: set[str] = set()
            for _, value in step.operands:
                if _is_array(value):
                    name = self.by_value.get(_mark(value))
                    own |= {name} if name else sources.get(_mark(value), set())
            name = self.by_value.get(_mark(step.result.value)) if _is_array(step.result.value) else None
            if _is_array(step.result.value):
                sources.setdefault(_mark(step.result.value), own)
            for other in own if name else ():
                found.setdefault(str(name), set()).add(other)
                found.setdefault(other, set()).add(str(name))
        return {name: frozenset(others) for name, others in found.items()}


# ---- activations, by what they do to numbers
def _units(value: Any) -> Iterator[tuple[Any, Any, tuple[tuple[str, ...], tuple[str, ...]]]]:
    """The usual activations of a value: the result, its slope, and the slope's forms in Z and in A."""
    with np.errstate(all="ignore"):
        tanh, sigmoid, positive = np.tanh(value), 1 / (1 + np.exp(-value)), value > 0
        softplus = np.log1p(np.exp(value))
    yield tanh, 1 - tanh**2, (("1 - np.tanh({Z})**2",), ("1 - {A}**2",))
    yield sigmoid, sigmoid * (1 - sigmoid), ((), ("{A} * (1 - {A})",))
    yield np.where(positive, value, 0.0), positive * 1.0, (("{Z} > 0",), ("{A} > 0",))
    for leak in (0.01, 0.1, 0.2, 0.3):
        slope = np.where(positive, 1.0, leak)
        yield slope * value, slope, ((f"np.where({{Z}} > 0, 1, {leak})",), (f"np.where({{A}} > 0, 1, {leak})",))
    yield softplus, sigmoid, (("1 / (1 + np.exp(-{Z}))",), ())


def _formula_of(text: str, names: Mapping[str, Any]) -> ast.expr:
    """A formula whose names may be entries and attributes: ``1 - cache['A1']**2``."""
    node = ast.parse(text, mode="eval").body
    new: ast.expr = _Flat(names).visit(node)
    return new


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


# ---- trees and values
def _formula(event: Event) -> ast.expr | None:
    """The formula that a value comes from: a part, or the whole right side of an assignment."""
    node = event.node
    if event.role == NAMED and isinstance(event.statement, ast.Assign) and isinstance(node, ast.Name | ast.Attribute):
        node = (
            event.statement.value if len(event.statement.targets) == 1 and event.statement.targets[0] is node else None
        )
    elif event.role == RETURNED and isinstance(event.statement, ast.Return):
        node = event.statement.value
    found = isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call) and hasattr(node, "number")
    return node if found else None  # type: ignore[return-value]


def _operands(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.BinOp():
            return [node.left, node.right]
        case ast.UnaryOp():
            return [node.operand]
        case ast.Call(func=ast.Attribute(value=base)) if not (isinstance(base, ast.Name) and base.id in ("np", "self")):
            return [base, *node.args]
        case ast.Call():
            return list(node.args)
    return []


def _value(node: ast.expr, values: Mapping[str, Any], parts: Mapping[int, Any]) -> Any:
    """What an operand was."""
    number = getattr(node, "number", -1)
    if number in parts:
        return parts[number]
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Attribute) and node.attr == "T":
        inner = _value(node.value, values, parts)
        return inner.T if _is_array(inner) else None
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return values.get(ast.unparse(node))
    return None


def _product_of(node: ast.expr) -> ast.expr | None:
    """A matrix product."""
    is_product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)
    return node if is_product or _word(node) in ("dot", "matmul") else None


def _word(node: ast.expr) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _is_turned(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "T"


def _turned(node: ast.expr) -> ast.expr:
    """The transpose: of a product that of its factors in the other order."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return ast.BinOp(_turned(node.right), ast.MatMult(), _turned(node.left))
    return ast.Attribute(node, "T", ast.Load())


def _summed(term: ast.expr, before: tuple[int, ...], after: tuple[int, ...]) -> ast.expr | None:
    """A term summed over the axes along which its value was spread."""
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


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _mark(value: Any) -> Any:
    return value.shape, value.tobytes()


def _first(value: Any) -> Any:
    return np.shape(value), f"{np.ravel(value)[-1]:.8e}"


def _same(value: Any, wanted: Any, tolerance: float = 1e-9) -> bool:
    """Whether two arrays of one shape are equal to rounding."""
    size = np.max(np.abs(wanted), initial=0.0)
    return bool(size > 0 and np.max(np.abs(value - wanted), initial=0.0) <= tolerance * size)
