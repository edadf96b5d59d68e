"""Updates of one parameter: what a step of gradient descent, momentum, RMSprop, Adam and their kin does to it.

W = the parameter, weights or biases alike, of any shape; dW = its gradient; alpha = ``learning_rate``. The results are
new arrays of the dtype that the arguments have in common. ``manual.optimizers`` applies the updates to a network.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from manual.notation import Array, check_count, check_shape, plus


class MomentumUpdate(NamedTuple):
    """The parameter W after a step, and its velocity v."""

    W: Array
    v: Array


class RMSpropUpdate(NamedTuple):
    """The parameter W after a step, and the mean square s of its gradients."""

    W: Array
    s: Array


class AdamUpdate(NamedTuple):
    """The parameter W after a step, its velocity v, and the mean square s of its gradients: neither is corrected."""

    W: Array
    v: Array
    s: Array


def gradient_descent_update_loop(W: Array, dW: Array, learning_rate: float) -> Array:
    """Entry by entry: w := w - alpha dw. See gradient_descent_update."""
    W = W.astype(np.result_type(W, dW))
    for i in np.ndindex(W.shape):
        W[i] -= learning_rate * dW[i]
    return W


def gradient_descent_update(W: Array, dW: Array, learning_rate: float) -> Array:
    """Gradient descent: W := W - alpha dW.

    Raises ValueError unless dW has the shape of W.

    Notes: F029, F056, F091, F181.
    """
    check_shape("dW", dW, W.shape, "dW has the shape of W")
    return plus(-learning_rate * dW, W)


def momentum_update_loop(W: Array, dW: Array, v: Array, learning_rate: float, beta: float) -> MomentumUpdate:
    """Entry by entry: v := beta v + (1 - beta) dw, w := w - alpha v. See momentum_update."""
    dtype = np.result_type(W, dW, v)
    W, v = W.astype(dtype), v.astype(dtype)
    for i in np.ndindex(W.shape):
        v[i] = beta * v[i] + (1 - beta) * dW[i]
        W[i] -= learning_rate * v[i]
    return MomentumUpdate(W, v)


def momentum_update(W: Array, dW: Array, v: Array, learning_rate: float, beta: float) -> MomentumUpdate:
    """Momentum: along the moving average of the gradients.

    v := beta v + (1 - beta) dW
    W := W - alpha v

    Raises ValueError unless dW and v have the shape of W.

    Notes: F263. Differs from torch in the factor 1 - beta: its buffer is v / (1 - beta), its lr alpha (1 - beta).
    """
    dtype = _common_dtype(W, dW=dW, v=v)
    term = np.multiply(dW, 1 - beta, dtype=dtype)
    v = np.multiply(v, beta, dtype=dtype)
    v += term
    np.multiply(v, learning_rate, out=term)
    return MomentumUpdate(np.subtract(W, term, out=term), v)


def classical_momentum_update_loop(
    W: Array, dW: Array, v: Array, t: int, learning_rate: float, beta: float, dampening: float = 0.0
) -> MomentumUpdate:
    """Entry by entry: v := beta v + (1 - dampening) dw, w := w - alpha v. See classical_momentum_update."""
    dtype = np.result_type(W, dW, v)
    W, v = W.astype(dtype), v.astype(dtype)
    for i in np.ndindex(W.shape):
        v[i] = beta * v[i] + (1 - dampening) * dW[i] if t > 1 else dW[i]
        W[i] -= learning_rate * v[i]
    return MomentumUpdate(W, v)


def classical_momentum_update(
    W: Array, dW: Array, v: Array, t: int, learning_rate: float, beta: float, dampening: float = 0.0
) -> MomentumUpdate:
    """Momentum as torch has it: a sum of past gradients, not their average (Polyak, Some methods of speeding up, 1964).

    v := dW in the first step, v := beta v + (1 - dampening) dW in the others
    W := W - alpha v

    t = number of this step, 1 for the first, which is not dampened.

    Raises ValueError unless dW and v have the shape of W and t is at least 1.
    """
    dtype = _common_dtype(W, dW=dW, v=v)
    check_count("t", t, 1, "the first step is number 1")
    v = (beta * v + (1 - dampening) * dW if t > 1 else dW).astype(dtype)
    return MomentumUpdate(W - learning_rate * v, v)


def nesterov_update_loop(W: Array, dW: Array, v: Array, learning_rate: float, beta: float) -> MomentumUpdate:
    """Entry by entry: v := beta v + dw, w := w - alpha (dw + beta v). See nesterov_update."""
    dtype = np.result_type(W, dW, v)
    W, v = W.astype(dtype), v.astype(dtype)
    for i in np.ndindex(W.shape):
        v[i] = beta * v[i] + dW[i]
        W[i] -= learning_rate * (dW[i] + beta * v[i])
    return MomentumUpdate(W, v)


def nesterov_update(W: Array, dW: Array, v: Array, learning_rate: float, beta: float) -> MomentumUpdate:
    """Nesterov's momentum as torch has it: the step looks one ahead along the velocity that it has just moved.

    v := beta v + dW
    W := W - alpha (dW + beta v)

    Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum (2013), take the gradient at
    W + mu v instead: this W is their W + mu v, with their v = -alpha v and mu = beta.

    Raises ValueError unless dW and v have the shape of W.
    """
    dtype = _common_dtype(W, dW=dW, v=v)
    v = (beta * v + dW).astype(dtype)
    return MomentumUpdate(W - learning_rate * (dW + beta * v), v)


def rmsprop_update_loop(
    W: Array, dW: Array, s: Array, learning_rate: float, beta2: float, epsilon: float
) -> RMSpropUpdate:
    """Entry by entry: s := beta2 s + (1 - beta2) dw^2, w := w - alpha dw / (sqrt(s) + epsilon). See rmsprop_update."""
    dtype = np.result_type(W, dW, s)
    W, s = W.astype(dtype), s.astype(dtype)
    for i in np.ndindex(W.shape):
        s[i] = beta2 * s[i] + (1 - beta2) * dW[i] ** 2
        W[i] -= learning_rate * dW[i] / (np.sqrt(s[i]) + epsilon)
    return RMSpropUpdate(W, s)


def rmsprop_update(W: Array, dW: Array, s: Array, learning_rate: float, beta2: float, epsilon: float) -> RMSpropUpdate:
    """RMSprop: the gradient over the root of its mean square.

    s := beta2 s + (1 - beta2) dW^2
    W := W - alpha dW / (sqrt(s) + epsilon)

    Raises ValueError unless dW and s have the shape of W.

    Notes: F264. Differs from torch in the name: its alpha is beta2, 0.99 by default. No bias correction in either.
    """
    dtype = _common_dtype(W, dW=dW, s=s)
    term, s = _mean_square(dW, s, beta2, dtype)
    np.sqrt(s, out=term)
    term += epsilon
    np.divide(dW, term, out=term)
    term *= learning_rate
    return RMSpropUpdate(np.subtract(W, term, out=term), s)


def adam_update_loop(
    W: Array,
    dW: Array,
    v: Array,
    s: Array,
    t: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> AdamUpdate:
    """Entry by entry: w := w - alpha v_hat / (sqrt(s_hat) + epsilon). See adam_update."""
    dtype = np.result_type(W, dW, v, s)
    W, v, s = W.astype(dtype), v.astype(dtype), s.astype(dtype)
    for i in np.ndindex(W.shape):
        v[i] = beta1 * v[i] + (1 - beta1) * dW[i]
        s[i] = beta2 * s[i] + (1 - beta2) * dW[i] ** 2
        v_hat = v[i] / (1 - beta1**t)
        s_hat = s[i] / (1 - beta2**t)
        W[i] -= learning_rate * v_hat / (np.sqrt(s_hat) + epsilon)
    return AdamUpdate(W, v, s)


def adam_update(
    W: Array,
    dW: Array,
    v: Array,
    s: Array,
    t: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    *,
    out: AdamUpdate | None = None,
) -> AdamUpdate:
    """Adam: momentum and RMSprop together, both corrected for their start at zero.

    v := beta1 v + (1 - beta1) dW       v_hat = v / (1 - beta1^t)
    s := beta2 s + (1 - beta2) dW^2     s_hat = s / (1 - beta2^t)
    W := W - alpha v_hat / (sqrt(s_hat) + epsilon)

    t = number of this step, 1 for the first. With c = sqrt(1 - beta2^t) the last line is computed as
    W - (alpha c / (1 - beta1^t)) v / (sqrt(s) + c epsilon), which corrects two numbers and not two arrays.
    ``out`` holds arrays for the results, which may be W, v and s themselves; without it they are new.

    Raises ValueError unless dW, v and s have the shape of W and t is at least 1.

    Notes: F266.
    """
    dtype = _common_dtype(W, dW=dW, v=v, s=s)
    check_count("t", t, 1, "the first step is number 1")
    c = math.sqrt(1 - beta2**t)
    out_W, out_v, out_s = out or (None, None, None)
    term, s = _mean_square(dW, s, beta2, dtype, out_s)
    np.multiply(dW, 1 - beta1, out=term)
    v = np.multiply(v, beta1, dtype=dtype, out=out_v)
    v += term
    np.sqrt(s, out=term)
    term += c * epsilon
    np.divide(v, term, out=term)
    term *= learning_rate * c / (1 - beta1**t)
    return AdamUpdate(np.subtract(W, term, out=term if out_W is None else out_W), v, s)


def adamw_update_loop(
    W: Array,
    dW: Array,
    v: Array,
    s: Array,
    t: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
) -> AdamUpdate:
    """Entry by entry: w := w - alpha weight_decay w, then Adam's step. See adamw_update."""
    W = W.astype(np.result_type(W, dW, v, s))
    for i in np.ndindex(W.shape):
        W[i] -= learning_rate * weight_decay * W[i]
    return adam_update_loop(W, dW, v, s, t, learning_rate, beta1, beta2, epsilon)


def adamw_update(
    W: Array,
    dW: Array,
    v: Array,
    s: Array,
    t: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
) -> AdamUpdate:
    """Adam with decoupled weight decay: W shrinks beside the step, and v and s know nothing of it.

    W := W - alpha weight_decay W - alpha v_hat / (sqrt(s_hat) + epsilon)

    v_hat and s_hat are those of adam_update. As in torch the decay is multiplied by alpha; in Loshchilov and Hutter,
    Decoupled Weight Decay Regularization (2019), it is not.

    Raises ValueError as adam_update does.
    """
    return adam_update((1 - learning_rate * weight_decay) * W, dW, v, s, t, learning_rate, beta1, beta2, epsilon)


def _mean_square(
    dW: Array, s: Array, beta2: float, dtype: np.dtype[Any], out: Array | None = None
) -> tuple[Array, Array]:
    """(1 - beta2) dW^2, whose memory the caller may use again, and beta2 s + (1 - beta2) dW^2."""
    term = np.square(dW, dtype=dtype)
    term *= 1 - beta2
    s = np.multiply(s, beta2, dtype=dtype, out=out)
    s += term
    return term, s


def _common_dtype(W: Array, **arrays: Array) -> np.dtype[Any]:
    """The dtype that all have in common; ValueError unless every array has the shape of W."""
    for name, value in arrays.items():
        check_shape(name, value, W.shape, f"{name} has the shape of W")
    return np.result_type(W, *arrays.values())
