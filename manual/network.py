"""A network is its layers, one after the other: forward, cost, backward. The formulas are in the chapters.

Index l counts layers as the notes do: A[0] = X, A[L] is the output, Z[0] is None. A layer without parameters has no Z.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from manual.activations import ACTIVATIONS, softmax
from manual.architecture import Architecture
from manual.checks import Masks, check_inputs, check_parameters, masks_by_layer
from manual.costs import OUTPUT_COSTS, l2_penalty, output_dZ
from manual.layers import BatchNorm, Plain, Weighted
from manual.normalization import Statistics
from manual.notation import Array, Gradients, Parameters, Scalar


class ForwardPass(NamedTuple):
    """Values of every layer: A[0] = X, then A[l], Z[l] and dropout's mask of l = 1..L; None where there is none.

    Among the masks stand the running statistics that batch norm was given in use; it is given None in training.
    """

    A: tuple[Array, ...]
    Z: tuple[Array | None, ...]
    masks: tuple[Any, ...]


class Backward(NamedTuple):
    """Derivatives of every layer, indexed as in ForwardPass, and the gradients of the parameters.

    dA and dZ are per example, without 1/m; an entry that was not asked for is None.
    """

    dA: tuple[Array | None, ...]
    dZ: tuple[Array | None, ...]
    grads: Gradients


def forward(architecture: Architecture, params: Parameters, X: Array, masks: Masks = None) -> ForwardPass:
    """Forward propagation: Z[l] = W[l] A[l-1] + b[l], A[l] = g[l](Z[l]) for l = 1..L; convolutions likewise.

    Pooling, flattening and dropout give A[l] from A[l-1] at once, without a Z. X is (n_x, m), or (m, n_H, n_W, n_C).
    ``masks``: one for every dropout layer, of the shape of its A, or one entry for every A[l], as the result has them.
    With masks, be it an empty list, the network is in training: batch norm takes the statistics of X. Without, it is in
    use: nothing is dropped, and batch norm takes its running statistics.

    Raises ValueError where X, the parameters or the masks do not fit the architecture.

    Notes: F064, F072, F151, F162, F234.
    """
    check_parameters(architecture, params)
    D = _given(architecture, params, masks, check_inputs(architecture, X))
    A: list[Array] = [X]
    Z: list[Array | None] = [None]
    for l, layer, k in architecture.numbered():
        if isinstance(layer, Weighted):
            Z_l = layer.forward(A[-1], params[f"W{k}"], params[f"b{k}"], D[l])
            g = softmax if layer.activation == "softmax" else ACTIVATIONS[layer.activation].g
            Z.append(Z_l)
            A.append(g(Z_l))
        else:
            Z.append(None)
            A.append(layer.forward(A[-1], _beside(layer, A, D[l])))
    return ForwardPass(tuple(A), tuple(Z), D)


def _given(architecture: Architecture, params: Parameters, masks: Masks, m: int) -> tuple[Any, ...]:
    """What every layer is given beside A_prev and its parameters: masks in training, running statistics in use."""
    found: list[Any] = list(masks_by_layer(architecture, masks, m))
    for l, k in architecture.remembering if masks is None else ():
        found[l] = _running(params, k)
    return tuple(found)


def _running(params: Parameters, k: int) -> Statistics:
    """The running statistics of the layer of this number."""
    return Statistics(params[f"mean{k}"], params[f"variance{k}"])


def _beside(layer: Plain, A: Sequence[Array], given: Any) -> Array | None:
    """What a layer without parameters is given: the A of its source, or a mask."""
    return given if layer.source is None else A[layer.source]


def remembered(architecture: Architecture, params: Parameters, forward_pass: ForwardPass) -> Parameters:
    """The running statistics after a forward pass in training: mean and variance of every batch norm, by name.

    Nothing is changed in place: ``{**params, **remembered(...)}`` are the parameters with which training goes on.
    """
    found: Parameters = {}
    for l, k in architecture.remembering:
        layer = architecture.layers[l - 1]
        assert isinstance(layer, BatchNorm)
        found[f"mean{k}"], found[f"variance{k}"] = layer.remembered(forward_pass.A[l - 1], _running(params, k))
    return found


def forward_loop(architecture: Architecture, params: Parameters, X: Array, masks: Masks = None) -> ForwardPass:
    """Example by example: z[l](i) = W[l] a[l-1](i) + b[l], a[l](i) = g[l](z[l](i)). See forward.

    Raises ValueError, as forward does, and for batch norm in training, which sees all examples at once.

    Notes: F071.
    """
    m = check_inputs(architecture, X)
    if masks is not None and architecture.remembering:
        l = architecture.remembering[0][0]
        raise ValueError(f"layer {l} is batch norm in training, expected no masks: it sees all examples at once")
    D = masks_by_layer(architecture, masks, m)
    of_each = [
        forward(
            architecture,
            params,
            example(X, i),
            masks if masks is None else [D_l if D_l is None else example(D_l, i) for D_l in D],
        )
        for i in range(m)
    ]
    A, Z = (
        tuple(_side_by_side([values[l] for values in column]) for l in range(len(architecture.layers) + 1))
        for column in ([each.A for each in of_each], [each.Z for each in of_each])
    )
    return ForwardPass(A, Z, D)  # type: ignore[arg-type]  # every A is an array


def example(X: Array, i: int) -> Array:
    """Example i alone, in the layout of X: (n_x, 1) or (1, n_H, n_W, n_C)."""
    return X[:, i : i + 1] if X.ndim == 2 else X[i : i + 1]


def _side_by_side(values: Sequence[Array | None]) -> Array | None:
    """Examples put together: columns beside each other, volumes behind each other; None where there are none."""
    arrays = [value for value in values if value is not None]
    return np.concatenate(arrays, axis=1 if arrays[0].ndim == 2 else 0) if arrays else None


def cost(
    architecture: Architecture,
    params: Parameters,
    forward_pass: ForwardPass,
    Y: Array,
    lambda_: float = 0.0,
    weights: Array | None = None,
) -> Scalar:
    """Regularised cost: J = (1/m) sum_i L(i) + lambda/(2m) sum_l ||W[l]||^2, from the last Z so that nothing overflows.

    Y is (n_L, m), ``weights``, by which the L(i) are multiplied, (1, m).

    Raises ValueError where Y does not fit.

    Notes: F008, F090, F199.
    """
    J = OUTPUT_COSTS[architecture.output_unit].from_Z(_present(forward_pass.Z[-1]), Y, *_if_any(weights))
    return J + penalty(architecture, params, lambda_, Y.shape[1]) if lambda_ else J


def penalty(architecture: Architecture, params: Parameters, lambda_: float, m: int) -> Scalar:
    """The penalty's part of the cost: lambda/(2m) sum_l ||W[l]||^2 over all weights but the gamma of norms.

    Notes: F199.
    """
    return l2_penalty([params[name] for name in architecture.weights], lambda_, m)


def backward(
    architecture: Architecture,
    params: Parameters,
    forward_pass: ForwardPass,
    Y: Array,
    lambda_: float = 0.0,
    weights: Array | None = None,
    *,
    only_grads: bool = False,
) -> Backward:
    """Backpropagation of the regularised cost.

    dZ[L] = A[L] - Y, times the ``weights`` of the examples where there are any; then for l = L..1: dW[l], db[l] and
    dA[l-1] of the layer, dZ[l-1] = dA[l-1] * g'[l-1](Z[l-1]). Through pooling, flattening and dropout dA[l-1] follows
    from dA[l] at once. What a skip added gets dA[l] too: dA of its source is the sum over both paths.

    Y is (n_L, m). ``only_grads`` leaves out what no gradient needs: dA of the output, and whatever lies below the
    first layer with parameters.

    Raises ValueError where Y does not fit.

    Notes: F098, F099, F163, F164, F168-F172, F202.
    """
    A, Z, D = forward_pass
    L = len(architecture.layers)
    dA: list[Array | None] = [None] * (L + 1)
    dZ: list[Array | None] = [None] * (L + 1)
    grads: Gradients = {}
    if not only_grads:
        dA_L = OUTPUT_COSTS[architecture.output_unit].prime(A[L], Y)
        dA[L] = dA_L if weights is None else np.multiply(dA_L, weights, dtype=dA_L.dtype)
    for l, layer, k in reversed(architecture.numbered()):
        if isinstance(layer, Weighted):
            wanted = k > 1 or not only_grads
            dZ[l] = dZ_l = output_dZ(A[L], Y, *_if_any(weights)) if l == L else _through_unit(layer, dA[l], Z[l])
            below, grads[f"dW{k}"], grads[f"db{k}"] = layer.backward(
                dZ_l,
                A[l - 1],
                params[f"W{k}"],
                lambda_,
                D[l],
                input_gradient=wanted,
            )
            if not wanted:
                dA[:l] = [None] * l  # by a skip something may have come down
                break
        else:
            dA_l = _present(dA[l])
            below = layer.backward(dA_l, A[l - 1], _beside(layer, A, D[l]))
            if layer.source is not None:
                earlier = dA[layer.source]
                dA[layer.source] = dA_l if earlier is None else earlier + dA_l
        by_skip = dA[l - 1]
        dA[l - 1] = below if by_skip is None else _present(below) + by_skip
    return Backward(tuple(dA), tuple(dZ), grads)


def _through_unit(layer: Weighted, dA: Array | None, Z: Array | None) -> Array:
    """Back through the unit: dZ = dA * g'(Z)."""
    dZ: Array = ACTIVATIONS[layer.activation].g_prime(_present(Z))
    dZ *= _present(dA)
    return dZ


def _if_any(weights: Array | None) -> tuple[Array, ...]:
    """The argument of a cost for weights, where there are any."""
    return () if weights is None else (weights,)


def predict(architecture: Architecture, params: Parameters, X: Array) -> Array:
    """The network's answer, in the layout of Y.

    Sigmoid outputs: 1 where a > 1/2, else 0. Softmax: a one-hot column with the most probable class. Identity: A[L].

    X is (n_x, m) or (m, n_H, n_W, n_C), the result (n_L, m) in X's dtype.

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
