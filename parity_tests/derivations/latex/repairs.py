"""What may be wrong with a formula: the formulas that are one change away from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from parity_tests.derivations.latex.rewritten import places, rewritings
from parity_tests.derivations.latex.symbols import COUNTS, MEANINGS
from parity_tests.derivations.latex.tree import (
    Call,
    Derivative,
    Floor,
    Negative,
    Node,
    Number,
    Operation,
    Power,
    Sum,
    Symbol,
    Transposed,
    mapped,
    symbols_of,
    walk,
    with_parts,
)

TWO, HALF = Number("2"), Operation("/", Number("1"), Number("2"))


class Known(NamedTuple):
    """What a repair may bring in: numbers such as 1/m, derivatives of activations, activations with their letters and
    derivatives, and quantities.
    """

    scalars: tuple[Node, ...] = ()
    slopes: tuple[Node, ...] = ()
    calls: tuple[tuple[Symbol | None, Call, Node], ...] = ()
    quantities: tuple[Symbol | Derivative, ...] = ()


def repairs(right: Node, target: Node | None, known: Known) -> Iterator[tuple[str, Node]]:
    """Other right sides with the mistake that each mends, the likeliest first."""
    yield "sign", Negative(right)
    yield from _without_a_number(right)
    for factor in (*known.scalars, TWO, HALF):
        yield _factor(factor), Operation("", factor, right)
    yield from _sums(right, known)
    yield "operand-order", Transposed(right)
    yield from _turned(right)
    yield from _of_functions(right, known)
    yield from rewritings(right, target)
    for factor in (TWO, HALF, *known.scalars):
        for here, put in places(right):
            if here is not right and isinstance(here, Symbol | Operation | Derivative) and not _is_inner(here, right):
                yield _factor(factor), put(Operation("", factor, here))
    yield from (("sign", put(Negative(here))) for here, put in places(right) if isinstance(here, Operation | Call))
    for slope in known.slopes:
        yield "gprime-missing", Operation("*", right, slope)
        for here, put in places(right):
            if isinstance(here, Operation | Symbol | Derivative) and here is not right:
                yield "gprime-missing", put(Operation("*", here, slope))
    yield from _other_quantities(right, known)
    yield from _terms(right)
    yield from _of_slopes(right, target)


def of_penalty(cause: str, right: Node) -> str:
    """The name of a factor that is missing or too many, where it is that of a penalty."""
    penalty = any(each.base == "\\lambda" for each in symbols_of(right))
    return "l2-factor-2" if penalty and cause in ("missing-factor", "extra-factor") else cause


def _without_a_number(right: Node) -> Iterator[tuple[str, Node]]:
    """A number that multiplies or divides left out: what is too many goes before its inverse is added."""
    for here, put in places(right):
        if not isinstance(here, Operation) or here.sign in ("+", "-"):
            continue
        if _is_number(here.right):
            yield "extra-factor", put(here.left)
        elif here.sign != "/" and _is_number(here.left):
            yield "extra-factor", put(here.right)


def _is_number(node: Node) -> bool:
    if isinstance(node, Operation) and node.sign == "/":
        return _is_number(node.left) and _is_number(node.right)
    return isinstance(node, Number)


def _factor(factor: Node) -> str:
    average = isinstance(factor, Operation) and any(each.base in COUNTS for each in symbols_of(factor))
    return "extra-factor" if factor == HALF else "missing-1/m" if average else "missing-factor"


def _sums(right: Node, known: Known) -> Iterator[tuple[str, Node]]:
    """Sums over the examples that are missing, run along another axis, or are averaged twice."""
    yield "db-not-summed", Sum("i", "1", "m", right)
    for here, put in places(right):
        if isinstance(here, Operation) and here.sign == "/":
            yield "double-1/m", put(here.left)
        if isinstance(here, Call) and here.function.base in ("sum", "np.sum") and "axis" in here.keywords:
            axis = "0" if here.keywords["axis"].strip() == "1" else "1"
            yield "db-wrong-axis", put(replace(here, keywords={**here.keywords, "axis": axis}))
        for factor in known.scalars:
            if isinstance(here, Symbol | Derivative) and not _is_inner(here, right):
                yield "db-not-summed", put(Operation("", factor, Sum("i", "1", "m", here)))


def _turned(right: Node) -> Iterator[tuple[str, Node]]:
    """Operands transposed, products with their operands turned round, transposed or taken entry by entry."""
    for here, put in places(right):
        if isinstance(here, Transposed):
            yield "transpose-extra", put(here.operand)
        elif isinstance(here, Symbol | Derivative) and not _is_inner(here, right):
            yield "transpose-missing", put(Transposed(here))
    for here, put in places(right):
        if isinstance(here, Operation) and here.sign in ("", ".", "x", "*"):
            yield "operand-order", put(replace(here, left=here.right, right=here.left))
            yield "star-for-matmul", put(replace(here, sign="." if here.sign == "*" else "*"))
            yield "operand-order", put(Transposed(here))


def _of_functions(right: Node, known: Known) -> Iterator[tuple[str, Node]]:
    """Squares and powers, and activations that are missing."""
    for here, put in places(right):
        if isinstance(here, Symbol) and not here.bare:
            yield "square-missing", put(replace(here, bare="2"))
            yield "square-missing", put(Power(here, TWO))
            yield "root-missing", put(Call(Symbol("sqrt"), (here,)))
            if here.base == "\\beta":
                yield "adam-no-power", put(Power(here, Symbol("t")))
        elif isinstance(here, Symbol) and here.bare == "2":
            yield "square-extra", put(replace(here, bare=""))
        elif isinstance(here, Power):
            if isinstance(here.base, Symbol) and here.base.subscripts and isinstance(here.exponent, Symbol):
                exponent = replace(here.exponent, subscripts=here.base.subscripts)
                yield "misprint", put(Power(replace(here.base, subscripts=()), exponent))
            for step in (-1, 1):
                other = Number(str(step)) if step > 0 else Negative(Number("1"))
                yield "power", put(replace(here, exponent=Operation("+", here.exponent, other)))
            yield "square-extra", put(here.base)
        elif isinstance(here, Operation) and here.sign in ("+", "-"):
            yield "square-missing", put(Power(here, TWO))
        for symbol, call, slope in known.calls:
            if here in call.arguments and not isinstance(here, Number):
                yield "activation-missing", put(call)
                yield "g-for-gprime", put(slope)
            if here in (symbol, call):
                yield "g-for-gprime", put(slope)
        if isinstance(here, Call) and not here.function.bare and not here.function.primes:
            yield "square-missing", put(replace(here, function=replace(here.function, bare="2")))
        if isinstance(here, Call) and here.function.base == "indicator":
            for sign in {"<", ">"} - {here.keywords["sign"]}:
                yield "wrong-operator", put(replace(here, keywords={"sign": sign}))


def _terms(right: Node) -> Iterator[tuple[str, Node]]:
    """Terms of a sum that are too many, or 1 that is missing, and quotients that are rounded down."""
    yield "missing-term", Operation("+", right, Number("1"))
    yield "floor-missing", Floor(right)
    for here, put in places(right):
        if isinstance(here, Operation) and here.sign == "/":
            yield "wrong-operator", put(replace(here, left=here.right, right=here.left))
        if isinstance(here, Operation) and here.sign in ("+", "-"):
            yield "extra-term", put(here.left)
            yield "extra-term", put(here.right)
            yield "wrong-operator", put(replace(here, sign="."))


def _of_slopes(right: Node, target: Node | None) -> Iterator[tuple[str, Node]]:
    """Slopes of activations: one in two factors that is too many, and that of a softmax taken entry by entry."""
    sides = (target.of, target.by) if isinstance(target, Derivative) else ()
    ends = tuple(each.subscripts[-1] for each in sides if isinstance(each, Symbol) and each.subscripts)
    for here, put in places(right):
        if here == Number("1") and len(set(ends)) == 2:
            yield "softmax-elementwise", put(Symbol("\\delta", subscripts=ends))
        if (
            isinstance(here, Operation)
            and isinstance(here.left, Operation)
            and not {here.sign, here.left.sign} & {*"+-/"}
        ):
            slope = here.right == Operation("-", Number("1"), here.left.right)
            yield "gprime-extra-at-output" if slope else "extra-factor", put(here.left.left)


def _is_inner(here: Node, right: Node) -> bool:
    """Whether a node stands in a derivative, where nothing can be done to it."""
    return any(isinstance(each, Derivative) and (each.of is here or each.by is here) for each in walk(right))


def _other_quantities(right: Node, known: Known) -> Iterator[tuple[str, Node]]:
    """The formulas in which one quantity is another with the same letter, or the one it is computed from."""
    found = [(here, put) for here, put in places(right) if isinstance(here, Symbol | Derivative)
             and not _is_inner(here, right)]  # fmt: skip
    for here, put in found:
        below = here.subscripts if isinstance(here, Symbol) else ()
        for step in ("t-1", "t", "t+1"):
            if any(part.startswith("t") for part in below) and step not in below:
                parts = tuple(step if part.startswith("t") else part for part in below)
                yield "wrong-step", put(with_parts(here, {"subscripts": parts}))
    for here, put in found:
        below = here.subscripts if isinstance(here, Symbol) else ()
        again = sum(each == here for each in symbols_of(right)) > 1
        for other in known.quantities:
            if isinstance(other, Derivative) or isinstance(here, Derivative):
                if other != here:
                    yield "wrong-symbol", put(other)
                continue
            same = other.base == here.base
            if other != here and len(other.subscripts) == len(below) and not other.primes:
                kinds = {MEANINGS.get(each.base) for each in (here, other)}
                cause = "wrong-layer" if same or kinds == {"X", "A"} else "wrong-symbol"
                yield cause, put(_powered(other, here.bare) if here.bare.isdigit() else other)
            if below and not same and len(other.subscripts) in (0, len(below)):
                alike = replace(other, subscripts=below)
                yield "wrong-symbol", put(_powered(alike, here.bare) if here.bare.isdigit() else alike)
                if again:  # in each place
                    yield "wrong-symbol", mapped(right, lambda each, old=here, new=alike: new if each == old else each)  # type: ignore[misc]


def _powered(symbol: Symbol, power: str) -> Node:
    if symbol.bare or (symbol.layer and not symbol.implied):
        return Power(symbol, Number(power))
    return replace(symbol, bare=power)


def scalars_in(nodes: list[Node]) -> list[Node]:
    """Numbers of a forward pass by which something may have to be multiplied."""
    found: dict[str, Node] = {}
    for each in walk(tuple(nodes)):
        if isinstance(each, Operation) and each.sign == "/":
            below = each.right
            each = Operation("/", Number("1"), below)
            if isinstance(below, Operation) and below.sign not in ("+", "-", "/") and isinstance(below.left, Number):
                whole = Operation("/", Number("1"), below.right)  # the derivative of a square over 2N
                found.setdefault(repr(whole), whole)
        elif not (isinstance(each, Symbol) and each.base in ("\\lambda", "\\gamma", "\\alpha", "\\beta")):
            continue
        found.setdefault(repr(each), each)
    return list(found.values())


def quantities_in(symbols: list[Symbol], rights: list[Node]) -> list[Symbol]:
    """The quantities of a forward pass, each once."""
    found: dict[str, Symbol] = {}
    for symbol, right in zip(symbols, rights, strict=True):
        for each in (symbol, *symbols_of(right)):
            found.setdefault(repr(replace(each, bare="")), each)
    return list(found.values())
