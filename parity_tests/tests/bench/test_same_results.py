"""What is timed is the same on both sides, and is not timed where it is not."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from torch.nn import functional

from manual import conv, network
from parity_tests.bench import by_hand, by_torch, measure, same_results
from parity_tests.bench.sizes import (
    CONV_SIZES,
    LARGEST,
    LOOP_CASES,
    MARGIN,
    SIZES,
    ConvSize,
    Size,
    draw,
    draw_volumes,
)
from parity_tests.cli import main
from parity_tests.formulas import CASES
from parity_tests.judging.judge import FAILS, HOLDS
from parity_tests.tests.bench.bench_sizes import CONVOLUTIONS, SEVERAL, SMALL
from parity_tests.tests.bench.planted import wrong_db

PARAMETERS = ("W1", "b1", "W2", "b2")


@pytest.mark.parametrize("dtype", measure.DTYPES)
@pytest.mark.parametrize("size", [SMALL, SEVERAL], ids=str)
def test_both_sides_agree_on_every_quantity_and_on_the_timed_step(size: Size, dtype: str) -> None:
    results = same_results.check_step(size, dtype)
    assert {result.verdict for result in results} == {HOLDS}
    assert {result.dtype for result in results} == {dtype}
    assert {result.quantity for result in results} >= {"Z", "A", "dZ", "dA", "dW", "db", "J with L2", "W after a step"}
    timed = [(result.quantity, result.layer) for result in results if "timed" in result.quantity]
    layers = range(1, len(size.units))
    assert timed == [(f"{name} after a timed step", l) for l in layers for name in "Wb"]


def test_the_loops_are_held_against_their_vectorised_forms() -> None:
    results = same_results.check_loops("float64")
    assert {result.case for result in results} == set(LOOP_CASES) <= {case.id for case in CASES}
    assert {result.pair for result in results} >= {"manual/loop", "manual/torch"}


@pytest.mark.parametrize("dtype", measure.DTYPES)
@pytest.mark.parametrize("size", CONVOLUTIONS, ids=str)
def test_a_timed_convolution_gives_the_same_numbers_on_both_sides(size: ConvSize, dtype: str) -> None:
    results = same_results.check_convolution(size, dtype)
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
    failed = same_results.disagreements(same_results.check_convolution(CONVOLUTIONS[1], "float32"))
    assert {result.quantity for result in failed} == caught


def test_a_wrong_shared_step_is_not_timed() -> None:
    class Wrong:
        def seconds(self, task: str, size: Size, dtype: str, repeats: int) -> float:
            assert (task, repeats) == ("second cost", 0)
            return by_torch.SharedTraining(draw(size, dtype)).step()  # the cost before the step

    wrong: Any = Wrong()
    failed = same_results.disagreements(same_results.check_shared(SEVERAL, "float64", wrong))
    assert [line.quantity for line in failed] == ["J after a shared step"]


def test_a_step_of_jax_is_held_against_ours() -> None:
    class Right:
        cost = by_hand.Training(draw(SEVERAL, "float64")).second_cost()

        def seconds(self, task: str, size: Size, dtype: str, repeats: int) -> float:
            assert (task, repeats) == ("second cost", 0)
            return self.cost

    right: Any = Right()
    assert [line.verdict for line in same_results.check_jax(SEVERAL, "float64", right)] == [HOLDS]
    right.cost += 1e-9
    assert [line.verdict for line in same_results.check_jax(SEVERAL, "float64", right)] == [FAILS]


def test_nothing_compared_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing was compared"):
        same_results.disagreements([])


@pytest.mark.parametrize("as_json", [False, True])
def test_a_disagreement_by_hand_refuses_to_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    def no_worker(*args: Any) -> None:
        raise AssertionError("a worker was started")

    wrong_db(monkeypatch, lambda db: db * 1.01)
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
        failed = same_results.disagreements(same_results.check_step(SEVERAL, dtype))
        assert {result.quantity for result in failed} == caught


def test_no_sum_of_a_drawn_convolution_is_too_large_for_float32() -> None:
    for size in CONV_SIZES:
        terms = max(size.f**2 * max(size.n_C_prev, size.n_C), size.m * size.n_out**2)
        assert terms * LARGEST**2 + LARGEST < 2**24
        assert size.m & (size.m - 1) == 0  # a power of 2, so that the division by m is exact
    data = draw_volumes(CONV_SIZES[1], "float32")
    assert {value.dtype for value in data[1:]} == {np.dtype(np.float32)}
    assert data.dZ.shape == conv.conv_forward(data.A_prev, data.W, data.b, pad=1).shape


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


@pytest.mark.parametrize("task", [by_hand.step, by_hand.formulas])
def test_by_hand_and_the_products_do_the_same_products(monkeypatch: pytest.MonkeyPatch, task: Any) -> None:
    """The limit counts what the step multiplies: two products per layer forward and back, one for each inner dA."""
    shapes: list[Any] = []
    right = np.matmul

    class Counted(np.ndarray[Any, Any]):
        def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
            plain = [np.asarray(value) for value in inputs]
            if ufunc is right and plain[0].ndim == 2:
                shapes.append((plain[0].shape, plain[1].shape))
            options["out"] = tuple(np.asarray(value) for value in options["out"]) if options.get("out") else None
            result = getattr(ufunc, method)(*plain, **options)
            return result.view(Counted) if isinstance(result, np.ndarray) else result

    def counted(one: Any, other: Any, out: Any = None) -> Any:
        shapes.append((one.shape, other.shape))
        return right(one, other, out=out)

    data = draw(SEVERAL, "float64")
    found = []
    for made in (task, by_hand.products):
        monkeypatch.setattr(np, "matmul", counted)
        given = data
        if made is by_hand.formulas:  # they say @
            params: Any = {name: value.view(Counted) for name, value in data.params.items()}
            given = data._replace(X=data.X.view(Counted), params=params)
        call = made(given)
        call()
        shapes.clear()
        call()
        found.append(sorted(shapes))
        monkeypatch.undo()
    assert found[0] == found[1]
    assert len(found[0]) == 3 * (len(SEVERAL.units) - 1) - 1
