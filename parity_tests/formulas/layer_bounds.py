"""The bound of every node of a network, by the kind of its layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from manual.layers import Add, BatchNorm, Conv, Dense, Dropout, Flatten, LayerNorm, Norm, Pool, Unit
from manual.normalization import LAYOUTS, Axes, Statistics
from parity_tests.formulas.conv import conv_backward_bounds, conv_forward_bound
from parity_tests.formulas.dense import Z_bound, dA_prev_bound, db_bound, dW_bound
from parity_tests.formulas.dropout import dropout_bound
from parity_tests.formulas.norm_bounds import (
    norm_backward_bounds,
    norm_bound,
    predict_backward_bounds,
    predict_bound,
    running_bounds,
)
from parity_tests.formulas.pooling import pool_backward_bound, pool_forward_bound
from parity_tests.judging import bounds
from parity_tests.judging.bounds import Bound


class OfWeighted(NamedTuple):
    """Bounds of a layer with parameters: of Z; and of dA_prev, dW and db; the last argument is what it was given."""

    forward: Callable[..., Bound]
    backward: Callable[..., tuple[Bound, Bound, Bound]]


class OfPlain(NamedTuple):
    """Bounds of a layer without: of A from the reference's A and A_prev; of dA_prev from its dA_prev, dA and A_prev."""

    forward: Callable[..., Bound]
    backward: Callable[..., Bound]


def _dense_backward(
    u: float, layer: Dense, dZ: Any, A_prev: Any, W: Any, lambda_: float, given: None
) -> tuple[Bound, Bound, Bound]:
    return (
        dA_prev_bound(u, dZ, W),
        dW_bound(u, dZ, A_prev, W, lambda_),
        db_bound(u, dZ),
    )


def _axes(A: Any) -> Axes:
    return LAYOUTS["volumes" if A.ndim == 4 else "columns"]


def _norm_axes(layer: Norm, A_prev: Any) -> tuple[int, ...]:
    """The axes that a norm averages over."""
    kept = _axes(A_prev)[1 if isinstance(layer, BatchNorm) else 0]
    return tuple(axis for axis in range(A_prev.ndim) if axis != kept)


def _norm_forward(u: float, layer: Norm, A_prev: Any, W: Any, b: Any, given: Statistics | None) -> Bound:
    if given is not None:
        return predict_bound(u, A_prev, W, b, *given, layer.epsilon)
    return norm_bound(u, A_prev, W, b, _norm_axes(layer, A_prev), layer.epsilon)


def _norm_backward(
    u: float, layer: Norm, dZ: Any, A_prev: Any, W: Any, lambda_: float, given: Statistics | None
) -> tuple[Bound, Bound, Bound]:
    m = A_prev.shape[_axes(A_prev).examples]
    if given is not None:
        return predict_backward_bounds(u, dZ, A_prev, W, *given, m, layer.epsilon)
    return norm_backward_bounds(u, dZ, A_prev, W, _norm_axes(layer, A_prev), m, layer.epsilon)


def of_running_statistics(u: float, layer: Any, A_prev: Any, before: Statistics) -> tuple[Bound, Bound]:
    """Bounds of mean and variance after a batch."""
    return running_bounds(u, A_prev, *before, _norm_axes(layer, A_prev), layer.momentum)


WEIGHTED: dict[type, OfWeighted] = {
    Dense: OfWeighted(lambda u, layer, A_prev, W, b, given: Z_bound(u, A_prev, W, b), _dense_backward),
    BatchNorm: OfWeighted(_norm_forward, _norm_backward),
    LayerNorm: OfWeighted(_norm_forward, _norm_backward),
    Conv: OfWeighted(
        lambda u, layer, A_prev, W, b, given: conv_forward_bound(u, A_prev, W, b, layer.stride, layer.padding),
        lambda u, layer, dZ, A_prev, W, lambda_, given: conv_backward_bounds(
            u, dZ, A_prev, W, layer.stride, layer.padding, lambda_
        ),
    ),
}

PLAIN: dict[type, OfPlain] = {
    Pool: OfPlain(
        lambda u, layer, A, A_prev: pool_forward_bound(u, A_prev, layer.size, layer.stride, layer.mode),
        lambda u, layer, dA_prev, dA, A_prev: pool_backward_bound(u, dA, A_prev, layer.size, layer.stride, layer.mode),
    ),
    Flatten: OfPlain(
        lambda u, layer, A, A_prev: np.zeros(A.shape),
        lambda u, layer, dA_prev, dA, A_prev: bounds.rounded(u, dA_prev, 3),  # 1/m in and out
    ),
    Dropout: OfPlain(
        lambda u, layer, A, A_prev: dropout_bound(u, A),
        lambda u, layer, dA_prev, dA, A_prev: dropout_bound(u, dA_prev),
    ),
    Add: OfPlain(
        lambda u, layer, A, A_prev: bounds.rounded(u, A),
        lambda u, layer, dA_prev, dA, A_prev: bounds.rounded(u, dA_prev, 3),
    ),
    Unit: OfPlain(
        lambda u, layer, A, A_prev: bounds.activation(u, A, layer.activation),
        lambda u, layer, dA_prev, dA, A_prev: bounds.hidden_dZ(
            u, dA_prev, dA, layer.forward(A_prev, None), layer.activation
        ),
    ),
}
