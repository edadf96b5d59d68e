"""Gates, biases and masks: what torch's cells and attention mean by them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from parity_tests.conventions.convention import Convention
from parity_tests.formulas import CASES
from torch_ref import attention, sequences


def _of_case(name: str) -> dict[str, Any]:
    """The parts that a convention shares with a case."""
    case = next(case for case in CASES if case.id == name)
    return {
        "formulas": "",
        "inputs": case.inputs,
        "manual": case.manual,
        "exact": case.reference,
        "bounds": case.bounds,
    }


def _in_order(*order: int) -> Callable[..., sequences.LstmState]:
    """torch's LSTM fed with gates in another order."""

    def step(x: Tensor, h: Tensor, c: Tensor, *params: Tensor) -> sequences.LstmState:
        W, U, b = (torch.cat([each.chunk(4)[k] for k in order]) for each in params)
        return sequences.lstm_step_forward(x, h, c, W, U, b)

    return step


def _one_bias(x: Tensor, h: Tensor, W: Tensor, U: Tensor, b: Tensor, b_h: Tensor) -> Tensor:
    return sequences.gru_step_forward(x, h, W, U, b + b_h, torch.zeros_like(b))


def _reset_before(x: Tensor, h: Tensor, W: Tensor, U: Tensor, b: Tensor, b_h: Tensor) -> Tensor:
    """The GRU of Cho and others, whose reset gate multiplies h before U."""
    n = len(h)
    a = W @ x + b + b_h
    k = U @ h
    r, z = torch.sigmoid(a[:n] + k[:n]), torch.sigmoid(a[n : 2 * n] + k[n : 2 * n])
    return (1 - z) * torch.tanh(a[2 * n :] + U[2 * n :] @ (r * h)) + z * h


def _as_in_heads(Q: Tensor, K: Tensor, V: Tensor, mask: Tensor) -> Tensor:
    """A mask that is true where a query may not look, as nn.MultiheadAttention has it."""
    hidden = mask.bool()
    return attention.attention_forward(Q, K, V, torch.where(hidden.all(-1, keepdim=True), hidden, ~hidden))


def _unscaled(Q: Tensor, K: Tensor, V: Tensor, mask: Tensor) -> Tensor:
    return functional.scaled_dot_product_attention(Q * math.sqrt(Q.shape[-1]), K, V, mask.bool())


def _added(Q: Tensor, K: Tensor, V: Tensor, mask: Tensor) -> Tensor:
    """A mask of numbers, which is added to the scores."""
    return functional.scaled_dot_product_attention(Q, K, V, mask)


CONVENTIONS = (
    Convention(
        "sequences.gates",
        "order of the LSTM's gates",
        notes="i, f, g, o one below the other",
        torch="the same, in TensorFlow too; ONNX has i, o, f, g",
        translation="rows as they are; from ONNX rows 0, 2, 3, 1",
        naive={"rows of ONNX as they are": _in_order(0, 3, 1, 2), "f before i": _in_order(1, 0, 2, 3)},
        **_of_case("sequences.lstm_step_forward"),
    ),
    Convention(
        "sequences.reset",
        "reset gate of the GRU",
        notes="n = tanh(W x + b + r (U h + b_h))",
        torch="the same, so its two biases do not add up; Cho and others have U (r h)",
        translation="bias_ih = b, bias_hh = b_h (TensorFlow: reset_after=True)",
        naive={"one bias b + b_h": _one_bias, "r before U": _reset_before},
        **_of_case("sequences.gru_step_forward"),
    ),
    Convention(
        "sequences.mask",
        "mask of attention",
        notes="true where a query may look",
        torch="the same in scaled_dot_product_attention; in nn.MultiheadAttention true hides",
        translation="attn_mask = mask.bool(); ~mask for nn.MultiheadAttention",
        naive={"the other sense": _as_in_heads, "zeros and ones in float, which are added": _added},
        **_of_case("attention.attention_forward_masked"),
    ),
    Convention(
        "sequences.scale",
        "scale of attention",
        notes="Q K^T / sqrt(d)",
        torch="the same, within the function",
        translation="Q as it is",
        naive={"Q times sqrt(d), as for a function that does not scale": _unscaled},
        **_of_case("attention.attention_forward_masked"),
    ),
)
