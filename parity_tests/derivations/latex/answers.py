"""A whole note: every formula with its verdict, and what the note takes for granted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from parity_tests.derivations.changes import Change
from parity_tests.derivations.latex import sizes
from parity_tests.derivations.latex.claims import Aside, Claim, Numbers, Shape, for_many
from parity_tests.derivations.latex.collector import claims_of
from parity_tests.derivations.latex.conventions import Conventions, Taken, Told
from parity_tests.derivations.latex.documents import MOST_FORMULAS, Note, cells_of, note_of
from parity_tests.derivations.latex.evidence import agreed, evidenced, penalised
from parity_tests.derivations.latex.own import OwnForward
from parity_tests.derivations.latex.roles import settle
from parity_tests.derivations.latex.verdict import Judge
from parity_tests.derivations.verdicts import (
    DOUBTFUL,
    HOLDS,
    NO_CLAIM,
    REFEREES,
    WRONG,
    Cost,
    Judged,
    Verdict,
    not_judged,
    summarised,
)

MOST_CLAIMS = 600
MOST_ROWS = 20
"""Over how many rows an equation may run."""

_TOKENS = re.compile(r"\\[A-Za-z]+|\S")


def verify_note(path: Path, told: Told | None = None) -> Judged:
    """Judge the mathematics of a file.

    Raises ValueError for a file that cannot be read, or has no formula.
    """
    cells = cells_of(path)
    note = note_of(cells, path.suffix)
    if not note.formulas:
        raise ValueError(f"{path.name} has no formula in LaTeX")
    return with_diffs(judge_note(note, str(path), told), {cell: text.split("\n") for cell, text in cells})


def verify_latex(text: str, told: Told | None = None) -> Judged:
    """Judge the mathematics of a text in Markdown."""
    return judge_note(note_of([(0, text)]), text, told)


def judge_note(note: Note, source: str, told: Told | None = None) -> Judged:
    """The verdict on everything that a note says; nothing is left out."""
    told = told or Told()
    found, styles = claims_of(note)
    claims = [each for each in found if isinstance(each, Claim)]
    left = claims[MOST_CLAIMS:]
    claims = claims[:MOST_CLAIMS]
    places = [place for place, each in enumerate(found) if isinstance(each, Claim)]
    end = places[MOST_CLAIMS] if left else len(found)
    places, own = places[:MOST_CLAIMS], OwnForward(found[:end], styles)
    settle(claims, styles)
    weights = for_many(claims)
    many = [each > 0 for each in weights] if not told.examples else [told.examples == "many"] * len(claims)
    judge = Judge(Conventions(claims, styles, many, told), weights)
    rows = [
        agreed(claim, own, place, partial(judge.verdict, number))._replace(cell=claim.cell)
        for number, (claim, place) in enumerate(zip(claims, places, strict=True))
    ]
    rows = evidenced(claims, penalised(claims, rows), [own.judged(place) if row.verdict == WRONG else None
                                    for place, row in zip(places, rows, strict=True)])  # fmt: skip
    wrong = {each.line for each in rows if each.verdict == WRONG}
    rows = [
        _aside(Aside(claim.text, claim.line, claim.cell, f"what is added is judged in line {claim.averages}"))
        if claim.averages in wrong and row.verdict == WRONG
        else row
        for row, claim in zip(rows, claims, strict=True)
    ]
    rows += [
        agreed(each, own, place, partial(_aside, each)) if place < end else _aside(each)
        for place, each in enumerate(found)
        if isinstance(each, Aside)
    ]
    rows += [_numbers(each) for each in found if isinstance(each, Numbers)]
    shapes = [sizes.judged(each, styles[each.section], judge.taken(each.section))
              for each in found if isinstance(each, Shape)]  # fmt: skip
    rows += [each for each in shapes if each is not None]
    rows += [_left(each, f"not read: {MOST_CLAIMS} claims are judged at most.") for each in left]
    if note.left_out:
        why = f"not read: {note.left_out} formulas more than the {MOST_FORMULAS} that are read."
        rows.append(not_judged("", 0, "", why))
    rows.sort(key=lambda each: (-int(each.cell), each.line))
    whole = judge.conventions.whole
    cost = Cost(f"J: {whole.convention.cost}", next(iter(whole.lines.get("cost", (0,)))))
    return Judged(
        source, cost, "", layout(whole), REFEREES, tuple(rows), summarised(rows)
    )  # fmt: skip


def _aside(each: Aside) -> Verdict:
    if each.read:
        return not_judged("", each.line, each.text, each.reason)._replace(verdict=NO_CLAIM, cell=each.cell)
    return not_judged("", each.line, each.text, f"not read: {each.reason}.")._replace(cell=each.cell)


def _numbers(each: Numbers) -> Verdict:
    base = not_judged("", each.line, each.text, "The numbers are equal.")._replace(cell=each.cell)
    if each.compared.equal:
        return base._replace(verdict=HOLDS)
    if each.compared.symbols:
        return base._replace(verdict=DOUBTFUL, message=f"With what the letters were before, {each.compared.said}.")
    said = each.compared.said[0].upper() + each.compared.said[1:]
    cause = each.compared.cause
    return base._replace(verdict=WRONG, cause=cause, causes=(cause,), message=f"{said}.")


def _left(claim: Claim, why: str) -> Verdict:
    return not_judged("", claim.line, claim.text, why)._replace(cell=claim.cell)


def layout(taken: Taken) -> str:
    """What a note takes for granted, with the lines that show it."""
    convention = taken.convention
    where = "examples in rows" if convention.rows else "examples in columns"
    where += ", weights turned" if convention.turned else ""
    lines = taken.lines.get("layout", ())
    shown = f" (line{'s' * (len(lines) > 1)} {', '.join(map(str, lines[:4]))})" if lines else " (not shown)"
    return where + shown


def with_diffs(judged: Judged, cells: Mapping[int, Sequence[str]]) -> Judged:
    """The verdicts with their repairs as changes of the rows of a note, by cell."""
    lines = (each._replace(diff=_diff(each, cells.get(int(each.cell), ()))) for each in judged.lines)
    return judged._replace(lines=tuple(lines))


def _diff(line: Verdict, rows: Sequence[str]) -> tuple[Change, ...]:
    """The equation with the repaired right side; nothing where it is no plain equation of the note's own text."""
    left, equals, right = line.text.partition("=")
    _, repaired, new = line.repaired.partition(" = ")
    if not (equals and repaired and right.strip()) or "=" in right or not line.line:
        return ()
    begin = line.line - 1
    here = "\n".join(rows[begin : begin + MOST_ROWS])
    sign = r"[\s&]*=[\s&]*"
    match = re.search(f"({_pattern(left)}{sign}){_pattern(right)}", here)
    if match is None or "\n" in here[: match.start()]:
        return ()
    count = here.count("\n", 0, match.end()) + 1
    old = tuple(rows[begin : begin + count])
    whole = "\n".join(old)
    changed = f"{whole[: match.start()]}{match[1]}{new}{whole[match.end() :]}"
    return (Change(line.line, old, tuple(changed.split("\n"))),)


def _pattern(text: str) -> str:
    """A piece of LaTeX, with any blanks and marks of alignment in it."""
    return r"[\s&]*".join(map(re.escape, _TOKENS.findall(text)))
