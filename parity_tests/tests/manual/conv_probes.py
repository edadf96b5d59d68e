"""Convolutions to compare: configurations, their random arguments, torch's answer and its rounding bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from manual.conv import ConvBackward, conv_backward, conv_backward_loop, conv_forward, conv_forward_loop
from manual.notation import Array
from manual.shapes import Pad, pad_pair
from parity_tests.judging.bounds import gamma, underflow, unit_roundoff

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
    """Normal draws of the shapes of a configuration, which nobody may write to."""
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
    """Volumes with channels last as torch has them, channels first."""
    return torch.tensor(np.ascontiguousarray(A.transpose(0, 3, 1, 2)))


def from_torch(T: torch.Tensor) -> Array:
    """Volumes of torch with channels last."""
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
    """Every entry lies within its own tolerance."""
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
    """Z and the gradients of one of the two forms."""
    forward, backward = FORMS[form]
    dA_prev, dW, db = backward(probe.dZ, probe.A_prev, probe.W, lambda_=lambda_, **probe.how)
    assert dA_prev is not None
    return Gradients(forward(probe.A_prev, probe.W, probe.b, **probe.how), dA_prev, dW, db)
