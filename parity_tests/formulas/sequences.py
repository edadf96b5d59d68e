"""Steps of recurrent networks, and the way back through all of them."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np

import manual.sequences as by_hand
import torch_ref.sequences as torch_side
from parity_tests.formulas.case import N_2, N_X, Inputs, M, normal
from parity_tests.formulas.formula import EXAMPLES, Formula, Sharp, Words, code, probe, pulled_back, refusal
from parity_tests.formulas.planting import fault, instead, largest_moved, result
from parity_tests.judging.running import Running, running_bounds, stacked

N, STEPS = N_2, 3
"""Units, and steps of a sequence."""


def _affine_backward(dZ: Running, x: Running, h_prev: Running, W: Running, U: Running) -> tuple[Running, ...]:
    m = x.value.shape[1]
    return W.T @ dZ, U.T @ dZ, dZ @ x.T / m, dZ @ h_prev.T / m, dZ.sum(axis=1) / m


def _rnn(x: Running, h_prev: Running, W: Running, U: Running, b: Running) -> Running:
    return (W @ x + U @ h_prev + b).tanh()


def _rnn_backward(dh: Running, x: Running, h_prev: Running, *params: Running) -> tuple[Running, ...]:
    h = _rnn(x, h_prev, *params)
    return _affine_backward(dh * (1 - h * h), x, h_prev, *params[:2])


def _lstm_gates(x: Running, h_prev: Running, W: Running, U: Running, b: Running) -> tuple[Running, ...]:
    Z = W @ x + U @ h_prev + b
    z_i, z_f, z_g, z_o = (Z[k * N : (k + 1) * N] for k in range(4))
    return z_i.sigmoid(), z_f.sigmoid(), z_g.tanh(), z_o.sigmoid()


def _lstm(x: Running, h_prev: Running, c_prev: Running, *params: Running) -> tuple[Running, ...]:
    i, f, g, o = _lstm_gates(x, h_prev, *params)
    c = f * c_prev + i * g
    return o * c.tanh(), c


def _lstm_backward(
    dh: Running, dc: Running, x: Running, h_prev: Running, c_prev: Running, *params: Running
) -> tuple[Running, ...]:
    i, f, g, o = _lstm_gates(x, h_prev, *params)
    t = (f * c_prev + i * g).tanh()
    along = dc + dh * o * (1 - t * t)
    dZ = stacked(along * g * i * (1 - i), along * c_prev * f * (1 - f), along * i * (1 - g * g), dh * t * o * (1 - o))
    dx, dh_prev, *of_parameters = _affine_backward(dZ, x, h_prev, *params[:2])
    return dx, dh_prev, along * f, *of_parameters


def _gru_gates(x: Running, h_prev: Running, W: Running, U: Running, b: Running, b_h: Running) -> tuple[Running, ...]:
    a, k = W @ x + b, U @ h_prev + b_h
    r, z = (a[:N] + k[:N]).sigmoid(), (a[N : 2 * N] + k[N : 2 * N]).sigmoid()
    return r, z, (a[2 * N :] + r * k[2 * N :]).tanh(), k[2 * N :]


def _gru(x: Running, h_prev: Running, *params: Running) -> Running:
    _, z, new, _ = _gru_gates(x, h_prev, *params)
    return (1 - z) * new + z * h_prev


def _gru_backward(dh: Running, x: Running, h_prev: Running, *params: Running) -> tuple[Running, ...]:
    r, z, new, k_n = _gru_gates(x, h_prev, *params)
    da_n = dh * (1 - z) * (1 - new * new)
    da_r, da_z = da_n * k_n * r * (1 - r), dh * (h_prev - new) * z * (1 - z)
    dx, _, dW, _, db = _affine_backward(stacked(da_r, da_z, da_n), x, h_prev, *params[:2])
    _, dh_prev, _, dU, db_h = _affine_backward(stacked(da_r, da_z, da_n * r), x, h_prev, *params[:2])
    return dx, dh * z + dh_prev, dW, dU, db, db_h


def _steps(step: Any, states: int, X: Running, *given: Running) -> list[tuple[Running, ...]]:
    """The state, of so many arrays, before the first step and after each."""
    found = [given[:states]]
    for t in range(STEPS):
        state = step(X[t], *found[-1], *given[states:])
        found.append(state if isinstance(state, tuple) else (state,))
    return found


def _sequence_of(step: Any, states: int) -> Any:
    def forward(*given: Running) -> tuple[Running, ...]:
        _, *found = _steps(step, states, *given)
        return stacked(*(state[0][None] for state in found)), *found[-1][1:]

    return forward


def _sequence_backward(step: Any, back: Any, states: int) -> Any:
    def backward(dH: Running, *given: Running) -> tuple[Running, ...]:
        last, (X, *rest) = given[: states - 1], given[states - 1 :]
        before = _steps(step, states, X, *rest)
        dX, dh, total = [], Running(dH.u, 0.0), [Running(dH.u, 0.0)] * (len(rest) - states)
        for t in reversed(range(STEPS)):
            dx, dh, *others = back(dH[t] + dh, *last, X[t], *before[t], *rest[states:])
            last = tuple(others[: states - 1])
            dX.append(dx[None])
            total = [a + b for a, b in zip(total, others[states - 1 :], strict=True)]
        return stacked(*dX[::-1]), dh, *last, *total

    return backward


# pragma: no mutate start, for what follows is drawn and planted: the bounds above judge


def _step(rng: np.random.Generator, gates: int, *states: str, biases: str = "b", **upstream: int) -> Inputs:
    """The arrays of a step; of a whole sequence, X has all inputs."""
    return {
        **{name: normal(rng, N, M) for name in upstream},
        "x": normal(rng, N_X, M),
        **{name: normal(rng, N, M) for name in states},
        "W": normal(rng, gates * N, N_X),
        "U": normal(rng, gates * N, N),
        **{name: normal(rng, gates * N, 1) for name in biases.split()},
    }


def _sequence(rng: np.random.Generator, gates: int, *states: str, biases: str = "b", upstream: bool = False) -> Inputs:
    arrays = _step(rng, gates, *states, biases=biases)
    del arrays["x"]
    given = {"dH": normal(rng, STEPS, N, M), **({"dc_T": normal(rng, N, M)} if "c_0" in states else {})}
    return {**(given if upstream else {}), "X": normal(rng, STEPS, N_X, M), **arrays}


def _field(name: str, alter: Any) -> Any:
    """A fault in one of the results."""
    return result(lambda found, *args: found._replace(**{name: alter(getattr(found, name), *args)}))


def _gates_swapped(*order: int) -> Any:
    """The rows of W, U and b in another order of the gates."""

    def swapped(value: Any) -> Any:
        parts = np.split(value, len(order))
        return np.concatenate([parts[k] for k in order])

    return lambda f: lambda *args: f(*args[:-3], *(swapped(each) for each in args[-3:]))


def _exchanged(x: Any, h_prev: Any, *params: Any) -> Any:
    """A GRU whose z is the share of the new."""
    _, z, new, _ = by_hand._gru_gates(x, h_prev, *params)
    return z * new + (1 - z) * h_prev


def _forgetful(X: Any, h: Any, c_0: Any, *params: Any) -> Any:
    """An LSTM whose cell begins anew in every step."""
    H = []
    for x in X:
        h, c = by_hand.lstm_step_forward(x, h, c_0, *params)
        H.append(h)
    return by_hand.LstmSequence(np.stack(H), c)


def _without(cell: str, *handed: str) -> Any:
    """Backward through time, of what a step hands down to the one before a part left out."""

    def planted(f: Any) -> Any:
        def through(*args: Any) -> Any:
            right = getattr(by_hand, f"{cell}_step_backward")

            def back(*args: Any) -> Any:
                found = right(*args)
                return found._replace(**{name: 0 * getattr(found, name) for name in handed})

            with mock.patch.object(by_hand, f"{cell}_step_backward", back):
                return f(*args)

        return through

    return planted


X, H = np.ones((2, 3)), np.ones((4, 3))
W, U, B = np.ones((4, 2)), np.ones((4, 4)), np.ones((4, 1))
"""A step of 4 units, 2 inputs and 3 examples, to be refused in parts."""

ONE = "one row per unit"

FORMULAS = (
    Formula(
        (code(by_hand, torch_side, "rnn_step_forward"),),
        Words(
            "A step of a recurrent network",
            r"h_t = \tanh(W x_t + U h_{t-1} + b)",
            "A dense layer of two inputs: what comes now, and what it gave itself a step before. The same $W$, $U$ and "
            "$b$ serve all steps.",
            "The product is written h W with the weights of W h.",
            "The shapes fit where there are as many units as inputs, and everything is wrong.",
        ),
        cases=(probe(lambda rng: _step(rng, 1, "h_prev"), running_bounds(_rnn, "h", "x h_prev W U b")),),
        sharp=(Sharp(0.04),),
        faults=(
            fault("the past forgotten", lambda f: lambda x, h, *a: f(x, 0 * h, *a), "h", at="manual"),
            fault("U transposed", lambda f: lambda x, h, W, U, b: f(x, h, W, U.T, b), "h", at="manual"),
            fault("one entry of h moved", result(largest_moved), "h", at="manual"),
        ),
        refusals=(
            refusal(f"W has shape (2, 4), expected (4, 2): {ONE}, one column per row of x", X, H, W.T, U, B),
            refusal(f"U has shape (4, 2), expected (4, 4): {ONE}, one column per unit", X, H, W, W, B),
            refusal(f"b has shape (4,), expected (4, 1): {ONE}, a column", X, H, W, U, B[:, 0]),
            refusal("h_prev has shape (4, 2), expected (4, 3): one column per example of x", X, H[:, :2], W, U, B),
            refusal(f"x has shape (3,), {EXAMPLES}", X[0], H, W, U, B),
            refusal(f"h_prev has shape (3,), {EXAMPLES}", X, H[0], W, U, B),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "rnn_step_backward"),),
        Words(
            "A recurrent step backward",
            r"dz_t = dh_t * (1 - h_t^{2}), \qquad dx_t = W^{T} dz_t, \qquad dh_{t-1} = U^{T} dz_t"
            "\n"
            r"dW = \frac{1}{m} dz_t x_t^{T}, \qquad dU = \frac{1}{m} dz_t h_{t-1}^{T}, \qquad db = \frac{1}{m} \sum_i "
            r"dz_t^{(i)}",
            "The dense layer's three derivatives, once for each of its inputs.",
            "The slope is taken at h: 1 - tanh(h)^2.",
            "Right sign, wrong size, more so where units are saturated.",
        ),
        cases=(
            probe(
                lambda rng: _step(rng, 1, "h_prev", dh=1),
                running_bounds(_rnn_backward, "dx dh_prev dW dU db", "dh x h_prev W U b"),
                pulled_back(by_hand.rnn_step_forward, "dh", "x h_prev W U b", per_example=2, m=M),
            ),
        ),
        sharp=(Sharp(0.03),),
        faults=(
            fault("slope at h", lambda f: lambda dh, x, h, W, U, b: f(
                dh * (1 - np.tanh(by_hand.rnn_step_forward(x, h, W, U, b)) ** 2)
                / (1 - by_hand.rnn_step_forward(x, h, W, U, b) ** 2), x, h, W, U, b),
                "dx", "dh_prev", "dW", "dU", "db", at="manual"),
            fault("dU by x", _field("dU", lambda d, dh, x, *a: d + np.sum(x) / M), "dU", at="manual"),
            fault("1/m lost in dU", _field("dU", lambda d, *a: d * M), "dU", at="manual"),
        ),
        refusals=(refusal("dh has shape (2, 3), expected (4, 3): dh has the shape of h", X, X, H, W, U, B),),
    ),
    Formula(
        (code(by_hand, torch_side, "lstm_step_forward"),),
        Words(
            "A step of the LSTM",
            r"(z_i, z_f, z_g, z_o) = W x_t + U h_{t-1} + b"
            "\n"
            r"c_t = \sigma(z_f) * c_{t-1} + \sigma(z_i) * \tanh(z_g), \qquad h_t = \sigma(z_o) * \tanh(c_t)",
            "The cell $c$ is carried from step to step by a factor alone, no matrix and no activation: what the forget "
            "gate lets pass stays. The other gates say what comes in, and what is shown.",
            "The gates come in another order than torch's i, f, g, o.",
            "Everything runs; values are wrong from the first step on. TensorFlow has the same order, many texts f "
            "first.",
        ),
        cases=(
            probe(
                lambda rng: _step(rng, 4, "h_prev", "c_prev"), running_bounds(_lstm, "h c", "x h_prev c_prev W U b")
            ),
        ),
        sharp=(Sharp(0.04),),
        faults=(
            fault("gates in another order", _gates_swapped(1, 0, 2, 3), "h", "c", at="manual"),
            fault("output gate and new values swapped", _gates_swapped(0, 1, 3, 2), "h", "c", at="manual"),
            fault("h without its tanh", result(lambda s, x, h, c, *a: s._replace(h=s.h / np.tanh(s.c) * s.c)), "h",
                  at="manual"),
        ),
        refusals=(
            refusal("W has shape (4, 2), expected (16, 2): 4 gates of 4 rows, one column per row of x",
                    X, H, H, W, U, B),
            refusal("c_prev has shape (2, 3), expected (4, 3): c_prev has the shape of h_prev",
                    X, H, X, np.ones((16, 2)), np.ones((16, 4)), np.ones((16, 1))),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "lstm_step_backward"),),
        Words(
            "A step of the LSTM backward",
            r"\bar c = dc_t + dh_t * o * (1 - \tanh^{2} c_t), \qquad dc_{t-1} = \bar c * f"
            "\n"
            r"dz_i = \bar c\, g\, i (1 - i), \qquad dz_f = \bar c\, c_{t-1} f (1 - f), \qquad dz_g = \bar c\, i (1 - "
            r"g^{2}), \qquad dz_o = dh_t \tanh(c_t)\, o (1 - o)",
            "$c_t$ has two readers: the step after, and $h_t$. Their derivatives add up, and the sum goes on to all "
            "that "
            "$c_t$ was made of.",
            "The derivative that comes through h is left out of dc.",
            "All gates but o are wrong in the last step, where dc is 0: their gradients vanish.",
        ),
        cases=(
            probe(
                lambda rng: _step(rng, 4, "h_prev", "c_prev", dh=1, dc=1),
                running_bounds(_lstm_backward, "dx dh_prev dc_prev dW dU db", "dh dc x h_prev c_prev W U b"),
                pulled_back(by_hand.lstm_step_forward, "dh dc", "x h_prev c_prev W U b", per_example=3, m=M),
            ),
        ),
        sharp=(Sharp(0.04),),
        faults=(
            fault("dc not carried on", lambda f: lambda dh, dc, *a: f(dh, 0 * dc, *a), "dx", "dh_prev", "dc_prev", "dW",
                  "dU", "db", at="manual"),
            fault("dc_prev without the forget gate",
                  _field("dc_prev", lambda d, dh, dc, *a: dc), "dc_prev", at="manual"),
            fault("gates of the gradient in another order", _field("db", lambda d, *a: np.roll(d, N, axis=0)), "db",
                  at="manual"),
        ),
        refusals=(
            refusal("dh has shape (2, 3), expected (4, 3): dh has the shape of h",
                    X, H, X, H, H, np.ones((16, 2)), np.ones((16, 4)), np.ones((16, 1))),
            refusal("dc has shape (2, 3), expected (4, 3): dc has the shape of c",
                    H, X, X, H, H, np.ones((16, 2)), np.ones((16, 4)), np.ones((16, 1))),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "gru_step_forward"),),
        Words(
            "A step of the GRU",
            r"r = \sigma(a_r + k_r), \qquad z = \sigma(a_z + k_z), \qquad n = \tanh(a_n + r * k_n)"
            "\n"
            r"h_t = (1 - z) * n + z * h_{t-1}, \qquad a = W x_t + b, \quad k = U h_{t-1} + b_h",
            "One gate mixes the old and the new, another says how much of the old the new one sees. torch multiplies "
            "$U h + b_h$ by $r$, so its second bias is not the first one's twin.",
            "r multiplies h before U, as in the paper, or z and 1 - z are exchanged.",
            "Close while weights are small, for then r is near a half everywhere.",
        ),
        cases=(
            probe(
                lambda rng: _step(rng, 3, "h_prev", biases="b b_h"), running_bounds(_gru, "h", "x h_prev W U b b_h")
            ),
        ),
        sharp=(Sharp(0.04),),
        faults=(
            fault("old and new exchanged", instead(_exchanged), "h", at="manual"),
            fault("the biases added up", lambda f: lambda x, h, W, U, b, b_h: f(x, h, W, U, b + b_h, 0 * b_h), "h",
                  at="manual"),
        ),
        refusals=(
            refusal("b_h has shape (4, 1), expected (12, 1): b_h has the shape of b",
                    X, H, np.ones((12, 2)), np.ones((12, 4)), np.ones((12, 1)), B),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "gru_step_backward"),),
        Words(
            "A step of the GRU backward",
            r"da_n = dh_t (1 - z)(1 - n^{2}), \qquad da_r = da_n\, k_n\, r (1 - r), \qquad da_z = dh_t (h_{t-1} - "
            r"n)\, z "
            r"(1 - z)"
            "\n"
            r"dh_{t-1} = dh_t * z + U^{T} (da_r, da_z, da_n * r)",
            "$h_{t-1}$ is read four times: in the mixture and by the three gates. $U$ sees the derivative in $k$, "
            "which "
            "for the third gate has the factor $r$; $W$ sees that in $a$, which has not.",
            "The straight way to h_prev, dh z, is forgotten.",
            "dh_prev is wrong, all of the step's own gradients are right: it shows from the step before on.",
        ),
        cases=(
            probe(
                lambda rng: _step(rng, 3, "h_prev", biases="b b_h", dh=1),
                running_bounds(_gru_backward, "dx dh_prev dW dU db db_h", "dh x h_prev W U b b_h"),
                pulled_back(by_hand.gru_step_forward, "dh", "x h_prev W U b b_h", per_example=2, m=M),
            ),
        ),
        sharp=(Sharp(0.03),),
        faults=(
            fault("no straight way to h_prev",
                  _field("dh_prev", lambda d, dh, x, h, W, U, b, b_h: d - dh / 2), "dh_prev",
                  at="manual"),
            fault("dU without the reset gate", lambda f: lambda *a: (lambda g: g._replace(
                db_h=g.db))(f(*a)), "db_h", at="manual"),
        ),
        refusals=(
            refusal("dh has shape (2, 3), expected (4, 3): dh has the shape of h",
                    X, X, H, np.ones((12, 2)), np.ones((12, 4)), np.ones((12, 1)), np.ones((12, 1))),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "rnn_forward"),),
        Words(
            "A recurrent network over a sequence",
            r"h_t = \tanh(W x_t + U h_{t-1} + b), \qquad t = 1, \ldots, T",
            "The loop over the steps stays, for each needs the one before. Examples are columns in each of them.",
            "The state is not set back between two sequences.",
            "Results depend on the order of the examples.",
        ),
        cases=(
            probe(lambda rng: _sequence(rng, 1, "h_0"), running_bounds(_sequence_of(_rnn, 1), "H", "X h_0 W U b")),
        ),
        sharp=(Sharp(0.04),),
        faults=(
            fault("every step from h_0", lambda f: lambda X, h_0, *a: np.concatenate([f(x[None], h_0, *a) for x in X]),
                  "H", at="manual"),
        ),
        refusals=(
            refusal("X has shape (2, 3), expected (T, n_x, m) with no side of length 0: steps come first",
                    X, H, W, U, B),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "rnn_backward"),),
        Words(
            "Backpropagation through time",
            r"dh_t = dH_t + U^{T} dz_{t+1}, \qquad dz_t = dh_t * (1 - h_t^{2})"
            "\n"
            r"dW = \frac{1}{m} \sum_{t} dz_t x_t^{T}, \qquad dU = \frac{1}{m} \sum_{t} dz_t h_{t-1}^{T}, \qquad db = "
            r"\frac{1}{m} \sum_{t} \sum_{i} dz_t^{(i)}",
            "$h_t$ acts on the loss of its own step and on all later ones; the latter arrive in one sum, through the "
            "step after. The parameters are used in every step, so their derivatives add up. $U^{T}$ comes in once for "
            "each step between: products of many of it vanish or explode, which is what clipping by the norm is for.",
            "The gradient of the steps after is left out, each step counted alone.",
            "The last step is right, earlier ones are not: with one step everything agrees.",
            shapes="dH is (T, n, m), X and dX (T, n_x, m), W (n, n_x), U (n, n), b (n, 1), h_0 and dh_0 (n, m).",
        ),
        cases=(
            probe(
                lambda rng: _sequence(rng, 1, "h_0", upstream=True),
                running_bounds(_sequence_backward(_rnn, _rnn_backward, 1), "dX dh_0 dW dU db", "dH X h_0 W U b"),
                pulled_back(by_hand.rnn_forward, "dH", "X h_0 W U b", per_example=2, m=M),
            ),
        ),
        sharp=(Sharp(0.02),),
        faults=(
            fault("steps counted alone", _without("rnn", "dh_prev"), "dX", "dh_0", "dW", "dU", "db", at="manual"),
            fault("averaged over the steps", _field("dW", lambda d, *a: d / STEPS), "dW", at="manual"),
            fault("one entry of dU moved", _field("dU", largest_moved), "dU", at="manual"),
        ),
        refusals=(
            refusal("dH has shape (2, 3), expected (1, 4, 3): a derivative for every h of every step",
                    X, X[None], H, W, U, B),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "lstm_forward"),),
        Words(
            "An LSTM over a sequence",
            r"(h_t, c_t) = \mathrm{LSTM}(x_t, h_{t-1}, c_{t-1}), \qquad t = 1, \ldots, T",
            "Two states go from step to step: $h$, which the layer above sees, and the cell $c$.",
            "Only h is handed on, the cell begins at zero in every step.",
            "The first step is right where $c_0$ is 0, and nothing is remembered.",
        ),
        cases=(
            probe(
                lambda rng: _sequence(rng, 4, "h_0", "c_0"),
                running_bounds(_sequence_of(_lstm, 2), "H c_T", "X h_0 c_0 W U b"),
            ),
        ),
        sharp=(Sharp(0.04),),
        faults=(
            fault("the cell not handed on", instead(_forgetful), "H", "c_T", at="manual"),
        ),
        refusals=(
            refusal("X has shape (2, 3), expected (T, n_x, m) with no side of length 0: steps come first",
                    X, H, H, W, U, B),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "lstm_backward"),),
        Words(
            "An LSTM backward through time",
            r"dh_t = dH_t + U^{T} dz_{t+1}, \qquad dc_t = \bar c_{t+1} * f_{t+1}, \qquad \bar c_t = dc_t + dh_t * o_t "
            r"* (1 - \tanh^{2} c_t)"
            "\n"
            r"dW = \frac{1}{m} \sum_{t} dz_t x_t^{T}, \qquad dU = \frac{1}{m} \sum_{t} dz_t h_{t-1}^{T}, \qquad db = "
            r"\frac{1}{m} \sum_{t} \sum_{i} dz_t^{(i)}",
            "Two ways lead from a step to the one before: through $h$ and all gates, and along the cell, where only "
            "the forget gate is multiplied. The second keeps gradients alive over many steps.",
            "dc is set back to zero in every step.",
            "The last step is right, and gradients vanish as in the simple cell.",
            shapes="dH is (T, n, m), dc_T (n, m), X and dX (T, n_x, m), W (4 n, n_x), U (4 n, n), b (4 n, 1), the "
            "others (n, m).",
        ),
        cases=(
            probe(
                lambda rng: _sequence(rng, 4, "h_0", "c_0", upstream=True),
                running_bounds(
                    _sequence_backward(_lstm, _lstm_backward, 2),
                    "dX dh_0 dc_0 dW dU db", "dH dc_T X h_0 c_0 W U b",
                ),
                pulled_back(by_hand.lstm_forward, "dH dc_T", "X h_0 c_0 W U b", per_example=3, m=M),
            ),
        ),
        sharp=(Sharp(0.02),),
        faults=(
            fault("dc set back in every step", _without("lstm", "dc_prev"), "dX", "dh_0", "dc_0", "dW", "dU", "db",
                  at="manual"),
            fault("h of the LSTM counted alone", _without("lstm", "dh_prev"), "dX", "dh_0", "dc_0", "dW", "dU", "db",
                  at="manual"),
            fault("one entry of the LSTM's dU moved", _field("dU", largest_moved), "dU", at="manual"),
        ),
        refusals=(
            refusal("dc_T has shape (2, 3), expected (4, 3): dc_T has the shape of c_0", H[None], X, X[None], H, H,
                    np.ones((16, 2)), np.ones((16, 4)), np.ones((16, 1))),
            refusal("dH has shape (2, 4, 3), expected (1, 4, 3): a derivative for every h of every step",
                    np.ones((2, 4, 3)), H, X[None], H, H, np.ones((16, 2)), np.ones((16, 4)), np.ones((16, 1))),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "gru_forward"),),
        Words(
            "A GRU over a sequence",
            r"h_t = \mathrm{GRU}(x_t, h_{t-1}), \qquad t = 1, \ldots, T",
            "One state goes from step to step; where $z$ is 1 it goes unchanged.",
            "The gates are computed from h_0 in every step.",
            "The first step is right.",
        ),
        cases=(
            probe(
                lambda rng: _sequence(rng, 3, "h_0", biases="b b_h"),
                running_bounds(_sequence_of(_gru, 1), "H", "X h_0 W U b b_h"),
            ),
        ),
        sharp=(Sharp(0.04),),
        faults=(
            fault("every step of the GRU from h_0", lambda f: lambda X, h_0, *a: np.concatenate(
                [f(x[None], h_0, *a) for x in X]), "H", at="manual"),
        ),
        refusals=(
            refusal("X has shape (2, 3), expected (T, n_x, m) with no side of length 0: steps come first",
                    X, H, W, U, B, B),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "gru_backward"),),
        Words(
            "A GRU backward through time",
            r"dh_t = dH_t + dh_{t+1} * z_{t+1} + U^{T} dk_{t+1}"
            "\n"
            r"dW = \frac{1}{m} \sum_{t} da_t x_t^{T}, \qquad dU = \frac{1}{m} \sum_{t} dk_t h_{t-1}^{T}",
            "What a step hands down goes straight through the mixture, times $z$, and through the gates. The straight "
            "way has no matrix and no slope.",
            "The straight way is forgotten.",
            "The last step is right, earlier ones get too little.",
            shapes="dH is (T, n, m), X and dX (T, n_x, m), W (3 n, n_x), U (3 n, n), b and b_h (3 n, 1), h_0 and dh_0 "
            "(n, m).",
        ),
        cases=(
            probe(
                lambda rng: _sequence(rng, 3, "h_0", biases="b b_h", upstream=True),
                running_bounds(
                    _sequence_backward(_gru, _gru_backward, 1), "dX dh_0 dW dU db db_h", "dH X h_0 W U b b_h"
                ),
                pulled_back(by_hand.gru_forward, "dH", "X h_0 W U b b_h", per_example=2, m=M),
            ),
        ),
        sharp=(Sharp(0.02),),
        faults=(
            fault("h of the GRU counted alone", _without("gru", "dh_prev"), "dX", "dh_0", "dW", "dU", "db", "db_h",
                  at="manual"),
            fault("one entry of the GRU's db_h moved", _field("db_h", largest_moved), "db_h", at="manual"),
        ),
        refusals=(
            refusal("dH has shape (2, 3), expected (1, 4, 3): a derivative for every h of every step",
                    X, X[None], H, np.ones((12, 2)), np.ones((12, 4)), np.ones((12, 1)), np.ones((12, 1))),
        ),
    ),
)  # fmt: skip
# pragma: no mutate end
