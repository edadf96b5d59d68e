"""Pooling through F.max_pool2d and F.avg_pool2d, in the notes' layout. Counterpart of manual.pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from torch_ref.gradients import gradient
from torch_ref.layout import from_rows, to_rows


class Pooling(NamedTuple):
    """torch's function and module of one way of pooling; both take (size, stride)."""

    function: Callable[..., Tensor]
    module: Callable[[Any, Any], nn.Module]


POOLS: dict[str, Pooling] = {
    "max": Pooling(functional.max_pool2d, nn.MaxPool2d),
    "average": Pooling(functional.avg_pool2d, nn.AvgPool2d),
}


def pool_forward(A_prev: Tensor, size: int, stride: int, *, mode: str = "max") -> Tensor:
    """F.max_pool2d or F.avg_pool2d, which take channels first."""
    return from_rows(POOLS[mode].function(to_rows(A_prev), size, stride))


def pool_backward(dA: Tensor, A_prev: Tensor, size: int, stride: int, *, mode: str = "max") -> Tensor:
    """Autograd through the pooling."""
    return gradient(lambda at: pool_forward(at, size, stride, mode=mode), A_prev, dA)
