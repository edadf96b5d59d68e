"""Which cost the comments of a derivation speak of, where it is another than that of the setting."""

from __future__ import annotations

import re

FAMILIES = {
    "the squared error": re.compile(r"(square|quadratic)\w*[ -](error|loss|cost)|\bmse\b|least[ -]squares", re.I),
    "the cross-entropy": re.compile(r"cross[ -]?entropy|log[ -]?loss|\bbce\b|\bnll\b|log[ -]likelihood", re.I),
}
"""The costs, and what they are called."""

_IN_A_FORMULA = {"the squared error": re.compile(r"\*\*\s*2|\^2|squared error"), "the cross-entropy": re.compile("log")}


def another_cost(derivation: str, cost: str) -> str:
    """The sentence on a derivation whose comments name a cost, and not that of ``cost``, the setting's J; else ""."""
    comments = " ".join(row.partition("#")[2] for row in derivation.splitlines())
    named = [family for family, words in FAMILIES.items() if words.search(comments)]
    own = [family for family, formula in _IN_A_FORMULA.items() if formula.search(cost.partition(";")[0])]
    if len(own) != 1 or not named or own[0] in named:
        return ""
    return f"a comment speaks of {named[0]}, and J is {own[0]}: which is meant decides whether this line is right"
