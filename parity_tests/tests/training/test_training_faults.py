"""Mistakes planted in training by hand: the comparison of trained models names the quantity that they spoil."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import datasets
from manual import dropout, network, optimizers, training
from parity_tests.comparison.free_runs import run_free
from parity_tests.comparison.models import MODEL_CASES, TRAINED, start
from parity_tests.comparison.snap import run_steps
from parity_tests.judging.judge import FAILS
from parity_tests.tests.slices import sliced

CASES = {case.id: case for case in MODEL_CASES if case.batch_size is not None}
WIDE, CONVNET = "wide/digits/adam/dropout/lambda=0.7", "convnet/digits/adam/dropout/lambda=0.7"
STEPS = 12
W, B = f"W after {STEPS} free steps", f"b after {STEPS} free steps"


def failing(name: str, dtype: Any = np.float64) -> tuple[set[str], set[str]]:
    """Quantities that fail step by step, and in free runs."""
    case = CASES[name]._replace(every=4)
    begin = start(case, datasets.load(case.dataset), dtype, 0)
    found = run_steps(case, begin, STEPS), run_free(case, begin, STEPS, 0)
    by_step, free = ({result.quantity for result in results if result.verdict == FAILS} for results in found)
    return by_step, free


def masks_of_the_first_step(forward: Callable[..., Any]) -> Callable[..., Any]:
    """One set of masks for all steps whose batches are as large."""
    first: dict[int, Any] = {}

    def kept(architecture: Any, params: Any, X: Any, masks: Any = None) -> Any:
        if masks is not None:
            masks = first.setdefault(masks[0].size, [mask.copy() for mask in masks])
        return forward(architecture, params, X, masks)

    return kept


def penalty_over_the_set(backward: Callable[..., Any]) -> Callable[..., Any]:
    """The penalty divided by as many examples as the set has, twice those of a batch or more."""

    def over(architecture: Any, params: Any, passed: Any, Y: Any, lambda_: float, **how: Any) -> Any:
        return backward(architecture, params, passed, Y, lambda_ * Y.shape[1] / 120, **how)

    return over


def forgetful(update: Callable[..., Any]) -> Callable[..., Any]:
    """Every step starts without a velocity."""
    return lambda W, dW, v, *rest, out=None: update(W, dW, 0 * v, *rest, out=out)


def always_first(update: Callable[..., Any]) -> Callable[..., Any]:
    """Every step is number 1."""
    return lambda W, dW, v, s, t, *rest, out=None: update(W, dW, v, s, 1, *rest, out=out)


def state_lost(begin_epoch: Callable[..., float]) -> Callable[..., float]:
    """Every epoch starts the optimiser afresh."""

    def fresh(learner: Any, epoch: int) -> float:
        if vars(learner).get("_params"):
            learner.restore(learner.params(), None, epoch)
        return begin_epoch(learner, epoch)

    return fresh


def one_late(begin_epoch: Callable[..., float]) -> Callable[..., float]:
    """The first rate holds for two epochs."""
    return lambda learner, epoch: begin_epoch(learner, max(epoch - 1, 0))


V = {"v_dW after a step", "v_db after a step"}
UPDATED = {"W after a step", "b after a step"}

FAULTS: dict[str, tuple[Any, str, Callable[[Any], Any], set[str], set[str]]] = {
    "mask forgotten backward": (
        dropout, "dropout_backward", lambda right: lambda dA, mask, keep_prob: dA / keep_prob, {"dA"}, {W, B},
    ),
    "not rescaled": (
        dropout, "dropout_forward", lambda right: lambda A, mask, keep_prob: (A * mask).astype(A.dtype), {"A"}, {W, B},
    ),
    "masks of another step": (network, "forward", masks_of_the_first_step, {"A", "dA"}, {W, B}),
    "L2 over the set's m": (network, "backward", penalty_over_the_set, {"dW"}, {W, B}),
    "velocity not carried over": (optimizers, "adam_update", forgetful, V | UPDATED, {W, B}),
    "number of the step not carried over": (optimizers, "adam_update", always_first, UPDATED, {W, B}),
    "state lost between epochs": (training.Learner, "begin_epoch", state_lost, set(), {W, B}),
    "schedule late by an epoch": (training.Learner, "begin_epoch", one_late, set(), {"learning rate", W, B}),
}  # fmt: skip


IN_LAYERS = [fault for fault, (where, *_) in FAULTS.items() if where in (dropout, network)]
"""The others are in what all layers share: one network shows them."""


@pytest.mark.parametrize(
    ("fault", "name", "dtype"),
    [
        *((fault, WIDE, np.float32) for fault in FAULTS),
        *sliced(((fault, CONVNET, np.float64) for fault in IN_LAYERS), 16),
    ],
)
def test_a_fault_of_training_is_caught_where_it_was_planted(
    monkeypatch: pytest.MonkeyPatch, fault: str, name: str, dtype: Any
) -> None:
    where, function, change, by_step, free = FAULTS[fault]
    monkeypatch.setattr(where, function, change(getattr(where, function)))
    assert failing(name, dtype) == (by_step, free)


@pytest.mark.parametrize("name", sliced([WIDE, CONVNET], 2))
def test_nothing_fails_without_a_fault(name: str) -> None:
    assert failing(name) == (set(), set())


def test_every_optimiser_is_trained_dense_and_convolutional() -> None:
    rules = [rule for rule, _ in TRAINED]
    assert sorted(rules) == sorted(optimizers.NOTES)
    expected = {f"{model}/digits/{rule}/dropout/lambda=0.7" for model in ("wide", "convnet") for rule in rules}
    assert CASES.keys() == expected
    assert all(case.steps == 100 for case in CASES.values())
