"""Activations: torch's own functions; their derivatives are autograd's. Counterpart of manual.activations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from torch_ref.gradients import derivative, gradient

LEAKY_SLOPE = 0.01

sigmoid = torch.sigmoid
tanh = torch.tanh
relu = torch.relu


def leaky_relu(Z: Tensor) -> Tensor:
    """Torch's leaky_relu at slope 0.01."""
    return functional.leaky_relu(Z, LEAKY_SLOPE)


def identity(Z: Tensor) -> Tensor:
    """A copy of Z that autograd sees."""
    return Z.clone()


sigmoid_prime = derivative(sigmoid)
tanh_prime = derivative(tanh)
relu_prime = derivative(relu)
leaky_relu_prime = derivative(leaky_relu)
identity_prime = derivative(identity)


def softmax(Z: Tensor) -> Tensor:
    """Softmax over the classes, which are the rows."""
    return torch.softmax(Z, dim=0)


def softmax_backward(dA: Tensor, A: Tensor) -> Tensor:
    """Autograd through softmax, at a Z that has these probabilities: Z = log A."""
    return gradient(softmax, torch.log(A), dA)


class Activation(NamedTuple):
    """An activation g and its derivative."""

    g: Callable[[Tensor], Tensor]
    g_prime: Callable[[Tensor], Tensor]


ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Activation(sigmoid, sigmoid_prime),
    "tanh": Activation(tanh, tanh_prime),
    "relu": Activation(relu, relu_prime),
    "leaky_relu": Activation(leaky_relu, leaky_relu_prime),
    "identity": Activation(identity, identity_prime),
}


class Unit(NamedTuple):
    """torch's module for an activation: its type, the options that it has, and why it has those.

    Of an option that has several names for one thing, ``alike`` are the others.
    """

    kind: type[nn.Module]
    options: Mapping[str, Any] = {}
    rule: str = ""
    alike: tuple[Any, ...] = ()


UNITS: dict[str, Unit] = {
    "sigmoid": Unit(nn.Sigmoid),
    "tanh": Unit(nn.Tanh),
    "relu": Unit(nn.ReLU),
    "leaky_relu": Unit(nn.LeakyReLU, {"negative_slope": LEAKY_SLOPE}, "the slope of the notes"),
    "identity": Unit(nn.Identity),
    "softmax": Unit(nn.Softmax, {"dim": 1}, "classes lie beside each other in a row", alike=(-1,)),
}
"""The module of every activation; it takes examples in rows."""
