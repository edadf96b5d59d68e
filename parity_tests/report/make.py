"""Make the site: everything that is measured and drawn, shared by processes, then put together."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import NamedTuple

import joblib

from manual.shared.cli import in_processes
from parity_tests.comparison.models import MODEL_CASES, ModelCase
from parity_tests.comparison.run import environment, one_thread
from parity_tests.derivations.testbed.dense import TESTBED
from parity_tests.derivations.testbed.matrix import Outcome
from parity_tests.derivations.testbed.wrong import Wrong
from parity_tests.judging.judge import Result
from parity_tests.report import mathematics
from parity_tests.report.chapters import CHAPTERS
from parity_tests.report.collect import parts
from parity_tests.report.evidence import Table
from parity_tests.report.measure import (
    DTYPES,
    Trace,
    measure_conventions,
    measure_formulas,
    measure_matrix,
    measure_model,
    model_case,
)
from parity_tests.report.pictures import PICTURES
from parity_tests.report.pictures.errors import errors
from parity_tests.report.pictures.style import Drawn, Picture, embedded, save
from parity_tests.report.site import site

AT_A_TIME = 40
"""So many wrong formulas make a piece: together they take longest, and the last piece should not be a long one."""


class Made(NamedTuple):
    """The site's files by name, and the lines of its parity table."""

    files: dict[str, str]
    results: list[Result]


class Piece(NamedTuple):
    """What one process measures or draws at a time."""

    results: Sequence[Result] = ()
    matrix: Sequence[Outcome] = ()
    conventions: Table | None = None
    pictures: Sequence[Picture] = ()
    drawings: mathematics.Drawings = {}  # noqa: RUF012 nothing is put into it


def pieces(seed: int, jobs: int, pictures: Path | None = None) -> tuple[Generator[Piece, None, None], int]:
    """All that is measured and drawn, as it is done, and how much it is; ``pictures`` is a folder for PNGs."""
    work = [
        *(joblib.delayed(_model)(case.id, seed, pictures) for case in reversed(MODEL_CASES)),
        *(joblib.delayed(_matrix)(TESTBED[at : at + AT_A_TIME]) for at in range(0, len(TESTBED), AT_A_TIME)),
        joblib.delayed(_conventions)(),
        *(joblib.delayed(_cases)(dtype, seed) for dtype in DTYPES),
        *(joblib.delayed(_picture)(name, seed, pictures) for name in PICTURES),
        *(joblib.delayed(_formulas)(chapter.id) for chapter in CHAPTERS),
    ]
    return in_processes(work, jobs), len(work)


def make(done: Sequence[Piece], seed: int) -> Made:
    """Put all the pieces together."""
    for piece in done:
        mathematics.know(piece.drawings)
    results = [line for piece in done for line in piece.results]
    matrix = [outcome for piece in done for outcome in piece.matrix]
    drawn = {picture.name: picture for piece in done for picture in piece.pictures}
    conventions = next((piece.conventions for piece in done if piece.conventions), None)
    return Made(site(results, matrix, drawn, {**environment("cpu"), "seed": str(seed)}, parts(), conventions), results)


def _model(id_: str, seed: int, folder: Path | None) -> Piece:
    """A model in both dtypes, and its errors drawn if its case is pictured."""
    case = model_case(id_)
    found = [measure_model(case, dtype, seed) for dtype in DTYPES]
    traces = [trace for each in found for trace in each.traces]
    results = [line for each in found for line in each.results]
    return Piece(results, pictures=[_errors(case, traces, folder)] if pictured(case) else ())


def _matrix(wrongs: Sequence[Wrong]) -> Piece:
    return Piece(matrix=measure_matrix(wrongs))


def _conventions() -> Piece:
    return Piece(conventions=measure_conventions())


def _cases(dtype: str, seed: int) -> Piece:
    return Piece(measure_formulas(dtype, seed))


def _picture(name: str, seed: int, folder: Path | None) -> Piece:
    """One picture as SVG and, where there is a folder, as PNG in it."""
    with one_thread():
        return Piece(pictures=[_kept(PICTURES[name](seed), name, folder)])


def _formulas(chapter: str) -> Piece:
    """The formulas of a chapter, drawn: their mathematics is what takes longest of a page."""
    words = [formula.words for each in CHAPTERS if each.id == chapter for formula in each.formulas]
    return Piece(drawings=mathematics.drawings((each.latex for each in words), (each.derivation for each in words)))


def pictured(case: ModelCase) -> bool:
    """Whether a case's errors are drawn: one of every model on its data, with a penalty, all examples in a step."""
    return bool(case.lambda_) and case.batch_size is None


def _errors(case: ModelCase, traces: Sequence[Trace], folder: Path | None) -> Picture:
    """The errors of a model's steps as a picture."""
    return _kept(errors(traces, case.model, case.dataset), f"errors-{case.model}-{case.dataset}", folder)


def _kept(drawn: Drawn, name: str, folder: Path | None) -> Picture:
    if folder is not None:
        save(drawn, folder / f"{name}.png")
    return Picture(name, drawn.caption, embedded(drawn, name))
