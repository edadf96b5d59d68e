"""The site: what was collected and measured, put into the templates: files that ask for nothing from outside."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from parity_tests.comparison.tables import summary
from parity_tests.derivations.testbed.matrix import Outcome, by_mistake, figures
from parity_tests.judging.judge import CANNOT_TELL, FAILS, HOLDS, Result
from parity_tests.notes.row import AMBIGUOUS, CONVENTION, MISPRINT, WRONG, Row, explained, is_known
from parity_tests.notes.row import HOLDS as ROW_HOLDS
from parity_tests.report import mathematics, search_index, sources
from parity_tests.report.collect import LOOPS, TORCH, Part, Section, lines_of, parts
from parity_tests.report.evidence import Table, sections
from parity_tests.report.guides import GUIDES
from parity_tests.report.measure import DTYPES, STEPS
from parity_tests.report.pictures.style import Picture

PICTURED = {
    "models.html": ("The models, layer by layer", "logistic shallow deep deep6 softmax regression"),
    "wide-models.html": ("The wide models", "wide wide_norm wide_residual"),
    "convolutional-models.html": (
        "The convolutional models", "convnet convnet_norm convnet_residual strided lenet5"
    ),
}  # fmt: skip
"""The pages of the models' pictures: title, and models by name."""

BEYOND = "Beyond the notes"
"""What titles of chapters begin with that no note has."""

MARKS = {HOLDS: "good", CANNOT_TELL: "unsure", FAILS: "bad"}
VERDICT_MARKS = {ROW_HOLDS: "good", CONVENTION: "good", WRONG: "bad", MISPRINT: "bad", AMBIGUOUS: "unsure"}


class Page(NamedTuple):
    """A page of the site: its file, its title, the template that draws it, and the headings to list beside it."""

    file: str
    title: str
    template: str
    sections: Sequence[tuple[str, str]] = ()
    part: Part | None = None
    dtype: str = ""
    models: tuple[str, ...] = ()


def site(
    results: Sequence[Result],
    matrix: list[Outcome],
    pictures: Mapping[str, Picture],
    environment: Mapping[str, str],
    chapters: Sequence[Part] | None = None,
    conventions: Table | None = None,
) -> dict[str, str]:
    """The files of the site by name."""
    shown = parts() if chapters is None else chapters
    groups = _groups(shown)
    pages = [page for _, members in groups for page in members]
    homes = _homes(pages)
    templates = Environment(
        loader=PackageLoader("parity_tests.report", "templates"), autoescape=True, undefined=StrictUndefined
    )
    counts = summary(results)
    templates.globals |= {
        "MARKS": MARKS,
        "VERDICT_MARKS": VERDICT_MARKS,
        "display": mathematics.display,
        "text": mathematics.text,
        "words": sources.words,
        "marked": sources.words,
        "highlighted": sources.highlighted,
        "explained": explained,
        "sentence": sentence,
        "sentences": sentences,
        "missing": missing,
        "short": short,
        "wrapped": wrapped,
        "verdicts_of": verdicts_of,
        "href": lambda id_: f"{homes[id_]}#{id_}",
        "lines_of": partial(lines_of, results=results),
        "groups": groups,
        "parts": shown,
        "results": sorted(results, key=lambda line: (np.isnan(line.ratio), line.ratio), reverse=True),
        "pictures": pictures,
        "matrix": by_mistake(matrix),
        "figures": figures(matrix) if matrix else {},
        "environment": environment,
        "steps": STEPS,
        "conventions": conventions,
        "guides": GUIDES,
        "evidence": [(_anchor(title), title, blocks) for title, blocks in sections().items()],
        "verdict_line": _verdict(counts),
        "summary_line": f"{counts['lines']} lines over {counts['arrays']} arrays in all.",
    }
    files = {}
    for place, page in enumerate(pages):
        beside = {"before": pages[place - 1] if place else None, "after": [*pages[1:], None][place]}
        html = templates.get_template(f"{page.template}.html.j2").render(page=page, **beside)
        files[page.file] = mathematics.shared(html)
    index = search_index.script({page.file: (page.title, files[page.file]) for page in pages})
    return {**files, "search.js": index, **{name: _asset(name) for name in ("style.css", "script.js")}}


def _groups(shown: Sequence[Part]) -> list[tuple[str, list[Page]]]:
    """The pages as the contents list them."""
    chapters = [
        Page(
            f"{part.chapter.id}.html", part.chapter.title, "chapter",
            [(section.anchor, section.formula.words.title) for section in part.sections], part,
        )
        for part in shown
    ]  # fmt: skip
    notes = [page for page in chapters if page.part and page.part.chapter.rows]
    guides = [(guide.id, guide.title) for guide in GUIDES]
    proofs = [("matrix", "Are mistakes named?"), *((_anchor(title), title) for title in sections())]
    start = [Page("index.html", "Neural networks", "index"), Page("guides.html", "Where to begin", "guides", guides)]
    evidence = [
        *(Page(file, title, "models", models=tuple(names.split())) for file, (title, names) in PICTURED.items()),
        *(Page(f"parity-{dtype}.html", f"The parity table, {dtype}", "parity", dtype=dtype) for dtype in DTYPES),
        Page("conventions.html", "The conventions", "conventions"),
        Page("evidence.html", "Mistakes, mutants, speed", "evidence", proofs),
    ]
    beyond = [page for page in chapters if page not in notes]
    return [("Start", start), ("The notes", notes), (BEYOND, beyond), ("Can it be trusted?", evidence)]


def _homes(pages: Sequence[Page]) -> dict[str, str]:
    """The file that has the anchor of each row of the notes."""
    return {
        row.id: page.file
        for page in pages
        if page.part is not None
        for row in (*(row for section in page.part.sections for row in section.anchored), *page.part.others)
    }


def _anchor(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower())


def sentences(derivation: str) -> list[str]:
    """The steps of a derivation: its sentences; what stands between dollar signs is not divided."""
    ends = [found.span() for found in re.finditer(r"(?<=[.?!])\s+(?=[A-Z$])", derivation)]
    outside = [(start, end) for start, end in ends if derivation.count("$", 0, start) % 2 == 0]
    starts = [0, *(end for _, end in outside)]
    return [derivation[a:b] for a, b in zip(starts, [*(start for start, _ in outside), len(derivation)], strict=True)]


def short(title: str) -> str:
    """A title where what it begins with stands above it."""
    words = title.removeprefix(f"{BEYOND}: ")
    return f"{words[0].upper()}{words[1:]}"


def verdicts_of(rows: Sequence[Row]) -> str:
    """How many rows have each verdict: holds (2), wrong (1)."""
    counts = Counter(row.verdict for row in rows)
    return ", ".join(f"{verdict} ({count})" for verdict, count in counts.items())


def sentence(mistake: str) -> str:
    """A mistake in words: those of its id, or its own."""
    if not is_known(mistake):
        return mistake
    words = explained(mistake)
    return f"{words[0].upper()}{words[1:]}."


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


def _asset(name: str) -> str:
    """A file of our own that goes into the site as it is."""
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")
