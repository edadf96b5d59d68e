"""The main job: which pieces it has, what each of them runs, and what is counted at the end."""

from __future__ import annotations

import multiprocessing
import platform
import re
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info
from torch import nn

from parity_tests.comparison import run as comparison
from parity_tests.comparison.models import MODEL_CASES
from parity_tests.comparison.run import (
    Unit,
    compare,
    environment,
    on_device,
    one_thread,
    run_all,
    run_unit,
    units,
)
from parity_tests.comparison.tables import summary
from parity_tests.formulas import CASES
from parity_tests.judging.judge import CANNOT_TELL, FAILS, HOLDS, Result

LINE = Result(
    "case", "", "", "dW", None, "float64", "manual/torch", (2,), 0.5, 1.0, 0.5, (0,), HOLDS, 0, 1, "", "derived"
)


def test_the_formulas_are_one_piece_and_every_model_is_one() -> None:
    work = units("", seed=3)
    assert work[0] == Unit(tuple(case.id for case in CASES), "float64", 3, "cpu", "ieee", False)
    assert [piece.cases for piece in work[1:]] == [(case.id,) for case in MODEL_CASES]
    assert {piece[1:] for piece in work} == {("float64", 3, "cpu", "ieee", False)}
    assert [piece.dtype for piece in units("deep6/", dtype="both")] == ["float64"] * 2 + ["float32"] * 2
    assert [piece.dtype for piece in units("deep6/", dtype="float32")] == ["float32"] * 2
    assert units("dense.")[0].cases == tuple(case.id for case in CASES if "dense." in case.id)
    assert len(units("dense.")) == 1
    assert [piece.cases for piece in units("deep6/")] == [
        ("deep6/circles/lambda=0",),
        ("deep6/circles/lambda=0.7",),
    ]
    assert {piece.seed for piece in units("deep6/")} == {0}
    assert units() == units("")


def test_in_a_short_format_the_models_run_alone() -> None:
    work = units("", precision="bf16")
    assert [piece.cases for piece in work] == [(case.id,) for case in MODEL_CASES]
    assert {piece[1:] for piece in work} == {("float64", 0, "cpu", "bf16", False)}
    with pytest.raises(ValueError, match=r"-k is 'dense\.', expected part of a case's id"):
        units("dense.", precision="bf16")


def test_compiled_the_models_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    monkeypatch.setattr(comparison, "check_compiler", looked_at.append)
    work = units("", compiled=True)
    assert [piece.cases for piece in work] == [(case.id,) for case in MODEL_CASES]
    assert {piece[1:] for piece in work} == {("float64", 0, "cpu", "ieee", True)}
    assert looked_at == ["cpu"]
    units("deep6/")
    assert looked_at == ["cpu"]


def test_the_work_is_shared_by_as_many_processes_as_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def run_all(work: Any, jobs: int) -> Iterator[Any]:
        asked.append((work[0].seed, jobs))
        return iter([])

    monkeypatch.setattr(comparison, "run_all", run_all)
    compare("deep6/")
    compare("deep6/", jobs=3, seed=2)
    assert asked == [(0, 1), (2, 3)]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"precision": "fp8"}, "precision is 'fp8', expected one of ieee, tf32, bf16"),
        ({"precision": "tf32", "dtype": "both"}, "precision is tf32, expected neither a dtype nor a module beside it"),
        (
            {"compiled": True, "precision": "tf32"},
            "compiled is asked for, expected neither a precision nor a module beside it",
        ),
        ({"dtype": "float16"}, "dtype is 'float16', expected one of float64, float32, both"),
        ({"seed": -1}, "seed is -1, expected 0 or more"),
        ({"jobs": 0}, "jobs is 0, expected 1 or more"),
        ({"device": "tpu"}, "device is 'tpu', expected one of"),
        (
            {"text": "no such case"},
            "-k is 'no such case', expected part of a case's id, such as dense or wide/digits: no case has it",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=rf"^{re.escape(sentence)}"):
        units(**options)
    with pytest.raises(ValueError, match=rf"^{re.escape(sentence)}"):
        compare(**options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"text": "dense"}, "text is 'dense', expected none beside module: it is compared alone"),
        ({"precision": "bf16"}, "precision is bf16, expected ieee beside module: it is compared in its dtype"),
        ({"compiled": True}, "compiled is asked for, expected neither a precision nor a module beside it"),
        ({"dtype": "int8"}, "dtype is 'int8', expected one of float64, float32, both"),
        ({"seed": -2}, "seed is -2, expected 0 or more"),
        ({"jobs": -3}, "jobs is -3, expected 1 or more"),
        ({"device": "tpu"}, "device is 'tpu', expected one of"),
    ],
)
def test_beside_a_module_nothing_else_is_selected(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=rf"^{re.escape(sentence)}"):
        compare(module=nn.Sequential(nn.Linear(2, 1)), X=np.ones((3, 2)), Y=np.ones((3, 1)), **options)


def test_a_module_is_compared_in_every_dtype_asked_for_and_with_its_output() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Dropout(0.5), nn.Linear(3, 1))
    X, Y = np.arange(8.0).reshape(4, 2) / 8, np.array([0, 1, 1, 0])
    both = compare(module=module, X=X, Y=Y, dtype="both", output="sigmoid", seed=1)
    assert {line.dtype for line in both} == {"float64", "float32"}
    assert {line.quantity for line in both} >= {"J", "J with L2"}
    assert FAILS not in {line.verdict for line in both}
    other, again = (
        compare(module=module, X=X, Y=Y, dtype="both", output="sigmoid", seed=seed) for seed in (2, 1)
    )  # the seed draws the masks
    assert again == both != other
    assert [line.bound for line in compare(module=module, X=X, Y=Y, output="identity")] != [
        line.bound for line in compare(module=module, X=X, Y=Y, output="sigmoid")
    ]


def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What a piece of the job runs, instead of running it."""
    made: list[tuple[Any, ...]] = []

    def noting(name: str) -> Callable[..., list[Result]]:
        def run(*arguments: Any) -> list[Result]:
            made.append((name, *arguments))
            return [LINE._replace(case=name)]

        return run

    for name in ("run_case", "run_steps", "run_free", "run_short", "run_compiled"):
        monkeypatch.setattr(comparison, name, noting(name))
    return made


def test_a_piece_of_formulas_runs_each_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    made = calls(monkeypatch)
    chosen = CASES[3], CASES[5]
    lines = run_unit(Unit(tuple(case.id for case in chosen), "float32", 4, "cpu"))
    assert made == [("run_case", case, np.float32, 4, "cpu") for case in chosen]
    assert [line.case for line in lines] == ["run_case"] * 2


def test_a_piece_of_a_model_runs_its_steps_and_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made = calls(monkeypatch)
    lines = run_unit(Unit(("wide/wine/lambda=0",), "float32", 4, "cpu"))
    case = next(case for case in MODEL_CASES if case.id == "wide/wine/lambda=0")
    (steps, free) = made
    assert (steps[0], steps[1], steps[3:]) == ("run_steps", case, (case.steps, 4, "cpu"))
    assert (free[0], free[1], free[3:]) == ("run_free", case, (case.free.steps, 4, "cpu"))
    assert steps[2] is free[2]
    assert steps[2].X.dtype == np.float32
    assert [line.case for line in lines] == ["run_steps", "run_free"]
    other = calls(monkeypatch)
    run_unit(Unit(("wide/wine/lambda=0",), "float32", 5, "cpu"))
    assert not np.array_equal(other[0][2].params["W1"], steps[2].params["W1"])
    assert not np.array_equal(other[0][2].X, steps[2].X)


def test_a_piece_in_a_short_format_runs_one_step_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = calls(monkeypatch)
    names = "softmax/iris/lambda=0", "softmax/iris/lambda=0.7"
    lines = run_unit(Unit(names, "float64", 0, "cpu", "tf32"))
    assert [(name, case.id, rest) for name, case, _, *rest in made] == [
        ("run_short", name, ["tf32", "cpu"]) for name in names
    ]
    assert [line.case for line in lines] == ["run_short"] * 2
    assert all(begin.X.dtype == np.float64 for _, _, begin, *_ in made)


def test_a_compiled_piece_runs_one_step_of_each_of_its_models(monkeypatch: pytest.MonkeyPatch) -> None:
    made = calls(monkeypatch)
    names = "softmax/iris/lambda=0", "softmax/iris/lambda=0.7"
    lines = run_unit(Unit(names, "float32", 3, "cpu", compiled=True))
    assert [(name, case.id, rest) for name, case, _, *rest in made] == [
        ("run_compiled", name, [3, "cpu"]) for name in names
    ]
    assert all(begin.X.dtype == np.float32 for _, _, begin, *_ in made)
    assert [line.case for line in lines] == ["run_compiled"] * 2


def test_a_piece_of_several_models_has_the_lines_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    calls(monkeypatch)
    lines = run_unit(Unit((CASES[0].id, "softmax/iris/lambda=0", "softmax/iris/lambda=0.7"), "float64", 0, "cpu"))
    assert [line.case for line in lines] == ["run_case"] + ["run_steps", "run_free"] * 2


def test_progress_is_told_after_every_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    calls(monkeypatch)
    heard: list[tuple[int, int]] = []
    lines = compare("deep6/", on_progress=lambda done, of: heard.append((done, of)), dtype="both", seed=2)
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [line.case for line in lines] == ["run_steps", "run_free"] * 4


def test_several_processes_give_the_same_in_the_same_order() -> None:
    work = [Unit((case.id,), "float64", 0, "cpu") for case in CASES[:5]]
    assert list(run_all(work, 2)) == list(run_all(work, 1))
    assert [part[0].case for part in run_all(work, 2)] == [case.id for case in CASES[:5]]


@pytest.mark.parametrize(
    ("device", "compiled", "system", "method"),
    [
        ("cpu", False, "linux", "fork"),
        ("cpu", True, "linux", "spawn"),
        ("cuda", False, "linux", "spawn"),
        ("cpu", False, "darwin", "spawn"),
    ],
)
def test_processes_are_forked_where_that_is_safe(
    device: str, compiled: bool, system: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, jobs: int, context: Any, initializer: Any) -> None:
            asked.append((jobs, context.get_start_method()))
            super().__init__(jobs)

    monkeypatch.setattr(comparison, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(comparison, "run_unit", lambda unit: [unit.dtype])
    monkeypatch.setattr(sys, "platform", system)
    unit = Unit(("a",), "float64", 0, device, compiled=compiled)
    torch.set_num_threads(2)
    ran: list[Any] = list(run_all([unit] * 2, 3))
    assert ran == [["float64"]] * 2
    assert asked == [(3, method)]
    assert torch.get_num_threads() == 1
    ran = [*run_all([unit], 3), *run_all([unit] * 2, 1)]
    assert ran == [["float64"]] * 3
    assert len(asked) == 1  # a single piece, and a single process, run here


def test_an_interrupted_pool_ends_its_own_processes_which_signals_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    class Child:
        def __init__(self, name: str) -> None:
            self.name = name

        def terminate(self) -> None:
            ended.append(self.name)

    older, own = Child("older"), Child("own")
    children = iter([[older], [older, own]])
    begun: list[Any] = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, jobs: int, context: Any, initializer: Any) -> None:
            begun.append(initializer)
            super().__init__(jobs)

    def interrupted(unit: Unit) -> list[Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(comparison, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(comparison, "run_unit", interrupted)
    monkeypatch.setattr(multiprocessing, "active_children", lambda: next(children))
    with pytest.raises(KeyboardInterrupt):
        list(run_all([Unit(("a",), "float64", 0, "cpu", compiled=True)] * 2, 2))
    assert ended == ["own"]
    set_to: list[Any] = []
    monkeypatch.setattr(signal, "signal", lambda *each: set_to.append(each))
    (initializer,) = begun
    initializer()
    assert set_to == [(signal.SIGINT, signal.SIG_DFL), (signal.SIGTERM, signal.SIG_DFL)]


def test_a_bar_says_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(comparison, "bar_in_notebook", said.append)
    assert compare("dense.bias_gradient")
    assert said == ["comparing"]


def test_within_there_is_one_thread_and_afterwards_as_many_as_before() -> None:
    torch.set_num_threads(2)

    def threads() -> list[int]:
        return [torch.get_num_threads(), *(pool["num_threads"] for pool in threadpool_info())]

    before = threads()
    with one_thread():
        assert set(threads()) == {1}
    assert threads() == before
    with pytest.raises(KeyError), one_thread():
        raise KeyError
    assert threads()[0] == 2
    seen = on_device("cpu", lambda: [LINE._replace(error=float(n)) for n in threads()])
    assert {line.error for line in seen} == {1.0}


def test_only_failures_on_cuda_are_tried_without_cudnn() -> None:
    ran: list[bool] = []

    def run(*verdicts: str) -> Callable[[], list[Result]]:
        def lines() -> list[Result]:
            ran.append(torch.backends.cudnn.enabled)
            if len(ran) > 1:
                return [LINE._replace(verdict=HOLDS), LINE._replace(verdict=CANNOT_TELL)]
            return [LINE._replace(verdict=verdict, arrays=3) for verdict in verdicts]

        return lines

    held = on_device("cuda", run(HOLDS, CANNOT_TELL))
    assert (ran, [line.verdict for line in held]) == ([True], [HOLDS, CANNOT_TELL])
    ran.clear()
    first, second = on_device("cuda:1", run(FAILS, FAILS))
    assert ran == [True, False]
    assert (first.verdict, first.cannot_tell, first.reason) == (CANNOT_TELL, 3, comparison.THE_ALGORITHM)
    assert (second.verdict, second.cannot_tell, second.reason) == (FAILS, 0, "")


def test_the_summary_counts_lines_and_arrays() -> None:
    lines = [
        LINE._replace(arrays=4, ratio=0.25),
        LINE._replace(verdict=CANNOT_TELL, arrays=3, cannot_tell=2),
        LINE._replace(verdict=CANNOT_TELL, arrays=5, cannot_tell=1, basis="measured", ratio=0.75),
        LINE._replace(verdict=FAILS, basis="measured", ratio=0.125),
    ]
    assert summary(lines) == {
        "lines": 4,
        "arrays": 13,
        HOLDS: 1,
        CANNOT_TELL: 2,
        FAILS: 1,
        "arrays that cannot be told": 3,
        "worst ratio": 0.5,
        "worst measured ratio": 0.75,
    }
    nothing = summary([])
    assert (nothing["lines"], nothing["worst ratio"], nothing["worst measured ratio"]) == (0, None, None)


def test_the_environment_names_what_decides_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    found = environment("cpu")
    assert (found["numpy"], found["torch"], found["device"]) == (np.__version__, torch.__version__, "cpu")
    assert found["python"] == platform.python_version()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found["date"])
    assert re.fullmatch(r"\d+\.\d+.*", found["scikit-learn"])
    assert found["machine"] == f"{platform.system()} {platform.machine()}"
    monkeypatch.setattr(comparison, "device_named", torch.device)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"card {device}")
    assert environment("cuda:1")["device"] == "card cuda:1"
