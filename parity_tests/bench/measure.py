"""The measurement: workers timed in turn, block by block, so that both see the same machine; ratios of medians."""

from __future__ import annotations

import importlib.util
import math
import os
import platform
import shutil
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from parity_tests.bench.by_hand import workspace
from parity_tests.bench.growth import BAR as GROWTH_BAR
from parity_tests.bench.growth import GROWING, TIMES, GrowthSize
from parity_tests.bench.same_results import (
    check_convolution,
    check_fit,
    check_jax,
    check_loops,
    check_shared,
    check_step,
)
from parity_tests.bench.sizes import (
    CONV_SIZES,
    FIT_SIZES,
    LOOP_EXAMPLES,
    LOOPS,
    MEMORY_SIZES,
    SHARED_SIZES,
    SIZES,
    WORKSPACE_BAR,
    WORST_BAR,
    ConvSize,
    FitSize,
    Size,
)
from parity_tests.bench.worker import PROCESSES, AnySize, Worker
from parity_tests.comparison.run import environment as versions
from parity_tests.judging.judge import Result

DTYPES = ("float32", "float64")


class Plan(NamedTuple):
    """How much is measured: sizes, threads, examples of the loops, rounds, and seconds for one block of a worker.

    Convolutions get rounds of their own, since the larger ones take as long as a block of anything else; trainings too.
    ``compiled`` puts torch.compile beside a step, ``jax`` a Python that has JAX: in one thread.
    """

    sizes: tuple[Size, ...]
    threads: tuple[int, ...]
    loop_examples: tuple[int, ...]
    convolutions: tuple[ConvSize, ...]
    fits: tuple[FitSize, ...]
    shared: tuple[Size, ...]
    rounds: int
    conv_rounds: int
    fit_rounds: int
    shared_rounds: int
    block: float
    growing: tuple[str, ...] = ()
    compiled: bool = False
    jax: str | None = None

    @property
    def pieces(self) -> int:
        """Number of measurements."""
        timed = len(DTYPES) * len(self.threads) * (len(self.sizes) + len(self.convolutions))
        return (
            timed
            + len(LOOPS) * len(self.loop_examples)
            + len(DTYPES) * (len(self.memory_sizes) + len(self.fits) + len(self.shared))
            + len(self.growing)
        )

    @property
    def checks(self) -> int:
        """Number of checks before them."""
        each = len(self.sizes) + len(self.convolutions) + len(self.shared) + bool(self.loop_examples)
        return len(DTYPES) * (each + len(self.sizes) * (self.jax is not None)) + bool(self.fits)

    @property
    def memory_sizes(self) -> tuple[ConvSize, ...]:
        """The convolutions whose memory is measured."""
        return tuple(size for size in self.convolutions if size in MEMORY_SIZES)

    def only(self, part: str) -> Plan:
        """The plan of one of PARTS alone."""
        left_out: dict[str, Any] = {field: () for name, field in PARTS.items() if name != part}
        return self._replace(**left_out)


PARTS = {
    "steps": "sizes", "loops": "loop_examples", "conv": "convolutions", "fit": "fits", "processes": "shared",
    "growth": "growing",
}  # fmt: skip
"""Parts of the bench, and what a plan has of them."""

FULL = Plan(
    tuple(SIZES),
    (1, 2),
    LOOP_EXAMPLES,
    CONV_SIZES,
    tuple(FIT_SIZES),
    tuple(SHARED_SIZES),
    25,
    9,
    3,
    9,
    block=0.03,
    growing=tuple(GROWING),
)
QUICK = Plan(
    tuple(SIZES)[:1],
    (1,),
    LOOP_EXAMPLES[:1],
    CONV_SIZES[:1],
    tuple(FIT_SIZES)[1:2],
    (),
    3,
    3,
    1,
    3,
    block=0.005,
    growing=tuple(GROWING)[-2:-1],
)
"""Without processes: they start slowly."""

MOST_REPEATS = 200

Job = tuple[Worker, str]
"""A worker and the task that it is told to time."""


def check(plan: Plan) -> Generator[list[Result], None, None]:
    """Everything that must agree before the plan's measurements mean anything: ``plan.checks`` parts."""
    for dtype in DTYPES:
        for size in plan.sizes:
            yield check_step(size, dtype)
        for conv_size in plan.convolutions:
            yield check_convolution(conv_size, dtype)
        if plan.loop_examples:
            yield check_loops(dtype)
    for fit_size in plan.fits[:1]:
        yield check_fit(fit_size)
    if plan.jax and plan.sizes:
        with Worker("jax", 1, plan.jax) as jax:
            for size in plan.sizes:
                for dtype in DTYPES:
                    yield check_jax(size, dtype, jax)
    if plan.shared:
        with Worker("processes", 1) as several:
            for size in plan.shared:
                for dtype in DTYPES:
                    yield check_shared(size, dtype, several)


def measure(plan: Plan) -> Generator[tuple[str, dict[str, Any]], None, None]:
    """Every measurement as plain data, with the name of its part; times in microseconds."""
    for name, lines in MEASURES.items():
        for line in lines(plan):
            yield name, line


def by_part(plan: Plan, measured: Iterable[tuple[str, dict[str, Any]]], about: dict[str, str]) -> dict[str, Any]:
    """The measurements by part, and what they were made with: ``about`` is the environment before them."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in MEASURES}
    for name, line in measured:
        found[name].append(line)
    return {
        "environment": about,
        "rounds": plan.rounds,
        "conv_rounds": plan.conv_rounds,
        "fit_rounds": plan.fit_rounds,
        "shared_rounds": plan.shared_rounds,
        **found,
    }


def _steps(plan: Plan) -> Iterator[dict[str, Any]]:
    """A training step: by hand, in torch, and its bare matrix products; in one thread its peers too."""
    for threads in plan.threads if plan.sizes else ():
        with Worker("manual", threads) as by_hand, Worker("torch", threads) as by_torch, ExitStack() as more:
            jobs = {"manual": (by_hand, "step"), "torch": (by_torch, "step"), "products": (by_hand, "products")}
            peers: dict[str, Job] = {}
            if threads == 1:
                peers["formulas"] = more.enter_context(Worker("manual", 1)), "formulas"  # no run has begun there
                if plan.compiled:
                    peers["compiled"] = by_torch, "compiled step"
                if plan.jax:
                    peers["jax"] = more.enter_context(Worker("jax", 1, plan.jax)), "step"
            for size in plan.sizes:
                for dtype in DTYPES:
                    times = in_turn(jobs | peers, size, dtype, plan.rounds, plan.block)
                    bar = SIZES[size]
                    yield {
                        **_beside_torch(size, dtype, threads, times),
                        "bar": bar.torch if threads == 1 else None,
                        "manual/products": ratio(times["manual"], times["products"]),
                        "products_bar": bar.products if threads == 1 else None,
                        **{f"manual/{peer}": ratio(times["manual"], times[peer]) for peer in peers},
                    }


def _loops(plan: Plan) -> Iterator[dict[str, Any]]:
    """Loops against vectorised forms, by number of examples, in one thread and float64."""
    with Worker("manual", 1) as worker:
        for formula, units in LOOPS.items():
            for m in plan.loop_examples:
                jobs = {"loop": (worker, f"{formula}_loop"), "vectorised": (worker, formula)}
                times = in_turn(jobs, Size(units, m), "float64", plan.rounds, plan.block)
                yield {
                    "formula": formula,
                    "m": m,
                    **{f"{name}_us": microseconds(seconds) for name, seconds in times.items()},
                    "loop/vectorised": ratio(times["loop"], times["vectorised"]),
                }


def _convolutions(plan: Plan) -> Iterator[dict[str, Any]]:
    """A convolution, forward and backward: by hand and in torch."""
    for threads in plan.threads if plan.convolutions else ():
        with Worker("manual", threads) as by_hand, Worker("torch", threads) as by_torch:
            jobs = {"manual": (by_hand, "convolution"), "torch": (by_torch, "convolution")}
            for size in plan.convolutions:
                for dtype in DTYPES:
                    times = in_turn(jobs, size, dtype, plan.conv_rounds, plan.block)
                    yield {
                        **_beside_torch(size, dtype, threads, times),
                        "bar": WORST_BAR if threads == 1 else None,
                    }


def _workspace(plan: Plan) -> Iterator[dict[str, Any]]:
    """The memory of a convolution by hand, beyond its outputs."""
    for size in plan.memory_sizes:
        for dtype in DTYPES:
            yield {"size": str(size), "dtype": dtype, **workspace(size, dtype), "bar": WORKSPACE_BAR}


def _fits(plan: Plan) -> Iterator[dict[str, Any]]:
    """A whole training: by hand, in torch and in scikit-learn, in one thread."""
    if not plan.fits:
        return
    with Worker("manual", 1) as by_hand, Worker("torch", 1) as by_torch, Worker("sklearn", 1) as by_sklearn:
        jobs = {"manual": (by_hand, "fit"), "torch": (by_torch, "fit"), "sklearn": (by_sklearn, "fit")}
        for size in plan.fits:
            for dtype in DTYPES:
                times = in_turn(jobs, size, dtype, plan.fit_rounds, plan.block)
                yield {
                    **_beside_torch(size, dtype, 1, times),
                    "bar": FIT_SIZES[size].torch,
                    "manual/sklearn": ratio(times["manual"], times["sklearn"]),
                    "sklearn_bar": FIT_SIZES[size].sklearn,
                }


def _processes(plan: Plan) -> Iterator[dict[str, Any]]:
    """A step of torch_ref's training: two processes with a thread each, beside one process with two threads."""
    if not plan.shared:
        return
    with Worker("processes", 1) as several, Worker("torch", PROCESSES) as alone:
        jobs = {"processes": (several, "shared step"), "threads": (alone, "shared step")}
        for size in plan.shared:
            for dtype in DTYPES:
                times = in_turn(jobs, size, dtype, plan.shared_rounds, plan.block)
                yield {
                    "size": str(size),
                    "dtype": dtype,
                    **{f"{name}_us": microseconds(seconds) for name, seconds in times.items()},
                    "processes/threads": ratio(times["processes"], times["threads"]),
                    "quartiles": quartiles(times["processes"], times["threads"]),
                    "bar": SHARED_SIZES[size],
                    "load": _load(),
                }


def _growth(plan: Plan) -> Iterator[dict[str, Any]]:
    """Each task at one size and at TIMES that size: seconds of the processor, and the most memory at a time."""
    for task in plan.growing:
        sizes = [GrowthSize(task, n * GROWING[task].least) for n in (1, TIMES)]
        with Worker("growth", 1) as small, Worker("growth", 1) as large:
            workers = list(zip((small, large), sizes, strict=True))
            times: list[list[float]] = [[], []]
            for _ in range(plan.fit_rounds + 1):
                for place, (worker, size) in enumerate(workers):
                    times[place].append(worker.seconds("work", size, "float64", 1))
            peaks = [worker.seconds("peak", size, "float64", 0) for worker, size in workers]
        yield {
            "task": task,
            "sizes": [size.n for size in sizes],
            "us": [microseconds(each[1:]) for each in times],  # the first of each warms up
            "bytes": peaks,
            "exponent": exponent(*(median(each[1:]) for each in times)),
            "memory_exponent": exponent(*peaks),
            "bar": GROWTH_BAR,
            "date": date.today().isoformat(),
        }


MEASURES = {
    "steps": _steps,
    "loops": _loops,
    "convolutions": _convolutions,
    "workspace": _workspace,
    "fits": _fits,
    "processes": _processes,
    "growth": _growth,
}
"""What gives the lines of each part of a plan."""


def _beside_torch(size: AnySize, dtype: str, threads: int, times: dict[str, list[float]]) -> dict[str, Any]:
    """What every line with a side in torch says."""
    return {
        "size": str(size),
        "dtype": dtype,
        "threads": threads,
        **{f"{name}_us": microseconds(seconds) for name, seconds in times.items()},
        "manual/torch": ratio(times["manual"], times["torch"]),
        "quartiles": quartiles(times["manual"], times["torch"]),
    }


def in_turn(jobs: dict[str, Job], size: AnySize, dtype: str, rounds: int, block: float) -> dict[str, list[float]]:
    """Seconds of every job, a value per round; in each round every job gets a block of about ``block`` seconds."""
    once = {name: worker.seconds(task, size, dtype, 1) for name, (worker, task) in jobs.items()}
    repeats = {name: max(1, min(MOST_REPEATS, round(block / seconds))) for name, seconds in once.items()}
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, (worker, task) in jobs.items():
            times[name].append(worker.seconds(task, size, dtype, repeats[name]))
    return times


def microseconds(seconds: Sequence[float]) -> float:
    return round(1e6 * median(seconds), 1)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The ratio of the medians."""
    return round(median(ours) / median(theirs), 3)


def exponent(small: float, large: float) -> float:
    """The power of the size that it grows with, from one size to TIMES that size."""
    return round(math.log(large / small) / math.log(TIMES), 2)


def quartiles(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Quartiles of the ratios round by round: how far the machine's other work moves them."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return [round(float(value), 3) for value in np.quantile(ratios, (0.25, 0.75))]


def peers(jax: str | None) -> tuple[dict[str, Any], list[str]]:
    """What a plan gets of peers that are not everywhere, and why others are left out.

    ``jax`` is a Python that has JAX; without one it is this Python, where that has it.
    """
    why = []
    compiled = shutil.which("g++") is not None
    if not compiled:
        why.append("torch.compile: g++ is not there, and it writes C++")
    if jax is None and importlib.util.find_spec("jax") is None:
        why.append("JAX: it is not installed here, and --jax names no Python that has it")
    elif jax is None:
        jax = sys.executable
    return {"compiled": compiled, "jax": jax}, why


def environment() -> dict[str, str]:
    """The versions that the comparison names, the hardware, and how many processes compete for it."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        **versions("cpu"),
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "load": _load(),
        "numpy's BLAS": f"{blas['name']} {blas['version']}",
    }


def _load() -> str:
    """How many processes compete for the cores, on average over a minute."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def _processor() -> str:
    """The processor's name, where the system tells it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
