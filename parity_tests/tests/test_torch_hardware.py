"""Steps through a graph, examples that stay in their file, and what a device may refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from manual.architecture import Architecture, Dense, Dropout
from manual.learning import Examples, Settings, start
from torch_ref.__main__ import main
from torch_ref.training import Hardware, Learner, fit

NET = Architecture(5, (Dense(7, "tanh"), Dropout(0.8), Dense(3, "softmax")))
SETTINGS = Settings("momentum", 0.1, batch_size=9, lambda_=0.7, clip=0.3, epochs=3)


def examples(dtype: Any = np.float64) -> Examples:
    """40 of them."""
    rng = np.random.default_rng(0)
    return Examples(rng.standard_normal((5, 40)).astype(dtype), np.eye(3, dtype=dtype)[:, rng.integers(0, 3, 40)])


def learner(hardware: Hardware, dtype: Any = np.float64) -> Learner:
    """With its first parameters."""
    made = Learner(NET, examples(dtype), SETTINGS, hardware)
    made.restore(start(NET, SETTINGS, dtype)[0], None, 0)
    return made


def steps(made: Learner) -> tuple[list[float], dict[str, Any]]:
    """Costs and parameters of some steps, on batches of two sizes, eager and again."""
    rng, costs = np.random.default_rng(1), []
    for size in (9, 9, 4, 9, 4, 4, 9):
        batch = rng.permutation(40)[:size]
        masks = [(rng.random((7, size)) < 0.8).astype(np.float64)]
        outcome = made.step(batch, masks)
        J, A_L = made.look(outcome)
        assert A_L.shape == (3, size)
        costs.append(J)
    return costs, made.params()


def again(run: Callable[[], None]) -> Callable[[], None]:
    """What a graph does, without one: the same work in the same memory."""
    run()
    return run


def test_a_replayed_step_is_the_eager_step(monkeypatch: pytest.MonkeyPatch) -> None:
    eager, replayed = learner(Hardware()), learner(Hardware())
    replayed.hardware, replayed.capture = Hardware(graph=True), again
    one, other = steps(eager), steps(replayed)
    assert one[0] == other[0]
    for name, value in one[1].items():
        np.testing.assert_array_equal(other[1][name], value)
    assert sorted(replayed.graphs) == [4, 9]
    assert eager.graphs == {}


def test_a_graph_that_forgets_the_masks_would_be_seen() -> None:
    eager, replayed = learner(Hardware()), learner(Hardware())
    replayed.hardware, replayed.capture = Hardware(graph=True), again
    rng = np.random.default_rng(1)
    batch, masks = np.arange(9), [(rng.random((7, 9)) < 0.5).astype(np.float64) for _ in range(2)]
    for made in (eager, replayed):
        made.step(batch, [masks[0]])
    assert eager.look(eager.step(batch, [masks[1]]))[0] == replayed.look(replayed.step(batch, [masks[1]]))[0]
    assert eager.look(eager.step(batch, [masks[0]]))[0] != replayed.look(replayed.step(batch, [masks[1]]))[0]


def test_a_graph_is_for_cuda_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="graph is asked for on cpu, expected a CUDA device"):
        learner(Hardware(graph=True))
    assert main(["train", "--device", "cpu", "--graph", "--epochs", "1"]) == 2
    assert "graph is asked for on cpu" in capsys.readouterr().err


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
@pytest.mark.parametrize("amp", [False, True])
def test_a_captured_step_is_the_eager_step(amp: bool) -> None:
    one, other = (steps(learner(Hardware("cuda", amp=amp, graph=graph), np.float32)) for graph in (False, True))
    for name, value in one[1].items():
        np.testing.assert_allclose(other[1][name], value, rtol=0, atol=1e-2 if amp else 1e-5)


class Kept:
    """Examples that are read when they are asked for."""

    shape, dtype, ndim = (5, 40), np.dtype(np.float64), 2

    def __init__(self) -> None:
        self.asked: list[int] = []

    def take(self, which: Any, axis: int = 1) -> Any:
        """These columns."""
        self.asked.append(len(which))
        return examples().X.take(which, axis=axis)


def test_examples_that_stay_in_their_file_give_the_same_run() -> None:
    kept = Kept()
    one, other = fit(NET, *examples(), SETTINGS), fit(NET, kept, examples().Y, SETTINGS)
    for name, value in one.params.items():
        np.testing.assert_array_equal(other.params[name], value)
    assert kept.asked == [40, *[9, 9, 9, 9, 4] * 3]


def test_too_little_memory_is_said_with_a_smaller_batch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Learner, "step", full)
    assert main(["train", "--device", "cpu", "--batch-size", "64", "--quiet"]) == 2
    expected = "batch-size is 64, expected less, such as --batch-size 32: the memory of cpu is too small"
    assert expected in capsys.readouterr().err
