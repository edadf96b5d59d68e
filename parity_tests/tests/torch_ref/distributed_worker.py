"""What test_distributed runs in several processes at once, and how they are started.

Worlds of 2, 3 and 4 processes are groups of four. The processes are forked from one that has imported torch: torchrun
would import it in each of them, which takes longer than all that they compute.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import distributed

from manual.architecture import Architecture, BatchNorm, Conv, Dense, Dropout, Flatten, Pool
from manual.draws import dropout_masks, initial_parameters
from manual.shared.settings import Examples, Run, Settings
from torch_ref.__main__ import main
from torch_ref.distributed import World
from torch_ref.network import export_grads
from torch_ref.training import Learner, fit

SECONDS = 300
"""After which a job of several processes is taken to hang; it takes seconds."""

PRELOADED = (__name__, "torch._dynamo", "torch_ref.commands.train", "sklearn.datasets")
"""What the processes need; torch._dynamo is imported by DistributedDataParallel, and the last two by the command."""

SIZES = (1, 2, 3, 4)
LAMBDA = 0.7
STEPS = (3, 12, 13)
"""Examples of a single step: fewer than processes, shared out evenly, and not."""
NET = Architecture(5, (Dense(7, "tanh"), Dense(3, "softmax")))
NORMED = Architecture(5, (Dense(7, "tanh"), BatchNorm("tanh"), Dense(3, "softmax")))
DROPPED = Architecture(5, (Dense(7, "tanh"), Dropout(0.8), Dense(3, "softmax")))
VOLUMES = Architecture(
    (6, 5, 2),
    (Conv(3, 3, pad=1, activation="relu"), Pool(2, 1, "average"), Dropout(0.5), Flatten(), Dense(2, "identity")),
)
FIFTY = Settings("momentum", 0.05, epochs=10, batch_size=9, lambda_=LAMBDA, clip=2.0, seed=3)
"""Of 37 examples: 50 steps, every fifth on a single one, so that most processes have none."""


class Uneven(World):
    """One example for the first process, most for the last, none in between."""

    def parts(self, m: int) -> list[slice]:
        """See World."""
        if self.size == 1:
            return super().parts(m)
        ends = [0, *[1] * (self.size - 1), m]
        return [slice(start, end) for start, end in pairwise(ends)]


class MeanOfMeans(Uneven):
    """The mistake: every process counts the same, however many examples it has."""

    def weight(self, m: int) -> float:
        """As DistributedDataParallel takes mean losses."""
        return 1.0


WORLDS: dict[str, Callable[..., World]] = {"as even as can be": World, "uneven": Uneven, "mean of means": MeanOfMeans}


def examples(m: int) -> Examples:
    """X (5, m) and one-hot Y (3, m)."""
    rng = np.random.default_rng(m)
    return Examples(rng.standard_normal((5, m)), np.eye(3)[:, rng.integers(0, 3, m)])


WEIGHTS = np.random.default_rng(0).uniform(0.5, 2.0, (1, 37))
"""Of the examples of a fit."""


def parameters() -> dict[str, Any]:
    """Where NET starts, biases too."""
    rng = np.random.default_rng(0)
    drawn = initial_parameters(NET, "xavier", rng)
    return {name: value + 0.1 * rng.standard_normal(value.shape) for name, value in drawn.items()}


def gradients(world: World, m: int) -> dict[str, Any]:
    """Of one step on m examples."""
    learner = Learner(NET, examples(m), Settings("gradient_descent", lambda_=LAMBDA), world=world)
    learner.restore(parameters(), None, 0)
    outcome = learner.step(np.arange(m), None)
    J, A_L = learner.look(outcome)
    return {**export_grads(learner.module), "J": np.array(J), "A_L": A_L}


def normed(world: World, m: int) -> dict[str, Any]:
    """Gradients of one step of NORMED, and what every process then has for running statistics."""
    learner = Learner(NORMED, examples(m), Settings("gradient_descent", lambda_=LAMBDA), world=world)
    learner.restore(initial_parameters(NORMED, "xavier", np.random.default_rng(0)), None, 0)
    learner.step(np.arange(m), [])
    params = learner.params()
    return {**export_grads(learner.module), **{name: params[name] for name in ("mean2", "variance2")}}


class Whole(NamedTuple):
    """A step of VOLUMES on small whole numbers: forward and backward are exact until something is divided."""

    params: dict[str, Any]
    data: Examples
    masks: list[Any]


def whole_numbers(m: int) -> Whole:
    """Parameters, volumes, targets and masks."""
    rng = np.random.default_rng(m)
    shapes = initial_parameters(VOLUMES, "zeros", rng)
    params = {name: rng.integers(-4, 5, value.shape).astype(np.float64) for name, value in shapes.items()}
    X, Y = rng.integers(-4, 5, (m, 6, 5, 2)), rng.integers(-9, 10, (2, m))
    return Whole(params, Examples(X.astype(np.float64), Y.astype(np.float64)), dropout_masks(VOLUMES, m, rng))


def whole_gradients(world: World, m: int) -> dict[str, Any]:
    """Of one step of VOLUMES on m examples."""
    params, data, masks = whole_numbers(m)
    learner = Learner(VOLUMES, data, Settings("gradient_descent", lambda_=LAMBDA), world=world)
    learner.restore(params, None, 0)
    learner.step(np.arange(m), masks)
    return export_grads(learner.module)


def fitted(world: World) -> dict[str, Any]:
    """Parameters after 50 steps."""
    X, Y = examples(37)
    return fit(DROPPED, X, Y, FIFTY, weights=WEIGHTS, world=world).params


def interrupted(world: World) -> dict[str, Any]:
    """The same, stopped after four epochs and gone on with by another learner."""
    X, Y = examples(37)
    seen: list[Run] = []
    fit(DROPPED, X, Y, replace(FIFTY, epochs=4), weights=WEIGHTS, world=world, on_epoch=seen.append)
    return fit(DROPPED, X, Y, FIFTY, weights=WEIGHTS, world=world, resume=seen[-1]).params


def in_processes(size: int, work: Callable[..., None], folder: Path, *words: Any) -> list[int | None]:
    """The exit codes of so many processes, each of which does ``work(rank, size, folder, *words)``."""
    methods = multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    context.set_forkserver_preload(list(PRELOADED))
    processes = [context.Process(target=work, args=(rank, size, folder, *words)) for rank in range(size)]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        (folder / "port").write_text(str(free.getsockname()[1]))
    for process in processes:
        process.start()
    for process in processes:
        process.join(SECONDS)
        process.kill()
    return [process.exitcode for process in processes]


def said(folder: Path, rank: int) -> list[Path]:
    """What a command printed, and what it complained of."""
    return [folder / f"{name}{rank}" for name in ("out", "err")]


def as_torchrun_starts_it(rank: int, size: int, folder: Path, words: Sequence[str]) -> None:
    """The command of torch_ref in one of several processes; what it says goes to files."""
    port = (folder / "port").read_text()
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(size), MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    out, err = said(folder, rank)
    with (
        out.open("w") as shown, redirect_stdout(shown),
        err.open("w") as complaint, redirect_stderr(complaint),
    ):  # fmt: skip
        sys.exit(main(words))


def all_worlds(rank: int, size: int, folder: Path) -> None:
    """Run all worlds, and let processes compare their plans. The first writes what came out."""
    meeting = (folder / "meeting").as_uri()
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=size)
    groups = {members: distributed.new_group(list(range(members))) for members in SIZES[1:]}
    found: dict[str, Any] = {}
    for members, group in groups.items():
        if rank >= members:
            continue
        for name, kind in WORLDS.items():
            world = kind(rank, members, group)
            parts = {f"fit/{key}": value for key, value in fitted(world).items()}
            for m in STEPS:
                parts |= {f"{m}/{key}": value for key, value in gradients(world, m).items()}
                parts |= {f"volumes {m}/{key}": value for key, value in whole_gradients(world, m).items()}
            found |= {f"{members}/{name}/{key}": value for key, value in parts.items()}
        of_norms = normed(World(rank, members, group), 13)
        found |= {f"{members}/norms/{key}": value for key, value in of_norms.items()}
        if rank == members - 1:
            np.savez(folder / f"last of {members}.npz", allow_pickle=False, **of_norms)
        again = interrupted(World(rank, members, group))
        found |= {f"{members}/interrupted/fit/{key}": value for key, value in again.items()}
    (folder / f"meetings{rank}.json").write_text(json.dumps(meetings(World(rank, 4))))
    if rank == 0:
        np.savez(folder / "found.npz", allow_pickle=False, **found)
    distributed.destroy_process_group()


def meetings(world: World) -> list[str]:
    """What is said of plans that are alike, and of others."""
    return [met(world, {"epochs": 3}), met(world, {"epochs": 3 + (world.rank == 2)})]


def met(world: World, about: Mapping[str, Any]) -> str:
    """What was said of a plan."""
    try:
        world.check_alike(about)
    except ValueError as error:
        return str(error)
    return "alike"
