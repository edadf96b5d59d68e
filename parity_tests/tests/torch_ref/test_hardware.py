"""Steps through a graph, when they are captured, and what a device may refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from manual.architecture import Architecture, BatchNorm, Conv, Dense, Dropout, Flatten, Pool
from manual.shapes import table
from manual.shared.settings import Run, Settings, start
from parity_tests.comparison.free_runs import REPEATS, judge_by_spread, moved
from parity_tests.tests.training.small_network import NET, SETTINGS, examples
from torch_ref.__main__ import main
from torch_ref.graph import Capture, capture_on, on_cuda
from torch_ref.hardware import EPOCHS_TO_PAY, SMALL_STEP, operations
from torch_ref.optimizers import OPTIMIZERS
from torch_ref.search import Draw, Plan, search
from torch_ref.training import Hardware, Learner, fit


def learner(hardware: Hardware, dtype: Any = np.float64) -> Learner:
    """With its first parameters."""
    made = Learner(NET, examples(dtype), SETTINGS, hardware)
    made.restore(start(NET, SETTINGS, dtype)[0], None, 0)
    return made


def steps(made: Learner) -> tuple[list[float], dict[str, Any]]:
    """Costs and parameters of some steps on batches of two sizes, looked at in three lots."""
    rng, costs = np.random.default_rng(1), []
    for sizes in ((9, 9, 4), (9, 4), (9, 9, 4)):
        outcomes = []
        for size in sizes:
            batch = rng.permutation(40)[:size]
            outcomes.append((size, made.step(batch, [(rng.random((7, size)) < 0.8).astype(np.float64)])))
        for size, outcome in outcomes:
            J, A_L = made.look(outcome)
            assert A_L.shape == (3, size)
            costs.append(J)
    return costs, made.params()


def again(run: Callable[[], None]) -> Callable[[], None]:
    """What a graph does, without one: the same work in the same memory."""
    run()
    return run


def queued(settings: Settings = SETTINGS, capture: Capture = again, net: Architecture = NET) -> Learner:
    """A learner whose steps are queued, in float32."""
    made = Learner(net, examples(np.float32), settings)
    made.queue_steps(capture)
    made.restore(start(net, settings, np.float32)[0], None, 0)
    return made


NORMED = Architecture(5, (Dense(7, "tanh"), BatchNorm("tanh"), Dropout(0.8), Dense(3, "softmax")))
"""With running statistics, which a step moves as it moves parameters."""


def spread_of(settings: Settings, run: Callable[[Learner], Any]) -> list[Any]:
    """What eager runs give from parameters moved by one unit in the last place."""
    rng, found = np.random.default_rng(0), []
    for _ in range(REPEATS):
        made = Learner(NET, examples(np.float32), settings)
        made.restore(moved(start(NET, settings, np.float32)[0], rng), None, 0)
        found.append(run(made))
    return found


def test_a_graph_refuses_what_torch_leaves_out_of_the_first_step_alone() -> None:
    with pytest.raises(ValueError, match="graph is on and dampening is above 0"):
        queued(replace(SETTINGS, optimizer="classical_momentum", optimizer_options={"dampening": 0.5}))


@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
def test_queued_steps_are_the_eager_steps(optimizer: str) -> None:
    settings = replace(SETTINGS, optimizer=optimizer, learning_rate=0.01)
    eager = Learner(NET, examples(np.float32), settings)
    eager.restore(start(NET, settings, np.float32)[0], None, 0)
    made = queued(settings)
    one, other = steps(eager), steps(made)
    judged = judge_by_spread(other[1], one[1], [found[1] for found in spread_of(settings, steps)], np.float32)
    assert not any(judgement.fails for judgement in judged.values())
    np.testing.assert_allclose(other[0], one[0], rtol=2e-6)
    assert made.steps is not None
    assert sorted(made.steps.recorded) == [(9, 4), (9, 9, 4)]
    assert eager.steps is None
    assert made.state().keys() == eager.state().keys()
    assert made.gradient_norm() == pytest.approx(eager.gradient_norm(), rel=1e-4)


def test_a_queued_run_is_the_eager_run_and_goes_on_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(SETTINGS, decay="exponential", decay_options={"decay": 0.5})
    eager = fit(NET, *examples(np.float32), settings)
    spread = []
    for seed in range(REPEATS):
        drawn, _ = start(NET, settings, np.float32)
        params = moved(drawn, np.random.default_rng(seed))
        spread.append(fit(NET, *examples(np.float32), settings, params=params).params)
    monkeypatch.setattr(Hardware, "captures", lambda *_: True)
    monkeypatch.setattr("torch_ref.training.capture_on", lambda device: again)
    halves: list[Run] = []
    whole = fit(NET, *examples(np.float32), settings, on_epoch=halves.append)
    resumed = fit(NET, *examples(np.float32), settings, resume=halves[0])
    for run in (whole, resumed):
        judged = judge_by_spread(run.params, eager.params, spread, np.float32)
        assert not any(judgement.fails for judgement in judged.values())
        assert [epoch.learning_rate for epoch in run.history] == [epoch.learning_rate for epoch in eager.history]
    np.testing.assert_allclose(
        [epoch.cost for epoch in whole.history], [epoch.cost for epoch in eager.history], rtol=2e-6
    )
    for name, value in whole.params.items():
        np.testing.assert_array_equal(resumed.params[name], value)


def test_a_graph_that_forgets_its_inputs_would_be_seen() -> None:
    def frozen(run: Callable[[], None]) -> Callable[[], None]:
        run()
        return lambda: None

    costs, _ = steps(queued(capture=frozen))
    assert costs[:3] == costs[5:]
    right, _ = steps(queued())
    assert right[:3] == costs[:3]
    assert right[5:] != costs[5:]


@pytest.mark.parametrize("net", [NET, NORMED], ids=["dense", "batch norm"])
def test_what_is_recorded_leaves_no_trace(net: Architecture) -> None:
    def forgets(run: Callable[[], None]) -> Callable[[], None]:
        run()
        run()
        return lambda: None

    made = queued(replace(SETTINGS, optimizer="adam"), forgets, net)
    before = made.params()
    made.step(np.arange(9), [np.ones((7, 9))])
    for name, value in made.params().items():
        np.testing.assert_array_equal(value, before[name])
    assert not any(value.any() for value in made.state().values())


def test_a_graph_is_for_cuda_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="graph is on for cpu, expected a CUDA device"):
        learner(Hardware(graph="on"))
    with pytest.raises(ValueError, match="graph is 'yes', expected one of auto, on, off"):
        learner(Hardware(graph="yes"))
    assert main(["train", "--device", "cpu", "--graph", "--epochs", "1"]) == 2
    assert "graph is on for cpu" in capsys.readouterr().err
    assert learner(Hardware(graph="auto")).steps is None


CUDA, CPU = torch.device("cuda"), torch.device("cpu")
SMALL, F32, F64 = 10**6, torch.float32, torch.float64


@pytest.mark.parametrize(
    ("how", "run", "expected"),
    [
        ({}, (CUDA, F32, 1, SMALL, 10), True),
        ({}, (CPU, F32, 1, SMALL, 10), False),
        ({}, (CUDA, F64, 1, SMALL, 10), False),
        ({}, (CUDA, F32, 2, SMALL, 10), False),
        ({}, (CUDA, F32, 1, SMALL_STEP + 1, 10), False),
        ({}, (CUDA, F32, 1, SMALL, EPOCHS_TO_PAY - 1), False),
        ({"compile": True}, (CUDA, F32, 1, SMALL, 10), False),
        ({"graph": "off"}, (CUDA, F32, 1, SMALL, 10), False),
        ({"graph": "on"}, (CUDA, F32, 1, SMALL_STEP + 1, 1), True),
    ],
)
def test_graphs_are_chosen_where_they_pay(how: dict[str, Any], run: Any, expected: bool) -> None:
    assert Hardware(**{"device": "cuda", "graph": "auto", **how}).captures(*run) == expected


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        ((CUDA, F32, 2, SMALL, 10), "graph is on with 2 processes, expected one"),
        ((CUDA, F64, 1, SMALL, 10), r"graph is on and X has dtype torch\.float64, expected torch\.float32"),
    ],
)
def test_a_graph_that_cannot_be_had_is_refused(run: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Hardware("cuda", graph="on").captures(*run)


@pytest.mark.parametrize(
    "net",
    [NET, Architecture((8, 8, 2), (Conv(3, 3, pad=1, activation="relu"), Pool(2, 2), Flatten(), Dense(4, "softmax")))],
)
def test_torch_counts_the_multiply_adds_of_the_notes_table(net: Architecture) -> None:
    first, *others = [row.multiply_adds for row in table(net) if row.multiply_adds]
    in_all = 2 * first + 3 * sum(others)  # Z and dW, and dA_prev but in the first layer
    assert operations(net, 6) == 2 * 6 * in_all


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
@pytest.mark.parametrize("optimizer", ["gradient_descent", "momentum", "rmsprop", "adam"])
@pytest.mark.parametrize("amp", [False, True])
def test_captured_steps_are_the_eager_steps(amp: bool, optimizer: str) -> None:
    settings = replace(SETTINGS, optimizer=optimizer, learning_rate=0.01)
    found = []
    for graph in ("off", "on"):
        made = Learner(NET, examples(np.float32), settings, Hardware("cuda", amp=amp, graph=graph))
        made.restore(start(NET, settings, np.float32)[0], None, 0)
        found.append(steps(made)[1])
    for name, value in found[0].items():
        np.testing.assert_allclose(found[1][name], value, rtol=0, atol=1e-2 if amp else 1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
@pytest.mark.parametrize("graph", ["off", "on"])
def test_a_run_on_a_gpu_is_the_run_on_the_cpu(graph: str) -> None:
    on_cpu = fit(NET, *examples(np.float32), SETTINGS)
    for number in {0, torch.cuda.device_count() - 1}:  # the last one need not be torch's current device
        on_gpu = fit(NET, *examples(np.float32), SETTINGS, hardware=Hardware(f"cuda:{number}", graph=graph))
        for name, value in on_cpu.params.items():
            np.testing.assert_allclose(on_gpu.params[name], value, rtol=0, atol=1e-5)


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """What torch does within."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(str(func))
        return func(*args, **(kwargs or {}))


WAITS = {"aten._local_scalar_dense.default", "aten.nonzero.default", "aten.lift_fresh.default"}
"""Operations that need a number or an array of the host, or hand one over: none of them can be captured."""


def watching(operations: Operations) -> Capture:
    """A capture that sees what is captured."""

    def capture(run: Callable[[], None]) -> Callable[[], None]:
        with operations:
            run()
        return run

    return capture


@pytest.mark.parametrize("optimizer", ["gradient_descent", "momentum", "rmsprop", "adam"])
def test_nothing_in_a_captured_step_waits_for_the_device(optimizer: str) -> None:
    seen = Operations()
    steps(queued(replace(SETTINGS, optimizer=optimizer), watching(seen)))
    assert "aten._foreach_norm.Scalar" in seen.names  # the step is clipped
    # only when it is capturable, as on CUDA alone, does RMSprop take its rate as a tensor
    assert seen.names & WAITS == ({"aten._local_scalar_dense.default"} if optimizer == "rmsprop" else set())


def test_nothing_in_a_captured_search_waits_for_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Operations()
    monkeypatch.setattr("torch_ref.search.capture_on", lambda device: watching(seen))
    search(NET, examples(), examples(), [Draw(0.1, 0.0), Draw(0.01, 0.1)], Plan(epochs=1, batch_size=15))
    assert "aten._fused_adam_.default" in seen.names
    assert not seen.names & WAITS


def test_a_capture_is_on_the_device_of_the_network() -> None:
    """A stream of another device would record nothing, and no step would be made."""
    second = torch.device("cuda", 1)
    capture: Any = capture_on(second)
    assert (capture.func, capture.args) == (on_cuda, (second,))
    assert capture_on(CPU) is None


def test_too_little_memory_is_said_with_a_smaller_batch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Learner, "step", full)
    assert main(["train", "--device", "cpu", "--batch-size", "64", "--quiet"]) == 2
    expected = "batch-size is 64, expected less, such as --batch-size 32: the memory of cpu is too small"
    assert expected in capsys.readouterr().err
