"""Normalisation through F.batch_norm and F.layer_norm, derivatives by autograd. Counterpart of manual.normalization."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

EPSILON = 1e-5

CHANNELS_SECOND: dict[str, tuple[int, ...]] = {"columns": (1, 0), "rows": (0, 1), "volumes": (0, 3, 1, 2)}
"""How torch wants a layout: examples, then features, then places."""


class NormBackward(NamedTuple):
    """dA_prev of the summed loss, dgamma and dbeta with the 1/m."""

    dA_prev: Tensor
    dgamma: Tensor
    dbeta: Tensor


class Statistics(NamedTuple):
    """Mean and variance of every feature."""

    mean: Tensor
    variance: Tensor


def _moved(A: Tensor, layout: str) -> Tensor:
    return A.permute(CHANNELS_SECOND[layout])


def _back(A: Tensor, layout: str) -> Tensor:
    order = CHANNELS_SECOND[layout]
    return A.permute([order.index(axis) for axis in range(A.ndim)])


def batch_norm_forward(
    A_prev: Tensor, gamma: Tensor, beta: Tensor, layout: str = "columns", epsilon: float = EPSILON
) -> Tensor:
    """F.batch_norm in training, which wants the features on the second axis and gamma flat."""
    rows = _moved(A_prev, layout)
    return _back(
        functional.batch_norm(rows, None, None, gamma.flatten(), beta.flatten(), training=True, eps=epsilon), layout
    )


def batch_norm_predict(
    A_prev: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, epsilon: float = EPSILON
) -> Tensor:
    """F.batch_norm in use; the layout is read off the shape of gamma."""
    layout = "volumes" if A_prev.ndim == 4 else "columns" if gamma.shape[1] == 1 else "rows"
    mean, variance, gamma, beta = (each.flatten() for each in (mean, variance, gamma, beta))
    return _back(functional.batch_norm(_moved(A_prev, layout), mean, variance, gamma, beta, eps=epsilon), layout)


def running_statistics(
    A_prev: Tensor, mean: Tensor, variance: Tensor, layout: str = "columns", momentum: float = 0.1
) -> Statistics:
    """What F.batch_norm leaves in running_mean and running_var."""
    found = mean.flatten().clone(), variance.flatten().clone()
    functional.batch_norm(_moved(A_prev, layout), *found, training=True, momentum=momentum)
    return Statistics(*(each.reshape(mean.shape) for each in found))


def layer_norm_forward(
    A_prev: Tensor, gamma: Tensor, beta: Tensor, layout: str = "columns", epsilon: float = EPSILON
) -> Tensor:
    """F.layer_norm over every axis but that of the examples, which it wants in front."""
    rows, weight, bias = (each.T if layout == "columns" else each for each in (A_prev, gamma, beta))
    Z = functional.layer_norm(rows, rows.shape[1:], weight[0], bias[0], epsilon)
    return Z.T if layout == "columns" else Z


def _backward(forward: Callable[..., Tensor]) -> Callable[..., NormBackward]:
    def backward(
        dZ: Tensor, A_prev: Tensor, gamma: Tensor, layout: str = "columns", epsilon: float = EPSILON
    ) -> NormBackward:
        """Autograd through the forward pass, under dZ."""
        m = A_prev.shape[1 if layout == "columns" else 0]
        leaves = [each.detach().clone().requires_grad_() for each in (A_prev, gamma, torch.zeros_like(gamma))]
        dA_prev, dgamma, dbeta = torch.autograd.grad(forward(*leaves, layout, epsilon), leaves, dZ)
        return NormBackward(dA_prev, dgamma / m, dbeta / m)

    return backward


def batch_norm_predict_backward(
    dZ: Tensor,
    A_prev: Tensor,
    gamma: Tensor,
    mean: Tensor,
    variance: Tensor,
    layout: str = "columns",
    epsilon: float = EPSILON,
) -> NormBackward:
    """Autograd through F.batch_norm in use, under dZ."""

    def forward(A_prev: Tensor, gamma: Tensor, beta: Tensor, layout: str, epsilon: float) -> Tensor:
        return batch_norm_predict(A_prev, gamma, beta, mean, variance, epsilon)

    return _backward(forward)(dZ, A_prev, gamma, layout, epsilon)


batch_norm_backward = _backward(batch_norm_forward)
layer_norm_backward = _backward(layer_norm_forward)
