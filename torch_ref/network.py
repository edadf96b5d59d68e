"""The same architectures as modules of standard layers. Parameters cross in the notes' layout, both ways.

A module holds architecture and parameters both, so the functions here take it where manual.network takes the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from manual.architecture import Architecture
from manual.checks import Masks, check_parameters, masks_by_layer
from manual.layers import Flatten, Weighted
from torch_ref.costs import OUTPUT_COSTS, l2_penalty
from torch_ref.devices import DTYPES, array, device_named, shared
from torch_ref.layers import LAYERS, NORMS, MaskedDropout
from torch_ref.layout import from_rows, to_rows

Arrays: TypeAlias = dict[str, NDArray[Any]]


class Network(nn.Sequential):
    """An nn.Sequential of standard layers that knows the architecture it was built from.

    It takes and returns torch's layout: examples in rows, (m, n), and images as (m, n_C, n_H, n_W).
    """

    architecture: Architecture
    sources: tuple[int | None, ...]
    """For every module the place of the one whose value it adds, -1 for the input; None for all that add none."""

    def nodes(self) -> tuple[tuple[int, str, nn.Module], ...]:
        """(l, "Z" or "A", module): what every module of the sequence computes."""
        return self._nodes

    @cached_property
    def _nodes(self) -> tuple[tuple[int, str, nn.Module], ...]:
        kinds = [(l, quantity) for l, _, k in self.architecture.numbered() for quantity in ("ZA" if k else "A")]
        return tuple((l, quantity, module) for (l, quantity), module in zip(kinds, self, strict=True))

    def forward(self, rows: Tensor) -> Tensor:
        """A[L] in rows."""
        return self.through(rows, len(self))

    def through(self, rows: Tensor, count: int) -> Tensor:
        """What the first ``count`` modules make of rows."""
        added = self.sources
        kept = {-1: rows}
        for place, module in enumerate(islice(self, count)):
            source = added[place]
            rows = module(rows) if source is None else module(rows, kept[source])
            if place in added:
                kept[place] = rows
        return rows

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """Where the parameters are, in the architecture's order."""
        modules = {l: module for l, quantity, module in self.nodes() if quantity == "Z"}
        return tuple(
            Slot(f"{letter}{k}", letter, modules[l], channels(self.architecture, l - 1))
            for l, layer, k in self.architecture.numbered()
            if isinstance(layer, Weighted)
            for letter in layer.parameter_shapes(self.architecture.shapes[l - 1])
        )

    def learned(self) -> list[Slot]:
        """The slots of what has a gradient."""
        return [slot for slot in self.slots if slot.letter in "Wb"]


class Logits(nn.Module):
    """A network without its output unit, which the losses on logits hold."""

    def __init__(self, network: Network) -> None:
        """It shares the network's modules."""
        super().__init__()
        self.network = network

    def forward(self, rows: Tensor) -> Tensor:
        """Z[L] in rows."""
        return self.network.through(rows, len(self.network) - 1)


class Slot(NamedTuple):
    """A parameter W1, b1, mean1, ... and the module that has it; n_C is the layout of its input, see channels."""

    name: str
    letter: str
    owner: Any
    n_C: int

    @property
    def tensor(self) -> Tensor:
        """Where it is: a parameter, or a buffer of running statistics."""
        found: Tensor = getattr(self.owner, ATTRIBUTES[self.letter])
        return found

    def to_torch(self, value: NDArray[Any]) -> NDArray[Any]:
        """A value in torch's layout: a norm's as one example; filters (n_C, n_C_prev, f_H, f_W); columns in order."""
        if isinstance(self.owner, NORMS):
            return to_rows(shared(value), self.n_C)[0].numpy().reshape(self.tensor.shape)
        if self.letter == "b":
            return value.ravel()
        if value.ndim == 4:
            return value.transpose(3, 2, 0, 1)
        return value.reshape(len(value), -1, self.n_C).transpose(0, 2, 1).reshape(value.shape)

    def from_torch(self, value: NDArray[Any]) -> NDArray[Any]:
        """The way back, as an array of its own."""
        if isinstance(self.owner, NORMS):
            sides = (-1, 1, 1) if isinstance(self.owner, nn.BatchNorm2d) else value.shape
            return array(from_rows(shared(value.reshape(1, *sides)), self.n_C)).copy()
        filters = self.owner.weight.ndim == 4
        if self.letter == "b":
            return value.reshape((1, 1, 1, -1) if filters else (-1, 1)).copy()
        if filters:
            return value.transpose(2, 3, 1, 0).copy()
        return value.reshape(len(value), self.n_C, -1).transpose(0, 2, 1).reshape(value.shape).copy()


ATTRIBUTES = {"W": "weight", "b": "bias", "mean": "running_mean", "variance": "running_var"}
"""torch's names for a layer's parameters and running statistics."""


def build(architecture: Architecture, *, device: str = "cpu", dtype: torch.dtype = torch.float64) -> Network:
    """A sequence of standard layers: nn.Linear, nn.Conv2d or norm and the activation, pooling, nn.Flatten, nn.Dropout.

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
    for l, layer in enumerate(architecture.layers, start=1):
        source = layer.source
        if source is not None and channels(architecture, source) != channels(architecture, l - 1):
            rule = "torch flattens channels first, so their entries lie in different orders"
            raise ValueError(f"layer {l} adds A[{source}] to A[{l - 1}], expected both flattened or neither: {rule}")
    module = Network(*modules)
    module.architecture = architecture
    ends = {l: place for place, (l, _, _) in enumerate(module.nodes())}
    added = (architecture.layers[l - 1].source for l, _, _ in module.nodes())
    module.sources = tuple(None if source is None else ends.get(source, -1) for source in added)
    return module


def channels(architecture: Architecture, l: int) -> int:
    """Channels that torch's columns of A[l] are ordered by: n_C between Flatten and the next dense layer, else 1."""
    while l and architecture.layers[l - 1].entry_by_entry:
        l -= 1
    flattened = l > 0 and isinstance(architecture.layers[l - 1], Flatten)
    return architecture.shapes[l - 1][2] if flattened else 1


def load_params(module: Network, params: Arrays) -> Network:
    """Copy parameters in the notes' layout into the module.

    Raises ValueError where names or shapes do not fit.
    """
    check_parameters(module.architecture, params)
    with torch.no_grad():
        for slot in module.slots:
            slot.tensor.copy_(shared(slot.to_torch(params[slot.name])))
    return module


def to_torch(module: Network, arrays: Arrays) -> Iterator[tuple[Tensor, Tensor]]:
    """Every parameter of the module with its array of dW1, db1, dW2, ... as a tensor of its own in torch's layout."""
    for slot in module.learned():
        value = shared(slot.to_torch(arrays["d" + slot.name]))
        yield slot.tensor, value.to(slot.tensor, copy=True).contiguous()


def from_torch(module: Network, of: Callable[[Tensor], Tensor], prefix: str) -> Arrays:
    """What ``of`` gives for everything that is learned, in the notes' layout, as NumPy arrays of their own."""
    return {prefix + slot.name: slot.from_torch(array(of(slot.tensor))) for slot in module.learned()}


def load_grads(module: Network, grads: Arrays) -> Network:
    """Set the parameters' gradients to ``grads``, given in the notes' layout."""
    for parameter, gradient in to_torch(module, grads):
        parameter.grad = gradient
    return module


def export_params(module: Network) -> Arrays:
    """The module's parameters in the notes' layout, as NumPy arrays of their own."""
    return {slot.name: slot.from_torch(array(slot.tensor)) for slot in module.slots}


def export_grads(module: Network) -> Arrays:
    """The gradients that backward left in the module, in the notes' layout, as NumPy arrays of their own.

    Raises ValueError if a parameter has none.
    """
    for slot in module.learned():
        if slot.tensor.grad is None:
            raise ValueError(f"{slot.name} has no gradient, expected one: call backward first")
    return from_torch(module, lambda parameter: parameter.grad, "d")  # type: ignore[arg-type, return-value]


class ForwardPass(NamedTuple):
    """Values of every layer in the notes' layout: A[0] = X, then A[l] and Z[l], which is None where there is none."""

    A: tuple[Tensor, ...]
    Z: tuple[Tensor | None, ...]


def forward(module: Network, X: Tensor, masks: Masks = None) -> ForwardPass:
    """Run the module and keep what every layer gives, in the notes' layout. X is (n_x, m) or (m, n_H, n_W, n_C).

    With masks, one for every dropout layer in the notes' layout, the module is put into training, without into
    evaluation; in training batch norm moves its running statistics.

    Raises ValueError where the masks do not fit.
    """
    set_masks(module, masks, X.shape[0] if X.ndim == 4 else X.shape[1])
    A: list[Tensor] = [X]
    Z: list[Tensor | None] = [None] * (len(module.architecture.layers) + 1)
    rows = to_rows(X)
    seen = [rows]
    for (l, quantity, layer), source in zip(module.nodes(), module.sources, strict=True):
        rows = layer(rows) if source is None else layer(rows, seen[source + 1])
        seen.append(rows)
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
    """The penalty's part of the cost, over all weights, convolutions' too; the gamma of norms is none."""
    weights = module.architecture.weights
    return l2_penalty([slot.tensor for slot in module.slots if slot.name in weights], lambda_, m)


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
