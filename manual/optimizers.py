"""Optimisers: ``init`` makes a state, ``step`` returns new parameters and a new state. Nothing is stored on objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from manual.notation import Gradients, Parameters, plus


class GradientDescentState(NamedTuple):
    """Gradient descent remembers the number of steps t and nothing else."""

    t: int


@dataclass(frozen=True)
class GradientDescent:
    """Gradient descent: W := W - alpha dW, b := b - alpha db.

    Notes: F029, F056, F091, F181.
    """

    learning_rate: float

    def init(self, params: Parameters) -> GradientDescentState:
        """The state before the first step."""
        return GradientDescentState(t=0)

    def step(
        self, params: Parameters, grads: Gradients, state: GradientDescentState
    ) -> tuple[Parameters, GradientDescentState]:
        """One step: new parameters and state; the arguments stay as they are.

        Raises ValueError unless every parameter has a gradient of its shape.
        """
        check_gradients(params, grads)
        moved = {name: plus(-self.learning_rate * grads["d" + name], value) for name, value in params.items()}
        return moved, GradientDescentState(state.t + 1)


def check_gradients(params: Parameters, grads: Gradients) -> None:
    """ValueError unless there is one gradient of the same shape for every parameter."""
    for name, value in params.items():
        gradient = grads.get("d" + name)
        if gradient is None or gradient.shape != value.shape:
            got = "none" if gradient is None else f"shape {gradient.shape}"
            raise ValueError(f"the gradient d{name} has {got}, expected shape {value.shape}: a gradient per parameter")
