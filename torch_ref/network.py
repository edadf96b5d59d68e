"""The same architectures as modules of standard layers. Parameters cross in the notes' layout, both ways.

A module holds architecture and parameters both, so the functions here take it where manual.network takes the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from manual.architecture import Architecture, check_parameters
from torch_ref.activations import LEAKY_SLOPE
from torch_ref.costs import OUTPUT_COSTS, l2_penalty
from torch_ref.devices import DTYPES, array, device_named

Arrays = dict[str, NDArray[Any]]

UNITS: dict[str, Callable[[], nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(LEAKY_SLOPE),
    "identity": nn.Identity,
    "softmax": lambda: nn.Softmax(dim=1),
}
"""torch's module for every activation; it takes examples in rows."""


def build(architecture: Architecture, *, device: str = "cpu", dtype: torch.dtype = torch.float64) -> nn.Sequential:
    """An nn.Sequential of standard layers: for every dense layer an nn.Linear and its activation.

    The module takes and returns examples in rows, (m, n), as torch's modules do, and ends in the output unit. Its
    parameters are torch's own draws: load_params sets them.

    Raises ValueError for an unknown or absent device.
    """
    modules: list[nn.Module] = []
    for _, layer, k in architecture.numbered():
        n, n_prev = architecture.parameter_shapes[f"W{k}"]
        modules.append(nn.Linear(n_prev, n, dtype=dtype, device=device_named(device)))
        modules.append(UNITS[layer.activation]())
    return nn.Sequential(*modules)


def output_unit(module: nn.Sequential) -> str:
    """Name of the module's output unit, which decides the cost."""
    kinds: dict[type[nn.Module], str] = {nn.Sigmoid: "sigmoid", nn.Softmax: "softmax", nn.Identity: "identity"}
    return kinds[type(module[-1])]


def linears(module: nn.Sequential) -> list[nn.Linear]:
    """The layers that have parameters, in order."""
    return [layer for layer in module if isinstance(layer, nn.Linear)]


def load_params(module: nn.Sequential, params: Arrays) -> nn.Sequential:
    """Copy parameters in the notes' layout into the module: W is (n_l, n_prev) on both sides, b goes flat.

    Raises ValueError where names or shapes do not fit.
    """
    layers = linears(module)
    expected = {f"{letter}{k}" for k in range(1, len(layers) + 1) for letter in "Wb"}
    if set(params) != expected:
        raise ValueError(f"params has {sorted(params)}, expected {sorted(expected)}: one W and b per layer")
    with torch.no_grad():
        for k, layer in enumerate(layers, start=1):
            W, b = params[f"W{k}"], params[f"b{k}"]
            if W.shape != tuple(layer.weight.shape) or b.shape != (W.shape[0], 1):
                raise ValueError(
                    f"W{k} and b{k} have shapes {W.shape} and {b.shape}, expected {tuple(layer.weight.shape)} and "
                    f"({layer.weight.shape[0]}, 1)"
                )
            layer.weight.copy_(torch.from_numpy(W))
            layer.bias.copy_(torch.from_numpy(b[:, 0]))
    return module


def load_grads(module: nn.Sequential, grads: Arrays) -> nn.Sequential:
    """Set the parameters' gradients to ``grads``, given in the notes' layout."""
    for k, layer in enumerate(linears(module), start=1):
        layer.weight.grad = torch.from_numpy(grads[f"dW{k}"]).to(layer.weight, copy=True)
        layer.bias.grad = torch.from_numpy(grads[f"db{k}"][:, 0]).to(layer.bias, copy=True)
    return module


def export_params(module: nn.Sequential) -> Arrays:
    """The module's parameters in the notes' layout, as NumPy arrays of their own."""
    params: Arrays = {}
    for k, layer in enumerate(linears(module), start=1):
        params[f"W{k}"] = array(layer.weight).copy()
        params[f"b{k}"] = array(layer.bias).copy().reshape(-1, 1)
    return params


def export_grads(module: nn.Sequential) -> Arrays:
    """The gradients that backward left in the module, in the notes' layout, as NumPy arrays of their own.

    Raises ValueError if a parameter has none.
    """
    grads: Arrays = {}
    for k, layer in enumerate(linears(module), start=1):
        if layer.weight.grad is None or layer.bias.grad is None:
            raise ValueError(f"layer {k} has no gradient, expected one: call backward first")
        grads[f"dW{k}"] = array(layer.weight.grad).copy()
        grads[f"db{k}"] = array(layer.bias.grad).copy().reshape(-1, 1)
    return grads


class ForwardPass(NamedTuple):
    """Values of every layer in the notes' layout: A[0] = X, then A[l] and Z[l] (Z[0] is None)."""

    A: tuple[Tensor, ...]
    Z: tuple[Tensor | None, ...]


def forward(module: nn.Sequential, X: Tensor) -> ForwardPass:
    """Run the module and keep what every layer gives, in the notes' layout. X is (n_x, m)."""
    A: list[Tensor] = [X]
    Z: list[Tensor | None] = [None]
    rows = X.T
    for layer in module:
        rows = layer(rows)
        (Z if isinstance(layer, nn.Linear) else A).append(rows.T)
    return ForwardPass(tuple(A), tuple(Z))


def cost(module: nn.Sequential, forward_pass: ForwardPass, Y: Tensor, lambda_: float = 0.0) -> Tensor:
    """The regularised cost, from the last Z by torch's loss on logits. Y is (n_L, m)."""
    Z_L = forward_pass.Z[-1]
    assert Z_L is not None
    J = OUTPUT_COSTS[output_unit(module)].from_Z(Z_L, Y)
    if lambda_:
        J = J + l2_penalty([layer.weight for layer in linears(module)], lambda_, Y.shape[1])
    return J


def backward(module: nn.Sequential, J: Tensor) -> Arrays:
    """Autograd from the cost: the gradients, left in the module and returned in the notes' layout."""
    module.zero_grad()
    J.backward()  # type: ignore[no-untyped-call]
    return export_grads(module)


def predict(module: nn.Sequential, X: NDArray[Any]) -> NDArray[Any]:
    """The network's answer in the layout of Y, as manual.network.predict gives it. X is (n_x, m)."""
    weight = linears(module)[0].weight
    with torch.no_grad():
        A_L = module(torch.from_numpy(X.T).to(weight)).T
    unit = output_unit(module)
    if unit == "sigmoid":
        A_L = (A_L > 0.5).to(A_L)
    elif unit == "softmax":
        A_L = nn.functional.one_hot(A_L.argmax(dim=0), A_L.shape[0]).T.to(A_L)
    return array(A_L)


def module_with(architecture: Architecture, params: Arrays, *, device: str = "cpu") -> nn.Sequential:
    """A module of the architecture with these parameters, in their dtype.

    Raises ValueError where the parameters do not fit.
    """
    check_parameters(architecture, params)
    dtype = DTYPES[np.dtype(params["W1"].dtype)]
    return load_params(build(architecture, device=device, dtype=dtype), params)
