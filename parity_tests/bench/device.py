"""The measurement on a device: what a GPU is told to do at once, against the same one thing after another."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch

from manual.draws import initial_parameters
from manual.recipe.run import backend
from manual.shared.recipe_runs import train
from manual.shared.settings import Examples, Settings, start
from manual.training import fit
from parity_tests.bench import by_device
from parity_tests.bench.device_sizes import (
    EPOCHS,
    DeviceBars,
    DeviceSizes,
    WideSize,
    device_sizes,
    draw_draws,
    draw_epochs,
    draw_wide,
)
from parity_tests.bench.measure import environment, in_turn, quartiles, ratio
from parity_tests.bench.sizes import FitData
from parity_tests.bench.worker import Worker
from parity_tests.comparison.formats import run_short
from parity_tests.comparison.free_runs import REPEATS, judge_by_spread, moved
from parity_tests.comparison.models import ModelCase, Start
from parity_tests.comparison.run import environment as versions
from parity_tests.formulas.case import LAMBDA
from parity_tests.formulas.run import generator
from parity_tests.judging.judge import Ledger, Result, Where
from torch_ref.hardware import operations

DTYPE = "float32"

CHECKED = WideSize("cpu", 256, 2, 64, 0)
"""The network whose layers are compared before wide ones are timed."""


class DevicePlan(NamedTuple):
    """What is measured, how often, and for how many seconds at a time."""

    sizes: DeviceSizes
    rounds: int
    block: float

    @property
    def device(self) -> str:
        """Where."""
        return self.sizes.epochs.device

    @property
    def has_graphs(self) -> bool:
        """Whether the device has graphs, and bars."""
        return self.device.startswith("cuda")


def device_plan(device: str, *, quick: bool = False) -> DevicePlan:
    """What a run on the device measures: on others than GPUs no more than shows that it runs."""
    if quick or not device.startswith("cuda"):
        return DevicePlan(device_sizes(device, quick=True), rounds=1, block=0.005)
    return DevicePlan(device_sizes(device, quick=False), rounds=7, block=0.3)


def check_device(plan: DevicePlan) -> list[Result]:
    """Everything that must agree before the measurements mean anything, all on the device."""
    return [*_check_epochs(plan), *_check_draws(plan), *_check_wide(plan)]


def _check_epochs(plan: DevicePlan) -> Iterator[Result]:
    """An epoch of the timed trainings, eager and in graphs, against one by hand, judged by the spread of five."""
    size = plan.sizes.epochs
    data = draw_epochs(size, DTYPE)
    data = data._replace(settings=replace(data.settings, epochs=1))
    drawn, _ = start(data.architecture, data.settings, np.float32)

    def by_hand(params: Any) -> Any:
        return fit(data.architecture, data.X, data.Y, data.settings, params=params).params

    judged = _judge(by_hand, drawn, f"{size}", seed=0)
    for graph in ("off", "on") if plan.has_graphs else ("off",):
        done = by_device.trained(size, data, graph)()
        yield from judged(done.params, f"epochs, graph {graph}")


def _check_draws(plan: DevicePlan) -> Iterator[Result]:
    """The first and the last of the draws, trained together and alone, against those by hand."""
    size = plan.sizes.draws
    data = draw_draws(size, DTYPE)
    few = size._replace(draws=2)
    trials = {(trial.learning_rate, trial.reg): trial for trial in by_device.together(few, data)()}
    alone = by_device.one_by_one(few, data)()
    for point, run in zip(by_device.points(few.draws), alone, strict=True):
        settings = by_device.PLAN.settings(point)
        drawn, _ = start(data.architecture, settings, np.float32)
        by_hand = partial(_draw_by_hand, data, settings, point.reg)
        judged = _judge(by_hand, drawn, f"{size}, rate {point.learning_rate:.1e}", seed=1)
        yield from judged(trials[point.learning_rate, point.reg].params, "draws together")
        yield from judged(run.params, "draws one by one")


def _draw_by_hand(data: FitData, settings: Settings, reg: float, params: Any) -> Any:
    """The parameters at the end of a draw."""
    return train(backend(), data.architecture, Examples(data.X, data.Y), settings, reg, params=params).params


def _judge(by_hand: Callable[[Any], Any], drawn: Any, name: str, seed: int) -> Callable[[Any, str], list[Result]]:
    """A function that judges parameters at the end of a run by those of runs by hand."""
    rng = generator(name, seed)
    ours, repeats = by_hand(drawn), [by_hand(moved(drawn, rng)) for _ in range(REPEATS)]

    def judged(params: Any, quantity: str) -> list[Result]:
        ledger = Ledger(np.float32, 1)
        for parameter, judgement in judge_by_spread(ours, params, repeats, np.float32).items():
            where = Where(name, f"{parameter} after {quantity}", model="bench", dataset="digits", basis="measured")
            ledger.add_judged(where, judgement)
        return ledger.results()

    return judged


def _check_wide(plan: DevicePlan) -> list[Result]:
    """Every layer of a narrower network in bfloat16, under the bounds of the format."""
    data = draw_wide(CHECKED, np.float64)
    architecture = CHECKED.architecture
    params = initial_parameters(architecture, "he", np.random.default_rng(0))
    case = ModelCase("wide", "bench", LAMBDA, 0.0, steps=1)
    return run_short(case, Start(architecture, params, data.X, data.Y), "bf16", plan.device)


def of_device(plan: DevicePlan, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """The measurements with what they were made on."""
    cuda = torch.device(plan.device).type == "cuda"
    about = {**environment(), **versions(plan.device), **({"CUDA": str(torch.version.cuda)} if cuda else {})}
    return {"environment": about, "rounds": plan.rounds, "lines": lines}


def measure_device(plan: DevicePlan) -> Generator[dict[str, Any], None, None]:
    """Three ratios as plain data, each side in a process of its own, in turn."""
    epochs, draws, wide = plan.sizes
    bars = DeviceBars()
    with Worker("device", 1) as first, Worker("device", 1) as second:

        def timed(one: str, other: str, size: Any) -> tuple[list[float], list[float]]:
            times = in_turn({one: (first, one), other: (second, other)}, size, DTYPE, plan.rounds, plan.block)
            return times[one], times[other]

        def line(what: str, size: Any, bar: float, **measured: Any) -> dict[str, Any]:
            return {"measured": what, "size": str(size), **measured, "at_least": bar if plan.has_graphs else None}

        what = "epochs: eager / in graphs"
        if plan.has_graphs:
            slow, fast = timed("eager", "graph", epochs)
            yield line(what, epochs, bars.graph, **_of_times(slow, fast, per=EPOCHS))
        else:
            yield {"measured": what, "size": str(epochs), "left_out": f"{plan.device} has no CUDA graphs"}
        yield line(
            "draws: one by one / together", draws, bars.together, **_of_times(*timed("one_by_one", "together", draws))
        )
        steps, products = timed("wide", "product", wide)
        counts = operations(wide.architecture, wide.m), 2 * wide.side**3
        yield line("bf16: rate of a step / of a product", wide, bars.wide, **_of_rates(steps, products, counts))


def _of_times(slow: list[float], fast: list[float], per: int = 1) -> dict[str, Any]:
    """Milliseconds of both, of which a call has ``per``, and their ratio."""
    times = [round(1e3 * median(seconds) / per, 4) for seconds in (slow, fast)]
    return {
        "unit": "ms",
        "one": times[0],
        "other": times[1],
        "ratio": ratio(slow, fast),
        "quartiles": quartiles(slow, fast),
    }


def _of_rates(steps: list[float], products: list[float], counts: tuple[int, int]) -> dict[str, Any]:
    """Operations in a second of both, and their ratio."""
    rates = [
        [by_device.STEPS * count / s for s in seconds] for count, seconds in zip(counts, (steps, products), strict=True)
    ]
    one, other = (float(f"{median(of_rounds) / 1e12:.4g}") for of_rounds in rates)
    return {"unit": "TFLOP/s", "one": one, "other": other, "ratio": ratio(*rates), "quartiles": quartiles(*rates)}
