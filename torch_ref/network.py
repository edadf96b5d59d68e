"""The same architectures as modules of standard layers. Parameters cross in the notes' layout, both ways.

A module holds architecture and parameters both, so the functions here take it where manual.network takes the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from manual.architecture import Architecture
from manual.checks import Masks, check_parameters, masks_by_layer
from manual.layers import Flatten, Layer
from torch_ref.costs import OUTPUT_COSTS, l2_penalty
from torch_ref.devices import DTYPES, array, device_named, shared
from torch_ref.layers import LAYERS, MaskedDropout
from torch_ref.layout import from_rows, to_rows

Arrays: TypeAlias = dict[str, NDArray[Any]]


class Network(nn.Sequential):
    """An nn.Sequential of standard layers that knows the architecture it was built from.

    It takes and returns torch's layout: examples in rows, (m, n), and images as (m, n_C, n_H, n_W).
    """

    architecture: Architecture

    def nodes(self) -> tuple[tuple[int, str, nn.Module], ...]:
        """(l, "Z" or "A", module): what every module of the sequence computes."""
        return self._nodes

    @cached_property
    def _nodes(self) -> tuple[tuple[int, str, nn.Module], ...]:
        kinds = [(l, quantity) for l, _, k in self.architecture.numbered() for quantity in ("ZA" if k else "A")]
        return tuple((l, quantity, module) for (l, quantity), module in zip(kinds, self, strict=True))

    def weighted(self) -> tuple[tuple[int, Layer, nn.Linear | nn.Conv2d, int], ...]:
        """(k, layer, module, n_C) of every layer with parameters; n_C is the layout of its input, see channels."""
        return self._weighted

    @cached_property
    def _weighted(self) -> tuple[tuple[int, Layer, nn.Linear | nn.Conv2d, int], ...]:
        numbered = self.architecture.numbered()
        return tuple(
            (numbered[l - 1][2], numbered[l - 1][1], module, channels(self.architecture, l - 1))  # type: ignore[misc]
            for l, quantity, module in self.nodes()
            if quantity == "Z"
        )


def build(architecture: Architecture, *, device: str = "cpu", dtype: torch.dtype = torch.float64) -> Network:
    """A sequence of standard layers: nn.Linear or nn.Conv2d and the activation, pooling, nn.Flatten, nn.Dropout.

    The module takes and returns torch's layout, as torch's modules do, and ends in the output unit. Its parameters are
    torch's own draws: load_params sets them. nn.Flatten puts the channels first, so the weights of the dense layer
    above it are torch's, with their columns in that order; load_params and export_params translate.

    Raises ValueError for an unknown or absent device.
    """
    return build_on(device_named(device), architecture, dtype)


def build_on(device: torch.device, architecture: Architecture, dtype: torch.dtype) -> Network:
    """``build`` on any device of torch's: on the meta device, where parameters take no memory, too."""
    where = {"dtype": dtype, "device": device}
    modules: list[nn.Module] = []
    for layer, shape in zip(architecture.layers, architecture.shapes, strict=False):
        modules += LAYERS[type(layer)].build(layer, shape, **where)
    module = Network(*modules)
    module.architecture = architecture
    return module


def channels(architecture: Architecture, l: int) -> int:
    """Channels that torch's columns of A[l] are ordered by: n_C between Flatten and the next dense layer, else 1."""
    while l and architecture.layers[l - 1].masked:
        l -= 1
    flattened = l > 0 and isinstance(architecture.layers[l - 1], Flatten)
    return architecture.shapes[l - 1][2] if flattened else 1


def _weight_to_torch(W: NDArray[Any], n_C: int) -> NDArray[Any]:
    """W in torch's layout: filters (n_C, n_C_prev, f_H, f_W); a dense layer's as it is, columns in torch's order."""
    if W.ndim == 4:
        return W.transpose(3, 2, 0, 1)
    return W.reshape(len(W), -1, n_C).transpose(0, 2, 1).reshape(W.shape)


def _weight_from_torch(weight: NDArray[Any], n_C: int) -> NDArray[Any]:
    """The way back."""
    if weight.ndim == 4:
        return weight.transpose(2, 3, 1, 0).copy()
    return weight.reshape(len(weight), n_C, -1).transpose(0, 2, 1).reshape(weight.shape).copy()


def _bias_from_torch(bias: NDArray[Any], weight: Tensor) -> NDArray[Any]:
    """A flat bias as (1, 1, 1, n_C) for filters, (n_l, 1) for a dense layer."""
    return bias.reshape((1, 1, 1, -1) if weight.ndim == 4 else (-1, 1)).copy()


def load_params(module: Network, params: Arrays) -> Network:
    """Copy parameters in the notes' layout into the module.

    Raises ValueError where names or shapes do not fit.
    """
    check_parameters(module.architecture, params)
    with torch.no_grad():
        for k, _, layer, n_C in module.weighted():
            layer.weight.copy_(shared(_weight_to_torch(params[f"W{k}"], n_C)))
            assert layer.bias is not None
            layer.bias.copy_(shared(params[f"b{k}"].ravel()))
    return module


def to_torch(module: Network, arrays: Arrays) -> Iterator[tuple[Tensor, Tensor]]:
    """Every parameter of the module with its array of dW1, db1, dW2, ... as a tensor of its own in torch's layout."""
    for k, _, layer, n_C in module.weighted():
        weight, bias = _weight_to_torch(arrays[f"dW{k}"], n_C), arrays[f"db{k}"].ravel()
        assert layer.bias is not None
        yield layer.weight, shared(weight).to(layer.weight, copy=True).contiguous()
        yield layer.bias, shared(bias).to(layer.bias, copy=True)


def from_torch(module: Network, of: Callable[[Tensor], Tensor], prefix: str) -> Arrays:
    """What ``of`` gives for every parameter, in the notes' layout, as NumPy arrays of their own."""
    found: Arrays = {}
    for k, _, layer, n_C in module.weighted():
        assert layer.bias is not None
        found[f"{prefix}W{k}"] = _weight_from_torch(array(of(layer.weight)), n_C)
        found[f"{prefix}b{k}"] = _bias_from_torch(array(of(layer.bias)), layer.weight)
    return found


def load_grads(module: Network, grads: Arrays) -> Network:
    """Set the parameters' gradients to ``grads``, given in the notes' layout."""
    for parameter, gradient in to_torch(module, grads):
        parameter.grad = gradient
    return module


def export_params(module: Network) -> Arrays:
    """The module's parameters in the notes' layout, as NumPy arrays of their own."""
    return from_torch(module, lambda parameter: parameter, "")


def export_grads(module: Network) -> Arrays:
    """The gradients that backward left in the module, in the notes' layout, as NumPy arrays of their own.

    Raises ValueError if a parameter has none.
    """
    for k, _, layer, _ in module.weighted():
        if layer.weight.grad is None or layer.bias is None or layer.bias.grad is None:
            raise ValueError(f"the layer of W{k} has no gradient, expected one: call backward first")
    return from_torch(module, lambda parameter: parameter.grad, "d")  # type: ignore[arg-type, return-value]


class ForwardPass(NamedTuple):
    """Values of every layer in the notes' layout: A[0] = X, then A[l] and Z[l], which is None where there is none."""

    A: tuple[Tensor, ...]
    Z: tuple[Tensor | None, ...]


def forward(module: Network, X: Tensor, masks: Masks = None) -> ForwardPass:
    """Run the module and keep what every layer gives, in the notes' layout. X is (n_x, m) or (m, n_H, n_W, n_C).

    With masks, one for every dropout layer in the notes' layout, the module is put into training, without into
    evaluation.

    Raises ValueError where the masks do not fit.
    """
    set_masks(module, masks, X.shape[0] if X.ndim == 4 else X.shape[1])
    A: list[Tensor] = [X]
    Z: list[Tensor | None] = [None] * (len(module.architecture.layers) + 1)
    rows = to_rows(X)
    for l, quantity, layer in module.nodes():
        rows = layer(rows)
        value = from_rows(rows, channels(module.architecture, l))
        if quantity == "Z":
            Z[l] = value
        else:
            A.append(value)
    return ForwardPass(tuple(A), tuple(Z))


def set_masks(module: Network, masks: Masks, m: int) -> None:
    """Hand every dropout layer its mask and put the module into training; without masks, into evaluation."""
    by_layer = masks_by_layer(module.architecture, masks, m)
    for l, _, layer in module.nodes() if module.architecture.masked_layers() else ():
        if isinstance(layer, MaskedDropout):
            mask, parameter = by_layer[l], next(module.parameters())
            n_C = channels(module.architecture, l)
            layer.mask = None if mask is None else to_rows(shared(np.asarray(mask)), n_C).to(parameter)
    if module.training != (masks is not None):
        module.train(masks is not None)


def cost(module: Network, forward_pass: ForwardPass, Y: Tensor, lambda_: float = 0.0) -> Tensor:
    """The regularised cost, from the last Z by torch's loss on logits. Y is (n_L, m)."""
    Z_L = forward_pass.Z[-1]
    assert Z_L is not None
    J = OUTPUT_COSTS[module.architecture.output_unit].from_Z(Z_L, Y)
    return J + penalty(module, lambda_, Y.shape[1]) if lambda_ else J


def penalty(module: Network, lambda_: float, m: int) -> Tensor:
    """The penalty's part of the cost, over all weights, convolutions' too."""
    return l2_penalty([layer.weight for _, _, layer, _ in module.weighted()], lambda_, m)


def backward(module: Network, J: Tensor) -> Arrays:
    """Autograd from the cost: the gradients, left in the module and returned in the notes' layout."""
    module.zero_grad()
    J.backward()  # type: ignore[no-untyped-call]
    return export_grads(module)


def predict(module: Network, X: NDArray[Any]) -> NDArray[Any]:
    """The network's answer in the layout of Y, as manual.network.predict gives it. X is as there."""
    module.eval()
    with torch.no_grad():
        A_L = module(to_rows(shared(X)).to(next(module.parameters()))).T
    unit = module.architecture.output_unit
    if unit == "sigmoid":
        A_L = (A_L > 0.5).to(A_L)
    elif unit == "softmax":
        A_L = nn.functional.one_hot(A_L.argmax(dim=0), A_L.shape[0]).T.to(A_L)
    return array(A_L)


def module_with(architecture: Architecture, params: Arrays, *, device: str = "cpu") -> Network:
    """A module of the architecture with these parameters, in their dtype.

    Raises ValueError where the parameters do not fit.
    """
    check_parameters(architecture, params)
    dtype = DTYPES[np.dtype(params["W1"].dtype)]
    return load_params(build(architecture, device=device, dtype=dtype), params)
