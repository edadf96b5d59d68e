"""Compiled models: right ones hold, and what a compiler gets wrong is seen, layer by layer and in the whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from manual import dense
from manual.architecture import Architecture, Conv, Dense, Dropout, Flatten, Pool
from manual.draws import dropout_masks, initial_parameters
from parity_tests.cli import main
from parity_tests.comparison import run as comparison
from parity_tests.comparison.compiled import compiled, run_compiled
from parity_tests.comparison.models import ModelCase, Start
from parity_tests.comparison.run import compare
from parity_tests.judging.judge import Result

COLUMNS = Architecture(5, (Dense(7, "tanh"), Dropout(0.8), Dense(6, "relu"), Dense(3, "softmax")))
VOLUMES = Architecture((6, 6, 2), (Conv(3, 3, pad=1, activation="relu"), Pool(2, 2), Flatten(), Dense(1, "sigmoid")))
CASE = ModelCase("tiny", "drawn", 0.7, 0.0, steps=1)


def functorch() -> Any:
    """Its compiler: seconds of imports, which only these tests need."""
    import functorch.compile  # type: ignore[import-untyped]

    return functorch.compile


def begin(net: Architecture, dtype: Any = np.float64) -> Start:
    """Eleven examples."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal(net.batch_shape(0, 11)).astype(dtype)
    labels = rng.integers(0, max(2, net.outputs), 11)
    Y = (np.eye(net.outputs)[:, labels] if net.outputs > 1 else labels[None]).astype(dtype)
    masks = dropout_masks(net, 11, rng, dtype) if net.masked_layers() else None
    return Start(net, initial_parameters(net, "xavier", rng, dtype), X, Y, masks)


def run(net: Architecture, backend: Any, dtype: Any = np.float64) -> list[Result]:
    """One pass through a backend."""
    return run_compiled(CASE, begin(net, dtype), backend=backend)


def failed(results: list[Result]) -> set[tuple[str, int | None]]:
    """What fails."""
    return {(result.quantity, result.layer) for result in results if result.verdict == "fails"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("net", "dtype"),
    [pytest.param(COLUMNS, np.float32, marks=pytest.mark.slow), (VOLUMES, np.float64)],
    ids=["columns", "volumes"],
)
def test_what_is_compiled_right_holds_in_every_layer_and_as_a_whole(net: Architecture, dtype: Any) -> None:
    results = run(net, "aot_eager", dtype)
    assert {result.verdict for result in results} == {"holds"}
    whole = {result.quantity: result.basis for result in results if "whole" in result.quantity}
    assert whole == {f"{name} of the compiled whole": "measured" for name in ("J", "Z_L", "dW", "db")}
    assert {result.quantity for result in results} >= {"Z", "A", "dZ", "dA", "dW", "db", "J with L2"}


def off(graph: Any, inputs: Any) -> Callable[..., Any]:
    """A backend whose every result is 1e-9 too large."""
    return lambda *given: tuple(value * (1 + 1e-9) for value in graph(*given))


def right(graph: Any, inputs: Any) -> Callable[..., Any]:
    """The graph as it is."""
    boxed: Callable[..., Any] = functorch().make_boxed_func(graph)
    return boxed


def off_backward(graph: Any, inputs: Any) -> Callable[..., Any]:
    """A compiler of backward passes, 1e-9 too large in what it gives."""

    def run(*given: Any) -> Any:
        return [value * (1 + 1e-9) if isinstance(value, torch.Tensor) else value for value in graph(*given)]

    boxed: Callable[..., Any] = functorch().make_boxed_func(run)
    return boxed


@pytest.mark.slow
def test_a_compiler_that_is_wrong_is_seen_in_every_layer_and_in_the_whole() -> None:
    forward = failed(run(COLUMNS, off))
    assert forward >= {("Z", 1), ("A", 1), ("A", 2), ("Z", 3), ("Z", 4), ("Z_L of the compiled whole", None)}
    split = partial(functorch().aot_module_simplified, fw_compiler=right, bw_compiler=off_backward)
    backward = failed(run(COLUMNS, split))
    assert {(quantity, layer) for quantity, layer in backward if quantity in ("Z", "A", "J with L2")} == set()
    assert backward >= {("dW", 1), ("db", 1), ("dA", 0), ("dZ", 1), ("dW of the compiled whole", 1)}


def test_a_mistake_by_hand_is_seen_too(monkeypatch: pytest.MonkeyPatch) -> None:
    weight_gradient = dense.weight_gradient
    monkeypatch.setattr(dense, "weight_gradient", lambda dZ, A_prev, W, l: weight_gradient(dZ, A_prev, W, l) * 1.0001)
    assert failed(run(COLUMNS, "aot_eager")) == {
        (quantity, layer) for quantity in ("dW", "dW of the compiled whole") for layer in (1, 3, 4)
    }


def test_what_cannot_be_compiled_fails_with_the_compilers_sentence() -> None:
    def refuses(graph: Any, inputs: Any) -> Any:
        raise RuntimeError("no such instruction")

    results = run(VOLUMES, refuses)
    assert [(result.quantity, result.verdict) for result in results] == [
        ("torch.compile of layers", "fails"),
        ("torch.compile of whole", "fails"),
    ]
    assert "no such instruction" in results[0].reason


def test_every_layer_of_many_is_compiled() -> None:
    seen = []

    def counts(graph: Any, inputs: Any) -> Any:
        seen.append(graph)
        return graph

    for layer in [torch.nn.Linear(3, 3) for _ in range(12)]:
        compiled(layer.forward, counts)(torch.ones(2, 3))
    assert len(seen) == 12


@pytest.mark.bars  # half a minute of a C++ compiler where nothing is cached yet
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile finds no C++ compiler")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own
def test_inductor_holds() -> None:
    small = Architecture(3, (Dense(1, "sigmoid"),))
    results = run(small, "inductor")
    assert {result.verdict for result in results} == {"holds"}


def test_the_flag_runs_the_models_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[Any] = []
    results = run(COLUMNS, "eager")

    def runs(case: ModelCase, begin: Start, seed: int, device: str) -> list[Result]:
        asked.append((case.id, begin.X.dtype.name, seed, device))
        return results

    monkeypatch.setattr(comparison, "run_compiled", runs)
    assert main(["--compile", "-k", "softmax", "--dtype", "both", "--seed", "2", "--jobs", "1"]) == 0
    models = [f"softmax/{name}/lambda={value}" for name in ("iris", "digits") for value in ("0", "0.7")]
    assert asked == [(name, dtype, 2, "cpu") for dtype in ("float64", "float32") for name in models]
    assert main(["--compile", "--precision", "bf16"]) == 2
    assert "compiled is asked for, expected neither a precision nor a module" in capsys.readouterr().err


def test_a_missing_compiler_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ValueError, match=r"no-such-compiler is not there, expected a C\+\+ compiler"):
        compare("softmax/iris", compiled=True)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
def test_on_a_gpu_inductor_holds() -> None:
    results = run_compiled(CASE, begin(COLUMNS), device="cuda")
    assert {result.verdict for result in results} == {"holds"}
