"""Workers answer every request with a time, or with the memory of a call."""

from __future__ import annotations

import itertools
import os
import subprocess
import time
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from manual import conv
from parity_tests.bench import by_hand, by_processes, by_torch, measure
from parity_tests.bench.by_hand import beyond_outputs, workspace
from parity_tests.bench.sizes import (
    LOOP_EXAMPLES,
    LOOPS,
    MEMORY_SIZES,
    FitSize,
    Size,
    draw,
)
from parity_tests.bench.worker import THREADS, Worker, answers, request
from parity_tests.tests.bench.bench_sizes import CONVOLUTIONS, SEVERAL, SMALL
from torch_ref.distributed import World


@pytest.mark.parametrize(
    "task", ["step", "formulas", "shared step", "products", "propagate", "propagate_loop", "weight_gradient_loop"]
)
def test_a_worker_answers_every_request_with_a_time(task: str) -> None:
    units = LOOPS.get(task.removesuffix("_loop"), SEVERAL.units)
    lines = [request(task, Size(units, LOOP_EXAMPLES[0]), "float64", 2)] * 2
    for side in {"step": ("manual", "torch"), "shared step": ("torch",)}.get(task, ("manual",)):
        assert all(seconds > 0 for seconds in answers(side, lines))


@pytest.mark.parametrize("side", ["manual", "torch", "sklearn"])
def test_a_worker_times_trainings_too(side: str) -> None:
    lines = [request("fit", FitSize((4,), 500), "float32", 1)] * 2
    assert all(seconds > 0 for seconds in answers(side, lines))


@pytest.mark.parametrize("side", ["manual", "torch"])
def test_a_worker_times_convolutions_too(side: str) -> None:
    lines = [request("convolution", size, "float32", 1) for size in CONVOLUTIONS]
    assert all(seconds > 0 for seconds in answers(side, lines))


def test_of_one_thread_the_time_of_the_processor_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "process_time", itertools.count(0, 6).__next__)
    monkeypatch.setattr(time, "perf_counter", itertools.count(0, 8).__next__)
    line = request("products", SEVERAL, "float64", 2)
    assert [*answers("manual", [line]), *answers("manual", [line], threads=2)] == [3, 4]


def test_a_step_of_jax_has_a_time_and_a_cost() -> None:
    pytest.importorskip("jax", reason="JAX is not installed")
    lines = [request("step", SEVERAL, "float64", 2), request("second cost", SEVERAL, "float64", 0)]
    seconds, cost = answers("jax", lines)
    assert seconds > 0
    assert cost == pytest.approx(by_hand.Training(draw(SEVERAL, "float64")).second_cost(), rel=1e-12)


def test_a_compiled_step_is_compiled_once_for_the_same_data(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def compiled(function: Any, **_: Any) -> Any:
        made.append("compiled")
        return function

    monkeypatch.setattr(torch, "compile", compiled)
    monkeypatch.setattr(torch.compiler, "reset", lambda: made.append("reset"))
    monkeypatch.setattr(by_torch, "COMPILED", [])
    lines = [request("compiled step", SEVERAL, dtype, 2) for dtype in ("float32", "float32", "float64")]
    assert all(seconds > 0 for seconds in answers("torch", lines))
    assert made == ["reset", "compiled"] * 2


def test_a_dead_worker_is_an_error() -> None:
    with Worker("manual", 1) as worker, pytest.raises(RuntimeError, match="the worker ended with exit code 1"):
        worker.seconds("no such task", SMALL, "float64", 1)


@pytest.mark.parametrize(("side", "killed"), [("manual", True), ("processes", False)])
def test_a_worker_ends_when_something_goes_wrong(monkeypatch: pytest.MonkeyPatch, side: str, killed: bool) -> None:
    """Processes of torchrun that lose it print a page each: they end with their input."""

    class Started:
        done: ClassVar[list[str]] = []

        def __init__(self, *_: Any, **__: Any) -> None:
            self.done.clear()

        def kill(self) -> None:
            self.done.append("killed")

        def communicate(self) -> None:
            self.done.append("ended")

    monkeypatch.setattr(subprocess, "Popen", Started)
    with pytest.raises(KeyboardInterrupt), Worker(side, 1):
        raise KeyboardInterrupt
    assert Started.done == ["killed", "ended"][not killed :]


def test_a_worker_runs_in_the_environment_as_it_is_but_for_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *_, env, **__: given.append(env))
    Worker("manual", 3)
    changed = {name: value for name, value in given[0].items() if os.environ.get(name) != value}
    assert changed == dict.fromkeys(THREADS, "3")


def test_requests_reach_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes in one: rank 0 reads the requests, rank 1 gets them from it."""
    sent: list[str] = []
    lines = [request("shared step", SEVERAL, "float64", 2), request("second cost", SEVERAL, "float64", 0)]
    monkeypatch.setattr(torch.distributed, "destroy_process_group", lambda: None)
    monkeypatch.setattr(torch.distributed, "broadcast_object_list", sent.extend)
    monkeypatch.setattr(by_processes, "world", World)
    seconds, cost = answers("processes", by_processes.passed_on(lines))
    assert seconds > 0
    assert cost == by_torch.SharedTraining(draw(SEVERAL, "float64")).second_cost()
    assert sent == [*lines, ""]

    def receive(request: list[str]) -> None:
        request[0] = sent.pop(0)

    monkeypatch.setattr(torch.distributed, "broadcast_object_list", receive)
    monkeypatch.setattr(by_processes, "world", lambda: World(rank=1, size=2))
    assert list(by_processes.passed_on([])) == lines


def test_memory_beyond_the_outputs_is_what_a_call_holds_and_does_not_return() -> None:
    def call() -> tuple[Any]:
        result = np.zeros(2_000_000, np.uint8)
        held = np.ones(3_000_000, np.uint8)
        result += held[0]
        return (result,)

    assert beyond_outputs(call) == pytest.approx(3_000_000, abs=20_000)
    assert beyond_outputs(lambda: (np.zeros(2_000_000, np.uint8),)) < 20_000


@pytest.mark.parametrize("dtype", measure.DTYPES)
def test_a_large_convolution_takes_little_memory(dtype: str) -> None:
    measured = workspace(MEMORY_SIZES[0], dtype)
    assert measured["unrolled_bytes"] == 128 * 14 * 14 * 3 * 3 * 32 * np.dtype(dtype).itemsize
    assert 0 < measured["workspace/unrolled"] <= 0.1


def test_the_unrolled_matrix_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conv, "BLOCK_BYTES", 2**40)
    assert workspace(MEMORY_SIZES[0], "float32")["workspace/unrolled"] > 1
