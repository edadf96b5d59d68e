"""The page: what was collected and measured, put into the template: one file that asks for nothing from outside."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from parity_tests.comparison.run import summary
from parity_tests.derivations.testbed.matrix import Outcome, by_mistake, figures
from parity_tests.judging.judge import CANNOT_TELL, FAILS, HOLDS, Result
from parity_tests.notes.row import AMBIGUOUS, CONVENTION, MISPRINT, WRONG, explained, is_known
from parity_tests.notes.row import HOLDS as ROW_HOLDS
from parity_tests.report import mathematics, sources
from parity_tests.report.collect import LOOPS, TORCH, Part, Section, lines_of, parts
from parity_tests.report.evidence import Table, sections
from parity_tests.report.measure import STEPS
from parity_tests.report.pictures.style import Picture

MARKS = {HOLDS: "good", CANNOT_TELL: "unsure", FAILS: "bad"}
VERDICT_MARKS = {ROW_HOLDS: "good", CONVENTION: "good", WRONG: "bad", MISPRINT: "bad", AMBIGUOUS: "unsure"}


def page(
    results: Sequence[Result],
    matrix: list[Outcome],
    pictures: Mapping[str, Picture],
    environment: Mapping[str, str],
    chapters: Sequence[Part] | None = None,
    conventions: Table | None = None,
) -> str:
    """The HTML of the page."""
    templates = Environment(
        loader=PackageLoader("parity_tests.report", "templates"), autoescape=True, undefined=StrictUndefined
    )
    templates.globals |= {
        "MARKS": MARKS,
        "VERDICT_MARKS": VERDICT_MARKS,
        "display": mathematics.display,
        "text": mathematics.text,
        "words": sources.words,
        "highlighted": sources.highlighted,
        "explained": explained,
        "sentence": sentence,
        "found_by": found_by,
        "missing": missing,
        "wrapped": wrapped,
        "lines_of": partial(lines_of, results=results),
    }
    counts = summary(results)
    script = _asset(templates, "script.js")
    html = templates.get_template("page.html.j2").render(
        parts=parts() if chapters is None else chapters,
        results=sorted(results, key=lambda line: (np.isnan(line.ratio), line.ratio), reverse=True),
        pictures=pictures,
        matrix=by_mistake(matrix),
        figures=figures(matrix) if matrix else {},
        environment=environment,
        steps=STEPS,
        conventions=conventions,
        evidence=sections(),
        verdict_line=_verdict(counts),
        summary_line=f"{counts['lines']} lines over {counts['arrays']} arrays.",
        style=_asset(templates, "style.css"),
        script=script,
        script_hash=_hash(script),
    )
    return mathematics.shared(html)


def sentence(mistake: str) -> str:
    """A mistake in words: those of its id, or its own."""
    if not is_known(mistake):
        return mistake
    words = explained(mistake)
    return f"{words[0].upper()}{words[1:]}."


def found_by(section: Section) -> str:
    """The words that the search looks at."""
    formula, words = section.formula, section.formula.words
    said = [f"{row.id} {row.source} {row.says} {row.truth} {row.mistake}" for row in section.anchored]
    searched = (words.title, *formula.names, words.derivation, words.mistake, words.symptom, *section.elsewhere, *said)
    return " ".join(searched).lower()


def missing(section: Section) -> str:
    """What its code does not have: a loop form, a counterpart in torch, or both."""
    kinds = {listing.kind for listing in section.listings}
    lacking = [words for kind, words in ((LOOPS, "no loop form"), (TORCH, "nothing in torch")) if kind not in kinds]
    said = " and ".join(lacking)
    return f"{said[:1].upper()}{said[1:]}"


def wrapped(case: str) -> Markup:
    """The name of a case, which may break where its parts end."""
    return Markup("<wbr>").join(re.split(r"(?<=[/_,])|(?<=\.)(?=[a-z])", case))


def _verdict(counts: Mapping[str, Any]) -> str:
    """What this run found, in a sentence."""
    if counts[FAILS]:
        return f"In this run {counts[FAILS]} of {counts['lines']} lines fail."
    untold = f", {counts[CANNOT_TELL]} cannot be told" if counts[CANNOT_TELL] else ""
    worst = counts["worst ratio"]
    largest = "" if worst is None else f"; the largest error/bound is {worst:.2f}"
    return f"In this run {counts[HOLDS]} of {counts['lines']} lines hold{untold}{largest}."


def _asset(templates: Environment, name: str) -> Markup:
    """A file of our own that goes into the page as it is."""
    assert templates.loader is not None
    return Markup(templates.loader.get_source(templates, name)[0])


def _hash(script: str) -> str:
    """What a Content-Security-Policy calls a script, so that it runs and no other does."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
