"""What may be wrong with a formula of a note's own quantities: the formulas that are one change away from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.own_forward import Forward, is_hidden
from parity_tests.derivations.latex.rewritten import places, rewritings
from parity_tests.derivations.latex.tree import (
    Call,
    Derivative,
    Negative,
    Node,
    Number,
    Operation,
    Power,
    Symbol,
    Transposed,
    symbols_of,
    walk,
    with_parts,
)


def repairs(claim: Claim, forward: Forward) -> Iterator[tuple[str, Node]]:
    """Other right sides with the mistake that each mends, the likeliest first."""
    right = claim.right
    yield "sign", Negative(right)
    halves: list[Node] = [Number("2"), Operation("/", Number("1"), Number("2"))]
    for factor in halves:
        yield "missing-factor" if factor == Number("2") else "extra-factor", Operation("", factor, right)
    for here, put in places(right):
        if isinstance(here, Transposed):
            yield "transpose-extra", put(here.operand)
        elif isinstance(here, Symbol | Derivative) and not _is_inner(here, right):
            yield "transpose-missing", put(Transposed(here))
        if isinstance(here, Operation) and here.sign in ("", ".", "x"):
            yield "operand-order", put(replace(here, left=here.right, right=here.left))
            yield "star-for-matmul", put(replace(here, sign="*"))
    calls = [each for other in forward.definitions.values() for each in walk(other.right)
             if isinstance(each, Call) and len(each.arguments) == 1]  # fmt: skip
    for here, put in places(right):
        if isinstance(here, Symbol) and not here.bare:
            yield "square-missing", put(replace(here, bare="2"))
        elif isinstance(here, Symbol) and here.bare == "2":
            yield "square-extra", put(replace(here, bare=""))
        elif isinstance(here, Power):
            for step in (-1, 1):
                yield (
                    "power",
                    put(
                        replace(
                            here,
                            exponent=Operation(
                                "+", here.exponent, Number(str(step)) if step > 0 else Negative(Number("1"))
                            ),
                        )
                    ),
                )
        for call in calls:
            if call.arguments[0] == here:
                yield "activation-missing", put(call)
        if isinstance(here, Call) and not here.function.bare and not here.function.primes:
            yield "square-missing", put(replace(here, function=replace(here.function, bare="2")))
        activation = next((each.right for each in forward.definitions.values() if each.symbol == here), None)
        if isinstance(activation, Call) and len(activation.arguments) == 1:
            yield "g-for-gprime", put(Call(replace(activation.function, primes=1), activation.arguments))
    yield from rewritings(right, claim.target)
    factors = [*halves, *_scalars(forward)]
    for factor in factors:
        cause = "missing-factor"
        yield cause, Operation("", factor, right)
        for here, put in places(right):
            if here is not right and isinstance(here, Symbol | Operation | Derivative) and not _is_inner(here, right):
                yield cause, put(Operation("", factor, here))
    yield from (("sign", put(Negative(here))) for here, put in places(right) if isinstance(here, Operation))
    for slope in _slopes(forward):
        yield "gprime-missing", Operation("*", right, slope)
        for here, put in places(right):
            if isinstance(here, Operation | Symbol | Derivative) and here is not right:
                yield "gprime-missing", put(Operation("*", here, slope))
    yield from _other_quantities(right, forward)


def _is_inner(here: Node, right: Node) -> bool:
    """Whether a node stands in a derivative, where nothing can be done to it."""
    return any(isinstance(each, Derivative) and (each.of is here or each.by is here) for each in walk(right))


def _other_quantities(right: Node, forward: Forward) -> Iterator[tuple[str, Node]]:
    """The formulas in which one quantity is another with the same letter, or the one it is computed from."""
    symbols: dict[str, Symbol] = {}
    for each in forward.definitions.values():
        for symbol in (each.symbol, *symbols_of(each.right)):
            if not is_hidden(symbol):
                symbols.setdefault(repr(replace(symbol, bare="")), symbol)
    for here, put in places(right):
        if not isinstance(here, Symbol):
            continue
        for step in ("t-1", "t", "t+1"):
            if any(part.startswith("t") for part in here.subscripts) and step not in here.subscripts:
                parts = tuple(step if part.startswith("t") else part for part in here.subscripts)
                yield "wrong-step", put(replace(here, subscripts=parts))
        for other in symbols.values():
            same = other.base == here.base
            if other != here and len(other.subscripts) == len(here.subscripts) and not other.primes:
                yield "wrong-layer" if same else "wrong-symbol", put(replace(other, bare=here.bare or other.bare))
            if other.subscripts and other != here and not same and len(other.subscripts) == len(here.subscripts):
                yield "wrong-symbol", put(with_parts(other, {"subscripts": here.subscripts}))


def _scalars(forward: Forward) -> Iterator[Node]:
    """Numbers of the forward pass by which something may have to be multiplied."""
    seen = set[str]()
    for each in forward.definitions.values():
        for node in walk(each.right):
            if isinstance(node, Operation) and node.sign == "/":
                found: Node = Operation("/", Number("1"), node.right)
            elif isinstance(node, Symbol) and node.base in ("\\lambda", "\\gamma", "\\alpha", "\\beta"):
                found = node
            else:
                continue
            if repr(found) not in seen:
                seen.add(repr(found))
                yield found


def _slopes(forward: Forward) -> Iterator[Node]:
    """The derivatives of the activations of the forward pass."""
    for each in forward.definitions.values():
        for node in walk(each.right):
            if (
                isinstance(node, Call)
                and len(node.arguments) == 1
                and node.function.base not in ("log", "exp", "sqrt", "sum", "diag")
            ):
                yield Call(replace(node.function, primes=1), node.arguments)
