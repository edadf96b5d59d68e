"""Dropout against torch's own, its mask read off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from manual.draws import dropout_mask
from manual.dropout import dropout_backward, dropout_forward
from parity_tests.judging.bounds import unit_roundoff
from torch_ref import dropout as torch_side
from torch_ref.devices import array, tensor

SHAPES = [(5, 7), (2, 3, 5, 7)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("shape", SHAPES)
def test_forward_and_backward_are_those_of_torchs_own_dropout(shape: tuple[int, ...], dtype: Any) -> None:
    keep_prob = 0.7
    rng = np.random.default_rng(0)
    A, dA = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    point = tensor(A).requires_grad_()
    torch.manual_seed(0)
    dropped = functional.dropout(point, p=1 - keep_prob)
    (gradient,) = torch.autograd.grad(dropped, point, tensor(dA))
    torch.manual_seed(0)
    mask = array(functional.dropout(torch.ones_like(point), p=1 - keep_prob) > 0)
    assert 0 < mask.sum() < mask.size
    units = 6 * unit_roundoff(dtype)  # 1 - p, its rounding, the product, and a quotient by hand
    for ours, theirs in (
        (dropout_forward(A, mask, keep_prob), array(dropped)),
        (dropout_backward(dA, mask, keep_prob), array(gradient)),
        (array(torch_side.dropout_forward(tensor(A), tensor(mask), keep_prob)), array(dropped)),
        (array(torch_side.dropout_backward(tensor(dA), tensor(mask), keep_prob)), array(gradient)),
    ):
        assert ours.dtype == theirs.dtype == dtype
        np.testing.assert_allclose(ours, theirs, rtol=units, atol=0)
        assert (ours[~mask] == 0).all()


@pytest.mark.parametrize("f", [dropout_forward, dropout_backward])
def test_a_mask_may_have_any_dtype_and_keeping_all_changes_nothing(f: Callable[..., Any]) -> None:
    A = np.arange(6, dtype=np.float32).reshape(2, 3)
    A.setflags(write=False)
    mask = np.array([[1, 0, 1], [1, 1, 0]])
    for kind in (np.bool_, np.int64, np.float32, np.float64):
        found = f(A, mask.astype(kind), 0.5)
        assert found.dtype == np.float32
        assert found.tolist() == [[0, 0, 4], [6, 8, 0]]
    kept = f(A, np.ones((2, 3), np.bool_), 1.0)
    assert kept.tolist() == A.tolist()
    assert not np.shares_memory(kept, A)


def test_dropout_keeps_the_mean() -> None:
    A = np.ones((200, 500))
    dropped = dropout_forward(A, dropout_mask(A.shape, 0.6, np.random.default_rng(0)), 0.6)
    assert abs(dropped.mean() - 1) < 5 * np.sqrt(0.4 / 0.6 / A.size)
