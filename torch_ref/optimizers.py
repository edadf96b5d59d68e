"""The notes' optimisers as torch.optim's, with the exact translation. Counterpart of manual.optimizers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


def gradient_descent(module: nn.Module, learning_rate: float) -> torch.optim.SGD:
    """torch.optim.SGD without momentum."""
    return torch.optim.SGD(module.parameters(), lr=learning_rate)


def momentum(module: nn.Module, learning_rate: float, beta: float = 0.9) -> torch.optim.SGD:
    """torch.optim.SGD, whose buffer = beta buffer + dW is v / (1 - beta): so its lr is alpha (1 - beta).

    Its dampening is no translation of 1 - beta: it leaves the first gradient as it is.
    """
    return torch.optim.SGD(module.parameters(), lr=learning_rate * (1 - beta), momentum=beta, dampening=0.0)


def rmsprop(
    module: nn.Module, learning_rate: float, beta2: float = 0.999, epsilon: float = 1e-8
) -> torch.optim.RMSprop:
    """torch.optim.RMSprop, whose alpha is beta2."""
    return torch.optim.RMSprop(module.parameters(), lr=learning_rate, alpha=beta2, eps=epsilon)


def adam(
    module: nn.Module, learning_rate: float, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
) -> torch.optim.Adam:
    """torch.optim.Adam: the same formula, epsilon outside of the root and after the correction."""
    return torch.optim.Adam(module.parameters(), lr=learning_rate, betas=(beta1, beta2), eps=epsilon)


OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "gradient_descent": gradient_descent,
    "momentum": momentum,
    "rmsprop": rmsprop,
    "adam": adam,
}
"""Rules by name, as functions of the module, the learning rate and the rule's own settings."""
