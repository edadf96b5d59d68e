"""From a formula of the notes to the code that has it, by hand, as a loop and in torch, and to its cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from parity_tests.formulas import FORMULAS
from parity_tests.formulas.formula import Code, Formula
from parity_tests.notes.run import ROWS


class Entry(NamedTuple):
    """A formula: where the notes have it, what it is about, the code that has it, and the cases that compare it."""

    id: str
    source: str
    text: str
    code: tuple[Code, ...]
    cases: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        links = [
            {"name": each.name, "ids": each.ids, "loop": each.in_loops, "torch": each.in_torch} for each in self.code
        ]
        return {**self._asdict(), "code": links}


def entries() -> list[Entry]:
    """Every formula of the notes, in their order."""
    codes = [code for formula in FORMULAS for code in formula.code]
    cases = [case for formula in FORMULAS for case in formula.cases]
    return [
        Entry(
            row.id,
            row.source,
            row.topic,
            tuple(code for code in codes if row.id in code.ids),
            tuple(case.id for case in cases if row.id in case.formulas.split()),
        )
        for row in ROWS
    ]


def problems(formulas: Sequence[Formula] = FORMULAS) -> list[str]:
    """What is wrong with the links, in plain sentences."""
    cited = {id_: code.name for formula in formulas for code in formula.code for id_ in code.ids}
    cased = {id_: case.id for formula in formulas for case in formula.cases for id_ in case.formulas.split()}
    excused = {id_: formula.id for formula in formulas for ids in formula.uncompared for id_ in ids.split()}
    known = {row.id for row in ROWS}
    caseless = cited.keys() - cased.keys()
    return [
        *(
            f"{place} names {id_}, expected one of {min(known)} to {max(known)}: the notes have no other"
            for id_, place in {**cited, **cased}.items()
            if id_ not in known
        ),
        *(
            f"{id_} of {cited[id_]} has no case: expected one, or a reason in uncompared"
            for id_ in sorted(caseless - excused.keys())
        ),
        *(
            f"{excused[id_]} says why {id_} has no case, which needs no reason"
            for id_ in sorted(excused.keys() - caseless)
        ),
    ]
