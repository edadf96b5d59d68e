"""Volumes and filters: which axis is which, what is flipped, what is padded."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from torch import Tensor
from torch.nn import functional

from manual import conv, dense
from manual.notation import Array
from parity_tests.conventions.convention import Convention
from parity_tests.formulas.case import N_1, N_2, N_X, Bound, Inputs, M, normal
from parity_tests.formulas.conv import conv_forward_bound
from parity_tests.formulas.dense import Z_bound
from torch_ref.conv import conv_forward
from torch_ref.layout import filters_to_torch, from_rows, to_rows

SIDE, FILTER = 5, 3


def volume(rng: np.random.Generator, f: int = FILTER, filters: int = N_2) -> Inputs:
    """Examples, filters and biases."""
    return {
        "A_prev": normal(rng, M, SIDE, SIDE, N_X),
        "W": normal(rng, f, f, N_X, filters),
        "b": normal(rng, 1, 1, 1, filters),
    }


def _without_warning(A_prev: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """SAME for an even filter, of which torch says that it may cost a copy."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using padding='same' with even kernel lengths", UserWarning)
        return conv_forward(A_prev, W, b, pad="same")


def _bound(pad: Any = 0) -> dict[str, Bound]:
    return {"Z": lambda u, at: conv_forward_bound(u, at.A_prev, at.W, at.b, pad=pad)}


def _reshaped(A_prev: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """The channels moved by reshape, which moves values instead of axes."""
    m, n_H, n_W, n_C = A_prev.shape
    Z = functional.conv2d(A_prev.reshape(m, n_C, n_H, n_W), filters_to_torch(W), b.flatten())
    return from_rows(Z)


def _rows_for_columns(A_prev: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return conv_forward(A_prev, W.transpose(0, 1), b)


def _filters_reshaped(A_prev: Tensor, W: Tensor, b: Tensor) -> Tensor:
    f_H, f_W, n_C_prev, n_C = W.shape
    Z = functional.conv2d(to_rows(A_prev), W.reshape(n_C, n_C_prev, f_H, f_W), b.flatten())
    return from_rows(Z)


def _bias_along_rows(A_prev: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return from_rows(to_rows(conv_forward(A_prev, W, 0 * b)) + b.flatten())


def _row_and_column_behind(A_prev: Array, W: Array, b: Array) -> Array:
    """SAME for f = 2: one row of zeros below, one column to the right."""
    return conv.conv_forward(np.pad(A_prev, ((0, 0), (0, 1), (0, 1), (0, 0))), W, b)


def _same_even_bound(u: float, at: Any) -> Any:
    A_prev = np.pad(at.A_prev, ((0, 0), (0, 1), (0, 1), (0, 0)))
    return conv_forward_bound(u, A_prev, at.W, at.b)


def _row_and_column_before(A_prev: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return conv_forward(A_prev, W, b, pad=1)[:, :-1, :-1]


def _dense_after_flatten(A: Array, W: Array, b: Array) -> Array:
    return dense.linear_forward(conv.flatten(A), W, b)


def _flat_linear(A: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return functional.linear(A.flatten(1), W, b.flatten()).T


CONVENTIONS = (
    Convention(
        "convolution.volumes",
        "layout of volumes",
        notes="(m, n_H, n_W, n_C)",
        torch="(m, n_C, n_H, n_W)",
        translation="A.permute(0, 3, 1, 2), and back by permute(0, 2, 3, 1)",
        formulas="F234 F235",
        inputs=volume,
        manual=conv.conv_forward,
        exact=conv_forward,
        naive={"A.reshape(m, n_C, n_H, n_W)": _reshaped},
        bounds=_bound(),
    ),
    Convention(
        "convolution.filters",
        "layout of filters",
        notes="(f, f, n_C_prev, n_C)",
        torch="(n_C, n_C_prev, f, f)",
        translation="W.permute(3, 2, 0, 1), and back by permute(2, 3, 1, 0)",
        formulas="F237",
        inputs=volume,
        manual=conv.conv_forward,
        exact=conv_forward,
        naive={"W.T, rows and columns swapped": _rows_for_columns, "W.reshape(n_C, n_C_prev, f, f)": _filters_reshaped},
        bounds=_bound(),
    ),
    Convention(
        "convolution.flip",
        "the operation",
        notes="called convolution, computed without flipping the filter",
        torch="cross-correlation, called convolution",
        translation="none: the same operation",
        formulas="F225",
        inputs=volume,
        manual=conv.conv_forward,
        exact=conv_forward,
        naive={"the filter flipped": lambda A_prev, W, b: conv_forward(A_prev, W.flip(0, 1), b)},
        bounds=_bound(),
    ),
    Convention(
        "convolution.biases",
        "biases of filters",
        notes="(1, 1, 1, n_C)",
        torch="(n_C,)",
        translation="b.flatten()",
        formulas="F238",
        inputs=lambda rng: volume(rng, filters=SIDE - FILTER + 1),
        manual=conv.conv_forward,
        exact=conv_forward,
        naive={"added to channels first, where n_W = n_C": _bias_along_rows},
        bounds=_bound(),
    ),
    Convention(
        "convolution.flatten",
        "flatten before a dense layer",
        notes="in the order n_H, n_W, n_C, one column for each example",
        torch="in the order n_C, n_H, n_W, one row for each example",
        translation="permute(0, 2, 3, 1) before flatten(1), or W's columns reordered once",
        formulas="F235",
        inputs=lambda rng: {
            "A": normal(rng, M, 2, 3, N_1),
            "W": normal(rng, N_2, 2 * 3 * N_1),
            "b": normal(rng, N_2, 1),
        },
        manual=_dense_after_flatten,
        exact=lambda A, W, b: _flat_linear(from_rows(to_rows(A)), W, b),
        naive={"flatten(1) of channels first": lambda A, W, b: _flat_linear(to_rows(A), W, b)},
        bounds={"Z": lambda u, at: Z_bound(u, at.A.reshape(M, -1).T, at.W, at.b)},
    ),
    Convention(
        "convolution.same",
        "SAME padding",
        notes="p = (f - 1)/2 on every side: f odd, s = 1",
        torch="padding='same' refuses s > 1",
        translation="padding='same', or padding=(f - 1)/2",
        formulas="F221 F222",
        inputs=volume,
        manual=lambda A_prev, W, b: conv.conv_forward(A_prev, W, b, pad="same"),
        exact=lambda A_prev, W, b: conv_forward(A_prev, W, b, pad="same"),
        naive={
            "all zeros on one side": lambda A_prev, W, b: conv_forward(
                functional.pad(A_prev, (0, 0, FILTER - 1, 0, FILTER - 1, 0)), W, b
            )
        },
        bounds=_bound("same"),
    ),
    Convention(
        "convolution.same_even",
        "SAME padding, f even",
        notes="p = (f - 1)/2 is no whole number: refused",
        torch="padding='same' puts the odd row and column of zeros below and to the right",
        translation="pad one more below and to the right, then pad=0",
        formulas="F221 F222",
        inputs=lambda rng: volume(rng, f=2),
        manual=_row_and_column_behind,
        exact=_without_warning,
        naive={"the odd row and column above and to the left": _row_and_column_before},
        bounds={"Z": _same_even_bound},
    ),
)
