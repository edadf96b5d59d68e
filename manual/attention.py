"""Attention: softmax over rows, scaled dot products under a mask, and several heads, forward and backward.

The notes end before it. It is that of Vaswani and others, Attention is all you need (2017). Here the positions of a
sequence are rows, as everybody writes them: Q is (..., T_q, d), K (..., T_k, d), V (..., T_k, d_v).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from manual.notation import Array, check_count, check_shape


class AttentionBackward(NamedTuple):
    """The derivatives in the queries, the keys and the values."""

    dQ: Array
    dK: Array
    dV: Array


class HeadsBackward(NamedTuple):
    """dX per example; the weights' with the 1/m."""

    dX: Array
    dW_Q: Array
    dW_K: Array
    dW_V: Array
    dW_O: Array


def softmax_rows_loop(S: Array) -> Array:
    """Row by row: p_j = e^(s_j) / sum_k e^(s_k). See softmax_rows."""
    P = np.empty_like(S)
    for row in np.ndindex(S.shape[:-1]):
        largest = max(S[row].real)
        total = S.dtype.type(0)
        for s in S[row]:
            total += np.exp(s - largest)
        for j, s in enumerate(S[row]):
            P[row][j] = np.exp(s - largest) / total
    return P


def softmax_rows(S: Array) -> Array:
    """Softmax over the last axis: p_ij = e^(s_ij - max_k s_ik) / sum_k e^(s_ik - max_k s_ik).

    S and the result are (..., T_q, T_k), any shape whose last axis is not empty; -inf gives 0.

    Raises ValueError for an empty last axis.
    """
    if S.ndim == 0 or 0 in S.shape:
        raise ValueError(f"S has shape {S.shape}, expected rows with no side of length 0")
    P: Array = np.exp(S - S.real.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)
    return P


def softmax_rows_backward_loop(dP: Array, P: Array) -> Array:
    """Row by row through the Jacobian: ds_j = sum_k dp_k p_k (delta_jk - p_j). See softmax_rows_backward."""
    dS = np.zeros(P.shape, np.result_type(dP, P))
    for row in np.ndindex(P.shape[:-1]):
        for j, k in np.ndindex(P.shape[-1], P.shape[-1]):
            dS[row][j] += dP[row][k] * P[row][k] * (int(j == k) - P[row][j])
    return dS


def softmax_rows_backward(dP: Array, P: Array) -> Array:
    """The product with the Jacobian of every row, which is never built: dS = P * (dP - sum_k dP_k P_k).

    dP, P = softmax_rows(S) and the result are (..., T_q, T_k).

    Raises ValueError unless dP has the shape of P.
    """
    check_shape("dP", dP, P.shape, "dP has the shape of P")
    dS: Array = dP - np.einsum("...k,...k->...", dP, P)[..., np.newaxis]
    dS *= P
    return dS


def attention_forward_loop(Q: Array, K: Array, V: Array, mask: Array | None = None) -> Array:
    """Query by query and key by key. See attention_forward."""
    P = softmax_rows_loop(_scores_loop(Q, K, mask))
    A = np.zeros((*Q.shape[:-1], V.shape[-1]), np.result_type(P, V))
    for *batch, i, k in np.ndindex(P.shape):
        A[(*batch, i)] += P[(*batch, i, k)] * V[(*batch, k)]
    return A


def attention_forward(Q: Array, K: Array, V: Array, mask: Array | None = None) -> Array:
    """Scaled dot product attention: every query takes an average of the values, weighted by how it fits their keys.

    S = Q K^T / sqrt(d), P = softmax_rows(S), A = P V

    Q is (..., T_q, d), K (..., T_k, d), V (..., T_k, d_v), the result (..., T_q, d_v). ``mask`` is (T_q, T_k), true
    where a query may look; elsewhere its score is -inf.

    Raises ValueError for shapes that do not fit, or a query that may look nowhere.
    """
    return softmax_rows(_scores(Q, K, V, mask)) @ V


def attention_backward_loop(dA: Array, Q: Array, K: Array, V: Array, mask: Array | None = None) -> AttentionBackward:
    """Query by query and key by key. See attention_backward."""
    P = softmax_rows_loop(_scores_loop(Q, K, mask))
    dP, dV = np.zeros(P.shape, np.result_type(dA, V)), np.zeros(V.shape, np.result_type(P, dA))
    for *batch, i, k in np.ndindex(P.shape):
        dP[(*batch, i, k)] = np.sum(dA[(*batch, i)] * V[(*batch, k)])
        dV[(*batch, k)] += P[(*batch, i, k)] * dA[(*batch, i)]
    dS = softmax_rows_backward_loop(dP, P) / math.sqrt(Q.shape[-1])
    dQ, dK = np.zeros(Q.shape, np.result_type(dS, K)), np.zeros(K.shape, np.result_type(dS, Q))
    for *batch, i, k in np.ndindex(P.shape):
        dQ[(*batch, i)] += dS[(*batch, i, k)] * K[(*batch, k)]
        dK[(*batch, k)] += dS[(*batch, i, k)] * Q[(*batch, i)]
    return AttentionBackward(dQ, dK, dV)


def attention_backward(dA: Array, Q: Array, K: Array, V: Array, mask: Array | None = None) -> AttentionBackward:
    """Scaled dot product attention backward; where the mask hides a key, P is 0 and so is dS.

    dV = P^T dA, dP = dA V^T, dS = P * (dP - sum_k dP_k P_k) / sqrt(d), dQ = dS K, dK = dS^T Q

    dA is (..., T_q, d_v); the others are those of the forward pass.

    Raises ValueError for shapes that do not fit, or a query that may look nowhere.
    """
    P = softmax_rows(_scores(Q, K, V, mask))
    check_shape("dA", dA, (*Q.shape[:-1], V.shape[-1]), "a row for each query")
    return _back_through(P, dA, Q, K, V)


def heads_forward_loop(
    X: Array, W_Q: Array, W_K: Array, W_V: Array, W_O: Array, heads: int, mask: Array | None = None
) -> Array:
    """Example by example and head by head. See heads_forward."""
    d = X.shape[-1] // heads
    Z = np.empty(X.shape, np.result_type(X, W_Q, W_K, W_V, W_O))
    for i, x in enumerate(X):
        parts = []
        for h in range(heads):
            rows = slice(h * d, (h + 1) * d)
            parts.append(attention_forward_loop(x @ W_Q[rows].T, x @ W_K[rows].T, x @ W_V[rows].T, mask))
        Z[i] = np.concatenate(parts, axis=-1) @ W_O.T
    return Z


def heads_forward(
    X: Array, W_Q: Array, W_K: Array, W_V: Array, W_O: Array, heads: int, mask: Array | None = None
) -> Array:
    """Self-attention of several heads: each looks at d / heads of the features, and W_O mixes what they found.

    Q = X W_Q^T, K = X W_K^T, V = X W_V^T, cut into heads; Z = [A_1 ... A_h] W_O^T

    X and the result are (m, T, d), every W is (d, d), as torch has it; ``mask`` is (T, T).

    Raises ValueError for shapes that do not fit, or heads that do not divide d.
    """
    _check_heads(X, heads, W_Q=W_Q, W_K=W_K, W_V=W_V, W_O=W_O)
    Q, K, V = (_cut(X @ W.T, heads) for W in (W_Q, W_K, W_V))
    return _joined(attention_forward(Q, K, V, mask)) @ W_O.T


def heads_backward_loop(
    dZ: Array, X: Array, W_Q: Array, W_K: Array, W_V: Array, W_O: Array, heads: int, mask: Array | None = None
) -> HeadsBackward:
    """Example by example and head by head. See heads_backward."""
    m, _, width = X.shape
    d = width // heads
    shared = np.result_type(dZ, X, W_Q, W_K)
    dX = np.zeros(X.shape, np.result_type(shared, W_V, W_O))
    dW_Q, dW_K, dW_V, dW_O = (
        np.zeros((width, width), np.result_type(shared, *others)) for others in ((W_V, W_O), (W_V, W_O), (W_O,), (W_V,))
    )
    for i, x in enumerate(X):
        dA = dZ[i] @ W_O
        for h in range(heads):
            rows = slice(h * d, (h + 1) * d)
            Q, K, V = (x @ W[rows].T for W in (W_Q, W_K, W_V))
            dW_O[:, rows] += dZ[i].T @ attention_forward_loop(Q, K, V, mask) / m
            of_head = attention_backward_loop(dA[:, rows], Q, K, V, mask)
            for dW, W, each in zip((dW_Q, dW_K, dW_V), (W_Q, W_K, W_V), of_head, strict=True):
                dW[rows] += each.T @ x / m
                dX[i] += each @ W[rows]
    return HeadsBackward(dX, dW_Q, dW_K, dW_V, dW_O)


def heads_backward(
    dZ: Array, X: Array, W_Q: Array, W_K: Array, W_V: Array, W_O: Array, heads: int, mask: Array | None = None
) -> HeadsBackward:
    """Self-attention of several heads backward: X is reached as query, as key and as value.

    dA = dZ W_O, dW_O = (1/m) sum dZ^T A; dX = dQ W_Q + dK W_K + dV W_V; dW_Q = (1/m) sum dQ^T X, and so on

    dZ is (m, T, d), per example; the others are those of the forward pass.

    Raises ValueError for shapes that do not fit, or heads that do not divide d.
    """
    _check_heads(X, heads, W_Q=W_Q, W_K=W_K, W_V=W_V, W_O=W_O)
    check_shape("dZ", dZ, X.shape, "dZ has the shape of X")
    Q, K, V = (_cut(X @ W.T, heads) for W in (W_Q, W_K, W_V))
    P = softmax_rows(_scores(Q, K, V, mask))
    of_heads = [_joined(each) for each in _back_through(P, _cut(dZ @ W_O, heads), Q, K, V)]
    dX: Array = sum(each @ W for each, W in zip(of_heads, (W_Q, W_K, W_V), strict=True))  # type: ignore[assignment]
    pairs = [*((each, X) for each in of_heads), (dZ, _joined(P @ V))]
    return HeadsBackward(dX, *(np.tensordot(each, other, axes=((0, 1), (0, 1))) / len(X) for each, other in pairs))


def _T(A: Array) -> Array:
    return A.swapaxes(-1, -2)


def _back_through(P: Array, dA: Array, Q: Array, K: Array, V: Array) -> AttentionBackward:
    """From dA to the derivatives, P being known."""
    dS = softmax_rows_backward(dA @ _T(V), P)
    dS /= math.sqrt(Q.shape[-1])
    return AttentionBackward(dS @ K, _T(dS) @ Q, _T(P) @ dA)


def _scores(Q: Array, K: Array, V: Array, mask: Array | None) -> Array:
    """The scores S, after a look at the shapes."""
    if Q.ndim < 2 or 0 in Q.shape or K.ndim < 2:
        raise ValueError(f"Q has shape {Q.shape}, K {K.shape}, expected (..., T, d) with no side of length 0")
    *batch, T_q, d = Q.shape
    T_k = K.shape[-2]
    check_shape("K", K, (*batch, T_k, d), "keys are as long as queries")
    check_shape("V", V, (*batch, T_k, V.shape[-1]), "a value for each key")
    S = Q @ _T(K) / math.sqrt(d)
    if mask is None:
        return S
    check_shape("mask", mask, (T_q, T_k), "a row for each query, a column for each key")
    if not mask.any(axis=-1).all():
        raise ValueError(f"row {int(np.argmin(mask.any(axis=-1)))} of mask is empty, expected a key that is seen")
    return np.where(mask, S, np.asarray(-np.inf, S.dtype))


def _scores_loop(Q: Array, K: Array, mask: Array | None) -> Array:
    S = np.empty((*Q.shape[:-1], K.shape[-2]), np.result_type(Q, K))
    for *batch, i, k in np.ndindex(S.shape):
        score = np.sum(Q[(*batch, i)] * K[(*batch, k)]) / math.sqrt(Q.shape[-1])
        S[(*batch, i, k)] = score if mask is None or mask[i, k] else -np.inf
    return S


def _check_heads(X: Array, heads: int, **weights: Array) -> None:
    if X.ndim != 3 or 0 in X.shape:
        raise ValueError(f"X has shape {X.shape}, expected (m, T, d) with no side of length 0")
    d = X.shape[-1]
    check_count("heads", heads, 1, "at least one looks")
    if d % heads:
        raise ValueError(f"heads is {heads}, expected a divisor of d = {d}: all heads are equally wide")
    for name, W in weights.items():
        check_shape(name, W, (d, d), "as many rows and columns as X has features")


def _cut(A: Array, heads: int) -> Array:
    """(m, T, d) -> (m, heads, T, d / heads)."""
    m, T, d = A.shape
    return A.reshape(m, T, heads, d // heads).swapaxes(1, 2)


def _joined(A: Array) -> Array:
    """The way back."""
    m, heads, T, d = A.shape
    return A.swapaxes(1, 2).reshape(m, T, heads * d)
