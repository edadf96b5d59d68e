"""Where torch computes, and how: the switches of a run."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from torch_ref.devices import device_named


@dataclass(frozen=True)
class Hardware:
    """Where torch computes, and how.

    ``amp`` runs the forward pass in bfloat16 (autocast), and takes float32 alone; ``tf32`` lets CUDA round the factors
    of float32 products to 10 bits; ``compile`` hands the module to torch.compile; ``graph`` captures the step of a
    small network as a CUDA graph; ``deterministic`` refuses operations whose results vary.
    """

    device: str = "cpu"
    amp: bool = False
    tf32: bool = False
    compile: bool = False
    deterministic: bool = False
    graph: bool = False

    def set_up(self) -> torch.device:
        """Name the device, and set those of torch's global switches that are asked for or concern it.

        Raises ValueError for an unknown or absent device, and for a graph elsewhere than on CUDA.
        """
        device = device_named(self.device)
        if self.graph and device.type != "cuda":
            raise ValueError(
                f"graph is asked for on {device}, expected a CUDA device: others have no graphs to capture"
            )
        if device.type == "cuda":
            _set_tf32(self.tf32)
        if self.deterministic:
            torch.use_deterministic_algorithms(True)
        return device


def _set_tf32(on: bool) -> None:
    """Whether CUDA may round the factors of float32 products, by whichever switches this torch has."""
    if hasattr(torch.backends.cudnn, "conv"):
        precision = "tf32" if on else "ieee"
        torch.backends.cuda.matmul.fp32_precision = precision
        torch.backends.cudnn.conv.fp32_precision = precision
    else:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = on
