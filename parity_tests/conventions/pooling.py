"""Ties and borders of pooling windows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor
from torch.nn import functional

from manual import conv, pooling
from manual.notation import Array
from parity_tests.conventions.convention import Convention
from parity_tests.formulas.case import N_X, Inputs, M, normal
from parity_tests.judging import bounds
from torch_ref.gradients import gradient
from torch_ref.layout import from_rows, to_rows

SIDE, SIZE, STRIDE = 6, 2, 2
PADDED_SIZE = 3
"""Windows over a padded input, which overlap."""


def _with_ties(rng: np.random.Generator) -> Inputs:
    """Inputs of few values, as in the dark of an image: most windows have several maxima."""
    A_prev = rng.integers(0, 3, (M, SIDE, SIDE, N_X)).astype(np.float64)
    return {"dA": normal(rng, M, SIDE // STRIDE, SIDE // STRIDE, N_X), "A_prev": A_prev}


def _below_zero(rng: np.random.Generator) -> Inputs:
    return {"A_prev": -np.abs(normal(rng, M, SIDE, SIDE, N_X)) - 0.1}


def _backward(pool: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """Autograd of a pooling of channels first, course layout in and out."""

    def backward(dA: Tensor, A_prev: Tensor) -> Tensor:
        return gradient(lambda at: from_rows(pool(to_rows(at))), A_prev, dA)

    return backward


def _windows(A: Tensor) -> Tensor:
    """Windows that touch: (m, n_C, n_H, n_W, size, size)."""
    return A.unfold(2, SIZE, STRIDE).unfold(3, SIZE, STRIDE)


def _every_maximum(dA: Tensor, A_prev: Tensor) -> Tensor:
    """The mask of all maxima of a window, times its gradient."""
    largest = from_rows(functional.max_pool2d(to_rows(A_prev), SIZE, STRIDE))

    def spread(value: Tensor) -> Tensor:
        return value.repeat_interleave(SIZE, dim=1).repeat_interleave(SIZE, dim=2)

    return spread(dA) * (A_prev == spread(largest))


def _padded(A_prev: Array, value: float) -> Array:
    return np.pad(A_prev, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=value)


def _pool(pool: Callable[..., Tensor], A_prev: Tensor, **options: Any) -> Tensor:
    return from_rows(pool(to_rows(A_prev), PADDED_SIZE, STRIDE, padding=1, **options))


def _zeros_for_infinity(A_prev: Tensor) -> Tensor:
    padded = functional.pad(to_rows(A_prev), (1, 1, 1, 1))
    return from_rows(functional.max_pool2d(padded, PADDED_SIZE, STRIDE))


CONVENTIONS = (
    Convention(
        "pooling.ties",
        "ties of max-pooling",
        notes="no rule; courses give every maximum the gradient, here the first in row order has it",
        torch="the first in row order",
        translation="F.max_pool2d",
        formulas="F223 F239",
        inputs=_with_ties,
        manual=lambda dA, A_prev: pooling.pool_backward(dA, A_prev, SIZE, STRIDE, mode="max"),
        exact=_backward(lambda A: functional.max_pool2d(A, SIZE, STRIDE)),
        naive={
            "every maximum": _every_maximum,
            "amax over windows: equal shares": _backward(lambda A: _windows(A).amax(dim=(-2, -1))),
        },
        bounds={"dA_prev": lambda u, at: bounds.exact(u, at.dA_prev)},
    ),
    Convention(
        "pooling.max_padding",
        "padding of max-pooling",
        notes="none",
        torch="pads with -inf",
        translation="np.pad with -inf, then pool",
        formulas="F223 F239",
        inputs=_below_zero,
        manual=lambda A_prev: pooling.pool_forward(_padded(A_prev, -np.inf), PADDED_SIZE, STRIDE, mode="max"),
        exact=partial(_pool, functional.max_pool2d),
        naive={"padded with zeros": _zeros_for_infinity},
        bounds={"A": lambda u, at: bounds.exact(u, at.A)},
    ),
    Convention(
        "pooling.average_padding",
        "padding of average pooling",
        notes="none",
        torch="counts the zeros of the padding: count_include_pad=True",
        translation="zero_pad, then pool",
        formulas="F220 F223 F239",
        inputs=_below_zero,
        manual=lambda A_prev: pooling.pool_forward(conv.zero_pad(A_prev, 1), PADDED_SIZE, STRIDE, mode="average"),
        exact=partial(_pool, functional.avg_pool2d),
        naive={"count_include_pad=False": partial(_pool, functional.avg_pool2d, count_include_pad=False)},
        bounds={"A": lambda u, at: bounds.rounded(u, at.A, PADDED_SIZE**2 + 1)},
    ),
)
