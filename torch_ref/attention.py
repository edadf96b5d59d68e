"""Attention through torch's own functions, derivatives through autograd. Counterpart of manual.attention."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from torch_ref.gradients import gradient


class AttentionBackward(NamedTuple):
    """The derivatives in the queries, the keys and the values."""

    dQ: Tensor
    dK: Tensor
    dV: Tensor


class HeadsBackward(NamedTuple):
    """dX per example; the weights' with the 1/m."""

    dX: Tensor
    dW_Q: Tensor
    dW_K: Tensor
    dW_V: Tensor
    dW_O: Tensor


def softmax_rows(S: Tensor) -> Tensor:
    """torch.softmax over the last axis."""
    return torch.softmax(S, dim=-1)


def softmax_rows_backward(dP: Tensor, P: Tensor) -> Tensor:
    """Autograd through the softmax, at scores that give P."""
    return gradient(softmax_rows, torch.log(P), dP)


def attention_forward(Q: Tensor, K: Tensor, V: Tensor, mask: Tensor | None = None) -> Tensor:
    """F.scaled_dot_product_attention; its mask is true where a query may look."""
    mask = None if mask is None else mask.bool()
    return functional.scaled_dot_product_attention(Q, K, V, mask)


def attention_backward(dA: Tensor, Q: Tensor, K: Tensor, V: Tensor, mask: Tensor | None = None) -> AttentionBackward:
    """Autograd under dA."""
    leaves = [each.detach().clone().requires_grad_() for each in (Q, K, V)]
    found = torch.autograd.grad(attention_forward(leaves[0], leaves[1], leaves[2], mask), leaves, dA)
    return AttentionBackward(*found)


def heads_forward(
    X: Tensor, W_Q: Tensor, W_K: Tensor, W_V: Tensor, W_O: Tensor, heads: int, mask: Tensor | None = None
) -> Tensor:
    """F.multi_head_attention_forward, which wants positions first; its mask is true where a query may NOT look."""
    rows = X.transpose(0, 1)
    hidden = None if mask is None else ~mask.bool()
    weights = torch.cat([W_Q, W_K, W_V])
    Z, _ = functional.multi_head_attention_forward(
        rows, rows, rows, X.shape[-1], heads, weights, None, None, None, False, 0.0, W_O, None,
        need_weights=False, attn_mask=hidden,
    )  # fmt: skip
    return Z.transpose(0, 1)


def heads_backward(
    dZ: Tensor,
    X: Tensor,
    W_Q: Tensor,
    W_K: Tensor,
    W_V: Tensor,
    W_O: Tensor,
    heads: int,
    mask: Tensor | None = None,
) -> HeadsBackward:
    """Autograd under dZ."""
    leaves = [each.detach().clone().requires_grad_() for each in (X, W_Q, W_K, W_V, W_O)]
    at_X, at_Q, at_K, at_V, at_O = leaves
    dX, *of_weights = torch.autograd.grad(heads_forward(at_X, at_Q, at_K, at_V, at_O, heads, mask), leaves, dZ)
    return HeadsBackward(dX, *(each / len(X) for each in of_weights))
