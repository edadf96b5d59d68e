"""Mistakes to plant in the formulas of convolution and pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from manual import conv
from manual.notation import Array
from parity_tests.formulas.planting import Change


def swapped(W: Array) -> Array:
    """Channels in and channels out exchanged, where the shape does not tell."""
    return W.transpose(0, 1, 3, 2).copy() if W.shape[2] == W.shape[3] else W


def conv_backward_of(alter: Callable[[Array], Array]) -> Change:
    """dA_prev from altered filters."""

    def change(right: Callable[..., Any]) -> Callable[..., Any]:
        def planted(dZ: Array, A_prev: Array, W: Array, **how: Any) -> Any:
            return right(dZ, A_prev, W, **how)._replace(dA_prev=right(dZ, A_prev, alter(W), **how).dA_prev)

        return planted

    return change


def stride_ignored(right: Callable[..., Any]) -> Callable[..., Any]:
    """The windows of a stride of 1, the first of them, in place of the layer's."""

    def planted(dZ: Array, A_prev: Array, W: Array, *, stride: int, pad: Any, **how: Any) -> Any:
        if stride == 1:
            return right(dZ, A_prev, W, stride=stride, pad=pad, **how)
        found = right(dZ, A_prev, W, stride=stride, pad=pad, **how)
        whole = conv.conv_forward(A_prev, W, np.zeros((1, 1, 1, W.shape[3]), W.dtype), pad=pad)
        padded = np.zeros_like(whole)
        padded[:, : dZ.shape[1], : dZ.shape[2]] = dZ
        wrong = right(padded, A_prev, W, stride=1, pad=pad, **how)
        return found._replace(dA_prev=wrong.dA_prev, dW=wrong.dW)

    return planted


def padding_left(right: Callable[..., Any]) -> Callable[..., Any]:
    """The corner of the padded dA, of the right shape, in place of its inside."""

    def planted(dZ: Array, A_prev: Array, W: Array, *, pad: Any, **how: Any) -> Any:
        found = right(dZ, A_prev, W, pad=pad, **how)
        padded = right(dZ, conv.zero_pad(A_prev, pad), W, pad=0, **how).dA_prev
        _, n_H, n_W, _ = A_prev.shape
        return found._replace(dA_prev=padded[:, :n_H, :n_W])

    return planted


def overwriting(right: Callable[..., Any]) -> Callable[..., Any]:
    """Every window writes over what the windows before it left."""

    def planted(dZ: Array, A_prev: Array, W: Array, *, stride: int, pad: Any, **how: Any) -> Any:
        found = right(dZ, A_prev, W, stride=stride, pad=pad, **how)
        p_H, p_W = pad
        dA = np.zeros_like(conv.zero_pad(A_prev, pad))
        for h, w in np.ndindex(*dZ.shape[1:3]):
            window = np.s_[:, h * stride : h * stride + W.shape[0], w * stride : w * stride + W.shape[1]]
            dA[window] = np.einsum("mc,ijkc->mijk", dZ[:, h, w], W)
        return found._replace(dA_prev=dA[:, p_H : p_H + A_prev.shape[1], p_W : p_W + A_prev.shape[2]])

    return planted


def average_times_size(right: Callable[..., Any]) -> Callable[..., Any]:
    """The sum over a window where the average belongs."""

    def planted(*arrays: Any, mode: str) -> Any:
        size = arrays[-2]
        return right(*arrays, mode=mode) * (size**2 if mode == "average" else 1)

    return planted


def spread_over_window(right: Callable[..., Any]) -> Callable[..., Any]:
    """The gradient of a maximum shared by all cells of its window."""
    return lambda dA, A_prev, size, stride, *, mode: right(dA, A_prev, size, stride, mode="average")


def last_window_only(right: Callable[..., Any]) -> Callable[..., Any]:
    """A cell keeps what the last window that holds it hands back."""

    def planted(dA: Array, A_prev: Array, size: int, stride: int, *, mode: str) -> Any:
        dA_prev = np.zeros_like(A_prev)
        for h, w in np.ndindex(*dA.shape[1:3]):
            window = np.s_[:, h * stride : h * stride + size, w * stride : w * stride + size]
            share = right(dA[:, h : h + 1, w : w + 1], A_prev[window], size, stride, mode=mode)
            dA_prev[window] = np.where(share != 0, share, dA_prev[window])
        return dA_prev

    return planted


def rounded_sizes(sizes: Array, vertical: Array, horizontal: Array, stride: Array) -> Array:
    """round((n + 2p - f) / s) + 1."""
    return np.array([np.round((n + 2 * p - f) / stride) + 1 for n, f, p in (vertical, horizontal)], sizes.dtype)
