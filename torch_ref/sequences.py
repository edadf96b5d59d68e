"""Steps of sequences through torch's cells, derivatives through autograd. Counterpart of manual.sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call


class LstmState(NamedTuple):
    """What an LSTM hands on."""

    h: Tensor
    c: Tensor


def _cell(
    kind: type[nn.Module], x: Tensor, state: Any, W: Tensor, U: Tensor, b: Tensor, b_h: Tensor | None = None
) -> Any:
    """A cell of torch with these parameters, or a layer, which is given all steps and numbers its parameters.

    It takes examples in rows and has a second bias, here 0 if not given.
    """
    module = kind(x.shape[-2], U.shape[1], device="meta")
    layer = "_l0" if x.ndim == 3 else ""
    parameters = {
        f"weight_ih{layer}": W,
        f"weight_hh{layer}": U,
        f"bias_ih{layer}": b.flatten(),
        f"bias_hh{layer}": torch.zeros_like(b).flatten() if b_h is None else b_h.flatten(),
    }
    return functional_call(module, parameters, (x.mT, state))


def rnn_step_forward(x: Tensor, h_prev: Tensor, W: Tensor, U: Tensor, b: Tensor) -> Tensor:
    """nn.RNNCell."""
    h: Tensor = _cell(nn.RNNCell, x, h_prev.T, W, U, b)
    return h.T


def lstm_step_forward(x: Tensor, h_prev: Tensor, c_prev: Tensor, W: Tensor, U: Tensor, b: Tensor) -> LstmState:
    """nn.LSTMCell."""
    h, c = _cell(nn.LSTMCell, x, (h_prev.T, c_prev.T), W, U, b)
    return LstmState(h.T, c.T)


def gru_step_forward(x: Tensor, h_prev: Tensor, W: Tensor, U: Tensor, b: Tensor, b_h: Tensor) -> Tensor:
    """nn.GRUCell."""
    h: Tensor = _cell(nn.GRUCell, x, h_prev.T, W, U, b, b_h)
    return h.T


class LstmSequence(NamedTuple):
    """The h of every step of an LSTM, and the cell after the last."""

    H: Tensor
    c_T: Tensor


def rnn_forward(X: Tensor, h_0: Tensor, W: Tensor, U: Tensor, b: Tensor) -> Tensor:
    """nn.RNN over all steps at once."""
    H: Tensor = _cell(nn.RNN, X, h_0.T[None], W, U, b)[0]
    return H.mT


def lstm_forward(X: Tensor, h_0: Tensor, c_0: Tensor, W: Tensor, U: Tensor, b: Tensor) -> LstmSequence:
    """nn.LSTM over all steps at once."""
    H, (_, c_T) = _cell(nn.LSTM, X, (h_0.T[None], c_0.T[None]), W, U, b)
    return LstmSequence(H.mT, c_T[0].T)


def gru_forward(X: Tensor, h_0: Tensor, W: Tensor, U: Tensor, b: Tensor, b_h: Tensor) -> Tensor:
    """nn.GRU over all steps at once."""
    H: Tensor = _cell(nn.GRU, X, h_0.T[None], W, U, b, b_h)[0]
    return H.mT


def _backward(forward: Callable[..., Any], fields: str, per_example: int) -> Callable[..., Any]:
    """Autograd in all arguments of the forward pass, under what comes first; 1/m behind the first few."""
    bundle: Any = NamedTuple("Backward", [(name, Tensor) for name in fields.split()])  # type: ignore[misc]

    def backward(*arguments: Tensor) -> Any:
        wanted = len(fields.split())
        upstream, inputs = arguments[:-wanted], arguments[-wanted:]
        leaves = [each.detach().clone().requires_grad_() for each in inputs]
        outputs = forward(*leaves)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        found = torch.autograd.grad(outputs, leaves, upstream)
        m = inputs[0].shape[-1]
        return bundle(*found[:per_example], *(each / m for each in found[per_example:]))

    return backward


rnn_step_backward = _backward(rnn_step_forward, "dx dh_prev dW dU db", 2)
lstm_step_backward = _backward(lstm_step_forward, "dx dh_prev dc_prev dW dU db", 3)
gru_step_backward = _backward(gru_step_forward, "dx dh_prev dW dU db db_h", 2)
rnn_backward = _backward(rnn_forward, "dX dh_0 dW dU db", 2)
lstm_backward = _backward(lstm_forward, "dX dh_0 dc_0 dW dU db", 3)
gru_backward = _backward(gru_forward, "dX dh_0 dW dU db db_h", 2)
