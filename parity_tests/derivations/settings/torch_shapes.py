"""The truths of sizes, labels, flattening and the softmax's Jacobian by torch. Imported when first asked for."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from manual.notation import Array
from torch_ref.devices import array, tensor
from torch_ref.gradients import gradient

Arrays = dict[str, Any]


def sizes(
    n_H_prev: int, n_W_prev: int, f: int, stride: int, pad: int, n_C_prev: int, n_C: int, n_prev: int, n: int
) -> Arrays:
    """Shapes and parameters of layers without numbers in them."""
    with torch.device("meta"):
        convolution = nn.Conv2d(n_C_prev, n_C, f, stride, pad)
        dense = nn.Linear(n_prev, n)
        output = convolution(torch.empty(1, n_C_prev, n_H_prev, n_W_prev))
    return {
        "n_H": output.shape[2],
        "n_W": output.shape[3],
        "same_pad": _same_pad(f),
        "conv_parameters": _count(convolution),
        "conv_weights": convolution.weight.numel(),
        "dense_parameters": _count(dense),
        "dense_weights": dense.weight.numel(),
    }


def _same_pad(f: int) -> int:
    """The rows of zeros that torch puts above: those that the first cell of a filter sees."""
    first = torch.zeros(1, 1, f, f)
    first[..., 0, 0] = 1
    seen = functional.conv2d(torch.ones(1, 1, f, f), first, padding="same")
    return int((seen[0, 0, :, -1] == 0).sum())


def _count(layer: nn.Module) -> int:
    return sum(parameter.numel() for parameter in layer.parameters())


def labels(X: Array, W: Array, b: Array, y: Array) -> Arrays:
    """Scores, probabilities, the loss of labels, and the derivatives of it; examples in rows."""
    leaves = [tensor(value).requires_grad_() for value in (W, b)]
    scores = functional.linear(tensor(X), leaves[0].T, leaves[1])
    scores.retain_grad()
    loss = functional.cross_entropy(scores, tensor(y).long())
    loss.backward()  # type: ignore[no-untyped-call]
    found = {"scores": scores, "probs": scores.softmax(1), "loss": loss, "dscores": scores.grad}
    found |= {"dW": leaves[0].grad, "db": leaves[1].grad}
    return {name: array(value).copy() for name, value in found.items() if value is not None}


def flattening(A: Array, dA_flat: Array) -> Arrays:
    """Columns of volumes, channels last, and the derivative in the volumes."""

    def flat(at: Tensor) -> Tensor:
        return at.flatten(1).T

    return {"A_flat": array(flat(tensor(A))).copy(), "dA": array(gradient(flat, tensor(A), tensor(dA_flat)))}


def softmax_jacobian(Z: Array, dA: Array) -> Arrays:
    """The softmax of every column, the Jacobian of the first, and derivatives through it."""

    def g(at: Tensor) -> Tensor:
        return at.softmax(0)

    at, upstream = tensor(Z), tensor(dA)
    jacobian: Any = torch.autograd.functional.jacobian(g, at[:, 0])  # type: ignore[no-untyped-call]
    through = gradient(g, at, upstream)
    return {"A": array(g(at)), "jacobian": array(jacobian), "dZ": array(through), "dz": array(through[:, 0]).copy()}
