"""Verdicts in words."""

from __future__ import annotations

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.judge import Meant
from parity_tests.derivations.latex.rewritten import latex_of
from parity_tests.derivations.latex.tree import (
    Node,
)
from parity_tests.derivations.verdicts import HOLDS, WRONG, Verdict, not_judged, teach

UNTOLD = "and which mistake it is cannot be told"
"""What is said of a doubt that has neither a convention nor a cause."""


def claim_name(claim: Claim) -> str:
    """The right side as it is written, for a sentence."""
    return claim.own if len(claim.own) < 60 else "it"


def said(claim: Claim, verdict: str, message: str, target: str = "") -> Verdict:
    """A verdict on a claim with what is said of it."""
    return not_judged(target, claim.line, claim.text, f"{claim_name(claim)} {message}.")._replace(verdict=verdict)


def held_by_the_notes(claim: Claim, read: Meant) -> Verdict:
    """That a claim holds, with the formulas of the notes that say so too."""
    target = read.frame.setting.targets.get(read.target)
    ids = target.ids(read.frame.convention.l2) if target else ()
    return said(claim, HOLDS, "holds", read.target)._replace(formula_ids=ids)


def wrong(claim: Claim, cause: str, repaired: str = "", *, message: str = "", also: str = "") -> Verdict:
    """That a claim has a mistake; ``also`` is the convention in which it holds as it is written."""
    text = f"{claim_name(claim)}: {message or teach(cause)}."
    text += f" With\n    {repaired}\nit holds." if repaired else ""
    text += f" As written it holds {also}." if also else ""
    return not_judged("", claim.line, claim.text, "")._replace(
        verdict=WRONG, line=claim.line, text=claim.text, cause=cause, causes=(cause,), repaired=repaired, message=text
    )


def equation(target: Node, right: Node) -> str:
    """An equation as LaTeX."""
    return f"{latex_of(target)} = {latex_of(right)}"
