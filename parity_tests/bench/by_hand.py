"""What the worker of ``manual`` is told to time."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

from manual import conv, dense, logistic_regression, network, training
from manual.notation import Array, Parameters, Scalar
from manual.optimizers import GradientDescent
from parity_tests.bench.sizes import LAMBDA, LEARNING_RATE, ConvData, ConvSize, Data, FitData, draw_volumes


class Training:
    """Gradient descent by hand."""

    def __init__(self, data: Data) -> None:
        """Start from the data's parameters."""
        self.data, self.params = data, data.params
        self.rule = GradientDescent(LEARNING_RATE)
        self.state = self.rule.init(data.params)

    def step(self) -> Scalar:
        """Forward, regularised cost, backward, update."""
        architecture, _, X, Y = self.data
        passed = network.forward(architecture, self.params, X)
        J = network.cost(architecture, self.params, passed, Y, LAMBDA)
        back = network.backward(architecture, self.params, passed, Y, LAMBDA, only_grads=True)
        self.params, self.state = self.rule.step(self.params, back.grads, self.state)
        return J

    def parameters(self) -> Parameters:
        """The parameters after the steps so far."""
        return self.params


def step(data: Data) -> Callable[[], object]:
    """A training step."""
    return Training(data).step


def products(data: Data) -> Callable[[], object]:
    """The matrix products of a training step and nothing else: below this no step can go."""
    architecture, params, X, Y = data
    passed = network.forward(architecture, params, X)
    dZ = network.backward(architecture, params, passed, Y, LAMBDA).dZ[1:]
    layers = [(params[f"W{k}"], passed.A[l - 1], dZ[l - 1]) for l, _, k in architecture.numbered()]

    def run() -> None:
        for W, A_prev, _ in layers:
            W @ A_prev
        for l, (W, A_prev, dZ_l) in reversed(list(enumerate(layers, start=1))):
            dZ_l @ A_prev.T
            if l > 1:  # nobody reads the derivative in X
                W.T @ dZ_l

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
    """Forward and backward: Z, dA_prev, dW, db."""
    forward, backward = conv_forward(data), conv_backward(data)
    return lambda: (forward(), *backward())


def fit(data: FitData) -> Callable[[], training.Run]:
    """A whole training."""
    return lambda: training.fit(data.architecture, data.X, data.Y, data.settings)


TASKS: dict[str, Callable[[Any], Callable[[], object]]] = {
    task.__name__: task
    for task in (step, products, propagate, propagate_loop, weight_gradient, weight_gradient_loop, convolution, fit)
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
