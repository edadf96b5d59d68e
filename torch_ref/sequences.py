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
    """A cell of torch with these parameters; it takes examples in rows and has a second bias, here 0 if not given."""
    module = kind(x.shape[0], U.shape[1], device="meta")
    parameters = {
        "weight_ih": W,
        "weight_hh": U,
        "bias_ih": b.flatten(),
        "bias_hh": torch.zeros_like(b).flatten() if b_h is None else b_h.flatten(),
    }
    return functional_call(module, parameters, (x.T, state))


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


def rnn_forward(X: Tensor, h_0: Tensor, W: Tensor, U: Tensor, b: Tensor) -> Tensor:
    """nn.RNN over all steps at once."""
    module = nn.RNN(X.shape[1], len(h_0), device="meta")
    parameters = {
        "weight_ih_l0": W,
        "weight_hh_l0": U,
        "bias_ih_l0": b.flatten(),
        "bias_hh_l0": torch.zeros_like(b).flatten(),
    }
    H, _ = functional_call(module, parameters, (X.transpose(1, 2), h_0.T[None]))
    return H.transpose(1, 2)  # type: ignore[no-any-return]


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
