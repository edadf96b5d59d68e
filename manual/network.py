"""A network is its layers, one after the other: forward, cost, backward. The formulas are in the chapters.

Index l counts layers as the notes do: A[0] = X, A[L] is the output, Z[0] is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from manual import dense
from manual.activations import ACTIVATIONS, softmax
from manual.architecture import Architecture, check_parameters
from manual.costs import OUTPUT_COSTS, l2_penalty, output_dZ
from manual.notation import Array, Gradients, Parameters, Scalar, check_examples, check_shape


class ForwardPass(NamedTuple):
    """Values of every layer: A[0] = X, then A[l] and Z[l] for l = 1..L (Z[0] is None); masks belong to dropout."""

    A: tuple[Array, ...]
    Z: tuple[Array | None, ...]
    masks: Sequence[Array] | None


class Backward(NamedTuple):
    """Derivatives of every layer, indexed as in ForwardPass, and the gradients of the parameters.

    dA and dZ are per example, without 1/m; an entry that was not asked for is None.
    """

    dA: tuple[Array | None, ...]
    dZ: tuple[Array | None, ...]
    grads: Gradients


def forward(
    architecture: Architecture, params: Parameters, X: Array, masks: Sequence[Array] | None = None
) -> ForwardPass:
    """Forward propagation: Z[l] = W[l] A[l-1] + b[l], A[l] = g[l](Z[l]) for l = 1..L.

    X is (n_x, m).

    Raises ValueError where X or the parameters do not fit the architecture.

    Notes: F064, F072, F151, F162.
    """
    check_parameters(architecture, params)
    _, m = check_examples("X", X)
    check_shape("X", X, (architecture.inputs, m), f"the network takes {architecture.inputs} features")
    A: list[Array] = [X]
    Z: list[Array | None] = [None]
    for _, layer, k in architecture.numbered():
        Z_l = dense.linear_forward(A[-1], params[f"W{k}"], params[f"b{k}"])
        g = softmax if layer.activation == "softmax" else ACTIVATIONS[layer.activation].g
        Z.append(Z_l)
        A.append(g(Z_l))
    return ForwardPass(tuple(A), tuple(Z), masks)


def forward_loop(
    architecture: Architecture, params: Parameters, X: Array, masks: Sequence[Array] | None = None
) -> ForwardPass:
    """Example by example: z[l](i) = W[l] a[l-1](i) + b[l], a[l](i) = g[l](z[l](i)). See forward.

    Notes: F071.
    """
    columns = [forward(architecture, params, X[:, i : i + 1], masks) for i in range(X.shape[1])]
    A = tuple(np.hstack([column.A[l] for column in columns]) for l in range(len(architecture.layers) + 1))
    Z = tuple(np.hstack([_present(column.Z[l]) for column in columns]) for l in range(1, len(A)))
    return ForwardPass(A, (None, *Z), masks)


def cost(
    architecture: Architecture, params: Parameters, forward_pass: ForwardPass, Y: Array, lambda_: float = 0.0
) -> Scalar:
    """Regularised cost: J = (1/m) sum_i L(i) + lambda/(2m) sum_l ||W[l]||^2, from the last Z so that nothing overflows.

    Y is (n_L, m).

    Raises ValueError where Y does not fit.

    Notes: F008, F090, F199.
    """
    J = OUTPUT_COSTS[architecture.output_unit].from_Z(_present(forward_pass.Z[-1]), Y)
    if lambda_:
        weights = [params[f"W{k}"] for _, _, k in architecture.numbered()]
        J = J + l2_penalty(weights, lambda_, Y.shape[1])
    return J


def backward(
    architecture: Architecture,
    params: Parameters,
    forward_pass: ForwardPass,
    Y: Array,
    lambda_: float = 0.0,
    *,
    only_grads: bool = False,
) -> Backward:
    """Backpropagation of the regularised cost.

    dZ[L] = A[L] - Y; then for l = L..1: dW[l], db[l] and dA[l-1] of the layer, dZ[l-1] = dA[l-1] * g'[l-1](Z[l-1]).

    Y is (n_L, m). ``only_grads`` leaves out what no gradient needs: dA of the output and dA of the input.

    Raises ValueError where Y does not fit.

    Notes: F098, F099, F163, F164, F168-F172, F202.
    """
    A, Z, _ = forward_pass
    L = len(architecture.layers)
    dA: list[Array | None] = [None] * (L + 1)
    dZ: list[Array | None] = [None] * (L + 1)
    grads: Gradients = {}
    if not only_grads:
        dA[L] = OUTPUT_COSTS[architecture.output_unit].prime(A[L], Y)
    for l, layer, k in reversed(list(architecture.numbered())):
        if l == L:
            dZ_l = output_dZ(A[L], Y)
        else:
            dZ_l = ACTIVATIONS[layer.activation].g_prime(_present(Z[l]))
            dZ_l *= _present(dA[l])
        W = params[f"W{k}"]
        dZ[l] = dZ_l
        grads[f"dW{k}"] = dense.weight_gradient(dZ_l, A[l - 1], W, lambda_)
        grads[f"db{k}"] = dense.bias_gradient(dZ_l)
        if l > 1 or not only_grads:
            dA[l - 1] = dense.input_gradient(dZ_l, W)
    return Backward(tuple(dA), tuple(dZ), grads)


def predict(architecture: Architecture, params: Parameters, X: Array) -> Array:
    """The network's answer, in the layout of Y.

    Sigmoid outputs: 1 where a > 1/2, else 0. Softmax: a one-hot column with the most probable class. Identity: A[L].

    X is (n_x, m), the result (n_L, m) in X's dtype.

    Raises ValueError where X or the parameters do not fit the architecture.

    Notes: F004, F139.
    """
    A_L = forward(architecture, params, X).A[-1]
    if architecture.output_unit == "sigmoid":
        return (A_L.real > 0.5).astype(A_L.dtype)
    if architecture.output_unit == "softmax":
        return np.eye(A_L.shape[0], dtype=A_L.dtype)[:, A_L.real.argmax(axis=0)]
    return A_L


def _present(value: Array | None) -> Array:
    """The array of a layer that has one."""
    assert value is not None
    return value
