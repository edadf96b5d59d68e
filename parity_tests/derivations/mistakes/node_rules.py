"""Changes at any node: a transpose, an operator, a factor less, an axis, another symbol or function."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.nodes import Binary, Call, Expression, Name, Number, Transpose, Unary
from parity_tests.derivations.mistakes.context import Changes, Context, Rule, has_other_term, is_slope
from parity_tests.derivations.mistakes.shape_rules import counted, laid_out
from parity_tests.derivations.mistakes.training_rules import named_factor, numbers_of_training
from parity_tests.derivations.settings.setting import STATES


def _transposed(here: Expression, context: Context) -> Changes:
    if isinstance(here, Name) and here.id in context.arrays:
        yield Transpose(here), "transpose-missing", "transpose-extra", 1.0
    if isinstance(here, Transpose):
        yield here.operand, "transpose-extra", "transpose-missing", 1.0
    match here:
        case Binary("*" | "+" | "-", Transpose(left), Transpose(right)):
            yield replace(here, left=left, right=right), "transpose-extra", "transpose-missing", 1.0


def _operators(here: Expression, context: Context) -> Changes:
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
            for count, rest in ((here.left, here.right), (here.right, here.left)):
                if isinstance(count, Name) and count.id in context.counts:
                    over = Binary("/", rest, Name(context.batch))
                    yield over, "extra-factor + missing-1/m", "wrong-operator", 1.7
        case "/":
            yield replace(here, operator="*", form="operator"), "wrong-operator", "wrong-operator", 2.0
            yield replace(here, left=here.right, right=here.left), "wrong-operator", "wrong-operator", 2.2
            if here.left == Number(1.0):
                yield replace(here, operator="-", form="operator"), "wrong-operator", "wrong-operator", 1.9
        case "+":
            yield replace(here, operator="-"), "sign", "sign", 1.0
            if isinstance(here.left, Binary) and here.left.operator == "/":
                below = replace(here, left=here.left.right, bracketed=True)
                yield replace(here.left, right=below), "wrong-operator", "wrong-operator", 1.5
        case "-":
            yield replace(here, operator="+"), "sign", "sign", 1.0
            yield replace(here, left=here.right, right=here.left), "sign", "sign", 0.9
        case "**":
            square = here.right == Number(2.0)
            yield (
                here.left,
                "square-extra" if square else "wrong-number",
                "square-missing" if square else "wrong-number",
                1.1 if square else 1.8,
            )


def _brackets(here: Expression, context: Context) -> Changes:
    """``a * (1 - b)`` for ``a * 1 - b``, ``(p - y) / m`` for ``p - y / m``, ``1 - a**2`` for ``(1 - a)**2``."""
    if not isinstance(here, Binary):
        return
    left, right = here.left, here.right
    if here.operator in "+-":
        if isinstance(left, Binary) and left.operator in "*/" and not left.bracketed:
            inner = replace(here, left=left.right, bracketed=True)
            yield replace(left, right=inner, form="operator"), "brackets", "brackets", 0.95
        if isinstance(right, Binary) and right.operator in "*/" and not right.bracketed:
            inner = replace(here, right=right.left, bracketed=True)
            yield replace(right, left=inner, form="operator"), "brackets", "brackets", 0.95
    if here.operator in ("/", "**") and isinstance(left, Binary) and left.operator in "+-":
        behind = replace(here, left=left.right)
        yield replace(left, right=behind, bracketed=here.operator == "**"), "brackets", "brackets", 0.95


def _transpose(node: Expression) -> Expression:
    """The transpose, without doubling it."""
    return node.operand if isinstance(node, Transpose) else Transpose(node)


def _factors(here: Expression, context: Context) -> Changes:
    """One factor less."""
    if isinstance(here, Unary):
        yield here.operand, "sign", "sign", 0.9
    if not isinstance(here, Binary) or here.operator not in "*/":
        return
    pairs = [(here.left, here.right)] if here.operator == "/" else [(here.left, here.right), (here.right, here.left)]
    for kept, dropped in pairs:
        yield kept, *_named_factor(here, dropped, context)
    if isinstance(here.left, Binary) and here.operator == here.left.operator == "*":
        slope = replace(here, left=here.left.right)  # A * (1 - A), written as two factors
        if is_slope(slope):
            yield here.left.left, *_named_factor(here, slope, context)


def _named_factor(here: Binary, dropped: Expression, context: Context) -> tuple[str, str, float]:
    """What it means that a factor was too many, or is missing."""
    penalty = "lambda_" in nodes.names(here) and not has_other_term(here)
    batches = [Name(context.batch), Name("m")]
    over_m = [Binary("/", Number(1.0), batch) for batch in batches]
    if dropped in over_m or (here.operator == "/" and dropped in batches):
        return ("l2-averaged-again", "l2-not-over-m", 1.0) if penalty else ("double-1/m", "missing-1/m", 0.9)
    if here.operator == "*" and dropped in batches:
        return "extra-factor", "missing-factor", 0.9
    if dropped == Number(2.0):
        return ("l2-factor-2", "l2-factor-2", 1.0) if penalty else ("wrong-number", "wrong-number", 1.4)
    training = named_factor(dropped, context)
    if training is not None:
        return *training, 1.0
    called = nodes.functions(dropped)
    if any(name.endswith("_prime") for name in called) or is_slope(dropped):
        extra = "gprime-extra-at-output" if context.is_output else "gprime-extra"
        return extra, "g-for-gprime" if context.kind == "function" else "gprime-missing", 1.0
    if dropped == Name("alpha"):
        return "extra-factor", "learning-rate-missing", 1.2
    return "extra-factor", "missing-factor", 1.8


def _reductions(here: Expression, context: Context) -> Changes:
    """Another axis, keepdims, mean for sum."""
    if not isinstance(here, Call) or here.function not in ("sum", "mean"):
        return
    axes: tuple[int | tuple[int, ...] | None, ...] = (None, 0, 1) if context.rank < 4 else (None, 0, 1, (0, 1, 2))
    for axis in axes:
        for keepdims in (False, True):
            if (axis, keepdims) != (here.axis, here.keepdims):
                undoes = _axis_cause(here.axis, axis, here.keepdims, keepdims)
                makes = _axis_cause(axis, here.axis, keepdims, here.keepdims)
                cost = 1.0 + 0.1 * (axis != here.axis and keepdims != here.keepdims) + 0.4 * (axis is None)
                yield replace(here, axis=axis, keepdims=keepdims), undoes, makes, cost
    if here.function == "sum" and context.kind in ("gradient", "cost"):
        yield replace(here, function="mean"), "missing-1/m", "db-mean-for-sum", 1.0
    elif here.function == "sum":
        yield replace(here, function="mean"), "db-sum-for-mean", "db-mean-for-sum", 1.5
    else:
        yield replace(here, function="sum"), "db-mean-for-sum", "db-sum-for-mean", 0.7
        over_m = Binary("/", Number(1.0), Name(context.batch), bracketed=True)
        yield Binary("*", over_m, replace(here, function="sum")), "db-mean-for-sum", "wrong-function", 0.9
    yield here.arguments[0], "wrong-function", "db-not-summed", 1.5


def _extremes(here: Expression, context: Context) -> Changes:
    """The largest, the smallest, the average or the sum in each other's place."""
    names = ("max", "min", "mean", "sum")
    if isinstance(here, Call) and here.function in names and context.rank == 4:
        for other in names:
            if other != here.function:
                cost = 0.8 if {here.function, other} == {"max", "min"} else 1.6
                yield replace(here, function=other), "wrong-function", "wrong-function", cost
    if isinstance(here, Call) and here.function in ("max", "min"):
        for axis in (None, 0, 1):
            if axis != here.axis:
                yield replace(here, axis=axis, keepdims=axis is not None), "wrong-axis", "wrong-axis", 1.0


def _axis_cause(wrong: object, right: object, wrong_keeps: bool, right_keeps: bool) -> str:
    if wrong == right:
        return "keepdims-missing" if right_keeps and not wrong_keeps else "keepdims-extra"
    return "db-summed-over-all" if wrong is None else "db-wrong-axis"


def _names(here: Expression, context: Context) -> Changes:
    """Another symbol: the same letter of another layer, a count, then any."""
    if not isinstance(here, Name):
        return
    if here.id in context.counts:
        for other in sorted(context.sizes - {here.id}):
            is_batch = context.batch in (here.id, other)
            yield Name(other), "wrong-divisor", "wrong-divisor", 1.2 if is_batch else 2.0
            if context.kind == "scale":
                yield Binary("+", here, Name(other), bracketed=True), "init-scale", "init-scale", 1.5
        return
    if here.id not in context.arrays:
        return
    related = {other for family in context.layers.values() if here.id in family for other in family} - {here.id}
    if context.kind not in STATES:
        related -= {context.target}  # its true value is known here: that would hold by itself
    for other in sorted(related):
        yield Name(other), "wrong-layer", "wrong-layer", 1.1
    for other in sorted(context.arrays - related - {here.id, context.target}):
        yield Name(other), "wrong-symbol", "wrong-symbol", 2.0
        if other.lstrip("dAZWXYb") == here.id.lstrip("dAZWXYb"):
            yield Name(other), "wrong-symbol", "wrong-symbol", 1.5


def _slopes(here: Expression, context: Context) -> Changes:
    """g for g', A for Z inside it, A for g'(Z), the slope of another layer."""
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
        yield from _other_slope(here, context)
    if context.kind in ("forward", "cost"):
        return  # no derivative belongs there
    if isinstance(here, Name) and here.id[:1] in "Aa" and here.id[1:].isdigit() | (here.id in ("A", "a")):
        slope = context.slope(here.id[1:])
        slopes = [] if slope is None else [slope]
        if context.target == "g_prime":  # the slope itself, of whichever unit
            primes = sorted(name for name in context.functions if name.endswith("_prime"))
            slopes = [Call(name, (Name("z"),), form="plain", written=name.replace("_prime", "'")) for name in primes]
        yield from ((each, "g-for-gprime", "wrong-symbol", 1.0) for each in slopes)


def _other_slope(here: Call, context: Context) -> Changes:
    """g1'(Z1) where g2'(Z2) belongs: function and argument change together."""
    if not re.fullmatch(r"g\d+_prime", here.function):
        return
    for other in sorted(context.functions):
        if re.fullmatch(r"g\d+_prime", other) and other != here.function:
            level = re.sub(r"\D", "", other)
            if f"Z{level}" in context.arrays:
                yield replace(here, function=other, arguments=(Name(f"Z{level}"),)), "wrong-layer", "wrong-layer", 1.1


def _functions(here: Expression, context: Context) -> Changes:
    """Another function of one argument; none at all; the logarithm that a cost lacks."""
    share = here.right if isinstance(here, Binary) and (here.operator, here.left) == ("-", Number(1.0)) else here
    if context.kind in ("cost", "loss") and isinstance(share, Name) and share.id in context.arrays:
        inside = replace(here, bracketed=False) if isinstance(here, Binary) else here
        yield Call("log", (inside,)), "function-missing", "wrong-function", 1.2
    if not isinstance(here, Call) or len(here.arguments) != 1 or here.function in ("sum", "mean", "zeros", "ones"):
        return
    negative = here.arguments[0].operand if isinstance(here.arguments[0], Unary) else Unary(here.arguments[0])
    yield replace(here, arguments=(negative,)), "sign", "sign", 1.1
    known = {"exp", "log", "tanh", "sqrt", "square", "abs"} | context.functions
    for other in sorted(known - {here.function}):
        yield replace(here, function=other), "wrong-function", "wrong-function", 2.0
    twice = here.arguments[0] == here or (
        isinstance(here.arguments[0], Call) and here.arguments[0].function == here.function
    )
    cause = "double-softmax" if twice and "softmax" in here.function else "wrong-function"
    yield here.arguments[0], cause, cause, 1.0 if twice else 2.0


def _numbers(here: Expression, context: Context) -> Changes:
    """Another small number; a square on a name; 1 minus a term, or the term alone."""
    if isinstance(here, Number):
        for value in (1.0, 2.0, 3.0, 0.5, 0.01, 0.0):
            if value != here.value:
                yield Number(value), "wrong-number", "wrong-number", 1.3
    if isinstance(here, Name) and here.id in context.arrays:
        yield Binary("**", here, Number(2.0)), "square-missing", "square-extra", 1.8
        if re.match(r"[AaYyD]\d*$|beta|keep_prob", here.id):
            yield Binary("-", Number(1.0), here, bracketed=True), "missing-term", "extra-term", 1.9
    if isinstance(here, Binary) and (here.operator, here.left) == ("-", Number(1.0)):
        yield here.right, "extra-term", "missing-term", 1.5


def _chained(here: Expression, context: Context) -> Changes:
    """dZ, or the slope of a layer, where its dA stands; the bias of a layer where W A stands."""
    if isinstance(here, Name) and re.fullmatch(r"dA\d*", here.id) and f"dZ{here.id[2:]}" in context.arrays:
        yield Name(f"dZ{here.id[2:]}"), "gprime-missing", "gprime-extra", 1.0
    elif context.kind in ("gradient", "derivative"):
        for slope in _slopes_of(here, context):
            yield Binary("*", here, slope), "gprime-missing", "gprime-extra", 1.0
    left, _ = _product(here)
    if isinstance(left, Transpose) and left.operand == Name("w"):
        left = left.operand
    if isinstance(left, Name) and left.id[:1] in "Ww" and f"b{left.id[1:]}" in context.arrays:
        yield Binary("+", here, Name(f"b{left.id[1:]}")), "bias-missing", "extra-term", 1.0


def _slopes_of(here: Expression, context: Context) -> Iterator[Expression]:
    """What the chain rule multiplies a dA with: one with a name, W^T dZ, or dZ^T W."""
    slope = None
    left, right = _product(here)
    if isinstance(here, Name) and re.fullmatch(r"dA\d*", here.id):
        slope = context.slope(here.id[2:])
    elif isinstance(left, Transpose):
        slope = context.slope(_level_before(left.operand)) or _turned(context.slope(_level_before(right)))
    if slope is not None:
        yield slope


def _level_before(node: Expression | None) -> str:
    """The layer that weights take their input from: "1" for W2; "none" for what are no weights of a numbered layer."""
    numbered = isinstance(node, Name) and re.fullmatch(r"W(\d+)", node.id)
    return str(int(numbered[1]) - 1) if numbered else "none"


def _turned(slope: Expression | None) -> Expression | None:
    return None if slope is None else Transpose(slope)


def _product(here: Expression) -> tuple[Expression, Expression] | tuple[None, None]:
    """The factors of a product of matrices."""
    if isinstance(here, Binary) and here.operator == "@":
        return here.left, here.right
    if isinstance(here, Call) and here.function == "dot":
        left, right = here.arguments
        return left, right
    return None, None


def _other_half(here: Expression, context: Context) -> Changes:
    """The second term of the cross-entropy, and the weights that a penalty leaves out."""
    if context.kind != "cost":
        return
    match here:
        case Binary("*", Name() as label, Call("log", (Name() as output,))):
            rest = Binary("-", Number(1.0), label, bracketed=True)
            logarithm = Call("log", (Binary("-", Number(1.0), output),))
            yield Binary("+", here, Binary("*", rest, logarithm)), "missing-term", "extra-term", 1.1
        case Call("sum", (Binary("**" as power, Name() as weight, exponent),)):
            for other in sorted({each for family in context.layers.values() if weight.id in family for each in family}):
                if other != weight.id and other in context.arrays:
                    square = replace(here, arguments=(Binary(power, Name(other), exponent),))
                    yield Binary("+", here, square, bracketed=True), "missing-term", "extra-term", 1.2


RULES: tuple[Rule, ...] = (
    _transposed,
    _operators,
    _brackets,
    _other_half,
    _factors,
    _reductions,
    _extremes,
    _slopes,
    _chained,
    _names,
    _functions,
    _numbers,
    numbers_of_training,
    counted,
    laid_out,
)
