"""Pooling by hand, beside its record: ties, numbers worked out on paper, NaN, and the memory that it uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from manual.notation import Array
from manual.pooling import POOLING, pool_backward, pool_backward_loop, pool_forward, pool_forward_loop
from manual.shapes import conv_output_size

torch.set_num_threads(1)


class Configuration(NamedTuple):
    """A batch of volumes (m, n_H, n_W, n_C) and the windows laid on it."""

    shape: tuple[int, int, int, int]
    size: int
    stride: int


CONFIGURATIONS = {
    "halves": Configuration((3, 8, 6, 5), 2, 2),
    "halves-remainder": Configuration((3, 7, 9, 2), 2, 2),
    "overlapping": Configuration((2, 7, 5, 3), 3, 2),
    "overlapping-remainder": Configuration((2, 8, 6, 3), 3, 2),
    "every-cell": Configuration((2, 7, 5, 3), 3, 1),
    "gaps": Configuration((2, 11, 8, 3), 2, 3),
    "wide-gaps": Configuration((2, 13, 9, 2), 2, 5),
    "window-of-one": Configuration((2, 5, 3, 7), 1, 1),
    "window-of-one-stride-2": Configuration((2, 5, 4, 3), 1, 2),
    "window-as-large-as-input": Configuration((3, 5, 5, 2), 5, 3),
    "one-example-one-channel": Configuration((1, 7, 5, 1), 2, 2),
    "one-cell": Configuration((1, 1, 1, 1), 1, 1),
    "more-than-255-cells": Configuration((2, 18, 19, 2), 17, 1),
}
MODES = tuple(POOLING)
FORMS: dict[str, tuple[Callable[..., Array], Callable[..., Array]]] = {
    "loop": (pool_forward_loop, pool_backward_loop),
    "vectorised": (pool_forward, pool_backward),
}


class Probe(NamedTuple):
    """Random arguments of one configuration, and the upstream gradient dA."""

    dA: Array
    A_prev: Array
    size: int
    stride: int


def make_probe(c: Configuration) -> Probe:
    rng = np.random.default_rng(0)
    m, n_H, n_W, n_C = c.shape
    sides = (n_H - c.size) // c.stride + 1, (n_W - c.size) // c.stride + 1
    A_prev = rng.permutation(np.arange(m * n_H * n_W * n_C) * 0.37 - 11.0).reshape(c.shape)  # no ties
    dA = rng.standard_normal((m, *sides, n_C))
    A_prev.flags.writeable = dA.flags.writeable = False
    return Probe(dA, A_prev, c.size, c.stride)


def by_torch(probe: Probe) -> tuple[Array, Array]:
    """The largest values A, and dA_prev."""
    A_prev = torch.tensor(np.ascontiguousarray(probe.A_prev.transpose(0, 3, 1, 2))).requires_grad_()
    A = F.max_pool2d(A_prev, probe.size, probe.stride)
    (dA_prev,) = torch.autograd.grad(A, A_prev, torch.tensor(np.ascontiguousarray(probe.dA.transpose(0, 3, 1, 2))))
    return A.detach().permute(0, 2, 3, 1).numpy(), dA_prev.permute(0, 2, 3, 1).numpy()


def by_hand(form: str, probe: Probe, mode: str) -> tuple[Array, Array]:
    forward, backward = FORMS[form]
    return forward(*probe[1:], mode=mode), backward(*probe, mode=mode)


def test_output_sizes_equal_torch() -> None:
    compared = 0
    for n in range(1, 33):
        image = torch.empty(1, 1, n, n, device="meta")
        for size in range(1, min(n, 7) + 1):
            for stride in range(1, 9):
                side = conv_output_size(n, size, stride=stride)
                assert F.max_pool2d(image, size, stride).shape[2:] == (side, side), (n, size, stride)
                compared += 1
    assert compared == 1624


@pytest.mark.parametrize("form", FORMS)
def test_among_equals_the_first_gets_the_gradient_as_in_torch(form: str) -> None:
    """Whole numbers, so that sums are exact; three values, so that almost every window has ties."""
    for name, configuration in CONFIGURATIONS.items():
        rng = np.random.default_rng(7)
        probe = make_probe(configuration)
        tied = probe._replace(
            A_prev=rng.integers(-1, 2, probe.A_prev.shape).astype(float),
            dA=rng.integers(1, 99, probe.dA.shape).astype(float),
        )
        for found, expected in zip(by_hand(form, tied, "max"), by_torch(tied), strict=True):
            np.testing.assert_array_equal(found, expected, err_msg=name)


@pytest.mark.parametrize("form", FORMS)
def test_whole_numbers_as_worked_out_on_paper(form: str) -> None:
    A_prev = np.array([[1, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]]).reshape(1, 4, 4, 1)
    dA = np.array([[4, 8], [12, 16]]).reshape(1, 2, 2, 1)
    forward, backward = FORMS[form]
    np.testing.assert_array_equal(forward(A_prev, 2, 2, mode="max")[0, :, :, 0], [[9, 2], [6, 3]])
    np.testing.assert_array_equal(forward(A_prev, 2, 2, mode="average")[0, :, :, 0], [[3.75, 1.25], [3.75, 2.0]])
    expected = [[0, 0, 8, 0], [0, 4, 0, 0], [0, 0, 0, 16], [0, 12, 0, 0]]
    np.testing.assert_array_equal(backward(dA, A_prev, 2, 2, mode="max")[0, :, :, 0], expected)
    quarters = np.kron([[1, 2], [3, 4]], np.ones((2, 2)))
    np.testing.assert_array_equal(backward(dA, A_prev, 2, 2, mode="average")[0, :, :, 0], quarters)
    assert forward(A_prev, 2, 2, mode="max").dtype == A_prev.dtype  # a maximum is one of the values, an average is not
    assert forward(A_prev, 2, 2, mode="average").dtype == float
    assert {backward(dA, A_prev, 2, 2, mode=mode).dtype for mode in MODES} == {np.dtype(float)}


@pytest.mark.parametrize("form", FORMS)
def test_the_maximum_is_pooled_unless_something_else_is_asked_for(form: str) -> None:
    probe = make_probe(CONFIGURATIONS["overlapping"])
    forward, backward = FORMS[form]
    np.testing.assert_array_equal(forward(*probe[1:]), forward(*probe[1:], mode="max"))
    np.testing.assert_array_equal(backward(*probe), backward(*probe, mode="max"))


@pytest.mark.parametrize("form", FORMS)
def test_among_equal_real_parts_the_first_is_the_maximum(form: str) -> None:
    A_prev = np.array([[1.0, 5.0 + 1j], [5.0 + 2j, 5.0]]).reshape(1, 2, 2, 1)
    assert FORMS[form][0](A_prev, 2, 2, mode="max").item() == 5.0 + 1j


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("form", FORMS)
def test_what_is_not_a_number_stays_visible(form: str, mode: str) -> None:
    probe = make_probe(CONFIGURATIONS["halves"])
    for row, column in np.ndindex(2, 2):
        A_prev = probe.A_prev.copy()
        A_prev[1, 2 + row, 4 + column, 3] = np.nan
        A = FORMS[form][0](A_prev, 2, 2, mode=mode)
        assert np.argwhere(np.isnan(A)).tolist() == [[1, 1, 2, 3]]


@pytest.mark.parametrize("mode", MODES)
def test_arguments_in_any_memory_order(mode: str) -> None:
    probe = make_probe(CONFIGURATIONS["overlapping-remainder"])
    other = probe._replace(A_prev=np.asfortranarray(probe.A_prev), dA=probe.dA[:, ::-1].copy()[:, ::-1])
    for a, e in zip(by_hand("vectorised", other, mode), by_hand("vectorised", probe, mode), strict=True):
        np.testing.assert_array_equal(a, e)


@pytest.mark.parametrize("mode", MODES)
def test_results_are_new_memory(mode: str) -> None:
    probe = make_probe(CONFIGURATIONS["window-of-one"])
    for array in by_hand("vectorised", probe, mode):
        assert not np.shares_memory(array, probe.A_prev)
        assert not np.shares_memory(array, probe.dA)
        assert array.flags.writeable
