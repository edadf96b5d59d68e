"""Changes that undo mistakes in counts and layouts: sizes, parameters, flattening, labels, the softmax's Jacobian."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.nodes import (
    Assign,
    Binary,
    Call,
    Expression,
    Index,
    Name,
    Number,
    Program,
    Shape,
    Transpose,
    Unary,
)
from parity_tests.derivations.mistakes.context import Changes, Context, Edit, expressions_in, is_slope

ONE, TWO = Number(1.0), Number(2.0)
STRIDE, PAD = Name("stride"), Name("pad")
WHOLE = ("floor", "int", "ceil")
ROWS_FIRST = Shape((Name("m"), Unary(ONE)))


def counted(here: Expression, context: Context) -> Changes:
    """What goes wrong in an output size: the border, the stride, the rounding, a size too few."""
    if context.kind != "count":
        return
    if isinstance(here, Binary) and here.operator in "+-":
        yield from _bordered(here)
    if here in (Binary("*", TWO, PAD), Binary("*", PAD, TWO)):
        yield PAD, "wrong-number", "padding-once", 1.3
    if isinstance(here, Binary) and here.operator == "/":
        yield Call("floor", (here,)), "floor-missing", "wrong-function", 0.9
        if here.right in (STRIDE, Name("s")):
            yield here.left, "extra-factor", "stride-ignored", 1.0
    if isinstance(here, Call) and here.function in WHOLE:
        yield here.arguments[0], "wrong-function", "floor-missing", 1.0
        if here.function == "ceil":
            yield replace(here, function="floor"), "floor-missing", "wrong-function", 0.9
    if isinstance(here, Binary) and here.operator == "+" and here.right == ONE:
        yield here.left, "extra-term", "missing-term", 1.2
        if isinstance(here.left, Binary) and here.left.operator in "+-":
            divided = Call("floor", (Binary("/", replace(here.left, bracketed=True), STRIDE),))
            yield replace(here, left=divided), "stride-ignored", "wrong-function", 1.0
    if isinstance(here, Name) and here.id in context.counts:
        for size in sorted(context.sizes - {"stride", "pad"}):
            yield Binary("*", here, Name(size)), "missing-factor", "extra-factor", 1.5


def _bordered(here: Binary) -> Changes:
    """The border in a sum: on both sides, on one, on none."""
    twice = Binary("*", TWO, PAD)
    for pad in (PAD, Name("p")):
        if here.right == pad:
            yield replace(here, right=twice), "padding-once", "wrong-number", 0.9
        if here.left == pad:
            yield replace(here, left=twice), "padding-once", "wrong-number", 0.9
    if here.left in (Name("n_H_prev"), Name("n_W_prev")) and not {"pad", "p"} & nodes.names(here):
        yield replace(here, left=Binary("+", here.left, twice)), "padding-ignored", "extra-term", 1.0
    if {"pad", "p"} & nodes.names(here.right):
        yield here.left, "extra-term", "padding-ignored", 1.0


def counted_terms(here: Expression, context: Context) -> Changes:
    """A bias for every unit, or the 1 behind the quotient."""
    if context.kind != "count":
        return
    yield Binary("+", here, ONE), "missing-term", "extra-term", 1.2
    if context.target.endswith("parameters"):
        for units in ("n_C", "n"):
            yield Binary("+", here, Name(units)), "bias-missing", "extra-term", 1.0


def laid_out(here: Expression, context: Context) -> Changes:
    """Channels first for channels last, and examples that were mixed."""
    if isinstance(here, Transpose) and len(here.axes) == 4:
        inner = here.operand
        yield inner, "layout-flatten", "wrong-symbol", 0.9
        if isinstance(inner, Call) and inner.function == "reshape" and isinstance(inner.arguments[1], Shape):
            sizes = inner.arguments[1].sizes
            if len(sizes) == 4:
                ordered = Shape(tuple(sizes[axis] for axis in here.axes))
                yield replace(inner, arguments=(inner.arguments[0], ordered)), "layout-flatten", "wrong-symbol", 0.9
    if isinstance(here, Call) and here.function == "reshape" and isinstance(here.arguments[1], Shape):
        array, shape = here.arguments
        yield Transpose(here), "transpose-missing", "transpose-extra", 1.1
        if shape in (Shape((Unary(ONE), Name("m"))), Shape((Name("n_C"), Name("m")))):
            yield Transpose(replace(here, arguments=(array, ROWS_FIRST))), "layout-flatten", "wrong-symbol", 1.0
        if array == Name("A"):
            first = replace(here, arguments=(Transpose(array, (0, 3, 1, 2)), shape))
            yield first, "wrong-symbol", "layout-flatten", 1.0
        if isinstance(shape, Shape) and len(shape.sizes) == 4:
            m, n_H, n_W, n_C = shape.sizes
            first = replace(here, arguments=(array, Shape((m, n_C, n_H, n_W))))
            yield Transpose(first, (0, 2, 3, 1)), "wrong-symbol", "layout-flatten", 1.0
            if (n_H, n_W, n_C) == (Name("n_C"), Name("n_H"), Name("n_W")):
                last = replace(here, arguments=(array, Shape((m, n_W, n_C, n_H))))
                yield last, "layout-flatten", "wrong-symbol", 1.0


def through_softmax(here: Expression, context: Context) -> Changes:
    """The whole Jacobian in place of a chain rule that took the softmax entry by entry."""
    if "jacobian" not in context.arrays | {context.target} or not any(is_slope(e) for _, e in expressions_in(here)):
        return
    if context.target == "jacobian":
        whole = Binary("-", Call("diag", (Name("a"),)), Call("outer", (Name("a"), Name("a"))))
        yield whole, "softmax-elementwise", "wrong-symbol", 1.3
    if context.target in ("dZ", "dz"):
        A, dA = (Name("A"), Name("dA")) if context.target == "dZ" else (Name("a"), Name("da"))
        axis = 0 if context.target == "dZ" else None
        total = Call("sum", (Binary("*", A, dA),), axis, context.target == "dZ")
        whole = Binary("*", A, Binary("-", dA, total, bracketed=True))
        yield whole, "softmax-elementwise", "wrong-symbol", 1.3


def labelled(program: Program, context: Context) -> Iterator[Edit]:
    """The 1 that is subtracted at the true class."""
    if context.target != "dscores":
        return
    true_class = Index(Name("dscores"), (Call("arange", (Name("m"),), form="plain"), Name("y")))
    subtract = Assign(true_class, "-=", ONE)
    for place, here in enumerate(program.statements):
        before, behind = program.statements[:place], program.statements[place + 1 :]
        if isinstance(here, Assign) and here.target == Name("dscores") and here.operator == "=":
            yield Edit(Program((*before, here, subtract, *behind)), "label-not-subtracted", "extra-term", 1.0)
        if isinstance(here, Assign) and here.target == true_class and here.operator == "-=":
            yield Edit(Program((*before, subtract, *behind)), "label-not-subtracted", "wrong-number", 0.9)
        if isinstance(here, Assign) and isinstance(here.target, Index) and here.value == ONE:
            yield Edit(Program((*before, *behind)), "extra-term", "label-not-subtracted", 1.0)
    for path, node in nodes.walk(program):  # in one formula, with the labels as one-hot rows
        if isinstance(node, Name) and node.id == "probs":
            rows = Index(Call("eye", (Name("n_C"),)), (Name("y"),))
            new = Binary("-", Name("probs"), rows, bracketed=True)
            yield Edit(nodes.replace(program, path, new), "label-not-subtracted", "extra-term", 1.1)
