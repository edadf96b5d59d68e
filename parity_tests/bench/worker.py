"""The processes that are timed: each holds one side and runs a block of repetitions when it is told to.

A worker reads one JSON object per line, ``{"task", "kind", "size", "dtype", "repeats"}``, and answers each with the
seconds of a repetition, or without repeats with the number that the task gives. Threads are set in its environment
before it starts, so before any import; all else there is as it was. Only a side that computes with torch imports it.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
import timeit
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

from parity_tests.bench.device_sizes import DrawsSize, EpochSize, WideSize, draw_draws, draw_epochs, draw_wide
from parity_tests.bench.growth import GrowthSize, draw_growth
from parity_tests.bench.sizes import ConvSize, FitSize, Size, draw, draw_digits, draw_volumes

SIDES = {
    "manual": "parity_tests.bench.by_hand",
    "torch": "parity_tests.bench.by_torch",
    "processes": "parity_tests.bench.by_processes",
    "sklearn": "parity_tests.bench.by_sklearn",
    "jax": "parity_tests.bench.by_jax",
    "device": "parity_tests.bench.by_device",
    "growth": "parity_tests.bench.growth",
}

PROCESSES = 2

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={PROCESSES}")
"""What starts the processes of a side that has several."""

AnySize: TypeAlias = Size | ConvSize | FitSize | EpochSize | DrawsSize | WideSize | GrowthSize

DRAWS: dict[str, tuple[type[Any], Callable[[Any, str], Any]]] = {
    "Size": (Size, draw),
    "ConvSize": (ConvSize, draw_volumes),
    "FitSize": (FitSize, draw_digits),
    "EpochSize": (EpochSize, lambda size, dtype: (size, draw_epochs(size, dtype))),
    "DrawsSize": (DrawsSize, lambda size, dtype: (size, draw_draws(size, dtype))),
    "GrowthSize": (GrowthSize, draw_growth),
    "WideSize": (WideSize, lambda size, dtype: (size, draw_wide(size, dtype))),
}
"""By the name of its class: a size, and what draws data of that size."""

WITH_TORCH = ("torch", "processes", "device")
"""Sides that compute with torch."""

SEVERAL = ("processes", "device")
"""Sides of several processors, timed by torch's clock, which waits for a device."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

XLA_FLAGS = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
"""What keeps JAX to one thread."""


class Worker:
    """A process that holds one side, with so many threads."""

    def __init__(self, side: str, threads: int, python: str = sys.executable) -> None:
        """Start it in that Python; it imports what it needs before it answers for the first time."""
        self._several = side == "processes"
        launcher = TORCHRUN if self._several else ()
        environment = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
        if side == "jax":
            environment["XLA_FLAGS"] = XLA_FLAGS
        self._process = subprocess.Popen(
            [python, *launcher, "-m", "parity_tests.bench.worker", side, str(threads)],
            cwd=Path(__file__).parents[2],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,  # Ctrl-C goes to the whole group of the command: the command ends the worker
        )

    def seconds(self, task: str, size: AnySize, dtype: str, repeats: int) -> float:
        """The time of one repetition in a block of ``repeats``; without repeats, what the task gives.

        Raises RuntimeError if the process has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = request(task, size, dtype, repeats)
        self._process.stdin.write(asked + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the worker ended with exit code {self._process.wait()} at {asked}")
        return float(answer)

    def __enter__(self) -> Worker:
        """The worker itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the process: at once if something went wrong, but for torchrun, without which its own fall to pieces."""
        if kind is not None and not self._several:
            self._process.kill()
        self._process.communicate()  # closes its input, at which it stops, and waits


def request(task: str, size: AnySize, dtype: str, repeats: int) -> str:
    """What a worker is sent, a line."""
    return json.dumps({"task": task, "kind": type(size).__name__, "size": size, "dtype": dtype, "repeats": repeats})


def answers(side: str, requests: Iterable[str], threads: int = 1) -> Iterator[float]:
    """The seconds of every request. Each block starts from the same parameters.

    Of one thread they are seconds of the processor, on which other work of the machine weighs least.

    A block of several repeats has one more before it, and so has the first of a task: they warm up.
    """
    tasks = importlib.import_module(SIDES[side]).TASKS
    clock: Callable[[], float] = time.process_time if threads == 1 else time.perf_counter
    if side in SEVERAL:
        from torch.utils.benchmark import timer as clock
    data: dict[Any, Any] = {}
    done: set[Any] = set()
    for line in requests:
        asked = json.loads(line)
        make, draws = DRAWS[asked["kind"]]
        key = make(*(tuple(part) if isinstance(part, list) else part for part in asked["size"])), asked["dtype"]
        if key not in data:
            data = {key: draws(*key)}
        call = tasks[asked["task"]](data[key])
        if not asked["repeats"]:
            yield call()
            continue
        if asked["repeats"] > 1 or (asked["task"], key) not in done:
            call()
        done.add((asked["task"], key))
        yield timeit.timeit(call, timer=clock, number=asked["repeats"]) / asked["repeats"]


def main(side: str, threads: int) -> None:
    """Answer until the input ends."""
    if side in WITH_TORCH:
        import torch

        torch.set_num_threads(threads)
    if side == "processes":
        from parity_tests.bench.by_processes import passed_on, world

        for seconds in answers(side, passed_on(sys.stdin), threads):
            if world().leads:
                print(seconds, flush=True)
        return
    for seconds in answers(side, sys.stdin, threads):
        print(seconds, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
