"""What the page says of a formula in words of its own; all else is read from the sources or measured."""

from __future__ import annotations

from typing import NamedTuple

from parity_tests.formulas import FORMULAS
from parity_tests.notes.row import Row

ENTRYWISE = "It acts entry by entry: what a loop would do to each number is the formula itself."
COUNTED = "Whole numbers from whole numbers, once for each layer: there is nothing to make faster."
ONE_NUMBER = "One number from another: there is nothing to loop over."
BY_INDEX = "Its indices are the loops: every entry of the result is written out for its own."
"""Why a formula has no loop form."""

SAME_SHAPE = "The result has the shape of Z: (n, m), or (m, n_H, n_W, n_C) in a convolution."


class Formula(NamedTuple):
    """A formula, or a few that belong together.

    ``code`` names what has it in ``manual``, separated by spaces, the one to read first in front. ``latex`` has a
    formula a line; ``derivation`` is text with mathematics between dollar signs. ``mistake`` is the one that people
    make most, an id of the vocabularies or a sentence, and ``symptom`` how it shows. ``see`` are rows of the notes that
    belong here though the code does not name them. ``cases`` are ids of its cases or patterns of them, ``code`` by
    default; ``quantities`` what the comparison of whole models says of it. ``shapes`` stands where the docstrings give
    none; ``lacks`` says why there is no loop form, or nothing in torch.
    """

    code: str
    title: str
    latex: str
    derivation: str
    mistake: str
    symptom: str
    see: str = ""
    cases: str = ""
    quantities: str = ""
    shapes: str = ""
    lacks: str = ""

    @property
    def names(self) -> list[str]:
        """The functions, classes and modules of ``manual``."""
        return self.code.split()


def recorded(*names: str) -> tuple[Formula, ...]:
    """What the records of formulas say, by their first code."""
    records = {formula.id: formula for formula in FORMULAS}
    return tuple(
        Formula(" ".join(record.names), **record.words._asdict(), cases=" ".join(case.id for case in record.cases))
        for record in (records[name] for name in names)
    )


class Chapter(NamedTuple):
    """A chapter of the notes: its formulas, its rows, and its pictures by name."""

    id: str
    title: str
    formulas: tuple[Formula, ...]
    rows: tuple[Row, ...]
    pictures: tuple[str, ...] = ()
