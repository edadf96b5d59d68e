"""Formulas as text, judged line by line: by their own forward pass, in a setting, or in a convention of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parity_tests.derivations.choice import fitting, nearest_setting
from parity_tests.derivations.language.errors import source_lines
from parity_tests.derivations.lines import assigns
from parity_tests.derivations.readable import Readable, readable
from parity_tests.derivations.setting_lines import in_one_of, judge_in, unjudged
from parity_tests.derivations.settings import Setting, setting_named
from parity_tests.derivations.verdicts import UNKNOWN, WRONG, Cost, Judged, Verdict, in_order, summarised

if TYPE_CHECKING:
    from parity_tests.derivations.engine.networks import Network

MOST_NAMES = 4
"""Names that a sentence lists; lines of which a forward pass and its derivatives have at least so many."""


def judge_lines(
    derivation: str,
    setting: str | Setting | None = None,
    *,
    l2: bool = False,
    chain: bool = False,
    seed: int = 0,
    strict: bool = False,
    net: Network | None = None,
    cost: str = "",
) -> Judged:
    """The verdicts on the lines of a text; ``verify`` says how they are reached, and what is raised."""
    if net is not None:
        from parity_tests.derivations.engine.networks import verify_lines  # torch and the engine only where needed

        return verify_lines(derivation, net, seed, strict=strict)
    if cost and (setting is not None or l2 or chain):
        raise ValueError(f"cost is {cost!r}, the name of J in a text with a forward pass: expected no setting with it")
    if setting is None and not (l2 or chain):
        by_itself = _by_its_own_forward_pass(derivation, seed, strict, cost=cost)
        if by_itself is not None:
            return by_itself
    if cost:
        raise ValueError(f"cost is {cost!r}, and no line is a derivative of it")
    named = setting_named(setting) if isinstance(setting, str) else setting
    if named is not None:
        return judge_in(derivation, named, l2=l2, chain=chain, seed=seed, strict=strict)
    text = readable(derivation)
    settings = fitting(text.program, l2, text.changed)
    try:
        judged, chosen = in_one_of(derivation, settings, named=False, l2=l2, chain=chain, seed=seed, strict=strict)
    except StopIteration:
        by_itself = None if l2 or chain else _by_its_own_forward_pass(derivation, seed, strict, from_above=True)
        return by_itself or _nothing_known(text, derivation)
    if not (l2 or chain) and any(_is_another_network(row, chosen) for row in judged.lines):
        return _by_its_own_forward_pass(derivation, seed, strict, from_above=True) or judged
    return judged


def _is_another_network(row: Verdict, setting: Setting) -> bool:
    """Whether a line of the forward pass is no small change away from that of the setting."""
    target = setting.targets.get(setting.aliases.get(row.target, row.target))
    forward = target is not None and target.kind == "forward"
    return forward and row.verdict == WRONG and (row.cause == UNKNOWN or " + " in row.cause)


def _by_its_own_forward_pass(
    derivation: str, seed: int, strict: bool, *, from_above: bool = False, cost: str = ""
) -> Judged | None:
    """The answer of the engine, which needs no setting; None for a text without a forward pass."""
    if len(derivation.strip().splitlines()) < 2 and ";" not in derivation:
        return None
    from parity_tests.derivations.engine.texts import verify_text  # torch and the engine only where they are used

    return verify_text(derivation, seed, strict=strict, from_above=from_above, cost=cost)


def _nothing_known(text: Readable, derivation: str) -> Judged:
    """The answer where no setting knows the names: nothing is judged."""
    near, unknown = nearest_setting(text.program)
    first, more = sorted(unknown)[:MOST_NAMES], len(unknown) - MOST_NAMES
    names = ", ".join(first) + (f" and {more} more" if more > 0 else "")
    why = f"no setting knows every name of this derivation (the nearest, {near.name}, lacks {names})"
    assigned = (assign for statement in text.program.statements for assign in assigns(statement))
    rows = _what_fails(derivation) or in_order(
        [*(unjudged(assign, derivation, why) for assign in assigned), *text.left_out]
    )
    return Judged(derivation, Cost(""), "", "", (), rows, summarised(rows))


def _what_fails(derivation: str) -> tuple[Verdict, ...]:
    """What keeps a text with a forward pass of its own from being judged by it, line by line."""
    if len(source_lines(derivation)) < MOST_NAMES:
        return ()
    from parity_tests.derivations.engine.texts import what_fails  # torch and the engine only where they are used

    return what_fails(derivation)
