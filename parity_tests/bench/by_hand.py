"""What the worker of ``manual`` is told to time."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from manual import conv, dense, logistic_regression, network, training
from manual.notation import Array, Parameters, Scalar
from manual.optimizers import GradientDescent
from manual.shared.memory import prepare_memory
from manual.shared.settings import Examples, Settings
from parity_tests.bench.sizes import LAMBDA, LEARNING_RATE, ConvData, ConvSize, Data, FitData, draw_volumes


class Training:
    """Gradient descent by hand as fit takes its steps, every batch all examples."""

    def __init__(self, data: Data) -> None:
        """Start from the data's parameters."""
        prepare_memory()  # as a run does
        settings = Settings("gradient_descent", LEARNING_RATE, lambda_=LAMBDA)
        self.learner = training.Learner(data.architecture, Examples(data.X, data.Y), settings)
        self.learner.restore(data.params, None, 0)
        self.batch = np.arange(data.X.shape[1])

    def step(self) -> Scalar:
        """Forward, regularised cost, backward, update."""
        return self.learner.step(self.batch, None).J

    def second_cost(self) -> float:
        """The cost after a step."""
        self.step()
        return float(self.step())

    def parameters(self) -> Parameters:
        """The parameters after the steps so far."""
        return self.learner.params()


def step(data: Data) -> Callable[[], object]:
    """A training step."""
    return Training(data).step


def formulas(data: Data) -> Callable[[], object]:
    """The same by the functions of the chapters one by one, as a person calls them."""
    architecture, params, X, Y = data
    rule = GradientDescent(LEARNING_RATE)
    at = params, rule.init(params)

    def run() -> Scalar:
        nonlocal at
        passed = network.forward(architecture, at[0], X)
        J = network.cost(architecture, at[0], passed, Y, LAMBDA)
        grads = network.backward(architecture, at[0], passed, Y, LAMBDA, only_grads=True).grads
        at = rule.step(at[0], grads, at[1])
        return J

    return run


def products(data: Data) -> Callable[[], object]:
    """The matrix products of a training step and nothing else: below this no step can go."""
    architecture, params, X, Y = data
    passed = network.forward(architecture, params, X)
    dZ: Any = network.backward(architecture, params, passed, Y, LAMBDA).dZ[1:]
    layers = [(params[f"W{k}"], passed.A[l - 1], dZ[l - 1]) for l, _, k in architecture.numbered()]

    def run() -> None:
        for W, A_prev, _ in layers:
            np.matmul(W, A_prev)
        for l, (W, A_prev, dZ_l) in reversed(list(enumerate(layers, start=1))):
            np.matmul(dZ_l, A_prev.T)
            if l > 1:  # nobody reads the derivative in X
                np.matmul(W.T, dZ_l)

    return run


def propagate(data: Data) -> Callable[[], object]:
    """Logistic regression over all examples at once."""
    w, b = data.params["W1"].T, float(data.params["b1"][0, 0])
    return lambda: logistic_regression.propagate(w, b, data.X, data.Y)


def propagate_loop(data: Data) -> Callable[[], object]:
    """Logistic regression, example by example."""
    w, b = data.params["W1"].T, float(data.params["b1"][0, 0])
    return lambda: logistic_regression.propagate_loop(w, b, data.X, data.Y)


def weight_gradient(data: Data) -> Callable[[], object]:
    """The weights' gradient as a matrix product."""
    return lambda: dense.weight_gradient(data.Y, data.X, data.params["W1"], LAMBDA)


def weight_gradient_loop(data: Data) -> Callable[[], object]:
    """The weights' gradient, weight by weight and example by example."""
    return lambda: dense.weight_gradient_loop(data.Y, data.X, data.params["W1"], LAMBDA)


def conv_forward(data: ConvData) -> Callable[[], Array]:
    """A convolution."""
    size, _, A_prev, W, b = data
    return lambda: conv.conv_forward(A_prev, W, b, stride=size.s, pad=size.p)


def conv_backward(data: ConvData) -> Callable[[], conv.ConvBackward]:
    """Its three gradients."""
    size, dZ, A_prev, W, _ = data
    return lambda: conv.conv_backward(dZ, A_prev, W, stride=size.s, pad=size.p)


def convolution(data: ConvData) -> Callable[[], tuple[Array | None, ...]]:
    """Forward and backward, as in a run: Z, dA_prev, dW, db."""
    prepare_memory()
    forward, backward = conv_forward(data), conv_backward(data)
    return lambda: (forward(), *backward())


def fit(data: FitData) -> Callable[[], training.Run]:
    """A whole training."""
    return lambda: training.fit(data.architecture, data.X, data.Y, data.settings)


TASKS: dict[str, Callable[[Any], Callable[[], object]]] = {
    task.__name__: task
    for task in (
        step,
        formulas,
        products,
        propagate,
        propagate_loop,
        weight_gradient,
        weight_gradient_loop,
        convolution,
        fit,
    )
}
"""What can be timed: functions of the data that return what is called again and again."""


def beyond_outputs(call: Callable[[], tuple[Any, ...]]) -> int:
    """Bytes that the call held at its peak, less those of the arrays that it returns.

    NumPy reports every array to tracemalloc. What BLAS packs its operands into, a fixed piece for each thread, is not
    seen.
    """
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        outputs = call()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak - before - sum(int(output.nbytes) for output in outputs)


def workspace(size: ConvSize, dtype: str) -> dict[str, Any]:
    """The larger of what the forward and the backward pass take, beside the unrolled matrix, in bytes."""
    data = draw_volumes(size, dtype)
    forward, backward = conv_forward(data), conv_backward(data)
    used = max(beyond_outputs(lambda: (forward(),)), beyond_outputs(backward))
    unrolled = size.unrolled * data.A_prev.itemsize
    return {"workspace_bytes": used, "unrolled_bytes": unrolled, "workspace/unrolled": round(used / unrolled, 4)}
