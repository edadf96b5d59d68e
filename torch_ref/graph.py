"""Steps of a small network as one CUDA graph: launched at once instead of kernel by kernel.

A step of a small network takes a GPU less time than it takes Python to launch its kernels. So steps are queued, and
made when somebody looks at what came of them: for every sequence of batch sizes one graph, from the batches to costs,
answers, gradients and updated parameters. The eager step is the plain path, and the one that is compared.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torch_ref import network
from torch_ref.clipping import shortened
from torch_ref.devices import array
from torch_ref.layers import MaskedDropout
from torch_ref.network import Network

WARM_UP = 2
"""Runs before a capture, in which libraries choose their algorithms."""

Masks = Sequence[NDArray[Any] | None] | None

Capture = Callable[[Callable[[], None]], Callable[[], None]]
"""From a function that reads and writes the same memory every time to one that repeats it."""


def on_cuda(device: torch.device, run: Callable[[], None]) -> Callable[[], None]:
    """Capture a CUDA graph; what comes back replays it.

    The stream is the device's own, which need not be torch's current one: what another stream is given is not captured.
    """
    with torch.cuda.device(device):
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                run()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=side):
            run()
        torch.cuda.current_stream().wait_stream(side)
    return graph.replay


class Recorded:
    """A function of tensors, recorded once and repeated on other values of the same shapes."""

    def __init__(
        self,
        function: Callable[..., Any],
        inputs: Sequence[Tensor],
        changes: Sequence[Tensor],
        capture: Capture,
    ) -> None:
        """Record it. ``changes`` are the tensors that it changes in place; they are left as they were."""
        self.inputs = [value.clone() for value in inputs]
        before = [value.detach().clone() for value in changes]
        self.outputs: Any = None

        def run() -> None:
            self.outputs = function(*self.inputs)

        self.replay = capture(run)
        with torch.no_grad():
            for value, kept in zip(changes, before, strict=True):
                value.copy_(kept)

    def __call__(self, *inputs: Tensor) -> Any:
        """What the function returns; the next call overwrites it."""
        for held, value in zip(self.inputs, inputs, strict=True):
            held.copy_(value)
        self.replay()
        return self.outputs


def capture_on(device: torch.device) -> Capture | None:
    """How steps are captured on a device, where they can be."""
    return partial(on_cuda, device) if device.type == "cuda" else None


def capturable(rule: torch.optim.Optimizer, rate: Tensor | None = None) -> torch.optim.Optimizer:
    """The optimiser with its count of steps and this rate on the device, where a graph finds them; fused where it can.

    Its state is there already, as before the first step: a step without gradients is made and wiped out. The momentum
    of torch.optim.SGD starts with the first gradient, which is what zero and no dampening give.

    Raises ValueError for a rule with dampening.
    """
    if rule.defaults.get("dampening"):
        raise ValueError(
            "graph is on and dampening is above 0: torch leaves it out of the first step, a graph would not"
        )
    parameters = [value for group in rule.param_groups for value in group["params"]]
    for group in rule.param_groups:
        if rate is not None:
            group["lr"] = rate
        if "fused" in group:
            group["fused"], group["foreach"] = True, False
        if "capturable" in group:
            group["capturable"] = parameters[0].device.type == "cuda"
    for value in parameters:
        value.grad = torch.zeros_like(value)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This instance was constructed with capturable=True")  # it will be captured
        rule.step()
    rule.zero_grad(set_to_none=True)
    load(rule, {})
    return rule


def tensors(rule: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The tensors of the optimiser's state, by names such as 0.exp_avg."""
    return {
        f"{number}.{name}": value
        for number, part in rule.state_dict()["state"].items()
        for name, value in part.items()
        if isinstance(value, Tensor)
    }


def load(rule: torch.optim.Optimizer, state: Any) -> None:
    """Overwrite the optimiser's tensors where they are: with these arrays by name, or with zero."""
    with torch.no_grad():
        for name, value in tensors(rule).items():
            if name in state:
                value.copy_(torch.from_numpy(state[name]))
            else:
                value.zero_()


class Queued:
    """A step that is to be made; ``seen`` has its cost and A[L] afterwards."""

    def __init__(self, batch: NDArray[np.intp], masks: Masks) -> None:
        """The examples, and the masks of the dropout layers."""
        self.batch, self.masks = batch, masks
        self.seen: tuple[float, NDArray[Any]]


class Made(NamedTuple):
    """What a graph of steps leaves on the device: costs, A[L] of all examples in rows, the last step's gradients."""

    J: Tensor
    A_L: Tensor
    grads: tuple[Tensor, ...]


class Steps:
    """The queued steps of one network."""

    def __init__(
        self,
        module: Network,
        rule: torch.optim.Optimizer,
        taken: Callable[[NDArray[np.intp]], tuple[Tensor, Tensor]],
        cost: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
        clip: float | None,
        capture: Capture,
    ) -> None:
        """``taken`` gives examples and targets in rows; ``cost``, of the two, gives the cost and Z[L]."""
        self.module, self.taken, self.cost, self.clip, self.capture = module, taken, cost, clip, capture
        self.parameters = list(module.parameters())
        self.rate = torch.zeros((), dtype=torch.float32, device=self.parameters[0].device)
        self.rule = capturable(rule, self.rate)
        self.dropouts = [layer for layer in module if isinstance(layer, MaskedDropout)]
        self.recorded: dict[tuple[int, ...], Recorded] = {}
        self.queue: list[Queued] = []

    def add(self, batch: NDArray[np.intp], masks: Masks) -> Queued:
        """Queue a step."""
        self.queue.append(Queued(batch, masks))
        return self.queue[-1]

    def make(self) -> None:
        """Make the queued steps, in order."""
        if not self.queue:
            return
        steps, self.queue = self.queue, []
        sizes = tuple(len(step.batch) for step in steps)
        X, Y = self.taken(np.concatenate([step.batch for step in steps]))
        network.set_masks(self.module, _joined([step.masks for step in steps]), len(Y))
        masks = [layer.mask for layer in self.dropouts if layer.mask is not None]
        if sizes not in self.recorded:
            changes = [*self.parameters, *self.module.buffers(), *tensors(self.rule).values()]
            self.recorded[sizes] = Recorded(self._steps(sizes), (X, Y, *masks), changes, self.capture)
        made: Made = self.recorded[sizes](X, Y, *masks)
        for parameter, gradient in zip(self.parameters, made.grads, strict=True):
            parameter.grad = gradient
        costs, answers = array(made.J).tolist(), array(made.A_L)
        ends = np.cumsum((0, *sizes)).tolist()
        for step, J, (begin, end) in zip(steps, costs, pairwise(ends), strict=True):
            step.seen = J, answers[begin:end].T

    def _steps(self, sizes: tuple[int, ...]) -> Callable[..., Made]:
        """As many steps, each on its part of the examples."""
        ends = np.cumsum((0, *sizes)).tolist()

        def run(X: Tensor, Y: Tensor, *masks: Tensor) -> Made:
            costs, outputs = [], []
            for begin, end in pairwise(ends):
                for layer, mask in zip(self.dropouts, masks, strict=False):
                    layer.mask = mask[begin:end]
                J, Z_L = self.cost(X[begin:end], Y[begin:end])
                grads = torch.autograd.grad(J, self.parameters)
                for parameter, gradient in zip(self.parameters, grads, strict=True):
                    parameter.grad = gradient
                if self.clip is not None:
                    shortened(self.module, self.clip)
                self.rule.step()
                costs.append(J.detach())
                outputs.append(Z_L.detach())
            Z = torch.cat(outputs).to(self.parameters[0].dtype)
            return Made(torch.stack(costs), self.module[-1](Z), grads)

        return run


def _joined(masks: Sequence[Masks]) -> Masks:
    """The masks of several batches as those of one: columns beside each other, volumes behind each other."""
    if masks[0] is None:
        return None
    layers: list[Any] = [list(of_layer) for of_layer in zip(*masks, strict=True)]
    return [np.concatenate(each, axis=1 if each[0].ndim == 2 else 0) for each in layers]
