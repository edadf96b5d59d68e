"""Convolution by hand: loop, vectorised form, torch and the complex step; output sizes; every refusal."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from manual import conv
from manual.conv import (
    ConvBackward,
    conv_backward,
    conv_backward_loop,
    conv_forward,
    conv_forward_loop,
    flatten,
    flatten_backward,
    zero_pad,
)
from manual.notation import Array
from manual.shapes import (
    Pad,
    conv_output_size,
    conv_parameter_count,
    dense_parameter_count,
    pad_pair,
    same_padding,
)
from parity_tests.bounds import gamma, underflow, unit_roundoff

torch.set_num_threads(1)

LAMBDA = 0.7


class Configuration(NamedTuple):
    """A batch of volumes and the filters that are laid on it."""

    m: int
    n: tuple[int, int]
    channels: int
    filters: int
    f: tuple[int, int]
    stride: int = 1
    pad: Pad = 0


CONFIGURATIONS = {
    "plain": Configuration(2, (7, 5), 3, 2, (3, 3)),
    "padded": Configuration(2, (7, 5), 3, 2, (3, 3), pad=1),
    "wide-border": Configuration(2, (5, 7), 2, 3, (3, 3), pad=3),
    "stride-2": Configuration(3, (7, 5), 2, 5, (3, 3), stride=2),
    "stride-2-remainder": Configuration(3, (8, 6), 2, 5, (3, 3), stride=2),
    "stride-2-padded-remainder": Configuration(2, (11, 8), 3, 2, (3, 3), stride=2, pad=1),
    "stride-3-remainder-2": Configuration(2, (13, 10), 2, 3, (2, 2), stride=3),
    "stride-above-filter": Configuration(2, (11, 13), 3, 2, (2, 2), stride=4),
    "stride-above-filter-padded": Configuration(2, (11, 12), 3, 2, (2, 2), stride=5, pad=2),
    "filter-as-large-as-input": Configuration(3, (5, 5), 2, 7, (5, 5)),
    "filter-as-large-as-padded-input": Configuration(2, (3, 5), 2, 3, (5, 7), pad=1),
    "one-by-one": Configuration(2, (5, 3), 3, 7, (1, 1)),
    "one-by-one-stride-2": Configuration(2, (5, 4), 3, 2, (1, 1), stride=2),
    "one-channel": Configuration(3, (7, 5), 1, 2, (3, 3), pad=1),
    "one-filter": Configuration(3, (7, 5), 2, 1, (3, 3)),
    "one-example": Configuration(1, (7, 5), 2, 3, (3, 3), stride=2, pad=1),
    "one-of-everything": Configuration(1, (1, 1), 1, 1, (1, 1)),
    "one-row": Configuration(2, (1, 11), 3, 2, (1, 3), pad=(0, 1)),
    "even-filter": Configuration(2, (6, 7), 3, 2, (4, 4), pad=1),
    "high-filter": Configuration(2, (7, 5), 3, 2, (5, 2)),
    "wide-filter-stride-2": Configuration(2, (7, 11), 2, 3, (2, 5), stride=2, pad=1),
    "pad-pair": Configuration(2, (7, 5), 3, 2, (3, 3), pad=(0, 2)),
    "pad-pair-stride-2": Configuration(2, (7, 5), 3, 2, (3, 3), stride=2, pad=(3, 1)),
    "same": Configuration(2, (7, 5), 3, 2, (5, 5), pad="same"),
    "same-rectangular-filter": Configuration(2, (7, 5), 3, 2, (3, 5), pad="same"),
    "lenet-last": Configuration(3, (5, 5), 16, 11, (5, 5)),
    "blocks-3-3-1": Configuration(7, (15, 17), 8, 3, (3, 3), pad=1),
    "blocks-3-3-1-remainder": Configuration(7, (32, 34), 8, 2, (3, 3), stride=2, pad=1),
    "blocks-of-one": Configuration(3, (17, 17), 16, 2, (5, 5), pad=2),
}


class Probe(NamedTuple):
    """Random arguments of one configuration, and the upstream gradient dZ."""

    A_prev: Array
    W: Array
    b: Array
    dZ: Array
    how: dict[str, Any]

    def map(self, f: Callable[[Array], Array]) -> Probe:
        """The same probe with every array changed by f."""
        return Probe(f(self.A_prev), f(self.W), f(self.b), f(self.dZ), self.how)


def make_probe(c: Configuration, dtype: Any = np.float64, seed: int = 0) -> Probe:
    rng = np.random.default_rng(seed)
    p_H, p_W = pad_pair(c.pad, *c.f, c.stride)
    n_H = (c.n[0] + 2 * p_H - c.f[0]) // c.stride + 1
    n_W = (c.n[1] + 2 * p_W - c.f[1]) // c.stride + 1
    sizes = ((c.m, *c.n, c.channels), (*c.f, c.channels, c.filters), (1, 1, 1, c.filters), (c.m, n_H, n_W, c.filters))
    A_prev, W, b, dZ = (rng.standard_normal(size).astype(dtype) for size in sizes)
    for array in (A_prev, W, b, dZ):
        array.flags.writeable = False
    return Probe(A_prev, W, b, dZ, {"stride": c.stride, "pad": c.pad})


def to_torch(A: Array) -> torch.Tensor:
    return torch.tensor(np.ascontiguousarray(A.transpose(0, 3, 1, 2)))


def from_torch(T: torch.Tensor) -> Array:
    array: Array = T.detach().permute(0, 2, 3, 1).numpy()
    return array


class Gradients(NamedTuple):
    """Everything that one convolution computes, by torch."""

    Z: Array
    dA_prev: Array
    dW: Array
    db: Array


def by_torch(probe: Probe, lambda_: float = 0.0) -> Gradients:
    """Z, and the gradients of J = (1/m) sum Z * dZ + lambda/(2m) sum W^2, with dA_prev = m * A_prev.grad."""
    m = len(probe.A_prev)
    A_prev = to_torch(probe.A_prev).requires_grad_()
    W = torch.tensor(np.ascontiguousarray(probe.W.transpose(3, 2, 0, 1))).requires_grad_()
    b = torch.tensor(probe.b.reshape(-1)).requires_grad_()
    f_H, f_W = probe.W.shape[:2]
    padding = pad_pair(probe.how["pad"], f_H, f_W, probe.how["stride"])
    Z = F.conv2d(A_prev, W, b, stride=probe.how["stride"], padding=padding)
    J = torch.sum(Z * to_torch(probe.dZ)) / m + lambda_ / (2 * m) * torch.sum(W**2)
    dA_prev, dW, db = torch.autograd.grad(J, (A_prev, W, b))
    return Gradients(
        from_torch(Z), m * from_torch(dA_prev), dW.permute(2, 3, 1, 0).numpy(), db.numpy().reshape(1, 1, 1, -1)
    )


def tolerances(probe: Probe, lambda_: float = 0.0) -> Gradients:
    """Twice the rounding bound of every entry: the same convolutions on absolute values, in float64."""
    u = unit_roundoff(probe.A_prev.dtype)
    M = by_torch(probe.map(lambda array: np.abs(array).astype(np.float64)), lambda_)
    f_H, f_W, n_C_prev, n_C = probe.W.shape
    m, n_H, n_W, _ = probe.dZ.shape
    terms = f_H * f_W * n_C_prev, f_H * f_W * n_C, m * n_H * n_W, m * n_H * n_W
    extra = 2, 3, 4, 4
    tiny = underflow(probe.A_prev.dtype, max(terms))
    return Gradients(*(2 * gamma(n + k, u) * size + tiny for n, k, size in zip(terms, extra, M, strict=True)))


def assert_within(actual: Gradients, expected: Gradients, tolerance: Gradients) -> None:
    for name, a, e, t in zip(Gradients._fields, actual, expected, tolerance, strict=True):
        assert a.shape == e.shape == t.shape, name
        assert a.dtype == e.dtype, name
        assert np.all(np.abs(a - e) <= t), f"{name}: {np.max(np.abs(a - e) / t)} of its tolerance"


Forward = Callable[..., Array]
Backward = Callable[..., ConvBackward]
FORMS: dict[str, tuple[Forward, Backward]] = {
    "loop": (conv_forward_loop, conv_backward_loop),
    "vectorised": (conv_forward, conv_backward),
}


def by_hand(form: str, probe: Probe, lambda_: float = 0.0) -> Gradients:
    forward, backward = FORMS[form]
    dA_prev, dW, db = backward(probe.dZ, probe.A_prev, probe.W, lambda_=lambda_, **probe.how)
    assert dA_prev is not None
    return Gradients(forward(probe.A_prev, probe.W, probe.b, **probe.how), dA_prev, dW, db)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_equal_to_torch(name: str, form: str, dtype: Any) -> None:
    probe = make_probe(CONFIGURATIONS[name], dtype)
    actual = by_hand(form, probe, LAMBDA)
    assert_within(actual, by_torch(probe, LAMBDA), tolerances(probe, LAMBDA))
    assert {array.dtype for array in actual} == {np.dtype(dtype)}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_loop_and_the_vectorised_form_agree(name: str) -> None:
    probe = make_probe(CONFIGURATIONS[name], seed=1)
    assert_within(by_hand("vectorised", probe, LAMBDA), by_hand("loop", probe, LAMBDA), tolerances(probe, LAMBDA))


@pytest.mark.parametrize("seed", range(60))
def test_random_configurations_equal_torch(seed: int) -> None:
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
    "name", ["plain", "stride-2-padded-remainder", "stride-above-filter-padded", "pad-pair", "same"]
)
@pytest.mark.parametrize("form", FORMS)
def test_complex_step(form: str, name: str) -> None:
    """The derivative of sum(dZ * Z) along one entry after the other, without subtraction."""
    probe = make_probe(CONFIGURATIONS[name])
    forward, _ = FORMS[form]
    h = 1e-30

    def derivative(argument: int) -> Array:
        arguments = [array.astype(np.complex128) for array in (probe.A_prev, probe.W, probe.b)]
        stepped = arguments[argument]
        result = np.zeros(stepped.shape)
        for index in np.ndindex(stepped.shape):
            stepped[index] += 1j * h
            Z = forward(*arguments, **probe.how)
            assert Z.dtype == np.complex128
            result[index] = np.sum(probe.dZ * Z).imag / h
            stepped[index] = stepped[index].real
        return result

    m = len(probe.A_prev)
    referee = Gradients(probe.dZ, derivative(0), derivative(1) / m, derivative(2) / m)
    # the referee sums all of Z, and so rounds more often than one gradient's own terms say
    slack = 1 + probe.dZ.size / probe.W[..., 0].size
    tolerance = Gradients(*(slack * t for t in tolerances(probe)))
    dA_prev, dW, db = conv_backward(probe.dZ, probe.A_prev, probe.W, **probe.how)
    assert dA_prev is not None
    assert_within(Gradients(probe.dZ, dA_prev, dW, db), referee, tolerance)


@pytest.mark.parametrize("form", FORMS)
def test_backward_of_complex_arguments(form: str) -> None:
    """Gradients are linear in dZ, also along imaginary numbers."""
    probe = make_probe(CONFIGURATIONS["stride-2-padded-remainder"])
    twisted = by_hand(form, probe._replace(dZ=1j * probe.dZ))
    plain = by_hand(form, probe)
    assert {array.dtype for array in twisted[1:]} == {np.dtype(np.complex128)}
    assert not any(array.real.any() for array in twisted[1:])
    assert_within(Gradients(plain.Z, *(array.imag for array in twisted[1:])), plain, tolerances(probe))


@pytest.mark.parametrize("wide", ["A_prev", "W", "b", "dZ"])
@pytest.mark.parametrize("form", FORMS)
def test_one_complex_argument_makes_what_follows_from_it_complex(form: str, wide: str) -> None:
    probe = make_probe(CONFIGURATIONS["padded"])
    mixed = by_hand(form, probe._replace(**{wide: getattr(probe, wide).astype(np.complex128)}), LAMBDA)
    complex_ones = {"b": ["Z"], "dZ": ["dA_prev", "dW", "db"]}.get(wide, Gradients._fields)
    assert [name for name in Gradients._fields if np.iscomplexobj(getattr(mixed, name))] == list(complex_ones)
    expected = by_torch(probe, LAMBDA)
    assert_within(Gradients(*(array.real for array in mixed)), expected, tolerances(probe, LAMBDA))


def test_flipped_filters_do_not_agree() -> None:
    """The notes' convolution is torch's cross-correlation; the textbook one turns the filter by 180 degrees."""
    probe = make_probe(CONFIGURATIONS["padded"])
    flipped = probe._replace(W=probe.W[::-1, ::-1])
    Z, dA_prev, dW, _ = by_hand("vectorised", flipped)
    expected, tolerance = by_torch(probe), tolerances(probe)
    assert np.mean(np.abs(Z - expected.Z) > 1e6 * tolerance.Z) > 0.9
    assert np.mean(np.abs(dA_prev - expected.dA_prev) > 1e6 * tolerance.dA_prev) > 0.9
    differs = np.abs(dW[::-1, ::-1] - expected.dW) > 1e6 * tolerance.dW
    assert np.sum(~differs, axis=(0, 1)).max() == 1  # the centre of a filter stays where it is


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
def test_no_upstream_gradient_gives_none_but_the_penalty(form: str) -> None:
    probe = make_probe(CONFIGURATIONS["stride-2-padded-remainder"])
    dA_prev, dW, db = FORMS[form][1](np.zeros_like(probe.dZ), probe.A_prev, probe.W, lambda_=4.0, **probe.how)
    assert dA_prev is not None
    assert not dA_prev.any()
    assert not db.any()
    np.testing.assert_array_equal(dW, 2 * probe.W)
    without_penalty = FORMS[form][1](np.zeros_like(probe.dZ), probe.A_prev, probe.W, **probe.how)
    assert not without_penalty.dW.any()


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


# --- sizes


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


# --- refusals

GOOD = make_probe(Configuration(2, (6, 5), 3, 4, (3, 3)))


def refuse(name: str, got: str, expected: str, rule: str) -> str:
    """The one sentence that an error says."""
    return "^" + re.escape(f"{name} {got}, expected {expected}: {rule}") + "$"


REFUSALS: dict[str, tuple[Callable[..., object], str]] = {
    "filter-too-large": (
        lambda f, _: f(GOOD.A_prev[:, :, :2], GOOD.W, GOOD.b),
        refuse("f", "is 3", "at most n + 2 pad = 2", "the filter must fit into the padded input"),
    ),
    "channels": (
        lambda f, _: f(GOOD.A_prev[..., :2], GOOD.W, GOOD.b),
        refuse("W", "has shape (3, 3, 3, 4)", "(f_H, f_W, 2, n_C)", "a filter is as deep as its input"),
    ),
    "rank-of-A": (
        lambda f, _: f(GOOD.A_prev[0], GOOD.W, GOOD.b),
        "^A_prev has shape .6, 5, 3., expected .m, n_H, n_W, n_C. .*: examples come first and channels last$",
    ),
    "no-example": (
        lambda f, _: f(GOOD.A_prev[:0], GOOD.W, GOOD.b),
        "^A_prev has shape .0, 6, 5, 3., expected .* no side of length 0: examples come first and channels last$",
    ),
    "rank-of-W": (
        lambda f, _: f(GOOD.A_prev, GOOD.W[0], GOOD.b),
        refuse("W", "has shape (3, 3, 4)", "(f_H, f_W, 3, n_C)", "a filter is as deep as its input"),
    ),
    "no-filter": (
        lambda f, _: f(GOOD.A_prev, GOOD.W[..., :0], GOOD.b),
        refuse("W", "has shape (3, 3, 3, 0)", "(f_H, f_W, 3, n_C)", "a filter is as deep as its input"),
    ),
    "bias": (
        lambda f, _: f(GOOD.A_prev, GOOD.W, GOOD.b.reshape(-1)),
        refuse("b", "has shape (4,)", "(1, 1, 1, 4)", "b is (1, 1, 1, n_C), one bias for each filter"),
    ),
    "upstream": (
        lambda _, g: g(GOOD.dZ[:, 1:], GOOD.A_prev, GOOD.W),
        refuse("dZ", "has shape (2, 3, 3, 4)", "(2, 4, 3, 4)", "dZ has the shape of Z"),
    ),
    "upstream-without-channels": (
        lambda _, g: g(GOOD.dZ[..., :1], GOOD.A_prev, GOOD.W),
        refuse("dZ", "has shape (2, 4, 3, 1)", "(2, 4, 3, 4)", "dZ has the shape of Z"),
    ),
    "stride-0": (
        lambda f, _: f(GOOD.A_prev, GOOD.W, GOOD.b, stride=0),
        "^stride is 0, expected a whole number of at least 1: the next window starts at least one cell further on$",
    ),
    "stride-fraction": (
        lambda f, _: f(GOOD.A_prev, GOOD.W, GOOD.b, stride=1.5),
        "^stride is 1.5, expected a whole number of at least 1: ",
    ),
    "pad-negative": (
        lambda f, _: f(GOOD.A_prev, GOOD.W, GOOD.b, pad=-1),
        "^pad is -1, expected a whole number of at least 0: padding adds cells, it removes none$",
    ),
    "pad-pair-negative": (
        lambda f, _: f(GOOD.A_prev, GOOD.W, GOOD.b, pad=(0, -2)),
        "^pad is -2, expected a whole number of at least 0: padding adds cells, it removes none$",
    ),
    "pad-triple": (
        lambda f, _: f(GOOD.A_prev, GOOD.W, GOOD.b, pad=(0, 1, 2)),
        refuse("pad", "is (0, 1, 2)", "two numbers", "a pair is (vertical, horizontal)"),
    ),
    "pad-name": (
        lambda f, _: f(GOOD.A_prev, GOOD.W, GOOD.b, pad="valid"),
        refuse("pad", "is 'valid'", 'a number, a pair or "same"', "no other name has a meaning"),
    ),
    "same-even": (
        lambda f, _: f(GOOD.A_prev, GOOD.W[:2], GOOD.b, pad="same"),
        refuse("f", "is 2", "an odd number", "SAME padding is p = (f - 1) / 2"),
    ),
    "same-stride": (
        lambda f, _: f(GOOD.A_prev, GOOD.W, GOOD.b, pad="same", stride=2),
        refuse("stride", "is 2", "1", "SAME padding keeps the size only at stride 1"),
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_bad_arguments_are_refused_in_one_sentence(name: str) -> None:
    call, sentence = REFUSALS[name]
    with pytest.raises(ValueError, match=sentence):
        call(conv_forward, conv_backward)


@pytest.mark.parametrize(
    "name", ["filter-too-large", "channels", "stride-0", "pad-negative", "same-even", "same-stride"]
)
def test_the_backward_pass_refuses_the_same(name: str) -> None:
    call, sentence = REFUSALS[name]
    with pytest.raises(ValueError, match=sentence):
        call(lambda A_prev, W, _, **how: conv_backward(GOOD.dZ, A_prev, W, **how), conv_backward)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: conv_output_size(0, 3), "^n is 0, expected a whole number of at least 1: the input has"),
        (lambda: conv_output_size(5, 0), "^f is 0, expected a whole number of at least 1: the filter has"),
        (lambda: conv_output_size(5, 3, pad=-1), "^pad is -1, expected a whole number of at least 0: padding adds"),
        (lambda: conv_output_size(5, 3, stride=0), "^stride is 0, expected a whole number of at least 1: the next"),
        (lambda: conv_output_size(3, 6, pad=1), re.escape("f is 6, expected at most n + 2 pad = 5: the filter must")),
        (lambda: same_padding(4), re.escape("f is 4, expected an odd number: SAME padding is p = (f - 1) / 2")),
        (lambda: same_padding(0), "^f is 0, expected a whole number of at least 1: the filter has at least one cell$"),
        (
            lambda: dense_parameter_count(0, 3),
            "^inputs is 0, expected a whole number of at least 1: a layer has at least one input$",
        ),
        (
            lambda: dense_parameter_count(3, 0),
            "^units is 0, expected a whole number of at least 1: a layer has at least one unit$",
        ),
        (
            lambda: conv_parameter_count((3, 0), 3, 1),
            "^f is 0, expected a whole number of at least 1: the filter has at least one cell$",
        ),
        (
            lambda: conv_parameter_count(3, 0, 1),
            "^channels is 0, expected a whole number of at least 1: a filter has the depth of its input$",
        ),
        (
            lambda: conv_parameter_count(3, 3, 0),
            "^filters is 0, expected a whole number of at least 1: a layer has at least one filter$",
        ),
        (lambda: zero_pad(GOOD.A_prev, -1), "^pad is -1, expected a whole number of at least 0: padding adds cells"),
        (lambda: zero_pad(GOOD.A_prev[0], 1), "^A has shape .6, 5, 3., expected .m, n_H, n_W, n_C. "),
        (lambda: zero_pad(GOOD.A_prev, "same"), "^pad is 'same', expected a number or a pair: without a filter"),
        (lambda: flatten(GOOD.A_prev[0]), "^A has shape .6, 5, 3., expected .m, n_H, n_W, n_C. "),
        (
            lambda: flatten_backward(np.zeros((2, 90)), (2, 6, 5, 3)),
            "^dA has shape .2, 90., expected .90, 2.: one column for each example, ",
        ),
    ],
)
def test_sizes_and_reshapes_refuse_in_one_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        call()
