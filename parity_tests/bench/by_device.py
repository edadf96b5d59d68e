"""What the workers of a device are told to time. Every call waits until the device is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from manual.shared.loop import run
from manual.shared.recipe_runs import train
from manual.shared.settings import Examples, Run, start
from parity_tests.bench.device_sizes import DrawsSize, EpochSize, WideData, WideSize
from parity_tests.bench.sizes import FitData
from torch_ref.hardware import Hardware
from torch_ref.recipe import backend
from torch_ref.search import Draw, Plan, Trial, draws, search
from torch_ref.training import Learner

STEPS = 10
"""Steps of a wide network in one call."""

PLAN = Plan()
VALIDATION = 100
"""Examples that every draw is tried on."""


def wait(device: str) -> None:
    """Until the device has done all that it was given."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def trained(size: EpochSize, data: FitData, graph: str) -> Callable[[], Run]:
    """A whole training by the loop of both packages; a graph that was captured once is used again."""
    examples = Examples(data.X, data.Y)
    learner = Learner(data.architecture, examples, data.settings, Hardware(size.device, graph=graph))

    def call() -> Run:
        drawn, rng = start(data.architecture, data.settings, data.X.dtype)
        learner.restore(drawn, None, 0)
        done = run(learner, data.architecture, examples, data.settings, rng)
        wait(size.device)
        if len(done.history) != data.settings.epochs:
            raise RuntimeError(f"the training stopped after {len(done.history)} of {data.settings.epochs} epochs")
        return done

    return call


def points(count: int) -> list[Draw]:
    """The draws that both ways train."""
    return draws(count, np.random.default_rng(0))


def together(size: DrawsSize, data: FitData) -> Callable[[], list[Trial]]:
    """The search, all draws together."""
    here = Examples(data.X, data.Y)
    validation = Examples(data.X[:, :VALIDATION], data.Y[:, :VALIDATION])

    def call() -> list[Trial]:
        found = search(data.architecture, here, validation, points(size.draws), PLAN, device=size.device)
        wait(size.device)
        return found

    return call


def one_by_one(size: DrawsSize, data: FitData) -> Callable[[], list[Run]]:
    """The same trainings one after another, eager, each tried on the same validation part."""
    torch_side, here = backend(size.device), Examples(data.X, data.Y)
    validation = Examples(data.X[:, :VALIDATION], data.Y[:, :VALIDATION])

    def call() -> list[Run]:
        done = []
        for point in points(size.draws):
            settings = PLAN.settings(point)
            ended = train(torch_side, data.architecture, here, settings, point.reg)
            learner = torch_side.learner(data.architecture, validation, settings)
            learner.restore(ended.params, None, 0)
            learner.evaluate(*validation)
            done.append(ended)
        wait(size.device)
        return done

    return call


def wide(size: WideSize, data: WideData) -> Callable[[], object]:
    """STEPS steps of a wide network, its products in bfloat16."""
    learner = Learner(size.architecture, Examples(data.X, data.Y), data.settings, Hardware(size.device, amp=True))
    learner.restore(start(size.architecture, data.settings, data.X.dtype)[0], None, 0)
    batch = np.arange(size.m)

    def call() -> float:
        for _ in range(STEPS):
            outcome = learner.step(batch, None)
        J, _ = learner.look(outcome)
        wait(size.device)
        return J

    return call


def product(size: WideSize, data: WideData) -> Callable[[], object]:
    """STEPS square matrix products in bfloat16."""
    generator = torch.Generator(size.device).manual_seed(0)
    A, B = (torch.randn(size.side, size.side, device=size.device, generator=generator).bfloat16() for _ in range(2))
    out = torch.empty_like(A)

    def call() -> None:
        for _ in range(STEPS):
            torch.mm(A, B, out=out)
        wait(size.device)

    return call


TASKS: dict[str, Callable[[Any], Callable[[], object]]] = {
    "eager": lambda drawn: trained(drawn[0], drawn[1], "off"),
    "graph": lambda drawn: trained(drawn[0], drawn[1], "on"),
    "together": lambda drawn: together(*drawn),
    "one_by_one": lambda drawn: one_by_one(*drawn),
    "wide": lambda drawn: wide(*drawn),
    "product": lambda drawn: product(*drawn),
}
"""What can be timed: functions of a size and its data that return what is called again and again."""
