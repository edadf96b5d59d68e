"""What is timed of JAX: the loss of a network as a tutorial writes it, its gradient and the update, jitted together.

It runs in the Python that ``bench --jax`` names, which needs JAX and NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jax  # type: ignore[import-not-found,unused-ignore]
import jax.numpy as jnp  # type: ignore[import-not-found,unused-ignore]

from parity_tests.bench.sizes import LAMBDA, LEARNING_RATE, Data

jax.config.update("jax_enable_x64", True)


@cache
def compiled(weighted: int, m: int, sigmoid: bool) -> Any:
    """A step of a network with so many layers, compiled at its first call."""

    def cost(params: Any, X: Any, Y: Any) -> Any:
        A = X
        for k in range(1, weighted):
            A = jax.nn.relu(params[f"W{k}"] @ A + params[f"b{k}"])
        Z = params[f"W{weighted}"] @ A + params[f"b{weighted}"]
        losses = jnp.logaddexp(0, Z) - Y * Z if sigmoid else -Y * jax.nn.log_softmax(Z, axis=0)
        squares = sum(jnp.sum(jnp.square(params[f"W{k}"])) for k in range(1, weighted + 1))
        return jnp.sum(losses) / m + LAMBDA / (2 * m) * squares

    def step(params: Any, X: Any, Y: Any) -> Any:
        J, grads = jax.value_and_grad(cost)(params, X, Y)
        return {name: W - LEARNING_RATE * grads[name] for name, W in params.items()}, J

    return jax.jit(step)


class Training:
    """Gradient descent; parameters and examples stay with JAX."""

    def __init__(self, data: Data) -> None:
        """Start from the data's parameters."""
        self.params, self.X, self.Y = jax.tree.map(jnp.asarray, data[1:])
        architecture = data.architecture
        self.run = compiled(len(architecture.layers), data.X.shape[1], architecture.output_unit == "sigmoid")

    def step(self) -> Any:
        """Forward, cost, backward, update; the cost, once it is there, and with it all else of the step."""
        self.params, J = self.run(self.params, self.X, self.Y)
        return J.block_until_ready()

    def second_cost(self) -> float:
        """The cost after a step."""
        self.step()
        return float(self.step())


TASKS: dict[str, Callable[[Any], Callable[[], object]]] = {
    "step": lambda data: Training(data).step,
    "second cost": lambda data: Training(data).second_cost,
}
"""What can be timed: functions of the data that return what is called again and again."""
