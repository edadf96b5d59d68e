"""Every formula in its versions, and every model on its data: a slice of the seeds that ``seeds`` runs at length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import datasets
from parity_tests.comparison.free_runs import run_free
from parity_tests.comparison.models import MODEL_CASES, ModelCase, start
from parity_tests.comparison.snap import run_steps
from parity_tests.formulas import CASES, FORMULAS
from parity_tests.formulas.case import Case
from parity_tests.formulas.formula import Refusal
from parity_tests.formulas.run import generator, run_case
from parity_tests.judging.judge import FAILS, HOLDS

DTYPES = [np.float64, np.float32]


@pytest.mark.parametrize("dtype", DTYPES, ids=["float64", "float32"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_formula_holds(case: Case, dtype: Any) -> None:
    for seed in range(5):
        results = run_case(case, dtype, seed)
        assert {result.quantity for result in results} == set(case.bounds)
        assert [result for result in results if result.verdict != HOLDS] == []


@pytest.mark.parametrize("dtype", DTYPES, ids=["float64", "float32"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_formula_leaves_its_arguments_alone_and_keeps_their_dtype(case: Case, dtype: Any) -> None:
    inputs = case.inputs(generator(case.id, 0))
    arrays = {name: value.astype(dtype) for name, value in inputs.items() if isinstance(value, np.ndarray)}
    for value in arrays.values():
        value.setflags(write=False)
    for version in (case.manual, case.loop):
        if version is not None:
            found = version(*{**inputs, **arrays}.values())  # writing to an argument would raise
            assert not arrays or set(dtypes(found)) == {np.dtype(dtype)}


REFUSALS = [(formula.id, refusal) for formula in FORMULAS for refusal in formula.refusals]


@pytest.mark.parametrize(
    "refusal", [each for _, each in REFUSALS], ids=[f"{id_}, {each.sentence}" for id_, each in REFUSALS]
)
def test_bad_input_gets_one_plain_sentence(refusal: Refusal) -> None:
    assert refusal.of is not None
    with pytest.raises(ValueError) as caught:
        refusal.of(*refusal.arguments)
    assert str(caught.value) == refusal.sentence


def dtypes(found: Any) -> list[np.dtype[Any]]:
    """The dtype of a result, or of each field of a bundle."""
    return [np.asarray(value).dtype for value in (found if isinstance(found, tuple) else (found,))]


STAY_REAL = {
    ("logistic_regression.propagate", "Y"): "targets are cast to the dtype of the inputs",
    ("dropout.forward", "mask"): "masks are cast to the dtype of A",
    ("dropout.forward_of_volumes", "mask"): "masks are cast to the dtype of A",
    ("dropout.backward", "mask"): "masks are cast to the dtype of dA",
    ("dropout.backward", "A"): "the derivative does not depend on A",
    ("dropout.backward_of_volumes", "mask"): "masks are cast to the dtype of dA",
    ("dropout.backward_of_volumes", "A"): "the derivative does not depend on A",
    **{
        (f"clipping.{name}", gradient): "a norm is a real number"
        for name in ("gradient_norm", "clip_by_norm", "within_the_limit")
        for gradient in ("dW", "db")
    },
    ("theory.parity", "X"): "there is no complex remainder",
}


@pytest.mark.parametrize("case", [case for case in CASES if case.loop], ids=lambda case: case.id)
def test_one_complex_argument_makes_the_same_results_complex_in_the_loop_and_in_the_formula(case: Case) -> None:
    assert case.loop is not None
    inputs = case.inputs(generator(case.id, 0))
    for name, value in inputs.items():
        if isinstance(value, np.ndarray) and (case.id, name) not in STAY_REAL:
            moved = {**inputs, name: value.astype(np.complex128)}
            assert dtypes(case.loop(*moved.values())) == dtypes(case.manual(*moved.values()))


@pytest.mark.parametrize("dtype", DTYPES, ids=["float64", "float32"])
@pytest.mark.parametrize("case", MODEL_CASES, ids=lambda case: case.id)
def test_model_holds(case: ModelCase, dtype: Any) -> None:
    data = datasets.load(case.dataset, seed=1)
    begin = start(case, data, dtype, seed=1)
    results = run_steps(case, begin, steps=3) + run_free(case, begin, steps=10, seed=1)
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
    assert max(len(begin.architecture.layers) for begin in starts) == 8
    assert {case.lambda_ > 0 for case in MODEL_CASES} == {True, False}
