"""Shorter formats: each layer holds under its format's bound, and a mistake or a shorter format still shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from manual import dense
from manual.cli import toy_datasets
from parity_tests import bounds, compare, formats
from parity_tests.cli import main
from parity_tests.formats import FORMATS, run_short
from parity_tests.models import MODEL_CASES, start

CASES = {case.id: case for case in MODEL_CASES}
SOME = ("deep6/circles/lambda=0.7", "regression/linnerud/lambda=0", "strided/digits/lambda=0.7")


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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
@pytest.mark.parametrize("precision", list(FORMATS))
@pytest.mark.parametrize("name", SOME)
def test_on_a_gpu(name: str, precision: str) -> None:
    assert {result.verdict for result in run(name, precision, "cuda")} == {"holds"}
