"""Formulas as text, judged line by line in a setting, or in a convention of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

from parity_tests.derivations.choice import Choice, choose, left
from parity_tests.derivations.engine import symbols
from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.budget import Effort
from parity_tests.derivations.language.nodes import Assign
from parity_tests.derivations.line_verdict import TURNED, judge_line, matrices_read, right_when_turned
from parity_tests.derivations.lines import Line, Written, accounted, base_name, judged_lines, line_number, row_of
from parity_tests.derivations.mistakes.diagnosis import ALL_STEPS
from parity_tests.derivations.readable import Readable, readable
from parity_tests.derivations.said_cost import another_cost
from parity_tests.derivations.settings import Setting
from parity_tests.derivations.settings.setting import cost_text, layout_text, probe_of
from parity_tests.derivations.verdicts import (
    HOLDS,
    NOTES_CONVENTION,
    REFEREES,
    WRONG,
    Cost,
    Judged,
    Verdict,
    in_order,
    not_judged,
    summarised,
)

PROBES = 5
"""How many probes a line is judged on, each of other sizes."""

FEW = 2
"""On how many of them a convention is tried."""

MOST_LINES = 40
"""Lines of a derivation that may each give one symbol its value."""

PROBES_OF_VOLUMES = 3
"""The same where formulas are loops over the windows of volumes, and a search has a small probe of its own."""


def judge_in(
    derivation: str,
    setting: Setting,
    *,
    l2: bool = False,
    chain: bool = False,
    seed: int = 0,
    strict: bool = False,
) -> Judged:
    """The verdicts on the lines of a text in a setting, or in a convention of it."""
    return in_one_of(derivation, [setting], named=True, l2=l2, chain=chain, seed=seed, strict=strict)[0]


def in_one_of(
    derivation: str, settings: Iterable[Setting], *, named: bool, l2: bool, chain: bool, seed: int, strict: bool
) -> tuple[Judged, Setting]:
    """The verdicts in the one of several settings in which most holds, and that setting; ``named`` if it was said.

    Raises StopIteration where there is none.
    """
    text = readable(derivation)
    seen: dict[Setting, tuple[list[Verdict], int]] = {}
    unread = {each.line for each in text.left_out}

    def standing(each: Setting) -> list[Verdict]:
        seen[each] = lines_in(each, derivation, l2, seed=seed, diagnose=False)
        return [row for row in seen[each][0] if row.line not in unread]

    def glance(each: Setting) -> list[Verdict]:
        for most in range(1, FEW + 1):  # what fails on the first numbers needs no others
            rows, _ = lines_in(each, derivation, l2, seed=seed, diagnose=False, most=most)
            if left(rows) == len(rows):
                break
        return [row for row in rows if row.line not in unread]

    names = nodes.names(text.program)
    choice = choose(settings, standing, glance, names, strict=strict, partly=bool(unread))
    rows, helpers = seen.get(choice.setting, ([], 0))
    if chain or not rows or left(rows):
        rows, helpers = lines_in(choice.setting, derivation, l2, chain=chain, seed=seed, diagnose=True)
    unread_cost = next((each for each in text.left_out if symbols.COSTS.search(each.target)), None)
    if not named and unread_cost is not None:
        why = f"J is given in line {unread_cost.line}, which cannot be read"
        rows = [_not_judged_since(row, why) if row.verdict == WRONG else row for row in rows]
    first, (before, _) = next(iter(seen.items()), (choice.setting, ([], 0)))
    wrong = {row.line for row in before if row.verdict == WRONG} if choice == Choice(choice.setting) else set()
    other = (
        f"It is chosen since every line holds in it; in setting {first.name} {len(wrong)} would be wrong."
        if wrong and first is not choice.setting and not left(rows)
        else ""
    )
    depends = first is not choice.setting and not left(rows) and _only_in_derivatives(before, first)
    judged = Judged(
        derivation,
        Cost(cost_text(choice.setting, l2), otherwise=f"that of setting {first.name}" if depends else ""),
        choice.reading.sentence if choice.reading else NOTES_CONVENTION,
        layout_text(choice.setting, named=named),
        REFEREES,
        in_order(rows),
        summarised(rows, helpers),
        (other,) if other else (),
    )
    return judged, choice.setting


def lines_in(
    setting: Setting,
    derivation: str,
    l2: bool,
    *,
    seed: int,
    diagnose: bool,
    chain: bool = False,
    most: int = PROBES,
) -> tuple[list[Verdict], int]:
    """The verdicts on all lines in a setting, the wrong ones with a diagnosis or without; and how many lines help.

    The searches may do ALL_STEPS together. Raises BudgetSpent without a diagnosis, where a line takes more than a line
    may.
    """
    text = readable(derivation, frozenset(setting.protected()))
    program = text.program
    lines = list(judged_lines(program, setting, l2))
    count = min(most, PROBES_OF_VOLUMES if "small" in setting.further else PROBES)
    numbers = range(seed, seed + count) if lines else ()
    written = Written(program, [probe_of(setting, number, l2) for number in numbers], setting, chain)
    effort = Effort(ALL_STEPS) if diagnose else None
    times = Counter(line.target for line in lines)
    found = [
        judge_line(line, derivation, l2, written, effort)
        if times[line.target] <= MOST_LINES
        else _one_of_many(line, derivation, times[line.target])
        for line in lines
    ]
    if any(map(_is_turned, found)) and any(map(partial(_keeps_the_axes, written), lines, found)):
        found = [
            judge_line(line, derivation, l2, written, effort, turns=False) if _is_turned(verdict) else verdict
            for line, verdict in zip(lines, found, strict=True)
        ]
    found = [_as_far_as_read(verdict, line, text) for line, verdict in zip(lines, found, strict=True)]
    other = another_cost(derivation, setting.cost)
    if other:
        found = [
            _not_judged_since(verdict, other) if verdict.verdict == WRONG or _reads_targets(line, setting) else verdict
            for line, verdict in zip(lines, found, strict=True)
        ]
    helpers, rest = accounted(program, lines)
    why = f"no judged line reads it, and setting {setting.name} has no formula for it"
    return [*found, *(unjudged(assign, derivation, why) for assign in rest), *text.left_out], helpers


def _is_turned(verdict: Verdict) -> bool:
    """Whether a line holds for examples along the other axis alone."""
    return verdict.verdict == HOLDS and TURNED in verdict.message


def _keeps_the_axes(written: Written, line: Line, verdict: Verdict) -> bool:
    """Whether a line holds for examples along the setting's axis alone: then they lie there for all lines."""
    if verdict.verdict != HOLDS or _is_turned(verdict) or len(verdict.shape_expected) != 2:
        return False
    symbol = written.setting.aliases.get(line.target, line.target)
    environments = [written.meant(line, number) for number in range(len(written.probes))]
    truths = [[referee[symbol] for referee in probe.truths] for probe in written.probes]
    return not right_when_turned(line, environments, truths, matrices_read(line, environments[0]))


def _as_far_as_read(verdict: Verdict, line: Line, text: Readable) -> Verdict:
    """The verdict on a line of a text that could not all be read.

    What a line that was not read may have changed is not judged, and what is computed from it is not called wrong.
    """
    own, read = set(nodes.targets(line.program)), nodes.names(line.program)
    changed = sorted(own & text.changed)
    if not changed and verdict.verdict == WRONG:
        changed = sorted((own | read) & text.doubtful)
    if not changed:
        return verdict
    numbers = ", ".join(str(each.line) for each in text.left_out)
    lines = f"line{'s' * (len(text.left_out) > 1)} {numbers}"
    why = f"{changed[0]} depends on {lines}, which cannot be read"
    return _not_judged_since(verdict, why)


def _not_judged_since(verdict: Verdict, why: str) -> Verdict:
    """The verdict on a line that was judged, and about which nothing can be said after all."""
    return not_judged(verdict.target, verdict.line, verdict.text, f"{verdict.target} is not judged: {why}.")


def _reads_targets(line: Line, setting: Setting) -> bool:
    """Whether a line reads what the output is compared with: there the cost comes in."""
    return any(setting.aliases.get(name, name) in ("Y", "y") for name in nodes.names(line.program))


def _only_in_derivatives(rows: Sequence[Verdict], setting: Setting) -> bool:
    """Whether what does not hold are derivatives alone: no line of a forward pass says which setting is meant."""
    targets = [setting.targets.get(setting.aliases.get(row.target, row.target)) for row in rows if row.verdict != HOLDS]
    return bool(targets) and all(each is not None and each.kind in ("derivative", "gradient") for each in targets)


def _one_of_many(line: Line, derivation: str, times: int) -> Verdict:
    why = f"{line.target} is not judged: {times} lines assign it, at most {MOST_LINES} are judged."
    return not_judged(line.target, line.number, row_of(derivation, line.number), why)


def unjudged(assign: Assign, derivation: str, reason: str) -> Verdict:
    number, name = line_number(assign), base_name(assign)
    return not_judged(name, number, row_of(derivation, number), f"{name} is not judged: {reason}.")
