"""Learning-rate schedules against torch's, and gradient clipping."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from manual import clipping, schedules
from parity_tests.formulas.clipping import module_with_gradients
from torch_ref import clipping as torch_clipping
from torch_ref import schedules as torch_schedules

SCHEDULE_SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("constant", {}),
    ("exponential", {}),
    ("exponential", {"decay": 0.5}),
    ("exponential", {"decay": 1.0}),
    ("inverse_time", {}),
    ("inverse_time", {"decay": 2.0}),
    ("staircase", {}),
    ("staircase", {"decay": 1.0, "every": 1}),
    ("staircase", {"decay": 0.1, "every": 3}),
    ("cosine", {}),
    ("cosine", {"epochs": 60}),
]


@pytest.mark.parametrize(("name", "settings"), SCHEDULE_SETTINGS)
def test_schedules_are_torchs_at_every_epoch(name: str, settings: dict[str, Any]) -> None:
    rule = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    scheduler = torch_schedules.SCHEDULES[name](rule, **settings)
    for epoch in range(60):
        ours = schedules.SCHEDULES[name](0.3, epoch, **settings)
        assert type(ours) is float
        assert ours == pytest.approx(rule.param_groups[0]["lr"], rel=1e-11)  # cosine: 60 quotients near its end
        rule.step()
        scheduler.step()


def test_schedules_in_numbers() -> None:
    assert list(schedules.SCHEDULES) == list(torch_schedules.SCHEDULES)
    assert schedules.exponential(1.0, 5) == pytest.approx(0.59049, rel=1e-15)  # F259
    assert all(schedule(0.7, 0) == 0.7 for schedule in schedules.SCHEDULES.values())
    assert schedules.inverse_time(1.0, 10) == 0.5
    assert [schedules.staircase(1.0, epoch) for epoch in (9, 10, 19, 20)] == [1.0, 0.5, 0.5, 0.25]
    assert schedules.cosine(1.0, 50) == pytest.approx(0.5, rel=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
def test_clipping_keeps_the_direction_and_the_dtype(dtype: Any) -> None:
    rng = np.random.default_rng(3)
    grads = {"dW1": rng.standard_normal((5, 3)).astype(dtype), "db1": rng.standard_normal((5, 1)).astype(dtype)}
    for value in grads.values():
        value.setflags(write=False)
    norm = clipping.gradient_norm(grads)
    assert norm == pytest.approx(float(np.sqrt(sum(np.sum(dW.astype(np.float64) ** 2) for dW in grads.values()))))
    clipped = clipping.clip_by_norm(grads, np.float64(norm / 3))
    assert clipped.norm == norm
    assert clipping.gradient_norm(clipped.grads) == pytest.approx(norm / 3, rel=4 * float(np.finfo(dtype).eps))
    for name, dW in grads.items():
        assert clipped.grads[name].dtype == dtype
        np.testing.assert_allclose(clipped.grads[name], dW / 3, rtol=4 * float(np.finfo(dtype).eps))


def test_gradients_within_the_limit_stay_as_they_are() -> None:
    grads = {"dW1": np.array([[3.0, 0.0]]), "db1": np.array([[4.0]])}
    for clip in (clipping.clip_by_norm, clipping.clip_by_norm_loop):
        assert clip(grads, 5.0).norm == 5.0
        assert (clip(grads, 5.0).grads is grads) == (clip is clipping.clip_by_norm)
        assert clip(grads, 5.0).grads["dW1"].tolist() == [[3.0, 0.0]]
        np.testing.assert_allclose(clip(grads, 1.0).grads["db1"], [[0.8]], rtol=1e-15)
    assert clipping.clip_by_norm({"dW1": np.zeros((2, 2))}, 1.0).norm == 0
    for value in (np.inf, np.nan):
        broken = {"dW1": np.array([[value, 1.0]])}
        found = clipping.clip_by_norm(broken, 1.0)
        assert not np.isfinite(found.norm)
        assert found.grads["dW1"][0, 1] == 1.0
    assert clipping.gradient_norm({"dW1": np.full((2, 2), 1e30, np.float32)}) == pytest.approx(2e30, rel=1e-6)


def test_torchs_clipping_is_translated_exactly() -> None:
    dW = torch.tensor([[3e-6, 4e-6]], dtype=torch.float64)
    ours, theirs = module_with_gradients(dW), module_with_gradients(dW)
    assert torch_clipping.clip_by_norm(ours, 1e-6) == pytest.approx(5e-6, rel=1e-15)
    torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1e-6)
    np.testing.assert_allclose(ours[0].grad, [[0.6e-6, 0.8e-6]], rtol=1e-14)
    np.testing.assert_allclose(theirs[0].grad, [[0.5e-6, 4e-6 / 6]], rtol=1e-14)
    nothing = module_with_gradients(torch.zeros(2, 2))
    assert torch_clipping.clip_by_norm(nothing, 1.0) == 0
    assert not nothing[0].grad.any()
