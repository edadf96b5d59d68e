"""Nothing is timed before both sides are seen to compute the same thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from manual import training as by_hand_training
from manual.shared.settings import start
from parity_tests.bench import by_hand, by_torch
from parity_tests.bench.sizes import (
    LAMBDA,
    LEARNING_RATE,
    LOOP_CASES,
    ConvSize,
    Data,
    FitSize,
    Size,
    draw,
    draw_digits,
    draw_volumes,
)
from parity_tests.bench.worker import Worker
from parity_tests.comparison.free_runs import REPEATS, judge_by_spread, moved
from parity_tests.comparison.models import ModelCase, Start
from parity_tests.comparison.snap import run_steps
from parity_tests.formulas import CASES
from parity_tests.formulas.run import generator, run_case
from parity_tests.judging.judge import FAILS, Ledger, Result, Where
from torch_ref import training as by_torch_training


def check_step(size: Size, dtype: str) -> list[Result]:
    """One step, node by node within the derived bounds, then as it is timed.

    The steps that are timed run freely, so their parameters are judged by the spread of five runs, as free runs are.
    """
    data = draw(size, dtype)
    case = ModelCase(str(size), "bench", LAMBDA, LEARNING_RATE, steps=1)
    return run_steps(case, Start(*data), steps=1) + _timed_step(case, data)


def check_loops(dtype: str) -> list[Result]:
    """The formulas whose loops are timed, against their loops and torch."""
    return [line for case in CASES if case.id in LOOP_CASES for line in run_case(case, np.dtype(dtype).type, seed=0)]


def check_convolution(size: ConvSize, dtype: str) -> list[Result]:
    """What is timed, forward and backward: drawn so that it is exact, both sides must give the same numbers."""
    data = draw_volumes(size, dtype)
    ours = by_hand.convolution(data)()
    theirs = by_torch.in_notes_layout(*by_torch.convolution(data)())
    ledger = Ledger(dtype, 1)
    for name, one, other in zip(("Z", "dA_prev", "dW", "db"), ours, theirs, strict=True):
        ledger.add(Where(f"convolution {size}", name, model="convolution", dataset="bench"), one, other, bound=0.0)
    return ledger.results()


def check_fit(size: FitSize) -> list[Result]:
    """An epoch of the training that is timed, by hand and in torch: free runs, judged by the spread of five."""
    data = draw_digits(size, "float64")
    short = data._replace(settings=replace(data.settings, epochs=1))
    drawn, _ = start(data.architecture, data.settings, np.float64)
    rng = generator(f"fit {size}", 0)

    def trained(fit: Any, params: Any) -> Any:
        return fit(short.architecture, short.X, short.Y, short.settings, params=params).params

    repeats = [trained(by_hand_training.fit, moved(drawn, rng)) for _ in range(REPEATS)]
    ours, theirs = (trained(side.fit, drawn) for side in (by_hand_training, by_torch_training))
    ledger = Ledger(np.float64, 1)
    for name, judgement in judge_by_spread(ours, theirs, repeats, np.float64).items():
        where = Where(f"training {size}", f"{name} after an epoch", model="fit", dataset="digits", basis="measured")
        ledger.add_judged(where, judgement)
    return ledger.results()


def check_shared(size: Size, dtype: str, several: Worker) -> list[Result]:
    """The cost after a step that processes shared, and after one taken by a single process, both as they are timed."""
    where = Where(f"shared {size}", "J after a shared step", "torch/processes", "shared step")
    return _check_worker(where, size, dtype, lambda data: by_torch.SharedTraining(data).second_cost(), several)


def check_jax(size: Size, dtype: str, jax: Worker) -> list[Result]:
    """The cost after a step by hand and in JAX, both as they are timed."""
    where = Where(f"JAX {size}", "J after a timed step", "manual/jax", "jitted step")
    return _check_worker(where, size, dtype, lambda data: by_hand.Training(data).second_cost(), jax)


def _check_worker(where: Where, size: Size, dtype: str, ours: Callable[[Data], float], theirs: Worker) -> list[Result]:
    """The cost after a step, here and in a worker: free runs, judged by the spread of five."""
    data = draw(size, dtype)
    rng = generator(where.case, 0)

    def cost(params: Any) -> Any:
        return {"J": np.array(ours(data._replace(params=params)), dtype)}

    repeats = [cost(moved(data.params, rng)) for _ in range(REPEATS)]
    found = {"J": np.array(theirs.seconds("second cost", size, dtype, 0), dtype)}
    ledger = Ledger(dtype, 1)
    for judgement in judge_by_spread(cost(data.params), found, repeats, data.X.dtype).values():
        ledger.add_judged(where._replace(dataset="bench", basis="measured"), judgement)
    return ledger.results()


def disagreements(results: list[Result]) -> list[Result]:
    """What fails. No result at all is an error: it would prove nothing."""
    if not results:
        raise ValueError("nothing was compared, expected results of both sides")
    return [result for result in results if result.verdict == FAILS]


def _timed_step(case: ModelCase, data: Data) -> list[Result]:
    """The parameters after one step of the loops that are timed."""
    dtype = data.X.dtype
    rng = generator(case.id, 0)
    repeats = [_after_a_step(by_hand, data._replace(params=moved(data.params, rng))) for _ in range(REPEATS)]
    judged = judge_by_spread(_after_a_step(by_hand, data), _after_a_step(by_torch, data), repeats, dtype)
    ledger = Ledger(dtype, 1)
    for name, judgement in judged.items():
        where = Where(case.id, f"{name[0]} after a timed step", "manual/torch", case.model, case.dataset, int(name[1:]))
        ledger.add_judged(where._replace(basis="measured"), judgement)
    return ledger.results()


def _after_a_step(side: Any, data: Data) -> Any:
    training = side.Training(data)
    training.step()
    return training.parameters()
