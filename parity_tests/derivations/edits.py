"""Small changes to a formula, each labelled with the mistake that it undoes and the mistake that it would make.

A repair tries them on the writer's formula until the referees accept one; to recognise bare numbers they are tried on
the right formula instead. Costs rank what people are likely to have meant: the search prefers the cheapest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

from parity_tests.derivations import nodes
from parity_tests.derivations.nodes import (
    Assign,
    Binary,
    Call,
    Expression,
    Name,
    Node,
    Number,
    Path,
    Program,
    Transpose,
    Unary,
)


class Edit(NamedTuple):
    """A changed formula: ``undoes`` is the mistake in the original, ``makes`` the mistake in the changed one."""

    node: Node
    undoes: str
    makes: str
    cost: float


@dataclass(frozen=True)
class Context:
    """What an edit may know: the target, the families of names, the sizes, whether there is a penalty."""

    target: str
    kind: str
    layers: Mapping[str, tuple[str, ...]]
    arrays: frozenset[str]
    sizes: frozenset[str]
    functions: frozenset[str]
    batch: str

    @property
    def level(self) -> str:
        """The layer in the target's name: "1" for dZ1, "" where it has none."""
        return re.sub(r"\D*", "", self.target)

    @property
    def is_output(self) -> bool:
        """Whether the target belongs to the output layer."""
        family = self.layers.get("dZ", ())
        if family:
            return f"dZ{self.level}" == family[-1]
        return self.target.lower() == "dz" and bool({"y", "Y"} & self.arrays)

    def slope(self, level: str | None = None) -> Expression | None:
        """g'(Z) of a layer, where the setting has it."""
        level = self.level if level is None else level
        units = [(f"g{level}_prime", f"Z{level}"), ("g_prime", "Z"), ("g_prime", "z")]
        if self.is_output and not level:
            units += [("sigmoid_prime", "Z"), ("sigmoid_prime", "z")]
        for function, argument in units:
            if function in self.functions and argument in self.arrays:
                return Call(function, (Name(argument),), form="plain", written=function.replace("_prime", "'"))
        return None

    def weights(self) -> str | None:
        """The name of the weights of the target's layer."""
        return next((name for name in (f"W{self.level}", "w") if name in self.arrays), None)


Rule = Callable[[Expression, Context], Iterator[tuple[Expression, str, str, float]]]
"""The changes at one node: (new node, undoes, makes, cost)."""


def edits(node: Node, context: Context) -> Iterator[Edit]:
    """Every single change of a formula or of a program; each changed formula once, at its lowest cost first."""
    seen: set[Node] = {node}
    found = chain(_everywhere(node, context), _at_terms(node, context))
    for edit in sorted(found, key=lambda edit: edit.cost):
        if edit.node not in seen:
            seen.add(edit.node)
            yield edit


def _everywhere(node: Node, context: Context) -> Iterator[Edit]:
    for path, here in nodes.walk(node):
        if _is_target(node, path) or not isinstance(here, Expression):
            continue
        below_transpose = bool(path) and isinstance(nodes.at(node, path[:-1]), Transpose)
        in_sum = bool(path) and isinstance(nodes.at(node, path[:-1]), Call)
        in_penalty = _in_penalty(node, path)
        for rule in RULES:
            for new, undoes, makes, cost in rule(here, context):
                if below_transpose and isinstance(new, Transpose):
                    continue
                if in_penalty and undoes == "wrong-number":
                    undoes = makes = "l2-factor-2"
                if context.kind == "scale":
                    undoes = makes = "init-scale"
                if in_sum and isinstance(new, Transpose):
                    cost += 0.5  # it would only undo a wrong axis
                yield Edit(nodes.replace(node, path, new), undoes, makes, cost)


def _in_penalty(root: Node, path: Path) -> bool:
    """Whether the place belongs to a term with lambda."""
    for place in range(len(path), -1, -1):
        here = nodes.at(root, path[:place])
        if isinstance(here, Expression) and "lambda_" in nodes.names(here):
            return not _has_other_term(here)
    return False


def _at_terms(node: Node, context: Context) -> Iterator[Edit]:
    if isinstance(node, Program) and any(isinstance(each, nodes.For) for each in node.statements):
        average = Assign(Name(context.target), "/=", Name(context.batch))
        yield Edit(replace(node, statements=(*node.statements, average)), "missing-1/m", "double-1/m", 0.8)
    for path, here in terms(node):
        for rule in TERM_RULES:
            for new, undoes, makes, cost in rule(here, context):
                yield Edit(nodes.replace(node, path, new), undoes, makes, cost)
        yield from _dropped_term(node, path, context)


def _is_target(root: Node, path: Path) -> bool:
    """Whether the path leads into the left side of an assignment."""
    return any(isinstance(nodes.at(root, path[:place]), Assign) and path[place] == 0 for place in range(len(path)))


def terms(node: Node, path: Path = ()) -> Iterator[tuple[Path, Expression]]:
    """The places where a factor may be put in: right sides, and the terms of their sums, at any depth of brackets."""
    if isinstance(node, Assign):
        yield from terms(node.value, (*path, 1))
    elif not isinstance(node, Expression):
        for index, child in enumerate(nodes.children(node)):
            yield from terms(child, (*path, index))
    elif not isinstance(node, Number):
        yield path, node
        if isinstance(node, Unary) or (isinstance(node, Binary) and node.operator in "+-*/"):
            for index, child in enumerate(nodes.children(node)):
                inside = isinstance(node, Unary) or node.operator in "+-" or _is_sum(child)
                if inside:
                    yield from terms(child, (*path, index))


def _is_sum(node: Node) -> bool:
    return isinstance(node, Unary) or (isinstance(node, Binary) and node.operator in "+-")


def _dropped_term(node: Node, path: Path, context: Context) -> Iterator[Edit]:
    """The sum without the term at ``path``."""
    if not path:
        return
    parent = nodes.at(node, path[:-1])
    if isinstance(parent, Binary) and parent.operator in "+-":
        other = parent.right if path[-1] == 0 else parent.left
        kept = Unary(other) if path[-1] == 0 and parent.operator == "-" else other
        term = nodes.at(node, path)
        if "lambda_" in nodes.names(term):
            undoes = "l2-on-bias" if _of_bias(context) else "l2-extra"
            makes = "l2-missing"
        else:
            undoes, makes = "extra-term", "bias-missing" if _is_bias(term) else "missing-term"
        yield Edit(nodes.replace(node, path[:-1], kept), undoes, makes, 1.3)


def _of_bias(context: Context) -> bool:
    return context.target.lstrip("d").startswith("b")


def _is_bias(node: Node) -> bool:
    return isinstance(node, Name) and node.id.startswith("b")


# Rules for terms: factors put in


def _scaled(here: Expression, context: Context) -> Iterator[tuple[Expression, str, str, float]]:
    """A factor in front of a term: 1/m, m, -1, 2, 1/2, alpha; for a penalty each means another mistake."""
    batch = Name(context.batch)
    penalty = "lambda_" in nodes.names(here) and not _has_other_term(here)
    one_over_m = Binary("/", Number(1.0), batch, bracketed=True)
    if context.batch in context.arrays | context.sizes:
        new = _times(one_over_m, here)
        yield new, "l2-not-over-m" if penalty else "missing-1/m", "l2-averaged-again" if penalty else "double-1/m", 1.0
        new = _times(batch, here)
        yield new, "l2-averaged-again" if penalty else "double-1/m", "l2-not-over-m" if penalty else "missing-1/m", 1.2
    yield _negative(here), "sign", "sign", 1.0
    two = "l2-factor-2" if penalty else "wrong-number"
    yield _times(Number(2.0), here), two, two, 1.4
    yield Binary("/", here, Number(2.0)), two, two, 1.4
    if context.kind == "update" and "alpha" in context.arrays | context.sizes:
        yield _times(Name("alpha"), here), "learning-rate-missing", "extra-factor", 1.0


def _times(factor: Expression, here: Expression) -> Expression:
    """A number in front of a term: of its first factor, so that no new brackets are needed."""
    if isinstance(here, Binary) and here.operator in "*@/" and here.form == "operator":
        return replace(here, left=_times(factor, here.left))
    return Binary("*", factor, here)


def _negative(here: Expression) -> Expression:
    """Minus in front of a term: of its first factor."""
    if isinstance(here, Binary) and here.operator in "*@/" and here.form == "operator":
        return replace(here, left=_negative(here.left))
    return here.operand if isinstance(here, Unary) else Unary(here)


def _has_other_term(here: Expression) -> bool:
    return any("lambda_" not in nodes.names(term) and path for path, term in terms(here))


def _sloped(here: Expression, context: Context) -> Iterator[tuple[Expression, str, str, float]]:
    """g'(Z) of the target's layer as a factor."""
    slope = context.slope()
    if slope is not None and context.kind == "derivative":
        makes = "gprime-extra-at-output" if context.is_output else "gprime-extra"
        yield Binary("*", here, slope), "gprime-missing", makes, 1.0


def _penalised(here: Expression, context: Context) -> Iterator[tuple[Expression, str, str, float]]:
    """The penalty's term on the whole right side."""
    weights = context.weights()
    over_m = Binary("/", Name("lambda_"), Name(context.batch), bracketed=True)
    if context.kind == "gradient" and weights and context.target.lstrip("d")[:1] in "Ww":
        yield Binary("+", here, Binary("*", over_m, Name(weights))), "l2-missing", "l2-extra", 1.0
    elif _of_bias(context) and context.target[1:] in context.arrays:
        yield Binary("+", here, Binary("*", over_m, Name(context.target[1:]))), "missing-term", "l2-on-bias", 2.0


def _biased(here: Expression, context: Context) -> Iterator[tuple[Expression, str, str, float]]:
    """A bias on a linear part."""
    bias = f"b{context.level}"
    if context.kind == "forward" and bias in context.arrays:
        yield Binary("+", here, Name(bias)), "bias-missing", "extra-term", 1.0


def _summed(here: Expression, context: Context) -> Iterator[tuple[Expression, str, str, float]]:
    """A sum over the examples around a term."""
    if context.kind == "gradient" and _of_bias(context) and not nodes.functions(here) & {"sum", "mean"}:
        yield Call("sum", (here,), axis=1, keepdims=True), "db-not-summed", "wrong-function", 1.0


def _softmax(here: Expression, context: Context) -> Iterator[tuple[Expression, str, str, float]]:
    """A - Y in place of a chain rule that took the softmax entry by entry."""
    output = f"A{context.level}"
    if context.is_output and {output, "Y"} <= context.arrays and any(_is_slope(each) for _, each in _inside(here)):
        yield Binary("-", Name(output), Name("Y")), "softmax-elementwise", "wrong-symbol", 1.6


def _inside(node: Expression) -> Iterator[tuple[Path, Expression]]:
    return ((path, each) for path, each in nodes.walk(node) if isinstance(each, Expression))


TERM_RULES: tuple[Rule, ...] = (_scaled, _sloped, _penalised, _biased, _summed, _softmax)


# Rules for any node


def _transposed(here: Expression, context: Context) -> Iterator[tuple[Expression, str, str, float]]:
    if isinstance(here, Name) and here.id in context.arrays:
        yield Transpose(here), "transpose-missing", "transpose-extra", 1.0
    if isinstance(here, Transpose):
        yield here.operand, "transpose-extra", "transpose-missing", 1.0


def _operators(here: Expression, context: Context) -> Iterator[tuple[Expression, str, str, float]]:
    """Another operator, or the operands the other way round."""
    if isinstance(here, Call) and here.function == "dot":
        yield Binary("@", here.arguments[1], here.arguments[0]), "operand-order", "operand-order", 1.3
        yield Binary("*", *here.arguments), "star-for-matmul", "star-for-matmul", 1.0
        return
    if not isinstance(here, Binary):
        return
    match here.operator:
        case "@":
            yield replace(here, operator="*", form="operator"), "star-for-matmul", "star-for-matmul", 1.0
            yield replace(here, left=here.right, right=here.left), "operand-order", "operand-order", 1.3
            turned = replace(here, left=_transpose(here.right), right=_transpose(here.left))
            yield turned, "operand-order", "operand-order", 1.2
        case "*":
            yield replace(here, operator="@", form="operator"), "star-for-matmul", "star-for-matmul", 1.0
            yield replace(here, operator="/", form="operator"), "wrong-operator", "wrong-operator", 2.0
            turned = replace(here, operator="@", form="operator", left=here.right, right=here.left)
            yield turned, "star-for-matmul", "star-for-matmul", 1.6
        case "/":
            yield replace(here, operator="*", form="operator"), "wrong-operator", "wrong-operator", 2.0
            yield replace(here, left=here.right, right=here.left), "wrong-operator", "wrong-operator", 2.2
        case "+":
            yield replace(here, operator="-"), "sign", "sign", 1.0
            if isinstance(here.left, Binary) and here.left.operator == "/":
                below = replace(here, left=here.left.right, bracketed=True)
                yield replace(here.left, right=below), "wrong-operator", "wrong-operator", 1.5
        case "-":
            yield replace(here, operator="+"), "sign", "sign", 1.0
            yield replace(here, left=here.right, right=here.left), "sign", "sign", 0.9
        case "**":
            yield here.left, "wrong-number", "wrong-number", 2.0


def _transpose(node: Expression) -> Expression:
    """The transpose, without doubling it."""
    return node.operand if isinstance(node, Transpose) else Transpose(node)


def _factors(here: Expression, context: Context) -> Iterator[tuple[Expression, str, str, float]]:
    """One factor less."""
    if isinstance(here, Unary):
        yield here.operand, "sign", "sign", 1.0
    if not isinstance(here, Binary) or here.operator not in "*/":
        return
    pairs = [(here.left, here.right)] if here.operator == "/" else [(here.left, here.right), (here.right, here.left)]
    for kept, dropped in pairs:
        yield kept, *_named_factor(here, dropped, context)
    if isinstance(here.left, Binary) and here.operator == here.left.operator == "*":
        slope = replace(here, left=here.left.right)  # A * (1 - A), written as two factors
        if _is_slope(slope):
            yield here.left.left, *_named_factor(here, slope, context)


def _named_factor(here: Binary, dropped: Expression, context: Context) -> tuple[str, str, float]:
    """What it means that a factor was too many, or is missing."""
    penalty = "lambda_" in nodes.names(here) and not _has_other_term(here)
    batches = [Name(context.batch), Name("m")]
    over_m = [Binary("/", Number(1.0), batch) for batch in batches]
    if dropped in over_m or (here.operator == "/" and dropped in batches):
        return ("l2-averaged-again", "l2-not-over-m", 1.0) if penalty else ("double-1/m", "missing-1/m", 0.9)
    if dropped == Number(2.0):
        return ("l2-factor-2", "l2-factor-2", 1.0) if penalty else ("wrong-number", "wrong-number", 1.4)
    called = nodes.functions(dropped)
    if any(name.endswith("_prime") for name in called) or _is_slope(dropped):
        extra = "gprime-extra-at-output" if context.is_output else "gprime-extra"
        return extra, "g-for-gprime" if context.kind == "function" else "gprime-missing", 1.0
    if dropped == Name("alpha"):
        return "extra-factor", "learning-rate-missing", 1.2
    return "extra-factor", "missing-factor", 1.8


def _is_slope(node: Expression) -> bool:
    """A derivative written out: A (1 - A), 1 - A**2, or a comparison with 0."""
    if isinstance(node, nodes.Compare):
        return True
    one_minus = isinstance(node, Binary) and node.operator == "-" and node.left == Number(1.0)
    return one_minus or (isinstance(node, Binary) and node.operator == "*" and _is_slope(node.right))


def _reductions(here: Expression, context: Context) -> Iterator[tuple[Expression, str, str, float]]:
    """Another axis, keepdims, mean for sum."""
    if not isinstance(here, Call) or here.function not in ("sum", "mean"):
        return
    for axis in (None, 0, 1):
        for keepdims in (False, True):
            if (axis, keepdims) != (here.axis, here.keepdims):
                undoes = _axis_cause(here.axis, axis, here.keepdims, keepdims)
                makes = _axis_cause(axis, here.axis, keepdims, here.keepdims)
                cost = 1.0 + 0.1 * (axis != here.axis and keepdims != here.keepdims) + 0.4 * (axis is None)
                yield replace(here, axis=axis, keepdims=keepdims), undoes, makes, cost
    if here.function == "sum":
        yield replace(here, function="mean"), "db-sum-for-mean", "db-mean-for-sum", 1.5
    else:
        yield replace(here, function="sum"), "db-mean-for-sum", "db-sum-for-mean", 0.7
    yield here.arguments[0], "wrong-function", "db-not-summed", 1.5


def _axis_cause(wrong: object, right: object, wrong_keeps: bool, right_keeps: bool) -> str:
    if wrong == right:
        return "keepdims-missing" if right_keeps and not wrong_keeps else "keepdims-extra"
    return "db-summed-over-all" if wrong is None else "db-wrong-axis"


def _names(here: Expression, context: Context) -> Iterator[tuple[Expression, str, str, float]]:
    """Another symbol: the same letter of another layer, a count, then any."""
    if not isinstance(here, Name):
        return
    if here.id in context.sizes:
        for other in context.sizes - {here.id}:
            is_batch = context.batch in (here.id, other)
            yield Name(other), "wrong-divisor", "wrong-divisor", 1.2 if is_batch else 2.0
            if context.kind == "scale":
                yield Binary("+", here, Name(other), bracketed=True), "init-scale", "init-scale", 1.5
        return
    if here.id not in context.arrays:
        return
    related = {other for family in context.layers.values() if here.id in family for other in family} - {here.id}
    for other in related:
        yield Name(other), "wrong-layer", "wrong-layer", 1.1
    for other in context.arrays - related - {here.id, context.target}:
        yield Name(other), "wrong-symbol", "wrong-symbol", 2.0
        if other.lstrip("dAZWXYb") == here.id.lstrip("dAZWXYb"):
            yield Name(other), "wrong-symbol", "wrong-symbol", 1.5


def _slopes(here: Expression, context: Context) -> Iterator[tuple[Expression, str, str, float]]:
    """G for g', A for Z inside it, A for g'(Z), the slope of another layer."""
    if isinstance(here, Call) and len(here.arguments) == 1:
        if here.function + "_prime" in context.functions:
            yield replace(here, function=here.function + "_prime"), "g-for-gprime", "gprime-for-g", 1.0
        if here.function.endswith("_prime"):
            yield replace(here, function=here.function.removesuffix("_prime")), "gprime-for-g", "g-for-gprime", 1.0
            argument = here.arguments[0]
            if isinstance(argument, Name):
                for one, other, undoes, makes in (
                    ("A", "Z", "gprime-at-a", "wrong-symbol"),
                    ("Z", "A", "wrong-symbol", "gprime-at-a"),
                    ("a", "z", "gprime-at-a", "wrong-symbol"),
                    ("z", "a", "wrong-symbol", "gprime-at-a"),
                ):
                    changed = other + argument.id[1:]
                    if argument.id[:1] == one and changed in context.arrays:
                        yield replace(here, arguments=(Name(changed),)), undoes, makes, 0.9
        for family in ("g", "Z"):
            yield from _other_slope(here, context, family)
    if isinstance(here, Name) and here.id[:1] in "Aa" and here.id[1:].isdigit() | (here.id in ("A", "a")):
        slope = context.slope(here.id[1:])
        if slope is not None:
            yield slope, "g-for-gprime", "wrong-symbol", 1.0


def _other_slope(here: Call, context: Context, family: str) -> Iterator[tuple[Expression, str, str, float]]:
    """g1'(Z1) where g2'(Z2) belongs: function and argument change together."""
    if family != "g" or not re.fullmatch(r"g\d+_prime", here.function):
        return
    for other in sorted(context.functions):
        if re.fullmatch(r"g\d+_prime", other) and other != here.function:
            level = re.sub(r"\D", "", other)
            if f"Z{level}" in context.arrays:
                yield replace(here, function=other, arguments=(Name(f"Z{level}"),)), "wrong-layer", "wrong-layer", 1.1


def _functions(here: Expression, context: Context) -> Iterator[tuple[Expression, str, str, float]]:
    """Another function of one argument; none at all."""
    if not isinstance(here, Call) or len(here.arguments) != 1 or here.function in ("sum", "mean"):
        return
    known = {"exp", "log", "tanh", "sqrt", "square", "abs"} | context.functions
    for other in known - {here.function}:
        yield replace(here, function=other), "wrong-function", "wrong-function", 2.0
    twice = here.arguments[0] == here or (
        isinstance(here.arguments[0], Call) and here.arguments[0].function == here.function
    )
    cause = "double-softmax" if twice and "softmax" in here.function else "wrong-function"
    yield here.arguments[0], cause, cause, 1.0 if twice else 2.0


def _numbers(here: Expression, context: Context) -> Iterator[tuple[Expression, str, str, float]]:
    """Another small number; a square on a name; 1 minus a term."""
    if isinstance(here, Number):
        for value in (1.0, 2.0, 3.0, 0.5, 0.01, 0.0):
            if value != here.value:
                yield Number(value), "wrong-number", "wrong-number", 1.6
    if isinstance(here, Name) and here.id in context.arrays:
        yield Binary("**", here, Number(2.0)), "wrong-number", "wrong-number", 1.8
        yield Binary("-", Number(1.0), here, bracketed=True), "missing-term", "extra-term", 1.9


RULES: tuple[Rule, ...] = (
    _transposed,
    _operators,
    _factors,
    _reductions,
    _slopes,
    _names,
    _functions,
    _numbers,
)
