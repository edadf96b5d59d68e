"""Every model on its data: a slice of the seeds that ``seeds`` runs at length."""

from __future__ import annotations

import numpy as np
import pytest

import datasets
from parity_tests.comparison.free_runs import run_free
from parity_tests.comparison.models import MODEL_CASES, ModelCase, start
from parity_tests.comparison.snap import run_steps
from parity_tests.judging.judge import FAILS
from parity_tests.tests.slices import sliced


@pytest.mark.parametrize("case", sliced(MODEL_CASES, 2), ids=lambda case: case.id)
def test_model_holds(case: ModelCase) -> None:
    """In float32; in float64 it is the main job, which test_cli and test_readme look at."""
    data = datasets.load(case.dataset, seed=1)
    begin = start(case, data, np.float32, seed=1)
    results = run_steps(case, begin, steps=2) + run_free(case, begin, steps=5, seed=1)
    compared = {(result.quantity, result.layer) for result in results}
    for l, _, k in begin.architecture.numbered():
        for quantity in ("Z", "A", "dZ", "dA", "dW", "db", "W after a step", "b after a step") if k else ("A", "dA"):
            assert (quantity, l) in compared
    assert ("dA", 0) in compared
    assert [result for result in results if result.verdict == FAILS] == []


def test_models_cover_what_the_notes_derive() -> None:
    tasks = {datasets.load(case.dataset).task for case in MODEL_CASES}
    assert tasks == {"binary", "multiclass", "multilabel", "regression"}
    starts = [start(case, datasets.load(case.dataset), np.float64, 0) for case in MODEL_CASES]
    units = {unit for begin in starts for unit in begin.architecture.activations[:-1]} - {None}
    assert units == {"tanh", "relu", "leaky_relu", "sigmoid", "identity"}
    assert {begin.architecture.outputs for begin in starts if begin.architecture.output_unit == "softmax"} == {3, 10}
    assert {begin.architecture.outputs for begin in starts if begin.architecture.output_unit == "identity"} == {1, 3}
    assert max(len(begin.architecture.layers) for begin in starts) == 10
    assert {case.lambda_ > 0 for case in MODEL_CASES} == {True, False}
