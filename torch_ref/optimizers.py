"""The notes' optimisers as torch.optim's, with the exact translation. Counterpart of manual.optimizers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

from torch_ref.network import Arrays, Network, from_torch, to_torch


def gradient_descent(module: nn.Module, learning_rate: float) -> torch.optim.SGD:
    """torch.optim.SGD without momentum."""
    return torch.optim.SGD(module.parameters(), lr=learning_rate)


class AverageMomentum(torch.optim.SGD):
    """torch.optim.SGD whose buffer stands for v / (1 - beta), the notes' v being an average."""


def momentum(module: nn.Module, learning_rate: float, beta: float = 0.9) -> AverageMomentum:
    """torch.optim.SGD, whose buffer = beta buffer + dW is v / (1 - beta): so its lr is alpha (1 - beta).

    Its dampening is no translation of 1 - beta: it leaves the first gradient as it is.
    """
    return AverageMomentum(module.parameters(), lr=learning_rate * (1 - beta), momentum=beta, dampening=0.0)


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


def classical_momentum(
    module: nn.Module, learning_rate: float, beta: float = 0.9, dampening: float = 0.0
) -> torch.optim.SGD:
    """torch.optim.SGD with its own momentum and dampening."""
    return torch.optim.SGD(module.parameters(), lr=learning_rate, momentum=beta, dampening=dampening)


def nesterov(module: nn.Module, learning_rate: float, beta: float = 0.9) -> torch.optim.SGD:
    """torch.optim.SGD with nesterov=True."""
    return torch.optim.SGD(module.parameters(), lr=learning_rate, momentum=beta, nesterov=True)


def adamw(
    module: nn.Module,
    learning_rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float = 0.01,
) -> torch.optim.AdamW:
    """torch.optim.AdamW, which multiplies the decay by the learning rate."""
    return torch.optim.AdamW(
        module.parameters(), lr=learning_rate, betas=(beta1, beta2), eps=epsilon, weight_decay=weight_decay
    )


OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "gradient_descent": gradient_descent,
    "momentum": momentum,
    "rmsprop": rmsprop,
    "adam": adam,
    "classical_momentum": classical_momentum,
    "nesterov": nesterov,
    "adamw": adamw,
}
"""Rules by name, as functions of the module, the learning rate and the rule's own settings."""

STATE: dict[type[torch.optim.Optimizer], dict[str, str]] = {
    torch.optim.SGD: {"v": "momentum_buffer"},
    AverageMomentum: {"v": "momentum_buffer"},
    torch.optim.RMSprop: {"s": "square_avg"},
    torch.optim.Adam: {"v": "exp_avg", "s": "exp_avg_sq"},
    torch.optim.AdamW: {"v": "exp_avg", "s": "exp_avg_sq"},
}
"""torch's names for the parts of the notes' states."""


def _scale(rule: torch.optim.Optimizer) -> float:
    """What torch's v has to be multiplied by."""
    return 1 - rule.defaults["momentum"] if isinstance(rule, AverageMomentum) else 1.0


def parts(rule: torch.optim.Optimizer) -> dict[str, str]:
    """The names in torch of the parts of this rule's state; gradient descent has none."""
    return {} if isinstance(rule, torch.optim.SGD) and not rule.defaults["momentum"] else STATE[type(rule)]


def export_state(module: Network, rule: torch.optim.Optimizer) -> dict[str, Arrays]:
    """The v and s that a step left, where the rule has them: in the notes' layout, keyed as the gradients are."""
    scale = _scale(rule)
    return {
        part: from_torch(module, lambda parameter, name=name: scale * rule.state[parameter][name], "d")  # type: ignore[misc]
        for part, name in parts(rule).items()
    }


def load_state(module: Network, rule: torch.optim.Optimizer, state: Mapping[str, Arrays]) -> None:
    """Set v and s, where the rule has them, in a rule that has made a step already; its number of steps stays."""
    scale = _scale(rule)
    for part, name in parts(rule).items():
        for parameter, value in to_torch(module, state[part]):
            rule.state[parameter][name] = value / scale
