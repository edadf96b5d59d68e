"""A repaired formula in its plain form: nothing that its repair brought in is superfluous."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from parity_tests.derivations.data_flow import LIKE
from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.nodes import (
    Assign,
    Binary,
    Expression,
    Name,
    Node,
    Number,
    Path,
    Program,
    Transpose,
    Unary,
)
from parity_tests.derivations.mistakes.context import values
from parity_tests.derivations.mistakes.program_rules import rewritten

ZERO, ONE = Number(0.0), Number(1.0)


def simplified(node: Node, written: Node, holds: Callable[[Node], bool]) -> Node:
    """The formula without what ``written`` lacks and ``holds`` does not need, and without factors of 1 and the like.

    Only what the repair brought in is left out: a part of the writer's own formula stays, needed or not, unless its
    value plays no part: in ``np.zeros_like(b / alpha)`` only the shape counts, and ``-np.zeros_like(b)`` is zero.
    """
    node = _accepted(tidy(node), node, holds)
    while True:
        shorter = next((each for each in _shorter(node, written) if holds(each)), None)
        if shorter is None:
            return node
        node = _accepted(tidy(shorter), shorter, holds)


def _accepted(new: Node, node: Node, holds: Callable[[Node], bool]) -> Node:
    return new if new == node or holds(new) else node


def _shorter(node: Node, written: Node) -> Iterator[Node]:
    """The formula with a part in place of a whole that the writer did not write, the shortest first.

    Where only the shape counts, the writer's own wholes give way too, and to any name that the formula reads.
    """
    own = {here for _, here in nodes.walk(written)}
    lent = frozenset(_lent(node))
    found = [
        nodes.replace(node, path, part)
        for path, part in _parts(node)
        if (whole := nodes.at(node, path)) not in own or _is_zero(whole) or (path in lent and nodes.names(part))
    ]
    found += [
        tidy(nodes.replace(node, path, _without_numbers(whole))) for path, whole in values(node) if whole not in own
    ]
    names = [Name(name) for name in sorted(nodes.names(node).difference(nodes.targets(node)))]
    found += [nodes.replace(node, path, name) for path in sorted(lent) for name in names]
    size = nodes.size(node)
    yield from sorted((each for each in found if nodes.size(each) < size), key=nodes.size)


def _lent(node: Node) -> Iterator[Path]:
    """The places of formulas, but not of names, that only lend their shape."""
    for path, here in values(node):
        if isinstance(here, nodes.Call) and here.function in LIKE:
            yield from ((*path, *inner) for inner, part in values(here) if inner and nodes.children(part))


def _is_zero(node: Node) -> bool:
    """Whether a formula is zero, whatever the numbers are."""
    match node:
        case nodes.Call("zeros" | "zeros_like"):
            return True
        case Unary(inner) | Transpose(inner) | Binary("/" | "**", inner, _):
            return _is_zero(inner)
        case Binary("*" | "@", left, right):
            return _is_zero(left) or _is_zero(right)
    return False


def _parts(node: Node) -> Iterator[tuple[Path, Expression]]:
    """Every formula at any depth inside an arithmetic one, with the place of the latter."""
    for path, here in values(node):
        if isinstance(here, Binary | Unary | Transpose | nodes.Call):
            for inner, part in values(here):
                if inner:
                    yield path, part


def meant_by(written: Node, batch: str) -> Callable[[Node], bool]:
    """Whether a repair of ``written`` is one that somebody may mean.

    Nobody means x = x, a sum with one term twice, as x + x, x - x or x + (x + y), a factor that is divided away again,
    or a second division by the number of examples.
    """
    over = Name(batch)
    repeated, cancelled, averaged = _repeated(written), _cancelled(written), _times_divided(written, over)

    def meant(node: Node) -> bool:
        if _needless(node) != _idle(node) or not _repeated(node) <= repeated:
            return False
        return _cancelled(node) <= cancelled and _times_divided(node, over) <= max(1, averaged)

    return meant


def _idle(node: Node) -> list[Assign]:
    """The statements ``x = x``."""
    assigned = [here for _, here in nodes.walk(node) if isinstance(here, Assign)]
    return [each for each in assigned if each.operator == "=" and each.target == each.value]


def _needless(node: Node) -> list[Assign]:
    """Of these, those beside which another statement gives x its value."""
    idle = _idle(node)
    given = {here.target for _, here in nodes.walk(node) if isinstance(here, Assign) and here not in idle}
    return [each for each in idle if each.target in given]


def _repeated(node: Node) -> frozenset[Node]:
    """The terms that a sum has twice or more, numbers aside."""
    sums = (Counter(term for _, term in _terms(here)) for _, here in nodes.walk(node) if isinstance(here, Binary))
    return frozenset(term for terms in sums for term, times in terms.items() if times > 1 and term != ONE)


def _terms(whole: Expression, sign: float = 1.0) -> Iterator[tuple[float, Expression]]:
    """The terms of a sum, each with the number that it is multiplied by; numbers are multiples of 1."""
    match whole:
        case Binary("+" | "-", left, right):
            yield from _terms(left, sign)
            yield from _terms(right, -sign if whole.operator == "-" else sign)
        case Unary(inner):
            yield from _terms(inner, -sign)
        case Transpose(Binary("+" | "-") as inner, ()):
            yield from ((factor, term if term == ONE else Transpose(term)) for factor, term in _terms(inner, sign))
        case Binary("*", Number(factor), term) | Binary("*", term, Number(factor)):
            yield sign * factor, term
        case Number(number):
            yield sign * number, ONE
        case _:
            yield sign, whole


def _cancelled(node: Node) -> frozenset[Node]:
    """What a product has as a factor above and below the line, numbers aside."""
    products = (_factors(here) for _, here in nodes.walk(node) if isinstance(here, Binary))
    both = {each for above, below in products for each in above if each in below}
    return frozenset(each for each in both if not isinstance(each, Number))


def _times_divided(node: Node, divisor: Node) -> int:
    """How often a product of a formula is divided by something, at the most."""
    below = (_factors(here)[1] for _, here in nodes.walk(node) if isinstance(here, Binary))
    return max((factors.count(divisor) for factors in below), default=0)


def _factors(node: Node) -> tuple[list[Node], list[Node]]:
    """The factors of a product above the line and below it; a power counts as its base."""
    match node:
        case Binary("*" | "@", left, right):
            (above, below), (more, less) = _factors(left), _factors(right)
        case Binary("/", left, right):
            (above, below), (less, more) = _factors(left), _factors(right)
        case Binary("**", inner, _) | Unary(inner) | Transpose(inner):
            return _factors(inner)
        case _:
            return [node], []
    return above + more, below + less


def tidy(node: Node) -> Node:
    """The same formula without what cancels.

    ``1 * x``, ``x**1``, ``0 - x``, ``x + 0``, ``- -x``, ``a + -b``, ``(c - 1) * x + x``, ``1 - (1 - x)``,
    ``a * (b / a)``, ``A.T.T`` and the like.
    """
    return rewritten(node, _plain)


def _plain(node: Node) -> Node:
    match node:
        case Program(statements) if needless := _needless(node):
            return Program(tuple(each for each in statements if each not in needless))
        case Assign(value=Binary(bracketed=True) as value):
            return replace(node, value=replace(value, bracketed=False))
        case Unary(Unary(inner)) | Transpose(Transpose(inner, ()), ()):
            return inner
        case Transpose(Number() as number):
            return number
        case Binary("**", left, Number(1.0)) | Binary("**", Number(1.0) as left, Number()):
            return left
        case Binary("*" | "/", left, Number(1.0)):
            return left
        case Binary("*", Number(1.0), right):
            return right
        case Binary("+" | "-", left, Number(0.0)):
            return left
        case Binary("+", Number(0.0), right):
            return right
        case Binary("-", Number(0.0), right):
            return _plain(Unary(right))
        case Binary("+" | "-", left, right) if (positive := _without_minus(right)) is not None:
            return _plain(replace(node, operator="-" if node.operator == "+" else "+", right=positive))
        case Binary("+" | "-") if (collected := _collected(node) or _balanced(node)) is not None:
            return collected
        case Binary("*" | "/") if (divided := _divided(node)) is not None:
            return tidy(divided)
        case Binary("/", Number(1.0), Binary("/", Number(1.0), inner)):
            return inner
    return node


def _without_minus(term: Expression) -> Expression | None:
    """A term that begins with a minus, without it; None for any other."""
    if isinstance(term, Unary):
        return term.operand
    if isinstance(term, Binary) and term.operator in "*@/" and term.form == "operator":
        left = _without_minus(term.left)
        return None if left is None else replace(term, left=left)
    return None


def _collected(whole: Binary) -> Expression | None:
    """c x for (c - 1) x + x, x + (c - 1) x, (c + 1) x - x and x - (1 - c) x, whichever factor stands first."""
    for product, term in ((whole.left, whole.right), (whole.right, whole.left)):
        if not (isinstance(product, Binary) and product.operator == "*" and term in (product.left, product.right)):
            continue
        factor = product.left if term == product.right else product.right
        match whole.operator, product is whole.left, factor:
            case ("+", _, Binary("-", c, Number(1.0))) | ("-", True, Binary("+", c, Number(1.0))):
                return Binary("*", c, term)
            case ("-", False, Binary("-", Number(1.0), c)):
                return Binary("*", c, term)
    return None


def _balanced(whole: Binary) -> Expression | None:
    """A sum in which a term stands with a plus and with a minus, each term once; None for any other, and for 0."""
    terms = list(_terms(whole))
    if not any(one == other and factor * more < 0 for factor, one in terms for more, other in terms):
        return None
    total: dict[Expression, float] = {}
    for factor, term in terms:
        total[term] = total.get(term, 0.0) + factor
    found: Expression | None = None
    for term, factor in sorted(total.items(), key=lambda each: each[1] < 0):
        size = abs(factor)
        part = Number(size) if term == ONE else term if size == 1 else Binary("*", Number(size), term)
        if factor and found:
            found = Binary("+" if factor > 0 else "-", found, part)
        elif factor:
            found = part if factor > 0 else Unary(part)
    return found


def _divided(whole: Binary) -> Expression | None:
    """A product without a factor that stands above the line and below it."""
    places = list(_factor_places(whole, (), above=True))
    for path, above in places:
        for other, below in places:
            same = nodes.at(whole, path) == nodes.at(whole, other)
            if above and not below and same and not isinstance(nodes.at(whole, path), Number):
                return nodes.replace(nodes.replace(whole, path, ONE), other, ONE)  # type: ignore[return-value]
    return None


def _without_numbers(whole: Expression) -> Expression:
    """A product without its numbers, where these come to 1: ``2 * (a * (0.5 * b))``."""
    places = [(path, above) for path, above in _factor_places(whole, (), above=True)]
    numbers = [(path, each.value, above) for path, above in places if isinstance(each := nodes.at(whole, path), Number)]
    product = 1.0
    for _, value, above in numbers:
        product = product * value if above else product / (value or float("inf"))
    if product != 1:
        return whole
    for path, *_ in numbers:
        whole = nodes.replace(whole, path, ONE)  # type: ignore[assignment]
    return whole


def _factor_places(node: Node, path: Path, *, above: bool) -> Iterator[tuple[Path, bool]]:
    """The places of the factors of a product of entries, and whether each stands above the line."""
    match node:
        case Binary("*" | "/", left, right):
            yield from _factor_places(left, (*path, 0), above=above)
            yield from _factor_places(right, (*path, 1), above=above == (node.operator == "*"))
        case Unary(inner):
            yield from _factor_places(inner, (*path, 0), above=above)
        case _:
            yield path, above
