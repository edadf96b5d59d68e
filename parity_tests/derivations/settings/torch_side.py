"""The truths by torch's operations and autograd. Imported when they are first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from manual.architecture import Architecture
from manual.notation import Array, Parameters
from torch_ref import initialization
from torch_ref import network as torch_network
from torch_ref.activations import ACTIVATIONS, softmax, tanh
from torch_ref.conv import conv_backward, conv_forward, flatten, flatten_backward, zero_pad
from torch_ref.costs import OUTPUT_COSTS, l2_penalty, output_dZ
from torch_ref.dense import linear_backward, linear_forward
from torch_ref.devices import array, tensor
from torch_ref.dropout import dropout_backward, dropout_forward
from torch_ref.gradients import gradient
from torch_ref.pooling import pool_backward, pool_forward
from torch_ref.shapes import conv_output_size, conv_parameter_count, dense_parameter_count

Arrays = dict[str, Any]


def network(architecture: Architecture, params: Parameters, X: Array, Y: Array, lambda_: float, alpha: float) -> Arrays:
    """J, Z, A, dA, dZ, dW, db of every layer, dX, and the parameters after a step; dA and dZ per example."""
    module = torch_network.module_with(architecture, params)
    outputs: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        output.retain_grad()
        outputs.append(output)

    for part in module:
        part.register_forward_hook(keep)
    inputs, targets, m, L = tensor(X).requires_grad_(), tensor(Y), X.shape[1], len(architecture.layers)
    passed = torch_network.forward(module, inputs)
    J = torch_network.cost(module, passed, targets, lambda_)
    grads = torch_network.backward(module, J)
    found: Arrays = {"J": array(J), "dX": _per_example(inputs, m)}
    for l in range(1, L + 1):
        Z, A = outputs[2 * l - 2], outputs[2 * l - 1]  # examples in rows
        found |= {f"Z{l}": array(Z.T), f"A{l}": array(A.T), f"dZ{l}": _per_example(Z, m).T}
        # the cost runs from the last Z: its derivative in the last A is taken on the form on A
        prime = OUTPUT_COSTS[architecture.output_unit].prime
        found[f"dA{l}"] = _per_example(A, m).T if l < L else array(prime(A.detach().T, targets))
    # torch.optim's rule without its module, whose import takes longer than all else that verify does
    updated = {
        name: array(torch.sub(tensor(value), tensor(grads["d" + name]), alpha=alpha)) for name, value in params.items()
    }
    return {**found, **grads, **updated}


def _per_example(node: Tensor, m: int) -> Any:
    """The derivative of the summed loss at a node: m times that of J."""
    assert node.grad is not None
    return array(node.grad) * m


def layer(A_prev: Array, W: Array, b: Array, W_next: Array, dZ_next: Array, lambda_: float, alpha: float) -> Arrays:
    """Z, A, dA, dZ, dA_prev per example, dW and db with the 1/m, and W and b after a step."""
    m = A_prev.shape[1]
    leaves = {name: tensor(value).requires_grad_() for name, value in {"A_prev": A_prev, "W": W, "b": b}.items()}
    Z = linear_forward(**leaves)
    A = tanh(Z)
    Z_next = linear_forward(A, tensor(W_next), torch.zeros(W_next.shape[0], 1, dtype=A.dtype))
    dA, dZ, dA_prev = torch.autograd.grad(Z_next, (A, Z, leaves["A_prev"]), tensor(dZ_next), retain_graph=True)
    J = (Z_next * tensor(dZ_next)).sum() / m + l2_penalty([leaves["W"]], lambda_, m)
    J.backward()
    found = {"Z": Z, "A": A, "dA": dA, "dZ": dZ, "dA_prev": dA_prev, "dW": leaves["W"].grad, "db": leaves["b"].grad}
    values: Arrays = {name: array(value).copy() for name, value in found.items() if value is not None}
    updated = {name: array(torch.sub(leaves[name], tensor(values["d" + name]), alpha=alpha)) for name in ("W", "b")}
    return {**values, **updated}


def linear(A_prev: Array, W: Array, b: Array, dZ: Array, lambda_: float) -> Arrays:
    """Z, and from dZ: dA_prev per example, dW and db with the 1/m."""
    Z = linear_forward(tensor(A_prev), tensor(W), tensor(b))
    back = linear_backward(tensor(dZ), tensor(A_prev), tensor(W), lambda_)
    return {"Z": array(Z), **_arrays(back._asdict())}


def activation(unit: str, z: Array, da: Array) -> Arrays:
    """The value of an activation, its derivative, and the derivative through it."""
    g, g_prime = ACTIVATIONS[unit]
    at = tensor(z)
    return {"a": array(g(at)), "g_prime": array(g_prime(at)), "dz": array(gradient(g, at, tensor(da)))}


def cost(unit: str, A: Array, Z: Array, Y: Array) -> Arrays:
    """J from A, and the derivatives of the summed loss in A and in Z."""
    output, targets = OUTPUT_COSTS[unit], tensor(Y)
    J, dA = output.from_A(tensor(A), targets), output.prime(tensor(A), targets)
    return {"J": array(J), "dA": array(dA), "dZ": array(output_dZ(unit, tensor(Z), targets))}


def scales(n_prev: int, n: int) -> Arrays:
    """The scales of torch.nn.init, and 0.01 times its standard normal draws."""
    drawn, standard = (
        nn.init.normal_(torch.empty(1, dtype=torch.float64), std=std, generator=torch.Generator().manual_seed(0))
        for std in (0.01, 1.0)
    )
    found = {
        "he": initialization.he(n_prev),
        "xavier": initialization.xavier(n_prev, n),
        "lecun": initialization.lecun(n_prev),
        "small": (drawn / standard)[0],
    }
    return {name: array(value) for name, value in found.items()}


def convolution(
    A_prev: Array, W: Array, b: Array, dZ: Array, stride: int, pad: int, lambda_: float, alpha: float
) -> Arrays:
    """The padded input, Z, dA_prev per example, dW and db with the 1/m, and W and b after a step."""
    volumes, filters, biases = tensor(A_prev), tensor(W), tensor(b)
    Z = conv_forward(volumes, filters, biases, stride=stride, pad=pad)
    back = conv_backward(tensor(dZ), volumes, filters, stride=stride, pad=pad, lambda_=lambda_)
    updated = {"W": torch.sub(filters, back.dW, alpha=alpha), "b": torch.sub(biases, back.db, alpha=alpha)}
    return _arrays({"Z": Z, "A_prev_pad": zero_pad(volumes, pad), **back._asdict(), **updated})


def pooling(mode: str, A_prev: Array, dA: Array, f: int, stride: int) -> Arrays:
    """A, and dA_prev per example."""
    volumes = tensor(A_prev)
    back = pool_backward(tensor(dA), volumes, f, stride, mode=mode)
    return _arrays({"A": pool_forward(volumes, f, stride, mode=mode), "dA_prev": back})


def flattening(A: Array, dA_flat: Array) -> Arrays:
    """Columns of volumes, channels last, and the derivative in the volumes."""
    return _arrays({"A_flat": flatten(tensor(A)), "dA": flatten_backward(tensor(dA_flat), A.shape)})


def dropout(A: Array, U: Array, dA_drop: Array, keep_prob: float) -> Arrays:
    """The mask, what is left of A, and the derivative through it."""
    D = (tensor(U) < keep_prob).to(torch.float64)
    left, back = dropout_forward(tensor(A), D, keep_prob), dropout_backward(tensor(dA_drop), D, keep_prob)
    return _arrays({"D": D, "A_drop": left, "A": left, "dA": back})


def sizes(
    n_H_prev: int, n_W_prev: int, f: int, stride: int, pad: int, n_C_prev: int, n_C: int, n_prev: int, n: int
) -> Arrays:
    """Shapes and parameters of layers without numbers in them."""
    return {
        "n_H": conv_output_size(n_H_prev, f, pad=pad, stride=stride),
        "n_W": conv_output_size(n_W_prev, f, pad=pad, stride=stride),
        "same_pad": _same_pad(f),
        "conv_parameters": conv_parameter_count(f, n_C_prev, n_C),
        "conv_weights": conv_parameter_count(f, n_C_prev, n_C, bias=False),
        "dense_parameters": dense_parameter_count(n_prev, n),
        "dense_weights": dense_parameter_count(n_prev, n, bias=False),
    }


def _same_pad(f: int) -> int:
    """The rows of zeros that torch puts above: those that the first cell of a filter sees."""
    first = torch.zeros(1, 1, f, f)
    first[..., 0, 0] = 1
    seen = functional.conv2d(torch.ones(1, 1, f, f), first, padding="same")
    return int((seen[0, 0, :, -1] == 0).sum())


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


def softmax_jacobian(Z: Array, dA: Array) -> Arrays:
    """The softmax of every column, the Jacobian of the first, and derivatives through it."""
    at = tensor(Z)
    jacobian: Any = torch.autograd.functional.jacobian(softmax, at[:, :1])  # type: ignore[no-untyped-call]
    through = gradient(softmax, at, tensor(dA))
    return _arrays({"A": softmax(at), "jacobian": jacobian[:, 0, :, 0], "dZ": through, "dz": through[:, 0]})


def _arrays(tensors: Mapping[str, Tensor]) -> Arrays:
    """Arrays of their own, by the same names."""
    return {name: array(value).copy() for name, value in tensors.items()}
