"""What the page says of each formula: all of it is there, about code that exists, and fits a phone."""

from __future__ import annotations

import re

import pytest

from parity_tests.formulas import CASES
from parity_tests.formulas.index import all_codes
from parity_tests.report import mathematics
from parity_tests.report.chapters import CHAPTERS, Formula
from parity_tests.report.collect import Section, fits, parts
from parity_tests.report.page import missing, sentence
from parity_tests.report.pictures import PICTURES

WIDEST = 480
"""Pixels of a formula in one piece: on a phone it is drawn at two thirds of its size then."""


@pytest.fixture(scope="module")
def sections() -> list[Section]:
    return [section for part in parts() for section in part.sections]


def test_every_formula_with_code_has_an_entry(sections: list[Section]) -> None:
    shown = {id_ for each in sections for id_ in (*(row.id for row in each.anchored), *each.elsewhere)}
    assert {id_ for code in all_codes() for id_ in code.ids} <= shown
    listed = {each.name for section in sections for each in section.listings}
    assert {f"manual.{code.name}" for code in all_codes() if code.ids} <= listed


def test_every_entry_is_whole(sections: list[Section]) -> None:
    """Mathematics, derivation, mistake, shapes, and each kind of code or the reason why there is none."""
    for section in sections:
        formula = section.formula
        assert all((formula.latex, formula.derivation, formula.mistake, formula.symptom, section.shapes)), formula.code
        assert bool(missing(section)) == bool(formula.lacks), formula.code
        assert {listing.kind for listing in section.listings} >= {"by hand"}, formula.code


def test_missing_code_is_named(sections: list[Section]) -> None:
    by_name = {section.anchor: section for section in sections}
    assert missing(by_name["notation"]) == "No loop form and nothing in torch"
    assert missing(by_name["activations.tanh"]) == "No loop form"
    assert missing(by_name["dense.weight_gradient"]) == ""


def test_text_is_about_code_that_exists() -> None:
    codes = {code.name for code in all_codes()}
    named = [name for chapter in CHAPTERS for formula in chapter.formulas for name in formula.names]
    assert set(named) <= codes
    assert len(named) == len(set(named))
    assert {name for chapter in CHAPTERS for name in chapter.pictures} == set(PICTURES)


@pytest.mark.parametrize(
    "formula", [each for chapter in CHAPTERS for each in chapter.formulas], ids=lambda each: each.code
)
def test_text_is_complete(formula: Formula) -> None:
    assert formula.title
    assert formula.symptom
    assert sentence(formula.mistake).endswith((".", "“", "”"))
    pieces = [piece for line in formula.latex.splitlines() for piece in line.split(r"\qquad")]
    drawn = mathematics.display(formula.latex)
    assert drawn.count("<svg") == len(pieces)
    widths = [float(width) for width in re.findall(r'<svg [^>]*? width="([\d.]+)"', drawn)]
    assert len(widths) == len(pieces)
    assert max(widths) < WIDEST, "too small on a phone: break it by \\qquad"
    assert formula.derivation
    assert formula.derivation.count("$") % 2 == 0
    assert "\\" not in re.sub(r"\$[^$]*\$", "", formula.derivation)


def test_every_case_is_shown_under_a_formula() -> None:
    patterns = [name for chapter in CHAPTERS for each in chapter.formulas for name in (each.cases or each.code).split()]
    assert [case.id for case in CASES if not any(fits(case.id, pattern) for pattern in patterns)] == []


def test_formulas_break_at_wide_spaces() -> None:
    assert mathematics.display(r"a \qquad b" "\n" "c").count('<div class="formula">') == 2
    assert mathematics.display(r"a \qquad b").count("<span>") == 2
