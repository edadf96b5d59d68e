"""How much a training step has to compute, as torch counts it."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from manual.architecture import Architecture
from torch_ref.layers import MaskedDropout
from torch_ref.network import build_on


def operations(architecture: Architecture, m: int) -> int:
    """Floating point operations of the products of a forward and backward pass over m examples.

    On the meta device, where tensors have no memory and nothing is computed. Nobody asks for the derivative in X.
    """
    meta = torch.device("meta")
    module = build_on(meta, architecture, torch.float32)
    layers = nn.Sequential(*(layer for layer in module if not isinstance(layer, MaskedDropout)))
    inputs = architecture.inputs
    sides = (inputs,) if isinstance(inputs, int) else (inputs[2], *inputs[:2])
    with FlopCounterMode(display=False) as counted:
        torch.autograd.grad(layers(torch.empty(m, *sides, device=meta)).sum(), list(layers.parameters()))
    return int(counted.get_total_flops())
