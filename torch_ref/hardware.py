"""Where torch computes, and how: the switches of a run."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from torch_ref.devices import device_named

GRAPH = ("auto", "on", "off")

SMALL_STEP = 2 * 10**9
"""Operations of a step that a GPU needs less time for than Python for launching its kernels."""

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
    """Whether CUDA may round the factors of float32 products, by whichever switches this torch has."""
    if hasattr(torch.backends.cudnn, "conv"):
        precision = "tf32" if on else "ieee"
        torch.backends.cuda.matmul.fp32_precision = precision
        torch.backends.cudnn.conv.fp32_precision = precision
    else:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = on
