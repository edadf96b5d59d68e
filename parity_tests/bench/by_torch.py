"""What the worker of torch is told to time: the loop that PyTorch's own tutorials write, run eagerly on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from manual.notation import Array, Parameters
from manual.shared.settings import Examples, Settings
from parity_tests.bench.sizes import LAMBDA, LEARNING_RATE, ConvData, Data, FitData
from torch_ref import training
from torch_ref.devices import array
from torch_ref.distributed import ALONE, World
from torch_ref.layout import filters_from_torch, filters_to_torch, from_rows, to_rows
from torch_ref.network import export_params, module_with


class Training:
    """torch.optim.SGD on an nn.Sequential: loss from logits, L2 as weight_decay on the weights and not on the biases.

    Everything that does not change from step to step is done here: examples go into rows, one-hot columns become
    class numbers, and the output unit is left out, since the loss contains it.
    """

    def __init__(self, data: Data, *, compiled: bool = False) -> None:
        """Start from the data's parameters; the network and its loss may be ``compiled`` together."""
        architecture, params, X, Y = data
        self.module = module_with(architecture, params)
        self.logits = nn.Sequential(*list(self.module)[:-1])
        self.X = torch.from_numpy(np.ascontiguousarray(X.T))
        self.loss: nn.Module
        if architecture.output_unit == "sigmoid":
            self.loss = nn.BCEWithLogitsLoss()  # the mean over all entries: over m, for one output
            self.Y = torch.from_numpy(np.ascontiguousarray(Y.T))
        else:
            self.loss = nn.CrossEntropyLoss()
            self.Y = torch.from_numpy(Y.argmax(axis=0))
        self.cost: Callable[[Tensor, Tensor], Tensor] = lambda X, Y: self.loss(self.logits(X), Y)
        if compiled:
            self.cost = torch.compile(self.cost, fullgraph=True, dynamic=False)
        layers = [slot.owner for slot in self.module.slots if slot.letter == "W"]
        self.rule = torch.optim.SGD(
            [
                {"params": [layer.weight for layer in layers], "weight_decay": LAMBDA / X.shape[1]},
                {"params": [layer.bias for layer in layers]},
            ],
            lr=LEARNING_RATE,
        )

    def step(self) -> Tensor:
        """Forward, cost, backward, update. The cost lacks the penalty: weight_decay acts on the gradient alone."""
        self.rule.zero_grad(set_to_none=True)
        J = self.cost(self.X, self.Y)
        J.backward()  # type: ignore[no-untyped-call]
        self.rule.step()
        return J

    def parameters(self) -> Parameters:
        """The parameters after the steps so far, in the notes' layout."""
        return export_params(self.module)


class SharedTraining:
    """torch_ref's own training, whose steps several processes may share; looked at after every step, as on a CPU."""

    def __init__(self, data: Data, world: World = ALONE) -> None:
        """Start from the data's parameters."""
        settings = Settings("gradient_descent", LEARNING_RATE, lambda_=LAMBDA)
        self.learner = training.Learner(data.architecture, Examples(data.X, data.Y), settings, world=world)
        self.learner.restore(data.params, None, 0)
        self.batch = np.arange(data.X.shape[1])

    def step(self) -> float:
        """Forward, cost, backward, exchange of gradients, update; the cost."""
        return self.learner.look(self.learner.step(self.batch, None))[0]

    def second_cost(self) -> float:
        """The cost after a step."""
        self.step()
        return self.step()


def shared_step(data: Data) -> Callable[[], object]:
    """A training step of torch_ref's own, in one process."""
    return SharedTraining(data).step


def step(data: Data) -> Callable[[], object]:
    """A training step."""
    return Training(data).step


def compiled_step(data: Data) -> Callable[[], object]:
    """A training step whose network and loss torch.compile has compiled, once for as long as the data are the same."""
    if not COMPILED or COMPILED[0] is not data:
        torch.compiler.reset()  # it keeps eight versions of one function and leaves the ninth as it is
        COMPILED[:] = data, Training(data, compiled=True).step
    return COMPILED[1]  # type: ignore[no-any-return]


COMPILED: list[Any] = []
"""The data that a step was compiled for, and the step."""


def convolution(data: ConvData) -> Callable[[], tuple[Tensor, ...]]:
    """Forward and backward through F.conv2d and autograd: Z and three gradients, all in torch's own layout.

    The gradient that comes back in carries the 1/m, as that of a mean loss does.
    """
    size = data.size
    dZ, A_prev, W, b = (torch.from_numpy(value) for value in data[1:])
    upstream = to_rows(dZ).contiguous() / size.m
    X, weight, bias = (
        value.contiguous().requires_grad_() for value in (to_rows(A_prev), filters_to_torch(W), b.flatten())
    )

    def run() -> tuple[Tensor, ...]:
        Z = functional.conv2d(X, weight, bias, size.s, size.p)
        return (Z, *torch.autograd.grad(Z, (X, weight, bias), upstream))

    return run


def in_notes_layout(Z: Tensor, dA_prev: Tensor, dW: Tensor, db: Tensor) -> tuple[Array, ...]:
    """What a convolution gave, as the other side has it: channels last, dA_prev per example."""
    notes = from_rows(Z), len(dA_prev) * from_rows(dA_prev), filters_from_torch(dW), db.reshape(1, 1, 1, -1)
    return tuple(array(value) for value in notes)


def fit(data: FitData) -> Callable[[], training.Run]:
    """A whole training, eager."""
    return lambda: training.fit(data.architecture, data.X, data.Y, data.settings)


TASKS: dict[str, Callable[[Any], Callable[[], object]]] = {
    "step": step,
    "compiled step": compiled_step,
    "shared step": shared_step,
    "convolution": convolution,
    "fit": fit,
}
"""What can be timed: functions of the data that return what is called again and again."""
