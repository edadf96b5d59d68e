"""The checker can fail: faults are planted, and must be caught at the quantity where they were planted."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import datasets
from manual import activations, costs, dense, network
from parity_tests.comparison.free_runs import run_free
from parity_tests.comparison.models import MODEL_CASES, ModelCase, Start, start
from parity_tests.comparison.run import compare
from parity_tests.comparison.snap import longest_sum, run_steps
from parity_tests.formulas import CASES
from parity_tests.formulas.run import run_case
from parity_tests.judging.judge import CANNOT_TELL, FAILS, HOLDS, Ledger, Where, judge
from torch_ref import network as torch_network

DEEP = next(case for case in MODEL_CASES if case.id == "deep6/circles/lambda=0.7")


def begin(case: ModelCase = DEEP, dtype: Any = np.float64) -> Start:
    """The start of a model case."""
    return start(case, datasets.load(case.dataset), dtype, 0)


def failing(results: list[Any]) -> set[str]:
    """Quantities that fail."""
    return {result.quantity for result in results if result.verdict == FAILS}


def scaled(function: Callable[..., Any], factor: float) -> Callable[..., Any]:
    """The function's result times a factor."""
    return lambda *args, **options: factor * function(*args, **options)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("module", "name", "caught"),
    [
        (dense, "weight_gradient", "dW"),
        (dense, "bias_gradient", "db"),
        (dense, "input_gradient", "dA"),
        (dense, "linear_forward", "Z"),
        (network, "output_dZ", "dZ"),
        (network, "l2_penalty", "J with L2"),
    ],
)
def test_a_fault_in_one_operation_fails_there_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, caught: str, dtype: Any
) -> None:
    assert failing(run_steps(DEEP, begin(dtype=dtype), steps=2)) == set()
    factor = 1 + 1e-9 if dtype is np.float64 else 1 + 1e-2
    monkeypatch.setattr(module, name, scaled(getattr(module, name), factor))
    assert failing(run_steps(DEEP, begin(dtype=dtype), steps=2)) == {caught}


def test_every_quantity_of_every_layer_is_compared() -> None:
    of_a_layer = ("Z", "A", "dZ", "dW", "db", "W after a step", "b after a step")
    assert {(result.quantity, result.layer) for result in run_steps_once()} == {
        ("J with L2", None),
        *((quantity, l) for quantity in of_a_layer for l in range(1, 7)),
        *(("dA", l) for l in range(7)),
    }


def test_the_longest_sum_runs_over_the_positions_of_the_largest_volume() -> None:
    case = next(case for case in MODEL_CASES if case.model == "convnet" and case.batch_size is None)
    here = begin(case)
    assert here.architecture.shapes[0] == (8, 8, 1)
    assert longest_sum(here) == 64 * here.Y.shape[1]
    assert longest_sum(begin()) == max(begin().X.shape)


@pytest.mark.parametrize("unit", ["tanh", "relu", "leaky_relu", "sigmoid", "identity"])
def test_a_wrong_derivative_fails_at_the_layers_that_use_it(monkeypatch: pytest.MonkeyPatch, unit: str) -> None:
    g, g_prime = activations.ACTIVATIONS[unit]
    monkeypatch.setitem(activations.ACTIVATIONS, unit, activations.Activation(g, scaled(g_prime, 1 + 1e-9)))
    results = run_steps(DEEP, begin(), steps=1)
    layers = {l for l, g in enumerate(begin().architecture.activations[:-1]) if g == unit}
    assert {(result.quantity, result.layer) for result in results if result.verdict == FAILS} == {
        ("dZ", l) for l in layers
    }


def test_a_fault_in_the_update_fails_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from manual.optimizers import GradientDescent

    update = GradientDescent.update

    def late(self: Any, W: Any, dW: Any, t: int) -> Any:
        return update(self, W, (1 + 1e-6) * dW, t)

    monkeypatch.setattr(GradientDescent, "update", late)
    # the next step begins with what was stepped to by hand, on both sides
    assert failing(run_steps(DEEP, begin(), steps=3)) == {"W after a step", "b after a step"}
    assert failing(run_free(DEEP, begin(), steps=20, seed=0)) == {"W after 20 free steps", "b after 20 free steps"}


def test_a_fault_behind_a_kink_still_fails_in_a_free_run(monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(case for case in MODEL_CASES if case.id == "wide/wine/lambda=0")
    monkeypatch.setattr(dense, "weight_gradient", scaled(dense.weight_gradient, 1.01))
    assert failing(run_free(case, begin(case, np.float32), steps=30, seed=0))


def test_a_node_that_autograd_does_not_reach_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = torch_network.forward

    def detached(module: Any, X: Any, masks: Any = None) -> Any:
        passed = forward(module, X, masks)
        return passed._replace(Z=(None, *(Z.detach().requires_grad_() for Z in passed.Z[1:] if Z is not None)))

    monkeypatch.setattr(torch_network, "forward", detached)
    monkeypatch.setattr(torch_network, "backward", lambda module, J: {})
    monkeypatch.setattr("parity_tests.comparison.snap.Step._gradients", lambda self, grads: None)
    J_only = [result for result in run_steps_once() if result.reason]
    assert {result.reason for result in J_only} == {"autograd never reached this node"}
    assert {(result.quantity, result.layer) for result in J_only} == {("dZ", l) for l in range(1, 7)} | {
        ("dA", l) for l in range(6)
    }


def run_steps_once() -> list[Any]:
    """One step of the deep case."""
    return run_steps(DEEP, begin(), steps=1)


def test_one_moved_entry_in_any_output_of_any_formula_is_caught() -> None:
    rng = np.random.default_rng(0)
    for case in CASES:
        first = run_case(case, np.float64, 0)
        assert {result.verdict for result in first} == {HOLDS}, case.id

        def moved(*args: Any, case: Any = case) -> Any:
            value: Any = case.manual(*args)
            name = list(case.bounds)[-1]
            output = np.array(getattr(value, name) if isinstance(value, tuple) else value)
            place = tuple(rng.integers(0, side) for side in output.shape)
            output[place] += 1e-9 * max(float(np.abs(output).max()), 1e-300)
            if not isinstance(value, tuple):
                return output
            return SimpleNamespace(**{each: getattr(value, each) for each in case.bounds} | {name: output})

        results = run_case(case.__class__(**{**case.__dict__, "manual": moved}), np.float64, 0)
        assert FAILS in {result.verdict for result in results}, case.id


def test_a_case_that_compares_nothing_is_a_failure() -> None:
    empty = CASES[0].__class__(**{**CASES[0].__dict__, "bounds": {}, "derivatives": {}})
    (result,) = run_case(empty, np.float64, 0)
    assert (result.verdict, result.reason) == (FAILS, "the case compares nothing")


def test_an_output_that_is_missing_is_a_failure() -> None:
    case = next(case for case in CASES if case.id == "dense.linear_backward")
    broken = case.__class__(**{**case.__dict__, "manual": lambda *args: dense.LinearBackward(*case.manual(*args))[:2]})
    assert {result.reason for result in run_case(broken, np.float64, 0) if result.verdict == FAILS} >= {"db is missing"}


def test_an_empty_selection_is_refused() -> None:
    with pytest.raises(ValueError, match=r"-k is 'nothing like it', expected part of a case's id"):
        compare("nothing like it")


ONES = np.ones((2, 3))
SMALL = np.full((2, 3), 1e-15)


def one(place: tuple[int, int], value: float) -> Any:
    """Ones with one entry replaced."""
    changed = ONES.copy()
    changed[place] = value
    return changed


@pytest.mark.parametrize(
    ("got", "reference", "tolerance", "fails", "untold"),
    [
        (ONES, ONES, SMALL, False, False),
        (one((1, 2), 1 + 1e-9), ONES, SMALL, True, False),
        (one((1, 2), np.nan), ONES, SMALL, True, False),
        (ONES, one((0, 1), np.nan), SMALL, True, False),
        (one((0, 1), np.nan), one((0, 1), np.nan), SMALL, False, True),
        (one((0, 1), np.inf), one((0, 1), np.inf), SMALL, False, False),
        (one((0, 1), np.inf), one((0, 1), -np.inf), SMALL, True, False),
        (one((0, 1), np.inf), ONES, SMALL, True, False),
        (ONES, ONES, one((0, 0), 1e-9) * 1e-15, False, False),
        (ONES, ONES, np.full((2, 3), 1e-9), False, True),
        (ONES, ONES, one((0, 0), np.inf), False, True),
        (one((0, 0), np.nan), ONES, one((0, 0), np.inf), True, False),
        (ONES[:1], ONES, SMALL[:1], True, False),
        (ONES.astype(np.float32), ONES, SMALL, True, False),
        (np.ones((0, 3)), np.ones((0, 3)), SMALL[:0], True, False),
        (np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((2, 3)) + 1e-300, False, True),
    ],
)
def test_judge(got: Any, reference: Any, tolerance: Any, fails: bool, untold: bool) -> None:
    judgement = judge(got, reference, tolerance, np.float64)
    assert (judgement.fails, judgement.untold) == (fails, untold)


FOUR = np.array([4.0, 1.0], np.float32)


@pytest.mark.parametrize(
    ("error", "bound", "verdict"),
    [
        (0.0, 4.9e-4, HOLDS),
        (9e-4, 4.9e-4, HOLDS),
        (1.1e-3, 4.9e-4, FAILS),
        (1.9e-3, 1.0, HOLDS),  # half of what must be seen, 4e-3, has not passed
        (2.1e-3, 1.0, CANNOT_TELL),
        (1.9, 1.0, CANNOT_TELL),
        (2.1, 1.0, FAILS),
    ],
)
def test_in_float32_a_wide_bound_lets_pass_half_of_what_must_be_seen(error: float, bound: float, verdict: str) -> None:
    ledger = Ledger(np.float32, 3)
    ledger.add(Where("case", "dW"), FOUR + np.array([0, error], np.float32), FOUR, np.full(2, bound))
    (result,) = ledger.results()
    assert result.verdict == verdict


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("got", "reference", "bound", "verdict"),
    [
        (2.0, 2.0, 1e-3, CANNOT_TELL),  # in units of the floor: it hides all but the largest mistakes
        (-6.0, 2.0, 1e-3, FAILS),
        (0.5, 0.0, 1e-3, CANNOT_TELL),
        (0.0, 0.0, 1e-3, CANNOT_TELL),  # terms were added, and nothing is left of them
        (0.0, 0.0, 0.0, HOLDS),
        (2.0, 2.0, 0.0, HOLDS),  # nothing is rounded in a copy
        (2.5, 2.0, 0.0, CANNOT_TELL),
        (3.5, 2.0, 0.0, FAILS),
        (2e12, 2e12, 1e-3, HOLDS),
    ],
)
def test_what_underflow_decides_cannot_be_told(
    dtype: Any, got: float, reference: float, bound: float, verdict: str
) -> None:
    ledger = Ledger(dtype, 3)
    one_value, other = (np.array([ledger.floor * value], dtype) for value in (got, reference))
    ledger.add(Where("case", "dW"), one_value, other, np.array([ledger.floor * bound]))
    (result,) = ledger.results()
    assert result.verdict == verdict


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("got", "verdict"), [(np.inf, CANNOT_TELL), (np.nan, CANNOT_TELL), (1.0, CANNOT_TELL)])
def test_what_may_overflow_cannot_be_told(dtype: Any, got: float, verdict: str) -> None:
    largest, u = float(np.finfo(dtype).max), float(np.finfo(dtype).eps) / 2
    reference = np.array([1.0, largest / 2], dtype)
    ledger = Ledger(dtype, 3)
    for bound in (1.1e-3, 0.9e-3):
        ledger.add(
            Where("case", f"{bound}"), np.array([1.0, got], dtype), reference, np.array([u, bound * u * largest])
        )
    near, far = ledger.results()
    assert (near.verdict, far.verdict) == (verdict, FAILS)


@pytest.mark.parametrize(
    ("reference", "verdict"), [(np.inf, CANNOT_TELL), (-np.inf, CANNOT_TELL), (np.nan, CANNOT_TELL), (1.0, FAILS)]
)
def test_what_the_reference_overflows_cannot_be_told(reference: float, verdict: str) -> None:
    ledger = Ledger(np.float64, 3)
    ledger.add(Where("case", "J"), np.array([np.nan]), np.array([reference]), np.array([np.inf]))
    (result,) = ledger.results()
    assert result.verdict == verdict


def test_judge_names_the_worst_entry() -> None:
    ledger = Ledger(np.float64, 3)
    ledger.add(Where("case", "dW"), ONES, ONES, SMALL)
    ledger.add(Where("case", "dW"), one((1, 2), 1.5), ONES, SMALL)
    (result,) = ledger.results()
    assert (result.verdict, result.worst_index, result.error, result.arrays) == (FAILS, (1, 1, 2), 0.5, 2)


def test_cannot_tell_is_counted_not_passed() -> None:
    ledger = Ledger(np.float64, 3)
    ledger.add(Where("case", "db"), ONES, ONES, np.full((2, 3), 1e-8))
    ledger.add(Where("case", "db"), ONES, ONES, SMALL)
    (result,) = ledger.results()
    assert (result.verdict, result.cannot_tell, result.arrays) == (CANNOT_TELL, 1, 2)


def test_the_generators_of_cases_are_their_own() -> None:
    whole = {(result.case, result.quantity, result.pair): result.error for result in compare("dense.", seed=3)}
    part = {(result.case, result.quantity, result.pair): result.error for result in compare("dense.bias", seed=3)}
    assert part
    assert all(whole[key] == error for key, error in part.items())


def test_torch_is_on_one_thread() -> None:
    assert torch.get_num_threads() == 1
    assert costs.OUTPUT_COSTS.keys() == {"sigmoid", "softmax", "identity"}
