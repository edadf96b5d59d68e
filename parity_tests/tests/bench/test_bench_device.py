"""The bench of a device runs on the CPU too, refuses to time what disagrees, and holds a GPU to its bars."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from parity_tests.bench import by_device, device
from parity_tests.bench.device_sizes import DeviceBars, device_sizes
from parity_tests.bench.worker import answers, request
from parity_tests.cli import main
from parity_tests.report.evidence import gpu_table, markdown
from parity_tests.tests.bench.planted import wrong_db
from torch_ref.hardware import operations


class Here:
    """A worker in this process."""

    def __init__(self, side: str, threads: int) -> None:
        self.side = side

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def seconds(self, task: str, size: Any, dtype: str, repeats: int) -> float:
        """As Worker has it."""
        return next(answers(self.side, [request(task, size, dtype, repeats)]))


class WithGraphs(device.DevicePlan):
    """The plan of a device that has graphs and bars."""

    has_graphs = True


@pytest.mark.slow
def test_on_the_cpu_it_runs_without_graphs_and_bars(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(device, "Worker", Here)
    assert main(["bench", "--device", "cpu", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    graph, draws, wide = values["lines"]
    assert graph["left_out"] == "cpu has no CUDA graphs"
    for line in (draws, wide):
        assert line["at_least"] is None
        assert line["one"] > 0
        assert line["ratio"] == pytest.approx(line["one"] / line["other"], rel=0.05, abs=2e-3)
    assert (draws["unit"], wide["unit"]) == ("ms", "TFLOP/s")


SECONDS = {"eager": 0.4, "graph": 0.03, "one_by_one": 2.9, "together": 0.1, "wide": 0.2, "product": 0.02}
"""As a GPU might take."""


def test_on_a_gpu_every_ratio_has_its_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(device, "Worker", Here)
    monkeypatch.setattr(device, "in_turn", lambda jobs, *_: {name: [SECONDS[name]] * 3 for name in jobs})
    monkeypatch.setattr("parity_tests.commands.bench.check_device", lambda plan: device._check_wide(plan))
    sizes = device_sizes("cpu", quick=False)
    plan = WithGraphs(sizes, 3, 1.0)
    monkeypatch.setattr("parity_tests.commands.bench.device_plan", lambda device, quick: plan)
    values = device.of_device(plan, [*device.measure_device(plan)])
    lines = values["lines"]
    assert [line["at_least"] for line in lines] == [*DeviceBars()] == [10, 30, 0.6]
    assert [line["ratio"] for line in lines[:2]] == pytest.approx([0.4 / 0.03, 29.0], abs=1e-3)
    assert (lines[0]["one"], lines[1]["one"]) == (20.0, 2900.0)  # an epoch of twenty, a whole search
    done = operations(sizes.wide.architecture, sizes.wide.m) / 0.2, 2 * sizes.wide.side**3 / 0.02
    assert lines[2]["ratio"] == pytest.approx(done[0] / done[1], abs=1e-3)
    assert lines[2]["other"] == pytest.approx(by_device.STEPS * done[1] / 1e12, rel=1e-3)
    assert main(["bench", "--device", "cpu"]) == 0
    shown = [line for line in capsys.readouterr().out.splitlines() if "/" in line.split("  ")[0]]
    expected = ["within", "outside", "within" if lines[2]["ratio"] >= 0.6 else "outside"]
    assert [line.rstrip().rsplit(" ", 1)[-1] for line in shown] == expected
    table = markdown(gpu_table(values))
    assert table.count("| 0.6 |") == table.count("| 30 |") == table.count("| 10 |") == 1
    assert "PyTorch" in table


@pytest.mark.slow
def test_a_disagreement_refuses_to_time(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def no_worker(*_: Any) -> None:
        raise AssertionError("a worker was started")

    wrong_db(monkeypatch, lambda db: db[::-1])
    monkeypatch.setattr(device, "Worker", no_worker)
    assert main(["bench", "--device", "cpu", "--json"]) == 1
    failed = json.loads(capsys.readouterr().out)["disagreements"]
    quantities = {line["quantity"] for line in failed}
    assert {"b1 after epochs, graph off", "b1 after draws together", "b1 after draws one by one", "db"} <= quantities


def test_the_wide_network_is_as_large_as_the_bar_says() -> None:
    sizes = device_sizes("cuda", quick=False)
    assert (sizes.wide.width, sizes.draws.draws, sizes.epochs.hidden, sizes.epochs.batch_size) == (4096, 100, 64, 64)
    # four hidden layers; dA of the first is not asked for: 2 + 3 + 3 + 3 products of 4096 x 4096 by m, and a small one
    expected = 2 * sizes.wide.m * (11 * 4096**2 + 3 * 4096 * 10)
    assert operations(sizes.wide.architecture, sizes.wide.m) == expected


def test_it_is_said_that_nothing_was_measured() -> None:
    assert gpu_table(None) == ["Not measured: no GPU was at hand."]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--device", "cpu", "--only", "fit"], "--only and --device were given, expected one of them"),
        (["--device", "gpu"], "device is 'gpu', expected one of auto, cpu, cuda, mps"),
        (["--device", "cuda:99"], "device is 'cuda:99', but this torch"),
    ],
)
def test_bad_usage_gets_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
def test_on_a_gpu_both_sides_agree() -> None:
    results = device.check_device(device.device_plan("cuda", quick=True))
    assert not [result for result in results if result.verdict == "fails"]
    assert any("graph on" in result.quantity for result in results)
