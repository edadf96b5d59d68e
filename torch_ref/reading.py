"""A person's own module read back: its layers as an Architecture, its parameters in the notes' layout.

What is read is an nn.Sequential, nested or not, of torch's own layers. Their exact types are asked for, without hooks:
a subclass may compute something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from manual.architecture import Architecture
from manual.layers import OUTPUT_UNITS, Conv, Dense, Dropout, Flatten, Layer, Pool
from torch_ref import network
from torch_ref.activations import LEAKY_SLOPE
from torch_ref.network import Arrays, MaskedDropout, Network


class Reading(NamedTuple):
    """What a module is.

    ``params`` are in float64 and in the notes' layout. ``logits`` says that the module ends without a unit, as torch's
    losses on logits want it: the architecture then says identity, and ``with_output`` gives it another. ``training``
    says whether dropout drops, ``remarks`` what a reader should know.
    """

    architecture: Architecture
    params: Arrays
    logits: bool
    training: bool
    remarks: tuple[str, ...]

    def with_output(self, unit: str) -> Reading:
        """The same with this output unit.

        Raises ValueError for a unit that has no cost, and where the module ends in another one.
        """
        if unit not in OUTPUT_UNITS:
            raise ValueError(f"output is {unit!r:.40}, expected one of {', '.join(OUTPUT_UNITS)}")
        net = self.architecture
        if not self.logits and unit != net.output_unit:
            raise ValueError(f"output is {unit!r}, expected {net.output_unit!r}: the module ends in it")
        return self._replace(architecture=Architecture(net.inputs, (*net.layers[:-1], Dense(net.outputs, unit))))


def read(module: nn.Module, shape: Sequence[int]) -> Reading:
    """The architecture and the parameters of a module; ``shape`` is that of one example: (n,) or (n_C, n_H, n_W).

    A layer without bias gets a bias of zero, which changes no value.

    Raises ValueError, which names the layer, for one that the notes do not derive, an option that they do not have, an
    activation that does not follow a layer with parameters, and parameters that are shared or not finite.
    """
    layers: list[Layer] = []
    weighted: list[tuple[str, nn.Linear | nn.Conv2d]] = []
    remarks, before, bare = [], "the input", False
    for name, each in leaves(module):
        if type(each) in (nn.Identity, *UNITS, *LAYERS):
            _check_plain(name, each)
        if type(each) is nn.Identity:
            continue
        if type(each) in UNITS:
            if not bare:
                raise ValueError(f"{name} follows {before}, expected it directly after a layer with parameters")
            layers[-1] = _with_unit(layers[-1], UNITS[type(each)](name, each))
            bare = False
        elif type(each) in LAYERS:
            layer = LAYERS[type(each)](name, each)
            if not (isinstance(layer, Flatten) and _is_flat(shape, layers)):
                layers.append(layer)
                bare = isinstance(layer, Dense | Conv)
            if isinstance(each, nn.Linear | nn.Conv2d):
                weighted.append((name, each))
                if each.bias is None:
                    remarks.append(f"{name} has no bias: a bias of zero stands for it, which changes no value")
        else:
            known = ", ".join(sorted(kind.__name__ for kind in (*LAYERS, *UNITS) if kind is not MaskedDropout))
            raise ValueError(f"{name} is not known, expected an nn.Sequential of {known}")
        before = name
    _check_own(weighted)
    inputs = shape[0] if len(shape) == 1 else (shape[1], shape[2], shape[0])
    architecture = Architecture(inputs, tuple(layers))
    return Reading(architecture, _params(architecture, weighted), bare, _drops(module), tuple(remarks))


def _drops(module: nn.Module) -> bool:
    """Whether dropout drops: its layers say so, where there are any.

    Raises ValueError where they do not agree.
    """
    modes = {name: each.training for name, each in leaves(module) if isinstance(each, nn.Dropout)}
    if len(set(modes.values())) > 1:
        words = (f"{name} is in {'training' if mode else 'evaluation'}" for name, mode in modes.items())
        raise ValueError(f"{', '.join(words)}, expected all layers of dropout in one of them")
    return next(iter(modes.values()), module.training)


def leaves(module: nn.Module, place: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The layers of a sequence of sequences, in order, each with the name that an error calls it by.

    Raises ValueError for hooks.
    """
    name = f"layer {place} ({type(module).__name__})" if place else f"the module ({type(module).__name__})"
    if isinstance(module, nn.Sequential) and type(module) in (nn.Sequential, Network):
        _check_plain(name, module)
        for number, each in enumerate(module):
            yield from leaves(each, f"{place}.{number}" if place else str(number))
    else:
        yield name, module


def _check_plain(name: str, module: nn.Module) -> None:
    """ValueError for hooks, also on a parameter's gradient, and for a forward that was put in place of torch's."""
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    of_parameters = (value._backward_hooks for value in module.parameters(recurse=False))
    if any(hooks) or any(of_parameters):
        raise ValueError(f"{name} has hooks, expected none: they may change what it computes")
    if "forward" in vars(module):
        raise ValueError(f"{name} has a forward of its own, expected that of its type")


def _is_flat(shape: Sequence[int], layers: Sequence[Layer]) -> bool:
    """Whether what comes out of these layers is columns already."""
    return len(shape) == 1 or any(isinstance(layer, Flatten | Dense) for layer in layers)


def _demand(name: str, module: nn.Module, expected: dict[str, Any], rule: str) -> None:
    """ValueError unless the module's options are these."""
    for option, value in expected.items():
        got = getattr(module, option)
        if got != value:
            raise ValueError(f"{name} has {option} = {got!r}, expected {value!r}: {rule}")


def _one(name: str, option: str, value: Any) -> int:
    """A number that is the same in both directions."""
    both = value if isinstance(value, tuple) else (value, value)
    if both[0] != both[1]:
        raise ValueError(f"{name} has {option} = {value}, expected the same number in both directions")
    return int(both[0])


def _linear(name: str, module: nn.Linear) -> Layer:
    return Dense(module.out_features, "identity")


def _convolution(name: str, module: nn.Conv2d) -> Layer:
    rule = "the notes derive no other convolution"
    _demand(name, module, {"dilation": (1, 1), "groups": 1, "padding_mode": "zeros"}, rule)
    f_H, f_W = (int(side) for side in module.kernel_size)
    stride = _one(name, "stride", module.stride)
    pad: Any = module.padding
    pad = {"valid": 0, "same": "same"}[pad] if isinstance(pad, str) else (int(pad[0]), int(pad[1]))
    try:
        return Conv(module.out_channels, (f_H, f_W), stride=stride, pad=pad, activation="identity")
    except ValueError as error:
        raise ValueError(f"{name} has padding = {pad!r}: {error}") from None


def _largest(name: str, module: nn.MaxPool2d) -> Layer:
    _demand(name, module, {"return_indices": False}, "the notes have the values alone")
    for option, value in (("padding", 0), ("dilation", 1)):
        if _one(name, option, getattr(module, option)) != value:
            raise ValueError(f"{name} has {option} = {getattr(module, option)}, expected {value}: {NO_OTHER_WINDOWS}")
    return _pool(name, module, "max")


def _average(name: str, module: nn.AvgPool2d) -> Layer:
    _demand(name, module, {"divisor_override": None}, "an average divides by the number of cells")
    if _one(name, "padding", module.padding):
        raise ValueError(f"{name} has padding = {module.padding}, expected 0: {NO_OTHER_WINDOWS}")
    return _pool(name, module, "average")


NO_OTHER_WINDOWS = "the notes lay whole windows inside the volume"


def _pool(name: str, module: nn.MaxPool2d | nn.AvgPool2d, mode: str) -> Layer:
    _demand(name, module, {"ceil_mode": False}, NO_OTHER_WINDOWS)
    size = _one(name, "kernel_size", module.kernel_size)
    return Pool(size, _one(name, "stride", module.stride), mode)


def _flatten(name: str, module: nn.Flatten) -> Layer:
    _demand(name, module, {"start_dim": 1, "end_dim": -1}, "every example becomes one column")
    return Flatten()


def _dropout(name: str, module: nn.Dropout) -> Layer:
    try:
        return Dropout(1 - module.p)
    except ValueError as error:
        raise ValueError(f"{name} has p = {module.p}: {error}") from None


LAYERS: dict[type, Callable[[str, Any], Layer]] = {
    nn.Linear: _linear,
    nn.Conv2d: _convolution,
    nn.MaxPool2d: _largest,
    nn.AvgPool2d: _average,
    nn.Flatten: _flatten,
    nn.Dropout: _dropout,
    MaskedDropout: _dropout,
}
"""The layer that each of torch's stands for; those with parameters come without their unit."""


def _softmax(name: str, module: nn.Softmax) -> str:
    if module.dim not in (1, -1):
        raise ValueError(f"{name} has dim = {module.dim}, expected 1: classes lie beside each other in a row")
    return "softmax"


def _leaky_relu(name: str, module: nn.LeakyReLU) -> str:
    _demand(name, module, {"negative_slope": LEAKY_SLOPE}, "the slope of the notes")
    return "leaky_relu"


UNITS: dict[type, Callable[[str, Any], str]] = {
    nn.Sigmoid: lambda name, module: "sigmoid",
    nn.Tanh: lambda name, module: "tanh",
    nn.ReLU: lambda name, module: "relu",
    nn.LeakyReLU: _leaky_relu,
    nn.Softmax: _softmax,
}
"""The activation that each of torch's modules is; nn.Identity is none."""


def _with_unit(layer: Layer, unit: str) -> Layer:
    """The same layer with an activation."""
    if isinstance(layer, Dense):
        return Dense(layer.units, unit)
    assert isinstance(layer, Conv)
    return Conv(layer.filters, layer.size, stride=layer.stride, pad=layer.pad, activation=unit)


def _check_own(weighted: Sequence[tuple[str, nn.Linear | nn.Conv2d]]) -> None:
    """ValueError for parameters that two layers share, that are no real numbers, or not finite."""
    seen: dict[int, str] = {}
    for name, module in weighted:
        for option, value in module.named_parameters():
            if id(value) in seen:
                raise ValueError(f"{name} shares its {option} with {seen[id(value)]}, expected parameters of its own")
            seen[id(value)] = name
            if value.is_meta:
                raise ValueError(f"the {option} of {name} is on the meta device, expected one that holds numbers")
            if not value.is_floating_point():
                raise ValueError(f"the {option} of {name} is {value.dtype}, expected real numbers")
            if not torch.isfinite(value).all():
                raise ValueError(f"the {option} of {name} has entries that are not finite, expected finite numbers")


def _params(architecture: Architecture, weighted: Sequence[tuple[str, nn.Linear | nn.Conv2d]]) -> Arrays:
    """The parameters in the notes' layout, through a module of standard layers.

    Raises ValueError where a layer takes another number of inputs than the one below gives.
    """
    module = network.build(architecture)
    with torch.no_grad():
        for (_, _, own, _), (name, theirs) in zip(module.weighted(), weighted, strict=True):
            if own.weight.shape != theirs.weight.shape:
                got, given = theirs.weight.shape[1], own.weight.shape[1]
                raise ValueError(f"{name} takes {got} inputs, expected {given}: so many come from below")
            own.weight.copy_(theirs.weight)
            assert own.bias is not None
            own.bias.copy_(torch.zeros_like(own.bias) if theirs.bias is None else theirs.bias)
    return network.export_params(module)
