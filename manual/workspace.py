"""The training step of a dense network in memory that is used again: the numbers of manual.network, sooner.

``network`` makes an array for every value. A large array is new memory from the system, page by page, and every small
operation is a call that a small network feels. Here each array of a step is made once: Z and A share one, dA and dZ
another, the gradients are written where the optimiser reads them, and what the output unit and its cost have in common
is computed once. A step is a list of NumPy's own calls on these arrays, operation by operation those of ``dense``,
``activations`` and ``costs``, so that every result is theirs to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from manual import activations, costs, dense, network
from manual.activations import LEAKY_SLOPE
from manual.architecture import Architecture
from manual.costs import l2_penalty
from manual.layers import Dense
from manual.notation import Array, Gradients, Parameters, Scalar

Calls: TypeAlias = list[Callable[[], object]]


class StepResult(NamedTuple):
    """What a step leaves to look at."""

    J: Scalar
    A_L: Array


FORMULAS = {module: {**vars(module)} for module in (activations, costs, dense, network)}
TABLES = [(table, {**table}) for table in (activations.ACTIVATIONS, costs.OUTPUT_COSTS)]
"""The formulas that a Workspace stands for, as they were when it was written."""


def takes(architecture: Architecture) -> bool:
    """Whether a Workspace can hold the network: dense layers alone, and no formula exchanged for another one.

    Whoever puts a formula of their own in place of one of these trains with it.
    """
    as_written = all(table == before for table, before in TABLES) and all(
        vars(module).get(name) is value for module, names in FORMULAS.items() for name, value in names.items()
    )
    return as_written and all(isinstance(layer, Dense) for layer in architecture.layers)


class Workspace:
    """The arrays of a step over m examples, and the calls that fill them.

    X (n_x, m) and Y (n_L, m) are filled before a step; ``params`` and ``grads`` are read and written where they lie,
    so whoever moves the parameters moves them in place. What a step returns is new, and stays as it is.
    """

    def __init__(
        self, architecture: Architecture, params: Parameters, grads: Gradients, m: int, lambda_: float
    ) -> None:
        """Make the arrays of a network that ``takes`` names."""
        self._m, self._lambda, self._output = m, lambda_, OUTPUTS[architecture.output_unit]
        self._weights = [params[f"W{k}"] for _, _, k in architecture.numbered()]
        dtype = params["W1"].dtype
        self._shrink = np.array(lambda_ / m, dtype)
        self.X, self.Y = (np.empty((m, n), dtype).T for n in (self._weights[0].shape[1], architecture.outputs))
        self._forward: Calls = []
        self._backward: Calls = []
        A_prev, dA_prev = self.X, None
        for l, layer, k in architecture.numbered():
            assert isinstance(layer, Dense)
            W, b, dW, db = params[f"W{k}"], params[f"b{k}"], grads[f"dW{k}"], grads[f"db{k}"]
            A, dZ = (np.empty((len(W), m), dtype) for _ in range(2))
            activate, through = _unit(layer.activation, A, dZ) if l < len(self._weights) else ([], [])
            self._forward += [partial(np.matmul, W, A_prev, out=A), partial(np.add, A, b, out=A), *activate]
            back = [*through, *gradients(dZ, A_prev, W, dW, db, self._shrink if lambda_ else None)]
            if dA_prev is not None:
                back.append(partial(np.matmul, W.T, dZ, out=dA_prev))
            self._backward[:0] = back
            A_prev, dA_prev = A, dZ
        self._Z_L, self._dZ_L = A, dZ

    def step(self, weights: Array | None = None, lambda_: float | None = None) -> StepResult:
        """Forward, cost, backward: the cost and A[L]; the gradients are in ``grads``.

        ``weights`` s of the examples are (1, m); with them goes a ``lambda_`` for this step, above 0 where the
        workspace has one.
        """
        if weights is not None:
            weights = weights.astype(self.X.dtype, copy=False)
        for call in self._forward:
            call()
        losses, A_L = self._output(self._Z_L, self.Y, weights)
        J = losses / self._m
        if self._lambda:
            of_step = self._lambda if lambda_ is None else lambda_
            self._shrink[...] = of_step / self._m
            J = J + l2_penalty(self._weights, of_step, self._m)
        np.subtract(A_L, self.Y, out=self._dZ_L)
        if weights is not None:
            np.multiply(self._dZ_L, weights, out=self._dZ_L)
        for call in self._backward:
            call()
        return StepResult(J, A_L)


def gradients(dZ: Array, A_prev: Array, W: Array, dW: Array, db: Array, factor: Array | None) -> Calls:
    """dW = (1/m) dZ A_prev^T + (lambda/m) W and db = (1/m) sum_i dz(i); ``factor`` is lambda/m, None where it is 0."""
    m = dZ.shape[1]
    calls: Calls = [
        partial(np.matmul, dZ, A_prev.T, out=dW),
        partial(np.multiply, dW, _number(1 / m, dW), out=dW),
        partial(np.add.reduce, dZ, axis=1, keepdims=True, out=db),
        partial(np.divide, db, _number(m, db), out=db),
    ]
    if factor is not None:
        shrink = np.empty_like(W)
        calls += [partial(np.multiply, W, factor, out=shrink), partial(np.add, dW, shrink, out=dW)]
    return calls


def _unit(name: str, A: Array, dZ: Array) -> tuple[Calls, Calls]:
    """A hidden unit: from Z to A = g(Z) in the same array, and from dA to dZ = dA * g'(Z) likewise, g'(Z) from A."""
    slope, zeros, one = np.empty_like(A), np.zeros_like(A), _number(1, A)  # an array of zeros is faster than a zero
    positive: Array = np.empty(A.shape, bool)
    through = partial(np.multiply, slope, dZ, out=dZ)
    steps: Calls
    if name == "relu":
        steps = [partial(np.greater, A, _number(0, A), out=positive), partial(np.copyto, slope, positive), through]
        return [partial(np.maximum, A, zeros, out=A)], steps
    if name == "leaky_relu":
        return [
            partial(np.multiply, A, _number(LEAKY_SLOPE, A), out=slope),
            partial(np.maximum, slope, A, out=A),
        ], [
            partial(np.greater, A, _number(0, A), out=positive),
            partial(np.copyto, slope, _number(LEAKY_SLOPE, A)),
            partial(np.copyto, slope, one, where=positive),
            through,
        ]
    if name == "tanh":
        steps = [partial(np.square, A, out=slope), partial(np.subtract, one, slope, out=slope), through]
        return [partial(np.tanh, A, out=A)], steps
    if name == "sigmoid":
        return [
            partial(np.negative, A, out=slope),
            partial(np.minimum, A, slope, out=slope),
            partial(np.exp, slope, out=slope),
            partial(np.add, one, slope, out=slope),
            partial(np.minimum, A, zeros, out=A),
            partial(np.exp, A, out=A),
            partial(np.divide, A, slope, out=A),
        ], [
            partial(np.subtract, one, A, out=slope),
            partial(np.multiply, A, slope, out=slope),
            through,
        ]
    return [], []  # the identity


def _sigmoid(Z: Array, Y: Array, weights: Array | None) -> tuple[Scalar, Array]:
    """The sum of the losses, weighed, and A; what both need, e^-|z|, once."""
    E = np.exp(np.minimum(Z, -Z))
    losses = np.maximum(Z, 0) - Y * Z + np.log1p(E)
    A: Array = np.exp(np.minimum(Z, 0))
    A /= 1 + E
    return _sum(losses, weights), A


def _softmax(Z: Array, Y: Array, weights: Array | None) -> tuple[Scalar, Array]:
    """The sum of the losses, weighed, and A; what both need, d = z - max z, e^d and its sum, once."""
    D = Z - Z.max(axis=0, keepdims=True)
    E: Array = np.exp(D)
    total = E.sum(axis=0, keepdims=True)
    losses = Y * (np.log(total) - D)
    E /= total
    return _sum(losses, weights), E


def _identity(Z: Array, Y: Array, weights: Array | None) -> tuple[Scalar, Array]:
    """The sum of half the squared errors, weighed, and A = Z."""
    return _sum(np.square(Z - Y), weights) / 2, Z.copy()


def _sum(losses: Array, weights: Array | None) -> Scalar:
    return losses.sum() if weights is None else (losses * weights).sum()


OUTPUTS: dict[str, Callable[[Array, Array, Array | None], tuple[Scalar, Array]]] = {
    "sigmoid": _sigmoid,
    "softmax": _softmax,
    "identity": _identity,
}
"""By the output unit: the sum of the losses over all examples, and A[L]."""


def _number(value: Any, like: Array) -> Array:
    """A number as an array without axes, which NumPy need not convert in every call."""
    return np.array(value, like.dtype)
