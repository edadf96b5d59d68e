"""The truths by torch's operations and autograd. Imported when they are first asked for."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from manual.architecture import Architecture
from manual.notation import Array, Parameters
from torch_ref import network as torch_network
from torch_ref.activations import tanh
from torch_ref.costs import OUTPUT_COSTS, l2_penalty
from torch_ref.dense import linear_forward
from torch_ref.devices import array, tensor
from torch_ref.optimizers import gradient_descent

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
    gradient_descent(module, alpha).step()
    return {**found, **grads, **torch_network.export_params(module)}


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
    torch.optim.SGD([leaves["W"], leaves["b"]], lr=alpha).step()
    return {**values, "W": array(leaves["W"]), "b": array(leaves["b"])}
