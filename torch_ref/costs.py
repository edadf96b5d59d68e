"""Costs through torch's loss functions, summed and divided by m. Counterpart of manual.costs.

reduction="sum" over m, not "mean", which would divide by the number of outputs too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from torch_ref.activations import sigmoid, softmax
from torch_ref.gradients import gradient


def binary_cross_entropy(A: Tensor, Y: Tensor) -> Tensor:
    """F.binary_cross_entropy, summed over the outputs, over m."""
    return functional.binary_cross_entropy(A, Y, reduction="sum") / Y.shape[1]


def binary_cross_entropy_from_logits(Z: Tensor, Y: Tensor, weights: Tensor | None = None) -> Tensor:
    """F.binary_cross_entropy_with_logits, summed over the outputs, over m."""
    return functional.binary_cross_entropy_with_logits(Z, Y, weights, reduction="sum") / Y.shape[1]


def cross_entropy(A: Tensor, Y: Tensor) -> Tensor:
    """F.nll_loss on log A: the loss that F.cross_entropy applies after its softmax."""
    return functional.nll_loss(torch.log(A.T), Y.argmax(dim=0), reduction="sum") / Y.shape[1]


def cross_entropy_from_logits(Z: Tensor, Y: Tensor, weights: Tensor | None = None) -> Tensor:
    """F.cross_entropy, which takes logits in rows and class numbers; it has weights of classes, not of examples."""
    if weights is None:
        return functional.cross_entropy(Z.T, Y.argmax(dim=0), reduction="sum") / Y.shape[1]
    return (weights.flatten() * functional.cross_entropy(Z.T, Y.argmax(dim=0), reduction="none")).sum() / Y.shape[1]


def squared_error(A: Tensor, Y: Tensor, weights: Tensor | None = None) -> Tensor:
    """Half of F.mse_loss, summed over the outputs, over m."""
    if weights is None:
        return functional.mse_loss(A, Y, reduction="sum") / (2 * Y.shape[1])
    return (weights * functional.mse_loss(A, Y, reduction="none")).sum() / (2 * Y.shape[1])


squared_error_from_logits = squared_error


def _per_example(cost: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Autograd's derivative of the summed loss: m times that of the mean."""

    def prime(A: Tensor, Y: Tensor, *weights: Tensor) -> Tensor:
        return gradient(lambda at: cost(at, Y, *weights) * Y.shape[1], A)

    return prime


binary_cross_entropy_prime = _per_example(binary_cross_entropy)
cross_entropy_prime = _per_example(cross_entropy)
squared_error_prime = _per_example(squared_error)


class Output(NamedTuple):
    """An output unit with its cost on A, the derivative in A, and the cost on Z."""

    g: Callable[[Tensor], Tensor]
    from_A: Callable[[Tensor, Tensor], Tensor]
    prime: Callable[[Tensor, Tensor], Tensor]
    from_Z: Callable[..., Tensor]


OUTPUT_COSTS: dict[str, Output] = {
    "sigmoid": Output(sigmoid, binary_cross_entropy, binary_cross_entropy_prime, binary_cross_entropy_from_logits),
    "softmax": Output(softmax, cross_entropy, cross_entropy_prime, cross_entropy_from_logits),
    "identity": Output(torch.clone, squared_error, squared_error_prime, squared_error_from_logits),
}
"""The output unit decides the cost, as in manual."""


def output_dZ(unit: str, Z: Tensor, Y: Tensor, *weights: Tensor) -> Tensor:
    """Autograd's derivative of the summed cost in the output's Z."""
    return _per_example(OUTPUT_COSTS[unit].from_Z)(Z, Y, *weights)


def relative_weights(weights: Tensor) -> Tensor:
    """Weights over their mean."""
    return weights / weights.mean()


def l2_penalty(weights: Iterable[Tensor], lambda_: float, m: int) -> Tensor:
    """lambda/(2m) times the squared Frobenius norms, by torch.linalg."""
    norms = torch.stack([torch.linalg.vector_norm(W) for W in weights])
    return lambda_ / (2 * m) * norms.square().sum()
