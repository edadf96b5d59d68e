"""How much of whole notes is read, and which of their mistakes are found: notes of twelve styles, a third set aside.

A line that is marked ``wrong: cause`` holds that mistake, every other formula is right. Rules are tuned on the notes
without ``_aside`` in their name alone; those with it say what a note of somebody else may expect.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from parity_tests.derivations.latex.answers import verify_note
from parity_tests.derivations.verdicts import DOUBTFUL, HOLDS, NOT_JUDGED, WRONG

NOTES = sorted(each for each in (Path(__file__).parent / "latex_notes").iterdir() if each.suffix in (".md", ".tex"))
TUNED = [each for each in NOTES if "_aside" not in each.name]
ASIDE = [each for each in NOTES if "_aside" in each.name]
SHORT = [each for each in NOTES if each.stem in ("goodfellow", "sizes")]
"""Those of every run; the others take a minute."""


def counted(notes: list[Path]) -> Counter[str]:
    """Lines with formulas: right ones, those not read and called wrong; mistakes, those read, found and named."""
    counts: Counter[str] = Counter()
    for note in notes:
        marked = {
            number: mark[1]
            for number, line in enumerate(note.read_text(encoding="utf-8").splitlines(), 1)
            if (mark := re.search(r"(?:<!--|%) wrong: (\S+)", line))
        }
        by_line: dict[int, list[tuple[str, str]]] = {}
        for each in verify_note(note).lines:
            by_line.setdefault(each.line, []).append((each.verdict, each.cause))
        for line, found in by_line.items():
            verdicts = {verdict for verdict, _ in found}
            kind = "mistake" if line in marked else "right"
            counts[kind] += 1
            counts[f"{kind} read"] += bool(verdicts & {HOLDS, WRONG, DOUBTFUL}) or NOT_JUDGED not in verdicts
            counts[f"{kind} wrong"] += WRONG in verdicts
            counts[f"{kind} doubtful"] += DOUBTFUL in verdicts - {WRONG}
            counts[f"{kind} named"] += (WRONG, marked.get(line)) in found
        assert set(marked) <= set(by_line), f"{note.name}: lines without a formula are marked"
    return counts


def figures(counts: Counter[str]) -> str:
    """The counts in a sentence."""
    lines, read = counts["right"] + counts["mistake"], counts["right read"] + counts["mistake read"]
    return (
        f"{read} of {lines} lines read; of {counts['right']} right lines {counts['right wrong']} called wrong, "
        f"{counts['right doubtful']} doubtful; of {counts['mistake']} mistakes {counts['mistake wrong']} found, "
        f"{counts['mistake named']} with their cause"
    )


@pytest.mark.slow
@pytest.mark.parametrize("notes", [SHORT, pytest.param(TUNED, marks=pytest.mark.bars)], ids=["short", "all"])
def test_notes_for_tuning(notes: list[Path]) -> None:
    counts = counted(notes)
    print(figures(counts))
    assert counts["right wrong"] == 0, figures(counts)
    assert counts["right read"] + counts["mistake read"] >= 0.9 * (counts["right"] + counts["mistake"]), figures(counts)
    assert counts["mistake wrong"] >= 0.9 * counts["mistake read"], figures(counts)
    assert counts["mistake named"] >= 0.8 * counts["mistake wrong"], figures(counts)


@pytest.mark.bars
def test_notes_that_were_set_aside() -> None:
    counts = counted(ASIDE)
    print(figures(counts))
    assert counts["right wrong"] == 0, figures(counts)
