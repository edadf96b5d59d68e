"""Changes at the terms of a right side: a factor put in, a term added."""

from __future__ import annotations

import re
from dataclasses import replace

from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.nodes import Binary, Call, Expression, Index, Name, Number, Unary
from parity_tests.derivations.mistakes.context import (
    Changes,
    Context,
    Rule,
    expressions_in,
    has_other_term,
    is_slope,
    of_bias,
)
from parity_tests.derivations.mistakes.shape_rules import counted_terms, through_softmax
from parity_tests.derivations.mistakes.training_rules import terms_of_training


def _scaled(here: Expression, context: Context) -> Changes:
    """A factor in front of a term: 1/m, m, -1, 2, 1/2, alpha; for a penalty each means another mistake."""
    batch = Name(context.batch)
    penalty = "lambda_" in nodes.names(here) and not has_other_term(here)
    one_over_m = Binary("/", Number(1.0), batch, bracketed=True)
    weights = context.weights()
    if penalty and weights and context.kind == "gradient" and weights not in nodes.names(here):
        yield Binary("*", here, Name(weights)), "missing-factor", "extra-factor", 1.0
    halved = _halved(here) if penalty and context.kind == "cost" else None
    if halved is not None:
        over_2m = replace(halved, right=Binary("*", halved.right, batch, bracketed=True))
        yield _with_first(here, halved, over_2m), "l2-not-over-m", "l2-averaged-again", 0.9
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


def _halved(here: Expression) -> Binary | None:
    """lambda / 2, where a term begins with it."""
    while isinstance(here, Binary):
        if here.operator == "/" and here.left == Name("lambda_"):
            return here if here.right == Number(2.0) else None
        here = here.left
    return None


def _with_first(here: Expression, old: Expression, new: Expression) -> Expression:
    """A term with another first factor."""
    if here is old or not isinstance(here, Binary):
        return new
    return replace(here, left=_with_first(here.left, old, new))


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


def _sloped(here: Expression, context: Context) -> Changes:
    """g'(Z) of the target's layer as a factor."""
    slope = context.slope()
    if slope is not None and context.kind == "derivative":
        makes = "gprime-extra-at-output" if context.is_output else "gprime-extra"
        yield Binary("*", here, slope), "gprime-missing", makes, 1.0


def _penalised(here: Expression, context: Context) -> Changes:
    """The penalty's term on the whole right side."""
    weights = context.weights()
    over_m = Binary("/", Name("lambda_"), Name(context.batch), bracketed=True)
    entry = re.fullmatch(r"dw(\d)", context.target)
    if entry and weights == "w":
        own = Index(Name("w"), (Number(float(entry[1]) - 1), Number(0.0)))
        yield Binary("+", here, Binary("*", over_m, own)), "l2-missing", "l2-extra", 1.0
    elif context.kind == "gradient" and weights and context.target.lstrip("d")[:1] in "Ww":
        yield Binary("+", here, Binary("*", over_m, Name(weights))), "l2-missing", "l2-extra", 1.0
    elif of_bias(context) and context.target[1:] in context.arrays:
        yield Binary("+", here, Binary("*", over_m, Name(context.target[1:]))), "missing-term", "l2-on-bias", 2.0


def _biased(here: Expression, context: Context) -> Changes:
    """A bias on a linear part."""
    bias = f"b{context.level}"
    if context.kind == "forward" and bias in context.arrays:
        yield Binary("+", here, Name(bias)), "bias-missing", "extra-term", 1.0


def _summed(here: Expression, context: Context) -> Changes:
    """A sum over the examples around a term, or their average."""
    if context.kind == "gradient" and of_bias(context) and not nodes.functions(here) & {"sum", "mean"}:
        yield Call("sum", (here,), axis=1, keepdims=True), "db-not-summed", "wrong-function", 1.0
        yield Call("mean", (here,), axis=1, keepdims=True), "db-not-summed + missing-1/m", "wrong-function", 1.9


def _softmax(here: Expression, context: Context) -> Changes:
    """A - Y in place of a chain rule that took the softmax entry by entry."""
    output = f"A{context.level}"
    if (
        context.is_output
        and {output, "Y"} <= context.arrays
        and any(is_slope(each) for _, each in expressions_in(here))
    ):
        yield Binary("-", Name(output), Name("Y")), "softmax-elementwise", "wrong-symbol", 1.6


def _stepped(here: Expression, context: Context) -> Changes:
    """The old value that a step is taken from."""
    if context.kind == "update" and context.target not in nodes.names(here):
        yield Binary("-", Name(context.target), here), "missing-term", "extra-term", 1.3


TERM_RULES: tuple[Rule, ...] = (
    _scaled,
    _sloped,
    _penalised,
    _biased,
    _summed,
    _softmax,
    _stepped,
    terms_of_training,
    counted_terms,
    through_softmax,
)
