"""torch's side of the layers of manual.layers: the modules that each is made of, and the way back from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor, nn

from manual.layers import Add, BatchNorm, Conv, Dense, Dropout, Flatten, Layer, LayerNorm, Pool, Shape, Unit
from torch_ref.activations import UNITS
from torch_ref.activations import Unit as TorchUnit
from torch_ref.pooling import POOLS


class TorchLayer(NamedTuple):
    """A layer in torch.

    ``build`` makes its modules from the layer, the shape of its input, dtype and device; ``read`` makes the layer from
    each module that stands for it and the name that an error calls the module by. A layer with parameters is read
    without its unit, which is a module of its own.
    """

    build: Callable[..., list[nn.Module]]
    read: Mapping[type[nn.Module], Callable[[str, Any], Layer]]


class MaskedDropout(nn.Dropout):
    """nn.Dropout that takes the mask it is given, in torch's layout; without one it draws its own, as nn.Dropout does.

    In evaluation nothing is dropped.
    """

    mask: Tensor | None = None

    def forward(self, rows: Tensor) -> Tensor:
        """A * mask / keep_prob, where keep_prob is torch's 1 - p."""
        if self.mask is None or not self.training:
            return super().forward(rows)
        return rows * self.mask / (1 - self.p)


class Sum(nn.Module):
    """A skip: the sum of what comes from below and of an earlier value."""

    inplace = False

    def forward(self, rows: Tensor, earlier: Tensor) -> Tensor:
        """Entry by entry."""
        return rows + earlier


def unit(name: str) -> nn.Module:
    """The module of an activation."""
    return UNITS[name].kind(**UNITS[name].options)


def _linear(layer: Dense, shape: Shape, **where: Any) -> list[nn.Module]:
    return [nn.Linear(shape[0], layer.units, **where), unit(layer.activation)]


def _read_linear(name: str, module: nn.Linear) -> Layer:
    return Dense(module.out_features, "identity")


def _convolution(layer: Conv, shape: Shape, **where: Any) -> list[nn.Module]:
    module = nn.Conv2d(shape[2], layer.filters, layer.sides, layer.stride, layer.padding, **where)
    return [module, unit(layer.activation)]


def _read_convolution(name: str, module: nn.Conv2d) -> Layer:
    rule = "the notes derive no other convolution"
    demand(name, module, {"dilation": (1, 1), "groups": 1, "padding_mode": "zeros"}, rule)
    f_H, f_W = (int(side) for side in module.kernel_size)
    stride = _one(name, "stride", module.stride)
    pad: Any = module.padding
    pad = {"valid": 0, "same": "same"}[pad] if isinstance(pad, str) else (int(pad[0]), int(pad[1]))
    try:
        return Conv(module.out_channels, (f_H, f_W), stride=stride, pad=pad, activation="identity")
    except ValueError as error:
        raise ValueError(f"{name} has padding = {pad!r}: {error}") from None


def _pool(layer: Pool, shape: Shape, **where: Any) -> list[nn.Module]:
    return [POOLS[layer.mode].module(layer.size, layer.stride)]


NO_OTHER_WINDOWS = "the notes lay whole windows inside the volume"


def _read_largest(name: str, module: nn.MaxPool2d) -> Layer:
    demand(name, module, {"return_indices": False}, "the notes have the values alone")
    for option, value in (("padding", 0), ("dilation", 1)):
        if _one(name, option, getattr(module, option)) != value:
            raise ValueError(f"{name} has {option} = {getattr(module, option)}, expected {value}: {NO_OTHER_WINDOWS}")
    return _read_pool(name, module, "max")


def _read_average(name: str, module: nn.AvgPool2d) -> Layer:
    demand(name, module, {"divisor_override": None}, "an average divides by the number of cells")
    if _one(name, "padding", module.padding):
        raise ValueError(f"{name} has padding = {module.padding}, expected 0: {NO_OTHER_WINDOWS}")
    return _read_pool(name, module, "average")


def _read_pool(name: str, module: nn.MaxPool2d | nn.AvgPool2d, mode: str) -> Layer:
    demand(name, module, {"ceil_mode": False}, NO_OTHER_WINDOWS)
    size = _one(name, "kernel_size", module.kernel_size)
    return Pool(size, _one(name, "stride", module.stride), mode)


def _flatten(layer: Flatten, shape: Shape, **where: Any) -> list[nn.Module]:
    return [nn.Flatten()]


def _read_flatten(name: str, module: nn.Flatten) -> Layer:
    demand(name, module, {"start_dim": 1, "end_dim": -1}, "every example becomes one column")
    return Flatten()


def _dropout(layer: Dropout, shape: Shape, **where: Any) -> list[nn.Module]:
    return [MaskedDropout(1 - layer.keep_prob)]


def _read_dropout(name: str, module: nn.Dropout) -> Layer:
    try:
        return Dropout(1 - module.p)
    except ValueError as error:
        raise ValueError(f"{name} has p = {module.p}: {error}") from None


NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm)


def _batch_norm(layer: BatchNorm, shape: Shape, **where: Any) -> list[nn.Module]:
    kind = nn.BatchNorm1d if len(shape) == 1 else nn.BatchNorm2d
    module = kind(shape[-1], eps=layer.epsilon, momentum=layer.momentum, **where)
    return [module, unit(layer.activation)]


def _read_batch_norm(name: str, module: nn.BatchNorm1d | nn.BatchNorm2d) -> Layer:
    demand(name, module, {"track_running_stats": True}, "in use it normalises with its running statistics")
    if module.momentum is None:
        raise ValueError(f"{name} has momentum = None, expected a number: the running statistics are moving averages")
    return BatchNorm(momentum=module.momentum, epsilon=module.eps)


def _layer_norm(layer: LayerNorm, shape: Shape, **where: Any) -> list[nn.Module]:
    sides = shape if len(shape) == 1 else (shape[2], *shape[:2])
    return [nn.LayerNorm(sides, eps=layer.epsilon, **where), unit(layer.activation)]


def _read_layer_norm(name: str, module: nn.LayerNorm) -> Layer:
    return LayerNorm(epsilon=module.eps)


def _sum(layer: Add, shape: Shape, **where: Any) -> list[nn.Module]:
    return [Sum()]


def _unit(layer: Unit, shape: Shape, **where: Any) -> list[nn.Module]:
    return [unit(layer.activation)]


LAYERS: dict[type[Layer], TorchLayer] = {
    Dense: TorchLayer(_linear, {nn.Linear: _read_linear}),
    Conv: TorchLayer(_convolution, {nn.Conv2d: _read_convolution}),
    Pool: TorchLayer(_pool, {nn.MaxPool2d: _read_largest, nn.AvgPool2d: _read_average}),
    Flatten: TorchLayer(_flatten, {nn.Flatten: _read_flatten}),
    Dropout: TorchLayer(_dropout, {nn.Dropout: _read_dropout, MaskedDropout: _read_dropout}),
    BatchNorm: TorchLayer(_batch_norm, {nn.BatchNorm1d: _read_batch_norm, nn.BatchNorm2d: _read_batch_norm}),
    LayerNorm: TorchLayer(_layer_norm, {nn.LayerNorm: _read_layer_norm}),
    Add: TorchLayer(_sum, {}),
    Unit: TorchLayer(_unit, {}),
}
"""Every kind of layer."""

READERS: dict[type[nn.Module], Callable[[str, Any], Layer]] = {
    kind: read for layer in LAYERS.values() for kind, read in layer.read.items()
}
"""The layer that each of torch's modules stands for."""


def demand(name: str, module: nn.Module, expected: Mapping[str, Any], rule: str, alike: tuple[Any, ...] = ()) -> None:
    """ValueError unless the module's options are these, or ``alike``."""
    for option, value in expected.items():
        got = getattr(module, option)
        if got not in (value, *alike):
            raise ValueError(f"{name} has {option} = {got!r}, expected {value!r}: {rule}")


def _one(name: str, option: str, value: Any) -> int:
    """A number that is the same in both directions."""
    both = value if isinstance(value, tuple) else (value, value)
    if both[0] != both[1]:
        raise ValueError(f"{name} has {option} = {value}, expected the same number in both directions")
    return int(both[0])


def _read_unit(activation: str, of: TorchUnit, name: str, module: nn.Module) -> str:
    demand(name, module, of.options, of.rule, of.alike)
    return activation


UNIT_READERS: dict[type[nn.Module], Callable[[str, nn.Module], str]] = {
    of.kind: partial(_read_unit, activation, of) for activation, of in UNITS.items() if of.kind is not nn.Identity
}
"""The activation that each of torch's modules is; nn.Identity is none."""
