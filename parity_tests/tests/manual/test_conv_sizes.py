"""Sizes around convolutions: of outputs, padding and parameters, and flattened volumes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from manual.conv import conv_forward, flatten, flatten_backward, zero_pad
from manual.shapes import conv_output_size, conv_parameter_count, dense_parameter_count, pad_pair, same_padding
from parity_tests.tests.manual.conv_probes import CONFIGURATIONS, from_torch, make_probe, to_torch, tolerances


def test_output_sizes_equal_torch_on_the_whole_grid() -> None:
    compared = refused = 0
    for n in range(1, 33):
        image = torch.empty(1, 1, n, n, device="meta")
        for f in range(1, 8):
            weight = torch.empty(1, 1, f, f, device="meta")
            for p in range(4):
                for s in range(1, 5):
                    if f > n + 2 * p:
                        with pytest.raises(ValueError, match="must fit into the padded input"):
                            conv_output_size(n, f, pad=p, stride=s)
                        refused += 1
                    else:
                        size = conv_output_size(n, f, pad=p, stride=s)
                        assert F.conv2d(image, weight, stride=s, padding=p).shape[2:] == (size, size), (n, f, p, s)
                        compared += 1
    assert (compared, refused) == (3448, 136)


def test_what_we_refuse_torch_refuses() -> None:
    with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
        F.conv2d(torch.empty(1, 1, 3, 3, device="meta"), torch.empty(1, 1, 6, 6, device="meta"), padding=1)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        pytest.param(lambda: conv_output_size(6, 3), 4, id="F219"),
        pytest.param(lambda: conv_output_size(6, 3, pad=1), 6, id="F220"),
        pytest.param(lambda: conv_output_size(7, 3, pad=1, stride=2), 4, id="F231"),
        pytest.param(lambda: conv_output_size(11, 3, pad=1, stride=2), 6, id="F239-height"),
        pytest.param(lambda: conv_output_size(8, 3, pad=1, stride=2), 4, id="F239-width"),
        pytest.param(lambda: dense_parameter_count(1000 * 1000 * 3, 1000, bias=False), 3_000_000_000, id="F240"),
        pytest.param(lambda: dense_parameter_count(300 * 300 * 3, 100), 27_000_100, id="F242"),
        pytest.param(lambda: conv_parameter_count(3, 3, 4, bias=False), 108, id="F237"),
        pytest.param(lambda: conv_parameter_count(5, 3, 100), 7600, id="F243"),
    ],
)
def test_the_numbers_of_the_notes(count: Callable[[], int], expected: int) -> None:
    assert count() == expected


@pytest.mark.parametrize("bias", [True, False])
def test_parameter_counts_equal_torch(bias: bool) -> None:
    dense = torch.nn.Linear(3_000_000, 1000, bias=bias, device="meta")
    assert sum(p.numel() for p in dense.parameters()) == dense_parameter_count(3_000_000, 1000, bias=bias)
    rectangular = torch.nn.Conv2d(3, 7, (5, 2), bias=bias, device="meta")
    assert sum(p.numel() for p in rectangular.parameters()) == conv_parameter_count((5, 2), 3, 7, bias=bias)


def test_same_padding_keeps_the_size_as_torch_does() -> None:
    for f in (1, 3, 5, 7, 9):
        for n in range(1, 33):
            assert conv_output_size(n, f, pad=same_padding(f)) == n
    probe = make_probe(CONFIGURATIONS["same"])
    W = torch.tensor(np.ascontiguousarray(probe.W.transpose(3, 2, 0, 1)))
    Z = F.conv2d(to_torch(probe.A_prev), W, torch.tensor(probe.b.reshape(-1)), padding="same")
    by_name = conv_forward(probe.A_prev, probe.W, probe.b, pad="same")
    assert np.all(np.abs(by_name - from_torch(Z)) <= tolerances(probe).Z)


@pytest.mark.parametrize(
    ("pad", "expected"), [(0, (0, 0)), (2, (2, 2)), ((0, 3), (0, 3)), ([1, 2], (1, 2)), ("same", (1, 2))]
)
def test_pad_pair(pad: Any, expected: tuple[int, int]) -> None:
    assert pad_pair(pad, 3, 5) == expected


@pytest.mark.parametrize(("pad", "width"), [(0, (0, 0)), (2, (2, 2)), ((1, 3), (1, 3)), ((0, 2), (0, 2))])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_zero_pad(pad: Any, width: tuple[int, int], dtype: Any) -> None:
    A = make_probe(CONFIGURATIONS["plain"]).A_prev.astype(dtype)
    padded = zero_pad(A, pad)
    expected = F.pad(torch.tensor(A), (0, 0, width[1], width[1], width[0], width[0])).numpy()
    np.testing.assert_array_equal(padded, expected)
    assert padded.dtype == dtype
    assert not np.shares_memory(padded, A)


# --- flatten


def test_flatten_is_torchs_after_its_channels_are_moved_last() -> None:
    A = make_probe(CONFIGURATIONS["plain"]).A_prev
    columns = flatten(A)
    assert columns.shape == (7 * 5 * 3, 2)
    assert columns[2, 0] == A[0, 0, 0, 2]
    assert columns[3, 1] == A[1, 0, 1, 0]
    np.testing.assert_array_equal(columns, torch.flatten(to_torch(A).permute(0, 2, 3, 1), 1).T.numpy())
    assert not np.array_equal(columns, torch.flatten(to_torch(A), 1).T.numpy())


def test_flatten_backward_restores_the_volume() -> None:
    A = make_probe(CONFIGURATIONS["plain"]).A_prev
    np.testing.assert_array_equal(flatten_backward(flatten(A), A.shape), A)
    dA = np.random.default_rng(0).standard_normal((7 * 5 * 3, 2))
    np.testing.assert_array_equal(flatten(flatten_backward(dA, A.shape)), dA)
