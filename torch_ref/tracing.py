"""The order in which a module calls its layers, and what it adds: torch.fx runs its forward on symbols."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import fx, nn
from torch.nn import functional

from torch_ref.layers import Sum


class Step(NamedTuple):
    """A layer by the name that an error calls it by, and the numbers of the steps it takes; -1 is the input."""

    name: str
    module: nn.Module
    inputs: tuple[int, ...]


def _dropout(p: float = 0.5, training: bool = True, inplace: bool = False) -> nn.Module:
    return nn.Dropout(p, inplace).train(training)


def _max_pool(
    kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False, **others: bool
) -> nn.Module:
    return nn.MaxPool2d(kernel_size, stride, padding, dilation, ceil_mode=ceil_mode, **others)


FUNCTIONS: dict[Any, Callable[..., nn.Module]] = {
    **dict.fromkeys((torch.relu, functional.relu, "relu"), nn.ReLU),
    **dict.fromkeys((torch.tanh, functional.tanh, "tanh"), nn.Tanh),
    **dict.fromkeys((torch.sigmoid, functional.sigmoid, "sigmoid"), nn.Sigmoid),
    **dict.fromkeys((torch.softmax, functional.softmax, "softmax"), nn.Softmax),
    **dict.fromkeys((torch.flatten, "flatten"), lambda start_dim=0, end_dim=-1: nn.Flatten(start_dim, end_dim)),
    functional.leaky_relu: nn.LeakyReLU,
    functional.max_pool2d: _max_pool,
    functional.avg_pool2d: nn.AvgPool2d,
    functional.dropout: _dropout,
    **dict.fromkeys((operator.add, operator.iadd, torch.add, "add", "add_"), Sum),
}
"""The layer that stands for a function of torch, or for a method of tensors by its name."""

ADDED_IN_PLACE = (operator.iadd, "add_")


def traced(module: nn.Module) -> list[Step]:
    """What the module's forward calls, in order.

    Raises ValueError for a forward that torch.fx cannot follow, several inputs or outputs, and functions of another
    kind.
    """
    try:
        graph = fx.Tracer().trace(module)
    except Exception as error:  # it runs a person's code
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"the module ({type(module).__name__}) cannot be followed by torch.fx: {reason}") from None
    steps: list[Step] = []
    numbers: dict[fx.Node, int] = {}
    for node in graph.nodes:
        if node.op == "placeholder":
            if numbers:
                raise ValueError(f"forward takes {node.name} too, expected one input")
            numbers[node] = -1
        elif node.op == "output":
            if node.args[0] not in numbers or numbers[node.args[0]] != len(steps) - 1:
                raise ValueError("forward returns something else than its last layer gives, expected that alone")
        elif not _is_size(node):
            steps.append(_step(module, node, numbers))
            numbers[node] = len(steps) - 1
    return steps


def _step(module: nn.Module, node: fx.Node, numbers: dict[fx.Node, int]) -> Step:
    """The layer of a node."""
    if node.op == "call_module":
        layer = module.get_submodule(str(node.target))
        return Step(f"layer {node.target} ({type(layer).__name__})", layer, _inputs(node, numbers))
    name = f"{node.name} in forward"
    first, *others = node.args or (None,)
    if node.target in ("view", "reshape") and len(others) == 2 and others[1] == -1:
        return Step(name, nn.Flatten(), (numbers[first],))  # type: ignore[index]
    if node.op == "get_attr" or node.target not in FUNCTIONS:
        known = ", ".join(sorted({key for key in FUNCTIONS if isinstance(key, str)}))
        raise ValueError(f"{name} is not known, expected torch's layers, {known}, max_pool2d, avg_pool2d or dropout")
    if FUNCTIONS[node.target] is Sum:
        inputs = _inputs(node, numbers)
        if len(inputs) != 2 or node.kwargs:
            raise ValueError(f"{name} adds a number or a multiple, expected the sum of two layers' values")
        layer = Sum()
        layer.inplace = node.target in ADDED_IN_PLACE
        return Step(name, layer, inputs)
    try:
        return Step(name, FUNCTIONS[node.target](*others, **node.kwargs), _inputs(node, numbers))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} has arguments that its layer does not take: {error}") from None


def _inputs(node: fx.Node, numbers: dict[fx.Node, int]) -> tuple[int, ...]:
    return tuple(numbers[each] for each in node.args if isinstance(each, fx.Node) and each in numbers)


def _is_size(node: fx.Node) -> bool:
    """Whether it is the number of examples, which flattening is told."""
    if node.target is getattr:
        return node.args[1] == "shape"
    if node.target is operator.getitem:
        return isinstance(node.args[0], fx.Node) and _is_size(node.args[0])
    return node.target == "size"
