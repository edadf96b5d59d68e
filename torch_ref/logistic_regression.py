"""Logistic regression through F.linear and the loss on logits. Counterpart of manual.logistic_regression."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from torch_ref.activations import sigmoid
from torch_ref.costs import binary_cross_entropy, binary_cross_entropy_from_logits
from torch_ref.dense import linear_forward
from torch_ref.gradients import gradient


class OneExample(NamedTuple):
    """The nodes of the graph and the derivative of L at each."""

    z: Tensor
    a: Tensor
    L: Tensor
    da: Tensor
    dz: Tensor
    dw: Tensor
    db: Tensor

    @property
    def dw1(self) -> Tensor:
        """The first entry of dw."""
        return self.dw[0, 0]

    @property
    def dw2(self) -> Tensor:
        """The second entry of dw."""
        return self.dw[1, 0]


def _leaves(w: Tensor, b: float) -> tuple[Tensor, Tensor]:
    bias = torch.full((1, 1), b, dtype=w.dtype, device=w.device)
    return w.detach().clone().requires_grad_(), bias.requires_grad_()


def one_example(w: Tensor, b: float, x: Tensor, y: float) -> OneExample:
    """Every node by torch's functions, every derivative by autograd."""
    w, bias = _leaves(w, b)
    target = torch.full((1, 1), y, dtype=w.dtype, device=w.device)
    z = linear_forward(x, w.T, bias)
    L = binary_cross_entropy_from_logits(z, target)
    dz, dw, db = torch.autograd.grad(L, (z, w, bias))
    a = sigmoid(z.detach())
    da = gradient(lambda at: binary_cross_entropy(at, target), a)
    return OneExample(z.squeeze(), a.squeeze(), L, da.squeeze(), dz.squeeze(), dw, db.squeeze())


class Propagation(NamedTuple):
    """Gradients and cost over all examples."""

    dw: Tensor
    db: Tensor
    J: Tensor


def propagate(w: Tensor, b: float, X: Tensor, Y: Tensor) -> Propagation:
    """Cost by torch's loss on logits, gradients by autograd."""
    w, bias = _leaves(w, b)
    J = binary_cross_entropy_from_logits(linear_forward(X, w.T, bias), Y)
    dw, db = torch.autograd.grad(J, (w, bias))
    return Propagation(dw, db.squeeze(), J)
