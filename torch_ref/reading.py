"""A module of the user's read back: its layers as an Architecture, its parameters in the notes' layout.

What is read is an nn.Sequential, nested or not, of torch's own layers, or a module whose ``forward`` puts such layers
one after the other and adds earlier values: torch.fx says in which order. Their exact types are asked for, without
hooks: a subclass may compute something else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from manual.architecture import Architecture
from manual.layers import OUTPUT_UNITS, Add, Dense, Flatten, Layer, Unit, Weighted
from torch_ref import network
from torch_ref.layers import NORMS, READERS, UNIT_READERS, MaskedDropout, Sum
from torch_ref.network import ATTRIBUTES, Arrays, Network
from torch_ref.tracing import Step, traced


class Reading(NamedTuple):
    """What a module is.

    ``params`` are in float64 and in the notes' layout. ``logits`` says that the module ends without a unit, as torch's
    losses on logits want it: the architecture then says identity, and ``with_output`` gives it another. ``training``
    says whether dropout drops and batch norm normalises by the batch, ``remarks`` what a reader should know.
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

    A layer without bias gets a bias of zero, and a norm without gamma a gamma of one, which changes no value.

    Raises ValueError, which names the layer, for one that the notes do not derive, an option that they do not have, a
    path with layers of its own beside the sequence, and parameters that are shared or not finite.
    """
    steps = _steps(module)
    takers = Counter(source for step in steps for source in step.inputs)
    layers: list[Layer] = []
    weighted: list[tuple[str, nn.Module]] = []
    remarks: list[str] = []
    places, bare = {-1: 0}, -2  # the layer whose A a step gives; the last step that still wants its unit
    for number, step in enumerate(steps):
        name, each = step.name, step.module
        if type(each) in (nn.Identity, *UNIT_READERS, *READERS):
            _check_plain(name, each)
        source = _below(step, places, len(layers))
        if type(each) is Sum:
            (added,) = set(step.inputs) - {source} or {source}
            layers.append(Add(places[added]))
        elif type(each) in UNIT_READERS:
            unit = UNIT_READERS[type(each)](name, each)
            last = layers[-1] if layers else None
            if source == bare and takers[source] == 1 and isinstance(last, Weighted):
                layers[-1] = last.with_unit(unit)
            else:
                layers.append(Unit(unit))
        elif type(each) in READERS:
            layer = READERS[type(each)](name, each)
            if not (isinstance(layer, Flatten) and _is_flat(shape, layers)):
                layers.append(layer)
            if layer.has_parameters:
                bare = number
                weighted.append((name, each))
                remarks += _remarks(name, each)
        elif type(each) is nn.Identity:
            bare = number if bare == source else bare
        else:
            known = ", ".join(sorted(kind.__name__ for kind in (*READERS, *UNIT_READERS) if kind is not MaskedDropout))
            raise ValueError(f"{name} is not known, expected an nn.Sequential of {known}")
        if getattr(each, "inplace", False) and takers[source] > 1:
            raise ValueError(f"{name} works in place, expected a copy: its input is added further up")
        places[number] = len(layers)
    _check_own(weighted)
    inputs = shape[0] if len(shape) == 1 else (shape[1], shape[2], shape[0])
    architecture = Architecture(inputs, tuple(layers))
    logits = isinstance(layers[-1], Dense) and layers[-1].activation == "identity" and bare >= 0
    params = _params(architecture, weighted)
    return Reading(architecture, params, logits, _trains(module, steps), tuple(remarks))


def _steps(module: nn.Module) -> list[Step]:
    """What the module does, in order: the layers of a sequence, or what torch.fx finds."""
    found = list(leaves(module))
    if all(type(each) in (nn.Identity, *UNIT_READERS, *READERS) for _, each in found):
        return [Step(name, each, (number - 1,)) for number, (name, each) in enumerate(found)]
    for name, each in module.named_modules():
        if isinstance(each, nn.Sequential) or not type(each).__module__.startswith("torch.nn"):
            _check_plain(f"layer {name} ({type(each).__name__})" if name else "the module", each)
    return traced(module)


def _below(step: Step, places: dict[int, int], last: int) -> int:
    """The step whose value goes on; ValueError unless it is the last layer's."""
    for source in reversed(step.inputs):
        if places[source] == last:
            return source
    rule = f"that of layer {last}, the last before it: a path with layers of its own is not read"
    raise ValueError(f"{step.name} takes what layer {places[step.inputs[0]]} gives, expected {rule}")


def _remarks(name: str, module: Any) -> Iterator[str]:
    """What the module lacks."""
    if module.weight is None:
        yield f"{name} has no gamma and beta: 1 and 0 stand for them, which changes no value"
    elif module.bias is None:
        yield f"{name} has no bias: a bias of zero stands for it, which changes no value"


def _trains(module: nn.Module, steps: Sequence[Step]) -> bool:
    """Whether dropout drops and batch norm takes the batch's statistics: the layers say so, where there are any.

    Raises ValueError where they do not agree.
    """
    asked = (nn.Dropout, nn.BatchNorm1d, nn.BatchNorm2d)
    modes = {step.name: step.module.training for step in steps if isinstance(step.module, asked)}
    if len(set(modes.values())) > 1:
        words = (f"{name} is in {'training' if mode else 'evaluation'}" for name, mode in modes.items())
        raise ValueError(f"{', '.join(words)}, expected all layers of dropout and batch norm in one of them")
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


def _check_own(weighted: Sequence[tuple[str, nn.Module]]) -> None:
    """ValueError for parameters that two layers share, that are no real numbers, or not finite."""
    seen: dict[int, str] = {}
    for name, module in weighted:
        for option, value in _values(module).items():
            if id(value) in seen:
                raise ValueError(f"{name} shares its {option} with {seen[id(value)]}, expected parameters of its own")
            seen[id(value)] = name
            if value.is_meta:
                raise ValueError(f"the {option} of {name} is on the meta device, expected one that holds numbers")
            if not value.is_floating_point():
                raise ValueError(f"the {option} of {name} is {value.dtype}, expected real numbers")
            if not torch.isfinite(value).all():
                raise ValueError(f"the {option} of {name} has entries that are not finite, expected finite numbers")


def _values(module: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and running statistics by their names in torch, without those that the module lacks."""
    found = {name: getattr(module, name, None) for name in ATTRIBUTES.values()}
    return {name: value for name, value in found.items() if value is not None}


def _params(architecture: Architecture, weighted: Sequence[tuple[str, nn.Module]]) -> Arrays:
    """The parameters in the notes' layout, through a module of standard layers.

    Raises ValueError where a layer takes another number of inputs than the one below gives.
    """
    module = network.build(architecture)
    owners = [slot.owner for slot in module.slots if slot.letter == "W"]
    with torch.no_grad():
        for own, (name, theirs) in zip(owners, weighted, strict=True):
            got, given = _inputs_of(theirs), _inputs_of(own)
            if got != given or not isinstance(theirs, type(own)):
                raise ValueError(f"{name} takes {got} inputs, expected {given}: so many come from below")
            values = _values(theirs)
            for option, value in _values(own).items():
                value.copy_(values.get(option, torch.full_like(value, float(option == "weight"))))
    return network.export_params(module)


def _inputs_of(module: Any) -> Any:
    """The number of features or channels that a layer takes; what a layer norm takes."""
    if isinstance(module, nn.LayerNorm):
        return " x ".join(map(str, module.normalized_shape))
    return module.num_features if isinstance(module, NORMS) else module.weight.shape[1]
