"""The truths by torch's operations and autograd. Imported when they are first asked for."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from manual.architecture import Architecture
from manual.notation import Array, Parameters
from torch_ref import initialization
from torch_ref import network as torch_network
from torch_ref.activations import ACTIVATIONS, tanh
from torch_ref.costs import OUTPUT_COSTS, l2_penalty, output_dZ
from torch_ref.dense import linear_forward
from torch_ref.devices import array, tensor
from torch_ref.gradients import gradient

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
    m = A_prev.shape[1]
    leaves = {name: tensor(value).requires_grad_() for name, value in {"A_prev": A_prev, "W": W, "b": b}.items()}
    Z = linear_forward(**leaves)
    (dA_prev,) = torch.autograd.grad(Z, leaves["A_prev"], tensor(dZ), retain_graph=True)
    J = (Z * tensor(dZ)).sum() / m + l2_penalty([leaves["W"]], lambda_, m)
    dW, db = torch.autograd.grad(J, (leaves["W"], leaves["b"]))
    return {"Z": array(Z), "dA_prev": array(dA_prev), "dW": array(dW), "db": array(db)}


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
