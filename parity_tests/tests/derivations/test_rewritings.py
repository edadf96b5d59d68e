"""Right formulas in other words hold, wrong ones never do, and a repair is right and short: on generated formulas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest

from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.errors import DerivationSyntaxError
from parity_tests.derivations.language.nodes import Program
from parity_tests.derivations.language.printer import to_text
from parity_tests.derivations.language.syntax import parse
from parity_tests.derivations.settings import SETTINGS
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG, Verdict
from parity_tests.derivations.verify import verify
from parity_tests.tests.derivations.edited import edited
from parity_tests.tests.derivations.rewritings import Right, rewriting, right_formulas
from parity_tests.tests.formulas.carried_out import far

SAME = 1e-6
"""Values that differ by less, relative to the largest entry, are the same formula's, or too near to tell."""

LONGER = 2
"""Nodes that a repaired formula may have beyond the one that was spoilt."""


class Spoilt(NamedTuple):
    """A formula whose value is wrong, with the one that it was made of."""

    right: Right
    text: str


def right_rewritings(count: int, seed: int) -> Iterator[tuple[Right, str]]:
    """Right formulas of all settings, in turn, each written in another way."""
    rng, known = np.random.default_rng(seed), right_formulas()
    order = [place for _ in range(count // len(known) + 1) for place in rng.permutation(len(known))]
    for place in order[:count]:
        right = known[place]
        yield right, to_text(rewriting(right, rng), as_written=True)


def spoilt_formulas(count: int, seed: int) -> Iterator[Spoilt]:
    """Formulas with one change or two whose value is not the right one, as Python works it out on other probes."""
    rng, known = np.random.default_rng(seed), right_formulas()
    made = 0
    while made < count:
        right = known[rng.integers(len(known))]
        program = edited(right, 1 + made % 2, rng)
        text = to_text(program, as_written=True)
        if _is_read(text) and far(program, right.setting, right.symbol, right.l2, range(60, 62)) > SAME:
            made += 1
            yield Spoilt(right, text)


def _is_read(text: str) -> bool:
    try:
        parse(text)
    except DerivationSyntaxError:
        return False
    return True


def verdict_on(text: str, right: Right) -> Verdict:
    """What is said of the last line."""
    lines = verify(text, right.setting, l2=right.l2).lines
    return [line for line in lines if line.target == right.symbol][-1]


def not_holding(count: int, seed: int) -> list[tuple[str, str, str]]:
    """The right rewritings that are not said to hold."""
    found = [(right, text, verdict_on(text, right)) for right, text in right_rewritings(count, seed)]
    return [(right.setting, text, line.message) for right, text, line in found if line.verdict != HOLDS]


def faults(count: int, seed: int) -> list[tuple[str, str, str]]:
    """Wrong formulas that are said to hold, and repairs that are wrong or long."""
    return [(each.right.setting, each.text, fault) for each in spoilt_formulas(count, seed) if (fault := _fault(each))]


def _fault(spoilt: Spoilt) -> str:
    right = spoilt.right
    line = verdict_on(spoilt.text, right)
    if line.verdict not in (WRONG, NOT_JUDGED):
        return line.verdict
    if not line.repaired:
        return ""
    repaired = parse(line.repaired, protected=SETTINGS[right.setting].protected())
    if far(repaired, right.setting, right.symbol, right.l2, range(70, 73)) > SAME:
        return f"a wrong repair: {line.repaired}"
    longer = nodes.size(repaired) - nodes.size(right.program)
    return f"a long repair: {line.repaired}" if longer > LONGER else ""


@pytest.mark.slow
def test_a_right_formula_holds_however_it_is_written() -> None:
    assert not_holding(40, 0) == []


@pytest.mark.slow
def test_a_wrong_formula_never_holds_and_its_repair_is_right_and_short() -> None:
    assert faults(8, 3) == []


@pytest.mark.bars
def test_five_thousand_right_formulas_hold() -> None:
    assert not_holding(5000, 1) == []


@pytest.mark.bars
def test_two_thousand_wrong_formulas_never_hold() -> None:
    assert faults(2000, 1) == []


def test_the_formulas_are_right_by_themselves() -> None:
    """What Python makes of a right formula is what the referees say, or else no change of it could be told."""
    settings = {"shallow", "adam", "convolution", "labels", "labels-hidden"}
    known = [right for right in right_formulas() if right.setting in settings]
    assert {right.setting for right in known} == settings
    off = [right for right in known if far(right.program, right.setting, right.symbol, right.l2, range(60, 61)) > SAME]
    assert off == []


@pytest.mark.slow
def test_rewritings_are_many_and_a_wrong_law_is_seen() -> None:
    texts = [(to_text(right.program, as_written=True), text) for right, text in right_rewritings(40, 0)]
    assert sum(one != other for one, other in texts) > 25
    right = next(each for each in right_formulas() if each.symbol == "dW1")
    wrong = Program((nodes.replace(right.program, (0, 1), nodes.Name("X")).statements[0],))  # type: ignore[attr-defined]
    assert far(wrong, right.setting, right.symbol, right.l2, range(60, 61)) > SAME
    assert verdict_on(to_text(wrong), right).verdict == WRONG
