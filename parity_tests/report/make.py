"""Make the site: everything that is measured and drawn, shared by processes, then put together."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import joblib

from manual.shared.cli import in_processes
from parity_tests.comparison.models import MODEL_CASES
from parity_tests.comparison.run import environment, one_thread
from parity_tests.derivations.testbed.matrix import Outcome
from parity_tests.judging.judge import Result
from parity_tests.report import mathematics
from parity_tests.report.chapters import CHAPTERS
from parity_tests.report.collect import parts
from parity_tests.report.evidence import Table
from parity_tests.report.measure import (
    DTYPES,
    Measured,
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


class Made(NamedTuple):
    """The site's files by name, and the lines of its parity table."""

    files: dict[str, str]
    results: list[Result]


Piece = Measured | Picture | Table | list[Outcome] | mathematics.Drawings
"""What one process measures or draws at a time."""


def pieces(seed: int, jobs: int, pictures: Path | None = None) -> tuple[Generator[Piece, None, None], int]:
    """All that is measured and drawn, as it is done, and how much it is; ``pictures`` is a folder for PNGs."""
    work = [
        joblib.delayed(measure_matrix)(),
        joblib.delayed(measure_conventions)(),
        *(joblib.delayed(_model)(case.id, dtype, seed) for case in reversed(MODEL_CASES) for dtype in DTYPES),
        *(joblib.delayed(measure_formulas)(dtype, seed) for dtype in DTYPES),
        *(joblib.delayed(_picture)(name, seed, pictures) for name in PICTURES),
        *(joblib.delayed(_formulas)(chapter.id) for chapter in CHAPTERS),
    ]
    return in_processes(work, jobs), len(work)


def make(done: Sequence[Piece], seed: int, pictures: Path | None = None) -> Made:
    """Put all the pieces together."""
    matrix: list[Outcome] = []
    conventions: Table | None = None
    measured: list[Measured] = []
    drawn: dict[str, Picture] = {}
    for found in done:
        if isinstance(found, Measured):
            measured.append(found)
        elif isinstance(found, Picture):
            drawn[found.name] = found
        elif isinstance(found, Table):
            conventions = found
        elif isinstance(found, dict):
            mathematics.know(found)
        else:
            matrix = found
    results = [line for each in measured for line in each.results]
    drawn |= _error_pictures([trace for each in measured for trace in each.traces], pictures)
    return Made(site(results, matrix, drawn, {**environment("cpu"), "seed": str(seed)}, parts(), conventions), results)


def _model(id_: str, dtype: str, seed: int) -> Measured:
    return measure_model(model_case(id_), dtype, seed)


def _picture(name: str, seed: int, folder: Path | None) -> Picture:
    """One picture as SVG and, where there is a folder, as PNG in it."""
    with one_thread():
        return _kept(PICTURES[name](seed), name, folder)


def _formulas(chapter: str) -> mathematics.Drawings:
    """The formulas of a chapter, drawn: their mathematics is what takes longest of a page."""
    words = [formula.words for each in CHAPTERS if each.id == chapter for formula in each.formulas]
    return mathematics.drawings((each.latex for each in words), (each.derivation for each in words))


def _error_pictures(traces: Iterable[Trace], folder: Path | None) -> dict[str, Picture]:
    """One picture for every model on its data, with a penalty and all examples in every step."""
    by_case: dict[str, list[Trace]] = {}
    for trace in traces:
        by_case.setdefault(trace.case, []).append(trace)
    made = {}
    for case in MODEL_CASES:
        if case.lambda_ and case.batch_size is None and case.id in by_case:
            name = f"errors-{case.model}-{case.dataset}"
            made[name] = _kept(errors(by_case[case.id], case.model, case.dataset), name, folder)
    return made


def _kept(drawn: Drawn, name: str, folder: Path | None) -> Picture:
    if folder is not None:
        save(drawn, folder / f"{name}.png")
    return Picture(name, drawn.caption, embedded(drawn, name))
