"""What a verdict rests on: the usual meaning of letters where a note shows it, and its own forward pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from parity_tests.derivations.latex.claims import Aside, Claim
from parity_tests.derivations.latex.kinds import base_of, is_about_activation, is_loss
from parity_tests.derivations.latex.own import Own, OwnForward
from parity_tests.derivations.latex.sides import NAMED_FUNCTIONS
from parity_tests.derivations.latex.symbols import COSTS, MEANINGS
from parity_tests.derivations.latex.targets import has_penalty
from parity_tests.derivations.latex.tree import Call, Derivative, Node, Operation, Symbol, mapped, symbols_of, walk
from parity_tests.derivations.latex.wording import UNTOLD, claim_name, equation, said, wrong
from parity_tests.derivations.mistakes.causes import CAUSES
from parity_tests.derivations.verdicts import DOUBTFUL, HOLDS, NO_CLAIM, NOT_JUDGED, WRONG, Verdict, not_judged, teach

COMMON = frozenset(("m", "i", "d", "e", "T", "g", "l", "L"))
"""Letters that a repair may bring along."""


def agreed(claim: Claim | Aside, own: OwnForward, place: int, usual: Callable[[], Verdict]) -> Verdict:
    """The verdict by the ``usual`` meaning of letters, and by what the note's own forward pass makes of them.

    What one of them calls right is not wrong, and letters that the note itself defines mean nothing else. Of names such
    as dW the forward pass does not say whether they are averages: there it makes nothing right that is wrong. A
    transpose that the forward pass of a written cost asks for is missing, however the examples may lie; so is anything
    else where most other derivatives are those of that cost.
    """
    judged = own.judged(place, mending=False)
    base = not_judged("", claim.line, claim.text, "")._replace(cell=claim.cell)
    named = claim_name(claim) if isinstance(claim, Claim) else "It"
    right = base._replace(verdict=HOLDS, message=f"{named} holds.")
    partial = judged is not None and judged.holds and not own.has_differentials(place, even_said=False)
    defined = base._replace(verdict=NO_CLAIM, message="A definition of the note's own.")
    if (function := _own_function(claim)) is not None and not partial:  # no setting knows what it means
        found = usual() if function.primes else defined
    else:
        found = right if partial else usual()
    plain = not own.has_own_meanings(place) or place in own.layers
    if judged is not None and (judged.written or found.verdict != HOLDS):
        known = found.verdict == WRONG and found.repaired and plain and not own.is_timed(place)
        judged = judged if known else own.judged(place)
    sure = judged is not None and judged.written and judged.cause.startswith("transpose")
    sure = sure or (judged is not None and judged.trusted and not own.has_differentials(place))
    if found.verdict in (WRONG, DOUBTFUL) and own.names_a_derivative(place):
        return defined
    if judged is None or (found.verdict == HOLDS and not sure):
        return found
    if judged.holds and ("1/m" in found.cause or (found.verdict == DOUBTFUL and own.has_averages(place))):
        return found
    if judged.holds:
        return right
    if judged.defines:
        shown = found.verdict == WRONG or (found.verdict == DOUBTFUL and UNTOLD not in found.message)
        kept = shown and plain and not own.is_followed(place)
        told = found.verdict != NOT_JUDGED or "the inverse" in found.message
        return found if kept or (judged.unused and told) else defined
    timed = judged.repaired is not None and own.is_timed(place)
    if found.verdict == WRONG and (found.repaired if judged.cause else plain) and not timed:
        return found
    if judged.cause and judged.repaired is not None:
        cause, repaired = judged.cause, equation(own.written[place].target, judged.repaired)
        text = f"{teach(cause) if cause in CAUSES else cause}. With\n    {repaired}\nit holds."
        return base._replace(verdict=WRONG, cause=cause, causes=(cause,), repaired=repaired, message=text)
    why = (
        "holds where vectors or examples lie otherwise" if judged.variant else "does not hold, whatever the mistake is"
    )
    return base._replace(verdict=DOUBTFUL, message=f"By the note's own forward pass it {why}.")


def _own_function(claim: Claim | Aside) -> Symbol | None:
    """The function on the left side of a claim, where it has a letter of the note's own."""
    target = claim.target if isinstance(claim, Claim) and not claim.identity else None
    return target.function if isinstance(target, Call) and target.function.base not in NAMED_FUNCTIONS else None


def evidenced(claims: Sequence[Claim], rows: Sequence[Verdict], own: Sequence[Own | None]) -> list[Verdict]:
    """The verdicts; "wrong" stays where most of a forward pass is read as the note means it.

    That of the claim's section, else what stands before it, else all of the note's. A repair has the note's letters,
    unless the claim's carry their layers.
    """
    forward = [(row, claim) for row, claim in zip(rows, claims, strict=True) if is_forward(claim)]
    letters = set().union(*(letters_in(claim.text) for claim in claims)) | COMMON
    done = []
    for claim, row, judged in zip(claims, rows, own, strict=True):
        shown = [each for each, other in forward if other.section == claim.section]
        shown = shown or [each for each, other in forward if other.place < claim.place]
        shown = shown or [each for each, _ in forward]
        bad = [each.line for each in shown if each.verdict in (DOUBTFUL, NOT_JUDGED)]
        sure = len(bad) < sum(each.verdict == HOLDS for each in shown) or not bad
        sure = sure or is_about_activation(claim) or bool(judged and judged.cause)
        strange = sorted(letters_in(row.repaired) - letters)
        layered = any(each.layer and not each.implied for each in symbols_of((claim.target, claim.right)))
        if row.verdict == WRONG and strange and judged is None and not (layered or is_about_activation(claim)):
            why = f"does not hold if letters mean what they usually do: {strange[0]} would, which is not in the note"
            row = row._replace(
                verdict=DOUBTFUL, cause="", causes=(), repaired="", message=f"{claim_name(claim)} {why}."
            )
        if row.verdict == WRONG and not sure:
            why = f"does not hold if letters mean what they usually do, as not in line {bad[0]}"
            row = row._replace(
                verdict=DOUBTFUL, cause="", causes=(), repaired="", message=f"{claim_name(claim)} {why}."
            )
        done.append(row)
    return done


def penalised(claims: Sequence[Claim], rows: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts; a derivative in weights that leaves out the penalty of the cost before it does not hold.

    It is wrong beside another one that has the penalty; unless an update adds it, it holds for a cost without.
    """
    done = list(rows)
    for number, (claim, row) in enumerate(zip(claims, rows, strict=True)):
        if row.verdict != HOLDS or not _is_unpenalised(claim):
            continue
        costs = [place for place, each in enumerate(claims) if base_of(each) in COSTS and not is_loss(each)]
        before = [place for place in costs if place < number][-1:]
        cost = claims[before[0]] if before else None
        if cost is None or not has_penalty(cost) or (isinstance(cost.target, Symbol) and cost.target.subscripts):
            continue
        end = min((place for place in costs if place > number), default=len(claims))
        with_penalty = [each for each in claims[before[0] + 1 : end] if has_penalty(each)]
        if any(each.adds or _names_derivatives(each) for each in with_penalty if each.place > claim.place):
            continue
        others = (_penalty(each, claim.target) for each in with_penalty if MEANINGS.get(base_of(each)) == "dW")
        if (term := next((each for each in others if each is not None), None)) is not None:
            done[number] = wrong(claim, "l2-missing", equation(claim.target, Operation("+", claim.right, term)))
        else:
            why = f"holds where J has no penalty, as it has in line {cost.line}"
            done[number] = said(claim, DOUBTFUL, why, row.target)
        done[number] = done[number]._replace(cell=claim.cell)
    return done


def _is_unpenalised(claim: Claim) -> bool:
    """Whether a whole derivative in weights has no penalty."""
    return MEANINGS.get(base_of(claim)) == "dW" and not (has_penalty(claim) or claim.adds or _names_derivatives(claim))


def _names_derivatives(claim: Claim) -> bool:
    """Whether a derivative in weights stands on the right side."""
    inner = [each.by for each in walk(claim.right) if isinstance(each, Derivative)]
    weights = any(MEANINGS.get(each.base) == "W" for each in symbols_of(tuple(inner)))
    return weights or any(MEANINGS.get(each.base) == "dW" for each in symbols_of(claim.right))


def _penalty(claim: Claim, target: Node) -> Node | None:
    """The term of a penalty that is added on the right side, with the weights of another derivative."""
    W = target.by if isinstance(target, Derivative) else target
    if isinstance(target, Symbol):
        W = replace(target, base=target.base.removeprefix("d"), written="")
    found = [each.right for each in walk(claim.right) if isinstance(each, Operation) and each.sign == "+"]
    term = next((each for each in found if any(part.base == "\\lambda" for part in symbols_of(each))), None)
    return term and mapped(
        term, lambda each: W if isinstance(each, Symbol) and MEANINGS.get(each.base) == "W" else each
    )


def letters_in(text: str) -> set[str]:
    """The letters of a formula."""
    return set(re.findall(r"(?<![A-Za-z\\])d?([A-Za-z])(?![A-Za-z])", text))


def is_forward(claim: Claim) -> bool:
    """Whether a claim gives a quantity of a forward pass, or a cost."""
    target = claim.target.function if isinstance(claim.target, Call) else claim.target
    if not isinstance(target, Symbol) or target.primes:
        return False
    return MEANINGS.get(target.base) in ("Z", "A") or target.base in COSTS
