"""The truths of convolution and pooling by torch's operations and autograd. Imported when they are first asked for."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from manual.notation import Array
from torch_ref.costs import l2_penalty
from torch_ref.devices import array, tensor
from torch_ref.layout import filters_to_torch, from_rows, to_rows

Arrays = dict[str, Any]


def convolution(
    A_prev: Array, W: Array, b: Array, dZ: Array, stride: int, pad: int, lambda_: float, alpha: float
) -> Arrays:
    """The padded input, Z, dA_prev per example, dW and db with the 1/m, and W and b after a step."""
    m = A_prev.shape[0]
    leaves = {name: tensor(value).requires_grad_() for name, value in {"A_prev": A_prev, "W": W, "b": b}.items()}
    images, filters, upstream = to_rows(leaves["A_prev"]), filters_to_torch(leaves["W"]), tensor(dZ)
    Z = from_rows(functional.conv2d(images, filters, leaves["b"].reshape(-1), stride, pad))
    (dA_prev,) = torch.autograd.grad(Z, leaves["A_prev"], upstream, retain_graph=True)
    J = (Z * upstream).sum() / m + l2_penalty([leaves["W"]], lambda_, m)
    dW, db = torch.autograd.grad(J, (leaves["W"], leaves["b"]))
    found = {"Z": Z, "dA_prev": dA_prev, "dW": dW, "db": db, "A_prev_pad": _padded(images, pad)}
    updated = {"W": torch.sub(leaves["W"], dW, alpha=alpha), "b": torch.sub(leaves["b"], db, alpha=alpha)}
    return {name: array(value).copy() for name, value in {**found, **updated}.items()}


def _padded(images: Tensor, pad: int) -> Tensor:
    return from_rows(functional.pad(images, (pad,) * 4))


def pooling(mode: str, A_prev: Array, dA: Array, f: int, stride: int) -> Arrays:
    """A, and dA_prev per example."""
    leaf = tensor(A_prev).requires_grad_()
    images = to_rows(leaf)
    pooled = functional.max_pool2d(images, f, stride) if mode == "max" else functional.avg_pool2d(images, f, stride)
    A = from_rows(pooled)
    (dA_prev,) = torch.autograd.grad(A, leaf, tensor(dA))
    return {"A": array(A).copy(), "dA_prev": array(dA_prev)}
