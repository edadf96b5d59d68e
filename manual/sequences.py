"""Steps of recurrent networks, forward and backward, and the way back through all steps of a sequence.

The notes end before them. The simple cell is that of Elman, Finding structure in time (1990); the LSTM of Hochreiter
and Schmidhuber, Long short-term memory (1997), with the forget gate of Gers and others (2000); the GRU of Cho and
others (2014), with the reset gate behind U h as torch has it; the way back that of Werbos, Backpropagation through time
(1990).

x is (n_x, m), h and c are (n, m): examples are columns. W is (k n, n_x), U (k n, n), b (k n, 1), where the k gates lie
one below the other in torch's order: none, or i f g o, or r z n.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from manual.activations import sigmoid, tanh
from manual.notation import Array, check_examples, check_shape


class RnnBackward(NamedTuple):
    """dx and dh_prev per example; dW, dU and db with the 1/m."""

    dx: Array
    dh_prev: Array
    dW: Array
    dU: Array
    db: Array


class LstmState(NamedTuple):
    """What an LSTM hands on: h, which others see, and the cell c."""

    h: Array
    c: Array


class LstmBackward(NamedTuple):
    """dx, dh_prev and dc_prev per example; dW, dU and db with the 1/m."""

    dx: Array
    dh_prev: Array
    dc_prev: Array
    dW: Array
    dU: Array
    db: Array


class GruBackward(NamedTuple):
    """dx and dh_prev per example; dW, dU and the two biases' with the 1/m."""

    dx: Array
    dh_prev: Array
    dW: Array
    dU: Array
    db: Array
    db_h: Array


class SequenceBackward(NamedTuple):
    """dX of every step and dh_0 per example; dW, dU and db, summed over the steps, with the 1/m."""

    dX: Array
    dh_0: Array
    dW: Array
    dU: Array
    db: Array


class LstmSequence(NamedTuple):
    """The h of every step of an LSTM, (T, n, m), and the cell after the last, (n, m)."""

    H: Array
    c_T: Array


class LstmSequenceBackward(NamedTuple):
    """dX of every step, dh_0 and dc_0 per example; dW, dU and db, summed over the steps, with the 1/m."""

    dX: Array
    dh_0: Array
    dc_0: Array
    dW: Array
    dU: Array
    db: Array


class GruSequenceBackward(NamedTuple):
    """dX of every step and dh_0 per example; dW, dU and the two biases', summed over the steps, with the 1/m."""

    dX: Array
    dh_0: Array
    dW: Array
    dU: Array
    db: Array
    db_h: Array


def rnn_step_forward_loop(x: Array, h_prev: Array, W: Array, U: Array, b: Array) -> Array:
    """Entry by entry. See rnn_step_forward."""
    Z = _affine_loop(x, W) + _affine_loop(h_prev, U) + b
    h = np.empty_like(Z)
    for i in np.ndindex(Z.shape):
        h[i] = np.tanh(Z[i])
    return h


def rnn_step_forward(x: Array, h_prev: Array, W: Array, U: Array, b: Array) -> Array:
    """A step of the simple cell: h = tanh(W x + U h_prev + b).

    x is (n_x, m), h_prev and the result (n, m), W (n, n_x), U (n, n), b (n, 1).

    Raises ValueError for shapes that do not fit. Differs from torch in the bias: its cell has two, which add up.
    """
    _check(x, h_prev, W, U, b, 1)
    return tanh(W @ x + U @ h_prev + b)


def rnn_step_backward_loop(dh: Array, x: Array, h_prev: Array, W: Array, U: Array, b: Array) -> RnnBackward:
    """Entry by entry: dz = dh (1 - h^2), then every product. See rnn_step_backward."""
    h = rnn_step_forward_loop(x, h_prev, W, U, b)
    dZ = np.empty(h.shape, np.result_type(dh, h))
    for i in np.ndindex(h.shape):
        dZ[i] = dh[i] * (1 - h[i] ** 2)
    return RnnBackward(*_affine_backward_loop(dZ, x, h_prev, W, U))


def rnn_step_backward(dh: Array, x: Array, h_prev: Array, W: Array, U: Array, b: Array) -> RnnBackward:
    """A step of the simple cell backward.

    dZ = dh * (1 - h^2), dx = W^T dZ, dh_prev = U^T dZ
    dW = (1/m) dZ x^T, dU = (1/m) dZ h_prev^T, db = (1/m) sum dZ

    dh is (n, m), per example; the others are those of the forward pass.

    Raises ValueError for shapes that do not fit.
    """
    h = rnn_step_forward(x, h_prev, W, U, b)
    check_shape("dh", dh, h.shape, "dh has the shape of h")
    return RnnBackward(*_affine_backward(dh * (1 - h * h), x, h_prev, W, U))


def lstm_step_forward_loop(x: Array, h_prev: Array, c_prev: Array, W: Array, U: Array, b: Array) -> LstmState:
    """Unit by unit and example by example. See lstm_step_forward."""
    Z = _affine_loop(x, W) + _affine_loop(h_prev, U) + b
    n = len(h_prev)
    h, c = (np.empty(h_prev.shape, np.result_type(Z, c_prev)) for _ in range(2))
    for j, e in np.ndindex(h_prev.shape):
        i, f, o = (1 / (1 + np.exp(-Z[j + k * n, e])) for k in (0, 1, 3))
        c[j, e] = f * c_prev[j, e] + i * np.tanh(Z[j + 2 * n, e])
        h[j, e] = o * np.tanh(c[j, e])
    return LstmState(h, c)


def lstm_step_forward(x: Array, h_prev: Array, c_prev: Array, W: Array, U: Array, b: Array) -> LstmState:
    """A step of the LSTM: what the cell keeps, what it takes in, and what it shows.

    (z_i, z_f, z_g, z_o) = W x + U h_prev + b
    c = sigmoid(z_f) c_prev + sigmoid(z_i) tanh(z_g), h = sigmoid(z_o) tanh(c)

    x is (n_x, m), h_prev, c_prev and the results (n, m), W (4 n, n_x), U (4 n, n), b (4 n, 1), the gates in this order.

    Raises ValueError for shapes that do not fit. Differs from torch in the bias: its cell has two, which add up.
    """
    i, f, g, o = _lstm_gates(x, h_prev, c_prev, W, U, b)
    c = f * c_prev + i * g
    return LstmState(o * tanh(c), c)


def lstm_step_backward_loop(
    dh: Array, dc: Array, x: Array, h_prev: Array, c_prev: Array, W: Array, U: Array, b: Array
) -> LstmBackward:
    """Unit by unit and example by example. See lstm_step_backward."""
    Z = _affine_loop(x, W) + _affine_loop(h_prev, U) + b
    n = len(h_prev)
    dtype = np.result_type(dh, dc, Z, c_prev)
    dZ, dc_prev = np.empty(Z.shape, dtype), np.empty(c_prev.shape, dtype)
    for j, e in np.ndindex(h_prev.shape):
        i, f, o = (1 / (1 + np.exp(-Z[j + k * n, e])) for k in (0, 1, 3))
        g = np.tanh(Z[j + 2 * n, e])
        t = np.tanh(f * c_prev[j, e] + i * g)
        along = dc[j, e] + dh[j, e] * o * (1 - t**2)
        dZ[j, e] = along * g * i * (1 - i)
        dZ[j + n, e] = along * c_prev[j, e] * f * (1 - f)
        dZ[j + 2 * n, e] = along * i * (1 - g**2)
        dZ[j + 3 * n, e] = dh[j, e] * t * o * (1 - o)
        dc_prev[j, e] = along * f
    dx, dh_prev, *of_parameters = _affine_backward_loop(dZ, x, h_prev, W, U)
    return LstmBackward(dx, dh_prev, dc_prev, *of_parameters)


def lstm_step_backward(
    dh: Array, dc: Array, x: Array, h_prev: Array, c_prev: Array, W: Array, U: Array, b: Array
) -> LstmBackward:
    """A step of the LSTM backward: c is reached from the step after, and through h.

    along = dc + dh o (1 - tanh(c)^2), dc_prev = along f
    dz_i = along g i (1 - i), dz_f = along c_prev f (1 - f), dz_g = along i (1 - g^2), dz_o = dh tanh(c) o (1 - o)
    dx = W^T dZ, dh_prev = U^T dZ, dW = (1/m) dZ x^T, dU = (1/m) dZ h_prev^T, db = (1/m) sum dZ

    dh and dc are (n, m), per example: what the loss and the step after say of h and of c. The others are those of the
    forward pass.

    Raises ValueError for shapes that do not fit.
    """
    i, f, g, o = _lstm_gates(x, h_prev, c_prev, W, U, b)
    check_shape("dh", dh, h_prev.shape, "dh has the shape of h")
    check_shape("dc", dc, h_prev.shape, "dc has the shape of c")
    t = tanh(f * c_prev + i * g)
    along = dc + dh * o * (1 - t * t)
    parts = along * g * i * (1 - i), along * c_prev * f * (1 - f), along * i * (1 - g * g), dh * t * o * (1 - o)
    dx, dh_prev, *of_parameters = _affine_backward(np.concatenate(parts), x, h_prev, W, U)
    return LstmBackward(dx, dh_prev, along * f, *of_parameters)


def gru_step_forward_loop(x: Array, h_prev: Array, W: Array, U: Array, b: Array, b_h: Array) -> Array:
    """Unit by unit and example by example. See gru_step_forward."""
    Z, Z_h = _affine_loop(x, W) + b, _affine_loop(h_prev, U) + b_h
    n = len(h_prev)
    h = np.empty(h_prev.shape, np.result_type(Z, Z_h))
    for j, e in np.ndindex(h.shape):
        r, z = (1 / (1 + np.exp(-Z[j + k * n, e] - Z_h[j + k * n, e])) for k in (0, 1))
        new = np.tanh(Z[j + 2 * n, e] + r * Z_h[j + 2 * n, e])
        h[j, e] = (1 - z) * new + z * h_prev[j, e]
    return h


def gru_step_forward(x: Array, h_prev: Array, W: Array, U: Array, b: Array, b_h: Array) -> Array:
    """A step of the GRU: a mixture of what was and of what is new.

    (a_r, a_z, a_n) = W x + b, (k_r, k_z, k_n) = U h_prev + b_h
    r = sigmoid(a_r + k_r), z = sigmoid(a_z + k_z), n = tanh(a_n + r k_n), h = (1 - z) n + z h_prev

    x is (n_x, m), h_prev and the result (n, m), W (3 n, n_x), U (3 n, n), b and b_h (3 n, 1), the gates in this order.
    The reset gate stands behind U h_prev + b_h, as in torch, so the two biases do not add up; Cho and others put it
    before, and exchange z and 1 - z.

    Raises ValueError for shapes that do not fit.
    """
    _, z, new, _ = _gru_gates(x, h_prev, W, U, b, b_h)
    h: Array = (1 - z) * new + z * h_prev
    return h


def gru_step_backward_loop(dh: Array, x: Array, h_prev: Array, W: Array, U: Array, b: Array, b_h: Array) -> GruBackward:
    """Unit by unit and example by example. See gru_step_backward."""
    Z, Z_h = _affine_loop(x, W) + b, _affine_loop(h_prev, U) + b_h
    n, dtype = len(h_prev), np.result_type(dh, Z, Z_h)
    dZ, dZ_h, direct = np.empty(Z.shape, dtype), np.empty(Z.shape, dtype), np.empty(h_prev.shape, dtype)
    for j, e in np.ndindex(h_prev.shape):
        r, z = (1 / (1 + np.exp(-Z[j + k * n, e] - Z_h[j + k * n, e])) for k in (0, 1))
        new = np.tanh(Z[j + 2 * n, e] + r * Z_h[j + 2 * n, e])
        dZ[j + 2 * n, e] = dh[j, e] * (1 - z) * (1 - new**2)
        dZ_h[j + 2 * n, e] = dZ[j + 2 * n, e] * r
        dZ[j, e] = dZ_h[j, e] = dZ[j + 2 * n, e] * Z_h[j + 2 * n, e] * r * (1 - r)
        dZ[j + n, e] = dZ_h[j + n, e] = dh[j, e] * (h_prev[j, e] - new) * z * (1 - z)
        direct[j, e] = dh[j, e] * z
    dx, _, dW, _, db = _affine_backward_loop(dZ, x, h_prev, W, U)
    _, dh_prev, _, dU, db_h = _affine_backward_loop(dZ_h, x, h_prev, W, U)
    return GruBackward(dx, dh_prev + direct, dW, dU, db, db_h)


def gru_step_backward(dh: Array, x: Array, h_prev: Array, W: Array, U: Array, b: Array, b_h: Array) -> GruBackward:
    """A step of the GRU backward; h_prev is reached straight and through the gates.

    da_n = dh (1 - z) (1 - n^2), dk_n = da_n r
    da_r = dk_r = da_n k_n r (1 - r), da_z = dk_z = dh (h_prev - n) z (1 - z)
    dx = W^T da, dh_prev = dh z + U^T dk
    dW = (1/m) da x^T, dU = (1/m) dk h_prev^T, db = (1/m) sum da, db_h = (1/m) sum dk

    dh is (n, m), per example; the others are those of the forward pass.

    Raises ValueError for shapes that do not fit.
    """
    r, z, new, k_n = _gru_gates(x, h_prev, W, U, b, b_h)
    check_shape("dh", dh, h_prev.shape, "dh has the shape of h")
    da_n = dh * (1 - z) * (1 - new * new)
    da_r, da_z = da_n * k_n * r * (1 - r), dh * (h_prev - new) * z * (1 - z)
    dx, _, dW, _, db = _affine_backward(np.concatenate([da_r, da_z, da_n]), x, h_prev, W, U)
    _, dh_prev, _, dU, db_h = _affine_backward(np.concatenate([da_r, da_z, da_n * r]), x, h_prev, W, U)
    return GruBackward(dx, dh * z + dh_prev, dW, dU, db, db_h)


def rnn_forward_loop(X: Array, h_0: Array, W: Array, U: Array, b: Array) -> Array:
    """Step by step, each entry by entry. See rnn_forward."""
    return _outputs(rnn_step_forward_loop, X, (h_0,), W, U, b)[0]


def rnn_forward(X: Array, h_0: Array, W: Array, U: Array, b: Array) -> Array:
    """All steps of the simple cell: h_t = tanh(W x_t + U h_(t-1) + b).

    X is (T, n_x, m), h_0 (n, m), W (n, n_x), U (n, n), b (n, 1); the result (T, n, m) has h_1 to h_T.

    Raises ValueError for shapes that do not fit.
    """
    return _outputs(rnn_step_forward, X, (h_0,), W, U, b)[0]


def rnn_backward_loop(dH: Array, X: Array, h_0: Array, W: Array, U: Array, b: Array) -> SequenceBackward:
    """From the last step to the first, each entry by entry. See rnn_backward."""
    steps = rnn_step_forward_loop, rnn_step_backward_loop
    return SequenceBackward(*_back_through(*steps, dH, (), X, (h_0,), W, U, b))


def rnn_backward(dH: Array, X: Array, h_0: Array, W: Array, U: Array, b: Array) -> SequenceBackward:
    """Backpropagation through time: h_t is reached from the loss of its own step and from the step after.

    dh_t = dH_t + U^T dz_(t+1), dz_t = dh_t * (1 - h_t^2), dx_t = W^T dz_t, dh_0 = U^T dz_1
    dW = (1/m) sum_t dz_t x_t^T, dU = (1/m) sum_t dz_t h_(t-1)^T, db = (1/m) sum_t sum_i dz_t

    dH is (T, n, m), per example: what the losses of the steps themselves say of h_t; X is (T, n_x, m).

    Raises ValueError for shapes that do not fit.
    """
    return SequenceBackward(*_back_through(rnn_step_forward, rnn_step_backward, dH, (), X, (h_0,), W, U, b))


def lstm_forward_loop(X: Array, h_0: Array, c_0: Array, W: Array, U: Array, b: Array) -> LstmSequence:
    """Step by step, each unit by unit. See lstm_forward."""
    H, (_, c_T) = _outputs(lstm_step_forward_loop, X, (h_0, c_0), W, U, b)
    return LstmSequence(H, c_T)


def lstm_forward(X: Array, h_0: Array, c_0: Array, W: Array, U: Array, b: Array) -> LstmSequence:
    """All steps of the LSTM: (h_t, c_t) = lstm_step_forward(x_t, h_(t-1), c_(t-1)).

    X is (T, n_x, m), h_0 and c_0 (n, m), W (4 n, n_x), U (4 n, n), b (4 n, 1), the gates i, f, g, o; H is (T, n, m), of
    the cell the last is handed on.

    Raises ValueError for shapes that do not fit.
    """
    H, (_, c_T) = _outputs(lstm_step_forward, X, (h_0, c_0), W, U, b)
    return LstmSequence(H, c_T)


def lstm_backward_loop(
    dH: Array, dc_T: Array, X: Array, h_0: Array, c_0: Array, W: Array, U: Array, b: Array
) -> LstmSequenceBackward:
    """From the last step to the first, each unit by unit. See lstm_backward."""
    steps = lstm_step_forward_loop, lstm_step_backward_loop
    return LstmSequenceBackward(*_back_through(*steps, dH, (dc_T,), X, (h_0, c_0), W, U, b))


def lstm_backward(
    dH: Array, dc_T: Array, X: Array, h_0: Array, c_0: Array, W: Array, U: Array, b: Array
) -> LstmSequenceBackward:
    """The LSTM backward through time: h_t is reached as in rnn_backward, c_t by the step after too.

    dh_t = dH_t + U^T dz_(t+1), dc_t = along_(t+1) f_(t+1), with dc_T given, along and dz as in lstm_step_backward
    dW = (1/m) sum_t dz_t x_t^T, dU = (1/m) sum_t dz_t h_(t-1)^T, db = (1/m) sum_t sum_i dz_t

    dH is (T, n, m) and dc_T (n, m), per example: what the losses say of every h_t, and of the last cell, 0 for nothing.
    X is (T, n_x, m).

    Raises ValueError for shapes that do not fit.
    """
    check_shape("dc_T", dc_T, c_0.shape, "dc_T has the shape of c_0")
    steps = lstm_step_forward, lstm_step_backward
    return LstmSequenceBackward(*_back_through(*steps, dH, (dc_T,), X, (h_0, c_0), W, U, b))


def gru_forward_loop(X: Array, h_0: Array, W: Array, U: Array, b: Array, b_h: Array) -> Array:
    """Step by step, each unit by unit. See gru_forward."""
    return _outputs(gru_step_forward_loop, X, (h_0,), W, U, b, b_h)[0]


def gru_forward(X: Array, h_0: Array, W: Array, U: Array, b: Array, b_h: Array) -> Array:
    """All steps of the GRU: h_t = gru_step_forward(x_t, h_(t-1)).

    X is (T, n_x, m), h_0 (n, m), W (3 n, n_x), U (3 n, n), b and b_h (3 n, 1), the gates r, z, n; the result (T, n, m)
    has h_1 to h_T.

    Raises ValueError for shapes that do not fit.
    """
    return _outputs(gru_step_forward, X, (h_0,), W, U, b, b_h)[0]


def gru_backward_loop(dH: Array, X: Array, h_0: Array, W: Array, U: Array, b: Array, b_h: Array) -> GruSequenceBackward:
    """From the last step to the first, each unit by unit. See gru_backward."""
    steps = gru_step_forward_loop, gru_step_backward_loop
    return GruSequenceBackward(*_back_through(*steps, dH, (), X, (h_0,), W, U, b, b_h))


def gru_backward(dH: Array, X: Array, h_0: Array, W: Array, U: Array, b: Array, b_h: Array) -> GruSequenceBackward:
    """The GRU backward through time: what a step hands down goes straight, times z, and through its gates.

    dh_t = dH_t + dh_(t+1) z_(t+1) + U^T dk_(t+1), with da and dk as in gru_step_backward
    dW = (1/m) sum_t da_t x_t^T, dU = (1/m) sum_t dk_t h_(t-1)^T
    db = (1/m) sum_t sum_i da_t, db_h = (1/m) sum_t sum_i dk_t

    dH is (T, n, m), per example: what the losses of the steps themselves say of h_t; X is (T, n_x, m).

    Raises ValueError for shapes that do not fit.
    """
    return GruSequenceBackward(*_back_through(gru_step_forward, gru_step_backward, dH, (), X, (h_0,), W, U, b, b_h))


def _all_steps(step: Callable[..., Any], X: Array, start: tuple[Array, ...], *params: Array) -> list[tuple[Array, ...]]:
    """The state before the first step, and after each."""
    if X.ndim != 3 or 0 in X.shape:
        raise ValueError(f"X has shape {X.shape}, expected (T, n_x, m) with no side of length 0: steps come first")
    states = [start]
    for x in X:
        state = step(x, *states[-1], *params)
        states.append(state if isinstance(state, tuple) else (state,))
    return states


def _outputs(
    step: Callable[..., Any], X: Array, start: tuple[Array, ...], *params: Array
) -> tuple[Array, tuple[Array, ...]]:
    """The h of every step, and the state after the last."""
    states = _all_steps(step, X, start, *params)
    return np.stack([state[0] for state in states[1:]]), states[-1]


def _back_through(
    step: Callable[..., Any],
    back: Callable[..., tuple[Array, ...]],
    dH: Array,
    last: tuple[Array, ...],
    X: Array,
    start: tuple[Array, ...],
    *params: Array,
) -> tuple[Array, ...]:
    """From the last step to the first, what each hands down added to what its loss says: of the h of every step dH, of
    the rest of the state, ``last``, of its end alone.
    """
    states = _all_steps(step, X, start, *params)
    check_shape("dH", dH, (len(X), *start[0].shape), "a derivative for every h of every step")
    dX: list[Array] = []
    of_parameters: list[Sequence[Array]] = []
    dh: Any = 0
    for dH_t, x, before in reversed(list(zip(dH, X, states[:-1], strict=True))):
        dx, dh, *others = back(dH_t + dh, *last, x, *before, *params)
        last = tuple(others[: len(last)])
        dX.append(dx)
        of_parameters.append(others[len(last) :])
    return np.stack(dX[::-1]), dh, *last, *(np.sum(of_steps, axis=0) for of_steps in zip(*of_parameters, strict=True))


def _check(x: Array, h_prev: Array, W: Array, U: Array, b: Array, gates: int) -> None:
    """ValueError unless the arrays of a step fit."""
    (n_x, m), (n, _) = check_examples("x", x), check_examples("h_prev", h_prev)
    check_shape("h_prev", h_prev, (n, m), "one column per example of x")
    rows = "one row per unit" if gates == 1 else f"{gates} gates of {n} rows"
    check_shape("W", W, (gates * n, n_x), f"{rows}, one column per row of x")
    check_shape("U", U, (gates * n, n), f"{rows}, one column per unit")
    check_shape("b", b, (gates * n, 1), f"{rows}, a column")


def _lstm_gates(x: Array, h_prev: Array, c_prev: Array, W: Array, U: Array, b: Array) -> tuple[Array, ...]:
    """i, f, g and o."""
    _check(x, h_prev, W, U, b, 4)
    check_shape("c_prev", c_prev, h_prev.shape, "c_prev has the shape of h_prev")
    z_i, z_f, z_g, z_o = np.split(W @ x + U @ h_prev + b, 4)
    return sigmoid(z_i), sigmoid(z_f), tanh(z_g), sigmoid(z_o)


def _gru_gates(x: Array, h_prev: Array, W: Array, U: Array, b: Array, b_h: Array) -> tuple[Array, ...]:
    """r, z, n, and k_n that r is multiplied by."""
    _check(x, h_prev, W, U, b, 3)
    check_shape("b_h", b_h, b.shape, "b_h has the shape of b")
    (a_r, a_z, a_n), (k_r, k_z, k_n) = np.split(W @ x + b, 3), np.split(U @ h_prev + b_h, 3)
    r = sigmoid(a_r + k_r)
    return r, sigmoid(a_z + k_z), tanh(a_n + r * k_n), k_n


def _affine_backward(dZ: Array, x: Array, h_prev: Array, W: Array, U: Array) -> tuple[Array, ...]:
    """dx, dh_prev, dW, dU and db of Z = W x + U h_prev + b."""
    m = x.shape[1]
    return W.T @ dZ, U.T @ dZ, dZ @ x.T / m, dZ @ h_prev.T / m, dZ.sum(axis=1, keepdims=True) / m


def _affine_loop(x: Array, W: Array) -> Array:
    """W x, product by product."""
    Z = np.zeros((len(W), x.shape[1]), np.result_type(x, W))
    for j, k, e in np.ndindex(*W.shape, x.shape[1]):
        Z[j, e] += W[j, k] * x[k, e]
    return Z


def _affine_backward_loop(dZ: Array, x: Array, h_prev: Array, W: Array, U: Array) -> tuple[Array, ...]:
    """The same derivatives, product by product."""
    m = x.shape[1]
    found = []
    for value, weight in ((x, W), (h_prev, U)):
        d_value, d_weight = np.zeros(value.shape, dZ.dtype), np.zeros(weight.shape, dZ.dtype)
        for j, k, e in np.ndindex(*weight.shape, m):
            d_value[k, e] += weight[j, k] * dZ[j, e]
            d_weight[j, k] += dZ[j, e] * value[k, e] / m
        found += [d_value, d_weight]
    (dx, dW, dh_prev, dU), db = found, np.zeros((len(dZ), 1), dZ.dtype)
    for j, e in np.ndindex(dZ.shape):
        db[j, 0] += dZ[j, e] / m
    return dx, dh_prev, dW, dU, db
