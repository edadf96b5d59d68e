"""What belongs to each formula: the rows of the notes, the sources, the cases; and where each id has its anchor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from parity_tests.formulas.formula import LOOP, Formula
from parity_tests.judging.judge import Result
from parity_tests.notes.row import Row
from parity_tests.notes.run import BY_ID
from parity_tests.report import sources
from parity_tests.report.chapters import CHAPTERS, Chapter
from parity_tests.report.worked import Worked, worked

LOOPS, TORCH = "as a loop", "in torch"


class Listing(NamedTuple):
    """A piece of code to show: what it is, its name, its text."""

    kind: str
    name: str
    text: str


class Section(NamedTuple):
    """A formula with all that belongs to it.

    ``anchored`` are the rows of the notes whose anchor is here, ``elsewhere`` the ids that another section has;
    ``worked`` is its example in numbers, where it has one.
    """

    anchor: str
    formula: Formula
    anchored: tuple[Row, ...]
    elsewhere: tuple[str, ...]
    listings: tuple[Listing, ...]
    shapes: tuple[tuple[str, str], ...]
    worked: Worked | None


class Part(NamedTuple):
    """A chapter with its sections, and its rows that no section has."""

    chapter: Chapter
    sections: tuple[Section, ...]
    others: tuple[Row, ...]


def parts() -> list[Part]:
    """Every chapter."""
    homes = _homes()
    found = []
    for chapter in CHAPTERS:
        sections = []
        for formula in chapter.formulas:
            ids = ids_of(formula)
            own = tuple(BY_ID[id_] for id_ in ids if homes[id_] == formula.id)
            others = tuple(id_ for id_ in ids if homes[id_] != formula.id)
            sections.append(_section(formula, own, others))
        left = tuple(row for row in chapter.rows if row.id not in homes)
        found.append(Part(chapter, tuple(sections), left))
    return found


def _homes() -> dict[str, str]:
    """Where each id has its anchor: the first formula that cites it, in its own chapter if there is one."""
    homes: dict[str, str] = {}
    for own_chapter in (True, False):
        for chapter in CHAPTERS:
            rows = {row.id for row in chapter.rows}
            for formula in chapter.formulas:
                for id_ in ids_of(formula):
                    if not own_chapter or id_ in rows:
                        homes.setdefault(id_, formula.id)
    return homes


def ids_of(formula: Formula) -> list[str]:
    """The ids of the notes that belong to a formula: those its code names, then those it lists itself."""
    cited = {id_ for code in formula.code for id_ in code.ids}
    return sorted(cited) + [id_ for id_ in formula.words.see.split() if id_ not in cited]


def _section(formula: Formula, own: tuple[Row, ...], elsewhere: tuple[str, ...]) -> Section:
    named = [
        (kind, package, name)
        for code in formula.code
        for kind, package, name in zip(
            (LOOPS, LOOPS if code.name.endswith(LOOP) else "by hand", TORCH),
            ("manual", "manual", "torch_ref"),
            (code.in_loops, code.name, code.in_torch),
            strict=True,
        )
        if name
    ]
    listings = {
        (package, name): Listing(kind, f"{package}.{name}", sources.source(package, name))
        for kind, package, name in named
    }
    described = [(name, sources.shapes(name)) for name in formula.names]
    given = formula.words.shapes
    shapes = ((formula.id, given),) if given else tuple(each for each in described if each[1])
    return Section(formula.id, formula, own, elsewhere, tuple(listings.values()), shapes, worked(formula))


def lines_of(formula: Formula, results: Sequence[Result]) -> list[Result]:
    """The lines of this run that are about a formula: the worst of each quantity, pair and dtype."""
    cases = {case.id for case in formula.cases}
    quantities = formula.words.quantities.split("|")
    worst: dict[tuple[str, ...], Result] = {}
    for line in results:
        if line.model:
            if line.quantity not in quantities or line.basis != "derived":
                continue
            key = ("models", line.quantity, line.pair, line.dtype)
        elif line.case in cases:
            key = ("probes", line.quantity, line.pair, line.dtype)
        else:
            continue
        if key not in worst or not line.ratio <= worst[key].ratio:
            worst[key] = line
    return list(worst.values())
