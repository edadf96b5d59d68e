"""What a GPU and several processes change, modelled by plain arithmetic on the CPU."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from manual import conv, dense
from parity_tests.conventions.convention import Convention
from parity_tests.conventions.convolution import volume
from parity_tests.formulas.case import N_1, N_X, normal
from parity_tests.formulas.conv import conv_forward_bound
from parity_tests.formulas.dense import dW_bound
from torch_ref.conv import conv_forward
from torch_ref.gradients import gradient

SHARDS = [11, 3]
"""Examples of each process."""


def to_tf32(A: Tensor) -> Tensor:
    """float32 with a mantissa of 10 bits, as the tensor cores read it: 13 bits rounded away, ties to even."""
    bits = A.contiguous().view(torch.int32)
    return ((bits + 0xFFF + ((bits >> 13) & 1)) & ~0x1FFF).view(torch.float32)


def _in_tf32(A_prev: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return conv_forward(to_tf32(A_prev), to_tf32(W), b)


def _gradient_of_mean(dZ: Tensor, A_prev: Tensor, W: Tensor) -> Tensor:
    """A process's gradient of the mean loss over its own examples."""
    return _gradient_of_sum(dZ, A_prev, W) / dZ.shape[1]


def _gradient_of_sum(dZ: Tensor, A_prev: Tensor, W: Tensor) -> Tensor:
    """A process's gradient of the summed loss over its own examples."""
    return gradient(lambda at: functional.linear(A_prev.T, at), W, dZ.T)


def _shards(dZ: Tensor, A_prev: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """The examples of each process."""
    return zip(torch.split(dZ, SHARDS, dim=1), torch.split(A_prev, SHARDS, dim=1), strict=True)


def _mean_of_means(dZ: Tensor, A_prev: Tensor, W: Tensor) -> Tensor:
    """What DDP does with mean losses."""
    return torch.stack([_gradient_of_mean(*shard, W) for shard in _shards(dZ, A_prev)]).mean(dim=0)


def _mean_of_sums(dZ: Tensor, A_prev: Tensor, W: Tensor) -> Tensor:
    """What DDP does with losses that are summed, times the number of processes, over the examples of all."""
    factor = len(SHARDS) / sum(SHARDS)
    return torch.stack([factor * _gradient_of_sum(*shard, W) for shard in _shards(dZ, A_prev)]).mean(dim=0)


CONVENTIONS = (
    Convention(
        "devices.tf32",
        "float32 on a GPU",
        notes="none",
        torch="cuDNN convolutions read float32 as TF32, with 10 bits of mantissa",
        translation="torch.backends.cudnn.allow_tf32 = False, or conv.fp32_precision = 'ieee' there",
        formulas="F225",
        inputs=volume,
        manual=conv.conv_forward,
        exact=conv_forward,
        naive={"inputs and filters in TF32": _in_tf32},
        bounds={"Z": lambda u, at: conv_forward_bound(u, at.A_prev, at.W, at.b)},
        dtypes=("float32",),
        model="on the CPU: inputs and filters rounded to 10 bits, the sums in float32",
    ),
    Convention(
        "devices.uneven_shards",
        "several processes (DDP)",
        notes="dW carries 1/m of the whole batch",
        torch="the mean of the processes' gradients",
        translation="each process: its summed loss * processes / examples of all",
        formulas="F053 F213",
        inputs=lambda rng: {
            "dZ": normal(rng, N_1, sum(SHARDS)),
            "A_prev": normal(rng, N_X, sum(SHARDS)),
            "W": normal(rng, N_1, N_X),
        },
        manual=dense.weight_gradient,
        exact=_mean_of_sums,
        naive={"mean losses, shards of 11 and 3": _mean_of_means},
        bounds={"dW": lambda u, at: dW_bound(u, at.dZ, at.A_prev, at.W)},
        model="in one process: the shards' gradients averaged as DDP does",
    ),
)
