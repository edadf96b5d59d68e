"""What this run found: every formula on its probes, every model step by step, and what verify made of the test-bed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from manual.shared.cli import toy_datasets
from parity_tests.comparison.free_runs import run_free
from parity_tests.comparison.models import MODEL_CASES, ModelCase, start
from parity_tests.comparison.run import one_thread
from parity_tests.comparison.snap import judged_steps
from parity_tests.conventions import CONVENTIONS
from parity_tests.conventions.check import check_all
from parity_tests.derivations.testbed.matrix import Outcome, outcomes
from parity_tests.derivations.testbed.wrong import Wrong
from parity_tests.formulas import CASES
from parity_tests.formulas.run import run_case
from parity_tests.judging.judge import Result
from parity_tests.report.evidence import Table, conventions_table

DTYPES = ("float64", "float32")

STEPS = 10
"""Steps of every model at most, judged ones and free ones: the comparison itself runs up to 100."""


class Trace(NamedTuple):
    """One quantity of one layer of a model: error over bound of its worst entry, step by step."""

    case: str
    dtype: str
    quantity: str
    layer: int | None
    ratios: tuple[float, ...]


class Measured(NamedTuple):
    """Lines of the parity table of a model, and its steps."""

    results: list[Result]
    traces: list[Trace]


def measure_formulas(dtype: str, seed: int) -> list[Result]:
    """Every formula case in one dtype."""
    with one_thread():
        kind = np.dtype(dtype).type
        return [line for case in CASES for line in run_case(case, kind, seed)]


def measure_conventions() -> Table:
    """Every translation between the notes and PyTorch, executed."""
    with one_thread():
        return conventions_table(list(check_all(CONVENTIONS)))


def measure_model(case: ModelCase, dtype: str, seed: int) -> Measured:
    """One model in one dtype: at most STEPS steps from common parameters, then in float64 its free run."""
    with one_thread():
        data = toy_datasets().load(case.dataset, seed=seed)
        begin = start(case, data, np.dtype(dtype).type, seed)
        ledger = judged_steps(case, begin, min(case.steps, STEPS), seed)
        free = run_free(case, begin, min(case.free.steps, STEPS), seed) if dtype == DTYPES[0] else []
    traces = [
        Trace(case.id, dtype, where.quantity, where.layer, tuple(each.ratio for each in judged))
        for where, judged in ledger.judgements().items()
    ]
    return Measured(ledger.results() + free, traces)


def model_case(id_: str) -> ModelCase:
    """The model case of that id.

    Raises StopIteration where there is none.
    """
    return next(case for case in MODEL_CASES if case.id == id_)


def measure_matrix(wrongs: Sequence[Wrong]) -> list[Outcome]:
    """What verify says of wrong formulas."""
    with one_thread():
        return list(outcomes(wrongs))
