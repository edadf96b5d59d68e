"""The bench refuses to time what disagrees, its figures have a schema, and the README shows the figures that are kept.

Nothing here depends on how long anything takes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from manual import conv, dense, network
from parity_tests import measured as kept
from parity_tests import readme
from parity_tests.bench import agreement, by_hand, by_processes, by_torch, measure
from parity_tests.bench.conv_sizes import (
    CONV_SIZES,
    LARGEST,
    MEAN_BARS,
    MEMORY_SIZES,
    WORST_BAR,
    ConvSize,
    draw_volumes,
)
from parity_tests.bench.fit_sizes import FIT_SIZES, FitSize
from parity_tests.bench.readme import BLAS, bench_tables, conv_means
from parity_tests.bench.sizes import LOOP_CASES, LOOP_EXAMPLES, LOOPS, MARGIN, SHARED_SIZES, SIZES, Size, draw
from parity_tests.bench.worker import Worker, answers, request
from parity_tests.bench.workspace import beyond_outputs, workspace
from parity_tests.cases import CASES
from parity_tests.cli import main
from parity_tests.judge import FAILS, HOLDS
from torch_ref.distributed import World

ROOT = Path(__file__).parents[2]
SMALL = next(iter(SIZES))
PARAMETERS = ("W1", "b1", "W2", "b2")
SEVERAL = Size((3, 5, 7, 2), 11)
CONVOLUTIONS = (CONV_SIZES[0], ConvSize(4, 7, 3, 5, 3, 1, 2))
"""Small ones, the second with a stride and a remainder."""


def check_schema(values: dict[str, Any], plan: measure.Plan) -> None:
    """Every size, dtype and number of threads once; numbers where numbers belong."""
    rounds = ("rounds", "conv_rounds", "fit_rounds", "shared_rounds")
    parts = {"steps", "loops", "convolutions", "workspace", "fits", "processes"}
    assert values.keys() == {"environment", *rounds, *parts}
    assert values["environment"].keys() >= {
        "date",
        "python",
        "numpy",
        "torch",
        "processor",
        "cores",
        "load",
        BLAS,
    }
    assert [values[name] for name in rounds] == [
        plan.rounds,
        plan.conv_rounds,
        plan.fit_rounds,
        plan.shared_rounds,
    ]
    assert [(line["threads"], line["size"], line["dtype"]) for line in values["steps"]] == [
        (threads, str(size), dtype) for threads in plan.threads for size in plan.sizes for dtype in measure.DTYPES
    ]
    for line in values["steps"] + values["convolutions"] + values["fits"]:
        times = [line[name] for name in ("manual_us", "torch_us")]
        assert all(isinstance(time, float) and time > 0 for time in times)
        assert line["manual/torch"] == pytest.approx(times[0] / times[1], rel=0.05, abs=2e-3)
        assert line["quartiles"] == sorted(line["quartiles"])
    for line in values["steps"]:
        ratio = line["manual_us"] / line["products_us"]
        assert line["manual/products"] == pytest.approx(ratio, rel=0.05, abs=2e-3)
        bar = SIZES[next(size for size in SIZES if str(size) == line["size"])]
        assert (line["bar"], line["products_bar"]) == (tuple(bar) if line["threads"] == 1 else (None, None))
    assert [(line["formula"], line["m"]) for line in values["loops"]] == [
        (formula, m) for formula in LOOPS for m in plan.loop_examples
    ]
    assert all(line["loop_us"] > 0 and line["vectorised_us"] > 0 for line in values["loops"])
    assert [(line["threads"], line["size"], line["dtype"], line["bar"]) for line in values["convolutions"]] == [
        (threads, str(size), dtype, WORST_BAR if threads == 1 else None)
        for threads in plan.threads
        for size in plan.convolutions
        for dtype in measure.DTYPES
    ]
    assert [(line["size"], line["dtype"]) for line in values["workspace"]] == [
        (str(size), dtype) for size in plan.convolutions if size in MEMORY_SIZES for dtype in measure.DTYPES
    ]
    for line in values["workspace"]:
        share = line["workspace_bytes"] / line["unrolled_bytes"]
        assert line["workspace/unrolled"] == pytest.approx(share, abs=1e-4)
        assert 0 < share <= line["bar"]


def check_fits(values: dict[str, Any], plan: measure.Plan) -> None:
    """Every training once in each dtype, beside torch and scikit-learn, with the bars of both."""
    expected = [(str(size), dtype, *FIT_SIZES[size]) for size in plan.fits for dtype in measure.DTYPES]
    lines = values["fits"]
    assert [(line["size"], line["dtype"], line["sklearn_bar"], line["bar"]) for line in lines] == expected
    for line in lines:
        ratio = line["manual_us"] / line["sklearn_us"]
        assert line["manual/sklearn"] == pytest.approx(ratio, rel=0.05, abs=2e-3)


def check_processes(values: dict[str, Any], plan: measure.Plan) -> None:
    """Every network whose steps are shared once in each dtype, with its bar."""
    expected = [(str(size), dtype, SHARED_SIZES[size]) for size in plan.shared for dtype in measure.DTYPES]
    assert [(line["size"], line["dtype"], line["bar"]) for line in values["processes"]] == expected
    for line in values["processes"]:
        ratio = line["processes_us"] / line["threads_us"]
        assert line["processes/threads"] == pytest.approx(ratio, rel=0.05, abs=2e-3)
        assert line["quartiles"] == sorted(line["quartiles"])
        assert float(line["load"]) >= 0


@pytest.fixture(scope="module")
def kept_workers() -> Iterator[Callable[[str, int], AbstractContextManager[Worker]]]:
    """Workers that go on for as long as this file: to start one takes longer than to time what is small."""
    with ExitStack() as stack:

        @cache
        def started(side: str, threads: int) -> Worker:
            return stack.enter_context(Worker(side, threads))

        yield lambda side, threads: nullcontext(started(side, threads))


@pytest.fixture
def _kept_workers(kept_workers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bench times in workers that are there already."""
    monkeypatch.setattr(measure, "Worker", kept_workers)


@pytest.mark.usefixtures("_kept_workers")
def test_a_quick_run_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["bench", "--quick", "--json"])
    shown = capsys.readouterr()
    assert (code, shown.err) == (0, "")
    values = json.loads(shown.out)
    check_schema(values, measure.QUICK)
    check_fits(values, measure.QUICK)
    check_processes(values, measure.QUICK)


def test_the_kept_figures_have_the_schema() -> None:
    check_schema(kept.measured("bench"), measure.FULL)
    check_fits(kept.measured("bench"), measure.FULL)
    values = kept.measured("bench")
    check_processes(values, measure.FULL if values["processes"] else measure.QUICK)
    assert ("not measured" in bench_tables(values)) == (not values["processes"])


def test_the_readme_shows_the_kept_figures() -> None:
    assert readme.section("bench") == bench_tables(kept.measured("bench"))


def test_saving_replaces_one_section_and_the_text_between_the_markers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(kept, "MEASURED", tmp_path / "measured.json")
    monkeypatch.setattr(readme, "README", tmp_path / "README.md")
    kept.save("other", [1])
    kept.save("bench", {"rounds": 1})
    kept.save("bench", {"rounds": 2})
    assert (kept.measured("other"), kept.measured("bench")) == ([1], {"rounds": 2})
    assert not readme.update("bench", "figures\n")
    readme.README.write_text("no markers\n")
    assert not readme.update("bench", "figures\n")
    readme.README.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n")
    assert readme.update("bench", "figures\n")
    assert readme.README.read_text() == "before\n<!-- bench -->\nfigures\n<!-- /bench -->\nafter\n"
    assert readme.section("bench") == "figures\n"
    readme.README.write_text(2 * "<!-- bench -->\nold\n<!-- /bench -->\n")
    with pytest.raises(ValueError, match=r"the README has 2 sections named bench, expected one"):
        readme.section("bench")


@pytest.mark.parametrize("dtype", measure.DTYPES)
@pytest.mark.parametrize("size", [SMALL, SEVERAL], ids=str)
def test_both_sides_agree_on_every_quantity_and_on_the_timed_step(size: Size, dtype: str) -> None:
    results = agreement.check_step(size, dtype)
    assert {result.verdict for result in results} == {HOLDS}
    assert {result.dtype for result in results} == {dtype}
    assert {result.quantity for result in results} >= {"Z", "A", "dZ", "dA", "dW", "db", "J with L2", "W after a step"}
    timed = [(result.quantity, result.layer) for result in results if "timed" in result.quantity]
    layers = range(1, len(size.units))
    assert timed == [(f"{name} after a timed step", l) for l in layers for name in "Wb"]


def test_the_loops_are_held_against_their_vectorised_forms() -> None:
    results = agreement.check_loops("float64")
    assert {result.case for result in results} == set(LOOP_CASES) <= {case.id for case in CASES}
    assert {result.pair for result in results} >= {"manual/loop", "manual/torch"}


@pytest.mark.parametrize("dtype", measure.DTYPES)
@pytest.mark.parametrize("size", CONVOLUTIONS, ids=str)
def test_a_timed_convolution_gives_the_same_numbers_on_both_sides(size: ConvSize, dtype: str) -> None:
    results = agreement.check_convolution(size, dtype)
    assert [result.quantity for result in results] == ["Z", "dA_prev", "dW", "db"]
    assert {(result.verdict, result.error, result.dtype) for result in results} == {(HOLDS, 0.0, dtype)}


CONV_FORWARD, CONV_BACKWARD, CONV2D = conv.conv_forward, conv.conv_backward, functional.conv2d


@pytest.mark.parametrize(
    ("module", "name", "wrong", "caught"),
    [
        (conv, "conv_forward", lambda A, W, b, **how: CONV_FORWARD(A, W[::-1], b, **how), {"Z"}),
        (conv, "conv_backward", lambda dZ, A, W, **how: CONV_BACKWARD(dZ, A, W[::-1], **how), {"dA_prev"}),
        (conv, "conv_backward", lambda dZ, A, W, **how: CONV_BACKWARD(dZ, A + 1, W, **how), {"dW"}),
        (functional, "conv2d", lambda A, W, b, *how: CONV2D(A, W, b + 1e-6, *how), {"Z"}),
        (functional, "conv2d", lambda A, W, b, *how: CONV2D(A.abs(), W, b, *how), {"Z", "dA_prev", "dW"}),
    ],
)
def test_a_fault_in_a_timed_convolution_is_seen(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, wrong: Any, caught: set[str]
) -> None:
    monkeypatch.setattr(module, name, wrong)
    failed = agreement.disagreements(agreement.check_convolution(CONVOLUTIONS[1], "float32"))
    assert {result.quantity for result in failed} == caught


def test_no_sum_of_a_drawn_convolution_is_too_large_for_float32() -> None:
    for size in CONV_SIZES:
        terms = max(size.f**2 * max(size.n_C_prev, size.n_C), size.m * size.n_out**2)
        assert terms * LARGEST**2 + LARGEST < 2**24
        assert size.m & (size.m - 1) == 0  # a power of 2, so that the division by m is exact
    data = draw_volumes(CONV_SIZES[1], "float32")
    assert {value.dtype for value in data[1:]} == {np.dtype(np.float32)}
    assert data.dZ.shape == conv.conv_forward(data.A_prev, data.W, data.b, pad=1).shape


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


def test_geometric_means_are_taken_by_dtype_and_number_of_threads() -> None:
    lines = [
        {"threads": threads, "dtype": dtype, "manual/torch": ratio}
        for threads, dtype, ratio in [
            (1, "float32", 2.0),
            (1, "float32", 0.5),
            (1, "float64", 3.0),
            (2, "float32", 4.0),
        ]
    ]
    means = conv_means(lines)
    assert [(mean.dtype, mean.threads, mean.bar) for mean in means] == [
        ("float32", 1, MEAN_BARS["float32"]),
        ("float64", 1, MEAN_BARS["float64"]),
        ("float32", 2, None),
    ]
    assert [mean.ratio for mean in means] == pytest.approx([1.0, 3.0, 4.0])


@pytest.mark.usefixtures("_kept_workers")
@pytest.mark.parametrize(("part", "filled"), [("steps", {"steps"}), ("loops", {"loops"}), ("conv", {"convolutions"})])
def test_a_part_alone(capsys: pytest.CaptureFixture[str], part: str, filled: set[str]) -> None:
    assert main(["bench", "--quick", "--only", part, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert {name for name in ("steps", "loops", "convolutions", "workspace") if values[name]} == filled


def test_a_part_cannot_be_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--save", "--only", "conv"]) == 2
    assert "--save and --only were given, expected one of them" in capsys.readouterr().err


def test_a_measured_step_of_processes_is_shown() -> None:
    line = {
        "size": "3-2; 4", "dtype": "float32", "processes_us": 1200.0, "threads_us": 1000.0, "processes/threads": 1.2,
        "quartiles": [1.1, 1.3], "bar": 1.3, "load": "0.2",
    }  # fmt: skip
    shown = bench_tables({**kept.measured("bench"), "processes": [line]}).splitlines()[-1]
    assert shown == "| 3-2; 4 | float32 | 1.2 ms | 1.0 ms | 1.20 | 1.3 | 0.2 |"


def test_processes_have_no_quick_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--quick", "--only", "processes"]) == 2
    assert "--quick and --only processes were given, expected one of them" in capsys.readouterr().err


def test_requests_reach_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes in one: the first hears the requests, the second hears them from the first."""
    store: Any = torch.distributed.HashStore()  # type: ignore[attr-defined]
    lines = [request("shared step", SEVERAL, "float64", 2), request("shared cost", SEVERAL, "float64", 0)]
    monkeypatch.setattr(torch.distributed, "destroy_process_group", lambda: None)
    monkeypatch.setattr(by_processes, "world", lambda: World(store=store))
    seconds, cost = answers("processes", by_processes.passed_on(lines))
    assert seconds > 0
    assert cost == by_torch.SharedTraining(draw(SEVERAL, "float64")).second_cost()
    monkeypatch.setattr(by_processes, "world", lambda: World(rank=1, size=2, store=store))
    assert list(by_processes.passed_on([])) == lines


def test_a_wrong_shared_step_is_not_timed() -> None:
    class Wrong:
        def seconds(self, task: str, size: Size, dtype: str, repeats: int) -> float:
            assert (task, repeats) == ("shared cost", 0)
            return by_torch.SharedTraining(draw(size, dtype)).step()  # the cost before the step

    wrong: Any = Wrong()
    failed = agreement.disagreements(agreement.check_shared(SEVERAL, "float64", wrong))
    assert [line.quantity for line in failed] == ["J after a shared step"]


def test_nothing_compared_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing was compared"):
        agreement.disagreements([])


@pytest.mark.parametrize("as_json", [False, True])
def test_a_disagreement_by_hand_refuses_to_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    def no_worker(*args: Any) -> None:
        raise AssertionError("a worker was started")

    right = dense.bias_gradient
    monkeypatch.setattr(dense, "bias_gradient", lambda dZ: right(dZ) * 1.01)
    monkeypatch.setattr(measure, "Worker", no_worker)
    assert main(["bench", "--quick", *(["--json"] if as_json else [])]) == 1
    shown = capsys.readouterr().out
    if as_json:
        failed = json.loads(shown)["disagreements"]
        assert {line["verdict"] for line in failed} == {FAILS}
        steps = {line["quantity"] for line in failed if line["dataset"] != "digits"}
        assert steps == {"db", "b after a timed step"}
        assert {line["quantity"] for line in failed} - steps == {f"{name} after an epoch" for name in PARAMETERS}
    else:
        assert "fails: 2-4-1; 400" in shown
        assert shown.endswith("The two sides disagree, so nothing was timed.\n")


@pytest.mark.parametrize(
    ("name", "value", "caught"),
    [
        ("LEARNING_RATE", 0.101, {"W after a timed step", "b after a timed step"}),
        ("LAMBDA", 0.6, {"W after a timed step"}),
    ],
)
def test_a_disagreement_in_the_timed_loop_of_torch_is_seen(
    monkeypatch: pytest.MonkeyPatch, name: str, value: float, caught: set[str]
) -> None:
    monkeypatch.setattr(by_torch, name, value)
    for dtype in measure.DTYPES:
        failed = agreement.disagreements(agreement.check_step(SEVERAL, dtype))
        assert {result.quantity for result in failed} == caught


def test_the_short_run_cannot_be_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--quick", "--save"]) == 2
    assert "--save and --quick were given, expected one of them" in capsys.readouterr().err


@pytest.mark.parametrize("size", [*SIZES, SEVERAL], ids=str)
def test_the_data_have_their_size_and_keep_away_from_kinks(size: Size) -> None:
    data = draw(size, "float32")
    assert data.X.shape == (size.units[0], size.m)
    assert data.Y.shape == (size.units[-1], size.m)
    assert {value.dtype for value in (data.X, data.Y, *data.params.values())} == {np.dtype(np.float32)}
    assert data.X.flags.c_contiguous
    assert data.Y.flags.c_contiguous
    Z = network.forward(data.architecture, data.params, data.X).Z[1:-1]
    assert all(np.abs(value).min() > 0.9 * MARGIN for value in Z if value is not None)
    if size.units[-1] > 1:
        assert (data.Y.sum(axis=0) == 1).all()


@pytest.mark.parametrize(
    "task", ["step", "shared step", "products", "propagate", "propagate_loop", "weight_gradient_loop"]
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


def test_a_dead_worker_is_an_error() -> None:
    with Worker("manual", 1) as worker, pytest.raises(RuntimeError, match="the worker ended with exit code 1"):
        worker.seconds("no such task", SMALL, "float64", 1)


def test_the_worker_of_manual_never_imports_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; import parity_tests.bench.worker, parity_tests.bench.by_hand"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_by_hand_and_the_products_do_the_same_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit counts what the step multiplies: two products per layer forward and back, one for each inner dA."""

    class Counted(np.ndarray[Any, Any]):
        shapes: list[Any] = []  # noqa: RUF012

        def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
            plain = [np.asarray(value) for value in inputs]
            if ufunc is np.matmul and plain[0].ndim == 2:
                Counted.shapes.append((plain[0].shape, plain[1].shape))
            out = options.pop("out", None)
            result = getattr(ufunc, method)(*plain, **options)
            if out:
                np.asarray(out[0])[...] = result
                return out[0]
            return result.view(Counted) if isinstance(result, np.ndarray) else result

    data = draw(SEVERAL, "float64")
    data = data._replace(
        X=data.X.view(Counted), params={name: value.view(Counted) for name, value in data.params.items()}
    )
    found = []
    for task in (by_hand.step, by_hand.products):
        call = task(data)
        Counted.shapes = []
        call()
        found.append(sorted(Counted.shapes))
    assert found[0] == found[1]
    assert len(found[0]) == 3 * (len(SEVERAL.units) - 1) - 1
