"""Where torch computes, and how: the switches of a run, and how much a step has to compute."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from manual.architecture import Architecture
from torch_ref.devices import device_named
from torch_ref.network import build_on

GRAPH = ("auto", "on", "off")

SMALL_STEP = 2 * 10**9
"""Operations of a step that a GPU needs less time for than Python for launching its kernels."""

CUBLAS = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
"""What torch demands of the environment before deterministic products on CUDA."""

EPOCHS_TO_PAY = 4
"""A capture takes as long as two or three epochs."""


@dataclass(frozen=True)
class Hardware:
    """Where torch computes, and how.

    ``amp`` runs the forward pass in bfloat16 (autocast), and takes float32 alone; ``tf32`` lets CUDA round the factors
    of float32 products to 10 bits; ``compile`` hands the module to torch.compile; ``graph`` captures steps of a small
    network as a CUDA graph: on, off, or auto, where it pays; ``deterministic`` refuses operations whose results vary.
    """

    device: str = "cpu"
    amp: bool = False
    tf32: bool = False
    compile: bool = False
    deterministic: bool = False
    graph: str = "off"

    def set_up(self) -> torch.device:
        """Name the device, and set those of torch's global switches that are asked for or concern it.

        Raises ValueError for an unknown or absent device, and for a graph elsewhere than on CUDA.
        """
        device = device_named(self.device)
        if self.graph not in GRAPH:
            raise ValueError(f"graph is {self.graph!r:.40}, expected one of {', '.join(GRAPH)}")
        if self.graph == "on" and device.type != "cuda":
            raise ValueError(f"graph is on for {device}, expected a CUDA device: others have no graphs to capture")
        if device.type == "cuda":
            _set_tf32(self.tf32)
        if self.deterministic:
            os.environ.setdefault(*CUBLAS)
            torch.use_deterministic_algorithms(True)
        return device

    def captures(self, device: torch.device, dtype: torch.dtype, processes: int, step: int, epochs: int) -> bool:
        """Whether the steps of a run are captured, each of which has ``step`` operations.

        Raises ValueError where a graph is asked for and cannot be had.
        """
        if self.graph == "on":
            if processes > 1:
                raise ValueError(f"graph is on with {processes} processes, expected one: they exchange gradients")
            if dtype != torch.float32:
                raise ValueError(f"graph is on and X has dtype {dtype}, expected torch.float32: a graph's rate has it")
            return True
        fits = device.type == "cuda" and dtype == torch.float32 and processes == 1 and not self.compile
        return self.graph == "auto" and fits and step <= SMALL_STEP and epochs >= EPOCHS_TO_PAY


def _set_tf32(on: bool) -> None:
    """Whether CUDA may round the factors of float32 products."""
    holders, name = _precisions()
    for holder in holders:
        setattr(holder, name, ("tf32" if on else "ieee") if name == "fp32_precision" else on)


def _precisions() -> tuple[tuple[Any, Any], str]:
    """Where torch keeps how it reads float32 factors, of matrices and of convolutions, and under which name."""
    if hasattr(torch.backends.cudnn, "conv"):
        return (torch.backends.cuda.matmul, torch.backends.cudnn.conv), "fp32_precision"
    return (torch.backends.cuda.matmul, torch.backends.cudnn), "allow_tf32"


@contextmanager
def products(tf32: bool = False, *, cudnn: bool | None = None) -> Iterator[None]:
    """Within, CUDA's products are in the format that is asked for: float32 or TF32 factors, sums never in bfloat16.

    ``cudnn`` says whether it may convolve. Afterwards torch's switches are as they were.
    """
    holders, name = _precisions()
    sums = torch.backends.cuda.matmul, "allow_bf16_reduced_precision_reduction"
    switches = [*((holder, name) for holder in holders), sums, (torch.backends.cudnn, "enabled")]
    before = [getattr(holder, switch) for holder, switch in switches]
    _set_tf32(tf32)
    setattr(*sums, False)
    if cudnn is not None:
        torch.backends.cudnn.enabled = cudnn
    try:
        yield
    finally:
        for (holder, switch), value in zip(switches, before, strict=True):
            setattr(holder, switch, value)


def operations(architecture: Architecture, m: int) -> int:
    """Floating point operations of the products of a forward and backward pass over m examples.

    On the meta device, where tensors have no memory and nothing is computed. Nobody asks for the derivative in X.
    """
    meta = torch.device("meta")
    layers = build_on(meta, architecture, torch.float32).eval()
    inputs = architecture.inputs
    sides = (inputs,) if isinstance(inputs, int) else (inputs[2], *inputs[:2])
    with FlopCounterMode(display=False) as counted:
        torch.autograd.grad(layers(torch.empty(m, *sides, device=meta)).sum(), list(layers.parameters()))
    return int(counted.get_total_flops())
