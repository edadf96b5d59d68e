"""Changes that undo the mistakes of training: dropout's mask and scale, the averages and corrections of optimisers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.nodes import (
    Assign,
    Binary,
    Call,
    Compare,
    Comparison,
    Expression,
    Name,
    Node,
    Number,
    Program,
)
from parity_tests.derivations.mistakes.context import Changes, Context, Edit
from parity_tests.derivations.mistakes.program_rules import rewritten

ONE, TWO = Number(1.0), Number(2.0)
MASK, KEEP, EPSILON, STEP = Name("D"), Name("keep_prob"), Name("epsilon"), Name("t")
CORRECTED = {"v": "v_corrected", "s": "s_corrected"}
TURNED: dict[Comparison, Comparison] = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "!=", "!=": "=="}


def _is_beta(node: Node) -> bool:
    return isinstance(node, Name) and node.id.startswith("beta")


def one_minus_beta(node: Node) -> bool:
    """Whether a node is 1 - beta, the weight of the newest term of an average."""
    return isinstance(node, Binary) and node.operator == "-" and node.left == ONE and _is_beta(node.right)


def one_minus_power(node: Node) -> bool:
    """Whether a node is 1 - beta**t, what a bias correction divides by."""
    if not (isinstance(node, Binary) and node.operator == "-" and node.left == ONE):
        return False
    return isinstance(node.right, Binary) and node.right.operator == "**" and _is_beta(node.right.left)


def named_factor(dropped: Expression, context: Context) -> tuple[str, str] | None:
    """What it means that a factor of training was too many, or is missing; None for any other factor."""
    if dropped == MASK and context.kind == "dropout":
        return "extra-factor", "dropout-mask-forgotten-backward" if context.target == "dA" else "missing-factor"
    if dropped == KEEP:
        return "extra-factor", "dropout-not-rescaled"
    if one_minus_power(dropped):
        return "adam-correction-overwritten" if context.kind == "state" else "extra-factor", "adam-correction-missing"
    if one_minus_beta(dropped):
        return "extra-factor", "average-weight-missing"
    return None


def numbers_of_training(here: Expression, context: Context) -> Changes:
    """The power of a correction, the root and its epsilon, the mask's comparison."""
    if _is_beta(here) and "t" in context.counts:
        yield Binary("**", here, STEP), "adam-no-power", "wrong-number", 0.9
    if isinstance(here, Binary) and here.operator == "*" and _is_beta(here.left) and here.right == STEP:
        yield replace(here, operator="**"), "adam-no-power", "wrong-operator", 0.9
    if isinstance(here, Binary) and here.operator == "**" and _is_beta(here.left) and here.right == STEP:
        yield here.left, "wrong-number", "adam-no-power", 0.9
    if isinstance(here, Name) and here.id in CORRECTED and context.kind == "update":
        corrected = CORRECTED[here.id]
        if corrected in context.arrays:
            yield Name(corrected), "adam-correction-missing", "wrong-symbol", 0.9
        if here.id == "s":
            yield Call("sqrt", (here,)), "root-missing", "wrong-function", 1.0
    if isinstance(here, Name) and here.id in CORRECTED.values():
        yield Name(here.id[0]), "wrong-symbol", "adam-correction-missing", 0.9
        if here.id == "s_corrected":
            yield Call("sqrt", (here,)), "root-missing", "wrong-function", 1.0
    if isinstance(here, Call) and here.function == "sqrt" and "epsilon" in context.arrays:
        yield here.arguments[0], "wrong-function", "root-missing", 1.0
        yield Binary("+", here, EPSILON, bracketed=True), "epsilon-missing", "extra-term", 1.1
        inner = here.arguments[0]
        if isinstance(inner, Binary) and inner.operator == "+" and inner.right == EPSILON:
            outside = Binary("+", replace(here, arguments=(inner.left,)), EPSILON, bracketed=True)
            yield outside, "epsilon-inside-root", "wrong-operator", 0.9
    if isinstance(here, Binary) and here.operator == "+" and here.right == EPSILON and isinstance(here.left, Call):
        inside = Binary("+", here.left.arguments[0], EPSILON)
        yield replace(here.left, arguments=(inside,)), "wrong-operator", "epsilon-inside-root", 0.9
    if here == Binary("-", ONE, KEEP):
        yield KEEP, "keep-prob-inverted", "wrong-number", 0.9
    if here == KEEP:
        yield Binary("-", ONE, KEEP, bracketed=True), "wrong-number", "keep-prob-inverted", 1.1
    if isinstance(here, Compare):
        cause = "keep-prob-inverted" if KEEP in (here.left, here.right) else "wrong-operator"
        yield replace(here, operator=TURNED[here.operator]), cause, cause, 1.2


def terms_of_training(here: Expression, context: Context) -> Changes:
    """The mask, its scale, or the weight of an average's newest term as a factor."""
    masks = sorted(name for name in context.arrays if re.fullmatch(r"D\d*", name))
    if masks and context.kind in ("dropout", "forward", "derivative") and "keep_prob" in context.arrays:
        cause = "dropout-mask-forgotten-backward" if context.target.startswith("dA") else "missing-factor"
        yield from ((Binary("*", here, Name(mask)), cause, "extra-factor", 1.0) for mask in masks)
        yield Binary("/", here, KEEP), "dropout-not-rescaled", "extra-factor", 1.0
    if context.kind == "state":
        for beta in sorted(name for name in context.arrays if name.startswith("beta")):
            weight = Binary("-", ONE, Name(beta), bracketed=True)
            yield Binary("*", weight, here), "average-weight-missing", "extra-factor", 0.9
            if "t" in context.counts:
                corrected = Binary("-", ONE, Binary("**", Name(beta), STEP), bracketed=True)
                yield Binary("/", here, corrected), "wrong-operator", "adam-correction-overwritten", 1.3


def training_programs(program: Program, context: Context) -> Iterator[Edit]:
    """Corrections all at once, a state that its correction overwrote, an average whose weights are swapped."""
    if context.kind in ("update", "state", "function") and any(name.startswith("beta") for name in context.arrays):
        yield from _corrections(program, context)
        yield Edit(_swapped(program), "beta-swapped", "beta-swapped", 1.1)


def _corrections(program: Program, context: Context) -> Iterator[Edit]:
    def corrected(node: Node) -> Node:
        return Name(CORRECTED[node.id]) if isinstance(node, Name) and node.id in CORRECTED else node

    def powered(node: Node) -> Node:
        if isinstance(node, Binary) and node.operator == "/" and one_minus_beta(node.right):
            weight = node.right
            assert isinstance(weight, Binary)
            return replace(node, right=replace(weight, right=Binary("**", weight.right, STEP)))
        return node

    if "t" not in context.counts:
        return
    yield Edit(rewritten(program, powered), "adam-no-power", "wrong-number", 0.9)
    last = program.statements[-1]
    if isinstance(last, Assign) and context.kind == "update":
        value = rewritten(last.value, corrected)
        assert isinstance(value, Expression)
        new = Program((*program.statements[:-1], replace(last, value=value)))
        yield Edit(new, "adam-correction-missing", "wrong-symbol", 0.9)
        yield Edit(rewritten(program, _uncorrected), "wrong-symbol", "adam-correction-missing", 0.9)
        yield Edit(rewritten(program, _without_power), "wrong-symbol", "adam-no-power", 0.9)
    for place, here in enumerate(program.statements):
        name = here.target.id if isinstance(here, Assign) and isinstance(here.target, Name) else ""
        if isinstance(here, Assign) and name == context.target and context.kind == "state":
            value = here.value
            weighed = isinstance(value, Binary) and value.operator == "/" and value.left == here.target
            if weighed and f"{name}_corrected" in context.arrays:
                other = replace(here, target=Name(f"{name}_corrected"))
                statements = (*program.statements[:place], other, *program.statements[place + 1 :])
                yield Edit(Program(statements), "adam-correction-overwritten", "wrong-symbol", 0.9)


def _uncorrected(node: Node) -> Node:
    return Name(node.id[0]) if isinstance(node, Name) and node.id in CORRECTED.values() else node


def _without_power(node: Node) -> Node:
    if not isinstance(node, Name) or node.id not in CORRECTED.values():
        return node
    beta = Name("beta1" if node.id[0] == "v" else "beta2")
    return Binary("/", Name(node.id[0]), Binary("-", ONE, beta, bracketed=True), bracketed=True)


def _swapped(node: Node) -> Node:
    """The tree with beta in place of 1 - beta, and 1 - beta in place of beta."""
    if one_minus_beta(node):
        assert isinstance(node, Binary)
        return node.right
    if _is_beta(node):
        assert isinstance(node, Expression)
        return Binary("-", ONE, node, bracketed=True)
    below = nodes.children(node)
    return nodes.with_children(node, [_swapped(child) for child in below]) if below else node
