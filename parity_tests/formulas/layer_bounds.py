"""The bound of every node of a network, by the kind of its layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from manual.layers import Conv, Dense, Dropout, Flatten, Pool
from parity_tests.formulas.conv import conv_backward_bounds, conv_forward_bound
from parity_tests.formulas.dense import Z_bound, dA_prev_bound, db_bound, dW_bound
from parity_tests.formulas.dropout import dropout_bound
from parity_tests.formulas.pooling import pool_backward_bound, pool_forward_bound
from parity_tests.judging import bounds
from parity_tests.judging.bounds import Bound


class OfWeighted(NamedTuple):
    """Bounds of a layer with parameters: of Z; and of dA_prev, dW and db."""

    forward: Callable[..., Bound]
    backward: Callable[..., tuple[Bound, Bound, Bound]]


class OfPlain(NamedTuple):
    """Bounds of a layer without: of A from the reference's A and A_prev; of dA_prev from its dA_prev, dA and A_prev."""

    forward: Callable[..., Bound]
    backward: Callable[..., Bound]


def _dense_backward(u: float, layer: Dense, dZ: Any, A_prev: Any, W: Any, lambda_: float) -> tuple[Bound, Bound, Bound]:
    return (
        dA_prev_bound(u, dZ, W),
        dW_bound(u, dZ, A_prev, W, lambda_),
        db_bound(u, dZ),
    )


WEIGHTED: dict[type, OfWeighted] = {
    Dense: OfWeighted(lambda u, layer, A_prev, W, b: Z_bound(u, A_prev, W, b), _dense_backward),
    Conv: OfWeighted(
        lambda u, layer, A_prev, W, b: conv_forward_bound(u, A_prev, W, b, layer.stride, layer.padding),
        lambda u, layer, dZ, A_prev, W, lambda_: conv_backward_bounds(
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
}
