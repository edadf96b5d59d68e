"""The recipe on small networks: the subject, a short plan and the steps that were taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from datasets import load
from manual.__main__ import main as by_hand
from manual.architecture import model
from manual.checks import parts
from manual.recipe.run import Plan, steps
from manual.recipe.run import backend as manual_backend
from manual.recipe.steps import Step
from manual.shared.train_flags import Subject
from torch_ref.__main__ import main as by_torch
from torch_ref.recipe import backend as torch_backend

BACKENDS = [pytest.param(manual_backend(), id="manual"), pytest.param(torch_backend(), id="torch_ref")]
PACKAGES = [pytest.param(by_hand, id="manual"), pytest.param(by_torch, id="torch_ref")]
SHORT = Plan(draws=6, epochs=2, train_epochs=3)


def digits(hidden: tuple[int, ...] = (32, 32)) -> Subject:
    """The default data under a smaller network."""
    data = load("digits", dtype="float32")
    net = model("wide", 64, 10, hidden)
    return Subject(data.name, data.task, data.target_names, parts(net, data), net)


@contextmanager
def silent(title: str, total: int) -> Iterator[Callable[[], None]]:
    """No progress shown."""
    yield lambda: None


def taken(subject: Subject, plan: Plan = SHORT, until: str = "9") -> dict[str, Step]:
    """The steps by number, up to one of them."""
    found = {}
    for step in steps(manual_backend(), subject, plan, silent):
        found[step.number] = step
        if step.number == until:
            break
    return found


def failing(found: dict[str, Step]) -> list[str]:
    """The numbers of the steps that fail."""
    return [number for number, step in found.items() if step.verdict == "fails"]
