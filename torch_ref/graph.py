"""A training step of a small network as one CUDA graph: launched once instead of kernel by kernel.

What is captured runs from a batch to the cost, Z[L] and the gradients; clipping and the optimiser follow as ever. The
eager step is the plain path, and the one that is compared.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from torch_ref.network import MaskedDropout, Network

WARM_UP = 3
"""Runs before a capture, in which libraries choose their algorithms."""

Capture = Callable[[Callable[[], None]], Callable[[], None]]
"""From a function that reads and writes the same memory every time to one that repeats it."""


def on_cuda(run: Callable[[], None]) -> Callable[[], None]:
    """Capture a CUDA graph; what comes back replays it."""
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UP):
            run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


class StepGraph:
    """Cost, Z[L] and gradients of batches of one size."""

    def __init__(
        self,
        module: Network,
        forward: Callable[[Tensor], Tensor],
        cost: Callable[[Tensor, Tensor], Tensor],
        X: Tensor,
        Y: Tensor,
        capture: Capture = on_cuda,
    ) -> None:
        """Capture the step on a first batch; the module has its masks."""
        self.X, self.Y = X.clone(), Y.clone()
        self.parameters = list(module.parameters())
        self.gradients = [torch.empty_like(value) for value in self.parameters]
        self.dropouts = [layer for layer in module if isinstance(layer, MaskedDropout) and layer.mask is not None]
        self.masks = [layer.mask.clone() for layer in self.dropouts if layer.mask is not None]
        self._hand_over()
        with torch.no_grad():
            Z_L = forward(self.X)
        self.Z_L, self.J = torch.empty_like(Z_L), torch.empty((), dtype=self.Y.dtype, device=self.Y.device)
        self.forward, self.cost = forward, cost
        self.replay = capture(self._run)

    def _run(self) -> None:
        """Forward, cost, autograd: all results into memory that stays where it is."""
        Z_L = self.forward(self.X)
        J = self.cost(Z_L, self.Y)
        found = torch.autograd.grad(J, self.parameters)
        with torch.no_grad():
            for kept, gradient in zip(self.gradients, found, strict=True):
                kept.copy_(gradient)
            self.Z_L.copy_(Z_L)
            self.J.copy_(J)

    def _hand_over(self) -> None:
        """Give the dropout layers the masks that the graph reads."""
        for layer, mask in zip(self.dropouts, self.masks, strict=True):
            layer.mask = mask

    def step(self, X: Tensor, Y: Tensor) -> tuple[Tensor, Tensor]:
        """Cost and Z[L] of a batch; its gradients are left in the parameters. The module has the batch's masks."""
        self.X.copy_(X)
        self.Y.copy_(Y)
        for layer, mask in zip(self.dropouts, self.masks, strict=True):
            assert layer.mask is not None
            mask.copy_(layer.mask)
        self._hand_over()
        self.replay()
        for parameter, gradient in zip(self.parameters, self.gradients, strict=True):
            parameter.grad = gradient
        return self.J.clone(), self.Z_L.clone()
