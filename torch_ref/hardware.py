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
        """Set torch's global switches and name the device.

        Raises ValueError for an unknown or absent device, and for a graph elsewhere than on CUDA.
        """
        device = device_named(self.device)
        if self.graph and device.type != "cuda":
            raise ValueError(
                f"graph is asked for on {device}, expected a CUDA device: others have no graphs to capture"
            )
        precision = "tf32" if self.tf32 else "ieee"
        torch.backends.cuda.matmul.fp32_precision = precision
        torch.backends.cudnn.conv.fp32_precision = precision  # type: ignore[attr-defined]
        torch.use_deterministic_algorithms(self.deterministic)
        return device
