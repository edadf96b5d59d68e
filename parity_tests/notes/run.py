"""Running rows: every right check must hold, and every false alternative must be rejected for the mistake it has."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import NamedTuple

import joblib

from manual.shared.cli import in_processes
from parity_tests.comparison.run import one_thread
from parity_tests.derivations.testbed.matrix import same
from parity_tests.notes import (
    activations,
    convolution,
    costs,
    deep_backward,
    deep_forward,
    initialization,
    logistic,
    minibatch,
    recipe,
    shallow_backward,
    shallow_forward,
    theory,
    vectorization,
)
from parity_tests.notes.row import COUNT, EXPERIMENT, SNIPPET, Check, Finding, Row

CONFIRMED, REFUTED, UNCHECKED = "confirmed", "refuted", "not checked"

PER_EXPERIMENT = 50
"""An experiment, and the false alternatives, get one seed for so many of a right formula."""

BATCH = 10
"""Seeds that one piece of work runs."""

ROWS: tuple[Row, ...] = (
    *logistic.ROWS,
    *vectorization.ROWS,
    *shallow_forward.ROWS,
    *shallow_backward.ROWS,
    *activations.ROWS,
    *initialization.ROWS,
    *deep_forward.ROWS,
    *deep_backward.ROWS,
    *theory.ROWS,
    *costs.ROWS,
    *minibatch.ROWS,
    *convolution.ROWS,
    *recipe.ROWS,
)
"""One for every formula of the notes, F001 first."""

BY_ID: dict[str, Row] = {row.id: row for row in ROWS}


class Judged(NamedTuple):
    """A check and what it saw; ``good`` says whether that was to be seen."""

    kind: str
    text: str
    is_right: bool
    good: bool
    shown: str
    causes: tuple[str, ...]


class RowResult(NamedTuple):
    """A row, and what came of its checks."""

    id: str
    verdict: str
    judged: tuple[Judged, ...]

    @property
    def bad(self) -> tuple[Judged, ...]:
        """The checks that did not come out as the row says."""
        return tuple(each for each in self.judged if not each.good)


class Alarm(NamedTuple):
    """A check that did not come out as the row says, and the seed."""

    id: str
    seed: int
    judged: Judged


def judge(check: Check, is_right: bool, seed: int) -> Judged:
    """One check: a right statement must hold, a false one must not, and its mistake must be named."""
    found = check.judge(seed)
    good = found.holds is is_right and (is_right or not check.cause or _named(check, found))
    return Judged(check.kind, check.text, is_right, good, found.shown, found.causes)


def _named(check: Check, found: Finding) -> bool:
    """Whether the mistake is the one that was made."""
    return len(found.causes) == 1 and same(found.causes[0], check.cause)


def run_row(row: Row, seed: int = 0) -> RowResult:
    """Every check of a row on the numbers of a seed."""
    right = [judge(check, True, seed) for check in row.right]
    judged = (*right, *(judge(check, False, seed) for check in row.false))
    if not judged:
        return RowResult(row.id, UNCHECKED, ())
    return RowResult(row.id, CONFIRMED if all(each.good for each in judged) else REFUTED, judged)


def run_rows(rows: Sequence[Row], *, seed: int = 0, jobs: int = 1) -> Generator[RowResult, None, None]:
    """Every check of the rows, row by row in their order; ``jobs`` processes share them."""
    yield from in_processes((joblib.delayed(_run_named)(row.id, seed) for row in rows), jobs)


def _run_named(id_: str, seed: int) -> RowResult:
    """The row of that id, in a process of its own."""
    with one_thread():
        return run_row(BY_ID[id_], seed)


def find_alarms(
    pieces: Sequence[tuple[range, int]], *, jobs: int = 1
) -> Generator[tuple[int, list[Alarm]], None, None]:
    """For each of ``seed_pieces``, how many judgements were made, and those that did not come out as their row says.

    Right statements run on every seed where their numbers vary with it; experiments and false alternatives on one of
    fifty, since they take longer.
    """
    yield from in_processes((joblib.delayed(alarms_of)(*piece) for piece in pieces), jobs)


def seed_pieces(count: int) -> list[tuple[range, int]]:
    """The seeds in pieces, and below which seed everything runs; the long ones come first."""
    everything = max(1, count // PER_EXPERIMENT)
    long = [(range(seed, seed + 1), everything) for seed in range(everything)]
    return long + [(range(first, min(first + BATCH, count)), everything) for first in range(everything, count, BATCH)]


def alarms_of(seeds: range, everything: int) -> tuple[int, list[Alarm]]:
    """How many judgements were made on these seeds, and those that did not come out as their row says."""
    judged, found = 0, list[Alarm]()
    with one_thread():
        for seed in seeds:
            for row in ROWS:
                for check, is_right in _checks(row, seed, everything):
                    outcome = judge(check, is_right, seed)
                    judged += 1
                    if not outcome.good:
                        found.append(Alarm(row.id, seed, outcome))
    return judged, found


def _checks(row: Row, seed: int, everything: int) -> list[tuple[Check, bool]]:
    """The checks of a row that a seed runs; where nothing varies, only the first does."""
    if seed < everything:
        both = [(check, True) for check in row.right] + [(check, False) for check in row.false]
        return [each for each in both if seed == 0 or each[0].kind not in (COUNT, SNIPPET)]
    return [(check, True) for check in row.right if check.kind not in (COUNT, SNIPPET, EXPERIMENT)]
