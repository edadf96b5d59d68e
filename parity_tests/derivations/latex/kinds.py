"""Kinds of claims: about a loss, an activation, a step of training; whether they depend on the cost or the layout."""

from __future__ import annotations

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.style import Style
from parity_tests.derivations.latex.symbols import (
    COSTS,
    MEANINGS,
    UNITS,
)
from parity_tests.derivations.latex.tree import (
    Call,
    Derivative,
    Number,
    Operation,
    Sum,
    Symbol,
    Transposed,
    symbols_of,
    walk,
)


def is_loss(claim: Claim) -> bool:
    """Whether a claim is about the loss of one example: L(a, y) without a sum over the examples."""
    target = claim.target.function if isinstance(claim.target, Call) else claim.target
    return isinstance(target, Symbol) and target.base in COSTS and target.base != "J" and claim.many < 9


def has_labels(claim: Claim) -> bool:
    """Whether the targets of the network stand in a claim."""
    found = symbols_of((claim.target, claim.right))
    return any(MEANINGS.get(each.base) == "Y" and not each.accents for each in found)


def is_about_activation(claim: Claim) -> bool:
    """Whether what is claimed is an activation or its derivative."""
    target = claim.target
    if isinstance(target, Call):
        return target.function.base not in COSTS or target.function.primes > 0
    if isinstance(target, Derivative):
        of = target.of.function if isinstance(target.of, Call) else target.of
        by = target.by
        if not (isinstance(by, Symbol) and by.base in ("z", "Z", "x", "t", "u") and not by.subscripts):
            return False
        return of is None or (isinstance(of, Symbol) and (of.base not in COSTS or of.base in "gfS"))
    if isinstance(target, Symbol):
        names = {each.base for each in symbols_of(claim.right)}
        about = target.base in ("a", "g", "f", "\\sigma", "S", "y", "tanh") and not target.subscripts
        about = about and not any(each.accents for each in symbols_of(claim.right))
        return about and (bool(target.primes) or not names & {"w", "W", "b", "Y"})
    return False


def is_step_of_training(claim: Claim) -> bool:
    """Whether a claim is about an optimizer with a state."""
    found = symbols_of((claim.target, claim.right))
    return any(
        each.base == "\\beta" or (each.base in "SVsv" and any("d" in part for part in each.subscripts))
        for each in found
    )


def has_layers_of_two_kinds(claim: Claim, style: Style) -> bool:
    """Whether values and parameters stand together, each with a layer."""
    found = [each for each in symbols_of((claim.target, claim.right)) if style.layer_of(each)]
    kinds = {MEANINGS.get(each.base, "")[-1:] for each in found}
    return bool(kinds & {"W", "b"}) and bool(kinds & {"Z", "A"})


def unit_of(claim: Claim) -> str:
    """The activation that a claim says a layer to have."""
    right = claim.right
    if isinstance(right, Call) and right.function.base == "max" and Number("0") in right.arguments:
        return "relu"
    is_value = MEANINGS.get(base_of(claim), "") == "A" or getattr(claim.target, "accents", None)
    return UNITS.get(right.function.base, "") if isinstance(right, Call) and is_value else ""


def names_a_unit(claim: Claim) -> bool:
    """Whether a claim may hold for one hidden activation alone: its slope is written out, or it is named."""
    labels = any(MEANINGS.get(each.base) == "Y" and not each.accents for each in symbols_of(claim.right))
    weighed = any(MEANINGS.get(each.base) == "W" for each in symbols_of(claim.right))  # behind the labels' layer
    return (weighed or not labels) and base_of(claim) not in ("J", "L", "C", "E") and any(
        (isinstance(each, Call) and each.function.base in (*UNITS, "max"))
        or (isinstance(each, Operation) and each.sign == "-" and isinstance(each.left, Number | Symbol)
            and getattr(each.left, "text", getattr(each.left, "base", "")) in ("1", "\\ones"))
        for each in walk(claim.right)
    )  # fmt: skip


def depends_on_units(claim: Claim) -> bool:
    """Whether the truth of a claim may depend on the activations: not where it only adds and multiplies quantities."""
    counts = {id(each.left) for each in walk(claim.right) if isinstance(each, Operation) and each.sign == "/"}
    plain = (Symbol, Operation, Transposed, Sum, Derivative)
    return isinstance(claim.right, Symbol) or any(
        not (isinstance(each, plain) or id(each) in counts)
        or (isinstance(each, Symbol) and bool(each.primes or each.bare))
        for each in walk((claim.target, claim.right))
    )


def has_complement(claim: Claim) -> bool:
    """Whether 1 - y stands in a claim: then there is no softmax."""
    return any(
        isinstance(each, Operation) and each.sign == "-" and isinstance(each.left, Number)
        and isinstance(each.right, Symbol) and each.right.base in ("y", "Y")
        for each in walk(claim.right)
    )  # fmt: skip


def depends_on_cost(claim: Claim) -> bool:
    """Whether the truth of a claim depends on which cost there is."""
    used = {MEANINGS.get(each.base, "") for each in symbols_of(claim.right) if not each.accents}
    linear = isinstance(claim.right, Symbol) and MEANINGS.get(claim.right.base) == "Z"
    shares = any(isinstance(each, Sum) for each in walk(claim.right))
    shares = (shares or linear) and (MEANINGS.get(base_of(claim), "") == "A" or base_of(claim) in ("y", "Y"))
    return "Y" in used or shares or base_of(claim) in ("J", "L")


def base_of(claim: Claim) -> str:
    """The letter on the left side; of a derivative of the cost that of dW, dz, ..."""
    target = getattr(claim.target, "function", claim.target)
    if isinstance(target, Derivative):
        by = target.by
        return f"d{by.base.removeprefix(chr(92))}" if isinstance(by, Symbol) else ""
    return target.base if isinstance(target, Symbol) else ""


def names_products(claim: Claim) -> bool:
    """Whether a claim depends on the layout."""
    return any(MEANINGS.get(each.base, "") in ("W", "dW") for each in symbols_of((claim.target, claim.right))) or any(
        type(each).__name__ == "Transposed" for each in walk(claim.right)
    )


def is_of_a_sum(claim: Claim) -> bool:
    """Whether a claim is about a derivative of what may be the sum of the losses."""
    of = claim.target.of if isinstance(claim.target, Derivative) else None
    return isinstance(of, Symbol) and of.base in COSTS and of.base != "J"
