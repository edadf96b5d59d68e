"""Convolution by hand, beside its record: every shape of window against torch, whole numbers, memory and blocks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

from manual import conv
from parity_tests.tests.manual.conv_probes import (
    CONFIGURATIONS,
    FORMS,
    LAMBDA,
    Configuration,
    Probe,
    assert_within,
    by_hand,
    by_torch,
    make_probe,
    tolerances,
)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_both_forms_equal_torch(name: str) -> None:
    for form, dtype in product(FORMS, (np.float32, np.float64)):
        probe = make_probe(CONFIGURATIONS[name], dtype)
        actual = by_hand(form, probe, LAMBDA)
        assert_within(actual, by_torch(probe, LAMBDA), tolerances(probe, LAMBDA))
        assert {array.dtype for array in actual} == {np.dtype(dtype)}


def test_random_configurations_equal_torch() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        f, pad = rng.integers(1, 6, 2), rng.integers(0, 4, 2)
        n = np.maximum(rng.integers(1, 14, 2), f - 2 * pad)
        m, channels, filters, stride = (int(k) for k in rng.integers(1, (6, 6, 8, 5)))
        c = Configuration(
            m, (int(n[0]), int(n[1])), channels, filters, (int(f[0]), int(f[1])), stride, (int(pad[0]), int(pad[1]))
        )
        probe = make_probe(c, np.float32 if seed % 2 else np.float64, seed)
        assert_within(by_hand("vectorised", probe, LAMBDA), by_torch(probe, LAMBDA), tolerances(probe, LAMBDA))


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(lambda p: p._replace(W=p.W.transpose(0, 1, 3, 2)), id="channels-and-filters-swapped"),
        pytest.param(lambda p: p._replace(W=p.W.transpose(1, 0, 2, 3)), id="filter-transposed"),
        pytest.param(lambda p: p._replace(A_prev=p.A_prev.transpose(0, 2, 1, 3)), id="image-transposed"),
        pytest.param(lambda p: p._replace(A_prev=p.A_prev[:, :, :, ::-1]), id="channels-reversed"),
        pytest.param(lambda p: p._replace(b=np.zeros_like(p.b)), id="bias-forgotten"),
    ],
)
def test_the_comparison_sees_faults(fault: Callable[[Probe], Probe]) -> None:
    probe = make_probe(Configuration(2, (5, 5), 3, 3, (3, 3), pad=1))
    with pytest.raises(AssertionError, match="of its tolerance"):
        assert_within(by_hand("vectorised", fault(probe)), by_torch(probe), tolerances(probe))


@pytest.mark.parametrize("form", FORMS)
def test_the_first_layer_may_leave_its_input_gradient_out(form: str) -> None:
    probe = make_probe(CONFIGURATIONS["padded"])
    _, backward = FORMS[form]
    full = backward(probe.dZ, probe.A_prev, probe.W, lambda_=LAMBDA, **probe.how)
    short = backward(probe.dZ, probe.A_prev, probe.W, lambda_=LAMBDA, input_gradient=False, **probe.how)
    assert short.dA_prev is None
    np.testing.assert_array_equal(short.dW, full.dW)
    np.testing.assert_array_equal(short.db, full.db)


@pytest.mark.parametrize("form", FORMS)
def test_whole_numbers_as_worked_out_on_paper(form: str) -> None:
    """A 6 x 6 image, bright on its left, and the 3 x 3 filter for vertical edges: 4 x 4 (F219)."""
    image = np.tile([10, 10, 10, 0, 0, 0], (6, 1)).reshape(1, 6, 6, 1)
    edge = np.tile([1, 0, -1], (3, 1)).reshape(3, 3, 1, 1)
    forward, backward = FORMS[form]
    Z = forward(image, edge, np.zeros((1, 1, 1, 1), int))
    np.testing.assert_array_equal(Z[0, :, :, 0], np.tile([0, 30, 30, 0], (4, 1)))
    assert Z.dtype == int
    dA_prev, dW, db = backward(np.ones_like(Z), image, edge, lambda_=0.5)
    assert dA_prev is not None
    np.testing.assert_array_equal(dA_prev[0, 3, :, 0], [3, 3, 0, 0, -3, -3])
    np.testing.assert_array_equal(dW[1, :, 0, 0], [120.5, 80.0, 39.5])
    assert db.item() == 16


def test_arguments_in_any_memory_order() -> None:
    probe = make_probe(CONFIGURATIONS["blocks-3-3-1"])
    expected = by_hand("vectorised", probe, LAMBDA)
    for reorder in (lambda array: array[..., ::-1].copy()[..., ::-1], np.asfortranarray):
        actual = by_hand("vectorised", probe.map(reorder), LAMBDA)
        assert_within(actual, expected, tolerances(probe, LAMBDA))


def test_results_are_new_memory_and_calls_leave_no_trace() -> None:
    probe = make_probe(CONFIGURATIONS["one-by-one"])
    buffer_size = np.getbufsize()
    first = by_hand("vectorised", probe)
    kept = [array.copy() for array in first]
    other = by_hand("vectorised", make_probe(CONFIGURATIONS["one-by-one"], seed=5))
    for array, copy in zip(first, kept, strict=True):
        np.testing.assert_array_equal(array, copy)
        assert not any(np.shares_memory(array, argument) for argument in (*probe[:4], *other))
    assert np.getbufsize() == buffer_size


def test_the_block_size_changes_nothing_but_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = make_probe(CONFIGURATIONS["stride-2-remainder"])
    expected = by_hand("vectorised", probe, LAMBDA)
    for size in (1, 3 * 3 * 3 * 19 * 8 * 2):
        monkeypatch.setattr(conv, "BLOCK_BYTES", size)
        assert_within(by_hand("vectorised", probe, LAMBDA), expected, tolerances(probe, LAMBDA))


@pytest.mark.parametrize(
    ("memory", "examples"),
    [(1, [1, 1, 1]), (911, [1, 1, 1]), (1824, [2, 1]), (2735, [2, 1]), (2736, [3]), (10**6, [3])],
)
def test_a_block_holds_the_examples_whose_windows_fit(
    monkeypatch: pytest.MonkeyPatch, memory: int, examples: list[int]
) -> None:
    """An example has 3 * 2 windows of 3 * 3 * 2 numbers and a 1: 912 bytes."""
    monkeypatch.setattr(conv, "BLOCK_BYTES", memory)
    probe = make_probe(CONFIGURATIONS["stride-2-remainder"])
    blocks = [matrix.copy() for _, matrix in conv._unrolled(probe.A_prev, probe.W, probe.dZ, 2, 0)]
    assert [matrix.shape for matrix in blocks] == [(6 * k, 19) for k in examples]
    np.testing.assert_array_equal(np.concatenate(blocks)[7], [*probe.A_prev[1, :3, 2:5].ravel(), 1])
