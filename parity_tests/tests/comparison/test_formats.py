"""Shorter formats: each layer holds under its format's bound, and a mistake or a shorter format still shows."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from manual import dense
from manual.shared.cli import toy_datasets
from parity_tests import compare
from parity_tests.cli import main
from parity_tests.comparison import formats
from parity_tests.comparison import run as comparison
from parity_tests.comparison.formats import FORMATS, run_short
from parity_tests.comparison.models import MODEL_CASES, start
from parity_tests.comparison.run import THE_ALGORITHM, on_device
from parity_tests.comparison.snap import run_once
from parity_tests.judging import bounds
from torch_ref.hardware import products

CASES = {case.id: case for case in MODEL_CASES}
SOME = (
    "deep6/circles/lambda=0.7",
    "regression/linnerud/lambda=0",
    "strided/digits/lambda=0.7",
    "wide_residual/wine/lambda=0.7",
)


def run(name: str, precision: str, device: str = "cpu") -> list[Any]:
    """One model in one format."""
    case = CASES[name]
    return run_short(case, start(case, toy_datasets().load(case.dataset), np.float64, 0), precision, device)


@pytest.mark.parametrize("precision", list(FORMATS))
@pytest.mark.parametrize("name", SOME)
def test_every_layer_holds_under_the_bound_of_its_format(name: str, precision: str) -> None:
    results = run(name, precision)
    assert {result.verdict for result in results} == {"holds"}
    assert {result.dtype for result in results} == {precision}
    assert {result.quantity for result in results} >= {"Z", "A", "dZ", "dA", "dW", "db"}


@pytest.mark.parametrize("name", SOME)
def test_bfloat16_is_more_than_the_bounds_of_tf32_allow(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = FORMATS["bf16"].hardware
    monkeypatch.setitem(formats.FORMATS, "tf32", FORMATS["tf32"]._replace(hardware=told))
    failed = {result.quantity for result in run(name, "tf32") if result.verdict == "fails"}
    assert failed >= {"Z", "dA"}
    assert not failed & {"A", "dZ", "J", "J with L2"}  # entry by entry nothing is shorter than float32


def test_a_mistake_is_not_put_down_to_the_format(monkeypatch: pytest.MonkeyPatch) -> None:
    right = dense.weight_gradient
    monkeypatch.setattr(dense, "weight_gradient", lambda dZ, A_prev, W, l: right(dZ, A_prev, W, l) * dZ.shape[1])
    failed = {result.quantity for result in run("wide/wine/lambda=0", "bf16") if result.verdict == "fails"}
    assert failed == {"dW"}


class InTF32(torch.autograd.Function):
    """A dense layer as tensor cores compute it: 13 bits of every factor cut off, the sums in float32."""

    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Z."""
        ctx.save_for_backward(rows, weight)
        return cut(rows) @ cut(weight).T + bias

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """dA_prev, dW, db."""
        (rows, weight), (gradient,) = ctx.saved_tensors, gradients
        return cut(gradient) @ cut(weight), cut(gradient).T @ cut(rows), gradient.sum(0)


def cut(value: torch.Tensor) -> torch.Tensor:
    """The 10 bits of mantissa that TF32 keeps, without rounding."""
    return (value.contiguous().view(torch.int32) & ~0x1FFF).view(torch.float32)


def with_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dense layers in TF32, on the CPU."""
    monkeypatch.setattr("torch.nn.functional.linear", InTF32.apply)


@pytest.mark.parametrize("name", ["deep6/circles/lambda=0.7", "wide/wine/lambda=0"])
def test_what_tf32_cuts_off_is_the_formats_and_no_mistake(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any(result.reason for result in run(name, "tf32"))  # here in float32
    with_tf32(monkeypatch)
    results = run(name, "tf32")
    assert {result.verdict for result in results} == {"holds"}
    reasons = {result.quantity: result.reason for result in results}
    assert {quantity for quantity, reason in reasons.items() if reason == formats.THE_FORMAT} == {"Z", "dA", "dW"}
    case = CASES[name]
    begin = start(case, toy_datasets().load(case.dataset), np.float32, 0)
    assert {result.quantity for result in run_once(case, begin) if result.verdict == "fails"} == {"Z", "dA", "dW"}


@pytest.mark.parametrize(("precision", "factor"), [("tf32", 1.02), ("bf16", 1.1)])
def test_a_wrong_factor_beyond_the_format_is_a_mistake(
    precision: str, factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_tf32(monkeypatch)
    right = dense.linear_forward
    monkeypatch.setattr(dense, "linear_forward", lambda A_prev, W, b: right(A_prev, W * factor, b))
    failed = {result.quantity for result in run("wide/wine/lambda=0", precision) if result.verdict == "fails"}
    assert failed == {"Z"}


def test_the_closing_lines_say_what_the_format_is_the_reason_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--precision", "bf16", "-k", "wide/wine", "--jobs", "1"]) == 0
    assert f" lines: {formats.THE_FORMAT}." in capsys.readouterr().out


def switches() -> list[Any]:
    """Those of torch's switches that decide how products are taken."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    precisions = [matmul.fp32_precision, cudnn.conv.fp32_precision]  # type: ignore[attr-defined]
    return [*precisions, matmul.allow_bf16_reduced_precision_reduction, cudnn.enabled]


def test_torchs_switches_are_put_back() -> None:
    before = switches()
    with products(tf32=True):
        assert switches() == ["tf32", "tf32", False, True]
        with products(cudnn=False):
            assert switches() == ["ieee", "ieee", False, False]
        assert switches() == ["tf32", "tf32", False, True]
    assert switches() == before
    with contextlib.suppress(RuntimeError), products(tf32=True):
        raise RuntimeError
    run("softmax/iris/lambda=0", "tf32")
    seen: list[Any] = []
    on_device("cpu", lambda: seen.extend(switches()) or [])  # type: ignore[func-returns-value]
    assert seen == ["ieee", "ieee", False, True]
    assert switches() == before


def test_the_switches_of_older_torch_are_put_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    matmul = SimpleNamespace(allow_tf32=True, allow_bf16_reduced_precision_reduction=True)
    cudnn = SimpleNamespace(allow_tf32=True, enabled=True)
    monkeypatch.setattr(torch.backends, "cuda", SimpleNamespace(matmul=matmul))
    monkeypatch.setattr(torch.backends, "cudnn", cudnn)
    with products():
        assert (matmul.allow_tf32, cudnn.allow_tf32, matmul.allow_bf16_reduced_precision_reduction) == (False,) * 3
    assert (matmul.allow_tf32, cudnn.allow_tf32, matmul.allow_bf16_reduced_precision_reduction) == (True,) * 3


def test_what_holds_without_cudnn_is_put_down_to_its_algorithm() -> None:
    enabled = []

    def run_on_a_gpu() -> list[Any]:
        enabled.append(torch.backends.cudnn.enabled)
        fails = [enabled[-1], True, False]  # the first with cuDNN alone, the second always
        line = run("softmax/iris/lambda=0", "bf16")[0]
        return [line._replace(verdict="fails" if fail else "holds") for fail in fails]

    results = on_device("cuda", run_on_a_gpu)
    assert enabled == [True, False]
    assert [result.verdict for result in results] == ["cannot tell", "fails", "holds"]
    assert results[0].reason == THE_ALGORITHM
    assert results[0].cannot_tell == results[0].arrays
    assert [result.verdict for result in on_device("cpu", run_on_a_gpu)] == ["fails", "fails", "holds"]


@pytest.mark.parametrize("k", [1, 7, 100])
def test_the_roundings_of_a_format_add_up(k: int) -> None:
    u, short = 2.0**-24, 2.0**-8
    of_format = bounds.gamma(k, bounds.Format(u, short, 4))
    assert of_format > 4 * short + bounds.gamma(k, u)
    assert of_format == pytest.approx(4 * short + 6 * short**2 + bounds.gamma(k, u), rel=0.01)
    assert bounds.gamma(k, bounds.Format(u, 0.0, 4)) == pytest.approx(bounds.gamma(k, u), rel=1e-8)
    assert bounds.Format(u, short, 4) == u


def test_the_flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--precision", "bf16", "-k", "softmax/iris", "--jobs", "1"]) == 0
    assert "softmax/iris/lambda=0 bf16" in capsys.readouterr().out
    for words, sentence in (
        (["--precision", "bf16", "-k", "dense.linear"], "no case has it"),
        (["--precision", "tf32", "--dtype", "float32"], "precision is tf32, expected neither a dtype nor a module"),
    ):
        assert main(words) == 2
        assert sentence in capsys.readouterr().err
    with pytest.raises(ValueError, match="precision is 'fp8', expected one of ieee, tf32, bf16"):
        compare("iris", precision="fp8")


def test_where_nothing_is_rounded_to_the_format_that_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "and no product on cpu is rounded to it, expected a device that does, such as a GPU with tensor cores"
    assert main(["--precision", "tf32", "-k", "wide/wine"]) == 2
    assert f"precision is tf32, {said}" in capsys.readouterr().err
    monkeypatch.setattr(formats, "_precision", lambda short, device: contextlib.nullcontext())
    with pytest.raises(ValueError, match=rf"^precision is bf16, {said}$"):
        compare("softmax/iris", precision="bf16")


def test_a_model_in_which_nothing_was_rounded_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "check_rounds", lambda name, device: None)  # as where other shapes are rounded
    lines = compare("softmax/iris/lambda=0", precision="tf32")
    assert {(line.verdict, line.reason) for line in lines} == {("cannot tell", formats.NOT_ROUNDED)}
    assert all(line.cannot_tell == line.arrays for line in lines)
    told = compare("softmax/iris/lambda=0", precision="bf16")
    assert {line.verdict for line in told} == {"holds"}
    failing = [line._replace(verdict="fails") for line in lines]
    assert formats.rounded(failing) == failing


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
@pytest.mark.parametrize("precision", list(FORMATS))
@pytest.mark.parametrize("name", SOME)
def test_on_a_gpu(name: str, precision: str) -> None:
    assert {result.verdict for result in run(name, precision, "cuda")} == {"holds"}
