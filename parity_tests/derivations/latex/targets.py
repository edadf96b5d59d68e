"""What a claim is about in a setting: the name of its left side, and letters in the place of numbers of units."""

from __future__ import annotations

from copy import deepcopy

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.style import Style
from parity_tests.derivations.latex.symbols import (
    ACTIVATION,
    COSTS,
    LOGISTIC,
    MEANINGS,
    NETWORK,
    SIZE,
    Frame,
)
from parity_tests.derivations.latex.tree import (
    Call,
    Derivative,
    Node,
    NotReadError,
    Symbol,
    symbols_of,
)
from parity_tests.derivations.latex.usual import Usual


def has_penalty(claim: Claim) -> bool:
    """Whether the factor of a penalty stands in a claim."""
    return any(each.base == "\\lambda" for each in symbols_of((claim.target, claim.right)))


def with_letters(claim: Claim, style: Style) -> Claim:
    """z_1 = ... of the first unit as what it says of every unit: numbers of units become letters, and a_in and
    delta_out are entries.
    """
    inner = claim.target.by if isinstance(claim.target, Derivative) else claim.target
    if not isinstance(inner, Symbol):
        return claim
    found = symbols_of((claim.target, claim.right))
    if any({"in", "out"} & set(each.subscripts) for each in found):
        claim = claim._replace(target=deepcopy(claim.target), right=deepcopy(claim.right))
        for each in symbols_of((claim.target, claim.right)):
            if MEANINGS.get(each.base) in ("W", "dW") and not each.subscripts:
                each.subscripts = ("j", "k")
            elif each.subscripts in (("in",), ("out",)):
                each.subscripts += ("k",) if each.subscripts == ("in",) else ("j",)
        return claim
    numbers = [each for each in style.indices_of(inner) if each.isdigit()]
    if not numbers or not style.layer_of(inner):
        return claim
    letters = dict(zip(numbers, "pqrs", strict=False))
    claim = claim._replace(target=deepcopy(claim.target), right=deepcopy(claim.right))
    for each in symbols_of((claim.target, claim.right)):
        below = style.indices_of(each)
        kept = each.subscripts[: len(each.subscripts) - len(below)]
        each.subscripts = (*kept, *(letters.get(index, index) for index in below))
    return claim


def target_of(node: Node, frame: Frame) -> str:
    """The setting's name of what is claimed."""
    reader = Usual(frame)
    if frame.family == SIZE:
        return "n_H"
    if isinstance(node, Symbol):
        if node.primes and frame.family != ACTIVATION:
            raise NotReadError("the left side is no quantity that is computed")
        return frame.name_of(node)
    if isinstance(node, Derivative):
        return reader.derivative_name(node)
    if isinstance(node, Call):
        if node.function.base in COSTS and not node.function.primes:
            return "J"
        if frame.family in (NETWORK, LOGISTIC) and node.function.base in ("h", "f") and not node.function.primes:
            reader.value(node, {})
            return reader.output if isinstance(node.arguments[0], Symbol) else "A"  # h(x) is the output
        if frame.family == ACTIVATION and node.arguments:
            inner = node.arguments[0]
            if not (isinstance(inner, Symbol) and frame.name_of(inner) == "z"):
                raise NotReadError("an activation of something else than z")
            return "g_prime" if node.function.primes else "a"
    raise NotReadError("the left side is no quantity that is computed")
