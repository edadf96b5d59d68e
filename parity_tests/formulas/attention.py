"""Softmax over rows, scaled dot product attention, and several heads of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import manual.attention as by_hand
import torch_ref.attention as torch_side
from parity_tests.formulas.case import N_1, N_2, N_X, Case, Inputs, M, normal
from parity_tests.formulas.formula import Formula, Sharp, Words, code, probe, pulled_back, refusal
from parity_tests.formulas.planting import fault, instead, largest_moved, result
from parity_tests.judging.running import Running, running_bounds


def _softmax_rows(S: Running, mask: Any = None) -> Running:
    seen = S.value if mask is None else np.where(mask.value, S.value, -np.inf)
    E = (S - seen.max(axis=-1, keepdims=True)).exp()
    if mask is not None:
        E = E * mask
    P: Running = E / E.sum(axis=-1)
    return P


def _softmax_rows_backward(dP: Running, P: Running) -> Running:
    """torch gets log P for its scores, which is off by a logarithm's error."""
    again = _softmax_rows(P.log())
    return again * (dP - (dP * again).sum(axis=-1))


def _weights(Q: Running, K: Running, mask: Any) -> Running:
    return _softmax_rows(Q @ K.T / math.sqrt(Q.value.shape[-1]), mask)


def _attention(Q: Running, K: Running, V: Running, mask: Any = None) -> Running:
    return _weights(Q, K, mask) @ V


def _attention_backward(dA: Running, Q: Running, K: Running, V: Running, mask: Any = None) -> tuple[Running, ...]:
    P = _weights(Q, K, mask)
    dP = dA @ V.T
    dS = P * (dP - (dP * P).sum(axis=-1)) / math.sqrt(Q.value.shape[-1])
    return dS @ K, dS.T @ Q, P.T @ dA


def _cut(A: Running, heads: int) -> Running:
    return A.moved(lambda each: np.stack(np.split(each, heads, axis=-1), axis=1))


def _joined(A: Running) -> Running:
    return A.moved(lambda each: np.concatenate(list(each.swapaxes(0, 1)), axis=-1))


def _rows(A: Running) -> Running:
    return A.moved(lambda each: each.reshape(-1, each.shape[-1]))


def _heads(X: Running, W_Q: Running, W_K: Running, W_V: Running, W_O: Running, heads: int, mask: Any) -> Running:
    Q, K, V = (_cut(X @ W.T, heads) for W in (W_Q, W_K, W_V))
    return _joined(_attention(Q, K, V, mask)) @ W_O.T


def _heads_backward(
    dZ: Running, X: Running, W_Q: Running, W_K: Running, W_V: Running, W_O: Running, heads: int, mask: Any
) -> tuple[Running, ...]:
    Q, K, V = (_cut(X @ W.T, heads) for W in (W_Q, W_K, W_V))
    dQ, dK, dV = (_joined(each) for each in _attention_backward(_cut(dZ @ W_O, heads), Q, K, V, mask))
    pairs = (dQ, X), (dK, X), (dV, X), (dZ, _joined(_attention(Q, K, V, mask)))
    of_weights = (_rows(each).T @ _rows(other) / len(X.value) for each, other in pairs)
    return dQ @ W_Q + dK @ W_K + dV @ W_V, *of_weights


# pragma: no mutate start, for what follows is drawn and planted: the bounds above judge


HEADS, WIDTH = 2, 4


def _mask(rng: np.random.Generator, *shape: int) -> Any:
    """Zeros and ones, the first column all ones: every query sees a key."""
    mask = rng.integers(0, 2, shape).astype(np.float64)
    mask[:, 0] = 1
    return mask


def _one(rng: np.random.Generator, masked: bool, upstream: bool = False) -> Inputs:
    dA = {"dA": normal(rng, N_2, N_X, N_2)} if upstream else {}
    arrays = {"Q": normal(rng, N_2, N_X, N_1), "K": normal(rng, N_2, M, N_1), "V": normal(rng, N_2, M, N_2)}
    return {**dA, **arrays, **({"mask": _mask(rng, N_X, M)} if masked else {})}


def _several(rng: np.random.Generator, upstream: bool = False) -> Inputs:
    shape = N_2, N_X, WIDTH
    return {
        **({"dZ": normal(rng, *shape)} if upstream else {}),
        "X": normal(rng, *shape),
        **{name: normal(rng, WIDTH, WIDTH) for name in ("W_Q", "W_K", "W_V", "W_O")},
        "heads": HEADS,
        "mask": np.tri(N_X),
    }


REAL = {"mask": "a mask has no derivative"}
PARTS = "X W_Q W_K W_V W_O"


def _forward(masked: bool) -> Case:
    return probe(
        lambda rng: _one(rng, masked),
        running_bounds(_attention, "A", "Q K V mask" if masked else "Q K V"),
        id="attention.attention_forward" + ("_masked" if masked else ""),
        stays_real=REAL if masked else {},
    )


def _backward(masked: bool) -> Case:
    return probe(
        lambda rng: _one(rng, masked, upstream=True),
        running_bounds(_attention_backward, "dQ dK dV", "dA Q K V mask" if masked else "dA Q K V"),
        pulled_back(by_hand.attention_forward, "dA", "Q K V", per_example=3),
        id="attention.attention_backward" + ("_masked" if masked else ""),
        stays_real=REAL if masked else {},
    )


def _with(weights: Any) -> Any:
    """Attention whose weights come from the scores in another way."""
    return instead(lambda Q, K, V: weights(Q @ K.swapaxes(-1, -2), Q.shape[-1]) @ V)


def _turned(mask: Any) -> Any:
    """The other keys; all of them where that would be none."""
    return np.where((1 - mask).any(axis=-1, keepdims=True), 1 - mask, 1)


def _diagonal(dP: Any, P: Any) -> Any:
    return dP * P * (1 - P)


X, W = np.ones((2, 3, 4)), np.ones((4, 4))
Q, K, V = np.ones((3, 4)), np.ones((5, 4)), np.ones((5, 2))
"""What is refused in parts."""

FORMULAS = (
    Formula(
        (code(by_hand, torch_side, "softmax_rows"),),
        Words(
            "Softmax over rows",
            r"p_{ij} = \frac{e^{s_{ij} - \max_k s_{ik}}}{\sum_k e^{s_{ik} - \max_k s_{ik}}}",
            "The notes' softmax, which has classes below each other, for values that lie side by side. The largest is "
            "subtracted so that nothing overflows; it cancels.",
            "The classes are summed over the other axis.",
            "Rows do not sum to 1, columns do.",
            shapes="S and P are (..., T_q, T_k).",
        ),
        cases=(probe(lambda rng: {"S": 3 * normal(rng, N_2, N_1, M)}, running_bounds(_softmax_rows, "P", "S")),),
        sharp=(Sharp(0.1),),
        faults=(
            fault("softmax over columns", instead(lambda S: by_hand.softmax_rows(S.swapaxes(-1, -2)).swapaxes(-1, -2)),
                  "P", at="manual"),
            fault("softmax over everything", instead(lambda S: np.exp(S) / np.exp(S).sum()), "P", at="manual"),
        ),
        refusals=(refusal("S has shape (2, 0), expected rows with no side of length 0", np.ones((2, 0))),),
    ),
    Formula(
        (code(by_hand, torch_side, "softmax_rows_backward"),),
        Words(
            "Softmax over rows, backward",
            r"ds_j = \sum_k dp_k\, p_k (\delta_{jk} - p_j) = p_j \Bigl( dp_j - \sum_k dp_k\, p_k \Bigr)",
            r"Every $p_k$ moves with every $s_j$: the Jacobian is $\mathrm{diag}(p) - p p^{T}$. Its product with $dp$ "
            "needs one sum a row, so it is never built.",
            "softmax-elementwise",
            "Rows of dS do not sum to 0.",
            shapes="P, dP and dS are (..., T_q, T_k).",
        ),
        cases=(
            probe(
                lambda rng: {"dP": normal(rng, N_2, N_1, M), "P": by_hand.softmax_rows(normal(rng, N_2, N_1, M))},
                running_bounds(_softmax_rows_backward, "dS", "dP P"),
            ),
        ),
        sharp=(Sharp(0.02),),
        faults=(
            fault("softmax's diagonal alone", instead(_diagonal), "dS", at="manual"),
            fault("the sum over columns", instead(lambda dP, P: P * (dP - (dP * P).sum(axis=-2, keepdims=True))), "dS",
                  at="manual"),
        ),
        refusals=(refusal("dP has shape (3, 4), expected (5, 4): dP has the shape of P", Q, K),),
    ),
    Formula(
        (code(by_hand, torch_side, "attention_forward"),),
        Words(
            "Scaled dot product attention",
            r"A = \mathrm{softmax}\Bigl( \frac{Q K^{T}}{\sqrt{d}} \Bigr) V",
            r"Each query is compared with each key, and takes the average of the values with these weights. A dot "
            r"product of $d$ terms has a spread of $\sqrt{d}$; divided by it, softmax starts where it is not "
            r"saturated. "
            r"Where the mask is false the score is $-\infty$ and the weight 0.",
            "The mask multiplies the weights after the softmax, or the scores by 0.",
            "The weights of a row do not sum to 1, or hidden keys have e^0: more than some that are seen.",
            shapes="Q is (..., T_q, d), K (..., T_k, d), V (..., T_k, d_v), A (..., T_q, d_v).",
        ),
        cases=(_forward(masked=False), _forward(masked=True)),
        sharp=(Sharp(0.02),),
        faults=(
            fault("not scaled", _with(lambda S, d: by_hand.softmax_rows(S)), "A", at="manual"),
            fault("scaled by d", _with(lambda S, d: by_hand.softmax_rows(S / d)), "A", at="manual"),
            fault("mask forgotten", lambda f: lambda Q, K, V, mask: f(Q, K, V), "A",
                  at="case:attention.attention_forward_masked manual"),
            fault("mask the other way round", lambda f: lambda Q, K, V, mask: f(Q, K, V, _turned(mask)), "A",
                  at="case:attention.attention_forward_masked manual"),
            fault("mask after the softmax", instead(lambda Q, K, V, mask: (mask * by_hand.softmax_rows(
                Q @ K.swapaxes(-1, -2) / math.sqrt(Q.shape[-1]))).astype(Q.dtype) @ V), "A",
                at="case:attention.attention_forward_masked manual"),
        ),
        refusals=(
            refusal("K has shape (5, 3), expected (5, 4): keys are as long as queries", Q, K[:, :3], V),
            refusal("V has shape (4, 2), expected (5, 2): a value for each key", Q, K, V[:4]),
            refusal("Q has shape (4,), K (5, 4), expected (..., T, d) with no side of length 0", Q[0], K, V),
            refusal("mask has shape (5, 3), expected (3, 5): a row for each query, a column for each key",
                    Q, K, V, np.ones((5, 3))),
            refusal("row 0 of mask is empty, expected a key that is seen", Q, K, V, np.zeros((3, 5))),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "attention_backward"),),
        Words(
            "Attention backward",
            r"dV = P^{T} dA, \qquad dP = dA\, V^{T}, \qquad dS = \frac{1}{\sqrt{d}}\, P * \bigl( dP - "
            r"\mathrm{rowsum}(dP * "
            r"P) \bigr)"
            "\n"
            r"dQ = dS\, K, \qquad dK = dS^{T} Q",
            "Two products, a softmax between them, each backward in turn. Where a key is hidden $P$ is 0 and so is "
            "$dS$, "
            "without a look at the mask.",
            "The factor of the scale is left out on the way back.",
            "dQ and dK are sqrt(d) times too large, dV is right.",
            shapes="Each derivative has the shape of what it belongs to.",
        ),
        cases=(_backward(masked=False), _backward(masked=True)),
        sharp=(Sharp(0.02),),
        faults=(
            fault("scale forgotten backward", result(lambda g, dA, Q, *a: g._replace(
                dQ=g.dQ * Q.dtype.type(math.sqrt(Q.shape[-1])))), "dQ", at="manual"),
            fault("dV by dP", result(lambda g, dA, Q, K, V: g._replace(dV=g.dV + V)), "dV", at="manual"),
            fault("one entry of dK moved", result(lambda g, *a: g._replace(dK=largest_moved(g.dK))), "dK", at="manual"),
        ),
        refusals=(refusal("dA has shape (5, 2), expected (3, 2): a row for each query", V, Q, K, V),),
    ),
    Formula(
        (code(by_hand, torch_side, "heads_forward"),),
        Words(
            "Several heads",
            r"Q = X W_Q^{T}, \qquad K = X W_K^{T}, \qquad V = X W_V^{T}, \qquad Z = \bigl[ A_1 \cdots A_h \bigr] "
            r"W_O^{T}",
            "The features are cut into as many parts as there are heads, each attends by itself, and $W_O$ mixes "
            "what they "
            "found. The scale is that of one head: $d / h$ features.",
            "The parts are cut by a reshape to (m, h, T, d/h) without moving an axis.",
            "It runs; heads hold pieces of positions, and nothing agrees but the shape.",
        ),
        cases=(
            probe(
                _several,
                running_bounds(_heads, "Z", f"{PARTS} heads mask"),
                stays_real=REAL,
            ),
        ),
        sharp=(Sharp(0.01),),
        faults=(
            fault("one head", lambda f: lambda *a: f(*a[:5], 1, a[6]), "Z", at="manual"),
            fault("W_O forgotten",
                  lambda f: lambda X, Q, K, V, O, *a: f(X, Q, K, V, np.eye(WIDTH, dtype=X.dtype), *a), "Z",
                  at="manual"),
            fault("positions cut in place of features", lambda f: lambda X, *a: f(
                X.reshape(N_2, WIDTH, N_X).swapaxes(1, 2), *a), "Z", at="manual"),
        ),
        refusals=(
            refusal("heads is 3, expected a divisor of d = 4: all heads are equally wide", X, W, W, W, W, 3),
            refusal("X has shape (3, 4), expected (m, T, d) with no side of length 0", X[0], W, W, W, W, 2),
            refusal("W_V has shape (3, 4), expected (4, 4): as many rows and columns as X has features",
                    X, W, W, W[:3], W, 2),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "heads_backward"),),
        Words(
            "Several heads backward",
            r"dA = dZ\, W_O, \qquad dX = dQ\, W_Q + dK\, W_K + dV\, W_V"
            "\n"
            r"dW_O = \frac{1}{m} \sum_i dZ_i^{T} A_i, \qquad dW_Q = \frac{1}{m} \sum_i dQ_i^{T} X_i",
            "In self-attention $X$ is query, key and value at once, so three derivatives meet in it. The weights are "
            "those "
            "of dense layers on rows.",
            "Only one of the three ways back to X is taken.",
            "The gradients of the four matrices are right, everything below the layer is wrong.",
        ),
        cases=(
            probe(
                lambda rng: _several(rng, upstream=True),
                running_bounds(_heads_backward, "dX dW_Q dW_K dW_V dW_O", f"dZ {PARTS} heads mask"),
                pulled_back(by_hand.heads_forward, "dZ", PARTS, per_example=1, m=N_2),
                stays_real=REAL,
            ),
        ),
        sharp=(Sharp(0.004),),
        faults=(
            fault("X as query alone", lambda f: lambda dZ, X, Q, K, V, *a: f(dZ, X, Q, K, V, *a)._replace(
                dX=f(dZ, X, Q, K, V, *a).dX / 3), "dX", at="manual"),
            fault("1/m lost in dW_O", result(lambda g, *a: g._replace(dW_O=N_2 * g.dW_O)), "dW_O", at="manual"),
        ),
        refusals=(refusal("dZ has shape (3, 4), expected (2, 3, 4): dZ has the shape of X", X[0], X, W, W, W, W, 2),),
    ),
)  # fmt: skip
# pragma: no mutate end
