"""The sides of an equation: their trees, which of them is claimed, and whether they speak of m examples."""

from __future__ import annotations

import re

from parity_tests.derivations.latex.parser import parsed
from parity_tests.derivations.latex.statements import Statement
from parity_tests.derivations.latex.symbols import COSTS, COUNTS, LARGE, RATES, SMALL, UNITS
from parity_tests.derivations.latex.tokens import Token, sizes_in, written
from parity_tests.derivations.latex.tree import (
    Call,
    Cases,
    Derivative,
    Node,
    NotReadError,
    Number,
    Operation,
    Sum,
    Symbol,
    mapped,
    symbols_of,
    walk,
)


def tree_of(part: tuple[Token, ...]) -> tuple[Node | None, str]:
    """The tree of a part, or why there is none."""
    tokens = [each for each in part if each.text != "&"] if not any(_opens(each) for each in part) else list(part)
    while tokens and tokens[-1].text in (".", ",", ";"):
        tokens = tokens[:-1]
    tokens = _without_shape(tokens)
    if not tokens:
        return None, ""
    try:
        return parsed(tokens), ""
    except NotReadError as error:
        return None, str(error)
    except IndexError:
        return None, "it breaks off"


def _without_shape(tokens: list[Token]) -> list[Token]:
    """The tokens of a formula without the shape behind it: ``W^T dz (n, m)``."""
    for place in range(1, len(tokens)):
        if tokens[place].text == "(" and "n" in (text := written(tokens[place:])) and sizes_in(text):
            return tokens[:place]
    return tokens


def _opens(token: Token) -> bool:
    return token.text.startswith("\\begin{")


NAMED_FUNCTIONS = (*COSTS, *UNITS, "g", "f", "\\sigma", "\\phi", "S", "h")
"""Functions that mean what they usually do."""

_NO_TARGETS = frozenset(["\\lambda", "\\beta", "\\ones", *"eijklfspcN"])


def is_target(node: Node) -> bool:
    """Whether a part names a quantity that a formula can be given for."""
    if isinstance(node, Symbol):
        if node.base == "n":
            return bool(node.layer or node.subscripts)
        if node.base in "msvrVSM" and re.fullmatch(r"t(?:\+1)?|d[Wwb]", "".join(node.subscripts[-1:])):
            return True  # the state of an optimizer, at a step or by its gradient
        if node.base in (*COUNTS, *RATES, *_NO_TARGETS):
            return bool(node.layer) and node.base not in COUNTS
        return node.base != "L" or not node.layer
    if isinstance(node, Derivative):
        return True
    if isinstance(node, Call):
        return node.function.base in NAMED_FUNCTIONS
    return False


def is_number(node: Node) -> bool:
    """Whether a part is made of numbers alone."""
    return not any(isinstance(each, Symbol | Derivative | Cases) for each in walk(node))


def is_assumption(target: Node, right: Node) -> bool:
    """Whether two quantities are set equal: g(z) = z for what follows, A0 = X."""
    if not isinstance(target, Symbol) or not isinstance(right, Symbol):
        return False
    inputs = target.base in ("x", "X") or target.layer == "0"
    return inputs or (target.base in "aAh" and right.base in "zZxX" and not right.accents)


def divides(target: Node, right: Node) -> bool:
    """``dw = dw / m``."""
    return isinstance(right, Operation) and right.sign == "/" and right.left == target


def with_counts(target: Node, right: Node) -> Node:
    """A cost with m for the one large number by which its sums are divided: that of the examples."""
    numbers = {each.text for each in walk(right) if isinstance(each, Number) and re.fullmatch(r"[1-9]\d\d+", each.text)}
    named = target.function if isinstance(target, Call) else target
    sums = any(isinstance(each, Sum) for each in walk(right))
    if not (sums and len(numbers) == 1 and isinstance(named, Symbol) and named.base in COSTS):
        return right
    count = Symbol("m", written=numbers.pop())
    return mapped(right, lambda each: count if each == Number(count.written) else each)


_AVERAGE = re.compile(
    r"\\[dt]?frac\s*\{?\s*[12]\s*\}?\s*\{?\s*2?\s*[mMN]\b|1\s*/\s*[mMN]\b|\\[dt]?frac\s*\{?1\}?\s*\{?2?n\b(?!_)|\}\s*\{\s*[mM]\s*\}|/\s*[mM]\b"
)


def speaks_of_many(statement: Statement, nodes: tuple[Node, ...], *, adds: bool) -> int:
    """How much a statement speaks of m examples: below 0 it speaks of one."""
    text = statement.text
    found = symbols_of(nodes)
    sums = [each for each in walk(nodes) if isinstance(each, Sum)]
    if adds:
        return -9
    if _AVERAGE.search(text) or re.search(r"axis\s*=|keepdims|\bsum\s*\(", text):
        return 9
    if any(each.upper in ("m", "M", "N") for each in sums) or any(each.base == "\\ones" for each in found):
        return 9
    if re.search(r"\bm\b|\\times\s*m", statement.aside):
        return 5
    if any(each.round == "i" for each in found) and not sums:
        return -9
    large = any(each.base in LARGE for each in found)
    small = any(each.base in SMALL and not (each.base == "y" and large) for each in found)
    return 2 * large - 2 * small
