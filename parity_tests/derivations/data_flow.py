"""What follows from what in a setting, and what a line reads: a symbol is never evidence for itself."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.functions import FUNCTIONS
from parity_tests.derivations.language.nodes import Call, For, Index, Name, Node, Statement
from parity_tests.derivations.language.syntax import parse
from parity_tests.derivations.settings import Setting
from parity_tests.derivations.settings.setting import STATES, derivation_of

LIKE = frozenset(name for name, function in FUNCTIONS.items() if function.kind == "like")
"""Functions that look at the shape alone of what they are given."""


@cache
def follows_from(setting: Setting, symbol: str, l2: bool) -> frozenset[str]:
    """The symbol and what can be had through it alone: every right formula of these reads it, or another of them.

    A state and a parameter keep the value that they had before their line, which follows from nothing here.
    """
    ways = _ways(setting, l2)
    found: set[str] = set()
    size = -1
    while size != len(found):
        size = len(found)
        found |= {name for name, each in ways.items() if name != symbol and each <= found}
    return frozenset(name for name in ways if name not in found and setting.targets[name].kind not in STATES)


@cache
def _ways(setting: Setting, l2: bool) -> dict[str, frozenset[str]]:
    """By target, what its right formula needs among the other targets."""
    return {
        name: frozenset(
            read
            for each in reads(parse(derivation_of(name, target.formula(l2))).statements)
            if (read := setting.aliases.get(each, each)) in setting.targets
            and (setting.targets[read].kind not in STATES or read in target.after)
        )
        for name, target in setting.targets.items()
    }


def reads(statements: Iterable[Statement]) -> dict[str, int]:
    """The names whose values these statements need from outside, with the line that needs each first.

    What a statement before it assigned, a loop counts, or is asked for its shape alone is not among them.
    """
    found: dict[str, int] = {}
    assigned: set[str] = set()

    def read(node: Node, line: int) -> None:
        if isinstance(node, Name):
            if node.id not in assigned:
                found.setdefault(node.id, line)
        elif not (isinstance(node, Call) and node.function in LIKE):
            for child in nodes.children(node):
                read(child, line)

    def carry_out(statement: Statement) -> None:
        line = statement.span.line if statement.span else 0
        if isinstance(statement, For):
            read(statement.start, line)
            read(statement.stop, line)
            known = statement.variable in assigned
            assigned.add(statement.variable)
            for each in statement.body:
                carry_out(each)
            if not known:
                assigned.discard(statement.variable)
            return
        read(statement.value, line)
        if isinstance(statement.target, Index):
            for part in nodes.children(statement.target):
                read(part, line)
        elif statement.operator != "=":
            read(statement.target, line)
        if isinstance(statement.target, Name):
            assigned.add(statement.target.id)

    for statement in statements:
        carry_out(statement)
    return found
