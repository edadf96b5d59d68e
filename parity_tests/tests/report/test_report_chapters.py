"""What the page says of each formula: all of it is there, about code that exists, and fits a phone."""

from __future__ import annotations

import re

import pytest

from parity_tests.formulas import FORMULAS
from parity_tests.formulas.formula import Formula
from parity_tests.report import mathematics
from parity_tests.report.chapters import CHAPTERS
from parity_tests.report.collect import Section, parts
from parity_tests.report.pictures import PICTURES
from parity_tests.report.site import missing, sentence
from parity_tests.tests.slices import sliced

WIDEST = 480
"""Pixels of a formula in one piece: on a phone it is drawn at two thirds of its size then."""


@pytest.fixture(scope="module")
def sections() -> list[Section]:
    return [section for part in parts() for section in part.sections]


def test_every_formula_with_code_has_an_entry(sections: list[Section]) -> None:
    shown = {id_ for each in sections for id_ in (*(row.id for row in each.anchored), *each.elsewhere)}
    assert {id_ for formula in FORMULAS for code in formula.code for id_ in code.ids} <= shown


def test_every_entry_is_whole(sections: list[Section]) -> None:
    """Mathematics, derivation, mistake, shapes, and each kind of code or the reason why there is none."""
    for section in sections:
        words = section.formula.words
        assert all((words.latex, words.derivation, words.mistake, words.symptom, section.shapes)), section.anchor
        assert bool(missing(section)) == bool(words.lacks), section.anchor
        assert {listing.kind for listing in section.listings} >= {"by hand"}, section.anchor


def test_missing_code_is_named(sections: list[Section]) -> None:
    by_name = {section.anchor: section for section in sections}
    assert missing(by_name["notation"]) == "No loop form and nothing in torch"
    assert missing(by_name["activations.tanh"]) == "No loop form"
    assert missing(by_name["dense.weight_gradient"]) == ""


def test_every_record_stands_in_one_chapter() -> None:
    assert sorted(formula.id for chapter in CHAPTERS for formula in chapter.formulas) == sorted(
        formula.id for formula in FORMULAS
    )
    assert {name for chapter in CHAPTERS for name in chapter.pictures} == set(PICTURES)


@pytest.mark.parametrize("formula", sliced(FORMULAS, 12), ids=lambda formula: formula.id)
def test_text_is_complete(formula: Formula) -> None:
    words = formula.words
    assert words.title
    assert words.symptom
    assert sentence(words.mistake).endswith((".", "“", "”"))
    pieces = [piece for line in words.latex.splitlines() for piece in line.split(r"\qquad")]
    drawn = mathematics.display(words.latex)
    assert drawn.count("<svg") == len(pieces)
    widths = [float(width) for width in re.findall(r'<svg [^>]*? width="([\d.]+)"', drawn)]
    assert len(widths) == len(pieces)
    assert max(widths) < WIDEST, "too small on a phone: break it by \\qquad"
    assert words.derivation
    assert words.derivation.count("$") % 2 == 0
    assert "\\" not in re.sub(r"\$[^$]*\$", "", words.derivation)


def test_formulas_break_at_wide_spaces() -> None:
    assert mathematics.display(r"a \qquad b" "\n" "c").count('<div class="formula">') == 2
    assert mathematics.display(r"a \qquad b").count("<span>") == 2
