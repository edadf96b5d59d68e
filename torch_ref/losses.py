"""Losses through torch's own, summed and divided by m, derivatives through autograd. Counterpart of manual.losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from torch_ref.gradients import gradient


def log_softmax(Z: Tensor) -> Tensor:
    """F.log_softmax over the classes."""
    return functional.log_softmax(Z, dim=0)


def log_softmax_backward(dL: Tensor, Z: Tensor) -> Tensor:
    """Autograd under dL."""
    return gradient(log_softmax, Z, dL)


def _labels(y: Sequence[int], like: Tensor) -> Tensor:
    return torch.tensor(y, device=like.device)


def label_cross_entropy(
    Z: Tensor, y: Sequence[int], class_weights: Tensor, sample_weights: Tensor, smoothing: float = 0.0
) -> Tensor:
    """F.cross_entropy with weights and label smoothing, an example's loss times its weight, over m."""
    losses = functional.cross_entropy(
        Z.T, _labels(y, Z), class_weights.flatten(), reduction="none", label_smoothing=smoothing
    )
    return (sample_weights.flatten() * losses).sum() / len(losses)


def softmax_squared_error(Z: Tensor, Y: Tensor) -> Tensor:
    """Half of F.mse_loss of the softmax, summed, over m."""
    return functional.mse_loss(torch.softmax(Z, dim=0), Y, reduction="sum") / (2 * Z.shape[1])


def huber(A: Tensor, Y: Tensor, delta: float = 1.0) -> Tensor:
    """F.huber_loss, summed over the outputs, over m."""
    return functional.huber_loss(A, Y, reduction="sum", delta=delta) / A.shape[1]


def hinge(Z: Tensor, y: Sequence[int], margin: float = 1.0) -> Tensor:
    """F.multi_margin_loss, times the number of classes that it divides by, over m."""
    return len(Z) * functional.multi_margin_loss(Z.T, _labels(y, Z), margin=margin, reduction="sum") / Z.shape[1]


def _per_example(cost: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Autograd's derivative of the summed loss."""

    def prime(Z: Tensor, *rest: Any) -> Tensor:
        return gradient(lambda at: cost(at, *rest) * Z.shape[1], Z)

    return prime


label_cross_entropy_prime = _per_example(label_cross_entropy)
softmax_squared_error_prime = _per_example(softmax_squared_error)
huber_prime = _per_example(huber)
hinge_prime = _per_example(hinge)
