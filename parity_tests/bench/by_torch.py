"""What the worker of torch is told to time: the loop that PyTorch's own tutorials write, run eagerly on the CPU."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from manual.notation import Parameters
from parity_tests.bench.sizes import LAMBDA, LEARNING_RATE, Data
from torch_ref.network import export_params, module_with


class Training:
    """torch.optim.SGD on an nn.Sequential: loss from logits, L2 as weight_decay on the weights and not on the biases.

    Everything that does not change from step to step is done here: examples go into rows, one-hot columns become
    class numbers, and the output unit is left out, since the loss contains it.
    """

    def __init__(self, data: Data) -> None:
        """Start from the data's parameters."""
        architecture, params, X, Y = data
        self.module = module_with(architecture, params)
        self.logits = self.module[:-1]
        self.X = torch.from_numpy(np.ascontiguousarray(X.T))
        self.loss: nn.Module
        if architecture.output_unit == "sigmoid":
            self.loss = nn.BCEWithLogitsLoss()  # the mean over all entries: over m, for one output
            self.Y = torch.from_numpy(np.ascontiguousarray(Y.T))
        else:
            self.loss = nn.CrossEntropyLoss()
            self.Y = torch.from_numpy(Y.argmax(axis=0))
        layers = [layer for _, _, layer, _ in self.module.weighted()]
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
        J: Tensor = self.loss(self.logits(self.X), self.Y)
        J.backward()  # type: ignore[no-untyped-call]
        self.rule.step()
        return J

    def parameters(self) -> Parameters:
        """The parameters after the steps so far, in the notes' layout."""
        return export_params(self.module)


def step(data: Data) -> Callable[[], object]:
    """A training step."""
    return Training(data).step


TASKS: dict[str, Callable[[Data], Callable[[], object]]] = {"step": step}
"""What can be timed: functions of the data that return what is called again and again."""
