"""Sizes as torch finds them, on the meta device: tensors without memory. Counterpart of manual.shapes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv_output_size(n: int, f: int, *, pad: int = 0, stride: int = 1) -> int:
    """The length of what F.conv1d gives."""
    signal, window = torch.empty(1, 1, n, device="meta"), torch.empty(1, 1, f, device="meta")
    return functional.conv1d(signal, window, stride=stride, padding=pad).shape[2]


def rectangular_output_sizes(vertical: Tensor, horizontal: Tensor, stride: Tensor) -> Tensor:
    """(n_H, n_W) of F.conv2d for every column: ``vertical`` and ``horizontal`` hold n, f and p in their rows."""
    found = []
    for of_H, of_W, s in zip(vertical.T.tolist(), horizontal.T.tolist(), stride.tolist(), strict=True):
        (n_H, f_H, p_H), (n_W, f_W, p_W) = ([int(size) for size in of_side] for of_side in (of_H, of_W))
        images, filters = torch.empty(1, 1, n_H, n_W, device="meta"), torch.empty(1, 1, f_H, f_W, device="meta")
        found.append(functional.conv2d(images, filters, stride=int(s), padding=(p_H, p_W)).shape[2:])
    return torch.tensor(found, dtype=vertical.dtype).T


def parameter_count(module: nn.Module) -> int:
    """Numbers that a module would train; on the meta device it may have billions."""
    return sum(parameter.numel() for parameter in module.parameters())


def dense_parameter_count(inputs: int, units: int, *, bias: bool = True) -> int:
    """Those of nn.Linear."""
    return parameter_count(nn.Linear(inputs, units, bias=bias, device="meta"))


def conv_parameter_count(f: int, channels: int, filters: int, *, bias: bool = True) -> int:
    """Those of nn.Conv2d."""
    return parameter_count(nn.Conv2d(channels, filters, f, bias=bias, device="meta"))
