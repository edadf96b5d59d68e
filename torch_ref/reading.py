"""A module of the user's read back: its layers as an Architecture, its parameters in the notes' layout.

What is read is an nn.Sequential, nested or not, of torch's own layers. Their exact types are asked for, without hooks:
a subclass may compute something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import nn

from manual.architecture import Architecture
from manual.layers import OUTPUT_UNITS, Dense, Flatten, Layer, Weighted
from torch_ref import network
from torch_ref.layers import READERS, UNIT_READERS, MaskedDropout
from torch_ref.network import Arrays, Network


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
        if type(each) in (nn.Identity, *UNIT_READERS, *READERS):
            _check_plain(name, each)
        if type(each) is nn.Identity:
            continue
        if type(each) in UNIT_READERS:
            if not (bare and isinstance(layers[-1], Weighted)):
                raise ValueError(f"{name} follows {before}, expected it directly after a layer with parameters")
            layers[-1] = layers[-1].with_unit(UNIT_READERS[type(each)](name, each))
            bare = False
        elif type(each) in READERS:
            layer = READERS[type(each)](name, each)
            if not (isinstance(layer, Flatten) and _is_flat(shape, layers)):
                layers.append(layer)
                bare = layer.has_parameters
            if isinstance(each, nn.Linear | nn.Conv2d):
                weighted.append((name, each))
                if each.bias is None:
                    remarks.append(f"{name} has no bias: a bias of zero stands for it, which changes no value")
        else:
            known = ", ".join(sorted(kind.__name__ for kind in (*READERS, *UNIT_READERS) if kind is not MaskedDropout))
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
