"""What belongs to each formula: the rows of the notes, the sources, the cases; and where each id has its anchor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

from parity_tests.formulas.index import LOOP, Code, all_codes
from parity_tests.judging.judge import Result
from parity_tests.notes.row import Row
from parity_tests.notes.run import BY_ID
from parity_tests.report import sources
from parity_tests.report.chapters import CHAPTERS, Chapter, Formula

LOOPS, TORCH = "as a loop", "in torch"


class Listing(NamedTuple):
    """A piece of code to show: what it is, its name, its text."""

    kind: str
    name: str
    text: str


class Section(NamedTuple):
    """A formula with all that belongs to it.

    ``anchored`` are the rows of the notes whose anchor is here, ``elsewhere`` the ids that another section has.
    """

    anchor: str
    formula: Formula
    anchored: tuple[Row, ...]
    elsewhere: tuple[str, ...]
    listings: tuple[Listing, ...]
    shapes: tuple[tuple[str, str], ...]


class Part(NamedTuple):
    """A chapter with its sections, and its rows that no section has."""

    chapter: Chapter
    sections: tuple[Section, ...]
    others: tuple[Row, ...]


def parts() -> list[Part]:
    """Every chapter; code that has an id of the notes and no text of its own comes at the end of its chapter."""
    codes = {code.name: code for code in all_codes()}
    formulas = {chapter.id: [*chapter.formulas, *unwritten(chapter, codes)] for chapter in CHAPTERS}
    homes = _homes({id_: [(each, ids_of(each, codes)) for each in formulas[id_]] for id_ in formulas})
    found = []
    for chapter in CHAPTERS:
        sections = []
        for formula in formulas[chapter.id]:
            ids = ids_of(formula, codes)
            own = tuple(BY_ID[id_] for id_ in ids if homes[id_] == formula.names[0])
            others = tuple(id_ for id_ in ids if homes[id_] != formula.names[0])
            sections.append(_section(formula, own, others, codes))
        left = tuple(row for row in chapter.rows if row.id not in homes)
        found.append(Part(chapter, tuple(sections), left))
    return found


def _homes(cited: dict[str, list[tuple[Formula, list[str]]]]) -> dict[str, str]:
    """Where each id has its anchor: the first formula that cites it, in its own chapter if there is one."""
    homes: dict[str, str] = {}
    for own_chapter in (True, False):
        for chapter in CHAPTERS:
            rows = {row.id for row in chapter.rows}
            for formula, ids in cited[chapter.id]:
                for id_ in ids:
                    if not own_chapter or id_ in rows:
                        homes.setdefault(id_, formula.names[0])
    return homes


def ids_of(formula: Formula, codes: dict[str, Code]) -> list[str]:
    """The ids of the notes that belong to a formula: those its code names, then those it lists itself."""
    cited = {id_: None for name in formula.names for id_ in codes[name].ids}
    return sorted(cited) + [id_ for id_ in formula.see.split() if id_ not in cited]


def unwritten(chapter: Chapter, codes: dict[str, Code]) -> Iterator[Formula]:
    """Formulas of the chapter's rows that the index has and nobody has written about, as they stand in the code."""
    written = {name for each in CHAPTERS for formula in each.formulas for name in formula.names}
    rows = {row.id for row in chapter.rows}
    for code in codes.values():
        if code.ids and code.ids[0] in rows and code.name not in written:
            first = sources.docstring(code.name).partition("\n\n")[0]
            yield Formula(code.name, code.name, "", " ".join(first.split()), "", "")


def _section(formula: Formula, own: tuple[Row, ...], elsewhere: tuple[str, ...], codes: dict[str, Code]) -> Section:
    found = [codes[name] for name in formula.names]
    named = [
        (kind, package, name)
        for code in found
        for kind, package, name in zip(
            (LOOPS, LOOPS if code.name.endswith(LOOP) else "by hand", TORCH),
            ("manual", "manual", "torch_ref"),
            (code.loop, code.name, code.torch),
            strict=True,
        )
        if name
    ]
    listings = {
        (package, name): Listing(kind, f"{package}.{name}", sources.source(package, name))
        for kind, package, name in named
    }
    told = [(code.name, sources.shapes(code.name)) for code in found]
    shapes = ((formula.names[0], formula.shapes),) if formula.shapes else tuple(each for each in told if each[1])
    return Section(formula.names[0], formula, own, elsewhere, tuple(listings.values()), shapes)


def lines_of(formula: Formula, results: Sequence[Result]) -> list[Result]:
    """The lines of this run that are about a formula: the worst of each quantity, pair and dtype."""
    patterns = (formula.cases or formula.code).split()
    quantities = formula.quantities.split("|")
    worst: dict[tuple[str, ...], Result] = {}
    for line in results:
        if line.model:
            if line.quantity not in quantities or line.basis != "derived":
                continue
            key = ("models", line.quantity, line.pair, line.dtype)
        elif any(fits(line.case, pattern) for pattern in patterns):
            key = ("probes", line.quantity, line.pair, line.dtype)
        else:
            continue
        if key not in worst or not line.ratio <= worst[key].ratio:
            worst[key] = line
    return list(worst.values())


@cache
def fits(case: str, pattern: str) -> bool:
    """Whether a case is meant: by its id, by the id before the comma, or by a pattern with * in it."""
    return case.partition(",")[0] == pattern or fnmatchcase(case, pattern)
